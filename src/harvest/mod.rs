//! Reading other catalogues again and again, and never lying about what that brought.
//!
//! A [`Source`] stands in the settings. A run of it begins and ends with an entry in the log, so that one that hangs, breaks
//! or dies with its node is seen; the log itself refuses a second run of a source while one is open. What a run reads
//! (`ckan`, `dcat` and `oai`, by the kind of the source) goes to the catalogue through [`Door`], which `node` wires, because
//! flows do not call each other. What is no longer at its source is withdrawn only after a listing that adds up, and never
//! more than a share at once without a steward's word ([`gone`]). [`verdict`] says in what state a run ended; both are pure.

mod ckan;
mod crawl;
mod dcat;
mod gone;
mod oai;
mod run;
mod schedule;
mod source;
mod verdict;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::domain::event::{Actor, Event, What};
use crate::domain::harvest::{HarvestCounts, HarvestEnd, HarvestRun, HarvestState};
use crate::domain::ids::{DatasetId, Identity, OpaqueId};
use crate::formats::Draft;
use crate::outbound::public::Public;
use crate::store::{AppendError, Expectation, Priority, Store, StoreError};

use crawl::Progress;
pub use source::{Kind, Source};

/// How often it is looked whether a source is due.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How far back the history is searched for a run that a next one can go on from.
const HISTORY: usize = 100;

/// What became of a draft in the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// It is new.
    Registered,
    /// It got a further revision.
    Revised,
    /// It was known as it is.
    Unchanged,
    /// Its dataset was withdrawn here, which is final.
    Withdrawn,
    /// It was not taken, and why.
    Refused(String),
}

/// Takes drafts for an owner; one answer each, in their order.
pub type Import = dyn Fn(Actor, Identity, Vec<Draft>) -> BoxFuture<'static, Result<Vec<Taken>, String>> + Send + Sync;
/// Withdraws a dataset of an owner, with the reason.
pub type Withdraw = dyn Fn(Actor, Identity, DatasetId, String) -> BoxFuture<'static, Result<(), String>> + Send + Sync;

/// The way into the catalogue, which `node` wires.
#[derive(Clone)]
pub struct Door {
    /// Takes drafts.
    pub import: Arc<Import>,
    /// Withdraws.
    pub withdraw: Arc<Withdraw>,
}

/// Why a harvest could not be begun, shown or paused.
#[derive(Debug, thiserror::Error)]
pub enum HarvestError {
    /// No source has this name.
    #[error("there is no harvest {0:?}: `harvest.sources` in the settings names those there are")]
    Unknown(String),
    /// No such run.
    #[error("there is no such run of {0}: its history lists those there were")]
    NoRun(String),
    /// One is open.
    #[error("a run of {0} is going on: wait for its end, or look at it")]
    Busy(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log took it not.
    #[error(transparent)]
    Append(#[from] AppendError),
}

/// What a run is asked to do beside reading.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wish {
    /// Read everything, and not only what changed.
    pub whole: bool,
    /// Withdraw what is no longer there, however many they are: a steward's word.
    pub withdraw: bool,
}

/// A source as it stands.
#[derive(Debug, Clone)]
pub struct View {
    /// What the settings say.
    pub source: Source,
    /// Whether its schedule is stopped.
    pub paused: bool,
    /// Its newest run.
    pub last: Option<HarvestRun>,
    /// When a run was last done or partial.
    pub last_success: Option<Timestamp>,
    /// When the next is due; nothing where it runs by hand only or is paused.
    pub next: Option<Timestamp>,
}

/// What metrics tell of one source.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// How many runs ended in each state since the node started.
    pub runs: BTreeMap<&'static str, u64>,
    /// When a run was last done.
    pub last_done: Option<Timestamp>,
}

/// A run that was begun and is to be carried out.
struct Job {
    id: OpaqueId,
    source: Source,
    actor: Actor,
    wish: Wish,
}

/// The harvests of a node. A clone is the same.
#[derive(Clone)]
pub struct Harvest {
    sources: Arc<[Source]>,
    store: Store,
    clock: Arc<dyn Clock>,
    public: Public,
    door: Door,
    /// Runs at once.
    places: Arc<Semaphore>,
    queue: mpsc::UnboundedSender<Job>,
    /// Taken by the one that carries runs out.
    jobs: Arc<Mutex<Option<mpsc::UnboundedReceiver<Job>>>>,
    going: Arc<Mutex<BTreeMap<OpaqueId, Progress>>>,
    tallies: Arc<Mutex<BTreeMap<String, Tally>>>,
}

