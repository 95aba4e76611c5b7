//! The forms in which a dataset is offered.
//!
//! The address of bytes is written for data that everybody may have, and for no other. Shards that this node serves are
//! reached through its service: somebody asks for access there, and the manifest says what an agreement releases.

use oxrdf::{Literal, NamedNode};

use super::graph::{Graph, Part};
use super::health::EHDS;
use super::names::{ADMS, DC, DCAT, DCATAP, DCT, FOAF, IT6, OWN_TERMS, RDFS, SPDX, XSD};
use super::training::english;
use super::{Profile, Writer};
use crate::domain::dataset::Distribution;
use crate::domain::manifest::Manifest;
use crate::formats::dcat::is_media_type;
use crate::vocabulary;

const AUTHORITY: &str = "http://publications.europa.eu/resource/authority/";
const IANA: &str = "http://www.iana.org/assignments/media-types/";

impl Writer<'_> {
    pub(super) fn distribution_nodes(&self) -> Vec<NamedNode> {
        (0..self.dataset.distributions.len()).map(|number| self.me.nth("distribution", number)).collect()
    }

    pub(super) fn distributions(&mut self) {
        let (me, dataset) = (self.me.0.clone(), self.dataset);
        for (number, distribution) in dataset.distributions.iter().enumerate() {
            let part = Part(self.me.nth("distribution", number));
            let g = &mut self.graph;
            g.add(&me, DCAT.at("distribution"), part.0.clone());
            g.class(&part.0, DCAT.at("Distribution"));
            g.position(&part.0, number);
            g.some_text(&part.0, DCT.at("title"), distribution.title.as_ref());
            g.some_text(&part.0, DCT.at("description"), distribution.description.as_ref());
            g.formats(&part.0, distribution);
            g.standing(&part.0, distribution);
            self.addresses(&part.0, distribution);
            self.terms(&part, distribution);
            let bytes = distribution.bytes.or(distribution.manifest.as_ref().map(Manifest::total_bytes));
            if let Some(bytes) = bytes {
                self.graph.count(&part.0, DCAT.at("byteSize"), bytes);
            }
            if let Some(digest) = distribution.sha256 {
                self.graph.checksum(&part, &digest.to_string());
            }
            if let Some(manifest) = &distribution.manifest {
                self.manifest(&part, manifest);
            }
            if let (Some(count), [_]) = (dataset.training.record_count, &dataset.distributions[..]) {
                self.graph.count(&part.0, IT6.at("numberOfDatapoints"), count);
            }
        }
    }

    /// The address where somebody learns how to get it is mandatory; where the record has none it is its page here.
    fn addresses(&mut self, node: &NamedNode, distribution: &Distribution) {
        let is_open = self.dataset.is_open(distribution);
        let page = self.page();
        let g = &mut self.graph;
        let mut links = Vec::new();
        match &distribution.access_url {
            Some(address) => links.extend(g.link(node, DCAT.at("accessURL"), address.as_str())),
            None => links.extend(g.link(node, DCAT.at("accessURL"), &page)),
        }
        if let Some(address) = distribution.download_url.as_ref().filter(|_| is_open) {
            links.extend(g.link(node, DCAT.at("downloadURL"), address.as_str()));
        }
        for link in links {
            g.class(&link, DCAT.at("Resource"));
            g.class(&link, RDFS.at("Resource"));
        }
    }

    /// Its own licence, or the dataset's, and the dataset's statement of rights, which DCAT-AP looks for here.
    fn terms(&mut self, part: &Part, distribution: &Distribution) {
        match (&distribution.licence, &self.dataset.licence) {
            (Some(own), _) => self.graph.licence(part, own),
            (None, Some(whole)) => {
                let node = self.me.part("licence");
                self.graph.licence_document(part, &node, whole);
            }
            (None, None) => {}
        }
        if self.dataset.rights.is_some() {
            self.graph.add(&part.0, DCT.at("rights"), self.me.part("rights"));
        }
        if self.profile == Profile::Health {
            self.graph.legislation(&part.0, EHDS);
        }
    }

    /// The list of shards, by its digest. The list itself is in the record that the page beside it gives.
    fn manifest(&mut self, part: &Part, manifest: &Manifest) {
        let (node, service) = (part.part("manifest"), self.me.part("access"));
        let revision =
            self.address(&format!("api/v1/datasets/{}/revisions/{}", self.dataset.id.local(), self.record.revision));
        let g = &mut self.graph;
        g.add(&part.0, DCT.at("conformsTo"), node.clone());
        g.add(&part.0, OWN_TERMS.at("manifest"), node.clone());
        g.class(&node, DCT.at("Standard"));
        g.plain(&node, DCT.at("identifier"), &format!("sha256:{}", manifest.digest()));
        g.count(&node, OWN_TERMS.at("manifestVersion"), manifest.version.into());
        g.count(&node, OWN_TERMS.at("shardCount"), manifest.shards.len() as u64);
        g.count(&node, DCAT.at("byteSize"), manifest.total_bytes());
        if let Some(page) = g.link(&node, FOAF.at("page"), &revision) {
            g.class(&page, FOAF.at("Document"));
        }
        g.add(&part.0, DCAT.at("accessService"), service.clone());
        self.access_service(&service);
    }

    /// The service where access is asked for.
    fn access_service(&mut self, node: &NamedNode) {
        let (me, title) = (self.me.0.clone(), format!("Access to data of {}", self.place.title.best(&[]).1));
        let (endpoint, description) = (self.address("api/v1/requests"), self.address("openapi.json"));
        let g = &mut self.graph;
        g.class(node, DCAT.at("DataService"));
        g.word(node, DCT.at("title"), &english(), &title);
        let what = "Requests for access, which the owner's policy and its stewards decide.";
        g.word(node, DCT.at("description"), &english(), what);
        for (property, address) in [("endpointURL", endpoint), ("endpointDescription", description)] {
            if let Some(address) = g.link(node, DCAT.at(property), &address) {
                g.class(&address, DCAT.at("Resource"));
                g.class(&address, RDFS.at("Resource"));
            }
        }
        g.add(node, DCAT.at("servesDataset"), me);
        if let Some(rights) = super::access_right(self.dataset.access_rights) {
            g.link(node, DCT.at("accessRights"), rights);
        }
        if self.dataset.contact.is_some() {
            g.add(node, DCAT.at("contactPoint"), self.me.part("contact"));
        }
        if let Some(publisher) = &self.dataset.publisher {
            let publisher = g.agent(self.me.part("publisher"), publisher);
            g.add(node, DCT.at("publisher"), publisher);
        }
        if self.profile == Profile::Health {
            g.legislation(node, EHDS);
        }
    }
}

