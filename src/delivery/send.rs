//! The owner's side: the bytes of a shard as a stream, under a grant that is checked again while they flow.
//!
//! Files are read on the blocking pool, one block ahead of the connection, into buffers that are used again. Every 64 MiB
//! or ten seconds everything that the grant rests on is checked anew, and a stream whose agreement ended stops there. The
//! release stands in the delivery journal before the first byte leaves.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::Stream;
use tokio_util::bytes::{Bytes, BytesMut};

use super::journal::{Journal, JournalError, OpenRelease};
use crate::access::grants::{Grant, GrantRefused};
use crate::domain::agreement::Release;
use crate::domain::ids::OpaqueId;
use crate::domain::manifest::{Shard, ShardName};
use crate::shards::{Folder, OpenShard, ShardError};

/// How many bytes are read at once.
const BLOCK: usize = 512 * 1024;
/// After how many bytes, and after how long, the grant is checked again.
const CHECK_EVERY: (u64, Duration) = (64 * 1024 * 1024, Duration::from_secs(10));
/// How many buffers may be with the connection before a new one is made.
const SPARE_BUFFERS: usize = 4;

/// Why no byte, or no further byte, is sent.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// What the grant rests on does not hold, or not any more.
    #[error(transparent)]
    Refused(#[from] GrantRefused),
    /// The file is not what the manifest says, which only its owner can mend.
    #[error("the shard {shard} is not as agreed on the owner's disk: {detail}; tell the owner")]
    NotAsAgreed {
        /// Which shard.
        shard: ShardName,
        /// What is wrong with it.
        detail: String,
    },
    /// The file could not be read.
    #[error("the shard {shard} cannot be read: {source}")]
    Unreadable {
        /// Which shard.
        shard: ShardName,
        /// What the system said.
        source: io::Error,
    },
    /// The release could not be written down, so it does not take place.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// Sends shards.
#[derive(Debug, Clone)]
pub struct Sender {
    folder: Arc<Folder>,
    journal: Arc<Journal>,
}

/// A shard that was found as agreed, before any of it is sent.
#[derive(Debug)]
pub struct Ready {
    grant: Grant,
    name: ShardName,
    shard: Shard,
    file: Arc<OpenShard>,
    journal: Arc<Journal>,
}

impl Sender {
    /// A sender of what lies in this folder.
    pub fn new(folder: Folder, journal: Arc<Journal>) -> Self {
        Self { folder: Arc::new(folder), journal }
    }

    /// Opens a shard of the agreed manifest. A file of another size than agreed is never sent, not even in part.
    pub async fn open(&self, grant: Grant, name: ShardName) -> Result<Ready, SendError> {
        let shard = grant.shard(&name)?.clone();
        let (folder, dataset, opened) = (Arc::clone(&self.folder), grant.agreement().dataset.clone(), name.clone());
        let file = tokio::task::spawn_blocking(move || folder.open(&dataset, &opened)).await;
        let file = match file.unwrap_or_else(|stopped| Err(interrupted(&name, &stopped))) {
            Ok(file) => file,
            Err(ShardError::Unreadable { source, .. }) => return Err(SendError::Unreadable { shard: name, source }),
            Err(other) => return Err(SendError::NotAsAgreed { detail: other.to_string(), shard: name }),
        };
        if file.bytes() != shard.bytes {
            let detail = format!("it has {} bytes where the manifest has {}", file.bytes(), shard.bytes);
            return Err(SendError::NotAsAgreed { shard: name, detail });
        }
        Ok(Ready { grant, name, shard, file: Arc::new(file), journal: Arc::clone(&self.journal) })
    }
}

impl Ready {
    /// What the manifest says of the shard.
    pub fn shard(&self) -> &Shard {
        &self.shard
    }

    /// Sends the bytes from the first to one past the last, which must lie within the shard.
    pub async fn send(
        self,
        (from, to): (u64, u64),
    ) -> Result<impl Stream<Item = Result<Bytes, SendError>> + use<>, SendError> {
        let id: OpaqueId = format!("release-{}", uuid::Uuid::new_v4().simple())
            .parse()
            .expect("letters, digits and '-', 40 characters");
        let release = Release {
            id,
            grant: self.grant.row().id.clone(),
            agreement: self.grant.agreement().id.clone(),
            shard: self.name.clone(),
            range: (from, to),
        };
        let (journal, holder) = (Arc::clone(&self.journal), self.grant.row().holder.clone());
        let begun = tokio::task::spawn_blocking(move || journal.begin(holder, release)).await;
        let release = begun.map_err(|stopped| SendError::Unreadable {
            shard: self.name.clone(),
            source: io::Error::other(stopped.to_string()),
        })??;
        let mut sending = Sending {
            grant: self.grant,
            name: self.name,
            file: self.file,
            release: Some(release),
            at: from,
            to,
            ahead: None,
            lent: VecDeque::new(),
            unchecked: 0,
            checked: Instant::now(),
        };
        sending.read_ahead();
        Ok(futures_util::stream::unfold(Some(sending), |sending| async move {
            let mut sending = sending?;
            match sending.next().await {
                Ok(Some(bytes)) => Some((Ok(bytes), Some(sending))),
                Ok(None) => {
                    sending.close("complete");
                    None
                }
                Err(error) => {
                    sending.close(if matches!(error, SendError::Refused(_)) { "revoked" } else { "broken_off" });
                    tracing::warn!(shard = %sending.name, %error, "a shard was cut off");
                    Some((Err(error), None))
                }
            }
        }))
    }
}

/// A stream under way.
struct Sending {
    grant: Grant,
    name: ShardName,
    file: Arc<OpenShard>,
    release: Option<OpenRelease>,
    /// The next byte to be read.
    at: u64,
    to: u64,
    /// The block that is being read.
    ahead: Option<tokio::task::JoinHandle<io::Result<BytesMut>>>,
    /// Blocks that were handed on; one that the connection let go of is used again.
    lent: VecDeque<Bytes>,
    unchecked: u64,
    checked: Instant,
}

impl Sending {
    async fn next(&mut self) -> Result<Option<Bytes>, SendError> {
        let Some(ahead) = self.ahead.take() else { return Ok(None) };
        if self.unchecked >= CHECK_EVERY.0 || self.checked.elapsed() >= CHECK_EVERY.1 {
            self.grant.check_again().await?;
            (self.unchecked, self.checked) = (0, Instant::now());
            if let Some(release) = &self.release {
                release.note();
            }
        }
        let block = ahead.await.unwrap_or_else(|stopped| Err(io::Error::other(stopped.to_string())));
        let block = block.map_err(|source| match source.kind() {
            io::ErrorKind::UnexpectedEof => SendError::NotAsAgreed {
                shard: self.name.clone(),
                detail: "it became shorter while it was sent".to_owned(),
            },
            _ => SendError::Unreadable { shard: self.name.clone(), source },
        })?;
        let bytes = block.freeze();
        self.lent.push_back(bytes.clone());
        self.read_ahead();
        self.unchecked += bytes.len() as u64;
        if let Some(release) = &mut self.release {
            release.count(bytes.len() as u64);
        }
        Ok(Some(bytes))
    }

    /// Begins to read the next block, if there is one.
    fn read_ahead(&mut self) {
        if self.at >= self.to {
            return;
        }
        let length = usize::try_from(self.to - self.at).unwrap_or(BLOCK).min(BLOCK);
        let mut buffer = self.spare();
        let (file, at) = (Arc::clone(&self.file), self.at);
        self.at += length as u64;
        self.ahead = Some(tokio::task::spawn_blocking(move || {
            buffer.resize(length, 0);
            file.read_exact_at(&mut buffer, at)?;
            Ok(buffer)
        }));
    }

    /// A buffer that the connection has let go of, or a new one.
    fn spare(&mut self) -> BytesMut {
        if self.lent.len() < SPARE_BUFFERS {
            return BytesMut::with_capacity(BLOCK);
        }
        let oldest = self.lent.pop_front().unwrap_or_default();
        oldest.try_into_mut().unwrap_or_else(|_still_lent| BytesMut::with_capacity(BLOCK))
    }

    fn close(&mut self, outcome: &str) {
        if let Some(release) = self.release.take() {
            release.close(outcome);
        }
    }
}

fn interrupted(name: &ShardName, stopped: &tokio::task::JoinError) -> ShardError {
    ShardError::Unreadable { name: name.clone(), source: io::Error::other(stopped.to_string()) }
}
