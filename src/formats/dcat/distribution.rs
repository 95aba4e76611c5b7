//! The forms in which a dataset is offered.

use std::io;

use super::node::{Node, Term};
use super::record::{Record, shown};
use super::rights;
use super::terms::Property;
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
}

/// Every distribution, in the order of their addresses and names.
pub(super) fn all(record: &mut Record<'_>, node: &Node) -> io::Result<Vec<Read>> {
    let mut found = Vec::new();
    let mut terms: Vec<&Term> = node.all(Property::DISTRIBUTION).collect();
    record.cut("distributions", &mut terms);
    for term in terms {
        let own = record.follow(term)?;
        let read = one(record, &own)?;
        // A reference to a distribution that is not described, or described by nothing that is read, says nothing.
        if read.distribution != Distribution::default() {
            found.push(read);
        }
    }
    found.sort_by_cached_key(|read| {
        let Distribution { access_url, download_url, title, format, .. } = &read.distribution;
        let name = title.as_ref().map(|title| title.best(&[]).1.to_owned());
        (access_url.clone(), download_url.clone(), name, format.clone())
    });
    found.dedup_by(|a, b| a.distribution == b.distribution);
    Ok(found)
}

fn one(record: &mut Record<'_>, node: &Node) -> io::Result<Read> {
    let media_type = media_type(record, node)?;
    let format = format(record, node, media_type.as_deref())?;
    let conditions = rights::conditions(record, node)?;
    let licence = rights::licence(record, node)?.or(conditions.licence);
    let distribution = Distribution {
        title: record.title("distribution's title", node.all(Property::TITLE)),
        description: record.prose("distribution's description", node.all(Property::DESCRIPTION)),
        access_url: address(record, node, Property::ACCESS_URL, "access URL"),
        download_url: address(record, node, Property::DOWNLOAD_URL, "download URL"),
        format,
        media_type,
        bytes: bytes(record, node),
        sha256: sha256(record, node)?,
        licence,
        manifest: None,
        ..Distribution::default()
    };
    Ok(Read { distribution, personal_data: conditions.personal_data })
}

fn address(record: &mut Record<'_>, node: &Node, property: Property, what: &str) -> Option<Iri> {
    let mut addresses = record.iris(what, node.all(property));
    if addresses.len() > 1 {
        record.note(format!("{what}: one of several is kept"));
    }
    if addresses.is_empty() { None } else { Some(addresses.swap_remove(0)) }
}

const IANA: [&str; 4] = [
    "https://www.iana.org/assignments/media-types/",
    "http://www.iana.org/assignments/media-types/",
    "https://www.iana.org/assignments/media-type/",
    "http://www.iana.org/assignments/media-type/",
];

fn media_type(record: &mut Record<'_>, node: &Node) -> io::Result<Option<String>> {
    for term in node.all(Property::MEDIA_TYPE) {
        for text in labels(record, term)? {
            let name = IANA.iter().find_map(|base| text.strip_prefix(base)).unwrap_or(&text).to_ascii_lowercase();
            if is_media_type(&name) {
                return Ok(Some(name));
            }
            if name != "unknown" {
                record.note(format!("media type: {:?} is not one", shown(&text)));
            }
        }
    }
    Ok(None)
}

/// The format: the code of the EU table, else what the source wrote, else what the media type says alone.
fn format(record: &mut Record<'_>, node: &Node, media_type: Option<&str>) -> io::Result<Option<String>> {
    let mut words = None;
    for term in node.all(Property::FORMAT) {
        for text in labels(record, term)? {
            if let Some(code) = vocabulary::file_type(&text) {
                if code != "UNKNOWN" {
                    return Ok(Some(code));
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
    }
    Ok(words.or_else(|| media_type.and_then(vocabulary::file_type_of_media).map(str::to_owned)))
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

fn bytes(record: &mut Record<'_>, node: &Node) -> Option<u64> {
    let text = node.all(Property::BYTE_SIZE).find_map(Term::text)?;
    let whole = match text.trim().split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|b| b == b'0') => whole,
        _ => text.trim(),
    };
    let bytes = whole.parse().ok().filter(|bytes| *bytes <= bounds::COUNT);
    if bytes.is_none() {
        record.note(format!("size: {:?} is not a number of bytes", shown(text)));
    }
    bytes
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
