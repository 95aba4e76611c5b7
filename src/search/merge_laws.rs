//! The laws of [`merge`](super::merge), as properties of small generated federations.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::merge::{Answer, Page, Question, Ranked, Ranking, Relation, merge, place_of};
use crate::domain::answer::{Card, FacetCounts, Hit, LocalAnswer, SortKey};
use crate::domain::dataset::AccessRights;
use crate::domain::gdpr::PersonalData;
use crate::domain::ids::{DatasetId, Identity, Revision, Seq, TrustDomain};
use crate::domain::query::{Analysed, ComponentKind, FacetField, Filters, ScoredTerm, Sort, Term, TextField};
use crate::domain::score::{Component, Statistics, length_of, score};
use crate::domain::text::Text;

const TERMS: usize = 3;
const COUNTRIES: [&str; 4] = ["FI", "DE", "ES", "GR"];

fn node(place: usize) -> Identity {
    format!("spiffe://n{place}.example/node/a").parse().unwrap()
}

fn question(sort: Sort) -> Analysed {
    let term = |place: usize| ScoredTerm {
        kind: ComponentKind::Term,
        term: Term { field: if place == 0 { TextField::Title } else { TextField::All }, text: format!("t{place}") },
        weight: if place == 0 { 2.0 } else { 1.0 },
    };
    Analysed {
        matching: None,
        scored: (0..TERMS).map(term).collect(),
        filters: Filters::default(),
        sort,
        facets: vec![FacetField::Country],
        analyser: "test".to_owned(),
    }
}

fn card(domain: &TrustDomain, local: &str, country: &str) -> Card {
    Card {
        id: DatasetId::mint(domain, local).unwrap(),
        revision: Revision::FIRST,
        title: Text::new("en".parse().unwrap(), local).unwrap(),
        summary: None,
        country: country.parse().unwrap(),
        publisher: None,
        licence: None,
        licence_class: None,
        access_rights: AccessRights::Public,
        personal_data: PersonalData::No,
        modalities: Vec::new(),
        languages: Vec::new(),
        formats: Vec::new(),
        modified: None,
        bytes: None,
        identifiers: Vec::new(),
        source: None,
        derived_from: Vec::new(),
        version_of: None,
        series: Vec::new(),
        fictitious: false,
        requestable: false,
    }
}

/// A record as an index sees it: how often each term stands in it, how long its two fields are, and its sort key.
#[derive(Debug, Clone)]
struct Record {
    frequencies: [u32; TERMS],
    title: u8,
    all: u8,
    key: Option<i64>,
}

fn record() -> impl Strategy<Value = Record> {
    (prop::array::uniform3(0u32..4), 1u8..12, 5u8..60, prop::option::of(0i64..5))
        .prop_map(|(frequencies, title, all, key)| Record { frequencies, title, all, key })
}

type Federation = Vec<Vec<Record>>;

fn federation() -> impl Strategy<Value = Federation> {
    prop::collection::vec(prop::collection::vec(record(), 0..12), 1..4)
}

fn sort() -> impl Strategy<Value = Sort> {
    prop::sample::select(vec![Sort::Relevance, Sort::Modified, Sort::Size])
}

fn hit_of(place: usize, local: usize, record: &Record) -> Hit {
    let component = |term: usize| Component {
        term: u16::try_from(term).unwrap(),
        frequency: record.frequencies[term],
        norm: if term == 0 { record.title } else { record.all },
    };
    Hit {
        card: card(node(place).domain(), &format!("r{local}"), COUNTRIES[place]),
        seq: Seq(1),
        components: (0..TERMS).map(component).filter(|component| component.frequency > 0).collect(),
        sort_key: record.key.map(SortKey::Number),
        highlights: Vec::new(),
    }
}

fn statistics_of(records: &[Record]) -> Statistics {
    let tokens = |norm: &dyn Fn(&Record) -> u8| records.iter().map(|one| u64::from(length_of(norm(one)))).sum();
    Statistics {
        documents: records.len() as u64,
        tokens: BTreeMap::from([
            (TextField::Title, tokens(&|one| one.title)),
            (TextField::All, tokens(&|one| one.all)),
        ]),
        frequencies: (0..TERMS)
            .map(|term| records.iter().filter(|one| one.frequencies[term] > 0).count() as u64)
            .collect(),
    }
}

