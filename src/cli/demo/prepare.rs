//! Seven member states on one machine: for each a CA, a certificate, a peer file, a configuration, and trust in the others.
//!
//! What a member state does by hand and by telephone with `pleiad keys` and `pleiad peer` is done here at once, in the
//! same files, so that what runs afterwards is a federation like any other. The containers of `docker-compose.yml` are
//! prepared the same way.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::SignedDuration;

use super::consortia::NodeSheet;
use crate::cli::{Exit, Failure};
use crate::clock::{Clock, SystemClock};
use crate::domain::ids::{Identity, LocalId};
use crate::keys::{Keyring, Modes, SignerName, files};
use crate::peers::Member;
use crate::peers::authority::{Authority, CA_LIFETIME, DEFAULT_LIFETIME};
use crate::peers::enrol::Enrolment;
use crate::peers::pins::Pins;
use crate::peers::publish::{self, Description, Publisher};

/// Where a node listens and how others reach it.
#[derive(Debug, Clone)]
pub struct Place {
    /// For people.
    pub web: SocketAddr,
    /// For peers.
    pub federation: SocketAddr,
    /// For probes.
    pub operations: SocketAddr,
    /// The host that peers dial, and the name in the certificate.
    pub host: String,
    /// Whether the door for people has a certificate of the node's CA; off loopback it must.
    pub web_tls: bool,
}

/// A node that is ready to be started.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// Its sheet.
    pub sheet: NodeSheet,
    /// Where it listens.
    pub place: Place,
    /// Its folder.
    pub folder: PathBuf,
}

impl Prepared {
    /// Its configuration.
    pub fn config(&self) -> PathBuf {
        self.folder.join("node.toml")
    }

    /// Its data.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Who it is.
    pub fn identity(&self) -> Identity {
        Identity::node(self.sheet.domain.clone(), self.sheet.id.clone())
    }

    /// Enrols a participant of this member state in a folder of its own, as `pleiad keys request`, `sign` and `install` do.
    pub fn enrol(&self, participant: &LocalId, folder: &Path) -> Result<Member, Failure> {
        let member = Member::in_folder(folder);
        let identity = Identity::participant(self.sheet.domain.clone(), participant.clone());
        let authority = Authority::open(Member::in_folder(self.data()).keys(), Modes::Enforce, Arc::new(SystemClock))
            .map_err(failed)?;
        let enrolment = Enrolment::new(&member.keys(), "participant", Modes::Enforce);
        let request = enrolment.request().map_err(failed)?;
        let certificate = authority.sign(&request, &identity, &[], DEFAULT_LIFETIME).map_err(failed)?;
        enrolment.install(&certificate).map_err(failed)?;
        Ok(member)
    }
}

/// Makes the folders of a federation below `root`.
pub fn federation(root: &Path, nodes: &[(NodeSheet, Place)]) -> Result<Vec<Prepared>, Failure> {
    let prepared: Vec<Prepared> = nodes
        .iter()
        .map(|(sheet, place)| Prepared {
            sheet: sheet.clone(),
            place: place.clone(),
            folder: root.join(sheet.id.as_str()),
        })
        .collect();
    for node in &prepared {
        found(node)?;
    }
    for node in &prepared {
        let member = Member::in_folder(node.data());
        let trusted = prepared.iter().filter(|other| other.sheet.id != node.sheet.id).map(Prepared::data);
        trust(&member, trusted)?;
    }
    Ok(prepared)
}

/// Pins the list keys of the nodes whose data lie in `others`, and takes their peer files.
pub fn trust(member: &Member, others: impl Iterator<Item = PathBuf>) -> Result<(), Failure> {
    let mut pins = Pins::read(&member.pins()).map_err(failed)?;
    for data in others {
        let other = Member::in_folder(data);
        let key = Keyring::new(other.keys(), Modes::Enforce).signer(SignerName::List).map_err(failed)?.public_key();
        let authority = Authority::open(other.keys(), Modes::Enforce, Arc::new(SystemClock)).map_err(failed)?;
        let name = format!("{}.jws", authority.domain());
        pins.pin(authority.domain().clone(), vec![key]);
        let file = std::fs::read(other.trust().join(&name)).map_err(failed)?;
        files::replace(&member.trust().join(&name), &file, files::PUBLIC).map_err(failed)?;
    }
    pins.write(&member.pins()).map_err(failed)
}

