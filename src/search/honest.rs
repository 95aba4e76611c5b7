//! What of an answer can be believed: the part of [`merge`](mod@super::merge) that faces a node that lies or errs. Pure.
//!
//! A peer is authenticated, not believed. It speaks for its own domain and its own countries, for at most as many hits
//! as it was asked for, each once, and not for records that plainly do not meet the question. Its counts are held
//! against each other and against what a node can be: no frequency above the number of documents or below the number
//! of hits that show the term, no mean length that no record has.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::merge::Answer;
use crate::domain::answer::{Card, FacetCounts, Hit, SortKey};
use crate::domain::ids::Identity;
use crate::domain::query::{Analysed, ComponentKind, FacetField, Filters, ScoredTerm, Sort};
use crate::domain::score::{Component, Statistics};

/// More records than any node holds: 500 times the largest.
const MOST_DOCUMENTS: u64 = 1_000_000_000;
/// More tokens than the records of any node have on average.
const MOST_MEAN_LENGTH: u64 = 100_000;
/// The most values of one facet that a node may list.
const MOST_VALUES: usize = 1_000;
/// The longest value of a facet, in bytes.
const LONGEST_VALUE: usize = 2_048;

/// What is left of an answer.
pub struct Honest {
    /// Who answered.
    pub node: Identity,
    /// Its counts, harmless.
    pub statistics: Statistics,
    /// How many of its records match.
    pub total: u64,
    /// Its hits, each with its components in the order of the terms, each term once.
    pub hits: Vec<Hit>,
    /// Its facets.
    pub facets: BTreeMap<FacetField, FacetCounts>,
    /// What was left out.
    pub dropped: Dropped,
}

/// What was left out of an answer, counted by reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Dropped {
    /// Hits whose id is under the domain of another member.
    pub other_member: usize,
    /// Hits of a country that the node may not speak for.
    pub other_country: usize,
    /// Hits that plainly do not meet a constraint.
    pub not_matching: usize,
    /// Hits that were sent before.
    pub repeated: usize,
    /// Hits beyond the number asked for.
    pub surplus: usize,
    /// Counts that could not be true and were put right.
    pub counts: usize,
}

impl Dropped {
    /// How many hits.
    pub fn hits(&self) -> usize {
        self.other_member + self.other_country + self.not_matching + self.repeated + self.surplus
    }

    /// What a reader should know of it; `None` when nothing was left out.
    pub fn describe(&self) -> Option<String> {
        let reasons = [
            (self.other_member, "ids of another member"),
            (self.other_country, "countries it may not speak for"),
            (self.not_matching, "records that do not meet the question"),
            (self.repeated, "repeated records"),
            (self.surplus, "more than was asked for"),
            (self.counts, "counts that cannot be true"),
        ];
        let said: Vec<String> = reasons
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, reason)| format!("{reason} ({count})"))
            .collect();
        (!said.is_empty()).then(|| format!("left out of its answer: {}", said.join(", ")))
    }
}

/// Keeps of an answer what can be believed.
pub fn sift(answer: Answer, question: &Analysed) -> Honest {
    let Answer { node, countries, asked, answer, .. } = answer;
    let mut dropped = Dropped::default();
    let mut seen = BTreeSet::new();
    let mut hits: Vec<Hit> = Vec::with_capacity(answer.hits.len().min(asked));
    for mut hit in answer.hits {
        if !hit.card.id.is_under(node.domain()) {
            dropped.other_member += 1;
        } else if !countries.contains(&hit.card.country) {
            dropped.other_country += 1;
        } else if contradicts(&question.filters, &hit.card) {
            dropped.not_matching += 1;
        } else if !seen.insert(hit.card.id.clone()) {
            dropped.repeated += 1;
        } else if hits.len() == asked {
            dropped.surplus += 1;
        } else {
            dropped.counts += in_order(&mut hit.components, question.scored.len());
            hit.sort_key = hit.sort_key.filter(|key| is_of(question.sort, key));
            hits.push(hit);
        }
    }
    let statistics = credible(&answer.statistics, &hits, &question.scored, &mut dropped.counts);
    let kept = hits.len() as u64;
    let left_out = (dropped.other_member + dropped.other_country + dropped.not_matching + dropped.repeated) as u64;
    let total = answer.total.saturating_sub(left_out).clamp(kept, statistics.documents.max(kept));
    dropped.counts += usize::from(answer.total > statistics.documents);
    let facets = answer
        .facets
        .into_iter()
        .filter(|(field, _)| question.facets.contains(field))
        .map(|(field, counts)| {
            let may_say = |value: &str| {
                !value.is_empty()
                    && value.len() <= LONGEST_VALUE
                    && (field != FacetField::Country || countries.iter().any(|country| country.as_str() == value))
            };
            (field, credible_facet(counts, total, may_say))
        })
        .collect();
    Honest { node, statistics, total, hits, facets, dropped }
}

