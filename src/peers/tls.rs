//! Mutual TLS between nodes, and between participants and nodes: the one place that configures rustls for peers.
//!
//! TLS 1.3 only, X25519MLKEM768 preferred, no resumption (a resumed session skips the client verifier), `http/1.1` by
//! ALPN. Both verifiers ask the [`Trust`] list at each handshake, so a changed file counts from the next handshake on
//! without a restart; our own certificate is swapped the same way ([`OwnCertificate`]). Moments come from our clock.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls13_signature};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::time_provider::TimeProvider;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, OtherError, ServerConfig, SignatureScheme,
};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};

use super::identity::Presented;
use super::trust::{Refusal, Trust};
use super::verify::Usage;
use crate::clock::Clock;
use crate::domain::ids::{Identity, IdentityKind};
use crate::keys::{KeyFileError, Modes, files};

/// Which key exchanges are offered and accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyExchange {
    /// X25519MLKEM768 first, classical curves for peers that lack it.
    #[default]
    PreferPostQuantum,
    /// X25519MLKEM768 only.
    RequirePostQuantum,
}

/// Why TLS could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificate's file.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// rustls refused the configuration.
    #[error("TLS cannot be set up: {0}")]
    Setup(#[from] rustls::Error),
}

/// The listening side of the federation door: asks everybody for a certificate and lets in only nodes and participants
/// of trusted domains. What the certificate said is read from the connection as [`Presented`].
pub fn server_config(
    own: &Arc<OwnCertificate>,
    trust: &Arc<Trust>,
    exchange: KeyExchange,
) -> Result<ServerConfig, TlsError> {
    let verifier = Arc::new(CallerVerifier { trust: Arc::clone(trust) });
    let mut config = ServerConfig::builder_with_details(Arc::new(provider(exchange)), time_of(trust))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(Arc::clone(own) as Arc<dyn ResolvesServerCert>);
    // A resumed session restores the client's certificate without verifying it again.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// The calling side: presents our own certificate and accepts nobody but the node `expected`. The host name is not
/// compared, because the identity says more than an address.
pub fn client_config(
    own: &Arc<OwnCertificate>,
    trust: &Arc<Trust>,
    expected: &Identity,
    exchange: KeyExchange,
) -> Result<ClientConfig, TlsError> {
    calling(own, trust, expected, exchange, Purpose::Everything)
}

/// As [`client_config`], but the peer's trust and revocation lists may have run out. Use it only to fetch the peer's
/// newer peer file: that is signed itself, and without it two nodes that were apart for long could never meet again.
pub fn refresh_config(
    own: &Arc<OwnCertificate>,
    trust: &Arc<Trust>,
    expected: &Identity,
    exchange: KeyExchange,
) -> Result<ClientConfig, TlsError> {
    calling(own, trust, expected, exchange, Purpose::RefreshPeerFile)
}

/// The certificate that the other side presented on a connection, already verified by the handshake.
pub fn presented(connection: &rustls::ServerConnection) -> Option<Presented> {
    Presented::read(connection.peer_certificates()?.first()?).ok()
}

/// Why a handshake failed, in our own words where it was our own verifier that refused.
pub fn refusal(error: &rustls::Error) -> Option<String> {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(inner))) => {
            Some(inner.downcast_ref::<Refusal>().map_or_else(|| inner.to_string(), ToString::to_string))
        }
        rustls::Error::AlertReceived(alert) => Some(Refusal::ByPeer(format!("{alert:?}")).to_string()),
        rustls::Error::InvalidCertificate(_)
        | rustls::Error::NoCertificatesPresented
        | rustls::Error::PeerIncompatible(_)
        | rustls::Error::PeerMisbehaved(_) => Some(error.to_string()),
        _ => None,
    }
}

/// Our own certificate and its key, from one file, swapped whole when the file changes.
#[derive(Debug)]
pub struct OwnCertificate {
    path: PathBuf,
    modes: Modes,
    current: ArcSwap<Current>,
}

#[derive(Debug)]
struct Current {
    key: Arc<CertifiedKey>,
    presented: Presented,
    bytes: Vec<u8>,
}

impl OwnCertificate {
    /// Reads a PEM file that holds the private key and then the certificate.
    pub fn load(path: impl Into<PathBuf>, modes: Modes) -> Result<Arc<Self>, KeyFileError> {
        let path = path.into();
        let current = ArcSwap::from_pointee(read_own(&path, modes)?);
        Ok(Arc::new(Self { path, modes, current }))
    }

    /// Reads the file again if its content changed; says whether it did. A broken file leaves the old one in use.
    pub fn reload(&self) -> Result<bool, KeyFileError> {
        // Looked at each second, so a mode that was warned about at the start is not warned about again.
        if files::read(&self.path, 1 << 20)? == self.current.load().bytes {
            return Ok(false);
        }
        self.current.store(Arc::new(read_own(&self.path, self.modes)?));
        Ok(true)
    }

    /// Reads the file again whenever it changed, looking once in every `period`, until the task is dropped.
    pub async fn watch(self: Arc<Self>, period: Duration) {
        let mut ticks = tokio::time::interval(period);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut said = None;
        loop {
            ticks.tick().await;
            let own = Arc::clone(&self);
            match tokio::task::spawn_blocking(move || own.reload()).await {
                Ok(Ok(changed)) => {
                    said = None;
                    if changed {
                        tracing::info!(fingerprint = %self.fingerprint(), not_after = %self.not_after(), "a new certificate is in use");
                    }
                }
                Ok(Err(error)) => {
                    let problem = error.to_string();
                    if said.as_ref() != Some(&problem) {
                        tracing::warn!(problem, "the certificate in use stays the old one");
                        said = Some(problem);
                    }
                }
                Err(_) => return,
            }
        }
    }

