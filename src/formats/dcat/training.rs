//! What somebody who trains with a dataset must know: MLDCAT-AP, Croissant RAI and our own terms.

use std::io;

use super::coverage;
use super::distribution::Read;
use super::node::{Node, Term};
use super::record::{Record, shown};
use super::terms::Property;
use crate::domain::dataset::{Annotation, Crawl, Period, Split, TokenCount, Training};
use crate::domain::licence::Answer;
use crate::domain::text::Text;

/// The training block.
pub(super) fn training(record: &mut Record<'_>, node: &Node, distributions: &[Read]) -> io::Result<Training> {
    let mut training = Training {
        modalities: words(record, "modality", node, Property::OWN_MODALITY),
        source_categories: words(record, "source category", node, Property::OWN_SOURCE_CATEGORY),
        tasks: tasks(record, node)?,
        collected: collected(record, node)?,
        collection_types: record.lines("way of collection", node.all(Property::RAI_COLLECTION_TYPE)),
        splits: splits(record, node)?,
        crawl: crawl(record, node)?,
        generator: record.first_line("generator", node.all(Property::OWN_GENERATOR)),
        annotators: annotators(record, node),
        ..Training::default()
    };
    texts(record, node, &mut training);
    counts(record, node, distributions, &mut training)?;
    Ok(training)
}

fn texts(record: &mut Record<'_>, node: &Node, training: &mut Training) {
    let mut text = |what: &str, properties: &[Property]| -> Option<Text> {
        record.prose(what, node.first_of(properties).into_iter())
    };
    training.collection_method = text("collection", &[Property::RAI_COLLECTION, Property::COLLECTION_METHOD]);
    training.raw_data = text("raw data", &[Property::RAI_RAW_DATA, Property::DATA_PROVENANCE]);
    training.preparation = text("preparation", &[Property::RAI_PREPROCESSING, Property::CURATION_METHOD]);
    training.annotation = text("annotation", &[Property::RAI_ANNOTATION]);
    training.assumptions = text("assumptions", &[Property::OWN_ASSUMPTIONS]);
    training.known_biases = text("biases", &[Property::RAI_BIASES, Property::BIAS_METHOD]);
    training.bias_measures = text("measures against biases", &[Property::OWN_BIAS_MEASURES]);
    training.social_impact = text("social impact", &[Property::RAI_SOCIAL_IMPACT]);
    training.sensitive_information = text("sensitive information", &[Property::RAI_SENSITIVE]);
    training.setting = text("setting", &[Property::OWN_SETTING]);
    training.gaps = text("gaps", &[Property::RAI_MISSING_DATA]);
    training.intended_use = text("intended use", &[Property::RAI_USE_CASES]);
    training.out_of_scope = text("limits of use", &[Property::RAI_LIMITATIONS, Property::UNSUITABILITY_METHOD]);
    training.maintenance = text("maintenance", &[Property::RAI_MAINTENANCE]);
}

/// Words of a closed list; what is none is noted.
fn words<T: serde::de::DeserializeOwned + PartialEq>(
    record: &mut Record<'_>,
    what: &str,
    node: &Node,
    property: Property,
) -> Vec<T> {
    let mut words = Vec::new();
    for text in node.all(property).filter_map(Term::text) {
        match serde_json::from_value(serde_json::Value::String(text.to_owned())) {
            Ok(word) if words.contains(&word) => {}
            Ok(word) => words.push(word),
            Err(_) => record.note(format!("{what}: {:?} is not one of the list", shown(text))),
        }
    }
    words
}

fn tasks(record: &mut Record<'_>, node: &Node) -> io::Result<Vec<String>> {
    let mut titles = Vec::new();
    for (term, own) in record.in_order(node.all(Property::OWN_TASK))? {
        if term.is_literal() {
            titles.push(term.clone());
        }
        titles.extend(own.all(Property::TITLE).cloned());
    }
    Ok(record.lines("task", titles.iter()))
}

