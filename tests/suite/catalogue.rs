//! The catalogue over a real store in a real directory: what a steward may rely on.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use pleiad::catalogue::{Catalogue, CatalogueError, DatasetFilter, IfMatch, Incoming, Outcome};
use pleiad::clock::FixedClock;
use pleiad::domain::dataset::{Dataset, Visibility};
use pleiad::domain::event::Actor;
use pleiad::domain::ids::{Country, DatasetId, Digest, Identity, Revision};
use pleiad::domain::text::Text;
use pleiad::schema;
use pleiad::store::Store;
use serde_json::{Value, json};
use tempfile::TempDir;

const EXAMPLE: &[u8] = include_bytes!("../../config/examples/dataset.json");

/// Drafts without their sources' words.
fn incoming(drafts: &[Value]) -> Vec<Incoming> {
    drafts.iter().cloned().map(Incoming::from).collect()
}

/// A node's catalogue in a directory of its own.
struct Place {
    dir: TempDir,
    clock: FixedClock,
    store: Store,
    catalogue: Catalogue,
}

impl Place {
    fn new() -> Self {
        Self::of(&["FI"])
    }

    fn of(countries: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = FixedClock::at("2026-03-01T09:30:00Z".parse().unwrap());
        let (store, catalogue) = open(&dir, &clock, countries);
        Self { dir, clock, store, catalogue }
    }

    async fn reopen(self) -> Self {
        let Self { dir, clock, store, catalogue } = self;
        store.close().await;
        drop((store, catalogue));
        let (store, catalogue) = open(&dir, &clock, &["FI"]);
        Self { dir, clock, store, catalogue }
    }

    fn later(&self) -> Timestamp {
        self.clock.advance(SignedDuration::from_mins(5));
        pleiad::clock::Clock::now(&self.clock)
    }

    async fn import(&self, drafts: &[Value]) -> Vec<Result<Outcome, CatalogueError>> {
        self.catalogue.import(&Actor::Operator, &archive(), &incoming(drafts)).await.unwrap()
    }

    async fn register(&self) -> pleiad::domain::dataset::Registered {
        self.catalogue.register(Actor::Operator, &archive(), example()).await.unwrap()
    }
}

fn open(dir: &TempDir, clock: &FixedClock, countries: &[&str]) -> (Store, Catalogue) {
    let node: Identity = "spiffe://fi.pleiad.example/node/fi".parse().unwrap();
    let countries: Vec<Country> = countries.iter().map(|code| code.parse().unwrap()).collect();
    let store = Store::open(dir.path(), &node).unwrap();
    let catalogue = Catalogue::new(store.clone(), Arc::new(clock.clone()), &node, &countries);
    (store, catalogue)
}

fn archive() -> Identity {
    "spiffe://fi.pleiad.example/participant/archive".parse().unwrap()
}

fn stranger() -> Identity {
    "spiffe://fi.pleiad.example/participant/stranger".parse().unwrap()
}

fn example() -> Dataset {
    schema::parse(EXAMPLE).unwrap()
}

fn titled(mut dataset: Dataset, title: &str) -> Dataset {
    dataset.title = Text::new("en".parse().unwrap(), title).unwrap();
    dataset
}

fn draft(number: usize, words: &str) -> Value {
    let read = format!("{number} {words}");
    json!({
        "title": {"nl": format!("Gegevens {number}"), "en": words},
        "source": {
            "name": "data.example",
            "iri": format!("https://data.example/{number}"),
            "digest": Digest::of(read.as_bytes()).to_string(),
        },
    })
}

fn kinds(outcomes: &[Result<Outcome, CatalogueError>]) -> Vec<&'static str> {
    outcomes
        .iter()
        .map(|outcome| match outcome {
            Ok(Outcome::Registered(_)) => "registered",
            Ok(Outcome::Revised(_)) => "revised",
            Ok(Outcome::Unchanged(_)) => "unchanged",
            Err(_) => "refused",
        })
        .collect()
}

#[tokio::test]
async fn what_was_registered_is_read_back_as_it_was_said_even_after_reopening() {
    let place = Place::new();
    let registered = place.register().await;
    assert_eq!((registered.revision, registered.seq), (Revision::FIRST, place.store.head()));
    let place = place.reopen().await;
    let read = place.catalogue.record(&registered.dataset.id).await.unwrap();
    assert_eq!(read, registered);
    assert_eq!(read.etag(), registered.etag());
    assert_eq!(read.dataset, example());
}

