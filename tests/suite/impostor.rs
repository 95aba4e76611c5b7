//! A member with a good certificate and a server that answers whatever the test wants.

use std::net::TcpListener;
use std::sync::Arc;

use parking_lot::Mutex;
use pleiad::clock::FixedClock;
use pleiad::peers::tls::{self, KeyExchange};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;

use crate::pki::State;

/// What the server does with a request.
pub enum Reply {
    /// Answers it with this status and JSON text.
    Says(u16, String),
    /// Says nothing and keeps the connection.
    Nothing,
    /// Begins an answer that never ends, of these bytes.
    Endless(&'static [u8]),
}

/// A member that is not what it should be.
pub struct Impostor {
    /// Its keys, CA and peer file.
    pub state: State,
    /// Every request that it was sent, head and body.
    pub asked: Arc<Mutex<Vec<String>>>,
    listener: Option<TcpListener>,
}

impl Impostor {
    /// A member of that name; it answers from [`Impostor::answers`] on.
    pub fn new(short: &str, clock: &FixedClock) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let state = State::new(short, listener.local_addr().unwrap().port(), clock);
        Self { state, asked: Arc::default(), listener: Some(listener) }
    }

    /// Answers every request by `reply`, which is given its path and all of it, until the test ends.
    pub fn answers(&mut self, reply: impl Fn(&str, &str) -> Reply + Send + Sync + 'static) {
        let config = tls::server_config(&self.state.own(), &self.state.trust(), KeyExchange::default()).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = self.listener.take().unwrap();
        listener.set_nonblocking(true).unwrap();
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let (reply, asked) = (Arc::new(reply), Arc::clone(&self.asked));
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (acceptor, reply, asked) = (acceptor.clone(), Arc::clone(&reply), Arc::clone(&asked));
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(socket).await else { return };
                    while let Some(request) = read(&mut stream).await {
                        let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
                        asked.lock().push(request.clone());
                        match reply(&path, &request) {
                            Reply::Says(status, text) => {
                                let head = format!(
                                    "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                                    text.len()
                                );
                                if stream.write_all(format!("{head}{text}").as_bytes()).await.is_err() {
                                    return;
                                }
                            }
                            Reply::Nothing => std::future::pending().await,
                            Reply::Endless(bytes) => {
                                let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
                                let mut piece = format!("{:x}\r\n", bytes.len()).into_bytes();
                                piece.extend_from_slice(bytes);
                                piece.extend_from_slice(b"\r\n");
                                if stream.write_all(head.as_bytes()).await.is_err() {
                                    return;
                                }
                                while stream.write_all(&piece).await.is_ok() {}
                                return;
                            }
                        }
                    }
                });
            }
        });
    }

    /// The searches among what it was asked.
    pub fn searches(&self) -> Vec<String> {
        self.asked.lock().iter().filter(|request| request.starts_with("POST /federation/v1/search")).cloned().collect()
    }
}

/// One request, as far as its `Content-Length` says; `None` when the connection ends.
async fn read(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> Option<String> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 8192];
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .filter_map(|line| line.split_once(':'))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .map_or(0, |(_, value)| value.trim().parse().unwrap());
            if body.len() >= length {
                return Some(text.into_owned());
            }
        }
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
        }
    }
}
