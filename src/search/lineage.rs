//! What a dataset was made from, and what was made from it, across the federation.
//!
//! Each step is one federated question. Upward, the IRIs that a record names are asked for as ids, identifiers and source
//! IRIs; what no node of the federation knows stays an IRI. Downward, every node is asked for records that name this one
//! by any of its names. So a record is found under the rules of every search: a private one by its own node's users
//! alone, and a node that did not answer is told as a source. A name that only a private record or a draft gives is
//! itself private: this node alone is asked for it, and the answer says so. Whoever was met before is shown again and not
//! followed again, so a circle ends; the whole of it ends by a time that is set when it begins.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::merge::Ranked;
use super::source::{Source, State};
use super::{Found, MOST_SHOWN, Request, Search, SearchError};
use crate::domain::answer::Card;
use crate::domain::dataset::{Registered, Visibility};
use crate::domain::ids::{DatasetId, Identity};
use crate::domain::offerable::Offerable;
use crate::domain::query::{Expression, FacetField};
use crate::peers::wire::MAX_ASK_BYTES;

/// The most steps either way.
pub const MOST_STEPS: usize = 5;
/// The most names asked for in one question, and the most edges shown either way.
const MOST: usize = 100;
/// The longest name that is asked for, in bytes.
const MOST_BYTES: usize = 2_000;
/// The most bytes that the names of one question take, each asked for in three ways: half of what a peer reads.
const MOST_ASKED: usize = MAX_ASK_BYTES / 2 / 3;
/// Why a lineage is not complete where this node alone was asked for some names.
const ASKED_HERE_ALONE: &str =
    "names that only private records or drafts give were told to no other node: this one alone was asked for them";

/// How one dataset names another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// It was made from it.
    DerivedFrom,
    /// It is a version of it.
    VersionOf,
    /// It belongs to it, a series.
    Series,
}

impl Relation {
    /// All of them, each with the field that it is asked for by.
    const ALL: [(Self, FacetField); 3] = [
        (Self::DerivedFrom, FacetField::DerivedFrom),
        (Self::VersionOf, FacetField::VersionOf),
        (Self::Series, FacetField::Series),
    ];
}

/// One dataset names another.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Edge {
    /// How; nothing where the record names more than its card tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relation: Option<Relation>,
    /// The dataset that says it.
    pub from: DatasetId,
    /// What it names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iri: Option<String>,
    /// How many steps away from the dataset that was asked about.
    pub steps: usize,
    /// Whoever is met: the dataset that is named (upward) or that says it (downward), and where it was found.
    #[serde(flatten)]
    pub met: Option<Met>,
    /// It was met before and is not followed again.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
}

/// A dataset that some node of the federation describes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Met {
    /// The node.
    pub node: Identity,
    /// Its card.
    pub card: Card,
    /// Whether it is a private record of this node.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub private: bool,
}

/// The lineage of a dataset.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Lineage {
    /// The dataset.
    pub id: DatasetId,
    /// How many steps were gone either way, at most.
    pub depth: usize,
    /// What it was made from, nearest first.
    pub upward: Vec<Edge>,
    /// What was made from it, nearest first.
    pub downward: Vec<Edge>,
    /// Whether every node answered every question, and nothing was cut.
    pub complete: bool,
    /// Whether there is more than is shown.
    pub cut: bool,
    /// What else keeps it from being complete, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<&'static str>,
    /// Every node's part, the worst of all questions.
    pub sources: Vec<Source>,
}

/// What is known of a dataset: its names, and whom it names.
#[derive(Debug, Clone)]
struct Known {
    id: DatasetId,
    names: BTreeSet<String>,
    says: Vec<(Relation, String)>,
    /// Whether everybody may read it, so that its names may be told to every node.
    open: bool,
}

/// One way, as far as it was gone.
#[derive(Debug, Default)]
struct Way {
    edges: Vec<Edge>,
    cut: bool,
    /// Whether this node alone was asked for some names.
    here_alone: bool,
    sources: Vec<Source>,
}

/// What holds for the whole walk.
#[derive(Debug, Clone, Copy)]
struct Walk<'a> {
    depth: usize,
    asker: Option<&'a Identity>,
    until: Instant,
}

/// What was asked for in one step, and what was found.
#[derive(Debug, Default)]
struct Step {
    names: BTreeSet<String>,
    hits: Vec<Ranked>,
}

impl Search {
    /// The lineage of a dataset of this node, at most so many steps either way, as a participant may see it.
    pub async fn lineage(
        &self,
        record: &Registered,
        depth: usize,
        participant: Option<&Identity>,
    ) -> Result<Lineage, SearchError> {
        let depth = depth.clamp(1, MOST_STEPS);
        let root = Known::of(record);
        let card = Card::of(record, Offerable::of(record).is_ok());
        let private = record.dataset.visibility == Visibility::Private;
        let itself = Met { node: self.local.node().clone(), card, private };
        let walk = Walk { depth, asker: participant, until: Instant::now() + self.deadlines.total * 2 };
        let (up, down) = futures_util::join!(self.upward(&root, itself, walk), self.downward(&root, walk));
        let (up, down) = (up?, down?);
        let sources = worst(up.sources.into_iter().chain(down.sources), self.local.node());
        let cut = up.cut || down.cut;
        let problem = (up.here_alone || down.here_alone).then_some(ASKED_HERE_ALONE);
        let complete = !cut && problem.is_none() && sources.iter().all(|source| source.state.is_complete());
        Ok(Lineage { id: root.id, depth, upward: up.edges, downward: down.edges, complete, cut, problem, sources })
    }

