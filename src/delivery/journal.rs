//! What is being released, written down before the first byte leaves: the way from a stream to the log.
//!
//! A release is opened here durably, then its bytes flow; [`Journal::flush`] appends openings and closings to the log in
//! batches, at most [`FLUSH_EVERY`] late. After a crash the file says which releases were under way and how far they had
//! got as far as is known, and [`Journal::open`] brings the log up to date, so no release is ever missing from it.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::clock::Clock;
use crate::domain::agreement::{Release, ReleaseEnd};
use crate::domain::event::{Actor, Event, What};
use crate::domain::ids::{Identity, OpaqueId};
use crate::store::{AppendError, Priority, Store, StoreError};

/// How late, at most, an opening or closing is in the log; half of what is promised.
pub const FLUSH_EVERY: Duration = Duration::from_millis(2_500);
/// From this many bytes on, the file is written anew with what is still needed.
const COMPACT_FROM: u64 = 1 << 20;

/// Why the journal could not be opened or written.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file.
    #[error("the delivery journal {} cannot be used ({source}); nothing is released until it can: check the disk", path.display())]
    Io {
        /// Where it is.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The log.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log refused an entry.
    #[error("a release could not be entered in the log: {0}")]
    Refused(AppendError),
}

/// One line of the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "snake_case")]
enum Line {
    Opened { at: Timestamp, holder: Identity, release: Release },
    Reached { id: OpaqueId, bytes: u64 },
    Closed { at: Timestamp, end: ReleaseEnd },
}

/// A release that is not yet wholly in the log.
#[derive(Debug, Clone, Default)]
struct Pending {
    /// Its opening, until that is in the log.
    opening: Option<(Timestamp, Identity, Release)>,
    /// How far it got, as far as is known.
    bytes: u64,
    /// Its closing, once it is over.
    closing: Option<(Timestamp, ReleaseEnd)>,
}

/// The delivery journal of one node.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    store: Store,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    /// One flush at a time, so that an opening comes before its closing.
    flushing: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct State {
    file: File,
    written: u64,
    pending: BTreeMap<OpaqueId, Pending>,
}

/// A release under way. Dropped without a word, it was broken off.
#[derive(Debug)]
pub struct OpenRelease {
    journal: Arc<Journal>,
    id: OpaqueId,
    bytes: u64,
    is_closed: bool,
}

impl Journal {
    /// Opens the journal, and closes in the log, as crashed, whatever was under way when the node stopped.
    pub async fn open(
        path: impl Into<PathBuf>,
        store: Store,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>, JournalError> {
        let path = path.into();
        let failed = |source| JournalError::Io { path: path.clone(), source };
        let mut pending = read(&path).map_err(failed)?;
        for release in store.open_releases().await? {
            pending.entry(release.id).or_default().opening = None;
        }
        let now = clock.now();
        for (id, pending) in &mut pending {
            let crashed = || ReleaseEnd { id: id.clone(), bytes: pending.bytes, outcome: "crashed".to_owned() };
            pending.closing.get_or_insert_with(|| (now, crashed()));
        }
        let file = OpenOptions::new().create(true).append(true).open(&path).map_err(failed)?;
        let written = file.metadata().map_err(failed)?.len();
        let state = Mutex::new(State { file, written, pending });
        let journal = Arc::new(Self { path, store, clock, state, flushing: tokio::sync::Mutex::default() });
        journal.flush().await?;
        Ok(journal)
    }

    /// Opens a release. It is on the disk when this returns. Blocking.
    pub fn begin(self: &Arc<Self>, holder: Identity, release: Release) -> Result<OpenRelease, JournalError> {
        let (at, id) = (self.clock.now(), release.id.clone());
        let line = Line::Opened { at, holder: holder.clone(), release: release.clone() };
        let mut state = self.state.lock();
        state.write(&line).and_then(|()| state.file.sync_data()).map_err(|source| self.failed(source))?;
        let pending = Pending { opening: Some((at, holder, release)), ..Pending::default() };
        state.pending.insert(id.clone(), pending);
        drop(state);
        Ok(OpenRelease { journal: Arc::clone(self), id, bytes: 0, is_closed: false })
    }

    /// Appends to the log what is not in it yet.
    pub async fn flush(&self) -> Result<(), JournalError> {
        let _one_at_a_time = self.flushing.lock().await;
        let due: Vec<(OpaqueId, Pending)> = {
            let state = self.state.lock();
            let is_due = |pending: &Pending| pending.opening.is_some() || pending.closing.is_some();
            state.pending.iter().filter(|(_, p)| is_due(p)).map(|(id, p)| (id.clone(), p.clone())).collect()
        };
        if !due.is_empty() {
            let all: Vec<Event> = due.iter().flat_map(|(_, pending)| events(pending)).collect();
            match self.store.append(all, vec![], Priority::Interactive).await {
                Ok(_) => {}
                // After a crash the log may have some of it already; then each is tried alone.
                Err(AppendError::Conflict(_)) => {
                    for event in due.iter().flat_map(|(_, pending)| events(pending)) {
                        match self.store.append(vec![event], vec![], Priority::Interactive).await {
                            Ok(_) | Err(AppendError::Conflict(_)) => {}
                            Err(other) => return Err(JournalError::Refused(other)),
                        }
                    }
                }
                Err(other) => return Err(JournalError::Refused(other)),
            }
        }
        let mut state = self.state.lock();
        for (id, entered) in due {
            if entered.closing.is_some() {
                state.pending.remove(&id);
            } else if let Some(pending) = state.pending.get_mut(&id) {
                pending.opening = None;
            }
        }
        state.compact(&self.path).map_err(|source| self.failed(source))
    }

    /// Flushes now and then until the task is dropped. What remains then is flushed by [`Journal::flush`].
    pub async fn run(self: Arc<Self>) {
        loop {
            tokio::time::sleep(FLUSH_EVERY).await;
            if let Err(error) = self.flush().await {
                tracing::error!(%error, "releases are not in the log yet; they are tried again");
            }
        }
    }

    fn close(&self, id: &OpaqueId, bytes: u64, outcome: &str) {
        let end = ReleaseEnd { id: id.clone(), bytes, outcome: outcome.to_owned() };
        let at = self.clock.now();
        let mut state = self.state.lock();
        // A line that cannot be written is kept in memory all the same, and the next flush brings it to the log.
        if let Err(error) = state.write(&Line::Closed { at, end: end.clone() }) {
            tracing::error!(%error, "the delivery journal cannot be written");
        }
        if let Some(pending) = state.pending.get_mut(id) {
            pending.closing = Some((at, end));
        }
    }

    fn failed(&self, source: io::Error) -> JournalError {
        JournalError::Io { path: self.path.clone(), source }
    }
}

impl OpenRelease {
    /// The id of the release.
    pub fn id(&self) -> &OpaqueId {
        &self.id
    }

