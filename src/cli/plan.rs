//! `pleiad plan`: what would change on the node so that it says what a folder of files says.
//!
//! The files are compared with the owner's records, and what differs is put to the node as a dry run: the node itself says
//! what it would register, what each field changes from and to, and what it would refuse; a refusal is shown at the file
//! and line that it is about. A plan that is saved holds the entity tags it was made from, so that `pleiad apply` does
//! exactly this or nothing.

pub(super) mod folder;
pub(super) mod told;

use std::ops::Range;
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::connect::{self, NodeArgs, patiently};
use super::{Exit, Failure, Output};
use crate::catalogue::Operation;
use crate::catalogue::plan::{Standing, to_do};
use crate::clock::{Clock as _, SystemClock};
use crate::http::changes::{ChangeOutcome, ChangesAnswer, MOST, RecordsPage};
use crate::outbound::api::Api;
use folder::{Fault, File, Folder};

/// The most bytes of the operations of one request, below what a node takes unless it is configured otherwise.
pub(super) const MOST_BYTES: usize = 3_900_000;
/// The shape of a saved plan; counted up when it changes.
const SHAPE: u32 = 1;

/// What a folder is compared by; the same for `plan` and `apply`.
#[derive(Debug, Clone, Args)]
pub struct Scope {
    /// Withdraw what the node has and no file names. Records of imports are left alone.
    #[arg(long, requires = "reason")]
    pub(super) prune: bool,
    /// Why those are withdrawn; who holds them is told.
    #[arg(long, requires = "prune")]
    pub(super) reason: Option<String>,
}

/// `pleiad plan …`
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// The folder of files: .yaml, .yml and .json, one dataset a file.
    folder: PathBuf,
    #[command(flatten)]
    scope: Scope,
    /// Save the plan to this file, for `pleiad apply`.
    #[arg(long)]
    out: Option<PathBuf>,
    /// End with exit code 6 where the node does not say what the files say.
    #[arg(long)]
    detailed_exitcode: bool,
    #[command(flatten)]
    node: NodeArgs,
}

/// What is to be done, as the node said that it would do it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The shape of this document.
    pleiad_plan: u32,
    /// What the ids of the node begin with.
    pub(super) base: String,
    /// When it was made.
    made: Timestamp,
    /// How many files say what stands.
    unchanged: usize,
    /// What is to be done.
    pub(super) entries: Vec<Entry>,
}

/// One thing that is to be done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// What is asked of the node.
    pub(super) operation: Operation,
    /// The file that asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) file: Option<String>,
    /// What the node would do.
    pub(super) outcome: ChangeOutcome,
}

/// A plan, and what keeps parts of the folder out of it.
pub(super) struct Made {
    pub(super) plan: Plan,
    pub(super) faults: Vec<Fault>,
}

/// Runs the command.
pub fn run(args: PlanArgs, output: Output) -> Result<(), Failure> {
    let made = connect::wait(async { make(&args.folder, &args.scope, &args.node.connect()?).await })?;
    print(&made, output)?;
    if !made.faults.is_empty() {
        let count = made.faults.len();
        return Err(Failure::new(Exit::Error, format!("{count} faults are to be mended first, listed above")));
    }
    if let Some(out) = &args.out {
        let text = serde_json::to_vec_pretty(&made.plan)?;
        let unwritten = |error| Failure::new(Exit::Error, format!("{} cannot be written: {error}", out.display()));
        std::fs::write(out, text).map_err(unwritten)?;
        output.remark(format_args!("saved: pleiad apply {} does this or nothing", out.display()));
    }
    if args.detailed_exitcode && !made.plan.entries.is_empty() {
        return Err(Failure::new(Exit::Integrity, "the node does not say what the files say"));
    }
    Ok(())
}

/// Prints the plan on standard output and the faults on standard error; with `--json` both as one object.
pub(super) fn print(made: &Made, output: Output) -> Result<(), Failure> {
    if output.json {
        return output.thing(&made.as_json());
    }
    for fault in &made.faults {
        eprintln!("{}", told::clean(&fault.to_string()));
    }
    output.text(&told::plan(&made.plan, told::Paint::of_terminal()))
}

/// Compares a folder with the node.
pub(super) async fn make(folder: &Path, scope: &Scope, api: &Api) -> Result<Made, Failure> {
    let (base, standing) = records(api).await?;
    let Folder { files, mut faults } = folder::read(folder, &base)?;
    if scope.prune && !faults.is_empty() {
        // A file that cannot be read may name any of the records that seem to have none.
        return Ok(Made { plan: Plan::new(base), faults });
    }
    let wanted: Vec<_> = files.iter().map(|file| file.wanted.clone()).collect();
    let to_do = to_do(&wanted, &standing, scope.reason.as_deref());
    for place in to_do.withdrawn {
        let detail = "it was withdrawn, and its id stays taken: remove the file, or give what it describes another id";
        faults.push(files[place].fault("/id", detail));
    }
    let mut plan = Plan { unchanged: to_do.unchanged, ..Plan::new(base) };
    let (operations, places): (Vec<Operation>, Vec<Option<usize>>) = to_do.operations.into_iter().unzip();
    let outcomes = dry_run(api, &operations).await?;
    for ((operation, place), (at, outcome)) in operations.into_iter().zip(places).zip(outcomes) {
        let file = place.map(|place| &files[place]);
        match outcome {
            ChangeOutcome::Unchanged(_) => plan.unchanged += 1,
            ChangeOutcome::Refused { detail, errors, .. } => faults.extend(faults_of(at, &detail, &errors, file)),
            outcome => {
                let file = file.map(|file| file.path.display().to_string());
                plan.entries.push(Entry { operation, file, outcome });
            }
        }
    }
    Ok(Made { plan, faults })
}

