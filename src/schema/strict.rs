//! A JSON value read through the types, as strictly as the schema reads it.
//!
//! Serde by itself is lenient where a contract must not be: it takes `null` for a field left out, a list for an object,
//! an object for a word. This reader takes none of them, reads `3.0` as the whole number that JSON Schema says it is, and
//! knows the JSON pointer of what it refuses.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::Value;

use super::{Violation, hints};

/// Where a value stands: the way from the root.
#[derive(Clone, Copy)]
pub(super) enum Path<'p> {
    Root,
    Name(&'p Path<'p>, &'p str),
    Index(&'p Path<'p>, usize),
}

impl Path<'_> {
    /// The way as a JSON pointer.
    pub(super) fn pointer(&self) -> String {
        match self {
            Self::Root => String::new(),
            Self::Name(parent, name) => {
                format!("{}/{}", parent.pointer(), name.replace('~', "~0").replace('/', "~1"))
            }
            Self::Index(parent, at) => format!("{}/{at}", parent.pointer()),
        }
    }
}

/// Reads a value, or says where and why not.
pub(super) fn read<T: DeserializeOwned>(value: &Value) -> Result<T, Violation> {
    T::deserialize(Strict { value, path: Path::Root }).map_err(|refused| Violation {
        found: value.pointer(&refused.pointer).map_or_else(|| "nothing".to_owned(), hints::shorten),
        pointer: refused.pointer,
        allowed: refused.message,
        hint: "Mend this value.".to_owned(),
    })
}

#[derive(Debug)]
struct Refused {
    pointer: String,
    /// Whether `pointer` was set where the fault is, so that nobody further out moves it.
    is_placed: bool,
    message: String,
}

impl Refused {
    fn at(mut self, path: &Path<'_>) -> Self {
        if !self.is_placed {
            self.pointer = path.pointer();
            self.is_placed = true;
        }
        self
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.pointer, self.message)
    }
}

impl std::error::Error for Refused {}

impl serde::de::Error for Refused {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { pointer: String::new(), is_placed: false, message: message.to_string() }
    }
}

struct Strict<'v, 'p> {
    value: &'v Value,
    path: Path<'p>,
}

impl<'v> Strict<'v, '_> {
    fn refuse<T>(&self, message: &str) -> Result<T, Refused> {
        Err(Refused::custom(message).at(&self.path))
    }

    fn visit<V: Visitor<'v>>(&self, visitor: V) -> Result<V::Value, Refused> {
        match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(value), _) => visitor.visit_u64(value),
                (_, Some(value)) => visitor.visit_i64(value),
                _ => visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN)),
            },
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Array(list) => {
                let mut rest = List { list, at: 0, path: &self.path };
                let value = visitor.visit_seq(&mut rest)?;
                if rest.at == list.len() { Ok(value) } else { self.refuse("a list with fewer members") }
            }
            Value::Object(object) => visitor.visit_map(Object { rest: object.iter(), value: None, path: &self.path }),
        }
    }

    /// The number as the whole number it is: JSON Schema knows no difference between `3` and `3.0`.
    fn whole(&self) -> Option<u64> {
        let Value::Number(number) = self.value else { return None };
        number.as_u64().or_else(|| {
            let value = number.as_f64()?;
            // Beyond 2^53 a float no longer says which whole number was meant.
            (value.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(&value)).then_some(value as u64)
        })
    }

    fn visit_whole<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Refused> {
        match self.whole() {
            Some(value) => visitor.visit_u64(value).map_err(|refused: Refused| refused.at(&self.path)),
            None => self.refuse("a whole number from 0"),
        }
    }
}

impl<'v> Deserializer<'v> for Strict<'v, '_> {
    type Error = Refused;

    fn deserialize_any<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.visit(visitor).map_err(|refused| refused.at(&self.path))
    }

    fn deserialize_option<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Refused> {
        if self.value.is_null() {
            return self.refuse("a value; what is not stated is left out");
        }
        visitor.visit_some(self)
    }

    fn deserialize_struct<V: Visitor<'v>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        if self.value.is_object() { self.deserialize_any(visitor) } else { self.refuse("an object") }
    }

    fn deserialize_newtype_struct<V: Visitor<'v>>(self, _: &'static str, visitor: V) -> Result<V::Value, Refused> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'v>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        match self.value {
            Value::String(word) => {
                visitor.visit_enum(StrDeserializer::<Refused>::new(word)).map_err(|refused| refused.at(&self.path))
            }
            _ => self.refuse("one of the allowed words"),
        }
    }

    fn deserialize_u32<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.visit_whole(visitor)
    }

    fn deserialize_u64<V: Visitor<'v>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.visit_whole(visitor)
    }

    forward_to_deserialize_any! {
        <W: Visitor<'v>>
        bool i8 i16 i32 i64 i128 u8 u16 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier ignored_any
    }
}

struct List<'v, 'p> {
    list: &'v [Value],
    at: usize,
    path: &'p Path<'p>,
}

impl<'v> SeqAccess<'v> for &mut List<'v, '_> {
    type Error = Refused;

    fn next_element_seed<T: DeserializeSeed<'v>>(&mut self, seed: T) -> Result<Option<T::Value>, Refused> {
        let Some(value) = self.list.get(self.at) else { return Ok(None) };
        let path = Path::Index(self.path, self.at);
        self.at += 1;
        // A type may refuse after it was read: `try_from`, `deserialize_with`. It is this value that is refused.
        seed.deserialize(Strict { value, path }).map(Some).map_err(|refused| refused.at(&path))
    }
}

struct Object<'v, 'p> {
    rest: serde_json::map::Iter<'v>,
    value: Option<(&'v str, &'v Value)>,
    path: &'p Path<'p>,
}

impl<'v> MapAccess<'v> for Object<'v, '_> {
    type Error = Refused;

    fn next_key_seed<K: DeserializeSeed<'v>>(&mut self, seed: K) -> Result<Option<K::Value>, Refused> {
        let Some((name, value)) = self.rest.next() else { return Ok(None) };
        self.value = Some((name, value));
        seed.deserialize(StrDeserializer::<Refused>::new(name))
            .map(Some)
            .map_err(|refused| refused.at(&Path::Name(self.path, name)))
    }

    fn next_value_seed<V: DeserializeSeed<'v>>(&mut self, seed: V) -> Result<V::Value, Refused> {
        let (name, value) = self.value.take().ok_or_else(|| Refused::custom("a value before its name"))?;
        let path = Path::Name(self.path, name);
        seed.deserialize(Strict { value, path }).map_err(|refused| refused.at(&path))
    }
}
