//! `GET /api/v1/search`: one question to the federation, as JSON or, line by line as the nodes answer, as NDJSON; and
//! `GET /api/v1/federation`: who is in it and how each is doing.
//!
//! A page that lacks the answer of a node is a page: its status is 200, and `sources` says who did not answer. Only a
//! question that cannot be read, or no room to ask it, is an error.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header;
use actix_web::web::{Bytes, Data, ServiceConfig};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, web};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::caller::MaybeCaller;
use super::observe::TraceParent;
use super::problem::Problem;
use super::{get, question};
use crate::domain::query::Query;
use crate::search::merge::{Page, Ranked};
use crate::search::{Found, Request, Search, Took};

const NDJSON: &str = "application/x-ndjson";

/// The routes of this file, for the web door.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/api/v1/search").route(get().to(search)))
        .service(web::resource("/api/v1/federation").route(get().to(federation)));
}

async fn search(request: HttpRequest, caller: MaybeCaller, flow: Data<Search>) -> Result<HttpResponse, Problem> {
    let mut asked = question::read(request.query_string(), request.headers())?;
    asked.participant = caller.0.and_then(|caller| caller.participant);
    asked.traceparent = request.extensions().get::<TraceParent>().map(|trace| trace.0.clone());
    if wants_lines(&request) {
        return Ok(lines(flow.into_inner(), asked));
    }
    let query = asked.query.clone();
    let found = flow.search(asked, |_| ()).await?;
    Ok(HttpResponse::Ok()
        .insert_header((header::VARY, "Accept, Accept-Language"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header(("Server-Timing", timing(&found.took)))
        .json(body(&query, &found)))
}

async fn federation(flow: Data<Search>) -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(json!({"members": flow.federation()}))
}

fn wants_lines(request: &HttpRequest) -> bool {
    let accepted = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepted.split(',').any(|part| part.split(';').next().is_some_and(|media| media.trim() == NDJSON))
}

/// One JSON object a line: `source` as each node answers, then `result` once, or `problem` where there is none. The
/// search ends when nobody reads any more.
fn lines(flow: Arc<Search>, asked: Request) -> HttpResponse {
    let (send, receive) = mpsc::unbounded_channel::<Value>();
    let query = asked.query.clone();
    tokio::spawn(async move {
        let gone = send.clone();
        let searching = flow.search(asked, |source| drop(send.send(json!({"event": "source", "source": source}))));
        let searched = tokio::select! {
            searched = searching => searched,
            () = gone.closed() => return,
        };
        let last = match searched {
            Ok(found) => json!({"event": "result", "result": body(&query, &found)}),
            Err(error) => {
                let problem = Problem::from(error);
                json!({"event": "problem", "code": problem.code.as_str(), "detail": problem.detail})
            }
        };
        // Whoever has gone needs no answer.
        let _ = gone.send(last);
    });
    let stream = futures_util::stream::unfold(receive, |mut receive| async move {
        let line = receive.recv().await?;
        Some((Ok::<_, actix_web::Error>(Bytes::from(format!("{line}\n"))), receive))
    });
    HttpResponse::Ok()
        .content_type(NDJSON)
        .insert_header((header::VARY, "Accept, Accept-Language"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        // A proxy that waits for more would turn the lines into a page.
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(stream)
}

/// The answer as the API spells it.
fn body(query: &Query, found: &Found) -> Value {
    let Page { hits, total, ranking, facets, .. } = &found.page;
    json!({
        "query": understood(query),
        "hits": hits.iter().map(hit).collect::<Vec<_>>(),
        "total": total,
        "ranking": ranking,
        "facets": facets,
        "sources": found.sources,
        "took_ms": milliseconds(found.took.total),
    })
}

/// What was understood of the question, so that a reader can tell.
fn understood(query: &Query) -> Value {
    json!({
        "expression": query.text,
        "languages": query.languages,
        "filters": query.filters,
        "sort": query.sort,
        "limit": query.limit,
    })
}

fn hit(ranked: &Ranked) -> Value {
    let mut hit = json!({
        "score": ranked.place.score,
        "node": ranked.node,
        "card": ranked.hit.card,
        "also_at": ranked.also_at,
        "highlights": ranked.hit.highlights,
    });
    if ranked.private {
        hit["private"] = true.into();
    }
    hit
}

fn timing(took: &Took) -> String {
    let part = |name: &str, duration: Duration| format!("{name};dur={:.1}", duration.as_secs_f64() * 1_000.0);
    [part("ask", took.asking), part("merge", took.merging), part("total", took.total)].join(", ")
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
