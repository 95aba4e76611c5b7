//! Seventeen ways to pass for somebody else at the federation door, each tried on a socket and each refused.
//!
//! The door is the node's own TLS configuration behind a real listener; the attacker is a TLS client that checks nothing
//! and presents whatever it likes. What counts is the door's own verdict, not what the attacker believes.

use std::sync::Arc;

use pleiad::keys::Modes;
use pleiad::outbound::federation::{CallError, Federation, Options};
use pleiad::peers::identity::Presented;
use pleiad::peers::tls::{self, KeyExchange};
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, Resumption};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, DigitallySignedStruct, HandshakeKind, ServerConfig, SignatureScheme};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::federation_calls::{listener, open_door, soon};
use crate::pki::{self, Participant, State};

/// Finland's door, which trusts Germany too and nobody else.
struct Scene {
    clock: pleiad::clock::FixedClock,
    fi: State,
    de: State,
}

impl Scene {
    fn new() -> Self {
        let clock = pki::clock();
        let (fi, de) = (State::new("fi", 1, &clock), State::new("de", 2, &clock));
        pki::introduce(&[&fi, &de]);
        Self { clock, fi, de }
    }

    fn door(&self) -> ServerConfig {
        tls::server_config(&self.fi.own(), &self.fi.trust(), KeyExchange::default()).unwrap()
    }

    /// Knocks at Finland's door with a certificate, and gives the door's verdict.
    async fn knock_with(&self, credential: Credential) -> Result<Presented, String> {
        knock(Arc::new(self.door()), Arc::new(attacker(Some(credential)))).await.map(|(presented, _)| presented)
    }
}

/// What an attacker presents: a chain, leaf first, and the key with which it signs.
struct Credential {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Credential {
    /// The honest certificate of a participant, stolen with its key.
    fn of(participant: &Participant) -> Self {
        let pem = std::fs::read(participant.member.participant_certificate()).unwrap();
        Self {
            chain: vec![CertificateDer::from_pem_slice(&pem).unwrap()],
            key: PrivateKeyDer::from_pem_slice(&pem).unwrap(),
        }
    }

    /// A certificate signed by a state's real CA, but for what `change` makes of it.
    fn signed_by_ca_of(state: &State, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let key = std::fs::read_to_string(state.member.keys().join("ca.key.pem")).unwrap();
        let ca = state.authority.certificate();
        let issuer = Issuer::from_ca_cert_der(ca, KeyPair::from_pem(&key).unwrap()).unwrap();
        Self::signed_by(&issuer, &mallory(state), change)
    }

    fn signed_by(issuer: &Issuer<'_, KeyPair>, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let mut params = params(name);
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let leaf = params.signed_by(&key, issuer).unwrap();
        Self { chain: vec![leaf.der().clone()], key: PrivateKeyDer::try_from(key.serialize_der()).unwrap() }
    }
}

fn mallory(state: &State) -> String {
    format!("spiffe://{}/participant/mallory", state.domain)
}

/// A certificate that would be accepted: right name, right use, valid on the day of `pki::clock`.
fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.subject_alt_names = vec![uri(name)];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
    params.not_before = rcgen::date_time_ymd(2027, 2, 1);
    params.not_after = rcgen::date_time_ymd(2027, 6, 1);
    params
}

fn uri(name: &str) -> SanType {
    SanType::URI(name.try_into().unwrap())
}

/// A client that believes any server and presents what it was given, whether the key fits or not.
fn attacker(credential: Option<Credential>) -> ClientConfig {
    attacker_speaking(credential, aws_lc_rs::default_provider(), &[&rustls::version::TLS13])
}

fn attacker_speaking(
    credential: Option<Credential>,
    provider: rustls::crypto::CryptoProvider,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> ClientConfig {
    let builder = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(versions)
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(BelievesAnybody));
    let mut config = match credential {
        None => builder.with_no_client_auth(),
        Some(Credential { chain, key }) => {
            let key = aws_lc_rs::default_provider().key_provider.load_private_key(key).unwrap();
            builder.with_client_cert_resolver(Arc::new(Presents(Arc::new(CertifiedKey::new(chain, key)))))
        }
    };
    config.resumption = Resumption::in_memory_sessions(16);
    config
}

#[derive(Debug)]
struct Presents(Arc<CertifiedKey>);

