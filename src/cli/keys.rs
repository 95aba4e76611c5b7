//! `pleiad keys`: a member state's CA, and certificates for its node and its participants.
//!
//! The usual way for a node with its CA on the same machine:
//!
//! ```text
//! pleiad keys create-ca --domain fi.pleiad.example
//! pleiad keys request | pleiad keys sign - --node fi --server-name node.fi.example | pleiad keys install -
//! pleiad keys renew
//! ```
//!
//! A participant runs `request` and `install` on its own machine and sends only the request, never a key.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand, ValueEnum};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{Exit, Failure, Output};
use crate::clock::{Clock, SystemClock};
use crate::domain::ids::{Digest, Identity, LocalId, TrustDomain};
use crate::keys::{KeyFileError, Keyring, Modes, SignerName, files};
use crate::peers::authority::{self, Authority, AuthorityError, Which};
use crate::peers::enrol::Enrolment;
use crate::peers::identity::Presented;
use crate::peers::publish::{self, Description, Publisher};
use crate::peers::tls::OwnCertificate;
use crate::peers::{Member, renewal, verify};

/// Arguments of `pleiad keys`.
#[derive(Debug, Args)]
pub struct KeysArgs {
    /// The folder with the node's data.
    #[arg(long, env = "PLEIAD_DATA", default_value = "data", global = true)]
    pub data: PathBuf,
    /// What to do.
    #[command(subcommand)]
    pub verb: KeysVerb,
}

/// The verbs of `pleiad keys`.
#[derive(Debug, Subcommand)]
pub enum KeysVerb {
    /// Make a CA for a domain, and the keys with which its node signs.
    CreateCa {
        /// The trust domain for which the CA speaks, such as fi.pleiad.example.
        #[arg(long)]
        domain: TrustDomain,
        /// The name of the member state or consortium, for people.
        #[arg(long)]
        name: Option<String>,
        /// For how many days the CA certificate is valid.
        #[arg(long, default_value_t = 3650, value_parser = clap::value_parser!(u16).range(1..=7300))]
        days: u16,
    },
    /// Make a key and print the signing request for it.
    Request {
        /// For whom.
        #[arg(long = "for", value_enum, default_value_t = Whose::Node)]
        whose: Whose,
    },
    /// Sign a request with the CA and print the certificate.
    Sign {
        /// The file with the request or renewal; - reads standard input.
        request: PathBuf,
        /// Sign it for the node of that id.
        #[arg(long, group = "who")]
        node: Option<LocalId>,
        /// Sign it for the participant of that id.
        #[arg(long, group = "who")]
        participant: Option<LocalId>,
        /// A DNS name or address at which the node is reached; may be repeated.
        #[arg(long = "server-name")]
        server_names: Vec<String>,
        /// For how many days the certificate is valid.
        #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..=825))]
        days: u16,
    },
    /// Put a certificate in place beside the key that waits for it.
    Install {
        /// The file with the certificate; - reads standard input.
        certificate: PathBuf,
        /// For whom.
        #[arg(long = "for", value_enum, default_value_t = Whose::Node)]
        whose: Whose,
    },
    /// Renew a certificate: with the CA on this machine at once, otherwise print the renewal to be signed.
    Renew {
        /// Whose.
        #[arg(long = "for", value_enum, default_value_t = Whose::Node)]
        whose: Whose,
        /// For how many days the new certificate is valid, where the CA is on this machine.
        #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..=825))]
        days: u16,
    },
    /// Take certificates back, and write the revocation list and the peer file anew.
    Revoke {
        /// The one with that SHA-256 fingerprint.
        #[arg(long, group = "which")]
        fingerprint: Option<Digest>,
        /// The one with that serial number, in hexadecimal.
        #[arg(long, group = "which")]
        serial: Option<String>,
        /// All of that identity, such as spiffe://fi.pleiad.example/participant/csc.
        #[arg(long, group = "which")]
        identity: Option<Identity>,
        /// Why.
        #[arg(long, value_enum, default_value_t = Why::Unspecified)]
        reason: Why,
    },
    /// Write the revocation list anew, with the next number.
    Crl {
        /// For how many hours it is valid.
        #[arg(long, default_value_t = 120, value_parser = clap::value_parser!(u16).range(1..=2160))]
        hours: u16,
    },
    /// Show the CA, the certificates in use, the key that others pin, and the one that checks the log.
    Show {
        /// Also list every certificate that the CA issued.
        #[arg(long)]
        issued: bool,
    },
}

