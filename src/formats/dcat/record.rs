//! One record: a dataset and what hangs on it, into a draft.

use std::collections::BTreeMap;
use std::io;

use jiff::civil::Date;
use serde_json::{Value, json};

use super::node::{Node, Term};
use super::spill::{Damage, NODE_LIMIT, Sorted};
use super::terms::Property;
use super::{coverage, distribution, parties, rights};
use crate::domain::bounds;
use crate::domain::dataset::{Dataset, Source, Training, Visibility};
use crate::domain::ids::{Country, DatasetId, Digest, Iri, LanguageTag};
use crate::domain::text::{Keywords, Text};
use crate::formats::{Draft, Refused, text};
use crate::vocabulary;

/// Counted up when the same record is to be read differently, so that a second import revises what the first one made.
const MAPPING: &str = "dcat-1";
/// The most bytes of a draft, which is the most that the API takes.
const DRAFT_LIMIT: usize = 1 << 20;

/// What is the same for every record of an import.
#[derive(Debug, Clone)]
pub(super) struct Common {
    /// The source's name.
    pub(super) source: String,
    /// The country, where one was given.
    pub(super) country: Option<Country>,
}

/// Reads the record at a place.
pub(super) fn read(
    sorted: &mut Sorted,
    damage: &Damage,
    place: u64,
    common: &Common,
) -> io::Result<Result<Draft, Refused>> {
    let node = sorted.node_at(place)?;
    let subject = node.subject.clone();
    let mut record = Record { sorted, damage, notes: Vec::new(), fault: None };
    record.check(&node);
    let dataset = record.dataset(&node, common)?;
    let Record { mut notes, fault, .. } = record;
    notes.sort();
    notes.dedup();
    let refuse = |reason: String| Ok(Err(Refused { place: subject.clone(), reason }));
    if let Some(fault) = fault {
        return refuse(fault);
    }
    let dataset = match dataset {
        Ok(dataset) => dataset,
        Err(reason) => return refuse(reason),
    };
    let Ok(iri) = subject.parse::<Iri>() else {
        return refuse("it has no IRI of its own, so a second import could not know it again".into());
    };
    let mut draft = as_draft(&dataset, common);
    let text = format!("{MAPPING}\n{draft}");
    let source = Source { name: common.source.clone(), iri, digest: Digest::of(text.as_bytes()) };
    let written = json!({"name": source.name, "iri": source.iri, "digest": source.digest});
    let size = text.len() + written.to_string().len();
    if size > DRAFT_LIMIT {
        return refuse(format!("it has {size} bytes as JSON, and a record has at most {DRAFT_LIMIT}"));
    }
    draft["source"] = written;
    Ok(Ok(Draft { source, dataset: draft, notes }))
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

/// A record being read: its graph, what could not be kept, and what makes it unusable.
pub(super) struct Record<'a> {
    sorted: &'a mut Sorted,
    damage: &'a Damage,
    pub(super) notes: Vec<String>,
    fault: Option<String>,
}

