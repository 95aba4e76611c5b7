//! What to tell a client about a violation: what was found, what is allowed, what to do; in our words, not a library's.

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use serde_json::Value;

use super::{SCHEMA, Violation};

/// How much of what was found is told.
const FOUND: usize = 80;

/// Says what a schema error means; several unknown names in one object are several violations.
pub(super) fn explain(error: ValidationError<'_>) -> Vec<Violation> {
    let pointer = error.instance_path().as_str().to_owned();
    let found = shorten(error.instance());
    let one = |found: String, allowed: String, hint: &str| {
        vec![Violation { pointer: pointer.clone(), found, allowed, hint: hint.to_owned() }]
    };
    match error.kind() {
        Kind::AdditionalProperties { unexpected } => {
            let known = known_names(&error);
            unexpected.iter().map(|name| unknown_name(&pointer, name, &known)).collect()
        }
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            vec![Violation {
                pointer: format!("{pointer}/{name}"),
                found: "nothing".to_owned(),
                allowed: describe_property(&error, name),
                hint: format!("State {name}; it cannot be left out."),
            }]
        }
        Kind::Type { kind } => {
            let (kind, described) = (type_name(kind), described(&error));
            let hint = hint_of_type(error.instance(), &kind, &described);
            one(found, if described.is_empty() { kind } else { format!("{kind}: {described}") }, &hint)
        }
        Kind::Enum { options } => {
            let options: Vec<&str> = options.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let hint = match error.instance().as_str().and_then(|word| nearest(word, &options)) {
                Some(near) => format!("Did you mean {near}?"),
                None => "Use one of these words.".to_owned(),
            };
            let allowed = if options.len() > 20 { described(&error) } else { format!("one of {}", options.join(", ")) };
            one(found, allowed, &hint)
        }
        Kind::Pattern { .. } => one(found, described(&error), "Write it in that form."),
        Kind::AnyOf { .. } => one(found, described(&error), "Write it in one of these forms."),
        Kind::Format { format } => one(found, described(&error), &format!("Write a {format} that exists.")),
        Kind::PropertyNames { error: inner } => {
            let name = inner.instance().as_str().unwrap_or_default();
            vec![Violation {
                pointer: format!("{pointer}/{}", escape(name)),
                found: format!("the name {}", shorten(&Value::String(name.to_owned()))),
                allowed: described_at(inner.schema_path().as_str(), 1),
                hint: "Rename it.".to_owned(),
            }]
        }
        Kind::MaxLength { limit } => {
            let length = error.instance().as_str().map_or(0, |text| text.chars().count());
            one(format!("{length} characters"), format!("at most {limit} characters"), "Shorten it.")
        }
        Kind::MinLength { limit } => {
            one(found, described_or(&error, format!("at least {limit} characters")), "Write it out.")
        }
        Kind::MaxItems { limit } => {
            let length = error.instance().as_array().map_or(0, Vec::len);
            one(format!("{length} members"), format!("at most {limit} members"), "Take out what is over the limit.")
        }
        Kind::MinItems { limit } => one(found, format!("at least {limit} members"), "Add what is missing."),
        Kind::AdditionalItems { limit } => one(found, format!("at most {limit} members"), "Take the rest out."),
        Kind::MaxProperties { limit } => {
            let length = error.instance().as_object().map_or(0, serde_json::Map::len);
            one(format!("{length} names"), format!("at most {limit} names"), "Take out what is over the limit.")
        }
        Kind::MinProperties { .. } => {
            one("an empty object".to_owned(), described(&error), "Fill it, or leave the field out.")
        }
        Kind::Minimum { limit } => one(found, format!("{limit} or more"), "Mend the number."),
        Kind::Maximum { limit } => one(found, format!("{limit} or less"), "Mend the number."),
        _ => one(found, described(&error), "Mend this value."),
    }
}

