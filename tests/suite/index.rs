//! The search index, from its door: entries of a log in, answers out.

use std::path::Path;
use std::time::{Duration, Instant};

use pleiad::domain::dataset::{Dataset, Registered, Visibility, Withdrawn};
use pleiad::domain::event::{Actor, Entry, Event, What};
use pleiad::domain::ids::{DatasetId, Digest, Identity, LanguageTag, Revision, Seq};
use pleiad::domain::language;
use pleiad::domain::query::{FacetField, Query, Sort};
use pleiad::index::{Index, IndexAnswer, IndexError, IndexQuery, analyse, entry_digest};
use serde_json::{Value, json};

/// The log that these entries are of.
pub const ORIGIN: &str = "fi.pleiad.example/log";

fn id(local: &str) -> DatasetId {
    format!("https://fi.pleiad.example/dataset/{local}").parse().unwrap()
}

fn participant(local: &str) -> Identity {
    format!("spiffe://fi.pleiad.example/participant/{local}").parse().unwrap()
}

/// A dataset with this local id and these further fields.
pub fn dataset(local: &str, title: Value, more: Value) -> Dataset {
    let mut fields = json!({ "id": id(local).as_str(), "title": title, "country": "FI" });
    for (name, value) in more.as_object().unwrap() {
        fields[name] = value.clone();
    }
    serde_json::from_value(fields).unwrap()
}

fn entry(seq: u64, what: What) -> Entry {
    let commitment = Digest([u8::try_from(seq % 251).unwrap(); 32]);
    Entry { seq: Seq(seq), commitment, event: Event { at: jiff::Timestamp::UNIX_EPOCH, actor: Actor::Node, what } }
}

/// The entry that registers a dataset.
pub fn registered(seq: u64, dataset: Dataset) -> Entry {
    let record = Registered {
        dataset,
        owner: participant("csc"),
        revision: Revision::FIRST,
        registered: jiff::Timestamp::UNIX_EPOCH,
        revised: jiff::Timestamp::UNIX_EPOCH,
        seq: Seq(0),
        state: Default::default(),
        reason: None,
        withdrawn: None,
    };
    entry(seq, What::DatasetRegistered { record: Box::new(record) })
}

/// The entry that withdraws one.
pub fn withdrawn(seq: u64, local: &str) -> Entry {
    let withdrawn = Withdrawn { reason: "superseded".to_owned(), successor: None };
    entry(seq, What::DatasetWithdrawn { id: id(local), revision: Revision::FIRST, withdrawn })
}

/// Opens the index of a class and brings it to the end of these entries.
pub async fn filled(dir: &Path, class: Visibility, entries: Vec<Entry>) -> Index {
    let head = entries.last().map_or(Seq(0), |entry| entry.seq);
    let index = Index::open(dir, class, ORIGIN, head).unwrap();
    apply(&index, entries).await;
    index
}

/// Applies entries and waits until searches see them.
pub async fn apply(index: &Index, entries: Vec<Entry>) {
    let Some(last) = entries.last().map(|entry| entry.seq) else { return };
    index.apply(entries).await.unwrap();
    assert!(index.wait_for(last, Duration::from_secs(60)).await, "{:?}", index.failure());
}

fn question(text: &str, languages: &[&str]) -> Query {
    Query {
        text: (!text.is_empty()).then(|| language::parse(text).unwrap()),
        languages: languages.iter().map(|tag| tag.parse::<LanguageTag>().unwrap()).collect(),
        ..Query::default()
    }
}

fn asked(query: &Query) -> IndexQuery {
    IndexQuery {
        analysed: analyse(query),
        k: 100,
        statistics: None,
        after: None,
        asker: None,
        deadline: Instant::now() + Duration::from_secs(60),
    }
}

async fn answer(index: &Index, query: &Query) -> IndexAnswer {
    index.search(asked(query)).await.unwrap()
}

