//! The engine of one node on one machine: SQLite in WAL mode, one writer, many readers.
//!
//! Everything the node acknowledges passed a `COMMIT` under `synchronous=FULL`. One thread writes and commits what waits
//! in groups ([`writer`]); reads run on blocking threads over their own connections and never wait for it. A handle that
//! met an I/O error or a full disk is thrown away: what it holds in memory is no longer known to be what is on the disk.

mod reserve;
mod writer;

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use tokio::sync::{Semaphore, oneshot, watch};

use crate::domain::ids::Seq;
use crate::domain::merkle::Frontier;

use super::engine::{Engine, Priority, Read, Row, Tables, Value, Write, damaged};
use super::error::{AppendError, StoreError};
use super::log::Batch;
use super::{log, projections, source_texts};
use reserve::Reserve;
use writer::{Job, Queue, Writer};

/// The database file within the data directory.
pub(super) const FILE: &str = "store.sqlite";

/// "PLEI" in the header of every database of ours.
const APPLICATION_ID: i64 = 0x504c_4549;

/// The numbered steps from an empty file to the current schema; forward only, a step that was released never changes.
const MIGRATIONS: [&str; 2] = [include_str!("schema.sql"), source_texts::SCHEMA];

/// A start checks the structure of a file up to this size, which takes about a second; `verify` that of any.
const CHECKED_AT_START: u64 = 256 * 1024 * 1024;

/// How many reads run at once; more wait their turn.
const READERS: usize = 8;

/// How an engine is opened.
#[derive(Debug, Clone, Default)]
pub(super) struct Options {
    /// The largest size of the database in bytes; a write beyond it is answered like a full disk.
    pub(super) size_limit: Option<u64>,
}

/// The engine.
pub(super) struct Sqlite {
    queue: Option<Arc<Queue>>,
    writer: Mutex<Option<std::thread::JoinHandle<()>>>,
    readers: Arc<Readers>,
    head: watch::Receiver<Seq>,
    failing: Arc<Mutex<Option<StoreError>>>,
}

impl Sqlite {
    /// Opens or makes the database in this directory, for this process alone. `begin` runs in a transaction of its own
    /// before anybody else sees the tables.
    pub(super) fn open(
        dir: &Path,
        options: &Options,
        begin: impl FnOnce(&dyn Tables, &mut Frontier) -> Result<(), StoreError>,
    ) -> Result<Self, StoreError> {
        let lock = lock(dir)?;
        let path = dir.join(FILE);
        let connection = connect(&path, OpenFlags::SQLITE_OPEN_CREATE, options)?;
        migrate(&path, &connection)?;
        let readers = Arc::new(Readers::new(path.clone())?);
        let tables = SqliteTables::new(&connection, &path);
        let mut tree = log::tree(&tables)?;
        let bytes = path.metadata().map_or(0, |file| file.len());
        if bytes <= CHECKED_AT_START {
            check(&tables, "quick_check")?;
        }
        tables.execute("BEGIN IMMEDIATE", &[])?;
        begin(&tables, &mut tree)?;
        tables.execute("COMMIT", &[])?;
        let (head, follower) = watch::channel(Seq(tree.size()));
        let queue = Arc::new(Queue::default());
        let failing = Arc::default();
        let writer = Writer {
            path,
            options: options.clone(),
            connection: Some(connection),
            tree,
            head,
            reserve: Reserve::new(dir),
            failing: Arc::clone(&failing),
            lock,
        };
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn({
                let queue = queue.clone();
                move || writer.run(&queue)
            })
            .map_err(|error| StoreError::Engine(format!("the writer's thread did not start: {error}")))?;
        Ok(Self { queue: Some(queue), writer: Mutex::new(Some(thread)), readers, head: follower, failing })
    }

