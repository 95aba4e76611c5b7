//! The CA of one member state: what it signs, what it takes back.
//!
//! The CA puts the identity into a certificate; from a signing request it takes the public key and nothing else. What
//! it issued and what it revoked stands in two files of one JSON object a line, replaced whole so that a crash leaves
//! the old or the new; the revocation list is always written from them. Two processes take turns by a lock file.

use std::fs::File;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertificateSigningRequestParams,
    DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PublicKeyData as _,
    RevokedCertParams, SanType, SerialNumber, date_time_ymd,
};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use x509_parser::prelude::{CertificateRevocationList, FromDer as _, GeneralName, X509Certificate};

use super::identity::{IdentityError, Presented};
use super::ledger::{self, ISSUED, REVOKED};
pub use super::ledger::{Issued, Reason, Revoked, Which};
use super::renewal::{self, RenewalError};
use crate::clock::Clock;
use crate::domain::ids::{Digest, Identity, IdentityKind, TrustDomain};
use crate::keys::{KeyFileError, Modes, files};

/// How long a leaf is valid unless somebody says otherwise.
pub const DEFAULT_LIFETIME: SignedDuration = SignedDuration::from_hours(90 * 24);
/// How long a CA certificate is valid.
pub const CA_LIFETIME: SignedDuration = SignedDuration::from_hours(3650 * 24);
/// How long a revocation list is valid. It is longer than a peer file and its grace together: otherwise the grace would
/// end where the revocation list does. How fresh a revocation is depends on the peer file, which carries the list.
pub const CRL_LIFETIME: SignedDuration = SignedDuration::from_hours(5 * 24);
/// How far a certificate's beginning lies before its signing, for clocks that are behind.
pub(super) const BACK_DATED: SignedDuration = SignedDuration::from_mins(10);

/// Why the CA did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// One of its files.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// The signing request cannot be read, or its signature is wrong.
    #[error("the signing request is refused: {0}")]
    Request(String),
    /// The request is for a name that this CA may not give.
    #[error("{identity} is not under {domain}, for which this CA speaks")]
    OtherDomain {
        /// The identity that was asked for.
        identity: Identity,
        /// The CA's domain.
        domain: TrustDomain,
    },
    /// A DNS name for a node's certificate is not valid.
    #[error("{0:?} is not a DNS name or address")]
    ServerName(String),
    /// The validity that was asked for cannot be.
    #[error("{0:#} is no time for which something can be valid")]
    Lifetime(SignedDuration),
    /// The renewal is refused.
    #[error(transparent)]
    Renewal(#[from] RenewalError),
    /// The certificate names nobody.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// There is no such certificate among those issued.
    #[error("no certificate that this CA issued matches {0}")]
    NotIssued(String),
    /// The certificate was revoked before.
    #[error("the certificate {0} is revoked")]
    Revoked(Digest),
    /// The signing library refused.
    #[error("signing failed: {0}")]
    Signing(#[from] rcgen::Error),
    /// The CA certificate's own name.
    #[error("{path} is not a CA certificate of Pleiad: {reason}")]
    NotOurs {
        /// The file.
        path: PathBuf,
        /// What is missing.
        reason: String,
    },
}

/// The CA of one trust domain, with its key.
pub struct Authority {
    folder: PathBuf,
    clock: Arc<dyn Clock>,
    domain: TrustDomain,
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Authority({})", self.domain)
    }
}

