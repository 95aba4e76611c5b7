//! What the European Health Data Space asks of a description of health data (Regulation (EU) 2025/327, HealthDCAT-AP).

use serde::{Deserialize, Serialize};

use super::bounds;
use super::dataset::Agent;
use super::ids::Iri;
use super::licence::Answer;
use super::text::Text;

/// The health block of a dataset. The number of people is in the GDPR block, the number of records in the training block.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Health {
    /// The health data access body that decides on requests (Article 55).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_body: Option<Agent>,
    /// Categories of electronic health data (Article 51), by IRI.
    #[serde(deserialize_with = "bounds::list::<_, _, { bounds::LIST }>", skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<Iri>,
    /// Diseases and other health topics, by IRI.
    #[serde(deserialize_with = "bounds::list::<_, _, { bounds::LIST }>", skip_serializing_if = "Vec::is_empty")]
    pub themes: Vec<Iri>,
    /// Coding systems in use, such as ICD-10 or SNOMED CT, by IRI.
    #[serde(deserialize_with = "bounds::list::<_, _, { bounds::LIST }>", skip_serializing_if = "Vec::is_empty")]
    pub coding_systems: Vec<Iri>,
    /// Codes in use, by IRI.
    #[serde(deserialize_with = "bounds::list::<_, _, { bounds::LIST }>", skip_serializing_if = "Vec::is_empty")]
    pub code_values: Vec<Iri>,
    /// Which people it covers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub population: Option<Text>,
    /// The lowest age that is typical, in years.
    #[serde(deserialize_with = "bounds::some_count", skip_serializing_if = "Option::is_none")]
    pub min_age: Option<u64>,
    /// The highest age that is typical, in years.
    #[serde(deserialize_with = "bounds::some_count", skip_serializing_if = "Option::is_none")]
    pub max_age: Option<u64>,
    /// Whether the holder is a trusted one (Article 72).
    #[serde(skip_serializing_if = "Answer::is_not_stated")]
    pub trusted_holder: Answer,
}
