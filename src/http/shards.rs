//! Grants and shards, on the federation door only: for holders, who present their own certificate.

use actix_web::body::SizedStream;
use actix_web::http::{Method, StatusCode, header};
use actix_web::web::{Data, Json, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};
use data_encoding::BASE64;

use super::caller::Certified;
use super::problem::{Code, Problem};
use crate::access::grants::Grants;
use crate::delivery::fetch::{Agreed, GRANT_HEADER, GrantAsk};
use crate::delivery::range::{self, Asked};
use crate::delivery::send::Sender;
use crate::domain::ids::OpaqueId;
use crate::domain::manifest::{Shard, ShardName};

/// The routes.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/grants").route(web::post().to(grant)))
        .service(web::resource("/shards/{agreement}").route(super::get().to(agreed)))
        .service(web::resource("/shards/{agreement}/{shard}").route(super::get().to(shard)));
}

/// `POST /grants`: a grant for the certificate that asks; 201, or 200 where a recent one is still good.
async fn grant(certified: Certified, body: Json<GrantAsk>, grants: Data<Grants>) -> Result<HttpResponse, Problem> {
    certified.participant()?;
    let (grant, is_new) = grants.issue(&certified.presented, &body.agreement).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok(HttpResponse::build(status).insert_header((header::CACHE_CONTROL, "no-store")).json(grant))
}

/// `GET /shards/{agreement}`: the agreement and its manifest.
async fn agreed(certified: Certified, agreement: Path<String>, grants: Data<Grants>) -> Result<HttpResponse, Problem> {
    certified.participant()?;
    let id = agreement.parse().map_err(|_| Problem::not_found("agreement"))?;
    let (agreement, manifest) = grants.agreed(&certified.presented, &id).await?;
    let tag = format!("\"{}\"", agreement.manifest);
    let manifest = (*manifest).clone();
    Ok(HttpResponse::Ok()
        .insert_header((header::ETAG, tag))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(Agreed { agreement, manifest }))
}

/// `GET /shards/{agreement}/{shard}`: bytes under a grant, whole or one range of them.
async fn shard(
    certified: Certified,
    path: Path<(String, String)>,
    request: HttpRequest,
    grants: Data<Grants>,
    sender: Data<Sender>,
) -> Result<HttpResponse, Problem> {
    certified.participant()?;
    let (agreement, name) = path.into_inner();
    let agreement: OpaqueId = agreement.parse().map_err(|_| Problem::not_found("agreement"))?;
    // A name that is none is the name of nothing; it goes no further.
    let name: ShardName = name.parse().map_err(|_| Problem::not_found("shard"))?;
    let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let no_grant = || Problem::new(Code::GrantOver, format!("name a grant in {GRANT_HEADER}: POST /grants makes one"));
    let grant: OpaqueId = text(GRANT_HEADER).and_then(|id| id.parse().ok()).ok_or_else(no_grant)?;
    let grant = grants.check(&certified.presented, &agreement, &grant).await?;
    let ready = sender.open(grant, name).await?;

    let size = ready.shard().bytes;
    let tag = format!("\"{}\"", ready.shard().sha256);
    let same = text("if-range").is_none_or(|condition| condition == tag);
    let (status, part) = match range::read(text("range").filter(|_| same), size) {
        Asked::Whole => (StatusCode::OK, (0, size)),
        Asked::Part(from, to) => (StatusCode::PARTIAL_CONTENT, (from, to)),
        Asked::Unsatisfiable => {
            let detail = format!("ask for one range within the {size} bytes of the shard");
            let mut response = Problem::new(Code::RangeNotSatisfiable, detail).response();
            if let Ok(value) = header::HeaderValue::from_str(&format!("bytes */{size}")) {
                response.headers_mut().insert(header::CONTENT_RANGE, value);
            }
            return Ok(response);
        }
    };
    let mut response = HttpResponse::build(status);
    describe(&mut response, ready.shard(), &tag);
    if status == StatusCode::PARTIAL_CONTENT {
        response.insert_header((header::CONTENT_RANGE, format!("bytes {}-{}/{size}", part.0, part.1 - 1)));
    }
    let length = part.1 - part.0;
    if request.method() == Method::HEAD {
        let nothing = futures_util::stream::empty::<Result<_, Problem>>();
        return Ok(response.body(SizedStream::new(length, nothing)));
    }
    Ok(response.body(SizedStream::new(length, ready.send(part).await?)))
}

/// The headers that say what the bytes are.
fn describe(response: &mut HttpResponseBuilder, shard: &Shard, tag: &str) {
    response
        .insert_header((header::ETAG, tag))
        .insert_header((header::ACCEPT_RANGES, "bytes"))
        .insert_header((header::CONTENT_TYPE, "application/octet-stream"))
        .insert_header((header::CACHE_CONTROL, "private, no-store"))
        // Of the whole shard, also where only a part is sent (RFC 9530).
        .insert_header(("repr-digest", format!("sha-256=:{}:", BASE64.encode(&shard.sha256.0))));
}
