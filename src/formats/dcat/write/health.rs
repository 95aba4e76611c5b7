//! What HealthDCAT-AP asks of health data.

use super::names::{DCT, HEALTH, SKOS};
use super::{Profile, Writer};
use crate::domain::licence::Answer;

/// The regulation on the European Health Data Space.
pub(super) const EHDS: &str = "http://data.europa.eu/eli/reg/2025/327/oj";

impl Writer<'_> {
    pub(super) fn health(&mut self) {
        if self.profile == Profile::Health {
            self.counts();
        }
        let (me, dataset) = (self.me.0.clone(), self.dataset);
        let Some(health) = &dataset.health else { return };
        if let Some(body) = &health.access_body {
            let nameless = self.me.part("health-data-access-body");
            let node = self.graph.agent(nameless, body);
            self.graph.add(&me, HEALTH.at("hdab"), node);
        }
        let g = &mut self.graph;
        for (name, list) in [("healthCategory", &health.categories), ("healthTheme", &health.themes)] {
            for term in list {
                g.link(&me, HEALTH.at(name), term.as_str());
                g.concept(term.as_str(), None);
            }
        }
        for system in &health.coding_systems {
            if let Some(node) = g.link(&me, HEALTH.at("hasCodingSystem"), system.as_str()) {
                g.class(&node, DCT.at("Standard"));
            }
        }
        for code in &health.code_values {
            let Some(node) = g.link(&me, HEALTH.at("hasCodeValues"), code.as_str()) else { continue };
            g.typed(&node, DCT.at("identifier"), code, "anyURI");
            // Of several coding systems nobody says to which a code belongs.
            if let [system] = &health.coding_systems[..] {
                g.link(&node, SKOS.at("inScheme"), system.as_str());
            }
        }
        g.some_text(&me, HEALTH.at("populationCoverage"), health.population.as_ref());
        for (name, age) in [("minTypicalAge", health.min_age), ("maxTypicalAge", health.max_age)] {
            if let Some(age) = age {
                g.count(&me, HEALTH.at(name), age);
            }
        }
        match health.trusted_holder {
            Answer::Yes => g.typed(&me, HEALTH.at("trustedDataHolder"), true, "boolean"),
            Answer::No => g.typed(&me, HEALTH.at("trustedDataHolder"), false, "boolean"),
            Answer::NotStated => {}
        }
        self.publisher_of_health_data();
    }

    /// The profile counts people and records in terms of its own.
    fn counts(&mut self) {
        let me = self.me.0.clone();
        if let Some(count) = self.dataset.gdpr.data_subject_count {
            self.graph.count(&me, HEALTH.at("numberOfUniqueIndividuals"), count);
        }
        if let Some(count) = self.dataset.training.record_count {
            self.graph.count(&me, HEALTH.at("numberOfRecords"), count);
        }
    }

    /// The profile asks these things of the publisher, not of the dataset.
    fn publisher_of_health_data(&mut self) {
        let (Some(publisher), Some(health)) = (&self.dataset.publisher, &self.dataset.health) else { return };
        let nameless = self.me.part("publisher");
        let node = self.graph.agent(nameless, publisher);
        if let Some(kind) = &publisher.kind {
            self.graph.link(&node, HEALTH.at("publisherType"), kind.as_str());
        }
        if health.trusted_holder != Answer::NotStated {
            let trusted = health.trusted_holder == Answer::Yes;
            self.graph.typed(&node, HEALTH.at("trustedDataHolder"), trusted, "boolean");
        }
    }
}
