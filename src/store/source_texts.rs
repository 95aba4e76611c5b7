//! What a source said of a dataset, word for word: kept beside the log, so that nothing is lost in translation.
//!
//! This is no projection: the log names the digest of what was read and not the words, because words hold names and
//! addresses and must be removable without touching an entry or a proof. So `rebuild` leaves the table alone, a backup
//! carries it as part of the database file, and what is gone from here is gone. A text is written in the transaction of
//! the append that it explains, compressed by its caller and not by the writer.
//!
//! One text stands for each digest that a revision of the dataset names as its source's, until it is erased: history
//! can be read beside the words that it was made of. A record that is read again unchanged writes nothing.

use jiff::Timestamp;

use crate::domain::event::Event;
use crate::domain::ids::{DatasetId, Digest, Seq};

use super::engine::{Expectation, Priority, Tables, Value, damaged, text};
use super::error::{AppendError, StoreError};
use super::log::Batch;
use super::{Store, off_the_runtime};

/// The table: a step of the schema, see `sqlite::MIGRATIONS`.
pub(super) const SCHEMA: &str = "
CREATE TABLE source_text (
  dataset TEXT NOT NULL,
  source BLOB NOT NULL CHECK (length(source) = 32),
  format TEXT,
  digest BLOB NOT NULL CHECK (length(digest) = 32),
  bytes INTEGER NOT NULL,
  zstd BLOB NOT NULL,
  kept TEXT NOT NULL,
  PRIMARY KEY (dataset, source)
) STRICT;
";

/// The most bytes of one text; a longer one is not kept.
pub const MAX_SOURCE_TEXT: usize = 1 << 20;

/// How hard zstd tries: its own default, which is faster than what else an import does.
const LEVEL: i32 = 3;

/// A text to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceText {
    dataset: DatasetId,
    source: Digest,
    format: Option<String>,
    text: String,
}

impl SourceText {
    /// The words of a dataset's source. `source` is the digest by which a revision names what was read. None where the
    /// text is empty or longer than [`MAX_SOURCE_TEXT`].
    pub fn new(dataset: DatasetId, source: Digest, format: Option<String>, text: String) -> Option<Self> {
        (1..=MAX_SOURCE_TEXT).contains(&text.len()).then_some(Self { dataset, source, format, text })
    }
}

/// A text as it was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptText {
    /// Its format, such as `croissant-1.1`, where the source was said to have one.
    pub format: Option<String>,
    /// The digest of the text itself.
    pub digest: Digest,
    /// When it came.
    pub kept: Timestamp,
    /// The text.
    pub text: String,
}

/// A text made ready by its caller, so that the one writer has little to do.
pub(super) struct Packed {
    dataset: DatasetId,
    source: Digest,
    format: Option<String>,
    digest: Digest,
    bytes: usize,
    zstd: Vec<u8>,
    kept: Timestamp,
}

impl Packed {
    fn new(text: SourceText, kept: Timestamp) -> Result<Self, StoreError> {
        let SourceText { dataset, source, format, text } = text;
        let zstd = zstd::bulk::compress(text.as_bytes(), LEVEL)
            .map_err(|error| StoreError::Engine(format!("a source text cannot be compressed: {error}")))?;
        Ok(Self { dataset, source, format, digest: Digest::of(text.as_bytes()), bytes: text.len(), zstd, kept })
    }

    /// How many bytes it writes, about.
    pub(super) fn bytes(&self) -> usize {
        self.zstd.len() + 256
    }

    /// Writes it within an open transaction, in the place of one for the same reading.
    pub(super) fn put(&self, tables: &dyn Tables) -> Result<(), StoreError> {
        tables.execute(
            "INSERT INTO source_text (dataset, source, format, digest, bytes, zstd, kept)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (dataset, source) DO UPDATE SET format = excluded.format, digest = excluded.digest,
               bytes = excluded.bytes, zstd = excluded.zstd, kept = excluded.kept",
            &[
                text(&self.dataset),
                self.source.0.as_slice().into(),
                self.format.as_deref().into(),
                self.digest.0.as_slice().into(),
                (self.bytes as u64).into(),
                self.zstd.as_slice().into(),
                text(&self.kept),
            ],
        )?;
        Ok(())
    }
}

/// A row as it lies there.
struct Stored {
    format: Option<String>,
    digest: Digest,
    bytes: usize,
    zstd: Vec<u8>,
    kept: Timestamp,
}

