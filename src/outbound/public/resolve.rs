//! From a name to addresses that may be asked, once.
//!
//! The HTTP client takes its addresses from here and connects to nothing else, so there is no second look-up in which
//! the name could lead elsewhere. A name one of whose addresses may not be asked is refused whole: no honest public name
//! leads to both.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::Host;

use super::address::{Reach, reach};

/// What a look-up brings.
pub type Found<'l> = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'l>>;

/// Who looks names up: the system, or a test.
pub trait Lookup: Send + Sync {
    /// The addresses of a host name.
    fn lookup<'l>(&'l self, host: &'l str) -> Found<'l>;
}

/// The system's resolver.
#[derive(Debug, Clone, Copy, Default)]
pub struct System;

impl Lookup for System {
    fn lookup<'l>(&'l self, host: &'l str) -> Found<'l> {
        Box::pin(async move { Ok(tokio::net::lookup_host((host, 0)).await?.map(|found| found.ip()).collect()) })
    }
}

/// An address that may not be asked, under the name that leads to it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{host} leads to {address}, which is {what}{}", advice(*.by_name))]
pub(super) struct Forbidden {
    host: String,
    address: IpAddr,
    what: &'static str,
    /// Naming the host in the settings would allow it.
    by_name: bool,
}

fn advice(by_name: bool) -> &'static str {
    if by_name {
        "; if this node shall ask it, name the host in `outbound.allowed_hosts`"
    } else {
        ", and is never asked"
    }
}

/// The guard between names and connections.
#[derive(Clone)]
pub(super) struct Guard {
    lookup: Arc<dyn Lookup>,
    allowed: Arc<BTreeSet<String>>,
}

impl Guard {
    pub(super) fn new(lookup: Arc<dyn Lookup>, allowed: impl IntoIterator<Item = String>) -> Self {
        Self { lookup, allowed: Arc::new(allowed.into_iter().map(|host| plain(&host)).collect()) }
    }

    /// Whether the settings allow this host to be local, and another one was asked for.
    pub(super) fn is_anothers(&self, host: &str, origin: Option<&str>) -> bool {
        let host = plain(host);
        self.allowed.contains(&host) && origin.map(plain).as_deref() != Some(host.as_str())
    }

    /// Holds an address that stands in a URL, which no resolver is asked about, to the same rule.
    pub(super) fn check(&self, host: &Host<&str>) -> Result<(), Forbidden> {
        match host {
            Host::Domain(_) => Ok(()),
            Host::Ipv4(address) => self.judge(&address.to_string(), IpAddr::V4(*address)),
            Host::Ipv6(address) => self.judge(&address.to_string(), IpAddr::V6(*address)),
        }
    }

    fn judge(&self, host: &str, address: IpAddr) -> Result<(), Forbidden> {
        let forbidden = |what, by_name| Err(Forbidden { host: host.to_owned(), address, what, by_name });
        match reach(address) {
            Reach::Public => Ok(()),
            Reach::Local(_) if self.allowed.contains(&plain(host)) => Ok(()),
            Reach::Local(what) => forbidden(what, true),
            Reach::Never(what) => forbidden(what, false),
        }
    }
}

/// A host as it is compared: in lower case, without the root's dot or an address's brackets.
fn plain(host: &str) -> String {
    host.trim().trim_end_matches('.').trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase()
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let host = name.as_str();
            let found = guard.lookup.lookup(host).await?;
            if found.is_empty() {
                return Err(io::Error::new(io::ErrorKind::NotFound, format!("{host} has no address")).into());
            }
            for address in &found {
                guard.judge(host, *address)?;
            }
            let addresses: Addrs = Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(addresses)
        })
    }
}
