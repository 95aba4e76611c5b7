//! Files and folders of RDF: which syntax, which compression, and guards around the parsers.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use oxrdfio::{JsonLdProfileSet, RdfFormat};
use parking_lot::Mutex;

use super::tags::Tags;

/// What is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A file or a folder of files.
    Path(PathBuf),
    /// Several files that are one source of this name.
    Files {
        /// What the source is called where its catalogue has no address.
        name: String,
        /// The files.
        paths: Vec<PathBuf>,
    },
    /// Standard input, in a syntax that is recognised by its first bytes.
    Standard,
}

/// Why nothing could be read at all.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)] // each field is the noun it names
pub enum ReadError {
    /// A file or folder cannot be opened or read.
    #[error("{place} cannot be read: {error}")]
    Io { place: String, error: io::Error },
    /// A folder without anything in it.
    #[error(
        "{0} holds no file in a known syntax: .ttl, .nt, .nq, .trig, .rdf, .xml, .owl, .jsonld or .json, also with .gz or .zst"
    )]
    NoFiles(String),
    /// A file whose name does not say its syntax.
    #[error(
        "{0} has no name in a known syntax: .ttl, .nt, .nq, .trig, .rdf, .xml, .owl, .jsonld or .json, also with .gz or .zst"
    )]
    UnknownSyntax(String),
    /// Too little room for the temporary files.
    #[error(
        "the statements cannot be sorted on disk: {0}; make room in the temporary folder, or set TMPDIR to another"
    )]
    Spill(io::Error),
    /// Nothing says what the source is called.
    #[error("the source has no name: standard input has no catalogue with an address on the web; say --source NAME")]
    NoSource,
}

/// One file to read.
pub(super) struct SourceFile {
    /// Its name for people.
    pub(super) name: String,
    pub(super) path: Option<PathBuf>,
    pub(super) format: Option<RdfFormat>,
}

/// The files of an input, in the order of their names, and their size in bytes where it is known.
pub(super) fn files(input: &Input) -> Result<(Vec<SourceFile>, Option<u64>), ReadError> {
    let path = match input {
        Input::Path(path) => path,
        Input::Files { paths, .. } => return listed(paths),
        Input::Standard => {
            return Ok((vec![SourceFile { name: "standard input".into(), path: None, format: None }], None));
        }
    };
    let failed = |error| ReadError::Io { place: path.display().to_string(), error };
    let metadata = std::fs::metadata(path).map_err(failed)?;
    if !metadata.is_dir() {
        let name = path.display().to_string();
        let format = format_of(path).ok_or_else(|| ReadError::UnknownSyntax(name.clone()))?;
        return Ok((vec![SourceFile { name, path: Some(path.clone()), format: Some(format) }], Some(metadata.len())));
    }
    let mut found = Vec::new();
    let mut size = 0;
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let metadata = std::fs::metadata(entry.path()).map_err(failed)?;
        if let Some(format) = format_of(&entry.path()).filter(|_| metadata.is_file()) {
            size += metadata.len();
            let name = entry.path().display().to_string();
            found.push(SourceFile { name, path: Some(entry.path()), format: Some(format) });
        }
    }
    if found.is_empty() {
        return Err(ReadError::NoFiles(path.display().to_string()));
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok((found, Some(size)))
}

/// Files that were named one by one, in their order.
fn listed(paths: &[PathBuf]) -> Result<(Vec<SourceFile>, Option<u64>), ReadError> {
    let mut found = Vec::new();
    let mut size = 0;
    for path in paths {
        let name = path.display().to_string();
        let metadata = std::fs::metadata(path).map_err(|error| ReadError::Io { place: name.clone(), error })?;
        let format = format_of(path).ok_or_else(|| ReadError::UnknownSyntax(name.clone()))?;
        size += metadata.len();
        found.push(SourceFile { name, path: Some(path.clone()), format: Some(format) });
    }
    Ok((found, Some(size)))
}

