//! How far somebody is trusted at a moment, or why not at all.

use jiff::Timestamp;

use super::identity::IdentityError;
use super::verify::PathError;
use crate::domain::ids::{Digest, Identity, TrustDomain};

/// How far a domain may be trusted at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// For everything.
    Valid,
    /// For searching `federation` records only: its peer file ran out less than the grace ago.
    StaleTrust,
}

/// Why somebody is not trusted at this moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The certificate names nobody.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// No peer file of that domain was accepted.
    #[error("{0} is not in the trust list")]
    UnknownDomain(TrustDomain),
    /// The domain is trusted, but its peer file names another node.
    #[error("{found} is not the node of its domain; the trust list has {listed}")]
    OtherNode {
        /// Who was there.
        found: Identity,
        /// Who should have been.
        listed: Identity,
    },
    /// The one who answered is not the one who was called.
    #[error("{found} answered where {expected} was expected")]
    NotExpected {
        /// Who answered.
        found: Identity,
        /// Who was called.
        expected: Identity,
    },
    /// The peer file ran out and so did the grace.
    #[error("the peer file of {domain} ran out at {next_update} and no grace covers this")]
    TrustExpired {
        /// The domain.
        domain: TrustDomain,
        /// When the file ran out.
        next_update: Timestamp,
    },
    /// The peer file was signed in the future.
    #[error("the peer file of {domain} says it was signed at {issued}, which is yet to come: compare the clocks")]
    TrustNotYetValid {
        /// The domain.
        domain: TrustDomain,
        /// When it says it was signed.
        issued: Timestamp,
    },
    /// The certificate is on a list of those that must not be used.
    #[error("the certificate {0} was withdrawn")]
    Denied(Digest),
    /// The certificate's own domain does not vouch for it.
    #[error("the certificate of {identity} is refused: {reason}")]
    Certificate {
        /// Whose it claims to be.
        identity: Identity,
        /// Why.
        reason: PathError,
    },
    /// The other side closed the handshake.
    #[error("the other side refused our certificate: {0}")]
    ByPeer(String),
}
