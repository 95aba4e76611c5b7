//! Usage policies: an ODRL offer in `usageInfo`, as Croissant 1.1 recommends.
//!
//! A policy is read whole or not at all. A rule of which a part is left out would permit more than its author did.

use serde_json::{Map, Value, json};

use crate::domain::bounds;
use crate::domain::dataset::Dataset;
use crate::domain::policy::{Constraint, Duty, Policy, Rule};
use crate::formats::draft::Notes;
use crate::formats::linked::{Item, Node, long, short};

/// Words of a policy that ODRL does not have.
const OWN: [&str; 1] = ["secure_environment"];

/// What a rule, a duty, a constraint and an offer may say and still be understood.
const OF_OFFER: [&str; 9] = [
    "odrl:target",
    "odrl:permission",
    "odrl:prohibition",
    "odrl:obligation",
    "odrl:profile",
    "odrl:uid",
    "pleiad:duration",
    "schema:name",
    "schema:description",
];
const OF_RULE: [&str; 4] = ["odrl:action", "odrl:constraint", "odrl:duty", "odrl:target"];
const OF_CONSTRAINT: [&str; 3] = ["odrl:leftOperand", "odrl:operator", "odrl:rightOperand"];

/// Reads the policy of a dataset.
pub(super) fn read(root: &Node, dataset: &mut Dataset, notes: &mut Notes) {
    let mut offers = root
        .nodes("schema:usageInfo")
        .filter(|node| ["odrl:Offer", "odrl:Policy", "odrl:Set"].iter().any(|kind| node.is(kind)));
    let Some(offer) = offers.next() else { return };
    if offers.next().is_some() {
        notes.note("policy: several offers are made, so none is kept");
        return;
    }
    if !["odrl:permission", "odrl:prohibition"].iter().any(|rule| offer.has(rule)) {
        notes.note("policy: the offer states no rule");
        return;
    }
    let rules = ["odrl:permission", "odrl:prohibition", "odrl:obligation"];
    let rules = rules.iter().flat_map(|rule| offer.all(rule)).filter_map(Item::node);
    if std::iter::once(offer).chain(rules).any(|said| is_about_other(said, root)) {
        notes.note("policy: a rule is about something else, so nothing of it is kept");
        return;
    }
    dataset.policy = policy(offer);
    if dataset.policy.is_none() {
        notes.note("policy: a part of it is not understood, so nothing of it is kept");
    }
}

fn policy(offer: &Node) -> Option<Policy> {
    only(offer, &OF_OFFER)?;
    let obligations: Vec<Duty> = duties(offer, "odrl:obligation")?;
    let approval = !obligations.is_empty();
    if obligations.iter().any(|duty| duty.action != "obtainConsent" || !duty.constraints.is_empty()) {
        return None;
    }
    let duration = offer.text("pleiad:duration");
    if duration.as_deref().is_some_and(|text| !bounds::is_duration(text)) {
        return None;
    }
    Some(Policy {
        permissions: rules(offer, "odrl:permission")?,
        prohibitions: rules(offer, "odrl:prohibition")?,
        approval,
        duration,
    })
}

/// Whether an offer or a rule says what it is about, and that is not this dataset.
fn is_about_other(node: &Node, root: &Node) -> bool {
    let own = root.id.as_deref().map(long);
    let is_own = |target: String| Some(long(&target)) == own;
    node.all("odrl:target").iter().any(|target| !target.reference().is_some_and(is_own))
}

/// Nothing where a thing says something that is not in the list.
fn only(node: &Node, known: &[&str]) -> Option<()> {
    node.properties().all(|property| known.contains(&property)).then_some(())
}

fn nodes<'n>(node: &'n Node, property: &str) -> Option<Vec<&'n Node>> {
    let items = node.all(property);
    let nodes: Vec<&Node> = items.iter().filter_map(Item::node).collect();
    (nodes.len() == items.len() && nodes.len() <= bounds::LIST).then_some(nodes)
}

fn rules(offer: &Node, property: &str) -> Option<Vec<Rule>> {
    nodes(offer, property)?
        .into_iter()
        .map(|rule| {
            only(rule, &OF_RULE)?;
            Some(Rule {
                action: word(rule, "odrl:action")?,
                constraints: constraints(rule)?,
                duties: duties(rule, "odrl:duty")?,
            })
        })
        .collect()
}

fn duties(node: &Node, property: &str) -> Option<Vec<Duty>> {
    nodes(node, property)?
        .into_iter()
        .map(|duty| {
            only(duty, &OF_RULE[..2])?;
            Some(Duty { action: word(duty, "odrl:action")?, constraints: constraints(duty)? })
        })
        .collect()
}

