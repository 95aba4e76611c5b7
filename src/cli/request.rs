//! `pleiad request`: asking for a dataset, and deciding about it.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::connect::{NodeArgs, failed, wait};
use super::{Exit, Failure, Output};
use crate::domain::ids::{DatasetId, Iri, OpaqueId};

/// Arguments of `pleiad request`.
#[derive(Debug, Args)]
pub struct RequestArgs {
    #[command(flatten)]
    node: NodeArgs,
    #[command(subcommand)]
    verb: RequestVerb,
}

#[derive(Debug, Subcommand)]
enum RequestVerb {
    /// Ask for a dataset, at your own home node, as an operator.
    Create {
        /// The dataset's id.
        dataset: DatasetId,
        /// A purpose, such as https://w3id.org/dpv#AcademicResearch or dpv:AcademicResearch; may be repeated.
        #[arg(long = "purpose", required = true)]
        purposes: Vec<Iri>,
        /// What you want to do with it, as an ODRL action.
        #[arg(long, default_value = "use")]
        action: String,
        /// In your own words, for the steward who decides.
        #[arg(long)]
        statement: Option<String>,
    },
    /// List the requests that concern you.
    List {
        /// Only those in this state: undelivered, pending, refused, agreed or cancelled.
        #[arg(long)]
        state: Option<String>,
    },
    /// Show a request and, where it was refused, the rules that refused it.
    Show {
        /// Its id.
        id: OpaqueId,
    },
    /// Approve a pending request, as a steward of the dataset's owner.
    Approve {
        /// Its id.
        id: OpaqueId,
    },
    /// Refuse a pending request, as a steward of the dataset's owner.
    Refuse {
        /// Its id.
        id: OpaqueId,
        /// Why; the holder reads it.
        #[arg(long)]
        reason: String,
    },
    /// Take a request back that is not decided yet.
    Cancel {
        /// Its id.
        id: OpaqueId,
    },
}

/// Runs `pleiad request`.
pub fn run(args: RequestArgs, output: Output) -> Result<(), Failure> {
    let api = args.node.connect()?;
    wait(async {
        let reply = match args.verb {
            RequestVerb::Create { dataset, purposes, action, statement } => {
                let body = json!({
                    "dataset": dataset, "purposes": purposes, "action": action, "statement": statement,
                });
                let made = api.post("/api/v1/requests", &body).await.map_err(failed)?.body;
                output.thing(&line(&made, output))?;
                let refused = made["state"]["state"] == "refused";
                let why = "the policy refuses this; the reasons name the rules";
                return if refused { Err(Failure::new(Exit::Denied, why)) } else { Ok(()) };
            }
            RequestVerb::List { state } => {
                let state = state.map(|state| ("state", state));
                let found = super::connect::every_page(&api, "/api/v1/requests", state.as_slice()).await?;
                let lines: Vec<Value> = found.iter().map(|request| line(request, output)).collect();
                return output.list(&["id", "state", "dataset", "holder", "purposes", "made"], &lines);
            }
            RequestVerb::Show { id } => api.get(&format!("/api/v1/requests/{id}"), &[]).await,
            RequestVerb::Approve { id } => {
                let agreement =
                    api.post(&format!("/api/v1/requests/{id}/approve"), &json!({})).await.map_err(failed)?;
                return output.thing(&super::agreement::line(&agreement.body, output));
            }
            RequestVerb::Refuse { id, reason } => {
                api.post(&format!("/api/v1/requests/{id}/refuse"), &json!({ "reason": reason })).await
            }
            RequestVerb::Cancel { id } => api.post(&format!("/api/v1/requests/{id}/cancel"), &json!({})).await,
        };
        output.thing(&line(&reply.map_err(failed)?.body, output))
    })
}

/// A request as a person reads it; with `--json`, as the API says it.
fn line(request: &Value, output: Output) -> Value {
    if output.json {
        return request.clone();
    }
    let state = &request["state"];
    let reasons = state["reasons"].as_array().into_iter().flatten();
    let because: Vec<String> = reasons
        .map(|reason| {
            let text = |name: &str| reason[name].as_str().unwrap_or_default().to_owned();
            [text("code"), text("pointer"), text("detail")]
                .into_iter()
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join(": ")
        })
        .collect();
    let mut line = json!({
        "id": request["id"],
        "state": state["state"],
        "dataset": request["dataset"],
        "holder": request["holder"],
        "purposes": request["intended"]["purposes"],
        "made": request["made"],
    });
    if !because.is_empty() {
        line["because"] = because.join("; ").into();
    }
    for name in ["reason", "agreement"] {
        if !state[name].is_null() {
            line[name] = state[name].clone();
        }
    }
    line
}
