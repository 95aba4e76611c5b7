//! The search index of one visibility class: a projection of the log that can be deleted at any time.
//!
//! An [`Index`] is fed log entries by whoever follows the log ([`Index::apply`]), commits them in batches on its own
//! thread, and answers [`IndexQuery`]s on a bounded pool. The position it has reached rides in each commit, so after a
//! restart exactly the missing entries are applied again. tantivy is named in this room alone. From the question to
//! the answer: [`analyse`] (`question`, `analysis`), `docs` (which match), `collector` (which are best), `reader`
//! (what they look like).

mod analysis;
mod collector;
mod docs;
mod facets;
mod fields;
mod highlight;
mod labels;
#[cfg(test)]
mod laws;
mod pool;
mod question;
mod reader;
mod statistics;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tantivy::directory::MmapDirectory;
use tantivy::{IndexReader, ReloadPolicy};
use tokio::sync::{mpsc, watch};

use crate::domain::dataset::Visibility;
use crate::domain::event::Entry;
use crate::domain::ids::{Digest, Seq};

pub use facets::MAX_VALUES;
pub use question::{MAX_HITS, MAX_LANGUAGES, analyse};
pub use reader::{IndexAnswer, IndexHit, IndexQuery, entry_digest};

use fields::Fields;
use pool::Pool;
use reader::Reader;
use writer::{Order, Payload, Writer};

/// How many batches of entries may wait to be written.
const INBOX: usize = 4;

/// What tells two nodes that they make the same terms: statistics are only added between equals.
pub fn analyser_id() -> String {
    analysis::analyser_id()
}

/// Why an index did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The deadline passed before the answer was whole.
    #[error("the search took longer than its deadline allows; ask for less, or allow more time")]
    Deadline,
    /// No thread was free in time.
    #[error("too many searches are waiting; try again in a moment")]
    Busy,
    /// The question is not one that an index answers.
    #[error("the question was refused: {0}")]
    Refused(String),
    /// The index was closed.
    #[error("the index is closed")]
    Closed,
    /// The folder cannot be used.
    #[error("the index folder {folder} cannot be used: {detail}")]
    Folder {
        /// The folder.
        folder: String,
        /// What is wrong with it.
        detail: String,
    },
    /// What is on disk is not what was written. The index may be deleted; it is then filled again from the log.
    #[error("the index is damaged ({0}); stop the node, delete the index folder, and start again: it is filled anew")]
    Damaged(String),
    /// The engine failed.
    #[error("the index engine failed: {0}")]
    Failed(String),
}

impl IndexError {
    fn folder(dir: &Path, error: &impl std::fmt::Display) -> Self {
        Self::Folder { folder: dir.display().to_string(), detail: error.to_string() }
    }
}

impl From<tantivy::TantivyError> for IndexError {
    fn from(error: tantivy::TantivyError) -> Self {
        match error {
            tantivy::TantivyError::DataCorruption(damage) => Self::Damaged(format!("{damage:?}")),
            other => Self::Failed(other.to_string()),
        }
    }
}

