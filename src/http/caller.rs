//! Who asks: the extractors that turn a token, a session or a certificate into a name.
//!
//! A handler names what it needs in its arguments, so that a route cannot be declared away from its guard.

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::header;

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
