//! What is known of licences, read once from the embedded tables: by address, by SPDX id and by name.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::super::table::{AUTHORITY, rows};
use super::{address, names};
use crate::domain::licence::{Answer, Licence, Permissions};

/// Licences with what they permit.
pub(in super::super) const TABLE: &str = include_str!("../data/licence.tsv");
/// Other names under which a licence goes.
const NAMES: &str = include_str!("../data/licence-name.tsv");
/// The addresses of licences at their stewards and at national portals, as [`address::key`] spells them.
const ADDRESSES: &str = include_str!("../data/licence-address.tsv");

/// The full IRI of a row of the table.
pub(in super::super) fn iri(cell: &str) -> String {
    match cell.strip_prefix("eu:") {
        Some(code) => format!("{AUTHORITY}licence/{code}"),
        None => cell.to_owned(),
    }
}

/// A licence, or what all versions of one have in common where it has neither an id nor an IRI.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Known {
    pub(super) iri: Option<String>,
    pub(super) spdx: Option<&'static str>,
    pub(super) permissions: Permissions,
}

impl Known {
    /// Whether it is one licence and one version.
    pub(super) fn names_one(&self) -> bool {
        self.iri.is_some() || self.spdx.is_some()
    }

    /// Whether both are the same licence.
    pub(super) fn is(&self, other: &Self) -> bool {
        match (self.spdx, other.spdx) {
            (Some(a), Some(b)) => a == b,
            (None, None) => self.iri == other.iri,
            _ => false,
        }
    }

    pub(super) fn licence(&self) -> Licence {
        Licence {
            spdx: self.spdx.map(str::to_owned),
            iri: self.iri.as_deref().and_then(|iri| iri.parse().ok()),
            raw: None,
            matched: None,
            permissions: self.permissions,
        }
    }
}

pub(super) struct Tables {
    pub(super) by_url: HashMap<String, Known>,
    pub(super) by_spdx: HashMap<String, Known>,
    /// `None` where two licences share a name once it is made plain.
    pub(super) by_name: HashMap<String, Option<Known>>,
    /// The names that can be told from other words inside a sentence, as [`names::phrase`] spells them.
    pub(super) by_phrase: HashMap<String, Option<Known>>,
}

pub(super) static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let mut tables =
        Tables { by_url: HashMap::new(), by_spdx: HashMap::new(), by_name: HashMap::new(), by_phrase: HashMap::new() };
    tables.read_licences();
    tables.read_spdx();
    tables.read_names();
    tables.read_addresses();
    tables
});

impl Tables {
    /// Rows are sorted, so that CC_BY_4_0 comes after the deprecated CC_BY and gives the SPDX id its IRI.
    fn read_licences(&mut self) {
        for row in rows(TABLE).1 {
            let [cell, spdx, terms, name] = row[..] else { continue };
            let known = Known {
                iri: (!cell.is_empty()).then(|| iri(cell)),
                spdx: (!spdx.is_empty()).then_some(spdx),
                permissions: permissions(terms),
            };
            if let Some(key) = known.iri.as_deref().and_then(address::key) {
                self.by_url.insert(key, known.clone());
            }
            // A code without a version, such as CC_BY, is a licence only as the IRI of the table.
            if let Some(code) = cell.strip_prefix("eu:").filter(|code| code.contains(|c: char| c.is_ascii_digit())) {
                self.name(code, &known);
            }
            if let Some(spdx) = known.spdx {
                self.by_spdx.insert(spdx.to_lowercase(), known.clone());
            }
            self.name(name, &known);
        }
    }

    fn read_spdx(&mut self) {
        let current = |licence: &&spdx::License| licence.flags & spdx::flags::IS_DEPRECATED == 0;
        for licence in spdx::identifiers::LICENSES.iter().filter(current) {
            let known = self
                .by_spdx
                .entry(licence.name.to_lowercase())
                .or_insert_with(|| Known { iri: None, spdx: Some(licence.name), permissions: Permissions::default() })
                .clone();
            self.name(licence.name, &known);
            // The name of this one says no version, and there are two.
            if licence.name != "NCGL-UK-2.0" {
                self.name(licence.full_name, &known);
            }
        }
    }

    /// Names from the list stand for their licence alone, whatever else could be read from them.
    fn read_names(&mut self) {
        for row in rows(NAMES).1 {
            let [name, id] = row[..] else { continue };
            if let Some(known) = self.by_spdx.get(&id.to_lowercase()).cloned() {
                self.by_name.insert(names::plain(name), Some(known.clone()));
                self.by_phrase.insert(names::phrase(name), Some(known.clone()));
                self.by_spdx.entry(name.to_lowercase()).or_insert(known);
            }
        }
    }

    fn read_addresses(&mut self) {
        for row in rows(ADDRESSES).1 {
            let [address, name] = row[..] else { continue };
            let known = match name.strip_prefix("eu:") {
                Some(_) => address::key(&iri(name)).and_then(|key| self.by_url.get(&key)).cloned(),
                None => self.by_spdx.get(&name.to_lowercase()).cloned(),
            };
            if let Some(known) = known {
                self.by_url.insert(address.to_owned(), known);
            }
        }
    }

    fn name(&mut self, name: &str, known: &Known) {
        insert(&mut self.by_name, names::plain(name), known);
        if names::is_telling(name) {
            insert(&mut self.by_phrase, names::phrase(name), known);
        }
    }
}

fn insert(table: &mut HashMap<String, Option<Known>>, key: String, known: &Known) {
    table
        .entry(key)
        .and_modify(|entry| {
            if !entry.as_ref().is_some_and(|entry| entry.is(known)) {
                *entry = None;
            }
        })
        .or_insert_with(|| Some(known.clone()));
}

fn permissions(terms: &str) -> Permissions {
    let answer = |at: usize| match terms.as_bytes().get(at) {
        Some(b'y') => Answer::Yes,
        Some(b'n') => Answer::No,
        _ => Answer::NotStated,
    };
    Permissions {
        commercial: answer(0),
        derivatives: answer(1),
        share_alike: answer(2),
        attribution: answer(3),
        ai_training: answer(4),
        text_and_data_mining: answer(5),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_every_table_is_used() {
        for row in rows(TABLE).1 {
            let [_, _, terms, _] = row[..] else { panic!("{row:?} has not four cells") };
            assert!(terms.len() == 6 && terms.bytes().all(|b| b"yn-".contains(&b)), "{row:?}");
        }
        for row in rows(NAMES).1 {
            let [name, id] = row[..] else { panic!("{row:?} has not two cells") };
            let known = TABLES.by_name.get(&names::plain(name)).and_then(Option::as_ref);
            assert_eq!(known.and_then(|known| known.spdx), Some(id), "{name}");
        }
        for row in rows(ADDRESSES).1 {
            let [at, id] = row[..] else { panic!("{row:?} has not two cells") };
            let known = TABLES.by_url.get(at).unwrap_or_else(|| panic!("{id} is no licence"));
            assert!(id.starts_with("eu:") || known.spdx == Some(id), "{at}");
            assert_eq!(address::key(&format!("https://{at}")).as_deref(), Some(at));
        }
    }
}
