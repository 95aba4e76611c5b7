//! `/api/v1/datasets/{local}/revisions`: the past of a record. Who made which revision and why, each revision under an
//! address of its own that never says anything else, and in what two of them differ.

use actix_web::http::{StatusCode, header};
use actix_web::web::{self, Data, Path, Query, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};

use super::caller::{Caller, MaybeCaller};
use super::datasets::{address, discoverable, participant};
use super::problem::Problem;
use super::{exports, get, reply};
use crate::catalogue::{Catalogue, HistoryLine};
use crate::domain::dataset::Registered;
use crate::domain::event::Role;
use crate::domain::ids::Revision;
use crate::formats::export::Place;

/// The routes of this file, for the web door.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/api/v1/datasets/{local}/revisions").route(get().to(revisions)))
        .service(web::resource("/api/v1/datasets/{local}/revisions/{revision}").route(get().to(revision)))
        .service(web::resource("/api/v1/datasets/{local}/revisions/{revision}/difference").route(get().to(difference)));
}

/// A line of the history with its address.
#[derive(Debug, Serialize)]
struct Line {
    #[serde(flatten)]
    line: HistoryLine,
    /// Whether it withdrew the dataset.
    withdrew: bool,
    href: String,
}

/// `GET …/revisions`: the history, oldest first.
async fn revisions(
    request: HttpRequest,
    caller: MaybeCaller,
    catalogue: Data<Catalogue>,
    local: Path<String>,
) -> Result<HttpResponse, Problem> {
    let record = discoverable(&catalogue, &caller, &local).await?;
    let id = &record.dataset.id;
    let lines = history(&catalogue, &record, &caller).await?.into_iter().map(|line| Line {
        withdrew: line.kind == crate::catalogue::Kind::Withdrawn,
        href: format!("{}/revisions/{}", address(id), line.revision),
        line,
    });
    reply::json(&request, StatusCode::OK, None, &serde_json::json!({ "items": lines.collect::<Vec<_>>() }))
}

/// The history of a record as a caller may see it: tokens are named to the owner's stewards alone.
pub(super) async fn history(
    catalogue: &Catalogue,
    record: &Registered,
    caller: &MaybeCaller,
) -> Result<Vec<HistoryLine>, Problem> {
    let lines = catalogue.history(record, participant(caller)).await?;
    let is_steward =
        |caller: &Caller| caller.role == Role::Steward && caller.participant.as_ref() == Some(&record.owner);
    if caller.0.as_ref().is_some_and(is_steward) {
        return Ok(lines);
    }
    Ok(lines.into_iter().map(HistoryLine::without_token).collect())
}

/// `GET …/revisions/{n}`: a revision, which never changes. Both it and what stands now must be discoverable: a record
/// that was made private took its past with it.
async fn revision(
    request: HttpRequest,
    caller: MaybeCaller,
    catalogue: Data<Catalogue>,
    place: Data<Place>,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let (local, name) = path.into_inner();
    let current = discoverable(&catalogue, &caller, &local).await?;
    let (number, form) = exports::numbered(&name)?;
    let record = catalogue.revision_for(&current, number, participant(&caller)).await?;
    let lines = catalogue.history(&current, participant(&caller)).await?;
    let mut response = exports::answer_pinned(&request, &place, &record, form).await?;
    if record.is_for_everybody() && current.is_for_everybody() {
        // It never changes; in a shared cache it would outlive the day on which it is made private.
        let kept = header::HeaderValue::from_static("private, max-age=31536000, immutable");
        response.headers_mut().insert(header::CACHE_CONTROL, kept);
    }
    let at = address(&current.dataset.id);
    for link in links(&at, number, &lines) {
        if let Ok(link) = header::HeaderValue::from_str(&link) {
            response.headers_mut().append(header::LINK, link);
        }
    }
    Ok(response)
}

/// Where a revision stands among the others (RFC 5829).
fn links(at: &str, revision: Revision, lines: &[HistoryLine]) -> Vec<String> {
    let numbers = || lines.iter().map(|line| line.revision);
    let to = |number: Revision, relation: &str| format!("<{at}/revisions/{number}>; rel=\"{relation}\"");
    let mut links =
        vec![format!("<{at}>; rel=\"latest-version\""), format!("<{at}/revisions>; rel=\"version-history\"")];
    links.extend(numbers().filter(|number| *number < revision).max().map(|number| to(number, "predecessor-version")));
    links.extend(numbers().filter(|number| *number > revision).min().map(|number| to(number, "successor-version")));
    links
}

/// From which revision a difference is told.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct From {
    from: Option<Revision>,
}

/// `GET …/revisions/{n}/difference`: in what a revision differs from the one before, or from `?from=` another.
async fn difference(
    request: HttpRequest,
    caller: MaybeCaller,
    catalogue: Data<Catalogue>,
    path: Path<(String, u32)>,
    from: Query<From>,
) -> Result<HttpResponse, Problem> {
    let (local, number) = path.into_inner();
    let current = discoverable(&catalogue, &caller, &local).await?;
    let asker = participant(&caller);
    let found = catalogue.difference(&current, from.into_inner().from, Revision(number), asker).await?;
    reply::json(&request, StatusCode::OK, None, &found)
}
