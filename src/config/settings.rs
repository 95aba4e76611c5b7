//! What was written: the sections of the settings, each key with its default and what it means.
//!
//! A section is written once, by the macro below: its doc comments, its defaults, the list of known keys and the sample
//! are the same text.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::ConfigError;
use crate::domain::ids::Country;

/// A section of the settings, as the sample and the search for the nearest name see it.
struct Section {
    /// Its key in the file; empty for the keys above all sections.
    key: &'static str,
    doc: &'static [&'static str],
    fields: Vec<Field>,
}

struct Field {
    name: &'static str,
    doc: &'static [&'static str],
    /// The default as TOML; `None` when the key has none.
    default: Option<toml::Value>,
}

/// One section: a struct whose fields have defaults, and its description. Written once, so that the doc comment, the
/// sample, the default and the list of known keys are the same text.
macro_rules! section {
    ($(#[doc = $doc:literal])* $name:ident in $key:literal {
        $($(#[doc = $field_doc:literal])* $field:ident: $type:ty = $default:expr;)*
    } $(then { $($(#[doc = $inner_doc:literal])* $inner:ident: $inner_type:ident;)* })?) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name {
            $($(#[doc = $field_doc])* pub $field: $type,)*
            $($($(#[doc = $inner_doc])* pub $inner: $inner_type,)*)?
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* $($($inner: Default::default(),)*)? }
            }
        }

        impl $name {
            fn describe() -> Section {
                let default = Self::default();
                Section {
                    key: $key,
                    doc: &[$($doc),*],
                    fields: vec![$(Field {
                        name: stringify!($field),
                        doc: &[$($field_doc),*],
                        default: toml::Value::try_from(&default.$field).ok(),
                    }),*],
                }
            }
        }
    };
}

section! {
    /// The settings as written.
    Settings in "" {
        /// Whether this is a node in earnest: unsafe settings are then refused at start.
        production: bool = false;
        /// The folder of the node's data: store, indexes, keys, trust list. Relative to this file.
        data: PathBuf = "data".into();
    } then {
        /// Who the node is.
        node: NodeSettings;
        /// The door for people.
        web: WebSettings;
        /// The mutual-TLS door.
        federation: FederationSettings;
        /// The door for probes and Prometheus.
        operations: OperationsSettings;
        /// Whom the node trusts.
        trust: TrustSettings;
        /// The bytes that the node releases.
        shards: ShardsSettings;
        /// Search.
        search: SearchSettings;
        /// Requests to the open web.
        outbound: OutboundSettings;
        /// Other catalogues that the node reads again and again.
        harvest: HarvestSettings;
        /// Bounds on what a caller may ask.
        limits: LimitsSettings;
        /// The log of the process.
        log: LogSettings;
    }
}

section! {
    /// Who the node is.
    NodeSettings in "node" {
        /// The node's id within its trust domain.
        /// Required, such as: "fi"
        id: Option<String> = None;
        /// The trust domain under which the node's CA speaks.
        /// Required, such as: "fi.pleiad.example"
        domain: Option<String> = None;
        /// The countries the node may speak for (ISO 3166-1 alpha-2).
        /// Required, such as: ["FI", "NO"]
        countries: Vec<String> = Vec::new();
        /// The node's name by language.
        /// Such as: { en = "Finland", fi = "Suomi" }
        name: BTreeMap<String, String> = BTreeMap::new();
        /// What the node attests of its participants, by their ids: country, sector, secure_environment. Of one that is
        /// not listed it attests the country, where it speaks for only one.
        /// Such as: { csc = { country = "FI", sector = "research", secure_environment = true } }
        participants: BTreeMap<String, ParticipantSettings> = BTreeMap::new();
    }
}

section! {
    /// The door for people: pages and the API.
    WebSettings in "web" {
        /// Where to listen.
        listen: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 8080));
        /// The TLS certificate chain (PEM). Without it the listener is plain, which is refused off loopback.
        /// Such as: "web.pem"
        certificate: Option<PathBuf> = None;
        /// The private key of that certificate (PEM).
        /// Such as: "web-key.pem"
        key: Option<PathBuf> = None;
        /// The address that people use, when a proxy stands in front.
        /// Such as: "https://catalogue.example"
        public_url: Option<String> = None;
        /// Addresses of proxies whose Forwarded headers are believed.
        trusted_proxies: Vec<std::net::IpAddr> = Vec::new();
    }
}

section! {
    /// The door for peers and for participants that pull shards: mutual TLS.
    FederationSettings in "federation" {
        /// Where to listen.
        listen: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 8443));
        /// The DNS name in the node's certificate; the node's domain when left out.
        /// Such as: "node.fi.pleiad.example"
        server_name: Option<String> = None;
        /// The addresses under which peers reach this door, for the peer file.
        /// Such as: ["https://node.fi.pleiad.example:8443"]
        addresses: Vec<String> = Vec::new();
    }
}

section! {
    /// The door for probes and Prometheus: plain, so keep it on loopback or a private network.
    OperationsSettings in "operations" {
        /// Where to listen.
        listen: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 9090));
    }
}

section! {
    /// Whom the node trusts.
    TrustSettings in "trust" {
        /// For how many hours a stale peer file still carries searches.
        grace_hours: u64 = 72;
        /// Every how many seconds the folder is looked at again.
        poll_seconds: u64 = 10;
        /// Whether a peer that cannot do the post-quantum key exchange X25519MLKEM768 is refused.
        require_post_quantum: bool = false;
    }
}

section! {
    /// The bytes that the node releases under agreements. They are opened where they lie and never copied in.
    ShardsSettings in "shards" {
        /// The folder with one directory for each dataset, named like the last part of its id; `shards` in `data` when
        /// left out.
        /// Such as: "/srv/shards"
        folder: Option<PathBuf> = None;
        /// Directories of datasets that lie elsewhere, by the last part of their ids.
        /// Such as: { "speech-2024" = "/mnt/archive/speech" }
        elsewhere: BTreeMap<String, PathBuf> = BTreeMap::new();
    }
}

section! {
    /// Search.
    SearchSettings in "search" {
        /// Milliseconds until a federated search answers with what it has.
        deadline_ms: u64 = 2_000;
        /// Milliseconds that one peer is given.
        peer_deadline_ms: u64 = 1_500;
        /// Searches of the local index at once; 0 means one a core.
        pool: usize = 0;
        /// Searches that may wait for a place before the door answers 429.
        queue: usize = 64;
        /// Seconds between two rounds in which every peer is asked how it is.
        probe_seconds: u64 = 20;
        /// Minutes between two comparisons of each index with the record; one that differs is filled anew.
        verify_minutes: u64 = 60;
    }
}

section! {
    /// Requests to the open web: harvests, and whatever is imported from an address.
    OutboundSettings in "outbound" {
        /// Hosts that may lead to this machine or its network; every other host must have a public address.
        /// Such as: ["ckan.internal.example", "10.1.2.3"]
        allowed_hosts: Vec<String> = Vec::new();
        /// Certificates of authorities (PEM) that count besides the platform's own.
        /// Such as: "national-ca.pem"
        authorities: Option<PathBuf> = None;
    }
}

section! {
    /// Other catalogues that the node reads again and again. Each source may stand in a table of its own,
    /// [[harvest.sources]]; its kind is ckan, dcat or oai_pmh, docs/harvest.md says what the keys mean.
    HarvestSettings in "harvest" {
        /// Runs at once.
        at_once: usize = 2;
        /// The sources.
        /// Such as: [{ name = "data.example", kind = "dcat", address = "https://data.example/catalog.ttl", owner = "csc", every = "1d" }]
        sources: Vec<SourceSettings> = Vec::new();
    }
}

section! {
    /// Bounds on what a caller may ask of the doors.
    LimitsSettings in "limits" {
        /// Requests a second from one address or token, over time.
        requests_per_second: u32 = 50;
        /// Requests at once from one address or token before the rate counts.
        burst: u32 = 200;
        /// The largest body of a request, in bytes.
        body_bytes: usize = 4_194_304;
        /// Seconds within which a body must have arrived.
        body_seconds: u64 = 60;
        /// The least rate of a body, and of a reader while bytes wait, in bytes a second.
        min_bytes_per_second: u64 = 8_192;
        /// Milliseconds before the least rate of a body counts.
        body_grace_ms: u64 = 5_000;
        /// Milliseconds over which the rate of a reader is judged.
        reader_window_ms: u64 = 60_000;
        /// Milliseconds until a new connection must have asked, and until the head of any request must be whole.
        head_ms: u64 = 15_000;
        /// Milliseconds until a TLS handshake must be done.
        handshake_ms: u64 = 5_000;
        /// Seconds that a connection may idle between requests; above the 90 s of a client's pool.
        idle_seconds: u64 = 120;
        /// Connections at once on one listener.
        connections: usize = 8_192;
        /// Connections at once from one address; loopback counts too.
        connections_per_address: usize = 1_024;
        /// Seconds that a stopping node gives the requests it accepted.
        shutdown_seconds: u64 = 30;
        /// Worker threads of one listener; 0 means one a core.
        workers: usize = 0;
    }
}

section! {
    /// The log of the process. Query words and tokens are never in it.
    LogSettings in "log" {
        /// `json`, or `text` for reading on a terminal.
        format: LogFormat = LogFormat::Json;
        /// The least level: error, warn, info, debug or trace, or a filter such as info,pleiad=debug.
        level: String = "info".into();
    }
}

/// What the node attests of one participant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ParticipantSettings {
    /// Where it is established (ISO 3166-1 alpha-2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<Country>,
    /// Its sector, in the words that policies use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sector: Option<String>,
    /// Whether it works in a secure processing environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secure_environment: Option<bool>,
}

/// Another catalogue that the node reads.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SourceSettings {
    /// Its name, which its records carry, such as the portal's host.
    pub name: String,
    /// How it speaks: `ckan`, `dcat` or `oai_pmh`.
    pub kind: String,
    /// Where it is.
    pub address: String,
    /// The participant for whom its records are registered.
    pub owner: String,
    /// How often it is read, such as `1d`, `6h` or `30m`; left out, by hand only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every: Option<String>,
    /// The country of its records, where the node speaks for several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<Country>,
    /// How long a run may take, such as `2h`; six hours when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline: Option<String>,
    /// The most megabytes of one answer; 2048 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_megabytes: Option<u64>,
    /// How many percent of its datasets one run may withdraw without a steward's word; 20 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withdraw_percent: Option<u8>,
    /// OAI-PMH: the metadata prefix; left out, the richest that is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// OAI-PMH: the set; left out, all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set: Option<String>,
}

