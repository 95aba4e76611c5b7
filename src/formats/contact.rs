//! Whether an address is that of a desk or of a person.
//!
//! Metadata travels to every member of the federation, so a person's name and address are not taken from a field that may
//! hold one. An address counts as a desk's only where its local part is, or has as one of its parts, a word that names a
//! role; everything else may be a person.

use crate::domain::ids::Email;

/// Words for roles in the local part of an address, in the languages of the portals that were read.
const ROLES: [&str; 68] = [
    "aanvraag",
    "admin",
    "administration",
    "anfrage",
    "anfragen",
    "archiv",
    "bibliothek",
    "buergerservice",
    "bureau",
    "cartographie",
    "catalog",
    "catalogue",
    "comunicacion",
    "contact",
    "contacto",
    "contatti",
    "dados",
    "data",
    "database",
    "dataset",
    "datasets",
    "daten",
    "dati",
    "datos",
    "desk",
    "donnees",
    "enquiries",
    "gdi",
    "geo",
    "geodata",
    "geodaten",
    "geoinfo",
    "geoportal",
    "gis",
    "help",
    "helpdesk",
    "info",
    "informacion",
    "informatie",
    "information",
    "infos",
    "inspire",
    "kartta",
    "katalog",
    "kirjaamo",
    "klantendienst",
    "kontakt",
    "kontaktid",
    "library",
    "mailbox",
    "metadata",
    "metadaten",
    "office",
    "opendata",
    "portal",
    "poststelle",
    "press",
    "presse",
    "redaktion",
    "secretariat",
    "sekretariat",
    "service",
    "servicedesk",
    "statistics",
    "statistik",
    "stats",
    "support",
    "team",
];

/// Whether an address is that of a desk.
pub(super) fn is_functional(email: &Email) -> bool {
    let local = email.as_str().split('@').next().unwrap_or_default().to_ascii_lowercase();
    let mut parts = local.split(|c: char| !c.is_ascii_alphabetic()).filter(|part| !part.is_empty());
    parts.any(|part| ROLES.contains(&part))
}

/// An address, without `mailto:` and what may follow it.
pub(super) fn email(text: &str) -> Option<Email> {
    let text = text.trim();
    let address = text.get(..7).filter(|start| start.eq_ignore_ascii_case("mailto:")).map_or(text, |_| &text[7..]);
    address.trim().split('?').next().unwrap_or_default().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_desk_is_told_from_a_person() {
        for desk in [
            "opendata@example.org",
            "geo-data@example.org",
            "Info.Statistik@example.org",
            "mailto:data@example.org?subject=x",
        ] {
            assert!(is_functional(&email(desk).unwrap()), "{desk}");
        }
        for person in ["jana.novak@example.org", "infofritz@example.org", "m.dataman@example.org"] {
            assert!(!is_functional(&email(person).unwrap()), "{person}");
        }
        assert_eq!(email("not an address"), None);
    }
}
