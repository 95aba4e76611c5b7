//! The resources of a package: the forms in which the dataset is offered.

use serde_json::{Map, Value};

use super::Package;
use super::package::licence_of;
use crate::domain::dataset::Distribution;
use crate::domain::ids::{Digest, Iri};
use crate::domain::licence::Licence;
use crate::formats::dcat::distribution::{format_of, media_type_of};
use crate::formats::dcat::rights::same;
use crate::formats::draft::{Notes, READ, shown};
use crate::formats::said::{count, field, objects, tagged, text, texts};

/// Every resource, in the portal's order. A licence is told only where it differs from the package's.
pub(super) fn all(package: &Package<'_>, notes: &mut Notes, whole: Option<&Licence>) -> Vec<Distribution> {
    let mut found = Vec::new();
    let resources = package.fields.get("resources").map(objects).unwrap_or_default();
    if resources.len() > READ {
        notes.note(format!("distributions: more than {READ} are named, and the others are not read"));
    }
    for resource in resources.into_iter().take(READ) {
        if resource.get("state").and_then(Value::as_str) == Some("deleted") {
            continue;
        }
        let mut distribution = one(&resource, notes);
        distribution.licence = licence_of(field(&resource, &["license", "licence"]))
            .filter(|own| whole.is_none_or(|whole| !same(whole, own)));
        if distribution != Distribution::default() && !found.contains(&distribution) {
            found.push(distribution);
        }
    }
    notes.cut("distributions", &mut found);
    found
}

fn one(resource: &Map<String, Value>, notes: &mut Notes) -> Distribution {
    let media_type = field(resource, &["mimetype", "mimetype_inner"]).and_then(text).and_then(|word| {
        media_type_of(&word).unwrap_or_else(|note| {
            notes.note(note);
            None
        })
    });
    let formats = field(resource, &["format"]).map(texts).unwrap_or_default();
    let said = |notes: &mut Notes, what: &str, names: &[&str]| {
        field(resource, names).map(|value| tagged(notes, what, value, None)).unwrap_or_default()
    };
    let name = said(notes, "distribution's title", &["name_translated", "name", "title"]);
    let words = said(notes, "distribution's description", &["description_translated", "description"]);
    let address = address(resource, notes, "access URL", &["access_url", "url"]);
    Distribution {
        title: notes.title("distribution's title", name),
        description: notes.prose("distribution's description", words),
        access_url: address,
        download_url: self::address(resource, notes, "download URL", &["download_url"]),
        format: format_of(&formats, media_type.as_deref()),
        media_type,
        compress_format: media(resource, notes, "compress_format"),
        package_format: media(resource, notes, "package_format"),
        availability: address_of_table(resource, notes, "availability"),
        status: address_of_table(resource, notes, "status"),
        conforms_to: {
            let standards = field(resource, &["conforms_to"]).map(texts).unwrap_or_default();
            notes.iris("standard", standards.iter().map(String::as_str))
        },
        bytes: bytes(resource, notes),
        sha256: sha256(resource, notes),
        licence: None,
        manifest: None,
    }
}

fn address(resource: &Map<String, Value>, notes: &mut Notes, what: &str, names: &[&str]) -> Option<Iri> {
    let written = field(resource, names).and_then(text)?;
    notes.iris(what, [written.as_str()]).pop()
}

/// An entry of a table by its IRI; CKAN's own word `active` says nothing about the data.
fn address_of_table(resource: &Map<String, Value>, notes: &mut Notes, name: &str) -> Option<Iri> {
    let written = field(resource, &[name]).and_then(text).filter(|text| text.starts_with("http"))?;
    notes.iris(name, [written.as_str()]).pop()
}

fn media(resource: &Map<String, Value>, notes: &mut Notes, name: &str) -> Option<String> {
    let written = field(resource, &[name]).and_then(text)?;
    media_type_of(&written).unwrap_or_else(|note| {
        notes.note(note);
        None
    })
}

fn bytes(resource: &Map<String, Value>, notes: &mut Notes) -> Option<u64> {
    let value = field(resource, &["size", "byte_size"])?;
    let bytes = count(value);
    if bytes.is_none() {
        notes.note(format!("size: {:?} is not a number of bytes", shown(&value.to_string())));
    }
    bytes
}

/// The digest, only where its algorithm is stated as SHA-256: beside it, or before it as `sha256:`.
fn sha256(resource: &Map<String, Value>, notes: &mut Notes) -> Option<Digest> {
    let written = field(resource, &["hash"]).and_then(text)?.trim().to_ascii_lowercase();
    let algorithm = field(resource, &["hash_algorithm"]).and_then(text).unwrap_or_default().to_ascii_lowercase();
    let is_stated = algorithm.replace(['-', '_'], "").ends_with("sha256");
    let digits = written.strip_prefix("sha256:").or(is_stated.then_some(written.as_str()));
    let digest = digits.and_then(|digits| digits.parse().ok());
    match (digits, digest) {
        (Some(_), None) => notes.note(format!("checksum: {:?} is not a SHA-256 digest", shown(&written))),
        (None, _) => notes.note("checksum: its algorithm is not stated as SHA-256"),
        _ => {}
    }
    digest
}
