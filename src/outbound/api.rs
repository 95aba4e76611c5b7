//! The command line's way to a node: its web door, with a token and nothing else.
//!
//! Loopback addresses are reached in the clear, others by TLS under the platform's roots or one CA file. There are no
//! redirects and no proxy from the environment: the token goes to the node that was named and nowhere else.

use std::error::Error as StdError;
use std::net::SocketAddr;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Method, StatusCode};
use serde::Serialize;
use serde_json::Value;
use url::{Host, Url};

use super::federation::Headers;

/// The most bytes of an answer that a command reads.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// A node's web door.
#[derive(Debug, Clone)]
pub struct Api {
    base: Url,
    token: Option<HeaderValue>,
    client: reqwest::Client,
}

/// Why a call brought no answer that a command can use.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The call could not be set up.
    #[error("{0}")]
    Setup(String),
    /// Nobody answered.
    #[error("{url} does not answer: {reason}; check that the node runs and the address is that of its web door")]
    Unreachable {
        /// The node.
        url: Url,
        /// What the system said.
        reason: String,
    },
    /// The node refused.
    #[error("{}", refusal(*status, code, detail, errors))]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The problem's code; empty where the answer was no problem.
        code: String,
        /// The problem's detail.
        detail: String,
        /// What was wrong where: pointer and detail.
        errors: Vec<(String, String)>,
    },
    /// What came back is no answer of a node.
    #[error("{0} answered something that is not an answer of a node: check that the address is that of its web door")]
    Broken(Url),
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The HTTP status, one of success.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Headers,
    /// The body; null where it is empty.
    pub body: Value,
}

impl Api {
    /// The node whose web door is at `base`, called with this token. `ca` is a CA certificate in PEM that vouches for
    /// the node's name; without it the platform's roots do.
    pub fn new(base: Url, token: Option<&str>, ca: Option<&[u8]>) -> Result<Self, ApiError> {
        let local = match base.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        if base.scheme() != "https" && !(base.scheme() == "http" && local) {
            return Err(ApiError::Setup(format!("{base} is refused: write https://, or http:// for this machine")));
        }
        let token = match token {
            None => None,
            Some(token) => {
                let mut value = HeaderValue::from_str(&format!("Bearer {}", token.trim()))
                    .map_err(|_| ApiError::Setup("the token file does not hold a token".to_owned()))?;
                value.set_sensitive(true);
                Some(value)
            }
        };
        Self::build(base, token, ca)
    }

    /// The operations door of this machine's own node. It is plain wherever it listens, so no token goes there.
    pub fn operations(door: SocketAddr) -> Result<Self, ApiError> {
        let base =
            format!("http://{door}/").parse().map_err(|error: url::ParseError| ApiError::Setup(error.to_string()))?;
        Self::build(base, None, None)
    }

    fn build(base: Url, token: Option<HeaderValue>, ca: Option<&[u8]>) -> Result<Self, ApiError> {
        let setup = |error: &dyn std::fmt::Display| ApiError::Setup(error.to_string());
        // A second call finds the provider in place, which is as good.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(Duration::from_secs(10))
            .user_agent(concat!("pleiad/", env!("CARGO_PKG_VERSION")));
        if let Some(pem) = ca {
            let roots = reqwest::Certificate::from_pem_bundle(pem).map_err(|error| setup(&error))?;
            builder = builder.tls_certs_only(roots);
        } else if base.scheme() == "http" {
            // A plain call needs no roots, and a small machine or container has none to load.
            builder = builder.tls_certs_only([]);
        }
        let client = builder.build().map_err(|error| setup(&error))?;
        Ok(Self { base, token, client })
    }

    /// `GET`; `path` begins with a slash and is appended to the node's address.
    pub async fn get(&self, path: &str, query: &[(&str, String)]) -> Result<Reply, ApiError> {
        self.call::<()>("GET", path, query, &[], None).await
    }

    /// `POST` a body as JSON.
    pub async fn post<B: Serialize + ?Sized>(&self, path: &str, body: &B) -> Result<Reply, ApiError> {
        self.call("POST", path, &[], &[], Some(body)).await
    }

