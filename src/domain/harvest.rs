//! What a harvest says of itself: that it began, how it ended, and what it brought.
//!
//! A harvest reads another catalogue again and again. Each run has two entries in the log, so a run that began and never
//! ended can be seen, and a run is `done` only where everything its source lists was read and taken.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::{Identity, OpaqueId};

/// The most refusals that a run keeps in words; all of them are counted.
pub const REFUSALS: usize = 20;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HarvestState {
    /// Everything that the source lists was read and taken.
    Done,
    /// The source was read to its end, but records were refused or withdrawals held back.
    Partial,
    /// It broke off, or brought nothing.
    Failed,
    /// Its time was over.
    TimedOut,
    /// The node stopped while it ran.
    Interrupted,
}

impl HarvestState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Done, Self::Partial, Self::Failed, Self::TimedOut, Self::Interrupted];

    /// The state as the API spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
            Self::Interrupted => "interrupted",
        }
    }
}

/// What a run brought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HarvestCounts {
    /// Records that were read, whatever became of them.
    pub read: u64,
    /// New ones.
    pub registered: u64,
    /// Changed ones.
    pub revised: u64,
    /// Those that were known as they are.
    pub unchanged: u64,
    /// Those that could not be read or were not taken.
    pub refused: u64,
    /// Datasets withdrawn, because their source no longer has them.
    pub withdrawn: u64,
    /// Records of datasets that were withdrawn here, which is final.
    pub returned: u64,
}

/// A record that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HarvestRefusal {
    /// The record, or the place in the answer.
    pub place: String,
    /// Why.
    pub reason: String,
}

/// From where the next run may go on instead of reading everything again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HarvestCursor {
    /// Changes since this moment are not read yet, in the source's own spelling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// The `ETag` of what was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// The `Last-Modified` of what was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<String>,
}

/// How a run ended and what it brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HarvestEnd {
    /// How.
    pub state: HarvestState,
    /// Whether it read everything, and not only what changed.
    pub whole: bool,
    /// What it brought.
    pub counts: HarvestCounts,
    /// Why it is not `done`, or what else is to be known; one or a few sentences.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The first refusals.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refusals: Vec<HarvestRefusal>,
    /// From where the next run may go on; only where everything that was read was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<HarvestCursor>,
}

/// A run, as the log tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HarvestRun {
    /// Its id.
    pub id: OpaqueId,
    /// The name of the source.
    pub source: String,
    /// For whom.
    pub owner: Identity,
    /// When it began.
    pub begun: Timestamp,
    /// Who began it: a role id.
    pub by: String,
    /// When it ended; nothing while it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// How; nothing while it runs.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub end: Option<HarvestEnd>,
}
