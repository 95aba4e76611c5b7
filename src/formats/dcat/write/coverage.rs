//! Where and when: places and periods.
//!
//! `dct:spatial` names what the shapes know: an IRI, or the country of the EU table. A place with a name, a box or no IRI
//! is described as a node of its own, because a record must not say something about an IRI that is not its own.

use oxrdf::NamedNode;

use super::Writer;
use super::graph::Graph;
use super::names::{DCAT, DCT, OWN_TERMS, SKOS};
use crate::domain::dataset::Period;
use crate::domain::ids::Country;
use crate::vocabulary;

impl Writer<'_> {
    pub(super) fn places(&mut self) {
        let (me, dataset) = (self.me.0.clone(), self.dataset);
        self.graph.country(&me, OWN_TERMS.at("country"), &dataset.country);
        for (number, place) in dataset.spatial.iter().enumerate() {
            let node = self.me.nth("place", number);
            let g = &mut self.graph;
            let known = place.iri.as_ref().map(|iri| iri.as_str());
            let known = known.or_else(|| place.country.as_ref().and_then(vocabulary::country_iri));
            if let Some(iri) = known {
                g.link(&me, DCT.at("spatial"), iri);
                g.location(iri);
            }
            if known.is_none() || place.name.is_some() || place.bbox.is_some() {
                g.add(&me, DCT.at("spatial"), node.clone());
            }
            g.add(&me, OWN_TERMS.at("place"), node.clone());
            g.class(&node, DCT.at("Location"));
            g.position(&node, number);
            g.some_text(&node, SKOS.at("prefLabel"), place.name.as_ref());
            if let Some(iri) = &place.iri {
                g.link(&node, OWN_TERMS.at("iri"), iri.as_str());
            }
            if let Some(country) = &place.country {
                g.country(&node, OWN_TERMS.at("country"), country);
            }
            if let Some(bbox) = place.bbox {
                g.corners(&node, bbox.corners());
            }
        }
    }

    pub(super) fn periods(&mut self) {
        let me = self.me.0.clone();
        for (number, period) in self.dataset.temporal.iter().enumerate() {
            let node = self.me.nth("period", number);
            self.graph.position(&node, number);
            self.graph.period(&node, period);
            self.graph.add(&me, DCT.at("temporal"), node);
        }
    }
}

impl Graph {
    pub(super) fn period(&mut self, node: &NamedNode, period: &Period) {
        self.class(node, DCT.at("PeriodOfTime"));
        if let Some(start) = period.start {
            self.typed(node, DCAT.at("startDate"), start, "date");
        }
        if let Some(end) = period.end {
            self.typed(node, DCAT.at("endDate"), end, "date");
        }
    }

    /// A country: its entry in the EU table, or its code where the table has none.
    pub(super) fn country(&mut self, subject: &NamedNode, property: NamedNode, country: &Country) {
        match vocabulary::country_iri(country) {
            Some(iri) => {
                self.link(subject, property, iri);
                self.location(iri);
            }
            None => self.plain(subject, property, country.as_str()),
        }
    }
}
