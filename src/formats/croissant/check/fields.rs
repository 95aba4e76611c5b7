//! The rules for record sets and their fields.

use std::collections::HashSet;

use super::{Check, Index, Known, called, rows, shown_types, values};
use crate::formats::croissant::Version;
use crate::formats::croissant::types::is_data_type;
use crate::formats::linked::{Item, Node, short};

impl<'d> Check<'d> {
    pub(super) fn record_sets(&mut self, root: &'d Node, known: &Index<'d>) {
        for item in root.all("cr:recordSet") {
            let Some(set) = self.resolved(item) else {
                self.fault(root, "recordSet", format!("a record set is {}; write a cr:RecordSet", item.kind()));
                continue;
            };
            if !set.is("cr:RecordSet") {
                let reason =
                    format!("{} is of @type {}; write cr:RecordSet", called("the record set", set), shown_types(set));
                self.fault(set, "@type", reason);
                continue;
            }
            self.texts(set, "RecordSet");
            self.named(set, "RecordSet");
            self.members(set, "RecordSet", "cr:field", "a cr:Field");
            self.members(set, "RecordSet", "cr:key", "the @id of a field");
            let id = self.own_id(set, None);
            let mut linked = Linked::default();
            let fields: Vec<&Node> = set.all("cr:field").iter().filter_map(|item| self.resolved(item)).collect();
            for field in &fields {
                self.field(field, &id, known, &mut linked, true);
            }
            self.data(set, &id, &fields);
            if linked.sources == 0 && !set.has("cr:data") {
                self.without_source(&fields);
            }
            self.joins(set, linked);
        }
    }

    fn field(&mut self, field: &'d Node, parent: &str, known: &Index<'d>, linked: &mut Linked, is_top: bool) {
        if !["cr:Field", "cr:SubField"].iter().any(|kind| field.is(kind)) {
            let reason = format!("{} is of @type {}; write cr:Field", called("the field", field), shown_types(field));
            self.fault(field, "@type", reason);
            return;
        }
        self.texts(field, "Field");
        self.named(field, "Field");
        self.values(field, "Field", values::OF_FIELDS);
        self.members(field, "Field", "cr:subField", "a cr:Field");
        self.sources(field);
        self.array(field);
        let id = self.own_id(field, Some(parent));
        let source = self.link(field, "source", known);
        let references = self.link(field, "references", known);
        if field.has("cr:source") && field.has("schema:value") {
            self.fault(field, "source", format!("{} has both a source and a value; state one", called("Field", field)));
        }
        linked.sources += source.iter().chain(&references).count();
        if is_top {
            linked.join(owner(source.as_deref(), known), owner(references.as_deref(), known));
        }
        let inner: Vec<&Node> = field.all("cr:subField").iter().filter_map(|item| self.resolved(item)).collect();
        if inner.is_empty() && !has_data_type(field, known, &mut HashSet::new()) {
            let found = field.all("cr:dataType").iter().filter_map(Item::reference).collect::<Vec<_>>();
            let reason = format!(
                "{} has no valid dataType, and no field it comes from has one ({found:?} found); write one such as sc:Text, \
                 and see that the context defines dataType with \"@type\": \"@vocab\"",
                called("Field", field)
            );
            self.fault(field, "dataType", reason);
        }
        for inner in inner {
            self.field(inner, &id, known, linked, false);
        }
    }

    fn array(&mut self, field: &Node) {
        let Some(shape) = field.text("cr:arrayShape") else { return };
        if !matches!(field.all("cr:isArray"), [Item::Bool(true), ..]) {
            let reason = format!("{} has an arrayShape and isArray is not true; state both", called("Field", field));
            self.fault(field, "arrayShape", reason);
        }
        if shape.split(',').any(|part| part.trim().parse::<i64>().is_err()) {
            let reason = format!(
                "the arrayShape {shape:?} of {} is not a list of numbers such as 28,28",
                called("Field", field)
            );
            self.fault(field, "arrayShape", reason);
        }
    }

