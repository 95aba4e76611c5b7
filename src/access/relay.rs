//! The way between a holder's home node and the owner's node: requests there, their progress back.
//!
//! The home node delivers and asks; nothing depends on the owner's node calling back, though it does when something
//! moves, so that a holder need not wait for the next question. A node that does not answer is a state, tried again at
//! growing intervals. What a peer says about a request is believed only as far as it is that request's owner's node.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::AccessError;
use super::requests::{Requests, Viewer};
use crate::domain::agreement::Agreement;
use crate::domain::event::{Actor, What};
use crate::domain::ids::{DatasetId, Identity, OpaqueId, Seq};
use crate::domain::negotiation::{Progress, Reason, Request, RequestState};
use crate::outbound::federation::{CallError, Federation};
use crate::peers::trust::Standing;
use crate::store::{AgreementFilter, Expectation, RequestFilter};

/// `POST` a [`Request`], get its [`Progress`]; `GET …/<id>` its progress; `POST …/<id>/cancel` takes it back.
pub const REQUESTS_PATH: &str = "federation/v1/requests";
/// `POST` the [`Progress`] of a request to the node that forwarded it.
pub const PROGRESS_PATH: &str = "federation/v1/progress";
/// The most bytes of a request or its progress.
pub const MAX_BYTES: u64 = 1024 * 1024;

/// How the relay keeps time.
#[derive(Debug, Clone)]
pub struct Pace {
    /// How long one call may take.
    pub answer_within: Duration,
    /// How long after a failure the next try comes; it doubles with each further one.
    pub first_retry: Duration,
    /// The longest wait between two tries.
    pub last_retry: Duration,
    /// How often the owner's node is asked about a pending request.
    pub ask_pending: Duration,
    /// How often the owner's node is asked whether an agreement still holds.
    pub ask_agreed: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            answer_within: Duration::from_secs(10),
            first_retry: Duration::from_secs(2),
            last_retry: Duration::from_secs(300),
            ask_pending: Duration::from_secs(15),
            ask_agreed: Duration::from_secs(60),
        }
    }
}

/// The relay of one node.
#[derive(Debug)]
pub struct Relay {
    requests: Requests,
    outbound: Arc<Federation>,
    pace: Pace,
    /// When each request is next to be looked at, and how often it failed in a row.
    due: Mutex<BTreeMap<OpaqueId, (Instant, u32)>>,
    /// Requests whose progress the home node is to hear of.
    news: Mutex<BTreeSet<OpaqueId>>,
    /// When the agreements of other nodes are next gone through.
    sweep: Mutex<Instant>,
    wake: Notify,
}

impl Relay {
    /// The relay of the node whose workflow this is.
    pub fn new(requests: Requests, outbound: Arc<Federation>, pace: Pace) -> Self {
        let (due, news, sweep) = (Mutex::default(), Mutex::default(), Mutex::new(Instant::now()));
        Self { requests, outbound, pace, due, news, sweep, wake: Notify::new() }
    }

    /// Tries at once what was just asked, and gives back the request as it then stands. A node that does not answer is
    /// no error: the request stays undelivered and is tried again.
    pub async fn deliver(&self, request: Request) -> Result<Request, AccessError> {
        if request.home == self.requests.node && !request.dataset.is_under(self.requests.node.domain()) {
            self.attend(&request).await?;
        }
        self.requests.show(&Viewer::Administrator, &request.id).await
    }

    /// Takes a request back, at the owner's node first where that is another one: what was agreed there meanwhile holds.
    pub async fn cancel(&self, actor: Actor, viewer: &Viewer, id: &OpaqueId) -> Result<Request, AccessError> {
        let request = self.requests.show(viewer, id).await?;
        if !request.dataset.is_under(self.requests.node.domain()) && !request.state.is_final() {
            let owner = self.owner_node(&request.dataset)?;
            let path = format!("{REQUESTS_PATH}/{id}/cancel");
            let answer = self.outbound.post_json(&owner, &path, &[], &(), self.deadline(), MAX_BYTES).await;
            match answer.map_err(|error| AccessError::OwnerSilent(error.to_string()))? {
                // It never arrived there, so there is nothing to take back.
                answer if answer.status == 404 => {}
                answer => {
                    let answer = answer.success().and_then(|answer| answer.json::<Progress>());
                    let progress = answer.map_err(|error| AccessError::OwnerSilent(error.to_string()))?;
                    if !matches!(progress.state, RequestState::Cancelled { .. }) {
                        self.apply(&owner, progress).await?;
                    }
                }
            }
        }
        self.requests.cancel(actor, viewer, id).await
    }

