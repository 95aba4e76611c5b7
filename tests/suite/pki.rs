//! Member states for tests: a CA, a node with its certificate and peer file, participants, and trust in each other.
//!
//! ```ignore
//! let clock = pki::clock();
//! let fi = State::new("fi", 4433, &clock);
//! let de = State::new("de", 4434, &clock);
//! pki::introduce(&[&fi, &de]);
//! let federation = Federation::new(fi.own(), fi.trust(), Options::default());
//! ```

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use pleiad::clock::{Clock, FixedClock};
use pleiad::domain::ids::{Identity, TrustDomain};
use pleiad::keys::{Keyring, Modes, PublicKey, SignerName};
use pleiad::peers::Member;
use pleiad::peers::authority::{Authority, CA_LIFETIME, DEFAULT_LIFETIME};
use pleiad::peers::enrol::Enrolment;
use pleiad::peers::pins::Pins;
use pleiad::peers::publish::{self, Description, Publisher};
use pleiad::peers::tls::OwnCertificate;
use pleiad::peers::trust::{DEFAULT_GRACE, Trust};
use tempfile::TempDir;

/// A clock that stands at a moment of the test's own.
pub fn clock() -> FixedClock {
    FixedClock::at("2027-03-01T12:00:00Z".parse::<Timestamp>().unwrap())
}

/// A member state in a folder of its own, which is removed with it.
pub struct State {
    /// Its folder, laid out as `pleiad::peers` says.
    pub member: Member,
    /// `<short>.pleiad.example`.
    pub domain: TrustDomain,
    /// Its node, with the id `<short>`.
    pub node: Identity,
    /// Its CA.
    pub authority: Authority,
    clock: Arc<dyn Clock>,
    port: u16,
    _folder: TempDir,
}

/// A participant's own folder: its certificate, and the trust list of its home node.
pub struct Participant {
    /// Its folder.
    pub member: Member,
    /// Who it is.
    pub identity: Identity,
    clock: Arc<dyn Clock>,
    _folder: TempDir,
}

impl State {
    /// A member state called by a country code in lower case, whose node listens for peers on this port of 127.0.0.1.
    pub fn new(short: &str, port: u16, clock: &(impl Clock + Clone + 'static)) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(clock.clone());
        let folder = tempfile::tempdir().unwrap();
        let member = Member::in_folder(folder.path());
        let domain: TrustDomain = format!("{short}.pleiad.example").parse().unwrap();
        let node = Identity::node(domain.clone(), short.parse().unwrap());
        let authority = Authority::create(member.keys(), &domain, short, CA_LIFETIME, Arc::clone(&clock)).unwrap();
        let enrolment = Enrolment::new(&member.keys(), "node", Modes::Enforce);
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let certificate = authority.sign(&enrolment.request().unwrap(), &node, &names, DEFAULT_LIFETIME).unwrap();
        enrolment.install(&certificate).unwrap();
        Keyring::new(member.keys(), Modes::Enforce).create(SignerName::List).unwrap();
        let state = Self { member, domain, node, authority, clock, port, _folder: folder };
        state.publish();
        state
    }

    /// Signs the node's peer file anew, with what its CA says now.
    pub fn publish(&self) {
        self.publisher().publish(&self.description(), publish::LIFETIME).unwrap();
    }

    /// The publisher of the node's peer file.
    pub fn publisher(&self) -> Publisher {
        Publisher::new(self.member.clone(), self.node.clone(), Modes::Enforce, Arc::clone(&self.clock))
    }

    /// What the node says about itself.
    pub fn description(&self) -> Description {
        let short = self.node.id().as_str();
        Description {
            name: format!("Node {short}"),
            countries: [short.to_uppercase().parse().unwrap()].into(),
            addresses: vec![format!("https://127.0.0.1:{}/", self.port).parse().unwrap()],
            server_name: "localhost".to_owned(),
        }
    }

    /// The node's signed peer file as it is on its disk.
    pub fn peer_file(&self) -> String {
        std::fs::read_to_string(self.publisher().path()).unwrap()
    }

    /// The public key that others pin.
    pub fn list_key(&self) -> PublicKey {
        Keyring::new(self.member.keys(), Modes::Enforce).signer(SignerName::List).unwrap().public_key()
    }

    /// Pins another state and takes a copy of its peer file.
    pub fn trusts(&self, other: &Self) {
        trust(&self.member, other);
    }

    /// The node's trust list, opened.
    pub fn trust(&self) -> Arc<Trust> {
        let own = Some((self.domain.clone(), self.list_key()));
        Trust::open(self.member.trust(), own, DEFAULT_GRACE, Arc::clone(&self.clock)).unwrap()
    }

    /// The node's certificate, opened.
    pub fn own(&self) -> Arc<OwnCertificate> {
        OwnCertificate::load(self.member.node_certificate(), Modes::Enforce).unwrap()
    }

    /// Enrols a participant, which trusts its home node and the states `others`.
    pub fn participant(&self, id: &str, others: &[&Self]) -> Participant {
        let folder = tempfile::tempdir().unwrap();
        let member = Member::in_folder(folder.path());
        let identity = Identity::participant(self.domain.clone(), id.parse().unwrap());
        let enrolment = Enrolment::new(&member.keys(), "participant", Modes::Enforce);
        let certificate = self
            .authority
            .sign(&enrolment.request().unwrap(), &identity, &[], SignedDuration::from_hours(24 * 30))
            .unwrap();
        enrolment.install(&certificate).unwrap();
        trust(&member, self);
        for other in others {
            trust(&member, other);
        }
        Participant { member, identity, clock: Arc::clone(&self.clock), _folder: folder }
    }
}

impl Participant {
    /// The participant's trust list, opened.
    pub fn trust(&self) -> Arc<Trust> {
        Trust::open(self.member.trust(), None, DEFAULT_GRACE, Arc::clone(&self.clock)).unwrap()
    }

    /// The participant's certificate, opened.
    pub fn own(&self) -> Arc<OwnCertificate> {
        OwnCertificate::load(self.member.participant_certificate(), Modes::Enforce).unwrap()
    }
}

/// Lets every state trust every other.
pub fn introduce(states: &[&State]) {
    for state in states {
        for other in states {
            if state.domain != other.domain {
                state.trusts(other);
            }
        }
    }
}

fn trust(member: &Member, other: &State) {
    let mut pins = Pins::read(&member.pins()).unwrap();
    pins.pin(other.domain.clone(), vec![other.list_key()]);
    pins.write(&member.pins()).unwrap();
    std::fs::write(member.trust().join(format!("{}.jws", other.domain)), other.peer_file()).unwrap();
}
