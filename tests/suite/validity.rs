//! Validity has one truth: one generated corpus goes through the JSON Schema and through the types, and they agree.
//!
//! The corpus is a full document of which every place is in turn left out, replaced by each of a list of values that
//! are wrong in one way (and some that are right), lengthened, emptied and given a stranger.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use pleiad::domain::dataset::{Dataset, Registered};
use pleiad::domain::ids::{Revision, Seq};
use pleiad::domain::offerable::missing;
use pleiad::schema;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

const EXAMPLE: &str = include_str!("../../config/examples/dataset.json");

fn example() -> Value {
    serde_json::from_str(EXAMPLE).unwrap()
}

/// Every place in a document, as a JSON pointer.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                places(value, &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                places(value, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

/// What to put in each place: every type, the edges of every bound, near misses of every form.
fn replacements() -> Vec<Value> {
    let mut values = vec![
        json!(null),
        json!(true),
        json!(0),
        json!(1),
        json!(-1),
        json!(-0.0),
        json!(3.0),
        json!(1.5),
        json!(1e15),
        json!(1e18),
        json!(4_294_967_295u64),
        json!(4_294_967_296u64),
        json!(9_007_199_254_740_991u64),
        json!(9_007_199_254_740_992u64),
        json!(u64::MAX),
        json!([]),
        json!([null]),
        json!([[]]),
        json!({}),
        json!({"en": "Text"}),
        json!({"en": ""}),
        json!({"en": 1}),
        json!({"en": null}),
        json!({"en": ["word"]}),
        json!({"en": "Text", "EN": "Text"}),
        json!({"": "Text"}),
        json!({"yes": null}),
        json!({"name": "x"}),
        json!([1, 2, 3, 4]),
        json!([1.0, 2.0, 3.5, 4.5]),
        json!([-181, 0, 0, 0]),
        json!([0, 0, 0, 90.1]),
        json!([0, 0, 0, "0"]),
        json!([0, 0, 0, 0, 0]),
        json!([0, 0, 0]),
        nested(40),
    ];
    let words = [
        "",
        " ",
        "\t",
        "x",
        "\u{a0}",
        "\u{feff}",
        "a\nb",
        "a\u{0}b",
        "a\u{85}b",
        "a\u{9b}b",
        "a\u{7f}",
        "\u{202e}abc",
        "é",
        "yes",
        "no",
        "not_stated",
        "public",
        "private",
        "federation",
        "Public",
        "text",
        "synthetic",
        "completed",
        "reserved",
        "pseudonymised",
        // countries
        "FI",
        "fi",
        "XX",
        "EU",
        "FIN",
        "UK",
        // language tags
        "und",
        "nl-t-fr",
        "sr-Latn",
        "sr-latn-RS",
        "de-1996",
        "de-CH-1901",
        "zh-cmn-Hans-CN",
        "x-own",
        "i-klingon",
        "en-GB-oed",
        "art-lojban",
        "sgn-BE-FR",
        "en-",
        "-en",
        "e",
        "en--US",
        "en-a",
        "en-x",
        "en-a-bb-a-cc",
        "abcdefghi",
        "en-u-co-phonebk",
        "a1",
        "en_US",
        "zh-min-nan-abc-def",
        // IRIs
        "https://example.org/x",
        "urn:uuid:1",
        "javascript:alert(1)",
        "mailto:a@b.example",
        "https:",
        ":x",
        "1http://x",
        "ht tp://x",
        "https://example.org/a b",
        "https://example.org/é",
        "https://example.org/<x>",
        "https://example.org/\"",
        "https://example.org/\u{a0}",
        "https://example.org/\u{2028}",
        "a:b",
        "https://example.org/{x}",
        "https://example.org/a\\b",
        "//example.org",
        "x:\u{85}",
        // names
        "https://fi.pleiad.example/dataset/x",
        "https://fi.pleiad.example/dataset/-x",
        "https://fi.pleiad.example/dataset/X",
        "https://fi/dataset/x",
        "http://fi.pleiad.example/dataset/x",
        "https://fi.pleiad.example/dataset/",
        "https://fi.pleiad.example/dataset/a/b",
        "https://fi..example/dataset/x",
        "https://-fi.example/dataset/x",
        "https://fi.pleiad.example:443/dataset/x",
        "spiffe://fi.pleiad.example/node/fi",
        "spiffe://fi.pleiad.example/participant/csc",
        "spiffe://fi.pleiad.example/person/x",
        "spiffe://FI.example/node/x",
        "spiffe://fi.pleiad.example/node/x/y",
        "spiffe://fi/node/x",
        "spiffe://fi.pleiad.example/node/-x",
        // e-mail
        "a@b.example",
        "a@b",
        "a b@c.example",
        "@c.example",
        "a@@c.example",
        "a@c.example.",
        "a@.example",
        "A.B+c@D-e.Example",
        "mailto:a@b.example",
        "é@b.example",
        "a@-b.example",
        // dates and durations
        "2024-02-29",
        "2023-02-29",
        "2024-13-01",
        "2024-00-10",
        "2024-1-1",
        "20240229",
        "2024-02-29T00:00:00Z",
        "0000-01-01",
        "9999-12-31",
        "+2024-01-01",
        "-2024-01-01",
        "2024-02-30",
        "２０24-02-29",
        "P10Y",
        "P1Y6M",
        "P",
        "P0D",
        "P1",
        "PT1H",
        "P1D1Y",
        "P2W",
        "P99999Y",
        "P1.5Y",
        "p1y",
        "P00Y01M",
        "P9999Y9999M9999W9999D",
        " P1Y",
        // digests and shard names
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08",
        "9f86d081",
        "..",
        ".x",
        "a/b",
        "a.b_c-d",
    ];
    values.extend(words.map(|word| json!(word)));
    for length in [200, 201, 1_000, 1_001, 10_000, 10_001] {
        values.push(json!("ä".repeat(length)));
    }
    values.push(json!(format!("https://example.org/{}", "ä".repeat(2_028))));
    values.push(json!(format!("https://example.org/{}", "ä".repeat(2_029))));
    values.push(json!(format!("{}@{}.example", "a".repeat(64), "b".repeat(63))));
    values.push(json!(format!("{}@b.example", "a".repeat(65))));
    values.push(json!(format!("a@{}.example", "b".repeat(64))));
    values.push(json!(format!("en-{}", "abcdefgh-".repeat(7).trim_end_matches('-'))));
    values.push(json!(format!("a@{}example", "bbbbbbbbb.".repeat(25))));
    values.push(json!(format!("https://{}example/dataset/x", "bbbbbbbbb.".repeat(25))));
    values.push(json!(format!("https://{}example/dataset/x", "bbbbbbbbb.".repeat(24))));
    values.push(json!(format!("https://fi.pleiad.example/dataset/{}", "x".repeat(100))));
    values.push(json!(format!("https://fi.pleiad.example/dataset/{}", "x".repeat(101))));
    values.push(json!(format!("spiffe://{}example/node/x", "bbbbbbbbb.".repeat(25))));
    values.push(json!(format!("spiffe://fi.pleiad.example/node/{}", "x".repeat(64))));
    values
}

