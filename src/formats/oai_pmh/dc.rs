//! `oai_dc`: unqualified Dublin Core as OAI-PMH repositories give it, into a draft.
//!
//! Fifteen elements, each any number of times and each any text: that is all the format promises. So what is a date, a
//! language or an address is taken where it reads as one and noted where it does not; `dc:rights` is a licence only where
//! it names one that is known, else it is kept in its own words. `dc:contributor` and free text in `dc:coverage` have no
//! field of a dataset and stay in the source's text, which is kept beside the record.

use super::xml::Element;
use crate::domain::bounds;
use crate::domain::dataset::{AccessRights, Agent, Dataset, Distribution};
use crate::domain::ids::{Iri, LanguageTag};
use crate::domain::licence::Licence;
use crate::formats::Draft;
use crate::formats::dcat::rights::{ACCESS_DIFFERS, LICENCES_DIFFER, one_of};
use crate::formats::draft::{self, Common, Notes, Read, day, parse_iri, shown};
use crate::formats::text;
use crate::vocabulary;
use crate::vocabulary::licence::resolve;

const ELEMENTS: &str = "http://purl.org/dc/elements/1.1/";
/// Counted up when the same record is read differently, so that it is revised.
const MAPPING: &str = "oai_dc/1";

/// Reads one record. `identifier` is its identifier in the repository; `words` are the metadata as they stand there.
pub(super) fn read(identifier: &str, metadata: &Element, words: String, common: &Common) -> Result<Draft, String> {
    let record = Record { metadata };
    let mut notes = Notes::default();
    let Some(title) = notes.title("title", record.texts("title")) else {
        return Err("it has no title".to_owned());
    };
    let iri = parse_iri(identifier).ok_or("its identifier is no IRI, so a second import could not know it again")?;
    let mut dataset = draft::empty(title, common);
    describe(&record, &mut dataset, &mut notes);
    identify(&record, &mut dataset, &mut notes);
    rights(&record, &mut dataset, &mut notes);
    if record.all("contributor").next().is_some() {
        notes.note("contributor: has no field, and is kept in the source's text");
    }
    draft::finish(Read { dataset, iri, notes, text: words }, "oai_dc", MAPPING, common).map_err(|error| error.reason)
}

/// What it is about, who made it, and when.
fn describe(record: &Record<'_>, dataset: &mut Dataset, notes: &mut Notes) {
    dataset.description = notes.prose("description", record.texts("description"));
    let (concepts, words): (Vec<_>, Vec<_>) =
        record.texts("subject").into_iter().partition(|(_, text)| is_address(text));
    let concepts: Vec<String> = concepts.into_iter().map(|(_, text)| text).collect();
    dataset.themes = notes.themes(concepts.iter().map(String::as_str));
    dataset.keywords = notes.keywords(words.into_iter().flat_map(|(language, text)| {
        let words: Vec<String> = text.split(';').map(str::to_owned).collect();
        words.into_iter().map(move |word| (language.clone(), word))
    }));
    let mut publishers = agents("publisher", record, notes);
    if publishers.len() > 1 {
        notes.note("publisher: one of several is kept");
    }
    dataset.publisher = (!publishers.is_empty()).then(|| publishers.swap_remove(0));
    dataset.creators = agents("creator", record, notes);
    notes.cut("creators", &mut dataset.creators);
    dataset.languages = notes.languages(record.plain("language").iter().map(String::as_str));
    let dates = record.plain("date");
    let days: Vec<_> = dates.iter().filter_map(|text| day(text)).collect();
    if days.is_empty() && !dates.is_empty() {
        notes.note(format!("date: {:?} is not a day", shown(&dates[0])));
    }
    // Which of them is which, nobody says: the first is when it was there, the last when it last changed.
    dataset.issued = days.iter().min().copied();
    dataset.modified = days.iter().max().copied().filter(|last| Some(*last) != dataset.issued);
    if record.all("coverage").next().is_some() {
        notes.note("coverage: free text has no field, and is kept in the source's text");
    }
}

/// Its identifiers and pages, what it was made from, and its form.
fn identify(record: &Record<'_>, dataset: &mut Dataset, notes: &mut Notes) {
    let identifiers = record.plain("identifier");
    dataset.identifiers = notes.identifiers(identifiers.iter().map(String::as_str));
    let pages: Vec<&str> = identifiers.iter().map(String::as_str).filter(|text| is_address(text)).collect();
    dataset.landing_pages = notes.iris("identifier", pages);
    let addresses = |name: &str| -> Vec<String> {
        record.plain(name).into_iter().filter(|text| is_address(text)).collect::<Vec<String>>()
    };
    dataset.derived_from = notes.iris("source", addresses("source").iter().map(String::as_str));
    dataset.documentation = notes.iris("relation", addresses("relation").iter().map(String::as_str));
    let format = record.plain("format").iter().find_map(|text| notes.line("format", text));
    let page: Option<Iri> = dataset.landing_pages.first().cloned();
    if let (Some(format), Some(page)) = (format, page) {
        let form = Distribution { format: Some(format), access_url: Some(page), ..Distribution::default() };
        dataset.distributions = vec![form];
    }
}

