//! Whether one member state's own CAs vouch for a certificate.
//!
//! [`Authorities`] are the CA certificates and revocation lists of one trust domain and of no other; who calls
//! [`Authorities::verify`] has chosen the domain from the certificate's name *before* a path is built, so one state's CA
//! can never speak for another. A leaf is signed by one of the listed CAs directly: intermediates that a peer sends are
//! not looked at. There is no way to leave revocation out: no list at all refuses.

use jiff::Timestamp;
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, TrustAnchor, UnixTime};
use webpki::{
    BorrowedCertRevocationList, CertRevocationList, EndEntityCert, ExpirationPolicy, KeyUsage, RevocationCheckDepth,
    RevocationOptionsBuilder, UnknownStatusPolicy, anchor_from_trusted_cert,
};
use x509_parser::prelude::{CertificateRevocationList, FromDer as _, X509Certificate};

/// What a certificate is used for in a handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usage {
    /// It authenticates the caller.
    Client,
    /// It authenticates the one who is called.
    Server,
}

impl Usage {
    /// The extended key usage that must stand in the certificate: id-kp-clientAuth or id-kp-serverAuth.
    fn key_usage(self) -> KeyUsage {
        match self {
            Self::Client => KeyUsage::required(&[43, 6, 1, 5, 5, 7, 3, 2]),
            Self::Server => KeyUsage::required(&[43, 6, 1, 5, 5, 7, 3, 1]),
        }
    }
}

/// Why CA certificates or revocation lists could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthoritiesError {
    /// A CA certificate cannot be read or is not one of a CA.
    #[error("CA certificate {number}: {reason}")]
    Certificate {
        /// Its place in the list, from 1.
        number: usize,
        /// What is wrong.
        reason: String,
    },
    /// A revocation list cannot be read.
    #[error("revocation list {number}: {reason}")]
    RevocationList {
        /// Its place in the list, from 1.
        number: usize,
        /// What is wrong.
        reason: String,
    },
    /// There is no CA certificate.
    #[error("there is no CA certificate")]
    None,
}

/// Why a certificate was not accepted by its domain's authorities.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// The domain offers no revocation list.
    #[error("its domain offers no revocation list")]
    NoRevocationList,
    /// A revocation list is past its next update.
    #[error("its domain's revocation list ran out at {0}")]
    StaleRevocationList(Timestamp),
    /// It is revoked.
    #[error("it is revoked")]
    Revoked,
    /// It is past its end.
    #[error("it expired")]
    Expired,
    /// Its time has not come.
    #[error("it is not valid yet")]
    NotYetValid,
    /// No CA of its domain signed it.
    #[error("no CA of its domain signed it")]
    UnknownIssuer,
    /// It is not meant for this use.
    #[error("it is not meant for this use (extended key usage)")]
    Usage,
    /// Anything else that the path builder found.
    #[error("it is not valid: {0}")]
    Other(String),
}

