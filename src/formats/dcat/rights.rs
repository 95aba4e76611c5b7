//! What may be done with a dataset: licence, access rights, mining, personal data, and the Czech conditions of use.

use std::io;

use super::distribution::Read;
use super::node::{Node, Term};
use super::percent_decoded;
use super::record::{Record, shown};
use super::terms::Property;
use super::training::answer;
use crate::domain::bounds;
use crate::domain::dataset::{AccessRights, TdmReservation};
use crate::domain::gdpr::PersonalData;
use crate::domain::licence::{Confidence, Licence, Matched, Permissions};
use crate::domain::text::Text;
use crate::formats::text;
use crate::vocabulary;
use crate::vocabulary::licence::resolve;

/// The licence that a dataset or distribution states itself. Several that differ are none: nobody says which holds.
pub(super) fn licence(record: &mut Record<'_>, node: &Node) -> io::Result<Option<Licence>> {
    if record.is_ours {
        return own_licence(record, node);
    }
    let mut licences: Vec<Licence> = Vec::new();
    for term in node.all(Property::LICENSE) {
        if let Some(licence) = stated(record, term)?
            && !licences.iter().any(|other| same(other, &licence))
        {
            licences.push(licence);
        }
    }
    if licences.len() > 1 {
        record.note("licence: several are stated that differ, so none is taken");
        return Ok(None);
    }
    Ok(licences.pop())
}

/// The licence as a node of this kind wrote it: nothing is resolved again.
fn own_licence(record: &mut Record<'_>, node: &Node) -> io::Result<Option<Licence>> {
    let Some(term) = node.all(Property::OWN_LICENCE).next() else { return Ok(None) };
    let own = record.follow(term)?;
    let confidence = match own.all(Property::OWN_CONFIDENCE).find_map(Term::text) {
        Some("likely") => Some(Confidence::Likely),
        Some("named") => Some(Confidence::Named),
        Some("exact") => Some(Confidence::Exact),
        _ => None,
    };
    let rule = record.first_line("licence's rule", own.all(Property::OWN_MATCHED_BY));
    Ok(Some(Licence {
        spdx: record.first_line("licence's identifier", own.all(Property::OWN_SPDX)),
        iri: record.one_iri("licence", own.all(Property::OWN_IRI)),
        raw: record.passage("licence", own.all(Property::LABEL)),
        matched: rule.zip(confidence).map(|(rule, confidence)| Matched { rule, confidence }),
        permissions: Permissions {
            commercial: answer(&own, Property::OWN_COMMERCIAL),
            derivatives: answer(&own, Property::OWN_DERIVATIVES),
            share_alike: answer(&own, Property::OWN_SHARE_ALIKE),
            attribution: answer(&own, Property::OWN_ATTRIBUTION),
            ai_training: answer(&own, Property::OWN_AI_TRAINING),
            text_and_data_mining: answer(&own, Property::OWN_TEXT_AND_DATA_MINING),
        },
    }))
}

fn stated(record: &mut Record<'_>, term: &Term) -> io::Result<Option<Licence>> {
    let node = record.follow(term)?;
    let name = node
        .first_of(&[
            Property::TITLE,
            Property::LABEL,
            Property::PREF_LABEL,
            Property::IDENTIFIER,
            Property::DESCRIPTION,
        ])
        .into_iter()
        .find_map(Term::text)
        .map(text::line)
        .filter(|name| !name.is_empty());
    let by_term = term.text().and_then(resolve);
    let by_name = name.as_deref().and_then(resolve);
    let licence = match (by_term, by_name) {
        (Some(licence), _) if licence.spdx.is_some() || licence.permissions != Default::default() => Some(licence),
        // The source names its own licence document in words that are a known licence.
        (_, Some(named)) if named.spdx.is_some() => Some(named),
        (Some(own), Some(named)) => Some(Licence { raw: named.raw, ..own }),
        (own, named) => own.or(named),
    };
    Ok(licence.map(plain))
}

/// The licence with the source's words made plain and within their bound.
pub(in crate::formats) fn plain(licence: Licence) -> Licence {
    let raw = licence.raw.map(|raw| text::shortened(text::passage(&raw), bounds::PROSE).0);
    Licence { raw: raw.filter(|raw| !raw.is_empty()), ..licence }
}