/// What may be done with it: a licence where one is named, else the words as they are.
fn rights(record: &Record<'_>, dataset: &mut Dataset, notes: &mut Notes) {
    let said = record.texts("rights");
    let words: Vec<&str> = said.iter().map(|(_, words)| words.trim()).collect();
    let others = words.iter().filter(|words| !speaks_of_access(words));
    let licences: Vec<Licence> = others.filter_map(|words| resolve(words)).collect();
    if licences.iter().any(|licence| licence.spdx.is_some()) {
        dataset.licence = one_of(&licences);
        if dataset.licence.is_none() {
            notes.note(LICENCES_DIFFER);
        }
    }
    let mut answers: Vec<AccessRights> = words.iter().map(|words| access_rights(words)).collect();
    answers.retain(|answer| *answer != AccessRights::NotStated);
    answers.dedup();
    match answers[..] {
        [] => {}
        [answer] => dataset.access_rights = answer,
        _ => notes.note(ACCESS_DIFFERS),
    }
    dataset.rights = notes.prose("rights", said);
}

/// Whether words say who may see the data, or until when not, and nothing of a licence.
fn speaks_of_access(words: &str) -> bool {
    ["info:eu-repo/", "http://purl.org/coar/access_right/"].iter().any(|start| words.starts_with(start))
        || access_rights(words) != AccessRights::NotStated
}

/// The access level that repositories write by OpenAIRE's guidelines, or an entry of the EU table.
fn access_rights(words: &str) -> AccessRights {
    match words {
        "info:eu-repo/semantics/openAccess" => AccessRights::Public,
        "info:eu-repo/semantics/restrictedAccess" | "info:eu-repo/semantics/embargoedAccess" => {
            AccessRights::Restricted
        }
        "info:eu-repo/semantics/closedAccess" => AccessRights::NonPublic,
        other => vocabulary::access_rights(other),
    }
}

fn agents(name: &str, record: &Record<'_>, notes: &mut Notes) -> Vec<Agent> {
    let mut agents: Vec<Agent> = Vec::new();
    for said in record.texts(name) {
        if let Some(name) = notes.title(name, [said]) {
            let agent = Agent { name, iri: None, kind: None };
            if !agents.contains(&agent) {
                agents.push(agent);
            }
        }
    }
    agents
}

fn is_address(text: &str) -> bool {
    let text = text.trim();
    (text.starts_with("https://") || text.starts_with("http://")) && !text.contains(char::is_whitespace)
}

struct Record<'e> {
    metadata: &'e Element,
}

