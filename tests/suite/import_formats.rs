//! Every format that is read, through the command into a real node: told apart in one folder, through mappings, from
//! standard input and from an address; and what is bad costs itself only.

use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

use crate::import::{Ended, Importer, counts};

const MAPPING: &str =
    "iri = 'https://table.example/{id}'\n[columns]\ntitel = {field = 'title', language = 'de'}\nlizenz = 'licence'\n";
const TABLE: &str = "id,titel,lizenz\n1,Bäume,CC BY 4.0\n2,Wege\n3,Seen,CC0-1.0\n";
const CARD: &str = "---\npretty_name: Moves\nlicense: mit\nlanguage: [en]\n---\n# Dataset Card for Moves\n## Dataset Summary\nMoves.\n";

fn package() -> String {
    let package = json!({"name": "trees", "title": "Trees", "notes": "All trees.", "resources": [{"url": "https://t.example/t.csv", "format": "CSV"}]});
    let help = "https://ckan.example/api/3/action/help_show?name=package_show";
    json!({"help": help, "success": true, "result": package}).to_string()
}

fn infos() -> String {
    json!({"default": {"features": {"id": {"dtype": "string", "_type": "Value"}}, "splits": {"train": {"num_examples": 4, "num_bytes": 9}}}}).to_string()
}

