//! The workflow of a request: made on the holder's home node, decided on the owner's node, and in the log of both.
//!
//! Where the home node is the owner's node, [`Requests::ask`] decides at once. Where it is not, the request is kept as
//! *undelivered* and [`super::relay`] brings it to the owner's node, where it is taken in; the same
//! request may arrive any number of times. What the policy cannot decide alone waits for a steward of the owner, and
//! approving asks the policy again, because it may have been revised meanwhile, and never overrules it.

use std::sync::Arc;

use super::decide::{Decision, Usage};
use super::judge::{conclude, judge, may_know_of};
use super::participants::Participants;
use super::{AccessError, new_id};
use crate::clock::Clock;
use crate::domain::agreement::{Agreement, Ended, Receipt};
use crate::domain::dataset::Registered;
use crate::domain::event::{Actor, Event, What};
use crate::domain::ids::{DatasetId, Identity, IdentityKind, OpaqueId, Revision, Seq};
use crate::domain::negotiation::{Progress, Reason, Request, RequestState};
use crate::domain::policy::IntendedUse;
use crate::store::{AgreementFilter, Expectation, Priority, ReceiptFilter, RequestFilter, Store};

/// The most purposes of one request.
pub const MAX_PURPOSES: usize = 32;
/// The longest statement, in characters.
pub const MAX_STATEMENT: usize = 4_000;
/// The most facts that a home node states.
const MAX_FACTS: usize = 32;
/// The longest name or value of a fact, in bytes.
const MAX_FACT: usize = 200;

/// What an operator asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The dataset.
    pub dataset: DatasetId,
    /// The revision that the operator saw, where it says.
    pub revision: Option<Revision>,
    /// For what.
    pub intended: IntendedUse,
}

/// Through whose eyes requests and agreements are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Viewer {
    /// An operator: those of its holder.
    Holder(Identity),
    /// A steward: those for the datasets of its owner.
    Owner(Identity),
    /// A home node: those that it forwarded.
    Home(Identity),
    /// The node's administrator: all.
    Administrator,
}

/// Requests and agreements of one node.
#[derive(Debug, Clone)]
pub struct Requests {
    pub(super) store: Store,
    pub(super) clock: Arc<dyn Clock>,
    /// The identity of this node.
    pub(super) node: Identity,
    participants: Arc<Participants>,
    /// One decision at a time: a rule that counts agreements must see the one that is being concluded.
    deciding: Arc<tokio::sync::Mutex<()>>,
}

impl Requests {
    /// The workflow of this node.
    pub fn new(store: Store, clock: Arc<dyn Clock>, node: Identity, participants: Participants) -> Self {
        Self { store, clock, node, participants: Arc::new(participants), deciding: Arc::default() }
    }

    /// Makes a request for a participant of this node. It is durable when this returns: decided, where the dataset is
    /// this node's own; else undelivered, and the relay takes it from there.
    pub async fn ask(&self, actor: Actor, holder: &Identity, ask: Ask) -> Result<Request, AccessError> {
        if !self.participants.vouches_for(holder) {
            return Err(AccessError::NotAtHome(holder.clone()));
        }
        check(&ask.intended)?;
        let request = Request {
            id: new_id("request"),
            dataset: ask.dataset,
            revision: ask.revision.unwrap_or(Revision(0)),
            holder: holder.clone(),
            home: self.node.clone(),
            intended: ask.intended,
            facts: self.participants.attest(holder),
            made: self.clock.now(),
            state: RequestState::Undelivered { reason: "not sent yet".to_owned() },
        };
        if !request.dataset.is_under(self.node.domain()) {
            self.append(actor, vec![What::RequestMade { request: Box::new(request.clone()) }], vec![]).await?;
            return Ok(request);
        }
        match self.store.dataset(&request.dataset).await? {
            Some(record) if may_know_of(&record, holder) => self.take_in(actor, request).await,
            _ => Err(AccessError::DatasetUnknown(request.dataset)),
        }
    }

