//! Who publishes a dataset, who made it, and whom to ask.

use std::io;

use super::node::{Node, Term};
use super::record::{Record, parse_iri, shown, undetermined};
use super::terms::Property;
use crate::domain::bounds;
use crate::domain::dataset::{Agent, Contact};
use crate::domain::ids::{Email, Iri};
use crate::domain::text::Text;
use crate::formats::text;

const NAMES: [Property; 7] = [
    Property::NAME,
    Property::ORGANISATION_NAME,
    Property::FN,
    Property::PREF_LABEL,
    Property::LABEL,
    Property::TITLE,
    Property::VALUE,
];

const INDIVIDUAL: &str = "http://www.w3.org/2006/vcard/ns#Individual";
const ORGANISATIONS: [&str; 2] =
    ["http://www.w3.org/2006/vcard/ns#Organization", "http://www.w3.org/2006/vcard/ns#Group"];

/// The publisher; of several the first by name.
pub(super) fn publisher(record: &mut Record<'_>, node: &Node) -> io::Result<Option<Agent>> {
    one_agent(record, "publisher", node.all(Property::PUBLISHER))
}

/// Who made it, in the order of the names; DCAT-AP.de calls them originators too.
pub(super) fn creators(record: &mut Record<'_>, node: &Node) -> io::Result<Vec<Agent>> {
    agents(record, "creator", node.all(Property::CREATOR).chain(node.all(Property::DE_ORIGINATOR)))
}

/// The one in a role; of several the first by name.
pub(super) fn one_agent<'t>(
    record: &mut Record<'_>,
    role: &str,
    terms: impl Iterator<Item = &'t Term>,
) -> io::Result<Option<Agent>> {
    let mut agents = agents(record, role, terms)?;
    if agents.len() > 1 {
        record.note(format!("{role}: one of several is kept"));
    }
    Ok(if agents.is_empty() { None } else { Some(agents.swap_remove(0)) })
}

/// Those in a role, in the order of their names.
pub(super) fn agents<'t>(
    record: &mut Record<'_>,
    role: &str,
    terms: impl Iterator<Item = &'t Term>,
) -> io::Result<Vec<Agent>> {
    let mut agents = Vec::new();
    for term in terms {
        agents.extend(agent(record, term)?);
    }
    agents.sort_by_cached_key(|agent| (agent.name.best(&[]).1.to_owned(), agent.iri.clone()));
    agents.dedup();
    record.cut(role, &mut agents);
    Ok(agents)
}

fn agent(record: &mut Record<'_>, term: &Term) -> io::Result<Option<Agent>> {
    if let Term::Literal { .. } = term {
        let name = record.title("name", std::iter::once(term));
        return Ok(name.map(|name| Agent { name, iri: None, kind: None }));
    }
    let node = record.follow(term)?;
    // A name that our writer made up for a part of the record is nobody's IRI.
    let is_part = |iri: &str| iri.strip_prefix(&record.subject).is_some_and(|part| part.starts_with('#'));
    let iri = term.iri().filter(|iri| !(record.is_ours && is_part(iri))).and_then(parse_iri);
    let name = record.title("name", node.first_of(&NAMES).into_iter());
    let name = match (name, &iri) {
        (Some(name), _) => Some(name),
        // An IRI is all that is known of many publishers; it stands where a name would, and is not made into one.
        (None, Some(iri)) => Text::new(undetermined(), text::shortened(iri.to_string(), bounds::TITLE).0).ok(),
        (None, None) => None,
    };
    let kind = node.all(Property::DC_TYPE).filter_map(Term::iri).find_map(parse_iri);
    Ok(name.map(|name| Agent { name, iri, kind }))
}

/// Whom to ask about a dataset.
pub(super) fn contact(record: &mut Record<'_>, node: &Node) -> io::Result<Option<Contact>> {
    desk(record, "contact", node.all(Property::CONTACT_POINT))
}

/// Whom to write to in a role: an organisation's desk before a card that may be a person's, a card with an address before one without.
/// A card that says it is a person's is not kept; the metadata travels to every member.
pub(super) fn desk<'t>(
    record: &mut Record<'_>,
    role: &str,
    terms: impl Iterator<Item = &'t Term>,
) -> io::Result<Option<Contact>> {
    let mut found: Vec<(bool, bool, Contact)> = Vec::new();
    for term in terms {
        let card = record.follow(term)?;
        let is_person = card.is_a(INDIVIDUAL);
        let organisation = record.title(role, card.all(Property::ORGANISATION_NAME));
        if is_person && organisation.is_none() {
            record.note(format!("{role}: a person is left out; a functional mailbox is wanted"));
            continue;
        }
        let is_organisation = organisation.is_some() || ORGANISATIONS.iter().any(|class| card.is_a(class));
        let label = match organisation {
            Some(label) => Some(label),
            None => record.title(role, card.first_of(&NAMES).into_iter()),
        };
        let (email, page) = if is_person { (None, None) } else { (email(record, &card)?, page(record, &card)?) };
        let name = match (&label, &email, &page) {
            (Some(label), ..) => label.best(&[]).1.to_owned(),
            (None, Some(email), _) => email.to_string(),
            (None, None, Some(page)) => page.to_string(),
            (None, None, None) => continue,
        };
        let name = text::shortened(name, bounds::LINE).0;
        found.push((!is_organisation, email.is_none(), Contact { name, email, page }));
    }
    found.sort_by(|a, b| (a.0, a.1, &a.2.name).cmp(&(b.0, b.1, &b.2.name)));
    found.dedup_by(|a, b| a.2 == b.2);
    if found.len() > 1 {
        record.note(format!("{role}: one of several is kept"));
    }
    Ok(found.into_iter().next().map(|(_, _, contact)| contact))
}

fn email(record: &mut Record<'_>, card: &Node) -> io::Result<Option<Email>> {
    for text in values(record, card, Property::HAS_EMAIL)? {
        let text = text.trim();
        let address = text.get(..7).filter(|start| start.eq_ignore_ascii_case("mailto:")).map_or(text, |_| &text[7..]);
        let address = address.trim().split('?').next().unwrap_or_default();
        match address.parse() {
            Ok(email) => return Ok(Some(email)),
            Err(_) => record.note(format!("contact: {:?} is not an e-mail address", shown(text))),
        }
    }
    Ok(None)
}

fn page(record: &mut Record<'_>, card: &Node) -> io::Result<Option<Iri>> {
    Ok(values(record, card, Property::HAS_URL)?.iter().find_map(|text| parse_iri(text)))
}

/// The values of a vCard property: written there, or behind a node that has a value.
fn values(record: &mut Record<'_>, card: &Node, property: Property) -> io::Result<Vec<String>> {
    let mut values = Vec::new();
    for term in card.all(property) {
        let behind = record.follow(term)?;
        let inner: Vec<String> = behind.all(Property::HAS_VALUE).filter_map(Term::text).map(str::to_owned).collect();
        if inner.is_empty() {
            values.extend(term.text().map(str::to_owned));
        } else {
            values.extend(inner);
        }
    }
    Ok(values)
}
