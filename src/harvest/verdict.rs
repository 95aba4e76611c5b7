//! In what state a run ended. Pure: "231 failed" is never a success, and neither is a source that lists nothing.

use crate::domain::harvest::{HarvestCounts, HarvestCursor, HarvestEnd, HarvestState};

/// How a source was read to its end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Listing {
    /// Everything was listed, and not only what changed.
    pub(super) whole: bool,
    /// The source said that nothing changed since the last run.
    pub(super) unchanged: bool,
    /// Why the listing may not be all there is.
    pub(super) doubt: Option<String>,
    /// From where the next run may go on.
    pub(super) cursor: HarvestCursor,
}

/// The end of a run that read its source to the end. `held` says why nothing was withdrawn, where that is so.
pub(super) fn read_to_the_end(listing: Listing, counts: HarvestCounts, held: Option<String>) -> HarvestEnd {
    let Listing { whole, unchanged, doubt, cursor } = listing;
    let end = |state, reasons: Vec<String>, cursor| HarvestEnd {
        state,
        whole,
        counts,
        reason: (!reasons.is_empty()).then(|| reasons.join("; ")),
        refusals: Vec::new(),
        cursor,
    };
    if counts.read == 0 && whole && !unchanged {
        let reason = "the source lists no record: check the address and its options; nothing was withdrawn";
        return end(HarvestState::Failed, vec![reason.to_owned()], None);
    }
    if counts.read > 0 && counts.refused >= counts.read {
        let reason = format!("none of the {} records was taken", counts.read);
        return end(HarvestState::Failed, vec![reason], None);
    }
    let mut reasons = Vec::new();
    if counts.refused > 0 {
        reasons.push(format!("{} of {} records were refused", counts.refused, counts.read));
    }
    reasons.extend(doubt.map(|doubt| format!("{doubt}, so nothing that is missing was withdrawn")));
    reasons.extend(held);
    let state = if reasons.is_empty() { HarvestState::Done } else { HarvestState::Partial };
    if counts.returned > 0 {
        reasons.push(format!(
            "{} records are of datasets that were withdrawn here, which is final: register them anew if they are to be \
             offered again",
            counts.returned
        ));
    }
    if unchanged {
        reasons.push("the source says that nothing changed".to_owned());
    }
    // What was refused or held back is looked at again: the next run reads everything.
    let cursor = (state == HarvestState::Done).then_some(cursor);
    end(state, reasons, cursor)
}

/// The end of a run that did not come to the end of its source, before anything is known of its counts.
pub(super) fn cut_short(state: HarvestState, reason: String) -> HarvestEnd {
    let reason: String = reason.chars().filter(|c| !c.is_control()).take(1000).collect();
    HarvestEnd {
        state,
        whole: false,
        counts: HarvestCounts::default(),
        reason: Some(reason),
        refusals: Vec::new(),
        cursor: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn whole() -> Listing {
        Listing { whole: true, ..Listing::default() }
    }

    fn counts(read: u64, refused: u64) -> HarvestCounts {
        HarvestCounts { read, refused, registered: read - refused, ..HarvestCounts::default() }
    }

    fn state(listing: Listing, counts: HarvestCounts, held: Option<&str>) -> HarvestState {
        read_to_the_end(listing, counts, held.map(str::to_owned)).state
    }

    #[test]
    fn only_what_was_read_and_taken_whole_is_done() {
        use HarvestState::{Done, Failed, Partial};
        assert_eq!(state(whole(), counts(10, 0), None), Done);
        assert_eq!(state(whole(), counts(232, 231), None), Partial);
        assert_eq!(state(whole(), counts(231, 231), None), Failed);
        assert_eq!(state(whole(), counts(0, 0), None), Failed);
        assert_eq!(state(Listing::default(), counts(0, 0), None), Done, "no change is no failure");
        assert_eq!(state(Listing { unchanged: true, ..whole() }, counts(0, 0), None), Done);
        assert_eq!(state(Listing { doubt: Some("it lists 9 of 10".into()), ..whole() }, counts(9, 0), None), Partial);
        assert_eq!(state(whole(), counts(9, 0), Some("too many")), Partial);
    }

    proptest! {
        #[test]
        fn a_run_with_a_refusal_is_never_done_and_says_why(read in 1u64..1000, refused in 1u64..1000, is_whole: bool) {
            let refused = refused.min(read);
            let end = read_to_the_end(Listing { whole: is_whole, ..Listing::default() }, counts(read, refused), None);
            prop_assert_ne!(end.state, HarvestState::Done);
            prop_assert!(end.reason.is_some());
            prop_assert!(end.cursor.is_none(), "the next run must look again");
        }
    }
}
