//! What every engine must do. The promises are written once, over a way to open a store; [`engines`] names the engines.

use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use pleiad::domain::dataset::{Dataset, Registered, Source, Visibility, Withdrawn};
use pleiad::domain::event::{Actor, Event, Role, TokenRow, What};
use pleiad::domain::ids::{DatasetId, Digest, Identity, OpaqueId, Revision, Seq, TrustDomain};
use pleiad::store::{
    AgreementFilter, AppendError, DatasetFilter, Expectation, Priority, ReceiptFilter, RequestFilter, Store, StoreError,
};
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

fn id(text: &str) -> OpaqueId {
    text.parse().unwrap()
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
        state: Default::default(),
        reason: None,
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
                format: None,
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

/// One of every kind of event, in an order in which they can happen.
fn one_of_every_kind() -> Vec<Event> {
    let holder = "spiffe://fi.pleiad.example/participant/lab";
    let moment = "2026-05-04T10:00:00Z";
    let digest = Digest::of(b"bytes").to_string();
    let intended = json!({"purposes": ["https://w3id.org/dpv#ResearchAndDevelopment"], "statement": "to train"});
    let request = json!({
        "id": "request-1", "dataset": dataset_id("a"), "revision": 1, "holder": holder, "home": node(),
        "intended": intended, "facts": [], "made": moment, "state": {"state": "pending", "reasons": []},
    });
    let agreement = json!({
        "id": "agreement-1", "request": "request-1", "dataset": dataset_id("a"), "revision": 1, "manifest": digest,
        "owner": owner(), "holder": holder, "policy": {}, "intended": intended, "concluded": moment,
        "expires": "2027-05-04T10:00:00Z",
    });
    let grant = json!({
        "id": "grant-001", "agreement": "agreement-1", "holder": holder, "certificate": digest, "issued": moment,
        "expires": "2026-05-04T10:10:00Z",
    });
    let release = |id: &str| {
        json!({
            "id": id, "grant": "grant-001", "agreement": "agreement-1", "shard": "part-0.parquet", "range": [0, 10],
        })
    };
    let receipt = json!({
        "id": "receipt-1", "agreement": "agreement-1", "dataset": dataset_id("a"), "revision": 1, "manifest": digest,
        "shards": [["part-0.parquet", digest]], "completed": moment,
    });
    let token = json!({"id": "token-0001", "hash": digest, "role": "steward", "participant": owner()});
    let agreed = json!({"state": "agreed", "agreement": "agreement-1", "decided": moment});
    let others = [
        json!({"kind": "request_made", "request": request}),
        json!({"kind": "agreement_concluded", "agreement": agreement}),
        json!({"kind": "request_moved", "request": "request-1", "state": agreed}),
        json!({"kind": "grant_issued", "grant": grant}),
        json!({"kind": "release_opened", "release": release("release-1")}),
        json!({"kind": "release_closed", "end": {"id": "release-1", "bytes": 10, "outcome": "complete"}}),
        json!({"kind": "release_opened", "release": release("release-2")}),
        json!({"kind": "receipt_kept", "receipt": receipt}),
        json!({"kind": "agreement_ended", "agreement": "agreement-1", "ended": {"at": moment, "reason": "deleted"}}),
        json!({"kind": "token_made", "token": token}),
        json!({"kind": "token_revoked", "token": "token-0001"}),
        json!({"kind": "peer_file_accepted", "domain": "se.pleiad.example", "number": 7, "digest": digest}),
        json!({"kind": "certificate_revoked", "identity": holder, "fingerprint": digest, "reason": "lost"}),
    ];
    let mut listed = record("b", 1);
    listed.dataset.visibility = Visibility::Private;
    listed.dataset.listed = vec![holder.parse().unwrap()];
    listed.dataset.identifiers = vec!["https://doi.org/10.1234/b".parse().unwrap()];
    let mut events = vec![registered("a"), event(What::DatasetRegistered { record: Box::new(listed) })];
    events.extend([revised("a", 2), withdrawn("a", 3)]);
    events.extend(others.into_iter().map(|what| event(serde_json::from_value(what).unwrap())));
    events
}

#[test]
fn every_noun_reads_back_and_its_table_is_what_a_second_derivation_gives() {
    on_every_engine(|place| async move {
        let store = place.open();
        append(&store, one_of_every_kind()).await.unwrap();
        store.verify().await.unwrap();
        let all_there = || async {
            let request = store.request(&id("request-1")).await.unwrap().unwrap();
            assert_eq!(request.state.name(), "agreed");
            let waiting = RequestFilter { owner: Some(owner()), ..Default::default() };
            assert_eq!(store.requests(&waiting, Seq(0), 10).await.unwrap()[0].1, request);
            let agreement = store.agreement(&id("agreement-1")).await.unwrap().unwrap();
            assert_eq!(agreement.ended.as_ref().unwrap().reason, "deleted");
            let of_owner = AgreementFilter { owner: Some(owner()), ..Default::default() };
            assert_eq!(store.agreements(&of_owner, Seq(0), 10).await.unwrap()[0].1, agreement);
            let grant = store.grant(&id("grant-001")).await.unwrap().unwrap();
            assert_eq!(store.grants(&grant.agreement, Seq(0), 10).await.unwrap()[0].1, grant);
            let open = store.open_releases().await.unwrap();
            assert_eq!(open.iter().map(|release| release.id.as_str()).collect::<Vec<_>>(), ["release-2"]);
            let releases = store.releases(&grant.agreement, Seq(0), 10).await.unwrap();
            assert_eq!(releases[0].end.as_ref().unwrap().1.bytes, 10);
            let receipt = store.receipt(&id("receipt-1")).await.unwrap().unwrap();
            let of_agreement = ReceiptFilter { agreement: Some(grant.agreement), ..Default::default() };
            assert_eq!(store.receipts(&of_agreement, Seq(0), 10).await.unwrap()[0].1, receipt);
            let domain: TrustDomain = "se.pleiad.example".parse().unwrap();
            assert_eq!(store.peer_file(&domain).await.unwrap(), Some((7, Digest::of(b"bytes"))));
            assert_eq!(store.revoked_certificates().await.unwrap()[0].reason, "lost");
            let by_doi =
                DatasetFilter { identifier: Some("https://doi.org/10.1234/b".parse().unwrap()), ..Default::default() };
            assert_eq!(store.datasets(&by_doi, None, 10).await.unwrap()[0].dataset.id, dataset_id("b"));
            assert_eq!(store.dataset_counts().await.unwrap(), (1, 1));
        };
        all_there().await;
        let before = store.tree_head().await.unwrap();
        store.rebuild().await.unwrap();
        assert_eq!(store.tree_head().await.unwrap(), before);
        store.verify().await.unwrap();
        all_there().await;
    });
}

#[test]
fn an_event_that_contradicts_the_log_is_refused_by_the_expectation_it_broke() {
    on_every_engine(|place| async move {
        let store = place.open();
        append(&store, one_of_every_kind()).await.unwrap();
        let head = store.head();
        // Each happened already, and none can happen twice.
        for repeated in one_of_every_kind() {
            let (kind, revokes) = (repeated.what.kind(), matches!(repeated.what, What::CertificateRevoked { .. }));
            let outcome = append(&store, vec![registered(&format!("before-{kind}").replace('_', "-")), repeated]).await;
            match outcome {
                Ok(_) => assert!(revokes, "{kind} was taken twice"),
                Err(error) => assert!(matches!(error, AppendError::Conflict(_)), "{kind}: {error}"),
            }
        }
        assert_eq!(store.head(), Seq(head.0 + 2), "only the repeated revocation was kept, which changes nothing");
        store.verify().await.unwrap();
    });
}

#[test]
fn an_expectation_about_any_noun_is_held_or_named() {
    on_every_engine(|place| async move {
        let store = place.open();
        append(&store, one_of_every_kind()).await.unwrap();
        let se: TrustDomain = "se.pleiad.example".parse().unwrap();
        let held = vec![
            Expectation::DatasetAbsent(dataset_id("z")),
            Expectation::DatasetAt(dataset_id("a"), Revision(3)),
            Expectation::DatasetInForce(dataset_id("b")),
            Expectation::RequestAbsent(id("request-9")),
            Expectation::RequestState(id("request-1"), "agreed"),
            Expectation::AgreementAbsent(id("agreement-9")),
            Expectation::GrantAbsent(id("grant-009")),
            Expectation::GrantPresent(id("grant-001")),
            Expectation::ReleaseAbsent(id("release-9")),
            Expectation::ReleaseOpen(id("release-2")),
            Expectation::ReceiptAbsent(id("receipt-9")),
            Expectation::TokenAbsent(id("token-0009")),
            Expectation::PeerFileNewer(se.clone(), 8),
        ];
        store.append(vec![registered("held")], held, Priority::Interactive).await.unwrap();
        let broken = [
            Expectation::DatasetAbsent(dataset_id("a")),
            Expectation::DatasetAt(dataset_id("a"), Revision(2)),
            Expectation::DatasetInForce(dataset_id("a")),
            Expectation::DatasetInForce(dataset_id("z")),
            Expectation::RequestAbsent(id("request-1")),
            Expectation::RequestState(id("request-1"), "pending"),
            Expectation::RequestOpen(id("request-1")),
            Expectation::RequestOpen(id("request-9")),
            Expectation::AgreementAbsent(id("agreement-1")),
            Expectation::AgreementInForce(id("agreement-1")),
            Expectation::GrantAbsent(id("grant-001")),
            Expectation::GrantPresent(id("grant-009")),
            Expectation::ReleaseAbsent(id("release-1")),
            Expectation::ReleaseOpen(id("release-1")),
            Expectation::ReceiptAbsent(id("receipt-1")),
            Expectation::TokenAbsent(id("token-0001")),
            Expectation::TokenInForce(id("token-0001")),
            Expectation::PeerFileNewer(se, 7),
        ];
        for expectation in broken {
            let refused =
                store.append(vec![registered("never")], vec![expectation.clone()], Priority::Interactive).await;
            assert_eq!(refused.unwrap_err(), AppendError::Conflict(expectation));
        }
        assert_eq!(store.dataset(&dataset_id("never")).await.unwrap(), None);
    });
}

#[test]
fn reading_goes_on_while_a_long_import_is_written() {
    on_every_engine(|place| async move {
        let store = place.open();
        let import = tokio::spawn({
            let store = store.clone();
            async move {
                for batch in 0..20 {
                    let events = (0..100).map(|number| registered(&format!("i{batch}-{number}"))).collect();
                    store.append(events, Vec::new(), Priority::Import).await.unwrap();
                }
            }
        });
        let (mut reads, mut writes) = (0, 0);
        while !import.is_finished() {
            // A page of the list is of one moment: a batch of a hundred is there as a whole or not at all.
            let in_force = store.dataset_counts().await.unwrap().0;
            assert_eq!((in_force - writes) % 100, 0);
            append(&store, vec![registered(&format!("w{writes}"))]).await.unwrap();
            writes += 1;
            reads += 1;
        }
        import.await.unwrap();
        assert!(reads > 0);
        assert_eq!(store.dataset_counts().await.unwrap().0, 2000 + writes);
    });
}

/// A small disk of its own, where the machine lets us have one.
struct SmallDisk(TempDir);

impl SmallDisk {
    fn mount(megabytes: u32) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={megabytes}m"), "tmpfs"])
            .arg(folder.path())
            .stderr(std::process::Stdio::null())
            .status();
        mounted.is_ok_and(|status| status.success()).then_some(Self(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(self.0.path()).status();
    }
}

#[test]
fn a_disk_that_really_is_full_stops_writes_keeps_reads_and_heals_without_a_restart() {
    let Some(disk) = SmallDisk::mount(28) else {
        println!("skipped: mounting a small disk needs root");
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let filler = disk.0.path().join("filler");
        std::fs::write(&filler, vec![0; 8 * 1024 * 1024]).unwrap();
        let dir = disk.0.path().join("store");
        let store = Store::open(&dir, &node()).unwrap();
        let mut kept = 0u64;
        let full = loop {
            assert!(kept < 50_000, "the disk was never full");
            let batch = (kept..kept + 50).map(|number| registered(&format!("d{number}"))).collect();
            match append(&store, batch).await {
                Ok(seqs) => kept += seqs.len() as u64,
                Err(error) => break error,
            }
        };
        assert!(matches!(full, AppendError::Store(StoreError::DiskFull { .. })), "{full:?}");
        assert!(!dir.join("reserve").exists(), "what was kept back is given up for a clean end");
        let rest = disk.0.path().join("rest");
        assert!(std::fs::write(&rest, vec![0; 28 * 1024 * 1024]).is_err(), "now there is nothing left at all");
        let still = append(&store, vec![registered("still-full")]).await.unwrap_err();
        assert!(matches!(still, AppendError::Store(StoreError::DiskFull { .. })), "{still:?}");
        assert_eq!(store.head(), Seq(1 + kept));
        assert!(store.dataset(&dataset_id("d7")).await.unwrap().is_some(), "reading goes on");
        assert!(matches!(store.failing(), Some(StoreError::DiskFull { .. })), "{:?}", store.failing());

        std::fs::remove_file(&filler).and_then(|()| std::fs::remove_file(&rest)).unwrap();
        // Nobody writes: a node that is not ready is sent nothing. It finds out by itself.
        let healed = async {
            while store.failing().is_some() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), healed).await.unwrap();
        append(&store, vec![registered("after")]).await.unwrap();
        assert!(dir.join("reserve").exists());
        store.verify().await.unwrap();
        assert_eq!(store.head(), Seq(2 + kept));
    });
}
