//! One thing that happened. The log of events is the only truth of a node; everything else is a projection of it.
//!
//! A payload is stored as JSON under its `kind`; a reader of an older log meets only kinds and fields that this file
//! still knows, so a variant may gain optional fields and never loses one.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::agreement::{Agreement, Ended, GrantRow, Receipt, Release, ReleaseEnd};
use super::dataset::{Registered, Withdrawn};
use super::harvest::HarvestEnd;
use super::ids::{DatasetId, Digest, Identity, InvalidName, OpaqueId, Revision, Seq, TrustDomain};
use super::negotiation::{Request, RequestState};

/// An event to be appended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// Who did it: a role id, never a person's name.
    pub actor: Actor,
    /// What.
    pub what: What,
}

/// An event as the log has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its position.
    pub seq: Seq,
    /// The salted commitment to its content, which no other entry has: it tells two logs apart that are alike in
    /// everything else.
    pub commitment: Digest,
    /// The event.
    pub event: Event,
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Actor {
    /// The node itself: timers, probes, start-up.
    Node,
    /// The person at the machine, through the command line.
    Operator,
    /// A caller with an API token.
    Token {
        /// The token's id.
        token: OpaqueId,
    },
    /// A peer or participant, by its certificate.
    Certificate {
        /// Who.
        identity: Identity,
    },
}

const TOKEN_ACTOR: &str = "token:";

/// The actor in one word, as the log's column and its Merkle leaf have it: `node`, `operator`, `token:<id>` or a SPIFFE id.
impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node => f.write_str("node"),
            Self::Operator => f.write_str("operator"),
            Self::Token { token } => write!(f, "{TOKEN_ACTOR}{token}"),
            Self::Certificate { identity } => identity.fmt(f),
        }
    }
}

impl FromStr for Actor {
    type Err = InvalidName;
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        match text {
            "node" => Ok(Self::Node),
            "operator" => Ok(Self::Operator),
            _ => match text.strip_prefix(TOKEN_ACTOR) {
                Some(token) => Ok(Self::Token { token: token.parse()? }),
                None => Ok(Self::Certificate { identity: text.parse()? }),
            },
        }
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[allow(missing_docs)] // each field is the noun it names
pub enum What {
    /// The first event of every log.
    LogOpened { node: Identity, origin: String },
    /// A dataset was registered: its first revision.
    DatasetRegistered { record: Box<Registered> },
    /// A dataset got a further revision.
    DatasetRevised { record: Box<Registered> },
    /// A dataset was withdrawn; its id stays taken. A withdrawal is a change, so it makes a revision: `revision` is the
    /// number of that new one.
    DatasetWithdrawn { id: DatasetId, revision: Revision, withdrawn: Withdrawn },
    /// A request was made here (home node) or arrived here (owner's node).
    RequestMade { request: Box<Request> },
    /// A request changed its state.
    RequestMoved { request: OpaqueId, state: RequestState },
    /// An agreement was concluded (owner's node) or its copy arrived (home node).
    AgreementConcluded { agreement: Box<Agreement> },
    /// An agreement ended before its time.
    AgreementEnded { agreement: OpaqueId, ended: Ended },
    /// A grant was made.
    GrantIssued { grant: Box<GrantRow> },
    /// The release of a shard began.
    ReleaseOpened { release: Release },
    /// The release of a shard ended.
    ReleaseClosed { end: ReleaseEnd },
    /// A holder's receipt was kept.
    ReceiptKept { receipt: Box<Receipt> },
    /// A token was made.
    TokenMade { token: TokenRow },
    /// A token was revoked.
    TokenRevoked { token: OpaqueId },
    /// A peer file was accepted.
    PeerFileAccepted { domain: TrustDomain, number: u64, digest: Digest },
    /// A certificate was revoked by this node's CA.
    CertificateRevoked { identity: Identity, fingerprint: Digest, reason: String },
    /// A run of a harvest began; no other of its source is open.
    HarvestBegun { run: OpaqueId, source: String, owner: Identity },
    /// A run of a harvest ended.
    HarvestEnded { run: OpaqueId, end: Box<HarvestEnd> },
    /// A harvest's schedule was stopped, or goes on.
    HarvestPaused { source: String, paused: bool },
}

/// An API token: what is kept of it. The secret itself is shown once and kept nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRow {
    /// Its id.
    pub id: OpaqueId,
    /// SHA-256 of the secret (the secret is 256 random bits, so a plain hash suffices).
    pub hash: Digest,
    /// What its bearer may do.
    pub role: Role,
    /// For which participant: the owner a steward acts for, the holder an operator acts for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub participant: Option<Identity>,
    /// What it is for, in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

/// What a caller may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Acts for an owner: registers, revises, withdraws, decides.
    Steward,
    /// Acts for a holder: requests, sees its agreements.
    Operator,
    /// Searches, and sees the private records that list its participant.
    Researcher,
    /// Runs the node: tokens, peers, audit.
    Administrator,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::Steward, Self::Operator, Self::Researcher, Self::Administrator];

    /// The role as the API and the command line spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Steward => "steward",
            Self::Operator => "operator",
            Self::Researcher => "researcher",
            Self::Administrator => "administrator",
        }
    }
}