/// How the process writes its log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For reading.
    Text,
}

impl Settings {
    /// Reads settings from TOML and overrides. `origin` names the text in errors.
    pub fn read(
        text: &str,
        origin: &str,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let mut table: toml::Table = text.parse().map_err(|error: toml::de::Error| malformed(origin, &error))?;
        let known = sections();
        refuse_unknown(&table, &known, origin)?;
        // The file alone first: an error in it must name the file and its line.
        toml::from_str::<Settings>(text).map_err(|error| malformed(origin, &error))?;
        for (variable, value) in environment {
            let Some(path) = variable.strip_prefix("PLEIAD__") else { continue };
            override_key(&mut table, path, value);
            refuse_unknown(&table, &known, &variable)?;
            Settings::deserialize(table.clone()).map_err(|error| malformed(&variable, &error))?;
        }
        Settings::deserialize(table).map_err(|error| malformed(origin, &error))
    }
}

/// The sample configuration, made from the doc comments above.
pub fn sample() -> String {
    sample_with(&[])
}

/// The sample with some keys set: each a section and name joined by a dot, and a value as TOML.
pub fn sample_with(values: &[(&str, String)]) -> String {
    let mut text = String::from(
        "# A node of Pleiad. Every key with its default; a key that is commented out is not set.\n\
         # The environment overrides the file: PLEIAD__WEB__LISTEN=127.0.0.1:8081.\n\
         # `pleiad config check FILE` says whether a file is good.\n",
    );
    for section in sections() {
        if !section.key.is_empty() {
            text.push('\n');
            for line in section.doc {
                text.push_str(&format!("#{line}\n"));
            }
            text.push_str(&format!("[{}]\n", section.key));
        }
        for field in section.fields {
            let key =
                if section.key.is_empty() { field.name.to_owned() } else { format!("{}.{}", section.key, field.name) };
            let set = values.iter().find(|(name, _)| *name == key).map(|(_, value)| value.as_str());
            text.push('\n');
            text.push_str(&field.sample(set));
        }
    }
    text
}

