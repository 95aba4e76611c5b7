//! The score of the European data portal's *Metadata Quality Assessment*: five dimensions, 405 points, four ratings.
//!
//! Dimensions, metrics, points and thresholds are those that the portal publishes (data.europa.eu/mqa/methodology). Three
//! metrics are not answered by looking at a record: whether the access and the download address answer (the network) and
//! whether its RDF conforms to DCAT-AP (SHACL). Who has the answer gives it in [`Outside`]; else they are not checked. As
//! the portal has it, a dataset is as interoperable as its best distribution.

use serde::{Deserialize, Serialize};

use super::{Mark, Metric, sum};
use crate::domain::dataset::{AccessRights, Dataset, Distribution};
use crate::domain::licence::Licence;
use crate::vocabulary;

/// What was found out beside the record; nothing where nobody looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Outside {
    /// Whether an access address answers.
    pub access_answers: Option<bool>,
    /// Whether a download address answers.
    pub download_answers: Option<bool>,
    /// Whether the record as RDF conforms to DCAT-AP.
    pub conforms: Option<bool>,
}

/// The score.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Score {
    /// The dimensions, in the portal's order.
    pub dimensions: Vec<Dimension>,
    /// The points won.
    pub points: u32,
    /// The points that could be won: 405 without what was not checked.
    pub of: u32,
    /// The rating.
    pub rating: Rating,
}

/// One of the five dimensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dimension {
    /// Its key in the table of messages, such as `dimension.findability`.
    pub key: &'static str,
    /// Its metrics.
    pub metrics: Vec<Metric>,
    /// The points won.
    pub points: u32,
    /// The points that could be won.
    pub of: u32,
}

/// The portal's ratings, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rating {
    /// 351 points or more.
    Excellent,
    /// 221 to 350.
    Good,
    /// 121 to 220.
    Sufficient,
    /// Up to 120.
    Bad,
}

/// All points of the method.
pub const POINTS: u32 = 405;

impl Rating {
    /// Every rating, best first.
    pub const ALL: [Self; 4] = [Self::Excellent, Self::Good, Self::Sufficient, Self::Bad];

    /// The value as the API spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Excellent => "excellent",
            Self::Good => "good",
            Self::Sufficient => "sufficient",
            Self::Bad => "bad",
        }
    }

    /// The rating of so many points of a maximum, which is scaled to the 405 for which the thresholds are published.
    fn of(points: u32, of: u32) -> Self {
        match u64::from(points) * u64::from(POINTS) / u64::from(of.max(1)) {
            351.. => Self::Excellent,
            221..=350 => Self::Good,
            121..=220 => Self::Sufficient,
            _ => Self::Bad,
        }
    }
}

/// Scores a dataset.
pub fn score(dataset: &Dataset, outside: &Outside) -> Score {
    let dimensions = vec![
        dimension("dimension.findability", findability(dataset)),
        dimension("dimension.accessibility", accessibility(dataset, outside)),
        dimension("dimension.interoperability", interoperability(dataset, outside)),
        dimension("dimension.reusability", reusability(dataset)),
        dimension("dimension.contextuality", contextuality(dataset)),
    ];
    let points = dimensions.iter().map(|dimension| dimension.points).sum();
    let of = dimensions.iter().map(|dimension| dimension.of).sum();
    Score { dimensions, points, of, rating: Rating::of(points, of) }
}

fn dimension(key: &'static str, metrics: Vec<Metric>) -> Dimension {
    let (points, of) = sum(&metrics);
    Dimension { key, metrics, points, of }
}

fn metric(key: &'static str, points: u32, met: bool, pointer: &'static str) -> Metric {
    Metric { key, points, mark: Mark::of(met), pointer }
}

fn from_outside(key: &'static str, points: u32, answer: Option<bool>, pointer: &'static str) -> Metric {
    Metric { key, points, mark: answer.map_or(Mark::NotChecked, Mark::of), pointer }
}

fn findability(dataset: &Dataset) -> Vec<Metric> {
    vec![
        metric("portal.keywords", 30, dataset.keywords.values().any(|words| !words.is_empty()), "/keywords"),
        metric("portal.themes", 30, !dataset.themes.is_empty(), "/themes"),
        metric("portal.spatial", 20, !dataset.spatial.is_empty(), "/spatial"),
        metric("portal.temporal", 20, !dataset.temporal.is_empty(), "/temporal"),
    ]
}

fn accessibility(dataset: &Dataset, outside: &Outside) -> Vec<Metric> {
    let has_download = dataset.distributions.iter().any(|distribution| distribution.download_url.is_some());
    vec![
        from_outside("portal.access_answers", 50, outside.access_answers, "/distributions"),
        metric("portal.download", 20, has_download, "/distributions"),
        from_outside("portal.download_answers", 30, outside.download_answers, "/distributions"),
    ]
}

fn interoperability(dataset: &Dataset, outside: &Outside) -> Vec<Metric> {
    let of_each = dataset.distributions.iter().map(of_distribution);
    let best = of_each.max_by_key(|metrics| sum(metrics).0);
    let mut metrics = best.unwrap_or_else(|| of_distribution(&Distribution::default()));
    metrics.push(from_outside("portal.conforms", 30, outside.conforms, ""));
    metrics
}

