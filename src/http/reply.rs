//! What every door does alike: strong entity tags, preconditions, cursors and pages.

use actix_web::http::{StatusCode, header};
use actix_web::web::Bytes;
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse};
use serde::Serialize;

use super::problem::{Code, Problem};
use crate::catalogue::IfMatch;
use crate::domain::ids::Digest;
use crate::schema;

/// The largest page. A larger one is refused, never silently shrunk.
pub const MAX_PAGE: usize = 100;
/// A page of whole records ends once they have this many bytes, with a cursor to the rest.
pub const PAGE_BYTES: usize = 8 << 20;
/// The page where nobody says.
pub const PAGE: usize = 20;

/// A representation as JSON under a strong entity tag; 304 where the caller has it already. `tag` is the tag where the
/// thing has one of its own; otherwise it is the digest of the body.
pub fn json(
    request: &HttpRequest,
    status: StatusCode,
    tag: Option<Digest>,
    body: &impl Serialize,
) -> Result<HttpResponse, Problem> {
    let bytes = serde_json::to_vec(body).map_err(|error| Problem::internal(&error))?;
    let tag = tag.unwrap_or_else(|| Digest::of(&bytes));
    let known = matches!(status, StatusCode::OK) && request.method().is_safe() && has(request, &tag);
    let mut builder = HttpResponse::build(if known { StatusCode::NOT_MODIFIED } else { status });
    builder
        .insert_header((header::ETAG, format!("\"{tag}\"")))
        .insert_header((header::VARY, "Accept, Authorization, Cookie"))
        // Who may see it is judged at each request.
        .insert_header((header::CACHE_CONTROL, "private, no-cache"));
    if known {
        return Ok(builder.finish());
    }
    Ok(builder.content_type("application/json").body(bytes))
}

/// A text of the node's own under a strong entity tag, the same for everybody.
pub fn text(request: &HttpRequest, media_type: &'static str, text: &'static str) -> HttpResponse {
    let tag = Digest::of(text.as_bytes());
    let known = request.method().is_safe() && has(request, &tag);
    let mut builder = HttpResponse::build(if known { StatusCode::NOT_MODIFIED } else { StatusCode::OK });
    builder
        .insert_header((header::ETAG, format!("\"{tag}\"")))
        .insert_header((header::CACHE_CONTROL, "public, max-age=300"));
    if known { builder.finish() } else { builder.content_type(media_type).body(text) }
}

/// Bytes that are kept here, under the digest of what they are; 304 where the caller has them already.
pub fn bytes(request: &HttpRequest, media_type: &'static str, tag: &Digest, body: Vec<u8>) -> HttpResponse {
    let known = request.method().is_safe() && has(request, tag);
    let mut builder = HttpResponse::build(if known { StatusCode::NOT_MODIFIED } else { StatusCode::OK });
    builder
        .insert_header((header::ETAG, format!("\"{tag}\"")))
        .insert_header((header::VARY, "Authorization, Cookie"))
        .insert_header((header::CACHE_CONTROL, "private, no-cache"));
    if known { builder.finish() } else { builder.content_type(media_type).body(body) }
}