impl Harvest {
    /// The harvests of these sources. Runs that a stop or a kill of this node left open are closed as interrupted.
    pub async fn open(
        sources: Vec<Source>,
        at_once: usize,
        store: Store,
        clock: Arc<dyn Clock>,
        public: Public,
        door: Door,
    ) -> Result<Self, HarvestError> {
        let (queue, jobs) = mpsc::unbounded_channel();
        let harvest = Self {
            sources: sources.into(),
            store,
            clock,
            public,
            door,
            places: Arc::new(Semaphore::new(at_once.max(1))),
            queue,
            jobs: Arc::new(Mutex::new(Some(jobs))),
            going: Arc::default(),
            tallies: Arc::default(),
        };
        for run in harvest.store.open_harvest_runs().await? {
            let reason = "the node stopped while it ran; what was taken before stays".to_owned();
            harvest.end(&run.id, &run.source, verdict::cut_short(HarvestState::Interrupted, reason)).await?;
        }
        harvest.tallies.lock().clear();
        for source in harvest.sources.iter() {
            let runs = harvest.store.harvest_runs(&source.name, HISTORY).await?;
            let last_done = runs.iter().find(|run| is(run, &[HarvestState::Done])).and_then(|run| run.ended);
            harvest.tallies.lock().insert(source.name.clone(), Tally { last_done, ..Tally::default() });
        }
        Ok(harvest)
    }

    /// The sources, as they stand.
    pub async fn list(&self) -> Result<Vec<View>, HarvestError> {
        let paused = self.store.paused_harvests().await?;
        let mut views = Vec::with_capacity(self.sources.len());
        for source in self.sources.iter() {
            let runs = self.history(&source.name, HISTORY).await?;
            let success = runs.iter().find(|run| is(run, &[HarvestState::Done, HarvestState::Partial]));
            let last_success = success.and_then(|run| run.ended);
            let last = runs.into_iter().next();
            let paused = paused.contains(&source.name);
            let begun = last.as_ref().map(|run| run.begun);
            let next = source.every.filter(|_| !paused);
            let next = next.map(|every| begun.map_or(self.clock.now(), |at| schedule::next(&source.name, every, at)));
            views.push(View { source: source.clone(), paused, last, last_success, next });
        }
        Ok(views)
    }

    /// One of them.
    pub async fn view(&self, name: &str) -> Result<View, HarvestError> {
        let found = self.list().await?.into_iter().find(|view| view.source.name == name);
        found.ok_or_else(|| HarvestError::Unknown(name.to_owned()))
    }

    /// The runs of a source, newest first; one that is going on with what it has brought so far.
    pub async fn history(&self, name: &str, limit: usize) -> Result<Vec<HarvestRun>, HarvestError> {
        Ok(self.store.harvest_runs(name, limit).await?)
    }

    /// A run of a source.
    pub async fn run(&self, name: &str, id: &OpaqueId) -> Result<HarvestRun, HarvestError> {
        let run = self.store.harvest_run(id).await?.filter(|run| run.source == name);
        run.ok_or_else(|| HarvestError::NoRun(name.to_owned()))
    }

    /// What a run that is going on has brought so far, and at what it is.
    pub fn so_far(&self, id: &OpaqueId) -> Option<(HarvestCounts, String)> {
        self.going.lock().get(id).map(Progress::so_far)
    }

    /// Begins a run; it goes on in the background.
    pub async fn begin(&self, actor: Actor, name: &str, wish: Wish) -> Result<OpaqueId, HarvestError> {
        let source = self.source(name)?.clone();
        let id: OpaqueId = uuid::Uuid::new_v4().to_string().parse().expect("a UUID is an id");
        let what = What::HarvestBegun { run: id.clone(), source: source.name.clone(), owner: source.owner.clone() };
        let event = Event { at: self.clock.now(), actor: actor.clone(), what };
        let idle = Expectation::HarvestIdle(source.name.clone());
        match self.store.append(vec![event], vec![idle], Priority::Interactive).await {
            Ok(_) => {}
            Err(AppendError::Conflict(_)) => return Err(HarvestError::Busy(name.to_owned())),
            Err(other) => return Err(other.into()),
        }
        self.going.lock().insert(id.clone(), Progress::default());
        let job = Job { id: id.clone(), source, actor, wish };
        // Who carries runs out ends with the node only; the next start closes what was left.
        let _ = self.queue.send(job);
        Ok(id)
    }

