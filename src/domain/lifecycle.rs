//! How far a record has come: from a draft by way of review to the catalogue, and out of it. A pure state machine.
//!
//! ```text
//! draft <-> review -> published -> withdrawn
//!   |          |                      ^
//!   +----------+------ discarded -----+
//! ```
//!
//! Nobody but its owner knows of a draft or of a record in review: it is in no index, no count, no export and no peer's
//! answer, and it can be neither offered nor requested. Publishing cannot be taken back, because others have read the
//! record by then and may hold it under an agreement: what must no longer be used is withdrawn, which tells them so.

use serde::{Deserialize, Serialize};

/// How far a record has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Being written.
    Draft,
    /// Written, and looked at by a second pair of eyes.
    Review,
    /// In the catalogue.
    #[default]
    Published,
    /// No longer to be used; its id stays taken.
    Withdrawn,
}

/// A step that the lifecycle does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a record that is {} cannot become {}: {}", .from.in_words(), .to.in_words(), .from.way_on())]
pub struct InvalidStep {
    /// The state that it is in.
    pub from: State,
    /// The state that was asked for.
    pub to: State,
}

impl State {
    /// All of them, in the order of a record's life.
    pub const ALL: [Self; 4] = [Self::Draft, Self::Review, Self::Published, Self::Withdrawn];

    /// The state as the API spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Review => "review",
            Self::Published => "published",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The states that may follow.
    pub fn next(self) -> &'static [Self] {
        match self {
            Self::Draft => &[Self::Review, Self::Withdrawn],
            Self::Review => &[Self::Draft, Self::Published, Self::Withdrawn],
            Self::Published => &[Self::Withdrawn],
            Self::Withdrawn => &[],
        }
    }

    /// The step to another state, if there is one. A state is no step from itself.
    pub fn step(self, to: Self) -> Result<Self, InvalidStep> {
        if self.next().contains(&to) { Ok(to) } else { Err(InvalidStep { from: self, to }) }
    }

    /// Whether a record may begin so.
    pub fn is_first(self) -> bool {
        matches!(self, Self::Draft | Self::Published)
    }

    /// Whether others than its owner may know of a record in this state.
    pub fn is_known(self) -> bool {
        matches!(self, Self::Published | Self::Withdrawn)
    }

    /// Whether it is the default, which is not written.
    pub fn is_published(&self) -> bool {
        *self == Self::Published
    }

    fn in_words(self) -> &'static str {
        match self {
            Self::Draft => "a draft",
            Self::Review => "in review",
            Self::Published => "published",
            Self::Withdrawn => "withdrawn",
        }
    }

    fn way_on(self) -> &'static str {
        match self {
            Self::Draft => "send it to review, or withdraw it to discard it",
            Self::Review => "publish it, send it back to draft, or withdraw it to discard it",
            Self::Published => "revise it, or withdraw it if it must no longer be used",
            Self::Withdrawn => "register what takes its place under a fresh id",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn state() -> impl Strategy<Value = State> {
        prop::sample::select(&State::ALL[..])
    }

    #[test]
    fn the_steps_are_those_of_the_drawing() {
        use State::{Draft, Published, Review, Withdrawn};
        let steps: Vec<(State, State)> = State::ALL
            .into_iter()
            .flat_map(|from| State::ALL.into_iter().map(move |to| (from, to)))
            .filter(|(from, to)| from.step(*to).is_ok())
            .collect();
        assert_eq!(
            steps,
            [
                (Draft, Review),
                (Draft, Withdrawn),
                (Review, Draft),
                (Review, Published),
                (Review, Withdrawn),
                (Published, Withdrawn),
            ]
        );
    }

    #[test]
    fn a_refusal_says_where_it_stands_and_what_to_do() {
        let refusal = State::Draft.step(State::Published).unwrap_err().to_string();
        assert!(refusal.contains("a draft") && refusal.contains("review"), "{refusal}");
    }

    proptest! {
        #[test]
        fn whatever_is_asked_what_was_published_is_never_hidden_again_and_the_end_is_the_end(
            first in state(),
            asked in prop::collection::vec(state(), 0..12),
        ) {
            let mut at = first;
            for to in asked {
                let before = at;
                if let Ok(next) = at.step(to) {
                    prop_assert_eq!(next, to);
                    at = next;
                }
                prop_assert!(!before.is_known() || at.is_known());
                prop_assert!(before != State::Withdrawn || at == State::Withdrawn);
            }
        }

        #[test]
        fn what_is_published_went_through_review_or_began_so(asked in prop::collection::vec(state(), 0..12)) {
            let mut walked = vec![State::Draft];
            for to in asked {
                walked.extend(walked[walked.len() - 1].step(to));
            }
            if let Some(place) = walked.iter().position(|state| *state == State::Published) {
                prop_assert_eq!(walked[place - 1], State::Review);
            }
        }
    }
}
