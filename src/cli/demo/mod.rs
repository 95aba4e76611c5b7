//! `pleiad demo`: seven nodes as seven processes on this machine, ninety datasets, and three users' day.
//!
//! [`consortia`] says who the seven are, [`prepare`] makes their keys, trust and configurations, [`bytes`] makes the
//! shards of the fictitious datasets, [`processes`] runs the nodes, [`stage`] puts it all together, and [`walk`] goes
//! through the day: each step is a command that a user would type, run as a process of its own.

mod bytes;
mod consortia;
mod prepare;
mod processes;
mod stage;
mod walk;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use self::consortia::NodeSheet;
use self::prepare::Place;
use self::stage::Stage;
use super::connect::wait;
use super::{Exit, Failure, Output};
use crate::domain::ids::LocalId;

/// Arguments of `pleiad demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// End after the walk; exit 0 only if every step held.
    #[arg(long)]
    pub once: bool,
    /// Keep everything in this folder; by default a temporary one that is removed at the end.
    #[arg(long)]
    pub dir: Option<PathBuf>,
    /// Something else than the whole demonstration.
    #[command(subcommand)]
    pub verb: Option<DemoVerb>,
}

/// The verbs of `pleiad demo`.
#[derive(Debug, Subcommand)]
pub enum DemoVerb {
    /// Make keys, trust and configurations for some of the nodes, and end; a second time changes nothing.
    Prepare {
        /// The folder for them.
        #[arg(long = "in")]
        folder: PathBuf,
        /// Which nodes, such as fi,se,de.
        #[arg(long, value_delimiter = ',', required = true)]
        nodes: Vec<LocalId>,
        /// For containers: each node listens on every address and is reached by its id as host name.
        #[arg(long)]
        containers: bool,
    },
}

/// Runs `pleiad demo`.
pub fn run(args: DemoArgs, output: Output) -> Result<(), Failure> {
    match args.verb {
        Some(DemoVerb::Prepare { folder, nodes, containers }) => prepare_some(folder, nodes, containers, output),
        None => demonstrate(args.once, args.dir, output),
    }
}

fn demonstrate(once: bool, dir: Option<PathBuf>, output: Output) -> Result<(), Failure> {
    let temporary = match &dir {
        Some(_) => None,
        None => Some(tempfile::Builder::new().prefix("pleiad-demo-").tempdir()?),
    };
    let root = dir.or_else(|| temporary.as_ref().map(|folder| folder.path().to_owned())).unwrap_or_default();
    let out = std::path::absolute(root)?;
    wait(async {
        let stopped = async {
            tokio::signal::ctrl_c().await?;
            Err(Failure::new(Exit::Interrupted, "interrupted; the nodes are stopped"))
        };
        tokio::select! {
            done = whole(once, out, output) => done,
            interrupted = stopped => interrupted,
        }
    })
}

async fn whole(once: bool, root: PathBuf, output: Output) -> Result<(), Failure> {
    let say = walk::Telling::new(output);
    let mut stage = Stage::set(&root, &say).await?;
    let held = walk::walk(&mut stage, &say).await?;
    say.summary(&stage, held)?;
    if !held {
        return Err(Failure::new(Exit::Error, "a step of the walk did not hold; it is marked above"));
    }
    if once {
        return Ok(());
    }
    say.addresses(&stage);
    tokio::signal::ctrl_c().await?;
    say.remark("stopping the nodes");
    stage.end();
    Ok(())
}

fn prepare_some(folder: PathBuf, wanted: Vec<LocalId>, containers: bool, output: Output) -> Result<(), Failure> {
    let sheets: Vec<NodeSheet> = consortia::all().into_iter().map(|consortium| consortium.node).collect();
    let mut nodes = Vec::new();
    for (number, id) in wanted.iter().enumerate() {
        let Some(sheet) = sheets.iter().find(|sheet| sheet.id == *id) else {
            let known: Vec<&str> = sheets.iter().map(|sheet| sheet.id.as_str()).collect();
            return Err(Failure::new(
                Exit::Usage,
                format!("{id} is not a node here: name some of {}", known.join(", ")),
            ));
        };
        nodes.push((sheet.clone(), if containers { in_container(id) } else { stage::local_place(number)? }));
    }
    // A node's token is the last that is made of it: where it lies, everything else does.
    let place_of = |sheet: &NodeSheet| folder.join(sheet.id.as_str());
    if nodes.iter().all(|(sheet, _)| stage::administrator_file(&place_of(sheet)).exists()) {
        output.remark("everything is prepared already");
        return Ok(());
    }
    if let Some(begun) = nodes.iter().map(|(sheet, _)| place_of(sheet)).find(|place| place.exists()) {
        let what = format!(
            "{} is there, but not every node asked for: it was begun and not finished, or for other nodes; remove it",
            begun.display()
        );
        return Err(Failure::new(Exit::Error, what));
    }
    for node in prepare::federation(&folder, &nodes)? {
        let administrator = stage::administrator(&node)?;
        output.thing(&json!({
            "node": node.identity(),
            "configuration": node.config(),
            "administrator_token": administrator,
        }))?;
    }
    Ok(())
}

fn in_container(id: &LocalId) -> Place {
    let everywhere = |port: u16| SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
    Place {
        web: everywhere(8080),
        federation: everywhere(8443),
        // Probes run inside the container.
        operations: SocketAddr::from((Ipv4Addr::LOCALHOST, 9090)),
        host: id.to_string(),
        web_tls: true,
    }
}
