//! An ODRL policy of a dataset.
//!
//! A policy is taken whole or not at all: where it says something that ours cannot say (a refinement, a choice between
//! constraints, an assignee), leaving that out could permit more than its author did.

use std::io;

use super::node::{Node, Term};
use super::odrl::short;
use super::record::{Record, shown};
use super::terms::Property;
use crate::domain::bounds;
use crate::domain::policy::{Constraint, Duty, Policy, Rule};

/// The properties of each kind of node that are understood; the names of a policy and its parties restrict nothing.
const OF_POLICY: [Property; 9] = [
    Property::TYPE,
    Property::ODRL_TARGET,
    Property::ODRL_UID,
    Property::ODRL_PERMISSION,
    Property::ODRL_PROHIBITION,
    Property::OWN_APPROVAL,
    Property::OWN_DURATION,
    Property::TITLE,
    Property::DESCRIPTION,
];
const OF_RULE: [Property; 7] = [
    Property::TYPE,
    Property::OWN_POSITION,
    Property::ODRL_TARGET,
    Property::ODRL_ASSIGNER,
    Property::ODRL_ACTION,
    Property::ODRL_CONSTRAINT,
    Property::ODRL_DUTY,
];
const OF_DUTY: [Property; 4] =
    [Property::TYPE, Property::OWN_POSITION, Property::ODRL_ACTION, Property::ODRL_CONSTRAINT];
const OF_CONSTRAINT: [Property; 5] =
    [Property::TYPE, Property::OWN_POSITION, Property::ODRL_LEFT, Property::ODRL_OPERATOR, Property::ODRL_RIGHT];

/// Why a policy is not taken.
type Unclear = String;

/// Why a policy is not taken that says what it is about, where that is not this dataset.
fn about_other(record: &Record<'_>, node: &Node) -> Option<Unclear> {
    let is_other = node.all(Property::ODRL_TARGET).any(|term| term.subject() != Some(&record.subject));
    is_other.then(|| "a rule is about something else".to_owned())
}

/// The policy, where there is one that is described here and understood whole.
pub(super) fn policy(record: &mut Record<'_>, node: &Node) -> io::Result<Option<Policy>> {
    let mut found = Vec::new();
    for term in node.all(Property::HAS_POLICY) {
        let own = record.follow(term)?;
        if own.statements.is_empty() {
            record.note("policy: it is named and not described here, so none is taken");
            continue;
        }
        found.push(read(record, &own)?);
    }
    match found.len() {
        0 => Ok(None),
        1 => match found.remove(0) {
            Ok(policy) => Ok(Some(policy)),
            Err(why) => {
                record.note(format!("policy: {why}, so none of it is taken"));
                Ok(None)
            }
        },
        _ => {
            record.note("policy: several are stated, so none is taken");
            Ok(None)
        }
    }
}

fn read(record: &mut Record<'_>, node: &Node) -> io::Result<Result<Policy, Unclear>> {
    if let Some(why) = beyond(record, node, &OF_POLICY).or_else(|| about_other(record, node)) {
        return Ok(Err(why));
    }
    let mut policy = Policy {
        approval: node.all(Property::OWN_APPROVAL).filter_map(Term::text).any(|text| matches!(text, "true" | "1")),
        ..Policy::default()
    };
    if let Some(duration) = node.all(Property::OWN_DURATION).find_map(Term::text) {
        if !bounds::is_duration(duration) {
            return Ok(Err(format!("the duration {:?} is not understood", shown(duration))));
        }
        policy.duration = Some(duration.to_owned());
    }
    for (property, is_permission) in [(Property::ODRL_PERMISSION, true), (Property::ODRL_PROHIBITION, false)] {
        let mut rules = Vec::new();
        for (_, own) in record.in_order(node.all(property))? {
            match rule(record, &own)? {
                Ok(rule) => rules.push(rule),
                Err(why) => return Ok(Err(why)),
            }
        }
        if rules.len() > bounds::LIST {
            return Ok(Err(format!("it has more than {} rules", bounds::LIST)));
        }
        *(if is_permission { &mut policy.permissions } else { &mut policy.prohibitions }) = rules;
    }
    Ok(Ok(policy))
}

fn rule(record: &mut Record<'_>, node: &Node) -> io::Result<Result<Rule, Unclear>> {
    if let Some(why) = beyond(record, node, &OF_RULE).or_else(|| about_other(record, node)) {
        return Ok(Err(why));
    }
    let action = match one(node, Property::ODRL_ACTION, "a rule's action") {
        Ok(action) => action,
        Err(why) => return Ok(Err(why)),
    };
    let constraints = match constraints(record, node)? {
        Ok(constraints) => constraints,
        Err(why) => return Ok(Err(why)),
    };
    let mut duties = Vec::new();
    for (_, own) in record.in_order(node.all(Property::ODRL_DUTY))? {
        match duty(record, &own)? {
            Ok(duty) => duties.push(duty),
            Err(why) => return Ok(Err(why)),
        }
    }
    Ok(Ok(Rule { action, constraints, duties }))
}

fn duty(record: &mut Record<'_>, node: &Node) -> io::Result<Result<Duty, Unclear>> {
    if let Some(why) = beyond(record, node, &OF_DUTY) {
        return Ok(Err(why));
    }
    let constraints = constraints(record, node)?;
    Ok(one(node, Property::ODRL_ACTION, "a duty's action")
        .and_then(|action| Ok(Duty { action, constraints: constraints? })))
}

fn constraints(record: &mut Record<'_>, node: &Node) -> io::Result<Result<Vec<Constraint>, Unclear>> {
    let mut constraints = Vec::new();
    for (_, own) in record.in_order(node.all(Property::ODRL_CONSTRAINT))? {
        if let Some(why) = beyond(record, &own, &OF_CONSTRAINT) {
            return Ok(Err(why));
        }
        match constraint(&own) {
            Ok(constraint) => constraints.push(constraint),
            Err(why) => return Ok(Err(why)),
        }
    }
    Ok(Ok(constraints))
}

fn constraint(node: &Node) -> Result<Constraint, Unclear> {
    let left = one(node, Property::ODRL_LEFT, "a constraint's left operand")?;
    let operator = one(node, Property::ODRL_OPERATOR, "a constraint's operator")?;
    let mut right = Vec::new();
    for term in node.all(Property::ODRL_RIGHT) {
        let text = term.text().ok_or("a right operand has no value")?;
        right.push(line(text, "a right operand")?);
    }
    if right.is_empty() {
        return Err("a constraint has no right operand".into());
    }
    Ok(Constraint { left, operator, right })
}

/// The one term of a property, spelled short.
fn one(node: &Node, property: Property, what: &str) -> Result<String, Unclear> {
    let terms: Vec<&Term> = node.all(property).collect();
    match terms[..] {
        [term] => {
            let text = term.text().ok_or_else(|| format!("{what} is described by others"))?;
            line(short(text), what)
        }
        _ => Err(format!("{what} is not exactly one")),
    }
}

fn line(text: &str, what: &str) -> Result<String, Unclear> {
    if bounds::is_line(text, bounds::LINE) { Ok(text.to_owned()) } else { Err(format!("{what} is not a line")) }
}

/// Why a node says more than is understood of it.
fn beyond(record: &Record<'_>, node: &Node, known: &[Property]) -> Option<Unclear> {
    let (property, _) = node.statements.iter().find(|(property, _)| !known.contains(property))?;
    Some(format!("it uses {:?}, which is not understood", shown(record.sorted.iri_of(*property))))
}
