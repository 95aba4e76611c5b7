//! What every engine must do. The promises are written once, over a way to open a store; [`engines`] names the engines.

use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use pleiad::domain::dataset::{Dataset, Registered, Source, Visibility, Withdrawn};
use pleiad::domain::event::{Actor, Event, Role, TokenRow, What};
use pleiad::domain::ids::{DatasetId, Digest, Identity, OpaqueId, Revision, Seq, TrustDomain};
use pleiad::store::{AppendError, DatasetFilter, Expectation, Priority, Store, StoreError};
use serde_json::json;
use tempfile::TempDir;

/// An engine, as the suite needs it: open the same directory again, and once with a limit on its size.
type Open = fn(&Path, Option<u64>) -> Result<Store, StoreError>;

fn engines() -> Vec<(&'static str, Open)> {
    vec![("sqlite", |dir, limit| Store::open_limited(dir, &node(), limit))]
}

/// Runs one promise over every engine, each in a fresh directory.
fn on_every_engine<F: Future<Output = ()>>(promise: impl Fn(Place) -> F) {
    for (name, open) in engines() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let dir = tempfile::tempdir().unwrap();
        println!("engine {name}");
        runtime.block_on(promise(Place { dir, open }));
    }
}

/// A directory and the engine to open in it.
struct Place {
    dir: TempDir,
    open: Open,
}

impl Place {
    fn open(&self) -> Store {
        (self.open)(self.dir.path(), None).unwrap()
    }
}

fn node() -> Identity {
    "spiffe://fi.pleiad.example/node/main".parse().unwrap()
}

fn owner() -> Identity {
    "spiffe://fi.pleiad.example/participant/csc".parse().unwrap()
}

fn dataset_id(local: &str) -> DatasetId {
    DatasetId::mint(&TrustDomain::clone(node().domain()), local).unwrap()
}

fn at() -> Timestamp {
    "2026-05-04T10:00:00Z".parse().unwrap()
}

fn event(what: What) -> Event {
    Event { at: at(), actor: Actor::Operator, what }
}

fn record(local: &str, revision: u32) -> Registered {
    let dataset: Dataset = serde_json::from_value(json!({
        "id": dataset_id(local),
        "title": {"fi": format!("Aineisto {local}, versio {revision}")},
        "country": "FI",
    }))
    .unwrap();
    Registered {
        dataset,
        owner: owner(),
        revision: Revision(revision),
        registered: at(),
        revised: at(),
        seq: Seq(0),
        withdrawn: None,
    }
}

fn registered(local: &str) -> Event {
    event(What::DatasetRegistered { record: Box::new(record(local, 1)) })
}

fn revised(local: &str, revision: u32) -> Event {
    event(What::DatasetRevised { record: Box::new(record(local, revision)) })
}

fn withdrawn(local: &str, revision: u32) -> Event {
    let withdrawn = Withdrawn { reason: "superseded".to_owned(), successor: None };
    event(What::DatasetWithdrawn { id: dataset_id(local), revision: Revision(revision), withdrawn })
}

async fn append(store: &Store, events: Vec<Event>) -> Result<Vec<Seq>, AppendError> {
    store.append(events, Vec::new(), Priority::Interactive).await
}

async fn everything(store: &Store) -> Vec<pleiad::domain::event::Entry> {
    let mut all = Vec::new();
    loop {
        let page = store.read_from(Seq(all.len() as u64), 100).await.unwrap();
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

#[test]
fn a_log_opens_with_its_own_name_and_keeps_what_it_was_told() {
    on_every_engine(|place| async move {
        let store = place.open();
        assert_eq!(store.head(), Seq(1));
        assert_eq!(append(&store, vec![registered("a")]).await.unwrap(), vec![Seq(2)]);
        store.close().await;

        let store = place.open();
        assert_eq!(store.head(), Seq(2));
        let entries = everything(&store).await;
        assert!(matches!(&entries[0].event.what, What::LogOpened { origin, .. } if origin == store.origin()));
        let kept = store.dataset(&dataset_id("a")).await.unwrap().unwrap();
        assert_eq!(kept, Registered { seq: Seq(2), ..record("a", 1) });
        assert_eq!(entries[1].event.at, at());
    });
}

#[test]
fn eight_writers_at_once_leave_no_gap_and_see_their_own_writes() {
    on_every_engine(|place| async move {
        let store = place.open();
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                let store = store.clone();
                tokio::spawn(async move {
                    let mut mine = Vec::new();
                    for number in 0..40 {
                        let local = format!("w{writer}-{number}");
                        let priority = if number % 2 == 0 { Priority::Interactive } else { Priority::Import };
                        let seqs = store.append(vec![registered(&local)], Vec::new(), priority).await.unwrap();
                        assert!(store.head() >= seqs[0]);
                        let found = store.dataset(&dataset_id(&local)).await.unwrap().unwrap();
                        assert_eq!(found.seq, seqs[0]);
                        mine.push(seqs[0]);
                    }
                    assert!(mine.is_sorted());
                    mine
                })
            })
            .collect();
        let mut seqs = Vec::new();
        for writer in writers {
            seqs.extend(writer.await.unwrap());
        }
        seqs.sort_unstable();
        assert_eq!(seqs, (2..=321).map(Seq).collect::<Vec<_>>());
        let read: Vec<Seq> = everything(&store).await.into_iter().map(|entry| entry.seq).collect();
        assert_eq!(read, (1..=321).map(Seq).collect::<Vec<_>>());
    });
}

