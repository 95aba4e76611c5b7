//! One question to the whole federation.
//!
//! [`Search`] takes a question of one of our own users: [`mod@plan`] says whom to ask, [`ask`] and [`local`] ask them all at
//! once, [`mod@merge`] makes one page of what came back in time, and every node's part in it is told as a [`Source`]. A
//! peer's question never gets here; it is answered by [`local::Local::search_local`], which has no peers.
//!
//! Pages deeper than [`MOST_SHOWN`] hits are not offered yet: a cursor across nodes has to keep every node's place.

pub mod ask;
pub mod certificate;
pub mod duplicates;
pub mod honest;
pub mod known;
pub mod lineage;
pub mod local;
pub mod members;
pub mod merge;
pub mod plan;
pub mod source;

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{Semaphore, TryAcquireError};

use crate::clock::Clock;
use crate::domain::ids::{Identity, Seq};
use crate::domain::query::{Analysed, Query};
use crate::index::{Index, IndexError, analyse};
use crate::outbound::federation::Federation;
use crate::peers::health::Board;
use crate::peers::probe::Probe;
use crate::peers::trust;
use crate::peers::wire::SearchAsk;

use local::{Answered, Asked, Local, LocalError, find};
use merge::{Answer, Page, merge};
use plan::{Deadlines, Member, Plan, Reason, Skipped, Standing, plan};
use source::{Source, State};

/// The most hits of one page.
pub const MOST_SHOWN: usize = 100;

/// The search of one node, for its own users.
pub struct Search {
    local: Local,
    private: Index,
    federation: Arc<Federation>,
    board: Arc<Board>,
    probe: Arc<Probe>,
    known: known::Known,
    deadlines: Deadlines,
    /// Searches that may be under way at once.
    places: Semaphore,
    clock: Arc<dyn Clock>,
}

/// What somebody asks of the federation.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The question.
    pub query: Query,
    /// The participant for whom private records of this node may be shown. It is told to nobody.
    pub participant: Option<Identity>,
    /// How long to wait, where it is less than the node's own limit.
    pub timeout: Option<Duration>,
    /// Ask this node alone.
    pub local: bool,
    /// The `traceparent` to pass on.
    pub traceparent: Option<String>,
}

/// What was found, and by whom.
#[derive(Debug, Clone)]
pub struct Found {
    /// The page.
    pub page: Page,
    /// Every member's part in it: this node first, then by identity.
    pub sources: Vec<Source>,
    /// How long it took.
    pub took: Took,
}

/// Where the time went.
#[derive(Debug, Clone, Copy, Default)]
pub struct Took {
    /// From the question until the last answer or the deadline.
    pub asking: Duration,
    /// Merging.
    pub merging: Duration,
    /// All in all.
    pub total: Duration,
}

/// Why a question was not asked.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// As many searches as the node takes on are under way.
    #[error("the node has as many searches under way as it takes on: try again in a moment")]
    Busy,
    /// The page is larger than any.
    #[error("a page has at most {MOST_SHOWN} hits, and {0} were asked for: ask for fewer, and narrow the question")]
    PageTooLarge(usize),
}

type Asking<'a> = Pin<Box<dyn Future<Output = (Source, Option<Answer>)> + Send + 'a>>;

impl Search {
    /// The search of a node. `private` is the index of its private records; `places` is how many searches may be under
    /// way at once.
    pub fn new(
        local: Local,
        private: Index,
        federation: Arc<Federation>,
        board: Arc<Board>,
        probe: Arc<Probe>,
        deadlines: Deadlines,
        places: usize,
    ) -> Self {
        let clock = Arc::clone(federation.trust().clock());
        let places = Semaphore::new(places.clamp(1, Semaphore::MAX_PERMITS));
        Self { local, private, federation, board, probe, known: known::Known::default(), deadlines, places, clock }
    }

    /// How many searches may still begin before the next is refused.
    pub fn free_places(&self) -> usize {
        self.places.available_permits()
    }