    /// Takes in a request that a peer forwarded, or says how far it got if it is here already.
    pub(super) async fn receive(&self, peer: &Identity, request: Request) -> Result<Progress, AccessError> {
        self.check_forwarded(peer, &request)?;
        if let Some(known) = self.store.request(&request.id).await? {
            let same = known.home == request.home
                && known.holder == request.holder
                && known.dataset == request.dataset
                && known.intended == request.intended;
            if !same {
                return Err(AccessError::WrongState(format!("the id {} names another request here", request.id)));
            }
            return self.progress(known).await;
        }
        let actor = Actor::Certificate { identity: peer.clone() };
        let request = self.take_in(actor, request).await?;
        self.progress(request).await
    }

    /// How far a request got that this peer forwarded.
    pub async fn progress_for(&self, peer: &Identity, id: &OpaqueId) -> Result<Progress, AccessError> {
        let request = self.show(&Viewer::Home(peer.clone()), id).await?;
        self.progress(request).await
    }

    /// Approves a pending request as a steward of the owner; the policy is asked again and must not refuse.
    pub(super) async fn approve(
        &self,
        actor: Actor,
        owner: &Identity,
        id: &OpaqueId,
    ) -> Result<Agreement, AccessError> {
        let _one_at_a_time = self.deciding.lock().await;
        let (request, record) = self.pending(owner, id).await?;
        let now = self.clock.now();
        if let Decision::Refuse(reasons) = judge(Some(&record), &request, self.usage(&request).await?, now) {
            return Err(AccessError::PolicyRefuses(reasons));
        }
        let agreement = conclude(new_id("agreement"), &record, &request, now).map_err(AccessError::PolicyRefuses)?;
        let state = RequestState::Agreed { agreement: agreement.id.clone(), decided: now };
        let events = vec![
            What::RequestMoved { request: id.clone(), state },
            What::AgreementConcluded { agreement: Box::new(agreement.clone()) },
        ];
        // A revision or withdrawal in between would make it an agreement about something that nobody looked at.
        let expected = vec![
            Expectation::RequestState(id.clone(), "pending"),
            Expectation::DatasetAt(record.dataset.id.clone(), record.revision),
            Expectation::DatasetInForce(record.dataset.id),
        ];
        self.append(actor, events, expected).await?;
        Ok(agreement)
    }

    /// Refuses a pending request as a steward of the owner.
    pub async fn refuse(
        &self,
        actor: Actor,
        owner: &Identity,
        id: &OpaqueId,
        reason: &str,
    ) -> Result<Request, AccessError> {
        let (mut request, _) = self.pending(owner, id).await?;
        let detail = sentence("/reason", reason)?;
        let reasons = vec![Reason { code: "steward".to_owned(), pointer: String::new(), detail }];
        request.state = RequestState::Refused { reasons, decided: self.clock.now() };
        let moved = What::RequestMoved { request: id.clone(), state: request.state.clone() };
        self.append(actor, vec![moved], vec![Expectation::RequestState(id.clone(), "pending")]).await?;
        Ok(request)
    }

    /// Takes a request back that is not decided yet. For a dataset of another node the relay has to ask that node first.
    pub async fn cancel(&self, actor: Actor, viewer: &Viewer, id: &OpaqueId) -> Result<Request, AccessError> {
        let mut request = self.show(viewer, id).await?;
        if request.state.is_final() {
            let state = request.state.name();
            return Err(AccessError::WrongState(format!("the request {id} is already {state}; nothing was changed")));
        }
        request.state = RequestState::Cancelled { at: self.clock.now() };
        let moved = What::RequestMoved { request: id.clone(), state: request.state.clone() };
        self.append(actor, vec![moved], vec![Expectation::RequestOpen(id.clone())]).await?;
        Ok(request)
    }

