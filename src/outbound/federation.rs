//! Calls to peers over mutual TLS, each under one absolute deadline and one hard limit of bytes.
//!
//! [`Federation`] keeps one warm client per peer. A client accepts nobody but its peer's identity and is built anew when
//! that peer's file or our own certificate changes, so that no pooled connection outlives what it was allowed by. A
//! peer's answer is data: its status is given back as it came, and every way of not getting one is a [`CallError`].

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{Stream, StreamExt as _};
use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::bytes::Bytes;
use url::Url;

pub use super::answer::{Answer, CallError, Headers, Streamed};
use super::answer::{classify, collect, innermost};
use crate::domain::ids::{Digest, Identity};
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