    /// Counts bytes that were handed to the connection.
    pub fn count(&mut self, bytes: u64) {
        self.bytes += bytes;
    }

    /// Notes in the journal how far it got, for the case of a crash.
    pub fn note(&self) {
        let line = Line::Reached { id: self.id.clone(), bytes: self.bytes };
        let mut state = self.journal.state.lock();
        if let Some(pending) = state.pending.get_mut(&self.id) {
            pending.bytes = self.bytes;
        }
        if let Err(error) = state.write(&line) {
            tracing::warn!(%error, "the delivery journal cannot be written");
        }
    }

    /// Closes the release: `complete`, `broken_off` or `revoked`.
    pub fn close(mut self, outcome: &str) {
        self.is_closed = true;
        self.journal.close(&self.id, self.bytes, outcome);
    }
}

impl Drop for OpenRelease {
    fn drop(&mut self) {
        if !self.is_closed {
            self.journal.close(&self.id, self.bytes, "broken_off");
        }
    }
}

impl State {
    fn write(&mut self, line: &Line) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.file.write_all(&text)?;
        self.written += text.len() as u64;
        Ok(())
    }

    /// Empties the file where nothing in it is needed, and writes it anew where most of it is not.
    fn compact(&mut self, path: &Path) -> io::Result<()> {
        if self.written == 0 || (!self.pending.is_empty() && self.written < COMPACT_FROM) {
            return Ok(());
        }
        let next = path.with_extension("next");
        let mut file = File::create(&next)?;
        let mut written = 0;
        for (id, pending) in &self.pending {
            let opened = pending.opening.clone().map(|(at, holder, release)| Line::Opened { at, holder, release });
            let reached = Line::Reached { id: id.clone(), bytes: pending.bytes };
            let closed = pending.closing.clone().map(|(at, end)| Line::Closed { at, end });
            for line in opened.into_iter().chain([reached]).chain(closed) {
                let mut text = serde_json::to_vec(&line)?;
                text.push(b'\n');
                file.write_all(&text)?;
                written += text.len() as u64;
            }
        }
        file.sync_all()?;
        std::fs::rename(&next, path)?;
        self.file = OpenOptions::new().append(true).open(path)?;
        self.written = written;
        Ok(())
    }
}

fn events(pending: &Pending) -> Vec<Event> {
    let opening = pending.opening.clone().map(|(at, holder, release)| Event {
        at,
        actor: Actor::Certificate { identity: holder },
        what: What::ReleaseOpened { release },
    });
    let closing = pending.closing.clone();
    let closing = closing.map(|(at, end)| Event { at, actor: Actor::Node, what: What::ReleaseClosed { end } });
    opening.into_iter().chain(closing).collect()
}

