//! Why a fetch from the open web brought nothing.

use std::time::Duration;

/// Why nothing was fetched; each says what happened, and what to do where somebody here can do something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublicError {
    /// The address is one that this node does not ask.
    #[error("{url} is refused: {reason}")]
    Refused {
        /// The address.
        url: String,
        /// Why, and what to write.
        reason: String,
    },
    /// The time ran out.
    #[error("{url} did not answer in time: {reason}")]
    Timeout {
        /// The address.
        url: String,
        /// Which time.
        reason: String,
    },
    /// No connection, or it broke.
    #[error("{url} is not reachable: {reason}")]
    Unreachable {
        /// The address.
        url: String,
        /// What the system said.
        reason: String,
    },
    /// The server answered with a status that is not success.
    #[error("{url} answered with status {status}{}", detail_of(.detail, .retry_after))]
    Status {
        /// The address.
        url: String,
        /// The HTTP status.
        status: u16,
        /// The beginning of what it said, in one line; may be empty.
        detail: String,
        /// After which time it wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// The answer is larger than was allowed, as it came or unpacked.
    #[error("{url} is larger than {limit} bytes{}: raise the limit if that is right", unpacked(*.packed))]
    TooLarge {
        /// The address.
        url: String,
        /// The limit in bytes.
        limit: u64,
        /// It came compressed and grew past the limit, or past what honest data grows to, while it was unpacked.
        packed: bool,
    },
    /// The answer is something else than was asked for.
    #[error("{url} answered with {found}, which is none of {expected}: check the address")]
    WrongType {
        /// The address.
        url: String,
        /// The media type it has.
        found: String,
        /// Those that were asked for.
        expected: String,
    },
    /// The answer broke off or cannot be read.
    #[error("the answer of {url} cannot be used: {reason}")]
    Broken {
        /// The address.
        url: String,
        /// Why.
        reason: String,
    },
    /// Something here failed: no place for the file, no roots to check certificates by.
    #[error("{0}")]
    Here(String),
}

impl PublicError {
    /// Whether asking once more a little later may help.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Timeout { .. } | Self::Broken { .. } => true,
            Self::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500..=599),
            _ => false,
        }
    }

    /// The status with which the server answered, if it did.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } => Some(*status),
            _ => None,
        }
    }
}

fn unpacked(packed: bool) -> &'static str {
    if packed { " when it is unpacked" } else { "" }
}

fn detail_of(detail: &str, retry_after: &Option<Duration>) -> String {
    let mut text = String::new();
    if !detail.is_empty() {
        text.push_str(&format!(": {detail}"));
    }
    if let Some(wait) = retry_after {
        text.push_str(&format!("; it asks to be left alone for {} s", wait.as_secs()));
    }
    text
}
