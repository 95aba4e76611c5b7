//! Leases: who alone may do a job (sign a checkpoint, close what has expired) when several processes share one log.
//!
//! A lease is no event: it says nothing that anybody must prove later. Its fencing token grows with every new holder and
//! is checked in the transaction of the write it protects, so that a holder who slept through its time changes nothing.

use jiff::{SignedDuration, Timestamp};

use super::Store;
use super::engine::{FencingToken, Tables, text};
use super::error::StoreError;

/// The token under which the lease was last taken.
pub(super) fn token(tables: &dyn Tables, name: &str) -> Result<Option<FencingToken>, StoreError> {
    let row = tables.one("SELECT token FROM lease WHERE name = ?1", &[name.into()])?;
    row.map(|row| row.number(0).map(FencingToken)).transpose()
}

fn take(
    tables: &dyn Tables,
    name: &str,
    holder: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<FencingToken>, StoreError> {
    let last = tables.one("SELECT holder, token, until FROM lease WHERE name = ?1", &[name.into()])?;
    let token = match last {
        None => 1,
        Some(row) if row.text(0)? == holder && row.parse::<Timestamp>(2)? > now => row.number(1)?,
        Some(row) if row.parse::<Timestamp>(2)? <= now => row.number(1)? + 1,
        Some(_) => return Ok(None),
    };
    tables.execute(
        "INSERT INTO lease (name, holder, token, until) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, token = excluded.token, until = excluded.until",
        &[name.into(), holder.into(), token.into(), text(&until)],
    )?;
    Ok(Some(FencingToken(token)))
}

impl Store {
    /// Takes or renews a lease for `ttl` from `now`: its fencing token, or nothing while somebody else holds it. A holder
    /// that renews in time keeps its token.
    pub async fn lease(
        &self,
        name: &str,
        holder: &str,
        now: Timestamp,
        ttl: SignedDuration,
    ) -> Result<Option<FencingToken>, StoreError> {
        let (name, holder) = (name.to_owned(), holder.to_owned());
        let until = now.checked_add(ttl).unwrap_or(Timestamp::MAX);
        self.write(move |tables| take(tables, &name, &holder, now, until)).await
    }
}
