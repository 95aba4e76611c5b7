//! What may be done with several things at once: all distributions of a dataset, or datasets that somebody wants to combine.
//!
//! Each permission takes the strictest answer that any part gives; a part whose licence is not known states nothing, so
//! nothing is permitted because of it. Duties add up. Where licences cannot all be kept at the same time, that is said:
//! a result under two share-alike licences, a derived work of what permits none, commercial use of what excludes it.
//! This is what the licences' terms say taken together, and no legal advice.

use std::collections::BTreeMap;

use serde::Serialize;

use super::dataset::{Dataset, TdmReservation};
use super::ids::DatasetId;
use super::licence::{Answer, Licence, Permissions};

/// What somebody wants to do with the set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Intent {
    /// To use it commercially.
    pub commercial: bool,
    /// To make something new of it. To combine several datasets is that.
    pub derivatives: bool,
}

/// The terms of a set taken together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Effective {
    /// The strictest answer for each permission, the strongest for each duty.
    pub permissions: Permissions,
    /// What whoever uses the set must do, by licence.
    pub duties: Vec<Duty>,
    /// What cannot be kept all at once.
    pub conflicts: Vec<Conflict>,
    /// Parts of which nobody knows the licence; because of them a permission is not stated.
    pub not_known: Vec<Place>,
    /// Each part with its licence.
    pub parts: Vec<Part>,
}

/// A dataset, or one of its distributions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The dataset.
    pub dataset: DatasetId,
    /// Where in it: a JSON pointer, empty for the dataset itself.
    pub pointer: String,
}

/// A part of the set and the licence that holds for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Part {
    /// Which part.
    #[serde(flatten)]
    pub place: Place,
    /// Its licence, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub licence: Option<Licence>,
}

/// What a licence asks of whoever uses the set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Duty {
    /// What.
    pub duty: DutyKind,
    /// The licence that asks it.
    pub licence: String,
    /// The parts under it.
    pub of: Vec<Place>,
}

/// The kinds of duties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DutyKind {
    /// Name the source.
    Attribution,
    /// Pass derived works on under the same licence.
    ShareAlike,
}

/// Terms that cannot all be kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conflict {
    /// Which kind.
    pub conflict: ConflictKind,
    /// The licences in it.
    pub licences: Vec<String>,
    /// What it means, and what would mend it.
    pub detail: String,
    /// The parts under them.
    pub of: Vec<Place>,
}

/// The kinds of conflicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConflictKind {
    /// One result would have to be under two licences.
    ShareAlike,
    /// One licence asks that everybody may use the result commercially, another forbids it.
    ShareAlikeAgainstNonCommercial,
    /// Derived works are wanted and not permitted.
    NoDerivatives,
    /// Commercial use is wanted and not permitted.
    NonCommercial,
}

/// The terms of these datasets, with all their distributions, taken together.
pub fn effective<'a>(datasets: impl IntoIterator<Item = &'a Dataset>, intent: Intent) -> Effective {
    let (mut parts, mut permissions, mut several) = (Vec::new(), None::<Permissions>, 0);
    for dataset in datasets {
        several += 1;
        let found = parts_of(dataset);
        for part in &found {
            let mut own = part.licence.as_ref().map_or_else(Permissions::default, |licence| licence.permissions);
            if dataset.tdm_reservation == TdmReservation::Reserved {
                // Whoever reserved it permits it to nobody by the licence alone.
                own.text_and_data_mining = Answer::No;
            }
            permissions = Some(permissions.map_or(own, |so_far| strictest(so_far, own)));
        }
        parts.extend(found);
    }
    let intent = Intent { derivatives: intent.derivatives || several > 1, ..intent };
    let not_known = parts.iter().filter(|part| !part.is_known()).map(|part| part.place.clone()).collect();
    Effective {
        permissions: permissions.unwrap_or_default(),
        duties: duties(&parts),
        conflicts: conflicts(&parts, intent),
        not_known,
        parts,
    }
}

