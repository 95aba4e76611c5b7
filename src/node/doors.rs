//! The node's three doors, opened: each with its bounds and with the flows behind it.

use std::sync::Arc;

use actix_server::Server;
use actix_web::web::Data;

use super::harvesting::Harvesting;
use super::kept::Kept;
use super::releasing::Releasing;
use super::searching::Searching;
use super::watched::Watched;
use super::{Addresses, Listeners, StartError};
use crate::accounts::Accounts;
use crate::audit::Audit;
use crate::catalogue::Catalogue;
use crate::config::Config;
use crate::formats::export::Place;
use crate::http::limits::Rates;
use crate::http::listen::{self, Door, DoorName};
use crate::http::operations::{Check, Health, Metrics, Samples};
use crate::http::session::Sessions;
use crate::http::{self, ui};
use crate::peers::tls;

/// The doors, and what every request of each meets.
pub(super) struct Doors {
    pub(super) addresses: Addresses,
    pub(super) servers: [Server; 3],
    /// The doors whose callers have rates.
    pub(super) rated: [Data<Door>; 2],
}

impl Doors {
    /// Opens the doors on bound listeners.
    #[allow(clippy::too_many_arguments)] // each is one part of the node
    pub(super) fn open(
        config: &Config,
        kept: &Kept,
        searching: &Searching,
        releasing: &Releasing,
        harvesting: &Harvesting,
        metrics: &Arc<Metrics>,
        tasks: &Watched,
        listeners: Listeners,
    ) -> Result<Self, StartError> {
        let addresses = Addresses {
            web: listeners.web.local_addr().map_err(StartError::Listen)?,
            federation: listeners.federation.local_addr().map_err(StartError::Listen)?,
            operations: listeners.operations.local_addr().map_err(StartError::Listen)?,
        };
        let proxied = config.web.public_url.as_ref().is_some_and(|url| url.scheme() == "https");
        let web_door = door(DoorName::Web, kept.web_tls.is_some() || proxied, config, metrics);
        let federation_door = door(DoorName::Federation, true, config, metrics);

        let sessions = Data::new(Sessions::new(kept.sealer.clone(), kept.clock.clone(), web_door.secure));
        let web = listen::open(listeners.web, kept.web_tls.clone(), web_door.clone(), {
            let sealer = Data::from(kept.sealer.clone());
            let domain = config.identity.domain().clone();
            let accounts = Data::new(Accounts::new(kept.store.clone(), domain, kept.clock.clone()));
            let catalogue = Catalogue::new(kept.store.clone(), kept.clock.clone(), &config.identity, &config.countries);
            let catalogue = Data::new(catalogue);
            let audit = Data::new(Audit::new(kept.store.clone()));
            let name = config.name.best(&[]).1.to_owned();
            let pages = Data::new(ui::Pages { name, node: config.identity.clone() });
            let place = Data::new(place(config, addresses.web, web_door.secure));
            let search = searching.search.clone();
            let (requests, relay) = (releasing.requests.clone(), releasing.relay.clone());
            let harvest = harvesting.harvest.clone();
            move |config| {
                config.app_data(harvest.clone());
                config.app_data(sessions.clone()).app_data(sealer.clone()).app_data(accounts.clone());
                config.app_data(catalogue.clone()).app_data(search.clone()).app_data(audit.clone());
                config.app_data(requests.clone()).app_data(relay.clone()).app_data(pages.clone());
                config.app_data(place.clone());
                config.configure(http::web);
            }
        });

        let federation_tls = tls::server_config(&kept.own, &kept.trust, kept.exchange)?;
        let federation = listen::open(listeners.federation, Some(federation_tls), federation_door.clone(), {
            let trust = Data::from(kept.trust.clone());
            let local = searching.local.clone();
            let (requests, relay) = (releasing.requests.clone(), releasing.relay.clone());
            let (grants, sender) = (releasing.grants.clone(), releasing.sender.clone());
            move |config| {
                config.app_data(trust.clone()).app_data(local.clone());
                config.app_data(requests.clone()).app_data(relay.clone());
                config.app_data(grants.clone()).app_data(sender.clone());
                config.configure(http::federation);
            }
        });

        let operations_door = door(DoorName::Operations, false, config, metrics);
        let operations = listen::open(listeners.operations, None, operations_door, {
            let health = Data::new(health(kept, searching, tasks));
            let samples = Data::new(samples(kept, searching).with(harvesting.sample()));
            let metrics = Data::from(metrics.clone());
            move |config| {
                config.app_data(health.clone()).app_data(samples.clone()).app_data(metrics.clone());
                config.configure(http::operations);
            }
        });
        let servers = [web, federation, operations].map(|server| server.map_err(StartError::Listen));
        let [web, federation, operations] = servers;
        Ok(Self { addresses, servers: [web?, federation?, operations?], rated: [web_door, federation_door] })
    }
}

/// What an exported record says of this node.
fn place(config: &Config, listening: std::net::SocketAddr, secure: bool) -> Place {
    let scheme = if secure { "https" } else { "http" };
    let own = || format!("{scheme}://{listening}/").parse().expect("a socket address is a host and a port");
    let base = config.web.public_url.clone().unwrap_or_else(own);
    Place::new(base, config.name.clone(), config.identity.domain().clone(), config.countries.clone())
}

fn door(name: DoorName, secure: bool, config: &Config, metrics: &Arc<Metrics>) -> Data<Door> {
    let mut limits = config.limits.clone();
    if name == DoorName::Operations {
        limits.workers = 1;
    }
    Data::new(Door {
        name,
        secure,
        // A probe that is told to come back later would take a busy node for a dead one.
        rates: (name != DoorName::Operations).then(|| Rates::new(&limits)),
        limits,
        metrics: metrics.clone(),
        trusted_proxies: if name == DoorName::Web { config.web.trusted_proxies.clone() } else { Vec::new() },
    })
}

/// What must hold for the node to be ready.
fn health(kept: &Kept, searching: &Searching, tasks: &Watched) -> Health {
    let (trust, store) = (kept.trust.clone(), kept.store.clone());
    Health::default()
        .with(searching.check())
        .with(tasks.check())
        .with(move || Check::new("trust", trust.readiness().err().map(|refusal| refusal.to_string())))
        .with(move || Check::new("store", store.failing().map(|error| error.to_string())))
}

/// What is looked up when somebody reads the metrics.
fn samples(kept: &Kept, searching: &Searching) -> Samples {
    let (store, own, clock) = (kept.store.clone(), kept.own.clone(), kept.clock.clone());
    let search = searching.search.clone();
    let pool = search.clone();
    Samples::default()
        .with(move |metrics| metrics.search_places(pool.free_places()))
        .with(move |metrics| metrics.log_size(store.head().0))
        .with(move |metrics| metrics.certificate_expiry(own.not_after().duration_since(clock.now()).as_secs_f64()))
        .with(move |metrics| {
            let members = search.federation().into_iter().filter(|member| !member.own);
            metrics.peers(members.map(|member| {
                let state = member.health.map(|health| serde_json::json!(health.state));
                let state = state.as_ref().and_then(|state| state.as_str()).unwrap_or(member.trust).to_owned();
                (member.domain.to_string(), state)
            }));
        })
}