    /// Opens the database in this directory to read it, beside the process that may be writing it.
    pub(super) fn inspect(
        dir: &Path,
        begin: impl FnOnce(&dyn Tables) -> Result<(), StoreError>,
    ) -> Result<Self, StoreError> {
        let path = dir.join(FILE);
        if !path.is_file() {
            let detail = "is not there: give the data directory of a node".to_owned();
            return Err(StoreError::Unreadable { path, detail });
        }
        let connection = connect(&path, OpenFlags::empty(), &Options::default())?;
        check_version(&path, &connection)?;
        let tables = SqliteTables::new(&connection, &path);
        begin(&tables)?;
        let (_, head) = watch::channel(log::head(&tables)?);
        Ok(Self {
            queue: None,
            writer: Mutex::new(None),
            readers: Arc::new(Readers::new(path)?),
            head,
            failing: Arc::new(Mutex::new(Some(StoreError::Closed))),
        })
    }

    async fn enqueue<T>(
        &self,
        priority: Priority,
        job: impl FnOnce(oneshot::Sender<T>) -> Job,
    ) -> Result<T, StoreError> {
        let queue = self.queue.as_ref().ok_or(StoreError::Closed)?;
        let (answer, answered) = oneshot::channel();
        queue.push(priority, job(answer)).await?;
        answered.await.map_err(|_| StoreError::Closed)
    }

    fn stop(&self) -> Option<std::thread::JoinHandle<()>> {
        if let Some(queue) = &self.queue {
            queue.close();
        }
        self.writer.lock().take()
    }
}

impl Engine for Sqlite {
    fn append(&self, batch: Batch, priority: Priority) -> BoxFuture<'_, Result<Vec<Seq>, AppendError>> {
        Box::pin(async move { self.enqueue(priority, |answer| Job::Append { batch, answer }).await? })
    }

    fn read(&self, read: Read) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let permit = self.readers.turns.clone().acquire_owned().await.map_err(|_| StoreError::Closed)?;
            let readers = self.readers.clone();
            let run = move || {
                let _permit = permit;
                readers.run(read)
            };
            tokio::task::spawn_blocking(run)
                .await
                .unwrap_or_else(|_| Err(StoreError::Engine("a read did not come back".to_owned())))
        })
    }

    fn write(&self, write: Write) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move { self.enqueue(Priority::Interactive, |answer| Job::Write { write, answer }).await? })
    }

    fn rebuild(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        self.write(Box::new(projections::rebuild))
    }

    fn follow(&self) -> watch::Receiver<Seq> {
        self.head.clone()
    }

    fn snapshot(&self, to: PathBuf) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let path = self.readers.path.clone();
            tokio::task::spawn_blocking(move || copy(&path, &to))
                .await
                .unwrap_or_else(|_| Err(StoreError::Engine("a snapshot did not come back".to_owned())))
        })
    }

    fn check(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        self.read(Box::new(|tables| check(tables, "integrity_check")))
    }

    fn failing(&self) -> Option<StoreError> {
        self.failing.lock().clone()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            if let Some(thread) = self.stop() {
                // A writer that panicked has answered nobody; there is nothing left to finish.
                let _ = tokio::task::spawn_blocking(move || thread.join()).await;
            }
            self.readers.close();
        })
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        if let Some(thread) = self.stop() {
            let _ = thread.join();
        }
    }
}

/// The connections that reads go over.
struct Readers {
    path: PathBuf,
    turns: Arc<Semaphore>,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    /// The first is opened at once: while it is there, reads need no new file, and go on when the disk is full.
    fn new(path: PathBuf) -> Result<Self, StoreError> {
        let first = reader(&path)?;
        Ok(Self { path, turns: Arc::new(Semaphore::new(READERS)), idle: Mutex::new(vec![first]) })
    }

    fn run(&self, read: Read) -> Result<(), StoreError> {
        let idle = self.idle.lock().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => reader(&self.path)?,
        };
        let tables = SqliteTables::new(&connection, &self.path);
        tables.execute("BEGIN", &[])?;
        let result = read(&tables);
        let ended = tables.execute("COMMIT", &[]);
        if ended.is_ok() && !result.as_ref().is_err_and(is_fatal) && !self.turns.is_closed() {
            self.idle.lock().push(connection);
        }
        result
    }

    fn close(&self) {
        self.turns.close();
        self.idle.lock().clear();
    }
}

