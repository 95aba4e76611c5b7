//! The one writer of an index, on its own thread: entries in, batches committed, the reader reloaded after each.
//!
//! Traps of tantivy 0.27 that this file exists to avoid, each reproduced: a crash between two files wedges every later
//! commit (so garbage is collected before the first operation); the first operation after opening reuses the committed
//! opstamp and its delete may be lost in a merge (so one opstamp is burnt); `rollback` does the same (so it is never
//! called: a failed writer is dropped and opened again); `.tmp` files of killed writers stay for ever (so they are swept);
//! `delete_all_documents` turns the opstamps back as `rollback` does (so an index is emptied by a query for everything).

use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tantivy::indexer::{IndexWriterOptions, LogMergePolicy};
use tantivy::query::AllQuery;
use tantivy::{IndexReader, IndexWriter, TantivyError, Term};
use tokio::sync::{mpsc, watch};

use crate::domain::dataset::{Registered, Visibility};
use crate::domain::event::{Entry, What};
use crate::domain::ids::{DatasetId, Digest, Seq};
use crate::domain::lifecycle::State;

use super::IndexError;
use super::fields::Fields;

/// The most entries of one commit.
const BATCH: usize = 5_000;
/// How far the position may run ahead of the last commit while nothing of this index changes.
const UNCOMMITTED: u64 = 20_000;
const MEMORY: usize = 64 * 1024 * 1024;
/// A segment is merged anew when this share of its documents is deleted.
const DELETED_SHARE: f32 = 0.2;
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What a commit says of itself, in tantivy's `meta.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Payload {
    /// The last log position applied.
    pub(super) position: u64,
    /// The commitment of the entry there; zeros at position 0.
    pub(super) commitment: Digest,
    /// The schema it was written with.
    pub(super) schema: String,
    /// The log it was made from.
    pub(super) origin: String,
}

/// What the writer's thread is told to do, in order.
pub(super) enum Order {
    /// Apply these entries.
    Apply(Vec<Entry>),
    /// Begin again with the first entry of the log, which comes next.
    Refill,
}

/// What the writer's thread owns.
pub(super) struct Writer {
    /// The folder.
    pub(super) dir: PathBuf,
    /// The index.
    pub(super) index: tantivy::Index,
    /// The reader to reload.
    pub(super) reader: IndexReader,
    /// The schema.
    pub(super) fields: Arc<Fields>,
    /// The class whose records belong here.
    pub(super) class: Visibility,
    /// What the next commit says of itself.
    pub(super) payload: Payload,
    /// The position at which the new filling replaces the old one, while the index is filled anew.
    pub(super) refilling: Option<u64>,
    /// What to do.
    pub(super) inbox: mpsc::Receiver<Order>,
    /// Where the last visible position is told.
    pub(super) position: watch::Sender<Seq>,
    /// Set to false when a refill is over.
    pub(super) refill_ended: watch::Sender<bool>,
    /// Why the last attempt failed, until one succeeds.
    pub(super) failure: Arc<Mutex<Option<String>>>,
}

