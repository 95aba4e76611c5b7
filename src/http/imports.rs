//! `POST /api/v1/imports`: many drafts at once, each with its own answer.
//!
//! The body is NDJSON, one draft a line, each with its `source`. A draft that is refused does not keep the others back,
//! so the status is `200` with one outcome a draft, in their order. Sending the same drafts again changes nothing.

use actix_web::http::header;
use actix_web::web::{self, Bytes, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::caller::Steward;
use super::problem::{Code, FieldError, Problem};
use crate::catalogue::{Catalogue, CatalogueError, Outcome};
use crate::domain::ids::{DatasetId, Revision, Seq};
use crate::schema::{self, Violation, Violations};

/// The media type of the body.
pub const NDJSON: &str = "application/x-ndjson";
/// The most drafts of one request; more is refused, not cut.
pub const MOST: usize = 500;

/// The routes of this noun.
pub fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/api/v1/imports").route(web::post().to(import)));
}

/// What became of one draft.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
#[allow(missing_docs)] // each field is the noun it names
pub enum DraftOutcome {
    /// It is new here.
    Registered { id: DatasetId, revision: Revision, seq: Seq },
    /// It got a further revision.
    Revised { id: DatasetId, revision: Revision, seq: Seq },
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

async fn import(
    request: HttpRequest,
    steward: Steward,
    catalogue: Data<Catalogue>,
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
    let read: Vec<Result<Value, DraftOutcome>> = lines.iter().map(|line| draft(line)).collect();
    let drafts: Vec<Value> = read.iter().filter_map(|draft| draft.as_ref().ok().cloned()).collect();
    let taken = catalogue.import(&steward.caller.actor(), &steward.owner, &drafts).await.map_err(failed)?;
    let mut taken = taken.into_iter();
    let outcomes = read
        .into_iter()
        .map(|draft| match draft {
            Ok(_) => taken.next().map_or_else(|| refused("it was not answered".into()), outcome),
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

fn draft(line: &[u8]) -> Result<Value, DraftOutcome> {
    match schema::value(line) {
        Ok(draft @ Value::Object(_)) => Ok(draft),
        Ok(_) => Err(refused("the line is JSON but no object: a draft is one".into())),
        Err(violations) => Err(invalid("the line is not JSON that can be read", &violations)),
    }
}

fn outcome(taken: Result<Outcome, CatalogueError>) -> DraftOutcome {
    match taken {
        Ok(Outcome::Registered(record)) => {
            DraftOutcome::Registered { id: record.dataset.id, revision: record.revision, seq: record.seq }
        }
        Ok(Outcome::Revised(record)) => {
            DraftOutcome::Revised { id: record.dataset.id, revision: record.revision, seq: record.seq }
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
        CatalogueError::Contended => Problem::new(Code::Conflict, error.to_string()).retry_after(1),
        other => Problem::internal(&other),
    }
}
