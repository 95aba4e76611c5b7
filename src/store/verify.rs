//! Checking that what is there is what was written: the contents against their commitments, the headers against the
//! leaves, the leaves against the tree, the tree against every signed head, the tables against the log.
//!
//! A start checks what it can in a moment; [`Store::verify`] checks everything.

use std::collections::BTreeMap;

use sha2::Digest as _;

use crate::domain::ids::{Digest, Seq};
use crate::domain::merkle::{self, Frontier, Hash};

use super::Store;
use super::engine::{Row, Tables, Value, damaged};
use super::error::StoreError;
use super::{checkpoints, log, projections, sqlite};

/// How many entries are read at a time.
const PAGE: u64 = 1000;

/// A start recomputes the leaves of a log up to this size from end to end, and of a longer one the last ones.
const AT_START: u64 = 50_000;

/// A start checks the contents of so many of the last entries, where a torn write would show.
const CONTENTS_AT_START: u64 = 500;

/// What was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// How many entries the log has.
    pub size: u64,
    /// The root that follows from them.
    pub root: Digest,
    /// How many signed heads agree with it.
    pub checkpoints: u64,
}

impl Store {
    /// Checks everything, from a single moment. [`StoreError::Damaged`] names the first entry that is wrong,
    /// [`StoreError::TablesDiffer`] a table. Takes a second or two for 50,000 entries.
    pub async fn verify(&self) -> Result<Verified, StoreError> {
        let verified = self
            .read(|tables| {
                let heads = checkpoints::roots(tables)?;
                let tree = recompute(tables, 0, true, &heads)?;
                if let Some((size, _)) = heads.range(tree.size() + 1..).next() {
                    let detail = format!("a head of {size} entries was signed, the log has {}", tree.size());
                    return Err(damaged(Seq(tree.size() + 1), detail));
                }
                if tree != log::tree(tables)? {
                    return Err(damaged(Seq(tree.size() + 1), "the tree was built from further entries, now missing"));
                }
                compare_tables(tables)?;
                Ok(Verified { size: tree.size(), root: Digest(tree.root()), checkpoints: heads.len() as u64 })
            })
            .await?;
        self.engine.check().await?;
        Ok(verified)
    }

    /// The size and root of the log as they follow from its entries since the last signed head, read again and hashed
    /// again, on top of that head. For signing: never sign what memory says.
    pub async fn recomputed_head(&self) -> Result<(u64, Digest), StoreError> {
        self.read(|tables| {
            let (from, root) = checkpoints::roots(tables)?.pop_last().unwrap_or((0, merkle::empty_root()));
            if from > log::head(tables)?.0 {
                return Err(damaged(Seq(from), "a head was signed for a log of this length, and the log is shorter"));
            }
            if Frontier::load(from, log::stored(tables))?.root() != root {
                return Err(damaged(Seq(from), "the log up to here is not the one whose head was signed"));
            }
            let tree = recompute(tables, from, true, &BTreeMap::new())?;
            Ok((tree.size(), Digest(tree.root())))
        })
        .await
    }
}

/// What a start checks.
pub(super) fn at_start(tables: &dyn Tables, tree: &Frontier) -> Result<(), StoreError> {
    let size = tree.size();
    let from = size.saturating_sub(AT_START);
    let contents_from = size.saturating_sub(CONTENTS_AT_START).max(from);
    let heads = BTreeMap::new();
    if from < contents_from {
        recompute(tables, from, false, &heads)?;
    }
    let recomputed = recompute(tables, contents_from, true, &heads)?;
    if recomputed != *tree {
        return Err(damaged(Seq(size), "the tree does not follow from the entries"));
    }
    Ok(())
}

/// Rebuilds the tree from the entries after position `from`, comparing every hash with the stored one, and every root of
/// a signed size with the signed one.
fn recompute(
    tables: &dyn Tables,
    from: u64,
    contents: bool,
    heads: &BTreeMap<u64, Hash>,
) -> Result<Frontier, StoreError> {
    let mut tree = Frontier::load(from, log::stored(tables))?;
    loop {
        let next = Seq(tree.size() + 1);
        let at = |error: StoreError| match error {
            StoreError::Damaged { seq: Seq(0), detail } => damaged(next, detail),
            other => other,
        };
        let rows = entries(tables, tree.size(), contents).map_err(at)?;
        if rows.is_empty() {
            return Ok(tree);
        }
        let last = tree.size() + rows.len() as u64;
        let mut stored = hashes(tables, merkle::stored_count(tree.size()), merkle::stored_count(last)).map_err(at)?;
        for row in &rows {
            let seq = Seq(tree.size() + 1);
            let header = log::read_header(row).map_err(|error| within(seq, error))?;
            if header.seq != seq {
                return Err(damaged(seq, format!("it is missing: entry {} follows", header.seq)));
            }
            if contents {
                check_content(&header, row).map_err(|error| within(seq, error))?;
            }
            for (place, hash) in tree.append(header.leaf()) {
                if stored.remove(&place) != Some(hash) {
                    return Err(damaged(seq, "its leaf is not the one that the tree was built with"));
                }
            }
            if heads.get(&seq.0).is_some_and(|root| *root != tree.root()) {
                return Err(damaged(seq, "the log up to here is not the one whose head was signed"));
            }
        }
    }
}

