//! The durable truth of a node: one append-only log of events, and the tables that are derived from it.
//!
//! [`Store::append`] is the only way to change anything, and it returns when the events are on the disk. Tables, the
//! Merkle tree and the search index are projections: each can be thrown away and derived again. Read [`log`] for what an
//! entry is, [`engine`] for what an engine must do, [`sqlite`] for the one there is, and a noun's file (such as
//! [`datasets`]) for its table and its questions. One thing lies beside the log and cannot be derived from it: what the
//! sources of imported records said word for word, in [`source_texts`].

mod agreements;
mod backup;
mod checkpoints;
mod datasets;
mod engine;
mod error;
mod grants;
mod harvests;
mod leases;
mod log;
mod projections;
mod receipts;
mod releases;
mod requests;
mod source_texts;
mod sqlite;
mod tokens;
mod trust;
mod verify;

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::domain::event::{Actor, Entry, Event, What};
use crate::domain::ids::{Identity, InvalidName, Seq};
use crate::domain::merkle::Frontier;

pub use agreements::AgreementFilter;
pub use backup::{Backup, restore};
pub use datasets::{DatasetFilter, RevisionLine};
pub use engine::{Expectation, FencingToken, Priority};
pub use error::{AppendError, StoreError};
pub use log::{EntryFilter, Kept, MAX_EVENT_BYTES};
pub use receipts::ReceiptFilter;
pub use releases::KeptRelease;
pub use requests::RequestFilter;
pub use source_texts::{KeptText, MAX_SOURCE_TEXT, SourceText};
pub use tokens::KeptToken;
pub use trust::RevokedCertificate;
pub use verify::Verified;

use engine::{Engine, Tables};
use log::Batch;

/// The store of one node. A clone is the same store; the last one to go closes it.
#[derive(Clone)]
pub struct Store {
    engine: Arc<dyn Engine>,
    origin: Arc<str>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("origin", &self.origin).field("head", &self.head()).finish()
    }
}

impl Store {
    /// Opens the store of this node in this directory, for this process alone; makes it where there is none. What the
    /// last process left is checked, and derived again where this version derives more.
    pub fn open(dir: &Path, node: &Identity) -> Result<Self, StoreError> {
        Self::open_limited(dir, node, None)
    }

    /// As [`Store::open`], with a limit on the size of the database in bytes; a write beyond it is answered like a full
    /// disk.
    pub fn open_limited(dir: &Path, node: &Identity, size_limit: Option<u64>) -> Result<Self, StoreError> {
        let origin = format!("{}/log/1", node.domain());
        let options = sqlite::Options { size_limit };
        let engine = sqlite::Sqlite::open(dir, &options, |tables, tree| begin(tables, tree, dir, node, &origin))?;
        Ok(Self { engine: Arc::new(engine), origin: origin.into() })
    }

    /// Opens a store to read it, beside the node that may be writing it: for an auditor. Every write answers
    /// [`StoreError::Closed`].
    pub fn inspect(dir: &Path) -> Result<Self, StoreError> {
        let mut origin = None;
        let engine = sqlite::Sqlite::inspect(dir, |tables| {
            origin = meta(tables, "origin")?;
            Ok(())
        })?;
        Ok(Self { engine: Arc::new(engine), origin: origin.unwrap_or_default().into() })
    }

    /// Whose store lies in this folder.
    pub fn owner(dir: &Path) -> Result<Identity, StoreError> {
        let mut owner = None;
        sqlite::Sqlite::inspect(dir, |tables| {
            owner = meta(tables, "node")?;
            Ok(())
        })?;
        let unreadable = |detail: String| StoreError::Unreadable { path: dir.to_owned(), detail };
        let owner = owner.ok_or_else(|| unreadable("it does not say whose it is".to_owned()))?;
        owner.parse().map_err(|error: InvalidName| unreadable(error.to_string()))
    }

    /// The name of this log in its checkpoints: `<domain>/log/1`.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Appends events: all of them, in order, one after the other without a gap, or none. Durable when it returns. What
    /// is expected is checked in the same transaction.
    pub async fn append(
        &self,
        events: Vec<Event>,
        expectations: Vec<Expectation>,
        priority: Priority,
    ) -> Result<Vec<Seq>, AppendError> {
        self.engine.append(Batch::new(events, expectations, None)?, priority).await
    }

    /// As [`Store::append`], once: sent again under the same key by the actor of the first event, the same events are not
    /// appended again and the positions of the first time come back. Other events under that key are refused.
    pub async fn append_once(
        &self,
        key: &str,
        events: Vec<Event>,
        expectations: Vec<Expectation>,
        priority: Priority,
    ) -> Result<Vec<Seq>, AppendError> {
        self.engine.append(Batch::new(events, expectations, Some(key))?, priority).await
    }

