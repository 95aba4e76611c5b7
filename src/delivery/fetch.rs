//! The holder's side: from an agreement to a folder that is done.
//!
//! [`Fetcher::fetch`] asks the owner's node for the manifest and believes it only by the digest that was agreed on, looks what
//! the folder already has, and pulls the rest straight from the owner's door, several shards at once. Bytes are hashed
//! on a thread of their own while the next ones arrive. A grant that ran out, a renewed certificate and a connection
//! that broke are not the end: it goes on where it stopped, as it does after a kill. The folder is done when, and only
//! when, `receipt.json` stands in it.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, TryStreamExt as _};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, mpsc};
use tokio_util::bytes::Bytes;

use super::held::{Held, HeldError, KeptReceipt};
use super::part::{Part, PartError};
use crate::clock::Clock;
use crate::domain::agreement::{Agreement, GrantRow, Receipt};
use crate::domain::ids::{Digest, Identity, OpaqueId};
use crate::domain::manifest::{CHUNK_SIZE, Manifest, Shard, ShardName};
use crate::outbound::federation::{CallError, Federation};
use crate::peers::tls::OwnCertificate;

/// `POST` a [`GrantAsk`] with the holder's certificate, get a [`GrantRow`].
pub const GRANTS_PATH: &str = "grants";
/// `GET …/<agreement>` an [`Agreed`]; `GET …/<agreement>/<shard>` its bytes, with the grant's id in [`GRANT_HEADER`].
pub const SHARDS_PATH: &str = "shards";
/// The header with the id of the grant under which bytes are asked for.
pub const GRANT_HEADER: &str = "pleiad-grant";
/// The code of the problem that asks for a fresh grant.
pub const GRANT_OVER: &str = "grant_over";
/// The code of the problem that says the owner's file is not as agreed.
pub const NOT_AS_AGREED: &str = "shard_not_as_agreed";

/// The most bytes of an agreement with its manifest.
const MAX_MANIFEST_BYTES: u64 = 256 * 1024 * 1024;
/// The most bytes of any other answer that is read whole.
const MAX_ANSWER_BYTES: u64 = 1024 * 1024;
/// How long one call may take until its answer begins.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// How many pieces may wait for the thread that hashes and writes.
const PIECES_AHEAD: usize = 64;
/// A grant with less time left than this is renewed before it is used.
const GRANT_MARGIN: SignedDuration = SignedDuration::from_secs(30);

/// Asks for a grant.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrantAsk {
    /// Under which agreement.
    pub agreement: OpaqueId,
}

/// What the owner's node says of an agreement to its holder.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Agreed {
    /// The agreement.
    pub agreement: Agreement,
    /// The manifest of the agreed revision.
    pub manifest: Manifest,
}

/// What is to be fetched.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Under which agreement.
    pub agreement: OpaqueId,
    /// The owner's node.
    pub owner: Identity,
    /// The digest of the manifest as the home node has it; without it the owner's node is believed.
    pub manifest: Option<Digest>,
}

/// How it is fetched.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many shards at once.
    pub parallel: usize,
    /// How long no byte may arrive before it is given up for now.
    pub patience: Duration,
    /// How long after a failure the next try comes; it doubles up to thirty times that.
    pub first_retry: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { parallel: 3, patience: Duration::from_secs(300), first_retry: Duration::from_secs(1) }
    }
}

/// What happens meanwhile, for a progress bar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// The manifest is known.
    Planned {
        /// How many shards.
        shards: usize,
        /// How many bytes they have.
        bytes: u64,
    },
    /// Bytes that are here already were read and verified.
    Seen(u64),
    /// Bytes arrived and were written.
    Received(u64),
    /// A shard is complete: how many bytes of it are verified, those seen before among them.
    Done {
        /// Which shard.
        shard: ShardName,
        /// Its size.
        bytes: u64,
    },
    /// Something failed and is tried again.
    Waiting {
        /// What failed.
        reason: String,
        /// How long until the next try, in milliseconds.
        ms: u64,
    },
}

/// Who hears of [`Progress`].
pub type Watcher = Arc<dyn Fn(Progress) + Send + Sync>;

