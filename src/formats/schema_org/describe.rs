//! What schema.org says about a dataset as a whole. Croissant says it in the same words.

use super::{coverage, licence, parties};
use crate::domain::bounds;
use crate::domain::dataset::{AccessRights, Dataset};
use crate::domain::ids::{Iri, LanguageTag};
use crate::domain::text::Text;
use crate::formats::dcat::rights::ACCESS_DIFFERS;
use crate::formats::draft::{Notes, parse_iri, undetermined};
use crate::formats::linked::{Document, Item, Node};
use crate::formats::text;
use crate::vocabulary;

/// The words by which a record says that it was invented.
pub(crate) const FICTITIOUS: &str = "Fictitious: no such data exists";

/// The shortest description that Google's Dataset Search takes, in characters.
pub(crate) const SHORTEST: usize = 50;

/// The title and the IRI of a dataset; nothing where either is missing.
pub(crate) fn title_and_iri(node: &Node, notes: &mut Notes) -> Option<(Text, Iri)> {
    let iri = iri(node)?;
    Some((title(node, notes)?, iri))
}

/// The IRI by which a record is known at its source: its `@id`, else its page, else an identifier.
pub(crate) fn iri(node: &Node) -> Option<Iri> {
    let own = node.id.iter().filter(|id| !id.starts_with("_:")).cloned();
    let others =
        ["schema:url", "schema:identifier", "schema:sameAs"].into_iter().flat_map(|name| node.references(name));
    own.chain(others).find_map(|text| parse_iri(&text))
}

/// The title: the name, and alternate names in languages that the name is not in.
pub(crate) fn title(node: &Node, notes: &mut Notes) -> Option<Text> {
    let mut said = node.said("schema:name", notes);
    let also = node.said("schema:alternateName", notes);
    let known: Vec<LanguageTag> = said.iter().map(|(language, _)| language.clone()).collect();
    for (language, name) in also {
        if known.contains(&language) {
            notes.note(format!("alternate name: {:?} is not kept", crate::formats::draft::shown(&name)));
        } else {
            said.push((language, name));
        }
    }
    notes.title("title", said)
}

/// Fills in what the record says; distributions and tables are read by those who know their words.
pub(crate) fn describe(document: &Document, node: &Node, iri: &Iri, dataset: &mut Dataset, notes: &mut Notes) {
    dataset.description = description(node, notes);
    dataset.keywords = keywords(node, notes);
    dataset.themes = themes(node, notes);
    dataset.publisher = parties::publisher(document, node, notes);
    dataset.creators = parties::creators(document, node, notes);
    dataset.contact = parties::contact(document, node, notes);
    dataset.languages = languages(node, notes);
    dataset.spatial = coverage::places(document, node, notes);
    dataset.temporal = coverage::periods(node, notes);
    let day = |notes: &mut Notes, property: &str| {
        let texts: Vec<String> = node.all(property).iter().filter_map(Item::text).collect();
        notes.days(property, texts.iter().map(String::as_str))
    };
    dataset.issued = day(notes, "schema:datePublished").into_iter().min();
    if dataset.issued.is_none() {
        dataset.issued = day(notes, "schema:dateCreated").into_iter().min();
    }
    dataset.modified = day(notes, "schema:dateModified").into_iter().max();
    dataset.version = node.text("schema:version").and_then(|text| notes.line("version", &text));
    dataset.citation = citation(node, notes);
    addresses(node, iri, dataset, notes);
    dataset.kind = node.references("schema:additionalType").iter().find_map(|text| parse_iri(text));
    dataset.derived_from = notes.iris("based on", refs(node, "schema:isBasedOn").iter().map(String::as_str));
    dataset.series = notes.iris("series", refs(node, "schema:isPartOf").iter().map(String::as_str));
    dataset.licence = licence::of(document, node, notes);
    rights(node, dataset, notes);
    dataset.fictitious = node.text("schema:creativeWorkStatus").is_some_and(|status| status == FICTITIOUS);
}

fn refs(node: &Node, property: &str) -> Vec<String> {
    node.references(property)
}

/// The description. A short one that was filled up for search engines stands beside it, as the abstract.
fn description(node: &Node, notes: &mut Notes) -> Option<Text> {
    let said = node.said("schema:description", notes);
    let whole = node.said("schema:abstract", notes);
    let said = said.into_iter().map(|(language, text)| {
        let own = whole.iter().find(|(tag, own)| *tag == language && is_whole(own, &text));
        (language, own.map_or(text, |(_, own)| own.clone()))
    });
    let said: Vec<_> = said.collect();
    notes.prose("description", said)
}