/// The local ids that a query finds, best first.
pub async fn found(index: &Index, text: &str, languages: &[&str]) -> Vec<String> {
    locals(&answer(index, &question(text, languages)).await)
}

fn locals(answer: &IndexAnswer) -> Vec<String> {
    assert!(answer.hits.len() as u64 == answer.total || answer.hits.len() == 100);
    answer.hits.iter().map(|hit| hit.id.local().to_owned()).collect()
}

#[tokio::test]
async fn a_record_is_found_in_any_inflected_form_of_its_own_language() {
    let dir = tempfile::tempdir().unwrap();
    let index = filled(
        dir.path(),
        Visibility::Federation,
        vec![
            registered(1, dataset("fi", json!({ "fi": "Eduskunnan täysistuntojen pöytäkirjat" }), json!({}))),
            registered(2, dataset("sv", json!({ "sv": "Språkbankens inspelningar från riksdagen" }), json!({}))),
            registered(3, dataset("el", json!({ "el": "Πρακτικά των συνεδριάσεων της Βουλής" }), json!({}))),
            registered(4, dataset("cs", json!({ "cs": "Přepisy projevů v otevřených databázích" }), json!({}))),
            registered(5, dataset("und", json!({ "und": "Zprávy covid-19" }), json!({}))),
        ],
    )
    .await;
    for (text, languages, expected) in [
        ("pöytäkirjoissa", &["fi"][..], "fi"),
        ("poytakirjoissa", &["fi"], "fi"),
        ("täysistunto", &["en", "fi"], "fi"),
        // A pasted word is found even by a reader of other languages.
        ("Eduskunnan", &["en"], "fi"),
        ("inspelning", &["sv"], "sv"),
        ("sprakbanken", &["sv"], "sv"),
        ("språkbanken", &["sv"], "sv"),
        ("συνεδρίαση", &["el"], "el"),
        ("ΒΟΥΛΗ", &["el"], "el"),
        ("databáze", &["cs"], "cs"),
        ("databaze", &["cs"], "cs"),
        ("covid-19", &["en"], "und"),
        ("zpravy", &[], "und"),
        ("täysist*", &[], "fi"),
    ] {
        assert_eq!(found(&index, text, languages).await, [expected], "{text} {languages:?}");
    }
}

#[tokio::test]
async fn an_english_word_finds_a_finnish_record_by_its_theme_and_its_language() {
    let dir = tempfile::tempdir().unwrap();
    let health = json!({
        "themes": ["http://publications.europa.eu/resource/authority/data-theme/HEAL"],
        "languages": ["fi"],
    });
    let index = filled(
        dir.path(),
        Visibility::Federation,
        vec![
            registered(1, dataset("themed", json!({ "fi": "Hoitojonot" }), health)),
            registered(
                2,
                dataset("named", json!({ "en": "Health" }), json!({ "distributions": [{ "format": "CSV" }] })),
            ),
        ],
    )
    .await;
    assert_eq!(found(&index, "health", &["en"]).await, ["named", "themed"], "a title weighs more than a theme");
    assert_eq!(found(&index, "gesundheit", &["de"]).await, ["themed"]);
    assert_eq!(found(&index, "finnish AND health", &["en"]).await, ["themed"]);
    assert_eq!(found(&index, "csv", &[]).await, ["named"]);
    assert!(found(&index, "title:gesundheit", &["de"]).await.is_empty());
}

