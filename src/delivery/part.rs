//! One shard on its way into a folder: `.name.part`, written and verified chunk by chunk, and its own name only once
//! every byte is right.
//!
//! Whatever is in the part file beyond the last chunk that matches the manifest is cut off before anything is added, so
//! a fetch that was killed has at most one chunk sent again, and wrong bytes are never kept. No shard's name begins with
//! a dot, so no part file can be mistaken for one. All of this blocks: a fetch runs it on a thread of its own.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::domain::ids::Digest;
use crate::domain::manifest::{CHUNK_SIZE, Shard, ShardName};

/// Why a shard could not be completed.
#[derive(Debug, thiserror::Error)]
pub enum PartError {
    /// The bytes are not those of the manifest. What was wrong has been cut off.
    #[error("{shard}: bytes {from} to {to} do not match the manifest of the agreement; they were not kept")]
    Mismatch {
        /// Which shard.
        shard: ShardName,
        /// First byte that may be wrong.
        from: u64,
        /// One past the last.
        to: u64,
    },
    /// More bytes arrived than the shard has.
    #[error("{0}: more bytes arrived than the manifest of the agreement says; they were not kept")]
    TooLong(ShardName),
    /// The folder could not be written or read.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A shard that is being written, or was found whole.
#[derive(Debug)]
pub struct Part {
    name: ShardName,
    shard: Shard,
    file: File,
    path: PathBuf,
    target: PathBuf,
    whole: Sha256,
    chunk: Sha256,
    /// Bytes in the file; up to the last chunk boundary they are verified.
    written: u64,
}

impl Part {
    /// Looks what is there of a shard, verifies it, and cuts off what does not match. `seen` hears of the bytes verified.
    pub fn begin(folder: &Path, name: &ShardName, shard: &Shard, seen: &dyn Fn(u64)) -> Result<Self, PartError> {
        let target = folder.join(name.as_str());
        let path = folder.join(format!(".{name}.part"));
        let failed = |source| PartError::Io { path: path.clone(), source };
        // A finished file is judged like an unfinished one: somebody may have changed it since.
        if target.exists() {
            std::fs::rename(&target, &path).map_err(failed)?;
        }
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        let mut part = Self {
            name: name.clone(),
            shard: shard.clone(),
            file,
            path: path.clone(),
            target,
            whole: Sha256::new(),
            chunk: Sha256::new(),
            written: 0,
        };
        part.verify_present(seen).map_err(failed)?;
        Ok(part)
    }

    /// How many bytes are there: where the next ones belong.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Whether no byte is missing.
    pub fn is_full(&self) -> bool {
        self.written == self.shard.bytes
    }

    /// Adds bytes. Each chunk is verified as soon as it is whole; one that does not match is cut off again.
    pub fn write(&mut self, mut bytes: &[u8]) -> Result<(), PartError> {
        if bytes.len() as u64 > self.shard.bytes - self.written {
            self.cut_to(self.written - self.written % CHUNK_SIZE)?;
            return Err(PartError::TooLong(self.name.clone()));
        }
        while !bytes.is_empty() {
            let room = CHUNK_SIZE - self.written % CHUNK_SIZE;
            let (now, later) = bytes.split_at(usize::try_from(room).unwrap_or(bytes.len()).min(bytes.len()));
            self.file.write_all(now).map_err(|source| self.failed(source))?;
            self.whole.update(now);
            self.chunk.update(now);
            self.written += now.len() as u64;
            bytes = later;
            if self.written.is_multiple_of(CHUNK_SIZE) || self.is_full() {
                let digest = Digest(self.chunk.finalize_reset().into());
                let index = (self.written - 1) / CHUNK_SIZE;
                if self.chunk_digest(index).is_some_and(|expected| expected != digest) {
                    let to = self.written;
                    self.cut_to(index * CHUNK_SIZE)?;
                    return Err(PartError::Mismatch { shard: self.name.clone(), from: index * CHUNK_SIZE, to });
                }
            }
        }
        Ok(())
    }

