//! The properties that are read. A triple with another property is not kept, so that a dump costs what its records cost.

use std::collections::HashMap;
use std::sync::LazyLock;

/// A property that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Property(u8);

macro_rules! properties {
    ($($name:ident = $iri:literal;)*) => {
        #[allow(clippy::upper_case_acronyms, non_camel_case_types)] // a counter, never named elsewhere
        enum Number { $($name),* }
        #[allow(missing_docs)] // the IRIs are the documentation
        impl Property {
            $(pub(super) const $name: Self = Self(Number::$name as u8);)*
        }
        const IRIS: &[(&str, Property)] = &[$(($iri, Property::$name)),*];
    };
}

properties! {
    TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type";
    VALUE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#value";
    LABEL = "http://www.w3.org/2000/01/rdf-schema#label";
    PREF_LABEL = "http://www.w3.org/2004/02/skos/core#prefLabel";
    NOTATION = "http://www.w3.org/2004/02/skos/core#notation";

    TITLE = "http://purl.org/dc/terms/title";
    DESCRIPTION = "http://purl.org/dc/terms/description";
    PUBLISHER = "http://purl.org/dc/terms/publisher";
    CREATOR = "http://purl.org/dc/terms/creator";
    ISSUED = "http://purl.org/dc/terms/issued";
    MODIFIED = "http://purl.org/dc/terms/modified";
    LANGUAGE = "http://purl.org/dc/terms/language";
    SPATIAL = "http://purl.org/dc/terms/spatial";
    TEMPORAL = "http://purl.org/dc/terms/temporal";
    LICENSE = "http://purl.org/dc/terms/license";
    RIGHTS = "http://purl.org/dc/terms/rights";
    ACCESS_RIGHTS = "http://purl.org/dc/terms/accessRights";
    FREQUENCY = "http://purl.org/dc/terms/accrualPeriodicity";
    IDENTIFIER = "http://purl.org/dc/terms/identifier";
    SOURCE = "http://purl.org/dc/terms/source";
    FORMAT = "http://purl.org/dc/terms/format";
    DC_TYPE = "http://purl.org/dc/terms/type";

    DATASET = "http://www.w3.org/ns/dcat#dataset";
    KEYWORD = "http://www.w3.org/ns/dcat#keyword";
    THEME = "http://www.w3.org/ns/dcat#theme";
    CONTACT_POINT = "http://www.w3.org/ns/dcat#contactPoint";
    DISTRIBUTION = "http://www.w3.org/ns/dcat#distribution";
    LANDING_PAGE = "http://www.w3.org/ns/dcat#landingPage";
    ACCESS_URL = "http://www.w3.org/ns/dcat#accessURL";
    DOWNLOAD_URL = "http://www.w3.org/ns/dcat#downloadURL";
    MEDIA_TYPE = "http://www.w3.org/ns/dcat#mediaType";
    BYTE_SIZE = "http://www.w3.org/ns/dcat#byteSize";
    START_DATE = "http://www.w3.org/ns/dcat#startDate";
    END_DATE = "http://www.w3.org/ns/dcat#endDate";
    BBOX = "http://www.w3.org/ns/dcat#bbox";
    VERSION = "http://www.w3.org/ns/dcat#version";
    SCHEMA_START = "http://schema.org/startDate";
    SCHEMA_END = "http://schema.org/endDate";
    GEOMETRY = "http://www.w3.org/ns/locn#geometry";
    VERSION_INFO = "http://www.w3.org/2002/07/owl#versionInfo";
    VERSION_NOTES = "http://www.w3.org/ns/adms#versionNotes";
    ADMS_IDENTIFIER = "http://www.w3.org/ns/adms#identifier";
    LEGISLATION = "http://data.europa.eu/r5r/applicableLegislation";
    HVD_CATEGORY = "http://data.europa.eu/r5r/hvdCategory";
    DERIVED_FROM = "http://www.w3.org/ns/prov#wasDerivedFrom";
    CHECKSUM = "http://spdx.org/rdf/terms#checksum";
    CHECKSUM_ALGORITHM = "http://spdx.org/rdf/terms#algorithm";
    CHECKSUM_VALUE = "http://spdx.org/rdf/terms#checksumValue";

    NAME = "http://xmlns.com/foaf/0.1/name";
    PAGE = "http://xmlns.com/foaf/0.1/page";
    FN = "http://www.w3.org/2006/vcard/ns#fn";
    ORGANISATION_NAME = "http://www.w3.org/2006/vcard/ns#organization-name";
    HAS_EMAIL = "http://www.w3.org/2006/vcard/ns#hasEmail";
    HAS_URL = "http://www.w3.org/2006/vcard/ns#hasURL";
    HAS_VALUE = "http://www.w3.org/2006/vcard/ns#hasValue";

    TDM_RESERVATION = "http://www.w3.org/ns/tdmrep#reservation";
    HAS_DATA = "https://w3id.org/dpv#hasData";
    HAS_PERSONAL_DATA = "https://w3id.org/dpv#hasPersonalData";
    HAS_LEGAL_BASIS = "https://w3id.org/dpv#hasLegalBasis";
    HAS_PURPOSE = "https://w3id.org/dpv#hasPurpose";
    HAS_DATA_SUBJECT = "https://w3id.org/dpv#hasDataSubject";

    CZ_CONDITIONS = "https://data.gov.cz/slovník/podmínky-užití/specifikace";
    CZ_WORK = "https://data.gov.cz/slovník/podmínky-užití/autorské-dílo";
    CZ_DATABASE_WORK = "https://data.gov.cz/slovník/podmínky-užití/databáze-jako-autorské-dílo";
    CZ_DATABASE_RIGHT = "https://data.gov.cz/slovník/podmínky-užití/databáze-chráněná-zvláštními-právy";
    CZ_PERSONAL_DATA = "https://data.gov.cz/slovník/podmínky-užití/osobní-údaje";
}

