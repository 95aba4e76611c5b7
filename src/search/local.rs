//! One node's own answer: [`Local::search_local`] is what a peer gets. It has no peers, so no question can travel on.

use std::collections::BTreeSet;
use std::time::Instant;

use jiff::Timestamp;

use crate::domain::answer::{Card, Hit, LocalAnswer};
use crate::domain::ids::{Country, DatasetId, Identity, Seq};
use crate::domain::lifecycle::State;
use crate::domain::offerable::Offerable;
use crate::domain::query::Analysed;
use crate::domain::score::Statistics;
use crate::index::{Index, IndexError, IndexHit, IndexQuery, analyser_id};
use crate::store::{Store, StoreError};

/// The most hits that are asked of the index to replace those whose record has changed since it was indexed.
const SPARE: usize = 10;

/// What this node answers alone. Cheap to clone.
#[derive(Clone)]
pub struct Local {
    node: Identity,
    countries: BTreeSet<Country>,
    index: Index,
    store: Store,
}

/// A question to one node.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The question in the index's terms.
    pub question: Analysed,
    /// How many hits.
    pub hits: usize,
    /// The counts to rank by; none for the index's own.
    pub steering: Option<Statistics>,
    /// When an answer is no longer of use.
    pub deadline: Instant,
}

/// An answer with the state of the index that it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// The answer.
    pub answer: LocalAnswer,
    /// For how long something has been in the log that the index does not show, in milliseconds; 0 when nothing is.
    pub index_age_ms: u64,
}

/// Why this node did not answer.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// The index did not.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The records could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Local {
    /// What this node answers from its `federation` index and its records.
    pub fn new(node: Identity, countries: BTreeSet<Country>, index: Index, store: Store) -> Self {
        Self { node, countries, index, store }
    }

    /// Who answers.
    pub fn node(&self) -> &Identity {
        &self.node
    }

    /// The countries it speaks for.
    pub fn countries(&self) -> &BTreeSet<Country> {
        &self.countries
    }

    /// The analyser whose terms its index holds.
    pub fn analyser(&self) -> String {
        analyser_id()
    }

    /// The index and the records it answers from.
    pub(super) fn records(&self) -> (&Index, &Store) {
        (&self.index, &self.store)
    }

    /// Answers a question from the `federation` records of this node, without knowing who asks.
    pub async fn search_local(&self, asked: Asked, now: Timestamp) -> Result<Answered, LocalError> {
        let answer = find(&self.index, &self.store, asked, None).await?;
        let index_age_ms = self.index_age_ms(answer.position, now).await?;
        Ok(Answered { answer, index_age_ms })
    }

    /// The position that the index has applied, and for how many milliseconds something has waited after it.
    pub async fn index_state(&self, now: Timestamp) -> Result<(Seq, u64), StoreError> {
        let position = *self.index.position().borrow();
        Ok((position, self.index_age_ms(position, now).await?))
    }

    async fn index_age_ms(&self, position: Seq, now: Timestamp) -> Result<u64, StoreError> {
        if position >= self.store.head() {
            return Ok(0);
        }
        let waiting = self.store.read_from(position, 1).await?;
        let since = waiting.first().map_or(now, |entry| entry.event.at);
        Ok(u64::try_from(now.duration_since(since).as_millis()).unwrap_or(0))
    }
}

/// Asks an index, and makes its hits into cards from the records as they stand. A hit whose record has changed since it
/// was indexed, or is gone, is dropped: nothing stale is ever shown.
pub(super) async fn find(
    index: &Index,
    store: &Store,
    asked: Asked,
    asker: Option<Identity>,
) -> Result<LocalAnswer, LocalError> {
    let Asked { question, hits, steering, deadline } = asked;
    let query = IndexQuery {
        analysed: question,
        k: hits.saturating_add(SPARE),
        statistics: steering,
        after: None,
        asker,
        deadline,
    };
    let found = index.search(query).await?;
    let ids: Vec<DatasetId> = found.hits.iter().map(|hit| hit.id.clone()).collect();
    let records = store.current(&ids).await?;
    let shown = found.hits.into_iter().filter_map(|hit| {
        let IndexHit { id, seq, components, sort_key, highlights, .. } = hit;
        let record = records.get(&id).filter(|record| record.seq == seq && record.stands() == State::Published)?;
        let card = Card::of(record, Offerable::of(record).is_ok());
        Some(Hit { card, seq, components, sort_key, highlights })
    });
    Ok(LocalAnswer {
        statistics: found.statistics,
        total: found.total,
        hits: shown.take(hits).collect(),
        facets: found.facets,
        position: found.position,
    })
}
