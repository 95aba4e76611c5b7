//! The trust list at work: which peers are believed at this moment, and why the others are not.
//!
//! [`Trust`] reads a folder of peer files, keeps the newest valid one of each pinned domain, and swaps its
//! [`TrustState`] whole when a file changes, so a handshake sees the old list or the new one and nothing between. A file
//! that is broken, older than one already accepted, or by another key changes nothing but its own report. What was
//! accepted is kept in `accepted/`, which is also how the highest number survives a restart.
//!
//! A peer file that ran out is *stale*: the domain stays reachable for search during the grace, and for nothing else
//! ([`Standing::StaleTrust`]); after it the domain is refused.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

use super::folder::{Stamp, TrustFolder};
use super::identity::Presented;
use super::peer_file::{Peer, PeerFile, PeerFileError};
use super::pins::Pins;
pub use super::standing::{Refusal, Standing};
use super::verify::{PathError, Usage};
use crate::clock::Clock;
use crate::domain::ids::{Digest, Identity, IdentityKind, TrustDomain};
use crate::keys::{KeyFileError, PublicKey, files};

/// How long the search of a peer goes on after its file ran out, unless the configuration says otherwise.
pub const DEFAULT_GRACE: SignedDuration = SignedDuration::from_hours(72);
/// How far another node's clock may be ahead of ours.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(10);

/// What became of one file of the trust folder, or of one pinned domain without a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileReport {
    /// The file's name.
    pub file: String,
    /// The pinned domain it speaks about, where that is known.
    pub domain: Option<TrustDomain>,
    /// Why it is not in use; `None` when it is.
    pub refused: Option<PeerFileError>,
}

/// How a pinned domain stands, for the federation page and the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerReport {
    /// The domain.
    pub domain: TrustDomain,
    /// The accepted peer file, if there is one.
    pub file: Option<PeerFile>,
    /// How far the domain is trusted, or why it is not.
    pub standing: Result<Standing, Refusal>,
    /// When the first of its revocation lists runs out.
    pub crl_next_update: Option<Timestamp>,
    /// Files about this domain that were refused, with the reason.
    pub refused: Vec<FileReport>,
}

/// One reading of the trust folder.
#[derive(Debug)]
pub struct TrustState {
    /// Grows with each reading that changed something.
    pub generation: u64,
    peers: BTreeMap<TrustDomain, Arc<Peer>>,
    pins: Pins,
    denied: BTreeSet<Digest>,
    files: Vec<FileReport>,
    problems: Vec<String>,
}

impl TrustState {
    /// The accepted peer of a domain.
    pub fn peer(&self, domain: &TrustDomain) -> Option<&Arc<Peer>> {
        self.peers.get(domain)
    }

    /// All accepted peers, our own domain among them if its file is in the folder.
    pub fn peers(&self) -> impl Iterator<Item = &Arc<Peer>> {
        self.peers.values()
    }

    /// What became of each file.
    pub fn files(&self) -> &[FileReport] {
        &self.files
    }

    /// What is wrong with the folder itself: unreadable pins, an unreadable deny list.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }
}

/// What became of a peer file that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Offered {
    /// It is newer and now in use.
    Accepted {
        /// The domain it speaks for.
        domain: TrustDomain,
        /// Its number.
        sequence: u64,
    },
    /// It is the one in use, or an older one.
    Older,
    /// It is refused.
    Refused(PeerFileError),
}

/// Why the trust list could not be opened or written.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// One of its files.
    #[error(transparent)]
    File(#[from] KeyFileError),
}

/// The trust list of one node or participant.
#[derive(Debug)]
pub struct Trust {
    folder: TrustFolder,
    own: Option<(TrustDomain, PublicKey)>,
    grace: SignedDuration,
    clock: Arc<dyn Clock>,
    state: ArcSwap<TrustState>,
    /// What the folder looked like when it was read; also keeps two readings apart.
    stamp: Mutex<Option<Stamp>>,
}