fn constraints(rule: &Node) -> Option<Vec<Constraint>> {
    nodes(rule, "odrl:constraint")?
        .into_iter()
        .map(|constraint| {
            only(constraint, &OF_CONSTRAINT)?;
            let right = constraint.all("odrl:rightOperand");
            let values: Vec<String> = right.iter().filter_map(operand).collect();
            let is_whole = values.len() == right.len() && (1..=bounds::LIST).contains(&values.len());
            is_whole.then_some(())?;
            Some(Constraint {
                left: word(constraint, "odrl:leftOperand")?,
                operator: word(constraint, "odrl:operator")?,
                right: values,
            })
        })
        .collect()
}

/// A right operand: a text, a number or an IRI.
fn operand(item: &Item) -> Option<String> {
    let text = match item {
        Item::Node(node) if node.is_reference() => node.id.as_deref().map(long),
        other => other.text(),
    };
    text.filter(|text| bounds::is_line(text, bounds::LINE))
}

/// One word of ODRL without its prefix, one of ours, or an IRI.
fn word(node: &Node, property: &str) -> Option<String> {
    let [item] = node.all(property) else { return None };
    let said = match item {
        Item::Node(node) if node.is_reference() => node.id.clone(),
        Item::Text(text, _) => Some(text.clone()),
        _ => None,
    };
    let said = short(&said?);
    let bare = said.strip_prefix("odrl:").or_else(|| said.strip_prefix("pleiad:")).map_or(said.clone(), str::to_owned);
    let word = if bare == said { long(&said) } else { bare };
    bounds::is_line(&word, bounds::LINE).then_some(word)
}

/// Writes the policy of a dataset.
pub(super) fn write(dataset: &Dataset, document: &mut Map<String, Value>) {
    let Some(policy) = &dataset.policy else { return };
    let mut offer = json!({
        "@type": ["CreativeWork", "odrl:Offer"],
        "@id": format!("{}#policy", dataset.id),
        "name": "Terms of use",
    });
    for (term, kind, rules) in [
        ("odrl:permission", "odrl:Permission", &policy.permissions),
        ("odrl:prohibition", "odrl:Prohibition", &policy.prohibitions),
    ] {
        if !rules.is_empty() {
            offer[term] = rules.iter().map(|rule| written_rule(rule, kind)).collect();
        }
    }
    if policy.approval {
        offer["odrl:obligation"] = json!([{"@type": "odrl:Duty", "odrl:action": {"@id": "odrl:obtainConsent"}}]);
    }
    if let Some(duration) = &policy.duration {
        offer["pleiad:duration"] = json!(duration);
    }
    document.insert("usageInfo".to_owned(), offer);
}

fn written_rule(rule: &Rule, kind: &str) -> Value {
    let mut written = json!({"@type": kind, "odrl:action": term(&rule.action)});
    add_constraints(&mut written, &rule.constraints);
    if !rule.duties.is_empty() {
        let duties = rule.duties.iter().map(|duty| {
            let mut written = json!({"@type": "odrl:Duty", "odrl:action": term(&duty.action)});
            add_constraints(&mut written, &duty.constraints);
            written
        });
        written["odrl:duty"] = duties.collect();
    }
    written
}

fn add_constraints(rule: &mut Value, constraints: &[Constraint]) {
    if constraints.is_empty() {
        return;
    }
    let constraints = constraints.iter().map(|constraint| {
        let right: Vec<Value> = constraint.right.iter().map(|value| right(value)).collect();
        json!({
            "@type": "odrl:Constraint",
            "odrl:leftOperand": term(&constraint.left),
            "odrl:operator": term(&constraint.operator),
            "odrl:rightOperand": right,
        })
    });
    rule["odrl:constraint"] = constraints.collect();
}

fn right(value: &str) -> Value {
    if value.starts_with("http://") || value.starts_with("https://") { json!({"@id": value}) } else { json!(value) }
}

/// A word of a policy as a term: of ODRL, unless it has a prefix or is one of ours.
fn term(word: &str) -> Value {
    let is_plain = word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let name = match word {
        word if OWN.contains(&word) => format!("pleiad:{word}"),
        word if is_plain => format!("odrl:{word}"),
        word if word.contains(':') && !word.contains(char::is_whitespace) => word.to_owned(),
        // Words that are no identifier are kept as words; a reader that does not know them will say so.
        word => return json!(word),
    };
    json!({"@id": name})
}
