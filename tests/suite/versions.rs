//! The life of a record and its past: what a steward, a reader and a stranger may rely on.

use pleiad::domain::event::Role;
use serde_json::{Value, json};

use crate::datasets::{Scene, draft};
use crate::node::Reply;

async fn tag(scene: &Scene, local: &str) -> String {
    let reply = scene.call("GET", &format!("/api/v1/datasets/{local}")).send().await;
    reply.header("etag").unwrap_or_else(|| panic!("{}", reply.text())).to_owned()
}

/// Takes a record on in its life, from what stands.
async fn go(scene: &Scene, local: &str, step: Value) -> Reply {
    let tag = tag(scene, local).await;
    let path = format!("/api/v1/datasets/{local}/state");
    scene.call("POST", &path).header("If-Match", &tag).json(&step).send().await
}

async fn found(scene: &Scene, min_seq: u64) -> u64 {
    let reply = scene.node.call("GET", &format!("/api/v1/search?min_seq={min_seq}")).send().await.json();
    reply["total"]["value"].as_u64().unwrap_or_else(|| panic!("{reply}"))
}

async fn history(scene: &Scene, secret: Option<&str>, local: &str) -> Vec<Value> {
    let call = scene.node.call("GET", &format!("/api/v1/datasets/{local}/revisions"));
    let call = if let Some(secret) = secret { call.bearer(secret) } else { call };
    call.send().await.json()["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_draft_is_its_owners_alone_until_it_was_reviewed_and_published() {
    let scene = Scene::new().await;
    let made = scene.call("POST", "/api/v1/datasets?state=draft&reason=First%20try").json(&draft("birds")).send().await;
    assert_eq!((made.status, &made.json()["state"]), (201, &json!("draft")), "{}", made.text());
    let other = scene.node.token(Role::Steward, Some("other")).await;
    let administrator = scene.node.token(Role::Administrator, None).await;
    let unknown = || async {
        for path in ["", "/revisions", "/revisions/1", "/revisions/1/difference", "/offerable"] {
            let path = format!("/api/v1/datasets/birds{path}");
            scene.node.call("GET", &path).send().await.problem(404, "not_found");
            for stranger in [&other, &administrator] {
                scene.node.call("GET", &path).bearer(stranger).send().await.problem(404, "not_found");
            }
            assert_eq!(scene.call("GET", &path).send().await.status, 200, "{path} for its owner");
        }
        for list in ["/api/v1/datasets", "/api/v1/datasets?state=draft", "/api/v1/datasets?state=review"] {
            for stranger in [None, Some(&other)] {
                let call = scene.node.call("GET", list);
                let call = if let Some(secret) = stranger { call.bearer(secret) } else { call };
                assert_eq!(call.send().await.json()["items"], json!([]), "{list}");
            }
        }
    };
    unknown().await;
    let mine = scene.call("GET", "/api/v1/datasets?state=draft").send().await.json();
    assert_eq!(mine["items"][0]["state"], "draft", "{mine}");
    assert_eq!(found(&scene, made.json()["seq"].as_u64().unwrap()).await, 0);
    assert_eq!(scene.node.running.store().dataset_counts().await.unwrap(), (0, 0));
    let offerable = scene.call("GET", "/api/v1/datasets/birds/offerable").send().await.json();
    assert_eq!(offerable["missing"][0]["code"], "not_published", "{offerable}");

    go(&scene, "birds", json!({ "state": "published" })).await.problem(409, "conflict");
    let review = go(&scene, "birds", json!({ "state": "review", "reason": "Ready, I think." })).await;
    assert_eq!((review.status, &review.json()["revision"]), (200, &json!(2)), "{}", review.text());
    unknown().await;
    assert_eq!(go(&scene, "birds", json!({ "state": "draft", "reason": "No licence." })).await.status, 200);
    assert_eq!(go(&scene, "birds", json!({ "state": "review" })).await.status, 200);
    let published = go(&scene, "birds", json!({ "state": "published" })).await;
    assert_eq!((published.status, published.json().get("state")), (200, None), "{}", published.text());

    assert_eq!(found(&scene, published.json()["seq"].as_u64().unwrap()).await, 1);
    assert_eq!(scene.node.running.store().dataset_counts().await.unwrap(), (1, 0));
    let shown = history(&scene, None, "birds").await;
    assert_eq!(
        shown.iter().map(|line| &line["revision"]).collect::<Vec<_>>(),
        [5],
        "what was a draft stays its owner's"
    );
    scene.node.call("GET", "/api/v1/datasets/birds/revisions/1").send().await.problem(404, "not_found");
    go(&scene, "birds", json!({ "state": "draft" })).await.problem(409, "conflict");
    let kept = history(&scene, Some(&scene.steward), "birds").await;
    let reasons: Vec<&str> = kept.iter().map(|line| line["reason"].as_str().unwrap_or("")).collect();
    assert_eq!(reasons, ["First try", "Ready, I think.", "No licence.", "", ""]);
    let audited =
        scene.call("GET", "/api/v1/audit/entries?subject=https://fi.pleiad.example/dataset/birds").send().await;
    assert_eq!(audited.json()["items"].as_array().unwrap().len(), 5, "{}", audited.text());
}

#[tokio::test]
async fn a_draft_that_is_discarded_was_never_there_for_anybody_else_and_its_id_stays_taken() {
    let scene = Scene::new().await;
    let made = scene.call("POST", "/api/v1/datasets?state=draft").json(&draft("birds")).send().await;
    assert_eq!(made.status, 201);
    go(&scene, "birds", json!({ "state": "withdrawn" })).await.problem(422, "invalid");
    let gone = go(&scene, "birds", json!({ "state": "withdrawn", "reason": "A mistake." })).await;
    assert_eq!((gone.status, &gone.json()["withdrawn"]["reason"]), (200, &json!("A mistake.")), "{}", gone.text());
    scene.node.call("GET", "/api/v1/datasets/birds").send().await.problem(404, "not_found");
    let listed = scene.node.call("GET", "/api/v1/datasets?withdrawn=true").send().await.json();
    assert_eq!(listed["items"], json!([]));
    scene.call("POST", "/api/v1/datasets").json(&draft("birds")).send().await.problem(410, "withdrawn");
    let other = scene.node.token(Role::Steward, Some("other")).await;
    let post = |path| scene.node.call("POST", path).bearer(&other);
    post("/api/v1/datasets").json(&draft("birds")).send().await.problem(409, "already_exists");
    let dry = json!({ "dry_run": true, "changes": [{ "operation": "register", "document": draft("birds") }] });
    let told = post("/api/v1/changes").json(&dry).send().await.json();
    assert_eq!(told["outcomes"][0]["code"], "already_exists", "{told}");
    assert_eq!(scene.node.running.store().dataset_counts().await.unwrap(), (0, 0));
}

#[tokio::test]
async fn a_list_by_state_has_what_was_withdrawn_under_that_state_and_no_other() {
    let scene = Scene::new().await;
    let made = scene.call("POST", "/api/v1/datasets?state=draft").json(&draft("birds")).send().await;
    assert_eq!(made.status, 201);
    assert_eq!(go(&scene, "birds", json!({ "state": "withdrawn", "reason": "A mistake." })).await.status, 200);
    scene.register(&draft("fish")).await;
    for (query, count) in [
        ("state=withdrawn", 1),
        ("state=draft&withdrawn=true", 0),
        ("state=draft", 0),
        ("state=published&withdrawn=true", 1),
        ("withdrawn=true", 2),
    ] {
        let listed = scene.call("GET", &format!("/api/v1/datasets?{query}")).send().await.json();
        assert_eq!(listed["items"].as_array().unwrap().len(), count, "{query}: {listed}");
    }
    let others = scene.node.call("GET", "/api/v1/datasets?state=withdrawn").send().await.json();
    assert_eq!(others["items"], json!([]));
}

#[tokio::test]
async fn a_life_begins_as_draft_or_published_and_each_step_names_what_it_was_made_from() {
    let scene = Scene::new().await;
    for state in ["review", "withdrawn"] {
        let path = format!("/api/v1/datasets?state={state}");
        scene.call("POST", &path).json(&draft("birds")).send().await.problem(400, "bad_parameter");
    }
    let made = scene.call("POST", "/api/v1/datasets?state=draft").json(&draft("birds")).send().await;
    let first = made.header("etag").unwrap().to_owned();
    let step = |secret: &str| {
        let call = scene.node.call("POST", "/api/v1/datasets/birds/state").bearer(secret);
        call.json(&json!({ "state": "review" }))
    };
    step(&scene.steward).send().await.problem(428, "if_match_required");
    let other = scene.node.token(Role::Steward, Some("other")).await;
    step(&other).header("If-Match", "*").send().await.problem(404, "not_found");
    assert_eq!(step(&scene.steward).header("If-Match", &first).send().await.status, 200);
    step(&scene.steward).header("If-Match", &first).send().await.problem(412, "stale");
    let again = step(&scene.steward).header("If-Match", "*").send().await;
    assert_eq!((again.status, &again.json()["revision"]), (200, &json!(2)), "where it is already, nothing is done");
    let bell = json!({ "state": "published", "reason": "\u{7}" });
    go(&scene, "birds", bell).await.problem(422, "invalid");
}

#[tokio::test]
async fn an_import_may_begin_as_drafts_and_what_is_known_stays_where_it_is() {
    let scene = Scene::new().await;
    let drafts = |digest: char| {
        let source = json!({
            "name": "portal", "iri": "https://portal.example/1", "digest": digest.to_string().repeat(64),
        });
        json!({ "title": { "en": format!("Birds {digest}") }, "source": source }).to_string()
    };
    let import = |path: &'static str, body: String| {
        scene.call("POST", path).header("Content-Type", "application/x-ndjson").body(body).send()
    };
    let first = import("/api/v1/imports?state=draft", drafts('a')).await.json();
    let id = first["outcomes"][0]["id"].as_str().unwrap_or_else(|| panic!("{first}")).to_owned();
    let local = id.rsplit('/').next().unwrap().to_owned();
    let stands = || scene.call("GET", &format!("/api/v1/datasets/{local}")).send();
    assert_eq!(stands().await.json()["state"], "draft");
    let second = import("/api/v1/imports", drafts('b')).await.json();
    assert_eq!(second["outcomes"][0]["outcome"], "revised", "{second}");
    assert_eq!(stands().await.json()["state"], "draft", "what is known stays in its state");
    import("/api/v1/imports?state=review", drafts('c')).await.problem(400, "bad_parameter");
}

