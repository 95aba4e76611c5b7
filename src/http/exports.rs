//! A record in the form that its reader wants, and the whole catalogue page by page.
//!
//! A form is asked for by a suffix of the address, which wins, or by `Accept`. Each form is a representation with an
//! entity tag of its own; `Link` names the others. What may be exported is what may be read: the doors that call
//! [`answer`] have asked first whether the caller may know of the record. The catalogue has what every member may
//! discover, and nothing else, whoever asks.

use actix_web::http::{StatusCode, header};
use actix_web::web::{self, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use url::Url;

use super::caller::MaybeCaller;
use super::problem::{Code, Problem};
use super::seal::Sealer;
use super::{datasets, get, reply};
use crate::catalogue::{Catalogue, DatasetFilter};
use crate::domain::dataset::{Registered, Visibility};
use crate::domain::ids::{DatasetId, Digest, Revision};
use crate::formats::dcat;
use crate::formats::export::{self, Form, Offer, Place, Profile};

/// The routes of this file, for the web door.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/api/v1/catalogue").route(get().to(catalogue)))
        .service(web::resource("/api/v1/catalogue.{suffix}").route(get().to(catalogue_as)))
        .service(web::resource("/dataset/{local}").route(get().to(thing)));
}

/// A record as it stands, in the form of the suffix, or else in the one that `Accept` wants most.
pub(super) async fn answer(
    request: &HttpRequest,
    place: &Data<Place>,
    record: &Registered,
    suffix: Option<Form>,
) -> Result<HttpResponse, Problem> {
    represent(request, place, record, suffix, &|form| place.document(&record.dataset.id, form)).await
}

/// A pinned revision, in the same way; its other forms are pinned too.
pub(super) async fn answer_pinned(
    request: &HttpRequest,
    place: &Data<Place>,
    record: &Registered,
    suffix: Option<Form>,
) -> Result<HttpResponse, Problem> {
    let at = |form| place.revision(&record.dataset.id, record.revision, form);
    represent(request, place, record, suffix, &at).await
}

async fn represent(
    request: &HttpRequest,
    place: &Data<Place>,
    record: &Registered,
    suffix: Option<Form>,
    at: &dyn Fn(Form) -> Url,
) -> Result<HttpResponse, Problem> {
    let form = suffix.map_or_else(|| wanted(request, &Form::ALL), Ok)?;
    let profile = profile(request)?;
    if profile == Profile::Health && !Form::RDF.contains(&form) {
        return Err(Problem::new(
            Code::BadParameter,
            format!("profile=health is a profile of DCAT-AP: ask for {}", names(&Form::RDF)),
        ));
    }
    let mut response = if form == Form::Json {
        reply::json(request, StatusCode::OK, Some(record.etag()), record)?
    } else {
        let (record, place) = (record.clone(), place.clone());
        let rendering = web::block(move || {
            let bytes = export::render(&record, &place, form, profile)?;
            Ok::<_, std::io::Error>((Digest::of(&bytes), bytes))
        });
        let rendered = rendering.await.map_err(|error| Problem::internal(&error))?;
        let (tag, bytes) = rendered.map_err(|error| Problem::internal(&error))?;
        reply::bytes(request, form.media_type(), &tag, bytes)
    };
    vary(&mut response);
    for link in links(place, record, form, at) {
        append(&mut response, header::LINK, &link);
    }
    Ok(response)
}

/// The record of an address whose last part may say a form: `birds.ttl` is the dataset `birds` as Turtle, unless there is
/// a dataset of that whole name.
pub(super) async fn addressed(
    catalogue: &Catalogue,
    caller: &MaybeCaller,
    name: &str,
) -> Result<(Registered, Option<Form>), Problem> {
    match (datasets::discoverable(catalogue, caller, name).await, Form::of_name(name)) {
        (Err(problem), Some((local, form))) if problem.code == Code::NotFound => {
            Ok((datasets::discoverable(catalogue, caller, local).await?, Some(form)))
        }
        (found, _) => Ok((found?, None)),
    }
}

/// The number of a revision in an address, and the form behind it: `3`, `3.ttl`.
pub(super) fn numbered(name: &str) -> Result<(Revision, Option<Form>), Problem> {
    let (number, form) = match Form::of_name(name) {
        Some((number, form)) => (number, Some(form)),
        None => (name, None),
    };
    let number = number.parse().map_err(|_| Problem::not_found("revision"))?;
    Ok((Revision(number), form))
}

/// The form that a caller wants most of those that are made.
fn wanted(request: &HttpRequest, offered: &[Form]) -> Result<Form, Problem> {
    export::negotiate(&accept(request), offered).ok_or_else(|| none_of(offered))
}

/// Every `Accept` header as one.
fn accept(request: &HttpRequest) -> String {
    let lines = request.headers().get_all(header::ACCEPT).filter_map(|value| value.to_str().ok());
    lines.collect::<Vec<_>>().join(",")
}