impl Field {
    /// The key as the sample shows it: what it means, then its value, its default, or an example.
    fn sample(&self, set: Option<&str>) -> String {
        let (examples, lines): (Vec<&str>, Vec<&str>) = self.doc.iter().partition(|line| line.contains("uch as: "));
        let example = examples.first().and_then(|line| line.split_once("uch as: ")).map(|(_, example)| example);
        let required = examples.first().is_some_and(|line| line.trim_start().starts_with("Required"));
        let name = self.name;
        let mut text: String = lines.iter().map(|line| format!("#{line}\n")).collect();
        text.push_str(&match (set, example, &self.default) {
            (Some(value), _, _) => format!("{name} = {value}\n"),
            (None, Some(example), _) if required => format!("{name} = {example}\n"),
            (None, Some(example), _) => format!("# {name} = {example}\n"),
            (None, None, Some(default)) => format!("{name} = {default}\n"),
            (None, None, None) => format!("# {name} =\n"),
        });
        text
    }
}

fn sections() -> Vec<Section> {
    vec![
        Settings::describe(),
        NodeSettings::describe(),
        WebSettings::describe(),
        FederationSettings::describe(),
        OperationsSettings::describe(),
        TrustSettings::describe(),
        ShardsSettings::describe(),
        SearchSettings::describe(),
        OutboundSettings::describe(),
        HarvestSettings::describe(),
        LimitsSettings::describe(),
        LogSettings::describe(),
    ]
}