/// Why a folder is not done.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The owner's node refuses: the agreement is over, the dataset withdrawn, the certificate not good.
    #[error("the owner's node refuses: {0}")]
    Denied(String),
    /// There is no such agreement for this holder there.
    #[error("the owner's node knows no such agreement of yours: {0}")]
    NotFound(String),
    /// What the owner's node has is not what was agreed.
    #[error("{0}")]
    NotAsAgreed(String),
    /// Bytes do not match the manifest.
    #[error("{0}; ask the owner to restore the shard, then run the same command again")]
    Mismatch(PartError),
    /// The folder.
    #[error(transparent)]
    Folder(#[from] HeldError),
    /// A file in the folder.
    #[error("{0}")]
    File(PartError),
    /// The owner's node did not answer for too long. What is here stays, and the same command goes on with it.
    #[error("no bytes for {} s ({reason}); run the same command again to go on", patience.as_secs())]
    GivenUp {
        /// The last reason.
        reason: String,
        /// How long it was tried.
        patience: Duration,
    },
}

impl From<PartError> for FetchError {
    fn from(error: PartError) -> Self {
        match error {
            PartError::Io { .. } => Self::File(error),
            PartError::Mismatch { .. } | PartError::TooLong(_) => Self::Mismatch(error),
        }
    }
}

/// Pulls shards for one holder.
#[derive(Clone)]
pub struct Fetcher {
    outbound: Arc<Federation>,
    own: Arc<OwnCertificate>,
    clock: Arc<dyn Clock>,
    options: Options,
    watcher: Watcher,
}

impl std::fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fetcher").field("own", &self.own.identity()).field("options", &self.options).finish()
    }
}

/// One fetch under way: what its shards share.
struct Pull<'a> {
    fetcher: &'a Fetcher,
    wanted: &'a Wanted,
    folder: &'a Path,
    /// The grant in use.
    grant: Mutex<Option<GrantRow>>,
}

/// What came of one call for bytes.
enum Call {
    /// Bytes arrived, maybe not all.
    Got,
    /// The grant is not good any more.
    GrantOver,
    /// It may work later.
    Later(String),
}

impl Fetcher {
    /// A fetcher that calls with this holder's certificate.
    pub fn new(
        outbound: Arc<Federation>,
        own: Arc<OwnCertificate>,
        clock: Arc<dyn Clock>,
        options: Options,
        watcher: Watcher,
    ) -> Self {
        Self { outbound, own, clock, options, watcher }
    }

    /// Fetches every shard of an agreement into a folder, and writes the receipt once all are verified. Dropped in the
    /// middle, it leaves what a later call goes on with.
    pub async fn fetch(&self, wanted: &Wanted, folder: &Path) -> Result<KeptReceipt, FetchError> {
        // 1. What was agreed on: which bytes.
        let agreed = self.agreed(wanted).await?;
        let Agreed { agreement, manifest } = agreed;
        self.tell(Progress::Planned { shards: manifest.shards.len(), bytes: manifest.total_bytes() });
        // 2. The folder: ours alone, for this agreement, with room enough.
        let held = Held::open(folder, &agreement, &manifest)?;
        // 3. Every shard, several at once.
        let pull = Pull { fetcher: self, wanted, folder, grant: Mutex::new(None) };
        futures_util::stream::iter(&manifest.shards)
            .map(|(name, shard)| pull.shard(name, shard))
            .buffer_unordered(self.options.parallel.max(1))
            .try_collect::<()>()
            .await?;
        // 4. The receipt, last.
        let receipt = Receipt {
            id: receipt_id(),
            agreement: agreement.id.clone(),
            dataset: agreement.dataset.clone(),
            revision: agreement.revision,
            manifest: agreement.manifest,
            shards: manifest.shards.iter().map(|(name, shard)| (name.clone(), shard.sha256)).collect(),
            completed: self.clock.now(),
        };
        Ok(held.finish(KeptReceipt { receipt, agreement })?)
    }

    /// The agreement and its manifest, believed only as far as they fit what is wanted.
    async fn agreed(&self, wanted: &Wanted) -> Result<Agreed, FetchError> {
        let path = format!("{SHARDS_PATH}/{}", wanted.agreement);
        let mut tries = Tries::new(&self.options);
        let answer = loop {
            let call = self.outbound.get(&wanted.owner, &path, &[], deadline(), MAX_MANIFEST_BYTES).await;
            let reason = match call {
                Ok(answer) if (200..300).contains(&answer.status) => break answer,
                Ok(answer) => refused(answer.status, &answer.bytes)?,
                Err(error) => self.silent(error)?,
            };
            tries.wait(reason, &self.watcher).await?;
        };
        let agreed: Agreed = answer.json().map_err(|error| FetchError::NotAsAgreed(error.to_string()))?;
        let Agreed { agreement, manifest } = &agreed;
        let wrong = |what: &str| Err(FetchError::NotAsAgreed(format!("the owner's node sent {what}; tell the owner")));
        if agreement.id != wanted.agreement || agreement.holder != self.own.identity() {
            return wrong("another agreement than was asked for");
        }
        if manifest.digest() != agreement.manifest || wanted.manifest.is_some_and(|known| known != agreement.manifest) {
            return wrong("another manifest than was agreed on");
        }
        let chunks =
            |shard: &Shard| shard.chunks.is_empty() || shard.chunks.len() as u64 == shard.bytes.div_ceil(CHUNK_SIZE);
        if !manifest.shards.values().all(chunks) {
            return wrong("a manifest whose chunks do not cover its shards");
        }
        Ok(agreed)
    }