    /// Verifies the whole and gives the shard its name, durably. What does not match is thrown away.
    pub fn finish(mut self) -> Result<(), PartError> {
        let digest = Digest(std::mem::take(&mut self.whole).finalize().into());
        if !self.is_full() || digest != self.shard.sha256 {
            self.cut_to(0)?;
            return Err(PartError::Mismatch { shard: self.name.clone(), from: 0, to: self.shard.bytes });
        }
        let rename = || -> io::Result<()> {
            self.file.sync_all()?;
            std::fs::rename(&self.path, &self.target)?;
            let folder = self.target.parent().unwrap_or(Path::new("."));
            File::open(folder)?.sync_all()
        };
        rename().map_err(|source| self.failed(source))
    }

    /// The digest that a chunk must have, where the manifest says.
    fn chunk_digest(&self, index: u64) -> Option<Digest> {
        match &self.shard.chunks[..] {
            [] if self.shard.bytes <= CHUNK_SIZE => Some(self.shard.sha256),
            chunks => chunks.get(usize::try_from(index).ok()?).copied(),
        }
    }

    fn verify_present(&mut self, seen: &dyn Fn(u64)) -> io::Result<()> {
        let present = self.file.metadata()?.len();
        let has_chunks = self.chunk_digest(0).is_some();
        let mut buffer = vec![0; 1 << 20];
        let mut verified = 0;
        'chunks: while verified < present.min(self.shard.bytes) {
            let end = (verified + CHUNK_SIZE).min(self.shard.bytes);
            let (mut whole, mut chunk) = (self.whole.clone(), Sha256::new());
            let mut at = verified;
            while at < end {
                let room = usize::try_from(end - at).unwrap_or(buffer.len()).min(buffer.len());
                let count = self.file.read(&mut buffer[..room])?;
                if count == 0 {
                    break;
                }
                whole.update(&buffer[..count]);
                chunk.update(&buffer[..count]);
                at += count as u64;
                seen(count as u64);
            }
            let matches =
                at == end && self.chunk_digest(verified / CHUNK_SIZE) == Some(Digest(chunk.clone().finalize().into()));
            if has_chunks && !matches {
                break 'chunks;
            }
            self.whole = whole;
            self.chunk = if at.is_multiple_of(CHUNK_SIZE) || at == self.shard.bytes { Sha256::new() } else { chunk };
            verified = at;
            if at < end {
                break 'chunks;
            }
        }
        // Without chunk digests only the whole can be judged; where that is wrong, nothing of it is worth keeping.
        let is_wrong =
            verified == self.shard.bytes && Digest(self.whole.clone().finalize().into()) != self.shard.sha256;
        if is_wrong && !has_chunks {
            verified = 0;
            (self.whole, self.chunk) = (Sha256::new(), Sha256::new());
        }
        self.written = verified;
        self.file.set_len(verified)?;
        self.file.seek(SeekFrom::Start(verified))?;
        Ok(())
    }

    fn cut_to(&mut self, length: u64) -> Result<(), PartError> {
        self.file.set_len(length).map_err(|source| self.failed(source))?;
        self.written = length;
        Ok(())
    }