fn malformed(origin: &str, error: &dyn std::fmt::Display) -> ConfigError {
    // toml's message shows the offending line over several lines; one line is what a terminal and a log can keep.
    let detail = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    ConfigError::Malformed { origin: origin.to_owned(), detail }
}

fn refuse_unknown(table: &toml::Table, known: &[Section], origin: &str) -> Result<(), ConfigError> {
    let refuse = |key: &str, prefix: &str, names: Vec<&str>| {
        let nearest = names
            .into_iter()
            .map(|name| (strsim::damerau_levenshtein(key, name), name))
            .filter(|(distance, name)| *distance <= 3.min(name.len() / 2))
            .min()
            .map(|(_, name)| format!("{prefix}{name}"));
        Err(ConfigError::UnknownKey { origin: origin.to_owned(), key: format!("{prefix}{key}"), nearest })
    };
    for (key, value) in table {
        let section = known.iter().find(|section| !section.key.is_empty() && section.key == key);
        if let Some(section) = section {
            let Some(inner) = value.as_table() else { continue };
            for key in inner.keys() {
                if !section.fields.iter().any(|field| field.name == key) {
                    let names = section.fields.iter().map(|field| field.name).collect();
                    return refuse(key, &format!("{}.", section.key), names);
                }
            }
        } else if !known[0].fields.iter().any(|field| field.name == key) {
            let mut names: Vec<&str> = known.iter().map(|section| section.key).filter(|key| !key.is_empty()).collect();
            names.extend(known[0].fields.iter().map(|field| field.name));
            return refuse(key, "", names);
        }
    }
    Ok(())
}

/// Sets `SECTION__KEY` (or `KEY`) to a value, read as TOML where it is TOML, else as text.
fn override_key(table: &mut toml::Table, path: &str, value: String) {
    let path = path.to_ascii_lowercase();
    let value = format!("value = {value}")
        .parse::<toml::Table>()
        .ok()
        .and_then(|mut parsed| parsed.remove("value"))
        .unwrap_or(toml::Value::String(value));
    match path.split_once("__") {
        Some((section, key)) => {
            let inner = table.entry(section.to_owned()).or_insert_with(|| toml::Value::Table(toml::Table::new()));
            if let Some(inner) = inner.as_table_mut() {
                inner.insert(key.to_owned(), value);
            }
        }
        None => {
            table.insert(path, value);
        }
    }
}
