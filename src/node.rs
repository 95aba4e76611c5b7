//! The composition root: opens what the node keeps, builds the flows, wires who follows whom, opens the doors, and runs
//! until it is told to stop.
//!
//! Nothing is static: any number of nodes runs in one process, each on listeners that it was given, so tests use port 0.

mod searching;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Data;
use tokio::task::JoinSet;

use crate::access::grants::{self, Grants};
use crate::access::participants::{Attested, Participants};
use crate::access::relay::{Pace, Relay};
use crate::access::requests::Requests;
use crate::accounts::Accounts;
use crate::audit::Audit;
use crate::catalogue::Catalogue;
use crate::clock::Clock;
use crate::config::{Config, ParticipantSettings};
use crate::delivery::journal::{Journal, JournalError};
use crate::delivery::send::Sender;
use crate::http;
use crate::http::limits::Rates;
use crate::http::listen::{self, Door, DoorName, WebTlsError};
use crate::http::operations::{Check, Health, Metrics};
use crate::http::seal::Sealer;
use crate::http::session::Sessions;
use crate::index::IndexError;
use crate::keys::{KeyFileError, Keyring, Modes, SignerName};
use crate::outbound::federation::{self, Federation};
use crate::peers::Member;
use crate::peers::publish::{Description, Publisher};
use crate::peers::tls::{self, KeyExchange, OwnCertificate, TlsError};
use crate::peers::trust::{Trust, TrustError};
use crate::shards::Folder;
use crate::store::{self, Store};