#[tokio::test]
async fn the_history_tells_who_made_each_revision_and_why_and_names_tokens_to_the_owners_stewards_alone() {
    let scene = Scene::new().await;
    let first = scene.register(&draft("birds")).await;
    let mut changed = draft("birds");
    changed["title"]["fi"] = "Linnut".into();
    let put = |path: &'static str| {
        let call = scene.call("PUT", path).header("If-Match", first.header("etag").unwrap());
        call.json(&changed)
    };
    put("/api/v1/datasets/birds?reason=%07").send().await.problem(422, "invalid");
    assert_eq!(put("/api/v1/datasets/birds?reason=Finnish%20title").send().await.status, 200);
    let gone = go(&scene, "birds", json!({ "state": "withdrawn", "reason": "Consent was withdrawn." })).await;
    assert_eq!(gone.status, 200, "{}", gone.text());

    let shown = history(&scene, None, "birds").await;
    let told = |name: &str| shown.iter().map(|line| line[name].clone()).collect::<Vec<_>>();
    assert_eq!(told("kind"), ["registered", "revised", "withdrawn"]);
    assert_eq!(told("reason"), [Value::Null, json!("Finnish title"), json!("Consent was withdrawn.")]);
    assert_eq!(told("state"), ["published", "published", "withdrawn"]);
    let by = json!({ "role": "steward", "participant": "spiffe://fi.pleiad.example/participant/csc" });
    assert_eq!(told("by"), [by.clone(), by.clone(), by.clone()]);
    let researcher = scene.node.token(Role::Researcher, Some("csc")).await;
    assert_eq!(history(&scene, Some(&researcher), "birds").await[0]["by"], by);
    let kept = history(&scene, Some(&scene.steward), "birds").await;
    assert!(kept[0]["by"]["token"].is_string(), "{kept:?}");
    let record = scene.node.call("GET", "/api/v1/datasets/birds/revisions/2").send().await.json();
    assert_eq!(record["reason"], "Finnish title");
    assert_eq!(scene.node.call("GET", "/api/v1/datasets/birds").send().await.json().get("reason"), None);
}

