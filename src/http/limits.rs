//! Bounds on what a caller may ask of a door, and the reading of bodies under them.
//!
//! actix bounds the head of a first request and a stalled handshake, nothing else. What it leaves open is closed here
//! (bodies: their size, total time and least rate) and in [`pace`](super::pace) (readers that do not read, heads of later
//! requests that never end).

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::HttpMessage as _;
use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::{Bytes, Data};
use futures_util::Stream;
use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use tokio::time::{Instant, Sleep};

use super::caller;
use super::listen::{Connection, Door};
use super::problem::{Code, Problem};
use crate::domain::ids::{Identity, OpaqueId};

/// Bounds on what a caller may ask.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Requests a second from one address or token.
    pub requests_per_second: NonZeroU32,
    /// Requests at once before the rate counts.
    pub burst: NonZeroU32,
    /// The largest body, in bytes.
    pub body_bytes: usize,
    /// Within which a body must have arrived.
    pub body_deadline: Duration,
    /// The least rate of a body and of a waited-for reader, in bytes a second; 0 switches the rule off.
    pub min_bytes_per_second: u64,
    /// Before the least rate of a body counts.
    pub body_grace: Duration,
    /// Over which a reader's rate is judged.
    pub reader_window: Duration,
    /// For the head of a request.
    pub head: Duration,
    /// For a TLS handshake.
    pub handshake: Duration,
    /// Between requests on one connection.
    pub idle: Duration,
    /// Connections at once on one listener.
    pub connections: usize,
    /// Connections at once from one address.
    pub connections_per_address: usize,
    /// For the accepted requests of a stopping node.
    pub shutdown: Duration,
    /// Worker threads of one listener; at least 1.
    pub workers: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests_per_second: const { NonZeroU32::new(50).expect("50 is not 0") },
            burst: const { NonZeroU32::new(200).expect("200 is not 0") },
            body_bytes: 4 << 20,
            body_deadline: Duration::from_secs(60),
            min_bytes_per_second: 8 << 10,
            body_grace: Duration::from_secs(5),
            reader_window: Duration::from_secs(60),
            head: Duration::from_secs(15),
            handshake: Duration::from_secs(5),
            idle: Duration::from_secs(120),
            connections: 8_192,
            connections_per_address: 1_024,
            shutdown: Duration::from_secs(30),
            workers: 1,
        }
    }
}

/// Why a body could not be read to its end; carried inside [`PayloadError::Io`], which is what actix passes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// Too slow, or not done within its deadline.
    #[error("the body came too slowly")]
    TooSlow,
    /// Longer than allowed.
    #[error("the body is longer than {limit} bytes")]
    TooLarge {
        /// What is allowed.
        limit: usize,
    },
}

impl BodyError {
    /// The bound that a payload error is about, where it is about one.
    pub fn of(error: &PayloadError) -> Option<Self> {
        let PayloadError::Io(error) = error else { return None };
        error.get_ref()?.downcast_ref::<Self>().copied()
    }
}

impl From<BodyError> for PayloadError {
    fn from(error: BodyError) -> Self {
        Self::Io(std::io::Error::other(error))
    }
}

/// Middleware: every body is read under the door's bounds, whichever extractor reads it.
pub async fn bound_body<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let Some(limits) = request.app_data::<Data<Door>>().map(|door| door.limits.clone()) else {
        return Ok(next.call(request).await?.map_into_left_body());
    };
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if length.is_some_and(|length: u64| length > limits.body_bytes as u64) {
        let refused = Problem::from(BodyError::TooLarge { limit: limits.body_bytes });
        return Ok(request.into_response(refused.response()).map_into_right_body());
    }
    let payload = request.take_payload();
    if matches!(payload, Payload::None) {
        return Ok(next.call(request).await?.map_into_left_body());
    }
    request.set_payload(Payload::Stream { payload: Box::pin(BoundedBody::new(payload, &limits)) });
    Ok(next.call(request).await?.map_into_left_body())
}

/// How many requests each caller has left: a token bucket for each token, certificate or, without either, address.
#[derive(Debug)]
pub struct Rates {
    buckets: DefaultKeyedRateLimiter<RateKey, StateInformationMiddleware>,
    burst: NonZeroU32,
    window: u64,
}

/// Whose bucket.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RateKey {
    /// Somebody without a name.
    Address(IpAddr),
    /// The bearer of a token, by its id.
    Token(OpaqueId),
    /// The owner of a certificate.
    Certificate(Identity),
}

impl Rates {
    /// Buckets under these limits.
    pub fn new(limits: &Limits) -> Self {
        let quota = Quota::per_second(limits.requests_per_second).allow_burst(limits.burst);
        let window = u64::from(limits.burst.get()).div_ceil(u64::from(limits.requests_per_second.get()));
        Self { buckets: RateLimiter::keyed(quota).with_middleware(), burst: limits.burst, window }
    }

    /// Takes one request from a bucket: what remains, or the seconds to wait.
    pub fn take(&self, key: &RateKey) -> Result<u32, u64> {
        match self.buckets.check_key(key) {
            Ok(left) => Ok(left.remaining_burst_capacity()),
            Err(not_until) => {
                let wait = not_until.wait_time_from(DefaultClock::default().now());
                Err(wait.as_secs_f64().ceil().max(1.0) as u64)
            }
        }
    }

    /// Forgets callers whose bucket is full again, so that addresses do not pile up.
    pub fn sweep(&self) {
        self.buckets.retain_recent();
        self.buckets.shrink_to_fit();
    }
}

