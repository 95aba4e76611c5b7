//! Bytes from outside that are almost right: whatever is changed in a certificate, a peer file or a renewal, it is
//! refused, and nothing panics.

use std::sync::LazyLock;

use pleiad::keys::{Keyring, Modes, PublicKey, SignerName, jws};
use pleiad::peers::enrol::Enrolment;
use pleiad::peers::identity::Presented;
use pleiad::peers::peer_file::{PeerFile, TYPE};
use pleiad::peers::renewal;
use pleiad::peers::verify::{Authorities, Usage};
use proptest::prelude::*;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::pki::{self, State};

/// One state's genuine things, made once.
struct Genuine {
    leaf: Vec<u8>,
    ca: Vec<u8>,
    crl: Vec<u8>,
    peer_file: String,
    renewal: String,
    key: PublicKey,
    state: State,
}

static GENUINE: LazyLock<Genuine> = LazyLock::new(|| {
    let state = State::new("fi", 1, &pki::clock());
    let keys = state.member.keys();
    Genuine {
        leaf: CertificateDer::from_pem_file(state.member.node_certificate()).unwrap().to_vec(),
        ca: state.authority.certificate().to_vec(),
        crl: std::fs::read(keys.join("crl.der")).unwrap(),
        peer_file: state.peer_file().trim().to_owned(),
        renewal: Enrolment::new(&keys, "node", Modes::Enforce).renewal().unwrap(),
        key: state.list_key(),
        state,
    }
});

fn read_peer_file(text: &str) -> bool {
    let genuine = &*GENUINE;
    let pinned = |id: &str| (id == genuine.key.key_id()).then_some((&genuine.state.domain, &genuine.key));
    PeerFile::read(text, pinned).is_ok()
}

fn is_accepted(leaf: &[u8], crl: &[u8]) -> bool {
    let now = pleiad::clock::Clock::now(&pki::clock());
    let leaf = CertificateDer::from(leaf);
    Presented::read(&leaf).is_ok()
        && Authorities::read(&[&GENUINE.ca], &[crl]).is_ok_and(|it| it.verify(&leaf, Usage::Client, now).is_ok())
}

#[test]
fn the_genuine_things_are_accepted() {
    assert!(is_accepted(&GENUINE.leaf, &GENUINE.crl));
    assert!(read_peer_file(&GENUINE.peer_file));
    assert!(renewal::read(&GENUINE.renewal).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_certificate_with_one_bit_changed_is_refused(at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let mut leaf = GENUINE.leaf.clone();
        let at = at.index(leaf.len());
        leaf[at] ^= 1 << bit;
        prop_assert!(!is_accepted(&leaf, &GENUINE.crl), "byte {}", at);
    }

    #[test]
    fn a_revocation_list_with_one_bit_changed_lets_nobody_in(at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let mut crl = GENUINE.crl.clone();
        let at = at.index(crl.len());
        crl[at] ^= 1 << bit;
        prop_assert!(!is_accepted(&GENUINE.leaf, &crl), "byte {}", at);
    }

    #[test]
    fn a_peer_file_with_one_character_changed_is_refused(at in any::<prop::sample::Index>(), by in "[A-Za-z0-9_.=-]") {
        let file = &GENUINE.peer_file;
        let at = at.index(file.len());
        let changed = format!("{}{by}{}", &file[..at], &file[at + 1..]);
        prop_assume!(changed != *file);
        prop_assert!(!read_peer_file(&changed), "character {}", at);
    }

    #[test]
    fn a_signed_payload_that_is_anything_else_is_refused(payload in prop::collection::vec(any::<u8>(), 0..300)) {
        let signer = Keyring::new(GENUINE.state.member.keys(), Modes::Enforce).signer(SignerName::List).unwrap();
        prop_assert!(!read_peer_file(&jws::sign(&*signer, TYPE, &payload)));
    }

    #[test]
    fn noise_is_refused(noise in prop::collection::vec(any::<u8>(), 0..400), cut in any::<prop::sample::Index>()) {
        prop_assert!(Presented::read(&CertificateDer::from(noise.as_slice())).is_err());
        prop_assert!(Authorities::read(&[&noise], &[&GENUINE.crl]).is_err());
        prop_assert!(Authorities::read(&[&GENUINE.ca], &[&noise]).is_err());
        let text = String::from_utf8_lossy(&noise);
        prop_assert!(!read_peer_file(&text));
        prop_assert!(renewal::read(&text).is_err());
        let leaf = &GENUINE.leaf[..cut.index(GENUINE.leaf.len())];
        prop_assert!(Presented::read(&CertificateDer::from(leaf)).is_err(), "a certificate that was cut off");
        // Up to the last line, which carries no data.
        let renewal = &GENUINE.renewal[..cut.index(GENUINE.renewal.rfind("-----END").unwrap())];
        prop_assert!(renewal::read(renewal).is_err(), "a renewal that was cut off");
    }
}
