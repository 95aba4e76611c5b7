//! The right to pull shards: made only here, only from an agreement that holds, for one certificate, for some minutes.
//!
//! A grant's id is random, and useless without the private key of the certificate it was asked for with. Every request
//! is checked anew ([`Grants::check`]) and a long stream again and again ([`Grant::check_again`]): the certificate is
//! trusted now, it is the same one, the grant has not run out, the agreement holds, the dataset is not withdrawn, and the
//! manifest is that of the agreed revision. [`Grant`] has no other constructor, so a shard that leaves was checked.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

use super::new_id;
use crate::clock::Clock;
use crate::domain::agreement::{Agreement, GrantRow};
use crate::domain::event::{Actor, Event, What};
use crate::domain::ids::{Digest, Identity, OpaqueId};
use crate::domain::manifest::{Manifest, Shard, ShardName};
use crate::peers::identity::Presented;
use crate::peers::trust::{Refusal, Standing, Trust};
use crate::store::{AppendError, Expectation, Priority, Store, StoreError};

/// How long a grant is good for, unless the configuration says otherwise.
pub const DEFAULT_LIFETIME: SignedDuration = SignedDuration::from_mins(10);
/// How many manifests are kept parsed; one may have a hundred thousand shards.
const KEPT_MANIFESTS: usize = 16;

