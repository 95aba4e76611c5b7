//! The node's access and delivery, put together: who may ask, how requests travel, and how bytes leave.

use std::sync::Arc;

use actix_web::web::Data;

use super::kept::Kept;
use super::watched::Watched;
use super::{StartError, layout};
use crate::access::grants::{self, Grants};
use crate::access::participants::{Attested, Participants};
use crate::access::relay::{Pace, Relay};
use crate::access::requests::Requests;
use crate::config::{Config, ParticipantSettings};
use crate::delivery::journal::Journal;
use crate::delivery::send::Sender;
use crate::shards::Folder;

/// What access and delivery need, opened.
pub(super) struct Releasing {
    pub(super) requests: Data<Requests>,
    pub(super) relay: Data<Relay>,
    pub(super) grants: Data<Grants>,
    pub(super) sender: Data<Sender>,
    journal: Arc<Journal>,
}

impl Releasing {
    /// Opens the journal, so that what a crash left there reaches the log, and builds the flows.
    pub(super) async fn open(config: &Config, kept: &Kept) -> Result<Self, StartError> {
        let (store, clock) = (&kept.store, &kept.clock);
        let attested = config.participants.iter().map(|(id, known)| {
            let ParticipantSettings { country, sector, secure_environment } = known.clone();
            (id.clone(), Attested { country, sector, secure_environment })
        });
        let participants =
            Participants::new(config.identity.domain().clone(), config.countries.clone(), attested.collect());
        let requests = Requests::new(store.clone(), clock.clone(), config.identity.clone(), participants);
        let relay = Relay::new(requests.clone(), kept.outbound.clone(), Pace::default());
        let grants = Grants::new(store.clone(), kept.trust.clone(), clock.clone(), grants::DEFAULT_LIFETIME);
        let journal = Journal::open(layout::journal(&config.data), store.clone(), clock.clone()).await?;
        let folder = Folder::new(config.shards.folder.clone(), config.shards.elsewhere.clone());
        Ok(Self {
            requests: Data::new(requests),
            relay: Data::new(relay),
            grants: Data::new(grants),
            sender: Data::new(Sender::new(folder, journal.clone())),
            journal,
        })
    }

    /// Starts what goes on in the background.
    pub(super) fn run(&self, tasks: &mut Watched) {
        tasks.spawn("relay", self.relay.clone().into_inner().run());
        tasks.spawn("delivery journal", self.journal.clone().run());
    }

    /// Brings the last releases into the log.
    pub(super) async fn close(&self) {
        if let Err(error) = self.journal.flush().await {
            tracing::error!(%error, "the last releases are in the journal and reach the log at the next start");
        }
    }
}

impl std::fmt::Debug for Releasing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Releasing").finish_non_exhaustive()
    }
}
