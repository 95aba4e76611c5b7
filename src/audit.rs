//! Reads and proves the log: who did what to what, that it is still what was written, and that it only ever grew.
//!
//! The log's head is signed as a [`Checkpoint`]; peers do not cosign it yet, so every checkpoint is shown as
//! [unwitnessed](Standing::Unwitnessed). Whoever holds an entry's [`Evidence`] checks it alone, without this node: the
//! content against the commitment, the header against the path, the path against the checkpoint, the checkpoint against
//! the log's public key.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::checkpoint::{Checkpoint, NoteSignature, SignedCheckpoint};
use crate::domain::ids::{DatasetId, Digest, Identity, OpaqueId, Seq};
use crate::domain::proof::{ConsistencyProof, Header, InclusionProof};
use crate::keys::{PublicKey, Signer};
use crate::store::{EntryFilter, Kept, Store, StoreError};

/// The most entries that a page shows.
pub const MAX_PAGE: usize = 500;

/// Reads and proves the log of this node.
#[derive(Debug, Clone)]
pub struct Audit {
    store: Store,
}

/// Why the audit has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuditError {
    /// The log has no such entry.
    #[error("the log has no entry {seq}; its last one is {head}")]
    NoEntry {
        /// What was asked for.
        seq: Seq,
        /// The last position.
        head: Seq,
    },
    /// These sizes are none of this log, or in the wrong order.
    #[error("no proof leads from {old} to {new} entries: give sizes from 1 to {head}, the smaller one first")]
    Sizes {
        /// The smaller size.
        old: u64,
        /// The larger size.
        new: u64,
        /// The size of the log.
        head: u64,
    },
    /// Too many entries on one page.
    #[error("a page has at most {MAX_PAGE} entries, {0} were asked for")]
    PageTooLarge(usize),
    /// A signed head was not signed with the key that was given.
    #[error("the signed head of {size} entries does not carry a valid signature of the key {key}")]
    Signature {
        /// Its size.
        size: u64,
        /// The key.
        key: Box<PublicKey>,
    },
    /// The store failed, or what it holds is not what was written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AuditError {
    /// Whether it says that the log, its proofs or its signatures are not what they should be.
    pub fn is_integrity(&self) -> bool {
        matches!(
            self,
            Self::Signature { .. } | Self::Store(StoreError::Damaged { .. } | StoreError::TablesDiffer { .. })
        )
    }
}

/// Which entries to show: see [`EntryFilter`]. Every part that is given must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Wanted {
    /// About this dataset, request, agreement, token …
    pub subject: Option<String>,
    /// Of this kind, such as `agreement_concluded`.
    pub kind: Option<String>,
    /// By this actor, such as `operator` or `token:…`.
    pub actor: Option<String>,
}

/// An entry of the log, for reading and for checking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Its header.
    #[serde(flatten)]
    pub header: Header,
    /// Its content as JSON text, byte for byte what `c` commits to.
    pub content: String,
    /// The salt of the commitment.
    pub salt: Digest,
}

impl From<Kept> for Line {
    fn from(kept: Kept) -> Self {
        Self { header: kept.header, content: kept.content, salt: kept.salt }
    }
}

/// A page of entries, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// The entries.
    pub entries: Vec<Line>,
    /// Where the next page begins: give it as `before`. Nothing on the last page.
    pub next: Option<Seq>,
}

/// How much a signed head is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// No peer has cosigned it: only this node says so.
    Unwitnessed,
}

/// The last signed head, and how much it is worth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedHead {
    /// The signed note.
    pub note: SignedCheckpoint,
    /// How much it is worth.
    pub standing: Standing,
}

/// An entry with all that somebody needs to check it alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The entry.
    pub entry: Line,
    /// That it is in the log.
    pub proof: InclusionProof,
    /// The signed head that the proof leads to; nothing while none was signed that holds the entry.
    pub head: Option<SignedHead>,
}

/// What a verification of everything found: all of it right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// The name of the log.
    pub origin: String,
    /// How many entries.
    pub size: u64,
    /// The root that follows from them.
    pub root: Digest,
    /// How many signed heads agree.
    pub checkpoints: u64,
}

impl Audit {
    /// Over the store of a node.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// Over the store in this folder, beside the node that may be running on it. Nothing can be signed so.
    pub fn inspect(folder: &Path) -> Result<Self, AuditError> {
        Ok(Self { store: Store::inspect(folder)? })
    }

    /// A page of entries, newest first, before a position.
    pub async fn entries(&self, wanted: &Wanted, before: Option<Seq>, limit: usize) -> Result<Page, AuditError> {
        if limit > MAX_PAGE {
            return Err(AuditError::PageTooLarge(limit));
        }
        let Wanted { subject, kind, actor } = wanted.clone();
        let mut kept = self.store.entries(&EntryFilter { subject, kind, actor }, before, limit + 1).await?;
        let more = kept.len() > limit;
        kept.truncate(limit);
        let next = kept.last().filter(|_| more).map(|last| last.header.seq);
        Ok(Page { entries: kept.into_iter().map(Line::from).collect(), next })
    }

    /// An entry with its proof and the signed head it leads to. Without a signed head that holds the entry the proof leads
    /// to the present, unsigned one.
    pub async fn evidence(&self, seq: Seq) -> Result<Evidence, AuditError> {
        let head = self.head().await?.filter(|head| head.note.checkpoint.size >= seq.0);
        let proof = self.inclusion(seq, head.as_ref().map(|head| head.note.checkpoint.size)).await?;
        let before = Some(Seq(seq.0 + 1));
        let entry = self.store.entries(&EntryFilter::default(), before, 1).await?.pop();
        let entry = entry.ok_or(AuditError::NoEntry { seq, head: self.store.head() })?.into();
        Ok(Evidence { entry, proof, head })
    }