#[tokio::test]
async fn a_second_register_of_the_same_id_is_refused_and_nothing_changes() {
    let place = Place::new();
    let first = place.register().await;
    let head = place.store.head();
    let mut again = titled(example(), "Another");
    again.source = None;
    let refused = place.catalogue.register(Actor::Operator, &archive(), again).await.unwrap_err();
    assert_eq!(refused, CatalogueError::Taken(first.dataset.id.clone()));
    assert_eq!(place.store.head(), head);
    assert_eq!(place.catalogue.record(&first.dataset.id).await.unwrap(), first);
}

#[tokio::test]
async fn a_second_register_of_the_same_source_names_the_first() {
    let place = Place::new();
    let first = place.register().await;
    let mut again = example();
    again.id = "https://fi.pleiad.example/dataset/other".parse().unwrap();
    let refused = place.catalogue.register(Actor::Operator, &archive(), again).await.unwrap_err();
    assert!(matches!(refused, CatalogueError::SourceTaken { id: Some(id), .. } if id == first.dataset.id));
}

#[tokio::test]
async fn a_private_record_does_not_tell_a_stranger_its_id_by_its_source() {
    let place = Place::new();
    let mut private = example();
    private.visibility = Visibility::Private;
    place.catalogue.register(Actor::Operator, &archive(), private).await.unwrap();
    let mut again = example();
    again.id = "https://fi.pleiad.example/dataset/other".parse().unwrap();
    let refused = place.catalogue.register(Actor::Operator, &stranger(), again).await.unwrap_err();
    assert!(matches!(refused, CatalogueError::SourceTaken { id: None, .. }), "{refused:?}");
    let draft = serde_json::to_value(example()).unwrap();
    let imported = place.catalogue.import(&Actor::Operator, &stranger(), &incoming(&[draft])).await.unwrap();
    assert!(matches!(imported[..], [Err(CatalogueError::SourceTaken { id: None, .. })]), "{imported:?}");
}

#[tokio::test]
async fn of_two_registrations_at_once_one_wins() {
    let place = Place::new();
    let owner = archive();
    let register = || place.catalogue.register(Actor::Operator, &owner, example());
    let (one, two, three) = tokio::join!(register(), register(), register());
    assert_eq!([one, two, three].iter().filter(|answer| answer.is_ok()).count(), 1);
}

#[tokio::test]
async fn only_ids_countries_and_owners_of_this_node_are_registered() {
    let place = Place::new();
    let owner = archive();
    let register = |dataset: Dataset| place.catalogue.register(Actor::Operator, &owner, dataset);

    let mut foreign = example();
    foreign.id = "https://de.pleiad.example/dataset/x".parse().unwrap();
    let refused = register(foreign).await.unwrap_err();
    assert!(matches!(refused, CatalogueError::ForeignId { .. }), "{refused}");
    assert!(refused.to_string().contains("https://fi.pleiad.example/dataset/"), "{refused}");

    let mut foreign = example();
    foreign.country = "DE".parse().unwrap();
    let refused = register(foreign).await.unwrap_err();
    assert!(matches!(refused, CatalogueError::ForeignCountry { .. }), "{refused}");
    assert!(refused.to_string().contains("speaks for FI"), "{refused}");

    let node: Identity = "spiffe://fi.pleiad.example/node/fi".parse().unwrap();
    let refused = place.catalogue.register(Actor::Operator, &node, example()).await.unwrap_err();
    assert!(matches!(refused, CatalogueError::NotAParticipant(_)), "{refused}");

    let mut unbounded = example();
    unbounded.version = Some("x".repeat(2_000));
    let refused = register(unbounded).await.unwrap_err();
    assert!(matches!(refused, CatalogueError::Invalid(_)), "{refused}");
    assert_eq!(place.store.head().0, 1, "only the opening of the log");
}

