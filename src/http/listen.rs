//! The listeners: the one file that names actix and rustls together.
//!
//! actix's own `HttpServer` cannot put a stream of ours between the socket and the dispatcher, and only there can a
//! reader that does not read be seen (see [`pace`](super::pace)). So the same parts are put together here: actix-server
//! accepts, rustls shakes hands, [`Paced`] watches, actix-http speaks HTTP/1.1, actix-web routes.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_http::HttpService;
use actix_server::Server;
use actix_service::{IntoServiceFactory as _, ServiceFactoryExt as _, fn_service, map_config};
use actix_web::App;
use actix_web::dev::AppConfig;
use actix_web::middleware::from_fn;
use actix_web::web::{Data, ServiceConfig};
use parking_lot::Mutex;
use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::caller;
use super::limits::{self, Limits, Rates};
use super::observe;
use super::operations::Metrics;
use super::pace::{Activity, Paced};
use crate::peers::identity::Presented;
use crate::peers::tls;

/// Which of the three doors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DoorName {
    /// For people: pages and the API.
    Web,
    /// For peers and for participants that pull shards.
    Federation,
    /// For probes and Prometheus.
    Operations,
}

impl DoorName {
    /// The name in logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Federation => "federation",
            Self::Operations => "operations",
        }
    }
}

/// What every request of a door meets: its bounds, counters and rates.
#[derive(Debug)]
pub struct Door {
    /// Which.
    pub name: DoorName,
    /// Whether the door is reached by TLS, here or at a proxy before it.
    pub secure: bool,
    /// Bounds on requests.
    pub limits: Limits,
    /// The node's counters.
    pub metrics: Arc<Metrics>,
    /// The rate of each caller; `None` counts nobody.
    pub rates: Option<Rates>,
    /// Proxies whose `Forwarded` is believed.
    pub trusted_proxies: Vec<IpAddr>,
}

/// What is known of a connection, found by `req.conn_data()`.
#[derive(Debug)]
pub struct Connection {
    /// How its requests stand.
    pub activity: Arc<Activity>,
    /// Who presented a certificate; only on the federation door.
    pub presented: Option<Arc<Presented>>,
}

/// Why a certificate for the web listener cannot be used, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum WebTlsError {
    /// A file.
    #[error("{} cannot be read as PEM ({reason}): check web.certificate and web.key", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Certificate and key do not fit each other, or rustls refuses them.
    #[error("{} and its key cannot be used ({source}): they must belong together", certificate.display())]
    Refused {
        /// The certificate's file.
        certificate: PathBuf,
        /// Why.
        source: rustls::Error,
    },
}

/// The TLS side of a listener, for those who pass it on.
pub type TlsConfig = ServerConfig;

/// TLS for people's browsers: the public web's rules, so TLS 1.2 as well, and resumption.
pub fn web_tls(certificate: &Path, key: &Path) -> Result<ServerConfig, WebTlsError> {
    let unreadable = |path: &Path, reason: String| WebTlsError::File { path: path.to_owned(), reason };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|error| unreadable(certificate, error.to_string()))?;
    if chain.is_empty() {
        return Err(unreadable(certificate, "no certificate is in it".to_owned()));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable(key, error.to_string()))?;
    let refused = |source| WebTlsError::Refused { certificate: certificate.to_owned(), source };
    // The provider is named: a process-wide default would make one process one node.
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(refused)?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(refused)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Opens a door on a bound listener. The server runs while it is awaited, and stops by its handle.
pub fn open<C>(listener: TcpListener, tls: Option<ServerConfig>, door: Data<Door>, routes: C) -> io::Result<Server>
where
    C: Fn(&mut ServiceConfig) + Clone + Send + 'static,
{
    listener.set_nonblocking(true)?;
    let limits = door.limits.clone();
    let builder = Server::build()
        .workers(limits.workers)
        .worker_max_blocking_threads(32)
        .max_concurrent_connections(limits.connections.div_ceil(limits.workers).max(1))
        .shutdown_timeout(limits.shutdown.as_secs().max(1))
        .disable_signals();
    let stopping = builder.graceful_shutdown_signal();
    let acceptor = Acceptor {
        tls: tls.map(|config| TlsAcceptor::from(Arc::new(config))),
        door: door.clone(),
        addresses: Arc::default(),
    };
    let server = builder.listen(format!("pleiad-{}", door.name.as_str()), listener, move || {
        let (acceptor, stopping) = (acceptor.clone(), stopping.clone());
        let app = App::new()
            .app_data(door.clone())
            .configure(routes.clone())
            .wrap(from_fn(limits::bound_rate))
            .wrap(from_fn(caller::identify))
            .wrap(from_fn(limits::bound_body))
            .wrap(from_fn(observe::request))
            .into_factory()
            .map_err(|error: actix_web::Error| error.error_response());
        let http = HttpService::build()
            .keep_alive(limits.idle)
            .client_request_timeout(limits.head)
            .client_disconnect_timeout(Duration::from_secs(2))
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            .on_connect_ext(|stream: &Paced<Stream>, data| {
                data.insert(Connection {
                    activity: stream.activity().clone(),
                    presented: stream.get_ref().presented().map(Arc::new),
                });
            })
            .h1(map_config(app, |()| AppConfig::default()))
            .map_err(|error| tracing::debug!(%error, "a connection ended early"));
        fn_service(move |stream: TcpStream| {
            let acceptor = acceptor.clone();
            async move { acceptor.accept(stream).await }
        })
        .and_then(http)
    })?;
    Ok(server.run())
}

