//! The trust list: what is believed, for how long, and what a bad file can do to it (nothing).

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::SignedDuration;
use pleiad::keys::{Keyring, Modes, SignerName, jws};
use pleiad::outbound::federation::{Federation, Options};
use pleiad::peers::authority::{Reason, Which};
use pleiad::peers::enrol::Enrolment;
use pleiad::peers::peer_file::{PeerFile, PeerFileError, TYPE};
use pleiad::peers::publish;
use pleiad::peers::trust::{Offered, Refusal, Standing, Trust};
use pleiad::peers::wire::PEER_FILE_PATH;

use crate::federation_calls::{listener, open_door, soon};
use crate::node::TestNode;
use crate::pki::{self, State};

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

    /// Germany's file as Finland's trust list has it now.
    fn accepted(trust: &Trust, de: &State) -> u64 {
        trust.state().peer(&de.domain).expect("a file is in use").file.sequence
    }

    /// Puts a text into Finland's folder as Germany's file.
    fn put(&self, text: &str) {
        std::fs::write(self.fi.member.trust().join("de.pleiad.example.jws"), text).unwrap();
    }

    /// Germany's current file with a change, signed by whichever key.
    fn de_says(&self, signer: &dyn pleiad::keys::Signer, change: impl FnOnce(&mut serde_json::Value)) -> String {
        let current = self.de.publisher().current().unwrap().unwrap();
        let mut payload = serde_json::to_value(current).unwrap();
        payload["sequence"] = (payload["sequence"].as_u64().unwrap() + 1).into();
        change(&mut payload);
        jws::sign(signer, TYPE, payload.to_string().as_bytes())
    }

    fn de_key(&self) -> Arc<dyn pleiad::keys::Signer> {
        Keyring::new(self.de.member.keys(), Modes::Enforce).signer(SignerName::List).unwrap()
    }
}

#[test]
fn a_stale_peer_file_leaves_search_for_the_grace_and_then_nothing() {
    let Scene { clock, fi, de } = Scene::new();
    let trust = fi.trust();
    assert_eq!(trust.standing(&de.domain), Ok(Standing::Valid));
    clock.advance(publish::LIFETIME);
    assert_eq!(trust.standing(&de.domain), Ok(Standing::StaleTrust));
    clock.advance(SignedDuration::from_hours(72) - SignedDuration::from_secs(1));
    assert_eq!(trust.standing(&de.domain), Ok(Standing::StaleTrust));
    clock.advance(SignedDuration::from_secs(1));
    assert!(matches!(trust.standing(&de.domain), Err(Refusal::TrustExpired { .. })));
    de.publish();
    trust.offer(&de.peer_file());
    assert_eq!(trust.standing(&de.domain), Ok(Standing::Valid));
}

#[tokio::test]
async fn during_the_grace_the_door_still_opens_and_says_that_trust_is_stale() {
    let clock = pki::clock();
    let (listener, port) = listener().await;
    let (fi, de) = (State::new("fi", 1, &clock), State::new("de", port, &clock));
    pki::introduce(&[&fi, &de]);
    let _door = open_door(listener, de.own(), &de.trust());
    let federation = Federation::new(fi.own(), fi.trust(), Options::default());
    clock.advance(SignedDuration::from_hours(95));
    let answer = federation.get(&de.node, "x", &[], soon(), 1000).await.unwrap();
    assert_eq!(answer.bytes, format!("{} StaleTrust", fi.node));
    clock.advance(SignedDuration::from_hours(2));
    let refused = federation.get(&de.node, "x", &[], soon(), 1000).await.unwrap_err();
    assert!(refused.to_string().contains("no grace covers this"), "{refused}");
}

#[tokio::test]
async fn a_participant_revoked_in_the_middle_is_refused_on_the_connection_it_already_has() {
    let clock = pki::clock();
    let (listener, port) = listener().await;
    let (fi, de) = (State::new("fi", 1, &clock), State::new("de", port, &clock));
    pki::introduce(&[&fi, &de]);
    let trust = de.trust();
    let door = open_door(listener, de.own(), &trust);
    let csc = fi.participant("csc", &[&de]);
    let holder = Federation::new(csc.own(), csc.trust(), Options::default());
    assert_eq!(holder.get(&de.node, "x", &[], soon(), 1000).await.unwrap().status, 200);

    fi.authority.revoke(&Which::Identity(csc.identity.clone()), Reason::KeyCompromise).unwrap();
    fi.publish();
    assert!(matches!(trust.offer(&fi.peer_file()), Offered::Accepted { .. }));
    let answer = holder.get(&de.node, "x", &[], soon(), 1000).await.unwrap();
    assert_eq!(answer.status, 403);
    assert!(answer.success().unwrap_err().to_string().contains("was withdrawn"));
    assert_eq!(door.handshakes.load(Ordering::SeqCst), 1, "it was the same connection");
}

