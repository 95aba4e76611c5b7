//! The embedded tables: one concept a line, parsed once, looked up by IRI.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

/// Where the EU authority tables live.
pub(super) const AUTHORITY: &str = "http://publications.europa.eu/resource/authority/";

/// A concept: its IRI in the table's own spelling, its labels, and the code the house uses for it.
pub(super) struct Concept {
    pub(super) iri: String,
    /// BCP 47 tag of a language, alpha-2 code of a country, media type of a file type.
    pub(super) code: Option<&'static str>,
    /// The IRIs directly above it.
    pub(super) broader: Vec<String>,
    pub(super) labels: Labels,
}

/// The labels of one concept by language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels(Vec<(&'static str, &'static str)>);

impl Labels {
    /// The label in a language, by its primary subtag such as `fi`.
    pub fn get(&self, language: &str) -> Option<&'static str> {
        self.0.iter().find(|(tag, _)| *tag == language).map(|(_, label)| *label)
    }

    /// Every language with its label, in the order of the tags.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.0.iter().copied()
    }
}

/// The concept with this IRI.
pub(super) fn concept(iri: &str) -> Option<&'static Concept> {
    CONCEPTS.get(without_tls(iri).as_ref())
}

/// The IRI as the authority tables spell it: they are `http`, and catalogues often write `https`.
pub(super) fn without_tls(iri: &str) -> Cow<'_, str> {
    let hosts = ["publications.europa.eu/", "data.europa.eu/", "inspire.ec.europa.eu/", "sws.geonames.org/"];
    match iri.strip_prefix("https://") {
        Some(rest) if hosts.iter().any(|host| rest.starts_with(host)) => Cow::Owned(format!("http://{rest}")),
        _ => Cow::Borrowed(iri),
    }
}

/// Every concept.
pub(super) fn concepts() -> impl Iterator<Item = &'static Concept> {
    CONCEPTS.values()
}

/// The concept of an EU table, such as `language/`, that the house names by this code.
pub(super) fn by_code(table: &str, code: &str) -> Option<&'static Concept> {
    BY_CODE.get(&(table, code)).copied()
}

/// The one file type with this media type; nothing where several have it.
pub(super) fn file_type_of_media(media_type: &str) -> Option<&'static str> {
    MEDIA_TYPES.get(media_type).copied().flatten()
}

/// The lines of a table after its header, split into cells, with the header's cells.
pub(super) fn rows(text: &'static str) -> (Vec<&'static str>, impl Iterator<Item = Vec<&'static str>>) {
    let mut lines = text.lines();
    let header = lines.next().unwrap_or_default().split('\t').collect();
    (header, lines.map(|line| line.split('\t').collect()))
}

const FILE_TYPES: &str = include_str!("data/file-type.tsv");

static CONCEPTS: LazyLock<HashMap<String, Concept>> = LazyLock::new(|| {
    let mut concepts = HashMap::new();
    for (base, text) in [
        ("data-theme/", include_str!("data/data-theme.tsv")),
        ("frequency/", include_str!("data/frequency.tsv")),
        ("access-right/", include_str!("data/access-right.tsv")),
        ("country/", include_str!("data/country.tsv")),
        ("language/", include_str!("data/language.tsv")),
        ("file-type/", FILE_TYPES),
    ] {
        read(&mut concepts, text, &|code| format!("{AUTHORITY}{base}{code}"));
    }
    let bna = |code: &str| format!("http://data.europa.eu/bna/{code}");
    read(&mut concepts, include_str!("data/high-value-category.tsv"), &bna);
    read(&mut concepts, include_str!("data/dpv.tsv"), &dpv);
    read(&mut concepts, super::licence::TABLE, &super::licence::iri);
    concepts
});

static MEDIA_TYPES: LazyLock<HashMap<&'static str, Option<&'static str>>> = LazyLock::new(|| {
    let mut types = HashMap::new();
    for row in rows(FILE_TYPES).1 {
        if let [code, media_type, ..] = row[..]
            && !media_type.is_empty()
        {
            types.entry(media_type).and_modify(|one| *one = None).or_insert(Some(code));
        }
    }
    types
});

/// The tables whose codes name one concept each; where two have one, the first by IRI stands for it.
static BY_CODE: LazyLock<HashMap<(&'static str, &'static str), &'static Concept>> = LazyLock::new(|| {
    let mut by_code: HashMap<(&str, &str), &'static Concept> = HashMap::new();
    for concept in CONCEPTS.values() {
        let path = concept.iri.strip_prefix(AUTHORITY).unwrap_or_default();
        let table = ["language/", "country/"].into_iter().find(|table| path.starts_with(table));
        if let (Some(table), Some(code)) = (table, concept.code) {
            let known = by_code.entry((table, code)).or_insert(concept);
            if concept.iri < known.iri {
                *known = concept;
            }
        }
    }
    by_code
});

fn read(concepts: &mut HashMap<String, Concept>, text: &'static str, iri: &dyn Fn(&str) -> String) {
    let (header, rows) = rows(text);
    let english = header.iter().position(|column| *column == "en");
    for row in rows.filter(|row| !row[0].is_empty()) {
        let mut concept =
            Concept { iri: iri(row[0]), code: None, broader: Vec::new(), labels: Labels(Vec::with_capacity(1)) };
        for (column, cell) in header.iter().zip(&row).skip(1).filter(|(_, cell)| !cell.is_empty()) {
            match *column {
                "tag" | "alpha2" | "media_type" | "spdx" => concept.code = Some(*cell),
                "terms" => {}
                "broader" => concept.broader = cell.split(' ').map(dpv).collect(),
                language => {
                    let label = if *cell == "=" { english.map_or("", |at| row[at]) } else { *cell };
                    concept.labels.0.push((language, label));
                }
            }
        }
        concepts.insert(concept.iri.clone(), concept);
    }
}

fn dpv(short: &str) -> String {
    match short.split_once(':') {
        Some(("gdpr", term)) => format!("https://w3id.org/dpv/legal/eu/gdpr#{term}"),
        Some(("pd", term)) => format!("https://w3id.org/dpv/pd#{term}"),
        Some((_, term)) => format!("https://w3id.org/dpv#{term}"),
        None => short.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_row_is_a_concept_with_a_valid_iri() {
        assert!(CONCEPTS.len() > 1500, "{}", CONCEPTS.len());
        for concept in CONCEPTS.values() {
            assert!(concept.iri.parse::<crate::domain::ids::Iri>().is_ok(), "{}", concept.iri);
            assert!(concept.labels.iter().all(|(_, label)| !label.trim().is_empty()), "{}", concept.iri);
            for above in &concept.broader {
                assert!(!above.contains("dpv#dpv"), "{above}");
            }
        }
    }

    #[test]
    fn every_code_in_the_tables_is_one_the_domain_knows() {
        for concept in CONCEPTS.values() {
            let Some(code) = concept.code else { continue };
            if concept.iri.contains("/country/") {
                assert!(code.parse::<crate::domain::ids::Country>().is_ok(), "{code}");
            }
            if concept.iri.contains("/language/") {
                assert!(code.parse::<crate::domain::ids::LanguageTag>().is_ok(), "{code}");
            }
        }
    }
}