/// The CA certificates and revocation lists of one trust domain.
#[derive(Debug)]
pub struct Authorities {
    anchors: Vec<(TrustAnchor<'static>, Timestamp)>,
    crls: Vec<CertRevocationList<'static>>,
    crl_next_update: Option<Timestamp>,
}

impl Authorities {
    /// Reads CA certificates and revocation lists, both DER.
    pub fn read<C: AsRef<[u8]>, L: AsRef<[u8]>>(ca: &[C], crls: &[L]) -> Result<Self, AuthoritiesError> {
        if ca.is_empty() {
            return Err(AuthoritiesError::None);
        }
        let anchors = ca
            .iter()
            .enumerate()
            .map(|(index, der)| {
                read_anchor(der.as_ref()).map_err(|reason| AuthoritiesError::Certificate { number: index + 1, reason })
            })
            .collect::<Result<_, _>>()?;
        let lists = crls
            .iter()
            .enumerate()
            .map(|(index, der)| {
                read_crl(der.as_ref()).map_err(|reason| AuthoritiesError::RevocationList { number: index + 1, reason })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let crl_next_update = lists.iter().map(|(_, next_update)| *next_update).min();
        Ok(Self { anchors, crls: lists.into_iter().map(|(list, _)| list).collect(), crl_next_update })
    }

    /// The moment at which the first of the revocation lists runs out; `None` when there is none.
    pub fn crl_next_update(&self) -> Option<Timestamp> {
        self.crl_next_update
    }

    /// Whether the revocation lists can be relied on, and do not name this serial number.
    pub fn check_revocation(&self, serial: &[u8], now: Timestamp) -> Result<(), PathError> {
        let next_update = self.crl_next_update.ok_or(PathError::NoRevocationList)?;
        if now >= next_update {
            return Err(PathError::StaleRevocationList(next_update));
        }
        for crl in &self.crls {
            match crl.find_serial(serial) {
                Ok(None) => {}
                Ok(Some(_)) => return Err(PathError::Revoked),
                Err(error) => return Err(PathError::Other(error.to_string())),
            }
        }
        Ok(())
    }

    /// Whether one of these authorities signed the leaf directly, for this use, and it stands at this moment.
    pub fn verify(&self, leaf: &CertificateDer<'_>, usage: Usage, now: Timestamp) -> Result<(), PathError> {
        self.verify_with(leaf, usage, now, Staleness::Refuse)
    }

    /// As [`Authorities::verify`], but a revocation list that ran out is still read. Only for fetching a newer peer
    /// file, which is signed itself; otherwise a node that was away for long could never come back.
    pub fn verify_for_refresh(&self, leaf: &CertificateDer<'_>, usage: Usage, now: Timestamp) -> Result<(), PathError> {
        self.verify_with(leaf, usage, now, Staleness::Allow)
    }

    fn verify_with(
        &self,
        leaf: &CertificateDer<'_>,
        usage: Usage,
        now: Timestamp,
        staleness: Staleness,
    ) -> Result<(), PathError> {
        let next_update = self.crl_next_update.ok_or(PathError::NoRevocationList)?;
        if staleness == Staleness::Refuse && now >= next_update {
            return Err(PathError::StaleRevocationList(next_update));
        }
        let certificate = EndEntityCert::try_from(leaf).map_err(path_error)?;
        // A trust anchor carries no dates, so a CA that expired has to be left out by hand.
        let anchors: Vec<TrustAnchor<'_>> =
            self.anchors.iter().filter(|(_, not_after)| now <= *not_after).map(|(anchor, _)| anchor.clone()).collect();
        let crls: Vec<&CertRevocationList<'_>> = self.crls.iter().collect();
        let revocation = RevocationOptionsBuilder::new(&crls)
            .map_err(|_| PathError::NoRevocationList)?
            .with_depth(RevocationCheckDepth::Chain)
            .with_status_policy(UnknownStatusPolicy::Deny)
            .with_expiration_policy(match staleness {
                Staleness::Refuse => ExpirationPolicy::Enforce,
                Staleness::Allow => ExpirationPolicy::Ignore,
            })
            .build();
        let seconds = u64::try_from(now.as_second()).unwrap_or(0);
        let moment = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
        certificate
            .verify_for_usage(SIGNATURES, &anchors, &[], moment, usage.key_usage(), Some(revocation), None)
            .map(|_| ())
            .map_err(path_error)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Staleness {
    Refuse,
    Allow,
}

/// The signatures that a certificate or revocation list may carry.
static SIGNATURES: &[&dyn SignatureVerificationAlgorithm] = &[
    webpki::aws_lc_rs::ECDSA_P256_SHA256,
    webpki::aws_lc_rs::ECDSA_P384_SHA384,
    webpki::aws_lc_rs::ED25519,
    webpki::aws_lc_rs::RSA_PKCS1_2048_8192_SHA256,
    webpki::aws_lc_rs::RSA_PKCS1_2048_8192_SHA384,
    webpki::aws_lc_rs::RSA_PKCS1_2048_8192_SHA512,
];

fn read_anchor(der: &[u8]) -> Result<(TrustAnchor<'static>, Timestamp), String> {
    let (rest, parsed) = X509Certificate::from_der(der).map_err(|error| error.to_string())?;
    if !rest.is_empty() {
        return Err("bytes follow it".to_owned());
    }
    if !parsed.is_ca() {
        return Err("it is not the certificate of a CA (basic constraints)".to_owned());
    }
    let not_after = Timestamp::from_second(parsed.validity().not_after.timestamp())
        .map_err(|_| "its validity is out of range".to_owned())?;
    let der = CertificateDer::from(der);
    let anchor = anchor_from_trusted_cert(&der).map_err(|error| error.to_string())?;
    Ok((anchor.to_owned(), not_after))
}

fn read_crl(der: &[u8]) -> Result<(CertRevocationList<'static>, Timestamp), String> {
    let (_, parsed) = CertificateRevocationList::from_der(der).map_err(|error| error.to_string())?;
    let next_update = parsed.next_update().ok_or("it has no next update")?;
    let next_update =
        Timestamp::from_second(next_update.timestamp()).map_err(|_| "its next update is out of range".to_owned())?;
    let list = BorrowedCertRevocationList::from_der(der)
        .and_then(|list| list.to_owned())
        .map_err(|error| error.to_string())?;
    Ok((list.into(), next_update))
}

fn path_error(error: webpki::Error) -> PathError {
    use webpki::Error as E;
    match error {
        E::CertRevoked => PathError::Revoked,
        E::CertExpired { .. } => PathError::Expired,
        E::CertNotValidYet { .. } => PathError::NotYetValid,
        E::UnknownIssuer => PathError::UnknownIssuer,
        E::RequiredEkuNotFoundContext(_) => PathError::Usage,
        other => PathError::Other(format!("{other:?}")),
    }
}
