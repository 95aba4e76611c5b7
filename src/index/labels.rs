//! Words and the concepts that they name: the index holds a record's concepts by IRI, and a question is widened here.
//!
//! A record carries a handful of concepts (themes, languages, places, purposes, formats), each one term in the `label`
//! field. Whoever asks looks the words up in the labels of all languages and asks for the concepts beside the words, so
//! a peer counts IRIs and needs neither the same labels nor the asker's languages.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use crate::domain::dataset::Dataset;
use crate::domain::ids::LanguageTag;
use crate::vocabulary;

use super::analysis::{Reduction, words};

/// A form that stands in the labels of more concepts than this says nothing: *and*, *other*, *data*.
const TOO_COMMON: usize = 24;
/// The most concepts that one word is widened by.
const MOST: usize = 8;
/// Forms of fewer letters are articles and the like.
const SHORTEST: usize = 3;

/// Concepts that no record is indexed by.
const LEFT_OUT: [&str; 3] = ["/authority/frequency/", "/authority/access-right/", "/authority/licence/"];

/// The concepts of a record, by IRI as the tables spell them.
pub(super) fn concepts(dataset: &Dataset) -> BTreeSet<&'static str> {
    let places = dataset.spatial.iter();
    let stated = dataset
        .themes
        .iter()
        .chain(places.clone().filter_map(|place| place.iri.as_ref()))
        .chain(&dataset.gdpr.purposes)
        .chain(&dataset.gdpr.categories)
        .chain(&dataset.gdpr.special_categories)
        .filter_map(|iri| vocabulary::concept_iri(iri.as_str()));
    let languages = dataset.languages.iter().filter_map(|tag| vocabulary::language_iri(tag.primary()));
    let countries = places.filter_map(|place| place.country.as_ref()).chain([&dataset.country]);
    let formats = dataset.formats().into_iter().filter_map(|format| vocabulary::file_type_iri(&format.to_uppercase()));
    stated.chain(languages).chain(countries.filter_map(vocabulary::country_iri)).chain(formats).collect()
}

/// The concepts that a word's forms name, those whose whole label it is first; true for those.
pub(super) fn named(forms: &[String]) -> Vec<(&'static str, bool)> {
    let mut found: Vec<(bool, &'static str)> = Vec::new();
    for form in forms.iter().filter(|form| form.chars().count() >= SHORTEST) {
        for (iri, whole) in NAMES.get(form).into_iter().flatten() {
            match found.iter_mut().find(|(_, known)| known == iri) {
                Some((partly, _)) => *partly &= !whole,
                None => found.push((!whole, *iri)),
            }
        }
    }
    found.sort_unstable();
    found.into_iter().take(MOST).map(|(partly, iri)| (iri, !partly)).collect()
}

/// Makes the table of names, once a process, so that no question waits for it.
pub(super) fn prepare() {
    LazyLock::force(&NAMES);
}

/// The concepts by the forms of the words in their labels, and whether the word is the whole label. Made of the
/// embedded tables alone.
static NAMES: LazyLock<HashMap<String, Vec<(&'static str, bool)>>> = LazyLock::new(|| {
    let mut names: HashMap<String, Vec<(&'static str, bool)>> = HashMap::new();
    for (iri, labels) in vocabulary::all() {
        if LEFT_OUT.iter().any(|table| iri.contains(table)) {
            continue;
        }
        let labels: BTreeSet<(&str, &str)> = labels.iter().collect();
        for (language, label) in labels {
            let language: Option<LanguageTag> = language.parse().ok();
            let label: Vec<_> = words(label, Reduction::of(language.as_ref())).collect();
            let whole = label.len() == 1;
            for form in label.into_iter().flat_map(|word| word.forms) {
                let concepts = names.entry(form).or_default();
                match concepts.iter_mut().find(|(known, _)| *known == iri) {
                    Some((_, known_whole)) => *known_whole |= whole,
                    None => concepts.push((iri, whole)),
                }
            }
        }
    }
    for concepts in names.values_mut() {
        if concepts.len() > TOO_COMMON {
            concepts.retain(|(_, whole)| *whole);
        }
    }
    names.retain(|_, concepts| !concepts.is_empty() && concepts.len() <= TOO_COMMON);
    names
});

#[cfg(test)]
mod tests {
    use super::*;

    fn of(word: &str) -> Vec<(&'static str, bool)> {
        named(&[word.to_owned()])
    }

    #[test]
    fn a_word_names_the_concepts_in_whose_labels_it_stands_in_any_language() {
        let health = "http://publications.europa.eu/resource/authority/data-theme/HEAL";
        assert!(of("health").contains(&(health, true)));
        assert!(of("gesundheit").contains(&(health, true)));
        let food = of("food");
        assert!(food.iter().any(|(iri, whole)| iri.ends_with("data-theme/AGRI") && !whole), "{food:?}");
        assert!(of("csv").iter().any(|(iri, _)| iri.ends_with("file-type/CSV")));
    }

    #[test]
    fn a_word_that_stands_everywhere_or_is_short_names_nothing() {
        assert!(of("and").is_empty(), "{:?}", of("and"));
        assert!(of("of").is_empty());
        assert!(of("no such word").is_empty());
    }
}
