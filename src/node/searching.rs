//! The node's search, put together: two indexes that follow the log, the flow over them, and the probe of the peers.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use actix_web::web::Data;

use super::following::{Differs, Follower, name};
use super::layout;
use super::watched::Watched;
use crate::config::Config;
use crate::domain::dataset::Visibility;
use crate::http::operations::{Check, Metrics};
use crate::index::{Index, IndexError, analyser_id};
use crate::outbound::federation::Federation;
use crate::peers::health::Board;
use crate::peers::probe::Probe;
use crate::search::Search;
use crate::search::local::Local;
use crate::search::plan::Deadlines;
use crate::store::Store;

/// What search needs, opened.
pub(super) struct Searching {
    /// The search of our own users.
    pub(super) search: Data<Search>,
    /// What peers get.
    pub(super) local: Data<Local>,
    indexes: [(Visibility, Index, Differs); 2],
    probe: Arc<Probe>,
    every: Duration,
    verify: Duration,
    store: Store,
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
            indexes: [
                (Visibility::Federation, federation, Differs::default()),
                (Visibility::Private, private, Differs::default()),
            ],
            probe,
            every: config.search.probe,
            verify: config.search.verify,
            store: store.clone(),
        })
    }

    /// What must hold of the indexes for the node to be ready: each has once caught up, and takes what comes.
    pub(super) fn check(&self) -> impl Fn() -> Check + Send + Sync + 'static {
        let indexes = self.indexes.clone();
        let needed = self.store.head();
        move || {
            let wrong = indexes.iter().find_map(|(class, index, differs)| {
                let class = name(*class);
                let behind = *index.position().borrow() < needed;
                let filling = || format!("the {class} index is being filled from the log: wait");
                let differs = differs.load(Ordering::Relaxed);
                let differing =
                    || format!("the {class} index differs from the record and is filled anew: wait, or see the log");
                index.failure().or_else(|| behind.then(filling)).or_else(|| differs.then(differing))
            });
            Check::new("index", wrong)
        }
    }

    /// Starts what goes on in the background.
    pub(super) fn run(&self, tasks: &mut Watched, metrics: &Arc<Metrics>) {
        for (class, index, differs) in &self.indexes {
            let follower = Follower {
                store: self.store.clone(),
                index: index.clone(),
                class: *class,
                every: self.verify,
                differs: differs.clone(),
                metrics: metrics.clone(),
            };
            tasks.spawn("index follower", follower.run());
        }
        tasks.spawn("probe", self.probe.clone().run(self.every));
    }

    /// Writes what is queued.
    pub(super) async fn close(&self) {
        for (_, index, _) in &self.indexes {
            index.close().await;
        }
    }
}

/// Opens an index of this store's log. One that was made from a log which was since rolled back and grew again, under
/// the same name and further than before, is deleted first.
pub(super) async fn open(folder: PathBuf, class: Visibility, store: &Store) -> Result<Index, IndexError> {
    if let Some((seq, commitment)) = Index::last_applied(&folder)
        && let Ok(Some(entry)) = store.entry(seq).await
        && entry.commitment != commitment
    {
        tracing::warn!(class = name(class), "the index was made from another log; it is filled anew");
        Index::discard(&folder)?;
    }
    let (origin, head) = (store.origin().to_owned(), store.head());
    let opening = tokio::task::spawn_blocking(move || Index::open(&folder, class, &origin, head));
    opening.await.unwrap_or_else(|error| Err(IndexError::Failed(error.to_string())))
}

impl std::fmt::Debug for Searching {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Searching").field("local", self.local.node()).finish_non_exhaustive()
    }
}
