//! What is to be read: files, folders file by file, standard input, addresses; and in which format each is.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::super::{Exit, Failure, Output};
use super::fetching;
use crate::domain::ids::{Country, Iri};
use crate::formats::detect::{self, ByName, Format};
use crate::formats::hf_card;
use crate::formats::mapping::Mapping;

/// The most bytes, unpacked, of a document that is read whole: 96 MiB, as for JSON-LD.
pub(in crate::cli) const WHOLE: u64 = 96 << 20;
/// The deepest folder below the one that was named.
const DEPTH: usize = 16;

/// What the arguments say about every input.
pub(super) struct Wanted {
    pub(super) format: Option<Format>,
    pub(super) source: Option<String>,
    pub(super) country: Option<Country>,
    pub(super) site: Option<Iri>,
    pub(super) mapping: Option<Mapping>,
    pub(super) allowed_hosts: Vec<String>,
}

/// A file to read.
pub(super) struct Item {
    /// None for standard input.
    pub(super) path: Option<PathBuf>,
    /// Its name for people.
    pub(super) shown: String,
    pub(super) format: Format,
    /// The `dataset_infos.json` beside a card.
    pub(super) infos: Option<PathBuf>,
    /// What the source is called where nobody says it.
    pub(super) source: Option<String>,
    /// The portal that it was fetched from.
    pub(super) site: Option<Iri>,
}

/// What was found.
#[derive(Default)]
pub(super) struct Found {
    pub(super) items: Vec<Item>,
    /// Files that are not read: why, and which.
    pub(super) skipped: Vec<(String, String)>,
    /// Holds what was fetched or kept of standard input, until everything is read.
    pub(super) kept: Option<tempfile::TempDir>,
}

const KNOWN: &str = "name it .ttl, .nt, .nq, .trig, .rdf, .xml, .jsonld, .json, .md, .csv, .tsv, .jsonl or .yaml (also with .gz or .zst), or say --format";

/// Finds every file of the inputs.
pub(super) fn find(inputs: &[String], wanted: &Wanted, output: Output) -> Result<Found, Failure> {
    let mut found = Found::default();
    for input in inputs {
        if input == "-" {
            standard(wanted, &mut found)?;
        } else if input.starts_with("http://") || input.starts_with("https://") {
            fetched(input, wanted, &mut found, output)?;
        } else {
            let path = Path::new(input);
            let metadata = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?;
            if metadata.is_dir() {
                folder(path, wanted, &mut found)?;
            } else {
                let format =
                    format_of(path, wanted)?.map_err(|why| Failure::new(Exit::Usage, format!("{input}: {why}")))?;
                found.items.push(item(path, input.clone(), format, wanted));
            }
        }
    }
    with_their_infos(&mut found);
    Ok(found)
}

fn item(path: &Path, shown: String, format: Format, _wanted: &Wanted) -> Item {
    Item { path: Some(path.to_owned()), shown, format, infos: None, source: name_of(path), site: None }
}

/// The name of a file up to its first dot.
fn name_of(path: &Path) -> Option<String> {
    let whole = path.canonicalize().ok()?;
    let name = whole.file_name()?.to_str()?.split('.').next()?.to_owned();
    (!name.is_empty()).then_some(name)
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(Exit::Error, format!("{} cannot be read: {error}", path.display()))
}

/// Every file of a folder and the folders below, in the order of their names; hidden ones and what is in no known format are
/// skipped and counted. Links to folders are not followed.
fn folder(root: &Path, wanted: &Wanted, found: &mut Found) -> Result<(), Failure> {
    let source = name_of(root);
    let mut open = vec![(root.to_owned(), 0)];
    let mut files = BTreeSet::new();
    while let Some((folder, depth)) = open.pop() {
        for entry in std::fs::read_dir(&folder).map_err(|error| unreadable(&folder, &error))? {
            let entry = entry?;
            let path = entry.path();
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if entry.file_name().to_string_lossy().starts_with('.') {
                found.skipped.push(("hidden".into(), path.display().to_string()));
            } else if is_folder && depth < DEPTH {
                open.push((path, depth + 1));
            } else if !is_folder && path.is_file() {
                files.insert(path);
            } else {
                found.skipped.push(("no file, or too deep".into(), path.display().to_string()));
            }
        }
    }
    for path in files {
        let shown = path.display().to_string();
        match in_folder(&path, wanted)? {
            Ok(format) => {
                let own = item(&path, shown, format, wanted);
                found.items.push(Item { source: source.clone(), ..own });
            }
            Err(why) => found.skipped.push((why, shown)),
        }
    }
    Ok(())
}