#[tokio::test]
async fn a_stale_if_match_is_refused_and_nothing_changes() {
    let place = Place::new();
    let first = place.register().await;
    let id = first.dataset.id.clone();
    let (catalogue, by) = (&place.catalogue, archive());
    let read = IfMatch::Tags(vec![first.etag()]);
    let revised = catalogue.revise(Actor::Operator, &by, &id, &read, titled(example(), "Second")).await.unwrap();
    assert!(matches!(&revised, Outcome::Revised(record) if record.revision == Revision(2)));

    for stale in [read, IfMatch::Revision(Revision::FIRST), IfMatch::Tags(vec![])] {
        let refused =
            catalogue.revise(Actor::Operator, &by, &id, &stale, titled(example(), "Third")).await.unwrap_err();
        assert!(
            matches!(&refused, CatalogueError::Stale { current: Revision(2), etag: Some(tag), .. } if *tag == revised.record().etag()),
            "{refused}"
        );
        let refused = catalogue.withdraw(Actor::Operator, &by, &id, &stale, "Wrong.", None).await.unwrap_err();
        assert!(matches!(refused, CatalogueError::Stale { .. }), "{refused}");
    }
    assert_eq!(catalogue.record(&id).await.unwrap(), *revised.record());
}

#[tokio::test]
async fn of_two_revisions_at_once_one_wins_and_the_other_is_told_what_stands_there() {
    let place = Place::new();
    let first = place.register().await;
    let (id, by, read) = (first.dataset.id.clone(), archive(), IfMatch::Revision(Revision::FIRST));
    let revise = |title: &str| place.catalogue.revise(Actor::Operator, &by, &id, &read, titled(example(), title));
    let (one, two) = tokio::join!(revise("One"), revise("Two"));
    let (won, lost) = if one.is_ok() { (one, two) } else { (two, one) };
    let tag = won.unwrap().record().etag();
    assert!(matches!(lost, Err(CatalogueError::Stale { etag: Some(told), .. }) if told == tag));
}

#[tokio::test]
async fn a_revision_that_changes_nothing_is_answered_as_unchanged() {
    let place = Place::new();
    let first = place.register().await;
    let head = place.store.head();
    place.later();
    let outcome =
        place.catalogue.revise(Actor::Operator, &archive(), &first.dataset.id, &IfMatch::Any, example()).await.unwrap();
    assert_eq!(outcome, Outcome::Unchanged(first));
    assert_eq!(place.store.head(), head);
}

#[tokio::test]
async fn every_revision_stays_readable_and_the_history_lists_it() {
    let place = Place::new();
    let first = place.register().await;
    let later = place.later();
    let id = &first.dataset.id;
    let second = place
        .catalogue
        .revise(Actor::Operator, &archive(), id, &IfMatch::Any, titled(example(), "Second"))
        .await
        .unwrap()
        .into_record();
    assert_eq!((second.registered, second.revised), (first.registered, later));
    assert_ne!(first.etag(), second.etag());
    assert_eq!(place.catalogue.revision(id, Revision::FIRST).await.unwrap(), first);
    assert_eq!(place.catalogue.revision(id, Revision(2)).await.unwrap(), second);
    assert!(matches!(place.catalogue.revision(id, Revision(3)).await, Err(CatalogueError::NoRevision(..))));
    let history = place.catalogue.history(&second, None).await.unwrap();
    let history: Vec<u32> = history.iter().map(|line| line.revision.0).collect();
    assert_eq!(history, [1, 2]);
}

#[tokio::test]
async fn nobody_but_the_owner_changes_a_dataset_and_a_private_one_does_not_betray_itself() {
    let place = Place::new();
    let open = place.register().await.dataset.id;
    let mut private = example();
    private.id = "https://fi.pleiad.example/dataset/private".parse().unwrap();
    private.visibility = Visibility::Private;
    private.source = None;
    place.catalogue.register(Actor::Operator, &archive(), private.clone()).await.unwrap();

    let revise = async |id: &DatasetId, dataset: &Dataset| {
        let dataset = titled(dataset.clone(), "Taken over");
        place.catalogue.revise(Actor::Operator, &stranger(), id, &IfMatch::Any, dataset).await.unwrap_err()
    };
    assert_eq!(revise(&open, &example()).await, CatalogueError::NotOwner(open.clone()));
    assert_eq!(revise(&private.id, &private).await, CatalogueError::NotFound(private.id.clone()));
    let stranger = stranger();
    let withdraw = place.catalogue.withdraw(Actor::Operator, &stranger, &open, &IfMatch::Any, "Mine.", None);
    assert_eq!(withdraw.await.unwrap_err(), CatalogueError::NotOwner(open.clone()));
    assert_eq!(place.store.head().0, 3, "the opening and two registrations");
}