/// Bytes that are made anew each time and say the same, under a weak entity tag.
pub fn alike(request: &HttpRequest, media_type: &'static str, tag: &Digest, body: Vec<u8>) -> HttpResponse {
    let mut response = bytes(request, media_type, tag, body);
    if let Ok(tag) = header::HeaderValue::from_str(&format!("W/\"{tag}\"")) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// Whether a reader has this representation already, so that it need not be made.
pub fn is_known(request: &HttpRequest, tag: &Digest) -> bool {
    request.method().is_safe() && has(request, tag)
}

/// Whether `If-None-Match` says that the caller has this representation already.
fn has(request: &HttpRequest, tag: &Digest) -> bool {
    tags(request, header::IF_NONE_MATCH).is_some_and(|listed| {
        // A weak comparison, as RFC 9110 wants it for reading.
        listed.iter().any(|found| found == "*" || found.trim_start_matches("W/") == format!("\"{tag}\""))
    })
}

fn tags(request: &HttpRequest, name: header::HeaderName) -> Option<Vec<String>> {
    let mut lines = request.headers().get_all(name).peekable();
    lines.peek()?;
    let text = lines.filter_map(|value| value.to_str().ok()).collect::<Vec<_>>().join(",");
    Some(text.split(',').map(|tag| tag.trim().to_owned()).filter(|tag| !tag.is_empty()).collect())
}

/// What `If-Match` asks. A write without it is refused, because it could overwrite what somebody else has just written.
/// A tag that none of ours can equal (weak, or not a digest) matches nothing.
pub fn if_match(request: &HttpRequest) -> Result<IfMatch, Problem> {
    let Some(listed) = tags(request, header::IF_MATCH) else {
        return Err(Problem::new(
            Code::IfMatchRequired,
            "read it first and send its ETag in If-Match, so that nobody else's change is overwritten",
        ));
    };
    if listed.iter().any(|tag| tag == "*") {
        return Ok(IfMatch::Any);
    }
    let ours = |tag: &String| tag.strip_prefix('"')?.strip_suffix('"')?.parse().ok();
    Ok(IfMatch::Tags(listed.iter().filter_map(ours).collect()))
}

/// The size of a page that was asked for.
pub fn page(limit: Option<usize>) -> Result<usize, Problem> {
    match limit {
        None => Ok(PAGE),
        Some(limit) if (1..=MAX_PAGE).contains(&limit) => Ok(limit),
        Some(limit) => Err(Problem::new(
            Code::BadParameter,
            format!("limit={limit} is refused: a page has 1 to {MAX_PAGE}; follow the cursor for more"),
        )),
    }
}

/// The `Link` header to the next page: the same address with this cursor.
pub fn next_link(request: &HttpRequest, cursor: &str) -> (header::HeaderName, String) {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(
        url::form_urlencoded::parse(request.query_string().as_bytes()).filter(|(name, _)| name != "cursor"),
    );
    query.append_pair("cursor", cursor);
    (header::LINK, format!("<{}?{}>; rel=\"next\"", request.path(), query.finish()))
}

/// A body of JSON, as bytes: the media type is checked, the size is the schema's, and that it is JSON at all is told
/// apart from what it says.
pub fn document(request: &HttpRequest, body: &Bytes) -> Result<(), Problem> {
    let media = request.content_type();
    if !(media.is_empty() || media == "application/json" || media.ends_with("+json")) {
        return Err(Problem::new(
            Code::UnsupportedMediaType,
            "send the body as JSON, with Content-Type: application/json",
        ));
    }
    if body.len() > schema::MAX_BYTES {
        return Err(Problem::new(
            Code::TooLarge,
            format!(
                "a record has at most {} bytes: shorten the texts, or describe parts as datasets of their own",
                schema::MAX_BYTES
            ),
        ));
    }
    schema::value(body).map(drop).map_err(|violations| Problem::of_violations(Code::MalformedBody, &violations))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn if_match_is_required_and_only_our_own_strong_tags_count() {
        let tag = Digest::of(b"x");
        let read = |value: &str| if_match(&TestRequest::default().insert_header(("If-Match", value)).to_http_request());
        let absent = if_match(&TestRequest::default().to_http_request()).unwrap_err();
        assert_eq!(absent.code, Code::IfMatchRequired);
        assert_eq!(read("*").unwrap(), IfMatch::Any);
        assert_eq!(read(&format!("\"abc\", \"{tag}\"")).unwrap(), IfMatch::Tags(vec![tag]));
        assert_eq!(read(&format!("W/\"{tag}\"")).unwrap(), IfMatch::Tags(vec![]));
        assert_eq!(read(&format!("{tag}")).unwrap(), IfMatch::Tags(vec![]));
    }

    #[test]
    fn the_next_page_keeps_the_question_and_replaces_the_cursor() {
        let request = TestRequest::with_uri("/api/v1/datasets?country=FI&cursor=old&limit=5").to_http_request();
        let (_, link) = next_link(&request, "new");
        assert_eq!(link, "</api/v1/datasets?country=FI&limit=5&cursor=new>; rel=\"next\"");
    }
}
