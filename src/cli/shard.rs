//! `pleiad shard`: what a dataset's files are, said in its record.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::connect::{NodeArgs, failed, wait};
use super::{Exit, Failure, Output};
use crate::domain::ids::DatasetId;
use crate::shards;

/// Arguments of `pleiad shard`.
#[derive(Debug, Args)]
pub struct ShardArgs {
    #[command(subcommand)]
    verb: ShardVerb,
}

#[derive(Debug, Subcommand)]
enum ShardVerb {
    /// Measure the files of a dataset where they lie, and revise its record with their manifest. Agreements that stand
    /// keep to the manifest they were concluded on.
    Add(AddArgs),
}

#[derive(Debug, Args)]
struct AddArgs {
    #[command(flatten)]
    node: NodeArgs,
    /// The dataset's id.
    dataset: DatasetId,
    /// The folder with its files, as the node opens it: `<data>/shards/<last part of the id>` unless configured.
    #[arg(long)]
    folder: PathBuf,
    /// Which distribution they are, from 0; a new one is made where the dataset has none.
    #[arg(long, default_value_t = 0)]
    distribution: usize,
    /// Print the manifest and change nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Runs `pleiad shard`.
pub fn run(args: ShardArgs, output: Output) -> Result<(), Failure> {
    let ShardVerb::Add(args) = args.verb;
    if args.dry_run {
        let manifest = shards::measure(&args.folder, 1, &mut |_| {})?;
        return output.text(&format!("{}\n", serde_json::to_string_pretty(&manifest)?));
    }
    let api = args.node.connect()?;
    wait(async {
        let path = format!("/api/v1/datasets/{}", args.dataset.local());
        let reply = api.get(&path, &[]).await.map_err(failed)?;
        if reply.body["dataset"]["id"] != args.dataset.as_str() {
            return Err(Failure::new(Exit::NotFound, format!("{} is not registered at this node", args.dataset)));
        }
        let tag = reply.headers.get("etag").unwrap_or_default().to_owned();
        let mut dataset = reply.body["dataset"].clone();
        let distributions = &mut dataset["distributions"];
        if !distributions.is_array() {
            *distributions = json!([{}]);
        }
        let none = || Failure::new(Exit::Usage, format!("the dataset has no distribution {}", args.distribution));
        let distribution = distributions.get_mut(args.distribution).ok_or_else(none)?;
        let version = distribution["manifest"]["version"].as_u64().and_then(|last| u32::try_from(last).ok());
        let manifest = shards::measure(&args.folder, version.unwrap_or(0).saturating_add(1), &mut |_| {})?;
        distribution["manifest"] = serde_json::to_value(&manifest)?;
        let reply = api.call("PUT", &path, &[], &[("if-match", &tag)], Some(&dataset)).await.map_err(failed)?;
        output.thing(&json!({
            "dataset": args.dataset,
            "revision": reply.body.get("revision").unwrap_or(&Value::Null),
            "manifest": manifest.digest(),
            "shards": manifest.shards.len(),
            "bytes": manifest.total_bytes(),
        }))
    })
}
