//! The GDPR block in the terms of the Data Privacy Vocabulary.

use super::graph::Part;
use super::names::{DCAT, DPV, DQV, FOAF, GDPR, OWN_TERMS, PROV};
use super::{Profile, Writer};
use crate::domain::bounds;
use crate::domain::gdpr::{DpiaStatus, Gdpr, PersonalData};

impl Writer<'_> {
    pub(super) fn gdpr(&mut self) {
        let gdpr = &self.dataset.gdpr;
        self.personal_data(gdpr);
        self.bases(gdpr);
        self.responsible(gdpr);
        self.keeping(gdpr);
        self.transfers(gdpr);
    }

    fn personal_data(&mut self, gdpr: &Gdpr) {
        let me = self.me.0.clone();
        let g = &mut self.graph;
        if let Some(kind) = data_kind(gdpr.personal_data) {
            let kind = DPV.at(kind);
            g.add(&me, DPV.at("hasData"), kind.clone());
            g.concept(kind.as_str(), None);
        }
        for (property, list) in [
            (DPV.at("hasPersonalData"), &gdpr.categories),
            (DPV.at("hasPersonalData"), &gdpr.special_categories),
            (OWN_TERMS.at("specialCategory"), &gdpr.special_categories),
            (DPV.at("hasPurpose"), &gdpr.purposes),
            (DPV.at("hasDataSubject"), &gdpr.data_subjects),
            (DPV.at("hasTechnicalOrganisationalMeasure"), &gdpr.measures),
        ] {
            for term in list {
                g.link(&me, property.clone(), term.as_str());
                g.concept(term.as_str(), None);
            }
        }
        g.some_text(&me, OWN_TERMS.at("collectionPurpose"), gdpr.collection_purpose.as_ref());
        if let Some(count) = gdpr.data_subject_count {
            g.count(&me, OWN_TERMS.at("dataSubjectCount"), count);
        }
    }

    /// The legal bases. The shape of the European Health Data Space looks for them in the namespace of data quality.
    fn bases(&mut self, gdpr: &Gdpr) {
        let me = self.me.0.clone();
        let g = &mut self.graph;
        for basis in gdpr.legal_basis.iter().chain(&gdpr.special_condition) {
            g.link(&me, DPV.at("hasLegalBasis"), basis.as_str());
            if self.profile == Profile::Health {
                g.link(&me, DQV.at("hasLegalBasis"), basis.as_str());
            }
            g.concept(basis.as_str(), None);
        }
        for condition in &gdpr.special_condition {
            g.link(&me, OWN_TERMS.at("specialCondition"), condition.as_str());
        }
    }

    fn responsible(&mut self, gdpr: &Gdpr) {
        let me = self.me.0.clone();
        for (role, property, agents) in [
            ("DataController", "hasDataController", &gdpr.controllers),
            ("DataProcessor", "hasDataProcessor", &gdpr.processors),
        ] {
            for (number, agent) in agents.iter().enumerate() {
                let nameless = self.me.nth(role, number);
                let attribution = self.me.nth(&format!("{role}-attribution"), number);
                let g = &mut self.graph;
                let node = g.agent(nameless, agent);
                g.add(&me, DPV.at(property), node.clone());
                g.add(&me, PROV.at("qualifiedAttribution"), attribution.clone());
                g.class(&attribution, PROV.at("Attribution"));
                g.add(&attribution, PROV.at("agent"), node);
                g.add(&attribution, DCAT.at("hadRole"), DPV.at(role));
                g.class(&DPV.at(role), DCAT.at("Role"));
            }
        }
        if let Some(officer) = &gdpr.dpo {
            let node = self.me.part("data-protection-officer");
            self.graph.add(&me, DPV.at("hasDataProtectionOfficer"), node.clone());
            self.graph.contact(&node, officer);
        }
        if let Some(desk) = &gdpr.rights_contact {
            let (right, node) = (self.me.part("rights-of-data-subjects"), self.me.part("rights-contact"));
            let g = &mut self.graph;
            g.add(&me, DPV.at("hasRight"), right.clone());
            g.class(&right, DPV.at("DataSubjectRight"));
            g.add(&right, DPV.at("isExercisedAt"), node.clone());
            g.contact(&node, desk);
        }
    }

    fn keeping(&mut self, gdpr: &Gdpr) {
        let me = self.me.0.clone();
        if let Some(retention) = &gdpr.retention {
            let node = self.me.part("retention");
            let g = &mut self.graph;
            g.add(&me, DPV.at("hasStorageCondition"), node.clone());
            g.class(&node, DPV.at("StorageDuration"));
            let kind = if bounds::parse_day(retention).is_some() { "date" } else { "duration" };
            g.typed(&node, DPV.at("hasDuration"), retention, kind);
        }
        if let Some(dpia) = &gdpr.dpia {
            let node = self.me.part("dpia");
            let g = &mut self.graph;
            g.add(&me, DPV.at("hasImpactAssessment"), node.clone());
            g.class(&node, DPV.at("DPIA"));
            let (word, term) = dpia_status(dpia.status);
            g.plain(&node, OWN_TERMS.at("dpiaStatus"), word);
            if let Some(term) = term {
                g.add(&node, DPV.at("hasStatus"), GDPR.at(term));
            }
            if let Some(reference) = &dpia.reference
                && let Some(page) = g.link(&node, FOAF.at("page"), reference.as_str())
            {
                g.class(&page, FOAF.at("Document"));
            }
        }
    }

    fn transfers(&mut self, gdpr: &Gdpr) {
        let me = self.me.0.clone();
        for country in &gdpr.processing_locations {
            self.graph.country(&me, DPV.at("hasLocation"), country);
        }
        for (number, transfer) in gdpr.transfers.iter().enumerate() {
            let node = Part(me.clone()).nth("transfer", number);
            let g = &mut self.graph;
            g.add(&me, OWN_TERMS.at("transfer"), node.clone());
            g.class(&node, DPV.at("Transfer"));
            g.country(&node, DPV.at("hasLocation"), &transfer.country);
            g.link(&node, DPV.at("hasLegalBasis"), transfer.tool.as_str());
        }
    }
}

fn data_kind(answer: PersonalData) -> Option<&'static str> {
    match answer {
        PersonalData::No => Some("NonPersonalData"),
        PersonalData::Anonymised => Some("AnonymisedData"),
        PersonalData::Pseudonymised => Some("PseudonymisedData"),
        PersonalData::Yes => Some("PersonalData"),
        PersonalData::NotStated => None,
    }
}

/// The word of the record, and the term of DPV that says the same. Its terms for a finished assessment say how that came
/// out, which a record does not state.
fn dpia_status(status: DpiaStatus) -> (&'static str, Option<&'static str>) {
    match status {
        DpiaStatus::NotRequired => ("not_required", Some("DPIANotRequired")),
        DpiaStatus::Required => ("required", Some("DPIARequired")),
        DpiaStatus::Completed => ("completed", None),
        DpiaStatus::Consulted => ("consulted", None),
    }
}
