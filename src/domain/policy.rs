//! What may be done with a dataset, by whom and for what: ODRL rules attached to it in the catalogue.
//!
//! Terms stay open strings, because a policy may come from anywhere. What the engine (`access::decide`) does not
//! understand it denies, and it names the term and where it stands.

use serde::{Deserialize, Serialize};

use super::bounds;
use super::ids::Iri;

/// A policy: permissions with their constraints and duties, and prohibitions, which win.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// What is permitted, and under which constraints.
    #[serde(deserialize_with = "bounds::list::<_, _, { bounds::LIST }>")]
    pub permissions: Vec<Rule>,
    /// What is prohibited. A prohibition whose constraints hold beats every permission.
    #[serde(deserialize_with = "bounds::list::<_, _, { bounds::LIST }>", skip_serializing_if = "Vec::is_empty")]
    pub prohibitions: Vec<Rule>,
    /// Whether a steward decides each request even where the rules allow it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub approval: bool,
    /// For how long an agreement holds: an ISO 8601 duration, at most; none means one year.
    #[serde(deserialize_with = "bounds::duration", skip_serializing_if = "Option::is_none")]
    pub duration: Option<String>,
}

/// One rule: an action, the constraints that must all hold, and what the holder must do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The ODRL action, such as `use`, `odrl:reproduce` or an IRI.
    #[serde(deserialize_with = "bounds::line")]
    pub action: String,
    /// Constraints, all of which must hold.
    #[serde(
        deserialize_with = "bounds::list::<_, _, { bounds::LIST }>",
        default,
        skip_serializing_if = "Vec::is_empty"
    )]
    pub constraints: Vec<Constraint>,
    /// Duties, such as `attribute` or `delete`.
    #[serde(
        deserialize_with = "bounds::list::<_, _, { bounds::LIST }>",
        default,
        skip_serializing_if = "Vec::is_empty"
    )]
    pub duties: Vec<Duty>,
}

/// An ODRL constraint: `left operator right`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constraint {
    /// The left operand, such as `purpose`, `spatial`, `recipient` or `dateTime`.
    #[serde(deserialize_with = "bounds::line")]
    pub left: String,
    /// The operator, such as `eq`, `isAnyOf`, `isNoneOf`, `lteq`.
    #[serde(deserialize_with = "bounds::line")]
    pub operator: String,
    /// The right operands.
    #[serde(deserialize_with = "bounds::lines")]
    pub right: Vec<String>,
}

/// Something the holder must do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Duty {
    /// The ODRL action.
    #[serde(deserialize_with = "bounds::line")]
    pub action: String,
    /// Constraints on it, such as a date.
    #[serde(
        deserialize_with = "bounds::list::<_, _, { bounds::LIST }>",
        default,
        skip_serializing_if = "Vec::is_empty"
    )]
    pub constraints: Vec<Constraint>,
}

/// What a requester says it wants to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntendedUse {
    /// The ODRL action; `use` where nothing is said.
    #[serde(default = "IntendedUse::default_action")]
    pub action: String,
    /// DPV purpose IRIs, at least one.
    pub purposes: Vec<Iri>,
    /// In the requester's own words, for the steward.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<String>,
}

impl IntendedUse {
    fn default_action() -> String {
        "use".to_owned()
    }
}
