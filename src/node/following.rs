//! Keeps an index up with the log, and honest: hands it entry after entry, and every so often holds it against the record.
//!
//! The index is a projection and can be wrong only by a fault. What is compared is a digest over the id and position of
//! every record in force: first the store's, of one moment; then the index is brought to the position of that moment and
//! no further, and asked for its own. So a busy node is compared as exactly as a quiet one, and lag is no difference. An
//! index that differs twice is filled anew from the log; the old filling answers until the new one is whole.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::dataset::Visibility;
use crate::domain::ids::Seq;
use crate::http::operations::Metrics;
use crate::index::{Index, IndexError, entry_digest};
use crate::store::{Store, StoreError};

/// How many entries of the log are handed to an index at once.
const BATCH: usize = 500;
/// How long a follower waits before it tries again what failed.
const RETRY: Duration = Duration::from_secs(1);
/// How soon the first comparison comes, and the one after a comparison that could not be made.
const SOON: Duration = Duration::from_secs(10);
/// How long the index may take to catch up for a comparison.
const CATCH_UP: Duration = Duration::from_secs(30);

/// Whether an index was found to differ from the record.
pub(super) type Differs = Arc<AtomicBool>;

/// The name of a class in metrics and folders.
pub(super) fn name(class: Visibility) -> &'static str {
    match class {
        Visibility::Federation => "federation",
        Visibility::Private => "private",
    }
}

/// Whoever feeds an index; nobody else does.
pub(super) struct Follower {
    /// Where entries come from.
    pub(super) store: Store,
    /// Where they go.
    pub(super) index: Index,
    /// The index's class.
    pub(super) class: Visibility,
    /// How often index and record are compared.
    pub(super) every: Duration,
    /// Set while they are known to differ.
    pub(super) differs: Differs,
    /// Where lag and differences are counted.
    pub(super) metrics: Arc<Metrics>,
}

/// What keeps a follower from going on.
enum Stop {
    /// Store or index was closed.
    Closed,
    /// Something that may pass.
    Failed(String),
}

/// What earlier comparisons came to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Doubt {
    /// The last one found no difference.
    None,
    /// The last one found one.
    Seen,
    /// So did the one before, and the index was filled anew since.
    Refilled,
}

impl Follower {
    /// Feeds and compares until store or index is closed.
    pub(super) async fn run(self) {
        let mut head = self.store.follow();
        let mut applied = self.index.position();
        let mut at: Seq = *applied.borrow();
        let (mut due, mut doubt) = (Instant::now() + SOON.min(self.every), Doubt::None);
        loop {
            let newest = *head.borrow_and_update();
            let step = match Instant::now() >= due {
                true => self.compare(&mut at, &mut doubt).await.map(|next| due = Instant::now() + next),
                false => self.feed(&mut at, newest).await,
            };
            match step {
                Ok(()) => {}
                Err(Stop::Closed) => return,
                Err(Stop::Failed(error)) => {
                    tracing::error!(class = name(self.class), error, "the index cannot follow the log; trying again");
                    due = due.max(Instant::now() + SOON);
                    tokio::time::sleep(RETRY).await;
                    continue;
                }
            }
            let lag = head.borrow().0.saturating_sub(applied.borrow_and_update().0);
            self.metrics.index_lag(name(self.class), lag);
            tokio::select! {
                changed = head.changed() => if changed.is_err() { return },
                changed = applied.changed() => if changed.is_err() { return },
                () = tokio::time::sleep_until(due) => {}
            }
        }
    }

    /// Hands over what is in the log up to a position.
    async fn feed(&self, at: &mut Seq, until: Seq) -> Result<(), Stop> {
        while *at < until {
            let limit = usize::try_from(until.0 - at.0).unwrap_or(BATCH).min(BATCH);
            let entries = self.store.read_from(*at, limit).await?;
            let Some(last) = entries.last().map(|entry| entry.seq) else { return Ok(()) };
            self.index.apply(entries).await?;
            *at = last;
        }
        Ok(())
    }

