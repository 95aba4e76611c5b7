//! Calls to peers over mutual TLS, each under one absolute deadline and one hard limit of bytes.
//!
//! [`Federation`] keeps one warm client per peer. A client accepts nobody but its peer's identity and is built anew when
//! that peer's file or our own certificate changes, so that no pooled connection outlives what it was allowed by. A
//! peer's answer is data: its status is given back as it came, and every way of not getting one is a [`CallError`].

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{Stream, StreamExt as _};
use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::bytes::Bytes;
use url::Url;

use crate::domain::ids::{Digest, Identity};
use crate::peers::health::Outcome;
use crate::peers::peer_file::MAX_BYTES;
use crate::peers::tls::{self, KeyExchange, OwnCertificate};
use crate::peers::trust::{Offered, Refusal, Standing, Trust};

/// How calls are made.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long a connection may take to be made, TLS included.
    pub connect_timeout: Duration,
    /// How long an idle connection is kept; the server's own limit must be longer.
    pub pool_idle: Duration,
    /// How many calls to one peer may be under way at once. Without a bound, a burst would be a burst of handshakes.
    pub calls_per_peer: usize,
    /// How long a stream may bring nothing before it counts as broken.
    pub stall: Duration,
    /// A proxy that was asked for explicitly; reached by `CONNECT`, so it sees names and no content.
    pub proxy: Option<Url>,
    /// Which key exchanges are offered.
    pub key_exchange: KeyExchange,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            pool_idle: Duration::from_secs(90),
            calls_per_peer: 32,
            stall: Duration::from_secs(60),
            proxy: None,
            key_exchange: KeyExchange::default(),
        }
    }
}

/// Why a call brought no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The deadline passed.
    #[error("no answer within the deadline")]
    Timeout,
    /// No connection could be made, or it broke.
    #[error("not reachable: {reason}")]
    Unreachable {
        /// What the system said.
        reason: String,
        /// Whether nobody listens at the address, which is known at once and for certain.
        nobody_listens: bool,
    },
    /// One side did not accept the other.
    #[error("refused: {0}")]
    Refused(String),
    /// The answer is larger than was allowed.
    #[error("the answer is over {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// The answer's status is not one of success.
    #[error("the answer has status {status}: {detail}")]
    BadStatus {
        /// The HTTP status.
        status: u16,
        /// The `detail` of its problem, or the beginning of its text, at most 300 characters.
        detail: String,
    },
    /// The answer breaks the protocol or cannot be read.
    #[error("the answer cannot be read: {0}")]
    BrokenAnswer(String),
    /// The call could not be set up; the fault is on our side.
    #[error("the call could not be made: {0}")]
    Setup(String),
}

impl CallError {
    /// What the error says about the peer's health; `None` where the fault is ours.
    pub fn outcome(&self) -> Option<Outcome> {
        let reason = || self.to_string();
        match self {
            Self::Timeout => Some(Outcome::TimedOut),
            Self::Unreachable { nobody_listens, .. } => {
                Some(Outcome::Unreachable { reason: reason(), nobody_listens: *nobody_listens })
            }
            Self::Refused(_) | Self::BadStatus { status: 401 | 403, .. } => Some(Outcome::Refused { reason: reason() }),
            Self::BadStatus { status: 500.., .. } => {
                Some(Outcome::Unreachable { reason: reason(), nobody_listens: false })
            }
            // It said that it is asked too often, which is an answer.
            Self::BadStatus { status: 429, .. } | Self::Setup(_) => None,
            Self::TooLarge { .. } | Self::BrokenAnswer(_) | Self::BadStatus { .. } => {
                Some(Outcome::Incompatible { reason: reason() })
            }
        }
    }
}

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Headers,
    /// The body.
    pub bytes: Bytes,
    /// From the call until the last byte.
    pub elapsed: Duration,
}

impl Answer {
    /// The answer itself, if its status is one of success.
    pub fn success(self) -> Result<Self, CallError> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        let problem: Option<serde_json::Value> = serde_json::from_slice(&self.bytes).ok();
        let detail = problem.as_ref().and_then(|problem| problem.get("detail")?.as_str()).map_or_else(
            || String::from_utf8_lossy(&self.bytes[..self.bytes.len().min(1200)]).into_owned(),
            str::to_owned,
        );
        let detail = detail.chars().filter(|c| !c.is_control()).take(300).collect();
        Err(CallError::BadStatus { status: self.status, detail })
    }

    /// The body as JSON; its depth is bounded by the parser at 128.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, CallError> {
        serde_json::from_slice(&self.bytes).map_err(|error| CallError::BrokenAnswer(error.to_string()))
    }
}