fn in_order(mut hits: Vec<Hit>, statistics: &Statistics, question: &Analysed) -> Vec<Hit> {
    let place = |hit: &Hit| place_of(hit, score(&hit.components, &question.scored, statistics));
    hits.sort_by(|a, b| place(a).compare(&place(b), question.sort));
    hits
}

/// What an honest node answers: its `asked` best by its own statistics, or by those it was given.
fn answer_of(
    place: usize,
    records: &[Record],
    asked: usize,
    steering: Option<&Statistics>,
    question: &Analysed,
) -> Answer {
    let statistics = statistics_of(records);
    let hits = records.iter().enumerate().map(|(local, record)| hit_of(place, local, record)).collect();
    let mut hits = in_order(hits, steering.unwrap_or(&statistics), question);
    hits.truncate(asked);
    let country = (COUNTRIES[place].to_owned(), records.len() as u64);
    let counts = FacetCounts { values: Vec::from_iter((!records.is_empty()).then_some(country)), other: 0 };
    Answer {
        node: node(place),
        countries: BTreeSet::from([COUNTRIES[place].parse().unwrap()]),
        asked,
        steering: steering.cloned(),
        answer: LocalAnswer {
            statistics,
            total: records.len() as u64,
            hits,
            facets: BTreeMap::from([(FacetField::Country, counts)]),
            position: Seq(1),
        },
    }
}

fn answers_of(federation: &Federation, asked: usize, question: &Analysed) -> Vec<Answer> {
    federation.iter().enumerate().map(|(place, records)| answer_of(place, records, asked, None, question)).collect()
}

fn ids(hits: &[Ranked]) -> Vec<String> {
    hits.iter().map(|ranked| ranked.hit.card.id.to_string()).collect()
}

fn merged(question: &Analysed, limit: usize, answers: Vec<Answer>) -> Page {
    merge(&Question { analysed: question, limit, complete: true }, answers, None)
}

/// The order of one index over all the records.
fn one_index(federation: &Federation, question: &Analysed) -> Vec<String> {
    let all: Vec<Record> = federation.iter().flatten().cloned().collect();
    let hits = federation
        .iter()
        .enumerate()
        .flat_map(|(place, records)| records.iter().enumerate().map(move |(local, one)| hit_of(place, local, one)))
        .collect();
    in_order(hits, &statistics_of(&all), question).into_iter().map(|hit| hit.card.id.to_string()).collect()
}

fn any_statistics() -> impl Strategy<Value = Statistics> {
    let number = prop_oneof![0u64..20, any::<u64>()];
    (number.clone(), number.clone(), number.clone(), prop::collection::vec(number, 0..5)).prop_map(
        |(documents, title, all, frequencies)| Statistics {
            documents,
            tokens: BTreeMap::from([(TextField::Title, title), (TextField::All, all)]),
            frequencies,
        },
    )
}

/// Whatever a node with a valid certificate may send: of its own domain or another, of its country or another.
fn any_answer() -> impl Strategy<Value = LocalAnswer> {
    let component =
        (0u16..6, any::<u32>(), any::<u8>()).prop_map(|(term, frequency, norm)| Component { term, frequency, norm });
    let key = prop_oneof![any::<i64>().prop_map(SortKey::Number), ".{0,3}".prop_map(SortKey::Text)];
    let hit = (0usize..5, 0usize..6, 0usize..4, prop::collection::vec(component, 0..6), prop::option::of(key))
        .prop_map(|(domain, local, country, components, sort_key)| Hit {
            card: card(node(domain).domain(), &format!("r{local}"), COUNTRIES[country]),
            seq: Seq(0),
            components,
            sort_key,
            highlights: Vec::new(),
        });
    (any_statistics(), any::<u64>(), prop::collection::vec(hit, 0..20), any::<u64>()).prop_map(
        |(statistics, total, hits, count)| LocalAnswer {
            statistics,
            total,
            hits,
            facets: BTreeMap::from([(
                FacetField::Country,
                FacetCounts { values: vec![("FI".to_owned(), count), ("GR".to_owned(), count)], other: count },
            )]),
            position: Seq(0),
        },
    )
}

/// The last place of [`COUNTRIES`] is the liar's.
const LIAR: usize = 3;