/// The syntax that a file's name says, below `.gz` or `.zst`.
fn format_of(path: &Path) -> Option<RdfFormat> {
    let name = path.file_name()?.to_str()?.to_ascii_lowercase();
    let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
    let (_, extension) = name.rsplit_once('.')?;
    Some(match extension {
        "ttl" => RdfFormat::Turtle,
        "nt" => RdfFormat::NTriples,
        "nq" => RdfFormat::NQuads,
        "trig" => RdfFormat::TriG,
        "rdf" | "xml" | "owl" => RdfFormat::RdfXml,
        "jsonld" | "json" => RdfFormat::JsonLd { profile: JsonLdProfileSet::empty() },
        _ => return None,
    })
}

/// An open file.
pub(super) struct Opened {
    pub(super) reader: Box<dyn Read>,
    pub(super) format: RdfFormat,
    /// Lines with bytes that are not UTF-8, as far as it was read.
    pub(super) bad_lines: BadLines,
}

/// Opens a file, undoes its compression by its first bytes, counts what is read of it on disk, and finds its syntax.
pub(super) fn open(file: &SourceFile, read: Arc<AtomicU64>) -> io::Result<Opened> {
    let raw: Box<dyn Read> = match &file.path {
        Some(path) => Box::new(File::open(path)?),
        None => Box::new(io::stdin()),
    };
    let mut raw = BufReader::with_capacity(1 << 17, Counted { inner: raw, read });
    let start = peek(&mut raw, 4)?;
    let plain: Box<dyn Read> = if start.starts_with(&[0x1f, 0x8b]) {
        Box::new(flate2::read::MultiGzDecoder::new(raw))
    } else if start.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        Box::new(zstd::stream::read::Decoder::with_buffer(raw)?)
    } else {
        Box::new(raw)
    };
    let mut plain = BufReader::with_capacity(1 << 17, plain);
    let format = match file.format {
        Some(format) => format,
        None => sniff(&peek(&mut plain, 4096)?),
    };
    let bad_lines = BadLines::default();
    let reader: Box<dyn Read> = match format {
        RdfFormat::JsonLd { .. } | RdfFormat::RdfXml => Box::new(Guard::new(plain, format)),
        _ => Box::new(Utf8::new(plain, is_by_line(format), Arc::clone(&bad_lines))),
    };
    Ok(Opened { reader, format, bad_lines })
}

/// Whether one line is one statement.
pub(super) fn is_by_line(format: RdfFormat) -> bool {
    matches!(format, RdfFormat::NTriples | RdfFormat::NQuads)
}

/// The first bytes without taking them; fewer than asked for where the input gives fewer at once.
fn peek<R: Read>(reader: &mut BufReader<R>, most: usize) -> io::Result<Vec<u8>> {
    let bytes = reader.fill_buf()?;
    Ok(bytes[..bytes.len().min(most)].to_vec())
}

/// The syntax of standard input by how it begins; Turtle, of which N-Triples is a part, where nothing else fits.
fn sniff(start: &[u8]) -> RdfFormat {
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    match start {
        [b'{' | b'[', rest @ ..] if !rest.is_empty() => RdfFormat::JsonLd { profile: JsonLdProfileSet::empty() },
        _ if start.starts_with(b"<?xml") || start.starts_with(b"<rdf:RDF") => RdfFormat::RdfXml,
        [b'<', ..] => RdfFormat::NTriples,
        _ => RdfFormat::TriG,
    }
}

struct Counted<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// The numbers of lines with bytes that are not UTF-8.
pub(super) type BadLines = Arc<Mutex<Vec<u64>>>;

/// Keeps bytes that are not UTF-8 from the parsers of the Turtle family, which do not find their feet after them. Where a
/// line is a statement, the line is taken out; elsewhere the bytes become replacement characters.
struct Utf8<R> {
    inner: R,
    by_line: bool,
    bad_lines: BadLines,
    line: u64,
    chunk: Vec<u8>,
    taken: usize,
}

const CHUNK: u64 = 1 << 20;

impl<R: BufRead> Utf8<R> {
    fn new(inner: R, by_line: bool, bad_lines: BadLines) -> Self {
        Self { inner, by_line, bad_lines, line: 1, chunk: Vec::new(), taken: 0 }
    }

