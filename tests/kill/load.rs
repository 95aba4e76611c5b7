//! The writers, and what each of them knows: a write that was answered is there, one that was not may be.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use super::client::{Answer, Client};
use super::node::domain;

/// How a dataset stands, as far as a writer can tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    revision: u64,
    title: String,
    private: bool,
    withdrawn: bool,
}

/// A dataset of one writer.
pub struct Tracked {
    pub local: String,
    /// How it stood when a write to it was last acknowledged; nothing before it was registered.
    acknowledged: Option<State>,
    /// How it stands if the write that was not answered was kept.
    unanswered: Option<State>,
    etag: Option<String>,
}

/// One writer: its datasets are its own, so it knows how each must stand.
pub struct Writer {
    number: usize,
    random: Random,
    tracked: Vec<Tracked>,
    touched: BTreeSet<usize>,
}

/// What all writers did together.
#[derive(Debug, Default, Clone, Copy)]
pub struct Tally {
    pub acknowledged: u64,
    pub unanswered: u64,
    pub kept_unanswered: u64,
    pub registered: u64,
    pub flipped: u64,
    pub withdrawn: u64,
}

impl Tally {
    /// Adds what a writer did.
    pub fn add(&mut self, own: Tally) {
        self.acknowledged += own.acknowledged;
        self.unanswered += own.unanswered;
        self.kept_unanswered += own.kept_unanswered;
        self.registered += own.registered;
        self.flipped += own.flipped;
        self.withdrawn += own.withdrawn;
    }

    fn count(&mut self, before: Option<&State>, after: &State) {
        self.acknowledged += 1;
        self.registered += u64::from(before.is_none());
        self.flipped += u64::from(before.is_some_and(|before| before.private != after.private));
        self.withdrawn += u64::from(after.withdrawn);
    }
}

/// What a check found out about a dataset: its id, the revision that the record has, and in which index a search must
/// find it: the private one, or the one for the federation.
pub struct Standing {
    pub id: String,
    pub revision: u64,
    pub seq: u64,
    pub private: bool,
    pub withdrawn: bool,
}

impl Writer {
    pub fn new(number: usize, seed: u64) -> Self {
        let random = Random(seed.wrapping_mul(0x9e37_79b9).wrapping_add(number as u64 + 1));
        Self { number, random, tracked: Vec::new(), touched: BTreeSet::new() }
    }

