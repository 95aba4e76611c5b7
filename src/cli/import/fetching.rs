//! A record from the open web into a file, by the guarded way out.

use std::path::{Path, PathBuf};
use std::time::Duration;

use url::Url;

use super::super::{Exit, Failure, connect};
use crate::formats::detect::{self, ByName};
use crate::outbound::public::{Ask, Options, Public};

/// The most bytes that are fetched: a national portal's dump fits.
const MOST: u64 = 4 << 30;
/// How long a fetch may take.
const TIME: Duration = Duration::from_secs(30 * 60);

/// What was fetched.
pub(super) struct Fetched {
    /// The file, whose name says its format where the address or the media type does.
    pub(super) path: PathBuf,
    /// The host it came from.
    pub(super) host: String,
    /// The address up to CKAN's `/api/`, or the host's.
    pub(super) site: String,
}

/// Fetches what stands at an address into a folder.
pub(super) fn fetch(address: &str, folder: &Path, allowed_hosts: &[String]) -> Result<Fetched, Failure> {
    let url: Url =
        address.parse().map_err(|error| Failure::new(Exit::Usage, format!("{address} is no address: {error}")))?;
    let public = Public::new(Options { allowed_hosts: allowed_hosts.to_vec(), ..Options::default() });
    let ask = Ask { max_bytes: MOST, time: TIME, ..Ask::new(url.clone()) };
    let page = connect::wait(async {
        let fetched = public.file(&ask, folder).await.and_then(|fetched| fetched.page());
        fetched.map_err(|error| Failure::new(Exit::Error, format!("{address} cannot be fetched: {error}")))
    })?;
    let path = folder.join(name(&page.url, &page.media_type));
    page.body
        .persist(&path)
        .map_err(|error| Failure::new(Exit::Error, format!("what was fetched cannot be kept: {error}")))?;
    let host = url.host_str().unwrap_or_default().to_owned();
    let site = match address.split_once("/api/") {
        Some((site, _)) => site.to_owned(),
        None => url.origin().ascii_serialization(),
    };
    Ok(Fetched { path, host, site })
}

/// A file name: the last part of the path where it says a format, else one made of the media type.
fn name(url: &Url, media_type: &str) -> String {
    let last = url.path_segments().and_then(|mut parts| parts.next_back()).unwrap_or_default();
    let is_plain = last.len() <= 100
        && last.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        && !last.starts_with('.');
    if is_plain && detect::by_name(last) != ByName::Unknown {
        return last.to_owned();
    }
    let extension = match media_type {
        "text/turtle" | "application/x-turtle" => "ttl",
        "application/n-triples" => "nt",
        "application/n-quads" => "nq",
        "application/trig" => "trig",
        "application/rdf+xml" => "rdf",
        "application/ld+json" => "jsonld",
        "application/json" => "json",
        "text/csv" => "csv",
        "text/tab-separated-values" => "tsv",
        "text/markdown" => "md",
        "application/x-ndjson" | "application/jsonl" => "jsonl",
        "application/yaml" | "text/yaml" | "application/x-yaml" => "yaml",
        _ => "fetched",
    };
    format!("record.{extension}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fetched_file_is_named_by_its_address_or_its_media_type() {
        let name = |url: &str, media: &str| name(&url.parse().unwrap(), media);
        assert_eq!(name("https://e.org/a/catalog.ttl?x=1", "text/plain"), "catalog.ttl");
        assert_eq!(name("https://e.org/api/3/action/package_show?id=x", "application/json"), "record.json");
        assert_eq!(name("https://e.org/%2e%2e/.ttl", ""), "record.fetched");
    }
}