    /// Compares, and fills the index anew where it differs for the second time. Gives the time until the next comparison.
    async fn compare(&self, at: &mut Seq, doubt: &mut Doubt) -> Result<Duration, Stop> {
        let class = name(self.class);
        let Some(agree) = self.agree(at).await? else {
            tracing::info!(class, "the index was too far behind the log to be compared with the record");
            return Ok(SOON.min(self.every));
        };
        match (agree, *doubt) {
            (true, before) => {
                if before == Doubt::Refilled {
                    tracing::warn!(class, "the index agrees with the record again");
                }
                *doubt = Doubt::None;
                self.differs.store(false, Ordering::Relaxed);
                Ok(self.every)
            }
            (false, Doubt::None) => {
                *doubt = Doubt::Seen;
                Ok(Duration::ZERO)
            }
            (false, Doubt::Seen) => {
                self.metrics.index_differed();
                self.differs.store(true, Ordering::Relaxed);
                tracing::error!(class, "the index differs from the record; it is filled anew from the log");
                *doubt = Doubt::Refilled;
                self.index.refill().await?;
                *at = Seq(0);
                Ok(Duration::ZERO)
            }
            (false, Doubt::Refilled) => {
                self.metrics.index_differed();
                tracing::error!(class, "the index still differs from the record after it was filled anew");
                *doubt = Doubt::Seen;
                Ok(self.every)
            }
        }
    }

