//! Tables and their columns: `RecordSet` and `Field`, and the record set of type `cr:Split` that says how a dataset is
//! divided for training.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

use super::Version;
use super::check::rows;
use super::ids::{Ids, one_part};
use super::types;
use crate::domain::bounds;
use crate::domain::dataset::{Column, Dataset, RecordSet, Split};
use crate::domain::ids::Iri;
use crate::formats::draft::{Notes, parse_iri, shown};
use crate::formats::linked::{Document, Item, Node, long, short};
use crate::formats::schema_org::words::Words;

/// The tables of a document, and its splits.
pub(super) fn read(
    document: &Document,
    root: &Node,
    version: Version,
    notes: &mut Notes,
) -> (Vec<RecordSet>, Vec<Split>) {
    let (mut sets, mut splits) = (Vec::new(), Vec::new());
    for item in root.all("cr:recordSet") {
        let Some(set) = item.node().map(|set| document.resolve(set)) else { continue };
        let is_split = data_types(set).iter().any(|kind| kind == "cr:Split");
        match set.all("cr:data").first() {
            Some(Item::Json(data)) if is_split => splits.extend(split_rows(rows(data), notes)),
            _ => sets.extend(record_set(document, set, version, notes)),
        }
    }
    notes.cut("record sets", &mut sets);
    notes.cut("splits", &mut splits);
    (sets, splits)
}

fn data_types(node: &Node) -> Vec<String> {
    node.all("cr:dataType").iter().filter_map(Item::reference).map(|iri| short(&iri)).collect()
}

fn record_set(document: &Document, set: &Node, version: Version, notes: &mut Notes) -> Option<RecordSet> {
    let own = set.text("schema:name").or_else(|| set.id.clone())?;
    let name = notes.line("record set", &own)?;
    let said = set.said("schema:description", notes);
    let mut fields = Fields { document, version, columns: Vec::new(), by_id: HashMap::new(), left_out: 0 };
    fields.add(set, "cr:field", "", notes);
    if fields.left_out > 0 {
        notes.note(format!(
            "columns of {:?}: {} of {} are kept",
            shown(&name),
            bounds::LIST,
            bounds::LIST + fields.left_out
        ));
    }
    let keys: Vec<String> = set.first_of(&["cr:key", "schema:key"]).iter().filter_map(Item::reference).collect();
    let key = keys.iter().filter_map(|key| fields.by_id.get(key).cloned().or_else(|| notes.line("key", tail(key))));
    let mut key: Vec<String> = key.collect();
    notes.cut("key", &mut key);
    Some(RecordSet { name, description: notes.prose("record set", said), key, columns: fields.columns })
}

/// The last part of an identifier: `records/name` is `name`.
fn tail(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

struct Fields<'d> {
    document: &'d Document,
    version: Version,
    columns: Vec<Column>,
    by_id: HashMap<String, String>,
    left_out: usize,
}

impl Fields<'_> {
    /// The fields of a record set or of a field; the inner ones are columns too, each with its outer one's name before it.
    fn add(&mut self, node: &Node, property: &str, outer: &str, notes: &mut Notes) {
        for item in node.all(property) {
            let Some(field) = item.node().map(|field| self.document.resolve(field)) else { continue };
            if self.columns.len() >= bounds::LIST {
                self.left_out += 1;
                continue;
            }
            let own = field.text("schema:name").or_else(|| field.id.as_deref().map(|id| tail(id).to_owned()));
            let Some(own) = own.and_then(|own| notes.line("column", &own)) else { continue };
            let is_whole = outer.is_empty() || own.starts_with(&format!("{outer}/"));
            let name = if is_whole { own.clone() } else { format!("{outer}/{own}") };
            let Some(name) = notes.line("column", &name) else { continue };
            let id = if self.version == Version::V0_8 { Some(own) } else { field.id.clone() };
            self.by_id.extend(id.map(|id| (id, name.clone())));
            self.columns.push(column(field, name.clone(), notes));
            self.add(field, "cr:subField", &name, notes);
        }
    }
}

fn column(field: &Node, name: String, notes: &mut Notes) -> Column {
    let mut types = data_types(field);
    let place = types.iter().position(|kind| types::is_data_type(kind));
    let own = field.text("pleiad:dataType").and_then(|own| notes.line("type", &own));
    let read = place.map(|place| types::spelled(&types.remove(place)));
    let mut semantic_types: Vec<Iri> = Vec::new();
    let equivalent = field.references("cr:equivalentProperty");
    for iri in types.iter().map(|kind| long(kind)).chain(equivalent.iter().map(|kind| long(kind))) {
        match parse_iri(&iri) {
            Some(iri) if semantic_types.contains(&iri) => {}
            Some(iri) => semantic_types.push(iri),
            None => notes.note(format!("type of a column: {:?} is not an IRI", shown(&iri))),
        }
    }
    notes.cut("types of a column", &mut semantic_types);
    let is_true = |property: &str| matches!(field.all(property), [Item::Bool(true), ..]);
    let said = field.said("schema:description", notes);
    Column {
        name,
        data_type: own.or(read),
        semantic_types,
        repeated: is_true("cr:isArray") || is_true("cr:repeated"),
        description: notes.prose("column", said),
    }
}

