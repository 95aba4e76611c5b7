//! What DCAT-AP.de adds: places by the German political geocoding, the text by which a source is to be named, a legal
//! basis, the originator.

use std::io;

use super::node::{Node, Term};
use super::record::Record;
use super::terms::Property;
use crate::domain::dataset::{Dataset, Place};

/// Completes a dataset by what the German terms say.
pub(super) fn complete(record: &mut Record<'_>, node: &Node, dataset: &mut Dataset) -> io::Result<()> {
    for iri in record.iris("political geocoding", node.all(Property::DE_PLACE)) {
        if !dataset.spatial.iter().any(|place| place.iri.as_ref() == Some(&iri)) {
            dataset.spatial.push(Place { iri: Some(iri), ..Place::default() });
        }
    }
    if let Some(name) = record.title("place", node.all(Property::DE_PLACE_NAME)) {
        dataset.spatial.push(Place { name: Some(name), ..Place::default() });
    }
    record.cut("places", &mut dataset.spatial);
    // A legal basis is a text or the address of a law; the text stays in the record's own words.
    let laws = node.all(Property::DE_LEGAL_BASIS).filter(|term| term.iri().is_some());
    for law in record.iris("legal basis", laws) {
        if !dataset.applicable_legislation.contains(&law) {
            dataset.applicable_legislation.push(law);
        }
    }
    Ok(())
}

const PLANNED: [&str; 2] =
    ["http://dcat-ap.de/def/plannedAvailability/", "https://www.dcat-ap.de/def/plannedAvailability/"];

/// The EU entry for a German planned availability.
pub(super) fn availability(term: &Term) -> Option<String> {
    let iri = term.iri()?;
    let code = PLANNED.iter().find_map(|start| iri.strip_prefix(start))?;
    let code = code.trim_end_matches('/').rsplit('/').next()?.to_ascii_uppercase();
    ["AVAILABLE", "EXPERIMENTAL", "STABLE", "TEMPORARY"]
        .contains(&code.as_str())
        .then(|| format!("http://publications.europa.eu/resource/authority/planned-availability/{code}"))
}
