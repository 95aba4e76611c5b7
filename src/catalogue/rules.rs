//! What a revision may change, given what stands there. Pure.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::domain::bounds;
use crate::domain::dataset::{Dataset, Withdrawn};
use crate::domain::ids::DatasetId;
use crate::domain::manifest::Manifest;

use super::CatalogueError;

/// Whether a steward leaves the source of an imported record as the import wrote it.
pub(super) fn keeps_its_source(before: &Dataset, after: &Dataset) -> Result<(), CatalogueError> {
    if before.source.is_none() || before.source == after.source { Ok(()) } else { Err(CatalogueError::SourceChanged) }
}

/// Whether a new id can be told from the address of another record in one of its forms.
pub(super) fn may_be_new(id: &DatasetId) -> Result<(), CatalogueError> {
    id.form_suffix().map_or(Ok(()), |suffix| Err(CatalogueError::LikeAForm { id: id.clone(), suffix }))
}

/// Whether a withdrawal helps those who hold the dataset.
pub(super) fn may_withdraw(id: &DatasetId, withdrawn: &Withdrawn) -> Result<(), CatalogueError> {
    if !bounds::is_prose(&withdrawn.reason, bounds::PROSE) {
        return Err(CatalogueError::InvalidReason);
    }
    if withdrawn.successor.as_ref().is_some_and(|successor| successor.as_str() == id.as_str()) {
        return Err(CatalogueError::OwnSuccessor);
    }
    Ok(())
}

/// The names of the fields in which two descriptions differ.
pub(super) fn changed_fields(before: &Dataset, after: &Dataset) -> BTreeSet<String> {
    let (before, after) = (fields(before), fields(after));
    let names = before.keys().chain(after.keys());
    names.filter(|name| before.get(*name) != after.get(*name)).cloned().collect()
}

/// Puts the fields of a description in the place of those of a draft; what the description leaves out is taken out.
pub(super) fn put_fields(of: &Dataset, names: &BTreeSet<String>, draft: &mut Value) {
    let Value::Object(draft) = draft else { return };
    let mut known = fields(of);
    for name in names {
        match known.shift_remove(name) {
            Some(value) => drop(draft.insert(name.clone(), value)),
            None => drop(draft.shift_remove(name)),
        }
    }
}

fn fields(dataset: &Dataset) -> Map<String, Value> {
    match serde_json::to_value(dataset) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

/// Whether one description may follow another: the same dataset, with manifests that only change under a higher version.
pub(super) fn may_follow(before: &Dataset, after: &Dataset) -> Result<(), CatalogueError> {
    if before.id != after.id {
        return Err(CatalogueError::IdChanged { expected: before.id.clone(), found: after.id.clone() });
    }
    let new = manifests(after);
    for (at, (pointer, old)) in manifests(before).into_iter().enumerate() {
        match new.get(at) {
            None => return Err(CatalogueError::ManifestDropped { pointer, version: old.version }),
            Some((pointer, new)) if *new != old && new.version <= old.version => {
                return Err(CatalogueError::ManifestNotRaised { pointer: pointer.clone(), version: old.version });
            }
            Some(_) => {}
        }
    }
    Ok(())
}

fn manifests(dataset: &Dataset) -> Vec<(String, &Manifest)> {
    let with_place = |(at, manifest): (usize, _)| (format!("/distributions/{at}/manifest"), manifest);
    dataset
        .distributions
        .iter()
        .enumerate()
        .filter_map(|(at, distribution)| Some((at, distribution.manifest.as_ref()?)))
        .map(with_place)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Dataset {
        serde_json::from_str(include_str!("../../config/examples/dataset.json")).unwrap()
    }

    fn manifest(dataset: &mut Dataset) -> &mut Manifest {
        dataset.distributions[0].manifest.as_mut().unwrap()
    }

    #[test]
    fn a_manifest_changes_only_under_a_higher_version() {
        let before = example();
        let mut after = example();
        manifest(&mut after).shards.pop_first();
        let refused = may_follow(&before, &after).unwrap_err();
        assert!(matches!(&refused, CatalogueError::ManifestNotRaised { version: 1, .. }), "{refused}");
        manifest(&mut after).version = 2;
        assert_eq!(may_follow(&before, &after), Ok(()));
        assert!(may_follow(&after, &before).is_err(), "a version does not fall back");
    }

    #[test]
    fn a_manifest_moves_with_its_distribution_and_is_not_left_out() {
        let before = example();
        let mut after = example();
        after.distributions.reverse();
        assert_eq!(may_follow(&before, &after), Ok(()));
        after.distributions.clear();
        let refused = may_follow(&before, &after).unwrap_err();
        assert!(matches!(&refused, CatalogueError::ManifestDropped { .. }), "{refused}");
    }

    #[test]
    fn neither_the_id_nor_the_source_changes() {
        let before = example();
        let mut after = example();
        after.source = None;
        assert_eq!(keeps_its_source(&before, &after), Err(CatalogueError::SourceChanged));
        after.id = "https://fi.pleiad.example/dataset/other".parse().unwrap();
        assert!(matches!(may_follow(&before, &after), Err(CatalogueError::IdChanged { .. })));
    }

    #[test]
    fn what_differs_is_named_and_put_into_a_draft() {
        let before = example();
        let mut after = example();
        after.version = None;
        after.gdpr.retention = Some("P1Y".into());
        let names = changed_fields(&before, &after);
        assert_eq!(names.iter().map(String::as_str).collect::<Vec<_>>(), ["gdpr", "version"]);
        let mut draft = serde_json::to_value(&before).unwrap();
        put_fields(&after, &names, &mut draft);
        assert_eq!(draft, serde_json::to_value(&after).unwrap());
    }
}