    /// Ends an agreement before its time, as a steward of the owner. From now on nothing is released under it.
    pub async fn end(
        &self,
        actor: Actor,
        owner: &Identity,
        id: &OpaqueId,
        reason: &str,
    ) -> Result<Agreement, AccessError> {
        let mut agreement = self.agreement(&Viewer::Owner(owner.clone()), id).await?;
        // The home node's copy is no place to end it: the bytes are elsewhere.
        if !agreement.dataset.is_under(self.node.domain()) {
            return Err(AccessError::NotFound { kind: "agreement", id: id.clone() });
        }
        let ended = Ended { at: self.clock.now(), reason: sentence("/reason", reason)? };
        let event = What::AgreementEnded { agreement: id.clone(), ended: ended.clone() };
        self.append(actor, vec![event], vec![Expectation::AgreementInForce(id.clone())]).await?;
        agreement.ended = Some(ended);
        Ok(agreement)
    }

    /// A request, if it concerns the viewer.
    pub async fn show(&self, viewer: &Viewer, id: &OpaqueId) -> Result<Request, AccessError> {
        let refuse = || AccessError::NotFound { kind: "request", id: id.clone() };
        let request = self.store.request(id).await?.ok_or_else(refuse)?;
        let concerns = match viewer {
            Viewer::Holder(holder) => request.holder == *holder,
            Viewer::Home(home) => request.home == *home,
            Viewer::Owner(owner) => {
                self.store.dataset(&request.dataset).await?.is_some_and(|record| record.owner == *owner)
            }
            Viewer::Administrator => true,
        };
        if concerns { Ok(request) } else { Err(refuse()) }
    }

    /// Requests that concern the viewer, in the order in which they were made; each with its position.
    pub async fn list(
        &self,
        viewer: &Viewer,
        state: Option<String>,
        after: Seq,
        limit: usize,
    ) -> Result<Vec<(Seq, Request)>, AccessError> {
        let mut filter = RequestFilter { state, ..RequestFilter::default() };
        match viewer {
            Viewer::Holder(holder) => filter.holder = Some(holder.clone()),
            Viewer::Owner(owner) => filter.owner = Some(owner.clone()),
            Viewer::Home(home) => filter.home = Some(home.clone()),
            Viewer::Administrator => {}
        }
        Ok(self.store.requests(&filter, after, limit).await?)
    }

    /// An agreement, if it concerns the viewer.
    pub async fn agreement(&self, viewer: &Viewer, id: &OpaqueId) -> Result<Agreement, AccessError> {
        let refuse = || AccessError::NotFound { kind: "agreement", id: id.clone() };
        let agreement = self.store.agreement(id).await?.ok_or_else(refuse)?;
        let concerns = match viewer {
            Viewer::Holder(holder) => agreement.holder == *holder,
            Viewer::Owner(owner) => agreement.owner == *owner,
            Viewer::Home(home) => agreement.holder.domain() == home.domain(),
            Viewer::Administrator => true,
        };
        if concerns { Ok(agreement) } else { Err(refuse()) }
    }

    /// Agreements that concern the viewer, in the order in which they were concluded; each with its position.
    pub async fn agreements(
        &self,
        viewer: &Viewer,
        after: Seq,
        limit: usize,
    ) -> Result<Vec<(Seq, Agreement)>, AccessError> {
        let mut filter = AgreementFilter::default();
        match viewer {
            Viewer::Holder(holder) => filter.holder = Some(holder.clone()),
            Viewer::Owner(owner) => filter.owner = Some(owner.clone()),
            Viewer::Home(_) => return Ok(Vec::new()),
            Viewer::Administrator => {}
        }
        Ok(self.store.agreements(&filter, after, limit).await?)
    }

