//! Judges a record: one report of everything that a steward should know about it, and two scores.
//!
//! [`judge`] brings together what other rooms find (the schema's violations, what law and policy need, what is doubtful)
//! with rules across fields ([`rules`]) and with people who are named in free texts ([`people`]), and scores the record
//! ([`score`]). It is pure: the same record on the same day gives the same report, with a node or without one. A report
//! carries codes and values; [`Report::said`] puts them in the reader's language ([`messages`]).
//!
//! What it takes to look elsewhere is handed in by whoever looked, as [`Beside`]: whether addresses answer, what SHACL
//! shapes found. A record is never changed here and nothing is refused: *not stated* stays not stated.

pub mod finding;
mod gathered;
pub mod messages;
mod people;
mod report;
mod rules;
pub mod score;
#[cfg(feature = "shacl")]
pub mod shacl;
mod summary;

use jiff::civil::Date;

use crate::domain::dataset::Dataset;
use crate::domain::offerable;
use crate::domain::warnings::Warning;
use crate::schema::Violations;

pub use finding::{Finding, Rule, Severity, Span};
pub use messages::Language;
pub use report::{Counts, Report, SaidFinding, SaidMetric, SaidReport};
pub use summary::{Frequent, SaidSummary, Spread, Summary};

use finding::Findings;
use score::portal::Outside;

/// What others know about a record that it does not say itself.
#[derive(Debug, Clone, Default)]
pub struct Beside {
    /// What is doubtful about it, as the catalogue says for each of its records (`catalogue::doubts`).
    pub doubts: Vec<Warning>,
    /// What other validators found, such as the shapes of an application profile ([`Rule::Shacl`]).
    pub findings: Vec<Finding>,
    /// What was seen by looking.
    pub outside: Outside,
}

/// Judges a dataset, as of a day.
pub fn judge(dataset: &Dataset, today: Date, beside: Beside) -> Report {
    let record = without_shards(dataset);
    let missing = offerable::missing(dataset);
    let offerable = missing.is_empty();
    let mut found = Findings::default();
    found.0.extend(missing.into_iter().map(|missing| gathered::of_missing(missing, &record)));
    // An address in a text is pointed out below with its place.
    let doubts = beside.doubts.into_iter().filter(|doubt| doubt.code != "address_in_text");
    found.0.extend(doubts.map(|doubt| gathered::of_doubt(doubt, &record)));
    rules::find(dataset, today, &mut found);
    found.0.extend(people::find(&record));
    found.0.extend(beside.findings);
    let mut findings = found.0;
    // One doubt is told once: the graver of two about the same thing.
    let at_scale = findings.iter().any(|finding| finding.code == "special_at_scale_without_dpia");
    findings.retain(|finding| !(at_scale && finding.code == "special_without_dpia"));
    findings.sort_by_key(|finding| finding.severity);
    Report {
        offerable,
        findings,
        quality: Some(score::portal::score(dataset, &beside.outside)),
        readiness: Some(score::readiness::readiness(dataset)),
    }
}

/// The report of a document that is not a dataset: why not, and no scores.
pub fn refused(violations: &Violations) -> Report {
    Report { offerable: false, findings: gathered::of_schema(violations), quality: None, readiness: None }
}

/// The record as JSON without the files of its shards, which may be many and say nothing about people.
fn without_shards(dataset: &Dataset) -> serde_json::Value {
    let mut light = dataset.clone();
    for distribution in &mut light.distributions {
        distribution.manifest = None;
    }
    serde_json::to_value(light).unwrap_or_default()
}

#[cfg(test)]
mod tests;
