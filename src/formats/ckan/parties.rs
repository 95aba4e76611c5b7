//! Who publishes a package, who made it, and whom to ask.

use serde_json::{Map, Value};

use super::Package;
use crate::domain::bounds;
use crate::domain::dataset::{Agent, Contact};
use crate::domain::ids::Email;
use crate::domain::text::Text;
use crate::formats::contact::{email, is_functional};
use crate::formats::draft::{Notes, parse_iri, shown, undetermined};
use crate::formats::said::{field, objects, tagged, text};
use crate::formats::text::{line, shortened};

/// The publisher that the DCAT fields name, else the organisation whose package it is.
pub(super) fn publisher(package: &Package<'_>, notes: &mut Notes) -> Option<Agent> {
    let named = package.field(&["publisher"]).map(objects).unwrap_or_default();
    if let Some(agent) = named.iter().find_map(|said| agent(said, notes)) {
        return Some(agent);
    }
    let pairs: Map<String, Value> = [("name", "publisher_name"), ("uri", "publisher_uri"), ("type", "publisher_type")]
        .iter()
        .filter_map(|(short, long)| Some(((*short).to_owned(), package.field(&[long])?.clone())))
        .collect();
    if let Some(agent) = agent(&pairs, notes) {
        return Some(agent);
    }
    if let Some(name) = package.text(&["publisher"]).filter(|name| !name.starts_with(['{', '['])) {
        return notes.title("publisher", [(undetermined(), name)]).map(|name| Agent { name, iri: None, kind: None });
    }
    package.fields.get("organization").map(objects).and_then(|list| list.first().and_then(|said| agent(said, notes)))
}

/// Who made it, where the DCAT fields say so. `author` may be a person's name and is not taken.
pub(super) fn creators(package: &Package<'_>, notes: &mut Notes) -> Vec<Agent> {
    let mut creators: Vec<Agent> = package
        .field(&["creator"])
        .map(objects)
        .unwrap_or_default()
        .iter()
        .filter_map(|said| agent(said, notes))
        .collect();
    creators.dedup();
    notes.cut("creators", &mut creators);
    creators
}

fn agent(said: &Map<String, Value>, notes: &mut Notes) -> Option<Agent> {
    let name = field(said, &["title_translated", "title", "display_name", "name"])?;
    let tagged = tagged(notes, "name", name, None);
    let name: Text = notes.title("name", tagged)?;
    // A type such as `organization` is CKAN's own word and no IRI.
    let iri = |names: &[&str]| {
        field(said, names).and_then(text).filter(|text| text.contains(':')).and_then(|text| parse_iri(&text))
    };
    Some(Agent { name, iri: iri(&["uri"]), kind: iri(&["type"]) })
}

/// Whom to ask: the contact point of the DCAT fields, else the maintainer or author where the address is a desk's.
pub(super) fn contact(package: &Package<'_>, notes: &mut Notes) -> Option<Contact> {
    let mut cards: Vec<Map<String, Value>> = package.field(&["contact"]).map(objects).unwrap_or_default();
    cards.push(
        [("name", "contact_name"), ("email", "contact_email"), ("url", "contact_uri")]
            .iter()
            .filter_map(|(short, long)| Some(((*short).to_owned(), package.field(&[long])?.clone())))
            .collect(),
    );
    let of_card = |card: &Map<String, Value>, notes: &mut Notes| {
        let name = field(card, &["name"]).and_then(text).map(|name| shortened(line(&name), bounds::LINE).0);
        let address = field(card, &["email"]).and_then(text).and_then(|text| checked(&text, notes));
        let page = field(card, &["url", "uri"])
            .and_then(text)
            .filter(|text| text.starts_with("http"))
            .and_then(|text| parse_iri(&text));
        let name = name.filter(|name| !name.is_empty()).or_else(|| address.as_ref().map(ToString::to_string));
        (address.is_some() || page.is_some()).then(|| Contact { name: name.unwrap_or_default(), email: address, page })
    };
    if let Some(contact) = cards.iter().find_map(|card| of_card(card, notes)).filter(|contact| !contact.name.is_empty())
    {
        return Some(contact);
    }
    for role in ["maintainer", "author"] {
        let Some(address) = package.text(&[&format!("{role}_email")]).and_then(|text| checked(&text, notes)) else {
            continue;
        };
        if !is_functional(&address) {
            notes.note("contact: an address that may be a person's is left out; a functional mailbox is wanted");
            continue;
        }
        // The name beside a desk's address is often that of a person: the organisation's stands for it.
        let organisation = package.fields.get("organization").map(objects).unwrap_or_default();
        let name = organisation.first().and_then(|said| field(said, &["title", "display_name", "name"])).and_then(text);
        let name = name.map(|name| shortened(line(&name), bounds::LINE).0).filter(|name| !name.is_empty());
        return Some(Contact { name: name.unwrap_or_else(|| address.to_string()), email: Some(address), page: None });
    }
    None
}

fn checked(written: &str, notes: &mut Notes) -> Option<Email> {
    let address = email(written);
    if address.is_none() {
        notes.note(format!("contact: {:?} is not an e-mail address", shown(written)));
    }
    address
}