#[tokio::test]
async fn a_table_is_found_by_its_name_its_columns_and_what_they_hold() {
    let dir = tempfile::tempdir().unwrap();
    let tables = json!({ "record_sets": [{
        "name": "stations",
        "description": { "en": "One gauge of the river." },
        "columns": [
            { "name": "water_level", "data_type": "sc:Float", "description": { "en": "Centimetres above datum." } },
            { "name": "place", "data_type": "cr:BoundingBox", "semantic_types": ["https://schema.org/GeoCoordinates"] },
        ],
    }] });
    let entries = vec![
        registered(1, dataset("gauges", json!({ "en": "Measurements" }), tables)),
        registered(2, dataset("other", json!({ "en": "Something else" }), json!({}))),
    ];
    let index = filled(dir.path(), Visibility::Federation, entries).await;
    for text in ["stations", "gauge", "water_level", "centimetres", "GeoCoordinates", "boundingbox", "float"] {
        assert_eq!(found(&index, text, &["en"]).await, ["gauges"], "{text}");
    }
    assert!(
        found(&index, "schema.org", &["en"]).await.is_empty(),
        "the address of a vocabulary is no word of a record"
    );
}

#[tokio::test]
async fn a_machine_translation_is_shown_but_not_found() {
    let dir = tempfile::tempdir().unwrap();
    let title = json!({ "nl": "Zittingen van de Kamer", "en-t-nl": "Sittings of the House" });
    let entries = vec![registered(1, dataset("be", title, json!({})))];
    let index = filled(dir.path(), Visibility::Federation, entries).await;
    assert!(found(&index, "sittings", &["en"]).await.is_empty());
    assert_eq!(found(&index, "zitting", &["nl"]).await, ["be"]);
}

#[tokio::test]
async fn operators_phrases_fields_and_constraints_do_what_they_say() {
    let dir = tempfile::tempdir().unwrap();
    let index = filled(
        dir.path(),
        Visibility::Federation,
        vec![
            registered(
                1,
                dataset("a", json!({ "en": "open data of trains" }), json!({ "keywords": { "en": ["rail"] } })),
            ),
            registered(2, dataset("b", json!({ "en": "data open to trains" }), json!({ "access_rights": "public" }))),
            registered(
                3,
                dataset(
                    "c",
                    json!({ "en": "speech" }),
                    json!({
                        "description": { "en": "open data about parliaments" },
                        "publisher": { "name": { "en": "Rail Agency" } },
                        "identifiers": ["https://doi.org/10.5281/zenodo.123"],
                        "record_sets": [{ "name": "speeches", "columns": [{ "name": "speaker_id" }] }],
                    }),
                ),
            ),
        ],
    )
    .await;
    let sorted = |mut locals: Vec<String>| {
        locals.sort();
        locals.concat()
    };
    for (text, expected) in [
        ("trains", "ab"),
        ("trains AND NOT \"open data\"", "b"),
        ("trains -\"open data\"", "b"),
        ("\"open data\"", "ac"),
        ("title:\"open data\"", "a"),
        ("keyword:rail", "a"),
        ("publisher:rail", "c"),
        ("rail", "ac"),
        ("rail AND speech", "c"),
        ("speaker_id", "c"),
        ("speak*", "c"),
        ("10.5281/zenodo.123", "c"),
        ("trains access:public", "b"),
        ("access:not_stated", "ac"),
        ("data -access:public", "ac"),
        ("nothing", ""),
        ("(trains OR parliament) AND NOT (rail OR speech)", "b"),
    ] {
        assert_eq!(sorted(found(&index, text, &["en"]).await), expected, "{text}");
    }
    assert_eq!(sorted(found(&index, "", &[]).await), "abc");
}

#[tokio::test]
async fn the_title_that_is_the_query_comes_first() {
    let dir = tempfile::tempdir().unwrap();
    let repeated = json!({ "description": { "en": "traffic counts traffic counts traffic counts" } });
    let index = filled(
        dir.path(),
        Visibility::Federation,
        vec![
            registered(1, dataset("often", json!({ "en": "Counts of traffic" }), repeated)),
            registered(2, dataset("same", json!({ "en": "Traffic counts" }), json!({}))),
            registered(
                3,
                dataset("begins", json!({ "en": "Traffic counts of Helsinki, hourly, since 2002" }), json!({})),
            ),
            registered(4, dataset("half", json!({ "en": "Traffic countsman" }), json!({}))),
        ],
    )
    .await;
    let hits = found(&index, "traffic counts", &["en"]).await;
    assert_eq!(hits[..2], ["same", "begins"]);
}

