//! Bytes from a client to a [`Dataset`], or to [`Violations`] that say what to do.
//!
//! Three gates stand in a row. `json` reads bounded bytes into a value: not too large, not too deep, no name twice.
//! The JSON Schema in `schemas/`, which is also the public contract, finds every violation at once and gives each its
//! JSON pointer, what was found, what is allowed and a hint. `strict` then makes the value that is born valid; the types
//! state the same rules, and only a rule that a schema cannot say can still refuse there. The suite reads one corpus
//! through both and they agree.

mod hints;
mod json;
mod strict;

use std::fmt;
use std::sync::LazyLock;

use jsonschema::{PatternOptions, Validator};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::domain::dataset::Dataset;
use crate::domain::ids::{Country, DatasetId};

/// The contract of a dataset, as text.
pub const DATASET_SCHEMA: &str = include_str!("../../schemas/dataset.schema.json");
/// The contract of what registers a dataset, as text.
pub const DRAFT_SCHEMA: &str = include_str!("../../schemas/draft.schema.json");
/// The contract of a record as a node serves it, as text.
pub const RECORD_SCHEMA: &str = include_str!("../../schemas/record.schema.json");
/// The contract of a problem, as text.
pub const PROBLEM_SCHEMA: &str = include_str!("../../schemas/problem.schema.json");

/// The most bytes of a document: 1 MiB.
pub const MAX_BYTES: usize = 1 << 20;
/// The most levels of lists and objects in a document.
pub const MAX_DEPTH: usize = 64;
/// The most violations that are told at once.
pub const MAX_VIOLATIONS: usize = 100;

/// One fault of a document.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Violation {
    /// Where, as a JSON pointer (RFC 6901); empty for the whole document.
    pub pointer: String,
    /// What stood there, shortened.
    pub found: String,
    /// What is allowed there.
    pub allowed: String,
    /// What to do.
    pub hint: String,
}

impl Violation {
    /// The fault in one line: found, allowed, hint.
    pub fn detail(&self) -> String {
        format!("found {}; allowed: {}. {}", self.found, self.allowed, self.hint)
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.pointer.is_empty() { "the document" } else { &self.pointer };
        write!(f, "{place}: {}", self.detail())
    }
}

/// Why a document is not a dataset: every fault that was found, at most [`MAX_VIOLATIONS`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violations {
    /// The faults, at least one.
    pub list: Vec<Violation>,
    /// Whether there are more than are listed.
    pub more: bool,
}

impl Violations {
    fn one(violation: Violation) -> Self {
        Self { list: vec![violation], more: false }
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let more = if self.more { " or more" } else { "" };
        write!(f, "the document has {}{more} faults", self.list.len())?;
        self.list.iter().try_for_each(|violation| write!(f, "\n  {violation}"))
    }
}

impl std::error::Error for Violations {}

/// What a node fills in where a draft leaves it out.
#[derive(Debug, Clone)]
pub struct Defaults {
    /// A fresh id under the node's domain.
    pub id: DatasetId,
    /// The country, where the node speaks for exactly one.
    pub country: Option<Country>,
}

/// Reads a whole dataset.
pub fn parse(bytes: &[u8]) -> Result<Dataset, Violations> {
    admit(&json::read(bytes)?)
}

/// Reads a draft: a dataset whose id and country may be left out.
pub fn parse_draft(bytes: &[u8], defaults: &Defaults) -> Result<Dataset, Violations> {
    filled(json::read(bytes)?, defaults)
}

/// As [`parse_draft`], of a value that was read as a part of something larger.
pub fn admit_draft(draft: &Value, defaults: &Defaults) -> Result<Dataset, Violations> {
    json::bounded(draft.to_string().len())?;
    filled(draft.clone(), defaults)
}

fn filled(mut draft: Value, defaults: &Defaults) -> Result<Dataset, Violations> {
    if let Value::Object(fields) = &mut draft {
        fields.entry("id").or_insert_with(|| Value::String(defaults.id.to_string()));
        if let Some(country) = &defaults.country {
            fields.entry("country").or_insert_with(|| Value::String(country.to_string()));
        }
    }
    admit(&draft)
}

