//! The forms in which a dataset is offered.

use std::io;

use super::node::{Node, Term};
use super::record::{Record, parse_iri, shown};
use super::terms::Property;
use super::{gdpr, german, rights};
use crate::domain::bounds;
use crate::domain::dataset::Distribution;
use crate::domain::gdpr::PersonalData;
use crate::domain::ids::{Digest, Iri};
use crate::formats::text::{self, is_media_type};
use crate::vocabulary;

/// A distribution, and what was said about personal data in it.
pub(super) struct Read {
    pub(super) distribution: Distribution,
    pub(super) personal_data: PersonalData,
    /// What it says about rights beside the licence.
    pub(super) rights: Vec<Term>,
    /// How many records MLDCAT-AP counts in it, and the columns it lists.
    pub(super) datapoints: Option<u64>,
    pub(super) features: Vec<Term>,
}

/// Every distribution, in the order of their addresses and names, or in that of a node of this kind.
pub(super) fn all(record: &mut Record<'_>, node: &Node) -> io::Result<Vec<Read>> {
    let mut found = Vec::new();
    let mut terms: Vec<&Term> = node.all(Property::DISTRIBUTION).collect();
    record.cut("distributions", &mut terms);
    let page = node.all(Property::OWN_PAGE).find_map(parsed);
    for (_, own) in record.in_order(terms.into_iter())? {
        let mut read = one(record, &own)?;
        // Our writer names its own page where a distribution has no address.
        read.distribution.access_url =
            read.distribution.access_url.filter(|url| !record.is_ours || Some(url) != page.as_ref());
        // A reference to a distribution that is not described, or described by nothing that is read, says nothing.
        if record.is_ours || read.distribution != Distribution::default() {
            found.push(read);
        }
    }
    if !record.is_ours {
        found.sort_by_cached_key(|read| {
            let Distribution { access_url, download_url, title, format, .. } = &read.distribution;
            let name = title.as_ref().map(|title| title.best(&[]).1.to_owned());
            (access_url.clone(), download_url.clone(), name, format.clone())
        });
        found.dedup_by(|a, b| a.distribution == b.distribution && a.personal_data == b.personal_data);
    }
    Ok(found)
}

fn parsed(term: &Term) -> Option<Iri> {
    term.text().and_then(parse_iri)
}

fn one(record: &mut Record<'_>, node: &Node) -> io::Result<Read> {
    let media_type = media_type(record, node, Property::MEDIA_TYPE, Property::OWN_MEDIA_TYPE)?;
    let format = format(record, node, media_type.as_deref())?;
    let conditions = rights::conditions(record, node)?;
    let licence = rights::licence(record, node)?.or(conditions.licence);
    // The list of shards is another node's to serve; what it was stands in the record's own words.
    let manifest: Vec<&Term> = node.all(Property::OWN_MANIFEST).collect();
    let standards = node.all(Property::CONFORMS_TO).filter(|term| !manifest.contains(term));
    let distribution = Distribution {
        title: record.title("distribution's title", node.all(Property::TITLE)),
        description: record.prose("distribution's description", node.all(Property::DESCRIPTION)),
        access_url: record.one_iri("access URL", node.all(Property::ACCESS_URL)),
        download_url: record.one_iri("download URL", node.all(Property::DOWNLOAD_URL)),
        format,
        media_type,
        compress_format: media_type_of_compression(record, node)?,
        package_format: media_type_of_package(record, node)?,
        availability: availability(record, node),
        status: entry(record, node, "status", &[Property::STATUS, Property::OWN_STATUS]),
        conforms_to: record.iris("standard", standards),
        bytes: record.count("size", node.all(Property::BYTE_SIZE)),
        sha256: sha256(record, node)?,
        licence,
        manifest: None,
    };
    let mut rights: Vec<Term> = node.all(Property::RIGHTS).cloned().collect();
    rights.extend(node.all(Property::DE_ATTRIBUTION).filter(|term| term.is_literal()).cloned());
    let mut personal = gdpr::stated(record, node);
    personal.push(conditions.personal_data);
    Ok(Read {
        distribution,
        personal_data: gdpr::together(record, personal),
        rights,
        datapoints: record.count("number of records", node.all(Property::DATAPOINTS)),
        features: node.all(Property::HAS_FEATURE).cloned().collect(),
    })
}

fn media_type_of_compression(record: &mut Record<'_>, node: &Node) -> io::Result<Option<String>> {
    media_type(record, node, Property::COMPRESS_FORMAT, Property::OWN_COMPRESS_FORMAT)
}

fn media_type_of_package(record: &mut Record<'_>, node: &Node) -> io::Result<Option<String>> {
    media_type(record, node, Property::PACKAGE_FORMAT, Property::OWN_PACKAGE_FORMAT)
}

/// An entry of a code list.
fn entry(record: &mut Record<'_>, node: &Node, what: &str, properties: &[Property]) -> Option<Iri> {
    record.one_iri(what, node.first_of(properties).into_iter().filter(|term| !term.is_literal()))
}

