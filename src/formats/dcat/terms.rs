//! The properties that are read. A statement with another property is kept only to be shown again: its property is a
//! number from [`Others`].

use std::collections::HashMap;
use std::sync::LazyLock;

/// A property that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Property(u16);

macro_rules! properties {
    ($($name:ident = $iri:literal;)*) => {
        #[allow(clippy::upper_case_acronyms, non_camel_case_types)] // a counter, never named elsewhere
        enum Number { $($name),* }
        #[allow(missing_docs)] // the IRIs are the documentation
        impl Property {
            $(pub(super) const $name: Self = Self(Number::$name as u16);)*
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

    CONFORMS_TO = "http://purl.org/dc/terms/conformsTo";
    PROVENANCE = "http://purl.org/dc/terms/provenance";
    SUBJECT = "http://purl.org/dc/terms/subject";
    CITATION = "http://purl.org/dc/terms/bibliographicCitation";
    IS_VERSION_OF = "http://www.w3.org/ns/dcat#isVersionOf";
    IN_SERIES = "http://www.w3.org/ns/dcat#inSeries";
    COMPRESS_FORMAT = "http://www.w3.org/ns/dcat#compressFormat";
    PACKAGE_FORMAT = "http://www.w3.org/ns/dcat#packageFormat";
    AVAILABILITY = "http://data.europa.eu/r5r/availability";
    STATUS = "http://www.w3.org/ns/adms#status";
    PLAIN_FORMAT = "http://purl.org/dc/elements/1.1/format";
    TDM_POLICY = "http://www.w3.org/ns/tdmrep#policy";

    HAS_POLICY = "http://www.w3.org/ns/odrl/2/hasPolicy";
    ODRL_PERMISSION = "http://www.w3.org/ns/odrl/2/permission";
    ODRL_PROHIBITION = "http://www.w3.org/ns/odrl/2/prohibition";
    ODRL_DUTY = "http://www.w3.org/ns/odrl/2/duty";
    ODRL_ACTION = "http://www.w3.org/ns/odrl/2/action";
    ODRL_CONSTRAINT = "http://www.w3.org/ns/odrl/2/constraint";
    ODRL_LEFT = "http://www.w3.org/ns/odrl/2/leftOperand";
    ODRL_OPERATOR = "http://www.w3.org/ns/odrl/2/operator";
    ODRL_RIGHT = "http://www.w3.org/ns/odrl/2/rightOperand";
    ODRL_TARGET = "http://www.w3.org/ns/odrl/2/target";
    ODRL_ASSIGNER = "http://www.w3.org/ns/odrl/2/assigner";
    ODRL_UID = "http://www.w3.org/ns/odrl/2/uid";

    HAS_MEASURE = "https://w3id.org/dpv#hasTechnicalOrganisationalMeasure";
    HAS_CONTROLLER = "https://w3id.org/dpv#hasDataController";
    HAS_JOINT_CONTROLLERS = "https://w3id.org/dpv#hasJointDataControllers";
    HAS_PROCESSOR = "https://w3id.org/dpv#hasDataProcessor";
    HAS_OFFICER = "https://w3id.org/dpv#hasDataProtectionOfficer";
    HAS_RIGHT = "https://w3id.org/dpv#hasRight";
    IS_EXERCISED_AT = "https://w3id.org/dpv#isExercisedAt";
    HAS_STORAGE = "https://w3id.org/dpv#hasStorageCondition";
    HAS_DURATION = "https://w3id.org/dpv#hasDuration";
    HAS_ASSESSMENT = "https://w3id.org/dpv#hasImpactAssessment";
    HAS_LOCATION = "https://w3id.org/dpv#hasLocation";
    HEALTH_LEGAL_BASIS = "http://www.w3.org/ns/dqv#hasLegalBasis";

    HDAB = "http://healthdataportal.eu/ns/health#hdab";
    HEALTH_CATEGORY = "http://healthdataportal.eu/ns/health#healthCategory";
    HEALTH_THEME = "http://healthdataportal.eu/ns/health#healthTheme";
    CODING_SYSTEM = "http://healthdataportal.eu/ns/health#hasCodingSystem";
    CODE_VALUES = "http://healthdataportal.eu/ns/health#hasCodeValues";
    POPULATION = "http://healthdataportal.eu/ns/health#populationCoverage";
    MIN_AGE = "http://healthdataportal.eu/ns/health#minTypicalAge";
    MAX_AGE = "http://healthdataportal.eu/ns/health#maxTypicalAge";
    INDIVIDUALS = "http://healthdataportal.eu/ns/health#numberOfUniqueIndividuals";
    RECORDS = "http://healthdataportal.eu/ns/health#numberOfRecords";
    TRUSTED_HOLDER = "http://healthdataportal.eu/ns/health#trustedDataHolder";
    RETENTION_PERIOD = "http://healthdataportal.eu/ns/health#retentionPeriod";

    COLLECTION_DATE = "http://data.europa.eu/it6/collectionDate";
    COLLECTION_METHOD = "http://data.europa.eu/it6/collectionMethod";
    CURATION_METHOD = "http://data.europa.eu/it6/curationMethod";
    DATA_PROVENANCE = "http://data.europa.eu/it6/dataProvenance";
    BIAS_METHOD = "http://data.europa.eu/it6/biasMethod";
    UNSUITABILITY_METHOD = "http://data.europa.eu/it6/unsuitabilityMethod";
    VERSION_LABEL = "http://data.europa.eu/it6/versionLabel";
    DATAPOINTS = "http://data.europa.eu/it6/numberOfDatapoints";
    HAS_FEATURE = "http://data.europa.eu/it6/hasFeature";
    MEASUREMENT = "http://www.w3.org/ns/dqv#hasQualityMeasurement";
    IS_MEASUREMENT_OF = "http://www.w3.org/ns/dqv#isMeasurementOf";
    MEASURED = "http://www.w3.org/ns/dqv#value";

    RAI_COLLECTION = "http://mlcommons.org/croissant/RAI/dataCollection";
    RAI_COLLECTION_TYPE = "http://mlcommons.org/croissant/RAI/dataCollectionType";
    RAI_RAW_DATA = "http://mlcommons.org/croissant/RAI/dataCollectionRawData";
    RAI_MISSING_DATA = "http://mlcommons.org/croissant/RAI/dataCollectionMissingData";
    RAI_PREPROCESSING = "http://mlcommons.org/croissant/RAI/dataPreprocessingProtocol";
    RAI_ANNOTATION = "http://mlcommons.org/croissant/RAI/dataAnnotationProtocol";
    RAI_PLATFORM = "http://mlcommons.org/croissant/RAI/dataAnnotationPlatform";
    RAI_PER_ITEM = "http://mlcommons.org/croissant/RAI/annotationsPerItem";
    RAI_ANNOTATORS = "http://mlcommons.org/croissant/RAI/annotatorDemographics";
    RAI_TOOLS = "http://mlcommons.org/croissant/RAI/machineAnnotationTools";
    RAI_ANALYSIS = "http://mlcommons.org/croissant/RAI/dataAnnotationAnalysis";
    RAI_BIASES = "http://mlcommons.org/croissant/RAI/dataBiases";
    RAI_SOCIAL_IMPACT = "http://mlcommons.org/croissant/RAI/dataSocialImpact";
    RAI_SENSITIVE = "http://mlcommons.org/croissant/RAI/personalSensitiveInformation";
    RAI_USE_CASES = "http://mlcommons.org/croissant/RAI/dataUseCases";
    RAI_LIMITATIONS = "http://mlcommons.org/croissant/RAI/dataLimitations";
    RAI_MAINTENANCE = "http://mlcommons.org/croissant/RAI/dataReleaseMaintenancePlan";

    COLUMN = "http://www.w3.org/ns/csvw#column";
    COLUMN_NAME = "http://www.w3.org/ns/csvw#name";
    DATATYPE = "http://www.w3.org/ns/csvw#datatype";
    PROPERTY_URL = "http://www.w3.org/ns/csvw#propertyUrl";

    DE_CONTRIBUTOR = "http://dcat-ap.de/def/dcatde/contributorID";
    DE_ATTRIBUTION = "http://dcat-ap.de/def/dcatde/licenseAttributionByText";
    DE_PLACE = "http://dcat-ap.de/def/dcatde/politicalGeocodingURI";
    DE_PLACE_NAME = "http://dcat-ap.de/def/dcatde/geocodingDescription";
    DE_LEGAL_BASIS = "http://dcat-ap.de/def/dcatde/legalBasis";
    DE_AVAILABILITY = "http://dcat-ap.de/def/dcatde/plannedAvailability";
    DE_ORIGINATOR = "http://dcat-ap.de/def/dcatde/originator";

    OWN_POSITION = "https://pleiad.example/ns#position";
    OWN_IRI = "https://pleiad.example/ns#iri";
    OWN_COUNTRY = "https://pleiad.example/ns#country";
    OWN_PLACE = "https://pleiad.example/ns#place";
    OWN_LANGUAGE = "https://pleiad.example/ns#language";
    OWN_FICTITIOUS = "https://pleiad.example/ns#fictitious";
    OWN_LICENCE = "https://pleiad.example/ns#licence";
    OWN_SPDX = "https://pleiad.example/ns#spdx";
    OWN_MATCHED_BY = "https://pleiad.example/ns#matchedBy";
    OWN_CONFIDENCE = "https://pleiad.example/ns#confidence";
    OWN_COMMERCIAL = "https://pleiad.example/ns#commercial";
    OWN_DERIVATIVES = "https://pleiad.example/ns#derivatives";
    OWN_SHARE_ALIKE = "https://pleiad.example/ns#shareAlike";
    OWN_ATTRIBUTION = "https://pleiad.example/ns#attribution";
    OWN_AI_TRAINING = "https://pleiad.example/ns#aiTraining";
    OWN_TEXT_AND_DATA_MINING = "https://pleiad.example/ns#textAndDataMining";
    OWN_APPROVAL = "https://pleiad.example/ns#approval";
    OWN_DURATION = "https://pleiad.example/ns#duration";
    OWN_SPECIAL_CATEGORY = "https://pleiad.example/ns#specialCategory";
    OWN_SPECIAL_CONDITION = "https://pleiad.example/ns#specialCondition";
    OWN_COLLECTION_PURPOSE = "https://pleiad.example/ns#collectionPurpose";
    OWN_DATA_SUBJECT_COUNT = "https://pleiad.example/ns#dataSubjectCount";
    OWN_DPIA_STATUS = "https://pleiad.example/ns#dpiaStatus";
    OWN_TRANSFER = "https://pleiad.example/ns#transfer";
    OWN_MODALITY = "https://pleiad.example/ns#modality";
    OWN_TASK = "https://pleiad.example/ns#task";
    OWN_COLLECTED = "https://pleiad.example/ns#collected";
    OWN_ASSUMPTIONS = "https://pleiad.example/ns#assumptions";
    OWN_BIAS_MEASURES = "https://pleiad.example/ns#biasMeasures";
    OWN_SETTING = "https://pleiad.example/ns#setting";
    OWN_SOURCE_CATEGORY = "https://pleiad.example/ns#sourceCategory";
    OWN_GENERATOR = "https://pleiad.example/ns#generator";
    OWN_CRAWL = "https://pleiad.example/ns#crawl";
    OWN_DOMAIN = "https://pleiad.example/ns#domain";
    OWN_ROBOTS_HONOURED = "https://pleiad.example/ns#robotsHonoured";
    OWN_RESERVATIONS_HONOURED = "https://pleiad.example/ns#reservationsHonoured";
    OWN_SPLIT = "https://pleiad.example/ns#split";
    OWN_RECORDS = "https://pleiad.example/ns#records";
    OWN_TOKENISER = "https://pleiad.example/ns#tokeniser";
    OWN_RECORD_SET = "https://pleiad.example/ns#recordSet";
    OWN_KEY = "https://pleiad.example/ns#key";
    OWN_SEMANTIC_TYPE = "https://pleiad.example/ns#semanticType";
    OWN_REPEATED = "https://pleiad.example/ns#repeated";
    OWN_MEDIA_TYPE = "https://pleiad.example/ns#mediaType";
    OWN_COMPRESS_FORMAT = "https://pleiad.example/ns#compressFormat";
    OWN_PACKAGE_FORMAT = "https://pleiad.example/ns#packageFormat";
    OWN_AVAILABILITY = "https://pleiad.example/ns#availability";
    OWN_STATUS = "https://pleiad.example/ns#status";
    OWN_MANIFEST = "https://pleiad.example/ns#manifest";
    OWN_PAGE = "https://pleiad.example/ns#page";
}

/// The class of a dataset.
pub(super) const DATASET_CLASS: &str = "http://www.w3.org/ns/dcat#Dataset";
/// The class of a dataset that was written by a node of this kind, whose own terms say exactly what was meant.
pub(super) const OWN_CLASS: &str = "https://pleiad.example/ns#Dataset";
/// The class of a catalogue.
pub(super) const CATALOG_CLASS: &str = "http://www.w3.org/ns/dcat#Catalog";

impl Property {
    /// The property with this IRI, where it is one that is read.
    pub(super) fn of(iri: &str) -> Option<Self> {
        static BY_IRI: LazyLock<HashMap<&'static str, Property>> =
            LazyLock::new(|| IRIS.iter().copied().chain(OTHER_SPELLINGS.iter().copied()).collect());
        BY_IRI.get(iri).copied()
    }

    /// The number by which it is written to disk.
    pub(super) fn number(self) -> u16 {
        self.0
    }

    /// The property that a number stands for, be it read or not.
    pub(super) fn from_number(number: u16) -> Self {
        Self(number)
    }
}

/// The most properties beside those that are read, and the longest of their IRIs: a dump of a portal has a hundred, and
/// one that has a name for each statement shall not fill the memory.
const OTHERS: usize = 4_096;
const LONGEST: usize = 512;

/// Properties that are not read, in the order in which they were met.
#[derive(Debug, Default)]
pub(super) struct Others {
    numbers: HashMap<String, u16>,
    iris: Vec<String>,
}

impl Others {
    /// The property with this IRI, read or not; nothing where there are too many.
    pub(super) fn property(&mut self, iri: &str) -> Option<Property> {
        if let Some(property) = Property::of(iri) {
            return Some(property);
        }
        if let Some(number) = self.numbers.get(iri) {
            return Some(Property(*number));
        }
        if self.iris.len() >= OTHERS || iri.len() > LONGEST {
            return None;
        }
        let number = u16::try_from(IRIS.len() + self.iris.len()).ok()?;
        self.numbers.insert(iri.to_owned(), number);
        self.iris.push(iri.to_owned());
        Some(Property(number))
    }

    /// The IRI of a property.
    pub(super) fn iri(&self, property: Property) -> &str {
        let number = usize::from(property.0);
        match IRIS.get(number) {
            Some((iri, _)) => iri,
            None => self.iris.get(number - IRIS.len()).map_or("", String::as_str),
        }
    }
}

/// Spellings in use at portals that mean one of the above.
const OTHER_SPELLINGS: &[(&str, Property)] = &[
    ("http://xmlns.com/foaf/0.1/Page", Property::PAGE),
    ("https://schema.org/startDate", Property::SCHEMA_START),
    ("https://schema.org/endDate", Property::SCHEMA_END),
    ("http://purl.org/dc/terms/isVersionOf", Property::IS_VERSION_OF),
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
            assert_eq!(Property::from_number(property.number()), *property);
        }
        assert_eq!(Property::of("http://example.org/unknown"), None);
    }

    #[test]
    fn every_term_of_our_own_is_described() {
        let page = include_str!("../../../docs/formats.md");
        let own = super::super::write::names::OWN;
        let names: Vec<&str> = IRIS.iter().filter_map(|(iri, _)| iri.strip_prefix(own)).collect();
        assert!(names.len() > 40, "the terms are in the table");
        for name in names {
            assert!(page.contains(&format!("`pleiad:{name}`")), "docs/formats.md does not describe pleiad:{name}");
        }
    }

    #[test]
    fn a_property_that_is_not_read_has_a_number_and_there_are_not_too_many() {
        let mut others = Others::default();
        let first = others.property("http://example.org/p").unwrap();
        assert_eq!((others.property("http://example.org/p"), others.iri(first)), (Some(first), "http://example.org/p"));
        let title = others.property("http://purl.org/dc/terms/title").unwrap();
        assert_eq!((title, others.iri(title)), (Property::TITLE, "http://purl.org/dc/terms/title"));
        assert_eq!(others.property(&"x".repeat(600)), None);
        let met =
            (0..5_000).filter(|number| others.property(&format!("http://example.org/{number}")).is_some()).count();
        assert_eq!(met, OTHERS - 1);
    }
}
