//! How a dataset is cited: as a line of text, as a BibTeX entry, and as DataCite metadata (kernel 4, as JSON).
//!
//! Where its authors say how they want to be cited, that is the citation. Otherwise it is made of what the record states,
//! in the order that DataCite recommends: creator (year): title. Version. Publisher. Identifier.

use serde_json::{Map, Value, json};

use crate::domain::dataset::{Agent, BoundingBox, Dataset, Registered};
use crate::domain::ids::{Iri, LanguageTag};
use crate::domain::licence::Licence;
use crate::domain::text::Text;
use crate::formats::export::Place;
use crate::formats::schema_org::coverage::interval;

const DOI: &str = "https://doi.org/";

/// The citation as one line.
pub fn text(record: &Registered, place: &Place) -> String {
    let dataset = &record.dataset;
    if let Some(own) = dataset.citation.as_ref().filter(|own| !is_bibtex(own)) {
        return own.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    let year = dataset.issued.map_or_else(|| "n.d.".to_owned(), |day| day.year().to_string());
    let title = title(dataset);
    let mut line = match creators(dataset) {
        creators if creators.is_empty() => format!("{title} ({year})."),
        creators => {
            let names: Vec<&str> = creators.iter().map(|agent| name(agent)).collect();
            format!("{} ({year}): {title}.", names.join("; "))
        }
    };
    if let Some(version) = &dataset.version {
        line.push_str(&format!(" Version {version}."));
    }
    if let Some(publisher) = dataset.publisher.as_ref().filter(|_| !dataset.creators.is_empty()) {
        line.push_str(&format!(" {}.", name(publisher)));
    }
    line.push_str(&format!(" {}", address(dataset, place)));
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The citation as a BibTeX entry, ended by a line end. Its key is made of the dataset's id and never changes.
pub fn bibtex(record: &Registered, place: &Place) -> String {
    let dataset = &record.dataset;
    if let Some(own) = dataset.citation.as_ref().filter(|own| is_bibtex(own)) {
        return format!("{}\n", own.trim());
    }
    let mut fields: Vec<(&str, String)> = Vec::new();
    // A second pair of braces keeps a name whole and the case of a title as it is.
    let whole = |text: &str| format!("{{{}}}", escaped(text));
    let authors: Vec<String> = creators(dataset).iter().map(|agent| whole(name(agent))).collect();
    if !authors.is_empty() {
        fields.push(("author", authors.join(" and ")));
    }
    fields.push(("title", whole(title(dataset))));
    if let Some(day) = dataset.issued {
        fields.push(("year", day.year().to_string()));
        fields.push(("date", day.to_string()));
    }
    if let Some(publisher) = &dataset.publisher {
        fields.push(("publisher", whole(name(publisher))));
    }
    if let Some(version) = &dataset.version {
        fields.push(("version", escaped(version)));
    }
    if let Some(doi) = doi(dataset) {
        fields.push(("doi", verbatim(doi)));
    }
    fields.push(("url", verbatim(&address(dataset, place))));
    if let Some(own) = &dataset.citation {
        fields.push(("note", escaped(own)));
    }
    let fields: Vec<String> = fields.into_iter().map(|(name, value)| format!("  {name} = {{{value}}}")).collect();
    format!("@dataset{{{},\n{}\n}}\n", key(dataset), fields.join(",\n"))
}

/// The metadata that DataCite keeps of a dataset.
pub fn datacite(record: &Registered, place: &Place) -> Value {
    let dataset = &record.dataset;
    let mut written = Map::new();
    let mut put = |term: &str, value: Value| {
        if !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty()) {
            written.insert(term.to_owned(), value);
        }
    };
    put("schemaVersion", json!("http://datacite.org/schema/kernel-4"));
    put("doi", json!(doi(dataset)));
    put("identifiers", identifiers(dataset));
    put("creators", all_creators(dataset));
    put("titles", titles(&dataset.title));
    // A publisher and a year are demanded; where the record names none, it is the catalogue that makes it public.
    put("publisher", publisher(dataset, place));
    let year =
        dataset.issued.map_or_else(|| record.registered.to_string()[..4].to_owned(), |day| day.year().to_string());
    put("publicationYear", json!(year));
    put("types", json!({"resourceTypeGeneral": "Dataset", "resourceType": "Dataset"}));
    put("subjects", subjects(dataset));
    put("dates", dates(dataset));
    put("language", json!(dataset.languages.first()));
    put("relatedIdentifiers", related(dataset));
    put("sizes", dataset.total_bytes().into_iter().map(|bytes| json!(format!("{bytes} B"))).collect());
    put("formats", json!(dataset.formats()));
    put("version", json!(dataset.version));
    put("rightsList", dataset.licence.iter().map(rights).collect());
    put("descriptions", descriptions(dataset));
    put("geoLocations", places(dataset));
    put("url", json!(page(dataset, place)));
    Value::Object(written)
}

/// Who is named as the author: its creators, else its publisher.
fn creators(dataset: &Dataset) -> Vec<&Agent> {
    if dataset.creators.is_empty() { dataset.publisher.iter().collect() } else { dataset.creators.iter().collect() }
}

fn name(agent: &Agent) -> &str {
    agent.name.best(&[]).1
}

fn title(dataset: &Dataset) -> &str {
    dataset.title.best(&[]).1
}

fn doi(dataset: &Dataset) -> Option<&str> {
    dataset.identifiers.iter().find_map(|iri| iri.as_str().strip_prefix(DOI))
}

/// The persistent identifier, else the page.
fn address(dataset: &Dataset, place: &Place) -> String {
    let doi = doi(dataset).map(|doi| format!("{DOI}{doi}"));
    doi.or_else(|| dataset.identifiers.first().map(Iri::to_string)).unwrap_or_else(|| page(dataset, place))
}

fn page(dataset: &Dataset, place: &Place) -> String {
    dataset.landing_pages.first().map_or_else(|| place.page(&dataset.id).to_string(), Iri::to_string)
}

/// Whether a citation is a BibTeX entry: `@type{key, …}`.
fn is_bibtex(text: &str) -> bool {
    let text = text.trim();
    let entry = text.strip_prefix('@').and_then(|rest| rest.split_once('{'));
    entry.is_some_and(|(kind, _)| !kind.is_empty() && kind.trim().bytes().all(|b| b.is_ascii_alphabetic()))
        && text.ends_with('}')
}

fn key(dataset: &Dataset) -> String {
    format!("{}:{}", dataset.id.domain(), dataset.id.local())
}

/// A text within braces: what TeX reads in its own way is escaped, and no brace is left that opens or closes a field.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.split_whitespace().collect::<Vec<_>>().join(" ").chars() {
        match c {
            '\\' => escaped.push_str("\\textbackslash{}"),
            '~' => escaped.push_str("\\textasciitilde{}"),
            '^' => escaped.push_str("\\textasciicircum{}"),
            '{' | '}' | '$' | '&' | '#' | '%' | '_' => escaped.extend(['\\', c]),
            c => escaped.push(c),
        }
    }
    escaped
}

