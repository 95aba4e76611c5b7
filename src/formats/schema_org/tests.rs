//! schema.org as search engines and portals write it, and what Google's Dataset Search documents as required.

use proptest::prelude::*;
use serde_json::json;

use super::describe::SHORTEST;
use super::*;
use crate::formats::export::Place;
use crate::formats::samples;

fn common() -> Common {
    Common { source: "test".to_owned(), country: None }
}

fn all(text: &str) -> Vec<Value> {
    read(text, &common()).into_iter().map(|record| record.unwrap().dataset).collect()
}

fn one(fields: Value) -> Value {
    let mut document =
        json!({"@context": "https://schema.org/", "@type": "Dataset", "@id": "https://data.example/a", "name": "a"});
    for (name, value) in fields.as_object().unwrap() {
        document[name] = value.clone();
    }
    all(&document.to_string()).remove(0)
}

fn place() -> Place {
    let title = serde_json::from_value(json!({"en": "Finnish node"})).unwrap();
    Place::new("https://fi.pleiad.example".parse().unwrap(), title, "fi.pleiad.example".parse().unwrap(), Vec::new())
}

#[test]
fn a_record_is_kept_with_everything_that_the_model_has_a_field_for() {
    let dataset = one(json!({
        "description": "<p>Calls to an <b>advice line</b></p>",
        "license": {"@type": "CreativeWork", "name": "CC BY 4.0", "url": "https://creativecommons.org/licenses/by/4.0/"},
        "creator": [{"@type": "Person", "name": "Meri Aalto", "sameAs": "https://orcid.org/0000-0002-1825-0097"}, "Example University"],
        "publisher": {"@type": "Organization", "name": "Archive", "contactPoint": {"@type": "ContactPoint", "contactType": "Data desk", "email": "mailto:data@archive.example"}},
        "keywords": "speech, health ;advice",
        "identifier": ["https://doi.org/10.1234/ABC", {"@type": "PropertyValue", "propertyID": "urn", "value": "urn:nbn:fi:1"}, "local-7"],
        "url": "https://data.example/a.html",
        "sameAs": "https://other.example/a",
        "inLanguage": ["fi", {"@type": "Language", "name": "Swedish", "alternateName": "sv"}],
        "spatialCoverage": [{"@type": "Place", "name": "Finland", "geo": {"@type": "GeoShape", "box": "59.7 19.0 70.1 31.6"}}, "Oulu"],
        "temporalCoverage": ["2019-01/..", "2020"],
        "datePublished": "2024-02-29T10:00:00Z",
        "dateModified": "soon",
        "isAccessibleForFree": true,
        "conditionsOfAccess": "On request",
        "distribution": [{"@type": "DataDownload", "encodingFormat": "text/csv", "contentUrl": "https://data.example/a.csv", "contentSize": "2048"}, "https://data.example/files"],
        "variableMeasured": ["pitch", {"@type": "PropertyValue", "name": "seconds", "description": "Length."}],
        "includedInDataCatalog": {"@type": "DataCatalog", "name": "A catalogue"},
    }));
    assert_eq!(dataset["description"], json!({"und": "Calls to an advice line"}));
    assert_eq!(dataset["licence"]["spdx"], "CC-BY-4.0");
    assert_eq!(dataset["licence"]["raw"], "CC BY 4.0");
    assert_eq!(dataset["creators"][0]["iri"], "https://orcid.org/0000-0002-1825-0097");
    assert_eq!(dataset["creators"][1], json!({"name": {"und": "Example University"}}));
    assert_eq!(dataset["contact"], json!({"name": "Data desk", "email": "data@archive.example"}));
    assert_eq!(dataset["keywords"], json!({"und": ["advice", "health", "speech"]}));
    assert_eq!(dataset["identifiers"], json!(["https://doi.org/10.1234/abc", "urn:nbn:fi:1"]));
    assert_eq!(dataset["landing_pages"], json!(["https://data.example/a.html", "https://other.example/a"]));
    assert_eq!(dataset["languages"], json!(["fi", "sv"]));
    assert_eq!(dataset["spatial"][0]["bbox"], json!([19.0, 59.7, 31.6, 70.1]));
    assert_eq!(dataset["spatial"][1], json!({"name": {"und": "Oulu"}}));
    assert_eq!(dataset["temporal"], json!([{"start": "2019-01-01"}, {"start": "2020-01-01", "end": "2020-12-31"}]));
    assert_eq!((&dataset["issued"], dataset.get("modified")), (&json!("2024-02-29"), None));
    assert_eq!(dataset.get("access_rights"), None, "that it costs nothing does not say that everybody may have it");
    assert_eq!(dataset["rights"]["und"], "On request");
    let csv =
        json!({"download_url": "https://data.example/a.csv", "format": "CSV", "media_type": "text/csv", "bytes": 2048});
    assert_eq!(dataset["distributions"], json!([csv, {"access_url": "https://data.example/files"}]));
    assert_eq!(dataset["record_sets"][0]["columns"].as_array().unwrap().len(), 2);
    assert_eq!(dataset.get("country"), None);
}

