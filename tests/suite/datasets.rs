//! The datasets' door: what a steward and a reader may rely on.

use pleiad::domain::event::Role;
use serde_json::{Value, json};

use crate::node::{Call, Reply, TestNode};

/// A node with a steward.
pub struct Scene {
    pub node: TestNode,
    pub steward: String,
}

impl Scene {
    pub async fn new() -> Self {
        let node = TestNode::start("fi").await;
        let steward = node.token(Role::Steward, Some("csc")).await;
        Self { node, steward }
    }

    pub fn call(&self, method: &str, path: &str) -> Call {
        self.node.call(method, path).bearer(&self.steward)
    }

    pub async fn register(&self, draft: &Value) -> Reply {
        let reply = self.call("POST", "/api/v1/datasets").json(draft).send().await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        reply
    }
}

/// The least that a dataset says, under a local name.
pub fn draft(local: &str) -> Value {
    json!({ "id": format!("https://fi.pleiad.example/dataset/{local}"), "title": { "en": format!("About {local}") } })
}

#[tokio::test]
async fn a_registered_dataset_is_read_back_under_its_location_with_the_same_tag() {
    let scene = Scene::new().await;
    let made = scene.register(&draft("birds")).await;
    assert_eq!(made.header("location"), Some("/api/v1/datasets/birds"));
    let etag = made.header("etag").unwrap().to_owned();
    let body = made.json();
    assert!(body["seq"].as_u64().unwrap() > 1, "{body}");
    assert_eq!(body["owner"], "spiffe://fi.pleiad.example/participant/csc");
    assert_eq!(body["dataset"]["country"], "FI", "the node speaks for one country alone");

    let read = scene.node.call("GET", "/api/v1/datasets/birds").send().await;
    assert_eq!((read.status, read.header("etag")), (200, Some(etag.as_str())));
    assert_eq!(read.json(), body);
    assert!(read.header("vary").unwrap().contains("Authorization"));

    let again = scene.node.call("GET", "/api/v1/datasets/birds").header("If-None-Match", &etag).send().await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    let head = scene.node.call("HEAD", "/api/v1/datasets/birds").send().await;
    assert_eq!((head.status, head.header("etag"), head.body.len()), (200, Some(etag.as_str()), 0));
}

#[tokio::test]
async fn an_acknowledged_dataset_is_there_after_a_restart() {
    let scene = Scene::new().await;
    scene.register(&draft("birds")).await;
    let node = scene.node.stop().await.start_with(|_| ()).await;
    assert_eq!(node.call("GET", "/api/v1/datasets/birds").send().await.status, 200);
}

#[tokio::test]
async fn a_change_is_made_from_what_stands_and_the_past_stays_readable() {
    let scene = Scene::new().await;
    let first = scene.register(&draft("birds")).await;
    let first_tag = first.header("etag").unwrap().to_owned();
    let mut changed = draft("birds");
    changed["title"]["en"] = "About all birds".into();

    let put = |tag: Option<&str>| {
        let call = scene.call("PUT", "/api/v1/datasets/birds").json(&changed);
        match tag {
            Some(tag) => call.header("If-Match", tag),
            None => call,
        }
    };
    put(None).send().await.problem(428, "if_match_required");
    let revised = put(Some(&first_tag)).send().await;
    assert_eq!((revised.status, revised.json()["revision"].as_u64()), (200, Some(2)), "{}", revised.text());
    assert_ne!(revised.header("etag"), Some(first_tag.as_str()));
    put(Some(&first_tag)).send().await.problem(412, "stale");

    let revisions = scene.node.call("GET", "/api/v1/datasets/birds/revisions").send().await.json();
    assert_eq!(revisions["items"].as_array().unwrap().len(), 2, "{revisions}");
    let old = scene.node.call("GET", "/api/v1/datasets/birds/revisions/1").send().await;
    assert_eq!(
        (old.header("etag"), &old.json()["dataset"]["title"]["en"]),
        (Some(first_tag.as_str()), &json!("About birds"))
    );
    scene.node.call("GET", "/api/v1/datasets/birds/revisions/3").send().await.problem(404, "not_found");
}

