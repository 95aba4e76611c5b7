//! How good a record is: the report of one record, of a draft that nobody registered, and of everything an owner has.
//!
//! The scores are for everybody who may know of the record. What was found is for its owner's stewards: it is advice to
//! those who can act on it, and it repeats names and addresses that should not have been there. Sentences come in the
//! first language of `Accept-Language` that the report speaks.

use actix_web::http::{StatusCode, header};
use actix_web::web::{self, Bytes, Data, Path, Query, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};

use super::caller::{Caller, MaybeCaller, Steward};
use super::problem::{Code, Problem};
use super::{datasets, get, question, reply};
use crate::catalogue::{self, Catalogue, DatasetFilter};
use crate::domain::dataset::Registered;
use crate::domain::event::Role;
use crate::domain::ids::Identity;
use crate::domain::offerable::Offerable;
use crate::quality::{self, Beside, Language, Report, SaidReport, SaidSummary, Summary};
use crate::schema;

/// The most records of one summary; an answer is given while somebody waits for it.
const MOST: usize = 2_000;
/// How many records are read from the store at once.
const PAGE: usize = 200;

/// The routes of this noun.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/api/v1/datasets/{local}/quality").route(get().to(report)))
        .service(web::resource("/api/v1/check").route(web::post().to(check)))
        .service(web::resource("/api/v1/quality").route(get().to(summary)));
}

/// `GET …/quality`: the report of a record as it stands.
async fn report(
    request: HttpRequest,
    caller: MaybeCaller,
    catalogue: Data<Catalogue>,
    local: Path<String>,
) -> Result<HttpResponse, Problem> {
    let record = datasets::discoverable(&catalogue, &caller, &local).await?;
    let language = language(&request);
    let is_steward = is_steward(&caller, &record);
    let said = judged(&catalogue, record).await?.said(language);
    if is_steward {
        return spoken(&request, language, &said);
    }
    let SaidReport { language: tag, offerable, quality, readiness, .. } = said;
    let scores =
        serde_json::json!({ "language": tag, "offerable": offerable, "quality": quality, "readiness": readiness });
    spoken(&request, language, &scores)
}

/// Whether somebody acts for the owner of a record, and so may change it.
pub(super) fn is_steward(caller: &MaybeCaller, record: &Registered) -> bool {
    caller
        .0
        .as_ref()
        .is_some_and(|caller| caller.role == Role::Steward && caller.participant.as_ref() == Some(&record.owner))
}

/// Judges a record, apart from the threads that answer.
pub(super) async fn judged(catalogue: &Catalogue, record: Registered) -> Result<Report, Problem> {
    let today = catalogue.today();
    let judging = web::block(move || {
        let doubts = catalogue::doubts(&record.dataset, today);
        let report = quality::judge(&record.dataset, today, Beside { doubts, ..Beside::default() });
        // Only the record knows whether it is published and was not withdrawn.
        Report { offerable: Offerable::of(&record).is_ok(), ..report }
    });
    judging.await.map_err(|error| Problem::internal(&error))
}

/// `POST /api/v1/check`: the report of a draft; nothing is stored.
async fn check(
    request: HttpRequest,
    _caller: Caller,
    catalogue: Data<Catalogue>,
    body: Bytes,
) -> Result<HttpResponse, Problem> {
    reply::document(&request, &body)?;
    let language = language(&request);
    let (defaults, today) = (catalogue.defaults(), catalogue.today());
    let judging = web::block(move || match schema::parse_draft(&body, &defaults) {
        Ok(mut dataset) => {
            catalogue::complete(&mut dataset);
            let doubts = catalogue::doubts(&dataset, today);
            quality::judge(&dataset, today, Beside { doubts, ..Beside::default() })
        }
        Err(violations) => quality::refused(&violations),
    });
    let report = judging.await.map_err(|error| Problem::internal(&error))?;
    spoken(&request, language, &report.said(language))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SummaryQuery {
    owner: Option<Identity>,
}

#[derive(Debug, Serialize)]
struct SummaryAnswer {
    owner: Identity,
    language: &'static str,
    /// Whether every record of the owner was judged; else the first 2,000 by their ids were.
    complete: bool,
    #[serde(flatten)]
    summary: SaidSummary,
}

/// `GET /api/v1/quality`: what an owner's stewards should look at first, over all records.
async fn summary(
    request: HttpRequest,
    steward: Steward,
    catalogue: Data<Catalogue>,
    query: Query<SummaryQuery>,
) -> Result<HttpResponse, Problem> {
    if query.owner.as_ref().is_some_and(|owner| *owner != steward.owner) {
        return Err(Problem::new(
            Code::Forbidden,
            "the summary of an owner is for its own stewards; leave owner out for yours",
        ));
    }
    let filter = DatasetFilter {
        owner: Some(steward.owner.clone()),
        discoverable_by: Some(steward.owner.clone()),
        ..DatasetFilter::default()
    };
    let (mut summary, mut judged, mut after) = (Summary::default(), 0, None);
    let complete = loop {
        let records = catalogue.list(&filter, after.as_ref(), PAGE).await?;
        let (count, last) = (records.len(), records.last().map(|record| record.dataset.id.clone()));
        let today = catalogue.today();
        let judging = web::block(move || {
            for record in &records {
                let doubts = catalogue::doubts(&record.dataset, today);
                let report = quality::judge(&record.dataset, today, Beside { doubts, ..Beside::default() });
                // A draft is not offered, whatever its description has.
                summary.add(&Report { offerable: Offerable::of(record).is_ok(), ..report });
            }
            summary
        });
        summary = judging.await.map_err(|error| Problem::internal(&error))?;
        judged += count;
        if count < PAGE || judged >= MOST {
            break count < PAGE;
        }
        after = last;
    };
    let language = language(&request);
    let answer =
        SummaryAnswer { owner: steward.owner, language: language.tag(), complete, summary: summary.said(language) };
    spoken(&request, language, &answer)
}

fn language(request: &HttpRequest) -> Language {
    Language::of(&question::accepted_languages(request.headers()))
}

/// An answer in a language, which says so.
fn spoken(request: &HttpRequest, language: Language, body: &impl Serialize) -> Result<HttpResponse, Problem> {
    let mut response = reply::json(request, StatusCode::OK, None, body)?;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LANGUAGE, header::HeaderValue::from_static(language.tag()));
    headers.append(header::VARY, header::HeaderValue::from_static("Accept-Language"));
    Ok(response)
}
