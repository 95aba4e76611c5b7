//! What is to be checked: files, folders and standard input, read record by record in whatever format they are.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::Found;
use crate::cli::import::{WHOLE, unpacked};
use crate::cli::{Exit, Failure, Output};
use crate::domain::dataset::Dataset;
use crate::domain::ids::{Country, Iri};
use crate::formats::dcat::{self, Input, Options, Progress};
use crate::formats::detect::{self, ByName, Format};
use crate::formats::{Common, Draft, Refused, ckan, croissant, hf_card, schema_org, yaml};
use crate::schema::{self, Violation, Violations};

/// What a document without an id, or with the last part of one alone, is called here.
const DRAFT: &str = "https://draft.invalid/dataset/";
/// Why a table is not read.
const TABLE: &str = "a table needs a mapping of its columns: `pleiad dataset import --mapping` reads it";

/// Gives each record of a file, a folder or standard input (`-`). Files of a folder that hold none are remarked.
pub(super) fn each(
    path: &Path,
    country: Option<&Country>,
    output: Output,
    mut give: impl FnMut(Found) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut reader = Reader { country, give: &mut give };
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        // One byte more than is taken tells that there is more.
        let most = schema::MAX_BYTES as u64 + 1;
        std::io::stdin().take(most).read_to_end(&mut bytes).map_err(|error| unreadable(path, &error))?;
        let format = match detect::by_start(&bytes) {
            ByName::Format(format) => Some(format),
            ByName::Json | ByName::Unknown => None,
        };
        return reader.text("standard input", None, format, &bytes, most as usize - 1);
    }
    if !path.is_dir() {
        return reader.file(path);
    }
    for file in files(path)? {
        match skipped(&file) {
            Some(why) => output.remark(format_args!("skipped {}: {why}", file.display())),
            None => reader.file(&file)?,
        }
    }
    Ok(())
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Why a file of a folder is not read.
fn skipped(file: &Path) -> Option<&'static str> {
    match detect::by_name(&name_of(file)) {
        ByName::Unknown => Some("its name says no format that is read"),
        ByName::Format(Format::Csv | Format::Tsv) => Some(TABLE),
        ByName::Format(Format::HfCard) if !is_card(file) => Some("it has no head of a dataset card"),
        ByName::Format(Format::HfInfos) if is_card(&file.with_file_name("README.md")) => {
            Some("it is read with the card beside it")
        }
        _ => None,
    }
}

fn is_card(file: &Path) -> bool {
    let mut start = Vec::new();
    let read = File::open(file).and_then(|file| file.take(64).read_to_end(&mut start));
    read.is_ok() && hf_card::is_card(&String::from_utf8_lossy(&start))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    let exit = if error.kind() == std::io::ErrorKind::NotFound { Exit::NotFound } else { Exit::Error };
    Failure::new(exit, format!("{} cannot be read: {error}", path.display()))
}

