//! Calls between nodes through the outbound door, over mutual TLS on a socket.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use pleiad::domain::ids::Identity;
use pleiad::outbound::federation::{CallError, Federation, Options};
use pleiad::peers::identity::Presented;
use pleiad::peers::tls::{self, KeyExchange, OwnCertificate};
use pleiad::peers::trust::Trust;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::pki::{self, State};

/// A door that is just enough HTTP/1.1 for these tests, with the real TLS configuration and the real check per request.
pub struct Door {
    /// How many handshakes succeeded.
    pub handshakes: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Door {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Opens the door on a listener.
pub fn open_door(listener: TcpListener, own: Arc<OwnCertificate>, trust: &Arc<Trust>) -> Door {
    let config = tls::server_config(&own, trust, KeyExchange::default()).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let handshakes = Arc::new(AtomicUsize::new(0));
    let (count, trust, own) = (Arc::clone(&handshakes), Arc::clone(trust), own.identity());
    let task = tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            let (acceptor, trust, count, own) = (acceptor.clone(), Arc::clone(&trust), Arc::clone(&count), own.clone());
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(socket).await else { return };
                count.fetch_add(1, Ordering::SeqCst);
                let presented = tls::presented(stream.get_ref().1).unwrap();
                while let Some(request) = read_request(&mut stream).await {
                    if answer(&mut stream, &request, &presented, &own, &trust).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    Door { handshakes, task }
}

async fn read_request(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(head)
}

async fn answer(
    stream: &mut (impl tokio::io::AsyncWrite + Unpin),
    request: &str,
    presented: &Presented,
    own: &Identity,
    trust: &Trust,
) -> std::io::Result<()> {
    let path = request.split(' ').nth(1).unwrap_or_default();
    let (status, body) = match trust.check_again(presented) {
        Err(refusal) => ("403 Forbidden", format!("{{\"detail\":{:?}}}", refusal.to_string())),
        Ok(standing) => ("200 OK", format!("{} {standing:?}", presented.identity)),
    };
    match path {
        "/federation/v1/peer-file" => {
            let file = trust.state().peers().find(|peer| peer.file.node == *own).unwrap().jws.clone();
            let text = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{file}", file.len());
            stream.write_all(text.as_bytes()).await
        }
        "/never" => std::future::pending().await,
        "/endless" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await?;
            loop {
                stream.write_all(b"400\r\n").await?;
                stream.write_all(&[b'x'; 1024]).await?;
                stream.write_all(b"\r\n").await?;
            }
        }
        "/away" => stream.write_all(b"HTTP/1.1 302 Found\r\nlocation: /there\r\ncontent-length: 0\r\n\r\n").await,
        "/broken" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf").await?;
            Err(std::io::ErrorKind::Other.into())
        }
        "/closed" => Err(std::io::ErrorKind::Other.into()),
        "/nonsense" => stream.write_all(b"SSH-2.0-OpenSSH_9.9\r\n\r\n").await,
        _ => {
            let text = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            stream.write_all(text.as_bytes()).await
        }
    }
}

/// A listener on a free port of this machine.
pub async fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// A deadline that only a hung test meets.
pub fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

#[tokio::test]
async fn a_node_and_a_participant_call_a_peer_and_the_peer_knows_who_they_are() {
    let clock = pki::clock();
    let (listener, port) = listener().await;
    let (fi, de) = (State::new("fi", 1, &clock), State::new("de", port, &clock));
    pki::introduce(&[&fi, &de]);
    let _door = open_door(listener, de.own(), &de.trust());

    let federation = Federation::new(fi.own(), fi.trust(), Options::default());
    let answer = federation.post_json(&de.node, "x", &[("x-a", "b")], &1, soon(), 1000).await.unwrap();
    assert_eq!(answer.bytes, format!("{} Valid", fi.node));

    let csc = fi.participant("csc", &[&de]);
    let holder = Federation::new(csc.own(), csc.trust(), Options::default());
    let answer = holder.get(&de.node, "x", &[], soon(), 1000).await.unwrap().success().unwrap();
    assert_eq!(answer.bytes, format!("{} Valid", csc.identity));
}

#[tokio::test]
async fn connections_stay_warm_and_a_new_certificate_or_peer_file_makes_a_new_one() {
    let clock = pki::clock();
    let (listener, port) = listener().await;
    let (fi, de) = (State::new("fi", 1, &clock), State::new("de", port, &clock));
    pki::introduce(&[&fi, &de]);
    let door = open_door(listener, de.own(), &de.trust());
    let trust = fi.trust();
    let federation = Federation::new(fi.own(), Arc::clone(&trust), Options::default());
    for _ in 0..3 {
        federation.get(&de.node, "x", &[], soon(), 1000).await.unwrap();
    }
    assert_eq!(door.handshakes.load(Ordering::SeqCst), 1);
    de.publish();
    trust.offer(&de.peer_file());
    federation.get(&de.node, "x", &[], soon(), 1000).await.unwrap();
    assert_eq!(door.handshakes.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn an_answer_that_is_late_endless_broken_or_elsewhere_is_an_error_of_its_own_kind() {
    let clock = pki::clock();
    let (listener, port) = listener().await;
    let (fi, de) = (State::new("fi", 1, &clock), State::new("de", port, &clock));
    pki::introduce(&[&fi, &de]);
    let _door = open_door(listener, de.own(), &de.trust());
    let federation = Federation::new(fi.own(), fi.trust(), Options::default());
    let get = |path: &'static str, deadline| federation.get(&de.node, path, &[], deadline, 100_000);

    let late = get("never", Instant::now() + Duration::from_millis(300)).await.unwrap_err();
    assert_eq!(late, CallError::Timeout);
    assert_eq!(get("endless", soon()).await.unwrap_err(), CallError::TooLarge { limit: 100_000 });
    assert!(matches!(get("broken", soon()).await.unwrap_err(), CallError::Unreachable { nobody_listens: false, .. }));
    assert!(matches!(get("closed", soon()).await.unwrap_err(), CallError::Unreachable { nobody_listens: false, .. }));
    assert!(matches!(get("nonsense", soon()).await.unwrap_err(), CallError::BrokenAnswer(_)));
    // A redirect is an answer like any other; it is not followed.
    assert_eq!(get("away", soon()).await.unwrap().status, 302);
    assert!(matches!(get("https://elsewhere.example/", soon()).await.unwrap_err(), CallError::Setup(_)));

    let streamed = federation.stream(&de.node, "endless", &[], soon(), 5000).await.unwrap();
    assert_eq!(streamed.status, 200);
    let pieces: Vec<_> = streamed.body.collect().await;
    assert_eq!(pieces.last().unwrap().as_ref().unwrap_err(), &CallError::TooLarge { limit: 5000 });
}

#[tokio::test]
async fn nobody_at_the_address_and_nobody_in_the_trust_list_are_told_apart() {
    let clock = pki::clock();
    let (gone, port) = listener().await;
    let (fi, de) = (State::new("fi", 1, &clock), State::new("de", port, &clock));
    drop(gone);
    let federation = Federation::new(fi.own(), fi.trust(), Options::default());
    let unknown = federation.get(&de.node, "x", &[], soon(), 1000).await.unwrap_err();
    assert!(matches!(&unknown, CallError::Refused(reason) if reason.contains("not in the trust list")), "{unknown}");
    fi.trusts(&de);
    federation.trust().reload();
    let gone = federation.get(&de.node, "x", &[], soon(), 1000).await.unwrap_err();
    assert!(matches!(gone, CallError::Unreachable { nobody_listens: true, .. }), "{gone:?}");
}

#[tokio::test]
async fn two_nodes_agree_on_tls_1_3_the_post_quantum_exchange_and_http_1_1() {
    let clock = pki::clock();
    let (listener, port) = listener().await;
    let (fi, de) = (State::new("fi", 1, &clock), State::new("de", port, &clock));
    pki::introduce(&[&fi, &de]);
    let _door = open_door(listener, de.own(), &de.trust());
    let config = tls::client_config(&fi.own(), &fi.trust(), &de.node, KeyExchange::default()).unwrap();
    let socket = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let name = "localhost".try_into().unwrap();
    let stream = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, socket).await.unwrap();
    let connection = stream.get_ref().1;
    assert_eq!(connection.protocol_version(), Some(rustls::ProtocolVersion::TLSv1_3));
    let exchange = connection.negotiated_key_exchange_group().unwrap().name();
    assert_eq!(exchange, rustls::NamedGroup::X25519MLKEM768);
    assert_eq!(connection.alpn_protocol(), Some(b"http/1.1".as_slice()));
}

#[tokio::test]
async fn a_proxy_that_was_asked_for_carries_the_call_and_sees_only_where_it_goes() {
    let clock = pki::clock();
    let (door_listener, port) = listener().await;
    let (fi, de) = (State::new("fi", 1, &clock), State::new("de", port, &clock));
    pki::introduce(&[&fi, &de]);
    let _door = open_door(door_listener, de.own(), &de.trust());
    let csc = fi.participant("csc", &[&de]);

    let (proxy, proxy_port) = listener().await;
    let carried = tokio::spawn(async move {
        let (mut caller, _) = proxy.accept().await.unwrap();
        let head = read_request(&mut caller).await.unwrap();
        let mut onwards = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        caller.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        let _ = tokio::io::copy_bidirectional(&mut caller, &mut onwards).await;
        head
    });
    let proxy = Some(format!("http://127.0.0.1:{proxy_port}").parse().unwrap());
    let holder = Federation::new(csc.own(), csc.trust(), Options { proxy, ..Options::default() });
    let answer = holder.get(&de.node, "x", &[], soon(), 1000).await.unwrap();
    assert_eq!(answer.bytes, format!("{} Valid", csc.identity));
    drop(holder);
    let head = carried.await.unwrap();
    assert!(head.starts_with(&format!("CONNECT 127.0.0.1:{port} ")), "{head}");
    assert!(!head.contains("pleiad.example"), "{head}");
}
