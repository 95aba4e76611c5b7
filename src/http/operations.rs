//! The door for probes and Prometheus: is the node alive, is it ready, what does it count.
//!
//! Plain HTTP on its own port, because a probe cannot do mutual TLS. Nothing here names a caller or a query.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpResponse, web};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use serde::Serialize;

use super::listen::DoorName;
use super::problem::{Code, Problem};

/// The routes of the door.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/health/live").route(super::get().to(live)))
        .service(web::resource("/health/ready").route(super::get().to(ready)))
        .service(web::resource("/metrics").route(super::get().to(metrics)));
}

/// `GET /health/live`: the process answers.
async fn live() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({ "status": "live" }))
}

/// `GET /health/ready`: 200 when every check holds, else a problem that says what is wrong and how to mend it.
async fn ready(health: Data<Health>) -> Result<HttpResponse, Problem> {
    let checks = health.check();
    let wrong: Vec<String> =
        checks.iter().filter(|check| !check.ok).map(|check| format!("{}: {}", check.name, check.detail)).collect();
    if !wrong.is_empty() {
        return Err(Problem::new(Code::Unavailable, format!("the node is not ready: {}", wrong.join("; "))));
    }
    Ok(HttpResponse::Ok().json(serde_json::json!({ "status": "ready", "checks": checks })))
}

/// `GET /metrics`: OpenMetrics text.
async fn metrics(metrics: Data<Metrics>, samples: Data<Samples>) -> Result<HttpResponse, Problem> {
    samples.0.iter().for_each(|sample| sample(&metrics));
    let mut text = String::new();
    encode(&mut text, &metrics.registry).map_err(|error| Problem::internal(&error))?;
    Ok(HttpResponse::Ok().content_type("application/openmetrics-text; version=1.0.0; charset=utf-8").body(text))
}

/// What is looked up when somebody reads the metrics, rather than counted as it happens.
#[derive(Default)]
pub struct Samples(Vec<Sample>);

type Sample = Box<dyn Fn(&Metrics) + Send + Sync>;

impl Samples {
    /// Adds a look-up.
    pub fn with(mut self, sample: impl Fn(&Metrics) + Send + Sync + 'static) -> Self {
        self.0.push(Box::new(sample));
        self
    }
}

/// One thing that must hold for the node to be ready.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    /// What.
    pub name: &'static str,
    /// Whether it holds.
    pub ok: bool,
    /// What is wrong and how to mend it; empty when it holds.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

impl Check {
    /// A check that holds when nothing is wrong.
    pub fn new(name: &'static str, wrong: Option<String>) -> Self {
        Self { name, ok: wrong.is_none(), detail: wrong.unwrap_or_default() }
    }
}

/// Asks the rooms how they are; `node` knows them all.
type Probe = Box<dyn Fn() -> Check + Send + Sync>;

/// What must hold for the node to be ready.
#[derive(Default)]
pub struct Health {
    probes: Vec<Probe>,
}

impl Health {
    /// Adds a check.
    pub fn with(mut self, probe: impl Fn() -> Check + Send + Sync + 'static) -> Self {
        self.probes.push(Box::new(probe));
        self
    }

