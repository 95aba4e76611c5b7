//! What the node fetches from the open web cannot be turned against it: real sockets, a hostile server, a hostile name.

use std::io::Write;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use pleiad::outbound::public::{Ask, Fetched, Found, Lookup, Options, Public, PublicError};

use super::small_server::{SmallServer, reply};

/// Names that lead where a test says.
struct Names(Vec<IpAddr>);

impl Lookup for Names {
    fn lookup<'l>(&'l self, _: &'l str) -> Found<'l> {
        Box::pin(async move { Ok(self.0.clone()) })
    }
}

fn quick() -> Options {
    Options {
        idle: Duration::from_millis(400),
        connect: Duration::from_secs(2),
        pause: Duration::from_millis(10),
        ..Options::default()
    }
}

/// May ask this machine by its IPv4 address, and nothing else that is not public.
fn way() -> Public {
    Public::new(Options { allowed_hosts: vec!["127.0.0.1".to_owned()], ..quick() })
}

fn ask(url: url::Url) -> Ask {
    Ask { max_bytes: 1 << 20, time: Duration::from_secs(5), repeat: 0, ..Ask::new(url) }
}

async fn refused(way: &Public, url: &str) -> String {
    match way.bytes(&ask(url.parse().expect(url))).await {
        Err(PublicError::Refused { reason, .. }) => reason,
        other => panic!("{url}: {other:?}"),
    }
}

#[tokio::test]
async fn an_address_of_this_machine_or_network_is_refused_however_it_is_spelled() {
    let server = SmallServer::start(|_, stream| reply(stream, "200 OK", "", b"secret"));
    let port = server.address.port();
    let way = Public::new(quick());
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.0.0.1.",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::127.0.0.1]",
        "0.0.0.0",
        "[::]",
        "localhost",
        "LOCALHOST",
        "10.0.0.1",
        "169.254.169.254",
        "[fd00:ec2::254]",
        "[2002:7f00:1::]",
        "%31%32%37.0.0.1",
        "１２７.0.0.1",
    ] {
        refused(&way, &format!("http://{host}:{port}/")).await;
    }
    assert!(server.asked().is_empty(), "{:?}", server.asked());
}

#[tokio::test]
async fn other_schemes_credentials_and_the_ports_of_other_services_are_refused() {
    for url in [
        "file:///etc/passwd",
        "ftp://example.org/",
        "gopher://example.org/",
        "data:text/plain,hello",
        "http://user:s3cret@example.org/",
        "http://user@example.org/",
        "http://example.org:25/",
        "http://example.org:22/",
    ] {
        let reason = refused(&Public::new(quick()), url).await;
        assert!(!reason.contains("s3cret"), "{reason}");
    }
}

#[tokio::test]
async fn a_name_that_leads_to_this_machine_is_refused_unless_the_settings_name_it() {
    let server = SmallServer::start(|_, stream| reply(stream, "200 OK", "Content-Type: text/plain", b"hello"));
    let url = format!("http://catalogue.example:{}/", server.address.port());
    let loopback: IpAddr = "127.0.0.1".parse().unwrap();
    let named = |found: Vec<IpAddr>, allowed: &[&str]| {
        let allowed_hosts = allowed.iter().map(|host| (*host).to_owned()).collect();
        Public::new(Options { lookup: Arc::new(Names(found)), allowed_hosts, ..quick() })
    };
    let reason = refused(&named(vec![loopback], &[]), &url).await;
    assert!(reason.contains("outbound.allowed_hosts"), "{reason}");
    // One honest address beside it does not help.
    refused(&named(vec!["1.1.1.1".parse().unwrap(), loopback], &[]), &url).await;
    // Another name's permission is not this one's.
    refused(&named(vec![loopback], &["other.example", "127.0.0.1"]), &url).await;
    // A metadata service is never asked, whatever the settings say.
    refused(&named(vec!["169.254.169.254".parse().unwrap()], &["catalogue.example"]), &url).await;
    assert!(server.asked().is_empty());

    let page = named(vec![loopback], &["Catalogue.Example"]).bytes(&ask(url.parse().unwrap())).await;
    let page = page.unwrap().page().unwrap();
    assert_eq!((page.body.as_slice(), page.media_type.as_str()), (&b"hello"[..], "text/plain"));
}

