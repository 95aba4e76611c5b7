//! Requests, agreements and receipts: for people on the web door, and between nodes on the federation door.

use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Json, Path, Query, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};

use super::caller::{Caller, Certified, Operator, Steward};
use super::problem::{Code, FieldError, Problem};
use super::reply;
use super::seal::Sealer;
use crate::access::AccessError;
use crate::access::relay::Relay;
use crate::access::requests::{Ask, Requests, Viewer};
use crate::domain::agreement::Receipt;
use crate::domain::event::{Actor, Role};
use crate::domain::ids::{DatasetId, Identity, Iri, OpaqueId, Revision, Seq};
use crate::domain::negotiation::{Progress, Request};
use crate::domain::policy::IntendedUse;
use crate::peers::trust::Standing;

/// The routes on the web door.
pub fn web(config: &mut ServiceConfig) {
    config
        .service(web::resource("/api/v1/requests").route(super::get().to(requests)).route(web::post().to(ask)))
        .service(web::resource("/api/v1/requests/{id}").route(super::get().to(request)))
        .service(web::resource("/api/v1/requests/{id}/approve").route(web::post().to(approve)))
        .service(web::resource("/api/v1/requests/{id}/refuse").route(web::post().to(refuse)))
        .service(web::resource("/api/v1/requests/{id}/cancel").route(web::post().to(cancel)))
        .service(web::resource("/api/v1/agreements").route(super::get().to(agreements)))
        .service(web::resource("/api/v1/agreements/{id}").route(super::get().to(agreement)))
        .service(web::resource("/api/v1/agreements/{id}/end").route(web::post().to(end)))
        .service(web::resource("/api/v1/agreements/{id}/receipts").route(super::get().to(receipts)))
        .service(web::resource("/api/v1/receipts").route(web::post().to(keep_receipt)));
}

/// The routes on the federation door.
pub fn federation(config: &mut ServiceConfig) {
    config
        .service(web::resource("/federation/v1/requests").route(web::post().to(receive)))
        .service(web::resource("/federation/v1/requests/{id}").route(super::get().to(progress)))
        .service(web::resource("/federation/v1/requests/{id}/cancel").route(web::post().to(cancel_forwarded)))
        .service(web::resource("/federation/v1/progress").route(web::post().to(hear)));
}

/// What an operator asks for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AskBody {
    /// The dataset.
    dataset: DatasetId,
    /// The revision that was seen.
    #[serde(default)]
    revision: Option<Revision>,
    /// The ODRL action; `use` where nothing is said.
    #[serde(default)]
    action: Option<String>,
    /// DPV purpose IRIs, at least one.
    purposes: Vec<Iri>,
    /// In the operator's own words, for the steward.
    #[serde(default)]
    statement: Option<String>,
}

/// Why a steward refuses or ends something.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReasonBody {
    reason: String,
}

/// Which part of a list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    /// Requests in this state only.
    state: Option<String>,
    /// How many.
    limit: Option<usize>,
    /// Where the page before ended.
    cursor: Option<String>,
}