    /// What a call without an answer means. A certificate that is refused may have been renewed on the disk meanwhile.
    fn silent(&self, error: CallError) -> Result<String, FetchError> {
        match error {
            CallError::Refused(_) if self.own.reload().unwrap_or(false) => Ok(error.to_string()),
            CallError::Refused(_) | CallError::Setup(_) => Err(FetchError::Denied(error.to_string())),
            other => Ok(other.to_string()),
        }
    }

    fn tell(&self, progress: Progress) {
        (self.watcher)(progress);
    }
}

impl Pull<'_> {
    /// Brings one shard to its end.
    async fn shard(&self, name: &ShardName, shard: &Shard) -> Result<(), FetchError> {
        let mut part = self.begin(name, shard).await?;
        let mut tries = Tries::new(&self.fetcher.options);
        let mut fresh_grants = 0;
        while !part.is_full() {
            let before = part.written();
            let grant = self.grant(&mut tries).await?;
            let called;
            (part, called) = self.call(&grant, name, shard, part).await?;
            if part.written() > before {
                tries = Tries::new(&self.fetcher.options);
                fresh_grants = 0;
            }
            match called {
                Call::Got if part.is_full() => {}
                Call::Got => tries.wait("the stream ended early".to_owned(), &self.fetcher.watcher).await?,
                Call::Later(reason) => tries.wait(reason, &self.fetcher.watcher).await?,
                Call::GrantOver => {
                    self.forget(&grant).await;
                    fresh_grants += 1;
                    // A fresh grant that is over at once is no question of time.
                    if fresh_grants > 2 {
                        tries
                            .wait("the owner's node takes none of its grants".to_owned(), &self.fetcher.watcher)
                            .await?;
                    }
                }
            }
        }
        blocking(move || part.finish()).await?;
        self.fetcher.tell(Progress::Done { shard: name.clone(), bytes: shard.bytes });
        Ok(())
    }

    async fn begin(&self, name: &ShardName, shard: &Shard) -> Result<Part, FetchError> {
        let (folder, name, shard) = (self.folder.to_owned(), name.clone(), shard.clone());
        let watcher = Arc::clone(&self.fetcher.watcher);
        blocking(move || Part::begin(&folder, &name, &shard, &|bytes| watcher(Progress::Seen(bytes)))).await
    }

    /// Asks once for the bytes that are missing, and writes what arrives.
    async fn call(
        &self,
        grant: &GrantRow,
        name: &ShardName,
        shard: &Shard,
        part: Part,
    ) -> Result<(Part, Call), FetchError> {
        let path = format!("{SHARDS_PATH}/{}/{name}", self.wanted.agreement);
        let from = part.written();
        let range = format!("bytes={from}-");
        let tag = format!("\"{}\"", shard.sha256);
        let headers = [(GRANT_HEADER, grant.id.as_str()), ("range", &range), ("if-range", &tag)];
        let rest = shard.bytes - from;
        let owner = &self.wanted.owner;
        let answer = match self.fetcher.outbound.stream(owner, &path, &headers, deadline(), rest).await {
            Ok(answer) => answer,
            Err(error) => return self.fetcher.silent(error).map(|reason| (part, Call::Later(reason))),
        };
        let begins = answer
            .headers
            .get("content-range")
            .and_then(|range| range.strip_prefix("bytes ")?.split_once('-')?.0.parse::<u64>().ok());
        if answer.status != 206 || begins != Some(from) {
            let mut body = Box::pin(answer.body);
            let mut bytes = Vec::new();
            while let Some(Ok(piece)) = body.next().await {
                bytes.extend_from_slice(&piece);
                if bytes.len() as u64 > MAX_ANSWER_BYTES || answer.status < 300 {
                    break;
                }
            }
            if problem_code(&bytes) == GRANT_OVER {
                return Ok((part, Call::GrantOver));
            }
            return refused(answer.status, &bytes).map(|reason| (part, Call::Later(reason)));
        }
        let (pieces, waiting) = mpsc::channel(PIECES_AHEAD);
        let watcher = Arc::clone(&self.fetcher.watcher);
        let writing = tokio::task::spawn_blocking(move || write(part, waiting, &watcher));
        let mut body = Box::pin(answer.body);
        let mut call = Call::Got;
        while let Some(piece) = body.next().await {
            match piece {
                Ok(piece) => {
                    // Where nobody takes it the writer stopped, and says why below.
                    if pieces.send(piece).await.is_err() {
                        break;
                    }
                }
                Err(error) => {
                    call = Call::Later(error.to_string());
                    break;
                }
            }
        }
        drop(pieces);
        let part = writing.await.map_err(|stopped| FetchError::NotAsAgreed(stopped.to_string()))??;
        Ok((part, call))
    }

    /// The grant in use, or a new one where there is none, where it is about to run out, or where the certificate it was
    /// made for was renewed.
    async fn grant(&self, tries: &mut Tries<'_>) -> Result<GrantRow, FetchError> {
        let mut kept = self.grant.lock().await;
        let fetcher = self.fetcher;
        if let Some(grant) = &*kept
            && grant.certificate == fetcher.own.fingerprint()
            && grant.expires.duration_since(fetcher.clock.now()) > GRANT_MARGIN
        {
            return Ok(grant.clone());
        }
        let ask = GrantAsk { agreement: self.wanted.agreement.clone() };
        loop {
            let owner = &self.wanted.owner;
            let call = fetcher.outbound.post_json(owner, GRANTS_PATH, &[], &ask, deadline(), MAX_ANSWER_BYTES).await;
            let reason = match call {
                Ok(answer) if (200..300).contains(&answer.status) => match answer.json::<GrantRow>() {
                    Ok(grant) => {
                        *kept = Some(grant.clone());
                        return Ok(grant);
                    }
                    Err(error) => error.to_string(),
                },
                Ok(answer) => refused(answer.status, &answer.bytes)?,
                Err(error) => fetcher.silent(error)?,
            };
            tries.wait(reason, &fetcher.watcher).await?;
        }
    }

    async fn forget(&self, grant: &GrantRow) {
        let mut kept = self.grant.lock().await;
        if kept.as_ref().is_some_and(|kept| kept.id == grant.id) {
            *kept = None;
        }
    }
}

