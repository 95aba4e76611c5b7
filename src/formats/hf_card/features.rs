//! Features and splits, as the library `datasets` writes them into heads and infos: columns with types, parts with counts.

use serde_json::{Map, Value};

use crate::domain::bounds;
use crate::domain::dataset::{Column, Dataset, Modality, RecordSet, Split};
use crate::domain::text::Text;
use crate::formats::draft::{Notes, undetermined};
use crate::formats::said::{count, text};
use crate::formats::text::{line, shortened};

/// The deepest structure whose columns are told apart.
const MOST_DEPTH: usize = 16;

/// Fills in record sets, splits and the number of records from the configurations.
pub(super) fn fill(configs: &[Map<String, Value>], notes: &mut Notes, dataset: &mut Dataset) {
    let mut sets = Vec::new();
    let mut splits = Vec::new();
    for config in configs {
        let name = config.get("config_name").and_then(text).unwrap_or_else(|| "default".into());
        let name = shortened(line(&name), bounds::LINE).0;
        let mut columns = Vec::new();
        if let Some(features) = config.get("features") {
            walk("", features, false, MOST_DEPTH, &mut columns);
        }
        columns.retain(|column| !column.name.is_empty());
        notes.cut("columns", &mut columns);
        if !columns.is_empty() && !name.is_empty() {
            sets.push(RecordSet { name: name.clone(), description: None, key: Vec::new(), columns });
        }
        let prefix = if configs.len() > 1 { format!("{name}/") } else { String::new() };
        splits.extend(parts(config, &prefix));
    }
    if configs.len() == 1 && splits.iter().all(|split| split.records.is_some()) && !splits.is_empty() {
        let sum = splits.iter().filter_map(|split| split.records).fold(0_u64, u64::saturating_add);
        dataset.training.record_count = Some(sum).filter(|sum| *sum <= bounds::COUNT);
    } else if configs.len() > 1 && !splits.is_empty() {
        notes.note("number of records: configurations may share records, so their sum is not stated");
    }
    for modality in
        [("sc:ImageObject", Modality::Image), ("sc:AudioObject", Modality::Audio), ("sc:VideoObject", Modality::Video)]
    {
        let has = sets
            .iter()
            .flat_map(|set: &RecordSet| &set.columns)
            .any(|column| column.data_type.as_deref() == Some(modality.0));
        if has && !dataset.training.modalities.contains(&modality.1) {
            dataset.training.modalities.push(modality.1);
        }
    }
    notes.cut("record sets", &mut sets);
    notes.cut("splits", &mut splits);
    if !sets.is_empty() {
        dataset.record_sets = sets;
    }
    if !splits.is_empty() {
        dataset.training.splits = splits;
    }
}

/// The splits: a list, or an object by name.
fn parts(config: &Map<String, Value>, prefix: &str) -> Vec<Split> {
    let one = |name: Option<String>, split: &Value| {
        let name = shortened(line(&format!("{prefix}{}", name?)), bounds::LINE).0;
        let number = |field: &str| split.get(field).and_then(count);
        (!name.is_empty()).then(|| Split { name, records: number("num_examples"), bytes: number("num_bytes") })
    };
    match config.get("splits") {
        Some(Value::Array(list)) => {
            list.iter().filter_map(|split| one(split.get("name").and_then(text), split)).collect()
        }
        Some(Value::Object(map)) => map.iter().filter_map(|(name, split)| one(Some(name.clone()), split)).collect(),
        _ => Vec::new(),
    }
}

/// Gathers the columns of a feature: of the list that a head has, or of the object that an info has.
fn walk(name: &str, feature: &Value, repeated: bool, depth: usize, columns: &mut Vec<Column>) {
    if depth == 0 || columns.len() > bounds::LIST {
        return;
    }
    match feature {
        // A list of named columns is a structure; a list of one without a name is a list of such values.
        Value::Array(members) => {
            for member in members {
                match member.get("name").and_then(text) {
                    Some(own) => walk(&joined(name, &own), &nameless(member), repeated, depth - 1, columns),
                    None => walk(name, member, true, depth - 1, columns),
                }
            }
        }
        Value::Object(fields) => object(name, fields, repeated, depth, columns),
        Value::String(kind) => columns.push(column(name, data_type(kind), repeated, None)),
        _ => {}
    }
}

