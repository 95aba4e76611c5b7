//! One search over the index as it was at the last commit: match, count, rank, and fetch what the best look like.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Instant;

use tantivy::schema::Value as _;
use tantivy::{Searcher, TERMINATED, TantivyDocument};

use crate::domain::answer::{FacetCounts, Highlight, SortKey};
use crate::domain::dataset::Visibility;
use crate::domain::ids::{DatasetId, Digest, Identity, Seq};
use crate::domain::query::{Analysed, FacetField};
use crate::domain::score::{Component, Formula, Place, Statistics};

use super::IndexError;
use super::collector::{Best, Collector};
use super::docs::{Deadline, Docs};
use super::facets::Counter;
use super::fields::{Fields, Shown};
use super::highlight::Wanted;
use super::question::check;
use super::statistics::statistics;

/// What is asked of an index.
#[derive(Debug, Clone)]
pub struct IndexQuery {
    /// The question in the index's terms.
    pub analysed: Analysed,
    /// How many hits, at most [`super::MAX_HITS`].
    pub k: usize,
    /// The counts that steer which hits are the best; none for the index's own.
    pub statistics: Option<Statistics>,
    /// Only what stands after this place.
    pub after: Option<Place>,
    /// Who asks: read by the private index alone, which answers nothing to nobody.
    pub asker: Option<Identity>,
    /// When an answer is no longer of use.
    pub deadline: Instant,
}

/// What an index answers.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexAnswer {
    /// The best, best first.
    pub hits: Vec<IndexHit>,
    /// How many records match; exact.
    pub total: u64,
    /// Values counted over all that match.
    pub facets: BTreeMap<FacetField, FacetCounts>,
    /// The index's own counts for the question; empty for the private index, which exports none.
    pub statistics: Statistics,
    /// The log position that the answer speaks of.
    pub position: Seq,
}

/// A record that matches.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexHit {
    /// Its id.
    pub id: DatasetId,
    /// The log position of the revision that was indexed.
    pub seq: Seq,
    /// Its score by the steering counts; 0 where the order is not by relevance.
    pub score: f64,
    /// What it is sorted by, where the order is not by relevance.
    pub sort_key: Option<SortKey>,
    /// What it holds of each scored term, in the order of the terms.
    pub components: Vec<Component>,
    /// Where it matched.
    pub highlights: Vec<Highlight>,
}

impl IndexHit {
    /// Where it stands: the cursor for what comes after it.
    pub fn place(&self) -> Place {
        Place { score: self.score, key: self.sort_key.clone(), id: self.id.clone() }
    }
}

/// A search over one commit.
pub(super) struct Reader<'a> {
    /// The commit.
    pub(super) searcher: Searcher,
    /// The schema.
    pub(super) fields: &'a Fields,
    /// The index's class.
    pub(super) class: Visibility,
    /// The log position of the commit.
    pub(super) position: Seq,
}

