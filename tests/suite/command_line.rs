//! The command line as a person and a script meet it: a real process, its exit code, one line that helps.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

fn pleiad(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pleiad"));
    command.args(arguments).env_remove("PLEIAD_CONFIG").stdin(Stdio::null());
    command
}

fn json(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Asserts that a command failed with this code and one line on standard error that says these words.
#[track_caller]
fn refused(output: &Output, code: i32, words: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    let lines: Vec<&str> = said.lines().filter(|line| line.starts_with("pleiad: ")).collect();
    assert_eq!((lines.len(), said.lines().count()), (1, 1), "one line: {said}");
    for word in words {
        assert!(said.contains(word), "{word:?} is not in {said}");
    }
    assert!(output.stdout.is_empty());
}

/// A node made by `pleiad init`.
pub struct Made {
    folder: TempDir,
}

impl Made {
    /// A new one, of Finland, on ports that are free.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = Self { folder };
        let zero = "127.0.0.1:0";
        let output = pleiad(
            &[
                "--json",
                "init",
                made.text(""),
                "--id",
                "fi",
                "--domain",
                "fi.pleiad.example",
                "--country",
                "FI",
                "--web",
                zero,
                "--federation",
                zero,
                "--operations",
                zero,
                "--address",
                "https://127.0.0.1:8443/",
            ]
            .map(|text| text),
        );
        assert_eq!(json(&output)["node"], "spiffe://fi.pleiad.example/node/fi");
        made
    }

    /// A file in its folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The same as an argument.
    pub fn text(&self, name: &str) -> &'static str {
        // Tests are short-lived; a leaked path keeps the calls readable.
        Box::leak(self.path(name).display().to_string().into_boxed_str())
    }

    fn config(&self) -> &'static str {
        self.text("node.toml")
    }

    fn edit(&self, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.path("node.toml")).unwrap();
        assert!(text.contains(from), "{from} is not in {text}");
        std::fs::write(self.path("node.toml"), text.replace(from, to)).unwrap();
    }

    /// Makes a token of this role for the participant `csc` in a file of its folder, and gives the token.
    pub fn token(&self, node: &Serving, role: &str) -> String {
        let file = self.text(&format!("{role}.token"));
        let administrator = ["--node", &node.web, "--token-file", self.text("administrator.token")];
        let create = ["token", "create", "--role", role, "--participant", "csc", "--out", file];
        let created = pleiad(&[&create[..], &administrator].concat());
        assert!(created.status.success(), "{}", String::from_utf8_lossy(&created.stderr));
        std::fs::read_to_string(file).unwrap().trim().to_owned()
    }

    /// Tries to run it where that must fail.
    pub fn cannot_serve(&self) -> Output {
        pleiad(&["serve", "--config", self.config()])
    }

    /// Runs it.
    pub fn serve(&self) -> Serving {
        let mut child = command(&["serve", "--config", self.config()])
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let ready = lines.by_ref().map(Result::unwrap).find(|line| line.contains("is ready: "));
        let ready = ready.expect("the node says that it is ready");
        let mut plain = ready.split(' ').filter(|word| word.starts_with("http://")).map(str::to_owned);
        let (web, probe) = (plain.next().unwrap(), plain.next().unwrap());
        let operations = probe["http://".len()..].split('/').next().unwrap().to_owned();
        let rest = std::thread::spawn(move || lines.map_while(Result::ok).collect());
        Serving { child, web, operations, rest: Some(rest) }
    }
}

/// A running `pleiad serve`.
pub struct Serving {
    child: Child,
    /// Its web door: `http://127.0.0.1:<port>/`.
    pub web: String,
    operations: String,
    rest: Option<std::thread::JoinHandle<Vec<String>>>,
}

impl Serving {
    /// Stops it as an operator would, and gives its exit code and what it said.
    fn stop(self) -> (Option<i32>, Vec<String>) {
        self.tell_to_stop();
        self.wait()
    }

    /// Sends it SIGTERM.
    pub fn tell_to_stop(&self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    }

