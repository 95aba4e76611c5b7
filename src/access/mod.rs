//! Who may have a dataset, and until when: requests, the decision on them, agreements and grants.
//!
//! [`decide`] judges a request by a policy and fails closed; [`judge`] puts the rest of the law around it (is the dataset
//! offered at all, may the holder know of it, is the purpose one it was collected for). [`requests`] is the workflow: a
//! request is made on the holder's home node and decided on the owner's node, and both keep it in their logs; [`relay`]
//! is the way between the two. [`grants`] makes, of an agreement that holds, the right to pull bytes for some minutes.
//! [`participants`] says what a home node attests of the organisations it vouches for.

pub mod decide;
pub mod grants;
pub mod judge;
pub mod participants;
pub mod relay;
pub mod requests;
mod terms;

use crate::domain::ids::{DatasetId, Identity, OpaqueId};
use crate::domain::negotiation::Reason;
use crate::store::{AppendError, StoreError};

/// Why something about a request, an agreement or a grant was not done. Nothing was half done.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// Something in what was sent cannot be meant.
    #[error("{pointer}: {detail}")]
    Invalid {
        /// A JSON pointer to it.
        pointer: String,
        /// What was found and what is allowed.
        detail: String,
    },
    /// The caller acts for no participant of this node.
    #[error("{0} is no participant of this node; ask at its home node")]
    NotAtHome(Identity),
    /// No such dataset, or none that the caller may know of.
    #[error("no dataset {0} is registered here; search for it to get its id")]
    DatasetUnknown(DatasetId),
    /// The node of that dataset is in no trust list here.
    #[error("the node of {0} is not in this node's trust list")]
    OwnerUnknown(DatasetId),
    /// No such request or agreement, or none that concerns the caller.
    #[error("no {kind} {id} concerns you here")]
    NotFound {
        /// `request` or `agreement`.
        kind: &'static str,
        /// Its id.
        id: OpaqueId,
    },
    /// The request or agreement is in another state by now.
    #[error("{0}")]
    WrongState(String),
    /// The policy refuses what a steward would approve.
    #[error("the policy as it stands refuses this request; revise the policy or refuse the request")]
    PolicyRefuses(Vec<Reason>),
    /// A peer spoke for somebody or something that is not its own.
    #[error("{peer} may not speak for {subject}")]
    NotItsOwn {
        /// The peer.
        peer: Identity,
        /// Whom or what it spoke for.
        subject: String,
    },
    /// The peer's trust ran out, which leaves it search and nothing else.
    #[error("the peer file of {0} ran out; agreements, grants and shards wait for a new one")]
    StaleTrust(Identity),
    /// The owner's node did not answer.
    #[error("the owner's node did not answer ({0}); try again later")]
    OwnerSilent(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<AppendError> for AccessError {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Store(error) => Self::Store(error),
            AppendError::Conflict(expected) => Self::WrongState(expected.to_string()),
            other => Self::Invalid { pointer: String::new(), detail: other.to_string() },
        }
    }
}

/// A fresh id, random and opaque. The first part only helps people who read a log.
fn new_id(kind: &str) -> OpaqueId {
    format!("{kind}-{}", uuid::Uuid::new_v4().simple()).parse().expect("letters, digits and '-', 40 characters at most")
}
