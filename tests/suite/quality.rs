//! One report for a record: through the door, on the page, and on the command line without a node.

use std::path::Path;
use std::process::{Command, Output};

use pleiad::domain::event::Role;
use serde_json::{Value, json};

use crate::datasets::{Scene, draft};

const EXAMPLE: &str = include_str!("../../config/examples/dataset.json");

/// The example under a local name, with a person in its description.
fn example(local: &str) -> Value {
    let mut dataset: Value = serde_json::from_str(EXAMPLE).unwrap();
    dataset["id"] = format!("https://fi.pleiad.example/dataset/{local}").into();
    dataset["source"]["iri"] = format!("https://archive.example/records/{local}").into();
    dataset["description"] = json!({"en": "Ask Aino Virtanen (aino.virtanen@archive.example)."});
    dataset
}

fn codes(report: &Value) -> Vec<&str> {
    report["findings"].as_array().unwrap().iter().map(|finding| finding["code"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_steward_reads_the_report_of_a_record_in_a_language_and_others_its_scores() {
    let scene = Scene::new().await;
    scene.register(&example("calls")).await;
    let path = "/api/v1/datasets/calls/quality";
    let german = scene.call("GET", path).header("Accept-Language", "de-AT, en;q=0.5").send().await;
    let report = german.json();
    assert_eq!((german.status, german.header("content-language")), (200, Some("de")), "{report}");
    assert!(german.header("vary").is_some());
    assert_eq!((&report["language"], &report["quality"]["of"]), (&json!("de"), &json!(295)));
    assert_eq!((&report["quality"]["rating"], &report["readiness"]["points"]), (&json!("excellent"), &json!(100)));
    let mail = report["findings"].as_array().unwrap().iter().find(|f| f["code"] == "person_mail_in_text").unwrap();
    assert_eq!((&mail["pointer"], &mail["span"]), (&json!("/description/en"), &json!({"start": 19, "end": 48})));
    assert!(mail["detail"].as_str().unwrap().starts_with("Die E-Mail-Adresse"), "{mail}");

    let tag = german.header("etag").unwrap().to_owned();
    let again = scene.call("GET", path).header("Accept-Language", "de").header("If-None-Match", &tag).send().await;
    assert_eq!(again.status, 304);
    let french = scene.call("GET", path).header("Accept-Language", "fr").send().await;
    assert_ne!(french.header("etag"), Some(tag.as_str()));

    let other = scene.node.token(Role::Steward, Some("other")).await;
    for reply in [scene.node.call("GET", path).send().await, scene.node.call("GET", path).bearer(&other).send().await] {
        let said = reply.json();
        assert_eq!((reply.status, &said["quality"]["points"]), (200, &json!(295)));
        assert!(said.get("findings").is_none() && !reply.text().contains("aino"), "{said}");
    }
}

#[tokio::test]
async fn a_draft_is_judged_and_nothing_is_stored() {
    let scene = Scene::new().await;
    let check = |body: &Value| scene.call("POST", "/api/v1/check").json(body);
    let mut draft = example("unborn");
    draft["gdpr"]["transfers"] = json!([]);
    draft["licence"] = json!({"spdx": "CC-BY-4.0"});
    let report = check(&draft).send().await.json();
    assert_eq!(report["findings"][0]["code"], "transfer", "the gravest first: {report}");
    assert!(
        !report["readiness"]["metrics"]
            .as_array()
            .unwrap()
            .iter()
            .any(|m| m["code"] == "licence" && m["mark"] != "met")
    );
    scene.node.call("GET", "/api/v1/datasets/unborn").send().await.problem(404, "not_found");
    let wrong = check(&json!({"titel": {"en": "x"}})).send().await;
    let report = wrong.json();
    assert!(wrong.status == 200 && report.get("quality").is_none(), "{report}");
    assert!(
        report["findings"].as_array().unwrap().iter().any(|f| f["pointer"] == "/titel" && f["rule"] == "json_schema")
    );
    scene.node.call("POST", "/api/v1/check").json(&draft).send().await.problem(401, "unauthenticated");
    scene
        .call("POST", "/api/v1/check")
        .body("{".to_owned())
        .header("Content-Type", "application/json")
        .send()
        .await
        .problem(400, "malformed_body");
}

#[tokio::test]
async fn an_owner_sees_what_to_mend_first_over_all_records() {
    let scene = Scene::new().await;
    for number in 0..3 {
        scene.register(&draft(&format!("birds-{number}"))).await;
    }
    scene.register(&example("calls")).await;
    let own = "/api/v1/quality?owner=spiffe%3A%2F%2Ffi.pleiad.example%2Fparticipant%2Fcsc";
    let summary = scene.call("GET", own).send().await.json();
    assert_eq!((&summary["records"], &summary["complete"]), (&json!(4), &json!(true)), "{summary}");
    assert_eq!((&summary["ratings"]["bad"], &summary["ratings"]["excellent"]), (&json!(3), &json!(1)));
    assert_eq!((&summary["readiness"]["min"], &summary["readiness"]["max"]), (&json!(0), &json!(100)));
    let first = &summary["findings"][0];
    assert_eq!(first["records"], 3, "{summary}");
    assert!(!summary.to_string().contains("aino"), "a summary quotes nobody");
    assert_eq!(summary["offerable"], 1, "{summary}");
    let begun = scene.call("POST", "/api/v1/datasets?state=draft").json(&example("begun")).send().await;
    assert_eq!(begun.status, 201, "{}", begun.text());
    let with_draft = scene.call("GET", own).send().await.json();
    assert_eq!((&with_draft["records"], &with_draft["offerable"]), (&json!(5), &json!(1)), "a draft is not offered");
    let other = scene.node.token(Role::Steward, Some("other")).await;
    scene.node.call("GET", own).bearer(&other).send().await.problem(403, "forbidden");
    assert_eq!(scene.node.call("GET", "/api/v1/quality").bearer(&other).send().await.json()["records"], 0);
}

#[tokio::test]
async fn a_private_record_has_no_report_for_strangers() {
    let scene = Scene::new().await;
    let mut private = example("calls");
    private["visibility"] = "private".into();
    scene.register(&private).await;
    let other = scene.node.token(Role::Steward, Some("other")).await;
    let path = "/api/v1/datasets/calls/quality";
    scene.node.call("GET", path).bearer(&other).send().await.problem(404, "not_found");
    assert_eq!(scene.call("GET", path).send().await.status, 200);
}

fn check(arguments: &[&str], files: &[&Path]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pleiad"));
    command.args(arguments).args(["dataset", "check"]).args(files).env_remove("LC_ALL").env("LANG", "C");
    command.output().unwrap()
}

#[test]
fn a_folder_is_checked_without_a_node_and_the_line_is_drawn_where_it_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("good.json", EXAMPLE);
    write(
        "poor.ttl",
        "@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .\n<https://x.example/1> a dcat:Dataset ; dct:title \"Birds\"@en .\n",
    );
    let root = [folder.path()];
    let all = check(&["--json"], &root);
    let reports: Vec<Value> =
        String::from_utf8_lossy(&all.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((reports.len(), all.status.code()), (2, Some(0)), "{all:?}");
    assert_eq!(reports[0]["readiness"]["points"], 100);
    assert!(reports[1]["place"].as_str().unwrap().ends_with("poor.ttl#https://x.example/1"), "{}", reports[1]);
    assert!(codes(&reports[1]).contains(&"licence"));

    let with = |options: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pleiad"));
        command
            .args(["dataset", "check"])
            .args(options)
            .arg(folder.path())
            .env("LANG", "de_AT.UTF-8")
            .env_remove("LC_ALL");
        command.output().unwrap()
    };
    assert_eq!(with(&["--fail-on", "warning"]).status.code(), Some(1));
    assert_eq!(with(&["--fail-on", "never"]).status.code(), Some(0));
    assert_eq!(with(&["--min-readiness", "50"]).status.code(), Some(1));
    assert_eq!(with(&["--min-score", "101"]).status.code(), Some(2));
    let german = String::from_utf8_lossy(&with(&[]).stdout).into_owned();
    assert!(german.contains("Bereitschaft für das Training: 100/100") && !german.contains('\u{1b}'), "{german}");
    let finnish = String::from_utf8_lossy(&with(&["--lang", "fi"]).stdout).into_owned();
    assert!(finnish.contains("Valmius koulutukseen"), "{finnish}");
    let github = String::from_utf8_lossy(&with(&["--format", "github"]).stdout).into_owned();
    assert!(github.lines().all(|line| line.starts_with("::")) && github.contains("::warning file="), "{github}");
}

#[test]
fn a_folder_as_a_steward_keeps_it_is_checked_and_what_is_skipped_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("birds.yaml", "title:\n  en: Birds\ncountry: FI\nid: https://fi.pleiad.example/dataset/birds\n");
    write("local.yml", "id: local\ntitle: {en: Local}\ncountry: FI\n");
    write("lines.jsonl", "{\"title\":{\"en\":\"One\"},\"country\":\"FI\"}\n\n{\"titel\":1}\n");
    write("broken.yaml", "title: [\n");
    write("README.md", "# Our records\n");
    write("table.csv", "a,b\n1,2\n");
    write("notes.txt", "x");
    std::fs::create_dir(folder.path().join("card")).unwrap();
    write("card/README.md", "---\nlicense: mit\nlanguage: en\n---\n# Card\n\nWords.\n");
    let said = check(&["--json"], &[folder.path()]);
    let reports: Vec<Value> =
        String::from_utf8_lossy(&said.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let titles: Vec<Option<&str>> = reports.iter().map(|report| report["title"].as_str()).collect();
    assert_eq!(titles, [Some("Birds"), None, Some("Card"), Some("One"), None, Some("Local")], "{said:?}");
    assert_eq!(said.status.code(), Some(1));
    let skipped = String::from_utf8_lossy(&said.stderr).into_owned();
    for name in ["/README.md: it has no head", "/table.csv: a table needs a mapping", "/notes.txt: its name"] {
        assert!(skipped.contains(name), "{name}: {skipped}");
    }
    assert!(!skipped.contains("birds") && !skipped.contains("card/"), "{skipped}");
}

#[test]
fn what_cannot_be_checked_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.json");
    std::fs::write(&broken, r#"{"titel":{"en":"Birds"},"country":"FI"}"#).unwrap();
    let said = check(&["--json"], &[&broken]);
    let report: Value = serde_json::from_slice(&said.stdout).unwrap();
    assert_eq!((said.status.code(), &report["findings"][0]["rule"]), (Some(1), &json!("json_schema")));
    assert_eq!(check(&[], &[Path::new("no-such-file.json")]).status.code(), Some(3));
    std::fs::remove_file(&broken).unwrap();
    let empty = check(&[], &[folder.path()]);
    assert!(empty.status.code() == Some(1) && String::from_utf8_lossy(&empty.stderr).contains("no record was found"));
}

/// Real texts: no e-mail address that a plain search finds is overlooked.
#[test]
fn every_address_in_the_reference_texts_is_pointed_out() {
    let Some(data) = std::env::var_os("PLEIAD_TEST_DATA") else {
        eprintln!("PLEIAD_TEST_DATA is not set: the reference texts are not read");
        return;
    };
    let packed = std::fs::read(Path::new(&data).join("corpora/records.jsonl.zst")).unwrap();
    let text = String::from_utf8(zstd::decode_all(&packed[..]).unwrap()).unwrap();
    let (mut plain, mut found) = (0, 0);
    for line in text.split('\n').filter(|line| line.contains("\"source\": \"be\"") && line.contains('@')) {
        let record: Value = serde_json::from_str(line).unwrap();
        let Some(description) = record["description"].as_object() else { continue };
        let has_address = description.values().filter_map(Value::as_str).any(|text| {
            text.split(|c: char| !(c.is_ascii_alphanumeric() || "@._-+".contains(c))).any(|word| {
                let host = word.split_once('@').map_or("", |(local, host)| if local.is_empty() { "" } else { host });
                host.trim_end_matches('.').contains('.')
            })
        });
        let dataset = json!({"id": "https://x.example/dataset/a", "title": {"en": "A"}, "country": "BE", "description": description});
        let Ok(dataset) = serde_json::from_value(dataset) else { continue };
        let report =
            pleiad::quality::judge(&dataset, "2026-03-01".parse().unwrap(), pleiad::quality::Beside::default());
        plain += usize::from(has_address);
        found += usize::from(report.findings.iter().any(|finding| finding.code.ends_with("_mail_in_text")));
    }
    assert!(plain >= 200 && found >= plain, "{found} of {plain}");
}