/// A page of a list.
#[derive(Debug, Serialize)]
struct Listed<T> {
    items: Vec<T>,
    /// The cursor of the next page, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

async fn ask(
    head: HttpRequest,
    operator: Operator,
    body: Json<AskBody>,
    requests: Data<Requests>,
    relay: Data<Relay>,
) -> Result<HttpResponse, Problem> {
    let AskBody { dataset, revision, action, purposes, statement } = body.into_inner();
    let action = action.unwrap_or_else(|| "use".to_owned());
    let ask = Ask { dataset, revision, intended: IntendedUse { action, purposes, statement } };
    let request = requests.ask(operator.caller.actor(), &operator.holder, ask).await?;
    let request = relay.deliver(request).await?;
    let mut response = reply::json(&head, StatusCode::CREATED, None, &request)?;
    insert(&mut response, Some((header::LOCATION, format!("/api/v1/requests/{}", request.id))));
    Ok(response)
}

async fn requests(
    head: HttpRequest,
    caller: Caller,
    page: Query<Page>,
    requests: Data<Requests>,
    sealer: Data<Sealer>,
) -> Result<HttpResponse, Problem> {
    const STATES: [&str; 5] = ["undelivered", "pending", "refused", "agreed", "cancelled"];
    if page.state.as_deref().is_some_and(|state| !STATES.contains(&state)) {
        return Err(parameter("state", format!("one of {}", STATES.join(", "))));
    }
    let (after, limit) = part(&page, "requests", &sealer)?;
    let found = requests.list(&viewer(&caller)?, page.state.clone(), after, limit + 1).await?;
    listed(&head, "requests", found, limit, &sealer)
}

async fn request(
    head: HttpRequest,
    caller: Caller,
    id: Path<String>,
    requests: Data<Requests>,
) -> Result<HttpResponse, Problem> {
    let request = requests.show(&viewer(&caller)?, &read_id(&id, "request")?).await?;
    reply::json(&head, StatusCode::OK, None, &request)
}

async fn approve(
    head: HttpRequest,
    steward: Steward,
    id: Path<String>,
    relay: Data<Relay>,
) -> Result<HttpResponse, Problem> {
    let id = read_id(&id, "request")?;
    let agreement = relay.approve(steward.caller.actor(), &steward.owner, &id).await?;
    let mut response = reply::json(&head, StatusCode::OK, None, &agreement)?;
    insert(&mut response, Some((header::CONTENT_LOCATION, format!("/api/v1/agreements/{}", agreement.id))));
    Ok(response)
}

async fn refuse(
    head: HttpRequest,
    steward: Steward,
    id: Path<String>,
    body: Json<ReasonBody>,
    requests: Data<Requests>,
    relay: Data<Relay>,
) -> Result<HttpResponse, Problem> {
    let id = read_id(&id, "request")?;
    let request = requests.refuse(steward.caller.actor(), &steward.owner, &id, &body.reason).await?;
    relay.tell(&id);
    reply::json(&head, StatusCode::OK, None, &request)
}

async fn cancel(
    head: HttpRequest,
    operator: Operator,
    id: Path<String>,
    relay: Data<Relay>,
) -> Result<HttpResponse, Problem> {
    let viewer = Viewer::Holder(operator.holder.clone());
    let request = relay.cancel(operator.caller.actor(), &viewer, &read_id(&id, "request")?).await?;
    reply::json(&head, StatusCode::OK, None, &request)
}

async fn agreements(
    head: HttpRequest,
    caller: Caller,
    page: Query<Page>,
    requests: Data<Requests>,
    sealer: Data<Sealer>,
) -> Result<HttpResponse, Problem> {
    if page.state.is_some() {
        return Err(parameter("state", "agreements have no states; leave it out".to_owned()));
    }
    let (after, limit) = part(&page, "agreements", &sealer)?;
    let found = requests.agreements(&viewer(&caller)?, after, limit + 1).await?;
    listed(&head, "agreements", found, limit, &sealer)
}

async fn agreement(
    head: HttpRequest,
    caller: Caller,
    id: Path<String>,
    requests: Data<Requests>,
) -> Result<HttpResponse, Problem> {
    let agreement = requests.agreement(&viewer(&caller)?, &read_id(&id, "agreement")?).await?;
    reply::json(&head, StatusCode::OK, None, &agreement)
}

async fn end(
    head: HttpRequest,
    steward: Steward,
    id: Path<String>,
    body: Json<ReasonBody>,
    requests: Data<Requests>,
    relay: Data<Relay>,
) -> Result<HttpResponse, Problem> {
    let id = read_id(&id, "agreement")?;
    let agreement = requests.end(steward.caller.actor(), &steward.owner, &id, &body.reason).await?;
    relay.tell(&agreement.request);
    reply::json(&head, StatusCode::OK, None, &agreement)
}

async fn receipts(
    head: HttpRequest,
    caller: Caller,
    id: Path<String>,
    requests: Data<Requests>,
) -> Result<HttpResponse, Problem> {
    let found = requests.receipts(&viewer(&caller)?, &read_id(&id, "agreement")?).await?;
    let items = found.into_iter().map(|(_, receipt)| receipt).collect();
    reply::json(&head, StatusCode::OK, None, &Listed::<Receipt> { items, next_cursor: None })
}

async fn keep_receipt(
    head: HttpRequest,
    operator: Operator,
    body: Json<Receipt>,
    requests: Data<Requests>,
) -> Result<HttpResponse, Problem> {
    let receipt = body.into_inner();
    requests.keep_receipt(operator.caller.actor(), &operator.holder, receipt.clone()).await?;
    reply::json(&head, StatusCode::CREATED, None, &receipt)
}

async fn receive(certified: Certified, body: Json<Request>, relay: Data<Relay>) -> Result<Json<Progress>, Problem> {
    let peer = trusted(&certified)?;
    Ok(Json(relay.receive(peer, body.into_inner()).await?))
}

async fn progress(certified: Certified, id: Path<String>, requests: Data<Requests>) -> Result<Json<Progress>, Problem> {
    let peer = trusted(&certified)?;
    Ok(Json(requests.progress_for(peer, &read_id(&id, "request")?).await?))
}

async fn cancel_forwarded(
    certified: Certified,
    id: Path<String>,
    requests: Data<Requests>,
) -> Result<Json<Progress>, Problem> {
    let peer = trusted(&certified)?;
    let id = read_id(&id, "request")?;
    let actor = Actor::Certificate { identity: peer.clone() };
    match requests.cancel(actor, &Viewer::Home(peer.clone()), &id).await {
        // It is decided by now: how it was decided is the answer.
        Ok(_) | Err(AccessError::WrongState(_)) => Ok(Json(requests.progress_for(peer, &id).await?)),
        Err(error) => Err(error.into()),
    }
}

async fn hear(certified: Certified, body: Json<Progress>, relay: Data<Relay>) -> Result<HttpResponse, Problem> {
    relay.hear(trusted(&certified)?, body.into_inner()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The peer, if it is a node that is trusted for more than search.
fn trusted(certified: &Certified) -> Result<&Identity, Problem> {
    let peer = certified.node()?;
    match certified.standing {
        Standing::Valid => Ok(peer),
        Standing::StaleTrust => Err(AccessError::StaleTrust(peer.clone()).into()),
    }
}

/// Through whose eyes a caller looks.
fn viewer(caller: &Caller) -> Result<Viewer, Problem> {
    match (caller.role, &caller.participant) {
        (Role::Administrator, _) => Ok(Viewer::Administrator),
        (Role::Steward, Some(owner)) => Ok(Viewer::Owner(owner.clone())),
        (Role::Operator, Some(holder)) => Ok(Viewer::Holder(holder.clone())),
        _ => Err(Problem::new(Code::Forbidden, "this needs a token of a steward, an operator or an administrator")),
    }
}

/// An id in a path. One that cannot be an id is the id of nothing.
fn read_id(text: &str, kind: &str) -> Result<OpaqueId, Problem> {
    text.parse().map_err(|_| Problem::not_found(kind))
}

fn parameter(name: &str, detail: String) -> Problem {
    let errors = vec![FieldError { pointer: name.to_owned(), detail: detail.clone() }];
    Problem::new(Code::BadParameter, format!("{name}: {detail}")).with_errors(errors)
}

/// After which position a page begins, and how long it is.
fn part(page: &Page, list: &str, sealer: &Sealer) -> Result<(Seq, usize), Problem> {
    let limit = reply::page(page.limit)?;
    let after = page.cursor.as_deref().map(|cursor| sealer.open_cursor(list, cursor)).transpose()?;
    Ok((after.unwrap_or(Seq(0)), limit))
}

/// A page with the way to the next one; `found` has one thing more than the page where there is a next one.
fn listed<T: Serialize>(
    request: &HttpRequest,
    list: &str,
    mut found: Vec<(Seq, T)>,
    limit: usize,
    sealer: &Sealer,
) -> Result<HttpResponse, Problem> {
    let is_more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().map(|(seq, _)| *seq).filter(|_| is_more);
    let next_cursor = last.map(|seq| sealer.seal(list, &seq)).transpose()?;
    let link = next_cursor.as_deref().map(|cursor| reply::next_link(request, cursor));
    let items = found.into_iter().map(|(_, item)| item).collect();
    let mut response = reply::json(request, StatusCode::OK, None, &Listed { items, next_cursor })?;
    insert(&mut response, link);
    Ok(response)
}

fn insert(response: &mut HttpResponse, header: Option<(header::HeaderName, String)>) {
    if let Some((name, value)) = header
        && let Ok(value) = header::HeaderValue::from_str(&value)
    {
        response.headers_mut().insert(name, value);
    }
}