/// An address, which is taken letter by letter; only a brace in it would open or close a field.
fn verbatim(address: &str) -> String {
    address.replace('\\', "%5C").replace('{', "%7B").replace('}', "%7D")
}

fn identifiers(dataset: &Dataset) -> Value {
    let own = std::iter::once(json!({"identifier": dataset.id, "identifierType": "URL"}));
    let others = dataset.identifiers.iter().map(|iri| {
        let kind = if iri.as_str().starts_with(DOI) { "DOI" } else { "URN" };
        json!({"identifier": iri, "identifierType": kind})
    });
    others.chain(own).collect()
}

fn creator(agent: &Agent) -> Value {
    let mut written = json!({"name": name(agent)});
    if let Some(iri) = &agent.iri {
        let scheme = scheme(iri);
        written["nameIdentifiers"] = json!([{"nameIdentifier": iri, "nameIdentifierScheme": scheme}]);
    }
    written
}

/// The creators; where nobody is named, DataCite's own word for what is not known.
fn all_creators(dataset: &Dataset) -> Value {
    match creators(dataset) {
        nobody if nobody.is_empty() => json!([{"name": "(:unav)"}]),
        creators => creators.into_iter().map(creator).collect(),
    }
}

fn scheme(iri: &Iri) -> &'static str {
    [("https://orcid.org/", "ORCID"), ("https://ror.org/", "ROR"), ("https://isni.org/", "ISNI")]
        .into_iter()
        .find_map(|(start, scheme)| iri.as_str().starts_with(start).then_some(scheme))
        .unwrap_or("URL")
}

