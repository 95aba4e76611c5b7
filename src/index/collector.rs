//! The best documents of one segment: range constraints, exact total, facet counts and the top k in one pass.

use std::collections::BinaryHeap;
use std::rc::Rc;

use tantivy::columnar::{Column, StrColumn, TermOrdHit};
use tantivy::fieldnorm::FieldNormReader;
use tantivy::postings::{Postings, SegmentPostings};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, DocSet as _, SegmentReader, TERMINATED, Term, f64_to_u64, i64_to_u64};

use crate::domain::answer::SortKey;
use crate::domain::query::{Analysed, ComponentKind, Filters, ScoredTerm, Sort};
use crate::domain::score::{Component, Formula, Place};

use super::IndexError;
use super::docs::{Deadline, Docs, Phrase, Source};
use super::facets::Counter;
use super::fields::{CORNERS, Fields, days};
use super::statistics::places;

/// What a segment gives.
pub(super) struct Collected {
    /// Documents that match.
    pub(super) total: u64,
    /// The best of them after the cursor, best first.
    pub(super) best: Vec<Best>,
}

/// A document among the best.
pub(super) struct Best {
    /// Its number in the segment.
    pub(super) doc: DocId,
    /// Its score; 0 where the order is not by relevance.
    pub(super) score: f64,
    /// What it is sorted by, where the order is not by relevance.
    pub(super) key: Option<SortKey>,
    /// What it holds of each scored term, in the order of the terms.
    pub(super) components: Vec<Component>,
}

/// One question to one segment.
pub(super) struct Collector<'a> {
    /// The question.
    pub(super) question: &'a Analysed,
    /// The rank's formula with the counts that steer it.
    pub(super) formula: &'a Formula,
    /// How many are wanted.
    pub(super) k: usize,
    /// Only what stands after this place.
    pub(super) after: Option<&'a Place>,
    /// Who may be answered, in the private index.
    pub(super) reader: Option<&'a str>,
    /// The schema.
    pub(super) fields: &'a Fields,
    /// When to stop.
    pub(super) deadline: &'a Rc<Deadline>,
}

/// Where a document stands among those of its segment: smaller is better. Undated, then the key, then the tie break.
type Standing = (bool, u64, u64);

impl Collector<'_> {
    /// Goes through the segment once.
    pub(super) fn collect(&self, segment: &SegmentReader, counters: &mut [Counter]) -> Result<Collected, IndexError> {
        let source = Source { segment, fields: self.fields, deadline: self.deadline };
        let question = self.question;
        let mut docs = source.matching(question.matching.as_ref(), &question.filters, self.reader)?;
        let ranges = Ranges::new(segment, &question.filters)?;
        let mut cursors = question
            .scored
            .iter()
            .zip(0u16..)
            .filter_map(|(term, place)| Cursor::new(&source, term, place).transpose())
            .collect::<Result<Vec<_>, _>>()?;
        let key = Key::new(segment, question.sort, self.after)?;
        let tie: Column<u64> = segment.fast_fields().u64("tie")?;
        let mut counts = counters.iter_mut().map(|counter| counter.segment(segment)).collect::<Result<Vec<_>, _>>()?;
        let alive = segment.alive_bitset();

        let mut total = 0;
        let mut best: BinaryHeap<(Standing, DocId, Vec<Component>)> = BinaryHeap::with_capacity(self.k.min(64) + 1);
        let mut components = Vec::with_capacity(cursors.len());
        let mut doc = docs.doc();
        while doc != TERMINATED {
            self.deadline.check()?;
            if alive.is_none_or(|alive| alive.is_alive(doc)) && ranges.hold(doc) {
                total += 1;
                for count in &mut counts {
                    count.add(doc);
                }
                if self.k > 0 {
                    components.clear();
                    let score = if question.sort == Sort::Relevance {
                        components.extend(cursors.iter_mut().filter_map(|cursor| cursor.component(doc)));
                        self.formula.score(&components)
                    } else {
                        0.0
                    };
                    let (last, number) = key.of(doc, score);
                    let standing = (last, number, tie.first(doc).unwrap_or(u64::MAX));
                    let full = best.len() >= self.k;
                    if key.is_after(standing)
                        && (!full || best.peek().is_some_and(|worst| (standing, doc) < (worst.0, worst.1)))
                    {
                        if full {
                            best.pop();
                        }
                        best.push((standing, doc, components.clone()));
                    }
                }
            }
            doc = docs.advance();
        }
        // A phrase ends early when the deadline passes; that must not look like an answer.
        self.deadline.check()?;
        for count in counts {
            count.finish()?;
        }
        let mut best = best
            .into_sorted_vec()
            .into_iter()
            .map(|((last, number, _), doc, components)| {
                Ok(Best {
                    doc,
                    score: if question.sort == Sort::Relevance { self.formula.score(&components) } else { 0.0 },
                    key: if last { None } else { key.value(number)? },
                    components,
                })
            })
            .collect::<Result<Vec<_>, IndexError>>()?;
        if question.sort != Sort::Relevance {
            self.add_components(&source, &mut best)?;
        }
        Ok(Collected { total, best })
    }

    /// Where the order is not by relevance only the documents given are looked at, in the order of their numbers.
    fn add_components(&self, source: &Source<'_>, best: &mut [Best]) -> Result<(), IndexError> {
        let mut by_doc: Vec<&mut Best> = best.iter_mut().collect();
        by_doc.sort_unstable_by_key(|best| best.doc);
        for (term, place) in self.question.scored.iter().zip(0u16..) {
            let Some(mut cursor) = Cursor::new(source, term, place)? else { continue };
            for best in &mut by_doc {
                best.components.extend(cursor.component(best.doc));
            }
        }
        self.deadline.check()
    }
}

