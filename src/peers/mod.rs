//! Peers: who they are, whether they are trusted, and how to speak with them so that nobody else can.
//!
//! Read in this order: [`identity`] (from a certificate to a name), [`verify`] (one domain's CAs and revocation lists),
//! [`peer_file`] and [`pins`] (what a node says about itself, and under whose key it is believed), [`trust`] (the list at
//! work), [`tls`] (both sides of a handshake), [`health`] (how a peer is doing, and whether to ask it). The other half is for one's own house: [`authority`] (the CA), [`enrol`]
//! and [`renewal`] (getting a certificate), [`publish`] (the node's own peer file).
//!
//! # Where things lie
//!
//! ```text
//! <data>/keys/ca.key.pem        the CA's private key (may be kept on another machine)
//!             ca.pem            the CA's certificate
//!             crl.der           its revocation list
//!             issued.jsonl      what it issued, one JSON object a line
//!             revoked.jsonl     what it took back
//!             ca.lock           held while the CA writes
//!             node.pem          the node's private key and certificate, switched by one rename
//!             participant.pem   the same, on a holder's machine
//!             *.next.key.pem    the key of a request under way
//!             list.key.pem      signs the peer file; log.key.pem and agreement.key.pem sign what their names say
//! <data>/trust/pins.toml        the list keys that a steward compared and pinned
//!              denied.txt       fingerprints that are refused at once, one a line
//!              *.jws            peer files, put there by hand or by `pleiad peer add`; the node's own is <domain>.jws
//!              accepted/*.jws   the newest accepted file of each domain; written by the node only
//! ```
//!
//! Files with private keys have mode 0600; in production others are refused.

pub mod authority;
pub mod enrol;
mod folder;
pub mod health;
pub mod identity;
pub mod ledger;
pub mod peer_file;
pub mod pins;
pub mod probe;
pub mod publish;
pub mod renewal;
pub mod standing;
pub mod tls;
pub mod trust;
pub mod verify;
pub mod wire;

use std::path::{Path, PathBuf};

/// The folder of one node or participant, as the module's page lays it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    data: PathBuf,
}

impl Member {
    /// The member whose data lie in `data`.
    pub fn in_folder(data: impl Into<PathBuf>) -> Self {
        Self { data: data.into() }
    }

    /// The folder itself.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The folder with keys and certificates.
    pub fn keys(&self) -> PathBuf {
        self.data.join("keys")
    }

    /// The folder with the trust list.
    pub fn trust(&self) -> PathBuf {
        self.data.join("trust")
    }

    /// The node's key and certificate.
    pub fn node_certificate(&self) -> PathBuf {
        self.keys().join("node.pem")
    }

    /// A participant's key and certificate, on its own machine.
    pub fn participant_certificate(&self) -> PathBuf {
        self.keys().join("participant.pem")
    }

    /// The pinned list keys.
    pub fn pins(&self) -> PathBuf {
        self.trust().join("pins.toml")
    }
}
