//! The command line: `pleiad <noun> <verb>`, one file per noun.
//!
//! Every command is a struct of arguments and a `run` that gives back a [`Failure`] or nothing; [`main`] turns that into
//! one sentence on standard error and an exit code of [`exit::Exit`]. Secrets are read from files, never from arguments.

pub mod connect;
pub mod exit;
pub mod keys;
pub mod output;
pub mod peer;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use exit::{Exit, Failure};
pub use output::Output;

/// A federated catalogue of sovereign training datasets.
#[derive(Debug, Parser)]
#[command(name = "pleiad", version, about, propagate_version = true)]
pub struct Cli {
    /// Print JSON.
    #[arg(long, global = true)]
    pub json: bool,
    /// Print data and errors only.
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The nouns.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Keys, certificates, and the CA that signs them.
    Keys(keys::KeysArgs),
    /// The nodes that this node trusts.
    Peer(peer::PeerArgs),
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => Exit::Ok.into(),
        Err(failure) => {
            eprintln!("pleiad: {}", failure.message);
            failure.exit.into()
        }
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    let output = Output { json: cli.json, quiet: cli.quiet };
    match cli.command {
        Command::Keys(args) => keys::run(args, output),
        Command::Peer(args) => peer::run(args, output),
    }
}
