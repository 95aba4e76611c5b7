//! `pleiad request`, `agreement`, `fetch`, `receipt` and `shard` as people type them, against two running nodes.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pleiad::clock::FixedClock;
use pleiad::domain::event::Role;
use pleiad::domain::manifest::CHUNK_SIZE;
use serde_json::Value;
use tokio::process::{Child, Command};

use crate::node::{Ready, TestNode};
use crate::pki::{self, Participant};

/// Two nodes at the present moment, because the commands look at the real clock, and the files that people have.
struct Scene {
    fi: TestNode,
    de: TestNode,
    lab: Participant,
    tokens: tempfile::TempDir,
}

impl Scene {
    async fn start() -> Self {
        let clock = FixedClock::at(jiff::Timestamp::now());
        let (fi, de) = (Ready::new("fi", &clock), Ready::new("de", &clock));
        pki::introduce(&[&fi.state, &de.state]);
        let lab = de.state.participant("lab", &[&fi.state]);
        let (fi, de) = (fi.start_with(|_| ()).await, de.start_with(|_| ()).await);
        let tokens = tempfile::tempdir().unwrap();
        let steward = fi.token(Role::Steward, Some("archive")).await;
        std::fs::write(tokens.path().join("steward"), steward).unwrap();
        let operator = de.token(Role::Operator, Some("lab")).await;
        std::fs::write(tokens.path().join("operator"), operator).unwrap();
        Self { fi, de, lab, tokens }
    }

    fn command(&self, node: &TestNode, token: &str, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pleiad"));
        command
            .args(args)
            .arg("--json")
            .env("PLEIAD_NODE", format!("http://{}/", node.running.addresses.web))
            .env("PLEIAD_TOKEN_FILE", self.tokens.path().join(token))
            .env("PLEIAD_DATA", self.lab.member.data())
            .kill_on_drop(true);
        command
    }

    /// As the owner's steward.
    async fn steward(&self, args: &[&str]) -> Value {
        done(self.command(&self.fi, "steward", args)).await
    }

    /// As the holder's operator.
    async fn operator(&self, args: &[&str]) -> Value {
        done(self.command(&self.de, "operator", args)).await
    }

    fn shards(&self) -> PathBuf {
        self.fi.state.member.data().join("shards/call-centre-speech")
    }

    fn fetch(&self, agreement: &str, to: &Path) -> Command {
        self.command(&self.de, "operator", &["fetch", agreement, "--to", to.to_str().unwrap(), "--patience", "5"])
    }
}

async fn done(mut command: Command) -> Value {
    let output = command.output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    serde_json::from_str(text.lines().last().unwrap_or("null")).unwrap()
}

async fn killed_once_it_has(mut child: Child, folder: &Path, bytes: u64) {
    let part = folder.join(".train-00000.bin.part");
    let until = Instant::now() + Duration::from_secs(20);
    while std::fs::metadata(&part).map_or(0, |metadata| metadata.len()) < bytes {
        assert!(Instant::now() < until && child.try_wait().unwrap().is_none(), "it was to be killed on its way");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    child.kill().await.unwrap();
}

#[actix_web::test]
async fn from_the_files_of_an_owner_to_the_receipt_of_a_holder() {
    let scene = Scene::start().await;
    // The steward registers, and says what the files are.
    let record: Value = serde_json::from_str(include_str!("../../config/examples/dataset.json")).unwrap();
    let steward = std::fs::read_to_string(scene.tokens.path().join("steward")).unwrap();
    let reply = scene.fi.call("POST", "/api/v1/datasets").bearer(&steward).json(&record).send().await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    let dataset = record["id"].as_str().unwrap();
    std::fs::create_dir_all(scene.shards()).unwrap();
    let long: Vec<u8> = (0..6 * CHUNK_SIZE as usize + 99).map(|i| (i / 5 % 251) as u8).collect();
    std::fs::write(scene.shards().join("train-00000.bin"), &long).unwrap();
    std::fs::write(scene.shards().join("test-00000.bin"), b"a small shard").unwrap();
    let folder = scene.shards();
    let added = scene.steward(&["shard", "add", dataset, "--folder", folder.to_str().unwrap()]).await;
    assert_eq!((added["revision"].as_u64(), added["shards"].as_u64()), (Some(2), Some(2)), "{added}");

    // The operator asks, the steward approves.
    let purpose = ["--purpose", "dpv:AcademicResearch"];
    let request = scene.operator(&[&["request", "create", dataset], &purpose[..]].concat()).await;
    assert_eq!(request["state"]["state"], "pending", "{request}");
    let id = request["id"].as_str().unwrap();
    let agreement = scene.steward(&["request", "approve", id]).await;
    let agreement = agreement["id"].as_str().unwrap();
    let until = Instant::now() + Duration::from_secs(20);
    while scene.operator(&["request", "show", id]).await["state"]["state"] != "agreed" {
        assert!(Instant::now() < until);
    }
    assert_eq!(scene.operator(&["agreement", "show", agreement]).await["revision"], 2);

    // The fetch is killed on its way, and goes on.
    let to = tempfile::tempdir().unwrap();
    let to = to.path().join("speech");
    let child = scene.fetch(agreement, &to).stdout(std::process::Stdio::null()).spawn().unwrap();
    killed_once_it_has(child, &to, CHUNK_SIZE).await;
    assert!(!to.join("receipt.json").exists());
    let fetched = done(scene.fetch(agreement, &to)).await;
    assert_eq!((&fetched["step"], &fetched["shards"]), (&"done".into(), &2.into()));
    assert!(std::fs::read(to.join("train-00000.bin")).unwrap() == long);
    let folder = to.to_str().unwrap();
    let receipt = scene.operator(&["receipt", folder, "--verify"]).await;
    assert_eq!(receipt["receipt"]["agreement"], agreement);
    let kept = scene.de.running.store().receipts(&Default::default(), Default::default(), 10).await.unwrap();
    assert_eq!(kept.len(), 1, "the home node keeps the receipt");

    // Changed afterwards, the folder says so; changed at the owner's, no other folder is ever done.
    std::fs::write(to.join("test-00000.bin"), b"a smell shard").unwrap();
    let verified = scene.command(&scene.de, "operator", &["receipt", folder, "--verify"]).output().await.unwrap();
    assert_eq!(verified.status.code(), Some(6));
    std::fs::write(scene.shards().join("test-00000.bin"), b"a small shart").unwrap();
    let other = to.with_file_name("other");
    let failed = scene.fetch(agreement, &other).output().await.unwrap();
    assert_eq!(failed.status.code(), Some(6), "{}", String::from_utf8_lossy(&failed.stderr));
    assert!(!other.join("receipt.json").exists() && !other.join("test-00000.bin").exists());

    // Ended, it is denied.
    scene.steward(&["agreement", "end", agreement, "--reason", "the project is over"]).await;
    let denied = scene.fetch(agreement, &other).output().await.unwrap();
    assert_eq!(denied.status.code(), Some(4), "{}", String::from_utf8_lossy(&denied.stderr));
    assert!(String::from_utf8_lossy(&denied.stderr).contains("the project is over"));
    // And an id that nobody knows is not found.
    let unknown = scene.fetch("agreement-00000000", &other).output().await.unwrap();
    assert_eq!(unknown.status.code(), Some(3));
}