fn of_distribution(distribution: &Distribution) -> Vec<Metric> {
    let format = distribution.format.as_deref();
    let media_type = distribution.media_type.as_deref();
    let is_listed = format.is_none_or(|format| vocabulary::file_type_iri(format).is_some())
        && media_type.is_none_or(is_media_type)
        && (format.is_some() || media_type.is_some());
    let code = format.or_else(|| media_type.and_then(vocabulary::file_type_of_media));
    vec![
        metric("portal.format", 20, format.is_some(), "/distributions"),
        metric("portal.media_type", 10, media_type.is_some(), "/distributions"),
        metric("portal.format_listed", 10, is_listed, "/distributions"),
        metric("portal.format_open", 20, code.is_some_and(|code| is_among(OPEN, code)), "/distributions"),
        metric("portal.format_readable", 20, code.is_some_and(|code| is_among(READABLE, code)), "/distributions"),
    ]
}

/// File types whose specification anybody may implement. The portal's own list is not published as a file that could be
/// taken over; this one is our reading, as `docs/quality.md` says.
const OPEN: &str = "ARROW ATOM AVRO BMP CSV DBF FLAC GEOJSON GEOTIFF GML GPKG GTFS GZIP HDF HDT HTML HTML5 ICS JATS JPEG JPEG2000 JSON JSONL JSON_LD KML KMZ LAS LAZ N3 NDJSON NETCDF ODB ODC ODF ODG ODP ODS ODT OGG OPUS ORC OWL PARQUET PDFA1A PDFA1B PDFA2A PDFA2B PDFA3 PDFUA PNG RDF RDFA RDF_N_QUADS RDF_N_TRIPLES RDF_TRIG RDF_TRIX RDF_TURTLE RDF_XML RSS RTF SDMX SHP SKOS_XML SPARQLQRES SQL SVG TAB TAR TAR_GZ TAR_XZ TIFF TMX TSV TXT WARC WARC_GZ WAV WCS_SRVC WEBM WEBP WFS_SRVC WMS_SRVC XHTML XHTML5 XLIFF XML XZ YAML ZIP";
/// File types whose structure a program can read (Directive (EU) 2019/1024, Article 2(13)), our reading likewise.
const READABLE: &str = "AKN4EU ARROW ATOM AVRO CSV DBF EFORMS_XML FMX4 GDB GEOJSON GEOTIFF GML GPKG GRID GRID_ASCII GTFS HDF HDT ICS JATS JSON JSONL JSON_LD KML KMZ LAS LAZ MDB METS N3 NDJSON NETCDF ODB ODS ORC OWL PARQUET RDF RDFA RDF_N_QUADS RDF_N_TRIPLES RDF_TRIG RDF_TRIX RDF_TURTLE RDF_XML RSS SDMX SHP SKOS_XML SPARQLQRES SQL TAB TMX TSV WFS_SRVC XLIFF XLS XLSB XLSX XML XYZ YAML";

fn is_among(list: &str, code: &str) -> bool {
    list.split(' ').any(|known| known.eq_ignore_ascii_case(code))
}

/// Whether this is spelled as IANA registers media types: one of its top-level names and a subtype.
fn is_media_type(text: &str) -> bool {
    let top = ["application", "audio", "font", "haptics", "image", "message", "model", "multipart", "text", "video"];
    let subtype =
        |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b));
    text.split_once('/').is_some_and(|(kind, name)| top.contains(&kind) && subtype(name))
}

fn reusability(dataset: &Dataset) -> Vec<Metric> {
    let of_distributions = dataset.distributions.iter().filter_map(|distribution| distribution.licence.as_ref());
    let licences: Vec<&Licence> = dataset.licence.iter().chain(of_distributions).collect();
    let is_listed = |licence: &&Licence| {
        let by_id = licence.spdx.as_deref().is_some_and(|id| vocabulary::licence::by_spdx(id).is_some());
        let by_iri = licence.iri.as_ref().is_some_and(|iri| vocabulary::concept_iri(iri.as_str()).is_some());
        by_id || by_iri
    };
    // What is stated here is always an entry of the EU table: the type has no other values.
    let is_access_stated = dataset.access_rights != AccessRights::NotStated;
    vec![
        metric("portal.licence", 20, !licences.is_empty(), "/licence"),
        metric("portal.licence_listed", 10, licences.iter().any(is_listed), "/licence"),
        metric("portal.access_rights", 10, is_access_stated, "/access_rights"),
        metric("portal.access_rights_listed", 5, is_access_stated, "/access_rights"),
        metric("portal.contact", 20, dataset.contact.is_some(), "/contact"),
        metric("portal.publisher", 10, dataset.publisher.is_some(), "/publisher"),
    ]
}

fn contextuality(dataset: &Dataset) -> Vec<Metric> {
    vec![
        metric("portal.rights", 5, dataset.rights.is_some(), "/rights"),
        metric("portal.bytes", 5, dataset.total_bytes().is_some(), "/distributions"),
        metric("portal.issued", 5, dataset.issued.is_some(), "/issued"),
        metric("portal.modified", 5, dataset.modified.is_some(), "/modified"),
    ]
}
