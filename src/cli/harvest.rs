//! `pleiad harvest`: the catalogues that a node reads again and again, and how that goes.

use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::connect::{NodeArgs, failed, wait};
use super::{Exit, Failure, Output};
use crate::outbound::api::Api;

/// How often a run that is waited for is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Arguments of `pleiad harvest`.
#[derive(Debug, Args)]
pub struct HarvestArgs {
    #[command(flatten)]
    node: NodeArgs,
    #[command(subcommand)]
    verb: HarvestVerb,
}

#[derive(Debug, Subcommand)]
enum HarvestVerb {
    /// List the harvests, with how the last run of each went.
    List,
    /// Show a harvest and its newest runs.
    Show {
        /// The name of its source.
        source: String,
    },
    /// Run a harvest now and wait for its end; exit code 0 only if everything was taken.
    Run {
        /// The name of its source.
        source: String,
        /// Read everything, and not only what changed.
        #[arg(long)]
        whole: bool,
        /// Withdraw what is no longer there, however many they are.
        #[arg(long)]
        withdraw: bool,
        /// Do not wait for its end.
        #[arg(long)]
        no_wait: bool,
    },
    /// Stop the schedule of a harvest.
    Pause {
        /// The name of its source.
        source: String,
    },
    /// Let the schedule of a harvest go on.
    Resume {
        /// The name of its source.
        source: String,
    },
}

/// Runs `pleiad harvest`.
pub fn run(args: HarvestArgs, output: Output) -> Result<(), Failure> {
    let api = args.node.connect()?;
    wait(async {
        match args.verb {
            HarvestVerb::List => {
                let listed = api.get("/api/v1/harvests", &[]).await.map_err(failed)?.body;
                let lines: Vec<Value> =
                    listed["items"].as_array().into_iter().flatten().map(|one| line(one, output)).collect();
                output.list(&["source", "kind", "state", "read", "refused", "last_success", "next", "paused"], &lines)
            }
            HarvestVerb::Show { source } => {
                let shown = api.get(&format!("/api/v1/harvests/{source}"), &[]).await.map_err(failed)?.body;
                if output.json {
                    return output.thing(&shown);
                }
                output.remark(format_args!("{} at {}", source, shown["address"].as_str().unwrap_or_default()));
                let runs: Vec<Value> =
                    shown["runs"].as_array().into_iter().flatten().map(|run| run_line(run, output)).collect();
                output.list(RUN_COLUMNS, &runs)
            }
            HarvestVerb::Run { source, whole, withdraw, no_wait } => {
                let path = format!("/api/v1/harvests/{source}/runs");
                let wish = json!({ "whole": whole, "withdraw": withdraw });
                let begun = api.post(&path, &wish).await.map_err(failed)?.body;
                if no_wait {
                    return output.thing(&begun);
                }
                let id = begun["id"].as_str().unwrap_or_default();
                follow(&api, &format!("{path}/{id}"), output).await
            }
            HarvestVerb::Pause { source } => pause(&api, &source, true, output).await,
            HarvestVerb::Resume { source } => pause(&api, &source, false, output).await,
        }
    })
}

async fn pause(api: &Api, source: &str, paused: bool, output: Output) -> Result<(), Failure> {
    let path = format!("/api/v1/harvests/{source}/paused");
    api.call("PUT", &path, &[], &[], Some(&json!({ "paused": paused }))).await.map_err(failed)?;
    output.remark(format_args!("{source} {}", if paused { "is paused" } else { "goes on" }));
    Ok(())
}

/// Waits for the end of a run and ends as it did.
async fn follow(api: &Api, path: &str, output: Output) -> Result<(), Failure> {
    let mut said = String::new();
    loop {
        let run = api.get(path, &[]).await.map_err(failed)?.body;
        if run["state"] != "running" {
            output.thing(&if output.json { run.clone() } else { run_line(&run, output) })?;
            return ended(&run, output);
        }
        let now = format!("{} ({} read)", run["stage"].as_str().unwrap_or("waiting"), run["counts"]["read"]);
        if now != said {
            output.remark(&now);
            said = now;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Nothing but `done` is a success.
fn ended(run: &Value, output: Output) -> Result<(), Failure> {
    for refusal in run["refusals"].as_array().into_iter().flatten() {
        let text = |name: &str| refusal[name].as_str().unwrap_or_default();
        output.remark(format_args!("refused: {}: {}", text("place"), text("reason")));
    }
    let state = run["state"].as_str().unwrap_or_default();
    if state == "done" {
        return Ok(());
    }
    let reason = run["reason"].as_str().unwrap_or("it does not say why");
    Err(Failure::new(Exit::Error, format_args!("the harvest is {}: {reason}", state.replace('_', " "))))
}

/// A harvest as a person reads it; with `--json`, as the API says it.
fn line(one: &Value, output: Output) -> Value {
    if output.json {
        return one.clone();
    }
    let last = &one["last"];
    json!({
        "source": one["source"], "kind": one["kind"], "state": last["state"], "read": last["counts"]["read"],
        "refused": last["counts"]["refused"], "last_success": one["last_success"], "next": one["next"],
        "paused": one["paused"],
    })
}

const RUN_COLUMNS: &[&str] = &[
    "id",
    "begun",
    "ended",
    "state",
    "read",
    "registered",
    "revised",
    "unchanged",
    "refused",
    "withdrawn",
    "returned",
    "reason",
];

/// A run as a person reads it; with `--json`, as the API says it.
fn run_line(run: &Value, output: Output) -> Value {
    if output.json {
        return run.clone();
    }
    let mut line = json!({});
    for name in RUN_COLUMNS {
        line[*name] = if run[*name].is_null() { run["counts"][*name].clone() } else { run[*name].clone() };
    }
    line
}
