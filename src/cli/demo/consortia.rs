//! The seven consortia of the demonstration and what each of them describes, read from `config/demo`.
//!
//! Real datasets are described from well-known facts, and what nobody was sure of is *not stated*. The fictitious ones
//! say so, belong to `.example` organisations, and have shards that [`super::bytes`] makes.

use serde::Deserialize;
use serde_json::Value;

use crate::domain::ids::{Country, LocalId, TrustDomain};
use crate::domain::text::Text;

/// One consortium: its node and its datasets.
#[derive(Debug, Clone, Deserialize)]
pub struct Consortium {
    /// Its node.
    pub node: NodeSheet,
    /// Its datasets.
    pub datasets: Vec<Described>,
}

/// What is known of a node before it runs.
#[derive(Debug, Clone, Deserialize)]
pub struct NodeSheet {
    /// Its short id.
    pub id: LocalId,
    /// Its trust domain.
    pub domain: TrustDomain,
    /// Its name.
    pub name: Text,
    /// The countries it speaks for.
    pub countries: Vec<Country>,
}

/// A dataset of the demonstration.
#[derive(Debug, Clone, Deserialize)]
pub struct Described {
    /// The participant whose dataset it is.
    pub owner: LocalId,
    /// The document as a steward would send it, without its manifest.
    pub dataset: Value,
    /// The shards to make.
    #[serde(default)]
    pub shards: Option<ShardSheet>,
}

/// Which shards to make.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct ShardSheet {
    /// How many.
    pub count: u32,
    /// Rows in each.
    pub rows: u32,
}

/// The seven, in the order in which they are shown.
pub fn all() -> Vec<Consortium> {
    [
        include_str!("../../../config/demo/fi.json"),
        include_str!("../../../config/demo/lu.json"),
        include_str!("../../../config/demo/se.json"),
        include_str!("../../../config/demo/de.json"),
        include_str!("../../../config/demo/it.json"),
        include_str!("../../../config/demo/gr.json"),
        include_str!("../../../config/demo/es.json"),
    ]
    .into_iter()
    .map(|sheet| {
        serde_json::from_str(sheet).expect("the demonstration's sheets are part of the program and are tested")
    })
    .collect()
}

impl Described {
    /// The local part of its id.
    pub fn local(&self) -> &str {
        self.dataset["id"].as_str().and_then(|id| id.rsplit('/').next()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::dataset::Dataset;
    use crate::domain::offerable;
    use crate::schema;

    fn datasets() -> Vec<(Described, Dataset)> {
        all()
            .into_iter()
            .flat_map(|consortium| consortium.datasets)
            .map(|described| {
                let read = schema::admit(&described.dataset);
                let dataset = read.unwrap_or_else(|faults| panic!("{}: {faults}", described.local()));
                (described, dataset)
            })
            .collect()
    }

    #[test]
    fn every_node_describes_at_least_twelve_datasets_under_its_own_domain_and_countries() {
        for consortium in all() {
            assert!(consortium.datasets.len() >= 12, "{}", consortium.node.id);
            for described in &consortium.datasets {
                let dataset = schema::admit(&described.dataset).unwrap_or_else(|faults| panic!("{faults}"));
                assert!(dataset.id.is_under(&consortium.node.domain), "{}", dataset.id);
                assert!(consortium.node.countries.contains(&dataset.country), "{}", dataset.id);
                assert!(dataset.title.iter().any(|(tag, _)| tag.as_str() == "en"), "{}", dataset.id);
            }
        }
    }

    #[test]
    fn only_fictitious_datasets_have_shards_and_each_of_them_can_be_offered_once_it_has_its_manifest() {
        for (described, dataset) in datasets() {
            assert_eq!(described.shards.is_some(), dataset.fictitious, "{}", dataset.id);
            if dataset.fictitious {
                let missing: Vec<_> = offerable::missing(&dataset)
                    .into_iter()
                    .filter(|missing| !missing.pointer.contains("distributions") && missing.code != "no_manifest")
                    .collect();
                assert!(missing.is_empty(), "{}: {missing:#?}", dataset.id);
            }
        }
    }

    #[test]
    fn the_mix_is_the_one_that_was_promised() {
        let all = datasets();
        let fictitious: Vec<&Dataset> = all.iter().map(|(_, d)| d).filter(|d| d.fictitious).collect();
        let count = |rule: &dyn Fn(&Dataset) -> bool| fictitious.iter().filter(|d| rule(d)).count();
        assert!(all.len() >= 84 && all.len() - fictitious.len() >= 40);
        assert!(count(&|d| d.gdpr.personal_data.is_personal()) >= 20);
        assert!(count(&|d| !d.gdpr.special_categories.is_empty()) >= 8);
        assert!(count(&|d| d.policy.as_ref().is_some_and(|p| p.approval)) >= 15);
        let mut identifiers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for dataset in &fictitious {
            for identifier in &dataset.identifiers {
                identifiers.entry(identifier.as_str()).or_default().push(dataset.id.domain());
            }
        }
        assert!(identifiers.values().filter(|nodes| nodes.len() == 2 && nodes[0] != nodes[1]).count() >= 5);
        for (described, _) in all.iter().filter(|(_, d)| d.fictitious) {
            assert!(described.dataset.to_string().contains(".example"), "{}", described.local());
        }
    }
}
