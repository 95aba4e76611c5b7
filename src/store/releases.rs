//! The releases: which shard went out under which grant, opened and closed.

use jiff::Timestamp;

use crate::domain::agreement::{Release, ReleaseEnd};
use crate::domain::event::{Event, What};
use crate::domain::ids::{OpaqueId, Seq};

use super::Store;
use super::engine::{Expectation, Row, Tables, damaged, text};
use super::error::{AppendError, StoreError};
use super::log;
use super::projections::Projection;

pub(super) const PROJECTION: Projection = Projection {
    schema: "
CREATE TABLE shard_release (
  id TEXT PRIMARY KEY,
  agreement TEXT NOT NULL,
  opened INTEGER NOT NULL,
  closed INTEGER
) STRICT;
CREATE INDEX shard_release_by_agreement ON shard_release (agreement, opened);
CREATE INDEX shard_release_open ON shard_release (opened) WHERE closed IS NULL;
",
    tables: &[("shard_release", "id")],
    apply,
};

fn apply(tables: &dyn Tables, seq: Seq, event: &Event) -> Result<(), AppendError> {
    match &event.what {
        What::ReleaseOpened { release } => {
            if is_open(tables, &release.id)?.is_some() {
                return Err(AppendError::Conflict(Expectation::ReleaseAbsent(release.id.clone())));
            }
            tables.execute(
                "INSERT INTO shard_release (id, agreement, opened, closed) VALUES (?1, ?2, ?3, NULL)",
                &[text(&release.id), text(&release.agreement), seq.into()],
            )?;
            Ok(())
        }
        What::ReleaseClosed { end } => {
            let changed = tables.execute(
                "UPDATE shard_release SET closed = ?2 WHERE id = ?1 AND closed IS NULL",
                &[text(&end.id), seq.into()],
            )?;
            if changed == 0 {
                return Err(AppendError::Conflict(Expectation::ReleaseOpen(end.id.clone())));
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Whether the release is still open; nothing where there is none.
pub(super) fn is_open(tables: &dyn Tables, id: &OpaqueId) -> Result<Option<bool>, StoreError> {
    let row = tables.one("SELECT closed FROM shard_release WHERE id = ?1", &[text(id)])?;
    row.map(|row| Ok(row.optional_number(0)?.is_none())).transpose()
}

/// A release with its beginning and, once it is over, its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptRelease {
    /// The position of its opening.
    pub seq: Seq,
    /// When it was opened.
    pub opened: Timestamp,
    /// What was released.
    pub release: Release,
    /// How it ended, and when; nothing while it is open.
    pub end: Option<(Timestamp, ReleaseEnd)>,
}

fn kept(tables: &dyn Tables, row: &Row) -> Result<KeptRelease, StoreError> {
    let seq = row.seq(0)?;
    let opening = log::expect(tables, seq)?.event;
    let release = match opening.what {
        What::ReleaseOpened { release } => release,
        other => return Err(damaged(seq, format!("it is {} where a release should be", other.kind()))),
    };
    let end = match row.optional_number(1)?.map(Seq) {
        None => None,
        Some(seq) => {
            let closing = log::expect(tables, seq)?.event;
            match closing.what {
                What::ReleaseClosed { end } => Some((closing.at, end)),
                other => return Err(damaged(seq, format!("it is {} where a release's end should be", other.kind()))),
            }
        }
    };
    Ok(KeptRelease { seq, opened: opening.at, release, end })
}

impl Store {
    /// The releases that were opened and not closed, oldest first: after a crash, those to be closed as `crashed`.
    pub async fn open_releases(&self) -> Result<Vec<Release>, StoreError> {
        self.read(|tables| {
            let rows =
                tables.query("SELECT opened, closed FROM shard_release WHERE closed IS NULL ORDER BY opened", &[])?;
            rows.iter().map(|row| Ok(kept(tables, row)?.release)).collect()
        })
        .await
    }

    /// The releases under an agreement in the order of their opening; after a position, at most `limit`.
    pub async fn releases(
        &self,
        agreement: &OpaqueId,
        after: Seq,
        limit: usize,
    ) -> Result<Vec<KeptRelease>, StoreError> {
        let agreement = agreement.clone();
        self.read(move |tables| {
            let rows = tables.query(
                "SELECT opened, closed FROM shard_release
                 WHERE agreement = ?1 AND opened > ?2 ORDER BY opened LIMIT ?3",
                &[text(&agreement), after.into(), (limit as u64).into()],
            )?;
            rows.iter().map(|row| kept(tables, row)).collect()
        })
        .await
    }
}