#[tokio::test]
async fn of_many_changes_from_one_revision_one_wins_and_the_others_are_told() {
    let scene = Scene::new().await;
    let tag = scene.register(&draft("birds")).await.header("etag").unwrap().to_owned();
    let changes = (0..8).map(|number| {
        let mut changed = draft("birds");
        changed["title"]["en"] = format!("Birds {number}").into();
        scene.call("PUT", "/api/v1/datasets/birds").header("If-Match", &tag).json(&changed).send()
    });
    let mut statuses: Vec<u16> =
        futures_util::future::join_all(changes).await.into_iter().map(|reply| reply.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412, 412, 412, 412, 412, 412, 412]);
}

#[tokio::test]
async fn a_withdrawn_dataset_is_still_shown_with_its_reason_and_its_id_stays_taken() {
    let scene = Scene::new().await;
    let tag = scene.register(&draft("birds")).await.header("etag").unwrap().to_owned();
    let reason = json!({ "reason": "Consent was withdrawn." });
    let delete = || scene.call("DELETE", "/api/v1/datasets/birds").json(&reason);
    delete().send().await.problem(428, "if_match_required");
    let gone = delete().header("If-Match", &tag).send().await;
    assert_eq!((gone.status, &gone.json()["withdrawn"]["reason"]), (200, &json!("Consent was withdrawn.")));
    let shown = scene.node.call("GET", "/api/v1/datasets/birds").send().await;
    assert_eq!((shown.status, &shown.json()["withdrawn"]), (200, &json!({ "reason": "Consent was withdrawn." })));
    scene.call("POST", "/api/v1/datasets").json(&draft("birds")).send().await.problem(410, "withdrawn");
    let put = scene.call("PUT", "/api/v1/datasets/birds").header("If-Match", "*").json(&draft("birds"));
    put.send().await.problem(410, "withdrawn");
    let listed = scene.node.call("GET", "/api/v1/datasets").send().await.json();
    assert_eq!(listed["items"], json!([]));
    let listed = scene.node.call("GET", "/api/v1/datasets?withdrawn=true").send().await.json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1, "{listed}");
}