/// Every file of a folder and of those in it that is not hidden, in the order of the names.
fn files(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(|error| unreadable(&folder, &error))? {
            let path = entry.map_err(|error| unreadable(&folder, &error))?.path();
            if name_of(&path).starts_with('.') {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Reads files, and gives what is in them.
struct Reader<'a> {
    country: Option<&'a Country>,
    give: &'a mut dyn FnMut(Found) -> Result<(), Failure>,
}

impl Reader<'_> {
    fn file(&mut self, file: &Path) -> Result<(), Failure> {
        let format = match detect::by_name(&name_of(file)) {
            ByName::Format(Format::Dcat) => return self.rdf(file),
            ByName::Format(format) => Some(format),
            ByName::Json | ByName::Unknown => None,
        };
        let bytes = whole(file).map_err(|error| unreadable(file, &error))?;
        self.text(&file.display().to_string(), Some(file), format, &bytes, WHOLE as usize)
    }

    /// A text in a format, or in one of those of JSON.
    fn text(
        &mut self,
        name: &str,
        file: Option<&Path>,
        format: Option<Format>,
        bytes: &[u8],
        most: usize,
    ) -> Result<(), Failure> {
        let common = Common { source: name.to_owned(), country: self.country.cloned() };
        let text = String::from_utf8_lossy(bytes);
        match format {
            Some(Format::Yaml) => self.yaml(name, &text),
            Some(Format::JsonLines) => {
                let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
                for (at, line) in lines {
                    self.json(&format!("{name} line {}", at + 1), None, line.as_bytes(), most, &common)?;
                }
                Ok(())
            }
            Some(Format::HfCard) => {
                let infos = file.map(|file| file.with_file_name("dataset_infos.json"));
                let infos = infos.and_then(|infos| std::fs::read_to_string(infos).ok());
                self.draft(name, hf_card::read(&text, infos.as_deref(), &on_the_hub(name), &common))
            }
            Some(Format::HfInfos) => self.draft(name, hf_card::read_infos(&text, &on_the_hub(name), &common)),
            Some(Format::Csv | Format::Tsv) => self.refuse(name, TABLE),
            Some(Format::Dcat) => self.refuse(name, "RDF is read from a file: name one"),
            None | Some(Format::Croissant | Format::SchemaOrg | Format::Ckan) => {
                self.json(name, file, bytes, most, &common)
            }
        }
    }

    fn json(
        &mut self,
        name: &str,
        file: Option<&Path>,
        bytes: &[u8],
        most: usize,
        common: &Common,
    ) -> Result<(), Failure> {
        let value = match schema::value_within(bytes, most) {
            Ok(value) => value,
            Err(violations) => return (self.give)(Found { place: name.to_owned(), record: Err(violations) }),
        };
        let text = String::from_utf8_lossy(bytes);
        let read = match detect::of_json(&value) {
            Some(Format::Croissant) => vec![croissant::read(&text, common)],
            Some(Format::SchemaOrg) => schema_org::read(&text, common),
            Some(Format::Ckan) => {
                // What is judged here does not depend on where the portal is.
                let site = ckan::site_of(&value).or_else(|| DRAFT.parse::<Iri>().ok());
                site.map(|site| ckan::read(&text, common, &site)).unwrap_or_default()
            }
            Some(Format::HfInfos) => vec![hf_card::read_infos(&text, &on_the_hub(name), common)],
            Some(Format::Dcat) => match file {
                Some(file) => return self.rdf(file),
                None => schema_org::read(&text, common),
            },
            _ => return self.ours(name, value),
        };
        read.into_iter().try_for_each(|record| self.draft(name, record))
    }

    fn yaml(&mut self, name: &str, text: &str) -> Result<(), Failure> {
        match yaml::values(text) {
            Ok(documents) => documents
                .into_iter()
                .filter(|document| !document.is_null())
                .try_for_each(|document| self.ours(name, document)),
            Err(fault) => {
                let why = format!("it is no YAML at column {}: {}", fault.column, fault.reason);
                self.refuse(&format!("{name} line {}", fault.line.max(1)), &why)
            }
        }
    }

    /// Our own document, or a list of them.
    fn ours(&mut self, name: &str, value: Value) -> Result<(), Failure> {
        match value {
            Value::Array(items) => items.into_iter().enumerate().try_for_each(|(at, item)| {
                (self.give)(Found { place: format!("{name}#/{at}"), record: of_ours(item, self.country) })
            }),
            value => (self.give)(Found { place: name.to_owned(), record: of_ours(value, self.country) }),
        }
    }

    fn rdf(&mut self, file: &Path) -> Result<(), Failure> {
        let options = Options { country: self.country.cloned(), ..Options::default() };
        let records = dcat::open(&Input::Path(file.to_owned()), &options, &Progress::default())?;
        let name = file.display().to_string();
        for place in records.unreadable().0 {
            (self.give)(refused(&name, place))?;
        }
        for record in records {
            self.draft(&name, record?)?;
        }
        Ok(())
    }

    fn draft(&mut self, name: &str, record: Result<Draft, Refused>) -> Result<(), Failure> {
        (self.give)(record.map_or_else(|record| refused(name, &record), |draft| of_draft(name, draft, self.country)))
    }

    fn refuse(&mut self, name: &str, why: &str) -> Result<(), Failure> {
        (self.give)(Found { place: name.to_owned(), record: Err(unread(why)) })
    }
}

/// The bytes of a file, unpacked; of one that is larger than is taken, one byte more.
fn whole(file: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    unpacked(File::open(file)?)?.take(WHOLE + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What a card is called on the hub, by where it lies.
fn on_the_hub(name: &str) -> String {
    hf_card::name_of(name).unwrap_or_else(|| "draft".to_owned())
}

/// Our own document: a dataset, or a record as a node serves it with the dataset inside.
fn of_ours(value: Value, country: Option<&Country>) -> Result<Dataset, Violations> {
    let is_record = value.get("dataset").is_some_and(Value::is_object) && value.get("title").is_none();
    let mut value = if is_record { value["dataset"].clone() } else { value };
    if let Some(fields) = value.as_object_mut() {
        let local = match fields.get("id") {
            None => Some("draft".to_owned()),
            Some(Value::String(local)) if !local.contains(':') => Some(local.clone()),
            Some(_) => None,
        };
        if let Some(local) = local {
            fields.insert("id".to_owned(), json!(format!("{DRAFT}{local}")));
        }
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
    Found { place: format!("{name}#{}", record.place), record: Err(unread(&record.reason)) }
}

fn unread(why: &str) -> Violations {
    let violation = Violation {
        pointer: String::new(),
        found: "a record that cannot be read".to_owned(),
        allowed: "a dataset".to_owned(),
        hint: why.to_owned(),
    };
    Violations { list: vec![violation], more: false }
}
