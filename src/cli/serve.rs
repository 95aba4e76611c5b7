//! `pleiad serve`: run a node until SIGTERM or Ctrl-C, then finish what was accepted.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::{Exit, Failure, Output, runtime};
use crate::clock::SystemClock;
use crate::config::{Config, LogFormat, LogSettings};
use crate::node::{Listeners, Node};

/// Arguments of `pleiad serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The configuration.
    #[arg(long, value_name = "FILE", default_value = "node.toml", env = "PLEIAD_CONFIG")]
    pub config: PathBuf,
}

/// Runs a node.
pub fn run(args: ServeArgs, output: Output) -> Result<(), Failure> {
    let config = Config::load(&args.config, std::env::vars()).map_err(|error| Failure::new(Exit::Usage, error))?;
    write_log(&config.log)?;
    runtime()?.block_on(async {
        let listeners = Listeners::bind(&config)?;
        let name = config.identity.to_string();
        let secure = if config.web.tls.is_some() { "https" } else { "http" };
        let running = Node::start(config, listeners, Arc::new(SystemClock)).await?;
        let at = running.addresses;
        output.remark(format_args!(
            "{name} is ready: {secure}://{}/ for people, https://{}/ for peers, http://{}/health/ready",
            at.web, at.federation, at.operations
        ));
        told_to_stop().await?;
        output.remark("finishing what was accepted; once more stops at once");
        tokio::select! {
            () = running.shutdown() => Ok(()),
            again = told_to_stop() => again,
        }
    })
}

async fn told_to_stop() -> Result<(), Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => (),
        _ = terminate.recv() => (),
    }
    Ok(())
}

/// Starts the log of the process, on stderr. Each event is one line: the JSON writer escapes control characters, and the
/// text writer is for terminals only.
fn write_log(settings: &LogSettings) -> Result<(), Failure> {
    let filter = tracing_subscriber::EnvFilter::try_new(&settings.level)
        .map_err(|error| Failure::new(Exit::Error, format!("`log.level` is refused: {error}")))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match settings.format {
        LogFormat::Json => builder.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init(),
        LogFormat::Text => builder.with_ansi(on_a_colourful_terminal()).try_init(),
    };
    started.map_err(|error| Failure::new(Exit::Error, format!("the log could not be started: {error}")))
}

fn on_a_colourful_terminal() -> bool {
    let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    std::io::stderr().is_terminal() && !no_colour
}
