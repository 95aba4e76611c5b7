//! DCAT-AP 2 and 3, and DCAT-AP-CZ: Turtle, TriG, N-Triples, N-Quads, RDF/XML and JSON-LD into drafts.
//!
//! Reading has two passes. [`open`] reads every file once, keeps the statements that matter sorted by subject (in memory,
//! or on disk beyond a bound), and notes what cannot be read. The [`Records`] it gives then walk the datasets one by one,
//! gathering what hangs on each (distributions, publisher, contact, places, periods, licences), so that memory does not
//! grow with the dump. Remote contexts are never fetched.

mod contexts;
pub(super) mod coverage;
pub(super) mod distribution;
mod gdpr;
mod german;
mod health;
#[cfg(test)]
mod hostile;
mod input;
mod node;
mod odrl;
mod parties;
mod policy;
#[cfg(test)]
mod profiles;
mod record;
pub(super) mod rights;
#[cfg(test)]
mod samples;
mod spill;
mod tables;
mod tags;
mod terms;
#[cfg(test)]
mod there_and_back;
mod training;
mod triples;
mod words;
mod write;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

pub use input::{Input, ReadError};
pub use write::{Page, Profile, catalogue, serialise, write};

use super::text::is_media_type;
use crate::formats::draft::Common;
use spill::{Collector, Damage, Sorted};
use triples::Reading;

use super::{Draft, Refused};
use crate::domain::ids::Country;

/// How to read.
#[derive(Debug, Clone)]
pub struct Options {
    /// What the source is called; where left out, the host of the catalogue's address, else the name of the file or
    /// folder up to its first dot.
    pub source: Option<String>,
    /// The country of every record; where left out, the node that takes them decides.
    pub country: Option<Country>,
    /// Bytes of statements kept in memory before they go to disk.
    pub memory: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { source: None, country: None, memory: 48 << 20 }
    }
}

/// How far the first pass is, for a progress bar on another thread.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    /// Bytes read from disk so far.
    pub read: Arc<AtomicU64>,
    /// Bytes on disk in all; 0 where nobody knows.
    pub total: Arc<AtomicU64>,
}

/// The records of an input, one by one.
pub struct Records {
    sorted: Sorted,
    damage: Damage,
    common: Common,
    next: usize,
    unreadable: Vec<Refused>,
    unreadable_count: u64,
}

/// Reads a file, a folder or standard input.
///
/// # Errors
/// Where nothing could be read at all, or the source has no name. What is wrong with a place in a file or with a record
/// is not an error: [`Records`] tells it.
pub fn open(input: &Input, options: &Options, progress: &Progress) -> Result<Records, ReadError> {
    let (files, size) = input::files(input)?;
    progress.total.store(size.unwrap_or(0), std::sync::atomic::Ordering::Relaxed);
    let mut collector = Collector::new(options.memory);
    let mut reading = Reading::default();
    for (number, file) in (0..).zip(&files) {
        reading.file(number, file, &mut collector, &progress.read)?;
    }
    let Reading { damage, unreadable, unreadable_count } = reading;
    let mut sorted = collector.finish(&damage).map_err(ReadError::Spill)?;
    let source = match &options.source {
        Some(source) => source.clone(),
        None => catalogue_host(&mut sorted)?.or_else(|| file_name(input)).ok_or(ReadError::NoSource)?,
    };
    let common = Common { source, country: options.country.clone() };
    Ok(Records { sorted, damage, common, next: 0, unreadable, unreadable_count })
}

impl Records {
    /// How many records there are.
    pub fn len(&self) -> usize {
        self.sorted.datasets().len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What the source is called.
    pub fn source(&self) -> &str {
        &self.common.source
    }

    /// Places in the files that could not be read: the first thousand, and how many there are in all.
    pub fn unreadable(&self) -> (&[Refused], u64) {
        (&self.unreadable, self.unreadable_count)
    }
}

impl Iterator for Records {
    type Item = Result<Result<Draft, Refused>, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let place = *self.sorted.datasets().get(self.next)?;
        self.next += 1;
        Some(record::read(&mut self.sorted, &self.damage, place, &self.common).map_err(ReadError::Spill))
    }
}

/// The host of the first catalogue with an address on the web.
fn catalogue_host(sorted: &mut Sorted) -> Result<Option<String>, ReadError> {
    for place in sorted.catalogues().to_vec() {
        let node = sorted.node_at(place).map_err(ReadError::Spill)?;
        let host = url::Url::parse(&node.subject).ok().and_then(|url| url.host_str().map(str::to_owned));
        if host.is_some() {
            return Ok(host);
        }
    }
    Ok(None)
}

