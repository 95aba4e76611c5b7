//! Looks after the peers in the background: asks each for its status, so that what is shown of it is never old, a warm
//! connection is there when somebody searches, an open circuit closes again, and newer peer files travel.
//!
//! A round asks all peers at once. A peer whose circuit is open is asked only when its next try has come. A peer whose
//! peer file ran out is asked for a newer one first, over a connection that is good for nothing else; a status names the
//! peer files that its node holds, and one that is newer than ours is fetched and offered to the trust list, which
//! believes its signature and nobody's word.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use jiff::Timestamp;
use parking_lot::Mutex;
use serde::Serialize;

use super::health::{Board, Caller, Outcome};
use super::peer_file;
use super::trust::{Offered, Refusal, Standing, Trust};
use super::wire::{MAX_STATUS_BYTES, PEER_FILE_PATH, PeerFileOffer, STATUS_PATH, Status};
use crate::domain::ids::{Identity, Seq, TrustDomain};
use crate::outbound::federation::{Answer, CallError, Federation};

/// How long a status may take.
const DEADLINE: Duration = Duration::from_secs(5);
/// From how many milliseconds on two clocks that differ are worth a warning.
const SKEW_MS: i64 = 30_000;
/// The most peer files that are fetched from one peer in one round.
const FILES_A_ROUND: usize = 8;
/// How often it is looked whether the next try of a peer that questions skip is due.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// What a peer last said about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sighting {
    /// When it said so.
    pub at: Timestamp,
    /// The version of its software.
    pub version: String,
    /// By how many milliseconds its clock is ahead of ours, give or take half the round trip.
    pub clock_ahead_ms: i64,
    /// The log position that its index had applied.
    pub position: Seq,
    /// For how long something had been in its log that its index did not show, in milliseconds.
    pub index_age_ms: u64,
}

/// The background probe.
#[derive(Debug)]
pub struct Probe {
    federation: Arc<Federation>,
    board: Arc<Board>,
    analyser: String,
    seen: Mutex<BTreeMap<Identity, Sighting>>,
}

impl Probe {
    /// A probe that calls by `federation` and reports to `board`. `analyser` is our index's own.
    pub fn new(federation: Arc<Federation>, board: Arc<Board>, analyser: String) -> Self {
        Self { federation, board, analyser, seen: Mutex::new(BTreeMap::new()) }
    }

    /// What each peer last said about itself.
    pub fn seen(&self) -> BTreeMap<Identity, Sighting> {
        self.seen.lock().clone()
    }

    /// Makes a round in every `period`, give or take a tenth so that nodes do not move in step, until the task is dropped.
    pub async fn run(self: Arc<Self>, period: Duration) {
        loop {
            self.round().await;
            let chance = f64::from(uuid::Uuid::new_v4().as_fields().0) / f64::from(u32::MAX);
            let next_round = Instant::now() + period.mul_f64(0.9 + chance / 5.0);
            while let Some(left) = next_round.checked_duration_since(Instant::now()) {
                tokio::time::sleep(left.min(LOOK_AGAIN)).await;
                self.visit_overdue().await;
            }
        }
    }

    /// Asks the peers that questions skip and whose next try is due: one that is back must not wait for the next round.
    async fn visit_overdue(&self) {
        let now = self.now();
        let due = |peer: &Identity| self.board.view(peer, now).next_try.is_some_and(|next_try| next_try <= now);
        let peers: Vec<Identity> =
            self.trust().state().peers().map(|peer| peer.file.node.clone()).filter(due).collect();
        join_all(peers.iter().map(|peer| self.visit(peer))).await;
    }

    /// Asks every peer once, all at the same time.
    pub async fn round(&self) {
        let own = self.federation.own_identity();
        let peers: Vec<Identity> =
            self.trust().state().peers().map(|peer| peer.file.node.clone()).filter(|node| *node != own).collect();
        join_all(peers.iter().map(|peer| self.visit(peer))).await;
        self.seen.lock().retain(|seen, _| peers.contains(seen));
    }

    fn trust(&self) -> &Arc<Trust> {
        self.federation.trust()
    }

    fn now(&self) -> Timestamp {
        self.trust().clock().now()
    }

