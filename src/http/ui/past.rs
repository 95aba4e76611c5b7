//! The pages about a record's past and family: its history, a revision of it, what two revisions differ in, and what it
//! was made from and used in. The lineage asks every node and so has a page of its own: a dataset's page waits for nobody.

use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Path, Query, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;

use super::layout::Section;
use super::{Frame, Pages, dataset_page, history_page, lineage_page};
use crate::catalogue::Catalogue;
use crate::domain::effective::{Intent, effective};
use crate::domain::ids::Revision;
use crate::http::caller::MaybeCaller;
use crate::http::datasets::{discoverable, participant};
use crate::http::problem::Problem;
use crate::http::session::Session;
use crate::http::{get, lineage, revisions};
use crate::search::Search;

/// The routes of these pages, for the web door.
pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/datasets/{local}/revisions").route(get().to(history)))
        .service(web::resource("/datasets/{local}/revisions/{revision}").route(get().to(revision)))
        .service(web::resource("/datasets/{local}/revisions/{revision}/difference").route(get().to(difference)))
        .service(web::resource("/datasets/{local}/lineage").route(get().to(family)));
}

/// `GET /datasets/{local}/revisions`: the history.
async fn history(
    request: HttpRequest,
    pages: Data<Pages>,
    catalogue: Data<Catalogue>,
    caller: MaybeCaller,
    session: Option<Session>,
    local: Path<String>,
) -> HttpResponse {
    let frame = Frame::new(&request, &pages, &caller, session.as_ref());
    let body = async {
        let record = discoverable(&catalogue, &caller, &local).await?;
        let lines = revisions::history(&catalogue, &record, &caller).await?;
        Ok(history_page::body(&record, &lines, &frame.readers))
    };
    frame.show(Section::Search, "History", body.await)
}

/// `GET /datasets/{local}/revisions/{n}`: a revision, with a word where it is not the latest.
async fn revision(
    request: HttpRequest,
    pages: Data<Pages>,
    catalogue: Data<Catalogue>,
    caller: MaybeCaller,
    session: Option<Session>,
    path: Path<(String, u32)>,
) -> HttpResponse {
    let frame = Frame::new(&request, &pages, &caller, session.as_ref());
    let (local, number) = path.into_inner();
    let found = async {
        let current = discoverable(&catalogue, &caller, &local).await?;
        let record = catalogue.revision_for(&current, Revision(number), participant(&caller)).await?;
        Ok::<_, Problem>((current, record))
    };
    let (current, record) = match found.await {
        Ok(found) => found,
        Err(problem) => return frame.show(Section::Search, "Revision", Err(problem)),
    };
    let view = dataset_page::View {
        record: &record,
        // A search engine is shown what stands.
        schema_org: None,
        effective: effective([&record.dataset], Intent::default()),
        missing: catalogue.assess(&current).missing.into_iter().map(|missing| missing.to_string()).collect(),
        is_owner: participant(&caller) == Some(&current.owner),
        readers: &frame.readers,
        quality: None,
        request_form: None,
        banner: Some(history_page::banner(&record, &current)),
    };
    let title = format!("{}, revision {number}", record.dataset.title.best(&frame.readers).1);
    frame.page(StatusCode::OK, Section::Search, &title, &dataset_page::body(&view))
}

#[derive(Deserialize)]
struct From {
    from: Option<Revision>,
}

/// `GET /datasets/{local}/revisions/{n}/difference`: in what a revision differs from an earlier one.
#[allow(clippy::too_many_arguments)] // the arguments are the guards
async fn difference(
    request: HttpRequest,
    pages: Data<Pages>,
    catalogue: Data<Catalogue>,
    caller: MaybeCaller,
    session: Option<Session>,
    path: Path<(String, u32)>,
    from: Query<From>,
) -> HttpResponse {
    let frame = Frame::new(&request, &pages, &caller, session.as_ref());
    let (local, number) = path.into_inner();
    let body = async {
        let current = discoverable(&catalogue, &caller, &local).await?;
        let asker = participant(&caller);
        let found = catalogue.difference(&current, from.from, Revision(number), asker).await?;
        Ok(history_page::difference(&current, &found, &frame.readers))
    };
    frame.show(Section::Search, "Difference", body.await)
}

/// `GET /datasets/{local}/lineage`: what it was made from and what was made from it.
#[allow(clippy::too_many_arguments)] // the arguments are the guards
async fn family(
    request: HttpRequest,
    pages: Data<Pages>,
    catalogue: Data<Catalogue>,
    flow: Data<Search>,
    caller: MaybeCaller,
    session: Option<Session>,
    local: Path<String>,
    far: Query<lineage::Far>,
) -> HttpResponse {
    let frame = Frame::new(&request, &pages, &caller, session.as_ref());
    let found = lineage::asked(&catalogue, &flow, &caller, &local, &far).await;
    let body = found.map(|(record, found)| lineage_page::body(&record, &found, &pages.node, &frame.readers));
    frame.show(Section::Search, "Made from, used in", body)
}
