//! A real node for tests: its own folder, its own ports, real sockets, a clock that the test moves.
//!
//! ```ignore
//! let node = TestNode::start("fi").await;
//! let steward = node.token(Role::Steward, Some("csc")).await;
//! let reply = node.call("POST", "/api/v1/datasets").bearer(&steward).json(&record).send().await;
//! assert_eq!(reply.status, 201);
//! ```

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use pleiad::accounts::{Accounts, Wish};
use pleiad::clock::FixedClock;
use pleiad::config::Settings;
use pleiad::domain::event::{Actor, Role};
use pleiad::domain::ids::Identity;
use pleiad::node::{Listeners, Node, Running};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::pki::{self, State};

/// A node that runs until the test ends.
pub struct TestNode {
    /// Its folder, keys and CA.
    pub state: State,
    /// Its clock, which stands still.
    pub clock: FixedClock,
    /// It.
    pub running: Running,
}

impl TestNode {
    /// A node of a country with settings fit for tests.
    pub async fn start(short: &str) -> Self {
        Self::start_with(short, |_| ()).await
    }

    /// The same with other settings.
    pub async fn start_with(short: &str, change: impl FnOnce(&mut Settings)) -> Self {
        Ready::new(short, &pki::clock()).start_with(change).await
    }

    /// A token of this node, made at the machine. `participant` is the short id of one of its participants.
    pub async fn token(&self, role: Role, participant: Option<&str>) -> String {
        let participant = participant.map(|id| Identity::participant(self.state.domain.clone(), id.parse().unwrap()));
        let wish = Wish { role, participant, note: String::new(), expires: None };
        let accounts =
            Accounts::new(self.running.store().clone(), self.state.domain.clone(), Arc::new(self.clock.clone()));
        accounts.make(Actor::Operator, wish).await.unwrap().secret
    }

    /// A call to the web door.
    pub fn call(&self, method: &str, path: &str) -> Call {
        Call::new(self.running.addresses.web, method, path)
    }

    /// A call to the operations door.
    pub fn operations(&self, path: &str) -> Call {
        Call::new(self.running.addresses.operations, "GET", path)
    }

    /// Stops it as SIGTERM would, and gives back its folder for another start.
    pub async fn stop(self) -> Ready {
        self.running.shutdown().await;
        Ready { state: self.state, clock: self.clock, federation: None }
    }
}

/// A node that does not run: what is on its disk.
pub struct Ready {
    /// Its folder, keys and CA.
    pub state: State,
    /// Its clock.
    pub clock: FixedClock,
    federation: Option<TcpListener>,
}

impl Ready {
    /// A new node's folder. Its federation door is bound already, so that its peer file names the right port.
    pub fn new(short: &str, clock: &FixedClock) -> Self {
        let federation = free();
        let state = State::new(short, federation.local_addr().unwrap().port(), clock);
        Self { state, clock: clock.clone(), federation: Some(federation) }
    }

    /// Starts it.
    pub async fn start_with(self, change: impl FnOnce(&mut Settings)) -> TestNode {
        let short = self.state.node.id().to_string();
        let mut settings = Settings { data: self.state.member.data().to_owned(), ..Settings::default() };
        settings.node.id = Some(short.clone());
        settings.node.domain = Some(self.state.domain.to_string());
        settings.node.countries = vec![short.to_uppercase()];
        settings.limits.workers = 2;
        settings.limits.shutdown_seconds = 5;
        settings.limits.requests_per_second = 10_000;
        settings.limits.burst = 10_000;
        change(&mut settings);
        let config = settings.meant(self.state.member.data()).unwrap();
        let federation = self.federation.unwrap_or_else(free);
        let listeners = Listeners { web: free(), federation, operations: free() };
        let running = Node::start(config, listeners, Arc::new(self.clock.clone())).await.unwrap();
        TestNode { state: self.state, clock: self.clock, running }
    }
}

fn free() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

/// A request, written byte by byte: what a test sends is what is on the wire.
pub struct Call {
    address: SocketAddr,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Call {
    /// A call to any door without TLS.
    pub fn new(address: SocketAddr, method: &str, path: &str) -> Self {
        Self { address, method: method.to_owned(), path: path.to_owned(), headers: Vec::new(), body: Vec::new() }
    }

    /// With a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a token.
    pub fn bearer(self, secret: &str) -> Self {
        self.header("Authorization", &format!("Bearer {secret}"))
    }

    /// With a body of JSON.
    pub fn json(self, body: &Value) -> Self {
        self.header("Content-Type", "application/json").body(body.to_string())
    }

    /// With a body of bytes.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends it on a connection of its own and reads the answer.
    pub async fn send(self) -> Reply {
        let mut bytes =
            format!("{} {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.method, self.path, self.address);
        for (name, value) in &self.headers {
            bytes.push_str(&format!("{name}: {value}\r\n"));
        }
        if !self.body.is_empty() || matches!(self.method.as_str(), "POST" | "PUT" | "DELETE") {
            bytes.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        bytes.push_str("\r\n");
        let mut bytes = bytes.into_bytes();
        bytes.extend_from_slice(&self.body);
        let exchange = async {
            let mut stream = TcpStream::connect(self.address).await.unwrap();
            // A door that refuses a body early may close before it has read all of it.
            let _ = stream.write_all(&bytes).await;
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer).await;
            answer
        };
        let answer = tokio::time::timeout(Duration::from_secs(20), exchange).await.expect("an answer within 20 s");
        Reply::read(&answer)
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    fn read(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or_else(|| {
            panic!("no whole head in {:?}", String::from_utf8_lossy(bytes));
        });
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: Vec<(String, String)> = lines
            .map(|line| line.split_once(':').unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let mut reply = Self { status, headers, body: bytes[end + 4..].to_vec() };
        if reply.header("transfer-encoding") == Some("chunked") {
            reply.body = unchunked(&reply.body);
        }
        reply
    }

    /// A header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// Asserts that it is a problem of this status and code with everything that a problem has, and gives its body.
    #[track_caller]
    pub fn problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}", self.text());
        let body = self.json();
        assert_eq!(body["code"], code, "{body}");
        assert_eq!(body["status"], status, "{body}");
        assert_eq!(body["type"], format!("/problems#{code}"), "{body}");
        assert!(body["title"].as_str().is_some_and(|title| !title.is_empty()), "{body}");
        assert!(body["detail"].as_str().is_some_and(|detail| detail.len() > 10), "{body}");
        assert_eq!(body["request_id"].as_str(), self.header("x-request-id"), "{body}");
        let published: Value = serde_json::from_str(pleiad::schema::PROBLEM_SCHEMA).unwrap();
        let faults = jsonschema::validate(&published, &body).map_err(|fault| fault.to_string());
        assert_eq!(faults, Ok(()), "not as schemas/problem.schema.json has it: {body}");
        body
    }
}

fn unchunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = bytes.windows(2).position(|two| two == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&bytes[..end]).unwrap(), 16).unwrap();
        bytes = &bytes[end + 2..];
        if size == 0 {
            break;
        }
        body.extend_from_slice(&bytes[..size]);
        bytes = &bytes[size + 2..];
    }
    body
}
