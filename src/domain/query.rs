//! A question: what a person asked ([`Query`]), and what crosses the wire of it ([`Analysed`]).
//!
//! The coordinator parses and analyses; a peer is sent terms as the index knows them, so that both count the same things.
//! The language that people write is read in `domain::language`.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::dataset::BoundingBox;
use super::ids::{Country, LanguageTag, Seq};

/// What a person asked, read from the parameters of a search.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Query {
    /// The words, in the query language; `None` asks for everything.
    pub text: Option<Expression>,
    /// Languages the reader reads, best first, at most three; they decide how the words are analysed.
    pub languages: Vec<LanguageTag>,
    /// Constraints.
    pub filters: Filters,
    /// The order.
    pub sort: Sort,
    /// How many hits.
    pub limit: usize,
    /// Which facets to count.
    pub facets: Vec<FacetField>,
    /// Wait, bounded, until the local index has applied this position.
    pub min_seq: Option<Seq>,
}

/// The query language's tree, flat where it can be. Columns (1-based, in characters) point into the text for errors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expression {
    /// A word, as written.
    Word {
        /// In which field; `None` means all.
        field: Option<TextField>,
        /// The word as written.
        word: String,
    },
    /// A word's beginning: `parl*`.
    Prefix {
        /// In which field; `None` means all.
        field: Option<TextField>,
        /// The beginning.
        prefix: String,
    },
    /// Words in sequence.
    Phrase {
        /// In which field; `None` means all.
        field: Option<TextField>,
        /// The words as written.
        words: Vec<String>,
    },
    /// A constraint written in the query: `country:FI`.
    Filter {
        /// The field.
        field: FacetField,
        /// The value.
        value: String,
    },
    /// All of these.
    And(Vec<Expression>),
    /// At least one of these.
    Or(Vec<Expression>),
    /// None of this.
    Not(Box<Expression>),
}

/// A field of text that words are looked for in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextField {
    /// Title, description, keywords, publisher and columns together: what a bare word is looked for in.
    All,
    /// The title alone, which weighs more.
    Title,
    /// Descriptions alone.
    Description,
    /// Keywords alone.
    Keyword,
    /// Publisher and creators alone.
    Publisher,
    /// The concepts that the record carries, by IRI: themes, languages, places, purposes, formats. A bare word is widened
    /// to the concepts in whose labels it stands, so that an English word finds a Finnish record by its theme.
    Label,
}

impl TextField {
    /// All of them, in the order of their declaration.
    pub const ALL: [Self; 6] = [Self::All, Self::Title, Self::Description, Self::Keyword, Self::Publisher, Self::Label];

    /// The field's name in the query language, on the wire and in the index.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Title => "title",
            Self::Description => "description",
            Self::Keyword => "keyword",
            Self::Publisher => "publisher",
            Self::Label => "label",
        }
    }
}

/// A field with exact values that are counted and filtered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FacetField {
    /// ISO 3166-1 alpha-2.
    Country,
    /// Theme IRI.
    Theme,
    /// Kind of content.
    Modality,
    /// Primary language of the content.
    Language,
    /// `LicenceClass`.
    LicenceClass,
    /// The licence's label: SPDX id or IRI.
    Licence,
    /// `AccessRights`.
    Access,
    /// `PersonalData`.
    PersonalData,
    /// Article 6 legal basis, IRI.
    LegalBasis,
    /// Purpose, IRI.
    Purpose,
    /// Format.
    Format,
    /// Publisher's name as shown.
    Publisher,
    /// What it was made from, IRI.
    DerivedFrom,
    /// The dataset of which it is a version, IRI.
    VersionOf,
    /// The series it belongs to, IRI.
    Series,
}

impl FacetField {
    /// All of them, in the order of a page.
    pub const ALL: [Self; 15] = [
        Self::Country,
        Self::Theme,
        Self::Modality,
        Self::Language,
        Self::LicenceClass,
        Self::Licence,
        Self::Access,
        Self::PersonalData,
        Self::LegalBasis,
        Self::Purpose,
        Self::Format,
        Self::Publisher,
        Self::DerivedFrom,
        Self::VersionOf,
        Self::Series,
    ];

