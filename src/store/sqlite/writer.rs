//! The one writer: what waits is committed together, so that many callers share one `fsync`.
//!
//! Each request has its own savepoint: an expectation that does not hold rolls back its own request and nobody else's.
//! Nothing is answered before the group's `COMMIT` returned; when it did not, everybody in the group hears why, the
//! handle is thrown away, and the next group starts from what is on the disk.

use std::collections::VecDeque;
use std::fs::File;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use rusqlite::{Connection, OpenFlags};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};

use crate::domain::ids::Seq;
use crate::domain::merkle::Frontier;

use super::super::engine::{Priority, Tables, Write};
use super::super::error::{AppendError, StoreError};
use super::super::log::{self, Batch};
use super::reserve::Reserve;
use super::{Options, SqliteTables, connect, is_fatal};

/// At most so many requests in one commit.
const GROUP: usize = 100;

/// A group is closed once it writes this many bytes, so that one commit stays short.
const GROUP_BYTES: usize = 4 * 1024 * 1024;

/// Imports stop joining a group at this size: somebody interactive may arrive while it is written.
const IMPORT_BYTES: usize = 1024 * 1024;

/// How often a writer that fails tries to come back.
const RETRY: Duration = Duration::from_secs(2);

/// Requests that may wait before callers wait to ask.
const WAITING: usize = 1000;
const WAITING_IMPORTS: usize = 32;

/// What the writer is asked to do.
pub(super) enum Job {
    /// Append to the log.
    Append { batch: Batch, answer: oneshot::Sender<Result<Vec<Seq>, AppendError>> },
    /// Write beside the log.
    Write { write: Write, answer: oneshot::Sender<Result<(), StoreError>> },
}

impl Job {
    fn bytes(&self) -> usize {
        match self {
            Self::Append { batch, .. } => batch.bytes(),
            Self::Write { .. } => 0,
        }
    }
}

/// A job with its place among those that wait, given back when the job is done.
type Waiting = (Job, OwnedSemaphorePermit);

/// What waits for the writer, bounded.
pub(super) struct Queue {
    waiting: Mutex<Lines>,
    arrived: Condvar,
    interactive: Arc<Semaphore>,
    import: Arc<Semaphore>,
}

#[derive(Default)]
struct Lines {
    interactive: VecDeque<Waiting>,
    import: VecDeque<Waiting>,
    closed: bool,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            waiting: Mutex::default(),
            arrived: Condvar::new(),
            interactive: Arc::new(Semaphore::new(WAITING)),
            import: Arc::new(Semaphore::new(WAITING_IMPORTS)),
        }
    }
}

impl Queue {
    /// Hands over a job; waits while too many wait already.
    pub(super) async fn push(&self, priority: Priority, job: Job) -> Result<(), StoreError> {
        let places = match priority {
            Priority::Interactive => &self.interactive,
            Priority::Import => &self.import,
        };
        let place = places.clone().acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let mut lines = self.waiting.lock();
        if lines.closed {
            return Err(StoreError::Closed);
        }
        match priority {
            Priority::Interactive => lines.interactive.push_back((job, place)),
            Priority::Import => lines.import.push_back((job, place)),
        }
        self.arrived.notify_one();
        Ok(())
    }

    /// Takes no more; what waits is still done.
    pub(super) fn close(&self) {
        self.waiting.lock().closed = true;
        self.interactive.close();
        self.import.close();
        self.arrived.notify_all();
    }

