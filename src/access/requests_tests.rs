//! The workflow against real stores, with the wire between the nodes left out.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

use super::*;
use crate::clock::FixedClock;
use crate::domain::dataset::{Visibility, Withdrawn};
use crate::domain::negotiation::Fact;

struct House {
    requests: Requests,
    store: Store,
    clock: FixedClock,
    _folder: TempDir,
}

const ACADEMIC: &str = "https://w3id.org/dpv#AcademicResearch";
const MARKETING: &str = "https://w3id.org/dpv#Marketing";

fn house(short: &str) -> House {
    let folder = tempfile::tempdir().unwrap();
    let node: Identity = format!("spiffe://{short}.pleiad.example/node/{short}").parse().unwrap();
    let store = Store::open(folder.path(), &node).unwrap();
    let clock = FixedClock::at("2026-11-24T12:00:00Z".parse::<Timestamp>().unwrap());
    let countries = vec![short.to_uppercase().parse().unwrap()];
    let participants = Participants::new(node.domain().clone(), countries, BTreeMap::new());
    let requests = Requests::new(store.clone(), Arc::new(clock.clone()), node, participants);
    House { requests, store, clock, _folder: folder }
}

fn owner() -> Identity {
    "spiffe://fi.pleiad.example/participant/archive".parse().unwrap()
}

fn holder(short: &str) -> Identity {
    format!("spiffe://{short}.pleiad.example/participant/lab").parse().unwrap()
}

impl House {
    async fn register(&self, change: impl FnOnce(&mut Registered)) -> DatasetId {
        let now = self.clock.now();
        let mut record = Registered {
            dataset: serde_json::from_str(include_str!("../../config/examples/dataset.json")).unwrap(),
            owner: owner(),
            revision: Revision::FIRST,
            registered: now,
            revised: now,
            seq: Seq(0),
            state: Default::default(),
            reason: None,
            withdrawn: None,
        };
        change(&mut record);
        let id = record.dataset.id.clone();
        self.append(What::DatasetRegistered { record: Box::new(record) }).await;
        id
    }

    async fn append(&self, what: What) {
        let event = Event { at: self.clock.now(), actor: Actor::Operator, what };
        self.store.append(vec![event], vec![], Priority::Interactive).await.unwrap();
    }

    async fn ask(&self, dataset: &DatasetId, holder: &Identity, purpose: &str) -> Result<Request, AccessError> {
        self.requests.ask(Actor::Operator, holder, ask(dataset, purpose)).await
    }
}

fn ask(dataset: &DatasetId, purpose: &str) -> Ask {
    let intended = IntendedUse { action: "use".into(), purposes: vec![purpose.parse().unwrap()], statement: None };
    Ask { dataset: dataset.clone(), revision: None, intended }
}

#[tokio::test]
async fn a_forbidden_purpose_is_refused_with_its_rule_and_a_permitted_one_waits_for_the_steward() {
    let fi = house("fi");
    let dataset = fi.register(|_| {}).await;
    let refused = fi.ask(&dataset, &holder("fi"), MARKETING).await.unwrap();
    let RequestState::Refused { reasons, .. } = &refused.state else { panic!("{refused:?}") };
    assert_eq!((reasons[0].code.as_str(), reasons[0].pointer.as_str()), ("prohibited", "/prohibitions/0"));

    let pending = fi.ask(&dataset, &holder("fi"), ACADEMIC).await.unwrap();
    assert_eq!(pending.state.name(), "pending");
    let agreement = fi.requests.approve(Actor::Operator, &owner(), &pending.id).await.unwrap();
    assert_eq!(agreement.holder, holder("fi"));
    assert_eq!(agreement.expires.duration_since(agreement.concluded), SignedDuration::from_hours(365 * 24));
    let kept = fi.requests.agreement(&Viewer::Holder(holder("fi")), &agreement.id).await.unwrap();
    assert_eq!(kept, agreement);
    let again = fi.requests.approve(Actor::Operator, &owner(), &pending.id).await;
    assert!(matches!(again, Err(AccessError::WrongState(_))), "{again:?}");
    // All of it is in the log.
    let kinds: Vec<_> = fi.store.read_from(Seq(0), 100).await.unwrap().iter().map(|e| e.event.what.kind()).collect();
    assert_eq!(kinds[2..], ["request_made", "request_made", "request_moved", "agreement_concluded"]);
}

