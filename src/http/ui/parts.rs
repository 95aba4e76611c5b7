//! Small pieces that several pages show: a text in the reader's language, a badge, *not stated*, a link that is safe.

use std::collections::BTreeMap;

use maud::{Markup, Render, html};

use crate::domain::dataset::AccessRights;
use crate::domain::gdpr::PersonalData;
use crate::domain::ids::{Country, Iri, LanguageTag};
use crate::domain::licence::LicenceClass;
use crate::domain::place::Period;
use crate::domain::text::Text;
use crate::vocabulary;

/// A text in the best language for the reader, marked with its language, so that a screen reader speaks it rightly.
pub fn text(text: &Text, readers: &[LanguageTag]) -> Markup {
    let (language, words) = text.best(readers);
    html! {
        bdi lang=[(language.as_str() != "und").then_some(language.as_str())] { (words) }
        @if language.is_machine_translated() { " " span .badge { "machine translation" } }
    }
}

/// Somebody's words in no stated language, kept apart from what stands beside them: `bdi` ends whatever direction they
/// begin, so that a control character turns nothing of ours around.
pub fn plain(words: &str) -> Markup {
    html! { bdi { (words) } }
}

/// A title and a description in every language but the one they are shown in, for those who read it.
pub fn other_languages(title: &Text, description: Option<&Text>, readers: &[LanguageTag]) -> Markup {
    let texts: Vec<&Text> = [Some(title), description].into_iter().flatten().collect();
    let mut others: BTreeMap<&LanguageTag, Vec<&str>> = BTreeMap::new();
    for text in texts {
        let (shown, _) = text.best(readers);
        for (language, words) in text.iter().filter(|(language, _)| *language != shown) {
            others.entry(language).or_default().push(words);
        }
    }
    html! {
        @if !others.is_empty() {
            details {
                summary { "In " (others.len()) @if others.len() == 1 { " other language" } @else { " other languages" } }
                @for (tag, words) in others {
                    p .prose {
                        b { (language(tag, readers)) @if tag.is_machine_translated() { ", machine translation" } }
                        @for words in words { br; bdi lang=(tag) { (words) } }
                    }
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
    match label(iri.as_str(), readers) {
        Some((language, label)) => html! { span lang=(language) title=(iri) { (label) } },
        None => link(iri),
    }
}

/// The label of a concept for the reader, with the language it is in.
fn label(iri: &str, readers: &[LanguageTag]) -> Option<(&'static str, &'static str)> {
    let labels = vocabulary::labels(iri)?;
    let mut wanted = readers.iter().map(LanguageTag::primary).chain(["en"]);
    let found = wanted.find_map(|wanted| labels.iter().find(|(language, _)| *language == wanted));
    found.or_else(|| labels.iter().next())
}

/// A concept's label by its IRI as text, which is shown as it is where no table has it.
pub fn concept_named(iri: &str, readers: &[LanguageTag]) -> Markup {
    labelled(label(iri, readers), iri, None)
}

/// A country by its name and code.
pub fn country(country: &Country, readers: &[LanguageTag]) -> Markup {
    let found = vocabulary::country_iri(country).and_then(|iri| label(iri, readers));
    labelled(found, country.as_str(), Some(country.as_str()))
}

/// Countries by their names and codes, in their order.
pub fn countries<'a>(countries: impl IntoIterator<Item = &'a Country>, readers: &[LanguageTag]) -> Vec<Markup> {
    countries.into_iter().map(|code| country(code, readers)).collect()
}

/// A language by its name, with its tag where that says more than the name.
pub fn language(tag: &LanguageTag, readers: &[LanguageTag]) -> Markup {
    let found = vocabulary::language_iri(tag.primary()).and_then(|iri| label(iri, readers));
    labelled(found, tag.as_str(), (tag.primary() != tag.as_str()).then_some(tag.as_str()))
}

fn labelled(found: Option<(&str, &str)>, otherwise: &str, code: Option<&str>) -> Markup {
    match found {
        Some((language, label)) => {
            html! { span lang=(language) { (label) } @if let Some(code) = code { " (" (code) ")" } }
        }
        None => plain(otherwise),
    }
}

/// A period from its first to its last day, either of which may be open.
pub fn period(period: &Period) -> Markup {
    html! {
        @match period.start { Some(start) => { (start) } None => { "…" } }
        " – "
        @match period.end { Some(end) => { (end) } None => { "…" } }
    }
}

/// A duration (`P1Y6M`) in words; what is not one stays as it is.
pub fn duration(text: &str) -> String {
    let mut words = Vec::new();
    let mut rest = text.strip_prefix('P').unwrap_or_default();
    while let Some(end) = rest.find(|sign: char| !sign.is_ascii_digit()) {
        let (count, unit) = (&rest[..end], rest[end..].chars().next());
        let unit = match unit {
            Some('Y') => "year",
            Some('M') => "month",
            Some('W') => "week",
            Some('D') => "day",
            _ => return text.to_owned(),
        };
        words.push(format!("{count} {unit}{}", if count == "1" { "" } else { "s" }));
        rest = &rest[end + 1..];
    }
    if words.is_empty() || !rest.is_empty() { text.to_owned() } else { words.join(" ") }
}

/// The page of a dataset of any node; that of an own one is reached by way of it.
pub fn page_of(id: &str) -> String {
    let id: String = url::form_urlencoded::byte_serialize(id.as_bytes()).collect();
    format!("/dataset?id={id}")
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
pub fn badge(tone: &str, words: impl Render) -> Markup {
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

/// The same as the name of a choice, with a capital.
pub fn choice(value: &str) -> String {
    let mut letters = value.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    words(&first.into_iter().chain(letters).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_read_in_words_and_what_is_none_stays() {
        assert_eq!(duration("P1Y6M"), "1 year 6 months");
        assert_eq!(duration("P10D"), "10 days");
        for odd in ["P", "PT5M", "P1", "year", ""] {
            assert_eq!(duration(odd), odd);
        }
    }

    #[test]
    fn countries_and_languages_have_the_names_that_the_reader_knows() {
        let readers = ["sv".parse().unwrap()];
        let shown = |markup: Markup| markup.into_string();
        assert_eq!(shown(country(&"FI".parse().unwrap(), &readers)), r#"<span lang="sv">Finland</span> (FI)"#);
        assert_eq!(shown(country(&"GR".parse().unwrap(), &[])), r#"<span lang="en">Greece</span> (GR)"#);
        assert_eq!(shown(language(&"fi".parse().unwrap(), &[])), r#"<span lang="en">Finnish</span>"#);
        assert_eq!(shown(language(&"de-AT".parse().unwrap(), &readers)), r#"<span lang="sv">tyska</span> (de-AT)"#);
    }
}