/// The format of a file in a folder, where what is no record lies between the records.
fn in_folder(path: &Path, wanted: &Wanted) -> Result<Result<Format, String>, Failure> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let by_name = detect::by_name(&name);
    if let Some(format) = wanted.format {
        let is_json = matches!(
            format,
            Format::Dcat | Format::Croissant | Format::SchemaOrg | Format::HfInfos | Format::Ckan | Format::Yaml
        );
        let fits = by_name == ByName::Format(format) || (by_name == ByName::Json && is_json);
        return Ok(if fits { Ok(format) } else { Err("it is in another format than the one wanted".into()) });
    }
    if by_name == ByName::Unknown {
        return Ok(Err("its name is that of no format that is read".into()));
    }
    let format = format_of(path, wanted)?;
    let is_table = matches!(format, Ok(Format::Csv | Format::Tsv)) && wanted.mapping.is_none();
    Ok(match format {
        Ok(_) if is_table => Err("a table is read with --mapping only".into()),
        Ok(Format::HfCard) if !hf_card::is_card(&String::from_utf8_lossy(&start(path)?)) => {
            Err("it is Markdown without the head of a dataset card".into())
        }
        other => other,
    })
}

/// The format of a file: as wanted, by its name, by its content. The inner error is why it has none.
fn format_of(path: &Path, wanted: &Wanted) -> Result<Result<Format, String>, Failure> {
    if let Some(format) = wanted.format {
        return Ok(Ok(format));
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let said = match detect::by_name(&name) {
        ByName::Unknown => detect::by_start(&start(path)?),
        said => said,
    };
    match said {
        ByName::Format(format) => Ok(Ok(format)),
        ByName::Unknown => Ok(Err(format!("neither its name nor its content says its format: {KNOWN}"))),
        ByName::Json => {
            let bytes = whole(path)?;
            Ok(json_format(bytes.as_deref(), wanted))
        }
    }
}

/// The format of JSON by what it holds. What is too large to be looked into is left to the reader of JSON-LD, which says so.
fn json_format(bytes: Option<&[u8]>, wanted: &Wanted) -> Result<Format, String> {
    let Some(bytes) = bytes else { return Ok(Format::Dcat) };
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let value: Value = match serde_json::from_slice(bytes) {
        Ok(value) => value,
        // JSON-LD that breaks off is told by its own reader, with the place.
        Err(_) if bytes.windows(8).take(4096).any(|part| part == b"@context") => return Ok(Format::Dcat),
        Err(error) => return Err(format!("it is not JSON: {error}")),
    };
    match detect::of_json(&value) {
        Some(format) => Ok(format),
        None if wanted.mapping.is_some() => Ok(Format::Yaml),
        None => {
            Err("its JSON is no record in a format that is read; say --mapping for records of another shape".into())
        }
    }
}

/// The first bytes of a file, unpacked.
fn start(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    // What cannot be unpacked has no start that says anything; its reader tells why.
    if let Ok(reader) = unpacked(file) {
        let _ = reader.take(1 << 14).read_to_end(&mut bytes);
    }
    Ok(bytes)
}

/// The whole of a file, unpacked; nothing where it is too large.
fn whole(path: &Path) -> Result<Option<Vec<u8>>, Failure> {
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    let mut bytes = Vec::new();
    let reader = unpacked(file).map_err(|error| unreadable(path, &error))?;
    reader.take(WHOLE + 1).read_to_end(&mut bytes).map_err(|error| unreadable(path, &error))?;
    Ok((bytes.len() as u64 <= WHOLE).then_some(bytes))
}

/// A reader of what is packed with gzip or Zstandard, or not at all, by its first bytes.
pub(in crate::cli) fn unpacked<R: Read + Send + 'static>(raw: R) -> io::Result<BufReader<Box<dyn Read + Send>>> {
    let mut raw = BufReader::with_capacity(1 << 16, raw);
    let start = raw.fill_buf()?;
    let plain: Box<dyn Read + Send> = if start.starts_with(&[0x1f, 0x8b]) {
        Box::new(flate2::read::MultiGzDecoder::new(raw))
    } else if start.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        Box::new(zstd::stream::read::Decoder::with_buffer(raw)?)
    } else {
        Box::new(raw)
    };
    Ok(BufReader::with_capacity(1 << 16, plain))
}

