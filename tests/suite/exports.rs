//! Records on their way out: every form by suffix and by `Accept`, the whole catalogue, and nobody sees what is not theirs.

use std::collections::BTreeSet;

use oxrdfio::{RdfFormat, RdfParser};
use pleiad::domain::event::{Actor, Event, Role, What};
use pleiad::store::Priority;
use serde_json::{Value, json};

use crate::datasets::{Scene, draft};
use crate::node::Reply;

const DCAT_DATASET: &str = "http://www.w3.org/ns/dcat#Dataset";

async fn scene() -> Scene {
    let scene = Scene::new().await;
    let mut birds = draft("birds");
    birds["licence"] = json!({ "spdx": "CC-BY-4.0" });
    birds["description"] = json!({ "en": "Songs </script><b>of</b> birds" });
    birds["distributions"] = json!([{ "download_url": "https://data.example/birds.csv", "media_type": "text/csv" }]);
    scene.register(&birds).await;
    scene
}

impl Scene {
    async fn get(&self, path: &str, accept: &str) -> Reply {
        self.node.call("GET", path).header("Accept", accept).send().await
    }
}

fn links(reply: &Reply) -> Vec<String> {
    reply.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("link")).map(|(_, value)| value.clone()).collect()
}

/// The subjects that a document says are datasets.
fn datasets(reply: &Reply, format: RdfFormat) -> BTreeSet<String> {
    let quads = RdfParser::from_format(format).with_base_iri("https://base.example/").unwrap();
    quads
        .for_slice(&reply.body)
        .map(|quad| quad.expect("what was written can be read"))
        .filter(|quad| quad.object.to_string() == format!("<{DCAT_DATASET}>"))
        .map(|quad| quad.subject.to_string())
        .collect()
}

fn syntax(suffix: &str) -> RdfFormat {
    match suffix {
        "ttl" => RdfFormat::Turtle,
        "nt" => RdfFormat::NTriples,
        "rdf" => RdfFormat::RdfXml,
        _ => RdfFormat::JsonLd { profile: oxrdfio::JsonLdProfileSet::empty() },
    }
}

#[tokio::test]
async fn every_form_comes_by_its_suffix_and_by_its_media_type_and_is_the_same() {
    let scene = scene().await;
    let croissant = "application/ld+json;profile=\"http://mlcommons.org/croissant/1.1\"";
    let mut tags = BTreeSet::new();
    for (suffix, media_type) in [
        ("json", "application/json"),
        ("ttl", "text/turtle"),
        ("nt", "application/n-triples"),
        ("jsonld", "application/ld+json"),
        ("rdf", "application/rdf+xml"),
        ("croissant.json", croissant),
        ("schema.json", "application/ld+json;profile=\"https://schema.org/\""),
        ("datacite.json", "application/vnd.datacite.datacite+json"),
        ("bib", "application/x-bibtex"),
    ] {
        let by_suffix = scene.get(&format!("/api/v1/datasets/birds.{suffix}"), "image/png").await;
        let by_accept = scene.get("/api/v1/datasets/birds", media_type).await;
        for reply in [&by_suffix, &by_accept] {
            assert_eq!(reply.status, 200, "{suffix}: {}", reply.text());
            assert_eq!(reply.header("content-type"), Some(media_type));
            assert!(reply.header("vary").unwrap().contains("Accept"), "{suffix}");
        }
        assert_eq!(by_suffix.body, by_accept.body, "{suffix}");
        let tag = by_suffix.header("etag").unwrap().to_owned();
        assert!(tag.starts_with('"') && tags.insert(tag.clone()), "{suffix}: each form has a strong tag of its own");
        let again = scene.node.call("GET", "/api/v1/datasets/birds").header("Accept", media_type);
        assert_eq!(again.header("If-None-Match", &tag).send().await.status, 304, "{suffix}");
        let head = scene.node.call("HEAD", &format!("/api/v1/datasets/birds.{suffix}")).send().await;
        assert_eq!((head.status, head.body.len()), (200, 0));
        match suffix {
            "ttl" | "nt" | "rdf" | "jsonld" => {
                let found = datasets(&by_suffix, syntax(suffix));
                assert!(found.contains("<https://fi.pleiad.example/dataset/birds>"), "{suffix}: {found:?}");
            }
            "bib" => assert!(by_suffix.text().starts_with('@'), "{}", by_suffix.text()),
            _ => assert!(serde_json::from_slice::<Value>(&by_suffix.body).unwrap().is_object()),
        }
        let others = links(&by_suffix);
        assert_eq!(others.iter().filter(|link| link.contains("rel=\"alternate\"")).count(), 9, "{others:#?}");
        assert!(others.iter().any(|link| link.contains("CC_BY_4_0") || link.contains("CC-BY-4.0")), "{others:#?}");
        assert!(others.contains(&"<https://fi.pleiad.example/dataset/birds>; rel=\"describes\"".to_owned()));
    }
}