    /// Whether what an entry is about concerns a participant: its dataset, or a request or agreement that it is a party to.
    pub async fn concerns(&self, subject: &str, participant: &Identity) -> Result<bool, AuditError> {
        if let Ok(id) = subject.parse::<DatasetId>() {
            return Ok(self.is_owner(&id, participant).await?);
        }
        let Ok(id) = subject.parse::<OpaqueId>() else { return Ok(false) };
        if let Some(agreement) = self.store.agreement(&id).await? {
            return Ok(agreement.owner == *participant || agreement.holder == *participant);
        }
        match self.store.request(&id).await? {
            Some(request) => Ok(request.holder == *participant || self.is_owner(&request.dataset, participant).await?),
            None => Ok(false),
        }
    }

    async fn is_owner(&self, id: &DatasetId, participant: &Identity) -> Result<bool, StoreError> {
        Ok(self.store.dataset(id).await?.is_some_and(|record| record.owner == *participant))
    }

    /// The proof that an entry is in the log of this size, by default the present one.
    pub async fn inclusion(&self, seq: Seq, size: Option<u64>) -> Result<InclusionProof, AuditError> {
        let proof = self.store.inclusion(seq, size).await?;
        proof.ok_or_else(|| AuditError::NoEntry { seq, head: size.map_or(self.store.head(), Seq) })
    }

    /// The proof that the log of `old` entries is the beginning of the log of `new`, by default the present one.
    pub async fn consistency(&self, old: u64, new: Option<u64>) -> Result<ConsistencyProof, AuditError> {
        let head = self.store.head().0;
        let proof = self.store.consistency(old, new).await?;
        proof.ok_or(AuditError::Sizes { old, new: new.unwrap_or(head), head })
    }

    /// The last signed head.
    pub async fn head(&self) -> Result<Option<SignedHead>, AuditError> {
        let note = self.store.checkpoint().await?;
        Ok(note.map(|note| SignedHead { note, standing: Standing::Unwitnessed }))
    }

    /// Checks everything: contents, headers, tree, signed heads, derived tables, and, where the log's key is given, the
    /// signature of the last head.
    pub async fn verify(&self, key: Option<PublicKey>) -> Result<Verification, AuditError> {
        let verified = self.store.verify().await?;
        if let (Some(key), Some(note)) = (key, self.store.checkpoint().await?)
            && !is_signed_by(&note, &key)
        {
            return Err(AuditError::Signature { size: note.checkpoint.size, key: Box::new(key) });
        }
        Ok(Verification {
            origin: self.store.origin().to_owned(),
            size: verified.size,
            root: verified.root,
            checkpoints: verified.checkpoints,
        })
    }

    /// Signs the head of the log, if it grew since the last signature. What is signed was read again from the disk over
    /// another connection than the writer's, and hashed again.
    pub async fn sign(&self, signer: &dyn Signer) -> Result<SignedCheckpoint, AuditError> {
        let (size, root) = self.store.recomputed_head().await?;
        if let Some(last) = self.store.checkpoint().await?
            && last.checkpoint.size == size
        {
            return Ok(last);
        }
        let checkpoint = Checkpoint { origin: self.store.origin().to_owned(), size, root };
        let signature = NoteSignature {
            name: checkpoint.origin.clone(),
            key_hash: NoteSignature::key_hash(&checkpoint.origin, signer.public_key().as_bytes()),
            signature: signer.sign(checkpoint.to_string().as_bytes()).to_vec(),
        };
        Ok(self.store.keep_checkpoint(SignedCheckpoint { checkpoint, signatures: vec![signature] }).await?)
    }

    /// Verifies everything once in `every`, for as long as the future is polled, and says what it finds.
    pub async fn keep_verifying(self, every: Duration) {
        loop {
            tokio::time::sleep(every).await;
            match self.verify(None).await {
                Ok(verified) => tracing::info!(size = verified.size, root = %verified.root, "the log was verified"),
                Err(error) => tracing::error!(%error, "the log does not verify"),
            }
        }
    }

    /// Signs the head whenever it grew, at most once in `every`, for as long as the future is polled. A failure is said
    /// and tried again; nothing is signed that does not follow from what is on the disk.
    pub async fn keep_signing(self, signer: Arc<dyn Signer>, every: Duration) {
        let mut head = self.store.follow();
        loop {
            let signed = self.sign(&*signer).await;
            tokio::time::sleep(every).await;
            match signed {
                Err(error) => tracing::error!(%error, "the head of the log was not signed"),
                // Grown in the meantime, or wait until it does.
                Ok(_) if head.changed().await.is_err() => return,
                Ok(_) => {}
            }
        }
    }
}

/// Whether the log itself signed this note, with this key.
pub fn is_signed_by(note: &SignedCheckpoint, key: &PublicKey) -> bool {
    let text = note.checkpoint.to_string();
    note.signatures_of(&note.checkpoint.origin, key.as_bytes())
        .any(|signature| key.verifies(text.as_bytes(), signature))
}

impl Evidence {
    /// Whether everything in it holds together and leads to a head signed with this key.
    pub fn holds(&self, key: &PublicKey) -> bool {
        let committed = aws_lc_rs::hmac::sign(
            &aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &self.entry.salt.0),
            self.entry.content.as_bytes(),
        );
        committed.as_ref() == self.entry.header.c.0
            && self.proof.header == self.entry.header
            && self.proof.holds()
            && self.head.as_ref().is_some_and(|head| {
                let checkpoint = &head.note.checkpoint;
                (checkpoint.size, checkpoint.root) == (self.proof.size, self.proof.root)
                    && is_signed_by(&head.note, key)
            })
    }
}
