//! Who publishes a dataset, who made it, and whom to ask.

use serde_json::{Value, json};

use super::describe::unsaid;
use super::words::Words;
use crate::domain::dataset::{Agent, Contact};
use crate::formats::draft::{Notes, parse_iri};
use crate::formats::linked::{Document, Item, Node, said};

/// The publisher; of several the first.
pub(crate) fn publisher(document: &Document, node: &Node, notes: &mut Notes) -> Option<Agent> {
    let mut agents = agents(document, node.first_of(&["schema:publisher", "schema:provider"]), notes);
    if agents.len() > 1 {
        notes.note("publisher: one of several is kept");
    }
    (!agents.is_empty()).then(|| agents.swap_remove(0))
}

/// Who made it, in the order of the source.
pub(crate) fn creators(document: &Document, node: &Node, notes: &mut Notes) -> Vec<Agent> {
    let mut agents = agents(document, node.first_of(&["schema:creator", "schema:author"]), notes);
    notes.cut("creators", &mut agents);
    agents
}

/// Organisations and people by name.
pub(crate) fn agents(document: &Document, items: &[Item], notes: &mut Notes) -> Vec<Agent> {
    let mut agents: Vec<Agent> = Vec::new();
    for item in items {
        let agent = match item.node() {
            Some(node) => agent(document.resolve(node), notes),
            None => {
                let said = said(std::slice::from_ref(item), "name", notes);
                notes.title("name", said).map(|name| Agent { name, iri: None, kind: None })
            }
        };
        if let Some(agent) = agent.filter(|agent| !agents.contains(agent)) {
            agents.push(agent);
        }
    }
    agents
}

fn agent(node: &Node, notes: &mut Notes) -> Option<Agent> {
    let mut said = node.said("schema:name", notes);
    if said.is_empty() {
        said = node.said("schema:legalName", notes);
    }
    let iri = node
        .text("schema:url")
        .or_else(|| node.id.clone())
        .or_else(|| node.references("schema:sameAs").into_iter().next());
    let iri = iri.filter(|iri| !iri.starts_with("_:")).and_then(|text| parse_iri(&text));
    let name = notes.title("name", said).or_else(|| unsaid(iri.as_ref()?.as_str()))?;
    let kind = node.references("schema:additionalType").iter().find_map(|text| parse_iri(text));
    Some(Agent { name, iri, kind })
}

/// Whom to ask: a contact point of the dataset, or of an organisation that publishes, keeps or made it. What is said of a
/// person is not kept, because the metadata travels to every member.
pub(crate) fn contact(document: &Document, node: &Node, notes: &mut Notes) -> Option<Contact> {
    let parties = ["schema:publisher", "schema:maintainer", "schema:provider", "schema:creator"];
    let organisations = parties
        .into_iter()
        .flat_map(|property| node.nodes(property))
        .map(|party| document.resolve(party))
        .filter(|party| !party.is("schema:Person"));
    let mut found = Vec::new();
    for holder in std::iter::once(node).chain(organisations) {
        for point in holder.nodes("schema:contactPoint") {
            let fallback = holder.text("schema:name").filter(|_| !std::ptr::eq(holder, node));
            found.extend(contact_point(document.resolve(point), fallback, notes));
        }
    }
    found.dedup();
    if found.len() > 1 {
        notes.note("contact: one of several is kept");
    }
    found.into_iter().next()
}

/// A desk with its address; one that only has a name says nothing that a reader could use, and is kept all the same.
pub(crate) fn contact_point(point: &Node, fallback: Option<String>, notes: &mut Notes) -> Option<Contact> {
    let name = point.text("schema:name").or_else(|| point.text("schema:contactType")).or(fallback)?;
    let name = notes.line("contact", &name)?;
    let email = point.text("schema:email").and_then(|text| {
        let address = text.trim().trim_start_matches("mailto:");
        let email = address.parse().ok();
        if email.is_none() {
            notes.note(format!("contact: {:?} is not an e-mail address", crate::formats::draft::shown(&text)));
        }
        email
    });
    let page = point.references("schema:url").iter().find_map(|text| parse_iri(text));
    Some(Contact { name, email, page })
}

/// An agent as a record states it. The address is a `url` and no identifier, because a reader that makes a graph of the
/// document would take two agents of one address for one.
pub(crate) fn written(agent: &Agent, words: &Words) -> Value {
    let mut organisation = json!({"@type": "Organization", "name": words.text(&agent.name)});
    if let Some(iri) = &agent.iri {
        organisation["url"] = json!(iri);
    }
    if let Some(kind) = &agent.kind {
        organisation["additionalType"] = json!(kind);
    }
    organisation
}

/// A contact as a record states it.
pub(crate) fn written_contact(contact: &Contact) -> Value {
    let mut point = json!({"@type": "ContactPoint", "name": contact.name});
    if let Some(email) = &contact.email {
        point["email"] = json!(email);
    }
    if let Some(page) = &contact.page {
        point["url"] = json!(page);
    }
    point
}