impl Stored {
    fn unpack(self, id: &DatasetId) -> Result<KeptText, StoreError> {
        let broken = || damaged(Seq(0), format!("the source text of {id} is not the one that was kept"));
        let bytes = zstd::bulk::decompress(&self.zstd, self.bytes.min(MAX_SOURCE_TEXT)).map_err(|_| broken())?;
        if Digest::of(&bytes) != self.digest {
            return Err(broken());
        }
        let text = String::from_utf8(bytes).map_err(|_| broken())?;
        Ok(KeptText { format: self.format, digest: self.digest, kept: self.kept, text })
    }
}

fn stored(tables: &dyn Tables, id: &DatasetId, source: &Digest) -> Result<Option<Stored>, StoreError> {
    let row = tables.one(
        "SELECT format, digest, bytes, kept, zstd FROM source_text WHERE dataset = ?1 AND source = ?2",
        &[text(id), source.0.as_slice().into()],
    )?;
    row.map(|mut row| {
        let zstd = match row.0.pop() {
            Some(Value::Blob(bytes)) => bytes,
            _ => return Err(damaged(Seq(0), format!("the source text of {id} is no bytes"))),
        };
        Ok(Stored {
            format: row.optional_text(0)?.map(str::to_owned),
            digest: Digest(row.hash(1)?),
            bytes: usize::try_from(row.number(2)?).unwrap_or(usize::MAX),
            kept: row.parse(3)?,
            zstd,
        })
    })
    .transpose()
}

impl Store {
    /// As [`Store::append`], with what the sources of those datasets said: all of it is durable together, or nothing.
    pub async fn append_with_texts(
        &self,
        events: Vec<Event>,
        expectations: Vec<Expectation>,
        texts: Vec<SourceText>,
        priority: Priority,
    ) -> Result<Vec<Seq>, AppendError> {
        let kept = events.first().map(|event| event.at).unwrap_or_default();
        let mut batch = Batch::new(events, expectations, None)?;
        if !texts.is_empty() {
            let pack = move || texts.into_iter().map(|text| Packed::new(text, kept)).collect();
            batch.texts = off_the_runtime(pack).await?;
        }
        self.engine.append(batch, priority).await
    }

    /// What the source of a dataset said when the reading of this digest was made.
    pub async fn source_text(&self, id: &DatasetId, source: &Digest) -> Result<Option<KeptText>, StoreError> {
        let (asked, source) = (id.clone(), *source);
        match self.read(move |tables| stored(tables, &asked, &source)).await? {
            Some(stored) => {
                let id = id.clone();
                off_the_runtime(move || stored.unpack(&id)).await.map(Some)
            }
            None => Ok(None),
        }
    }

    /// Removes every text that is kept of a dataset; gives how many there were. Durable when it returns. The pages are
    /// overwritten; older copies in the write-ahead log go with its next checkpoint, those in backups with the backups.
    pub async fn erase_source_text(&self, id: &DatasetId) -> Result<u64, StoreError> {
        let id = id.clone();
        self.write(move |tables| {
            tables.query("PRAGMA secure_delete = ON", &[])?;
            let removed = tables.execute("DELETE FROM source_text WHERE dataset = ?1", &[text(&id)]);
            tables.query("PRAGMA secure_delete = OFF", &[])?;
            Ok(removed? as u64)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_kept_up_to_its_bound_and_not_beyond_and_an_empty_one_is_none() {
        let id: DatasetId = "https://fi.pleiad.example/dataset/a".parse().unwrap();
        let of = |text: String| SourceText::new(id.clone(), Digest::of(b"read"), None, text);
        assert!(of("x".repeat(MAX_SOURCE_TEXT)).is_some());
        assert_eq!(of("x".repeat(MAX_SOURCE_TEXT + 1)), None);
        assert_eq!(of(String::new()), None);
    }

    #[test]
    fn what_was_packed_is_unpacked_and_what_was_changed_since_is_told() {
        let id: DatasetId = "https://fi.pleiad.example/dataset/a".parse().unwrap();
        let words = "<https://example.org/1> a <http://www.w3.org/ns/dcat#Dataset> .\n".repeat(100);
        let text = SourceText::new(id.clone(), Digest::of(b"read"), None, words.clone()).unwrap();
        let packed = Packed::new(text, Timestamp::UNIX_EPOCH).unwrap();
        assert!(packed.bytes() < words.len());
        let stored = |digest| Stored {
            format: None,
            digest,
            bytes: packed.bytes,
            zstd: packed.zstd.clone(),
            kept: Timestamp::UNIX_EPOCH,
        };
        assert_eq!(stored(packed.digest).unpack(&id).unwrap().text, words);
        assert!(stored(Digest::of(b"another")).unpack(&id).is_err());
    }
}
