//! Promise 7: what is in the log can be proven to outsiders, and nobody changes it unnoticed.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use pleiad::audit::{Audit, AuditError, Standing, Wanted, is_signed_by};
use pleiad::domain::event::{Actor, Event, Role, What};
use pleiad::domain::ids::{DatasetId, Digest, Identity, Seq};
use pleiad::keys::{Keyring, Modes, Signer, SignerName};
use pleiad::store::{Priority, Store, StoreError, restore};
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

use crate::node::TestNode;

fn node() -> Identity {
    "spiffe://fi.pleiad.example/node/main".parse().unwrap()
}

fn registered(number: usize) -> Event {
    let record = json!({
        "dataset": {
            "id": format!("https://fi.pleiad.example/dataset/d{number}"),
            "title": {"en": format!("Dataset {number}")},
            "country": "FI",
            "identifiers": [format!("https://doi.org/10.1234/{number}")],
        },
        "owner": "spiffe://fi.pleiad.example/participant/csc",
        "revision": 1,
        "registered": "2026-05-04T10:00:00Z",
        "revised": "2026-05-04T10:00:00Z",
    });
    let record = serde_json::from_value(record).unwrap();
    let at: Timestamp = "2026-05-04T10:00:00Z".parse().unwrap();
    Event { at, actor: Actor::Operator, what: What::DatasetRegistered { record } }
}

async fn append(store: &Store, numbers: std::ops::Range<usize>) {
    store.append(numbers.map(registered).collect(), Vec::new(), Priority::Import).await.unwrap();
}

fn signer(folder: &Path) -> Arc<dyn Signer> {
    Keyring::new(folder, Modes::Enforce).create(SignerName::Log).unwrap()
}

#[tokio::test]
async fn every_entry_is_proven_against_a_signed_head_without_asking_the_node() {
    let (dir, keys) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = Store::open(dir.path(), &node()).unwrap();
    append(&store, 0..20).await;
    let (audit, signer) = (Audit::new(store.clone()), signer(keys.path()));
    assert_eq!(audit.head().await.unwrap(), None);
    let note = audit.sign(&*signer).await.unwrap();
    assert_eq!((note.checkpoint.size, note.checkpoint.origin.as_str()), (21, "fi.pleiad.example/log/1"));
    append(&store, 20..23).await;

    for seq in 1..=21 {
        let evidence = audit.evidence(Seq(seq)).await.unwrap();
        assert_eq!(evidence.head.as_ref().unwrap().standing, Standing::Unwitnessed);
        let travelled: pleiad::audit::Evidence =
            serde_json::from_str(&serde_json::to_string(&evidence).unwrap()).unwrap();
        assert!(travelled.holds(&signer.public_key()), "entry {seq}");
        let mut forged = travelled.clone();
        forged.entry.content = forged.entry.content.replace("Dataset", "Forgery").replace("log/1", "log/2");
        assert!(!forged.holds(&signer.public_key()), "a forged entry {seq}");
    }
    let unsigned = audit.evidence(Seq(24)).await.unwrap();
    assert!(unsigned.head.is_none() && unsigned.proof.holds() && !unsigned.holds(&signer.public_key()));
    let missing = audit.evidence(Seq(25)).await.unwrap_err();
    assert_eq!(missing, AuditError::NoEntry { seq: Seq(25), head: Seq(24) });
}

#[tokio::test]
async fn a_log_is_shown_to_have_only_grown_from_one_signed_head_to_the_next() {
    let (dir, keys) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = Store::open(dir.path(), &node()).unwrap();
    let (audit, signer) = (Audit::new(store.clone()), signer(keys.path()));
    append(&store, 0..10).await;
    let first = audit.sign(&*signer).await.unwrap();
    assert_eq!(audit.sign(&*signer).await.unwrap(), first, "nothing new, nothing signed");
    append(&store, 10..40).await;
    let second = audit.sign(&*signer).await.unwrap();
    let proof = audit.consistency(first.checkpoint.size, Some(second.checkpoint.size)).await.unwrap();
    assert!(proof.holds());
    assert_eq!((proof.old_root, proof.new_root), (first.checkpoint.root, second.checkpoint.root));
    assert!(is_signed_by(&second, &signer.public_key()));
    assert!(matches!(audit.consistency(5, Some(500)).await, Err(AuditError::Sizes { .. })));
    assert!(matches!(audit.consistency(9, Some(4)).await, Err(AuditError::Sizes { .. })));
    let verified = audit.verify(Some(signer.public_key())).await.unwrap();
    assert_eq!((verified.size, verified.root, verified.checkpoints), (41, second.checkpoint.root, 2));
}

