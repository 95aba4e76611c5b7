//! What a dataset says about personal data, in the terms of the GDPR and of the Data Privacy Vocabulary (DPV 2.3).
//!
//! Terms are DPV IRIs kept as written; which of them mean *special category*, *Article 6* or *Article 9* is decided by
//! prefix and by the vocabulary. *Not stated* is a value of its own: it is never read as *no*, and it never releases.

use serde::{Deserialize, Serialize};

use super::bounds;
use super::dataset::{Agent, Contact};
use super::ids::{Country, Iri};
use super::text::Text;

/// Whether the dataset holds personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonalData {
    /// None, and none was ever in it.
    No,
    /// None any more: people can no longer be identified.
    Anonymised,
    /// Personal data behind a key that somebody holds (still personal data, Article 4(5)).
    Pseudonymised,
    /// Personal data.
    Yes,
    /// Nobody said.
    #[default]
    NotStated,
}

impl PersonalData {
    /// Whether the GDPR applies to the data: pseudonymised or plain personal data.
    pub fn is_personal(self) -> bool {
        matches!(self, Self::Pseudonymised | Self::Yes)
    }

    /// What a class of DPV says of the data that has it, by its name within [`DPV`].
    pub fn of_dpv(class: &str) -> Option<Self> {
        match class {
            "PseudonymisedData" => Some(Self::Pseudonymised),
            "AnonymisedData" => Some(Self::Anonymised),
            _ if class.ends_with("NonPersonalData") => Some(Self::No),
            // Sensitive, special, collected, derived: every kind of personal data is personal data.
            _ if class.ends_with("PersonalData") => Some(Self::Yes),
            _ => None,
        }
    }

    /// What several answers say together: what is personal anywhere is personal, and a milder word beside it does not take
    /// that back. Nothing where they differ otherwise.
    pub fn together(answers: impl IntoIterator<Item = Self>) -> Option<Self> {
        let mut answers: Vec<Self> = answers.into_iter().filter(|answer| *answer != Self::NotStated).collect();
        answers.sort();
        answers.dedup();
        match answers[..] {
            [] => Some(Self::NotStated),
            [one] => Some(one),
            [.., strongest] => strongest.is_personal().then_some(strongest),
        }
    }

    /// The value as the API and the facets spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Anonymised => "anonymised",
            Self::Pseudonymised => "pseudonymised",
            Self::Yes => "yes",
            Self::NotStated => "not_stated",
        }
    }
}

/// The GDPR block of a dataset. Which fields are needed follows from `personal_data`; see `domain::offerable`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Gdpr {
    /// Whether there is personal data.
    pub personal_data: PersonalData,
    /// Categories of personal data, DPV-PD IRIs.
    #[serde(deserialize_with = "bounds::list::<_, _, { bounds::LIST }>", skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<Iri>,
    /// Special categories (Article 9(1)), DPV-PD IRIs.
    #[serde(deserialize_with = "bounds::list::<_, _, { bounds::LIST }>", skip_serializing_if = "Vec::is_empty")]
    pub special_categories: Vec<Iri>,
    /// Legal bases of Article 6(1): `https://w3id.org/dpv/legal/eu/gdpr#A6-1-a` … `f`.
    #[serde(deserialize_with = "bounds::list::<_, _, { bounds::LIST }>", skip_serializing_if = "Vec::is_empty")]
    pub legal_basis: Vec<Iri>,
    /// Conditions of Article 9(2): `https://w3id.org/dpv/legal/eu/gdpr#A9-2-a` … `j`.
    #[serde(deserialize_with = "bounds::list::<_, _, { bounds::LIST }>", skip_serializing_if = "Vec::is_empty")]
    pub special_condition: Vec<Iri>,
    /// Purposes the data may be processed for, DPV purpose IRIs.
    #[serde(deserialize_with = "bounds::list::<_, _, { bounds::LIST }>", skip_serializing_if = "Vec::is_empty")]
    pub purposes: Vec<Iri>,
    /// Why it was collected in the first place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collection_purpose: Option<Text>,
    /// Kinds of data subjects, DPV IRIs.
    #[serde(deserialize_with = "bounds::list::<_, _, { bounds::LIST }>", skip_serializing_if = "Vec::is_empty")]
    pub data_subjects: Vec<Iri>,
    /// How many people the data is about.
    #[serde(deserialize_with = "bounds::some_count", skip_serializing_if = "Option::is_none")]
    pub data_subject_count: Option<u64>,
    /// The controller, or the joint controllers.
    #[serde(deserialize_with = "bounds::list::<_, _, { bounds::LIST }>", skip_serializing_if = "Vec::is_empty")]
    pub controllers: Vec<Agent>,
    /// Who processes it on a controller's behalf (Article 28).
    #[serde(deserialize_with = "bounds::list::<_, _, { bounds::LIST }>", skip_serializing_if = "Vec::is_empty")]
    pub processors: Vec<Agent>,
    /// The data protection officer (Article 37).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dpo: Option<Contact>,
    /// Where data subjects exercise their rights (Articles 13 to 22).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rights_contact: Option<Contact>,
    /// How long it may be kept: an ISO 8601 duration such as `P10Y`, or a date.
    #[serde(deserialize_with = "bounds::retention", skip_serializing_if = "Option::is_none")]
    pub retention: Option<String>,
    /// The data protection impact assessment (Article 35).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dpia: Option<Dpia>,
    /// Technical and organisational measures, DPV IRIs.
    #[serde(deserialize_with = "bounds::list::<_, _, { bounds::LIST }>", skip_serializing_if = "Vec::is_empty")]
    pub measures: Vec<Iri>,
    /// Transfers to third countries and their tool (Articles 44 to 49).
    #[serde(deserialize_with = "bounds::list::<_, _, { bounds::LIST }>", skip_serializing_if = "Vec::is_empty")]
    pub transfers: Vec<Transfer>,
    /// Countries where it is processed.
    #[serde(deserialize_with = "bounds::list::<_, _, { bounds::LIST }>", skip_serializing_if = "Vec::is_empty")]
    pub processing_locations: Vec<Country>,
}

