//! The steps of a record's life: drafts are sent to review, published, and withdrawn. Each step is a revision with an
//! author and, where one is given, a reason.
//!
//! Publishing asks for nothing but a valid description: what keeps a dataset from being offered is told beside it and
//! keeps nobody from describing it.

use super::{Catalogue, CatalogueError, IfMatch, Outcome};
use crate::domain::bounds;
use crate::domain::dataset::Registered;
use crate::domain::event::Actor;
use crate::domain::ids::{DatasetId, Identity};
use crate::domain::lifecycle::State;
use crate::schema;

impl Catalogue {
    /// Takes a record to another state of its life. To the state that it is in already, nothing is done; to `withdrawn`,
    /// a reason is needed.
    pub async fn move_to(
        &self,
        actor: Actor,
        by: &Identity,
        id: &DatasetId,
        if_match: &IfMatch,
        to: State,
        reason: Option<String>,
    ) -> Result<Outcome, CatalogueError> {
        if to == State::Withdrawn {
            let reason = reason.unwrap_or_default();
            return self.withdraw(actor, by, id, if_match, &reason, None).await.map(Outcome::Revised);
        }
        is_reason(reason.as_deref())?;
        let current = self.in_force(by, id, if_match).await?;
        if current.state == to {
            return Ok(Outcome::Unchanged(current));
        }
        let state = current.state.step(to)?;
        if state.is_known() {
            schema::check(&current.dataset)?;
            self.is_ours(by, &current.dataset)?;
        }
        let next = self.next_revision(&current, current.dataset.clone());
        self.put_revision(actor, by, &current, Registered { state, reason, ..next }).await
    }
}

/// Whether a life may begin in this state.
pub(super) fn may_begin(state: State) -> Result<(), CatalogueError> {
    if state.is_first() { Ok(()) } else { Err(CatalogueError::CannotBegin(state)) }
}

/// Whether a reason, where there is one, helps whoever reads it.
pub(super) fn is_reason(reason: Option<&str>) -> Result<(), CatalogueError> {
    if reason.is_none_or(|reason| bounds::is_prose(reason, bounds::PROSE)) {
        Ok(())
    } else {
        Err(CatalogueError::UnfitReason)
    }
}