/// Runs the import with these arguments and this on standard input.
async fn run(importer: &Importer, arguments: &[&str], input: &[u8]) -> Ended {
    let mut child = Command::new(env!("CARGO_BIN_EXE_pleiad"))
        .args(["--json", "dataset", "import"])
        .args(arguments)
        .arg("--node")
        .arg(format!("http://{}/", importer.node.running.addresses.web))
        .arg("--token-file")
        .arg(importer.folder.path().join("token"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A command that refuses its arguments does not read.
    let _ = stdin.write_all(input).await;
    drop(stdin);
    let output = child.wait_with_output().await.unwrap();
    let summary = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    Ended { code: output.status.code().unwrap(), summary, stderr: String::from_utf8(output.stderr).unwrap() }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Whether the node has the record of this source, and its title.
async fn title(importer: &Importer, source: &str, iri: &str) -> Option<String> {
    let found = importer.node.running.store().dataset_by_source(source, &iri.parse().unwrap()).await.unwrap();
    found.map(|record| record.dataset.title.best(&[]).1.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mixed_folder_is_read_file_by_file_and_what_is_no_record_is_skipped_and_counted() {
    let importer = Importer::new("be").await;
    let root = importer.folder.path().join("mixed");
    for folder in ["datasets/moves", ".git"] {
        std::fs::create_dir_all(root.join(folder)).unwrap();
    }
    let own = json!({"title": {"en": "Ours"}, "id": "https://ours.example/1"});
    for (name, content) in [
        ("datasets/moves/README.md", CARD),
        ("datasets/moves/dataset_infos.json", &infos()),
        ("ckan.json", &package()),
        ("ours.yaml", "title: {en: In YAML}\nid: https://ours.example/2\n"),
        ("ours.jsonl", &format!("{own}\n\n{}\n", json!({"title": {"en": "x"}}))),
        ("rdf.ttl", "@prefix d: <http://www.w3.org/ns/dcat#> . <https://r.example/1> a d:Dataset ; <http://purl.org/dc/terms/title> \"RDF\" ."),
        ("page.json", &json!({"@context": "https://schema.org/", "@type": "Dataset", "@id": "https://s.example/1", "name": "Schema", "description": "A page.", "url": "https://s.example/1"}).to_string()),
        ("broken.yaml", "a: [1\n"),
        ("table.csv", TABLE),
        ("CHANGELOG.md", "# Changes\n"),
        ("package.json", "{\"name\": \"x\"}"),
        ("example.json", include_str!("../../config/examples/dataset.json")),
        ("photo.png", "no text"),
        (".hidden.ttl", "x"),
    ] {
        std::fs::write(root.join(name), content).unwrap();
    }
    let first = run(&importer, &[text(&root)], b"").await;
    assert_eq!(first.code, 0, "{}", first.stderr);
    assert_eq!(
        title(&importer, "huggingface.co", "https://huggingface.co/datasets/moves").await.as_deref(),
        Some("Moves")
    );
    for (iri, name) in [
        ("https://ckan.example/dataset/trees", "Trees"),
        ("https://ours.example/1", "Ours"),
        ("https://ours.example/2", "In YAML"),
        ("https://r.example/1", "RDF"),
        ("https://s.example/1", "Schema"),
    ] {
        assert_eq!(title(&importer, "mixed", iri).await.as_deref(), Some(name), "{}", first.summary);
    }
    // A broken document, one without an id, and one of another country.
    assert_eq!(counts(&first.summary)[4], 3, "{}", first.summary);
    assert_eq!(first.summary["skipped_files"], json!(6), "{}", first.summary);
    let second = run(&importer, &[text(&root)], b"").await;
    assert_eq!(counts(&second.summary)[1..3], [0, 0], "{}", second.summary);
    let record = importer.node.running.store();
    let iri = "https://huggingface.co/datasets/moves".parse().unwrap();
    let moves = record.dataset_by_source("huggingface.co", &iri).await.unwrap().unwrap();
    assert_eq!(moves.dataset.training.record_count, Some(4), "the infos beside the card belong to it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_comes_in_through_its_mapping_and_a_slip_is_told_before_anything_is_sent() {
    let importer = Importer::new("de").await;
    let table = importer.write("table.csv", TABLE);
    let mapping = importer.write("mapping.toml", MAPPING);
    let taken = run(&importer, &[text(&table), "--mapping", text(&mapping)], b"").await;
    assert_eq!((taken.code, counts(&taken.summary)), (0, [3, 2, 0, 0, 1]), "{}", taken.stderr);
    assert!(taken.summary["reasons"][0]["first"].as_str().unwrap().contains("table.csv line 3"), "{}", taken.summary);
    assert_eq!(title(&importer, "table", "https://table.example/1").await.as_deref(), Some("Bäume"));
    let head = importer.node.running.store().head();
    let dry = run(&importer, &[text(&table), "--mapping", text(&mapping), "--dry-run", "--source", "other"], b"").await;
    assert_eq!((dry.code, counts(&dry.summary)), (0, [3, 0, 0, 0, 1]));
    let bare = run(&importer, &[text(&table)], b"").await;
    assert!(bare.code == 2 && bare.stderr.contains("--mapping"), "{}", bare.stderr);
    for (from, to, parts) in
        [("'title'", "'titel'", ["titel", "\"title\""]), ("lizenz", "licenz", ["licenz", "\"lizenz\""])]
    {
        let slip = importer.write("slip.toml", &MAPPING.replace(from, to));
        let ended = run(&importer, &[text(&table), "--mapping", text(&slip)], b"").await;
        assert!(ended.code == 2 && parts.iter().all(|part| ended.stderr.contains(part)), "{}", ended.stderr);
    }
    assert_eq!(importer.node.running.store().head(), head, "nothing was written");
}

#[tokio::test(flavor = "multi_thread")]
async fn standard_input_is_told_by_how_it_begins() {
    let importer = Importer::new("be").await;
    let ckan = run(&importer, &["-", "--source", "portal"], package().as_bytes()).await;
    assert_eq!((ckan.code, counts(&ckan.summary)[1]), (0, 1), "{}", ckan.stderr);
    let lines =
        "{\"title\": {\"en\": \"A\"}, \"id\": \"urn:x:a\"}\n{\"title\": {\"en\": \"B\"}, \"id\": \"urn:x:b\"}\n";
    let packed = zstd::encode_all(lines.as_bytes(), 3).unwrap();
    let taken = run(&importer, &["-", "--source", "portal"], &packed).await;
    assert_eq!((taken.code, counts(&taken.summary)[1]), (0, 2), "{}", taken.stderr);
    let rdf = "@prefix d: <http://www.w3.org/ns/dcat#> . <https://r.example/1> a d:Dataset ; <http://purl.org/dc/terms/title> \"R\" .";
    let taken = run(&importer, &["-", "--source", "portal"], rdf.as_bytes()).await;
    assert_eq!((taken.code, counts(&taken.summary)[1]), (0, 1), "{}", taken.stderr);
    let unnamed = run(&importer, &["-"], lines.as_bytes()).await;
    assert!(unnamed.code == 2 && unnamed.stderr.contains("--source"), "{}", unnamed.stderr);
    let strange = run(&importer, &["-", "--source", "portal"], b"\x00\x01\x02").await;
    assert!(strange.code == 2 && strange.stderr.contains("--format"), "{}", strange.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_on_this_machine_is_fetched_only_where_it_is_allowed_by_name() {
    let importer = Importer::new("be").await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = tokio::spawn(async move {
        loop {
            let (mut connection, _) = listener.accept().await.unwrap();
            let mut asked = [0; 4096];
            let _ = connection.read(&mut asked).await;
            let body = package();
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            let _ = connection.write_all(format!("{head}{body}").as_bytes()).await;
        }
    });
    let address = format!("http://127.0.0.1:{port}/api/3/action/package_show?id=trees");
    let refused = run(&importer, &[&address], b"").await;
    assert!(refused.code == 1 && refused.stderr.contains("127.0.0.1"), "{}", refused.stderr);
    let taken = run(&importer, &[&address, "--allow-host", "127.0.0.1"], b"").await;
    assert_eq!((taken.code, counts(&taken.summary)[1]), (0, 1), "{}", taken.stderr);
    assert_eq!(title(&importer, "127.0.0.1", "https://ckan.example/dataset/trees").await.as_deref(), Some("Trees"));
    serving.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_means_harm_costs_itself_and_the_rest_comes_in() {
    let importer = Importer::new("be").await;
    let root = importer.folder.path().join("harm");
    std::fs::create_dir_all(&root).unwrap();
    let laughs: String =
        (1..12).map(|n| format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 9].join(", "))).collect();
    for (name, content) in [
        ("laughs.yaml", format!("a0: &a0 [x, x]\n{laughs}").into_bytes()),
        ("deep.yaml", "[".repeat(100_000).into_bytes()),
        ("deep.jsonl", format!("{}\n", "[".repeat(100_000)).into_bytes()),
        ("bytes.yaml", b"title: {en: \xff\xfe}\nid: urn:x:1\n".to_vec()),
        ("head.md", b"---\nlicense: [mit\n---\n".to_vec()),
        ("good.yaml", "title: {en: \"A\\u202EB\"}\nid: urn:x:good\n".as_bytes().to_vec()),
    ] {
        std::fs::write(root.join(name), content).unwrap();
    }
    let ended = run(&importer, &[text(&root)], b"").await;
    assert_eq!(
        (ended.code, counts(&ended.summary)[1], counts(&ended.summary)[4]),
        (0, 1, 5),
        "{} {}",
        ended.summary,
        ended.stderr
    );
    assert!(ended.summary["reasons"].to_string().contains("line"), "{}", ended.summary);
    assert_eq!(run(&importer, &[text(&root), "--strict"], b"").await.code, 1);
}