#[tokio::test]
async fn where_no_steward_has_to_look_the_rules_conclude_at_once() {
    let fi = house("fi");
    let dataset = fi.register(|record| record.dataset.policy.as_mut().unwrap().approval = false).await;
    let request = fi.ask(&dataset, &holder("fi"), ACADEMIC).await.unwrap();
    assert_eq!(request.state.name(), "agreed");
    let agreements = fi.requests.agreements(&Viewer::Owner(owner()), Seq(0), 10).await.unwrap();
    assert_eq!((agreements.len(), agreements[0].1.request == request.id), (1, true));
}

#[tokio::test]
async fn a_rule_for_one_agreement_allows_one_however_many_ask_at_once() {
    let fi = house("fi");
    let once = |record: &mut Registered| {
        let policy = record.dataset.policy.as_mut().unwrap();
        policy.approval = false;
        let (left, operator, right) = ("count".into(), "lteq".into(), vec!["1".into()]);
        policy.permissions[0].constraints.push(crate::domain::policy::Constraint { left, operator, right });
    };
    let dataset = fi.register(once).await;
    let holder = holder("fi");
    let asked = futures_util::future::join_all((0..8).map(|_| fi.ask(&dataset, &holder, ACADEMIC))).await;
    let agreed = asked.iter().filter(|asked| asked.as_ref().unwrap().state.name() == "agreed").count();
    assert_eq!(agreed, 1, "{asked:?}");
}

#[tokio::test]
async fn a_forwarded_request_is_decided_once_however_often_it_arrives() {
    let (fi, de) = (house("fi"), house("de"));
    let dataset = fi.register(|_| {}).await;
    let made = de.ask(&dataset, &holder("de"), ACADEMIC).await.unwrap();
    assert_eq!(made.state.name(), "undelivered");
    assert_eq!(made.facts, [Fact { name: "country".into(), value: "DE".into(), attested: true }]);
    let first = fi.requests.receive(&made.home, made.clone()).await.unwrap();
    let second = fi.requests.receive(&made.home, made.clone()).await.unwrap();
    assert_eq!(first, second);
    assert_eq!(first.state.name(), "pending");
    assert_eq!(fi.requests.list(&Viewer::Owner(owner()), None, Seq(0), 10).await.unwrap().len(), 1);
    let mut other = made.clone();
    other.intended.purposes = vec![MARKETING.parse().unwrap()];
    assert!(matches!(fi.requests.receive(&made.home, other).await, Err(AccessError::WrongState(_))));
    let agreement = fi.requests.approve(Actor::Operator, &owner(), &made.id).await.unwrap();
    let progress = fi.requests.progress_for(&made.home, &made.id).await.unwrap();
    assert_eq!(progress.agreement.as_deref(), Some(&agreement));
}

