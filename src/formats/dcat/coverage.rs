//! Where and when: places, bounding boxes, periods, days.

use std::io;

use jiff::civil::Date;

use super::node::{Node, Term};
use super::record::{Record, country, parse_iri, shown};
use super::terms::Property;
use crate::domain::bounds;
use crate::domain::dataset::{BoundingBox, Period, Place};
use crate::formats::draft::day;
use crate::vocabulary;

/// The places that a dataset covers.
pub(super) fn places(record: &mut Record<'_>, node: &Node) -> io::Result<Vec<Place>> {
    if record.is_ours {
        return own_places(record, node);
    }
    let mut places = Vec::new();
    for term in node.all(Property::SPATIAL) {
        let place = match term {
            Term::Literal { .. } => Place { name: record.title("place", std::iter::once(term)), ..Place::default() },
            _ => {
                let own = record.follow(term)?;
                Place {
                    name: record.title(
                        "place",
                        own.first_of(&[Property::PREF_LABEL, Property::LABEL, Property::TITLE]).into_iter(),
                    ),
                    iri: term.iri().and_then(parse_iri),
                    country: term.iri().and_then(vocabulary::country),
                    bbox: bounding_box(record, &own),
                }
            }
        };
        if place != Place::default() && !places.contains(&place) {
            places.push(place);
        }
    }
    // Blank nodes come in no order of their own; the same places must make the same record.
    places.sort_by_cached_key(|place| serde_json::to_string(place).unwrap_or_default());
    record.cut("places", &mut places);
    Ok(places)
}

/// The places as a node of this kind described them.
fn own_places(record: &mut Record<'_>, node: &Node) -> io::Result<Vec<Place>> {
    let mut places = Vec::new();
    for (_, own) in record.in_order(node.all(Property::OWN_PLACE))? {
        places.push(Place {
            name: record.title("place", own.all(Property::PREF_LABEL)),
            iri: record.one_iri("place", own.all(Property::OWN_IRI)),
            country: own.all(Property::OWN_COUNTRY).filter_map(Term::text).find_map(country),
            bbox: bounding_box(record, &own),
        });
    }
    places.retain(|place| *place != Place::default());
    record.cut("places", &mut places);
    Ok(places)
}

fn bounding_box(record: &mut Record<'_>, place: &Node) -> Option<BoundingBox> {
    let geometries = place.first_of(&[Property::BBOX, Property::GEOMETRY]);
    let texts: Vec<&str> = geometries.into_iter().filter_map(Term::text).collect();
    let found = texts.iter().find_map(|text| box_of(text));
    if let (None, Some(text)) = (found, texts.first()) {
        record.note(format!("place: no bounding box could be read from {:?}", shown(text)));
    }
    found
}

/// The bounding box of a geometry in WKT or GeoJSON. A coordinate system other than WGS 84 longitude first is not
/// converted.
pub(in crate::formats) fn box_of(text: &str) -> Option<BoundingBox> {
    let text = text.trim();
    let numbers = if text.starts_with('{') { geojson(text)? } else { wkt(text)? };
    let mut corners = [f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY];
    for (x, y) in numbers {
        corners = [corners[0].min(x), corners[1].min(y), corners[2].max(x), corners[3].max(y)];
    }
    corners.try_into().ok()
}

fn wkt(text: &str) -> Option<Vec<(f64, f64)>> {
    let text = match text.strip_prefix('<') {
        Some(rest) => {
            let (system, rest) = rest.split_once('>')?;
            system.ends_with("/CRS84").then_some(rest.trim_start())?
        }
        None => text,
    };
    let open = text.find('(')?;
    let kind = text[..open].trim().to_ascii_uppercase();
    let body = text[open..].replace(['(', ')'], " ");
    let numbers = |text: &str| text.split_whitespace().map(|n| n.parse::<f64>().ok()).collect::<Option<Vec<_>>>();
    if kind == "ENVELOPE" {
        let sides: Vec<f64> = body.split(',').map(|n| n.trim().parse::<f64>().ok()).collect::<Option<_>>()?;
        let [west, east, north, south] = sides[..] else { return None };
        return Some(vec![(west, south), (east, north)]);
    }
    if !["POLYGON", "MULTIPOLYGON", "POINT"].contains(&kind.as_str()) {
        return None;
    }
    body.split(',')
        .map(|point| match numbers(point)?[..] {
            [x, y] | [x, y, _] => Some((x, y)),
            _ => None,
        })
        .collect()
}