#[tokio::test]
async fn a_revision_replaces_and_a_withdrawal_removes() {
    let dir = tempfile::tempdir().unwrap();
    let old = dataset("x", json!({ "en": "whales" }), json!({}));
    let index = filled(dir.path(), Visibility::Federation, vec![registered(1, old)]).await;
    assert_eq!(found(&index, "whales", &["en"]).await, ["x"]);
    apply(&index, vec![registered(2, dataset("x", json!({ "en": "dolphins" }), json!({})))]).await;
    assert!(found(&index, "whales", &["en"]).await.is_empty());
    let hits = answer(&index, &question("dolphins", &["en"])).await.hits;
    assert_eq!(hits[0].seq, Seq(2));
    assert_eq!(index.digest().unwrap(), (1, entry_digest(id("x").as_str(), Seq(2))));
    apply(&index, vec![withdrawn(3, "x")]).await;
    assert!(found(&index, "", &[]).await.is_empty());
    assert_eq!(index.digest().unwrap(), (0, 0));
}

#[tokio::test]
async fn a_record_that_changes_class_leaves_the_other_index() {
    let (open, closed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let public = registered(1, dataset("x", json!({ "en": "whales" }), json!({})));
    let private = registered(2, dataset("x", json!({ "en": "whales" }), json!({ "visibility": "private" })));
    let federation = filled(open.path(), Visibility::Federation, vec![public.clone()]).await;
    let own = filled(closed.path(), Visibility::Private, vec![public]).await;
    assert_eq!((federation.digest().unwrap().0, own.digest().unwrap().0), (1, 0));
    apply(&federation, vec![private.clone()]).await;
    apply(&own, vec![private]).await;
    assert_eq!((federation.digest().unwrap().0, own.digest().unwrap().0), (0, 1));
}

#[tokio::test]
async fn a_private_record_is_found_by_its_owner_and_the_listed_and_leaves_no_count_for_others() {
    let dir = tempfile::tempdir().unwrap();
    let private = json!({ "visibility": "private", "listed": [participant("guest").to_string()] });
    let entries = vec![registered(1, dataset("x", json!({ "en": "whales" }), private))];
    let index = filled(dir.path(), Visibility::Private, entries).await;
    let mut query = question("whales", &["en"]);
    query.facets = vec![FacetField::Country];
    for (asker, expected) in [(Some("csc"), 1), (Some("guest"), 1), (Some("stranger"), 0), (None, 0)] {
        let asker = asker.map(participant);
        let answer = index.search(IndexQuery { asker, ..asked(&query) }).await.unwrap();
        assert_eq!(answer.total, expected);
        assert_eq!(answer.hits.len() as u64, expected);
        assert_eq!(answer.facets.get(&FacetField::Country).map_or(0, |counts| counts.values.len()) as u64, expected);
        assert_eq!(answer.statistics.documents, 0, "a private index exports no counts");
    }
}

#[tokio::test]
async fn ranges_and_boxes_hold_and_what_is_not_stated_never_matches_them() {
    let dir = tempfile::tempdir().unwrap();
    let index = filled(
        dir.path(),
        Visibility::Federation,
        vec![
            registered(1, dataset("bare", json!({ "en": "bare" }), json!({}))),
            registered(
                2,
                dataset(
                    "old",
                    json!({ "en": "old" }),
                    json!({
                        "modified": "2001-05-01",
                        "temporal": [{ "start": "1990-01-01", "end": "1999-12-31" }, { "start": "2010-01-01" }],
                        "spatial": [{ "bbox": [19.0, 59.0, 32.0, 71.0] }],
                        "distributions": [{ "bytes": 1000 }],
                    }),
                ),
            ),
            registered(
                3,
                dataset(
                    "new",
                    json!({ "en": "new" }),
                    json!({
                        "issued": "2024-02-29",
                        "temporal": [{ "end": "1950-01-01" }],
                        "spatial": [{ "bbox": [170.0, -20.0, -170.0, -10.0] }],
                        "distributions": [{ "bytes": 5_000_000_000_u64 }],
                    }),
                ),
            ),
        ],
    )
    .await;
    let with = |filters: Value| Query { filters: serde_json::from_value(filters).unwrap(), ..Query::default() };
    for (filters, expected) in [
        (json!({ "modified_from": "2001-05-01", "modified_to": "2001-05-01" }), "old"),
        (json!({ "modified_from": "2024-02-29" }), "new"),
        (json!({ "modified_to": "2000-01-01" }), ""),
        (json!({ "covers_from": "2000-01-01", "covers_to": "2009-12-31" }), ""),
        (json!({ "covers_from": "1999-12-31", "covers_to": "2009-12-31" }), "old"),
        (json!({ "covers_to": "1940-01-01" }), "new"),
        (json!({ "covers_from": "2100-01-01" }), "old"),
        (json!({ "bytes_min": 1000, "bytes_max": 1000 }), "old"),
        (json!({ "bytes_min": 1001 }), "new"),
        (json!({ "bbox": [24.0, 60.0, 25.0, 61.0] }), "old"),
        (json!({ "bbox": [-175.0, -15.0, -174.0, -14.0] }), "new"),
        (json!({ "bbox": [0.0, -15.0, 1.0, -14.0] }), ""),
        (json!({ "ids": [id("bare").as_str()] }), "bare"),
        (json!({ "facets": { "country": ["fi"] }, "bytes_min": 1001 }), "new"),
        (json!({ "facets": { "country": ["SE"] } }), ""),
    ] {
        assert_eq!(locals(&answer(&index, &with(filters.clone())).await).concat(), expected, "{filters}");
    }
}

#[tokio::test]
async fn every_order_is_total_and_pages_put_together_are_the_whole() {
    let dir = tempfile::tempdir().unwrap();
    let entries: Vec<Entry> = (1..=60)
        .map(|n| {
            let mut more = json!({});
            if n % 3 != 0 {
                more["modified"] = json!(format!("2020-01-{:02}", 1 + n % 7));
                more["distributions"] = json!([{ "bytes": n % 5 }]);
            }
            registered(n, dataset(&format!("d{n}"), json!({ "en": format!("Title {} whale", n % 10) }), more))
        })
        .collect();
    // Several commits make several segments.
    let index = filled(dir.path(), Visibility::Federation, Vec::new()).await;
    for part in entries.chunks(13) {
        apply(&index, part.to_vec()).await;
    }
    for sort in [Sort::Relevance, Sort::Modified, Sort::Title, Sort::Size] {
        let query = Query { sort, ..question("whale title", &["en"]) };
        let whole = answer(&index, &query).await;
        assert_eq!(whole.total, 60);
        for pair in whole.hits.windows(2) {
            assert!(pair[0].place().compare(&pair[1].place(), sort).is_lt(), "{sort:?}");
        }
        if matches!(sort, Sort::Modified | Sort::Size) {
            assert!(whole.hits[..40].iter().all(|hit| hit.sort_key.is_some()));
            assert!(whole.hits[40..].iter().all(|hit| hit.sort_key.is_none()), "undated records come last");
        }
        assert!(whole.hits.iter().all(|hit| !hit.components.is_empty()), "components whatever the order");
        let mut pages = Vec::new();
        let mut after = None;
        loop {
            let page = index.search(IndexQuery { k: 7, after, ..asked(&query) }).await.unwrap();
            assert_eq!(page.total, 60);
            let Some(last) = page.hits.last() else { break };
            after = Some(last.place());
            pages.extend(page.hits);
        }
        assert_eq!(pages, whole.hits, "{sort:?}");
    }
}

#[tokio::test]
async fn highlights_show_the_field_and_the_words_that_matched() {
    let dir = tempfile::tempdir().unwrap();
    let more = json!({ "description": { "fi": "Kaikki eduskunnan täysistuntoja vuodesta 1907." } });
    let title = json!({ "fi": "Täysistuntojen pöytäkirjat", "en": "Plenary minutes" });
    let entries = vec![registered(1, dataset("x", title, more))];
    let index = filled(dir.path(), Visibility::Federation, entries).await;
    let hits = answer(&index, &question("täysistunto", &["fi"])).await.hits;
    let shown: Vec<(&str, String)> =
        hits[0].highlights.iter().map(|highlight| (highlight.field.as_str(), highlight.pieces.join("|"))).collect();
    assert_eq!(
        shown,
        [
            ("title", "|Täysistuntojen| pöytäkirjat".to_owned()),
            ("description", "Kaikki eduskunnan |täysistuntoja| vuodesta 1907.".to_owned()),
        ]
    );
}

#[tokio::test]
async fn a_search_that_is_late_says_so_and_gives_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let entries = vec![registered(1, dataset("x", json!({ "en": "whales" }), json!({})))];
    let index = filled(dir.path(), Visibility::Federation, entries).await;
    let late = IndexQuery { deadline: Instant::now(), ..asked(&question("whales", &["en"])) };
    assert!(matches!(index.search(late).await, Err(IndexError::Deadline | IndexError::Busy)));
}