#[tokio::test]
async fn a_peer_speaks_only_for_its_own_participants_and_sees_only_its_own_requests() {
    let (fi, de) = (house("fi"), house("de"));
    let dataset = fi.register(|_| {}).await;
    let made = de.ask(&dataset, &holder("de"), ACADEMIC).await.unwrap();
    let se: Identity = "spiffe://se.pleiad.example/node/se".parse().unwrap();
    for (peer, request) in [
        (se.clone(), made.clone()),
        (se.clone(), Request { home: se.clone(), ..made.clone() }),
        (made.home.clone(), Request { holder: made.home.clone(), ..made.clone() }),
        (holder("de"), Request { home: holder("de"), ..made.clone() }),
    ] {
        let refused = fi.requests.receive(&peer, request).await;
        assert!(matches!(refused, Err(AccessError::NotItsOwn { .. })), "{refused:?}");
    }
    fi.requests.receive(&made.home, made.clone()).await.unwrap();
    assert!(matches!(fi.requests.progress_for(&se, &made.id).await, Err(AccessError::NotFound { .. })));
    assert!(matches!(
        fi.requests.show(&Viewer::Holder(holder("fi")), &made.id).await,
        Err(AccessError::NotFound { .. })
    ));
    let stranger: Identity = "spiffe://fi.pleiad.example/participant/stranger".parse().unwrap();
    let refused = fi.requests.approve(Actor::Operator, &stranger, &made.id).await;
    assert!(matches!(refused, Err(AccessError::NotFound { .. })));
    assert!(fi.requests.list(&Viewer::Owner(stranger), None, Seq(0), 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_private_record_is_not_there_for_a_participant_who_is_not_listed() {
    let fi = house("fi");
    let dataset = fi
        .register(|record| {
            record.dataset.visibility = Visibility::Private;
            record.dataset.listed = vec![holder("fi")];
        })
        .await;
    assert!(fi.ask(&dataset, &holder("fi"), ACADEMIC).await.is_ok());
    let stranger: Identity = "spiffe://fi.pleiad.example/participant/stranger".parse().unwrap();
    let hidden = fi.ask(&dataset, &stranger, ACADEMIC).await.unwrap_err();
    let absent: DatasetId = "https://fi.pleiad.example/dataset/absent".parse().unwrap();
    let unknown = fi.ask(&absent, &stranger, ACADEMIC).await.unwrap_err();
    assert!(matches!((hidden, unknown), (AccessError::DatasetUnknown(_), AccessError::DatasetUnknown(_))));
}

#[tokio::test]
async fn what_is_withdrawn_or_not_offerable_is_agreed_by_nobody() {
    let fi = house("fi");
    let dataset = fi.register(|_| {}).await;
    let pending = fi.ask(&dataset, &holder("fi"), ACADEMIC).await.unwrap();
    let withdrawn = Withdrawn { reason: "an error in the consent forms".into(), successor: None };
    fi.append(What::DatasetWithdrawn { id: dataset.clone(), revision: Revision(2), withdrawn }).await;
    let refused = fi.requests.approve(Actor::Operator, &owner(), &pending.id).await;
    assert!(matches!(refused, Err(AccessError::PolicyRefuses(_))), "{refused:?}");
    let asked = fi.ask(&dataset, &holder("fi"), ACADEMIC).await.unwrap();
    let RequestState::Refused { reasons, .. } = asked.state else { panic!() };
    assert_eq!(reasons[0].code, "dataset_withdrawn");
    let bare = fi
        .register(|record| {
            record.dataset.id = "https://fi.pleiad.example/dataset/bare".parse().unwrap();
            record.dataset.source = None;
            record.dataset.licence = None;
        })
        .await;
    let asked = fi.ask(&bare, &holder("fi"), ACADEMIC).await.unwrap();
    let RequestState::Refused { reasons, .. } = asked.state else { panic!() };
    assert!(reasons.iter().all(|reason| reason.code == "not_offerable"));
}

#[tokio::test]
async fn a_request_is_taken_back_once_and_an_agreement_ended_once() {
    let fi = house("fi");
    let dataset = fi.register(|_| {}).await;
    let viewer = Viewer::Holder(holder("fi"));
    let asked = fi.ask(&dataset, &holder("fi"), ACADEMIC).await.unwrap();
    fi.requests.cancel(Actor::Operator, &viewer, &asked.id).await.unwrap();
    assert!(fi.requests.cancel(Actor::Operator, &viewer, &asked.id).await.is_err());
    assert!(fi.requests.approve(Actor::Operator, &owner(), &asked.id).await.is_err());

    let asked = fi.ask(&dataset, &holder("fi"), ACADEMIC).await.unwrap();
    let agreement = fi.requests.approve(Actor::Operator, &owner(), &asked.id).await.unwrap();
    assert!(fi.requests.end(Actor::Operator, &owner(), &agreement.id, " ").await.is_err());
    let ended = fi.requests.end(Actor::Operator, &owner(), &agreement.id, "misuse").await.unwrap();
    assert!(!ended.is_active(fi.clock.now()));
    assert!(fi.requests.end(Actor::Operator, &owner(), &agreement.id, "misuse").await.is_err());
}

#[tokio::test]
async fn a_receipt_is_kept_once_and_only_for_its_own_agreement() {
    let fi = house("fi");
    let dataset = fi.register(|_| {}).await;
    let asked = fi.ask(&dataset, &holder("fi"), ACADEMIC).await.unwrap();
    let agreement = fi.requests.approve(Actor::Operator, &owner(), &asked.id).await.unwrap();
    let receipt = Receipt {
        id: "receipt-0001".parse().unwrap(),
        agreement: agreement.id.clone(),
        dataset: dataset.clone(),
        revision: agreement.revision,
        manifest: agreement.manifest,
        shards: vec![],
        completed: fi.clock.now(),
    };
    for _ in 0..2 {
        fi.requests.keep_receipt(Actor::Operator, &holder("fi"), receipt.clone()).await.unwrap();
    }
    let viewer = Viewer::Owner(owner());
    assert_eq!(fi.requests.receipts(&viewer, &agreement.id).await.unwrap().len(), 1);
    let mut other = receipt.clone();
    other.id = "receipt-0002".parse().unwrap();
    other.revision = Revision(9);
    assert!(fi.requests.keep_receipt(Actor::Operator, &holder("fi"), other).await.is_err());
    assert!(fi.requests.keep_receipt(Actor::Operator, &holder("de"), receipt).await.is_err());
}
