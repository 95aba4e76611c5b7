//! Nodes as processes of this very program: started, waited for, stopped. Dropping one kills it, so that nothing of the
//! demonstration outlives it.

use std::fs::File;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::prepare::Prepared;
use crate::cli::{Exit, Failure};
use crate::outbound::api::Api;

/// How long a node may take until it is ready.
const READY_WITHIN: Duration = Duration::from_secs(20);
/// How often it is asked.
const ASK_EVERY: Duration = Duration::from_millis(50);
/// How long a node may take to end.
const END_WITHIN: Duration = Duration::from_secs(10);

/// A node's process.
#[derive(Debug)]
pub struct Process {
    child: Child,
    name: String,
}

impl Process {
    /// Starts a node. Its log goes to `node.log` in its folder.
    pub fn start(node: &Prepared) -> Result<Self, Failure> {
        let log = node.folder.join("node.log");
        let log = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .map_err(|error| Failure::new(Exit::Error, format!("{} cannot be written: {error}", log.display())))?;
        let child = Command::new(std::env::current_exe()?)
            .args(["serve", "--config"])
            .arg(node.config())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(|error| Failure::new(Exit::Error, format!("node {} cannot be started: {error}", node.sheet.id)))?;
        Ok(Self { child, name: node.sheet.id.to_string() })
    }

    /// Waits until the node says that it is ready.
    pub async fn ready(&mut self, node: &Prepared) -> Result<(), Failure> {
        let operations = format!("http://{}/", node.place.operations).parse::<url::Url>()?;
        let api = Api::new(operations, None, None)?;
        let until = Instant::now() + READY_WITHIN;
        let log = node.folder.join("node.log");
        loop {
            if api.get("/health/ready", &[]).await.is_ok() {
                return Ok(());
            }
            let ended = self.child.try_wait()?;
            if ended.is_some() || Instant::now() > until {
                let what = if ended.is_some() { "ended" } else { "is not ready in time" };
                let log = std::fs::read_to_string(&log).unwrap_or_default();
                let last = log.lines().last().unwrap_or("it wrote nothing");
                return Err(Failure::new(Exit::Error, format!("node {} {what}; its log ends with: {last}", self.name)));
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    }

    /// Kills the node, as a power failure would.
    pub fn kill(&mut self) {
        // It may have ended by itself; either way it is gone.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks the node to finish what it accepted and to end.
    pub fn end(&mut self) {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let until = Instant::now() + END_WITHIN;
        while asked.as_ref().is_ok_and(|status| status.success()) && Instant::now() < until {
            match self.child.try_wait() {
                Ok(None) => std::thread::sleep(ASK_EVERY),
                _ => return,
            }
        }
        self.kill();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