#[tokio::test]
async fn a_revision_has_an_address_that_never_says_anything_else_and_links_to_the_others() {
    let scene = Scene::new().await;
    scene.register(&draft("birds")).await;
    for title in ["Two", "Three"] {
        let mut changed = draft("birds");
        changed["title"]["en"] = title.into();
        let tag = tag(&scene, "birds").await;
        let put = scene.call("PUT", "/api/v1/datasets/birds").header("If-Match", &tag).json(&changed).send().await;
        assert_eq!(put.status, 200, "{}", put.text());
    }
    let links = |number: u32| {
        let call = scene.node.call("GET", &format!("/api/v1/datasets/birds/revisions/{number}"));
        async {
            let reply = call.send().await;
            assert_eq!(reply.header("cache-control"), Some("private, max-age=31536000, immutable"));
            // Beside them stand the forms in which the revision leaves.
            let links = reply.headers.iter().filter(|(name, link)| name == "link" && link.contains("version"));
            links.map(|(_, link)| link.replace("/api/v1/datasets/birds", "")).collect::<Vec<_>>()
        }
    };
    let always = ["<>; rel=\"latest-version\"", "</revisions>; rel=\"version-history\""];
    let (before, after) = ("</revisions/1>; rel=\"predecessor-version\"", "</revisions/3>; rel=\"successor-version\"");
    assert_eq!(links(2).await, [always[0], always[1], before, after]);
    assert_eq!(links(1).await, [always[0], always[1], "</revisions/2>; rel=\"successor-version\""]);
    assert_eq!(links(3).await, [always[0], always[1], "</revisions/2>; rel=\"predecessor-version\""]);
}

