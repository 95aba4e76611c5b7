//! What one node answers to a question, and what a list of results shows of a record.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::dataset::{AccessRights, Modality, Registered};
use super::gdpr::PersonalData;
use super::ids::{Country, DatasetId, Iri, LanguageTag, Revision, Seq};
use super::licence::LicenceClass;
use super::query::{FacetField, TextField};
use super::score::{Component, Statistics};
use super::text::Text;

/// One node's answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LocalAnswer {
    /// Counts over its `federation` index for the terms of the question.
    pub statistics: Statistics,
    /// How many records match; exact.
    pub total: u64,
    /// The best of them, in the node's own order.
    pub hits: Vec<Hit>,
    /// Values counted over all that match.
    pub facets: BTreeMap<FacetField, FacetCounts>,
    /// The log position that the index had applied.
    pub position: Seq,
}

/// A matching record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hit {
    /// What a list shows of it.
    pub card: Card,
    /// The log position of the revision that matched.
    pub seq: Seq,
    /// What it holds of each scored term.
    pub components: Vec<Component>,
    /// The value it is sorted by, where the order is not by relevance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort_key: Option<SortKey>,
    /// Where it matched.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub highlights: Vec<Highlight>,
}

/// What a record is sorted by. Later and larger first for numbers, code point order for text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SortKey {
    /// Days since 1970-01-01, or bytes.
    Number(i64),
    /// A folded title.
    Text(String),
}

/// A piece of a field that matched: pieces in turn outside and inside a match, beginning outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Highlight {
    /// The field.
    pub field: TextField,
    /// The language of the text.
    pub language: Option<LanguageTag>,
    /// `["the ", "parliament", " of"]`: every second piece matched.
    pub pieces: Vec<String>,
}

/// Values of a facet with the number of records, most first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FacetCounts {
    /// Value and count.
    pub values: Vec<(String, u64)>,
    /// Records under values that are not listed.
    pub other: u64,
}

/// What a list shows of a record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// Its id.
    pub id: DatasetId,
    /// Its revision.
    pub revision: Revision,
    /// Its title, in every language.
    pub title: Text,
    /// The beginning of its description, in every language, at most 300 characters each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<Text>,
    /// Its country.
    pub country: Country,
    /// Its publisher's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publisher: Option<Text>,
    /// Its licence, SPDX id or IRI or `other`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// Its licence's class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence_class: Option<LicenceClass>,
    /// Who may see the data.
    pub access_rights: AccessRights,
    /// Personal data.
    pub personal_data: PersonalData,
    /// Kinds of content.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modalities: Vec<Modality>,
    /// Languages of the content.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<LanguageTag>,
    /// Formats.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub formats: Vec<String>,
    /// Last modified, else issued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<Date>,
    /// Size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Persistent identifiers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identifiers: Vec<Iri>,
    /// The record's IRI at the source that it was imported from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Iri>,
    /// What it was made from, at most [`Card::MOST_NAMED`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub derived_from: Vec<Iri>,
    /// The dataset of which it is a version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_of: Option<Iri>,
    /// The series it belongs to, at most [`Card::MOST_NAMED`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub series: Vec<Iri>,
    /// Invented for a demonstration.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fictitious: bool,
    /// Whether it can be requested here: offerable, with shards.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub requestable: bool,
}

impl Card {
    /// How many characters of a description a card keeps.
    pub const SUMMARY: usize = 300;
    /// How many datasets of one kind a card names; a reader of the wire takes no more than 256 entries of a list.
    pub const MOST_NAMED: usize = 200;

    /// The card of a record; `requestable` is judged by `domain::offerable`.
    pub fn of(record: &Registered, requestable: bool) -> Self {
        let dataset = &record.dataset;
        Self {
            id: dataset.id.clone(),
            revision: record.revision,
            title: dataset.title.clone(),
            summary: dataset.description.as_ref().map(shortened),
            country: dataset.country.clone(),
            publisher: dataset.publisher.as_ref().map(|agent| agent.name.clone()),
            licence: dataset.licence.as_ref().map(|licence| licence.label().to_owned()),
            licence_class: dataset.licence.as_ref().map(|licence| licence.class()),
            access_rights: dataset.access_rights,
            personal_data: dataset.gdpr.personal_data,
            modalities: dataset.training.modalities.clone(),
            languages: dataset.languages.clone(),
            formats: dataset.formats().into_iter().map(str::to_owned).collect(),
            modified: dataset.modified.or(dataset.issued),
            bytes: dataset.total_bytes(),
            identifiers: dataset.identifiers.clone(),
            source: dataset.source.as_ref().map(|source| source.iri.clone()),
            derived_from: dataset.derived_from.iter().take(Self::MOST_NAMED).cloned().collect(),
            version_of: dataset.version_of.clone(),
            series: dataset.series.iter().take(Self::MOST_NAMED).cloned().collect(),
            fictitious: dataset.fictitious,
            requestable,
        }
    }
}

fn shortened(text: &Text) -> Text {
    let short: BTreeMap<LanguageTag, String> = text
        .iter()
        .map(|(language, text)| {
            let mut short: String = text.chars().take(Card::SUMMARY).collect();
            if short.len() < text.len() {
                short.push('…');
            }
            (language.clone(), short)
        })
        .collect();
    short.try_into().unwrap_or_else(|_| text.clone())
}