    /// The next line, or the next piece of a long one, cut between characters.
    fn fill(&mut self) -> io::Result<()> {
        self.chunk.clear();
        self.taken = 0;
        self.inner.by_ref().take(CHUNK).read_until(b'\n', &mut self.chunk)?;
        for _ in 0..3 {
            let is_cut = std::str::from_utf8(&self.chunk).is_err_and(|error| error.error_len().is_none());
            if !is_cut || self.inner.by_ref().take(1).read_to_end(&mut self.chunk)? == 0 {
                break;
            }
        }
        let ends = self.chunk.ends_with(b"\n");
        if std::str::from_utf8(&self.chunk).is_err() {
            self.bad_lines.lock().push(self.line);
            self.chunk = match self.by_line {
                true if ends => b"\n".to_vec(),
                true => b" ".to_vec(),
                false => String::from_utf8_lossy(&self.chunk).into_owned().into_bytes(),
            };
        }
        self.line += u64::from(ends);
        Ok(())
    }
}

impl<R: BufRead> Read for Utf8<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.chunk.len() {
            self.fill()?;
        }
        let count = (&self.chunk[self.taken..]).read(buffer)?;
        self.taken += count;
        Ok(count)
    }
}

/// Stops a document that would make its parser hold or recurse without bound: JSON nested or long beyond reason, an XML
/// document with an entity made of entities or with one text or tag beyond 16 MiB. The Turtle family bounds itself.
struct Guard<R> {
    inner: R,
    syntax: Syntax,
}

enum Syntax {
    Json { depth: usize, in_string: bool, is_escaped: bool, size: u64 },
    Xml { since_tag: usize, entity: Entity, tags: Tags },
}

const JSON_DEPTH: usize = 64;
const JSON_SIZE: u64 = 96 << 20;
const XML_SPAN: usize = 16 << 20;

impl<R> Guard<R> {
    fn new(inner: R, format: RdfFormat) -> Self {
        let syntax = match format {
            RdfFormat::JsonLd { .. } => Syntax::Json { depth: 0, in_string: false, is_escaped: false, size: 0 },
            _ => Syntax::Xml { since_tag: 0, entity: Entity::Outside, tags: Tags::default() },
        };
        Self { inner, syntax }
    }
}

impl<R: Read> Read for Guard<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.syntax.check(&buffer[..count])?;
        match &self.syntax {
            // The parser takes the end of the bytes between two elements for the end of the document.
            Syntax::Xml { tags, .. } if count == 0 && !buffer.is_empty() && tags.break_off() => {
                Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the document breaks off before its end"))
            }
            _ => Ok(count),
        }
    }
}

impl Syntax {
    fn check(&mut self, bytes: &[u8]) -> io::Result<()> {
        let refuse = |why: String| Err(io::Error::new(io::ErrorKind::InvalidData, why));
        match self {
            Self::Json { depth, in_string, is_escaped, size } => {
                *size += bytes.len() as u64;
                if *size > JSON_SIZE {
                    return refuse(format!(
                        "a JSON-LD document of more than {} MiB cannot be read as a stream; give it as N-Triples, or in several files",
                        JSON_SIZE >> 20
                    ));
                }
                for byte in bytes {
                    match byte {
                        _ if *is_escaped => *is_escaped = false,
                        b'\\' if *in_string => *is_escaped = true,
                        b'"' => *in_string = !*in_string,
                        b'{' | b'[' if !*in_string => *depth += 1,
                        b'}' | b']' if !*in_string => *depth = depth.saturating_sub(1),
                        _ => {}
                    }
                    if *depth > JSON_DEPTH {
                        return refuse(format!("it is nested deeper than {JSON_DEPTH} levels"));
                    }
                }
            }
            Self::Xml { since_tag, entity, tags } => {
                for byte in bytes {
                    tags.next(*byte);
                    *since_tag = if *byte == b'<' { 0 } else { *since_tag + 1 };
                    if *since_tag > XML_SPAN {
                        return refuse(format!("one text or tag is longer than {} MiB", XML_SPAN >> 20));
                    }
                    *entity = entity.next(*byte);
                    // Namespaces are often given as entities; an entity made of entities is how a document explodes.
                    if matches!(entity, Entity::Within(_)) && matches!(byte, b'&' | b'%') {
                        return refuse("it defines an entity by other entities, which is not read".into());
                    }
                }
            }
        }
        Ok(())
    }
}

