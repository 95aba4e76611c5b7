//! Which datasets are withdrawn because their source no longer has them. Pure.
//!
//! A source that breaks must never empty the catalogue: it lists nothing, or half, or the records of another. So what is
//! merely missing counts only after a listing of everything that adds up, and a run that would withdraw more than a share
//! of the source's datasets withdraws none of them until a steward says so.

use std::collections::HashSet;

use crate::domain::ids::DatasetId;

/// A dataset that is in force, and the record it was made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InForce {
    pub(super) id: DatasetId,
    pub(super) iri: String,
}

/// What a run saw.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The records that the source has.
    pub(super) there: HashSet<String>,
    /// Those that it says it deleted.
    pub(super) deleted: HashSet<String>,
    /// Whether `there` are all of them, for certain.
    pub(super) is_all: bool,
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Gone {
    /// These are withdrawn.
    Withdraw(Vec<DatasetId>),
    /// Too many: none is, until a steward says so.
    Hold(String),
}

/// Judges. `percent` may go at once; `word` is the steward's.
pub(super) fn judge(in_force: &[InForce], seen: &Seen, percent: u8, word: bool) -> Gone {
    let is_gone = |one: &&InForce| {
        let deleted = seen.deleted.contains(&one.iri) && !seen.there.contains(&one.iri);
        deleted || (seen.is_all && !seen.there.contains(&one.iri))
    };
    let gone: Vec<DatasetId> = in_force.iter().filter(is_gone).map(|one| one.id.clone()).collect();
    // One may always go, or a small source could never lose a record; but never the last.
    let most = (in_force.len() * usize::from(percent.min(100)) / 100).max(1);
    if !word && (gone.len() > most || (!gone.is_empty() && gone.len() == in_force.len())) {
        return Gone::Hold(format!(
            "{} of {} datasets are no longer at their source, and at most {percent} % are withdrawn at once: look \
             whether that is right, then run it with --withdraw",
            gone.len(),
            in_force.len()
        ));
    }
    Gone::Withdraw(gone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn in_force(count: usize) -> Vec<InForce> {
        let one = |n: usize| InForce {
            id: format!("https://fi.example/dataset/{n}").parse().unwrap(),
            iri: format!("https://x.example/{n}"),
        };
        (0..count).map(one).collect()
    }

    fn seen(there: &[usize], deleted: &[usize], is_all: bool) -> Seen {
        let iris = |numbers: &[usize]| numbers.iter().map(|n| format!("https://x.example/{n}")).collect();
        Seen { there: iris(there), deleted: iris(deleted), is_all }
    }

    fn count(gone: &Gone) -> Option<usize> {
        match gone {
            Gone::Withdraw(ids) => Some(ids.len()),
            Gone::Hold(_) => None,
        }
    }

    #[test]
    fn what_is_missing_counts_only_when_everything_was_listed() {
        let datasets = in_force(10);
        let all_but_two: Vec<usize> = (0..8).collect();
        assert_eq!(count(&judge(&datasets, &seen(&all_but_two, &[], true), 20, false)), Some(2));
        assert_eq!(count(&judge(&datasets, &seen(&all_but_two, &[], false), 20, false)), Some(0));
        assert_eq!(count(&judge(&datasets, &seen(&[], &[3], false), 20, false)), Some(1));
        // Deleted and there again in the same listing: there.
        assert_eq!(count(&judge(&datasets, &seen(&[3], &[3], false), 20, false)), Some(0));
    }

    #[test]
    fn a_source_that_breaks_withdraws_nothing_without_a_word() {
        let datasets = in_force(10);
        assert_eq!(count(&judge(&datasets, &seen(&[], &[], true), 100, false)), None);
        assert_eq!(count(&judge(&datasets, &seen(&[0, 1, 2], &[], true), 20, false)), None);
        assert_eq!(count(&judge(&datasets, &seen(&[], &[1, 2, 3], false), 20, false)), None);
        assert_eq!(count(&judge(&datasets, &seen(&[0, 1, 2], &[], true), 20, true)), Some(7));
        assert_eq!(count(&judge(&in_force(3), &seen(&[0, 1], &[], true), 20, false)), Some(1));
        assert_eq!(count(&judge(&in_force(1), &seen(&[], &[], true), 20, false)), None);
    }

    proptest! {
        #[test]
        fn without_a_word_no_more_than_the_share_goes_and_never_all(
            total in 0usize..200, kept in 0usize..200, percent in 0u8..=100, is_all: bool,
        ) {
            let there: Vec<usize> = (0..kept.min(total)).collect();
            match judge(&in_force(total), &seen(&there, &[], is_all), percent, false) {
                Gone::Hold(_) => prop_assert!(is_all),
                Gone::Withdraw(gone) => {
                    prop_assert!(gone.len() <= (total * usize::from(percent) / 100).max(1));
                    prop_assert!(gone.is_empty() || gone.len() < total);
                    prop_assert!(is_all || gone.is_empty());
                }
            }
        }
    }
}
