//! The contract, served by the node itself: `/openapi.json` on every door, the JSON Schemas it embeds by `$ref` under
//! `/schemas`, and what the problem codes mean under `/problems`.
//!
//! The document is written by hand in `schemas/openapi.json`; the tests below hold it to the routes, both ways.

use actix_web::http::header;
use actix_web::web::{self, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use super::problem::Problem;
use super::{get, reply};
use crate::schema;

const OPENAPI: &str = include_str!("../../schemas/openapi.json");
const PROBLEMS: &str = include_str!("../../docs/problems.md");

/// The routes for the web door.
pub fn routes(config: &mut ServiceConfig) {
    config
        .configure(document_route)
        .service(web::resource("/schemas/{name}").route(get().to(schema)))
        .service(web::resource("/problems").route(get().to(problems)));
}

/// The one route that every door has.
pub fn document_route(config: &mut ServiceConfig) {
    config.service(web::resource("/openapi.json").route(get().to(document)));
}

async fn document(request: HttpRequest) -> HttpResponse {
    reply::text(&request, "application/json", OPENAPI)
}

async fn schema(request: HttpRequest, name: Path<String>) -> Result<HttpResponse, Problem> {
    let text = match name.as_str() {
        "dataset.schema.json" => schema::DATASET_SCHEMA,
        "draft.schema.json" => schema::DRAFT_SCHEMA,
        "record.schema.json" => schema::RECORD_SCHEMA,
        "problem.schema.json" => schema::PROBLEM_SCHEMA,
        _ => return Err(Problem::not_found("schema")),
    };
    Ok(reply::text(&request, "application/schema+json", text))
}

async fn problems(request: HttpRequest) -> HttpResponse {
    let mut response = reply::text(&request, "text/markdown; charset=utf-8", PROBLEMS);
    response.headers_mut().insert(header::CONTENT_LANGUAGE, header::HeaderValue::from_static("en"));
    response
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use actix_web::http::{Method, StatusCode};
    use actix_web::test::{TestRequest, call_service, init_service};
    use actix_web::{App, web};
    use serde_json::Value;

    use super::*;
    use crate::http;

    const METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

    fn document() -> Value {
        serde_json::from_str(OPENAPI).unwrap()
    }

    /// An address of the form, with values that its parts accept.
    fn address(path: &str) -> String {
        [
            ("{local}", "birds"),
            ("{revision}", "1"),
            ("{seq}", "1"),
            ("{suffix}", "ttl"),
            ("{shard}", "a.bin"),
            ("{name}", "dataset.schema.json"),
            ("{source}", "data.example"),
            ("{run}", "0123456789abcdef"),
        ]
        .iter()
        .fold(path.to_owned(), |path, (part, value)| path.replace(part, value))
        .replace("{id}", "0123456789abcdef")
        .replace("{token}", "0123456789abcdef")
        .replace("{agreement}", "0123456789abcdef")
    }

    /// The status of a bare request to a door without anything behind it, and whether anybody answered at all: what no
    /// route takes comes back with an empty body.
    async fn status(door: &str, method: &str, path: &str) -> (StatusCode, bool) {
        let routes: fn(&mut web::ServiceConfig) = match door {
            "web" => http::web,
            "federation" => http::federation,
            "operations" => http::operations,
            other => panic!("{other} is not a door"),
        };
        let app = init_service(App::new().configure(routes)).await;
        let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
        let request = TestRequest::default().method(method).uri(&address(path)).to_request();
        let response = call_service(&app, request).await;
        let problem = response.response().extensions().get::<Problem>().is_some();
        (response.status(), problem)
    }

    #[actix_web::test]
    async fn every_documented_path_answers_its_methods_on_its_door_and_no_others() {
        for (path, item) in document()["paths"].as_object().unwrap() {
            let door = item["x-door"].as_str().unwrap();
            for method in METHODS {
                let (status, answered) = status(door, method, path).await;
                let routed = status != StatusCode::METHOD_NOT_ALLOWED && (status != StatusCode::NOT_FOUND || answered);
                assert_eq!(routed, item.get(method).is_some(), "{method} {path} on {door}: {status}");
            }
        }
    }

    #[test]
    fn every_route_in_the_doors_is_documented() {
        let documented: BTreeSet<String> = document()["paths"].as_object().unwrap().keys().cloned().collect();
        let mut routed = BTreeSet::new();
        let mut folders = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let text = std::fs::read_to_string(&path).unwrap();
                    let routes = text.split("resource(\"").skip(1).filter_map(|rest| rest.split('"').next());
                    routed.extend(routes.filter(|route| route.starts_with('/')).map(str::to_owned));
                }
            }
        }
        assert_eq!(routed, documented);
    }

    #[actix_web::test]
    async fn the_documents_references_lead_somewhere() {
        let text = OPENAPI;
        let document = document();
        for reference in text.split("\"$ref\": \"").skip(1).filter_map(|rest| rest.split('"').next()) {
            match reference.strip_prefix('#') {
                Some(pointer) => assert!(document.pointer(pointer).is_some(), "{reference}"),
                None => assert_eq!(status("web", "get", reference).await.0, StatusCode::OK, "{reference}"),
            }
        }
        for door in ["web", "federation", "operations"] {
            assert_eq!(status(door, "get", "/openapi.json").await.0, StatusCode::OK, "{door}");
        }
    }
}
