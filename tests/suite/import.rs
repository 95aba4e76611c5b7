//! Records of other catalogues, brought in by the command line through the door of a real node.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use pleiad::domain::event::Role;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::node::TestNode;

const RECORDS: &str = r#"
@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .
<https://data.example.org/catalogue> a dcat:Catalog ; dct:title "Catalogue" .
<https://data.example.org/1> a dcat:Dataset ; dct:title "Een"@nl ; dct:modified "gisteren" .
<https://data.example.org/2> a dcat:Dataset ; dct:title "Twee"@nl ; dct:description "<p>Tekst</p>"@nl .
<https://data.example.org/3> a dcat:Dataset ; dct:description "No title"@en .
"#;

pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) summary: Value,
    pub(crate) stderr: String,
}

/// A node with a steward's token in a file, and a folder for what is imported.
pub(crate) struct Importer {
    pub(crate) node: TestNode,
    pub(crate) folder: tempfile::TempDir,
    secret: String,
}

impl Importer {
    pub(crate) async fn new(country: &str) -> Self {
        let node = TestNode::start(country).await;
        let folder = tempfile::tempdir().unwrap();
        let secret = node.token(Role::Steward, Some("portal")).await;
        std::fs::write(folder.path().join("token"), &secret).unwrap();
        Self { node, folder, secret }
    }

    pub(crate) fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    async fn import(&self, input: &Path, more: &[&str]) -> Ended {
        let output = Command::new(env!("CARGO_BIN_EXE_pleiad"))
            .args(["--json", "dataset", "import", "--format", "dcat"])
            .arg(input)
            .arg("--node")
            .arg(format!("http://{}/", self.node.running.addresses.web))
            .arg("--token-file")
            .arg(self.folder.path().join("token"))
            .args(more)
            .stdin(Stdio::null())
            .output()
            .await
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        let summary = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
        Ended { code: output.status.code().unwrap(), summary, stderr }
    }

    async fn post(&self, media_type: &str, body: &str) -> crate::node::Reply {
        let call = self.node.call("POST", "/api/v1/imports").header("Content-Type", media_type);
        call.bearer(&self.secret).body(body).send().await
    }
}

pub(crate) fn counts(summary: &Value) -> [u64; 5] {
    ["read", "registered", "revised", "unchanged", "refused"]
        .map(|name| summary[name].as_u64().unwrap_or_else(|| panic!("no {name} in {summary}")))
}

