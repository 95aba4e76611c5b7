//! What a participant asks for, and how far it got: the [`Request`] and its states.
//!
//! A request is kept on two nodes: on the holder's home node, which forwards it, and on the owner's node, which decides.
//! Both see the same states; only the owner's node moves it from [`RequestState::Pending`].

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::agreement::Agreement;
use super::ids::{DatasetId, Identity, OpaqueId, Revision};
use super::policy::IntendedUse;

/// A request for a dataset by a participant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Its id, made by the home node, the same on both nodes.
    pub id: OpaqueId,
    /// What is asked for.
    pub dataset: DatasetId,
    /// The revision the requester saw; 0 where it did not say.
    pub revision: Revision,
    /// Who asks.
    pub holder: Identity,
    /// The node that forwarded it and vouches for the facts.
    pub home: Identity,
    /// For what.
    pub intended: IntendedUse,
    /// What the home node attests of the holder.
    pub facts: Vec<Fact>,
    /// When it was made.
    pub made: Timestamp,
    /// Where it stands.
    pub state: RequestState,
}

/// Something known of a participant, and by whom. A fact that is only declared yields at most *ask the steward*.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// Its name, such as `country`, `sector`, `secure_environment`.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Whether the home node attests it, or the participant only declares it.
    pub attested: bool,
}

/// Where a request stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum RequestState {
    /// Not yet delivered to the owner's node, which did not answer; it is tried again.
    Undelivered {
        /// Why, as far as known.
        reason: String,
    },
    /// With the owner's steward.
    Pending {
        /// Why the policy could not decide alone.
        reasons: Vec<Reason>,
    },
    /// Refused.
    Refused {
        /// Each rule that refused it.
        reasons: Vec<Reason>,
        /// When.
        decided: Timestamp,
    },
    /// Agreed.
    Agreed {
        /// The agreement.
        agreement: OpaqueId,
        /// When.
        decided: Timestamp,
    },
    /// Taken back by the requester.
    Cancelled {
        /// When.
        at: Timestamp,
    },
}

impl RequestState {
    /// The state's name on the wire and in lists.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Undelivered { .. } => "undelivered",
            Self::Pending { .. } => "pending",
            Self::Refused { .. } => "refused",
            Self::Agreed { .. } => "agreed",
            Self::Cancelled { .. } => "cancelled",
        }
    }

    /// Whether a request in this state may come into that one. Only the first two states lead anywhere.
    pub fn may_become(&self, next: &Self) -> bool {
        match self {
            Self::Undelivered { .. } => true,
            Self::Pending { .. } => !matches!(next, Self::Undelivered { .. }),
            Self::Refused { .. } | Self::Agreed { .. } | Self::Cancelled { .. } => false,
        }
    }

    /// Whether nothing will change it any more.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Refused { .. } | Self::Agreed { .. } | Self::Cancelled { .. })
    }
}

/// How far a request got at the owner's node: what that node tells the holder's home node about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The request.
    pub request: OpaqueId,
    /// Where it stands there; never [`RequestState::Undelivered`].
    pub state: RequestState,
    /// The agreement, once there is one, with its early end where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreement: Option<Box<Agreement>>,
}

/// Why something was decided: a stable code, where in the policy it stands, and a sentence for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// A stable code, such as `purpose_not_permitted` or `term_not_understood`.
    pub code: String,
    /// A JSON pointer into the policy, or empty where no rule is concerned.
    pub pointer: String,
    /// What it means, with the term it is about.
    pub detail: String,
}
