//! When a page is proven to be the page of one index: the bound on what no node has sent. Pure.
//!
//! A node sends its best hits by the statistics it was given, or by its own. A record that it did not send ranks, by
//! those *steering* statistics, no better than the last one it did send. Re-weighting by the *fresh* sums changes each
//! component of a score by at most the ratio of the two inverse document frequencies, times the ratio of the two mean
//! lengths where that is above 1: with `x, y ≥ 0`, `(x + y/a) / (x + y/b) ≤ max(1, b/a)`. So a record that was not sent
//! scores at most the steering score of the last one that was, times the largest such ratio over the terms. If that is
//! below the last score of the page, no unseen record belongs on it (the argument of the threshold algorithm). The proof
//! takes the nodes at their word; it is about arithmetic and not about lies.

use std::cmp::Ordering;

use super::merge::{Answer, place_of};
use crate::domain::query::{Analysed, ComponentKind, Sort};
use crate::domain::score::{Place, Statistics, idf, score};

/// Room for what the last bits of a sum may differ by.
const SLACK: f64 = 1.0 + 1e-9;

/// How far one answer goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Frontier {
    /// Whether every matching record was sent.
    exhausted: bool,
    /// The last place that was sent, by the steering statistics.
    last: Option<Place>,
    /// What the node ranked by.
    steering: Statistics,
}

impl Frontier {
    /// The frontier of an answer, to be taken before anything is left out of it.
    pub fn of(answer: &Answer, question: &Analysed) -> Self {
        let steering = answer.steering.as_ref().unwrap_or(&answer.answer.statistics).clone();
        let steering = steering.clamped(question.scored.len());
        let last = answer.answer.hits.last();
        let last = last.map(|hit| place_of(hit, score(&hit.components, &question.scored, &steering)));
        Self { exhausted: answer.answer.total <= answer.answer.hits.len() as u64, last, steering }
    }

    /// Whether no record that was not sent can come before `end`, the last place of the page; `None` where the page
    /// still has room, so that any further record would be on it.
    pub fn is_behind(&self, end: Option<&Place>, question: &Analysed, fresh: &Statistics) -> bool {
        if self.exhausted {
            return true;
        }
        let (Some(end), Some(last)) = (end, &self.last) else { return false };
        if question.sort == Sort::Relevance && !question.scored.is_empty() {
            last.score * SLACK * self.largest_ratio(question, fresh) < end.score
        } else {
            // Every node has the same order and breaks ties alike: an unseen record comes after the last one sent.
            end.compare(last, question.sort) != Ordering::Greater
        }
    }

    /// The most by which the score of a record can grow when the fresh sums replace the steering statistics.
    fn largest_ratio(&self, question: &Analysed, fresh: &Statistics) -> f64 {
        let weight = |statistics: &Statistics, place: usize| {
            idf(statistics.documents, statistics.frequencies.get(place).copied().unwrap_or(0))
        };
        question
            .scored
            .iter()
            .enumerate()
            .map(|(place, term)| {
                if term.kind == ComponentKind::TitleTier {
                    return 1.0; // what it adds depends on no statistics
                }
                let lengths = fresh.mean_length(term.term.field) / self.steering.mean_length(term.term.field);
                weight(fresh, place) / weight(&self.steering, place) * lengths.max(1.0)
            })
            .fold(0.0, f64::max)
    }
}
