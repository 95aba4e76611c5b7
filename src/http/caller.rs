//! Who asks: the extractors that turn a token, a session or a certificate into a name.
//!
//! A handler names in its arguments what it needs ([`Steward`], [`Operator`], [`Administrator`], any [`Caller`], or
//! [`MaybeCaller`]; on the federation door [`Certified`]), so that a route cannot be declared away from its guard.

use std::future::{Ready, ready};
use std::net::IpAddr;
use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};

use super::listen::Connection;
use super::problem::{Code, Problem};
use super::session::{Session, Sessions};
use crate::accounts::Accounts;
use crate::domain::event::{Actor, Role, TokenRow};
use crate::domain::ids::{Identity, IdentityKind, OpaqueId};
use crate::peers::identity::Presented;
use crate::peers::trust::{Standing, Trust};

/// Somebody with a token in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The token, by its id.
    pub token: OpaqueId,
    /// What its bearer may do.
    pub role: Role,
    /// For whom.
    pub participant: Option<Identity>,
}

impl Caller {
    fn of(token: TokenRow) -> Self {
        Self { token: token.id, role: token.role, participant: token.participant }
    }

    /// The caller as the log names it.
    pub fn actor(&self) -> Actor {
        Actor::Token { token: self.token.clone() }
    }

    fn needs(&self, role: Role) -> Result<(), Problem> {
        if self.role == role {
            return Ok(());
        }
        Err(Problem::new(
            Code::Forbidden,
            format!("this needs a token of a {}, and this one is a {}'s", role.as_str(), self.role.as_str()),
        ))
    }

    fn acts_for(&self) -> Result<Identity, Problem> {
        self.participant.clone().ok_or_else(|| Problem::new(Code::Forbidden, "this token acts for no participant"))
    }
}

/// A caller, or somebody without a token. A token that is not in force is refused even here: whoever sent one believes
/// to be known.
#[derive(Debug, Clone)]
pub struct MaybeCaller(pub Option<Caller>);

/// Acts for an owner.
#[derive(Debug, Clone)]
pub struct Steward {
    /// Who.
    pub caller: Caller,
    /// For whom.
    pub owner: Identity,
}

/// Acts for a holder.
#[derive(Debug, Clone)]
pub struct Operator {
    /// Who.
    pub caller: Caller,
    /// For whom.
    pub holder: Identity,
}

/// Runs the node.
#[derive(Debug, Clone)]
pub struct Administrator(pub Caller);

/// Somebody at the federation door, whose certificate was checked again for this very request.
#[derive(Debug, Clone)]
pub struct Certified {
    /// The certificate.
    pub presented: Arc<Presented>,
    /// How far its domain is trusted now.
    pub standing: Standing,
}

impl Certified {
    /// The peer, or a refusal for participants.
    pub fn node(&self) -> Result<&Identity, Problem> {
        self.of_kind(IdentityKind::Node, "this is for nodes; participants ask their home node")
    }

    /// The participant, or a refusal for nodes.
    pub fn participant(&self) -> Result<&Identity, Problem> {
        self.of_kind(IdentityKind::Participant, "this is for participants, who present their own certificate")
    }

    fn of_kind(&self, kind: IdentityKind, refusal: &str) -> Result<&Identity, Problem> {
        let identity = &self.presented.identity;
        if identity.kind() == kind { Ok(identity) } else { Err(Problem::new(Code::Forbidden, refusal)) }
    }
}

/// What [`identify`] found out about a request; in its extensions.
#[derive(Debug, Clone)]
enum Identified {
    Nobody,
    Known(Caller),
    Refused(Problem),
}

/// Middleware: looks the token or the session up, once a request.
pub async fn identify<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let accounts = request.app_data::<Data<Accounts>>().cloned();
    let Some(accounts) = accounts else { return Ok(next.call(request).await?.map_into_left_body()) };
    let identified = match bearer(request.request()) {
        Some(secret) => match accounts.by_secret(secret).await {
            Ok(Some(token)) => Identified::Known(Caller::of(token)),
            Ok(None) => Identified::Refused(Problem::new(
                Code::Unauthenticated,
                "the token is unknown, has run out or was revoked: ask an administrator of this node for another",
            )),
            Err(error) => Identified::Refused(error.into()),
        },
        None => match with_session(&mut request, &accounts).await {
            Ok(Some(caller)) => Identified::Known(caller),
            Ok(None) => Identified::Nobody,
            Err(problem) => return Ok(request.into_response(problem.response()).map_into_right_body()),
        },
    };
    request.extensions_mut().insert(identified);
    Ok(next.call(request).await?.map_into_left_body())
}

/// The caller of a page, after it was made sure that a write comes from a page of ours.
async fn with_session(request: &mut ServiceRequest, accounts: &Accounts) -> Result<Option<Caller>, Problem> {
    let Some(sessions) = request.app_data::<Data<Sessions>>().cloned() else { return Ok(None) };
    let Some(session) = sessions.of(request.request()) else { return Ok(None) };
    if !request.method().is_safe() {
        session.check_write(request).await?;
    }
    let token = accounts.by_hash(&session.hash).await?;
    request.extensions_mut().insert(session);
    Ok(token.map(Caller::of))
}

