//! The agreements that were concluded here or whose copy is kept here.

use crate::domain::agreement::Agreement;
use crate::domain::event::{Event, What};
use crate::domain::ids::{DatasetId, Identity, OpaqueId, Seq};

use super::Store;
use super::engine::{Expectation, Row, Tables, damaged, text};
use super::error::{AppendError, StoreError};
use super::log;
use super::projections::Projection;

pub(super) const PROJECTION: Projection = Projection {
    schema: "
CREATE TABLE agreement (
  id TEXT PRIMARY KEY,
  request TEXT NOT NULL UNIQUE,
  dataset TEXT NOT NULL,
  owner TEXT NOT NULL,
  holder TEXT NOT NULL,
  concluded INTEGER NOT NULL,
  ended INTEGER
) STRICT;
CREATE INDEX agreement_by_holder ON agreement (holder, concluded);
CREATE INDEX agreement_by_owner ON agreement (owner, concluded);
CREATE INDEX agreement_by_dataset ON agreement (dataset, concluded);
",
    tables: &[("agreement", "id")],
    apply,
};

fn apply(tables: &dyn Tables, seq: Seq, event: &Event) -> Result<(), AppendError> {
    match &event.what {
        What::AgreementConcluded { agreement } => {
            let taken = tables.any(
                "SELECT 1 FROM agreement WHERE id = ?1 OR request = ?2",
                &[text(&agreement.id), text(&agreement.request)],
            )?;
            if taken {
                return Err(AppendError::Conflict(Expectation::AgreementAbsent(agreement.id.clone())));
            }
            tables.execute(
                "INSERT INTO agreement (id, request, dataset, owner, holder, concluded, ended)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, NULL)",
                &[
                    text(&agreement.id),
                    text(&agreement.request),
                    text(&agreement.dataset),
                    text(&agreement.owner),
                    text(&agreement.holder),
                    seq.into(),
                ],
            )?;
            Ok(())
        }
        What::AgreementEnded { agreement, .. } => {
            let changed = tables.execute(
                "UPDATE agreement SET ended = ?2 WHERE id = ?1 AND ended IS NULL",
                &[text(agreement), seq.into()],
            )?;
            if changed == 0 {
                return Err(AppendError::Conflict(Expectation::AgreementInForce(agreement.clone())));
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

pub(super) fn exists(tables: &dyn Tables, id: &OpaqueId) -> Result<bool, StoreError> {
    tables.any("SELECT 1 FROM agreement WHERE id = ?1", &[text(id)])
}

pub(super) fn is_in_force(tables: &dyn Tables, id: &OpaqueId) -> Result<bool, StoreError> {
    tables.any("SELECT 1 FROM agreement WHERE id = ?1 AND ended IS NULL", &[text(id)])
}

/// Which agreements a list shows. Every part that is given must hold; whether one's time is over is the caller's to judge.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AgreementFilter {
    /// By which this participant may have something.
    pub holder: Option<Identity>,
    /// By which this participant lets somebody have something.
    pub owner: Option<Identity>,
    /// About this dataset.
    pub dataset: Option<DatasetId>,
    /// That answers this request.
    pub request: Option<OpaqueId>,
}

const COLUMNS: &str = "a.concluded, p.json, a.ended, e.json";
const JOINS: &str = "LEFT JOIN payload p ON p.seq = a.concluded LEFT JOIN payload e ON e.seq = a.ended";

/// The agreement as it was concluded, with its early end where it has one.
fn agreement(row: &Row) -> Result<(Seq, Agreement), StoreError> {
    let concluded = row.seq(0)?;
    let json = row.optional_text(1)?.ok_or_else(|| damaged(concluded, "its content is missing"))?;
    let mut agreement = match log::content(concluded, json)? {
        What::AgreementConcluded { agreement } => *agreement,
        other => return Err(damaged(concluded, format!("it is {} where an agreement should be", other.kind()))),
    };
    if let Some(seq) = row.optional_number(2)?.map(Seq) {
        let json = row.optional_text(3)?.ok_or_else(|| damaged(seq, "its content is missing"))?;
        agreement.ended = match log::content(seq, json)? {
            What::AgreementEnded { ended, .. } => Some(ended),
            other => return Err(damaged(seq, format!("it is {} where an end should be", other.kind()))),
        };
    }
    Ok((concluded, agreement))
}

impl Store {
    /// An agreement as it stands.
    pub async fn agreement(&self, id: &OpaqueId) -> Result<Option<Agreement>, StoreError> {
        let id = id.clone();
        self.read(move |tables| {
            let sql = format!("SELECT {COLUMNS} FROM agreement a {JOINS} WHERE a.id = ?1");
            Ok(tables.one(&sql, &[text(&id)])?.as_ref().map(agreement).transpose()?.map(|(_, agreement)| agreement))
        })
        .await
    }

    /// Agreements in the order in which they were concluded, each with the position of its conclusion; after a position,
    /// at most `limit`.
    pub async fn agreements(
        &self,
        filter: &AgreementFilter,
        after: Seq,
        limit: usize,
    ) -> Result<Vec<(Seq, Agreement)>, StoreError> {
        let filter = filter.clone();
        self.read(move |tables| {
            let mut sql = format!("SELECT {COLUMNS} FROM agreement a {JOINS} WHERE a.concluded > ?1");
            let mut values = vec![after.into(), (limit as u64).into()];
            let wanted = [
                ("holder", filter.holder.as_ref().map(text)),
                ("owner", filter.owner.as_ref().map(text)),
                ("dataset", filter.dataset.as_ref().map(text)),
                ("request", filter.request.as_ref().map(text)),
            ];
            for (column, value) in wanted {
                if let Some(value) = value {
                    values.push(value);
                    sql.push_str(&format!(" AND a.{column} = ?{}", values.len()));
                }
            }
            sql.push_str(" ORDER BY a.concluded LIMIT ?2");
            tables.query(&sql, &values)?.iter().map(agreement).collect()
        })
        .await
    }
}
