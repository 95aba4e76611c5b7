//! What every kind of source shares while it is read: where drafts go, what is counted, and what was seen.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::gone::Seen;
use super::{Door, Source, Taken};
use crate::domain::event::Actor;
use crate::domain::harvest::{HarvestCounts, HarvestRefusal, REFUSALS};
use crate::domain::ids::Iri;
use crate::formats::dcat::ReadError;
use crate::formats::oai_pmh::OaiError;
use crate::formats::{Common, Draft, Refused};
use crate::outbound::public::{Ask, Public, PublicError};

/// How many drafts go to the catalogue together.
pub(super) const BATCH: usize = 200;
/// How long one request may take, large dumps included; the deadline of the run is above it.
const REQUEST: Duration = Duration::from_secs(30 * 60);
/// The most bytes of an answer that is held in memory.
const IN_MEMORY: u64 = 64 << 20;
/// How much of a refusal is kept.
const WORDS: usize = 500;

/// How far a run is. A clone is the same: the run writes, doors read.
#[derive(Debug, Clone, Default)]
pub(super) struct Progress(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    counts: HarvestCounts,
    refusals: Vec<HarvestRefusal>,
    stage: String,
    seen: Seen,
    /// A record was refused of which nobody knows which it is: it must not be taken for one that is gone.
    nameless: bool,
}

impl Progress {
    /// What was brought so far, and at what it is.
    pub(super) fn so_far(&self) -> (HarvestCounts, String) {
        let state = self.0.lock();
        (state.counts, state.stage.clone())
    }

    /// The first refusals.
    pub(super) fn refusals(&self) -> Vec<HarvestRefusal> {
        self.0.lock().refusals.clone()
    }

    /// Says at what the run is: what a run that hangs hangs at.
    pub(super) fn at(&self, stage: String) {
        self.0.lock().stage = stage;
    }

    pub(super) fn withdrew(&self) {
        self.0.lock().counts.withdrawn += 1;
    }

    /// What was seen, and whether a record was refused of which nobody knows which it is.
    pub(super) fn take_seen(&self) -> (Seen, bool) {
        let mut state = self.0.lock();
        (std::mem::take(&mut state.seen), state.nameless)
    }

    /// A record was not taken.
    pub(super) fn refuse(&self, place: &str, reason: &str) {
        let short = |text: &str| text.chars().filter(|c| !c.is_control()).take(WORDS).collect();
        let mut state = self.0.lock();
        state.counts.refused += 1;
        if state.refusals.len() < REFUSALS {
            state.refusals.push(HarvestRefusal { place: short(place), reason: short(reason) });
        }
    }

    /// A record is there, though it was not read.
    pub(super) fn there(&self, iri: String) {
        self.0.lock().seen.there.insert(iri);
    }

    /// The source said that it deleted a record.
    pub(super) fn deleted(&self, iri: String) {
        self.0.lock().seen.deleted.insert(iri);
    }

    fn saw(&self, read: &Result<Draft, Refused>) {
        let mut state = self.0.lock();
        state.counts.read += 1;
        match read {
            Ok(draft) => {
                state.seen.there.insert(draft.source.iri.to_string());
            }
            // It is there, though it cannot be read.
            Err(refused) if refused.place.parse::<Iri>().is_ok() => {
                state.seen.there.insert(refused.place.clone());
            }
            Err(_) => state.nameless = true,
        }
    }

    fn took(&self, taken: &Taken) {
        let counts = &mut self.0.lock().counts;
        match taken {
            Taken::Registered => counts.registered += 1,
            Taken::Revised => counts.revised += 1,
            Taken::Unchanged => counts.unchanged += 1,
            Taken::Withdrawn => counts.returned += 1,
            Taken::Refused(_) => {}
        }
    }
}

/// Why reading a source broke off.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broke {
    /// It could not be fetched.
    #[error(transparent)]
    Fetch(#[from] PublicError),
    /// It is no OAI-PMH.
    #[error("{0}")]
    Oai(#[from] OaiError),
    /// It is no RDF.
    #[error("{0}")]
    Read(#[from] ReadError),
    /// Anything else, in words.
    #[error("{0}")]
    Other(String),
}

/// A source that is being read.
pub(super) struct Crawl<'r> {
    pub(super) source: &'r Source,
    pub(super) public: &'r Public,
    pub(super) door: &'r Door,
    pub(super) actor: &'r Actor,
    pub(super) progress: &'r Progress,
}

impl Crawl<'_> {
    /// What every record of the source shares.
    pub(super) fn common(&self) -> Common {
        Common { source: self.source.name.clone(), country: self.source.country.clone() }
    }

    /// A request under the source's bounds.
    pub(super) fn ask(&self, url: url::Url) -> Ask {
        let origin = self.source.address.host_str().map(str::to_owned);
        Ask { max_bytes: self.source.max_bytes, time: REQUEST, origin, ..Ask::new(url) }
    }

    /// A request for an answer that is held in memory, however much the source may bring in all.
    pub(super) fn ask_in_memory(&self, url: url::Url) -> Ask {
        Ask { max_bytes: self.source.max_bytes.min(IN_MEMORY), ..self.ask(url) }
    }

    /// Hands what was read to the catalogue and counts what became of it.
    pub(super) async fn take(&self, read: Vec<Result<Draft, Refused>>) -> Result<(), Broke> {
        let mut drafts = Vec::with_capacity(read.len());
        for one in read {
            self.progress.saw(&one);
            match one {
                Ok(draft) => drafts.push(draft),
                Err(refused) => self.progress.refuse(&refused.place, &refused.reason),
            }
        }
        while !drafts.is_empty() {
            let batch: Vec<Draft> = drafts.drain(..drafts.len().min(BATCH)).collect();
            let places: Vec<String> = batch.iter().map(|draft| draft.source.iri.to_string()).collect();
            let import = &self.door.import;
            let outcomes = import(self.actor.clone(), self.source.owner.clone(), batch).await.map_err(Broke::Other)?;
            for (place, taken) in places.iter().zip(&outcomes) {
                self.progress.took(taken);
                if let Taken::Refused(reason) = taken {
                    self.progress.refuse(place, reason);
                }
            }
        }
        Ok(())
    }
}
