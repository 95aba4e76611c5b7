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

fn document(fields: Value) -> String {
    let mut document = json!({
        "@context": serde_json::from_str::<Value>(include_str!("context-1.1.json")).unwrap(),
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "@id": "https://data.example/a",
        "name": "a",
    });
    for (name, value) in fields.as_object().unwrap() {
        document[name] = value.clone();
    }
    document.to_string()
}

fn dataset(fields: Value) -> Value {
    read(&document(fields), &common()).unwrap_or_else(|refused| panic!("{refused}")).dataset
}

fn refusal(fields: Value) -> Refused {
    read(&document(fields), &common()).unwrap_err()
}

#[test]
fn the_worked_example_of_the_model_keeps_its_law_and_its_training() {
    let Some(folder) = reference() else { return };
    let file = folder.join("../../examples/full-model.croissant.jsonld");
    let draft = read(&fs::read_to_string(file).unwrap(), &common()).unwrap();
    let dataset = draft.dataset;
    assert_eq!(dataset["title"]["en"], "chest-ct-fi-2015-2023");
    assert_eq!(dataset["gdpr"]["legal_basis"], json!(["https://w3id.org/dpv/legal/eu/gdpr#A6-1-e"]));
    assert_eq!(dataset["gdpr"]["special_condition"], json!(["https://w3id.org/dpv/legal/eu/gdpr#A9-2-j"]));
    assert_eq!(dataset["gdpr"]["special_categories"], json!(["https://w3id.org/dpv/pd#HealthRecord"]));
    assert_eq!(dataset["tdm_reservation"], "reserved");
    assert_eq!(dataset["training"]["collected"], json!({"end": "2023-12-31"}));
    assert_eq!(dataset["training"]["known_biases"]["en"], "Under-representation of age < 18.");
    assert_eq!(dataset["training"]["splits"], json!([{"name": "train"}, {"name": "test"}]));
    assert_eq!(dataset["distributions"][1]["bytes"], 1_073_741_824);
    assert_eq!(dataset.get("policy"), None, "an offer without a rule permits nothing and says nothing");
}

#[test]
fn columns_keep_their_types_their_meaning_and_their_place_within_another() {
    let dataset = dataset(json!({
        "distribution": [{"@type": "cr:FileObject", "@id": "t.csv", "contentUrl": "https://data.example/t.csv",
            "encodingFormat": "text/csv", "sha256": "ef2d127de37b942baad06145e54b0c619a1f22327b2ebbcfbec78f5564afe39d"}],
        "recordSet": [{"@type": "cr:RecordSet", "@id": "t", "name": "t", "key": {"@id": "t/id"}, "field": [
            {"@type": "cr:Field", "@id": "t/id", "name": "number", "dataType": ["sc:Integer", "https://schema.org/identifier"],
             "source": {"fileObject": {"@id": "t.csv"}, "extract": {"column": "id"}}},
            {"@type": "cr:Field", "@id": "t/place", "name": "place", "dataType": "sc:GeoCoordinates", "isArray": true, "subField": [
                {"@type": "cr:Field", "@id": "t/place/lat", "name": "lat", "dataType": "sc:Float",
                 "source": {"fileObject": {"@id": "t.csv"}, "extract": {"column": "lat"}}}]}]}],
    }));
    let set = &dataset["record_sets"][0];
    assert_eq!(set["key"], json!(["number"]));
    assert_eq!(
        set["columns"][0],
        json!({"name": "number", "data_type": "sc:Integer", "semantic_types": ["https://schema.org/identifier"]})
    );
    assert_eq!(
        set["columns"][1],
        json!({"name": "place", "semantic_types": ["https://schema.org/GeoCoordinates"], "repeated": true})
    );
    assert_eq!(set["columns"][2], json!({"name": "place/lat", "data_type": "sc:Float"}));
    assert_eq!(dataset["distributions"][0]["download_url"], "https://data.example/t.csv");
    assert_eq!(dataset["distributions"][0]["format"], "CSV");
}

#[test]
fn a_policy_is_kept_whole_or_not_at_all() {
    let offer = |more: Value| {
        let mut rule = json!({"odrl:action": {"@id": "odrl:use"}, "odrl:constraint": {
            "odrl:leftOperand": {"@id": "odrl:purpose"}, "odrl:operator": {"@id": "odrl:eq"}, "odrl:rightOperand": {"@id": "dpv:AcademicResearch"}}});
        for (name, value) in more.as_object().unwrap() {
            rule[name] = value.clone();
        }
        dataset(json!({"usageInfo": {"@type": ["CreativeWork", "odrl:Offer"], "odrl:permission": rule}}))
    };
    let constraints =
        json!([{"left": "purpose", "operator": "eq", "right": ["https://w3id.org/dpv#AcademicResearch"]}]);
    assert_eq!(offer(json!({}))["policy"], json!({"permissions": [{"action": "use", "constraints": constraints}]}));
    for more in [
        json!({"odrl:assignee": {"@id": "https://a.example"}}),
        json!({"odrl:constraint": {"odrl:and": [{"odrl:leftOperand": "odrl:purpose"}]}}),
        json!({"odrl:constraint": "only on Sundays"}),
        json!({"odrl:duty": {"odrl:action": {"@id": "odrl:compensate"}, "odrl:constraint": {"odrl:leftOperand": {"@id": "odrl:payAmount"}}}}),
    ] {
        assert_eq!(offer(more.clone()).get("policy"), None, "{more}");
    }
}

