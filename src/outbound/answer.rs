//! What a call brings: an answer, or the one kind of error that says why not.
//!
//! A peer's answer is data. Its status is given back as it came, its size is bounded while it arrives, and the errors of
//! the HTTP client and of TLS beneath it are told apart here, because each means something else about the peer.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use tokio_util::bytes::Bytes;

use crate::peers::health::Outcome;
use crate::peers::tls;

/// Why a call brought no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The deadline passed.
    #[error("no answer within the deadline")]
    Timeout,
    /// No connection could be made, or it broke.
    #[error("not reachable: {reason}")]
    Unreachable {
        /// What the system said.
        reason: String,
        /// Whether nobody listens at the address, which is known at once and for certain.
        nobody_listens: bool,
    },
    /// One side did not accept the other.
    #[error("refused: {0}")]
    Refused(String),
    /// The answer is larger than was allowed.
    #[error("the answer is over {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// The answer's status is not one of success.
    #[error("the answer has status {status}: {detail}")]
    BadStatus {
        /// The HTTP status.
        status: u16,
        /// The `detail` of its problem, or the beginning of its text, at most 300 characters.
        detail: String,
    },
    /// The answer breaks the protocol or cannot be read.
    #[error("the answer cannot be read: {0}")]
    BrokenAnswer(String),
    /// The call could not be set up; the fault is on our side.
    #[error("the call could not be made: {0}")]
    Setup(String),
}

impl CallError {
    /// What the error says about the peer's health; `None` where the fault is ours.
    pub fn outcome(&self) -> Option<Outcome> {
        let reason = || self.to_string();
        match self {
            Self::Timeout => Some(Outcome::TimedOut),
            Self::Unreachable { nobody_listens, .. } => {
                Some(Outcome::Unreachable { reason: reason(), nobody_listens: *nobody_listens })
            }
            Self::Refused(_) | Self::BadStatus { status: 401 | 403, .. } => Some(Outcome::Refused { reason: reason() }),
            Self::BadStatus { status: 500.., .. } => {
                Some(Outcome::Unreachable { reason: reason(), nobody_listens: false })
            }
            // It said that it is asked too often, which is an answer.
            Self::BadStatus { status: 429, .. } | Self::Setup(_) => None,
            Self::TooLarge { .. } | Self::BrokenAnswer(_) | Self::BadStatus { .. } => {
                Some(Outcome::Incompatible { reason: reason() })
            }
        }
    }
}

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Headers,
    /// The body.
    pub bytes: Bytes,
    /// From the call until the last byte.
    pub elapsed: Duration,
}

impl Answer {
    /// The answer itself, if its status is one of success.
    pub fn success(self) -> Result<Self, CallError> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        let problem: Option<serde_json::Value> = serde_json::from_slice(&self.bytes).ok();
        let detail = problem.as_ref().and_then(|problem| problem.get("detail")?.as_str()).map_or_else(
            || String::from_utf8_lossy(&self.bytes[..self.bytes.len().min(1200)]).into_owned(),
            str::to_owned,
        );
        let detail = detail.chars().filter(|c| !c.is_control()).take(300).collect();
        Err(CallError::BadStatus { status: self.status, detail })
    }

    /// The body as JSON; its depth is bounded by the parser at 128.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, CallError> {
        serde_json::from_slice(&self.bytes).map_err(|error| CallError::BrokenAnswer(error.to_string()))
    }
}

/// An answer whose body is still arriving.
pub struct Streamed<S> {
    /// The HTTP status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Headers,
    /// The body, piece by piece; it ends with an error when it stalls, breaks or grows past the limit.
    pub body: S,
}

/// The headers of an answer; a value that is not text is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// The first value of a header; `name` in lower case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn of(headers: &reqwest::header::HeaderMap) -> Self {
        let text = headers.iter().filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
        Self(text.collect())
    }
}

/// Reads a whole body, at most `limit` bytes of it.
pub(super) async fn collect(mut response: reqwest::Response, limit: u64) -> Result<Answer, CallError> {
    let status = response.status().as_u16();
    let headers = Headers::of(response.headers());
    if headers.get("content-encoding").is_some_and(|encoding| encoding != "identity") {
        return Err(CallError::BrokenAnswer("it is compressed, which was not asked for".to_owned()));
    }
    if response.content_length().is_some_and(|length| length > limit) {
        return Err(CallError::TooLarge { limit });
    }
    let mut bytes = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| classify(&error))? {
        if (bytes.len() + piece.len()) as u64 > limit {
            return Err(CallError::TooLarge { limit });
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(Answer { status, headers, bytes: bytes.into(), elapsed: Duration::ZERO })
}

/// Finds out what went wrong from the chain of errors beneath the client's own.
pub(super) fn classify(error: &reqwest::Error) -> CallError {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    let (mut broke, mut nobody_listens) = (error.is_connect(), false);
    while let Some(found) = cause {
        if let Some(refusal) = found.downcast_ref::<rustls::Error>().and_then(tls::refusal) {
            return CallError::Refused(refusal);
        }
        if let Some(found) = found.downcast_ref::<io::Error>() {
            broke |= is_of_the_connection(found.kind());
            nobody_listens |= found.kind() == io::ErrorKind::ConnectionRefused;
        }
        cause = beneath(found);
    }
    let reason = innermost(error);
    // The HTTP client has no public type for a connection that ended between two messages.
    broke |= reason == "connection closed before message completed";
    if error.is_timeout() {
        CallError::Timeout
    } else if broke {
        CallError::Unreachable { reason, nobody_listens }
    } else if error.is_builder() {
        CallError::Setup(reason)
    } else {
        CallError::BrokenAnswer(reason)
    }
}

/// Whether an error says something of the way to the peer, and nothing of what the peer answers.
fn is_of_the_connection(kind: io::ErrorKind) -> bool {
    use io::ErrorKind as K;
    matches!(
        kind,
        K::ConnectionRefused
            | K::ConnectionReset
            | K::ConnectionAborted
            | K::NotConnected
            | K::BrokenPipe
            | K::UnexpectedEof
            | K::HostUnreachable
            | K::NetworkUnreachable
            | K::NetworkDown
            | K::TimedOut
    )
}

/// The next error beneath. What an `io::Error` was made from is not its source but its content, and a failed handshake
/// is such a content, sometimes twice over.
pub(super) fn beneath<'e>(error: &'e (dyn StdError + 'static)) -> Option<&'e (dyn StdError + 'static)> {
    let content = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    content.map(|content| content as &(dyn StdError + 'static)).or_else(|| error.source())
}

/// The innermost cause, which is the part that a person can use; the outer ones only name layers of the client.
pub(super) fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &(dyn StdError + 'static) = error;
    while let Some(next) = beneath(cause) {
        cause = next;
    }
    cause.to_string().chars().filter(|c| !c.is_control()).take(300).collect()
}
