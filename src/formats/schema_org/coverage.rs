//! Where and when: `spatialCoverage` and `temporalCoverage`.

use jiff::civil::Date;
use serde_json::{Value, json};

use super::words::Words;
use crate::domain::dataset::{BoundingBox, Period, Place};
use crate::domain::ids::Country;
use crate::formats::draft::{Notes, day, parse_iri, shown};
use crate::formats::linked::{Document, Item, Node};
use crate::vocabulary;

/// The places it covers.
pub(crate) fn places(document: &Document, node: &Node, notes: &mut Notes) -> Vec<Place> {
    let mut places = Vec::new();
    for item in node.first_of(&["schema:spatialCoverage", "schema:spatial"]) {
        let place = match item {
            Item::Node(place) => of(document, document.resolve(place), notes),
            Item::Text(name, language) => match parse_iri(name) {
                Some(iri) => Place { country: vocabulary::country(name), iri: Some(iri), ..Place::default() },
                None => {
                    let tag = notes.tag("place", language.as_deref());
                    Place { name: notes.title("place", [(tag, name.clone())]), ..Place::default() }
                }
            },
            _ => Place::default(),
        };
        if place != Place::default() && !places.contains(&place) {
            places.push(place);
        }
    }
    notes.cut("places", &mut places);
    places
}

fn of(document: &Document, node: &Node, notes: &mut Notes) -> Place {
    let said = node.said("schema:name", notes);
    let own = node.id.clone().filter(|id| !id.starts_with("_:"));
    let iris = own.into_iter().chain(node.references("schema:sameAs")).chain(node.references("schema:url"));
    let iri = iris.into_iter().find_map(|text| parse_iri(&text));
    let country = country(node).or_else(|| iri.as_ref().and_then(|iri| vocabulary::country(iri.as_str())));
    let shapes = node.nodes("schema:geo").map(|shape| document.resolve(shape));
    let bbox = shapes.flat_map(|shape| shape.all("schema:box")).filter_map(Item::text).find_map(|text| {
        let bbox = bounding_box(&text);
        if bbox.is_none() {
            notes.note(format!("place: {:?} is not a box of latitudes and longitudes", shown(&text)));
        }
        bbox
    });
    Place { name: notes.title("place", said), iri, country, bbox }
}

fn country(node: &Node) -> Option<Country> {
    let codes = node.nodes("schema:address").flat_map(|address| address.all("schema:addressCountry"));
    codes.filter_map(Item::text).find_map(|code| code.trim().to_ascii_uppercase().parse().ok())
}

/// A box as schema.org writes it: south, west, north, east, parted by blanks or commas.
fn bounding_box(text: &str) -> Option<BoundingBox> {
    let numbers: Vec<f64> =
        text.split([' ', ',']).filter(|part| !part.is_empty()).map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let [south, west, north, east] = numbers.try_into().ok()?;
    BoundingBox::try_from([west, south, east, north]).ok()
}

/// The periods it covers: days with a stroke between them, where `..` or nothing is an open end.
pub(crate) fn periods(node: &Node, notes: &mut Notes) -> Vec<Period> {
    let mut periods = Vec::new();
    for item in node.first_of(&["schema:temporalCoverage", "schema:temporal"]) {
        let Some(text) = item.text() else { continue };
        match period(&text) {
            Some(period) if !periods.contains(&period) => periods.push(period),
            Some(_) => {}
            None => notes.note(format!("period: {:?} is not one of days", shown(&text))),
        }
    }
    notes.cut("periods", &mut periods);
    periods
}

/// One period; a year or a month alone is the whole of it.
pub(crate) fn period(text: &str) -> Option<Period> {
    let text = text.trim();
    let (start, end) = match text.split_once('/') {
        Some((start, end)) => (edge(start, false)?, edge(end, true)?),
        None => (Some(first_or_last(text, false)?), Some(first_or_last(text, true)?)),
    };
    (start.is_some() || end.is_some()).then_some(Period { start, end })
}

fn edge(text: &str, is_end: bool) -> Option<Option<Date>> {
    match text.trim() {
        "" | ".." => Some(None),
        text => first_or_last(text, is_end).map(Some),
    }
}

fn first_or_last(text: &str, is_end: bool) -> Option<Date> {
    let text = text.trim();
    if !text.is_ascii() {
        return None;
    }
    match text.len() {
        4 => day(&format!("{text}{}", if is_end { "-12-31" } else { "-01-01" })),
        7 => {
            let first = day(&format!("{text}-01"))?;
            Some(if is_end { first.last_of_month() } else { first })
        }
        _ => day(text),
    }
}

/// Places as a record states them.
pub(crate) fn written_places(places: &[Place], words: &Words) -> Vec<Value> {
    places.iter().map(|place| written(place, words)).collect()
}

fn written(place: &Place, words: &Words) -> Value {
    let mut written = json!({"@type": "Place"});
    if let Some(name) = &place.name {
        written["name"] = words.text(name);
    }
    if let Some(iri) = &place.iri {
        written["sameAs"] = json!(iri);
    }
    if let Some(country) = &place.country {
        written["address"] = json!({"@type": "PostalAddress", "addressCountry": country});
    }
    if let Some([west, south, east, north]) = place.bbox.map(BoundingBox::corners) {
        written["geo"] = json!({"@type": "GeoShape", "box": format!("{south} {west} {north} {east}")});
    }
    written
}

/// Periods as a record states them.
pub(crate) fn written_periods(periods: &[Period]) -> Vec<Value> {
    periods.iter().map(|period| json!(interval(period))).collect()
}

/// A period as ISO 8601 writes it, with `..` for an open end.
pub(crate) fn interval(period: &Period) -> String {
    let side = |day: Option<Date>| day.map_or_else(|| "..".to_owned(), |day| day.to_string());
    format!("{}/{}", side(period.start), side(period.end))
}
