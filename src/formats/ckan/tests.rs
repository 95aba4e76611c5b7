//! What becomes of packages, the usual ones and the bad ones.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn common() -> Common {
    Common { source: "test".into(), country: None }
}

fn site() -> Iri {
    "https://ckan.example.org".parse().unwrap()
}

fn all(value: &Value) -> Vec<Result<Draft, Refused>> {
    read(&value.to_string(), &common(), &site())
}

fn one(value: &Value) -> Draft {
    let mut read = all(value);
    assert_eq!(read.len(), 1, "{read:?}");
    let draft = read.remove(0).unwrap();
    let mut whole = draft.dataset.clone();
    whole["id"] = json!("https://be.example/dataset/x");
    whole["country"] = json!("BE");
    crate::schema::admit(&whole).unwrap();
    draft
}

fn package() -> Value {
    json!({
        "id": "7d3e", "name": "trees", "title": "Trees", "notes": "All **trees** of the town.", "state": "active",
        "title_translated": {"de": "Bäume", "en": "Trees", "fr": ""}, "private": false, "version": "1.2",
        "organization": {"name": "town", "title": "Town", "type": "organization"},
        "maintainer": "Jana Novak", "maintainer_email": "opendata@town.example", "author": "A. Person", "author_email": "a.person@town.example",
        "license_id": "cc-by", "license_title": "CC BY 4.0", "license_url": "https://creativecommons.org/licenses/by/4.0/",
        "tags": [{"name": "tree", "display_name": "tree"}, {"name": "green"}],
        "groups": [{"name": "envi", "title": "Environment"}, {"name": "park", "title": "Parks"}],
        "metadata_created": "2020-01-01T00:00:00", "metadata_modified": "2024-05-06T00:00:00",
        "extras": [
            {"key": "issued", "value": "2021-02-03"}, {"key": "dcat_modified", "value": "2021-03-04T10:00:00Z"},
            {"key": "language", "value": "[\"http://publications.europa.eu/resource/authority/language/DEU\", \"en\"]"},
            {"key": "spatial", "value": "{\"type\": \"Polygon\", \"coordinates\": [[[5.9, 45.8], [10.5, 45.8], [10.5, 47.8], [5.9, 45.8]]]}"},
            {"key": "temporal_start", "value": "2019"}, {"key": "temporal_end", "value": "2020-06-30"},
            {"key": "frequency", "value": "http://publications.europa.eu/resource/authority/frequency/ANNUAL"},
            {"key": "access_rights", "value": "http://publications.europa.eu/resource/authority/access-right/PUBLIC"},
            {"key": "publisher_name", "value": "Parks Department"}, {"key": "publisher_uri", "value": "https://town.example/parks"},
            {"key": "identifier", "value": "https://doi.org/10.1234/AB"},
        ],
        "resources": [
            {"name": "as CSV", "url": "https://town.example/trees.csv", "format": "CSV", "mimetype": "text/csv", "size": "1024",
             "hash": "sha256:".to_owned() + &"a".repeat(64)},
            {"name": "API", "url": "https://town.example/api", "format": "JSON", "size": 5, "hash": "d41d8cd98f00b204e9800998ecf8427e",
             "license": "https://creativecommons.org/publicdomain/zero/1.0/"},
        ],
    })
}

#[test]
fn a_package_is_read_with_its_extras_and_resources() {
    let draft = one(
        &json!({"help": "https://ckan.example.org/api/3/action/help_show?name=package_show", "success": true, "result": package()}),
    );
    let dataset = &draft.dataset;
    assert_eq!(draft.source.iri.as_str(), "https://ckan.example.org/dataset/trees");
    assert_eq!(dataset["title"], json!({"de": "Bäume", "en": "Trees"}));
    assert_eq!(dataset["description"], json!({"und": "All trees of the town."}));
    assert_eq!(dataset["keywords"], json!({"und": ["Parks", "green", "tree"]}));
    assert_eq!(dataset["themes"], json!(["http://publications.europa.eu/resource/authority/data-theme/ENVI"]));
    assert_eq!(dataset["publisher"], json!({"name": {"und": "Parks Department"}, "iri": "https://town.example/parks"}));
    assert_eq!(dataset["contact"], json!({"name": "Town", "email": "opendata@town.example"}));
    assert_eq!((&dataset["issued"], &dataset["modified"]), (&json!("2021-02-03"), &json!("2021-03-04")));
    assert_eq!(dataset["languages"], json!(["de", "en"]));
    assert_eq!(dataset["spatial"][0]["bbox"], json!([5.9, 45.8, 10.5, 47.8]));
    assert_eq!(dataset["temporal"], json!([{"start": "2019-01-01", "end": "2020-06-30"}]));
    assert_eq!((&dataset["access_rights"], &dataset["licence"]["spdx"]), (&json!("public"), &json!("CC-BY-4.0")));
    assert_eq!(dataset["identifiers"], json!(["https://doi.org/10.1234/ab"]));
    let [csv, api] = dataset["distributions"].as_array().unwrap().as_slice() else { panic!("{dataset}") };
    assert_eq!((&csv["format"], &csv["bytes"], &csv["sha256"]), (&json!("CSV"), &json!(1024), &json!("a".repeat(64))));
    assert_eq!((&api["licence"]["spdx"], &csv["licence"]), (&json!("CC0-1.0"), &Value::Null));
    assert_eq!(draft.text, package().to_string());
    assert!(!draft.dataset.to_string().contains("Person"), "no person travels");
    assert!(draft.notes.iter().any(|note| note.contains("algorithm")), "{:?}", draft.notes);
}

