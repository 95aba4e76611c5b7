//! What one may do with a dataset, on its page: the licences and by which rule they were understood, what they permit
//! together, the policy, and whom to ask.

use maud::{Markup, html};

use super::dataset_page::View;
use super::parts;
use crate::domain::dataset::{Contact, TdmReservation};
use crate::domain::effective::Effective;
use crate::domain::ids::LanguageTag;
use crate::domain::licence::{Answer, Confidence, Licence, Permissions};
use crate::domain::policy::{Constraint, Policy};

/// The terms of the dataset.
pub fn terms(view: &View) -> Markup {
    let (dataset, readers) = (&view.record.dataset, view.readers);
    html! {
        dl .facts {
            (parts::fact("Licence", dataset.licence.as_ref().map(licence)))
            @if view.effective.parts.iter().any(|part| part.licence.is_some()) { (permissions(view.effective.permissions)) }
            (parts::fact("Reservation of text and data mining", match dataset.tdm_reservation {
                TdmReservation::Reserved => Some(html! { "reserved: ask first" }),
                TdmReservation::NotReserved => Some(html! { "not reserved" }),
                TdmReservation::NotStated => None,
            }))
            (parts::fact("Policy", dataset.policy.as_ref().map(|found| policy(found, readers))))
            @if let Some(contact) = &dataset.contact {
                dt { "Contact" } dd { (reach(contact)) }
            } @else { (parts::fact("Contact", None)) }
            (parts::facts("Applicable legislation", &dataset.applicable_legislation.iter().map(parts::link).collect::<Vec<_>>()))
        }
        (together(&view.effective))
    }
}

/// What the licences of the parts make of the whole, where that is not plain from one of them.
fn together(effective: &Effective) -> Markup {
    let mut named: Vec<&str> =
        effective.parts.iter().filter_map(|part| part.licence.as_ref()).map(Licence::label).collect();
    named.sort_unstable();
    named.dedup();
    html! {
        @if named.len() > 1 {
            p .hint { "Its parts are under " (named.len()) " licences; what is said here holds for all of them together." }
        }
        @for conflict in &effective.conflicts {
            div .note { p { b { (conflict.licences.join(", ")) ": " } (conflict.detail) } }
        }
        @if !effective.not_known.is_empty() && effective.parts.len() > 1 {
            p .hint {
                "The licence of " (effective.not_known.len()) " of its " (effective.parts.len())
                " parts is not known; because of them what they permit is not stated."
            }
        }
    }
}

/// Where a desk is reached.
pub fn reach(contact: &Contact) -> Markup {
    html! {
        (parts::plain(&contact.name))
        @if let Some(email) = &contact.email { " · " a href={ "mailto:" (email) } { (email) } }
        @if let Some(page) = &contact.page { " · " (parts::link(page)) }
    }
}

/// A licence: what it is, and what its source wrote.
pub fn licence(licence: &Licence) -> Markup {
    html! {
        @match (&licence.spdx, &licence.iri) {
            (Some(spdx), Some(iri)) => { (spdx) " (" (parts::link(iri)) ")" }
            (Some(spdx), None) => { (spdx) }
            (None, Some(iri)) => { (parts::link(iri)) }
            (None, None) => { (parts::licence_class(licence.class())) }
        }
        @if let Some(raw) = &licence.raw { p .hint { "As the source says: " (parts::plain(raw)) (matched(licence)) } }
    }
}

/// By which rule the source's words were understood, and whether somebody should look.
fn matched(licence: &Licence) -> Markup {
    let Some(matched) = &licence.matched else {
        return html! { @if !licence.is_identified() { " (not recognised as one licence: read it before you use the data)" } };
    };
    let rule = match matched.rule.as_str() {
        "eu_table" => "by its entry in the EU licence table",
        "address" => "by the licence's own address",
        "spdx_id" => "by its SPDX id",
        "name" => "by its registered name",
        "creative_commons" => "by the elements of its name",
        "without_version" => "without its version: what every version permits",
        "link" => "by the address that it links to",
        "prose" => "in a sentence",
        other => other,
    };
    let relied = match matched.confidence {
        Confidence::Exact | Confidence::Named => "",
        Confidence::Likely => "; likely, a steward should look once",
    };
    html! { " (recognised " (rule) (relied) ")" }
}

fn permissions(permissions: Permissions) -> Markup {
    let answer = |answer: Answer| match answer {
        Answer::Yes => Some(html! { "yes" }),
        Answer::No => Some(html! { "no" }),
        Answer::NotStated => None,
    };
    html! {
        (parts::fact("Commercial use", answer(permissions.commercial)))
        (parts::fact("Derived works", answer(permissions.derivatives)))
        (parts::fact("Same licence for derived works", answer(permissions.share_alike)))
        (parts::fact("Must name the source", answer(permissions.attribution)))
        (parts::fact("Training of models", answer(permissions.ai_training)))
        (parts::fact("Text and data mining", answer(permissions.text_and_data_mining)))
    }
}

fn policy(policy: &Policy, readers: &[LanguageTag]) -> Markup {
    html! {
        @for rule in &policy.permissions {
            p { "Permitted: " b { (rule.action) } (constraints(&rule.constraints, readers))
                @for duty in &rule.duties { "; duty: " b { (duty.action) } (constraints(&duty.constraints, readers)) } }
        }
        @for rule in &policy.prohibitions {
            p { "Prohibited: " b { (rule.action) } (constraints(&rule.constraints, readers))
                @for duty in &rule.duties { "; duty: " b { (duty.action) } (constraints(&duty.constraints, readers)) } }
        }
        @if policy.approval { p { "A steward decides each request." } }
        @if let Some(duration) = &policy.duration { p { "An agreement holds for " (parts::duration(duration)) "." } }
    }
}

fn constraints(constraints: &[Constraint], readers: &[LanguageTag]) -> Markup {
    html! {
        @for (place, constraint) in constraints.iter().enumerate() {
            @if place == 0 { " where " } @else { " and " }
            (constraint.left) " " (operator(&constraint.operator)) " "
            @for (place, value) in constraint.right.iter().enumerate() {
                @if place > 0 { ", " }
                @match value.parse() { Ok(iri) => { (parts::concept(&iri, readers)) } Err(_) => { (parts::plain(value)) } }
            }
        }
    }
}

/// An ODRL operator in words; one that has none is shown as it is, since the engine denies by it.
fn operator(operator: &str) -> &str {
    match operator {
        "eq" => "is",
        "neq" => "is not",
        "lt" => "is before or below",
        "lteq" => "is at most",
        "gt" => "is after or above",
        "gteq" => "is at least",
        "isA" => "is a kind of",
        "isAnyOf" => "is any of",
        "isNoneOf" => "is none of",
        "isAllOf" => "is all of",
        other => other,
    }
}