#[tokio::test]
async fn a_withdrawal_keeps_the_id_taken_for_ever() {
    let place = Place::new();
    let first = place.register().await;
    let (id, by) = (first.dataset.id.clone(), archive());
    let successor = Some("https://fi.pleiad.example/dataset/next".parse().unwrap());
    let later = place.later();
    let withdrawn = place
        .catalogue
        .withdraw(
            Actor::Operator,
            &by,
            &id,
            &IfMatch::Revision(Revision::FIRST),
            "Consent was withdrawn.",
            successor.clone(),
        )
        .await
        .unwrap();
    assert_eq!((withdrawn.revision, withdrawn.revised), (Revision(2), later));
    assert_eq!(withdrawn.withdrawn.as_ref().unwrap().reason, "Consent was withdrawn.");

    let place = place.reopen().await;
    let gone = CatalogueError::Withdrawn { id: id.clone(), successor };
    let mut again = example();
    again.source = None;
    let catalogue = &place.catalogue;
    assert_eq!(catalogue.register(Actor::Operator, &by, again).await.unwrap_err(), gone);
    let revise = catalogue.revise(Actor::Operator, &by, &id, &IfMatch::Any, titled(example(), "Back"));
    assert_eq!(revise.await.unwrap_err(), gone);
    let withdraw = catalogue.withdraw(Actor::Operator, &by, &id, &IfMatch::Any, "Again.", None);
    assert_eq!(withdraw.await.unwrap_err(), gone);
    assert_eq!(catalogue.record(&id).await.unwrap(), withdrawn);
    let listed = catalogue.list(&DatasetFilter::default(), None, 10).await.unwrap();
    assert!(listed.is_empty(), "a withdrawn dataset is not listed unless asked for");
}

#[tokio::test]
async fn a_withdrawal_needs_a_reason_and_another_successor() {
    let place = Place::new();
    let id = place.register().await.dataset.id;
    let itself = Some(id.as_str().parse().unwrap());
    let withdraw = async |reason: &str, successor| {
        place.catalogue.withdraw(Actor::Operator, &archive(), &id, &IfMatch::Any, reason, successor).await.unwrap_err()
    };
    assert_eq!(withdraw(" ", None).await, CatalogueError::InvalidReason);
    assert_eq!(withdraw("\u{1b}[2J", None).await, CatalogueError::InvalidReason);
    assert_eq!(withdraw("Old.", itself).await, CatalogueError::OwnSuccessor);
}

#[tokio::test]
async fn a_manifest_changes_only_under_a_higher_version() {
    let place = Place::new();
    let id = place.register().await.dataset.id;
    let revise =
        async |dataset: Dataset| place.catalogue.revise(Actor::Operator, &archive(), &id, &IfMatch::Any, dataset).await;
    let mut changed = example();
    let manifest = changed.distributions[0].manifest.as_mut().unwrap();
    manifest.shards.pop_first();
    assert!(matches!(revise(changed.clone()).await, Err(CatalogueError::ManifestNotRaised { version: 1, .. })));
    changed.distributions[0].manifest.as_mut().unwrap().version = 2;
    assert!(matches!(revise(changed).await, Ok(Outcome::Revised(_))));
    let mut dropped = example();
    dropped.distributions.clear();
    assert!(matches!(revise(dropped).await, Err(CatalogueError::ManifestDropped { version: 2, .. })));
}

#[tokio::test]
async fn importing_twice_changes_nothing() {
    let place = Place::new();
    let drafts: Vec<Value> = (0..450).map(|number| draft(number, "as read")).collect();
    let first = place.import(&drafts).await;
    assert!(kinds(&first).iter().all(|kind| *kind == "registered"));
    let head = place.store.head();
    let place = place.reopen().await;
    let second = place.import(&drafts).await;
    assert!(kinds(&second).iter().all(|kind| *kind == "unchanged"));
    assert_eq!(place.store.head(), head);
    for (one, two) in first.iter().zip(&second) {
        assert_eq!(one.as_ref().unwrap().record(), two.as_ref().unwrap().record());
    }
}