#[tokio::test]
async fn after_a_restart_the_index_goes_on_where_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let whales = registered(1, dataset("x", json!({ "en": "whales" }), json!({})));
    let index = filled(dir.path(), Visibility::Federation, vec![whales.clone()]).await;
    assert!(matches!(
        Index::open(dir.path(), Visibility::Federation, ORIGIN, Seq(1)),
        Err(IndexError::Folder { detail, .. }) if detail.contains("another process")
    ));
    index.close().await;
    assert!(matches!(index.apply(vec![whales.clone()]).await, Err(IndexError::Closed)));

    let index = Index::open(dir.path(), Visibility::Federation, ORIGIN, Seq(9)).unwrap();
    assert_eq!(*index.position().borrow(), Seq(1));
    assert_eq!(found(&index, "whales", &["en"]).await, ["x"]);
    // What was applied already is passed over, and the rest is not.
    let dolphins = registered(2, dataset("y", json!({ "en": "dolphins" }), json!({})));
    apply(&index, vec![whales, dolphins]).await;
    assert_eq!(index.digest().unwrap().0, 2);
}

#[tokio::test]
async fn an_index_of_another_log_or_ahead_of_it_or_damaged_is_filled_anew() {
    let dir = tempfile::tempdir().unwrap();
    let entries = || (1..=3).map(|n| registered(n, dataset(&format!("d{n}"), json!({ "en": "whales" }), json!({}))));
    let spoil: [(&str, u64, &dyn Fn()); 4] = [
        ("another log", 3, &|| ()),
        (ORIGIN, 2, &|| ()),
        (ORIGIN, 3, &|| std::fs::write(dir.path().join("meta.json"), "{").unwrap()),
        (ORIGIN, 3, &|| std::fs::remove_file(dir.path().join("meta.json")).unwrap()),
    ];
    for (origin, head, damage) in spoil {
        let index = Index::open(dir.path(), Visibility::Federation, ORIGIN, Seq(3)).unwrap();
        apply(&index, entries().collect()).await;
        index.close().await;
        damage();
        let index = Index::open(dir.path(), Visibility::Federation, origin, Seq(head)).unwrap();
        assert_eq!(*index.position().borrow(), Seq(0), "{origin} {head}");
        assert_eq!(index.digest().unwrap(), (0, 0));
        apply(&index, entries().collect()).await;
        assert_eq!(found(&index, "whales", &["en"]).await.len(), 3);
        index.close().await;
        std::fs::remove_dir_all(dir.path()).unwrap();
    }
}