    /// `POST` bytes of another media type, such as drafts, one a line.
    pub async fn post_bytes(
        &self,
        path: &str,
        query: &[(&str, &str)],
        media_type: &str,
        body: Vec<u8>,
    ) -> Result<Reply, ApiError> {
        self.send(self.request("POST", path)?.query(query).header("content-type", media_type).body(body)).await
    }

    /// `GET` a document that is not JSON, as it is.
    pub async fn get_bytes(&self, path: &str) -> Result<Vec<u8>, ApiError> {
        Ok(self.exchange(self.request("GET", path)?).await?.2)
    }

    /// `GET` a document in whatever form its address names, with the headers it came with.
    pub async fn get_document(&self, path: &str, query: &[(&str, String)]) -> Result<(Headers, Vec<u8>), ApiError> {
        let (_, headers, bytes) = self.exchange(self.request("GET", path)?.query(query)).await?;
        Ok((headers, bytes))
    }

    /// Any other call, such as `PUT` with `If-Match`.
    pub async fn call<B: Serialize + ?Sized>(
        &self,
        method: &str,
        path: &str,
        query: &[(&str, String)],
        headers: &[(&str, &str)],
        body: Option<&B>,
    ) -> Result<Reply, ApiError> {
        let mut request = self.request(method, path)?.query(query);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        self.send(request).await
    }

    fn request(&self, method: &str, path: &str) -> Result<reqwest::RequestBuilder, ApiError> {
        let method = Method::from_bytes(method.as_bytes()).map_err(|error| ApiError::Setup(error.to_string()))?;
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        let request = self.client.request(method, url).header("accept", "application/json");
        Ok(match &self.token {
            Some(token) => request.header(AUTHORIZATION, token.clone()),
            None => request,
        })
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Reply, ApiError> {
        let (status, headers, bytes) = self.exchange(request).await?;
        let body = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&bytes).map_err(|_| ApiError::Broken(self.base.clone()))?
        };
        Ok(Reply { status, headers, body })
    }

    /// Sends a request and reads the whole answer; the body of a success is given as it came.
    async fn exchange(&self, request: reqwest::RequestBuilder) -> Result<(u16, Headers, Vec<u8>), ApiError> {
        let unreachable =
            |error: reqwest::Error| ApiError::Unreachable { url: self.base.clone(), reason: cause(&error) };
        let mut response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let headers = Headers::of(response.headers());
        let mut bytes = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(unreachable)? {
            bytes.extend_from_slice(&piece);
            if bytes.len() > MAX_BYTES {
                return Err(ApiError::Broken(self.base.clone()));
            }
        }
        if !status.is_success() {
            return Err(self.refused(status, &bytes));
        }
        Ok((status.as_u16(), headers, bytes))
    }

    fn refused(&self, status: StatusCode, bytes: &[u8]) -> ApiError {
        let problem: Value = serde_json::from_slice(bytes).unwrap_or_default();
        let text = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
        let errors = problem["errors"].as_array().into_iter().flatten();
        ApiError::Refused {
            status: status.as_u16(),
            code: text(&problem, "code"),
            detail: text(&problem, "detail"),
            errors: errors.map(|error| (text(error, "pointer"), text(error, "detail"))).collect(),
        }
    }
}

impl ApiError {
    /// The status with which the node refused, if it did.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            Self::Setup(_) | Self::Unreachable { .. } | Self::Broken(_) => None,
        }
    }
}

fn refusal(status: u16, code: &str, detail: &str, errors: &[(String, String)]) -> String {
    let mut text = if detail.is_empty() {
        format!("the node refused with status {status}")
    } else {
        format!("the node refused ({code}): {detail}")
    };
    for (pointer, detail) in errors {
        text.push_str(&format!("\n  {pointer}: {detail}"));
    }
    text.chars().filter(|c| *c == '\n' || !c.is_control()).collect()
}

/// The innermost cause, which is the part that a person can use.
fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn StdError = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_never_sent_in_the_clear_to_another_machine() {
        let refused = Api::new("http://node.example/".parse().unwrap(), Some("secret"), None).unwrap_err();
        assert!(refused.to_string().contains("https://"), "{refused}");
        for fine in ["http://127.0.0.1:8080/", "http://[::1]:8080/", "http://localhost/", "https://node.example/"] {
            assert!(Api::new(fine.parse().unwrap(), Some("secret"), None).is_ok(), "{fine}");
        }
    }
}
