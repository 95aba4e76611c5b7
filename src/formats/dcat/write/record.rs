//! The catalogue's record of a dataset: when it was registered and revised, its digest, and where it was read.

use oxrdf::NamedNode;

use super::Writer;
use super::names::{ADMS, DCAT, DCT, FOAF, OWN_TERMS, PROV};

impl Writer<'_> {
    pub(super) fn catalogue_record(&mut self) {
        let (me, record) = (self.me.0.clone(), self.record);
        let node = self.record_node();
        let page = self.page();
        let g = &mut self.graph;
        g.class(&node, DCAT.at("CatalogRecord"));
        g.add(&node, FOAF.at("primaryTopic"), me.clone());
        g.typed(&node, DCT.at("issued"), record.registered, "dateTime");
        g.typed(&node, DCT.at("modified"), record.revised, "dateTime");
        g.plain(&node, DCT.at("identifier"), &format!("sha256:{}", record.etag()));
        g.count(&node, OWN_TERMS.at("revision"), record.revision.0.into());
        let standard = NamedNode::new_unchecked("http://data.europa.eu/r5r/");
        g.add(&node, DCT.at("conformsTo"), standard.clone());
        g.class(&standard, DCT.at("Standard"));
        g.link(&me, OWN_TERMS.at("page"), &page);
        if let Some(withdrawn) = &record.withdrawn {
            let status = "http://publications.europa.eu/resource/authority/dataset-status/WITHDRAWN";
            g.link(&me, ADMS.at("status"), status);
            g.concept(status, None);
            g.plain(&me, OWN_TERMS.at("withdrawalReason"), &withdrawn.reason);
            if let Some(successor) = &withdrawn.successor {
                g.link(&me, DCT.at("isReplacedBy"), successor.as_str());
            }
        }
        self.origin(&node);
    }

    /// Where it was read from. DCAT-AP wants the day of the last change of a source's record, which not every record has.
    fn origin(&mut self, node: &NamedNode) {
        let Some(source) = &self.dataset.source else { return };
        let (me, origin) = (self.me.0.clone(), self.me.part("origin"));
        let g = &mut self.graph;
        g.link(node, PROV.at("hadPrimarySource"), source.iri.as_str());
        g.add(node, OWN_TERMS.at("origin"), origin.clone());
        g.plain(&origin, DCT.at("title"), &source.name);
        g.plain(&origin, DCT.at("identifier"), &format!("sha256:{}", source.digest));
        if let Some(format) = &source.format {
            g.plain(&origin, OWN_TERMS.at("sourceFormat"), format);
        }
        if let Some(modified) = self.dataset.modified {
            g.add(node, DCT.at("source"), origin.clone());
            g.class(&origin, DCAT.at("CatalogRecord"));
            g.add(&origin, FOAF.at("primaryTopic"), me);
            g.typed(&origin, DCT.at("modified"), modified, "date");
        }
    }

    /// The name of the record: its address in the API of the node.
    pub(super) fn record_node(&self) -> NamedNode {
        NamedNode::new_unchecked(self.address(&format!("api/v1/datasets/{}", self.dataset.id.local())))
    }

    /// Its page on the node.
    pub(super) fn page(&self) -> String {
        self.place.page(&self.dataset.id).into()
    }

    /// An address below that of the node.
    pub(super) fn address(&self, path: &str) -> String {
        format!("{}/{path}", self.place.base.as_str().trim_end_matches('/'))
    }
}