#[test]
fn licences_and_access_rights_that_differ_are_not_stated() {
    let by = "https://creativecommons.org/licenses/by/4.0/";
    assert_eq!(one(json!({"license": ["CC BY 4.0", by]}))["licence"]["spdx"], "CC-BY-4.0");
    for other in ["https://creativecommons.org/licenses/by-nc/4.0/", "Non-commercial use only"] {
        assert_eq!(one(json!({"license": [by, other]}))["licence"], Value::Null, "{other}");
    }
    let right = |code: &str| format!("http://publications.europa.eu/resource/authority/access-right/{code}");
    let of =
        |codes: &[&str]| one(json!({"conditionsOfAccess": codes.iter().map(|code| right(code)).collect::<Vec<_>>()}));
    assert_eq!(of(&["PUBLIC", "PUBLIC"])["access_rights"], "public");
    assert_eq!(of(&["PUBLIC", "NON_PUBLIC"])["access_rights"], Value::Null);
}

#[test]
fn datasets_are_found_in_pages_catalogues_lists_and_graphs() {
    let page = r#"<!DOCTYPE html><html><head><title>x</title>
        <script>var a = '<script type="application/ld+json">no</scr' + 'ipt>';</script>
        <script TYPE="application/ld+json" id=a>{"@context":"http://schema.org","@type":"WebSite","name":"w"}</script>
        <script type='application/ld+json'>
        {"@context":"http://schema.org","@type":"Dataset","@id":"https://data.example/a","name":"in a page"}</script></head></html>"#;
    let titles = |text: &str| all(text).iter().map(|dataset| dataset["title"]["und"].clone()).collect::<Vec<_>>();
    assert_eq!(titles(page), ["in a page"]);
    let catalogue = r#"{"@context": "https://schema.org", "@type": "DataCatalog", "name": "c", "dataset": [
        {"@type": "Dataset", "url": "https://data.example/1", "name": "1"}, {"@type": "Dataset", "url": "https://data.example/2", "name": "2"}]}"#;
    assert_eq!(titles(catalogue), ["1", "2"]);
    let graph = r##"{"@context": "https://schema.org", "@graph": [{"@type": "DataCatalog", "dataset": {"@id": "https://data.example/1"}},
        {"@type": "Dataset", "@id": "https://data.example/1", "name": "1", "publisher": {"@id": "#us"}}, {"@type": "Organization", "@id": "#us", "name": "Us"}]}"##;
    assert_eq!(titles(graph), ["1"]);
    assert_eq!(all(graph)[0]["publisher"]["name"]["und"], "Us");
    assert_eq!(titles(&format!("[{}, {}]", &catalogue.replace("example/", "example/x"), catalogue)).len(), 4);
    let text = read(catalogue, &common()).remove(1).unwrap().text;
    assert!(text.contains("example/2") && !text.contains("example/1"), "each record keeps its own words: {text}");
}

#[test]
fn croissant_in_a_page_is_read_as_croissant() {
    let croissant = json!({
        "@context": "http://mlcommons.org/croissant/1.1", "@type": "Dataset", "@id": "https://data.example/c", "name": "c",
        "conformsTo": "http://mlcommons.org/croissant/1.1", "geocr:spatialBias": "Cities only.",
        "distribution": [{"@type": "cr:FileSet", "@id": "f", "encodingFormat": "text/csv", "includes": "*"}],
        "recordSet": [{"@type": "cr:RecordSet", "@id": "r", "name": "r", "field": [{"@type": "cr:Field", "@id": "r/a", "name": "a",
            "dataType": "sc:Text", "source": {"fileSet": {"@id": "f"}, "extract": {"column": "a"}}}]}],
    });
    let page = |document: &Value| format!("<html><script type=\"application/ld+json\">{document}</script></html>");
    let draft = read(&page(&croissant), &common()).remove(0).unwrap();
    assert_eq!(draft.source.format.as_deref(), Some("croissant-1.1"));
    assert_eq!(draft.dataset["record_sets"][0]["columns"], json!([{"name": "a", "data_type": "sc:Text"}]));
    assert_eq!(draft.dataset["training"]["known_biases"], json!({"und": "Cities only."}));
    let mut broken = croissant;
    broken["distribution"][0].as_object_mut().unwrap().shift_remove("encodingFormat");
    let refused = read(&page(&broken), &common()).remove(0).unwrap_err();
    assert!(refused.reason.contains("encodingFormat"), "{refused}");
}

