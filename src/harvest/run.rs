//! One run, from the first request to its end: read, take, withdraw, judge. Whatever happens in between, it ends.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;

use super::crawl::{Broke, Crawl, Progress};
use super::gone::{self, Gone, InForce, Seen};
use super::verdict::{self, Listing};
use super::{Harvest, Job, Kind, ckan, dcat, oai};
use crate::domain::harvest::{HarvestCursor, HarvestEnd, HarvestState};
use crate::store::DatasetFilter;

/// How many datasets are looked at together.
const PAGE: usize = 500;
/// Why a dataset is withdrawn, for those who hold it.
const REASON: &str = "It is no longer at its source.";

/// Carries a run out, from a cursor or over everything.
pub(super) async fn carry_out(harvest: &Harvest, job: &Job, cursor: Option<HarvestCursor>) -> HarvestEnd {
    let progress = harvest.going.lock().entry(job.id.clone()).or_default().clone();
    let work = AssertUnwindSafe(whole_run(harvest, job, cursor, &progress)).catch_unwind();
    let ended = tokio::time::timeout(job.source.deadline, work).await;
    let (counts, stage) = progress.so_far();
    let end = match ended {
        Ok(Ok(Ok((listing, held)))) => verdict::read_to_the_end(listing, counts, held),
        Ok(Ok(Err(broke))) => verdict::cut_short(HarvestState::Failed, format!("{broke} (while {stage})")),
        Ok(Err(_)) => {
            let reason = format!("a fault of this node's own, while {stage}: its log says more");
            verdict::cut_short(HarvestState::Failed, reason)
        }
        Err(_) => {
            let seconds = job.source.deadline.as_secs_f32();
            verdict::cut_short(HarvestState::TimedOut, format!("it was not done after {seconds} s, while {stage}"))
        }
    };
    HarvestEnd { counts, refusals: progress.refusals(), ..end }
}

async fn whole_run(
    harvest: &Harvest,
    job: &Job,
    cursor: Option<HarvestCursor>,
    progress: &Progress,
) -> Result<(Listing, Option<String>), Broke> {
    let (source, public, door, actor) = (&job.source, &harvest.public, &harvest.door, &job.actor);
    let crawl = Crawl { source, public, door, actor, progress };
    let mut listing = match source.kind {
        Kind::Ckan => ckan::read(&crawl, cursor).await?,
        Kind::Dcat => dcat::read(&crawl, cursor).await?,
        Kind::OaiPmh => oai::read(&crawl, cursor).await?,
    };
    progress.at("withdrawing what is no longer there".to_owned());
    let (mut seen, nameless) = progress.take_seen();
    if nameless && listing.doubt.is_none() {
        listing.doubt = Some("records were refused of which nobody knows which they are".to_owned());
    }
    seen.is_all = listing.whole && listing.doubt.is_none() && !seen.there.is_empty();
    let held = withdraw(harvest, job, &seen, progress).await?;
    Ok((listing, held))
}

/// Withdraws what is gone; gives back why nothing was, where it is too much.
async fn withdraw(harvest: &Harvest, job: &Job, seen: &Seen, progress: &Progress) -> Result<Option<String>, Broke> {
    if !seen.is_all && seen.deleted.is_empty() {
        return Ok(None);
    }
    let in_force = in_force(harvest, job).await?;
    let gone = match gone::judge(&in_force, seen, job.source.withdraw_percent, job.wish.withdraw) {
        Gone::Hold(why) => return Ok(Some(why)),
        Gone::Withdraw(gone) => gone,
    };
    for id in gone {
        let owner = job.source.owner.clone();
        match (harvest.door.withdraw)(job.actor.clone(), owner, id.clone(), REASON.to_owned()).await {
            Ok(()) => progress.withdrew(),
            Err(reason) => return Err(Broke::Other(format!("{id} could not be withdrawn: {reason}"))),
        }
    }
    Ok(None)
}

/// The datasets of the source that are in force.
async fn in_force(harvest: &Harvest, job: &Job) -> Result<Vec<InForce>, Broke> {
    let filter = DatasetFilter {
        source: Some(job.source.name.clone()),
        owner: Some(job.source.owner.clone()),
        // Drafts too: what the source no longer has is no draft to work on.
        discoverable_by: Some(job.source.owner.clone()),
        ..DatasetFilter::default()
    };
    let mut found: Vec<InForce> = Vec::new();
    loop {
        let after = found.last().map(|one| one.id.clone());
        let page = harvest.store.datasets(&filter, after.as_ref(), PAGE).await;
        let page = page.map_err(|error| Broke::Other(error.to_string()))?;
        if page.is_empty() {
            return Ok(found);
        }
        found.extend(page.into_iter().filter_map(|record| {
            let iri = record.dataset.source.as_ref()?.iri.to_string();
            Some(InForce { id: record.dataset.id, iri })
        }));
    }
}
