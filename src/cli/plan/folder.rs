//! A folder of files, one dataset a document, and everything in it that cannot be read, by file and line.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::{Exit, Failure};
use crate::catalogue::plan::Wanted;
use crate::domain::ids::DatasetId;
use crate::formats::document;

/// The most bytes of a file: a document has 1 MiB as JSON, and YAML may be longer by its white space and comments.
const MOST_BYTES: u64 = 4 << 20;
/// How deep folders may lie in each other.
const MOST_DEPTH: usize = 32;

/// A file that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct File {
    /// Where it is.
    pub path: PathBuf,
    /// What it holds.
    pub text: String,
    /// What it says.
    pub wanted: Wanted,
}

/// Something that is wrong in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The file; the folder where nothing narrower is known.
    pub file: String,
    /// The line, from 1, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// What is wrong and what to do.
    pub detail: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.detail),
            None => write!(f, "{}: {}", self.file, self.detail),
        }
    }
}

impl File {
    /// A fault of this file, at what a pointer into its document leads to.
    pub fn fault(&self, pointer: &str, detail: &str) -> Fault {
        let detail = if pointer.is_empty() { detail.to_owned() } else { format!("{pointer}: {detail}") };
        Fault { file: self.path.display().to_string(), line: document::line_of(&self.text, pointer), detail }
    }
}

/// The files of a folder.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Folder {
    /// Those that can be read, in the order of their paths.
    pub files: Vec<File>,
    /// What cannot.
    pub faults: Vec<Fault>,
}

/// Reads a folder and those in it: `.yaml`, `.yml` and `.json`, without what is hidden. `base` is what the node's ids
/// begin with.
pub fn read(folder: &Path, base: &str) -> Result<Folder, Failure> {
    let mut paths = Vec::new();
    collect(folder, 0, &mut paths)?;
    paths.sort();
    let mut read = Folder::default();
    let mut seen: BTreeMap<DatasetId, PathBuf> = BTreeMap::new();
    for path in paths {
        match file(&path, base) {
            Ok(file) => match seen.get(&file.wanted.id) {
                Some(first) => {
                    let detail =
                        format!("{} is in {} already: keep one file a dataset", file.wanted.id, first.display());
                    read.faults.push(file.fault("/id", &detail));
                }
                None => {
                    seen.insert(file.wanted.id.clone(), path);
                    read.files.push(file);
                }
            },
            Err(fault) => read.faults.push(fault),
        }
    }
    Ok(read)
}

fn collect(folder: &Path, depth: usize, paths: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let unreadable =
        |error: std::io::Error| Failure::new(Exit::Error, format!("{} cannot be read: {error}", folder.display()));
    if depth > MOST_DEPTH {
        let detail = format!("{} lies more than {MOST_DEPTH} folders deep: does a link lead back?", folder.display());
        return Err(Failure::new(Exit::Error, detail));
    }
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if hidden {
            continue;
        }
        if path.is_dir() {
            collect(&path, depth + 1, paths)?;
        } else if path.extension().is_some_and(|end| ["yaml", "yml", "json"].iter().any(|known| end == *known)) {
            paths.push(path);
        }
    }
    Ok(())
}

fn file(path: &Path, base: &str) -> Result<File, Fault> {
    let fault = |line, detail: String| Fault { file: path.display().to_string(), line, detail };
    let unreadable = |error: std::io::Error| fault(None, format!("it cannot be read: {error}"));
    let bytes = fs::metadata(path).map_err(unreadable)?.len();
    if bytes > MOST_BYTES {
        return Err(fault(None, format!("it has {bytes} bytes, and a dataset's file has at most {MOST_BYTES}")));
    }
    let text = fs::read_to_string(path).map_err(unreadable)?;
    let mut document = document::read(&text)
        .map_err(|at| fault((at.line > 0).then_some(at.line), format!("column {}: {}", at.column, at.reason)))?;
    let id = id_of(&document, path, base).map_err(|detail| fault(document::line_of(&text, "/id"), detail))?;
    document["id"] = Value::String(id.to_string());
    Ok(File { path: path.to_owned(), text, wanted: Wanted { id, document } })
}

/// The id that the document states, whole or as its last part; else the file's name is that part.
fn id_of(document: &Value, path: &Path, base: &str) -> Result<DatasetId, String> {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let local = match document.get("id") {
        Some(Value::String(id)) if id.contains(':') => return id.parse().map_err(|error| format!("/id: {error}")),
        Some(Value::String(local)) => local.clone(),
        Some(_) => return Err("/id: it is a text, such as birds-2024".to_owned()),
        None => stem,
    };
    format!("{base}{local}").parse().map_err(|_| {
        format!("{local:?} cannot name a dataset: use up to 100 of a-z, 0-9, '-', '_' and '.' in the file's name, or state an id")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "https://fi.pleiad.example/dataset/";

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn a_file_names_its_dataset_by_id_by_its_last_part_or_by_its_own_name() {
        let whole = format!("{{\"id\": \"{BASE}whole\"}}");
        let folder = folder(&[
            ("birds.yaml", "title: {en: A}\n"),
            ("b/any name.yml", "id: bees\n"),
            ("b/c/x.json", &whole),
            (".git/config.yaml", "a: 1\n"),
            ("README.md", "# Ours\n"),
        ]);
        let read = read(folder.path(), BASE).unwrap();
        assert_eq!(read.faults, []);
        let ids: Vec<&str> = read.files.iter().map(|file| file.wanted.id.local()).collect();
        assert_eq!(ids, ["bees", "whole", "birds"]);
        assert_eq!(read.files[2].wanted.document["id"], format!("{BASE}birds"));
    }

    #[test]
    fn what_cannot_be_read_is_told_by_file_and_line_and_the_rest_is_read() {
        let folder = folder(&[
            ("a.yaml", "title: {en: A}\nid: birds\n"),
            ("birds.yaml", "title: {en: A}\n"),
            ("c.yaml", "title:\n\ten: A\n"),
            ("d.yaml", "title: {en: A}\nissued: 2024-01-01\ntitle: {en: B}\n"),
            ("e e.yaml", "title: {en: A}\n"),
            ("f.yaml", "- a\n"),
            ("g.json", "{\"id\": 7}\n"),
        ]);
        let read = read(folder.path(), BASE).unwrap();
        assert_eq!(read.files.len(), 1);
        let said: Vec<String> = read
            .faults
            .iter()
            .map(|fault| fault.to_string().replace(&format!("{}/", folder.path().display()), ""))
            .collect();
        let expected =
            ["birds.yaml:1: ", "c.yaml:2: ", "d.yaml:3: ", "e e.yaml:1: ", "f.yaml:1: ", "g.json:1: /id: it is a text"];
        assert_eq!(said.len(), expected.len(), "{said:#?}");
        for (said, expected) in said.iter().zip(expected) {
            assert!(said.starts_with(expected), "{said} does not start with {expected}");
        }
    }
}
