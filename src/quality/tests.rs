//! The report as a whole: what it brings together, what it never does, and that to mend is to gain.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::domain::warnings::warnings;
use crate::schema;

const EXAMPLE: &str = include_str!("../../config/examples/dataset.json");

fn today() -> Date {
    "2026-03-01".parse().unwrap()
}

fn judged(value: &Value) -> Report {
    let dataset: Dataset = serde_json::from_value(value.clone()).unwrap();
    judge(&dataset, today(), Beside { doubts: warnings(&dataset, today()), ..Beside::default() })
}

fn codes(report: &Report) -> Vec<&str> {
    report.findings.iter().map(|finding| finding.code.as_ref()).collect()
}

fn points(report: &Report) -> (u32, u32) {
    (report.quality.as_ref().unwrap().points, report.readiness.as_ref().unwrap().points)
}

#[test]
fn one_report_brings_everything_together_gravest_first() {
    let mut value: Value = serde_json::from_str(EXAMPLE).unwrap();
    value["gdpr"]["transfers"] = json!([]);
    value["description"]["en"] = "Ask Aino Virtanen (aino.virtanen@archive.example).".into();
    let report = judged(&value);
    assert!(!report.offerable);
    assert!(report.findings.is_sorted_by_key(|finding| finding.severity));
    assert_eq!((report.worst(), report.findings[0].code.as_ref()), (Some(Severity::Violation), "transfer"));
    for code in ["transfer", "download_of_closed_data", "person_mail_in_text", "name_in_text", "crawl_without_crawled"]
    {
        assert!(codes(&report).contains(&code), "{code} in {:?}", codes(&report));
    }
    assert!(!codes(&report).contains(&"address_in_text"), "an address is told once, with its place");
    let said = report.said(Language::German);
    let transfer = &said.findings[0];
    assert_eq!((transfer.pointer.as_str(), transfer.rule), ("/gdpr/processing_locations/1", Rule::Law));
    assert!(transfer.detail.starts_with("CH liegt außerhalb"), "{}", transfer.detail);
    let mail = said.findings.iter().find(|finding| finding.code == "person_mail_in_text").unwrap();
    assert_eq!((mail.pointer.as_str(), mail.span), ("/description/en", Some(Span { start: 19, end: 48 })));
}

