//! CKAN: what `package_show` and `package_search` answer, alone or in the envelope of the action API.
//!
//! CKAN itself knows a title, notes, tags, an organisation and resources. Everything else is a habit of its plugins, which
//! write it as fields of their own or as pairs in `extras`: the DCAT profile of ckanext-dcat, and texts in several languages
//! as ckanext-fluent writes them (`title_translated`). Both places and both spellings are read. The dates of the record
//! (`metadata_created`) are not those of the data, and are not taken for them.

mod package;
mod parties;
mod resource;

use serde_json::{Map, Value};

use super::draft::Common;
use super::said::{field, text};
use super::{Draft, Refused};
use crate::domain::ids::Iri;

/// Reads a package, a list or a page of them, or the answer of the action API around one. `site` is the portal's address,
/// under which its datasets have their pages.
pub fn read(text: &str, common: &Common, site: &Iri) -> Vec<Result<Draft, Refused>> {
    let refused = |reason: String| vec![Err(Refused { place: site.to_string(), reason })];
    let value: Value = match serde_json::from_str(text.trim_start_matches('\u{feff}')) {
        Ok(value) => value,
        Err(error) => return refused(format!("the answer is not JSON: {error}; fetch it again")),
    };
    match packages(value) {
        Ok(packages) => packages.into_iter().map(|package| one(package, common, site)).collect(),
        Err(reason) => refused(reason),
    }
}

/// The address of the portal that an answer names itself, in the `help` of the envelope.
pub fn site_of(value: &Value) -> Option<Iri> {
    let help = value.get("help")?.as_str()?;
    let (site, _) = help.split_once("/api/")?;
    site.parse().ok().filter(|_| site.starts_with("http"))
}

/// Whether a document is one of CKAN's: its envelope, a page of a search, a package or a list of packages.
pub fn is_one(value: &Value) -> bool {
    match value {
        Value::Array(members) => members.first().is_some_and(is_one),
        Value::Object(fields) => {
            let is_answer =
                fields.contains_key("success") && (fields.contains_key("result") || fields.contains_key("error"));
            let is_page = fields.get("results").is_some_and(|list| list.get(0).is_some_and(is_one));
            let is_package = fields.contains_key("resources")
                && fields.contains_key("name")
                && ["notes", "tags", "extras", "license_id", "owner_org", "metadata_modified"]
                    .iter()
                    .any(|name| fields.contains_key(*name));
            is_answer || is_page || is_package
        }
        _ => false,
    }
}

/// The packages of an answer.
fn packages(value: Value) -> Result<Vec<Value>, String> {
    let value = match value {
        Value::Object(mut answer) if answer.contains_key("success") => {
            if answer.get("success") != Some(&Value::Bool(true)) {
                let error = answer.get("error").and_then(|error| error.get("message").and_then(text));
                return Err(format!(
                    "the portal answered that it failed: {}; ask it again, or with a token that may read it",
                    error.unwrap_or_else(|| "without a reason".into())
                ));
            }
            answer.remove("result").ok_or("the portal's answer has no result")?
        }
        other => other,
    };
    match value {
        Value::Array(list) => Ok(list),
        Value::Object(mut page) if page.get("results").is_some_and(Value::is_array) => match page.remove("results") {
            Some(Value::Array(list)) => Ok(list),
            _ => Ok(Vec::new()),
        },
        Value::Object(package) => Ok(vec![Value::Object(package)]),
        _ => {
            Err("this is no package of CKAN and no list of them; save the answer of package_show or package_search"
                .into())
        }
    }
}

fn one(package: Value, common: &Common, site: &Iri) -> Result<Draft, Refused> {
    let Value::Object(fields) = &package else {
        let reason =
            "a package is an object, and this is none; package_list gives names only: use package_search".into();
        return Err(Refused { place: site.to_string(), reason });
    };
    package::read(&Package::new(fields), common, site)
}

/// A package with its extras.
struct Package<'v> {
    fields: &'v Map<String, Value>,
    extras: Map<String, Value>,
}

impl<'v> Package<'v> {
    fn new(fields: &'v Map<String, Value>) -> Self {
        let mut extras = Map::new();
        match fields.get("extras") {
            Some(Value::Array(pairs)) => {
                for pair in pairs {
                    if let (Some(key), Some(value)) = (pair.get("key").and_then(Value::as_str), pair.get("value")) {
                        extras.entry(key).or_insert_with(|| value.clone());
                    }
                }
            }
            // Before version 2 of the API the extras were an object.
            Some(Value::Object(older)) => extras = older.clone(),
            _ => {}
        }
        Self { fields, extras }
    }

    /// The first stated of these fields, wherever it stands; an extra may carry the prefix `dcat_`.
    fn field(&self, names: &[&str]) -> Option<&Value> {
        field(self.fields, names).or_else(|| {
            names.iter().find_map(|name| {
                field(&self.extras, &[name]).or_else(|| field(&self.extras, &[&format!("dcat_{name}")]))
            })
        })
    }

    fn text(&self, names: &[&str]) -> Option<String> {
        self.field(names).and_then(text)
    }

    fn texts(&self, names: &[&str]) -> Vec<String> {
        self.field(names).map(super::said::texts).unwrap_or_default()
    }

    /// Its page at the portal, or the address that it says is its own.
    fn iri(&self, site: &Iri) -> Option<Iri> {
        let own = self.text(&["uri"]).filter(|uri| uri.starts_with("http") || uri.starts_with("urn:"));
        own.and_then(|uri| super::draft::parse_iri(&uri)).or_else(|| self.page(site))
    }

    fn page(&self, site: &Iri) -> Option<Iri> {
        let name = ["name", "id"].iter().find_map(|name| self.fields.get(*name).and_then(text))?;
        super::draft::parse_iri(&format!("{}/dataset/{}", site.as_str().trim_end_matches('/'), name.trim()))
    }
}

#[cfg(test)]
mod tests;
