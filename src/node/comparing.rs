//! Whether an index says what the record says, looked at every hour.
//!
//! The index is a projection and can be wrong only by a fault; then it can be deleted and is filled again. What is
//! compared is a digest over the id and position of every record, at a moment when neither side moves.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::domain::dataset::Visibility;
use crate::domain::ids::DatasetId;
use crate::http::operations::Metrics;
use crate::index::{Index, entry_digest};
use crate::store::{DatasetFilter, Store, StoreError};

/// How often.
const EVERY: Duration = Duration::from_secs(60 * 60);
/// How many records are read at once, and how long others are let in between.
const PAGE: usize = 500;
const PAUSE: Duration = Duration::from_millis(5);
/// How often a moment without writes is looked for.
const TRIES: usize = 5;
/// How long the index may take to catch up.
const CATCH_UP: Duration = Duration::from_secs(30);

/// Whether an index was found to differ from the record.
pub(super) type Differs = Arc<AtomicBool>;

/// Compares in every hour, until the task is dropped.
pub(super) async fn keep_comparing(
    store: Store,
    index: Index,
    class: Visibility,
    differs: Differs,
    metrics: Arc<Metrics>,
) {
    loop {
        match compare(&store, &index, class).await {
            Ok(Some(true)) => differs.store(false, Ordering::Relaxed),
            Ok(Some(false)) => {
                differs.store(true, Ordering::Relaxed);
                metrics.index_mismatches(1);
                tracing::error!(
                    ?class,
                    "the index differs from the record: stop the node, delete the index folder, start again"
                );
            }
            Ok(None) => tracing::debug!(?class, "there was no quiet moment to compare the index with the record"),
            Err(StoreError::Closed) => return,
            Err(error) => tracing::error!(?class, %error, "the index could not be compared with the record"),
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Whether index and record agree; `None` when one of them kept moving.
pub(super) async fn compare(store: &Store, index: &Index, class: Visibility) -> Result<Option<bool>, StoreError> {
    for _ in 0..TRIES {
        let head = store.head();
        if !index.wait_for(head, CATCH_UP).await {
            return Ok(None);
        }
        let counting = index.clone();
        let Ok(Ok(found)) = tokio::task::spawn_blocking(move || counting.digest()).await else { return Ok(None) };
        let expected = expected(store, class).await?;
        if store.head() == head {
            return Ok(Some(found == expected));
        }
    }
    Ok(None)
}

async fn expected(store: &Store, class: Visibility) -> Result<(u64, u128), StoreError> {
    let filter = DatasetFilter { visibility: Some(class), ..DatasetFilter::default() };
    let (mut count, mut sum) = (0u64, 0u128);
    let mut after: Option<DatasetId> = None;
    loop {
        let page = store.datasets(&filter, after.as_ref(), PAGE).await?;
        for record in &page {
            count += 1;
            sum = sum.wrapping_add(entry_digest(record.dataset.id.as_str(), record.seq));
        }
        match page.last() {
            Some(last) if page.len() == PAGE => after = Some(last.dataset.id.clone()),
            _ => return Ok((count, sum)),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::dataset::Registered;
    use crate::domain::event::{Actor, Event, What};
    use crate::domain::ids::{Identity, Revision, Seq};
    use crate::store::Priority;

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
            withdrawn: None,
        }
    }

    #[tokio::test]
    async fn an_index_that_follows_the_log_agrees_and_one_that_was_told_something_else_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let node: Identity = "spiffe://fi.pleiad.example/node/fi".parse().unwrap();
        let store = Store::open(&folder.path().join("store"), &node).unwrap();
        for local in ["birds", "bees"] {
            let what = What::DatasetRegistered { record: Box::new(record(local)) };
            let event = Event { at: jiff::Timestamp::UNIX_EPOCH, actor: Actor::Operator, what };
            store.append(vec![event], vec![], Priority::Interactive).await.unwrap();
        }
        let entries = store.read_from(Seq(0), 100).await.unwrap();
        let index = |name: &str| {
            Index::open(&folder.path().join(name), Visibility::Federation, store.origin(), store.head()).unwrap()
        };

        let right = index("right");
        right.apply(entries.clone()).await.unwrap();
        assert_eq!(compare(&store, &right, Visibility::Federation).await.unwrap(), Some(true));

        let wrong = index("wrong");
        let mut forged = entries;
        if let What::DatasetRegistered { record } = &mut forged.last_mut().unwrap().event.what {
            record.dataset.id = "https://fi.pleiad.example/dataset/wasps".parse().unwrap();
        }
        wrong.apply(forged).await.unwrap();
        assert_eq!(compare(&store, &wrong, Visibility::Federation).await.unwrap(), Some(false));
    }
}
