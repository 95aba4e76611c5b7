//! JSON Lines: one JSON object a line, our own document or somebody's record through a mapping.
//!
//! Only a line feed ends a line; U+2028 and its like are text. A line that is bad is refused with its number, one without end
//! is skipped to its end, and the rest goes on.

use std::collections::HashSet;
use std::io::{self, BufRead, Read};

use serde_json::Value;

use super::draft::Common;
use super::mapping::Mapping;
use super::{Draft, Refused, ours};
use crate::schema;

/// The most bytes of a line: what the largest document has, and a little room.
const MOST_LINE: u64 = (schema::MAX_BYTES as u64) + 4096;

/// The records of a text, one a line.
pub struct Lines<R> {
    reader: R,
    mapping: Option<Mapping>,
    common: Common,
    name: String,
    line: u64,
    seen: HashSet<String>,
    has_ended: bool,
}

/// Reads a text line by line; `name` is its name for refusals.
pub fn open<R: BufRead>(reader: R, mapping: Option<&Mapping>, common: &Common, name: &str) -> Lines<R> {
    let seen = HashSet::new();
    Lines {
        reader,
        mapping: mapping.cloned(),
        common: common.clone(),
        name: name.to_owned(),
        line: 0,
        seen,
        has_ended: false,
    }
}

impl<R: BufRead> Lines<R> {
    /// What the mapping names and no record that was read so far had, each with the nearest that one had.
    pub fn missing(&self) -> Vec<(String, Option<&str>)> {
        let seen: Vec<&str> = self.seen.iter().map(String::as_str).collect();
        self.mapping.as_ref().map(|mapping| mapping.missing(&seen)).unwrap_or_default()
    }

    /// The next line without its end; nothing where the text has ended. A line beyond the bound is an error once.
    fn next_line(&mut self) -> io::Result<Option<Result<Vec<u8>, u64>>> {
        let mut bytes = Vec::new();
        self.reader.by_ref().take(MOST_LINE).read_until(b'\n', &mut bytes)?;
        if bytes.is_empty() {
            return Ok(None);
        }
        if bytes.ends_with(b"\n") || (bytes.len() as u64) < MOST_LINE {
            return Ok(Some(Ok(bytes)));
        }
        let mut length = bytes.len() as u64;
        loop {
            bytes.clear();
            length += self.reader.by_ref().take(1 << 16).read_until(b'\n', &mut bytes)? as u64;
            if bytes.is_empty() || bytes.ends_with(b"\n") {
                return Ok(Some(Err(length)));
            }
        }
    }

    fn draft(&mut self, bytes: &[u8]) -> Result<Draft, Refused> {
        let place = format!("{} line {}", self.name, self.line);
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii();
        let value = schema::value(bytes).map_err(|violations| {
            let reason = violations.list.first().map_or_else(String::new, schema::Violation::detail);
            Refused { place: place.clone(), reason: format!("it is not JSON that can be read: {reason}") }
        })?;
        let Some(mapping) = &self.mapping else { return ours::draft(value, &place, &self.common) };
        if let Some(fields) = value.as_object() {
            for name in fields.keys().filter(|name| name.len() <= 200) {
                // A stranger's records may have any number of names; a mapping has few.
                if self.seen.len() < 10_000 && !self.seen.contains(name) {
                    self.seen.insert(name.clone());
                }
            }
        }
        mapped(mapping, &value, &place, &self.common)
    }
}

/// One JSON record through a mapping. A column is a field of the record, or a path such as `owner.name`.
pub(super) fn mapped(mapping: &Mapping, value: &Value, place: &str, common: &Common) -> Result<Draft, Refused> {
    let Value::Object(fields) = value else {
        return Err(Refused { place: place.to_owned(), reason: "it is JSON but no object: a record is one".into() });
    };
    let cell = |name: &str| {
        fields.get(name).cloned().or_else(|| name.split('.').try_fold(value, |inner, part| inner.get(part)).cloned())
    };
    mapping.draft(&cell, value.to_string(), place, common)
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = Result<Draft, Refused>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.has_ended {
            self.line += 1;
            let place = format!("{} line {}", self.name, self.line);
            match self.next_line() {
                Ok(None) => return None,
                Ok(Some(Ok(bytes))) if bytes.trim_ascii().is_empty() => {}
                Ok(Some(Ok(bytes))) => return Some(self.draft(&bytes)),
                Ok(Some(Err(length))) => {
                    let reason = format!(
                        "it has {length} bytes, and a record may have {}; shorten its texts",
                        schema::MAX_BYTES
                    );
                    return Some(Err(Refused { place, reason }));
                }
                Err(error) => {
                    self.has_ended = true;
                    return Some(Err(Refused { place, reason: format!("the text ends here: {error}") }));
                }
            }
        }
        None
    }
}