    /// The field's name as parameter, in the query language, on the wire and in the index.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Country => "country",
            Self::Theme => "theme",
            Self::Modality => "modality",
            Self::Language => "language",
            Self::LicenceClass => "licence_class",
            Self::Licence => "licence",
            Self::Access => "access",
            Self::PersonalData => "personal_data",
            Self::LegalBasis => "legal_basis",
            Self::Purpose => "purpose",
            Self::Format => "format",
            Self::Publisher => "publisher_name",
            Self::DerivedFrom => "derived_from",
            Self::VersionOf => "version_of",
            Self::Series => "series",
        }
    }

    /// The values it may have, where they are a closed list.
    pub fn allowed(self) -> Option<&'static [&'static str]> {
        match self {
            Self::Modality => {
                Some(&["text", "image", "audio", "video", "tabular", "timeseries", "graph", "code", "geo", "other"])
            }
            Self::LicenceClass => Some(&[
                "public_domain",
                "attribution",
                "share_alike",
                "non_commercial",
                "no_derivatives",
                "other",
                "not_stated",
            ]),
            Self::Access => Some(&["public", "restricted", "non_public", "not_stated"]),
            Self::PersonalData => Some(&["no", "anonymised", "pseudonymised", "yes", "not_stated"]),
            Self::Country
            | Self::Theme
            | Self::Language
            | Self::Licence
            | Self::LegalBasis
            | Self::Purpose
            | Self::Format
            | Self::Publisher
            | Self::DerivedFrom
            | Self::VersionOf
            | Self::Series => None,
        }
    }

    /// A constraint's value as the index spells it, or what is allowed.
    pub fn canonical(self, value: &str) -> Result<String, String> {
        match (self, self.allowed()) {
            (Self::Country, _) => {
                let code = value.to_ascii_uppercase();
                code.parse::<Country>().map(|country| country.to_string()).map_err(|invalid| invalid.to_string())
            }
            (Self::Language, _) => Ok(value.split('-').next().unwrap_or(value).to_ascii_lowercase()),
            (Self::Format, _) => Ok(value.to_uppercase()),
            (_, None) => Ok(value.to_owned()),
            (_, Some(allowed)) => {
                let lower = value.to_ascii_lowercase();
                if allowed.contains(&lower.as_str()) {
                    Ok(lower)
                } else {
                    Err(format!("{} is one of {}", self.as_str(), allowed.join(", ")))
                }
            }
        }
    }

    /// The field of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.as_str() == name)
    }
}

/// Constraints. Each must hold; the values of one facet field are alternatives.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Filters {
    /// Exact values by field.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub facets: BTreeMap<FacetField, Vec<String>>,
    /// Exactly these datasets: ids, persistent identifiers or source IRIs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<String>,
    /// Modified (else issued) on or after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modified_from: Option<Date>,
    /// Modified (else issued) on or before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modified_to: Option<Date>,
    /// Covers some day on or after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub covers_from: Option<Date>,
    /// Covers some day on or before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub covers_to: Option<Date>,
    /// At least this many bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_min: Option<u64>,
    /// At most this many bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_max: Option<u64>,
    /// Touches this box.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bbox: Option<BoundingBox>,
}

/// The order of the hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// Best first.
    #[default]
    Relevance,
    /// Last modified first; undated last.
    Modified,
    /// By title in code point order of its folded form.
    Title,
    /// Largest first; unknown last.
    Size,
}

/// What crosses the wire: the question in terms as the index knows them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Analysed {
    /// Which documents match; `None` matches everything.
    pub matching: Option<Match>,
    /// The terms that are counted for the rank; a component names one by its place here.
    pub scored: Vec<ScoredTerm>,
    /// Constraints.
    pub filters: Filters,
    /// The order.
    pub sort: Sort,
    /// The facets to count.
    pub facets: Vec<FacetField>,
    /// The analyser that made the terms; a peer with another one says so.
    pub analyser: String,
}

/// Which documents match.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Match {
    /// Holds this term.
    Term(Term),
    /// Holds a term that begins so.
    Prefix(Term),
    /// Holds these terms in sequence; each place may be any of its alternatives.
    Phrase(TextField, Vec<Vec<String>>),
    /// Has this value.
    Facet(FacetField, String),
    /// All of these.
    All(Vec<Match>),
    /// At least one of these.
    Any(Vec<Match>),
    /// None of this.
    Not(Box<Match>),
}

/// An analysed term in a field.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Term {
    /// The field.
    pub field: TextField,
    /// The token.
    pub text: String,
}

/// A term with its weight in the rank, and the kind of component it makes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoredTerm {
    /// What kind of component.
    pub kind: ComponentKind,
    /// The term or, for a phrase, its field and words joined by a space.
    pub term: Term,
    /// What its BM25 is multiplied with.
    pub weight: f32,
}

/// The closed list of what a rank is a sum of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ComponentKind {
    /// A term of the text.
    Term,
    /// A phrase.
    Phrase,
    /// A vocabulary label of a concept that the record carries.
    Label,
    /// The whole query is the title, or its beginning.
    TitleTier,
}
