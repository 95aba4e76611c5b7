//! The forms in which a record leaves a node, and how a caller says which one is meant.
//!
//! A [`Form`] is asked for by a media type in `Accept` ([`negotiate`]) or by a suffix of the address ([`Form::of_name`]);
//! both are pure. A writer is handed the record and a [`Place`]: what a document must say of the node that publishes it.
//! The writers themselves are [`super::dcat`] and its neighbours, one file per standard.

mod accept;
mod render;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::domain::dataset::Agent;
use crate::domain::ids::{Country, DatasetId, Revision, TrustDomain};
use crate::domain::text::Text;

pub use accept::{Offer, best, negotiate};
pub use render::render;

pub use crate::formats::dcat::Profile;

/// What a document says of the node that publishes the record.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// The address of the node's web door, with a slash at its end.
    pub base: Url,
    /// The name of the node, and so of its catalogue.
    pub title: Text,
    /// The domain under which the ids of its datasets are minted.
    pub domain: TrustDomain,
    /// The countries that the node speaks for.
    pub countries: Vec<Country>,
    /// Who publishes the catalogue.
    pub publisher: Agent,
}

impl Place {
    /// A node that publishes its own catalogue. `base` may end without a slash.
    pub fn new(mut base: Url, title: Text, domain: TrustDomain, countries: Vec<Country>) -> Self {
        if !base.path().ends_with('/') {
            let path = format!("{}/", base.path());
            base.set_path(&path);
        }
        let publisher = Agent { name: title.clone(), iri: None, kind: None };
        Self { base, title, domain, countries, publisher }
    }

    /// The IRI of the catalogue.
    pub fn catalogue(&self) -> Url {
        self.below("api/v1/catalogue")
    }

    /// The address of the API, which serves every dataset of the catalogue.
    pub fn api(&self) -> Url {
        self.below("api/v1/")
    }

    /// The page of a dataset.
    pub fn page(&self, id: &DatasetId) -> Url {
        self.below(&format!("datasets/{}", id.local()))
    }

    /// The record of a dataset, in a form.
    pub fn document(&self, id: &DatasetId, form: Form) -> Url {
        self.below(&format!("api/v1/datasets/{}.{}", id.local(), form.suffix()))
    }

    /// A pinned revision of a dataset, in a form.
    pub fn revision(&self, id: &DatasetId, revision: Revision, form: Form) -> Url {
        self.below(&format!("api/v1/datasets/{}/revisions/{revision}.{}", id.local(), form.suffix()))
    }

    fn below(&self, path: &str) -> Url {
        // A path of letters, digits, `-`, `_`, `.` and `/` joins to every base.
        self.base.join(path).unwrap_or_else(|_| self.base.clone())
    }
}

/// A form in which a record can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// Our own JSON: the record as the API keeps it, nothing lost.
    Json,
    /// DCAT-AP with MLDCAT-AP and DPV as Turtle.
    Turtle,
    /// The same as JSON-LD.
    JsonLd,
    /// The same as RDF/XML.
    RdfXml,
    /// The same as N-Triples.
    NTriples,
    /// Croissant 1.1.
    Croissant,
    /// schema.org `Dataset`, as search engines read it.
    SchemaOrg,
    /// DataCite metadata as JSON.
    DataCite,
    /// A BibTeX entry.
    BibTex,
}

/// The profile by which JSON-LD says that it is Croissant 1.1.
pub const CROISSANT: &str = "http://mlcommons.org/croissant/1.1";
/// The profile by which JSON-LD says that it is schema.org.
pub const SCHEMA_ORG: &str = "https://schema.org/";

impl Form {
    /// Every form, the most preferred first: what `*/*` gets.
    pub const ALL: [Self; 9] = [
        Self::Json,
        Self::Turtle,
        Self::JsonLd,
        Self::RdfXml,
        Self::NTriples,
        Self::Croissant,
        Self::SchemaOrg,
        Self::DataCite,
        Self::BibTex,
    ];

    /// The forms of RDF, in which a whole catalogue can be had.
    pub const RDF: [Self; 4] = [Self::Turtle, Self::JsonLd, Self::RdfXml, Self::NTriples];

