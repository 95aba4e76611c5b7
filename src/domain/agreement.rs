//! The immutable result of a request: who may have which bytes, for what, until when; and what follows from it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::{DatasetId, Digest, Identity, OpaqueId, Revision};
use super::manifest::ShardName;
use super::policy::{IntendedUse, Policy};

/// An agreement between an owner and a holder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    /// Its id.
    pub id: OpaqueId,
    /// The request it answers.
    pub request: OpaqueId,
    /// The dataset.
    pub dataset: DatasetId,
    /// The revision agreed on.
    pub revision: Revision,
    /// The digest of the manifest agreed on: which bytes.
    pub manifest: Digest,
    /// Whose dataset it is.
    pub owner: Identity,
    /// Who may have it.
    pub holder: Identity,
    /// The policy as it stood.
    pub policy: Policy,
    /// What it was asked for.
    pub intended: IntendedUse,
    /// From when.
    pub concluded: Timestamp,
    /// Until when.
    pub expires: Timestamp,
    /// Ended before its time, where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
}

/// Why an agreement ended before its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

impl Agreement {
    /// Whether it holds at this moment.
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.ended.is_none() && self.concluded <= now && now < self.expires
    }
}

/// The right to pull shards under an agreement, for one certificate, for minutes: the row behind a grant's random id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantRow {
    /// The random id the holder shows.
    pub id: OpaqueId,
    /// Under which agreement.
    pub agreement: OpaqueId,
    /// To whom.
    pub holder: Identity,
    /// The SHA-256 fingerprint of the certificate it was asked for with.
    pub certificate: Digest,
    /// Since when.
    pub issued: Timestamp,
    /// Until when.
    pub expires: Timestamp,
}

/// A release of a shard, opened and closed in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// The id of this release.
    pub id: OpaqueId,
    /// Under which grant.
    pub grant: OpaqueId,
    /// Under which agreement.
    pub agreement: OpaqueId,
    /// The shard.
    pub shard: ShardName,
    /// First byte and one past the last.
    pub range: (u64, u64),
}

/// How a release ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseEnd {
    /// Which one.
    pub id: OpaqueId,
    /// Bytes handed to the connection.
    pub bytes: u64,
    /// `complete`, `broken_off`, `revoked` or `crashed` (found open after a crash; the bytes are the last known).
    pub outcome: String,
}

/// What the holder keeps: which bytes it got, under which agreement, when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Its id.
    pub id: OpaqueId,
    /// Under which agreement.
    pub agreement: OpaqueId,
    /// The dataset and its revision.
    pub dataset: DatasetId,
    /// The revision.
    pub revision: Revision,
    /// The manifest.
    pub manifest: Digest,
    /// Every shard with its digest.
    pub shards: Vec<(ShardName, Digest)>,
    /// When the last byte was verified.
    pub completed: Timestamp,
}