#[test]
fn a_certificate_on_the_local_deny_list_is_refused_at_once() {
    let Scene { fi, de, .. } = Scene::new();
    let csc = de.participant("csc", &[]);
    let presented = presented(csc.own().as_ref(), &csc.member.participant_certificate());
    let trust = fi.trust();
    assert_eq!(trust.check_again(&presented), Ok(Standing::Valid));
    let line = format!("{} # seen where it should not be\n", presented.fingerprint);
    std::fs::write(fi.member.trust().join("denied.txt"), line).unwrap();
    assert!(trust.reload());
    assert_eq!(trust.check_again(&presented), Err(Refusal::Denied(presented.fingerprint)));
    // A deny list that cannot be read leaves the old one in force.
    std::fs::write(fi.member.trust().join("denied.txt"), "everybody").unwrap();
    assert!(trust.reload());
    assert_eq!(trust.check_again(&presented), Err(Refusal::Denied(presented.fingerprint)));
    assert!(trust.state().problems()[0].contains("denied.txt"));
}

#[test]
fn a_connection_is_refused_when_its_ca_its_certificate_or_its_domain_goes() {
    let scene = Scene::new();
    let csc = scene.de.participant("csc", &[]);
    let presented = presented(csc.own().as_ref(), &csc.member.participant_certificate());
    let trust = scene.fi.trust();
    assert_eq!(trust.check_again(&presented), Ok(Standing::Valid));

    // Germany changes its CA: the certificate is not revoked, but its issuer is not listed any more.
    let other = State::new("de", 2, &scene.clock);
    let ca = data_encoding::BASE64.encode(other.authority.certificate());
    let crl = data_encoding::BASE64.encode(&std::fs::read(other.member.keys().join("crl.der")).unwrap());
    let changed = scene.de_says(&*scene.de_key(), |file| {
        file["ca"] = serde_json::json!([ca]);
        file["crls"] = serde_json::json!([crl]);
    });
    assert!(matches!(trust.offer(&changed), Offered::Accepted { .. }));
    assert!(matches!(trust.check_again(&presented), Err(Refusal::Certificate { .. })));

    let mut pins = pleiad::peers::pins::Pins::read(&scene.fi.member.pins()).unwrap();
    pins.unpin(&scene.de.domain);
    pins.write(&scene.fi.member.pins()).unwrap();
    assert!(trust.reload());
    assert_eq!(trust.check_again(&presented), Err(Refusal::UnknownDomain(scene.de.domain.clone())));
}

#[test]
fn an_older_file_is_refused_and_stays_refused_after_a_restart() {
    let scene = Scene::new();
    let trust = scene.fi.trust();
    let old = scene.de.peer_file();
    scene.de.publish();
    assert!(matches!(trust.offer(&scene.de.peer_file()), Offered::Accepted { .. }));
    let newest = Scene::accepted(&trust, &scene.de);
    assert_eq!(trust.offer(&old), Offered::Older);

    scene.put(&format!("{old}\n"));
    trust.reload();
    let restarted = scene.fi.trust();
    for trust in [&trust, &restarted] {
        assert_eq!(Scene::accepted(trust, &scene.de), newest);
        let state = trust.state();
        let report = state.files().iter().find(|report| report.file == "de.pleiad.example.jws").unwrap();
        assert!(matches!(report.refused, Some(PeerFileError::RolledBack { .. })), "{report:?}");
    }
}

#[test]
fn two_files_with_one_number_are_seen() {
    let scene = Scene::new();
    let trust = scene.fi.trust();
    let one = scene.de_says(&*scene.de_key(), |_| {});
    let two = scene.de_says(&*scene.de_key(), |file| file["name"] = "Another".into());
    assert!(matches!(trust.offer(&one), Offered::Accepted { .. }));
    assert!(matches!(trust.offer(&two), Offered::Refused(PeerFileError::Equivocates(_))));
}