#[tokio::test]
async fn a_redirect_is_held_to_the_same_rules() {
    let inner = SmallServer::start(|_, stream| reply(stream, "200 OK", "", b"secret"));
    let port = inner.address.port();
    for target in [
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        format!("http://[::1]:{port}/"),
        format!("http://localhost:{port}/"),
        format!("http://127.0.0.2:{port}/"),
        format!("//[::ffff:127.0.0.1]:{port}/"),
        "file:///etc/passwd".to_owned(),
        format!("http://user:s3cret@127.0.0.1:{port}/"),
    ] {
        let location = format!("Location: {target}");
        let server = SmallServer::start(move |_, stream| reply(stream, "302 Found", &location, b""));
        let fetched = way().bytes(&ask(server.url("/"))).await;
        assert!(matches!(fetched, Err(PublicError::Refused { .. })), "{target}: {fetched:?}");
    }
    assert!(inner.asked().is_empty(), "{:?}", inner.asked());
}

#[tokio::test]
async fn an_allowed_host_is_asked_for_its_own_sake_and_never_because_another_leads_to_it() {
    let inner = SmallServer::start(|_, stream| reply(stream, "200 OK", "", b"secret"));
    let target: url::Url = format!("http://inner.example:{}/", inner.address.port()).parse().unwrap();
    let location = format!("Location: {target}");
    let server = SmallServer::start(move |_, stream| reply(stream, "302 Found", &location, b""));
    let allowed_hosts = vec!["127.0.0.1".to_owned(), "inner.example".to_owned()];
    let lookup = Arc::new(Names(vec!["127.0.0.1".parse().unwrap()]));
    let way = Public::new(Options { allowed_hosts, lookup, ..quick() });
    let reason = refused(&way, server.url("/").as_str()).await;
    assert!(reason.contains("inner.example"), "{reason}");
    // A page that names it as the next one is no other than a redirect.
    let linked = Ask { origin: Some("127.0.0.1".to_owned()), ..ask(target.clone()) };
    let fetched = way.bytes(&linked).await;
    assert!(matches!(fetched, Err(PublicError::Refused { .. })), "{fetched:?}");
    assert!(inner.asked().is_empty(), "{:?}", inner.asked());
    assert_eq!(way.bytes(&ask(target)).await.unwrap().page().unwrap().body, b"secret");
}

#[tokio::test]
async fn five_redirects_are_followed_and_a_loop_ends() {
    let server = SmallServer::start(|asked, stream| {
        let left: u32 = asked.target.trim_start_matches('/').parse().unwrap_or(0);
        match left {
            0 => reply(stream, "200 OK", "", b"there"),
            99 => reply(stream, "307 Temporary Redirect", "Location: /99", b""),
            _ => reply(stream, "301 Moved Permanently", &format!("Location: /{}", left - 1), b""),
        }
    });
    let page = way().bytes(&ask(server.url("/5"))).await.unwrap().page().unwrap();
    assert_eq!((page.body.as_slice(), page.url.path()), (&b"there"[..], "/0"));
    for endless in ["/6", "/99"] {
        let fetched = way().bytes(&ask(server.url(endless))).await;
        assert!(matches!(fetched, Err(PublicError::Refused { .. })), "{endless}: {fetched:?}");
    }
}

