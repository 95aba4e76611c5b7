//! Small pieces that several pages show: a text in the reader's language, a badge, *not stated*, a link that is safe.

use maud::{Markup, html};

use crate::domain::dataset::AccessRights;
use crate::domain::gdpr::PersonalData;
use crate::domain::ids::{Iri, LanguageTag};
use crate::domain::licence::LicenceClass;
use crate::domain::text::Text;
use crate::vocabulary;

/// A text in the best language for the reader, marked with its language, so that a screen reader speaks it rightly.
pub fn text(text: &Text, readers: &[LanguageTag]) -> Markup {
    let (language, words) = text.best(readers);
    html! {
        span lang=[(language.as_str() != "und").then_some(language.as_str())] { (words) }
        @if language.is_machine_translated() { " " span .badge { "machine translation" } }
    }
}

/// The same text in every other language, for those who read it.
pub fn other_languages(text: &Text, readers: &[LanguageTag]) -> Markup {
    let (shown, _) = text.best(readers);
    let others: Vec<_> = text.iter().filter(|(language, _)| *language != shown).collect();
    html! {
        @if !others.is_empty() {
            details {
                summary { "In " (others.len()) @if others.len() == 1 { " other language" } @else { " other languages" } }
                @for (language, words) in others {
                    p { b { (language) } " " span lang=(language) { (words) } }
                }
            }
        }
    }
}

/// What is said where nobody said anything.
pub fn not_stated() -> Markup {
    html! { span .unstated { "not stated" } }
}

/// A row of a list of facts, with *not stated* where there is nothing.
pub fn fact(name: &str, value: Option<Markup>) -> Markup {
    html! { dt { (name) } dd { (value.unwrap_or_else(not_stated)) } }
}

/// A row of a list of facts for a list of values.
pub fn facts(name: &str, values: &[Markup]) -> Markup {
    let joined = html! { @for (place, value) in values.iter().enumerate() { @if place > 0 { ", " } (value) } };
    fact(name, (!values.is_empty()).then_some(joined))
}

/// A concept by its label in the reader's language, with its IRI at hand.
pub fn concept(iri: &Iri, readers: &[LanguageTag]) -> Markup {
    let label = vocabulary::label(iri.as_str(), readers);
    html! {
        @match label {
            Some(label) => { span title=(iri) { (label) } }
            None => { (link(iri)) }
        }
    }
}

/// An IRI as a link where a browser may follow it, else as plain text: `javascript:` and the like never become links.
pub fn link(iri: &Iri) -> Markup {
    html! {
        @match iri.link() {
            Some(href) => { a href=(href) rel="nofollow noopener noreferrer" { (iri) } }
            None => { code { (iri) } }
        }
    }
}

/// A badge with its tone: empty, `good`, `warn` or `bad`.
pub fn badge(tone: &str, words: &str) -> Markup {
    html! { li class={ "badge " (tone) } { (words) } }
}

/// Access in words, with its tone.
pub fn access(rights: AccessRights) -> (&'static str, &'static str) {
    match rights {
        AccessRights::Public => ("good", "Public"),
        AccessRights::Restricted => ("warn", "Restricted"),
        AccessRights::NonPublic => ("bad", "Not public"),
        AccessRights::NotStated => ("", "Access not stated"),
    }
}

/// Personal data in words, with its tone.
pub fn personal_data(personal: PersonalData) -> (&'static str, &'static str) {
    match personal {
        PersonalData::No => ("good", "No personal data"),
        PersonalData::Anonymised => ("good", "Anonymised"),
        PersonalData::Pseudonymised => ("warn", "Pseudonymised personal data"),
        PersonalData::Yes => ("warn", "Personal data"),
        PersonalData::NotStated => ("", "Personal data not stated"),
    }
}

/// A class of licences in words.
pub fn licence_class(class: LicenceClass) -> &'static str {
    match class {
        LicenceClass::PublicDomain => "No conditions",
        LicenceClass::Attribution => "Name the source",
        LicenceClass::ShareAlike => "Name the source, share alike",
        LicenceClass::NonCommercial => "No commercial use",
        LicenceClass::NoDerivatives => "No derived works",
        LicenceClass::Other => "Other terms",
    }
}

/// Bytes as a person reads them.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut value = count as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{count} B") } else { format!("{value:.1} {}", UNITS[unit]) }
}

/// A number with thin spaces between its thousands.
pub fn number(count: u64) -> String {
    let digits = count.to_string();
    let mut spaced = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            spaced.push('\u{202f}');
        }
        spaced.push(digit);
    }
    spaced
}

/// An enumerated word (`web_crawled`) as a person reads it.
pub fn words(value: &str) -> String {
    value.replace(['_', '-'], " ")
}
