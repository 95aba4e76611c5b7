//! One record: a dataset and what hangs on it, into a draft.

use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;

use jiff::civil::Date;

use super::node::{Node, Term};
use super::spill::{Damage, NODE_LIMIT, Sorted};
use super::terms::{OWN_CLASS, Property};
use super::{coverage, distribution, gdpr, german, health, parties, policy, rights, tables, training, words};
use crate::domain::bounds;
use crate::domain::dataset::{Dataset, Source};
use crate::domain::ids::{Country, Digest, Iri, LanguageTag};
use crate::domain::text::Text;
use crate::formats::draft::{self, Common, Notes, Read};
use crate::formats::{Draft, Refused, text};
use crate::vocabulary;

pub(super) use crate::formats::draft::{parse_iri, shown, undetermined};

/// Counted up when the same record is to be read differently, so that a second import revises what the first one made.
const MAPPING: &str = "dcat-3";
/// The most bytes of statements about one dataset and what hangs on it.
const RECORD_LIMIT: usize = 32 << 20;

/// Reads the record at a place.
pub(super) fn read(
    sorted: &mut Sorted,
    damage: &Damage,
    place: u64,
    common: &Common,
) -> io::Result<Result<Draft, Refused>> {
    let node = Rc::new(sorted.node_at(place)?);
    let subject = node.subject.clone();
    let is_ours = node.is_a(OWN_CLASS);
    let met = BTreeMap::from([(subject.clone(), Rc::clone(&node))]);
    let notes = Notes::default();
    let mut record = Record { subject, sorted, damage, notes, fault: None, is_ours, met, size: node.size };
    record.check(&node);
    let common = Common { country: record.country(&node, common), ..common.clone() };
    let dataset = record.dataset(&node, &common)?;
    let refuse = |reason: String| Ok(Err(Refused { place: node.subject.clone(), reason }));
    let dataset = match (record.fault.take(), dataset) {
        (Some(fault), _) => return refuse(fault),
        (None, Err(reason)) => return refuse(reason),
        (None, Ok(dataset)) => dataset,
    };
    let Ok(iri) = node.subject.parse::<Iri>() else {
        return refuse("it has no IRI of its own, so a second import could not know it again".into());
    };
    let format = format(&node, &dataset);
    let text = words::of(&mut record, &node)?;
    let read = Read { dataset, iri, notes: record.notes, text };
    Ok(draft::finish(read, format, MAPPING, &common).map(|draft| by_its_words(draft, &common)))
}

/// The digest of a record is that of its own words, so that whatever its source changes is seen, read or not.
fn by_its_words(mut draft: Draft, common: &Common) -> Draft {
    if !draft.text.is_empty() {
        let country = common.country.as_ref().map_or("", Country::as_str);
        let digest = Digest::of(format!("{MAPPING}\n{country}\n{}", draft.text).as_bytes());
        draft.source = Source { digest, ..draft.source };
        draft.dataset["source"]["digest"] = serde_json::json!(digest);
    }
    draft
}

/// The most particular profile whose terms the record uses.
fn format(node: &Node, dataset: &Dataset) -> &'static str {
    const HEALTH: [Property; 5] = [
        Property::HDAB,
        Property::HEALTH_CATEGORY,
        Property::HEALTH_THEME,
        Property::INDIVIDUALS,
        Property::POPULATION,
    ];
    const LEARNING: [Property; 5] = [
        Property::COLLECTION_DATE,
        Property::COLLECTION_METHOD,
        Property::CURATION_METHOD,
        Property::DATA_PROVENANCE,
        Property::VERSION_LABEL,
    ];
    let uses = |properties: &[Property]| properties.iter().any(|property| node.all(*property).next().is_some());
    if uses(&HEALTH) {
        "health-dcat-ap"
    } else if uses(&LEARNING) {
        "mldcat-ap"
    } else if dataset.distributions.iter().any(|own| rights::is_czech(own.licence.as_ref()))
        || rights::is_czech(dataset.licence.as_ref())
    {
        "dcat-ap-cz"
    } else if uses(&[Property::DE_CONTRIBUTOR]) {
        "dcat-ap-de"
    } else {
        "dcat-ap"
    }
}

/// A record being read: its graph, what could not be kept, and what makes it unusable.
pub(super) struct Record<'a> {
    /// The dataset's name.
    pub(super) subject: String,
    pub(super) sorted: &'a mut Sorted,
    damage: &'a Damage,
    pub(super) notes: Notes,
    fault: Option<String>,
    /// It was written by a node of this kind: our own terms say exactly what was meant, and nothing is concluded.
    pub(super) is_ours: bool,
    /// What was read of it so far, by name.
    pub(super) met: BTreeMap<String, Rc<Node>>,
    size: usize,
}

