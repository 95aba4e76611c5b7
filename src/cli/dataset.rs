//! `pleiad dataset`: the datasets of a node.

use clap::{Args, Subcommand};

use super::{Failure, Output, import};

/// `pleiad dataset …`
#[derive(Debug, Args)]
pub struct DatasetArgs {
    #[command(subcommand)]
    command: DatasetCommand,
}

#[derive(Debug, Subcommand)]
enum DatasetCommand {
    /// Bring in the records of another catalogue; doing it again changes nothing.
    Import(import::ImportArgs),
}

/// Runs the command.
pub fn run(args: DatasetArgs, output: Output) -> Result<(), Failure> {
    match args.command {
        DatasetCommand::Import(args) => import::run(args, output),
    }
}
