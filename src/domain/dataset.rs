//! A described collection: the [`Dataset`], the numbered [`Registered`] revision of it that a node keeps.
//!
//! Every field but the id, the title and the country may be left out, and left out means *not stated*. The JSON spelling
//! of these types is the public contract that `schemas/dataset.schema.json` describes. What must be stated before a
//! dataset may be offered is said in `domain::offerable`.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::bounds;
use super::gdpr::Gdpr;
use super::ids::{Country, DatasetId, Digest, Email, Identity, Iri, LanguageTag, Revision, Seq};
use super::licence::Licence;
use super::manifest::Manifest;
use super::policy::Policy;
use super::text::{Keywords, Text};

// The parts of a dataset are named by it, whichever file describes them.
pub use super::place::{BoundingBox, InvalidBox, Period, Place};
pub use super::training::{Modality, SourceCategory, Split, TokenCount, Training};

/// What a steward says about a collection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dataset {
    /// Its id, minted under the node's domain.
    pub id: DatasetId,
    /// Its title.
    #[serde(deserialize_with = "bounds::title")]
    pub title: Text,
    /// What it is, in plain text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Text>,
    /// The member state it belongs to; the node must speak for it.
    pub country: Country,
    /// Keywords.
    #[serde(deserialize_with = "bounds::keywords", default, skip_serializing_if = "Keywords::is_empty")]
    pub keywords: Keywords,
    /// EU data themes and other concepts, by IRI.
    #[serde(
        deserialize_with = "bounds::list::<_, _, { bounds::LIST }>",
        default,
        skip_serializing_if = "Vec::is_empty"
    )]
    pub themes: Vec<Iri>,
    /// Who publishes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publisher: Option<Agent>,
    /// Who made it.
    #[serde(
        deserialize_with = "bounds::list::<_, _, { bounds::LIST }>",
        default,
        skip_serializing_if = "Vec::is_empty"
    )]
    pub creators: Vec<Agent>,
    /// Whom to ask; a functional mailbox rather than a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Contact>,
    /// Languages of the content.
    #[serde(
        deserialize_with = "bounds::list::<_, _, { bounds::LIST }>",
        default,
        skip_serializing_if = "Vec::is_empty"
    )]
    pub languages: Vec<LanguageTag>,
    /// Places it covers.
    #[serde(
        deserialize_with = "bounds::list::<_, _, { bounds::LIST }>",
        default,
        skip_serializing_if = "Vec::is_empty"
    )]
    pub spatial: Vec<Place>,
    /// Periods it covers.
    #[serde(
        deserialize_with = "bounds::list::<_, _, { bounds::LIST }>",
        default,
        skip_serializing_if = "Vec::is_empty"
    )]
    pub temporal: Vec<Period>,
    /// How often it is updated: EU frequency IRI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frequency: Option<Iri>,
    /// Who may see the data.
    #[serde(default)]
    pub access_rights: AccessRights,
    /// Laws that apply, by ELI IRI.
    #[serde(
        deserialize_with = "bounds::list::<_, _, { bounds::LIST }>",
        default,
        skip_serializing_if = "Vec::is_empty"
    )]
    pub applicable_legislation: Vec<Iri>,
    /// First published.
    #[serde(deserialize_with = "bounds::day", default, skip_serializing_if = "Option::is_none")]
    pub issued: Option<Date>,
    /// Last changed, as its publisher says.
    #[serde(deserialize_with = "bounds::day", default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<Date>,
    /// The publisher's own version.
    #[serde(deserialize_with = "bounds::some_line", default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What changed in this version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_notes: Option<Text>,
    /// Persistent identifiers (DOI, URN) that name the same dataset everywhere.
    #[serde(
        deserialize_with = "bounds::list::<_, _, { bounds::LIST }>",
        default,
        skip_serializing_if = "Vec::is_empty"
    )]
    pub identifiers: Vec<Iri>,
    /// Pages about it.
    #[serde(
        deserialize_with = "bounds::list::<_, _, { bounds::LIST }>",
        default,
        skip_serializing_if = "Vec::is_empty"
    )]
    pub landing_pages: Vec<Iri>,
    /// Documentation.
    #[serde(
        deserialize_with = "bounds::list::<_, _, { bounds::LIST }>",
        default,
        skip_serializing_if = "Vec::is_empty"
    )]
    pub documentation: Vec<Iri>,
    /// Datasets it was made from.
    #[serde(
        deserialize_with = "bounds::list::<_, _, { bounds::LIST }>",
        default,
        skip_serializing_if = "Vec::is_empty"
    )]
    pub derived_from: Vec<Iri>,
    /// Where the record was read from, when it was imported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// Who may discover the record.
    #[serde(default)]
    pub visibility: Visibility,
    /// Participants who may discover a private record, beside the owner.
    #[serde(
        deserialize_with = "bounds::list::<_, _, { bounds::LIST }>",
        default,
        skip_serializing_if = "Vec::is_empty"
    )]
    pub listed: Vec<Identity>,
    /// The licence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<Licence>,
    /// The policy offered, in ODRL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
    /// The reservation of text and data mining (Directive 2019/790, Article 4(3)).
    #[serde(default)]
    pub tdm_reservation: TdmReservation,
    /// Personal data.
    #[serde(default)]
    pub gdpr: Gdpr,
    /// What somebody who trains with it must know.
    #[serde(default)]
    pub training: Training,
    /// The forms in which it is offered.
    #[serde(
        deserialize_with = "bounds::list::<_, _, { bounds::LIST }>",
        default,
        skip_serializing_if = "Vec::is_empty"
    )]
    pub distributions: Vec<Distribution>,
    /// Tables in it and their columns.
    #[serde(
        deserialize_with = "bounds::list::<_, _, { bounds::LIST }>",
        default,
        skip_serializing_if = "Vec::is_empty"
    )]
    pub record_sets: Vec<RecordSet>,
    /// Invented for a demonstration; no such data exists.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fictitious: bool,
}

