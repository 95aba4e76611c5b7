//! What the profiles beside DCAT-AP add, read from records as portals write them.

use serde_json::{Value, json};

use super::tests::{one, read};

const PREFIXES: &str = "@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .
    @prefix foaf: <http://xmlns.com/foaf/0.1/> . @prefix odrl: <http://www.w3.org/ns/odrl/2/> .
    @prefix xsd: <http://www.w3.org/2001/XMLSchema#> . @prefix dpv: <https://w3id.org/dpv#> .
    @prefix dcatde: <http://dcat-ap.de/def/dcatde/> . @prefix it6: <http://data.europa.eu/it6/> .
    @prefix health: <http://healthdataportal.eu/ns/health#> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
    @prefix adms: <http://www.w3.org/ns/adms#> . @prefix dcatap: <http://data.europa.eu/r5r/> .\n";

fn turtle(body: &str) -> Value {
    one("x.ttl", &format!("{PREFIXES}<https://example.org/a> a dcat:Dataset ; dct:title \"a\" ; {body}"))
}

#[test]
fn the_german_profile_adds_places_attribution_availability_and_law() {
    let dataset = turtle(
        "dcatde:contributorID <http://dcat-ap.de/def/contributors/bonn> ;
         dcatde:politicalGeocodingURI <http://dcat-ap.de/def/politicalGeocoding/municipalityKey/05314000> ;
         dcatde:geocodingDescription \"Bonn\"@de ; dcatde:legalBasis <https://example.org/law>, \"§ 12a EGovG\" ;
         dcatde:originator [ a foaf:Organization ; foaf:name \"Stadt Bonn\" ] ;
         dcat:distribution [ a dcat:Distribution ; dcat:accessURL <https://example.org/a.csv> ;
           dcatde:licenseAttributionByText \"Stadt Bonn, 2024\" ;
           dcatde:plannedAvailability <http://dcat-ap.de/def/plannedAvailability/stable> ] .",
    );
    assert_eq!(
        dataset["spatial"],
        json!([
            {"iri": "http://dcat-ap.de/def/politicalGeocoding/municipalityKey/05314000"}, {"name": {"de": "Bonn"}}
        ])
    );
    assert_eq!(dataset["rights"], json!({"und": "Stadt Bonn, 2024"}));
    assert_eq!(dataset["applicable_legislation"], json!(["https://example.org/law"]));
    assert_eq!(dataset["creators"], json!([{"name": {"und": "Stadt Bonn"}}]));
    assert!(dataset["distributions"][0]["availability"].as_str().unwrap().ends_with("planned-availability/STABLE"));
    assert_eq!(dataset["source"]["format"], "dcat-ap-de");
}

#[test]
fn the_profile_of_machine_learning_adds_collection_records_and_columns() {
    let dataset = turtle(
        "it6:collectionDate \"1994-11-17\"^^xsd:date ; it6:collectionMethod \"Survey.\" ; it6:biasMethod \"None known.\" ;
         it6:versionLabel \"1\" ; dct:isVersionOf <https://example.org/whole> ;
         dcat:distribution <https://example.org/a.arff> .
         <https://example.org/a.arff> a dcat:Distribution ; dct:title \"credit\" ; dcat:accessURL <https://example.org/x> ;
           it6:numberOfDatapoints \"1000\"^^xsd:nonNegativeInteger ; it6:hasFeature
             [ dct:title \"class\" ; dct:type <http://openml.org/openml/feature-type#nominal> ], [ dct:title \"age\" ] .",
    );
    assert_eq!(dataset["training"]["collected"], json!({"end": "1994-11-17"}));
    assert_eq!(dataset["training"]["collection_method"], json!({"und": "Survey."}));
    assert_eq!(dataset["training"]["record_count"], 1000);
    assert_eq!((&dataset["version"], &dataset["version_of"]), (&json!("1"), &json!("https://example.org/whole")));
    assert_eq!(
        dataset["record_sets"],
        json!([{"name": "credit", "columns": [{"name": "age"}, {"name": "class", "data_type": "nominal"}]}])
    );
    assert_eq!(dataset["source"]["format"], "mldcat-ap");
}

#[test]
fn the_context_of_the_profile_of_machine_learning_is_known_here() {
    let document = r#"{"@context": "https://semiceu.github.io/MLDCAT-AP/releases/3.1.0/context/mldcat-ap.jsonld",
        "@id": "https://example.org/a", "@type": "Dataset", "Dataset.title": "a", "Dataset.collectionMethod": "Survey.",
        "Dataset.accessRights": "http://publications.europa.eu/resource/authority/access-right/PUBLIC"}"#;
    let dataset = one("x.jsonld", document);
    assert_eq!(dataset["training"]["collection_method"], json!({"und": "Survey."}));
    assert_eq!(dataset["access_rights"], "public");
}

#[test]
fn the_profile_of_health_adds_its_block_and_older_spellings_of_its_terms_are_known() {
    let dataset = turtle(
        "health:hdab <https://hdab.example/> ; health:healthCategory <http://data.europa.eu/eli/c> ;
         health:numberOfUniqueIndividuals \"12\"^^xsd:nonNegativeInteger ; health:populationCoverage \"Adults.\"@en ;
         health:retentionPeriod [ a dct:PeriodOfTime ; dcat:startDate \"2024-01-01\"^^xsd:date ;
           dcat:endDate \"2034-12-31\"^^xsd:date ] ;
         dpv:hasPersonalData <https://w3id.org/dpv/dpv-pd#HealthRecord>, <https://w3id.org/dpv/dpv-pd#Age> ;
         dpv:hasLegalBasis <https://w3id.org/dpv/dpv-gdpr#A6-1-a>, <https://w3id.org/dpv/dpv-gdpr#A9-2-j> .
         <https://hdab.example/> a foaf:Agent ; foaf:name \"HDAB\" .",
    );
    assert_eq!(dataset["health"]["access_body"]["name"], json!({"und": "HDAB"}));
    assert_eq!(dataset["health"]["population"], json!({"en": "Adults."}));
    let gdpr = &dataset["gdpr"];
    assert_eq!((&gdpr["data_subject_count"], &gdpr["retention"]), (&json!(12), &json!("2034-12-31")));
    assert_eq!(gdpr["categories"], json!(["https://w3id.org/dpv/pd#Age"]));
    assert_eq!(gdpr["special_categories"], json!(["https://w3id.org/dpv/pd#HealthRecord"]));
    assert_eq!(gdpr["legal_basis"], json!(["https://w3id.org/dpv/legal/eu/gdpr#A6-1-a"]));
    assert_eq!(gdpr["special_condition"], json!(["https://w3id.org/dpv/legal/eu/gdpr#A9-2-j"]));
    assert_eq!(dataset["source"]["format"], "health-dcat-ap");
}

#[test]
fn statements_series_citation_and_standards_are_kept() {
    let dataset = turtle(
        "dct:provenance [ a dct:ProvenanceStatement ; rdfs:label \"Uit de registers.\"@nl ] ; dct:subject \"vervoer\"@nl,
         <http://eurovoc.europa.eu/100165> ; dcat:inSeries <https://example.org/series> ; dct:type <https://example.org/k> ;
         dct:bibliographicCitation \"A (2024).\" ; dct:conformsTo <https://example.org/s> ; dct:rights \"© A\" ;
         dct:publisher <https://example.org/org> ; dcat:distribution [ a dcat:Distribution ;
           dcat:accessURL <https://example.org/x> ; dcatap:availability <https://example.org/v> ;
           dcat:compressFormat <http://www.iana.org/assignments/media-types/application/gzip> ] .",
    );
    assert_eq!(dataset["provenance"], json!({"nl": "Uit de registers."}));
    assert_eq!(
        (&dataset["keywords"], &dataset["themes"]),
        (&json!({"nl": ["vervoer"]}), &json!(["http://eurovoc.europa.eu/100165"]))
    );
    assert_eq!(
        (&dataset["series"][0], &dataset["kind"]),
        (&json!("https://example.org/series"), &json!("https://example.org/k"))
    );
    assert_eq!((&dataset["citation"], &dataset["rights"]), (&json!("A (2024)."), &json!({"und": "© A"})));
    assert_eq!(dataset["conforms_to"], json!(["https://example.org/s"]));
    assert_eq!(dataset["publisher"]["iri"], "https://example.org/org", "an IRI is all that is known of it");
    assert_eq!(dataset["distributions"][0]["compress_format"], "application/gzip");
    assert_eq!(dataset["distributions"][0]["availability"], "https://example.org/v");
}

const OFFER: &str = "odrl:hasPolicy [ a odrl:Offer ; odrl:permission [ odrl:action odrl:use ; odrl:constraint
    [ odrl:leftOperand odrl:purpose ; odrl:operator odrl:eq ; odrl:rightOperand dpv:AcademicResearch MORE ] ] ] .";

#[test]
fn a_policy_is_taken_whole_or_not_at_all() {
    let dataset = turtle(&OFFER.replace("MORE", ""));
    let constraint = json!({"left": "purpose", "operator": "eq", "right": ["https://w3id.org/dpv#AcademicResearch"]});
    assert_eq!(dataset["policy"]["permissions"], json!([{"action": "use", "constraints": [constraint]}]));

    for more in ["; odrl:unit <https://example.org/u>", "; odrl:rightOperandReference <https://example.org/r>"] {
        assert_eq!(turtle(&OFFER.replace("MORE", more)).get("policy"), None, "{more}");
    }
    let refined = OFFER.replace(
        "odrl:action odrl:use",
        "odrl:action [ <http://www.w3.org/1999/02/22-rdf-syntax-ns#value> odrl:use ; odrl:refinement [] ]",
    );
    assert_eq!(turtle(&refined.replace("MORE", "")).get("policy"), None);
    assert_eq!(turtle("odrl:hasPolicy <https://example.org/elsewhere> .").get("policy"), None);
}

#[test]
fn a_record_keeps_its_own_words_and_a_change_in_any_of_them_is_seen() {
    let body = |unread: &str, label: &str| {
        format!(
            "{PREFIXES}<https://example.org/a> a dcat:Dataset ; dct:title \"a\"@en ; <https://example.org/own> \"{unread}\" ;
             dct:spatial _:{label} . _:{label} rdfs:label \"Somewhere\" ; <https://example.org/in> [ rdfs:label \"x\" ] .
             <https://example.org/b> a dcat:Dataset ; dct:title \"b\" ; dct:source <https://example.org/a> ."
        )
    };
    let first = |text: String| read(&[("x.ttl", text.as_bytes())]).0.remove(0).unwrap();
    let draft = first(body("unread", "one"));
    let lines: Vec<&str> = draft.text.lines().collect();
    assert_eq!(lines.len(), 7, "{}", draft.text);
    assert!(lines.contains(&"<https://example.org/a> <https://example.org/own> \"unread\" ."), "{}", draft.text);
    assert!(!draft.text.contains("example.org/b"), "another record has its own words");
    // The words are N-Triples, and say the same under another label.
    let quads = oxrdfio::RdfParser::from_format(oxrdfio::RdfFormat::NTriples).for_slice(draft.text.as_bytes());
    assert_eq!(quads.map(Result::unwrap).count(), 7);
    let again = first(body("unread", "other"));
    assert_eq!((&again.text, again.source.digest), (&draft.text, draft.source.digest));
    let changed = first(body("changed", "one"));
    assert_ne!(changed.source.digest, draft.source.digest);
    let (mut before, mut after) = (draft.dataset, changed.dataset);
    before["source"] = Value::Null;
    after["source"] = Value::Null;
    assert_eq!(before, after, "what was read of it is the same");
}

#[test]
fn a_ring_of_blank_nodes_has_words_too_and_deep_nesting_ends() {
    let ring = format!(
        "{PREFIXES}<https://example.org/a> a dcat:Dataset ; dct:title \"a\" ; <https://example.org/p> _:x .
         _:x <https://example.org/p> _:y . _:y <https://example.org/p> _:x ."
    );
    assert!(read(&[("x.ttl", ring.as_bytes())]).0.remove(0).unwrap().text.contains("_:b"));

    // Each names the next one twice: a walk along every path would not end.
    let chain: String = (0..5_000)
        .map(|n| format!("_:n{n} <https://example.org/p> _:n{0} ; <https://example.org/q> _:n{0} .\n", n + 1))
        .collect();
    let long =
        format!("{PREFIXES}<https://example.org/a> a dcat:Dataset ; dct:title \"a\" ; dct:spatial _:n0 .\n{chain}");
    assert!(read(&[("x.ttl", long.as_bytes())]).0.remove(0).is_ok());
}
