//! Which documents of a segment match: a [`Match`] as an ordered set of document numbers.
//!
//! tantivy's own queries are not used, because its boolean ones misread `a AND NOT b`, none can be stopped, and its
//! phrases take no alternatives. Its postings are: this is the thin layer between.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Instant;

use tantivy::postings::{Postings, SegmentPostings};
use tantivy::query::BitSetDocSet;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{BitSet, DocId, DocSet as _, InvertedIndexReader, SegmentReader, TERMINATED, Term};

use crate::domain::query::{Filters, Match};

use super::IndexError;
use super::fields::Fields;

/// More alternatives than this are merged into a bit set instead of being compared one by one.
const COMPARED: usize = 8;
/// How many steps may pass between two looks at the clock.
const STEPS: u32 = 500;

/// The time by which a search must be done. Cheap to ask often.
pub(super) struct Deadline {
    at: Instant,
    steps: Cell<u32>,
    passed: Cell<bool>,
}

impl Deadline {
    /// A deadline at this instant.
    pub(super) fn new(at: Instant) -> Rc<Self> {
        Rc::new(Self { at, steps: Cell::new(0), passed: Cell::new(Instant::now() >= at) })
    }

    /// Counts a step, and says whether the deadline has passed.
    pub(super) fn has_passed(&self) -> bool {
        let steps = self.steps.get() + 1;
        if steps < STEPS {
            self.steps.set(steps);
        } else {
            self.steps.set(0);
            self.passed.set(self.passed.get() || Instant::now() >= self.at);
        }
        self.passed.get()
    }

    /// Fails when the deadline has passed.
    pub(super) fn check(&self) -> Result<(), IndexError> {
        if self.has_passed() { Err(IndexError::Deadline) } else { Ok(()) }
    }
}

/// Where sets of documents come from: one segment.
pub(super) struct Source<'a> {
    /// The segment.
    pub(super) segment: &'a SegmentReader,
    /// The schema.
    pub(super) fields: &'a Fields,
    /// When to stop.
    pub(super) deadline: &'a Rc<Deadline>,
}

impl Source<'_> {
    /// The documents that match and meet the exact constraints, deleted ones included.
    pub(super) fn matching(
        &self,
        matching: Option<&Match>,
        filters: &Filters,
        reader: Option<&str>,
    ) -> Result<Docs, IndexError> {
        let mut all = Vec::new();
        if let Some(matching) = matching {
            all.push(self.set(matching)?);
        }
        for (field, values) in filters.facets.iter().filter(|(_, values)| !values.is_empty()) {
            all.push(self.any_value(self.fields.facet(*field), values.iter().map(String::as_str))?);
        }
        if !filters.ids.is_empty() {
            all.push(self.any_value(self.fields.identifier, filters.ids.iter().map(String::as_str))?);
        }
        if let Some(reader) = reader {
            all.push(self.any_value(self.fields.reader, [reader].into_iter())?);
        }
        Ok(self.all_of(all))
    }

    /// The documents in which a phrase stands; each place may be any of its alternatives.
    pub(super) fn phrase(&self, field: Field, places: &[Vec<String>]) -> Result<Option<Phrase>, IndexError> {
        let inverted = self.segment.inverted_index(field)?;
        let mut merged = Vec::with_capacity(places.len());
        for alternatives in places {
            let mut lists = Vec::new();
            for text in alternatives {
                let term = Term::from_field_text(field, text);
                lists.extend(inverted.read_postings(&term, IndexRecordOption::WithFreqsAndPositions)?);
            }
            if lists.is_empty() {
                return Ok(None);
            }
            merged.push(PhrasePlace { lists });
        }
        Ok(Phrase::new(merged, Rc::clone(self.deadline)))
    }

    /// The documents with a whole value that `accepts` takes, among those that begin so.
    pub(super) fn beginning(
        &self,
        field: Field,
        prefix: &str,
        accepts: impl Fn(&[u8]) -> bool,
    ) -> Result<Docs, IndexError> {
        let inverted = self.segment.inverted_index(field)?;
        let mut bits = BitSet::with_max_value(self.segment.max_doc());
        let mut terms = inverted.terms().range().ge(prefix.as_bytes()).into_stream()?;
        while terms.advance() {
            if !terms.key().starts_with(prefix.as_bytes()) {
                break;
            }
            self.deadline.check()?;
            if accepts(terms.key()) {
                let postings = inverted.read_postings_from_terminfo(terms.value(), IndexRecordOption::Basic)?;
                self.collect(&mut Docs::Term(Box::new(postings)), &mut bits)?;
            }
        }
        Ok(Docs::bits(bits))
    }

    fn set(&self, matching: &Match) -> Result<Docs, IndexError> {
        match matching {
            Match::Term(term) => self.term(self.fields.text(term.field), &term.text),
            Match::Prefix(term) => self.beginning(self.fields.text(term.field), &term.text, |_| true),
            Match::Phrase(field, places) => Ok(self
                .phrase(self.fields.text(*field), places)?
                .map_or(Docs::None, |phrase| Docs::Phrase(Box::new(phrase)))),
            Match::Facet(field, value) => self.term(self.fields.facet(*field), value),
            Match::All(parts) => {
                let mut all = Vec::new();
                let mut none = Vec::new();
                for part in parts {
                    match part {
                        Match::Not(inner) => none.push(self.set(inner)?),
                        other => all.push(self.set(other)?),
                    }
                }
                let all = self.all_of(all);
                Ok(if none.is_empty() { all } else { Docs::Without(Box::new(all), Box::new(self.any_of(none)?)) })
            }
            Match::Any(parts) => {
                let sets = parts.iter().map(|part| self.set(part)).collect::<Result<_, _>>()?;
                self.any_of(sets)
            }
            Match::Not(inner) => {
                Ok(Docs::Without(Box::new(Docs::every(self.segment.max_doc())), Box::new(self.set(inner)?)))
            }
        }
    }

    fn term(&self, field: Field, text: &str) -> Result<Docs, IndexError> {
        let inverted: std::sync::Arc<InvertedIndexReader> = self.segment.inverted_index(field)?;
        let postings = inverted.read_postings(&Term::from_field_text(field, text), IndexRecordOption::Basic)?;
        Ok(postings.map_or(Docs::None, |postings| Docs::Term(Box::new(postings))))
    }

    fn any_value<'b>(&self, field: Field, values: impl Iterator<Item = &'b str>) -> Result<Docs, IndexError> {
        let sets = values.map(|value| self.term(field, value)).collect::<Result<_, _>>()?;
        self.any_of(sets)
    }

    fn all_of(&self, mut sets: Vec<Docs>) -> Docs {
        if sets.iter().any(|set| matches!(set, Docs::None)) {
            return Docs::None;
        }
        match sets.len() {
            0 => Docs::every(self.segment.max_doc()),
            1 => sets.swap_remove(0),
            _ => {
                sets.sort_by_key(Docs::cost);
                let mut all = Docs::All(sets);
                all.settle();
                all
            }
        }
    }

    fn any_of(&self, mut sets: Vec<Docs>) -> Result<Docs, IndexError> {
        sets.retain(|set| !matches!(set, Docs::None));
        match sets.len() {
            0 => Ok(Docs::None),
            1 => Ok(sets.swap_remove(0)),
            2..=COMPARED => Ok(Docs::Any(sets)),
            _ => {
                let mut bits = BitSet::with_max_value(self.segment.max_doc());
                for set in &mut sets {
                    self.collect(set, &mut bits)?;
                }
                Ok(Docs::bits(bits))
            }
        }
    }

    fn collect(&self, set: &mut Docs, bits: &mut BitSet) -> Result<(), IndexError> {
        let mut doc = set.doc();
        while doc != TERMINATED {
            self.deadline.check()?;
            bits.insert(doc);
            doc = set.advance();
        }
        Ok(())
    }
}