impl Authority {
    /// Makes a CA for a domain in `folder`: its key, its certificate and an empty revocation list.
    pub fn create(
        folder: impl Into<PathBuf>,
        domain: &TrustDomain,
        name: &str,
        lifetime: SignedDuration,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, AuthorityError> {
        let folder = folder.into();
        let (key_path, path) = (folder.join("ca.key.pem"), folder.join("ca.pem"));
        for path in [&key_path, &path] {
            if path.exists() {
                return Err(KeyFileError::Exists { path: path.clone() }.into());
            }
        }
        let now = clock.now();
        let mut params = CertificateParams::default();
        params.distinguished_name = subject(name, &format!("{domain} CA"));
        params.subject_alt_names = vec![SanType::URI(ca_name(domain).as_str().try_into()?)];
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.serial_number = Some(new_serial());
        let (begin, end) = validity(now, lifetime)?;
        params.not_before = date_time_ymd(1970, 1, 1) + begin;
        params.not_after = date_time_ymd(1970, 1, 1) + end;
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?.der().clone();
        // The key comes first: a CA certificate without its key is of no use, a key without a certificate is replaced.
        files::write_new(&key_path, key.serialize_pem().as_bytes(), files::PRIVATE)?;
        files::write_new(&path, files::pem("CERTIFICATE", &certificate).as_bytes(), files::PUBLIC)?;
        let authority = Self::open(folder, Modes::Enforce, clock)?;
        authority.write_crl(CRL_LIFETIME)?;
        Ok(authority)
    }

    /// Opens the CA in `folder`.
    pub fn open(folder: impl Into<PathBuf>, modes: Modes, clock: Arc<dyn Clock>) -> Result<Self, AuthorityError> {
        let folder = folder.into();
        let key_path = folder.join("ca.key.pem");
        let pem = files::read_private(&key_path, modes)?;
        let key = std::str::from_utf8(&pem).ok().and_then(|pem| KeyPair::from_pem(pem).ok()).ok_or_else(|| {
            KeyFileError::Malformed { path: key_path, reason: "it holds no private key that can sign".to_owned() }
        })?;
        let certificate = read_ca(&folder)?;
        let domain = ca_domain(&folder, &certificate)?;
        let issuer = Issuer::from_ca_cert_der(&certificate, key)?;
        Ok(Self { folder, clock, domain, issuer, certificate })
    }

    /// The domain for which it speaks.
    pub fn domain(&self) -> &TrustDomain {
        &self.domain
    }

    /// Its own certificate.
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// Signs a request (PEM) for an identity. A node's certificate also carries its server names.
    pub fn sign(
        &self,
        request: &str,
        identity: &Identity,
        server_names: &[String],
        lifetime: SignedDuration,
    ) -> Result<String, AuthorityError> {
        let _turn = self.lock()?;
        let request = CertificateSigningRequestParams::from_pem(request)
            .map_err(|error| AuthorityError::Request(error.to_string()))?;
        let certificate = self.issue(&request, identity, server_names, lifetime)?;
        Ok(files::pem("CERTIFICATE", &certificate))
    }

    /// Signs a renewal made by [`renewal::request`]: the same identity for a new key, vouched for by the old key.
    pub fn renew(&self, request: &str, lifetime: SignedDuration) -> Result<String, AuthorityError> {
        let _turn = self.lock()?;
        let renewal = renewal::read(request)?;
        let presented = Presented::read(&renewal.certificate)?;
        if self.revoked()?.iter().any(|revoked| revoked.fingerprint == presented.fingerprint) {
            return Err(AuthorityError::Revoked(presented.fingerprint));
        }
        // Only what this CA issued itself is renewed; its own list says so more surely than a signature.
        if !self.issued()?.iter().any(|issued| issued.fingerprint == presented.fingerprint) {
            return Err(AuthorityError::NotIssued(presented.fingerprint.to_string()));
        }
        if self.clock.now() > presented.not_after {
            return Err(RenewalError::Expired(presented.not_after).into());
        }
        let server_names = server_names(&renewal.certificate);
        let certificate = self.issue(&renewal.request, &presented.identity, &server_names, lifetime)?;
        Ok(files::pem("CERTIFICATE", &certificate))
    }

    /// Takes certificates back and writes a new revocation list; gives what was revoked now.
    pub fn revoke(&self, which: &Which, reason: Reason) -> Result<Vec<Revoked>, AuthorityError> {
        let turn = self.lock()?;
        let now = self.clock.now();
        let mut revoked = self.revoked()?;
        let before = revoked.len();
        let matching: Vec<Issued> = self
            .issued()?
            .into_iter()
            .filter(|issued| match which {
                Which::Fingerprint(fingerprint) => issued.fingerprint == *fingerprint,
                Which::Serial(serial) => issued.serial.eq_ignore_ascii_case(serial),
                Which::Identity(identity) => issued.identity == *identity && issued.not_after > now,
            })
            .collect();
        if matching.is_empty() {
            return Err(AuthorityError::NotIssued(format!("{which:?}")));
        }
        for issued in matching {
            if !revoked.iter().any(|revoked| revoked.fingerprint == issued.fingerprint) {
                let Issued { serial, fingerprint, identity, .. } = issued;
                revoked.push(Revoked { serial, fingerprint, identity, at: now, reason });
            }
        }
        ledger::write_lines(&self.folder.join(REVOKED), &revoked)?;
        self.write_crl_now(CRL_LIFETIME)?;
        drop(turn);
        Ok(revoked.split_off(before))
    }

    /// Writes the revocation list anew, with the next number; gives its DER.
    pub fn write_crl(&self, lifetime: SignedDuration) -> Result<Vec<u8>, AuthorityError> {
        let _turn = self.lock()?;
        self.write_crl_now(lifetime)
    }

    /// Every certificate that it issued, in order.
    pub fn issued(&self) -> Result<Vec<Issued>, AuthorityError> {
        Ok(ledger::read_lines(&self.folder.join(ISSUED))?)
    }

    /// Every certificate that it took back, in order.
    pub fn revoked(&self) -> Result<Vec<Revoked>, AuthorityError> {
        Ok(ledger::read_lines(&self.folder.join(REVOKED))?)
    }

    fn issue(
        &self,
        request: &CertificateSigningRequestParams,
        identity: &Identity,
        server_names: &[String],
        lifetime: SignedDuration,
    ) -> Result<CertificateDer<'static>, AuthorityError> {
        if identity.domain() != &self.domain {
            return Err(AuthorityError::OtherDomain { identity: identity.clone(), domain: self.domain.clone() });
        }
        check_key(&request.public_key)?;
        let now = self.clock.now();
        let mut params = CertificateParams::default();
        params.distinguished_name = subject(self.domain.as_str(), identity.id().as_str());
        params.subject_alt_names = vec![SanType::URI(identity.to_string().as_str().try_into()?)];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        if identity.kind() == IdentityKind::Node {
            params.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
            for name in server_names {
                params.subject_alt_names.push(server_name(name)?);
            }
        }
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.is_ca = IsCa::ExplicitNoCa;
        params.use_authority_key_identifier_extension = true;
        let serial = new_serial();
        params.serial_number = Some(serial.clone());
        let (begin, end) = validity(now, lifetime)?;
        params.not_before = date_time_ymd(1970, 1, 1) + begin;
        params.not_after = date_time_ymd(1970, 1, 1) + end;
        let certificate = params.signed_by(&request.public_key, &self.issuer)?.der().clone();
        let presented = Presented::read(&certificate)?;
        let mut issued = self.issued()?;
        issued.push(Issued {
            serial: data_encoding::HEXLOWER.encode(&serial.to_bytes()),
            fingerprint: presented.fingerprint,
            identity: identity.clone(),
            at: now,
            not_after: presented.not_after,
        });
        ledger::write_lines(&self.folder.join(ISSUED), &issued)?;
        Ok(certificate)
    }