#[tokio::test]
async fn a_folder_that_holds_something_else_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("photographs")).unwrap();
    let refused = Index::open(dir.path(), Visibility::Federation, ORIGIN, Seq(0));
    assert!(matches!(refused, Err(IndexError::Folder { .. })));
    assert!(dir.path().join("photographs").exists());
}

/// The deletion file of the index's only segment at each of these distances from the last opstamp.
fn deletion_files(dir: &Path, distances: std::ops::Range<u64>) -> Vec<String> {
    let meta: Value = serde_json::from_slice(&std::fs::read(dir.join("meta.json")).unwrap()).unwrap();
    let segment = meta["segments"][0]["segment_id"].as_str().unwrap().replace('-', "");
    let opstamp = meta["opstamp"].as_u64().unwrap();
    distances.map(|distance| format!("{segment}.{}.del", opstamp + distance)).collect()
}

#[tokio::test]
async fn a_crash_between_two_files_does_not_wedge_the_index() {
    let dir = tempfile::tempdir().unwrap();
    let two = vec![
        registered(1, dataset("x", json!({ "en": "whales" }), json!({}))),
        registered(2, dataset("y", json!({ "en": "whales" }), json!({}))),
    ];
    filled(dir.path(), Visibility::Federation, two).await.close().await;
    // As after a kill between the deletion file and `meta.json`: the file is there and known, and nothing refers to it.
    let files = deletion_files(dir.path(), 0..20);
    let managed = dir.path().join(".managed.json");
    let mut known: Vec<String> = serde_json::from_slice(&std::fs::read(&managed).unwrap()).unwrap();
    for file in &files {
        std::fs::write(dir.path().join(file), "half").unwrap();
        known.push(file.clone());
    }
    std::fs::write(&managed, serde_json::to_vec(&known).unwrap()).unwrap();

    let index = Index::open(dir.path(), Visibility::Federation, ORIGIN, Seq(2)).unwrap();
    assert!(files.iter().all(|file| !dir.path().join(file).exists()), "the garbage is collected first");
    apply(&index, vec![withdrawn(3, "x")]).await;
    assert_eq!(index.failure(), None);
    assert_eq!(found(&index, "whales", &["en"]).await, ["y"]);
}

