//! `pleiad peer`: the node's own peer file, and the peers it trusts.
//!
//! Two nodes come to trust each other in three steps: each publishes its file, each pins the other's list key after
//! comparing it by telephone, each adds the other's file. From then on newer files travel by themselves.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use serde_json::json;
use url::Url;

use super::{Exit, Failure, Output};
use crate::clock::{Clock, SystemClock};
use crate::domain::ids::{Country, TrustDomain};
use crate::keys::{KeyFileError, Keyring, Modes, PublicKey, SignerName, files};
use crate::peers::Member;
use crate::peers::pins::Pins;
use crate::peers::publish::{self, Description, Publisher};
use crate::peers::tls::OwnCertificate;
use crate::peers::trust::{DEFAULT_GRACE, Offered, PeerReport, Standing, Trust};

/// Arguments of `pleiad peer`.
#[derive(Debug, Args)]
pub struct PeerArgs {
    /// The folder with the node's data.
    #[arg(long, env = "PLEIAD_DATA", default_value = "data", global = true)]
    pub data: PathBuf,
    /// What to do.
    #[command(subcommand)]
    pub verb: PeerVerb,
}

/// The verbs of `pleiad peer`.
#[derive(Debug, Subcommand)]
pub enum PeerVerb {
    /// Sign the node's own peer file; what is not said stays as it was.
    Publish {
        /// The node's name, for people.
        #[arg(long)]
        name: Option<String>,
        /// A country that the node may speak for, such as FI; may be repeated.
        #[arg(long = "country")]
        countries: Vec<Country>,
        /// The base address of the federation door, https://host:port/; may be repeated.
        #[arg(long = "address")]
        addresses: Vec<Url>,
        /// The DNS name in the node's certificate; by default the host of the first address.
        #[arg(long)]
        server_name: Option<String>,
    },
    /// Trust a domain's list key, in place of the one trusted before.
    Pin {
        /// The domain, such as de.pleiad.example.
        domain: TrustDomain,
        /// Its list key, as its owner reads it out; two while it is being replaced.
        #[arg(required = true, num_args = 1..=2)]
        keys: Vec<PublicKey>,
    },
    /// Trust a domain no more.
    Unpin {
        /// The domain.
        domain: TrustDomain,
    },
    /// Take a peer file, if it is by a pinned key and newer than the one in use.
    Add {
        /// The file.
        file: PathBuf,
    },
    /// List the pinned domains and how each stands.
    List,
}

/// Runs `pleiad peer`.
pub fn run(args: PeerArgs, output: Output) -> Result<(), Failure> {
    let member = Member::in_folder(args.data);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    match args.verb {
        PeerVerb::Publish { name, countries, addresses, server_name } => {
            let own = OwnCertificate::load(member.node_certificate(), Modes::Enforce)?;
            let publisher = Publisher::new(member, own.identity(), Modes::Enforce, clock);
            let described = publisher.current()?.map(|file| Description::of(&file));
            let description = describe(described, name, countries, addresses, server_name)?;
            let file = publisher.publish(&description, publish::LIFETIME)?;
            output.thing(&json!({
                "node": file.node,
                "sequence": file.sequence,
                "next_update": file.next_update,
                "file": publisher.path(),
            }))
        }
        PeerVerb::Pin { domain, keys } => {
            let mut pins = Pins::read(&member.pins())?;
            pins.pin(domain, keys);
            Ok(pins.write(&member.pins())?)
        }
        PeerVerb::Unpin { domain } => {
            let mut pins = Pins::read(&member.pins())?;
            if !pins.unpin(&domain) {
                return Err(Failure::new(Exit::NotFound, format!("{domain} is not pinned")));
            }
            Ok(pins.write(&member.pins())?)
        }
        PeerVerb::Add { file } => {
            let bytes = files::read(&file, crate::peers::peer_file::MAX_BYTES).map_err(|error| match error {
                KeyFileError::Missing { path } => {
                    Failure::new(Exit::NotFound, format!("{} is not there", path.display()))
                }
                other => other.into(),
            })?;
            let text = String::from_utf8_lossy(&bytes);
            match open_trust(&member, clock)?.offer(&text) {
                Offered::Accepted { domain, sequence } => {
                    output.thing(&json!({"domain": domain, "sequence": sequence, "in_use": true}))
                }
                Offered::Older => {
                    output.remark("The file in use is as new or newer; nothing was changed.");
                    Ok(())
                }
                Offered::Refused(reason) => {
                    Err(Failure::new(Exit::Denied, format!("{} is refused: {reason}", file.display())))
                }
            }
        }
        PeerVerb::List => {
            let trust = open_trust(&member, clock)?;
            for problem in trust.state().problems() {
                output.remark(format!("warning: {problem}"));
            }
            for report in trust.state().files().iter().filter(|report| report.domain.is_none()) {
                if let Some(reason) = &report.refused {
                    output.remark(format!("warning: {} is refused: {reason}", report.file));
                }
            }
            let things: Vec<_> = trust.report().iter().map(row).collect();
            output.list(&["domain", "name", "countries", "standing", "sequence", "next_update", "problem"], &things)
        }
    }
}

