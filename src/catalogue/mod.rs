//! The catalogue of a node: register, revise, publish, withdraw, change many at once, import. This is the flow to
//! imitate.
//!
//! A flow takes values that are valid already, holds them to the rules that only the node can know (its domain, its
//! countries, who owns what, what is in force), and appends the events that follow, with what it expects of the log: the
//! store checks that in the same transaction, so two callers at once cannot both be right. It returns when the events
//! are durable, and every error says what to do. An id is never reused: a withdrawal keeps it taken.

mod changes;
mod error;
mod history;
mod import;
mod licences;
mod lifecycle;
pub mod plan;
mod rules;

use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use uuid::{NoContext, Uuid};

use crate::clock::Clock;
use crate::domain::dataset::{Dataset, Registered, Source, Withdrawn};
use crate::domain::event::{Actor, Event, What};
use crate::domain::ids::{
    Country, DatasetId, Digest, Identity, IdentityKind, InvalidName, Iri, Revision, Seq, TrustDomain,
};
use crate::domain::lifecycle::State;
use crate::domain::offerable::{Missing, Offerable};
use crate::domain::warnings::{Warning, warnings};
use crate::schema;
use crate::store::{AppendError, Expectation, Priority, Store};

pub use changes::{Became, Done, How, Operation};
pub use error::CatalogueError;
pub use history::{By, Difference, HistoryLine, Kind, Stood};
pub use import::Incoming;
// A door asks for a list in these words, and need not know that it is the store that answers.
pub use crate::store::{DatasetFilter, KeptText, MAX_SOURCE_TEXT};

/// The catalogue of one node. A clone is the same catalogue.
#[derive(Debug, Clone)]
pub struct Catalogue {
    store: Store,
    clock: Arc<dyn Clock>,
    domain: TrustDomain,
    countries: Arc<[Country]>,
}

/// Which revision a change was made from; what `If-Match` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IfMatch {
    /// Whatever stands now.
    Any,
    /// This revision.
    Revision(Revision),
    /// One of these entity tags ([`Registered::etag`]).
    Tags(Vec<Digest>),
}

impl IfMatch {
    fn holds(&self, record: &Registered) -> bool {
        match self {
            Self::Any => true,
            Self::Revision(revision) => *revision == record.revision,
            Self::Tags(tags) => tags.contains(&record.etag()),
        }
    }
}

/// What became of a dataset that was sent.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It is new here.
    Registered(Registered),
    /// It got a further revision.
    Revised(Registered),
    /// It says what stood there already; nothing was written.
    Unchanged(Registered),
}

impl Outcome {
    /// The record as it stands now.
    pub fn record(&self) -> &Registered {
        match self {
            Self::Registered(record) | Self::Revised(record) | Self::Unchanged(record) => record,
        }
    }

    /// The record as it stands now.
    pub fn into_record(self) -> Registered {
        match self {
            Self::Registered(record) | Self::Revised(record) | Self::Unchanged(record) => record,
        }
    }
}

/// How a record stands: whether it may be offered, what is missing for that, and what is doubtful.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Assessment {
    /// Whether it may be offered and requested.
    pub offerable: bool,
    /// What keeps it from that.
    pub missing: Vec<Missing>,
    /// What a steward should look at again; it keeps nothing back.
    pub warnings: Vec<Warning>,
}

/// Everything doubtful about a description, as of a day: what `domain::warnings` says, and what the licence table says.
pub fn doubts(dataset: &Dataset, today: Date) -> Vec<Warning> {
    let mut doubts = warnings(dataset, today);
    doubts.extend(licences::doubts(dataset));
    doubts
}

/// Fills in what the licence table knows, as a registration does, so that a draft is judged as the record it would become.
pub fn complete(dataset: &mut Dataset) {
    licences::complete(dataset);
}

impl Catalogue {
    /// The catalogue of a node: where it keeps its truth, what time it is, who it is, for which countries it speaks.
    pub fn new(store: Store, clock: Arc<dyn Clock>, node: &Identity, countries: &[Country]) -> Self {
        Self { store, clock, domain: node.domain().clone(), countries: countries.into() }
    }

    /// What is filled in where a draft leaves it out: a fresh id, and the country where the node speaks for one alone.
    pub fn defaults(&self) -> schema::Defaults {
        schema::Defaults { id: self.mint(), country: self.only_country() }
    }

    /// The id of the dataset with this local part.
    pub fn addressed(&self, local: &str) -> Result<DatasetId, InvalidName> {
        DatasetId::mint(&self.domain, local)
    }

    /// What the ids of this node begin with, before their local part.
    pub fn base(&self) -> String {
        let id = self.mint();
        id.as_str().strip_suffix(id.local()).unwrap_or_default().to_owned()
    }