#[tokio::test]
async fn a_write_that_fails_is_tried_again_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let two = vec![
        registered(1, dataset("x", json!({ "en": "whales" }), json!({}))),
        registered(2, dataset("y", json!({ "en": "whales" }), json!({}))),
    ];
    let index = filled(dir.path(), Visibility::Federation, two).await;
    // Folders in the places of the next deletion files: every commit that deletes fails.
    let files = deletion_files(dir.path(), 0..40);
    for file in &files {
        std::fs::create_dir(dir.path().join(file)).unwrap();
    }
    index.apply(vec![withdrawn(3, "x")]).await.unwrap();
    let failing = async {
        while index.failure().is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), failing).await.expect("the failure is told");
    assert_eq!(*index.position().borrow(), Seq(2), "the position does not pass what was not written");
    assert_eq!(found(&index, "whales", &["en"]).await.len(), 2, "searches go on");
    for file in &files {
        std::fs::remove_dir(dir.path().join(file)).unwrap();
    }
    assert!(index.wait_for(Seq(3), Duration::from_secs(60)).await);
    assert_eq!(index.failure(), None);
    assert_eq!(found(&index, "whales", &["en"]).await, ["y"]);
}

#[tokio::test]
async fn entries_that_concern_nothing_here_move_the_position_without_a_commit() {
    let dir = tempfile::tempdir().unwrap();
    let index = filled(dir.path(), Visibility::Private, Vec::new()).await;
    let before = std::fs::read(dir.path().join("meta.json")).unwrap();
    apply(&index, vec![registered(1, dataset("x", json!({ "en": "whales" }), json!({}))), withdrawn(2, "x")]).await;
    assert_eq!(std::fs::read(dir.path().join("meta.json")).unwrap(), before);
}