fn describe(
    before: Option<Description>,
    name: Option<String>,
    countries: Vec<Country>,
    addresses: Vec<Url>,
    server_name: Option<String>,
) -> Result<Description, Failure> {
    let missing = |what: &str| Failure::new(Exit::Usage, format!("the first peer file needs {what}"));
    let countries: BTreeSet<Country> = countries.into_iter().collect();
    let mut description = match before {
        Some(before) => before,
        None => {
            let first = addresses.first().ok_or_else(|| missing("--address"))?;
            if countries.is_empty() {
                return Err(missing("--country"));
            }
            Description {
                name: name.clone().ok_or_else(|| missing("--name"))?,
                countries: countries.clone(),
                server_name: first.host_str().unwrap_or_default().to_owned(),
                addresses: addresses.clone(),
            }
        }
    };
    if let Some(name) = name {
        description.name = name;
    }
    if !countries.is_empty() {
        description.countries = countries;
    }
    if !addresses.is_empty() {
        description.addresses = addresses;
    }
    if let Some(server_name) = server_name {
        description.server_name = server_name;
    }
    Ok(description)
}

/// The trust list of a node, which trusts its own list key, or of a participant, which has none.
fn open_trust(member: &Member, clock: Arc<dyn Clock>) -> Result<Arc<Trust>, Failure> {
    let own = OwnCertificate::load(member.node_certificate(), Modes::Enforce).ok();
    let key = Keyring::new(member.keys(), Modes::Enforce).signer(SignerName::List).ok();
    let own = own.zip(key).map(|(own, key)| (own.identity().domain().clone(), key.public_key()));
    Ok(Trust::open(member.trust(), own, DEFAULT_GRACE, clock)?)
}

fn row(report: &PeerReport) -> serde_json::Value {
    let file = report.file.as_ref();
    let refused = report.refused.iter().filter_map(|one| Some(format!("{}: {}", one.file, one.refused.as_ref()?)));
    let problems: Vec<String> =
        report.standing.as_ref().err().map(ToString::to_string).into_iter().chain(refused).collect();
    json!({
        "domain": report.domain,
        "name": file.map(|file| &file.name),
        "countries": file.map(|file| &file.countries),
        "standing": match report.standing {
            Ok(Standing::Valid) => "valid",
            Ok(Standing::StaleTrust) => "stale_trust",
            Err(_) => "refused",
        },
        "sequence": file.map(|file| file.sequence),
        "next_update": file.map(|file| file.next_update),
        "crl_next_update": report.crl_next_update,
        "addresses": file.map(|file| &file.addresses),
        "problem": if problems.is_empty() { None } else { Some(problems.join("; ")) },
    })
}