#[tokio::test]
async fn entries_are_listed_by_subject_and_kind_page_by_page() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), &node()).unwrap();
    append(&store, 0..25).await;
    let audit = Audit::new(store);
    let (mut seen, mut before) = (Vec::new(), None);
    loop {
        let page = audit.entries(&Wanted::default(), before, 10).await.unwrap();
        seen.extend(page.entries.iter().map(|line| line.header.seq.0));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(seen, (1..=26).rev().collect::<Vec<_>>());
    let subject = Wanted { subject: Some("https://fi.pleiad.example/dataset/d7".to_owned()), ..Default::default() };
    let page = audit.entries(&subject, None, 10).await.unwrap();
    assert_eq!(page.entries.len(), 1);
    assert!(page.entries[0].content.contains("Dataset 7"));
    let kind = Wanted { kind: Some("log_opened".to_owned()), ..Default::default() };
    assert_eq!(audit.entries(&kind, None, 10).await.unwrap().entries.len(), 1);
    assert!(matches!(audit.entries(&kind, None, 501).await, Err(AuditError::PageTooLarge(501))));
}

/// The database of a closed store, with every page in the main file.
async fn closed_store(dir: &Path, datasets: usize) -> std::path::PathBuf {
    let store = Store::open(dir, &node()).unwrap();
    append(&store, 0..datasets).await;
    store.close().await;
    drop(store);
    dir.join("store.sqlite")
}

