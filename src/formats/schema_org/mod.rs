//! schema.org `Dataset`: the words by which search engines know datasets, and on which Croissant builds.
//!
//! [`read`] takes a JSON-LD document, or a web page with such documents in it, and gives every dataset that it describes:
//! one at the top, those of a `DataCatalog`, those of a `@graph`. [`fn@write`] makes what Google's Dataset Search documents as
//! required: a name, a description of 50 to 5,000 characters, and licence, creator and distribution where they are stated.
//! `describe` has the part that [`super::croissant`] reads in the same way.

pub(crate) mod base;
pub(crate) mod coverage;
pub(crate) mod describe;
pub(crate) mod files;
pub(crate) mod html;
pub(crate) mod licence;
pub(crate) mod parties;
pub(crate) mod words;
mod write;

use serde_json::Value;

pub use write::write;

use super::draft::{self, Common, Notes, Read};
use super::linked::{Document, Node, place};
use super::{Draft, Refused, croissant};
use crate::domain::dataset::{Column, RecordSet};

/// Counted up when the same record is to be read differently, so that a second import revises what the first one made.
const MAPPING: &str = "schema-org-1";

/// The most datasets of one document.
const DATASETS: usize = 10_000;

/// Whether a document describes datasets in the words of schema.org. Croissant does too, so ask [`super::croissant`] first.
pub fn is_one(value: &Value) -> bool {
    Document::read(value).is_ok_and(|document| !datasets(&document).is_empty())
}

/// Reads every dataset of a document or of a web page. A document that is Croissant is read as such, wherever it stands.
pub fn read(text: &str, common: &Common) -> Vec<Result<Draft, Refused>> {
    let refuse = |place: &str, reason: String| vec![Err(Refused { place: place.to_owned(), reason })];
    if !html::is_page(text) {
        return match serde_json::from_str(text.trim_start_matches('\u{feff}')) {
            Ok(value) => read_value(&value, common),
            Err(error) => refuse("/", format!("it is not JSON: {error}")),
        };
    }
    let scripts = html::scripts(text);
    if scripts.is_empty() {
        return refuse(
            "/",
            "the page has no <script type=\"application/ld+json\">, so it describes no dataset".to_owned(),
        );
    }
    let mut records = Vec::new();
    for (number, script) in scripts.iter().enumerate() {
        match serde_json::from_str(script) {
            Ok(value) => records.extend(found(&value, common).unwrap_or_else(|refused| vec![Err(refused)])),
            Err(error) => {
                let reason = format!("it is not JSON: {error}");
                records.push(Err(Refused { place: format!("script {}", number + 1), reason }));
            }
        }
    }
    if records.is_empty() {
        return refuse("/", "none of the page's JSON-LD describes a schema.org Dataset".to_owned());
    }
    records
}

fn read_value(value: &Value, common: &Common) -> Vec<Result<Draft, Refused>> {
    match found(value, common) {
        Ok(records) if records.is_empty() => {
            let reason = "nothing in it is of @type https://schema.org/Dataset".to_owned();
            vec![Err(Refused { place: "/@type".to_owned(), reason })]
        }
        Ok(records) => records,
        Err(refused) => vec![Err(refused)],
    }
}

fn found(value: &Value, common: &Common) -> Result<Vec<Result<Draft, Refused>>, Refused> {
    let document = Document::read(value)?;
    let nodes = datasets(&document);
    if nodes.len() == 1 && croissant::is_one(value) {
        return Ok(vec![croissant::read_value(value, &value.to_string(), common)]);
    }
    if nodes.len() > DATASETS {
        let reason = format!("it describes {} datasets, and one document has at most {DATASETS}", nodes.len());
        return Err(Refused { place: "/".to_owned(), reason });
    }
    Ok(nodes.into_iter().map(|node| one(&document, node, value, common)).collect())
}

/// The datasets of a document: at its top, and in the catalogues at its top.
fn datasets(document: &Document) -> Vec<&Node> {
    let mut found: Vec<&Node> = Vec::new();
    for node in &document.nodes {
        if node.is("schema:Dataset") {
            found.push(node);
        }
        if node.is("schema:DataCatalog") {
            found.extend(
                node.nodes("schema:dataset")
                    .map(|node| document.resolve(node))
                    .filter(|node| node.is("schema:Dataset")),
            );
        }
    }
    let mut seen = std::collections::HashSet::new();
    found.retain(|node| seen.insert(node.at.as_str()));
    found
}

fn one(document: &Document, node: &Node, whole: &Value, common: &Common) -> Result<Draft, Refused> {
    let mut notes = Notes::default();
    let Some((title, iri)) = describe::title_and_iri(node, &mut notes) else {
        let reason = "the Dataset has no name, or neither an @id, a url nor an identifier that is an IRI; a second \
                      import could not know it again";
        return Err(Refused { place: place(&node.at), reason: reason.to_owned() });
    };
    let mut dataset = draft::empty(title, common);
    describe::describe(document, node, &iri, &mut dataset, &mut notes);
    dataset.distributions = files::downloads(document, node, &mut notes);
    dataset.record_sets = variables(node, &mut notes);
    let own = whole.pointer(&node.at).unwrap_or(whole);
    draft::finish(Read { dataset, iri, notes, text: own.to_string() }, "schema-org", MAPPING, common)
}

/// What is measured: columns of one table, because schema.org does not tell tables apart.
fn variables(node: &Node, notes: &mut Notes) -> Vec<RecordSet> {
    let mut columns = Vec::new();
    for item in node.all("schema:variableMeasured") {
        let (name, description) = match item.node() {
            Some(variable) => {
                let said = variable.said("schema:description", notes);
                (variable.text("schema:name"), notes.prose("variable", said))
            }
            None => (item.text(), None),
        };
        let semantic = item.node().map(|variable| variable.references("schema:propertyID")).unwrap_or_default();
        if let Some(name) = name.and_then(|name| notes.line("variable", &name)) {
            let semantic_types = semantic.iter().filter_map(|iri| draft::parse_iri(iri)).collect();
            columns.push(Column { name, data_type: None, semantic_types, repeated: false, description });
        }
    }
    notes.cut("variables", &mut columns);
    if columns.is_empty() {
        return Vec::new();
    }
    vec![RecordSet { name: VARIABLES.to_owned(), description: None, key: Vec::new(), columns }]
}

/// The name of the table that holds what a schema.org record says is measured.
const VARIABLES: &str = "variables";

#[cfg(test)]
mod tests;
