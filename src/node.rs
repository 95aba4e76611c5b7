//! The composition root: opens what the node keeps, builds the flows, wires who follows whom, opens the doors, and runs
//! until it is told to stop.
//!
//! Nothing is static: any number of nodes runs in one process, each on listeners that it was given, so tests use port 0.

mod doors;
mod following;
mod harvesting;
mod kept;
mod releasing;
mod searching;
mod watched;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use actix_server::ServerHandle;
use actix_web::web::Data;
use tokio::task::JoinSet;

use crate::accounts::Accounts;
use crate::audit::Audit;
use crate::clock::Clock;
use crate::config::Config;
use crate::delivery::journal::JournalError;
use crate::http::listen::{Door, WebTlsError};
use crate::http::operations::Metrics;
use crate::index::IndexError;
use crate::keys::{KeyFileError, SignerName};
use crate::peers::publish::{Description, Publisher};
use crate::peers::tls::TlsError;
use crate::peers::trust::TrustError;
use crate::store::{self, Store};

pub use crate::store::{Backup, StoreError};
use doors::Doors;
use harvesting::Harvesting;
use kept::Kept;
use releasing::Releasing;
use searching::Searching;
use watched::Watched;

/// Why a node could not start: one line that says what and how to mend it.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address is taken, or not ours.
    #[error("{address} ({key}) cannot be listened on ({source}): stop what listens there, or change {key}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// The setting.
        key: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The data folder cannot be made or entered.
    #[error("the data folder {} cannot be used ({source}): check `data` and its permissions", path.display())]
    Data {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An index.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The trust list.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The delivery journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A key or certificate.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The certificate is somebody else's.
    #[error("{} is for {found}, the configuration says {expected}: sign a new one with `pleiad keys`", path.display())]
    OtherIdentity {
        /// The certificate's file.
        path: PathBuf,
        /// Whose it is.
        found: Box<crate::domain::ids::Identity>,
        /// Whose it should be.
        expected: Box<crate::domain::ids::Identity>,
    },
    /// TLS towards peers.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// TLS towards people.
    #[error(transparent)]
    WebTls(#[from] WebTlsError),
    /// The file with further authorities cannot be read.
    #[error("{} cannot be read ({source}): check `outbound.authorities`", path.display())]
    Authorities {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The harvests.
    #[error(transparent)]
    Harvest(#[from] crate::harvest::HarvestError),
    /// A listener could not be opened.
    #[error("a listener could not be opened: {0}")]
    Listen(#[source] io::Error),
}

/// How often the node looks whether its peer file is due.
const PUBLISH_CHECK_EVERY: Duration = Duration::from_secs(60);
/// How often the log's head is signed at most; peers cosign it within ten minutes.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(60);

/// How often everything that is kept is verified from end to end; a start looks at what it can in a moment.
const VERIFY_EVERY: Duration = Duration::from_secs(24 * 60 * 60);

/// How often callers that stay away are forgotten.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// Bound listeners, one a door.
#[derive(Debug)]
pub struct Listeners {
    /// For people.
    pub web: TcpListener,
    /// For peers.
    pub federation: TcpListener,
    /// For probes.
    pub operations: TcpListener,
}

impl Listeners {
    /// Binds the addresses of a configuration.
    pub fn bind(config: &Config) -> Result<Self, StartError> {
        let bind = |address: SocketAddr, key: &'static str| {
            TcpListener::bind(address).map_err(|source| StartError::Bind { address, key, source })
        };
        Ok(Self {
            web: bind(config.web.listen, "web.listen")?,
            federation: bind(config.federation.listen, "federation.listen")?,
            operations: bind(config.operations_listen, "operations.listen")?,
        })
    }
}

/// The accounts of a node that stands still, for the person at the machine. A running node keeps its store to itself,
/// and is asked through its API instead.
pub fn local_accounts(config: &Config, clock: Arc<dyn Clock>) -> Result<Accounts, StartError> {
    let store = Store::open(&layout::store(&config.data), &config.identity)?;
    Ok(Accounts::new(store, config.identity.domain().clone(), clock))
}

/// Where a running node listens.
#[derive(Debug, Clone, Copy)]
pub struct Addresses {
    /// For people.
    pub web: SocketAddr,
    /// For peers.
    pub federation: SocketAddr,
    /// For probes.
    pub operations: SocketAddr,
}

/// A node, before it runs.
#[derive(Debug)]
pub struct Node;

impl Node {
    /// Starts a node: when this returns, its doors answer.
    pub async fn start(config: Config, listeners: Listeners, clock: Arc<dyn Clock>) -> Result<Running, StartError> {
        // 1. What the node keeps.
        let kept = Kept::open(&config, clock)?;
        let log_key = kept.keys.signer_or_create(SignerName::Log)?;

        // 2. The flows that have something of their own to open; the doors build the others from what is kept.
        let metrics = Arc::new(Metrics::default());
        let searching = Searching::open(&config, &kept.store, &kept.outbound).await?;
        let releasing = Releasing::open(&config, &kept).await?;
        let harvesting = Harvesting::open(&config, &kept).await?;

        // 3. The doors.
        let mut tasks = Watched::default();
        let Doors { addresses, servers, rated } =
            Doors::open(&config, &kept, &searching, &releasing, &harvesting, &metrics, &tasks, listeners)?;

        // 4. What goes on in the background: who follows the log, and what must be renewed.
        searching.run(&mut tasks, &metrics);
        releasing.run(&mut tasks);
        harvesting.run(&mut tasks);
        tasks.spawn("trust list", kept.trust.clone().watch(config.trust.poll));
        tasks.spawn("own certificate", kept.own.clone().watch(config.trust.poll));
        tasks.spawn("signing the log", Audit::new(kept.store.clone()).keep_signing(log_key, CHECKPOINT_EVERY));
        tasks.spawn("verifying the log", Audit::new(kept.store.clone()).keep_verifying(VERIFY_EVERY));
        // After the log's key is there, because the peer file carries its public half.
        let publisher = Publisher::new(kept.member.clone(), config.identity.clone(), kept.modes, kept.clock.clone());
        let description = description(&config, &publisher, addresses.federation);
        tasks.spawn("peer file", publisher.watch(description, PUBLISH_CHECK_EVERY));
        tasks.spawn("rates", sweep(rated));

        let handles = servers.iter().map(actix_server::Server::handle).collect();
        let mut running = JoinSet::new();
        for server in servers {
            running.spawn(server);
        }
        Ok(Running { addresses, searching, releasing, store: kept.store, handles, servers: running, tasks })
    }
}

/// Forgets callers that have not called for a while.
async fn sweep(doors: [Data<Door>; 2]) {
    loop {
        tokio::time::sleep(SWEEP_EVERY).await;
        doors.iter().filter_map(|door| door.rates.as_ref()).for_each(|rates| rates.sweep());
    }
}

/// What the node says about itself to its peers. Where the settings name no address, those in the peer file stay, and a
/// first file names the listener itself, which is right on one machine only.
fn description(config: &Config, publisher: &Publisher, listener: SocketAddr) -> Description {
    let server_name = config.federation.server_name.clone();
    let mut addresses = config.federation.addresses.clone();
    if addresses.is_empty() {
        addresses = match publisher.current() {
            Ok(Some(file)) => file.addresses,
            _ => format!("https://{server_name}:{}/", listener.port()).parse().into_iter().collect(),
        };
    }
    let name = config.name.best(&[]).1.to_owned();
    Description { name, countries: config.countries.iter().cloned().collect(), addresses, server_name }
}

/// A running node. Dropping it stops it without finishing what it accepted; [`Running::shutdown`] finishes.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub addresses: Addresses,
    searching: Searching,
    releasing: Releasing,
    store: Store,
    handles: Vec<ServerHandle>,
    servers: JoinSet<io::Result<()>>,
    tasks: Watched,
}

impl Running {
    /// What the node keeps: for the command line and for tests, which stand beside the doors.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Stops listening, finishes the requests that were accepted (bounded by `limits.shutdown_seconds`), then stops the
    /// rest.
    pub async fn shutdown(mut self) {
        futures_util::future::join_all(self.handles.iter().map(|handle| handle.stop(true))).await;
        while self.servers.join_next().await.is_some() {}
        self.tasks.shutdown().await;
        self.releasing.close().await;
        self.searching.close().await;
        self.store.close().await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A server that is only aborted leaves its threads and its port behind; told to stop, it ends them by itself.
        for handle in &self.handles {
            drop(handle.stop(false));
        }
        self.servers.detach_all();
    }
}

/// Where things lie in the data folder, beside the keys and the trust list that [`Member`](crate::peers::Member) knows.
pub mod layout {
    use std::path::{Path, PathBuf};

    /// The store: the log and its tables.
    pub fn store(data: &Path) -> PathBuf {
        data.join("store")
    }

    /// The delivery journal: releases on their way to the log.
    pub fn journal(data: &Path) -> PathBuf {
        data.join("delivery.journal")
    }

    /// The search index of a visibility class; it may be deleted while the node stands still.
    pub fn index(data: &Path, class: &str) -> PathBuf {
        data.join("index").join(class)
    }

    /// The key that seals cursors and sessions.
    pub fn door_key(data: &Path) -> PathBuf {
        data.join("keys").join("door.key")
    }
}

/// Writes a backup of a node's store into an empty folder, whether the node runs or not, and verifies it.
pub async fn back_up(data: &Path, to: &Path) -> Result<Backup, StoreError> {
    Store::inspect(&layout::store(data))?.back_up(to).await
}

/// Restores a backup into a data folder that holds no store, and verifies it there.
pub async fn restore(from: &Path, data: &Path) -> Result<Backup, StoreError> {
    store::restore(from, &layout::store(data)).await
}

/// Derives a stopped node's tables again from its log.
pub async fn rebuild(data: &Path) -> Result<(), StoreError> {
    let folder = layout::store(data);
    let store = Store::open(&folder, &Store::owner(&folder)?)?;
    store.rebuild().await?;
    store.close().await;
    Ok(())
}