/// How long it will stay: an entry of the EU table, or of the German one.
fn availability(record: &mut Record<'_>, node: &Node) -> Option<Iri> {
    let german: Vec<String> = node.all(Property::DE_AVAILABILITY).filter_map(german::availability).collect();
    let own = entry(record, node, "availability", &[Property::AVAILABILITY, Property::OWN_AVAILABILITY]);
    own.or_else(|| german.first().and_then(|iri| iri.parse().ok()))
}

const IANA: [&str; 4] = [
    "https://www.iana.org/assignments/media-types/",
    "http://www.iana.org/assignments/media-types/",
    "https://www.iana.org/assignments/media-type/",
    "http://www.iana.org/assignments/media-type/",
];

/// A media type: an entry of IANA's register, or, where a node of this kind wrote it, whatever stood there.
fn media_type(record: &mut Record<'_>, node: &Node, property: Property, own: Property) -> io::Result<Option<String>> {
    if let Some(line) = record.first_line("media type", node.all(own)) {
        return Ok(Some(line));
    }
    for term in node.all(property) {
        for text in labels(record, term)? {
            match media_type_of(&text) {
                Ok(Some(name)) => return Ok(Some(name)),
                Ok(None) => {}
                Err(note) => record.note(note),
            }
        }
    }
    Ok(None)
}

/// The media type that a text names, alone or as IANA's page; nothing where it says that nobody knows.
pub(in crate::formats) fn media_type_of(text: &str) -> Result<Option<String>, String> {
    let name = IANA.iter().find_map(|base| text.strip_prefix(base)).unwrap_or(text).to_ascii_lowercase();
    match is_media_type(&name) {
        true => Ok(Some(name)),
        false if name == "unknown" => Ok(None),
        false => Err(format!("media type: {:?} is not one", shown(text))),
    }
}

/// The format: the code of the EU table, else what the source wrote, else what the media type says alone.
fn format(record: &mut Record<'_>, node: &Node, media_type: Option<&str>) -> io::Result<Option<String>> {
    if record.is_ours
        && let Some(line) = record.first_line("format", node.all(Property::PLAIN_FORMAT))
    {
        return Ok(Some(line));
    }
    let mut texts = Vec::new();
    for term in node.first_of(&[Property::FORMAT, Property::PLAIN_FORMAT]) {
        texts.extend(labels(record, term)?);
    }
    Ok(format_of(&texts, media_type.filter(|_| !record.is_ours)))
}

/// The format that texts and a media type name.
pub(in crate::formats) fn format_of(texts: &[String], media_type: Option<&str>) -> Option<String> {
    let mut words = None;
    for text in texts {
        if let Some(code) = vocabulary::file_type(text) {
            if code != "UNKNOWN" {
                return Some(code);
            }
            continue;
        }
        // The tail of an entry that the table does not have, such as OGC:WMS, is still what the source wrote.
        let text = text.rsplit_once("/authority/file-type/").map_or(text.as_str(), |(_, tail)| tail);
        let is_reference = text.starts_with("http://") || text.starts_with("https://");
        let word = text::shortened(text::line(text), bounds::LINE).0;
        let media = IANA.iter().find_map(|base| word.strip_prefix(base)).unwrap_or(&word);
        if let Some(code) = vocabulary::file_type_of_media(&media.to_ascii_lowercase()) {
            words.get_or_insert_with(|| code.to_owned());
        } else if !is_reference && !word.is_empty() {
            words.get_or_insert(word);
        }
    }
    words.or_else(|| media_type.and_then(vocabulary::file_type_of_media).map(str::to_owned))
}

/// The texts that name a term: the term itself where it is a text or an IRI of a table, and the labels of its node.
fn labels(record: &mut Record<'_>, term: &Term) -> io::Result<Vec<String>> {
    let node = record.follow(term)?;
    let mut texts: Vec<String> = term.text().map(str::to_owned).into_iter().collect();
    for property in [Property::LABEL, Property::PREF_LABEL, Property::TITLE, Property::VALUE] {
        texts.extend(node.all(property).filter_map(Term::text).map(str::to_owned));
    }
    if texts.len() > 1 && !texts[0].contains("/authority/") && !IANA.iter().any(|base| texts[0].starts_with(base)) {
        texts.remove(0); // an address of its own, which its label explains
    }
    Ok(texts)
}

fn sha256(record: &mut Record<'_>, node: &Node) -> io::Result<Option<Digest>> {
    for term in node.all(Property::CHECKSUM) {
        let checksum = record.follow(term)?;
        let is_sha256 = checksum
            .all(Property::CHECKSUM_ALGORITHM)
            .filter_map(Term::text)
            .any(|algorithm| algorithm.to_ascii_lowercase().replace(['-', '_'], "").ends_with("sha256"));
        let value = checksum.all(Property::CHECKSUM_VALUE).find_map(Term::text);
        if let Some(value) = value.filter(|_| is_sha256) {
            match value.trim().to_ascii_lowercase().parse() {
                Ok(digest) => return Ok(Some(digest)),
                Err(_) => record.note(format!("checksum: {:?} is not a SHA-256 digest", shown(value))),
            }
        }
    }
    Ok(None)
}