impl Record<'_> {
    fn all<'r>(&'r self, name: &'r str) -> impl Iterator<Item = &'r Element> {
        self.metadata.all(name).filter(|element| element.namespace == ELEMENTS && !element.text.trim().is_empty())
    }

    /// The texts of an element with the language that `xml:lang` names; `und` where it names none.
    fn texts(&self, name: &str) -> Vec<(LanguageTag, String)> {
        self.all(name)
            .map(|element| {
                let tag = element.attribute("xml:lang").and_then(|tag| tag.trim().parse().ok());
                (tag.unwrap_or_else(draft::undetermined), element.text.clone())
            })
            .collect()
    }

    fn plain(&self, name: &str) -> Vec<String> {
        let lines = self.texts(name).into_iter().map(|(_, said)| text::line(&said));
        lines.map(|line| text::shortened(line, bounds::PROSE).0).filter(|line| !line.is_empty()).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::xml;
    use super::*;

    fn read_dc(inner: &str) -> Result<Draft, String> {
        let words = format!(
            "<oai_dc:dc xmlns:oai_dc=\"http://www.openarchives.org/OAI/2.0/oai_dc/\" xmlns:dc=\"{ELEMENTS}\">{inner}</oai_dc:dc>"
        );
        let metadata = xml::parse(&words).unwrap();
        read("oai:repo.example:1", &metadata, words, &Common { source: "repo".to_owned(), country: None })
    }

    fn valid(draft: &Draft) -> Value {
        let mut whole = draft.dataset.clone();
        whole["id"] = json!("https://be.example/dataset/x");
        whole["country"] = json!("BE");
        crate::schema::admit(&whole).unwrap();
        draft.dataset.clone()
    }

    #[test]
    fn everything_that_a_record_says_is_read_or_noted() {
        let draft = read_dc(
            r#"<dc:title xml:lang="fi">Linnut</dc:title><dc:title xml:lang="en">Birds</dc:title>
            <dc:description>Counts &amp; places.</dc:description><dc:subject>birds; counts</dc:subject>
            <dc:subject>http://publications.europa.eu/resource/authority/data-theme/ENVI</dc:subject>
            <dc:creator>Bird Society</dc:creator><dc:creator>Bird Society</dc:creator><dc:publisher>Museum</dc:publisher>
            <dc:contributor>Somebody</dc:contributor><dc:date>2024-03-01</dc:date><dc:date>2020-01-31T10:00:00Z</dc:date>
            <dc:type>Dataset</dc:type><dc:format>text/csv</dc:format>
            <dc:identifier>https://repo.example/1</dc:identifier><dc:identifier>10.1234/ABC</dc:identifier>
            <dc:source>https://repo.example/0</dc:source><dc:language>en</dc:language><dc:relation>a book</dc:relation>
            <dc:coverage>Finland</dc:coverage><dc:rights>info:eu-repo/semantics/openAccess</dc:rights>
            <dc:rights>https://creativecommons.org/licenses/by/4.0/</dc:rights>"#,
        )
        .unwrap();
        let dataset = valid(&draft);
        assert_eq!(dataset["title"], json!({"en": "Birds", "fi": "Linnut"}));
        assert_eq!(dataset["description"], json!({"und": "Counts & places."}));
        assert_eq!(dataset["keywords"], json!({"und": ["birds", "counts"]}));
        assert_eq!(dataset["themes"], json!(["http://publications.europa.eu/resource/authority/data-theme/ENVI"]));
        assert_eq!(dataset["creators"], json!([{"name": {"und": "Bird Society"}}]));
        assert_eq!(dataset["publisher"]["name"], json!({"und": "Museum"}));
        assert_eq!((&dataset["issued"], &dataset["modified"]), (&json!("2020-01-31"), &json!("2024-03-01")));
        assert_eq!(dataset["identifiers"], json!(["https://doi.org/10.1234/abc"]));
        assert_eq!(dataset["landing_pages"], json!(["https://repo.example/1"]));
        assert_eq!(dataset["derived_from"], json!(["https://repo.example/0"]));
        assert_eq!((&dataset["licence"]["spdx"], &dataset["access_rights"]), (&json!("CC-BY-4.0"), &json!("public")));
        assert_eq!(dataset["distributions"][0]["format"], json!("text/csv"));
        assert_eq!((draft.source.iri.as_str(), draft.source.name.as_str()), ("oai:repo.example:1", "repo"));
        assert!(draft.text.contains("<dc:contributor>Somebody"));
        let noted = draft.notes.join("\n");
        assert!(noted.contains("contributor") && noted.contains("coverage"), "{noted}");
    }

    #[test]
    fn rights_that_name_no_known_licence_stay_words_and_several_licences_are_none() {
        let dataset = valid(&read_dc("<dc:title>A</dc:title><dc:rights>Ask us first</dc:rights>").unwrap());
        assert_eq!((&dataset["licence"], &dataset["rights"]), (&Value::Null, &json!({"und": "Ask us first"})));
        let two = "<dc:title>A</dc:title><dc:rights>https://creativecommons.org/licenses/by/4.0/</dc:rights>
            <dc:rights>https://creativecommons.org/publicdomain/zero/1.0/</dc:rights>";
        assert_eq!(valid(&read_dc(two).unwrap())["licence"], Value::Null);
        for (rights, licence) in [
            (["CC BY 4.0", "Non-commercial use only"], Value::Null),
            (["info:eu-repo/semantics/openAccess", "CC BY 4.0"], json!("CC-BY-4.0")),
            (["CC BY", "https://creativecommons.org/licenses/by/4.0/"], json!("CC-BY-4.0")),
            (["CC BY-NC", "https://creativecommons.org/licenses/by/4.0/"], Value::Null),
        ] {
            let rights = rights.map(|words| format!("<dc:rights>{words}</dc:rights>")).concat();
            let draft = read_dc(&format!("<dc:title>A</dc:title>{rights}")).unwrap();
            assert_eq!(valid(&draft)["licence"]["spdx"], licence, "{rights}");
            assert_eq!(draft.notes.iter().any(|note| note.contains("differ")), licence.is_null(), "{rights}");
        }
    }

    #[test]
    fn access_rights_that_differ_are_not_stated() {
        let draft = read_dc(
            "<dc:title>A</dc:title><dc:rights>info:eu-repo/semantics/openAccess</dc:rights>
            <dc:rights>info:eu-repo/semantics/closedAccess</dc:rights>",
        )
        .unwrap();
        assert_eq!(valid(&draft)["access_rights"], Value::Null);
        assert!(draft.notes.iter().any(|note| note.contains("access rights")), "{:?}", draft.notes);
    }

    #[test]
    fn a_record_without_a_title_is_refused_and_the_same_words_are_the_same_record() {
        assert!(read_dc("<dc:description>x</dc:description>").is_err());
        let (one, two) = (read_dc("<dc:title>A</dc:title>").unwrap(), read_dc("<dc:title>A</dc:title>").unwrap());
        assert_eq!(one.source.digest, two.source.digest);
        assert_ne!(one.source.digest, read_dc("<dc:title>B</dc:title>").unwrap().source.digest);
    }
}
