//! The report of one record, and how it is said in a language.

use serde::Serialize;

use super::finding::{Finding, Rule, Severity, Span};
use super::messages::{self, Language};
use super::score::portal::{Rating, Score};
use super::score::readiness::Readiness;
use super::score::{Mark, Metric};

/// Everything that was found about one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Whether it may be offered and requested.
    pub offerable: bool,
    /// What was found, gravest first.
    pub findings: Vec<Finding>,
    /// The score in the manner of the European data portal; nothing for what is not a dataset.
    pub quality: Option<Score>,
    /// Readiness for training; nothing for what is not a dataset.
    pub readiness: Option<Readiness>,
}

/// How many findings of each severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[allow(missing_docs)] // the names are those of the severities
pub struct Counts {
    pub violation: usize,
    pub warning: usize,
    pub advice: usize,
}

/// A report in a language, as the API and the command line give it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SaidReport {
    /// The language, by its BCP 47 tag.
    pub language: &'static str,
    /// Whether it may be offered and requested.
    pub offerable: bool,
    /// How many findings of each severity.
    pub counts: Counts,
    /// What was found, gravest first.
    pub findings: Vec<SaidFinding>,
    /// The score in the manner of the European data portal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality: Option<SaidScore>,
    /// Readiness for training.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readiness: Option<SaidReadiness>,
}

/// A finding in a language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SaidFinding {
    /// Where, as a JSON pointer; empty for the whole record.
    pub pointer: String,
    /// How grave.
    pub severity: Severity,
    /// The kind, for a program.
    pub code: String,
    /// Whose rule it is.
    pub rule: Rule,
    /// Where in the text at the pointer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
    /// What was found.
    pub detail: String,
    /// What to do.
    pub fix: String,
}

/// A score in a language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SaidScore {
    /// The points won.
    pub points: u32,
    /// The points that could be won.
    pub of: u32,
    /// The rating, for a program.
    pub rating: Rating,
    /// Its dimensions.
    pub dimensions: Vec<SaidDimension>,
}

/// A dimension in a language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SaidDimension {
    /// Its code.
    pub code: &'static str,
    /// Its name.
    pub name: String,
    /// The points won.
    pub points: u32,
    /// The points that could be won.
    pub of: u32,
    /// Its metrics.
    pub metrics: Vec<SaidMetric>,
}

/// Readiness in a language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SaidReadiness {
    /// The points won.
    pub points: u32,
    /// The points that could be won: 100.
    pub of: u32,
    /// The questions.
    pub metrics: Vec<SaidMetric>,
}

/// A metric in a language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SaidMetric {
    /// Its code.
    pub code: &'static str,
    /// What it asks for.
    pub name: String,
    /// Its points.
    pub points: u32,
    /// Whether they were won.
    pub mark: Mark,
    /// Where it is answered.
    pub pointer: &'static str,
    /// What wins them, where they were not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

impl Report {
    /// How many findings of each severity.
    pub fn counts(&self) -> Counts {
        let of = |severity| self.findings.iter().filter(|finding| finding.severity == severity).count();
        Counts { violation: of(Severity::Violation), warning: of(Severity::Warning), advice: of(Severity::Advice) }
    }

    /// The gravest severity that was found.
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).min()
    }

    /// The report in a language.
    pub fn said(&self, language: Language) -> SaidReport {
        SaidReport {
            language: language.tag(),
            offerable: self.offerable,
            counts: self.counts(),
            findings: self.findings.iter().map(|finding| finding.said(language)).collect(),
            quality: self.quality.as_ref().map(|score| said_score(score, language)),
            readiness: self.readiness.as_ref().map(|readiness| SaidReadiness {
                points: readiness.points,
                of: 100,
                metrics: readiness.metrics.iter().map(|metric| metric.said(language)).collect(),
            }),
        }
    }
}

fn said_score(score: &Score, language: Language) -> SaidScore {
    let dimensions = score.dimensions.iter().map(|dimension| SaidDimension {
        code: code(dimension.key),
        name: messages::word(language, dimension.key).to_owned(),
        points: dimension.points,
        of: dimension.of,
        metrics: dimension.metrics.iter().map(|metric| metric.said(language)).collect(),
    });
    SaidScore { points: score.points, of: score.of, rating: score.rating, dimensions: dimensions.collect() }
}

/// A key without the name of its table.
fn code(key: &'static str) -> &'static str {
    key.split_once('.').map_or(key, |(_, code)| code)
}

impl Finding {
    /// The finding in a language. Where no table has its code, its finder's own sentence is given.
    pub fn said(&self, language: Language) -> SaidFinding {
        let said = messages::say(language, self.message(), &self.values);
        let (detail, fix) =
            said.unwrap_or_else(|| (self.english.clone().unwrap_or_else(|| self.code.to_string()), String::new()));
        SaidFinding {
            pointer: self.pointer.clone(),
            severity: self.severity,
            code: self.code.to_string(),
            rule: self.rule,
            span: self.span,
            detail,
            fix,
        }
    }
}

impl Metric {
    /// The metric in a language.
    pub fn said(&self, language: Language) -> SaidMetric {
        let (name, fix) = messages::say(language, self.key, &[]).unwrap_or_default();
        SaidMetric {
            code: code(self.key),
            name,
            points: self.points,
            mark: self.mark,
            pointer: self.pointer,
            fix: (self.mark != Mark::Met).then_some(fix),
        }
    }
}