/// Middleware: each caller has a bucket of requests; the answer says what is left of it.
pub async fn bound_rate<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let Some(door) = request.app_data::<Data<Door>>().cloned() else {
        return Ok(next.call(request).await?.map_into_left_body());
    };
    let Some(rates) = &door.rates else { return Ok(next.call(request).await?.map_into_left_body()) };
    let Some(key) = rate_key(&request, &door) else { return Ok(next.call(request).await?.map_into_left_body()) };
    let (mut response, left, reset) = match rates.take(&key) {
        Ok(left) => (next.call(request).await?.map_into_left_body(), left, rates.window),
        Err(wait) => {
            let problem = Problem::new(Code::TooManyRequests, format!("too many requests: try again in {wait} s"))
                .retry_after(wait);
            (request.into_response(problem.response()).map_into_right_body(), 0, wait)
        }
    };
    let headers = response.headers_mut();
    let mut say = |name: &'static str, text: String| {
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    say("ratelimit-policy", format!("\"default\";q={};w={}", rates.burst, rates.window));
    say("ratelimit", format!("\"default\";r={left};t={reset}"));
    Ok(response)
}

fn rate_key(request: &ServiceRequest, door: &Door) -> Option<RateKey> {
    if let Some(presented) = request.conn_data::<Connection>().and_then(|connection| connection.presented.as_ref()) {
        return Some(RateKey::Certificate(presented.identity.clone()));
    }
    if let Some(token) = caller::token_of(request) {
        return Some(RateKey::Token(token));
    }
    caller::address(request.request(), &door.trusted_proxies).map(RateKey::Address)
}

/// A body that ends in an error when it is too long, too late or too slow.
struct BoundedBody {
    payload: Payload,
    began: Instant,
    deadline: Duration,
    grace: Duration,
    min_bytes_per_second: u64,
    limit: usize,
    read: usize,
    timer: Pin<Box<Sleep>>,
}

impl BoundedBody {
    fn new(payload: Payload, limits: &Limits) -> Self {
        let began = Instant::now();
        let mut body = Self {
            payload,
            began,
            deadline: limits.body_deadline,
            grace: limits.body_grace,
            min_bytes_per_second: limits.min_bytes_per_second,
            limit: limits.body_bytes,
            read: 0,
            timer: Box::pin(tokio::time::sleep_until(began)),
        };
        let due = body.due();
        body.timer.as_mut().reset(due);
        body
    }

    /// The moment at which what was read so far is no longer enough.
    fn due(&self) -> Instant {
        let fair = match self.min_bytes_per_second {
            0 => self.deadline,
            rate => self.grace + Duration::from_secs_f64(self.read as f64 / rate as f64),
        };
        self.began + fair.min(self.deadline)
    }
}

impl Stream for BoundedBody {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let body = self.get_mut();
        match Pin::new(&mut body.payload).poll_next(context) {
            Poll::Ready(Some(Ok(chunk))) => {
                body.read += chunk.len();
                if body.read > body.limit {
                    return Poll::Ready(Some(Err(BodyError::TooLarge { limit: body.limit }.into())));
                }
                Poll::Ready(Some(Ok(chunk)))
            }
            Poll::Ready(other) => Poll::Ready(other),
            Poll::Pending => {
                let due = body.due();
                if body.timer.deadline() != due {
                    body.timer.as_mut().reset(due);
                }
                match body.timer.as_mut().poll(context) {
                    Poll::Ready(()) => Poll::Ready(Some(Err(BodyError::TooSlow.into()))),
                    Poll::Pending => Poll::Pending,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::StreamExt as _;

    /// A body of chunks of 10 bytes, one after each pause.
    fn dripping(pause: Duration, limits: &Limits) -> BoundedBody {
        let stream = futures_util::stream::unfold((), move |()| async move {
            tokio::time::sleep(pause).await;
            Some((Ok(Bytes::from_static(b"0123456789")), ()))
        });
        BoundedBody::new(Payload::Stream { payload: Box::pin(stream) }, limits)
    }

    async fn end(mut body: BoundedBody) -> (usize, BodyError) {
        loop {
            if let Some(Err(error)) = body.next().await {
                return (body.read, BodyError::of(&error).unwrap());
            }
        }
    }

    fn limits() -> Limits {
        Limits {
            body_bytes: 1_000,
            body_deadline: Duration::from_secs(60),
            min_bytes_per_second: 100,
            body_grace: Duration::from_millis(300),
            ..Limits::default()
        }
    }

    #[tokio::test]
    async fn a_slow_body_is_cut_after_the_grace_and_a_fair_one_only_at_its_size() {
        let (read, error) = end(dripping(Duration::from_millis(250), &limits())).await;
        assert_eq!(error, BodyError::TooSlow);
        assert!(read < 100, "{read}");
        let (_, error) = end(dripping(Duration::from_millis(1), &limits())).await;
        assert_eq!(error, BodyError::TooLarge { limit: 1_000 });
    }

    #[tokio::test]
    async fn a_fair_body_still_ends_at_the_deadline() {
        let limits = Limits {
            body_bytes: usize::MAX,
            body_deadline: Duration::from_millis(300),
            min_bytes_per_second: 1,
            ..limits()
        };
        let (read, error) = end(dripping(Duration::from_millis(10), &limits)).await;
        assert_eq!(error, BodyError::TooSlow);
        assert!(read > 10, "{read}");
    }
}
