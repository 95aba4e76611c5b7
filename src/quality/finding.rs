//! One thing that a steward should know about a record: where it stands, how grave it is, who says so.
//!
//! A finding carries no sentence. It has a code and the values that its sentence needs; [`super::messages`] has the
//! sentences, so that one judgement can be read in any language.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// How grave a finding is, gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// A rule is broken: of the schema, or of the law as far as the record itself shows it.
    Violation,
    /// Doubtful, or missing where law or policy will need it; a steward should act.
    Warning,
    /// The record would serve its readers better so.
    Advice,
}

impl Severity {
    /// Every severity, gravest first.
    pub const ALL: [Self; 3] = [Self::Violation, Self::Warning, Self::Advice];

    /// The value as the API spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Violation => "violation",
            Self::Warning => "warning",
            Self::Advice => "advice",
        }
    }
}

/// Whose rule a finding goes back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The JSON Schema of a dataset.
    JsonSchema,
    /// A law: the GDPR, the AI Act, the Directive on copyright in the Digital Single Market.
    Law,
    /// Good practice, ours.
    Quality,
    /// A SHACL shape of an application profile.
    Shacl,
}

impl Rule {
    /// The value as the API spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::JsonSchema => "json_schema",
            Self::Law => "law",
            Self::Quality => "quality",
            Self::Shacl => "shacl",
        }
    }
}

/// A stretch of a text, in characters (Unicode scalar values) from its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The first character.
    pub start: usize,
    /// The one after the last.
    pub end: usize,
}

/// One thing that a steward should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where, as a JSON pointer (RFC 6901); empty for the whole record.
    pub pointer: String,
    /// How grave.
    pub severity: Severity,
    /// The kind, for a program: stable words in snake case.
    pub code: Cow<'static, str>,
    /// Whose rule it is.
    pub rule: Rule,
    /// Where in the text at the pointer, where it is about a part of it.
    pub span: Option<Span>,
    /// Under which key the sentences stand, where one code has several; else the code is the key.
    pub key: Option<&'static str>,
    /// What the sentences leave open, by name.
    pub values: Vec<(&'static str, String)>,
    /// What its finder says in English, for a code that has no sentences of its own.
    pub english: Option<String>,
}

impl Finding {
    /// A finding about the place that a pointer names.
    pub fn new(severity: Severity, rule: Rule, code: &'static str, pointer: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            severity,
            code: Cow::Borrowed(code),
            rule,
            span: None,
            key: None,
            values: Vec::new(),
            english: None,
        }
    }

    /// The same, with a value that its sentences name.
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.values.push((name, value.to_string()));
        self
    }

    /// The same, about a part of the text there.
    pub fn at(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }

    /// Under which key its sentences stand.
    pub fn message(&self) -> &str {
        self.key.unwrap_or(&self.code)
    }
}

/// Findings as they are made.
#[derive(Debug, Default)]
pub(super) struct Findings(pub(super) Vec<Finding>);

impl Findings {
    /// A doubt of ours where something holds.
    pub(super) fn when(&mut self, holds: bool, severity: Severity, rule: Rule, code: &'static str, pointer: &str) {
        if holds {
            self.0.push(Finding::new(severity, rule, code, pointer));
        }
    }

    /// A finding that carries values.
    pub(super) fn push(&mut self, finding: Finding) {
        self.0.push(finding);
    }
}
