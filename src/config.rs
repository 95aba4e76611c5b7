//! Settings: one TOML file, overridden by the environment, read once and only here.
//!
//! [`Settings`] is what was written: every key optional, an unknown key refused with the nearest known name.
//! [`Config`] is what is meant: checked, with absolute folders and typed values. `node` takes a `Config` and hands each
//! flow the values it needs; nothing else sees it. The sample `config/node.toml` is made from the doc comments in
//! `settings` ([`sample`]), so it cannot fall behind.

mod settings;
mod sources;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use url::Url;

use crate::domain::ids::{Country, DatasetId, Identity, LanguageTag, LocalId, TrustDomain};
use crate::domain::text::Text;
use crate::harvest::Source;
use crate::http::limits::Limits;

pub use settings::{LogFormat, LogSettings, ParticipantSettings, Settings, SourceSettings, sample, sample_with};

/// Why a configuration was refused: one line that says what and how to mend it.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration {path} cannot be read ({source}): check the path, or make one with `pleiad init`")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not TOML, or a value has the wrong type.
    #[error("{origin}: {detail}")]
    Malformed {
        /// The file, or the environment variable.
        origin: String,
        /// What is wrong, with its line where there is one.
        detail: String,
    },
    /// A key that nobody knows.
    #[error("{origin}: unknown key `{key}`{}", nearest_hint(.nearest))]
    UnknownKey {
        /// The file, or the environment variable.
        origin: String,
        /// The key, with its section.
        key: String,
        /// The nearest known key.
        nearest: Option<String>,
    },
    /// A value that cannot be meant.
    #[error("`{key}` {detail}")]
    Refused {
        /// The key, with its section.
        key: String,
        /// What is wrong and what to write.
        detail: String,
    },
    /// `production = true` and a setting that is safe only elsewhere.
    #[error("production = true refuses `{key}`: {detail}")]
    Unsafe {
        /// The key, with its section.
        key: String,
        /// What is unsafe and what to write.
        detail: String,
    },
}

fn nearest_hint(nearest: &Option<String>) -> String {
    match nearest {
        Some(name) => format!("; did you mean `{name}`?"),
        None => "; `pleiad config sample` lists every key".to_owned(),
    }
}

/// The configuration as meant.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Unsafe settings were refused.
    pub production: bool,
    /// The folder of the node's data.
    pub data: PathBuf,
    /// Who the node is.
    pub identity: Identity,
    /// The countries it may speak for; never empty.
    pub countries: Vec<Country>,
    /// Its name by language; the node's id in English when nothing was written.
    pub name: Text,
    /// The door for people.
    pub web: Web,
    /// The mutual-TLS door.
    pub federation: Federation,
    /// Where probes and Prometheus ask.
    pub operations_listen: SocketAddr,
    /// Whom the node trusts.
    pub trust: Trust,
    /// What the node attests of its participants.
    pub participants: BTreeMap<LocalId, ParticipantSettings>,
    /// The bytes that it releases.
    pub shards: Shards,
    /// Search.
    pub search: Search,
    /// Requests to the open web.
    pub outbound: Outbound,
    /// Other catalogues that are read.
    pub harvest: Harvest,
    /// Bounds.
    pub limits: Limits,
    /// The log of the process.
    pub log: LogSettings,
}

/// The door for people, as meant.
#[derive(Debug, Clone, PartialEq)]
pub struct Web {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Certificate chain and key; `None` is plain.
    pub tls: Option<TlsFiles>,
    /// The address that people use; `None` means the listener's own.
    pub public_url: Option<Url>,
    /// Addresses of proxies whose Forwarded headers are believed.
    pub trusted_proxies: Vec<std::net::IpAddr>,
}

