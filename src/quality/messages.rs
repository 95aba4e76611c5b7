//! The sentences of a report, by language and key, with places that a finding fills in.
//!
//! `messages/<language>.tsv` has one key a line with two cells: what was found, and what to do. `{name}` stands for a
//! value of the finding. English has every key; a language that has none of them is answered in English, and so is a
//! single key that a language should lack, which a test does not let happen for the languages that are complete.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::domain::ids::LanguageTag;

/// A language that the report speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Language {
    /// Deutsch.
    German,
    /// English.
    #[default]
    English,
    /// Suomi.
    Finnish,
    /// Français.
    French,
}

impl Language {
    /// Every language, in the order of their tags.
    pub const ALL: [Self; 4] = [Self::German, Self::English, Self::Finnish, Self::French];

    /// Its BCP 47 tag.
    pub fn tag(self) -> &'static str {
        match self {
            Self::German => "de",
            Self::English => "en",
            Self::Finnish => "fi",
            Self::French => "fr",
        }
    }

    /// The first of these languages that the report speaks; else English.
    pub fn of(wanted: &[LanguageTag]) -> Self {
        wanted.iter().find_map(|tag| Self::ALL.into_iter().find(|own| own.tag() == tag.primary())).unwrap_or_default()
    }

    fn table(self) -> &'static Table {
        &TABLES[&self]
    }
}

/// What a key says: what was found, and what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Message {
    text: &'static str,
    fix: &'static str,
}

type Table = HashMap<&'static str, Message>;

static TABLES: LazyLock<HashMap<Language, Table>> = LazyLock::new(|| {
    HashMap::from([
        (Language::German, read(include_str!("messages/de.tsv"))),
        (Language::English, read(include_str!("messages/en.tsv"))),
        (Language::Finnish, read(include_str!("messages/fi.tsv"))),
        (Language::French, read(include_str!("messages/fr.tsv"))),
    ])
});

fn read(text: &'static str) -> Table {
    let cells = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(|line| {
        let mut cells = line.split('\t');
        let key = cells.next().unwrap_or_default();
        (key, Message { text: cells.next().unwrap_or_default(), fix: cells.next().unwrap_or_default() })
    });
    cells.collect()
}

fn message(language: Language, key: &str) -> Option<Message> {
    language.table().get(key).or_else(|| Language::English.table().get(key)).copied()
}

/// The value that is itself a key of the tables, such as the name of a kind of terms.
pub(super) const KIND: &str = "kind";

/// The two sentences of a key with its values filled in; nothing for a key that no table has.
pub(super) fn say(language: Language, key: &str, values: &[(&str, String)]) -> Option<(String, String)> {
    let spoken = |(name, value): &(&'_ str, String)| match *name {
        KIND => word(language, value).to_owned(),
        _ => value.clone(),
    };
    let values: Vec<(&str, String)> = values.iter().map(|pair| (pair.0, spoken(pair))).collect();
    message(language, key).map(|message| (fill(message.text, &values), fill(message.fix, &values)))
}

/// A word or a name that has no values, such as the name of a severity; the key itself where no table has it.
pub fn word(language: Language, key: &str) -> &str {
    message(language, key).map_or(key, |message| message.text)
}

/// Puts values in the places of a sentence, once: what a value says is not read again.
fn fill(sentence: &str, values: &[(&str, String)]) -> String {
    let mut said = String::with_capacity(sentence.len());
    let mut rest = sentence;
    while let Some((before, after)) = rest.split_once('{') {
        said.push_str(before);
        let Some((name, after)) = after.split_once('}') else {
            said.push('{');
            rest = after;
            continue;
        };
        match values.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => said.push_str(value),
            None => said.push('…'),
        }
        rest = after;
    }
    said.push_str(rest);
    said
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The places of a sentence.
    fn places(sentence: &str) -> BTreeSet<&str> {
        sentence.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect()
    }

    #[test]
    fn every_key_is_there_in_every_language_with_the_same_places() {
        for (key, english) in Language::English.table() {
            for language in Language::ALL {
                let said = language.table().get(key).unwrap_or_else(|| panic!("{key} is missing in {language:?}"));
                assert!(!said.text.is_empty(), "{key} says nothing in {language:?}");
                assert_eq!(said.fix.is_empty(), english.fix.is_empty(), "what to do about {key} in {language:?}");
                assert_eq!(places(said.text), places(english.text), "{key} in {language:?}");
                assert_eq!(places(said.fix), places(english.fix), "what to do about {key} in {language:?}");
            }
        }
        for language in Language::ALL {
            assert_eq!(language.table().len(), Language::English.table().len(), "{language:?} has keys of its own");
        }
    }

    #[test]
    fn no_language_repeats_the_english_sentence() {
        for language in [Language::German, Language::Finnish, Language::French] {
            for (key, said) in language.table() {
                let english = Language::English.table()[key];
                assert!(said.text.len() < 25 || said.text != english.text, "{key} in {language:?}");
            }
        }
    }

    /// The codes that a room's source gives to what it finds: a literal in snake case before a sentence.
    fn codes(source: &str) -> BTreeSet<&str> {
        let source = source.split("#[cfg(test)]").next().unwrap_or_default();
        let literals: Vec<(usize, &str)> = source
            .match_indices('"')
            .map(|(at, _)| at)
            .collect::<Vec<_>>()
            .chunks(2)
            .filter(|pair| pair.len() == 2)
            .map(|pair| (pair[0], &source[pair[0] + 1..pair[1]]))
            .collect();
        literals
            .windows(2)
            .filter(|pair| {
                let (at, word) = pair[0];
                let (next, sentence) = pair[1];
                let between = &source[at + word.len() + 2..next];
                let is_code = !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
                is_code
                    && between.starts_with(',')
                    && !between.contains([';', ']'])
                    && sentence.matches(' ').count() >= 3
            })
            .map(|pair| pair[0].1)
            .collect()
    }

    #[test]
    fn what_other_rooms_find_has_sentences_in_every_language() {
        let rooms = [
            (include_str!("../domain/offerable.rs"), 30),
            (include_str!("../domain/warnings.rs"), 15),
            (include_str!("../catalogue/licences.rs"), 2),
        ];
        for (source, at_least) in rooms {
            let codes = codes(source);
            assert!(codes.len() >= at_least, "{codes:?}");
            for code in codes {
                assert!(Language::English.table().contains_key(code), "no sentence for {code}");
            }
        }
    }

    #[test]
    fn a_value_is_put_in_its_place_and_not_read_again() {
        let values = [("found", "{found} {x}".to_owned())];
        assert_eq!(fill("a {found} b {other} {", &values), "a {found} {x} b … {");
    }

    #[test]
    fn the_report_speaks_the_first_language_it_knows() {
        let tags = |text: &str| -> Vec<LanguageTag> { text.split(' ').map(|tag| tag.parse().unwrap()).collect() };
        assert_eq!(Language::of(&tags("sv fr-BE de")), Language::French);
        assert_eq!(Language::of(&tags("sv et")), Language::English);
        assert_eq!(Language::of(&[]), Language::English);
    }
}