fn titles(title: &Text) -> Value {
    let (first, best) = title.best(&[]);
    let own = in_language(json!({"title": best}), first);
    let others = title.iter().filter(|(language, _)| *language != first);
    let others =
        others.map(|(language, text)| in_language(json!({"title": text, "titleType": "TranslatedTitle"}), language));
    std::iter::once(own).chain(others).collect()
}

/// A value with its language, where one is known.
fn in_language(mut value: Value, language: &LanguageTag) -> Value {
    if language.primary() != "und" {
        value["lang"] = json!(language);
    }
    value
}

fn publisher(dataset: &Dataset, place: &Place) -> Value {
    let Some(agent) = &dataset.publisher else { return json!({"name": place.title.best(&[]).1}) };
    match &agent.iri {
        Some(iri) => json!({"name": name(agent), "publisherIdentifier": iri, "publisherIdentifierScheme": scheme(iri)}),
        None => json!({"name": name(agent)}),
    }
}

fn subjects(dataset: &Dataset) -> Value {
    let keywords = dataset.keywords.iter().flat_map(|(language, words)| words.iter().map(move |word| (language, word)));
    keywords.map(|(language, word)| in_language(json!({"subject": word}), language)).collect()
}

fn dates(dataset: &Dataset) -> Value {
    let days = [("Issued", dataset.issued), ("Updated", dataset.modified)];
    let days = days.into_iter().filter_map(|(kind, day)| Some(json!({"date": day?.to_string(), "dateType": kind})));
    let collected =
        dataset.training.collected.iter().map(|period| json!({"date": interval(period), "dateType": "Collected"}));
    let covered = dataset.temporal.iter().map(|period| json!({"date": interval(period), "dateType": "Coverage"}));
    days.chain(collected).chain(covered).collect()
}

fn related(dataset: &Dataset) -> Value {
    let all = [
        ("IsDerivedFrom", dataset.derived_from.as_slice()),
        ("IsVersionOf", dataset.version_of.as_slice()),
        ("IsPartOf", dataset.series.as_slice()),
        ("IsDocumentedBy", dataset.documentation.as_slice()),
    ];
    let related = all.into_iter().flat_map(|(relation, iris)| iris.iter().map(move |iri| (relation, iri)));
    related
        .map(|(relation, iri)| {
            let kind = match iri.as_str() {
                iri if iri.starts_with(DOI) => "DOI",
                iri if iri.starts_with("urn:") => "URN",
                _ => "URL",
            };
            json!({"relationType": relation, "relatedIdentifier": iri, "relatedIdentifierType": kind})
        })
        .collect()
}

fn rights(licence: &Licence) -> Value {
    let mut rights = json!({"rights": licence.raw.as_deref().unwrap_or_else(|| licence.label())});
    if let Some(iri) = &licence.iri {
        rights["rightsUri"] = json!(iri);
    }
    if let Some(spdx) = &licence.spdx {
        rights["rightsIdentifier"] = json!(spdx);
        rights["rightsIdentifierScheme"] = json!("SPDX");
        rights["schemeUri"] = json!("https://spdx.org/licenses/");
    }
    rights
}

fn descriptions(dataset: &Dataset) -> Value {
    let texts = dataset.description.iter().flat_map(Text::iter);
    texts
        .map(|(language, text)| in_language(json!({"description": text, "descriptionType": "Abstract"}), language))
        .collect()
}

