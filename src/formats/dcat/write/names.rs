//! The namespaces of the terms that are written, with the prefixes under which a reader sees them.

use oxrdf::NamedNode;

/// A namespace: a prefix and what it stands for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names(pub(super) &'static str, pub(super) &'static str);

impl Names {
    /// The term with this name.
    pub(super) fn at(self, name: &str) -> NamedNode {
        NamedNode::new_unchecked(format!("{}{name}", self.1))
    }
}

/// The terms of this project, for what no standard says; `docs/formats.md` describes each.
pub(in crate::formats::dcat) const OWN: &str = "https://pleiad.example/ns#";

macro_rules! namespaces {
    ($($name:ident = $prefix:literal $iri:expr;)*) => {
        $(#[allow(dead_code)] // some stand for their prefix alone
        pub(super) const $name: Names = Names($prefix, $iri);)*
        /// Every namespace, in the order of the prefixes.
        pub(super) const ALL: &[Names] = &[$($name),*];
    };
}

namespaces! {
    ADMS = "adms" "http://www.w3.org/ns/adms#";
    CSVW = "csvw" "http://www.w3.org/ns/csvw#";
    DC = "dc" "http://purl.org/dc/elements/1.1/";
    DCAT = "dcat" "http://www.w3.org/ns/dcat#";
    DCATAP = "dcatap" "http://data.europa.eu/r5r/";
    DCT = "dct" "http://purl.org/dc/terms/";
    DPV = "dpv" "https://w3id.org/dpv#";
    DQV = "dqv" "http://www.w3.org/ns/dqv#";
    ELI = "eli" "http://data.europa.eu/eli/ontology#";
    GDPR = "eu-gdpr" "https://w3id.org/dpv/legal/eu/gdpr#";
    FOAF = "foaf" "http://xmlns.com/foaf/0.1/";
    GSP = "gsp" "http://www.opengis.net/ont/geosparql#";
    HEALTH = "healthdcatap" "http://healthdataportal.eu/ns/health#";
    HYDRA = "hydra" "http://www.w3.org/ns/hydra/core#";
    IT6 = "it6" "http://data.europa.eu/it6/";
    PERSONAL = "pd" "https://w3id.org/dpv/pd#";
    ODRL = "odrl" "http://www.w3.org/ns/odrl/2/";
    OWN_TERMS = "pleiad" OWN;
    PROV = "prov" "http://www.w3.org/ns/prov#";
    RAI = "rai" "http://mlcommons.org/croissant/RAI/";
    RDF = "rdf" "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
    RDFS = "rdfs" "http://www.w3.org/2000/01/rdf-schema#";
    SKOS = "skos" "http://www.w3.org/2004/02/skos/core#";
    SPDX = "spdx" "http://spdx.org/rdf/terms#";
    TDM = "tdm" "http://www.w3.org/ns/tdmrep#";
    VCARD = "vcard" "http://www.w3.org/2006/vcard/ns#";
    XSD = "xsd" "http://www.w3.org/2001/XMLSchema#";
}