    /// Asks this node and its peers all at once, and makes one page of what came back in time. `heard` is told of each
    /// source as soon as it is known.
    pub async fn search(&self, request: Request, mut heard: impl FnMut(&Source) + Send) -> Result<Found, SearchError> {
        let begin = Instant::now();
        let _place = self.places.try_acquire().map_err(|error| match error {
            TryAcquireError::NoPermits | TryAcquireError::Closed => SearchError::Busy,
        })?;
        if request.query.limit > MOST_SHOWN {
            return Err(SearchError::PageTooLarge(request.query.limit));
        }
        let question = analyse(&request.query);
        let plan = self.plan(&question, &request);
        let steering = self.known.statistics(&question.scored);
        let asked = Asked {
            question: question.clone(),
            hits: plan.hits,
            steering: steering.clone(),
            deadline: begin + plan.time_to_answer(),
        };
        let to_peers = ask::Question {
            ask: SearchAsk { question: question.clone(), hits: plan.hits, statistics: steering, deadline_ms: 0 },
            traceparent: request.traceparent.clone(),
        };

        let mut sources: Vec<Source> = plan.skipped.iter().map(skipped).collect();
        sources.iter().for_each(&mut heard);
        let private = self.private(&request, asked.clone());
        let asking = async {
            let mut open: FuturesUnordered<Asking<'_>> = FuturesUnordered::new();
            open.push(Box::pin(self.own(&request, asked)));
            for ask in plan.asks.clone() {
                open.push(Box::pin(ask::ask(&self.federation, &self.board, ask, &to_peers)));
            }
            let mut answers = Vec::new();
            while let Some((source, answer)) = open.next().await {
                heard(&source);
                sources.push(source);
                answers.extend(answer);
            }
            answers
        };
        let (answers, private) = futures_util::join!(asking, private);
        let asked_for = begin.elapsed();

        let complete = sources.iter().all(|source| source.state.is_complete());
        let page =
            merge(&merge::Question { analysed: &question, limit: request.query.limit, complete }, answers, private);
        if sources.iter().all(|source| source.state == State::Answered) && !request.local {
            self.known.remember(&question.scored, &page.statistics);
        }
        for source in &mut sources {
            tell(source, &page);
        }
        sources.sort_by_key(|source| (source.node != *self.local.node(), source.node.clone()));
        let total = begin.elapsed();
        Ok(Found { page, sources, took: Took { asking: asked_for, merging: total - asked_for, total } })
    }

    fn plan(&self, question: &Analysed, request: &Request) -> Plan {
        let total = request.timeout.map_or(self.deadlines.total, |timeout| timeout.min(self.deadlines.total));
        let deadlines = Deadlines { total, ..self.deadlines };
        let members = if request.local { Vec::new() } else { self.members() };
        plan(question, request.query.limit, self.local.node().domain(), &members, deadlines)
    }

    /// Every member that the trust list names, ourselves left out.
    fn members(&self) -> Vec<Member> {
        let now = self.clock.now();
        let trust = self.federation.trust();
        let state = trust.state();
        let peers = state.peers().filter(|peer| peer.file.node.domain() != self.local.node().domain());
        peers
            .map(|peer| {
                let node = peer.file.node.clone();
                let standing = match (trust.peer(&node), self.board.may_ask(&node, now)) {
                    (Err(refusal), _) => Standing::Untrusted { problem: refusal.to_string() },
                    (Ok(_), Err(next_try)) => Standing::CircuitOpen { next_try },
                    (Ok((_, trust::Standing::Valid)), Ok(())) => Standing::Ready,
                    (Ok((_, trust::Standing::StaleTrust)), Ok(())) => Standing::StaleTrust,
                };
                Member { node, countries: peer.file.countries.iter().cloned().collect(), standing }
            })
            .collect()
    }

