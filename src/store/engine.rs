//! What an engine must do, and the words in which flows speak to it.
//!
//! The engine owns transactions, durability and the order of writes. What is written (log rows, Merkle hashes, the table
//! of each noun) is said once, over [`Tables`], and shared by the engines: [`super::log`] and the projection files.

use std::fmt;
use std::path::PathBuf;

use futures_util::future::BoxFuture;
use tokio::sync::watch;

use crate::domain::ids::{DatasetId, Iri, OpaqueId, Revision, Seq, TrustDomain};

use super::error::{AppendError, StoreError};
use super::log::Batch;

/// What must hold at the moment of an append, checked in the same transaction. A projection also refuses an event that
/// contradicts what is there (a second registration of an id, a revision out of turn), with the expectation it broke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expectation {
    /// No dataset has this id, withdrawn ones included.
    DatasetAbsent(DatasetId),
    /// The dataset is at this revision.
    DatasetAt(DatasetId, Revision),
    /// The dataset is there and was not withdrawn.
    DatasetInForce(DatasetId),
    /// No dataset was imported from this record of this source.
    SourceAbsent(String, Iri),
    /// No request has this id.
    RequestAbsent(OpaqueId),
    /// The request is in the state of this name ([`crate::domain::negotiation::RequestState::name`]).
    RequestState(OpaqueId, &'static str),
    /// The request is not in a final state.
    RequestOpen(OpaqueId),
    /// No agreement has this id, and none answers the same request.
    AgreementAbsent(OpaqueId),
    /// The agreement is there and was not ended; whether its time is over is the caller's to judge.
    AgreementInForce(OpaqueId),
    /// No grant has this id.
    GrantAbsent(OpaqueId),
    /// The grant is there.
    GrantPresent(OpaqueId),
    /// No release has this id.
    ReleaseAbsent(OpaqueId),
    /// The release was opened and not closed.
    ReleaseOpen(OpaqueId),
    /// No receipt has this id.
    ReceiptAbsent(OpaqueId),
    /// No token has this id or hash.
    TokenAbsent(OpaqueId),
    /// The token is there and was not revoked.
    TokenInForce(OpaqueId),
    /// The last peer file accepted for this domain has a smaller number.
    PeerFileNewer(TrustDomain, u64),
    /// No run of this harvest is open.
    HarvestIdle(String),
    /// This run of a harvest is open.
    HarvestOpen(OpaqueId),
    /// The lease of this name is still held under this fencing token.
    LeaseHeld(String, FencingToken),
}

/// Said as what was expected and did not hold.
impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DatasetAbsent(id) => write!(f, "the dataset {id} is already registered; ids are never reused"),
            Self::DatasetAt(id, revision) => write!(f, "the dataset {id} is not at revision {revision}"),
            Self::DatasetInForce(id) => write!(f, "the dataset {id} is not registered here, or was withdrawn"),
            Self::SourceAbsent(name, iri) => write!(f, "the record {iri} of {name} is already registered"),
            Self::RequestAbsent(id) => write!(f, "the request {id} already exists"),
            Self::RequestState(id, state) => write!(f, "the request {id} is not {state}"),
            Self::RequestOpen(id) => write!(f, "the request {id} does not exist or is already decided"),
            Self::AgreementAbsent(id) => write!(f, "the agreement {id} or one for the same request already exists"),
            Self::AgreementInForce(id) => write!(f, "the agreement {id} does not exist or has ended"),
            Self::GrantAbsent(id) => write!(f, "the grant {id} already exists"),
            Self::GrantPresent(id) => write!(f, "the grant {id} does not exist"),
            Self::ReleaseAbsent(id) => write!(f, "the release {id} already exists"),
            Self::ReleaseOpen(id) => write!(f, "the release {id} does not exist or is closed"),
            Self::ReceiptAbsent(id) => write!(f, "the receipt {id} already exists"),
            Self::TokenAbsent(id) => write!(f, "the token {id} already exists"),
            Self::TokenInForce(id) => write!(f, "the token {id} does not exist or was revoked"),
            Self::PeerFileNewer(domain, number) => {
                write!(f, "a peer file of {domain} with number {number} or higher was already accepted")
            }
            Self::HarvestIdle(source) => write!(f, "a run of the harvest {source} is open"),
            Self::HarvestOpen(run) => write!(f, "the harvest run {run} does not exist or has ended"),
            Self::LeaseHeld(name, _) => write!(f, "the lease {name} went to another holder"),
        }
    }
}

/// Who goes first when several writes wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Priority {
    /// Somebody waits for the answer.
    Interactive,
    /// Bulk: rides along with what is interactive, in small portions.
    Import,
}

/// The proof of holding a lease: greater with each new holder, so that a late writer is found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FencingToken(pub(crate) u64);

/// A question to the tables, inside one consistent read transaction.
pub(super) type Read = Box<dyn FnOnce(&dyn Tables) -> Result<(), StoreError> + Send>;

/// A write beside the log (a lease, a checkpoint), in its own savepoint.
pub(super) type Write = Box<dyn FnOnce(&dyn Tables) -> Result<(), StoreError> + Send>;

