//! Tokens: who may speak to the node's web door, in which role, for which participant.
//!
//! A token's secret is 256 random bits, shown once and kept nowhere; the log has its SHA-256. Making and revoking are
//! events like any other, so the log says who let whom in. The first administrator's token is made at the machine, while
//! the node is stopped; every other by an administrator through the API.

use std::sync::Arc;

use aws_lc_rs::rand;
use jiff::Timestamp;

use crate::clock::Clock;
use crate::domain::event::{Actor, Event, Role, TokenRow, What};
use crate::domain::ids::{Digest, Identity, IdentityKind, InvalidName, LocalId, OpaqueId, TrustDomain};
use crate::store::{AppendError, Expectation, KeptToken, Priority, Store, StoreError};

/// What every secret begins with, so that a leaked one is recognised.
const PREFIX: &str = "pleiad_";
/// The longest note, in bytes.
const MAX_NOTE: usize = 200;

/// Why a token was not made or revoked.
#[derive(Debug, thiserror::Error)]
pub enum AccountsError {
    /// The role acts for a participant, and none was named.
    #[error("a {} acts for a participant: name one, such as {example}", role.as_str())]
    ParticipantMissing {
        /// The role.
        role: Role,
        /// A participant of this node.
        example: String,
    },
    /// The participant is not one that this node vouches for.
    #[error("{found} is not a participant of {domain}: only a home node makes tokens for its participants")]
    OtherParticipant {
        /// Who was named.
        found: Identity,
        /// This node's domain.
        domain: TrustDomain,
    },
    /// An administrator runs the node and acts for nobody.
    #[error("an administrator acts for no participant: leave the participant out")]
    ParticipantUnwanted,
    /// The note is too long or not one line.
    #[error("a note is one line of at most {MAX_NOTE} bytes")]
    Note,
    /// It would never have been valid.
    #[error("{0} is past: a token ends in the future")]
    Expired(Timestamp),
    /// There is no such token, or it was revoked before.
    #[error("no token {0} is in force")]
    NotInForce(OpaqueId),
    /// No randomness.
    #[error("the system gave no random bytes; try again")]
    Randomness,
    /// The log.
    #[error(transparent)]
    Append(AppendError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<AppendError> for AccountsError {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Conflict(Expectation::TokenInForce(id)) => Self::NotInForce(id),
            other => Self::Append(other),
        }
    }
}

/// A token to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// What its bearer may do.
    pub role: Role,
    /// For whom.
    pub participant: Option<Identity>,
    /// What it is for, in words.
    pub note: String,
    /// Until when.
    pub expires: Option<Timestamp>,
}

/// A token that was made. The secret is nowhere else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// What is kept.
    pub token: TokenRow,
    /// What the bearer presents.
    pub secret: String,
}

/// The tokens of a node.
#[derive(Debug, Clone)]
pub struct Accounts {
    store: Store,
    domain: TrustDomain,
    clock: Arc<dyn Clock>,
}

impl Accounts {
    /// The tokens in this store, for participants of this domain.
    pub fn new(store: Store, domain: TrustDomain, clock: Arc<dyn Clock>) -> Self {
        Self { store, domain, clock }
    }

    /// The participant that somebody names: by its id within this node's domain, or by its whole identity.
    pub fn participant(&self, text: &str) -> Result<Identity, InvalidName> {
        match text.parse::<LocalId>() {
            Ok(id) => Ok(Identity::participant(self.domain.clone(), id)),
            Err(_) => text.parse(),
        }
    }

    /// Closes the store under it: for the person at the machine, who makes tokens while the node stands still.
    pub async fn close(self) {
        self.store.close().await;
    }

    /// Makes a token.
    pub async fn make(&self, actor: Actor, wish: Wish) -> Result<Made, AccountsError> {
        let now = self.clock.now();
        self.check(&wish, now)?;
        let mut bytes = [0; 32];
        rand::fill(&mut bytes).map_err(|_| AccountsError::Randomness)?;
        let secret = format!("{PREFIX}{}", data_encoding::BASE64URL_NOPAD.encode(&bytes));
        let token = TokenRow {
            id: new_id()?,
            hash: Digest::of(secret.as_bytes()),
            role: wish.role,
            participant: wish.participant,
            note: wish.note,
            expires: wish.expires,
        };
        let event = Event { at: now, actor, what: What::TokenMade { token: token.clone() } };
        let absent = vec![Expectation::TokenAbsent(token.id.clone())];
        self.store.append(vec![event], absent, Priority::Interactive).await?;
        Ok(Made { token, secret })
    }

    /// Revokes a token; from the next request on it is refused.
    pub async fn revoke(&self, actor: Actor, id: &OpaqueId) -> Result<(), AccountsError> {
        let event = Event { at: self.clock.now(), actor, what: What::TokenRevoked { token: id.clone() } };
        let in_force = vec![Expectation::TokenInForce(id.clone())];
        self.store.append(vec![event], in_force, Priority::Interactive).await?;
        Ok(())
    }

    /// Every token that was ever made, oldest first.
    pub async fn list(&self) -> Result<Vec<KeptToken>, AccountsError> {
        Ok(self.store.tokens().await?)
    }

