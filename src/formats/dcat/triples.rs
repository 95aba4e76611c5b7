//! Files of RDF into statements, with what could not be read.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use oxrdf::vocab::xsd;
use oxrdf::{Literal, NamedOrBlankNode, Term};
use oxrdfio::{RdfFormat, RdfParseError, RdfParser};

use super::input::{self, Opened, SourceFile, is_by_line};
use super::spill::{Collector, Damage, Value};
use super::terms::Property;
use super::{ReadError, contexts};
use crate::formats::Refused;

/// The most unreadable places that are reported one by one; the rest is counted.
const REPORTED: usize = 1_000;

/// What reading the files left behind, beside the statements.
#[derive(Default)]
pub(super) struct Reading {
    pub(super) damage: Damage,
    /// Places that could not be read, the first thousand.
    pub(super) unreadable: Vec<Refused>,
    /// How many places could not be read.
    pub(super) unreadable_count: u64,
}

impl Reading {
    fn report(&mut self, place: String, reason: String) {
        self.unreadable_count += 1;
        if self.unreadable.len() < REPORTED {
            self.unreadable.push(Refused { place, reason });
        }
    }

    /// Reads one file into the collector.
    pub(super) fn file(
        &mut self,
        number: u32,
        file: &SourceFile,
        collector: &mut Collector,
        read: &Arc<AtomicU64>,
    ) -> Result<(), ReadError> {
        let Opened { reader, format, bad_lines } = match input::open(file, Arc::clone(read)) {
            Ok(opened) => opened,
            Err(error) => {
                self.report(file.name.clone(), error.to_string());
                return Ok(());
            }
        };
        let result = self.statements(number, file, collector, reader, format);
        for line in bad_lines.lock().drain(..) {
            let cost = if is_by_line(format) { "the line is left out" } else { "they are replaced" };
            self.report(format!("{} line {line}", file.name), format!("it has bytes that are not UTF-8; {cost}"));
        }
        result
    }

    fn statements(
        &mut self,
        number: u32,
        file: &SourceFile,
        collector: &mut Collector,
        reader: Box<dyn Read>,
        format: RdfFormat,
    ) -> Result<(), ReadError> {
        // Lenient: an IRI that is not quite one is judged where it is used, and costs one value, not the statement.
        let parser = RdfParser::from_format(format).lenient().for_reader(reader).with_document_loader(contexts::load);
        let mut base = Names { file: number, ..Names::default() };
        for quad in parser {
            match quad {
                Ok(quad) => {
                    base.subject(&quad.subject);
                    let Some(property) = collector.others.property(quad.predicate.as_str()) else { continue };
                    if property == Property::DATASET {
                        continue; // a catalogue of a million datasets says nothing about any of them
                    }
                    match &quad.object {
                        Term::NamedNode(iri) => base.add(collector, property, Value::Iri(iri.as_str())),
                        Term::BlankNode(label) => {
                            let label = format!("_:{number}:{}", label.as_str());
                            base.add(collector, property, Value::Blank(&label))
                        }
                        Term::Literal(literal) => base.add(collector, property, value_of(literal)),
                        #[allow(unreachable_patterns)] // triple terms exist only with a feature of oxrdf
                        _ => Ok(()),
                    }
                    .map_err(ReadError::Spill)?;
                }
                Err(RdfParseError::Io(error)) => {
                    self.broke_off(number, format, &base, file.name.clone(), error.to_string());
                    return Ok(());
                }
                Err(RdfParseError::Syntax(error)) => {
                    let place = match error.location() {
                        Some(at) => format!("{} line {}", file.name, at.start.line + 1),
                        None => file.name.clone(),
                    };
                    if can_go_on(format) {
                        self.damaged(&base, format, &place);
                        self.report(place, error.to_string());
                    } else {
                        self.broke_off(number, format, &base, place, error.to_string());
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    /// The rest of a file cannot be read. Where a description may be half read without anybody knowing which, nothing of
    /// the file is used.
    fn broke_off(&mut self, number: u32, format: RdfFormat, base: &Names, place: String, reason: String) {
        if can_go_on(format) {
            self.damaged(base, format, &place);
            self.report(place, format!("{reason}; the rest of the file is not read"));
        } else {
            self.damage.files.insert(number);
            self.report(
                place,
                format!("{reason}; nothing of this file is used, because a record could be cut in half"),
            );
        }
    }

    /// A statement over several lines broke off: what was said last about whom is not the whole.
    fn damaged(&mut self, base: &Names, format: RdfFormat, place: &str) {
        if is_by_line(format) {
            return; // one line is one statement, and the loss is reported
        }
        for subject in [&base.named, &base.blank] {
            if !subject.is_empty() {
                self.damage.subjects.entry(subject.clone()).or_insert_with(|| place.to_owned());
            }
        }
    }
}

/// A literal with its language or, where it is more than a text, its type.
fn value_of(literal: &Literal) -> Value<'_> {
    match literal.language() {
        Some(language) => Value::Literal(literal.value(), language),
        None if literal.datatype() == xsd::STRING => Value::Literal(literal.value(), ""),
        None => Value::Typed(literal.value(), literal.datatype().as_str()),
    }
}

/// Whether the parser finds its feet again after an error.
fn can_go_on(format: RdfFormat) -> bool {
    is_by_line(format) || matches!(format, RdfFormat::Turtle | RdfFormat::TriG)
}

/// The names of the subjects a parser is at: the current one, and the last of either kind.
#[derive(Default)]
struct Names {
    file: u32,
    is_blank: bool,
    named: String,
    blank: String,
}

impl Names {
    fn subject(&mut self, subject: &NamedOrBlankNode) {
        match subject {
            NamedOrBlankNode::NamedNode(iri) => {
                self.is_blank = false;
                if self.named != iri.as_str() {
                    self.named = iri.as_str().to_owned();
                }
            }
            NamedOrBlankNode::BlankNode(label) => {
                self.is_blank = true;
                self.blank = format!("_:{}:{}", self.file, label.as_str());
            }
        }
    }

    fn add(&self, collector: &mut Collector, property: Property, value: Value<'_>) -> io::Result<()> {
        let subject = if self.is_blank { &self.blank } else { &self.named };
        collector.add(self.file, subject, property, value)
    }
}