/// What an engine must do.
pub(super) trait Engine: Send + Sync + 'static {
    /// Appends a batch: all of it, in order, without gaps, durable when it returns; or nothing of it.
    fn append(&self, batch: Batch, priority: Priority) -> BoxFuture<'_, Result<Vec<Seq>, AppendError>>;

    /// Asks the tables. Never waits for a writer.
    fn read(&self, read: Read) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Writes beside the log, durable when it returns.
    fn write(&self, write: Write) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Derives the tables again from the log, in one transaction.
    fn rebuild(&self) -> BoxFuture<'_, Result<(), StoreError>>;

    /// The last durable position, and every later one.
    fn follow(&self) -> watch::Receiver<Seq>;

    /// Writes a consistent copy of everything to a new file while work goes on.
    fn snapshot(&self, to: PathBuf) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Checks the engine's own structures from end to end.
    fn check(&self) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Why the last write came to nothing, until one succeeds again.
    fn failing(&self) -> Option<StoreError>;

    /// Finishes what was accepted and lets go of the files.
    fn close(&self) -> BoxFuture<'_, ()>;
}

/// Statements against the tables of one open transaction. Parameters are written `?1`, `?2` ….
pub(super) trait Tables {
    /// Runs a statement; gives the number of rows it changed.
    fn execute(&self, sql: &str, values: &[Value]) -> Result<usize, StoreError>;

    /// Runs a query and hands over one row after the other.
    fn each(
        &self,
        sql: &str,
        values: &[Value],
        take: &mut dyn FnMut(Row) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;

    /// Runs a query.
    fn query(&self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        let mut rows = Vec::new();
        self.each(sql, values, &mut |row| {
            rows.push(row);
            Ok(())
        })?;
        Ok(rows)
    }

    /// Runs a query that has one row at most.
    fn one(&self, sql: &str, values: &[Value]) -> Result<Option<Row>, StoreError> {
        Ok(self.query(sql, values)?.into_iter().next())
    }

    /// Whether the query has a row.
    fn any(&self, sql: &str, values: &[Value]) -> Result<bool, StoreError> {
        Ok(self.one(sql, values)?.is_some())
    }
}

/// A value in a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Null,
    Integer(i64),
    Text(String),
    Blob(Vec<u8>),
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        // Positions and counts stay far below 2^63; a larger one is kept as the largest and so found missing.
        Self::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<Seq> for Value {
    fn from(seq: Seq) -> Self {
        seq.0.into()
    }
}

impl From<Revision> for Value {
    fn from(revision: Revision) -> Self {
        Self::Integer(revision.0.into())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Blob(bytes.to_vec())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// The text form of anything that has one.
pub(super) fn text(value: &impl fmt::Display) -> Value {
    Value::Text(value.to_string())
}

/// A row of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row(pub(super) Vec<Value>);

impl Row {
    /// The text in this column.
    pub(super) fn text(&self, column: usize) -> Result<&str, StoreError> {
        self.optional_text(column)?.ok_or_else(|| self.wrong(column, "text"))
    }

    /// The text in this column, if there is any.
    pub(super) fn optional_text(&self, column: usize) -> Result<Option<&str>, StoreError> {
        match self.0.get(column) {
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(Value::Null) => Ok(None),
            _ => Err(self.wrong(column, "text")),
        }
    }

    /// The number in this column.
    pub(super) fn number(&self, column: usize) -> Result<u64, StoreError> {
        self.optional_number(column)?.ok_or_else(|| self.wrong(column, "a number"))
    }

    /// The number in this column, if there is one.
    pub(super) fn optional_number(&self, column: usize) -> Result<Option<u64>, StoreError> {
        match self.0.get(column) {
            Some(Value::Integer(number)) => {
                u64::try_from(*number).map(Some).map_err(|_| self.wrong(column, "a number from 0"))
            }
            Some(Value::Null) => Ok(None),
            _ => Err(self.wrong(column, "a number")),
        }
    }

    /// The position in this column.
    pub(super) fn seq(&self, column: usize) -> Result<Seq, StoreError> {
        self.number(column).map(Seq)
    }

    /// The 32 bytes in this column.
    pub(super) fn hash(&self, column: usize) -> Result<[u8; 32], StoreError> {
        match self.0.get(column) {
            Some(Value::Blob(bytes)) => bytes.as_slice().try_into().map_err(|_| self.wrong(column, "32 bytes")),
            _ => Err(self.wrong(column, "32 bytes")),
        }
    }

    /// The name in this column, which was valid when it was written.
    pub(super) fn parse<T>(&self, column: usize) -> Result<T, StoreError>
    where
        T: std::str::FromStr,
        T::Err: fmt::Display,
    {
        let text = self.text(column)?;
        text.parse().map_err(|error| damaged(Seq(0), format!("column {column} holds {text:?}: {error}")))
    }

    fn wrong(&self, column: usize, expected: &str) -> StoreError {
        damaged(Seq(0), format!("column {column} does not hold {expected}"))
    }
}

/// The error for something that cannot have been written so.
pub(super) fn damaged(seq: Seq, detail: impl Into<String>) -> StoreError {
    StoreError::Damaged { seq, detail: detail.into() }
}
