//! Everything that stands when the walk begins: seven running nodes with their datasets, and the people's tokens.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;

use super::consortia::{Consortium, Described};
use super::prepare::{self, Place, Prepared};
use super::processes::Process;
use super::walk::Telling;
use super::{bytes, consortia};
use crate::accounts::{Accounts, Wish};
use crate::cli::{Exit, Failure};
use crate::clock::SystemClock;
use crate::config::Config;
use crate::domain::event::{Actor, Role};
use crate::domain::ids::{Identity, LocalId};
use crate::keys::files;
use crate::node::local_accounts;
use crate::outbound::api::Api;
use crate::peers::Member;
use crate::shards;

/// The participant of Luxembourg that asks for data.
pub const FACTORY: &str = "factory";

/// A node that runs.
#[derive(Debug)]
pub struct Running {
    /// Its files and addresses.
    pub node: Prepared,
    process: Process,
}

/// The whole stage. Dropping it stops every node.
#[derive(Debug)]
pub struct Stage {
    /// The folder that holds it all; the walk's commands are run in it.
    pub root: PathBuf,
    /// The nodes, in the order in which they are shown.
    pub nodes: Vec<Running>,
    /// How many datasets they describe.
    pub datasets: usize,
}

impl Stage {
    /// Sets the stage below `root`.
    pub async fn set(root: &Path, say: &Telling) -> Result<Self, Failure> {
        let began = Instant::now();
        std::fs::create_dir_all(root)?;
        let consortia = consortia::all();
        let mut places = Vec::new();
        for (number, consortium) in consortia.iter().enumerate() {
            places.push((consortium.node.clone(), local_place(number)?));
        }
        let prepared = prepare::federation(root, &places)?;
        say.remark("made seven certificate authorities, and each pinned the other six");

        // Tokens and shards while the nodes stand still.
        for (node, consortium) in prepared.iter().zip(&consortia) {
            let accounts = accounts_of(node)?;
            for owner in owners(consortium) {
                let owner = Identity::participant(node.sheet.domain.clone(), owner);
                let path = token_path(root, node, owner.id());
                give(&accounts, Role::Steward, Some(owner), &path).await?;
            }
            if node.sheet.id.as_str() == "lu" {
                let factory = Identity::participant(node.sheet.domain.clone(), FACTORY.parse()?);
                give(&accounts, Role::Operator, Some(factory), &root.join("tokens/factory.token")).await?;
            }
            accounts.close().await;
        }
        let making = consortia.clone();
        let folders: Vec<PathBuf> = prepared.iter().map(Prepared::data).collect();
        let mut manifests = tokio::task::spawn_blocking(move || make_shards(&making, &folders))
            .await
            .map_err(|error| Failure::new(Exit::Error, error))??;

        let mut nodes = Vec::new();
        for node in prepared {
            nodes.push(Running { process: Process::start(&node)?, node });
        }
        for running in &mut nodes {
            running.process.ready(&running.node).await?;
        }
        say.remark("seven nodes answer");
        let mut datasets = 0;
        for (running, consortium) in nodes.iter().zip(&consortia) {
            datasets += register(root, &running.node, consortium, &mut manifests).await?;
        }
        enrol_factory(root, &nodes)?;
        let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        say.step("ready", true, ms, &serde_json::json!({ "nodes": nodes.len(), "datasets": datasets }))?;
        Ok(Self { root: root.to_owned(), nodes, datasets })
    }

    /// The node of that id.
    pub fn node(&self, id: &str) -> Result<&Running, Failure> {
        let found = self.nodes.iter().find(|running| running.node.sheet.id.as_str() == id);
        found.ok_or_else(|| Failure::new(Exit::Error, format!("there is no node {id}")))
    }

    /// The address of a node's door for people.
    pub fn web(&self, id: &str) -> Result<String, Failure> {
        Ok(format!("http://{}/", self.node(id)?.node.place.web))
    }

    /// Kills a node.
    pub fn kill(&mut self, id: &str) -> Result<(), Failure> {
        let found = self.nodes.iter_mut().find(|running| running.node.sheet.id.as_str() == id);
        found.ok_or_else(|| Failure::new(Exit::Error, format!("there is no node {id}")))?.process.kill();
        Ok(())
    }

    /// Starts a killed node again and waits until it is ready.
    pub async fn revive(&mut self, id: &str) -> Result<(), Failure> {
        let found = self.nodes.iter_mut().find(|running| running.node.sheet.id.as_str() == id);
        let running = found.ok_or_else(|| Failure::new(Exit::Error, format!("there is no node {id}")))?;
        running.process = Process::start(&running.node)?;
        running.process.ready(&running.node).await
    }

    /// Ends every node in order.
    pub fn end(&mut self) {
        for running in &mut self.nodes {
            running.process.end();
        }
    }
}

