//! Two scores of a record: how well it is described in the manner of the European data portal ([`portal`]), and how far
//! it is ready for somebody who trains with it ([`readiness`]).
//!
//! Both are sums of points over plain questions, each of which is met, missed, or *not checked*. What was not checked
//! counts neither for nor against: it is left out of the maximum, and the score says of how many points it is.
//! `docs/quality.md` lists every question with its points; a test holds that page to these tables.

pub mod portal;
pub mod readiness;

use serde::{Deserialize, Serialize};

/// How a question was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// Yes: its points count.
    Met,
    /// No: its points are lost, and what to do wins them.
    Missed,
    /// Nobody looked: it needs the network or another tool, and its points are left out of the maximum.
    NotChecked,
}

impl Mark {
    pub(super) fn of(met: bool) -> Self {
        if met { Self::Met } else { Self::Missed }
    }
}

/// One question with its points and its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Its key in the table of messages, such as `portal.keywords`.
    pub key: &'static str,
    /// Its points.
    pub points: u32,
    /// Its answer.
    pub mark: Mark,
    /// Where in the record it is answered, as a JSON pointer.
    pub pointer: &'static str,
}

/// The points that were won, and those that could be.
pub(super) fn sum(metrics: &[Metric]) -> (u32, u32) {
    let of = |mark: Mark| metrics.iter().filter(|metric| metric.mark == mark).map(|metric| metric.points).sum::<u32>();
    (of(Mark::Met), of(Mark::Met) + of(Mark::Missed))
}

#[cfg(test)]
mod tests;
