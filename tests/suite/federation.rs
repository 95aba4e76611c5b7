//! What a researcher may rely on when she asks the whole federation. Real nodes, real mutual TLS; this is the file to
//! imitate for tests that read as sentences.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use pleiad::config::Settings;
use pleiad::domain::event::Role;
use pleiad::outbound::federation::{Federation, Options};
use pleiad::peers::authority::{Reason, Which};
use serde_json::{Value, json};

use crate::impostor::{Impostor, Reply};
use crate::node::{Ready, TestNode};
use crate::pki::{self, State};

/// Generous deadlines, and no probe but the first: what happens is what the test does.
pub fn patient(settings: &mut Settings) {
    settings.search.deadline_ms = 15_000;
    settings.search.peer_deadline_ms = 14_000;
    settings.search.probe_seconds = 3_600;
}

/// The same for tests in which a peer does not answer.
pub fn hasty(settings: &mut Settings) {
    settings.search.deadline_ms = 6_000;
    settings.search.peer_deadline_ms = 1_500;
    settings.search.probe_seconds = 3_600;
}

/// Nodes of these countries that trust each other and the others given.
pub async fn federation<const N: usize>(
    shorts: [&str; N],
    others: &[&State],
    settings: fn(&mut Settings),
) -> [TestNode; N] {
    let clock = pki::clock();
    let ready = shorts.map(|short| Ready::new(short, &clock));
    let states: Vec<&State> = ready.iter().map(|ready| &ready.state).chain(others.iter().copied()).collect();
    pki::introduce(&states);
    let mut nodes = Vec::new();
    for ready in ready {
        nodes.push(ready.start_with(settings).await);
    }
    nodes.try_into().ok().unwrap()
}

/// Registers datasets at a node, each a local name, a title and a description, and waits until it finds them.
async fn register(node: &TestNode, datasets: &[(&str, &str, &str)], more: Value) -> u64 {
    let steward = node.token(Role::Steward, Some("owner")).await;
    let mut last = 0;
    for (local, title, description) in datasets {
        let mut draft = json!({
            "id": format!("https://{}/dataset/{local}", node.state.domain),
            "title": {"en": title},
            "description": {"en": description},
        });
        draft.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let reply = node.call("POST", "/api/v1/datasets").bearer(&steward).json(&draft).send().await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        last = reply.json()["seq"].as_u64().unwrap();
    }
    let waited = search(node, &format!("local=true&min_seq={last}")).await;
    assert!(waited["sources"][0]["position"].as_u64().unwrap() >= last, "{waited}");
    last
}

/// A search at a node.
pub async fn search(node: &TestNode, query: &str) -> Value {
    let reply = node.call("GET", &format!("/api/v1/search?{query}")).send().await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

/// The part of a node in an answer.
pub fn source<'a>(answer: &'a Value, short: &str) -> &'a Value {
    let node = format!("spiffe://{short}.pleiad.example/node/{short}");
    let sources = answer["sources"].as_array().unwrap();
    sources.iter().find(|source| source["node"] == node.as_str()).unwrap_or_else(|| panic!("no {short} in {answer}"))
}

fn titles(answer: &Value) -> Vec<&str> {
    answer["hits"].as_array().unwrap().iter().map(|hit| hit["card"]["title"]["en"].as_str().unwrap()).collect()
}

const FINNISH: [(&str, &str, &str); 4] = [
    ("f1", "Parliament speech corpus", "Plenary speech of the parliament with transcripts of every speech"),
    ("f2", "Parliament votes", "Roll calls of the parliament"),
    ("f3", "Forest inventory", "Trees measured in every parliament electoral district of the country over many years"),
    ("f4", "Speech of the north", "Recordings"),
];
const GERMAN: [(&str, &str, &str); 3] = [
    ("d1", "Bundestag speech", "Speech of the German parliament speech speech"),
    ("d2", "Traffic counts", "Vehicles counted at motorway stations, hour by hour, since the stations were built"),
    ("d3", "Parliament library", "Catalogue of the library of a parliament"),
];
const SPANISH: [(&str, &str, &str); 2] =
    [("e1", "Cortes diary", "Diary of the parliament"), ("e2", "Olive groves", "Aerial images of olive groves")];

