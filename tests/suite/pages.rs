//! The pages, as a browser without scripts gets them: what stands on them, what never does, and what their forms do.

use std::time::{Duration, Instant};

use pleiad::domain::event::Role;
use pleiad::shards;
use serde_json::{Value, json};

use crate::node::{Call, Ready, Reply, TestNode};
use crate::pki;

const EXAMPLE: &str = include_str!("../../config/examples/dataset.json");

/// A call as a browser makes it.
fn browse(node: &TestNode, path: &str) -> Call {
    node.call("GET", path).header("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
}

/// A page without its block of data, which no browser runs: it is JSON, and nothing in it can end it.
fn without_data(text: &str) -> String {
    let Some((before, rest)) = text.split_once("<script type=\"application/ld+json\">") else { return text.to_owned() };
    let (data, after) = rest.split_once("</script>").expect("the block ends");
    assert!(serde_json::from_str::<Value>(data).is_ok() && !data.contains(['<', '>', '\u{202e}']), "{data}");
    format!("{before}{after}")
}

/// A page, of which everything holds that holds for every page.
#[track_caller]
fn page(reply: &Reply, status: u16) -> String {
    let text = without_data(&reply.text());
    assert_eq!(reply.status, status, "{text}");
    assert_eq!(reply.header("content-type"), Some("text/html; charset=utf-8"), "{text}");
    let policy = reply.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert!(reply.header("cache-control").unwrap().contains("no-store"));
    assert!(text.starts_with("<!DOCTYPE html><html lang=\"en\">"), "{text}");
    for (piece, count) in [("<h1", 1), ("<title>", 1), ("<main", 1), ("class=\"skip\" href=\"#content\"", 1)] {
        assert_eq!(text.matches(piece).count(), count, "{piece} in {text}");
    }
    for never in ["<script", "<style", "style=", "javascript:\"", "href=\"javascript", "<iframe"] {
        assert!(!text.contains(never), "{never} in {text}");
    }
    for tag in tags(&text) {
        // What stands between quotes is a value, whatever it says.
        let names: String = tag.split('"').step_by(2).collect();
        assert!(!names.split_whitespace().skip(1).any(|name| name.starts_with("on")), "a handler in {tag}");
    }
    for control in ["input", "select", "textarea"] {
        for (at, _) in text.match_indices(&format!("<{control} ")) {
            let tag = &text[at..at + text[at..].find('>').unwrap()];
            assert!(is_labelled(&text, at, tag), "without a label: {tag}");
        }
    }
    text
}

/// Every opening tag.
fn tags(text: &str) -> impl Iterator<Item = &str> {
    text.split('<').skip(1).filter_map(|rest| rest.split('>').next()).filter(|tag| !tag.starts_with(['/', '!']))
}

fn is_labelled(text: &str, at: usize, tag: &str) -> bool {
    let within = text[..at].rfind("<label").is_some_and(|open| !text[open..at].contains("</label>"));
    let by_id = tag.split("id=\"").nth(1).and_then(|rest| rest.split('"').next());
    let named = by_id.is_some_and(|id| text.contains(&format!("<label for=\"{id}\"")));
    within || named || tag.contains("aria-label=") || tag.contains("type=\"hidden\"")
}

/// The value of the form's secret on a page.
#[track_caller]
fn csrf(text: &str) -> &str {
    text.split("name=\"csrf\" value=\"")
        .nth(1)
        .unwrap_or_else(|| panic!("no form in {text}"))
        .split('"')
        .next()
        .unwrap()
}

fn form(node: &TestNode, path: &str, session: &str, fields: &[(&str, &str)]) -> Call {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    node.call("POST", path)
        .header("Accept", "text/html")
        .header("Cookie", session)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(body)
}

/// Signs in by the form and gives the cookie.
async fn sign_in(node: &TestNode, token: &str) -> String {
    let reply = form(node, "/session", "", &[("token", token)]).send().await;
    assert_eq!((reply.status, reply.header("location")), (303, Some("/")), "{}", reply.text());
    reply.header("set-cookie").unwrap().split(';').next().unwrap().to_owned()
}

async fn signed_in(node: &TestNode, session: &str, path: &str) -> String {
    page(&browse(node, path).header("Cookie", session).send().await, 200)
}

async fn register(node: &TestNode, steward: &str, record: &Value) {
    let reply = node.call("POST", "/api/v1/datasets").bearer(steward).json(record).send().await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    let path = format!("/api/v1/search?local=true&min_seq={}", reply.json()["seq"]);
    assert_eq!(node.call("GET", &path).send().await.status, 200);
}

/// A node with the example, with a dataset that says nothing but its title, and with a private one.
async fn node() -> TestNode {
    let node = TestNode::start("fi").await;
    let steward = node.token(Role::Steward, Some("archive")).await;
    register(&node, &steward, &serde_json::from_str(EXAMPLE).unwrap()).await;
    let id = |local: &str| format!("https://fi.pleiad.example/dataset/{local}");
    register(&node, &steward, &json!({ "id": id("bare"), "title": { "en": "Bare speech" } })).await;
    let hidden = json!({ "id": id("hidden"), "title": { "en": "Hidden speech" }, "visibility": "private" });
    register(&node, &steward, &hidden).await;
    node
}

#[tokio::test]
async fn the_search_page_asks_first_and_then_shows_hits_sources_and_facets_with_their_names() {
    let node = node().await;
    let first = page(&browse(&node, "/").send().await, 200);
    assert!(first.contains("type=\"search\" name=\"q\"") && !first.contains("class=\"sources\""), "{first}");

    let found = page(&browse(&node, "/?q=speech&country=FI&modified_from=2020-01-01&sort=modified").send().await, 200);
    assert!(found.contains("value=\"speech\""), "the words stay: {found}");
    assert!(found.contains("href=\"/datasets/call-centre-speech\""), "{found}");
    assert!(found.contains("1 of 1 node answered") && found.contains("<b>fi</b>"), "{found}");
    assert!(found.contains("name=\"country\" value=\"FI\" checked"), "{found}");
    assert!(found.contains("<option value=\"modified\" selected>"), "{found}");
    assert!(found.contains("Finland</span> (FI)") && found.contains(">Finnish</span>"), "{found}");
    assert!(found.contains("<input type=\"hidden\" name=\"modified_from\" value=\"2020-01-01\">"), "{found}");

    let none = page(&browse(&node, "/?q=xylophone").send().await, 200);
    assert!(none.contains("0 datasets") && none.contains("Nothing matches"), "{none}");
}

#[tokio::test]
async fn what_cannot_be_asked_is_said_on_the_page_with_its_column() {
    let node = TestNode::start("fi").await;
    let wrong = page(&browse(&node, "/?q=speech+AND").send().await, 400);
    assert!(wrong.contains("column ") && wrong.contains("role=\"alert\""), "{wrong}");
    assert!(wrong.contains("value=\"speech AND\""), "the words stay, to be mended: {wrong}");
    let wrong = page(&browse(&node, "/?contry=FI").send().await, 400);
    assert!(wrong.contains("did you mean country"), "{wrong}");
    let help = page(&browse(&node, "/help/query").send().await, 200);
    assert!(help.contains("licence_class:") && help.contains("no_derivatives"), "{help}");
}

#[tokio::test]
async fn a_dataset_page_shows_everything_that_is_stated_and_says_what_is_not() {
    let node = node().await;
    let text = page(&browse(&node, "/datasets/call-centre-speech").send().await, 200);
    let record: Value = serde_json::from_str(EXAMPLE).unwrap();
    let named = [
        ("/country", "Finland</span> (FI)"),
        ("/licence/permissions", "Training of models"),
        ("/gdpr/personal_data", "Pseudonymised personal data"),
        ("/gdpr/retention", "10 years"),
        ("/gdpr/dpia/status", "completed"),
        ("/gdpr/transfers/0/country", "Switzerland</span> (CH)"),
        ("/policy/duration", "1 year"),
        ("/temporal/0/start", "2019-01-01 – 2023-12-31"),
        ("/training/record_count", "40\u{202f}000"),
        ("/training/tokens/count", "5\u{202f}200\u{202f}000"),
        ("/training/source_categories", "other private data"),
        ("/distributions/0/manifest", "Manifest 1: 2 shards"),
        ("/frequency", "annual"),
        ("/themes", "Health"),
        ("/access_rights", "Restricted"),
        ("/tdm_reservation", "reserved"),
        ("/spatial/0/bbox", "19° to 31.6° east"),
        ("/visibility", "every member"),
    ];
    for (pointer, shown) in named {
        assert!(record.pointer(pointer).is_some(), "the example has {pointer}");
        assert!(text.contains(shown), "{pointer} as {shown} in {text}");
    }
    let as_is = [
        "/title/en",
        "/title/sv",
        "/keywords/fi",
        "/publisher/name/en",
        "/publisher/iri",
        "/creators/0/name/en",
        "/contact/name",
        "/contact/email",
        "/contact/page",
        "/issued",
        "/modified",
        "/version",
        "/version_notes/en",
        "/identifiers/0",
        "/landing_pages/0",
        "/documentation/0",
        "/derived_from/0",
        "/source/name",
        "/source/iri",
        "/applicable_legislation/0",
        "/licence/iri",
        "/licence/raw",
        "/gdpr/collection_purpose/en",
        "/gdpr/controllers/0/name/en",
        "/gdpr/dpo/email",
        "/gdpr/rights_contact/page",
        "/gdpr/dpia/reference",
        "/training/tokens/tokeniser",
        "/training/collection_method/en",
        "/training/preparation/en",
        "/training/annotation/en",
        "/training/known_biases/en",
        "/training/gaps/en",
        "/training/intended_use/en",
        "/training/out_of_scope/en",
        "/training/splits/0/name",
        "/distributions/0/title/en",
        "/distributions/0/description/en",
        "/distributions/0/access_url",
        "/distributions/0/format",
        "/distributions/0/media_type",
    ];
    for pointer in as_is {
        let stated = record.pointer(pointer).unwrap_or_else(|| panic!("the example has {pointer}"));
        let values = stated.as_array().cloned().unwrap_or_else(|| vec![stated.clone()]);
        for value in values {
            assert!(text.contains(value.as_str().unwrap()), "{pointer}: {value} in {text}");
        }
    }
    assert!(text.contains("In 2 other languages"), "{text}");
    let bare = page(&browse(&node, "/datasets/bare").send().await, 200);
    assert!(bare.matches("not stated").count() > 25, "{bare}");
    let finnish = browse(&node, "/datasets/call-centre-speech").header("Accept-Language", "fi").send().await;
    assert!(page(&finnish, 200).contains("Suomi</span> (FI)"), "{}", finnish.text());
}

#[tokio::test]
async fn hostile_text_in_any_field_stays_text_and_never_becomes_a_link() {
    let node = TestNode::start("fi").await;
    let steward = node.token(Role::Steward, Some("archive")).await;
    let evil = "\u{202e}<img src=x onerror=alert(1)>\"'&</bdi></title>";
    let mut record: Value = serde_json::from_str(EXAMPLE).unwrap();
    for pointer in [
        "/title/en",
        "/description/en",
        "/keywords/en/0",
        "/publisher/name/en",
        "/creators/0/name/en",
        "/contact/name",
        "/version",
        "/version_notes/en",
        "/source/name",
        "/licence/raw",
        "/gdpr/collection_purpose/en",
        "/gdpr/controllers/0/name/en",
        "/gdpr/dpo/name",
        "/gdpr/rights_contact/name",
        "/training/tasks/0",
        "/training/tokens/tokeniser",
        "/training/collection_method/en",
        "/training/splits/0/name",
        "/distributions/0/title/en",
        "/distributions/0/description/en",
        "/spatial/0/name/en",
    ] {
        *record.pointer_mut(pointer).unwrap_or_else(|| panic!("the example has {pointer}")) = evil.into();
    }
    for pointer in [
        "/landing_pages/0",
        "/documentation/0",
        "/contact/page",
        "/derived_from/0",
        "/publisher/iri",
        "/distributions/0/access_url",
        "/licence/iri",
    ] {
        *record.pointer_mut(pointer).unwrap() = "javascript:alert(1)".into();
    }
    register(&node, &steward, &record).await;
    for path in ["/datasets/call-centre-speech", "/?q=", "/?q=alert", "/dataset?id=javascript:alert(1)"] {
        let reply = browse(&node, path).send().await;
        let text = page(&reply, if path.starts_with("/dataset?") { 400 } else { 200 });
        assert!(!text.contains("<img") && text.matches("</title>").count() == 1, "{path}: {text}");
        assert!(!text.contains("href=\"javascript"), "{path}: {text}");
        // A control that turns the direction of text ends with the element that isolates it.
        for (at, _) in text.match_indices('\u{202e}') {
            let open = text[..at].rfind('<').unwrap();
            let isolated = ["<bdi", "<title", "<mark"].iter().any(|tag| text[open..].starts_with(tag))
                || text[..at].rfind("<bdi") > text[..at].rfind("</bdi>");
            assert!(isolated, "{path}: {}", &text[open..at]);
        }
    }
    let shown = node.call("GET", "/datasets/call-centre-speech").send().await.text();
    assert!(shown.contains("&lt;img src=x onerror=alert(1)&gt;") && shown.contains("javascript:alert(1)"), "{shown}");
    let asked = page(&browse(&node, "/?q=%22%3E%3Cimg+src=x+onerror=alert(1)%3E").send().await, 400);
    assert!(!asked.contains("<img"), "{asked}");
}

#[tokio::test]
async fn a_refusal_is_a_page_for_a_browser_and_a_problem_for_a_program() {
    let node = node().await;
    let unknown = "/dataset?id=https%3A%2F%2Fde.pleiad.example%2Fdataset%2Fx";
    for (path, status) in [("/datasets/nope", 404), (unknown, 404), ("/nowhere", 404), ("/dataset?id=x", 400)] {
        let text = page(&browse(&node, path).send().await, status);
        assert!(text.contains("role=\"alert\"") && text.contains("Back to the search"), "{path}: {text}");
    }
    node.call("GET", "/nowhere").send().await.problem(404, "not_found");
    browse(&node, "/api/v1/datasets/nope").send().await.problem(404, "not_found");
    let own = browse(&node, "/dataset?id=https%3A%2F%2Ffi.pleiad.example%2Fdataset%2Fbare").send().await;
    assert_eq!((own.status, own.header("location")), (303, Some("/datasets/bare")));
}

#[tokio::test]
async fn a_stranger_sees_nothing_of_a_private_record_and_its_owner_does() {
    let node = node().await;
    for path in ["/", "/?q=", "/?q=hidden", "/?q=speech", "/federation"] {
        let text = page(&browse(&node, path).send().await, 200);
        assert!(!text.contains("Hidden speech") && !text.contains("datasets/hidden"), "{path}: {text}");
    }
    let text = page(&browse(&node, "/datasets/hidden").send().await, 404);
    assert!(!text.contains("Hidden speech"), "{text}");
    let steward = sign_in(&node, &node.token(Role::Steward, Some("archive")).await).await;
    let text = signed_in(&node, &steward, "/datasets/hidden").await;
    assert!(text.contains("Hidden speech") && text.contains("listed participants alone"), "{text}");
}

#[tokio::test]
async fn the_federation_page_has_every_member_and_how_it_stands() {
    let clock = pki::clock();
    let (fi, de) = (Ready::new("fi", &clock), Ready::new("de", &clock));
    pki::introduce(&[&fi.state, &de.state]);
    let fi = fi.start_with(|_| ()).await;
    let text = page(&browse(&fi, "/federation").send().await, 200);
    assert!(text.contains("fi.pleiad.example") && text.contains("this node"), "{text}");
    assert!(text.contains("de.pleiad.example") && text.contains("Germany</span> (DE)"), "{text}");
    let found = page(&browse(&fi, "/?q=speech").send().await, 200);
    assert!(found.contains("1 of 2 nodes answered") && found.contains("<b>de</b>"), "{found}");
    assert!(found.contains("Records of nodes that did not answer are missing here"), "{found}");
}

#[tokio::test]
async fn signing_in_sets_a_cookie_that_no_other_site_and_no_script_gets_and_signing_out_ends_it() {
    let node = node().await;
    page(&browse(&node, "/sign-in").send().await, 200);
    let wrong = form(&node, "/session", "", &[("token", "nonsense")]).send().await;
    assert!(page(&wrong, 401).contains("revoked"), "{}", wrong.text());

    let token = node.token(Role::Steward, Some("archive")).await;
    let reply = form(&node, "/session", "", &[("token", &token)]).send().await;
    let cookie = reply.header("set-cookie").unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && cookie.contains("Path=/"), "{cookie}");
    assert!(!cookie.contains(&token) && reply.status == 303, "{cookie}");

    let session = cookie.split(';').next().unwrap();
    let text = signed_in(&node, session, "/").await;
    assert!(text.contains("Sign out") && text.contains("steward of archive"), "{text}");
    assert_eq!(page(&form(&node, "/session/end", session, &[]).send().await, 403).matches("Sign out").count(), 0);
    let out = form(&node, "/session/end", session, &[("csrf", csrf(&text))]).send().await;
    assert_eq!(out.status, 303, "{}", out.text());
    assert!(out.header("set-cookie").unwrap().contains("Max-Age=0"), "{out:?}");
    assert_eq!(browse(&node, "/requests").send().await.header("location"), Some("/sign-in"));
}

