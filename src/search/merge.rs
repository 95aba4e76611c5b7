//! Many answers, one page: the order that one index over all the records would give. Pure; this is the file to imitate
//! for a pure step with its laws.
//!
//! Nobody's score is believed. Each hit comes with its components, each answer with its statistics; the statistics of
//! the nodes that answered are made harmless and summed, and every hit is scored again by [`Formula`] with the sums. A
//! node speaks for its own domain and its own countries only: whatever else it sends is dropped and counted. The laws,
//! each a property test below:
//!
//! - the page does not depend on the order in which the answers arrived;
//! - it is the page of one index, whenever it says that it is [`Ranking::Exact`];
//! - a node that lies moves its own hits and, within bounds, the weights of words; it cannot otherwise move two hits of
//!   others past each other, nor make one of them disappear without being named beside what took its place;
//! - what is sent is shown or counted as dropped, and nothing is shown twice.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::certificate::Frontier;
use super::duplicates;
use super::honest::{self, Dropped};
use crate::domain::answer::{FacetCounts, Hit, LocalAnswer};
use crate::domain::ids::{Country, DatasetId, Identity};
use crate::domain::query::{Analysed, FacetField};
use crate::domain::score::{Formula, Place, Statistics};

/// The most values of one facet that a page lists; the rest is in `other`.
pub const MOST_VALUES: usize = 200;

/// What all the answers are answers to.
#[derive(Debug, Clone, Copy)]
pub struct Question<'q> {
    /// The terms, the constraints and the order.
    pub analysed: &'q Analysed,
    /// How many hits the page has at most.
    pub limit: usize,
    /// Whether every node that could hold a matching record has answered.
    pub complete: bool,
}

/// One node's answer, with what the coordinator knows of the node.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Who answered.
    pub node: Identity,
    /// The countries it may speak for.
    pub countries: BTreeSet<Country>,
    /// How many hits it was asked for.
    pub asked: usize,
    /// The statistics by which it was told to rank; without them it ranked by its own.
    pub steering: Option<Statistics>,
    /// What it said.
    pub answer: LocalAnswer,
}

/// The one answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The best hits, in order.
    pub hits: Vec<Ranked>,
    /// How many `federation` records match.
    pub total: Total,
    /// Whether the order of the `federation` hits is proven to be that of one index.
    pub ranking: Ranking,
    /// Values counted over all `federation` records that match.
    pub facets: BTreeMap<FacetField, FacetCounts>,
    /// The sums by which the hits were scored.
    pub statistics: Statistics,
    /// What was made of each answer.
    pub parts: BTreeMap<Identity, Part>,
}

/// A hit in its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranked {
    /// Its score by the sums (0 where the question has no words), and what else decides its place.
    pub place: Place,
    /// The node whose record it is.
    pub node: Identity,
    /// Whether it is a `private` record of the asking node, which is counted nowhere.
    pub private: bool,
    /// The hit.
    pub hit: Hit,
    /// The same dataset at other nodes, by persistent identifier, best first.
    pub also_at: Vec<AlsoAt>,
}

/// The same dataset at another node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AlsoAt {
    /// The node.
    pub node: Identity,
    /// The id of its record.
    pub id: DatasetId,
}

/// How many records match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Total {
    /// The sum over the nodes that answered; a dataset that two nodes describe counts twice.
    pub value: u64,
    /// Whether that is all.
    pub relation: Relation,
}

/// Whether a total is all there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// It is.
    Eq,
    /// A node that could hold more has not answered.
    Gte,
}

/// What is known about the order of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ranking {
    /// It is proven to be the order of one index over the records of the nodes that answered.
    Exact,
    /// It is that order as far as the hits that were sent can tell; a record that no node sent may belong among them.
    Approximate,
}

/// What was made of one answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Part {
    /// Hits that took part in the merge.
    pub used: usize,
    /// How many of its records match, as far as that can be believed.
    pub total: u64,
    /// What was left out of its answer.
    pub dropped: Dropped,
}

