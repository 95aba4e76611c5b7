//! What the GDPR block says, held against itself and against the rest of the record.

use jiff::Span;
use jiff::civil::Date;

use super::super::finding::{Finding, Findings, Rule, Severity};
use crate::domain::bounds;
use crate::domain::dataset::Dataset;
use crate::domain::gdpr::{self, DpiaStatus, Gdpr, PersonalData};
use crate::domain::ids::Iri;
use crate::domain::training::SourceCategory;
use crate::vocabulary;

/// From how many people on special categories are taken to be processed on a large scale. The law has no number
/// (Article 35(3)(b), recital 91); this one is ours, and what follows from it is a warning.
const LARGE_SCALE: u64 = 5_000;
/// Below this age the GDPR protects people as children (Article 8 and recital 38; the Convention on the Rights of the
/// Child, Article 1).
const GROWN_UP: u64 = 18;

const CHILD: &str = "https://w3id.org/dpv#Child";
const DEIDENTIFICATION: &str = "https://w3id.org/dpv#Deidentification";
const PSEUDONYMISATION: &str = "https://w3id.org/dpv#Pseudonymisation";
const CONSENT: &str = "https://w3id.org/dpv/legal/eu/gdpr#A6-1-a";
/// Ways to make people unidentifiable that DPV does not put under de-identification.
const OTHER_WAYS: [&str; 4] = [
    "https://w3id.org/dpv#DifferentialPrivacy",
    "https://w3id.org/dpv#DataRedaction",
    "https://w3id.org/dpv#DataSanitisationTechnique",
    "https://w3id.org/dpv#UseSyntheticData",
];

pub(super) fn find(dataset: &Dataset, found: &mut Findings) {
    let gdpr = &dataset.gdpr;
    measures(gdpr, found);
    transfers(gdpr, found);
    people(dataset, found);
    impact(dataset, found);
    retention(dataset, found);
}

fn measures(gdpr: &Gdpr, found: &mut Findings) {
    let pseudonymises = |term: &Iri| vocabulary::is_within(term.as_str(), PSEUDONYMISATION);
    found.when(
        gdpr.personal_data == PersonalData::Pseudonymised
            && !gdpr.measures.is_empty()
            && !gdpr.measures.iter().any(pseudonymises),
        Severity::Warning,
        Rule::Law,
        "pseudonymised_by_nothing",
        "/gdpr/measures",
    );
    let anonymises =
        |term: &Iri| vocabulary::is_within(term.as_str(), DEIDENTIFICATION) || OTHER_WAYS.contains(&term.as_str());
    found.when(
        gdpr.personal_data == PersonalData::Anonymised && !gdpr.measures.iter().any(anonymises),
        Severity::Advice,
        Rule::Law,
        "anonymised_by_nothing",
        "/gdpr/measures",
    );
}

fn transfers(gdpr: &Gdpr, found: &mut Findings) {
    for (at, transfer) in gdpr.transfers.iter().enumerate() {
        if gdpr::is_in_eea(&transfer.country) {
            found.push(
                Finding::new(
                    Severity::Warning,
                    Rule::Law,
                    "transfer_within_eea",
                    format!("/gdpr/transfers/{at}/country"),
                )
                .with("found", transfer.country.as_str()),
            );
        } else if !gdpr.processing_locations.is_empty() && !gdpr.processing_locations.contains(&transfer.country) {
            found.push(
                Finding::new(
                    Severity::Advice,
                    Rule::Law,
                    "transfer_without_location",
                    format!("/gdpr/transfers/{at}/country"),
                )
                .with("found", transfer.country.as_str()),
            );
        }
    }
}

