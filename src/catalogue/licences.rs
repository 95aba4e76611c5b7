//! What the licence table knows and a steward need not write: the spelling of an SPDX id, and what a licence permits.

use crate::domain::dataset::Dataset;
use crate::domain::licence::{Answer, Licence, Permissions};
use crate::domain::warnings::Warning;
use crate::vocabulary::licence::{by_spdx, resolve};

/// Fills in what the table knows of a licence that is named by its SPDX id or IRI. What was stated stays as it was, and a
/// licence that the table does not have gets nothing: permissions are never guessed.
pub(super) fn complete(dataset: &mut Dataset) {
    let of_distributions = dataset.distributions.iter_mut().filter_map(|distribution| distribution.licence.as_mut());
    for licence in dataset.licence.iter_mut().chain(of_distributions) {
        let Some(known) = known(licence) else { continue };
        if licence.spdx.is_some() {
            licence.spdx = known.spdx;
        }
        for (stated, table) in pairs(&mut licence.permissions, known.permissions) {
            if *stated == Answer::NotStated {
                *stated = table;
            }
        }
    }
}

/// What is doubtful about the licences: an id that nobody knows, a permission that the licence does not give.
pub(super) fn doubts(dataset: &Dataset) -> Vec<Warning> {
    let of_distributions = dataset.distributions.iter().enumerate().filter_map(|(at, distribution)| {
        Some((format!("/distributions/{at}/licence"), distribution.licence.as_ref()?))
    });
    let own = dataset.licence.as_ref().map(|licence| ("/licence".to_owned(), licence));
    own.into_iter().chain(of_distributions).flat_map(|(pointer, licence)| doubts_of(&pointer, licence)).collect()
}

fn doubts_of(pointer: &str, licence: &Licence) -> Vec<Warning> {
    let mut doubts = Vec::new();
    if let Some(id) = licence.spdx.as_deref().filter(|id| by_spdx(id).is_none()) {
        doubts.push(Warning {
            pointer: format!("{pointer}/spdx"),
            code: "unknown_spdx_id",
            detail: format!(
                "the SPDX list has no {id:?}; use one of its ids, such as CC-BY-4.0, or name the licence by iri and raw"
            ),
        });
    }
    let mut stated = licence.permissions;
    if let Some(known) = known(licence)
        && pairs(&mut stated, known.permissions)
            .iter()
            .any(|(stated, table)| **stated != *table && **stated != Answer::NotStated && *table != Answer::NotStated)
    {
        doubts.push(Warning {
            pointer: format!("{pointer}/permissions"),
            code: "permissions_against_licence",
            detail:
                "what is stated differs from what the named licence permits; leave the permissions out to have them \
                     filled in, or name the licence that is meant"
                    .to_owned(),
        });
    }
    doubts
}

fn known(licence: &Licence) -> Option<Licence> {
    match (&licence.spdx, &licence.iri) {
        (Some(id), _) => by_spdx(id),
        (None, Some(iri)) => resolve(iri.as_str()),
        (None, None) => None,
    }
}

fn pairs(stated: &mut Permissions, table: Permissions) -> [(&mut Answer, Answer); 6] {
    [
        (&mut stated.commercial, table.commercial),
        (&mut stated.derivatives, table.derivatives),
        (&mut stated.share_alike, table.share_alike),
        (&mut stated.attribution, table.attribution),
        (&mut stated.ai_training, table.ai_training),
        (&mut stated.text_and_data_mining, table.text_and_data_mining),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn licensed(licence: serde_json::Value) -> Dataset {
        let mut dataset: Dataset =
            serde_json::from_str(include_str!("../../config/examples/dataset.json")).expect("the example is a dataset");
        dataset.licence = Some(serde_json::from_value(licence).unwrap());
        dataset
    }

    fn completed(licence: serde_json::Value) -> Licence {
        let mut dataset = licensed(licence);
        complete(&mut dataset);
        dataset.licence.unwrap()
    }

    #[test]
    fn a_known_licence_says_what_it_permits_and_a_statement_stays() {
        let by_id = completed(serde_json::json!({"spdx": "cc-by-nc-4.0"}));
        assert_eq!((by_id.spdx.as_deref(), by_id.permissions.commercial), (Some("CC-BY-NC-4.0"), Answer::No));
        let iri = "http://publications.europa.eu/resource/authority/licence/CC_BY_4_0";
        let by_iri = completed(serde_json::json!({"iri": iri, "permissions": {"ai_training": "no"}}));
        assert_eq!((by_iri.spdx, by_iri.permissions.attribution), (None, Answer::Yes));
        assert_eq!(by_iri.permissions.ai_training, Answer::No);
    }

    #[test]
    fn an_unknown_licence_gets_no_permissions() {
        for licence in [
            serde_json::json!({"spdx": "Own-1.0"}),
            serde_json::json!({"iri": "https://archive.example/terms"}),
            serde_json::json!({"raw": "CC BY 4.0"}),
        ] {
            assert_eq!(completed(licence).permissions, Permissions::default());
        }
    }

    #[test]
    fn what_contradicts_the_licence_is_doubtful() {
        let codes = |licence| doubts(&licensed(licence)).into_iter().map(|doubt| doubt.code).collect::<Vec<_>>();
        assert_eq!(codes(serde_json::json!({"spdx": "Own-1.0"})), ["unknown_spdx_id"]);
        let against = serde_json::json!({"spdx": "CC-BY-NC-4.0", "permissions": {"commercial": "yes"}});
        assert_eq!(codes(against), ["permissions_against_licence"]);
        assert_eq!(codes(serde_json::json!({"spdx": "CC-BY-NC-4.0"})), [] as [&str; 0]);
    }
}