fn nested(depth: usize) -> Value {
    (0..depth).fold(json!({}), |inner, _| json!({ "a": inner }))
}

/// Changes of a place that depend on what stands there.
fn changes(value: &Value) -> Vec<Value> {
    match value {
        Value::Object(object) => {
            let mut changed = Vec::new();
            for name in ["stranger", "", "fi-FI", "not a tag", "x.parquet"] {
                let mut more = object.clone();
                more.insert(name.to_owned(), object.values().next().cloned().unwrap_or_default());
                changed.push(Value::Object(more));
            }
            for name in object.keys() {
                let mut less = object.clone();
                less.shift_remove(name);
                changed.push(Value::Object(less));
            }
            for many in [100, 101] {
                let member = object.values().next().cloned().unwrap_or_default();
                changed.push(Value::Object(
                    (0..many)
                        .map(|n| (format!("a{}-x-{n}", if n % 2 == 0 { "a" } else { "b" }), member.clone()))
                        .collect(),
                ));
            }
            changed.push(Value::Array(object.values().cloned().collect()));
            changed
        }
        Value::Array(list) => {
            let member = list.first().cloned().unwrap_or_default();
            [0, 2, 200, 201, 1_000, 1_001].map(|many| Value::Array(vec![member.clone(); many])).to_vec()
        }
        Value::String(text) => vec![
            json!([text]),
            json!({ text: null }),
            json!(format!(" {text}")),
            json!(format!("{text}\n")),
            json!(format!("{text}x")),
            json!(text.to_uppercase()),
        ],
        Value::Number(number) => vec![json!(number.as_f64()), json!(number.to_string()), json!([number])],
        other => vec![json!(other.to_string()), json!([other])],
    }
}