#[tokio::test]
async fn two_revisions_differ_field_by_field_and_language_by_language() {
    let scene = Scene::new().await;
    let mut first = draft("birds");
    first["description"] = json!({ "en": "Calls of birds", "fi": "Lintujen ääniä" });
    first["keywords"] = json!({ "en": ["birds", "sound"] });
    let tag = scene.register(&first).await.header("etag").unwrap().to_owned();
    let mut second = first.clone();
    second["description"]["en"] = "Calls of all birds".into();
    second["keywords"]["en"] = json!(["birds", "audio"]);
    second["version"] = "2".into();
    let put = scene.call("PUT", "/api/v1/datasets/birds").header("If-Match", &tag).json(&second).send().await;
    assert_eq!(put.status, 200, "{}", put.text());
    let difference = |path: &'static str| scene.node.call("GET", path).send();
    let told = difference("/api/v1/datasets/birds/revisions/2/difference").await.json();
    assert_eq!((&told["from"], &told["to"]), (&json!(1), &json!(2)));
    let items = told["items"].as_array().unwrap();
    let item = |pointer: &str| items.iter().find(|item| item["pointer"] == pointer).unwrap_or_else(|| panic!("{told}"));
    assert_eq!(items.len(), 4, "{told}");
    assert_eq!(
        item("/description/en"),
        &json!({ "pointer": "/description/en", "before": "Calls of birds", "after": "Calls of all birds" })
    );
    assert_eq!(item("/version").get("before"), None);
    let members: Vec<_> = items.iter().filter(|item| item["pointer"] == "/keywords/en/1").collect();
    assert_eq!((&members[0]["before"], &members[1]["after"]), (&json!("sound"), &json!("audio")), "{told}");
    let back = difference("/api/v1/datasets/birds/revisions/1/difference?from=2").await.json();
    assert_eq!(back["items"].as_array().unwrap().len(), 4, "{back}");
    let whole = difference("/api/v1/datasets/birds/revisions/1/difference").await.json();
    assert_eq!((&whole["from"], whole["items"][0].get("before")), (&Value::Null, None), "{whole}");
    difference("/api/v1/datasets/birds/revisions/9/difference").await.problem(404, "not_found");
    difference("/api/v1/datasets/birds/revisions/2/difference?from=9").await.problem(404, "not_found");
}

