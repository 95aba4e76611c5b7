//! Whom to ask, for how many hits, and until when. Pure: no clock, no network.
//!
//! A peer is left out for three reasons only: a constraint that must hold and that no record of this peer can meet (a
//! country that it does not speak for, the id of another member's dataset), an open circuit breaker, or trust that is
//! over. Each is listed with its reason; nothing else ever skips a peer, so a peer that could answer is always asked.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use crate::domain::ids::{Country, DatasetId, Identity, TrustDomain};
use crate::domain::query::{Analysed, FacetField, Match};

/// The most hits that one question asks of a node: twice the most that a page shows.
pub const MOST_HITS: usize = 200;

/// A member of the federation as the plan sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub node: Identity,
    /// The countries its peer file lets it speak for.
    pub countries: BTreeSet<Country>,
    /// Whether it can be asked at this moment.
    pub standing: Standing,
}

/// Whether a member can be asked at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It can.
    Ready,
    /// Its peer file ran out less than the grace ago: it can, and the answer is marked.
    StaleTrust,
    /// It failed too often of late.
    CircuitOpen {
        /// When it is tried again.
        next_try: Timestamp,
    },
    /// It is not trusted.
    Untrusted {
        /// Why, in words.
        problem: String,
    },
}

/// How long to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// For the whole answer.
    pub total: Duration,
    /// For one peer, where it is less.
    pub peer: Duration,
}

/// What a search is going to do. Members are in the order of their identities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Peers to ask.
    pub asks: Vec<Ask>,
    /// Members that are not asked, and why.
    pub skipped: Vec<Skipped>,
    /// How many hits to ask of each node: twice the page, so that the best of the sum are among them.
    pub hits: usize,
    /// For the whole answer.
    pub total: Duration,
}

/// A peer to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Whom.
    pub node: Identity,
    /// The countries it may speak for.
    pub countries: BTreeSet<Country>,
    /// How long to wait.
    pub deadline: Duration,
    /// Whether the asker is in more of a hurry than this node is with its peers: then silence says nothing of the peer.
    pub hurried: bool,
    /// Whether its peer file ran out.
    pub stale_trust: bool,
}

/// A member that is not asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Who.
    pub node: Identity,
    /// The countries it may speak for.
    pub countries: BTreeSet<Country>,
    /// Why.
    pub reason: Reason,
}

/// Why a member is not asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The question is about countries that it does not speak for.
    OtherCountry,
    /// The question is about datasets of other members.
    OtherMember,
    /// It failed too often of late.
    CircuitOpen {
        /// When it is tried again.
        next_try: Timestamp,
    },
    /// It is not trusted.
    Untrusted {
        /// Why, in words.
        problem: String,
    },
}

/// Makes the plan. `own` is the asking node's domain; it is always asked and never in `members`.
pub fn plan(question: &Analysed, limit: usize, own: &TrustDomain, members: &[Member], deadlines: Deadlines) -> Plan {
    let countries = countries_of(question);
    let domains: BTreeSet<&TrustDomain> =
        members.iter().map(|member| member.node.domain()).chain(std::iter::once(own)).collect();
    let owners = owners_of(question, &domains);
    let mut plan = Plan {
        asks: Vec::new(),
        skipped: Vec::new(),
        hits: limit.saturating_mul(2).min(MOST_HITS),
        total: deadlines.total,
    };
    let mut members: Vec<&Member> = members.iter().collect();
    members.sort_by(|a, b| a.node.cmp(&b.node));
    for Member { node, countries: spoken, standing } in members {
        let ask = |stale_trust| {
            let deadline = deadlines.peer.min(time_to_answer(deadlines.total));
            let hurried = deadline < deadlines.peer;
            Ok(Ask { node: node.clone(), countries: spoken.clone(), deadline, hurried, stale_trust })
        };
        let decision = if countries.as_ref().is_some_and(|asked| !spoken.iter().any(|one| asked.contains(one.as_str())))
        {
            Err(Reason::OtherCountry)
        } else if owners.as_ref().is_some_and(|owners| !owners.contains(node.domain())) {
            Err(Reason::OtherMember)
        } else {
            match standing {
                Standing::Ready => ask(false),
                Standing::StaleTrust => ask(true),
                Standing::CircuitOpen { next_try } => Err(Reason::CircuitOpen { next_try: *next_try }),
                Standing::Untrusted { problem } => Err(Reason::Untrusted { problem: problem.clone() }),
            }
        };
        match decision {
            Ok(ask) => plan.asks.push(ask),
            Err(reason) => {
                plan.skipped.push(Skipped { node: node.clone(), countries: spoken.clone(), reason });
            }
        }
    }
    plan
}

