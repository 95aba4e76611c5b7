//! One record: a dataset and what hangs on it, into a draft.

use std::io;

use jiff::civil::Date;

use super::node::{Node, Term};
use super::spill::{Damage, NODE_LIMIT, Sorted};
use super::terms::Property;
use super::{coverage, distribution, parties, rights};
use crate::domain::dataset::Dataset;
use crate::domain::ids::{Iri, LanguageTag};
use crate::domain::text::Text;
use crate::formats::draft::{self, Common, Notes, Read};
use crate::formats::{Draft, Refused};

pub(super) use crate::formats::draft::{parse_iri, shown, undetermined};

/// Counted up when the same record is to be read differently, so that a second import revises what the first one made.
const MAPPING: &str = "dcat-2";

/// Reads the record at a place.
pub(super) fn read(
    sorted: &mut Sorted,
    damage: &Damage,
    place: u64,
    common: &Common,
) -> io::Result<Result<Draft, Refused>> {
    let node = sorted.node_at(place)?;
    let subject = node.subject.clone();
    let mut record = Record { sorted, damage, notes: Notes::default(), fault: None };
    record.check(&node);
    let dataset = record.dataset(&node, common)?;
    let Record { notes, fault, .. } = record;
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
    Ok(draft::finish(Read { dataset, iri, notes, text: String::new() }, "dcat-ap", MAPPING, common))
}

/// A record being read: its graph, what could not be kept, and what makes it unusable.
pub(super) struct Record<'a> {
    sorted: &'a mut Sorted,
    damage: &'a Damage,
    pub(super) notes: Notes,
    fault: Option<String>,
}

impl Record<'_> {
    fn dataset(&mut self, node: &Node, common: &Common) -> io::Result<Result<Dataset, String>> {
        let Some(title) = self.title("title", node.all(Property::TITLE)) else {
            return Ok(Err("it has no title".into()));
        };
        let distributions = distribution::all(self, node)?;
        let licence = rights::agreed_licence(self, node, &distributions)?;
        let mut dataset = draft::empty(title, common);
        dataset.description = self.prose("description", node.all(Property::DESCRIPTION));
        let keywords = self.literals("keyword", node.all(Property::KEYWORD));
        dataset.keywords = self.notes.keywords(keywords);
        let themes = node.all(Property::THEME).chain(node.all(Property::HVD_CATEGORY)).filter_map(Term::text);
        dataset.themes = self.notes.themes(themes);
        dataset.publisher = parties::publisher(self, node)?;
        dataset.creators = parties::creators(self, node)?;
        dataset.contact = parties::contact(self, node)?;
        dataset.languages = self.notes.languages(node.all(Property::LANGUAGE).filter_map(Term::text));
        dataset.spatial = coverage::places(self, node)?;
        dataset.temporal = coverage::periods(self, node)?;
        dataset.frequency = self.notes.frequency(node.all(Property::FREQUENCY).filter_map(Term::text));
        dataset.access_rights = rights::access(self, node)?;
        dataset.applicable_legislation = self.iris("applicable legislation", node.all(Property::LEGISLATION));
        dataset.issued = self.dates("issued", node.all(Property::ISSUED)).into_iter().min();
        dataset.modified = self.dates("modified", node.all(Property::MODIFIED)).into_iter().max();
        dataset.version = self.version(node);
        dataset.version_notes = self.prose("version notes", node.all(Property::VERSION_NOTES));
        dataset.identifiers = self.identifiers(node)?;
        dataset.landing_pages = self.iris("landing page", node.all(Property::LANDING_PAGE));
        dataset.documentation = self.iris("documentation", node.all(Property::PAGE));
        dataset.derived_from = self.iris("source", node.all(Property::DERIVED_FROM).chain(node.all(Property::SOURCE)));
        dataset.licence = licence;
        dataset.tdm_reservation = rights::tdm_reservation(node);
        dataset.gdpr = rights::gdpr(self, node, &distributions);
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

    /// The literals among some terms with their language; `und` where none or no valid one is given.
    fn literals<'t>(&mut self, what: &str, terms: impl Iterator<Item = &'t Term>) -> Vec<(LanguageTag, String)> {
        let mut literals = Vec::new();
        for term in terms {
            let Term::Literal { text, language } = term else {
                self.note(format!("{what}: a text was expected, not a reference"));
                continue;
            };
            literals.push((self.notes.tag(what, language.as_deref()), text.clone()));
        }
        literals
    }

    /// IRIs, each once; what is not one is noted.
    pub(super) fn iris<'t>(&mut self, what: &str, terms: impl Iterator<Item = &'t Term>) -> Vec<Iri> {
        self.notes.iris(what, terms.filter_map(Term::text))
    }

    /// Keeps a list within its bound.
    pub(super) fn cut<T>(&mut self, what: &str, list: &mut Vec<T>) {
        self.notes.cut(what, list);
    }

    /// Days; what is not one is noted.
    pub(super) fn dates<'t>(&mut self, what: &str, terms: impl Iterator<Item = &'t Term>) -> Vec<Date> {
        self.notes.days(what, terms.filter_map(Term::text))
    }

    fn version(&mut self, node: &Node) -> Option<String> {
        let terms = node.first_of(&[Property::VERSION, Property::VERSION_INFO]);
        terms.into_iter().filter_map(Term::text).find_map(|text| self.notes.line("version", text))
    }

    fn identifiers(&mut self, node: &Node) -> io::Result<Vec<Iri>> {
        let mut texts: Vec<String> = vec![node.subject.clone()];
        texts.extend(node.all(Property::IDENTIFIER).filter_map(Term::text).map(str::to_owned));
        for term in node.all(Property::ADMS_IDENTIFIER).cloned().collect::<Vec<_>>() {
            texts.extend(term.text().map(str::to_owned));
            let other = self.follow(&term)?;
            texts.extend(other.all(Property::NOTATION).filter_map(Term::text).map(str::to_owned));
        }
        Ok(self.notes.identifiers(texts.iter().map(String::as_str)))
    }
}
