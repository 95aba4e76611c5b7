//! What is written in another standard's words and read again is what it was, as far as the standard can say it.
//!
//! `docs/formats.md` has the table of what each cannot; the lists here are the same table for the machine.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::draft::Common;
use super::export::Place;
use super::{citation, croissant, samples, schema_org};
use crate::domain::dataset::{Dataset, Registered};

/// What no document says to others: for whom a record is, and what it was imported from.
const KEPT_BACK: &[&str] = &["id", "visibility", "listed", "source"];

/// What Croissant cannot say.
const NOT_IN_CROISSANT: &[&str] = &[
    "health",
    "licence/permissions",
    "licence/matched",
    "distributions/*/manifest",
    "distributions/*/licence/permissions",
];

/// What schema.org cannot say.
const NOT_IN_SCHEMA_ORG: &[&str] = &[
    "health",
    "licence/permissions",
    "licence/matched",
    "distributions/*/manifest",
    "distributions/*/licence/permissions",
    "distributions/*/compress_format",
    "distributions/*/package_format",
    "distributions/*/availability",
    "distributions/*/status",
    "distributions/*/conforms_to",
    "applicable_legislation",
    "frequency",
    "version_of",
    "version_notes",
    "provenance",
    "conforms_to",
    "policy",
    "tdm_reservation",
    "tdm_policy",
    "gdpr",
    "training",
    "record_sets",
];

fn place() -> Place {
    let title = serde_json::from_value(json!({"en": "Node", "fi": "Solmu"})).unwrap();
    let base = "https://fi.pleiad.example".parse().unwrap();
    Place::new(base, title, "fi.pleiad.example".parse().unwrap(), vec!["FI".parse().unwrap()])
}

fn common(dataset: &Dataset) -> Common {
    Common { source: "fi.pleiad.example".to_owned(), country: Some(dataset.country.clone()) }
}

/// What was said before and is not said after, by place. More may be said after, where a standard demands it.
fn lost(before: &Value, after: &Value, at: &str, cannot: &[&str], lost: &mut Vec<String>) {
    let pattern: String =
        at.split('/').map(|part| if part.parse::<usize>().is_ok() { "*" } else { part }).collect::<Vec<_>>().join("/");
    if cannot.contains(&pattern.as_str()) {
        return;
    }
    let below = |part: &str| if at.is_empty() { part.to_owned() } else { format!("{at}/{part}") };
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            for (name, value) in before {
                self::lost(value, after.get(name).unwrap_or(&Value::Null), &below(name), cannot, lost);
            }
        }
        (Value::Array(before), Value::Array(after)) if before.len() == after.len() => {
            for (number, (before, after)) in before.iter().zip(after).enumerate() {
                self::lost(before, after, &below(&number.to_string()), cannot, lost);
            }
        }
        (Value::Null, _) => {}
        (Value::Object(before), Value::Null)
            if before.keys().all(|name| cannot.contains(&format!("{pattern}/{name}").as_str())) => {}
        _ if before == after => {}
        _ => lost.push(format!("{at}: {before} became {after}")),
    }
}

/// Compares a record with what was read again of it.
fn compare(record: &Registered, again: &Value, cannot: &[&str]) -> Vec<String> {
    let before = before(record);
    let cannot: Vec<&str> = KEPT_BACK.iter().chain(cannot).copied().collect();
    let mut found = Vec::new();
    lost(&before, again, "", &cannot, &mut found);
    found
}

/// The record without what says nothing (*not stated* is also said by leaving it out) and without the addresses of bytes
/// that are not for everybody.
fn before(record: &Registered) -> Value {
    let mut dataset = record.dataset.clone();
    for at in 0..dataset.distributions.len() {
        if !dataset.is_open(&dataset.distributions[at]) {
            dataset.distributions[at].download_url = None;
        }
    }
    let mut before = serde_json::to_value(&dataset).unwrap();
    unsaid(&mut before);
    // Keywords have no order; every reader sorts them.
    for words in before["keywords"].as_object_mut().into_iter().flat_map(|keywords| keywords.values_mut()) {
        words.as_array_mut().unwrap().sort_by(|one, other| one.as_str().cmp(&other.as_str()));
    }
    before
}