impl What {
    /// The kind, as the log's column has it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::LogOpened { .. } => "log_opened",
            Self::DatasetRegistered { .. } => "dataset_registered",
            Self::DatasetRevised { .. } => "dataset_revised",
            Self::DatasetWithdrawn { .. } => "dataset_withdrawn",
            Self::RequestMade { .. } => "request_made",
            Self::RequestMoved { .. } => "request_moved",
            Self::AgreementConcluded { .. } => "agreement_concluded",
            Self::AgreementEnded { .. } => "agreement_ended",
            Self::GrantIssued { .. } => "grant_issued",
            Self::ReleaseOpened { .. } => "release_opened",
            Self::ReleaseClosed { .. } => "release_closed",
            Self::ReceiptKept { .. } => "receipt_kept",
            Self::TokenMade { .. } => "token_made",
            Self::TokenRevoked { .. } => "token_revoked",
            Self::PeerFileAccepted { .. } => "peer_file_accepted",
            Self::CertificateRevoked { .. } => "certificate_revoked",
            Self::HarvestBegun { .. } => "harvest_begun",
            Self::HarvestEnded { .. } => "harvest_ended",
            Self::HarvestPaused { .. } => "harvest_paused",
        }
    }

    /// What it is about: the id that a reader of the log filters by.
    pub fn subject(&self) -> String {
        match self {
            Self::LogOpened { origin, .. } => origin.clone(),
            Self::DatasetRegistered { record } | Self::DatasetRevised { record } => record.dataset.id.to_string(),
            Self::DatasetWithdrawn { id, .. } => id.to_string(),
            Self::RequestMade { request } => request.id.to_string(),
            Self::RequestMoved { request, .. } => request.to_string(),
            Self::AgreementConcluded { agreement } => agreement.id.to_string(),
            Self::AgreementEnded { agreement, .. } => agreement.to_string(),
            Self::GrantIssued { grant } => grant.agreement.to_string(),
            Self::ReleaseOpened { release } => release.agreement.to_string(),
            Self::ReleaseClosed { end } => end.id.to_string(),
            Self::ReceiptKept { receipt } => receipt.agreement.to_string(),
            Self::TokenMade { token } => token.id.to_string(),
            Self::TokenRevoked { token } => token.to_string(),
            Self::PeerFileAccepted { domain, .. } => domain.to_string(),
            Self::CertificateRevoked { identity, .. } => identity.to_string(),
            Self::HarvestBegun { run, .. } | Self::HarvestEnded { run, .. } => run.to_string(),
            Self::HarvestPaused { source, .. } => source.clone(),
        }
    }
}
