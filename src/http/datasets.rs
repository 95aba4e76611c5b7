//! `/api/v1/datasets`: register, read, list, revise, publish, withdraw. The door to imitate: each handler names in its arguments
//! who may call it, reads what was sent, calls one flow, and renders.
//!
//! A record that the caller may not know of is answered as if it were not there. A withdrawn one is still shown, with
//! the reason, because whoever uses it must learn of it; it can no longer be changed.

use actix_web::http::{StatusCode, header};
use actix_web::web::{self, Bytes, Data, Path, Query, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};

use super::caller::{MaybeCaller, Steward};
use super::problem::{Code, Problem};
use super::seal::Sealer;
use super::{exports, get, reply};
use crate::catalogue::{Catalogue, DatasetFilter, Outcome};
use crate::domain::answer::Card;
use crate::domain::dataset::{Registered, Visibility, Withdrawn};
use crate::domain::ids::{Country, DatasetId, Digest, Identity, Iri, Seq};
use crate::domain::lifecycle::State;
use crate::formats::export::Place;
use crate::schema;

/// The routes of this file, for the web door.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/api/v1/datasets").route(get().to(list)).route(web::post().to(register)))
        .service(
            web::resource("/api/v1/datasets/{local}")
                .route(get().to(show))
                .route(web::put().to(revise))
                .route(web::delete().to(withdraw)),
        )
        .service(web::resource("/api/v1/datasets/{local}/state").route(web::post().to(go_on)))
        .service(web::resource("/api/v1/datasets/{local}/offerable").route(get().to(offerable)));
}

/// What is said of a change beside the document itself, which is the whole body.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Remarks {
    /// The state in which a life begins.
    state: State,
    /// Why the change is made.
    reason: Option<String>,
}

/// `POST`: registers a dataset, published or with `?state=draft` as a draft. Id and country may be left out.
async fn register(
    request: HttpRequest,
    steward: Steward,
    catalogue: Data<Catalogue>,
    remarks: Query<Remarks>,
    body: Bytes,
) -> Result<HttpResponse, Problem> {
    reply::document(&request, &body)?;
    let dataset = schema::parse_draft(&body, &catalogue.defaults())?;
    let Remarks { state, reason } = remarks.into_inner();
    let record = catalogue.register_as(steward.caller.actor(), &steward.owner, dataset, state, reason).await?;
    let mut response = reply::json(&request, StatusCode::CREATED, Some(record.etag()), &record)?;
    if let Ok(location) = header::HeaderValue::from_str(&address(&record.dataset.id)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// `GET` one: the record as it stands, in the form of the suffix or of `Accept`.
async fn show(
    request: HttpRequest,
    caller: MaybeCaller,
    catalogue: Data<Catalogue>,
    place: Data<Place>,
    local: Path<String>,
) -> Result<HttpResponse, Problem> {
    let (record, form) = exports::addressed(&catalogue, &caller, &local).await?;
    exports::answer(&request, &place, &record, form).await
}

/// The reason of a revision.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Because {
    reason: Option<String>,
}

/// `PUT`: gives a dataset a further revision, with `?reason=` saying why.
async fn revise(
    request: HttpRequest,
    steward: Steward,
    catalogue: Data<Catalogue>,
    local: Path<String>,
    because: Query<Because>,
    body: Bytes,
) -> Result<HttpResponse, Problem> {
    let id = id_of(&catalogue, &local)?;
    let if_match = reply::if_match(&request)?;
    reply::document(&request, &body)?;
    let defaults = schema::Defaults { id: id.clone(), ..catalogue.defaults() };
    let dataset = schema::parse_draft(&body, &defaults)?;
    let reason = because.into_inner().reason;
    let (actor, owner) = (steward.caller.actor(), &steward.owner);
    let outcome: Outcome = catalogue.revise_because(actor, owner, &id, &if_match, dataset, reason).await?;
    let record = outcome.into_record();
    reply::json(&request, StatusCode::OK, Some(record.etag()), &record)
}

/// Where a record is to go in its life.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    state: State,
    reason: Option<String>,
}

/// `POST …/state`: takes a record on in its life, as a revision of its own.
async fn go_on(
    request: HttpRequest,
    steward: Steward,
    catalogue: Data<Catalogue>,
    local: Path<String>,
    body: Bytes,
) -> Result<HttpResponse, Problem> {
    let id = id_of(&catalogue, &local)?;
    let if_match = reply::if_match(&request)?;
    reply::document(&request, &body)?;
    let Step { state, reason } = serde_json::from_slice(&body)
        .map_err(|error| Problem::new(Code::Invalid, format!("send {{\"state\": …, \"reason\": …}}: {error}")))?;
    let (actor, owner) = (steward.caller.actor(), &steward.owner);
    let record = catalogue.move_to(actor, owner, &id, &if_match, state, reason).await?.into_record();
    reply::json(&request, StatusCode::OK, Some(record.etag()), &record)
}

