//! Files into records, one after the other, on the thread that reads.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::super::{Exit, Failure, Output};
use super::inputs::{Found, Item, WHOLE, Wanted, unpacked};
use super::sending::{bar, style};
use super::summary::Summary;
use crate::domain::ids::Iri;
use crate::formats::dcat::{self, Input, Options, Progress, ReadError, Records};
use crate::formats::detect::Format;
use crate::formats::{Common, Draft, Refused, ckan, croissant, hf_card, lines, ours, schema_org, table};

/// Everything that is to be read, in the order in which it is.
pub(super) struct Parts {
    rdf: Vec<Records>,
    items: Vec<Item>,
    wanted: Wanted,
    /// Removed when everything is read.
    _kept: Option<tempfile::TempDir>,
}

impl Parts {
    pub(super) fn is_empty(&self) -> bool {
        self.rdf.iter().all(Records::is_empty) && self.items.is_empty()
    }

    /// How many records there are, where all of them are statements that were counted.
    pub(super) fn count(&self) -> Option<u64> {
        self.items.is_empty().then(|| self.rdf.iter().map(|records| records.len() as u64).sum())
    }
}

/// Who takes what is read; `false` where nobody does any more.
pub(super) trait Taker {
    fn record(&mut self, record: Result<Draft, Refused>) -> bool;
    fn failure(&mut self, failure: Failure);
    fn remark(&mut self, remark: String);
}

/// Sorts the statements of what is RDF and leaves the rest to be read file by file.
pub(super) fn open(found: Found, wanted: Wanted, summary: &mut Summary, output: Output) -> Result<Parts, Failure> {
    let (statements, items): (Vec<Item>, Vec<Item>) =
        found.items.into_iter().partition(|item| item.format == Format::Dcat);
    // Files of one folder are read together, because one may describe what another names.
    let mut groups: BTreeMap<Option<String>, Vec<PathBuf>> = BTreeMap::new();
    let mut inputs = Vec::new();
    for item in statements {
        match item.path {
            Some(path) => groups.entry(item.source).or_default().push(path),
            None => inputs.push(Input::Standard),
        }
    }
    inputs.extend(groups.into_iter().map(|(name, paths)| Input::Files { name: name.unwrap_or_default(), paths }));
    let mut rdf = Vec::new();
    for input in inputs {
        let options = Options { source: wanted.source.clone(), country: wanted.country.clone(), ..Options::default() };
        let records = sorted(&input, &options, output)?;
        output.remark(format_args!("reading {} records of {}", records.len(), records.source()));
        summary.name(records.source());
        let (unreadable, count) = records.unreadable();
        summary.unreadable += count;
        for place in unreadable {
            summary.count_place(place);
        }
        rdf.push(records);
    }
    Ok(Parts { rdf, items, wanted, _kept: found.kept })
}

/// Reads files of RDF, with a bar that follows the bytes.
fn sorted(input: &Input, options: &Options, output: Output) -> Result<Records, Failure> {
    let progress = Progress::default();
    let bar = bar(output);
    let done = AtomicBool::new(false);
    let records = thread::scope(|scope| {
        scope.spawn(|| {
            bar.set_style(style("{bytes} of {total_bytes} read {wide_bar} {eta}"));
            while !done.load(Ordering::Relaxed) {
                bar.set_length(progress.total.load(Ordering::Relaxed));
                bar.set_position(progress.read.load(Ordering::Relaxed));
                thread::sleep(Duration::from_millis(100));
            }
            bar.finish_and_clear();
        });
        let records = dcat::open(input, options, &progress);
        done.store(true, Ordering::Relaxed);
        records
    });
    records.map_err(|error| {
        let exit = match error {
            ReadError::UnknownSyntax(_) | ReadError::NoSource => Exit::Usage,
            ReadError::Io { .. } | ReadError::NoFiles(_) | ReadError::Spill(_) => Exit::Error,
        };
        Failure::new(exit, error)
    })
}

/// Reads everything. A file that cannot be read at all is refused, and the rest goes on; a disk that is full ends it.
pub(super) fn read(parts: Parts, to: &mut dyn Taker) {
    for record in parts.rdf.into_iter().flatten() {
        match record {
            Ok(record) => {
                if !to.record(record) {
                    return;
                }
            }
            Err(error) => return to.failure(Failure::new(Exit::Error, error)),
        }
    }
    for item in &parts.items {
        match one(item, &parts.wanted, to) {
            Ok(true) => {}
            Ok(false) => return,
            Err(Trouble::Refused(refused)) => {
                if !to.record(Err(refused)) {
                    return;
                }
            }
            Err(Trouble::Usage(failure)) => return to.failure(failure),
        }
    }
}

/// Why a file gives no records.
enum Trouble {
    Refused(Refused),
    Usage(Failure),
}