/// One member state: its CA, the keys its node signs with, the node's certificate, configuration and peer file.
fn found(node: &Prepared) -> Result<(), Failure> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let member = Member::in_folder(node.data());
    let domain = &node.sheet.domain;
    let authority =
        Authority::create(member.keys(), domain, domain.as_str(), CA_LIFETIME, Arc::clone(&clock)).map_err(failed)?;
    let keyring = Keyring::new(member.keys(), Modes::Enforce);
    for name in [SignerName::List, SignerName::Log, SignerName::Agreement] {
        keyring.signer_or_create(name).map_err(failed)?;
    }
    let names = [node.place.host.clone(), "localhost".to_owned()];
    certify(&authority, &member, "node", &node.identity(), &names)?;
    if node.place.web_tls {
        certify(&authority, &member, "web", &node.identity(), &names)?;
    }
    std::fs::write(node.config(), settings(node)).map_err(failed)?;
    let description = Description {
        name: node.sheet.name.best(&[]).1.to_owned(),
        countries: node.sheet.countries.iter().cloned().collect::<BTreeSet<_>>(),
        addresses: vec![address(&node.place)?],
        server_name: node.place.host.clone(),
    };
    let lifetime: SignedDuration = publish::LIFETIME;
    Publisher::new(member, node.identity(), Modes::Enforce, clock).publish(&description, lifetime).map_err(failed)?;
    Ok(())
}

fn certify(
    authority: &Authority,
    member: &Member,
    name: &str,
    who: &Identity,
    hosts: &[String],
) -> Result<(), Failure> {
    let enrolment = Enrolment::new(&member.keys(), name, Modes::Enforce);
    let request = enrolment.request().map_err(failed)?;
    let certificate = authority.sign(&request, who, hosts, DEFAULT_LIFETIME).map_err(failed)?;
    enrolment.install(&certificate).map_err(failed)?;
    Ok(())
}

fn address(place: &Place) -> Result<url::Url, Failure> {
    format!("https://{}:{}/", place.host, place.federation.port()).parse().map_err(failed)
}

/// The node's configuration, as `config/node.toml` documents it.
fn settings(node: &Prepared) -> String {
    let Prepared { sheet, place, .. } = node;
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let countries: Vec<String> = sheet.countries.iter().map(|country| quoted(country.as_str())).collect();
    let names: Vec<String> =
        sheet.name.iter().map(|(language, name)| format!("{} = {}", quoted(language.as_str()), quoted(name))).collect();
    let web_tls = if place.web_tls { "certificate = \"data/keys/web.pem\"\nkey = \"data/keys/web.pem\"\n" } else { "" };
    format!(
        "# A node of the demonstration; config/node.toml documents every key.\n\
         data = \"data\"\n\n\
         [node]\nid = {id}\ndomain = {domain}\ncountries = [{countries}]\nname = {{ {names} }}\n\n\
         [web]\nlisten = \"{web}\"\n{web_tls}\n\
         [federation]\nlisten = \"{federation}\"\nserver_name = {host}\naddresses = [\"https://{bare}:{port}/\"]\n\n\
         [operations]\nlisten = \"{operations}\"\n\n\
         [log]\nformat = \"text\"\nlevel = \"info\"\n",
        id = quoted(sheet.id.as_str()),
        domain = quoted(sheet.domain.as_str()),
        countries = countries.join(", "),
        names = names.join(", "),
        web = place.web,
        federation = place.federation,
        host = quoted(&place.host),
        bare = place.host,
        port = place.federation.port(),
        operations = place.operations,
    )
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::new(Exit::Error, error.to_string())
}