    fn write_crl_now(&self, lifetime: SignedDuration) -> Result<Vec<u8>, AuthorityError> {
        let path = self.folder.join("crl.der");
        let number = match files::read(&path, 16 << 20) {
            Ok(der) => crl_number(&der).unwrap_or(0) + 1,
            Err(KeyFileError::Missing { .. }) => 1,
            Err(error) => return Err(error.into()),
        };
        let now = self.clock.now();
        let (this_update, next_update) = validity(now, lifetime)?;
        let mut revoked_certs = Vec::new();
        for revoked in ledger::listed(self.revoked()?, &self.issued()?, now) {
            let serial = data_encoding::HEXLOWER_PERMISSIVE.decode(revoked.serial.as_bytes()).map_err(|_| {
                KeyFileError::Malformed {
                    path: self.folder.join(REVOKED),
                    reason: format!("serial {:?} is not hexadecimal", revoked.serial),
                }
            })?;
            revoked_certs.push(RevokedCertParams {
                serial_number: SerialNumber::from_slice(&serial),
                revocation_time: date_time_ymd(1970, 1, 1) + since_1970(revoked.at),
                reason_code: Some(revoked.reason.code()),
                invalidity_date: None,
            });
        }
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(1970, 1, 1) + this_update,
            next_update: date_time_ymd(1970, 1, 1) + next_update,
            crl_number: SerialNumber::from_slice(&number.to_be_bytes()),
            issuing_distribution_point: None,
            revoked_certs,
            key_identifier_method: rcgen::KeyIdMethod::Sha256,
        }
        .signed_by(&self.issuer)?;
        files::replace(&path, list.der(), files::PUBLIC)?;
        Ok(list.der().to_vec())
    }

    /// Waits for its turn; the turn ends when the file is dropped.
    fn lock(&self) -> Result<File, KeyFileError> {
        let path = self.folder.join("ca.lock");
        File::create(&path)
            .and_then(|file| file.lock().map(|()| file))
            .map_err(|source| KeyFileError::Unwritable { path, source })
    }
}

/// The CA certificate in a folder.
pub fn read_ca(folder: &std::path::Path) -> Result<CertificateDer<'static>, KeyFileError> {
    let path = folder.join("ca.pem");
    let pem = files::read(&path, 1 << 20)?;
    CertificateDer::from_pem_slice(&pem)
        .map_err(|error| KeyFileError::Malformed { path, reason: format!("no certificate in PEM was found ({error})") })
}

