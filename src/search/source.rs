//! One node's part in a federated answer, as it is shown: who was asked, what became of it, and what to make of it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;

use crate::domain::ids::{Country, Identity, Seq};

/// One node's part in a federated answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Source {
    /// Who.
    pub node: Identity,
    /// The countries it speaks for.
    pub countries: BTreeSet<Country>,
    /// What became of the question.
    pub state: State,
    /// How long it took, in milliseconds, where it was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ms: Option<u64>,
    /// How many of its hits were used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hits: Option<usize>,
    /// How many of its records match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// The log position that its index had applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<Seq>,
    /// How long ago, in milliseconds, its index last caught up with its log, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index_age_ms: Option<u64>,
    /// Whether its peer file ran out, so that it is trusted for search alone, and only for a while.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub stale_trust: bool,
    /// What was wrong, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// When it is tried again, where it is left alone for a while.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_try: Option<Timestamp>,
}

/// What became of a question to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It answered in time.
    Answered,
    /// It did not answer in time.
    TimedOut,
    /// It could not be reached.
    Unreachable,
    /// One of the two does not trust the other's certificate or peer file.
    Refused,
    /// It speaks another version of the protocol or analyses words in another way.
    Incompatible,
    /// It cannot evaluate a constraint of the question, so it gave no hits.
    UnsupportedConstraint,
    /// It had no room for the question.
    Busy,
    /// What it sent was no answer.
    Broken,
    /// It was left alone because it failed too often of late.
    CircuitOpen,
    /// None of its records can match: the question names other countries, or datasets of other members.
    Skipped,
}

impl State {
    /// Whether the answer is complete as far as this node is concerned.
    pub fn is_complete(self) -> bool {
        matches!(self, Self::Answered | Self::Skipped)
    }

    /// The state as the API spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::TimedOut => "timed_out",
            Self::Unreachable => "unreachable",
            Self::Refused => "refused",
            Self::Incompatible => "incompatible",
            Self::UnsupportedConstraint => "unsupported_constraint",
            Self::Busy => "busy",
            Self::Broken => "broken",
            Self::CircuitOpen => "circuit_open",
            Self::Skipped => "skipped",
        }
    }
}

impl Source {
    /// A source of which only the state is known yet.
    pub fn new(node: Identity, countries: BTreeSet<Country>, state: State) -> Self {
        Self {
            node,
            countries,
            state,
            ms: None,
            hits: None,
            total: None,
            position: None,
            index_age_ms: None,
            stale_trust: false,
            problem: None,
            next_try: None,
        }
    }

    /// The same source with what was wrong.
    pub fn because(mut self, problem: impl Into<String>) -> Self {
        self.problem = Some(problem.into());
        self
    }
}