#[tokio::test(flavor = "multi_thread")]
async fn importing_twice_changes_nothing_and_a_changed_record_is_revised() {
    let importer = Importer::new("be").await;
    let path = importer.write("records.ttl", RECORDS);
    let first = importer.import(&path, &[]).await;
    assert_eq!(first.code, 0, "{}", first.stderr);
    assert_eq!(counts(&first.summary), [3, 2, 0, 0, 1]);
    assert_eq!(first.summary["source"], "data.example.org");
    let reason = &first.summary["reasons"][0];
    assert_eq!((&reason["reason"], &reason["count"]), (&json!("it has no title"), &json!(1)));
    assert!(reason["first"].as_str().unwrap().starts_with("https://data.example.org/3: "), "{reason}");
    let head = importer.node.running.store().head();

    let second = importer.import(&path, &[]).await;
    assert_eq!(counts(&second.summary), [3, 0, 0, 2, 1]);
    assert_eq!(importer.node.running.store().head(), head, "nothing was written");

    importer.write("records.ttl", &RECORDS.replace("Tekst", "Andere tekst"));
    let third = importer.import(&path, &[]).await;
    assert_eq!(counts(&third.summary), [3, 0, 1, 1, 1]);
    let iri = "https://data.example.org/2".parse().unwrap();
    let record = importer.node.running.store().dataset_by_source("data.example.org", &iri).await.unwrap().unwrap();
    assert_eq!((record.revision.0, record.owner.id().as_str()), (2, "portal"));
    assert_eq!(record.dataset.description.unwrap().best(&[]).1, "Andere tekst");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_record_fails_the_command_only_when_it_is_strict_and_a_dry_run_sends_nothing() {
    let importer = Importer::new("be").await;
    let path = importer.write("records.ttl", RECORDS);
    let head = importer.node.running.store().head();
    let dry = importer.import(&path, &["--dry-run"]).await;
    assert_eq!((dry.code, counts(&dry.summary)), (0, [3, 0, 0, 0, 1]));
    assert_eq!(importer.node.running.store().head(), head);
    assert_eq!(importer.import(&path, &["--strict"]).await.code, 1);
    let foreign = importer.import(&path, &["--country", "FI"]).await;
    assert_eq!(counts(&foreign.summary), [3, 0, 0, 0, 3], "the node does not speak for Finland");
    let reasons = foreign.summary["reasons"].to_string();
    assert!(reasons.contains("does not speak for FI"), "{reasons}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_input_without_datasets_or_without_a_reader_ends_with_a_sentence() {
    let importer = Importer::new("be").await;
    let empty = importer.write("catalogue.ttl", "<https://example.org/c> a <http://www.w3.org/ns/dcat#Catalog> .");
    let ended = importer.import(&empty, &[]).await;
    assert_eq!(ended.code, 1);
    assert!(ended.stderr.contains("no dataset was found"), "{}", ended.stderr);
    let table = importer.write("table.csv", "a,b\n");
    let ended = importer.import(&table, &[]).await;
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains(".jsonld"), "{}", ended.stderr);
    let ended = importer.import(&importer.folder.path().join("absent.ttl"), &[]).await;
    assert_eq!(ended.code, 1);
    assert!(ended.stderr.contains("cannot be read"), "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_draft_of_a_request_has_its_own_answer() {
    let importer = Importer::new("be").await;
    let draft = |title: &str, iri: &str| {
        let source = json!({"name": "test", "iri": iri, "digest": "0".repeat(64)});
        json!({"title": {"nl": title}, "source": source}).to_string()
    };
    let unsourced = json!({"title": {"nl": "x"}}).to_string();
    let unknown = draft("y", "urn:x:y").replace("\"title\"", "\"titel\"");
    let body = [&draft("a", "urn:x:a"), "not json", "[1]", &unsourced, &unknown, "", &draft("b", "urn:x:b")].join("\n");
    let reply = importer.post("application/x-ndjson", &body).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let outcomes = reply.json()["outcomes"].clone();
    let kinds: Vec<&str> = outcomes.as_array().unwrap().iter().map(|o| o["outcome"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["registered", "refused", "refused", "refused", "refused", "registered"], "{outcomes}");
    assert!(outcomes[1]["detail"].as_str().unwrap().contains("not JSON"), "{outcomes}");
    assert!(outcomes[3]["detail"].as_str().unwrap().contains("source"), "{outcomes}");
    assert!(!outcomes[4]["errors"].as_array().unwrap().is_empty(), "{outcomes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_no_import_is_refused_whole() {
    let importer = Importer::new("be").await;
    importer.post("application/json", "{}").await.problem(415, "unsupported_media_type");
    importer.post("application/x-ndjson", "\n\n").await.problem(400, "bad_request");
    importer.post("application/x-ndjson", &"{}\n".repeat(501)).await.problem(413, "too_large");
    let call = importer.node.call("POST", "/api/v1/imports").header("Content-Type", "application/x-ndjson");
    call.body("{}").send().await.problem(401, "unauthenticated");
    let researcher = importer.node.token(Role::Researcher, None).await;
    let call = importer.node.call("POST", "/api/v1/imports").header("Content-Type", "application/x-ndjson");
    call.bearer(&researcher).body("{}").send().await.problem(403, "forbidden");
}

/// The folder of real corpora, where the environment names it.
fn test_data() -> Option<PathBuf> {
    let folder = std::env::var_os("PLEIAD_TEST_DATA").map(PathBuf::from).filter(|folder| folder.is_dir());
    if folder.is_none() {
        eprintln!("skipped: PLEIAD_TEST_DATA is not set");
    }
    folder
}

#[test]
fn the_licence_strings_of_real_records_become_identifiers_or_stay_words() {
    let Some(data) = test_data() else { return };
    let records = std::fs::File::open(data.join("corpora/records.jsonl.zst")).unwrap();
    let records = std::io::BufReader::new(zstd::Decoder::new(records).unwrap());
    let (mut named, mut identified) = (0, 0);
    for line in std::io::BufRead::split(records, b'\n') {
        let record: Value = serde_json::from_slice(&line.unwrap()).unwrap();
        let raw = match &record["license_raw"] {
            Value::Array(list) => list.clone(),
            one => vec![one.clone()],
        };
        for raw in raw.iter().filter_map(Value::as_str) {
            let Some(licence) = pleiad::vocabulary::licence::resolve(raw) else { continue };
            named += 1;
            identified += usize::from(licence.spdx.is_some());
            let says_nothing = ["unknown", "other", "Unspecified", "Custom", "Various", "No License"].contains(&raw);
            assert!(!says_nothing || licence.spdx.is_none(), "{raw}");
            if let Some(spdx) = &licence.spdx {
                assert_eq!(pleiad::vocabulary::licence::resolve(spdx).unwrap().spdx.as_ref(), Some(spdx), "{raw}");
                let forbids = raw.to_lowercase().contains("non-commercial") || raw.to_lowercase().contains("by-nc");
                assert!(!forbids || spdx.contains("NC"), "{raw} became {spdx}");
            }
        }
    }
    eprintln!("{identified} of {named} licence strings have an SPDX id");
    assert!(identified > 5_000 && identified < named, "{identified} of {named}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_czech_corpus_comes_in_whole_and_a_second_time_changes_nothing() {
    let Some(data) = test_data() else { return };
    let importer = Importer::new("cz").await;
    let folder = data.join("corpora/cz-khk/public");
    let first = importer.import(&folder, &[]).await;
    assert_eq!(first.code, 0, "{}", first.stderr);
    assert_eq!(counts(&first.summary), [165, 165, 0, 0, 0], "{}", first.summary);
    assert_eq!(first.summary["source"], "open.datakhk.cz");
    let again = importer.import(&folder, &[]).await;
    assert_eq!(counts(&again.summary), [165, 0, 0, 165, 0]);
    let iri = "https://open.datakhk.cz/1adad0a9ee684b23a84c8613f8e5156e.jsonld".parse().unwrap();
    let record = importer.node.running.store().dataset_by_source("open.datakhk.cz", &iri).await.unwrap().unwrap();
    let dataset = serde_json::to_value(record.dataset).unwrap();
    assert_eq!(dataset["title"], json!({"cs": "Přírodní parky"}));
    assert_eq!((&dataset["country"], &dataset["gdpr"]["personal_data"]), (&json!("CZ"), &json!("no")));
    assert_eq!(dataset["access_rights"], json!("not_stated"), "nobody said");
    assert_eq!(dataset["distributions"].as_array().unwrap().len(), 11);
    assert_eq!(dataset["licence"]["permissions"]["ai_training"], json!("not_stated"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_belgian_sample_comes_in_with_its_languages_and_without_inventions() {
    let Some(data) = test_data() else { return };
    let importer = Importer::new("be").await;
    let sample = data.join("corpora/be-datagov/sample-300-datasets.ttl");
    let first = importer.import(&sample, &["--source", "data.gov.be"]).await;
    assert_eq!(first.code, 0, "{}", first.stderr);
    assert_eq!(counts(&first.summary), [300, 300, 0, 0, 0], "{}", first.summary);
    let again = importer.import(&sample, &["--source", "data.gov.be"]).await;
    assert_eq!(counts(&again.summary), [300, 0, 0, 300, 0]);
    let filter = Default::default();
    let records = importer.node.running.store().datasets(&filter, None, 300).await.unwrap();
    let machine = |tag: &pleiad::domain::ids::LanguageTag| tag.is_machine_translated();
    assert!(records.iter().any(|record| record.dataset.title.iter().any(|(tag, _)| machine(tag))));
    assert!(records.iter().any(|record| record.dataset.licence.is_none()), "some state no licence");
    assert!(records.iter().any(|record| record.dataset.issued.is_none()), "some state no date");
    for record in &records {
        assert_eq!(record.dataset.gdpr, Default::default(), "nobody there says anything about personal data");
        assert_eq!(record.dataset.tdm_reservation, Default::default());
    }
}
