//! What was accepted and revoked in matters of trust: the last peer file of each domain, and the certificates that this
//! node's CA took back.

use jiff::Timestamp;

use crate::domain::event::{Event, What};
use crate::domain::ids::{Digest, Identity, Seq, TrustDomain};

use super::Store;
use super::engine::{Expectation, Tables, damaged, text};
use super::error::{AppendError, StoreError};
use super::log;
use super::projections::Projection;

pub(super) const PROJECTION: Projection = Projection {
    schema: "
CREATE TABLE peer_file (
  domain TEXT PRIMARY KEY,
  number INTEGER NOT NULL,
  digest BLOB NOT NULL,
  accepted INTEGER NOT NULL
) STRICT;
CREATE TABLE revoked_certificate (
  fingerprint BLOB PRIMARY KEY,
  revoked INTEGER NOT NULL
) STRICT;
",
    tables: &[("peer_file", "domain"), ("revoked_certificate", "fingerprint")],
    apply,
};

fn apply(tables: &dyn Tables, seq: Seq, event: &Event) -> Result<(), AppendError> {
    match &event.what {
        What::PeerFileAccepted { domain, number, digest } => {
            if last_number(tables, domain)?.is_some_and(|last| last >= *number) {
                return Err(AppendError::Conflict(Expectation::PeerFileNewer(domain.clone(), *number)));
            }
            tables.execute(
                "INSERT INTO peer_file (domain, number, digest, accepted) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (domain) DO UPDATE SET number = excluded.number, digest = excluded.digest,
                   accepted = excluded.accepted",
                &[text(domain), (*number).into(), digest.0.as_slice().into(), seq.into()],
            )?;
            Ok(())
        }
        What::CertificateRevoked { fingerprint, .. } => {
            tables.execute(
                "INSERT INTO revoked_certificate (fingerprint, revoked) VALUES (?1, ?2)
                 ON CONFLICT (fingerprint) DO NOTHING",
                &[fingerprint.0.as_slice().into(), seq.into()],
            )?;
            Ok(())
        }
        _ => Ok(()),
    }
}

/// The number of the last peer file that was accepted for a domain.
pub(super) fn last_number(tables: &dyn Tables, domain: &TrustDomain) -> Result<Option<u64>, StoreError> {
    let row = tables.one("SELECT number FROM peer_file WHERE domain = ?1", &[text(domain)])?;
    row.map(|row| row.number(0)).transpose()
}

/// A certificate that was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevokedCertificate {
    /// Whose it was.
    pub identity: Identity,
    /// Its SHA-256 fingerprint.
    pub fingerprint: Digest,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

impl Store {
    /// The number and digest of the last peer file that was accepted for a domain; only a higher number may follow.
    pub async fn peer_file(&self, domain: &TrustDomain) -> Result<Option<(u64, Digest)>, StoreError> {
        let domain = domain.clone();
        self.read(move |tables| {
            let row = tables.one("SELECT number, digest FROM peer_file WHERE domain = ?1", &[text(&domain)])?;
            row.map(|row| Ok((row.number(0)?, Digest(row.hash(1)?)))).transpose()
        })
        .await
    }

    /// The certificates that this node's CA took back, oldest first.
    pub async fn revoked_certificates(&self) -> Result<Vec<RevokedCertificate>, StoreError> {
        self.read(|tables| {
            let rows = tables.query("SELECT revoked FROM revoked_certificate ORDER BY revoked", &[])?;
            rows.iter()
                .map(|row| {
                    let seq = row.seq(0)?;
                    let event = log::expect(tables, seq)?.event;
                    match event.what {
                        What::CertificateRevoked { identity, fingerprint, reason } => {
                            Ok(RevokedCertificate { identity, fingerprint, reason, at: event.at })
                        }
                        other => Err(damaged(seq, format!("it is {} where a revocation should be", other.kind()))),
                    }
                })
                .collect()
        })
        .await
    }
}
