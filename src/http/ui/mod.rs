//! The pages: search, dataset, federation, requests, signing in. Rendered on the server, usable without scripts, by
//! keyboard and on a phone.
//!
//! The templates are functions in [maud](https://maud.lambda.xyz): markup is checked when the program is compiled, every
//! value is escaped unless somebody writes otherwise, and a piece of a page is a function like any other, so twenty
//! languages and a dozen more pages need no second language beside Rust and no files at run time. Template files that
//! are read at run time were weighed and left: a missing variable would be an error that a visitor finds.
//!
//! [`layout`] is the frame, [`parts`] the small pieces, then one file per page with one function `body` that takes what
//! it shows. This file has the routes: each extracts, calls one flow, and renders.

mod dataset_page;
mod dataset_terms;
mod federation_page;
mod help_page;
mod history_page;
mod layout;
mod lineage_page;
mod parts;
mod past;
mod quality_part;
mod requests_page;
mod search_page;
mod sign_in_page;

use actix_web::http::{StatusCode, header};
use actix_web::web::{self, Data, Form, Path, Query, ServiceConfig};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse};
use maud::{Markup, html};
use serde::Deserialize;

use self::layout::{Section, Site, Visitor};
use super::caller::{Caller, MaybeCaller, Operator, Steward};
use super::problem::{Code, Problem};
use super::session::Session;
use super::{datasets, exports, get, quality, question};
use crate::access::relay::Relay;
use crate::access::requests::{Ask, Requests, Viewer};
use crate::catalogue::Catalogue;
use crate::domain::effective::{Intent, effective};
use crate::domain::event::Role;
use crate::domain::ids::{DatasetId, Identity, Iri, LanguageTag, Seq};
use crate::domain::negotiation::Request;
use crate::domain::policy::IntendedUse;
use crate::formats::export::Place;
use crate::formats::schema_org;
use crate::quality::Language;
use crate::search::Search;

/// What the pages know of their node.
#[derive(Debug, Clone)]
pub struct Pages {
    /// The node's name, for people.
    pub name: String,
    /// The node.
    pub node: Identity,
}

/// The routes of the pages, for the web door.
pub fn routes(config: &mut ServiceConfig) {
    config
        .configure(past::routes)
        .service(web::resource("/").route(get().to(search)))
        .service(web::resource("/datasets/{local}").route(get().to(dataset)))
        .service(web::resource("/dataset").route(get().to(foreign_dataset)))
        .service(web::resource("/federation").route(get().to(federation)))
        .service(web::resource("/requests").route(get().to(requests)).route(web::post().to(ask)))
        .service(web::resource("/requests/{id}/approve").route(web::post().to(approve)))
        .service(web::resource("/requests/{id}/refuse").route(web::post().to(refuse)))
        .service(web::resource("/sign-in").route(get().to(sign_in)))
        .service(web::resource("/help/query").route(get().to(help)))
        .service(web::resource("/ui/style.css").route(get().to(style)))
        .service(web::resource("/ui/icon.svg").route(get().to(icon)));
}

/// Who looks, which every page needs.
struct Frame {
    site: Site,
    visitor: Visitor,
    readers: Vec<LanguageTag>,
}

impl Frame {
    fn new(request: &HttpRequest, pages: &Pages, caller: &MaybeCaller, session: Option<&Session>) -> Self {
        let signed_in = caller.0.as_ref().map(|caller| match &caller.participant {
            Some(participant) => format!("{} of {}", caller.role.as_str(), participant.id()),
            None => caller.role.as_str().to_owned(),
        });
        Self {
            site: Site { name: pages.name.clone(), domain: pages.node.domain().to_string() },
            visitor: Visitor { signed_in, csrf: session.map(|session| session.csrf.clone()).unwrap_or_default() },
            readers: question::accepted_languages(request.headers()),
        }
    }

    fn page(&self, status: StatusCode, section: Section, title: &str, body: &Markup) -> HttpResponse {
        HttpResponse::build(status)
            .content_type("text/html; charset=utf-8")
            .insert_header((header::VARY, "Accept-Language, Cookie"))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .body(layout::page(&self.site, &self.visitor, section, title, body).into_string())
    }

    /// The page, or what is wrong as a page: a person gets sentences, not JSON.
    fn show(&self, section: Section, title: &str, body: Result<Markup, Problem>) -> HttpResponse {
        match body {
            Ok(body) => self.page(StatusCode::OK, section, title, &body),
            Err(problem) => self.page(problem.code.status(), section, problem.code.title(), &sorry(&problem)),
        }
    }
}