fn people(dataset: &Dataset, found: &mut Findings) {
    let gdpr = &dataset.gdpr;
    let names_people = gdpr.data_subject_count.is_some_and(|count| count > 0) || !gdpr.data_subjects.is_empty();
    found.when(
        gdpr.personal_data == PersonalData::No && (names_people || !gdpr.legal_basis.is_empty()),
        Severity::Warning,
        Rule::Law,
        "people_without_personal_data",
        "/gdpr/personal_data",
    );
    let comes_from_users = dataset.training.source_categories.contains(&SourceCategory::UserData);
    found.when(
        gdpr.personal_data == PersonalData::No && comes_from_users,
        Severity::Advice,
        Rule::Law,
        "users_without_personal_data",
        "/gdpr/personal_data",
    );
    let ages = dataset.health.as_ref().map(|health| (health.min_age, health.max_age));
    found.when(
        ages.is_some_and(|(min, max)| min.zip(max).is_some_and(|(min, max)| max < min)),
        Severity::Warning,
        Rule::Quality,
        "ages_backwards",
        "/health/max_age",
    );
    if !gdpr.personal_data.is_personal() {
        return;
    }
    let is_child = |term: &Iri| vocabulary::is_within(term.as_str(), CHILD);
    let names_children = gdpr.data_subjects.iter().any(is_child);
    let is_young = ages.is_some_and(|(min, _)| min.is_some_and(|age| age < GROWN_UP));
    found.when(is_young && !names_children, Severity::Warning, Rule::Law, "children_not_named", "/gdpr/data_subjects");
    let by_consent = gdpr.legal_basis.iter().any(|term| term.as_str().starts_with(CONSENT));
    found.when(
        (names_children || is_young) && by_consent,
        Severity::Warning,
        Rule::Law,
        "consent_of_children",
        "/gdpr/legal_basis",
    );
    found.when(
        is_special(gdpr) && dataset.training.sensitive_information.is_none(),
        Severity::Advice,
        Rule::Law,
        "special_without_note",
        "/training/sensitive_information",
    );
}

fn is_special(gdpr: &Gdpr) -> bool {
    gdpr.special_categories.iter().chain(&gdpr.categories).any(gdpr::is_special_category)
        || !gdpr.special_categories.is_empty()
}

/// Whether an impact assessment was left out where it can hardly be.
fn impact(dataset: &Dataset, found: &mut Findings) {
    let gdpr = &dataset.gdpr;
    let is_left_out = gdpr.dpia.as_ref().is_some_and(|dpia| dpia.status == DpiaStatus::NotRequired);
    let count = gdpr.data_subject_count.unwrap_or_default();
    if gdpr.personal_data.is_personal() && is_left_out && is_special(gdpr) && count >= LARGE_SCALE {
        found.push(
            Finding::new(Severity::Violation, Rule::Law, "special_at_scale_without_dpia", "/gdpr/dpia")
                .with("found", count),
        );
    }
    let has_children = gdpr.data_subjects.iter().any(|term| vocabulary::is_within(term.as_str(), CHILD));
    found.when(
        gdpr.personal_data.is_personal() && is_left_out && has_children,
        Severity::Warning,
        Rule::Law,
        "children_without_dpia",
        "/gdpr/dpia",
    );
    let is_done = |status| matches!(status, DpiaStatus::Completed | DpiaStatus::Consulted);
    found.when(
        gdpr.dpia.as_ref().is_some_and(|dpia| is_done(dpia.status) && dpia.reference.is_none()),
        Severity::Advice,
        Rule::Law,
        "dpia_without_reference",
        "/gdpr/dpia/reference",
    );
}

fn retention(dataset: &Dataset, found: &mut Findings) {
    let Some(retention) = &dataset.gdpr.retention else { return };
    let collected = dataset.training.collected.as_ref().and_then(|period| period.end);
    let end = end_of(retention, collected);
    found.when(
        bounds::parse_day(retention).zip(collected).is_some_and(|(kept, collected)| kept < collected),
        Severity::Warning,
        Rule::Law,
        "retention_before_collection_ends",
        "/gdpr/retention",
    );
    // A duty to delete that comes after the time for which the data may be kept.
    let permissions = dataset.policy.as_ref().map_or(&[][..], |policy| &policy.permissions);
    for (at, rule) in permissions.iter().enumerate() {
        for (duty_at, duty) in rule.duties.iter().enumerate().filter(|(_, duty)| is_delete(&duty.action)) {
            let latest = duty.constraints.iter().flat_map(|constraint| &constraint.right);
            let latest = latest.filter_map(|day| bounds::parse_day(day)).max();
            found.when(
                latest.zip(end).is_some_and(|(latest, end)| latest > end),
                Severity::Warning,
                Rule::Law,
                "deletion_after_retention",
                &format!("/policy/permissions/{at}/duties/{duty_at}"),
            );
        }
    }
}

fn is_delete(action: &str) -> bool {
    ["delete", "odrl:delete", "http://www.w3.org/ns/odrl/2/delete"].contains(&action)
}

/// The day until which data may be kept: as it is written, or so long after it was collected.
fn end_of(retention: &str, collected: Option<Date>) -> Option<Date> {
    bounds::parse_day(retention).or_else(|| collected?.checked_add(retention.parse::<Span>().ok()?).ok())
}