impl Reader<'_> {
    /// Answers a question. Takes as long as it takes, up to the deadline: never call it where others wait.
    pub(super) fn search(&self, query: &IndexQuery) -> Result<IndexAnswer, IndexError> {
        check(&query.analysed, query.k)?;
        let question = &query.analysed;
        let deadline = Deadline::new(query.deadline);
        deadline.check()?;
        let own = statistics(&self.searcher, self.fields, &question.scored, &deadline)?;
        let steering = query.statistics.clone().unwrap_or_else(|| own.clone()).clamped(question.scored.len());
        let exported = match self.class {
            Visibility::Federation => own,
            Visibility::Private => Statistics::default().clamped(question.scored.len()),
        };
        let mut answer = IndexAnswer {
            hits: Vec::new(),
            total: 0,
            facets: BTreeMap::new(),
            statistics: exported,
            position: self.position,
        };
        let reader = match (self.class, &query.asker) {
            (Visibility::Federation, _) => None,
            (Visibility::Private, Some(asker)) => Some(asker.to_string()),
            (Visibility::Private, None) => return Ok(answer),
        };

        let formula = Formula::new(&question.scored, &steering);
        let collector = Collector {
            question,
            formula: &formula,
            k: query.k,
            after: query.after.as_ref(),
            reader: reader.as_deref(),
            fields: self.fields,
            deadline: &deadline,
        };
        let mut counters: Vec<Counter> = question.facets.iter().map(|field| Counter::new(*field)).collect();
        let mut hits = Vec::new();
        for (number, segment) in self.searcher.segment_readers().iter().enumerate() {
            let collected = collector.collect(segment, &mut counters)?;
            answer.total += collected.total;
            for best in collected.best {
                hits.push((number, best));
            }
        }
        answer.facets = counters.into_iter().map(Counter::finish).collect();
        answer.hits = self.fetch(query, hits, &deadline)?;
        Ok(answer)
    }

    /// Orders the best of all segments, and fetches what the k best look like.
    fn fetch(
        &self,
        query: &IndexQuery,
        best: Vec<(usize, Best)>,
        deadline: &Rc<Deadline>,
    ) -> Result<Vec<IndexHit>, IndexError> {
        let wanted = Wanted::of(&query.analysed);
        let mut found = Vec::with_capacity(best.len());
        for (number, best) in best {
            deadline.check()?;
            let segment = self.searcher.segment_reader(u32::try_from(number).unwrap_or(u32::MAX));
            let address = tantivy::DocAddress::new(u32::try_from(number).unwrap_or(u32::MAX), best.doc);
            let document: TantivyDocument = self.searcher.doc(address)?;
            let text = |field| document.get_first(field).and_then(|value| value.as_str()).unwrap_or_default();
            let id: DatasetId = text(self.fields.id)
                .parse()
                .map_err(|_| IndexError::Damaged("a document without a valid id".to_owned()))?;
            let seq = Seq(segment.fast_fields().u64("seq")?.first(best.doc).unwrap_or(0));
            let shown = text(self.fields.shown).to_owned();
            let Best { score, key, components, .. } = best;
            let hit = IndexHit { id, seq, score, sort_key: key, components, highlights: Vec::new() };
            found.push((hit.place(), hit, shown));
        }
        found.sort_by(|(one, ..), (other, ..)| one.compare(other, query.analysed.sort));
        found.truncate(query.k);
        let highlighted = found.into_iter().map(|(_, hit, shown)| {
            deadline.check()?;
            let texts: Vec<Shown> = serde_json::from_str(&shown).unwrap_or_default();
            // A stemmer that fails on a text costs its highlight and nothing else.
            let highlights = std::panic::catch_unwind(|| wanted.highlights(&texts)).unwrap_or_default();
            Ok(IndexHit { highlights, ..hit })
        });
        highlighted.collect()
    }

    /// The number of live documents, and the sum of [`entry_digest`] over them.
    pub(super) fn digest(&self) -> Result<(u64, u128), IndexError> {
        let (mut count, mut sum) = (0u64, 0u128);
        for segment in self.searcher.segment_readers() {
            let inverted = segment.inverted_index(self.fields.id)?;
            let seqs = segment.fast_fields().u64("seq")?;
            let mut ids = inverted.terms().stream()?;
            while ids.advance() {
                let postings =
                    inverted.read_postings_from_terminfo(ids.value(), tantivy::schema::IndexRecordOption::Basic)?;
                let mut docs = Docs::Term(Box::new(postings));
                let mut doc = docs.doc();
                while doc != TERMINATED {
                    if !segment.is_deleted(doc) {
                        let seq = Seq(seqs.first(doc).unwrap_or(0));
                        count += 1;
                        sum = sum.wrapping_add(entry_digest(&String::from_utf8_lossy(ids.key()), seq));
                    }
                    doc = docs.advance();
                }
            }
        }
        Ok((count, sum))
    }
}

/// What one live record adds to an index's digest: the first 16 bytes of the SHA-256 of its id, a zero byte and the
/// position of its revision in 8 bytes, big-endian. The store sums the same over its records, wrapping.
pub fn entry_digest(id: &str, seq: Seq) -> u128 {
    let mut bytes = Vec::with_capacity(id.len() + 9);
    bytes.extend_from_slice(id.as_bytes());
    bytes.push(0);
    bytes.extend_from_slice(&seq.0.to_be_bytes());
    let Digest(digest) = Digest::of(&bytes);
    digest.iter().take(16).fold(0, |number, byte| number << 8 | u128::from(*byte))
}