impl Graph {
    fn formats(&mut self, node: &NamedNode, distribution: &Distribution) {
        if let Some(format) = &distribution.format {
            match vocabulary::file_type_iri(format) {
                Some(iri) => {
                    self.link(node, DCT.at("format"), iri);
                    self.concept(iri, Some(DCT.at("MediaTypeOrExtent")));
                }
                // The shapes take entries of the EU table only; what the source wrote stands in the older, open term.
                None => self.plain(node, DC.at("format"), format),
            }
        }
        for (name, kind) in [
            ("mediaType", &distribution.media_type),
            ("compressFormat", &distribution.compress_format),
            ("packageFormat", &distribution.package_format),
        ] {
            let Some(kind) = kind else { continue };
            let iri = NamedNode::new(format!("{IANA}{kind}"));
            match iri {
                Ok(iri) if is_media_type(kind) => {
                    self.add(node, DCAT.at(name), iri.clone());
                    self.class(&iri, DCT.at("MediaType"));
                    self.class(&iri, DCT.at("MediaTypeOrExtent"));
                }
                _ => self.plain(node, OWN_TERMS.at(name), kind),
            }
        }
    }

    fn standing(&mut self, node: &NamedNode, distribution: &Distribution) {
        for (property, name, table, entry) in [
            (DCATAP.at("availability"), "availability", "planned-availability/", &distribution.availability),
            (ADMS.at("status"), "status", "distribution-status/", &distribution.status),
        ] {
            let Some(entry) = entry else { continue };
            // The shapes take entries of these tables and no others; what else a source wrote stands in our own term.
            if entry.as_str().strip_prefix(AUTHORITY).is_some_and(|rest| rest.starts_with(table)) {
                self.link(node, property, entry.as_str());
                self.concept(entry.as_str(), None);
            } else {
                self.link(node, OWN_TERMS.at(name), entry.as_str());
            }
        }
        for standard in &distribution.conforms_to {
            if let Some(standard) = self.link(node, DCT.at("conformsTo"), standard.as_str()) {
                self.class(&standard, DCT.at("Standard"));
            }
        }
    }

    /// A SHA-256. The shapes want the algorithm's IRI with `https`, although its class has `http`.
    fn checksum(&mut self, of: &Part, digest: &str) {
        let node = of.part("checksum");
        let algorithm = NamedNode::new_unchecked("https://spdx.org/rdf/terms#checksumAlgorithm_sha256");
        self.add(&of.0, SPDX.at("checksum"), node.clone());
        self.class(&node, SPDX.at("Checksum"));
        self.add(&node, SPDX.at("algorithm"), algorithm.clone());
        self.class(&algorithm, SPDX.at("ChecksumAlgorithm"));
        let value = Literal::new_typed_literal(digest, XSD.at("hexBinary"));
        self.add(&node, SPDX.at("checksumValue"), value);
    }
}