    async fn upward(&self, root: &Known, itself: Met, walk: Walk<'_>) -> Result<Way, SearchError> {
        let mut way = Way::default();
        let mut met: BTreeMap<String, Met> = root.names.iter().map(|name| (name.clone(), itself.clone())).collect();
        let (mut seen, mut followed) = (root.names.clone(), BTreeSet::from([root.id.clone()]));
        let mut open = vec![root.clone()];
        for steps in 1..=walk.depth {
            let said =
                open.iter().flat_map(|known| known.says.iter().map(move |(relation, iri)| (known, *relation, iri)));
            let said = way.bounded(said.collect());
            if said.is_empty() {
                break;
            }
            let mut wanted = BTreeMap::new();
            for (known, _, iri) in said.iter().filter(|(_, _, iri)| !seen.contains(*iri)) {
                *wanted.entry((*iri).clone()).or_insert(false) |= known.open;
            }
            let put = |request: &mut Request, names: &BTreeSet<String>| {
                request.query.filters.ids = names.iter().cloned().collect();
            };
            let Step { names, hits } = self.step(&mut way, walk, wanted, put).await?;
            let mut next = Vec::new();
            for (iri, found) in named(&names, hits) {
                let known = Known::of_card(&found.card, !found.private);
                // It may go by several names.
                if followed.insert(known.id.clone()) {
                    next.push(known);
                }
                met.insert(iri, found);
            }
            for (known, relation, iri) in said {
                let again = !seen.insert(iri.clone());
                let (from, met) = (known.id.clone(), met.get(iri).cloned());
                way.edges.push(Edge { relation: Some(relation), from, iri: Some(iri.clone()), steps, met, again });
            }
            open = next;
        }
        Ok(way)
    }

    async fn downward(&self, root: &Known, walk: Walk<'_>) -> Result<Way, SearchError> {
        let mut way = Way::default();
        let mut seen = BTreeSet::from([root.id.clone()]);
        let mut open = vec![root.clone()];
        for steps in 1..=walk.depth {
            let names = open.iter().flat_map(|known| known.names.iter().map(|name| (name.clone(), known.open)));
            let mut wanted = BTreeMap::new();
            for (name, open) in way.bounded(names.collect()) {
                *wanted.entry(name).or_insert(false) |= open;
            }
            let put = |request: &mut Request, names: &BTreeSet<String>| request.query.text = Some(naming(names));
            let Step { names, hits } = self.step(&mut way, walk, wanted, put).await?;
            let mut next = Vec::new();
            for ranked in hits {
                let known = Known::of_card(&ranked.hit.card, !ranked.private);
                let again = !seen.insert(known.id.clone());
                let met = Met { node: ranked.node, card: ranked.hit.card, private: ranked.private };
                let edges = way.bounded(known.edges(&names, steps, &met, again));
                way.edges.extend(edges);
                if !again {
                    next.push(known);
                }
            }
            if next.is_empty() {
                break;
            }
            open = next;
        }
        Ok(way)
    }

    /// Asks for names, each with whether it may be told to every node; this node alone is asked for the others.
    async fn step(
        &self,
        way: &mut Way,
        walk: Walk<'_>,
        wanted: BTreeMap<String, bool>,
        put: impl Fn(&mut Request, &BTreeSet<String>),
    ) -> Result<Step, SearchError> {
        let mut step = Step::default();
        for local in [false, true] {
            let names = wanted.iter().filter(|(_, open)| **open != local).map(|(name, _)| name);
            let names = way.within_bytes(names);
            if names.is_empty() {
                continue;
            }
            let left = walk.until.saturating_duration_since(Instant::now());
            if left == Duration::ZERO {
                way.cut = true;
                break;
            }
            let mut request =
                Request { participant: walk.asker.cloned(), timeout: Some(left), local, ..Request::default() };
            request.query.limit = MOST_SHOWN;
            put(&mut request, &names);
            way.here_alone |= local;
            for ranked in way.take(self.search(request, |_| ()).await?) {
                if step.hits.iter().all(|known| known.hit.card.id != ranked.hit.card.id) {
                    step.hits.push(ranked);
                }
            }
            step.names.extend(names);
        }
        Ok(step)
    }
}

impl Way {
    /// As many as may still be asked for and shown.
    fn bounded<T>(&mut self, mut all: Vec<T>) -> Vec<T> {
        let left = MOST.saturating_sub(self.edges.len());
        self.cut |= all.len() > left;
        all.truncate(left);
        all
    }

