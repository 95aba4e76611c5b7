//! Backup of a live store into a folder, and the way back.
//!
//! A backup is a consistent copy of the database, read back and verified, with a manifest that says what it holds. Keys,
//! configuration and shards are not in it, nor the search index, which is derived again. The source texts of imported
//! records are.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use crate::domain::checkpoint::SignedCheckpoint;
use crate::domain::ids::Digest;

use super::error::StoreError;
use super::{Store, off_the_runtime, sqlite};

/// The manifest's name within the folder of a backup.
const MANIFEST: &str = "backup.json";

/// What a backup holds: its manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backup {
    /// The name of the log.
    pub origin: String,
    /// How many entries it has.
    pub size: u64,
    /// The root of its tree.
    pub root: Digest,
    /// The last signed head in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<SignedCheckpoint>,
    /// The database file's name.
    pub file: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// Its digest.
    pub sha256: Digest,
}

impl Store {
    /// Writes a backup into a folder that is empty or not there, while work goes on, and verifies what was written.
    pub async fn back_up(&self, to: &Path) -> Result<Backup, StoreError> {
        make_empty(to)?;
        let file = to.join(sqlite::FILE);
        self.engine.snapshot(file.clone()).await?;
        let copy = Self::inspect(to)?;
        let verified = copy.verify().await?;
        let checkpoint = copy.checkpoint().await?;
        let origin = copy.origin().to_owned();
        copy.close().await;
        drop(copy);
        remove_side_files(to)?;
        let (bytes, sha256) = off_the_runtime(move || measure(&file)).await?;
        let backup = Backup {
            origin,
            size: verified.size,
            root: verified.root,
            checkpoint,
            file: sqlite::FILE.to_owned(),
            bytes,
            sha256,
        };
        write_manifest(to, &backup)?;
        Ok(backup)
    }
}

/// Restores a backup into a data directory that is empty or not there, and verifies it there from end to end.
pub async fn restore(from: &Path, to: &Path) -> Result<Backup, StoreError> {
    let backup = read_manifest(from)?;
    let source = from.join(sqlite::FILE);
    let measured = off_the_runtime({
        let source = source.clone();
        move || measure(&source)
    });
    if measured.await? != (backup.bytes, backup.sha256) {
        return Err(refuse(&source, "is not the file that the manifest of this backup describes: take another backup"));
    }
    make_empty(to)?;
    let outcome = place(&source, to, &backup).await;
    if outcome.is_err() {
        // What could not be verified must not look like a data directory; the first error is the one to tell.
        let _ = fs::remove_file(to.join(sqlite::FILE));
        let _ = remove_side_files(to);
    }
    outcome.map(|()| backup)
}

async fn place(source: &Path, to: &Path, backup: &Backup) -> Result<(), StoreError> {
    let (source, target) = (source.to_owned(), to.join(sqlite::FILE));
    let placed = target.clone();
    off_the_runtime(move || {
        fs::copy(&source, &target).map_err(|error| io(&target, error))?;
        File::open(&target).and_then(|file| file.sync_all()).map_err(|error| io(&target, error))
    })
    .await?;
    sync_folder(to)?;
    let store = Store::inspect(to)?;
    let verified = store.verify().await?;
    let kept = (store.origin().to_owned(), verified.size, verified.root);
    store.close().await;
    if kept != (backup.origin.clone(), backup.size, backup.root) {
        return Err(refuse(&placed, "holds another log than the manifest of this backup says: take another backup"));
    }
    Ok(())
}

/// A folder to write into: made, or found empty.
fn make_empty(folder: &Path) -> Result<(), StoreError> {
    fs::create_dir_all(folder).map_err(|error| io(folder, error))?;
    let mut entries = fs::read_dir(folder).map_err(|error| io(folder, error))?;
    match entries.next() {
        None => Ok(()),
        Some(_) => Err(refuse(folder, "is not empty: name a folder that is empty or does not exist")),
    }
}

/// What SQLite leaves beside a database that was only read.
fn remove_side_files(folder: &Path) -> Result<(), StoreError> {
    for suffix in ["-wal", "-shm"] {
        let file = folder.join(format!("{}{suffix}", sqlite::FILE));
        match fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io(&file, error)),
            _ => {}
        }
    }
    Ok(())
}

fn measure(file: &Path) -> Result<(u64, Digest), StoreError> {
    let fail = |error| io(file, error);
    let mut reader = File::open(file).map_err(fail)?;
    let (mut digest, mut bytes, mut buffer) = (sha2::Sha256::new(), 0, vec![0; 1024 * 1024]);
    loop {
        let read = reader.read(&mut buffer).map_err(fail)?;
        if read == 0 {
            return Ok((bytes, Digest(digest.finalize().into())));
        }
        digest.update(&buffer[..read]);
        bytes += read as u64;
    }
}

/// The manifest is written last and under its name only when it is whole: a folder without it is no backup.
fn write_manifest(folder: &Path, backup: &Backup) -> Result<(), StoreError> {
    let (draft, name) = (folder.join("backup.json.new"), folder.join(MANIFEST));
    let text = serde_json::to_vec_pretty(backup).map_err(|error| StoreError::Engine(error.to_string()))?;
    fs::write(&draft, text)
        .and_then(|()| File::open(&draft)?.sync_all())
        .and_then(|()| fs::rename(&draft, &name))
        .map_err(|error| io(&name, error))?;
    sync_folder(folder)
}

fn read_manifest(folder: &Path) -> Result<Backup, StoreError> {
    let name = folder.join(MANIFEST);
    let text = fs::read(&name).map_err(|error| {
        refuse(folder, &format!("is not a finished backup: its {MANIFEST} cannot be read ({error})"))
    })?;
    serde_json::from_slice(&text).map_err(|error| refuse(&name, &format!("cannot be read: {error}")))
}

fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| io(folder, error))
}

fn io(path: &Path, error: std::io::Error) -> StoreError {
    let (path, detail) = (path.to_owned(), error.to_string());
    match error.kind() {
        std::io::ErrorKind::StorageFull => StoreError::DiskFull { path, detail },
        _ => StoreError::Io { path, detail },
    }
}

fn refuse(path: &Path, detail: &str) -> StoreError {
    StoreError::Backup { path: path.to_owned(), detail: detail.to_owned() }
}