fn hint_of_type(found: &Value, wanted: &str, described: &str) -> String {
    match (found, wanted) {
        (Value::Null, _) => "Leave the field out to say that it is not stated; null is not a value here.".to_owned(),
        (Value::String(_), "object") if described.contains("languages") => {
            format!("Say in which language it is, such as {{\"en\": {}}}.", shorten(found))
        }
        (Value::String(text), "integer" | "number") if text.trim().parse::<f64>().is_ok() => {
            "Write it without quotation marks.".to_owned()
        }
        (Value::String(_) | Value::Object(_), "array") => "Put it in a list: […].".to_owned(),
        (Value::String(text), "boolean") if text == "true" || text == "false" => {
            "Write it without quotation marks.".to_owned()
        }
        _ => "Write it in that type.".to_owned(),
    }
}

/// A value as JSON, cut to a length that fits in a message.
pub(super) fn shorten(value: &Value) -> String {
    match value {
        Value::Array(list) if list.len() > 4 => return format!("a list of {} members", list.len()),
        Value::Object(object) if object.len() > 2 => return format!("an object of {} names", object.len()),
        _ => {}
    }
    let text = value.to_string();
    if text.chars().count() <= FOUND {
        return text;
    }
    text.chars().take(FOUND).chain(['…']).collect()
}

fn unknown_name(pointer: &str, name: &str, known: &[&str]) -> Violation {
    Violation {
        pointer: format!("{pointer}/{}", escape(name)),
        found: format!("the unknown name {}", shorten(&Value::String(name.to_owned()))),
        allowed: format!("one of {}", known.join(", ")),
        hint: match nearest(name, known) {
            Some(near) => format!("Did you mean {near}?"),
            None => "Take it out; nothing that is not described is kept.".to_owned(),
        },
    }
}

/// The nearest known word, if one is near enough to be meant.
fn nearest<'w>(word: &str, known: &[&'w str]) -> Option<&'w str> {
    // A long word is nobody's slip of the pen, and comparing it would be slow.
    if word.len() > 64 {
        return None;
    }
    let folded = word.to_lowercase().replace(['-', ' '], "_");
    known
        .iter()
        .map(|candidate| (strsim::jaro_winkler(&folded, &candidate.to_lowercase()), *candidate))
        .filter(|(likeness, _)| *likeness >= 0.85)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

fn known_names(error: &ValidationError<'_>) -> Vec<&'static str> {
    schema_node(error.schema_path().as_str(), 1)
        .and_then(|node| node.get("properties"))
        .and_then(Value::as_object)
        .map(|properties| properties.keys().map(String::as_str).collect())
        .unwrap_or_default()
}

fn describe_property(error: &ValidationError<'_>, name: &str) -> String {
    let parent = schema_node(error.schema_path().as_str(), 1);
    parent
        .and_then(|node| node.pointer(&format!("/properties/{}", escape(name))))
        .or_else(|| SCHEMA.pointer(&format!("/$defs/Fields/properties/{}", escape(name))))
        .and_then(|node| node.get("description"))
        .and_then(Value::as_str)
        .unwrap_or("a value")
        .trim_end_matches('.')
        .to_owned()
}

/// What the schema itself says of the place where the keyword stands.
fn described(error: &ValidationError<'_>) -> String {
    described_at(error.schema_path().as_str(), 1)
}

fn described_or(error: &ValidationError<'_>, otherwise: String) -> String {
    let text = described(error);
    if text.is_empty() { otherwise } else { text }
}

fn described_at(schema_path: &str, up: usize) -> String {
    // A keyword inside `allOf` belongs to the definition around it.
    (up..up + 3)
        .find_map(|up| schema_node(schema_path, up)?.get("description")?.as_str())
        .unwrap_or_default()
        .trim_end_matches('.')
        .to_owned()
}

fn schema_node(schema_path: &str, up: usize) -> Option<&'static Value> {
    let mut path = schema_path;
    for _ in 0..up {
        path = path.rsplit_once('/')?.0;
    }
    SCHEMA.pointer(path)
}

fn type_name(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(kind) => kind.to_string(),
        TypeKind::Multiple(kinds) => kinds.into_iter().map(|kind| kind.to_string()).collect::<Vec<_>>().join(" or "),
    }
}

fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
