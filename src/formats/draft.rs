//! From what a record of another catalogue says to a [`Draft`]: the rules that every reader shares.
//!
//! A reader knows its format and hands over raw strings; [`Notes`] makes domain values of them and remembers, one
//! sentence each, what could not be kept as it was. [`finish`] puts the draft together: without what is not stated, with
//! its source and the source's own text.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::Hash;

use jiff::civil::Date;
use serde_json::{Value, json};

use super::{Draft, Refused, text};
use crate::domain::bounds;
use crate::domain::dataset::{Dataset, Source};
use crate::domain::ids::{Country, DatasetId, Digest, Iri, LanguageTag};
use crate::domain::text::{Keywords, Text};
use crate::vocabulary;

/// The most bytes of a draft, which is the most that the API takes.
const DRAFT_LIMIT: usize = 1 << 20;

/// The most members of a list that are read at all; as many as are kept of them stand in [`bounds::LIST`].
pub(crate) const READ: usize = 4 * bounds::LIST;

/// What is the same for every record of an import.
#[derive(Debug, Clone)]
pub struct Common {
    /// The source's name.
    pub source: String,
    /// The country, where one was given.
    pub country: Option<Country>,
}

/// What a reader makes of one record, before it is a draft.
#[derive(Debug, Clone)]
pub(crate) struct Read {
    /// What it says; its id and, where none was given, its country are placeholders.
    pub(crate) dataset: Dataset,
    /// Its IRI at the source.
    pub(crate) iri: Iri,
    /// What could not be kept.
    pub(crate) notes: Notes,
    /// The record in its own words.
    pub(crate) text: String,
}

/// A dataset with a title and nothing else, to be filled in by a reader.
pub(crate) fn empty(title: Text, common: &Common) -> Dataset {
    let country = common.country.clone().unwrap_or_else(placeholder_country);
    Dataset::new(placeholder_id(), title, country)
}

/// Makes the draft. `format` names the format and its version, such as `croissant-1.1`; `mapping` is counted up by a
/// reader when it reads the same record differently, so that a second import revises what the first one made.
pub(crate) fn finish(read: Read, format: &str, mapping: &str, common: &Common) -> Result<Draft, Refused> {
    let Read { dataset, iri, notes, text } = read;
    let mut draft = as_draft(&dataset, common);
    let digest = Digest::of(format!("{mapping}\n{draft}").as_bytes());
    let source = Source { name: common.source.clone(), iri, digest, format: Some(format.to_owned()) };
    draft["source"] = json!(source);
    let size = draft.to_string().len();
    if size > DRAFT_LIMIT {
        let reason = format!("it has {size} bytes as JSON, and a record has at most {DRAFT_LIMIT}");
        return Err(Refused { place: source.iri.to_string(), reason });
    }
    Ok(Draft { source, dataset: draft, notes: notes.sorted(), text })
}

/// The dataset as the API takes it: without an id, and without a country where none was given.
fn as_draft(dataset: &Dataset, common: &Common) -> Value {
    let mut value = serde_json::to_value(dataset).unwrap_or_default();
    if let Value::Object(fields) = &mut value {
        // What is not stated is left out, so that it does not take away what a steward added to an earlier import.
        for (name, unsaid) in [
            ("visibility", json!("federation")),
            ("access_rights", json!("not_stated")),
            ("tdm_reservation", json!("not_stated")),
            ("gdpr", json!({"personal_data": "not_stated"})),
            ("training", json!({})),
        ] {
            if fields.get(name) == Some(&unsaid) {
                fields.shift_remove(name);
            }
        }
        fields.shift_remove("id");
        if common.country.is_none() {
            fields.shift_remove("country");
        }
    }
    value
}

/// What could not be kept as it was, one sentence each, and the rules by which the rest is kept.
#[derive(Debug, Clone, Default)]
pub(crate) struct Notes(Vec<String>);

