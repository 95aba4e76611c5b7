//! Statements in any order, given back subject by subject, in bounded memory.
//!
//! A dump lists the statements about one dataset, its distributions and its contact anywhere. They are collected into a
//! buffer; each time it is full, it is sorted by subject and written to a temporary file; at the end the files are merged
//! into one, with an index from the hash of a subject to its place. A small input never leaves memory. What is held
//! besides the buffer is 16 bytes a subject.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::fs::File;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::io::{self, BufRead, BufReader, BufWriter, Cursor, Read, Seek, SeekFrom, Write};

use super::node::{Node, Term};
use super::terms::{CATALOG_CLASS, DATASET_CLASS, Others, Property};

/// The most bytes of statements about one subject; a description beyond it is refused, not read.
pub(super) const NODE_LIMIT: usize = 8 << 20;
/// The most bytes of one value; a longer one is cut, because no field holds as much.
const VALUE_LIMIT: usize = 1 << 20;

/// What must not be used although it was read.
#[derive(Debug, Default)]
pub(super) struct Damage {
    /// Files, by their number, that broke off.
    pub(super) files: HashSet<u32>,
    /// Subjects whose description broke off, with where and why.
    pub(super) subjects: HashMap<String, String>,
}

/// Collects statements.
pub(super) struct Collector {
    buffer: Vec<u8>,
    /// Where each statement begins in the buffer.
    starts: Vec<u32>,
    /// Bytes after which the buffer is written to disk.
    limit: usize,
    runs: Vec<File>,
    /// Properties that are kept and not read.
    pub(super) others: Others,
}

impl Collector {
    /// A collector that keeps at most about this many bytes in memory.
    pub(super) fn new(limit: usize) -> Self {
        let limit = limit.min(1 << 30);
        Self { buffer: Vec::new(), starts: Vec::new(), limit, runs: Vec::new(), others: Others::default() }
    }

    /// Adds a statement read from the file with this number.
    pub(super) fn add(&mut self, file: u32, subject: &str, property: Property, value: Value<'_>) -> io::Result<()> {
        if self.buffer.len() >= self.limit {
            self.spill()?;
        }
        // The offset is below the limit of 1 GiB plus one statement, which the parsers bound.
        let start = u32::try_from(self.buffer.len()).map_err(io::Error::other)?;
        self.starts.push(start);
        let (kind, language, text) = match value {
            Value::Iri(iri) => (b'I', "", iri),
            Value::Blank(label) => (b'B', "", label),
            Value::Literal(text, language) => (b'L', language, cut(text, VALUE_LIMIT)),
            Value::Typed(text, datatype) => (b'T', datatype, cut(text, VALUE_LIMIT)),
        };
        let language = cut(language, 255);
        for (length, bytes) in [(subject.len(), subject.as_bytes()), (text.len(), text.as_bytes())] {
            self.buffer.extend(u32::try_from(length).map_err(io::Error::other)?.to_le_bytes());
            self.buffer.extend(bytes);
        }
        self.buffer.extend(file.to_le_bytes());
        self.buffer.extend(property.number().to_le_bytes());
        self.buffer.extend([kind, language.len() as u8]); // cut to 255 bytes above
        self.buffer.extend(language.as_bytes());
        Ok(())
    }

    /// Sorts what was collected.
    pub(super) fn finish(mut self, damage: &Damage) -> io::Result<Sorted> {
        if self.runs.is_empty() {
            let mut sorted = SortedWriter::new(Vec::with_capacity(self.buffer.len()), damage);
            for start in self.sorted_starts() {
                if let Some(statement) = Statement::read(&mut &self.buffer[start as usize..])? {
                    sorted.push(&statement)?;
                }
            }
            let (bytes, index) = sorted.finish();
            return Ok(Sorted { bytes: Bytes::Memory(Cursor::new(bytes)), index, others: self.others });
        }
        self.spill()?;
        drop(std::mem::take(&mut self.buffer));
        drop(std::mem::take(&mut self.starts));
        let mut sorted = SortedWriter::new(BufWriter::with_capacity(1 << 18, tempfile::tempfile()?), damage);
        let mut runs = Vec::with_capacity(self.runs.len());
        let mut heads = BinaryHeap::new();
        for mut file in self.runs {
            file.seek(SeekFrom::Start(0))?;
            let mut run = BufReader::with_capacity(1 << 16, file);
            if let Some(head) = Statement::read(&mut run)? {
                heads.push(Reverse((head, runs.len())));
            }
            runs.push(run);
        }
        while let Some(Reverse((statement, run))) = heads.pop() {
            sorted.push(&statement)?;
            if let Some(next) = Statement::read(&mut runs[run])? {
                heads.push(Reverse((next, run)));
            }
        }
        let (writer, index) = sorted.finish();
        let file = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok(Sorted { bytes: Bytes::File(BufReader::with_capacity(1 << 14, file)), index, others: self.others })
    }