/// The owner's records, whole, and what ids of the node begin with.
pub(super) async fn records(api: &Api) -> Result<(String, Vec<Standing>), Failure> {
    let (mut records, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let mut query = vec![("limit", "100".to_owned())];
        query.extend(cursor.take().map(|cursor| ("cursor", cursor)));
        let page = patiently(|| api.get("/api/v1/records", &query)).await.map_err(connect::failed)?;
        let page: RecordsPage = serde_json::from_value(page.body)?;
        records.extend(page.items);
        match page.next_cursor {
            Some(next) => cursor = Some(next),
            None => return Ok((page.base, records)),
        }
    }
}

/// What the node would do, each with its place in the request that it was asked in.
async fn dry_run(api: &Api, operations: &[Operation]) -> Result<Vec<(usize, ChangeOutcome)>, Failure> {
    let mut outcomes = Vec::with_capacity(operations.len());
    for portion in portions(operations)? {
        let body = json!({ "changes": operations[portion], "dry_run": true });
        let answer = patiently(|| api.post("/api/v1/changes", &body)).await.map_err(connect::failed)?;
        let answer: ChangesAnswer = serde_json::from_value(answer.body)?;
        outcomes.extend(answer.outcomes.into_iter().enumerate());
    }
    if outcomes.len() == operations.len() {
        return Ok(outcomes);
    }
    Err(Failure::new(Exit::Error, "the node did not answer for every file: is it of another version?"))
}

/// The operations in portions that a node takes at once.
pub(super) fn portions(operations: &[Operation]) -> Result<Vec<Range<usize>>, Failure> {
    let (mut portions, mut from, mut bytes) = (Vec::new(), 0, 0);
    for (at, operation) in operations.iter().enumerate() {
        let size = serde_json::to_vec(operation)?.len() + 1;
        if at > from && (at - from == MOST || bytes + size > MOST_BYTES) {
            portions.push(from..at);
            (from, bytes) = (at, 0);
        }
        bytes += size;
    }
    if from < operations.len() {
        portions.push(from..operations.len());
    }
    Ok(portions)
}

/// Why the node refuses an operation, at the places of its file. `at` is its place in the request.
pub(super) fn faults_of(
    at: usize,
    detail: &str,
    errors: &[crate::http::problem::FieldError],
    file: Option<&File>,
) -> Vec<Fault> {
    let base = format!("/changes/{at}");
    let told = |pointer: &str, detail: &str| {
        let within = pointer.strip_prefix(base.as_str()).unwrap_or(pointer);
        let within = within.strip_prefix("/document").unwrap_or(within);
        match file {
            Some(file) => file.fault(within, detail),
            None => Fault { file: "the folder".to_owned(), line: None, detail: detail.to_owned() },
        }
    };
    match errors {
        [] => vec![told("", detail)],
        errors => errors.iter().map(|error| told(&error.pointer, &error.detail)).collect(),
    }
}

impl Plan {
    fn new(base: String) -> Self {
        Self { pleiad_plan: SHAPE, base, made: SystemClock.now(), unchanged: 0, entries: Vec::new() }
    }

    /// Reads a plan that was saved.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let refuse = |why: String| Failure::new(Exit::Error, format!("{} is no saved plan: {why}", path.display()));
        let text = std::fs::read(path).map_err(|error| refuse(error.to_string()))?;
        let plan: Self = serde_json::from_slice(&text).map_err(|error| refuse(error.to_string()))?;
        if plan.pleiad_plan != SHAPE {
            return Err(refuse(format!("it has the shape {}, and this version reads {SHAPE}", plan.pleiad_plan)));
        }
        Ok(plan)
    }

    /// How many are to be registered, revised, withdrawn, and how many stay.
    pub(super) fn counts(&self) -> [usize; 4] {
        let count = |is: fn(&ChangeOutcome) -> bool| self.entries.iter().filter(|entry| is(&entry.outcome)).count();
        [
            count(|outcome| matches!(outcome, ChangeOutcome::Registered(_))),
            count(|outcome| matches!(outcome, ChangeOutcome::Revised(_))),
            count(|outcome| matches!(outcome, ChangeOutcome::Withdrawn(_))),
            self.unchanged,
        ]
    }
}

impl Made {
    fn as_json(&self) -> Value {
        let [register, revise, withdraw, unchanged] = self.plan.counts();
        let changes: Vec<Value> = self
            .plan
            .entries
            .iter()
            .map(|entry| {
                let mut change = serde_json::to_value(&entry.outcome).unwrap_or_default();
                if let Some(file) = &entry.file {
                    change["file"] = file.as_str().into();
                }
                if let Operation::Withdraw { reason, .. } = &entry.operation {
                    change["reason"] = reason.as_str().into();
                }
                change
            })
            .collect();
        json!({
            "register": register, "revise": revise, "withdraw": withdraw, "unchanged": unchanged,
            "changes": changes, "faults": self.faults,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_sent_in_portions_that_a_node_takes() {
        let operation = |bytes: usize| Operation::Register { document: json!({ "title": "x".repeat(bytes) }) };
        assert!(portions(&[]).unwrap().is_empty());
        let many: Vec<Operation> = (0..2_001).map(|_| operation(1)).collect();
        assert_eq!(portions(&many).unwrap(), [0..1_000, 1_000..2_000, 2_000..2_001]);
        let large: Vec<Operation> = (0..5).map(|_| operation(1_000_000)).collect();
        assert_eq!(portions(&large).unwrap(), [0..3, 3..5]);
    }
}