    fn mint(&self) -> DatasetId {
        let now = self.clock.now();
        let seconds = u64::try_from(now.as_second()).unwrap_or(0);
        let nanoseconds = u32::try_from(now.subsec_nanosecond()).unwrap_or(0);
        let uuid = Uuid::new_v7(uuid::Timestamp::from_unix(NoContext, seconds, nanoseconds));
        DatasetId::mint(&self.domain, &uuid.to_string()).expect("a UUID is a valid local part")
    }

    fn only_country(&self) -> Option<Country> {
        match &*self.countries {
            [country] => Some(country.clone()),
            _ => None,
        }
    }

    /// Registers a dataset for an owner, published; durable when it returns.
    pub async fn register(
        &self,
        actor: Actor,
        owner: &Identity,
        dataset: Dataset,
    ) -> Result<Registered, CatalogueError> {
        self.register_as(actor, owner, dataset, State::Published, None).await
    }

    /// Registers a dataset for an owner in a state that a life may begin in, with the reason for this revision.
    pub async fn register_as(
        &self,
        actor: Actor,
        owner: &Identity,
        mut dataset: Dataset,
        state: State,
        reason: Option<String>,
    ) -> Result<Registered, CatalogueError> {
        lifecycle::may_begin(state)?;
        lifecycle::is_reason(reason.as_deref())?;
        schema::check(&dataset)?;
        licences::complete(&mut dataset);
        self.is_ours(owner, &dataset)?;
        rules::may_be_new(&dataset.id)?;
        let record = Registered { state, reason, ..self.first_revision(owner, dataset) };
        let expectations = expected_of_new(&record.dataset);
        let what = What::DatasetRegistered { record: Box::new(record.clone()) };
        match self.append(actor, what, expectations).await {
            Ok(seq) => Ok(Registered { seq, ..record }),
            Err(AppendError::Conflict(broken)) => Err(self.why_taken(&record.owner, &record.dataset, broken).await?),
            Err(other) => Err(other.into()),
        }
    }

    /// Gives a dataset a further revision. `by` is the participant that the caller acts for.
    pub async fn revise(
        &self,
        actor: Actor,
        by: &Identity,
        id: &DatasetId,
        if_match: &IfMatch,
        dataset: Dataset,
    ) -> Result<Outcome, CatalogueError> {
        self.revise_because(actor, by, id, if_match, dataset, None).await
    }

    /// Gives a dataset a further revision, and says why.
    pub async fn revise_because(
        &self,
        actor: Actor,
        by: &Identity,
        id: &DatasetId,
        if_match: &IfMatch,
        mut dataset: Dataset,
        reason: Option<String>,
    ) -> Result<Outcome, CatalogueError> {
        lifecycle::is_reason(reason.as_deref())?;
        let current = self.in_force(by, id, if_match).await?;
        schema::check(&dataset)?;
        licences::complete(&mut dataset);
        let Some(record) = self.revision_after(&current, dataset)? else {
            return Ok(Outcome::Unchanged(current));
        };
        self.source_is_free(by, &current, &record.dataset).await?;
        let record = Registered { reason, ..record };
        self.put_revision(actor, by, &current, record).await
    }

    /// Appends a revision to the one that stands.
    async fn put_revision(
        &self,
        actor: Actor,
        by: &Identity,
        current: &Registered,
        record: Registered,
    ) -> Result<Outcome, CatalogueError> {
        let id = &record.dataset.id;
        let expected = expected_of_next(current, &record.dataset);
        let what = What::DatasetRevised { record: Box::new(record.clone()) };
        match self.append(actor, what, expected).await {
            Ok(seq) => Ok(Outcome::Revised(Registered { seq, ..record })),
            Err(AppendError::Conflict(broken @ Expectation::SourceAbsent(..))) => {
                Err(self.why_taken(by, &record.dataset, broken).await?)
            }
            Err(AppendError::Conflict(_)) => Err(self.why_stale(by, id).await),
            Err(other) => Err(other.into()),
        }
    }

    /// Withdraws a dataset: it must no longer be used, and its id stays taken for ever.
    pub async fn withdraw(
        &self,
        actor: Actor,
        by: &Identity,
        id: &DatasetId,
        if_match: &IfMatch,
        reason: &str,
        successor: Option<Iri>,
    ) -> Result<Registered, CatalogueError> {
        let withdrawn = Withdrawn { reason: reason.to_owned(), successor };
        rules::may_withdraw(id, &withdrawn)?;
        let current = self.in_force(by, id, if_match).await?;
        let revision = current.revision.next();
        let expected = vec![Expectation::DatasetAt(id.clone(), current.revision)];
        let what = What::DatasetWithdrawn { id: id.clone(), revision, withdrawn };
        match self.append(actor, what, expected).await {
            // Read back, because the store puts a withdrawn record together from two entries.
            Ok(_) => self.record(id).await,
            Err(AppendError::Conflict(_)) => Err(self.why_stale(by, id).await),
            Err(other) => Err(other.into()),
        }
    }

