//! Where and when: the places and periods that a dataset covers.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::bounds;
use super::ids::{Country, Iri};
use super::text::Text;

/// A place: named, by IRI or country, or by its bounding box.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Place {
    /// Its name.
    #[serde(deserialize_with = "bounds::some_title", skip_serializing_if = "Option::is_none")]
    pub name: Option<Text>,
    /// Its IRI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iri: Option<Iri>,
    /// The country.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<Country>,
    /// The bounding box.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bbox: Option<BoundingBox>,
}

/// A box in degrees of WGS 84: west, south, east, north, as in RFC 7946.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "[f64; 4]", into = "[f64; 4]")]
pub struct BoundingBox {
    west: f64,
    south: f64,
    east: f64,
    north: f64,
}

/// A box that does not lie on the globe.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{0:?} is not a bounding box: west, south, east, north in degrees, south not above north")]
pub struct InvalidBox([f64; 4]);

impl BoundingBox {
    /// West, south, east, north.
    pub fn corners(self) -> [f64; 4] {
        [self.west, self.south, self.east, self.north]
    }
}

impl TryFrom<[f64; 4]> for BoundingBox {
    type Error = InvalidBox;
    fn try_from(corners: [f64; 4]) -> Result<Self, InvalidBox> {
        let [west, south, east, north] = corners;
        let on_globe = [west, east].iter().all(|x| (-180.0..=180.0).contains(x))
            && [south, north].iter().all(|y| (-90.0..=90.0).contains(y));
        if on_globe && south <= north { Ok(Self { west, south, east, north }) } else { Err(InvalidBox(corners)) }
    }
}

impl From<BoundingBox> for [f64; 4] {
    fn from(bbox: BoundingBox) -> Self {
        bbox.corners()
    }
}

/// A period of time; an open end is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Period {
    /// First day.
    #[serde(deserialize_with = "bounds::day", default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Date>,
    /// Last day.
    #[serde(deserialize_with = "bounds::day", default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Date>,
}
