//! The harvests: which runs there were, which one of each source is open, and which sources are paused.
//!
//! That only one run of a source is open is held by the log itself: a second beginning is refused in the same transaction,
//! however many processes write it.

use std::collections::BTreeSet;

use crate::domain::event::{Event, What};
use crate::domain::harvest::HarvestRun;
use crate::domain::ids::{OpaqueId, Seq};

use super::Store;
use super::engine::{Expectation, Row, Tables, damaged, text};
use super::error::{AppendError, StoreError};
use super::log;
use super::projections::Projection;

pub(super) const PROJECTION: Projection = Projection {
    schema: "
CREATE TABLE harvest_run (
  id TEXT PRIMARY KEY,
  source TEXT NOT NULL,
  begun INTEGER NOT NULL,
  ended INTEGER
) STRICT;
CREATE INDEX harvest_run_by_source ON harvest_run (source, begun);
CREATE UNIQUE INDEX harvest_run_open ON harvest_run (source) WHERE ended IS NULL;
CREATE TABLE harvest_paused (
  source TEXT PRIMARY KEY
) STRICT;
",
    tables: &[("harvest_run", "id"), ("harvest_paused", "source")],
    apply,
};

fn apply(tables: &dyn Tables, seq: Seq, event: &Event) -> Result<(), AppendError> {
    match &event.what {
        What::HarvestBegun { run, source, .. } => {
            if !is_idle(tables, source)? {
                return Err(AppendError::Conflict(Expectation::HarvestIdle(source.clone())));
            }
            tables.execute(
                "INSERT INTO harvest_run (id, source, begun, ended) VALUES (?1, ?2, ?3, NULL)",
                &[text(run), source.as_str().into(), seq.into()],
            )?;
        }
        What::HarvestEnded { run, .. } => {
            let changed = tables.execute(
                "UPDATE harvest_run SET ended = ?2 WHERE id = ?1 AND ended IS NULL",
                &[text(run), seq.into()],
            )?;
            if changed == 0 {
                return Err(AppendError::Conflict(Expectation::HarvestOpen(run.clone())));
            }
        }
        What::HarvestPaused { source, paused: true } => {
            tables.execute(
                "INSERT INTO harvest_paused (source) VALUES (?1) ON CONFLICT (source) DO NOTHING",
                &[source.as_str().into()],
            )?;
        }
        What::HarvestPaused { source, paused: false } => {
            tables.execute("DELETE FROM harvest_paused WHERE source = ?1", &[source.as_str().into()])?;
        }
        _ => {}
    }
    Ok(())
}

/// Whether no run of a source is open.
pub(super) fn is_idle(tables: &dyn Tables, source: &str) -> Result<bool, StoreError> {
    Ok(!tables.any("SELECT 1 FROM harvest_run WHERE source = ?1 AND ended IS NULL", &[source.into()])?)
}

/// Whether a run began and did not end.
pub(super) fn is_open(tables: &dyn Tables, run: &OpaqueId) -> Result<bool, StoreError> {
    tables.any("SELECT 1 FROM harvest_run WHERE id = ?1 AND ended IS NULL", &[text(run)])
}

fn run(tables: &dyn Tables, row: &Row) -> Result<HarvestRun, StoreError> {
    let seq = row.seq(0)?;
    let begun = log::expect(tables, seq)?.event;
    let What::HarvestBegun { run, source, owner } = begun.what else {
        return Err(damaged(seq, "it is no beginning of a harvest where one should be"));
    };
    let mut read =
        HarvestRun { id: run, source, owner, begun: begun.at, by: begun.actor.to_string(), ended: None, end: None };
    if let Some(seq) = row.optional_number(1)?.map(Seq) {
        let ended = log::expect(tables, seq)?.event;
        let What::HarvestEnded { end, .. } = ended.what else {
            return Err(damaged(seq, "it is no end of a harvest where one should be"));
        };
        (read.ended, read.end) = (Some(ended.at), Some(*end));
    }
    Ok(read)
}

impl Store {
    /// The runs of a source, newest first, at most `limit`.
    pub async fn harvest_runs(&self, source: &str, limit: usize) -> Result<Vec<HarvestRun>, StoreError> {
        let source = source.to_owned();
        self.read(move |tables| {
            let sql = "SELECT begun, ended FROM harvest_run WHERE source = ?1 ORDER BY begun DESC LIMIT ?2";
            let rows = tables.query(sql, &[source.as_str().into(), (limit as u64).into()])?;
            rows.iter().map(|row| run(tables, row)).collect()
        })
        .await
    }

    /// A run.
    pub async fn harvest_run(&self, id: &OpaqueId) -> Result<Option<HarvestRun>, StoreError> {
        let id = id.clone();
        self.read(move |tables| {
            let row = tables.one("SELECT begun, ended FROM harvest_run WHERE id = ?1", &[text(&id)])?;
            row.map(|row| run(tables, &row)).transpose()
        })
        .await
    }

    /// Every run that began and did not end.
    pub async fn open_harvest_runs(&self) -> Result<Vec<HarvestRun>, StoreError> {
        self.read(|tables| {
            let rows = tables.query("SELECT begun, ended FROM harvest_run WHERE ended IS NULL ORDER BY begun", &[])?;
            rows.iter().map(|row| run(tables, row)).collect()
        })
        .await
    }

    /// The sources that are paused.
    pub async fn paused_harvests(&self) -> Result<BTreeSet<String>, StoreError> {
        self.read(|tables| {
            let rows = tables.query("SELECT source FROM harvest_paused", &[])?;
            rows.iter().map(|row| row.text(0).map(str::to_owned)).collect()
        })
        .await
    }
}
