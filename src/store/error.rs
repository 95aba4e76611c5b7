//! What can go wrong with the durable truth, said so that the person who reads it can mend it.

use std::path::PathBuf;

use crate::domain::ids::{Identity, Seq};

use super::engine::Expectation;

/// Why the store could not be opened, read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another process has it.
    #[error(
        "{} is in use by another process: stop that node first, or give this one its own data directory", .0.display()
    )]
    InUse(PathBuf),
    /// The directory belongs to another node.
    #[error(
        "the log in {} belongs to {found}, not to {expected}: point the configuration at the right data directory",
        path.display()
    )]
    OtherNode {
        /// The data directory.
        path: PathBuf,
        /// Whose log it is.
        found: String,
        /// Who opened it.
        expected: Box<Identity>,
    },
    /// The file was written by a newer Pleiad, or is no store at all.
    #[error("{} cannot be read by this version of Pleiad: {detail}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What was found.
        detail: String,
    },
    /// No space left.
    #[error("the disk that holds {} is full; nothing of this write was kept: free some space and try again ({detail})", path.display())]
    DiskFull {
        /// The file.
        path: PathBuf,
        /// What the engine said.
        detail: String,
    },
    /// The disk or the file system refused.
    #[error("reading or writing {} failed: check the disk and the rights on it, then try again ({detail})", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the engine said.
        detail: String,
    },
    /// What was read is not what was written.
    #[error("the log is damaged at entry {seq}: {detail}; restore the last backup, and keep this copy as evidence")]
    Damaged {
        /// The first entry that is wrong; 0 where it is no single entry.
        seq: Seq,
        /// What is wrong.
        detail: String,
    },
    /// A derived table is not what the log gives. The log itself is right.
    #[error("the table {table} is not what the log gives, at {row}; stop the node and derive the tables again")]
    TablesDiffer {
        /// The table.
        table: String,
        /// The first row that differs.
        row: String,
    },
    /// The engine refused a statement: a fault of ours.
    #[error("the store refused a statement, which is a fault in Pleiad: {0}")]
    Engine(String),
    /// The store was closed.
    #[error("the store is closed: the node is shutting down")]
    Closed,
    /// A backup cannot go there or come from there.
    #[error("{} {detail}", path.display())]
    Backup {
        /// The folder or file.
        path: PathBuf,
        /// Why, and what to do.
        detail: String,
    },
}

/// Why events were not appended. Nothing of the batch was kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// An expectation did not hold when it was this batch's turn.
    #[error("{0}")]
    Conflict(Expectation),
    /// A single event is larger than the log takes.
    #[error("the event is {bytes} bytes; the log takes at most {limit}")]
    TooLarge {
        /// Its size as JSON.
        bytes: usize,
        /// The most that is taken.
        limit: usize,
    },
    /// The idempotency key was used before, by the same actor, for something else.
    #[error("the idempotency key {0:?} was already used for another request: take a new one")]
    KeyReused(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