    /// Whether index and record agree; nothing where the index did not catch up in time.
    async fn agree(&self, at: &mut Seq) -> Result<Option<bool>, Stop> {
        let (head, expected) = self.store.sum_in_force(self.class, entry_digest).await?;
        self.feed(at, head).await?;
        let caught_up = self.index.wait_for_refill(CATCH_UP).await && self.index.wait_for(head, CATCH_UP).await;
        if *at != head || !caught_up {
            return Ok(None);
        }
        let index = self.index.clone();
        let counted = tokio::task::spawn_blocking(move || index.digest()).await;
        match counted.map_err(|error| Stop::Failed(error.to_string()))? {
            Ok(found) => Ok(Some(found == expected)),
            Err(IndexError::Damaged(detail)) => {
                tracing::error!(class = name(self.class), detail, "the index cannot be read");
                Ok(Some(false))
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Closed => Self::Closed,
            other => Self::Failed(other.to_string()),
        }
    }
}

impl From<IndexError> for Stop {
    fn from(error: IndexError) -> Self {
        match error {
            IndexError::Closed => Self::Closed,
            other => Self::Failed(other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::domain::dataset::Registered;
    use crate::domain::event::{Actor, Event, What};
    use crate::domain::ids::{Identity, Revision};
    use crate::store::Priority;

    const CLASS: Visibility = Visibility::Federation;

    fn record(local: &str) -> Registered {
        let dataset = serde_json::json!({
            "id": format!("https://fi.pleiad.example/dataset/{local}"), "title": { "en": local }, "country": "FI",
        });
        Registered {
            dataset: serde_json::from_value(dataset).unwrap(),
            owner: "spiffe://fi.pleiad.example/participant/csc".parse().unwrap(),
            revision: Revision::FIRST,
            registered: jiff::Timestamp::UNIX_EPOCH,
            revised: jiff::Timestamp::UNIX_EPOCH,
            seq: Seq::default(),
            state: Default::default(),
            reason: None,
            withdrawn: None,
        }
    }

    async fn store_with(folder: &Path, locals: &[&str]) -> Store {
        let node: Identity = "spiffe://fi.pleiad.example/node/fi".parse().unwrap();
        let store = Store::open(folder, &node).unwrap();
        for local in locals {
            let what = What::DatasetRegistered { record: Box::new(record(local)) };
            let event = Event { at: jiff::Timestamp::UNIX_EPOCH, actor: Actor::Operator, what };
            store.append(vec![event], vec![], Priority::Interactive).await.unwrap();
        }
        store
    }

    /// A follower that has not begun, of an index that was told that the last record has another id.
    async fn follower(folder: &Path, every: Duration, forged: bool) -> Follower {
        let store = store_with(&folder.join("store"), &["birds", "bees"]).await;
        let index = Index::open(&folder.join("index"), CLASS, store.origin(), store.head()).unwrap();
        let mut entries = store.read_from(Seq(0), 100).await.unwrap();
        if forged && let What::DatasetRegistered { record } = &mut entries.last_mut().unwrap().event.what {
            record.dataset.id = "https://fi.pleiad.example/dataset/wasps".parse().unwrap();
        }
        index.apply(entries).await.unwrap();
        assert!(index.wait_for(store.head(), Duration::from_secs(30)).await);
        Follower { store, index, class: CLASS, every, differs: Differs::default(), metrics: Arc::default() }
    }

    #[tokio::test]
    async fn an_index_that_follows_the_log_agrees_and_one_that_was_told_something_else_does_not() {
        for forged in [false, true] {
            let folder = tempfile::tempdir().unwrap();
            let follower = follower(folder.path(), Duration::from_secs(60), forged).await;
            let mut at = follower.store.head();
            assert_eq!(follower.agree(&mut at).await.ok().flatten(), Some(!forged));
        }
    }

    #[tokio::test]
    async fn what_is_appended_during_a_comparison_is_no_difference() {
        let folder = tempfile::tempdir().unwrap();
        let follower = follower(folder.path(), Duration::from_secs(60), false).await;
        let mut at = follower.store.head();
        store_more(&follower.store, "wasps").await;
        assert_eq!(follower.agree(&mut at).await.ok().flatten(), Some(true));
        assert_eq!(at, follower.store.head());
    }

    async fn store_more(store: &Store, local: &str) {
        let what = What::DatasetRegistered { record: Box::new(record(local)) };
        let event = Event { at: jiff::Timestamp::UNIX_EPOCH, actor: Actor::Operator, what };
        store.append(vec![event], vec![], Priority::Interactive).await.unwrap();
    }

    #[tokio::test]
    async fn an_index_that_differs_is_noticed_and_filled_anew_while_the_log_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let follower = follower(folder.path(), Duration::from_millis(50), true).await;
        let (store, index, metrics) = (follower.store.clone(), follower.index.clone(), follower.metrics.clone());
        let differs = follower.differs.clone();
        let running = tokio::spawn(follower.run());
        store_more(&store, "ants").await;
        let healed = async {
            loop {
                let (head, expected) = store.sum_in_force(CLASS, entry_digest).await.unwrap();
                let agrees = index.wait_for(head, Duration::from_secs(1)).await && index.digest().unwrap() == expected;
                if agrees && metrics.index_differences() == 1 && !differs.load(Ordering::Relaxed) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), healed).await.expect("it is healed");
        running.abort();
        // What healed it is on the disk, not in memory only.
        index.close().await;
        assert_eq!(Index::last_applied(&folder.path().join("index")).map(|(seq, _)| seq), Some(store.head()));
    }

    #[tokio::test]
    async fn a_log_rolled_back_and_grown_again_is_not_taken_for_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("index");
        let before = store_with(&folder.path().join("before"), &["birds", "bees"]).await;
        let index = super::super::searching::open(place.clone(), CLASS, &before).await.unwrap();
        index.apply(before.read_from(Seq(0), 100).await.unwrap()).await.unwrap();
        assert!(index.wait_for(before.head(), Duration::from_secs(30)).await);
        index.close().await;
        drop(index);

        let same = super::super::searching::open(place.clone(), CLASS, &before).await.unwrap();
        assert_eq!(*same.position().borrow(), before.head(), "the same log goes on where it stood");
        same.close().await;
        drop(same);

        // The same events under the same name, and more of them: only their commitments tell.
        let after = store_with(&folder.path().join("after"), &["birds", "bees", "wasps"]).await;
        let other = super::super::searching::open(place, CLASS, &after).await.unwrap();
        assert_eq!(*other.position().borrow(), Seq(0), "another log is applied from its first entry on");
    }
}