/// Holds a dataset that was made in code, by an importer, to the same rules as one from a client.
pub fn check(dataset: &Dataset) -> Result<(), Violations> {
    let value = serde_json::to_value(dataset).map_err(|error| {
        Violations::one(Violation {
            pointer: String::new(),
            found: "a dataset that cannot be written as JSON".to_owned(),
            allowed: "a dataset".to_owned(),
            hint: error.to_string(),
        })
    })?;
    // The types say whether; the schema, which is slower, says what.
    if read::<Dataset>(&value).is_ok() { Ok(()) } else { admit(&value).map(drop) }
}

/// Reads one bounded JSON document, for those who look into it before it is admitted.
pub fn value(bytes: &[u8]) -> Result<Value, Violations> {
    json::read(bytes)
}

/// As [`value`], of a document that has at most `most` bytes: for one that holds more than a dataset.
pub fn value_within(bytes: &[u8], most: usize) -> Result<Value, Violations> {
    json::read_within(bytes, most)
}

/// Makes a dataset of a value that was made in code, which may be too large.
pub fn admit_bounded(value: &Value) -> Result<Dataset, Violations> {
    json::bounded(value.to_string().len())?;
    admit(value)
}

/// Makes a dataset of a value that was read.
pub fn admit(value: &Value) -> Result<Dataset, Violations> {
    let mut faults = VALIDATOR.iter_errors(value).flat_map(hints::explain);
    let mut list: Vec<Violation> = faults.by_ref().take(MAX_VIOLATIONS).collect();
    if !list.is_empty() {
        let more = faults.next().is_some();
        list.dedup_by(|a, b| a.pointer == b.pointer && a.allowed == b.allowed);
        return Err(Violations { list, more });
    }
    read(value).map_err(Violations::one)
}

/// Reads a value through the types alone, strictly: no `null` for *not stated*, no list for an object.
pub fn read<T: DeserializeOwned>(value: &Value) -> Result<T, Violation> {
    strict::read(value)
}

/// Whether a value is valid by the schema alone.
pub fn is_valid_by_schema(value: &Value) -> bool {
    VALIDATOR.is_valid(value)
}

static SCHEMA: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(DATASET_SCHEMA).expect("the embedded schema is JSON; a test reads it"));