#[test]
fn a_follower_never_sees_a_later_entry_before_an_earlier_one() {
    on_every_engine(|place| async move {
        let store = place.open();
        let mut head = store.follow();
        let writer = tokio::spawn({
            let store = store.clone();
            async move {
                for number in 0..100 {
                    append(&store, vec![registered(&format!("d{number}"))]).await.unwrap();
                }
            }
        });
        let mut seen = Seq(0);
        while seen < Seq(101) {
            if *head.borrow() <= seen {
                tokio::time::timeout(Duration::from_secs(30), head.changed()).await.unwrap().unwrap();
            }
            for entry in store.read_from(seen, 7).await.unwrap() {
                assert_eq!(entry.seq.0, seen.0 + 1);
                seen = entry.seq;
            }
        }
        writer.await.unwrap();
    });
}

#[test]
fn a_batch_is_kept_whole_or_not_at_all() {
    on_every_engine(|place| async move {
        let store = place.open();
        append(&store, vec![registered("a")]).await.unwrap();
        let before = everything(&store).await;
        let refused = append(&store, vec![registered("b"), registered("c"), registered("a")]).await.unwrap_err();
        assert_eq!(refused, AppendError::Conflict(Expectation::DatasetAbsent(dataset_id("a"))));
        assert_eq!(everything(&store).await, before);
        assert_eq!(store.dataset(&dataset_id("b")).await.unwrap(), None);
        assert_eq!(append(&store, vec![registered("b"), registered("c")]).await.unwrap(), vec![Seq(3), Seq(4)]);
    });
}

#[test]
fn an_expectation_that_does_not_hold_is_named_and_nothing_is_left_behind() {
    on_every_engine(|place| async move {
        let store = place.open();
        append(&store, vec![registered("a"), revised("a", 2)]).await.unwrap();
        let stale = Expectation::DatasetAt(dataset_id("a"), Revision(1));
        let refused = store
            .append(vec![registered("new"), revised("a", 3)], vec![stale.clone()], Priority::Interactive)
            .await
            .unwrap_err();
        assert_eq!(refused, AppendError::Conflict(stale));
        assert_eq!(store.head(), Seq(3));
        assert_eq!(store.dataset(&dataset_id("new")).await.unwrap(), None);
        let fresh = vec![Expectation::DatasetAt(dataset_id("a"), Revision(2))];
        store.append(vec![revised("a", 3)], fresh, Priority::Interactive).await.unwrap();
    });
}

#[test]
fn of_many_who_revise_the_same_revision_exactly_one_succeeds() {
    on_every_engine(|place| async move {
        let store = place.open();
        append(&store, vec![registered("a")]).await.unwrap();
        let attempts = (0..20).map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                let expected = vec![Expectation::DatasetAt(dataset_id("a"), Revision(1))];
                store.append(vec![revised("a", 2)], expected, Priority::Interactive).await
            })
        });
        let mut succeeded = 0;
        for attempt in attempts.collect::<Vec<_>>() {
            match attempt.await.unwrap() {
                Ok(_) => succeeded += 1,
                Err(error) => assert!(matches!(error, AppendError::Conflict(_)), "{error}"),
            }
        }
        assert_eq!((succeeded, store.head()), (1, Seq(3)));
    });
}

