//! How a peer is doing, and whether to ask it: a state machine without clock, network or chance of its own.
//!
//! Every call to a peer and every probe ends in an [`Outcome`]. After five failures in a row, or ten among the last
//! twenty, the circuit opens: questions skip the peer, listed as such with the time of the next try, and only the
//! background probe calls it, at growing distances, until it answers. A peer that answers is asked: slowness never opens
//! the circuit. That one side refuses the other is a state of its own, because a person has to mend it.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::domain::ids::Identity;

/// Failures in a row that open the circuit.
pub const FAILURES_IN_A_ROW: u32 = 5;
/// Failures in a row that open it when nobody listens at the peer's address, which is known for certain.
pub const REFUSED_CONNECTIONS_IN_A_ROW: u32 = 2;
/// How many of the last outcomes are remembered; half of them as failures opens the circuit.
pub const REMEMBERED: usize = 20;
/// The first distance between probes of an open circuit.
pub const FIRST_RETRY: SignedDuration = SignedDuration::from_secs(5);
/// The longest distance between probes of an open circuit.
pub const LAST_RETRY: SignedDuration = SignedDuration::from_secs(300);
/// An answer that takes longer, on average, makes a peer slow.
pub const SLOW: Duration = Duration::from_millis(1000);

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// An answer that could be used.
    Answered {
        /// How long it took.
        elapsed: Duration,
    },
    /// No answer within the deadline.
    TimedOut,
    /// No connection, or the other side is failing.
    Unreachable {
        /// What the system said.
        reason: String,
        /// Whether nobody listens at the address.
        nobody_listens: bool,
    },
    /// One side does not accept the other: trust, certificate, permission.
    Refused {
        /// Why.
        reason: String,
    },
    /// An answer that this node does not understand.
    Incompatible {
        /// What was wrong with it.
        reason: String,
    },
}

/// Who called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// A question that somebody waits for.
    Question,
    /// The background probe.
    Probe,
}

/// How a peer is doing, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeerState {
    /// It was not called yet.
    Unknown,
    /// It answers.
    Valid,
    /// It answers late, or not always within the deadline.
    Slow,
    /// It does not answer.
    Unreachable,
    /// It and this node do not accept each other.
    Refused,
    /// It answers, but not in a way that this node understands.
    Incompatible,
}

/// What can be shown of a peer's health.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct View {
    /// In one word.
    pub state: PeerState,
    /// Since when it is in this state; `None` before the first call.
    pub since: Option<Timestamp>,
    /// When the peer is tried next, while questions skip it.
    pub next_try: Option<Timestamp>,
    /// When it last answered.
    pub last_answer: Option<Timestamp>,
    /// How long its answers take, smoothed, in milliseconds.
    pub latency_ms: Option<u64>,
    /// What the last failure said, until the peer answers again.
    pub problem: Option<String>,
}