impl Plan {
    /// What is left of the whole time for the answers, so that merging and writing the page still fit in.
    pub fn time_to_answer(&self) -> Duration {
        time_to_answer(self.total)
    }
}

fn time_to_answer(total: Duration) -> Duration {
    total.saturating_sub((total / 20).clamp(Duration::from_millis(5), Duration::from_millis(50)))
}

/// The countries of which a matching record can be, in upper case; `None` where it can be of any.
fn countries_of(question: &Analysed) -> Option<BTreeSet<String>> {
    let filtered = question
        .filters
        .facets
        .get(&FacetField::Country)
        .filter(|values| !values.is_empty())
        .map(|values| values.iter().map(|value| value.to_ascii_uppercase()).collect());
    let written = question.matching.as_ref().and_then(countries_of_match);
    narrowed(filtered, written)
}

fn countries_of_match(matching: &Match) -> Option<BTreeSet<String>> {
    match matching {
        Match::Facet(FacetField::Country, value) => Some(BTreeSet::from([value.to_ascii_uppercase()])),
        Match::All(parts) => parts.iter().map(countries_of_match).fold(None, narrowed),
        Match::Any(parts) => {
            let each: Option<Vec<_>> = parts.iter().map(countries_of_match).collect();
            each.map(|sets| sets.into_iter().flatten().collect())
        }
        Match::Facet(..) | Match::Term(_) | Match::Prefix(_) | Match::Phrase(..) | Match::Not(_) => None,
    }
}

fn narrowed(a: Option<BTreeSet<String>>, b: Option<BTreeSet<String>>) -> Option<BTreeSet<String>> {
    match (a, b) {
        (Some(a), Some(b)) => Some(&a & &b),
        (one, other) => one.or(other),
    }
}