    fn check(&self) -> Vec<Check> {
        self.probes.iter().map(|probe| probe()).collect()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    door: &'static str,
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    door: &'static str,
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refused {
    door: &'static str,
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Index {
    class: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PeerLabel {
    peer: String,
    state: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct HarvestRuns {
    source: String,
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct HarvestSource {
    source: String,
}

/// What a node counts. One registry a node: several nodes run in one process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<Answered, Counter>,
    durations: Family<Route, Histogram>,
    handshakes: Family<Refused, Counter>,
    connections: Family<Refused, Counter>,
    index_lag: Family<Index, Gauge>,
    log_size: Gauge,
    peers: Family<PeerLabel, Gauge>,
    certificate_expiry: Gauge<f64, AtomicU64>,
    search_places: Gauge,
    index_differences: Counter,
    harvest_runs: Family<HarvestRuns, Gauge>,
    harvest_done: Family<HarvestSource, Gauge>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("pleiad");
        let durations =
            Family::<Route, Histogram>::new_with_constructor(|| Histogram::new(exponential_buckets(0.001, 2.0, 15)));
        let metrics = Self {
            requests: Family::default(),
            durations,
            handshakes: Family::default(),
            connections: Family::default(),
            index_lag: Family::default(),
            log_size: Gauge::default(),
            peers: Family::default(),
            certificate_expiry: Gauge::default(),
            search_places: Gauge::default(),
            index_differences: Counter::default(),
            harvest_runs: Family::default(),
            harvest_done: Family::default(),
            registry: Registry::default(),
        };
        registry.register("http_requests", "Requests answered", metrics.requests.clone());
        registry.register("http_request_duration_seconds", "Time to the head of the answer", metrics.durations.clone());
        registry.register("tls_handshakes_refused", "Handshakes that came to nothing", metrics.handshakes.clone());
        registry.register(
            "connections_refused",
            "Connections beyond the limit of an address",
            metrics.connections.clone(),
        );
        registry.register("index_lag_entries", "Log entries that the index has not applied", metrics.index_lag.clone());
        registry.register("log_entries", "Entries in the log", metrics.log_size.clone());
        registry.register("peer_state", "1 for the state that a peer is in", metrics.peers.clone());
        registry.register(
            "certificate_expiry_seconds",
            "Seconds until the node's certificate runs out",
            metrics.certificate_expiry.clone(),
        );
        registry.register(
            "search_places_free",
            "Searches that may still begin before the door answers 429",
            metrics.search_places.clone(),
        );
        registry.register(
            "index_differences",
            "Times that an index was found to differ from the record",
            metrics.index_differences.clone(),
        );
        registry.register(
            "harvest_runs",
            "Harvest runs since the start, by source and the state they ended in",
            metrics.harvest_runs.clone(),
        );
        registry.register(
            "harvest_last_done_timestamp_seconds",
            "When a harvest was last done whole, without a refusal",
            metrics.harvest_done.clone(),
        );
        Self { registry, ..metrics }
    }
}

impl Metrics {
    /// A request was answered. `route` is a pattern, never a path: labels must stay few.
    pub fn answered(&self, door: DoorName, method: &Method, route: &str, status: StatusCode, elapsed: Duration) {
        let (door, route) = (door.as_str(), route.to_owned());
        let method = match *method {
            Method::GET => "GET",
            Method::HEAD => "HEAD",
            Method::POST => "POST",
            Method::PUT => "PUT",
            Method::DELETE => "DELETE",
            _ => "other",
        };
        let label = Answered { door, method, route: route.clone(), status: status.as_u16() };
        self.requests.get_or_create(&label).inc();
        self.durations.get_or_create(&Route { door, route }).observe(elapsed.as_secs_f64());
    }

    /// A handshake came to nothing: refused, broken or stalled.
    pub fn handshake_refused(&self, door: DoorName, reason: &'static str) {
        self.handshakes.get_or_create(&Refused { door: door.as_str(), reason }).inc();
    }

    /// An address had too many connections.
    pub fn connection_refused(&self, door: DoorName) {
        self.connections.get_or_create(&Refused { door: door.as_str(), reason: "too_many" }).inc();
    }

    /// How far an index is behind the log.
    pub fn index_lag(&self, class: &'static str, entries: u64) {
        self.index_lag.get_or_create(&Index { class }).set(entries.try_into().unwrap_or(i64::MAX));
    }

    /// How many entries the log has.
    pub fn log_size(&self, entries: u64) {
        self.log_size.set(entries.try_into().unwrap_or(i64::MAX));
    }

    /// The states of all peers, which replace those before.
    pub fn peers(&self, states: impl IntoIterator<Item = (String, String)>) {
        self.peers.clear();
        for (peer, state) in states {
            self.peers.get_or_create(&PeerLabel { peer, state }).set(1);
        }
    }

    /// Seconds until the node's certificate runs out; negative when it has.
    pub fn certificate_expiry(&self, seconds: f64) {
        self.certificate_expiry.set(seconds);
    }

    /// How many searches may still begin.
    pub fn search_places(&self, free: usize) {
        self.search_places.set(free.try_into().unwrap_or(i64::MAX));
    }

    /// Of each harvest: its source, how many runs ended in each state, when one was last done.
    pub fn harvests(&self, told: impl IntoIterator<Item = (String, Vec<(&'static str, u64)>, Option<i64>)>) {
        for (source, runs, done) in told {
            for (state, count) in runs {
                let label = HarvestRuns { source: source.clone(), state };
                self.harvest_runs.get_or_create(&label).set(count.try_into().unwrap_or(i64::MAX));
            }
            if let Some(done) = done {
                self.harvest_done.get_or_create(&HarvestSource { source }).set(done);
            }
        }
    }

    /// An index was found to differ from the record.
    pub fn index_differed(&self) {
        self.index_differences.inc();
    }

    /// How often one was.
    pub fn index_differences(&self) -> u64 {
        self.index_differences.get()
    }
}
