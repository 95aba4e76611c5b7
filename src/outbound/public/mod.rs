//! Requests to the open web that cannot be turned against the node that makes them.
//!
//! Whoever may say what a node fetches (a steward with a source's address, a record that names a licence's page, a server
//! that redirects) could otherwise make it speak to machines that only it can reach, fill its disk, or keep it waiting for
//! ever. So: http and https only; a name is looked up once, every address it leads to is judged ([`address`]) and the
//! connection is made to those and no other; redirects are followed by hand and held to the same rules; no proxy from the
//! environment, no cookies, no credentials; time, silence, size and what unpacking makes of it are bounded ([`inflate`]).
//!
//! An [`Ask`] says what is wanted and how much of it; [`Public::bytes`] and [`Public::file`] bring it. A server that is
//! busy is left alone for as long as it asks, as far as the ask's own time allows.

pub mod address;
mod error;
mod inflate;
mod resolve;
mod step;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt;
use url::Url;

pub use error::PublicError;
pub use resolve::{Found, Lookup, System};

use resolve::Guard;

/// Redirects that are followed at most.
const REDIRECTS: usize = 5;
/// Headers of an answer that are read at most.
const HEADERS: usize = 100;

/// How the open web is asked.
#[derive(Clone)]
pub struct Options {
    /// Whom a server's people may write to: the node's own address, in the `User-Agent`.
    pub contact: Option<Url>,
    /// Hosts that may lead to this machine or network: a name, or an address as it stands in a URL.
    pub allowed_hosts: Vec<String>,
    /// Certificates of authorities that count besides the platform's own, PEM.
    pub authorities: Option<Vec<u8>>,
    /// How long a connection may take to come about.
    pub connect: Duration,
    /// How long a server may be silent.
    pub idle: Duration,
    /// How long to wait before the first repetition, where the server does not say; doubled for each further one.
    pub pause: Duration,
    /// Who looks names up.
    pub lookup: Arc<dyn Lookup>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            contact: None,
            allowed_hosts: Vec::new(),
            authorities: None,
            connect: Duration::from_secs(10),
            idle: Duration::from_secs(60),
            pause: Duration::from_secs(2),
            lookup: Arc::new(System),
        }
    }
}

/// What is wanted.
#[derive(Debug, Clone)]
pub struct Ask {
    /// From where.
    pub url: Url,
    /// The host of whoever named the address: the only one that may lead to this machine or network, where the settings
    /// allow that. A redirect or a link that leads from it to another allowed host is refused.
    pub origin: Option<String>,
    /// The media types that will do, in the order of preference, lower case; empty takes anything.
    pub types: Vec<&'static str>,
    /// The `ETag` of what is here already.
    pub etag: Option<String>,
    /// The `Last-Modified` of what is here already.
    pub modified: Option<String>,
    /// The most bytes, as they come and unpacked.
    pub max_bytes: u64,
    /// From the first look-up until the last byte, repetitions and waits included.
    pub time: Duration,
    /// How often it is asked again when that may help.
    pub repeat: u32,
}

impl Ask {
    /// Anything that stands at an address: at most 64 MiB within two minutes, asked twice more if need be.
    pub fn new(url: Url) -> Self {
        let (max_bytes, time) = (64 << 20, Duration::from_secs(120));
        let origin = url.host_str().map(str::to_owned);
        Self { url, origin, types: Vec::new(), etag: None, modified: None, max_bytes, time, repeat: 2 }
    }
}

/// What a fetch brought.
#[derive(Debug)]
pub enum Fetched<B> {
    /// It is as it was: the server confirmed the `ETag` or the date of the ask.
    Unchanged,
    /// It, whole.
    Got(Page<B>),
}

impl<B> Fetched<B> {
    fn map<C>(self, of: impl FnOnce(B) -> C) -> Fetched<C> {
        match self {
            Self::Unchanged => Fetched::Unchanged,
            Self::Got(Page { url, media_type, etag, modified, size, body }) => {
                Fetched::Got(Page { url, media_type, etag, modified, size, body: of(body) })
            }
        }
    }

    /// The page, for an ask that named neither `ETag` nor date.
    pub fn page(self) -> Result<Page<B>, PublicError> {
        match self {
            Self::Got(page) => Ok(page),
            Self::Unchanged => Err(PublicError::Here("it is unchanged, which was not asked".to_owned())),
        }
    }
}

/// A whole answer of the open web.
#[derive(Debug)]
pub struct Page<B> {
    /// Where it stood in the end, after redirects.
    pub url: Url,
    /// Its media type, in lower case and without parameters; empty where none was said.
    pub media_type: String,
    /// Its `ETag`, for the next ask.
    pub etag: Option<String>,
    /// Its `Last-Modified`, for the next ask.
    pub modified: Option<String>,
    /// How many bytes it has, unpacked.
    pub size: u64,
    /// The bytes, or the file with them.
    pub body: B,
}

/// The way to the open web. A clone is the same one.
#[derive(Clone)]
pub struct Public {
    guard: Guard,
    options: Arc<Options>,
    /// Made when first needed: a machine without roots must still be able to start.
    client: Arc<Mutex<Option<reqwest::Client>>>,
}