/// The members whose datasets are asked for by id; `None` where any member may hold one. An id under a member's domain
/// is that member's alone; every other identifier may stand in anybody's records.
fn owners_of<'m>(question: &Analysed, members: &BTreeSet<&'m TrustDomain>) -> Option<BTreeSet<&'m TrustDomain>> {
    let ids = &question.filters.ids;
    if ids.is_empty() {
        return None;
    }
    ids.iter()
        .map(|id| {
            let id: DatasetId = id.parse().ok()?;
            members.iter().find(|domain| id.is_under(domain)).copied()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::query::{Filters, Sort, Term, TextField};
    use proptest::prelude::*;

    const COUNTRIES: [&str; 5] = ["FI", "PL", "DE", "ES", "GR"];

    fn question(matching: Option<Match>, filters: Filters) -> Analysed {
        Analysed {
            matching,
            scored: Vec::new(),
            filters,
            sort: Sort::Relevance,
            facets: Vec::new(),
            analyser: "test".to_owned(),
        }
    }

    fn member(domain: &str, countries: &[&str], standing: Standing) -> Member {
        Member {
            node: format!("spiffe://{domain}.example/node/a").parse().unwrap(),
            countries: countries.iter().map(|country| country.parse().unwrap()).collect(),
            standing,
        }
    }

    fn planned(question: &Analysed, members: &[Member]) -> Plan {
        let deadlines = Deadlines { total: Duration::from_secs(2), peer: Duration::from_millis(800) };
        plan(question, 10, &"own.example".parse().unwrap(), members, deadlines)
    }

    #[test]
    fn everybody_is_asked_unless_a_constraint_or_a_breaker_says_otherwise_and_then_it_is_listed() {
        let next_try = Timestamp::UNIX_EPOCH;
        let members = [
            member("fi", &["FI", "PL"], Standing::Ready),
            member("de", &["DE"], Standing::CircuitOpen { next_try }),
            member("es", &["ES"], Standing::StaleTrust),
            member("gr", &["GR"], Standing::Untrusted { problem: "its file ran out".to_owned() }),
        ];
        let everything = planned(&question(None, Filters::default()), &members);
        let asked: Vec<_> = everything.asks.iter().map(|ask| (ask.node.domain().as_str(), ask.stale_trust)).collect();
        assert_eq!(asked, [("es.example", true), ("fi.example", false)]);
        assert_eq!(everything.skipped.len(), 2);
        assert_eq!(everything.skipped[0].reason, Reason::CircuitOpen { next_try });

        let polish = Filters { facets: [(FacetField::Country, vec!["PL".to_owned()])].into(), ..Filters::default() };
        let polish = planned(&question(None, polish), &members);
        assert_eq!(polish.asks.len(), 1);
        assert!(polish.skipped.iter().all(|skipped| skipped.reason == Reason::OtherCountry));
    }

    #[test]
    fn the_id_of_a_members_dataset_is_asked_of_that_member_and_every_other_identifier_of_all() {
        let members = [member("fi", &["FI"], Standing::Ready), member("de", &["DE"], Standing::Ready)];
        let by_id = |id: &str| question(None, Filters { ids: vec![id.to_owned()], ..Filters::default() });
        let finnish = planned(&by_id("https://fi.example/dataset/a"), &members);
        assert_eq!(finnish.asks.len(), 1);
        assert_eq!(finnish.skipped[0].reason, Reason::OtherMember);
        assert_eq!(planned(&by_id("https://doi.org/10.5281/zenodo.1"), &members).asks.len(), 2);
        assert_eq!(planned(&by_id("https://stranger.example/dataset/a"), &members).asks.len(), 2);
        assert_eq!(planned(&by_id("https://own.example/dataset/a"), &members).asks.len(), 0);
    }

    #[test]
    fn a_peer_has_less_time_than_the_whole_and_gives_at_most_what_a_page_can_use() {
        let members = [member("fi", &["FI"], Standing::Ready)];
        let deadlines = Deadlines { total: Duration::from_millis(300), peer: Duration::from_secs(5) };
        let own = "own.example".parse().unwrap();
        let plan = plan(&question(None, Filters::default()), 100_000, &own, &members, deadlines);
        assert!(plan.asks[0].deadline < deadlines.total);
        assert_eq!(plan.hits, MOST_HITS);
    }

    /// A record as far as the plan can know it: its country, and whether it holds the one word of these questions.
    #[derive(Debug, Clone, Copy)]
    struct Record {
        country: &'static str,
        holds: bool,
    }

    fn matches(matching: &Match, record: Record) -> bool {
        match matching {
            Match::Facet(FacetField::Country, value) => value == record.country,
            Match::All(parts) => parts.iter().all(|part| matches(part, record)),
            Match::Any(parts) => parts.iter().any(|part| matches(part, record)),
            Match::Not(part) => !matches(part, record),
            _ => record.holds,
        }
    }

    fn matching() -> impl Strategy<Value = Match> {
        let leaf = prop_oneof![
            Just(Match::Term(Term { field: TextField::All, text: "x".to_owned() })),
            prop::sample::select(&COUNTRIES[..])
                .prop_map(|country| Match::Facet(FacetField::Country, country.to_owned())),
        ];
        leaf.prop_recursive(4, 24, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Match::All),
                prop::collection::vec(inner.clone(), 0..3).prop_map(Match::Any),
                inner.prop_map(|part| Match::Not(Box::new(part))),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn a_peer_that_could_answer_is_never_left_out(
            matching in matching(),
            filtered in prop::collection::vec(prop::sample::select(&COUNTRIES[..]), 0..3),
            spoken in prop::sample::subsequence(COUNTRIES.to_vec(), 1..=3),
            country in prop::sample::select(&COUNTRIES[..]),
            holds: bool,
        ) {
            prop_assume!(spoken.contains(&country));
            let record = Record { country, holds };
            let allowed = filtered.is_empty() || filtered.contains(&country);
            let mut filters = Filters::default();
            filters.facets.insert(FacetField::Country, filtered.iter().map(|one| (*one).to_owned()).collect());
            let could = allowed && matches(&matching, record);
            let plan = planned(&question(Some(matching), filters), &[member("fi", &spoken, Standing::Ready)]);
            prop_assert_eq!(plan.asks.len() + plan.skipped.len(), 1);
            prop_assert!(!could || plan.asks.len() == 1);
        }
    }
}
