//! Whether a document is valid Croissant: the rules of the standard's own validator (`mlcroissant` 1.1), in our words.
//!
//! A document that breaks a rule is refused as a whole, because a part of it would mean something else than its author
//! meant. Each [`Fault`] names the object, the property and what mends it. What the validator merely recommends is no
//! fault here: it is a matter of quality, and what a record does not say is not stated.

mod circles;
mod fields;
mod sources;
mod values;

use std::collections::HashMap;

use serde_json::Value;

use self::circles::circles;
use super::Version;
use crate::formats::Refused;
use crate::formats::linked::{Document, Item, Node, place};

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
        self.named(root, "Dataset");
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
        if node.is_misnamed {
            self.fault(node, "@id", format!("the @id of {} is not a text; write one", called("the object", node)));
        }
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
        // The classes were schema.org's at first; a document that says which version it follows has those of that version.
        let (kinds, place) = match self.version {
            Version::V0_8 => (["schema:FileObject", "schema:FileSet"], "sc"),
            Version::V1_0 | Version::V1_1 => (["cr:FileObject", "cr:FileSet"], "cr"),
        };
        let is_one = kinds.iter().any(|kind| file.is(kind));
        if !is_one {
            let named = called("the distribution", file);
            let found = shown_types(file);
            let mut reason = format!("{named} is of @type {found}; write {place}:FileObject or {place}:FileSet");
            if self.version == Version::V0_8 {
                reason.push_str(", or say by conformsTo that the document follows http://mlcommons.org/croissant/1.1");
            }
            self.fault(file, "@type", reason);
        }
        is_one
    }

    fn file(&mut self, file: &Node, is_live: bool) {
        let is_set = FILE_SET.iter().any(|kind| file.is(kind));
        let what = if is_set { "FileSet" } else { "FileObject" };
        self.texts(file, what);
        self.named(file, what);
        self.values(file, what, values::OF_FILES);
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

    /// In 0.8 things are known by their names, which have the letters of an identifier.
    fn named(&mut self, node: &Node, what: &str) {
        if self.version != Version::V0_8 {
            return;
        }
        let name = node.text("schema:name").unwrap_or_default();
        let is_plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) && name.len() <= 255;
        if name.is_empty() {
            let reason = format!("a {what} has no name; Croissant 0.8 refers to things by their names");
            self.fault(node, "name", reason);
        } else if !is_plain {
            let reason = format!(
                "the name of {} has other characters than letters, digits, '-', '_' and '.', or more than 255",
                called(what, node)
            );
            self.fault(node, "name", reason);
        }
    }

    fn containers(&mut self, file: &'d Node, known: &Index<'d>) -> Vec<String> {
        let mut containers = Vec::new();
        for item in file.first_of(CONTAINED_IN) {
            let targets = match item.node() {
                Some(source) if source.id.is_none() => {
                    self.transforms(file, "FileObject", source);
                    self.targets(source)
                }
                _ => item.reference().into_iter().collect(),
            };
            if targets.is_empty() {
                let reason = format!("containedIn of {} names no file by its @id", called("FileObject", file));
                self.fault(file, "containedIn", reason);
            }
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