#[tokio::test]
async fn one_search_finds_the_records_of_all_in_the_order_of_one_index() {
    let [fi, de, es] = federation(["fi", "de", "es"], &[], patient).await;
    register(&fi, &FINNISH, json!({})).await;
    register(&de, &GERMAN, json!({})).await;
    register(&es, &SPANISH, json!({})).await;
    let [one] = federation(["se"], &[], patient).await;
    register(&one, &[&FINNISH[..], &GERMAN, &SPANISH].concat(), json!({})).await;

    for words in ["parliament", "speech", "parliament%20speech", "parliament%20OR%20speech%20OR%20trees"] {
        let federated = search(&fi, &format!("q={words}&lang=en&limit=20")).await;
        let central = search(&one, &format!("q={words}&lang=en&limit=20&local=true")).await;
        let scores = |answer: &Value| -> BTreeMap<String, f64> {
            let hits = answer["hits"].as_array().unwrap().iter();
            hits.map(|hit| (hit["card"]["title"]["en"].to_string(), hit["score"].as_f64().unwrap())).collect()
        };
        let (found, expected) = (scores(&federated), scores(&central));
        assert!(expected.len() > 1, "{central}");
        assert_eq!(found, expected, "{words}: the scores are those of one index, to the last bit");
        let in_order: Vec<f64> = titles(&federated).iter().map(|title| found[&format!("{title:?}")]).collect();
        assert!(in_order.is_sorted_by(|a, b| a >= b), "{in_order:?}");
        assert_eq!(federated["total"], json!({"value": expected.len(), "relation": "eq"}), "{words}");
        assert_eq!(federated["ranking"], "exact");
        for (short, hits) in [("fi", 4), ("de", 3), ("es", 2)] {
            let source = source(&federated, short);
            assert_eq!(source["state"], "answered", "{source}");
            assert!(source["hits"].as_u64().unwrap() <= hits && source["ms"].is_u64(), "{source}");
        }
        assert_eq!(federated["sources"][0]["node"], "spiffe://fi.pleiad.example/node/fi", "ourselves first");
    }

    let counted = search(&de, "facets=country&limit=1").await;
    assert_eq!(counted["facets"]["country"]["values"], json!([["FI", 4], ["DE", 3], ["ES", 2]]));
    let finnish = search(&de, "country=fi&q=parliament").await;
    assert_eq!(
        (source(&finnish, "es")["state"].as_str(), finnish["total"]["relation"].as_str()),
        (Some("skipped"), Some("eq"))
    );
    assert_eq!(source(&finnish, "fi")["state"], "answered");
}

#[tokio::test]
async fn a_stopped_node_is_named_and_the_answer_comes_within_its_deadline() {
    let [fi, de, es] = federation(["fi", "de", "es"], &[], hasty).await;
    register(&fi, &FINNISH, json!({})).await;
    register(&de, &GERMAN, json!({})).await;
    let whole = search(&fi, "q=parliament").await;
    assert_eq!(whole["total"]["relation"], "eq", "{whole}");
    es.stop().await;
    for round in 0..4 {
        let began = Instant::now();
        let answer = search(&fi, "q=parliament").await;
        assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
        let missing = source(&answer, "es");
        let state = missing["state"].as_str().unwrap();
        assert!(matches!(state, "unreachable" | "circuit_open" | "timed_out"), "round {round}: {missing}");
        assert!(missing["problem"].as_str().is_some_and(|problem| problem.len() > 5), "{missing}");
        assert_eq!(state == "circuit_open", missing["next_try"].is_string(), "{missing}");
        assert_eq!(answer["total"]["relation"], "gte");
        assert_eq!(source(&answer, "de")["state"], "answered", "{answer}");
        assert_eq!(titles(&answer), titles(&whole));
    }
    assert_eq!(source(&search(&fi, "q=parliament").await, "es")["state"], "circuit_open");
}

