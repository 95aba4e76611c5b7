//! The rank, computed once and the same everywhere: a sum of BM25 over components, with statistics summed over the
//! answering nodes.
//!
//! Peers send [`Component`]s (how often, in how long a field) and their [`Statistics`]; nobody sends a score. With the
//! same sums, the order is the one that a single index over all records would give (Robertson and Zaragoza, *The
//! Probabilistic Relevance Framework*, 2009; k1 = 1.2 and b = 0.75 as in tantivy and Lucene).

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::answer::SortKey;
use super::ids::DatasetId;
use super::query::{ComponentKind, ScoredTerm, Sort, TextField};

/// What one document holds of one scored term.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Component {
    /// The place of the term in `Analysed::scored`.
    pub term: u16,
    /// How often it stands in the field.
    pub frequency: u32,
    /// The field's length, as the one-byte code of tantivy's field norms.
    pub norm: u8,
}

/// Counts that make scores comparable across nodes, over the `federation` index alone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Statistics {
    /// Documents.
    pub documents: u64,
    /// Tokens by field.
    pub tokens: BTreeMap<TextField, u64>,
    /// For each scored term of the question, in its order: documents that hold it.
    pub frequencies: Vec<u64>,
}

/// BM25's k1.
pub const K1: f64 = 1.2;
/// BM25's b.
pub const B: f64 = 0.75;

impl Statistics {
    /// Adds another node's counts. Both must be answers to the same question.
    pub fn add(&mut self, other: &Self) {
        self.documents = self.documents.saturating_add(other.documents);
        for (field, tokens) in &other.tokens {
            let sum = self.tokens.entry(*field).or_default();
            *sum = sum.saturating_add(*tokens);
        }
        self.frequencies.resize(self.frequencies.len().max(other.frequencies.len()), 0);
        for (sum, frequency) in self.frequencies.iter_mut().zip(&other.frequencies) {
            *sum = sum.saturating_add(*frequency);
        }
    }

    /// Makes counts from outside harmless: no frequency above the number of documents, as many as there are terms.
    pub fn clamped(mut self, terms: usize) -> Self {
        self.frequencies.resize(terms, 0);
        for frequency in &mut self.frequencies {
            *frequency = (*frequency).min(self.documents);
        }
        self
    }

    /// The mean length of a field in tokens; 1 where nothing is known, so that nothing divides by zero.
    pub fn mean_length(&self, field: TextField) -> f64 {
        let tokens = self.tokens.get(&field).copied().unwrap_or(0);
        if tokens == 0 || self.documents == 0 { 1.0 } else { tokens as f64 / self.documents as f64 }
    }
}

/// What a title that is the query, or begins with it, adds to the rank before the term's own weight: about as much as
/// one rare word in a short field.
pub const TITLE_TIER: f64 = 8.0;

/// The score of a document with these components. Components of unknown terms count nothing.
pub fn score(components: &[Component], terms: &[ScoredTerm], statistics: &Statistics) -> f64 {
    Formula::new(terms, statistics).score(components)
}

/// The rank's formula for one question and one set of counts, ready to be applied to many documents. A node and a
/// coordinator that hold the same counts get the same bits.
#[derive(Debug, Clone)]
pub struct Formula {
    terms: Vec<Weighed>,
}

#[derive(Debug, Clone)]
enum Weighed {
    Bm25 { factor: f64, mean_length: f64 },
    Tier { factor: f64 },
}

impl Formula {
    /// The formula for these terms, in their order, and these counts. A weight that is no number counts as 0.
    pub fn new(terms: &[ScoredTerm], statistics: &Statistics) -> Self {
        let weighed = |(place, term): (usize, &ScoredTerm)| {
            let weight = if term.weight.is_finite() { f64::from(term.weight) } else { 0.0 };
            match term.kind {
                ComponentKind::TitleTier => Weighed::Tier { factor: weight * TITLE_TIER },
                ComponentKind::Term | ComponentKind::Phrase | ComponentKind::Label => {
                    let frequency = statistics.frequencies.get(place).copied().unwrap_or(0);
                    Weighed::Bm25 {
                        factor: weight * idf(statistics.documents, frequency) * (K1 + 1.0),
                        mean_length: statistics.mean_length(term.term.field),
                    }
                }
            }
        };
        Self { terms: terms.iter().enumerate().map(weighed).collect() }
    }

    /// The score of a document with these components, summed in the order given.
    pub fn score(&self, components: &[Component]) -> f64 {
        // Not `sum()`, whose empty sum is -0.0 and sorts below 0.0.
        components.iter().fold(0.0, |sum, component| sum + self.part(component))
    }

    /// What one component adds.
    pub fn part(&self, component: &Component) -> f64 {
        match self.terms.get(usize::from(component.term)) {
            Some(Weighed::Tier { factor }) if component.frequency > 0 => *factor,
            Some(Weighed::Tier { .. }) | None => 0.0,
            Some(Weighed::Bm25 { factor, mean_length }) => {
                let length = f64::from(length_of(component.norm));
                let norm = K1 * (1.0 - B + B * length / mean_length);
                let tf = f64::from(component.frequency);
                factor * tf / (tf + norm)
            }
        }
    }
}

