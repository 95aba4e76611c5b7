//! What the writer promises. That the shapes of the standards hold is shown with other people's tools: the ignored test
//! below writes every example to a folder for them.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use super::*;
use crate::domain::dataset::Dataset;
use crate::formats::export::Form;

pub(crate) fn place() -> export::Place {
    let title = serde_json::from_value(serde_json::json!({"en": "Example node", "fi": "Esimerkkisolmu"})).unwrap();
    let base = "https://data.fi.pleiad.example/".parse().unwrap();
    export::Place::new(base, title, "fi.pleiad.example".parse().unwrap(), vec!["FI".parse().unwrap()])
}

pub(crate) fn registered(dataset: Dataset) -> Registered {
    Registered {
        dataset,
        owner: "spiffe://fi.pleiad.example/participant/archive".parse().unwrap(),
        revision: serde_json::from_str("1").unwrap(),
        registered: "2026-01-02T03:04:05Z".parse().unwrap(),
        revised: "2026-02-03T04:05:06Z".parse().unwrap(),
        seq: Default::default(),
        state: Default::default(),
        reason: None,
        withdrawn: None,
    }
}

fn example() -> Registered {
    let text = include_str!("../../../../config/examples/dataset.json");
    registered(serde_json::from_str(text).unwrap())
}

fn turtle(record: &Registered, profile: Profile) -> String {
    let mut out = Vec::new();
    serialise(&write(record, &place(), profile), Form::Turtle, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn the_same_record_is_the_same_document_and_every_subject_stands_once() {
    let triples = write(&example(), &place(), Profile::General);
    assert_eq!(triples, write(&example(), &place(), Profile::General));
    let mut places: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, triple) in triples.iter().enumerate() {
        places.entry(triple.subject.to_string()).or_default().push(at);
    }
    assert!(
        places.values().all(|at| at.last().unwrap() - at[0] + 1 == at.len()),
        "statements about one subject together"
    );
}

#[test]
fn the_address_of_bytes_is_never_written_for_restricted_data() {
    let mut record = example();
    assert!(!turtle(&record, Profile::General).contains("sample.csv"));
    record.dataset.access_rights = AccessRights::Public;
    assert!(turtle(&record, Profile::General).contains("sample.csv"));
}

#[test]
fn who_may_discover_a_record_is_not_written() {
    let text = turtle(&example(), Profile::General);
    assert!(!text.contains("example-factory") && !text.contains("federation"), "{text}");
}

#[test]
fn how_an_impact_assessment_came_out_is_not_asserted() {
    let mut record = example();
    for (status, term) in [
        ("not_required", Some("DPIANotRequired")),
        ("required", Some("DPIARequired")),
        ("completed", None),
        ("consulted", None),
    ] {
        record.dataset.gdpr.dpia = serde_json::from_value(serde_json::json!({"status": status})).unwrap();
        let text = turtle(&record, Profile::General);
        assert!(text.contains(&format!("dpiaStatus \"{status}\"")), "{text}");
        assert_eq!(text.contains("hasStatus"), term.is_some(), "{text}");
        assert!(term.is_none_or(|term| text.contains(term)) && !text.contains("DPIAOutcome"), "{text}");
    }
}

#[test]
fn no_form_but_those_of_rdf_is_written() {
    let error = serialise(&[], Form::BibTex, &mut Vec::new()).unwrap_err();
    assert_eq!(error.to_string(), "BibTeX is no syntax of RDF");
}

/// Every example in every form of RDF, as files.
#[test]
#[ignore = "writes to the folder that PLEIAD_EXPORTS names, for pySHACL and its like"]
fn exports_for_other_peoples_tools() {
    let folder = std::path::PathBuf::from(std::env::var("PLEIAD_EXPORTS").expect("PLEIAD_EXPORTS names a folder"));
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = if root.join("config").exists() { root.to_owned() } else { std::env::current_dir().unwrap() };
    let mut records = vec![example()];
    for file in fs::read_dir(root.join("config/demo")).unwrap() {
        let demo: Value = serde_json::from_str(&fs::read_to_string(file.unwrap().path()).unwrap()).unwrap();
        for entry in demo["datasets"].as_array().unwrap() {
            let dataset = entry.get("dataset").unwrap_or(entry).clone();
            records.push(registered(serde_json::from_value(dataset).unwrap()));
        }
    }
    for record in &records {
        for form in Form::RDF {
            for (profile, end) in [(Profile::General, ""), (Profile::Health, "-health")] {
                let name = format!("{}{end}.{}", record.dataset.id.local(), form.suffix());
                let mut out = fs::File::create(folder.join(name)).unwrap();
                serialise(&write(record, &place(), profile), form, &mut out).unwrap();
            }
        }
    }
}
