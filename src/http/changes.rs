//! `POST /api/v1/changes`: many changes by one steward, all of them or none; `GET /api/v1/records`: what they are made
//! from.
//!
//! This is the door of stewardship as files. The body is one JSON object with a list of operations. When one of them is
//! refused, all are, with every fault in `errors`; with `keep_going` the others are made and each has its own outcome,
//! and with `dry_run` nothing is made and each outcome says what would become of it. A request that was sent twice does
//! nothing the second time.

use actix_web::http::{StatusCode, header};
use actix_web::web::{self, Bytes, Data, Query, ServiceConfig};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::caller::Steward;
use super::problem::{Code, FieldError, Problem};
use super::seal::Sealer;
use super::{get, reply};
use crate::catalogue::plan::Standing;
use crate::catalogue::{Became, Catalogue, CatalogueError, DatasetFilter, Done, How, Operation};
use crate::domain::difference::Change;
use crate::domain::ids::{DatasetId, Digest, Revision, Seq};
use crate::schema;

/// The most operations of one request; more is refused, not cut.
pub const MOST: usize = 1_000;

/// The routes of this file, for the web door.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/api/v1/changes").route(web::post().to(change)))
        .service(web::resource("/api/v1/records").route(get().to(records)));
}

/// What became of one operation; in a dry run, what would.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum ChangeOutcome {
    /// It is new here.
    Registered(Stands),
    /// It got a further revision.
    Revised(Stands),
    /// It was withdrawn.
    Withdrawn(Stands),
    /// It stood there already.
    Unchanged(Stands),
    /// It was not made.
    Refused {
        /// The code of the problem that it would be alone.
        code: String,
        /// Why.
        detail: String,
        /// What is wrong where, as JSON pointers into the body.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        errors: Vec<FieldError>,
    },
}

/// How a dataset stands after an operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stands {
    /// Which.
    pub id: DatasetId,
    /// At which revision.
    pub revision: Revision,
    /// Its entity tag; left out in a dry run where it would change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<Digest>,
    /// Where in the log; left out in a dry run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<Seq>,
    /// What differs from what stands now; in a dry run only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub difference: Vec<Change>,
}

/// The answer: one outcome an operation, in their order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChangesAnswer {
    /// What became of each.
    pub outcomes: Vec<ChangeOutcome>,
}

/// What is asked for.
struct Asked {
    operations: Vec<Result<Operation, Problem>>,
    how: How,
}

async fn change(
    request: HttpRequest,
    steward: Steward,
    catalogue: Data<Catalogue>,
    body: Bytes,
) -> Result<HttpResponse, Problem> {
    let Asked { operations, how } = asked(&request, &body)?;
    if how == How::AllOrNone && operations.iter().any(Result::is_err) {
        return Err(refused_whole(operations.into_iter().map(Result::err)));
    }
    let readable: Vec<Operation> = operations.iter().filter_map(|operation| operation.as_ref().ok().cloned()).collect();
    let made = catalogue.change(&steward.caller.actor(), &steward.owner, &readable, how).await?;
    if how == How::AllOrNone && made.iter().any(Result::is_err) {
        let places = readable.iter().zip(made).enumerate();
        return Err(refused_whole(places.map(|(at, (operation, made))| Some(problem(at, operation, made.err()?)))));
    }
    let mut made = made.into_iter();
    let outcomes = operations.into_iter().enumerate().map(|(at, operation)| match operation {
        Err(problem) => refused(problem),
        Ok(operation) => match made.next() {
            Some(Ok(done)) => outcome(done, how),
            Some(Err(error)) => refused(problem(at, &operation, error)),
            None => refused(Problem::internal(&"an operation was not answered")),
        },
    });
    let answer = ChangesAnswer { outcomes: outcomes.collect() };
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(answer))
}

fn asked(request: &HttpRequest, body: &Bytes) -> Result<Asked, Problem> {
    if !matches!(request.content_type(), "" | "application/json") {
        return Err(Problem::new(Code::UnsupportedMediaType, "send the changes with Content-Type: application/json"));
    }
    // The body is bounded by the door, each document in it by the catalogue.
    let body = schema::value_within(body, usize::MAX)
        .map_err(|violations| Problem::of_violations(Code::MalformedBody, &violations))?;
    let misshapen = || {
        Problem::new(Code::Invalid, "send {\"changes\": [{\"operation\": …}, …], \"keep_going\": …, \"dry_run\": …}")
    };
    let Value::Object(mut fields) = body else { return Err(misshapen()) };
    let mut flag = |name: &str| match fields.shift_remove(name) {
        None => Ok(false),
        Some(Value::Bool(flag)) => Ok(flag),
        Some(_) => Err(misshapen()),
    };
    let how = match (flag("dry_run")?, flag("keep_going")?) {
        (true, _) => How::DryRun,
        (false, true) => How::KeepGoing,
        (false, false) => How::AllOrNone,
    };
    let Some(Value::Array(changes)) = fields.shift_remove("changes") else { return Err(misshapen()) };
    if !fields.is_empty() {
        return Err(misshapen());
    }
    if changes.len() > MOST {
        let detail =
            format!("{} changes were sent, and one request takes {MOST}: send them in portions", changes.len());
        return Err(Problem::new(Code::TooLarge, detail));
    }
    let operations = changes.into_iter().enumerate().map(|(at, change)| {
        serde_json::from_value(change).map_err(|error| {
            let place = FieldError { pointer: format!("/changes/{at}"), detail: error.to_string() };
            Problem::new(Code::Invalid, format!("the operation cannot be read: {error}")).with_errors(vec![place])
        })
    });
    Ok(Asked { operations: operations.collect(), how })
}