/// An answer whose body is still arriving.
pub struct Streamed<S> {
    /// The HTTP status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Headers,
    /// The body, piece by piece; it ends with an error when it stalls, breaks or grows past the limit.
    pub body: S,
}

/// The headers of an answer; a value that is not text is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// The first value of a header; `name` in lower case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn of(headers: &reqwest::header::HeaderMap) -> Self {
        let text = headers.iter().filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
        Self(text.collect())
    }
}

/// The caller of peers.
#[derive(Debug)]
pub struct Federation {
    own: Arc<OwnCertificate>,
    trust: Arc<Trust>,
    options: Options,
    clients: Mutex<BTreeMap<Identity, Warm>>,
}

/// A client that is kept for one peer, and what it was built under.
#[derive(Debug, Clone)]
struct Warm {
    client: reqwest::Client,
    peer_file: Digest,
    own_certificate: Digest,
    permits: Arc<Semaphore>,
}

impl Federation {
    /// A caller with our own certificate and trust list.
    pub fn new(own: Arc<OwnCertificate>, trust: Arc<Trust>, options: Options) -> Self {
        Self { own, trust, options, clients: Mutex::new(BTreeMap::new()) }
    }

    /// Who calls: the identity of our own certificate.
    pub fn own_identity(&self) -> Identity {
        self.own.identity()
    }

    /// The trust list by which calls are made.
    pub fn trust(&self) -> &Arc<Trust> {
        &self.trust
    }

    /// How far the peer is trusted now, without calling it.
    pub fn standing(&self, peer: &Identity) -> Result<Standing, Refusal> {
        self.trust.peer(peer).map(|(_, standing)| standing)
    }

    /// `GET` a whole answer. `path` begins without a slash and may carry a query.
    pub async fn get(
        &self,
        peer: &Identity,
        path: &str,
        headers: &[(&str, &str)],
        deadline: Instant,
        max_bytes: u64,
    ) -> Result<Answer, CallError> {
        self.call(peer, path, headers, None, deadline, max_bytes).await
    }

    /// `POST` a body as JSON and read the whole answer.
    pub async fn post_json<B: Serialize + ?Sized>(
        &self,
        peer: &Identity,
        path: &str,
        headers: &[(&str, &str)],
        body: &B,
        deadline: Instant,
        max_bytes: u64,
    ) -> Result<Answer, CallError> {
        let body = serde_json::to_vec(body).map_err(|error| CallError::Setup(error.to_string()))?;
        self.call(peer, path, headers, Some(Bytes::from(body)), deadline, max_bytes).await
    }

    /// `GET` an answer piece by piece. The deadline covers the headers; after that each piece has the stall limit.
    pub async fn stream(
        &self,
        peer: &Identity,
        path: &str,
        headers: &[(&str, &str)],
        deadline: Instant,
        max_bytes: u64,
    ) -> Result<Streamed<impl Stream<Item = Result<Bytes, CallError>> + Send + use<>>, CallError> {
        let (response, permit) = within(deadline, self.send(peer, path, headers, None)).await?;
        let status = response.status().as_u16();
        let headers = Headers::of(response.headers());
        let pieces = Pieces { body: Box::pin(response.bytes_stream()), _permit: permit };
        let stall = self.options.stall;
        let body = futures_util::stream::unfold(Some((pieces, 0_u64)), move |state| async move {
            let (mut pieces, mut total) = state?;
            let piece = match tokio::time::timeout(stall, pieces.body.next()).await {
                Err(_) => return Some((Err(CallError::Timeout), None)),
                Ok(None) => return None,
                Ok(Some(Err(error))) => return Some((Err(classify(&error)), None)),
                Ok(Some(Ok(piece))) => piece,
            };
            total += piece.len() as u64;
            if total > max_bytes {
                return Some((Err(CallError::TooLarge { limit: max_bytes }), None));
            }
            Some((Ok(piece), Some((pieces, total))))
        });
        Ok(Streamed { status, headers, body })
    }

