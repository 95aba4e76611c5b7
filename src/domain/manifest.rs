//! Which bytes a dataset consists of: the ordered, versioned list of shards with size and digests.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::bounds;
use super::ids::{Digest, InvalidName};

/// The size of the chunks whose digests let a fetch resume and verify part of a shard: 8 MiB.
pub const CHUNK_SIZE: u64 = 8 * 1024 * 1024;

/// The shards of one distribution, by name, so that no name can stand twice. Its digest pins an agreement to the bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The number of this version, from 1.
    #[serde(deserialize_with = "bounds::ordinal")]
    pub version: u32,
    /// The shards in the order of their names.
    #[serde(deserialize_with = "shards")]
    pub shards: BTreeMap<ShardName, Shard>,
}

fn shards<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<ShardName, Shard>, D::Error> {
    let shards = BTreeMap::deserialize(from)?;
    if shards.len() <= bounds::SHARDS {
        Ok(shards)
    } else {
        Err(D::Error::custom(format_args!("a manifest has at most {} shards", bounds::SHARDS)))
    }
}

/// One file of a distribution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shard {
    /// Its size in bytes.
    #[serde(deserialize_with = "bounds::count")]
    pub bytes: u64,
    /// The digest of the whole file.
    pub sha256: Digest,
    /// The digests of its chunks of [`CHUNK_SIZE`] bytes, in order; may be left out for a shard of one chunk.
    #[serde(
        deserialize_with = "bounds::list::<_, _, { bounds::CHUNKS }>",
        default,
        skip_serializing_if = "Vec::is_empty"
    )]
    pub chunks: Vec<Digest>,
    /// Rows in it, where that is known.
    #[serde(deserialize_with = "bounds::some_count", default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// The split it belongs to, such as `train`.
    #[serde(deserialize_with = "bounds::some_line", default, skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
}

impl Manifest {
    /// All bytes together.
    pub fn total_bytes(&self) -> u64 {
        self.shards.values().fold(0, |sum, shard| sum.saturating_add(shard.bytes))
    }

    /// The digest of the manifest itself, over its canonical JSON (keys in order, no white space).
    pub fn digest(&self) -> Digest {
        Digest::of(&serde_json::to_vec(self).expect("a manifest is plain data and always serialises"))
    }
}

/// The name of a shard: a file name, never a path. It is an identifier on the wire and never reaches a file system unchecked.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ShardName(String);

impl ShardName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for ShardName {
    type Err = InvalidName;
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let valid = (1..=200).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
            && !text.starts_with('.');
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidName {
                kind: "shard name",
                found: text.chars().take(80).collect(),
                allowed: "1 to 200 of A-Z, a-z, 0-9, '.', '_', '-', not beginning with '.'",
            })
        }
    }
}

impl TryFrom<String> for ShardName {
    type Error = InvalidName;
    fn try_from(text: String) -> Result<Self, InvalidName> {
        text.parse()
    }
}

impl From<ShardName> for String {
    fn from(name: ShardName) -> String {
        name.0
    }
}

impl std::fmt::Display for ShardName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
