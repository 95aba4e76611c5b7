//! From a certificate to who presents it.
//!
//! A certificate of the federation carries exactly one URI in its subject alternative names, and that URI is the
//! identity. None, or two, is nobody: a verifier that picked one of two names could be made to pick the wrong one.

use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use rustls_pki_types::CertificateDer;
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

use crate::domain::ids::{Digest, Identity, InvalidName};

/// Why a certificate names nobody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// The bytes are not a certificate.
    #[error("the certificate cannot be read: {0}")]
    Unreadable(String),
    /// There is no URI among its names, or there are several.
    #[error("the certificate carries {0} URI names; exactly one is allowed")]
    UriNames(usize),
    /// The one URI is not an identity.
    #[error("the certificate's name is refused: {0}")]
    Name(#[from] InvalidName),
}

/// A certificate that somebody presented, read once and kept with the connection.
#[derive(Debug)]
pub struct Presented {
    /// Whose it is.
    pub identity: Identity,
    /// The SHA-256 digest of the whole certificate.
    pub fingerprint: Digest,
    /// The serial number, big-endian, as revocation lists carry it.
    pub serial: Vec<u8>,
    /// The moment from which it is valid.
    pub not_before: Timestamp,
    /// The moment after which it is not valid.
    pub not_after: Timestamp,
    der: CertificateDer<'static>,
    verified_under: AtomicU64,
}

impl Presented {
    /// Reads a certificate; this says who it claims to be, not that the claim is true.
    pub fn read(der: &CertificateDer<'_>) -> Result<Self, IdentityError> {
        let unreadable = |reason: String| IdentityError::Unreadable(reason);
        let (rest, parsed) = X509Certificate::from_der(der).map_err(|error| unreadable(error.to_string()))?;
        if !rest.is_empty() {
            return Err(unreadable("bytes follow it".to_owned()));
        }
        let names = parsed.subject_alternative_name().map_err(|error| unreadable(error.to_string()))?;
        let uris: Vec<&str> = names
            .iter()
            .flat_map(|names| &names.value.general_names)
            .filter_map(|name| if let GeneralName::URI(uri) = name { Some(*uri) } else { None })
            .collect();
        // A name that the parser could not read may be a URI too.
        let hidden =
            names.iter().flat_map(|names| &names.value.general_names).any(|n| matches!(n, GeneralName::Invalid(..)));
        if hidden {
            return Err(unreadable("one of its names is not valid".to_owned()));
        }
        let [uri] = uris[..] else { return Err(IdentityError::UriNames(uris.len())) };
        let moment = |seconds: i64| {
            Timestamp::from_second(seconds).map_err(|_| unreadable("its validity is out of range".to_owned()))
        };
        Ok(Self {
            identity: uri.parse()?,
            fingerprint: Digest::of(der),
            serial: parsed.raw_serial().to_vec(),
            not_before: moment(parsed.validity().not_before.timestamp())?,
            not_after: moment(parsed.validity().not_after.timestamp())?,
            der: der.clone().into_owned(),
            verified_under: AtomicU64::new(0),
        })
    }

    /// The certificate itself.
    pub fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    /// Whether its path was already verified under this generation of the trust list.
    pub(super) fn was_verified_under(&self, generation: u64) -> bool {
        self.verified_under.load(Ordering::Acquire) == generation
    }

    /// Remembers that its path was verified under this generation of the trust list.
    pub(super) fn remember_verified_under(&self, generation: u64) {
        self.verified_under.store(generation, Ordering::Release);
    }
}