/// Standard input: RDF and lines are read as they come; what must be looked into whole is kept in a temporary file.
fn standard(wanted: &Wanted, found: &mut Found) -> Result<(), Failure> {
    let mut item = Item {
        path: None,
        shown: "standard input".into(),
        format: Format::Dcat,
        infos: None,
        source: None,
        site: None,
    };
    if let Some(format) = wanted.format {
        found.items.push(Item { format, ..item });
        return Ok(());
    }
    // Looking at the buffer of standard input takes nothing out of it.
    let start = io::stdin().lock().fill_buf()?.to_vec();
    let mut plain = Vec::new();
    let _ = unpacked(io::Cursor::new(start)).map(|reader| reader.take(1 << 13).read_to_end(&mut plain));
    item.format = match detect::by_start(&plain) {
        ByName::Format(format) => format,
        ByName::Unknown => {
            return Err(Failure::new(
                Exit::Usage,
                "standard input does not say its format by how it begins; say --format",
            ));
        }
        ByName::Json => {
            let folder = kept(found)?;
            let path = folder.join("standard-input.jsonld");
            io::copy(&mut unpacked(io::stdin())?.take(WHOLE + 1), &mut File::create(&path)?)?;
            item.path = Some(path.clone());
            json_format(whole(&path)?.as_deref(), wanted)
                .map_err(|why| Failure::new(Exit::Usage, format!("standard input: {why}")))?
        }
    };
    found.items.push(item);
    Ok(())
}

/// The temporary folder for what has no file of its own.
fn kept(found: &mut Found) -> Result<PathBuf, Failure> {
    if found.kept.is_none() {
        found.kept = Some(tempfile::tempdir()?);
    }
    Ok(found.kept.as_ref().map(|folder| folder.path().to_owned()).unwrap_or_default())
}

fn fetched(address: &str, wanted: &Wanted, found: &mut Found, output: Output) -> Result<(), Failure> {
    let folder = kept(found)?.join(found.items.len().to_string());
    std::fs::create_dir(&folder)?;
    output.remark(format_args!("fetching {address}"));
    let fetched = fetching::fetch(address, &folder, &wanted.allowed_hosts)?;
    let format =
        format_of(&fetched.path, wanted)?.map_err(|why| Failure::new(Exit::Usage, format!("{address}: {why}")))?;
    let site = fetched.site.parse().ok();
    found.items.push(Item {
        source: Some(fetched.host),
        site,
        ..item(&fetched.path, address.to_owned(), format, wanted)
    });
    Ok(())
}

/// A `dataset_infos.json` beside a card belongs to it, and is no item of its own.
fn with_their_infos(found: &mut Found) {
    let folder = |item: &Item| item.path.as_ref().and_then(|path| path.parent()).map(Path::to_owned);
    let is_readme = |item: &Item| {
        let name = item.path.as_ref().and_then(|path| path.file_name());
        item.format == Format::HfCard
            && name.is_some_and(|name| name.to_string_lossy().to_ascii_lowercase().starts_with("readme."))
    };
    let cards: Vec<_> = found.items.iter().filter(|item| is_readme(item)).filter_map(folder).collect();
    let mut infos = Vec::new();
    found.items.retain(|item| {
        let belongs = item.format == Format::HfInfos && folder(item).is_some_and(|folder| cards.contains(&folder));
        if belongs {
            infos.extend(item.path.clone());
        }
        !belongs
    });
    for item in found.items.iter_mut().filter(|item| is_readme(item)) {
        let own = item.path.as_ref().and_then(|path| path.parent()).map(Path::to_owned);
        item.infos = infos.iter().find(|path| path.parent().map(Path::to_owned) == own).cloned();
    }
}