impl std::fmt::Debug for Public {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Public").field("allowed_hosts", &self.options.allowed_hosts).finish_non_exhaustive()
    }
}

impl Public {
    /// A way out under these options.
    pub fn new(options: Options) -> Self {
        let guard = Guard::new(Arc::clone(&options.lookup), options.allowed_hosts.iter().cloned());
        Self { guard, options: Arc::new(options), client: Arc::default() }
    }

    /// Fetches into memory.
    pub async fn bytes(&self, ask: &Ask) -> Result<Fetched<Vec<u8>>, PublicError> {
        Ok(self.fetch(ask, None).await?.map(|body| match body {
            Body::Memory(bytes) => bytes,
            Body::File(..) => Vec::new(), // only where a folder was named
        }))
    }

    /// Fetches into a new file in `folder`, which is gone when it is dropped. Nothing of it is held in memory.
    pub async fn file(&self, ask: &Ask, folder: &Path) -> Result<Fetched<NamedTempFile>, PublicError> {
        match self.fetch(ask, Some(folder)).await? {
            Fetched::Unchanged => Ok(Fetched::Unchanged),
            Fetched::Got(Page { url, media_type, etag, modified, size, body: Body::File(body, _) }) => {
                Ok(Fetched::Got(Page { url, media_type, etag, modified, size, body }))
            }
            Fetched::Got(_) => Err(PublicError::Here("there is no file".to_owned())),
        }
    }

    /// Asks until it is answered, the time is up, or asking again does not help.
    async fn fetch(&self, ask: &Ask, folder: Option<&Path>) -> Result<Fetched<Body>, PublicError> {
        let end = Instant::now() + ask.time;
        let mut pause = self.options.pause;
        let mut left = ask.repeat;
        loop {
            let error = match tokio::time::timeout_at(end.into(), self.once(ask, folder)).await {
                Ok(Ok(fetched)) => return Ok(fetched),
                Ok(Err(error)) => error,
                Err(_) => return Err(timed_out(ask)),
            };
            let wait = match &error {
                PublicError::Status { retry_after: Some(wait), .. } => *wait,
                _ => pause,
            };
            if left == 0 || !error.may_pass() || Instant::now() + wait >= end {
                return Err(error);
            }
            tokio::time::sleep(wait).await;
            left -= 1;
            pause = pause.saturating_mul(2);
        }
    }

    fn client(&self) -> Result<reqwest::Client, PublicError> {
        let mut kept = self.client.lock();
        if let Some(client) = kept.as_ref() {
            return Ok(client.clone());
        }
        let here = |error: reqwest::Error| {
            let reason = super::answer::innermost(&error);
            PublicError::Here(format!(
                "the open web cannot be asked ({reason}): install the platform's CA certificates"
            ))
        };
        // A second call finds the provider in place, which is as good.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let mut agent = concat!("pleiad/", env!("CARGO_PKG_VERSION")).to_owned();
        if let Some(contact) = &self.options.contact {
            agent.push_str(&format!(" (+{contact})"));
        }
        let mut builder = reqwest::Client::builder()
            .dns_resolver(self.guard.clone())
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .http1_only()
            .http1_max_headers(HEADERS)
            .connect_timeout(self.options.connect)
            .read_timeout(self.options.idle)
            .pool_max_idle_per_host(2)
            .pool_idle_timeout(Duration::from_secs(10))
            .user_agent(agent);
        if let Some(pem) = &self.options.authorities {
            builder = builder.tls_certs_merge(reqwest::Certificate::from_pem_bundle(pem).map_err(here)?);
        }
        let client = builder.build().map_err(here)?;
        *kept = Some(client.clone());
        Ok(client)
    }
}

fn timed_out(ask: &Ask) -> PublicError {
    let reason = format!("it was not whole after {} s", ask.time.as_secs_f32());
    PublicError::Timeout { url: ask.url.to_string(), reason }
}

/// Where bytes go as they come.
enum Body {
    Memory(Vec<u8>),
    File(NamedTempFile, tokio::fs::File),
}

impl Body {
    /// A new one: in memory, or a file in this folder.
    fn open(folder: Option<&Path>) -> Result<Self, PublicError> {
        let Some(folder) = folder else { return Ok(Self::Memory(Vec::new())) };
        let here = |error: std::io::Error| {
            PublicError::Here(format!("no file can be written in {} ({error}): make room there", folder.display()))
        };
        let file = NamedTempFile::new_in(folder).map_err(here)?;
        let writer = tokio::fs::File::from_std(file.reopen().map_err(here)?);
        Ok(Self::File(file, writer))
    }

    async fn put(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        match self {
            Self::Memory(all) => {
                all.extend_from_slice(bytes);
                Ok(())
            }
            Self::File(_, writer) => writer.write_all(bytes).await,
        }
    }

    async fn close(&mut self) -> std::io::Result<()> {
        match self {
            Self::Memory(_) => Ok(()),
            Self::File(_, writer) => writer.flush().await,
        }
    }
}
