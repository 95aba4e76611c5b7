//! The rules for where the values of a field come from: what is taken from a file, and how it is made into a value.

use super::values::Takes;
use super::{Check, called};
use crate::formats::linked::{Item, Node};

const EXTRACTS: [&str; 3] = ["cr:column", "cr:fileProperty", "cr:jsonPath"];
const FILE_PROPERTIES: [&str; 6] = ["content", "filename", "filepath", "fullpath", "lines", "lineNumbers"];

const OF_EXTRACTS: &[(&str, Takes)] =
    &[("cr:column", Takes::Text), ("cr:fileProperty", Takes::Text), ("cr:jsonPath", Takes::Text)];

const OF_TRANSFORMS: &[(&str, Takes)] = &[
    ("cr:format", Takes::Text),
    ("cr:jsonPath", Takes::Text),
    ("cr:regex", Takes::Text),
    ("cr:replace", Takes::Text),
    ("cr:separator", Takes::Text),
    ("cr:readLines", Takes::Bool),
    ("cr:unArchive", Takes::Bool),
];

impl<'d> Check<'d> {
    /// The sources of a field are objects, and so is what they say.
    pub(super) fn sources(&mut self, field: &'d Node) {
        for property in ["cr:source", "cr:references"] {
            self.objects(field, field, property);
            for source in field.nodes(property) {
                self.objects(field, source, "cr:extract");
                self.objects(field, source, "cr:transform");
                for extract in source.nodes("cr:extract") {
                    self.extract(field, extract);
                }
                self.transforms(field, "Field", source);
            }
        }
    }

    fn objects(&mut self, field: &Node, node: &Node, property: &str) {
        if let Some(item) = node.all(property).iter().find(|item| item.node().is_none()) {
            let name = property.trim_start_matches("cr:");
            let reason = format!("{name} of {} is {}; write an object", called("Field", field), item.kind());
            self.fault(node, name, reason);
        }
    }

    fn extract(&mut self, field: &Node, extract: &Node) {
        self.values(extract, "Extract", OF_EXTRACTS);
        let stated = EXTRACTS.iter().filter(|property| extract.all(property).iter().any(is_text)).count();
        if stated != 1 {
            let reason = format!(
                "extract of {} states {stated} of column, fileProperty and jsonPath; state one",
                called("Field", field)
            );
            self.fault(extract, "", reason);
        }
        let property = extract.text("cr:fileProperty").filter(|name| !FILE_PROPERTIES.contains(&name.as_str()));
        if let Some(name) = property {
            let known = FILE_PROPERTIES.join(", ");
            let reason = format!("fileProperty {name:?} of {} is none of {known}", called("Field", field));
            self.fault(extract, "fileProperty", reason);
        }
    }

    /// What a source of a thing does to what it takes.
    pub(super) fn transforms(&mut self, of: &Node, what: &str, source: &Node) {
        for transform in source.nodes("cr:transform") {
            self.transform(of, what, transform);
        }
    }

    fn transform(&mut self, whose: &Node, what: &str, transform: &Node) {
        self.values(transform, "Transform", OF_TRANSFORMS);
        let of = |takes: Takes| OF_TRANSFORMS.iter().filter(move |(_, kind)| *kind == takes).map(|(name, _)| *name);
        let texts = of(Takes::Text).filter(|name| transform.all(name).iter().any(is_text)).count();
        let is_done = of(Takes::Bool).any(|name| matches!(transform.all(name), [Item::Bool(true), ..]));
        if texts > 1 || (texts == 0 && !is_done) {
            let reason = format!(
                "a transform of {} states {texts} of format, jsonPath, regex, replace and separator; state one, or readLines \
                 or unArchive",
                called(what, whose)
            );
            self.fault(transform, "", reason);
        }
    }
}

fn is_text(item: &Item) -> bool {
    matches!(item, Item::Text(text, _) if !text.is_empty())
}