/// Where a record stands in an order: what a cursor remembers, and what every node and every merge sort by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// Its score; 0 where the order is not by relevance.
    pub score: f64,
    /// What it is sorted by, where the order is not by relevance; none stands last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<SortKey>,
    /// Its id, whose hash breaks ties.
    pub id: DatasetId,
}

impl Place {
    /// The one order of hits, total: by score or key, then by [`DatasetId::tie_break`], then by id.
    pub fn compare(&self, other: &Self, sort: Sort) -> Ordering {
        let by_key = match sort {
            Sort::Relevance => other.score.total_cmp(&self.score),
            Sort::Modified | Sort::Size => other.key.cmp(&self.key),
            Sort::Title => match (&self.key, &other.key) {
                (None, None) => Ordering::Equal,
                (None, Some(_)) => Ordering::Greater,
                (Some(_), None) => Ordering::Less,
                (Some(mine), Some(its)) => mine.cmp(its),
            },
        };
        by_key.then_with(|| self.id.tie_break().cmp(&other.id.tie_break())).then_with(|| self.id.cmp(&other.id))
    }
}

/// The inverse document frequency, never negative: `ln(1 + (N - df + 0.5) / (df + 0.5))`.
pub fn idf(documents: u64, frequency: u64) -> f64 {
    let frequency = frequency.min(documents) as f64;
    (1.0 + (documents as f64 - frequency + 0.5) / (frequency + 0.5)).ln()
}

/// The field length that a norm code stands for: exact below 40, then in steps of an eighth of a power of two, as
/// tantivy and Lucene's `SmallFloat.byte4ToInt` have it.
pub fn length_of(norm: u8) -> u32 {
    const EXACT: u32 = 24;
    let code = u32::from(norm);
    if code < EXACT {
        return code;
    }
    let code = code - EXACT;
    let (mantissa, shift) = (code & 0x07, code >> 3);
    let value = if shift == 0 { u64::from(mantissa) } else { u64::from(mantissa | 0x08) << (shift - 1) };
    u32::try_from(u64::from(EXACT) + value).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::query::Term;
    use super::*;

    fn term(kind: ComponentKind, weight: f32) -> ScoredTerm {
        ScoredTerm { kind, term: Term { field: TextField::All, text: "x".into() }, weight }
    }

    fn counts(documents: u64, tokens: u64, frequencies: &[u64]) -> Statistics {
        Statistics { documents, tokens: BTreeMap::from([(TextField::All, tokens)]), frequencies: frequencies.to_vec() }
    }

    #[test]
    fn a_title_that_is_the_query_adds_its_tier_whatever_the_counts() {
        let terms = [term(ComponentKind::TitleTier, 1.0)];
        let component = Component { term: 0, frequency: 1, norm: 0 };
        assert_eq!(score(&[component], &terms, &Statistics::default()), TITLE_TIER);
        assert_eq!(score(&[Component { frequency: 0, ..component }], &terms, &Statistics::default()), 0.0);
    }

    #[test]
    fn undated_records_come_last_in_every_order() {
        let place = |key: Option<SortKey>, local: &str| Place {
            score: 0.0,
            key,
            id: format!("https://fi.pleiad.example/dataset/{local}").parse().unwrap(),
        };
        for sort in [Sort::Modified, Sort::Size] {
            let (dated, undated) = (place(Some(SortKey::Number(i64::MIN)), "a"), place(None, "b"));
            assert_eq!(dated.compare(&undated, sort), Ordering::Less);
        }
        let (named, unnamed) = (place(Some(SortKey::Text("zz".into())), "a"), place(None, "b"));
        assert_eq!(named.compare(&unnamed, Sort::Title), Ordering::Less);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_score_is_finite_and_never_negative_whatever_a_peer_counts(
            documents: u64, tokens: u64, frequency: u64, tf: u32, norm: u8, weight in 0.0f32..10.0,
        ) {
            let statistics = counts(documents, tokens, &[frequency]).clamped(1);
            let value = score(&[Component { term: 0, frequency: tf, norm }], &[term(ComponentKind::Term, weight)], &statistics);
            prop_assert!(value.is_finite() && value >= 0.0, "{value}");
        }

        #[test]
        fn more_of_a_word_never_ranks_lower_and_a_longer_field_never_higher(tf in 1u32..1000, norm in 0u8..255) {
            let (terms, statistics) = ([term(ComponentKind::Term, 1.0)], counts(1000, 50_000, &[10]));
            let of = |frequency, norm| score(&[Component { term: 0, frequency, norm }], &terms, &statistics);
            prop_assert!(of(tf + 1, norm) >= of(tf, norm));
            prop_assert!(of(tf, norm + 1) <= of(tf, norm));
        }
    }
}
