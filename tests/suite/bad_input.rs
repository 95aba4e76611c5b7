//! Bad input: each kind has its own refusal with a sentence that helps, and nothing is half-written.

use serde_json::{Value, json};

use crate::datasets::{Scene, draft};

/// The position of the log and the list of datasets: what a refused request must not move.
async fn state(scene: &Scene) -> (u64, Value) {
    let list = scene.node.call("GET", "/api/v1/datasets?withdrawn=true").send().await.json();
    (scene.node.running.store().head().0, list)
}

#[tokio::test]
async fn a_body_that_is_no_dataset_is_refused_by_what_is_wrong_with_it_and_nothing_is_written() {
    let scene = Scene::new().await;
    scene.register(&draft("birds")).await;
    let before = state(&scene).await;
    let deep = format!("{{\"title\":{}1{}}}", "[".repeat(5_000), "]".repeat(5_000));
    let huge = format!("{{\"title\":{{\"en\":\"{}\"}}}}", "x".repeat(1_100_000));
    let mut unknown = draft("x");
    unknown["titel"] = json!({});
    let mut wrong = draft("x");
    wrong["title"] = 7.into();
    let mut foreign = draft("x");
    foreign["id"] = "https://de.pleiad.example/dataset/x".into();
    let mut country = draft("x");
    country["country"] = "DE".into();
    for (body, status, code, pointer) in [
        (String::new(), 400, "malformed_body", Some("")),
        ("{\"title\": ".to_owned(), 400, "malformed_body", Some("")),
        ("\u{0}\u{1}\u{2}".to_owned(), 400, "malformed_body", Some("")),
        ("{\"title\": {}, \"title\": {}}".to_owned(), 400, "malformed_body", Some("/title")),
        (deep, 400, "malformed_body", None),
        (huge, 413, "too_large", None),
        ("[]".to_owned(), 422, "invalid", None),
        (unknown.to_string(), 422, "invalid", Some("/titel")),
        (wrong.to_string(), 422, "invalid", Some("/title")),
        (foreign.to_string(), 422, "invalid", Some("/id")),
        (country.to_string(), 422, "invalid", Some("/country")),
        (draft("../../etc/passwd").to_string(), 422, "invalid", Some("/id")),
        (draft("birds").to_string(), 409, "already_exists", None),
    ] {
        let shown: String = body.chars().take(60).collect();
        let reply =
            scene.call("POST", "/api/v1/datasets").header("Content-Type", "application/json").body(body).send().await;
        let problem = reply.problem(status, code);
        if let Some(pointer) = pointer {
            assert_eq!(problem["errors"][0]["pointer"], pointer, "{shown}: {problem}");
        }
    }
    let text = scene.call("POST", "/api/v1/datasets").header("Content-Type", "text/plain").body(draft("x").to_string());
    text.send().await.problem(415, "unsupported_media_type");
    assert_eq!(state(&scene).await, before);
}

#[tokio::test]
async fn a_body_beyond_the_doors_limit_is_refused_before_it_is_read_declared_or_not() {
    let scene = Scene::new().await;
    let declared = scene
        .call("POST", "/api/v1/datasets")
        .header("Content-Type", "application/json")
        .body(vec![b' '; 5 << 20])
        .send()
        .await;
    declared.problem(413, "too_large");
    assert_eq!(declared.header("connection"), Some("close"));
}

#[tokio::test]
async fn an_address_or_a_parameter_that_cannot_be_meant_is_refused() {
    let scene = Scene::new().await;
    let tag = scene.register(&draft("birds")).await.header("etag").unwrap().to_owned();
    let before = state(&scene).await;
    for (path, status, code) in [
        ("/api/v1/datasets/unknown", 404, "not_found"),
        ("/api/v1/datasets/..%2F..%2Fetc%2Fpasswd", 404, "not_found"),
        ("/api/v1/datasets/%00", 404, "not_found"),
        ("/api/v1/datasets/../../../etc/passwd", 404, "not_found"),
        ("/api/v1/datasets/birds/revisions/first", 404, "not_found"),
        ("/api/v1/datasets/birds/revisions/0", 404, "not_found"),
        ("/api/v1/datasets?limit=101", 400, "bad_parameter"),
        ("/api/v1/datasets?limit=0", 400, "bad_parameter"),
        ("/api/v1/datasets?limit=-1", 400, "bad_parameter"),
        ("/api/v1/datasets?contry=FI", 400, "bad_parameter"),
        ("/api/v1/datasets?country=Finland", 400, "bad_parameter"),
        ("/api/v1/datasets?cursor=made-up", 400, "bad_cursor"),
        ("/api/v1/datasets?cursor=", 400, "bad_cursor"),
    ] {
        scene.node.call("GET", path).send().await.problem(status, code);
    }
    for bad in ["\"0000\"", "nonsense", "W/\"x\"", ""] {
        let put = scene.call("PUT", "/api/v1/datasets/birds").json(&draft("birds")).header("If-Match", bad);
        put.send().await.problem(412, "stale");
    }
    let moved = scene.call("PUT", "/api/v1/datasets/birds").header("If-Match", &tag).json(&draft("other"));
    assert_eq!(moved.send().await.problem(422, "invalid")["errors"][0]["pointer"], "/id");
    for body in [json!({}), json!({ "reason": "" }), json!({ "reason": 1 }), json!({ "reason": "x", "why": 1 })] {
        let delete = scene.call("DELETE", "/api/v1/datasets/birds").header("If-Match", &tag).json(&body);
        delete.send().await.problem(422, "invalid");
    }
    assert_eq!(state(&scene).await, before);
}

#[tokio::test]
async fn a_cursor_works_for_its_own_question_only() {
    let scene = Scene::new().await;
    for local in ["a", "b", "c"] {
        scene.register(&draft(local)).await;
    }
    let page = scene.node.call("GET", "/api/v1/datasets?limit=1").send().await.json();
    let cursor = page["next_cursor"].as_str().unwrap();
    let other = scene.node.call("GET", &format!("/api/v1/datasets?limit=1&withdrawn=true&cursor={cursor}"));
    other.send().await.problem(400, "bad_cursor");
    let other = scene.call("GET", &format!("/api/v1/datasets?limit=1&cursor={cursor}"));
    other.send().await.problem(400, "bad_cursor");
}

#[tokio::test]
async fn a_request_that_is_no_http_is_refused_and_the_node_goes_on() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let scene = Scene::new().await;
    for bytes in [&b"\x16\x03\x01\x00\x05hello\r\n\r\n"[..], b"GET\r\n\r\n", b"GET / HTTP/1.1\r\nbad header\r\n\r\n"] {
        let mut stream = tokio::net::TcpStream::connect(scene.node.running.addresses.web).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        let _ =
            tokio::time::timeout(std::time::Duration::from_secs(20), stream.read_to_end(&mut answer)).await.unwrap();
        assert!(String::from_utf8_lossy(&answer).starts_with("HTTP/1.1 400"), "{bytes:?}");
    }
    scene.register(&draft("birds")).await;
}
