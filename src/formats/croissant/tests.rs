//! Croissant, held against the standard's own examples and counter-examples, and against hostile documents.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::*;
use crate::domain::dataset::Dataset;

fn common() -> Common {
    Common { source: "test".to_owned(), country: Some("FI".parse().unwrap()) }
}

fn reference() -> Option<PathBuf> {
    let folder = std::env::var_os("PLEIAD_TEST_DATA").map(PathBuf::from).filter(|folder| folder.is_dir());
    if folder.is_none() {
        eprintln!("skipped: PLEIAD_TEST_DATA is not set");
    }
    folder.map(|folder| folder.join("standards/croissant"))
}

fn documents(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for version in ["0.8", "1.0", "1.1"] {
        for entry in fs::read_dir(folder.join(version)).unwrap() {
            let file = entry.unwrap().path().join("metadata.json");
            assert!(file.is_file(), "{file:?}");
            found.push(file);
        }
    }
    found.sort();
    found
}

/// What the validator's message names: the innermost object, the properties and what stands in quotes.
fn named(message: &str) -> Vec<String> {
    let errors = message.split("warning(s)").next().unwrap();
    let mut names = Vec::new();
    for line in errors.lines().filter(|line| line.trim_start().starts_with('-')) {
        let inner = line.split(']').next().unwrap().rsplit(" > ").next().unwrap();
        names.extend(
            inner.split_once('(').map(|(_, name)| name.trim_end_matches(')').to_owned()).filter(|_| line.contains('[')),
        );
        let property = line.split("Property \"").nth(1).and_then(|rest| rest.split('"').next());
        names.extend(property.map(|iri| iri.rsplit('/').next().unwrap().to_owned()));
        for (start, end) in [
            ("UUID \"", '"'),
            ("wrong `@id`: '", '\''),
            ("attribute `", '`'),
            ("valid http://mlcommons.org/schema/", ','),
            ("names ('", '\''),
        ] {
            names.extend(line.split(start).nth(1).and_then(|rest| rest.split(end).next()).map(str::to_owned));
        }
        if line.contains("\"@type\"") {
            names.push("@type".to_owned());
            names.extend(line.split('"').nth(1).map(str::to_owned));
        }
        if line.contains("`source` or `value`") {
            names.push("source".to_owned());
        }
        if line.contains("array_shape") {
            names.push("arrayShape".to_owned());
        }
        if line.contains("should have type") {
            names.extend(line.split('`').nth(1).map(str::to_owned));
        }
        if line.contains("doesn't extend") {
            names.push("https://schema.org/Dataset".to_owned());
        }
    }
    names.retain(|name| !name.trim().is_empty());
    names
}

#[test]
fn every_counter_example_is_refused_with_the_object_and_the_property_that_the_validator_names() {
    let Some(folder) = reference() else { return };
    let files = documents(&folder.join("negative-tests"));
    assert_eq!(files.len(), 30);
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let expected = named(&fs::read_to_string(file.with_file_name("output.txt")).unwrap());
        let Err(refused) = read(&text, &common()) else { panic!("{} is taken", file.display()) };
        let said = refused.to_string();
        assert!(!expected.is_empty(), "{}", file.display());
        for name in expected {
            // An element without a name or identifier is named by its place.
            assert!(
                said.contains(&name) || name == "a-record-set" && said.contains("first-field"),
                "{}: {name:?} is not in {said}",
                file.display()
            );
        }
        assert!(
            serde_json::from_str::<Value>(&text).unwrap().pointer(refused.place.rsplit_once('/').unwrap().0).is_some(),
            "{refused}"
        );
    }
}

#[test]
fn every_example_is_read_and_what_is_read_is_valid() {
    let Some(folder) = reference() else { return };
    let files = documents(&folder.join("datasets"));
    assert_eq!(files.len(), 60);
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let draft = read(&text, &common()).unwrap_or_else(|refused| panic!("{}: {refused}", file.display()));
        let version = file.iter().rev().nth(2).unwrap().to_str().unwrap();
        let format = draft.source.format.unwrap();
        assert!(
            format.starts_with("croissant-") && (version == "1.1" || format.ends_with(version)),
            "{format} {file:?}"
        );
        assert!(is_one(&serde_json::from_str(&text).unwrap()));
        let mut dataset = draft.dataset;
        dataset["id"] = json!("https://fi.pleiad.example/dataset/x");
        let dataset: Dataset = serde_json::from_value(dataset).unwrap_or_else(|error| panic!("{file:?}: {error}"));
        assert!(!dataset.record_sets.is_empty() && !dataset.distributions.is_empty(), "{file:?}");
    }
}
