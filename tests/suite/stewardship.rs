//! Stewardship as files, and the door it goes through: many changes at once, all of them or none.

use pleiad::domain::event::Role;
use pleiad::domain::ids::Seq;
use serde_json::{Value, json};

use crate::datasets::{Scene, draft};
use crate::node::Reply;

fn id_of(local: &str) -> String {
    format!("https://fi.pleiad.example/dataset/{local}")
}

fn titled(local: &str, title: &str) -> Value {
    let mut document = draft(local);
    document["title"]["en"] = title.into();
    document
}

fn register(local: &str) -> Value {
    json!({ "operation": "register", "document": draft(local) })
}

fn tag(reply: &Reply) -> String {
    reply.header("etag").unwrap().trim_matches('"').to_owned()
}

impl Scene {
    async fn change(&self, body: &Value) -> Reply {
        self.call("POST", "/api/v1/changes").json(body).send().await
    }

    fn head(&self) -> Seq {
        self.node.running.store().head()
    }
}

fn kinds(reply: &Reply) -> Vec<String> {
    assert_eq!(reply.status, 200, "{}", reply.text());
    let outcomes = reply.json()["outcomes"].clone();
    outcomes.as_array().unwrap().iter().map(|outcome| outcome["outcome"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn one_invalid_among_fifty_keeps_all_of_them_out_and_every_fault_is_told() {
    let scene = Scene::new().await;
    let mut changes: Vec<Value> = (0..50).map(|number| register(&format!("birds-{number}"))).collect();
    changes[17]["document"]["titel"] = "Vögel".into();
    changes[33]["document"]["country"] = "SE".into();
    let head = scene.head();
    let problem = scene.change(&json!({ "changes": changes })).await.problem(422, "invalid");
    let places: Vec<&str> =
        problem["errors"].as_array().unwrap().iter().map(|e| e["pointer"].as_str().unwrap()).collect();
    assert_eq!(places, ["/changes/17/document/titel", "/changes/33/document/country"]);
    assert!(problem["detail"].as_str().unwrap().starts_with("nothing was changed"), "{problem}");
    assert_eq!(scene.head(), head, "nothing was written");

    let rest = scene.change(&json!({ "changes": changes, "keep_going": true })).await;
    let kinds = kinds(&rest);
    assert_eq!(kinds.iter().filter(|kind| *kind == "registered").count(), 48);
    assert_eq!((kinds[17].as_str(), kinds[33].as_str()), ("refused", "refused"));
    assert_eq!(scene.head().0, head.0 + 48);
    let second = scene.change(&json!({ "changes": changes, "keep_going": true })).await;
    assert_eq!(
        second.json()["outcomes"].as_array().unwrap().iter().filter(|o| o["outcome"] == "unchanged").count(),
        48
    );
    assert_eq!(scene.head().0, head.0 + 48, "the same request again does nothing");
}

#[tokio::test]
async fn all_changes_are_one_append_and_each_is_answered_with_its_place_and_tag() {
    let scene = Scene::new().await;
    let (old, gone) = (tag(&scene.register(&draft("old")).await), tag(&scene.register(&draft("gone")).await));
    let head = scene.head().0;
    let withdraw =
        json!({ "operation": "withdraw", "id": id_of("gone"), "if_match": gone, "reason": "Consent ended." });
    let changes = json!({ "changes": [
        register("new"),
        { "operation": "revise", "id": id_of("old"), "if_match": old, "document": titled("old", "Changed") },
        withdraw,
        { "operation": "register", "document": { "title": { "en": "Without an id" } } },
    ] });
    let made = scene.change(&changes).await;
    assert_eq!(kinds(&made), ["registered", "revised", "withdrawn", "registered"]);
    let outcomes = made.json()["outcomes"].clone();
    let places: Vec<u64> =
        outcomes.as_array().unwrap().iter().map(|outcome| outcome["seq"].as_u64().unwrap()).collect();
    assert_eq!(places, [head + 1, head + 2, head + 3, head + 4]);
    for (local, at) in [("new", 0), ("old", 1), ("gone", 2)] {
        let shown = scene.call("GET", &format!("/api/v1/datasets/{local}")).send().await;
        assert_eq!(outcomes[at]["etag"].as_str(), Some(tag(&shown).as_str()), "{local}");
        assert_eq!(outcomes[at]["revision"], shown.json()["revision"]);
    }
    let again = json!({ "changes": [changes["changes"][0], changes["changes"][1], withdraw] });
    assert_eq!(kinds(&scene.change(&again).await), ["unchanged", "unchanged", "unchanged"], "sent twice, made once");
    assert_eq!(scene.head().0, head + 4);
}

#[tokio::test]
async fn a_stale_tag_keeps_all_of_them_out() {
    let scene = Scene::new().await;
    let first = tag(&scene.register(&draft("birds")).await);
    let put = scene.call("PUT", "/api/v1/datasets/birds").header("If-Match", "*").json(&titled("birds", "By another"));
    assert_eq!(put.send().await.status, 200);
    let head = scene.head();
    let revise = json!({ "operation": "revise", "id": id_of("birds"), "if_match": first, "document": titled("birds", "By a file") });
    let problem = scene.change(&json!({ "changes": [register("new"), revise] })).await.problem(412, "stale");
    assert_eq!(problem["errors"][0]["pointer"], "/changes/1");
    assert_eq!(scene.head(), head);
    scene.node.call("GET", "/api/v1/datasets/new").send().await.problem(404, "not_found");
}

#[tokio::test]
async fn a_dry_run_says_what_would_differ_and_writes_nothing() {
    let scene = Scene::new().await;
    let tag = tag(&scene.register(&draft("birds")).await);
    let head = scene.head();
    let revise =
        json!({ "operation": "revise", "id": id_of("birds"), "if_match": tag, "document": titled("birds", "New") });
    let said =
        scene.change(&json!({ "changes": [revise, register("new"), { "operation": "burn" }], "dry_run": true })).await;
    assert_eq!(kinds(&said), ["revised", "registered", "refused"]);
    let outcomes = said.json()["outcomes"].clone();
    assert_eq!(outcomes[0]["difference"], json!([{ "pointer": "/title/en", "before": "About birds", "after": "New" }]));
    assert_eq!((&outcomes[0]["revision"], &outcomes[0]["seq"]), (&json!(2), &Value::Null));
    assert!(outcomes[1]["difference"].as_array().unwrap().iter().any(|change| change["pointer"] == "/country"));
    assert_eq!(outcomes[2]["errors"][0]["pointer"], "/changes/2");
    assert_eq!(scene.head(), head);
}

#[tokio::test]
async fn what_belongs_to_another_is_neither_changed_nor_betrayed() {
    let scene = Scene::new().await;
    let mut private = draft("secret");
    private["visibility"] = "private".into();
    let tag = tag(&scene.register(&private).await);
    let other = scene.node.token(Role::Steward, Some("other")).await;
    let head = scene.head();
    let call = |body: &Value| scene.node.call("POST", "/api/v1/changes").bearer(&other).json(body).send();
    let withdraw = |local: &str| json!({ "changes": [{ "operation": "withdraw", "id": id_of(local), "if_match": tag, "reason": "Mine now." }] });
    let theirs = call(&withdraw("secret")).await.problem(422, "invalid");
    let absent = call(&withdraw("absent")).await.problem(422, "invalid");
    assert_eq!(theirs["detail"], absent["detail"]);
    assert_eq!(scene.head(), head);
    let records = scene.node.call("GET", "/api/v1/records").bearer(&other).send().await.json();
    assert_eq!((&records["items"], &records["base"]), (&json!([]), &json!("https://fi.pleiad.example/dataset/")));
    let own = scene.call("GET", "/api/v1/records").send().await.json();
    assert_eq!(
        (own["items"][0]["etag"].as_str(), &own["items"][0]["record"]["dataset"]["id"]),
        (Some(tag.as_str()), &json!(id_of("secret")))
    );
    for path in ["/api/v1/changes", "/api/v1/records"] {
        let method = if path.ends_with("records") { "GET" } else { "POST" };
        scene.node.call(method, path).json(&json!({ "changes": [] })).send().await.problem(401, "unauthenticated");
        let researcher = scene.node.token(Role::Researcher, None).await;
        let call = scene.node.call(method, path).bearer(&researcher).json(&json!({ "changes": [] }));
        call.send().await.problem(403, "forbidden");
    }
}

#[tokio::test]
async fn records_are_walked_page_by_page_without_a_gap() {
    let scene = Scene::new().await;
    let changes: Vec<Value> = (0..7).map(|number| register(&format!("birds-{number}"))).collect();
    assert_eq!(scene.change(&json!({ "changes": changes })).await.status, 200);
    let (mut path, mut seen) = ("/api/v1/records?limit=3".to_owned(), Vec::new());
    loop {
        let page = scene.call("GET", &path).send().await;
        let items = page.json()["items"].clone();
        seen.extend(
            items.as_array().unwrap().iter().map(|item| item["record"]["dataset"]["id"].as_str().unwrap().to_owned()),
        );
        let Some(link) = page.header("link") else { break };
        path = link[1..link.find('>').unwrap()].to_owned();
    }
    assert_eq!(seen, (0..7).map(|number| id_of(&format!("birds-{number}"))).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_source_that_another_dataset_has_is_refused_by_its_name_and_keeps_nothing_else_back() {
    let scene = Scene::new().await;
    let source = |iri: &str| json!({ "name": "test", "iri": iri, "digest": "a".repeat(64) });
    let mut imported = titled("imported", "Imported");
    imported["source"] = source("urn:x:1");
    assert_eq!(scene.call("POST", "/api/v1/datasets").json(&imported).send().await.status, 201);
    let made = scene.call("POST", "/api/v1/datasets").json(&titled("own", "Own")).send().await;
    let mut own = titled("own", "Own");
    own["source"] = source("urn:x:1");
    let put = scene.call("PUT", "/api/v1/datasets/own").header("If-Match", made.header("etag").unwrap());
    let problem = put.json(&own).send().await.problem(409, "already_exists");
    assert!(problem["detail"].as_str().unwrap().contains("urn:x:1"), "{problem}");

    let other = scene.call("POST", "/api/v1/datasets").json(&titled("other", "Other")).send().await;
    let revise = |local: &str, document: &Value, reply: &Reply| json!({ "operation": "revise", "id": id_of(local), "if_match": tag(reply), "document": document });
    let changes = json!([revise("own", &own, &made), register("new")]);
    let done = scene.change(&json!({ "changes": changes, "keep_going": true })).await;
    assert_eq!(kinds(&done), ["refused", "registered"], "{}", done.text());
    // Two of one request that bring the same one.
    own["source"] = source("urn:x:2");
    let mut second = titled("other", "Other");
    second["source"] = source("urn:x:2");
    let changes = json!([revise("own", &own, &made), revise("other", &second, &other)]);
    let done = scene.change(&json!({ "changes": changes, "keep_going": true })).await;
    assert_eq!(kinds(&done), ["revised", "refused"], "{}", done.text());
}

#[tokio::test]
async fn a_request_that_is_none_is_refused_with_what_to_send() {
    let scene = Scene::new().await;
    for body in [json!([]), json!({}), json!({ "changes": {} }), json!({ "changes": [], "force": true })] {
        let problem = scene.change(&body).await.problem(422, "invalid");
        assert!(problem["detail"].as_str().unwrap().contains("changes"), "{problem}");
    }
    let call = scene.call("POST", "/api/v1/changes").header("Content-Type", "application/json");
    call.body("{\"changes\": [], \"changes\": []}").send().await.problem(400, "malformed_body");
    let many: Vec<Value> = (0..1_001).map(|_| json!({ "operation": "register", "document": {} })).collect();
    scene.change(&json!({ "changes": many })).await.problem(413, "too_large");
    let twice =
        scene.change(&json!({ "changes": [register("birds"), register("birds")] })).await.problem(422, "invalid");
    assert!(twice["detail"].as_str().unwrap().contains("stands twice"), "{twice}");
    let source = json!({ "name": "test", "iri": "urn:x:1", "digest": "0".repeat(64) });
    let sourced = |local: &str| {
        let mut operation = register(local);
        operation["document"]["source"] = source.clone();
        operation
    };
    let twice = scene.change(&json!({ "changes": [sourced("a"), sourced("b")] })).await.problem(422, "invalid");
    assert_eq!(twice["errors"][0]["pointer"], "/changes/1", "{twice}");
}

/// A folder of files beside a node, and the command line in it.
struct Desk {
    scene: Scene,
    folder: tempfile::TempDir,
}

struct Ended {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Desk {
    async fn new() -> Self {
        let desk = Self { scene: Scene::new().await, folder: tempfile::tempdir().unwrap() };
        std::fs::write(desk.folder.path().join("token"), &desk.scene.steward).unwrap();
        std::fs::create_dir(desk.folder.path().join("data")).unwrap();
        desk
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join("data").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    async fn run(&self, args: &[&str]) -> Ended {
        let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_pleiad"))
            .args(args)
            .env("PLEIAD_NODE", format!("http://{}/", self.scene.node.running.addresses.web))
            .env("PLEIAD_TOKEN_FILE", self.folder.path().join("token"))
            .current_dir(self.folder.path())
            .stdin(std::process::Stdio::null())
            .output()
            .await
            .unwrap();
        Ended {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    async fn done(&self, args: &[&str]) -> String {
        let ended = self.run(args).await;
        assert_eq!(ended.code, 0, "{args:?}: {}{}", ended.stdout, ended.stderr);
        ended.stdout
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_read_by_a_person_and_applied_once() {
    let desk = Desk::new().await;
    for local in ["bees", "wasps"] {
        desk.scene.register(&draft(local)).await;
    }
    desk.write("birds.yaml", "# Ours\ntitle:\n  en: Birds\n");
    desk.write("insects/bees.yml", "title: {en: All bees}\nkeywords: {en: [honey]}\n");
    let said = desk.done(&["plan", "data", "--prune", "--reason", "Nobody keeps them."]).await;
    let expected = [
        "+ birds  Birds  (data/birds.yaml)",
        "~ bees  (data/insects/bees.yml)",
        "    ~ /title/en: \"About bees\" → \"All bees\"",
        "    + /keywords: {\"en\":[\"honey\"]}",
        "- wasps  Nobody keeps them.",
        "1 to register, 1 to revise, 1 to withdraw, 0 unchanged",
        "",
    ];
    assert_eq!(said, expected.join("\n"), "and no colours in a pipe");
    let head = desk.scene.head();
    assert_eq!(desk.run(&["plan", "data", "--detailed-exitcode"]).await.code, 6);
    let unasked = desk.run(&["apply", "data"]).await;
    assert_eq!((unasked.code, desk.scene.head()), (2, head), "{}", unasked.stderr);
    desk.done(&["apply", "data", "--yes", "--prune", "--reason", "Nobody keeps them."]).await;
    assert_eq!(desk.scene.head().0, head.0 + 3);
    let shown = desk.scene.node.call("GET", "/api/v1/datasets/wasps").send().await.json();
    assert_eq!(shown["withdrawn"]["reason"], "Nobody keeps them.");
    let again = desk.done(&["plan", "data", "--prune", "--reason", "Nobody keeps them.", "--detailed-exitcode"]).await;
    assert_eq!(again, "nothing to do: 2 unchanged\n");
    desk.done(&["apply", "data", "--yes"]).await;
    assert_eq!(desk.scene.head().0, head.0 + 3, "applied again, nothing changes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_is_told_by_file_and_line_and_keeps_the_others_out_unless_told_otherwise() {
    let desk = Desk::new().await;
    desk.write("birds.yaml", "title: {en: Birds}\n");
    desk.write("bees.yaml", "title: {en: Bees}\n\nlicnce: CC-BY-4.0\n");
    desk.write("laughs.yaml", &{
        let mut text = "a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha]\n".to_owned();
        for level in 1..12 {
            let before = format!("*a{}", level - 1);
            text.push_str(&format!("a{level}: &a{level} [{}]\n", [before.as_str(); 9].join(", ")));
        }
        text
    });
    desk.write("tabs.yaml", "title:\n\ten: Tabs\n");
    desk.write("twice.yaml", "title: {en: Twice}\nissued: 2024-01-01\ntitle: {en: Again}\n");
    let head = desk.scene.head();
    let ended = desk.run(&["apply", "data", "--yes"]).await;
    assert_eq!((ended.code, desk.scene.head()), (1, head));
    for place in ["data/bees.yaml:3: /licnce", "data/laughs.yaml:", "data/tabs.yaml:2: ", "data/twice.yaml:3: "] {
        assert!(ended.stderr.contains(place), "no {place} in {}", ended.stderr);
    }
    assert!(ended.stderr.contains("\"licence\"") || ended.stderr.contains("licence?"), "{}", ended.stderr);
    let pruning = desk.run(&["--json", "plan", "data", "--prune", "--reason", "Gone."]).await;
    let said: Value = serde_json::from_str(&pruning.stdout).unwrap();
    assert_eq!((pruning.code, &said["withdraw"]), (1, &json!(0)), "nothing is pruned while a file cannot be read");
    let ended = desk.run(&["apply", "data", "--yes", "--keep-going"]).await;
    assert_eq!((ended.code, desk.scene.head().0), (1, head.0 + 1), "{}", ended.stderr);
    assert_eq!(desk.scene.node.call("GET", "/api/v1/datasets/birds").send().await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_plan_is_done_as_it_was_shown_or_not_at_all() {
    let desk = Desk::new().await;
    desk.scene.register(&draft("bees")).await;
    desk.write("bees.yaml", "title: {en: All bees}\n");
    desk.write("birds.yaml", "title: {en: Birds}\n");
    desk.done(&["plan", "data", "--out", "plan.json"]).await;
    let put =
        desk.scene.call("PUT", "/api/v1/datasets/bees").header("If-Match", "*").json(&titled("bees", "By another"));
    assert_eq!(put.send().await.status, 200);
    let head = desk.scene.head();
    let stale = desk.run(&["apply", "plan.json", "--yes"]).await;
    assert_eq!((stale.code, desk.scene.head()), (1, head));
    assert!(
        stale.stderr.contains("data/bees.yaml: ") && stale.stderr.contains("revision 2 by now"),
        "{}",
        stale.stderr
    );
    desk.done(&["plan", "data", "--out", "plan.json"]).await;
    desk.done(&["apply", "plan.json", "--yes"]).await;
    assert_eq!(desk.scene.head().0, head.0 + 2);
    desk.done(&["apply", "plan.json", "--yes"]).await;
    assert_eq!(desk.scene.head().0, head.0 + 2, "done twice, made once");
    desk.write("x.json", "{}");
    assert_eq!(desk.run(&["apply", "data/x.json", "--yes"]).await.code, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pulled_is_what_stands_and_the_plan_right_after_is_empty() {
    let desk = Desk::new().await;
    let mut example: Value = serde_json::from_str(include_str!("../../config/examples/dataset.json")).unwrap();
    example["title"]["und"] = "no".into();
    example["description"]["en"] = "Line one\n\n  indented: \"yes\"\n# no comment\n\tTab \u{e4}\n".into();
    example.as_object_mut().unwrap().shift_remove("source");
    desk.scene.register(&example).await;
    desk.scene.register(&draft("birds")).await;
    let other = desk.scene.node.token(Role::Steward, Some("other")).await;
    let theirs = desk.scene.node.call("POST", "/api/v1/datasets").bearer(&other).json(&draft("theirs"));
    assert_eq!(theirs.send().await.status, 201);
    desk.done(&["dataset", "pull", "data"]).await;
    let names = || {
        let entries = std::fs::read_dir(desk.folder.path().join("data")).unwrap();
        let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(names(), ["birds.yaml", "call-centre-speech.yaml"]);
    let plan = desk.done(&["plan", "data", "--prune", "--reason", "Gone.", "--detailed-exitcode"]).await;
    assert_eq!(plan, "nothing to do: 2 unchanged\n");

    desk.write("birds.yaml", "title: {en: Ours}\n");
    assert_eq!(desk.run(&["dataset", "pull", "data"]).await.code, 1, "a file that says something else is kept");
    desk.done(&["dataset", "pull", "data", "--overwrite"]).await;
    assert_eq!(names().len(), 2);
    let text = desk.done(&["dataset", "show", "--yaml", "birds"]).await;
    assert_eq!(std::fs::read_to_string(desk.folder.path().join("data/birds.yaml")).unwrap(), text);
    assert!(text.contains("title:\n  en: About birds\n"), "{text}");
}