impl From<Refused> for Trouble {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

fn one(item: &Item, wanted: &Wanted, to: &mut dyn Taker) -> Result<bool, Trouble> {
    let common = Common { source: source(item, wanted)?, country: wanted.country.clone() };
    let mapping = wanted.mapping.as_ref();
    let reader = opened(item)?;
    match item.format {
        Format::Csv | Format::Tsv => {
            let Some(mapping) = mapping else {
                let sentence = format!(
                    "{}: a table is read with --mapping FILE, which says what its columns are; docs/import.md has an example",
                    item.shown
                );
                return Err(Trouble::Usage(Failure::new(Exit::Usage, sentence)));
            };
            let delimiter = if item.format == Format::Csv { b',' } else { b'\t' };
            let mut rows = table::open(reader, delimiter, mapping, &common, &item.shown)
                .map_err(|refused| Trouble::Usage(Failure::new(Exit::Usage, refused)))?;
            let unmapped = rows.unmapped().join(", ");
            if !unmapped.is_empty() {
                to.remark(format!("{}: columns that the mapping does not name are not read: {unmapped}", item.shown));
            }
            Ok(rows.all(|record| to.record(record)))
        }
        Format::JsonLines => {
            let mut records = lines::open(reader, mapping, &common, &item.shown);
            let is_taken = records.by_ref().all(|record| to.record(record));
            for (column, near) in records.missing() {
                let near = near.map_or_else(String::new, |near| format!("; the nearest is {near:?}"));
                to.remark(format!("{}: the mapping names {column:?}, which no record has{near}", item.shown));
            }
            Ok(is_taken)
        }
        _ => Ok(whole(item, &common, wanted, &text(reader, item)?)?.into_iter().all(|record| to.record(record))),
    }
}

/// The records of a document that is read whole.
fn whole(item: &Item, common: &Common, wanted: &Wanted, text: &str) -> Result<Vec<Result<Draft, Refused>>, Trouble> {
    let named = || -> Result<String, Refused> {
        let path = item.path.as_ref().map(|path| path.canonicalize().unwrap_or_else(|_| path.clone()));
        path.and_then(|path| hf_card::name_of(&path.display().to_string())).ok_or_else(|| Refused {
            place: item.shown.clone(),
            reason: "it has no name, so that the card has no address: give it as NAME/README.md or NAME.md".into(),
        })
    };
    Ok(match item.format {
        Format::Croissant => vec![croissant::read(text, common)],
        Format::SchemaOrg => schema_org::read(text, common),
        Format::HfCard => {
            let infos = item.infos.as_ref().map(std::fs::read_to_string).transpose();
            let infos = infos
                .map_err(|error| refused(item, format!("the dataset_infos.json beside it cannot be read: {error}")))?;
            vec![hf_card::read(text, infos.as_deref(), &named()?, common)]
        }
        Format::HfInfos => vec![hf_card::read_infos(text, &named()?, common)],
        Format::Ckan => ckan::read(text, common, &site(item, wanted, text)?),
        _ => ours::read(text, wanted.mapping.as_ref(), common, &item.shown),
    })
}

fn refused(item: &Item, reason: String) -> Refused {
    Refused { place: item.shown.clone(), reason }
}

/// The portal: as wanted, as the answer says, or where it was fetched.
fn site(item: &Item, wanted: &Wanted, text: &str) -> Result<Iri, Trouble> {
    let said = || serde_json::from_str(text).ok().and_then(|value| ckan::site_of(&value));
    let site = wanted.site.clone().or_else(said).or_else(|| item.site.clone());
    site.ok_or_else(|| {
        let sentence = format!("{} does not say which CKAN it comes from; say --site https://…", item.shown);
        Trouble::Usage(Failure::new(Exit::Usage, sentence))
    })
}

/// What the source is called: as wanted, else the hub for its cards, else the file's, the folder's or the host's name.
fn source(item: &Item, wanted: &Wanted) -> Result<String, Trouble> {
    let hub = matches!(item.format, Format::HfCard | Format::HfInfos).then(|| "huggingface.co".to_owned());
    wanted.source.clone().or(hub).or_else(|| item.source.clone()).ok_or_else(|| {
        Trouble::Usage(Failure::new(
            Exit::Usage,
            format!("the source has no name: {} has none of its own; say --source NAME", item.shown),
        ))
    })
}

fn opened(item: &Item) -> Result<io::BufReader<Box<dyn Read + Send>>, Refused> {
    let opened = match &item.path {
        Some(path) => file(path),
        None => unpacked(io::stdin()),
    };
    opened.map_err(|error| refused(item, format!("it cannot be read: {error}")))
}

fn file(path: &Path) -> io::Result<io::BufReader<Box<dyn Read + Send>>> {
    unpacked(File::open(path)?)
}

fn text(reader: impl Read, item: &Item) -> Result<String, Refused> {
    let mut bytes = Vec::new();
    reader
        .take(WHOLE + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| refused(item, format!("it cannot be read: {error}")))?;
    if bytes.len() as u64 > WHOLE {
        let most = WHOLE >> 20;
        return Err(refused(
            item,
            format!("it has more than {most} MiB and is read whole; divide it, or give it as lines of JSON"),
        ));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        refused(item, format!("it is not UTF-8 from byte {at}; save it as UTF-8"))
    })
}