impl Trust {
    /// Opens the trust list in `folder`. `own` is a node's own domain and list key, which needs no pin.
    pub fn open(
        folder: impl Into<PathBuf>,
        own: Option<(TrustDomain, PublicKey)>,
        grace: SignedDuration,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>, TrustError> {
        let folder = TrustFolder::new(folder.into());
        // At start a broken pin list is an error; later it only leaves the old one in force.
        Pins::read(&folder.pins())?;
        let empty = TrustState {
            generation: 0,
            peers: BTreeMap::new(),
            pins: Pins::default(),
            denied: BTreeSet::new(),
            files: Vec::new(),
            problems: Vec::new(),
        };
        let trust = Self { folder, own, grace, clock, state: ArcSwap::from_pointee(empty), stamp: Mutex::new(None) };
        trust.reload();
        Ok(Arc::new(trust))
    }

    /// The list as it was last read.
    pub fn state(&self) -> Arc<TrustState> {
        self.state.load_full()
    }

    /// The clock by which the list is judged.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Reads the folder again if it changed; says whether it did.
    pub fn reload(&self) -> bool {
        let mut stamp = self.stamp.lock();
        if stamp.as_ref() == Some(&self.folder.stamp()) {
            return false;
        }
        self.reload_now(&mut stamp);
        true
    }

    fn reload_now(&self, stamp: &mut Option<Stamp>) {
        let previous = self.state.load_full();
        let next = self.read(&previous);
        for report in &next.files {
            if let Some(reason) = &report.refused
                && !previous.files.contains(report)
            {
                tracing::warn!(file = report.file, %reason, "a peer file is refused");
            }
        }
        for problem in &next.problems {
            if !previous.problems.contains(problem) {
                tracing::warn!(problem, "the trust folder is not in order");
            }
        }
        self.state.store(Arc::new(next));
        // Reading may have written to `accepted/`, which is not a change to read again.
        *stamp = Some(self.folder.stamp());
    }

    /// Reads the folder again whenever it changed, looking once in every `period`, until the task is dropped.
    pub async fn watch(self: Arc<Self>, period: Duration) {
        let mut ticks = tokio::time::interval(period);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let trust = Arc::clone(&self);
            if tokio::task::spawn_blocking(move || trust.reload()).await.is_err() {
                return;
            }
        }
    }

    /// Takes a peer file that arrived from somewhere, on the same terms as one in the folder.
    pub fn offer(&self, jws: &str) -> Offered {
        if jws.len() as u64 > super::peer_file::MAX_BYTES {
            return Offered::Refused(PeerFileError::Unreadable("it is over 1 MiB".to_owned()));
        }
        let mut stamp = self.stamp.lock();
        let state = self.state.load_full();
        let peer = match PeerFile::read(jws, |key_id| state.pins.find(key_id)) {
            Ok(peer) => peer,
            Err(refused) => return Offered::Refused(refused),
        };
        let (domain, sequence) = (peer.file.node.domain().clone(), peer.file.sequence);
        if let Some(accepted) = state.peer(&domain) {
            if sequence == accepted.file.sequence && peer.digest != accepted.digest {
                return Offered::Refused(PeerFileError::Equivocates(sequence));
            }
            if sequence <= accepted.file.sequence {
                return Offered::Older;
            }
        }
        if let Err(error) = self.folder.keep(&peer) {
            return Offered::Refused(PeerFileError::Unreadable(error.to_string()));
        }
        self.reload_now(&mut stamp);
        tracing::info!(%domain, sequence, "a newer peer file is in use");
        Offered::Accepted { domain, sequence }
    }

    /// How far a domain may be trusted at this moment.
    pub fn standing(&self, domain: &TrustDomain) -> Result<Standing, Refusal> {
        let state = self.state.load();
        let peer = state.peer(domain).ok_or_else(|| Refusal::UnknownDomain(domain.clone()))?;
        self.standing_of(&peer.file, self.clock.now())
    }

    /// Whether peers can trust this node at this moment: its own peer file is in the folder and valid, and so is the
    /// revocation list in it. A participant has neither and is always ready.
    pub fn readiness(&self) -> Result<(), Refusal> {
        let Some((domain, _)) = &self.own else { return Ok(()) };
        let (now, state) = (self.clock.now(), self.state.load());
        let own = state.peer(domain).ok_or_else(|| Refusal::UnknownDomain(domain.clone()))?;
        let next_update = own.file.next_update;
        if self.standing_of(&own.file, now)? == Standing::StaleTrust {
            return Err(Refusal::TrustExpired { domain: domain.clone(), next_update });
        }
        let reason = match own.authorities.crl_next_update() {
            None => PathError::NoRevocationList,
            Some(end) if now >= end => PathError::StaleRevocationList(end),
            Some(_) => return Ok(()),
        };
        Err(Refusal::Certificate { identity: own.file.node.clone(), reason })
    }