fn liar(answer: LocalAnswer) -> Answer {
    Answer {
        node: node(LIAR),
        countries: BTreeSet::from([COUNTRIES[LIAR].parse().unwrap()]),
        asked: 10,
        steering: None,
        answer,
    }
}

/// A hit as the merge keeps it: without a key where none is sorted by.
fn as_merged(mut hit: Hit, sort: Sort) -> Hit {
    hit.sort_key = hit.sort_key.filter(|_| sort != Sort::Relevance);
    hit
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_page_does_not_depend_on_the_order_of_arrival(
        federation in federation(), lie in any_answer(), sort in sort(), turn in 0usize..4, limit in 1usize..15,
    ) {
        let question = question(sort);
        let mut answers = answers_of(&federation, 10, &question);
        answers.push(liar(lie));
        let one = merged(&question, limit, answers.clone());
        let turns = turn % answers.len();
        answers.rotate_left(turns);
        prop_assert_eq!(&one, &merged(&question, limit, answers.clone()));
        answers.reverse();
        prop_assert_eq!(&one, &merged(&question, limit, answers));
    }

    #[test]
    fn the_page_is_that_of_one_index_when_everything_was_sent(federation in federation(), sort in sort()) {
        let question = question(sort);
        let page = merged(&question, 100, answers_of(&federation, 100, &question));
        prop_assert_eq!(ids(&page.hits), one_index(&federation, &question));
        prop_assert_eq!(page.ranking, Ranking::Exact);
        prop_assert_eq!(page.total.value as usize, federation.iter().map(Vec::len).sum::<usize>());
        prop_assert_eq!(page.statistics, statistics_of(&federation.concat()));
        let counted: u64 = page.facets[&FacetField::Country].values.iter().map(|(_, count)| count).sum();
        prop_assert_eq!(counted, page.total.value);
    }

    #[test]
    fn a_page_that_says_exact_is_that_of_one_index(
        federation in federation(), sort in sort(), limit in 1usize..6, more in 0usize..4, steered: bool,
        guess in any_statistics(),
    ) {
        let question = question(sort);
        let steering = steered.then(|| guess.clamped(TERMS));
        let answers = federation
            .iter()
            .enumerate()
            .map(|(place, records)| answer_of(place, records, limit + more, steering.as_ref(), &question))
            .collect();
        let page = merged(&question, limit, answers);
        let truth = one_index(&federation, &question);
        if page.ranking == Ranking::Exact {
            prop_assert_eq!(ids(&page.hits), &truth[..limit.min(truth.len())]);
        }
    }

    #[test]
    fn a_node_that_lies_cannot_move_two_hits_of_others_past_each_other(
        federation in federation(), lie in any_answer(), sort in sort(),
    ) {
        let question = question(sort);
        let honest = answers_of(&federation, 100, &question);
        let mut answers = honest.clone();
        answers.push(liar(lie));
        let page = merged(&question, 1000, answers);
        let theirs: Vec<Hit> = honest.into_iter().flat_map(|answer| answer.answer.hits).map(|hit| as_merged(hit, sort)).collect();
        let expected = in_order(theirs, &page.statistics, &question);
        let found: Vec<_> = page.hits.iter().filter(|one| one.node != node(LIAR)).map(|one| &one.hit).collect();
        prop_assert_eq!(found, expected.iter().collect::<Vec<_>>());
        prop_assert!(page.hits.iter().all(|one| one.place.score.is_finite() && one.place.score >= 0.0));
        let records = federation.iter().map(|records| records.len() as u64).sum::<u64>();
        prop_assert!(page.statistics.frequencies.iter().all(|one| *one <= page.statistics.documents));
        prop_assert!(page.statistics.documents <= records + 1_000_000_000);
    }

    #[test]
    fn what_is_sent_is_shown_once_or_counted_as_dropped(
        federation in federation(), lie in any_answer(), sort in sort(),
    ) {
        let question = question(sort);
        let mut answers = answers_of(&federation, 100, &question);
        answers.push(liar(lie));
        let sent: usize = answers.iter().map(|answer| answer.answer.hits.len()).sum();
        let page = merged(&question, 1000, answers);
        let shown: Vec<String> = page
            .hits
            .iter()
            .flat_map(|one| {
                std::iter::once(one.hit.card.id.to_string()).chain(one.also_at.iter().map(|also| also.id.to_string()))
            })
            .collect();
        let dropped: usize = page.parts.values().map(|part| part.dropped.hits()).sum();
        prop_assert_eq!(shown.len() + dropped, sent);
        prop_assert_eq!(shown.iter().collect::<BTreeSet<_>>().len(), shown.len());
        prop_assert!(page.hits.iter().all(|one| one.hit.card.id.is_under(one.node.domain())));
        prop_assert!(page.parts.values().all(|part| part.used <= 100));
    }

    #[test]
    fn private_hits_change_no_count_and_no_order_of_the_others(
        federation in federation(), private in prop::collection::vec(record(), 0..6), sort in sort(), limit in 1usize..15,
    ) {
        let question = question(sort);
        let without = merged(&question, limit, answers_of(&federation, 100, &question));
        let mut own = answer_of(0, &private, 100, None, &question);
        for hit in &mut own.answer.hits {
            hit.card.id = DatasetId::mint(node(0).domain(), &format!("private-{}", hit.card.id.local())).unwrap();
        }
        let asked = Question { analysed: &question, limit, complete: true };
        let with = merge(&asked, answers_of(&federation, 100, &question), Some(own));
        prop_assert_eq!(with.total, without.total);
        prop_assert_eq!(with.ranking, without.ranking);
        prop_assert_eq!(&with.facets, &without.facets);
        prop_assert_eq!(&with.statistics, &without.statistics);
        let others: Vec<Ranked> = with.hits.into_iter().filter(|one| !one.private).collect();
        prop_assert_eq!(&others[..], &without.hits[..others.len()]);
    }
}

