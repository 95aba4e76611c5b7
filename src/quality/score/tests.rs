//! The points as they are published, and what wins them.

use serde_json::{Value, json};

use super::portal::{Outside, POINTS, Rating, score};
use super::readiness::readiness;
use super::*;
use crate::domain::dataset::Dataset;

const EXAMPLE: &str = include_str!("../../../config/examples/dataset.json");

fn dataset(value: Value) -> Dataset {
    serde_json::from_value(value).unwrap()
}

fn least() -> Dataset {
    dataset(json!({"id": "https://x.example/dataset/a", "title": {"en": "A"}, "country": "FI"}))
}

const SEEN: Outside = Outside { access_answers: Some(true), download_answers: Some(true), conforms: Some(true) };

#[test]
fn the_dimensions_have_the_points_that_the_portal_publishes() {
    let score =
        score(&least(), &Outside { conforms: Some(false), access_answers: Some(false), download_answers: Some(false) });
    let of: Vec<(&str, u32)> = score.dimensions.iter().map(|dimension| (dimension.key, dimension.of)).collect();
    let published = [
        ("findability", 100),
        ("accessibility", 100),
        ("interoperability", 110),
        ("reusability", 75),
        ("contextuality", 20),
    ];
    for ((key, of), (name, points)) in of.iter().zip(published) {
        assert_eq!((key.strip_prefix("dimension."), *of), (Some(name), points));
    }
    assert_eq!((score.points, score.of, score.rating), (0, POINTS, Rating::Bad));
}

#[test]
fn a_record_that_says_everything_wins_everything_and_what_nobody_looked_at_is_left_out() {
    let example: Dataset = serde_json::from_str(EXAMPLE).unwrap();
    let whole = score(&example, &SEEN);
    assert_eq!((whole.points, whole.of, whole.rating), (POINTS, POINTS, Rating::Excellent));
    let alone = score(&example, &Outside::default());
    assert_eq!((alone.points, alone.of, alone.rating), (295, 295, Rating::Excellent));
    let unseen: Vec<&str> = alone
        .dimensions
        .iter()
        .flat_map(|dimension| &dimension.metrics)
        .filter(|metric| metric.mark == Mark::NotChecked)
        .map(|metric| metric.key)
        .collect();
    assert_eq!(unseen, ["portal.access_answers", "portal.download_answers", "portal.conforms"]);
}

#[test]
fn each_field_wins_its_own_points() {
    let example: Value = serde_json::from_str(EXAMPLE).unwrap();
    let without = |names: &[&str]| {
        let mut value = example.clone();
        value.as_object_mut().unwrap().retain(|name, _| !names.contains(&name.as_str()));
        295 - score(&dataset(value), &Outside::default()).points
    };
    for (field, points) in [
        ("keywords", 30),
        ("themes", 30),
        ("spatial", 20),
        ("temporal", 20),
        ("access_rights", 15),
        ("contact", 20),
        ("publisher", 10),
        ("rights", 5),
        ("issued", 5),
        ("modified", 5),
        // A distribution has a licence of its own, and only that one is from the list.
        ("distributions", 20 + 80 + 10 + 5),
        ("licence", 0),
    ] {
        assert_eq!(without(&[field]), points, "{field}");
    }
    assert_eq!(without(&["licence", "distributions"]), 20 + 115);
}

#[test]
fn a_dataset_is_as_interoperable_as_its_best_distribution() {
    let with = |distributions: Value| {
        let mut value = serde_json::to_value(least()).unwrap();
        value["distributions"] = distributions;
        score(&dataset(value), &Outside::default()).dimensions[2].points
    };
    let pdf = json!({"format": "PDF"});
    assert_eq!(with(json!([pdf])), 30);
    assert_eq!(with(json!([pdf, {"format": "CSV", "media_type": "text/csv"}])), 80);
    assert_eq!(with(json!([{"media_type": "text/csv"}])), 60, "the media type tells the format");
    assert_eq!(with(json!([{"format": "my own"}])), 20);
    assert_eq!(with(json!([{"format": "CSV", "media_type": "table"}])), 70, "a media type that nobody registered");
}

#[test]
fn readiness_is_of_a_hundred_and_nothing_unsaid_counts() {
    let example: Dataset = serde_json::from_str(EXAMPLE).unwrap();
    let best = readiness(&example);
    let missed: Vec<&str> =
        best.metrics.iter().filter(|metric| metric.mark == Mark::Missed).map(|metric| metric.key).collect();
    assert_eq!((best.points, missed), (100, vec![]));
    assert_eq!(best.metrics.iter().map(|metric| metric.points).sum::<u32>(), 100);
    assert_eq!(readiness(&least()).points, 0);
}

#[test]
fn a_licence_that_forbids_training_wins_nothing_for_it() {
    let mut example: Dataset = serde_json::from_str(EXAMPLE).unwrap();
    example.licence.as_mut().unwrap().permissions.ai_training = crate::domain::licence::Answer::No;
    assert_eq!(readiness(&example).points, 90);
}

#[test]
fn the_documentation_lists_every_question_with_its_points() {
    let page = include_str!("../../../docs/quality.md");
    let example: Dataset = serde_json::from_str(EXAMPLE).unwrap();
    let portal = score(&example, &SEEN);
    let metrics = portal
        .dimensions
        .iter()
        .flat_map(|dimension| &dimension.metrics)
        .chain(&readiness(&example).metrics)
        .copied()
        .collect::<Vec<_>>();
    for metric in metrics {
        let code = metric.key.split_once('.').unwrap().1;
        assert!(page.contains(&format!("| `{code}` | {} |", metric.points)), "{code} with {} points", metric.points);
    }
}
