//! Requests between two nodes, and bytes from the owner's door to the holder's folder: real TLS, real files.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use jiff::SignedDuration;
use pleiad::delivery::fetch::{FetchError, Fetcher, Options, Progress, Wanted, Watcher};
use pleiad::delivery::held::KeptReceipt;
use pleiad::domain::agreement::Agreement;
use pleiad::domain::event::{Actor, Event, Role, What};
use pleiad::domain::manifest::{CHUNK_SIZE, ShardName};
use pleiad::outbound::federation::{self, Federation};
use pleiad::peers::publish;
use pleiad::shards;
use pleiad::store::Priority;
use serde_json::{Value, json};

use crate::node::{Ready, Reply, TestNode};
use crate::pki::{self, Participant};

const ACADEMIC: &str = "https://w3id.org/dpv#AcademicResearch";
const MARKETING: &str = "https://w3id.org/dpv#Marketing";
const LOCAL: &str = "call-centre-speech";

/// An owner's node (fi) and a home node (de), with a steward, an operator, and a holder's machine.
struct Pair {
    fi: TestNode,
    de: TestNode,
    steward: String,
    operator: String,
    lab: Participant,
    dataset: String,
}

impl Pair {
    async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// The dataset is registered with what `change` makes of its policy.
    async fn start_with(change: impl FnOnce(&mut Value)) -> Self {
        let clock = pki::clock();
        let (fi, de) = (Ready::new("fi", &clock), Ready::new("de", &clock));
        pki::introduce(&[&fi.state, &de.state]);
        let lab = de.state.participant("lab", &[&fi.state]);
        let (fi, de) = (fi.start_with(|_| ()).await, de.start_with(|_| ()).await);
        let steward = fi.token(Role::Steward, Some("archive")).await;
        let operator = de.token(Role::Operator, Some("lab")).await;
        let mut pair = Self { fi, de, steward, operator, lab, dataset: String::new() };
        pair.register(change).await;
        pair
    }

    async fn register(&mut self, change: impl FnOnce(&mut Value)) {
        std::fs::create_dir_all(self.shard_path("")).unwrap();
        let long: Vec<u8> = (0..2 * CHUNK_SIZE as usize + 4321).map(|i| (i / 3 % 251) as u8).collect();
        std::fs::write(self.shard_path("train-00000.bin"), &long).unwrap();
        std::fs::write(self.shard_path("test-00000.bin"), b"a small shard").unwrap();
        std::fs::write(self.shard_path("empty.bin"), b"").unwrap();
        let mut record: Value = serde_json::from_str(include_str!("../../config/examples/dataset.json")).unwrap();
        let manifest = shards::measure(&self.shard_path(""), 1, &mut |_| {}).unwrap();
        record["distributions"][0]["manifest"] = serde_json::to_value(manifest).unwrap();
        change(&mut record["policy"]);
        let reply = self.fi.call("POST", "/api/v1/datasets").bearer(&self.steward).json(&record).send().await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        self.dataset = reply.json()["dataset"]["id"].as_str().unwrap().to_owned();
    }

    /// Where a shard lies on the owner's disk.
    fn shard_path(&self, name: &str) -> PathBuf {
        self.fi.state.member.data().join("shards").join(LOCAL).join(name)
    }

    async fn ask(&self, purpose: &str) -> Value {
        let body = json!({ "dataset": self.dataset, "purposes": [purpose], "statement": "speech for all" });
        let reply = self.de.call("POST", "/api/v1/requests").bearer(&self.operator).json(&body).send().await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        reply.json()
    }

    async fn at_home(&self, request: &str) -> Value {
        self.de.call("GET", &format!("/api/v1/requests/{request}")).bearer(&self.operator).send().await.json()
    }

