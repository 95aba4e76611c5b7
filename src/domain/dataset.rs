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
use super::lifecycle::State;
use super::manifest::Manifest;
use super::policy::Policy;
use super::text::{Keywords, Text};

// The parts of a dataset are named by it, whichever file describes them.
pub use super::health::Health;
pub use super::place::{BoundingBox, InvalidBox, Period, Place};
pub use super::training::{Annotation, Crawl, Modality, SourceCategory, Split, TokenCount, Training};

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
    /// The dataset of which this is a version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_of: Option<Iri>,
    /// The series it belongs to.
    #[serde(
        deserialize_with = "bounds::list::<_, _, { bounds::LIST }>",
        default,
        skip_serializing_if = "Vec::is_empty"
    )]
    pub series: Vec<Iri>,
    /// What kind of dataset it is: an entry of the EU dataset-type table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Iri>,
    /// How it is to be cited, in its authors' words.
    #[serde(deserialize_with = "bounds::some_prose", default, skip_serializing_if = "Option::is_none")]
    pub citation: Option<String>,
    /// Where it comes from, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provenance: Option<Text>,
    /// Standards that it follows.
    #[serde(
        deserialize_with = "bounds::list::<_, _, { bounds::LIST }>",
        default,
        skip_serializing_if = "Vec::is_empty"
    )]
    pub conforms_to: Vec<Iri>,
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
    /// What its source says about rights beside the licence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rights: Option<Text>,
    /// The policy offered, in ODRL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
    /// The reservation of text and data mining (Directive 2019/790, Article 4(3)).
    #[serde(default)]
    pub tdm_reservation: TdmReservation,
    /// Where the terms of text and data mining can be read (TDMRep `tdm-policy`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tdm_policy: Option<Iri>,
    /// Personal data.
    #[serde(default)]
    pub gdpr: Gdpr,
    /// What the European Health Data Space asks of health data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<Health>,
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
    /// How far it has come. A withdrawn record keeps the state that it was withdrawn from, so that a draft that was
    /// discarded stays unknown to others; [`Registered::stands`] says how it stands.
    #[serde(default, skip_serializing_if = "State::is_published")]
    pub state: State,
    /// Why this revision was made, in its steward's words, for whoever may see it.
    #[serde(deserialize_with = "bounds::some_prose", default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Why it was withdrawn, where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<Withdrawn>,
}

impl Registered {
    /// The first revision of a dataset, published.
    pub fn first(dataset: Dataset, owner: Identity, at: Timestamp) -> Self {
        Self {
            dataset,
            owner,
            revision: Revision::FIRST,
            registered: at,
            revised: at,
            seq: Seq::default(),
            state: State::Published,
            reason: None,
            withdrawn: None,
        }
    }

    /// How it stands in its life.
    pub fn stands(&self) -> State {
        if self.withdrawn.is_some() { State::Withdrawn } else { self.state }
    }

    /// The strong validator of this revision: the digest of its canonical JSON (fields in the order of the types, maps in
    /// the order of their keys, no white space). The position in the log is no part of it, because the log tells it.
    pub fn etag(&self) -> Digest {
        let said = Self { seq: Seq::default(), ..self.clone() };
        Digest::of(&serde_json::to_vec(&said).expect("a record is plain data and always serialises"))
    }

    /// Whether somebody may know that the record exists: everybody, where it is for the federation; else its owner and
    /// the participants it lists. What was never published is known to its owner alone.
    pub fn is_discoverable_by(&self, participant: Option<&Identity>) -> bool {
        self.is_for_everybody()
            || participant.is_some_and(|asker| {
                *asker == self.owner || (self.state.is_known() && self.dataset.listed.contains(asker))
            })
    }

    /// The record as somebody may see it: whom it lists is its owner's to know.
    pub fn as_seen_by(mut self, participant: Option<&Identity>) -> Self {
        if participant != Some(&self.owner) {
            self.dataset.listed.clear();
        }
        self
    }

    /// Whether everybody may know that the record exists.
    pub fn is_for_everybody(&self) -> bool {
        self.state.is_known() && self.dataset.visibility == Visibility::Federation
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
    /// The format of what was read, such as `croissant-1.1`.
    #[serde(deserialize_with = "bounds::some_line", default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
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
    /// How it is compressed: an IANA media type.
    #[serde(deserialize_with = "bounds::some_line", skip_serializing_if = "Option::is_none")]
    pub compress_format: Option<String>,
    /// How several files are packed into one: an IANA media type.
    #[serde(deserialize_with = "bounds::some_line", skip_serializing_if = "Option::is_none")]
    pub package_format: Option<String>,
    /// How long it will stay: an entry of the EU planned-availability table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub availability: Option<Iri>,
    /// How mature it is: an entry of the EU distribution-status table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Iri>,
    /// Standards and schemas that it follows.
    #[serde(deserialize_with = "bounds::list::<_, _, { bounds::LIST }>", skip_serializing_if = "Vec::is_empty")]
    pub conforms_to: Vec<Iri>,
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
    /// The columns that together name a record.
    #[serde(deserialize_with = "bounds::lines", default, skip_serializing_if = "Vec::is_empty")]
    pub key: Vec<String>,
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
    /// What its values mean: concepts and properties, by IRI.
    #[serde(
        deserialize_with = "bounds::list::<_, _, { bounds::LIST }>",
        default,
        skip_serializing_if = "Vec::is_empty"
    )]
    pub semantic_types: Vec<Iri>,
    /// Each value is a list.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repeated: bool,
    /// What it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Text>,
}

impl Dataset {
    /// Whether the address of a distribution's bytes is for everybody's eyes: the data is not restricted, and they are not
    /// shards, which an agreement releases.
    pub fn is_open(&self, distribution: &Distribution) -> bool {
        let is_restricted = matches!(self.access_rights, AccessRights::Restricted | AccessRights::NonPublic);
        !is_restricted && distribution.manifest.is_none()
    }

    /// A dataset of which only this is stated.
    pub fn new(id: DatasetId, title: Text, country: Country) -> Self {
        Self {
            id,
            title,
            country,
            description: None,
            keywords: Keywords::new(),
            themes: Vec::new(),
            publisher: None,
            creators: Vec::new(),
            contact: None,
            languages: Vec::new(),
            spatial: Vec::new(),
            temporal: Vec::new(),
            frequency: None,
            access_rights: AccessRights::default(),
            applicable_legislation: Vec::new(),
            issued: None,
            modified: None,
            version: None,
            version_notes: None,
            version_of: None,
            series: Vec::new(),
            kind: None,
            citation: None,
            provenance: None,
            conforms_to: Vec::new(),
            identifiers: Vec::new(),
            landing_pages: Vec::new(),
            documentation: Vec::new(),
            derived_from: Vec::new(),
            source: None,
            visibility: Visibility::default(),
            listed: Vec::new(),
            licence: None,
            rights: None,
            policy: None,
            tdm_reservation: TdmReservation::default(),
            tdm_policy: None,
            gdpr: Gdpr::default(),
            health: None,
            training: Training::default(),
            distributions: Vec::new(),
            record_sets: Vec::new(),
            fictitious: false,
        }
    }

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
