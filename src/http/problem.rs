//! The one table from errors to HTTP: every refusal of the web and federation doors is a problem (RFC 9457).
//!
//! A flow's error becomes a [`Problem`] by a `From` below and nowhere else. Each has a stable [`Code`]; `docs/problems.md`
//! lists them all, and a test compares. `detail` says what to do next and never carries what only the log may know.

use std::fmt;

use actix_web::error::{JsonPayloadError, PathError, QueryPayloadError, UrlencodedError};
use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use serde::{Deserialize, Serialize};

use super::limits::BodyError;
use crate::access::AccessError;
use crate::access::grants::GrantRefused;
use crate::accounts::AccountsError;
use crate::audit::AuditError;
use crate::catalogue::CatalogueError;
use crate::delivery::send::SendError;
use crate::domain::negotiation::Reason;
use crate::harvest::HarvestError;
use crate::index::IndexError;
use crate::peers::wire::AskError;
use crate::schema::{Violation, Violations};
use crate::search::SearchError;
use crate::search::local::LocalError;
use crate::store::{AppendError, Expectation, StoreError};

/// Where a node explains the codes; a problem's `type` is this with `#` and the code, relative to the node's address.
pub const TYPE_BASE: &str = "/problems";

/// The media type of a problem.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// The codes, with their status and title. Written once: the enum, the table and the list for the documents.
macro_rules! codes {
    ($($(#[doc = $doc:literal])* $name:ident = $code:literal $status:ident $title:literal;)*) => {
        /// The stable code of a problem.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code { $($(#[doc = $doc])* $name,)* }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The code as the body spells it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// Its status.
            pub fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }

            /// Its title, the same for every occurrence.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

codes! {
    /// The request cannot be read at all.
    BadRequest = "bad_request" BAD_REQUEST "The request cannot be read";
    /// The body is not JSON, or nested too deeply.
    MalformedBody = "malformed_body" BAD_REQUEST "The body cannot be read";
    /// A parameter of the address is missing, unknown or has a value that cannot be meant.
    BadParameter = "bad_parameter" BAD_REQUEST "A parameter is refused";
    /// A cursor that this node did not make, or that belongs to another list.
    BadCursor = "bad_cursor" BAD_REQUEST "The cursor is not valid here";
    /// The words of a search cannot be read.
    BadQuery = "bad_query" BAD_REQUEST "The query cannot be read";
    /// No token, or one that is unknown, expired or revoked.
    Unauthenticated = "unauthenticated" UNAUTHORIZED "A valid token is needed";
    /// The caller's role or participant may not do this.
    Forbidden = "forbidden" FORBIDDEN "The caller may not do this";
    /// The certificate is no longer good, though it was when the connection began.
    CertificateRefused = "certificate_refused" FORBIDDEN "The certificate is refused";
    /// The agreement is over, or the peer's trust allows no more than search.
    AgreementOver = "agreement_over" FORBIDDEN "Nothing is released under this agreement";
    /// The grant ran out, or was made for another certificate.
    GrantOver = "grant_over" FORBIDDEN "A fresh grant is needed";
    /// A page's write without its token, or from another site.
    CrossSite = "cross_site" FORBIDDEN "The request does not come from a page of this node";
    /// Nothing is there, or nothing that the caller may know of.
    NotFound = "not_found" NOT_FOUND "Nothing is there";
    /// The address exists, the method does not.
    MethodNotAllowed = "method_not_allowed" METHOD_NOT_ALLOWED "The method is not answered here";
    /// None of the media types the caller accepts is made here.
    NotAcceptable = "not_acceptable" NOT_ACCEPTABLE "No accepted media type is made here";
    /// The head or the body came too slowly.
    TooSlow = "too_slow" REQUEST_TIMEOUT "The request came too slowly";
    /// The id is taken.
    AlreadyExists = "already_exists" CONFLICT "The id is taken";
    /// The terms of a peer's question were made by another analyser.
    OtherAnalyser = "other_analyser" CONFLICT "The question's terms are not those of this index";
    /// The noun is in a state that does not allow it.
    Conflict = "conflict" CONFLICT "The present state does not allow it";
    /// The policy refuses what a steward would approve.
    PolicyRefuses = "policy_refuses" CONFLICT "The policy refuses it";
    /// The owner's file is not what the agreed manifest says.
    ShardNotAsAgreed = "shard_not_as_agreed" CONFLICT "The shard is not as agreed";
    /// It was withdrawn.
    Withdrawn = "withdrawn" GONE "It was withdrawn";
    /// `If-Match` names another revision than the present one.
    Stale = "stale" PRECONDITION_FAILED "Somebody changed it in the meantime";
    /// The body is too large.
    TooLarge = "too_large" PAYLOAD_TOO_LARGE "The body is too large";
    /// The media type of the body is not read here.
    UnsupportedMediaType = "unsupported_media_type" UNSUPPORTED_MEDIA_TYPE "The media type is not read here";
    /// The range cannot be served.
    RangeNotSatisfiable = "range_not_satisfiable" RANGE_NOT_SATISFIABLE "The range lies outside";
    /// The body is JSON and breaks the schema; `errors` says where.
    Invalid = "invalid" UNPROCESSABLE_ENTITY "The record is not valid";
    /// A peer's question has a part that is not known here.
    UnsupportedConstraint = "unsupported_constraint" UNPROCESSABLE_ENTITY "A part of the question is not known here";
    /// `If-Match` is missing.
    IfMatchRequired = "if_match_required" PRECONDITION_REQUIRED "If-Match is required";
    /// Too many requests.
    TooManyRequests = "too_many_requests" TOO_MANY_REQUESTS "Too many requests";
    /// Something is broken on our side.
    Internal = "internal" INTERNAL_SERVER_ERROR "The node failed";
    /// A peer did not answer, or not as it should.
    PeerFailed = "peer_failed" BAD_GATEWAY "A peer did not answer";
    /// The node cannot do it for now.
    Unavailable = "unavailable" SERVICE_UNAVAILABLE "The node cannot do this for now";
    /// There is no room left.
    Full = "full" INSUFFICIENT_STORAGE "There is no room left";
}

/// A refusal, as the body says it.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// Which.
    pub code: Code,
    /// What happened here and what to do next.
    pub detail: String,
    /// What is wrong at which places of the body.
    pub errors: Vec<FieldError>,
    /// Seconds after which to try again.
    pub retry_after: Option<u64>,
}

/// What is wrong at one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// A JSON pointer into the body, or the name of a parameter.
    pub pointer: String,
    /// What was found, what is allowed, what to do.
    pub detail: String,
}

impl Problem {
    /// A problem with its sentence.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), errors: Vec::new(), retry_after: None }
    }

    /// The same with what is wrong where.
    pub fn with_errors(mut self, errors: Vec<FieldError>) -> Self {
        self.errors = errors;
        self
    }

    /// The same with the seconds after which to try again.
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Nothing is there, or nothing that the caller may know of.
    pub fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, format!("no {what} of that id is known here: check the id, or list them"))
    }

    /// Something is broken on our side: the cause goes to the log, the caller gets the request id.
    pub fn internal(cause: &dyn fmt::Display) -> Self {
        tracing::error!(cause = %cause, "a request failed on our side");
        Self::new(Code::Internal, "the node failed; its log has the cause under this request id")
    }

    /// The problem of an answer that was made without one, by its status.
    pub fn of_status(status: StatusCode) -> Option<Self> {
        let (code, detail) = match status {
            StatusCode::BAD_REQUEST => (Code::BadRequest, "the request cannot be read: check its address and headers"),
            StatusCode::NOT_FOUND => {
                (Code::NotFound, "no such address on this door: /openapi.json lists the addresses that are answered")
            }
            StatusCode::METHOD_NOT_ALLOWED => (
                Code::MethodNotAllowed,
                "this address does not answer the method: the Allow header lists those it does",
            ),
            StatusCode::NOT_ACCEPTABLE => (Code::NotAcceptable, "ask with Accept: application/json"),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                (Code::UnsupportedMediaType, "send the body with Content-Type: application/json")
            }
            StatusCode::PAYLOAD_TOO_LARGE => (Code::TooLarge, "send a smaller body"),
            StatusCode::REQUEST_TIMEOUT => (Code::TooSlow, "send the request again, without pauses"),
            StatusCode::RANGE_NOT_SATISFIABLE => (Code::RangeNotSatisfiable, "ask for a range within the length"),
            _ => {
                return Code::ALL
                    .iter()
                    .find(|code| code.status() == status)
                    .map(|code| Self::new(*code, code.title().to_owned()));
            }
        };
        Some(Self::new(code, detail))
    }

    /// A document's faults, each at its place.
    pub fn of_violations(code: Code, violations: &Violations) -> Self {
        let count = violations.list.len();
        let more = if violations.more { "more than " } else { "" };
        let first = violations.list.first().map(ToString::to_string).unwrap_or_default();
        let detail = match count {
            1 => first,
            _ => format!("{more}{count} faults, listed in `errors`; the first: {first}"),
        };
        let place =
            |violation: &Violation| FieldError { pointer: violation.pointer.clone(), detail: violation.detail() };
        Self::new(code, detail).with_errors(violations.list.iter().map(place).collect())
    }

    /// The answer, as yet without a request id; the doors' middleware writes that in.
    pub fn response(&self) -> HttpResponse {
        self.response_with(None)
    }

    /// The answer with its request id.
    pub fn response_with(&self, request_id: Option<&str>) -> HttpResponse {
        let mut builder = HttpResponse::build(self.code.status());
        builder.insert_header((header::CONTENT_TYPE, MEDIA_TYPE)).insert_header((header::CACHE_CONTROL, "no-store"));
        if let Some(seconds) = self.retry_after {
            builder.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        if self.code == Code::Unauthenticated {
            builder.insert_header((header::WWW_AUTHENTICATE, "Bearer realm=\"pleiad\""));
        }
        if matches!(self.code, Code::TooSlow | Code::TooLarge) {
            // The rest of the body must not be taken for the next request.
            builder.force_close();
        }
        let mut response = builder.body(self.body(request_id));
        response.extensions_mut().insert(self.clone());
        response
    }

    fn body(&self, request_id: Option<&str>) -> String {
        let mut body = serde_json::json!({
            "type": format!("{TYPE_BASE}#{}", self.code.as_str()),
            "title": self.code.title(),
            "status": self.code.status().as_u16(),
            "code": self.code.as_str(),
            "detail": self.detail,
        });
        if !self.errors.is_empty() {
            body["errors"] = serde_json::json!(self.errors);
        }
        if let Some(seconds) = self.retry_after {
            body["retry_after"] = seconds.into();
        }
        if let Some(id) = request_id {
            body["request_id"] = id.into();
        }
        body.to_string()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.detail)
    }
}

