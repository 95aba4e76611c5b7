//! What can be shown to an outsider about the log: that an entry is in it, and that it only ever grew.
//!
//! A proof holds everything but the trust: whoever checks it takes the root from a [`Checkpoint`](super::checkpoint) whose
//! signature he verified himself.

use serde::{Deserialize, Serialize};

use super::ids::{Digest, Seq};
use super::merkle::{self, Hash};

/// What stays of an entry for ever, and what its leaf is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Its position.
    pub seq: Seq,
    /// When.
    pub ts: String,
    /// Who, by role.
    pub actor: String,
    /// The kind of event.
    pub kind: String,
    /// What it is about.
    pub subject: String,
    /// The commitment to its content: HMAC-SHA-256 of the content's JSON under a salt of 32 random bytes.
    pub c: Digest,
}

impl Header {
    /// The bytes that the leaf is made of: JSON with the keys `seq`, `ts`, `actor`, `kind`, `subject`, `c` in this order,
    /// without white space, `seq` a number, `c` in lower-case hexadecimal.
    pub fn canonical(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a header is plain text and always serialises")
    }

    /// Its leaf in the tree.
    pub fn leaf(&self) -> Hash {
        merkle::leaf_hash(&self.canonical())
    }
}

/// That an entry is in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InclusionProof {
    /// The entry's header.
    pub header: Header,
    /// Its place in the tree, from 0: one below its position.
    pub index: u64,
    /// The size of the log that it is shown for.
    pub size: u64,
    /// The root of that log.
    pub root: Digest,
    /// The hashes that lead from the leaf to the root, lowest first.
    pub path: Vec<Digest>,
}

impl InclusionProof {
    /// Whether the proof holds. The root is still to be compared with a checkpoint.
    pub fn holds(&self) -> bool {
        self.header.seq.0 == self.index + 1
            && merkle::verify_inclusion(&self.header.leaf(), self.index, self.size, &self.root.0, &hashes(&self.path))
    }
}

/// That a log of one size is the beginning of the log of another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsistencyProof {
    /// The smaller size.
    pub old: u64,
    /// Its root.
    pub old_root: Digest,
    /// The larger size.
    pub new: u64,
    /// Its root.
    pub new_root: Digest,
    /// The hashes that both roots follow from.
    pub path: Vec<Digest>,
}

impl ConsistencyProof {
    /// Whether the proof holds. The roots are still to be compared with checkpoints.
    pub fn holds(&self) -> bool {
        merkle::verify_consistency(self.old, &self.old_root.0, self.new, &self.new_root.0, &hashes(&self.path))
    }
}

fn hashes(digests: &[Digest]) -> Vec<Hash> {
    digests.iter().map(|digest| digest.0).collect()
}
