//! What the source of an imported record said, word for word: kept, shown to its owner, carried by a backup, erasable.

use pleiad::domain::event::Role;
use pleiad::domain::ids::DatasetId;
use pleiad::store::{self, MAX_SOURCE_TEXT, Store};
use serde_json::{Value, json};

use crate::datasets::Scene;
use crate::node::Reply;

const WORDS: &str = "<urn:x:birds> <http://purl.org/dc/terms/title> \"Vögel \\u0001\"@de .\n";

fn draft(title: &str, digest: &str) -> Value {
    let source = json!({ "name": "test", "iri": "urn:x:birds", "digest": digest.repeat(64), "format": "dcat-ap" });
    json!({ "title": { "de": title }, "source": source })
}

impl Scene {
    async fn import(&self, line: &Value) -> Value {
        let call = self.call("POST", "/api/v1/imports").header("Content-Type", "application/x-ndjson");
        let reply = call.body(line.to_string()).send().await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()["outcomes"][0].clone()
    }

    async fn source(&self, id: &str) -> Reply {
        let local = id.rsplit('/').next().unwrap();
        self.call("GET", &format!("/api/v1/datasets/{local}/source")).send().await
    }
}

async fn imported(scene: &Scene) -> String {
    let outcome = scene.import(&json!({ "draft": draft("Vögel", "a"), "text": WORDS })).await;
    assert_eq!(outcome["outcome"], "registered", "{outcome}");
    outcome["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_owners_steward_reads_what_the_source_said_and_nobody_else_learns_that_it_is_there() {
    let scene = Scene::new().await;
    let id = imported(&scene).await;
    let kept = scene.source(&id).await;
    assert_eq!((kept.status, kept.text().as_str()), (200, WORDS));
    assert_eq!(kept.header("content-type"), Some("application/n-triples"));
    assert_eq!(
        (kept.header("content-disposition"), kept.header("cache-control")),
        (Some("attachment"), Some("private, no-store"))
    );

    let path = format!("/api/v1/datasets/{}/source", id.rsplit('/').next().unwrap());
    let tag = kept.header("etag").unwrap();
    assert_eq!(scene.call("GET", &path).header("If-None-Match", tag).send().await.status, 304);
    scene.node.call("GET", &path).send().await.problem(401, "unauthenticated");
    let other = scene.node.token(Role::Steward, Some("other")).await;
    let theirs = scene.node.call("GET", &path).bearer(&other).send().await.problem(404, "not_found");
    let absent = scene.node.call("GET", "/api/v1/datasets/absent/source").bearer(&other).send().await;
    assert_eq!(theirs["detail"], absent.problem(404, "not_found")["detail"], "as if nothing were there");
    let researcher = scene.node.token(Role::Researcher, None).await;
    scene.node.call("GET", &path).bearer(&researcher).send().await.problem(403, "forbidden");
    let shown = scene.call("GET", &path.replace("/source", "")).send().await;
    assert!(!shown.text().contains("purl.org/dc/terms/title"), "the record does not carry it");
    for entry in scene.node.running.store().read_from(Default::default(), 100).await.unwrap() {
        assert!(!serde_json::to_string(&entry.event.what).unwrap().contains("purl.org/dc/terms"), "nor does the log");
    }
}

#[tokio::test]
async fn a_changed_record_brings_its_new_words_and_an_unchanged_one_writes_nothing() {
    let scene = Scene::new().await;
    let id = imported(&scene).await;
    let head = scene.node.running.store().head();
    let again = scene.import(&json!({ "draft": draft("Vögel", "a"), "text": "other words" })).await;
    assert_eq!((&again["outcome"], scene.node.running.store().head()), (&json!("unchanged"), head));
    assert_eq!(scene.source(&id).await.text(), WORDS);
    let revised = scene.import(&json!({ "draft": draft("Alle Vögel", "b"), "text": "new words" })).await;
    assert_eq!(revised["outcome"], "revised", "{revised}");
    assert_eq!(scene.source(&id).await.text(), "new words");
    let first = "a".repeat(64).parse().unwrap();
    let before = scene.node.running.store().source_text(&id.parse().unwrap(), &first).await.unwrap().unwrap();
    assert_eq!(before.text, WORDS, "the words of the first revision stay beside it");
    assert_eq!(scene.import(&draft("Keine Vögel", "c")).await["outcome"], "revised");
    let none = scene.source(&id).await.problem(404, "not_found");
    assert!(none["detail"].as_str().unwrap().contains("no source text is kept"), "{none}");
}

#[tokio::test]
async fn the_owners_steward_erases_what_the_source_said_of_every_revision() {
    let scene = Scene::new().await;
    let id = imported(&scene).await;
    assert_eq!(scene.import(&json!({ "draft": draft("Alle Vögel", "b"), "text": "new" })).await["outcome"], "revised");
    let path = format!("/api/v1/datasets/{}/source", id.rsplit('/').next().unwrap());
    scene.node.call("DELETE", &path).send().await.problem(401, "unauthenticated");
    let other = scene.node.token(Role::Steward, Some("other")).await;
    scene.node.call("DELETE", &path).bearer(&other).send().await.problem(404, "not_found");
    let researcher = scene.node.token(Role::Researcher, None).await;
    scene.node.call("DELETE", &path).bearer(&researcher).send().await.problem(403, "forbidden");
    assert_eq!(scene.source(&id).await.text(), "new");
    for number in [2, 0] {
        let erased = scene.call("DELETE", &path).send().await;
        assert_eq!((erased.status, erased.json()), (200, json!({ "erased": number })));
    }
    scene.source(&id).await.problem(404, "not_found");
}

#[tokio::test]
async fn a_text_too_long_is_not_kept_and_the_record_is() {
    let scene = Scene::new().await;
    let long = "x".repeat(MAX_SOURCE_TEXT + 1);
    let outcome = scene.import(&json!({ "draft": draft("Vögel", "a"), "text": long })).await;
    assert_eq!(outcome["outcome"], "registered", "{outcome}");
    assert!(outcome["note"].as_str().unwrap().contains("1048577 bytes"), "{outcome}");
    scene.source(outcome["id"].as_str().unwrap()).await.problem(404, "not_found");
    let fits = "\n".repeat(MAX_SOURCE_TEXT);
    let outcome = scene.import(&json!({ "draft": draft("Vögel", "b"), "text": fits })).await;
    assert_eq!((&outcome["outcome"], &outcome["note"]), (&json!("revised"), &Value::Null));
    assert_eq!(scene.source(outcome["id"].as_str().unwrap()).await.body.len(), MAX_SOURCE_TEXT);
}

#[tokio::test]
async fn an_envelope_that_is_none_is_refused_alone() {
    let scene = Scene::new().await;
    for line in [
        json!({ "draft": "Vögel", "text": WORDS }),
        json!({ "draft": draft("Vögel", "a"), "text": 7 }),
        json!({ "draft": draft("Vögel", "a"), "texts": [] }),
    ] {
        let outcome = scene.import(&line).await;
        assert_eq!(outcome["outcome"], "refused", "{outcome}");
        assert!(outcome["detail"].as_str().unwrap().contains("draft"), "{outcome}");
    }
}

#[tokio::test]
async fn a_rebuild_and_a_backup_keep_the_words_and_an_erasure_takes_them_for_good() {
    let scene = Scene::new().await;
    let id: DatasetId = imported(&scene).await.parse().unwrap();
    let digest = "a".repeat(64).parse().unwrap();
    let store = scene.node.running.store().clone();
    store.rebuild().await.unwrap();
    assert_eq!(scene.source(id.as_str()).await.text(), WORDS);

    let folder = tempfile::tempdir().unwrap();
    let (backup, restored) = (folder.path().join("backup"), folder.path().join("restored"));
    store.back_up(&backup).await.unwrap();
    store::restore(&backup, &restored).await.unwrap();
    let copy = Store::inspect(&restored).unwrap();
    assert_eq!(copy.source_text(&id, &digest).await.unwrap().unwrap().text, WORDS);
    copy.close().await;

    let root = store.recomputed_head().await.unwrap();
    assert_eq!(store.erase_source_text(&id).await.unwrap(), 1);
    assert_eq!(store.erase_source_text(&id).await.unwrap(), 0);
    assert_eq!(store.source_text(&id, &digest).await.unwrap(), None);
    assert_eq!(store.recomputed_head().await.unwrap(), root, "no proof is touched");
    store.verify().await.unwrap();
    let again = scene.import(&json!({ "draft": draft("Vögel", "a"), "text": WORDS })).await;
    assert_eq!(again["outcome"], "unchanged");
    assert_eq!(store.source_text(&id, &digest).await.unwrap(), None, "an unchanged record does not bring it back");
}

#[tokio::test]
async fn a_store_of_the_version_before_gets_the_table_and_keeps_its_log() {
    let scene = Scene::new().await;
    let id = imported(&scene).await;
    let stopped = scene.node.stop().await;
    let file = pleiad::node::layout::store(stopped.state.member.data()).join("store.sqlite");
    let database = rusqlite::Connection::open(file).unwrap();
    database.execute_batch("DROP TABLE source_text; PRAGMA user_version = 1;").unwrap();
    drop(database);
    let scene = Scene { node: stopped.start_with(|_| ()).await, steward: scene.steward };
    scene.source(&id).await.problem(404, "not_found");
    let revised = scene.import(&json!({ "draft": draft("Alle Vögel", "b"), "text": WORDS })).await;
    assert_eq!(revised["outcome"], "revised", "{revised}");
    assert_eq!(scene.source(&id).await.text(), WORDS);
}