/// Loopback addresses for the node of this number: the same every time where they are free, else whatever is.
pub fn local_place(number: usize) -> Result<Place, Failure> {
    let number = u16::try_from(number).unwrap_or(0);
    let free = |wanted: u16| -> Result<SocketAddr, Failure> {
        let wanted = SocketAddr::from((Ipv4Addr::LOCALHOST, wanted));
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Ok(TcpListener::bind(wanted).or_else(|_| TcpListener::bind(any))?.local_addr()?)
    };
    Ok(Place {
        web: free(7101 + number)?,
        federation: free(7201 + number)?,
        operations: free(7301 + number)?,
        host: "127.0.0.1".to_owned(),
        web_tls: false,
    })
}

/// Makes the first administrator's token of a node that stands still; says where it is.
pub fn administrator(node: &Prepared) -> Result<PathBuf, Failure> {
    let path = administrator_file(&node.folder);
    crate::cli::connect::wait(async {
        let accounts = accounts_of(node)?;
        give(&accounts, Role::Administrator, None, &path).await?;
        accounts.close().await;
        Ok(())
    })?;
    Ok(path)
}

/// Where the first administrator's token of the node in this folder lies.
pub fn administrator_file(folder: &Path) -> PathBuf {
    folder.join("administrator.token")
}

fn accounts_of(node: &Prepared) -> Result<Accounts, Failure> {
    let config = Config::load(&node.config(), [])?;
    Ok(local_accounts(&config, Arc::new(SystemClock))?)
}

async fn give(accounts: &Accounts, role: Role, participant: Option<Identity>, path: &Path) -> Result<(), Failure> {
    let wish = Wish { role, participant, note: "the demonstration".to_owned(), expires: None };
    let made = accounts.make(Actor::Operator, wish).await?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    files::replace(path, format!("{}\n", made.secret).as_bytes(), files::PRIVATE)?;
    Ok(())
}

fn owners(consortium: &Consortium) -> Vec<LocalId> {
    let mut owners: Vec<LocalId> = consortium.datasets.iter().map(|described| described.owner.clone()).collect();
    owners.sort();
    owners.dedup();
    owners
}

fn token_path(root: &Path, node: &Prepared, owner: &LocalId) -> PathBuf {
    root.join("tokens").join(format!("{}-{owner}.token", node.sheet.id))
}

/// Manifests by dataset id.
type Manifests = BTreeMap<String, Value>;

fn make_shards(consortia: &[Consortium], data: &[PathBuf]) -> Result<Manifests, Failure> {
    let mut manifests = Manifests::new();
    for (consortium, data) in consortia.iter().zip(data) {
        for described in &consortium.datasets {
            let Some(sheet) = described.shards else { continue };
            let folder = data.join("shards").join(described.local());
            bytes::make(&folder, described, sheet)?;
            let manifest = shards::measure(&folder, 1, &mut |_| {})?;
            manifests.insert(id(described).to_owned(), serde_json::to_value(manifest)?);
        }
    }
    Ok(manifests)
}

fn id(described: &Described) -> &str {
    described.dataset["id"].as_str().unwrap_or_default()
}

async fn register(
    root: &Path,
    node: &Prepared,
    consortium: &Consortium,
    manifests: &mut Manifests,
) -> Result<usize, Failure> {
    let web: url::Url = format!("http://{}/", node.place.web).parse()?;
    let mut doors: BTreeMap<LocalId, Api> = BTreeMap::new();
    for owner in owners(consortium) {
        let token = std::fs::read_to_string(token_path(root, node, &owner))?;
        doors.insert(owner, Api::new(web.clone(), Some(token.trim()), None)?);
    }
    for described in &consortium.datasets {
        let mut dataset = described.dataset.clone();
        if let Some(manifest) = manifests.remove(id(described)) {
            dataset["distributions"][0]["manifest"] = manifest;
        }
        let Some(door) = doors.get(&described.owner) else { continue };
        door.post("/api/v1/datasets", &dataset)
            .await
            .map_err(|error| Failure::new(Exit::Error, format!("{}: {error}", id(described))))?;
    }
    Ok(consortium.datasets.len())
}

/// The factory's own folder: its certificate by Luxembourg's CA, and the trust list of its home node.
fn enrol_factory(root: &Path, nodes: &[Running]) -> Result<Member, Failure> {
    let home = nodes.iter().find(|running| running.node.sheet.id.as_str() == "lu");
    let home = home.ok_or_else(|| Failure::new(Exit::Error, "there is no node lu"))?;
    let factory = home.node.enrol(&FACTORY.parse()?, &root.join(FACTORY))?;
    prepare::trust(&factory, nodes.iter().map(|running| running.node.data()))?;
    Ok(factory)
}