impl Notes {
    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.0.push(note.into());
    }

    /// Every sentence once, in order.
    pub(crate) fn sorted(mut self) -> Vec<String> {
        self.0.sort();
        self.0.dedup();
        self.0
    }

    /// A tag as a source writes it; `und` where there is none or it is none.
    pub(crate) fn tag(&mut self, what: &str, written: Option<&str>) -> LanguageTag {
        let Some(written) = written else { return undetermined() };
        written.parse().unwrap_or_else(|_| {
            self.note(format!("{what}: the language {written:?} is not a tag"));
            undetermined()
        })
    }

    /// A one-line text in its languages; of several in one language the first counts.
    pub(crate) fn title(&mut self, what: &str, said: impl IntoIterator<Item = (LanguageTag, String)>) -> Option<Text> {
        let mut texts = BTreeMap::new();
        for (language, raw) in said {
            let (value, was_cut) = text::shortened(text::line(&raw), bounds::TITLE);
            if was_cut {
                self.note(format!("{what} in {language}: shortened to {} characters", bounds::TITLE));
            }
            if value.is_empty() {
                continue;
            }
            match texts.get(&language) {
                Some(first) if *first != value => {
                    self.note(format!("{what} in {language}: one of several is kept"));
                }
                _ => {
                    texts.insert(language, value);
                }
            }
        }
        self.bounded(what, texts)
    }

    /// A text of several lines in its languages; several in one language follow one another.
    pub(crate) fn prose(&mut self, what: &str, said: impl IntoIterator<Item = (LanguageTag, String)>) -> Option<Text> {
        let mut parts: BTreeMap<LanguageTag, Once<String>> = BTreeMap::new();
        for (language, raw) in said {
            let part = text::passage(&raw);
            if !part.is_empty() {
                parts.entry(language).or_default().push(part);
            }
        }
        let mut texts = BTreeMap::new();
        for (language, parts) in parts {
            let parts = self.read(what, parts);
            let (value, was_cut) = text::shortened(parts.join("\n\n"), bounds::TEXT);
            if was_cut {
                self.note(format!("{what} in {language}: shortened to {} characters", bounds::TEXT));
            }
            texts.insert(language, value);
        }
        self.bounded(what, texts)
    }

    fn bounded(&mut self, what: &str, mut texts: BTreeMap<LanguageTag, String>) -> Option<Text> {
        while texts.len() > bounds::LANGUAGES {
            self.note(format!("{what}: more than {} languages; the last are left out", bounds::LANGUAGES));
            texts.pop_last();
        }
        texts.try_into().ok()
    }

    /// IRIs, each once; what is not one is noted.
    pub(crate) fn iris<'t>(&mut self, what: &str, texts: impl IntoIterator<Item = &'t str>) -> Vec<Iri> {
        let mut iris = Once::default();
        for text in texts {
            match parse_iri(text) {
                Some(iri) => iris.push(iri),
                None => self.note(format!("{what}: {:?} is not an IRI", shown(text))),
            }
        }
        let mut iris = self.read(what, iris);
        self.cut(what, &mut iris);
        iris
    }

    /// What was read of a list, with a note where that is not all.
    fn read<T>(&mut self, what: &str, once: Once<T>) -> Vec<T> {
        if once.is_cut {
            self.note(format!("{what}: more than {READ} are named, and the others are not read"));
        }
        once.list
    }

    /// Keeps a list within its bound.
    pub(crate) fn cut<T>(&mut self, what: &str, list: &mut Vec<T>) {
        if list.len() > bounds::LIST {
            self.note(format!("{what}: {} of {} are kept", bounds::LIST, list.len()));
            list.truncate(bounds::LIST);
        }
    }

    /// Days; what is not one is noted.
    pub(crate) fn days<'t>(&mut self, what: &str, texts: impl IntoIterator<Item = &'t str>) -> Vec<Date> {
        let mut days = Vec::new();
        for text in texts {
            match day(text) {
                Some(day) => days.push(day),
                None => self.note(format!("{what}: {:?} is not a day", shown(text))),
            }
        }
        days
    }

    /// Keywords by language, sorted, each once.
    pub(crate) fn keywords(&mut self, said: impl IntoIterator<Item = (LanguageTag, String)>) -> Keywords {
        let mut sorted: BTreeMap<LanguageTag, BTreeSet<String>> = BTreeMap::new();
        for (language, raw) in said {
            let word = text::line(&raw);
            if word.chars().count() > bounds::KEYWORDS {
                let most = bounds::KEYWORDS;
                self.note(format!("keyword in {language}: one of more than {most} characters is left out"));
                continue;
            }
            if !word.is_empty() {
                sorted.entry(language).or_default().insert(word);
            }
        }
        let mut keywords: Keywords =
            sorted.into_iter().map(|(language, words)| (language, words.into_iter().collect())).collect();
        for (language, words) in &mut keywords {
            if words.len() > bounds::KEYWORDS {
                self.0.push(format!("keywords in {language}: {} of {} are kept", bounds::KEYWORDS, words.len()));
                words.truncate(bounds::KEYWORDS);
            }
        }
        keywords
    }

    /// Themes: entries of the EU tables, or IRIs of other vocabularies.
    pub(crate) fn themes<'t>(&mut self, texts: impl IntoIterator<Item = &'t str>) -> Vec<Iri> {
        let mut themes = Once::default();
        for text in texts {
            let theme = match vocabulary::theme(text) {
                Some(theme) => Some(theme),
                None if text.contains("://publications.europa.eu/resource/authority/") => None,
                None => parse_iri(text),
            };
            match theme {
                Some(theme) => themes.push(theme),
                None => self.note(format!("theme: {:?} is not an entry of the EU table", shown(text))),
            }
        }
        let mut themes = self.read("themes", themes);
        self.cut("themes", &mut themes);
        themes
    }

    /// Languages of the content: entries of the EU table, or tags.
    pub(crate) fn languages<'t>(&mut self, texts: impl IntoIterator<Item = &'t str>) -> Vec<LanguageTag> {
        let mut languages = Once::default();
        for text in texts {
            match vocabulary::language(text) {
                Some(tag) => languages.push(tag),
                None => self.note(format!("language: {:?} is not an entry of the EU table or a tag", shown(text))),
            }
        }
        let mut languages = self.read("languages", languages);
        self.cut("languages", &mut languages);
        languages
    }

    /// The frequency of updates: one entry of the EU table.
    pub(crate) fn frequency<'t>(&mut self, texts: impl IntoIterator<Item = &'t str>) -> Option<Iri> {
        let mut found = Vec::new();
        for text in texts {
            match vocabulary::frequency(text) {
                Some(frequency) => found.push(frequency),
                None if text.ends_with("/UNKNOWN") => {}
                None => self.note(format!("frequency: {:?} is not an entry of the EU table", shown(text))),
            }
        }
        if found.len() > 1 {
            self.note("frequency: several are named, so it is not stated");
            return None;
        }
        found.pop()
    }

    /// DOIs and URNs; an identifier that means something at the source only is not a persistent one.
    pub(crate) fn identifiers<'t>(&mut self, texts: impl IntoIterator<Item = &'t str>) -> Vec<Iri> {
        let mut identifiers: Vec<Iri> = texts.into_iter().filter_map(persistent).collect();
        identifiers.sort();
        identifiers.dedup();
        self.cut("identifiers", &mut identifiers);
        identifiers
    }

    /// One line such as a version or a name; nothing where it is blank.
    pub(crate) fn line(&mut self, what: &str, raw: &str) -> Option<String> {
        let (line, was_cut) = text::shortened(text::line(raw), bounds::LINE);
        if was_cut {
            self.note(format!("{what}: shortened to {} characters", bounds::LINE));
        }
        (!line.is_empty()).then_some(line)
    }
}