#[tokio::test]
async fn a_record_that_changed_at_its_source_is_revised_and_keeps_what_a_steward_changed() {
    let place = Place::new();
    let read = |words: &str, keyword: Option<&str>| {
        let mut draft = draft(1, words);
        draft["version"] = json!("source's");
        if let Some(keyword) = keyword {
            draft["keywords"] = json!({"en": [keyword]});
        }
        draft
    };
    let first = place.import(&[read("one", Some("kept")), draft(2, "one")]).await.remove(0).unwrap().into_record();
    let mut edited = first.dataset.clone();
    edited.gdpr.personal_data = pleiad::domain::gdpr::PersonalData::No;
    edited.policy = example().policy;
    edited.version = None;
    let id = &first.dataset.id;
    place.catalogue.revise(Actor::Operator, &archive(), id, &IfMatch::Any, edited.clone()).await.unwrap();

    // Not only the next time, but every time.
    for (revision, words, keyword) in [(3, "two", Some("other")), (4, "three", None)] {
        let again = place.import(&[read(words, keyword), draft(2, "one")]).await;
        assert_eq!(kinds(&again), ["revised", "unchanged"]);
        let record = again[0].as_ref().unwrap().record();
        assert_eq!((record.revision, &record.dataset.id), (Revision(revision), id));
        assert_eq!(record.dataset.title.get(&"en".parse().unwrap()), Some(words), "the source's field follows it");
        assert_eq!(record.dataset.keywords.is_empty(), keyword.is_none(), "what the source drops is dropped");
        assert_eq!((&record.dataset.gdpr, &record.dataset.policy), (&edited.gdpr, &edited.policy));
        assert_eq!(record.dataset.version, None, "what the steward took out stays out");
    }
}

#[tokio::test]
async fn a_steward_leaves_the_source_of_an_imported_record_alone() {
    let place = Place::new();
    let record = place.import(&[draft(1, "as read")]).await.remove(0).unwrap().into_record();
    let id = &record.dataset.id;
    for change in [
        |dataset: &mut Dataset| dataset.source = None,
        |dataset: &mut Dataset| dataset.source.as_mut().unwrap().digest = Digest::of(b"other"),
    ] {
        let mut changed = record.dataset.clone();
        change(&mut changed);
        let refused = place.catalogue.revise(Actor::Operator, &archive(), id, &IfMatch::Any, changed).await;
        assert_eq!(refused, Err(CatalogueError::SourceChanged));
    }
}

#[tokio::test]
async fn what_cannot_be_imported_is_refused_alone_and_the_rest_goes_on() {
    let place = Place::of(&["FI", "EE"]);
    let with = |number: usize, change: &dyn Fn(&mut Value)| {
        let mut draft = draft(number, "as read");
        draft["country"] = json!("EE");
        change(&mut draft);
        draft
    };
    let drafts = [
        with(1, &|_| {}),
        with(2, &|draft| draft["title"] = json!({})),
        with(3, &|draft| draft["country"] = json!("BE")),
        with(4, &|draft| drop(draft.as_object_mut().unwrap().remove("country"))),
        with(5, &|draft| draft["source"] = json!({"name": "data.example"})),
        with(6, &|draft| draft["description"] = json!({"en": "x".repeat(2_000_000)})),
        with(1, &|_| {}),
        with(1, &|draft| draft["source"]["digest"] = json!(Digest::of(b"other").to_string())),
        with(7, &|_| {}),
        json!(7),
    ];
    let outcomes = place.import(&drafts).await;
    assert_eq!(
        kinds(&outcomes),
        [
            "registered",
            "refused",
            "refused",
            "refused",
            "refused",
            "refused",
            "unchanged",
            "refused",
            "registered",
            "refused"
        ]
    );
    assert!(matches!(&outcomes[1], Err(CatalogueError::Invalid(faults)) if faults.list[0].pointer == "/title"));
    assert!(matches!(&outcomes[2], Err(CatalogueError::ForeignCountry { .. })));
    assert!(matches!(&outcomes[3], Err(CatalogueError::Invalid(faults)) if faults.list[0].pointer == "/country"));
    assert!(matches!(&outcomes[4], Err(CatalogueError::NoSource)));
    assert!(matches!(&outcomes[7], Err(CatalogueError::Twice { .. })));
    assert_eq!(place.catalogue.list(&DatasetFilter::default(), None, 10).await.unwrap().len(), 2);
}

