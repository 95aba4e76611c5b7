//! What the AI block says, held against itself: sources, crawl, generator, splits and counts.

use jiff::civil::Date;

use super::super::finding::{Finding, Findings, Rule, Severity};
use crate::domain::dataset::{Dataset, Modality, SourceCategory};
use crate::domain::licence::Answer;
use crate::domain::manifest::Manifest;

pub(super) fn find(dataset: &Dataset, today: Date, found: &mut Findings) {
    sources(dataset, found);
    crawl(dataset, found);
    counts(dataset, found);
    bytes(dataset, found);
    let collected = dataset.training.collected.as_ref();
    let begins_later = collected.is_some_and(|period| period.start.is_some_and(|day| day > today));
    found.when(begins_later, Severity::Warning, Rule::Quality, "collected_in_the_future", "/training/collected");
    let speaks = |modality: &Modality| matches!(modality, Modality::Text | Modality::Audio);
    found.when(
        dataset.languages.is_empty() && dataset.training.modalities.iter().any(speaks),
        Severity::Advice,
        Rule::Quality,
        "language_of_content",
        "/languages",
    );
}

fn sources(dataset: &Dataset, found: &mut Findings) {
    let training = &dataset.training;
    let says = |category| training.source_categories.contains(&category);
    let is_told = !training.source_categories.is_empty();
    found.when(
        says(SourceCategory::Synthetic) && training.generator.is_none(),
        Severity::Warning,
        Rule::Law,
        "synthetic_by_nothing",
        "/training/generator",
    );
    found.when(
        is_told && training.generator.is_some() && !says(SourceCategory::Synthetic),
        Severity::Advice,
        Rule::Law,
        "generator_without_synthetic",
        "/training/source_categories",
    );
    found.when(
        says(SourceCategory::WebCrawled) && training.crawl.is_none(),
        Severity::Warning,
        Rule::Law,
        "crawled_without_crawl",
        "/training/crawl",
    );
    found.when(
        is_told && training.crawl.is_some() && !says(SourceCategory::WebCrawled),
        Severity::Advice,
        Rule::Law,
        "crawl_without_crawled",
        "/training/source_categories",
    );
    found.when(
        says(SourceCategory::PublicDataset) && dataset.derived_from.is_empty() && dataset.provenance.is_none(),
        Severity::Advice,
        Rule::Law,
        "public_source_not_named",
        "/derived_from",
    );
}

fn crawl(dataset: &Dataset, found: &mut Findings) {
    let Some(crawl) = &dataset.training.crawl else { return };
    for (is_missing, code, pointer) in [
        (crawl.period.is_none(), "crawl_period", "/training/crawl/period"),
        (crawl.domains.is_empty(), "crawl_domains", "/training/crawl/domains"),
        (crawl.robots_honoured.is_not_stated(), "crawl_robots", "/training/crawl/robots_honoured"),
        (crawl.reservations_honoured.is_not_stated(), "crawl_reservations", "/training/crawl/reservations_honoured"),
    ] {
        found.when(is_missing, Severity::Advice, Rule::Law, code, pointer);
    }
    found.when(
        crawl.reservations_honoured == Answer::No,
        Severity::Warning,
        Rule::Law,
        "reservations_not_honoured",
        "/training/crawl/reservations_honoured",
    );
}

fn counts(dataset: &Dataset, found: &mut Findings) {
    let training = &dataset.training;
    let of_splits: Option<u64> =
        training.splits.iter().map(|split| split.records).try_fold(0u64, |sum, records| sum.checked_add(records?));
    let sum = of_splits.filter(|_| !training.splits.is_empty());
    if let Some((sum, count)) = sum.zip(training.record_count)
        && sum > count
    {
        found.push(
            Finding::new(Severity::Warning, Rule::Quality, "splits_above_count", "/training/splits")
                .with("found", sum)
                .with("count", count),
        );
    }
    let mut names: Vec<&str> = training.splits.iter().map(|split| split.name.as_str()).collect();
    names.sort_unstable();
    found.when(
        names.windows(2).any(|pair| pair[0] == pair[1]),
        Severity::Warning,
        Rule::Quality,
        "split_named_twice",
        "/training/splits",
    );
    let Some(manifest) = dataset.manifest() else { return };
    for (at, split) in training.splits.iter().enumerate() {
        let rows = rows_of(manifest, &split.name);
        if let Some((rows, records)) = rows.zip(split.records)
            && rows != records
        {
            found.push(
                Finding::new(
                    Severity::Warning,
                    Rule::Quality,
                    "split_against_shards",
                    format!("/training/splits/{at}/records"),
                )
                .with("found", records)
                .with("count", rows),
            );
        }
    }
}

/// The rows of the shards of a split, where every one of them says how many it has.
fn rows_of(manifest: &Manifest, split: &str) -> Option<u64> {
    let shards: Vec<_> = manifest.shards.values().filter(|shard| shard.split.as_deref() == Some(split)).collect();
    if shards.is_empty() {
        return None;
    }
    shards.iter().try_fold(0u64, |sum, shard| sum.checked_add(shard.rows?))
}

fn bytes(dataset: &Dataset, found: &mut Findings) {
    for (at, distribution) in dataset.distributions.iter().enumerate() {
        let Some((manifest, stated)) = distribution.manifest.as_ref().zip(distribution.bytes) else { continue };
        let total = manifest.total_bytes();
        if total != stated {
            found.push(
                Finding::new(
                    Severity::Warning,
                    Rule::Quality,
                    "bytes_against_shards",
                    format!("/distributions/{at}/bytes"),
                )
                .with("found", stated)
                .with("count", total),
            );
        }
    }
}
