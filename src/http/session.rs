//! Sessions of pages: a token, signed in once, carried by a cookie.
//!
//! The cookie is sealed and holds the token's digest, so that nothing is kept on the node and a revoked token ends its
//! sessions at once. A write with a cookie needs proof that it comes from a page of ours: the browser says so
//! (`Sec-Fetch-Site`, `Origin`), and the page sends back the session's own secret. A bearer token needs none of this,
//! since no browser sends it by itself.

use std::sync::Arc;

use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::http::header;
use actix_web::web::{self, Bytes, Data, ServiceConfig};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse};
use futures_util::TryStreamExt as _;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::problem::{Code, Problem};
use super::seal::Sealer;
use crate::accounts::Accounts;
use crate::clock::Clock;
use crate::domain::ids::Digest;

/// How long a session lasts without signing in again.
const LIFETIME: SignedDuration = SignedDuration::from_hours(12);
/// The largest form that a page sends.
const MAX_FORM: usize = 64 * 1024;
/// The header in which a script of a page sends the session's secret.
const CSRF_HEADER: &str = "x-csrf-token";
/// The field in which a form of a page sends it.
pub const CSRF_FIELD: &str = "csrf";

/// The routes for signing in and out.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/session").route(web::post().to(sign_in)))
        .service(web::resource("/session/end").route(web::post().to(sign_out)));
}

/// What a session's cookie holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The digest of the token that was signed in with.
    pub hash: Digest,
    /// When it ends.
    pub until: Timestamp,
    /// What a page must send back with a write.
    pub csrf: String,
}

/// Makes and reads sessions.
#[derive(Debug)]
pub struct Sessions {
    sealer: Arc<Sealer>,
    clock: Arc<dyn Clock>,
    secure: bool,
}

impl Sessions {
    /// Sessions sealed with this key. `secure` says that the pages are reached by TLS.
    pub fn new(sealer: Arc<Sealer>, clock: Arc<dyn Clock>, secure: bool) -> Self {
        Self { sealer, clock, secure }
    }

    /// The session that a request carries, if it has not ended.
    pub fn of(&self, request: &HttpRequest) -> Option<Session> {
        let cookie = request.cookie(self.name())?;
        self.sealer.open::<Session>("session", cookie.value()).filter(|session| self.clock.now() < session.until)
    }

    fn begin(&self, hash: Digest) -> Result<Cookie<'static>, Problem> {
        let mut secret = [0; 16];
        aws_lc_rs::rand::fill(&mut secret).map_err(|error| Problem::internal(&error))?;
        let csrf = data_encoding::BASE64URL_NOPAD.encode(&secret);
        let session = Session { hash, until: self.clock.now() + LIFETIME, csrf };
        Ok(self.cookie(self.sealer.seal("session", &session)?))
    }

    fn cookie(&self, value: String) -> Cookie<'static> {
        Cookie::build(self.name(), value)
            .path("/")
            .secure(self.secure)
            .http_only(true)
            .same_site(SameSite::Strict)
            .finish()
    }

    /// Browsers keep the name with `__Host-` for cookies that only this very host set, by TLS.
    fn name(&self) -> &'static str {
        if self.secure { "__Host-pleiad" } else { "pleiad" }
    }
}

impl Session {
    /// Makes sure that a write comes from a page of ours. Reads a form's body and puts it back.
    pub(super) async fn check_write(&self, request: &mut ServiceRequest) -> Result<(), Problem> {
        check_site(request.request())?;
        let sent = match request.headers().get(CSRF_HEADER) {
            Some(value) => value.to_str().ok().map(str::to_owned),
            None if request.content_type() == "application/x-www-form-urlencoded" => {
                let body = read_form(request.take_payload()).await?;
                let field = url::form_urlencoded::parse(&body).find(|(name, _)| name == CSRF_FIELD);
                let sent = field.map(|(_, value)| value.into_owned());
                request.set_payload(Payload::from(body));
                sent
            }
            None => None,
        };
        if sent.is_some_and(|sent| Digest::of(sent.as_bytes()) == Digest::of(self.csrf.as_bytes())) {
            return Ok(());
        }
        Err(cross_site())
    }
}

async fn read_form(mut payload: Payload) -> Result<Bytes, Problem> {
    let mut body = web::BytesMut::new();
    while let Some(chunk) = payload.try_next().await.map_err(Problem::from)? {
        if body.len() + chunk.len() > MAX_FORM {
            return Err(Problem::new(Code::TooLarge, format!("a form has at most {MAX_FORM} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// What the browser itself says about where a write comes from; a script cannot forge these headers.
fn check_site(request: &HttpRequest) -> Result<(), Problem> {
    let text = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap_or("?"));
    if text("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none")) {
        return Err(cross_site());
    }
    let origin = text("origin").map(|origin| origin.split_once("://").map_or(origin, |(_, authority)| authority));
    if origin.is_some_and(|origin| Some(origin) != text("host")) {
        return Err(cross_site());
    }
    Ok(())
}

fn cross_site() -> Problem {
    Problem::new(Code::CrossSite, "load the page again and repeat: a write must come from a page of this node")
}

#[derive(Deserialize)]
struct SignIn {
    token: String,
}

/// `POST /session`: signs in with a token and goes to the first page.
async fn sign_in(
    request: HttpRequest,
    form: web::Form<SignIn>,
    accounts: Data<Accounts>,
    sessions: Data<Sessions>,
) -> Result<HttpResponse, Problem> {
    check_site(&request)?;
    let token = accounts.by_secret(form.token.trim()).await?.ok_or_else(|| {
        Problem::new(
            Code::Unauthenticated,
            "the token is unknown, has run out or was revoked: check it, or ask for another",
        )
    })?;
    Ok(HttpResponse::SeeOther()
        .insert_header((header::LOCATION, "/"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .cookie(sessions.begin(token.hash)?)
        .finish())
}

/// `POST /session/end`: signs out.
async fn sign_out(session: Session, sessions: Data<Sessions>) -> HttpResponse {
    drop(session);
    let mut cookie = sessions.cookie(String::new());
    cookie.make_removal();
    HttpResponse::SeeOther().insert_header((header::LOCATION, "/")).cookie(cookie).finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn a_write_from_another_site_is_told_by_what_the_browser_says() {
        let check = |headers: &[(&'static str, &'static str)]| {
            let mut request = TestRequest::default().insert_header(("host", "catalogue.fi"));
            for header in headers {
                request = request.insert_header(*header);
            }
            check_site(&request.to_http_request()).is_ok()
        };
        assert!(check(&[]));
        assert!(check(&[("sec-fetch-site", "same-origin"), ("origin", "https://catalogue.fi")]));
        assert!(!check(&[("sec-fetch-site", "cross-site")]));
        assert!(!check(&[("sec-fetch-site", "same-site")]));
        assert!(!check(&[("origin", "https://evil.example")]));
        assert!(!check(&[("origin", "null")]));
    }
}