fn entries(tables: &dyn Tables, after: u64, contents: bool) -> Result<Vec<Row>, StoreError> {
    let sql = if contents {
        format!(
            "SELECT {} FROM log l LEFT JOIN payload p ON p.seq = l.seq WHERE l.seq > ?1 ORDER BY l.seq LIMIT ?2",
            log::ENTRY_COLUMNS
        )
    } else {
        "SELECT seq, ts, actor, kind, subject, c FROM log WHERE seq > ?1 ORDER BY seq LIMIT ?2".to_owned()
    };
    tables.query(&sql, &[after.into(), PAGE.into()])
}

fn hashes(tables: &dyn Tables, from: u64, to: u64) -> Result<BTreeMap<u64, Hash>, StoreError> {
    tables
        .query("SELECT place, hash FROM hash WHERE place >= ?1 AND place < ?2", &[from.into(), to.into()])?
        .iter()
        .map(|row| Ok((row.number(0)?, row.hash(1)?)))
        .collect()
}

/// The content against its commitment, and what the header says of it against what it says itself.
fn check_content(header: &crate::domain::proof::Header, row: &Row) -> Result<(), StoreError> {
    let json = row.optional_text(6)?.ok_or_else(|| damaged(header.seq, "its content is missing"))?;
    if log::commit(&row.hash(7)?, json) != header.c.0 {
        return Err(damaged(header.seq, "its content is not the one that was committed to"));
    }
    let what = log::content(header.seq, json)?;
    if what.kind() != header.kind || what.subject() != header.subject {
        return Err(damaged(header.seq, "its header does not say what its content says"));
    }
    log::event(header, what).map(drop)
}

/// The error of a column, placed at its entry.
fn within(seq: Seq, error: StoreError) -> StoreError {
    match error {
        StoreError::Damaged { seq: Seq(0), detail } => damaged(seq, detail),
        other => other,
    }
}

/// Derives the tables once more, beside those that are there, and compares them row by row.
fn compare_tables(tables: &dyn Tables) -> Result<(), StoreError> {
    let scratch = sqlite::scratch()?;
    let derived = scratch.tables();
    derived.execute("BEGIN", &[])?;
    projections::create(&derived)?;
    projections::replay(tables, &derived)?;
    for (table, order) in projections::ALL.iter().flat_map(|projection| projection.tables) {
        let sql = format!("SELECT * FROM {table} ORDER BY {order}");
        if fingerprint(tables, &sql)? != fingerprint(&derived, &sql)? {
            return Err(StoreError::TablesDiffer {
                table: (*table).to_owned(),
                row: first_difference(tables, &derived, &sql)?,
            });
        }
    }
    Ok(())
}

fn fingerprint(tables: &dyn Tables, sql: &str) -> Result<Digest, StoreError> {
    let mut hash = sha2::Sha256::new();
    tables.each(sql, &[], &mut |row| {
        hash.update(format!("{:?}\n", row.0));
        Ok(())
    })?;
    Ok(Digest(hash.finalize().into()))
}

/// The first row that only one of the two has, page by page.
fn first_difference(here: &dyn Tables, there: &dyn Tables, sql: &str) -> Result<String, StoreError> {
    let sql = format!("{sql} LIMIT ?1 OFFSET ?2");
    let mut offset = 0;
    loop {
        let page = [PAGE.into(), offset.into()];
        let (here, there) = (here.query(&sql, &page)?, there.query(&sql, &page)?);
        let same = here.iter().zip(&there).take_while(|(here, there)| here == there).count();
        if same < PAGE as usize {
            let row = here.get(same).or_else(|| there.get(same));
            return Ok(shown(row.and_then(|row| row.0.first())));
        }
        offset += PAGE;
    }
}

fn shown(value: Option<&Value>) -> String {
    match value {
        Some(Value::Text(text)) => text.clone(),
        Some(Value::Integer(number)) => number.to_string(),
        Some(Value::Blob(bytes)) => data_encoding::HEXLOWER.encode(bytes),
        Some(Value::Null) | None => "a missing row".to_owned(),
    }
}