#[tokio::test]
async fn an_import_brings_back_neither_what_was_withdrawn_nor_what_belongs_to_another() {
    let place = Place::new();
    let id = place.import(&[draft(1, "as read")]).await[0].as_ref().unwrap().record().dataset.id.clone();
    let others =
        place.catalogue.import(&Actor::Operator, &stranger(), &incoming(&[draft(1, "changed")])).await.unwrap();
    assert_eq!(others, [Err(CatalogueError::NotOwner(id.clone()))]);
    place.catalogue.withdraw(Actor::Operator, &archive(), &id, &IfMatch::Any, "Wrong.", None).await.unwrap();
    let again = place.import(&[draft(1, "changed")]).await;
    assert_eq!(again, [Err(CatalogueError::Withdrawn { id, successor: None })]);
}

#[tokio::test]
async fn an_import_and_stewards_at_once_lose_nothing() {
    let place = Place::new();
    let drafts: Vec<Value> = (0..100).map(|number| draft(number, "as read")).collect();
    let (one, two) = tokio::join!(place.import(&drafts), place.import(&drafts));
    let registered = kinds(&one).iter().chain(&kinds(&two)).filter(|kind| **kind == "registered").count();
    assert_eq!(registered, 100);
    assert!(one.iter().chain(&two).all(Result::is_ok));
}

#[tokio::test]
async fn a_fresh_id_is_under_the_domain_and_the_only_country_is_filled_in() {
    let place = Place::new();
    let defaults = place.catalogue.defaults();
    assert!(defaults.id.as_str().starts_with("https://fi.pleiad.example/dataset/0"));
    assert_ne!(defaults.id, place.catalogue.defaults().id);
    let dataset = schema::parse_draft(br#"{"title": {"fi": "Pieni"}}"#, &defaults).unwrap();
    let registered = place.catalogue.register(Actor::Operator, &archive(), dataset).await.unwrap();
    assert_eq!(registered.dataset.country.as_str(), "FI");
    assert_eq!(Place::of(&["FI", "PL"]).catalogue.defaults().country, None);
}

#[tokio::test]
async fn a_steward_is_told_what_is_missing_for_an_offer_and_what_is_doubtful() {
    let place = Place::new();
    let whole = place.register().await;
    let assessment = place.catalogue.assess(&whole);
    assert!(assessment.offerable && assessment.missing.is_empty());
    let doubts: Vec<&str> = assessment.warnings.iter().map(|doubt| doubt.code).collect();
    assert_eq!(doubts, ["listed_without_effect", "download_of_closed_data"]);

    let bare = place.import(&[draft(1, "as read")]).await.remove(0).unwrap().into_record();
    let assessment = place.catalogue.assess(&bare);
    assert!(!assessment.offerable && assessment.missing.iter().any(|missing| missing.code == "personal_data"));
}

#[tokio::test]
async fn a_known_licence_is_found_by_what_it_permits_though_only_its_id_was_sent() {
    let place = Place::new();
    let body = br#"{"title": {"en": "Open"}, "licence": {"spdx": "cc-by-4.0"}}"#;
    let dataset = schema::parse_draft(body, &place.catalogue.defaults()).unwrap();
    let first = place.catalogue.register(Actor::Operator, &archive(), dataset.clone()).await.unwrap();
    let licence = first.dataset.licence.as_ref().unwrap();
    assert_eq!((licence.label(), licence.class().as_str()), ("CC-BY-4.0", "attribution"));
    // The same document again says nothing new.
    let id = &first.dataset.id;
    let again = place.catalogue.revise(Actor::Operator, &archive(), id, &IfMatch::Any, dataset).await.unwrap();
    assert_eq!(again, Outcome::Unchanged(first));
}

#[tokio::test]
async fn an_id_that_was_taken_by_hand_keeps_one_record_back_and_not_its_neighbours() {
    let place = Place::new();
    let id = Place::new().import(&[draft(1, "as read")]).await[0].as_ref().unwrap().record().dataset.id.clone();
    let mut taken = example();
    taken.id = id.clone();
    taken.source = None;
    place.catalogue.register(Actor::Operator, &archive(), taken).await.unwrap();
    let outcomes = place.import(&[draft(1, "as read"), draft(2, "as read")]).await;
    assert_eq!(outcomes[0], Err(CatalogueError::Taken(id)));
    assert_eq!(kinds(&outcomes), ["refused", "registered"]);
}
