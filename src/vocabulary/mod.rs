//! Concepts that others defined and number by IRI: their labels in many languages, and the codes that the house uses for them.
//!
//! The EU authority tables (themes, frequencies, access rights, countries, languages, file types, high-value categories,
//! licences) and the terms of the Data Privacy Vocabulary that a dataset record can hold are embedded as small files;
//! `data/SOURCE.md` says where each comes from. Nothing is read or fetched at run time, and nothing is guessed: an IRI or a
//! code that stands in no table has no label and no translation.

pub mod licence;
mod places;
mod table;

use crate::domain::dataset::AccessRights;
use crate::domain::ids::{Country, Iri, LanguageTag};

pub use places::country;
pub use table::Labels;

use table::{AUTHORITY, concept};

/// The labels of a concept by language; nothing where the IRI stands in no table.
pub fn labels(iri: &str) -> Option<&'static Labels> {
    concept(iri).map(|concept| &concept.labels)
}

/// The label to show to a reader of these languages, best first; else the English one, else any.
pub fn label(iri: &str, languages: &[LanguageTag]) -> Option<&'static str> {
    let labels = labels(iri)?;
    languages
        .iter()
        .find_map(|language| labels.get(language.primary()))
        .or_else(|| labels.get("en"))
        .or_else(|| labels.iter().next().map(|(_, label)| label))
}

/// Every concept of the tables with its labels, in no order.
pub fn all() -> impl Iterator<Item = (&'static str, &'static Labels)> {
    table::concepts().map(|concept| (concept.iri.as_str(), &concept.labels))
}

/// The IRI of a concept in the table's own spelling; nothing where it stands in no table.
pub fn concept_iri(iri: &str) -> Option<&'static str> {
    concept(iri).map(|concept| concept.iri.as_str())
}

/// The IRI of a language in the EU table, by its primary subtag such as `fi`.
pub fn language_iri(primary: &str) -> Option<&'static str> {
    table::by_code("language/", primary).map(|concept| concept.iri.as_str())
}

/// The IRI of a country in the EU table.
pub fn country_iri(country: &Country) -> Option<&'static str> {
    table::by_code("country/", country.as_str()).map(|concept| concept.iri.as_str())
}

/// The IRI of a file type in the EU table, by its code such as `CSV`.
pub fn file_type_iri(code: &str) -> Option<&'static str> {
    concept_iri(&format!("{AUTHORITY}file-type/{code}"))
}

/// The IRIs directly above a concept: for a DPV purpose, the wider purposes it belongs to.
pub fn broader(iri: &str) -> &'static [String] {
    concept(iri).map_or(&[], |concept| &concept.broader)
}

/// Whether a concept is this other one or lies below it, such as academic research within research and development.
pub fn is_within(iri: &str, ancestor: &str) -> bool {
    let mut open = vec![iri];
    let mut seen = Vec::new();
    while let Some(next) = open.pop() {
        if next == ancestor {
            return true;
        }
        if !seen.contains(&next) {
            seen.push(next);
            open.extend(broader(next).iter().map(String::as_str));
        }
    }
    false
}

/// The EU data theme that an IRI names, in the table's own spelling; nothing for anything else.
pub fn theme(iri: &str) -> Option<Iri> {
    canonical(iri, "data-theme").filter(|theme| !theme.as_str().ends_with("/OP_DATPRO"))
}

/// The EU update frequency that an IRI names, either of the EU table or of the older Dublin Core one.
/// *Unknown* and *provisional* say nothing and are not stated.
pub fn frequency(iri: &str) -> Option<Iri> {
    let code = match iri.strip_prefix("http://purl.org/cld/freq/") {
        Some(older) => {
            let (_, code) = OLDER_FREQUENCIES.iter().find(|(name, _)| *name == older)?;
            return format!("{AUTHORITY}frequency/{code}").parse().ok();
        }
        None => canonical(iri, "frequency")?,
    };
    Some(code).filter(|iri| !["/UNKNOWN", "/OP_DATPRO"].iter().any(|end| iri.as_str().ends_with(end)))
}

