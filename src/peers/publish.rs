//! A node's own peer file: put together from its CA, its revocation list and its description, numbered and signed.
//!
//! A running node looks once in a while whether a new one is due ([`Publisher::publish_if_due`]): when its revocation
//! list or its description changed, and well before the file or the list runs out. Its certificate is renewed the same
//! way.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use url::Url;

use super::authority::{self, Authority, AuthorityError, Issued};
use super::enrol::{EnrolError, Enrolment};
use super::folder::TrustFolder;
use super::peer_file::{Bytes64, PeerFile, PeerFileError};
use super::{Member, ledger, verify};
use crate::clock::Clock;
use crate::domain::ids::{Country, Digest, Identity};
use crate::keys::{KeyFileError, Keyring, Modes, SignerName, files};

/// How long a peer file is valid; a running node writes a new one at half of it.
pub const LIFETIME: SignedDuration = SignedDuration::from_hours(24);

/// What a node says about itself that stands in no key file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// The node's name, for people.
    pub name: String,
    /// The countries whose datasets it may describe.
    pub countries: BTreeSet<Country>,
    /// The base addresses of its federation door, `https://host:port/`.
    pub addresses: Vec<Url>,
    /// The DNS name in its certificate.
    pub server_name: String,
}

impl Description {
    /// The description in a peer file.
    pub fn of(file: &PeerFile) -> Self {
        Self {
            name: file.name.clone(),
            countries: file.countries.clone(),
            addresses: file.addresses.clone(),
            server_name: file.server_name.clone(),
        }
    }
}