/// The health of one peer.
#[derive(Debug, Clone, PartialEq)]
pub struct Health {
    state: PeerState,
    since: Option<Timestamp>,
    /// Whether each of the last calls failed, the newest at the end.
    recent: VecDeque<bool>,
    failures_in_a_row: u32,
    refused_connections_in_a_row: u32,
    circuit: Circuit,
    last_answer: Option<Timestamp>,
    latency: Option<Duration>,
    problem: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Circuit {
    Closed,
    Open { tries: u32, opened: Timestamp, next_try: Timestamp },
}

impl Default for Health {
    fn default() -> Self {
        Self {
            state: PeerState::Unknown,
            since: None,
            recent: VecDeque::with_capacity(REMEMBERED),
            failures_in_a_row: 0,
            refused_connections_in_a_row: 0,
            circuit: Circuit::Closed,
            last_answer: None,
            latency: None,
            problem: None,
        }
    }
}

impl Health {
    /// Takes note of what came of a call. `chance` is a random number from 0 to 1 that spreads the tries of many nodes.
    pub fn observe(&mut self, outcome: &Outcome, caller: Caller, now: Timestamp, chance: f64) {
        if let Outcome::Answered { elapsed } = outcome {
            self.answered(*elapsed, now);
            return;
        }
        self.problem = Some(problem(outcome));
        match self.circuit {
            Circuit::Closed => {
                self.remember(true);
                self.failures_in_a_row = self.failures_in_a_row.saturating_add(1);
                self.refused_connections_in_a_row = match outcome {
                    Outcome::Unreachable { nobody_listens: true, .. } => self.refused_connections_in_a_row + 1,
                    _ => 0,
                };
                if self.has_failed_enough() {
                    self.circuit = open(0, now, chance);
                }
            }
            // A probe that failed waits longer; questions that were under way when the circuit opened say nothing new.
            Circuit::Open { tries, .. } if caller == Caller::Probe => {
                self.circuit = open(tries.saturating_add(1), now, chance);
            }
            Circuit::Open { .. } => {}
        }
        let state = match outcome {
            Outcome::Refused { .. } => PeerState::Refused,
            Outcome::Incompatible { .. } => PeerState::Incompatible,
            Outcome::TimedOut if self.circuit == Circuit::Closed => PeerState::Slow,
            _ => PeerState::Unreachable,
        };
        self.enter(state, now);
    }

    /// Whether a question may go to the peer; if not, when it is tried next.
    pub fn may_ask(&self, now: Timestamp) -> Result<(), Timestamp> {
        match self.circuit {
            Circuit::Closed => Ok(()),
            Circuit::Open { .. } => Err(self.next_try(now).unwrap_or(now)),
        }
    }

    /// Whether the probe should call the peer: always while the circuit is closed, and at the next try while it is open.
    pub fn may_probe(&self, now: Timestamp) -> bool {
        self.next_try(now).is_none_or(|next_try| now >= next_try)
    }

    /// What can be shown.
    pub fn view(&self, now: Timestamp) -> View {
        View {
            state: self.state,
            since: self.since,
            next_try: self.next_try(now),
            last_answer: self.last_answer,
            latency_ms: self.latency.map(|latency| u64::try_from(latency.as_millis()).unwrap_or(u64::MAX)),
            problem: self.problem.clone(),
        }
    }

    fn next_try(&self, now: Timestamp) -> Option<Timestamp> {
        match self.circuit {
            Circuit::Closed => None,
            // The clock was set back past the moment of opening: waiting for the old moment could take for ever.
            Circuit::Open { opened, .. } if now < opened => Some(now),
            Circuit::Open { next_try, .. } => Some(next_try),
        }
    }

    fn answered(&mut self, elapsed: Duration, now: Timestamp) {
        if self.circuit != Circuit::Closed {
            self.circuit = Circuit::Closed;
            self.recent.clear();
        }
        self.remember(false);
        self.failures_in_a_row = 0;
        self.refused_connections_in_a_row = 0;
        self.problem = None;
        self.last_answer = Some(now);
        // A quarter of the newest and three quarters of what was: about the last seven answers count.
        let smoothed = self.latency.map_or(elapsed, |latency| latency.saturating_mul(3).saturating_add(elapsed) / 4);
        self.latency = Some(smoothed);
        self.enter(if smoothed > SLOW { PeerState::Slow } else { PeerState::Valid }, now);
    }

    fn remember(&mut self, failed: bool) {
        if self.recent.len() == REMEMBERED {
            self.recent.pop_front();
        }
        self.recent.push_back(failed);
    }

    fn has_failed_enough(&self) -> bool {
        let failed = self.recent.iter().filter(|failed| **failed).count();
        self.failures_in_a_row >= FAILURES_IN_A_ROW
            || self.refused_connections_in_a_row >= REFUSED_CONNECTIONS_IN_A_ROW
            || (self.recent.len() == REMEMBERED && failed * 2 >= REMEMBERED)
    }

