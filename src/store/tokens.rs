//! The API tokens: what is kept of them, and which were revoked.

use jiff::Timestamp;

use crate::domain::event::{Event, TokenRow, What};
use crate::domain::ids::{Digest, OpaqueId, Seq};

use super::Store;
use super::engine::{Expectation, Tables, damaged, text};
use super::error::{AppendError, StoreError};
use super::log;
use super::projections::Projection;

pub(super) const PROJECTION: Projection = Projection {
    schema: "
CREATE TABLE token (
  id TEXT PRIMARY KEY,
  hash BLOB NOT NULL UNIQUE,
  made INTEGER NOT NULL,
  revoked INTEGER
) STRICT;
",
    tables: &[("token", "id")],
    apply,
};

fn apply(tables: &dyn Tables, seq: Seq, event: &Event) -> Result<(), AppendError> {
    match &event.what {
        What::TokenMade { token } => {
            let hash = token.hash.0.as_slice();
            if tables.any("SELECT 1 FROM token WHERE id = ?1 OR hash = ?2", &[text(&token.id), hash.into()])? {
                return Err(AppendError::Conflict(Expectation::TokenAbsent(token.id.clone())));
            }
            tables.execute(
                "INSERT INTO token (id, hash, made, revoked) VALUES (?1, ?2, ?3, NULL)",
                &[text(&token.id), hash.into(), seq.into()],
            )?;
            Ok(())
        }
        What::TokenRevoked { token } => {
            let changed = tables.execute(
                "UPDATE token SET revoked = ?2 WHERE id = ?1 AND revoked IS NULL",
                &[text(token), seq.into()],
            )?;
            if changed == 0 {
                return Err(AppendError::Conflict(Expectation::TokenInForce(token.clone())));
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

pub(super) fn exists(tables: &dyn Tables, id: &OpaqueId) -> Result<bool, StoreError> {
    tables.any("SELECT 1 FROM token WHERE id = ?1", &[text(id)])
}

pub(super) fn is_in_force(tables: &dyn Tables, id: &OpaqueId) -> Result<bool, StoreError> {
    tables.any("SELECT 1 FROM token WHERE id = ?1 AND revoked IS NULL", &[text(id)])
}

/// A token with what happened to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptToken {
    /// What is kept of it.
    pub token: TokenRow,
    /// When it was made.
    pub made: Timestamp,
    /// When it was revoked, where it was.
    pub revoked: Option<Timestamp>,
}

fn token(tables: &dyn Tables, seq: Seq) -> Result<(Timestamp, TokenRow), StoreError> {
    let event = log::expect(tables, seq)?.event;
    match event.what {
        What::TokenMade { token } => Ok((event.at, token)),
        other => Err(damaged(seq, format!("it is {} where a token should be", other.kind()))),
    }
}

impl Store {
    /// The token whose secret has this hash, unless it was revoked. Whether its time is over is the caller's to judge.
    pub async fn token_by_hash(&self, hash: &Digest) -> Result<Option<TokenRow>, StoreError> {
        let hash = hash.0;
        self.read(move |tables| {
            let row =
                tables.one("SELECT made FROM token WHERE hash = ?1 AND revoked IS NULL", &[hash.as_slice().into()])?;
            row.map(|row| Ok(token(tables, row.seq(0)?)?.1)).transpose()
        })
        .await
    }

    /// Every token that was ever made, oldest first.
    pub async fn tokens(&self) -> Result<Vec<KeptToken>, StoreError> {
        self.read(|tables| {
            let rows = tables
                .query("SELECT t.made, l.ts FROM token t LEFT JOIN log l ON l.seq = t.revoked ORDER BY t.made", &[])?;
            rows.iter()
                .map(|row| {
                    let (made, token) = token(tables, row.seq(0)?)?;
                    let revoked = row.optional_text(1)?.is_some().then(|| row.parse(1)).transpose()?;
                    Ok(KeptToken { token, made, revoked })
                })
                .collect()
        })
        .await
    }
}