#[tokio::test]
async fn an_endless_body_is_cut_off_and_a_stated_length_is_believed_at_once() {
    let server = SmallServer::start(|asked, stream| match asked.target.as_str() {
        "/stated" => write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n"),
        _ => {
            write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")?;
            loop {
                stream.write_all(&[b'x'; 64 << 10])?;
            }
        }
    });
    for target in ["/stated", "/endless"] {
        let fetched = way().bytes(&ask(server.url(target))).await;
        assert!(matches!(fetched, Err(PublicError::TooLarge { limit: 1_048_576, .. })), "{target}: {fetched:?}");
    }
    // To a file likewise, and the file is gone with it.
    let folder = tempfile::tempdir().unwrap();
    let fetched = way().file(&ask(server.url("/endless")), folder.path()).await;
    assert!(matches!(fetched, Err(PublicError::TooLarge { .. })), "{fetched:?}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn what_comes_compressed_is_unpacked_and_a_bomb_is_not() {
    let bomb = gzip(&vec![0; 256 << 20]);
    let server = SmallServer::start(move |asked, stream| match asked.target.as_str() {
        "/bomb" => reply(stream, "200 OK", "Content-Encoding: gzip", &bomb),
        "/cut" => reply(stream, "200 OK", "Content-Encoding: gzip", &gzip(b"hello, hello, hello")[..15]),
        "/odd" => reply(stream, "200 OK", "Content-Encoding: br", b"hello"),
        "/twice" => reply(stream, "200 OK", "Content-Encoding: gzip, gzip", &gzip(&gzip(b"hello"))),
        _ => reply(stream, "200 OK", "Content-Encoding: gzip", &gzip(b"hello")),
    });
    let page = way().bytes(&ask(server.url("/"))).await.unwrap().page().unwrap();
    assert_eq!((page.body.as_slice(), page.size), (&b"hello"[..], 5));
    let large = Ask { max_bytes: 1 << 30, ..ask(server.url("/bomb")) };
    let fetched = way().bytes(&large).await;
    assert!(matches!(fetched, Err(PublicError::TooLarge { packed: true, .. })), "{fetched:?}");
    for broken in ["/cut", "/odd", "/twice"] {
        let fetched = way().bytes(&ask(server.url(broken))).await;
        assert!(matches!(fetched, Err(PublicError::Broken { .. })), "{broken}: {fetched:?}");
    }
}

#[tokio::test]
async fn a_server_that_drips_stays_silent_or_floods_is_left() {
    let server = SmallServer::start(|asked, stream| match asked.target.as_str() {
        "/drip" => {
            write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")?;
            loop {
                stream.write_all(b"x")?;
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        "/silent" => {
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")?;
            std::thread::sleep(Duration::from_secs(30));
            Ok(())
        }
        "/never" => {
            std::thread::sleep(Duration::from_secs(30));
            Ok(())
        }
        "/many" => {
            write!(stream, "HTTP/1.1 200 OK\r\n")?;
            for n in 0.. {
                write!(stream, "X-{n}: y\r\n")?;
            }
            Ok(())
        }
        _ => {
            write!(stream, "HTTP/1.1 200 OK\r\nX-Long: ")?;
            loop {
                stream.write_all(&[b'y'; 64 << 10])?;
            }
        }
    });
    let short = |target: &str| Ask { time: Duration::from_secs(2), ..ask(server.url(target)) };
    for slow in ["/drip", "/silent", "/never"] {
        let fetched = way().bytes(&short(slow)).await;
        assert!(matches!(fetched, Err(PublicError::Timeout { .. })), "{slow}: {fetched:?}");
    }
    for flood in ["/many", "/long"] {
        let patient = Ask { time: Duration::from_secs(60), ..ask(server.url(flood)) };
        let fetched = way().bytes(&patient).await;
        assert!(
            matches!(fetched, Err(PublicError::Broken { .. } | PublicError::Unreachable { .. })),
            "{flood}: {fetched:?}"
        );
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_no_answer() {
    let server = SmallServer::start(|asked, stream| match asked.target.as_str() {
        "/length" => write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\nhalf of it"),
        _ => write!(stream, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"),
    });
    for target in ["/length", "/chunked"] {
        let fetched = way().bytes(&ask(server.url(target))).await;
        assert!(
            matches!(fetched, Err(PublicError::Broken { .. } | PublicError::Unreachable { .. })),
            "{target}: {fetched:?}"
        );
    }
}

#[tokio::test]
async fn a_page_of_another_kind_is_not_taken_for_what_was_asked() {
    let server = SmallServer::start(|_, stream| {
        reply(stream, "200 OK", "Content-Type: Text/HTML; charset=utf-8", b"<p>Under maintenance</p>")
    });
    let wish = Ask { types: vec!["text/turtle", "application/rdf+xml"], ..ask(server.url("/")) };
    match way().bytes(&wish).await {
        Err(PublicError::WrongType { found, .. }) => assert_eq!(found, "text/html"),
        other => panic!("{other:?}"),
    }
    assert_eq!(server.asked()[0].header("accept"), Some("text/turtle, application/rdf+xml;q=0.8"));
}

#[tokio::test]
async fn what_did_not_change_is_not_fetched_again() {
    let server = SmallServer::start(|asked, stream| match asked.header("if-none-match") {
        Some("\"v1\"") => reply(stream, "304 Not Modified", "ETag: \"v1\"", b""),
        _ => reply(stream, "200 OK", "ETag: \"v1\"\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT", b"hello"),
    });
    let first = way().bytes(&ask(server.url("/"))).await.unwrap().page().unwrap();
    let again = Ask { etag: first.etag, modified: first.modified, ..ask(server.url("/")) };
    assert!(matches!(way().bytes(&again).await, Ok(Fetched::Unchanged)));
    assert_eq!(server.asked()[1].header("if-modified-since"), Some("sun, 06 nov 1994 08:49:37 gmt"));
    // A server that says so without having been asked brings nothing.
    let server = SmallServer::start(|_, stream| reply(stream, "304 Not Modified", "", b""));
    let fetched = way().bytes(&ask(server.url("/"))).await;
    assert!(matches!(fetched, Err(PublicError::Status { status: 304, .. })), "{fetched:?}");
}

#[tokio::test]
async fn a_busy_server_is_left_alone_for_as_long_as_it_asks() {
    let tries = std::sync::atomic::AtomicU32::new(0);
    let server = SmallServer::start(move |asked, stream| match asked.target.as_str() {
        "/later" => {
            reply(stream, "429 Too Many Requests", "Retry-After: 3600\r\nContent-Type: text/plain", b"calm down")
        }
        "/gone" => reply(stream, "404 Not Found", "", b""),
        _ if tries.fetch_add(1, std::sync::atomic::Ordering::SeqCst) < 2 => {
            reply(stream, "503 Service Unavailable", "Retry-After: 0", b"")
        }
        _ => reply(stream, "200 OK", "", b"hello"),
    });
    let patient = |target: &str| Ask { repeat: 2, ..ask(server.url(target)) };
    assert_eq!(way().bytes(&patient("/")).await.unwrap().page().unwrap().body, b"hello");
    match way().bytes(&patient("/later")).await {
        Err(PublicError::Status { status: 429, retry_after: Some(wait), detail, .. }) => {
            assert_eq!((wait.as_secs(), detail.as_str()), (3600, "calm down"));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(way().bytes(&patient("/gone")).await.unwrap_err().status(), Some(404));
    let asked: Vec<_> = server.asked().into_iter().map(|asked| asked.target).collect();
    assert_eq!(asked, ["/", "/", "/", "/later", "/gone"]);
}

#[tokio::test]
async fn a_large_answer_goes_to_a_file_and_says_who_asked() {
    let body: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_be_bytes).collect();
    let sent = body.clone();
    let server = SmallServer::start(move |_, stream| reply(stream, "200 OK", "Content-Type: text/turtle", &sent));
    let folder = tempfile::tempdir().unwrap();
    let contact = Some("https://catalogue.example/".parse().unwrap());
    let way = Public::new(Options { contact, allowed_hosts: vec!["127.0.0.1".to_owned()], ..quick() });
    let wish = Ask { max_bytes: 1 << 30, time: Duration::from_secs(60), ..ask(server.url("/dump.ttl")) };
    let page = way.file(&wish, folder.path()).await.unwrap().page().unwrap();
    assert!(std::fs::read(page.body.path()).unwrap() == body);
    assert_eq!(page.size, 12_000_000);
    drop(page);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    let agent = server.asked()[0].header("user-agent").unwrap().to_owned();
    assert!(agent.starts_with("pleiad/") && agent.ends_with("(+https://catalogue.example/)"), "{agent}");
}
