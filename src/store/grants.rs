//! The grants: which certificate may pull under which agreement, and until when.

use crate::domain::agreement::GrantRow;
use crate::domain::event::{Event, What};
use crate::domain::ids::{OpaqueId, Seq};

use super::Store;
use super::engine::{Expectation, Tables, damaged, text};
use super::error::{AppendError, StoreError};
use super::log;
use super::projections::Projection;

pub(super) const PROJECTION: Projection = Projection {
    schema: "
CREATE TABLE access_grant (
  id TEXT PRIMARY KEY,
  agreement TEXT NOT NULL,
  issued INTEGER NOT NULL
) STRICT;
CREATE INDEX access_grant_by_agreement ON access_grant (agreement, issued);
",
    tables: &[("access_grant", "id")],
    apply,
};

fn apply(tables: &dyn Tables, seq: Seq, event: &Event) -> Result<(), AppendError> {
    let What::GrantIssued { grant } = &event.what else { return Ok(()) };
    if exists(tables, &grant.id)? {
        return Err(AppendError::Conflict(Expectation::GrantAbsent(grant.id.clone())));
    }
    tables.execute(
        "INSERT INTO access_grant (id, agreement, issued) VALUES (?1, ?2, ?3)",
        &[text(&grant.id), text(&grant.agreement), seq.into()],
    )?;
    Ok(())
}

pub(super) fn exists(tables: &dyn Tables, id: &OpaqueId) -> Result<bool, StoreError> {
    tables.any("SELECT 1 FROM access_grant WHERE id = ?1", &[text(id)])
}

fn grant(tables: &dyn Tables, seq: Seq) -> Result<GrantRow, StoreError> {
    match log::expect(tables, seq)?.event.what {
        What::GrantIssued { grant } => Ok(*grant),
        other => Err(damaged(seq, format!("it is {} where a grant should be", other.kind()))),
    }
}

impl Store {
    /// A grant; whether its time is over, and whether its agreement still holds, is the caller's to judge.
    pub async fn grant(&self, id: &OpaqueId) -> Result<Option<GrantRow>, StoreError> {
        let id = id.clone();
        self.read(move |tables| {
            let row = tables.one("SELECT issued FROM access_grant WHERE id = ?1", &[text(&id)])?;
            row.map(|row| grant(tables, row.seq(0)?)).transpose()
        })
        .await
    }

    /// The grants under an agreement in the order in which they were made, each with its position; after a position, at
    /// most `limit`.
    pub async fn grants(
        &self,
        agreement: &OpaqueId,
        after: Seq,
        limit: usize,
    ) -> Result<Vec<(Seq, GrantRow)>, StoreError> {
        let agreement = agreement.clone();
        self.read(move |tables| {
            let rows = tables.query(
                "SELECT issued FROM access_grant WHERE agreement = ?1 AND issued > ?2 ORDER BY issued LIMIT ?3",
                &[text(&agreement), after.into(), (limit as u64).into()],
            )?;
            rows.iter().map(|row| row.seq(0).and_then(|seq| Ok((seq, grant(tables, seq)?)))).collect()
        })
        .await
    }
}