/// The splits that stand as rows in the document. A row calls its split by the field `name` or `split_name`, or by its
/// first text.
fn split_rows(rows: &[Value], notes: &mut Notes) -> Vec<Split> {
    let mut splits: Vec<Split> = Vec::new();
    for row in rows.iter().filter_map(Value::as_object) {
        let named = |names: &[&str]| row.iter().find(|(key, _)| names.contains(&tail(key))).map(|(_, value)| value);
        let name = named(&["name", "split_name", "split"]).or_else(|| row.values().find(|value| value.is_string()));
        let Some(name) = name.and_then(Value::as_str).and_then(|name| notes.line("split", name)) else { continue };
        let count = |names: &[&str]| named(names).and_then(Value::as_u64).filter(|count| *count <= bounds::COUNT);
        let split = Split { name, records: count(&["records"]), bytes: count(&["bytes"]) };
        if splits.iter().all(|known| known.name != split.name) {
            splits.push(split);
        }
    }
    splits
}

/// The tables of a record as a document states them; `file` is the file that they are in.
pub(super) fn write(
    dataset: &Dataset,
    file: Option<&(&'static str, String)>,
    words: &Words,
    ids: &mut Ids,
) -> Vec<Value> {
    let mut sets = Vec::new();
    if !dataset.training.splits.is_empty() {
        sets.push(written_splits(&dataset.training.splits, ids));
    }
    if let Some((property, file)) = file {
        sets.extend(dataset.record_sets.iter().map(|set| written_set(set, property, file, words, ids)));
    }
    sets
}

fn written_set(set: &RecordSet, property: &str, file: &str, words: &Words, ids: &mut Ids) -> Value {
    let id = ids.unique(&one_part(&set.name));
    let mut written = json!({"@type": "cr:RecordSet", "@id": id, "name": set.name});
    if let Some(description) = &set.description {
        written["description"] = words.text(description);
    }
    let mut by_name = HashMap::new();
    let mut fields = Vec::new();
    for column in &set.columns {
        let id = ids.unique(&format!("{id}/{}", one_part(&column.name)));
        by_name.entry(column.name.as_str()).or_insert_with(|| id.clone());
        fields.push(written_field(column, &id, property, file, words));
    }
    let key: Vec<Value> =
        set.key.iter().filter_map(|key| by_name.get(key.as_str())).map(|id| json!({"@id": id})).collect();
    if !key.is_empty() {
        written["key"] = json!(key);
    }
    if !fields.is_empty() {
        written["field"] = json!(fields);
    }
    written
}

fn written_field(column: &Column, id: &str, property: &str, file: &str, words: &Words) -> Value {
    let mut field = json!({"@type": "cr:Field", "@id": id, "name": column.name});
    if let Some(description) = &column.description {
        field["description"] = words.text(description);
    }
    let meant = column.data_type.as_deref().and_then(types::meant);
    // The standard demands a type that values can be read as; every value can be read as text.
    let kind = types::spelled(meant.unwrap_or("schema:Text"));
    if let Some(own) = column.data_type.as_ref().filter(|own| **own != kind) {
        field["pleiad:dataType"] = json!(own);
    }
    let mut kinds = vec![json!(kind)];
    kinds.extend(column.semantic_types.iter().map(|iri| json!(iri)));
    field["dataType"] = if kinds.len() == 1 { kinds.swap_remove(0) } else { json!(kinds) };
    if column.repeated {
        field["isArray"] = json!(true);
    }
    field["source"] = json!({property: {"@id": file}, "extract": {"column": column.name}});
    field
}

/// The record set of splits. Every row has every field, so a number that one split states is null where another does not.
fn written_splits(splits: &[Split], ids: &mut Ids) -> Value {
    let set = ids.unique("splits");
    let mut fields = vec![("name", "sc:Text")];
    if splits.iter().any(|split| split.records.is_some()) {
        fields.push(("records", "sc:Integer"));
    }
    if splits.iter().any(|split| split.bytes.is_some()) {
        fields.push(("bytes", "sc:Integer"));
    }
    let fields: Vec<_> =
        fields.into_iter().map(|(name, kind)| (name, kind, ids.unique(&format!("{set}/{name}")))).collect();
    let mut seen = HashSet::new();
    let rows = splits.iter().filter(|split| seen.insert(&split.name)).map(|split| {
        let cells = fields.iter().map(|(name, _, id)| {
            let value = match *name {
                "name" => json!(split.name),
                "records" => json!(split.records),
                _ => json!(split.bytes),
            };
            (id.clone(), value)
        });
        Value::Object(Map::from_iter(cells))
    });
    let rows: Vec<Value> = rows.collect();
    let written =
        fields.iter().map(|(name, kind, id)| json!({"@type": "cr:Field", "@id": id, "name": name, "dataType": kind}));
    json!({
        "@type": "cr:RecordSet",
        "@id": set,
        "name": "splits",
        "dataType": "cr:Split",
        "key": {"@id": fields[0].2},
        "field": written.collect::<Vec<_>>(),
        "data": rows,
    })
}
