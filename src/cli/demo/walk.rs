//! Three users' day, step by step. Each step is a command as a user would type it, run as a process of its own in the
//! demonstration's folder, shown with its result, and held to what it must give.

use std::io::IsTerminal as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::process::Command;

use super::stage::Stage;
use crate::cli::{Exit, Failure, Output};

/// What the factory asks for.
const WANTED: &str = "https://fi.pleiad.example/dataset/keuhko-ct";
/// How long the home node may take to hear of a decision.
const HEARD_WITHIN: Duration = Duration::from_secs(10);
/// How long a node that was away may be skipped: the first pause of its circuit, and a probe.
const BACK_WITHIN: Duration = Duration::from_secs(30);
/// The deadline of a federated search, as the nodes' configuration has it by default, with room for a process to start.
const ANSWERED_WITHIN: Duration = Duration::from_secs(4);

/// Tells the steps: for people on a terminal, or one JSON object a step.
#[derive(Debug, Clone, Copy)]
pub struct Telling {
    output: Output,
}

impl Telling {
    /// Tells in the way the command line asked for.
    pub fn new(output: Output) -> Self {
        Self { output }
    }

    /// A remark for people.
    pub fn remark(&self, text: &str) {
        if !self.output.json {
            self.output.remark(text);
        }
    }

    /// A step that ended.
    pub fn step(&self, name: &str, ok: bool, ms: u64, more: &Value) -> Result<(), Failure> {
        if self.output.json {
            let mut line = json!({ "step": name, "ok": ok, "ms": ms });
            if let (Some(line), Some(more)) = (line.as_object_mut(), more.as_object()) {
                line.extend(more.clone());
            }
            return self.output.text(&format!("{line}\n"));
        }
        let mark = match (name, ok) {
            ("ready", true) => "ready",
            (_, true) => "held",
            (_, false) => "DID NOT HOLD",
        };
        let why = more["problem"].as_str().map(|problem| format!(": {problem}")).unwrap_or_default();
        self.output.text(&format!("  [{mark} after {ms} ms{why}]\n"))
    }

    fn heading(&self, words: &str) {
        if !self.output.json {
            self.output.remark(format_args!("\n{words}"));
        }
    }

    fn command(&self, line: &str, result: &str) {
        if !self.output.json {
            let result: String = aligned(result).map(|line| format!("    {line}\n")).collect();
            // What was typed and what came back belong together, on standard output.
            let _ = self.output.text(&format!("  $ {line}\n{result}"));
        }
    }

    /// The end of the walk.
    pub fn summary(&self, stage: &Stage, ok: bool) -> Result<(), Failure> {
        if self.output.json {
            let line = json!({
                "step": "summary", "ok": ok, "nodes": stage.nodes.len(), "datasets": stage.datasets,
            });
            return self.output.text(&format!("{line}\n"));
        }
        let what = if ok { "Every step held" } else { "Not every step held" };
        self.output.text(&format!("\n{what}: {} nodes, {} datasets.\n", stage.nodes.len(), stage.datasets))
    }

    /// Where everything is, while it stays up.
    pub fn addresses(&self, stage: &Stage) {
        if self.output.json {
            return;
        }
        let mut text = String::from("\n  node  pages and API            for peers                 for probes\n");
        for running in &stage.nodes {
            let place = &running.node.place;
            text.push_str(&format!(
                "  {:4}  http://{:20}  https://{:18}  http://{}/metrics\n",
                running.node.sheet.id.as_str(),
                format!("{}/", place.web),
                format!("{}/", place.federation),
                place.operations
            ));
        }
        text.push_str(&format!(
            "\nTokens to sign in with are in {}/tokens. Ctrl-C stops it all.\n",
            stage.root.display()
        ));
        let _ = self.output.text(&text);
    }
}

/// What a command gave.
struct Given {
    exit: i32,
    out: String,
    err: String,
    took: Duration,
}

impl Given {
    fn ms(&self) -> u64 {
        u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX)
    }

    fn json(&self) -> Result<Value, String> {
        serde_json::from_str(self.out.trim()).map_err(|error| format!("its output is not JSON: {error}"))
    }
}

struct Day<'a> {
    stage: &'a mut Stage,
    say: &'a Telling,
    held: bool,
}