#[test]
fn a_broken_file_changes_nothing_but_its_own_report() {
    let scene = Scene::new();
    let trust = scene.fi.trust();
    let before = Scene::accepted(&trust, &scene.de);
    let wrong_key = Keyring::new(scene.fi.member.keys(), Modes::Enforce).signer(SignerName::List).unwrap();
    let right = &*scene.de_key();
    let say = |change: fn(&mut serde_json::Value)| scene.de_says(right, change);
    for (text, why) in [
        (String::new(), "not a compact JWS"),
        ("{\"sequence\":99}".to_owned(), "not a compact JWS"),
        (scene.de_says(&*wrong_key, |_| {}), "its key is pinned for fi.pleiad.example"),
        (say(|file| file["also"] = 1.into()), "unknown field `also`"),
        (say(|file| file["node"] = "spiffe://fi.pleiad.example/node/fi".into()), "speaks about fi.pleiad.example"),
        (say(|file| file["node"] = "spiffe://de.pleiad.example/participant/x".into()), "is not a node"),
        (say(|file| file["countries"] = serde_json::json!([])), "no country"),
        (say(|file| file["countries"] = serde_json::json!(["XX"])), "country \"XX\""),
        (say(|file| file["addresses"] = serde_json::json!(["http://de.example/"])), "https://host:port/"),
        (say(|file| file["addresses"] = serde_json::json!(["https://u:p@de.example/"])), "https://host:port/"),
        (say(|file| file["next_update"] = "2028-01-01T00:00:00Z".into()), "more than 31 days"),
        (say(|file| file["next_update"] = file["issued"].clone()), "not after issued"),
        (say(|file| file["ca"] = serde_json::json!(["AAAA"])), "CA certificate 1"),
        (say(|file| file["ca"] = serde_json::json!([])), "no CA certificate"),
        (say(|file| file["crls"] = serde_json::json!(["AAAA"])), "revocation list 1"),
        (say(|file| file["sequence"] = (-1).into()), "content is refused"),
    ] {
        scene.put(&text);
        assert!(trust.reload(), "{why}");
        assert_eq!(Scene::accepted(&trust, &scene.de), before, "{why}");
        assert_eq!(trust.standing(&scene.de.domain), Ok(Standing::Valid), "{why}");
        let state = trust.state();
        let report = state.files().iter().find(|report| report.file == "de.pleiad.example.jws").unwrap();
        let reason = report.refused.as_ref().expect(why).to_string();
        assert!(reason.contains(why), "expected {why:?}, but: {reason}");
        assert!(matches!(trust.offer(&text), Offered::Refused(_)), "{why}");
    }
    let restarted = scene.fi.trust();
    assert_eq!(Scene::accepted(&restarted, &scene.de), before, "the accepted file outlives a restart");
}

#[test]
fn a_file_signed_in_the_future_waits_and_a_broken_pin_list_stops_the_start_only() {
    let scene = Scene::new();
    let trust = scene.fi.trust();
    let early = scene.de_says(&*scene.de_key(), |file| {
        file["issued"] = "2027-03-01T18:00:00Z".into();
        file["next_update"] = "2027-03-02T18:00:00Z".into();
    });
    trust.offer(&early);
    assert!(matches!(trust.standing(&scene.de.domain), Err(Refusal::TrustNotYetValid { .. })));
    scene.clock.advance(SignedDuration::from_hours(6));
    assert_eq!(trust.standing(&scene.de.domain), Ok(Standing::Valid));

    std::fs::write(scene.fi.member.pins(), "[pins]\n\"de.pleiad.example\" = \"rsa:1\"\n").unwrap();
    assert!(trust.reload());
    assert_eq!(trust.standing(&scene.de.domain), Ok(Standing::Valid));
    assert!(trust.state().problems()[0].contains("pins.toml"));
    let clock: Arc<dyn pleiad::clock::Clock> = Arc::new(scene.clock.clone());
    let refused = Trust::open(scene.fi.member.trust(), None, SignedDuration::ZERO, clock).unwrap_err();
    assert!(refused.to_string().contains("ed25519:"), "{refused}");
}

#[test]
fn a_new_list_key_takes_over_when_it_is_pinned_beside_the_old_one() {
    let scene = Scene::new();
    let trust = scene.fi.trust();
    let old_key = scene.de.list_key();
    let keys = scene.de.member.keys();
    std::fs::rename(keys.join("list.key.pem"), keys.join("old.pem")).unwrap();
    let new = Keyring::new(&keys, Modes::Enforce).create(SignerName::List).unwrap();
    std::fs::remove_file(scene.de.publisher().path()).unwrap();
    scene.clock.advance(SignedDuration::from_secs(5));
    scene.de.publish();
    assert!(matches!(trust.offer(&scene.de.peer_file()), Offered::Refused(PeerFileError::NotPinned(_))));

    let mut pins = pleiad::peers::pins::Pins::read(&scene.fi.member.pins()).unwrap();
    pins.pin(scene.de.domain.clone(), vec![old_key, new.public_key()]);
    pins.write(&scene.fi.member.pins()).unwrap();
    trust.reload();
    assert!(matches!(trust.offer(&scene.de.peer_file()), Offered::Accepted { .. }));
}