/// What a scored term needs to say how often it stands in a document.
struct Cursor {
    place: u16,
    norms: Option<FieldNormReader>,
    docs: Held,
}

enum Held {
    Term(Box<SegmentPostings>),
    Phrase(Box<Phrase>),
    Title(Docs),
}

impl Cursor {
    fn new(source: &Source<'_>, term: &ScoredTerm, place: u16) -> Result<Option<Self>, IndexError> {
        let field = source.fields.text(term.term.field);
        let norms = Some(source.segment.get_fieldnorms_reader(field)?);
        match term.kind {
            ComponentKind::Term | ComponentKind::Label => {
                let inverted = source.segment.inverted_index(field)?;
                let text = Term::from_field_text(field, &term.term.text);
                let postings = inverted.read_postings(&text, IndexRecordOption::WithFreqs)?;
                Ok(postings.map(|postings| Self { place, norms, docs: Held::Term(Box::new(postings)) }))
            }
            ComponentKind::Phrase => {
                let phrase = source.phrase(field, &places(&term.term.text))?;
                Ok(phrase.map(|phrase| Self { place, norms, docs: Held::Phrase(Box::new(phrase)) }))
            }
            ComponentKind::TitleTier => {
                let title = term.term.text.as_bytes();
                let whole_words = |found: &[u8]| found.get(title.len()).is_none_or(|next| *next == b' ');
                let docs = source.beginning(source.fields.whole_title, &term.term.text, whole_words)?;
                Ok(Some(Self { place, norms: None, docs: Held::Title(docs) }))
            }
        }
    }

    /// What `doc` holds of the term. Documents must be asked for in rising order.
    fn component(&mut self, doc: DocId) -> Option<Component> {
        let frequency = match &mut self.docs {
            Held::Term(postings) => {
                let at = if postings.doc() < doc { postings.seek(doc) } else { postings.doc() };
                (at == doc).then(|| postings.term_freq())
            }
            Held::Phrase(phrase) => {
                let at = if phrase.doc() < doc { phrase.seek(doc) } else { phrase.doc() };
                (at == doc).then(|| phrase.frequency())
            }
            Held::Title(docs) => (docs.seek(doc) == doc).then_some(1),
        }?;
        let norm = self.norms.as_ref().map_or(0, |norms| norms.fieldnorm_id(doc));
        Some(Component { term: self.place, frequency, norm })
    }
}

/// What the documents of a segment are sorted by, as numbers that are smaller for better.
enum KeyColumn {
    Score,
    Number(Column<i64>),
    Title(Option<StrColumn>),
}

struct Key {
    column: KeyColumn,
    /// Only what is greater stands after the cursor; a cursor whose key is not in this segment is the gap before the number.
    after: Option<Standing>,
}

impl Key {
    fn new(segment: &SegmentReader, sort: Sort, after: Option<&Place>) -> Result<Self, IndexError> {
        let fast = segment.fast_fields();
        let column = match sort {
            Sort::Relevance => KeyColumn::Score,
            Sort::Modified => KeyColumn::Number(fast.i64("modified")?),
            Sort::Size => KeyColumn::Number(fast.i64("bytes")?),
            Sort::Title => KeyColumn::Title(fast.str("title_key")?),
        };
        let after = after
            .map(|place| {
                let tie = place.id.tie_break();
                Ok::<Standing, IndexError>(match (&column, &place.key) {
                    (KeyColumn::Score, _) => (false, from_score(place.score), tie),
                    (KeyColumn::Number(_), Some(SortKey::Number(number))) => (false, from_number(*number), tie),
                    (KeyColumn::Title(Some(column)), Some(SortKey::Text(title))) => {
                        match column.dictionary().term_ord_or_next(title.as_bytes())? {
                            TermOrdHit::Exact(ordinal) => (false, ordinal + 1, tie),
                            // Everything from the next title on stands after; nothing has the tie break 0 and this number.
                            TermOrdHit::Next(ordinal) => (false, ordinal.min(u64::MAX - 1), u64::MAX),
                        }
                    }
                    (KeyColumn::Title(None), Some(SortKey::Text(_))) => (false, u64::MAX, u64::MAX),
                    (_, None) => (true, u64::MAX, tie),
                    (KeyColumn::Number(_), Some(SortKey::Text(_)))
                    | (KeyColumn::Title(_), Some(SortKey::Number(_))) => {
                        return Err(IndexError::Refused("the cursor belongs to another order".to_owned()));
                    }
                })
            })
            .transpose()?;
        Ok(Self { column, after })
    }

