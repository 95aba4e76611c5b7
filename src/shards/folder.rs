//! A folder with one directory for each dataset, and the shards in it as plain files.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Advice, FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::domain::ids::DatasetId;
use crate::domain::manifest::ShardName;

/// Where a node's shards lie.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
    elsewhere: BTreeMap<DatasetId, PathBuf>,
}

/// Why a shard could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum ShardError {
    /// No such file; its owner has moved or removed it.
    #[error("the shard {0} is not in its dataset's folder")]
    Missing(ShardName),
    /// Something of that name is there, but no regular file: a link, a directory, a device.
    #[error("the shard {0} is not a regular file; links are not followed")]
    NotAFile(ShardName),
    /// The file could not be opened.
    #[error("the shard {name} cannot be opened: {source}")]
    Unreadable {
        /// Which one.
        name: ShardName,
        /// Why.
        source: io::Error,
    },
}

impl Folder {
    /// The folder at `root`: the shards of a dataset lie in `root/<local part of its id>/`, those of the datasets named
    /// in `elsewhere` in a directory of their own, such as a read-only mount.
    pub fn new(root: impl Into<PathBuf>, elsewhere: BTreeMap<DatasetId, PathBuf>) -> Self {
        Self { root: root.into(), elsewhere }
    }

    /// The directory of a dataset, whether it exists or not.
    pub fn directory(&self, dataset: &DatasetId) -> PathBuf {
        // The local part of an id begins with a letter or digit and has no '/', so it cannot climb.
        self.elsewhere.get(dataset).cloned().unwrap_or_else(|| self.root.join(dataset.local()))
    }

    /// Opens a shard. Blocking: a directory and a file are opened.
    pub fn open(&self, dataset: &DatasetId, name: &ShardName) -> Result<OpenShard, ShardError> {
        let refuse = |errno: Errno| match errno {
            Errno::NOENT | Errno::NOTDIR => ShardError::Missing(name.clone()),
            Errno::LOOP => ShardError::NotAFile(name.clone()),
            other => ShardError::Unreadable { name: name.clone(), source: other.into() },
        };
        let directory = rustix::fs::open(
            self.directory(dataset),
            OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        )
        .map_err(refuse)?;
        // NONBLOCK: opening a pipe that somebody put there must not wait for a writer.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&directory, name.as_str(), flags, Mode::empty()).map_err(refuse)?;
        let stat = rustix::fs::fstat(&file).map_err(refuse)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(ShardError::NotAFile(name.clone()));
        }
        // Advice only: where it is refused, reading is slower and nothing else.
        let _ = rustix::fs::fadvise(&file, 0, None, Advice::Sequential);
        Ok(OpenShard { file: file.into(), bytes: u64::try_from(stat.st_size).unwrap_or(0) })
    }

    /// Where the folder lies.
    pub fn root(&self) -> &Path {
        &self.root
    }
}

/// An opened shard.
#[derive(Debug)]
pub struct OpenShard {
    file: File,
    bytes: u64,
}

impl OpenShard {
    /// Its size in bytes when it was opened.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Fills the buffer from `offset`, or fails: a file that has become shorter is an error, never a shorter answer.
    /// Blocking.
    pub fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(buffer, offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn folder_with(name: &str, bytes: &[u8]) -> (tempfile::TempDir, Folder, DatasetId) {
        let root = tempfile::tempdir().unwrap();
        let dataset: DatasetId = "https://fi.example/dataset/d1".parse().unwrap();
        std::fs::create_dir(root.path().join("d1")).unwrap();
        std::fs::write(root.path().join("d1").join(name), bytes).unwrap();
        let folder = Folder::new(root.path(), BTreeMap::new());
        (root, folder, dataset)
    }

    #[test]
    fn a_shard_is_read_in_place_from_any_offset() {
        let (_root, folder, dataset) = folder_with("part-0.jsonl", b"0123456789");
        let shard = folder.open(&dataset, &"part-0.jsonl".parse().unwrap()).unwrap();
        let mut buffer = [0; 4];
        shard.read_exact_at(&mut buffer, 5).unwrap();
        assert_eq!((shard.bytes(), &buffer), (10, b"5678"));
        assert!(shard.read_exact_at(&mut buffer, 8).is_err());
    }

    #[test]
    fn a_link_a_directory_and_a_pipe_are_no_shards() {
        let (root, folder, dataset) = folder_with("real.bin", b"x");
        let within = root.path().join("d1");
        std::fs::write(root.path().join("secret"), b"secret").unwrap();
        symlink("../secret", within.join("out.bin")).unwrap();
        symlink("real.bin", within.join("link.bin")).unwrap();
        std::fs::create_dir(within.join("dir.bin")).unwrap();
        for name in ["out.bin", "link.bin", "dir.bin"] {
            let opened = folder.open(&dataset, &name.parse().unwrap());
            assert!(matches!(opened, Err(ShardError::NotAFile(_))), "{name}: {opened:?}");
        }
        assert!(matches!(folder.open(&dataset, &"gone".parse().unwrap()), Err(ShardError::Missing(_))));
        let other = "https://fi.example/dataset/d2".parse().unwrap();
        assert!(matches!(folder.open(&other, &"real.bin".parse().unwrap()), Err(ShardError::Missing(_))));
    }

    #[test]
    fn a_dataset_may_lie_elsewhere() {
        let (root, _, dataset) = folder_with("a.bin", b"abc");
        let folder = Folder::new("/nowhere", BTreeMap::from([(dataset.clone(), root.path().join("d1"))]));
        assert_eq!(folder.open(&dataset, &"a.bin".parse().unwrap()).unwrap().bytes(), 3);
    }
}
