//! Space kept back for the day on which the disk is full: a file that is given up then, so that the node can still commit
//! its index, answer and shut down cleanly. Until there is room for it again the store takes no writes.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// How much is kept back.
const BYTES: u64 = 16 * 1024 * 1024;

/// The space kept back in one directory.
pub(super) struct Reserve {
    path: PathBuf,
    held: bool,
}

impl Reserve {
    /// The reserve of this directory; taken if there is room.
    pub(super) fn new(dir: &Path) -> Self {
        let mut reserve = Self { path: dir.join("reserve"), held: false };
        if let Err(error) = reserve.take() {
            tracing::warn!(%error, "less than 16 MiB are left on the disk: the store takes no writes until there is room");
        }
        reserve
    }

    /// Takes the space, if it is not held already.
    pub(super) fn take(&mut self) -> io::Result<()> {
        if self.held {
            return Ok(());
        }
        let outcome = allocate(&self.path);
        self.held = outcome.is_ok();
        if !self.held {
            // A half of it would only make the disk fuller.
            let _ = fs::remove_file(&self.path);
        }
        outcome
    }

    /// Gives the space up.
    pub(super) fn give_up(&mut self) {
        if fs::remove_file(&self.path).is_ok() {
            tracing::error!(
                "the disk is full: 16 MiB kept back were given up; the store takes no writes until there is room"
            );
        }
        self.held = false;
    }
}

fn allocate(path: &Path) -> io::Result<()> {
    use rustix::fs::{FallocateFlags, fallocate};
    use rustix::io::Errno;
    let file = File::options().create(true).truncate(false).write(true).open(path)?;
    if file.metadata()?.len() == BYTES {
        return Ok(());
    }
    match fallocate(&file, FallocateFlags::empty(), 0, BYTES) {
        // A file system that cannot promise space: there is nothing to keep back on it.
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(()),
        other => other.map_err(io::Error::from),
    }
}
