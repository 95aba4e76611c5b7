//! `pleiad apply`: makes the node say what a folder of files says, or does what a saved plan holds.
//!
//! All changes go in one request and are made in one append, or none is. With `--keep-going` each record stands alone, and
//! more than one request takes go in portions. On a terminal it shows the plan and asks; elsewhere it needs `--yes`.

use std::io::{self, BufRead as _, IsTerminal as _};
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::connect::{self, NodeArgs, patiently};
use super::plan::folder::Fault;
use super::plan::{self, Made, Plan, Scope, portions};
use super::{Exit, Failure, Output};
use crate::catalogue::Operation;
use crate::http::changes::{ChangeOutcome, ChangesAnswer};
use crate::outbound::api::{Api, ApiError};

/// `pleiad apply …`
#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// The folder of files, or a plan saved by `pleiad plan --out`.
    input: PathBuf,
    #[command(flatten)]
    scope: Scope,
    /// Make the other changes where one is refused; else none is made.
    #[arg(long)]
    keep_going: bool,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    node: NodeArgs,
}

/// Runs the command.
pub fn run(args: ApplyArgs, output: Output) -> Result<(), Failure> {
    if !args.yes && !io::stdin().is_terminal() {
        return Err(Failure::new(Exit::Usage, "nobody can be asked here: look at pleiad plan, then give --yes"));
    }
    let api = args.node.connect()?;
    let made = connect::wait(prepared(&args, &api))?;
    if !output.json {
        plan::print(&made, output)?;
    }
    if !made.faults.is_empty() && !args.keep_going {
        if output.json {
            plan::print(&made, output)?;
        }
        let count = made.faults.len();
        return Err(Failure::new(Exit::Error, format!("nothing was changed: {count} faults are to be mended first")));
    }
    let operations: Vec<Operation> = made.plan.entries.iter().map(|entry| entry.operation.clone()).collect();
    let portions = portions(&operations)?;
    if portions.len() > 1 && !args.keep_going {
        let sentence = format!(
            "nothing was changed: {} changes are more than one request takes (1,000, or 3.9 MB), so they cannot be made \
             all or none; apply a part of the folder, or give --keep-going",
            operations.len()
        );
        return Err(Failure::new(Exit::Error, sentence));
    }
    if !operations.is_empty() && !args.yes && !confirmed()? {
        return Err(Failure::new(Exit::Error, "nothing was changed: the answer was not yes"));
    }
    let mut done = Applied { faults: made.faults, ..Applied::default() };
    connect::wait(async {
        for portion in portions {
            done.send(&api, &made.plan, &operations, portion.start..portion.end, args.keep_going).await?;
        }
        Ok(())
    })?;
    done.print(output)
}

/// The plan of a folder, or the one that was saved.
async fn prepared(args: &ApplyArgs, api: &Api) -> Result<Made, Failure> {
    if args.input.is_dir() {
        return plan::make(&args.input, &args.scope, api).await;
    }
    if args.scope.prune {
        return Err(Failure::new(Exit::Usage, "--prune belongs to the making of a plan: this one is saved already"));
    }
    let plan = Plan::read(&args.input)?;
    Ok(Made { plan, faults: Vec::new() })
}

fn confirmed() -> Result<bool, Failure> {
    eprint!("Make these changes? Only yes is taken: ");
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim() == "yes")
}

/// What became of the changes.
#[derive(Debug, Default)]
struct Applied {
    outcomes: Vec<ChangeOutcome>,
    faults: Vec<Fault>,
}

impl Applied {
    async fn send(
        &mut self,
        api: &Api,
        plan: &Plan,
        operations: &[Operation],
        portion: std::ops::Range<usize>,
        keep_going: bool,
    ) -> Result<(), Failure> {
        let body = json!({ "changes": operations[portion.clone()], "keep_going": keep_going });
        let answer = match patiently(|| api.post("/api/v1/changes", &body)).await {
            Ok(answer) => answer,
            Err(ApiError::Refused { detail, errors, .. }) if !keep_going && !errors.is_empty() => {
                return Err(Failure::new(Exit::Error, refusal(plan, &detail, &errors)));
            }
            Err(error) => return Err(connect::failed(error)),
        };
        let answer: ChangesAnswer = serde_json::from_value(answer.body)?;
        for (at, outcome) in portion.zip(answer.outcomes) {
            if let ChangeOutcome::Refused { detail, .. } = &outcome {
                let file = plan.entries[at].file.clone().unwrap_or_else(|| name_of(&operations[at]));
                self.faults.push(Fault { file, line: None, detail: detail.clone() });
            }
            self.outcomes.push(outcome);
        }
        Ok(())
    }

    fn print(self, output: Output) -> Result<(), Failure> {
        let count = |is: fn(&ChangeOutcome) -> bool| self.outcomes.iter().filter(|outcome| is(outcome)).count();
        let counts = json!({
            "registered": count(|outcome| matches!(outcome, ChangeOutcome::Registered(_))),
            "revised": count(|outcome| matches!(outcome, ChangeOutcome::Revised(_))),
            "withdrawn": count(|outcome| matches!(outcome, ChangeOutcome::Withdrawn(_))),
            "refused": self.faults.len(),
        });
        if output.json {
            let mut said = counts;
            said["outcomes"] = serde_json::to_value(&self.outcomes)?;
            said["faults"] = serde_json::to_value(&self.faults)?;
            output.thing(&said)?;
        } else if !output.quiet {
            output.thing(&counts)?;
        }
        if self.faults.is_empty() {
            return Ok(());
        }
        let listed: Vec<String> = self.faults.iter().map(|fault| format!("\n  {fault}")).collect();
        Err(Failure::new(Exit::Error, format!("not everything was made:{}", listed.concat())))
    }
}

/// Why nothing of a request was made, each fault at its file.
fn refusal(plan: &Plan, detail: &str, errors: &[(String, String)]) -> String {
    let mut sentence = detail.to_owned();
    for (pointer, detail) in errors {
        let at = pointer.strip_prefix("/changes/").and_then(|rest| rest.split('/').next()?.parse::<usize>().ok());
        let entry = at.and_then(|at| plan.entries.get(at));
        let file = entry.and_then(|entry| entry.file.clone()).or_else(|| Some(name_of(&entry?.operation)));
        sentence.push_str(&format!("\n  {}: {detail}", file.as_deref().unwrap_or(pointer)));
    }
    sentence
}

fn name_of(operation: &Operation) -> String {
    match operation {
        Operation::Register { document } => {
            document.get("id").and_then(Value::as_str).unwrap_or("a new dataset").to_owned()
        }
        Operation::Revise { id, .. } | Operation::Withdraw { id, .. } => id.to_string(),
    }
}