/// Whose certificate is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Whose {
    /// The node's.
    Node,
    /// A participant's, on its own machine.
    Participant,
}

impl Whose {
    fn enrolment(self, member: &Member) -> Enrolment {
        let name = match self {
            Self::Node => "node",
            Self::Participant => "participant",
        };
        Enrolment::new(&member.keys(), name, Modes::Enforce)
    }
}

/// Why a certificate is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Why {
    /// No reason is given.
    Unspecified,
    /// Somebody else may have the private key.
    KeyCompromise,
    /// The holder left, or changed its name.
    AffiliationChanged,
    /// A newer certificate replaced it.
    Superseded,
    /// The holder stopped.
    CessationOfOperation,
    /// The right to it was taken away.
    PrivilegeWithdrawn,
}

impl From<Why> for authority::Reason {
    fn from(why: Why) -> Self {
        match why {
            Why::Unspecified => Self::Unspecified,
            Why::KeyCompromise => Self::KeyCompromise,
            Why::AffiliationChanged => Self::AffiliationChanged,
            Why::Superseded => Self::Superseded,
            Why::CessationOfOperation => Self::CessationOfOperation,
            Why::PrivilegeWithdrawn => Self::PrivilegeWithdrawn,
        }
    }
}

/// Runs `pleiad keys`.
pub fn run(args: KeysArgs, output: Output) -> Result<(), Failure> {
    let member = Member::in_folder(args.data);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    match args.verb {
        KeysVerb::CreateCa { domain, name, days } => create_ca(&member, clock, &domain, name, days, output),
        KeysVerb::Request { whose } => output.text(&whose.enrolment(&member).request()?),
        KeysVerb::Sign { request, node, participant, server_names, days } => {
            let text = read_input(&request)?;
            let ca = open_ca(&member, clock)?;
            let is_node = node.is_some();
            let identity = match (node, participant) {
                (Some(id), _) => Some(Identity::node(ca.domain().clone(), id)),
                (_, Some(id)) => Some(Identity::participant(ca.domain().clone(), id)),
                _ => None,
            };
            let certificate = match (identity, renewal::is_renewal(&text)) {
                (Some(identity), false) => ca.sign(&text, &identity, &server_names, in_days(days)),
                (None, true) => ca.renew(&text, in_days(days)),
                (Some(_), true) => {
                    let what =
                        "a renewal keeps the identity of the old certificate: leave out --node and --participant";
                    return Err(Failure::new(Exit::Usage, what));
                }
                (None, false) => {
                    return Err(Failure::new(Exit::Usage, "say for whom: --node ID or --participant ID"));
                }
            };
            let certificate = certificate.map_err(refused)?;
            if is_node && server_names.is_empty() {
                output.remark("The certificate has no --server-name: peers do not need one, but other TLS clients do.");
            }
            output.text(&certificate)
        }
        KeysVerb::Install { certificate, whose } => {
            let enrolment = whose.enrolment(&member);
            let presented = enrolment.install(&read_input(&certificate)?)?;
            output.remark(format!("{} is in {}", presented.identity, enrolment.path().display()));
            Ok(())
        }
        KeysVerb::Renew { whose, days } => renew(&member, clock, whose, days, output),
        KeysVerb::Revoke { fingerprint, serial, identity, reason } => {
            let which = match (fingerprint, serial, identity) {
                (Some(fingerprint), _, _) => Which::Fingerprint(fingerprint),
                (_, Some(serial), _) => Which::Serial(serial),
                (_, _, Some(identity)) => Which::Identity(identity),
                _ => return Err(Failure::new(Exit::Usage, "say which: --fingerprint, --serial or --identity")),
            };
            let ca = open_ca(&member, Arc::clone(&clock))?;
            let revoked = ca.revoke(&which, reason.into()).map_err(refused)?;
            republish(&member, clock, output)?;
            let things: Vec<_> = revoked
                .iter()
                .map(|one| json!({"identity": one.identity, "fingerprint": one.fingerprint, "serial": one.serial, "reason": one.reason}))
                .collect();
            output.list(&["identity", "fingerprint", "serial", "reason"], &things)
        }
        KeysVerb::Crl { hours } => {
            let lifetime = SignedDuration::from_hours(i64::from(hours));
            let der = open_ca(&member, Arc::clone(&clock))?.write_crl(lifetime)?;
            republish(&member, clock, output)?;
            output.thing(&json!({"number": authority::crl_number(&der), "file": member.keys().join("crl.der")}))
        }
        KeysVerb::Show { issued } => show(&member, clock, issued, output),
    }
}