/// What the file says; a last line that a crash cut short says nothing.
fn read(path: &Path) -> io::Result<BTreeMap<OpaqueId, Pending>> {
    let mut pending: BTreeMap<OpaqueId, Pending> = BTreeMap::new();
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(pending),
        other => other?,
    };
    for line in BufReader::new(file).split(b'\n') {
        match serde_json::from_slice(&line?) {
            Ok(Line::Opened { at, holder, release }) => {
                let entry = pending.entry(release.id.clone()).or_default();
                entry.opening = Some((at, holder, release));
            }
            Ok(Line::Reached { id, bytes }) => pending.entry(id).or_default().bytes = bytes,
            Ok(Line::Closed { at, end }) => {
                let entry = pending.entry(end.id.clone()).or_default();
                entry.closing = Some((at, end));
            }
            Err(_) => {}
        }
    }
    Ok(pending)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::FixedClock;
    use crate::domain::ids::Seq;

    struct Bench {
        store: Store,
        clock: Arc<dyn Clock>,
        folder: tempfile::TempDir,
    }

    impl Bench {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let store = Store::open(folder.path(), &"spiffe://fi.example/node/fi".parse().unwrap()).unwrap();
            let clock = Arc::new(FixedClock::at("2026-11-24T12:00:00Z".parse().unwrap()));
            Self { store, clock, folder }
        }

        fn path(&self) -> PathBuf {
            self.folder.path().join("delivery.journal")
        }

        async fn journal(&self) -> Arc<Journal> {
            Journal::open(self.path(), self.store.clone(), Arc::clone(&self.clock)).await.unwrap()
        }

        async fn kept(&self) -> Vec<(String, Option<(u64, String)>)> {
            let releases = self.store.releases(&"agreement-1".parse().unwrap(), Seq(0), 100).await.unwrap();
            let ends = releases.into_iter();
            ends.map(|kept| (kept.release.id.to_string(), kept.end.map(|(_, end)| (end.bytes, end.outcome)))).collect()
        }
    }

    fn holder() -> Identity {
        "spiffe://de.example/participant/lab".parse().unwrap()
    }

    fn release(id: &str) -> Release {
        Release {
            id: id.parse().unwrap(),
            grant: "grant-0001".parse().unwrap(),
            agreement: "agreement-1".parse().unwrap(),
            shard: "a.bin".parse().unwrap(),
            range: (0, 100),
        }
    }

    #[tokio::test]
    async fn every_release_is_in_the_log_with_its_end() {
        let bench = Bench::new();
        let journal = bench.journal().await;
        let mut whole = journal.begin(holder(), release("release-1")).unwrap();
        let mut cut = journal.begin(holder(), release("release-2")).unwrap();
        journal.flush().await.unwrap();
        assert_eq!(bench.kept().await, [("release-1".into(), None), ("release-2".into(), None)]);
        whole.count(100);
        cut.count(7);
        whole.close("complete");
        drop(cut);
        journal.flush().await.unwrap();
        let ends = [(100, "complete".into()), (7, "broken_off".into())].map(Some);
        assert_eq!(bench.kept().await.into_iter().map(|(_, end)| end).collect::<Vec<_>>(), ends);
        assert_eq!(std::fs::metadata(bench.path()).unwrap().len(), 0);
    }

    #[tokio::test]
    async fn after_a_crash_the_log_has_what_was_under_way_and_how_far_it_got() {
        let bench = Bench::new();
        {
            let journal = bench.journal().await;
            let entered = journal.begin(holder(), release("release-1")).unwrap();
            journal.flush().await.unwrap();
            let mut noted = journal.begin(holder(), release("release-2")).unwrap();
            noted.count(40);
            noted.note();
            let finished = journal.begin(holder(), release("release-3")).unwrap();
            finished.close("complete");
            // Killed: nothing is dropped in order, and the last line is cut short.
            std::mem::forget((entered, noted));
            let mut file = OpenOptions::new().append(true).open(bench.path()).unwrap();
            file.write_all(b"{\"line\":\"closed\",\"at\":\"2026").unwrap();
        }
        for _ in 0..2 {
            bench.journal().await;
            let expected = [
                ("release-1".into(), Some((0, "crashed".into()))),
                ("release-2".into(), Some((40, "crashed".into()))),
                ("release-3".into(), Some((0, "complete".into()))),
            ];
            assert_eq!(bench.kept().await, expected);
        }
    }

    #[tokio::test]
    async fn a_crash_between_the_log_and_the_file_enters_nothing_twice() {
        let bench = Bench::new();
        let journal = bench.journal().await;
        journal.begin(holder(), release("release-1")).unwrap().close("complete");
        let before = std::fs::read(bench.path()).unwrap();
        journal.flush().await.unwrap();
        std::fs::write(bench.path(), before).unwrap();
        bench.journal().await;
        assert_eq!(bench.kept().await, [("release-1".into(), Some((0, "complete".into())))]);
    }
}