/// Where a certificate and its key lie, both PEM.
#[derive(Debug, Clone, PartialEq)]
pub struct TlsFiles {
    /// The certificate chain.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// The mutual-TLS door, as meant.
#[derive(Debug, Clone, PartialEq)]
pub struct Federation {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The DNS name in the node's certificate.
    pub server_name: String,
    /// The addresses under which peers reach it.
    pub addresses: Vec<Url>,
}

/// Whom the node trusts, as meant.
#[derive(Debug, Clone, PartialEq)]
pub struct Trust {
    /// How long a stale peer file still carries searches.
    pub grace: Duration,
    /// How often the folder is looked at again.
    pub poll: Duration,
    /// Whether peers without a post-quantum key exchange are refused.
    pub require_post_quantum: bool,
}

/// The bytes that the node releases, as meant.
#[derive(Debug, Clone, PartialEq)]
pub struct Shards {
    /// The folder with one directory for each dataset.
    pub folder: PathBuf,
    /// Datasets that lie elsewhere.
    pub elsewhere: BTreeMap<DatasetId, PathBuf>,
}

/// Search, as meant.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    /// A federated search answers within this.
    pub deadline: Duration,
    /// What one peer is given; at most the deadline.
    pub peer_deadline: Duration,
    /// Local searches at once; at least 1.
    pub pool: usize,
    /// Searches that may wait for a place.
    pub queue: usize,
    /// How often every peer is asked how it is.
    pub probe: Duration,
    /// How often each index is compared with the record.
    pub verify: Duration,
}

/// Requests to the open web, as meant.
#[derive(Debug, Clone, PartialEq)]
pub struct Outbound {
    /// Hosts that may lead to this machine or its network.
    pub allowed_hosts: Vec<String>,
    /// Certificates of authorities that count besides the platform's own.
    pub authorities: Option<PathBuf>,
}

/// Other catalogues that the node reads, as meant.
#[derive(Debug, Clone, PartialEq)]
pub struct Harvest {
    /// Runs at once; at least 1.
    pub at_once: usize,
    /// Each.
    pub sources: Vec<Source>,
}

impl Config {
    /// Reads the file and the overrides `PLEIAD__SECTION__KEY` among `environment`. Relative paths are relative to the
    /// file's folder.
    pub fn load(path: &Path, environment: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        let folder = std::path::absolute(&folder).unwrap_or(folder);
        Settings::read(&text, &path.display().to_string(), environment)?.meant(&folder)
    }
}