    /// What a source or reference of a field names, where it is there.
    fn link(&mut self, field: &'d Node, property: &str, known: &Index<'d>) -> Option<String> {
        let source = field.nodes(&format!("cr:{property}")).next()?;
        let target = if source.is_reference() { source.id.clone() } else { self.targets(source).into_iter().next() };
        let Some(target) = target else {
            let reason = format!(
                "the {property} of {} names no field, fileObject or fileSet; say by its @id where the values come from",
                called("Field", field)
            );
            self.fault(field, property, reason);
            return None;
        };
        if target.chars().any(char::is_whitespace) && self.version != Version::V0_8 {
            let reason =
                format!("the {property} of {} names {target:?}, which has blanks in it", called("Field", field));
            self.fault(field, property, reason);
            return Some(target).filter(|target| known.contains_key(target));
        }
        if known.contains_key(&target) {
            return Some(target);
        }
        let reason =
            format!("the {property} of {} names {target:?}, and nothing has that identifier", called("Field", field));
        self.fault(field, property, reason);
        None
    }

    /// Rows that stand in the document have a value for each field.
    fn data(&mut self, set: &Node, id: &str, fields: &[&Node]) {
        let Some(Item::Json(data)) = set.all("cr:data").first() else { return };
        let rows = rows(data);
        let expected: HashSet<String> = fields
            .iter()
            .map(|field| match self.version {
                Version::V0_8 => field.text("schema:name").unwrap_or_default(),
                _ => self.own_id(field, Some(id)),
            })
            .collect();
        for (number, row) in rows.iter().enumerate() {
            let is_whole = row
                .as_object()
                .is_some_and(|row| row.len() == expected.len() && row.keys().all(|name| expected.contains(name)));
            if !is_whole {
                let mut names: Vec<&str> = expected.iter().map(String::as_str).collect();
                names.sort_unstable();
                let names = names.join(", ");
                let reason = format!(
                    "row {number} of the data of {} has not exactly the fields {names}",
                    called("RecordSet", set)
                );
                self.fault(set, "data", reason);
                return;
            }
        }
    }

    fn without_source(&mut self, fields: &[&Node]) {
        for field in fields {
            let says = field.has("cr:source") || field.has("schema:value") || field.has("cr:subField");
            if !says {
                let reason = format!(
                    "{} has neither a source nor a value; state one, and see that the context defines source",
                    called("Field", field)
                );
                self.fault(field, "source", reason);
            }
        }
    }

    /// Fields of one record set that come from two places say how those are joined.
    fn joins(&mut self, set: &Node, linked: Linked) {
        // Each pair that is joined was written down, so the search ends after as many pairs as there are joins.
        for (number, one) in linked.from.iter().enumerate() {
            for other in &linked.from[number + 1..] {
                if !linked.joined.contains(&(one.clone(), other.clone())) {
                    let reason = format!(
                        "{} takes fields from {one:?} and from {other:?} and does not say how they are joined; add references",
                        called("RecordSet", set)
                    );
                    self.fault(set, "field", reason);
                    return;
                }
            }
        }
    }
}

/// Where the fields of a record set come from, and which of those places are joined.
#[derive(Default)]
struct Linked {
    sources: usize,
    from: Vec<String>,
    seen: HashSet<String>,
    joined: HashSet<(String, String)>,
}

impl Linked {
    fn join(&mut self, source: Option<String>, references: Option<String>) {
        let Some(source) = source else { return };
        if let Some(references) = references {
            self.joined.insert((source.clone(), references.clone()));
            self.joined.insert((references, source.clone()));
        }
        if self.seen.insert(source.clone()) {
            self.from.push(source);
        }
    }
}

/// What a source is counted under: a file by itself, a field by the record set it stands in.
fn owner(target: Option<&str>, known: &Index<'_>) -> Option<String> {
    let target = target?;
    Some(match known.get(target) {
        Some(Known::Field(_, within)) if !within.is_empty() => (*within).to_owned(),
        Some(Known::Field(..)) => target.rsplit_once('/').map_or(target, |(set, _)| set).to_owned(),
        _ => target.to_owned(),
    })
}

/// Whether a field states a type that values have, or comes from a field that does.
fn has_data_type<'d>(field: &'d Node, known: &Index<'d>, seen: &mut HashSet<&'d str>) -> bool {
    let mut field = field;
    loop {
        if field.all("cr:dataType").iter().any(|item| item.node().is_some_and(is_known_type)) {
            return true;
        }
        let Some(source) = field.nodes("cr:source").next() else { return false };
        let target = source.references("cr:field").into_iter().next();
        let Some(Known::Field(next, _)) = target.and_then(|target| known.get(&target).copied()) else { return false };
        if !seen.insert(&next.at) {
            return false;
        }
        field = next;
    }
}

fn is_known_type(kind: &Node) -> bool {
    kind.id.as_deref().is_some_and(|id| is_data_type(&short(id)))
}