    /// The accepted peer file of a node, if it may be trusted at all at this moment.
    pub fn peer(&self, node: &Identity) -> Result<(Arc<Peer>, Standing), Refusal> {
        let state = self.state.load();
        let peer = state.peer(node.domain()).ok_or_else(|| Refusal::UnknownDomain(node.domain().clone()))?;
        if peer.file.node != *node {
            return Err(Refusal::OtherNode { found: node.clone(), listed: peer.file.node.clone() });
        }
        let standing = self.standing_of(&peer.file, self.clock.now())?;
        Ok((Arc::clone(peer), standing))
    }

    /// Judges a presented certificate in a handshake: its name chooses the domain, and only that domain's CAs,
    /// revocation lists and deny list are asked.
    pub fn check(&self, presented: &Presented, usage: Usage, now: Timestamp) -> Result<Standing, Refusal> {
        let state = self.state.load();
        let (peer, standing) = self.check_name(&state, presented, now)?;
        peer.authorities
            .verify(presented.der(), usage, now)
            .map_err(|reason| Refusal::Certificate { identity: presented.identity.clone(), reason })?;
        presented.remember_verified_under(state.generation);
        Ok(standing)
    }

    /// Judges the certificate of a connection again, at each request: a connection outlives the trust, the revocation
    /// list and the certificate with which it began. Cheap while the trust list has not changed.
    pub fn check_again(&self, presented: &Presented) -> Result<Standing, Refusal> {
        let now = self.clock.now();
        let state = self.state.load();
        let (peer, standing) = self.check_name(&state, presented, now)?;
        let refuse = |reason| Refusal::Certificate { identity: presented.identity.clone(), reason };
        if now > presented.not_after {
            return Err(refuse(PathError::Expired));
        }
        peer.authorities.check_revocation(&presented.serial, now).map_err(refuse)?;
        if !presented.was_verified_under(state.generation) {
            peer.authorities.verify(presented.der(), Usage::Client, now).map_err(refuse)?;
            presented.remember_verified_under(state.generation);
        }
        Ok(standing)
    }

    /// As [`Trust::check`] for a server, but with trust and revocation lists that ran out: only to fetch a newer peer
    /// file, which carries its own signature.
    pub fn check_for_refresh(&self, presented: &Presented, now: Timestamp) -> Result<(), Refusal> {
        let state = self.state.load();
        let peer = self.check_listed(&state, presented)?;
        peer.authorities
            .verify_for_refresh(presented.der(), Usage::Server, now)
            .map_err(|reason| Refusal::Certificate { identity: presented.identity.clone(), reason })
    }

    /// How each pinned domain stands at this moment.
    pub fn report(&self) -> Vec<PeerReport> {
        let now = self.clock.now();
        let state = self.state.load();
        let own = self.own.iter().map(|(domain, _)| domain);
        let domains: BTreeSet<&TrustDomain> = state.pins.iter().map(|(domain, _)| domain).chain(own).collect();
        domains
            .into_iter()
            .map(|domain| {
                let peer = state.peer(domain);
                PeerReport {
                    domain: domain.clone(),
                    file: peer.map(|peer| peer.file.clone()),
                    standing: match peer {
                        Some(peer) => self.standing_of(&peer.file, now),
                        None => Err(Refusal::UnknownDomain(domain.clone())),
                    },
                    crl_next_update: peer.and_then(|peer| peer.authorities.crl_next_update()),
                    refused: state
                        .files
                        .iter()
                        .filter(|report| report.domain.as_ref() == Some(domain))
                        // A copied file that a newer one overtook is in order; it stays among `files`.
                        .filter(|report| !matches!(report.refused, None | Some(PeerFileError::RolledBack { .. })))
                        .cloned()
                        .collect(),
                }
            })
            .collect()
    }

