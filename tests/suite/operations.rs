//! The operations door, and what every request of every door has in common.

use pleiad::domain::event::Role;

use crate::node::TestNode;

#[tokio::test]
async fn a_started_node_says_that_it_lives_is_ready_and_counts() {
    let node = TestNode::start("fi").await;
    let live = node.operations("/health/live").send().await;
    assert_eq!((live.status, live.json()["status"].as_str()), (200, Some("live")));
    let ready = node.operations("/health/ready").send().await;
    assert_eq!(ready.status, 200, "{}", ready.text());
    let metrics = node.operations("/metrics").send().await.text();
    for name in [
        "pleiad_http_requests_total",
        "pleiad_log_entries ",
        "pleiad_index_lag_entries{class=\"federation\"} 0",
        "pleiad_search_places_free ",
        "pleiad_certificate_expiry_seconds ",
        "route=\"/health/live\"",
    ] {
        assert!(metrics.contains(name), "{name} is not in {metrics}");
    }
}

#[tokio::test]
async fn what_is_not_there_and_what_is_not_answered_are_problems_with_every_header() {
    let node = TestNode::start("fi").await;
    let missing = node.call("GET", "/nowhere/../../etc/passwd").header("X-Request-Id", "abcd-1234").send().await;
    missing.problem(404, "not_found");
    assert_eq!(missing.header("x-request-id"), Some("abcd-1234"));
    assert!(missing.header("content-security-policy").unwrap().contains("default-src 'none'"));
    assert_eq!(missing.header("x-content-type-options"), Some("nosniff"));
    assert!(missing.header("ratelimit").unwrap().starts_with("\"default\";r="));

    let wrong = node.call("DELETE", "/session").send().await;
    wrong.problem(405, "method_not_allowed");
}

#[tokio::test]
async fn a_caller_beyond_its_rate_is_told_when_to_come_back_and_others_are_served() {
    let node = TestNode::start_with("fi", |settings| {
        settings.limits.requests_per_second = 1;
        settings.limits.burst = 3;
    })
    .await;
    let researcher = node.token(Role::Researcher, None).await;
    let mut last = None;
    for _ in 0..6 {
        last = Some(node.call("GET", "/nowhere").send().await);
    }
    let refused = last.unwrap();
    refused.problem(429, "too_many_requests");
    assert!(refused.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
    node.call("GET", "/nowhere").bearer(&researcher).send().await.problem(404, "not_found");
}

#[tokio::test]
async fn a_token_that_is_not_in_force_is_refused_even_where_none_is_needed() {
    let node = TestNode::start("fi").await;
    let refused = node.call("POST", "/session/end").bearer("pleiad_no").send().await;
    refused.problem(401, "unauthenticated");
    assert!(refused.header("www-authenticate").unwrap().starts_with("Bearer"));
}

#[tokio::test]
async fn a_session_begins_with_a_token_and_writes_only_from_a_page_of_this_node() {
    let node = TestNode::start("fi").await;
    let secret = node.token(Role::Researcher, None).await;
    let form = |body: String| {
        node.call("POST", "/session").header("Content-Type", "application/x-www-form-urlencoded").body(body)
    };
    form("token=pleiad_wrong".to_owned()).send().await.problem(401, "unauthenticated");
    form(format!("token={secret}")).header("Origin", "https://evil.example").send().await.problem(403, "cross_site");
    let begun = form(format!("token={secret}")).send().await;
    assert_eq!(begun.status, 303, "{}", begun.text());
    let cookie = begun.header("set-cookie").unwrap().to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    assert!(!cookie.contains(&secret));
    let cookie = cookie.split(';').next().unwrap();
    let end = node.call("POST", "/session/end").header("Cookie", cookie);
    end.send().await.problem(403, "cross_site");
}

#[tokio::test]
async fn two_nodes_run_in_one_process_and_one_stops_without_the_other() {
    let (fi, de) = (TestNode::start("fi").await, TestNode::start("de").await);
    let ready = fi.stop().await;
    assert_eq!(de.operations("/health/live").send().await.status, 200);
    let fi = ready.start_with(|_| ()).await;
    assert_eq!(fi.operations("/health/live").send().await.status, 200);
}