#[tokio::test]
async fn revisions_of_a_private_past_are_for_those_they_listed() {
    let scene = Scene::new().await;
    let mut private = draft("birds");
    private["visibility"] = "private".into();
    private["listed"] = json!(["spiffe://fi.pleiad.example/participant/lab"]);
    let tag = scene.register(&private).await.header("etag").unwrap().to_owned();
    let put = scene.call("PUT", "/api/v1/datasets/birds?reason=Opened").header("If-Match", &tag).json(&draft("birds"));
    assert_eq!(put.send().await.status, 200);
    let listed = scene.node.token(Role::Researcher, Some("lab")).await;
    assert_eq!(history(&scene, Some(&listed), "birds").await.len(), 2);
    assert_eq!(history(&scene, None, "birds").await.len(), 1);
    let path = "/api/v1/datasets/birds/revisions/2/difference?from=1";
    scene.node.call("GET", path).send().await.problem(404, "not_found");
    let opened = scene.node.call("GET", "/api/v1/datasets/birds/revisions/2").send().await;
    assert!(!opened.text().contains("predecessor"), "{}", opened.text());
    assert_eq!(scene.node.call("GET", path).bearer(&listed).send().await.status, 200);
}

#[tokio::test]
async fn the_pages_of_the_past_can_be_read_by_a_person() {
    let scene = Scene::new().await;
    let first = scene.register(&draft("birds")).await;
    let mut changed = draft("birds");
    changed["title"]["en"] = "About all birds".into();
    let put = scene.call("PUT", "/api/v1/datasets/birds?reason=%3Cb%3EWider").json(&changed);
    assert_eq!(put.header("If-Match", first.header("etag").unwrap()).send().await.status, 200);
    let page = |path: &'static str| {
        let call = scene.node.call("GET", path);
        async {
            let reply = call.send().await;
            assert_eq!(reply.status, 200, "{}", reply.text());
            reply.text()
        }
    };
    let history = page("/datasets/birds/revisions").await;
    assert!(history.contains("&lt;b&gt;Wider") && history.contains("/datasets/birds/revisions/2/difference"));
    let old = page("/datasets/birds/revisions/1").await;
    assert!(old.contains("not the latest") && old.contains("About birds") && old.contains("Revision 2 stands now"));
    assert!(!page("/datasets/birds/revisions/2").await.contains("not the latest"));
    let difference = page("/datasets/birds/revisions/2/difference").await;
    assert!(difference.contains("<mark>all </mark>"), "{difference}");
    let shown = page("/datasets/birds").await;
    assert!(shown.contains("/datasets/birds/lineage") && shown.contains("/datasets/birds/revisions"), "{shown}");
    for path in ["/datasets/none/revisions", "/datasets/birds/revisions/7", "/datasets/none/lineage"] {
        assert_eq!(scene.node.call("GET", path).send().await.status, 404, "{path}");
    }
}
