//! What other rooms found, as findings: violations of the schema, what law and policy still need, what is doubtful.
//!
//! Those rooms say *what*; here is said how grave it is and whose rule it is. A code that is not known here is kept with
//! the sentence of its finder, so that a new rule is never lost on its way to the steward.

use std::borrow::Cow;

use serde_json::Value;

use super::finding::{Finding, Rule, Severity};
use crate::domain::offerable::Missing;
use crate::domain::warnings::Warning;
use crate::schema::{Violation, Violations};

/// The most characters of a value that a sentence repeats.
const SHOWN: usize = 80;

/// What the schema found.
pub(super) fn of_schema(violations: &Violations) -> Vec<Finding> {
    violations.list.iter().map(of_violation).collect()
}

fn of_violation(violation: &Violation) -> Finding {
    let mut finding = Finding::new(Severity::Violation, Rule::JsonSchema, "schema", violation.pointer.clone())
        .with("found", &violation.found)
        .with("allowed", &violation.allowed)
        .with("hint", &violation.hint);
    finding.english = Some(violation.detail());
    finding
}

/// What keeps the dataset from being offered.
pub(super) fn of_missing(missing: Missing, record: &Value) -> Finding {
    let (severity, rule) = gravity(missing.code);
    let mut finding = of_words(missing.pointer, missing.code, missing.detail, record);
    finding.severity = severity;
    finding.rule = rule;
    if finding.code == "purpose_limitation" && finding.pointer.ends_with("/constraints") {
        finding.key = Some("purpose_not_limited");
    }
    finding
}

/// How grave it is that something is not stated. What the GDPR wants of personal data that the record itself declares is
/// a violation; what an offer will need is a warning; what only a node that serves the bytes needs is advice.
fn gravity(code: &str) -> (Severity, Rule) {
    match code {
        "policy" | "manifest" | "withdrawn" | "not_published" => (Severity::Advice, Rule::Quality),
        "description" | "publisher" | "contact" | "access_rights" | "licence" | "one_manifest" | "shards"
        | "chunks" => (Severity::Warning, Rule::Quality),
        "personal_data" | "tdm_reservation" | "modalities" | "source_categories" => (Severity::Warning, Rule::Law),
        _ => (Severity::Violation, Rule::Law),
    }
}

/// What is doubtful.
pub(super) fn of_doubt(doubt: Warning, record: &Value) -> Finding {
    let rule = match doubt.code {
        "markup_in_text" | "listed_without_effect" | "period_backwards" | "unknown_spdx_id" => Rule::Quality,
        _ => Rule::Law,
    };
    let mut finding = of_words(doubt.pointer, doubt.code, doubt.detail, record);
    finding.rule = rule;
    finding
}

fn of_words(pointer: String, code: &'static str, detail: String, record: &Value) -> Finding {
    let found = record.pointer(&pointer).and_then(Value::as_str).map(shown);
    Finding {
        pointer,
        severity: Severity::Warning,
        code: Cow::Borrowed(code),
        rule: Rule::Quality,
        span: None,
        key: None,
        values: found.into_iter().map(|found| ("found", found)).collect(),
        english: Some(detail),
    }
}

/// A value as a sentence repeats it: on one line, not long.
pub(super) fn shown(value: &str) -> String {
    let line: String = value.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SHOWN + 1).collect();
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