fn create_ca(
    member: &Member,
    clock: Arc<dyn Clock>,
    domain: &TrustDomain,
    name: Option<String>,
    days: u16,
    output: Output,
) -> Result<(), Failure> {
    let name = name.unwrap_or_else(|| domain.to_string());
    let ca = Authority::create(member.keys(), domain, &name, in_days(days), clock)?;
    let keyring = Keyring::new(member.keys(), Modes::Enforce);
    let list = keyring.signer_or_create(SignerName::List)?;
    for name in [SignerName::Log, SignerName::Agreement] {
        keyring.signer_or_create(name)?;
    }
    output.remark("Peers pin the list key; compare it with them over another channel than the one it travelled by.");
    output.thing(&json!({
        "domain": domain,
        "ca_fingerprint": Digest::of(ca.certificate()),
        "list_key": list.public_key(),
    }))
}

fn renew(member: &Member, clock: Arc<dyn Clock>, whose: Whose, days: u16, output: Output) -> Result<(), Failure> {
    let enrolment = whose.enrolment(member);
    let renewal = enrolment.renewal()?;
    match Authority::open(member.keys(), Modes::Enforce, clock) {
        Ok(ca) => {
            let certificate = ca.renew(&renewal, in_days(days)).map_err(refused)?;
            let presented = enrolment.install(&certificate)?;
            output.thing(&certificate_fields(&presented))
        }
        Err(AuthorityError::File(KeyFileError::Missing { .. })) => {
            output.remark("Send this to your home node's CA, and give its answer to `pleiad keys install`.");
            output.text(&renewal)
        }
        Err(error) => Err(error.into()),
    }
}

/// Signs the node's peer file anew, so that peers learn of a revocation. Before the first `pleiad peer publish` there is
/// nothing to sign anew.
fn republish(member: &Member, clock: Arc<dyn Clock>, output: Output) -> Result<(), Failure> {
    let Ok(own) = OwnCertificate::load(member.node_certificate(), Modes::Enforce) else { return Ok(()) };
    let publisher = Publisher::new(member.clone(), own.identity(), Modes::Enforce, clock);
    match publisher.current()? {
        Some(file) => {
            let file = publisher.publish(&Description::of(&file), publish::LIFETIME)?;
            output.remark(format!("The peer file has number {} now.", file.sequence));
        }
        None => output.remark("There is no peer file yet; `pleiad peer publish` writes it."),
    }
    Ok(())
}