    /// Whether the document has no key, and its key. Titles count from 1, so that a gap has a number before them.
    fn of(&self, doc: DocId, score: f64) -> (bool, u64) {
        let number = match &self.column {
            KeyColumn::Score => Some(from_score(score)),
            KeyColumn::Number(column) => column.first(doc).map(from_number),
            KeyColumn::Title(column) => {
                column.as_ref().and_then(|column| column.ords().first(doc)).map(|ordinal| ordinal + 1)
            }
        };
        number.map_or((true, u64::MAX), |number| (false, number))
    }

    fn is_after(&self, standing: Standing) -> bool {
        self.after.is_none_or(|after| standing > after)
    }

    /// The key behind a number.
    fn value(&self, number: u64) -> Result<Option<SortKey>, IndexError> {
        match &self.column {
            KeyColumn::Score => Ok(None),
            KeyColumn::Number(_) => Ok(Some(SortKey::Number(tantivy::u64_to_i64(!number)))),
            KeyColumn::Title(None) => Ok(None),
            KeyColumn::Title(Some(column)) => {
                let mut title = String::new();
                column.ord_to_str(number - 1, &mut title)?;
                Ok(Some(SortKey::Text(title)))
            }
        }
    }
}

fn from_score(score: f64) -> u64 {
    !f64_to_u64(score)
}

fn from_number(number: i64) -> u64 {
    !i64_to_u64(number)
}

/// Constraints on numbers, asked of each document that matches.
struct Ranges {
    numbers: Vec<(Column<i64>, i64, i64)>,
    covers: Option<(Column<i64>, Column<i64>, i64, i64)>,
    touches: Option<([Column<f64>; 4], [f64; 4])>,
}

impl Ranges {
    fn new(segment: &SegmentReader, filters: &Filters) -> Result<Self, IndexError> {
        let fast = segment.fast_fields();
        let mut numbers = Vec::new();
        if filters.modified_from.is_some() || filters.modified_to.is_some() {
            let (from, to) = (filters.modified_from.map_or(i64::MIN, days), filters.modified_to.map_or(i64::MAX, days));
            numbers.push((fast.i64("modified")?, from, to));
        }
        if filters.bytes_min.is_some() || filters.bytes_max.is_some() {
            let bound = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
            let (from, to) = (filters.bytes_min.map_or(0, bound), filters.bytes_max.map_or(i64::MAX, bound));
            numbers.push((fast.i64("bytes")?, from, to));
        }
        let covers = if filters.covers_from.is_some() || filters.covers_to.is_some() {
            let (from, to) = (filters.covers_from.map_or(i64::MIN, days), filters.covers_to.map_or(i64::MAX, days));
            Some((fast.i64("covers_from")?, fast.i64("covers_to")?, from, to))
        } else {
            None
        };
        let touches = match filters.bbox {
            None => None,
            Some(bbox) => {
                let [west, south, east, north] = CORNERS.map(|corner| fast.f64(corner));
                Some(([west?, south?, east?, north?], bbox.corners()))
            }
        };
        Ok(Self { numbers, covers, touches })
    }

    fn hold(&self, doc: DocId) -> bool {
        self.numbers
            .iter()
            .all(|(column, from, to)| column.first(doc).is_some_and(|number| (from..=to).contains(&&number)))
            && self.covers.as_ref().is_none_or(|(starts, ends, from, to)| {
                starts
                    .values_for_doc(doc)
                    .zip(ends.values_for_doc(doc))
                    .any(|(start, end)| start <= *to && end >= *from)
            })
            && self.touches.as_ref().is_none_or(|([west, south, east, north], wanted)| {
                let latitudes = south.values_for_doc(doc).zip(north.values_for_doc(doc));
                let longitudes = west.values_for_doc(doc).zip(east.values_for_doc(doc));
                longitudes
                    .zip(latitudes)
                    .any(|((west, east), (south, north))| touch([west, south, east, north], *wanted))
            })
    }
}

/// Whether two boxes share a point. A box whose west is east of its east crosses the 180th meridian (RFC 7946).
fn touch(one: [f64; 4], other: [f64; 4]) -> bool {
    fn halves([west, _, east, _]: [f64; 4]) -> Vec<(f64, f64)> {
        if west <= east { vec![(west, east)] } else { vec![(west, 180.0), (-180.0, east)] }
    }
    let level = one[1] <= other[3] && one[3] >= other[1];
    level && halves(one).iter().any(|(west, east)| halves(other).iter().any(|(w, e)| west <= e && east >= w))
}