    /// Whose certificate it is.
    pub fn identity(&self) -> Identity {
        self.current.load().presented.identity.clone()
    }

    /// The fingerprint of the certificate in use.
    pub fn fingerprint(&self) -> crate::domain::ids::Digest {
        self.current.load().presented.fingerprint
    }

    /// When the certificate in use runs out.
    pub fn not_after(&self) -> Timestamp {
        self.current.load().presented.not_after
    }
}

fn read_own(path: &Path, modes: Modes) -> Result<Current, KeyFileError> {
    let malformed = |reason: String| KeyFileError::Malformed { path: path.to_owned(), reason };
    let bytes = files::read_private(path, modes)?;
    let key = PrivateKeyDer::from_pem_slice(&bytes).map_err(|error| malformed(format!("no private key: {error}")))?;
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<_, _>>()
        .map_err(|error| malformed(format!("no certificate: {error}")))?;
    let leaf = chain.first().ok_or_else(|| malformed("there is no certificate in it".to_owned()))?;
    let presented = Presented::read(leaf).map_err(|error| malformed(error.to_string()))?;
    // The chain is one certificate: its reader knows our CAs from the peer file and looks at nothing else.
    let key = CertifiedKey::from_der(vec![leaf.clone()], key, &provider(KeyExchange::default()))
        .map_err(|error| malformed(format!("key and certificate do not fit: {error}")))?;
    Ok(Current { key: Arc::new(key), presented, bytes })
}

impl ResolvesServerCert for OwnCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.load().key))
    }
}

impl rustls::client::ResolvesClientCert for OwnCertificate {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.load().key))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

fn calling(
    own: &Arc<OwnCertificate>,
    trust: &Arc<Trust>,
    expected: &Identity,
    exchange: KeyExchange,
    purpose: Purpose,
) -> Result<ClientConfig, TlsError> {
    let verifier = Arc::new(NodeVerifier { trust: Arc::clone(trust), expected: expected.clone(), purpose });
    let mut config = ClientConfig::builder_with_details(Arc::new(provider(exchange)), time_of(trust))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_client_cert_resolver(Arc::clone(own) as Arc<dyn rustls::client::ResolvesClientCert>);
    config.resumption = Resumption::disabled();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn provider(exchange: KeyExchange) -> CryptoProvider {
    let mut provider = aws_lc_rs::default_provider();
    provider.kx_groups = match exchange {
        KeyExchange::PreferPostQuantum => {
            vec![aws_lc_rs::kx_group::X25519MLKEM768, aws_lc_rs::kx_group::X25519, aws_lc_rs::kx_group::SECP256R1]
        }
        KeyExchange::RequirePostQuantum => vec![aws_lc_rs::kx_group::X25519MLKEM768],
    };
    provider
}

fn time_of(trust: &Arc<Trust>) -> Arc<dyn TimeProvider> {
    Arc::new(OurTime(Arc::clone(trust.clock())))
}

#[derive(Debug)]
struct OurTime(Arc<dyn Clock>);

impl TimeProvider for OurTime {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.now().as_second()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

fn moment(now: UnixTime) -> Result<Timestamp, rustls::Error> {
    i64::try_from(now.as_secs())
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .ok_or(rustls::Error::FailedToGetCurrentTime)
}

fn refused(refusal: Refusal) -> rustls::Error {
    rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(refusal))))
}

/// Only TLS 1.3 is configured; a signature of TLS 1.2 can only be an attack.
fn no_tls12() -> rustls::Error {
    rustls::Error::General("TLS 1.2 is not spoken here".to_owned())
}

fn verify_signature(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signature: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, rustls::Error> {
    let algorithms = aws_lc_rs::default_provider().signature_verification_algorithms;
    verify_tls13_signature(message, certificate, signature, &algorithms)
}

fn schemes() -> Vec<SignatureScheme> {
    aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
}

/// Lets in nodes and participants of trusted domains.
#[derive(Debug)]
struct CallerVerifier {
    trust: Arc<Trust>,
}

impl ClientCertVerifier for CallerVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        // Who is trusted is nobody's business before he has shown a certificate.
        &[]
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let presented = Presented::read(leaf).map_err(|error| refused(error.into()))?;
        self.trust.check(&presented, Usage::Client, moment(now)?).map_err(refused)?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(no_tls12())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        schemes()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Everything,
    RefreshPeerFile,
}

/// Accepts one node and nobody else.
#[derive(Debug)]
struct NodeVerifier {
    trust: Arc<Trust>,
    expected: Identity,
    purpose: Purpose,
}

impl ServerCertVerifier for NodeVerifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let presented = Presented::read(leaf).map_err(|error| refused(error.into()))?;
        let now = moment(now)?;
        if presented.identity != self.expected || presented.identity.kind() != IdentityKind::Node {
            let found = presented.identity.clone();
            return Err(refused(Refusal::NotExpected { found, expected: self.expected.clone() }));
        }
        match self.purpose {
            Purpose::Everything => self.trust.check(&presented, Usage::Server, now).map(|_| ()),
            Purpose::RefreshPeerFile => self.trust.check_for_refresh(&presented, now),
        }
        .map_err(refused)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(no_tls12())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        schemes()
    }
}