    fn failed(&self, source: io::Error) -> PartError {
        PartError::Io { path: self.path.clone(), source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CHUNK: usize = CHUNK_SIZE as usize;

    fn content(bytes: usize) -> Vec<u8> {
        (0..bytes).map(|i| (i / 7 % 251) as u8).collect()
    }

    fn shard_of(content: &[u8], with_chunks: bool) -> Shard {
        let chunks: Vec<_> = content.chunks(CHUNK).map(Digest::of).collect();
        let chunks = if with_chunks && chunks.len() > 1 { chunks } else { Vec::new() };
        Shard { bytes: content.len() as u64, sha256: Digest::of(content), chunks, rows: None, split: None }
    }

    fn begin(folder: &Path, shard: &Shard) -> Part {
        Part::begin(folder, &name(), shard, &|_| {}).unwrap()
    }

    fn name() -> ShardName {
        "a.bin".parse().unwrap()
    }

    #[test]
    fn a_shard_has_its_name_only_once_every_byte_is_right() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = content(CHUNK + 1000);
        let shard = shard_of(&bytes, true);
        let mut part = begin(folder.path(), &shard);
        part.write(&bytes[..CHUNK + 1]).unwrap();
        assert!(!folder.path().join("a.bin").exists() && !part.is_full());
        part.write(&bytes[CHUNK + 1..]).unwrap();
        part.finish().unwrap();
        assert_eq!(std::fs::read(folder.path().join("a.bin")).unwrap(), bytes);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        // Looked at again it is whole, and one that was changed meanwhile is not.
        assert!(begin(folder.path(), &shard).is_full());
        let path = folder.path().join(".a.bin.part");
        let mut changed = bytes.clone();
        changed[CHUNK + 5] ^= 1;
        std::fs::write(&path, &changed).unwrap();
        assert_eq!(begin(folder.path(), &shard).written(), CHUNK as u64);
    }

    #[test]
    fn a_killed_fetch_goes_on_from_the_last_whole_chunk() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = content(2 * CHUNK + 77);
        let shard = shard_of(&bytes, true);
        let mut part = begin(folder.path(), &shard);
        part.write(&bytes[..CHUNK + 500]).unwrap();
        drop(part);
        let mut part = begin(folder.path(), &shard);
        assert_eq!(part.written(), CHUNK as u64);
        part.write(&bytes[CHUNK..]).unwrap();
        part.finish().unwrap();
    }

    #[test]
    fn wrong_bytes_are_cut_off_and_the_right_ones_before_them_kept() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = content(2 * CHUNK);
        let shard = shard_of(&bytes, true);
        let mut part = begin(folder.path(), &shard);
        let mut wrong = bytes.clone();
        wrong[CHUNK + 9] ^= 0xff;
        assert!(matches!(part.write(&wrong), Err(PartError::Mismatch { from, .. }) if from == CHUNK_SIZE));
        assert_eq!(begin(folder.path(), &shard).written(), CHUNK_SIZE);
        let mut part = begin(folder.path(), &shard);
        part.write(&bytes[CHUNK..]).unwrap();
        part.finish().unwrap();
    }

    #[test]
    fn without_chunk_digests_the_whole_decides() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = content(CHUNK + 3);
        let shard = shard_of(&bytes, false);
        let mut part = begin(folder.path(), &shard);
        part.write(&bytes[..CHUNK + 1]).unwrap();
        drop(part);
        let mut part = begin(folder.path(), &shard);
        assert_eq!(part.written(), CHUNK_SIZE + 1);
        part.write(&[1, 2]).unwrap();
        assert!(matches!(part.finish(), Err(PartError::Mismatch { from: 0, .. })));
        assert_eq!(begin(folder.path(), &shard).written(), 0);
    }

    #[test]
    fn more_bytes_than_the_shard_has_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let shard = shard_of(b"hello", true);
        assert!(matches!(begin(folder.path(), &shard).write(b"hello!"), Err(PartError::TooLong(_))));
        let mut empty = begin(folder.path(), &shard_of(b"", true));
        assert!(empty.is_full() && empty.write(b"x").is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn however_it_is_cut_and_corrupted_a_finished_shard_is_the_right_one(
            length in 0usize..(2 * CHUNK + 100),
            cut in 0.0f64..1.0,
            flip in proptest::option::of(0.0f64..1.0),
            with_chunks in any::<bool>(),
        ) {
            let folder = tempfile::tempdir().unwrap();
            let bytes = content(length);
            let shard = shard_of(&bytes, with_chunks);
            let mut left = bytes[..(cut * length as f64) as usize].to_vec();
            if let (Some(flip), false) = (flip, left.is_empty()) {
                let at = (flip * left.len() as f64) as usize;
                left[at] ^= 1;
            }
            std::fs::write(folder.path().join(".a.bin.part"), &left).unwrap();
            for _ in 0..2 {
                let mut part = begin(folder.path(), &shard);
                let from = part.written() as usize;
                if part.write(&bytes[from..]).and_then(|()| part.finish()).is_ok() {
                    prop_assert_eq!(std::fs::read(folder.path().join("a.bin")).unwrap(), bytes);
                    return Ok(());
                }
                prop_assert!(!folder.path().join("a.bin").exists());
            }
            prop_assert!(false, "the second try begins from what is right and succeeds");
        }
    }
}
