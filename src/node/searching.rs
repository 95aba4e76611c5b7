//! The node's search, put together: two indexes that follow the log, the flow over them, and the probe of the peers.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use actix_web::web::Data;

use super::comparing::{Differs, keep_comparing};
use super::layout;
use super::watched::Watched;
use crate::config::Config;
use crate::domain::dataset::Visibility;
use crate::domain::ids::Seq;
use crate::http::operations::{Check, Metrics};
use crate::index::{Index, IndexError, analyser_id};
use crate::outbound::federation::Federation;
use crate::peers::health::Board;
use crate::peers::probe::Probe;
use crate::search::Search;
use crate::search::local::Local;
use crate::search::plan::Deadlines;
use crate::store::{Store, StoreError};

/// How many entries of the log are handed to an index at once.
const BATCH: usize = 500;
/// How long a follower waits before it tries again what failed.
const RETRY: Duration = Duration::from_secs(1);

/// What search needs, opened.
pub(super) struct Searching {
    /// The search of our own users.
    pub(super) search: Data<Search>,
    /// What peers get.
    pub(super) local: Data<Local>,
    indexes: [(&'static str, Index); 2],
    probe: Arc<Probe>,
    every: Duration,
    store: Store,
    differs: Differs,
}

impl Searching {
    /// Opens the indexes and builds the flow.
    pub(super) async fn open(config: &Config, store: &Store, outbound: &Arc<Federation>) -> Result<Self, IndexError> {
        let federation = open(layout::index(&config.data, "federation"), Visibility::Federation, store).await?;
        let private = open(layout::index(&config.data, "private"), Visibility::Private, store).await?;
        let countries = config.countries.iter().cloned().collect();
        let local = Local::new(config.identity.clone(), countries, federation.clone(), store.clone());
        let board = Arc::new(Board::default());
        let probe = Arc::new(Probe::new(outbound.clone(), board.clone(), analyser_id()));
        let deadlines = Deadlines { total: config.search.deadline, peer: config.search.peer_deadline };
        let places = config.search.pool.saturating_add(config.search.queue);
        let search =
            Search::new(local.clone(), private.clone(), outbound.clone(), board, probe.clone(), deadlines, places);
        Ok(Self {
            search: Data::new(search),
            local: Data::new(local),
            indexes: [("federation", federation), ("private", private)],
            probe,
            every: config.search.probe,
            store: store.clone(),
            differs: Differs::default(),
        })
    }

    /// What must hold of the indexes for the node to be ready: each has once caught up, and takes what comes.
    pub(super) fn check(&self) -> impl Fn() -> Check + Send + Sync + 'static {
        let (indexes, differs) = (self.indexes.clone(), self.differs.clone());
        let needed = self.store.head();
        move || {
            let wrong = indexes.iter().find_map(|(class, index)| {
                let differs = differs.load(Ordering::Relaxed);
                let mend = || "an index differs from the record: stop the node, delete its index folder, start again";
                let behind = *index.position().borrow() < needed;
                let filling = || format!("the {class} index is being filled from the log: wait");
                index.failure().or_else(|| behind.then(filling)).or_else(|| differs.then(|| mend().to_owned()))
            });
            Check::new("index", wrong)
        }
    }

    /// Starts what goes on in the background.
    pub(super) fn run(&self, tasks: &mut Watched, metrics: &Arc<Metrics>) {
        for (class, index) in &self.indexes {
            tasks.spawn("index follower", follow(self.store.clone(), index.clone(), class, metrics.clone()));
            let class = if *class == "private" { Visibility::Private } else { Visibility::Federation };
            let (store, differs) = (self.store.clone(), self.differs.clone());
            tasks.spawn("index comparison", keep_comparing(store, index.clone(), class, differs, metrics.clone()));
        }
        tasks.spawn("probe", self.probe.clone().run(self.every));
    }

    /// Writes what is queued.
    pub(super) async fn close(&self) {
        for (_, index) in &self.indexes {
            index.close().await;
        }
    }
}

async fn open(folder: PathBuf, class: Visibility, store: &Store) -> Result<Index, IndexError> {
    let (origin, head) = (store.origin().to_owned(), store.head());
    let opening = tokio::task::spawn_blocking(move || Index::open(&folder, class, &origin, head));
    opening.await.unwrap_or_else(|error| Err(IndexError::Failed(error.to_string())))
}

/// Hands an index every entry of the log, from where it stands and for as long as there are any to come.
async fn follow(store: Store, index: Index, class: &'static str, metrics: Arc<Metrics>) {
    let mut head = store.follow();
    let mut applied = index.position();
    let mut at: Seq = *applied.borrow();
    loop {
        match store.read_from(at, BATCH).await {
            Ok(entries) => {
                let Some(last) = entries.last().map(|entry| entry.seq) else {
                    metrics.index_lag(class, head.borrow().0.saturating_sub(applied.borrow().0));
                    tokio::select! {
                        changed = head.changed() => if changed.is_err() { return },
                        changed = applied.changed() => if changed.is_err() { return },
                    }
                    continue;
                };
                if index.apply(entries).await.is_err() {
                    return;
                }
                at = last;
            }
            Err(StoreError::Closed) => return,
            Err(error) => {
                tracing::error!(class, %error, "the index cannot follow the log; trying again");
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

impl std::fmt::Debug for Searching {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Searching").field("local", self.local.node()).finish_non_exhaustive()
    }
}