#[test]
fn a_batch_sent_again_under_its_key_is_answered_again_and_kept_once() {
    on_every_engine(|place| async move {
        let store = place.open();
        let batch = || vec![registered("a"), registered("b")];
        let first = store.append_once("key-1", batch(), Vec::new(), Priority::Interactive).await.unwrap();
        store.close().await;
        let store = place.open();
        let again = store.append_once("key-1", batch(), Vec::new(), Priority::Interactive).await.unwrap();
        assert_eq!((first, store.head()), (again, Seq(3)));
        let other = store.append_once("key-1", vec![registered("c")], Vec::new(), Priority::Interactive).await;
        assert_eq!(other.unwrap_err(), AppendError::KeyReused("key-1".to_owned()));
    });
}

#[test]
fn revisions_stay_what_they_were_and_a_withdrawal_is_one_of_them() {
    on_every_engine(|place| async move {
        let store = place.open();
        append(&store, vec![registered("a"), revised("a", 2), withdrawn("a", 3)]).await.unwrap();
        let id = dataset_id("a");
        let first = store.dataset_revision(&id, Revision(1)).await.unwrap().unwrap();
        assert_eq!(first, Registered { seq: Seq(2), ..record("a", 1) });
        let last = store.dataset(&id).await.unwrap().unwrap();
        assert_eq!((last.revision, last.seq), (Revision(3), Seq(4)));
        assert_eq!(last.dataset, record("a", 2).dataset);
        assert_eq!(last.withdrawn.unwrap().reason, "superseded");
        let history = store.revisions(&id).await.unwrap();
        assert_eq!(history.iter().map(|line| line.withdrew).collect::<Vec<_>>(), [false, false, true]);

        let again = append(&store, vec![registered("a")]).await.unwrap_err();
        assert!(matches!(again, AppendError::Conflict(Expectation::DatasetAbsent(_))), "an id is never reused");
        let after = append(&store, vec![revised("a", 4)]).await.unwrap_err();
        assert!(matches!(after, AppendError::Conflict(Expectation::DatasetInForce(_))));
        assert!(store.datasets(&DatasetFilter::default(), None, 10).await.unwrap().is_empty());
        let all = DatasetFilter { withdrawn: true, ..Default::default() };
        assert_eq!(store.datasets(&all, None, 10).await.unwrap().len(), 1);
    });
}

#[test]
fn a_record_of_a_source_is_registered_once() {
    on_every_engine(|place| async move {
        let store = place.open();
        let from_source = |local: &str| {
            let mut record = record(local, 1);
            record.dataset.source = Some(Source {
                name: "data.gov.be".to_owned(),
                iri: "https://data.gov.be/x".parse().unwrap(),
                digest: Digest::of(b"x"),
            });
            event(What::DatasetRegistered { record: Box::new(record) })
        };
        append(&store, vec![from_source("a")]).await.unwrap();
        let refused = append(&store, vec![from_source("b")]).await.unwrap_err();
        assert!(matches!(refused, AppendError::Conflict(Expectation::SourceAbsent(..))));
        let found = store.dataset_by_source("data.gov.be", &"https://data.gov.be/x".parse().unwrap()).await.unwrap();
        assert_eq!(found.unwrap().dataset.id, dataset_id("a"));
    });
}

#[test]
fn a_private_record_is_listed_for_its_owner_and_those_it_names_alone() {
    on_every_engine(|place| async move {
        let store = place.open();
        let guest: Identity = "spiffe://fi.pleiad.example/participant/guest".parse().unwrap();
        let stranger: Identity = "spiffe://fi.pleiad.example/participant/stranger".parse().unwrap();
        let mut private = record("private", 1);
        private.dataset.visibility = Visibility::Private;
        private.dataset.listed = vec![guest.clone()];
        let events = vec![registered("open"), event(What::DatasetRegistered { record: Box::new(private) })];
        append(&store, events).await.unwrap();
        for (who, expected) in [(owner(), 2), (guest, 2), (stranger, 1)] {
            let filter = DatasetFilter { discoverable_by: Some(who), ..Default::default() };
            assert_eq!(store.datasets(&filter, None, 10).await.unwrap().len(), expected);
        }
    });
}