fn geojson(text: &str) -> Option<Vec<(f64, f64)>> {
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    let geometry = value.get("geometry").unwrap_or(&value);
    if !["Polygon", "MultiPolygon", "Point"].contains(&geometry.get("type")?.as_str()?) {
        return None;
    }
    let mut points = Vec::new();
    let mut open = vec![geometry.get("coordinates")?];
    while let Some(next) = open.pop() {
        let members = next.as_array()?;
        match (members.first().and_then(serde_json::Value::as_f64), members.get(1).and_then(serde_json::Value::as_f64))
        {
            (Some(x), Some(y)) => points.push((x, y)),
            _ => open.extend(members),
        }
    }
    (!points.is_empty()).then_some(points)
}

/// The periods that a dataset covers.
pub(super) fn periods(record: &mut Record<'_>, node: &Node) -> io::Result<Vec<Period>> {
    let mut periods = Vec::new();
    for term in node.all(Property::TEMPORAL) {
        let own = record.follow(term)?;
        periods.extend(period(record, &own).filter(|period| !periods.contains(period)));
    }
    periods.sort_by_key(|period| (period.start, period.end));
    record.cut("periods", &mut periods);
    Ok(periods)
}

/// A period; nothing where neither of its ends is stated, or the last is before the first.
pub(super) fn period(record: &mut Record<'_>, own: &Node) -> Option<Period> {
    let mut end_of = |properties: &[Property], last: bool| {
        let text = own.first_of(properties).into_iter().find_map(Term::text)?;
        let day = edge(text, last);
        if day.is_none() {
            record.note(format!("period: {:?} is not a day", shown(text)));
        }
        day
    };
    let start = end_of(&[Property::START_DATE, Property::SCHEMA_START], false);
    let end = end_of(&[Property::END_DATE, Property::SCHEMA_END], true);
    if let (Some(from), Some(to)) = (start, end)
        && from > to
    {
        record.note(format!("period: it ends on {to}, before it begins on {from}, and is not stated"));
        return None;
    }
    (start.is_some() || end.is_some()).then_some(Period { start, end })
}

/// An edge of a period: a day, or the first or last day of a month or year.
pub(in crate::formats) fn edge(text: &str, last: bool) -> Option<Date> {
    let text = text.trim();
    day(text).or_else(|| {
        let (year, month) = match text.len() {
            4 => (text, if last { "12" } else { "01" }),
            7 => text.split_once('-').filter(|(year, _)| year.len() == 4)?,
            _ => return None,
        };
        let first = bounds::parse_day(&format!("{year}-{month}-01"))?;
        Some(if last { first.last_of_month() } else { first })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_is_read_from_simple_geometries_only() {
        let polygon = "POLYGON((2.5 51.0, 3.3 51.0, 3.3 51.5, 2.5 51.5, 2.5 51.0))";
        assert_eq!(box_of(polygon).unwrap().corners(), [2.5, 51.0, 3.3, 51.5]);
        assert_eq!(box_of("ENVELOPE(2.5, 3.3, 51.5, 51.0)").unwrap().corners(), [2.5, 51.0, 3.3, 51.5]);
        let json = r#"{"type":"Polygon","coordinates":[[[2.5,51.0],[3.3,51.0],[3.3,51.5],[2.5,51.0]]]}"#;
        assert_eq!(box_of(json).unwrap().corners(), [2.5, 51.0, 3.3, 51.5]);
        let crs84 = format!("<http://www.opengis.net/def/crs/OGC/1.3/CRS84> {polygon}");
        assert!(box_of(&crs84).is_some());
        for bad in [
            "<http://www.opengis.net/def/crs/EPSG/0/31370> POLYGON((1 2, 3 4))",
            "POLYGON((200 51, 3 51))",
            "LINESTRING(1 2, 3 4)",
            "POLYGON((a b))",
            "POLYGON",
            "{\"type\":\"Polygon\"}",
            "51_84-3_37",
        ] {
            assert_eq!(box_of(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_day_is_read_leniently_and_never_made_up() {
        let of = |text: &str| day(text).map(|day| day.to_string());
        assert_eq!(of("2024-08-20T13:41:37.838Z").as_deref(), Some("2024-08-20"));
        assert_eq!(of("2021-01-28 GMT 01:51:03.34919300").as_deref(), Some("2021-01-28"));
        for bad in ["2024", "spring 2024", "2024-13-01", "2024-02-30", "20240101", "2024-08-201", "é024-08-20"] {
            assert_eq!(of(bad), None, "{bad}");
        }
        assert_eq!(edge("2020", true).unwrap().to_string(), "2020-12-31");
        assert_eq!(edge("2020-02", true).unwrap().to_string(), "2020-02-29");
        assert_eq!(edge("2020", false).unwrap().to_string(), "2020-01-01");
    }
}
