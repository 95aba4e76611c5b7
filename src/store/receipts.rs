//! The receipts that holders sent back or that are kept for them.

use crate::domain::agreement::Receipt;
use crate::domain::event::{Event, What};
use crate::domain::ids::{DatasetId, OpaqueId, Seq};

use super::Store;
use super::engine::{Expectation, Tables, damaged, text};
use super::error::{AppendError, StoreError};
use super::log;
use super::projections::Projection;

pub(super) const PROJECTION: Projection = Projection {
    schema: "
CREATE TABLE receipt (
  id TEXT PRIMARY KEY,
  agreement TEXT NOT NULL,
  dataset TEXT NOT NULL,
  kept INTEGER NOT NULL
) STRICT;
CREATE INDEX receipt_by_agreement ON receipt (agreement, kept);
CREATE INDEX receipt_by_dataset ON receipt (dataset, kept);
",
    tables: &[("receipt", "id")],
    apply,
};

fn apply(tables: &dyn Tables, seq: Seq, event: &Event) -> Result<(), AppendError> {
    let What::ReceiptKept { receipt } = &event.what else { return Ok(()) };
    if exists(tables, &receipt.id)? {
        return Err(AppendError::Conflict(Expectation::ReceiptAbsent(receipt.id.clone())));
    }
    tables.execute(
        "INSERT INTO receipt (id, agreement, dataset, kept) VALUES (?1, ?2, ?3, ?4)",
        &[text(&receipt.id), text(&receipt.agreement), text(&receipt.dataset), seq.into()],
    )?;
    Ok(())
}

pub(super) fn exists(tables: &dyn Tables, id: &OpaqueId) -> Result<bool, StoreError> {
    tables.any("SELECT 1 FROM receipt WHERE id = ?1", &[text(id)])
}

/// Which receipts a list shows. Every part that is given must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReceiptFilter {
    /// Under this agreement.
    pub agreement: Option<OpaqueId>,
    /// Of this dataset.
    pub dataset: Option<DatasetId>,
}

fn receipt(tables: &dyn Tables, seq: Seq) -> Result<Receipt, StoreError> {
    match log::expect(tables, seq)?.event.what {
        What::ReceiptKept { receipt } => Ok(*receipt),
        other => Err(damaged(seq, format!("it is {} where a receipt should be", other.kind()))),
    }
}

impl Store {
    /// A receipt.
    pub async fn receipt(&self, id: &OpaqueId) -> Result<Option<Receipt>, StoreError> {
        let id = id.clone();
        self.read(move |tables| {
            let row = tables.one("SELECT kept FROM receipt WHERE id = ?1", &[text(&id)])?;
            row.map(|row| receipt(tables, row.seq(0)?)).transpose()
        })
        .await
    }

    /// Receipts in the order in which they were kept, each with its position; after a position, at most `limit`.
    pub async fn receipts(
        &self,
        filter: &ReceiptFilter,
        after: Seq,
        limit: usize,
    ) -> Result<Vec<(Seq, Receipt)>, StoreError> {
        let filter = filter.clone();
        self.read(move |tables| {
            let mut sql = "SELECT kept FROM receipt WHERE kept > ?1".to_owned();
            let mut values = vec![after.into(), (limit as u64).into()];
            let wanted =
                [("agreement", filter.agreement.as_ref().map(text)), ("dataset", filter.dataset.as_ref().map(text))];
            for (column, value) in wanted {
                if let Some(value) = value {
                    values.push(value);
                    sql.push_str(&format!(" AND {column} = ?{}", values.len()));
                }
            }
            sql.push_str(" ORDER BY kept LIMIT ?2");
            let rows = tables.query(&sql, &values)?;
            rows.iter().map(|row| row.seq(0).and_then(|seq| Ok((seq, receipt(tables, seq)?)))).collect()
        })
        .await
    }
}
