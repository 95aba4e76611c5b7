//! How a command reaches a running node: the address of its web door, and a token from a file.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use url::Url;

use super::{Exit, Failure};
use crate::outbound::api::{Api, ApiError, Reply};

/// Arguments of every command that talks to a running node.
#[derive(Debug, Clone, Args)]
pub struct NodeArgs {
    /// The address of the node's web door.
    #[arg(long, global = true, env = "PLEIAD_NODE", default_value = "http://127.0.0.1:8080/")]
    pub node: Url,
    /// The file with the API token.
    #[arg(long, global = true, env = "PLEIAD_TOKEN_FILE")]
    pub token_file: Option<PathBuf>,
    /// A file with the CA certificate (PEM) under which the node's name is vouched for; else the platform's roots.
    #[arg(long, global = true, env = "PLEIAD_CA_FILE")]
    pub ca_file: Option<PathBuf>,
}

impl NodeArgs {
    /// The node, ready to be called.
    pub fn connect(&self) -> Result<Api, Failure> {
        let token = self.token_file.as_deref().map(read).transpose()?;
        let token = token.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let ca = self.ca_file.as_deref().map(read).transpose()?;
        Api::new(self.node.clone(), token.as_deref(), ca.as_deref()).map_err(|error| Failure::new(Exit::Usage, error))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path)
        .map_err(|error| Failure::new(Exit::Error, format!("{} cannot be read: {error}", path.display())))
}

/// Runs one command's calls to their end.
pub fn wait<T>(calls: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(calls)
}

/// Makes a call again, a little later each time, while the node is busy or asks for patience.
pub async fn patiently<F>(call: impl Fn() -> F) -> Result<Reply, ApiError>
where
    F: Future<Output = Result<Reply, ApiError>>,
{
    const TRIES: u32 = 6;
    let mut tries = 0;
    loop {
        match call().await {
            Err(error) if matches!(error.status(), Some(429 | 503)) && tries < TRIES => {
                tries += 1;
                tokio::time::sleep(Duration::from_millis(250 << tries)).await;
            }
            ended => return ended,
        }
    }
}

/// The node's refusal as an ending of the command: each kind of refusal has its exit code.
pub fn failed(error: ApiError) -> Failure {
    let exit = match error.status() {
        Some(400 | 422) => Exit::Usage,
        Some(401 | 403) => Exit::Denied,
        Some(404 | 410) => Exit::NotFound,
        _ => Exit::Error,
    };
    Failure::new(exit, error)
}

/// Every item of a list that comes in pages.
pub async fn every_page(api: &Api, path: &str, query: &[(&str, String)]) -> Result<Vec<serde_json::Value>, Failure> {
    let mut items = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let mut query = query.to_vec();
        query.extend(cursor.take().map(|cursor| ("cursor", cursor)));
        let page = api.get(path, &query).await.map_err(failed)?.body;
        items.extend(page["items"].as_array().cloned().unwrap_or_default());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => return Ok(items),
        }
    }
}
