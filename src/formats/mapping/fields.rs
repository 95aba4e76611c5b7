//! The fields that a column can be, by their names in our JSON.

use jiff::civil::Date;

use crate::domain::dataset::{Dataset, Distribution};
use crate::domain::ids::Iri;
use crate::domain::text::Text;

/// A field by its path.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
}

/// How the values of a field are read, and where they go.
#[derive(Debug)]
pub(super) enum Kind {
    Title,
    Prose(fn(&mut Dataset) -> &mut Option<Text>),
    Passage(fn(&mut Dataset) -> &mut Option<String>),
    Line(fn(&mut Dataset) -> &mut Option<String>),
    Lines(fn(&mut Dataset) -> &mut Vec<String>),
    Iri(fn(&mut Dataset) -> &mut Option<Iri>),
    Iris(fn(&mut Dataset) -> &mut Vec<Iri>),
    Day(fn(&mut Dataset) -> &mut Option<Date>),
    Count(fn(&mut Dataset) -> &mut Option<u64>),
    /// One of a few words, such as `public`.
    Word(&'static str),
    Special(Special),
    /// A part of the distributions: the first value belongs to the first of them.
    File(fn(&mut Distribution, &str) -> Result<(), String>),
}

/// Fields that are read in a way of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Special {
    Keywords,
    Themes,
    Languages,
    Frequency,
    Identifiers,
    PublisherName,
    PublisherIri,
    Creators,
    ContactName,
    ContactEmail,
    ContactPage,
    Spatial,
    TemporalStart,
    TemporalEnd,
    Licence,
    Country,
    Modalities,
}

const fn field(name: &'static str, kind: Kind) -> Field {
    Field { name, kind }
}

/// Every field, in the order in which they are filled in.
pub(super) static FIELDS: [Field; 66] = [
    field("title", Kind::Title),
    field("description", Kind::Prose(|d| &mut d.description)),
    field("keywords", Kind::Special(Special::Keywords)),
    field("themes", Kind::Special(Special::Themes)),
    field("publisher", Kind::Special(Special::PublisherName)),
    field("publisher.name", Kind::Special(Special::PublisherName)),
    field("publisher.iri", Kind::Special(Special::PublisherIri)),
    field("creators", Kind::Special(Special::Creators)),
    field("contact.name", Kind::Special(Special::ContactName)),
    field("contact.email", Kind::Special(Special::ContactEmail)),
    field("contact.page", Kind::Special(Special::ContactPage)),
    field("country", Kind::Special(Special::Country)),
    field("languages", Kind::Special(Special::Languages)),
    field("spatial", Kind::Special(Special::Spatial)),
    field("temporal.start", Kind::Special(Special::TemporalStart)),
    field("temporal.end", Kind::Special(Special::TemporalEnd)),
    field("frequency", Kind::Special(Special::Frequency)),
    field("access_rights", Kind::Word("/access_rights")),
    field("visibility", Kind::Word("/visibility")),
    field("tdm_reservation", Kind::Word("/tdm_reservation")),
    field("tdm_policy", Kind::Iri(|d| &mut d.tdm_policy)),
    field("gdpr.personal_data", Kind::Word("/gdpr/personal_data")),
    field("gdpr.categories", Kind::Iris(|d| &mut d.gdpr.categories)),
    field("gdpr.legal_basis", Kind::Iris(|d| &mut d.gdpr.legal_basis)),
    field("gdpr.purposes", Kind::Iris(|d| &mut d.gdpr.purposes)),
    field("gdpr.data_subjects", Kind::Iris(|d| &mut d.gdpr.data_subjects)),
    field("applicable_legislation", Kind::Iris(|d| &mut d.applicable_legislation)),
    field("issued", Kind::Day(|d| &mut d.issued)),
    field("modified", Kind::Day(|d| &mut d.modified)),
    field("version", Kind::Line(|d| &mut d.version)),
    field("version_notes", Kind::Prose(|d| &mut d.version_notes)),
    field("version_of", Kind::Iri(|d| &mut d.version_of)),
    field("series", Kind::Iris(|d| &mut d.series)),
    field("kind", Kind::Iri(|d| &mut d.kind)),
    field("citation", Kind::Passage(|d| &mut d.citation)),
    field("provenance", Kind::Prose(|d| &mut d.provenance)),
    field("conforms_to", Kind::Iris(|d| &mut d.conforms_to)),
    field("identifiers", Kind::Special(Special::Identifiers)),
    field("landing_pages", Kind::Iris(|d| &mut d.landing_pages)),
    field("documentation", Kind::Iris(|d| &mut d.documentation)),
    field("derived_from", Kind::Iris(|d| &mut d.derived_from)),
    field("licence", Kind::Special(Special::Licence)),
    field("rights", Kind::Prose(|d| &mut d.rights)),
    field("training.modalities", Kind::Special(Special::Modalities)),
    field("training.tasks", Kind::Lines(|d| &mut d.training.tasks)),
    field("training.record_count", Kind::Count(|d| &mut d.training.record_count)),
    field("training.collection_method", Kind::Prose(|d| &mut d.training.collection_method)),
    field("training.collection_types", Kind::Lines(|d| &mut d.training.collection_types)),
    field("training.raw_data", Kind::Prose(|d| &mut d.training.raw_data)),
    field("training.preparation", Kind::Prose(|d| &mut d.training.preparation)),
    field("training.annotation", Kind::Prose(|d| &mut d.training.annotation)),
    field("training.assumptions", Kind::Prose(|d| &mut d.training.assumptions)),
    field("training.known_biases", Kind::Prose(|d| &mut d.training.known_biases)),
    field("training.bias_measures", Kind::Prose(|d| &mut d.training.bias_measures)),
    field("training.sensitive_information", Kind::Prose(|d| &mut d.training.sensitive_information)),
    field("training.gaps", Kind::Prose(|d| &mut d.training.gaps)),
    field("training.intended_use", Kind::Prose(|d| &mut d.training.intended_use)),
    field("training.out_of_scope", Kind::Prose(|d| &mut d.training.out_of_scope)),
    field("distributions.title", Kind::File(super::files::title)),
    field("distributions.access_url", Kind::File(super::files::access_url)),
    field("distributions.download_url", Kind::File(super::files::download_url)),
    field("distributions.format", Kind::File(super::files::format)),
    field("distributions.media_type", Kind::File(super::files::media_type)),
    field("distributions.bytes", Kind::File(super::files::bytes)),
    field("distributions.sha256", Kind::File(super::files::sha256)),
    field("distributions.licence", Kind::File(super::files::licence)),
];