impl Part {
    /// Whether anybody knows what its licence permits.
    fn is_known(&self) -> bool {
        self.licence.as_ref().is_some_and(|licence| licence.permissions != Permissions::default())
    }
}

/// The dataset's own licence, and that of each distribution: its own, else the dataset's.
fn parts_of(dataset: &Dataset) -> Vec<Part> {
    let part = |pointer: String, licence: Option<&Licence>| Part {
        place: Place { dataset: dataset.id.clone(), pointer },
        licence: licence.cloned(),
    };
    let own = dataset.licence.as_ref();
    let whole = (own.is_some() || dataset.distributions.is_empty()).then(|| part(String::new(), own));
    let distributions = dataset.distributions.iter().enumerate();
    let each = distributions
        .filter(|(_, distribution)| own.is_none() || distribution.licence.is_some())
        .map(|(at, distribution)| part(format!("/distributions/{at}"), distribution.licence.as_ref().or(own)));
    whole.into_iter().chain(each).collect()
}

fn strictest(one: Permissions, other: Permissions) -> Permissions {
    let permitted = |a, b| match (a, b) {
        (Answer::No, _) | (_, Answer::No) => Answer::No,
        (Answer::Yes, Answer::Yes) => Answer::Yes,
        _ => Answer::NotStated,
    };
    let owed = |a, b| match (a, b) {
        (Answer::Yes, _) | (_, Answer::Yes) => Answer::Yes,
        (Answer::No, Answer::No) => Answer::No,
        _ => Answer::NotStated,
    };
    Permissions {
        commercial: permitted(one.commercial, other.commercial),
        derivatives: permitted(one.derivatives, other.derivatives),
        share_alike: owed(one.share_alike, other.share_alike),
        attribution: owed(one.attribution, other.attribution),
        ai_training: permitted(one.ai_training, other.ai_training),
        text_and_data_mining: permitted(one.text_and_data_mining, other.text_and_data_mining),
    }
}

fn duties(parts: &[Part]) -> Vec<Duty> {
    let mut duties: BTreeMap<(DutyKind, &str), Vec<Place>> = BTreeMap::new();
    for (part, licence) in licensed(parts) {
        let asks = [
            (DutyKind::Attribution, licence.permissions.attribution),
            (DutyKind::ShareAlike, licence.permissions.share_alike),
        ];
        for (duty, _) in asks.into_iter().filter(|(_, answer)| *answer == Answer::Yes) {
            duties.entry((duty, name(licence))).or_default().push(part.place.clone());
        }
    }
    duties.into_iter().map(|((duty, licence), of)| Duty { duty, licence: licence.to_owned(), of }).collect()
}

fn licensed(parts: &[Part]) -> impl Iterator<Item = (&Part, &Licence)> {
    parts.iter().filter_map(|part| Some((part, part.licence.as_ref()?)))
}

/// A licence without an identifier goes by its source's words.
fn name(licence: &Licence) -> &str {
    match licence.label() {
        "other" => licence.raw.as_deref().unwrap_or("other"),
        label => label,
    }
}

fn conflicts(parts: &[Part], intent: Intent) -> Vec<Conflict> {
    let of = |rule: &dyn Fn(&Permissions) -> bool| -> Vec<(&Part, &Licence)> {
        licensed(parts).filter(|(_, licence)| rule(&licence.permissions)).collect()
    };
    let share_alike = of(&|p| p.share_alike == Answer::Yes);
    let non_commercial = of(&|p| p.commercial == Answer::No);
    let no_derivatives = of(&|p| p.derivatives == Answer::No);
    let open = of(&|p| p.share_alike == Answer::Yes && p.commercial == Answer::Yes);
    let mut conflicts = Vec::new();
    if intent.derivatives && !one_result(&share_alike) {
        conflicts.push(conflict(
            ConflictKind::ShareAlike,
            &share_alike,
            "what is made of them would have to be under each of these licences alone; use only one of them, or keep what \
             is under each apart, unless one of the licences names the other as compatible",
        ));
    }
    if intent.derivatives && !open.is_empty() && !non_commercial.is_empty() {
        let both: Vec<_> = open.into_iter().chain(non_commercial.clone()).collect();
        conflicts.push(conflict(
            ConflictKind::ShareAlikeAgainstNonCommercial,
            &both,
            "one licence asks that everybody may use commercially what is made of it, another excludes that; keep them apart",
        ));
    }
    if intent.derivatives && !no_derivatives.is_empty() {
        conflicts.push(conflict(
            ConflictKind::NoDerivatives,
            &no_derivatives,
            "nothing may be made of these and passed on; ask their owners, or leave them out",
        ));
    }
    if intent.commercial && !non_commercial.is_empty() {
        conflicts.push(conflict(
            ConflictKind::NonCommercial,
            &non_commercial,
            "these exclude commercial use; ask their owners, or leave them out",
        ));
    }
    conflicts
}

