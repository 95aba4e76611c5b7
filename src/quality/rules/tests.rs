//! Each rule across fields, found where it stands, and silent where it does not hold.

use serde_json::{Value, json};

use super::*;
use crate::domain::dataset::Dataset;

/// The example with what the rules rightly find in it mended: it shows every field at once, so it says too much.
fn example() -> Value {
    let mut dataset: Value = serde_json::from_str(include_str!("../../../config/examples/dataset.json")).unwrap();
    let training = dataset["training"].as_object_mut().unwrap();
    training.remove("crawl");
    training.remove("generator");
    dataset
}

fn codes(change: impl FnOnce(&mut Value)) -> Vec<String> {
    let mut value = example();
    change(&mut value);
    let dataset: Dataset = serde_json::from_value(value).unwrap();
    let mut found = Findings::default();
    find(&dataset, "2026-03-01".parse().unwrap(), &mut found);
    found.0.into_iter().map(|finding| format!("{} {}", finding.pointer, finding.code)).collect()
}

#[track_caller]
fn only(change: impl FnOnce(&mut Value), expected: &str) {
    assert_eq!(codes(change), [expected]);
}

#[test]
fn a_record_that_agrees_with_itself_raises_nothing() {
    assert_eq!(codes(|_| {}), [] as [&str; 0]);
}

#[test]
fn terms_must_exist_and_be_of_the_kind_of_their_field() {
    let dpv = |name: &str| format!("https://w3id.org/dpv#{name}");
    only(|d| d["gdpr"]["purposes"][0] = dpv("AcademicReserch").into(), "/gdpr/purposes/0 unknown_dpv_term");
    only(|d| d["gdpr"]["purposes"][0] = dpv("Patient").into(), "/gdpr/purposes/0 dpv_term_of_other_kind");
    only(|d| d["gdpr"]["data_subjects"][0] = dpv("Marketing").into(), "/gdpr/data_subjects/0 dpv_term_of_other_kind");
    only(
        |d| d["gdpr"]["measures"] = json!([dpv("Pseudonymisation"), dpv("Marketing")]),
        "/gdpr/measures/1 dpv_term_of_other_kind",
    );
    only(|d| d["gdpr"]["categories"][0] = dpv("Patient").into(), "/gdpr/categories/0 dpv_term_of_other_kind");
    only(
        |d| d["gdpr"]["transfers"][0]["tool"] = dpv("Marketing").into(),
        "/gdpr/transfers/0/tool dpv_term_of_other_kind",
    );
    only(|d| d["gdpr"]["purposes"][1] = "https://x.example/p".into(), "/gdpr/purposes/1 term_outside_dpv");
    for tool in ["A46-2-c", "A49-1-d", "StandardContractualClauses"] {
        let tool = format!("https://w3id.org/dpv/legal/eu/gdpr#{tool}");
        assert_eq!(codes(|d| d["gdpr"]["transfers"][0]["tool"] = tool.clone().into()), [] as [&str; 0], "{tool}");
    }
}

#[test]
fn what_was_done_to_the_data_has_its_measure() {
    let encrypted = json!(["https://w3id.org/dpv#Encryption"]);
    only(|d| d["gdpr"]["measures"] = encrypted.clone(), "/gdpr/measures pseudonymised_by_nothing");
    let anonymised =
        |measures: Value| codes(|d| d["gdpr"] = json!({"personal_data": "anonymised", "measures": measures}));
    assert_eq!(anonymised(encrypted.clone()), ["/gdpr/measures anonymised_by_nothing"]);
    assert_eq!(anonymised(json!(["https://w3id.org/dpv#DifferentialPrivacy"])), [] as [&str; 0]);
}

#[test]
fn a_transfer_leads_to_a_third_country_where_the_data_is_processed() {
    only(|d| d["gdpr"]["transfers"][0]["country"] = "SE".into(), "/gdpr/transfers/0/country transfer_within_eea");
    only(|d| d["gdpr"]["transfers"][0]["country"] = "US".into(), "/gdpr/transfers/0/country transfer_without_location");
}

#[test]
fn people_who_are_named_are_people() {
    only(
        |d| d["gdpr"] = json!({"personal_data": "no", "data_subject_count": 3}),
        "/gdpr/personal_data people_without_personal_data",
    );
    only(
        |d| {
            d["gdpr"] = json!({"personal_data": "no"});
            d["training"]["source_categories"] = json!(["user_data"]);
        },
        "/gdpr/personal_data users_without_personal_data",
    );
    only(|d| d["health"]["max_age"] = 1.into(), "/health/max_age ages_backwards");
    only(
        |d| d["training"].as_object_mut().unwrap().retain(|name, _| name != "sensitive_information"),
        "/training/sensitive_information special_without_note",
    );
}

#[test]
fn children_are_named_and_protected() {
    only(|d| d["health"]["min_age"] = 12.into(), "/gdpr/data_subjects children_not_named");
    let child = json!(["https://w3id.org/dpv#Child"]);
    only(
        |d| {
            d["gdpr"]["data_subjects"] = child.clone();
            d["gdpr"]["legal_basis"] = json!(["https://w3id.org/dpv/legal/eu/gdpr#A6-1-a"]);
        },
        "/gdpr/legal_basis consent_of_children",
    );
    only(
        |d| {
            d["gdpr"]["data_subjects"] = child;
            d["gdpr"]["dpia"] = json!({"status": "not_required"});
            d["gdpr"]["data_subject_count"] = 10.into();
        },
        "/gdpr/dpia children_without_dpia",
    );
}

