//! The files of a dataset: `FileObject` and `FileSet`, and the distributions that they are here.
//!
//! A distribution is a file set, unless it is one file that everybody may download and whose checksum is known: only that
//! is a `FileObject` to the validator. Shards that a node serves under an agreement are files within their set, each with
//! size and checksum and by its name alone, because no address gives their bytes to everybody.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

use super::Version;
use super::check::{CONTAINED_IN, FILE_SET, is_contained};
use super::ids::Ids;
use crate::domain::dataset::{Dataset, Distribution};
use crate::domain::ids::Iri;
use crate::domain::manifest::Manifest;
use crate::formats::draft::Notes;
use crate::formats::export::Place;
use crate::formats::linked::{Document, Node};
use crate::formats::schema_org::files::{self, NO_FORMAT, file_name};
use crate::formats::schema_org::words::Words;

/// The most shards that are written one by one; of more, the set says by a pattern which files belong to it.
const SHARDS: usize = 10_000;

/// The distributions that the files are. A file within a set is a shard of it, and shards are kept by the node that serves
/// them alone; a file within an archive is a form of its own, which is had by its archive's address.
pub(super) fn read(document: &Document, root: &Node, version: Version, notes: &mut Notes) -> Vec<Distribution> {
    let all: Vec<&Node> = root.nodes("schema:distribution").map(|file| document.resolve(file)).collect();
    let by_id: HashMap<String, &Node> = all.iter().filter_map(|file| Some((id(file, version)?, *file))).collect();
    let mut found = Vec::new();
    let mut shards = 0;
    for file in &all {
        let container = container(file, &by_id);
        if container.is_some_and(is_set) && !is_set(file) {
            shards += 1;
            continue;
        }
        let mut distribution = files::of(document, file, notes);
        if let Some(outer) = container {
            // Within its container a file has a path and no address.
            distribution.download_url = None;
            distribution.access_url = distribution.access_url.or_else(|| outermost(outer, &by_id));
        }
        if distribution != Distribution::default() {
            found.push(distribution);
        }
    }
    if shards > 0 {
        notes.note(format!(
            "{shards} files of file sets are not kept one by one: shards are stated by the node that serves them"
        ));
    }
    notes.cut("distributions", &mut found);
    found
}

fn is_set(file: &Node) -> bool {
    FILE_SET.iter().any(|kind| file.is(kind))
}

fn id(file: &Node, version: Version) -> Option<String> {
    if version == Version::V0_8 { file.text("schema:name") } else { file.id.clone() }
}

fn container<'d>(file: &Node, by_id: &HashMap<String, &'d Node>) -> Option<&'d Node> {
    let item = file.first_of(CONTAINED_IN).first()?;
    let target = match item.node() {
        Some(source) if source.id.is_none() => {
            source.references("cr:fileObject").into_iter().chain(source.references("cr:fileSet")).next()
        }
        _ => item.reference(),
    };
    by_id.get(&target?).copied()
}

/// The address of the file in which everything lies.
fn outermost(file: &Node, by_id: &HashMap<String, &Node>) -> Option<Iri> {
    let mut seen = HashSet::new();
    let mut file = file;
    while is_contained(file) && seen.insert(file.at.clone()) {
        file = container(file, by_id)?;
    }
    file.references("schema:contentUrl").iter().find_map(|url| crate::formats::draft::parse_iri(url))
}

/// The files of a record as a document states them, and the one that its tables are in.
pub(super) struct Written {
    pub(super) files: Vec<Value>,
    /// The property by which a field names its file, and the file's identifier.
    pub(super) of_tables: Option<(&'static str, String)>,
}

pub(super) fn write(dataset: &Dataset, place: &Place, words: &Words, ids: &mut Ids) -> Written {
    let mut written = Written { files: Vec::new(), of_tables: None };
    let of_tables = table_place(dataset);
    for (number, distribution) in dataset.distributions.iter().enumerate() {
        let address = address(distribution, dataset);
        let wish = address.map(file_name).filter(|name| !name.is_empty());
        let id = ids.unique(&wish.unwrap_or_else(|| format!("distribution-{}", number + 1)));
        let is_object = is_file_object(distribution, address);
        if of_tables == Some(number) {
            written.of_tables = Some((if is_object { "fileObject" } else { "fileSet" }, id.clone()));
        }
        let alike = files::written(distribution, dataset, place, words);
        written.files.push(file(distribution, &id, address, alike));
        let shards = distribution.manifest.iter().filter(|manifest| manifest.shards.len() <= SHARDS);
        written.files.extend(shards.flat_map(|manifest| shard_files(manifest, distribution, &id, ids)));
    }
    if written.of_tables.is_none() && !dataset.record_sets.is_empty() {
        // Where nothing is said of files, the tables are in some all the same, and a field must say in which.
        let id = ids.unique("files");
        written.files.push(json!({"@type": "cr:FileSet", "@id": id, "encodingFormat": NO_FORMAT, "includes": "*"}));
        written.of_tables = Some(("fileSet", id));
    }
    written
}

/// Which distribution the tables are read from: the shards where there are some, else the first.
fn table_place(dataset: &Dataset) -> Option<usize> {
    let sharded = dataset.distributions.iter().position(|distribution| distribution.manifest.is_some());
    sharded.or((!dataset.distributions.is_empty()).then_some(0))
}

/// The address of a distribution's bytes, where it is for everybody.
fn address<'d>(distribution: &'d Distribution, dataset: &Dataset) -> Option<&'d Iri> {
    distribution.download_url.as_ref().filter(|_| dataset.is_open(distribution))
}