    async fn visit(&self, peer: &Identity) {
        if !self.board.may_probe(peer, self.now()) {
            return;
        }
        let running_out = match self.trust().peer(peer) {
            // A revocation list that ran out closes the usual door just as a peer file does.
            Ok((listed, standing)) => {
                standing == Standing::StaleTrust
                    || listed.authorities.crl_next_update().is_none_or(|next_update| next_update <= self.now())
            }
            Err(Refusal::TrustExpired { .. }) => true,
            Err(_) => false,
        };
        if running_out {
            self.renew(peer).await;
        }
        let called = self.federation.get(peer, STATUS_PATH, &[], Instant::now() + DEADLINE, MAX_STATUS_BYTES).await;
        let (outcome, offers) = match called.and_then(Answer::success) {
            Ok(answer) => match Status::read(&answer.bytes) {
                Ok(status) => (self.note(peer, &status, answer.elapsed), status.peer_files),
                Err(reason) => (Some(Outcome::Incompatible { reason: format!("its status: {reason}") }), Vec::new()),
            },
            Err(error) => (error.outcome(), Vec::new()),
        };
        if let Some(outcome) = outcome {
            self.board.observe(peer, &outcome, Caller::Probe, self.now());
        }
        self.fetch_newer(peer, offers).await;
    }

    /// Keeps what a status said; the outcome is what it means for the peer's health.
    fn note(&self, peer: &Identity, status: &Status, elapsed: Duration) -> Option<Outcome> {
        if status.node != *peer {
            return Some(Outcome::Incompatible { reason: format!("its status says that it is {}", status.node) });
        }
        let now = self.now();
        let ahead = status.time.as_millisecond().saturating_sub(now.as_millisecond());
        if ahead.abs() > SKEW_MS {
            tracing::warn!(%peer, clock_ahead_ms = ahead, "the peer's clock and ours differ: one of them is wrong");
        }
        let sighting = Sighting {
            at: now,
            version: status.version.clone(),
            clock_ahead_ms: ahead,
            position: status.position,
            index_age_ms: status.index_age_ms,
        };
        self.seen.lock().insert(peer.clone(), sighting);
        Some(if status.analyser == self.analyser {
            Outcome::Answered { elapsed }
        } else {
            Outcome::Incompatible {
                reason: format!("its index has terms of analyser {}, this one of {}", status.analyser, self.analyser),
            }
        })
    }

    /// Asks a peer whose file ran out for its newest one.
    async fn renew(&self, peer: &Identity) {
        match self.federation.fetch_peer_file(peer, PEER_FILE_PATH, Instant::now() + DEADLINE).await {
            Ok(jws) => self.offer(peer, jws).await,
            Err(error) => tracing::debug!(%peer, %error, "no newer peer file"),
        }
    }

    /// Fetches those of the offered peer files that are newer than ours, of domains whose key we have pinned.
    async fn fetch_newer(&self, peer: &Identity, offers: Vec<PeerFileOffer>) {
        let newer = |offer: &PeerFileOffer| {
            let state = self.trust().state();
            state.peer(&offer.domain).is_some_and(|ours| ours.file.sequence < offer.sequence)
        };
        let domains: Vec<TrustDomain> =
            offers.into_iter().filter(newer).map(|offer| offer.domain).take(FILES_A_ROUND).collect();
        for domain in domains {
            let path = format!("{PEER_FILE_PATH}?domain={domain}");
            let deadline = Instant::now() + DEADLINE;
            let fetched = self.federation.get(peer, &path, &[], deadline, peer_file::MAX_BYTES).await;
            let text = fetched.and_then(|answer| {
                let bytes = answer.success()?.bytes;
                String::from_utf8(bytes.to_vec()).map_err(|_| CallError::BrokenAnswer("it is not UTF-8".to_owned()))
            });
            match text {
                Ok(jws) => self.offer(peer, jws).await,
                Err(error) => tracing::debug!(%peer, %domain, %error, "the offered peer file was not to be had"),
            }
        }
    }

    async fn offer(&self, peer: &Identity, jws: String) {
        let trust = Arc::clone(self.trust());
        // It writes the accepted file to the disk.
        match tokio::task::spawn_blocking(move || trust.offer(&jws)).await {
            Ok(Offered::Refused(reason)) => tracing::warn!(%peer, %reason, "a peer file that was offered is refused"),
            Ok(Offered::Accepted { .. } | Offered::Older) | Err(_) => {}
        }
    }
}
