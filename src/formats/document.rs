//! One dataset as a file that a steward keeps: the document that the API takes, in YAML or JSON, read with the places of
//! its parts and written so that it reads back as what it was.

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_saphyr::Spanned;

use super::yaml;
pub use super::yaml::Fault;

/// Reads one document. JSON is read as the YAML that it is, within the same bounds.
pub fn read(text: &str) -> Result<Value, Fault> {
    match yaml::value(text)? {
        document @ Value::Object(_) => Ok(document),
        _ => {
            let reason = "it holds no fields: a dataset is written as `title:`, `description:` and so on".to_owned();
            Err(Fault { line: 1, column: 1, reason })
        }
    }
}

/// Writes a document as YAML that reads back as the same.
pub fn write(document: &Value) -> String {
    let options = serde_saphyr::ser_options! {
        indent_step: 2,
        prefer_block_scalars: true,
    };
    match serde_saphyr::to_string_with_options(document, options) {
        Ok(text) if yaml::value(&text).is_ok_and(|read| read == *document) => text,
        // JSON is YAML too: a value that the writer's style would bend is written in the plainest one.
        _ => format!("{document:#}\n"),
    }
}

/// The line, from 1, of what a JSON pointer leads to in a text that was read; of what holds it, where it is missing.
pub fn line_of(text: &str, pointer: &str) -> Option<u64> {
    let mut node: Spanned<Node> = serde_saphyr::from_str(text).ok()?;
    let mut line = node.referenced.line();
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        let next = match node.value {
            Node::Fields(fields) => fields.into_iter().find(|(name, _)| name.value == step).map(|(name, value)| {
                line = name.referenced.line();
                value
            }),
            Node::Members(members) => members.into_iter().nth(step.parse().ok()?).inspect(|member| {
                line = member.referenced.line();
            }),
            Node::Plain => None,
        };
        match next {
            Some(next) => node = next,
            None => break,
        }
    }
    (line > 0).then_some(line)
}

/// A value of which only the places matter.
enum Node {
    Fields(Vec<(Spanned<String>, Spanned<Node>)>),
    Members(Vec<Spanned<Node>>),
    Plain,
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

/// Plain values, whatever they are, have no parts.
macro_rules! plain {
    ($($visit:ident: $value:ty),*) => {
        $(fn $visit<E>(self, _: $value) -> Result<Node, E> {
            Ok(Node::Plain)
        })*
    };
}

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a value")
    }

    plain!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_i128: i128, visit_u128: u128, visit_f64: f64);
    plain!(visit_str: &str);

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Plain)
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Plain)
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Node, D::Error> {
        IgnoredAny::deserialize(from).map(|_| Node::Plain)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Node::Fields(fields))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = list.next_element()? {
            members.push(member);
        }
        Ok(Node::Members(members))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pointer_leads_to_its_line_and_a_missing_part_to_what_holds_it() {
        let text = "# A comment\ntitle:\n  en: Birds\nkeywords:\n  en:\n    - a\n    - b\ngdpr: {personal_data: no}\n";
        for (pointer, line) in [
            ("", 2),
            ("/title", 2),
            ("/title/en", 3),
            ("/keywords/en/1", 7),
            ("/gdpr/personal_data", 8),
            ("/gdpr/legal_basis", 8),
            ("/title/fi/x", 2),
        ] {
            assert_eq!(line_of(text, pointer), Some(line), "{pointer}");
        }
        let json = "{\n  \"title\": {\n    \"en\": \"Birds\"\n  }\n}\n";
        assert_eq!(line_of(json, "/title/en"), Some(3));
        assert_eq!(line_of("a: [", "/a"), None);
    }

    #[test]
    fn the_example_is_written_as_yaml_for_people_and_read_back() {
        let example: Value = serde_json::from_str(include_str!("../../config/examples/dataset.json")).unwrap();
        let text = write(&example);
        assert!(!text.starts_with('{'), "{text}");
        assert_eq!(read(&text).unwrap(), example);
        assert_eq!(read(&format!("{example:#}")).unwrap(), example);
    }

    #[test]
    fn a_file_without_fields_and_one_that_is_no_yaml_are_told_by_line() {
        for (text, line) in [("- a\n", 1), ("birds\n", 1), ("a:\n\tb: 2\n", 2), ("a: 1\nb: 2\na: 3\n", 3)] {
            let fault = read(text).unwrap_err();
            assert_eq!(fault.line, line, "{text:?}: {fault}");
        }
    }

    fn document() -> impl Strategy<Value = Value> {
        let word = prop_oneof![
            "\\PC{0,12}",
            "[ \\n\\t:#\\-'\"|>&*!%@`?{}\\[\\],a]{0,12}",
            "(no|yes|null|~|true|1|1e3|0x1f|2020-01-01|\\.inf|=|<<|---|\\.\\.\\.| a|a |a\\n|\\na|a\\n\\nb\\n\\n)",
        ];
        let plain = prop_oneof![
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-1e9..1e9_f64).prop_map(Value::from),
            word.clone().prop_map(Value::from),
        ];
        let value = plain.prop_recursive(4, 24, 4, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(word.clone(), inner, 0..4)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        });
        value.prop_map(|value| json!({ "x": value }))
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back_as_it_was(document in document()) {
            prop_assert_eq!(read(&write(&document)).unwrap(), document);
        }

        #[test]
        fn no_text_and_no_pointer_make_it_panic(text in "\\PC{0,40}|[-:?&*!|>'\"{}\\[\\],#% \n\ta]{0,60}", pointer in "[/~01a]{0,8}") {
            let _ = line_of(&text, &pointer);
        }
    }
}
