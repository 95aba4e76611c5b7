//! `/api/v1/harvests`: which catalogues the node reads, how their runs went, and beginning one by hand.
//!
//! For administrators, and for the stewards of the participant whose datasets a harvest brings. Another's harvest is not
//! there for them.

use actix_web::http::{StatusCode, header};
use actix_web::web::{self, Data, Json, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::{Value, json};

use super::caller::Caller;
use super::problem::{Code, Problem};
use super::{get, reply};
use crate::domain::event::Role;
use crate::domain::harvest::HarvestRun;
use crate::domain::ids::OpaqueId;
use crate::harvest::{Harvest, View, Wish};

/// How many runs a harvest is shown with.
const RUNS: usize = 20;

/// The routes of this noun.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/api/v1/harvests").route(get().to(list)))
        .service(web::resource("/api/v1/harvests/{source}").route(get().to(show)))
        .service(web::resource("/api/v1/harvests/{source}/paused").route(web::put().to(pause)))
        .service(web::resource("/api/v1/harvests/{source}/runs").route(web::post().to(begin)))
        .service(web::resource("/api/v1/harvests/{source}/runs/{run}").route(get().to(run)));
}

/// Whether a caller has to do with a harvest.
fn concerns(caller: &Caller, view: &View) -> bool {
    match caller.role {
        Role::Administrator => true,
        Role::Steward => caller.participant.as_ref() == Some(&view.source.owner),
        Role::Operator | Role::Researcher => false,
    }
}

/// The harvest of this name, if it is the caller's to see.
async fn of(caller: &Caller, harvest: &Harvest, name: &str) -> Result<View, Problem> {
    if !matches!(caller.role, Role::Administrator | Role::Steward) {
        return Err(Problem::new(Code::Forbidden, "harvests are for administrators and stewards"));
    }
    let view = harvest.view(name).await?;
    if concerns(caller, &view) { Ok(view) } else { Err(Problem::not_found("harvest")) }
}

fn shown(harvest: &Harvest, view: &View) -> Value {
    let source = &view.source;
    json!({
        "source": source.name, "kind": source.kind, "address": source.address, "owner": source.owner,
        "every_seconds": source.every.map(|every| every.as_secs()), "paused": view.paused,
        "last": view.last.as_ref().map(|run| told(harvest, run)), "last_success": view.last_success,
        "next": view.next,
    })
}

/// A run as it is told; one that is going on has a state of its own, and what it brought so far.
fn told(harvest: &Harvest, run: &HarvestRun) -> Value {
    let mut value = json!(run);
    if run.end.is_none() {
        value["state"] = json!("running");
        if let Some((counts, stage)) = harvest.so_far(&run.id) {
            value["counts"] = json!(counts);
            value["stage"] = json!(stage);
        }
    }
    value
}

/// `GET /api/v1/harvests`: those that are the caller's to see.
async fn list(request: HttpRequest, caller: Caller, harvest: Data<Harvest>) -> Result<HttpResponse, Problem> {
    let views = harvest.list().await?;
    let items: Vec<Value> =
        views.iter().filter(|view| concerns(&caller, view)).map(|view| shown(&harvest, view)).collect();
    reply::json(&request, StatusCode::OK, None, &json!({ "items": items }))
}

/// `GET /api/v1/harvests/{source}`: one, with its newest runs.
async fn show(
    request: HttpRequest,
    caller: Caller,
    harvest: Data<Harvest>,
    name: Path<String>,
) -> Result<HttpResponse, Problem> {
    let view = of(&caller, &harvest, &name).await?;
    let mut body = shown(&harvest, &view);
    let runs = harvest.history(&name, RUNS).await?;
    body["runs"] = runs.iter().map(|run| told(&harvest, run)).collect();
    reply::json(&request, StatusCode::OK, None, &body)
}

/// What a run is asked to do.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct NewRun {
    whole: bool,
    withdraw: bool,
}

/// `POST /api/v1/harvests/{source}/runs`: begins a run, which goes on by itself.
async fn begin(
    caller: Caller,
    harvest: Data<Harvest>,
    name: Path<String>,
    body: Json<NewRun>,
) -> Result<HttpResponse, Problem> {
    of(&caller, &harvest, &name).await?;
    let NewRun { whole, withdraw } = body.into_inner();
    let id = harvest.begin(caller.actor(), &name, Wish { whole, withdraw }).await?;
    Ok(HttpResponse::Accepted()
        .insert_header((header::LOCATION, format!("/api/v1/harvests/{name}/runs/{id}")))
        .json(json!({ "id": id, "source": *name, "state": "running" })))
}

/// `GET /api/v1/harvests/{source}/runs/{run}`: how a run goes or went.
async fn run(
    request: HttpRequest,
    caller: Caller,
    harvest: Data<Harvest>,
    place: Path<(String, OpaqueId)>,
) -> Result<HttpResponse, Problem> {
    let (name, id) = place.into_inner();
    of(&caller, &harvest, &name).await?;
    let run = harvest.run(&name, &id).await?;
    reply::json(&request, StatusCode::OK, None, &told(&harvest, &run))
}

/// Whether a schedule is stopped.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Paused {
    paused: bool,
}

/// `PUT /api/v1/harvests/{source}/paused`: stops the schedule, or lets it go on.
async fn pause(
    caller: Caller,
    harvest: Data<Harvest>,
    name: Path<String>,
    body: Json<Paused>,
) -> Result<HttpResponse, Problem> {
    of(&caller, &harvest, &name).await?;
    harvest.pause(caller.actor(), &name, body.paused).await?;
    Ok(HttpResponse::NoContent().finish())
}