    /// What the home node says of a request once it has this state.
    async fn home_hears(&self, request: &str, state: &str) -> Value {
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            let found = self.at_home(request).await;
            if found["state"]["state"] == state {
                return found;
            }
            assert!(Instant::now() < until, "still {found}");
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    async fn decide(&self, request: &str, verb: &str, body: Value) -> Reply {
        let path = format!("/api/v1/requests/{request}/{verb}");
        self.fi.call("POST", &path).bearer(&self.steward).json(&body).send().await
    }

    /// A request, approved; the agreement as the home node has it.
    async fn agreed(&self) -> Agreement {
        let request = self.ask(ACADEMIC).await;
        let id = request["id"].as_str().unwrap();
        let approved = self.decide(id, "approve", json!({})).await;
        assert_eq!(approved.status, 200, "{}", approved.text());
        let heard = self.home_hears(id, "agreed").await;
        let path = format!("/api/v1/agreements/{}", heard["state"]["agreement"].as_str().unwrap());
        let reply = self.de.call("GET", &path).bearer(&self.operator).send().await;
        assert_eq!(reply.json(), approved.json());
        serde_json::from_value(reply.json()).unwrap()
    }

    fn wanted(&self, agreement: &Agreement) -> Wanted {
        let owner = self.fi.state.node.clone();
        Wanted { agreement: agreement.id.clone(), owner, manifest: Some(agreement.manifest) }
    }

    async fn fetch(&self, agreement: &Agreement, to: &Path) -> Result<KeptReceipt, FetchError> {
        fetcher(&self.lab, &self.de, Arc::new(|_| {})).fetch(&self.wanted(agreement), to).await
    }
}

fn caller(holder: &Participant) -> Federation {
    Federation::new(holder.own(), holder.trust(), federation::Options::default())
}

fn fetcher(holder: &Participant, node: &TestNode, watcher: Watcher) -> Fetcher {
    let options =
        Options { patience: Duration::from_secs(5), first_retry: Duration::from_millis(50), ..Options::default() };
    Fetcher::new(Arc::new(caller(holder)), holder.own(), Arc::new(node.clock.clone()), options, watcher)
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

#[actix_web::test]
async fn a_forbidden_purpose_is_refused_with_the_rule_that_refused_it() {
    let pair = Pair::start().await;
    let request = pair.ask(MARKETING).await;
    assert_eq!(request["state"]["state"], "refused", "{request}");
    let reason = &request["state"]["reasons"][0];
    assert_eq!((&reason["code"], &reason["pointer"]), (&json!("prohibited"), &json!("/prohibitions/0")));
    // Both logs have it.
    for (node, token) in [(&pair.fi, &pair.steward), (&pair.de, &pair.operator)] {
        let reply = node.call("GET", "/api/v1/requests?state=refused").bearer(token).send().await;
        assert_eq!(reply.json()["items"][0]["id"], request["id"]);
    }
    // An operator of another holder sees nothing of it.
    let other = pair.de.token(Role::Operator, Some("stranger")).await;
    let path = format!("/api/v1/requests/{}", request["id"].as_str().unwrap());
    pair.de.call("GET", &path).bearer(&other).send().await.problem(404, "not_found");
    let list = pair.de.call("GET", "/api/v1/requests").bearer(&other).send().await;
    assert_eq!(list.json()["items"], json!([]));
}

#[actix_web::test]
async fn a_request_is_approved_fetched_and_every_byte_is_verified() {
    let pair = Pair::start().await;
    let agreement = pair.agreed().await;
    let folder = tempfile::tempdir().unwrap();
    let done = pair.fetch(&agreement, folder.path()).await.unwrap();
    for name in ["train-00000.bin", "test-00000.bin", "empty.bin"] {
        let (got, sent) = (std::fs::read(folder.path().join(name)), std::fs::read(pair.shard_path(name)));
        assert!(got.unwrap() == sent.unwrap(), "{name}");
    }
    assert!(folder.path().join("receipt.json").exists());
    assert_eq!(done.receipt.manifest, agreement.manifest);
    // Looked at again, nothing is sent and the receipt is the same.
    let received = Arc::new(AtomicU64::new(0));
    let counter = counting(&received);
    let again = fetcher(&pair.lab, &pair.de, counter).fetch(&pair.wanted(&agreement), folder.path()).await.unwrap();
    assert_eq!((again, received.load(Ordering::SeqCst)), (done.clone(), 0));
    // The home node keeps the receipt, and the owner's log has every release.
    let body = serde_json::to_value(&done.receipt).unwrap();
    let kept = pair.de.call("POST", "/api/v1/receipts").bearer(&pair.operator).json(&body).send().await;
    assert_eq!(kept.status, 201, "{}", kept.text());
    let until = soon();
    loop {
        let releases = pair.fi.running.store().releases(&agreement.id, Default::default(), 10).await.unwrap();
        let complete = |kept: &pleiad::store::KeptRelease| {
            kept.end.as_ref().is_some_and(|(_, end)| end.outcome == "complete" && end.bytes == kept.release.range.1)
        };
        if releases.len() == 2 && releases.iter().all(complete) {
            break;
        }
        assert!(Instant::now() < until, "{releases:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn counting(received: &Arc<AtomicU64>) -> Watcher {
    let received = Arc::clone(received);
    Arc::new(move |progress| {
        if let Progress::Received(bytes) = progress {
            received.fetch_add(bytes, Ordering::SeqCst);
        }
    })
}

#[actix_web::test]
async fn a_fetch_stopped_in_the_middle_goes_on_and_at_most_one_chunk_is_sent_again() {
    let pair = Pair::start().await;
    let agreement = pair.agreed().await;
    let folder = tempfile::tempdir().unwrap();
    let received = Arc::new(AtomicU64::new(0));
    {
        let fetcher = fetcher(&pair.lab, &pair.de, counting(&received));
        let wanted = pair.wanted(&agreement);
        let fetching = fetcher.fetch(&wanted, folder.path());
        let enough = async {
            while received.load(Ordering::SeqCst) < CHUNK_SIZE + CHUNK_SIZE / 2 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            done = fetching => panic!("it was to be stopped: {done:?}"),
            () = enough => {}
        }
    }
    assert!(!folder.path().join("receipt.json").exists() && !folder.path().join("train-00000.bin").exists());
    // The thread that writes ends with what had arrived.
    let until = soon();
    let done = loop {
        let fetcher = fetcher(&pair.lab, &pair.de, counting(&received));
        match fetcher.fetch(&pair.wanted(&agreement), folder.path()).await {
            Err(FetchError::Folder(_)) if Instant::now() < until => tokio::task::yield_now().await,
            other => break other.unwrap(),
        }
    };
    let total = std::fs::metadata(pair.shard_path("train-00000.bin")).unwrap().len() + 13;
    let again = received.load(Ordering::SeqCst) - total;
    assert!(again <= CHUNK_SIZE, "{again} bytes were sent again");
    assert_eq!(done.receipt.shards.len(), 3);
}

#[actix_web::test]
async fn bytes_changed_on_the_owners_disk_never_make_a_folder_done() {
    let pair = Pair::start().await;
    let agreement = pair.agreed().await;
    let folder = tempfile::tempdir().unwrap();
    let path = pair.shard_path("train-00000.bin");
    let right = std::fs::read(&path).unwrap();
    let mut changed = right.clone();
    changed[CHUNK_SIZE as usize + 100] ^= 1;
    std::fs::write(&path, &changed).unwrap();
    let failed = pair.fetch(&agreement, folder.path()).await.unwrap_err();
    assert!(matches!(failed, FetchError::Mismatch(_)), "{failed}");
    // Another size is found out before a byte is sent.
    std::fs::write(&path, &changed[1..]).unwrap();
    let failed = pair.fetch(&agreement, folder.path()).await.unwrap_err();
    assert!(matches!(&failed, FetchError::NotAsAgreed(detail) if detail.contains("bytes")), "{failed}");
    assert!(!folder.path().join("receipt.json").exists() && !folder.path().join("train-00000.bin").exists());
    // Mended, the same folder is completed.
    std::fs::write(&path, &right).unwrap();
    pair.fetch(&agreement, folder.path()).await.unwrap();
}

#[actix_web::test]
async fn a_grant_is_for_one_certificate_and_an_agreement_for_one_holder() {
    let pair = Pair::start().await;
    let agreement = pair.agreed().await;
    let owner = &pair.fi.state.node;
    let ask = json!({ "agreement": agreement.id });
    let lab = caller(&pair.lab);
    let granted = lab.post_json(owner, "grants", &[], &ask, soon(), 1 << 20).await.unwrap();
    assert_eq!(granted.status, 201);
    let grant: Value = granted.json().unwrap();
    let id = grant["id"].as_str().unwrap();
    let shard = format!("shards/{}/test-00000.bin", agreement.id);
    let get = async |who: &Federation, path: &str| {
        who.get(owner, path, &[("pleiad-grant", id)], soon(), 1 << 20).await.unwrap()
    };
    assert_eq!(&get(&lab, &shard).await.bytes[..], b"a small shard");
    // The same participant with another certificate, and another participant of the same node.
    let renewed = pair.de.state.participant("lab", &[&pair.fi.state]);
    let refused = get(&caller(&renewed), &shard).await;
    assert_eq!((refused.status, refused.json::<Value>().unwrap()["code"].as_str()), (403, Some("grant_over")));
    let stranger = caller(&pair.de.state.participant("stranger", &[&pair.fi.state]));
    assert_eq!(get(&stranger, &shard).await.status, 404);
    assert_eq!(stranger.post_json(owner, "grants", &[], &ask, soon(), 1 << 20).await.unwrap().status, 404);
    // A node is no holder, and no grant is no byte.
    let node = Federation::new(pair.de.state.own(), pair.de.state.trust(), federation::Options::default());
    assert_eq!(get(&node, &shard).await.status, 403);
    assert_eq!(lab.get(owner, &shard, &[], soon(), 1 << 20).await.unwrap().status, 403);
    // The clock passes the grant by.
    pair.fi.clock.advance(jiff::SignedDuration::from_mins(11));
    assert_eq!(get(&lab, &shard).await.status, 403);
}

#[actix_web::test]
async fn names_that_climb_are_the_names_of_nothing() {
    let pair = Pair::start().await;
    let agreement = pair.agreed().await;
    let owner = &pair.fi.state.node;
    let lab = caller(&pair.lab);
    let ask = json!({ "agreement": agreement.id });
    let grant: Value = lab.post_json(owner, "grants", &[], &ask, soon(), 1 << 20).await.unwrap().json().unwrap();
    let id = grant["id"].as_str().unwrap();
    std::os::unix::fs::symlink("/etc/hostname", pair.shard_path("link.bin")).unwrap();
    for name in [
        "..%2f..%2fkeys%2fnode.pem",
        "%2e%2e%2ftrain-00000.bin",
        "%00",
        "train-00000.bin%00",
        "link.bin",
        "C:train-00000.bin",
        "..%5ctrain-00000.bin",
        "%c0%ae%c0%ae",
        ".hidden",
        "train-00000.bin%2f",
    ] {
        let path = format!("shards/{}/{name}", agreement.id);
        let reply = lab.get(owner, &path, &[("pleiad-grant", id)], soon(), 1 << 20).await.unwrap();
        assert_eq!(reply.status, 404, "{name}");
    }
}

#[actix_web::test]
async fn ranges_are_those_of_the_shard_under_its_strong_tag() {
    let pair = Pair::start().await;
    let agreement = pair.agreed().await;
    let owner = &pair.fi.state.node;
    let lab = caller(&pair.lab);
    let ask = json!({ "agreement": agreement.id });
    let grant: Value = lab.post_json(owner, "grants", &[], &ask, soon(), 1 << 20).await.unwrap().json().unwrap();
    let path = format!("shards/{}/test-00000.bin", agreement.id);
    let get = async |headers: &[(&str, &str)]| {
        let headers = [&[("pleiad-grant", grant["id"].as_str().unwrap())], headers].concat();
        lab.get(owner, &path, &headers, soon(), 1 << 20).await.unwrap()
    };
    let whole = get(&[]).await;
    assert_eq!((whole.status, &whole.bytes[..]), (200, &b"a small shard"[..]));
    assert_eq!(whole.headers.get("accept-ranges"), Some("bytes"));
    let tag = whole.headers.get("etag").unwrap().to_owned();
    let repr = whole.headers.get("repr-digest").unwrap();
    let sha256 = data_encoding::HEXLOWER.decode(tag.trim_matches('"').as_bytes()).unwrap();
    assert_eq!(repr, format!("sha-256=:{}:", data_encoding::BASE64.encode(&sha256)));
    let part = get(&[("range", "bytes=2-6")]).await;
    assert_eq!((part.status, &part.bytes[..]), (206, &b"small"[..]));
    assert_eq!(part.headers.get("content-range"), Some("bytes 2-6/13"));
    assert_eq!(get(&[("range", "bytes=-5"), ("if-range", &tag)]).await.bytes, &b"shard"[..]);
    assert_eq!(get(&[("range", "bytes=2-6"), ("if-range", "\"other\"")]).await.status, 200);
    let beyond = get(&[("range", "bytes=13-")]).await;
    assert_eq!((beyond.status, beyond.headers.get("content-range")), (416, Some("bytes */13")));
    assert_eq!(get(&[("range", "bytes=0-1,3-4")]).await.status, 416);
}

#[actix_web::test]
async fn nothing_is_released_once_an_agreement_ended_or_its_dataset_was_withdrawn() {
    let pair = Pair::start().await;
    let (ended, withdrawn) = (pair.agreed().await, pair.agreed().await);
    let folder = tempfile::tempdir().unwrap();
    let path = format!("/api/v1/agreements/{}/end", ended.id);
    let body = json!({ "reason": "used for something else" });
    let reply = pair.fi.call("POST", &path).bearer(&pair.steward).json(&body).send().await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let refused = pair.fetch(&ended, folder.path()).await.unwrap_err();
    assert!(matches!(&refused, FetchError::Denied(why) if why.contains("used for something else")), "{refused}");
    // The home node hears of it.
    let until = soon();
    loop {
        let path = format!("/api/v1/agreements/{}", ended.id);
        let copy = pair.de.call("GET", &path).bearer(&pair.operator).send().await.json();
        if copy["ended"]["reason"] == "used for something else" {
            break;
        }
        assert!(Instant::now() < until, "{copy}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    let path = format!("/api/v1/datasets/{LOCAL}");
    let record = pair.fi.call("GET", &path).bearer(&pair.steward).send().await;
    let body = json!({ "reason": "consent was missing" });
    let tag = record.header("etag").unwrap();
    let gone = pair.fi.call("DELETE", &path).bearer(&pair.steward).header("If-Match", tag).json(&body).send().await;
    assert_eq!(gone.status, 200, "{}", gone.text());
    let refused = pair.fetch(&withdrawn, folder.path()).await.unwrap_err();
    assert!(matches!(&refused, FetchError::Denied(why) if why.contains("consent was missing")), "{refused}");
}

#[actix_web::test]
async fn an_owners_node_that_is_away_is_a_state_and_the_request_arrives_when_it_is_back() {
    let clock = pki::clock();
    let (fi, de) = (Ready::new("fi", &clock), Ready::new("de", &clock));
    pki::introduce(&[&fi.state, &de.state]);
    let de = de.start_with(|_| ()).await;
    let operator = de.token(Role::Operator, Some("lab")).await;
    let dataset = "https://fi.pleiad.example/dataset/absent";
    let body = json!({ "dataset": dataset, "purposes": [ACADEMIC] });
    // Nobody accepts at the port: the listener is bound, and answers nothing until the node starts.
    let asked = de.call("POST", "/api/v1/requests").bearer(&operator).json(&body).send().await;
    assert_eq!((asked.status, &asked.json()["state"]["state"]), (201, &json!("undelivered")), "{}", asked.text());
    let fi = fi.start_with(|_| ()).await;
    let until = Instant::now() + Duration::from_secs(30);
    let path = format!("/api/v1/requests/{}", asked.json()["id"].as_str().unwrap());
    loop {
        let request = de.call("GET", &path).bearer(&operator).send().await.json();
        if request["state"]["state"] == "refused" {
            break;
        }
        assert!(Instant::now() < until, "{request}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    fi.running.shutdown().await;
}

#[actix_web::test]
async fn bad_requests_each_get_their_own_answer_and_change_nothing() {
    let pair = Pair::start().await;
    let post = |body: Value| pair.de.call("POST", "/api/v1/requests").bearer(&pair.operator).json(&body).send();
    post(json!({ "dataset": pair.dataset, "purposes": [] })).await.problem(422, "invalid");
    assert!((400..500).contains(&post(json!({ "dataset": "nonsense", "purposes": [ACADEMIC] })).await.status));
    assert!(
        (400..500).contains(&post(json!({ "dataset": pair.dataset, "purposes": [ACADEMIC], "x": 1 })).await.status)
    );
    let own = "https://de.pleiad.example/dataset/absent";
    post(json!({ "dataset": own, "purposes": [ACADEMIC] })).await.problem(404, "not_found");
    let get = |path: &str| pair.de.call("GET", path).bearer(&pair.operator).send();
    get("/api/v1/requests?limit=1000").await.problem(400, "bad_parameter");
    get("/api/v1/requests?state=lost").await.problem(400, "bad_parameter");
    get("/api/v1/requests?cursor=abc").await.problem(400, "bad_cursor");
    get("/api/v1/requests/..%2f..%2fetc").await.problem(404, "not_found");
    assert_eq!(get("/api/v1/requests").await.json()["items"], json!([]));
    let unknown = pair.decide("request-00000000", "approve", json!({})).await;
    unknown.problem(404, "not_found");
    pair.de.call("GET", "/api/v1/requests").send().await.problem(401, "unauthenticated");
    let name: Result<ShardName, _> = "../x".parse();
    assert!(name.is_err());
}

#[actix_web::test]
async fn a_peer_ends_no_agreement_but_those_on_its_own_datasets() {
    let pair = Pair::start().await;
    let request = pair.ask(ACADEMIC).await;
    let id = request["id"].as_str().unwrap();
    // An agreement of de's own, with somebody else.
    let mut own = json!({
        "id": "agreement-of-de", "request": "request-of-another", "dataset": "https://de.pleiad.example/dataset/own",
        "revision": 1, "manifest": "0".repeat(64), "owner": "spiffe://de.pleiad.example/participant/archive",
        "holder": "spiffe://fr.pleiad.example/participant/lab", "policy": { "permissions": [] },
        "intended": request["intended"], "concluded": "2027-03-01T11:00:00Z", "expires": "2028-03-01T11:00:00Z",
    });
    let agreement: Agreement = serde_json::from_value(own.clone()).unwrap();
    let what = What::AgreementConcluded { agreement: Box::new(agreement.clone()) };
    let event = Event { at: agreement.concluded, actor: Actor::Operator, what };
    let store = pair.de.running.store();
    store.append(vec![event], vec![], Priority::Interactive).await.unwrap();

    // fi says that nothing moved, and slips in the end of that agreement.
    own["request"] = request["id"].clone();
    own["dataset"] = json!(pair.dataset);
    own["owner"] = json!("spiffe://fi.pleiad.example/participant/archive");
    own["holder"] = request["holder"].clone();
    own["ended"] = json!({ "at": "2027-03-01T12:00:00Z", "reason": "because I say so" });
    let told = json!({ "request": id, "state": pair.at_home(id).await["state"], "agreement": own });
    let fi = Federation::new(pair.fi.state.own(), pair.fi.state.trust(), federation::Options::default());
    let de = &pair.de.state.node;
    fi.post_json(de, "federation/v1/progress", &[], &told, soon(), 1 << 20).await.unwrap();
    let kept = store.agreement(&agreement.id).await.unwrap().unwrap();
    assert_eq!(kept, agreement);
}

#[actix_web::test]
async fn nothing_is_agreed_with_a_participant_whose_home_nodes_peer_file_ran_out() {
    let pair = Pair::start().await;
    let request = pair.ask(ACADEMIC).await;
    let id = request["id"].as_str().unwrap().to_owned();
    let Pair { fi, de, steward, .. } = pair;
    // A node that is away cannot bring its newer peer file.
    let de = de.stop().await;
    de.clock.advance(publish::LIFETIME + SignedDuration::from_hours(1));
    let path = format!("/api/v1/requests/{id}/approve");
    let approved = fi.call("POST", &path).bearer(&steward).json(&json!({})).send().await;
    approved.problem(403, "agreement_over");
    let still = fi.call("GET", &format!("/api/v1/requests/{id}")).bearer(&steward).send().await.json();
    assert_eq!(still["state"]["state"], "pending");
}

#[actix_web::test]
async fn a_home_node_attests_no_country_that_it_may_not_speak_for() {
    let only_france = |policy: &mut Value| {
        policy["approval"] = json!(false);
        let constraint = json!({ "left": "spatial", "operator": "eq", "right": ["FR"] });
        policy["permissions"][0]["constraints"].as_array_mut().unwrap().push(constraint);
    };
    let pair = Pair::start_with(only_france).await;
    let de = Federation::new(pair.de.state.own(), pair.de.state.trust(), federation::Options::default());
    let request = json!({
        "id": "request-from-germany", "dataset": pair.dataset, "revision": 1, "home": pair.de.state.node,
        "holder": pair.lab.identity, "intended": { "action": "use", "purposes": [ACADEMIC] },
        "facts": [{ "name": "country", "value": "FR", "attested": true }], "made": "2027-03-01T12:00:00Z",
        "state": { "state": "undelivered", "reason": "not sent yet" },
    });
    let fi = &pair.fi.state.node;
    let answer = de.post_json(fi, "federation/v1/requests", &[], &request, soon(), 1 << 20).await.unwrap();
    let progress: Value = answer.json().unwrap();
    assert_eq!(progress["state"]["state"], "pending", "{progress}");
    assert_eq!(progress["state"]["reasons"][0]["code"], "fact_only_declared", "{progress}");
}

#[actix_web::test]
async fn a_stream_that_runs_is_cut_when_its_agreement_ends() {
    const SIZE: u64 = 192 << 20;
    let pair = Pair::start().await;
    let path = pair.shard_path("sparse.bin");
    std::fs::File::create(&path).unwrap().set_len(SIZE).unwrap();
    let at = format!("/api/v1/datasets/{LOCAL}");
    let record = pair.fi.call("GET", &at).bearer(&pair.steward).send().await;
    let mut dataset = record.json()["dataset"].clone();
    let manifest = shards::measure(&pair.shard_path(""), 2, &mut |_| {}).unwrap();
    dataset["distributions"][0]["manifest"] = serde_json::to_value(manifest).unwrap();
    let tag = record.header("etag").unwrap();
    let revised = pair.fi.call("PUT", &at).bearer(&pair.steward).header("If-Match", tag).json(&dataset).send().await;
    assert_eq!(revised.status, 200, "{}", revised.text());
    let agreement = pair.agreed().await;

    let owner = &pair.fi.state.node;
    let lab = caller(&pair.lab);
    let ask = json!({ "agreement": agreement.id });
    let grant: Value = lab.post_json(owner, "grants", &[], &ask, soon(), 1 << 20).await.unwrap().json().unwrap();
    let path = format!("shards/{}/sparse.bin", agreement.id);
    let headers = [("pleiad-grant", grant["id"].as_str().unwrap())];
    let stream = lab.stream(owner, &path, &headers, soon(), SIZE).await.unwrap();
    assert_eq!(stream.status, 200);
    let mut body = Box::pin(stream.body);
    let mut received = body.next().await.unwrap().unwrap().len() as u64;
    let end = format!("/api/v1/agreements/{}/end", agreement.id);
    let reason = json!({ "reason": "over" });
    let ended = pair.fi.call("POST", &end).bearer(&pair.steward).json(&reason).send().await;
    assert_eq!(ended.status, 200, "{}", ended.text());
    let outcome = loop {
        match body.next().await {
            Some(Ok(piece)) => received += piece.len() as u64,
            other => break other,
        }
    };
    assert!(matches!(outcome, Some(Err(_))) && received < SIZE, "{received} bytes, then {outcome:?}");
    let until = soon();
    loop {
        let releases = pair.fi.running.store().releases(&agreement.id, Default::default(), 10).await.unwrap();
        let ends: Vec<_> = releases.iter().filter_map(|kept| kept.end.as_ref()).collect();
        if let [(_, end)] = &ends[..] {
            assert_eq!(end.outcome, "revoked");
            break;
        }
        assert!(Instant::now() < until, "{releases:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
