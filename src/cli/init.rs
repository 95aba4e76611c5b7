//! `pleiad init`: a new node in a folder of its own, ready for `pleiad serve`.
//!
//! What is made: the configuration, a CA and the keys with which the node signs, the node's certificate and peer file,
//! and a token for the first administrator. A member state that keeps its CA on another machine uses `pleiad keys`
//! instead.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use serde_json::json;
use url::Url;

use super::connect::wait;
use super::{Exit, Failure, Output};
use crate::accounts::Wish;
use crate::clock::{Clock, SystemClock};
use crate::config::{self, Config};
use crate::domain::event::{Actor, Role};
use crate::domain::ids::{Country, Identity, LocalId, TrustDomain};
use crate::keys::{Keyring, Modes, SignerName, files};
use crate::node::local_accounts;
use crate::peers::Member;
use crate::peers::authority::{Authority, CA_LIFETIME, DEFAULT_LIFETIME};
use crate::peers::enrol::Enrolment;
use crate::peers::publish::{self, Description, Publisher};

/// Arguments of `pleiad init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// The folder to make; it must not hold a node yet.
    pub folder: PathBuf,
    /// The node's id within its domain, such as fi.
    #[arg(long)]
    pub id: LocalId,
    /// The trust domain, such as fi.pleiad.example.
    #[arg(long)]
    pub domain: TrustDomain,
    /// A country for which the node speaks, such as FI; may be repeated.
    #[arg(long = "country", required = true)]
    pub countries: Vec<Country>,
    /// The node's name, for people.
    #[arg(long)]
    pub name: Option<String>,
    /// Where the door for people listens.
    #[arg(long, default_value = "127.0.0.1:8080")]
    pub web: SocketAddr,
    /// Where the door for peers listens.
    #[arg(long, default_value = "127.0.0.1:8443")]
    pub federation: SocketAddr,
    /// Where the door for probes listens.
    #[arg(long, default_value = "127.0.0.1:9090")]
    pub operations: SocketAddr,
    /// The address under which peers reach the node, https://host:port/; by default that of the listener.
    #[arg(long)]
    pub address: Option<Url>,
}

/// Runs `pleiad init`.
pub fn run(args: InitArgs, output: Output) -> Result<(), Failure> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let path = args.folder.join("node.toml");
    if path.exists() {
        return Err(Failure::new(
            Exit::Usage,
            format!("{} holds a node already: name another folder", args.folder.display()),
        ));
    }
    let name = args.name.clone().unwrap_or_else(|| args.id.to_string());
    let address = match args.address.clone() {
        Some(address) => address,
        None => format!("https://{}/", args.federation).parse()?,
    };
    let host = address.host_str().unwrap_or("localhost").trim_matches(['[', ']']).to_owned();

    let member = Member::in_folder(args.folder.join("data"));
    make_keys(&member, &args, &name, &host, &address, clock.clone())?;

    // The configuration comes last of what a second try would trip over.
    files::write_new(&path, configuration(&args, &name, &host, &address).as_bytes(), files::PUBLIC)?;
    let token = args.folder.join("administrator.token");
    make_administrator(&path, &token, clock)?;
    output.remark(format_args!("start it with `pleiad serve --config {}`", path.display()));
    let identity = Identity::node(args.domain, args.id);
    output.thing(&json!({ "node": identity, "configuration": path, "administrator_token": token }))
}

fn make_keys(
    member: &Member,
    args: &InitArgs,
    name: &str,
    host: &str,
    address: &Url,
    clock: Arc<dyn Clock>,
) -> Result<(), Failure> {
    let identity = Identity::node(args.domain.clone(), args.id.clone());
    let authority = Authority::create(member.keys(), &args.domain, name, CA_LIFETIME, clock.clone())?;
    let keyring = Keyring::new(member.keys(), Modes::Enforce);
    for name in [SignerName::List, SignerName::Log, SignerName::Agreement] {
        keyring.signer_or_create(name)?;
    }
    let enrolment = Enrolment::new(&member.keys(), "node", Modes::Enforce);
    let certificate = authority.sign(&enrolment.request()?, &identity, &[host.to_owned()], DEFAULT_LIFETIME)?;
    enrolment.install(&certificate)?;
    let description = Description {
        name: name.to_owned(),
        countries: args.countries.iter().cloned().collect(),
        addresses: vec![address.clone()],
        server_name: host.to_owned(),
    };
    Publisher::new(member.clone(), identity, Modes::Enforce, clock).publish(&description, publish::LIFETIME)?;
    Ok(())
}

fn configuration(args: &InitArgs, name: &str, host: &str, address: &Url) -> String {
    let text = |value: &dyn std::fmt::Display| toml::Value::String(value.to_string()).to_string();
    let countries: Vec<String> = args.countries.iter().map(|country| text(country)).collect();
    config::sample_with(&[
        ("node.id", text(&args.id)),
        ("node.domain", text(&args.domain)),
        ("node.countries", format!("[{}]", countries.join(", "))),
        ("node.name", format!("{{ en = {} }}", text(&name))),
        ("web.listen", text(&args.web)),
        ("federation.listen", text(&args.federation)),
        ("federation.server_name", text(&host)),
        ("federation.addresses", format!("[{}]", text(address))),
        ("operations.listen", text(&args.operations)),
    ])
}

fn make_administrator(configuration: &Path, token: &Path, clock: Arc<dyn Clock>) -> Result<(), Failure> {
    let config = Config::load(configuration, [])?;
    let accounts = local_accounts(&config, clock)?;
    let note = "the first administrator".to_owned();
    let wish = Wish { role: Role::Administrator, participant: None, note, expires: None };
    let made = wait(async { Ok(accounts.make(Actor::Operator, wish).await?) })?;
    files::write_new(token, format!("{}\n", made.secret).as_bytes(), files::PRIVATE)?;
    Ok(())
}
