//! `pleiad receipt`: what a folder holds, under which terms, and whether it still does.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{Exit, Failure, Output};
use crate::delivery::held::read_receipt;
use crate::domain::manifest::ShardName;
use crate::shards;

/// Arguments of `pleiad receipt`.
#[derive(Debug, Args)]
pub struct ReceiptArgs {
    /// The folder that `pleiad fetch` made.
    folder: PathBuf,
    /// Read every byte again and compare it with the receipt.
    #[arg(long)]
    verify: bool,
}

/// Runs `pleiad receipt`.
pub fn run(args: ReceiptArgs, output: Output) -> Result<(), Failure> {
    let missing = || format!("{} has no receipt: it is not done; run its `pleiad fetch` again", args.folder.display());
    let kept = read_receipt(&args.folder)?.ok_or_else(|| Failure::new(Exit::NotFound, missing()))?;
    if args.verify {
        for (name, digest) in &kept.receipt.shards {
            let path = args.folder.join(name.as_str());
            let found =
                shards::measure_file(&path, &mut |_| {}).map_err(|error| Failure::new(Exit::Integrity, error))?;
            if found.sha256 != *digest {
                let detail = format!("{} is not what was fetched: its bytes were changed since", path.display());
                return Err(Failure::new(Exit::Integrity, detail));
            }
        }
    }
    if output.json {
        return output.thing(&serde_json::to_value(&kept)?);
    }
    let shards: Vec<&ShardName> = kept.receipt.shards.iter().map(|(name, _)| name).collect();
    output.thing(&json!({
        "receipt": kept.receipt.id,
        "dataset": kept.receipt.dataset,
        "revision": kept.receipt.revision,
        "agreement": kept.receipt.agreement,
        "owner": kept.agreement.owner,
        "holder": kept.agreement.holder,
        "purposes": kept.agreement.intended.purposes,
        "until": kept.agreement.expires,
        "manifest": kept.receipt.manifest,
        "shards": shards,
        "completed": kept.receipt.completed,
        "verified_again": args.verify,
    }))
}