/// The domain for which the CA in a folder speaks.
pub fn ca_domain(folder: &std::path::Path, certificate: &CertificateDer<'_>) -> Result<TrustDomain, AuthorityError> {
    let refuse = |reason: &str| AuthorityError::NotOurs { path: folder.join("ca.pem"), reason: reason.to_owned() };
    let (_, parsed) = X509Certificate::from_der(certificate).map_err(|_| refuse("it cannot be read"))?;
    let names = parsed.subject_alternative_name().map_err(|_| refuse("its names cannot be read"))?;
    names
        .iter()
        .flat_map(|names| &names.value.general_names)
        .find_map(|name| match name {
            GeneralName::URI(uri) => uri.strip_prefix("spiffe://")?.parse().ok(),
            _ => None,
        })
        .ok_or_else(|| refuse("it carries no name spiffe://<domain>"))
}

/// The number of a revocation list, if it has one.
pub fn crl_number(der: &[u8]) -> Option<u64> {
    let (_, list) = CertificateRevocationList::from_der(der).ok()?;
    let digits = list.crl_number()?.to_string();
    digits.parse().ok()
}

/// Keys that every reader of a certificate here can use, each with the length of its public half in bytes.
fn check_key(key: &rcgen::PublicKey) -> Result<(), AuthorityError> {
    let known =
        [(&rcgen::PKCS_ECDSA_P256_SHA256, 65), (&rcgen::PKCS_ECDSA_P384_SHA384, 97), (&rcgen::PKCS_ED25519, 32)];
    if known.iter().any(|(algorithm, length)| key.algorithm() == *algorithm && key.der_bytes().len() == *length) {
        Ok(())
    } else {
        Err(AuthorityError::Request("its key is not ECDSA P-256, ECDSA P-384 or Ed25519".to_owned()))
    }
}

fn ca_name(domain: &TrustDomain) -> String {
    format!("spiffe://{domain}")
}

fn subject(organisation: &str, common_name: &str) -> DistinguishedName {
    let mut subject = DistinguishedName::new();
    subject.push(DnType::OrganizationName, organisation);
    subject.push(DnType::CommonName, common_name);
    subject
}

fn server_name(name: &str) -> Result<SanType, AuthorityError> {
    let refuse = || AuthorityError::ServerName(name.to_owned());
    if let Ok(address) = name.parse::<IpAddr>() {
        return Ok(SanType::IpAddress(address));
    }
    rustls_pki_types::DnsName::try_from(name).map_err(|_| refuse())?;
    Ok(SanType::DnsName(name.try_into().map_err(|_| refuse())?))
}

fn server_names(certificate: &CertificateDer<'_>) -> Vec<String> {
    let Ok((_, parsed)) = X509Certificate::from_der(certificate) else { return Vec::new() };
    let Ok(Some(names)) = parsed.subject_alternative_name() else { return Vec::new() };
    names
        .value
        .general_names
        .iter()
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            GeneralName::IPAddress(bytes) => match bytes.len() {
                4 => <[u8; 4]>::try_from(*bytes).ok().map(|bytes| IpAddr::from(bytes).to_string()),
                _ => <[u8; 16]>::try_from(*bytes).ok().map(|bytes| IpAddr::from(bytes).to_string()),
            },
            _ => None,
        })
        .collect()
}

/// A random serial number of 16 bytes, positive (RFC 5280 allows at most 20).
fn new_serial() -> SerialNumber {
    let mut bytes = uuid::Uuid::new_v4().into_bytes();
    bytes[0] = (bytes[0] & 0x7f) | 0x40;
    SerialNumber::from_slice(&bytes)
}

/// From a little before `now` until `lifetime` after it, as time since 1970.
fn validity(now: Timestamp, lifetime: SignedDuration) -> Result<(Duration, Duration), AuthorityError> {
    let out_of_range = |_| AuthorityError::Lifetime(lifetime);
    let begin = now.checked_sub(BACK_DATED).map_err(out_of_range)?;
    let end = now.checked_add(lifetime).map_err(out_of_range)?;
    if lifetime.is_negative() || lifetime.is_zero() {
        return Err(AuthorityError::Lifetime(lifetime));
    }
    Ok((since_1970(begin), since_1970(end)))
}

fn since_1970(moment: Timestamp) -> Duration {
    Duration::from_secs(u64::try_from(moment.as_second()).unwrap_or(0))
}
