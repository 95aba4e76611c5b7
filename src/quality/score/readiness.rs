//! Readiness for training, 0 to 100: whether somebody who trains with a dataset would find what she needs to decide, to
//! train, and to account for it afterwards. The questions and their weights are ours; the law behind each is in
//! `docs/quality.md`. *Not stated* never counts as an answer, and a licence that forbids training wins no points for it.

use super::{Mark, Metric, sum};
use crate::domain::dataset::{Dataset, Modality, TdmReservation};
use crate::domain::gdpr::{self, DpiaStatus, PersonalData};
use crate::domain::licence::{Answer, Licence};

/// How ready a dataset is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    /// The questions.
    pub metrics: Vec<Metric>,
    /// The points won, of 100.
    pub points: u32,
}

/// Judges how ready a dataset is.
pub fn readiness(dataset: &Dataset) -> Readiness {
    let mut metrics = terms(dataset);
    metrics.extend(content(dataset));
    metrics.extend(account(dataset));
    Readiness { points: sum(&metrics).0, metrics }
}

fn metric(key: &'static str, points: u32, met: bool, pointer: &'static str) -> Metric {
    Metric { key, points, mark: Mark::of(met), pointer }
}

/// Whether she may.
fn terms(dataset: &Dataset) -> Vec<Metric> {
    let licence = dataset.licence.as_ref();
    vec![
        metric("ready.licence", 8, licence.is_some_and(Licence::is_identified), "/licence"),
        metric(
            "ready.ai_training",
            10,
            licence.is_some_and(|licence| licence.permissions.ai_training == Answer::Yes),
            "/licence/permissions/ai_training",
        ),
        metric("ready.mining", 5, dataset.tdm_reservation != TdmReservation::NotStated, "/tdm_reservation"),
        metric("ready.personal_data", 7, dataset.gdpr.personal_data != PersonalData::NotStated, "/gdpr/personal_data"),
        metric("ready.lawful", 7, is_lawful(dataset), "/gdpr"),
    ]
}

/// Whether the ground for processing is stated as far as it is needed.
fn is_lawful(dataset: &Dataset) -> bool {
    let gdpr = &dataset.gdpr;
    match gdpr.personal_data {
        PersonalData::NotStated => false,
        PersonalData::No | PersonalData::Anonymised => true,
        PersonalData::Pseudonymised | PersonalData::Yes => {
            let is_special =
                !gdpr.special_categories.is_empty() || gdpr.categories.iter().any(gdpr::is_special_category);
            gdpr.legal_basis.iter().any(gdpr::is_legal_basis)
                && !gdpr.purposes.is_empty()
                && (!is_special || gdpr.special_condition.iter().any(gdpr::is_special_condition))
                && gdpr.dpia.as_ref().is_some_and(|dpia| dpia.status != DpiaStatus::Required)
        }
    }
}

/// Whether she can.
fn content(dataset: &Dataset) -> Vec<Metric> {
    let training = &dataset.training;
    let has_size = match training.modalities.contains(&Modality::Text) {
        true => training.tokens.is_some() || dataset.total_bytes().is_some(),
        false => dataset.total_bytes().is_some(),
    };
    let counted = !training.splits.is_empty() && training.splits.iter().all(|split| split.records.is_some());
    let columns: Vec<_> = dataset.record_sets.iter().flat_map(|set| &set.columns).collect();
    let has_types = !columns.is_empty() && columns.iter().all(|column| column.data_type.is_some());
    vec![
        metric("ready.modalities", 4, !training.modalities.is_empty(), "/training/modalities"),
        metric("ready.record_count", 6, training.record_count.is_some(), "/training/record_count"),
        metric("ready.size", 3, has_size, "/distributions"),
        metric("ready.splits", 4, !training.splits.is_empty(), "/training/splits"),
        metric("ready.split_counts", 3, counted, "/training/splits"),
        metric("ready.checksums", 9, is_checksummed(dataset), "/distributions"),
        metric("ready.columns", 4, !columns.is_empty(), "/record_sets"),
        metric("ready.column_types", 3, has_types, "/record_sets"),
    ]
}

/// Whether what was fetched can be verified: by a manifest, or every file that can be downloaded by its digest.
fn is_checksummed(dataset: &Dataset) -> bool {
    let has_manifest = dataset.manifest().is_some_and(|manifest| !manifest.shards.is_empty());
    let mut files = dataset.distributions.iter().filter(|distribution| distribution.download_url.is_some()).peekable();
    has_manifest || (files.peek().is_some() && files.all(|distribution| distribution.sha256.is_some()))
}

/// Whether she can account for it.
fn account(dataset: &Dataset) -> Vec<Metric> {
    let training = &dataset.training;
    let has_origin = !dataset.derived_from.is_empty() || dataset.provenance.is_some() || training.raw_data.is_some();
    vec![
        metric("ready.biases", 5, training.known_biases.is_some(), "/training/known_biases"),
        metric("ready.gaps", 4, training.gaps.is_some(), "/training/gaps"),
        metric("ready.intended_use", 4, training.intended_use.is_some(), "/training/intended_use"),
        metric("ready.out_of_scope", 2, training.out_of_scope.is_some(), "/training/out_of_scope"),
        metric("ready.collection", 3, training.collection_method.is_some(), "/training/collection_method"),
        metric("ready.collected", 2, training.collected.is_some(), "/training/collected"),
        metric("ready.preparation", 3, training.preparation.is_some(), "/training/preparation"),
        metric("ready.sources", 2, !training.source_categories.is_empty(), "/training/source_categories"),
        metric("ready.origin", 2, has_origin, "/provenance"),
    ]
}
