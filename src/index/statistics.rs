//! What this index counts for a question: documents, tokens and frequencies, so that nodes can add them up.
//!
//! Counted as tantivy counts them, deleted documents included until they are merged away, in all three alike.

use std::collections::BTreeMap;
use std::rc::Rc;

use tantivy::{Searcher, TERMINATED, Term};

use crate::domain::query::{ComponentKind, ScoredTerm};
use crate::domain::score::Statistics;

use super::IndexError;
use super::docs::{Deadline, Docs, Source};
use super::fields::Fields;

/// The index's counts for these terms, in their order.
pub(super) fn statistics(
    searcher: &Searcher,
    fields: &Fields,
    terms: &[ScoredTerm],
    deadline: &Rc<Deadline>,
) -> Result<Statistics, IndexError> {
    let documents = searcher.segment_readers().iter().map(|segment| u64::from(segment.max_doc())).sum();
    let mut tokens = BTreeMap::new();
    let mut frequencies = Vec::with_capacity(terms.len());
    for ScoredTerm { kind, term, .. } in terms {
        deadline.check()?;
        let field = fields.text(term.field);
        if let std::collections::btree_map::Entry::Vacant(unknown) = tokens.entry(term.field) {
            let mut sum = 0u64;
            for segment in searcher.segment_readers() {
                sum += segment.inverted_index(field)?.total_num_tokens();
            }
            unknown.insert(sum);
        }
        frequencies.push(match kind {
            ComponentKind::Term | ComponentKind::Label => {
                searcher.doc_freq(&Term::from_field_text(field, &term.text))?
            }
            ComponentKind::Phrase => phrase_frequency(searcher, fields, term, deadline)?,
            // The tier's part does not depend on any count.
            ComponentKind::TitleTier => 0,
        });
    }
    Ok(Statistics { documents, tokens, frequencies })
}

/// The places of a scored phrase: one word each.
pub(super) fn places(text: &str) -> Vec<Vec<String>> {
    text.split(' ').map(|word| vec![word.to_owned()]).collect()
}

fn phrase_frequency(
    searcher: &Searcher,
    fields: &Fields,
    term: &crate::domain::query::Term,
    deadline: &Rc<Deadline>,
) -> Result<u64, IndexError> {
    let mut frequency = 0;
    for segment in searcher.segment_readers() {
        let source = Source { segment, fields, deadline };
        let Some(phrase) = source.phrase(fields.text(term.field), &places(&term.text))? else { continue };
        let mut docs = Docs::Phrase(Box::new(phrase));
        while docs.doc() != TERMINATED {
            deadline.check()?;
            frequency += 1;
            docs.advance();
        }
    }
    deadline.check()?;
    Ok(frequency)
}