fn object(name: &str, fields: &Map<String, Value>, repeated: bool, depth: usize, columns: &mut Vec<Column>) {
    let next = depth - 1;
    if let Some(inner) = ["sequence", "list", "large_list"].iter().find_map(|key| fields.get(*key)) {
        return walk(name, inner, true, next, columns);
    }
    if let Some(inner) = fields.get("struct") {
        return walk(name, inner, repeated, next, columns);
    }
    if let Some(label) = fields.get("class_label") {
        return columns.push(column(name, Some("sc:Integer"), repeated, classes(label.get("names"))));
    }
    match fields.get("_type").and_then(Value::as_str) {
        Some("Value") => {
            let kind = fields.get("dtype").and_then(Value::as_str).and_then(data_type);
            columns.push(column(name, kind, repeated, None));
        }
        Some("ClassLabel") => columns.push(column(name, Some("sc:Integer"), repeated, classes(fields.get("names")))),
        Some("Sequence" | "List" | "LargeList") => match fields.get("feature") {
            Some(inner) => walk(name, inner, true, next, columns),
            None => columns.push(column(name, None, true, None)),
        },
        Some("Translation" | "TranslationVariableLanguages") => {
            for language in fields.get("languages").map(crate::formats::said::texts).unwrap_or_default() {
                columns.push(column(&joined(name, &language), Some("sc:Text"), repeated, None));
            }
        }
        Some(kind) => columns.push(column(name, data_type(kind), repeated || kind.starts_with("Array"), None)),
        None => match fields.get("dtype") {
            Some(inner) => walk(name, inner, repeated, next, columns),
            None => {
                for (own, inner) in fields {
                    walk(&joined(name, own), inner, repeated, next, columns);
                }
            }
        },
    }
}

fn joined(name: &str, own: &str) -> String {
    if name.is_empty() { own.to_owned() } else { format!("{name}.{own}") }
}

fn nameless(member: &Value) -> Value {
    let mut member = member.clone();
    if let Value::Object(fields) = &mut member {
        fields.remove("name");
    }
    member
}

fn column(name: &str, data_type: Option<&str>, repeated: bool, description: Option<Text>) -> Column {
    Column {
        name: shortened(line(name), bounds::LINE).0,
        data_type: data_type.map(str::to_owned),
        semantic_types: Vec::new(),
        repeated,
        description,
    }
}

/// The names of classes with their numbers, from a list or from an object by number.
fn classes(names: Option<&Value>) -> Option<Text> {
    let numbered: Vec<String> = match names? {
        Value::Array(list) => {
            list.iter().enumerate().filter_map(|(at, name)| Some(format!("{at}: {}", text(name)?))).collect()
        }
        Value::Object(map) => {
            map.iter().filter_map(|(number, name)| Some(format!("{number}: {}", text(name)?))).collect()
        }
        _ => return None,
    };
    let (said, _) = shortened(line(&numbered.join(", ")), bounds::PROSE);
    Text::new(undetermined(), said).ok()
}

/// The type in the words of Croissant, where the library's type has one.
fn data_type(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "string" | "large_string" => "sc:Text",
        "bool" => "sc:Boolean",
        "date32" | "date64" => "sc:Date",
        "Image" | "image" => "sc:ImageObject",
        "Audio" | "audio" => "sc:AudioObject",
        "Video" | "video" => "sc:VideoObject",
        "null" | "binary" => return None,
        _ if kind.starts_with("int") || kind.starts_with("uint") => "sc:Integer",
        _ if kind.starts_with("float") || kind == "double" || kind.starts_with("decimal") => "sc:Float",
        _ if kind.starts_with("timestamp") => "sc:DateTime",
        _ if kind.starts_with("time") => "sc:Time",
        _ => return None,
    })
}
