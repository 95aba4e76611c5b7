//! Harvesting that never lies: catalogues on real sockets, whole and broken, and what a run says of them.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use pleiad::config::SourceSettings;
use pleiad::domain::event::Role;
use serde_json::{Value, json};

use crate::node::{Reply, TestNode};
use crate::small_server::{Asked, SmallServer, reply};

/// What a portal has and how it behaves at present.
#[derive(Debug, Clone, Default)]
pub struct Portal {
    /// The numbers of its datasets.
    pub datasets: Vec<u32>,
    /// Those that have no title.
    pub untitled: Vec<u32>,
    /// Those that it says it deleted.
    pub deleted: Vec<u32>,
    /// Datasets on a page; 0 is all on one.
    pub page: usize,
    /// How many it says it has; nothing says the truth.
    pub claims: Option<usize>,
    /// What is wrong with it.
    pub fault: Fault,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Fault {
    #[default]
    None,
    /// 500 on every page but the first.
    Breaks,
    /// A page for people.
    Html,
    /// A redirect to a cloud's metadata.
    Redirects,
    /// It accepts and never answers.
    Hangs,
    /// The second page's token is refused, always.
    ForgetsTokens,
    /// The second page's token is refused, once.
    ForgetsOneToken,
    /// Its pages lead round and round.
    Circles,
    /// A dataset goes and another comes while its list is read.
    Shifts,
    /// Its datasets have addresses of their own, and it does not tell its names.
    TellsNoNames,
    /// It announces more than anybody holds in memory.
    Floods,
}

type Shared = Arc<Mutex<Portal>>;

/// A node that harvests a portal for the participant `csc`.
struct Scene {
    node: TestNode,
    portal: Shared,
    server: SmallServer,
    steward: String,
    token: tempfile::NamedTempFile,
}

impl Scene {
    async fn new(kind: &str, portal: Portal, change: impl FnOnce(&mut SourceSettings)) -> Self {
        let portal: Shared = Arc::new(Mutex::new(portal));
        let (shown, kind_of) = (Arc::clone(&portal), kind.to_owned());
        let server = SmallServer::start(move |asked, stream| {
            let now = shown.lock().clone();
            if now.fault == Fault::Hangs {
                std::thread::sleep(Duration::from_secs(60));
                return Ok(());
            }
            match kind_of.as_str() {
                "dcat" => dcat(&now, asked, stream),
                "ckan" => {
                    if now.fault == Fault::Shifts && asked.parameter("start").is_some_and(|start| start != "0") {
                        let mut portal = shown.lock();
                        portal.datasets.remove(0);
                        portal.datasets.push(20);
                        portal.fault = Fault::None;
                    }
                    let now = shown.lock().clone();
                    ckan(&now, asked, stream)
                }
                _ => oai(&shown, asked, stream),
            }
        });
        let mut source = SourceSettings {
            name: "portal.example".to_owned(),
            kind: kind.to_owned(),
            address: server.url("/catalogue").to_string(),
            owner: "csc".to_owned(),
            ..SourceSettings::default()
        };
        change(&mut source);
        let node = TestNode::start_with("fi", |settings| {
            settings.outbound.allowed_hosts = vec!["127.0.0.1".to_owned()];
            settings.harvest.sources = vec![source];
        })
        .await;
        let steward = node.token(Role::Steward, Some("csc")).await;
        let token = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(token.path(), &steward).unwrap();
        Self { node, portal, server, steward, token }
    }

    async fn get(&self, path: &str) -> Value {
        let reply = self.node.call("GET", path).bearer(&self.steward).send().await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()
    }

    async fn begin(&self, wish: Value) -> Reply {
        let call = self.node.call("POST", "/api/v1/harvests/portal.example/runs").bearer(&self.steward);
        call.json(&wish).send().await
    }

    /// Runs it to its end.
    async fn run_as(&self, wish: Value) -> Value {
        let begun = self.begin(wish).await;
        assert_eq!(begun.status, 202, "{}", begun.text());
        self.ended(begun.header("location").unwrap()).await
    }