    fn enter(&mut self, state: PeerState, now: Timestamp) {
        if self.state != state {
            self.state = state;
            self.since = Some(now);
        }
    }
}

fn open(tries: u32, now: Timestamp, chance: f64) -> Circuit {
    let full = FIRST_RETRY.as_secs_f64() * f64::from(2_u32.saturating_pow(tries.min(16)));
    let full = full.min(LAST_RETRY.as_secs_f64());
    let chance = if chance.is_finite() { chance.clamp(0.0, 1.0) } else { 0.5 };
    // From three quarters of the distance to the whole: never later than what is promised.
    let wait = SignedDuration::try_from_secs_f64(full * (0.75 + chance / 4.0)).unwrap_or(LAST_RETRY);
    Circuit::Open { tries, opened: now, next_try: now.checked_add(wait).unwrap_or(Timestamp::MAX) }
}

fn problem(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Answered { .. } => String::new(),
        Outcome::TimedOut => "no answer within the deadline".to_owned(),
        Outcome::Unreachable { reason, .. } | Outcome::Refused { reason } | Outcome::Incompatible { reason } => {
            reason.clone()
        }
    }
}

/// The health of all peers, shared by those who call and those who show.
#[derive(Debug, Default)]
pub struct Board(Mutex<BTreeMap<Identity, Health>>);

impl Board {
    /// Takes note of what came of a call.
    pub fn observe(&self, peer: &Identity, outcome: &Outcome, caller: Caller, now: Timestamp) {
        let chance = f64::from(uuid::Uuid::new_v4().as_fields().0) / f64::from(u32::MAX);
        let mut healths = self.0.lock();
        let health = healths.entry(peer.clone()).or_default();
        let before = health.state;
        health.observe(outcome, caller, now, chance);
        if health.state != before {
            let (state, problem) = (health.state, health.problem.as_deref());
            tracing::info!(%peer, ?before, ?state, problem, "a peer's state changed");
        }
    }

    /// Whether a question may go to the peer; if not, when it is tried next.
    pub fn may_ask(&self, peer: &Identity, now: Timestamp) -> Result<(), Timestamp> {
        self.0.lock().get(peer).map_or(Ok(()), |health| health.may_ask(now))
    }

    /// Whether the probe should call the peer now.
    pub fn may_probe(&self, peer: &Identity, now: Timestamp) -> bool {
        self.0.lock().get(peer).is_none_or(|health| health.may_probe(now))
    }