fn corpus(mut each: impl FnMut(&str, &Value)) -> usize {
    let whole = example();
    let mut pointers = Vec::new();
    places(&whole, "", &mut pointers);
    let values = replacements();
    let mut count = 1;
    each("", &whole);
    for pointer in &pointers {
        let here = whole.pointer(pointer).unwrap();
        for value in values.iter().cloned().chain(changes(here)) {
            let mut document = whole.clone();
            *document.pointer_mut(pointer).unwrap() = value;
            each(pointer, &document);
            count += 1;
        }
    }
    count
}

/// The one rule of a document that JSON Schema cannot say: a box has its south below its north.
fn is_upside_down(document: &Value) -> bool {
    document.pointer("/spatial/0/bbox").and_then(Value::as_array).is_some_and(|corners| {
        corners.len() == 4 && corners[1].as_f64().zip(corners[3].as_f64()).is_some_and(|(south, north)| south > north)
    })
}

#[test]
fn the_schema_and_the_types_agree_on_every_document() {
    let (mut valid, mut disagreements) = (0, Vec::new());
    let count = corpus(|pointer, document| {
        let by_schema = schema::is_valid_by_schema(document) && !is_upside_down(document);
        let by_types = schema::read::<Dataset>(document);
        valid += usize::from(by_schema);
        if by_schema != by_types.is_ok() {
            let found: String = document.pointer(pointer).map(Value::to_string).unwrap_or_default();
            disagreements.push(format!(
                "{pointer} = {}: schema says {by_schema}, types say {}",
                found.chars().take(200).collect::<String>(),
                by_types.map_or_else(|refused| refused.to_string(), |_| "true".to_owned())
            ));
        }
    });
    println!("{count} documents, {valid} valid");
    assert!(count > 10_000, "{count} documents are too few");
    assert!((500..count / 2).contains(&valid), "{valid} of {count} are valid: the corpus tests one side only");
    assert!(
        disagreements.is_empty(),
        "{} of {count} disagree:\n{}",
        disagreements.len(),
        disagreements.iter().take(40).map(String::as_str).collect::<Vec<_>>().join("\n")
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Two faults at once, in places that may hide each other.
    #[test]
    fn the_schema_and_the_types_agree_on_two_changes_at_once(
        places_of in (any::<Index>(), any::<Index>()),
        values_of in (any::<Index>(), any::<Index>()),
    ) {
        let mut document = example();
        for (place, value) in [(places_of.0, values_of.0), (places_of.1, values_of.1)] {
            let mut pointers = Vec::new();
            places(&document, "", &mut pointers);
            let place: &String = place.get(&pointers);
            let here = document.pointer_mut(place).unwrap();
            let values: Vec<Value> = REPLACEMENTS.iter().cloned().chain(changes(here)).collect();
            *here = value.get(&values).clone();
        }
        let by_schema = schema::is_valid_by_schema(&document) && !is_upside_down(&document);
        prop_assert_eq!(by_schema, schema::read::<Dataset>(&document).is_ok());
        prop_assert_eq!(by_schema, schema::admit(&document).is_ok());
    }
}

static REPLACEMENTS: LazyLock<Vec<Value>> = LazyLock::new(replacements);

#[test]
fn every_refusal_says_where_what_and_what_to_do_and_every_acceptance_is_stable() {
    let mut at = 0;
    corpus(|pointer, document| {
        at += 1;
        // Telling is slower than judging; every seventh document meets every place and every kind of change.
        if at % 7 != 0 {
            return;
        }
        match schema::admit(document) {
            Ok(dataset) => {
                let written = serde_json::to_value(&dataset).unwrap();
                assert!(schema::is_valid_by_schema(&written), "{pointer}: accepted, written, no longer valid");
                assert_eq!(schema::admit(&written).unwrap(), dataset, "{pointer}: read back as another dataset");
            }
            Err(faults) => {
                assert!((1..=schema::MAX_VIOLATIONS).contains(&faults.list.len()));
                for fault in faults.list {
                    let is_told = !fault.found.is_empty() && !fault.allowed.is_empty() && !fault.hint.is_empty();
                    assert!(is_told, "{pointer}: {fault:?}");
                    assert!(fault.detail().len() < 10_000, "{pointer}: {fault:?}");
                    let parent = fault.pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
                    assert!(document.pointer(parent).is_some(), "{pointer}: {fault:?} points nowhere");
                }
            }
        }
    });
}

#[test]
fn what_a_node_serves_is_what_the_published_schemas_describe() {
    let registry = jsonschema::Registry::new()
        .add(
            "https://pleiad.example/schemas/dataset.schema.json",
            serde_json::from_str::<Value>(schema::DATASET_SCHEMA).unwrap(),
        )
        .unwrap()
        .prepare()
        .unwrap();
    let build = |text: &str| {
        let schema = serde_json::from_str(text).unwrap();
        jsonschema::options().with_registry(&registry).should_validate_formats(true).build(&schema).unwrap()
    };
    let dataset = schema::parse(EXAMPLE.as_bytes()).unwrap();
    let record = Registered {
        dataset,
        owner: "spiffe://fi.pleiad.example/participant/archive".parse().unwrap(),
        revision: Revision::FIRST,
        registered: "2026-03-01T09:30:00Z".parse().unwrap(),
        revised: "2026-03-01T09:30:00.123Z".parse().unwrap(),
        seq: Seq(7),
        state: Default::default(),
        reason: None,
        withdrawn: None,
    };
    let record = serde_json::to_value(&record).unwrap();
    let validator = build(schema::RECORD_SCHEMA);
    let faults: Vec<String> = validator.iter_errors(&record).map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty(), "{faults:?}");

    let draft = build(schema::DRAFT_SCHEMA);
    assert!(draft.is_valid(&json!({"title": {"en": "Only a title"}})));
    assert!(!draft.is_valid(&json!({"title": {"en": "Only a title"}, "stranger": 1})));
    assert!(!schema::is_valid_by_schema(&json!({"title": {"en": "Only a title"}})));
}

