//! What HealthDCAT-AP says of health data.

use std::io;

use super::node::{Node, Term};
use super::parties;
use super::record::Record;
use super::terms::Property;
use crate::domain::dataset::Health;
use crate::domain::licence::Answer;

/// The health block; nothing where no term of the profile is used.
pub(super) fn health(record: &mut Record<'_>, node: &Node) -> io::Result<Option<Health>> {
    let access_body = parties::one_agent(record, "health data access body", node.all(Property::HDAB))?;
    let named = |property: Property| node.all(property).filter(|term| term.iri().is_some());
    let health = Health {
        access_body,
        categories: record.iris("health category", named(Property::HEALTH_CATEGORY)),
        themes: record.iris("health theme", named(Property::HEALTH_THEME)),
        coding_systems: record.iris("coding system", named(Property::CODING_SYSTEM)),
        code_values: record.iris("code", named(Property::CODE_VALUES)),
        population: record.prose("population", node.all(Property::POPULATION)),
        min_age: record.count("lowest age", node.all(Property::MIN_AGE)),
        max_age: record.count("highest age", node.all(Property::MAX_AGE)),
        trusted_holder: trusted(record, node)?,
    };
    Ok(Some(health).filter(|health| *health != Health::default()))
}

/// Whether the holder is a trusted one: said of the dataset, or of its publisher, as the profile has it.
fn trusted(record: &mut Record<'_>, node: &Node) -> io::Result<Answer> {
    let mut answers: Vec<Term> = node.all(Property::TRUSTED_HOLDER).cloned().collect();
    for publisher in node.all(Property::PUBLISHER) {
        answers.extend(record.follow(publisher)?.all(Property::TRUSTED_HOLDER).cloned());
    }
    let says = |wanted: &[&str]| answers.iter().filter_map(Term::text).any(|text| wanted.contains(&text.trim()));
    Ok(match (says(&["true", "1"]), says(&["false", "0"])) {
        (true, false) => Answer::Yes,
        (false, true) => Answer::No,
        _ => Answer::NotStated,
    })
}
