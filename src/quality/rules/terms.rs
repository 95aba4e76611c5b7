//! Terms of the Data Privacy Vocabulary: each field takes terms of one kind, and a term that does not exist says nothing.

use super::super::finding::{Finding, Findings, Rule, Severity};
use super::super::messages::KIND;
use crate::domain::gdpr::{DPV, DPV_PD, EU_GDPR, Gdpr};
use crate::domain::ids::Iri;
use crate::vocabulary;

/// What a field takes.
#[derive(Clone, Copy)]
struct Kind {
    /// Concepts, one of which a term must lie below.
    roots: &'static [&'static str],
    /// Its key in the table of messages.
    name: &'static str,
}

const PURPOSE: Kind = Kind { roots: &["https://w3id.org/dpv#Purpose"], name: "kind.purpose" };
const SUBJECT: Kind = Kind {
    roots: &["https://w3id.org/dpv#DataSubject", "https://w3id.org/dpv#HumanSubject"],
    name: "kind.data_subject",
};
const MEASURE: Kind = Kind { roots: &["https://w3id.org/dpv#TechnicalOrganisationalMeasure"], name: "kind.measure" };
const TOOL: Kind = Kind {
    roots: &["https://w3id.org/dpv#DataTransferLegalBasis", "https://w3id.org/dpv/legal/eu/gdpr#DataTransferTool"],
    name: "kind.transfer_tool",
};
const CATEGORY: Kind = Kind { roots: &[], name: "kind.personal_data" };

/// Judges every term whose kind `domain::warnings` does not judge already.
pub(super) fn find(gdpr: &Gdpr, found: &mut Findings) {
    let lists: [(&str, &[Iri], Kind); 5] = [
        ("categories", &gdpr.categories, CATEGORY),
        ("special_categories", &gdpr.special_categories, CATEGORY),
        ("purposes", &gdpr.purposes, PURPOSE),
        ("data_subjects", &gdpr.data_subjects, SUBJECT),
        ("measures", &gdpr.measures, MEASURE),
    ];
    for (field, terms, kind) in lists {
        for (at, term) in terms.iter().enumerate() {
            judge(term, kind, &format!("/gdpr/{field}/{at}"), found);
        }
    }
    for (at, transfer) in gdpr.transfers.iter().enumerate() {
        judge(&transfer.tool, TOOL, &format!("/gdpr/transfers/{at}/tool"), found);
    }
}

fn judge(term: &Iri, kind: Kind, pointer: &str, found: &mut Findings) {
    let text = term.as_str();
    let is_dpv = [DPV, DPV_PD, EU_GDPR].iter().any(|namespace| text.starts_with(namespace));
    let is_known = vocabulary::concept_iri(text).is_some();
    let (severity, code) = match (is_dpv, is_known) {
        (true, false) => (Severity::Warning, "unknown_dpv_term"),
        (true, true) if !is_of(text, kind) => (Severity::Warning, "dpv_term_of_other_kind"),
        (true, true) => return,
        // Somebody's own concept may be exact; only nobody else's tool will understand it.
        (false, _) => (Severity::Advice, "term_outside_dpv"),
    };
    found.push(Finding::new(severity, Rule::Quality, code, pointer).with("found", text).with(KIND, kind.name));
}

fn is_of(term: &str, kind: Kind) -> bool {
    if kind.roots.is_empty() {
        return term.starts_with(DPV_PD);
    }
    kind.roots.iter().any(|root| vocabulary::is_within(term, root))
}
