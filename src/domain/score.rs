//! The rank, computed once and the same everywhere: a sum of BM25 over components, with statistics summed over the
//! answering nodes.
//!
//! Peers send [`Component`]s (how often, in how long a field) and their [`Statistics`]; nobody sends a score. With the
//! same sums, the order is the one that a single index over all records would give (Robertson and Zaragoza, *The
//! Probabilistic Relevance Framework*, 2009; k1 = 1.2 and b = 0.75 as in tantivy and Lucene).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::query::{ScoredTerm, TextField};

/// What one document holds of one scored term.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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

/// The score of a document with these components. Components of unknown terms count nothing.
pub fn score(components: &[Component], terms: &[ScoredTerm], statistics: &Statistics) -> f64 {
    components
        .iter()
        .filter_map(|component| {
            let place = usize::from(component.term);
            let term = terms.get(place)?;
            let frequency = statistics.frequencies.get(place).copied().unwrap_or(0);
            let length = f64::from(length_of(component.norm));
            let norm = K1 * (1.0 - B + B * length / statistics.mean_length(term.term.field));
            let tf = f64::from(component.frequency);
            Some(f64::from(term.weight) * idf(statistics.documents, frequency) * (tf * (K1 + 1.0)) / (tf + norm))
        })
        .sum()
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