/// A revision of a dataset as a node keeps it: what was said, and who said it when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Registered {
    /// What was said.
    pub dataset: Dataset,
    /// The participant whose dataset it is.
    pub owner: Identity,
    /// The number of this revision.
    pub revision: Revision,
    /// When the dataset was first registered.
    pub registered: Timestamp,
    /// When this revision was made.
    pub revised: Timestamp,
    /// The position of this revision in the node's log; filled in from the log.
    #[serde(default)]
    pub seq: Seq,
    /// Why it was withdrawn, where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<Withdrawn>,
}

impl Registered {
    /// The strong validator of this revision: the digest of its canonical JSON (fields in the order of the types, maps in
    /// the order of their keys, no white space). The position in the log is no part of it, because the log tells it.
    pub fn etag(&self) -> Digest {
        let said = Self { seq: Seq::default(), ..self.clone() };
        Digest::of(&serde_json::to_vec(&said).expect("a record is plain data and always serialises"))
    }

    /// Whether somebody may know that the record exists: everybody, where it is for the federation; else its owner and
    /// the participants it lists.
    pub fn is_discoverable_by(&self, participant: Option<&Identity>) -> bool {
        self.dataset.visibility == Visibility::Federation
            || participant.is_some_and(|asker| *asker == self.owner || self.dataset.listed.contains(asker))
    }
}

/// Why a dataset is no longer to be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdrawn {
    /// The reason, for those who hold it.
    #[serde(deserialize_with = "bounds::prose")]
    pub reason: String,
    /// What to use in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor: Option<Iri>,
}

/// An organisation or a person in a public role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agent {
    /// Its name.
    #[serde(deserialize_with = "bounds::title")]
    pub name: Text,
    /// Its IRI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iri: Option<Iri>,
    /// ADMS publisher type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Iri>,
}

