//! An index that is filled anew from the log while it answers.

use std::path::Path;
use std::time::Duration;

use pleiad::domain::dataset::Visibility;
use pleiad::domain::event::Entry;
use pleiad::domain::ids::Seq;
use pleiad::index::Index;
use serde_json::json;

use crate::index::{ORIGIN, apply, dataset, filled, found, registered, withdrawn};

const PATIENCE: Duration = Duration::from_secs(60);

fn log() -> Vec<Entry> {
    let whales = |local: &str| dataset(local, json!({ "en": "whales" }), json!({}));
    vec![registered(1, whales("a")), registered(2, whales("b")), registered(3, whales("c")), withdrawn(4, "b")]
}

/// An index that knows one record that is not in the log, and missed a withdrawal.
async fn wrong(dir: &Path) -> Index {
    let mut entries = log();
    entries[3] = registered(4, dataset("stray", json!({ "en": "whales" }), json!({})));
    filled(dir, Visibility::Federation, entries).await
}

async fn whales(index: &Index) -> Vec<String> {
    let mut found = found(index, "whales", &["en"]).await;
    found.sort_unstable();
    found
}

#[tokio::test]
async fn a_refill_replaces_what_was_there_in_one_step() {
    let dir = tempfile::tempdir().unwrap();
    let index = wrong(dir.path()).await;
    index.refill().await.unwrap();
    for entry in &log()[..3] {
        index.apply(vec![entry.clone()]).await.unwrap();
    }
    assert!(!index.wait_for_refill(Duration::from_millis(200)).await, "it waits for the rest of the log");
    assert_eq!(whales(&index).await, ["a", "b", "c", "stray"], "the old filling answers");
    assert_eq!(*index.position().borrow(), Seq(4));

    index.apply(log()[3..].to_vec()).await.unwrap();
    assert!(index.wait_for_refill(PATIENCE).await);
    assert_eq!(whales(&index).await, ["a", "c"]);
    // It goes on as any other, here and after a restart.
    let later = registered(5, dataset("d", json!({ "en": "whales" }), json!({})));
    apply(&index, vec![later]).await;
    index.close().await;
    let index = Index::open(dir.path(), Visibility::Federation, ORIGIN, Seq(5)).unwrap();
    assert_eq!(*index.position().borrow(), Seq(5));
    assert_eq!(whales(&index).await, ["a", "c", "d"]);
}

#[tokio::test]
async fn a_refill_that_was_cut_short_leaves_the_old_filling_whole() {
    let dir = tempfile::tempdir().unwrap();
    let index = wrong(dir.path()).await;
    index.refill().await.unwrap();
    index.apply(log()[..2].to_vec()).await.unwrap();
    index.close().await;
    let index = Index::open(dir.path(), Visibility::Federation, ORIGIN, Seq(9)).unwrap();
    assert_eq!(*index.position().borrow(), Seq(4));
    assert_eq!(whales(&index).await, ["a", "b", "c", "stray"]);
    apply(&index, vec![withdrawn(5, "stray")]).await;
    assert_eq!(whales(&index).await, ["a", "b", "c"]);
}