/// Whether the handle that met this error is to be thrown away.
fn is_fatal(error: &StoreError) -> bool {
    matches!(error, StoreError::DiskFull { .. } | StoreError::Io { .. } | StoreError::Damaged { .. })
}

/// Takes the directory for this process; the system gives it back when the process ends, however it ends.
fn lock(dir: &Path) -> Result<File, StoreError> {
    let io = |error: std::io::Error| StoreError::Io { path: dir.to_owned(), detail: error.to_string() };
    make_private(dir).map_err(io)?;
    let file = File::options().create(true).truncate(false).write(true).open(dir.join("lock")).map_err(io)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse(dir.to_owned())),
        Err(TryLockError::Error(error)) => Err(io(error)),
    }
}

/// Makes the directory where it is missing, for the node's own user alone: contents may be private records.
fn make_private(dir: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// A connection as we want it: see the module's text.
fn connect(path: &Path, flags: OpenFlags, options: &Options) -> Result<Connection, StoreError> {
    let flags = flags | OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.set_prepared_statement_cache_capacity(128);
        for (name, value) in [
            ("journal_mode", "WAL"),
            ("synchronous", "FULL"),
            ("foreign_keys", "ON"),
            ("trusted_schema", "OFF"),
            ("cell_size_check", "ON"),
            ("cache_size", "-32768"),
            ("journal_size_limit", "67108864"),
        ] {
            connection.pragma_update(None, name, value)?;
        }
        if let Some(limit) = options.size_limit {
            let page: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
            connection.pragma_update(None, "max_page_count", i64::try_from(limit).unwrap_or(i64::MAX) / page)?;
        }
        Ok(connection)
    };
    open().map_err(|error| translate(path, error))
}

fn reader(path: &Path) -> Result<Connection, StoreError> {
    let connection = connect(path, OpenFlags::empty(), &Options::default())?;
    connection.pragma_update(None, "query_only", "ON").map_err(|error| translate(path, error))?;
    Ok(connection)
}

/// Refuses a file that is none of ours or that a newer Pleiad wrote; gives the number of steps it has behind it.
fn check_version(path: &Path, connection: &Connection) -> Result<usize, StoreError> {
    let pragma = |name: &str| -> Result<i64, StoreError> {
        connection.pragma_query_value(None, name, |row| row.get(0)).map_err(|error| translate(path, error))
    };
    let unreadable = |detail: String| Err(StoreError::Unreadable { path: path.to_owned(), detail });
    let (application, version) = (pragma("application_id")?, pragma("user_version")?);
    let tables = SqliteTables::new(connection, path);
    let is_new = application == 0 && version == 0 && !tables.any("SELECT 1 FROM sqlite_schema LIMIT 1", &[])?;
    if application != APPLICATION_ID && !is_new {
        return unreadable("it is a database of another program".to_owned());
    }
    match usize::try_from(version) {
        Ok(version) if version <= MIGRATIONS.len() => Ok(version),
        _ => unreadable(format!(
            "its schema has the number {version}, the newest known here is {}: start the version that wrote it",
            MIGRATIONS.len()
        )),
    }
}

/// Brings the schema up to date, each step in its own transaction.
fn migrate(path: &Path, connection: &Connection) -> Result<(), StoreError> {
    let done = check_version(path, connection)?;
    for (number, step) in MIGRATIONS.iter().enumerate().skip(done) {
        let sql = format!(
            "BEGIN IMMEDIATE;\n{step}\nPRAGMA application_id = {APPLICATION_ID};\nPRAGMA user_version = {};\nCOMMIT;",
            number + 1
        );
        connection.execute_batch(&sql).map_err(|error| translate(path, error))?;
    }
    Ok(())
}

