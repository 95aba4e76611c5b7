//! A small web server of the open internet, as tests need it: it answers what a closure says, byte for byte, and keeps
//! what it was asked. It may be slow, endless or wrong.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

/// A request: the first line's target, and the head's lines in lower case.
#[derive(Debug, Clone)]
pub struct Asked {
    pub target: String,
    pub head: Vec<String>,
}

impl Asked {
    /// A parameter of the query, decoded.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let url = url::Url::parse(&format!("http://here{}", self.target)).ok()?;
        url.query_pairs().find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
    }

    /// A header's value, in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.iter().find_map(|line| line.strip_prefix(&format!("{name}: ")))
    }
}

/// A running server; it stops when it is dropped.
pub struct SmallServer {
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    stop: Arc<AtomicBool>,
}

impl SmallServer {
    /// Starts one. The closure writes the whole answer; the connection is closed after it.
    pub fn start(answer: impl Fn(&Asked, &mut TcpStream) -> std::io::Result<()> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let (asked, stop) = (Arc::<Mutex<Vec<Asked>>>::default(), Arc::<AtomicBool>::default());
        let (keeping, stopping, answer) = (Arc::clone(&asked), Arc::clone(&stop), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopping.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(mut stream) = stream else { continue };
                let (keeping, answer) = (Arc::clone(&keeping), Arc::clone(&answer));
                std::thread::spawn(move || {
                    if let Some(request) = read(&stream) {
                        keeping.lock().push(request.clone());
                        // Whoever was refused closes first; that is the test's matter, not the server's.
                        let _ = answer(&request, &mut stream);
                    }
                });
            }
        });
        Self { address, asked, stop }
    }

    /// An address on it.
    pub fn url(&self, target: &str) -> url::Url {
        format!("http://{}{target}", self.address).parse().expect("an address")
    }

    /// What was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().clone()
    }
}

impl Drop for SmallServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes it up so that it sees that.
        let _ = TcpStream::connect(self.address);
    }
}

fn read(stream: &TcpStream) -> Option<Asked> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    let target = first.split(' ').nth(1)?.to_owned();
    let head = lines.map_while(Result::ok).take_while(|line| !line.is_empty());
    let head = head.map(|line| line.to_ascii_lowercase()).collect();
    Some(Asked { target, head })
}

/// Writes a whole answer of status and headers, `\r\n` between them, and a body with its length.
pub fn reply(stream: &mut TcpStream, status: &str, headers: &str, body: &[u8]) -> std::io::Result<()> {
    let gap = if headers.is_empty() { "" } else { "\r\n" };
    let length = body.len();
    write!(stream, "HTTP/1.1 {status}\r\n{headers}{gap}Content-Length: {length}\r\nConnection: close\r\n\r\n")?;
    stream.write_all(body)?;
    stream.flush()
}