/// Walks through the day; says whether every step held.
pub async fn walk(stage: &mut Stage, say: &Telling) -> Result<bool, Failure> {
    let mut day = Day { stage, say, held: true };
    day.steward_registers().await?;
    day.researcher_searches().await?;
    day.a_node_is_missing().await?;
    day.factory_is_refused().await?;
    if let Some(request) = day.factory_asks().await?
        && let Some(agreement) = day.steward_approves(&request).await?
    {
        day.factory_fetches(&request, &agreement).await?;
        day.the_log_shows_it(&agreement).await?;
    }
    day.the_node_is_back().await?;
    Ok(day.held)
}

impl Day<'_> {
    async fn steward_registers(&mut self) -> Result<(), Failure> {
        self.say.heading("A steward in Finland registers a dataset.");
        let dataset = json!({
            "title": { "fi": "Viitotut eduskuntapuheet", "en": "Parliament speeches in sign language" },
            "description": {
                "fi": "Eduskunnan puheiden viittomakieliset tulkkaukset videoina, kohdistettuna puheen tekstiin.",
                "en": "Sign language interpretations of speeches in parliament as video, aligned with the text."
            },
            "country": "FI",
            "training": { "modalities": ["video", "text"] },
            "fictitious": true
        });
        std::fs::write(self.stage.root.join("dataset.json"), format!("{dataset:#}\n"))?;
        let node = self.stage.web("fi")?;
        let line = ["dataset", "register", "dataset.json", "--node", &node, "--token-file", "tokens/fi-opetus.token"];
        let given = self.type_in(&line).await?;
        self.end("register", &given, |given| {
            expect(given, Exit::Ok)?;
            let registered = given.out.contains("https://fi.pleiad.example/dataset/");
            registered.then(|| json!({})).ok_or_else(|| "it names no dataset".to_owned())
        })
    }

    async fn researcher_searches(&mut self) -> Result<(), Failure> {
        self.say.heading("A researcher in Luxembourg searches all seven nodes.");
        let node = self.stage.web("lu")?;
        // What was registered a moment ago is in the index a moment later.
        let until = Instant::now() + HEARD_WITHIN;
        while !self.look(&["search", "sign language", "--node", &node]).await?.out.contains("in sign language")
            && Instant::now() < until
        {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let given = self.type_in(&["search", "parliament speech", "--limit", "8", "--node", &node]).await?;
        let seen = self.look(&["search", "parliament speech", "--node", &node, "--json"]).await?;
        self.end("search", &given, |given| {
            expect(given, Exit::Ok)?;
            let states = states(&seen.json()?)?;
            let answered = states.iter().filter(|(_, state)| state == "answered").count();
            if answered == 7 {
                Ok(json!({ "sources": states }))
            } else {
                Err(format!("{answered} nodes answered: {states:?}"))
            }
        })
    }

    async fn a_node_is_missing(&mut self) -> Result<(), Failure> {
        self.say.heading("The Swedish node loses power. The same search answers in time, and names it.");
        self.stage.kill("se")?;
        let node = self.stage.web("lu")?;
        let given = self.type_in(&["search", "parliament speech", "--limit", "8", "--node", &node]).await?;
        let seen = self.look(&["search", "parliament speech", "--node", &node, "--json"]).await?;
        self.end("missing_node", &given, |given| {
            expect(given, Exit::PartialFederation)?;
            if given.took > ANSWERED_WITHIN {
                return Err(format!("it took {} ms", given.ms()));
            }
            let states = states(&seen.json()?)?;
            let others = states.iter().filter(|(node, state)| node != "se" && state == "answered").count();
            let missing = states.iter().any(|(node, state)| node == "se" && state != "answered");
            if others == 6 && missing {
                Ok(json!({ "sources": states }))
            } else {
                Err(format!("the sources are {states:?}"))
            }
        })?;
        self.stage.revive("se").await
    }

    async fn the_node_is_back(&mut self) -> Result<(), Failure> {
        self.say.heading("Sweden has power again, and Luxembourg's probe has noticed.");
        let node = self.stage.web("lu")?;
        let until = Instant::now() + BACK_WITHIN;
        while self.look(&["search", "parliament speech", "--node", &node]).await?.exit != Exit::Ok as i32
            && Instant::now() < until
        {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        let given = self.type_in(&["federation", "--node", &node]).await?;
        let seen = self.look(&["search", "parliament speech", "--node", &node, "--json"]).await?;
        self.end("node_is_back", &given, |given| {
            expect(given, Exit::Ok)?;
            expect(&seen, Exit::Ok).map(|()| json!({}))
        })
    }

    async fn factory_is_refused(&mut self) -> Result<(), Failure> {
        self.say.heading("A factory asks for restricted data for a purpose that its policy forbids.");
        let node = self.stage.web("lu")?;
        let line = [
            "request",
            "create",
            WANTED,
            "--purpose",
            "https://w3id.org/dpv#Marketing",
            "--node",
            &node,
            "--token-file",
            "tokens/factory.token",
        ];
        let given = self.type_in(&line).await?;
        self.end("refused", &given, |given| {
            expect(given, Exit::Denied)?;
            let named = given.out.contains("refused") && given.out.contains("/prohibitions/");
            named.then(|| json!({})).ok_or_else(|| "it does not name the rule that refused it".to_owned())
        })
    }

    async fn factory_asks(&mut self) -> Result<Option<String>, Failure> {
        self.say.heading("It asks for research, which the policy permits once a steward agrees.");
        let node = self.stage.web("lu")?;
        let line = [
            "request",
            "create",
            WANTED,
            "--purpose",
            "https://w3id.org/dpv#ScientificResearch",
            "--statement",
            "Training a model that drafts radiology reports",
            "--node",
            &node,
            "--token-file",
            "tokens/factory.token",
        ];
        let given = self.type_in(&line).await?;
        let id = field(&given.out, "id");
        self.end("asked", &given, |given| {
            expect(given, Exit::Ok)?;
            if !given.out.contains("pending") {
                return Err("it does not wait for a steward".to_owned());
            }
            id.as_ref().map(|id| json!({ "request": id })).ok_or_else(|| "it names no request".to_owned())
        })?;
        Ok(id)
    }

    async fn steward_approves(&mut self, request: &str) -> Result<Option<String>, Failure> {
        self.say.heading("The hospital's steward reads the request and approves it.");
        let node = self.stage.web("fi")?;
        let steward = ["--node", &node, "--token-file", "tokens/fi-sairaala.token"];
        let list = ["request", "list", "--state", "pending"].into_iter().chain(steward).collect::<Vec<_>>();
        let given = self.type_in(&list).await?;
        self.end("pending", &given, |given| {
            expect(given, Exit::Ok)?;
            given.out.contains(request).then(|| json!({})).ok_or_else(|| "the request is not in the list".to_owned())
        })?;
        let approve = ["request", "approve", request].into_iter().chain(steward).collect::<Vec<_>>();
        let given = self.type_in(&approve).await?;
        let agreement = field(&given.out, "id");
        self.end("approved", &given, |given| {
            expect(given, Exit::Ok)?;
            agreement.as_ref().map(|id| json!({ "agreement": id })).ok_or_else(|| "it names no agreement".to_owned())
        })?;
        Ok(agreement)
    }

    async fn factory_fetches(&mut self, request: &str, agreement: &str) -> Result<(), Failure> {
        self.say
            .heading("The factory pulls the shards straight from Finland, every byte verified, and keeps a receipt.");
        let node = self.stage.web("lu")?;
        let operator = ["--node", &node, "--token-file", "tokens/factory.token"];
        let until = Instant::now() + HEARD_WITHIN;
        let show = ["request", "show", request].into_iter().chain(operator).collect::<Vec<_>>();
        while !self.look(&show).await?.out.contains("agreed") && Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let fetch = ["fetch", agreement, "--to", "factory/shards", "--data", "factory"];
        let given = self.type_in(&fetch.into_iter().chain(operator).collect::<Vec<_>>()).await?;
        let receipt = self.stage.root.join("factory/shards/receipt.json").exists();
        self.end("fetched", &given, |given| {
            expect(given, Exit::Ok)?;
            receipt.then(|| json!({})).ok_or_else(|| "there is no receipt".to_owned())
        })?;
        let given = self.type_in(&["receipt", "factory/shards", "--verify"]).await?;
        self.end("receipt", &given, |given| {
            expect(given, Exit::Ok)?;
            given.out.contains(agreement).then(|| json!({})).ok_or_else(|| "it names another agreement".to_owned())
        })
    }

    async fn the_log_shows_it(&mut self, agreement: &str) -> Result<(), Failure> {
        self.say.heading("Finland's log shows it all, and verifies.");
        // The end of a release is in the log at most five seconds later.
        let list = ["audit", "list", "--data", "fi/data", "--subject", agreement];
        let until = Instant::now() + HEARD_WITHIN;
        while !self.look(&list).await?.out.contains("release_opened") && Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        let given = self.type_in(&list).await?;
        self.end("log", &given, |given| {
            expect(given, Exit::Ok)?;
            let lacks = ["agreement_concluded", "grant_issued", "release_opened"]
                .into_iter()
                .find(|kind| !given.out.contains(kind));
            lacks.map_or_else(|| Ok(json!({})), |kind| Err(format!("the log lacks {kind}")))
        })?;
        let given = self.type_in(&["audit", "verify", "--data", "fi/data"]).await?;
        self.end("verified", &given, |given| expect(given, Exit::Ok).map(|()| json!({})))
    }

    /// Runs a command and shows it with its result.
    async fn type_in(&self, words: &[&str]) -> Result<Given, Failure> {
        let given = self.look(words).await?;
        let typed: Vec<String> = words.iter().map(|word| quoted(word)).collect();
        self.say.command(&format!("pleiad {}", typed.join(" ")), &format!("{}{}", given.out, given.err));
        Ok(given)
    }

    /// Runs a command. Its progress is shown where there is a terminal to show it on.
    async fn look(&self, words: &[&str]) -> Result<Given, Failure> {
        let began = Instant::now();
        let fetching = words.first() == Some(&"fetch") && std::io::stderr().is_terminal() && !self.say.output.json;
        let ran = Command::new(std::env::current_exe()?)
            .args(words)
            .current_dir(&self.stage.root)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(if fetching { Stdio::inherit() } else { Stdio::piped() })
            .spawn()?
            .wait_with_output()
            .await?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (out, err) = (text(&ran.stdout), text(&ran.stderr));
        Ok(Given { exit: ran.status.code().unwrap_or(-1), out, err, took: began.elapsed() })
    }

    fn end(
        &mut self,
        name: &str,
        given: &Given,
        check: impl FnOnce(&Given) -> Result<Value, String>,
    ) -> Result<(), Failure> {
        let (ok, mut more) = match check(given) {
            Ok(more) => (true, more),
            Err(problem) => (false, json!({ "problem": problem, "output": format!("{}{}", given.out, given.err) })),
        };
        more["exit"] = given.exit.into();
        self.held &= ok;
        self.say.step(name, ok, given.ms(), &more)
    }
}

fn expect(given: &Given, exit: Exit) -> Result<(), String> {
    let wanted = exit as i32;
    if given.exit == wanted { Ok(()) } else { Err(format!("it ended with {} and not with {wanted}", given.exit)) }
}

/// Each source's node and state.
fn states(answer: &Value) -> Result<Vec<(String, String)>, String> {
    let sources = answer["sources"].as_array().ok_or("the answer has no sources")?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let id = |node: String| node.rsplit('/').next().unwrap_or_default().to_owned();
    Ok(sources.iter().map(|source| (id(text(&source["node"])), text(&source["state"]))).collect())
}

/// The value of a field in the output of a command about one thing: `name  value`.
fn field(out: &str, name: &str) -> Option<String> {
    out.lines().find_map(|line| {
        let (found, value) = line.split_once("  ")?;
        (found.trim() == name).then(|| value.trim().to_owned())
    })
}

fn quoted(word: &str) -> String {
    if word.contains(' ') { format!("\"{word}\"") } else { word.to_owned() }
}

/// Tab-separated lines as columns, each as wide as its widest cell and none wider than a terminal bears.
fn aligned(text: &str) -> impl Iterator<Item = String> {
    const WIDEST: usize = 58;
    let cut = |cell: &str| match cell.char_indices().nth(WIDEST) {
        Some((at, _)) => format!("{}…", &cell[..at]),
        None => cell.to_owned(),
    };
    let rows: Vec<Vec<String>> = text.lines().map(|line| line.split('\t').map(cut).collect()).collect();
    let mut widths: Vec<usize> = Vec::new();
    for row in rows.iter().filter(|row| row.len() > 1) {
        widths.resize(widths.len().max(row.len()), 0);
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let lines: Vec<String> = rows
        .iter()
        .zip(text.lines())
        .map(|(row, line)| match row.len() {
            1 => line.to_owned(),
            _ => {
                let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}  "));
                cells.collect::<String>().trim_end().to_owned()
            }
        })
        .collect();
    lines.into_iter()
}
