//! What a JSON object of somebody else says, read leniently: a text where a number stands, a list where one text stands, and
//! texts in their languages however they are spelled.

use serde_json::{Map, Value};

use super::draft::{Notes, undetermined};
use crate::domain::ids::LanguageTag;

/// The first stated field of these names.
pub(super) fn field<'v>(object: &'v Map<String, Value>, names: &[&str]) -> Option<&'v Value> {
    names.iter().find_map(|name| object.get(*name).filter(|value| !is_blank(value)))
}

/// Whether a value says nothing.
pub(super) fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(members) => members.iter().all(is_blank),
        Value::Object(fields) => fields.values().all(is_blank),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// One text: a string, a number, *true* or *false*, or the first of a list.
pub(super) fn text(value: &Value) -> Option<String> {
    texts(value).into_iter().next()
}

/// Every text of a value: of a list each, of an object none. A string that is a list in JSON, as portals keep several values
/// in one field, is that list.
pub(super) fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) if text.trim_start().starts_with('[') => match serde_json::from_str(text) {
            Ok(Value::Array(members)) => members.iter().filter_map(simple).collect(),
            _ => simple(value).into_iter().collect(),
        },
        Value::Array(members) => members.iter().flat_map(texts).collect(),
        _ => simple(value).into_iter().collect(),
    }
}

fn simple(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(answer) => Some(answer.to_string()),
        _ => None,
    }
}

/// Every text of a value with its language: an object has texts by tag, or `@value` and `@language`; anything else is in
/// the language given, else in none.
pub(super) fn tagged(
    notes: &mut Notes,
    what: &str,
    value: &Value,
    language: Option<&LanguageTag>,
) -> Vec<(LanguageTag, String)> {
    let plain = || language.cloned().unwrap_or_else(undetermined);
    match value {
        Value::Object(fields) => match fields.get("@value").and_then(text) {
            Some(text) => vec![(notes.tag(what, fields.get("@language").and_then(Value::as_str)), text)],
            None => {
                let spoken = fields.iter().filter(|(_, value)| !is_blank(value));
                spoken
                    .flat_map(|(tag, value)| {
                        let tag = if tag == "default" { plain() } else { notes.tag(what, Some(tag)) };
                        texts(value).into_iter().map(move |text| (tag.clone(), text))
                    })
                    .collect()
            }
        },
        Value::Array(members) => members.iter().flat_map(|member| tagged(notes, what, member, language)).collect(),
        _ => texts(value).into_iter().map(|text| (plain(), text)).collect(),
    }
}

/// The objects of a value: itself, or those of a list, or of a list or object kept as text.
pub(super) fn objects(value: &Value) -> Vec<Map<String, Value>> {
    match value {
        Value::Object(fields) => vec![fields.clone()],
        Value::Array(members) => members.iter().filter_map(Value::as_object).cloned().collect(),
        Value::String(text) if text.trim_start().starts_with(['[', '{']) => serde_json::from_str::<Value>(text)
            .map(|inner| match inner {
                Value::String(_) => Vec::new(),
                inner => objects(&inner),
            })
            .unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// A whole number, also where it is written as text or with a fraction of nothing.
pub(super) fn count(value: &Value) -> Option<u64> {
    let text = simple(value)?;
    let text = text.trim();
    let whole = match text.split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|digit| digit == b'0') => whole,
        _ => text,
    };
    whole.parse().ok().filter(|count| *count <= crate::domain::bounds::COUNT)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_are_found_however_they_are_spelled() {
        assert_eq!(texts(&json!("[\"a\", \"b\"]")), ["a", "b"]);
        assert_eq!(texts(&json!("[not json")), ["[not json"]);
        assert_eq!(texts(&json!(["a", 2, null, ""])), ["a", "2"]);
        assert_eq!(count(&json!("1024.0")), Some(1024));
        assert_eq!(count(&json!("1.5")), None);
        assert_eq!(count(&json!(-1)), None);
    }

    #[test]
    fn languages_come_from_keys_and_from_json_ld() {
        let mut notes = Notes::default();
        let of = |notes: &mut Notes, value| {
            tagged(notes, "title", &value, None)
                .into_iter()
                .map(|(tag, text)| format!("{tag}={text}"))
                .collect::<Vec<_>>()
        };
        assert_eq!(of(&mut notes, json!({"de": "Eins", "en": "", "default": "x"})), ["de=Eins", "und=x"]);
        assert_eq!(of(&mut notes, json!([{"@value": "a", "@language": "fr"}, "b"])), ["fr=a", "und=b"]);
        assert!(notes.clone().sorted().is_empty());
        assert_eq!(of(&mut notes, json!({"not a tag": "x"})), ["und=x"]);
        assert_eq!(notes.sorted().len(), 1);
    }
}