    /// What is committed together next; nothing once the queue is closed and empty. A writer that fails is given an empty
    /// group from time to time, so that it finds out by itself when it can write again.
    fn next_group(&self, failing: bool) -> Option<Vec<Waiting>> {
        let mut lines = self.waiting.lock();
        while lines.interactive.is_empty() && lines.import.is_empty() {
            if lines.closed {
                return None;
            }
            if !failing {
                self.arrived.wait(&mut lines);
            } else if self.arrived.wait_for(&mut lines, RETRY).timed_out() {
                return Some(Vec::new());
            }
        }
        let (mut group, mut bytes) = (Vec::new(), 0);
        while group.len() < GROUP && bytes < GROUP_BYTES {
            let Some(waiting) = lines.interactive.pop_front() else { break };
            bytes += waiting.0.bytes();
            group.push(waiting);
        }
        // One import always rides along, so that a busy node still finishes one.
        let mut first = true;
        while first || (group.len() < GROUP && bytes < IMPORT_BYTES) {
            let Some(waiting) = lines.import.pop_front() else { break };
            bytes += waiting.0.bytes();
            group.push(waiting);
            first = false;
        }
        Some(group)
    }
}

/// The writer's thread owns the handle, the tree's edge and the lock on the directory.
pub(super) struct Writer {
    pub(super) path: PathBuf,
    pub(super) options: Options,
    pub(super) connection: Option<Connection>,
    pub(super) tree: Frontier,
    pub(super) head: watch::Sender<Seq>,
    pub(super) reserve: Reserve,
    pub(super) failing: Arc<Mutex<Option<StoreError>>>,
    pub(super) lock: File,
}

/// What is told to one caller, once the group is durable.
enum Answer {
    Append(oneshot::Sender<Result<Vec<Seq>, AppendError>>, Result<Vec<Seq>, AppendError>),
    Write(oneshot::Sender<Result<(), StoreError>>, Result<(), StoreError>),
}

impl Writer {
    /// Works until the queue is closed and empty.
    pub(super) fn run(mut self, queue: &Queue) {
        let _closes = ClosesAtTheEnd { queue, failing: self.failing.clone() };
        let mut failing = false;
        while let Some(group) = queue.next_group(failing) {
            failing = !self.commit(group);
        }
        if let Some(connection) = &self.connection {
            // Only tidiness: the next start reads the WAL if this does not come about.
            let _ = connection.pragma_update(None, "wal_checkpoint", "TRUNCATE");
        }
        self.connection = None;
        drop(self.lock);
    }

    /// Runs a group and answers it. Gives whether it is durable.
    fn commit(&mut self, group: Vec<Waiting>) -> bool {
        let (jobs, places): (Vec<Job>, Vec<_>) = group.into_iter().unzip();
        let mut answers = Vec::with_capacity(jobs.len());
        let outcome = self.transact(jobs, &mut answers);
        if let Err(error) = &outcome {
            self.connection = None;
            if matches!(error, StoreError::DiskFull { .. }) {
                self.reserve.give_up();
            }
        }
        *self.failing.lock() = outcome.as_ref().err().cloned();
        // The head is told first: whoever was answered finds it at its own position or beyond.
        self.head.send_if_modified(|head| {
            let moved = head.0 != self.tree.size();
            *head = Seq(self.tree.size());
            moved
        });
        for answer in answers {
            // A caller that went away wanted no answer.
            match (answer, &outcome) {
                (Answer::Append(caller, result), Ok(())) => drop(caller.send(result)),
                (Answer::Append(caller, _), Err(error)) => drop(caller.send(Err(error.clone().into()))),
                (Answer::Write(caller, result), Ok(())) => drop(caller.send(result)),
                (Answer::Write(caller, _), Err(error)) => drop(caller.send(Err(error.clone()))),
            }
        }
        drop(places);
        outcome.is_ok()
    }