const OLDER_FREQUENCIES: [(&str, &str); 17] = [
    ("annual", "ANNUAL"),
    ("biennial", "BIENNIAL"),
    ("bimonthly", "BIMONTHLY"),
    ("biweekly", "BIWEEKLY"),
    ("continuous", "CONT"),
    ("daily", "DAILY"),
    ("irregular", "IRREG"),
    ("monthly", "MONTHLY"),
    ("quarterly", "QUARTERLY"),
    ("semiannual", "ANNUAL_2"),
    ("semimonthly", "MONTHLY_2"),
    ("semiweekly", "WEEKLY_2"),
    ("threeTimesAMonth", "MONTHLY_3"),
    ("threeTimesAWeek", "WEEKLY_3"),
    ("threeTimesAYear", "ANNUAL_3"),
    ("triennial", "TRIENNIAL"),
    ("weekly", "WEEKLY"),
];

/// Who may see the data, from an entry of the EU access-right table or INSPIRE's *no limitations on public access*.
/// Anything else, the table's *confidential*, *normal* and *sensitive* too, does not answer the question.
pub fn access_rights(iri: &str) -> AccessRights {
    let iri = table::without_tls(iri);
    match iri.strip_prefix(AUTHORITY).and_then(|rest| rest.strip_prefix("access-right/")) {
        Some("PUBLIC") => AccessRights::Public,
        Some("RESTRICTED") => AccessRights::Restricted,
        Some("NON_PUBLIC") => AccessRights::NonPublic,
        _ if iri == "http://inspire.ec.europa.eu/metadata-codelist/LimitationsOnPublicAccess/noLimitations" => {
            AccessRights::Public
        }
        _ => AccessRights::NotStated,
    }
}

/// The BCP 47 tag of a language: from its IRI in the EU table, its three-letter code there, or a tag as it is.
pub fn language(name: &str) -> Option<LanguageTag> {
    let name = table::without_tls(name.trim());
    let from_table = |code: &str| concept(&format!("{AUTHORITY}language/{code}")).and_then(|concept| concept.code);
    let tag = match name.strip_prefix(AUTHORITY) {
        Some(rest) => from_table(rest.strip_prefix("language/")?)?,
        None if name.len() == 3 => match from_table(&name.to_ascii_uppercase()) {
            Some(tag) => tag,
            // A language that has no code of two letters, such as Ancient Greek, is tagged by its three.
            None if name.bytes().all(|b| b.is_ascii_lowercase()) => name.as_ref(),
            None => return None,
        },
        None if name.len() == 2 || name.contains('-') => name.as_ref(),
        None => return None,
    };
    tag.parse().ok()
}

/// The code of a file type by which formats are filtered, such as `CSV`: from its IRI in the EU table.
/// A code that the table does not know yet is taken as it is written; the table grows faster than this file.
pub fn file_type(iri: &str) -> Option<String> {
    let iri = table::without_tls(iri);
    let code = iri.strip_prefix(AUTHORITY)?.strip_prefix("file-type/")?;
    let is_code = !code.is_empty() && code.len() <= 40 && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    is_code.then(|| code.to_ascii_uppercase())
}

/// The code of the file type that has this media type, where exactly one has.
pub fn file_type_of_media(media_type: &str) -> Option<&'static str> {
    table::file_type_of_media(media_type)
}