#[test]
fn what_describes_no_dataset_says_so() {
    for (text, reason) in [
        ("", "not JSON"),
        ("<html></html>", "no <script type"),
        ("<script type=\"application/ld+json\">{</script>", "not JSON"),
        ("<script type=\"application/ld+json\">{}</script>", "none of the page's"),
        ("{\"@type\": \"Person\"}", "https://schema.org/Dataset"),
        ("{\"@type\": \"Dataset\", \"name\": \"x\"}", "could not know it again"),
        ("{\"@type\": \"Dataset\", \"@id\": \"https://data.example/x\"}", "no name"),
    ] {
        let refused = read(text, &common()).remove(0).unwrap_err();
        assert!(refused.reason.contains(reason), "{text}: {refused}");
    }
}

#[test]
fn a_page_of_nothing_but_beginnings_is_read_in_one_pass() {
    for hostile in ["<script", "<script>", "<script type=application/ld+json>", "<", "</script>"] {
        assert!(read(&format!("<{}", hostile.repeat(200_000)), &common())[0].is_err());
    }
}

#[test]
fn a_short_description_is_filled_up_and_a_long_one_cut_and_both_come_back_whole() {
    for text in ["Short.", "long words ".repeat(600).trim_end()] {
        let dataset = json!({"id": "https://fi.pleiad.example/dataset/x", "title": {"en": "T"}, "country": "FI", "description": {"en": text, "fi": "Lyhyt."}});
        let written = write(&samples::registered(serde_json::from_value(dataset).unwrap()), &place());
        let length = written["description"][0].as_str().unwrap().chars().count();
        assert!((SHORTEST..=5_000).contains(&length), "{length}");
        assert_eq!(all(&written.to_string())[0]["description"], json!({"en": text, "fi": "Lyhyt."}));
    }
}

/// Google's Dataset Search, structured data for datasets: what is required, and the form of what is recommended.
fn required(written: &Value) -> Vec<String> {
    let mut missing = Vec::new();
    let mut demand = |holds: bool, what: &str| {
        if !holds {
            missing.push(what.to_owned());
        }
    };
    let texts = |value: &Value| -> Vec<String> {
        let list = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
        list.iter()
            .map(|text| text.as_str().or_else(|| text["@value"].as_str()).unwrap_or_default().to_owned())
            .collect()
    };
    demand(written["@type"] == "Dataset", "@type");
    demand(written["name"].as_str().is_some_and(|name| !name.is_empty()), "name");
    demand(
        texts(&written["description"]).iter().all(|text| (50..=5_000).contains(&text.chars().count())),
        "description",
    );
    for party in ["creator", "publisher"] {
        let agents = written.get(party).map(|party| party.as_array().cloned().unwrap_or_else(|| vec![party.clone()]));
        demand(
            agents
                .into_iter()
                .flatten()
                .all(|agent| ["Person", "Organization"].contains(&agent["@type"].as_str().unwrap())),
            party,
        );
    }
    let downloads = written["distribution"].as_array().cloned().unwrap_or_default();
    demand(
        downloads
            .iter()
            .all(|file| file["@type"] == "DataDownload" && (file["contentUrl"].is_string() || file["url"].is_string())),
        "distribution",
    );
    demand(written["url"].as_str().is_some_and(|url| url.contains("://")), "url");
    demand(
        written
            .get("license")
            .is_none_or(|licence| licence.is_string() || licence["url"].is_string() || licence["name"].is_string()),
        "license",
    );
    missing
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_record_meets_what_dataset_search_documents(dataset in samples::datasets()) {
        let names_somebody = dataset.publisher.is_some() || !dataset.creators.is_empty();
        let has_licence = dataset.licence.is_some();
        let written = write(&samples::registered(dataset), &place());
        prop_assert_eq!(required(&written), Vec::<String>::new(), "{:#}", written);
        prop_assert_eq!(written.get("creator").is_some(), names_somebody);
        prop_assert_eq!(written.get("license").is_some(), has_licence);
    }
}