    /// Sends it SIGKILL and waits until it is gone.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits until it ends, and gives its exit code and what it said.
    pub fn wait(mut self) -> (Option<i32>, Vec<String>) {
        let code = self.child.wait().unwrap().code();
        (code, self.rest.take().unwrap().join().unwrap())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_new_node_is_made_served_asked_and_stopped() {
    let made = Made::new();
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(made.path("administrator.token")).unwrap().permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
    let node = made.serve();
    let administrator = ["--node", &node.web, "--token-file", made.text("administrator.token")];
    let steward = made.text("steward.token");
    let create = ["token", "create", "--role", "steward", "--participant", "csc", "--out", steward];
    let created = pleiad(&[&create[..], &administrator].concat());
    assert!(created.status.success(), "{}", String::from_utf8_lossy(&created.stderr));
    let as_steward = ["--node", &node.web, "--token-file", steward];

    std::fs::write(
        made.path("birds.json"),
        r#"{"id":"https://fi.pleiad.example/dataset/birds","title":{"en":"Birds"}}"#,
    )
    .unwrap();
    let registered =
        json(&pleiad(&[&["--json", "dataset", "register", made.text("birds.json")][..], &as_steward].concat()));
    assert_eq!(
        (&registered["id"], &registered["revision"]),
        (&"https://fi.pleiad.example/dataset/birds".into(), &1.into())
    );
    std::fs::write(made.path("birds.json"), r#"{"title":{"en":"All birds"}}"#).unwrap();
    let revise = |from: &str| {
        pleiad(
            &[
                &["--json", "dataset", "revise", "birds", made.text("birds.json"), "--from-revision", from][..],
                &as_steward,
            ]
            .concat(),
        )
    };
    assert_eq!(json(&revise("1"))["revision"], 2);
    refused(&revise("1"), 1, &["revision 2 stands"]);
    let listed = pleiad(&[&["-q", "dataset", "list"][..], &as_steward].concat());
    assert_eq!(String::from_utf8_lossy(&listed.stdout), "https://fi.pleiad.example/dataset/birds\n");
    let withdrawn = pleiad(&[&["dataset", "withdraw", "birds", "--reason", "Done."][..], &as_steward].concat());
    assert!(withdrawn.status.success());
    refused(&pleiad(&[&["dataset", "show", "bees"][..], &as_steward].concat()), 3, &["not_found"]);
    refused(&pleiad(&[&["token", "list"][..], &as_steward].concat()), 4, &["forbidden", "administrator"]);

    let (code, said) = node.stop();
    assert_eq!(code, Some(0));
    for line in said.iter().filter(|line| line.starts_with('{')) {
        assert!(serde_json::from_str::<Value>(line).is_ok(), "{line}");
    }
    let log = said.join("\n");
    assert!(log.contains("\"route\":\"/api/v1/datasets\""), "{log}");
    assert!(!log.contains(std::fs::read_to_string(steward).unwrap().trim()), "a token is in the log");
}

#[test]
fn a_probe_is_told_by_exit_code_whether_the_node_is_ready() {
    let made = Made::new();
    let node = made.serve();
    let operations = node.operations.clone();
    let health = |config: &str| {
        // Nothing but the operations door is needed: a small container has no roots to load.
        let mut command = command(&["health", "--config", config]);
        command.env("PLEIAD__OPERATIONS__LISTEN", &operations);
        command.env("SSL_CERT_FILE", "/dev/null").env("SSL_CERT_DIR", made.path("nothing")).output().unwrap()
    };
    // While the index is being filled the node says so, with 1.
    let until = Instant::now() + Duration::from_secs(20);
    let mut ready = health(made.config());
    while !ready.status.success() && Instant::now() < until {
        refused(&ready, 1, &["is not ready"]);
        std::thread::sleep(Duration::from_millis(50));
        ready = health(made.config());
    }
    assert_eq!(String::from_utf8_lossy(&ready.stdout), "spiffe://fi.pleiad.example/node/fi is ready\n", "{ready:?}");
    assert!(ready.status.success() && ready.stderr.is_empty());
    node.stop();
    refused(&health(made.config()), 1, &[&operations, "does not answer"]);
    refused(&health(made.text("nothing.toml")), 1, &["nothing.toml", "cannot be read"]);
}

#[test]
fn nodes_are_prepared_once_and_what_was_begun_only_is_not_taken_for_done() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_str().unwrap();
    let prepare = || pleiad(&["demo", "prepare", "--in", place, "--nodes", "fi,se", "--containers"]);
    let first = prepare();
    assert!(first.status.success(), "{first:?}");
    let token = folder.path().join("se/administrator.token");
    let made = std::fs::read_to_string(&token).unwrap();
    let second = prepare();
    assert!(second.status.success() && second.stdout.is_empty(), "{second:?}");
    assert_eq!(std::fs::read_to_string(&token).unwrap(), made);
    std::fs::remove_file(&token).unwrap();
    refused(&prepare(), 1, &["was begun and not finished", "remove it"]);
}

#[test]
fn what_keeps_a_node_from_starting_is_said_in_one_line() {
    let made = Made::new();
    let serve = || pleiad(&["serve", "--config", made.config()]);

    refused(&pleiad(&["serve", "--config", made.text("other.toml")]), 2, &["other.toml", "pleiad init"]);
    made.edit("[web]", "[web]\nlistne = 1");
    refused(&serve(), 2, &["web.listne", "did you mean `web.listen`?"]);
    refused(&pleiad(&["config", "check", made.config()]), 2, &["web.listen"]);
    made.edit("\nlistne = 1", "");
    assert!(pleiad(&["config", "check", made.config()]).status.success());

    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let busy = command(&["serve", "--config", made.config()])
        .env("PLEIAD__WEB__LISTEN", taken.local_addr().unwrap().to_string())
        .output()
        .unwrap();
    refused(&busy, 1, &[&taken.local_addr().unwrap().to_string(), "web.listen", "change"]);

    let with_tls = |certificate: &str| {
        command(&["serve", "--config", made.config()])
            .env("PLEIAD__WEB__CERTIFICATE", certificate)
            .env("PLEIAD__WEB__KEY", "data/keys/node.pem")
            .output()
            .unwrap()
    };
    refused(&with_tls("missing.pem"), 1, &["missing.pem", "web.certificate"]);
    refused(&with_tls("node.toml"), 1, &["node.toml", "no certificate"]);

    let list_key = made.path("data/keys/list.key.pem");
    let key = std::fs::read(&list_key).unwrap();
    std::fs::remove_file(&list_key).unwrap();
    refused(&serve(), 1, &["list.key.pem", "missing"]);
    std::fs::write(&list_key, b"nonsense").unwrap();
    std::fs::set_permissions(&list_key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    refused(&serve(), 1, &["list.key.pem"]);
    std::fs::write(&list_key, key).unwrap();

    let node = made.serve();
    refused(&pleiad(&["token", "list", "--config", made.config()]), 1, &["another", "data"]);
    drop(node);
    refused(
        &pleiad(&["init", made.text(""), "--id", "fi", "--domain", "fi.pleiad.example", "--country", "FI"]),
        2,
        &["another folder"],
    );
}

#[test]
fn a_file_is_checked_without_a_node() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("draft.json");
    let check = |text: &str, options: &[&str]| {
        std::fs::File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
        pleiad(&[options, &["dataset", "check", path.to_str().unwrap()]].concat())
    };
    let draft = r#"{"title":{"en":"Birds"},"country":"FI"}"#;
    let said = json(&check(draft, &["--json"]));
    assert_eq!(said["offerable"], false);
    assert!(said["findings"].as_array().unwrap().iter().any(|found| found["pointer"] == "/licence"), "{said}");
    let bad = check(r#"{"titel":{"en":"Birds"},"country":"FI"}"#, &[]);
    assert_eq!(bad.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&bad.stdout).contains("/titel"));
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/examples/dataset.json");
    assert_eq!(json(&pleiad(&["--json", "dataset", "check", example.to_str().unwrap()]))["offerable"], true);
}

#[test]
fn misuse_ends_with_2_and_help_with_0_and_shells_are_completed() {
    assert_eq!(pleiad(&["token", "create"]).status.code(), Some(2));
    assert_eq!(pleiad(&["nonsense"]).status.code(), Some(2));
    assert_eq!(pleiad(&["--help"]).status.code(), Some(0));
    let bash = pleiad(&["completions", "bash"]);
    assert!(String::from_utf8_lossy(&bash.stdout).contains("_pleiad"), "{bash:?}");
    let mut nobody =
        command(&["dataset", "list", "--node", "http://127.0.0.1:1/"]).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    nobody.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(nobody.wait().unwrap().code(), Some(1));
    assert!(said.contains("does not answer"), "{said}");
}
