//! What happens around every request of every door: its id, its one line in the log, its counters, its headers, and that
//! a refusal is always a problem, whoever made it.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use actix_web::HttpMessage as _;
use actix_web::body::{BodySize, BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::{Bytes, Data};
use futures_util::FutureExt as _;

use super::listen::{Connection, Door};
use super::pace::UnderWay;
use super::problem::Problem;
use super::ui;

/// The id under which a request is logged, answered and passed on; in the request's extensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(pub String);

impl RequestId {
    /// The caller's own id where it is well-formed (8 to 64 of letters, digits and `-_`), else a new one.
    fn of(headers: &HeaderMap) -> Self {
        let given = headers.get("x-request-id").and_then(|value| value.to_str().ok()).filter(|text| {
            (8..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        });
        Self(given.map_or_else(|| uuid::Uuid::now_v7().to_string(), str::to_owned))
    }
}

/// The trace that a request belongs to (W3C Trace Context), to be passed on to peers; in the request's extensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceParent(pub String);

impl TraceParent {
    fn of(headers: &HeaderMap) -> Option<Self> {
        let text = headers.get("traceparent")?.to_str().ok()?;
        let hexadecimal = |part: &str, length: usize| {
            part.len() == length && part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        };
        let [version, trace, parent, flags] = text.split('-').collect::<Vec<_>>()[..] else { return None };
        let good = version == "00"
            && hexadecimal(trace, 32)
            && hexadecimal(parent, 16)
            && hexadecimal(flags, 2)
            && trace.bytes().any(|b| b != b'0')
            && parent.bytes().any(|b| b != b'0');
        good.then(|| Self(text.to_owned()))
    }
}

/// Middleware, the outermost: everything that every request has in common.
pub async fn request<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let began = Instant::now();
    let id = RequestId::of(request.headers());
    let trace = TraceParent::of(request.headers());
    let door = request.app_data::<Data<Door>>().cloned();
    let under_way = request.conn_data::<Connection>().map(|connection| connection.activity.begin());
    let method = request.method().clone();
    // The path, never the query: that is where the words of a search are.
    let path = shortened(request.path());
    {
        let mut extensions = request.extensions_mut();
        extensions.insert(id.clone());
        if let Some(trace) = &trace {
            extensions.insert(trace.clone());
        }
    }

    let outcome = AssertUnwindSafe(next.call(request)).catch_unwind().await;
    let answered = match outcome {
        Ok(Ok(response)) => Ok(as_problem(response, &id)),
        // Nothing of the request is left: the answer is made from the error, with everything it needs.
        Ok(Err(error)) => {
            let made = error.error_response();
            let problem = made.extensions().get::<Problem>().cloned().or_else(|| Problem::of_status(made.status()));
            Err(problem.unwrap_or_else(|| Problem::internal(&error)))
        }
        Err(panic) => {
            let what = panic
                .downcast_ref::<&str>()
                .map(|text| (*text).to_owned())
                .or_else(|| panic.downcast_ref::<String>().cloned())
                .unwrap_or_default();
            Err(Problem::internal(&format!("a handler panicked: {what}")))
        }
    };
    let status = match &answered {
        Ok(response) => response.status(),
        Err(problem) => problem.code.status(),
    };
    let route = match &answered {
        Ok(response) => response.request().match_pattern(),
        Err(_) => None,
    };
    let elapsed = began.elapsed();
    if let Some(door) = &door {
        door.metrics.answered(door.name, &method, route.as_deref().unwrap_or("none"), status, elapsed);
        tracing::info!(
            door = door.name.as_str(),
            request_id = id.0,
            trace = trace.as_ref().map(|trace| trace.0.as_str()),
            method = method.as_str(),
            path,
            route,
            status = status.as_u16(),
            duration_ms = elapsed.as_secs_f64() * 1_000.0,
            "request"
        );
    }
    let secure = door.is_some_and(|door| door.secure);
    match answered {
        Ok(mut response) => {
            dress(response.headers_mut(), &id, secure);
            Ok(response.map_into_boxed_body().map_body(|_, body| Held { body, _under_way: under_way }))
        }
        Err(problem) => {
            let mut response = problem.response_with(Some(&id.0));
            dress(response.headers_mut(), &id, secure);
            Err(actix_web::error::InternalError::from_response(problem, response).into())
        }
    }
}

/// Gives a refusal its body: the problem with the request's id. What actix refuses by itself becomes a problem too.
fn as_problem<B: MessageBody + 'static>(
    response: ServiceResponse<B>,
    id: &RequestId,
) -> ServiceResponse<EitherBody<B>> {
    let status = response.status();
    let is_page = |value: &HeaderValue| value.as_bytes().starts_with(b"text/html");
    let is_page = response.headers().get(header::CONTENT_TYPE).is_some_and(is_page);
    if is_page || (!status.is_client_error() && !status.is_server_error()) {
        return response.map_into_left_body();
    }
    let problem = response.response().extensions().get::<Problem>().cloned().or_else(|| Problem::of_status(status));
    let Some(problem) = problem else { return response.map_into_left_body() };
    let (request, old) = response.into_parts();
    let refusal = problem.response_with(Some(&id.0));
    let (mut new, others) = match ui::refusal(&request, &problem) {
        Some(page) => (page, vec![refusal.headers().clone(), old.headers().clone()]),
        None => (refusal, vec![old.headers().clone()]),
    };
    for (name, value) in others.iter().flatten() {
        if !matches!(*name, header::CONTENT_TYPE | header::CONTENT_LENGTH) && !new.headers().contains_key(name) {
            new.headers_mut().append(name.clone(), value.clone());
        }
    }
    ServiceResponse::new(request, new).map_into_right_body()
}

/// The headers that every answer has.
fn dress(headers: &mut HeaderMap, id: &RequestId, secure: bool) {
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        headers.insert(HeaderName::from_static("x-request-id"), value);
    }
    for (name, value) in [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; \
             form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if secure {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
}

/// A path as the log may have it: at most 256 characters. Escaping is the log writer's.
fn shortened(path: &str) -> String {
    path.chars().take(256).collect()
}

/// A response body that keeps its request under way until it was handed over or dropped.
struct Held {
    body: BoxBody,
    _under_way: Option<UnderWay>,
}

impl MessageBody for Held {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_next(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        headers
    }

    #[test]
    fn a_well_formed_request_id_is_kept_and_another_is_replaced() {
        assert_eq!(RequestId::of(&headers("x-request-id", "abc-DEF_12345")).0, "abc-DEF_12345");
        for bad in ["short", "with space in it", "semi;colon-semi", &"x".repeat(65)] {
            assert_ne!(RequestId::of(&headers("x-request-id", bad)).0, bad);
        }
    }

    #[test]
    fn only_a_valid_trace_is_passed_on() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(TraceParent::of(&headers("traceparent", good)), Some(TraceParent(good.to_owned())));
        for bad in [
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "nonsense",
        ] {
            assert_eq!(TraceParent::of(&headers("traceparent", bad)), None, "{bad}");
        }
    }
}
