//! Under which terms a dataset may be used: the licence as its owner named it, and what it permits as far as anybody knows.

use serde::{Deserialize, Serialize};

use super::bounds;
use super::ids::Iri;

/// A licence: its identifier where it could be resolved, the source's own words, and what it permits.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Licence {
    /// An SPDX licence id (`CC-BY-4.0`) where one exists.
    #[serde(deserialize_with = "bounds::some_line", default, skip_serializing_if = "Option::is_none")]
    pub spdx: Option<String>,
    /// The licence's IRI: an entry of the EU licence table where one exists, else the source's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iri: Option<Iri>,
    /// What the source wrote, kept as it was.
    #[serde(deserialize_with = "bounds::some_prose", default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
    /// By which rule the identifier was found, where a program found it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matched: Option<Matched>,
    /// What it permits. Derived from the identifier by a table; never guessed.
    #[serde(default)]
    pub permissions: Permissions,
}

/// How a program came from the source's words to an identifier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Matched {
    /// The rule, such as `eu_table` or `name`.
    #[serde(deserialize_with = "bounds::line")]
    pub rule: String,
    /// How far it can be relied on.
    pub confidence: Confidence,
}

/// How far a match can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// The words can mean nothing else, but say it in their own way; a steward should look once.
    Likely,
    /// A registered name of the licence, letter for letter after case and punctuation.
    Named,
    /// An identifier or an address of the licence itself.
    Exact,
}

/// What a licence permits or asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Permissions {
    /// Commercial use is permitted.
    pub commercial: Answer,
    /// Derived works are permitted.
    pub derivatives: Answer,
    /// Derived works must carry the same licence.
    pub share_alike: Answer,
    /// The source must be named.
    pub attribution: Answer,
    /// Training of models is permitted.
    pub ai_training: Answer,
    /// Text and data mining is permitted, for every purpose.
    #[serde(skip_serializing_if = "Answer::is_not_stated")]
    pub text_and_data_mining: Answer,
}

/// Yes, no, or nobody said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Stated: yes.
    Yes,
    /// Stated: no.
    No,
    /// Not stated. Never read as yes.
    #[default]
    NotStated,
}

impl Answer {
    /// Whether nobody said.
    pub fn is_not_stated(&self) -> bool {
        *self == Self::NotStated
    }
}

impl Licence {
    /// The licence's name as a facet value: SPDX id, else IRI, else `other` where only words are known.
    pub fn label(&self) -> &str {
        self.spdx.as_deref().or(self.iri.as_ref().map(Iri::as_str)).unwrap_or("other")
    }

    /// Whether an identifier could be resolved, which an Offerable needs.
    pub fn is_identified(&self) -> bool {
        self.spdx.is_some() || self.iri.is_some()
    }

    /// The class that searches filter by.
    pub fn class(&self) -> LicenceClass {
        let Permissions { commercial, derivatives, share_alike, attribution, .. } = self.permissions;
        match (commercial, derivatives, share_alike, attribution) {
            (Answer::Yes, Answer::Yes, Answer::Yes, _) => LicenceClass::ShareAlike,
            (Answer::Yes, Answer::Yes, Answer::No, Answer::No) => LicenceClass::PublicDomain,
            (Answer::Yes, Answer::Yes, _, Answer::Yes) => LicenceClass::Attribution,
            (Answer::No, _, _, _) => LicenceClass::NonCommercial,
            (_, Answer::No, _, _) => LicenceClass::NoDerivatives,
            _ => LicenceClass::Other,
        }
    }
}

/// Licences in the groups a researcher filters by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LicenceClass {
    /// No conditions (CC0 and the like).
    PublicDomain,
    /// Name the source (CC BY and the like).
    Attribution,
    /// Name the source, same licence for derived works.
    ShareAlike,
    /// No commercial use.
    NonCommercial,
    /// No derived works.
    NoDerivatives,
    /// A licence whose permissions are not known.
    Other,
}

impl LicenceClass {
    /// The class as a facet value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PublicDomain => "public_domain",
            Self::Attribution => "attribution",
            Self::ShareAlike => "share_alike",
            Self::NonCommercial => "non_commercial",
            Self::NoDerivatives => "no_derivatives",
            Self::Other => "other",
        }
    }
}