fn sorry(problem: &Problem) -> Markup {
    html! {
        h1 { (problem.code.title()) }
        div .note.bad role="alert" {
            p { (parts::plain(&problem.detail)) }
            @for error in &problem.errors { p { (parts::plain(&error.pointer)) ": " (parts::plain(&error.detail)) } }
        }
        p {
            @if problem.code == Code::Unauthenticated { a href="/sign-in" { "Sign in" } " · " }
            a href="/" { "Back to the search" }
        }
    }
}

/// A refusal that was made before a page was reached, as a page for whoever looks with a browser. Nothing for a program,
/// and nothing for the addresses that are for programs.
pub(super) fn refusal(request: &HttpRequest, problem: &Problem) -> Option<HttpResponse> {
    let pages = request.app_data::<Data<Pages>>()?;
    let accept = request.headers().get(header::ACCEPT)?.to_str().ok()?;
    if !accept.contains("text/html") || request.path().starts_with("/api/") {
        return None;
    }
    let session = request.extensions().get::<Session>().cloned();
    let frame = Frame::new(request, pages, &super::caller::known(request), session.as_ref());
    Some(frame.show(Section::Other, "", Err(problem.clone())))
}

/// `GET /`: the search, with its answer where something was asked.
async fn search(
    request: HttpRequest,
    pages: Data<Pages>,
    flow: Data<Search>,
    caller: MaybeCaller,
    session: Option<Session>,
) -> HttpResponse {
    let frame = Frame::new(&request, &pages, &caller, session.as_ref());
    let typed = typed_words(request.query_string());
    let mut view = search_page::View {
        words: &typed,
        filters: &Default::default(),
        sort: "relevance",
        limit: 0,
        carried: Vec::new(),
        answer: None,
        problem: None,
        readers: &frame.readers,
        own: &pages.node,
    };
    if request.query_string().is_empty() {
        let body = search_page::body(&view);
        return frame.page(StatusCode::OK, Section::Search, "Search", &body);
    }
    let mut asked = match question::read(request.query_string(), request.headers()) {
        Ok(asked) => asked,
        Err(problem) => {
            view.problem =
                Some(search_page::sentence(&problem.detail, problem.errors.iter().map(|e| e.detail.as_str())));
            let body = search_page::body(&view);
            return frame.page(problem.code.status(), Section::Search, "Search", &body);
        }
    };
    asked.query.facets = search_page::FACETS.to_vec();
    asked.participant = caller.0.and_then(|caller| caller.participant);
    let query = asked.query.clone();
    view.carried = search_page::carried(request.query_string());
    view.filters = &query.filters;
    view.sort = search_page::sort_name(query.sort);
    view.limit = query.limit;
    match flow.search(asked, |_| ()).await {
        Ok(found) => {
            let took_ms = u64::try_from(found.took.total.as_millis()).unwrap_or(u64::MAX);
            view.answer = Some(search_page::Answer { page: &found.page, sources: &found.sources, took_ms });
            let title = if typed.is_empty() { "Search".to_owned() } else { format!("{typed} – search") };
            frame.page(StatusCode::OK, Section::Search, &title, &search_page::body(&view))
        }
        Err(error) => {
            let problem = Problem::from(error);
            view.problem = Some(problem.detail.clone());
            frame.page(problem.code.status(), Section::Search, "Search", &search_page::body(&view))
        }
    }
}

/// The words as they were typed, to be shown again even where they could not be read.
fn typed_words(query: &str) -> String {
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "q")
        .map(|(_, words)| words.chars().take(1_000).collect())
        .unwrap_or_default()
}