#[tokio::test]
async fn a_silent_peer_is_timed_out_by_name_while_the_others_are_shown() {
    let mut slow = Impostor::new("gr", &pki::clock());
    let [fi, de] = federation(["fi", "de"], &[&slow.state], hasty).await;
    slow.answers(|_, _| Reply::Nothing);
    register(&de, &GERMAN, json!({})).await;
    let answer = search(&fi, "q=speech").await;
    assert_eq!(source(&answer, "gr")["state"], "timed_out", "{answer}");
    assert_eq!(titles(&answer), ["Bundestag speech"]);
    assert!(answer["took_ms"].as_u64().unwrap() < 6_500, "{answer}");
}

#[tokio::test]
async fn askers_in_a_hurry_do_not_close_a_peer_to_everybody_else() {
    let [fi, _de] = federation(["fi", "de"], &[], patient).await;
    for _ in 0..12 {
        search(&fi, "q=x&timeout_ms=1").await;
    }
    let found = search(&fi, "q=x").await;
    assert_eq!(found["sources"][1]["state"], "answered", "{found}");
}

#[tokio::test]
async fn a_peer_whose_certificate_was_revoked_is_refused_by_name() {
    let clock = pki::clock();
    let [fi, de] = ["fi", "de"].map(|short| Ready::new(short, &clock));
    pki::introduce(&[&fi.state, &de.state]);
    de.state.authority.revoke(&Which::Identity(de.state.node.clone()), Reason::KeyCompromise).unwrap();
    de.state.publish();
    fi.state.trusts(&de.state);
    let (fi, _de) = (fi.start_with(patient).await, de.start_with(patient).await);
    let answer = search(&fi, "q=speech").await;
    let refused = source(&answer, "de");
    assert_eq!(refused["state"], "refused", "{refused}");
    assert!(refused["problem"].as_str().unwrap().contains("withdrawn"), "{refused}");
    assert_eq!(answer["total"]["relation"], "gte");
}

/// An answer that a node could give, with one hit.
fn plausible() -> Value {
    json!({
        "node": "spiffe://gr.pleiad.example/node/gr", "version": "0.1.0", "analyser": pleiad::index::analyser_id(),
        "elapsed_ms": 1, "index_age_ms": 0, "total": 1, "facets": {}, "position": 1,
        "statistics": {"documents": 1, "tokens": {"all": 9, "title": 3}, "frequencies": [1, 1, 1]},
        "hits": [{
            "card": {
                "id": "https://gr.pleiad.example/dataset/a", "revision": 1, "title": {"en": "Greek speech"},
                "country": "GR", "access_rights": "public", "personal_data": "no",
            },
            "seq": 1, "components": [{"term": 0, "frequency": 1, "norm": 9}],
        }],
    })
}

/// What a hostile peer answers to a search.
type Script = Box<dyn Fn() -> Reply + Send + Sync>;

