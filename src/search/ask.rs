//! One question to one peer: the call, and what came of it as a [`Source`] and, where there is one, an [`Answer`].
//!
//! Every way of not getting an answer is a state of the source, never an error. What came of the call is also noted on
//! the health board, from which the circuit breaker lives. The board is everybody's and goes into the log, so a peer's own
//! words, which may repeat those of the question, are shown to the asker alone.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::merge::Answer;
use super::plan::Ask;
use super::source::{Source, State};
use crate::domain::ids::Identity;
use crate::domain::score::Statistics;
use crate::outbound::federation::{self, CallError, Federation};
use crate::peers::health::{Board, Caller, Outcome};
use crate::peers::wire::{
    MAX_ANSWER_BYTES, OTHER_ANALYSER, ReadAnswer, SEARCH_PATH, SearchAnswer, SearchAsk, UNSUPPORTED_CONSTRAINT,
};

/// Answers above this size are read on a thread of their own.
const LARGE: usize = 256 * 1024;

/// What is asked of every peer.
#[derive(Debug, Clone)]
pub struct Question {
    /// The question without its deadline, which is each peer's own.
    pub ask: SearchAsk,
    /// The `traceparent` to pass on, if the asker sent one.
    pub traceparent: Option<String>,
}

/// Asks one peer and waits, at most until its deadline.
pub async fn ask(federation: &Federation, board: &Board, to: Ask, question: &Question) -> (Source, Option<Answer>) {
    let begin = Instant::now();
    let heard = hear(federation, &to, question, begin).await;
    if let Some(outcome) = outcome(&heard, begin.elapsed(), to.hurried) {
        board.observe(&to.node, &outcome, Caller::Question, federation.trust().clock().now());
    }
    let mut source = Source::new(to.node.clone(), to.countries.clone(), State::Answered);
    source.stale_trust = to.stale_trust;
    source.ms = Some(milliseconds(begin.elapsed()));
    match heard {
        Ok(ReadAnswer { answer, set_aside, replaced }) => {
            source.index_age_ms = Some(answer.index_age_ms);
            source.position = Some(answer.answer.position);
            source.problem = not_understood(set_aside, replaced);
            let steering: Option<Statistics> = question.ask.statistics.clone();
            let SearchAsk { hits, .. } = question.ask;
            let (node, countries) = (to.node, to.countries);
            (source, Some(Answer { node, countries, asked: hits, steering, answer: answer.answer }))
        }
        Err(silence) => {
            let (state, problem) = silence.shown();
            source.state = state;
            (source.because(problem), None)
        }
    }
}

/// Why there is no answer.
#[derive(Debug)]
enum Silence {
    /// The call failed.
    Call(CallError),
    /// It refused the question because it does not know a part of it.
    Unsupported(String),
    /// It had no room.
    Busy(String),
    /// It answered, and the answer is of no use to this node.
    Incompatible(String),
}

async fn hear(federation: &Federation, to: &Ask, question: &Question, begin: Instant) -> Result<ReadAnswer, Silence> {
    let body = SearchAsk { deadline_ms: milliseconds(to.deadline), ..question.ask.clone() };
    let trace: Vec<(&str, &str)> = question.traceparent.iter().map(|trace| ("traceparent", trace.as_str())).collect();
    let deadline = begin + to.deadline;
    let answer = federation
        .post_json(&to.node, SEARCH_PATH, &trace, &body, deadline, MAX_ANSWER_BYTES)
        .await
        .map_err(Silence::Call)?;
    if answer.status != 200 {
        return Err(refused(answer));
    }
    let read = read(answer).await.map_err(|reason| Silence::Call(CallError::BrokenAnswer(reason)))?;
    check(&to.node, &body.question.analyser, &read.answer)?;
    Ok(read)
}

async fn read(answer: federation::Answer) -> Result<ReadAnswer, String> {
    if answer.bytes.len() < LARGE {
        return SearchAnswer::read(&answer.bytes);
    }
    let reading = tokio::task::spawn_blocking(move || SearchAnswer::read(&answer.bytes));
    reading.await.unwrap_or_else(|error| Err(error.to_string()))
}