#[test]
fn a_dataset_at_two_nodes_is_shown_once_and_names_the_other_place() {
    let question = question(Sort::Relevance);
    let record = |frequency| Record { frequencies: [0, frequency, 0], title: 3, all: 20, key: None };
    let mut answers = answers_of(&vec![vec![record(3), record(1)], vec![record(2)]], 10, &question);
    for (answer, spelling) in answers.iter_mut().zip(["https://doi.org/10.1/X", "doi:10.1/x"]) {
        answer.answer.hits[0].card.identifiers = vec![spelling.parse().unwrap()];
    }
    let page = merged(&question, 10, answers);
    assert_eq!(page.hits.len(), 2);
    assert_eq!(page.hits[0].also_at.len(), 1);
    assert_eq!(page.hits[0].also_at[0].node, node(1));
    assert_eq!(page.total.value, 3);
}

#[test]
fn an_answer_that_is_missing_makes_the_total_a_lower_bound() {
    let question = question(Sort::Relevance);
    let answers = answers_of(&vec![vec![]], 10, &question);
    let page = merge(&Question { analysed: &question, limit: 10, complete: false }, answers, None);
    assert_eq!(page.total.relation, Relation::Gte);
}

#[test]
fn what_a_node_may_not_say_is_dropped_and_counted_by_reason() {
    let mut question = question(Sort::Relevance);
    question.filters.facets.insert(FacetField::Access, vec!["restricted".to_owned()]);
    let mut answer = answer_of(0, &[], 2, None, &question);
    let own = node(0).domain().clone();
    let mut restricted = |local: &str, country: &str, domain: &TrustDomain, access_rights| {
        let mut card = card(domain, local, country);
        card.access_rights = access_rights;
        answer.answer.hits.push(Hit { card, seq: Seq(1), components: vec![], sort_key: None, highlights: vec![] });
    };
    restricted("a", "FI", &own, AccessRights::Restricted);
    restricted("a", "FI", &own, AccessRights::Restricted);
    restricted("b", "FI", node(1).domain(), AccessRights::Restricted);
    restricted("c", "DE", &own, AccessRights::Restricted);
    restricted("d", "FI", &own, AccessRights::Public);
    restricted("e", "FI", &own, AccessRights::Restricted);
    restricted("f", "FI", &own, AccessRights::Restricted);
    let page = merged(&question, 10, vec![answer]);
    let part = &page.parts[&node(0)];
    assert_eq!((page.hits.len(), part.used), (2, 2));
    let dropped = part.dropped;
    assert_eq!(
        (dropped.other_member, dropped.other_country, dropped.not_matching, dropped.repeated, dropped.surplus),
        (1, 1, 1, 1, 1)
    );
    assert!(dropped.describe().unwrap().contains("ids of another member (1)"));
}