impl ResolvesClientCert for Presents {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

#[derive(Debug)]
struct BelievesAnybody;

impl ServerCertVerifier for BelievesAnybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

/// One connection over a socket; the door's verdict on the caller, and whether it was a full handshake.
async fn knock(door: Arc<ServerConfig>, caller: Arc<ClientConfig>) -> Result<(Presented, HandshakeKind), String> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let caller = tokio::spawn(async move {
        let socket = TcpStream::connect(address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        // The caller reads to the end, so that it has every session ticket that it might be given.
        if let Ok(mut stream) = TlsConnector::from(caller).connect(name, socket).await {
            let mut said = Vec::new();
            let _ = stream.read_to_end(&mut said).await;
        }
    });
    let (socket, _) = listener.accept().await.unwrap();
    let verdict = match TlsAcceptor::from(door).accept(socket).await {
        Ok(mut stream) => {
            let presented = tls::presented(stream.get_ref().1).expect("the door lets nobody in without a certificate");
            let kind = stream.get_ref().1.handshake_kind().unwrap();
            stream.write_all(b"hello").await.unwrap();
            stream.shutdown().await.unwrap();
            Ok((presented, kind))
        }
        Err(error) => {
            let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
            Err(inner.and_then(tls::refusal).unwrap_or_else(|| error.to_string()))
        }
    };
    caller.await.unwrap();
    verdict
}

#[track_caller]
fn refused(verdict: Result<Presented, String>, why: &str) {
    match verdict {
        Ok(presented) => panic!("the door let {} in", presented.identity),
        Err(reason) => assert!(reason.contains(why), "refused, but because: {reason}"),
    }
}

#[tokio::test]
async fn an_honest_caller_is_let_in_or_the_other_tests_would_mean_nothing() {
    let scene = Scene::new();
    let csc = scene.fi.participant("csc", &[]);
    assert_eq!(scene.knock_with(Credential::of(&csc)).await.unwrap().identity, csc.identity);
    let forged = Credential::signed_by_ca_of(&scene.de, |_| {});
    assert_eq!(scene.knock_with(forged).await.unwrap().identity.to_string(), mallory(&scene.de));
}

#[tokio::test]
async fn attack_01_no_certificate() {
    let scene = Scene::new();
    let verdict = knock(Arc::new(scene.door()), Arc::new(attacker(None))).await;
    refused(verdict.map(|(presented, _)| presented), "sent no certificates");
}

#[tokio::test]
async fn attack_02_a_self_signed_certificate() {
    let scene = Scene::new();
    let key = KeyPair::generate().unwrap();
    let leaf = params(&mallory(&scene.fi)).self_signed(&key).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let verdict = scene.knock_with(Credential { chain: vec![leaf.der().clone()], key }).await;
    refused(verdict, "no CA of its domain signed it");
}

#[tokio::test]
async fn attack_03_a_certificate_of_an_unknown_ca() {
    let scene = Scene::new();
    let se = State::new("se", 3, &scene.clock);
    let verdict = scene.knock_with(Credential::of(&se.participant("x", &[]))).await;
    refused(verdict, "se.pleiad.example is not in the trust list");
}

#[tokio::test]
async fn attack_04_an_expired_certificate() {
    let scene = Scene::new();
    let expired = Credential::signed_by_ca_of(&scene.fi, |params| params.not_after = rcgen::date_time_ymd(2027, 2, 28));
    refused(scene.knock_with(expired).await, "it expired");
}

#[tokio::test]
async fn attack_05_a_certificate_that_is_not_valid_yet() {
    let scene = Scene::new();
    let early = Credential::signed_by_ca_of(&scene.fi, |params| params.not_before = rcgen::date_time_ymd(2027, 3, 2));
    refused(scene.knock_with(early).await, "not valid yet");
}

#[tokio::test]
async fn attack_06_a_certificate_that_is_only_for_servers() {
    let scene = Scene::new();
    for usages in [vec![ExtendedKeyUsagePurpose::ServerAuth], vec![]] {
        let wrong = Credential::signed_by_ca_of(&scene.fi, |params| params.extended_key_usages = usages);
        refused(scene.knock_with(wrong).await, "not meant for this use");
    }
}

#[tokio::test]
async fn attack_07_a_revoked_certificate() {
    let scene = Scene::new();
    let csc = scene.fi.participant("csc", &[]);
    let which = pleiad::peers::authority::Which::Identity(csc.identity.clone());
    scene.fi.authority.revoke(&which, pleiad::peers::authority::Reason::KeyCompromise).unwrap();
    // The revocation list alone must be enough: the fingerprint list beside it is taken away.
    std::fs::remove_file(scene.fi.member.keys().join("revoked.jsonl")).unwrap();
    scene.fi.publish();
    refused(scene.knock_with(Credential::of(&csc)).await, "it is revoked");
}

#[tokio::test]
async fn attack_08_one_states_ca_issues_another_states_identity() {
    let scene = Scene::new();
    let name = mallory(&scene.fi);
    let crossed = Credential::signed_by_ca_of(&scene.de, |params| params.subject_alt_names = vec![uri(&name)]);
    refused(scene.knock_with(crossed).await, "no CA of its domain signed it");
}

#[tokio::test]
async fn attack_09_two_names_in_one_certificate() {
    let scene = Scene::new();
    let (one, two) = (mallory(&scene.de), mallory(&scene.fi));
    let both = Credential::signed_by_ca_of(&scene.de, |params| params.subject_alt_names = vec![uri(&one), uri(&two)]);
    refused(scene.knock_with(both).await, "2 URI names");
}

#[tokio::test]
async fn attack_10_no_name_in_the_certificate() {
    let scene = Scene::new();
    let dns = SanType::DnsName("fi.pleiad.example".try_into().unwrap());
    for names in [vec![], vec![dns]] {
        let nameless = Credential::signed_by_ca_of(&scene.fi, |params| params.subject_alt_names = names);
        refused(scene.knock_with(nameless).await, "0 URI names");
    }
    let name = format!("spiffe://{}", scene.fi.domain);
    let short = Credential::signed_by_ca_of(&scene.fi, |params| params.subject_alt_names = vec![uri(&name)]);
    refused(scene.knock_with(short).await, "name is refused");
}

#[tokio::test]
async fn attack_11_a_leaf_used_as_a_ca() {
    let scene = Scene::new();
    let leaf = Credential::of(&scene.fi.participant("csc", &[]));
    let key = KeyPair::try_from(leaf.key.secret_der()).unwrap();
    let issuer = Issuer::from_ca_cert_der(&leaf.chain[0], key).unwrap();
    let mut forged = Credential::signed_by(&issuer, &mallory(&scene.fi), |_| {});
    forged.chain.extend(leaf.chain);
    refused(scene.knock_with(forged).await, "no CA of its domain signed it");
}

#[tokio::test]
async fn attack_12_an_intermediate_ca_that_nobody_listed() {
    let scene = Scene::new();
    for limit in [BasicConstraints::Unconstrained, BasicConstraints::Constrained(0)] {
        let below = Credential::signed_by_ca_of(&scene.fi, |params| params.is_ca = IsCa::Ca(limit));
        let key = KeyPair::try_from(below.key.secret_der()).unwrap();
        let issuer = Issuer::from_ca_cert_der(&below.chain[0], key).unwrap();
        let mut forged = Credential::signed_by(&issuer, &mallory(&scene.fi), |_| {});
        forged.chain.extend(below.chain);
        refused(scene.knock_with(forged).await, "no CA of its domain signed it");
    }
}

#[tokio::test]
async fn attack_13_a_client_that_speaks_only_tls_1_2() {
    let scene = Scene::new();
    let honest = Credential::of(&scene.fi.participant("csc", &[]));
    let old = attacker_speaking(Some(honest), aws_lc_rs::default_provider(), &[&rustls::version::TLS12]);
    let verdict = knock(Arc::new(scene.door()), Arc::new(old)).await;
    refused(verdict.map(|(presented, _)| presented), "incompatible");
}

#[tokio::test]
async fn attack_14_a_stolen_certificate_without_its_key() {
    let scene = Scene::new();
    let stolen = Credential::of(&scene.fi.participant("csc", &[])).chain;
    let key = PrivateKeyDer::try_from(KeyPair::generate().unwrap().serialize_der()).unwrap();
    refused(scene.knock_with(Credential { chain: stolen, key }).await, "BadSignature");
}

#[tokio::test]
async fn attack_15_a_revocation_list_that_ran_out() {
    let scene = Scene::new();
    let csc = scene.de.participant("csc", &[]);
    scene.clock.advance(jiff::SignedDuration::from_hours(6 * 24));
    // Fresh peer files with the old lists, and fresh lists at the door itself.
    scene.fi.authority.write_crl(pleiad::peers::authority::CRL_LIFETIME).unwrap();
    scene.fi.publish();
    scene.de.publish();
    scene.fi.trusts(&scene.de);
    refused(scene.knock_with(Credential::of(&csc)).await, "revocation list ran out");
}

#[tokio::test]
async fn attack_16_a_server_that_is_another_node_than_the_one_called() {
    let clock = pki::clock();
    let (listener, port) = listener().await;
    let (fi, de, se) = (State::new("fi", 1, &clock), State::new("de", port, &clock), State::new("se", port, &clock));
    pki::introduce(&[&fi, &de, &se]);
    // Sweden's honest node answers at the address where Germany's is looked for.
    let _door = open_door(listener, se.own(), &se.trust());
    let federation = Federation::new(fi.own(), fi.trust(), Options::default());
    let refused = federation.get(&de.node, "x", &[], soon(), 1000).await.unwrap_err();
    let CallError::Refused(reason) = refused else { panic!("{refused:?}") };
    assert!(reason.contains("se.pleiad.example/node/se answered where"), "{reason}");
    assert_eq!(federation.get(&se.node, "x", &[], soon(), 1000).await.unwrap().status, 200);
}

#[tokio::test]
async fn attack_17_a_classical_client_where_post_quantum_is_required() {
    let scene = Scene::new();
    let csc = scene.fi.participant("csc", &[]);
    let door = || {
        let config = tls::server_config(&scene.fi.own(), &scene.fi.trust(), KeyExchange::RequirePostQuantum);
        Arc::new(config.unwrap())
    };
    let mut classical = aws_lc_rs::default_provider();
    classical.kx_groups = vec![aws_lc_rs::kx_group::X25519];
    let classical = attacker_speaking(Some(Credential::of(&csc)), classical, &[&rustls::version::TLS13]);
    refused(knock(door(), Arc::new(classical)).await.map(|(presented, _)| presented), "incompatible");
    let modern = attacker(Some(Credential::of(&csc)));
    assert_eq!(knock(door(), Arc::new(modern)).await.unwrap().0.identity, csc.identity);
}

#[tokio::test]
async fn a_session_is_never_resumed_so_nobody_comes_back_unverified() {
    let scene = Scene::new();
    let csc = scene.fi.participant("csc", &[]);
    let trust = scene.fi.trust();
    let door = Arc::new(tls::server_config(&scene.fi.own(), &trust, KeyExchange::default()).unwrap());
    let caller = Arc::new(attacker(Some(Credential::of(&csc))));
    for _ in 0..2 {
        let (_, kind) = knock(Arc::clone(&door), Arc::clone(&caller)).await.unwrap();
        assert!(matches!(kind, HandshakeKind::Full | HandshakeKind::FullWithHelloRetryRequest), "{kind:?}");
    }
    let which = pleiad::peers::authority::Which::Identity(csc.identity);
    scene.fi.authority.revoke(&which, pleiad::peers::authority::Reason::KeyCompromise).unwrap();
    scene.fi.publish();
    assert!(trust.reload(), "the new peer file is seen without a restart");
    refused(knock(door, caller).await.map(|(presented, _)| presented), "was withdrawn");
}

#[tokio::test]
async fn a_domain_without_a_revocation_list_is_refused_and_an_empty_list_is_not() {
    let scene = Scene::new();
    let csc = scene.de.participant("csc", &[]);
    assert!(scene.knock_with(Credential::of(&csc)).await.is_ok(), "its list is there and empty");
    std::fs::remove_file(scene.de.member.keys().join("crl.der")).unwrap();
    scene.de.publish();
    scene.fi.trusts(&scene.de);
    refused(scene.knock_with(Credential::of(&csc)).await, "no revocation list");
}

#[tokio::test]
async fn a_node_that_the_trust_list_does_not_name_is_refused_though_its_ca_vouches_for_it() {
    let scene = Scene::new();
    let name = format!("spiffe://{}/node/second", scene.de.domain);
    let second = Credential::signed_by_ca_of(&scene.de, |params| params.subject_alt_names = vec![uri(&name)]);
    refused(scene.knock_with(second).await, "is not the node of its domain");
}

#[tokio::test]
async fn a_participant_that_answers_in_its_nodes_place_is_refused() {
    let clock = pki::clock();
    let (listener, port) = listener().await;
    let (fi, de) = (State::new("fi", 1, &clock), State::new("de", port, &clock));
    pki::introduce(&[&fi, &de]);
    let impostor = de.participant("mallory", &[&fi]);
    let _door = open_door(listener, impostor.own(), &impostor.trust());
    let federation = Federation::new(fi.own(), fi.trust(), Options::default());
    let refused = federation.get(&de.node, "x", &[], soon(), 1000).await.unwrap_err();
    assert!(matches!(&refused, CallError::Refused(reason) if reason.contains("participant/mallory")), "{refused:?}");
}

#[tokio::test]
async fn a_caller_whom_the_peer_does_not_trust_learns_that_it_was_refused() {
    let clock = pki::clock();
    let (listener, port) = listener().await;
    let (fi, de) = (State::new("fi", 1, &clock), State::new("de", port, &clock));
    fi.trusts(&de);
    let _door = open_door(listener, de.own(), &de.trust());
    let federation = Federation::new(fi.own(), fi.trust(), Options::default());
    let refused = federation.get(&de.node, "x", &[], soon(), 1000).await.unwrap_err();
    assert!(
        matches!(&refused, CallError::Refused(reason) if reason.contains("refused our certificate")),
        "{refused:?}"
    );
}

#[test]
fn a_certificate_whose_key_others_can_read_is_refused_in_production() {
    use std::os::unix::fs::PermissionsExt as _;
    let scene = Scene::new();
    let path = scene.fi.member.node_certificate();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let refused = tls::OwnCertificate::load(&path, Modes::Enforce).unwrap_err();
    assert!(refused.to_string().contains("chmod 600"), "{refused}");
    assert!(tls::OwnCertificate::load(&path, Modes::Warn).is_ok());
}
