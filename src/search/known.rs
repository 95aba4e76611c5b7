//! What is remembered of earlier answers: how common the words are across the federation.
//!
//! A peer that ranks by the federation's counts sends the hits that the merge will put first; one that ranks by its own
//! sends nearly those. So the coordinator sends along what it knows from the last complete page, and [`merge`] ranks by
//! the counts that come back, whatever was sent. Nothing here is about who asked.
//!
//! [`merge`]: mod@super::merge

use std::collections::{BTreeMap, HashMap};

use parking_lot::Mutex;

use crate::domain::query::{ComponentKind, ScoredTerm, Term, TextField};
use crate::domain::score::Statistics;

/// How many terms are remembered.
const MOST_TERMS: usize = 50_000;

/// Counts of the last complete pages.
#[derive(Debug, Default)]
pub struct Known(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    documents: u64,
    tokens: BTreeMap<TextField, u64>,
    frequencies: HashMap<(ComponentKind, Term), u64>,
}

impl Known {
    /// The counts for a question, if every term of it is known.
    pub fn statistics(&self, terms: &[ScoredTerm]) -> Option<Statistics> {
        let counts = self.0.lock();
        let frequencies: Vec<u64> = terms
            .iter()
            .map(|scored| counts.frequencies.get(&(scored.kind, scored.term.clone())).copied())
            .collect::<Option<_>>()?;
        let tokens = terms
            .iter()
            .map(|scored| Some((scored.term.field, counts.tokens.get(&scored.term.field).copied()?)))
            .collect::<Option<_>>()?;
        let statistics = Statistics { documents: counts.documents, tokens, frequencies };
        (!terms.is_empty()).then(|| statistics.clamped(terms.len()))
    }

    /// Remembers the sums of a page for which every node answered.
    pub fn remember(&self, terms: &[ScoredTerm], sums: &Statistics) {
        let mut counts = self.0.lock();
        counts.documents = sums.documents;
        counts.tokens.extend(sums.tokens.iter().map(|(field, tokens)| (*field, *tokens)));
        if counts.frequencies.len() + terms.len() > MOST_TERMS {
            counts.frequencies.clear();
        }
        for (scored, frequency) in terms.iter().zip(&sums.frequencies) {
            counts.frequencies.insert((scored.kind, scored.term.clone()), *frequency);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn term(text: &str) -> ScoredTerm {
        let term = Term { field: TextField::All, text: text.to_owned() };
        ScoredTerm { kind: ComponentKind::Term, term, weight: 1.0 }
    }

    #[test]
    fn counts_are_given_only_when_every_term_is_known() {
        let known = Known::default();
        let (a, b) = (term("a"), term("b"));
        let tokens = BTreeMap::from([(TextField::All, 100)]);
        let sums = Statistics { documents: 10, tokens, frequencies: vec![4] };
        known.remember(std::slice::from_ref(&a), &sums);
        assert_eq!(known.statistics(std::slice::from_ref(&a)), Some(sums));
        assert_eq!(known.statistics(&[a, b]), None);
        assert_eq!(known.statistics(&[]), None);
    }
}