/// `GET /datasets/{local}`: one of this node's own datasets.
async fn dataset(
    request: HttpRequest,
    pages: Data<Pages>,
    catalogue: Data<Catalogue>,
    place: Data<Place>,
    caller: MaybeCaller,
    session: Option<Session>,
    local: Path<String>,
) -> HttpResponse {
    let frame = Frame::new(&request, &pages, &caller, session.as_ref());
    let record = match datasets::discoverable(&catalogue, &caller, &local).await {
        Ok(record) => record,
        Err(problem) => return frame.show(Section::Search, "Dataset", Err(problem)),
    };
    let missing = catalogue.assess(&record).missing.into_iter().map(|missing| missing.to_string()).collect();
    let language = Language::of(&frame.readers);
    let report = match quality::judged(&catalogue, record.clone()).await {
        Ok(report) => report.said(language),
        Err(problem) => return frame.show(Section::Search, "Dataset", Err(problem)),
    };
    let may_ask = caller.0.as_ref().is_some_and(|caller| caller.role == Role::Operator);
    let view = dataset_page::View {
        record: &record,
        schema_org: Some(schema_org::write(&record, &place).to_string()),
        effective: effective([&record.dataset], Intent::default()),
        missing,
        is_owner: datasets::participant(&caller) == Some(&record.owner),
        readers: &frame.readers,
        quality: Some(quality_part::View {
            report: &report,
            language,
            is_steward: quality::is_steward(&caller, &record),
        }),
        request_form: may_ask.then(|| requests_page::form(record.dataset.id.as_str(), &frame.visitor.csrf)),
        banner: None,
    };
    let title = record.dataset.title.best(&frame.readers).1.to_owned();
    let mut response = frame.show(Section::Search, &title, Ok(dataset_page::body(&view)));
    for link in exports::links_of_page(&place, &record) {
        exports::append(&mut response, header::LINK, &link);
    }
    response
}

#[derive(Deserialize)]
struct ById {
    id: DatasetId,
}

/// `GET /dataset?id=`: a dataset of any node, as its own node describes it now.
async fn foreign_dataset(
    request: HttpRequest,
    pages: Data<Pages>,
    flow: Data<Search>,
    caller: MaybeCaller,
    session: Option<Session>,
    wanted: Query<ById>,
) -> HttpResponse {
    let frame = Frame::new(&request, &pages, &caller, session.as_ref());
    if wanted.id.is_under(pages.node.domain()) {
        return HttpResponse::SeeOther()
            .insert_header((header::LOCATION, format!("/datasets/{}", wanted.id.local())))
            .finish();
    }
    let mut asked = crate::search::Request::default();
    asked.query.filters.ids = vec![wanted.id.to_string()];
    asked.query.limit = 1;
    let body = match flow.search(asked, |_| ()).await {
        Ok(found) => {
            let may_ask = caller.0.as_ref().is_some_and(|caller| caller.role == Role::Operator);
            let form = may_ask.then(|| requests_page::form(wanted.id.as_str(), &frame.visitor.csrf));
            // A node that answers with another record than the one asked for has not found it.
            match found.page.hits.iter().find(|ranked| ranked.hit.card.id == wanted.id) {
                Some(ranked) => Ok(search_page::card_body(ranked, &frame.readers, form)),
                None => Err(Problem::new(Code::NotFound, search_page::why_not_found(&found.sources))),
            }
        }
        Err(error) => Err(Problem::from(error)),
    };
    frame.show(Section::Search, "Dataset", body)
}

/// `GET /federation`: every node and how it stands.
async fn federation(
    request: HttpRequest,
    pages: Data<Pages>,
    flow: Data<Search>,
    caller: MaybeCaller,
    session: Option<Session>,
) -> HttpResponse {
    let frame = Frame::new(&request, &pages, &caller, session.as_ref());
    let body = federation_page::body(&flow.federation(), &frame.readers);
    frame.show(Section::Federation, "Federation", Ok(body))
}

/// `GET /requests`: what an operator asked for, or what a steward has to decide.
async fn requests(
    request: HttpRequest,
    pages: Data<Pages>,
    flow: Data<Requests>,
    caller: MaybeCaller,
    session: Option<Session>,
) -> HttpResponse {
    let frame = Frame::new(&request, &pages, &caller, session.as_ref());
    let Some(known) = &caller.0 else { return to("/sign-in") };
    let body = listed(&flow, known).await.map(|found| {
        requests_page::body(&requests_page::View {
            requests: &found,
            decides: known.role == Role::Steward,
            csrf: &frame.visitor.csrf,
            readers: &frame.readers,
        })
    });
    frame.show(Section::Requests, "Requests", body)
}

/// What waits for a decision first, then the rest, each latest first.
async fn listed(flow: &Requests, caller: &Caller) -> Result<Vec<Request>, Problem> {
    const MOST: usize = 100;
    let viewer = viewer(caller)?;
    let mut found = Vec::new();
    for state in ["pending", "undelivered", "agreed", "refused", "cancelled"] {
        let some = flow.list(&viewer, Some(state.to_owned()), Seq::default(), MOST).await?;
        found.extend(some.into_iter().rev().map(|(_, request)| request));
    }
    Ok(found)
}