/// Merges the answers to one question. `private` is the asking node's answer from its private records: its hits are
/// put in their places and change no statistics, total, facet or ranking.
pub fn merge(question: &Question<'_>, mut answers: Vec<Answer>, private: Option<Answer>) -> Page {
    let Analysed { scored, sort, .. } = question.analysed;
    answers.sort_by(|a, b| a.node.cmp(&b.node));
    answers.dedup_by(|later, first| later.node == first.node);

    let mut statistics = Statistics { frequencies: vec![0; scored.len()], ..Statistics::default() };
    let mut facets = BTreeMap::new();
    let mut frontiers = Vec::new();
    let mut parts = BTreeMap::new();
    let mut found = Vec::new();
    for answer in answers {
        frontiers.push(Frontier::of(&answer, question.analysed));
        let honest = honest::sift(answer, question.analysed);
        statistics.add(&honest.statistics);
        sum_facets(&mut facets, &honest.facets);
        let part = Part { used: honest.hits.len(), total: honest.total, dropped: honest.dropped };
        found.extend(honest.hits.into_iter().map(|hit| (honest.node.clone(), hit)));
        parts.insert(honest.node, part);
    }
    let formula = Formula::new(scored, &statistics);
    let rank = |(node, hit): (Identity, Hit), private| {
        let place = place_of(&hit, formula.score(&hit.components));
        Ranked { place, node, private, hit, also_at: Vec::new() }
    };
    let in_place = |hits: &mut Vec<Ranked>| hits.sort_by(|a, b| a.place.compare(&b.place, *sort));

    let mut hits: Vec<Ranked> = found.into_iter().map(|hit| rank(hit, false)).collect();
    in_place(&mut hits);
    let mut hits = duplicates::joined(hits);
    hits.truncate(question.limit);
    let end = hits.last().filter(|_| hits.len() == question.limit).map(|ranked| ranked.place.clone());
    let exact = frontiers.iter().all(|frontier| frontier.is_behind(end.as_ref(), question.analysed, &statistics));

    if let Some(private) = private {
        let honest = honest::sift(private, question.analysed);
        hits.extend(honest.hits.into_iter().map(|hit| rank((honest.node.clone(), hit), true)));
        in_place(&mut hits);
        hits.truncate(question.limit);
    }
    Page {
        hits,
        total: Total {
            value: parts.values().map(|part: &Part| part.total).sum(),
            relation: if question.complete { Relation::Eq } else { Relation::Gte },
        },
        ranking: if exact { Ranking::Exact } else { Ranking::Approximate },
        facets: facets.into_iter().map(|(field, sums)| (field, listed(sums))).collect(),
        statistics,
        parts,
    }
}

/// The place of a hit that has this score.
pub fn place_of(hit: &Hit, score: f64) -> Place {
    Place { score, key: hit.sort_key.clone(), id: hit.card.id.clone() }
}

/// Counts by value, and those under values that somebody did not list.
#[derive(Default)]
struct Sums {
    values: BTreeMap<String, u64>,
    other: u64,
}

fn sum_facets(sums: &mut BTreeMap<FacetField, Sums>, facets: &BTreeMap<FacetField, FacetCounts>) {
    for (field, counts) in facets {
        let sums = sums.entry(*field).or_default();
        sums.other = sums.other.saturating_add(counts.other);
        for (value, count) in &counts.values {
            let sum = sums.values.entry(value.clone()).or_default();
            *sum = sum.saturating_add(*count);
        }
    }
}

fn listed(sums: Sums) -> FacetCounts {
    let mut values: Vec<(String, u64)> = sums.values.into_iter().collect();
    values.sort_by(|(a, more), (b, fewer)| fewer.cmp(more).then_with(|| a.cmp(b)));
    let rest = values.split_off(values.len().min(MOST_VALUES));
    let other = rest.iter().fold(sums.other, |sum, (_, count)| sum.saturating_add(*count));
    FacetCounts { values, other }
}
