//! What is to be done so that an owner's records say what a folder of files says. Pure.
//!
//! A file names its dataset by id. What is not there is registered, what says something else is revised from what stands
//! now, and what no file names is withdrawn where the steward asked for that. A record that an import made belongs to its
//! source: it is never withdrawn for want of a file, and a file about it keeps the source as the import wrote it.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::dataset::Registered;
use crate::domain::ids::{DatasetId, Digest};

use super::Operation;

/// A record as it stands, with its entity tag: what a change is made from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// Its entity tag.
    pub etag: Digest,
    /// It.
    pub record: Registered,
}

impl Standing {
    /// The description alone, as the API takes it and a file holds it.
    pub fn document(&self) -> Value {
        serde_json::to_value(&self.record.dataset).unwrap_or_default()
    }
}

/// What a file says of a dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// Which.
    pub id: DatasetId,
    /// The document as the API takes it.
    pub document: Value,
}

/// What is to be done, and what is not.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ToDo {
    /// The operations, those for files first and in their order; each with the place of its file.
    pub operations: Vec<(Operation, Option<usize>)>,
    /// How many files say what stands.
    pub unchanged: usize,
    /// Files about a dataset that was withdrawn, by place.
    pub withdrawn: Vec<usize>,
}

/// Compares files with the records of their owner. `prune` is the reason with which records that no file names are
/// withdrawn; without it they stay.
pub fn to_do(wanted: &[Wanted], standing: &[Standing], prune: Option<&str>) -> ToDo {
    let mut left: HashMap<&DatasetId, &Standing> = standing.iter().map(|one| (&one.record.dataset.id, one)).collect();
    let mut to_do = ToDo::default();
    for (place, Wanted { id, document }) in wanted.iter().enumerate() {
        let operation = match left.remove(id) {
            None => Operation::Register { document: document.clone() },
            Some(stands) if stands.record.withdrawn.is_some() => {
                to_do.withdrawn.push(place);
                continue;
            }
            Some(stands) => {
                let document = with_source(document, stands);
                if document == stands.document() {
                    to_do.unchanged += 1;
                    continue;
                }
                Operation::Revise { id: id.clone(), if_match: stands.etag, document }
            }
        };
        to_do.operations.push((operation, Some(place)));
    }
    // In the order of the records, so that the same comparison always reads the same.
    let unnamed = standing.iter().filter(|one| left.contains_key(&one.record.dataset.id));
    for Standing { etag, record } in unnamed.filter(|one| may_be_pruned(&one.record)) {
        let Some(reason) = prune else { break };
        let (id, reason) = (record.dataset.id.clone(), reason.to_owned());
        to_do.operations.push((Operation::Withdraw { id, if_match: *etag, reason, successor: None }, None));
    }
    to_do
}

/// Whether a record is one that files may stand for: in force, and not of another catalogue.
pub fn may_be_pruned(record: &Registered) -> bool {
    record.withdrawn.is_none() && record.dataset.source.is_none()
}

fn with_source(document: &Value, stands: &Standing) -> Value {
    let mut document = document.clone();
    if let (Some(fields), Some(source)) = (document.as_object_mut(), &stands.record.dataset.source) {
        fields.entry("source").or_insert_with(|| serde_json::to_value(source).unwrap_or_default());
    }
    document
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::dataset::{Source, Withdrawn};

    fn standing(local: &str) -> Standing {
        let record: Registered = serde_json::from_value(json!({
            "dataset": { "id": format!("https://fi.pleiad.example/dataset/{local}"), "title": { "en": local }, "country": "FI" },
            "owner": "spiffe://fi.pleiad.example/participant/csc",
            "revision": 1, "registered": "2026-01-01T00:00:00Z", "revised": "2026-01-01T00:00:00Z", "seq": 0,
        }))
        .unwrap();
        Standing { etag: record.etag(), record }
    }

    fn wanted(standing: &Standing) -> Wanted {
        Wanted { id: standing.record.dataset.id.clone(), document: standing.document() }
    }

    fn names(to_do: &ToDo) -> Vec<String> {
        let name = |operation: &Operation| match operation {
            Operation::Register { document } => format!("+{}", document["id"].as_str().unwrap_or_default()),
            Operation::Revise { id, .. } => format!("~{id}"),
            Operation::Withdraw { id, .. } => format!("-{id}"),
        };
        to_do
            .operations
            .iter()
            .map(|(operation, _)| name(operation).replace("https://fi.pleiad.example/dataset/", ""))
            .collect()
    }

    #[test]
    fn files_that_say_what_stands_ask_for_nothing() {
        let stands = [standing("a"), standing("b")];
        let files: Vec<Wanted> = stands.iter().map(wanted).collect();
        assert_eq!(to_do(&files, &stands, Some("No file.")), ToDo { unchanged: 2, ..ToDo::default() });
    }

    #[test]
    fn what_is_new_other_or_unnamed_is_registered_revised_or_withdrawn_and_unnamed_only_when_asked() {
        let stands = [standing("a"), standing("b"), standing("c")];
        let mut changed = wanted(&stands[1]);
        changed.document["title"]["en"] = "other".into();
        let files = [wanted(&standing("new")), changed, wanted(&stands[0])];
        assert_eq!(names(&to_do(&files, &stands, None)), ["+new", "~b"]);
        let pruned = to_do(&files, &stands, Some("No file."));
        assert_eq!(names(&pruned), ["+new", "~b", "-c"]);
        assert!(
            matches!(&pruned.operations[1], (Operation::Revise { if_match, .. }, Some(1)) if *if_match == stands[1].etag)
        );
    }

    #[test]
    fn what_was_withdrawn_is_told_and_what_was_imported_is_left_to_its_source() {
        let mut gone = standing("a");
        gone.record.withdrawn = Some(Withdrawn { reason: "Gone.".into(), successor: None });
        let mut imported = standing("b");
        let (iri, digest) = ("urn:x:b".parse().unwrap(), Digest::of(b"read"));
        imported.record.dataset.source = Some(Source { name: "portal".into(), iri, digest, format: None });
        let stands = [gone.clone(), imported.clone()];
        let told = to_do(&[wanted(&gone)], &stands, Some("No file."));
        assert_eq!((names(&told), &told.withdrawn), (vec![], &vec![0]));
        let mut without_source = wanted(&imported);
        without_source.document.as_object_mut().unwrap().shift_remove("source");
        assert_eq!(to_do(&[without_source], &stands, None).unchanged, 1);
    }
}
