//! What files are: their sizes and digests, read once, as the manifest that agreements pin.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::domain::ids::{Digest, InvalidName};
use crate::domain::manifest::{CHUNK_SIZE, Manifest, Shard, ShardName};

/// Why no manifest could be made.
#[derive(Debug, thiserror::Error)]
pub enum MeasureError {
    /// A file could not be read.
    #[error("{path} cannot be read: {source}")]
    Unreadable {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file's name is none for a shard.
    #[error("{path} cannot be a shard: {source}")]
    Name {
        /// Which one.
        path: PathBuf,
        /// What is allowed.
        source: InvalidName,
    },
    /// There is no file.
    #[error("{0} holds no files; put the shards there first")]
    Empty(PathBuf),
}

/// Makes the manifest of every regular file in a directory, in the order of their names. Hidden files are left out,
/// links and directories too. `read` hears of each block of bytes read, for a progress bar. Blocking.
pub fn measure(directory: &Path, version: u32, read: &mut dyn FnMut(u64)) -> Result<Manifest, MeasureError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |source| MeasureError::Unreadable { path, source }
    };
    let mut shards = BTreeMap::new();
    for entry in std::fs::read_dir(directory).map_err(unreadable(directory))? {
        let entry = entry.map_err(unreadable(directory))?;
        let path = entry.path();
        let is_file = entry.file_type().map_err(unreadable(&path))?.is_file();
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if !is_file || name.starts_with('.') {
            continue;
        }
        let name: ShardName = name.parse().map_err(|source| MeasureError::Name { path: path.clone(), source })?;
        shards.insert(name, measure_file(&path, read)?);
    }
    if shards.is_empty() {
        return Err(MeasureError::Empty(directory.to_owned()));
    }
    Ok(Manifest { version, shards })
}

/// Measures one file. Blocking.
pub fn measure_file(path: &Path, read: &mut dyn FnMut(u64)) -> Result<Shard, MeasureError> {
    let measured = File::open(path).and_then(|file| shard(file, read));
    measured.map_err(|source| MeasureError::Unreadable { path: path.to_owned(), source })
}

fn shard(mut file: File, read: &mut dyn FnMut(u64)) -> io::Result<Shard> {
    let (mut whole, mut chunk) = (Sha256::new(), Sha256::new());
    let (mut bytes, mut chunks) = (0u64, Vec::new());
    let mut buffer = vec![0; 1 << 20];
    loop {
        let room = usize::try_from(CHUNK_SIZE - bytes % CHUNK_SIZE).unwrap_or(buffer.len()).min(buffer.len());
        let count = match file.read(&mut buffer[..room]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        if count == 0 {
            break;
        }
        whole.update(&buffer[..count]);
        chunk.update(&buffer[..count]);
        bytes += count as u64;
        read(count as u64);
        if bytes.is_multiple_of(CHUNK_SIZE) {
            chunks.push(Digest(chunk.finalize_reset().into()));
        }
    }
    if !bytes.is_multiple_of(CHUNK_SIZE) {
        chunks.push(Digest(chunk.finalize().into()));
    }
    // One chunk has the digest of the whole.
    if chunks.len() < 2 {
        chunks.clear();
    }
    Ok(Shard { bytes, sha256: Digest(whole.finalize().into()), chunks, rows: None, split: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_says_size_digest_and_chunks_of_each_file() {
        let directory = tempfile::tempdir().unwrap();
        let chunk = CHUNK_SIZE as usize;
        let long: Vec<u8> = (0..chunk * 2 + 5).map(|i| (i % 251) as u8).collect();
        std::fs::write(directory.path().join("b.bin"), &long).unwrap();
        std::fs::write(directory.path().join("a.txt"), b"hello").unwrap();
        std::fs::write(directory.path().join(".hidden"), b"no").unwrap();
        std::fs::write(directory.path().join("exact.bin"), &long[..chunk * 2]).unwrap();
        let mut seen = 0;
        let manifest = measure(directory.path(), 1, &mut |bytes| seen += bytes).unwrap();
        let names: Vec<_> = manifest.shards.keys().map(ShardName::as_str).collect();
        assert_eq!(names, ["a.txt", "b.bin", "exact.bin"]);
        assert_eq!(seen, manifest.total_bytes());
        let b = &manifest.shards[&"b.bin".parse().unwrap()];
        assert_eq!((b.bytes, b.sha256), (long.len() as u64, Digest::of(&long)));
        assert_eq!(b.chunks, long.chunks(chunk).map(Digest::of).collect::<Vec<_>>());
        assert_eq!(manifest.shards[&"exact.bin".parse().unwrap()].chunks.len(), 2);
        assert!(manifest.shards[&"a.txt".parse().unwrap()].chunks.is_empty());
    }

    #[test]
    fn an_empty_folder_and_a_name_that_is_none_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        assert!(matches!(measure(directory.path(), 1, &mut |_| {}), Err(MeasureError::Empty(_))));
        std::fs::write(directory.path().join("a b"), b"x").unwrap();
        assert!(matches!(measure(directory.path(), 1, &mut |_| {}), Err(MeasureError::Name { .. })));
    }
}