impl Record<'_> {
    fn dataset(&mut self, node: &Node, common: &Common) -> io::Result<Result<Dataset, String>> {
        let Some(title) = self.title("title", node.all(Property::TITLE)) else {
            return Ok(Err("it has no title".into()));
        };
        let distributions = distribution::all(self, node)?;
        let licence = rights::agreed_licence(self, node, &distributions)?;
        let mut dataset = Dataset {
            id: placeholder_id(),
            title,
            description: self.prose("description", node.all(Property::DESCRIPTION)),
            country: common.country.clone().unwrap_or_else(placeholder_country),
            keywords: self.keywords(node),
            themes: self.themes(node),
            publisher: parties::publisher(self, node)?,
            creators: parties::creators(self, node)?,
            contact: parties::contact(self, node)?,
            languages: self.languages(node),
            spatial: coverage::places(self, node)?,
            temporal: coverage::periods(self, node)?,
            frequency: self.frequency(node),
            access_rights: rights::access(self, node)?,
            applicable_legislation: self.iris("applicable legislation", node.all(Property::LEGISLATION)),
            issued: self.dates("issued", node.all(Property::ISSUED)).into_iter().min(),
            modified: self.dates("modified", node.all(Property::MODIFIED)).into_iter().max(),
            version: self.version(node),
            version_notes: self.prose("version notes", node.all(Property::VERSION_NOTES)),
            identifiers: self.identifiers(node)?,
            landing_pages: self.iris("landing page", node.all(Property::LANDING_PAGE)),
            documentation: self.iris("documentation", node.all(Property::PAGE)),
            derived_from: self.iris("source", node.all(Property::DERIVED_FROM).chain(node.all(Property::SOURCE))),
            source: None,
            visibility: Visibility::Federation,
            listed: Vec::new(),
            licence,
            policy: None,
            tdm_reservation: rights::tdm_reservation(node),
            gdpr: rights::gdpr(self, node, &distributions),
            training: Training::default(),
            distributions: Vec::new(),
            record_sets: Vec::new(),
            fictitious: false,
        };
        dataset.distributions = distributions
            .into_iter()
            .map(|read| {
                let mut own = read.distribution;
                own.licence = own
                    .licence
                    .filter(|licence| dataset.licence.as_ref().is_none_or(|all| !rights::same(licence, all)));
                own
            })
            .collect();
        Ok(Ok(dataset))
    }

    /// Everything said about the thing that a term names.
    pub(super) fn follow(&mut self, term: &Term) -> io::Result<Node> {
        let Some(subject) = term.subject() else { return Ok(Node::default()) };
        let node = self.sorted.node(subject)?;
        self.check(&node);
        Ok(node)
    }

    fn check(&mut self, node: &Node) {
        if node.is_too_large {
            self.fault = Some(format!("more than {} MiB are said about {}", NODE_LIMIT >> 20, node.subject));
        }
        if let Some(place) = self.damage.subjects.get(&node.subject) {
            self.fault = Some(format!("its description breaks off at {place}"));
        }
    }

    pub(super) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// A one-line text in its languages; of several in one language the first counts.
    pub(super) fn title<'t>(&mut self, what: &str, terms: impl Iterator<Item = &'t Term>) -> Option<Text> {
        let mut texts = BTreeMap::new();
        for (language, raw) in self.literals(what, terms) {
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
    pub(super) fn prose<'t>(&mut self, what: &str, terms: impl Iterator<Item = &'t Term>) -> Option<Text> {
        let mut parts: BTreeMap<LanguageTag, Vec<String>> = BTreeMap::new();
        for (language, raw) in self.literals(what, terms) {
            let part = text::passage(&raw);
            let parts = parts.entry(language).or_default();
            if !part.is_empty() && !parts.contains(&part) {
                parts.push(part);
            }
        }
        let mut texts = BTreeMap::new();
        for (language, parts) in parts.into_iter().filter(|(_, parts)| !parts.is_empty()) {
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

    /// The literals among some terms with their language; `und` where none or no valid one is given.
    fn literals<'t>(&mut self, what: &str, terms: impl Iterator<Item = &'t Term>) -> Vec<(LanguageTag, String)> {
        let mut literals = Vec::new();
        for term in terms {
            let Term::Literal { text, language } = term else {
                self.note(format!("{what}: a text was expected, not a reference"));
                continue;
            };
            let tag = language.as_deref().map(str::parse::<LanguageTag>);
            if let Some(Err(_)) = tag {
                self.note(format!("{what}: the language {:?} is not a tag", language.as_deref().unwrap_or_default()));
            }
            literals.push((tag.and_then(Result::ok).unwrap_or_else(undetermined), text.clone()));
        }
        literals
    }

    /// IRIs, each once; what is not one is noted.
    pub(super) fn iris<'t>(&mut self, what: &str, terms: impl Iterator<Item = &'t Term>) -> Vec<Iri> {
        let mut iris = Vec::new();
        for text in terms.filter_map(Term::text) {
            match parse_iri(text) {
                Some(iri) if iris.contains(&iri) => {}
                Some(iri) => iris.push(iri),
                None => self.note(format!("{what}: {:?} is not an IRI", shown(text))),
            }
        }
        self.cut(what, &mut iris);
        iris
    }

    /// Keeps a list within its bound.
    pub(super) fn cut<T>(&mut self, what: &str, list: &mut Vec<T>) {
        if list.len() > bounds::LIST {
            self.note(format!("{what}: {} of {} are kept", bounds::LIST, list.len()));
            list.truncate(bounds::LIST);
        }
    }

    /// Days; what is not one is noted.
    pub(super) fn dates<'t>(&mut self, what: &str, terms: impl Iterator<Item = &'t Term>) -> Vec<Date> {
        let mut days = Vec::new();
        for text in terms.filter_map(Term::text) {
            match coverage::day(text) {
                Some(day) => days.push(day),
                None => self.note(format!("{what}: {:?} is not a day", shown(text))),
            }
        }
        days
    }

    fn keywords(&mut self, node: &Node) -> Keywords {
        let mut keywords = Keywords::new();
        for (language, raw) in self.literals("keyword", node.all(Property::KEYWORD)) {
            let word = text::line(&raw);
            if word.chars().count() > bounds::KEYWORDS {
                self.note(format!(
                    "keyword in {language}: one of more than {} characters is left out",
                    bounds::KEYWORDS
                ));
                continue;
            }
            let words = keywords.entry(language).or_default();
            if !word.is_empty() && !words.contains(&word) {
                words.push(word);
            }
        }
        for (language, words) in &mut keywords {
            words.sort();
            if words.len() > bounds::KEYWORDS {
                self.notes.push(format!("keywords in {language}: {} of {} are kept", bounds::KEYWORDS, words.len()));
                words.truncate(bounds::KEYWORDS);
            }
        }
        keywords.retain(|_, words| !words.is_empty());
        keywords
    }

    fn themes(&mut self, node: &Node) -> Vec<Iri> {
        let mut themes = Vec::new();
        for text in node.all(Property::THEME).chain(node.all(Property::HVD_CATEGORY)).filter_map(Term::text) {
            let theme = match vocabulary::theme(text) {
                Some(theme) => Some(theme),
                None if text.contains("://publications.europa.eu/resource/authority/") => None,
                None => parse_iri(text),
            };
            match theme {
                Some(theme) if themes.contains(&theme) => {}
                Some(theme) => themes.push(theme),
                None => self.note(format!("theme: {:?} is not an entry of the EU table", shown(text))),
            }
        }
        self.cut("themes", &mut themes);
        themes
    }

    fn languages(&mut self, node: &Node) -> Vec<LanguageTag> {
        let mut languages = Vec::new();
        for text in node.all(Property::LANGUAGE).filter_map(Term::text) {
            match vocabulary::language(text) {
                Some(tag) if languages.contains(&tag) => {}
                Some(tag) => languages.push(tag),
                None => self.note(format!("language: {:?} is not an entry of the EU table or a tag", shown(text))),
            }
        }
        self.cut("languages", &mut languages);
        languages
    }

    fn frequency(&mut self, node: &Node) -> Option<Iri> {
        let mut found = Vec::new();
        for text in node.all(Property::FREQUENCY).filter_map(Term::text) {
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

    fn version(&mut self, node: &Node) -> Option<String> {
        let terms = node.first_of(&[Property::VERSION, Property::VERSION_INFO]);
        let version = terms.into_iter().filter_map(Term::text).map(text::line).find(|version| !version.is_empty())?;
        Some(text::shortened(version, bounds::LINE).0)
    }

    /// DOIs and URNs; an identifier that means something at the source only is not a persistent one.
    fn identifiers(&mut self, node: &Node) -> io::Result<Vec<Iri>> {
        let mut texts: Vec<String> = vec![node.subject.clone()];
        texts.extend(node.all(Property::IDENTIFIER).filter_map(Term::text).map(str::to_owned));
        for term in node.all(Property::ADMS_IDENTIFIER).cloned().collect::<Vec<_>>() {
            texts.extend(term.text().map(str::to_owned));
            let other = self.follow(&term)?;
            texts.extend(other.all(Property::NOTATION).filter_map(Term::text).map(str::to_owned));
        }
        let mut identifiers: Vec<Iri> = texts.iter().filter_map(|text| persistent(text)).collect();
        identifiers.sort();
        identifiers.dedup();
        self.cut("identifiers", &mut identifiers);
        Ok(identifiers)
    }
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
pub(super) fn parse_iri(text: &str) -> Option<Iri> {
    let text = text.trim();
    text.parse().ok().or_else(|| {
        let is_web = text.starts_with("http://") || text.starts_with("https://");
        is_web.then(|| text.replace(' ', "%20").parse().ok()).flatten()
    })
}

/// A value shortened for a note.
pub(super) fn shown(text: &str) -> String {
    text::shortened(text::line(text), 100).0
}

/// The tag of a text whose language nobody stated.
pub(super) fn undetermined() -> LanguageTag {
    "und".parse().expect("und is a tag")
}

fn placeholder_id() -> DatasetId {
    "https://draft.invalid/dataset/draft".parse().expect("the placeholder is an id")
}

fn placeholder_country() -> Country {
    "BE".parse().expect("BE is a country")
}
