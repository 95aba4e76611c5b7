//! Somebody's own columns to our fields: a mapping file, in TOML or YAML, which `docs/import.md` explains with an example.
//!
//! A mapping says how a record's IRI is made, which column is which field, how a cell is divided and translated, and what is
//! the same for every record. It is read once and checked whole: a field that does not exist or a column that the table does
//! not have is an error that names the nearest, because a slip of the pen must not become thousands of silent records.

mod apply;
mod fields;
mod files;
mod written;

use std::collections::BTreeMap;

use serde_json::Value;

use super::draft::Common;
use super::{Draft, Refused};
use crate::domain::ids::LanguageTag;
use fields::Field;

/// How the columns or fields of somebody's records become ours.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// Templates of the record's IRI; the first that makes one counts.
    iri: Vec<String>,
    /// The language of texts for which no other is given.
    language: Option<LanguageTag>,
    /// How a table is written.
    pub(super) table: Shape,
    /// Each column with what becomes of it, in the order of the names.
    columns: BTreeMap<String, Vec<Target>>,
    /// What every record says.
    constants: Vec<(&'static Field, Vec<String>)>,
    /// The digest of the file, so that a changed mapping revises what it read before.
    version: String,
}

/// How a table is written.
#[derive(Debug, Clone, Default)]
pub(super) struct Shape {
    /// The character between cells, where it is not the format's own.
    pub(super) delimiter: Option<u8>,
    /// The character around cells.
    pub(super) quote: Option<u8>,
    /// The name of the encoding.
    pub(super) encoding: Option<&'static encoding_rs::Encoding>,
}

/// What becomes of a column.
#[derive(Debug, Clone)]
struct Target {
    field: &'static Field,
    language: Option<LanguageTag>,
    separator: Option<String>,
    template: Option<String>,
    values: BTreeMap<String, String>,
}

impl Mapping {
    /// Reads a mapping file: TOML, or YAML where the name says so.
    pub fn read(text: &str, name: &str) -> Result<Self, String> {
        let lower = name.to_ascii_lowercase();
        let value: Value = if lower.ends_with(".yaml") || lower.ends_with(".yml") {
            super::yaml::value(text).map_err(|fault| fault.to_string())?
        } else {
            toml::from_str(text).map_err(|error: toml::de::Error| error.to_string().trim().replace('\n', " "))?
        };
        written::mapping(&value, text)
    }

    /// The columns that it names.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        let in_templates = self.iri.iter().flat_map(|template| placeholders(template));
        self.columns.keys().map(String::as_str).chain(in_templates)
    }

    /// The columns that it names and that are not among these, each with the nearest that is.
    pub(super) fn missing<'c>(&self, there: &[&'c str]) -> Vec<(String, Option<&'c str>)> {
        let mut missing: Vec<&str> = self.columns().filter(|column| !there.contains(column)).collect();
        missing.sort_unstable();
        missing.dedup();
        missing.into_iter().map(|column| (column.to_owned(), nearest(column, there.iter().copied()))).collect()
    }

    /// Makes a draft of a record. `place` says where it stands, for a refusal.
    pub(super) fn draft(
        &self,
        cell: &dyn Fn(&str) -> Option<Value>,
        text: String,
        place: &str,
        common: &Common,
    ) -> Result<Draft, Refused> {
        apply::draft(self, cell, text, place, common)
    }
}

/// The names between braces in a template.
fn placeholders(template: &str) -> impl Iterator<Item = &str> {
    template
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}'))
        .map(|(name, _)| name)
        .filter(|name| !name.is_empty())
}

/// The nearest of several names.
fn nearest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let name: String = name.chars().take(64).collect::<String>().to_lowercase();
    known
        .into_iter()
        .filter(|other| other.len() <= 200)
        .min_by_key(|other| strsim::damerau_levenshtein(&name, &other.to_lowercase()))
}

#[cfg(test)]
mod tests;
