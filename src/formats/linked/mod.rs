//! JSON-LD read as a tree: things with their types and properties by name, whatever spelling the document chose.
//!
//! Croissant and schema.org are JSON-LD, and real documents spell it in many ways: prefixes of their own, one value or a
//! list, texts with a language or without. [`Document::read`] makes one shape of them, in which a property is named
//! `schema:name` or `cr:field` (see [`context`]). The order of lists is kept, which a graph would not do. Nothing is
//! fetched: a context that is named by an address other than schema.org's or Croissant's is refused.

mod context;

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Number, Value};

use self::context::{Context, Key, Kind, Term};
use crate::domain::ids::LanguageTag;
use crate::formats::Refused;
use crate::formats::draft::Notes;

pub(crate) use self::context::{long, short};

/// A thing that a document describes, or a mere reference to one.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Node {
    /// Where it stands in the document: a JSON pointer.
    pub(crate) at: String,
    /// Its identifier.
    pub(crate) id: Option<String>,
    /// Whether its `@id` is there and is no text.
    pub(crate) is_misnamed: bool,
    /// Its types, such as `schema:Dataset`.
    pub(crate) types: Vec<Arc<str>>,
    /// In the order of their names, each once. Names are shared, because a document has few of them in many places.
    properties: Vec<(Arc<str>, Vec<Item>)>,
}

/// A value of a property.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Item {
    /// A text and its language, where one is stated.
    Text(String, Option<Arc<str>>),
    /// A number.
    Number(Number),
    /// Yes or no.
    Bool(bool),
    /// JSON, as it is.
    Json(Value),
    /// A thing.
    Node(Node),
}

impl Item {
    /// The value as text, where it is one, or a number.
    pub(crate) fn text(&self) -> Option<String> {
        match self {
            Self::Text(text, _) => Some(text.clone()),
            Self::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// A text that may be an address: a text, or the identifier or address of a thing.
    pub(crate) fn reference(&self) -> Option<String> {
        match self {
            Self::Text(text, _) => Some(text.clone()),
            Self::Node(node) => node.id.clone().or_else(|| node.text("schema:url")).or_else(|| node.text("schema:@id")),
            _ => None,
        }
    }

    /// The thing, where it is one.
    pub(crate) fn node(&self) -> Option<&Node> {
        if let Self::Node(node) = self { Some(node) } else { None }
    }

    /// The kind of value, for a person.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Text(..) => "a text",
            Self::Number(_) => "a number",
            Self::Bool(_) => "true or false",
            Self::Json(_) => "JSON",
            Self::Node(_) => "an object",
        }
    }
}

impl Node {
    /// The values of a property.
    pub(crate) fn all(&self, property: &str) -> &[Item] {
        match self.properties.binary_search_by(|(name, _)| name.as_ref().cmp(property)) {
            Ok(place) => &self.properties[place].1,
            Err(_) => &[],
        }
    }

    /// The values of the first of some properties that has any.
    pub(crate) fn first_of(&self, properties: &[&str]) -> &[Item] {
        properties.iter().map(|property| self.all(property)).find(|values| !values.is_empty()).unwrap_or(&[])
    }

    /// Whether a property is there at all.
    pub(crate) fn has(&self, property: &str) -> bool {
        self.properties.binary_search_by(|(name, _)| name.as_ref().cmp(property)).is_ok()
    }

    /// The first value of a property as text.
    pub(crate) fn text(&self, property: &str) -> Option<String> {
        self.all(property).iter().find_map(Item::text)
    }

    /// The things that a property names.
    pub(crate) fn nodes(&self, property: &str) -> impl Iterator<Item = &Node> {
        self.all(property).iter().filter_map(Item::node)
    }

    /// Addresses and identifiers that a property names.
    pub(crate) fn references(&self, property: &str) -> Vec<String> {
        self.all(property).iter().filter_map(Item::reference).collect()
    }

    /// The texts of a property with their languages.
    pub(crate) fn said(&self, property: &str, notes: &mut Notes) -> Vec<(LanguageTag, String)> {
        said(self.all(property), property, notes)
    }

    /// Whether it is of a type.
    pub(crate) fn is(&self, kind: &str) -> bool {
        self.types.iter().any(|known| known.as_ref() == kind)
    }

    /// Whether it says nothing but its identifier.
    pub(crate) fn is_reference(&self) -> bool {
        self.id.is_some() && self.properties.is_empty() && self.types.is_empty()
    }

    /// Its properties in the order of their names.
    pub(crate) fn properties(&self) -> impl Iterator<Item = &str> {
        self.properties.iter().map(|(name, _)| name.as_ref())
    }

    /// Takes properties in the order of the document; one that two spellings name keeps the values of both.
    fn set(&mut self, mut properties: Vec<(Arc<str>, Vec<Item>)>) {
        properties.sort_by(|(one, _), (other, _)| one.cmp(other));
        properties.dedup_by(|(name, items), (first, all)| {
            let is_same = name == first;
            if is_same {
                all.append(items);
            }
            is_same
        });
        self.properties = properties;
    }
}

