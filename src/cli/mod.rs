//! The command line: `pleiad <noun> <verb>`, one file per noun.
//!
//! Every command is a struct of arguments and a `run` that gives back a [`Failure`] or nothing; [`main`] turns that into
//! one sentence on standard error and an exit code of [`exit::Exit`]. Secrets are read from files, never from arguments.

pub mod agreement;
pub mod apply;
pub mod audit;
pub mod backup;
pub mod check;
pub mod completions;
pub mod config;
pub mod conform;
pub mod connect;
pub mod dataset;
pub mod demo;
pub mod exit;
pub mod export;
pub mod fetch;
pub mod harvest;
pub mod health;
pub mod import;
pub mod init;
pub mod keys;
pub mod output;
mod past;
pub mod peer;
pub mod plan;
pub mod pull;
pub mod receipt;
pub mod request;
pub mod search;
pub mod serve;
pub mod shard;
pub mod token;

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
    /// Make a new node in a folder of its own, ready to serve.
    Init(init::InitArgs),
    /// Seven nodes on this machine, three users' day, then pages to look at.
    Demo(demo::DemoArgs),
    /// Run the node until it is told to stop.
    Serve(serve::ServeArgs),
    /// Whether the running node is ready: exit code 0 or 1, for probes.
    Health(health::HealthArgs),
    /// The configuration: check it, or print the sample.
    Config(config::ConfigArgs),
    /// Tokens: who may speak to the node's web door.
    Token(token::TokenArgs),
    /// Search the whole federation.
    Search(search::SearchArgs),
    /// Who is in the federation, and how each is doing.
    Federation(search::FederationArgs),
    /// Datasets: register, show, list, revise, withdraw, check, import.
    Dataset(dataset::DatasetArgs),
    /// Other catalogues that the node reads again and again: list them, run one, see how it went.
    Harvest(harvest::HarvestArgs),
    /// What would change so that the node says what a folder of files says.
    Plan(plan::PlanArgs),
    /// Make the node say what a folder of files says, all of it or nothing.
    Apply(apply::ApplyArgs),
    /// Keys, certificates, and the CA that signs them.
    Keys(keys::KeysArgs),
    /// The nodes that this node trusts.
    Peer(peer::PeerArgs),
    /// Requests for datasets: ask, follow, decide.
    Request(request::RequestArgs),
    /// What was agreed.
    Agreement(agreement::AgreementArgs),
    /// Fetch the bytes of an agreement into a folder, verified.
    Fetch(fetch::FetchArgs),
    /// What a fetched folder holds, and whether it still does.
    Receipt(receipt::ReceiptArgs),
    /// The files of a dataset.
    Shard(shard::ShardArgs),
    /// The log: verify it, list it, prove an entry of it.
    Audit(audit::AuditArgs),
    /// Write a verified copy of the store, while the node runs.
    Backup(backup::BackupArgs),
    /// Put a backup in the place of a store that is not there.
    Restore(backup::RestoreArgs),
    /// Print what a shell needs to complete these commands.
    Completions(completions::CompletionsArgs),
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
        Command::Init(args) => init::run(args, output),
        Command::Token(args) => token::run(args, output),
        Command::Completions(args) => completions::run(args, output),
        Command::Demo(args) => demo::run(args, output),
        Command::Serve(args) => serve::run(args, output),
        Command::Health(args) => health::run(args, output),
        Command::Config(args) => config::run(args, output),
        Command::Search(args) => search::run(args, output),
        Command::Federation(args) => search::members(args, output),
        Command::Dataset(args) => dataset::run(args, output),
        Command::Harvest(args) => harvest::run(args, output),
        Command::Plan(args) => plan::run(args, output),
        Command::Apply(args) => apply::run(args, output),
        Command::Keys(args) => keys::run(args, output),
        Command::Peer(args) => peer::run(args, output),
        Command::Request(args) => request::run(args, output),
        Command::Agreement(args) => agreement::run(args, output),
        Command::Fetch(args) => fetch::run(args, output),
        Command::Receipt(args) => receipt::run(args, output),
        Command::Shard(args) => shard::run(args, output),
        Command::Audit(args) => audit::run(args, output),
        Command::Backup(args) => backup::back_up(args, output),
        Command::Restore(args) => backup::restore(args, output),
    }
}

/// The runtime of commands that talk or serve.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}