#[tokio::test]
async fn accept_decides_by_weight_and_what_is_not_made_is_refused_with_what_is() {
    let scene = scene().await;
    for (accept, media_type) in [
        ("*/*", "application/json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "application/json"),
        ("text/turtle;q=0.3, application/rdf+xml;q=0.7", "application/rdf+xml"),
        ("text/*", "text/turtle"),
        ("application/json;q=0, */*", "text/turtle"),
    ] {
        let reply = scene.get("/api/v1/datasets/birds", accept).await;
        assert_eq!((reply.status, reply.header("content-type")), (200, Some(media_type)), "{accept}");
    }
    let problem = scene.get("/api/v1/datasets/birds", "image/png").await.problem(406, "not_acceptable");
    for offered in ["text/turtle", "application/x-bibtex", ".croissant.json"] {
        assert!(problem["detail"].as_str().unwrap().contains(offered), "{problem}");
    }
    assert_eq!(scene.get("/api/v1/datasets/birds.png", "*/*").await.status, 404);
    let health = scene.get("/api/v1/datasets/birds.ttl?profile=health", "*/*").await;
    assert_eq!(health.status, 200);
    assert_ne!(health.header("etag"), scene.get("/api/v1/datasets/birds.ttl", "*/*").await.header("etag"));
    scene.get("/api/v1/datasets/birds.bib?profile=health", "*/*").await.problem(400, "bad_parameter");
    scene.get("/api/v1/datasets/birds?profile=wealth", "*/*").await.problem(400, "bad_parameter");
}

#[tokio::test]
async fn no_new_name_ends_like_a_form_and_one_of_old_is_still_a_name() {
    let scene = scene().await;
    let refused = scene.call("POST", "/api/v1/datasets").json(&draft("birds.ttl")).send().await.problem(422, "invalid");
    assert_eq!(refused["errors"][0]["pointer"], "/id", "{refused}");
    let changes = json!({ "changes": [{ "operation": "register", "document": draft("birds.bib") }] });
    let refused = scene.call("POST", "/api/v1/changes").json(&changes).send().await.problem(422, "invalid");
    assert_eq!(refused["errors"][0]["pointer"], "/changes/0/document/id", "{refused}");

    let store = scene.node.running.store();
    let id = |local: &str| format!("https://fi.pleiad.example/dataset/{local}").parse().unwrap();
    let mut old = store.dataset(&id("birds")).await.unwrap().unwrap();
    old.dataset.id = id("birds.ttl");
    let event =
        Event { at: old.registered, actor: Actor::Node, what: What::DatasetRegistered { record: Box::new(old) } };
    store.append(vec![event], vec![], Priority::Interactive).await.unwrap();
    let reply = scene.get("/api/v1/datasets/birds.ttl", "application/json").await;
    assert_eq!(reply.json()["dataset"]["id"], "https://fi.pleiad.example/dataset/birds.ttl");
    let turtle = scene.get("/api/v1/datasets/birds.ttl.ttl", "*/*").await;
    assert_eq!(turtle.header("content-type"), Some("text/turtle"));
}

#[tokio::test]
async fn a_pinned_revision_has_the_same_forms() {
    let scene = scene().await;
    let first = scene.get("/api/v1/datasets/birds/revisions/1.ttl", "*/*").await;
    assert_eq!((first.status, first.header("content-type")), (200, Some("text/turtle")));
    assert!(links(&first).iter().any(|link| link.contains("/birds/revisions/1.nt>")), "its other forms are pinned too");
    assert_eq!(scene.get("/api/v1/datasets/birds/revisions/1", "text/turtle").await.body, first.body);
    assert_eq!(scene.get("/api/v1/datasets/birds/revisions/1", "application/json").await.json()["revision"], 1);
    for absent in ["2.ttl", "x.ttl", "x", "1.png"] {
        let path = format!("/api/v1/datasets/birds/revisions/{absent}");
        assert_eq!(scene.get(&path, "*/*").await.status, 404, "{absent}");
    }
}

#[tokio::test]
async fn what_is_private_is_exported_to_nobody_else() {
    let scene = scene().await;
    let mut secret = draft("secret");
    secret["visibility"] = "private".into();
    scene.register(&secret).await;
    for path in
        ["/api/v1/datasets/secret.ttl", "/api/v1/datasets/secret.croissant.json", "/dataset/secret", "/datasets/secret"]
    {
        assert_eq!(scene.get(path, "*/*").await.status, 404, "{path}");
    }
    let own = scene.call("GET", "/api/v1/datasets/secret.ttl").send().await;
    assert_eq!(own.status, 200, "its owner's steward has it");
    // The catalogue is for everybody, so it is the same for everybody.
    let pages = scene.call("GET", "/api/v1/catalogue.nt").send().await;
    assert!(!pages.text().contains("secret") && pages.text().contains("birds"));
    let query = "/api/v1/licences/effective?dataset=birds&dataset=secret";
    scene.get(query, "*/*").await.problem(404, "not_found");
}

#[tokio::test]
async fn the_catalogue_is_walked_to_its_end_in_every_syntax() {
    let scene = Scene::new().await;
    let names: Vec<String> = (0..7).map(|number| format!("set-{number}")).collect();
    for name in &names {
        scene.register(&draft(name)).await;
    }
    for suffix in ["ttl", "nt", "jsonld", "rdf"] {
        let (mut seen, mut path, mut pages) = (Vec::new(), format!("/api/v1/catalogue.{suffix}?limit=3"), 0);
        loop {
            let page = scene.get(&path, "*/*").await;
            assert_eq!(page.status, 200, "{}", page.text());
            pages += 1;
            let here = datasets(&page, syntax(suffix));
            assert!(here.len() <= 3, "a page is bounded: {here:?}");
            seen.extend(here);
            let next = links(&page).into_iter().find(|link| link.contains("rel=\"next\""));
            let Some(next) = next else { break };
            let address = next.trim_start_matches('<').split('>').next().unwrap();
            let first = "http://www.w3.org/ns/hydra/core#next";
            assert!(suffix != "nt" || page.text().contains(&format!("<{first}> <{address}>")), "{}", page.text());
            path = address[address.find("/api/").unwrap()..].to_owned();
        }
        let expected: Vec<_> = names.iter().map(|name| format!("<https://fi.pleiad.example/dataset/{name}>")).collect();
        assert_eq!((pages, seen), (3, expected), "{suffix}");
    }
    let by_accept = scene.get("/api/v1/catalogue", "application/rdf+xml").await;
    assert_eq!(by_accept.header("content-type"), Some("application/rdf+xml"));
    let tag = by_accept.header("etag").unwrap().to_owned();
    let again = scene.node.call("GET", "/api/v1/catalogue").header("Accept", "application/rdf+xml");
    assert_eq!(again.header("If-None-Match", &tag).send().await.status, 304);
    scene.get("/api/v1/catalogue", "application/x-bibtex").await.problem(406, "not_acceptable");
    scene.get("/api/v1/catalogue.bib", "*/*").await.problem(404, "not_found");
    scene.get("/api/v1/catalogue.ttl?limit=101", "*/*").await.problem(400, "bad_parameter");
    scene.get("/api/v1/catalogue.ttl?cursor=x", "*/*").await.problem(400, "bad_cursor");
}

#[tokio::test]
async fn the_id_of_a_dataset_leads_people_to_its_page_and_programs_to_a_document() {
    let scene = scene().await;
    for (accept, to) in [
        ("text/html,*/*;q=0.8", "/datasets/birds"),
        ("text/turtle", "/api/v1/datasets/birds.ttl"),
        ("application/ld+json", "/api/v1/datasets/birds.jsonld"),
    ] {
        let reply = scene.get("/dataset/birds", accept).await;
        assert_eq!(reply.status, 303, "{}", reply.text());
        assert!(reply.header("location").unwrap().ends_with(to), "{accept}: {:?}", reply.header("location"));
        assert!(reply.header("vary").unwrap().contains("Accept"));
    }
    assert_eq!(scene.get("/dataset/birds", "image/png").await.status, 406);

    let page = scene.get("/datasets/birds", "text/html").await;
    let text = page.text();
    let (_, block) = text.split_once("<script type=\"application/ld+json\">").expect("the page describes itself");
    let (block, _) = block.split_once("</script>").unwrap();
    let described: Value = serde_json::from_str(block).expect("what a record says cannot end the block");
    assert_eq!(described["@type"], "Dataset", "{described}");
    assert!(described["description"].to_string().contains("</script>"), "{described}");
    for suffix in ["ttl", "croissant.json", "bib"] {
        assert!(text.contains(&format!("/api/v1/datasets/birds.{suffix}")), "{suffix}");
    }
    let links = links(&page);
    assert!(links.iter().any(|link| link.contains("rel=\"cite-as\"")), "{links:#?}");
    assert!(links.iter().any(|link| link.contains("rel=\"describedby\"; type=\"text/turtle\"")), "{links:#?}");
}

#[tokio::test]
async fn a_steward_sees_which_rule_understood_a_licence_and_what_a_set_permits() {
    let scene = scene().await;
    let found = scene.get("/api/v1/licences/resolve?text=Licensed+under+CC+BY+4.0.", "*/*").await.json();
    assert_eq!((&found["spdx"], &found["matched"]["rule"]), (&json!("CC-BY-4.0"), &json!("prose")), "{found}");
    let not = scene.get("/api/v1/licences/resolve?text=ask+us", "*/*").await.json();
    assert_eq!((&not["matched"], &not["raw"]), (&Value::Null, &json!("ask us")));
    for bad in ["", "?text=", "?text=a&text=b"] {
        scene.get(&format!("/api/v1/licences/resolve{bad}"), "*/*").await.problem(400, "bad_parameter");
    }

    let mut fish = draft("fish");
    fish["licence"] = json!({ "spdx": "CC-BY-NC-4.0" });
    scene.register(&fish).await;
    let path = "/api/v1/licences/effective?dataset=birds&dataset=https://fi.pleiad.example/dataset/fish&use=commercial";
    let set = scene.get(path, "*/*").await.json();
    assert_eq!((&set["permissions"]["commercial"], &set["permissions"]["derivatives"]), (&json!("no"), &json!("yes")));
    assert_eq!(set["conflicts"][0]["conflict"], "non_commercial", "{set}");
    assert_eq!(set["duties"].as_array().unwrap().len(), 2, "{set}");
    scene.get("/api/v1/licences/effective", "*/*").await.problem(400, "bad_parameter");
    scene.get("/api/v1/licences/effective?dataset=nothing", "*/*").await.problem(404, "not_found");
    let foreign = "/api/v1/licences/effective?dataset=https://es.pleiad.example/dataset/birds";
    scene.get(foreign, "*/*").await.problem(404, "not_found");
}

#[tokio::test]
async fn the_command_writes_documents_files_and_the_whole_catalogue() {
    let scene = scene().await;
    scene.register(&draft("fish")).await;
    let reader = scene.node.token(Role::Researcher, None).await;
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, reader).unwrap();
    let address = format!("http://{}/", scene.node.running.addresses.web);
    let out = folder.path().join("out");
    let into = out.to_str().unwrap();
    let run_in = |arguments: Vec<String>| {
        let (address, token) = (address.clone(), token.clone());
        tokio::task::spawn_blocking(move || {
            let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_pleiad"));
            command.arg("dataset").args(arguments).args(["--node", &address, "--token-file"]).arg(&token);
            command.output().unwrap()
        })
    };
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let turtle = run_in(words("export birds")).await.unwrap();
    assert!(turtle.status.success(), "{}", String::from_utf8_lossy(&turtle.stderr));
    assert!(String::from_utf8_lossy(&turtle.stdout).contains("dcat:Dataset"));
    let all = run_in(words("export --all --form nt")).await.unwrap();
    let text = String::from_utf8_lossy(&all.stdout).into_owned();
    assert!(text.contains("/dataset/birds>") && text.contains("/dataset/fish>"), "{text}");
    let files = run_in(words(&format!("export --all --form croissant --output {into}"))).await.unwrap();
    assert!(files.status.success(), "{}", String::from_utf8_lossy(&files.stderr));
    for name in ["birds.croissant.json", "fish.croissant.json"] {
        let written: Value = serde_json::from_slice(&std::fs::read(out.join(name)).unwrap()).unwrap();
        assert!(written["@context"].is_object(), "{written}");
    }
    let refused = run_in(words("export birds fish --form croissant")).await.unwrap();
    assert_eq!(refused.status.code(), Some(2), "several documents of Croissant need files");
    let set = run_in(words("licences birds fish")).await.unwrap();
    assert!(String::from_utf8_lossy(&set.stdout).contains("not known"), "{set:?}");
}
