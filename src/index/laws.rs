//! The laws of the index, against naive models: what matches, what is counted, what is best, and that several nodes
//! whose counts are summed rank as one index would.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use tantivy::collector::TopDocs;
use tantivy::indexer::NoMergePolicy;
use tantivy::query::TermQuery;
use tantivy::schema::{IndexRecordOption, Value as _};
use tantivy::{IndexWriter, TantivyDocument, Term};

use crate::domain::dataset::{Dataset, Registered, Visibility};
use crate::domain::ids::{Revision, Seq};
use crate::domain::query::{Analysed, ComponentKind, Expression, FacetField, Query, ScoredTerm, TextField};
use crate::domain::score::{Formula, Place, Statistics, length_of};

use super::fields::Fields;
use super::question::analyse;
use super::reader::{IndexAnswer, IndexQuery, Reader};

/// An index in memory, written without the writer's thread.
struct Node {
    index: tantivy::Index,
    fields: Fields,
}

impl Node {
    /// Each part becomes a segment of its own.
    fn of(parts: &[Vec<Dataset>]) -> Self {
        let fields = Fields::new();
        let index = tantivy::Index::create_in_ram(fields.schema());
        let mut writer: IndexWriter = index.writer_with_num_threads(1, 15_000_000).unwrap();
        writer.set_merge_policy(Box::new(NoMergePolicy));
        for (part, seq) in parts.iter().zip(1..) {
            for dataset in part {
                writer.add_document(fields.document(&record(dataset.clone()), Seq(seq)).0).unwrap();
            }
            writer.commit().unwrap();
        }
        Self { index, fields }
    }

    fn search(&self, analysed: &Analysed, k: usize, statistics: Option<Statistics>) -> IndexAnswer {
        let searcher = self.index.reader().unwrap().searcher();
        let reader = Reader { searcher, fields: &self.fields, class: Visibility::Federation, position: Seq(1) };
        let deadline = Instant::now() + Duration::from_secs(600);
        let query = IndexQuery { analysed: analysed.clone(), k, statistics, after: None, asker: None, deadline };
        reader.search(&query).unwrap()
    }
}

fn record(dataset: Dataset) -> Registered {
    Registered {
        dataset,
        owner: "spiffe://fi.pleiad.example/participant/csc".parse().unwrap(),
        revision: Revision::FIRST,
        registered: jiff::Timestamp::UNIX_EPOCH,
        revised: jiff::Timestamp::UNIX_EPOCH,
        seq: Seq(0),
        state: Default::default(),
        reason: None,
        withdrawn: None,
    }
}

/// A record in a small vocabulary, so that words meet.
#[derive(Debug, Clone)]
struct Small {
    title: Vec<&'static str>,
    description: Vec<&'static str>,
    country: &'static str,
    formats: BTreeSet<&'static str>,
}

const WORDS: [&str; 8] = ["ab", "ac", "ad", "ba", "bb", "bc", "ca", "cb"];

impl Small {
    fn dataset(&self, number: usize) -> Dataset {
        let distributions: Vec<_> = self.formats.iter().map(|format| serde_json::json!({ "format": format })).collect();
        serde_json::from_value(serde_json::json!({
            "id": format!("https://fi.pleiad.example/dataset/d{number}"),
            "title": { "und": self.title.join(" ") },
            "description": { "und": self.description.join(" ") },
            "country": self.country,
            "distributions": distributions,
        }))
        .unwrap()
    }

    fn words(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.title.iter().chain(&self.description).copied()
    }

    /// What an expression means, said as plainly as can be.
    fn matches(&self, expression: &Expression) -> bool {
        let has = |wanted: &[String]| {
            let in_text = |text: &[&str]| text.windows(wanted.len()).any(|window| window.iter().eq(wanted.iter()));
            in_text(&self.title) || in_text(&self.description)
        };
        match expression {
            Expression::Word { field: Some(TextField::Title), word } => self.title.contains(&word.as_str()),
            Expression::Word { word, .. } => has(std::slice::from_ref(word)),
            Expression::Prefix { prefix, .. } => self.words().any(|word| word.starts_with(prefix.as_str())),
            Expression::Phrase { words, .. } => has(words),
            Expression::Filter { field: FacetField::Country, value } => self.country == value,
            Expression::Filter { value, .. } => self.formats.contains(value.as_str()),
            Expression::And(all) => all.iter().all(|part| self.matches(part)),
            Expression::Or(any) => any.iter().any(|part| self.matches(part)),
            Expression::Not(inner) => !self.matches(inner),
        }
    }
}