#[test]
fn a_policy_about_something_else_is_not_kept() {
    let offer = |of_offer: Value, target: Value| {
        let rule = json!({"odrl:action": {"@id": "odrl:use"}, "odrl:target": target});
        let usage = json!({"@type": "odrl:Offer", "odrl:permission": rule, "odrl:target": of_offer});
        let draft = read(&document(json!({"usageInfo": usage})), &common()).unwrap();
        let is_noted = draft.notes.iter().any(|note| note.contains("about something else"));
        (draft.dataset.get("policy").is_some(), is_noted)
    };
    let (own, other) = (json!({"@id": "https://data.example/a"}), json!({"@id": "https://data.example/b"}));
    assert_eq!(offer(json!([]), json!([])), (true, false));
    assert_eq!(offer(own.clone(), own.clone()), (true, false));
    for (of_offer, of_rule) in [
        (json!([]), other.clone()),
        (other.clone(), json!([])),
        (own.clone(), json!([own, other])),
        (json!([]), json!({"name": "x"})),
    ] {
        assert_eq!(offer(of_offer, of_rule), (false, true));
    }
}

#[test]
fn what_is_personal_anywhere_is_personal() {
    let said = |classes: &[&str]| {
        let classes: Vec<Value> = classes.iter().map(|class| json!({"@id": class})).collect();
        let draft = read(&document(json!({"dpv:hasData": classes})), &common()).unwrap();
        let answer = draft.dataset.pointer("/gdpr/personal_data").cloned().unwrap_or_default();
        (answer, draft.notes.iter().any(|note| note.starts_with("personal data")))
    };
    for (classes, answer, is_noted) in [
        (&["dpv:NonPersonalData"][..], json!("no"), false),
        (&["dpv:NonPersonalData", "dpv:PersonalData"], json!("yes"), false),
        (&["dpv:AnonymisedData", "dpv:PseudonymisedData"], json!("pseudonymised"), false),
        (&["dpv:NonPersonalData", "dpv:SensitivePersonalData"], json!("yes"), false),
        (&["dpv:NonPersonalData", "dpv:AnonymisedData"], Value::Null, true),
        (&["dpv:SyntheticData"], Value::Null, true),
    ] {
        assert_eq!(said(classes), (answer, is_noted), "{classes:?}");
    }
}

#[test]
fn the_bytes_of_shards_have_no_address() {
    let example: Value = serde_json::from_str(include_str!("../../../config/examples/dataset.json")).unwrap();
    let record = crate::formats::samples::registered(serde_json::from_value(example).unwrap());
    let title = serde_json::from_value(json!({"en": "Node"})).unwrap();
    let place = crate::formats::export::Place::new(
        "https://fi.pleiad.example".parse().unwrap(),
        title,
        "fi.pleiad.example".parse().unwrap(),
        Vec::new(),
    );
    let written = write(&record, &place);
    let files = written["distribution"].as_array().unwrap();
    let shards: Vec<&Value> = files.iter().filter(|file| file.get("containedIn").is_some()).collect();
    assert_eq!(shards.len(), 2);
    for shard in shards {
        assert!(!shard["contentUrl"].as_str().unwrap().contains(':'), "{shard}");
        assert_eq!(shard["sha256"].as_str().unwrap().len(), 64);
    }
    assert_eq!(files[0]["url"], "https://archive.example/call-centre-speech");
    assert_eq!(files[0].get("contentUrl"), None);
}