    fn check_name<'s>(
        &self,
        state: &'s TrustState,
        presented: &Presented,
        now: Timestamp,
    ) -> Result<(&'s Arc<Peer>, Standing), Refusal> {
        let peer = self.check_listed(state, presented)?;
        let standing = self.standing_of(&peer.file, now)?;
        Ok((peer, standing))
    }

    fn check_listed<'s>(&self, state: &'s TrustState, presented: &Presented) -> Result<&'s Arc<Peer>, Refusal> {
        let identity = &presented.identity;
        let peer = state.peer(identity.domain()).ok_or_else(|| Refusal::UnknownDomain(identity.domain().clone()))?;
        if identity.kind() == IdentityKind::Node && *identity != peer.file.node {
            return Err(Refusal::OtherNode { found: identity.clone(), listed: peer.file.node.clone() });
        }
        if state.denied.contains(&presented.fingerprint) || peer.file.revoked.contains(&presented.fingerprint) {
            return Err(Refusal::Denied(presented.fingerprint));
        }
        Ok(peer)
    }

    fn standing_of(&self, file: &PeerFile, now: Timestamp) -> Result<Standing, Refusal> {
        let domain = || file.node.domain().clone();
        if file.issued.duration_since(now) > CLOCK_SKEW {
            return Err(Refusal::TrustNotYetValid { domain: domain(), issued: file.issued });
        }
        if now < file.next_update {
            Ok(Standing::Valid)
        } else if now.duration_since(file.next_update) < self.grace {
            Ok(Standing::StaleTrust)
        } else {
            Err(Refusal::TrustExpired { domain: domain(), next_update: file.next_update })
        }
    }

    fn read(&self, previous: &TrustState) -> TrustState {
        let mut problems = Vec::new();
        let mut pins = Pins::read(&self.folder.pins()).unwrap_or_else(|error| {
            problems.push(format!("{error}; the earlier pins stay in force"));
            previous.pins.clone()
        });
        if let Some((domain, key)) = &self.own {
            pins.pin(domain.clone(), vec![*key]);
        }
        let denied = read_denied(&self.folder.denied()).unwrap_or_else(|error| {
            problems.push(format!("{error}; the earlier deny list stays in force"));
            previous.denied.clone()
        });
        // What was accepted before stays the floor, as long as its key is still pinned.
        let mut peers: BTreeMap<TrustDomain, Arc<Peer>> = previous
            .peers
            .iter()
            .filter(|(domain, peer)| pins.holds(domain, &peer.key))
            .map(|(domain, peer)| (domain.clone(), Arc::clone(peer)))
            .collect();
        let mut files = Vec::new();
        let candidates = self.folder.candidates().unwrap_or_else(|error| {
            problems.push(format!("{error}; the earlier peer files stay in force"));
            Vec::new()
        });
        for candidate in candidates {
            let mut domain = None;
            let accepted = candidate.text.map_err(PeerFileError::Unreadable).and_then(|text| {
                let peer = PeerFile::read(&text, |key_id| {
                    let found = pins.find(key_id);
                    domain = found.map(|(domain, _)| domain.clone());
                    found
                })?;
                supersede(&mut peers, peer)
            });
            if let Ok(Some(peer)) = &accepted
                && !candidate.kept
                && let Err(error) = self.folder.keep(peer)
            {
                problems.push(format!("{error}; after a restart an older peer file might be accepted"));
            }
            files.push(FileReport { file: candidate.name, domain, refused: accepted.err() });
        }
        TrustState { generation: previous.generation + 1, peers, pins, denied, files, problems }
    }
}

/// Puts a peer file in force unless a newer one is; gives it back when it is new.
fn supersede(peers: &mut BTreeMap<TrustDomain, Arc<Peer>>, peer: Peer) -> Result<Option<Arc<Peer>>, PeerFileError> {
    let domain = peer.file.node.domain().clone();
    if let Some(accepted) = peers.get(&domain) {
        let (found, accepted_number) = (peer.file.sequence, accepted.file.sequence);
        if peer.digest == accepted.digest {
            return Ok(None);
        }
        if found == accepted_number {
            return Err(PeerFileError::Equivocates(found));
        }
        if found < accepted_number {
            return Err(PeerFileError::RolledBack { found, accepted: accepted_number });
        }
    }
    let peer = Arc::new(peer);
    peers.insert(domain, Arc::clone(&peer));
    Ok(Some(peer))
}

/// Reads the local deny list: one fingerprint a line, `#` begins a comment.
fn read_denied(path: &Path) -> Result<BTreeSet<Digest>, KeyFileError> {
    let malformed = |reason: String| KeyFileError::Malformed { path: path.to_owned(), reason };
    let bytes = match files::read(path, 1 << 20) {
        Err(KeyFileError::Missing { .. }) => return Ok(BTreeSet::new()),
        other => other?,
    };
    let text = String::from_utf8(bytes).map_err(|_| malformed("it is not UTF-8".to_owned()))?;
    text.lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim())
        .filter(|line| !line.is_empty())
        .map(|line| line.parse().map_err(|error: crate::domain::ids::InvalidName| malformed(error.to_string())))
        .collect()
}