/// The class of a dataset.
pub(super) const DATASET_CLASS: &str = "http://www.w3.org/ns/dcat#Dataset";
/// The class of a catalogue.
pub(super) const CATALOG_CLASS: &str = "http://www.w3.org/ns/dcat#Catalog";

impl Property {
    /// The property with this IRI, where it is one that is read.
    pub(super) fn of(iri: &str) -> Option<Self> {
        static BY_IRI: LazyLock<HashMap<&'static str, Property>> =
            LazyLock::new(|| IRIS.iter().copied().chain(OTHER_SPELLINGS.iter().copied()).collect());
        BY_IRI.get(iri).copied()
    }

    /// The byte by which it is written to disk.
    pub(super) fn byte(self) -> u8 {
        self.0
    }

    /// The property that a byte stands for.
    pub(super) fn from_byte(byte: u8) -> Option<Self> {
        IRIS.get(usize::from(byte)).map(|(_, property)| *property)
    }
}

/// Spellings in use at portals that mean one of the above.
const OTHER_SPELLINGS: &[(&str, Property)] = &[
    ("http://xmlns.com/foaf/0.1/Page", Property::PAGE),
    ("https://schema.org/startDate", Property::SCHEMA_START),
    ("https://schema.org/endDate", Property::SCHEMA_END),
    ("https://spdx.org/rdf/terms#checksum", Property::CHECKSUM),
    ("https://spdx.org/rdf/terms#algorithm", Property::CHECKSUM_ALGORITHM),
    ("https://spdx.org/rdf/terms#checksumValue", Property::CHECKSUM_VALUE),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_property_survives_the_disk() {
        for (iri, property) in IRIS {
            assert_eq!(Property::of(iri), Some(*property));
            assert_eq!(Property::from_byte(property.byte()), Some(*property));
        }
        assert_eq!(Property::of("http://example.org/unknown"), None);
        assert_eq!(Property::from_byte(250), None);
    }
}
