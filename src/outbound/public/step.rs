//! One try of a fetch: the hops from redirect to redirect, what the answer's head says, and its body.

use std::error::Error as StdError;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{self, HeaderMap, HeaderName};
use url::Url;

use super::inflate::{Inflate, Stopped};
use super::resolve::Forbidden;
use super::{Ask, Body, Fetched, Page, Public, PublicError, REDIRECTS};
use crate::outbound::answer::{CallError, beneath, classify};

/// The longest that a server's own `Retry-After` is believed.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);
/// How much of a refusal's text is kept.
const DETAIL: usize = 200;

impl Public {
    /// Asks once, following redirects.
    pub(super) async fn once(&self, ask: &Ask, folder: Option<&Path>) -> Result<Fetched<Body>, PublicError> {
        let mut url = ask.url.clone();
        for _ in 0..=REDIRECTS {
            self.may_ask(ask, &url)?;
            let response = self.send(ask, &url).await?;
            let status = response.status().as_u16();
            match status {
                301 | 302 | 303 | 307 | 308 => url = onward(&url, response.headers())?,
                304 if ask.etag.is_some() || ask.modified.is_some() => return Ok(Fetched::Unchanged),
                200 => return Ok(Fetched::Got(receive(ask, url, response, Body::open(folder)?).await?)),
                _ => return Err(refusal(&url, response).await),
            }
        }
        Err(PublicError::Refused {
            url: ask.url.to_string(),
            reason: format!("it leads from redirect to redirect, more than {REDIRECTS} times"),
        })
    }

    /// The rules that an address can be held to before anybody is asked.
    fn may_ask(&self, ask: &Ask, url: &Url) -> Result<(), PublicError> {
        let refused = |reason: String| Err(PublicError::Refused { url: shown(url), reason });
        if !matches!(url.scheme(), "http" | "https") {
            return refused(format!("{}: is not asked; write an https:// address", url.scheme()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refused("it carries a user or password, which would stand in logs and records".to_owned());
        }
        let Some(host) = url.host() else { return refused("it names no host".to_owned()) };
        // Below 1024 are the services of the machine that speak other protocols, such as mail.
        if url.port().is_some_and(|port| port < 1024 && port != 80 && port != 443) {
            return refused("a port below 1024 is asked only if it is 80 or 443".to_owned());
        }
        if self.guard.is_anothers(&host.to_string(), ask.origin.as_deref()) {
            let origin = ask.origin.as_deref().unwrap_or("nowhere");
            return refused(format!(
                "{origin} leads to {host}, which `outbound.allowed_hosts` names for its own sources only"
            ));
        }
        self.guard.check(&host).or_else(|forbidden| refused(forbidden.to_string()))
    }

    async fn send(&self, ask: &Ask, url: &Url) -> Result<reqwest::Response, PublicError> {
        let mut request = self.client()?.get(url.clone()).header(header::ACCEPT_ENCODING, "gzip, zstd, deflate");
        let accept = if ask.types.is_empty() { "*/*".to_owned() } else { accept(&ask.types) };
        request = request.header(header::ACCEPT, accept);
        for (name, value) in [(header::IF_NONE_MATCH, &ask.etag), (header::IF_MODIFIED_SINCE, &ask.modified)] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        request.send().await.map_err(|error| failure(url, &error))
    }
}

/// Media types with the first preferred.
fn accept(types: &[&str]) -> String {
    let weighed = types.iter().enumerate().map(|(at, name)| match at {
        0 => (*name).to_owned(),
        // Three digits are what the header may have; later ones are all alike.
        _ => format!("{name};q=0.{}", 9_usize.saturating_sub(at).max(1)),
    });
    weighed.collect::<Vec<_>>().join(", ")
}

/// Where a redirect leads.
fn onward(from: &Url, headers: &HeaderMap) -> Result<Url, PublicError> {
    let refused = |reason: String| PublicError::Refused { url: shown(from), reason };
    let location = text(headers, &header::LOCATION).ok_or_else(|| refused("it redirects to nowhere".to_owned()))?;
    let to = from.join(&location).map_err(|error| refused(format!("it redirects to no address ({error})")))?;
    if from.scheme() == "https" && to.scheme() == "http" {
        return Err(refused(format!("it redirects from https to {}, in the clear: write that address", shown(&to))));
    }
    Ok(to)
}

/// Reads the body of a success into its sink.
async fn receive(
    ask: &Ask,
    url: Url,
    mut response: reqwest::Response,
    mut body: Body,
) -> Result<Page<Body>, PublicError> {
    let media_type = media_type(response.headers());
    if !ask.types.is_empty() && !ask.types.contains(&media_type.as_str()) {
        let found = if media_type.is_empty() { "no media type".to_owned() } else { media_type };
        return Err(PublicError::WrongType { url: shown(&url), found, expected: ask.types.join(", ") });
    }
    if response.content_length().is_some_and(|length| length > ask.max_bytes) {
        return Err(PublicError::TooLarge { url: shown(&url), limit: ask.max_bytes, packed: false });
    }
    let encoding = text(response.headers(), &header::CONTENT_ENCODING);
    let stopped = |stopped, url: &Url| match stopped {
        Stopped::TooLarge => {
            PublicError::TooLarge { url: shown(url), limit: ask.max_bytes, packed: encoding.is_some() }
        }
        Stopped::Broken(reason) => PublicError::Broken { url: shown(url), reason },
    };
    let here = |error: std::io::Error| PublicError::Here(format!("what came could not be written down: {error}"));
    let mut inflate = Inflate::new(encoding.as_deref(), ask.max_bytes).map_err(|error| stopped(error, &url))?;
    let mut size = 0;
    while let Some(piece) = response.chunk().await.map_err(|error| failure(&url, &error))? {
        let out = inflate.take(&piece).map_err(|error| stopped(error, &url))?;
        size += out.len() as u64;
        body.put(&out).await.map_err(here)?;
    }
    let rest = inflate.finish().map_err(|error| stopped(error, &url))?;
    size += rest.len() as u64;
    body.put(&rest).await.map_err(here)?;
    body.close().await.map_err(here)?;
    let (etag, modified) = (text(response.headers(), &header::ETAG), text(response.headers(), &header::LAST_MODIFIED));
    Ok(Page { url, media_type, etag, modified, size, body })
}

/// What a status other than success says.
async fn refusal(url: &Url, mut response: reqwest::Response) -> PublicError {
    let status = response.status().as_u16();
    let retry_after = text(response.headers(), &header::RETRY_AFTER).as_deref().and_then(wait_of);
    let is_text = matches!(media_type(response.headers()).as_str(), "text/plain" | "application/json")
        && text(response.headers(), &header::CONTENT_ENCODING).is_none();
    let mut detail = String::new();
    if is_text && let Ok(Some(piece)) = response.chunk().await {
        let said = String::from_utf8_lossy(&piece[..piece.len().min(4 * DETAIL)]).into_owned();
        detail = said.chars().filter(|c| !c.is_control()).take(DETAIL).collect();
    }
    PublicError::Status { url: shown(url), status, detail, retry_after }
}

/// The wait that `Retry-After` asks for: seconds, or a date (RFC 9110, section 10.2.3).
fn wait_of(value: &str) -> Option<Duration> {
    let value = value.trim();
    let wait = match value.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let at = jiff::fmt::rfc2822::parse(value).ok()?.timestamp();
            Duration::try_from(at.duration_since(Timestamp::now())).unwrap_or(Duration::ZERO)
        }
    };
    Some(wait.min(LONGEST_WAIT))
}

