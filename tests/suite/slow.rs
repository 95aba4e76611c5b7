//! Callers that are slow on purpose are let go in time, and others are served meanwhile.

use std::time::{Duration, Instant};

use pleiad::config::Settings;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::node::TestNode;

/// Long enough for a busy machine, far below the limits of a node that was not told otherwise.
const SOON: Duration = Duration::from_secs(20);

async fn impatient(change: impl FnOnce(&mut Settings)) -> TestNode {
    TestNode::start_with("fi", |settings| {
        settings.limits.head_ms = 500;
        settings.limits.handshake_ms = 500;
        settings.limits.body_grace_ms = 300;
        settings.limits.reader_window_ms = 500;
        change(settings);
    })
    .await
}

/// Reads until the other side closes, within bounds, and gives what came.
async fn until_closed(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(SOON, stream.read_to_end(&mut bytes)).await;
    // A reset is a way of closing, too.
    let _ = read.expect("the connection is closed in time");
    bytes
}

async fn others_are_served(node: &TestNode) {
    assert_eq!(node.operations("/health/live").send().await.status, 200);
    node.call("GET", "/nowhere").send().await.problem(404, "not_found");
}

#[tokio::test]
async fn a_connection_that_never_asks_is_closed() {
    let node = impatient(|_| ()).await;
    let mut stream = TcpStream::connect(node.running.addresses.web).await.unwrap();
    others_are_served(&node).await;
    until_closed(&mut stream).await;
}

#[tokio::test]
async fn a_head_that_never_ends_is_closed_on_the_first_request_and_on_a_later_one() {
    let node = impatient(|_| ()).await;
    let mut first = TcpStream::connect(node.running.addresses.web).await.unwrap();
    first.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n").await.unwrap();
    let mut later = TcpStream::connect(node.running.addresses.web).await.unwrap();
    later.write_all(b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nX-Slow: ").await.unwrap();
    let (mut reads, mut writes) = later.into_split();
    let dripping = tokio::spawn(async move {
        while writes.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    until_closed(&mut first).await;
    let mut bytes = Vec::new();
    let _ = tokio::time::timeout(SOON, reads.read_to_end(&mut bytes)).await.expect("the connection is closed in time");
    assert!(String::from_utf8_lossy(&bytes).contains("404"), "the first request was answered");
    dripping.abort();
}

#[tokio::test]
async fn a_connection_between_requests_is_kept_for_longer_than_a_head_may_take() {
    let node = impatient(|_| ()).await;
    let mut stream = TcpStream::connect(node.running.addresses.web).await.unwrap();
    for _ in 0..2 {
        stream.write_all(b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let mut buffer = vec![0; 4096];
        let read = tokio::time::timeout(SOON, stream.read(&mut buffer)).await.unwrap().unwrap();
        assert!(read > 0, "the connection was closed");
        tokio::time::sleep(Duration::from_millis(1_500)).await;
    }
}

#[tokio::test]
async fn a_stalled_handshake_is_closed() {
    let node = impatient(|_| ()).await;
    let mut stream = TcpStream::connect(node.running.addresses.federation).await.unwrap();
    others_are_served(&node).await;
    until_closed(&mut stream).await;
    let counted = "pleiad_tls_handshakes_refused_total{door=\"federation\",reason=\"stalled\"} 1";
    let began = Instant::now();
    while !node.operations("/metrics").send().await.text().contains(counted) {
        assert!(began.elapsed() < SOON, "the stalled handshake is not counted");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_slow_body_gets_408_and_the_connection_is_closed() {
    let node = impatient(|_| ()).await;
    let mut stream = TcpStream::connect(node.running.addresses.web).await.unwrap();
    let head = "POST /session HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 9000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let (mut reads, mut writes) = stream.into_split();
    let dripping = tokio::spawn(async move {
        while writes.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    others_are_served(&node).await;
    let mut bytes = Vec::new();
    let _ = tokio::time::timeout(SOON, reads.read_to_end(&mut bytes)).await.expect("the connection is closed in time");
    let answer = String::from_utf8_lossy(&bytes);
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("\"code\":\"too_slow\""), "{answer}");
    dripping.abort();
}

#[tokio::test]
async fn a_reader_that_does_not_read_is_closed() {
    let node = impatient(|_| ()).await;
    let mut stream = TcpStream::connect(node.running.addresses.operations).await.unwrap();
    // Answers pile up until no buffer takes more; from then on the node waits for a reader.
    let began = Instant::now();
    let asking = async {
        loop {
            stream.write_all("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n".repeat(100).as_bytes()).await?;
        }
        #[allow(unreachable_code)] // names the type of the block
        Ok::<(), std::io::Error>(())
    };
    let closed = tokio::time::timeout(Duration::from_secs(60), asking).await;
    assert!(matches!(closed, Ok(Err(_))), "the connection is closed in time: {closed:?} after {:?}", began.elapsed());
    others_are_served(&node).await;
}
