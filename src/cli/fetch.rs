//! `pleiad fetch`: from an agreement to a folder that is done.
//!
//! The holder's machine has a folder of its own with its certificate and trust list, as `pleiad keys` and `pleiad peer`
//! make it. The home node says what was agreed; the bytes come straight from the owner's door.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use url::Url;

use super::connect::{NodeArgs, failed};
use super::{Exit, Failure, Output};
use crate::clock::SystemClock;
use crate::delivery::fetch::{FetchError, Fetcher, Options, Progress, Wanted, Watcher};
use crate::domain::agreement::Agreement;
use crate::domain::ids::{Identity, OpaqueId, TrustDomain};
use crate::keys::Modes;
use crate::outbound::federation::{self, Federation};
use crate::peers::Member;
use crate::peers::tls::OwnCertificate;
use crate::peers::trust::{DEFAULT_GRACE, Trust};

/// Arguments of `pleiad fetch`.
#[derive(Debug, Args)]
pub struct FetchArgs {
    #[command(flatten)]
    node: NodeArgs,
    /// The agreement.
    agreement: OpaqueId,
    /// The folder for the bytes. It is done when `receipt.json` stands in it.
    #[arg(long)]
    to: PathBuf,
    /// The holder's own folder, with `keys/participant.pem` and `trust/`.
    #[arg(long, env = "PLEIAD_DATA", default_value = "data")]
    data: PathBuf,
    /// The domain of the owner's node, to go there without asking the home node first.
    #[arg(long, value_name = "DOMAIN")]
    owner: Option<TrustDomain>,
    /// A proxy to go out through, such as http://proxy.example:3128. The environment is not looked at.
    #[arg(long)]
    proxy: Option<Url>,
    /// How many shards at once.
    #[arg(long, default_value_t = 3)]
    parallel: usize,
    /// Seconds without a byte after which it stops, to be run again.
    #[arg(long, default_value_t = 300)]
    patience: u64,
}

/// Runs `pleiad fetch`.
pub fn run(args: FetchArgs, output: Output) -> Result<(), Failure> {
    let member = Member::in_folder(&args.data);
    let clock = Arc::new(SystemClock);
    let own = OwnCertificate::load(member.participant_certificate(), Modes::Warn)?;
    let trust = Trust::open(member.trust(), None, DEFAULT_GRACE, clock.clone())?;
    let options = federation::Options { proxy: args.proxy.clone(), ..federation::Options::default() };
    let outbound = Arc::new(Federation::new(own.clone(), trust.clone(), options));
    let options = Options {
        parallel: args.parallel,
        patience: std::time::Duration::from_secs(args.patience),
        ..Options::default()
    };
    let runtime = super::runtime()?;
    let done = runtime.block_on(async {
        let agreed = match &args.owner {
            Some(_) => None,
            None => {
                let path = format!("/api/v1/agreements/{}", args.agreement);
                let reply = args.node.connect()?.get(&path, &[]).await.map_err(failed)?;
                Some(serde_json::from_value::<Agreement>(reply.body)?)
            }
        };
        let domain = match (&args.owner, &agreed) {
            (Some(domain), _) => domain.clone(),
            (None, Some(agreed)) => agreed.owner.domain().clone(),
            (None, None) => return Err(Failure::new(Exit::Usage, "name the owner's domain with --owner")),
        };
        let wanted = Wanted {
            agreement: args.agreement.clone(),
            owner: owner_node(&trust, &domain)?,
            manifest: agreed.map(|agreed| agreed.manifest),
        };
        let fetcher = Fetcher::new(outbound, own, clock, options, watcher(output));
        let receipt = tokio::select! {
            fetched = fetcher.fetch(&wanted, &args.to) => fetched.map_err(|error| Failure::new(exit(&error), error))?,
            _ = tokio::signal::ctrl_c() => {
                return Err(Failure::new(Exit::Interrupted, "interrupted; run the same command again to go on"));
            }
        };
        if args.owner.is_none() {
            let sent = args.node.connect()?.post("/api/v1/receipts", &receipt.receipt).await;
            if let Err(error) = sent {
                // The bytes are here and verified; the same command sends the receipt again.
                output.remark(format_args!("the home node did not take the receipt: {error}"));
            }
        }
        Ok(receipt)
    })?;
    let receipt = &done.receipt;
    let mut done = json!({
        "receipt": receipt.id,
        "agreement": receipt.agreement,
        "dataset": receipt.dataset,
        "revision": receipt.revision,
        "shards": receipt.shards.len(),
        "folder": args.to,
        "completed": receipt.completed,
    });
    if output.json {
        done["step"] = "done".into();
    }
    output.thing(&done)
}

fn owner_node(trust: &Trust, domain: &TrustDomain) -> Result<Identity, Failure> {
    let state = trust.state();
    let node = state.peer(domain).map(|peer| peer.file.node.clone());
    let missing = || format!("{domain} is not in the trust list here; pin its list key and add its peer file first");
    node.ok_or_else(|| Failure::new(Exit::Denied, missing()))
}

fn exit(error: &FetchError) -> Exit {
    match error {
        FetchError::Denied(_) => Exit::Denied,
        FetchError::NotFound(_) => Exit::NotFound,
        FetchError::NotAsAgreed(_) | FetchError::Mismatch(_) => Exit::Integrity,
        FetchError::GivenUp { .. } => Exit::Interrupted,
        FetchError::Folder(_) | FetchError::File(_) => Exit::Error,
    }
}

/// JSON lines with `--json`, a bar on a terminal, else nothing but what has to be waited for.
fn watcher(output: Output) -> Watcher {
    if output.json {
        return Arc::new(move |progress| {
            let line = match progress {
                Progress::Planned { shards, bytes } => json!({ "step": "planned", "shards": shards, "bytes": bytes }),
                Progress::Done { shard, bytes } => json!({ "step": "shard", "shard": shard, "bytes": bytes }),
                Progress::Waiting { reason, ms } => json!({ "step": "waiting", "reason": reason, "ms": ms }),
                Progress::Seen(_) | Progress::Received(_) => return,
            };
            // A reader who left is told nothing; the fetch goes on.
            let _ = output.text(&format!("{line}\n"));
        });
    }
    if output.quiet || !std::io::stderr().is_terminal() {
        return Arc::new(move |progress| {
            if let Progress::Waiting { reason, ms } = progress {
                output.remark(format_args!("{reason}; trying again in {ms} ms"));
            }
        });
    }
    let bar = ProgressBar::new(0);
    let style = "{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta} {msg}";
    bar.set_style(ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()));
    Arc::new(move |progress| match progress {
        Progress::Planned { bytes, .. } => bar.set_length(bytes),
        Progress::Seen(bytes) => {
            bar.inc(bytes);
            bar.set_message("verifying what is here");
        }
        Progress::Received(bytes) => {
            bar.inc(bytes);
            bar.set_message("");
        }
        Progress::Done { shard, .. } => bar.println(format!("{shard}: every byte verified")),
        Progress::Waiting { reason, ms } => bar.set_message(format!("{reason}; again in {ms} ms")),
    })
}