#[tokio::test]
async fn whatever_a_hostile_peer_sends_the_others_hits_stay_as_they_are() {
    let mut stolen = plausible();
    stolen["hits"][0]["card"]["id"] = json!("https://de.pleiad.example/dataset/d1");
    let mut foreign = plausible();
    foreign["hits"][0]["card"]["country"] = json!("FI");
    let mut boastful = plausible();
    boastful["statistics"] =
        json!({"documents": 1, "tokens": {"all": u64::MAX}, "frequencies": [u64::MAX, u64::MAX, u64::MAX]});
    boastful["total"] = json!(u64::MAX);
    boastful["hits"][0]["components"] =
        json!([{"term": 65535, "frequency": u32::MAX, "norm": 255}, {"term": 0, "frequency": u32::MAX, "norm": 0}]);
    let mut other = plausible();
    other["node"] = json!("spiffe://de.pleiad.example/node/de");
    let mut older = plausible();
    older["analyser"] = json!("another");
    let says = |answer: &Value| Reply::Says(200, answer.to_string());
    let scripts: Vec<(&str, &str, Script)> = vec![
        ("answered", "ids of another member (1)", Box::new(move || says(&stolen))),
        ("answered", "countries it may not speak for (1)", Box::new(move || says(&foreign))),
        ("answered", "counts that cannot be true", Box::new(move || says(&boastful))),
        ("broken", "it says that it is", Box::new(move || says(&other))),
        ("incompatible", "another", Box::new(move || says(&older))),
        ("broken", "over 8388608 bytes", Box::new(|| Reply::Endless(&[b' '; 65_536]))),
        ("broken", "cannot be read", Box::new(|| Reply::Says(200, "[".repeat(1_000_000)))),
        ("broken", "cannot be read", Box::new(|| Reply::Says(200, plausible().to_string().replace(":9", ":NaN")))),
        ("broken", "cannot be read", Box::new(|| Reply::Says(200, "\u{0}garbage".to_owned()))),
        (
            "unsupported_constraint",
            "no such filter",
            Box::new(|| {
                Reply::Says(422, json!({"code": "unsupported_constraint", "detail": "no such filter"}).to_string())
            }),
        ),
        (
            "busy",
            "later",
            Box::new(|| Reply::Says(429, json!({"code": "too_many_requests", "detail": "later"}).to_string())),
        ),
    ];
    for (state, problem, script) in scripts {
        let mut hostile = Impostor::new("gr", &pki::clock());
        let [fi, de] = federation(["fi", "de"], &[&hostile.state], patient).await;
        hostile
            .answers(move |path, _| if path.ends_with("/search") { script() } else { Reply::Says(404, String::new()) });
        register(&fi, &FINNISH, json!({})).await;
        register(&de, &GERMAN, json!({})).await;
        let answer = search(&fi, "q=speech").await;
        let hostile = source(&answer, "gr");
        assert_eq!(hostile["state"], state, "{hostile}");
        assert!(hostile["problem"].as_str().unwrap().contains(problem), "{problem}: {hostile}");
        let others: Vec<&str> = titles(&answer).into_iter().filter(|title| *title != "Greek speech").collect();
        assert_eq!(others.len(), 3, "{answer}");
        for hit in answer["hits"].as_array().unwrap() {
            assert!(hit["score"].as_f64().is_some_and(f64::is_finite), "{hit}");
        }
        if state == "answered" {
            assert_eq!(source(&answer, "de")["hits"], 1, "the stolen id did not displace its owner's");
            assert!(answer["total"]["value"].as_u64().unwrap() <= 4, "{}", answer["total"]);
        }
    }
}

#[tokio::test]
async fn private_records_are_shown_to_those_they_list_and_leave_no_count_anywhere() {
    let [fi, de] = federation(["fi", "de"], &[], patient).await;
    register(&fi, &FINNISH, json!({})).await;
    let before = search(&fi, "q=speech&facets=all").await;
    let lab = "spiffe://fi.pleiad.example/participant/lab";
    let secret = [("s1", "Speech of witnesses", "Secret speech")];
    let seq = register(&fi, &secret, json!({"visibility": "private", "listed": [lab]})).await;

    let seen_by = |who: Option<String>| {
        let call = fi.call("GET", &format!("/api/v1/search?q=speech&facets=all&min_seq={seq}"));
        async move { who.into_iter().fold(call, |call, token| call.bearer(&token)).send().await.json() }
    };
    let listed = seen_by(Some(fi.token(Role::Researcher, Some("lab")).await)).await;
    assert!(titles(&listed).contains(&"Speech of witnesses"), "{listed}");
    let hits = listed["hits"].as_array().unwrap();
    assert_eq!(hits.iter().filter(|hit| hit["private"] == true).count(), 1);
    let stranger = seen_by(Some(fi.token(Role::Researcher, Some("press")).await)).await;
    let nobody = seen_by(None).await;
    let peer = search(&de, "q=speech&facets=all").await;
    for answer in [&stranger, &nobody, &peer] {
        assert!(!answer.to_string().contains("witnesses"), "{answer}");
    }
    for answer in [&listed, &stranger, &nobody] {
        for part in ["total", "facets", "ranking"] {
            assert_eq!(answer[part], before[part], "{part}");
        }
        assert_eq!(source(answer, "fi")["total"], source(&before, "fi")["total"]);
    }
    let scores = |answer: &Value| -> Vec<Value> {
        let hits = answer["hits"].as_array().unwrap().iter().filter(|hit| hit["private"] != true);
        hits.map(|hit| hit["score"].clone()).collect()
    };
    assert_eq!(scores(&listed), scores(&before), "the statistics do not know the private record");
}