/// Texts with their languages; what is not a text is left out, which the reader of the standard reports where it matters.
pub(crate) fn said(items: &[Item], property: &str, notes: &mut Notes) -> Vec<(LanguageTag, String)> {
    let mut said = Vec::new();
    for item in items {
        match item {
            Item::Text(text, language) => said.push((notes.tag(property, language.as_deref()), text.clone())),
            Item::Number(number) => said.push((notes.tag(property, None), number.to_string())),
            _ => {}
        }
    }
    said
}

/// The things of a document that stand at its top, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Document {
    pub(crate) nodes: Vec<Node>,
    by_id: HashMap<String, usize>,
}

impl Document {
    /// Reads a document: an object, a list of them, or one with a `@graph`.
    pub(crate) fn read(value: &Value) -> Result<Self, Refused> {
        let mut document = Self::default();
        match value {
            Value::Array(parts) => {
                for (number, part) in parts.iter().enumerate() {
                    document.add(part, &format!("/{number}"))?;
                }
            }
            _ => document.add(value, "")?,
        }
        for (number, node) in document.nodes.iter().enumerate() {
            if let Some(id) = node.id.as_ref().filter(|_| !node.is_reference()) {
                document.by_id.entry(id.clone()).or_insert(number);
            }
        }
        Ok(document)
    }

    fn add(&mut self, value: &Value, at: &str) -> Result<(), Refused> {
        let Value::Object(fields) = value else {
            let reason = "a JSON-LD document is an object or a list of objects; this is neither".to_owned();
            return Err(Refused { place: place(at), reason });
        };
        let context = Context::read(fields.get("@context")).map_err(|address| Refused {
            place: format!("{}/@context", place(at).trim_end_matches('/')),
            reason: format!(
                "the context {address:?} is not kept here and is never fetched; write its terms into the document"
            ),
        })?;
        let language = context.language.as_deref().map(Arc::from);
        let mut reader = Tree { context: &context, language, names: HashMap::new(), types: HashMap::new() };
        match fields.get("@graph") {
            Some(graph) => {
                for (number, part) in list(graph).iter().enumerate() {
                    if let Value::Object(fields) = part {
                        self.nodes.push(reader.node(fields, format!("{at}/@graph/{number}")));
                    }
                }
            }
            None => self.nodes.push(reader.node(fields, at.to_owned())),
        }
        Ok(())
    }

    /// The thing that a reference means, where it stands at the top of the document; else the reference itself.
    pub(crate) fn resolve<'d>(&'d self, node: &'d Node) -> &'d Node {
        if !node.is_reference() {
            return node;
        }
        node.id.as_ref().and_then(|id| self.by_id.get(id)).map_or(node, |number| &self.nodes[*number])
    }
}

/// A JSON pointer for a person: the whole document is `/`.
pub(crate) fn place(at: &str) -> String {
    if at.is_empty() { "/".to_owned() } else { at.to_owned() }
}

fn list(value: &Value) -> &[Value] {
    match value {
        Value::Array(values) => values,
        value => std::slice::from_ref(value),
    }
}

struct Tree<'c> {
    context: &'c Context,
    language: Option<Arc<str>>,
    names: HashMap<String, Named<'c>>,
    types: HashMap<String, Arc<str>>,
}

/// What a key of the document means, as it was found the first time.
#[derive(Clone)]
enum Named<'c> {
    Id,
    Types,
    Property(Arc<str>, Option<&'c Term>),
    Nothing,
}

