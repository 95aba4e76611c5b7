//! The past of a record: which revisions there are, who made each and why, and in what two of them differ.
//!
//! A revision is shown to whoever may see both it and what stands now: a record that was made private took its past with
//! it, and what was a draft stays its owner's. Who made it is told as a role of a participant; which token that was is
//! for those who act for the owner.

use jiff::Timestamp;
use serde::Serialize;

use super::{Catalogue, CatalogueError};
use crate::domain::dataset::Registered;
use crate::domain::difference::{Change, difference};
use crate::domain::event::{Actor, TokenRow};
use crate::domain::ids::{Identity, OpaqueId, Revision, Seq};
use crate::domain::lifecycle::State;
use crate::store::RevisionLine;

/// A revision in the history of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HistoryLine {
    /// Its number.
    pub revision: Revision,
    /// Its position in the log.
    pub seq: Seq,
    /// When it was made.
    pub at: Timestamp,
    /// What kind of change it was.
    pub kind: Kind,
    /// How the record stood from then on.
    pub state: State,
    /// Who made it.
    pub by: By,
    /// Why, in the words of whoever made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What kind of change a revision was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The first.
    Registered,
    /// The description changed.
    Revised,
    /// The record went on in its life; the description stayed.
    StateChanged,
    /// It was withdrawn.
    Withdrawn,
}

/// Who made a revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct By {
    /// What they were: a role, `node` for the node itself, `operator_of_node` for the person at the machine, `peer` for a
    /// certificate.
    pub role: &'static str,
    /// For whom they acted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub participant: Option<Identity>,
    /// With which token; for those who act for the owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<OpaqueId>,
    /// What the token is for, in words; for those who act for the owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// In what two revisions of a record differ.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// The earlier revision; nothing where the later one is the first.
    pub from: Option<Revision>,
    /// The later one.
    pub to: Revision,
    /// How the record stood at either, where that differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<Stood>,
    /// What differs in the description; the pointers lead into it.
    pub items: Vec<Change>,
}

/// How a record stood before and after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Stood {
    /// Before.
    pub before: State,
    /// After.
    pub after: State,
}

impl HistoryLine {
    /// The line for those who do not act for the owner as its stewards: no token is named.
    pub fn without_token(self) -> Self {
        Self { by: By { token: None, note: None, ..self.by }, ..self }
    }
}

impl Catalogue {
    /// The history of a record, oldest first, as somebody may see it.
    pub async fn history(
        &self,
        record: &Registered,
        asker: Option<&Identity>,
    ) -> Result<Vec<HistoryLine>, CatalogueError> {
        let lines = self.store.revisions(&record.dataset.id).await?;
        let is_owner = asker == Some(&record.owner);
        let tokens = self.store.tokens().await?;
        let mut history: Vec<HistoryLine> = Vec::with_capacity(lines.len());
        let mut before = None;
        for line in lines {
            let kind = kind(before, &line);
            before = Some(line.state);
            if is_owner || self.is_shown(record, &line, asker).await? {
                let token = |id: &OpaqueId| tokens.iter().map(|kept| &kept.token).find(|token| token.id == *id);
                history.push(HistoryLine {
                    revision: line.revision,
                    seq: line.seq,
                    at: line.at,
                    kind,
                    state: if line.withdrew { State::Withdrawn } else { line.state },
                    by: by(line.actor, token, is_owner),
                    reason: line.reason,
                });
            }
        }
        Ok(history)
    }

    /// Whether somebody who may see the record may see this revision of it.
    async fn is_shown(
        &self,
        record: &Registered,
        line: &RevisionLine,
        asker: Option<&Identity>,
    ) -> Result<bool, CatalogueError> {
        if !line.private {
            return Ok(line.state.is_known());
        }
        // Whom it listed then is said in the revision alone.
        Ok(self.revision(&record.dataset.id, line.revision).await?.is_discoverable_by(asker))
    }

    /// A revision of a record as somebody may see it, if at all.
    pub async fn revision_for(
        &self,
        record: &Registered,
        revision: Revision,
        asker: Option<&Identity>,
    ) -> Result<Registered, CatalogueError> {
        let id = &record.dataset.id;
        let found = self.revision(id, revision).await?;
        if !found.is_discoverable_by(asker) {
            return Err(CatalogueError::NoRevision(id.clone(), revision));
        }
        Ok(found.as_seen_by(asker))
    }

    /// In what a revision differs from an earlier one, by default from the one before it that the asker may see.
    pub async fn difference(
        &self,
        record: &Registered,
        from: Option<Revision>,
        to: Revision,
        asker: Option<&Identity>,
    ) -> Result<Difference, CatalogueError> {
        let after = self.revision_for(record, to, asker).await?;
        let from = match from {
            Some(from) => Some(from),
            None => {
                let earlier = self.history(record, asker).await?;
                earlier.iter().map(|line| line.revision).filter(|revision| *revision < to).max()
            }
        };
        let before = match from {
            Some(from) => Some(self.revision_for(record, from, asker).await?),
            None => None,
        };
        let said = |record: &Registered| serde_json::to_value(&record.dataset).unwrap_or_default();
        let earlier = before.as_ref().map_or_else(|| serde_json::json!({}), said);
        let state = before.as_ref().map(|before| Stood { before: before.stands(), after: after.stands() });
        let state = state.filter(|stood| stood.before != stood.after);
        Ok(Difference { from, to, state, items: difference(&earlier, &said(&after)) })
    }
}

fn kind(before: Option<State>, line: &RevisionLine) -> Kind {
    match before {
        _ if line.withdrew => Kind::Withdrawn,
        None => Kind::Registered,
        Some(state) if state != line.state => Kind::StateChanged,
        Some(_) => Kind::Revised,
    }
}

fn by<'t>(actor: Actor, token: impl Fn(&OpaqueId) -> Option<&'t TokenRow>, is_owner: bool) -> By {
    let plain = |role| By { role, participant: None, token: None, note: None };
    match actor {
        Actor::Node => plain("node"),
        Actor::Operator => plain("operator_of_node"),
        Actor::Certificate { identity } => By { participant: Some(identity), ..plain("peer") },
        Actor::Token { token: id } => {
            let known = token(&id);
            By {
                role: known.map_or("token", |token| token.role.as_str()),
                participant: known.and_then(|token| token.participant.clone()),
                note: known.map(|token| token.note.clone()).filter(|note| is_owner && !note.is_empty()),
                token: is_owner.then_some(id),
            }
        }
    }
}