impl Settings {
    /// What is meant by them. `folder` is where relative paths begin.
    pub fn meant(self, folder: &Path) -> Result<Config, ConfigError> {
        let refused = |key: &str, detail: String| ConfigError::Refused { key: key.to_owned(), detail };
        let missing = |key: &str, example: &str| refused(key, format!("is missing: write {example}"));

        let id = self.node.id.ok_or_else(|| missing("node.id", "the node's id, such as \"fi\""))?;
        let id: LocalId = id.parse().map_err(|error| refused("node.id", format!("is refused: {error}")))?;
        let domain = self
            .node
            .domain
            .ok_or_else(|| missing("node.domain", "the trust domain, such as \"fi.pleiad.example\""))?;
        let domain: TrustDomain =
            domain.parse().map_err(|error| refused("node.domain", format!("is refused: {error}")))?;
        if self.node.countries.is_empty() {
            return Err(missing("node.countries", "the countries the node speaks for, such as [\"FI\"]"));
        }
        let countries = self
            .node
            .countries
            .iter()
            .map(|code| code.parse().map_err(|error| refused("node.countries", format!("is refused: {error}"))))
            .collect::<Result<Vec<Country>, _>>()?;
        let mut names = BTreeMap::new();
        for (language, name) in self.node.name {
            let tag: LanguageTag =
                language.parse().map_err(|error| refused("node.name", format!("is refused: {error}")))?;
            names.insert(tag, name);
        }
        if names.is_empty()
            && let Ok(english) = "en".parse()
        {
            names.insert(english, id.to_string());
        }
        let name = Text::try_from(names).map_err(|error| refused("node.name", format!("is refused: {error}")))?;

        let url = |key: &str, text: &str| -> Result<Url, ConfigError> {
            match text.parse::<Url>() {
                Ok(url) if matches!(url.scheme(), "http" | "https") && url.host().is_some() => Ok(url),
                _ => Err(refused(key, format!("is {text:?}, not an address such as https://catalogue.example"))),
            }
        };
        let tls = match (self.web.certificate, self.web.key) {
            (Some(certificate), Some(key)) => {
                Some(TlsFiles { certificate: folder.join(certificate), key: folder.join(key) })
            }
            (None, None) => None,
            (Some(_), None) => return Err(missing("web.key", "the file of the certificate's private key")),
            (None, Some(_)) => return Err(missing("web.certificate", "the file of the key's certificate chain")),
        };
        if tls.is_none() && !self.web.listen.ip().is_loopback() {
            return Err(refused(
                "web.listen",
                format!(
                    "is {}, off loopback and without TLS: set web.certificate and web.key, or listen on 127.0.0.1 behind a proxy",
                    self.web.listen
                ),
            ));
        }
        let public_url = self.web.public_url.map(|text| url("web.public_url", &text)).transpose()?;
        let addresses = self
            .federation
            .addresses
            .iter()
            .map(|text| url("federation.addresses", text))
            .collect::<Result<Vec<_>, _>>()?;

        if self.search.peer_deadline_ms > self.search.deadline_ms {
            return Err(refused(
                "search.peer_deadline_ms",
                format!("is above search.deadline_ms ({}): lower it", self.search.deadline_ms),
            ));
        }
        let at_least_one = |key: &str, value: u64| {
            if value == 0 { Err(refused(key, "is 0: write at least 1".to_owned())) } else { Ok(value) }
        };
        at_least_one("search.deadline_ms", self.search.deadline_ms)?;
        at_least_one("search.peer_deadline_ms", self.search.peer_deadline_ms)?;
        let limits = &self.limits;
        at_least_one("limits.body_bytes", limits.body_bytes as u64)?;
        at_least_one("limits.body_seconds", limits.body_seconds)?;
        at_least_one("limits.head_ms", limits.head_ms)?;
        at_least_one("limits.handshake_ms", limits.handshake_ms)?;
        at_least_one("limits.idle_seconds", limits.idle_seconds)?;
        at_least_one("limits.connections", limits.connections as u64)?;
        at_least_one("limits.connections_per_address", limits.connections_per_address as u64)?;
        let non_zero = |key: &str, value: u32| {
            std::num::NonZeroU32::new(value).ok_or_else(|| refused(key, "is 0: write at least 1".to_owned()))
        };
        let cores = std::thread::available_parallelism().map(std::num::NonZeroUsize::get).unwrap_or(1);
        let or_cores = |value: usize| if value == 0 { cores } else { value };

        let participants = self.node.participants.into_iter().map(|(id, attested)| {
            let id: LocalId =
                id.parse().map_err(|error| refused("node.participants", format!("is refused: {error}")))?;
            Ok((id, attested))
        });
        let data = folder.join(self.data);
        let elsewhere = self.shards.elsewhere.into_iter().map(|(local, path)| {
            let id = DatasetId::mint(&domain, &local)
                .map_err(|error| refused("shards.elsewhere", format!("is refused: {error}")))?;
            Ok((id, folder.join(path)))
        });
        let shards = Shards {
            folder: self.shards.folder.map_or_else(|| data.join("shards"), |path| folder.join(path)),
            elsewhere: elsewhere.collect::<Result<_, ConfigError>>()?,
        };

        let sources = sources::meant(self.harvest.sources, &domain)?;
        let config = Config {
            production: self.production,
            data,
            participants: participants.collect::<Result<_, ConfigError>>()?,
            shards,
            countries,
            name,
            web: Web { listen: self.web.listen, tls, public_url, trusted_proxies: self.web.trusted_proxies },
            federation: Federation {
                listen: self.federation.listen,
                server_name: self.federation.server_name.unwrap_or_else(|| domain.to_string()),
                addresses,
            },
            operations_listen: self.operations.listen,
            trust: Trust {
                grace: Duration::from_secs(self.trust.grace_hours.saturating_mul(3600)),
                poll: Duration::from_secs(self.trust.poll_seconds.max(1)),
                require_post_quantum: self.trust.require_post_quantum,
            },
            search: Search {
                deadline: Duration::from_millis(self.search.deadline_ms),
                peer_deadline: Duration::from_millis(self.search.peer_deadline_ms),
                pool: or_cores(self.search.pool),
                queue: self.search.queue,
                probe: Duration::from_secs(self.search.probe_seconds.max(1)),
                verify: Duration::from_secs(self.search.verify_minutes.clamp(1, 60 * 24 * 365) * 60),
            },
            outbound: Outbound {
                allowed_hosts: self.outbound.allowed_hosts,
                authorities: self.outbound.authorities.map(|path| folder.join(path)),
            },
            harvest: Harvest { at_once: self.harvest.at_once.max(1), sources },
            limits: Limits {
                requests_per_second: non_zero("limits.requests_per_second", limits.requests_per_second)?,
                burst: non_zero("limits.burst", limits.burst)?,
                body_bytes: limits.body_bytes,
                body_deadline: Duration::from_secs(limits.body_seconds),
                min_bytes_per_second: limits.min_bytes_per_second,
                body_grace: Duration::from_millis(limits.body_grace_ms),
                reader_window: Duration::from_millis(limits.reader_window_ms.max(1)),
                head: Duration::from_millis(limits.head_ms),
                handshake: Duration::from_millis(limits.handshake_ms),
                idle: Duration::from_secs(limits.idle_seconds),
                connections: limits.connections,
                connections_per_address: limits.connections_per_address,
                shutdown: Duration::from_secs(limits.shutdown_seconds),
                workers: or_cores(limits.workers),
            },
            log: self.log,
            identity: Identity::node(domain, id),
        };
        if config.production {
            config.refuse_unsafe()?;
        }
        Ok(config)
    }
}