static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| {
    jsonschema::options()
        .should_validate_formats(true)
        // Linear in the length of the text, whatever the text.
        .with_pattern_options(PatternOptions::regex().size_limit(64 << 20).dfa_size_limit(64 << 20))
        .build(&SCHEMA)
        .expect("the embedded schema compiles; a test builds it")
});

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const EXAMPLE: &[u8] = include_bytes!("../../config/examples/dataset.json");

    fn violations(change: impl FnOnce(&mut Value)) -> Vec<Violation> {
        let mut document: Value = serde_json::from_slice(EXAMPLE).unwrap();
        change(&mut document);
        parse(&serde_json::to_vec(&document).unwrap()).unwrap_err().list
    }

    fn only(change: impl FnOnce(&mut Value)) -> Violation {
        let mut found = violations(change);
        assert_eq!(found.len(), 1, "{found:#?}");
        found.remove(0)
    }

    #[test]
    fn the_example_is_a_dataset_and_is_written_as_it_was_read() {
        let dataset = parse(EXAMPLE).unwrap_or_else(|faults| panic!("{faults}"));
        let written = serde_json::to_value(&dataset).unwrap();
        let read: Value = serde_json::from_slice(EXAMPLE).unwrap();
        assert!(written == read, "{written:#}");
        check(&dataset).unwrap();
    }

    #[test]
    fn the_schemas_are_schemas() {
        for text in [DATASET_SCHEMA, DRAFT_SCHEMA, RECORD_SCHEMA, PROBLEM_SCHEMA] {
            let schema: Value = serde_json::from_str(text).unwrap();
            jsonschema::meta::validate(&schema).unwrap();
        }
        LazyLock::force(&VALIDATOR);
    }

    #[test]
    fn an_unknown_field_is_told_with_the_nearest_known_name() {
        let violation = only(|d| d["licnce"] = json!({}));
        assert_eq!(violation.pointer, "/licnce");
        assert!(violation.hint.contains("licence"), "{violation}");
        let violation = only(|d| d["gdpr"]["legalBasis"] = json!([]));
        assert!(violation.hint.contains("legal_basis"), "{violation}");
    }

    #[test]
    fn every_violation_is_told_at_once_each_with_its_place() {
        let found = violations(|d| {
            d["country"] = json!("Finland");
            d["gdpr"]["personal_data"] = json!("anonymized");
            d["title"] = json!({});
            d["issued"] = json!("2023-02-29");
            d["policy"]["permissions"][0]["action"] = json!(7);
            d["gdpr"].as_object_mut().unwrap()["dpia"] = json!({});
        });
        let pointers: Vec<&str> = found.iter().map(|v| v.pointer.as_str()).collect();
        for place in [
            "/country",
            "/gdpr/personal_data",
            "/title",
            "/issued",
            "/policy/permissions/0/action",
            "/gdpr/dpia/status",
        ] {
            assert!(pointers.contains(&place), "{place} in {pointers:?}");
        }
        assert_eq!(found.len(), 6, "{found:#?}");
        let spelled = found.iter().find(|v| v.pointer == "/gdpr/personal_data").unwrap();
        assert!(spelled.hint.contains("anonymised"), "{spelled}");
        assert!(found.iter().all(|v| !v.found.is_empty() && !v.allowed.is_empty() && !v.hint.is_empty()), "{found:#?}");
    }

    #[test]
    fn null_is_no_way_to_say_not_stated() {
        let violation = only(|d| d["description"] = json!(null));
        assert!(violation.hint.contains("Leave the field out"), "{violation}");
    }

    #[test]
    fn the_usual_slips_are_told_with_what_to_write() {
        let hint = |change: fn(&mut Value)| only(change).hint;
        assert!(hint(|d| d["title"] = json!("Plain")).contains(r#"{"en": "Plain"}"#));
        assert!(hint(|d| d["gdpr"]["data_subject_count"] = json!("12")).contains("quotation marks"));
        assert!(hint(|d| d["themes"] = json!("https://example.org/x")).contains("list"));
        assert!(hint(|d| d["access_rights"] = json!("PUBLIC")).contains("public"));
        assert!(hint(|d| d["fictitious"] = json!("true")).contains("quotation marks"));
    }

    #[test]
    fn a_box_upside_down_is_refused_where_it_stands() {
        let violation = only(|d| d["spatial"][0]["bbox"] = json!([19.0, 70.1, 31.6, 59.7]));
        assert_eq!(violation.pointer, "/spatial/0/bbox");
    }

    #[test]
    fn what_was_found_is_shortened() {
        let violation = only(|d| d["id"] = json!("x".repeat(10_000)));
        assert!(violation.found.chars().count() < 100, "{violation}");
    }

    #[test]
    fn at_most_a_hundred_violations_are_told() {
        let many: Vec<Value> = (0..150).map(|n| json!(n)).collect();
        let mut document: Value = serde_json::from_slice(EXAMPLE).unwrap();
        document["themes"] = Value::Array(many);
        let faults = parse(&serde_json::to_vec(&document).unwrap()).unwrap_err();
        assert_eq!((faults.list.len(), faults.more), (MAX_VIOLATIONS, true));
    }

    #[test]
    fn a_draft_gets_an_id_and_the_only_country() {
        let defaults = Defaults {
            id: "https://fi.pleiad.example/dataset/minted".parse().unwrap(),
            country: Some("FI".parse().unwrap()),
        };
        let dataset = parse_draft(br#"{"title": {"en": "Short"}}"#, &defaults).unwrap();
        assert_eq!(dataset.id, defaults.id);
        let refused =
            parse_draft(br#"{"title": {"en": "Short"}}"#, &Defaults { country: None, ..defaults }).unwrap_err();
        assert_eq!(refused.list[0].pointer, "/country");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn no_damaged_document_panics(at in 0usize..EXAMPLE.len(), byte in any::<u8>(), cut in 0usize..40) {
            let mut bytes = EXAMPLE.to_vec();
            bytes[at] = byte;
            let end = (at + 1 + cut).min(bytes.len());
            bytes.drain(at + 1..end);
            let _ = parse(&bytes);
        }
    }
}