/// Whether two licences are one: by identifier where there is one, else by the source's words.
pub(in crate::formats) fn same(a: &Licence, b: &Licence) -> bool {
    match (&a.spdx, &b.spdx, &a.iri, &b.iri) {
        (Some(a), Some(b), _, _) => a == b,
        (None, None, Some(a), Some(b)) => a == b,
        (None, None, None, None) => a.raw == b.raw,
        _ => false,
    }
}

/// The one licence that all of these are, be one of them called without its version; nothing where they differ.
pub(in crate::formats) fn one_of(found: &[Licence]) -> Option<Licence> {
    let is_vague =
        |licence: &Licence| licence.matched.as_ref().is_some_and(|matched| matched.rule == "without_version");
    let one = found.iter().find(|licence| !is_vague(licence)).or(found.first())?;
    let has_versions = one.spdx.as_ref().is_none_or(|id| id.starts_with("CC-"));
    let is_it = |other: &Licence| is_vague(other) && has_versions && other.permissions == one.permissions;
    found.iter().all(|other| same(one, other) || is_it(other)).then(|| one.clone())
}

/// What a reader notes where [`one_of`] finds none.
pub(in crate::formats) const LICENCES_DIFFER: &str = "licence: several are stated that differ, so none is taken";
/// What a reader notes where access rights differ.
pub(in crate::formats) const ACCESS_DIFFERS: &str = "access rights: several are stated that differ, so none is taken";

/// The licence of the whole: what the dataset states, or what every one of its distributions states. Where they differ,
/// or one of them is silent while the dataset is too, the whole has none.
pub(super) fn agreed_licence(
    record: &mut Record<'_>,
    node: &Node,
    distributions: &[Read],
) -> io::Result<Option<Licence>> {
    let own = licence(record, node)?;
    if record.is_ours {
        return Ok(own);
    }
    let stated: Vec<&Licence> = distributions.iter().filter_map(|read| read.distribution.licence.as_ref()).collect();
    let Some(first) = own.as_ref().or(stated.first().copied()) else { return Ok(None) };
    if !stated.iter().all(|licence| same(licence, first)) {
        record.note("licence: the distributions differ, so the dataset as a whole has none");
        return Ok(None);
    }
    if own.is_none() && stated.len() < distributions.len() {
        record.note("licence: not every distribution states it, so the dataset as a whole has none");
        return Ok(None);
    }
    Ok(Some(first.clone()))
}

/// Who may see the data. Several answers that differ are none.
pub(super) fn access(record: &mut Record<'_>, node: &Node) -> io::Result<AccessRights> {
    let mut answers = Vec::new();
    let places: &[Property] =
        if record.is_ours { &[Property::ACCESS_RIGHTS] } else { &[Property::ACCESS_RIGHTS, Property::RIGHTS] };
    for term in node.first_of(places) {
        let mut texts: Vec<String> = term.text().map(str::to_owned).into_iter().collect();
        let statement = record.follow(term)?;
        texts.extend(statement.all(Property::DC_TYPE).filter_map(Term::text).map(str::to_owned));
        let answer =
            texts.iter().map(|text| vocabulary::access_rights(text)).find(|one| *one != AccessRights::NotStated);
        match answer {
            Some(answer) => answers.push(answer),
            None => {
                let shown = texts.first().map_or_else(|| "a statement".to_owned(), |text| shown(text));
                record.note(format!("access rights: {shown:?} is not an entry of the EU table"));
            }
        }
    }
    answers.dedup();
    match answers[..] {
        [one] => Ok(one),
        [] => Ok(AccessRights::NotStated),
        _ => {
            record.note(ACCESS_DIFFERS);
            Ok(AccessRights::NotStated)
        }
    }
}

/// What is said about rights beside the licence: by the dataset, else by its distributions; and how a source is to be
/// named (DCAT-AP.de). An entry of the access-right table is no statement of its own.
pub(super) fn statement(record: &mut Record<'_>, node: &Node, distributions: &[Read]) -> io::Result<Option<Text>> {
    let mut terms: Vec<Term> = node.all(Property::RIGHTS).cloned().collect();
    if terms.is_empty() && !record.is_ours {
        terms.extend(distributions.iter().flat_map(|read| &read.rights).cloned());
        terms.sort();
        terms.dedup();
    }
    let is_entry = |term: &Term| {
        term.text().is_some_and(|text| vocabulary::access_rights(text) != AccessRights::NotStated)
            || term.text().is_some_and(|text| text.contains("/authority/access-right/"))
    };
    terms.retain(|term| !is_entry(term));
    record.statements("rights", terms.iter())
}