fn media_type(headers: &HeaderMap) -> String {
    let value = text(headers, &header::CONTENT_TYPE).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// A header that is text of a length that a header has.
fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    (value.len() <= 2048).then(|| value.to_owned())
}

/// An address without what must not stand in a log.
fn shown(url: &Url) -> String {
    let mut url = url.clone();
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.to_string().chars().take(500).collect()
}

/// What went wrong, from the chain of errors beneath the client's own.
fn failure(url: &Url, error: &reqwest::Error) -> PublicError {
    let url = shown(url);
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(found) = cause {
        if let Some(forbidden) = found.downcast_ref::<Forbidden>() {
            return PublicError::Refused { url, reason: forbidden.to_string() };
        }
        cause = beneath(found);
    }
    match classify(error) {
        CallError::Timeout => PublicError::Timeout { url, reason: "no connection, or silence for too long".to_owned() },
        CallError::Unreachable { reason, .. } if error.is_body() || error.is_decode() => {
            PublicError::Broken { url, reason: format!("it broke off ({reason})") }
        }
        CallError::Unreachable { reason, .. } => PublicError::Unreachable { url, reason },
        CallError::Setup(reason) => PublicError::Here(reason),
        CallError::Refused(reason) => PublicError::Unreachable { url, reason },
        _ => PublicError::Broken { url, reason: super::super::answer::innermost(error) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_seconds_or_a_date_and_never_longer_than_a_day() {
        assert_eq!(wait_of("7"), Some(Duration::from_secs(7)));
        assert_eq!(wait_of("99999999999"), Some(LONGEST_WAIT));
        assert_eq!(wait_of("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::ZERO));
        assert_eq!(wait_of("Sat, 31 Dec 2050 23:59:59 GMT"), Some(LONGEST_WAIT));
        assert_eq!(wait_of("soon"), None);
    }

    #[test]
    fn the_first_type_is_preferred() {
        assert_eq!(accept(&["text/turtle"]), "text/turtle");
        assert_eq!(accept(&["text/turtle", "application/rdf+xml"]), "text/turtle, application/rdf+xml;q=0.8");
    }
}
