//! What is said about personal data, in the terms of the Data Privacy Vocabulary and of the Czech conditions of use.

use std::io;

use super::distribution::Read;
use super::node::{Node, Term};
use super::parties;
use super::record::{Record, country, parse_iri, shown};
use super::terms::Property;
use crate::domain::bounds;
use crate::domain::gdpr::{self, DPV, Dpia, DpiaStatus, Gdpr, PersonalData, Transfer};
use crate::domain::ids::Iri;

/// The GDPR block.
pub(super) fn gdpr(record: &mut Record<'_>, node: &Node, distributions: &[Read]) -> io::Result<Gdpr> {
    let (legal_basis, special_condition) = bases(record, node);
    let (categories, special_categories) = categories(record, node);
    let named = |property: Property| node.all(property).filter(|term| term.iri().is_some());
    let counts = node.first_of(&[Property::OWN_DATA_SUBJECT_COUNT, Property::INDIVIDUALS]);
    Ok(Gdpr {
        personal_data: personal_data(record, node, distributions),
        categories,
        special_categories,
        legal_basis,
        special_condition,
        purposes: record.iris("purpose", named(Property::HAS_PURPOSE)),
        collection_purpose: record.prose("purpose of collection", node.all(Property::OWN_COLLECTION_PURPOSE)),
        data_subjects: record.iris("data subject", named(Property::HAS_DATA_SUBJECT)),
        data_subject_count: record.count("number of data subjects", counts.into_iter()),
        controllers: parties::agents(
            record,
            "controller",
            named_nodes(node, &[Property::HAS_CONTROLLER, Property::HAS_JOINT_CONTROLLERS]),
        )?,
        processors: parties::agents(record, "processor", named_nodes(node, &[Property::HAS_PROCESSOR]))?,
        dpo: parties::desk(record, "data protection officer", node.all(Property::HAS_OFFICER))?,
        rights_contact: rights_contact(record, node)?,
        retention: retention(record, node)?,
        dpia: assessment(record, node)?,
        measures: record.iris("measure", named(Property::HAS_MEASURE)),
        transfers: transfers(record, node)?,
        processing_locations: locations(record, node),
    })
}

fn named_nodes<'n>(node: &'n Node, properties: &'n [Property]) -> impl Iterator<Item = &'n Term> {
    properties.iter().flat_map(|property| node.all(*property))
}

/// Whether there is personal data. One distribution with it makes the dataset personal; all of them must be without for
/// a *no*.
fn personal_data(record: &mut Record<'_>, node: &Node, distributions: &[Read]) -> PersonalData {
    let mut answers = stated(record, node);
    let each = || distributions.iter().map(|read| read.personal_data);
    if each().all(|answer| answer != PersonalData::NotStated) {
        answers.extend(each());
    } else {
        answers.extend(each().filter(|answer| answer.is_personal()));
    }
    together(record, answers)
}

/// What a dataset or a distribution says itself.
pub(super) fn stated(record: &mut Record<'_>, node: &Node) -> Vec<PersonalData> {
    let mut answers = Vec::new();
    for term in node.all(Property::HAS_DATA) {
        let text = term.text().unwrap_or_default();
        match present(term).as_deref().and_then(|iri| iri.strip_prefix(DPV)).and_then(PersonalData::of_dpv) {
            Some(answer) => answers.push(answer),
            // Our own writer says here too that data is synthetic, which the block of training has in its own words.
            None if record.is_ours => {}
            None => record.note(format!("personal data: {:?} does not say whether there is any", shown(text))),
        }
    }
    answers
}

/// What several answers say together.
pub(super) fn together(record: &mut Record<'_>, answers: Vec<PersonalData>) -> PersonalData {
    PersonalData::together(answers).unwrap_or_else(|| {
        record.note("personal data: several answers are stated that differ, so none is taken");
        PersonalData::NotStated
    })
}

/// Spellings of DPV's namespaces before version 2, with the present ones.
const OLDER: [(&str, &str); 4] = [
    ("https://w3id.org/dpv/dpv-pd#", gdpr::DPV_PD),
    ("https://w3id.org/dpv/dpv-gdpr#", gdpr::EU_GDPR),
    ("https://w3id.org/dpv/gdpr#", gdpr::EU_GDPR),
    ("http://www.w3.org/ns/dpv#", DPV),
];

fn present(term: &Term) -> Option<String> {
    let iri = term.iri()?;
    let older = OLDER.iter().find_map(|(old, new)| iri.strip_prefix(old).map(|name| format!("{new}{name}")));
    Some(older.unwrap_or_else(|| iri.to_owned()))
}