fn small() -> impl Strategy<Value = Small> {
    let words = |most| proptest::collection::vec(proptest::sample::select(&WORDS[..]), 1..most);
    let formats = proptest::collection::btree_set(proptest::sample::select(&["CSV", "JSON", "XML"][..]), 0..3);
    (words(5), words(14), proptest::sample::select(&["FI", "SE", "DE"][..]), formats)
        .prop_map(|(title, description, country, formats)| Small { title, description, country, formats })
}

fn smalls(most: usize) -> impl Strategy<Value = Vec<Small>> {
    proptest::collection::vec(small(), 0..most)
}

fn word() -> impl Strategy<Value = String> {
    proptest::sample::select(&WORDS[..]).prop_map(str::to_owned)
}

fn expression() -> impl Strategy<Value = Expression> {
    let leaf = prop_oneof![
        4 => word().prop_map(|word| Expression::Word { field: None, word }),
        1 => word().prop_map(|word| Expression::Word { field: Some(TextField::Title), word }),
        1 => proptest::sample::select(&["a", "b", "ca"][..])
            .prop_map(|prefix| Expression::Prefix { field: None, prefix: prefix.to_owned() }),
        2 => proptest::collection::vec(word(), 2..4).prop_map(|words| Expression::Phrase { field: None, words }),
        1 => proptest::sample::select(&["FI", "SE"][..])
            .prop_map(|value| Expression::Filter { field: FacetField::Country, value: value.to_owned() }),
        1 => proptest::sample::select(&["CSV", "XML"][..])
            .prop_map(|value| Expression::Filter { field: FacetField::Format, value: value.to_owned() }),
    ];
    leaf.prop_recursive(3, 14, 4, |inner| {
        let several = proptest::collection::vec(inner.clone(), 2..4);
        let negated = (inner, proptest::collection::vec(word(), 1..3)).prop_map(|(kept, dropped)| {
            let not = |word| Expression::Not(Box::new(Expression::Word { field: None, word }));
            Expression::And([kept].into_iter().chain(dropped.into_iter().map(not)).collect())
        });
        prop_oneof![several.clone().prop_map(Expression::And), several.prop_map(Expression::Or), negated]
    })
}

fn question(expression: Option<Expression>) -> Analysed {
    analyse(&Query {
        text: expression,
        facets: vec![FacetField::Country, FacetField::Format, FacetField::Theme],
        ..Query::default()
    })
}

/// Splits records into parts of at most `size`, each with its number among all.
fn parts(smalls: &[Small], size: usize) -> Vec<Vec<Dataset>> {
    let datasets: Vec<Dataset> = smalls.iter().enumerate().map(|(number, small)| small.dataset(number)).collect();
    datasets.chunks(size.max(1)).map(<[Dataset]>::to_vec).collect()
}