impl std::error::Error for Problem {}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.code.status()
    }

    fn error_response(&self) -> HttpResponse {
        self.response()
    }
}

impl From<Violations> for Problem {
    fn from(violations: Violations) -> Self {
        Self::of_violations(Code::Invalid, &violations)
    }
}

impl From<CatalogueError> for Problem {
    fn from(error: CatalogueError) -> Self {
        let detail = error.to_string();
        let at = |code: Code, pointer: &str| {
            let place = FieldError { pointer: pointer.to_owned(), detail: detail.clone() };
            Self::new(code, detail.clone()).with_errors(vec![place])
        };
        match &error {
            CatalogueError::Invalid(violations) => Self::of_violations(Code::Invalid, violations),
            CatalogueError::ForeignId { .. } | CatalogueError::LikeAForm { .. } | CatalogueError::Repeated(_) => {
                at(Code::Invalid, "/id")
            }
            CatalogueError::ForeignCountry { .. } => at(Code::Invalid, "/country"),
            CatalogueError::IdChanged { .. } => at(Code::Invalid, "/id"),
            CatalogueError::SourceChanged | CatalogueError::NoSource | CatalogueError::Twice { .. } => {
                at(Code::Invalid, "/source")
            }
            CatalogueError::ManifestNotRaised { pointer, .. } | CatalogueError::ManifestDropped { pointer, .. } => {
                at(Code::Invalid, pointer)
            }
            CatalogueError::InvalidReason | CatalogueError::UnfitReason => at(Code::Invalid, "/reason"),
            CatalogueError::InvalidStep(_) => Self::new(Code::Conflict, detail),
            CatalogueError::CannotBegin(_) => at(Code::BadParameter, "state"),
            CatalogueError::OwnSuccessor => at(Code::Invalid, "/successor"),
            CatalogueError::NotAParticipant(_) | CatalogueError::NotOwner(_) => Self::new(Code::Forbidden, detail),
            CatalogueError::Taken(_) | CatalogueError::SourceTaken { .. } => Self::new(Code::AlreadyExists, detail),
            CatalogueError::Withdrawn { .. } => Self::new(Code::Withdrawn, detail),
            CatalogueError::NotFound(_) => Self::not_found("dataset"),
            CatalogueError::NoRevision(..) | CatalogueError::NoSourceText(_) => Self::new(Code::NotFound, detail),
            CatalogueError::Stale { .. } => Self::new(Code::Stale, detail),
            CatalogueError::Contended => Self::new(Code::Unavailable, detail).retry_after(1),
            CatalogueError::TooLarge { .. } => Self::new(Code::TooLarge, detail),
            CatalogueError::Refused(_) => Self::new(Code::Conflict, detail),
            CatalogueError::Store(error) => error.clone().into(),
        }
    }
}