/// An ordered set of document numbers with a cursor.
pub(super) enum Docs {
    /// Nothing.
    None,
    /// Every document below the second number; the first is the cursor.
    Every(DocId, DocId),
    /// Those that hold a term.
    Term(Box<SegmentPostings>),
    /// Those in a bit set.
    Bits(Box<BitSetDocSet>),
    /// Those in all of these, which stand at the same document.
    All(Vec<Docs>),
    /// Those in any of these.
    Any(Vec<Docs>),
    /// Those in the first and not in the second.
    Without(Box<Docs>, Box<Docs>),
    /// Those with a phrase.
    Phrase(Box<Phrase>),
}

impl Docs {
    fn every(max_doc: DocId) -> Self {
        if max_doc == 0 { Self::None } else { Self::Every(0, max_doc) }
    }

    fn bits(bits: BitSet) -> Self {
        if bits.len() == 0 { Self::None } else { Self::Bits(Box::new(BitSetDocSet::from(bits))) }
    }

    /// The current document, or [`TERMINATED`]. Settles a difference, which may stand on an excluded document at first.
    pub(super) fn doc(&mut self) -> DocId {
        match self {
            Self::None => TERMINATED,
            Self::Every(doc, _) => *doc,
            Self::Term(postings) => postings.doc(),
            Self::Bits(bits) => bits.doc(),
            Self::All(sets) => sets[0].doc(),
            Self::Any(sets) => sets.iter_mut().map(Docs::doc).min().unwrap_or(TERMINATED),
            Self::Without(set, excluded) => {
                let mut doc = set.doc();
                while doc != TERMINATED && excluded.seek(doc) == doc {
                    doc = set.advance();
                }
                doc
            }
            Self::Phrase(phrase) => phrase.doc,
        }
    }

    /// The next document.
    pub(super) fn advance(&mut self) -> DocId {
        let doc = self.doc();
        if doc == TERMINATED { TERMINATED } else { self.seek(doc + 1) }
    }