/// Members in their order, each once, up to [`READ`].
struct Once<T> {
    list: Vec<T>,
    seen: HashSet<T>,
    is_cut: bool,
}

impl<T> Default for Once<T> {
    fn default() -> Self {
        Self { list: Vec::new(), seen: HashSet::new(), is_cut: false }
    }
}

impl<T: Clone + Eq + Hash> Once<T> {
    fn push(&mut self, member: T) {
        if self.list.len() == READ {
            self.is_cut |= !self.seen.contains(&member);
        } else if self.seen.insert(member.clone()) {
            self.list.push(member);
        }
    }
}

/// A day, alone or at the beginning of a moment.
pub(crate) fn day(text: &str) -> Option<Date> {
    let text = text.trim();
    let date = text.get(..10)?;
    let is_end = text[10..].chars().next().is_none_or(|c| matches!(c, 'T' | 't' | ' ' | 'Z' | '+'));
    bounds::parse_day(date).filter(|_| is_end)
}

/// A DOI in the one spelling `https://doi.org/10.…` in lower case, or a URN as it is.
fn persistent(text: &str) -> Option<Iri> {
    let text = text.trim();
    let lower = text.to_ascii_lowercase();
    let doi = ["https://doi.org/", "http://doi.org/", "https://dx.doi.org/", "http://dx.doi.org/", "doi:", "urn:doi:"]
        .iter()
        .find_map(|prefix| lower.strip_prefix(prefix))
        .unwrap_or(&lower)
        .trim_start();
    let is_doi = doi.strip_prefix("10.").and_then(|rest| rest.split_once('/')).is_some_and(|(registrant, name)| {
        (4..=9).contains(&registrant.len())
            && registrant.bytes().all(|b| b.is_ascii_digit() || b == b'.')
            && !name.is_empty()
    });
    if is_doi {
        return format!("https://doi.org/{doi}").parse().ok();
    }
    lower.starts_with("urn:").then(|| text.parse().ok()).flatten()
}