fn none_of(offered: &[Form]) -> Problem {
    Problem::new(Code::NotAcceptable, format!("nothing that Accept names is made here; there is {}", names(offered)))
}

fn names(forms: &[Form]) -> String {
    let each = forms.iter().map(|form| format!("{} (.{})", form.media_type(), form.suffix()));
    each.collect::<Vec<_>>().join(", ")
}

fn profile(request: &HttpRequest) -> Result<Profile, Problem> {
    let asked = url::form_urlencoded::parse(request.query_string().as_bytes()).find(|(name, _)| name == "profile");
    match asked.as_ref().map(|(_, value)| value.as_ref()) {
        None | Some("general") => Ok(Profile::General),
        Some("health") => Ok(Profile::Health),
        Some(other) => {
            let shown: String = other.chars().take(40).collect();
            Err(Problem::new(Code::BadParameter, format!("profile={shown} is not known: general or health")))
        }
    }
}

/// The same record elsewhere: in other forms, as the thing that it describes, and the licence of that.
fn links(place: &Place, record: &Registered, form: Form, at: &dyn Fn(Form) -> Url) -> Vec<String> {
    let id = &record.dataset.id;
    let mut links = vec![format!("<{id}>; rel=\"describes\"")];
    links.extend(
        Form::ALL.into_iter().filter(|other| *other != form).map(|other| typed(&at(other), other, "alternate")),
    );
    links.push(format!("<{}>; rel=\"alternate\"; type=\"text/html\"", place.page(id)));
    links.extend(licence(record));
    links
}

/// What the page of a dataset says in `Link`: which documents describe it, how it is cited, and its licence.
pub(super) fn links_of_page(place: &Place, record: &Registered) -> Vec<String> {
    let id = &record.dataset.id;
    let mut links = vec![format!("<{id}>; rel=\"cite-as\"")];
    links.extend(Form::ALL.into_iter().map(|form| typed(&place.document(id, form), form, "describedby")));
    links.extend(licence(record));
    links
}

fn typed(address: &Url, form: Form, relation: &str) -> String {
    // A profile has quotation marks of its own, and says by itself what the document is.
    let media_type = form.media_type().split_once(";profile=\"").map_or_else(
        || format!("type=\"{}\"", form.media_type()),
        |(media_type, profile)| format!("type=\"{media_type}\"; profile=\"{}\"", profile.trim_end_matches('"')),
    );
    format!("<{address}>; rel=\"{relation}\"; {media_type}")
}

fn licence(record: &Registered) -> Option<String> {
    let licence = record.dataset.licence.as_ref()?;
    let spdx = || licence.spdx.as_ref().map(|id| format!("https://spdx.org/licenses/{id}"));
    let iri = licence.iri.as_ref().map(|iri| iri.as_str().to_owned()).or_else(spdx)?;
    // As a URL it has no letters that a header cannot carry.
    Some(format!("<{}>; rel=\"license\"", Url::parse(&iri).ok()?))
}

/// Appends a header, where it can be one.
pub(super) fn append(response: &mut HttpResponse, name: header::HeaderName, value: &str) {
    if let Ok(value) = header::HeaderValue::from_str(value) {
        response.headers_mut().append(name, value);
    }
}

fn vary(response: &mut HttpResponse) {
    let vary = header::HeaderValue::from_static("Accept, Authorization, Cookie");
    response.headers_mut().insert(header::VARY, vary);
}

/// `GET /dataset/{local}`: the path of the dataset's own id. A dataset is no document, so whoever asks is sent on (303) to
/// one about it: people to the page, programs to the form that they want most.
async fn thing(
    request: HttpRequest,
    caller: MaybeCaller,
    catalogue: Data<Catalogue>,
    place: Data<Place>,
    local: Path<String>,
) -> Result<HttpResponse, Problem> {
    let record = datasets::discoverable(&catalogue, &caller, &local).await?;
    let id = &record.dataset.id;
    let page = Offer { media_type: "text/html", profiles: &[] };
    let offers: Vec<Offer> = [page].into_iter().chain(Form::ALL.map(Offer::from)).collect();
    let to = match export::best(&accept(&request), &offers) {
        Some(0) => place.page(id),
        Some(at) => place.document(id, Form::ALL[at - 1]),
        None => return Err(none_of(&Form::ALL)),
    };
    let mut response = HttpResponse::SeeOther().insert_header((header::LOCATION, to.as_str())).finish();
    vary(&mut response);
    for link in links_of_page(&place, &record) {
        append(&mut response, header::LINK, &link);
    }
    Ok(response)
}

/// Which page of the catalogue is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PageQuery {
    limit: Option<usize>,
    cursor: Option<String>,
    #[serde(rename = "profile")]
    _profile: Option<String>,
}

/// `GET /api/v1/catalogue`: a page of the catalogue in the syntax that `Accept` wants.
async fn catalogue(
    request: HttpRequest,
    catalogue: Data<Catalogue>,
    place: Data<Place>,
    sealer: Data<Sealer>,
    query: web::Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let form = wanted(&request, &Form::RDF)?;
    page(&request, &catalogue, &place, &sealer, query.into_inner(), form).await
}

