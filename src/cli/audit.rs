//! `pleiad audit`: reads and verifies the log of a node, running or not.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{Exit, Failure, Output};
use crate::audit::{Audit, AuditError, Line, MAX_PAGE, Wanted};
use crate::domain::ids::Seq;
use crate::keys::PublicKey;
use crate::node;

/// Arguments of `pleiad audit`.
#[derive(Debug, Args)]
pub struct AuditArgs {
    /// The folder with the node's data.
    #[arg(long, env = "PLEIAD_DATA", default_value = "data", global = true)]
    pub data: PathBuf,
    /// What to do.
    #[command(subcommand)]
    pub verb: AuditVerb,
}

/// The verbs of `pleiad audit`.
#[derive(Debug, Subcommand)]
pub enum AuditVerb {
    /// Check every entry, the tree over them, the signed heads and the tables; exit 6 where something is not as written.
    Verify {
        /// The log's public key, to check the last signature with, as `pleiad keys show` prints it.
        #[arg(long)]
        key: Option<PublicKey>,
    },
    /// List entries, newest first.
    List {
        /// Only about this dataset, request, agreement or token.
        #[arg(long)]
        subject: Option<String>,
        /// Only of this kind, such as agreement_concluded.
        #[arg(long)]
        kind: Option<String>,
        /// Only by this actor, such as operator.
        #[arg(long)]
        actor: Option<String>,
        /// Only before this position.
        #[arg(long)]
        before: Option<u64>,
        /// How many.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=MAX_PAGE as i64))]
        limit: u16,
    },
    /// Print an entry with its proof and the signed head, as JSON that can be checked without this node.
    Prove {
        /// The position of the entry.
        seq: u64,
    },
    /// Derive the tables again from the log; the node must not be running.
    Rebuild,
}

/// Runs `pleiad audit`.
pub fn run(args: AuditArgs, output: Output) -> Result<(), Failure> {
    let runtime = super::runtime()?;
    if let AuditVerb::Rebuild = args.verb {
        return Ok(runtime.block_on(node::rebuild(&args.data))?);
    }
    let audit = Audit::inspect(&node::layout::store(&args.data)).map_err(failure)?;
    runtime.block_on(async {
        match args.verb {
            AuditVerb::Verify { key } => {
                let verified = audit.verify(key).await.map_err(failure)?;
                output.thing(&json!({
                    "origin": verified.origin,
                    "entries": verified.size,
                    "root": verified.root,
                    "checkpoints": verified.checkpoints,
                    "signature": if key.is_some() { "checked" } else { "not checked: no --key" },
                    "witnessed": false,
                }))
            }
            AuditVerb::List { subject, kind, actor, before, limit } => {
                let wanted = Wanted { subject, kind, actor };
                let page = audit.entries(&wanted, before.map(Seq), limit.into()).await.map_err(failure)?;
                let lines: Vec<Value> = page.entries.iter().map(line).collect();
                output.list(&["seq", "ts", "actor", "kind", "subject"], &lines)?;
                if let Some(next) = page.next {
                    output.remark(format!("There are more: --before {next}"));
                }
                Ok(())
            }
            AuditVerb::Prove { seq } => {
                let evidence = audit.evidence(Seq(seq)).await.map_err(failure)?;
                output.text(&format!("{}\n", serde_json::to_string_pretty(&evidence)?))
            }
            AuditVerb::Rebuild => Ok(()),
        }
    })
}

/// An entry as JSON, its content readable.
fn line(line: &Line) -> Value {
    let header = &line.header;
    json!({
        "seq": header.seq,
        "ts": header.ts,
        "actor": header.actor,
        "kind": header.kind,
        "subject": header.subject,
        "content": serde_json::from_str::<Value>(&line.content).unwrap_or(Value::Null),
    })
}

fn failure(error: AuditError) -> Failure {
    let exit = match &error {
        error if error.is_integrity() => Exit::Integrity,
        AuditError::NoEntry { .. } => Exit::NotFound,
        AuditError::Sizes { .. } | AuditError::PageTooLarge(_) => Exit::Usage,
        _ => Exit::Error,
    };
    Failure::new(exit, error)
}
