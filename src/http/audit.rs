//! The log at the door: entries, their proofs, the signed head.
//!
//! An administrator reads everything. Who acts for a participant reads what concerns that participant: entries about its
//! datasets, and about the requests and agreements that it is a party to. The signed head is for everybody: it says how
//! long the log is, and nothing of what is in it.

use actix_web::web::{self, Data, Path, Query, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::{Value, json};

use super::caller::Caller;
use super::problem::{Code, Problem};
use super::seal::Sealer;
use crate::audit::{Audit, Line, MAX_PAGE, Wanted};
use crate::domain::event::Role;
use crate::domain::ids::Seq;

/// Entries on a page when nothing is said.
const PAGE: usize = 50;

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
    let before = cursor.map(|cursor| sealer.open_cursor::<Seq>("audit", &cursor)).transpose()?;
    let wanted = Wanted { subject, kind, actor };
    let page = audit.entries(&wanted, before, limit.unwrap_or(PAGE)).await?;
    let mut response = HttpResponse::Ok();
    let mut body = json!({ "entries": page.entries.iter().map(shown).collect::<Vec<_>>() });
    if let Some(next) = page.next {
        let cursor = sealer.seal("audit", &next)?;
        let mut next = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in [("subject", wanted.subject), ("kind", wanted.kind), ("actor", wanted.actor)] {
            if let Some(value) = value {
                next.append_pair(name, &value);
            }
        }
        next.append_pair("limit", &limit.unwrap_or(PAGE).min(MAX_PAGE).to_string()).append_pair("cursor", &cursor);
        response.insert_header(("Link", format!("<{}?{}>; rel=\"next\"", request.path(), next.finish())));
        body["next_cursor"] = cursor.into();
    }
    Ok(response.json(body))
}

/// `GET /api/v1/audit/entries/{seq}`: an entry with everything that somebody needs to check it without this node.
async fn evidence(caller: Caller, seq: Path<u64>, audit: Data<Audit>) -> Result<HttpResponse, Problem> {
    let evidence = audit.evidence(Seq(seq.into_inner())).await?;
    must_concern(&audit, &caller, &evidence.entry.header.subject).await?;
    Ok(HttpResponse::Ok().json(evidence))
}

/// The parameters of a consistency proof.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sizes {
    old: u64,
    new: Option<u64>,
}

/// `GET /api/v1/audit/consistency?old=&new=`: that the log of one size is the beginning of the log of another.
async fn consistency(_: Caller, sizes: Query<Sizes>, audit: Data<Audit>) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(audit.consistency(sizes.old, sizes.new).await?))
}

/// `GET /api/v1/audit/checkpoint`: the last signed head, and how much it is worth.
async fn checkpoint(audit: Data<Audit>) -> Result<HttpResponse, Problem> {
    let head = audit.head().await?;
    let none = "no head of this log was signed yet: one is within a minute of the start";
    Ok(HttpResponse::Ok().json(head.ok_or_else(|| Problem::new(Code::NotFound, none))?))
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
