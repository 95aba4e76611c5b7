//! `POST /api/v1/imports`: many drafts at once, each with its own answer.
//!
//! The body is NDJSON, one draft a line, each with its `source`: the draft itself, or `{"draft": …, "text": …}` with the
//! record in its source's own words, which are kept beside the record and never in it. A draft that is refused does not keep the others back,
//! so the status is `200` with one outcome a draft, in their order. Sending the same drafts again changes nothing.

use actix_web::http::header;
use actix_web::web::{self, Bytes, Data, Query, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::caller::Steward;
use super::problem::{Code, FieldError, Problem};
use crate::catalogue::{Catalogue, CatalogueError, Incoming, MAX_SOURCE_TEXT, Outcome};
use crate::domain::ids::{DatasetId, Revision, Seq};
use crate::domain::lifecycle::State;
use crate::schema::{self, Violation, Violations};

/// The media type of the body.
pub const NDJSON: &str = "application/x-ndjson";
/// The most drafts of one request; more is refused, not cut.
pub const MOST: usize = 500;

/// The routes of this noun.
pub fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/api/v1/imports").route(web::post().to(import)));
}

/// A line of the body with the source's own words.
#[derive(Debug, Serialize)]
pub struct Line<'d> {
    /// The draft.
    pub draft: &'d Value,
    /// The record in its source's own words; they are not sent where they are too long to be kept.
    #[serde(skip_serializing_if = "is_not_sent")]
    pub text: &'d str,
}

impl Line<'_> {
    /// Why the words are not sent, where there are some.
    pub fn left_out(&self) -> Option<String> {
        (!self.text.is_empty() && is_not_sent(self.text)).then(|| too_long(self.text.len()))
    }
}

fn is_not_sent(text: &str) -> bool {
    text.is_empty() || text.len() > MAX_SOURCE_TEXT
}

fn too_long(bytes: usize) -> String {
    format!("its source text has {bytes} bytes and is not kept: at most {MAX_SOURCE_TEXT} are")
}

/// What became of one draft.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
#[allow(missing_docs)] // each field is the noun it names
pub enum DraftOutcome {
    /// It is new here.
    Registered {
        id: DatasetId,
        revision: Revision,
        seq: Seq,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// It got a further revision.
    Revised {
        id: DatasetId,
        revision: Revision,
        seq: Seq,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// It was known as it is.
    Unchanged { id: DatasetId, revision: Revision },
    /// It was not taken: why, and what is wrong where.
    Refused { detail: String, errors: Vec<FieldError> },
}

/// The answer: one outcome a draft, in their order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImportAnswer {
    /// What became of each.
    pub outcomes: Vec<DraftOutcome>,
}

/// How an import is meant.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Meant {
    /// The state in which what is new begins its life.
    state: State,
}

async fn import(
    request: HttpRequest,
    steward: Steward,
    catalogue: Data<Catalogue>,
    meant: Query<Meant>,
    body: Bytes,
) -> Result<HttpResponse, Problem> {
    check_media_type(&request)?;
    let lines: Vec<&[u8]> = body.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).collect();
    if lines.is_empty() {
        return Err(Problem::new(Code::BadRequest, "the body has no draft: send one JSON object a line"));
    }
    if lines.len() > MOST {
        let detail =
            format!("the body has {} drafts and may have {MOST}: send the rest in another request", lines.len());
        return Err(Problem::new(Code::TooLarge, detail));
    }
    let (mut incoming, mut read) = (Vec::with_capacity(lines.len()), Vec::with_capacity(lines.len()));
    for line in lines {
        read.push(incoming_of(line).map(|(draft, note)| {
            incoming.push(draft);
            note
        }));
    }
    let (actor, state) = (steward.caller.actor(), meant.state);
    let taken = catalogue.import_as(&actor, &steward.owner, &incoming, state).await.map_err(failed)?;
    let mut taken = taken.into_iter();
    let outcomes = read
        .into_iter()
        .map(|read| match read {
            Ok(note) => {
                taken.next().map_or_else(|| refused("it was not answered".into()), |taken| outcome(taken, note))
            }
            Err(fault) => fault,
        })
        .collect();
    Ok(HttpResponse::Ok().json(ImportAnswer { outcomes }))
}

fn check_media_type(request: &HttpRequest) -> Result<(), Problem> {
    let given = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case(NDJSON) {
        return Ok(());
    }
    let detail = format!("send one draft a line, with Content-Type: {NDJSON}");
    Err(Problem::new(Code::UnsupportedMediaType, detail))
}

/// A line as the catalogue takes it, and why its text is not kept where it is not. A dataset has no field `draft`, so a
/// line with one is an envelope.
fn incoming_of(line: &[u8]) -> Result<(Incoming, Option<String>), DraftOutcome> {
    // An envelope may be longer than a dataset; the body is bounded by the door, the draft in it by the catalogue.
    let mut fields = match schema::value_within(line, usize::MAX) {
        Ok(Value::Object(fields)) => fields,
        Ok(_) => return Err(refused("the line is JSON but no object: a draft is one".into())),
        Err(violations) => return Err(invalid("the line is not JSON that can be read", &violations)),
    };
    let Some(draft) = fields.shift_remove("draft") else { return Ok((Value::Object(fields).into(), None)) };
    let text = fields.shift_remove("text");
    if let Some(name) = fields.keys().next() {
        return Err(refused(format!("the line has \"draft\" and {name:?}: beside a draft it may have \"text\" alone")));
    }
    match (draft, text) {
        (draft @ Value::Object(_), Some(Value::String(text))) if text.len() > MAX_SOURCE_TEXT => {
            Ok((draft.into(), Some(too_long(text.len()))))
        }
        (draft @ Value::Object(_), Some(Value::String(text))) => Ok((Incoming { draft, text: Some(text) }, None)),
        (draft @ Value::Object(_), None) => Ok((draft.into(), None)),
        _ => Err(refused("in a line with \"draft\", that is an object and \"text\" a string".into())),
    }
}

fn outcome(taken: Result<Outcome, CatalogueError>, note: Option<String>) -> DraftOutcome {
    match taken {
        Ok(Outcome::Registered(record)) => {
            DraftOutcome::Registered { id: record.dataset.id, revision: record.revision, seq: record.seq, note }
        }
        Ok(Outcome::Revised(record)) => {
            DraftOutcome::Revised { id: record.dataset.id, revision: record.revision, seq: record.seq, note }
        }
        Ok(Outcome::Unchanged(record)) => DraftOutcome::Unchanged { id: record.dataset.id, revision: record.revision },
        Err(CatalogueError::Invalid(violations)) => invalid("the record is not valid", &violations),
        Err(error) => refused(error.to_string()),
    }
}

fn invalid(detail: &str, violations: &Violations) -> DraftOutcome {
    let error = |violation: &Violation| FieldError { pointer: violation.pointer.clone(), detail: violation.detail() };
    DraftOutcome::Refused { detail: detail.into(), errors: violations.list.iter().map(error).collect() }
}

fn refused(detail: String) -> DraftOutcome {
    DraftOutcome::Refused { detail, errors: Vec::new() }
}

/// The whole import stopped; what was durable before stays, and the same request completes it.
fn failed(error: CatalogueError) -> Problem {
    match error {
        CatalogueError::Store(error) => error.into(),
        CatalogueError::CannotBegin(_) => error.into(),
        CatalogueError::Contended => Problem::new(Code::Conflict, error.to_string()).retry_after(1),
        other => Problem::internal(&other),
    }
}