/// Makes a connection of a socket: counts it, tunes it, shakes hands.
#[derive(Clone)]
struct Acceptor {
    tls: Option<TlsAcceptor>,
    door: Data<Door>,
    addresses: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Acceptor {
    async fn accept(&self, socket: TcpStream) -> Result<(Paced<Stream>, Option<SocketAddr>), ()> {
        let address = socket.peer_addr().map_err(|error| tracing::debug!(%error, "a caller left at once"))?;
        let place = self.place(address.ip())?;
        tune(&socket).map_err(|error| tracing::debug!(%error, "a socket could not be tuned"))?;
        let inner = match &self.tls {
            None => Inner::Plain(socket),
            Some(tls) => match tokio::time::timeout(self.door.limits.handshake, tls.accept(socket)).await {
                Ok(Ok(stream)) => Inner::Tls(Box::new(stream)),
                Ok(Err(error)) => {
                    let reason = error.get_ref().and_then(|error| tls::refusal(error.downcast_ref()?));
                    self.door
                        .metrics
                        .handshake_refused(self.door.name, if reason.is_some() { "refused" } else { "broken" });
                    if let Some(reason) = reason {
                        tracing::info!(door = self.door.name.as_str(), %address, reason, "a handshake was refused");
                    }
                    return Err(());
                }
                Err(_) => {
                    self.door.metrics.handshake_refused(self.door.name, "stalled");
                    return Err(());
                }
            },
        };
        Ok((Paced::new(Stream { inner, _place: place }, &self.door.limits), Some(address)))
    }

    /// A place among the connections of this address, given back on drop.
    fn place(&self, address: IpAddr) -> Result<Place, ()> {
        let mut addresses = self.addresses.lock();
        let count = addresses.entry(address).or_insert(0);
        if *count >= self.door.limits.connections_per_address {
            self.door.metrics.connection_refused(self.door.name);
            return Err(());
        }
        *count += 1;
        Ok(Place { address, addresses: self.addresses.clone() })
    }
}

/// Without `TCP_NODELAY`, an answer in two writes waits for the caller's delayed acknowledgement. The low mark keeps
/// unsent bytes out of the kernel's buffer, which may be megabytes: written must mean on its way, or a slow reader could
/// not be told from a patient one. It does not limit what is in flight, so throughput over long ways stays.
fn tune(socket: &TcpStream) -> io::Result<()> {
    socket.set_nodelay(true)?;
    #[cfg(target_os = "linux")]
    socket2::SockRef::from(socket).set_tcp_notsent_lowat(128 * 1024)?;
    Ok(())
}

struct Place {
    address: IpAddr,
    addresses: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut addresses = self.addresses.lock();
        if let Some(count) = addresses.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                addresses.remove(&self.address);
            }
        }
    }
}

/// A connection's bytes, plain or decrypted.
struct Stream {
    inner: Inner,
    _place: Place,
}

enum Inner {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    fn presented(&self) -> Option<Presented> {
        match &self.inner {
            Inner::Plain(_) => None,
            Inner::Tls(stream) => tls::presented(stream.get_ref().1),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().inner {
            Inner::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Inner::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().inner {
            Inner::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Inner::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().inner {
            Inner::Plain(stream) => Pin::new(stream).poll_flush(context),
            Inner::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().inner {
            Inner::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Inner::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