/// Writes and verifies what arrives, until nothing arrives any more.
fn write(mut part: Part, mut pieces: mpsc::Receiver<Bytes>, watcher: &Watcher) -> Result<Part, PartError> {
    while let Some(piece) = pieces.blocking_recv() {
        part.write(&piece)?;
        watcher(Progress::Received(piece.len() as u64));
    }
    Ok(part)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PartError> + Send + 'static,
) -> Result<T, FetchError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done?),
        Err(stopped) => Err(FetchError::NotAsAgreed(stopped.to_string())),
    }
}

/// The tries since something last moved.
struct Tries<'a> {
    options: &'a Options,
    since: Instant,
    next: Duration,
}

impl<'a> Tries<'a> {
    fn new(options: &'a Options) -> Self {
        Self { options, since: Instant::now(), next: options.first_retry }
    }

    /// Waits before the next try, or gives up.
    async fn wait(&mut self, reason: String, watcher: &Watcher) -> Result<(), FetchError> {
        if self.since.elapsed() + self.next > self.options.patience {
            return Err(FetchError::GivenUp { reason, patience: self.options.patience });
        }
        let ms = u64::try_from(self.next.as_millis()).unwrap_or(u64::MAX);
        watcher(Progress::Waiting { reason, ms });
        tokio::time::sleep(self.next).await;
        self.next = (self.next * 2).min(self.options.first_retry * 30);
        Ok(())
    }
}

/// What a refusal means: that it may work later, with the reason, or why it never will.
fn refused(status: u16, body: &[u8]) -> Result<String, FetchError> {
    let problem: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let detail = problem["detail"].as_str().unwrap_or_default();
    let detail: String = detail.chars().filter(|c| !c.is_control()).take(300).collect();
    let said = if detail.is_empty() { format!("status {status}") } else { detail };
    match status {
        _ if problem_code(body) == NOT_AS_AGREED => Err(FetchError::NotAsAgreed(said)),
        401 | 403 | 410 => Err(FetchError::Denied(said)),
        404 => Err(FetchError::NotFound(said)),
        _ => Ok(said),
    }
}

fn problem_code(body: &[u8]) -> String {
    let problem: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    problem["code"].as_str().unwrap_or_default().to_owned()
}

fn deadline() -> Instant {
    Instant::now() + ANSWER_WITHIN
}

fn receipt_id() -> OpaqueId {
    format!("receipt-{}", uuid::Uuid::new_v4().simple()).parse().expect("letters, digits and '-', 40 characters")
}