fn canonical(iri: &str, table: &str) -> Option<Iri> {
    let iri = table::without_tls(iri);
    iri.strip_prefix(AUTHORITY)?.strip_prefix(table)?.strip_prefix('/')?;
    concept(&iri).and_then(|concept| concept.iri.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const THEME: &str = "http://publications.europa.eu/resource/authority/data-theme/HEAL";

    #[test]
    fn every_theme_has_a_label_in_every_official_language() {
        for code in
            ["AGRI", "ECON", "EDUC", "ENER", "ENVI", "GOVE", "HEAL", "INTR", "JUST", "REGI", "SOCI", "TECH", "TRAN"]
        {
            let labels = labels(&format!("{AUTHORITY}data-theme/{code}")).unwrap();
            assert_eq!(labels.iter().count(), 24, "{code}");
        }
    }

    #[test]
    fn a_label_comes_in_the_readers_language_else_in_english() {
        let tag = |text: &str| text.parse::<LanguageTag>().unwrap();
        assert_eq!(label(THEME, &[tag("fi")]), Some("Terveys"));
        assert_eq!(label(THEME, &[tag("tlh"), tag("de-AT")]), Some("Gesundheit"));
        assert_eq!(label(THEME, &[]), Some("Health"));
        assert_eq!(label("https://example.org/no-such-concept", &[]), None);
    }

    #[test]
    fn a_language_a_country_and_a_format_have_iris_by_their_codes() {
        let english = |iri: Option<&str>| labels(iri.unwrap()).unwrap().get("en");
        assert_eq!(english(language_iri("fi")), Some("Finnish"));
        assert_eq!(english(country_iri(&"GR".parse().unwrap())), Some("Greece"));
        assert_eq!(file_type_iri("CSV"), Some("http://publications.europa.eu/resource/authority/file-type/CSV"));
        assert_eq!(language_iri("no-such"), None);
    }

    #[test]
    fn an_entry_that_the_table_does_not_have_is_not_taken() {
        assert_eq!(theme(THEME).unwrap().as_str(), THEME);
        assert_eq!(theme(&THEME.replace("http:", "https:")).unwrap().as_str(), THEME);
        for bad in ["EDUC#SPORT", "OP_DATPRO", "educ", ""] {
            assert_eq!(theme(&format!("{AUTHORITY}data-theme/{bad}")), None, "{bad}");
        }
        assert_eq!(frequency(&format!("{AUTHORITY}frequency/YEARLY")), None);
        assert_eq!(frequency(&format!("{AUTHORITY}frequency/UNKNOWN")), None);
        assert!(frequency("http://purl.org/cld/freq/semiannual").unwrap().as_str().ends_with("/ANNUAL_2"));
    }

    #[test]
    fn languages_countries_and_formats_become_their_codes() {
        assert_eq!(language("grc").unwrap().as_str(), "grc", "a language without a code of two letters");
        assert_eq!(language("XYZ"), None);
        let tag = |text: &str| language(text).map(|tag| tag.to_string());
        assert_eq!(tag(&format!("{AUTHORITY}language/NLD")), Some("nl".into()));
        assert_eq!(tag("deu"), Some("de".into()));
        assert_eq!(tag("pt-BR"), Some("pt-BR".into()));
        assert_eq!(tag(&format!("{AUTHORITY}language/MUL")), None);
        assert_eq!(tag("English"), None);
        assert_eq!(country(&format!("{AUTHORITY}country/GRC")).unwrap().as_str(), "GR");
        assert_eq!(country("https://sws.geonames.org/2802361/").unwrap().as_str(), "BE");
        assert_eq!(country("https://sws.geonames.org/3337388/"), None, "Flanders is not a country");
        assert_eq!(file_type(&format!("{AUTHORITY}file-type/CSV")), Some("CSV".into()));
        assert_eq!(file_type(&format!("{AUTHORITY}file-type/OGC:WMS")), None);
        assert_eq!(file_type_of_media("text/csv"), Some("CSV"));
        assert_eq!(file_type_of_media("application/octet-stream"), None, "two types have it");
    }

    #[test]
    fn a_narrow_purpose_lies_within_the_wide_one_and_not_the_other_way_round() {
        let (narrow, wide) = ("https://w3id.org/dpv#AcademicResearch", "https://w3id.org/dpv#ResearchAndDevelopment");
        assert!(is_within(narrow, wide));
        assert!(is_within(narrow, narrow));
        assert!(!is_within(wide, narrow));
        assert_eq!(label("https://w3id.org/dpv/legal/eu/gdpr#A6-1-e", &[]).map(|l| l.contains("6(1-e)")), Some(true));
    }

    #[test]
    fn access_rights_are_read_only_where_the_entry_answers_the_question() {
        let of = |code: &str| access_rights(&format!("{AUTHORITY}access-right/{code}"));
        assert_eq!(of("PUBLIC"), AccessRights::Public);
        assert_eq!(of("NON_PUBLIC"), AccessRights::NonPublic);
        assert_eq!(of("SENSITIVE"), AccessRights::NotStated);
        assert_eq!(access_rights("open"), AccessRights::NotStated);
    }
}
