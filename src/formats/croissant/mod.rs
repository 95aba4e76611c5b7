//! Croissant: datasets for machine learning in the words of schema.org, with the files, tables and columns that they
//! consist of (MLCommons Croissant 0.8, 1.0 and 1.1, and its vocabulary for responsible AI).
//!
//! [`read`] refuses what the standard's own validator refuses, and names the object and the property ([`check`]); then it
//! keeps what the model has a field for. [`fn@write`] makes Croissant 1.1 that the validator accepts, with what the
//! standard leaves to other vocabularies: policies in ODRL, personal data in DPV, provenance in PROV. One table,
//! [`terms`], says which field is which term, and both directions go by it. No context is ever fetched.

mod check;
mod files;
mod ids;
mod law;
mod policy;
mod records;
mod terms;
mod types;
mod write;

use serde_json::Value;

pub use write::write;

use super::draft::{self, Common, Notes, Read};
use super::linked::{Document, Node};
use super::schema_org::describe;
use super::{Draft, Refused};
use crate::domain::dataset::Dataset;
use crate::domain::ids::Iri;
use crate::domain::text::Text;

/// Counted up when the same record is to be read differently, so that a second import revises what the first one made.
const MAPPING: &str = "croissant-1";

/// A version of the standard that is read here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    V0_8,
    V1_0,
    V1_1,
}

impl Version {
    /// The version that a document says it follows. One that says nothing is 0.8, which had no word for it.
    fn of(root: &Node) -> Self {
        let standards = root.references("dct:conformsTo");
        let says = |version: &str| standards.iter().any(|standard| standard.trim_end_matches('/').ends_with(version));
        if says("/croissant/1.1") {
            Self::V1_1
        } else if says("/croissant/1.0") {
            Self::V1_0
        } else if standards.iter().any(|standard| is_own_standard(standard)) {
            Self::V1_1
        } else {
            Self::V0_8
        }
    }

    fn format(self) -> &'static str {
        match self {
            Self::V0_8 => "croissant-0.8",
            Self::V1_0 => "croissant-1.0",
            Self::V1_1 => "croissant-1.1",
        }
    }
}

/// Whether a standard is Croissant or one of its extensions, which the format of a record says already.
fn is_own_standard(iri: &str) -> bool {
    let bare = iri.trim_start_matches("https://").trim_start_matches("http://").trim_start_matches("www.");
    bare.starts_with("mlcommons.org/croissant/")
}

/// Whether a document is Croissant: a dataset that says so, or one with the files or tables of Croissant.
pub fn is_one(value: &Value) -> bool {
    let Ok(document) = Document::read(value) else { return false };
    document.nodes.iter().any(|node| {
        let says_so = node.references("dct:conformsTo").iter().any(|standard| is_own_standard(standard));
        let files = node.nodes("schema:distribution").map(|file| document.resolve(file));
        let mut kinds = files.flat_map(|file| &file.types);
        let has_files =
            kinds.any(|kind| check::FILE_OBJECT.iter().chain(check::FILE_SET).any(|known| *known == kind.as_ref()));
        says_so || has_files || node.has("cr:recordSet")
    })
}

/// Reads a document, which is one dataset.
pub fn read(text: &str, common: &Common) -> Result<Draft, Refused> {
    let value: Value = serde_json::from_str(text.trim_start_matches('\u{feff}'))
        .map_err(|error| Refused { place: "/".to_owned(), reason: format!("it is not JSON: {error}") })?;
    read_value(&value, text, common)
}

/// Reads a document that is JSON already; `text` is what is kept of it.
pub(super) fn read_value(value: &Value, text: &str, common: &Common) -> Result<Draft, Refused> {
    let document = Document::read(value)?;
    let Some(root) = document.nodes.iter().find(|node| node.is("schema:Dataset")) else {
        let found =
            document.nodes.iter().flat_map(|node| &node.types).map(AsRef::as_ref).collect::<Vec<&str>>().join(", ");
        let reason = format!("the @type is {found:?} and must be https://schema.org/Dataset");
        return Err(Refused { place: "/@type".to_owned(), reason });
    };
    let version = Version::of(root);
    check::check(&document, root, version)?;
    let mut notes = Notes::default();
    let (title, iri) = names(root, &mut notes)?;
    let mut dataset = draft::empty(title, common);
    describe::describe(&document, root, &iri, &mut dataset, &mut notes);
    fill(&document, root, version, &mut dataset, &mut notes);
    draft::finish(Read { dataset, iri, notes, text: text.to_owned() }, version.format(), MAPPING, common)
}

fn fill(document: &Document, root: &Node, version: Version, dataset: &mut Dataset, notes: &mut Notes) {
    terms::read(root, dataset, notes);
    law::read(document, root, dataset, notes);
    policy::read(root, dataset, notes);
    dataset.conforms_to.retain(|standard| !is_own_standard(standard.as_str()));
    dataset.distributions = files::read(document, root, version, notes);
    let (record_sets, splits) = records::read(document, root, version, notes);
    dataset.record_sets = record_sets;
    dataset.training.splits = splits;
}

/// The title and the IRI. A document may do without an address, and before 1.1 without a name; one stands for the other.
fn names(root: &Node, notes: &mut Notes) -> Result<(Text, Iri), Refused> {
    let of_files = || {
        let urls = root.nodes("schema:distribution").flat_map(|file| file.references("schema:contentUrl"));
        urls.into_iter().find_map(|url| draft::parse_iri(&url))
    };
    let title = describe::title(root, notes);
    let iri = describe::iri(root).or_else(of_files).or_else(|| {
        let name = of_name(title.as_ref()?)?;
        notes.note("address: none is stated; the name stands for it, so that a record of the same name would be taken for this one");
        Some(name)
    });
    let title = title.or_else(|| {
        notes.note("title: none is stated; the address stands for it");
        describe::unsaid(iri.as_ref()?.as_str())
    });
    title.zip(iri).ok_or_else(|| Refused {
        place: format!("{}/name", root.at),
        reason: "the Dataset has neither a name nor an address (@id, url); state both".to_owned(),
    })
}

/// An identifier made of a name, for a record that has no other.
fn of_name(title: &Text) -> Option<Iri> {
    let name: String = url::form_urlencoded::byte_serialize(title.best(&[]).1.as_bytes()).collect();
    format!("urn:x-name:{name}").parse().ok()
}

#[cfg(test)]
mod tests;
