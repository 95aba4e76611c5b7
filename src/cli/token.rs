//! `pleiad token`: who may speak to a node's web door.
//!
//! Two ways, because one process alone may write the log. With `--config` the command writes to the data of a node that
//! stands still: the person at the machine is trusted, and this is how the first administrator comes to be. Without it,
//! the command asks the running node through its API, with an administrator's token from a file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use serde_json::json;

use super::connect::{self, NodeArgs, wait};
use super::{Exit, Failure, Output};
use crate::accounts::{Accounts, Wish};
use crate::clock::SystemClock;
use crate::config::Config;
use crate::domain::event::{Actor, Role};
use crate::domain::ids::OpaqueId;
use crate::keys::files;
use crate::node::local_accounts;

/// Arguments of `pleiad token`.
#[derive(Debug, Args)]
pub struct TokenArgs {
    /// The configuration of a node that stands still; without it the running node is asked.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub verb: TokenVerb,
}

/// The verbs of `pleiad token`.
#[derive(Debug, Subcommand)]
pub enum TokenVerb {
    /// Make a token; its secret is shown once and kept nowhere.
    Create {
        /// What its bearer may do.
        #[arg(long, value_enum)]
        role: RoleName,
        /// The participant it acts for: an id such as csc. Needed by stewards and operators.
        #[arg(long)]
        participant: Option<String>,
        /// What it is for, in words.
        #[arg(long, default_value = "")]
        note: String,
        /// Until when, such as 2027-12-31T00:00:00Z.
        #[arg(long)]
        expires: Option<Timestamp>,
        /// Write the secret to this file, readable by you alone, instead of printing it.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// How to reach the running node.
        #[command(flatten)]
        node: NodeArgs,
    },
    /// List the tokens that were ever made.
    List {
        /// How to reach the running node.
        #[command(flatten)]
        node: NodeArgs,
    },
    /// Revoke a token, from its next request on.
    Revoke {
        /// The token's id.
        id: OpaqueId,
        /// How to reach the running node.
        #[command(flatten)]
        node: NodeArgs,
    },
}

/// A role on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RoleName {
    /// Acts for an owner: registers, revises, withdraws, decides.
    Steward,
    /// Acts for a holder: requests, sees its agreements.
    Operator,
    /// Searches, and sees the private records that list its participant.
    Researcher,
    /// Runs the node: tokens, peers, audit.
    Administrator,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Steward => Self::Steward,
            RoleName::Operator => Self::Operator,
            RoleName::Researcher => Self::Researcher,
            RoleName::Administrator => Self::Administrator,
        }
    }
}

/// Runs `pleiad token`.
pub fn run(args: TokenArgs, output: Output) -> Result<(), Failure> {
    match &args.config {
        Some(config) => {
            let config = Config::load(config, std::env::vars()).map_err(|error| Failure::new(Exit::Usage, error))?;
            let accounts = local_accounts(&config, Arc::new(SystemClock))?;
            wait(at_the_machine(&accounts, args.verb, output))
        }
        None => wait(through_the_api(args.verb, output)),
    }
}

async fn at_the_machine(accounts: &Accounts, verb: TokenVerb, output: Output) -> Result<(), Failure> {
    match verb {
        TokenVerb::Create { role, participant, note, expires, out, node: _ } => {
            let participant = participant.as_deref().map(|text| accounts.participant(text)).transpose()?;
            let wish = Wish { role: role.into(), participant, note, expires };
            let made = accounts.make(Actor::Operator, wish).await?;
            hand_over(made.token.id.as_str(), &made.secret, out.as_deref(), output)
        }
        TokenVerb::List { .. } => {
            let kept = accounts.list().await?;
            let things: Vec<_> = kept
                .into_iter()
                .map(|kept| {
                    json!({
                        "id": kept.token.id, "role": kept.token.role, "participant": kept.token.participant,
                        "note": kept.token.note, "made": kept.made, "expires": kept.token.expires, "revoked": kept.revoked,
                    })
                })
                .collect();
            output.list(COLUMNS, &things)
        }
        TokenVerb::Revoke { id, .. } => {
            accounts.revoke(Actor::Operator, &id).await?;
            output.remark(format_args!("{id} is revoked"));
            Ok(())
        }
    }
}

const COLUMNS: &[&str] = &["id", "role", "participant", "note", "made", "expires", "revoked"];

async fn through_the_api(verb: TokenVerb, output: Output) -> Result<(), Failure> {
    match verb {
        TokenVerb::Create { role, participant, note, expires, out, node } => {
            let wish = json!({
                "role": Role::from(role), "participant": participant, "note": note, "expires": expires,
            });
            let made = node.connect()?.post("/api/v1/tokens", &wish).await.map_err(connect::failed)?.body;
            let text = |name: &str| made[name].as_str().unwrap_or_default();
            hand_over(text("id"), text("secret"), out.as_deref(), output)
        }
        TokenVerb::List { node } => {
            let listed = node.connect()?.get("/api/v1/tokens", &[]).await.map_err(connect::failed)?.body;
            output.list(COLUMNS, listed["items"].as_array().map_or(&[][..], Vec::as_slice))
        }
        TokenVerb::Revoke { id, node } => {
            let path = format!("/api/v1/tokens/{id}");
            node.connect()?.call::<()>("DELETE", &path, &[], &[], None).await.map_err(connect::failed)?;
            output.remark(format_args!("{id} is revoked"));
            Ok(())
        }
    }
}

/// Gives the secret to whoever asked for it: in a file of theirs alone, or on standard output.
fn hand_over(id: &str, secret: &str, out: Option<&Path>, output: Output) -> Result<(), Failure> {
    match out {
        Some(path) => {
            files::write_new(path, format!("{secret}\n").as_bytes(), files::PRIVATE)?;
            output.remark(format_args!("token {id} is in {}", path.display()));
            if output.json { output.thing(&json!({ "id": id, "file": path })) } else { Ok(()) }
        }
        None if output.json => output.thing(&json!({ "id": id, "secret": secret })),
        None => {
            output.remark(format_args!("token {id}; keep its secret now, it is shown once:"));
            output.text(&format!("{secret}\n"))
        }
    }
}