/// The name of a file or folder up to its first dot.
fn file_name(input: &Input) -> Option<String> {
    let path = match input {
        Input::Path(path) => path,
        Input::Files { name, .. } => return Some(name.clone()).filter(|name| !name.is_empty()),
        Input::Standard => return None,
    };
    let name = path.canonicalize().ok()?.file_name()?.to_str()?.split('.').next()?.to_owned();
    (!name.is_empty()).then_some(name)
}

/// A text with `%C3%AD` and its like undone, where the bytes are UTF-8; else the text as it is.
fn percent_decoded(text: &str) -> String {
    let hex = |byte: Option<&u8>| byte.and_then(|b| char::from(*b).to_digit(16));
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match (bytes[at], hex(bytes.get(at + 1)), hex(bytes.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                plain.push((high * 16 + low) as u8); // two hexadecimal digits
                at += 3;
            }
            (byte, ..) => {
                plain.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(plain).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use serde_json::{Value, json};

    use super::*;

    /// Reads files given by name and content, each record or its refusal by IRI, and the unreadable places.
    pub(super) fn read(files: &[(&str, &[u8])]) -> (Vec<Result<Draft, Refused>>, Vec<Refused>) {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            fs::write(folder.path().join(name), content).unwrap();
        }
        read_path(folder.path())
    }

    fn read_path(path: &Path) -> (Vec<Result<Draft, Refused>>, Vec<Refused>) {
        let options = Options { source: Some("test".into()), ..Options::default() };
        let records = open(&Input::Path(path.to_owned()), &options, &Progress::default()).unwrap();
        let unreadable = records.unreadable().0.to_vec();
        (records.map(Result::unwrap).collect(), unreadable)
    }

    pub(super) fn one(name: &str, content: &str) -> Value {
        let (mut records, unreadable) = read(&[(name, content.as_bytes())]);
        assert_eq!((records.len(), &unreadable[..]), (1, &[][..]));
        let draft = records.remove(0).unwrap();
        let mut whole = draft.dataset.clone();
        whole["id"] = json!("https://be.example/dataset/x");
        whole["country"] = json!("BE");
        crate::schema::admit(&whole).unwrap();
        draft.dataset
    }

    const PREFIXES: &str = "@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .
        @prefix foaf: <http://xmlns.com/foaf/0.1/> . @prefix vcard: <http://www.w3.org/2006/vcard/ns#> .
        @prefix xsd: <http://www.w3.org/2001/XMLSchema#> . @prefix nal: <http://publications.europa.eu/resource/authority/> .\n";

    fn turtle(body: &str) -> Value {
        one("x.ttl", &format!("{PREFIXES}{body}"))
    }

    const FULL: &str = r#"
        <https://example.org/d/1> a dcat:Dataset ;
            dct:title "Bevolking"@nl, "Population"@fr-t-nl, "Population" ;
            dct:description "<p>Cijfers per <b>gemeente</b>.</p>"@nl ;
            dcat:keyword "bevolking"@nl, "gemeente"@nl ; dcat:theme <http://publications.europa.eu/resource/authority/data-theme/SOCI> ;
            dct:publisher <https://example.org/org> ; dct:language <http://publications.europa.eu/resource/authority/language/NLD> ;
            dcat:contactPoint [ a vcard:Organization ; vcard:fn "Desk" ; vcard:hasEmail <mailto:data@example.org> ] ;
            dct:spatial <https://sws.geonames.org/2802361/> ;
            dct:temporal [ a dct:PeriodOfTime ; dcat:startDate "2020"^^xsd:gYear ; dcat:endDate "2021-06-30"^^xsd:date ] ;
            dct:accrualPeriodicity <http://purl.org/cld/freq/annual> ;
            dct:accessRights <http://publications.europa.eu/resource/authority/access-right/PUBLIC> ;
            dct:issued "2021-10-18T11:15:53+00:00"^^xsd:dateTime ; dct:modified "soon" ;
            dct:identifier "doi:10.1234/ABC", "internal-7" ;
            dcat:landingPage <https://example.org/d/1.html> ;
            dcat:distribution <https://example.org/d/1/csv>, <https://example.org/d/1/json> .
        <https://example.org/d/1/csv> a dcat:Distribution ; dcat:accessURL <https://example.org/d/1.csv> ;
            dct:format <http://publications.europa.eu/resource/authority/file-type/CSV> ; dcat:byteSize "18031"^^xsd:nonNegativeInteger ;
            dct:license <http://publications.europa.eu/resource/authority/licence/CC_BY_4_0> .
        <https://example.org/d/1/json> a dcat:Distribution ; dcat:accessURL <https://example.org/d/1.json> ;
            dcat:mediaType <https://www.iana.org/assignments/media-types/application/json> ;
            dct:license [ a dct:LicenseDocument ; dct:title "CC BY 4.0" ] .
        <https://example.org/org> a foaf:Agent ; foaf:name "Statistics Office"@en ."#;

    #[test]
    fn a_record_is_read_with_everything_that_it_says() {
        let dataset = turtle(FULL);
        assert_eq!(dataset["title"], json!({"fr-t-nl": "Population", "nl": "Bevolking", "und": "Population"}));
        assert_eq!(dataset["description"], json!({"nl": "Cijfers per gemeente."}));
        assert_eq!(
            dataset["publisher"],
            json!({"name": {"en": "Statistics Office"}, "iri": "https://example.org/org"})
        );
        assert_eq!(dataset["contact"], json!({"name": "Desk", "email": "data@example.org"}));
        assert_eq!(dataset["spatial"], json!([{"iri": "https://sws.geonames.org/2802361/", "country": "BE"}]));
        assert_eq!(dataset["temporal"], json!([{"start": "2020-01-01", "end": "2021-06-30"}]));
        assert_eq!((&dataset["access_rights"], &dataset["issued"]), (&json!("public"), &json!("2021-10-18")));
        assert_eq!(dataset["identifiers"], json!(["https://doi.org/10.1234/abc"]));
        assert_eq!(dataset["licence"]["spdx"], json!("CC-BY-4.0"), "both distributions say it, in two spellings");
        assert_eq!(dataset["distributions"][0]["format"], json!("CSV"));
        assert_eq!(dataset["distributions"][0]["bytes"], json!(18031));
        assert_eq!(dataset["distributions"][1]["format"], json!("JSON"));
        assert!(dataset["distributions"].as_array().unwrap().iter().all(|own| own.get("licence").is_none()));
    }

    #[test]
    fn what_a_record_does_not_say_is_not_stated_and_what_it_says_wrongly_is_noted() {
        let (records, _) = read(&[("x.ttl", format!("{PREFIXES}{FULL}").as_bytes())]);
        let draft = records[0].as_ref().unwrap();
        assert_eq!(draft.dataset.get("modified"), None);
        assert!(draft.notes.iter().any(|note| note.contains("modified") && note.contains("soon")), "{:?}", draft.notes);
        for name in ["id", "country", "gdpr", "tdm_reservation", "training", "visibility", "policy"] {
            assert_eq!(draft.dataset.get(name), None, "{name}");
        }
    }

    #[test]
    fn distributions_that_differ_in_licence_keep_their_own_and_the_whole_has_none() {
        let dataset = turtle(&FULL.replace("\"CC BY 4.0\"", "\"CC BY-NC 4.0\""));
        assert_eq!(dataset.get("licence"), None);
        assert_eq!(dataset["distributions"][1]["licence"]["spdx"], json!("CC-BY-NC-4.0"));
        let silent =
            turtle(&FULL.replace("dct:license [ a dct:LicenseDocument ; dct:title \"CC BY 4.0\" ]", "dct:title \"x\""));
        assert_eq!(silent.get("licence"), None, "a silent distribution is not covered by its neighbour");
        assert_eq!(silent["distributions"][0]["licence"]["spdx"], json!("CC-BY-4.0"));
    }

    #[test]
    fn a_record_without_a_title_or_without_a_name_is_refused_and_the_rest_goes_on() {
        let body = format!(
            "{PREFIXES}<https://example.org/a> a dcat:Dataset ; dct:description \"x\" .
             [] a dcat:Dataset ; dct:title \"nameless\" . <https://example.org/b> a dcat:Dataset ; dct:title \"b\" ."
        );
        let (records, _) = read(&[("x.ttl", body.as_bytes())]);
        let reasons: Vec<String> = records.iter().filter_map(|r| r.as_ref().err()).map(ToString::to_string).collect();
        assert_eq!((records.len(), reasons.len()), (3, 2), "{reasons:?}");
        assert!(reasons.contains(&"https://example.org/a: it has no title".to_owned()), "{reasons:?}");
        assert!(reasons.iter().any(|reason| reason.contains("no IRI of its own")), "{reasons:?}");
    }

    #[test]
    fn every_syntax_gives_the_same_record() {
        let body =
            format!("{PREFIXES}<https://example.org/a> a dcat:Dataset ; dct:title \"Ä\"@de ; dcat:keyword \"k\" .");
        let lines = "<https://example.org/a> <http://purl.org/dc/terms/title> \"\\u00C4\"@de .
<https://example.org/a> <http://www.w3.org/ns/dcat#keyword> \"k\" .
<https://example.org/a> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://www.w3.org/ns/dcat#Dataset> .";
        let xml = r#"<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
            xmlns:dcat="http://www.w3.org/ns/dcat#" xmlns:dct="http://purl.org/dc/terms/"><dcat:Dataset rdf:about="https://example.org/a">
            <dct:title xml:lang="de">Ä</dct:title><dcat:keyword>k</dcat:keyword></dcat:Dataset></rdf:RDF>"#;
        let json = r#"{"@context": {"dcat": "http://www.w3.org/ns/dcat#", "dct": "http://purl.org/dc/terms/"}, "@graph": [
            {"dcat:keyword": "k", "@id": "https://example.org/a", "dct:title": {"@value": "Ä", "@language": "de"}, "@type": "dcat:Dataset"}]}"#;
        let zipped = zstd::encode_all(lines.as_bytes(), 1).unwrap();
        let wanted = one("x.ttl", &body);
        for (name, content) in [
            ("x.nt", lines.as_bytes()),
            ("x.trig", body.as_bytes()),
            ("x.rdf", xml.as_bytes()),
            ("x.jsonld", json.as_bytes()),
            ("x.nt.zst", &zipped),
        ] {
            let (records, unreadable) = read(&[(name, content)]);
            assert_eq!(unreadable, [], "{name}");
            assert_eq!(records[0].as_ref().unwrap().dataset, wanted, "{name}");
        }
    }

    #[test]
    fn the_digest_does_not_depend_on_the_order_of_statements_or_the_names_of_blank_nodes() {
        let digest = |body: &str| {
            let (records, _) = read(&[("x.ttl", format!("{PREFIXES}{body}").as_bytes())]);
            records[0].as_ref().unwrap().source.digest
        };
        let (first, rest) = FULL.split_at(FULL.find("<https://example.org/d/1/csv> a").unwrap());
        assert_eq!(digest(FULL), digest(&format!("{rest}\n{first}")));
        assert_ne!(digest(FULL), digest(&FULL.replace("Bevolking", "Inwoners")));
    }

    #[test]
    fn a_broken_line_costs_its_line_and_a_broken_statement_its_record() {
        let lines = b"<https://example.org/a> <http://purl.org/dc/terms/title> \"a\" .
<https://example.org/a> <http://purl.org/dc/terms/issued> broken .
<https://example.org/a> <http://purl.org/dc/terms/description> \"bad \xff bytes\" .
<https://example.org/a> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://www.w3.org/ns/dcat#Dataset> .";
        let (records, unreadable) = read(&[("x.nt", lines)]);
        assert_eq!(unreadable.len(), 2, "{unreadable:?}");
        assert!(unreadable[0].place.ends_with("x.nt line 2"), "{unreadable:?}");
        assert_eq!(records[0].as_ref().unwrap().dataset["title"], json!({"und": "a"}));

        let body = format!(
            "{PREFIXES}<https://example.org/a> a dcat:Dataset ; dct:title \"a\" ; dct:issued broken ; dct:license \"x\" .
             <https://example.org/b> a dcat:Dataset ; dct:title \"b\" ."
        );
        let (records, unreadable) = read(&[("x.ttl", body.as_bytes())]);
        assert!(!unreadable.is_empty());
        assert!(records[0].as_ref().unwrap_err().reason.contains("breaks off at"), "{records:?}");
        assert_eq!(records[1].as_ref().unwrap().dataset["title"], json!({"und": "b"}));
    }

    #[test]
    fn a_file_that_cannot_be_read_to_its_end_gives_nothing_and_its_neighbour_everything() {
        let good = format!("{PREFIXES}<https://example.org/a> a dcat:Dataset ; dct:title \"a\" .");
        let xml = r#"<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
            xmlns:dcat="http://www.w3.org/ns/dcat#" xmlns:dct="http://purl.org/dc/terms/"><dcat:Dataset rdf:about="https://example.org/b">
            <dct:title>b</dct:title></dcat:Dataset><dcat:Dataset"#;
        let (records, unreadable) = read(&[("a.ttl", good.as_bytes()), ("b.rdf", xml.as_bytes())]);
        assert_eq!(records.len(), 1);
        assert!(unreadable[0].place.ends_with("b.rdf") && unreadable[0].reason.contains("nothing of this file"));
    }

    #[test]
    fn a_remote_context_is_refused_by_name_and_never_fetched() {
        let document = r#"{"@context": "http://127.0.0.1:9/context.jsonld", "@id": "https://example.org/a",
            "@type": "http://www.w3.org/ns/dcat#Dataset", "http://purl.org/dc/terms/title": "a"}"#;
        let (records, unreadable) = read(&[("x.jsonld", document.as_bytes())]);
        assert!(records.is_empty());
        assert!(unreadable[0].reason.contains("http://127.0.0.1:9/context.jsonld"), "{unreadable:?}");
        assert!(unreadable[0].reason.contains("never fetched"), "{unreadable:?}");
    }

    #[test]
    fn hostile_documents_are_reported_and_cost_neither_memory_nor_time() {
        let laughs = r#"<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>
            <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">&b;</rdf:RDF>"#;
        let deep = format!("{}{}", r#"{"https://example.org/p":"#.repeat(5_000), "1".to_owned() + &"}".repeat(5_000));
        let huge = format!(
            "<https://example.org/a> <http://purl.org/dc/terms/title> \"{}\" .\n<https://example.org/a> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://www.w3.org/ns/dcat#Dataset> .",
            "x".repeat(3 << 20)
        );
        for (name, content) in [("x.rdf", laughs), ("x.jsonld", &deep)] {
            let (records, unreadable) = read(&[(name, content.as_bytes())]);
            assert_eq!((records.len(), unreadable.len()), (0, 1), "{name}: {unreadable:?}");
        }
        let (records, _) = read(&[("x.nt", huge.as_bytes())]);
        let draft = records[0].as_ref().unwrap();
        assert_eq!(draft.dataset["title"]["und"].as_str().unwrap().chars().count(), 1_000);
        assert!(draft.notes[0].contains("shortened"), "{:?}", draft.notes);
    }

    #[test]
    fn what_is_personal_anywhere_is_personal_and_what_is_not_understood_is_noted() {
        let said = |dataset: &str, distribution: &str| {
            let body = format!(
                "{PREFIXES}@prefix dpv: <https://w3id.org/dpv#> . <https://example.org/a> a dcat:Dataset ; dct:title \"a\" {dataset} ;
                 dcat:distribution [ a dcat:Distribution ; dcat:accessURL <https://example.org/a.csv> {distribution} ] ."
            );
            let (records, _) = read(&[("x.ttl", body.as_bytes())]);
            let draft = records[0].as_ref().unwrap();
            let answer = draft.dataset.pointer("/gdpr/personal_data").cloned().unwrap_or_default();
            (answer, draft.notes.iter().any(|note| note.starts_with("personal data")))
        };
        for (dataset, distribution, answer, is_noted) in [
            ("; dpv:hasData dpv:NonPersonalData", "", json!("no"), false),
            ("; dpv:hasData dpv:NonPersonalData, dpv:PersonalData", "", json!("yes"), false),
            ("; dpv:hasData dpv:NonPersonalData, dpv:SensitivePersonalData", "", json!("yes"), false),
            ("; dpv:hasData dpv:NonPersonalData, dpv:PseudonymisedData", "", json!("pseudonymised"), false),
            ("; dpv:hasData dpv:NonPersonalData, dpv:AnonymisedData", "", Value::Null, true),
            ("; dpv:hasData dpv:SensitiveNonPersonalData", "", json!("no"), false),
            ("; dpv:hasData dpv:SyntheticData", "", Value::Null, true),
            ("", "; dpv:hasData dpv:PersonalData", json!("yes"), false),
            ("", "; dpv:hasData dpv:AnonymisedData", json!("anonymised"), false),
            ("; dpv:hasData dpv:NonPersonalData", "; dpv:hasData dpv:SpecialCategoryPersonalData", json!("yes"), false),
        ] {
            assert_eq!(said(dataset, distribution), (answer, is_noted), "{dataset} {distribution}");
        }
    }

    #[test]
    fn a_policy_about_something_else_is_not_taken() {
        let said = |of_policy: &str, of_rule: &str| {
            let body = format!(
                "{PREFIXES}@prefix odrl: <http://www.w3.org/ns/odrl/2/> . <https://example.org/a> a dcat:Dataset ;
                 dct:title \"a\" ; odrl:hasPolicy [ a odrl:Offer ; <https://pleiad.example/ns#approval> 1 {of_policy} ;
                 odrl:permission [ odrl:action odrl:use {of_rule} ] ] ."
            );
            let (records, _) = read(&[("x.ttl", body.as_bytes())]);
            let draft = records[0].as_ref().unwrap();
            let is_noted = draft.notes.iter().any(|note| note.contains("about something else"));
            (draft.dataset.get("policy").cloned(), is_noted)
        };
        let whole = json!({"permissions": [{"action": "use"}], "approval": true});
        for (of_policy, of_rule, is_taken) in [
            ("", "", true),
            ("", "; odrl:target <https://example.org/a>", true),
            ("; odrl:target <https://example.org/a>", "", true),
            ("", "; odrl:target <https://example.org/b>", false),
            ("", "; odrl:target <https://example.org/a>, <https://example.org/b>", false),
            ("; odrl:target <https://example.org/b>", "", false),
            ("", "; odrl:target \"https://example.org/a\"", false),
        ] {
            let wanted = if is_taken { (Some(whole.clone()), false) } else { (None, true) };
            assert_eq!(said(of_policy, of_rule), wanted, "{of_policy} {of_rule}");
        }
    }

    #[test]
    fn a_title_cannot_turn_the_reading_direction() {
        let dataset = turtle("<https://example.org/a> a dcat:Dataset ; dct:title \"\\u202Egpj.exe\\u0007\" .");
        assert_eq!(dataset["title"], json!({"und": "gpj.exe"}));
    }

    #[test]
    fn a_person_is_not_kept_as_a_contact() {
        let dataset = turtle(
            "<https://example.org/a> a dcat:Dataset ; dct:title \"a\" ; dcat:contactPoint
               [ a vcard:Individual ; vcard:fn \"Anna Person\" ; vcard:hasEmail <mailto:anna.person@example.org> ] .",
        );
        assert_eq!(dataset.get("contact"), None);
        assert!(!dataset.to_string().contains("anna"));
    }

    #[test]
    fn the_czech_terms_are_read_by_a_table_of_ours() {
        let document = |personal: &str| {
            format!(
                r#"{{"@context": "https://ofn.gov.cz/dcat-ap-cz-rozhraní-katalogů-otevřených-dat/2024-05-28/kontexty/rozhraní-katalogů-otevřených-dat.jsonld",
                "iri": "https://example.org/a", "typ": "Datová sada", "název": {{"cs": "Knihovny"}}, "klíčové_slovo": {{"cs": ["kultura"]}},
                "časové_pokrytí": {{"typ": "Časový interval", "začátek": "2021-09-01", "konec": "2022-08-31"}},
                "distribuce": [{{"typ": "Distribuce", "přístupové_url": "https://example.org/a.csv", "podmínky_užití": {{
                    "typ": "Specifikace podmínek užití", "autorské_dílo": "https://data.gov.cz/podmínky-užití/neobsahuje-autorská-díla/",
                    "databáze_jako_autorské_dílo": "https://data.gov.cz/podmínky-užití/není-autorskoprávně-chráněnou-databází/",
                    "databáze_chráněná_zvláštními_právy": "https://creativecommons.org/publicdomain/zero/1.0/",
                    "osobní_údaje": "https://data.gov.cz/podmínky-užití/{personal}/"}}}}]}}"#
            )
        };
        let dataset = one("x.jsonld", &document("neobsahuje-osobní-údaje"));
        assert_eq!(dataset["title"], json!({"cs": "Knihovny"}));
        assert_eq!(dataset["temporal"], json!([{"start": "2021-09-01", "end": "2022-08-31"}]));
        assert_eq!(dataset["gdpr"]["personal_data"], json!("no"));
        assert_eq!(dataset["licence"]["spdx"], json!("CC0-1.0"));
        let with = one("x.jsonld", &document("obsahuje-osobní-údaje"));
        assert_eq!(with["gdpr"]["personal_data"], json!("yes"));
        let unsaid = one("x.jsonld", &document("není-specifikováno-zda-obsahuje-osobní-údaje"));
        assert_eq!(unsaid.get("gdpr"), None);
    }
}