#[test]
fn a_norm_code_stands_for_the_length_that_tantivy_gives_it() {
    for code in 0..=u8::MAX {
        assert_eq!(length_of(code), tantivy::fieldnorm::FieldNormReader::id_to_fieldnorm(code), "{code}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn matches_totals_and_facets_are_those_of_a_naive_count(
        smalls in smalls(30), size in 1usize..12, expression in proptest::option::of(expression()),
    ) {
        let node = Node::of(&parts(&smalls, size));
        let answer = node.search(&question(expression.clone()), 100, None);
        let matching = || {
            let matches = |small: &Small| expression.as_ref().is_none_or(|expression| small.matches(expression));
            smalls.iter().enumerate().filter(move |(_, small)| matches(small))
        };
        let expected: BTreeSet<String> = matching().map(|(number, _)| format!("d{number}")).collect();
        let found: BTreeSet<String> = answer.hits.iter().map(|hit| hit.id.local().to_owned()).collect();
        prop_assert_eq!(&found, &expected);
        prop_assert_eq!(answer.total, expected.len() as u64);

        let mut countries: BTreeMap<&str, u64> = BTreeMap::new();
        let mut formats: BTreeMap<&str, u64> = BTreeMap::new();
        for (_, small) in matching() {
            *countries.entry(small.country).or_default() += 1;
            for format in &small.formats {
                *formats.entry(format).or_default() += 1;
            }
        }
        for (field, expected) in [(FacetField::Country, countries), (FacetField::Format, formats)] {
            let counts = &answer.facets[&field];
            let counted: BTreeMap<&str, u64> =
                counts.values.iter().map(|(value, count)| (value.as_str(), *count)).collect();
            prop_assert_eq!(counted, expected);
            prop_assert!(counts.values.windows(2).all(|pair| pair[0].1 >= pair[1].1));
        }
        prop_assert!(answer.facets[&FacetField::Theme].values.is_empty());
    }

    #[test]
    fn the_best_are_those_of_the_formula_over_naive_counts(smalls in smalls(30), size in 1usize..12, words in proptest::collection::vec(word(), 1..4)) {
        let node = Node::of(&parts(&smalls, size));
        let words: BTreeSet<String> = words.into_iter().collect();
        let any = words.iter().map(|word| Expression::Word { field: Some(TextField::Description), word: word.clone() });
        let answer = node.search(&question(Some(Expression::Or(any.collect()))), 10, None);

        // BM25 as the books have it, over the words as they were written.
        let documents = smalls.len() as f64;
        let mean = smalls.iter().map(|small| small.description.len()).sum::<usize>() as f64 / documents;
        let bm25 = |small: &Small| -> f64 {
            words
                .iter()
                .map(|word| {
                    let tf = small.description.iter().filter(|other| *other == word).count() as f64;
                    let holding = smalls.iter().filter(|small| small.description.contains(&word.as_str())).count() as f64;
                    let idf = (1.0 + (documents - holding + 0.5) / (holding + 0.5)).ln();
                    let length = small.description.len() as f64;
                    idf * tf * 2.2 / (tf + 1.2 * (0.25 + 0.75 * length / mean))
                })
                .sum()
        };
        let mut places: Vec<Place> = smalls
            .iter()
            .enumerate()
            .filter(|(_, small)| words.iter().any(|word| small.description.contains(&word.as_str())))
            .map(|(number, small)| Place { score: bm25(small), key: None, id: small.dataset(number).id })
            .collect();
        places.sort_by(|one, other| one.compare(other, Default::default()));
        prop_assert_eq!(answer.hits.len(), places.len().min(10));
        for (hit, place) in answer.hits.iter().zip(&places) {
            prop_assert!((hit.score - place.score).abs() < 1e-9, "{} {}", hit.score, place.score);
        }
    }

    #[test]
    fn nodes_whose_counts_are_summed_rank_as_one_index_would(
        smalls in smalls(40), nodes in 1usize..5, expression in expression(),
    ) {
        let question = question(Some(expression));
        let whole = Node::of(&parts(&smalls, smalls.len())).search(&question, 10, None);

        let datasets = parts(&smalls, 1);
        let mut split: Vec<Vec<Dataset>> = vec![Vec::new(); nodes];
        for (number, dataset) in datasets.into_iter().flatten().enumerate() {
            // Uneven on purpose: counts differ between nodes.
            split[(number * number) % nodes].push(dataset);
        }
        let split: Vec<Node> = split.into_iter().map(|part| Node::of(&[part])).collect();
        let mut sums = Statistics::default();
        for node in &split {
            sums.add(&node.search(&question, 0, None).statistics);
        }
        let formula = Formula::new(&question.scored, &sums);
        let mut merged = Vec::new();
        let mut total = 0;
        for node in &split {
            let answer = node.search(&question, 10, Some(sums.clone()));
            total += answer.total;
            for hit in answer.hits {
                let score = formula.score(&hit.components);
                prop_assert_eq!(score, hit.score, "a node orders by the formula itself");
                merged.push(Place { score, key: None, id: hit.id });
            }
        }
        merged.sort_by(|one, other| one.compare(other, question.sort));
        merged.truncate(10);
        prop_assert_eq!(total, whole.total);
        prop_assert_eq!(merged, whole.hits.iter().map(super::IndexHit::place).collect::<Vec<_>>());
    }

    #[test]
    fn a_score_is_the_one_that_tantivy_itself_gives(smalls in smalls(30), size in 1usize..12, word in word()) {
        let node = Node::of(&parts(&smalls, size));
        let term = crate::domain::query::Term { field: TextField::All, text: word.clone() };
        let mut question = question(Some(Expression::Word { field: None, word: word.clone() }));
        question.scored = vec![ScoredTerm { kind: ComponentKind::Term, term, weight: 1.0 }];
        let ours: BTreeMap<String, f64> = node
            .search(&question, 100, None)
            .hits
            .into_iter()
            .map(|hit| (hit.id.to_string(), hit.score))
            .collect();

        let searcher = node.index.reader().unwrap().searcher();
        let term = Term::from_field_text(node.fields.text(TextField::All), &word);
        let query = TermQuery::new(term, IndexRecordOption::WithFreqs);
        let theirs = searcher.search(&query, &TopDocs::with_limit(100).order_by_score()).unwrap();
        prop_assert_eq!(theirs.len(), ours.len());
        for (score, address) in theirs {
            let document: TantivyDocument = searcher.doc(address).unwrap();
            let id = document.get_first(node.fields.id).and_then(|value| value.as_str()).unwrap();
            prop_assert!((ours[id] - f64::from(score)).abs() < 1e-4, "{} {}", ours[id], score);
        }
    }
}