/// Why no byte leaves.
#[derive(Debug, thiserror::Error)]
pub enum GrantRefused {
    /// The certificate is not trusted at this moment.
    #[error("the certificate is refused: {0}")]
    Certificate(#[from] Refusal),
    /// The holder's domain is trusted for search only.
    #[error("the peer file of {0} ran out; agreements, grants and shards wait for a new one")]
    StaleTrust(Identity),
    /// No such agreement, or not this holder's.
    #[error("no agreement {0} of yours is kept here")]
    AgreementUnknown(OpaqueId),
    /// The agreement is over.
    #[error("the agreement {agreement} is over: {why}; ask for a new one")]
    AgreementOver {
        /// Which one.
        agreement: OpaqueId,
        /// Ended by whom and why, or run out when.
        why: String,
    },
    /// The dataset was withdrawn.
    #[error("the dataset was withdrawn ({0}); nothing of it is released any more")]
    Withdrawn(String),
    /// No such grant for this certificate and agreement.
    #[error("no grant of that id was made for this certificate and agreement; ask for one")]
    GrantUnknown,
    /// The grant ran out.
    #[error("the grant ran out at {0}; ask for a new one")]
    GrantExpired(Timestamp),
    /// No such shard in the agreed manifest.
    #[error("the agreed manifest has no such shard")]
    ShardUnknown,
    /// The record does not have the manifest that the agreement names.
    #[error("the manifest of the agreed revision is not kept here any more; tell the owner")]
    ManifestGone,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes and checks grants.
#[derive(Debug, Clone)]
pub struct Grants {
    store: Store,
    trust: Arc<Trust>,
    clock: Arc<dyn Clock>,
    lifetime: SignedDuration,
    manifests: Arc<Mutex<Manifests>>,
    /// The grants made since the start that have not run out, by agreement and certificate.
    recent: Arc<Mutex<HashMap<(OpaqueId, Digest), GrantRow>>>,
}

/// Parsed manifests by their digests, the newest last.
type Manifests = VecDeque<(Digest, Arc<Manifest>)>;

/// The proof that a request for bytes was checked just now.
#[derive(Debug, Clone)]
pub struct Grant {
    row: GrantRow,
    agreement: Agreement,
    manifest: Arc<Manifest>,
    presented: Arc<Presented>,
    grants: Grants,
}

impl Grants {
    /// The grants of this node.
    pub fn new(store: Store, trust: Arc<Trust>, clock: Arc<dyn Clock>, lifetime: SignedDuration) -> Self {
        Self { store, trust, clock, lifetime, manifests: Arc::default(), recent: Arc::default() }
    }

    /// Makes a grant for the certificate that asks. One that is good for half its time or more is given again, so that
    /// asking often does not fill the log; the second value says whether it is new.
    pub async fn issue(&self, presented: &Presented, agreement: &OpaqueId) -> Result<(GrantRow, bool), GrantRefused> {
        let agreement = self.agreement(presented, agreement).await?;
        let now = self.clock.now();
        let key = (agreement.id.clone(), presented.fingerprint);
        let recent = self.recent.lock().get(&key).cloned();
        if let Some(recent) = recent.filter(|recent| recent.expires.duration_since(now) > self.lifetime / 2) {
            return Ok((recent, false));
        }
        let expires = now.saturating_add(self.lifetime).unwrap_or(now);
        let grant = GrantRow {
            id: new_id("grant"),
            agreement: agreement.id.clone(),
            holder: presented.identity.clone(),
            certificate: presented.fingerprint,
            issued: now,
            expires: expires.min(agreement.expires).min(presented.not_after),
        };
        let what = What::GrantIssued { grant: Box::new(grant.clone()) };
        let event = Event { at: now, actor: Actor::Certificate { identity: presented.identity.clone() }, what };
        let expected = Expectation::AgreementInForce(agreement.id.clone());
        match self.store.append(vec![event], vec![expected], Priority::Interactive).await {
            Ok(_) => {
                let mut recent = self.recent.lock();
                recent.retain(|_, grant| grant.expires > now);
                recent.insert(key, grant.clone());
                Ok((grant, true))
            }
            Err(AppendError::Store(error)) => Err(error.into()),
            Err(other) => Err(GrantRefused::AgreementOver { agreement: agreement.id, why: other.to_string() }),
        }
    }

    /// Checks a request for bytes.
    pub async fn check(
        &self,
        presented: &Arc<Presented>,
        agreement: &OpaqueId,
        grant: &OpaqueId,
    ) -> Result<Grant, GrantRefused> {
        let agreement = self.agreement(presented, agreement).await?;
        let row = self.store.grant(grant).await?.ok_or(GrantRefused::GrantUnknown)?;
        let fits = row.agreement == agreement.id
            && row.holder == presented.identity
            && row.certificate == presented.fingerprint;
        if !fits {
            return Err(GrantRefused::GrantUnknown);
        }
        if self.clock.now() >= row.expires {
            return Err(GrantRefused::GrantExpired(row.expires));
        }
        let manifest = self.manifest(&agreement).await?;
        Ok(Grant { row, agreement, manifest, presented: Arc::clone(presented), grants: self.clone() })
    }

    /// What a holder may know before it has a grant: its agreement and the manifest of the bytes.
    pub async fn agreed(
        &self,
        presented: &Presented,
        agreement: &OpaqueId,
    ) -> Result<(Agreement, Arc<Manifest>), GrantRefused> {
        let agreement = self.agreement(presented, agreement).await?;
        let manifest = self.manifest(&agreement).await?;
        Ok((agreement, manifest))
    }

    /// The agreement, if it is this holder's, holds now, and its dataset was not withdrawn.
    async fn agreement(&self, presented: &Presented, id: &OpaqueId) -> Result<Agreement, GrantRefused> {
        if self.trust.check_again(presented)? != Standing::Valid {
            return Err(GrantRefused::StaleTrust(presented.identity.clone()));
        }
        let unknown = || GrantRefused::AgreementUnknown(id.clone());
        let agreement = self.store.agreement(id).await?.ok_or_else(unknown)?;
        if agreement.holder != presented.identity {
            return Err(unknown());
        }
        if !agreement.is_active(self.clock.now()) {
            let why = match &agreement.ended {
                Some(ended) => format!("it was ended at {} ({})", ended.at, ended.reason),
                None => format!("it ran out at {}", agreement.expires),
            };
            return Err(GrantRefused::AgreementOver { agreement: agreement.id, why });
        }
        // Only the node of the dataset's own log has it, so a home node's copy of an agreement releases nothing.
        let record = self.store.dataset(&agreement.dataset).await?.ok_or_else(unknown)?;
        match record.withdrawn {
            Some(withdrawn) => Err(GrantRefused::Withdrawn(withdrawn.reason)),
            None => Ok(agreement),
        }
    }

    /// The manifest of the agreed revision, which must have the digest that was agreed on.
    async fn manifest(&self, agreement: &Agreement) -> Result<Arc<Manifest>, GrantRefused> {
        let kept = |manifests: &Manifests| {
            manifests.iter().find(|(digest, _)| *digest == agreement.manifest).map(|(_, manifest)| Arc::clone(manifest))
        };
        if let Some(manifest) = kept(&self.manifests.lock()) {
            return Ok(manifest);
        }
        let record = self.store.dataset_revision(&agreement.dataset, agreement.revision).await?;
        let manifest =
            record.and_then(|record| record.dataset.manifest().cloned()).ok_or(GrantRefused::ManifestGone)?;
        if manifest.digest() != agreement.manifest {
            return Err(GrantRefused::ManifestGone);
        }
        let manifest = Arc::new(manifest);
        let mut manifests = self.manifests.lock();
        if manifests.len() == KEPT_MANIFESTS {
            manifests.pop_front();
        }
        manifests.push_back((agreement.manifest, Arc::clone(&manifest)));
        Ok(manifest)
    }
}

impl Grant {
    /// The grant as it was made.
    pub fn row(&self) -> &GrantRow {
        &self.row
    }

    /// The agreement it was made from.
    pub fn agreement(&self) -> &Agreement {
        &self.agreement
    }

    /// A shard of the agreed manifest.
    pub fn shard(&self, name: &ShardName) -> Result<&Shard, GrantRefused> {
        self.manifest.shards.get(name).ok_or(GrantRefused::ShardUnknown)
    }

    /// Checks everything again, for a stream that is still running. A grant that ran out meanwhile does not cut it: it
    /// was good when the request began, and the agreement is what counts.
    pub async fn check_again(&self) -> Result<(), GrantRefused> {
        self.grants.agreement(&self.presented, &self.agreement.id).await.map(|_| ())
    }
}