fn conflict(conflict: ConflictKind, parts: &[(&Part, &Licence)], detail: &str) -> Conflict {
    let mut licences: Vec<String> = parts.iter().map(|(_, licence)| name(licence).to_owned()).collect();
    licences.sort();
    licences.dedup();
    let of = parts.iter().map(|(part, _)| part.place.clone()).collect();
    Conflict { conflict, licences, detail: detail.to_owned(), of }
}

/// Whether one licence for the result satisfies all of these: they are the same, or versions of one Creative Commons
/// licence from 2.0 on, each of which permits a later version with the same elements.
fn one_result(share_alike: &[(&Part, &Licence)]) -> bool {
    let mut names: Vec<&str> = share_alike.iter().map(|(_, licence)| name(licence)).collect();
    names.sort_unstable();
    names.dedup();
    let elements = |name: &str| {
        let (elements, version) = name.strip_prefix("CC-")?.rsplit_once('-')?;
        matches!(version, "2.0" | "2.5" | "3.0" | "4.0").then(|| elements.to_owned())
    };
    match names[..] {
        [] | [_] => true,
        [first, ..] => {
            elements(first).is_some_and(|first| names.iter().all(|name| elements(name).as_ref() == Some(&first)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn licence(spdx: &str, answers: &str) -> Licence {
        let answer = |at: usize| match answers.as_bytes()[at] {
            b'y' => Answer::Yes,
            b'n' => Answer::No,
            _ => Answer::NotStated,
        };
        let permissions = Permissions {
            commercial: answer(0),
            derivatives: answer(1),
            share_alike: answer(2),
            attribution: answer(3),
            ai_training: answer(4),
            text_and_data_mining: answer(5),
        };
        Licence { spdx: Some(spdx.to_owned()), permissions, ..Licence::default() }
    }

    fn dataset(local: &str, licences: &[Option<Licence>]) -> Dataset {
        let id = format!("https://fi.example/dataset/{local}").parse().unwrap();
        let title = super::super::text::Text::new("en".parse().unwrap(), local).unwrap();
        let mut dataset = Dataset::new(id, title, "FI".parse().unwrap());
        dataset.licence = licences[0].clone();
        dataset.distributions = licences[1..]
            .iter()
            .map(|licence| super::super::dataset::Distribution { licence: licence.clone(), ..Default::default() })
            .collect();
        dataset
    }

    fn kinds(found: &Effective) -> Vec<ConflictKind> {
        found.conflicts.iter().map(|conflict| conflict.conflict).collect()
    }

    #[test]
    fn the_strictest_answer_counts_and_duties_add_up() {
        let one = dataset("a", &[Some(licence("CC-BY-4.0", "yyny--"))]);
        let two = dataset("b", &[Some(licence("CC-BY-NC-4.0", "nyny--")), Some(licence("CC0-1.0", "yynnyy"))]);
        let found = effective([&one, &two], Intent::default());
        let Permissions { commercial, derivatives, share_alike, attribution, ai_training, .. } = found.permissions;
        assert_eq!((commercial, derivatives, share_alike), (Answer::No, Answer::Yes, Answer::No));
        assert_eq!((attribution, ai_training), (Answer::Yes, Answer::NotStated));
        let asked: Vec<_> = found.duties.iter().map(|duty| (duty.duty, duty.licence.as_str(), duty.of.len())).collect();
        assert_eq!(asked, [(DutyKind::Attribution, "CC-BY-4.0", 1), (DutyKind::Attribution, "CC-BY-NC-4.0", 1)]);
        assert_eq!((found.parts.len(), found.conflicts.len(), found.not_known.len()), (3, 0, 0));
        let commercial = Intent { commercial: true, ..Intent::default() };
        assert_eq!(kinds(&effective([&one, &two], commercial)), [ConflictKind::NonCommercial]);
    }

    #[test]
    fn a_part_that_nobody_knows_permits_nothing_and_is_named() {
        let known = licence("CC0-1.0", "yynnyy");
        let found = effective([&dataset("a", &[None, Some(known), None])], Intent::default());
        assert_eq!(found.permissions, Permissions::default());
        let places: Vec<_> = found.not_known.iter().map(|place| place.pointer.as_str()).collect();
        assert_eq!(places, ["/distributions/1"]);
        assert_eq!(effective([&dataset("b", &[None])], Intent::default()).not_known.len(), 1);
        assert_eq!(effective([], Intent::default()).permissions, Permissions::default());
    }

    #[test]
    fn what_cannot_be_kept_at_once_is_named() {
        let under = |spdx: &str, answers: &str| dataset(&spdx.to_lowercase(), &[Some(licence(spdx, answers))]);
        let (sa, odbl) = (under("CC-BY-SA-4.0", "yyyy--"), under("ODbL-1.0", "yyyy--"));
        assert_eq!(kinds(&effective([&sa, &odbl], Intent::default())), [ConflictKind::ShareAlike]);
        let older = under("CC-BY-SA-3.0", "yyyy--");
        assert_eq!(kinds(&effective([&sa, &older], Intent::default())), []);
        let (nc, nd) = (under("CC-BY-NC-4.0", "nyny--"), under("CC-BY-ND-4.0", "yn-y--"));
        assert_eq!(kinds(&effective([&sa, &nc], Intent::default())), [ConflictKind::ShareAlikeAgainstNonCommercial]);
        assert_eq!(kinds(&effective([&nd], Intent::default())), []);
        assert_eq!(kinds(&effective([&nd, &nc], Intent::default())), [ConflictKind::NoDerivatives]);
    }

    #[test]
    fn what_its_owner_reserved_no_licence_gives() {
        let mut reserved = dataset("a", &[Some(licence("CC0-1.0", "yynnyy"))]);
        reserved.tdm_reservation = TdmReservation::Reserved;
        assert_eq!(effective([&reserved], Intent::default()).permissions.text_and_data_mining, Answer::No);
    }

    proptest! {
        #[test]
        fn another_part_never_permits_more(all in proptest::collection::vec("[yn-]{6}", 1..6), more in "[yn-]{6}") {
            let sets: Vec<_> = all.iter().chain([&more]).enumerate()
                .map(|(at, answers)| dataset(&format!("d{at}"), &[Some(licence("MIT", answers))])).collect();
            let fewer = effective(&sets[..all.len()], Intent::default()).permissions;
            let more = effective(&sets, Intent::default()).permissions;
            for (before, after) in [(fewer.commercial, more.commercial), (fewer.derivatives, more.derivatives),
                (fewer.ai_training, more.ai_training), (fewer.text_and_data_mining, more.text_and_data_mining)] {
                prop_assert!(after != Answer::Yes || before == Answer::Yes);
            }
            for (before, after) in [(fewer.share_alike, more.share_alike), (fewer.attribution, more.attribution)] {
                prop_assert!(before != Answer::Yes || after == Answer::Yes);
            }
            let mut backwards = sets.clone();
            backwards.reverse();
            prop_assert_eq!(effective(&backwards, Intent::default()).permissions, more);
        }
    }
}