/// Whether a record can be sorted by this key in this order; what is not is sorted as if it had none.
fn is_of(sort: Sort, key: &SortKey) -> bool {
    match sort {
        Sort::Relevance => false,
        Sort::Modified | Sort::Size => matches!(key, SortKey::Number(_)),
        Sort::Title => matches!(key, SortKey::Text(_)),
    }
}

/// Puts the components in the order of the terms, each term once; says how many were left out. With one order, equal
/// records have equal scores to the last bit.
fn in_order(components: &mut Vec<Component>, terms: usize) -> usize {
    let sent = components.len();
    components.retain(|component| usize::from(component.term) < terms && component.frequency > 0);
    components.sort_by_key(|component| component.term);
    components.dedup_by_key(|component| component.term);
    sent - components.len()
}

fn credible(stated: &Statistics, hits: &[Hit], terms: &[ScoredTerm], wrong: &mut usize) -> Statistics {
    let mut put_right = |stated: u64, low: u64, high: u64| {
        let credible = stated.clamp(low, high);
        *wrong += usize::from(credible != stated);
        credible
    };
    let documents = put_right(stated.documents, hits.len() as u64, MOST_DOCUMENTS);
    let tokens = stated
        .tokens
        .iter()
        .map(|(field, tokens)| (*field, put_right(*tokens, 0, documents.saturating_mul(MOST_MEAN_LENGTH))))
        .collect();
    let shown = |place: usize| {
        let holds = |hit: &&Hit| hit.components.iter().any(|component| usize::from(component.term) == place);
        hits.iter().filter(holds).count() as u64
    };
    let frequencies = terms
        .iter()
        .enumerate()
        .map(|(place, term)| {
            // How often a title is the query is a count that no score needs.
            let least = if term.kind == ComponentKind::TitleTier { 0 } else { shown(place) };
            put_right(stated.frequencies.get(place).copied().unwrap_or(0), least, documents)
        })
        .collect();
    Statistics { documents, tokens, frequencies }
}

fn credible_facet(counts: FacetCounts, total: u64, may_say: impl Fn(&str) -> bool) -> FacetCounts {
    let mut seen = BTreeSet::new();
    let values = counts
        .values
        .into_iter()
        .filter(|(value, _)| may_say(value) && seen.insert(value.clone()))
        .take(MOST_VALUES)
        .map(|(value, count)| (value, count.min(total)))
        .collect();
    // A record may carry several values, each of them unlisted; more than 100 each is not a record any more.
    FacetCounts { values, other: counts.other.min(total.saturating_mul(100)) }
}

/// Whether a record, as far as its card shows, does not meet the constraints. A card that is silent contradicts nothing.
fn contradicts(filters: &Filters, card: &Card) -> bool {
    let none_of = |field: FacetField, shown: &[&str]| {
        filters.facets.get(&field).is_some_and(|allowed| {
            !allowed.is_empty()
                && !shown.is_empty()
                && !shown.iter().any(|shown| allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(shown)))
        })
    };
    let modalities: Vec<&str> = card.modalities.iter().map(|modality| modality.as_str()).collect();
    let licence_class: Vec<&str> = card.licence_class.iter().map(|class| class.as_str()).collect();
    none_of(FacetField::Country, &[card.country.as_str()])
        || none_of(FacetField::Access, &[card.access_rights.as_str()])
        || none_of(FacetField::PersonalData, &[card.personal_data.as_str()])
        || none_of(FacetField::Modality, &modalities)
        || none_of(FacetField::LicenceClass, &licence_class)
        || card.modified.is_some_and(|date| {
            filters.modified_from.is_some_and(|from| date < from) || filters.modified_to.is_some_and(|to| date > to)
        })
        || card.bytes.is_some_and(|bytes| {
            filters.bytes_min.is_some_and(|least| bytes < least) || filters.bytes_max.is_some_and(|most| bytes > most)
        })
}