/// The problem of one operation, its places as pointers into the body.
fn problem(at: usize, operation: &Operation, error: CatalogueError) -> Problem {
    let mut problem = Problem::from(error);
    let base = format!("/changes/{at}");
    for place in &mut problem.errors {
        let own = matches!(place.pointer.as_str(), "/reason" | "/successor");
        let within = if own || matches!(operation, Operation::Withdraw { .. }) { "" } else { "/document" };
        place.pointer = format!("{base}{within}{}", place.pointer);
    }
    if problem.errors.is_empty() {
        problem.errors.push(FieldError { pointer: base, detail: problem.detail.clone() });
    }
    problem
}

/// The problem of a request of which nothing was made: every fault of every operation.
fn refused_whole(problems: impl Iterator<Item = Option<Problem>>) -> Problem {
    let problems: Vec<Problem> = problems.flatten().collect();
    let stale = problems.iter().all(|problem| problem.code == Code::Stale);
    let first = problems.first().map(|problem| problem.detail.clone()).unwrap_or_default();
    let detail = match problems.len() {
        1 => format!("nothing was changed, because one operation is refused: {first}"),
        many => format!("nothing was changed, because {many} operations are refused; the first: {first}"),
    };
    let code = if stale { Code::Stale } else { Code::Invalid };
    Problem::new(code, detail).with_errors(problems.into_iter().flat_map(|problem| problem.errors).collect())
}

fn refused(problem: Problem) -> ChangeOutcome {
    ChangeOutcome::Refused { code: problem.code.as_str().to_owned(), detail: problem.detail, errors: problem.errors }
}

fn outcome(done: Done, how: How) -> ChangeOutcome {
    let Done { became, record, difference } = done;
    let stands_so = how != How::DryRun || became == Became::Unchanged;
    let stands = Stands {
        etag: stands_so.then(|| record.etag()),
        seq: (how != How::DryRun).then_some(record.seq),
        revision: record.revision,
        id: record.dataset.id,
        difference,
    };
    match became {
        Became::Registered => ChangeOutcome::Registered(stands),
        Became::Revised => ChangeOutcome::Revised(stands),
        Became::Withdrawn => ChangeOutcome::Withdrawn(stands),
        Became::Unchanged => ChangeOutcome::Unchanged(stands),
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordsQuery {
    limit: Option<usize>,
    cursor: Option<String>,
}

/// A page of records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordsPage {
    /// What the ids of this node begin with.
    pub base: String,
    /// The records in the order of their ids, withdrawn ones too.
    pub items: Vec<Standing>,
    /// Where the next page begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// `GET /api/v1/records`: the caller's own records, whole and with their tags.
async fn records(
    request: HttpRequest,
    steward: Steward,
    catalogue: Data<Catalogue>,
    sealer: Data<Sealer>,
    query: Query<RecordsQuery>,
) -> Result<HttpResponse, Problem> {
    let limit = reply::page(query.limit)?;
    let list = format!("records {}", steward.owner);
    let after = query.cursor.as_deref().map(|cursor| sealer.open_cursor::<DatasetId>(&list, cursor)).transpose()?;
    let owner = Some(steward.owner.clone());
    // Drafts too: a plan must know what is there.
    let filter =
        DatasetFilter { owner: owner.clone(), discoverable_by: owner, withdrawn: true, ..DatasetFilter::default() };
    let found = catalogue.list(&filter, after.as_ref(), limit + 1).await?;
    let (mut items, mut bytes, count) = (Vec::new(), 0, found.len());
    for record in found.into_iter().take(limit) {
        bytes += serde_json::to_vec(&record).map_or(0, |json| json.len());
        items.push(Standing { etag: record.etag(), record });
        if bytes > reply::PAGE_BYTES {
            break;
        }
    }
    let last = items.last().filter(|_| count > items.len()).map(|item| item.record.dataset.id.clone());
    let next_cursor = last.map(|last| sealer.seal(&list, &last)).transpose()?;
    let link = next_cursor.as_deref().map(|cursor| reply::next_link(&request, cursor));
    let page = RecordsPage { base: catalogue.base(), items, next_cursor };
    let mut response = reply::json(&request, StatusCode::OK, None, &page)?;
    if let Some((name, link)) = link
        && let Ok(link) = header::HeaderValue::from_str(&link)
    {
        response.headers_mut().insert(name, link);
    }
    Ok(response)
}
