//! A record as Croissant 1.1.

use serde_json::{Map, Value, json};

use super::ids::Ids;
use super::{files, law, policy, records, terms};
use crate::domain::dataset::{Dataset, Registered};
use crate::formats::export::Place;
use crate::formats::schema_org::base;
use crate::formats::schema_org::words::Words;

/// The context that Croissant 1.1 recommends, and the prefixes of the vocabularies that it leaves the rest to.
const CONTEXT: &str = include_str!("context-1.1.json");

/// Writes a record. The document is valid Croissant for every record: where the standard demands what the record does
/// not state, the weakest true thing stands there (a pattern for the files, text for the type of a column).
pub fn write(record: &Registered, place: &Place) -> Value {
    let dataset = &record.dataset;
    let words = Words::of(&dataset.title);
    let mut document = Map::new();
    document.insert("@context".into(), context(&words));
    document.insert("@type".into(), json!("sc:Dataset"));
    document.insert("@id".into(), json!(dataset.id));
    let mut body = base::write(record, place, &words);
    body.insert("name".into(), words.text(&dataset.title));
    if let Some(description) = &dataset.description {
        body.insert("description".into(), words.text(description));
    }
    if let Some(citation) = &dataset.citation {
        body.insert("citeAs".into(), json!(citation));
    }
    terms::write(dataset, &words, &mut body);
    law::write(dataset, &words, &mut body);
    policy::write(dataset, &mut body);
    document.insert("conformsTo".into(), standards(dataset, &body));
    document.extend(body);
    let mut ids = Ids::default();
    let written = files::write(dataset, place, &words, &mut ids);
    let record_sets = records::write(dataset, written.of_tables.as_ref(), &words, &mut ids);
    for (term, list) in [("distribution", written.files), ("recordSet", record_sets)] {
        if !list.is_empty() {
            document.insert(term.into(), json!(list));
        }
    }
    Value::Object(document)
}

fn context(words: &Words) -> Value {
    let mut context: Value = serde_json::from_str(CONTEXT).expect("the context in the binary is JSON");
    context["@language"] = json!(words.language());
    context
}

/// The standards: Croissant, its vocabulary for responsible AI where a word of it is used, and those of the record.
fn standards(dataset: &Dataset, body: &Map<String, Value>) -> Value {
    let mut standards = vec![json!("http://mlcommons.org/croissant/1.1")];
    if body.keys().any(|term| term.starts_with("rai:")) {
        standards.push(json!("http://mlcommons.org/croissant/RAI/1.0"));
    }
    standards.extend(dataset.conforms_to.iter().map(|iri| json!(iri)));
    json!(standards)
}
