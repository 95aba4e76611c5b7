//! The kill loop: a real node under register load is killed at random moments, started again, and asked.
//!
//! After every start each write that was answered must be there, each that was not must be there whole or not at all, and
//! the search must find exactly what the records say. At the end the log is verified from end to end. Run it by
//! `tests/kill/run [KILLS] [SEED]`; the last line on standard output is the summary.

mod client;
mod load;
mod node;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use client::Client;
use load::{Random, Standing, Tally, Writer};
use node::Site;

/// Connections that write at once.
const WRITERS: usize = 4;

/// A node lives this long at most after it is ready, in microseconds; many die sooner.
const LIFE: u64 = 120_000;

/// How long the index may lag behind the records after a start.
const LAG: Duration = Duration::from_secs(20);

fn main() -> ExitCode {
    let numbers: Vec<u64> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let kills = numbers.first().copied().unwrap_or(1000);
    let seed = numbers.get(1).copied().unwrap_or(20_261_124).max(1);
    let site = Site::new();
    match run(&site, kills, seed) {
        Ok(summary) => {
            println!("{summary}");
            ExitCode::SUCCESS
        }
        Err(finding) => {
            let complaints = site.complaints();
            let last: Vec<&str> = complaints.lines().rev().take(20).collect();
            eprintln!("seed {seed}: {finding}\nthe node's last words, latest first:\n{}", last.join("\n"));
            ExitCode::FAILURE
        }
    }
}

fn run(site: &Site, kills: u64, seed: u64) -> Result<String, String> {
    let begun = Instant::now();
    let mut random = Random(seed);
    let mut writers: Vec<Writer> = (0..WRITERS).map(|number| Writer::new(number, seed)).collect();
    let (mut tally, mut slowest) = (Tally::default(), Duration::ZERO);
    for round in 0..kills {
        let starting = Instant::now();
        let node = site.start().map_err(|error| format!("start {round}: {error}"))?;
        slowest = slowest.max(starting.elapsed());
        check(site, &mut writers, false, &mut tally).map_err(|finding| format!("after kill {round}: {finding}"))?;
        let stop = AtomicBool::new(false);
        let outcomes: Vec<Result<Tally, String>> = std::thread::scope(|scope| {
            let load: Vec<_> = writers
                .iter_mut()
                .map(|writer| {
                    let stop = &stop;
                    scope.spawn(move || {
                        let mut tally = Tally::default();
                        let mut client = Client::new(site.web, &site.token);
                        writer.write(&mut client, stop, &mut tally).map(|()| tally)
                    })
                })
                .collect();
            std::thread::sleep(Duration::from_micros(random.below(LIFE)));
            node.kill();
            stop.store(true, Ordering::Relaxed);
            load.into_iter()
                .map(|writer| writer.join().unwrap_or_else(|_| Err("a writer panicked".to_owned())))
                .collect()
        });
        for outcome in outcomes {
            tally.add(outcome.map_err(|finding| format!("before kill {round}: {finding}"))?);
        }
        if round % 100 == 99 {
            eprintln!("{} kills, {} writes acknowledged, {:?}", round + 1, tally.acknowledged, begun.elapsed());
        }
    }
    let node = site.start().map_err(|error| format!("the last start: {error}"))?;
    let datasets = check(site, &mut writers, true, &mut tally).map_err(|finding| format!("at the end: {finding}"))?;
    node.kill();
    site.verify().map_err(|finding| format!("the log at the end: {finding}"))?;
    Ok(format!(
        "{kills} kills in {:.0} s: {} writes acknowledged, 0 lost ({} registered, {} changed their visibility, {} withdrawn); \
         {} not answered, {} of them kept whole; {datasets} datasets, index equals record after every start; every start came up, the slowest in {:.1} s; \
         the log verifies; seed {seed}",
        begun.elapsed().as_secs_f64(),
        tally.acknowledged,
        tally.registered,
        tally.flipped,
        tally.withdrawn,
        tally.unanswered,
        tally.kept_unanswered,
        slowest.as_secs_f64(),
    ))
}

/// Holds records, then the index, against what the writers know. Gives the number of datasets that were looked at.
fn check(site: &Site, writers: &mut [Writer], all: bool, tally: &mut Tally) -> Result<usize, String> {
    let mut client = Client::new(site.web, &site.token);
    let mut standings = Vec::new();
    for writer in writers {
        standings.extend(writer.check(&mut client, all, tally)?);
    }
    let newest = standings.iter().map(|standing| standing.seq).max().unwrap_or(0);
    for group in standings.chunks(50) {
        found_as_recorded(&mut client, group, newest)?;
    }
    Ok(standings.len())
}

/// Whether a search by exact ids finds each record that is in force once, in the index of its visibility and at its
/// revision, and none that is not.
fn found_as_recorded(client: &mut Client, group: &[Standing], newest: u64) -> Result<(), String> {
    let mut path = format!("/api/v1/search?local=true&limit=100&min_seq={newest}");
    for standing in group {
        path.push_str(&format!("&id={}", standing.id));
    }
    let expected: BTreeMap<&str, (bool, u64)> = group
        .iter()
        .filter(|standing| !standing.withdrawn)
        .map(|standing| (standing.id.as_str(), (standing.private, standing.revision)))
        .collect();
    let begun = Instant::now();
    loop {
        let answer = client.send("GET", &path, None, None).map_err(|error| format!("a search: {error}"))?;
        if answer.status != 200 {
            return Err(format!("a search answered {}: {}", answer.status, answer.json()));
        }
        let body = answer.json();
        let hits = body["hits"].as_array().map(Vec::as_slice).unwrap_or_default();
        let found: Vec<(&str, (bool, u64))> = hits
            .iter()
            .map(|hit| {
                let (card, private) = (&hit["card"], hit["private"] == true);
                (card["id"].as_str().unwrap_or_default(), (private, card["revision"].as_u64().unwrap_or(0)))
            })
            .collect();
        let distinct: BTreeMap<&str, (bool, u64)> = found.iter().copied().collect();
        if distinct == expected && found.len() == expected.len() {
            return Ok(());
        }
        if begun.elapsed() > LAG {
            return Err(format!("the index finds {found:?}, the records say {expected:?}"));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
