//! `/api/v1/tokens` and `/api/v1/me`: who may speak to this door, and who the caller is.

use actix_web::http::{StatusCode, header};
use actix_web::web::{self, Data, Json, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::caller::{Administrator, Caller};
use super::problem::{Code, FieldError, Problem};
use super::{get, reply};
use crate::accounts::{Accounts, Wish};
use crate::domain::event::{Role, TokenRow};
use crate::domain::ids::{Identity, OpaqueId};

/// The routes of this file, for the web door.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/api/v1/me").route(get().to(me)))
        .service(web::resource("/api/v1/tokens").route(get().to(list)).route(web::post().to(make)))
        .service(web::resource("/api/v1/tokens/{token}").route(web::delete().to(revoke)));
}

/// `GET /api/v1/me`: who the caller is.
async fn me(request: HttpRequest, caller: Caller) -> Result<HttpResponse, Problem> {
    let body = json!({ "token": caller.token, "role": caller.role, "participant": caller.participant });
    reply::json(&request, StatusCode::OK, None, &body)
}

/// A token to be made, as it is sent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewToken {
    role: Role,
    participant: Option<String>,
    #[serde(default)]
    note: String,
    expires: Option<Timestamp>,
}

/// A token as it is shown: never its digest, so that what is shown cannot be tried out.
#[derive(Debug, Serialize)]
struct Shown {
    id: OpaqueId,
    role: Role,
    #[serde(skip_serializing_if = "Option::is_none")]
    participant: Option<Identity>,
    #[serde(skip_serializing_if = "String::is_empty")]
    note: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    made: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

impl Shown {
    fn of(token: TokenRow) -> Self {
        let TokenRow { id, role, participant, note, expires, .. } = token;
        Self { id, role, participant, note, made: None, expires, revoked: None, secret: None }
    }
}

/// `POST /api/v1/tokens`: makes a token. The answer is the only place where its secret ever stands.
async fn make(
    Administrator(caller): Administrator,
    accounts: Data<Accounts>,
    body: Json<NewToken>,
) -> Result<HttpResponse, Problem> {
    let NewToken { role, participant, note, expires } = body.into_inner();
    let participant = participant.map(|text| accounts.participant(&text)).transpose().map_err(|error| {
        let place = FieldError { pointer: "/participant".to_owned(), detail: error.to_string() };
        Problem::new(Code::Invalid, error.to_string()).with_errors(vec![place])
    })?;
    let made = accounts.make(caller.actor(), Wish { role, participant, note, expires }).await?;
    let shown = Shown { secret: Some(made.secret), ..Shown::of(made.token) };
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, format!("/api/v1/tokens/{}", shown.id)))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(shown))
}

/// `GET /api/v1/tokens`: every token that was ever made, oldest first.
async fn list(
    request: HttpRequest,
    Administrator(_): Administrator,
    accounts: Data<Accounts>,
) -> Result<HttpResponse, Problem> {
    let tokens = accounts.list().await?.into_iter();
    let items: Vec<Shown> =
        tokens.map(|kept| Shown { made: Some(kept.made), revoked: kept.revoked, ..Shown::of(kept.token) }).collect();
    reply::json(&request, StatusCode::OK, None, &json!({ "items": items }))
}

/// `DELETE /api/v1/tokens/{token}`: revokes a token, from the next request on.
async fn revoke(
    Administrator(caller): Administrator,
    accounts: Data<Accounts>,
    token: Path<OpaqueId>,
) -> Result<HttpResponse, Problem> {
    accounts.revoke(caller.actor(), &token).await?;
    Ok(HttpResponse::NoContent().finish())
}
