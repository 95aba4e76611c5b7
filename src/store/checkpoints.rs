//! The proofs that the tree gives, and the signed heads that are kept.

use std::collections::BTreeMap;

use crate::domain::checkpoint::SignedCheckpoint;
use crate::domain::ids::{Digest, Seq};
use crate::domain::merkle::{self, Hash};
use crate::domain::proof::{ConsistencyProof, InclusionProof};

use super::Store;
use super::engine::{Row, Tables, damaged};
use super::error::StoreError;
use super::log;

/// The root of every signed head by its size.
pub(super) fn roots(tables: &dyn Tables) -> Result<BTreeMap<u64, Hash>, StoreError> {
    let rows = tables.query("SELECT size, root FROM checkpoint ORDER BY size", &[])?;
    rows.iter().map(|row| Ok((row.number(0)?, row.hash(1)?))).collect()
}

/// The signed head in the columns size, root, note.
fn signed(row: &Row) -> Result<SignedCheckpoint, StoreError> {
    let size = row.seq(0)?;
    let signed: SignedCheckpoint = row.parse(2)?;
    let checkpoint = &signed.checkpoint;
    if checkpoint.size != size.0 || checkpoint.root.0 != row.hash(1)? {
        return Err(damaged(size, "the signed head that is kept for it speaks of another"));
    }
    Ok(signed)
}

fn last(tables: &dyn Tables) -> Result<Option<SignedCheckpoint>, StoreError> {
    let row = tables.one("SELECT size, root, note FROM checkpoint ORDER BY size DESC LIMIT 1", &[])?;
    row.as_ref().map(signed).transpose()
}

impl Store {
    /// The size and root of the log as stored, of one moment.
    pub async fn tree_head(&self) -> Result<(u64, Digest), StoreError> {
        self.read(|tables| {
            let size = log::head(tables)?.0;
            Ok((size, Digest(merkle::root(size, &mut log::stored(tables))?)))
        })
        .await
    }

    /// The proof that an entry is in the log of this size, or of the present size; nothing where that log has no such
    /// entry, or where it is not that long.
    pub async fn inclusion(&self, seq: Seq, size: Option<u64>) -> Result<Option<InclusionProof>, StoreError> {
        self.read(move |tables| {
            let head = log::head(tables)?.0;
            let size = size.unwrap_or(head);
            let Some(index) = seq.0.checked_sub(1) else { return Ok(None) };
            if index >= size || size > head {
                return Ok(None);
            }
            let header = log::header(tables, seq)?.ok_or_else(|| damaged(seq, "it is missing"))?;
            let stored = &mut log::stored(tables);
            let path = merkle::prove_inclusion(index, size, stored)?.into_iter().map(Digest).collect();
            let root = Digest(merkle::root(size, stored)?);
            Ok(Some(InclusionProof { header, index, size, root, path }))
        })
        .await
    }

    /// The proof that the log of one size is the beginning of the log of another, or of the present size; nothing where
    /// the sizes are not in that order or the log is not that long.
    pub async fn consistency(&self, old: u64, new: Option<u64>) -> Result<Option<ConsistencyProof>, StoreError> {
        self.read(move |tables| {
            let head = log::head(tables)?.0;
            let new = new.unwrap_or(head);
            if old == 0 || old > new || new > head {
                return Ok(None);
            }
            let stored = &mut log::stored(tables);
            let path = merkle::prove_consistency(old, new, stored)?.into_iter().map(Digest).collect();
            let (old_root, new_root) = (Digest(merkle::root(old, stored)?), Digest(merkle::root(new, stored)?));
            Ok(Some(ConsistencyProof { old, old_root, new, new_root, path }))
        })
        .await
    }

    /// The last signed head.
    pub async fn checkpoint(&self) -> Result<Option<SignedCheckpoint>, StoreError> {
        self.read(last).await
    }

    /// Keeps a signed head. There is one for each size: the first stays, and it comes back.
    pub async fn keep_checkpoint(&self, checkpoint: SignedCheckpoint) -> Result<SignedCheckpoint, StoreError> {
        self.write(move |tables| {
            let head = &checkpoint.checkpoint;
            tables.execute(
                "INSERT INTO checkpoint (size, root, note) VALUES (?1, ?2, ?3) ON CONFLICT (size) DO NOTHING",
                &[head.size.into(), head.root.0.as_slice().into(), checkpoint.to_string().as_str().into()],
            )?;
            let row = tables.one("SELECT size, root, note FROM checkpoint WHERE size = ?1", &[head.size.into()])?;
            signed(&row.ok_or_else(|| damaged(Seq(head.size), "its signed head is missing"))?)
        })
        .await
    }
}
