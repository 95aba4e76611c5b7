//! `GET` and `DELETE /api/v1/datasets/{local}/source`: what the source of an imported dataset said, word for word.
//!
//! Such a text may name people, so it is for the owner's stewards alone; everybody else is answered as if nothing were
//! there. It is somebody else's document: it is sent as a file to save, never as a page to show.

use actix_web::http::header;
use actix_web::web::{self, Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use super::caller::Steward;
use super::problem::Problem;
use super::{get, reply};
use crate::catalogue::Catalogue;
use crate::formats;

/// The routes of this noun.
pub fn routes(config: &mut ServiceConfig) {
    let source_text = web::resource("/api/v1/datasets/{local}/source").route(get().to(source));
    config.service(source_text.route(web::delete().to(erase)));
}

async fn source(
    request: HttpRequest,
    steward: Steward,
    catalogue: Data<Catalogue>,
    local: Path<String>,
) -> Result<HttpResponse, Problem> {
    let id = catalogue.addressed(&local).map_err(|_| Problem::not_found("dataset"))?;
    let kept = catalogue.source_text(&steward.owner, &id).await?;
    let media_type = formats::media_type(kept.format.as_deref());
    let mut response = reply::bytes(&request, media_type, &kept.digest, kept.text.into_bytes());
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("private, no-store"));
    headers.insert(header::CONTENT_DISPOSITION, header::HeaderValue::from_static("attachment"));
    if let Ok(kept) = kept.kept.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string().parse() {
        headers.insert(header::LAST_MODIFIED, kept);
    }
    Ok(response)
}

/// Erases the texts of every revision, and says how many there were.
async fn erase(steward: Steward, catalogue: Data<Catalogue>, local: Path<String>) -> Result<HttpResponse, Problem> {
    let id = catalogue.addressed(&local).map_err(|_| Problem::not_found("dataset"))?;
    let erased = catalogue.erase_source_text(&steward.owner, &id).await?;
    tracing::info!(%id, erased, owner = %steward.owner, "source texts were erased");
    Ok(HttpResponse::Ok().json(json!({ "erased": erased })))
}
