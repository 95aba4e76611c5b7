//! `pleiad health`: is the node of this configuration ready? For the probe of a container or a service.
//!
//! It asks the operations door, which listens inside the container and carries no token, and ends with 0 or 1 and nothing
//! else: container engines keep 2 for themselves.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::connect::wait;
use super::{Exit, Failure, Output};
use crate::config::Config;
use crate::outbound::api::{Api, ApiError};

/// After this long without an answer the node is not ready; less than any engine gives a probe.
const ANSWER_WITHIN: Duration = Duration::from_secs(4);

/// Arguments of `pleiad health`.
#[derive(Debug, Args)]
pub struct HealthArgs {
    /// The configuration of the node.
    #[arg(long, value_name = "FILE", default_value = "node.toml", env = "PLEIAD_CONFIG")]
    pub config: PathBuf,
}

/// Runs `pleiad health`.
pub fn run(args: HealthArgs, output: Output) -> Result<(), Failure> {
    let config = Config::load(&args.config, std::env::vars())?;
    let door = reached_at(config.operations_listen);
    let api = Api::operations(door)?;
    let answer = wait(async {
        match tokio::time::timeout(ANSWER_WITHIN, api.get("/health/ready", &[])).await {
            Ok(answer) => answer.map_err(|error| unready(door, error)),
            Err(_) => Err(silent(door, format_args!("nothing came within {} s", ANSWER_WITHIN.as_secs()))),
        }
    })?;
    if output.json {
        return output.thing(&answer.body);
    }
    output.text(&format!("{} is ready\n", config.identity))
}

/// The address under which a listener is reached from its own machine.
fn reached_at(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

fn unready(door: SocketAddr, error: ApiError) -> Failure {
    match error {
        ApiError::Refused { detail, .. } if !detail.is_empty() => Failure::new(Exit::Error, detail),
        ApiError::Unreachable { reason, .. } => silent(door, reason),
        other => other.into(),
    }
}

fn silent(door: SocketAddr, reason: impl std::fmt::Display) -> Failure {
    let text = format!("the operations door at {door} does not answer ({reason}): check that the node runs");
    Failure::new(Exit::Error, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_door_that_listens_everywhere_is_asked_on_loopback_and_any_other_where_it_listens() {
        for (listen, reached) in [
            ("0.0.0.0:9090", "127.0.0.1:9090"),
            ("[::]:9090", "[::1]:9090"),
            ("127.0.0.1:1", "127.0.0.1:1"),
            ("10.0.0.7:9090", "10.0.0.7:9090"),
        ] {
            assert_eq!(reached_at(listen.parse().unwrap()).to_string(), reached);
        }
    }
}