fn check(node: &Identity, analyser: &str, answer: &SearchAnswer) -> Result<(), Silence> {
    if answer.node != *node {
        let reason = format!("it says that it is {}", answer.node);
        return Err(Silence::Call(CallError::BrokenAnswer(reason)));
    }
    if answer.analyser != analyser {
        return Err(Silence::Incompatible(format!(
            "its index has terms of analyser {}, this one of {analyser}",
            answer.analyser
        )));
    }
    Ok(())
}

fn refused(answer: federation::Answer) -> Silence {
    let status = answer.status;
    let problem: Value = serde_json::from_slice(&answer.bytes).unwrap_or_default();
    let code = problem["code"].as_str().unwrap_or_default().to_owned();
    let detail = match answer.success() {
        Err(CallError::BadStatus { detail, .. }) => detail,
        _ => format!("an answer with status {status}"),
    };
    match (status, code.as_str()) {
        (_, UNSUPPORTED_CONSTRAINT) => Silence::Unsupported(detail),
        (_, OTHER_ANALYSER) => Silence::Incompatible(detail),
        (429 | 503, _) => Silence::Busy(detail),
        (401 | 403 | 500.., _) => Silence::Call(CallError::BadStatus { status, detail }),
        _ => Silence::Incompatible(format!("status {status}: {detail}")),
    }
}

impl Silence {
    fn shown(self) -> (State, String) {
        match self {
            Self::Unsupported(detail) => (State::UnsupportedConstraint, detail),
            Self::Busy(detail) => (State::Busy, detail),
            Self::Incompatible(detail) => (State::Incompatible, detail),
            Self::Call(error) => {
                let state = match &error {
                    CallError::Timeout => State::TimedOut,
                    CallError::Refused(_) | CallError::BadStatus { status: 401 | 403, .. } => State::Refused,
                    CallError::Unreachable { .. } | CallError::Setup(_) => State::Unreachable,
                    CallError::TooLarge { .. } | CallError::BrokenAnswer(_) | CallError::BadStatus { .. } => {
                        State::Broken
                    }
                };
                (state, error.to_string())
            }
        }
    }
}

/// What an answer, or its absence, says about the peer's health. A peer that says no is a peer that answers. Whoever
/// waits for less than this node would must not close the peer to all others.
fn outcome(heard: &Result<ReadAnswer, Silence>, elapsed: Duration, hurried: bool) -> Option<Outcome> {
    let incompatible = |reason: String| Some(Outcome::Incompatible { reason });
    match heard {
        Ok(_) | Err(Silence::Unsupported(_)) => Some(Outcome::Answered { elapsed }),
        Err(Silence::Busy(_)) => None,
        Err(Silence::Incompatible(_)) => incompatible("it does not take the questions of this node".to_owned()),
        Err(Silence::Call(CallError::Timeout)) if hurried => None,
        Err(Silence::Call(CallError::BrokenAnswer(_))) => incompatible("its answer cannot be read".to_owned()),
        Err(Silence::Call(CallError::BadStatus { status, .. })) => {
            CallError::BadStatus { status: *status, detail: "a question was not answered".to_owned() }.outcome()
        }
        Err(Silence::Call(error)) => error.outcome(),
    }
}

fn not_understood(set_aside: usize, replaced: usize) -> Option<String> {
    match (set_aside, replaced) {
        (0, 0) => None,
        (0, words) => Some(format!("{words} words of its hits are not known here; it may be a newer version")),
        (hits, words) => Some(format!("{hits} of its hits cannot be read, {words} words of others are not known here")),
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_peer_says_about_a_question_never_reaches_the_board_and_so_the_log() {
        let words = || "no \"secretword\" here".to_owned();
        let silences = [
            Silence::Incompatible(words()),
            Silence::Call(CallError::BrokenAnswer(words())),
            Silence::Call(CallError::BadStatus { status: 500, detail: words() }),
            Silence::Call(CallError::BadStatus { status: 403, detail: words() }),
        ];
        for silence in silences {
            let outcome = outcome(&Err(silence), Duration::ZERO, false);
            assert!(outcome.is_some());
            assert!(!format!("{outcome:?}").contains("secretword"), "{outcome:?}");
        }
    }
}