impl From<std::io::Error> for IndexError {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// The index of one class; cheap to clone. The last clone to go, or [`Index::close`], ends its thread.
#[derive(Clone)]
pub struct Index {
    shared: Arc<Shared>,
}

struct Shared {
    class: Visibility,
    fields: Arc<Fields>,
    reader: IndexReader,
    pool: Pool,
    inbox: Mutex<Option<mpsc::Sender<Order>>>,
    thread: Mutex<Option<std::thread::JoinHandle<()>>>,
    position: watch::Receiver<Seq>,
    refilling: watch::Sender<bool>,
    failure: Arc<Mutex<Option<String>>>,
}

impl Index {
    /// Opens the index of a class in its folder. What is there is deleted, to be filled again, when it is missing,
    /// damaged, of another schema or analyser, made from another log than `origin`, or ahead of that log's `head`.
    /// [`Index::position`] then says from where to follow. Reads and writes files: not for an async thread.
    pub fn open(dir: &Path, class: Visibility, origin: &str, head: Seq) -> Result<Self, IndexError> {
        std::fs::create_dir_all(dir).map_err(|error| IndexError::folder(dir, &error))?;
        let fields = Arc::new(Fields::new());
        let (schema, commitment) = (fields.schema_hash(), Digest([0; 32]));
        let fresh = Payload { position: 0, commitment, schema, origin: origin.to_owned() };
        let (index, payload) = match usable(dir, &fresh, head) {
            Ok(Some(found)) => found,
            Ok(None) => {
                clear(dir)?;
                (create(dir, &fields)?, fresh)
            }
            Err(reason) => {
                tracing::warn!(?class, reason, "the index is filled anew from the log");
                clear(dir)?;
                (create(dir, &fields)?, fresh)
            }
        };
        let writer = writer::open(dir, &index, &fields)?;
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        let (send, inbox) = mpsc::channel(INBOX);
        let (tell, position) = watch::channel(Seq(payload.position));
        let refilling = watch::Sender::new(false);
        let failure = Arc::new(Mutex::new(None));
        let thread = Writer {
            dir: dir.to_path_buf(),
            index,
            reader: reader.clone(),
            fields: Arc::clone(&fields),
            class,
            payload,
            refilling: None,
            inbox,
            position: tell,
            refill_ended: refilling.clone(),
            failure: Arc::clone(&failure),
        };
        let thread = std::thread::Builder::new()
            .name("index-writer".to_owned())
            .spawn(move || {
                labels::prepare();
                thread.run(Some(writer));
            })
            .map_err(|error| IndexError::Failed(error.to_string()))?;
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        let shared = Shared {
            class,
            fields,
            reader,
            pool: Pool::new(threads),
            inbox: Mutex::new(Some(send)),
            thread: Mutex::new(Some(thread)),
            position,
            refilling,
            failure,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The last entry that went into the index in this folder: its position and commitment. A log that has another entry
    /// there is not the one that the index was made from, whatever its name. Nothing where [`Index::open`] would begin at
    /// the first entry. Reads files.
    pub fn last_applied(dir: &Path) -> Option<(Seq, Digest)> {
        let metas = tantivy::Index::open_in_dir(dir).and_then(|index| index.load_metas()).ok()?;
        let payload: Payload = serde_json::from_str(&metas.payload?).ok()?;
        (payload.position > 0).then_some((Seq(payload.position), payload.commitment))
    }

    /// Deletes the index in this folder, which nobody has open. A folder that holds something else is left alone.
    pub fn discard(dir: &Path) -> Result<(), IndexError> {
        clear(dir)
    }

    /// Hands over entries of the log in order; those already applied are passed over. Returns once they are queued,
    /// which waits while the writer is behind. A write that fails is tried again; nothing queued is lost but by a
    /// restart, after which [`Index::position`] says what is missing.
    pub async fn apply(&self, entries: Vec<Entry>) -> Result<(), IndexError> {
        self.order(Order::Apply(entries)).await
    }

    /// Begins again: the caller hands over the log from its first entry on. Searches see the old filling until the new
    /// one has come to the same position. Should a write fail before that, the old filling stays.
    pub async fn refill(&self) -> Result<(), IndexError> {
        self.shared.refilling.send_replace(true);
        self.order(Order::Refill).await
    }

    /// Waits until no refill is under way, at most so long. Says whether none is.
    pub async fn wait_for_refill(&self, at_most: Duration) -> bool {
        let mut refilling = self.shared.refilling.subscribe();
        let ended = refilling.wait_for(|refilling| !refilling);
        matches!(tokio::time::timeout(at_most, ended).await, Ok(Ok(_)))
    }

    async fn order(&self, order: Order) -> Result<(), IndexError> {
        let inbox = self.shared.inbox.lock().clone().ok_or(IndexError::Closed)?;
        inbox.send(order).await.map_err(|_| IndexError::Closed)
    }

    /// The log position up to which searches see everything.
    pub fn position(&self) -> watch::Receiver<Seq> {
        self.shared.position.clone()
    }

    /// Waits until searches see everything up to this position, at most so long. Says whether they do.
    pub async fn wait_for(&self, seq: Seq, at_most: Duration) -> bool {
        let mut position = self.position();
        let reached = position.wait_for(|reached| *reached >= seq);
        matches!(tokio::time::timeout(at_most, reached).await, Ok(Ok(_)))
    }

    /// Why entries are not being applied, while they are not.
    pub fn failure(&self) -> Option<String> {
        self.shared.failure.lock().clone()
    }

    /// Answers a question on the search pool.
    pub async fn search(&self, query: IndexQuery) -> Result<IndexAnswer, IndexError> {
        let shared = Arc::clone(&self.shared);
        self.shared.pool.run(query.deadline, move || shared.at_last_commit().search(&query)).await
    }

    /// The number of records in the index and the sum of [`entry_digest`] over them, to be compared with the store's at
    /// the same position. Reads every id: for an hourly check, not for an async thread.
    pub fn digest(&self) -> Result<(u64, u128), IndexError> {
        self.shared.at_last_commit().digest()
    }

    /// Writes what is queued, and ends the writer's thread. Searches go on working.
    pub async fn close(&self) {
        drop(self.shared.inbox.lock().take());
        let thread = self.shared.thread.lock().take();
        if let Some(thread) = thread {
            // A panic of the thread was logged where it happened.
            tokio::task::spawn_blocking(move || thread.join().is_ok()).await.ok();
        }
    }
}

impl Shared {
    fn at_last_commit(&self) -> Reader<'_> {
        // The position first: a commit in between makes the answer newer than it says, never older.
        let position = *self.position.borrow();
        Reader { searcher: self.reader.searcher(), fields: &self.fields, class: self.class, position }
    }
}

/// The index that is there, where it can be used; the reason why it must be made anew, where not.
fn usable(dir: &Path, wanted: &Payload, head: Seq) -> Result<Option<(tantivy::Index, Payload)>, String> {
    if !dir.join("meta.json").exists() {
        return if is_empty(dir) { Ok(None) } else { Err("it is incomplete".to_owned()) };
    }
    let index = tantivy::Index::open_in_dir(dir).map_err(|error| error.to_string())?;
    let meta = index.load_metas().map_err(|error| error.to_string())?;
    let Some(payload) = meta.payload else { return Ok(None) }; // nothing was ever committed to it
    let payload: Payload = serde_json::from_str(&payload).map_err(|error| error.to_string())?;
    if payload.schema != wanted.schema {
        return Err("it was written by another version".to_owned());
    }
    if payload.origin != wanted.origin {
        return Err("it was made from another log".to_owned());
    }
    if payload.position > head.0 {
        return Err("it is ahead of the log".to_owned());
    }
    let opens = index.reader().map(drop).map_err(|error| error.to_string());
    opens.map(|()| Some((index, payload)))
}

fn create(dir: &Path, fields: &Fields) -> Result<tantivy::Index, IndexError> {
    let directory = MmapDirectory::open(dir).map_err(|error| IndexError::folder(dir, &error))?;
    Ok(tantivy::Index::open_or_create(directory, fields.schema())?)
}

fn is_empty(dir: &Path) -> bool {
    std::fs::read_dir(dir).is_ok_and(|mut files| files.next().is_none())
}

/// Deletes the index's files. A folder that holds something else is left alone.
fn clear(dir: &Path) -> Result<(), IndexError> {
    let files = std::fs::read_dir(dir).map_err(|error| IndexError::folder(dir, &error))?;
    let files: Vec<_> = files.collect::<Result<_, _>>().map_err(|error| IndexError::folder(dir, &error))?;
    if let Some(foreign) = files.iter().find(|file| file.path().is_dir()) {
        let detail = format!("it holds {:?}, which is not of an index; choose another folder", foreign.file_name());
        return Err(IndexError::folder(dir, &detail));
    }
    for file in files {
        std::fs::remove_file(file.path()).map_err(|error| IndexError::folder(dir, &error))?;
    }
    Ok(())
}
