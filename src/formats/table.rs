//! CSV and TSV through a mapping, row by row: memory does not grow with the table.
//!
//! The first row names the columns. A row that is bad (too few cells, bytes that are no text) is refused with its line
//! number and the rest goes on; a quotation mark that is never closed ends the table at a bound.

use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use csv::{ByteRecord, ReaderBuilder};
use serde_json::{Map, Value};

use super::draft::Common;
use super::mapping::Mapping;
use super::{Draft, Refused};

/// The most bytes of a row.
const MOST_ROW: u64 = 4 << 20;
/// The most columns.
const MOST_COLUMNS: usize = 10_000;

/// The records of a table, one a row.
pub struct Rows<R> {
    reader: csv::Reader<Measured<R>>,
    since: Arc<AtomicU64>,
    columns: Vec<String>,
    mapping: Mapping,
    common: Common,
    name: String,
    encoding: &'static encoding_rs::Encoding,
    has_ended: bool,
}

/// Opens a table. `delimiter` is the format's own character between cells; `name` is the table's name for refusals.
///
/// # Errors
/// Where the first row cannot be read, or the mapping names a column that is not there.
pub fn open<R: Read>(
    reader: R,
    delimiter: u8,
    mapping: &Mapping,
    common: &Common,
    name: &str,
) -> Result<Rows<R>, Refused> {
    let refuse = |reason: String| Refused { place: name.to_owned(), reason };
    let since = Arc::new(AtomicU64::new(0));
    let measured = Measured { inner: BufReader::new(reader), since: Arc::clone(&since), held: false };
    let mut reader = ReaderBuilder::new()
        .delimiter(mapping.table.delimiter.unwrap_or(delimiter))
        .quote(mapping.table.quote.unwrap_or(b'"'))
        .has_headers(false)
        .flexible(true)
        .from_reader(measured);
    let encoding = mapping.table.encoding.unwrap_or(encoding_rs::UTF_8);
    let mut first = ByteRecord::new();
    let is_there = reader
        .read_byte_record(&mut first)
        .map_err(|error| refuse(format!("its first row cannot be read: {error}")))?;
    if first.get(0).is_some_and(|cell| cell.starts_with(b"\xff\xfe") || cell.starts_with(b"\xfe\xff")) {
        return Err(refuse("it is UTF-16; save it as UTF-8".into()));
    }
    if !is_there {
        return Err(refuse("it is empty: the first row names the columns".into()));
    }
    if first.len() > MOST_COLUMNS {
        return Err(refuse(format!("it has {} columns, and a table may have {MOST_COLUMNS}", first.len())));
    }
    let columns: Option<Vec<String>> = first.iter().map(|cell| decoded(encoding, cell)).collect();
    let Some(mut columns) = columns else {
        return Err(refuse(format!(
            "its first row is not {}; say table.encoding in the mapping, such as \"windows-1252\"",
            encoding.name()
        )));
    };
    for column in &mut columns {
        *column = column.trim_start_matches('\u{feff}').trim().to_owned();
    }
    let there: Vec<&str> = columns.iter().map(String::as_str).collect();
    if let Some((column, near)) = mapping.missing(&there).into_iter().next() {
        let near = near.map_or_else(String::new, |near| format!("; the nearest is {near:?}"));
        return Err(refuse(format!("the mapping names a column {column:?} that is not there{near}")));
    }
    if let Some(twice) = mapping.columns().find(|name| there.iter().filter(|other| *other == name).count() > 1) {
        return Err(refuse(format!("two columns are called {twice:?}; rename one")));
    }
    Ok(Rows {
        reader,
        since,
        columns,
        mapping: mapping.clone(),
        common: common.clone(),
        name: name.to_owned(),
        encoding,
        has_ended: false,
    })
}

impl<R> Rows<R> {
    /// The columns that the mapping does not name, and that are not read.
    pub fn unmapped(&self) -> Vec<&str> {
        self.columns
            .iter()
            .map(String::as_str)
            .filter(|column| !self.mapping.columns().any(|named| named == *column))
            .collect()
    }

    fn draft(&self, row: &ByteRecord, line: u64) -> Result<Draft, Refused> {
        let place = format!("{} line {line}", self.name);
        let refuse = |reason: String| Err(Refused { place: place.clone(), reason });
        if row.len() != self.columns.len() {
            return refuse(format!(
                "it has {} cells and the table has {} columns; look for a missing quotation mark or separator",
                row.len(),
                self.columns.len()
            ));
        }
        let mut cells = Map::new();
        for (column, cell) in self.columns.iter().zip(row) {
            let Some(text) = decoded(self.encoding, cell) else {
                return refuse(format!(
                    "its cell {column:?} is not {}; mend it, or say table.encoding in the mapping",
                    self.encoding.name()
                ));
            };
            cells.insert(column.clone(), Value::String(text));
        }
        let cell = |name: &str| cells.get(name).cloned();
        let text = serde_json::to_string(&cells).unwrap_or_default();
        self.mapping.draft(&cell, text, &place, &self.common)
    }
}

impl<R: Read> Iterator for Rows<R> {
    type Item = Result<Draft, Refused>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.has_ended {
            return None;
        }
        let mut row = ByteRecord::new();
        self.since.store(0, Ordering::Relaxed);
        let line = self.reader.position().line();
        match self.reader.read_byte_record(&mut row) {
            Ok(false) => None,
            Ok(true) => {
                let line = row.position().map_or(line, csv::Position::line);
                Some(self.draft(&row, line))
            }
            Err(error) => {
                self.has_ended = true;
                let place = format!("{} line {line}", self.name);
                Some(Err(Refused { place, reason: format!("the table ends here: {error}") }))
            }
        }
    }
}

/// A cell as text; nothing where its bytes are none in this encoding.
fn decoded(encoding: &'static encoding_rs::Encoding, cell: &[u8]) -> Option<String> {
    encoding.decode_without_bom_handling_and_without_replacement(cell).map(std::borrow::Cow::into_owned)
}

/// Stops a row that goes on without end, so that memory is bounded, and makes every line end a line feed, by which rows are
/// numbered.
struct Measured<R> {
    inner: BufReader<R>,
    since: Arc<AtomicU64>,
    /// A carriage return was read, and what follows it was not.
    held: bool,
}

impl<R: Read> Read for Measured<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.since.load(Ordering::Relaxed) > MOST_ROW {
            let why =
                format!("a row has more than {} MiB; look for a quotation mark that is not closed", MOST_ROW >> 20);
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        let mut kept = 0;
        while kept < buffer.len() {
            let available = self.inner.fill_buf()?;
            if available.is_empty() {
                if std::mem::take(&mut self.held) {
                    buffer[kept] = b'\r';
                    kept += 1;
                }
                break;
            }
            let mut taken = 0;
            for byte in available {
                // A carriage return that no line feed follows is put back before what does follow.
                let is_lost = self.held && *byte != b'\n';
                if kept + usize::from(is_lost) >= buffer.len() {
                    break;
                }
                if is_lost {
                    buffer[kept] = b'\r';
                    kept += 1;
                }
                self.held = *byte == b'\r';
                if !self.held {
                    buffer[kept] = *byte;
                    kept += 1;
                }
                taken += 1;
            }
            self.inner.consume(taken);
            if taken == 0 || kept > 0 {
                break;
            }
        }
        self.since.fetch_add(kept as u64, Ordering::Relaxed);
        Ok(kept)
    }
}
