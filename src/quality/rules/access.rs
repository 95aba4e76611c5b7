//! How one comes to the data and under which terms: licence against reservation and policy, access rights against ways.

use jiff::civil::Date;

use super::super::finding::{Finding, Findings, Rule, Severity};
use crate::domain::dataset::{AccessRights, Dataset, TdmReservation};
use crate::domain::licence::{Answer, Confidence};
use crate::vocabulary;

const COMMERCIAL: [&str; 3] =
    ["https://w3id.org/dpv#CommercialPurpose", "https://w3id.org/dpv#Marketing", "https://w3id.org/dpv#SellProducts"];

pub(super) fn find(dataset: &Dataset, today: Date, found: &mut Findings) {
    mining(dataset, found);
    licence(dataset, found);
    ways(dataset, found);
    purposes(dataset, found);
    days(dataset, today, found);
}

/// The reservation of text and data mining against what the licence permits.
fn mining(dataset: &Dataset, found: &mut Findings) {
    let permissions = dataset.licence.as_ref().map(|licence| licence.permissions).unwrap_or_default();
    found.when(
        dataset.tdm_reservation == TdmReservation::Reserved
            && (permissions.text_and_data_mining == Answer::Yes || permissions.ai_training == Answer::Yes)
            && !is_by_agreement(dataset),
        Severity::Warning,
        Rule::Law,
        "reserved_against_licence",
        "/tdm_reservation",
    );
    found.when(
        dataset.tdm_reservation == TdmReservation::NotReserved && permissions.text_and_data_mining == Answer::No,
        Severity::Warning,
        Rule::Law,
        "not_reserved_against_licence",
        "/tdm_reservation",
    );
    found.when(
        dataset.tdm_policy.is_some() && dataset.tdm_reservation != TdmReservation::Reserved,
        Severity::Advice,
        Rule::Law,
        "mining_policy_without_reservation",
        "/tdm_policy",
    );
}

/// Whether the data goes only to those who agreed to terms: then a reservation speaks to everybody else.
fn is_by_agreement(dataset: &Dataset) -> bool {
    matches!(dataset.access_rights, AccessRights::Restricted | AccessRights::NonPublic)
}

fn licence(dataset: &Dataset, found: &mut Findings) {
    let of_distributions = dataset.distributions.iter().enumerate().filter_map(|(at, distribution)| {
        Some((format!("/distributions/{at}/licence"), distribution.licence.as_ref()?))
    });
    let own = dataset.licence.as_ref().map(|licence| ("/licence".to_owned(), licence));
    for (pointer, licence) in own.into_iter().chain(of_distributions) {
        if let Some(raw) = licence.raw.as_deref().filter(|_| !licence.is_identified()) {
            found.push(
                Finding::new(Severity::Warning, Rule::Quality, "licence_not_resolved", pointer.clone())
                    .with("found", super::super::gathered::shown(raw)),
            );
        }
        let is_likely = licence.matched.as_ref().is_some_and(|matched| matched.confidence == Confidence::Likely);
        if is_likely {
            let raw = super::super::gathered::shown(licence.raw.as_deref().unwrap_or_default());
            found.push(
                Finding::new(Severity::Advice, Rule::Quality, "licence_read_by_program", pointer)
                    .with("found", raw)
                    .with("name", licence.label()),
            );
        }
    }
}

/// Access rights against the ways to the data.
fn ways(dataset: &Dataset, found: &mut Findings) {
    let leads_there = !dataset.landing_pages.is_empty()
        || dataset.distributions.iter().any(|distribution| {
            distribution.access_url.is_some() || distribution.download_url.is_some() || distribution.manifest.is_some()
        });
    found.when(
        dataset.access_rights == AccessRights::Public && !leads_there,
        Severity::Warning,
        Rule::Quality,
        "public_without_way",
        "/distributions",
    );
    let is_askable = leads_there || dataset.contact.is_some();
    found.when(
        is_by_agreement(dataset) && !is_askable,
        Severity::Warning,
        Rule::Quality,
        "closed_without_way",
        "/contact",
    );
}

/// What the policy permits against what it prohibits, and against the licence.
fn purposes(dataset: &Dataset, found: &mut Findings) {
    let Some(policy) = &dataset.policy else { return };
    let prohibited: Vec<&str> = policy
        .prohibitions
        .iter()
        .filter(|rule| rule.constraints.len() == 1)
        .flat_map(|rule| &rule.constraints)
        .filter(|constraint| is_purpose(&constraint.left) && is_positive(&constraint.operator))
        .flat_map(|constraint| constraint.right.iter().map(String::as_str))
        .collect();
    let forbids_commerce = dataset.licence.as_ref().is_some_and(|licence| licence.permissions.commercial == Answer::No);
    for (rule_at, rule) in policy.permissions.iter().enumerate() {
        for (at, constraint) in rule.constraints.iter().enumerate() {
            if !is_purpose(&constraint.left) || !is_positive(&constraint.operator) {
                continue;
            }
            for (right_at, purpose) in constraint.right.iter().enumerate() {
                let pointer = format!("/policy/permissions/{rule_at}/constraints/{at}/right/{right_at}");
                let purpose = full(purpose);
                if prohibited.iter().any(|wide| vocabulary::is_within(&purpose, &full(wide))) {
                    found.push(
                        Finding::new(
                            Severity::Warning,
                            Rule::Quality,
                            "purpose_permitted_and_prohibited",
                            pointer.clone(),
                        )
                        .with("found", &purpose),
                    );
                }
                if forbids_commerce && COMMERCIAL.iter().any(|wide| vocabulary::is_within(&purpose, wide)) {
                    found.push(
                        Finding::new(Severity::Warning, Rule::Law, "commerce_against_licence", pointer)
                            .with("found", &purpose),
                    );
                }
            }
        }
    }
}

fn is_purpose(left: &str) -> bool {
    ["purpose", "odrl:purpose", "http://www.w3.org/ns/odrl/2/purpose"].contains(&left)
}

fn is_positive(operator: &str) -> bool {
    let operator = operator.trim_start_matches("odrl:").trim_start_matches("http://www.w3.org/ns/odrl/2/");
    ["eq", "isA", "isAnyOf"].contains(&operator)
}

/// A purpose by its whole IRI, where it was shortened.
fn full(purpose: &str) -> String {
    purpose.strip_prefix("dpv:").map_or_else(|| purpose.to_owned(), |term| format!("https://w3id.org/dpv#{term}"))
}

fn days(dataset: &Dataset, today: Date, found: &mut Findings) {
    found.when(
        dataset.issued.zip(dataset.modified).is_some_and(|(issued, modified)| modified < issued),
        Severity::Advice,
        Rule::Quality,
        "modified_before_issued",
        "/modified",
    );
    found.when(
        dataset.modified.is_some_and(|day| day > today),
        Severity::Advice,
        Rule::Quality,
        "modified_in_the_future",
        "/modified",
    );
}
