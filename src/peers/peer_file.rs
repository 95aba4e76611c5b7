//! What a node says about itself to its peers: one numbered, expiring, signed file.
//!
//! A peer file is a compact JWS by the node's own list key. It is accepted only under the key that was pinned by hand
//! for the domain it speaks about, so it may travel by any road: a copied file, the background probe, a mail.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use url::Url;

use super::verify::{Authorities, AuthoritiesError};
use crate::domain::ids::{Country, Digest, Identity, IdentityKind};
use crate::keys::jws::{self, JwsError};
use crate::keys::{PublicKey, Signer};

/// The `typ` of a peer file's header.
pub const TYPE: &str = "pleiad-peer+jws";
/// The largest peer file that is read, in bytes.
pub const MAX_BYTES: u64 = 1 << 20;
/// The longest that a peer file may be valid.
pub const MAX_LIFETIME: SignedDuration = SignedDuration::from_hours(31 * 24);

/// A node's own description, as its peers keep it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeerFile {
    /// Grows with every new file; a file with a smaller number than one already accepted is refused.
    pub sequence: u64,
    /// When it was signed.
    pub issued: Timestamp,
    /// When a newer one is due; from then on this one is stale.
    pub next_update: Timestamp,
    /// The node it describes, whose domain it speaks for.
    pub node: Identity,
    /// The node's name, for people.
    pub name: String,
    /// The countries whose datasets it may describe.
    pub countries: BTreeSet<Country>,
    /// The base addresses of its federation door, `https://host:port/`, the preferred one first.
    pub addresses: Vec<Url>,
    /// The DNS name in its certificate.
    pub server_name: String,
    /// Its CA certificates: base64 of DER.
    pub ca: Vec<Bytes64>,
    /// The revocation lists of these CAs: base64 of DER. Without one, no certificate of the domain is accepted.
    pub crls: Vec<Bytes64>,
    /// Fingerprints of certificates that must not be used any more, whatever the revocation lists say.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub revoked: BTreeSet<Digest>,
    /// The public keys with which it signs other things, by what they are for: `log`, `agreement`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub keys: BTreeMap<String, PublicKey>,
}

/// Bytes that are base64 in JSON.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Bytes64(pub Vec<u8>);

impl TryFrom<String> for Bytes64 {
    type Error = data_encoding::DecodeError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        data_encoding::BASE64.decode(text.as_bytes()).map(Self)
    }
}

impl From<Bytes64> for String {
    fn from(bytes: Bytes64) -> String {
        data_encoding::BASE64.encode(&bytes.0)
    }
}

impl fmt::Debug for Bytes64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes {}", self.0.len(), Digest::of(&self.0))
    }
}

impl AsRef<[u8]> for Bytes64 {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Why a peer file was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeerFileError {
    /// The signature or its header.
    #[error(transparent)]
    Jws(#[from] JwsError),
    /// The key that signed it is not pinned for any domain.
    #[error("its key {0} is not pinned; add it to pins.toml or run `pleiad peer pin`")]
    NotPinned(String),
    /// It is signed by the key pinned for one domain but speaks about another.
    #[error("it speaks about {found}, but its key is pinned for {pinned}")]
    OtherDomain {
        /// The domain it speaks about.
        found: String,
        /// The domain of the key.
        pinned: String,
    },
    /// The payload does not have the shape of a peer file.
    #[error("its content is refused: {0}")]
    Content(String),
    /// Its CA certificates or revocation lists.
    #[error(transparent)]
    Authorities(#[from] AuthoritiesError),
    /// A file with a higher number was already accepted.
    #[error("its number {found} is older than {accepted}, which was already accepted")]
    RolledBack {
        /// The number of this file.
        found: u64,
        /// The highest number accepted so far.
        accepted: u64,
    },
    /// Another file with the same number was already accepted.
    #[error("another file with the same number {0} was already accepted")]
    Equivocates(u64),
    /// The file could not be read.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
}

/// A peer file that was accepted: its content, its authorities ready to verify with, and the file as it arrived.
#[derive(Debug)]
pub struct Peer {
    /// What the file says.
    pub file: PeerFile,
    /// The CAs and revocation lists of its domain.
    pub authorities: Authorities,
    /// The digest of the signed text.
    pub digest: Digest,
    /// The list key that signed it.
    pub key: PublicKey,
    /// The signed text, as it may be passed on.
    pub jws: String,
}

impl PeerFile {
    /// Signs the file, after the same checks that its readers make.
    pub fn sign(&self, signer: &dyn Signer) -> Result<String, PeerFileError> {
        self.check()?;
        Authorities::read(&self.ca, &self.crls)?;
        let payload = serde_json::to_vec(self).map_err(|error| PeerFileError::Content(error.to_string()))?;
        Ok(jws::sign(signer, TYPE, &payload))
    }

    /// Reads a signed file. `pinned` gives the list key behind a key id, with the domain it may speak for.
    pub fn read<'k>(
        text: &str,
        pinned: impl FnOnce(&str) -> Option<(&'k crate::domain::ids::TrustDomain, &'k PublicKey)>,
    ) -> Result<Peer, PeerFileError> {
        let text = text.trim_ascii();
        let unverified = jws::parse(text, TYPE)?;
        let (domain, key) =
            pinned(unverified.key_id()).ok_or_else(|| PeerFileError::NotPinned(unverified.key_id().to_owned()))?;
        let payload = unverified.verify(key)?;
        let file: Self = serde_json::from_slice(&payload).map_err(|error| PeerFileError::Content(error.to_string()))?;
        if file.node.domain() != domain {
            return Err(PeerFileError::OtherDomain {
                found: file.node.domain().to_string(),
                pinned: domain.to_string(),
            });
        }
        file.check()?;
        let authorities = Authorities::read(&file.ca, &file.crls)?;
        Ok(Peer { authorities, digest: Digest::of(text.as_bytes()), key: *key, jws: text.to_owned(), file })
    }

    fn check(&self) -> Result<(), PeerFileError> {
        let refuse = |what: String| Err(PeerFileError::Content(what));
        if self.node.kind() != IdentityKind::Node {
            return refuse(format!("{} is not a node", self.node));
        }
        if self.name.trim().is_empty() || self.name.len() > 200 || self.name.chars().any(char::is_control) {
            return refuse("name must be 1 to 200 characters".to_owned());
        }
        if self.next_update <= self.issued {
            return refuse("next_update is not after issued".to_owned());
        }
        if self.next_update.duration_since(self.issued) > MAX_LIFETIME {
            return refuse("it is valid for more than 31 days".to_owned());
        }
        if self.countries.is_empty() {
            return refuse("it speaks for no country".to_owned());
        }
        if self.addresses.is_empty() || self.addresses.len() > 8 {
            return refuse("there must be 1 to 8 addresses".to_owned());
        }
        for address in &self.addresses {
            let plain = address.username().is_empty() && address.password().is_none();
            let bare = address.query().is_none() && address.fragment().is_none() && address.path().ends_with('/');
            if address.scheme() != "https" || address.host().is_none() || !plain || !bare {
                return refuse(format!("address {address} is not of the form https://host:port/"));
            }
        }
        Ok(())
    }
}