impl From<AccountsError> for Problem {
    fn from(error: AccountsError) -> Self {
        let parameter = |name: &str, error: &AccountsError| {
            Self::new(Code::Invalid, error.to_string())
                .with_errors(vec![FieldError { pointer: format!("/{name}"), detail: error.to_string() }])
        };
        match error {
            AccountsError::ParticipantMissing { .. }
            | AccountsError::OtherParticipant { .. }
            | AccountsError::ParticipantUnwanted => parameter("participant", &error),
            AccountsError::Note => parameter("note", &error),
            AccountsError::Expired(_) => parameter("expires", &error),
            AccountsError::NotInForce(_) => Self::not_found("token in force"),
            AccountsError::Randomness => Self::internal(&error),
            AccountsError::Append(error) => error.into(),
            AccountsError::Store(error) => error.into(),
        }
    }
}

impl From<HarvestError> for Problem {
    fn from(error: HarvestError) -> Self {
        match error {
            HarvestError::Unknown(_) | HarvestError::NoRun(_) => Self::new(Code::NotFound, error.to_string()),
            HarvestError::Busy(_) => Self::new(Code::Conflict, error.to_string()),
            HarvestError::Store(error) => error.into(),
            HarvestError::Append(error) => error.into(),
        }
    }
}

impl From<AuditError> for Problem {
    fn from(error: AuditError) -> Self {
        match error {
            AuditError::NoEntry { .. } => Self::new(Code::NotFound, error.to_string()),
            AuditError::Sizes { .. } | AuditError::PageTooLarge(_) => Self::new(Code::BadParameter, error.to_string()),
            AuditError::Signature { .. } => Self::internal(&error),
            AuditError::Store(error) => error.into(),
        }
    }
}

