//! `/api/v1/licences`: what a licence string means and by which rule, and what several datasets permit together.

use actix_web::http::StatusCode;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use super::caller::MaybeCaller;
use super::problem::{Code, Problem};
use super::{datasets, get, reply};
use crate::catalogue::Catalogue;
use crate::domain::bounds;
use crate::domain::effective::{Intent, effective};
use crate::domain::ids::DatasetId;
use crate::vocabulary::licence;

/// The routes of this file, for the web door.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/api/v1/licences/effective").route(get().to(of_a_set)))
        .service(web::resource("/api/v1/licences/resolve").route(get().to(resolve)));
}

/// The most datasets that are taken together.
const MOST: usize = 100;

/// `GET …/effective?dataset=…&dataset=…`: what these datasets permit together; `use=commercial` and `use=derivatives` say
/// what is wanted, so that what stands against it is named.
async fn of_a_set(
    request: HttpRequest,
    caller: MaybeCaller,
    catalogue: Data<Catalogue>,
) -> Result<HttpResponse, Problem> {
    let (ids, intent) = asked(request.query_string())?;
    let mut records = Vec::with_capacity(ids.len());
    for id in &ids {
        let local = match id.parse::<DatasetId>() {
            Ok(full) if catalogue.addressed(full.local()).is_ok_and(|own| own == full) => full.local().to_owned(),
            Ok(_) => return Err(not_here(id)),
            Err(_) => id.clone(),
        };
        let record = datasets::discoverable(&catalogue, &caller, &local)
            .await
            .map_err(|problem| if problem.code == Code::NotFound { not_here(id) } else { problem })?;
        records.push(record);
    }
    let together = effective(records.iter().map(|record| &record.dataset), intent);
    reply::json(&request, StatusCode::OK, None, &together)
}

fn not_here(id: &str) -> Problem {
    let shown: String = id.chars().take(200).collect();
    Problem::new(
        Code::NotFound,
        format!("{shown} is no dataset of this node that you may know of; ask the node that describes it"),
    )
}

/// The datasets without repetition, and what is wanted of them.
fn asked(query: &str) -> Result<(Vec<String>, Intent), Problem> {
    let (mut ids, mut intent) = (Vec::new(), Intent::default());
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match (name.as_ref(), value.as_ref()) {
            ("dataset", id) if !ids.iter().any(|known| known == id) => ids.push(id.to_owned()),
            ("dataset", _) => {}
            ("use", "commercial") => intent.commercial = true,
            ("use", "derivatives") => intent.derivatives = true,
            _ => {
                return Err(Problem::new(
                    Code::BadParameter,
                    "ask with dataset=<id>, once for each dataset, and use=commercial or use=derivatives",
                ));
            }
        }
    }
    if ids.is_empty() || ids.len() > MOST {
        return Err(Problem::new(Code::BadParameter, format!("name 1 to {MOST} datasets, each as dataset=<id>")));
    }
    Ok((ids, intent))
}

/// `GET …/resolve?text=…`: the licence that a text names, with the rule that found it and how far it can be relied on.
async fn resolve(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let query = url::form_urlencoded::parse(request.query_string().as_bytes());
    let texts: Vec<String> = query.filter(|(name, _)| name == "text").map(|(_, text)| text.into_owned()).collect();
    let found = match &texts[..] {
        [text] if text.len() <= bounds::PROSE => licence::resolve(text),
        _ => None,
    };
    let found = found.ok_or_else(|| {
        Problem::new(
            Code::BadParameter,
            format!("send one text=<what the source wrote>, not blank, of at most {} bytes", bounds::PROSE),
        )
    })?;
    reply::json(&request, StatusCode::OK, None, &found)
}
