//! The node's harvests, put together: their sources, the way to the open web, and the door into the catalogue.

use std::sync::Arc;

use actix_web::web::Data;

use super::StartError;
use super::kept::Kept;
use super::watched::Watched;
use crate::catalogue::{Catalogue, CatalogueError, IfMatch, Incoming, Outcome};
use crate::config::Config;
use crate::formats::Draft;
use crate::harvest::{Door, Harvest, HarvestError, Taken};
use crate::http::operations::Metrics;
use crate::outbound::public::{Options, Public};

/// What harvesting needs, opened.
pub(super) struct Harvesting {
    pub(super) harvest: Data<Harvest>,
}

impl Harvesting {
    /// Builds the flow; runs that were left open are closed.
    pub(super) async fn open(config: &Config, kept: &Kept) -> Result<Self, StartError> {
        let catalogue = Catalogue::new(kept.store.clone(), kept.clock.clone(), &config.identity, &config.countries);
        let authorities =
            config.outbound.authorities.as_ref().map(|path| {
                std::fs::read(path).map_err(|source| StartError::Authorities { path: path.clone(), source })
            });
        let options = Options {
            contact: config.web.public_url.clone(),
            allowed_hosts: config.outbound.allowed_hosts.clone(),
            authorities: authorities.transpose()?,
            ..Options::default()
        };
        let (store, clock) = (kept.store.clone(), kept.clock.clone());
        let sources = config.harvest.sources.clone();
        let opened =
            Harvest::open(sources, config.harvest.at_once, store, clock, Public::new(options), door(catalogue));
        let harvest = opened.await.map_err(|error| match error {
            HarvestError::Store(error) => StartError::Store(error),
            other => StartError::Harvest(other),
        })?;
        Ok(Self { harvest: Data::new(harvest) })
    }

    /// Starts what goes on in the background.
    pub(super) fn run(&self, tasks: &mut Watched) {
        tasks.spawn("harvests", Harvest::clone(&self.harvest).keep_running());
    }

    /// What metrics tell of it.
    pub(super) fn sample(&self) -> impl Fn(&Metrics) + Send + Sync + 'static {
        let harvest = self.harvest.clone();
        move |metrics| {
            metrics.harvests(harvest.tallies().into_iter().map(|(source, tally)| {
                let last = tally.last_done.map(|at| at.as_second());
                (source, tally.runs.into_iter().collect(), last)
            }));
        }
    }
}

/// The door into the catalogue: flows do not know each other.
fn door(catalogue: Catalogue) -> Door {
    let withdrawing = catalogue.clone();
    Door {
        import: Arc::new(move |actor, owner, drafts| {
            let catalogue = catalogue.clone();
            Box::pin(async move {
                let incoming: Vec<Incoming> = drafts.into_iter().map(incoming).collect();
                let outcomes = catalogue.import(&actor, &owner, &incoming).await.map_err(|error| error.to_string())?;
                Ok(outcomes.into_iter().map(taken).collect())
            })
        }),
        withdraw: Arc::new(move |actor, owner, id, reason| {
            let catalogue = withdrawing.clone();
            Box::pin(async move {
                match catalogue.withdraw(actor, &owner, &id, &IfMatch::Any, &reason, None).await {
                    // Somebody was faster, which is as good.
                    Ok(_) | Err(CatalogueError::Withdrawn { .. }) => Ok(()),
                    Err(error) => Err(error.to_string()),
                }
            })
        }),
    }
}

fn incoming(draft: Draft) -> Incoming {
    Incoming { draft: draft.dataset, text: (!draft.text.is_empty()).then_some(draft.text) }
}

fn taken(outcome: Result<Outcome, CatalogueError>) -> Taken {
    match outcome {
        Ok(Outcome::Registered(_)) => Taken::Registered,
        Ok(Outcome::Revised(_)) => Taken::Revised,
        Ok(Outcome::Unchanged(_)) => Taken::Unchanged,
        Err(CatalogueError::Withdrawn { .. }) => Taken::Withdrawn,
        Err(error) => Taken::Refused(error.to_string()),
    }
}

impl std::fmt::Debug for Harvesting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Harvesting").field("harvest", &self.harvest).finish()
    }
}
