//! What a CA remembers: every certificate that it issued, and every one that it took back.
//!
//! Two files of one JSON object a line. They are replaced whole, so a crash leaves the old or the new, and a line that
//! cannot be read is an error and never skipped: a forgotten revocation would be a certificate in force.

use std::collections::BTreeSet;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::ids::{Digest, Identity};
use crate::keys::{KeyFileError, files};

/// The file of what was issued, in the folder of the keys.
pub(super) const ISSUED: &str = "issued.jsonl";
/// The file of what was taken back.
pub(super) const REVOKED: &str = "revoked.jsonl";

/// A certificate that the CA issued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    /// The serial number, in hexadecimal.
    pub serial: String,
    /// The SHA-256 digest of the certificate.
    pub fingerprint: Digest,
    /// Whose it is.
    pub identity: Identity,
    /// When it was signed.
    pub at: Timestamp,
    /// When it runs out.
    pub not_after: Timestamp,
}

/// Why a certificate was revoked (RFC 5280, section 5.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// No reason is given.
    Unspecified,
    /// Somebody else may have the private key.
    KeyCompromise,
    /// The holder left, or changed its name.
    AffiliationChanged,
    /// A newer certificate replaced it.
    Superseded,
    /// The holder stopped.
    CessationOfOperation,
    /// The right to it was taken away.
    PrivilegeWithdrawn,
}

impl Reason {
    /// The reason as a revocation list spells it.
    pub(super) fn code(self) -> rcgen::RevocationReason {
        match self {
            Self::Unspecified => rcgen::RevocationReason::Unspecified,
            Self::KeyCompromise => rcgen::RevocationReason::KeyCompromise,
            Self::AffiliationChanged => rcgen::RevocationReason::AffiliationChanged,
            Self::Superseded => rcgen::RevocationReason::Superseded,
            Self::CessationOfOperation => rcgen::RevocationReason::CessationOfOperation,
            Self::PrivilegeWithdrawn => rcgen::RevocationReason::PrivilegeWithdrawn,
        }
    }
}

/// A certificate that the CA took back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoked {
    /// The serial number, in hexadecimal.
    pub serial: String,
    /// The SHA-256 digest of the certificate.
    pub fingerprint: Digest,
    /// Whose it was.
    pub identity: Identity,
    /// When it was revoked.
    pub at: Timestamp,
    /// Why.
    pub reason: Reason,
}

/// Which certificates to revoke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// The one with that digest.
    Fingerprint(Digest),
    /// The one with that serial number, in hexadecimal.
    Serial(String),
    /// Every one of that identity that has not run out.
    Identity(Identity),
}

/// How long a revoked certificate is still listed after it ran out by itself: longer than any list is valid, so that no
/// reader ever sees it on neither side.
const LISTED_AFTER_END: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Those revoked certificates that lists have to name at this moment; one that is not among the issued ones counts as
/// in force for ever.
pub(super) fn listed(revoked: Vec<Revoked>, issued: &[Issued], now: Timestamp) -> Vec<Revoked> {
    let ended: BTreeSet<Digest> = issued
        .iter()
        .filter(|one| now.duration_since(one.not_after) > LISTED_AFTER_END)
        .map(|one| one.fingerprint)
        .collect();
    revoked.into_iter().filter(|one| !ended.contains(&one.fingerprint)).collect()
}

/// Reads one of the files; one that is not there is empty.
pub(super) fn read_lines<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<Vec<T>, KeyFileError> {
    let bytes = match files::read(path, 64 << 20) {
        Err(KeyFileError::Missing { .. }) => return Ok(Vec::new()),
        other => other?,
    };
    let mut lines = Vec::new();
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if line.is_empty() {
            continue;
        }
        lines.push(serde_json::from_slice(line).map_err(|error| KeyFileError::Malformed {
            path: path.to_owned(),
            reason: format!("line {}: {error}", index + 1),
        })?);
    }
    Ok(lines)
}

/// Replaces one of the files.
pub(super) fn write_lines<T: Serialize>(path: &Path, lines: &[T]) -> Result<(), KeyFileError> {
    let mut text = String::new();
    for line in lines {
        let line = serde_json::to_string(line)
            .map_err(|error| KeyFileError::Malformed { path: path.to_owned(), reason: error.to_string() })?;
        text.push_str(&line);
        text.push('\n');
    }
    files::replace(path, text.as_bytes(), files::PUBLIC)
}
