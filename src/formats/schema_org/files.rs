//! Distributions: `DataDownload`, and what Croissant's files share with it.

use serde_json::{Map, Value, json};

use super::licence;
use super::words::Words;
use crate::domain::bounds;
use crate::domain::dataset::{Dataset, Distribution};
use crate::domain::ids::Iri;
use crate::formats::draft::{Notes, parse_iri, shown};
use crate::formats::export::Place;
use crate::formats::linked::{Document, Item, Node};
use crate::formats::text::{self, is_media_type};
use crate::vocabulary;

/// What stands where a format is demanded and none is known; it says nothing.
pub(crate) const NO_FORMAT: &str = "application/octet-stream";

/// The downloads of a dataset.
pub(crate) fn downloads(document: &Document, node: &Node, notes: &mut Notes) -> Vec<Distribution> {
    let mut found = Vec::new();
    for item in node.all("schema:distribution") {
        let distribution = match item.node() {
            Some(file) => of(document, document.resolve(file), notes),
            None => {
                Distribution { access_url: item.text().and_then(|text| parse_iri(&text)), ..Distribution::default() }
            }
        };
        if distribution != Distribution::default() {
            found.push(distribution);
        }
    }
    notes.cut("distributions", &mut found);
    found
}

/// What is said of one file or download.
pub(crate) fn of(document: &Document, file: &Node, notes: &mut Notes) -> Distribution {
    let mut said = file.said("schema:name", notes);
    let known: Vec<_> = said.iter().map(|(language, _)| language.clone()).collect();
    said.extend(file.said("schema:alternateName", notes).into_iter().filter(|(language, _)| !known.contains(language)));
    let title = notes.title("title of a distribution", said);
    let said = file.said("schema:description", notes);
    let (media_type, format) = formats(file, notes);
    let address = |notes: &mut Notes, property: &str| {
        let found = file.references(property);
        notes.iris(property, found.iter().map(String::as_str)).into_iter().next()
    };
    let iri = |property: &str| file.references(property).iter().find_map(|text| parse_iri(text));
    Distribution {
        title,
        description: notes.prose("description of a distribution", said),
        access_url: address(notes, "schema:url"),
        download_url: file.references("schema:contentUrl").iter().find_map(|text| parse_iri(text)),
        format,
        media_type,
        compress_format: file.text("dcat:compressFormat").and_then(|text| notes.line("compression", &text)),
        package_format: file.text("dcat:packageFormat").and_then(|text| notes.line("package", &text)),
        availability: iri("dcatap:availability"),
        status: iri("adms:status"),
        conforms_to: notes.iris("standard", file.references("dct:conformsTo").iter().map(String::as_str)),
        bytes: bytes(file, notes),
        sha256: sha256(file, notes),
        licence: licence::of(document, file, notes),
        manifest: None,
    }
}

/// The media type and the format: a media type as such, an entry of the EU table by its code, anything else as written.
fn formats(file: &Node, notes: &mut Notes) -> (Option<String>, Option<String>) {
    let (mut media_type, mut format) = (None, None);
    for item in file.first_of(&["schema:encodingFormat", "schema:fileFormat"]) {
        let Some(said) = item.reference().and_then(|text| notes.line("format", &text)) else { continue };
        let lower = said.to_ascii_lowercase();
        if lower == NO_FORMAT {
            continue;
        }
        if let Some(code) = vocabulary::file_type(&said) {
            format = Some(code);
        } else if is_media_type(&lower) {
            media_type.get_or_insert(lower);
        } else {
            format.get_or_insert(said);
        }
    }
    let format = format.or_else(|| media_type.as_deref().and_then(vocabulary::file_type_of_media).map(str::to_owned));
    (media_type, format)
}

/// The size, where it is stated in bytes. A size in megabytes is rounded, and a round number of bytes would be invented.
pub(crate) fn bytes(file: &Node, notes: &mut Notes) -> Option<u64> {
    let said = file.text("schema:contentSize")?;
    let trimmed = said.trim();
    let digits = trimmed.trim_end_matches(|c: char| c.is_ascii_alphabetic()).trim_end();
    let unit = trimmed[digits.len()..].trim().to_ascii_lowercase();
    let is_bytes = matches!(unit.as_str(), "" | "b" | "byte" | "bytes");
    let bytes = digits.parse().ok().filter(|bytes| is_bytes && *bytes <= bounds::COUNT);
    if bytes.is_none() {
        notes.note(format!("size: {:?} is not a number of bytes", shown(&said)));
    }
    bytes
}

/// The SHA-256, where it is one.
pub(crate) fn sha256(file: &Node, notes: &mut Notes) -> Option<crate::domain::ids::Digest> {
    let said = file.first_of(&["schema:sha256", "cr:sha256"]).iter().find_map(Item::text)?;
    let digest = said.trim().to_ascii_lowercase().parse().ok();
    if digest.is_none() {
        notes.note(format!("checksum: {:?} is not a SHA-256 digest", shown(&said)));
    }
    digest
}

/// The formats of a distribution, in the order in which [`of`] reads them.
pub(crate) fn written_formats(distribution: &Distribution) -> Vec<String> {
    let mut formats: Vec<String> = distribution.media_type.iter().cloned().collect();
    if let Some(format) = &distribution.format {
        let follows = distribution.media_type.as_deref().and_then(vocabulary::file_type_of_media) == Some(format);
        if !follows {
            formats.push(vocabulary::file_type_iri(format).map_or_else(|| format.clone(), str::to_owned));
        }
    }
    formats
}

/// What Croissant and schema.org say alike of a distribution. The address of bytes that are not for everybody is not
/// written; in its place stands the page of the dataset, where no other address does.
pub(crate) fn written(
    distribution: &Distribution,
    dataset: &Dataset,
    place: &Place,
    words: &Words,
) -> Map<String, Value> {
    let mut file = Map::new();
    if let Some(title) = &distribution.title {
        if let Some(own) = words.own(title) {
            file.insert("name".into(), json!(own));
        }
        let others = words.others(title);
        if !others.is_empty() {
            file.insert("alternateName".into(), json!(others));
        }
    }
    if let Some(description) = &distribution.description {
        file.insert("description".into(), words.text(description));
    }
    let is_open = dataset.is_open(distribution);
    if let Some(url) = &distribution.access_url {
        file.insert("url".into(), json!(url));
    } else if !is_open && distribution.download_url.is_some() {
        file.insert("url".into(), json!(place.page(&dataset.id)));
    }
    if let Some(url) = distribution.download_url.as_ref().filter(|_| is_open) {
        file.insert("contentUrl".into(), json!(url));
    }
    if let Some(bytes) = distribution.bytes {
        file.insert("contentSize".into(), json!(format!("{bytes} B")));
    }
    if let Some(sha256) = &distribution.sha256 {
        file.insert("sha256".into(), json!(sha256));
    }
    if let Some(licence) = distribution.licence.as_ref().and_then(licence::written) {
        file.insert("license".into(), licence);
    }
    file
}

/// The last part of an address, as a file would be called.
pub(crate) fn file_name(iri: &Iri) -> String {
    let path = iri.as_str().split(['?', '#']).next().unwrap_or_default();
    let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    text::line(name)
}