    /// Takes in a request that a peer forwarded. It attests for the countries that its peer file lets it speak for: that a
    /// holder is established in any other is only declared.
    pub async fn receive(&self, peer: &Identity, mut request: Request) -> Result<Progress, AccessError> {
        let (listed, _) = self.outbound.trust().peer(peer).map_err(|_| AccessError::StaleTrust(peer.clone()))?;
        let speaks_for = |country: &str| listed.file.countries.iter().any(|one| one.as_str() == country);
        for fact in &mut request.facts {
            fact.attested &= fact.name != "country" || speaks_for(&fact.value);
        }
        self.requests.receive(peer, request).await
    }

    /// Approves a pending request as a steward of the owner, and tells its home node. Nothing is agreed with a participant
    /// whose home node is not trusted for more than search at this moment: nobody vouches for it then.
    pub async fn approve(&self, actor: Actor, owner: &Identity, id: &OpaqueId) -> Result<Agreement, AccessError> {
        let home = self.requests.show(&Viewer::Owner(owner.clone()), id).await?.home;
        if home != self.requests.node && !matches!(self.outbound.standing(&home), Ok(Standing::Valid)) {
            return Err(AccessError::StaleTrust(home));
        }
        let agreement = self.requests.approve(actor, owner, id).await?;
        self.tell(id);
        Ok(agreement)
    }

    /// Notes that a request moved here, so that its home node hears of it soon.
    pub fn tell(&self, request: &OpaqueId) {
        self.news.lock().insert(request.clone());
        self.wake.notify_one();
    }

    /// Takes in what the owner's node says about a request of this node.
    pub async fn hear(&self, peer: &Identity, progress: Progress) -> Result<(), AccessError> {
        self.apply(peer, progress).await
    }

    /// Delivers, asks and tells until the task is dropped.
    pub async fn run(self: Arc<Self>) {
        let tick = self.pace.first_retry.min(Duration::from_secs(1));
        loop {
            if let Err(error) = self.round().await {
                tracing::warn!(%error, "requests could not be relayed; they are tried again");
            }
            let _ = tokio::time::timeout(tick, self.wake.notified()).await;
        }
    }

    /// One round: tells what is new, then attends to every request and agreement that is due.
    pub async fn round(&self) -> Result<(), AccessError> {
        let news = std::mem::take(&mut *self.news.lock());
        for id in news {
            self.tell_home(&id).await?;
        }
        for state in ["undelivered", "pending"] {
            let filter = RequestFilter {
                home: Some(self.requests.node.clone()),
                state: Some(state.to_owned()),
                ..RequestFilter::default()
            };
            let mut after = Seq(0);
            loop {
                let page = self.requests.store.requests(&filter, after, 200).await?;
                let Some((last, _)) = page.last() else { break };
                after = *last;
                for (_, request) in &page {
                    if !request.dataset.is_under(self.requests.node.domain()) && self.is_due(&request.id) {
                        self.attend(request).await?;
                    }
                }
            }
        }
        self.ask_about_agreements().await
    }

    async fn ask_about_agreements(&self) -> Result<(), AccessError> {
        {
            let mut sweep = self.sweep.lock();
            if *sweep > Instant::now() {
                return Ok(());
            }
            *sweep = Instant::now() + self.pace.ask_agreed;
        }
        let now = self.requests.clock.now();
        let mut after = Seq(0);
        loop {
            let page = self.requests.store.agreements(&AgreementFilter::default(), after, 200).await?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = *last;
            for (_, agreement) in page {
                let own = agreement.dataset.is_under(self.requests.node.domain());
                if own || !agreement.is_active(now) || !self.is_due(&agreement.request) {
                    continue;
                }
                if let Ok(owner) = self.owner_node(&agreement.dataset) {
                    let heard = self.ask_progress(&owner, &agreement.request).await;
                    self.heard(&owner, &agreement.request, self.pace.ask_agreed, heard).await?;
                }
            }
        }
    }