/// `GET /api/v1/catalogue.{suffix}`: the same in the syntax of the suffix.
async fn catalogue_as(
    request: HttpRequest,
    catalogue: Data<Catalogue>,
    place: Data<Place>,
    sealer: Data<Sealer>,
    suffix: Path<String>,
    query: web::Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let form = Form::from_suffix(&suffix).filter(|form| Form::RDF.contains(form));
    let form = form.ok_or_else(|| {
        Problem::new(Code::NotFound, format!("a catalogue is made of RDF; there is {}", names(&Form::RDF)))
    })?;
    page(&request, &catalogue, &place, &sealer, query.into_inner(), form).await
}

/// One page, made in the memory of one page.
async fn page(
    request: &HttpRequest,
    catalogue: &Catalogue,
    place: &Data<Place>,
    sealer: &Sealer,
    query: PageQuery,
    form: Form,
) -> Result<HttpResponse, Problem> {
    const LIST: &str = "catalogue";
    let profile = profile(request)?;
    let limit = reply::page(Some(query.limit.unwrap_or(reply::MAX_PAGE)))?;
    let after = query.cursor.map(|cursor| sealer.open_cursor::<DatasetId>(LIST, &cursor)).transpose()?;
    let filter = DatasetFilter { visibility: Some(Visibility::Federation), ..DatasetFilter::default() };
    let found = catalogue.list(&filter, after.as_ref(), limit + 1).await?;
    let cutting = web::block(move || portion(found, limit));
    let Portion { records, more, mut said } = cutting.await.map_err(|error| Problem::internal(&error))?;
    let next = match records.last().filter(|_| more) {
        Some(last) => Some(address(request, place, Some(&sealer.seal(LIST, &last.dataset.id)?))),
        None => None,
    };
    let view = dcat::Page {
        total: None,
        this: address(request, place, after.as_ref().map(|_| cursor_of(request)).as_deref()),
        first: address(request, place, None),
        previous: None,
        next: next.clone(),
        last: None,
    };
    // The address of the next page is sealed anew each time, so two answers are alike and not the same.
    said.push_str(&format!("{} {profile:?} {limit} {more} {}", form.suffix(), place.base));
    let tag = Digest::of(said.as_bytes());
    let bytes = if reply::is_known(request, &tag) {
        Vec::new()
    } else {
        let place = place.clone();
        let rendering = web::block(move || {
            let mut bytes = Vec::new();
            dcat::serialise(&dcat::catalogue(&view, &records, &place, profile), form, &mut bytes).map(|()| bytes)
        });
        let rendered = rendering.await.map_err(|error| Problem::internal(&error))?;
        rendered.map_err(|error| Problem::internal(&error))?
    };
    let mut response = reply::alike(request, form.media_type(), &tag, bytes);
    vary(&mut response);
    if let Some(next) = next {
        append(&mut response, header::LINK, &format!("<{next}>; rel=\"next\""));
    }
    for other in Form::RDF.into_iter().filter(|other| *other != form) {
        let mut elsewhere = place.catalogue();
        elsewhere.set_path(&format!("{}.{}", elsewhere.path(), other.suffix()));
        append(
            &mut response,
            header::LINK,
            &format!("<{elsewhere}>; rel=\"alternate\"; type=\"{}\"", other.media_type()),
        );
    }
    Ok(response)
}

/// What one page shows.
struct Portion {
    records: Vec<Registered>,
    more: bool,
    /// The entity tags of the records.
    said: String,
}

/// As many records as a page shows, at least one of them.
fn portion(found: Vec<Registered>, limit: usize) -> Portion {
    let (mut records, mut said, mut bytes, count) = (Vec::new(), String::new(), 0, found.len());
    for record in found.into_iter().take(limit) {
        bytes += serde_json::to_vec(&record).map_or(0, |json| json.len());
        said.push_str(&record.etag().to_string());
        records.push(record);
        if bytes > reply::PAGE_BYTES {
            break;
        }
    }
    Portion { more: count > records.len(), records, said }
}

fn cursor_of(request: &HttpRequest) -> String {
    let mut query = url::form_urlencoded::parse(request.query_string().as_bytes());
    query.find(|(name, _)| name == "cursor").map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// The address of a page, as the caller asked for it but with this cursor.
fn address(request: &HttpRequest, place: &Place, cursor: Option<&str>) -> Url {
    let mut url = place.catalogue();
    let suffix = request.path().rsplit('/').next().and_then(|name| name.strip_prefix("catalogue")).unwrap_or_default();
    url.set_path(&format!("{}{suffix}", url.path()));
    let kept = url::form_urlencoded::parse(request.query_string().as_bytes()).filter(|(name, _)| name != "cursor");
    let pairs: Vec<_> = kept.chain(cursor.map(|cursor| ("cursor".into(), cursor.into()))).collect();
    if !pairs.is_empty() {
        url.query_pairs_mut().extend_pairs(pairs);
    }
    url
}