/// `DELETE`: withdraws a dataset, with the reason that its holders are told. The record stays and says so.
async fn withdraw(
    request: HttpRequest,
    steward: Steward,
    catalogue: Data<Catalogue>,
    local: Path<String>,
    body: Bytes,
) -> Result<HttpResponse, Problem> {
    let id = id_of(&catalogue, &local)?;
    let if_match = reply::if_match(&request)?;
    reply::document(&request, &body)?;
    let Withdrawn { reason, successor } = serde_json::from_slice(&body)
        .map_err(|error| Problem::new(Code::Invalid, format!("send {{\"reason\": …, \"successor\": …}}: {error}")))?;
    let record = catalogue.withdraw(steward.caller.actor(), &steward.owner, &id, &if_match, &reason, successor).await?;
    reply::json(&request, StatusCode::OK, Some(record.etag()), &record)
}

/// What a list is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    owner: Option<Identity>,
    country: Option<Country>,
    visibility: Option<Visibility>,
    state: Option<State>,
    source: Option<String>,
    identifier: Option<Iri>,
    #[serde(default)]
    withdrawn: bool,
    limit: Option<usize>,
    cursor: Option<String>,
}

/// A record in a list.
#[derive(Debug, Serialize)]
struct Line {
    #[serde(flatten)]
    card: Card,
    owner: Identity,
    visibility: Visibility,
    seq: Seq,
    #[serde(skip_serializing_if = "State::is_published")]
    state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    withdrawn: Option<Withdrawn>,
}

#[derive(Debug, Serialize)]
struct ListPage {
    items: Vec<Line>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// `GET` many: those that the caller may know of, in the order of their ids.
async fn list(
    request: HttpRequest,
    caller: MaybeCaller,
    catalogue: Data<Catalogue>,
    sealer: Data<Sealer>,
    query: Query<ListQuery>,
) -> Result<HttpResponse, Problem> {
    let query = query.into_inner();
    let limit = reply::page(query.limit)?;
    let participant = caller.0.and_then(|caller| caller.participant);
    let filter = DatasetFilter {
        owner: query.owner,
        country: query.country,
        // Whoever acts for nobody sees what is for everybody; what is private is then an empty list.
        visibility: match (&participant, query.visibility) {
            (None, None) => Some(Visibility::Federation),
            (None, Some(Visibility::Private)) => return page_of(&request, Vec::new(), None),
            (_, visibility) => visibility,
        },
        discoverable_by: participant,
        state: query.state,
        source: query.source,
        identifier: query.identifier,
        withdrawn: query.withdrawn,
    };
    // A cursor belongs to its question and its asker.
    let list = format!("datasets {}", Digest::of(format!("{filter:?}").as_bytes()));
    let after = query.cursor.map(|cursor| sealer.open_cursor::<DatasetId>(&list, &cursor)).transpose()?;
    let mut records = catalogue.list(&filter, after.as_ref(), limit + 1).await?;
    let more = records.len() > limit;
    records.truncate(limit);
    let last = records.last().filter(|_| more).map(|record| record.dataset.id.clone());
    let cursor = last.map(|last| sealer.seal(&list, &last)).transpose()?;
    let lines = records.into_iter().map(|record| Line {
        card: Card::of(&record, catalogue.assess(&record).offerable),
        owner: record.owner,
        visibility: record.dataset.visibility,
        seq: record.seq,
        state: record.state,
        withdrawn: record.withdrawn,
    });
    page_of(&request, lines.collect(), cursor)
}

fn page_of(request: &HttpRequest, items: Vec<Line>, next_cursor: Option<String>) -> Result<HttpResponse, Problem> {
    let link = next_cursor.as_deref().map(|cursor| reply::next_link(request, cursor));
    let mut response = reply::json(request, StatusCode::OK, None, &ListPage { items, next_cursor })?;
    if let Some((name, link)) = link
        && let Ok(link) = header::HeaderValue::from_str(&link)
    {
        response.headers_mut().insert(name, link);
    }
    Ok(response)
}

/// `GET …/offerable`: what is missing before it may be offered, and what is doubtful.
async fn offerable(
    request: HttpRequest,
    caller: MaybeCaller,
    catalogue: Data<Catalogue>,
    local: Path<String>,
) -> Result<HttpResponse, Problem> {
    let record = discoverable(&catalogue, &caller, &local).await?;
    reply::json(&request, StatusCode::OK, None, &catalogue.assess(&record))
}

/// The record of an address as the caller may see it, if at all. Its entity tag is that of what is seen.
pub(super) async fn discoverable(
    catalogue: &Catalogue,
    caller: &MaybeCaller,
    local: &str,
) -> Result<Registered, Problem> {
    let record = catalogue.record(&id_of(catalogue, local)?).await?;
    let asker = participant(caller);
    if record.is_discoverable_by(asker) { Ok(record.as_seen_by(asker)) } else { Err(Problem::not_found("dataset")) }
}

pub(super) fn participant(caller: &MaybeCaller) -> Option<&Identity> {
    caller.0.as_ref()?.participant.as_ref()
}

fn id_of(catalogue: &Catalogue, local: &str) -> Result<DatasetId, Problem> {
    catalogue.addressed(local).map_err(|_| Problem::not_found("dataset"))
}

/// Where the web door shows a dataset.
pub(super) fn address(id: &DatasetId) -> String {
    format!("/api/v1/datasets/{}", id.local())
}
