//! What is to be checked: files, folders and standard input, read record by record in whatever format they are.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::Found;
use crate::cli::{Exit, Failure};
use crate::domain::dataset::Dataset;
use crate::domain::ids::Country;
use crate::formats::dcat::{self, Input, Options, Progress};
use crate::formats::{Common, Draft, Refused, croissant, schema_org};
use crate::schema::{self, Violation, Violations};

/// Ends of names that RDF has, before `.gz` and `.zst`.
const RDF: [&str; 8] = ["ttl", "nt", "nq", "trig", "rdf", "xml", "owl", "jsonld"];

/// Gives each record of a file, a folder or standard input (`-`).
pub(super) fn each(
    path: &Path,
    country: Option<&Country>,
    mut give: impl FnMut(Found) -> Result<(), Failure>,
) -> Result<(), Failure> {
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        // One byte more than is taken tells that there is more.
        let most = schema::MAX_BYTES as u64 + 1;
        std::io::stdin().take(most).read_to_end(&mut bytes).map_err(|error| unreadable(path, &error))?;
        return of_json("standard input", &bytes, country, &mut give);
    }
    for file in files(path)? {
        let name = file.display().to_string();
        if is_rdf(&file) {
            of_rdf(&file, country, &mut give)?;
            continue;
        }
        let bytes = std::fs::read(&file).map_err(|error| unreadable(&file, &error))?;
        of_json(&name, &bytes, country, &mut give)?;
    }
    Ok(())
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    let exit = if error.kind() == std::io::ErrorKind::NotFound { Exit::NotFound } else { Exit::Error };
    Failure::new(exit, format!("{} cannot be read: {error}", path.display()))
}

/// A file by itself; of a folder every file whose name says that it may hold records, in the order of the names.
fn files(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(|error| unreadable(&folder, &error))? {
            let path = entry.map_err(|error| unreadable(&folder, &error))?.path();
            let is_hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
            if is_hidden {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if is_rdf(&path) || path.extension().is_some_and(|end| end == "json") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn is_rdf(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let name = name.trim_end_matches(".gz").trim_end_matches(".zst");
    name.rsplit_once('.').is_some_and(|(_, end)| RDF.contains(&end))
}

fn of_rdf(
    file: &Path,
    country: Option<&Country>,
    give: &mut impl FnMut(Found) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let options = Options { country: country.cloned(), ..Options::default() };
    let records = dcat::open(&Input::Path(file.to_owned()), &options, &Progress::default())?;
    let name = file.display().to_string();
    for place in records.unreadable().0 {
        give(refused(&name, place))?;
    }
    for record in records {
        match record? {
            Ok(draft) => give(of_draft(&name, draft, country))?,
            Err(record) => give(refused(&name, &record))?,
        }
    }
    Ok(())
}

fn of_json(
    name: &str,
    bytes: &[u8],
    country: Option<&Country>,
    give: &mut impl FnMut(Found) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let value = match schema::value(bytes) {
        Ok(value) => value,
        Err(violations) => return give(Found { place: name.to_owned(), record: Err(violations) }),
    };
    let common = Common { source: name.to_owned(), country: country.cloned() };
    if value.get("@context").is_some() {
        let text = String::from_utf8_lossy(bytes);
        let read = if croissant::is_one(&value) {
            vec![croissant::read(&text, &common)]
        } else {
            schema_org::read(&text, &common)
        };
        for record in read {
            give(record.map_or_else(|record| refused(name, &record), |draft| of_draft(name, draft, country)))?;
        }
        return Ok(());
    }
    match value {
        Value::Array(items) => items
            .into_iter()
            .enumerate()
            .try_for_each(|(at, item)| give(Found { place: format!("{name}#/{at}"), record: of_ours(item, country) })),
        value => give(Found { place: name.to_owned(), record: of_ours(value, country) }),
    }
}

/// Our own JSON: a dataset, or a record as a node serves it with the dataset inside.
fn of_ours(value: Value, country: Option<&Country>) -> Result<Dataset, Violations> {
    let is_record = value.get("dataset").is_some_and(Value::is_object) && value.get("title").is_none();
    let mut value = if is_record { value["dataset"].clone() } else { value };
    if let Some(fields) = value.as_object_mut() {
        fields.entry("id").or_insert_with(|| json!("https://draft.invalid/dataset/draft"));
        if let Some(country) = country {
            fields.entry("country").or_insert_with(|| json!(country.as_str()));
        }
    }
    schema::admit_bounded(&value)
}

fn of_draft(name: &str, draft: Draft, country: Option<&Country>) -> Found {
    Found { place: format!("{name}#{}", draft.source.iri), record: of_ours(with_some_country(draft.dataset), country) }
}

/// A catalogue of one country does not say it in each record; what is judged here does not depend on it.
fn with_some_country(mut dataset: Value) -> Value {
    if let Some(fields) = dataset.as_object_mut() {
        fields.entry("country").or_insert_with(|| json!("BE"));
    }
    dataset
}

/// A record that no reader could make a dataset of.
fn refused(name: &str, record: &Refused) -> Found {
    let violation = Violation {
        pointer: String::new(),
        found: "a record that cannot be read".to_owned(),
        allowed: "a dataset".to_owned(),
        hint: record.reason.clone(),
    };
    let violations = Violations { list: vec![violation], more: false };
    Found { place: format!("{name}#{}", record.place), record: Err(violations) }
}