impl<'c> Tree<'c> {
    fn named(&mut self, name: &str) -> Named<'c> {
        if let Some(known) = self.names.get(name) {
            return known.clone();
        }
        let named = match self.context.key(name) {
            Key::Keyword(keyword) if keyword == "@id" => Named::Id,
            Key::Keyword(keyword) if keyword == "@type" => Named::Types,
            Key::Property(property, term) => Named::Property(property.into(), term),
            Key::Keyword(_) | Key::Unknown => Named::Nothing,
        };
        self.names.insert(name.to_owned(), named.clone());
        named
    }

    fn kind(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.types.get(name) {
            return Arc::clone(known);
        }
        let kind: Arc<str> = self.context.word(name).into();
        self.types.insert(name.to_owned(), Arc::clone(&kind));
        kind
    }

    fn node(&mut self, fields: &Map<String, Value>, at: String) -> Node {
        let mut node = Node { at, ..Node::default() };
        let mut properties = Vec::new();
        for (name, value) in fields {
            match self.named(name) {
                Named::Id => {
                    node.id = value.as_str().map(|id| self.context.id(id));
                    node.is_misnamed = node.id.is_none();
                }
                Named::Types => {
                    let names = list(value).iter().filter_map(Value::as_str);
                    node.types = names.map(|name| self.kind(name)).collect();
                }
                Named::Property(property, term) => {
                    let at = format!("{}/{}", node.at, name.replace('~', "~0").replace('/', "~1"));
                    let mut items = Vec::new();
                    self.items(value, term, &at, &mut items);
                    properties.push((property, items));
                }
                Named::Nothing => {}
            }
        }
        node.set(properties);
        node
    }

    fn items(&mut self, value: &Value, term: Option<&Term>, at: &str, items: &mut Vec<Item>) {
        let kind = term.map_or(Kind::Plain, |term| term.kind);
        if kind == Kind::Json {
            items.push(Item::Json(value.clone()));
            return;
        }
        match value {
            Value::Null => {}
            Value::Bool(bool) => items.push(Item::Bool(*bool)),
            Value::Number(number) => items.push(Item::Number(number.clone())),
            Value::String(text) => items.push(self.text(text, kind, at)),
            Value::Array(values) => {
                for (number, value) in values.iter().enumerate() {
                    self.items(value, term, &format!("{at}/{number}"), items);
                }
            }
            Value::Object(fields) => self.object(fields, term, at, items),
        }
    }

    fn text(&self, text: &str, kind: Kind, at: &str) -> Item {
        let id = match kind {
            Kind::Id => self.context.id(text),
            Kind::Vocab => long(&self.context.word(text)),
            Kind::Plain | Kind::Json => return Item::Text(text.to_owned(), self.language.clone()),
        };
        Item::Node(Node { at: at.to_owned(), id: Some(id), ..Node::default() })
    }

    fn object(&mut self, fields: &Map<String, Value>, term: Option<&Term>, at: &str, items: &mut Vec<Item>) {
        if let Some(value) = fields.get("@value") {
            let language = fields.get("@language").and_then(Value::as_str).map(Arc::from);
            match value {
                _ if fields.get("@type").and_then(Value::as_str) == Some("@json") => {
                    items.push(Item::Json(value.clone()))
                }
                Value::String(text) => items.push(Item::Text(text.clone(), language.or_else(|| self.language.clone()))),
                Value::Number(number) => items.push(Item::Number(number.clone())),
                Value::Bool(bool) => items.push(Item::Bool(*bool)),
                _ => {}
            }
        } else if let Some(values) = fields.get("@list").or_else(|| fields.get("@set")) {
            self.items(values, term, at, items);
        } else if term.is_some_and(|term| term.by_language) && !fields.keys().any(|name| name.starts_with('@')) {
            for (language, texts) in fields {
                for text in list(texts) {
                    items.extend(in_language(language, text));
                }
            }
        } else {
            items.push(Item::Node(self.node(fields, at.to_owned())));
        }
    }
}

/// A value of a language map.
fn in_language(language: &str, value: &Value) -> Option<Item> {
    match value {
        Value::String(text) => Some(Item::Text(text.clone(), (language != "@none").then(|| Arc::from(language)))),
        Value::Number(number) => Some(Item::Number(number.clone())),
        Value::Bool(bool) => Some(Item::Bool(*bool)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn one(value: Value) -> Node {
        Document::read(&value).unwrap().nodes.remove(0)
    }

    #[test]
    fn every_spelling_gives_the_same_tree() {
        let spellings = [
            json!({"@context": {"@vocab": "https://schema.org/", "sc": "https://schema.org/", "@language": "en"}, "@type": "sc:Dataset", "name": "a"}),
            json!({"@context": ["http://schema.org/", {"@language": "en"}], "@type": ["Dataset"], "name": ["a"]}),
            json!({"@context": {"s": "http://schema.org/", "type": "@type", "title": {"@id": "s:name", "@container": "@language"}},
                   "type": "s:Dataset", "title": {"en": "a"}}),
            json!({"@context": {"name": "https://schema.org/name"}, "@type": "https://schema.org/Dataset",
                   "name": {"@list": [{"@value": "a", "@language": "en"}]}}),
        ];
        for spelling in spellings {
            let node = one(spelling.clone());
            assert!(node.is("schema:Dataset"), "{spelling}");
            assert_eq!(node.all("schema:name"), [Item::Text("a".into(), Some("en".into()))], "{spelling}");
        }
    }

    #[test]
    fn terms_that_are_defined_by_one_another_come_to_an_end() {
        let node = one(json!({"@context": {"a": "b:x", "b": "a:y"}, "a": "1", "b": "2"}));
        assert_eq!(node.properties().count(), 0);
    }

    #[test]
    fn a_foreign_context_is_refused_by_its_address() {
        let refused = Document::read(&json!({"@context": "http://127.0.0.1/context.jsonld"})).unwrap_err();
        assert!(refused.reason.contains("127.0.0.1") && refused.reason.contains("never fetched"), "{refused}");
        assert!(Document::read(&json!("text")).is_err());
    }
}