/// Where a byte of an XML document stands towards a declaration of an entity.
#[derive(Clone, Copy)]
enum Entity {
    Outside,
    /// So many bytes of `<!ENTITY` were seen.
    Opening(usize),
    /// Within a declaration, and within its value where the quotation mark is known.
    Within(Option<u8>),
}

impl Entity {
    fn next(self, byte: u8) -> Self {
        const OPENING: &[u8] = b"<!ENTITY";
        match (self, byte) {
            (Self::Within(None), b'"' | b'\'') => Self::Within(Some(byte)),
            (Self::Within(Some(quote)), _) if byte == quote => Self::Outside,
            (Self::Within(None), b'>') => Self::Outside,
            (Self::Within(quote), _) => Self::Within(quote),
            (Self::Opening(seen), _) if OPENING.get(seen) == Some(&byte) => {
                if seen + 1 == OPENING.len() {
                    Self::Within(None)
                } else {
                    Self::Opening(seen + 1)
                }
            }
            (_, b'<') => Self::Opening(1),
            _ => Self::Outside,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_syntax_is_found_by_name_and_by_first_bytes() {
        assert_eq!(format_of(Path::new("a/dump.NT.zst")), Some(RdfFormat::NTriples));
        assert_eq!(format_of(Path::new("b.ttl.gz")), Some(RdfFormat::Turtle));
        assert_eq!(format_of(Path::new("c.csv")), None);
        assert_eq!(sniff(b"\xef\xbb\xbf  <?xml version='1.0'?>"), RdfFormat::RdfXml);
        assert_eq!(sniff(b"@prefix a: <b> ."), RdfFormat::TriG);
        assert!(matches!(sniff(b" {\"@id\": 1}"), RdfFormat::JsonLd { .. }));
    }

    #[test]
    fn bytes_that_are_not_text_cost_a_line_or_become_replacement_characters() {
        let read = |by_line: bool, bytes: &[u8]| {
            let bad = BadLines::default();
            let mut text = String::new();
            Utf8::new(bytes, by_line, Arc::clone(&bad)).read_to_string(&mut text).unwrap();
            let bad = bad.lock().clone();
            (text, bad)
        };
        assert_eq!(read(true, b"a\nb\xff\nc"), ("a\n\nc".to_owned(), vec![2]));
        assert_eq!(read(false, b"a\nb\xff\nc"), ("a\nb\u{fffd}\nc".to_owned(), vec![2]));
        let long = "é".repeat(2 << 20);
        assert_eq!(read(true, long.as_bytes()), (long.clone(), vec![]));
        assert_eq!(read(true, &long.as_bytes()[..long.len() - 1]).1, vec![1]);
    }

    #[test]
    fn documents_without_bound_are_stopped() {
        let read = |format, bytes: &[u8]| Guard::new(bytes, format).read_to_end(&mut Vec::new());
        let json = RdfFormat::JsonLd { profile: JsonLdProfileSet::empty() };
        assert!(read(json, "[".repeat(100_000).as_bytes()).is_err());
        assert!(read(json, br#"{"a": "[[[[[\"{{{{{", "b": [[1]]}"#).is_ok());
        let laughs = b"<?xml version='1.0'?><!DOCTYPE r [<!ENTITY a 'ha'><!ENTITY b '&a;&a;'>]><r/>";
        assert!(read(RdfFormat::RdfXml, laughs).is_err());
        let namespaces = b"<!DOCTYPE r [<!ENTITY dct 'http://purl.org/dc/terms/'>]><r x='&dct;title'/>";
        assert!(read(RdfFormat::RdfXml, namespaces).is_ok());
        assert!(read(RdfFormat::RdfXml, &vec![b'x'; XML_SPAN + 2]).is_err());
    }
}