    /// Keeps a receipt of a holder of this node. The same receipt may be sent again.
    pub async fn keep_receipt(&self, actor: Actor, holder: &Identity, receipt: Receipt) -> Result<(), AccessError> {
        let agreement = self.agreement(&Viewer::Holder(holder.clone()), &receipt.agreement).await?;
        let fits = receipt.dataset == agreement.dataset
            && receipt.revision == agreement.revision
            && receipt.manifest == agreement.manifest;
        if !fits {
            let detail = "the receipt is for another revision or manifest than its agreement".to_owned();
            return Err(AccessError::Invalid { pointer: "/manifest".to_owned(), detail });
        }
        match self.store.receipt(&receipt.id).await? {
            Some(known) if known == receipt => return Ok(()),
            Some(_) => return Err(AccessError::WrongState(format!("another receipt has the id {}", receipt.id))),
            None => {}
        }
        let expected = vec![Expectation::ReceiptAbsent(receipt.id.clone())];
        self.append(actor, vec![What::ReceiptKept { receipt: Box::new(receipt) }], expected).await
    }

    /// The receipts under an agreement that concerns the viewer, each with its position.
    pub async fn receipts(&self, viewer: &Viewer, agreement: &OpaqueId) -> Result<Vec<(Seq, Receipt)>, AccessError> {
        self.agreement(viewer, agreement).await?;
        let filter = ReceiptFilter { agreement: Some(agreement.clone()), ..ReceiptFilter::default() };
        Ok(self.store.receipts(&filter, Seq(0), 100).await?)
    }

    /// Decides a request for a dataset of this node and keeps it, with the agreement where the rules allow it. Where the
    /// dataset was revised meanwhile it is decided again; where the same request came in twice at once, the other stands.
    async fn take_in(&self, actor: Actor, request: Request) -> Result<Request, AccessError> {
        const TRIES: usize = 4;
        let mut conflict = String::new();
        for _ in 0..TRIES {
            match self.decide_and_keep(actor.clone(), request.clone()).await {
                Err(AccessError::WrongState(expected)) => conflict = expected,
                other => return other,
            }
            if let Some(known) = self.store.request(&request.id).await? {
                return Ok(known);
            }
        }
        Err(AccessError::WrongState(conflict))
    }

    async fn decide_and_keep(&self, actor: Actor, mut request: Request) -> Result<Request, AccessError> {
        let _one_at_a_time = self.deciding.lock().await;
        let record = self.store.dataset(&request.dataset).await?;
        let now = self.clock.now();
        let decision = judge(record.as_ref(), &request, self.usage(&request).await?, now);
        let mut agreement = None;
        request.state = match (decision, &record) {
            (Decision::Refuse(reasons), _) => RequestState::Refused { reasons, decided: now },
            (Decision::AskSteward(reasons), _) => RequestState::Pending { reasons },
            (Decision::Allow { .. }, Some(record)) => match conclude(new_id("agreement"), record, &request, now) {
                Ok(concluded) => {
                    let id = concluded.id.clone();
                    agreement = Some(concluded);
                    RequestState::Agreed { agreement: id, decided: now }
                }
                Err(reasons) => RequestState::Refused { reasons, decided: now },
            },
            // Nothing is allowed about a dataset that is not there.
            (Decision::Allow { .. }, None) => RequestState::Refused { reasons: Vec::new(), decided: now },
        };
        let mut events = vec![What::RequestMade { request: Box::new(request.clone()) }];
        let mut expected = vec![Expectation::RequestAbsent(request.id.clone())];
        if let (Some(agreement), Some(record)) = (agreement, record) {
            expected.push(Expectation::DatasetAt(record.dataset.id.clone(), record.revision));
            expected.push(Expectation::DatasetInForce(record.dataset.id));
            events.push(What::AgreementConcluded { agreement: Box::new(agreement) });
        }
        self.append(actor, events, expected).await?;
        Ok(request)
    }