#[test]
fn an_address_and_an_id_of_different_licences_are_none() {
    for (id, licence) in [("cc-by-nc-4.0", Value::Null), ("other-open", json!("CC-BY-4.0")), ("cc-by-sa", Value::Null)]
    {
        let mut package = package();
        package["license_id"] = json!(id);
        let draft = one(&package);
        assert_eq!(draft.dataset["licence"]["spdx"], licence, "{id}");
        assert_eq!(draft.notes.iter().any(|note| note.contains("licence: several")), licence.is_null(), "{id}");
    }
}

#[test]
fn a_page_of_a_search_is_as_many_records_and_a_bad_one_is_refused_alone() {
    let bad = json!({"name": "untitled", "resources": []});
    let gone = json!({"name": "gone", "title": "Gone", "state": "deleted"});
    let source = json!({"name": "source", "title": "Source", "type": "harvest"});
    let page = json!({"success": true, "result": {"count": 5, "results": [package(), bad, gone, source, "name only"]}});
    let read = all(&page);
    assert_eq!(read.iter().filter(|one| one.is_ok()).count(), 1);
    let reasons: Vec<String> = read.into_iter().filter_map(Result::err).map(|refused| refused.to_string()).collect();
    for (reason, part) in reasons.iter().zip(["no title", "deleted", "no dataset", "package_search"]) {
        assert!(reason.contains(part), "{reason}");
    }
    let failed = json!({"success": false, "error": {"message": "Access denied", "__type": "Authorization Error"}});
    assert!(all(&failed)[0].as_ref().unwrap_err().reason.contains("Access denied"));
    assert!(read_text("<html>").reason.contains("not JSON"));
}

fn read_text(text: &str) -> Refused {
    read(text, &common(), &site()).remove(0).unwrap_err()
}

#[test]
fn its_own_iri_wins_a_private_package_stays_private_and_a_person_is_no_contact() {
    let mut package = package();
    package["extras"].as_array_mut().unwrap().push(json!({"key": "uri", "value": "https://id.example.org/trees"}));
    package["private"] = json!(true);
    package["maintainer_email"] = json!("jana.novak@town.example");
    let draft = one(&package);
    assert_eq!(draft.source.iri.as_str(), "https://id.example.org/trees");
    assert_eq!(draft.dataset["visibility"], json!("private"));
    assert_eq!(draft.dataset["contact"], Value::Null);
}

#[test]
fn documents_of_ckan_are_told_from_others() {
    for yes in [
        package(),
        json!([package()]),
        json!({"success": true, "result": []}),
        json!({"count": 1, "results": [package()]}),
    ] {
        assert!(is_one(&yes), "{yes}");
    }
    for no in [
        json!({"title": {"en": "x"}}),
        json!({"@context": {}, "@graph": []}),
        json!([]),
        json!({"default": {"features": {}}}),
    ] {
        assert!(!is_one(&no), "{no}");
    }
    let answer = json!({"help": "https://a.example/de/api/3/action/help_show?name=x", "success": true});
    assert_eq!(site_of(&answer).unwrap().as_str(), "https://a.example/de");
}

fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        "[\\[{\"a:,}\\]\u{0}\u{202e}]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let name = prop_oneof![
            Just("title"),
            Just("name"),
            Just("notes"),
            Just("extras"),
            Just("key"),
            Just("value"),
            Just("resources"),
            Just("tags"),
            Just("groups"),
            Just("spatial"),
            Just("size"),
            Just("hash"),
            Just("url"),
            Just("organization"),
            Just("title_translated"),
            Just("contact"),
            Just("maintainer_email"),
            Just("license_id"),
            Just("temporal_coverage"),
            Just("result"),
            Just("success"),
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..8).prop_map(|fields| Value::Object(
                fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
            )),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn no_answer_makes_it_panic_and_what_is_read_is_valid(value in anything(), named in any::<bool>()) {
        let mut value = value;
        if let (true, Value::Object(fields)) = (named, &mut value) {
            fields.remove("success");
            fields.insert("name".into(), "x".into());
            fields.insert("title".into(), "x".into());
        }
        for draft in all(&value).into_iter().flatten() {
            let mut whole = draft.dataset.clone();
            whole["id"] = json!("https://be.example/dataset/x");
            whole["country"] = json!("BE");
            prop_assert!(crate::schema::admit(&whole).is_ok(), "{whole}");
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,60}|[\\[{\"a:,}\\]]{0,60}") {
        let _ = read(&text, &common(), &site());
    }
}
