//! Where a dataset comes from and where it went, across three nodes that are asked in one question each step.

use pleiad::domain::event::Role;
use serde_json::{Value, json};

use crate::federation::{federation, hasty, patient, search, source};
use crate::impostor::{Impostor, Reply};
use crate::node::TestNode;
use crate::pki;

/// Registers a dataset and waits until its node finds it.
async fn register(node: &TestNode, local: &str, more: Value) -> String {
    let steward = node.token(Role::Steward, Some("owner")).await;
    let id = format!("https://{}/dataset/{local}", node.state.domain);
    let mut draft = json!({ "id": id, "title": { "en": format!("About {local}") } });
    draft.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let reply = node.call("POST", "/api/v1/datasets").bearer(&steward).json(&draft).send().await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    let seq = reply.json()["seq"].as_u64().unwrap();
    search(node, &format!("local=true&min_seq={seq}")).await;
    id
}

async fn lineage(node: &TestNode, local: &str, query: &str) -> Value {
    let reply = node.call("GET", &format!("/api/v1/datasets/{local}/lineage{query}")).send().await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

/// Who is met on a way: how many steps away, by which relation, which dataset or else which IRI.
fn met(answer: &Value, way: &str) -> Vec<(u64, String, String)> {
    let edges = answer[way].as_array().unwrap().iter();
    let name = |edge: &Value| {
        let met = edge["card"]["id"].as_str().or(edge["iri"].as_str()).unwrap();
        met.replace("https://", "").replace(".pleiad.example/dataset", "")
    };
    edges
        .map(|edge| (edge["steps"].as_u64().unwrap(), edge["relation"].as_str().unwrap().to_owned(), name(edge)))
        .collect()
}

fn edge(steps: u64, relation: &str, name: &str) -> (u64, String, String) {
    (steps, relation.to_owned(), name.to_owned())
}

const DOI: &str = "https://doi.org/10.1234/raw";

#[tokio::test]
async fn what_a_dataset_was_made_from_and_used_in_is_found_both_ways_across_nodes() {
    let [fi, de, es] = federation(["fi", "de", "es"], &[], patient).await;
    let raw =
        register(&es, "raw", json!({ "identifiers": [DOI], "derived_from": ["https://elsewhere.example/x"] })).await;
    let clean = register(&de, "clean", json!({ "derived_from": [DOI] })).await;
    register(&fi, "model", json!({ "derived_from": [clean], "series": ["https://fi.pleiad.example/dataset/all"] }))
        .await;
    register(&fi, "next", json!({ "version_of": "https://fi.pleiad.example/dataset/model" })).await;

    let model = lineage(&fi, "model", "?depth=5").await;
    assert_eq!(
        met(&model, "upward"),
        [
            edge(1, "derived_from", "de/clean"),
            edge(1, "series", "fi/all"),
            edge(2, "derived_from", "es/raw"),
            edge(3, "derived_from", "elsewhere.example/x"),
        ]
    );
    assert_eq!(model["upward"][0]["node"], "spiffe://de.pleiad.example/node/de");
    assert_eq!(model["upward"][2]["from"], clean.as_str());
    assert!(model["upward"][3].get("card").is_none(), "what nobody knows stays an IRI: {model}");
    assert_eq!(met(&model, "downward"), [edge(1, "version_of", "fi/next")]);
    assert_eq!((&model["complete"], &model["cut"]), (&json!(true), &json!(false)), "{model}");
    assert_eq!(model["sources"].as_array().unwrap().len(), 3);

    let raw_way = lineage(&es, "raw", "?depth=3").await;
    assert_eq!(
        met(&raw_way, "downward"),
        [edge(1, "derived_from", "de/clean"), edge(2, "derived_from", "fi/model"), edge(3, "version_of", "fi/next")]
    );
    assert_eq!(met(&lineage(&es, "raw", "").await, "downward").len(), 1, "one step where nobody says");
    assert_eq!(raw_way["id"], raw.as_str());

    let asked = search(&es, &format!("q=derived_from:%22{DOI}%22")).await;
    assert_eq!(asked["hits"][0]["card"]["id"], clean.as_str(), "{asked}");
    for depth in ["0", "6"] {
        let path = format!("/api/v1/datasets/model/lineage?depth={depth}");
        fi.call("GET", &path).send().await.problem(400, "bad_parameter");
    }
    let page = fi.call("GET", "/datasets/model/lineage?depth=2").send().await;
    assert_eq!(page.status, 200);
    for shown in ["About clean", "About raw", "About next"] {
        assert!(page.text().contains(shown), "{shown} in {}", page.text());
    }
}

#[tokio::test]
async fn a_circle_ends_and_whoever_was_met_before_is_shown_again_and_not_followed() {
    let [fi, de] = federation(["fi", "de"], &[], patient).await;
    register(&fi, "hen", json!({ "derived_from": ["https://de.pleiad.example/dataset/egg"] })).await;
    register(&de, "egg", json!({ "derived_from": ["https://fi.pleiad.example/dataset/hen"] })).await;
    register(&fi, "self", json!({ "derived_from": ["https://fi.pleiad.example/dataset/self"] })).await;
    let circle = lineage(&fi, "hen", "?depth=5").await;
    let expected = [edge(1, "derived_from", "de/egg"), edge(2, "derived_from", "fi/hen")];
    for way in ["upward", "downward"] {
        assert_eq!(met(&circle, way), expected, "{way}");
        assert_eq!(circle[way][1]["again"], true, "{circle}");
    }
    let alone = lineage(&fi, "self", "?depth=5").await;
    assert_eq!(met(&alone, "upward"), [edge(1, "derived_from", "fi/self")]);
    assert_eq!((&alone["upward"][0]["again"], &alone["downward"][0]["again"]), (&json!(true), &json!(true)));
}

#[tokio::test]
async fn a_node_that_does_not_answer_is_said_and_what_it_has_is_missing() {
    let [fi, de, es] = federation(["fi", "de", "es"], &[], hasty).await;
    let raw = register(&fi, "raw", json!({ "derived_from": ["https://es.pleiad.example/dataset/source"] })).await;
    register(&de, "one", json!({ "derived_from": [raw] })).await;
    register(&es, "two", json!({ "derived_from": [raw] })).await;
    assert_eq!(met(&lineage(&fi, "raw", "").await, "downward").len(), 2);
    es.stop().await;
    let told = lineage(&fi, "raw", "").await;
    assert_eq!(met(&told, "downward"), [edge(1, "derived_from", "de/one")]);
    assert!(told["upward"][0].get("card").is_none(), "{told}");
    assert_eq!((&told["complete"], source(&told, "de")["state"].as_str()), (&json!(false), Some("answered")));
    assert!(!["answered", "skipped"].contains(&source(&told, "es")["state"].as_str().unwrap()), "{told}");
    let page = fi.call("GET", "/datasets/raw/lineage").send().await.text();
    assert!(page.contains("Not every node answered"), "{page}");
}

#[tokio::test]
async fn what_is_private_or_a_draft_is_in_nobody_elses_lineage() {
    let [fi, de] = federation(["fi", "de"], &[], patient).await;
    let raw = register(&fi, "raw", json!({})).await;
    register(&fi, "secret", json!({ "derived_from": [raw], "visibility": "private" })).await;
    register(&de, "hidden", json!({ "derived_from": [raw], "visibility": "private" })).await;
    let steward = fi.token(Role::Steward, Some("owner")).await;
    let draft = json!({ "title": { "en": "Draft" }, "derived_from": [raw] });
    let made = fi.call("POST", "/api/v1/datasets?state=draft").bearer(&steward).json(&draft).send().await;
    assert_eq!(made.status, 201);
    // The index of private records is waited for by whoever may see them.
    let waited = format!("/api/v1/search?local=true&min_seq={}", made.json()["seq"]);
    assert_eq!(fi.call("GET", &waited).bearer(&steward).send().await.status, 200);
    let open = lineage(&fi, "raw", "").await;
    assert_eq!((open["downward"].clone(), &open["cut"]), (json!([]), &json!(false)), "{open}");
    let own = fi.call("GET", "/api/v1/datasets/raw/lineage").bearer(&steward).send().await.json();
    assert_eq!(met(&own, "downward"), [edge(1, "derived_from", "fi/secret")]);
    assert_eq!(own["downward"][0]["private"], true);
    fi.call("GET", "/api/v1/datasets/secret/lineage").send().await.problem(404, "not_found");
}

#[tokio::test]
async fn the_names_that_private_records_and_drafts_give_are_told_to_no_other_node() {
    let mut nosy = Impostor::new("se", &pki::clock());
    let [fi] = federation(["fi"], &[&nosy.state], hasty).await;
    nosy.answers(|_, _| Reply::Says(503, json!({ "code": "busy", "detail": "not now" }).to_string()));
    let steward = fi.token(Role::Steward, Some("owner")).await;
    let raw = register(&fi, "raw", json!({})).await;
    let says = json!({
        "visibility": "private", "identifiers": ["https://doi.org/10.1234/secretdoi"],
        "derived_from": [raw, "https://se.pleiad.example/dataset/secretsource"],
    });
    register(&fi, "secretid", says).await;
    register(
        &fi,
        "secretuse",
        json!({ "derived_from": ["https://fi.pleiad.example/dataset/secretid"], "visibility": "private" }),
    )
    .await;
    let draft = json!({
        "id": "https://fi.pleiad.example/dataset/secretdraft", "title": { "en": "Draft" },
        "derived_from": ["https://doi.org/10.1234/secretdoi"],
    });
    let made = fi.call("POST", "/api/v1/datasets?state=draft").bearer(&steward).json(&draft).send().await;
    assert_eq!(made.status, 201, "{}", made.text());
    let waited = format!("/api/v1/search?local=true&min_seq={}", made.json()["seq"]);
    assert_eq!(fi.call("GET", &waited).bearer(&steward).send().await.status, 200);

    let mut met_by = Vec::new();
    for local in ["secretid", "secretdraft", "raw"] {
        let path = format!("/api/v1/datasets/{local}/lineage?depth=3");
        let told = fi.call("GET", &path).bearer(&steward).send().await.json();
        assert_eq!(told["complete"], false, "{told}");
        assert!(told["problem"].as_str().unwrap().contains("told to no other node"), "{told}");
        met_by.push((met(&told, "upward"), met(&told, "downward")));
    }
    let source = || edge(1, "derived_from", "se/secretsource");
    let from_raw = || edge(1, "derived_from", "fi/raw");
    assert_eq!(met_by[0], (vec![from_raw(), source()], vec![edge(1, "derived_from", "fi/secretuse")]));
    assert_eq!(met_by[1].0[0], edge(1, "derived_from", "fi/secretid"));
    assert_eq!(met_by[2].1, [edge(1, "derived_from", "fi/secretid"), edge(2, "derived_from", "fi/secretuse")]);
    let asked = nosy.searches();
    assert!(asked.iter().any(|asked| asked.contains("dataset/raw")), "what is public is asked of everybody: {asked:?}");
    assert!(asked.iter().all(|asked| !asked.contains("secret")), "{asked:?}");
}

#[tokio::test]
async fn a_node_of_an_older_version_that_does_not_know_the_constraint_adds_nothing_and_is_named() {
    let mut older = Impostor::new("se", &pki::clock());
    let [fi] = federation(["fi"], &[&older.state], patient).await;
    register(&fi, "raw", json!({})).await;
    older.answers(|_, request| {
        if request.contains("derived_from") {
            Reply::Says(422, json!({ "code": "unsupported_constraint", "detail": "derived_from" }).to_string())
        } else {
            Reply::Nothing
        }
    });
    let told = lineage(&fi, "raw", "").await;
    assert_eq!(source(&told, "se")["state"], "unsupported_constraint", "{told}");
    assert_eq!((told["downward"].clone(), &told["complete"]), (json!([]), &json!(false)));
}
