//! `GET /api/v1/datasets/{local}/lineage`: what a dataset was made from and what was made from it, asked of the whole
//! federation, with every node's part in the answer.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{self, Data, Path, Query, ServiceConfig};
use serde::Deserialize;

use super::caller::MaybeCaller;
use super::datasets::{discoverable, participant};
use super::get;
use super::problem::{Code, FieldError, Problem};
use crate::catalogue::Catalogue;
use crate::domain::dataset::Registered;
use crate::search::Search;
use crate::search::lineage::{Lineage, MOST_STEPS};

/// The routes of this file, for the web door.
pub fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/api/v1/datasets/{local}/lineage").route(get().to(lineage)));
}

/// How far the question goes.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Far {
    /// Steps either way.
    depth: Option<usize>,
}

async fn lineage(
    caller: MaybeCaller,
    catalogue: Data<Catalogue>,
    flow: Data<Search>,
    local: Path<String>,
    far: Query<Far>,
) -> Result<HttpResponse, Problem> {
    let (_, found) = asked(&catalogue, &flow, &caller, &local, &far).await?;
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(found))
}

/// The record of an address and its lineage, as the caller may know of them.
pub(super) async fn asked(
    catalogue: &Catalogue,
    flow: &Search,
    caller: &MaybeCaller,
    local: &str,
    far: &Far,
) -> Result<(Registered, Lineage), Problem> {
    let depth = far.depth.unwrap_or(1);
    if !(1..=MOST_STEPS).contains(&depth) {
        let detail = format!("{depth} is refused: from 1 to {MOST_STEPS} steps; go on from a dataset further away");
        let errors = vec![FieldError { pointer: "depth".to_owned(), detail }];
        return Err(Problem::new(Code::BadParameter, "depth is out of bounds").with_errors(errors));
    }
    let record = discoverable(catalogue, caller, local).await?;
    let found = flow.lineage(&record, depth, participant(caller)).await?;
    Ok((record, found))
}