/// Whom to ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// The name of the desk.
    #[serde(deserialize_with = "bounds::line")]
    pub name: String,
    /// Its e-mail address, without `mailto:`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    /// Its page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<Iri>,
}

/// Where an imported record came from. A second import matches on `name` and `iri`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The source's name, such as `data.gov.be`.
    #[serde(deserialize_with = "bounds::line")]
    pub name: String,
    /// The record's IRI there.
    pub iri: Iri,
    /// The digest of what was read, so that an unchanged record is known.
    pub digest: Digest,
}

/// Who may see the data (EU access-right table).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessRights {
    /// Everybody.
    Public,
    /// Under conditions.
    Restricted,
    /// Not for the public.
    NonPublic,
    /// Nobody said.
    #[default]
    NotStated,
}

impl AccessRights {
    /// The value as the API and the facets spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Restricted => "restricted",
            Self::NonPublic => "non_public",
            Self::NotStated => "not_stated",
        }
    }
}

/// Who may discover the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Every member of the federation.
    #[default]
    Federation,
    /// The owner and the listed participants, on their own node.
    Private,
}

/// Whether text and data mining is reserved (TDMRep).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TdmReservation {
    /// Reserved: ask first.
    Reserved,
    /// Not reserved.
    NotReserved,
    /// Nobody said.
    #[default]
    NotStated,
}

/// A form in which the dataset is offered.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Distribution {
    /// Its name.
    #[serde(deserialize_with = "bounds::some_title", skip_serializing_if = "Option::is_none")]
    pub title: Option<Text>,
    /// What is in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<Text>,
    /// Where to get it or read about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_url: Option<Iri>,
    /// Where the bytes are, for public data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub download_url: Option<Iri>,
    /// Format: EU file-type code such as `CSV`, `PARQUET`, `JSONL`, or what the source wrote.
    #[serde(deserialize_with = "bounds::some_line", skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// IANA media type.
    #[serde(deserialize_with = "bounds::some_line", skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// Size in bytes.
    #[serde(deserialize_with = "bounds::some_count", skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// SHA-256 of the whole, where it is one file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Digest>,
    /// Its own licence where it differs from the dataset's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub licence: Option<Licence>,
    /// The shards that this node serves under an agreement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manifest: Option<Manifest>,
}

/// A table in the data (Croissant RecordSet).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordSet {
    /// Its name.
    #[serde(deserialize_with = "bounds::line")]
    pub name: String,
    /// What a record is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Text>,
    /// Its columns.
    #[serde(
        deserialize_with = "bounds::list::<_, _, { bounds::LIST }>",
        default,
        skip_serializing_if = "Vec::is_empty"
    )]
    pub columns: Vec<Column>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its name.
    #[serde(deserialize_with = "bounds::line")]
    pub name: String,
    /// Its type, such as `sc:Text` or `sc:Integer`.
    #[serde(deserialize_with = "bounds::some_line", default, skip_serializing_if = "Option::is_none")]
    pub data_type: Option<String>,
    /// What it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Text>,
}

impl Dataset {
    /// The formats of its distributions, each once, as facet values.
    pub fn formats(&self) -> Vec<&str> {
        let mut formats: Vec<&str> = self.distributions.iter().filter_map(|d| d.format.as_deref()).collect();
        formats.sort_unstable();
        formats.dedup();
        formats
    }

    /// The size of all distributions that state one, in bytes.
    pub fn total_bytes(&self) -> Option<u64> {
        let sizes: Vec<u64> = self
            .distributions
            .iter()
            .filter_map(|d| d.manifest.as_ref().map(Manifest::total_bytes).or(d.bytes))
            .collect();
        (!sizes.is_empty()).then(|| sizes.iter().fold(0u64, |sum, bytes| sum.saturating_add(*bytes)))
    }

    /// The manifest of the first distribution that has shards: what an agreement releases.
    pub fn manifest(&self) -> Option<&Manifest> {
        self.distributions.iter().find_map(|d| d.manifest.as_ref())
    }
}