fn bearer(request: &HttpRequest) -> Option<&str> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, secret) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(secret.trim())
}

/// The id of the token that a request was identified by.
pub(super) fn token_of(request: &ServiceRequest) -> Option<OpaqueId> {
    match request.extensions().get::<Identified>() {
        Some(Identified::Known(caller)) => Some(caller.token.clone()),
        _ => None,
    }
}

fn caller_of(request: &HttpRequest) -> Result<Option<Caller>, Problem> {
    match request.extensions().get::<Identified>() {
        Some(Identified::Known(caller)) => Ok(Some(caller.clone())),
        Some(Identified::Refused(problem)) => Err(problem.clone()),
        Some(Identified::Nobody) | None => Ok(None),
    }
}

/// Who asks, as far as that is known and in force, for a page that refuses something.
pub(super) fn known(request: &HttpRequest) -> MaybeCaller {
    MaybeCaller(caller_of(request).unwrap_or_default())
}

fn some_caller(request: &HttpRequest) -> Result<Caller, Problem> {
    caller_of(request)?.ok_or_else(|| {
        Problem::new(Code::Unauthenticated, "this needs a token: send it as `Authorization: Bearer …`, or sign in")
    })
}

/// An extractor that is a function of the request's head.
macro_rules! extractor {
    ($name:ident, $from:expr) => {
        impl FromRequest for $name {
            type Error = Problem;
            type Future = Ready<Result<Self, Problem>>;

            fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
                let from: fn(&HttpRequest) -> Result<Self, Problem> = $from;
                ready(from(request))
            }
        }
    };
}

extractor!(Caller, some_caller);
extractor!(MaybeCaller, |request| caller_of(request).map(Self));
extractor!(Steward, |request| {
    let caller = some_caller(request)?;
    caller.needs(Role::Steward)?;
    Ok(Self { owner: caller.acts_for()?, caller })
});
extractor!(Operator, |request| {
    let caller = some_caller(request)?;
    caller.needs(Role::Operator)?;
    Ok(Self { holder: caller.acts_for()?, caller })
});
extractor!(Administrator, |request| {
    let caller = some_caller(request)?;
    caller.needs(Role::Administrator)?;
    Ok(Self(caller))
});
extractor!(Session, |request| {
    request
        .extensions()
        .get::<Session>()
        .cloned()
        .ok_or_else(|| Problem::new(Code::Unauthenticated, "this needs a session: sign in on the page"))
});
extractor!(Certified, |request| {
    let no_certificate = || Problem::new(Code::Unauthenticated, "this door needs a certificate of the federation");
    let connection = request.conn_data::<Connection>().ok_or_else(no_certificate)?;
    let presented = connection.presented.clone().ok_or_else(no_certificate)?;
    let trust = request.app_data::<Data<Trust>>().ok_or_else(no_certificate)?;
    // A connection lives longer than a revocation list: what held at the handshake need not hold now.
    match trust.check_again(&presented) {
        Ok(standing) => Ok(Self { presented, standing }),
        Err(refusal) => Err(Problem::new(Code::CertificateRefused, refusal.to_string())),
    }
});

/// The address a request comes from. Behind a trusted proxy it is the last address that the proxy vouches for.
pub fn address(request: &HttpRequest, trusted_proxies: &[IpAddr]) -> Option<IpAddr> {
    let direct = request.peer_addr()?.ip();
    if !trusted_proxies.contains(&direct) {
        return Some(direct);
    }
    // Each proxy appends the address it saw, so the true one is the last that no trusted proxy has.
    let forwarded = request
        .headers()
        .get_all(header::X_FORWARDED_FOR)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|text| text.trim().parse::<IpAddr>())
        .collect::<Result<Vec<_>, _>>()
        .unwrap_or_default();
    Some(forwarded.into_iter().rev().find(|address| !trusted_proxies.contains(address)).unwrap_or(direct))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn a_forwarded_address_is_believed_only_from_a_trusted_proxy_and_cannot_be_made_up() {
        let proxy: IpAddr = "10.0.0.1".parse().unwrap();
        let request = TestRequest::default()
            .peer_addr("10.0.0.1:1".parse().unwrap())
            .insert_header(("X-Forwarded-For", "1.1.1.1, 192.0.2.7, 10.0.0.1"))
            .to_http_request();
        assert_eq!(address(&request, &[proxy]), Some("192.0.2.7".parse().unwrap()));
        assert_eq!(address(&request, &[]), Some(proxy));
        let request = TestRequest::default()
            .peer_addr("10.0.0.1:1".parse().unwrap())
            .insert_header(("X-Forwarded-For", "nonsense, 192.0.2.7"))
            .to_http_request();
        assert_eq!(address(&request, &[proxy]), Some(proxy));
    }
}