    /// As many names as fit into a question.
    fn within_bytes<'a>(&mut self, names: impl Iterator<Item = &'a String>) -> BTreeSet<String> {
        let (mut fitting, mut bytes) = (BTreeSet::new(), 0);
        for name in names {
            bytes += name.len();
            if bytes > MOST_ASKED {
                self.cut = true;
                break;
            }
            fitting.insert(name.clone());
        }
        fitting
    }

    /// The hits of an answer; its sources are remembered.
    fn take(&mut self, found: Found) -> Vec<Ranked> {
        let page = found.page;
        let public = page.hits.iter().filter(|ranked| !ranked.private).map(|ranked| 1 + ranked.also_at.len() as u64);
        // A node that did not answer is told by its source; here only what was found and is not shown counts.
        self.cut |= page.hits.len() >= MOST_SHOWN && page.total.value > public.sum();
        self.sources.extend(found.sources);
        page.hits
    }
}

impl Known {
    fn of(record: &Registered) -> Self {
        let dataset = &record.dataset;
        let names = dataset.identifiers.iter().chain(dataset.source.iter().map(|source| &source.iri));
        let derived = dataset.derived_from.iter().map(|iri| (Relation::DerivedFrom, iri));
        let version = dataset.version_of.iter().map(|iri| (Relation::VersionOf, iri));
        let series = dataset.series.iter().map(|iri| (Relation::Series, iri));
        Self::new(dataset.id.clone(), names, derived.chain(version).chain(series), record.is_for_everybody())
    }

    fn of_card(card: &Card, open: bool) -> Self {
        let names = card.identifiers.iter().chain(&card.source);
        let derived = card.derived_from.iter().map(|iri| (Relation::DerivedFrom, iri));
        let version = card.version_of.iter().map(|iri| (Relation::VersionOf, iri));
        let series = card.series.iter().map(|iri| (Relation::Series, iri));
        Self::new(card.id.clone(), names, derived.chain(version).chain(series), open)
    }

    fn new<'a, I: ToString + 'a>(
        id: DatasetId,
        names: impl Iterator<Item = &'a I>,
        says: impl Iterator<Item = (Relation, &'a I)>,
        open: bool,
    ) -> Self {
        let fits = |name: &String| name.len() <= MOST_BYTES;
        let names = names.map(ToString::to_string).filter(fits).chain([id.to_string()]).collect();
        let says: BTreeSet<(Relation, String)> =
            says.map(|(relation, iri)| (relation, iri.to_string())).filter(|(_, iri)| fits(iri)).collect();
        Self { id, names, says: says.into_iter().collect(), open }
    }

    /// What it says of those who have these names.
    fn edges(&self, names: &BTreeSet<String>, steps: usize, met: &Met, again: bool) -> Vec<Edge> {
        let edge = |relation: Option<Relation>, iri: Option<String>| Edge {
            relation,
            from: self.id.clone(),
            iri,
            steps,
            met: Some(met.clone()),
            again,
        };
        let said = self.says.iter().filter(|(_, iri)| names.contains(iri));
        let edges: Vec<Edge> = said.map(|(relation, iri)| edge(Some(*relation), Some(iri.clone()))).collect();
        if edges.is_empty() { vec![edge(None, None)] } else { edges }
    }
}

/// The question for records that name one of these in any way.
fn naming(names: &BTreeSet<String>) -> Expression {
    let ways = Relation::ALL
        .into_iter()
        .flat_map(|(_, field)| names.iter().map(move |name| Expression::Filter { field, value: name.clone() }));
    Expression::Or(ways.collect())
}

/// Which of the hits each wanted name stands for: the record of that id before one that has it as another name.
fn named(wanted: &BTreeSet<String>, hits: Vec<Ranked>) -> BTreeMap<String, Met> {
    let mut found = BTreeMap::new();
    for own_id in [true, false] {
        for ranked in &hits {
            let card = &ranked.hit.card;
            let names: Vec<String> = if own_id {
                vec![card.id.to_string()]
            } else {
                let others = ranked.also_at.iter().map(|also| also.id.to_string());
                others.chain(Known::of_card(card, !ranked.private).names).collect()
            };
            for name in names.into_iter().filter(|name| wanted.contains(name)) {
                let met = || Met { node: ranked.node.clone(), card: card.clone(), private: ranked.private };
                found.entry(name).or_insert_with(met);
            }
        }
    }
    found
}

/// Each node once, as it did worst, this node first.
fn worst(sources: impl Iterator<Item = Source>, own: &Identity) -> Vec<Source> {
    let rank = |state: State| match state {
        State::Skipped => 0,
        State::Answered => 1,
        _ => 2,
    };
    let mut nodes: BTreeMap<Identity, Source> = BTreeMap::new();
    for mut source in sources {
        // How many match is said of one question and of several means nothing.
        (source.hits, source.total) = (None, None);
        match nodes.get_mut(&source.node) {
            Some(known) if rank(known.state) >= rank(source.state) => {}
            Some(known) => *known = source,
            None => drop(nodes.insert(source.node.clone(), source)),
        }
    }
    let mut nodes: Vec<Source> = nodes.into_values().collect();
    nodes.sort_by_key(|source| (source.node != *own, source.node.clone()));
    nodes
}
