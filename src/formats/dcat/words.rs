//! A record in its own words: the dataset's statements and those of what hangs on it, as N-Triples.
//!
//! What hangs on it is what was read of it, and every blank node that can be reached from there, because a blank node
//! means nothing elsewhere. Lines are sorted and a blank node is named by what is said about it, so that the same words
//! are the same text however a portal orders them and whatever its parser calls its nodes.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::io;
use std::rc::Rc;

use oxrdf::{Literal, NamedNode};

use super::node::{Node, Term};
use super::record::Record;
use super::terms::{CATALOG_CLASS, DATASET_CLASS, Property};
use crate::domain::ids::Digest;

/// The most bytes of a text; a record of more has none, and is known again by what was read of it.
const LIMIT: usize = 4 << 20;
/// The most blank nodes that are looked up beside what was read.
const BLANKS: usize = 10_000;

/// The words of the record whose dataset is this node; empty where they are too many.
pub(super) fn of(record: &mut Record<'_>, dataset: &Node) -> io::Result<String> {
    if !reach_blanks(record)? {
        return Ok(String::new());
    }
    let names = names(record);
    let mut lines = BTreeSet::new();
    let mut size = 0;
    for node in record.met.values() {
        let is_other = node.subject != dataset.subject && (node.is_a(DATASET_CLASS) || node.is_a(CATALOG_CLASS));
        if is_other {
            continue; // another record, which has its own words
        }
        let subject = names.get(&node.subject).cloned().unwrap_or_else(|| iri(&node.subject));
        for (property, object) in &node.statements {
            let line = format!("{subject} {} .\n", said(record, &names, *property, object));
            size += line.len();
            if size > LIMIT {
                return Ok(String::new());
            }
            lines.insert(line);
        }
    }
    Ok(lines.into_iter().collect())
}

/// Looks up the blank nodes that hang on what was read; false where there are too many.
fn reach_blanks(record: &mut Record<'_>) -> io::Result<bool> {
    let blanks = |node: &Node| -> Vec<Term> {
        let objects = node.statements.iter().map(|(_, object)| object);
        objects.filter(|object| matches!(object, Term::Blank(_))).cloned().collect()
    };
    let mut seen: HashSet<String> = record.met.keys().cloned().collect();
    let mut open: Vec<Term> = record.met.values().flat_map(|node| blanks(node)).collect();
    let mut count = 0;
    while let Some(term) = open.pop() {
        let Some(name) = term.subject().filter(|name| !seen.contains(*name)) else { continue };
        seen.insert(name.to_owned());
        count += 1;
        if count > BLANKS {
            return Ok(false);
        }
        let node = record.follow(&term)?;
        open.extend(blanks(&node));
    }
    Ok(true)
}

/// How far apart two blank nodes may differ to be told apart: what is said about them, about what they name, and so on.
const ROUNDS: usize = 8;

/// Names of the blank nodes, by the digest of what is said about them. Each round looks one node further, so that rings
/// and nodes that hang on many cost no more than their statements.
fn names(record: &Record<'_>) -> HashMap<String, String> {
    let blanks: Vec<&Rc<Node>> = record.met.values().filter(|node| node.subject.starts_with("_:")).collect();
    let mut names = HashMap::new();
    for _ in 0..ROUNDS.min(blanks.len()) {
        let name = |node: &&Rc<Node>| {
            let statements = node.statements.iter();
            let mut lines: Vec<String> =
                statements.map(|(property, object)| said(record, &names, *property, object)).collect();
            lines.sort();
            let digest = Digest::of(lines.join("\n").as_bytes()).to_string();
            (node.subject.clone(), format!("_:b{}", &digest[..20]))
        };
        names = blanks.iter().map(name).collect();
    }
    names
}

/// A property and its object as N-Triples writes them.
fn said(record: &Record<'_>, names: &HashMap<String, String>, property: Property, object: &Term) -> String {
    let object = match object {
        Term::Iri(text) => iri(text),
        Term::Blank(name) => names.get(name).cloned().unwrap_or_else(|| "_:b".to_owned()),
        Term::Literal { text, language: Some(language), .. } => {
            Literal::new_language_tagged_literal_unchecked(text.as_str(), language.as_str()).to_string()
        }
        Term::Literal { text, datatype, .. } => {
            let plain = Literal::new_simple_literal(text.as_str()).to_string();
            datatype.as_ref().map_or(plain.clone(), |datatype| format!("{plain}^^{}", iri(datatype)))
        }
    };
    format!("{} {object}", iri(record.sorted.iri_of(property)))
}

/// An IRI as N-Triples writes it; what may not stand in one is escaped, because portals write such things.
fn iri(text: &str) -> String {
    let is_plain = |c: char| c > ' ' && !"<>\"{}|^`\\".contains(c);
    if text.chars().all(is_plain) {
        return NamedNode::new_unchecked(text).to_string();
    }
    let escaped: String =
        text.chars().map(|c| if is_plain(c) { c.to_string() } else { format!("\\u{:04X}", u32::from(c)) }).collect();
    format!("<{escaped}>")
}