    /// Writes until the node is gone. An answer that refuses is a finding: nothing that is sent here may be refused.
    pub fn write(&mut self, client: &mut Client, stop: &AtomicBool, tally: &mut Tally) -> Result<(), String> {
        self.touched.clear();
        while !stop.load(Ordering::Relaxed) {
            let at = self.choose();
            self.touched.insert(at);
            let tracked = &mut self.tracked[at];
            let (method, path, body, next) = tracked.next_write(&mut self.random);
            tracked.unanswered = Some(next.clone());
            match client.send(method, &path, tracked.etag.as_deref(), Some(&body)) {
                Ok(answer) if (200..300).contains(&answer.status) => {
                    tally.count(tracked.acknowledged.as_ref(), &next);
                    tracked.acknowledged = Some(next);
                    tracked.unanswered = None;
                    tracked.etag = answer.etag;
                }
                Ok(answer) => {
                    return Err(format!(
                        "{method} {path} was refused with {}: {}",
                        answer.status,
                        String::from_utf8_lossy(&answer.body)
                    ));
                }
                Err(_) => {
                    tally.unanswered += 1;
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Half the time a new dataset, else one that can still be changed.
    fn choose(&mut self) -> usize {
        let changeable = |tracked: &Tracked| tracked.acknowledged.as_ref().is_some_and(|state| !state.withdrawn);
        if !self.random.one_in(2) {
            let from = self.random.below(self.tracked.len().max(1) as u64) as usize;
            let found = self.tracked[from.min(self.tracked.len())..].iter().position(changeable);
            if let Some(offset) = found {
                return from + offset;
            }
        }
        let local = format!("w{}-{}", self.number, self.tracked.len());
        self.tracked.push(Tracked { local, acknowledged: None, unanswered: None, etag: None });
        self.tracked.len() - 1
    }

    /// Asks the node how each dataset stands that was written to since the last check, or every one.
    pub fn check(&mut self, client: &mut Client, all: bool, tally: &mut Tally) -> Result<Vec<Standing>, String> {
        let wanted: Vec<usize> =
            if all { (0..self.tracked.len()).collect() } else { self.touched.iter().copied().collect() };
        let mut standings = Vec::new();
        for at in wanted {
            let tracked = &mut self.tracked[at];
            let path = tracked.path();
            let answer = client.send("GET", &path, None, None).map_err(|error| format!("GET {path}: {error}"))?;
            standings.extend(tracked.compare(answer, tally)?);
        }
        Ok(standings)
    }
}

impl Tracked {
    fn path(&self) -> String {
        format!("/api/v1/datasets/{}", self.local)
    }

    /// A write that follows from how it stands, and how it stands afterwards.
    fn next_write(&self, random: &mut Random) -> (&'static str, String, Value, State) {
        // The number makes each title another one: a revision that changes nothing would be answered as unchanged.
        let number = self.acknowledged.as_ref().map_or(1, |now| now.revision + 1);
        let title = format!("{} note {} of revision {number}", self.local, random.below(1_000_000));
        let Some(now) = &self.acknowledged else {
            let state = State { revision: 1, title, private: random.one_in(8), withdrawn: false };
            return ("POST", "/api/v1/datasets".to_owned(), self.record(&state), state);
        };
        let next = State { revision: now.revision + 1, ..now.clone() };
        match random.below(8) {
            0 => ("DELETE", self.path(), json!({"reason": "no longer kept"}), State { withdrawn: true, ..next }),
            1 | 2 => {
                let state = State { private: !now.private, ..next };
                ("PUT", self.path(), self.record(&state), state)
            }
            _ => {
                let state = State { title, ..next };
                ("PUT", self.path(), self.record(&state), state)
            }
        }
    }

    fn record(&self, state: &State) -> Value {
        json!({
            "id": self.id(),
            "title": {"en": state.title},
            "description": {"en": "Speech recorded in parliament, with transcripts. ".repeat(8)},
            "country": "FI",
            "visibility": if state.private { "private" } else { "federation" },
        })
    }

    fn id(&self) -> String {
        format!("https://{}/dataset/{}", domain(), self.local)
    }

    /// Holds the record against what is known. What was not answered is settled by it.
    fn compare(&mut self, answer: Answer, tally: &mut Tally) -> Result<Option<Standing>, String> {
        let body = answer.json();
        let found = match answer.status {
            404 => None,
            200 => Some(State {
                revision: body["revision"].as_u64().unwrap_or(0),
                title: body["dataset"]["title"]["en"].as_str().unwrap_or_default().to_owned(),
                private: body["dataset"]["visibility"] == "private",
                withdrawn: body["withdrawn"].is_object(),
            }),
            other => return Err(format!("GET {} answered {other}: {body}", self.path())),
        };
        if self.unanswered.is_some() && found == self.unanswered {
            tally.kept_unanswered += 1;
        } else if found != self.acknowledged {
            return Err(format!(
                "{} stands as {found:?}; acknowledged was {:?}, not answered was {:?}",
                self.local, self.acknowledged, self.unanswered
            ));
        }
        self.acknowledged = found.clone();
        self.unanswered = None;
        self.etag = answer.etag;
        Ok(found.map(|state| Standing {
            id: self.id(),
            revision: state.revision,
            seq: body["seq"].as_u64().unwrap_or(0),
            private: state.private,
            withdrawn: state.withdrawn,
        }))
    }
}

/// A small generator (xorshift), so that a run can be repeated with its seed.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }
}
