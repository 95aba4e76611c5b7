//! Out and back: a record in each syntax of RDF is read as the record that it was.
//!
//! What does not come back is named here and in `docs/formats.md`: the id and the source, which a catalogue gives anew;
//! who may discover it, which is not written; the list of shards, which is another node's to serve; the address of bytes
//! where the data is not for everybody. The order of lists whose order means nothing is not kept.

use std::fs;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::write::tests::{place, registered};
use super::*;
use crate::domain::dataset::Dataset;
use crate::formats::export::Form;

/// Lists whose order means something.
const ORDERED: [&str; 10] = [
    "record_sets",
    "columns",
    "key",
    "splits",
    "distributions",
    "permissions",
    "prohibitions",
    "constraints",
    "duties",
    "spatial",
];

/// The value with every list whose order means nothing in one order, each member once.
fn alike(name: &str, value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(name, value)| (name.clone(), alike(&name, value))).collect())
        }
        Value::Array(list) => {
            let mut list: Vec<Value> = list.into_iter().map(|value| alike(name, value)).collect();
            if !ORDERED.contains(&name) {
                list.sort_by_key(Value::to_string);
                list.dedup();
            }
            Value::Array(list)
        }
        other => other,
    }
}

/// What is to come back.
fn expected(dataset: &Dataset) -> Value {
    let mut value = serde_json::to_value(dataset).unwrap();
    let is_restricted = matches!(value["access_rights"].as_str(), Some("restricted" | "non_public"));
    for distribution in value.get_mut("distributions").and_then(Value::as_array_mut).into_iter().flatten() {
        let fields = distribution.as_object_mut().unwrap();
        let manifest = fields.shift_remove("manifest");
        if manifest.is_some() || is_restricted {
            fields.shift_remove("download_url");
        }
        if let (Some(_), false) = (manifest, fields.contains_key("bytes")) {
            fields.insert("bytes".into(), json!(7)); // the sum of the shards
        }
    }
    let fields = value.as_object_mut().unwrap();
    for name in ["id", "source", "visibility", "listed"] {
        fields.shift_remove(name);
    }
    for (name, unsaid) in [
        ("access_rights", json!("not_stated")),
        ("tdm_reservation", json!("not_stated")),
        ("gdpr", json!({"personal_data": "not_stated"})),
        ("training", json!({})),
    ] {
        if fields.get(name) == Some(&unsaid) {
            fields.shift_remove(name);
        }
    }
    alike("", value)
}

fn read_back(text: &[u8], suffix: &str) -> Draft {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(format!("x.{suffix}"));
    fs::write(&file, text).unwrap();
    let options = Options { source: Some("test".into()), ..Options::default() };
    let records = open(&Input::Path(file), &options, &Progress::default()).unwrap();
    assert_eq!(records.unreadable().0, []);
    let mut drafts: Vec<_> = records.map(|record| record.unwrap().unwrap()).collect();
    assert_eq!(drafts.len(), 1, "one record, and no stub that looks like one");
    drafts.remove(0)
}

fn there_and_back(dataset: Dataset, profile: Profile) -> Result<(), TestCaseError> {
    let wanted = expected(&dataset);
    let triples = write(&registered(dataset), &place(), profile);
    let mut words = None;
    for form in Form::RDF {
        let mut out = Vec::new();
        serialise(&triples, form, &mut out).unwrap();
        let mut draft = read_back(&out, form.suffix());
        draft.dataset.as_object_mut().unwrap().shift_remove("source");
        prop_assert_eq!(draft.notes, Vec::<String>::new());
        prop_assert_eq!(alike("", draft.dataset), wanted.clone(), "{:?}", form);
        let first = words.get_or_insert_with(|| draft.text.clone());
        prop_assert_eq!(&draft.text, first, "the same words in each syntax");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_record_comes_back_from_every_syntax_as_it_left(dataset in samples::dataset(), is_health: bool) {
        there_and_back(dataset, if is_health { Profile::Health } else { Profile::General })?;
    }
}

#[test]
fn the_example_with_every_field_comes_back() {
    let example = include_str!("../../../config/examples/dataset.json");
    let mut example: Value = serde_json::from_str(example).unwrap();
    // The shards of the example sum up to what it says of their size, so nothing is filled in.
    assert_eq!(example["distributions"][0]["bytes"], json!(10_000_000));
    example["access_rights"] = json!("public");
    there_and_back(serde_json::from_value(example).unwrap(), Profile::Health).unwrap();
}

/// The records of a real portal: read, written, read again. One in fifty of the Belgian ones, all of the others.
#[test]
#[ignore = "reads the corpora that PLEIAD_TEST_DATA names, and takes minutes without optimisation"]
fn records_of_portals_come_back_as_they_were_read() {
    let data = std::path::PathBuf::from(std::env::var("PLEIAD_TEST_DATA").expect("PLEIAD_TEST_DATA names the corpora"));
    let mut count = 0;
    let exports = std::env::var("PLEIAD_EXPORTS").ok().map(std::path::PathBuf::from);
    for (place, step) in [
        ("corpora/be-datagov/data.gov.be-2025.nt.zst", 50),
        ("standards/healthdcat-ap/healthdcat-ap.de", 1),
        ("standards/healthdcat-ap/ma3u/health-catalog.ttl", 1),
        ("standards/mldcat-ap/3.1.0/html/examples/example-dataset.ttl", 1),
        ("examples/full-model.ttl", 1),
    ] {
        let options = Options { source: Some("test".into()), ..Options::default() };
        let records = open(&Input::Path(data.join(place)), &options, &Progress::default()).unwrap();
        let (before, mut refused) = (count, 0);
        println!("{place}: {} records, {:?}", records.len(), records.unreadable());
        for record in records.step_by(step) {
            let draft = match record.unwrap() {
                Ok(draft) => draft,
                Err(why) => {
                    refused += 1;
                    println!("  {why}");
                    continue;
                }
            };
            assert!(!draft.text.is_empty());
            let mut whole = draft.dataset.clone();
            count += 1;
            whole["id"] = json!(format!("https://be.example/dataset/r-{count}"));
            whole["country"] = json!("BE");
            let dataset: Dataset = serde_json::from_value(whole).unwrap();
            if let Some(folder) = &exports {
                let name = format!("{}-{count}.ttl", place.replace(['/', '.'], "-"));
                let mut out = fs::File::create(folder.join(name)).unwrap();
                serialise(
                    &write(&registered(dataset.clone()), &super::write::tests::place(), Profile::General),
                    Form::Turtle,
                    &mut out,
                )
                .unwrap();
            }
            let iri = draft.source.iri.clone();
            there_and_back(dataset, Profile::Health).unwrap_or_else(|error| panic!("{iri}: {error}"));
        }
        println!("  {} came back, {refused} were refused", count - before);
    }
}
