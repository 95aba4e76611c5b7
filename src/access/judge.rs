//! A request against a dataset as it stands: what has to hold before the policy is asked, then the policy. Pure.

use jiff::Timestamp;

use super::decide::{Decision, Facts, Usage, decide, expiry};
use crate::domain::agreement::Agreement;
use crate::domain::dataset::Registered;
use crate::domain::ids::{Identity, OpaqueId};
use crate::domain::negotiation::{Reason, Request};
use crate::domain::offerable::{Missing, Offerable};

/// Judges a request for this record. A dataset that the holder may not know of is answered like one that does not exist.
pub fn judge(record: Option<&Registered>, request: &Request, usage: Usage, now: Timestamp) -> Decision {
    let refuse = |code: &str, pointer: &str, detail: String| {
        Decision::Refuse(vec![Reason { code: code.to_owned(), pointer: pointer.to_owned(), detail }])
    };
    let Some(record) = record.filter(|record| may_know_of(record, &request.holder)) else {
        let detail = format!("no dataset {} is registered here", request.dataset);
        return refuse("dataset_unknown", "", detail);
    };
    if let Some(withdrawn) = &record.withdrawn {
        return refuse("dataset_withdrawn", "", format!("it was withdrawn: {}", withdrawn.reason));
    }
    let offer = match Offerable::of(record) {
        Ok(offer) => offer,
        Err(missing) => return Decision::Refuse(missing.into_iter().map(not_offerable).collect()),
    };
    let facts = match Facts::new(request.holder.clone(), &request.facts) {
        Ok(facts) => facts,
        Err(error) => return refuse("fact_stated_twice", "", error.to_string()),
    };
    // That the policy permits no purpose beyond those of the GDPR block is part of being Offerable.
    decide(offer.policy(), &request.intended, &facts, usage, now)
}

/// Whether a participant may know that a record exists.
pub fn may_know_of(record: &Registered, participant: &Identity) -> bool {
    record.is_discoverable_by(Some(participant))
}

/// The agreement that a request for this record comes to, if it is concluded now.
pub fn conclude(
    id: OpaqueId,
    record: &Registered,
    request: &Request,
    now: Timestamp,
) -> Result<Agreement, Vec<Reason>> {
    let offer = Offerable::of(record).map_err(|missing| missing.into_iter().map(not_offerable).collect::<Vec<_>>())?;
    Ok(Agreement {
        id,
        request: request.id.clone(),
        dataset: request.dataset.clone(),
        revision: record.revision,
        manifest: offer.manifest().digest(),
        owner: record.owner.clone(),
        holder: request.holder.clone(),
        policy: offer.policy().clone(),
        intended: request.intended.clone(),
        concluded: now,
        expires: expiry(offer.policy(), now).map_err(|reason| vec![reason])?,
        ended: None,
    })
}

fn not_offerable(missing: Missing) -> Reason {
    let detail = format!("the dataset cannot be offered yet: {missing}");
    Reason { code: "not_offerable".to_owned(), pointer: String::new(), detail }
}
