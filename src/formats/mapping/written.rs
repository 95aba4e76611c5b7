//! A mapping file as somebody wrote it, checked key by key.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::fields::{FIELDS, Field};
use super::{Mapping, Shape, Target, nearest};
use crate::domain::ids::{Digest, LanguageTag};

const KEYS: [&str; 5] = ["iri", "language", "table", "columns", "constants"];
const TABLE_KEYS: [&str; 3] = ["delimiter", "quote", "encoding"];
const TARGET_KEYS: [&str; 5] = ["field", "language", "separator", "template", "values"];

pub(super) fn mapping(value: &Value, text: &str) -> Result<Mapping, String> {
    let file = object(value, "the mapping")?;
    known(file, &KEYS, "the mapping")?;
    let iri = texts(
        file.get("iri")
            .ok_or("the mapping has no `iri`: write a template such as iri = \"https://example.org/{id}\"")?,
        "iri",
    )?;
    if iri.is_empty() {
        return Err("`iri` is empty: write a template such as \"https://example.org/{id}\"".into());
    }
    let mut columns = BTreeMap::new();
    if let Some(written) = file.get("columns") {
        for (column, targets) in object(written, "`columns`")? {
            columns.insert(column.clone(), self::targets(column, targets)?);
        }
    }
    let mut constants = Vec::new();
    if let Some(written) = file.get("constants") {
        for (name, value) in object(written, "`constants`")? {
            constants.push((field(name, "constants")?, texts(value, &format!("constants.{name}"))?));
        }
    }
    let says_title =
        columns.values().flatten().map(|target: &Target| target.field).chain(constants.iter().map(|(field, _)| *field));
    if !says_title.into_iter().any(|field| field.name == "title") {
        return Err("no column is the `title`, and a record without one is refused".into());
    }
    let language = file.get("language").map(|value| language(value, "language")).transpose()?;
    let table = file.get("table").map(shape).transpose()?.unwrap_or_default();
    Ok(Mapping {
        iri,
        language,
        table,
        columns,
        constants,
        version: format!("mapping {}", Digest::of(text.as_bytes())),
    })
}

/// What becomes of a column: the name of a field, an object with it, or a list of these.
fn targets(column: &str, value: &Value) -> Result<Vec<Target>, String> {
    let place = format!("columns.{column}");
    match value {
        Value::Array(list) => list.iter().map(|value| target(&place, value)).collect(),
        one => Ok(vec![target(&place, one)?]),
    }
}

fn target(place: &str, value: &Value) -> Result<Target, String> {
    if let Value::String(name) = value {
        let field = field(name, place)?;
        return Ok(Target { field, language: None, separator: None, template: None, values: BTreeMap::new() });
    }
    let written = object(value, place)?;
    known(written, &TARGET_KEYS, place)?;
    let name = written.get("field").ok_or_else(|| format!("{place} has no `field`"))?;
    let template = written.get("template").map(|value| text(value, place)).transpose()?;
    if template.as_ref().is_some_and(|template| !template.contains("{}")) {
        return Err(format!("{place}: its template has no {{}}, where the value goes"));
    }
    let separator = written.get("separator").map(|value| text(value, place)).transpose()?;
    if separator.as_ref().is_some_and(String::is_empty) {
        return Err(format!("{place}: its separator is empty"));
    }
    let mut values = BTreeMap::new();
    if let Some(pairs) = written.get("values") {
        for (from, to) in object(pairs, place)? {
            values.insert(from.clone(), text(to, place)?);
        }
    }
    Ok(Target {
        field: field(&text(name, place)?, place)?,
        language: written.get("language").map(|value| language(value, place)).transpose()?,
        separator,
        template,
        values,
    })
}

fn field(name: &str, place: &str) -> Result<&'static Field, String> {
    FIELDS.iter().find(|field| field.name == name).ok_or_else(|| {
        let near = nearest(name, FIELDS.iter().map(|field| field.name)).unwrap_or("title");
        format!("{place}: there is no field {name:?}; the nearest is {near:?}")
    })
}

fn shape(value: &Value) -> Result<Shape, String> {
    let written = object(value, "`table`")?;
    known(written, &TABLE_KEYS, "`table`")?;
    let byte = |name: &str| -> Result<Option<u8>, String> {
        let Some(value) = written.get(name) else { return Ok(None) };
        let text = text(value, name)?;
        match text.as_bytes() {
            [byte] if byte.is_ascii() && !matches!(byte, b'\n' | b'\r') => Ok(Some(*byte)),
            _ => Err(format!("table.{name} is {text:?} and must be one ASCII character, such as \";\"")),
        }
    };
    let encoding = match written.get("encoding") {
        None => None,
        Some(value) => {
            let label = text(value, "encoding")?;
            let encoding =
                encoding_rs::Encoding::for_label(label.trim().as_bytes()).filter(|one| one.is_ascii_compatible());
            Some(encoding.ok_or_else(|| {
                format!("table.encoding is {label:?}; give utf-8, windows-1252 or another that contains ASCII, or save the table as UTF-8")
            })?)
        }
    };
    Ok(Shape { delimiter: byte("delimiter")?, quote: byte("quote")?, encoding })
}

fn language(value: &Value, place: &str) -> Result<LanguageTag, String> {
    let tag = text(value, place)?;
    tag.parse().map_err(|_| format!("{place}: {tag:?} is no language tag such as \"de\""))
}

fn object<'v>(value: &'v Value, place: &str) -> Result<&'v Map<String, Value>, String> {
    value.as_object().ok_or_else(|| format!("{place} must be a table of names and values"))
}

fn text(value: &Value, place: &str) -> Result<String, String> {
    value.as_str().map(str::to_owned).ok_or_else(|| format!("{place}: {value} must be a text in quotes"))
}

fn texts(value: &Value, place: &str) -> Result<Vec<String>, String> {
    match value {
        Value::Array(list) => list.iter().map(|value| text(value, place)).collect(),
        one => Ok(vec![text(one, place)?]),
    }
}

fn known(written: &Map<String, Value>, keys: &[&str], place: &str) -> Result<(), String> {
    match written.keys().find(|key| !keys.contains(&key.as_str())) {
        None => Ok(()),
        Some(key) => {
            let near = nearest(key, keys.iter().copied()).unwrap_or("iri");
            Err(format!("{place} knows no {key:?}; the nearest is {near:?}"))
        }
    }
}
