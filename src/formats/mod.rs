//! Other people's words about datasets, read into ours.
//!
//! A format turns text into [`Draft`]s: what a record says, as far as it says it, in the shape that the API takes. What
//! cannot be read is a [`Refused`] with its place and reason, and the rest goes on. Nothing is invented: what a record does
//! not say is not stated, and what it says wrongly is left out with a note.

pub mod citation;
pub mod ckan;
mod contact;
pub mod croissant;
pub mod dcat;
pub mod detect;
pub mod document;
mod draft;
pub mod export;
pub mod hf_card;
pub mod hydra;
pub mod lines;
mod linked;
pub mod mapping;
pub mod oai_pmh;
pub mod ours;
mod said;
pub mod schema_org;
pub mod table;
mod text;
pub mod yaml;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::dataset::Source;

pub use draft::Common;

/// A record of another catalogue, ready to be registered.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// Where it was read from; also in `dataset`.
    pub source: Source,
    /// The dataset as the API takes it: without an id, and without a country where none was given.
    pub dataset: Value,
    /// What the record said that could not be kept as it was, one sentence each.
    pub notes: Vec<String>,
    /// The record in its source's own words, kept beside it so that nothing is lost in translation.
    pub text: String,
}

/// The media type of a text in a format that a source was said to have ([`Source::format`]). What is not known is plain
/// text.
pub fn media_type(format: Option<&str>) -> &'static str {
    // The version follows the name: `croissant-1.1`.
    const KNOWN: [(&str, &str); 9] = [
        ("dcat", "application/n-triples"),
        ("croissant", "application/ld+json"),
        ("schema", "application/ld+json"),
        ("ckan", "application/json"),
        ("json", "application/json"),
        ("yaml", "application/yaml"),
        ("csv", "text/csv; charset=utf-8"),
        ("tsv", "text/tab-separated-values; charset=utf-8"),
        ("oai", "application/xml"),
    ];
    let known = KNOWN.iter().find(|(name, _)| format.is_some_and(|format| format.starts_with(name)));
    known.map_or("text/plain; charset=utf-8", |(_, media_type)| media_type)
}

/// Something that could not be read: a record, or a place in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct Refused {
    /// Where: the record's IRI, or the file and line.
    pub place: String,
    /// Why, and what would mend it.
    pub reason: String,
}

#[cfg(test)]
mod round_trip;
#[cfg(test)]
pub(crate) mod samples;