#[tokio::test]
async fn a_steward_who_rewrites_history_by_hand_is_found_out_and_the_entry_is_named() {
    let edits = [
        "UPDATE payload SET json = replace(json, 'Dataset 3', 'Dataset X') WHERE seq = 5",
        "UPDATE log SET actor = 'node' WHERE seq = 5",
        "UPDATE log SET ts = '2020-01-01T00:00:00Z' WHERE seq = 5",
        "UPDATE payload SET salt = zeroblob(32) WHERE seq = 5",
        "DELETE FROM payload WHERE seq = 5",
        "UPDATE hash SET hash = zeroblob(32) WHERE place = 7",
        "DELETE FROM log WHERE seq = 5",
    ];
    for edit in edits {
        let dir = tempfile::tempdir().unwrap();
        let file = closed_store(dir.path(), 20).await;
        tamper(&file, edit);
        let started = Store::open(dir.path(), &node()).map(drop).unwrap_err();
        let verified = Audit::inspect(dir.path()).unwrap().verify(None).await.unwrap_err();
        for error in [verified, AuditError::Store(started)] {
            assert!(
                matches!(error, AuditError::Store(StoreError::Damaged { seq: Seq(5), .. })),
                "{edit} gave {error:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_log_that_was_shortened_after_a_head_was_signed_is_found_out() {
    let (dir, keys) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = Store::open(dir.path(), &node()).unwrap();
    append(&store, 0..20).await;
    Audit::new(store.clone()).sign(&*signer(keys.path())).await.unwrap();
    store.close().await;
    drop(store);
    // Entry 21 completes one leaf, hash 39 of a tree that then has 40; all traces of it go.
    let edit = "DELETE FROM payload WHERE seq = 21; DELETE FROM log WHERE seq = 21; DELETE FROM hash WHERE place > 37;
         DELETE FROM dataset WHERE seq = 21; DELETE FROM dataset_revision WHERE seq = 21;
         DELETE FROM dataset_identifier WHERE id LIKE '%/d19'";
    tamper(&dir.path().join("store.sqlite"), edit);
    let error = Audit::inspect(dir.path()).unwrap().verify(None).await.unwrap_err();
    assert!(error.to_string().contains("a head of 21 entries was signed"), "{error}");
}

#[tokio::test]
async fn a_table_that_is_not_what_the_log_gives_is_found_and_derived_again() {
    let dir = tempfile::tempdir().unwrap();
    let file = closed_store(dir.path(), 20).await;
    tamper(&file, "UPDATE dataset SET owner = 'spiffe://fi.pleiad.example/participant/thief' WHERE id LIKE '%/d3'");
    let error = Audit::inspect(dir.path()).unwrap().verify(None).await.unwrap_err();
    let AuditError::Store(StoreError::TablesDiffer { table, row }) = error else { panic!("{error:?}") };
    assert_eq!((table.as_str(), row.as_str()), ("dataset", "https://fi.pleiad.example/dataset/d3"));

    let store = Store::open(dir.path(), &node()).unwrap();
    store.rebuild().await.unwrap();
    Audit::new(store.clone()).verify(None).await.unwrap();
    let id: DatasetId = "https://fi.pleiad.example/dataset/d3".parse().unwrap();
    assert_eq!(
        store.dataset(&id).await.unwrap().unwrap().owner.to_string(),
        "spiffe://fi.pleiad.example/participant/csc"
    );
}

/// Changes a database as somebody with the file and the `sqlite3` shell can: guards off, no trace.
fn tamper(file: &Path, edit: &str) {
    let connection = rusqlite::Connection::open(file).unwrap();
    let triggers: Vec<String> = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
        .and_then(|mut names| names.query_map([], |row| row.get(0))?.collect())
        .unwrap();
    assert!(connection.execute_batch("DELETE FROM log WHERE seq = 1").is_err(), "the log guards itself");
    let drop: String = triggers.iter().map(|name| format!("DROP TRIGGER {name};")).collect();
    connection.execute_batch(&format!("PRAGMA foreign_keys = OFF; {drop} {edit};")).unwrap();
}

#[test]
fn a_changed_byte_in_the_file_is_found_or_changes_nothing_that_can_be_read() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = runtime.block_on(closed_store(dir.path(), 250));
    let (good, intact) = (fs::read(&file).unwrap(), dump(&file).unwrap());
    let found = std::cell::Cell::new(0);
    let mut runner = TestRunner::new(Config { cases: 150, failure_persistence: None, ..Config::default() });
    runner
        .run(&(0..good.len(), 1u8..=255), |(at, flip)| {
            let copy = tempfile::tempdir().unwrap();
            let place = copy.path().join("store.sqlite");
            let mut bytes = good.clone();
            bytes[at] ^= flip;
            fs::write(&place, &bytes).unwrap();
            let verified = match Audit::inspect(copy.path()) {
                Ok(audit) => runtime.block_on(audit.verify(None)).map(drop),
                Err(error) => Err(error),
            };
            match verified {
                Err(_) => found.set(found.get() + 1),
                // Free space, or a counter of SQLite's own: then everything still reads as it was written.
                Ok(()) => assert_eq!(dump(&place).as_ref(), Ok(&intact), "byte {at}"),
            }
            Ok(())
        })
        .unwrap();
    assert!(found.get() > 30, "only {} of 150 changes were found", found.get());
}

/// Everything that can be read of a database.
fn dump(file: &Path) -> Result<Digest, String> {
    let read = || -> rusqlite::Result<String> {
        let connection = rusqlite::Connection::open(file)?;
        let tables: Vec<String> = connection
            .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let mut text = String::new();
        for table in tables {
            let mut statement = connection.prepare(&format!("SELECT * FROM {table}"))?;
            let columns = statement.column_count();
            let mut rows = statement.query([])?;
            let mut lines = Vec::new();
            while let Some(row) = rows.next()? {
                let cells: Result<Vec<String>, _> =
                    (0..columns).map(|column| row.get_ref(column).map(|cell| format!("{cell:?}"))).collect();
                lines.push(cells?.join("|"));
            }
            lines.sort();
            text.push_str(&lines.join("\n"));
        }
        Ok(text)
    };
    read().map(|text| Digest::of(text.as_bytes())).map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_backup_of_a_live_store_restores_to_the_same_log_and_nowhere_over_another() {
    let (dir, keys, kept) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = Store::open(dir.path(), &node()).unwrap();
    append(&store, 0..50).await;
    Audit::new(store.clone()).sign(&*signer(keys.path())).await.unwrap();
    let writing = tokio::spawn({
        let store = store.clone();
        async move {
            for number in 50..150 {
                append(&store, number..number + 1).await;
            }
        }
    });
    let backup = store.back_up(&kept.path().join("backup")).await.unwrap();
    writing.await.unwrap();
    assert!((51..=151).contains(&backup.size));
    assert_eq!(backup.checkpoint.as_ref().unwrap().checkpoint.size, 51);

    let again = store.back_up(&kept.path().join("backup")).await.unwrap_err();
    assert!(again.to_string().contains("is not empty"), "{again}");
    let over = restore(&kept.path().join("backup"), dir.path()).await.unwrap_err();
    assert!(over.to_string().contains("is not empty"), "{over}");

    let place = kept.path().join("restored");
    assert_eq!(restore(&kept.path().join("backup"), &place).await.unwrap(), backup);
    let restored = Store::open(&place, &node()).unwrap();
    assert_eq!(restored.tree_head().await.unwrap(), (backup.size, backup.root));
    let original = store.read_from(Seq(0), backup.size as usize).await.unwrap();
    assert_eq!(restored.read_from(Seq(0), 1000).await.unwrap(), original);
    append(&restored, 1000..1001).await;
}

#[tokio::test]
async fn a_backup_with_a_changed_byte_is_refused_and_leaves_no_store_behind() {
    let (dir, kept) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = Store::open(dir.path(), &node()).unwrap();
    append(&store, 0..10).await;
    let backup = kept.path().join("backup");
    store.back_up(&backup).await.unwrap();
    let file = backup.join("store.sqlite");
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes).unwrap();
    let place = kept.path().join("restored");
    let refused = restore(&backup, &place).await.unwrap_err();
    assert!(refused.to_string().contains("manifest of this backup"), "{refused}");
    assert!(!place.join("store.sqlite").exists());
    fs::remove_file(backup.join("backup.json")).unwrap();
    let unfinished = restore(&backup, &place).await.unwrap_err();
    assert!(unfinished.to_string().contains("not a finished backup"), "{unfinished}");
}

#[tokio::test]
async fn the_door_shows_each_caller_what_concerns_it_and_proofs_that_hold() {
    let node = TestNode::start("fi").await;
    let administrator = node.token(Role::Administrator, None).await;
    let steward = node.token(Role::Steward, Some("csc")).await;
    let stranger = node.token(Role::Steward, Some("other")).await;
    append(node.running.store(), 0..5).await;
    let get = |path: &str, token: &str| {
        let call = node.call("GET", path).bearer(token);
        async move { call.send().await }
    };

    // An administrator walks the whole log, page by page.
    let (mut path, mut seen) = ("/api/v1/audit/entries?limit=3".to_owned(), Vec::new());
    loop {
        let reply = get(&path, &administrator).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        seen.extend(reply.json()["items"].as_array().unwrap().iter().map(|entry| entry["seq"].as_u64().unwrap()));
        let Some(link) = reply.header("link") else { break };
        path = link[1..].split('>').next().unwrap().to_owned();
    }
    let head = node.running.store().head().0;
    assert_eq!(seen, (1..=head).rev().collect::<Vec<_>>());

    // A steward sees what is about its own dataset, and is told to name it.
    let about = "/api/v1/audit/entries?subject=https://fi.pleiad.example/dataset/d3";
    let reply = get(about, &steward).await;
    assert_eq!(reply.json()["items"][0]["content"]["record"]["dataset"]["title"]["en"], "Dataset 3");
    get(about, &stranger).await.problem(404, "not_found");
    get("/api/v1/audit/entries", &steward).await.problem(403, "forbidden");
    node.call("GET", about).send().await.problem(401, "unauthenticated");

    // What it is given holds without the node.
    let seq = reply.json()["items"][0]["seq"].as_u64().unwrap();
    get(&format!("/api/v1/audit/entries/{seq}"), &stranger).await.problem(404, "not_found");
    let key = Keyring::new(node.state.member.keys(), Modes::Enforce).signer(SignerName::Log).unwrap();
    Audit::new(node.running.store().clone()).sign(&*key).await.unwrap();
    let reply = get(&format!("/api/v1/audit/entries/{seq}"), &steward).await;
    let evidence: pleiad::audit::Evidence = serde_json::from_slice(&reply.body).unwrap();
    assert!(evidence.holds(&key.public_key()));
    let note = node.call("GET", "/api/v1/audit/checkpoint").send().await.json();
    assert_eq!(note["standing"], "unwitnessed");
    let proof = get(&format!("/api/v1/audit/consistency?old=1&new={head}"), &stranger).await;
    let proof: pleiad::domain::proof::ConsistencyProof = serde_json::from_slice(&proof.body).unwrap();
    assert!(proof.holds());

    // What cannot be meant is refused.
    get("/api/v1/audit/entries/999", &administrator).await.problem(404, "not_found");
    get("/api/v1/audit/consistency?old=9&new=2", &administrator).await.problem(400, "bad_parameter");
    get("/api/v1/audit/entries?limit=101", &administrator).await.problem(400, "bad_parameter");
    get("/api/v1/audit/entries?cursor=AAAA", &administrator).await.problem(400, "bad_cursor");
}

/// Runs the command line.
fn pleiad(arguments: &[&str]) -> std::process::Output {
    std::process::Command::new(env!("CARGO_BIN_EXE_pleiad")).args(arguments).output().unwrap()
}

#[tokio::test]
async fn the_command_line_verifies_backs_up_and_restores_a_running_node() {
    let (data, kept) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = Store::open(&data.path().join("store"), &node()).unwrap();
    append(&store, 0..5).await;
    let (data, backup) = (data.path().to_str().unwrap(), kept.path().join("backup"));
    let verified = pleiad(&["--json", "audit", "verify", "--data", data]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    let verified: serde_json::Value = serde_json::from_slice(&verified.stdout).unwrap();
    assert_eq!((&verified["entries"], &verified["witnessed"]), (&json!(6), &json!(false)));
    let list = pleiad(&["audit", "list", "--data", data, "--kind", "dataset_registered", "--limit", "2"]);
    assert_eq!(String::from_utf8(list.stdout).unwrap().lines().count(), 3, "a line of names and two entries");
    assert!(String::from_utf8(list.stderr).unwrap().contains("--before 5"));
    assert_eq!(pleiad(&["audit", "prove", "--data", data, "77"]).status.code(), Some(3));

    let backup = backup.to_str().unwrap();
    assert!(pleiad(&["backup", "--data", data, backup]).status.success());
    let elsewhere = kept.path().join("elsewhere");
    let elsewhere = elsewhere.to_str().unwrap();
    assert!(pleiad(&["restore", "--data", elsewhere, backup]).status.success());
    let over = pleiad(&["restore", "--data", elsewhere, backup]);
    assert_eq!(over.status.code(), Some(1));
    assert!(String::from_utf8(over.stderr).unwrap().contains("is not empty"));

    tamper(&Path::new(elsewhere).join("store/store.sqlite"), "UPDATE log SET actor = 'node' WHERE seq = 4");
    let broken = pleiad(&["audit", "verify", "--data", elsewhere]);
    assert_eq!(broken.status.code(), Some(6));
    assert!(String::from_utf8(broken.stderr).unwrap().contains("damaged at entry 4"));
}