pub use crate::store::{Backup, StoreError};
use searching::Searching;

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
        found: crate::domain::ids::Identity,
        /// Whose it should be.
        expected: crate::domain::ids::Identity,
    },
    /// TLS towards peers.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// TLS towards people.
    #[error(transparent)]
    WebTls(#[from] WebTlsError),
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
        std::fs::create_dir_all(&config.data)
            .map_err(|source| StartError::Data { path: config.data.clone(), source })?;
        let member = Member::in_folder(&config.data);
        let modes = if config.production { Modes::Enforce } else { Modes::Warn };
        let own = OwnCertificate::load(member.node_certificate(), modes)?;
        if own.identity() != config.identity {
            return Err(StartError::OtherIdentity {
                path: member.node_certificate(),
                found: own.identity(),
                expected: config.identity,
            });
        }
        let store = Store::open(&layout::store(&config.data), &config.identity)?;
        let grace = config.trust.grace.try_into().unwrap_or(crate::peers::trust::DEFAULT_GRACE);
        let list_key = Keyring::new(member.keys(), modes).signer(SignerName::List)?.public_key();
        let own_list = Some((config.identity.domain().clone(), list_key));
        let trust = Trust::open(member.trust(), own_list, grace, clock.clone())?;
        let sealer = Arc::new(Sealer::open_or_create(&layout::door_key(&config.data), modes)?);

        let exchange = match config.trust.require_post_quantum {
            true => KeyExchange::RequirePostQuantum,
            false => KeyExchange::PreferPostQuantum,
        };
        let options = federation::Options { key_exchange: exchange, ..federation::Options::default() };
        let outbound = Arc::new(Federation::new(own.clone(), trust.clone(), options));

        // 2. The flows.
        let searching = Searching::open(&config, &store, &outbound).await?;
        let audit = Data::new(Audit::new(store.clone()));
        let accounts = Data::new(Accounts::new(store.clone(), config.identity.domain().clone(), clock.clone()));
        let catalogue = Data::new(Catalogue::new(store.clone(), clock.clone(), &config.identity, &config.countries));

        let attested = config.participants.iter().map(|(id, known)| {
            let known = known.clone();
            let ParticipantSettings { country, sector, secure_environment } = known;
            (id.clone(), Attested { country, sector, secure_environment })
        });
        let participants =
            Participants::new(config.identity.domain().clone(), config.countries.clone(), attested.collect());
        let requests = Requests::new(store.clone(), clock.clone(), config.identity.clone(), participants);
        let relay = Arc::new(Relay::new(requests.clone(), outbound.clone(), Pace::default()));
        let grants = Data::new(Grants::new(store.clone(), trust.clone(), clock.clone(), grants::DEFAULT_LIFETIME));
        let journal = Journal::open(layout::journal(&config.data), store.clone(), clock.clone()).await?;
        let folder = Folder::new(config.shards.folder.clone(), config.shards.elsewhere.clone());
        let sender = Data::new(Sender::new(folder, journal.clone()));
        let (requests, relayed) = (Data::new(requests), Data::from(relay.clone()));

        // 3. The doors.
        let metrics = Arc::new(Metrics::default());
        let addresses = Addresses {
            web: listeners.web.local_addr().map_err(StartError::Listen)?,
            federation: listeners.federation.local_addr().map_err(StartError::Listen)?,
            operations: listeners.operations.local_addr().map_err(StartError::Listen)?,
        };
        let health = Data::new(
            Health::default()
                .with(searching.check())
                .with({
                    let trust = trust.clone();
                    move || Check::new("trust", trust.readiness().err().map(|refusal| refusal.to_string()))
                })
                .with({
                    let store = store.clone();
                    move || Check::new("store", store.failing().map(|error| error.to_string()))
                }),
        );
        let web_tls =
            config.web.tls.as_ref().map(|files| listen::web_tls(&files.certificate, &files.key)).transpose()?;
        let federation_tls = tls::server_config(&own, &trust, exchange)?;
        let proxied = config.web.public_url.as_ref().is_some_and(|url| url.scheme() == "https");
        let door = |name: DoorName| {
            let mut limits = config.limits.clone();
            if name == DoorName::Operations {
                limits.workers = 1;
            }
            Data::new(Door {
                name,
                secure: name == DoorName::Web && (web_tls.is_some() || proxied),
                rates: (name != DoorName::Operations).then(|| Rates::new(&limits)),
                limits,
                metrics: metrics.clone(),
                trusted_proxies: if name == DoorName::Web { config.web.trusted_proxies.clone() } else { Vec::new() },
            })
        };
        let (web_door, federation_door, operations_door) =
            (door(DoorName::Web), door(DoorName::Federation), door(DoorName::Operations));
        let name = config.name.best(&[]).1.to_owned();
        let pages = Data::new(http::ui::Pages { name, node: config.identity.clone() });
        let sessions = Data::new(Sessions::new(sealer.clone(), clock.clone(), web_door.secure));
        let web = listen::open(listeners.web, web_tls, web_door, {
            let sealer = Data::from(sealer);
            let (requests, relayed) = (requests.clone(), relayed.clone());
            let search = searching.search.clone();
            move |config| {
                config.app_data(search.clone());
                config
                    .app_data(accounts.clone())
                    .app_data(sessions.clone())
                    .app_data(sealer.clone())
                    .app_data(catalogue.clone());
                config.app_data(audit.clone());
                config.app_data(requests.clone()).app_data(relayed.clone());
                config.app_data(pages.clone());
                config.configure(http::web);
            }
        })
        .map_err(StartError::Listen)?;
        let federation = listen::open(listeners.federation, Some(federation_tls), federation_door, {
            let trust = Data::from(trust.clone());
            let local = searching.local.clone();
            move |config| {
                config.app_data(local.clone());
                config.app_data(trust.clone()).app_data(requests.clone()).app_data(relayed.clone());
                config.app_data(grants.clone()).app_data(sender.clone()).configure(http::federation);
            }
        })
        .map_err(StartError::Listen)?;
        let counted = Data::new(metrics.clone());
        let operations = listen::open(listeners.operations, None, operations_door, move |config| {
            config.app_data(health.clone()).app_data(counted.clone()).configure(http::operations);
        })
        .map_err(StartError::Listen)?;

        // 4. What goes on in the background.
        let mut tasks = JoinSet::new();
        tasks.spawn(trust.clone().watch(config.trust.poll));
        tasks.spawn(own.clone().watch(config.trust.poll));
        tasks.spawn(relay.run());
        tasks.spawn(journal.clone().run());
        searching.run(&mut tasks, &metrics);
        let log_key = Keyring::new(member.keys(), modes).signer_or_create(SignerName::Log)?;
        tasks.spawn(Audit::new(store.clone()).keep_signing(log_key, CHECKPOINT_EVERY));
        tasks.spawn(Audit::new(store.clone()).keep_verifying(VERIFY_EVERY));
        // After the log's key is there, because the peer file carries its public half.
        let publisher = Publisher::new(member.clone(), config.identity.clone(), modes, clock.clone());
        let description = description(&config, &publisher, addresses.federation);
        tasks.spawn(publisher.watch(description, PUBLISH_CHECK_EVERY));

        let handles = vec![web.handle(), federation.handle(), operations.handle()];
        let mut servers = JoinSet::new();
        for server in [web, federation, operations] {
            servers.spawn(server);
        }
        Ok(Running { addresses, searching, store, journal, handles, servers, tasks })
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
    store: Store,
    journal: Arc<Journal>,
    handles: Vec<actix_server::ServerHandle>,
    servers: JoinSet<io::Result<()>>,
    tasks: JoinSet<()>,
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
        if let Err(error) = self.journal.flush().await {
            tracing::error!(%error, "the last releases are in the journal and reach the log at the next start");
        }
        self.searching.close().await;
        self.store.close().await;
    }
}

/// Where things lie in the data folder, beside the keys and the trust list that [`Member`] knows.
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