    /// The first document that is not below `target`.
    pub(super) fn seek(&mut self, target: DocId) -> DocId {
        if self.doc() >= target {
            return self.doc();
        }
        if target >= TERMINATED {
            *self = Self::None;
            return TERMINATED;
        }
        match self {
            Self::None => TERMINATED,
            Self::Every(doc, end) => {
                *doc = if target < *end { target } else { TERMINATED };
                *doc
            }
            Self::Term(postings) => postings.seek(target),
            Self::Bits(bits) => bits.seek(target),
            Self::All(sets) => {
                sets[0].seek(target);
                self.settle()
            }
            Self::Any(sets) => sets.iter_mut().map(|set| set.seek(target)).min().unwrap_or(TERMINATED),
            Self::Without(set, _) => {
                set.seek(target);
                self.doc()
            }
            Self::Phrase(phrase) => phrase.seek(target),
        }
    }

    /// Brings the sets of an intersection to the same document.
    fn settle(&mut self) -> DocId {
        let Self::All(sets) = self else { return self.doc() };
        let mut candidate = sets[0].doc();
        'again: while candidate != TERMINATED {
            for set in sets[1..].iter_mut() {
                let doc = set.seek(candidate);
                if doc != candidate {
                    candidate = sets[0].seek(doc);
                    continue 'again;
                }
            }
            break;
        }
        candidate
    }

    fn cost(&self) -> u64 {
        match self {
            Self::None => 0,
            Self::Every(_, end) => u64::from(*end),
            Self::Term(postings) => u64::from(postings.doc_freq()),
            Self::Bits(bits) => u64::from(bits.size_hint()),
            Self::All(sets) => sets.iter().map(Docs::cost).min().unwrap_or(0),
            Self::Any(sets) => sets.iter().map(Docs::cost).fold(0, u64::saturating_add),
            Self::Without(set, _) => set.cost(),
            // Reading positions is dear: let every cheaper set go first.
            Self::Phrase(_) => u64::MAX,
        }
    }
}

/// The documents in which words stand in sequence, and how often.
pub(super) struct Phrase {
    places: Vec<PhrasePlace>,
    deadline: Rc<Deadline>,
    doc: DocId,
    frequency: u32,
    starts: Vec<u32>,
    next: Vec<u32>,
}

/// One place of a phrase: any of some terms.
struct PhrasePlace {
    lists: Vec<SegmentPostings>,
}

impl PhrasePlace {
    fn seek(&mut self, target: DocId) -> DocId {
        let docs = self.lists.iter_mut().map(|list| if list.doc() < target { list.seek(target) } else { list.doc() });
        docs.min().unwrap_or(TERMINATED)
    }

    /// Where the place's terms stand in the current document, `back` words earlier, in order, each once.
    fn positions(&mut self, doc: DocId, back: u32, positions: &mut Vec<u32>) {
        positions.clear();
        let mut of_list = Vec::new();
        for list in self.lists.iter_mut().filter(|list| list.doc() == doc) {
            list.positions(&mut of_list);
            positions.extend(of_list.iter().filter_map(|position| position.checked_sub(back)));
        }
        positions.sort_unstable();
        positions.dedup();
    }
}

impl Phrase {
    /// The phrase at its first document, or nothing where it stands nowhere.
    fn new(places: Vec<PhrasePlace>, deadline: Rc<Deadline>) -> Option<Self> {
        let mut phrase = Self { places, deadline, doc: 0, frequency: 0, starts: Vec::new(), next: Vec::new() };
        (phrase.find(0) != TERMINATED).then_some(phrase)
    }

    /// The first document with the phrase that is not below `target`.
    pub(super) fn seek(&mut self, target: DocId) -> DocId {
        if self.doc < target { self.find(target) } else { self.doc }
    }

    /// How often the phrase stands in the current document.
    pub(super) fn frequency(&self) -> u32 {
        self.frequency
    }

    /// The current document.
    pub(super) fn doc(&self) -> DocId {
        self.doc
    }

    fn find(&mut self, mut target: DocId) -> DocId {
        'again: loop {
            // Past the deadline the phrase is as good as at its end; the search finds that out by itself and fails.
            if target >= TERMINATED || self.deadline.has_passed() {
                self.doc = TERMINATED;
                return TERMINATED;
            }
            for place in &mut self.places {
                let doc = place.seek(target);
                if doc != target {
                    target = doc;
                    continue 'again;
                }
            }
            self.frequency = self.count(target);
            if self.frequency > 0 {
                self.doc = target;
                return target;
            }
            target += 1;
        }
    }

    fn count(&mut self, doc: DocId) -> u32 {
        let mut starts = std::mem::take(&mut self.starts);
        let mut next = std::mem::take(&mut self.next);
        for (back, place) in (0u32..).zip(&mut self.places) {
            if back == 0 {
                place.positions(doc, back, &mut starts);
            } else {
                place.positions(doc, back, &mut next);
                starts.retain(|start| next.binary_search(start).is_ok());
            }
            if starts.is_empty() {
                break;
            }
        }
        let frequency = u32::try_from(starts.len()).unwrap_or(u32::MAX);
        (self.starts, self.next) = (starts, next);
        frequency
    }
}