/// Whether an abstract is the whole of what somebody wrote, and the description was made of it: filled up because it was
/// short, or cut because it was long.
fn is_whole(own: &str, description: &str) -> bool {
    let filled = own.chars().count() < SHORTEST
        && description
            .strip_prefix(own)
            .and_then(|rest| rest.strip_prefix("\n\n"))
            .is_some_and(|rest| !rest.contains("\n\n"));
    let cut = description.strip_suffix('…').is_some_and(|start| own.len() > start.len() && own.starts_with(start));
    filled || cut
}

fn keywords(node: &Node, notes: &mut Notes) -> crate::domain::text::Keywords {
    let mut said = Vec::new();
    for item in node.all("schema:keywords") {
        match item {
            // One text with commas is how many pages write several; a list is taken as it is.
            Item::Text(words, language) => {
                let tag = notes.tag("keyword", language.as_deref());
                let is_list = node.all("schema:keywords").len() > 1;
                let words = if is_list { vec![words.as_str()] } else { words.split([',', ';']).collect() };
                said.extend(words.into_iter().map(|word| (tag.clone(), word.to_owned())));
            }
            Item::Node(term) => said.extend(term.said("schema:name", notes)),
            _ => {}
        }
    }
    notes.keywords(said)
}

fn themes(node: &Node, notes: &mut Notes) -> Vec<Iri> {
    let about: Vec<String> = ["schema:about", "dcat:theme"]
        .into_iter()
        .flat_map(|property| node.nodes(property))
        .filter_map(|thing| thing.id.clone().or_else(|| thing.text("schema:url")))
        .collect();
    notes.themes(about.iter().map(String::as_str))
}

fn languages(node: &Node, notes: &mut Notes) -> Vec<LanguageTag> {
    let mut said = Vec::new();
    for item in node.all("schema:inLanguage") {
        match item.node() {
            Some(language) => said.extend(
                language
                    .text("schema:alternateName")
                    .or_else(|| language.text("schema:identifier"))
                    .or_else(|| language.id.clone())
                    .or_else(|| language.text("schema:name")),
            ),
            None => said.extend(item.text()),
        }
    }
    notes.languages(said.iter().map(String::as_str))
}

fn citation(node: &Node, notes: &mut Notes) -> Option<String> {
    let said = ["cr:citeAs", "schema:citation", "schema:creditText"]
        .into_iter()
        .flat_map(|property| node.all(property))
        .find_map(|item| item.text().or_else(|| item.node().and_then(|work| work.text("schema:name"))))?;
    let (text, was_cut) = text::shortened(bounds::without_controls(said.trim()), bounds::PROSE);
    if was_cut {
        notes.note(format!("citation: shortened to {} characters", bounds::PROSE));
    }
    (!text.is_empty()).then_some(text)
}

/// Pages, documents and identifiers.
fn addresses(node: &Node, own: &Iri, dataset: &mut Dataset, notes: &mut Notes) {
    let mut identifiers: Vec<String> = node.id.iter().cloned().collect();
    let mut pages = Vec::new();
    for item in node.all("schema:identifier") {
        let value = item.node().and_then(|value| value.text("schema:value").or_else(|| value.text("schema:url")));
        identifiers.extend(value.or_else(|| item.reference()));
    }
    for address in node.references("schema:sameAs") {
        let is_identifier = !notes.identifiers([address.as_str()]).is_empty();
        if is_identifier { identifiers.push(address) } else { pages.push(address) }
    }
    let url = node.references("schema:url").into_iter().filter(|url| node.id.is_none() || url != own.as_str());
    let mut urls: Vec<String> = url.collect();
    identifiers.extend(urls.iter().cloned());
    urls.extend(node.references("schema:mainEntityOfPage"));
    urls.extend(pages);
    dataset.identifiers = notes.identifiers(identifiers.iter().map(String::as_str));
    dataset.landing_pages = notes.iris("page", urls.iter().map(String::as_str));
    dataset.documentation = notes.iris("documentation", node.references("schema:subjectOf").iter().map(String::as_str));
}

/// Who may see the data, and what is said about rights beside the licence. That data costs nothing does not say that
/// everybody may have it, so `isAccessibleForFree` alone states nothing.
fn rights(node: &Node, dataset: &mut Dataset, notes: &mut Notes) {
    let mut said = node.said("schema:copyrightNotice", notes);
    let mut answers = Vec::new();
    for (language, condition) in node.said("schema:conditionsOfAccess", notes) {
        match vocabulary::access_rights(&condition) {
            AccessRights::NotStated => said.push((language, condition)),
            answer => answers.push(answer),
        }
    }
    answers.dedup();
    match answers[..] {
        [] => {}
        [answer] => dataset.access_rights = answer,
        _ => notes.note(ACCESS_DIFFERS),
    }
    dataset.rights = notes.prose("rights", said);
}

/// A text in the language that nobody stated.
pub(crate) fn unsaid(text: &str) -> Option<Text> {
    Text::new(undetermined(), text::shortened(text.to_owned(), bounds::TITLE).0).ok()
}