impl Config {
    /// What a node in earnest must not do.
    fn refuse_unsafe(&self) -> Result<(), ConfigError> {
        let refuse =
            |key: &str, detail: &str| Err(ConfigError::Unsafe { key: key.to_owned(), detail: detail.to_owned() });
        if self.operations_listen.ip().is_unspecified() {
            return refuse(
                "operations.listen",
                "metrics would be readable on every interface: name a loopback or private address",
            );
        }
        let domain = self.identity.domain().as_str();
        let reserved = ["example", "test", "invalid", "localhost"];
        if reserved.iter().any(|last| domain.rsplit('.').next() == Some(last)) {
            return refuse("node.domain", "names under .example, .test, .invalid and .localhost belong to nobody");
        }
        if self.federation.addresses.is_empty() {
            return refuse("federation.addresses", "no peer could reach the node: write the addresses of its door");
        }
        if self.federation.addresses.iter().any(|url| url.scheme() != "https") {
            return refuse("federation.addresses", "peers speak mutual TLS: write addresses that begin with https://");
        }
        if self.web.tls.is_none() && self.web.public_url.as_ref().is_none_or(|url| url.scheme() != "https") {
            return refuse(
                "web.public_url",
                "a plain listener needs a TLS proxy in front: write the https:// address that people use",
            );
        }
        if self.limits.min_bytes_per_second == 0 {
            return refuse("limits.min_bytes_per_second", "0 lets slow connections stay for ever: write 8192");
        }
        if self.log.level.contains("trace") {
            return refuse("log.level", "trace writes what callers send: write info");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = "[node]\nid = \"fi\"\ndomain = \"fi.pleiad.example\"\ncountries = [\"FI\"]\n";

    fn read(text: &str) -> Result<Config, ConfigError> {
        Settings::read(text, "node.toml", [])?.meant(Path::new("/etc/pleiad"))
    }

    #[test]
    fn the_sample_in_the_repository_is_the_one_made_from_the_doc_comments_and_is_good() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/node.toml");
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(written, sample(), "run `pleiad config sample > config/node.toml`");
        read(&sample()).unwrap();
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_nearest_name() {
        let error = read(&format!("{SMALL}[web]\nlistne = \"127.0.0.1:1\"\n")).unwrap_err();
        assert_eq!(error.to_string(), "node.toml: unknown key `web.listne`; did you mean `web.listen`?");
        let error = read(&format!("{SMALL}[serach]\npool = 1\n")).unwrap_err();
        assert!(error.to_string().contains("did you mean `search`?"), "{error}");
        let error = read(&format!("zzzzzz = 1\n{SMALL}")).unwrap_err();
        assert!(error.to_string().contains("pleiad config sample"), "{error}");
    }

    #[test]
    fn the_environment_overrides_the_file_and_its_errors_name_the_variable() {
        let set = |name: &str, value: &str| Settings::read(SMALL, "node.toml", [(name.to_owned(), value.to_owned())]);
        assert_eq!(set("PLEIAD__SEARCH__DEADLINE_MS", "900").unwrap().search.deadline_ms, 900);
        assert_eq!(set("PLEIAD__NODE__ID", "lu").unwrap().node.id.as_deref(), Some("lu"));
        assert_eq!(set("PLEIAD__NODE__COUNTRIES", "[\"LU\"]").unwrap().node.countries, ["LU"]);
        assert!(set("PLEIAD__PRODUCTION", "true").unwrap().production);
        assert_eq!(set("HOME", "/root").unwrap().node.id.as_deref(), Some("fi"));
        let error = set("PLEIAD__SEARCH__DEADLNE_MS", "900").unwrap_err().to_string();
        assert!(error.starts_with("PLEIAD__SEARCH__DEADLNE_MS: unknown key"), "{error}");
        let error = set("PLEIAD__SEARCH__DEADLINE_MS", "soon").unwrap_err().to_string();
        assert!(error.starts_with("PLEIAD__SEARCH__DEADLINE_MS: "), "{error}");
    }

    #[test]
    fn each_refusal_names_its_key_in_one_line() {
        for (text, key) in [
            ("", "node.id"),
            ("[node]\nid = \"FI\"", "node.id"),
            (&format!("{SMALL}[web]\nlisten = \"0.0.0.0:80\"\n"), "web.listen"),
            (&format!("{SMALL}[web]\ncertificate = \"a.pem\"\n"), "web.key"),
            (&format!("{SMALL}[search]\npeer_deadline_ms = 9000\n"), "search.peer_deadline_ms"),
            (&format!("{SMALL}[limits]\nburst = 0\n"), "limits.burst"),
            (&format!("{SMALL}[limits]\nburst = \"many\"\n"), "burst"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(key) && !error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn production_refuses_what_is_safe_only_elsewhere() {
        let good = "production = true\n[node]\nid = \"fi\"\ndomain = \"pleiad.fi\"\ncountries = [\"FI\"]\n\
                    [web]\npublic_url = \"https://catalogue.fi\"\n[federation]\naddresses = [\"https://node.pleiad.fi\"]\n";
        read(good).unwrap();
        for (from, to, key) in [
            ("domain = \"pleiad.fi\"", "domain = \"fi.pleiad.example\"", "node.domain"),
            ("https://catalogue.fi", "http://catalogue.fi", "web.public_url"),
            ("[\"https://node.pleiad.fi\"]", "[]", "federation.addresses"),
            ("[web]", "[operations]\nlisten = \"0.0.0.0:9090\"\n[web]", "operations.listen"),
            ("[web]", "[limits]\nmin_bytes_per_second = 0\n[web]", "limits.min_bytes_per_second"),
        ] {
            let error = read(&good.replace(from, to)).unwrap_err();
            assert!(matches!(&error, ConfigError::Unsafe { key: found, .. } if found == key), "{error}");
        }
    }

    #[test]
    fn relative_paths_begin_at_the_folder_of_the_file() {
        let config = read(SMALL).unwrap();
        assert_eq!(config.data, Path::new("/etc/pleiad/data"));
    }
}