impl From<AccessError> for Problem {
    fn from(error: AccessError) -> Self {
        let detail = error.to_string();
        match error {
            AccessError::Invalid { pointer, detail: field } => {
                Self::new(Code::Invalid, detail).with_errors(vec![FieldError { pointer, detail: field }])
            }
            AccessError::NotAtHome(_) | AccessError::NotItsOwn { .. } => Self::new(Code::Forbidden, detail),
            AccessError::DatasetUnknown(_) | AccessError::NotFound { .. } => Self::new(Code::NotFound, detail),
            AccessError::WrongState(_) => Self::new(Code::Conflict, detail),
            AccessError::PolicyRefuses(reasons) => {
                let place = |reason: Reason| FieldError { pointer: reason.pointer, detail: reason.detail };
                Self::new(Code::PolicyRefuses, detail).with_errors(reasons.into_iter().map(place).collect())
            }
            AccessError::StaleTrust(_) => Self::new(Code::AgreementOver, detail),
            AccessError::OwnerUnknown(_) | AccessError::OwnerSilent(_) => Self::new(Code::PeerFailed, detail),
            AccessError::Store(error) => error.into(),
        }
    }
}

impl From<GrantRefused> for Problem {
    fn from(error: GrantRefused) -> Self {
        let code = match error {
            GrantRefused::Certificate(_) => Code::CertificateRefused,
            GrantRefused::StaleTrust(_) | GrantRefused::AgreementOver { .. } => Code::AgreementOver,
            GrantRefused::AgreementUnknown(_) | GrantRefused::ShardUnknown => Code::NotFound,
            GrantRefused::Withdrawn(_) => Code::Withdrawn,
            GrantRefused::GrantUnknown | GrantRefused::GrantExpired(_) => Code::GrantOver,
            GrantRefused::ManifestGone => Code::ShardNotAsAgreed,
            GrantRefused::Store(error) => return error.into(),
        };
        Self::new(code, error.to_string())
    }
}

impl From<SendError> for Problem {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Refused(refused) => refused.into(),
            SendError::NotAsAgreed { .. } => {
                tracing::error!(cause = %error, "a shard is not as agreed");
                Self::new(Code::ShardNotAsAgreed, error.to_string())
            }
            SendError::Unreadable { .. } | SendError::Journal(_) => Self::internal(&error),
        }
    }
}

