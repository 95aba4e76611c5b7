//! One dataset that several nodes describe under one persistent identifier, shown once. Pure.
//!
//! The best of them keeps its place and names the others. Only records of *different* nodes are joined: within one node
//! two records are two records, whatever they say. What joins is an identifier of the best record itself, so two records
//! are not joined through a third, and a node that claims the identifiers of others takes at most one record of each.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::merge::{AlsoAt, Ranked};
use crate::domain::ids::Iri;

/// How many identifiers of one record are looked at.
const MOST_IDENTIFIERS: usize = 16;

/// Joins hits that are already in their order; the order of those that stay is kept.
pub fn joined(ranked: Vec<Ranked>) -> Vec<Ranked> {
    let mut groups: Vec<Ranked> = Vec::with_capacity(ranked.len());
    let mut by_identifier: BTreeMap<String, usize> = BTreeMap::new();
    for one in ranked {
        let names: Vec<String> = one.hit.card.identifiers.iter().take(MOST_IDENTIFIERS).map(canonical).collect();
        let is_of = |group: &Ranked| group.node != one.node && group.also_at.iter().all(|also| also.node != one.node);
        let group = names
            .iter()
            .filter_map(|name| by_identifier.get(name).copied())
            .filter(|place| groups.get(*place).is_some_and(is_of))
            .min();
        match group.and_then(|place| groups.get_mut(place)) {
            Some(group) => group.also_at.push(AlsoAt { node: one.node, id: one.hit.card.id }),
            None => {
                for name in names {
                    if let Entry::Vacant(free) = by_identifier.entry(name) {
                        free.insert(groups.len());
                    }
                }
                groups.push(one);
            }
        }
    }
    groups
}

/// One spelling for the many of a DOI, which is compared without regard to case; other identifiers are as written.
fn canonical(identifier: &Iri) -> String {
    let text = identifier.as_str();
    let folded = text.to_ascii_lowercase();
    [
        "https://doi.org/",
        "http://doi.org/",
        "https://dx.doi.org/",
        "http://dx.doi.org/",
        "urn:doi:",
        "info:doi/",
        "doi:",
    ]
    .iter()
    .find_map(|prefix| folded.strip_prefix(prefix))
    .filter(|rest| rest.starts_with("10."))
    .map_or_else(|| text.to_owned(), |doi| format!("doi:{doi}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_doi_is_the_same_in_every_spelling_and_a_urn_is_not_touched() {
        for text in ["https://doi.org/10.5281/Zenodo.1", "http://dx.doi.org/10.5281/zenodo.1", "doi:10.5281/ZENODO.1"] {
            assert_eq!(canonical(&text.parse().unwrap()), "doi:10.5281/zenodo.1");
        }
        let urn: Iri = "urn:nbn:fi:lb-2023A".parse().unwrap();
        assert_eq!(canonical(&urn), "urn:nbn:fi:lb-2023A");
        assert_eq!(canonical(&"https://doi.org/about".parse().unwrap()), "https://doi.org/about");
    }
}
