//! What somebody who trains with a dataset must know: MLDCAT-AP (`it6:`), Croissant RAI (`rai:`), and measurements (`dqv:`).
//!
//! MLDCAT-AP takes one text without languages where a record has several; the RAI term beside it has them all.

use oxrdf::NamedNode;

use super::Writer;
use super::graph::Part;
use super::licence::answer_word;
use super::names::{DCAT, DCT, DPV, DQV, IT6, OWN_TERMS, PROV, RAI, SKOS, XSD};
use crate::domain::dataset::{Annotation, Crawl, Modality, SourceCategory, Training};

impl Writer<'_> {
    pub(super) fn training(&mut self) {
        let training = &self.dataset.training;
        self.words(training);
        self.texts(training);
        self.collection(training);
        if let Some(annotation) = &training.annotators {
            self.annotation(annotation);
        }
        if let Some(crawl) = &training.crawl {
            self.crawl(crawl);
        }
        self.splits(training);
        self.measurements(training);
    }

    fn words(&mut self, training: &Training) {
        let me = self.me.0.clone();
        let g = &mut self.graph;
        for modality in &training.modalities {
            g.plain(&me, OWN_TERMS.at("modality"), Modality::as_str(*modality));
        }
        for (number, task) in training.tasks.iter().enumerate() {
            let node = Part(me.clone()).nth("task", number);
            g.add(&me, OWN_TERMS.at("task"), node.clone());
            g.position(&node, number);
            g.plain(&node, DCT.at("title"), task);
        }
        for kind in &training.collection_types {
            g.plain(&me, RAI.at("dataCollectionType"), kind);
        }
        for category in &training.source_categories {
            g.plain(&me, OWN_TERMS.at("sourceCategory"), source_category(*category));
            if *category == SourceCategory::Synthetic {
                g.add(&me, DPV.at("hasData"), DPV.at("SyntheticData"));
                g.concept(DPV.at("SyntheticData").as_str(), None);
            }
        }
        if let Some(generator) = &training.generator {
            g.plain(&me, OWN_TERMS.at("generator"), generator);
        }
    }

    fn texts(&mut self, training: &Training) {
        let me = self.me.0.clone();
        let g = &mut self.graph;
        for (property, text) in [
            (RAI.at("dataCollection"), &training.collection_method),
            (RAI.at("dataCollectionRawData"), &training.raw_data),
            (IT6.at("dataProvenance"), &training.raw_data),
            (RAI.at("dataPreprocessingProtocol"), &training.preparation),
            (IT6.at("curationMethod"), &training.preparation),
            (RAI.at("dataAnnotationProtocol"), &training.annotation),
            (OWN_TERMS.at("assumptions"), &training.assumptions),
            (RAI.at("dataBiases"), &training.known_biases),
            (IT6.at("biasMethod"), &training.known_biases),
            (OWN_TERMS.at("biasMeasures"), &training.bias_measures),
            (RAI.at("dataSocialImpact"), &training.social_impact),
            (RAI.at("personalSensitiveInformation"), &training.sensitive_information),
            (OWN_TERMS.at("setting"), &training.setting),
            (RAI.at("dataCollectionMissingData"), &training.gaps),
            (RAI.at("dataUseCases"), &training.intended_use),
            (RAI.at("dataLimitations"), &training.out_of_scope),
            (IT6.at("unsuitabilityMethod"), &training.out_of_scope),
            (RAI.at("dataReleaseMaintenancePlan"), &training.maintenance),
        ] {
            g.some_text(&me, property, text.as_ref());
        }
        if let Some(method) = &training.collection_method {
            g.plain(&me, IT6.at("collectionMethod"), method.best(&[]).1);
        }
    }

    /// When it was collected: the period in our own term and as an activity, its last known day where MLDCAT-AP asks.
    fn collection(&mut self, training: &Training) {
        let Some(period) = &training.collected else { return };
        let (me, node, activity) = (self.me.0.clone(), self.me.part("collected"), self.me.part("collection"));
        let g = &mut self.graph;
        if let Some(day) = period.end.or(period.start) {
            g.typed(&me, IT6.at("collectionDate"), day, "date");
        }
        g.add(&me, OWN_TERMS.at("collected"), node.clone());
        g.period(&node, period);
        g.add(&me, PROV.at("wasGeneratedBy"), activity.clone());
        g.class(&activity, PROV.at("Activity"));
        g.add(&activity, DCT.at("temporal"), node);
    }

    fn annotation(&mut self, annotation: &Annotation) {
        let me = self.me.0.clone();
        let g = &mut self.graph;
        if let Some(platform) = &annotation.platform {
            g.plain(&me, RAI.at("dataAnnotationPlatform"), platform);
        }
        if let Some(count) = annotation.per_item {
            g.count(&me, RAI.at("annotationsPerItem"), count);
        }
        g.some_text(&me, RAI.at("annotatorDemographics"), annotation.people.as_ref());
        for tool in &annotation.tools {
            g.plain(&me, RAI.at("machineAnnotationTools"), tool);
        }
        g.some_text(&me, RAI.at("dataAnnotationAnalysis"), annotation.analysis.as_ref());
    }

    fn crawl(&mut self, crawl: &Crawl) {
        let (me, node) = (self.me.0.clone(), self.me.part("crawl"));
        let g = &mut self.graph;
        g.add(&me, PROV.at("wasGeneratedBy"), node.clone());
        g.add(&me, OWN_TERMS.at("crawl"), node.clone());
        g.class(&node, PROV.at("Activity"));
        if let Some(period) = &crawl.period {
            let part = Part(node.clone()).part("period");
            g.add(&node, DCT.at("temporal"), part.clone());
            g.period(&part, period);
        }
        for domain in &crawl.domains {
            g.plain(&node, OWN_TERMS.at("domain"), domain);
        }
        for (name, answer) in
            [("robotsHonoured", crawl.robots_honoured), ("reservationsHonoured", crawl.reservations_honoured)]
        {
            if let Some(word) = answer_word(answer) {
                g.plain(&node, OWN_TERMS.at(name), word);
            }
        }
    }

    fn splits(&mut self, training: &Training) {
        let me = self.me.0.clone();
        for (number, split) in training.splits.iter().enumerate() {
            let node = self.me.nth("split", number);
            let distributions: Vec<NamedNode> = self.distribution_nodes();
            let g = &mut self.graph;
            g.add(&me, OWN_TERMS.at("split"), node.clone());
            g.position(&node, number);
            g.plain(&node, DCT.at("identifier"), &split.name);
            g.plain(&node, DCT.at("title"), &split.name);
            if let Some(records) = split.records {
                g.count(&node, OWN_TERMS.at("records"), records);
            }
            if let Some(bytes) = split.bytes {
                g.count(&node, DCAT.at("byteSize"), bytes);
            }
            // A split of MLDCAT-AP is a split of a distribution.
            if !distributions.is_empty() {
                g.class(&node, IT6.at("Split"));
                distributions.into_iter().for_each(|of| g.add(&node, IT6.at("isAppliedTo"), of));
            }
        }
    }

    /// What was counted, each as a measurement that the dataset and its distributions have.
    fn measurements(&mut self, training: &Training) {
        if let Some(count) = training.record_count {
            self.measurement("records", "Number of records", count);
        }
        if let Some(tokens) = &training.tokens {
            let node = self.measurement("tokens", "Number of tokens", tokens.count);
            self.graph.plain(&node, OWN_TERMS.at("tokeniser"), &tokens.tokeniser);
        }
        if let Some(bytes) = self.dataset.total_bytes() {
            self.measurement("bytes", "Size in bytes", bytes);
        }
        for (number, split) in training.splits.iter().enumerate() {
            if let Some(records) = split.records {
                let role = format!("split-{}-records", number + 1);
                self.measurement(&role, &format!("Number of records of the split {}", split.name), records);
            }
        }
    }

    fn measurement(&mut self, role: &str, title: &str, count: u64) -> NamedNode {
        let node = self.me.part(&format!("measurement-{role}"));
        let is_of_split = role.starts_with("split-");
        let metric =
            if is_of_split { self.me.part(&format!("metric-{role}")) } else { OWN_TERMS.at(&format!("metric-{role}")) };
        let mut holders = vec![self.me.0.clone()];
        holders.extend(self.distribution_nodes());
        let g = &mut self.graph;
        for holder in holders {
            g.add(&holder, DQV.at("hasQualityMeasurement"), node.clone());
        }
        g.class(&node, DQV.at("QualityMeasurement"));
        g.add(&node, DQV.at("isMeasurementOf"), metric.clone());
        g.add(&node, DCT.at("type"), metric.clone());
        g.add(
            &node,
            DQV.at("value"),
            oxrdf::Literal::new_typed_literal(count.to_string(), XSD.at("nonNegativeInteger")),
        );
        for class in [DQV.at("Metric"), SKOS.at("Concept"), IT6.at("DataQuality")] {
            g.class(&metric, class);
        }
        g.plain(&metric, DCT.at("identifier"), role);
        g.word(&metric, DCT.at("title"), &english(), title);
        g.word(&metric, SKOS.at("prefLabel"), &english(), title);
        node
    }
}

pub(super) fn english() -> crate::domain::ids::LanguageTag {
    "en".parse().expect("en is a tag")
}

/// A category as the record spells it.
fn source_category(category: SourceCategory) -> &'static str {
    match category {
        SourceCategory::PublicDataset => "public_dataset",
        SourceCategory::LicensedPrivate => "licensed_private",
        SourceCategory::OtherPrivate => "other_private",
        SourceCategory::WebCrawled => "web_crawled",
        SourceCategory::UserData => "user_data",
        SourceCategory::Synthetic => "synthetic",
        SourceCategory::Other => "other",
    }
}