    /// The media type, as `Content-Type` says it.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Turtle => "text/turtle",
            Self::JsonLd => "application/ld+json",
            Self::RdfXml => "application/rdf+xml",
            Self::NTriples => "application/n-triples",
            Self::Croissant => "application/ld+json;profile=\"http://mlcommons.org/croissant/1.1\"",
            Self::SchemaOrg => "application/ld+json;profile=\"https://schema.org/\"",
            Self::DataCite => "application/vnd.datacite.datacite+json",
            Self::BibTex => "application/x-bibtex",
        }
    }

    /// What a file name or an address ends with, without its dot.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Turtle => "ttl",
            Self::JsonLd => "jsonld",
            Self::RdfXml => "rdf",
            Self::NTriples => "nt",
            Self::Croissant => "croissant.json",
            Self::SchemaOrg => "schema.json",
            Self::DataCite => "datacite.json",
            Self::BibTex => "bib",
        }
    }

    /// Its name for people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::Turtle => "DCAT-AP as Turtle",
            Self::JsonLd => "DCAT-AP as JSON-LD",
            Self::RdfXml => "DCAT-AP as RDF/XML",
            Self::NTriples => "DCAT-AP as N-Triples",
            Self::Croissant => "Croissant",
            Self::SchemaOrg => "schema.org",
            Self::DataCite => "DataCite",
            Self::BibTex => "BibTeX",
        }
    }

    /// The form of one media type, with its profile where it has one; parameters that say nothing here are left aside.
    pub fn from_media_type(media_type: &str) -> Option<Self> {
        if media_type.contains('*') || media_type.trim().is_empty() {
            return None;
        }
        negotiate(media_type, &Self::ALL)
    }

    /// The form of a suffix, without its dot.
    pub fn from_suffix(suffix: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.suffix() == suffix)
    }

    /// A name and the form that its suffix asks for: `corpus.croissant.json` is `corpus` as Croissant. The longest suffix
    /// counts; nothing where there is none, or nothing before it.
    pub fn of_name(name: &str) -> Option<(&str, Self)> {
        let found = Self::ALL.into_iter().filter_map(|form| {
            let stem = name.strip_suffix(form.suffix())?.strip_suffix('.')?;
            (!stem.is_empty()).then_some((stem, form))
        });
        found.min_by_key(|(stem, _)| stem.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_found_by_its_media_type_and_by_its_suffix() {
        for form in Form::ALL {
            assert_eq!(Form::from_media_type(form.media_type()), Some(form));
            assert_eq!(Form::from_suffix(form.suffix()), Some(form));
            assert_eq!(Form::of_name(&format!("corpus-1.0.{}", form.suffix())), Some(("corpus-1.0", form)));
        }
        assert_eq!(Form::from_media_type("text/turtle; charset=utf-8"), Some(Form::Turtle));
        for nothing in ["text/html", "*/*", "application/*", ""] {
            assert_eq!(Form::from_media_type(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn no_new_id_ends_like_a_form() {
        assert_eq!(Form::ALL.map(Form::suffix), crate::domain::ids::FORM_SUFFIXES);
        let id = |local: &str| format!("https://fi.pleiad.example/dataset/{local}").parse::<DatasetId>().unwrap();
        for form in Form::ALL {
            assert!(id(&format!("birds.{}", form.suffix())).form_suffix().is_some(), "{form:?}");
        }
        for plain in ["birds", "birds.v2", "ttl", "birds-ttl", "birds.ttl.v2"] {
            assert_eq!(id(plain).form_suffix(), None, "{plain}");
        }
    }

    #[test]
    fn the_longest_suffix_counts_and_a_name_without_one_is_a_name() {
        assert_eq!(Form::of_name("a.croissant.json"), Some(("a", Form::Croissant)));
        assert_eq!(Form::of_name("a.json"), Some(("a", Form::Json)));
        for plain in ["a", "a.v2", ".ttl", "ttl", ""] {
            assert_eq!(Form::of_name(plain), None, "{plain}");
        }
    }

    #[test]
    fn addresses_lie_below_the_web_door_wherever_it_is() {
        let place = |base: &str| {
            let title = Text::new("en".parse().unwrap(), "Finland").unwrap();
            Place::new(base.parse().unwrap(), title, "fi.example".parse().unwrap(), vec!["FI".parse().unwrap()])
        };
        let id: DatasetId = "https://fi.example/dataset/corpus".parse().unwrap();
        let behind_a_path = place("https://data.fi.example/pleiad");
        assert_eq!(behind_a_path.page(&id).as_str(), "https://data.fi.example/pleiad/datasets/corpus");
        let document = place("https://data.fi.example").document(&id, Form::Turtle);
        assert_eq!(document.as_str(), "https://data.fi.example/api/v1/datasets/corpus.ttl");
        assert_eq!(behind_a_path.catalogue().as_str(), "https://data.fi.example/pleiad/api/v1/catalogue");
    }
}
