//! A real node in a process of its own: set up as its operator would, started, killed, started again.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pleiad::accounts::{Accounts, Wish};
use pleiad::clock::{Clock, SystemClock};
use pleiad::domain::event::{Actor, Role};
use pleiad::domain::ids::{Identity, TrustDomain};
use pleiad::keys::{Keyring, Modes, SignerName};
use pleiad::node::layout;
use pleiad::peers::Member;
use pleiad::peers::authority::{Authority, CA_LIFETIME, DEFAULT_LIFETIME};
use pleiad::peers::enrol::Enrolment;
use pleiad::peers::publish::{self, Description, Publisher};
use pleiad::store::Store;
use tempfile::TempDir;

/// How long a start may take before it counts as wedged.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is on the node's disk, and where it listens.
pub struct Site {
    folder: TempDir,
    pub web: SocketAddr,
    operations: SocketAddr,
    pub token: String,
}

/// The running process.
pub struct Running(Child);

pub fn domain() -> TrustDomain {
    "fi.pleiad.example".parse().expect("a domain")
}

impl Site {
    /// Keys, configuration and a steward's token of a new node.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("kill").tempdir().expect("a folder");
        let (web, federation, operations) = (free(), free(), free());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let data = folder.path().join("data");
        let member = Member::in_folder(&data);
        let node = Identity::node(domain(), "fi".parse().expect("an id"));
        let authority =
            Authority::create(member.keys(), &domain(), "fi", CA_LIFETIME, Arc::clone(&clock)).expect("a CA");
        let enrolment = Enrolment::new(&member.keys(), "node", Modes::Enforce);
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let request = enrolment.request().expect("a signing request");
        let certificate = authority.sign(&request, &node, &names, DEFAULT_LIFETIME).expect("a certificate");
        enrolment.install(&certificate).expect("it is installed");
        Keyring::new(member.keys(), Modes::Enforce).create(SignerName::List).expect("a list key");
        let description = Description {
            name: "Finland".to_owned(),
            countries: ["FI".parse().expect("a country")].into(),
            addresses: vec![format!("https://{federation}/").parse().expect("an address")],
            server_name: "localhost".to_owned(),
        };
        let publisher = Publisher::new(member, node.clone(), Modes::Enforce, Arc::clone(&clock));
        publisher.publish(&description, publish::LIFETIME).expect("a peer file");
        let settings = format!(
            "data = \"data\"\n\
             [node]\nid = \"fi\"\ndomain = \"{}\"\ncountries = [\"FI\"]\n\
             [web]\nlisten = \"{web}\"\n[federation]\nlisten = \"{federation}\"\n[operations]\nlisten = \"{operations}\"\n\
             [limits]\nrequests_per_second = 100000\nburst = 100000\nworkers = 2\n\
             [log]\nlevel = \"warn\"\n",
            domain()
        );
        std::fs::write(folder.path().join("node.toml"), settings).expect("the configuration is written");
        let token = steward(&data, &node, clock);
        Self { folder, web, operations, token }
    }

    /// The folder with the node's data.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// What the node wrote to its standard error in all its lives.
    pub fn complaints(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("stderr")).unwrap_or_default()
    }

    /// Starts the node and waits until it is ready.
    pub fn start(&self) -> Result<Running, String> {
        let stderr = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.path().join("stderr"))
            .map_err(|error| error.to_string())?;
        let child = Command::new(binary())
            .args(["--quiet", "serve", "--config"])
            .arg(self.folder.path().join("node.toml"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(stderr)
            .spawn()
            .map_err(|error| format!("the node's program cannot be run: {error}"))?;
        let mut running = Running(child);
        let begun = Instant::now();
        loop {
            if let Ok(Some(status)) = running.0.try_wait() {
                return Err(format!("the node ended while starting, {status}"));
            }
            let ready = super::client::Client::new(self.operations, "none").send("GET", "/health/ready", None, None);
            match ready {
                Ok(answer) if answer.status == 200 => return Ok(running),
                _ if begun.elapsed() > PATIENCE => return Err(format!("the node was not ready after {PATIENCE:?}")),
                _ => std::thread::sleep(Duration::from_millis(3)),
            }
        }
    }

    /// Runs `pleiad audit verify` on the node's data.
    pub fn verify(&self) -> Result<(), String> {
        let output = Command::new(binary())
            .args(["audit", "verify", "--data"])
            .arg(self.data())
            .output()
            .map_err(|error| error.to_string())?;
        match output.status.success() {
            true => Ok(()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }
}

impl Running {
    /// Kills it as a power switch would, as far as the process is concerned.
    pub fn kill(mut self) {
        // It may have ended by itself, which the next start or the checks will tell.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The node's program: built in the same profile as this driver, or named by the environment.
fn binary() -> PathBuf {
    std::env::var_os("PLEIAD_BINARY").map_or_else(|| env!("CARGO_BIN_EXE_pleiad").into(), PathBuf::from)
}

fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port")
}

fn steward(data: &Path, node: &Identity, clock: Arc<dyn Clock>) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let store = Store::open(&layout::store(data), node).expect("a store");
        let participant = Some(Identity::participant(domain(), "csc".parse().expect("an id")));
        let wish = Wish { role: Role::Steward, participant, note: String::new(), expires: None };
        let accounts = Accounts::new(store.clone(), domain(), clock);
        let secret = accounts.make(Actor::Operator, wish).await.expect("a token").secret;
        store.close().await;
        secret
    })
}