    /// Fetches the peer's newest peer file, even where its trust or revocation list ran out here. The text that comes
    /// back proves itself only by its signature: give it to [`Trust::offer`].
    pub async fn fetch_peer_file(&self, peer: &Identity, path: &str, deadline: Instant) -> Result<String, CallError> {
        let state = self.trust.state();
        let listed = state.peer(peer.domain()).filter(|listed| listed.file.node == *peer).cloned();
        let listed =
            listed.ok_or_else(|| CallError::Refused(Refusal::UnknownDomain(peer.domain().clone()).to_string()))?;
        let config = tls::refresh_config(&self.own, &self.trust, peer, self.options.key_exchange)
            .map_err(|error| CallError::Setup(error.to_string()))?;
        let client = self.build(config)?;
        let answer = within(deadline, async {
            let mut last = CallError::Setup("the peer has no address".to_owned());
            for base in &listed.file.addresses {
                match client.get(address(base, path)?).send().await {
                    Ok(response) => return collect(response, MAX_BYTES).await,
                    Err(error) => last = classify(&error),
                }
            }
            Err(last)
        })
        .await?;
        let answer = Answer { elapsed: Duration::ZERO, ..answer }.success()?;
        String::from_utf8(answer.bytes.to_vec()).map_err(|_| CallError::BrokenAnswer("it is not UTF-8".to_owned()))
    }

    /// Fetches the peer's newest peer file as [`Federation::fetch_peer_file`] does and offers it to the trust list. For
    /// who has no background probe, such as a holder's command line.
    pub async fn refresh_trust(&self, peer: &Identity, path: &str, deadline: Instant) -> Result<Offered, CallError> {
        let jws = self.fetch_peer_file(peer, path, deadline).await?;
        let trust = Arc::clone(&self.trust);
        // It writes the accepted file to the disk.
        tokio::task::spawn_blocking(move || trust.offer(&jws))
            .await
            .map_err(|error| CallError::Setup(error.to_string()))
    }

    async fn call(
        &self,
        peer: &Identity,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Bytes>,
        deadline: Instant,
        max_bytes: u64,
    ) -> Result<Answer, CallError> {
        let begin = Instant::now();
        within(deadline, async {
            let (response, _permit) = self.send(peer, path, headers, body).await?;
            let answer = collect(response, max_bytes).await?;
            Ok(Answer { elapsed: begin.elapsed(), ..answer })
        })
        .await
    }

    async fn send(
        &self,
        peer: &Identity,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Bytes>,
    ) -> Result<(reqwest::Response, OwnedSemaphorePermit), CallError> {
        let (listed, _) = self.trust.peer(peer).map_err(|refusal| CallError::Refused(refusal.to_string()))?;
        let warm = self.warm(peer, listed.digest)?;
        let permit =
            warm.permits.acquire_owned().await.map_err(|_| CallError::Setup("the node is shutting down".to_owned()))?;
        let mut last = CallError::Setup("the peer has no address".to_owned());
        for base in &listed.file.addresses {
            let url = address(base, path)?;
            let mut request = match &body {
                None => warm.client.get(url),
                Some(body) => warm.client.post(url).header("content-type", "application/json").body(body.clone()),
            };
            request = request.header("accept-encoding", "identity");
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            match request.send().await {
                Ok(response) => return Ok((response, permit)),
                // Only where no connection came about is it certain that the peer has not seen the call.
                Err(error) if error.is_connect() => last = classify(&error),
                Err(error) => return Err(classify(&error)),
            }
        }
        Err(last)
    }

    fn warm(&self, peer: &Identity, peer_file: Digest) -> Result<Warm, CallError> {
        let own_certificate = self.own.fingerprint();
        let mut clients = self.clients.lock();
        let kept = clients.get(peer);
        if let Some(warm) = kept
            && warm.peer_file == peer_file
            && warm.own_certificate == own_certificate
        {
            return Ok(warm.clone());
        }
        let config = tls::client_config(&self.own, &self.trust, peer, self.options.key_exchange)
            .map_err(|error| CallError::Setup(error.to_string()))?;
        let permits = kept
            .map_or_else(|| Arc::new(Semaphore::new(self.options.calls_per_peer)), |warm| Arc::clone(&warm.permits));
        let warm = Warm { client: self.build(config)?, peer_file, own_certificate, permits };
        let state = self.trust.state();
        clients.retain(|kept, _| state.peer(kept.domain()).is_some());
        clients.insert(peer.clone(), warm.clone());
        Ok(warm)
    }