fn viewer(caller: &Caller) -> Result<Viewer, Problem> {
    match (&caller.role, &caller.participant) {
        (Role::Steward, Some(owner)) => Ok(Viewer::Owner(owner.clone())),
        (Role::Operator, Some(holder)) => Ok(Viewer::Holder(holder.clone())),
        _ => Err(Problem::new(Code::Forbidden, "requests are for stewards and operators; sign in as one of them")),
    }
}

#[derive(Deserialize)]
struct AskForm {
    dataset: DatasetId,
    purpose: Iri,
    #[serde(default)]
    statement: String,
}

/// `POST /requests`: an operator asks for a dataset.
async fn ask(
    request: HttpRequest,
    pages: Data<Pages>,
    operator: Operator,
    session: Option<Session>,
    form: Form<AskForm>,
    flow: Data<Requests>,
    relay: Data<Relay>,
) -> HttpResponse {
    let frame = Frame::new(&request, &pages, &MaybeCaller(Some(operator.caller.clone())), session.as_ref());
    let AskForm { dataset, purpose, statement } = form.into_inner();
    let statement = Some(statement.trim().to_owned()).filter(|words| !words.is_empty());
    let intended = IntendedUse { action: "use".to_owned(), purposes: vec![purpose], statement };
    let asked = async {
        let made =
            flow.ask(operator.caller.actor(), &operator.holder, Ask { dataset, revision: None, intended }).await?;
        relay.deliver(made).await
    };
    match asked.await {
        Ok(_) => to("/requests"),
        Err(error) => frame.show(Section::Requests, "Request", Err(Problem::from(error))),
    }
}

/// `POST /requests/{id}/approve`.
async fn approve(
    request: HttpRequest,
    pages: Data<Pages>,
    steward: Steward,
    session: Option<Session>,
    id: Path<String>,
    relay: Data<Relay>,
) -> HttpResponse {
    let frame = Frame::new(&request, &pages, &MaybeCaller(Some(steward.caller.clone())), session.as_ref());
    let Ok(id) = id.parse() else { return frame.show(Section::Requests, "Request", Err(no_such_request())) };
    match relay.approve(steward.caller.actor(), &steward.owner, &id).await {
        Ok(_) => to("/requests"),
        Err(error) => frame.show(Section::Requests, "Request", Err(Problem::from(error))),
    }
}

#[derive(Deserialize)]
struct RefuseForm {
    reason: String,
}

/// `POST /requests/{id}/refuse`.
#[allow(clippy::too_many_arguments)] // the arguments are the guards
async fn refuse(
    request: HttpRequest,
    pages: Data<Pages>,
    steward: Steward,
    session: Option<Session>,
    id: Path<String>,
    form: Form<RefuseForm>,
    flow: Data<Requests>,
    relay: Data<Relay>,
) -> HttpResponse {
    let frame = Frame::new(&request, &pages, &MaybeCaller(Some(steward.caller.clone())), session.as_ref());
    let Ok(id) = id.parse() else { return frame.show(Section::Requests, "Request", Err(no_such_request())) };
    match flow.refuse(steward.caller.actor(), &steward.owner, &id, &form.reason).await {
        Ok(_) => {
            relay.tell(&id);
            to("/requests")
        }
        Err(error) => frame.show(Section::Requests, "Request", Err(Problem::from(error))),
    }
}

fn no_such_request() -> Problem {
    Problem::new(Code::NotFound, "there is no such request; the list has those that concern you")
}

/// `GET /sign-in`.
async fn sign_in(
    request: HttpRequest,
    pages: Data<Pages>,
    caller: MaybeCaller,
    session: Option<Session>,
) -> HttpResponse {
    let frame = Frame::new(&request, &pages, &caller, session.as_ref());
    frame.show(Section::Other, "Sign in", Ok(sign_in_page::body(&frame.visitor.csrf)))
}

/// `GET /help/query`: the query language.
async fn help(request: HttpRequest, pages: Data<Pages>, caller: MaybeCaller, session: Option<Session>) -> HttpResponse {
    let frame = Frame::new(&request, &pages, &caller, session.as_ref());
    frame.show(Section::Other, "How to ask", Ok(help_page::body()))
}

fn to(place: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((header::LOCATION, place)).finish()
}

async fn style() -> HttpResponse {
    asset("text/css; charset=utf-8", include_str!("style.css"))
}

async fn icon() -> HttpResponse {
    asset("image/svg+xml", include_str!("icon.svg"))
}

fn asset(kind: &'static str, body: &'static str) -> HttpResponse {
    HttpResponse::Ok().content_type(kind).insert_header((header::CACHE_CONTROL, "public, max-age=3600")).body(body)
}