/// Whether text and data mining is reserved.
pub(super) fn tdm_reservation(node: &Node) -> TdmReservation {
    match node.all(Property::TDM_RESERVATION).find_map(Term::text).map(str::trim) {
        Some("1" | "true") => TdmReservation::Reserved,
        Some("0" | "false") => TdmReservation::NotReserved,
        _ => TdmReservation::NotStated,
    }
}

/// The Czech conditions of use (DCAT-AP-CZ): three statements about copyright, one about personal data.
#[derive(Default)]
pub(super) struct Conditions {
    pub(super) licence: Option<Licence>,
    pub(super) personal_data: PersonalData,
}

/// Whether a licence is one of the Czech conditions of use.
pub(super) fn is_czech(licence: Option<&Licence>) -> bool {
    let starts = |text: &str| percent_decoded(text).starts_with(CZECH);
    licence.is_some_and(|own| {
        own.raw.as_deref().is_some_and(starts) || own.iri.as_ref().is_some_and(|iri| starts(iri.as_str()))
    })
}

const CZECH: &str = "https://data.gov.cz/podmínky-užití/";
/// The three statements that nothing in it is protected, each with its property.
const UNPROTECTED: [(Property, &str); 3] = [
    (Property::CZ_WORK, "neobsahuje-autorská-díla/"),
    (Property::CZ_DATABASE_WORK, "není-autorskoprávně-chráněnou-databází/"),
    (Property::CZ_DATABASE_RIGHT, "není-chráněna-zvláštním-právem-pořizovatele-databáze/"),
];

/// Reads the conditions of a distribution. Where all three statements say that nothing is protected, the first of them
/// stands as the licence; where licences are named and agree, that licence; else nothing.
pub(super) fn conditions(record: &mut Record<'_>, node: &Node) -> io::Result<Conditions> {
    let Some(term) = node.all(Property::CZ_CONDITIONS).next() else { return Ok(Conditions::default()) };
    let own = record.follow(term)?;
    let says =
        |property: Property| own.all(property).filter_map(Term::text).map(percent_decoded).collect::<Vec<String>>();
    let personal_data = match says(Property::CZ_PERSONAL_DATA).first().and_then(|value| value.strip_prefix(CZECH)) {
        Some("neobsahuje-osobní-údaje/") => PersonalData::No,
        Some("obsahuje-osobní-údaje/") => PersonalData::Yes,
        _ => PersonalData::NotStated,
    };
    let mut named: Vec<Licence> = Vec::new();
    let mut unprotected = 0;
    let mut is_open = false;
    for (property, none) in UNPROTECTED {
        for value in says(property) {
            match value.strip_prefix(CZECH) {
                Some(code) if code == none => unprotected += 1,
                Some(_) => is_open = true,
                None => named.extend(resolve(&value).filter(|licence| !named.iter().any(|other| same(other, licence)))),
            }
        }
    }
    let licence = match (&named[..], is_open) {
        ([one], false) => Some(one.clone()),
        ([], false) if unprotected == UNPROTECTED.len() => resolve(&format!("{CZECH}{}", UNPROTECTED[0].1)),
        ([], false) => None,
        _ => {
            record.note("licence: the conditions of use name no single licence for all of it, so none is taken");
            None
        }
    };
    Ok(Conditions { licence: licence.map(plain), personal_data })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licences_are_the_same_by_identifier_before_words() {
        let of = |raw: &str| resolve(raw).unwrap();
        assert!(same(&of("CC BY 4.0"), &of("https://creativecommons.org/licenses/by/4.0/")));
        assert!(!same(&of("CC BY 4.0"), &of("CC BY 3.0")));
        assert!(!same(&of("some words"), &of("other words")));
        assert!(!same(&of("some words"), &of("https://example.org/licence")));
    }

    #[test]
    fn the_czech_statement_that_nothing_is_protected_is_in_the_table() {
        let licence = resolve(&format!("{CZECH}{}", UNPROTECTED[0].1)).unwrap();
        assert_eq!(licence.class().as_str(), "public_domain");
    }
}