#[tokio::test]
async fn a_changed_file_and_a_renewed_certificate_are_in_use_without_a_restart() {
    let Scene { clock: _, fi, de } = Scene::new();
    let (trust, own) = (fi.trust(), fi.own());
    let watching = [
        tokio::spawn(Arc::clone(&trust).watch(Duration::from_millis(20))),
        tokio::spawn(Arc::clone(&own).watch(Duration::from_millis(20))),
    ];
    de.publish();
    let newest = de.publisher().current().unwrap().unwrap().sequence;
    fi.trusts(&de);
    let before = own.fingerprint();
    let enrolment = Enrolment::new(&fi.member.keys(), "node", Modes::Enforce);
    let renewed = fi.authority.renew(&enrolment.renewal().unwrap(), SignedDuration::from_hours(24)).unwrap();
    let renewed = enrolment.install(&renewed).unwrap();
    assert_ne!(renewed.fingerprint, before);
    for _ in 0..500 {
        if Scene::accepted(&trust, &de) == newest && own.fingerprint() == renewed.fingerprint {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(Scene::accepted(&trust, &de), newest);
    assert_eq!(own.fingerprint(), renewed.fingerprint);
    // A broken file leaves the certificate in use as it is.
    std::fs::write(fi.member.node_certificate(), "half a file").unwrap();
    assert!(own.reload().is_err());
    assert_eq!(own.fingerprint(), renewed.fingerprint);
    for task in watching {
        task.abort();
    }
}

#[tokio::test]
async fn two_nodes_that_were_apart_for_long_meet_again_by_the_peer_file_alone() {
    let clock = pki::clock();
    let (listener, port) = listener().await;
    let (fi, de) = (State::new("fi", 1, &clock), State::new("de", port, &clock));
    pki::introduce(&[&fi, &de]);
    clock.advance(SignedDuration::from_hours(24 * 10));
    for state in [&fi, &de] {
        state.publisher().publish_if_due(&state.description()).unwrap();
    }
    // Germany knows Finland's new file; Finland has only the file and the revocation list of ten days ago.
    de.trusts(&fi);
    let door_trust = de.trust();
    let _door = open_door(listener, de.own(), &door_trust);
    let federation = Federation::new(fi.own(), fi.trust(), Options::default());
    assert!(federation.get(&de.node, "x", &[], soon(), 1000).await.is_err());
    let file = federation.fetch_peer_file(&de.node, PEER_FILE_PATH, soon()).await.unwrap();
    assert!(matches!(federation.trust().offer(&file), Offered::Accepted { .. }));
    assert_eq!(federation.get(&de.node, "x", &[], soon(), 1000).await.unwrap().status, 200);
}

#[test]
fn a_running_node_signs_its_file_anew_when_something_changed_or_half_its_time_is_over() {
    let Scene { clock, fi, .. } = Scene::new();
    let publisher = fi.publisher();
    let description = fi.description();
    assert!(!publisher.publish_if_due(&description).unwrap(), "it was just written");
    let renamed = publish::Description { name: "Suomi".to_owned(), ..description };
    assert!(publisher.publish_if_due(&renamed).unwrap());
    assert!(!publisher.publish_if_due(&renamed).unwrap());
    let csc = fi.participant("csc", &[]);
    fi.authority.revoke(&Which::Identity(csc.identity), Reason::Superseded).unwrap();
    assert!(publisher.publish_if_due(&renamed).unwrap());
    clock.advance(SignedDuration::from_hours(11));
    assert!(!publisher.publish_if_due(&renamed).unwrap());
    clock.advance(SignedDuration::from_hours(1));
    let before = publisher.current().unwrap().unwrap();
    assert!(publisher.publish_if_due(&renamed).unwrap());
    let after = publisher.current().unwrap().unwrap();
    assert!(after.sequence > before.sequence);
    assert_ne!(after.crls, before.crls, "the revocation list is renewed with it, so that it outlives the grace");
}

#[test]
fn a_node_with_its_ca_renews_its_certificate_in_time_and_one_without_does_not_pretend() {
    let Scene { clock, fi, .. } = Scene::new();
    let (publisher, own) = (fi.publisher(), fi.own());
    let before = own.fingerprint();
    clock.advance(SignedDuration::from_hours(24 * 59));
    assert!(!publisher.renew_certificate_if_due().unwrap());
    clock.advance(SignedDuration::from_hours(24 * 2));
    let key = fi.member.keys().join("ca.key.pem");
    std::fs::rename(&key, key.with_extension("away")).unwrap();
    let told = publisher.renew_certificate_if_due().unwrap_err().to_string();
    assert!(told.contains("in 29 days") || told.contains("in 28 days"), "{told}");
    std::fs::rename(key.with_extension("away"), &key).unwrap();
    assert!(publisher.renew_certificate_if_due().unwrap());
    assert!(own.reload().unwrap());
    assert_ne!(own.fingerprint(), before);
    assert_eq!(own.identity(), fi.node);
    let left = own.not_after().duration_since(pleiad::clock::Clock::now(&clock));
    assert_eq!(left, SignedDuration::from_hours(24 * 90));
    assert!(!publisher.renew_certificate_if_due().unwrap());
}

#[test]
fn a_revoked_certificate_is_listed_until_well_after_its_own_end_and_not_for_ever() {
    let Scene { clock, fi, .. } = Scene::new();
    let csc = fi.participant("csc", &[]);
    let fingerprint = csc.own().fingerprint();
    fi.authority.revoke(&Which::Fingerprint(fingerprint), Reason::Superseded).unwrap();
    let listed = || {
        fi.authority.write_crl(SignedDuration::from_hours(24)).unwrap();
        fi.publish();
        let file = fi.publisher().current().unwrap().unwrap();
        let (_, crl) = x509_parser::parse_x509_crl(&file.crls[0].0).unwrap();
        (file.revoked.contains(&fingerprint), crl.iter_revoked_certificates().count())
    };
    assert_eq!(listed(), (true, 1));
    clock.advance(SignedDuration::from_hours(24 * 60));
    assert_eq!(listed(), (true, 1));
    clock.advance(SignedDuration::from_hours(1));
    assert_eq!(listed(), (false, 0));
    assert_eq!(fi.authority.revoked().unwrap().len(), 1, "the CA itself forgets nothing");
}

#[test]
fn a_node_is_ready_while_peers_can_trust_it() {
    let Scene { clock, fi, .. } = Scene::new();
    let trust = fi.trust();
    assert_eq!(trust.readiness(), Ok(()));
    clock.advance(publish::LIFETIME);
    assert!(matches!(trust.readiness(), Err(Refusal::TrustExpired { .. })));
    fi.publish();
    trust.reload();
    assert_eq!(trust.readiness(), Ok(()));
    clock.advance(SignedDuration::from_hours(5 * 24));
    fi.publish();
    trust.reload();
    assert!(trust.readiness().unwrap_err().to_string().contains("revocation list ran out"));
}

#[tokio::test]
async fn a_running_node_publishes_what_its_settings_say_and_is_not_ready_when_its_file_ran_out() {
    let node = TestNode::start_with("fi", |settings| {
        settings.node.name = [("fi".to_owned(), "Suomi".to_owned())].into();
    })
    .await;
    let publisher = node.state.publisher();
    let mut file = None;
    for _ in 0..500 {
        file = publisher.current().unwrap().filter(|file| file.name == "Suomi");
        if file.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let file = file.expect("a new peer file");
    assert_eq!(file.addresses[0].port(), Some(node.running.addresses.federation.port()));
    assert!(file.keys.contains_key("log"), "peers need the key of the log's head");

    assert_eq!(node.operations("/health/ready").send().await.status, 200);
    node.clock.advance(publish::LIFETIME);
    let refused = node.operations("/health/ready").send().await;
    assert_eq!(refused.status, 503);
    assert!(refused.text().contains("ran out"), "{}", refused.text());
}

/// A certificate as a door keeps it with a connection.
fn presented(own: &pleiad::peers::tls::OwnCertificate, path: &std::path::Path) -> pleiad::peers::identity::Presented {
    use rustls::pki_types::pem::PemObject as _;
    let der = rustls::pki_types::CertificateDer::from_pem_file(path).unwrap();
    let presented = pleiad::peers::identity::Presented::read(&der).unwrap();
    assert_eq!(presented.fingerprint, own.fingerprint());
    presented
}

/// The signed file is what the type says, both ways.
#[test]
fn a_peer_file_is_the_same_after_it_was_signed_and_read() {
    let Scene { de, .. } = Scene::new();
    let file = de.publisher().current().unwrap().unwrap();
    let key = de.list_key();
    let peer = PeerFile::read(&de.peer_file(), |id| (id == key.key_id()).then_some((&de.domain, &key))).unwrap();
    assert_eq!(peer.file, file);
    assert_eq!(peer.file.name, "Node de");
}