/// Categories of personal data, and the special ones among them.
fn categories(record: &mut Record<'_>, node: &Node) -> (Vec<Iri>, Vec<Iri>) {
    let texts: Vec<String> = node.all(Property::HAS_PERSONAL_DATA).filter_map(present).collect();
    let all = record.notes.iris("personal data", texts.iter().map(String::as_str));
    let marked = record.iris("special category", node.all(Property::OWN_SPECIAL_CATEGORY));
    let is_special = |term: &Iri| if record.is_ours { marked.contains(term) } else { gdpr::is_special_category(term) };
    let (special, plain) = all.into_iter().partition(is_special);
    (plain, special)
}

/// Legal bases of Article 6, and conditions of Article 9.
fn bases(record: &mut Record<'_>, node: &Node) -> (Vec<Iri>, Vec<Iri>) {
    let terms = node.all(Property::HAS_LEGAL_BASIS).chain(node.all(Property::HEALTH_LEGAL_BASIS));
    let texts: Vec<String> = terms.filter_map(present).collect();
    let all = record.notes.iris("legal basis", texts.iter().map(String::as_str));
    let marked = record.iris("special condition", node.all(Property::OWN_SPECIAL_CONDITION));
    let (mut bases, mut conditions) = (Vec::new(), Vec::new());
    for basis in all {
        if marked.contains(&basis) || (!record.is_ours && gdpr::is_special_condition(&basis)) {
            conditions.push(basis);
        } else if record.is_ours || gdpr::is_legal_basis(&basis) {
            bases.push(basis);
        } else {
            record.note(format!("legal basis: {:?} is not one of Article 6 or 9", shown(basis.as_str())));
        }
    }
    (bases, conditions)
}

fn rights_contact(record: &mut Record<'_>, node: &Node) -> io::Result<Option<crate::domain::dataset::Contact>> {
    let mut places = Vec::new();
    for right in node.all(Property::HAS_RIGHT) {
        places.extend(record.follow(right)?.all(Property::IS_EXERCISED_AT).cloned());
    }
    parties::desk(record, "contact for data subjects", places.iter())
}

/// How long it may be kept: a duration or a day; of a period of HealthDCAT-AP its last day.
fn retention(record: &mut Record<'_>, node: &Node) -> io::Result<Option<String>> {
    let mut texts: Vec<String> = Vec::new();
    for condition in node.all(Property::HAS_STORAGE) {
        let condition = record.follow(condition)?;
        texts.extend(condition.all(Property::HAS_DURATION).filter_map(Term::text).map(str::to_owned));
    }
    for period in node.all(Property::RETENTION_PERIOD).filter(|term| !term.is_literal()) {
        let period = record.follow(period)?;
        let days = record.dates("retention", period.first_of(&[Property::END_DATE, Property::SCHEMA_END]).into_iter());
        texts.extend(days.into_iter().map(|day| day.to_string()));
    }
    let is_one = |text: &String| bounds::is_duration(text) || bounds::parse_day(text).is_some();
    for text in texts.iter().filter(|text| !is_one(text)) {
        record.note(format!("retention: {:?} is neither a duration nor a day", shown(text)));
    }
    Ok(texts.into_iter().find(is_one))
}

fn assessment(record: &mut Record<'_>, node: &Node) -> io::Result<Option<Dpia>> {
    for term in node.all(Property::HAS_ASSESSMENT) {
        let own = record.follow(term)?;
        let status = match own.all(Property::OWN_DPIA_STATUS).find_map(Term::text) {
            Some("not_required") => DpiaStatus::NotRequired,
            Some("required") => DpiaStatus::Required,
            Some("completed") => DpiaStatus::Completed,
            Some("consulted") => DpiaStatus::Consulted,
            _ => {
                record.note("impact assessment: where it stands is not stated, so it is not taken");
                continue;
            }
        };
        let reference = record.one_iri("impact assessment", own.all(Property::PAGE));
        return Ok(Some(Dpia { status, reference }));
    }
    Ok(None)
}

fn transfers(record: &mut Record<'_>, node: &Node) -> io::Result<Vec<Transfer>> {
    let mut transfers = Vec::new();
    for term in node.all(Property::OWN_TRANSFER) {
        let own = record.follow(term)?;
        let to = own.all(Property::HAS_LOCATION).filter_map(Term::text).find_map(country);
        let tool = own.all(Property::HAS_LEGAL_BASIS).filter_map(Term::text).find_map(parse_iri);
        match (to, tool) {
            (Some(country), Some(tool)) => transfers.push(Transfer { country, tool }),
            _ => record.note("transfer: a country and a tool are wanted"),
        }
    }
    record.cut("transfers", &mut transfers);
    Ok(transfers)
}

fn locations(record: &mut Record<'_>, node: &Node) -> Vec<crate::domain::ids::Country> {
    let mut countries = Vec::new();
    for text in node.all(Property::HAS_LOCATION).filter_map(Term::text) {
        match country(text) {
            Some(country) if countries.contains(&country) => {}
            Some(country) => countries.push(country),
            None => record.note(format!("place of processing: {:?} is not a country", shown(text))),
        }
    }
    record.cut("places of processing", &mut countries);
    countries
}