#[test]
fn what_is_not_json_or_not_a_dataset_is_refused_with_what_to_do() {
    for (text, reason) in [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("\u{feff}[]", "https://schema.org/Dataset"),
        ("7", "an object or a list"),
        ("[1]", "an object or a list"),
        ("null", "an object or a list"),
        ("[]", "https://schema.org/Dataset"),
        ("{}", "https://schema.org/Dataset"),
        (r#"{"@type": "Dataset"}"#, "has no name"),
        (r#"{"@context": "https://other.example/context", "@type": "Dataset"}"#, "never fetched"),
    ] {
        let refused = read(text, &common()).unwrap_err();
        assert!(refused.reason.contains(reason), "{text}: {refused}");
    }
}

#[test]
fn deep_nesting_is_refused_and_wide_documents_are_read_within_bounds() {
    let deep = format!("{}1{}", r#"{"a":"#.repeat(100_000), "}".repeat(100_000));
    assert!(read(&deep, &common()).unwrap_err().reason.contains("not JSON"));
    let mut fields = json!({"@type": "cr:Field", "@id": "deepest", "dataType": "sc:Text"});
    for level in 0..40 {
        fields = json!({"@type": "cr:Field", "@id": format!("f{level}"), "name": "n", "subField": fields});
    }
    dataset(json!({"recordSet": {"@type": "cr:RecordSet", "@id": "r", "name": "r", "field": fields}}));

    let field = |number: usize| {
        json!({"@type": "cr:Field", "@id": format!("r/{number}"), "name": format!("c{number}"), "dataType": "sc:Text",
        "source": {"fileSet": {"@id": "files"}, "extract": {"column": "c"}}})
    };
    let wide = document(json!({
        "distribution": [{"@type": "cr:FileSet", "@id": "files", "encodingFormat": "text/csv", "includes": "*.csv"}],
        "recordSet": {"@type": "cr:RecordSet", "@id": "r", "name": "r", "field": (0..100_000).map(field).collect::<Vec<_>>()},
    }));
    let draft = read(&wide, &common()).unwrap();
    assert_eq!(draft.dataset["record_sets"][0]["columns"].as_array().unwrap().len(), 1_000);
    assert!(draft.notes.iter().any(|note| note.contains("1000 of 100000")), "{:?}", draft.notes);
}

#[test]
fn every_field_from_a_file_of_its_own_is_refused_at_the_first_pair_that_is_not_joined() {
    let file = |number: usize| json!({"@type": "cr:FileSet", "@id": format!("f{number}"), "encodingFormat": "text/csv", "includes": "*"});
    let field = |number: usize| {
        json!({"@type": "cr:Field", "@id": format!("r/{number}"), "name": "c", "dataType": "sc:Text",
        "source": {"fileSet": {"@id": format!("f{number}")}}})
    };
    let refused = refusal(json!({
        "distribution": (0..20_000).map(file).collect::<Vec<_>>(),
        "recordSet": {"@type": "cr:RecordSet", "@id": "r", "name": "r", "field": (0..20_000).map(field).collect::<Vec<_>>()},
    }));
    assert!(refused.reason.contains("joined"), "{refused}");
}

#[test]
fn a_value_of_the_wrong_kind_is_named_with_its_property() {
    let field = |source: Value| {
        json!({"recordSet": [{"@type": "cr:RecordSet", "@id": "r", "name": "r", "field": [
        {"@type": "cr:Field", "@id": "r/a", "name": "a", "dataType": "sc:Text", "source": source}]}],
        "distribution": [{"@type": "cr:FileSet", "@id": "f", "encodingFormat": "text/csv", "includes": "*"}]})
    };
    let file = |more: Value| {
        let mut file = json!({"@type": "cr:FileSet", "@id": "f", "encodingFormat": "text/csv", "includes": "*"});
        for (name, value) in more.as_object().unwrap() {
            file[name] = value.clone();
        }
        json!({"distribution": [file]})
    };
    for (fields, place, word) in [
        (file(json!({"encodingFormat": 42})), "/distribution/0/encodingFormat", "a number"),
        (file(json!({"@id": 42})), "/distribution/0/@id", "@id"),
        (file(json!({"containedIn": {"@id": {}}})), "/distribution/0/containedIn", "by its @id"),
        (
            file(json!({"containedIn": {"fileObject": {"@id": "f"}, "transform": {}}})),
            "/distribution/0/containedIn/transform",
            "state one",
        ),
        (json!({"recordSet": "r"}), "/recordSet", "a text"),
        (field(json!("f")), "/recordSet/0/field/0/source", "write an object"),
        (field(json!({"fileSet": {"@id": "f"}, "extract": {}})), "/recordSet/0/field/0/source/extract", "states 0"),
        (
            field(json!({"fileSet": {"@id": "f"}, "extract": {"column": "a", "jsonPath": "$"}})),
            "/recordSet/0/field/0/source/extract",
            "states 2",
        ),
        (
            field(json!({"fileSet": {"@id": "f"}, "extract": {"fileProperty": "size"}})),
            "/recordSet/0/field/0/source/extract/fileProperty",
            "lineNumbers",
        ),
        (
            field(json!({"fileSet": {"@id": "f"}, "transform": {"regex": "a", "separator": "b"}})),
            "/recordSet/0/field/0/source/transform",
            "states 2",
        ),
    ] {
        let refused = refusal(fields);
        assert!(refused.place == place && refused.reason.contains(word), "{place} {word}: {refused}");
    }
}

#[test]
fn circles_are_found_wherever_they_are() {
    let file = |id: &str, within: &str| json!({"@type": "cr:FileObject", "@id": id, "contentUrl": "x", "encodingFormat": "text/csv", "containedIn": {"@id": within}});
    let refused = refusal(json!({"distribution": [file("a", "b"), file("b", "c"), file("c", "a")]}));
    assert!(refused.reason.contains("circle of containedIn"), "{refused}");
    assert!(refusal(json!({"distribution": [file("a", "a")]})).reason.contains("circle"));
    let chain: Vec<Value> =
        (0..50_000).map(|number| file(&format!("f{number}"), &format!("f{}", number + 1))).collect();
    let refused = refusal(json!({"distribution": chain}));
    assert!(refused.reason.contains("f50000"), "{refused}");
    let field =
        |id: &str, from: &str| json!({"@type": "cr:Field", "@id": id, "name": id, "source": {"field": {"@id": from}}});
    let refused = refusal(
        json!({"recordSet": {"@type": "cr:RecordSet", "@id": "r", "name": "r", "field": [field("x", "y"), field("y", "x")]}}),
    );
    assert!(refused.reason.contains("no valid dataType"), "{refused}");
}

#[test]
fn hostile_texts_become_plain_ones() {
    let dataset = dataset(json!({
        "name": "\u{202e}gpj.exe\u{7}",
        "description": "x".repeat(3 << 20),
        "keywords": ["\u{1b}[31mred", "<script>alert(1)</script>word"],
        "url": "javascript:alert(1)",
        "creator": {"@type": "Person", "name": "A\nB", "email": "a@b.example"},
        "rai:dataBiases": ["<b>bold</b>", {"@value": "\u{0}nul", "@language": "no such tag"}],
        "version": 2,
    }));
    assert_eq!(dataset["title"]["en"], "gpj.exe");
    assert_eq!(dataset["description"]["en"].as_str().unwrap().chars().count(), 100_000);
    assert_eq!(dataset["creators"][0]["name"]["en"], "A B");
    assert_eq!(dataset["training"]["known_biases"], json!({"en": "bold", "und": "nul"}));
    assert_eq!(dataset["version"], "2");
    let text = dataset.to_string();
    assert!(!text.contains("<script") && !text.contains("\\u001b") && !text.contains("a@b.example"), "{:.2000}", text);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(256))]

    #[test]
    fn no_value_in_any_place_makes_a_reader_panic(place in 0usize..40, value in 0usize..9) {
        let mut document: Value = serde_json::from_str(&document(json!({
            "distribution": [{"@type": "cr:FileSet", "@id": "f", "encodingFormat": "text/csv", "includes": "*"}],
            "recordSet": [{"@type": "cr:RecordSet", "@id": "r", "name": "r", "key": {"@id": "r/a"}, "dataType": "cr:Split", "field": [
                {"@type": "cr:Field", "@id": "r/a", "name": "a", "dataType": "sc:Text"}], "data": [{"r/a": "train"}]}],
            "creator": {"@type": "Person", "name": "x"}, "license": {"name": "x"}, "spatialCoverage": {"geo": {"box": "1 2 3 4"}},
            "usageInfo": {"@type": "odrl:Offer", "odrl:permission": {"odrl:action": "use"}}, "dpv:hasDataTransfer": {"dpv:hasLocation": "x"},
            "temporalCoverage": "2020/..", "tdm:reservation": 1, "inLanguage": "fi", "version": "1", "sameAs": "x", "citeAs": "x"
        }))).unwrap();
        let values = [json!(null), json!(true), json!(-1.5e300), json!("é"), json!([]), json!([[["x"]]]), json!({}), json!({"@id": "r"}), json!({"@value": {"@list": 1}})];
        let mut pointers = Vec::new();
        pointers_of(&document, String::new(), &mut pointers);
        pointers.retain(|pointer| !pointer.starts_with("/@context/") && !pointer.is_empty());
        let pointer = &pointers[place * pointers.len() / 40];
        *document.pointer_mut(pointer).unwrap() = values[value].clone();
        let _ = read(&document.to_string(), &common());
        let _ = crate::formats::schema_org::read(&document.to_string(), &common());
    }
}

fn pointers_of(value: &Value, at: String, found: &mut Vec<String>) {
    let below: Vec<(String, &Value)> = match value {
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.replace('~', "~0").replace('/', "~1"), value)).collect()
        }
        Value::Array(members) => {
            members.iter().enumerate().map(|(number, value)| (number.to_string(), value)).collect()
        }
        _ => Vec::new(),
    };
    found.push(at.clone());
    for (name, value) in below {
        pointers_of(value, format!("{at}/{name}"), found);
    }
}