    /// A dataset as it stands, withdrawn or not. Whether a caller may see it is asked of the record:
    /// [`Registered::is_discoverable_by`].
    pub async fn record(&self, id: &DatasetId) -> Result<Registered, CatalogueError> {
        self.store.dataset(id).await?.ok_or_else(|| CatalogueError::NotFound(id.clone()))
    }

    /// A revision of a dataset.
    pub async fn revision(&self, id: &DatasetId, revision: Revision) -> Result<Registered, CatalogueError> {
        self.store.dataset_revision(id, revision).await?.ok_or_else(|| CatalogueError::NoRevision(id.clone(), revision))
    }

    /// What the source of an imported dataset said, word for word, when the revision that stands was read. For the
    /// owner alone: such a text may name people.
    pub async fn source_text(&self, by: &Identity, id: &DatasetId) -> Result<KeptText, CatalogueError> {
        let record = self.owned(by, id).await?;
        let kept = match &record.dataset.source {
            Some(source) => self.store.source_text(id, &source.digest).await?,
            None => None,
        };
        kept.ok_or_else(|| CatalogueError::NoSourceText(id.clone()))
    }

    /// Erases every text that is kept of what the source of a dataset said, for the owner alone; gives how many there were.
    pub async fn erase_source_text(&self, by: &Identity, id: &DatasetId) -> Result<u64, CatalogueError> {
        self.owned(by, id).await?;
        Ok(self.store.erase_source_text(id).await?)
    }

    /// A record as it stands, for its owner; to anybody else it is as if it were not there.
    async fn owned(&self, by: &Identity, id: &DatasetId) -> Result<Registered, CatalogueError> {
        let record = self.record(id).await?;
        if record.owner == *by { Ok(record) } else { Err(CatalogueError::NotFound(id.clone())) }
    }

    /// Datasets in the order of their ids, after one, at most `limit`.
    pub async fn list(
        &self,
        filter: &DatasetFilter,
        after: Option<&DatasetId>,
        limit: usize,
    ) -> Result<Vec<Registered>, CatalogueError> {
        Ok(self.store.datasets(filter, after, limit).await?)
    }

    /// The day it is, in UTC: what is doubtful today need not have been yesterday.
    pub fn today(&self) -> Date {
        self.clock.now().to_zoned(TimeZone::UTC).date()
    }

    /// How a record stands today, for its steward.
    pub fn assess(&self, record: &Registered) -> Assessment {
        let missing = Offerable::of(record).err().unwrap_or_default();
        let today = self.today();
        Assessment { offerable: missing.is_empty(), missing, warnings: doubts(&record.dataset, today) }
    }

    /// What only this node can judge of a description: that it is one of its own.
    fn is_ours(&self, owner: &Identity, dataset: &Dataset) -> Result<(), CatalogueError> {
        if owner.kind() != IdentityKind::Participant {
            return Err(CatalogueError::NotAParticipant(owner.clone()));
        }
        if !dataset.id.is_under(&self.domain) {
            return Err(CatalogueError::ForeignId { id: dataset.id.clone(), domain: self.domain.clone() });
        }
        if !self.countries.contains(&dataset.country) {
            let country = dataset.country.clone();
            return Err(CatalogueError::ForeignCountry { country, spoken: self.countries.to_vec() });
        }
        Ok(())
    }

    /// The record as it stands, for a change by its owner that was made from what stands now.
    async fn in_force(&self, by: &Identity, id: &DatasetId, if_match: &IfMatch) -> Result<Registered, CatalogueError> {
        let current = self.record(id).await?;
        if current.owner != *by {
            // A private record does not betray itself to a stranger by the kind of refusal.
            return Err(if current.is_discoverable_by(Some(by)) {
                CatalogueError::NotOwner(id.clone())
            } else {
                CatalogueError::NotFound(id.clone())
            });
        }
        if let Some(withdrawn) = current.withdrawn {
            return Err(CatalogueError::Withdrawn { id: id.clone(), successor: withdrawn.successor });
        }
        if !if_match.holds(&current) {
            return Err(CatalogueError::Stale {
                id: id.clone(),
                current: current.revision,
                etag: Some(current.etag()),
            });
        }
        Ok(current)
    }