/// Why the peer file could not be written.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// A key or another file.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// The CA.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The content is not a peer file.
    #[error("the peer file would be refused by every peer: {0}")]
    Content(#[from] PeerFileError),
    /// The revocation list.
    #[error(transparent)]
    RevocationList(#[from] verify::AuthoritiesError),
    /// The node's certificate could not be renewed.
    #[error("the node's certificate could not be renewed: {0}")]
    Renewal(#[from] EnrolError),
    /// The node's certificate should be renewed, but not from here.
    #[error("the node's certificate runs out in {days} days: take what `pleiad keys renew` prints to the CA")]
    CaElsewhere {
        /// How many whole days are left.
        days: i64,
    },
    /// The clock is out of range.
    #[error("the clock says {0}, which is out of range")]
    Clock(Timestamp),
}

/// Writes and renews a node's own peer file.
#[derive(Debug, Clone)]
pub struct Publisher {
    member: Member,
    node: Identity,
    modes: Modes,
    clock: Arc<dyn Clock>,
}

impl Publisher {
    /// The publisher of `node`, whose keys and trust list are in `member`.
    pub fn new(member: Member, node: Identity, modes: Modes, clock: Arc<dyn Clock>) -> Self {
        Self { member, node, modes, clock }
    }

    /// Where the node's own peer file lies.
    pub fn path(&self) -> PathBuf {
        self.member.trust().join(format!("{}.jws", self.node.domain()))
    }

    /// The newest own peer file, if one was written.
    pub fn current(&self) -> Result<Option<PeerFile>, PublishError> {
        let key = Keyring::new(self.member.keys(), self.modes).signer(SignerName::List)?.public_key();
        let domain = self.node.domain().clone();
        let newest = TrustFolder::new(self.member.trust())
            .candidates()?
            .into_iter()
            .filter_map(|candidate| {
                let text = candidate.text.ok()?;
                PeerFile::read(&text, |id| (id == key.key_id()).then_some((&domain, &key))).ok()
            })
            .map(|peer| peer.file)
            .max_by_key(|file| file.sequence);
        Ok(newest)
    }

    /// Writes a new peer file.
    pub fn publish(&self, description: &Description, lifetime: SignedDuration) -> Result<PeerFile, PublishError> {
        let file = self.compose(description, lifetime, self.current()?.map_or(0, |file| file.sequence))?;
        let signer = Keyring::new(self.member.keys(), self.modes).signer(SignerName::List)?;
        let jws = file.sign(&*signer)?;
        files::replace(&self.path(), format!("{jws}\n").as_bytes(), files::PUBLIC)?;
        Ok(file)
    }

    /// Writes a new revocation list and a new peer file where they are due; says whether a peer file was written.
    /// Without the CA's key on this machine the revocation list is only read.
    pub fn publish_if_due(&self, description: &Description) -> Result<bool, PublishError> {
        let now = self.clock.now();
        self.renew_revocation_list(now)?;
        let current = self.current()?;
        let next = self.compose(description, LIFETIME, current.as_ref().map_or(0, |file| file.sequence))?;
        let due = current.is_none_or(|current| {
            let half = current.next_update.duration_since(current.issued) / 2;
            let (sequence, issued, next_update) = (current.sequence, current.issued, current.next_update);
            now.duration_since(issued) >= half || current != PeerFile { sequence, issued, next_update, ..next }
        });
        if due {
            self.publish(description, LIFETIME)?;
        }
        Ok(due)
    }

    /// Renews the node's certificate when a third of its time is left and the CA's key is on this machine; says whether
    /// it did. Without the key it is an error, because somebody has to carry the renewal to the CA.
    pub fn renew_certificate_if_due(&self) -> Result<bool, PublishError> {
        let enrolment = Enrolment::new(&self.member.keys(), "node", self.modes);
        let presented = enrolment.current()?;
        let lifetime = presented.not_after.duration_since(presented.not_before) - authority::BACK_DATED;
        let left = presented.not_after.duration_since(self.clock.now());
        if left > lifetime / 3 {
            return Ok(false);
        }
        if !self.member.keys().join("ca.key.pem").exists() {
            return Err(PublishError::CaElsewhere { days: left.as_hours() / 24 });
        }
        let ca = Authority::open(self.member.keys(), self.modes, Arc::clone(&self.clock))?;
        // As long as the old one was, which is what the CA decided once.
        let certificate = ca.renew(&enrolment.renewal()?, lifetime)?;
        enrolment.install(&certificate)?;
        Ok(true)
    }

    /// Looks whether a new certificate or peer file is due, once in every `period`, until the task is dropped.
    pub async fn watch(self, description: Description, period: Duration) {
        let mut ticks = tokio::time::interval(period);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let (publisher, description) = (Arc::new(self), Arc::new(description));
        let mut said = None;
        loop {
            ticks.tick().await;
            let (publisher, description) = (Arc::clone(&publisher), Arc::clone(&description));
            let due = move || {
                let renewed = publisher.renew_certificate_if_due();
                // Peers need the file even where the certificate could not be renewed.
                let published = publisher.publish_if_due(&description)?;
                renewed.map(|renewed| (renewed, published))
            };
            match tokio::task::spawn_blocking(due).await {
                Ok(Ok((renewed, published))) => {
                    said = None;
                    if renewed || published {
                        tracing::info!(renewed, published, "the node's certificate or peer file is new");
                    }
                }
                Ok(Err(error)) => {
                    let problem = error.to_string();
                    if said.as_ref() != Some(&problem) {
                        tracing::error!(
                            problem,
                            "peers will stop trusting this node when its certificate or peer file runs out"
                        );
                        said = Some(problem);
                    }
                }
                Err(_) => return,
            }
        }
    }

    fn renew_revocation_list(&self, now: Timestamp) -> Result<(), PublishError> {
        let keys = self.member.keys();
        if !keys.join("ca.key.pem").exists() {
            return Ok(());
        }
        let left = match files::read(&keys.join("crl.der"), 16 << 20) {
            Ok(crl) => {
                let ca = authority::read_ca(&keys)?;
                let read = verify::Authorities::read(&[ca], &[crl])?;
                read.crl_next_update().map_or(SignedDuration::ZERO, |next_update| next_update.duration_since(now))
            }
            Err(KeyFileError::Missing { .. }) => SignedDuration::ZERO,
            Err(error) => return Err(error.into()),
        };
        // The peer file of today must carry a list that outlives it and its grace.
        if left <= authority::CRL_LIFETIME - SignedDuration::from_hours(12) {
            Authority::open(keys, self.modes, Arc::clone(&self.clock))?.write_crl(authority::CRL_LIFETIME)?;
        }
        Ok(())
    }

    fn compose(
        &self,
        description: &Description,
        lifetime: SignedDuration,
        last: u64,
    ) -> Result<PeerFile, PublishError> {
        let now = self.clock.now();
        let keys = self.member.keys();
        let crls = match files::read(&keys.join("crl.der"), 16 << 20) {
            Ok(der) => vec![Bytes64(der)],
            Err(KeyFileError::Missing { .. }) => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        let issued: Vec<Issued> = ledger::read_lines(&keys.join(ledger::ISSUED))?;
        let revoked = ledger::listed(ledger::read_lines(&keys.join(ledger::REVOKED))?, &issued, now);
        let keyring = Keyring::new(&keys, self.modes);
        let mut public = std::collections::BTreeMap::new();
        for name in [SignerName::Log, SignerName::Agreement] {
            match keyring.signer(name) {
                Ok(signer) => {
                    public.insert(name.as_str().to_owned(), signer.public_key());
                }
                Err(KeyFileError::Missing { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        // Seconds, so that a node restored from an old backup still counts upwards.
        let seconds = u64::try_from(now.as_second()).map_err(|_| PublishError::Clock(now))?;
        Ok(PeerFile {
            sequence: (last + 1).max(seconds),
            issued: now,
            next_update: now.checked_add(lifetime).map_err(|_| PublishError::Clock(now))?,
            node: self.node.clone(),
            name: description.name.clone(),
            countries: description.countries.clone(),
            addresses: description.addresses.clone(),
            server_name: description.server_name.clone(),
            ca: vec![Bytes64(authority::read_ca(&keys)?.to_vec())],
            crls,
            revoked: revoked.into_iter().map(|revoked| revoked.fingerprint).collect::<BTreeSet<Digest>>(),
            keys: public,
        })
    }
}
