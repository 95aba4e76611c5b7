//! Bytes to a JSON value, bounded: not too large, not too deep, no name twice in one object.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::strict::Path;
use super::{MAX_BYTES, MAX_DEPTH, Violation, Violations};

/// Reads one JSON document.
pub(super) fn read(bytes: &[u8]) -> Result<Value, Violations> {
    read_within(bytes, MAX_BYTES)
}

/// Reads one JSON document of at most `most` bytes.
pub(super) fn read_within(bytes: &[u8], most: usize) -> Result<Value, Violations> {
    within(bytes.len(), most)?;
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(fault(
            String::new(),
            "nothing".to_owned(),
            "one JSON object".to_owned(),
            "Send the dataset as the body, as application/json.",
        ));
    }
    let told = RefCell::new(None);
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Once { path: Path::Root, depth: 0, told: &told }
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value));
    value.map_err(|error| {
        told.into_inner().unwrap_or_else(|| {
            fault(
                String::new(),
                format!("no JSON at line {}, column {}", error.line(), error.column()),
                "one JSON document in UTF-8 (RFC 8259)".to_owned(),
                &format!("Mend it there: {error}."),
            )
        })
    })
}

/// Whether a document of this length is taken.
pub(super) fn bounded(length: usize) -> Result<(), Violations> {
    within(length, MAX_BYTES)
}

fn within(length: usize, most: usize) -> Result<(), Violations> {
    if length <= most {
        return Ok(());
    }
    Err(fault(
        String::new(),
        format!("{length} bytes"),
        format!("at most {most} bytes"),
        "Shorten the texts, or describe parts of the collection as datasets of their own.",
    ))
}

fn fault(pointer: String, found: String, allowed: String, hint: &str) -> Violations {
    Violations::one(Violation { pointer, found, allowed, hint: hint.to_owned() })
}

/// Reads a value and remembers where it stands; a fault of ours is kept in `told`, with its pointer.
struct Once<'p> {
    path: Path<'p>,
    depth: usize,
    told: &'p RefCell<Option<Violations>>,
}

impl Once<'_> {
    fn refuse<E: Error>(&self, pointer: String, found: String, allowed: String, hint: &str) -> E {
        *self.told.borrow_mut() = Some(fault(pointer, found, allowed, hint));
        E::custom("refused")
    }

    fn deeper<E: Error>(&self) -> Result<usize, E> {
        if self.depth < MAX_DEPTH {
            return Ok(self.depth + 1);
        }
        Err(self.refuse(
            self.path.pointer(),
            format!("more than {MAX_DEPTH} levels of lists and objects"),
            format!("at most {MAX_DEPTH} levels"),
            "A dataset needs fewer than ten; look for a list or object that holds itself.",
        ))
    }
}

impl<'de> DeserializeSeed<'de> for Once<'_> {
    type Value = Value;
    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Once<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number that is not finite"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let depth = self.deeper()?;
        let mut list = Vec::new();
        while let Some(value) =
            from.next_element_seed(Once { path: Path::Index(&self.path, list.len()), depth, told: self.told })?
        {
            list.push(value);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let depth = self.deeper()?;
        let mut object = Map::new();
        while let Some(name) = from.next_key::<String>()? {
            let path = Path::Name(&self.path, &name);
            if object.contains_key(&name) {
                return Err(self.refuse(
                    path.pointer(),
                    "the same name twice in one object".to_owned(),
                    "each name once".to_owned(),
                    "Readers disagree about which one counts; keep the one you mean.",
                ));
            }
            let value = from.next_value_seed(Once { path, depth, told: self.told })?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(bytes: &[u8]) -> Violation {
        read(bytes).unwrap_err().list.remove(0)
    }

    #[test]
    fn a_name_that_stands_twice_is_refused_where_it_stands() {
        let violation = first(br#"{"a": [{"b/c": 1, "b/c": 2}]}"#);
        assert_eq!(violation.pointer, "/a/0/b~1c");
        assert!(violation.found.contains("twice"));
    }

    #[test]
    fn a_document_may_be_as_deep_as_the_bound_and_no_deeper() {
        let nested = |depth: usize| ["[".repeat(depth), "]".repeat(depth)].concat();
        assert!(read(nested(MAX_DEPTH).as_bytes()).is_ok());
        assert!(first(nested(MAX_DEPTH + 1).as_bytes()).found.contains("levels"));
        assert!(first(nested(100_000).as_bytes()).found.contains("levels"));
    }

    #[test]
    fn what_is_no_json_is_told_by_line_and_column() {
        assert!(first(b"{\n  \"a\": }").found.contains("line 2, column 8"));
        for bytes in [&b""[..], b"  \n", b"\xff\xfe", b"{} {}", b"{\"a\": 1e999}", b"\"\\ud800\"", b"nul"] {
            assert!(read(bytes).is_err(), "{bytes:?}");
        }
        assert!(first(&vec![b' '; MAX_BYTES + 1]).found.contains("bytes"));
    }
}