    fn first_revision(&self, owner: &Identity, dataset: Dataset) -> Registered {
        Registered::first(dataset, owner.clone(), self.clock.now())
    }

    /// The revision that follows, in the same state of its life.
    fn next_revision(&self, current: &Registered, dataset: Dataset) -> Registered {
        Registered {
            revision: current.revision.next(),
            registered: current.registered,
            state: current.state,
            ..self.first_revision(&current.owner, dataset)
        }
    }

    /// The revision that this description makes by the hand of the owner's steward; nothing where it says what stands.
    fn revision_after(&self, current: &Registered, dataset: Dataset) -> Result<Option<Registered>, CatalogueError> {
        self.is_ours(&current.owner, &dataset)?;
        rules::keeps_its_source(&current.dataset, &dataset)?;
        rules::may_follow(&current.dataset, &dataset)?;
        Ok((dataset != current.dataset).then(|| self.next_revision(current, dataset)))
    }

    async fn append(&self, actor: Actor, what: What, expected: Vec<Expectation>) -> Result<Seq, AppendError> {
        let event = Event { at: self.clock.now(), actor, what };
        let positions = self.store.append(vec![event], expected, Priority::Interactive).await?;
        Ok(positions.last().copied().unwrap_or_else(|| self.store.head()))
    }

    /// Whether a source that a revision brings along is no other dataset's.
    async fn source_is_free(&self, by: &Identity, before: &Registered, after: &Dataset) -> Result<(), CatalogueError> {
        let Some(source) = new_source(before, after) else { return Ok(()) };
        match self.store.dataset_by_source(&source.name, &source.iri).await? {
            Some(_) => {
                let broken = Expectation::SourceAbsent(source.name.clone(), source.iri.clone());
                Err(self.why_taken(by, after, broken).await?)
            }
            None => Ok(()),
        }
    }

    /// Why a new dataset was refused by the log: its id or its source is taken.
    async fn why_taken(
        &self,
        owner: &Identity,
        dataset: &Dataset,
        broken: Expectation,
    ) -> Result<CatalogueError, CatalogueError> {
        if let Expectation::SourceAbsent(name, iri) = broken {
            // A private record does not betray its id to a stranger.
            let first = self.store.dataset_by_source(&name, &iri).await?;
            let first = first.filter(|record| record.is_discoverable_by(Some(owner)));
            return Ok(match first.map(|record| (record.dataset.id, record.withdrawn)) {
                Some((id, Some(withdrawn))) => CatalogueError::Withdrawn { id, successor: withdrawn.successor },
                Some((id, None)) => CatalogueError::SourceTaken { name, iri, id: Some(id) },
                None => CatalogueError::SourceTaken { name, iri, id: None },
            });
        }
        let existing = self.record(&dataset.id).await?;
        // Nor that it was there, or what is in its place.
        let may_know = existing.is_discoverable_by(Some(owner));
        Ok(match existing.withdrawn.filter(|_| may_know) {
            Some(withdrawn) => CatalogueError::Withdrawn { id: dataset.id.clone(), successor: withdrawn.successor },
            None => CatalogueError::Taken(dataset.id.clone()),
        })
    }

    /// Why a change was refused by the log: somebody else was faster.
    async fn why_stale(&self, by: &Identity, id: &DatasetId) -> CatalogueError {
        match self.in_force(by, id, &IfMatch::Any).await {
            Ok(current) => {
                CatalogueError::Stale { id: id.clone(), current: current.revision, etag: Some(current.etag()) }
            }
            Err(error) => error,
        }
    }
}

fn expected_of_new(dataset: &Dataset) -> Vec<Expectation> {
    let source = dataset.source.iter().map(|s| Expectation::SourceAbsent(s.name.clone(), s.iri.clone()));
    std::iter::once(Expectation::DatasetAbsent(dataset.id.clone())).chain(source).collect()
}

/// What a revision expects: what it was made from, and that the source it brings along is no other dataset's.
fn expected_of_next(before: &Registered, after: &Dataset) -> Vec<Expectation> {
    let source = new_source(before, after).map(|s| Expectation::SourceAbsent(s.name.clone(), s.iri.clone()));
    std::iter::once(Expectation::DatasetAt(after.id.clone(), before.revision)).chain(source).collect()
}

/// The record of a source that a revision names and the one before did not.
fn new_source<'d>(before: &Registered, after: &'d Dataset) -> Option<&'d Source> {
    let known = before.dataset.source.as_ref();
    after.source.as_ref().filter(|new| known.is_none_or(|old| (&old.name, &old.iri) != (&new.name, &new.iri)))
}
