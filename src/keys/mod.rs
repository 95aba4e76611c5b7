//! Named signers: a flow gets a `&dyn Signer`, never a key.
//!
//! A node signs three kinds of statement, each with a key of its own ([`SignerName`]): its peer file, the head of its
//! log, and its agreements. The keys are Ed25519, kept as PKCS#8 PEM files that only the node may read
//! ([`files`]); a [`Keyring`] opens them by name. Signed JSON travels as compact JWS ([`jws`]).

pub mod files;
pub mod jws;

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

pub use files::{KeyFileError, Modes};

/// Signs bytes with a key that its user never sees.
pub trait Signer: fmt::Debug + Send + Sync {
    /// The Ed25519 signature of `bytes`.
    fn sign(&self, bytes: &[u8]) -> [u8; 64];

    /// The key with which others check the signature.
    fn public_key(&self) -> PublicKey;

    /// The short name of the public key, as a JWS header carries it.
    fn key_id(&self) -> String {
        self.public_key().key_id()
    }
}

/// An Ed25519 public key; as text, `ed25519:` and the 32 bytes in base64url.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicKey([u8; 32]);

/// A text that is not a public key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{found:?} is not a public key: write ed25519: and 43 characters of base64url, as `pleiad keys show` prints it"
)]
pub struct InvalidPublicKey {
    /// What stood there, shortened to 80 characters.
    pub found: String,
}

impl PublicKey {
    /// The 32 bytes of the key.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether `signature` is this key's signature of `bytes`.
    pub fn verifies(&self, bytes: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0).verify(bytes, signature).is_ok()
    }

    /// The short name of the key: the first 16 bytes of its SHA-256 digest, in hexadecimal.
    pub fn key_id(&self) -> String {
        data_encoding::HEXLOWER.encode(&crate::domain::ids::Digest::of(&self.0).0[..16])
    }
}

const PUBLIC_KEY_PREFIX: &str = "ed25519:";

impl FromStr for PublicKey {
    type Err = InvalidPublicKey;
    fn from_str(text: &str) -> Result<Self, InvalidPublicKey> {
        text.strip_prefix(PUBLIC_KEY_PREFIX)
            .and_then(|rest| data_encoding::BASE64URL_NOPAD.decode(rest.as_bytes()).ok())
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or_else(|| InvalidPublicKey { found: text.chars().take(80).collect() })
    }
}

impl TryFrom<String> for PublicKey {
    type Error = InvalidPublicKey;
    fn try_from(text: String) -> Result<Self, InvalidPublicKey> {
        text.parse()
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> String {
        key.to_string()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PUBLIC_KEY_PREFIX}{}", data_encoding::BASE64URL_NOPAD.encode(&self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// What a key of a node is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignerName {
    /// Signs the node's peer file; every peer pins its public key by hand.
    List,
    /// Signs the head of the node's log.
    Log,
    /// Signs the node's copy of an agreement.
    Agreement,
}

impl SignerName {
    /// The name as files and peer files spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Log => "log",
            Self::Agreement => "agreement",
        }
    }
}

/// The folder in which a node keeps its signing keys.
#[derive(Debug, Clone)]
pub struct Keyring {
    folder: PathBuf,
    modes: Modes,
}

impl Keyring {
    /// The keys in `folder`, each `<name>.key.pem`. Nothing is read yet.
    pub fn new(folder: impl Into<PathBuf>, modes: Modes) -> Self {
        Self { folder: folder.into(), modes }
    }

    /// The signer of that name; its key must exist.
    pub fn signer(&self, name: SignerName) -> Result<Arc<dyn Signer>, KeyFileError> {
        let path = self.path(name);
        let der = files::read_private_key(&path, self.modes)?;
        let pair = Ed25519KeyPair::from_pkcs8(&der).map_err(|_| KeyFileError::Malformed {
            path: path.clone(),
            reason: "the PKCS#8 key is not an Ed25519 key".to_owned(),
        })?;
        Ok(Arc::new(Ed25519Signer { pair }))
    }

    /// The signer of that name; makes its key the first time.
    pub fn signer_or_create(&self, name: SignerName) -> Result<Arc<dyn Signer>, KeyFileError> {
        match self.create(name) {
            Err(KeyFileError::Exists { .. }) => self.signer(name),
            made => made,
        }
    }

    /// Makes the key of that name and keeps it; one that exists is never overwritten.
    pub fn create(&self, name: SignerName) -> Result<Arc<dyn Signer>, KeyFileError> {
        let path = self.path(name);
        let failed =
            |_| KeyFileError::Unwritable { path: path.clone(), source: std::io::Error::other("no randomness") };
        let pair = Ed25519KeyPair::generate().map_err(failed)?;
        let der = pair.to_pkcs8().map_err(failed)?;
        files::write_new(&path, files::private_key_pem(der.as_ref()).as_bytes(), files::PRIVATE)?;
        Ok(Arc::new(Ed25519Signer { pair }))
    }

    fn path(&self, name: SignerName) -> PathBuf {
        self.folder.join(format!("{}.key.pem", name.as_str()))
    }
}

struct Ed25519Signer {
    pair: Ed25519KeyPair,
}

impl Signer for Ed25519Signer {
    fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        let mut signature = [0; 64];
        signature.copy_from_slice(self.pair.sign(bytes).as_ref());
        signature
    }

    fn public_key(&self) -> PublicKey {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(self.pair.public_key().as_ref());
        PublicKey(bytes)
    }
}

impl fmt::Debug for Ed25519Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ed25519Signer({})", self.public_key())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_signer_is_made_once_and_opened_by_name_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let keyring = Keyring::new(folder.path(), Modes::Enforce);
        let missing = keyring.signer(SignerName::List).unwrap_err();
        assert!(missing.to_string().contains("list.key.pem"), "{missing}");
        let made = keyring.signer_or_create(SignerName::List).unwrap();
        let opened = keyring.signer_or_create(SignerName::List).unwrap();
        assert_eq!(made.public_key(), opened.public_key());
        assert!(matches!(keyring.create(SignerName::List), Err(KeyFileError::Exists { .. })));
        let signature = opened.sign(b"head");
        assert!(made.public_key().verifies(b"head", &signature));
        assert!(!made.public_key().verifies(b"tail", &signature));
    }

    #[test]
    fn a_key_that_others_can_read_is_refused_in_production_and_the_cure_is_named() {
        let folder = tempfile::tempdir().unwrap();
        Keyring::new(folder.path(), Modes::Enforce).create(SignerName::Log).unwrap();
        let path = folder.path().join("log.key.pem");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let refused = Keyring::new(folder.path(), Modes::Enforce).signer(SignerName::Log).unwrap_err();
        assert!(refused.to_string().contains("chmod 600"), "{refused}");
        assert!(Keyring::new(folder.path(), Modes::Warn).signer(SignerName::Log).is_ok());
    }

    #[test]
    fn a_public_key_is_the_same_after_a_journey_as_text() {
        let folder = tempfile::tempdir().unwrap();
        let key = Keyring::new(folder.path(), Modes::Enforce).create(SignerName::List).unwrap().public_key();
        assert_eq!(key.to_string().parse::<PublicKey>().unwrap(), key);
        assert!("ed25519:short".parse::<PublicKey>().is_err());
    }
}
