//! Promise 6 at its root: a process that is killed at any moment has lost nothing that it acknowledged.
//!
//! The child is this test binary again, running one ignored test that appends and prints each position once `append` has
//! returned. The HTTP edition, with a whole node and its index, is `tests/kill`.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use jiff::Timestamp;
use pleiad::audit::Audit;
use pleiad::domain::event::{Actor, Event, What};
use pleiad::domain::ids::{Identity, Seq};
use pleiad::store::{Priority, Store};
use serde_json::json;

const FOLDER: &str = "PLEIAD_TEST_KILL_FOLDER";
const ROUND: &str = "PLEIAD_TEST_KILL_ROUND";
const ROUNDS: u32 = 50;

fn node() -> Identity {
    "spiffe://fi.pleiad.example/node/main".parse().unwrap()
}

fn registered(local: &str) -> Event {
    let record = json!({
        "dataset": {
            "id": format!("https://fi.pleiad.example/dataset/{local}"),
            "title": {"en": "x".repeat(500)},
            "country": "FI",
        },
        "owner": "spiffe://fi.pleiad.example/participant/csc",
        "revision": 1,
        "registered": "2026-05-04T10:00:00Z",
        "revised": "2026-05-04T10:00:00Z",
    });
    let record = serde_json::from_value(record).unwrap();
    Event { at: Timestamp::UNIX_EPOCH, actor: Actor::Operator, what: What::DatasetRegistered { record } }
}

#[test]
#[ignore = "the child of the test below: appends until it is killed"]
fn appends_until_it_is_killed() {
    let (Ok(folder), Ok(round)) = (std::env::var(FOLDER), std::env::var(ROUND)) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Store::open(Path::new(&folder), &node()).unwrap();
        println!("\nopened");
        let writers = (0..4).map(|writer| {
            let (store, round) = (store.clone(), round.clone());
            tokio::spawn(async move {
                for number in 0.. {
                    let local = format!("r{round}-w{writer}-{number}");
                    // Every third write is a batch, so that a half of one would show.
                    let mut events = vec![registered(&local)];
                    if number % 3 == 0 {
                        events.push(registered(&format!("{local}-twin")));
                    }
                    let seqs = store.append(events, Vec::new(), Priority::Interactive).await.unwrap();
                    println!("acknowledged {} {local}", seqs[0]);
                }
            })
        });
        for writer in writers.collect::<Vec<_>>() {
            writer.await.unwrap();
        }
    });
}

/// Lets the child acknowledge a few writes and work on for a moment, kills it, and gives what it acknowledged.
fn killed_round(folder: &Path, round: u32) -> BTreeMap<u64, String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["store_kill::appends_until_it_is_killed", "--exact", "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line == "opened"), "round {round}: the store did not open after the last kill");
    let mut acknowledged: BTreeMap<u64, String> =
        lines.by_ref().take((round % 20) as usize).filter_map(|line| acknowledgement(&line)).collect();
    // The moment varies without a random generator: the machine's own noise does the rest.
    std::thread::sleep(Duration::from_micros(u64::from(round) * 7919 % 5_000));
    child.kill().unwrap();
    acknowledged.extend(lines.filter_map(|line| acknowledgement(&line)));
    child.wait().unwrap();
    acknowledged
}

/// `acknowledged <seq> <local>`; whatever else the test harness prints is not one.
fn acknowledgement(line: &str) -> Option<(u64, String)> {
    let (seq, local) = line.strip_prefix("acknowledged ")?.split_once(' ')?;
    Some((seq.parse().ok()?, local.to_owned()))
}

#[test]
fn a_process_killed_at_any_moment_has_lost_nothing_that_it_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = BTreeMap::new();
    for round in 0..ROUNDS {
        acknowledged.extend(killed_round(dir.path(), round));
    }
    assert!(acknowledged.len() > ROUNDS as usize, "the child had hardly any time: {}", acknowledged.len());

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Store::open(dir.path(), &node()).unwrap();
        Audit::new(store.clone()).verify(None).await.unwrap();
        let entries = store.read_from(Seq(0), usize::MAX >> 1).await.unwrap();
        assert_eq!(entries.len() as u64, store.head().0);
        let subjects: Vec<String> = entries.iter().map(|entry| entry.event.what.subject()).collect();
        for (seq, local) in &acknowledged {
            assert!(subjects[*seq as usize - 1].ends_with(&format!("/{local}")), "entry {seq} should be {local}");
        }
        for (index, subject) in subjects.iter().enumerate() {
            let batch = subject.rsplit('-').next().and_then(|number| number.parse::<u64>().ok());
            if batch.is_some_and(|number| number % 3 == 0) {
                let twin = subjects.get(index + 1);
                assert_eq!(twin, Some(&format!("{subject}-twin")), "half a batch was kept");
            }
        }
    });
}
