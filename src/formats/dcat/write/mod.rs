//! A record out as one RDF document: DCAT-AP 3.0.1, MLDCAT-AP 3.1.0, DPV 2.3, ODRL 2.2, TDMRep, PROV and SPDX at once.
//!
//! The vocabularies do not contradict each other, so one graph satisfies all of them and nobody has to choose. What a
//! standard term says only in part (a licence in its source's words, a language with its region, the order of columns) is
//! said a second time in terms of our own, which the reader of this folder prefers; so a record survives the way out and
//! back. Every IRI of a code list that is named comes with a stub that says what it is, because the shapes ask for it.

mod catalogue;
mod concept;
mod coverage;
mod distribution;
mod gdpr;
mod graph;
mod health;
mod licence;
pub(super) mod names;
mod parties;
mod policy;
mod record;
mod serialise;
mod tables;
#[cfg(test)]
pub(super) mod tests;
mod training;

use oxrdf::{NamedNode, Triple};

use crate::domain::dataset::{AccessRights, Dataset, Registered, TdmReservation};
use crate::domain::ids::LanguageTag;
use crate::formats::export;
use crate::vocabulary;
use graph::{Graph, Part};
use names::{ADMS, DCAT, DCATAP, DCT, ELI, FOAF, GSP, OWN_TERMS, PROV, RDFS, SKOS, TDM};

pub use catalogue::{Page, catalogue};
pub use serialise::serialise;

/// What the document has to satisfy beside DCAT-AP and MLDCAT-AP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// Nothing more.
    #[default]
    General,
    /// HealthDCAT-AP as the European Health Data Space checks it.
    Health,
}

/// The record as a graph. The same record gives the same statements in the same order.
pub fn write(record: &Registered, place: &export::Place, profile: Profile) -> Vec<Triple> {
    let mut writer = Writer::new(record, place, profile);
    writer.record();
    writer.graph.finish()
}

/// What is written, and what about.
struct Writer<'a> {
    graph: Graph,
    /// The dataset.
    me: Part,
    record: &'a Registered,
    dataset: &'a Dataset,
    place: &'a export::Place,
    profile: Profile,
}

impl<'a> Writer<'a> {
    fn new(record: &'a Registered, place: &'a export::Place, profile: Profile) -> Self {
        let me = Part(NamedNode::new_unchecked(record.dataset.id.as_str())); // an id is an IRI by birth
        Self { graph: Graph::default(), me, record, dataset: &record.dataset, place, profile }
    }

    /// The dataset and the catalogue's record of it.
    fn record(&mut self) {
        self.describe();
        self.times();
        self.references();
        self.parties();
        self.places();
        self.periods();
        self.rights();
        self.licence();
        self.policy();
        self.gdpr();
        self.health();
        self.training();
        self.tables();
        self.distributions();
        self.catalogue_record();
    }

    fn describe(&mut self) {
        let (me, dataset) = (self.me.0.clone(), self.dataset);
        let g = &mut self.graph;
        for class in [DCAT.at("Dataset"), DCAT.at("Resource"), OWN_TERMS.at("Dataset")] {
            g.class(&me, class);
        }
        match self.profile {
            Profile::General => g.plain(&me, DCT.at("identifier"), me.as_str()),
            Profile::Health => g.typed(&me, DCT.at("identifier"), me.as_str(), "anyURI"),
        }
        g.text(&me, DCT.at("title"), &dataset.title);
        g.some_text(&me, DCT.at("description"), dataset.description.as_ref());
        for (language, words) in &dataset.keywords {
            for word in words {
                g.word(&me, DCAT.at("keyword"), language, word);
            }
        }
        for theme in &dataset.themes {
            g.link(&me, DCAT.at("theme"), theme.as_str());
            if theme.as_str().starts_with("http://data.europa.eu/bna/") {
                g.link(&me, DCATAP.at("hvdCategory"), theme.as_str());
            }
            g.concept(theme.as_str(), None);
        }
        self.languages();
        let g = &mut self.graph;
        if let Some(kind) = &dataset.kind {
            g.link(&me, DCT.at("type"), kind.as_str());
            g.concept(kind.as_str(), None);
        }
        if let Some(frequency) = &dataset.frequency {
            g.link(&me, DCT.at("accrualPeriodicity"), frequency.as_str());
            g.concept(frequency.as_str(), Some(DCT.at("Frequency")));
        }
        if let Some(citation) = &dataset.citation {
            g.plain(&me, DCT.at("bibliographicCitation"), citation);
        }
        if dataset.fictitious {
            g.typed(&me, OWN_TERMS.at("fictitious"), true, "boolean");
        }
    }

    /// The EU table names languages without script and region; where it cannot say one tag, all are said beside it.
    fn languages(&mut self) {
        let me = self.me.0.clone();
        let entry = |tag: &LanguageTag| vocabulary::language_iri(tag.primary());
        let is_exact = |tag: &LanguageTag| entry(tag).and_then(vocabulary::language).as_ref() == Some(tag);
        let languages = &self.dataset.languages;
        for iri in languages.iter().filter_map(entry) {
            self.graph.link(&me, DCT.at("language"), iri);
            self.graph.concept(iri, Some(DCT.at("LinguisticSystem")));
        }
        if !languages.iter().all(is_exact) {
            languages.iter().for_each(|tag| self.graph.plain(&me, OWN_TERMS.at("language"), tag.as_str()));
        }
    }

