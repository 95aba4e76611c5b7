//! Whether a document is valid Croissant: the rules of the standard's own validator (`mlcroissant` 1.1), in our words.
//!
//! A document that breaks a rule is refused as a whole, because a part of it would mean something else than its author
//! meant. Each [`Fault`] names the object, the property and what mends it. What the validator merely recommends is no
//! fault here: it is a matter of quality, and what a record does not say is not stated.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::Version;
use super::types::is_data_type;
use crate::formats::Refused;
use crate::formats::linked::{Document, Item, Node, place, short};

/// The most faults that an answer names; the rest is counted.
const NAMED: usize = 5;

/// One rule that is broken, and where.
struct Fault {
    at: String,
    reason: String,
}

/// What stands under an identifier.
#[derive(Clone, Copy)]
enum Known<'d> {
    File,
    Set,
    /// A field, and the identifier of what it stands in.
    Field(&'d Node, &'d str),
}

/// Checks a document; `root` is its dataset.
pub(super) fn check(document: &Document, root: &Node, version: Version) -> Result<(), Refused> {
    let mut check = Check { document, version, ids: HashMap::new(), faults: Vec::new() };
    check.dataset(root);
    let known = check.register(root);
    check.files(root, &known);
    check.record_sets(root, &known);
    refused(check.faults)
}

fn refused(mut faults: Vec<Fault>) -> Result<(), Refused> {
    if faults.is_empty() {
        return Ok(());
    }
    let more = faults.len().saturating_sub(NAMED);
    faults.truncate(NAMED);
    let place = place(&faults[0].at);
    let mut reason = faults.into_iter().map(|fault| fault.reason).collect::<Vec<_>>().join("; ");
    if more > 0 {
        reason.push_str(&format!("; and {more} more"));
    }
    Err(Refused { place, reason })
}

type Index<'d> = HashMap<String, Known<'d>>;

struct Check<'d> {
    document: &'d Document,
    version: Version,
    ids: HashMap<String, String>,
    faults: Vec<Fault>,
}

impl<'d> Check<'d> {
    fn fault(&mut self, node: &Node, property: &str, reason: String) {
        let at = if property.is_empty() { node.at.clone() } else { format!("{}/{property}", node.at) };
        self.faults.push(Fault { at, reason });
    }

    /// The identifier by which the rest of the document refers to a thing: its `@id`, and in 0.8 its name.
    fn own_id(&self, node: &Node, parent: Option<&str>) -> String {
        if self.version == Version::V0_8 {
            let name = node.text("schema:name").unwrap_or_default();
            return parent.map_or(name.clone(), |parent| format!("{parent}/{name}"));
        }
        // Without an identifier nothing can refer to it; where it stands is then as good a name as any.
        node.id.clone().unwrap_or_else(|| format!("at {}", node.at))
    }

    fn dataset(&mut self, root: &Node) {
        if self.version == Version::V0_8 && root.text("schema:name").is_none_or(|name| name.is_empty()) {
            self.fault(root, "name", "the Dataset has no name; Croissant 0.8 demands one".to_owned());
        }
        self.texts(root, "Dataset");
    }

    /// Names and descriptions are texts.
    fn texts(&mut self, node: &Node, what: &str) {
        for property in ["name", "description"] {
            let wrong = node.all(&format!("schema:{property}")).iter().find(|item| !matches!(item, Item::Text(..)));
            if let Some(kind) = wrong.map(Item::kind) {
                let reason = format!("the {property} of {} is {kind}; write a text", called(what, node));
                self.fault(node, property, reason);
            }
        }
    }

