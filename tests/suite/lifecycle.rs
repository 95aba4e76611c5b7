//! How a node's process ends: told to stop, it finishes what it accepted; killed, it leaves nothing in the way.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::command_line::{Made, Serving};

const PATIENCE: Duration = Duration::from_secs(20);

fn address(node: &Serving) -> SocketAddr {
    node.web.trim_start_matches("http://").trim_end_matches('/').parse().unwrap()
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Reads up to the end of a head.
fn head(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&bytes)));
        bytes.push(byte[0]);
    }
    String::from_utf8(bytes).unwrap()
}

fn record(number: usize) -> String {
    format!(r#"{{"id":"https://fi.pleiad.example/dataset/late-{number}","title":{{"en":"Late {number}"}}}}"#)
}

#[test]
fn a_node_told_to_stop_under_load_finishes_what_it_accepted_and_ends_with_0() {
    const WRITERS: usize = 8;
    let made = Made::new();
    let node = made.serve();
    let token = made.token(&node, "steward");
    let web = address(&node);

    // Each request was accepted, and the half of its body is here.
    let mut writers: Vec<TcpStream> = (0..WRITERS).map(|_| connect(web)).collect();
    for (number, stream) in writers.iter_mut().enumerate() {
        let body = record(number);
        let request = format!(
            "POST /api/v1/datasets HTTP/1.1\r\nHost: {web}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
            body.len()
        );
        stream.write_all(request.as_bytes()).unwrap();
        assert!(head(stream).starts_with("HTTP/1.1 100 "));
        stream.write_all(&body.as_bytes()[..body.len() / 2]).unwrap();
    }
    node.tell_to_stop();
    let told = Instant::now();
    while TcpStream::connect(web).is_ok() {
        assert!(told.elapsed() < PATIENCE, "new callers are turned away");
        std::thread::sleep(Duration::from_millis(10));
    }
    for (number, stream) in writers.iter_mut().enumerate() {
        let body = record(number);
        stream.write_all(&body.as_bytes()[body.len() / 2..]).unwrap();
    }
    for stream in &mut writers {
        let answer = head(stream);
        assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    }
    drop(writers);
    let (code, said) = node.wait();
    assert_eq!(code, Some(0), "{said:?}");
    assert!(told.elapsed() < Duration::from_secs(30), "within `limits.shutdown_seconds`");

    let node = made.serve();
    let web = address(&node);
    for number in 0..WRITERS {
        let mut stream = connect(web);
        let path = format!("/api/v1/datasets/late-{number}");
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {web}\r\nConnection: close\r\n\r\n").unwrap();
        let answer = head(&mut stream);
        assert!(answer.starts_with("HTTP/1.1 200 "), "{path}: {answer}");
    }
}

#[test]
fn one_process_has_a_folder_at_a_time_and_a_killed_one_leaves_it_free() {
    let made = Made::new();
    let node = made.serve();
    let second = made.cannot_serve();
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&second.stderr).contains("another process"), "{second:?}");
    node.kill();
    made.serve().kill();
    made.serve();
}