/// An IRI as portals write them: blanks around it are dropped, and blanks in it are escaped.
pub(crate) fn parse_iri(text: &str) -> Option<Iri> {
    let text = text.trim();
    text.parse().ok().or_else(|| {
        let is_web = text.starts_with("http://") || text.starts_with("https://");
        is_web.then(|| text.replace(' ', "%20").parse().ok()).flatten()
    })
}

/// A value shortened for a note.
pub(crate) fn shown(text: &str) -> String {
    text::shortened(text::line(text), 100).0
}

/// The tag of a text whose language nobody stated.
pub(crate) fn undetermined() -> LanguageTag {
    "und".parse().expect("und is a tag")
}

fn placeholder_id() -> DatasetId {
    "https://draft.invalid/dataset/draft".parse().expect("the placeholder is an id")
}

fn placeholder_country() -> Country {
    "BE".parse().expect("BE is a country")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_without_end_is_read_up_to_a_bound_and_the_note_says_so() {
        let many: Vec<String> =
            (0..300_000).map(|number| format!("https://example.org/{}", number % 150_000)).collect();
        let mut notes = Notes::default();
        let iris = notes.iris("page", many.iter().map(String::as_str));
        assert_eq!((iris.len(), iris[999].as_str()), (bounds::LIST, "https://example.org/999"));
        assert_eq!(notes.themes(many.iter().map(String::as_str)).len(), bounds::LIST);
        let words = notes.keywords(many.iter().map(|word| (undetermined(), word.clone())));
        assert_eq!(words[&undetermined()].len(), bounds::KEYWORDS);
        notes.prose("rights", many.iter().map(|part| (undetermined(), part.clone()))).unwrap();
        let notes = notes.sorted();
        for what in ["page", "themes", "rights"] {
            assert!(
                notes
                    .iter()
                    .any(|note| note == &format!("{what}: more than {READ} are named, and the others are not read")),
                "{notes:?}"
            );
        }
    }
}
