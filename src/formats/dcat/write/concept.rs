//! Stubs: what a named entry of a code list is. The shapes look for its class, its label and its scheme in the same graph.

use oxrdf::{Literal, NamedNode};

use super::graph::Graph;
use super::names::{DCT, SKOS};
use crate::vocabulary;

/// Code lists whose entries do not lie below their scheme: where an entry's IRI begins, and the scheme.
const SCHEMES: [(&str, &str); 3] = [
    ("http://purl.org/adms/publishertype/", "http://purl.org/adms/publishertype/1.0"),
    ("http://purl.org/adms/licencetype/", "http://purl.org/adms/licencetype/1.0"),
    ("http://data.europa.eu/bna/", "http://data.europa.eu/bna/asd487ae75"),
];
/// The EU tables, whose entries lie below their scheme.
const AUTHORITY: &str = "http://publications.europa.eu/resource/authority/";

impl Graph {
    /// The stub of a concept: its English label, or the end of its IRI where no table has one.
    pub(super) fn concept(&mut self, iri: &str, class: Option<NamedNode>) {
        let Ok(node) = NamedNode::new(iri) else { return };
        self.class(&node, SKOS.at("Concept"));
        if let Some(class) = class {
            self.class(&node, class);
        }
        let label = vocabulary::label(iri, &[]).unwrap_or_else(|| tail(iri));
        self.add(&node, SKOS.at("prefLabel"), Literal::new_language_tagged_literal_unchecked(label, "en"));
        self.in_scheme(&node);
    }

    /// The stub of a place. It gets no label: a name is what the record says of it.
    pub(super) fn location(&mut self, iri: &str) {
        let Ok(node) = NamedNode::new(iri) else { return };
        self.class(&node, DCT.at("Location"));
        self.in_scheme(&node);
    }

    fn in_scheme(&mut self, node: &NamedNode) {
        let iri = node.as_str();
        let listed = SCHEMES.iter().find(|(start, _)| iri.starts_with(start)).map(|(_, scheme)| (*scheme).to_owned());
        let below = || iri.starts_with(AUTHORITY).then(|| iri.rsplit_once('/').map(|(table, _)| table.to_owned()))?;
        let Some(scheme) = listed.or_else(below) else { return };
        let scheme = NamedNode::new_unchecked(scheme); // the beginning of an IRI up to a slash is one
        self.add(node, SKOS.at("inScheme"), scheme.clone());
        self.class(&scheme, SKOS.at("ConceptScheme"));
        let title = Literal::new_language_tagged_literal_unchecked(tail(scheme.as_str()), "en");
        self.add(&scheme, DCT.at("title"), title);
    }
}

/// The last part of an IRI.
fn tail(iri: &str) -> &str {
    let iri = iri.trim_end_matches(['/', '#']);
    iri.rsplit(['/', '#']).next().unwrap_or(iri)
}
