//! The list keys that a steward pinned by hand: the root of all trust in other domains.
//!
//! `pins.toml` is short and meant to be read aloud over a telephone:
//!
//! ```toml
//! [pins]
//! "de.pleiad.example" = "ed25519:…"
//! "se.pleiad.example" = ["ed25519:…", "ed25519:…"] # while the key is being replaced
//! ```

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::domain::ids::TrustDomain;
use crate::keys::{KeyFileError, PublicKey, files};

/// Pinned list keys by domain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pins(BTreeMap<TrustDomain, Vec<PublicKey>>);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    pins: BTreeMap<TrustDomain, OneOrMore>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl Pins {
    /// Reads the file; one that is not there holds no pins.
    pub fn read(path: &Path) -> Result<Self, KeyFileError> {
        let malformed = |reason: String| KeyFileError::Malformed { path: path.to_owned(), reason };
        let bytes = match files::read(path, 1 << 20) {
            Err(KeyFileError::Missing { .. }) => return Ok(Self::default()),
            other => other?,
        };
        let text = String::from_utf8(bytes).map_err(|_| malformed("it is not UTF-8".to_owned()))?;
        let written: Written = toml::from_str(&text).map_err(|error| malformed(error.to_string()))?;
        let mut pins = BTreeMap::new();
        for (domain, keys) in written.pins {
            let keys = match keys {
                OneOrMore::One(key) => vec![key],
                OneOrMore::More(keys) => keys,
            };
            let keys: Vec<PublicKey> = keys
                .iter()
                .map(|key| key.parse().map_err(|error| malformed(format!("{domain}: {error}"))))
                .collect::<Result<_, _>>()?;
            pins.insert(domain, keys);
        }
        Ok(Self(pins))
    }

    /// Writes the file, all or nothing.
    pub fn write(&self, path: &Path) -> Result<(), KeyFileError> {
        let pins = self
            .0
            .iter()
            .map(|(domain, keys)| {
                let keys = match keys[..] {
                    [key] => OneOrMore::One(key.to_string()),
                    _ => OneOrMore::More(keys.iter().map(PublicKey::to_string).collect()),
                };
                (domain.clone(), keys)
            })
            .collect();
        let text = toml::to_string(&Written { pins })
            .map_err(|error| KeyFileError::Malformed { path: path.to_owned(), reason: error.to_string() })?;
        let head = "# The list keys of the nodes that this node trusts, each compared by hand with its owner.\n";
        files::replace(path, format!("{head}{text}").as_bytes(), files::PUBLIC)
    }

    /// Pins these keys for a domain, in place of what was pinned before.
    pub fn pin(&mut self, domain: TrustDomain, keys: Vec<PublicKey>) {
        self.0.insert(domain, keys);
    }

    /// Forgets a domain; says whether it was pinned.
    pub fn unpin(&mut self, domain: &TrustDomain) -> bool {
        self.0.remove(domain).is_some()
    }

    /// The pinned domains with their keys, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&TrustDomain, &[PublicKey])> {
        self.0.iter().map(|(domain, keys)| (domain, keys.as_slice()))
    }

    /// The pinned key with that key id, and the domain it may speak for.
    pub fn find(&self, key_id: &str) -> Option<(&TrustDomain, &PublicKey)> {
        self.0.iter().find_map(|(domain, keys)| keys.iter().find(|key| key.key_id() == key_id).map(|key| (domain, key)))
    }

    /// Whether this key is pinned for this domain.
    pub fn holds(&self, domain: &TrustDomain, key: &PublicKey) -> bool {
        self.0.get(domain).is_some_and(|keys| keys.contains(key))
    }
}