    /// This node's own answer from its `federation` records.
    async fn own(&self, request: &Request, asked: Asked) -> (Source, Option<Answer>) {
        let begin = Instant::now();
        let (node, countries) = (self.local.node().clone(), self.local.countries().clone());
        let mut source = Source::new(node.clone(), countries.clone(), State::Answered);
        let (index, _) = self.local.records();
        if let Some(seq) = self.wait_for(index, request, asked.deadline).await {
            source.problem = Some(format!("its index has not reached position {seq} yet: search again in a moment"));
        }
        let (hits, steering, deadline) = (asked.hits, asked.steering.clone(), asked.deadline);
        let searching = self.local.search_local(asked, self.clock.now());
        let searched = tokio::time::timeout_at(deadline.into(), searching).await;
        source.ms = Some(u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX));
        match searched {
            Ok(Ok(Answered { answer, index_age_ms })) => {
                source.position = Some(answer.position);
                source.index_age_ms = Some(index_age_ms);
                (source, Some(Answer { node, countries, asked: hits, steering, answer }))
            }
            Ok(Err(error)) => {
                source.state = match &error {
                    LocalError::Index(IndexError::Deadline) => State::TimedOut,
                    LocalError::Index(IndexError::Busy) => State::Busy,
                    LocalError::Index(IndexError::Refused(_)) => State::UnsupportedConstraint,
                    LocalError::Index(_) | LocalError::Store(_) => State::Broken,
                };
                if source.state == State::Broken {
                    tracing::error!(%error, "this node's own search failed");
                }
                (source.because(error.to_string()), None)
            }
            Err(_) => {
                source.state = State::TimedOut;
                (source.because("no answer within the deadline"), None)
            }
        }
    }

    /// Waits, for half of the time there is, until an index has what the asker wants to see; the position if it has not.
    async fn wait_for(&self, index: &Index, request: &Request, deadline: Instant) -> Option<Seq> {
        let seq = request.query.min_seq?;
        let at_most = deadline.saturating_duration_since(Instant::now()) / 2;
        (!index.wait_for(seq, at_most).await).then_some(seq)
    }

    /// The private records of this node that the asker's participant may see. Whatever happens here changes no source.
    async fn private(&self, request: &Request, asked: Asked) -> Option<Answer> {
        let participant = request.participant.clone()?;
        let (node, countries) = (self.local.node().clone(), self.local.countries().clone());
        let (hits, deadline) = (asked.hits, asked.deadline);
        let (_, store) = self.local.records();
        self.wait_for(&self.private, request, deadline).await;
        let finding = find(&self.private, store, asked, Some(participant));
        match tokio::time::timeout_at(deadline.into(), finding).await {
            Ok(Ok(answer)) => Some(Answer { node, countries, asked: hits, steering: None, answer }),
            Ok(Err(error)) => {
                tracing::warn!(%error, "private records were left out of a search");
                None
            }
            Err(_) => None,
        }
    }
}

/// A member that was not asked, as a source.
fn skipped(skipped: &Skipped) -> Source {
    let source = |state| Source::new(skipped.node.clone(), skipped.countries.clone(), state);
    match &skipped.reason {
        Reason::OtherCountry => source(State::Skipped).because("it does not speak for the countries asked for"),
        Reason::OtherMember => source(State::Skipped).because("the datasets asked for are another member's"),
        Reason::CircuitOpen { next_try } => {
            let mut source =
                source(State::CircuitOpen).because("it failed too often of late and is left alone for a while");
            source.next_try = Some(*next_try);
            source
        }
        Reason::Untrusted { problem } => source(State::Refused).because(problem.clone()),
    }
}

/// What the merge made of a source's answer.
fn tell(source: &mut Source, page: &Page) {
    let Some(part) = page.parts.get(&source.node) else { return };
    source.hits = Some(part.used);
    source.total = Some(part.total);
    if let Some(dropped) = part.dropped.describe() {
        source.problem = Some(match source.problem.take() {
            Some(problem) => format!("{problem}; {dropped}"),
            None => dropped,
        });
    }
}

#[cfg(test)]
mod merge_laws;