    /// Delivers a request that is undelivered, asks about one that is pending.
    async fn attend(&self, request: &Request) -> Result<(), AccessError> {
        let owner = match self.owner_node(&request.dataset) {
            Ok(owner) => owner,
            Err(error) => return self.undelivered(request, error.to_string()).await,
        };
        let delivered = matches!(request.state, RequestState::Pending { .. });
        let answer = if delivered {
            self.ask_progress(&owner, &request.id).await
        } else {
            self.outbound.post_json(&owner, REQUESTS_PATH, &[], request, self.deadline(), MAX_BYTES).await
        };
        match answer.and_then(|answer| answer.success()) {
            // The owner's node understood it and will never take it.
            Err(CallError::BadStatus { status: status @ (400 | 404 | 409 | 410 | 413 | 422), detail })
                if !delivered =>
            {
                let code = format!("owner_node_{status}");
                let reasons = vec![Reason { code, pointer: String::new(), detail }];
                let state = RequestState::Refused { reasons, decided: self.requests.clock.now() };
                self.move_to(request, state, None).await
            }
            Err(error) if !delivered => self.undelivered(request, error.to_string()).await,
            answer => self.heard(&owner, &request.id, self.pace.ask_pending, answer).await,
        }
    }

    async fn ask_progress(
        &self,
        owner: &Identity,
        id: &OpaqueId,
    ) -> Result<crate::outbound::federation::Answer, CallError> {
        self.outbound.get(owner, &format!("{REQUESTS_PATH}/{id}"), &[], self.deadline(), MAX_BYTES).await
    }

    /// Takes in an answer about a request, and notes when to ask again.
    async fn heard(
        &self,
        owner: &Identity,
        id: &OpaqueId,
        again: Duration,
        answer: Result<crate::outbound::federation::Answer, CallError>,
    ) -> Result<(), AccessError> {
        let progress = answer.and_then(|answer| answer.success()).and_then(|answer| answer.json::<Progress>());
        let told = match progress {
            Ok(progress) if progress.request == *id => self.apply(owner, progress).await,
            Ok(_) => Err(AccessError::OwnerSilent("it spoke of another request".to_owned())),
            Err(error) => Err(AccessError::OwnerSilent(error.to_string())),
        };
        match told {
            Ok(()) => {
                self.due.lock().insert(id.clone(), (Instant::now() + again, 0));
                Ok(())
            }
            Err(AccessError::Store(error)) => Err(error.into()),
            Err(error) => {
                tracing::info!(request = %id, %error, "no news of a request");
                self.failed(id);
                Ok(())
            }
        }
    }

    async fn undelivered(&self, request: &Request, reason: String) -> Result<(), AccessError> {
        self.failed(&request.id);
        let state = RequestState::Undelivered { reason };
        if state == request.state { Ok(()) } else { self.move_to(request, state, None).await }
    }

    /// Takes in what a peer says of a request, if it is the owner's node and what it says can be.
    async fn apply(&self, peer: &Identity, progress: Progress) -> Result<(), AccessError> {
        let request = self.requests.show(&Viewer::Home(self.requests.node.clone()), &progress.request).await?;
        let refuse = |subject: String| AccessError::NotItsOwn { peer: peer.clone(), subject };
        if self.owner_node(&request.dataset)? != *peer {
            return Err(refuse(request.dataset.to_string()));
        }
        if let Some(agreement) = &progress.agreement
            && !answers(agreement, &request)
        {
            return Err(refuse(format!("the agreement {}", agreement.id)));
        }
        match (&progress.state, &progress.agreement) {
            (RequestState::Undelivered { .. }, _) | (RequestState::Agreed { .. }, None) => {
                Err(refuse(format!("the state {} without its agreement", progress.state.name())))
            }
            (RequestState::Agreed { agreement: id, .. }, Some(agreement)) if *id != agreement.id => {
                Err(refuse(format!("the agreement {id}")))
            }
            _ if progress.state == request.state => self.take_end(&request, progress.agreement).await,
            _ if request.state.may_become(&progress.state) => {
                let mut agreement = progress.agreement;
                let ended = agreement.as_mut().and_then(|agreement| agreement.ended.take());
                self.move_to(&request, progress.state, agreement.clone()).await?;
                let agreement = agreement.map(|agreement| Box::new(Agreement { ended, ..*agreement }));
                self.take_end(&request, agreement).await
            }
            _ => Err(AccessError::WrongState(format!(
                "the request {} is {} here and cannot become {}",
                request.id,
                request.state.name(),
                progress.state.name()
            ))),
        }
    }