fn show(member: &Member, clock: Arc<dyn Clock>, issued: bool, output: Output) -> Result<(), Failure> {
    let keys = member.keys();
    let now = clock.now();
    let mut thing = serde_json::Map::new();
    match authority::read_ca(&keys) {
        Ok(certificate) => {
            thing.insert("ca_domain".to_owned(), json!(authority::ca_domain(&keys, &certificate)?));
            thing.insert("ca_fingerprint".to_owned(), json!(Digest::of(&certificate)));
            thing.insert("ca_key_is_here".to_owned(), json!(keys.join("ca.key.pem").exists()));
            if let Ok(crl) = files::read(&keys.join("crl.der"), 16 << 20) {
                let next_update = verify::Authorities::read(&[&certificate], &[&crl])?.crl_next_update();
                thing.insert("crl_number".to_owned(), json!(authority::crl_number(&crl)));
                thing.insert("crl_next_update".to_owned(), json!(next_update));
                thing.insert("crl_is_stale".to_owned(), json!(next_update.is_none_or(|end| end <= now)));
            }
        }
        Err(KeyFileError::Missing { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    for (name, key) in [("list_key", SignerName::List), ("log_key", SignerName::Log)] {
        match Keyring::new(&keys, Modes::Enforce).signer(key) {
            Ok(signer) => {
                thing.insert(name.to_owned(), json!(signer.public_key()));
            }
            Err(KeyFileError::Missing { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    for (name, path) in [("node", member.node_certificate()), ("participant", member.participant_certificate())] {
        match OwnCertificate::load(path, Modes::Enforce) {
            Ok(own) => {
                thing.insert(name.to_owned(), json!(own.identity()));
                thing.insert(format!("{name}_fingerprint"), json!(own.fingerprint()));
                thing.insert(format!("{name}_not_after"), json!(own.not_after()));
                thing.insert(format!("{name}_days_left"), json!(days_left(own.not_after(), now)));
            }
            Err(KeyFileError::Missing { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    if thing.is_empty() {
        let what = format!(
            "there are no keys in {}: begin with `pleiad keys create-ca` or `pleiad keys request`",
            keys.display()
        );
        return Err(Failure::new(Exit::NotFound, what));
    }
    if !issued {
        return output.thing(&serde_json::Value::Object(thing));
    }
    let ca = open_ca(member, clock)?;
    let revoked = ca.revoked()?;
    let things: Vec<_> = ca
        .issued()?
        .iter()
        .map(|one| {
            let taken_back = revoked.iter().find(|revoked| revoked.fingerprint == one.fingerprint);
            json!({
                "identity": one.identity,
                "fingerprint": one.fingerprint,
                "serial": one.serial,
                "not_after": one.not_after,
                "revoked": taken_back.map(|revoked| revoked.reason),
            })
        })
        .collect();
    output.list(&["identity", "fingerprint", "serial", "not_after", "revoked"], &things)
}

fn certificate_fields(presented: &Presented) -> serde_json::Value {
    json!({
        "identity": presented.identity,
        "fingerprint": presented.fingerprint,
        "not_after": presented.not_after,
    })
}

fn open_ca(member: &Member, clock: Arc<dyn Clock>) -> Result<Authority, Failure> {
    Authority::open(member.keys(), Modes::Enforce, clock).map_err(refused)
}

/// Gives the CA's refusals their numbers.
fn refused(error: AuthorityError) -> Failure {
    let exit = match &error {
        AuthorityError::NotIssued(_) | AuthorityError::File(KeyFileError::Missing { .. }) => Exit::NotFound,
        AuthorityError::OtherDomain { .. } | AuthorityError::Renewal(_) | AuthorityError::Revoked(_) => Exit::Denied,
        AuthorityError::Request(_) | AuthorityError::ServerName(_) | AuthorityError::Lifetime(_) => Exit::Usage,
        _ => Exit::Error,
    };
    Failure::new(exit, error)
}

fn in_days(days: u16) -> SignedDuration {
    SignedDuration::from_hours(i64::from(days) * 24)
}

fn days_left(end: Timestamp, now: Timestamp) -> i64 {
    end.duration_since(now).as_hours() / 24
}

/// Reads a file, or standard input for `-`.
fn read_input(path: &Path) -> Result<String, Failure> {
    if path.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin().take(1 << 20).read_to_string(&mut text)?;
        return Ok(text);
    }
    let bytes = files::read(path, 1 << 20).map_err(|error| match error {
        KeyFileError::Missing { path } => Failure::new(Exit::NotFound, format!("{} is not there", path.display())),
        other => other.into(),
    })?;
    String::from_utf8(bytes).map_err(|_| Failure::new(Exit::Usage, format!("{} is not text", path.display())))
}