/// Whether the validator takes a distribution as one file: with an address of its bytes and their checksum.
fn is_file_object(distribution: &Distribution, address: Option<&Iri>) -> bool {
    address.is_some() && distribution.sha256.is_some()
}

/// A distribution as a file or a set, with what schema.org says of it too.
fn file(distribution: &Distribution, id: &str, address: Option<&Iri>, alike: Map<String, Value>) -> Value {
    let is_object = is_file_object(distribution, address);
    let kind = if is_object { "cr:FileObject" } else { "cr:FileSet" };
    let mut file = Map::from_iter([("@type".to_owned(), json!(kind)), ("@id".to_owned(), json!(id))]);
    file.extend(alike);
    file.insert("encodingFormat".into(), formats(distribution));
    if !is_object {
        file.insert("includes".into(), json!(includes(distribution, address)));
    }
    for (term, line) in
        [("dcat:compressFormat", &distribution.compress_format), ("dcat:packageFormat", &distribution.package_format)]
    {
        if let Some(line) = line {
            file.insert(term.into(), json!(line));
        }
    }
    for (term, iri) in [("dcatap:availability", &distribution.availability), ("adms:status", &distribution.status)] {
        if let Some(iri) = iri {
            file.insert(term.into(), json!({"@id": iri}));
        }
    }
    if !distribution.conforms_to.is_empty() {
        file.insert("conformsTo".into(), json!(distribution.conforms_to));
    }
    if let Some(manifest) = &distribution.manifest {
        file.insert("version".into(), json!(manifest.version.to_string()));
        let total = json!(format!("{} B", manifest.total_bytes()));
        file.entry("contentSize").or_insert(total);
    }
    Value::Object(file)
}

fn formats(distribution: &Distribution) -> Value {
    let mut formats = files::written_formats(distribution);
    match formats.len() {
        0 => json!(NO_FORMAT),
        1 => json!(formats.swap_remove(0)),
        _ => json!(formats),
    }
}

/// Which files belong to a set: its shards by a pattern that fits their names, else what its address ends with.
fn includes(distribution: &Distribution, address: Option<&Iri>) -> String {
    if let Some(manifest) = &distribution.manifest {
        let endings: HashSet<Option<&str>> =
            manifest.shards.keys().map(|name| name.as_str().rsplit_once('.').map(|(_, ending)| ending)).collect();
        return match endings.into_iter().collect::<Vec<_>>()[..] {
            [Some(ending)] => format!("*.{ending}"),
            _ => "*".to_owned(),
        };
    }
    let name = address.map(file_name);
    name.filter(|name| !name.is_empty()).unwrap_or_else(|| "*".to_owned())
}

fn shard_files(manifest: &Manifest, distribution: &Distribution, set: &str, ids: &mut Ids) -> Vec<Value> {
    let shards = manifest.shards.iter().map(|(name, shard)| {
        let mut file = json!({
            "@type": "cr:FileObject",
            "@id": ids.unique(&format!("{set}/{name}")),
            "name": name,
            "contentUrl": name,
            "containedIn": {"@id": set},
            "encodingFormat": formats(distribution),
            "contentSize": format!("{} B", shard.bytes),
            "sha256": shard.sha256,
        });
        if let Some(rows) = shard.rows {
            file["it6:numberOfDatapoints"] = json!(rows);
        }
        if let Some(split) = &shard.split {
            file["pleiad:split"] = json!(split);
        }
        file
    });
    shards.collect()
}
