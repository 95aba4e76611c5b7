//! A holder's folder: for one agreement, written by one process, done when its receipt stands in it.

use std::fs::{File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::domain::agreement::{Agreement, Receipt};
use crate::domain::ids::OpaqueId;
use crate::domain::manifest::Manifest;

/// The name of the receipt in a folder that is done. No shard may have it.
pub const RECEIPT: &str = "receipt.json";
/// Held while a process writes the folder.
const LOCK: &str = ".fetch.lock";

/// The receipt with the terms under which the bytes were had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptReceipt {
    /// Which bytes, when.
    pub receipt: Receipt,
    /// Under which terms.
    pub agreement: Agreement,
}

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HeldError {
    /// A file or the folder.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process writes it.
    #[error("{} is being written by another fetch; wait for it, or choose another folder", .0.display())]
    InUse(PathBuf),
    /// It belongs to another agreement.
    #[error("{} holds the bytes of the agreement {found}; choose another folder", path.display())]
    OtherAgreement {
        /// The folder.
        path: PathBuf,
        /// Whose it is.
        found: OpaqueId,
    },
    /// The receipt cannot be read.
    #[error("{} is not a receipt ({detail}); move it away", path.display())]
    NoReceipt {
        /// The file.
        path: PathBuf,
        /// Why.
        detail: String,
    },
    /// There is not room enough.
    #[error("{} has room for {free} bytes, and {needed} are still to come; free some space and run it again", path.display())]
    NoSpace {
        /// The folder.
        path: PathBuf,
        /// Bytes still to come.
        needed: u64,
        /// Bytes free.
        free: u64,
    },
    /// A shard has the name that the receipt needs.
    #[error("a shard is called {RECEIPT}, which the receipt needs; ask the owner to rename it")]
    ReservedName,
}

/// A folder that this process writes.
#[derive(Debug)]
pub struct Held {
    folder: PathBuf,
    before: Option<KeptReceipt>,
    _lock: File,
}

impl Held {
    /// Makes the folder ready for the bytes of an agreement. A receipt in it is taken away until all is verified again.
    pub fn open(folder: &Path, agreement: &Agreement, manifest: &Manifest) -> Result<Self, HeldError> {
        if manifest.shards.keys().any(|name| name.as_str() == RECEIPT) {
            return Err(HeldError::ReservedName);
        }
        std::fs::create_dir_all(folder).map_err(failed(folder))?;
        let lock_path = folder.join(LOCK);
        let lock = File::create(&lock_path).map_err(failed(&lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(HeldError::InUse(folder.to_owned())),
            Err(TryLockError::Error(source)) => return Err(failed(&lock_path)(source)),
        }
        let before = read_receipt(folder)?;
        if let Some(before) = &before {
            if before.receipt.agreement != agreement.id {
                let found = before.receipt.agreement.clone();
                return Err(HeldError::OtherAgreement { path: folder.to_owned(), found });
            }
            let path = folder.join(RECEIPT);
            std::fs::remove_file(&path).map_err(failed(&path))?;
        }
        let present: u64 = manifest.shards.keys().map(|name| present(folder, name.as_str())).sum();
        let needed = manifest.total_bytes().saturating_sub(present);
        let space = rustix::fs::statvfs(folder).map_err(|errno| failed(folder)(errno.into()))?;
        let free = space.f_bavail.saturating_mul(space.f_frsize);
        if needed > free {
            return Err(HeldError::NoSpace { path: folder.to_owned(), needed, free });
        }
        Ok(Self { folder: folder.to_owned(), before, _lock: lock })
    }

    /// Writes the receipt, durably, and so declares the folder done. Where nothing had to be fetched again, the receipt
    /// of the first time stays.
    pub fn finish(self, receipt: KeptReceipt) -> Result<KeptReceipt, HeldError> {
        let same = |before: &KeptReceipt| {
            before.receipt.manifest == receipt.receipt.manifest && before.receipt.shards == receipt.receipt.shards
        };
        let receipt = self.before.filter(same).unwrap_or(receipt);
        let path = self.folder.join(RECEIPT);
        let write = || -> io::Result<()> {
            let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
            serde_json::to_writer_pretty(&mut file, &receipt)?;
            file.write_all(b"\n")?;
            file.as_file().sync_all()?;
            file.persist(&path).map_err(|error| error.error)?;
            let _ = std::fs::remove_file(self.folder.join(LOCK));
            File::open(&self.folder)?.sync_all()
        };
        write().map_err(failed(&path))?;
        Ok(receipt)
    }
}

/// The receipt in a folder, if it is done.
pub fn read_receipt(folder: &Path) -> Result<Option<KeptReceipt>, HeldError> {
    let path = folder.join(RECEIPT);
    let bytes = match std::fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(failed(&path))?,
    };
    let detail = |error: serde_json::Error| HeldError::NoReceipt { path: path.clone(), detail: error.to_string() };
    serde_json::from_slice(&bytes).map(Some).map_err(detail)
}

/// Bytes of a shard that are in the folder, finished or not.
fn present(folder: &Path, name: &str) -> u64 {
    let length = |path: PathBuf| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    length(folder.join(name)).max(length(folder.join(format!(".{name}.part"))))
}

fn failed(path: &Path) -> impl Fn(io::Error) -> HeldError + use<> {
    let path = path.to_owned();
    move |source| HeldError::Io { path: path.clone(), source }
}