    /// What a peer may forward: requests of its own participants, for datasets of ours, of a bounded size.
    fn check_forwarded(&self, peer: &Identity, request: &Request) -> Result<(), AccessError> {
        let own = peer.kind() == IdentityKind::Node
            && request.home == *peer
            && request.holder.kind() == IdentityKind::Participant
            && request.holder.domain() == peer.domain();
        if !own {
            return Err(AccessError::NotItsOwn { peer: peer.clone(), subject: request.holder.to_string() });
        }
        if !request.dataset.is_under(self.node.domain()) {
            return Err(AccessError::DatasetUnknown(request.dataset.clone()));
        }
        let too_long =
            |fact: &crate::domain::negotiation::Fact| fact.name.len() > MAX_FACT || fact.value.len() > MAX_FACT;
        if request.facts.len() > MAX_FACTS || request.facts.iter().any(too_long) {
            let detail = format!("at most {MAX_FACTS} facts, names and values of at most {MAX_FACT} bytes");
            return Err(AccessError::Invalid { pointer: "/facts".to_owned(), detail });
        }
        check(&request.intended)
    }

    async fn pending(&self, owner: &Identity, id: &OpaqueId) -> Result<(Request, Registered), AccessError> {
        let request = self.show(&Viewer::Owner(owner.clone()), id).await?;
        if !matches!(request.state, RequestState::Pending { .. }) {
            let state = request.state.name();
            return Err(AccessError::WrongState(format!("the request {id} is {state}, so there is nothing to decide")));
        }
        let unknown = || AccessError::DatasetUnknown(request.dataset.clone());
        let record = self.store.dataset(&request.dataset).await?.ok_or_else(unknown)?;
        Ok((request, record))
    }

    async fn usage(&self, request: &Request) -> Result<Usage, AccessError> {
        let filter = AgreementFilter {
            holder: Some(request.holder.clone()),
            dataset: Some(request.dataset.clone()),
            ..AgreementFilter::default()
        };
        let mut usage = Usage::default();
        let mut after = Seq(0);
        loop {
            let page = self.store.agreements(&filter, after, 500).await?;
            let Some((last, _)) = page.last() else { return Ok(usage) };
            after = *last;
            usage.agreements += page.len() as u64;
        }
    }

    pub(super) async fn progress(&self, request: Request) -> Result<Progress, AccessError> {
        let agreement = match &request.state {
            RequestState::Agreed { agreement, .. } => self.store.agreement(agreement).await?.map(Box::new),
            _ => None,
        };
        Ok(Progress { request: request.id, state: request.state, agreement })
    }

    pub(super) async fn append(
        &self,
        actor: Actor,
        what: Vec<What>,
        expected: Vec<Expectation>,
    ) -> Result<(), AccessError> {
        let at = self.clock.now();
        let events = what.into_iter().map(|what| Event { at, actor: actor.clone(), what }).collect();
        self.store.append(events, expected, Priority::Interactive).await?;
        Ok(())
    }
}

/// Whether an intended use is of a size and form that can be kept and decided.
fn check(intended: &IntendedUse) -> Result<(), AccessError> {
    let refuse = |pointer: &str, detail: String| Err(AccessError::Invalid { pointer: pointer.to_owned(), detail });
    if intended.purposes.is_empty() || intended.purposes.len() > MAX_PURPOSES {
        return refuse(
            "/purposes",
            format!("name 1 to {MAX_PURPOSES} purposes, such as https://w3id.org/dpv#AcademicResearch"),
        );
    }
    if intended.action.len() > MAX_FACT {
        return refuse("/action", "name one ODRL action, such as `use`".to_owned());
    }
    match &intended.statement {
        Some(statement) if statement.chars().count() > MAX_STATEMENT => {
            refuse("/statement", format!("at most {MAX_STATEMENT} characters"))
        }
        _ => Ok(()),
    }
}

/// A reason that a person gave, which must not be empty.
fn sentence(pointer: &str, text: &str) -> Result<String, AccessError> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > MAX_STATEMENT {
        let detail =
            format!("give a reason of 1 to {MAX_STATEMENT} characters; it goes to the other side and into the log");
        return Err(AccessError::Invalid { pointer: pointer.to_owned(), detail });
    }
    Ok(text.to_owned())
}

#[cfg(test)]
#[path = "requests_tests.rs"]
mod tests;