    /// What can be shown of a peer.
    pub fn view(&self, peer: &Identity, now: Timestamp) -> View {
        self.0.lock().get(peer).map_or_else(|| Health::default().view(now), |health| health.view(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn answered(ms: u64) -> Outcome {
        Outcome::Answered { elapsed: Duration::from_millis(ms) }
    }

    fn gone() -> Outcome {
        Outcome::Unreachable { reason: "connection refused".to_owned(), nobody_listens: true }
    }

    #[test]
    fn five_failures_in_a_row_open_the_circuit_and_the_next_try_is_said() {
        let mut health = Health::default();
        for second in 0..4 {
            health.observe(&Outcome::TimedOut, Caller::Question, at(second), 1.0);
            assert_eq!(health.may_ask(at(second)), Ok(()));
            assert_eq!(health.view(at(second)).state, PeerState::Slow);
        }
        health.observe(&Outcome::TimedOut, Caller::Question, at(4), 1.0);
        assert_eq!(health.may_ask(at(4)), Err(at(9)));
        assert_eq!(health.view(at(4)).state, PeerState::Unreachable);
    }

    #[test]
    fn an_open_circuit_is_closed_by_the_probe_alone() {
        let mut health = Health::default();
        health.observe(&gone(), Caller::Question, at(0), 1.0);
        health.observe(&gone(), Caller::Question, at(0), 1.0);
        assert!(!health.may_probe(at(4)));
        assert!(health.may_probe(at(5)));
        assert!(health.may_ask(at(500)).is_err(), "time alone closes nothing");
        health.observe(&gone(), Caller::Probe, at(5), 1.0);
        assert_eq!(health.view(at(5)).next_try, Some(at(15)), "the distance doubles");
        health.observe(&gone(), Caller::Question, at(6), 1.0);
        assert_eq!(health.view(at(6)).next_try, Some(at(15)), "a late question does not push the try away");
        health.observe(&answered(3), Caller::Probe, at(15), 1.0);
        assert_eq!((health.may_ask(at(15)), health.view(at(15)).state), (Ok(()), PeerState::Valid));
        assert_eq!(health.view(at(15)).problem, None);
    }

    #[test]
    fn half_of_the_last_twenty_opens_the_circuit_though_never_five_in_a_row() {
        let mut health = Health::default();
        for second in 0..19 {
            let outcome = if second % 2 == 0 { Outcome::TimedOut } else { answered(5) };
            health.observe(&outcome, Caller::Question, at(second), 0.0);
            assert_eq!(health.may_ask(at(second)), Ok(()));
        }
        health.observe(&Outcome::TimedOut, Caller::Question, at(20), 0.0);
        assert!(health.may_ask(at(20)).is_err());
    }

    #[test]
    fn a_refusal_and_an_incompatible_answer_are_states_of_their_own() {
        let mut health = Health::default();
        health.observe(&Outcome::Refused { reason: "revoked".to_owned() }, Caller::Probe, at(0), 0.0);
        assert_eq!(health.view(at(0)).state, PeerState::Refused);
        assert_eq!(health.view(at(0)).problem.as_deref(), Some("revoked"));
        health.observe(&Outcome::Incompatible { reason: "version 9".to_owned() }, Caller::Probe, at(1), 0.0);
        assert_eq!((health.view(at(1)).state, health.view(at(1)).since), (PeerState::Incompatible, Some(at(1))));
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_lock_a_peer_out() {
        let mut health = Health::default();
        health.observe(&gone(), Caller::Question, at(10_000), 1.0);
        health.observe(&gone(), Caller::Question, at(10_000), 1.0);
        assert!(health.may_probe(at(100)));
    }

    fn outcomes() -> impl Strategy<Value = (Outcome, bool, i64, f64)> {
        let outcome = prop_oneof![
            (0_u64..5000).prop_map(answered),
            Just(Outcome::TimedOut),
            Just(gone()),
            Just(Outcome::Unreachable { reason: "reset".to_owned(), nobody_listens: false }),
            Just(Outcome::Refused { reason: "no".to_owned() }),
            Just(Outcome::Incompatible { reason: "what".to_owned() }),
        ];
        (outcome, any::<bool>(), 0_i64..400, prop_oneof![0.0..1.0, Just(f64::NAN)])
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn whatever_happens_a_peer_that_answers_is_asked_and_a_wait_is_never_over_five_minutes(
            steps in proptest::collection::vec(outcomes(), 1..80)
        ) {
            let mut health = Health::default();
            let mut now = at(1000);
            let mut answers_in_a_row = 0;
            for (outcome, probe, step, chance) in steps {
                now = now.checked_add(SignedDuration::from_secs(step)).unwrap();
                let was_open = health.may_ask(now).is_err();
                health.observe(&outcome, if probe { Caller::Probe } else { Caller::Question }, now, chance);
                let view = health.view(now);
                answers_in_a_row = if matches!(outcome, Outcome::Answered { .. }) { answers_in_a_row + 1 } else { 0 };
                if answers_in_a_row > 0 {
                    prop_assert_eq!(health.may_ask(now), Ok(()));
                    prop_assert!(matches!(view.state, PeerState::Valid | PeerState::Slow));
                }
                prop_assert_eq!(health.may_ask(now).is_err(), view.next_try.is_some());
                if let Some(next_try) = view.next_try {
                    prop_assert!(next_try.duration_since(now) <= LAST_RETRY);
                    if !was_open {
                        prop_assert!(next_try.duration_since(now) >= FIRST_RETRY * 3 / 4);
                    }
                }
                prop_assert!(view.state != PeerState::Unknown);
            }
        }
    }
}
