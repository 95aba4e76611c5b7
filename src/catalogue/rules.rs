//! What a revision may change, given what stands there. Pure.

use crate::domain::dataset::Dataset;
use crate::domain::manifest::Manifest;

use super::CatalogueError;

/// Whether one description may follow another: the same dataset, of the same source, with manifests that only change
/// under a higher version.
pub(super) fn may_follow(before: &Dataset, after: &Dataset) -> Result<(), CatalogueError> {
    if before.id != after.id {
        return Err(CatalogueError::IdChanged { expected: before.id.clone(), found: after.id.clone() });
    }
    let origin = |dataset: &Dataset| dataset.source.as_ref().map(|s| (s.name.clone(), s.iri.clone()));
    if origin(before).is_some() && origin(before) != origin(after) {
        return Err(CatalogueError::SourceChanged);
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
        assert_eq!(may_follow(&before, &after), Err(CatalogueError::SourceChanged));
        after.id = "https://fi.pleiad.example/dataset/other".parse().unwrap();
        assert!(matches!(may_follow(&before, &after), Err(CatalogueError::IdChanged { .. })));
    }
}
