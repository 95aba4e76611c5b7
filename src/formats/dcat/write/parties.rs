//! Who publishes a dataset, who made it, and whom to ask.

use oxrdf::NamedNode;

use super::Writer;
use super::graph::Graph;
use super::names::{DCAT, DCT, FOAF, VCARD};
use crate::domain::dataset::{Agent, Contact};

impl Writer<'_> {
    pub(super) fn parties(&mut self) {
        let (me, dataset) = (self.me.0.clone(), self.dataset);
        if let Some(publisher) = &dataset.publisher {
            let node = self.me.part("publisher");
            let node = self.graph.agent(node, publisher);
            self.graph.add(&me, DCT.at("publisher"), node);
        }
        for (number, creator) in dataset.creators.iter().enumerate() {
            let node = self.me.nth("creator", number);
            let node = self.graph.agent(node, creator);
            self.graph.add(&me, DCT.at("creator"), node);
        }
        if let Some(contact) = &dataset.contact {
            let node = self.me.part("contact");
            self.graph.contact(&node, contact);
            self.graph.add(&me, DCAT.at("contactPoint"), node);
        }
    }
}

impl Graph {
    /// An organisation, under its own IRI where it has one.
    pub(super) fn agent(&mut self, nameless: NamedNode, agent: &Agent) -> NamedNode {
        let own = agent.iri.as_ref().and_then(|iri| NamedNode::new(iri.as_str()).ok());
        let node = own.unwrap_or(nameless);
        self.class(&node, FOAF.at("Agent"));
        self.text(&node, FOAF.at("name"), &agent.name);
        if let Some(kind) = &agent.kind {
            self.link(&node, DCT.at("type"), kind.as_str());
            self.concept(kind.as_str(), None);
        }
        node
    }

    /// A desk to write to.
    pub(super) fn contact(&mut self, node: &NamedNode, contact: &Contact) {
        self.class(node, VCARD.at("Kind"));
        self.class(node, VCARD.at("Organization"));
        self.plain(node, VCARD.at("fn"), &contact.name);
        if let Some(email) = &contact.email {
            self.link(node, VCARD.at("hasEmail"), &format!("mailto:{email}"));
        }
        if let Some(page) = &contact.page {
            self.link(node, VCARD.at("hasURL"), page.as_str());
        }
    }
}
