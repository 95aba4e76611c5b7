//! `pleiad backup` and `pleiad restore`: a copy of the durable truth, and the way back.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{Exit, Failure, Output};
use crate::node::{self, Backup, StoreError};

/// Arguments of `pleiad backup`.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// The folder with the node's data; the node may be running.
    #[arg(long, env = "PLEIAD_DATA", default_value = "data")]
    pub data: PathBuf,
    /// The folder to write the backup to: empty, or not there yet.
    pub to: PathBuf,
}

/// Arguments of `pleiad restore`.
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// The folder with the node's data; it may hold keys and trust, but no log.
    #[arg(long, env = "PLEIAD_DATA", default_value = "data")]
    pub data: PathBuf,
    /// The folder of the backup.
    pub from: PathBuf,
}

/// Runs `pleiad backup`.
pub fn back_up(args: BackupArgs, output: Output) -> Result<(), Failure> {
    let backup = super::runtime()?.block_on(node::back_up(&args.data, &args.to)).map_err(failure)?;
    show(&backup, output)?;
    output.remark("Verified. Keys, configuration and shards are not in it: keep copies of those too.");
    Ok(())
}

/// Runs `pleiad restore`.
pub fn restore(args: RestoreArgs, output: Output) -> Result<(), Failure> {
    let backup = super::runtime()?.block_on(node::restore(&args.from, &args.data)).map_err(failure)?;
    show(&backup, output)?;
    output.remark("Verified. The search index is derived again at the next start.");
    Ok(())
}

fn show(backup: &Backup, output: Output) -> Result<(), Failure> {
    output.thing(&json!({
        "origin": backup.origin,
        "entries": backup.size,
        "root": backup.root,
        "signed": backup.checkpoint.as_ref().map(|note| note.checkpoint.size),
        "bytes": backup.bytes,
        "sha256": backup.sha256,
    }))
}

fn failure(error: StoreError) -> Failure {
    let exit = match &error {
        StoreError::Damaged { .. } | StoreError::TablesDiffer { .. } => Exit::Integrity,
        _ => Exit::Error,
    };
    Failure::new(exit, error)
}