impl Writer {
    /// Applies what arrives until nobody can send any more. Entries that fail to be written are tried again.
    pub(super) fn run(mut self, mut writer: Option<IndexWriter>) {
        let mut committed = self.payload.position;
        let mut ahead = None;
        while let Some(order) = ahead.take().or_else(|| self.inbox.blocking_recv()) {
            let Order::Apply(mut batch) = order else {
                self.begin_refill();
                continue;
            };
            while batch.len() < BATCH {
                match self.inbox.try_recv() {
                    Ok(Order::Apply(more)) => batch.extend(more),
                    Ok(Order::Refill) => ahead = Some(Order::Refill),
                    Err(_) => break,
                }
                if ahead.is_some() {
                    break;
                }
            }
            batch.retain(|entry| entry.seq.0 > self.payload.position);
            batch.sort_by_key(|entry| entry.seq);
            let mut pause = FIRST_PAUSE;
            while let Some((last, commitment)) = batch.last().map(|entry| (entry.seq.0, entry.commitment)) {
                // A panic of the engine is one more way for a write to fail, and must not end the thread.
                let written = std::panic::catch_unwind(AssertUnwindSafe(|| {
                    self.write(&mut writer, &batch, last.saturating_sub(committed) > UNCOMMITTED)
                }));
                let failure = match written {
                    Ok(Ok(did_commit)) => {
                        if did_commit {
                            committed = last;
                            if self.refilling.take().is_some() {
                                self.refill_ended.send_replace(false);
                            }
                        }
                        self.payload = Payload { position: last, commitment, ..self.payload };
                        break;
                    }
                    Ok(Err(error)) => error.to_string(),
                    Err(_) => "the engine failed".to_owned(),
                };
                tracing::error!(class = ?self.class, failure, "the index could not be written; trying again");
                *self.failure.lock() = Some(failure);
                writer = None;
                self.give_up_refill(&mut batch);
                if self.inbox.is_closed() {
                    return;
                }
                std::thread::sleep(pause);
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            *self.failure.lock() = None;
            if self.refilling.is_none() {
                self.position.send_if_modified(|told| {
                    let before = std::mem::replace(told, Seq(self.payload.position));
                    before != *told
                });
            }
        }
        if let Some(writer) = writer
            && let Err(error) = writer.wait_merging_threads()
        {
            tracing::warn!(%error, "the index was closed while it merged");
        }
    }

    /// From here on the log comes from its beginning. What was committed goes on answering until the new filling has
    /// come as far, and both change places in one commit.
    fn begin_refill(&mut self) {
        self.refilling = Some(self.refilling.unwrap_or(self.payload.position));
        self.payload.position = 0;
    }

    /// A failure took with it what was not committed: the old filling stays, and takes what it has not yet.
    fn give_up_refill(&mut self, batch: &mut Vec<Entry>) {
        if let Some(position) = self.refilling.take() {
            self.payload.position = position;
            batch.retain(|entry| entry.seq.0 > position);
            self.refill_ended.send_replace(false);
        }
    }

    /// Writes a batch. Where nothing of it concerns this index, nothing is committed unless `must_commit`.
    fn write(&self, slot: &mut Option<IndexWriter>, batch: &[Entry], must_commit: bool) -> Result<bool, IndexError> {
        let Some(last) = batch.last() else { return Ok(false) };
        let (position, commitment) = (last.seq.0, last.commitment);
        let writer = match slot {
            Some(writer) => writer,
            None => slot.insert(open(&self.dir, &self.index, &self.fields)?),
        };
        if self.refilling.is_some() && self.payload.position == 0 {
            writer.delete_query(Box::new(AllQuery))?;
        }
        let mut touched: HashSet<&DatasetId> = HashSet::new();
        let before = self.reader.searcher();
        for entry in batch {
            let (id, record) = match &entry.event.what {
                What::DatasetRegistered { record } | What::DatasetRevised { record } => {
                    (&record.dataset.id, self.is_ours(record).then_some(record))
                }
                What::DatasetWithdrawn { id, .. } => (id, None),
                _ => continue,
            };
            let term = Term::from_field_text(self.fields.id, id.as_str());
            // While the index is filled anew, what was committed says nothing about what is there.
            let known = self.refilling.is_some() || touched.contains(id) || before.doc_freq(&term)? > 0;
            if record.is_none() && !known {
                continue;
            }
            touched.insert(id);
            writer.delete_term(term);
            if let Some(record) = record {
                let (document, stemmed) = self.fields.document(record, entry.seq);
                if !stemmed {
                    tracing::warn!(%id, "a stemmer failed on this record; its words are indexed as they stand");
                }
                writer.add_document(document)?;
            }
        }
        let due = match self.refilling {
            Some(until) => position >= until,
            None => must_commit || !touched.is_empty(),
        };
        if !due {
            return Ok(false);
        }
        let payload = Payload { position, commitment, ..self.payload.clone() };
        let mut prepared = writer.prepare_commit()?;
        prepared.set_payload(&serde_json::to_string(&payload).unwrap_or_default());
        prepared.commit()?;
        self.reader.reload()?;
        Ok(true)
    }

    fn is_ours(&self, record: &Registered) -> bool {
        record.dataset.visibility == self.class && record.stands() == State::Published
    }
}

/// Opens the writer as the head of this file says.
pub(super) fn open(dir: &Path, index: &tantivy::Index, fields: &Fields) -> Result<IndexWriter, IndexError> {
    for file in std::fs::read_dir(dir).map_err(|error| IndexError::folder(dir, &error))? {
        let file = file.map_err(|error| IndexError::folder(dir, &error))?;
        if file.file_name().to_string_lossy().starts_with(".tmp") {
            std::fs::remove_file(file.path()).map_err(|error| IndexError::folder(dir, &error))?;
        }
    }
    let options = IndexWriterOptions::builder()
        .num_worker_threads(1)
        .memory_budget_per_thread(MEMORY)
        .num_merge_threads(1)
        .build();
    let writer: IndexWriter = index.writer_with_options(options).map_err(|error| match error {
        TantivyError::LockFailure(..) => IndexError::folder(dir, &"another process has it open; stop that one first"),
        other => other.into(),
    })?;
    let mut policy = LogMergePolicy::default();
    policy.set_del_docs_ratio_before_merge(DELETED_SHARE);
    writer.set_merge_policy(Box::new(policy));
    writer.garbage_collect_files().wait()?;
    // No id is empty, so this deletes nothing; it only uses up the opstamp.
    writer.delete_term(Term::from_field_text(fields.id, ""));
    Ok(writer)
}

#[cfg(test)]
mod tests {
    use tantivy::TantivyDocument;

    use super::*;

    #[test]
    fn the_first_operation_after_opening_has_an_opstamp_of_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let fields = Fields::new();
        let index = tantivy::Index::create_in_dir(dir.path(), fields.schema()).unwrap();
        let mut writer = open(dir.path(), &index, &fields).unwrap();
        writer.add_document(TantivyDocument::new()).unwrap();
        let committed = writer.commit().unwrap();
        drop(writer);
        let writer = open(dir.path(), &index, &fields).unwrap();
        let first = writer.delete_term(Term::from_field_text(fields.id, "x"));
        assert!(first > committed, "{first} after {committed}: its delete could be lost in a merge");
    }

    #[test]
    fn what_a_killed_writer_left_is_swept_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let fields = Fields::new();
        let index = tantivy::Index::create_in_dir(dir.path(), fields.schema()).unwrap();
        std::fs::write(dir.path().join(".tmpA1b2C3"), "half").unwrap();
        std::fs::write(dir.path().join("note"), "kept").unwrap();
        open(dir.path(), &index, &fields).unwrap();
        assert!(!dir.path().join(".tmpA1b2C3").exists());
        assert!(dir.path().join("note").exists());
    }
}