    /// The token of this secret, if it is in force now.
    pub async fn by_secret(&self, secret: &str) -> Result<Option<TokenRow>, AccountsError> {
        if !secret.starts_with(PREFIX) || secret.len() > 100 {
            return Ok(None);
        }
        self.by_hash(&Digest::of(secret.as_bytes())).await
    }

    /// The token whose secret has this digest, if it is in force now.
    pub async fn by_hash(&self, hash: &Digest) -> Result<Option<TokenRow>, AccountsError> {
        let now = self.clock.now();
        Ok(self.store.token_by_hash(hash).await?.filter(|token| token.expires.is_none_or(|end| now < end)))
    }

    fn check(&self, wish: &Wish, now: Timestamp) -> Result<(), AccountsError> {
        match (wish.role, &wish.participant) {
            (Role::Steward | Role::Operator, None) => {
                let example = format!("spiffe://{}/participant/…", self.domain);
                return Err(AccountsError::ParticipantMissing { role: wish.role, example });
            }
            (Role::Administrator, Some(_)) => return Err(AccountsError::ParticipantUnwanted),
            (_, Some(found)) if found.kind() != IdentityKind::Participant || *found.domain() != self.domain => {
                return Err(AccountsError::OtherParticipant { found: found.clone(), domain: self.domain.clone() });
            }
            _ => {}
        }
        if wish.note.len() > MAX_NOTE || wish.note.chars().any(char::is_control) {
            return Err(AccountsError::Note);
        }
        match wish.expires {
            Some(end) if end <= now => Err(AccountsError::Expired(end)),
            _ => Ok(()),
        }
    }
}

fn new_id() -> Result<OpaqueId, AccountsError> {
    uuid::Uuid::new_v4().to_string().parse().map_err(|_| AccountsError::Randomness)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::FixedClock;
    use jiff::SignedDuration;

    struct Scene {
        accounts: Accounts,
        clock: FixedClock,
        _folder: tempfile::TempDir,
    }

    fn scene() -> Scene {
        let folder = tempfile::tempdir().unwrap();
        let clock = FixedClock::at("2027-03-01T12:00:00Z".parse().unwrap());
        let domain: TrustDomain = "fi.pleiad.example".parse().unwrap();
        let node = Identity::node(domain.clone(), "fi".parse().unwrap());
        let store = Store::open(folder.path(), &node).unwrap();
        Scene { accounts: Accounts::new(store, domain, Arc::new(clock.clone())), clock, _folder: folder }
    }

    fn wish(role: Role, participant: Option<&str>) -> Wish {
        Wish { role, participant: participant.map(|text| text.parse().unwrap()), note: String::new(), expires: None }
    }

    const CSC: &str = "spiffe://fi.pleiad.example/participant/csc";

    #[tokio::test]
    async fn a_token_opens_until_it_is_revoked_and_its_secret_is_kept_nowhere() {
        let scene = scene();
        let made = scene.accounts.make(Actor::Operator, wish(Role::Steward, Some(CSC))).await.unwrap();
        assert_eq!(scene.accounts.by_secret(&made.secret).await.unwrap(), Some(made.token.clone()));
        assert_eq!(scene.accounts.by_secret("pleiad_wrong").await.unwrap(), None);
        let kept = serde_json::to_string(&scene.accounts.list().await.unwrap()[0].token).unwrap();
        assert!(!kept.contains(&made.secret));
        scene.accounts.revoke(Actor::Operator, &made.token.id).await.unwrap();
        assert_eq!(scene.accounts.by_secret(&made.secret).await.unwrap(), None);
        let again = scene.accounts.revoke(Actor::Operator, &made.token.id).await;
        assert!(matches!(again, Err(AccountsError::NotInForce(_))), "{again:?}");
    }

    #[tokio::test]
    async fn a_token_that_ran_out_opens_nothing() {
        let scene = scene();
        let expires = Some(scene.clock.now() + SignedDuration::from_hours(1));
        let made =
            scene.accounts.make(Actor::Operator, Wish { expires, ..wish(Role::Researcher, None) }).await.unwrap();
        assert!(scene.accounts.by_secret(&made.secret).await.unwrap().is_some());
        scene.clock.advance(SignedDuration::from_hours(1));
        assert!(scene.accounts.by_secret(&made.secret).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_role_gets_the_participant_it_acts_for_and_only_one_of_this_node() {
        let scene = scene();
        let make = |role, participant| scene.accounts.make(Actor::Operator, wish(role, participant));
        assert!(matches!(make(Role::Steward, None).await, Err(AccountsError::ParticipantMissing { .. })));
        assert!(matches!(make(Role::Administrator, Some(CSC)).await, Err(AccountsError::ParticipantUnwanted)));
        for other in ["spiffe://de.pleiad.example/participant/csc", "spiffe://fi.pleiad.example/node/fi"] {
            assert!(matches!(make(Role::Operator, Some(other)).await, Err(AccountsError::OtherParticipant { .. })));
        }
        let long = Wish { note: "x".repeat(MAX_NOTE + 1), ..wish(Role::Researcher, None) };
        assert!(matches!(scene.accounts.make(Actor::Operator, long).await, Err(AccountsError::Note)));
        assert!(scene.accounts.list().await.unwrap().is_empty());
    }
}
