//! Our own document: a dataset in JSON or YAML as the API takes it, with an IRI by which it is known again.

use serde_json::{Value, json};

use super::draft::{self, Common, Notes, Read, parse_iri};
use super::mapping::Mapping;
use super::{Draft, Refused, lines, yaml};
use crate::schema;

/// Counted up when the same document is read differently.
const MAPPING: &str = "document 1";
/// How many faults of a document are told.
const TOLD: usize = 3;

/// Reads one or several documents in YAML, of which JSON is a part: ours, or somebody's records through a mapping. A document
/// that is a list has several records.
pub fn read(text: &str, mapping: Option<&Mapping>, common: &Common, name: &str) -> Vec<Result<Draft, Refused>> {
    let text = text.trim_start_matches('\u{feff}');
    let as_json = if text.trim_start().starts_with(['{', '[']) { serde_json::from_str(text).ok() } else { None };
    let documents = match as_json.map_or_else(|| yaml::values(text), |value| Ok(vec![value])) {
        Ok(documents) => documents,
        Err(fault) => {
            let place = format!("{name} line {}", fault.line.max(1));
            return vec![Err(Refused {
                place,
                reason: format!("it is no YAML at column {}: {}", fault.column, fault.reason),
            })];
        }
    };
    let records = documents.into_iter().filter(|document| !document.is_null()).flat_map(|document| match document {
        Value::Array(members) => members,
        other => vec![other],
    });
    let one = |(at, record): (usize, Value)| {
        let place = format!("{name} record {}", at + 1);
        match mapping {
            Some(mapping) => lines::mapped(mapping, &record, &place, common),
            None => draft(record, &place, common),
        }
    };
    records.enumerate().map(one).collect()
}

/// Whether a value is one of our documents: a dataset, or a record as a node serves it.
pub fn is_one(value: &Value) -> bool {
    let is_dataset = |value: &Value| {
        value.get("title").is_some_and(Value::is_object)
            && value.get("@context").is_none()
            && value.get("resources").is_none()
    };
    match value {
        Value::Array(members) => members.first().is_some_and(is_one),
        other => is_dataset(other) || other.get("dataset").is_some_and(is_dataset),
    }
}

/// One document. What is wrong with it is told with its place in it.
pub(super) fn draft(document: Value, place: &str, common: &Common) -> Result<Draft, Refused> {
    let refuse = |reason: String| Err(Refused { place: place.to_owned(), reason });
    let text = document.to_string();
    let mut value = match document {
        // A record as a node serves it: the dataset in it is what was said.
        Value::Object(mut record) if record.contains_key("dataset") && record.contains_key("revision") => {
            record.remove("dataset").unwrap_or_default()
        }
        other => other,
    };
    let Value::Object(fields) = &mut value else {
        return refuse("it is no object: a dataset is one, with a title".into());
    };
    let said = fields.remove("source").and_then(|source| source.get("iri").and_then(Value::as_str).map(str::to_owned));
    let own = fields.remove("id").and_then(|id| id.as_str().map(str::to_owned));
    let first = fields.get("identifiers").and_then(|list| list.get(0)).and_then(Value::as_str).map(str::to_owned);
    let Some(iri) = [said, own, first].into_iter().flatten().find_map(|text| parse_iri(&text)) else {
        return refuse(
            "nothing says how it is known again: give it an `id`, which is an IRI, or `source: {iri: …}`".into(),
        );
    };
    let country =
        fields.get("country").and_then(Value::as_str).and_then(|code| code.parse().ok()).or(common.country.clone());
    fields.insert("id".into(), json!("https://draft.invalid/dataset/draft"));
    if let (None, Some(country)) = (fields.get("country"), &common.country) {
        fields.insert("country".into(), json!(country));
    }
    fields.entry("country").or_insert_with(|| json!("BE")); // taken out again by `finish`, where nobody said it
    let dataset = match schema::admit_bounded(&value) {
        Ok(dataset) => dataset,
        Err(violations) => {
            let told: Vec<String> = violations.list.iter().take(TOLD).map(ToString::to_string).collect();
            let more = match violations.list.len().saturating_sub(TOLD) {
                0 => String::new(),
                more => format!("; and {more} more"),
            };
            let iri = draft::shown(iri.as_str());
            return refuse(format!("{iri} is not valid: {}{more}", told.join("; ")));
        }
    };
    let common = Common { source: common.source.clone(), country };
    draft::finish(Read { dataset, iri, notes: Notes::default(), text }, "pleiad", MAPPING, &common)
}