    /// Ends our copy of an agreement that its owner ended. An id alone ends nothing: what is kept under it here must be
    /// the agreement on this very request, or a peer could end those of others.
    async fn take_end(&self, request: &Request, agreement: Option<Box<Agreement>>) -> Result<(), AccessError> {
        let Some(agreement) = agreement else { return Ok(()) };
        let Some(ended) = agreement.ended else { return Ok(()) };
        let known = self.requests.store.agreement(&agreement.id).await?;
        if known.is_none_or(|known| known.ended.is_some() || !answers(&known, request)) {
            return Ok(());
        }
        let event = What::AgreementEnded { agreement: agreement.id.clone(), ended };
        self.requests.append(Actor::Node, vec![event], vec![Expectation::AgreementInForce(agreement.id)]).await
    }

    async fn move_to(
        &self,
        request: &Request,
        state: RequestState,
        agreement: Option<Box<Agreement>>,
    ) -> Result<(), AccessError> {
        let mut events = vec![What::RequestMoved { request: request.id.clone(), state }];
        events.extend(agreement.map(|agreement| What::AgreementConcluded { agreement }));
        let expected = vec![Expectation::RequestState(request.id.clone(), request.state.name())];
        match self.requests.append(Actor::Node, events, expected).await {
            // Somebody else heard of it first, which is as good.
            Err(AccessError::WrongState(_)) => Ok(()),
            other => other,
        }
    }

    /// Tells the home node how far a request got; it asks anyway, so one try is enough.
    async fn tell_home(&self, id: &OpaqueId) -> Result<(), AccessError> {
        let Some(request) = self.requests.store.request(id).await? else { return Ok(()) };
        if request.home == self.requests.node {
            return Ok(());
        }
        let home = request.home.clone();
        let progress = self.requests.progress(request).await?;
        let told = self.outbound.post_json(&home, PROGRESS_PATH, &[], &progress, self.deadline(), MAX_BYTES).await;
        if let Err(error) = told.and_then(|answer| answer.success()) {
            tracing::info!(request = %id, %home, %error, "the home node could not be told; it will ask");
        }
        Ok(())
    }

    /// The node of a dataset's domain, if it is trusted for more than search.
    fn owner_node(&self, dataset: &DatasetId) -> Result<Identity, AccessError> {
        let unknown = || AccessError::OwnerUnknown(dataset.clone());
        let domain = dataset.domain().parse().map_err(|_| unknown())?;
        let state = self.outbound.trust().state();
        let node = state.peer(&domain).map(|peer| peer.file.node.clone()).ok_or_else(unknown)?;
        match self.outbound.standing(&node) {
            Ok(Standing::Valid) => Ok(node),
            _ => Err(AccessError::StaleTrust(node)),
        }
    }

    fn deadline(&self) -> Instant {
        Instant::now() + self.pace.answer_within
    }

    fn is_due(&self, id: &OpaqueId) -> bool {
        self.due.lock().get(id).is_none_or(|(due, _)| *due <= Instant::now())
    }

    fn failed(&self, id: &OpaqueId) {
        let mut due = self.due.lock();
        let failures = due.get(id).map_or(0, |(_, failures)| *failures).saturating_add(1);
        let wait = self.pace.first_retry.saturating_mul(1 << (failures - 1).min(16)).min(self.pace.last_retry);
        due.insert(id.clone(), (Instant::now() + wait, failures));
    }
}

/// Whether an agreement is about what was asked, by whom it was asked, for what it was asked.
fn answers(agreement: &Agreement, request: &Request) -> bool {
    agreement.request == request.id
        && agreement.dataset == request.dataset
        && agreement.holder == request.holder
        && agreement.intended == request.intended
        && agreement.owner.domain().as_str() == request.dataset.domain()
}