#[test]
fn an_impact_assessment_is_done_at_scale_and_can_be_read() {
    only(|d| d["gdpr"]["dpia"] = json!({"status": "not_required"}), "/gdpr/dpia special_at_scale_without_dpia");
    only(|d| d["gdpr"]["dpia"] = json!({"status": "completed"}), "/gdpr/dpia/reference dpia_without_reference");
    let small = |d: &mut Value| {
        d["gdpr"]["dpia"] = json!({"status": "not_required"});
        d["gdpr"]["data_subject_count"] = 4_999.into();
    };
    assert_eq!(codes(small), [] as [&str; 0]);
}

#[test]
fn what_is_kept_is_kept_for_one_time() {
    only(
        |d| {
            d["gdpr"]["retention"] = "2022-01-01".into();
            d["policy"]["permissions"][0]["duties"] = json!([]);
        },
        "/gdpr/retention retention_before_collection_ends",
    );
    only(|d| d["gdpr"]["retention"] = "P5Y".into(), "/policy/permissions/0/duties/1 deletion_after_retention");
}

#[test]
fn a_source_is_told_and_told_once() {
    let source = |category: &str| json!([category]);
    only(|d| d["training"]["source_categories"] = source("synthetic"), "/training/generator synthetic_by_nothing");
    only(|d| d["training"]["generator"] = "x 1".into(), "/training/source_categories generator_without_synthetic");
    only(|d| d["training"]["source_categories"] = source("web_crawled"), "/training/crawl crawled_without_crawl");
    assert_eq!(
        codes(|d| d["training"]["crawl"] = json!({"reservations_honoured": "no"})),
        [
            "/training/source_categories crawl_without_crawled",
            "/training/crawl/period crawl_period",
            "/training/crawl/domains crawl_domains",
            "/training/crawl/robots_honoured crawl_robots",
            "/training/crawl/reservations_honoured reservations_not_honoured",
        ]
    );
    only(
        |d| {
            d["training"]["source_categories"] = source("public_dataset");
            d.as_object_mut().unwrap().retain(|name, _| !["derived_from", "provenance"].contains(&name.as_str()));
        },
        "/derived_from public_source_not_named",
    );
}

#[test]
fn numbers_add_up() {
    assert_eq!(
        codes(|d| d["training"]["splits"][0]["records"] = 40_000.into()),
        ["/training/splits splits_above_count", "/training/splits/0/records split_against_shards"]
    );
    only(|d| d["training"]["splits"] = json!([{"name": "x"}, {"name": "x"}]), "/training/splits split_named_twice");
    only(|d| d["distributions"][0]["bytes"] = 5.into(), "/distributions/0/bytes bytes_against_shards");
}

#[test]
fn terms_of_use_agree_with_each_other() {
    let open = |d: &mut Value| {
        d["access_rights"] = "public".into();
        d["gdpr"] = json!({"personal_data": "no"});
        d["health"] = json!({});
    };
    only(open, "/tdm_reservation reserved_against_licence");
    only(
        |d| {
            d["tdm_reservation"] = "not_reserved".into();
            d.as_object_mut().unwrap().remove("tdm_policy");
        },
        "/tdm_reservation not_reserved_against_licence",
    );
    only(
        |d| {
            d.as_object_mut().unwrap().remove("tdm_reservation");
        },
        "/tdm_policy mining_policy_without_reservation",
    );
    only(|d| d["licence"] = json!({"raw": "ask us"}), "/licence licence_not_resolved");
    only(|d| d["licence"]["matched"]["confidence"] = "likely".into(), "/licence licence_read_by_program");
    let permitted = |purpose: &str| {
        codes(|d| {
            d["policy"]["permissions"][0]["constraints"][0]["right"] = json!([purpose]);
            d["policy"]["prohibitions"] = json!([{"action": "use", "constraints": [{"left": "purpose", "operator": "eq", "right": ["https://w3id.org/dpv#ResearchAndDevelopment"]}]}]);
        })
    };
    let pointer = "/policy/permissions/0/constraints/0/right/0";
    assert_eq!(permitted("dpv:AcademicResearch"), [format!("{pointer} purpose_permitted_and_prohibited")]);
    assert_eq!(permitted("https://w3id.org/dpv#Marketing"), [format!("{pointer} commerce_against_licence")]);
}

#[test]
fn there_is_a_way_to_the_data() {
    let nowhere = |d: &mut Value, access: &str| {
        d["access_rights"] = access.into();
        d["tdm_reservation"] = "not_reserved".into();
        d["licence"]["permissions"] = json!({});
        let gone = ["tdm_policy", "distributions", "landing_pages", "contact"];
        d.as_object_mut().unwrap().retain(|name, _| !gone.contains(&name.as_str()));
    };
    only(|d| nowhere(d, "public"), "/distributions public_without_way");
    only(|d| nowhere(d, "restricted"), "/contact closed_without_way");
}

#[test]
fn days_follow_each_other() {
    only(|d| d["modified"] = "2020-01-01".into(), "/modified modified_before_issued");
    only(|d| d["modified"] = "2026-03-02".into(), "/modified modified_in_the_future");
    only(
        |d| d["training"]["collected"] = json!({"start": "2027-01-01"}),
        "/training/collected collected_in_the_future",
    );
    only(
        |d| {
            d.as_object_mut().unwrap().remove("languages");
        },
        "/languages language_of_content",
    );
}