fn places(dataset: &Dataset) -> Value {
    let places = dataset.spatial.iter().filter_map(|place| {
        let mut written = Map::new();
        let name = place.name.as_ref().map(|name| name.best(&[]).1.to_owned());
        if let Some(name) = name.or_else(|| place.country.as_ref().map(ToString::to_string)) {
            written.insert("geoLocationPlace".into(), json!(name));
        }
        if let Some([west, south, east, north]) = place.bbox.map(BoundingBox::corners) {
            let bounds = json!({
                "westBoundLongitude": west, "eastBoundLongitude": east,
                "southBoundLatitude": south, "northBoundLatitude": north,
            });
            written.insert("geoLocationBox".into(), bounds);
        }
        (!written.is_empty()).then_some(Value::Object(written))
    });
    places.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::samples::registered;

    fn record(more: Value) -> Registered {
        let mut said = json!({"id": "https://fi.pleiad.example/dataset/x-1", "title": {"en": "Calls & {notes}: 50 % of #1"}, "country": "FI"});
        for (name, value) in more.as_object().unwrap() {
            said[name] = value.clone();
        }
        registered(serde_json::from_value(said).unwrap())
    }

    fn place() -> Place {
        let title = serde_json::from_value(json!({"en": "Finnish node"})).unwrap();
        Place::new(
            "https://fi.pleiad.example".parse().unwrap(),
            title,
            "fi.pleiad.example".parse().unwrap(),
            Vec::new(),
        )
    }

    fn full() -> Value {
        json!({
            "creators": [{"name": {"en": "Example University"}}, {"name": {"fi": "Meri Aalto"}, "iri": "https://orcid.org/0000-0002-1825-0097"}],
            "publisher": {"name": {"en": "Archive_1"}},
            "issued": "2024-02-29",
            "version": "2.1",
            "identifiers": ["https://doi.org/10.1234/a_b%7"],
        })
    }

    #[test]
    fn a_line_names_creator_year_title_version_publisher_and_identifier_in_this_order() {
        assert_eq!(
            text(&record(full()), &place()),
            "Example University; Meri Aalto (2024): Calls & {notes}: 50 % of #1. Version 2.1. Archive_1. https://doi.org/10.1234/a_b%7"
        );
        assert_eq!(
            text(&record(json!({})), &place()),
            "Calls & {notes}: 50 % of #1 (n.d.). https://fi.pleiad.example/datasets/x-1"
        );
    }

    #[test]
    fn what_tex_reads_in_its_own_way_is_escaped_and_the_key_stays() {
        let entry = bibtex(&record(full()), &place());
        assert!(entry.starts_with("@dataset{fi.pleiad.example:x-1,\n"), "{entry}");
        assert!(entry.contains(r"title = {{Calls \& \{notes\}: 50 \% of \#1}}"), "{entry}");
        assert!(entry.contains(r"publisher = {{Archive\_1}}"), "{entry}");
        assert!(entry.contains("author = {{Example University} and {Meri Aalto}}"), "{entry}");
        assert!(entry.contains("doi = {10.1234/a_b%7}"), "{entry}");
        let later = bibtex(&record(json!({"version": "9", "issued": "2030-01-01"})), &place());
        assert!(later.starts_with("@dataset{fi.pleiad.example:x-1,\n"), "{later}");
        assert_eq!(escaped("a\\b~c^d\n e"), r"a\textbackslash{}b\textasciitilde{}c\textasciicircum{}d e");
    }

    #[test]
    fn what_the_authors_wrote_is_the_citation() {
        let own = record(json!({"citation": "Aalto 2024,\nin print"}));
        assert_eq!(text(&own, &place()), "Aalto 2024, in print");
        assert!(bibtex(&own, &place()).contains("note = {Aalto 2024, in print}"));
        let entry = "@article{aalto,\n title={Calls}\n}";
        let own = record(json!({"citation": entry}));
        assert_eq!(bibtex(&own, &place()), format!("{entry}\n"));
        assert!(text(&own, &place()).contains("(n.d.)"), "an entry is no line of text");
    }

    #[test]
    fn datacite_has_what_its_schema_demands_whatever_the_record_says() {
        for said in [full(), json!({})] {
            let written = datacite(&record(said), &place());
            for mandatory in ["identifiers", "creators", "titles", "publisher", "publicationYear", "types"] {
                assert!(written.get(mandatory).is_some(), "{mandatory} {written:#}");
            }
            assert_eq!(written["types"]["resourceTypeGeneral"], "Dataset");
        }
        let written = datacite(&record(full()), &place());
        assert_eq!(written["doi"], "10.1234/a_b%7");
        assert_eq!(written["creators"][1]["nameIdentifiers"][0]["nameIdentifierScheme"], "ORCID");
        assert_eq!(datacite(&record(json!({})), &place())["publicationYear"], "2025", "the year of its registration");
    }
}
