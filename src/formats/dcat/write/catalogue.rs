//! A whole catalogue, page by page.
//!
//! A page is a graph: the catalogue, the records of the page, and a Hydra view that says where the first, the next and
//! the last page are. Pages are made one at a time, so that a catalogue of any size is served in the memory of one page.

use oxrdf::{NamedNode, Triple};

use super::graph::{Graph, Part};
use super::health::EHDS;
use super::names::{DCAT, DCT, FOAF, HYDRA, SKOS};
use super::training::english;
use super::{Profile, Writer};
use crate::domain::dataset::Registered;
use crate::domain::ids::Country;
use crate::formats::export;

/// A page of a catalogue, as the door that serves it numbers its pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// How many datasets there are on all pages, where that is known.
    pub total: Option<u64>,
    /// The address of this page.
    pub this: url::Url,
    /// Where reading begins.
    pub first: url::Url,
    /// The page before.
    pub previous: Option<url::Url>,
    /// The page after; the last page has none.
    pub next: Option<url::Url>,
    /// The last page, where its address is known before it is reached.
    pub last: Option<url::Url>,
}

/// A page of the catalogue of a node with these records, each described in full.
pub fn catalogue<'r>(
    page: &Page,
    records: impl IntoIterator<Item = &'r Registered>,
    place: &export::Place,
    profile: Profile,
) -> Vec<Triple> {
    let node = NamedNode::new_unchecked(place.catalogue().as_str()); // a URL is an IRI
    let mut graph = Graph::default();
    describe(&mut graph, &node, place, profile);
    page.describe(&mut graph, &node);
    for record in records {
        let mut writer = Writer::new(record, place, profile);
        writer.graph = graph;
        for property in [DCAT.at("dataset"), HYDRA.at("member")] {
            writer.graph.add(&node, property, writer.me.0.clone());
        }
        writer.graph.add(&node, DCAT.at("record"), writer.record_node());
        writer.record();
        graph = writer.graph;
    }
    graph.finish()
}

fn describe(graph: &mut Graph, node: &NamedNode, place: &export::Place, profile: Profile) {
    graph.class(node, DCAT.at("Catalog"));
    graph.text(node, DCT.at("title"), &place.title);
    let countries: Vec<&str> = place.countries.iter().map(Country::as_str).collect();
    let what = format!("Datasets for training, described and offered by this node for {}.", countries.join(", "));
    graph.word(node, DCT.at("description"), &english(), &what);
    let publisher = graph.agent(Part(node.clone()).part("publisher"), &place.publisher);
    graph.add(node, DCT.at("publisher"), publisher);
    for country in &place.countries {
        graph.country(node, DCT.at("spatial"), country);
    }
    if let Some(home) = graph.link(node, FOAF.at("homepage"), place.base.as_str()) {
        graph.class(&home, FOAF.at("Document"));
    }
    let themes = NamedNode::new_unchecked("http://publications.europa.eu/resource/authority/data-theme");
    graph.add(node, DCAT.at("themeTaxonomy"), themes.clone());
    graph.class(&themes, SKOS.at("ConceptScheme"));
    graph.word(&themes, DCT.at("title"), &english(), "data-theme");
    if profile == Profile::Health {
        graph.legislation(node, EHDS);
    }
}

impl Page {
    /// The view of Hydra (section 5.3, collections).
    fn describe(&self, graph: &mut Graph, catalogue: &NamedNode) {
        let view = NamedNode::new_unchecked(self.this.as_str());
        graph.class(catalogue, HYDRA.at("Collection"));
        if let Some(total) = self.total {
            graph.typed(catalogue, HYDRA.at("totalItems"), total, "integer");
        }
        graph.add(catalogue, HYDRA.at("view"), view.clone());
        graph.class(&view, HYDRA.at("PartialCollectionView"));
        for (name, address) in [
            ("first", Some(&self.first)),
            ("previous", self.previous.as_ref()),
            ("next", self.next.as_ref()),
            ("last", self.last.as_ref()),
        ] {
            if let Some(address) = address {
                graph.link(&view, HYDRA.at(name), address.as_str());
            }
        }
    }
}