/// When it was collected: our own period, else the one day that MLDCAT-AP has.
fn collected(record: &mut Record<'_>, node: &Node) -> io::Result<Option<Period>> {
    if let Some(term) = node.all(Property::OWN_COLLECTED).next() {
        let own = record.follow(term)?;
        return Ok(coverage::period(record, &own));
    }
    let day = record.dates("day of collection", node.all(Property::COLLECTION_DATE)).into_iter().max();
    Ok(day.map(|day| Period { start: None, end: Some(day) }))
}

fn annotators(record: &mut Record<'_>, node: &Node) -> Option<Annotation> {
    let annotation = Annotation {
        platform: record.first_line("annotation platform", node.all(Property::RAI_PLATFORM)),
        per_item: record.count("annotations an item", node.all(Property::RAI_PER_ITEM)),
        people: record.prose("annotators", node.all(Property::RAI_ANNOTATORS)),
        tools: record.lines("annotation tool", node.all(Property::RAI_TOOLS)),
        analysis: record.prose("analysis of annotations", node.all(Property::RAI_ANALYSIS)),
    };
    Some(annotation).filter(|annotation| *annotation != Annotation::default())
}

fn crawl(record: &mut Record<'_>, node: &Node) -> io::Result<Option<Crawl>> {
    let Some(term) = node.all(Property::OWN_CRAWL).next() else { return Ok(None) };
    let own = record.follow(term)?;
    let mut period = None;
    if let Some(term) = own.all(Property::TEMPORAL).next() {
        let node = record.follow(term)?;
        period = coverage::period(record, &node);
    }
    let crawl = Crawl {
        period,
        domains: record.lines("domain", own.all(Property::OWN_DOMAIN)),
        robots_honoured: answer(&own, Property::OWN_ROBOTS_HONOURED),
        reservations_honoured: answer(&own, Property::OWN_RESERVATIONS_HONOURED),
    };
    Ok(Some(crawl).filter(|crawl| *crawl != Crawl::default()))
}

/// An answer that a node of this kind wrote.
pub(super) fn answer(node: &Node, property: Property) -> Answer {
    match node.all(property).find_map(Term::text) {
        Some("yes") => Answer::Yes,
        Some("no") => Answer::No,
        _ => Answer::NotStated,
    }
}

fn splits(record: &mut Record<'_>, node: &Node) -> io::Result<Vec<Split>> {
    let mut splits = Vec::new();
    for (_, own) in record.in_order(node.all(Property::OWN_SPLIT))? {
        let names = own.first_of(&[Property::IDENTIFIER, Property::TITLE]);
        let Some(name) = record.first_line("split", names.into_iter()) else { continue };
        let records = record.count("records of a split", own.all(Property::OWN_RECORDS));
        let bytes = record.count("bytes of a split", own.all(Property::BYTE_SIZE));
        splits.push(Split { name, records, bytes });
    }
    record.cut("splits", &mut splits);
    Ok(splits)
}

/// Numbers of records and tokens: measured, else as the profiles count them.
fn counts(record: &mut Record<'_>, node: &Node, distributions: &[Read], training: &mut Training) -> io::Result<()> {
    const RECORDS: &str = "https://pleiad.example/ns#metric-records";
    const TOKENS: &str = "https://pleiad.example/ns#metric-tokens";
    for term in node.all(Property::MEASUREMENT) {
        let own = record.follow(term)?;
        let metric = own.all(Property::IS_MEASUREMENT_OF).find_map(Term::iri);
        if metric != Some(RECORDS) && metric != Some(TOKENS) {
            continue;
        }
        let Some(count) = record.count("measurement", own.all(Property::MEASURED)) else { continue };
        if metric == Some(RECORDS) {
            training.record_count = Some(count);
        } else if let Some(tokeniser) = record.first_line("tokeniser", own.all(Property::OWN_TOKENISER)) {
            training.tokens = Some(TokenCount { count, tokeniser });
        }
    }
    if training.record_count.is_none() && !record.is_ours {
        let counted = record.count("number of records", node.all(Property::RECORDS));
        // Of several distributions nobody says whether one is a part of the other.
        let only = if let [one] = distributions { one.datapoints } else { None };
        training.record_count = counted.or(only);
    }
    Ok(())
}
