//! The log at the door: entries, their proofs, the signed head.
//!
//! An administrator reads everything. Who acts for a participant reads what concerns that participant: entries about its
//! datasets, and about the requests and agreements that it is a party to. The signed head is for everybody: it says how
//! long the log is, and nothing of what is in it.

use actix_web::http::StatusCode;
use actix_web::http::header::HeaderValue;
use actix_web::web::{self, Data, Path, Query, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::{Value, json};

use super::caller::Caller;
use super::problem::{Code, Problem};
use super::reply;
use super::seal::Sealer;
use crate::audit::{Audit, Line, Wanted};
use crate::domain::event::Role;
use crate::domain::ids::{Digest, Seq};

/// The routes.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/api/v1/audit/entries").route(super::get().to(entries)))
        .service(web::resource("/api/v1/audit/entries/{seq}").route(super::get().to(evidence)))
        .service(web::resource("/api/v1/audit/consistency").route(super::get().to(consistency)))
        .service(web::resource("/api/v1/audit/checkpoint").route(super::get().to(checkpoint)));
}

/// The parameters of the list.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ListParameters {
    subject: Option<String>,
    kind: Option<String>,
    actor: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

/// `GET /api/v1/audit/entries`: a page of entries, newest first.
async fn entries(
    request: HttpRequest,
    caller: Caller,
    parameters: Query<ListParameters>,
    audit: Data<Audit>,
    sealer: Data<Sealer>,
) -> Result<HttpResponse, Problem> {
    let ListParameters { subject, kind, actor, limit, cursor } = parameters.into_inner();
    match &subject {
        Some(subject) => must_concern(&audit, &caller, subject).await?,
        None if caller.role == Role::Administrator => {}
        None => {
            let detail = "name what the entries are about with subject=: a dataset, request or agreement of yours";
            return Err(Problem::new(Code::Forbidden, detail));
        }
    }
    let limit = reply::page(limit)?;
    let wanted = Wanted { subject, kind, actor };
    // A cursor belongs to its question.
    let list = format!("audit {}", Digest::of(format!("{wanted:?}").as_bytes()));
    let before = cursor.map(|cursor| sealer.open_cursor::<Seq>(&list, &cursor)).transpose()?;
    let page = audit.entries(&wanted, before, limit).await?;
    let next_cursor = page.next.map(|next| sealer.seal(&list, &next)).transpose()?;
    let link = next_cursor.as_deref().map(|cursor| reply::next_link(&request, cursor));
    let mut body = json!({ "items": page.entries.iter().map(shown).collect::<Vec<_>>() });
    if let Some(cursor) = next_cursor {
        body["next_cursor"] = cursor.into();
    }
    let mut response = reply::json(&request, StatusCode::OK, None, &body)?;
    if let Some((name, link)) = link
        && let Ok(link) = HeaderValue::from_str(&link)
    {
        response.headers_mut().insert(name, link);
    }
    Ok(response)
}

/// `GET /api/v1/audit/entries/{seq}`: an entry with everything that somebody needs to check it without this node.
async fn evidence(
    request: HttpRequest,
    caller: Caller,
    seq: Path<u64>,
    audit: Data<Audit>,
) -> Result<HttpResponse, Problem> {
    let evidence = audit.evidence(Seq(seq.into_inner())).await?;
    must_concern(&audit, &caller, &evidence.entry.header.subject).await?;
    reply::json(&request, StatusCode::OK, None, &evidence)
}

/// The parameters of a consistency proof.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sizes {
    old: u64,
    new: Option<u64>,
}

/// `GET /api/v1/audit/consistency?old=&new=`: that the log of one size is the beginning of the log of another.
async fn consistency(
    request: HttpRequest,
    _: Caller,
    sizes: Query<Sizes>,
    audit: Data<Audit>,
) -> Result<HttpResponse, Problem> {
    reply::json(&request, StatusCode::OK, None, &audit.consistency(sizes.old, sizes.new).await?)
}

/// `GET /api/v1/audit/checkpoint`: the last signed head, and how much it is worth.
async fn checkpoint(request: HttpRequest, audit: Data<Audit>) -> Result<HttpResponse, Problem> {
    let none = "no head of this log was signed yet: one is within a minute of the start";
    let head = audit.head().await?.ok_or_else(|| Problem::new(Code::NotFound, none))?;
    reply::json(&request, StatusCode::OK, None, &head)
}

/// Refuses what does not concern the caller. That it exists is not told either.
async fn must_concern(audit: &Audit, caller: &Caller, subject: &str) -> Result<(), Problem> {
    if caller.role == Role::Administrator {
        return Ok(());
    }
    match &caller.participant {
        Some(participant) if audit.concerns(subject, participant).await? => Ok(()),
        _ => Err(Problem::new(Code::NotFound, "no entry about this concerns the participant that this token acts for")),
    }
}

/// An entry in a list: its content as JSON, since nobody checks a list.
fn shown(line: &Line) -> Value {
    let mut shown = json!(line.header);
    shown["content"] = serde_json::from_str(&line.content).unwrap_or(Value::Null);
    shown
}