    /// Entries after a position, in the order of the log and without a gap, at most `limit`.
    pub async fn read_from(&self, after: Seq, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.read(move |tables| log::read_from(tables, after, limit)).await
    }

    /// Entries as they are kept that pass a filter, newest first, before a position, at most `limit`.
    pub async fn entries(
        &self,
        filter: &EntryFilter,
        before: Option<Seq>,
        limit: usize,
    ) -> Result<Vec<Kept>, StoreError> {
        let filter = filter.clone();
        self.read(move |tables| log::list(tables, &filter, before, limit)).await
    }

    /// One entry.
    pub async fn entry(&self, seq: Seq) -> Result<Option<Entry>, StoreError> {
        self.read(move |tables| log::get(tables, seq)).await
    }

    /// The last durable position; 1 and up, because every log opens with an entry.
    pub fn head(&self) -> Seq {
        *self.engine.follow().borrow()
    }

    /// The last durable position, and every later one. A follower that was slow sees only the newest.
    pub fn follow(&self) -> watch::Receiver<Seq> {
        self.engine.follow()
    }

    /// Why writes fail at present: a full disk, a broken one, a closed store. Nothing while they succeed.
    pub fn failing(&self) -> Option<StoreError> {
        self.engine.failing()
    }

    /// Derives every table again from the log.
    pub async fn rebuild(&self) -> Result<(), StoreError> {
        self.engine.rebuild().await
    }

    /// Finishes what was accepted and closes the files. Later calls answer [`StoreError::Closed`].
    pub async fn close(&self) {
        self.engine.close().await;
    }

    /// Asks the tables, in one consistent moment.
    async fn read<T: Send + 'static>(
        &self,
        question: impl FnOnce(&dyn Tables) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let slot = Arc::new(Mutex::new(None));
        let answer = slot.clone();
        self.engine
            .read(Box::new(move |tables| {
                *answer.lock() = Some(question(tables)?);
                Ok(())
            }))
            .await?;
        let answer = slot.lock().take();
        answer.ok_or(StoreError::Closed)
    }

    /// Writes beside the log.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Tables) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let slot = Arc::new(Mutex::new(None));
        let answer = slot.clone();
        self.engine
            .write(Box::new(move |tables| {
                *answer.lock() = Some(work(tables)?);
                Ok(())
            }))
            .await?;
        let answer = slot.lock().take();
        answer.ok_or(StoreError::Closed)
    }
}

/// Checks that the log is this node's, or makes its first entry; derives the tables where that is due.
fn begin(
    tables: &dyn Tables,
    tree: &mut Frontier,
    dir: &Path,
    node: &Identity,
    origin: &str,
) -> Result<(), StoreError> {
    verify::at_start(tables, tree)?;
    let name = node.to_string();
    match meta(tables, "node")? {
        Some(found) if found != name => {
            return Err(StoreError::OtherNode { path: dir.to_owned(), found, expected: Box::new(node.clone()) });
        }
        Some(_) => {}
        None => {
            for (key, value) in [("node", name.as_str()), ("origin", origin)] {
                tables.execute("INSERT INTO meta (name, value) VALUES (?1, ?2)", &[key.into(), value.into()])?;
            }
        }
    }
    if meta(tables, "projections")?.as_deref() != Some(projections::VERSION.to_string().as_str()) {
        projections::rebuild(tables)?;
    }
    if tree.size() == 0 {
        // The first entry is made before anybody could hand the store a clock.
        let what = What::LogOpened { node: node.clone(), origin: origin.to_owned() };
        let event = Event { at: Timestamp::now(), actor: Actor::Node, what };
        let opened = Batch::new(vec![event], Vec::new(), None).and_then(|batch| log::append(tables, tree, &batch));
        opened.map_err(|error| match error {
            AppendError::Store(error) => error,
            other => StoreError::Engine(other.to_string()),
        })?;
    }
    Ok(())
}

/// Runs what takes a while, such as compressing or hashing, on a thread for such work.
async fn off_the_runtime<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let stopped = |_| Err(StoreError::Engine("work beside the runtime did not come to an end".to_owned()));
    tokio::task::spawn_blocking(work).await.unwrap_or_else(stopped)
}

/// What is noted about the database itself.
fn meta(tables: &dyn Tables, name: &str) -> Result<Option<String>, StoreError> {
    let row = tables.one("SELECT value FROM meta WHERE name = ?1", &[name.into()])?;
    row.map(|row| row.text(0).map(str::to_owned)).transpose()
}