    fn times(&mut self) {
        let (me, dataset) = (self.me.0.clone(), self.dataset);
        let g = &mut self.graph;
        if let Some(issued) = dataset.issued {
            g.typed(&me, DCT.at("issued"), issued, "date");
        }
        if let Some(modified) = dataset.modified {
            g.typed(&me, DCT.at("modified"), modified, "date");
        }
        if let Some(version) = &dataset.version {
            g.plain(&me, DCAT.at("version"), version);
        }
        g.some_text(&me, ADMS.at("versionNotes"), dataset.version_notes.as_ref());
        if let Some(whole) = &dataset.version_of {
            g.link(&me, DCAT.at("isVersionOf"), whole.as_str());
        }
        for series in &dataset.series {
            if let Some(series) = g.link(&me, DCAT.at("inSeries"), series.as_str()) {
                // Its own description is elsewhere; the shapes ask for a title, and its address is what is known of it.
                g.class(&series, DCAT.at("DatasetSeries"));
                g.plain(&series, DCT.at("title"), series.as_str());
                g.plain(&series, DCT.at("description"), series.as_str());
                if self.profile == Profile::Health {
                    g.legislation(&series, health::EHDS);
                }
            }
        }
    }

    fn references(&mut self) {
        let (me, dataset) = (self.me.0.clone(), self.dataset);
        for (number, identifier) in dataset.identifiers.iter().enumerate() {
            let node = self.me.nth("identifier", number);
            let g = &mut self.graph;
            g.add(&me, ADMS.at("identifier"), node.clone());
            g.class(&node, ADMS.at("Identifier"));
            g.typed(&node, SKOS.at("notation"), identifier, "anyURI");
        }
        let g = &mut self.graph;
        for (property, class, list) in [
            (DCAT.at("landingPage"), Some(FOAF.at("Document")), &dataset.landing_pages),
            (FOAF.at("page"), Some(FOAF.at("Document")), &dataset.documentation),
            (DCT.at("conformsTo"), Some(DCT.at("Standard")), &dataset.conforms_to),
            (PROV.at("wasDerivedFrom"), None, &dataset.derived_from),
        ] {
            for iri in list {
                if let (Some(node), Some(class)) = (g.link(&me, property.clone(), iri.as_str()), &class) {
                    g.class(&node, class.clone());
                }
            }
        }
        if let Some(provenance) = &dataset.provenance {
            let node = self.me.part("provenance");
            g.add(&me, DCT.at("provenance"), node.clone());
            g.class(&node, DCT.at("ProvenanceStatement"));
            g.text(&node, RDFS.at("label"), provenance);
        }
    }

    fn rights(&mut self) {
        let (me, dataset) = (self.me.0.clone(), self.dataset);
        let g = &mut self.graph;
        if let Some(iri) = access_right(dataset.access_rights) {
            g.link(&me, DCT.at("accessRights"), iri);
            g.concept(iri, Some(DCT.at("RightsStatement")));
        }
        for law in &dataset.applicable_legislation {
            g.legislation(&me, law.as_str());
        }
        if let Some(rights) = &dataset.rights {
            let node = self.me.part("rights");
            g.add(&me, DCT.at("rights"), node.clone());
            g.class(&node, DCT.at("RightsStatement"));
            g.text(&node, RDFS.at("label"), rights);
        }
        match dataset.tdm_reservation {
            TdmReservation::Reserved => g.typed(&me, TDM.at("reservation"), 1, "integer"),
            TdmReservation::NotReserved => g.typed(&me, TDM.at("reservation"), 0, "integer"),
            TdmReservation::NotStated => {}
        }
        if let Some(policy) = &dataset.tdm_policy {
            g.link(&me, TDM.at("policy"), policy.as_str());
        }
    }
}

impl Graph {
    /// A law that applies.
    fn legislation(&mut self, subject: &NamedNode, law: &str) {
        if let Some(law) = self.link(subject, DCATAP.at("applicableLegislation"), law) {
            self.class(&law, ELI.at("LegalResource"));
        }
    }

    /// The corners of a box as WKT, west to east.
    fn corners(&mut self, subject: &NamedNode, [west, south, east, north]: [f64; 4]) {
        let ring = format!("POLYGON(({west} {south},{east} {south},{east} {north},{west} {north},{west} {south}))");
        let literal = oxrdf::Literal::new_typed_literal(ring, GSP.at("wktLiteral"));
        self.add(subject, DCAT.at("bbox"), literal);
    }
}

fn access_right(rights: AccessRights) -> Option<&'static str> {
    match rights {
        AccessRights::Public => Some("http://publications.europa.eu/resource/authority/access-right/PUBLIC"),
        AccessRights::Restricted => Some("http://publications.europa.eu/resource/authority/access-right/RESTRICTED"),
        AccessRights::NonPublic => Some("http://publications.europa.eu/resource/authority/access-right/NON_PUBLIC"),
        AccessRights::NotStated => None,
    }
}
