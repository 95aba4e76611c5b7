//! The trust folder on disk: what lies in it, whether it changed, and where accepted peer files are kept.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::peer_file::{MAX_BYTES, Peer};
use crate::keys::{KeyFileError, files};

/// The folder `<data>/trust`; its layout is in [`crate::peers`].
#[derive(Debug)]
pub(super) struct TrustFolder {
    path: PathBuf,
}

/// A file that may hold a peer file.
pub(super) struct Candidate {
    /// Its name within the folder.
    pub name: String,
    /// Whether it lies in `accepted/`, where only this program writes.
    pub kept: bool,
    /// Its text, or why it could not be read.
    pub text: Result<String, String>,
}

/// What the folder looks like from outside: name, size, time of change and number of each file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stamp(Vec<(PathBuf, u64, i64, i64, u64)>);

impl TrustFolder {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    pub(super) fn pins(&self) -> PathBuf {
        self.path.join("pins.toml")
    }

    pub(super) fn denied(&self) -> PathBuf {
        self.path.join("denied.txt")
    }

    fn accepted(&self) -> PathBuf {
        self.path.join("accepted")
    }

    /// Every `*.jws`: those that were accepted first, so that they are the floor for the others.
    pub(super) fn candidates(&self) -> Result<Vec<Candidate>, KeyFileError> {
        let mut found = Vec::new();
        for (folder, prefix, kept) in [(self.accepted(), "accepted/", true), (self.path.clone(), "", false)] {
            for path in peer_files(&folder).map_err(|source| KeyFileError::Unreadable { path: folder, source })? {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                found.push(Candidate {
                    name: format!("{prefix}{name}"),
                    kept,
                    text: files::read(&path, MAX_BYTES)
                        .map_err(|error| error.to_string())
                        .and_then(|bytes| String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())),
                });
            }
        }
        Ok(found)
    }

    /// Keeps a peer file that was accepted, in place of an older one of its domain.
    pub(super) fn keep(&self, peer: &Peer) -> Result<(), KeyFileError> {
        let path = self.accepted().join(format!("{}.jws", peer.file.node.domain()));
        files::replace(&path, format!("{}\n", peer.jws).as_bytes(), files::PUBLIC)
    }

    /// What the folder looks like now; a file that cannot be looked at counts as absent.
    pub(super) fn stamp(&self) -> Stamp {
        let mut paths = vec![self.pins(), self.denied()];
        paths.extend(peer_files(&self.path).unwrap_or_default());
        paths.extend(peer_files(&self.accepted()).unwrap_or_default());
        Stamp(
            paths
                .into_iter()
                .filter_map(|path| {
                    let about = fs::metadata(&path).ok()?;
                    Some((path, about.size(), about.mtime(), about.mtime_nsec(), about.ino()))
                })
                .collect(),
        )
    }
}

fn peer_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let hidden = path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
        if !hidden && path.extension().is_some_and(|extension| extension == "jws") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}