    fn spill(&mut self) -> io::Result<()> {
        let mut run = BufWriter::with_capacity(1 << 18, tempfile::tempfile()?);
        for start in self.sorted_starts() {
            let mut rest = &self.buffer[start as usize..];
            let before = rest.len();
            Statement::read(&mut rest)?;
            let length = before - rest.len();
            run.write_all(&self.buffer[start as usize..start as usize + length])?;
        }
        self.runs.push(run.into_inner().map_err(io::IntoInnerError::into_error)?);
        self.buffer.clear();
        self.starts.clear();
        Ok(())
    }

    /// The places of the statements by subject, in the order in which they were read.
    fn sorted_starts(&self) -> Vec<u32> {
        let subject = |start: u32| {
            let at = start as usize;
            let length = u32::from_le_bytes([0, 1, 2, 3].map(|byte| self.buffer[at + byte])) as usize;
            &self.buffer[at + 4..at + 4 + length]
        };
        let mut starts = self.starts.clone();
        starts.sort_by(|a, b| subject(*a).cmp(subject(*b)));
        starts
    }
}

/// The object of a statement, as a parser lends it.
pub(super) enum Value<'a> {
    Iri(&'a str),
    Blank(&'a str),
    /// A text and its language tag, or an empty one.
    Literal(&'a str, &'a str),
    /// A value and the IRI of its type.
    Typed(&'a str, &'a str),
}

fn cut(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}

/// A statement as it lies on disk. The order is by subject first, which the merge relies on.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Statement {
    subject: Vec<u8>,
    text: Vec<u8>,
    file: u32,
    property: u16,
    kind: u8,
    /// The language of a text, or the type of a value.
    language: Vec<u8>,
}

impl Statement {
    /// The next statement; nothing at the end.
    fn read(from: &mut impl BufRead) -> io::Result<Option<Self>> {
        if from.fill_buf()?.is_empty() {
            return Ok(None);
        }
        let subject = read_block(from)?;
        let text = read_block(from)?;
        let mut rest = [0; 8];
        from.read_exact(&mut rest)?;
        let [a, b, c, d, low, high, kind, language] = rest;
        let property = u16::from_le_bytes([low, high]);
        let mut language = vec![0; usize::from(language)];
        from.read_exact(&mut language)?;
        Ok(Some(Self { subject, text, file: u32::from_le_bytes([a, b, c, d]), property, kind, language }))
    }

    fn write(&self, to: &mut impl Write) -> io::Result<usize> {
        // The lengths came from four and one bytes.
        to.write_all(&(self.subject.len() as u32).to_le_bytes())?;
        to.write_all(&self.subject)?;
        to.write_all(&(self.text.len() as u32).to_le_bytes())?;
        to.write_all(&self.text)?;
        to.write_all(&self.file.to_le_bytes())?;
        to.write_all(&self.property.to_le_bytes())?;
        to.write_all(&[self.kind, self.language.len() as u8])?;
        to.write_all(&self.language)?;
        Ok(16 + self.subject.len() + self.text.len() + self.language.len())
    }

    fn is_type(&self, class: &str) -> bool {
        self.property == Property::TYPE.number() && self.kind == b'I' && self.text == class.as_bytes()
    }

    fn term(self) -> Option<(Property, Term)> {
        let text = String::from_utf8(self.text).ok()?;
        let language = String::from_utf8(self.language).ok()?;
        let term = match self.kind {
            b'I' => Term::Iri(text),
            b'B' => Term::Blank(text),
            b'T' => Term::Literal { text, language: None, datatype: Some(language) },
            _ => Term::Literal { text, language: (!language.is_empty()).then_some(language), datatype: None },
        };
        Some((Property::from_number(self.property), term))
    }
}

fn read_block(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let mut block = vec![0; u32::from_le_bytes(length) as usize];
    from.read_exact(&mut block)?;
    Ok(block)
}

/// Where each subject is, and which subjects are datasets and catalogues.
#[derive(Default)]
struct Index {
    /// Hash of a subject and where its statements begin, sorted.
    subjects: Vec<(u64, u64)>,
    datasets: Vec<u64>,
    catalogues: Vec<u64>,
}

struct SortedWriter<'a, W> {
    out: W,
    position: u64,
    damage: &'a Damage,
    index: Index,
    subject: Option<Vec<u8>>,
    /// Where the current subject begins, and whether it was found to be a dataset or a catalogue.
    start: u64,
    is_dataset: bool,
    is_catalogue: bool,
}

impl<'a, W: Write> SortedWriter<'a, W> {
    fn new(out: W, damage: &'a Damage) -> Self {
        let index = Index::default();
        Self { out, position: 0, damage, index, subject: None, start: 0, is_dataset: false, is_catalogue: false }
    }

    fn push(&mut self, statement: &Statement) -> io::Result<()> {
        if self.damage.files.contains(&statement.file) {
            return Ok(());
        }
        if self.subject.as_deref() != Some(&statement.subject[..]) {
            self.close();
            self.start = self.position;
            self.index.subjects.push((hash(&statement.subject), self.position));
            self.subject = Some(statement.subject.clone());
        }
        self.is_dataset |= statement.is_type(DATASET_CLASS);
        self.is_catalogue |= statement.is_type(CATALOG_CLASS);
        self.position += statement.write(&mut self.out)? as u64;
        Ok(())
    }