fn unsaid(value: &mut Value) {
    if let Value::Object(fields) = value {
        fields.values_mut().for_each(unsaid);
        fields.retain(|_, value| *value != json!("not_stated") && *value != json!({}));
    } else if let Value::Array(members) = value {
        members.iter_mut().for_each(unsaid);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn croissant_loses_nothing_that_it_can_say(dataset in samples::datasets()) {
        let record = samples::registered(dataset);
        let written = croissant::write(&record, &place());
        prop_assert!(croissant::is_one(&written));
        let draft = croissant::read(&written.to_string(), &common(&record.dataset));
        let draft = draft.map_err(|refused| TestCaseError::fail(format!("{refused}\n{written:#}")))?;
        let lost = compare(&record, &draft.dataset, NOT_IN_CROISSANT);
        prop_assert!(lost.is_empty(), "{lost:#?}\n{:#?}\n{written:#}", draft.notes);
    }

    #[test]
    fn schema_org_loses_nothing_that_it_can_say(dataset in samples::datasets()) {
        let record = samples::registered(dataset);
        let written = schema_org::write(&record, &place());
        prop_assert!(schema_org::is_one(&written) && !croissant::is_one(&written));
        let draft = schema_org::read(&written.to_string(), &common(&record.dataset)).remove(0);
        let draft = draft.map_err(|refused| TestCaseError::fail(refused.to_string()))?;
        let lost = compare(&record, &draft.dataset, NOT_IN_SCHEMA_ORG);
        prop_assert!(lost.is_empty(), "{lost:#?}\n{:#?}\n{written:#}", draft.notes);
    }
}

/// Every example and two hundred samples in the forms of this room, as files for the validators of others.
#[test]
#[ignore = "writes to the folder that PLEIAD_EXPORTS names, for mlcroissant and its like"]
fn exports_for_other_peoples_tools() {
    use proptest::strategy::ValueTree as _;
    let folder = std::path::PathBuf::from(std::env::var("PLEIAD_EXPORTS").expect("PLEIAD_EXPORTS names a folder"));
    let mut datasets: Vec<(String, Dataset)> = examples();
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for number in 0..200 {
        let sample = samples::datasets().new_tree(&mut runner).unwrap().current();
        datasets.push((format!("sample-{number}"), sample));
    }
    for (name, dataset) in datasets {
        let record = samples::registered(dataset);
        let write = |suffix: &str, text: String| std::fs::write(folder.join(format!("{name}.{suffix}")), text).unwrap();
        write("croissant.json", croissant::write(&record, &place()).to_string());
        write("schema.json", schema_org::write(&record, &place()).to_string());
        write("datacite.json", citation::datacite(&record, &place()).to_string());
        write("bib", citation::bibtex(&record, &place()));
    }
}

/// The example of the model and every dataset of the demonstration, by their local names.
fn examples() -> Vec<(String, Dataset)> {
    let mut found: Vec<Value> = vec![serde_json::from_str(include_str!("../../config/examples/dataset.json")).unwrap()];
    for node in [
        include_str!("../../config/demo/de.json"),
        include_str!("../../config/demo/es.json"),
        include_str!("../../config/demo/fi.json"),
        include_str!("../../config/demo/gr.json"),
        include_str!("../../config/demo/it.json"),
        include_str!("../../config/demo/lu.json"),
        include_str!("../../config/demo/se.json"),
    ] {
        let node: Value = serde_json::from_str(node).unwrap();
        found.extend(node["datasets"].as_array().unwrap().iter().map(|entry| entry["dataset"].clone()));
    }
    let datasets = found.into_iter().map(|said| serde_json::from_value::<Dataset>(said).unwrap());
    datasets.map(|dataset| (dataset.id.to_string().replace(['/', ':'], "_"), dataset)).collect()
}

#[test]
fn every_dataset_of_the_demonstration_comes_back_from_croissant() {
    for (name, dataset) in examples() {
        let record = samples::registered(dataset);
        let written = croissant::write(&record, &place()).to_string();
        let draft =
            croissant::read(&written, &common(&record.dataset)).unwrap_or_else(|refused| panic!("{name}: {refused}"));
        let lost = compare(&record, &draft.dataset, NOT_IN_CROISSANT);
        assert!(lost.is_empty(), "{name}: {lost:#?}");
    }
}

#[test]
fn the_address_of_bytes_is_written_only_where_everybody_may_have_them() {
    let written = |rights: &str| {
        let dataset = json!({
            "id": "https://fi.pleiad.example/dataset/a", "title": {"en": "a"}, "country": "FI", "access_rights": rights,
            "distributions": [{"download_url": "https://bytes.example/secret.csv", "sha256": "00".repeat(32), "bytes": 3}],
            "record_sets": [{"name": "t", "columns": [{"name": "c"}]}],
        });
        let record = samples::registered(serde_json::from_value(dataset).unwrap());
        [croissant::write(&record, &place()), schema_org::write(&record, &place())]
    };
    for open in ["public", "not_stated"] {
        for document in written(open) {
            assert_eq!(document["distribution"][0]["contentUrl"], "https://bytes.example/secret.csv");
            assert_eq!(document["distribution"][0].get("url"), None);
        }
    }
    for closed in ["restricted", "non_public"] {
        for document in written(closed) {
            assert!(!document.to_string().contains("secret"), "{document:#}");
            assert_eq!(document["distribution"][0]["url"], "https://fi.pleiad.example/datasets/a");
        }
        assert_eq!(written(closed)[0]["distribution"][0]["@type"], "cr:FileSet", "a file without an address is none");
    }
}

#[test]
fn a_comparison_finds_what_is_missing_and_what_changed() {
    let mut found = Vec::new();
    lost(&json!({"a": [1, {"b": 2}], "c": 3}), &json!({"a": [1, {"b": 5}]}), "", &[], &mut found);
    assert_eq!(found, ["a/1/b: 2 became 5", "c: 3 became null"]);
}