#[tokio::test]
async fn a_list_is_walked_page_by_page_without_a_gap() {
    let scene = Scene::new().await;
    for number in 0..7 {
        scene.register(&draft(&format!("birds-{number}"))).await;
    }
    let (mut path, mut seen) = ("/api/v1/datasets?limit=3".to_owned(), Vec::new());
    loop {
        let page = scene.node.call("GET", &path).send().await;
        assert_eq!(page.status, 200, "{}", page.text());
        let body = page.json();
        seen.extend(body["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        let Some(link) = page.header("link") else { break };
        assert!(link.ends_with("rel=\"next\"") && body["next_cursor"].is_string(), "{link}");
        path = link[1..link.find('>').unwrap()].to_owned();
    }
    let expected: Vec<String> =
        (0..7).map(|number| format!("https://fi.pleiad.example/dataset/birds-{number}")).collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_private_record_is_there_for_its_owner_and_those_it_lists_and_for_nobody_else() {
    let scene = Scene::new().await;
    let mut private = draft("birds");
    private["visibility"] = "private".into();
    private["listed"] = json!(["spiffe://fi.pleiad.example/participant/lab"]);
    let tag = scene.register(&private).await.header("etag").unwrap().to_owned();
    let listed = scene.node.token(Role::Researcher, Some("lab")).await;
    let other = scene.node.token(Role::Steward, Some("other")).await;
    let administrator = scene.node.token(Role::Administrator, None).await;
    for path in ["", "/revisions", "/revisions/1", "/offerable"] {
        let path = format!("/api/v1/datasets/birds{path}");
        for (secret, sees) in [(&scene.steward, true), (&listed, true), (&other, false), (&administrator, false)] {
            let reply = scene.node.call("GET", &path).bearer(secret).send().await;
            if sees { assert_eq!(reply.status, 200) } else { drop(reply.problem(404, "not_found")) }
        }
        scene.node.call("GET", &path).send().await.problem(404, "not_found");
    }
    for path in ["", ".json", "/revisions/1", "/revisions/1/difference"] {
        let path = format!("/api/v1/datasets/birds{path}");
        let own = scene.call("GET", &path).send().await;
        let seen = scene.node.call("GET", &path).bearer(&listed).send().await;
        assert!(own.text().contains("participant/lab"), "{path}: {}", own.text());
        assert!(!seen.text().contains("participant/lab"), "whom it lists is its owner's to know: {}", seen.text());
        assert_ne!(own.header("etag"), seen.header("etag"), "{path}");
    }
    let put = scene.node.call("PUT", "/api/v1/datasets/birds").bearer(&other).header("If-Match", &tag).json(&private);
    put.send().await.problem(404, "not_found");
    let count = |reply: Reply| reply.json()["items"].as_array().unwrap().len();
    assert_eq!(count(scene.node.call("GET", "/api/v1/datasets").send().await), 0);
    assert_eq!(count(scene.node.call("GET", "/api/v1/datasets?visibility=private").send().await), 0);
    assert_eq!(count(scene.node.call("GET", "/api/v1/datasets").bearer(&listed).send().await), 1);
}

#[tokio::test]
async fn only_the_owners_steward_changes_a_dataset() {
    let scene = Scene::new().await;
    let tag = scene.register(&draft("birds")).await.header("etag").unwrap().to_owned();
    let put = || scene.node.call("PUT", "/api/v1/datasets/birds").header("If-Match", &tag).json(&draft("birds"));
    put().send().await.problem(401, "unauthenticated");
    for (role, participant) in [(Role::Steward, Some("other")), (Role::Researcher, None), (Role::Administrator, None)] {
        let secret = scene.node.token(role, participant).await;
        put().bearer(&secret).send().await.problem(403, "forbidden");
    }
}

#[tokio::test]
async fn what_is_missing_for_an_offer_is_said_place_by_place() {
    let scene = Scene::new().await;
    scene.register(&draft("birds")).await;
    let said = scene.node.call("GET", "/api/v1/datasets/birds/offerable").send().await.json();
    assert_eq!(said["offerable"], false);
    let missing = said["missing"].as_array().unwrap();
    assert!(missing.iter().any(|place| place["pointer"] == "/licence"), "{said}");
}

#[tokio::test]
async fn an_administrator_makes_and_revokes_tokens_and_nobody_else_does() {
    let scene = Scene::new().await;
    let administrator = scene.node.token(Role::Administrator, None).await;
    let wish =
        json!({ "role": "operator", "participant": "spiffe://fi.pleiad.example/participant/lab", "note": "fetching" });
    scene.call("POST", "/api/v1/tokens").json(&wish).send().await.problem(403, "forbidden");
    let make = |wish: &Value| scene.node.call("POST", "/api/v1/tokens").bearer(&administrator).json(wish);
    let made = make(&wish).send().await;
    assert_eq!(made.status, 201, "{}", made.text());
    let (secret, id) = (made.json()["secret"].as_str().unwrap().to_owned(), made.json()["id"].clone());
    let me = || scene.node.call("GET", "/api/v1/me").bearer(&secret);
    assert_eq!(me().send().await.json()["role"], "operator");
    let listed = scene.node.call("GET", "/api/v1/tokens").bearer(&administrator).send().await;
    assert!(!listed.text().contains(&secret) && listed.text().contains("fetching"), "{}", listed.text());
    let path = format!("/api/v1/tokens/{}", id.as_str().unwrap());
    let revoke = || scene.node.call("DELETE", &path).bearer(&administrator);
    assert_eq!(revoke().send().await.status, 204);
    me().send().await.problem(401, "unauthenticated");
    revoke().send().await.problem(404, "not_found");
    let problem = make(&json!({ "role": "steward" })).send().await.problem(422, "invalid");
    assert_eq!(problem["errors"][0]["pointer"], "/participant");
}