#[tokio::test]
async fn an_operator_asks_and_a_steward_decides_by_forms_that_no_other_site_can_send() {
    let node = TestNode::start("fi").await;
    let folder = node.state.member.data().join("shards").join("call-centre-speech");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("train-00000.bin"), b"speech").unwrap();
    let mut record: Value = serde_json::from_str(EXAMPLE).unwrap();
    record["distributions"][0]["manifest"] =
        serde_json::to_value(shards::measure(&folder, 1, &mut |_| {}).unwrap()).unwrap();
    node.state.participant("lab", &[]);
    let steward = node.token(Role::Steward, Some("archive")).await;
    register(&node, &steward, &record).await;
    let operator = sign_in(&node, &node.token(Role::Operator, Some("lab")).await).await;
    let steward = sign_in(&node, &steward).await;

    let dataset = "/datasets/call-centre-speech";
    let strangers = page(&browse(&node, dataset).send().await, 200);
    assert!(!strangers.contains("action=\"/requests\"") && strangers.contains("Sign in as an operator"), "{strangers}");
    let text = signed_in(&node, &operator, dataset).await;
    assert!(text.contains("action=\"/requests\""), "{text}");
    let secret = csrf(&text);
    let fields = |statement: &'static str| {
        [
            ("dataset", "https://fi.pleiad.example/dataset/call-centre-speech"),
            ("purpose", "https://w3id.org/dpv#AcademicResearch"),
            ("statement", statement),
        ]
    };
    page(&form(&node, "/requests", &operator, &fields("forged")).send().await, 403);
    for statement in ["for speech", "for <b>all</b>"] {
        let mut sent = fields(statement).to_vec();
        sent.push(("csrf", secret));
        let asked = form(&node, "/requests", &operator, &sent).send().await;
        assert_eq!((asked.status, asked.header("location")), (303, Some("/requests")), "{}", asked.text());
    }
    let mine = signed_in(&node, &operator, "/requests").await;
    assert!(mine.contains("Your organisation's requests") && !mine.contains("/approve"), "{mine}");
    assert!(!mine.contains("forged") && mine.contains("for &lt;b&gt;all&lt;/b&gt;"), "{mine}");

    let pending = signed_in(&node, &steward, "/requests").await;
    let places = |text: &str, verb: &str| -> Vec<String> {
        let actions = text.split("action=\"").skip(1).filter_map(|rest| rest.split('"').next());
        actions.filter(|action| action.ends_with(verb)).map(str::to_owned).collect()
    };
    let approvals = places(&pending, "/approve");
    assert_eq!(approvals.len(), 2, "{pending}");
    let secret = csrf(&pending).to_owned();
    page(&form(&node, &approvals[0], &steward, &[]).send().await, 403);
    page(&form(&node, &approvals[0], &steward, &[("csrf", "guessed")]).send().await, 403);
    page(&form(&node, &approvals[0], "", &[("csrf", &secret)]).send().await, 401);
    page(&form(&node, &approvals[0], &operator, &[("csrf", csrf(&mine))]).send().await, 403);
    let still = signed_in(&node, &steward, "/requests").await;
    assert_eq!(places(&still, "/approve").len(), 2, "none of these decided anything: {still}");

    let approved = form(&node, &approvals[0], &steward, &[("csrf", &secret)]).send().await;
    assert_eq!(approved.status, 303, "{}", approved.text());
    let refuse = approvals[1].replace("/approve", "/refuse");
    let refused = form(&node, &refuse, &steward, &[("csrf", &secret), ("reason", "Too <i>vague</i>.")]).send().await;
    assert_eq!(refused.status, 303, "{}", refused.text());
    let decided = signed_in(&node, &steward, "/requests").await;
    assert!(places(&decided, "/approve").is_empty() && decided.contains("Agreement "), "{decided}");
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        let mine = signed_in(&node, &operator, "/requests").await;
        if mine.contains("Agreed") && mine.contains("Too &lt;i&gt;vague&lt;/i&gt;.") {
            break;
        }
        assert!(Instant::now() < until, "the operator does not hear of it: {mine}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