#[test]
fn what_is_not_a_dataset_is_told_why_and_has_no_scores() {
    let refused = refused(&schema::parse(br#"{"id": "x", "titel": {}}"#).unwrap_err());
    assert!(refused.quality.is_none() && refused.worst() == Some(Severity::Violation));
    let said = refused.said(Language::Finnish);
    assert!(
        said.findings
            .iter()
            .any(|f| f.pointer == "/titel" && f.rule == Rule::JsonSchema && f.detail.contains("sallittu")),
        "{said:#?}"
    );
}

#[test]
fn a_doubt_about_scale_is_told_once_and_as_grave_as_it_is() {
    let mut value: Value = serde_json::from_str(EXAMPLE).unwrap();
    value["gdpr"]["dpia"] = json!({"status": "not_required"});
    let report = judged(&value);
    let about: Vec<_> = report.findings.iter().filter(|finding| finding.pointer == "/gdpr/dpia").collect();
    assert_eq!((about.len(), about[0].severity), (1, Severity::Violation));
    value["gdpr"]["data_subject_count"] = 10.into();
    assert!(codes(&judged(&value)).contains(&"special_without_dpia"));
}

#[test]
fn another_validator_has_its_place_in_the_report() {
    let dataset: Dataset = serde_json::from_str(EXAMPLE).unwrap();
    let mut shape = Finding::new(Severity::Violation, Rule::Shacl, "min_count", "/themes");
    shape.code = "sh:MinCountConstraintComponent".to_owned().into();
    shape.english = Some("Less than 1 values".to_owned());
    let outside = Outside { conforms: Some(false), ..Outside::default() };
    let report = judge(&dataset, today(), Beside { findings: vec![shape], outside, ..Beside::default() });
    let said = report.said(Language::French);
    assert_eq!(
        (said.findings[0].code.as_str(), said.findings[0].detail.as_str()),
        ("sh:MinCountConstraintComponent", "Less than 1 values")
    );
    assert_eq!(report.quality.unwrap().of, 325);
}

#[test]
fn a_summary_counts_records_and_quotes_nobody() {
    let mut summary = Summary::default();
    let mut value: Value = serde_json::from_str(EXAMPLE).unwrap();
    value["description"]["en"] = "a.b@x.example and c.d@x.example".into();
    for _ in 0..3 {
        summary.add(&judged(&value));
    }
    let said = summary.said(Language::English);
    let mails = said.findings.iter().find(|kind| kind.code == "person_mail_in_text").unwrap();
    assert_eq!((said.records, mails.records, mails.times), (3, 3, 6));
    assert!(!serde_json::to_string(&said).unwrap().contains("x.example"));
    assert_eq!(said.readiness.map(|spread| (spread.min, spread.max)), Some((100, 100)));
}

/// What is taken out of the example, or put in a place of it: some of it makes no dataset any more, and is left.
fn changed() -> impl Strategy<Value = Dataset> {
    let whole: Value = serde_json::from_str(EXAMPLE).unwrap();
    let places = places(&whole);
    let junk = prop_oneof![
        Just(json!("x y@z.example Dr. A B")),
        Just(json!([])),
        Just(json!({})),
        Just(json!(0)),
        Just(json!(u64::MAX)),
        Just(json!("P9999Y")),
        Just(json!("9999-12-31")),
        Just(json!("0001-01-01")),
        Just(json!("https://w3id.org/dpv#Child")),
        Just(json!("not_required")),
        Just(json!("\u{202e}Contact: Ä Ö")),
    ];
    prop::collection::vec((prop::sample::select(places), prop::option::of(junk)), 1..12).prop_filter_map(
        "not a dataset",
        move |changes| {
            let mut value = whole.clone();
            for (place, new) in changes {
                let (parent, name) = place.rsplit_once('/')?;
                match (value.pointer_mut(parent), new) {
                    (Some(Value::Object(fields)), None) => drop(fields.remove(name)),
                    (Some(Value::Array(items)), None) if !items.is_empty() => drop(items.pop()),
                    (Some(_), Some(new)) => {
                        if let Some(old) = value.pointer_mut(&place) {
                            *old = new;
                        }
                    }
                    _ => {}
                }
            }
            serde_json::from_value(value).ok()
        },
    )
}

fn places(value: &Value) -> Vec<String> {
    fn walk(value: &Value, pointer: &str, found: &mut Vec<String>) {
        let children: Vec<(String, &Value)> = match value {
            Value::Object(fields) => {
                fields.iter().map(|(name, item)| (name.replace('~', "~0").replace('/', "~1"), item)).collect()
            }
            Value::Array(items) => items.iter().enumerate().map(|(at, item)| (at.to_string(), item)).collect(),
            _ => return,
        };
        for (name, item) in children {
            let place = format!("{pointer}/{name}");
            walk(item, &place, found);
            found.push(place);
        }
    }
    let mut found = Vec::new();
    walk(value, "", &mut found);
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever a valid dataset says: judging gives a report, every sentence is whole, every pointer is a pointer.
    #[test]
    fn judging_never_panics_and_every_sentence_is_whole(dataset in changed()) {
        let report = judge(&dataset, today(), Beside { doubts: warnings(&dataset, today()), ..Beside::default() });
        let (quality, readiness) = points(&report);
        prop_assert!(quality <= 405 && readiness <= 100);
        for language in Language::ALL {
            for finding in report.said(language).findings {
                prop_assert!(finding.pointer.is_empty() || finding.pointer.starts_with('/'));
                prop_assert!(!finding.detail.is_empty() && !finding.detail.contains("…") || finding.detail.chars().count() > 80, "{finding:?}");
                prop_assert!(!finding.fix.is_empty(), "{finding:?}");
            }
        }
    }

    /// To state what was missed never loses a point of either score, and the metric that asked for it is met then.
    #[test]
    fn to_mend_is_to_gain(dataset in changed(), which in any::<prop::sample::Index>()) {
        let report = judge(&dataset, today(), Beside::default());
        let missed: Vec<score::Metric> = report.quality.as_ref().unwrap().dimensions.iter().flat_map(|d| &d.metrics)
            .chain(&report.readiness.as_ref().unwrap().metrics)
            .filter(|metric| metric.mark == score::Mark::Missed)
            .copied().collect();
        prop_assume!(!missed.is_empty());
        let metric = which.get(&missed);
        let whole: Value = serde_json::from_str(EXAMPLE).unwrap();
        let mut mended = serde_json::to_value(&dataset).unwrap();
        let top = metric.pointer.split('/').nth(1).unwrap();
        mended[top] = whole[top].clone();
        if metric.key == "portal.licence_listed" {
            mended["licence"]["spdx"] = "CC-BY-4.0".into();
        }
        let after = judged(&mended);
        let (before, now) = (points(&report), points(&after));
        prop_assert!(now.0 >= before.0 && now.1 >= before.1, "{} from {before:?} to {now:?}", metric.key);
        let all: Vec<score::Metric> = after.quality.as_ref().unwrap().dimensions.iter().flat_map(|d| &d.metrics)
            .chain(&after.readiness.as_ref().unwrap().metrics).copied().collect();
        prop_assert_eq!(all.iter().find(|m| m.key == metric.key).unwrap().mark, score::Mark::Met);
    }
}
