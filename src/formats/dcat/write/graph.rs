//! A graph being written: statements in the order in which they are made, each once, and the nodes that a record needs.
//!
//! Every node has a name. What has no IRI of its own is named by the dataset's id and its part in it
//! (`…/dataset/x#publisher`), so that the same record gives the same graph each time and two records never share a node.

use std::collections::{HashMap, HashSet};

use oxrdf::{Literal, NamedNode, Term, Triple};

use super::names::{OWN_TERMS, RDF, XSD};
use crate::domain::ids::LanguageTag;
use crate::domain::text::Text;

/// Statements, each once.
#[derive(Default)]
pub(super) struct Graph {
    triples: Vec<Triple>,
    known: HashSet<Triple>,
}

impl Graph {
    /// States something.
    pub(super) fn add(&mut self, subject: &NamedNode, property: NamedNode, object: impl Into<Term>) {
        let triple = Triple::new(subject.clone(), property, object);
        if self.known.insert(triple.clone()) {
            self.triples.push(triple);
        }
    }

    /// States of which class something is.
    pub(super) fn class(&mut self, subject: &NamedNode, class: NamedNode) {
        self.add(subject, RDF.at("type"), class);
    }

    /// Refers to something by its IRI. An IRI of the record that RDF does not take as one stands as a text.
    pub(super) fn link(&mut self, subject: &NamedNode, property: NamedNode, iri: &str) -> Option<NamedNode> {
        match NamedNode::new(iri) {
            Ok(node) => {
                self.add(subject, property, node.clone());
                Some(node)
            }
            Err(_) => {
                self.add(subject, property, Literal::new_typed_literal(iri, XSD.at("anyURI")));
                None
            }
        }
    }

    /// A text in each of its languages; *undetermined* is a text without a language.
    pub(super) fn text(&mut self, subject: &NamedNode, property: NamedNode, text: &Text) {
        for (language, text) in text.iter() {
            self.add(subject, property.clone(), in_language(text, language.as_str()));
        }
    }

    /// A text in each of its languages, where there is one.
    pub(super) fn some_text(&mut self, subject: &NamedNode, property: NamedNode, text: Option<&Text>) {
        if let Some(text) = text {
            self.text(subject, property, text);
        }
    }

    /// A word in a language.
    pub(super) fn word(&mut self, subject: &NamedNode, property: NamedNode, language: &LanguageTag, word: &str) {
        self.add(subject, property, in_language(word, language.as_str()));
    }

    /// A text without a language.
    pub(super) fn plain(&mut self, subject: &NamedNode, property: NamedNode, text: &str) {
        self.add(subject, property, Literal::new_simple_literal(text));
    }

    /// A value of an XML Schema type.
    pub(super) fn typed(&mut self, subject: &NamedNode, property: NamedNode, value: impl ToString, kind: &str) {
        self.add(subject, property, Literal::new_typed_literal(value.to_string(), XSD.at(kind)));
    }

    /// A count. The shapes refuse one that is not typed as it.
    pub(super) fn count(&mut self, subject: &NamedNode, property: NamedNode, count: u64) {
        self.typed(subject, property, count, "nonNegativeInteger");
    }

    /// The place in a list whose order means something, from 1.
    pub(super) fn position(&mut self, subject: &NamedNode, before: usize) {
        self.count(subject, OWN_TERMS.at("position"), before as u64 + 1);
    }

    /// The statements, those about one subject together, subjects in the order in which they were first spoken of.
    pub(super) fn finish(self) -> Vec<Triple> {
        let mut order: HashMap<_, usize> = HashMap::new();
        for triple in &self.triples {
            let next = order.len();
            order.entry(triple.subject.clone()).or_insert(next);
        }
        let mut triples = self.triples;
        triples.sort_by_key(|triple| order[&triple.subject]); // stable
        triples
    }
}

fn in_language(text: &str, language: &str) -> Literal {
    let plain = || Literal::new_simple_literal(text);
    if language == "und" {
        return plain();
    }
    Literal::new_language_tagged_literal(text, language).unwrap_or_else(|_| plain())
}

/// A node and the names of its parts.
#[derive(Debug, Clone)]
pub(super) struct Part(pub(super) NamedNode);

impl Part {
    /// A part of it with a role, such as `publisher`.
    pub(super) fn part(&self, role: &str) -> NamedNode {
        let joint = if self.0.as_str().contains('#') { '-' } else { '#' };
        NamedNode::new_unchecked(format!("{}{joint}{role}", self.0.as_str()))
    }

    /// One of several parts with a role, such as `distribution-1`.
    pub(super) fn nth(&self, role: &str, before: usize) -> NamedNode {
        self.part(&format!("{role}-{}", before + 1))
    }
}