    /// Runs the jobs in one transaction. On an error nothing of it is durable as far as anybody was told.
    fn transact(&mut self, jobs: Vec<Job>, answers: &mut Vec<Answer>) -> Result<(), StoreError> {
        let opened = self.reopen();
        let mut failed = opened.err();
        let mut tree = self.tree.clone();
        let begun = match (&failed, &self.connection) {
            (None, Some(connection)) => {
                let tables = SqliteTables::new(connection, &self.path);
                failed = tables.execute("BEGIN IMMEDIATE", &[]).err();
                Some((connection, tables))
            }
            _ => None,
        };
        for job in jobs {
            // After a failure the rest only collects its answer.
            let mut attempt = |work: &mut dyn FnMut(&dyn Tables, &mut Frontier) -> Result<(), AppendError>| {
                let (None, Some((connection, tables))) = (&failed, &begun) else { return };
                if let Err(error) = savepoint(connection, tables, &mut tree, work) {
                    failed = Some(error);
                }
            };
            match job {
                Job::Append { batch, answer } => {
                    let mut result = Err(StoreError::Closed.into());
                    attempt(&mut |tables, tree| {
                        result = log::append(tables, tree, &batch);
                        result.as_ref().map(drop).map_err(Clone::clone)
                    });
                    answers.push(Answer::Append(answer, result));
                }
                Job::Write { write, answer } => {
                    let (mut result, mut write) = (Err(StoreError::Closed), Some(write));
                    attempt(&mut |tables, _| {
                        if let Some(write) = write.take() {
                            result = write(tables);
                        }
                        result.clone().map_err(AppendError::Store)
                    });
                    answers.push(Answer::Write(answer, result));
                }
            }
        }
        match (failed, begun) {
            (None, Some((_, tables))) => {
                tables.execute("COMMIT", &[])?;
                self.tree = tree;
                Ok(())
            }
            (failed, _) => Err(failed.unwrap_or(StoreError::Closed)),
        }
    }

    /// A handle to work with: the one there is, or a new one that starts from what is on the disk.
    fn reopen(&mut self) -> Result<(), StoreError> {
        self.reserve.take().map_err(|error| {
            let (path, detail) = (self.path.clone(), error.to_string());
            match error.kind() {
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreError::DiskFull { path, detail },
                _ => StoreError::Io { path, detail },
            }
        })?;
        if self.connection.is_none() {
            let connection = connect(&self.path, OpenFlags::empty(), &self.options)?;
            self.tree = log::tree(&SqliteTables::new(&connection, &self.path))?;
            self.connection = Some(connection);
        }
        Ok(())
    }
}

/// Whatever ends the writer, a panic included, nobody waits for it any longer and the store says that it is closed.
struct ClosesAtTheEnd<'q> {
    queue: &'q Queue,
    failing: Arc<Mutex<Option<StoreError>>>,
}

impl Drop for ClosesAtTheEnd<'_> {
    fn drop(&mut self) {
        *self.failing.lock() = Some(StoreError::Closed);
        self.queue.close();
        let left = std::mem::take(&mut *self.queue.waiting.lock());
        self.queue.waiting.lock().closed = true;
        drop(left);
    }
}

/// Runs one job. Its own failure rolls back to where it began; the error that is returned is one that spoils the group.
fn savepoint(
    connection: &Connection,
    tables: &SqliteTables<'_>,
    tree: &mut Frontier,
    work: &mut dyn FnMut(&dyn Tables, &mut Frontier) -> Result<(), AppendError>,
) -> Result<(), StoreError> {
    let before = tree.clone();
    tables.execute("SAVEPOINT job", &[])?;
    match work(tables, tree) {
        Ok(()) => {}
        Err(AppendError::Store(error)) if is_fatal(&error) => return Err(error),
        Err(_) => {
            *tree = before;
            if connection.is_autocommit() {
                return Err(StoreError::Engine("the transaction was rolled back by the engine".to_owned()));
            }
            tables.execute("ROLLBACK TO job", &[])?;
        }
    }
    tables.execute("RELEASE job", &[])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::super::Store;

    #[tokio::test]
    async fn a_writer_that_panics_leaves_nobody_waiting_and_a_store_that_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), &"spiffe://fi.example/node/fi".parse().unwrap()).unwrap();
        assert_eq!(store.failing(), None);
        assert!(store.engine.write(Box::new(|_| panic!("on purpose"))).await.is_err());
        for _ in 0..500 {
            if store.failing().is_some() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        assert!(store.failing().is_some());
        assert!(store.engine.write(Box::new(|_| Ok(()))).await.is_err());
    }
}
