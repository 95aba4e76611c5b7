//! Which kind of value a property takes.

use super::{Check, called};
use crate::formats::croissant::Version;
use crate::formats::linked::{Item, Node};

/// The kinds of value that the validator checks.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Takes {
    Text,
    Bool,
}

pub(super) const OF_FILES: &[(&str, Takes)] = &[
    ("schema:encodingFormat", Takes::Text),
    ("schema:contentUrl", Takes::Text),
    ("schema:contentSize", Takes::Text),
    ("schema:sha256", Takes::Text),
    ("cr:md5", Takes::Text),
    ("cr:includes", Takes::Text),
    ("cr:excludes", Takes::Text),
];

pub(super) const OF_FIELDS: &[(&str, Takes)] =
    &[("cr:isArray", Takes::Bool), ("cr:repeated", Takes::Bool), ("cr:arrayShape", Takes::Text)];

impl Check<'_> {
    /// Every value of these properties is of the kind that the property takes.
    pub(super) fn values(&mut self, node: &Node, what: &str, table: &[(&str, Takes)]) {
        for (property, takes) in table {
            let is_right = |item: &&Item| match takes {
                Takes::Text => matches!(item, Item::Text(..)),
                Takes::Bool => matches!(item, Item::Bool(_)),
            };
            if let Some(kind) = node.all(property).iter().find(|item| !is_right(item)).map(Item::kind) {
                let name = property.split(':').next_back().unwrap_or(property);
                let wanted = if *takes == Takes::Text { "a text" } else { "true or false" };
                let reason = format!("{name} of {} is {kind}; write {wanted}", called(what, node));
                self.fault(node, name, reason);
            }
        }
    }

    /// Every value of a property is an object, and one that merely refers has an identifier. In 0.8 names refer.
    pub(super) fn members(&mut self, node: &Node, what: &str, property: &str, wanted: &str) {
        let is_right = |item: &&Item| match item {
            Item::Node(member) => !member.is_misnamed && (member.id.is_some() || member.properties().next().is_some()),
            Item::Text(..) => self.version == Version::V0_8 && property == "cr:key",
            _ => false,
        };
        if let Some(kind) = node.all(property).iter().find(|item| !is_right(item)).map(Item::kind) {
            let name = property.split(':').next_back().unwrap_or(property);
            let reason =
                format!("{name} of {} has {kind} in it that names nothing; write {wanted}", called(what, node));
            self.fault(node, name, reason);
        }
    }
}
