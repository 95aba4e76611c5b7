//! Documents that are made to hurt: nested without end, entities that explode, bytes that are no text, characters that
//! turn the reading direction. Each ends as a record, or as a sentence that says what was wrong and where.

use proptest::prelude::*;

use super::tests::read;

const PREFIXES: &str = "@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .\n";
const DEPTH: usize = 20_000;

/// A dataset beside which something hostile stands in the same file.
fn beside(hostile: &str) -> String {
    format!("{PREFIXES}<https://example.org/a> a dcat:Dataset ; dct:title \"a\" .\n{hostile}")
}

#[test]
fn nesting_without_end_is_an_error_with_a_place_or_costs_nothing() {
    let blanks =
        format!("<https://example.org/x> dct:spatial {}1{} .", "[ dct:spatial ".repeat(DEPTH), " ]".repeat(DEPTH));
    let lists = format!("<https://example.org/x> dct:spatial {}1{} .", "( ".repeat(DEPTH), " )".repeat(DEPTH));
    // What was said last before a file breaks off may be half said, so another subject stands between.
    let last = "<https://example.org/last> dct:title \"last\" .";
    let open = format!("{last} <https://example.org/x> dct:spatial {}", "[ dct:spatial ".repeat(DEPTH));
    for (what, hostile) in [("blank nodes", blanks), ("lists", lists), ("never closed", open)] {
        for name in ["x.ttl", "x.trig"] {
            let (records, unreadable) = read(&[(name, beside(&hostile).as_bytes())]);
            assert!(records.len() == 1 && records[0].is_ok(), "{what}: {unreadable:?}");
            assert!(unreadable.iter().all(|refused| refused.place.contains(" line ")), "{what}: {unreadable:?}");
        }
    }
}

#[test]
fn an_xml_document_nested_without_end_ends() {
    let rdf = "xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" xmlns:p=\"https://example.org/\"";
    let deep =
        format!("<rdf:RDF {rdf}>{}{}</rdf:RDF>", "<p:A><p:b>".repeat(DEPTH / 2), "</p:b></p:A>".repeat(DEPTH / 2));
    let (records, unreadable) = read(&[("x.rdf", deep.as_bytes())]);
    assert!(records.is_empty() && unreadable.len() <= 1, "{unreadable:?}");
    let open = format!("<rdf:RDF {rdf}>{}", "<p:A><p:b>".repeat(DEPTH / 2));
    let (records, unreadable) = read(&[("x.rdf", open.as_bytes())]);
    assert!(records.is_empty(), "nothing is used of a document that breaks off");
    assert_eq!(unreadable.len(), 1, "{unreadable:?}");
}

#[test]
fn an_xml_document_that_breaks_off_between_two_elements_is_noticed() {
    let head =
        "<?xml version=\"1.0\"?><!-- <rdf:RDF> --><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\"
        xmlns:dcat=\"http://www.w3.org/ns/dcat#\" xmlns:dct=\"http://purl.org/dc/terms/\">
        <dcat:Dataset rdf:about=\"https://example.org/a\"><dct:title><![CDATA[</rdf:RDF> a > b]]></dct:title>";
    let (records, unreadable) = read(&[("x.rdf", head.as_bytes())]);
    assert!(records.is_empty(), "half a record is none");
    assert!(unreadable[0].reason.contains("before its end"), "{unreadable:?}");
    let whole = format!("{head}</dcat:Dataset></rdf:RDF>\n<!-- the end <x> -->\n");
    let (records, unreadable) = read(&[("x.rdf", whole.as_bytes())]);
    assert_eq!((records.len(), unreadable), (1, vec![]));
}

#[test]
fn entities_that_name_a_file_or_an_address_are_not_followed() {
    for entity in
        ["SYSTEM \"file:///etc/hostname\"", "SYSTEM \"http://127.0.0.1:9/x\"", "PUBLIC \"x\" \"file:///etc/hostname\""]
    {
        let document = format!(
            "<?xml version=\"1.0\"?><!DOCTYPE r [<!ENTITY x {entity}>]><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\"
               xmlns:dcat=\"http://www.w3.org/ns/dcat#\" xmlns:dct=\"http://purl.org/dc/terms/\"><dcat:Dataset rdf:about=\"https://example.org/a\">
               <dct:title>&x;</dct:title></dcat:Dataset></rdf:RDF>"
        );
        let (records, _) = read(&[("x.rdf", document.as_bytes())]);
        let titles: Vec<String> = records.iter().flatten().map(|draft| draft.dataset["title"].to_string()).collect();
        assert!(titles.is_empty(), "{entity}: {titles:?}");
    }
}

#[test]
fn a_chain_of_json_contexts_and_arrays_without_end_ends() {
    let contexts = format!("{{\"@context\": {}{{}}{}}}", "[".repeat(DEPTH), "]".repeat(DEPTH));
    let graphs = format!("{}{{}}{}", "{\"@graph\": [".repeat(DEPTH), "]}".repeat(DEPTH));
    for (what, document) in [("contexts", contexts), ("graphs", graphs)] {
        let (records, unreadable) = read(&[("x.jsonld", document.as_bytes())]);
        assert_eq!((records.len(), unreadable.len()), (0, 1), "{what}");
        assert!(unreadable[0].reason.contains("nested deeper"), "{what}: {unreadable:?}");
    }
}

#[test]
fn characters_that_nobody_sees_leave_every_field_and_stay_in_the_words() {
    let body = beside(
        "<https://example.org/a> dct:description \"gpj\\u202Eexe\\u0000 \\u200Bhidden\\u2066\" ; dcat:keyword \"k\\u202Ee\" ;
           dct:publisher [ <http://xmlns.com/foaf/0.1/name> \"Bad\\u202E Office\\u0007\" ] .",
    );
    let (records, _) = read(&[("x.ttl", body.as_bytes())]);
    let draft = records[0].as_ref().unwrap();
    let said = draft.dataset.to_string();
    assert!(
        !said.chars().any(|c| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}')),
        "{said}"
    );
    assert!(!said.contains("\\u0000") && !said.contains("\\u0007"), "{said}");
    assert!(draft.text.contains('\u{202e}'), "the source's own words are kept as they are");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn noise_in_any_syntax_is_read_to_its_end(noise in prop::collection::vec(any::<u8>(), 0..300), cut in 0_usize..200) {
        let good = beside("<https://example.org/b> a dcat:Dataset ; dct:title \"b\" .");
        let mut mixed = good.as_bytes()[..cut.min(good.len())].to_vec();
        mixed.extend(&noise);
        for name in ["x.ttl", "x.nt", "x.trig", "x.rdf", "x.jsonld"] {
            let (records, _) = read(&[(name, &mixed)]);
            prop_assert!(records.len() <= 2);
        }
    }
}
