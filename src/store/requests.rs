//! The requests and where they stand, on the holder's home node and on the owner's node alike.

use crate::domain::event::{Event, What};
use crate::domain::ids::{DatasetId, Identity, OpaqueId, Seq};
use crate::domain::negotiation::Request;

use super::Store;
use super::engine::{Expectation, Row, Tables, Value, damaged, text};
use super::error::{AppendError, StoreError};
use super::log;
use super::projections::Projection;

pub(super) const PROJECTION: Projection = Projection {
    schema: "
CREATE TABLE request (
  id TEXT PRIMARY KEY,
  dataset TEXT NOT NULL,
  holder TEXT NOT NULL,
  home TEXT NOT NULL,
  state TEXT NOT NULL,
  final INTEGER NOT NULL,
  made INTEGER NOT NULL,
  moved INTEGER NOT NULL
) STRICT;
CREATE INDEX request_by_holder ON request (holder, made);
CREATE INDEX request_by_dataset ON request (dataset, made);
CREATE INDEX request_by_state ON request (state, made);
",
    tables: &[("request", "id")],
    apply,
};

fn apply(tables: &dyn Tables, seq: Seq, event: &Event) -> Result<(), AppendError> {
    match &event.what {
        What::RequestMade { request } => {
            if state(tables, &request.id)?.is_some() {
                return Err(AppendError::Conflict(Expectation::RequestAbsent(request.id.clone())));
            }
            tables.execute(
                "INSERT INTO request (id, dataset, holder, home, state, final, made, moved)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)",
                &[
                    text(&request.id),
                    text(&request.dataset),
                    text(&request.holder),
                    text(&request.home),
                    request.state.name().into(),
                    Value::Integer(request.state.is_final().into()),
                    seq.into(),
                ],
            )?;
            Ok(())
        }
        What::RequestMoved { request, state: to } => {
            if state(tables, request)?.is_none_or(|(_, is_final)| is_final) {
                return Err(AppendError::Conflict(Expectation::RequestOpen(request.clone())));
            }
            tables.execute(
                "UPDATE request SET state = ?2, final = ?3, moved = ?4 WHERE id = ?1",
                &[text(request), to.name().into(), Value::Integer(to.is_final().into()), seq.into()],
            )?;
            Ok(())
        }
        _ => Ok(()),
    }
}

/// The state's name, and whether it is final.
pub(super) fn state(tables: &dyn Tables, id: &OpaqueId) -> Result<Option<(String, bool)>, StoreError> {
    let row = tables.one("SELECT state, final FROM request WHERE id = ?1", &[text(id)])?;
    row.map(|row| Ok((row.text(0)?.to_owned(), row.number(1)? != 0))).transpose()
}

/// Which requests a list shows. Every part that is given must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RequestFilter {
    /// By this participant.
    pub holder: Option<Identity>,
    /// Forwarded by this node.
    pub home: Option<Identity>,
    /// For this dataset.
    pub dataset: Option<DatasetId>,
    /// For a dataset of this participant that is registered here.
    pub owner: Option<Identity>,
    /// In the state of this name.
    pub state: Option<String>,
}

const COLUMNS: &str = "r.made, p.json, r.moved, m.json";
const JOINS: &str = "LEFT JOIN payload p ON p.seq = r.made
     LEFT JOIN payload m ON m.seq = r.moved AND r.moved <> r.made";

/// The request as it was made, in the state it was last moved to.
fn request(row: &Row) -> Result<(Seq, Request), StoreError> {
    let (made, moved) = (row.seq(0)?, row.seq(2)?);
    let json = row.optional_text(1)?.ok_or_else(|| damaged(made, "its content is missing"))?;
    let mut request = match log::content(made, json)? {
        What::RequestMade { request } => *request,
        other => return Err(damaged(made, format!("it is {} where a request should be", other.kind()))),
    };
    if moved != made {
        let json = row.optional_text(3)?.ok_or_else(|| damaged(moved, "its content is missing"))?;
        request.state = match log::content(moved, json)? {
            What::RequestMoved { state, .. } => state,
            other => return Err(damaged(moved, format!("it is {} where a request's move should be", other.kind()))),
        };
    }
    Ok((made, request))
}

impl Store {
    /// A request as it stands.
    pub async fn request(&self, id: &OpaqueId) -> Result<Option<Request>, StoreError> {
        let id = id.clone();
        self.read(move |tables| {
            let sql = format!("SELECT {COLUMNS} FROM request r {JOINS} WHERE r.id = ?1");
            Ok(tables.one(&sql, &[text(&id)])?.as_ref().map(request).transpose()?.map(|(_, request)| request))
        })
        .await
    }

    /// Requests in the order in which they were made, each with the position of its making; after a position, at most
    /// `limit`.
    pub async fn requests(
        &self,
        filter: &RequestFilter,
        after: Seq,
        limit: usize,
    ) -> Result<Vec<(Seq, Request)>, StoreError> {
        let filter = filter.clone();
        self.read(move |tables| {
            let mut sql = format!("SELECT {COLUMNS} FROM request r {JOINS} WHERE r.made > ?1");
            let mut values = vec![after.into(), (limit as u64).into()];
            let wanted = [
                ("r.holder = #", filter.holder.as_ref().map(text)),
                ("r.home = #", filter.home.as_ref().map(text)),
                ("r.dataset = #", filter.dataset.as_ref().map(text)),
                (
                    "EXISTS (SELECT 1 FROM dataset d WHERE d.id = r.dataset AND d.owner = #)",
                    filter.owner.as_ref().map(text),
                ),
                ("r.state = #", filter.state.as_ref().map(text)),
            ];
            for (condition, value) in wanted {
                if let Some(value) = value {
                    values.push(value);
                    sql.push_str(&format!(" AND {}", condition.replace('#', &format!("?{}", values.len()))));
                }
            }
            sql.push_str(" ORDER BY r.made LIMIT ?2");
            tables.query(&sql, &values)?.iter().map(request).collect()
        })
        .await
    }
}