#[test]
fn a_list_is_paged_without_repeating_or_missing() {
    on_every_engine(|place| async move {
        let store = place.open();
        append(&store, (0..25).map(|number| registered(&format!("d{number}"))).collect()).await.unwrap();
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = store.datasets(&DatasetFilter::default(), after.as_ref(), 7).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.dataset.id.clone());
            seen.extend(page.into_iter().map(|record| record.dataset.id));
        }
        assert_eq!(seen.len(), 25);
        assert!(seen.is_sorted_by(|a, b| a < b));
    });
}

#[test]
fn a_revoked_token_is_no_token() {
    on_every_engine(|place| async move {
        let store = place.open();
        let id: OpaqueId = "token-0001".parse().unwrap();
        let token = TokenRow {
            id: id.clone(),
            hash: Digest::of(b"secret"),
            role: Role::Steward,
            participant: Some(owner()),
            note: String::new(),
            expires: None,
        };
        append(&store, vec![event(What::TokenMade { token: token.clone() })]).await.unwrap();
        assert_eq!(store.token_by_hash(&token.hash).await.unwrap(), Some(token.clone()));
        append(&store, vec![event(What::TokenRevoked { token: id.clone() })]).await.unwrap();
        assert_eq!(store.token_by_hash(&token.hash).await.unwrap(), None);
        assert!(store.tokens().await.unwrap()[0].revoked.is_some());
        let again = append(&store, vec![event(What::TokenRevoked { token: id })]).await.unwrap_err();
        assert!(matches!(again, AppendError::Conflict(Expectation::TokenInForce(_))));
    });
}

#[test]
fn a_lease_has_one_holder_and_a_late_one_is_fenced_off() {
    on_every_engine(|place| async move {
        let store = place.open();
        let minute = SignedDuration::from_mins(1);
        let first = store.lease("sign", "one", at(), minute).await.unwrap().unwrap();
        assert_eq!(store.lease("sign", "two", at(), minute).await.unwrap(), None);
        assert_eq!(store.lease("sign", "one", at(), minute).await.unwrap(), Some(first), "renewed in time");
        let later = at().checked_add(minute).unwrap();
        let second = store.lease("sign", "two", later, minute).await.unwrap().unwrap();
        assert!(second > first);
        let late = Expectation::LeaseHeld("sign".to_owned(), first);
        let refused = store.append(vec![registered("a")], vec![late.clone()], Priority::Interactive).await;
        assert_eq!(refused.unwrap_err(), AppendError::Conflict(late));
        let held = Expectation::LeaseHeld("sign".to_owned(), second);
        store.append(vec![registered("a")], vec![held], Priority::Interactive).await.unwrap();
    });
}

#[test]
fn a_full_disk_is_said_so_and_loses_nothing_that_was_acknowledged() {
    on_every_engine(|place| async move {
        let limited = || (place.open)(place.dir.path(), Some(1024 * 1024)).unwrap();
        let store = limited();
        let mut acknowledged = Vec::new();
        let full = loop {
            let number = acknowledged.len();
            assert!(number < 5000, "the limit was never met");
            match append(&store, vec![registered(&format!("d{number}"))]).await {
                Ok(seqs) => acknowledged.extend(seqs),
                Err(error) => break error,
            }
        };
        assert!(matches!(full, AppendError::Store(StoreError::DiskFull { .. })), "{full:?}");
        assert!(full.to_string().contains("free some space"));
        assert_eq!(store.head().0, 1 + acknowledged.len() as u64);
        let kept = everything(&store).await.len();
        assert_eq!(kept, 1 + acknowledged.len());
        store.close().await;

        let store = place.open();
        assert_eq!(store.head().0, 1 + acknowledged.len() as u64);
        append(&store, vec![registered("after")]).await.unwrap();
    });
}

#[test]
fn a_second_process_and_another_node_are_turned_away_with_a_sentence() {
    on_every_engine(|place| async move {
        let store = place.open();
        let second = (place.open)(place.dir.path(), None).unwrap_err();
        assert!(matches!(second, StoreError::InUse(_)));
        assert!(second.to_string().contains("in use by another process"));
        store.close().await;
        let other: Identity = "spiffe://se.pleiad.example/node/main".parse().unwrap();
        let refused = Store::open(place.dir.path(), &other).unwrap_err();
        assert!(refused.to_string().contains("fi.pleiad.example"), "{refused}");
        let closed = append(&store, vec![registered("late")]).await.unwrap_err();
        assert_eq!(closed, AppendError::Store(StoreError::Closed));
    });
}