#[tokio::test]
async fn a_question_to_a_peer_carries_no_person_and_travels_no_further() {
    let mut curious = Impostor::new("gr", &pki::clock());
    let [fi, de] = federation(["fi", "de"], &[&curious.state], patient).await;
    curious.answers(|path, _| {
        if path.ends_with("/search") {
            Reply::Says(200, plausible().to_string())
        } else {
            Reply::Says(404, String::new())
        }
    });
    let secret = fi.token(Role::Researcher, Some("kaamos")).await;
    let call = fi.call("GET", "/api/v1/search?q=speech").bearer(&secret).header("User-Agent", "kaamos-notebook");
    let answer = call.header("X-Request-Id", "kaamos-request-1").header("Cookie", "who=kaamos").send().await;
    assert_eq!(answer.status, 200);
    let asked = curious.searches();
    assert_eq!(asked.len(), 1, "{asked:?}");
    let asked = asked[0].to_lowercase();
    for person in
        ["kaamos", "authorization", "cookie", "forwarded", "participant", "researcher", &secret.to_lowercase()]
    {
        assert!(!asked.contains(person), "{person}: {asked}");
    }

    let as_peer = Federation::new(fi.state.own(), fi.state.trust(), Options::default());
    let body: Value = serde_json::from_str(asked.split_once("\r\n\r\n").unwrap().1).unwrap();
    let deadline = Instant::now() + Duration::from_secs(15);
    let path = "federation/v1/search";
    let reply = as_peer.post_json(&de.state.node, path, &[], &body, deadline, 1 << 20).await.unwrap();
    assert_eq!(reply.status, 200, "{:?}", reply.bytes);
    assert_eq!(curious.searches().len(), 1, "a peer's question was passed on");

    let mut newer = body.clone();
    newer["question"]["filters"]["min_quality"] = json!(3);
    let reply = as_peer.post_json(&de.state.node, path, &[], &newer, deadline, 1 << 20).await.unwrap();
    let problem: Value = reply.json().unwrap();
    assert_eq!((reply.status, problem["code"].as_str()), (422, Some("unsupported_constraint")));
    assert!(problem["detail"].as_str().unwrap().contains("min_quality"), "{problem}");

    let participant = fi.state.participant("lab", &[&de.state]);
    let as_participant = Federation::new(participant.own(), participant.trust(), Options::default());
    let reply = as_participant.post_json(&de.state.node, path, &[], &body, deadline, 1 << 20).await.unwrap();
    assert_eq!(reply.status, 403, "peers' questions are for nodes");
}