impl From<AppendError> for Problem {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Conflict(Expectation::DatasetAbsent(_)) => {
                Self::new(Code::AlreadyExists, format!("{error}: choose another id, or revise it with PUT"))
            }
            AppendError::Conflict(Expectation::DatasetAt(..)) => {
                Self::new(Code::Stale, format!("{error}: read it again and send its new ETag in If-Match"))
            }
            AppendError::Conflict(_) | AppendError::KeyReused(_) => Self::new(Code::Conflict, error.to_string()),
            AppendError::TooLarge { .. } => Self::new(Code::TooLarge, error.to_string()),
            AppendError::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::DiskFull { .. } => {
                tracing::error!(cause = %error, "the disk is full");
                Self::new(Code::Full, "the node's disk is full and nothing was written: its operator must make room")
            }
            StoreError::Closed => {
                Self::new(Code::Unavailable, "the node is stopping: try again in a moment").retry_after(5)
            }
            other => Self::internal(&other),
        }
    }
}

impl From<SearchError> for Problem {
    fn from(error: SearchError) -> Self {
        let detail = error.to_string();
        match error {
            SearchError::Busy => Self::new(Code::TooManyRequests, detail).retry_after(1),
            SearchError::PageTooLarge(_) => Self::new(Code::BadParameter, detail),
        }
    }
}

impl From<LocalError> for Problem {
    fn from(error: LocalError) -> Self {
        let detail = error.to_string();
        match error {
            LocalError::Index(IndexError::Busy) => Self::new(Code::TooManyRequests, detail).retry_after(1),
            LocalError::Index(IndexError::Deadline | IndexError::Closed) => {
                Self::new(Code::Unavailable, detail).retry_after(1)
            }
            LocalError::Index(IndexError::Refused(_)) => Self::new(Code::UnsupportedConstraint, detail),
            LocalError::Index(_) | LocalError::Store(_) => Self::internal(&detail),
        }
    }
}

impl From<AskError> for Problem {
    fn from(error: AskError) -> Self {
        let code = match &error {
            AskError::Malformed(_) => Code::MalformedBody,
            AskError::TooLarge(_) => Code::TooLarge,
            AskError::Unsupported { .. } => Code::UnsupportedConstraint,
        };
        Self::new(code, error.to_string())
    }
}

impl From<BodyError> for Problem {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooSlow => Self::new(
                Code::TooSlow,
                "the body came too slowly and the connection is closed: send it in one go, or split the work",
            ),
            BodyError::TooLarge { limit } => {
                Self::new(Code::TooLarge, format!("a body here has at most {limit} bytes: send less at once"))
            }
        }
    }
}

impl From<actix_web::error::PayloadError> for Problem {
    fn from(error: actix_web::error::PayloadError) -> Self {
        match BodyError::of(&error) {
            Some(bound) => bound.into(),
            None => Self::new(Code::BadRequest, format!("the body broke off: {error}; send the request again")),
        }
    }
}

impl From<JsonPayloadError> for Problem {
    fn from(error: JsonPayloadError) -> Self {
        match error {
            JsonPayloadError::Payload(error) => error.into(),
            JsonPayloadError::ContentType => {
                Self::new(Code::UnsupportedMediaType, "send the body as JSON, with Content-Type: application/json")
            }
            JsonPayloadError::Deserialize(error) if error.is_data() => {
                Self::new(Code::Invalid, format!("the body is not what is expected here: {error}"))
            }
            other => Self::new(Code::MalformedBody, format!("the body is not JSON: {other}")),
        }
    }
}

impl From<UrlencodedError> for Problem {
    fn from(error: UrlencodedError) -> Self {
        match error {
            UrlencodedError::Payload(error) => error.into(),
            UrlencodedError::ContentType => Self::new(
                Code::UnsupportedMediaType,
                "send the form with Content-Type: application/x-www-form-urlencoded",
            ),
            other => Self::new(Code::MalformedBody, format!("the form cannot be read: {other}")),
        }
    }
}

impl From<QueryPayloadError> for Problem {
    fn from(error: QueryPayloadError) -> Self {
        Self::new(Code::BadParameter, format!("a parameter of the address is refused: {error}"))
    }
}

impl From<PathError> for Problem {
    fn from(_: PathError) -> Self {
        Self::new(Code::NotFound, "nothing has an address of this form: check the id")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_explained_in_the_documents_and_no_other() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/problems.md");
        let text = std::fs::read_to_string(path).unwrap();
        let listed: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(listed, codes);
    }

    #[test]
    fn the_codes_are_distinct() {
        let mut codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Code::ALL.len());
    }
}
