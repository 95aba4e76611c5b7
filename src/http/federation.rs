//! The mutual-TLS door for peers, `/federation/v1`: their questions, this node's status, and peer files on their way.
//!
//! Only nodes of the trust list are served, judged again on every request ([`Certified`]). A question is answered by
//! `search_local`: what comes in through this door never goes out through another.

use std::time::{Duration, Instant};

use actix_web::http::header;
use actix_web::web::{Bytes, Data, PayloadConfig, Query, ServiceConfig};
use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::caller::Certified;
use super::get;
use super::problem::{Code, Problem};
use crate::domain::ids::TrustDomain;
use crate::peers::trust::Trust;
use crate::peers::wire::{MAX_ASK_BYTES, PeerFileOffer, SearchAnswer, SearchAsk, Status};
use crate::search::local::{Answered, Asked, Local};

/// No question is worked on for longer, whatever its asker allows.
const LONGEST: Duration = Duration::from_secs(30);

/// The routes of this file, for the federation door.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(
            web::resource("/federation/v1/search")
                .app_data(PayloadConfig::new(MAX_ASK_BYTES))
                .route(web::post().to(search)),
        )
        .service(web::resource("/federation/v1/status").route(get().to(status)))
        .service(web::resource("/federation/v1/peer-file").route(get().to(peer_file)));
}

async fn search(
    caller: Certified,
    body: Bytes,
    local: Data<Local>,
    trust: Data<Trust>,
) -> Result<HttpResponse, Problem> {
    let begin = Instant::now();
    caller.node()?;
    let ask = SearchAsk::read(&body)?;
    let analyser = local.analyser();
    if ask.question.analyser != analyser {
        let detail = format!("the question has terms of analyser {}, this index of {analyser}", ask.question.analyser);
        return Err(Problem::new(Code::OtherAnalyser, detail));
    }
    let deadline = begin + Duration::from_millis(ask.deadline_ms).min(LONGEST);
    let asked = Asked { question: ask.question, hits: ask.hits, steering: ask.statistics, deadline };
    let Answered { answer, index_age_ms } = local.search_local(asked, trust.clock().now()).await?;
    let answer = SearchAnswer {
        node: local.node().clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        analyser,
        elapsed_ms: u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX),
        index_age_ms,
        answer,
    };
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(answer))
}

async fn status(caller: Certified, local: Data<Local>, trust: Data<Trust>) -> Result<HttpResponse, Problem> {
    caller.node()?;
    let now = trust.clock().now();
    let (position, index_age_ms) = local.index_state(now).await.map_err(|error| Problem::internal(&error))?;
    let offer = |peer: &std::sync::Arc<crate::peers::peer_file::Peer>| PeerFileOffer {
        domain: peer.file.node.domain().clone(),
        sequence: peer.file.sequence,
    };
    let status = Status {
        node: local.node().clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        time: now,
        countries: local.countries().clone(),
        analyser: local.analyser(),
        position,
        index_age_ms,
        peer_files: trust.state().peers().map(offer).collect(),
    };
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(status))
}

#[derive(Deserialize)]
struct Whose {
    domain: Option<TrustDomain>,
}

/// A peer file proves itself by its signature, so any member's may be passed on.
async fn peer_file(
    caller: Certified,
    whose: Query<Whose>,
    local: Data<Local>,
    trust: Data<Trust>,
) -> Result<HttpResponse, Problem> {
    caller.node()?;
    let domain = whose.domain.as_ref().unwrap_or_else(|| local.node().domain());
    let state = trust.state();
    let peer = state.peer(domain).ok_or_else(|| Problem::not_found("peer file"))?;
    Ok(HttpResponse::Ok().content_type("application/jose").body(peer.jws.clone()))
}