    fn build(&self, config: rustls::ClientConfig) -> Result<reqwest::Client, CallError> {
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(config)
            .https_only(true)
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .no_proxy()
            .tcp_nodelay(true)
            .connect_timeout(self.options.connect_timeout)
            .pool_idle_timeout(self.options.pool_idle)
            .user_agent(concat!("pleiad/", env!("CARGO_PKG_VERSION")));
        if let Some(proxy) = &self.options.proxy {
            let proxy = reqwest::Proxy::all(proxy.clone()).map_err(|error| CallError::Setup(error.to_string()))?;
            builder = builder.proxy(proxy);
        }
        builder.build().map_err(|error| CallError::Setup(innermost(&error)))
    }
}

/// A body that keeps its place among the calls to a peer until it is read or dropped.
struct Pieces {
    body: std::pin::Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send>>,
    _permit: OwnedSemaphorePermit,
}

async fn within<T>(deadline: Instant, call: impl Future<Output = Result<T, CallError>>) -> Result<T, CallError> {
    tokio::time::timeout_at(deadline.into(), call).await.unwrap_or(Err(CallError::Timeout))
}

fn address(base: &Url, path: &str) -> Result<Url, CallError> {
    let url = base.join(path).map_err(|error| CallError::Setup(format!("{path:?} is not a path: {error}")))?;
    // A path that came from a peer must not lead to another host.
    if url.origin() == base.origin() {
        Ok(url)
    } else {
        Err(CallError::Setup(format!("{path:?} leads away from {base}")))
    }
}

async fn collect(mut response: reqwest::Response, limit: u64) -> Result<Answer, CallError> {
    let status = response.status().as_u16();
    let headers = Headers::of(response.headers());
    if headers.get("content-encoding").is_some_and(|encoding| encoding != "identity") {
        return Err(CallError::BrokenAnswer("it is compressed, which was not asked for".to_owned()));
    }
    if response.content_length().is_some_and(|length| length > limit) {
        return Err(CallError::TooLarge { limit });
    }
    let mut bytes = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| classify(&error))? {
        if (bytes.len() + piece.len()) as u64 > limit {
            return Err(CallError::TooLarge { limit });
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(Answer { status, headers, bytes: bytes.into(), elapsed: Duration::ZERO })
}

/// Finds out what went wrong from the chain of errors beneath the client's own.
fn classify(error: &reqwest::Error) -> CallError {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    let (mut broke, mut nobody_listens) = (error.is_connect(), false);
    while let Some(found) = cause {
        if let Some(refusal) = found.downcast_ref::<rustls::Error>().and_then(tls::refusal) {
            return CallError::Refused(refusal);
        }
        if let Some(found) = found.downcast_ref::<io::Error>() {
            broke |= is_of_the_connection(found.kind());
            nobody_listens |= found.kind() == io::ErrorKind::ConnectionRefused;
        }
        cause = beneath(found);
    }
    let reason = innermost(error);
    // The HTTP client has no public type for a connection that ended between two messages.
    broke |= reason == "connection closed before message completed";
    if error.is_timeout() {
        CallError::Timeout
    } else if broke {
        CallError::Unreachable { reason, nobody_listens }
    } else if error.is_builder() {
        CallError::Setup(reason)
    } else {
        CallError::BrokenAnswer(reason)
    }
}

/// Whether an error says something of the way to the peer, and nothing of what the peer answers.
fn is_of_the_connection(kind: io::ErrorKind) -> bool {
    use io::ErrorKind as K;
    matches!(
        kind,
        K::ConnectionRefused
            | K::ConnectionReset
            | K::ConnectionAborted
            | K::NotConnected
            | K::BrokenPipe
            | K::UnexpectedEof
            | K::HostUnreachable
            | K::NetworkUnreachable
            | K::NetworkDown
            | K::TimedOut
    )
}

/// The next error beneath. What an `io::Error` was made from is not its source but its content, and a failed handshake
/// is such a content, sometimes twice over.
fn beneath<'e>(error: &'e (dyn StdError + 'static)) -> Option<&'e (dyn StdError + 'static)> {
    let content = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    content.map(|content| content as &(dyn StdError + 'static)).or_else(|| error.source())
}

/// The innermost cause, which is the part that a person can use; the outer ones only name layers of the client.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &(dyn StdError + 'static) = error;
    while let Some(next) = beneath(cause) {
        cause = next;
    }
    cause.to_string().chars().filter(|c| !c.is_control()).take(300).collect()
}