impl Record<'_> {
    fn dataset(&mut self, node: &Node, common: &Common) -> io::Result<Result<Dataset, String>> {
        let Some(title) = self.title("title", node.all(Property::TITLE)) else {
            return Ok(Err("it has no title".into()));
        };
        let mut dataset = draft::empty(title, common);
        self.describe(node, &mut dataset)?;
        self.times(node, &mut dataset);
        self.references(node, &mut dataset)?;
        dataset.publisher = parties::publisher(self, node)?;
        dataset.creators = parties::creators(self, node)?;
        dataset.contact = parties::contact(self, node)?;
        dataset.spatial = coverage::places(self, node)?;
        dataset.temporal = coverage::periods(self, node)?;
        dataset.access_rights = rights::access(self, node)?;
        dataset.tdm_reservation = rights::tdm_reservation(node);
        dataset.tdm_policy = self.one_iri("policy of text and data mining", node.all(Property::TDM_POLICY));
        dataset.policy = policy::policy(self, node)?;
        dataset.health = health::health(self, node)?;
        let distributions = distribution::all(self, node)?;
        dataset.rights = rights::statement(self, node, &distributions)?;
        dataset.licence = rights::agreed_licence(self, node, &distributions)?;
        dataset.gdpr = gdpr::gdpr(self, node, &distributions)?;
        dataset.training = training::training(self, node, &distributions)?;
        dataset.record_sets = tables::tables(self, node, &distributions)?;
        dataset.distributions = distributions
            .into_iter()
            .map(|read| {
                let mut own = read.distribution;
                let repeats = |licence: &_| dataset.licence.as_ref().is_some_and(|all| rights::same(licence, all));
                own.licence = own.licence.filter(|licence| self.is_ours || !repeats(licence));
                own
            })
            .collect();
        german::complete(self, node, &mut dataset)?;
        Ok(Ok(dataset))
    }

    fn describe(&mut self, node: &Node, dataset: &mut Dataset) -> io::Result<()> {
        dataset.description = self.prose("description", node.all(Property::DESCRIPTION));
        let subjects = |is_text: bool| node.all(Property::SUBJECT).filter(move |term| term.is_literal() == is_text);
        let keywords = self.literals("keyword", node.all(Property::KEYWORD).chain(subjects(true)));
        dataset.keywords = self.notes.keywords(keywords);
        let themes = node.all(Property::THEME).chain(node.all(Property::HVD_CATEGORY)).chain(subjects(false));
        dataset.themes = self.notes.themes(themes.filter_map(Term::text));
        let languages = node.first_of(&[Property::OWN_LANGUAGE, Property::LANGUAGE]);
        dataset.languages = self.notes.languages(languages.into_iter().filter_map(Term::text));
        dataset.frequency = self.notes.frequency(node.all(Property::FREQUENCY).filter_map(Term::text));
        dataset.kind = self.one_iri("type", node.all(Property::DC_TYPE).filter(|term| !term.is_literal()));
        dataset.citation = self.passage("citation", node.all(Property::CITATION));
        dataset.provenance = self.statements("provenance", node.all(Property::PROVENANCE))?;
        dataset.fictitious = node.all(Property::OWN_FICTITIOUS).filter_map(Term::text).any(|text| text == "true");
        Ok(())
    }

    fn times(&mut self, node: &Node, dataset: &mut Dataset) {
        dataset.issued = self.dates("issued", node.all(Property::ISSUED)).into_iter().min();
        dataset.modified = self.dates("modified", node.all(Property::MODIFIED)).into_iter().max();
        let versions = node.first_of(&[Property::VERSION, Property::VERSION_INFO, Property::VERSION_LABEL]);
        dataset.version = self.first_line("version", versions.into_iter());
        dataset.version_notes = self.prose("version notes", node.all(Property::VERSION_NOTES));
        dataset.version_of = self.one_iri("version of", node.all(Property::IS_VERSION_OF));
        dataset.series = self.iris("series", node.all(Property::IN_SERIES));
    }

    fn references(&mut self, node: &Node, dataset: &mut Dataset) -> io::Result<()> {
        dataset.applicable_legislation = self.iris("applicable legislation", node.all(Property::LEGISLATION));
        dataset.conforms_to = self.iris("standard", node.all(Property::CONFORMS_TO));
        dataset.identifiers = self.identifiers(node)?;
        dataset.landing_pages = self.iris("landing page", node.all(Property::LANDING_PAGE));
        dataset.documentation = self.iris("documentation", node.all(Property::PAGE));
        dataset.derived_from = self.iris("source", node.all(Property::DERIVED_FROM).chain(node.all(Property::SOURCE)));
        Ok(())
    }

    /// The country: what the caller says, else what a node of this kind wrote.
    fn country(&mut self, node: &Node, common: &Common) -> Option<Country> {
        let own = node.all(Property::OWN_COUNTRY).filter_map(Term::text).find_map(country);
        common.country.clone().or(own)
    }

    /// Everything said about the thing that a term names.
    pub(super) fn follow(&mut self, term: &Term) -> io::Result<Rc<Node>> {
        let Some(subject) = term.subject() else { return Ok(Rc::default()) };
        if let Some(node) = self.met.get(subject) {
            return Ok(Rc::clone(node));
        }
        let node = Rc::new(self.sorted.node(subject)?);
        self.check(&node);
        self.size = self.size.saturating_add(node.size);
        if self.size > RECORD_LIMIT {
            let limit = RECORD_LIMIT >> 20;
            self.fault = Some(format!("more than {limit} MiB are said about it and what hangs on it"));
            return Ok(Rc::default());
        }
        self.met.insert(subject.to_owned(), Rc::clone(&node));
        Ok(node)
    }

    /// The things that terms name, in the order that a node of this kind gave them, else as they come.
    pub(super) fn in_order<'t>(
        &mut self,
        terms: impl Iterator<Item = &'t Term>,
    ) -> io::Result<Vec<(&'t Term, Rc<Node>)>> {
        let mut nodes = Vec::new();
        for term in terms {
            nodes.push((term, self.follow(term)?));
        }
        nodes.sort_by_key(|(_, node)| {
            let place = node.all(Property::OWN_POSITION).find_map(Term::text);
            place.and_then(|text| text.parse::<u64>().ok()).unwrap_or(u64::MAX)
        });
        Ok(nodes)
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
        self.notes.note(note);
    }

    /// A one-line text in its languages; of several in one language the first counts.
    pub(super) fn title<'t>(&mut self, what: &str, terms: impl Iterator<Item = &'t Term>) -> Option<Text> {
        let said = self.literals(what, terms);
        self.notes.title(what, said)
    }

    /// A text of several lines in its languages; several in one language follow one another.
    pub(super) fn prose<'t>(&mut self, what: &str, terms: impl Iterator<Item = &'t Term>) -> Option<Text> {
        let said = self.literals(what, terms);
        self.notes.prose(what, said)
    }

    /// What statements say: texts, or the texts of nodes that stand for a statement.
    pub(super) fn statements<'t>(
        &mut self,
        what: &str,
        terms: impl Iterator<Item = &'t Term>,
    ) -> io::Result<Option<Text>> {
        let mut said = Vec::new();
        for term in terms {
            if term.is_literal() {
                said.push(term.clone());
                continue;
            }
            let node = self.follow(term)?;
            let words =
                [Property::LABEL, Property::PREF_LABEL, Property::DESCRIPTION, Property::TITLE, Property::VALUE];
            said.extend(node.first_of(&words).into_iter().filter(|term| term.is_literal()).cloned());
        }
        Ok(self.prose(what, said.iter()))
    }

    /// A passage without a language: of several the first.
    pub(super) fn passage<'t>(&mut self, what: &str, terms: impl Iterator<Item = &'t Term>) -> Option<String> {
        let passage = terms.filter_map(Term::text).map(text::passage).find(|text| !text.is_empty())?;
        let (passage, was_cut) = text::shortened(passage, bounds::PROSE);
        if was_cut {
            self.note(format!("{what}: shortened to {} characters", bounds::PROSE));
        }
        Some(passage)
    }

    /// The literals among some terms with their language; `und` where none or no valid one is given.
    pub(super) fn literals<'t>(
        &mut self,
        what: &str,
        terms: impl Iterator<Item = &'t Term>,
    ) -> Vec<(LanguageTag, String)> {
        let mut literals = Vec::new();
        for term in terms {
            let Term::Literal { text, language, .. } = term else {
                self.note(format!("{what}: a text was expected, not a reference"));
                continue;
            };
            let language = language.as_deref().map(conventional);
            literals.push((self.notes.tag(what, language.as_deref()), text.clone()));
        }
        literals
    }

    /// IRIs, each once; what is not one is noted.
    pub(super) fn iris<'t>(&mut self, what: &str, terms: impl Iterator<Item = &'t Term>) -> Vec<Iri> {
        self.notes.iris(what, terms.filter_map(Term::text))
    }

    /// One IRI; of several the first.
    pub(super) fn one_iri<'t>(&mut self, what: &str, terms: impl Iterator<Item = &'t Term>) -> Option<Iri> {
        let mut iris = self.iris(what, terms);
        if iris.len() > 1 {
            self.note(format!("{what}: one of several is kept"));
        }
        if iris.is_empty() { None } else { Some(iris.swap_remove(0)) }
    }

    /// One line; of several the first.
    pub(super) fn first_line<'t>(&mut self, what: &str, terms: impl Iterator<Item = &'t Term>) -> Option<String> {
        let mut terms = terms.filter_map(Term::text);
        terms.find_map(|text| self.notes.line(what, text))
    }

    /// Lines, each once.
    pub(super) fn lines<'t>(&mut self, what: &str, terms: impl Iterator<Item = &'t Term>) -> Vec<String> {
        let mut lines = Vec::new();
        for text in terms.filter_map(Term::text) {
            lines.extend(self.notes.line(what, text).filter(|line| !lines.contains(line)));
        }
        self.cut(what, &mut lines);
        lines
    }

    /// A whole number that is not negative.
    pub(super) fn count<'t>(&mut self, what: &str, terms: impl Iterator<Item = &'t Term>) -> Option<u64> {
        let text = { terms }.find_map(Term::text)?;
        let whole = match text.trim().split_once('.') {
            Some((whole, fraction)) if fraction.bytes().all(|b| b == b'0') => whole,
            _ => text.trim(),
        };
        let count = whole.parse().ok().filter(|count| *count <= bounds::COUNT);
        if count.is_none() {
            self.note(format!("{what}: {:?} is not a count", shown(text)));
        }
        count
    }

    /// Keeps a list within its bound.
    pub(super) fn cut<T>(&mut self, what: &str, list: &mut Vec<T>) {
        self.notes.cut(what, list);
    }

    /// Days; what is not one is noted.
    pub(super) fn dates<'t>(&mut self, what: &str, terms: impl Iterator<Item = &'t Term>) -> Vec<Date> {
        self.notes.days(what, terms.filter_map(Term::text))
    }

    fn identifiers(&mut self, node: &Node) -> io::Result<Vec<Iri>> {
        let mut texts: Vec<String> = Vec::new();
        if !self.is_ours {
            texts.push(node.subject.clone());
            texts.extend(node.all(Property::IDENTIFIER).filter_map(Term::text).map(str::to_owned));
        }
        for term in node.all(Property::ADMS_IDENTIFIER) {
            let other = self.follow(term)?;
            if !self.is_ours {
                texts.extend(term.text().map(str::to_owned));
            }
            texts.extend(other.all(Property::NOTATION).filter_map(Term::text).map(str::to_owned));
        }
        let texts = texts.iter().map(String::as_str);
        Ok(if self.is_ours { self.notes.iris("identifier", texts) } else { self.notes.identifiers(texts) })
    }
}

/// A country by its entry in the EU table or by its code.
pub(super) fn country(text: &str) -> Option<Country> {
    vocabulary::country(text).or_else(|| text.parse().ok())
}

/// A language tag in the case in which it is usually written (RFC 5646, section 2.1.1); parsers of RDF give it in lower
/// case.
fn conventional(tag: &str) -> String {
    let mut is_extension = false;
    let parts = tag.split('-').enumerate().map(|(at, part)| {
        let lower = part.to_ascii_lowercase();
        is_extension |= at > 0 && part.len() == 1;
        match part.len() {
            _ if at == 0 || is_extension => lower,
            2 => lower.to_ascii_uppercase(),
            4 if part.is_ascii() => format!("{}{}", lower[..1].to_ascii_uppercase(), &lower[1..]),
            _ => lower,
        }
    });
    parts.collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_spelled_as_usual() {
        for (written, usual) in
            [("pt-br", "pt-BR"), ("SR-LATN", "sr-Latn"), ("fr-t-nl", "fr-t-nl"), ("de-1996", "de-1996"), ("EN", "en")]
        {
            assert_eq!(conventional(written), usual);
        }
    }
}