    fn close(&mut self) {
        if std::mem::take(&mut self.is_dataset) {
            self.index.datasets.push(self.start);
        }
        if std::mem::take(&mut self.is_catalogue) {
            self.index.catalogues.push(self.start);
        }
    }

    fn finish(mut self) -> (W, Index) {
        self.close();
        self.index.subjects.sort_unstable();
        (self.out, self.index)
    }
}

fn hash(subject: &[u8]) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(subject)
}

enum Bytes {
    Memory(Cursor<Vec<u8>>),
    File(BufReader<File>),
}

/// Statements by subject.
pub(super) struct Sorted {
    bytes: Bytes,
    index: Index,
    others: Others,
}

impl Sorted {
    /// Where the datasets are, in the order of their names.
    pub(super) fn datasets(&self) -> &[u64] {
        &self.index.datasets
    }

    /// The IRI of a property that was met, read or not.
    pub(super) fn iri_of(&self, property: Property) -> &str {
        self.others.iri(property)
    }

    /// Where the catalogues are.
    pub(super) fn catalogues(&self) -> &[u64] {
        &self.index.catalogues
    }

    /// Everything said about the subject at this place.
    pub(super) fn node_at(&mut self, place: u64) -> io::Result<Node> {
        match &mut self.bytes {
            Bytes::Memory(bytes) => read_node(bytes, place),
            Bytes::File(file) => read_node(file, place),
        }
    }

    /// Everything said about a subject; an empty node where nothing is.
    pub(super) fn node(&mut self, subject: &str) -> io::Result<Node> {
        let wanted = hash(subject.as_bytes());
        let from = self.index.subjects.partition_point(|(hash, _)| *hash < wanted);
        let mut at = from;
        while let Some((hash, place)) = self.index.subjects.get(at).copied().filter(|(hash, _)| *hash == wanted) {
            let node = self.node_at(place)?;
            if node.subject == subject {
                return Ok(node);
            }
            debug_assert_eq!(hash, wanted);
            at += 1;
        }
        Ok(Node::empty(subject))
    }
}

fn read_node<R: BufRead + Seek>(from: &mut R, place: u64) -> io::Result<Node> {
    from.seek(SeekFrom::Start(place))?;
    let mut node = Node::default();
    while let Some(statement) = Statement::read(from)? {
        if node.subject.is_empty() {
            node.subject = String::from_utf8_lossy(&statement.subject).into_owned();
        } else if node.subject.as_bytes() != statement.subject {
            break;
        }
        node.size += statement.subject.len() + statement.text.len();
        if node.size > NODE_LIMIT {
            node.is_too_large = true;
            break;
        }
        node.statements.extend(statement.term());
    }
    node.statements.sort();
    node.statements.dedup();
    Ok(node)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collect(limit: usize, damage: &Damage) -> Sorted {
        let mut collector = Collector::new(limit);
        for round in 0..3 {
            for number in 0..200u32 {
                let subject = format!("https://example.org/{}", (number * 7919) % 200);
                let text = format!("round {round}");
                collector.add(number % 2, &subject, Property::TITLE, Value::Literal(&text, "en")).unwrap();
                if round == 1 {
                    collector.add(number % 2, &subject, Property::TYPE, Value::Iri(DATASET_CLASS)).unwrap();
                }
            }
        }
        collector.finish(damage).unwrap()
    }

    #[test]
    fn statements_on_disk_are_the_same_as_statements_in_memory() {
        let damage = Damage::default();
        let (mut disk, mut memory) = (collect(1_000, &damage), collect(1 << 20, &damage));
        assert!(matches!(disk.bytes, Bytes::File(_)) && matches!(memory.bytes, Bytes::Memory(_)));
        assert_eq!(disk.datasets().len(), 200);
        let places: Vec<u64> = disk.datasets().to_vec();
        assert_eq!(places, memory.datasets());
        for place in places {
            let node = disk.node_at(place).unwrap();
            assert_eq!(node.statements.len(), 4, "three titles and the class");
            assert_eq!(node.statements, memory.node(&node.subject).unwrap().statements);
        }
        assert!(memory.node("https://example.org/none").unwrap().statements.is_empty());
    }

    #[test]
    fn nothing_is_kept_of_a_file_that_broke_off() {
        let damage = Damage { files: HashSet::from([1]), ..Damage::default() };
        for limit in [1_000, 1 << 20] {
            assert_eq!(collect(limit, &damage).datasets().len(), 100);
        }
    }

    #[test]
    fn a_description_without_end_is_marked_and_not_read_whole() {
        let mut collector = Collector::new(64 << 20);
        let text = "x".repeat(2 << 20);
        for language in ["en", "fi", "sv", "de", "fr", "nl", "it", "es", "pt", "el"] {
            let value = Value::Literal(&text, language);
            collector.add(0, "https://example.org/x", Property::TITLE, value).unwrap();
        }
        let node = collector.finish(&Damage::default()).unwrap().node("https://example.org/x").unwrap();
        assert!(node.is_too_large);
    }
}
