//! `pleiad agreement`: what was agreed, and ending it.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::connect::{NodeArgs, every_page, failed, wait};
use super::{Failure, Output};
use crate::domain::ids::OpaqueId;

/// Arguments of `pleiad agreement`.
#[derive(Debug, Args)]
pub struct AgreementArgs {
    #[command(flatten)]
    node: NodeArgs,
    #[command(subcommand)]
    verb: AgreementVerb,
}

#[derive(Debug, Subcommand)]
enum AgreementVerb {
    /// List the agreements that concern you.
    List,
    /// Show an agreement.
    Show {
        /// Its id.
        id: OpaqueId,
    },
    /// End an agreement before its time, as a steward of the owner: nothing more is released under it.
    End {
        /// Its id.
        id: OpaqueId,
        /// Why; the holder reads it.
        #[arg(long)]
        reason: String,
    },
}

/// Runs `pleiad agreement`.
pub fn run(args: AgreementArgs, output: Output) -> Result<(), Failure> {
    let api = args.node.connect()?;
    wait(async {
        let reply = match args.verb {
            AgreementVerb::List => {
                let found = every_page(&api, "/api/v1/agreements", &[]).await?;
                let lines: Vec<Value> = found.iter().map(|agreement| line(agreement, output)).collect();
                return output.list(&["id", "dataset", "revision", "holder", "owner", "expires", "ended"], &lines);
            }
            AgreementVerb::Show { id } => api.get(&format!("/api/v1/agreements/{id}"), &[]).await,
            AgreementVerb::End { id, reason } => {
                api.post(&format!("/api/v1/agreements/{id}/end"), &json!({ "reason": reason })).await
            }
        };
        output.thing(&line(&reply.map_err(failed)?.body, output))
    })
}

/// An agreement as a person reads it; with `--json`, as the API says it.
pub(super) fn line(agreement: &Value, output: Output) -> Value {
    if output.json {
        return agreement.clone();
    }
    let mut line = json!({ "id": agreement["id"] });
    for name in ["dataset", "revision", "holder", "owner", "manifest", "concluded", "expires"] {
        line[name] = agreement[name].clone();
    }
    line["purposes"] = agreement["intended"]["purposes"].clone();
    line["ended"] = agreement["ended"]["at"].clone();
    line
}
