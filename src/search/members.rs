//! Who is in the federation and how each is doing, as [`Search`] knows it: for the page, the API and the command line.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;

use super::Search;
use crate::domain::ids::{Country, Identity, TrustDomain};
use crate::peers::health::{PeerState, View};
use crate::peers::probe::Sighting;
use crate::peers::trust::{PeerReport, Standing};

/// A member of the federation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MemberView {
    /// Its domain, whose list key is pinned here.
    pub domain: TrustDomain,
    /// Whether it is this node.
    pub own: bool,
    /// What its peer file says; none when no file of it was accepted yet.
    pub peer_file: Option<PeerFileView>,
    /// How far it is trusted: `valid`, `stale_trust` or `refused`.
    pub trust: &'static str,
    /// Why it is not trusted, or which of its files are refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
    /// How its calls go; none for this node and where there is no peer file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health: Option<HealthView>,
}

/// What a peer file says, as far as it is of use to a reader.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PeerFileView {
    /// The node.
    pub node: Identity,
    /// Its name, for people.
    pub name: String,
    /// The countries it may speak for.
    pub countries: BTreeSet<Country>,
    /// The number of the file.
    pub number: u64,
    /// When a newer one is due.
    pub expires: Timestamp,
    /// When the first of its revocation lists runs out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revocation_expires: Option<Timestamp>,
}

/// How calls to a peer go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HealthView {
    /// In one word.
    pub state: PeerState,
    /// Whether questions skip it for now.
    pub circuit_open: bool,
    /// The rest.
    #[serde(flatten)]
    pub view: Seen,
    /// What it last said about itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_probe: Option<Sighting>,
}

/// What was seen of its calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// Since when it is in this state.
    pub since: Option<Timestamp>,
    /// When it is tried next, while questions skip it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_try: Option<Timestamp>,
    /// When it last answered.
    pub last_answer: Option<Timestamp>,
    /// How long its answers take, smoothed, in milliseconds.
    pub latency_ms: Option<u64>,
    /// What the last failure said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

impl Search {
    /// Every domain whose list key is pinned here, this node's own among them.
    pub fn federation(&self) -> Vec<MemberView> {
        let seen = self.probe.seen();
        let now = self.clock.now();
        let view = |report: PeerReport| {
            let own = report.domain == *self.local.node().domain();
            let health = report.file.as_ref().filter(|_| !own).map(|file| {
                let View { state, since, next_try, last_answer, latency_ms, problem } =
                    self.board.view(&file.node, now);
                HealthView {
                    state,
                    circuit_open: next_try.is_some(),
                    view: Seen { since, next_try, last_answer, latency_ms, problem },
                    last_probe: seen.get(&file.node).cloned(),
                }
            });
            let trust = match &report.standing {
                Ok(Standing::Valid) => "valid",
                Ok(Standing::StaleTrust) => "stale_trust",
                Err(_) => "refused",
            };
            let refused =
                report.refused.iter().filter_map(|file| Some(format!("{}: {}", file.file, file.refused.as_ref()?)));
            let problems = report.standing.as_ref().err().map(ToString::to_string).into_iter().chain(refused).collect();
            let peer_file = report.file.map(|file| PeerFileView {
                node: file.node,
                name: file.name,
                countries: file.countries,
                number: file.sequence,
                expires: file.next_update,
                revocation_expires: report.crl_next_update,
            });
            MemberView { domain: report.domain, own, peer_file, trust, problems, health }
        };
        self.federation.trust().report().into_iter().map(view).collect()
    }
}