/// SQLite's own look at its file: `quick_check`, or `integrity_check`, which compares the indexes too.
fn check(tables: &dyn Tables, pragma: &str) -> Result<(), StoreError> {
    let found = tables.query(&format!("PRAGMA {pragma}(3)"), &[])?;
    let found: Vec<&str> = found.iter().map(|row| row.text(0)).collect::<Result<_, _>>()?;
    if found == ["ok"] { Ok(()) } else { Err(damaged(Seq(0), found.join("; "))) }
}

/// A consistent copy, made in one read transaction: in WAL mode no writer waits for it.
fn copy(from: &Path, to: &Path) -> Result<(), StoreError> {
    let source = reader(from)?;
    let run = || -> rusqlite::Result<()> {
        let mut target = Connection::open(to)?;
        target.pragma_update(None, "synchronous", "FULL")?;
        let backup = rusqlite::backup::Backup::new(&source, &mut target)?;
        let mut patience = 100;
        loop {
            use rusqlite::backup::StepResult;
            match backup.step(-1)? {
                StepResult::Done => return Ok(()),
                _ if patience == 0 => {
                    return Err(rusqlite::Error::SqliteFailure(
                        rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY),
                        Some("the database stayed busy".to_owned()),
                    ));
                }
                _ => {
                    patience -= 1;
                    std::thread::sleep(Duration::from_millis(50));
                }
            }
        }
    };
    run().map_err(|error| translate(to, error))
}

/// A private temporary database, for deriving tables beside those that are there.
pub(super) fn scratch() -> Result<Scratch, StoreError> {
    let connection = Connection::open("").map_err(|error| translate(Path::new("temporary database"), error))?;
    Ok(Scratch(connection))
}

/// See [`scratch`].
pub(super) struct Scratch(Connection);

impl Scratch {
    /// Its tables.
    pub(super) fn tables(&self) -> impl Tables + '_ {
        SqliteTables::new(&self.0, Path::new("temporary database"))
    }
}

/// Statements on one connection.
struct SqliteTables<'c> {
    connection: &'c Connection,
    path: &'c Path,
}

impl<'c> SqliteTables<'c> {
    fn new(connection: &'c Connection, path: &'c Path) -> Self {
        Self { connection, path }
    }
}

impl Tables for SqliteTables<'_> {
    fn execute(&self, sql: &str, values: &[Value]) -> Result<usize, StoreError> {
        let run = || self.connection.prepare_cached(sql)?.execute(rusqlite::params_from_iter(values));
        run().map_err(|error| translate(self.path, error))
    }

    fn each(
        &self,
        sql: &str,
        values: &[Value],
        take: &mut dyn FnMut(Row) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let failed = |error| translate(self.path, error);
        let mut statement = self.connection.prepare_cached(sql).map_err(failed)?;
        let columns = statement.column_count();
        let mut rows = statement.query(rusqlite::params_from_iter(values)).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            let values = (0..columns).map(|column| row.get_ref(column).map(value)).collect::<Result<_, _>>();
            take(Row(values.map_err(failed)?))?;
        }
        Ok(())
    }
}

fn value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        // Tables are STRICT and none has such a column; a reader of the row then finds no number.
        ValueRef::Real(number) => Value::Text(number.to_string()),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Value::Text(text.to_owned()),
            Err(_) => Value::Blob(bytes.to_vec()),
        },
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
    }
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        use rusqlite::types::ToSqlOutput;
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// What SQLite says, in our words.
fn translate(path: &Path, error: rusqlite::Error) -> StoreError {
    let (path, detail) = (path.to_owned(), error.to_string());
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::DiskFull { path, detail },
        Some(
            ErrorCode::SystemIoFailure
            | ErrorCode::CannotOpen
            | ErrorCode::ReadOnly
            | ErrorCode::PermissionDenied
            | ErrorCode::FileLockingProtocolFailed,
        ) => StoreError::Io { path, detail },
        Some(ErrorCode::NotADatabase) => {
            StoreError::Unreadable { path, detail: "it is not an SQLite database".to_owned() }
        }
        Some(ErrorCode::DatabaseCorrupt) => damaged(Seq(0), format!("{}: {detail}", path.display())),
        _ => StoreError::Engine(detail),
    }
}
