//! Licences: the document for everybody, and a node that says what the source said and what is known of it.
//!
//! `dct:license` names one document: the licence's IRI, else its SPDX address, else the node itself. The node is an ODRL
//! set of what is permitted, prohibited and asked for, and says each answer in our own terms too, because ODRL cannot say
//! that something is *not* asked for.

use oxrdf::NamedNode;

use super::Writer;
use super::graph::{Graph, Part};
use super::names::{DCT, ODRL, OWN_TERMS, RDFS, TDM};
use crate::domain::licence::{Answer, Confidence, Licence, LicenceClass};

impl Writer<'_> {
    pub(super) fn licence(&mut self) {
        if let Some(licence) = &self.dataset.licence {
            let me = self.me.clone();
            self.graph.licence(&me, licence);
        }
    }
}

impl Graph {
    /// The licence of a dataset or distribution.
    pub(super) fn licence(&mut self, of: &Part, licence: &Licence) {
        let node = of.part("licence");
        self.add(&of.0, OWN_TERMS.at("licence"), node.clone());
        self.licence_document(of, &node, licence);
        self.class(&node, ODRL.at("Set"));
        self.class(&node, ODRL.at("Policy"));
        if let Some(spdx) = &licence.spdx {
            self.plain(&node, OWN_TERMS.at("spdx"), spdx);
        }
        if let Some(iri) = &licence.iri {
            self.link(&node, OWN_TERMS.at("iri"), iri.as_str());
        }
        if let Some(raw) = &licence.raw {
            self.plain(&node, RDFS.at("label"), raw);
        }
        if let Some(matched) = &licence.matched {
            self.plain(&node, OWN_TERMS.at("matchedBy"), &matched.rule);
            self.plain(&node, OWN_TERMS.at("confidence"), confidence(matched.confidence));
        }
        self.permissions(&node, licence);
    }

    /// Names the document; the licence node is described elsewhere.
    pub(super) fn licence_document(&mut self, of: &Part, node: &NamedNode, licence: &Licence) {
        let spdx = licence.spdx.as_ref().map(|id| format!("https://spdx.org/licenses/{id}"));
        let named = licence.iri.as_ref().map(|iri| iri.to_string()).or(spdx);
        let document = named.and_then(|iri| NamedNode::new(iri).ok()).unwrap_or_else(|| node.clone());
        self.add(&of.0, DCT.at("license"), document.clone());
        self.class(&document, DCT.at("LicenseDocument"));
        if document.as_str().starts_with("http://publications.europa.eu/resource/authority/licence/") {
            self.concept(document.as_str(), None);
        }
        let kind = match licence.class() {
            LicenceClass::PublicDomain => "PublicDomain",
            LicenceClass::Attribution => "Attribution",
            LicenceClass::ShareAlike => "ViralEffect-ShareAlike",
            LicenceClass::NonCommercial => "NonCommercialUseOnly",
            LicenceClass::NoDerivatives => "NoDerivativeWork",
            LicenceClass::Other => return,
        };
        let kind = format!("http://purl.org/adms/licencetype/{kind}");
        self.link(&document, DCT.at("type"), &kind);
        self.concept(&kind, None);
    }

    fn permissions(&mut self, node: &NamedNode, licence: &Licence) {
        let known = licence.permissions;
        for (name, answer, action) in [
            ("commercial", known.commercial, Some(ODRL.at("commercialize"))),
            ("derivatives", known.derivatives, Some(ODRL.at("derive"))),
            ("shareAlike", known.share_alike, None),
            ("attribution", known.attribution, None),
            ("aiTraining", known.ai_training, Some(OWN_TERMS.at("train"))),
            ("textAndDataMining", known.text_and_data_mining, Some(TDM.at("mine"))),
        ] {
            let Some(word) = answer_word(answer) else { continue };
            self.plain(node, OWN_TERMS.at(name), word);
            let (property, class, action) = match (action, answer) {
                (Some(action), Answer::Yes) => ("permission", "Permission", action),
                (Some(action), _) => ("prohibition", "Prohibition", action),
                (None, Answer::Yes) if name == "attribution" => ("obligation", "Duty", ODRL.at("attribute")),
                (None, Answer::Yes) => ("obligation", "Duty", ODRL.at("shareAlike")),
                (None, _) => continue,
            };
            let rule = Part(node.clone()).part(name);
            self.add(node, ODRL.at(property), rule.clone());
            self.class(&rule, ODRL.at(class));
            self.add(&rule, ODRL.at("action"), action);
        }
    }
}

/// An answer as it is written; nothing where nobody said.
pub(super) fn answer_word(answer: Answer) -> Option<&'static str> {
    match answer {
        Answer::Yes => Some("yes"),
        Answer::No => Some("no"),
        Answer::NotStated => None,
    }
}

fn confidence(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Likely => "likely",
        Confidence::Named => "named",
        Confidence::Exact => "exact",
    }
}