    /// Stops the schedule of a source, or lets it go on. A run that is going on is not touched.
    pub async fn pause(&self, actor: Actor, name: &str, paused: bool) -> Result<(), HarvestError> {
        let source = self.source(name)?.name.clone();
        let event = Event { at: self.clock.now(), actor, what: What::HarvestPaused { source, paused } };
        self.store.append(vec![event], Vec::new(), Priority::Interactive).await?;
        Ok(())
    }

    /// What metrics tell.
    pub fn tallies(&self) -> BTreeMap<String, Tally> {
        self.tallies.lock().clone()
    }

    fn source(&self, name: &str) -> Result<&Source, HarvestError> {
        let found = self.sources.iter().find(|source| source.name == name);
        found.ok_or_else(|| HarvestError::Unknown(name.to_owned()))
    }

    /// Carries runs out, and begins those that are due, until the node stops.
    pub async fn keep_running(self) {
        let Some(mut jobs) = self.jobs.lock().take() else { return };
        let mut running = JoinSet::new();
        let mut look = tokio::time::interval(LOOK_EVERY);
        loop {
            tokio::select! {
                Some(job) = jobs.recv() => { running.spawn(self.clone().carry_out(job)); }
                Some(_) = running.join_next() => {}
                _ = look.tick() => self.begin_due().await,
            }
        }
    }

    async fn begin_due(&self) {
        let views = match self.list().await {
            Ok(views) => views,
            Err(error) => return tracing::warn!(%error, "it could not be looked which harvests are due"),
        };
        let now = self.clock.now();
        for view in views {
            let is_open = view.last.as_ref().is_some_and(|run| run.end.is_none());
            if is_open || view.next.is_none_or(|next| next > now) {
                continue;
            }
            let name = view.source.name;
            if let Err(error) = self.begin(Actor::Node, &name, Wish::default()).await {
                tracing::warn!(%error, source = name, "a harvest that is due could not be begun");
            }
        }
    }

    async fn carry_out(self, job: Job) {
        let Ok(_place) = self.places.acquire().await else { return };
        let runs = self.store.harvest_runs(&job.source.name, HISTORY).await.unwrap_or_default();
        let cursor = schedule::goes_on(&runs, self.clock.now()).filter(|_| !job.wish.whole && !job.wish.withdraw);
        let end = run::carry_out(&self, &job, cursor).await;
        tracing::info!(
            source = job.source.name,
            state = end.state.as_str(),
            read = end.counts.read,
            refused = end.counts.refused,
            withdrawn = end.counts.withdrawn,
            reason = end.reason.as_deref().unwrap_or_default(),
            "a harvest ended"
        );
        if let Err(error) = self.end(&job.id, &job.source.name, end).await {
            tracing::error!(%error, source = job.source.name, "the end of a harvest could not be written down");
        }
        self.going.lock().remove(&job.id);
    }

    async fn end(&self, id: &OpaqueId, source: &str, end: HarvestEnd) -> Result<(), HarvestError> {
        let (state, at) = (end.state, self.clock.now());
        let what = What::HarvestEnded { run: id.clone(), end: Box::new(end) };
        let event = Event { at, actor: Actor::Node, what };
        let open = Expectation::HarvestOpen(id.clone());
        self.store.append(vec![event], vec![open], Priority::Interactive).await?;
        let mut tallies = self.tallies.lock();
        let tally = tallies.entry(source.to_owned()).or_default();
        *tally.runs.entry(state.as_str()).or_default() += 1;
        if state == HarvestState::Done {
            tally.last_done = Some(at);
        }
        Ok(())
    }
}

impl std::fmt::Debug for Harvest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Harvest").field("sources", &self.sources).finish_non_exhaustive()
    }
}

/// Whether a run ended in one of these states.
fn is(run: &HarvestRun, states: &[HarvestState]) -> bool {
    run.end.as_ref().is_some_and(|end| states.contains(&end.state))
}