#[test]
fn every_dataset_of_the_demonstration_is_valid_and_the_fictitious_ones_lack_only_their_shards() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("config/demo");
    let mut count = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let file = file.unwrap().path();
        let document: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        for entry in document["datasets"].as_array().unwrap() {
            let dataset = schema::admit(&entry["dataset"])
                .unwrap_or_else(|faults| panic!("{}: {}: {faults}", file.display(), entry["dataset"]["id"]));
            // The demonstration makes the shards itself, when it starts.
            let missing = missing(&dataset).into_iter().filter(|missing| missing.code != "manifest");
            let missing: Vec<String> = missing.map(|missing| missing.to_string()).collect();
            assert!(!dataset.fictitious || missing.is_empty(), "{}: {missing:#?}", dataset.id);
            count += 1;
        }
    }
    assert!(count >= 84, "{count}");
}

#[test]
fn the_schema_and_the_types_know_the_same_names_and_the_example_has_them_all() {
    let whole = example();
    let mut pointers = Vec::new();
    places(&whole, "", &mut pointers);
    let mut met = BTreeSet::new();
    for pointer in pointers {
        let mut document = whole.clone();
        let Some(object) = document.pointer_mut(&pointer).and_then(Value::as_object_mut) else { continue };
        met.extend(object.keys().cloned());
        object.insert("stranger".to_owned(), json!(1));
        let by_types = schema::read::<Dataset>(&document).unwrap_err().allowed;
        // A map of texts or shards has no names of its own.
        let Some((_, expected)) = by_types.split_once("unknown field `stranger`, expected") else { continue };
        let by_types: BTreeSet<&str> = expected.split('`').skip(1).step_by(2).collect();
        let faults = schema::admit(&document).unwrap_err();
        let by_schema: BTreeSet<&str> = faults.list[0].allowed.trim_start_matches("one of ").split(", ").collect();
        assert_eq!(by_types, by_schema, "{pointer}");
    }
    let schema: Value = serde_json::from_str(schema::DATASET_SCHEMA).unwrap();
    let mut known = BTreeSet::new();
    property_names(&schema, &mut known);
    let unmet: Vec<&String> = known.difference(&met).collect();
    assert!(unmet.is_empty(), "the example, and with it the corpus, leaves out {unmet:?}");
}

fn property_names(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(object) => {
            for (keyword, value) in object {
                if let ("properties", Value::Object(properties)) = (keyword.as_str(), value) {
                    found.extend(properties.keys().cloned());
                }
                property_names(value, found);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| property_names(value, found)),
        _ => {}
    }
}