    fn resolved(&self, item: &'d Item) -> Option<&'d Node> {
        item.node().map(|node| self.document.resolve(node))
    }

    /// Everything that can be referred to, under its identifier. Two things under one are a fault.
    fn register(&mut self, root: &'d Node) -> Index<'d> {
        let mut known = Index::new();
        for item in root.all("schema:distribution") {
            if let Some(file) = self.resolved(item) {
                let id = self.own_id(file, None);
                self.add(&mut known, id, Known::File, file);
            }
        }
        for item in root.all("cr:recordSet") {
            let Some(set) = self.resolved(item) else { continue };
            let id = self.own_id(set, None);
            self.add(&mut known, id.clone(), Known::Set, set);
            self.register_fields(&mut known, set, "cr:field", &id);
        }
        known
    }

    fn register_fields(&mut self, known: &mut Index<'d>, node: &'d Node, property: &str, parent: &str) {
        for item in node.all(property) {
            let Some(field) = self.resolved(item) else { continue };
            let id = self.own_id(field, Some(parent));
            let within = node.id.as_deref().unwrap_or_default();
            self.add(known, id.clone(), Known::Field(field, within), field);
            self.register_fields(known, field, "cr:subField", &id);
        }
    }

    fn add(&mut self, known: &mut Index<'d>, id: String, what: Known<'d>, node: &'d Node) {
        if id.chars().any(char::is_whitespace) && self.version != Version::V0_8 && !id.starts_with("at ") {
            self.fault(node, "@id", format!("the @id {id:?} has blanks in it; write it without"));
        }
        if let Some(first) = self.ids.get(&id).filter(|_| !id.is_empty()) {
            let reason = format!("the identifier {id:?} stands twice, first at {first}; give each thing its own");
            self.fault(node, "@id", reason);
            return;
        }
        self.ids.insert(id.clone(), place(&node.at));
        known.insert(id, what);
    }

    fn files(&mut self, root: &'d Node, known: &Index<'d>) {
        let is_live = matches!(root.first_of(&["cr:isLiveDataset", "schema:isLiveDataset"]), [Item::Bool(true), ..]);
        let mut within = HashMap::new();
        for item in root.all("schema:distribution") {
            let Some(file) = self.resolved(item) else {
                let reason = format!("a distribution is {}; write a FileObject or a FileSet", item.kind());
                self.fault(root, "distribution", reason);
                continue;
            };
            if self.is_file(file) {
                self.file(file, is_live);
                let id = self.own_id(file, None);
                let containers = self.containers(file, known);
                within.insert(id, (file, containers));
            }
        }
        for (file, id) in circles(&within) {
            let reason = format!(
                "{} is contained in itself by way of {id:?}; break the circle of containedIn",
                called("file", file)
            );
            self.fault(file, "containedIn", reason);
        }
    }

    fn is_file(&mut self, file: &Node) -> bool {
        let is_one = FILE_OBJECT.iter().chain(FILE_SET).any(|kind| file.is(kind));
        if !is_one {
            let reason = format!(
                "{} is of @type {}; write cr:FileObject or cr:FileSet",
                called("the distribution", file),
                shown_types(file)
            );
            self.fault(file, "@type", reason);
        }
        is_one
    }

    fn file(&mut self, file: &Node, is_live: bool) {
        let is_set = FILE_SET.iter().any(|kind| file.is(kind));
        let what = if is_set { "FileSet" } else { "FileObject" };
        self.texts(file, what);
        self.named(file, what);
        let mut demand = |property: &str, has: bool, why: &str| {
            if !has {
                let reason = format!("{} has no {property}; {why}", called(what, file));
                self.fault(file, property, reason);
            }
        };
        demand("encodingFormat", file.has("schema:encodingFormat"), "state its media type, such as text/csv");
        if is_set {
            demand("includes", file.has("cr:includes"), "state which files belong to it, such as *.csv");
        } else if !is_contained(file) {
            let url = file.has("schema:contentUrl");
            demand("contentUrl", url, "state where its bytes are, or by containedIn in which file they are");
            let has_checksum = ["schema:sha256", "cr:sha256", "cr:md5", "schema:md5"].iter().any(|name| file.has(name));
            demand(
                "sha256",
                has_checksum || is_live,
                "state its sha256 or md5, or isLiveDataset for data that changes",
            );
        }
    }

    /// In 0.8 things are known by their names.
    fn named(&mut self, node: &Node, what: &str) {
        if self.version == Version::V0_8 && node.text("schema:name").is_none_or(|name| name.is_empty()) {
            self.fault(node, "name", format!("a {what} has no name; Croissant 0.8 refers to things by their names"));
        }
    }

    fn containers(&mut self, file: &'d Node, known: &Index<'d>) -> Vec<String> {
        let mut containers = Vec::new();
        for item in file.first_of(CONTAINED_IN) {
            let targets = match item.node() {
                Some(source) if source.id.is_none() => self.targets(source),
                _ => item.reference().into_iter().collect(),
            };
            for target in targets {
                if known.contains_key(&target) {
                    containers.push(target);
                } else {
                    let reason = format!(
                        "{} says containedIn {target:?}, and nothing has that identifier",
                        called("FileObject", file)
                    );
                    self.fault(file, "containedIn", reason);
                }
            }
        }
        containers
    }

    /// What a source or reference points to.
    fn targets(&self, source: &Node) -> Vec<String> {
        ["cr:field", "cr:fileObject", "cr:fileSet", "schema:distribution"]
            .iter()
            .flat_map(|property| source.references(property))
            .collect()
    }

    fn record_sets(&mut self, root: &'d Node, known: &Index<'d>) {
        for item in root.all("cr:recordSet") {
            let Some(set) = self.resolved(item) else { continue };
            if !set.is("cr:RecordSet") {
                let reason =
                    format!("{} is of @type {}; write cr:RecordSet", called("the record set", set), shown_types(set));
                self.fault(set, "@type", reason);
                continue;
            }
            self.texts(set, "RecordSet");
            self.named(set, "RecordSet");
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

pub(super) const FILE_OBJECT: &[&str] = &["cr:FileObject", "schema:FileObject"];
pub(super) const FILE_SET: &[&str] = &["cr:FileSet", "schema:FileSet"];
pub(super) const CONTAINED_IN: &[&str] = &["cr:containedIn", "schema:containedIn"];

/// The rows that stand in a record set: a list, or one row without a list around it.
pub(super) fn rows(data: &Value) -> &[Value] {
    data.as_array().map_or(std::slice::from_ref(data), Vec::as_slice)
}

/// Whether a file lies in another one.
pub(super) fn is_contained(file: &Node) -> bool {
    CONTAINED_IN.iter().any(|property| file.has(property))
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
        if field.all("cr:dataType").iter().any(|item| item.node().is_some_and(|kind| is_known_type(kind))) {
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

/// The files that are contained in themselves, each with the container by which it comes about.
fn circles<'d>(within: &HashMap<String, (&'d Node, Vec<String>)>) -> Vec<(&'d Node, String)> {
    let mut closed: HashSet<&str> = HashSet::new();
    let mut found = Vec::new();
    let mut starts: Vec<&str> = within.keys().map(String::as_str).collect();
    starts.sort_unstable();
    for start in starts {
        // A walk with its own stack, because a chain may be as long as the document.
        let mut path: Vec<(&str, usize)> = vec![(start, 0)];
        let mut on_path: HashSet<&str> = HashSet::from([start]);
        while let Some((id, next)) = path.pop() {
            let children = within.get(id).map_or(&[][..], |(_, children)| children.as_slice());
            let Some(child) = children.get(next).filter(|_| !closed.contains(id)) else {
                closed.insert(id);
                on_path.remove(id);
                continue;
            };
            path.push((id, next + 1));
            if on_path.contains(child.as_str()) {
                found.push((within[id].0, child.clone()));
            } else if !closed.contains(child.as_str()) && within.contains_key(child) {
                on_path.insert(child);
                path.push((child, 0));
            }
        }
    }
    found
}

/// A thing as an error names it: by its identifier or name, else by where it stands.
fn called(what: &str, node: &Node) -> String {
    match node.id.clone().or_else(|| node.text("schema:name")) {
        Some(id) => format!("{what} {:?}", crate::formats::draft::shown(&id)),
        None => format!("the {what} at {}", place(&node.at)),
    }
}

fn shown_types(node: &Node) -> String {
    if node.types.is_empty() { "none".to_owned() } else { node.types.join(" and ") }
}