/// A data protection impact assessment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dpia {
    /// Where it stands.
    pub status: DpiaStatus,
    /// Where it can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Iri>,
}

/// Where an impact assessment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DpiaStatus {
    /// Found not to be required.
    NotRequired,
    /// Required, not done.
    Required,
    /// Done; the remaining risk is acceptable.
    Completed,
    /// Done; the supervisory authority was consulted (Article 36).
    Consulted,
}

/// A transfer to a third country.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transfer {
    /// To where.
    pub country: Country,
    /// Under which tool: a DPV IRI such as `https://w3id.org/dpv/legal/eu/gdpr#A45-3`.
    pub tool: Iri,
}

/// The namespace of the Data Privacy Vocabulary.
pub const DPV: &str = "https://w3id.org/dpv#";
/// The namespace of its categories of personal data.
pub const DPV_PD: &str = "https://w3id.org/dpv/pd#";
/// The namespace of its terms of the GDPR.
pub const EU_GDPR: &str = "https://w3id.org/dpv/legal/eu/gdpr#";

/// The terms of DPV-PD 2.3 that are special categories (Article 9(1)).
const SPECIAL_CATEGORIES: &str = "Biometric BloodType DNACode Disability DrugTestResult EthnicOrigin FacialExpression FacialPrint FamilyHealthHistory Fetish Fingerprint Genetic Health HealthHistory HealthRecord IndividualHealthHistory MedicalHealth MentalHealth PhilosophicalBelief PhysicalHealth PoliticalAffiliation PoliticalOpinion Prescription Proclivity Race Religion ReligiousBelief Retina Sexual SexualHistory SexualPreference TradeUnionMembership";

/// The states of the European Economic Area: the Union, Iceland, Liechtenstein and Norway.
const EEA: &str = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK";

/// Whether a term is a special category of personal data.
pub fn is_special_category(term: &Iri) -> bool {
    term.as_str().strip_prefix(DPV_PD).is_some_and(|name| SPECIAL_CATEGORIES.split(' ').any(|special| special == name))
}

/// Whether a term is a legal basis of Article 6(1): `A6-1-a` to `A6-1-f`, or a narrower term of one.
pub fn is_legal_basis(term: &Iri) -> bool {
    is_point(term, "A6-1-", 'a'..='f')
}

/// Whether a term is a condition of Article 9(2): `A9-2-a` to `A9-2-j`, or a narrower term of one.
pub fn is_special_condition(term: &Iri) -> bool {
    is_point(term, "A9-2-", 'a'..='j')
}

fn is_point(term: &Iri, paragraph: &str, points: std::ops::RangeInclusive<char>) -> bool {
    let Some(point) = term.as_str().strip_prefix(EU_GDPR).and_then(|name| name.strip_prefix(paragraph)) else {
        return false;
    };
    let mut rest = point.chars();
    rest.next().is_some_and(|letter| points.contains(&letter)) && matches!(rest.next(), None | Some('-'))
}

/// Whether a country belongs to the European Economic Area, where Chapter V does not apply.
pub fn is_in_eea(country: &Country) -> bool {
    EEA.split(' ').any(|code| code == country.as_str())
}