    async fn run(&self) -> Value {
        self.run_as(json!({})).await
    }

    async fn ended(&self, path: &str) -> Value {
        loop {
            let run = self.get(path).await;
            if run["state"] != "running" {
                return run;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn change(&self, change: impl FnOnce(&mut Portal)) {
        change(&mut self.portal.lock());
    }

    /// The datasets in force.
    async fn in_force(&self) -> usize {
        self.get("/api/v1/datasets?limit=100").await["items"].as_array().unwrap().len()
    }
}

fn dcat(portal: &Portal, asked: &Asked, stream: &mut std::net::TcpStream) -> std::io::Result<()> {
    let page: usize = asked.parameter("page").and_then(|page| page.parse().ok()).unwrap_or(1);
    match portal.fault {
        Fault::Breaks if page > 1 => return reply(stream, "500 Internal Server Error", "", b""),
        Fault::Html => return reply(stream, "200 OK", "Content-Type: text/html", b"<p>Maintenance</p>"),
        Fault::Redirects => {
            return reply(stream, "302 Found", "Location: http://169.254.169.254/latest/meta-data/", b"");
        }
        _ => {}
    }
    let tag = format!("\"{:?}{:?}\"", portal.datasets, portal.untitled).replace(' ', "");
    if asked.header("if-none-match") == Some(&tag) {
        return reply(stream, "304 Not Modified", "", b"");
    }
    let size = if portal.page == 0 { portal.datasets.len().max(1) } else { portal.page };
    let mut text = "@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .
        @prefix hydra: <http://www.w3.org/ns/hydra/core#> .
        <https://portal.example/> a dcat:Catalog ; dct:title \"Portal\" .\n"
        .to_owned();
    for number in portal.datasets.iter().skip((page - 1) * size).take(size) {
        text.push_str(&format!("<https://portal.example/d/{number}> a dcat:Dataset"));
        if !portal.untitled.contains(number) {
            text.push_str(&format!(" ; dct:title \"Number {number}\"@en"));
        }
        text.push_str(" .\n");
    }
    let total = portal.claims.unwrap_or(portal.datasets.len());
    if portal.page > 0 {
        text.push_str(&format!("<?page={page}> a hydra:PagedCollection ; hydra:totalItems {total}"));
        if portal.fault == Fault::Circles {
            text.push_str(" ; hydra:next </catalogue?page=1>");
        } else if page * size < portal.datasets.len() {
            // Both forms, one on even pages and one on odd ones.
            let form = if page.is_multiple_of(2) { "next" } else { "nextPage" };
            let next = format!("http://{}/catalogue?page={}", stream.local_addr()?, page + 1);
            text.push_str(&format!(" ; hydra:{form} <{next}>"));
        }
        text.push_str(" .\n");
    }
    reply(stream, "200 OK", &format!("Content-Type: text/turtle; charset=utf-8\r\nETag: {tag}"), text.as_bytes())
}

fn ckan(portal: &Portal, asked: &Asked, stream: &mut std::net::TcpStream) -> std::io::Result<()> {
    const JSON: &str = "Content-Type: application/json;charset=utf-8";
    let start: usize = asked.parameter("start").and_then(|start| start.parse().ok()).unwrap_or(0);
    match portal.fault {
        Fault::Breaks if start > 0 => return reply(stream, "500 Internal Server Error", "", b""),
        Fault::Html => return reply(stream, "200 OK", "Content-Type: text/html", b"<p>Maintenance</p>"),
        // CKAN's own way of failing.
        Fault::Circles => {
            let failed = json!({"success": false, "error": {"message": "the index is being made"}});
            return reply(stream, "200 OK", JSON, failed.to_string().as_bytes());
        }
        _ => {}
    }
    if asked.target.contains("package_list") {
        if portal.fault == Fault::TellsNoNames {
            return reply(stream, "404 Not Found", "", b"");
        }
        let names: Vec<String> = portal.deleted.iter().map(|number| format!("d{number}")).collect();
        return reply(stream, "200 OK", JSON, json!({"success": true, "result": names}).to_string().as_bytes());
    }
    let rows: usize = asked.parameter("rows").and_then(|rows| rows.parse().ok()).unwrap_or(10);
    let rows = if portal.page == 0 { rows } else { rows.min(portal.page) };
    let packages = portal.datasets.iter().skip(start).take(rows).map(|number| {
        let title = if portal.untitled.contains(number) { String::new() } else { format!("Number {number}") };
        let has_own = portal.fault == Fault::TellsNoNames;
        let own = json!([{ "key": "uri", "value": format!("https://own.example/{number}") }]);
        json!({
            "extras": if has_own { own } else { json!([]) }, "id": format!("id-{number}"), "name": format!("d{number}"), "title": title, "resources": [],
            "metadata_modified": "2026-05-01T10:20:30.123456", "notes": "",
        })
    });
    let result = json!({
        "count": portal.claims.unwrap_or(portal.datasets.len()), "results": packages.collect::<Vec<_>>(),
    });
    reply(stream, "200 OK", JSON, json!({"success": true, "result": result}).to_string().as_bytes())
}

fn oai(shared: &Shared, asked: &Asked, stream: &mut std::net::TcpStream) -> std::io::Result<()> {
    let portal = shared.lock().clone();
    let token = asked.parameter("resumptionToken");
    let error = |code: &str| format!("<error code=\"{code}\">no</error>");
    if portal.fault == Fault::Floods {
        return write!(stream, "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 70000000\r\n\r\n");
    }
    let inner = match asked.parameter("verb").as_deref() {
        Some("Identify") => "<Identify><protocolVersion>2.0</protocolVersion><deletedRecord>persistent</deletedRecord>\
            <granularity>YYYY-MM-DD</granularity></Identify>"
            .to_owned(),
        Some("ListMetadataFormats") => {
            let prefixes: &[&str] =
                if asked.target.starts_with("/rdf") { &["oai_dc", "oai_dcat"] } else { &["oai_dc"] };
            let each = prefixes
                .iter()
                .map(|prefix| format!("<metadataFormat><metadataPrefix>{prefix}</metadataPrefix></metadataFormat>"));
            format!("<ListMetadataFormats>{}</ListMetadataFormats>", each.collect::<String>())
        }
        Some("ListRecords") => match (portal.fault, &token) {
            (Fault::Breaks, Some(_)) => return reply(stream, "500 Internal Server Error", "", b""),
            (Fault::ForgetsTokens, Some(_)) => error("badResumptionToken"),
            (Fault::ForgetsOneToken, Some(_)) => {
                shared.lock().fault = Fault::None;
                error("badResumptionToken")
            }
            _ if portal.datasets.is_empty() && portal.deleted.is_empty() => error("noRecordsMatch"),
            _ => oai_page(&portal, asked, token.as_deref()),
        },
        _ => error("badVerb"),
    };
    let body = format!(
        "<?xml version=\"1.0\"?><OAI-PMH xmlns=\"http://www.openarchives.org/OAI/2.0/\">\
         <responseDate>2026-05-01T10:20:30Z</responseDate>{inner}</OAI-PMH>"
    );
    reply(stream, "200 OK", "Content-Type: text/xml", body.as_bytes())
}

fn oai_page(portal: &Portal, asked: &Asked, token: Option<&str>) -> String {
    let from: usize = token.and_then(|token| token.parse().ok()).unwrap_or(0);
    let size = if portal.page == 0 { portal.datasets.len() } else { portal.page };
    let is_rdf = asked.target.starts_with("/rdf");
    let mut text = "<ListRecords>".to_owned();
    for number in portal.datasets.iter().skip(from).take(size) {
        let title = if portal.untitled.contains(number) { String::new() } else { format!("Number {number}") };
        let metadata = if is_rdf {
            format!(
                "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" xmlns:dcat=\"http://www.w3.org/ns/dcat#\" \
                 xmlns:dct=\"http://purl.org/dc/terms/\"><dcat:Dataset rdf:about=\"https://portal.example/d/{number}\">\
                 <dct:title xml:lang=\"en\">{title}</dct:title></dcat:Dataset></rdf:RDF>"
            )
        } else {
            format!(
                "<oai_dc:dc xmlns:oai_dc=\"http://www.openarchives.org/OAI/2.0/oai_dc/\" \
                 xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><dc:title>{title}</dc:title></oai_dc:dc>"
            )
        };
        text.push_str(&format!(
            "<record><header><identifier>oai:portal.example:{number}</identifier><datestamp>2026-05-01</datestamp>\
             </header><metadata>{metadata}</metadata></record>"
        ));
    }
    for number in &portal.deleted {
        text.push_str(&format!(
            "<record><header status=\"deleted\"><identifier>oai:portal.example:{number}</identifier></header></record>"
        ));
    }
    let total = portal.claims.unwrap_or(portal.datasets.len());
    let next = match portal.fault {
        Fault::Circles => "1".to_owned(),
        _ if from + size < portal.datasets.len() => (from + size).to_string(),
        _ => String::new(),
    };
    if portal.page > 0 {
        text.push_str(&format!("<resumptionToken completeListSize=\"{total}\">{next}</resumptionToken>"));
    }
    text + "</ListRecords>"
}

fn ten() -> Portal {
    Portal { datasets: (1..=10).collect(), ..Portal::default() }
}

/// The state of a run and one of its counts.
fn says(run: &Value, state: &str, count: &str, number: u64) {
    assert_eq!((&run["state"], &run["counts"][count]), (&json!(state), &json!(number)), "{count} in {run:#}");
}

#[tokio::test]
async fn a_catalogue_on_several_pages_is_read_whole_and_again_without_change() {
    let scene = Scene::new("dcat", Portal { page: 3, ..ten() }, |_| ()).await;
    let first = scene.run().await;
    says(&first, "done", "registered", 10);
    assert_eq!((&first["whole"], scene.server.asked().len()), (&json!(true), 4));
    says(&scene.run().await, "done", "unchanged", 10);
    assert_eq!(scene.in_force().await, 10);

    let listed = scene.get("/api/v1/harvests").await;
    let one = &listed["items"][0];
    assert_eq!((&one["source"], &one["last"]["state"]), (&json!("portal.example"), &json!("done")));
    assert!(one["last_success"].is_string() && one["next"].is_null(), "{one}");
    let metrics = scene.node.operations("/metrics").send().await.text();
    let runs = "pleiad_harvest_runs{source=\"portal.example\",state=\"done\"} 2";
    assert!(metrics.contains(runs) && metrics.contains("pleiad_harvest_last_done_timestamp_seconds"), "{metrics}");
}

#[tokio::test]
async fn a_page_that_did_not_change_is_not_read_again() {
    let scene = Scene::new("dcat", ten(), |_| ()).await;
    says(&scene.run().await, "done", "registered", 10);
    let second = scene.run().await;
    says(&second, "done", "read", 0);
    assert!(second["reason"].as_str().unwrap().contains("nothing changed"), "{second}");
    says(&scene.run_as(json!({"whole": true})).await, "done", "unchanged", 10);
    scene.change(|portal| portal.datasets.push(11));
    says(&scene.run().await, "done", "registered", 1);
}

#[tokio::test]
async fn what_is_gone_at_its_source_is_withdrawn_and_stays_so_when_it_comes_back() {
    let scene = Scene::new("dcat", ten(), |_| ()).await;
    scene.run().await;
    scene.change(|portal| portal.datasets.retain(|number| *number > 2));
    says(&scene.run().await, "done", "withdrawn", 2);
    assert_eq!(scene.in_force().await, 8);
    let all = scene.get("/api/v1/datasets?withdrawn=true&limit=100").await;
    let gone: Vec<&Value> = all["items"].as_array().unwrap().iter().filter(|one| !one["withdrawn"].is_null()).collect();
    assert_eq!(gone.len(), 2, "{all}");
    assert_eq!(gone[0]["withdrawn"]["reason"], "It is no longer at its source.");

    scene.change(|portal| portal.datasets.push(1));
    let back = scene.run().await;
    says(&back, "done", "returned", 1);
    assert!(back["reason"].as_str().unwrap().contains("final"), "{back}");
    assert_eq!(scene.in_force().await, 8);
}

#[tokio::test]
async fn a_source_that_breaks_never_empties_the_catalogue() {
    let scene = Scene::new("dcat", Portal { page: 5, ..ten() }, |_| ()).await;
    scene.run().await;
    // Most of it is gone: nothing happens without a steward's word.
    scene.change(|portal| portal.datasets = vec![1, 2]);
    let held = scene.run().await;
    says(&held, "partial", "withdrawn", 0);
    assert!(held["reason"].as_str().unwrap().contains("--withdraw"), "{held}");
    // All of it is gone: that is a fault.
    scene.change(|portal| portal.datasets.clear());
    says(&scene.run().await, "failed", "withdrawn", 0);
    // One is missing, but the numbers do not add up.
    scene.change(|portal| *portal = Portal { page: 5, datasets: (2..=10).collect(), claims: Some(10), ..ten() });
    let doubtful = scene.run().await;
    says(&doubtful, "partial", "withdrawn", 0);
    assert!(doubtful["reason"].as_str().unwrap().contains("10 records"), "{doubtful}");
    assert_eq!(scene.in_force().await, 10);
    // The word.
    scene.change(|portal| *portal = Portal { datasets: vec![1, 2], ..ten() });
    says(&scene.run_as(json!({"withdraw": true})).await, "done", "withdrawn", 8);
    assert_eq!(scene.in_force().await, 2);
}

#[tokio::test]
async fn what_is_no_catalogue_fails_and_says_why() {
    let scene = Scene::new("dcat", Portal { page: 5, ..ten() }, |_| ()).await;
    scene.run().await;
    for (fault, words) in [
        (Fault::Html, "text/html"),
        (Fault::Redirects, "169.254.169.254"),
        (Fault::Circles, "lead back"),
        (Fault::Breaks, "500"),
    ] {
        scene.change(|portal| portal.fault = fault);
        let run = scene.run().await;
        says(&run, "failed", "withdrawn", 0);
        let reason = run["reason"].as_str().unwrap();
        assert!(reason.contains(words) && reason.contains("while fetching page"), "{fault:?}: {reason}");
    }
    assert_eq!(scene.in_force().await, 10);
}

#[tokio::test]
async fn a_source_that_leads_to_this_machine_is_refused_unless_the_settings_allow_it() {
    let scene = Scene::new("dcat", ten(), |source| {
        source.address = source.address.replace("127.0.0.1", "localhost");
    })
    .await;
    let run = scene.run().await;
    says(&run, "failed", "read", 0);
    assert!(run["reason"].as_str().unwrap().contains("outbound.allowed_hosts"), "{run}");
    assert!(scene.server.asked().is_empty());
}

#[tokio::test]
async fn refused_records_make_a_run_partial_and_the_command_fails() {
    let scene = Scene::new("dcat", Portal { untitled: vec![3], ..ten() }, |_| ()).await;
    let run = scene.run().await;
    says(&run, "partial", "refused", 1);
    says(&run, "partial", "registered", 9);
    assert_eq!(run["refusals"][0]["place"], "https://portal.example/d/3", "{run}");
    // The same page again is not taken for unchanged: what was refused is still missing.
    let again = scene.run().await;
    says(&again, "partial", "refused", 1);
    assert_eq!(again["whole"], true, "{again}");
    scene.change(|portal| portal.untitled = (1..=10).collect());
    says(&scene.run().await, "failed", "refused", 10);
    // A record that is refused is there: it is not taken for one that is gone.
    assert_eq!(scene.in_force().await, 9);

    let (code, said) = scene.command(&["run", "portal.example", "--whole"]).await;
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("none of the 10 records was taken"), "{said}");
    scene.change(|portal| portal.untitled.clear());
    let (code, said) = scene.command(&["run", "portal.example"]).await;
    assert_eq!(code, 0, "{said}");
    let (code, said) = scene.command(&["list"]).await;
    assert!(code == 0 && said.contains("portal.example\tdcat\tdone\t10\t0"), "{said}");
    let (code, said) = scene.command(&["show", "portal.example"]).await;
    assert!(code == 0 && said.contains("\tfailed\t") && said.contains("\tpartial\t"), "{said}");
    assert_eq!(scene.command(&["run", "nowhere"]).await.0, 3);
}

impl Scene {
    /// `pleiad harvest …`: its exit code, and what it said.
    async fn command(&self, arguments: &[&str]) -> (i32, String) {
        let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_pleiad"))
            .arg("harvest")
            .args(arguments)
            .arg("--node")
            .arg(format!("http://{}/", self.node.running.addresses.web))
            .arg("--token-file")
            .arg(self.token.path())
            .output()
            .await
            .unwrap();
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        (output.status.code().unwrap(), said.concat())
    }
}

#[tokio::test]
async fn a_run_that_hangs_is_seen_and_ended_and_only_one_goes_on() {
    let slow = Portal { fault: Fault::Hangs, ..ten() };
    let scene = Scene::new("dcat", slow, |source| source.deadline = Some("3s".to_owned())).await;
    let begun = scene.begin(json!({})).await;
    let path = begun.header("location").unwrap().to_owned();
    assert_eq!(scene.get(&path).await["state"], "running");
    scene.begin(json!({})).await.problem(409, "conflict");
    let run = scene.ended(&path).await;
    says(&run, "timed_out", "read", 0);
    assert!(run["reason"].as_str().unwrap().contains("while fetching page 1"), "{run}");
    scene.change(|portal| portal.fault = Fault::None);
    says(&scene.run().await, "done", "registered", 10);
    assert_eq!(scene.node.operations("/health/ready").send().await.status, 200);
}

#[tokio::test]
async fn a_run_that_a_stop_broke_off_is_closed_at_the_next_start() {
    let scene = Scene::new("dcat", Portal { fault: Fault::Hangs, ..ten() }, |_| ()).await;
    assert_eq!(scene.begin(json!({})).await.status, 202);
    let address = scene.server.url("/catalogue").to_string();
    let Scene { node, steward, server: _server, .. } = scene;
    let node = node
        .stop()
        .await
        .start_with(|settings| {
            settings.harvest.sources = vec![SourceSettings {
                name: "portal.example".to_owned(),
                kind: "dcat".to_owned(),
                address,
                owner: "csc".to_owned(),
                ..SourceSettings::default()
            }];
        })
        .await;
    let shown = node.call("GET", "/api/v1/harvests/portal.example").bearer(&steward).send().await.json();
    assert_eq!(shown["runs"][0]["state"], "interrupted", "{shown}");
    assert!(shown["last_success"].is_null(), "{shown}");
}

#[tokio::test]
async fn a_source_with_a_schedule_runs_by_itself_and_a_paused_one_does_not() {
    let scene = Scene::new("dcat", ten(), |source| source.every = Some("1d".to_owned())).await;
    let shown = loop {
        let shown = scene.get("/api/v1/harvests/portal.example").await;
        if shown["last"]["state"] == "done" {
            break shown;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(shown["last"]["by"], "node");
    assert!(shown["next"].is_string(), "{shown}");
    let pause = scene.node.call("PUT", "/api/v1/harvests/portal.example/paused").bearer(&scene.steward);
    assert_eq!(pause.json(&json!({"paused": true})).send().await.status, 204);
    let shown = scene.get("/api/v1/harvests/portal.example").await;
    assert_eq!((&shown["paused"], &shown["next"]), (&json!(true), &Value::Null));
    // By hand it still runs.
    says(&scene.run_as(json!({"whole": true})).await, "done", "unchanged", 10);
}

#[tokio::test]
async fn a_harvest_is_for_administrators_and_its_owners_stewards() {
    let scene = Scene::new("dcat", ten(), |_| ()).await;
    let path = "/api/v1/harvests/portal.example";
    scene.node.call("GET", path).send().await.problem(401, "unauthenticated");
    let researcher = scene.node.token(Role::Researcher, None).await;
    scene.node.call("GET", path).bearer(&researcher).send().await.problem(403, "forbidden");
    let other = scene.node.token(Role::Steward, Some("other")).await;
    scene.node.call("GET", path).bearer(&other).send().await.problem(404, "not_found");
    let list = scene.node.call("GET", "/api/v1/harvests").bearer(&other).send().await.json();
    assert_eq!(list["items"], json!([]));
    let administrator = scene.node.token(Role::Administrator, None).await;
    assert_eq!(scene.node.call("GET", path).bearer(&administrator).send().await.status, 200);
}

#[tokio::test]
async fn a_repository_is_read_page_by_page_then_by_what_changed_and_deletions_are_believed() {
    let scene = Scene::new("oai_pmh", Portal { page: 4, ..ten() }, |_| ()).await;
    says(&scene.run().await, "done", "registered", 10);
    scene.change(|portal| *portal = Portal { datasets: vec![11], deleted: vec![4], ..Portal::default() });
    let changes = scene.run().await;
    says(&changes, "done", "registered", 1);
    says(&changes, "done", "withdrawn", 1);
    assert_eq!(changes["whole"], false);
    let asked = scene.server.asked();
    let last = asked.last().unwrap();
    assert_eq!(last.parameter("from").as_deref(), Some("2026-05-01"), "in the repository's own granularity");
    // Nothing new is no failure.
    scene.change(|portal| *portal = Portal::default());
    says(&scene.run().await, "done", "read", 0);
    // Nothing at all is one.
    says(&scene.run_as(json!({"whole": true})).await, "failed", "read", 0);
    assert_eq!(scene.in_force().await, 10);
}

#[tokio::test]
async fn a_repository_that_breaks_off_keeps_what_was_read_and_withdraws_nothing() {
    let scene = Scene::new("oai_pmh", Portal { page: 4, fault: Fault::Breaks, ..ten() }, |_| ()).await;
    let broken = scene.run().await;
    says(&broken, "failed", "registered", 4);
    assert!(broken["reason"].as_str().unwrap().contains("reading page 2"), "{broken}");
    for (fault, state, words) in [
        (Fault::ForgetsTokens, "failed", "badResumptionToken"),
        (Fault::Circles, "failed", "leads back"),
        (Fault::ForgetsOneToken, "done", ""),
    ] {
        scene.change(|portal| portal.fault = fault);
        let run = scene.run_as(json!({"whole": true})).await;
        says(&run, state, "withdrawn", 0);
        assert!(run["reason"].as_str().unwrap_or_default().contains(words), "{fault:?}: {run}");
    }
    // Eight listed where ten are said to be: nothing that is missing goes.
    scene.change(|portal| *portal = Portal { page: 4, datasets: (1..=8).collect(), claims: Some(10), ..ten() });
    says(&scene.run_as(json!({"whole": true})).await, "partial", "withdrawn", 0);
    assert_eq!(scene.in_force().await, 10);
}

#[tokio::test]
async fn a_portal_is_read_page_by_page_and_then_by_what_changed() {
    // The portal gives fewer packages a page than it was asked for.
    let scene = Scene::new("ckan", Portal { page: 3, ..ten() }, |source| {
        source.address = source.address.replace("/catalogue", "/");
    })
    .await;
    says(&scene.run().await, "done", "registered", 10);
    let changes = scene.run().await;
    says(&changes, "done", "unchanged", 10);
    assert_eq!(changes["whole"], false);
    let last = scene.server.asked().last().unwrap().clone();
    assert!(last.target.starts_with("/api/3/action/package_search?"), "{last:?}");
    assert_eq!(last.parameter("fq").as_deref(), Some("metadata_modified:[2026-05-01T10:20:30Z TO *]"));
    assert_eq!(last.parameter("sort").as_deref(), Some("id asc"));
}

#[tokio::test]
async fn a_portal_that_fails_or_does_not_add_up_loses_nothing() {
    let scene = Scene::new("ckan", Portal { page: 4, ..ten() }, |source| {
        source.address = source.address.replace("/catalogue", "/");
    })
    .await;
    scene.run().await;
    let whole = json!({"whole": true});
    for (fault, words) in
        [(Fault::Breaks, "500"), (Fault::Html, "text/html"), (Fault::Circles, "the index is being made")]
    {
        scene.change(|portal| portal.fault = fault);
        let run = scene.run_as(whole.clone()).await;
        says(&run, "failed", "withdrawn", 0);
        assert!(run["reason"].as_str().unwrap().contains(words), "{fault:?}: {run}");
    }
    scene.change(|portal| *portal = Portal { datasets: (2..=10).collect(), claims: Some(10), ..ten() });
    says(&scene.run_as(whole.clone()).await, "partial", "withdrawn", 0);
    // The search lost two; the list of names still has one of them.
    scene.change(|portal| *portal = Portal { datasets: (3..=10).collect(), deleted: vec![2], ..ten() });
    says(&scene.run_as(whole).await, "done", "withdrawn", 1);
    assert_eq!(scene.in_force().await, 9);
}

#[tokio::test]
async fn a_portal_whose_list_moves_while_it_is_read_loses_nothing() {
    let portal = || Portal { page: 4, datasets: (10..=19).collect(), ..Portal::default() };
    let scene = Scene::new("ckan", portal(), |source| source.address = source.address.replace("/catalogue", "/")).await;
    says(&scene.run().await, "done", "registered", 10);
    // The first goes and one comes at the end: as many as before, and one was never listed.
    scene.change(|portal| portal.fault = Fault::Shifts);
    let moved = scene.run_as(json!({"whole": true})).await;
    says(&moved, "partial", "withdrawn", 0);
    assert!(moved["reason"].as_str().unwrap().contains("changed while it was read"), "{moved}");
    assert_eq!(scene.in_force().await, 11);
}

#[tokio::test]
async fn a_portal_whose_records_have_addresses_of_their_own_must_tell_its_names() {
    let portal = Portal { page: 4, fault: Fault::TellsNoNames, ..ten() };
    let scene = Scene::new("ckan", portal, |source| source.address = source.address.replace("/catalogue", "/")).await;
    says(&scene.run().await, "partial", "registered", 10);
    scene.change(|portal| portal.datasets.retain(|number| *number != 1));
    says(&scene.run().await, "partial", "withdrawn", 0);
    assert_eq!(scene.in_force().await, 10);
}

#[tokio::test]
async fn an_answer_that_is_held_in_memory_is_bounded_whatever_the_source_may_bring() {
    let scene = Scene::new("oai_pmh", Portal { fault: Fault::Floods, ..ten() }, |_| ()).await;
    let run = scene.run().await;
    says(&run, "failed", "read", 0);
    assert!(run["reason"].as_str().unwrap().contains("67108864"), "{run}");
}

#[tokio::test]
async fn metadata_in_rdf_are_preferred_to_dublin_core() {
    let scene = Scene::new("oai_pmh", Portal { page: 4, untitled: vec![2], ..ten() }, |source| {
        source.address = source.address.replace("/catalogue", "/rdf");
    })
    .await;
    let run = scene.run().await;
    says(&run, "partial", "registered", 9);
    let listed = scene.get("/api/v1/datasets?limit=100").await;
    let local = listed["items"][0]["id"].as_str().unwrap().rsplit('/').next().unwrap();
    let one = scene.get(&format!("/api/v1/datasets/{local}")).await;
    assert!(one["dataset"]["source"]["iri"].as_str().unwrap().starts_with("https://portal.example/d/"), "{one}");
    let prefixes: Vec<_> = scene.server.asked().iter().filter_map(|asked| asked.parameter("metadataPrefix")).collect();
    assert_eq!(prefixes, ["oai_dcat"]);
}