#[tokio::test]
async fn lines_tell_each_source_as_it_answers_and_the_result_once_at_the_end() {
    let [fi, de] = federation(["fi", "de"], &[], patient).await;
    register(&de, &GERMAN, json!({})).await;
    let call = fi.call("GET", "/api/v1/search?q=speech").header("Accept", "application/x-ndjson");
    let reply = call.send().await;
    assert_eq!(reply.header("content-type"), Some("application/x-ndjson"));
    let lines: Vec<Value> = reply.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let events: Vec<&str> = lines.iter().map(|line| line["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["source", "source", "result"]);
    assert_eq!(titles(&lines[2]["result"]), ["Bundestag speech"]);
}

#[tokio::test]
async fn the_federation_page_knows_every_member_its_state_and_its_peer_file() {
    let [fi, _de] = federation(["fi", "de"], &[], patient).await;
    search(&fi, "q=speech").await;
    let members = fi.call("GET", "/api/v1/federation").send().await.json();
    let de = members["members"].as_array().unwrap().iter().find(|one| one["domain"] == "de.pleiad.example").unwrap();
    assert_eq!((&de["trust"], &de["peer_file"]["countries"]), (&json!("valid"), &json!(["DE"])), "{de}");
    assert!(de["peer_file"]["number"].is_u64() && de["peer_file"]["expires"].is_string(), "{de}");
    assert!(matches!(de["health"]["state"].as_str(), Some("valid" | "slow")), "{de}");
}

#[tokio::test]
async fn a_question_that_cannot_be_read_says_where_and_a_page_too_large_is_refused() {
    let [fi] = federation(["fi"], &[], patient).await;
    let refused = |query: &'static str| fi.call("GET", &format!("/api/v1/search?{query}")).send();
    let problem = refused("q=%28parliament").await.problem(400, "bad_query");
    assert!(problem["errors"][0]["detail"].as_str().unwrap().contains("column"), "{problem}");
    let problem = refused("limit=101").await.problem(400, "bad_parameter");
    assert_eq!(problem["errors"][0]["pointer"], "limit");
    refused("contry=FI").await.problem(400, "bad_parameter");
}

#[tokio::test]
async fn the_command_line_shows_the_hits_names_who_is_missing_and_ends_with_5() {
    let [fi, de] = federation(["fi", "de"], &[], hasty).await;
    register(&fi, &FINNISH, json!({})).await;
    let node = format!("http://{}/", fi.running.addresses.web);
    let run = |arguments: &'static [&'static str]| {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_pleiad"));
        command.args(arguments).env("PLEIAD_NODE", &node).env("NO_COLOR", "1");
        async move { command.output().await.unwrap() }
    };
    let whole = run(&["search", "forest", "--country", "fi"]).await;
    let shown = String::from_utf8(whole.stdout).unwrap();
    let told = String::from_utf8(whole.stderr).unwrap();
    assert_eq!(whole.status.code(), Some(0), "{shown}{told}");
    assert!(shown.contains("Forest inventory") && shown.contains("https://fi.pleiad.example/dataset/f3"), "{shown}");
    assert!(told.contains("1 of 1 in") && told.contains("skipped"), "{told}");

    de.stop().await;
    let partial = run(&["--json", "search", "forest"]).await;
    assert_eq!(partial.status.code(), Some(5));
    let answer: Value = serde_json::from_slice(&partial.stdout).unwrap();
    assert_eq!(titles(&answer), ["Forest inventory"]);
    assert!(String::from_utf8(partial.stderr).unwrap().contains("de.pleiad.example ("));
    assert_eq!(run(&["search", "(forest"]).await.status.code(), Some(2));
    let members = run(&["federation"]).await;
    assert!(
        String::from_utf8(members.stdout).unwrap().contains("de.pleiad.example\tDE\tvalid"),
        "{:?}",
        members.stderr
    );
}

#[tokio::test]
async fn a_newer_peer_file_travels_by_the_probe() {
    fn probing(settings: &mut Settings) {
        patient(settings);
        settings.search.probe_seconds = 1;
        settings.trust.poll_seconds = 1;
    }
    let [fi, de] = federation(["fi", "de"], &[], probing).await;
    let number = async || {
        let members = fi.call("GET", "/api/v1/federation").send().await.json();
        let de = members["members"].as_array().unwrap().iter().find(|one| one["domain"] == "de.pleiad.example");
        de.unwrap()["peer_file"]["number"].as_u64().unwrap()
    };
    let before = number().await;
    de.state.publish();
    let deadline = Instant::now() + Duration::from_secs(30);
    while number().await <= before {
        assert!(Instant::now() < deadline, "the newer peer file of de did not reach fi");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
