//! What a record says in the words of schema.org, whether as schema.org or as Croissant.

use serde_json::{Map, Value, json};

use super::describe::FICTITIOUS;
use super::words::Words;
use super::{coverage, licence, parties};
use crate::domain::dataset::{AccessRights, Dataset, Registered};
use crate::domain::ids::Iri;
use crate::formats::export::Place;

const ACCESS_RIGHT: &str = "http://publications.europa.eu/resource/authority/access-right/";

/// The properties of a dataset but its name, its description, its files and its tables.
pub(crate) fn write(record: &Registered, place: &Place, words: &Words) -> Map<String, Value> {
    let dataset = &record.dataset;
    let mut written = Map::new();
    let mut put = |term: &str, value: Value| {
        let is_empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        if !is_empty {
            written.insert(term.to_owned(), value);
        }
    };
    let (url, pages) = pages(dataset, place);
    put("url", json!(url));
    put("mainEntityOfPage", json!(pages));
    put("identifier", json!(dataset.identifiers));
    put("license", json!(dataset.licence.as_ref().and_then(licence::written)));
    put("keywords", json!(words.keywords(&dataset.keywords)));
    put("about", dataset.themes.iter().map(|theme| json!({"@type": "DefinedTerm", "@id": theme})).collect());
    put("publisher", publisher(dataset, words));
    put("maintainer", maintainer(dataset));
    put("creator", dataset.creators.iter().map(|agent| parties::written(agent, words)).collect());
    put("inLanguage", json!(dataset.languages));
    put("spatialCoverage", json!(coverage::written_places(&dataset.spatial, words)));
    put("temporalCoverage", json!(coverage::written_periods(&dataset.temporal)));
    put("datePublished", json!(dataset.issued.map(|day| day.to_string())));
    put("dateModified", json!(dataset.modified.map(|day| day.to_string())));
    put("version", json!(dataset.version));
    put("additionalType", json!(dataset.kind));
    put("isBasedOn", json!(dataset.derived_from));
    put("isPartOf", dataset.series.iter().map(|iri| json!({"@type": "CreativeWork", "url": iri})).collect());
    put("subjectOf", dataset.documentation.iter().map(|iri| json!({"@type": "CreativeWork", "url": iri})).collect());
    access(dataset, &mut put);
    put("copyrightNotice", dataset.rights.as_ref().map_or(Value::Null, |rights| words.text(rights)));
    if dataset.fictitious {
        put("creativeWorkStatus", json!(FICTITIOUS));
    }
    put("includedInDataCatalog", catalogue(place, words));
    put("sdDatePublished", json!(day(record)));
    written
}

/// The one address of the dataset and further pages. The node's own page stands for it where its owner names none.
fn pages(dataset: &Dataset, place: &Place) -> (String, Vec<Iri>) {
    match dataset.landing_pages.split_first() {
        Some((first, others)) => (first.to_string(), others.to_vec()),
        None => (place.page(&dataset.id).to_string(), Vec::new()),
    }
}

fn publisher(dataset: &Dataset, words: &Words) -> Value {
    let Some(agent) = &dataset.publisher else { return Value::Null };
    let mut written = parties::written(agent, words);
    if let Some(contact) = &dataset.contact {
        written["contactPoint"] = parties::written_contact(contact);
    }
    written
}

/// Whom to ask where nobody is named as the publisher.
fn maintainer(dataset: &Dataset) -> Value {
    match (&dataset.publisher, &dataset.contact) {
        (None, Some(contact)) => {
            json!({"@type": "Organization", "name": contact.name, "contactPoint": parties::written_contact(contact)})
        }
        _ => Value::Null,
    }
}

/// Who may see the data: the entry of the EU table, and for search engines whether everybody may.
fn access(dataset: &Dataset, put: &mut impl FnMut(&str, Value)) {
    let code = match dataset.access_rights {
        AccessRights::Public => "PUBLIC",
        AccessRights::Restricted => "RESTRICTED",
        AccessRights::NonPublic => "NON_PUBLIC",
        AccessRights::NotStated => return,
    };
    put("conditionsOfAccess", json!(format!("{ACCESS_RIGHT}{code}")));
    if dataset.access_rights == AccessRights::Public {
        put("isAccessibleForFree", json!(true));
    }
}

fn catalogue(place: &Place, words: &Words) -> Value {
    json!({"@type": "DataCatalog", "name": words.text(&place.title), "url": place.base})
}

/// The day of this revision.
fn day(record: &Registered) -> String {
    record.revised.to_string().chars().take(10).collect()
}
