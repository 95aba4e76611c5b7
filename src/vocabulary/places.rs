//! Countries by the IRIs under which catalogues name them.

use super::table::{AUTHORITY, concept, without_tls};
use crate::domain::ids::Country;

/// The country that an IRI names: an entry of the EU country table or the country's own entry at GeoNames.
/// A region or a city is not a country, and a text is not an IRI.
pub fn country(iri: &str) -> Option<Country> {
    let iri = without_tls(iri);
    if let Some(code) = iri.strip_prefix(AUTHORITY).and_then(|rest| rest.strip_prefix("country/")) {
        return concept(&format!("{AUTHORITY}country/{code}"))?.code?.parse().ok();
    }
    let number = iri.strip_prefix("http://sws.geonames.org/")?.trim_end_matches('/');
    GEONAMES.iter().find(|(geonames, _)| *geonames == number).and_then(|(_, code)| code.parse().ok())
}

const GEONAMES: [(&str, &str); 31] = [
    ("2782113", "AT"),
    ("2802361", "BE"),
    ("732800", "BG"),
    ("2658434", "CH"),
    ("146669", "CY"),
    ("3077311", "CZ"),
    ("2921044", "DE"),
    ("2623032", "DK"),
    ("453733", "EE"),
    ("2510769", "ES"),
    ("660013", "FI"),
    ("3017382", "FR"),
    ("2635167", "GB"),
    ("390903", "GR"),
    ("3202326", "HR"),
    ("719819", "HU"),
    ("2963597", "IE"),
    ("2629691", "IS"),
    ("3175395", "IT"),
    ("597427", "LT"),
    ("2960313", "LU"),
    ("458258", "LV"),
    ("2562770", "MT"),
    ("2750405", "NL"),
    ("3144096", "NO"),
    ("798544", "PL"),
    ("2264397", "PT"),
    ("798549", "RO"),
    ("2661886", "SE"),
    ("3190538", "SI"),
    ("3057568", "SK"),
];
