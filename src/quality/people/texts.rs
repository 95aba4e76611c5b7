//! The texts of a record in which a person might be named: every string that is not an address, a code or a field made
//! for a contact.

use serde_json::Value;

/// Parts of a record that are made to name an organisation, a desk or somebody in a public role, and parts without prose.
const APART: &[&str] = &[
    "access_body",
    "contact",
    "controllers",
    "creators",
    "digest",
    "dpo",
    "id",
    "listed",
    "manifest",
    "policy",
    "processors",
    "publisher",
    "rights_contact",
    "sha256",
    "source",
];

/// Every text with its JSON pointer.
pub(super) fn of(record: &Value) -> Vec<(String, &str)> {
    let mut found = Vec::new();
    walk(record, &mut String::new(), &mut found);
    found
}

fn walk<'a>(value: &'a Value, pointer: &mut String, found: &mut Vec<(String, &'a str)>) {
    let before = pointer.len();
    match value {
        Value::String(text) if is_prose(text) => found.push((pointer.clone(), text)),
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                pointer.push_str(&format!("/{at}"));
                walk(item, pointer, found);
                pointer.truncate(before);
            }
        }
        Value::Object(fields) => {
            for (name, item) in fields.iter().filter(|(name, _)| !APART.contains(&name.as_str())) {
                pointer.push('/');
                pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
                walk(item, pointer, found);
                pointer.truncate(before);
            }
        }
        _ => {}
    }
}

/// Whether a string may say something about somebody: it has several words or an `@`, and is not one address.
fn is_prose(text: &str) -> bool {
    let is_address = !text.contains(char::is_whitespace) && text.contains("://");
    !is_address && (text.contains(char::is_whitespace) || text.contains('@'))
}
