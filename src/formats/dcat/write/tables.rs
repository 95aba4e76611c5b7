//! Tables and their columns, in the terms of CSV on the Web.

use super::Writer;
use super::graph::Part;
use super::names::{CSVW, DCT, OWN_TERMS, RDFS};

impl Writer<'_> {
    pub(super) fn tables(&mut self) {
        let me = self.me.0.clone();
        for (number, table) in self.dataset.record_sets.iter().enumerate() {
            let part = Part(self.me.nth("table", number));
            let g = &mut self.graph;
            g.add(&me, OWN_TERMS.at("recordSet"), part.0.clone());
            g.class(&part.0, CSVW.at("Table"));
            g.position(&part.0, number);
            g.plain(&part.0, DCT.at("title"), &table.name);
            g.some_text(&part.0, DCT.at("description"), table.description.as_ref());
            for (number, name) in table.key.iter().enumerate() {
                let key = part.nth("key", number);
                g.add(&part.0, OWN_TERMS.at("key"), key.clone());
                g.position(&key, number);
                g.plain(&key, RDFS.at("label"), name);
                g.plain(&part.0, CSVW.at("primaryKey"), name);
            }
            for (number, column) in table.columns.iter().enumerate() {
                let node = part.nth("column", number);
                g.add(&part.0, CSVW.at("column"), node.clone());
                g.class(&node, CSVW.at("Column"));
                g.position(&node, number);
                g.plain(&node, CSVW.at("name"), &column.name);
                g.plain(&node, CSVW.at("titles"), &column.name);
                if let Some(kind) = &column.data_type {
                    g.plain(&node, CSVW.at("datatype"), kind);
                }
                if let Some(first) = column.semantic_types.first() {
                    g.link(&node, CSVW.at("propertyUrl"), first.as_str());
                }
                for meaning in &column.semantic_types {
                    g.link(&node, OWN_TERMS.at("semanticType"), meaning.as_str());
                }
                if column.repeated {
                    g.typed(&node, OWN_TERMS.at("repeated"), true, "boolean");
                }
                g.some_text(&node, DCT.at("description"), column.description.as_ref());
            }
        }
    }
}
