//! What must be stated before a dataset may be offered: the [`Offerable`].
//!
//! A [`Dataset`] may leave almost everything unsaid; law and policy may not. Only an `Offerable` takes an offer, a
//! request or a shard, and the only way to one is [`Offerable::of`], which says everything that is missing at once, with
//! the law that asks for it. What is merely doubtful is said by `domain::warnings` and refuses nothing.

use super::dataset::{AccessRights, Contact, Dataset, Modality, Registered, TdmReservation};
use super::gdpr::{self, DpiaStatus, Gdpr, PersonalData};
use super::ids::Iri;
use super::licence::Licence;
use super::manifest::{CHUNK_SIZE, Manifest};
use super::policy::{Constraint, Policy};

/// A registered dataset with every field stated that law and policy need.
#[derive(Debug, Clone, Copy)]
pub struct Offerable<'a> {
    record: &'a Registered,
    licence: &'a Licence,
    policy: &'a Policy,
    manifest: &'a Manifest,
}

/// Something that keeps a dataset from being offered.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, thiserror::Error)]
#[error("{pointer}: {detail}")]
pub struct Missing {
    /// Where in the dataset, as a JSON pointer; empty for the whole.
    pub pointer: String,
    /// The kind of fault, for a program: stable words in snake case.
    pub code: &'static str,
    /// Which law or rule asks for it, and what to do.
    pub detail: String,
}

impl<'a> Offerable<'a> {
    /// The record as something that may be offered, or everything that is missing.
    pub fn of(record: &'a Registered) -> Result<Self, Vec<Missing>> {
        let mut missing = missing(&record.dataset);
        if record.withdrawn.is_some() {
            missing.insert(0, Missing::new("", "withdrawn", "it was withdrawn; use its successor, if one is named"));
        }
        if !record.state.is_known() {
            missing.insert(
                0,
                Missing::new("", "not_published", "it is not published yet; send it to review and publish it"),
            );
        }
        let Dataset { licence, policy, .. } = &record.dataset;
        match (licence, policy, record.dataset.manifest()) {
            (Some(licence), Some(policy), Some(manifest)) if missing.is_empty() => {
                Ok(Self { record, licence, policy, manifest })
            }
            _ => Err(missing),
        }
    }

    /// The record it is made of.
    pub fn record(self) -> &'a Registered {
        self.record
    }

    /// What was said.
    pub fn dataset(self) -> &'a Dataset {
        &self.record.dataset
    }

    /// Its licence, identified.
    pub fn licence(self) -> &'a Licence {
        self.licence
    }

    /// Its policy, with at least one permission.
    pub fn policy(self) -> &'a Policy {
        self.policy
    }

    /// Its manifest, with at least one shard.
    pub fn manifest(self) -> &'a Manifest {
        self.manifest
    }
}

/// Everything that keeps a dataset from being offered, in the order of its fields; empty when nothing does.
pub fn missing(dataset: &Dataset) -> Vec<Missing> {
    let mut found = Found(Vec::new());
    descriptive(dataset, &mut found);
    terms(dataset, &mut found);
    personal(dataset, &mut found);
    training(dataset, &mut found);
    bytes(dataset, &mut found);
    found.0
}

impl Missing {
    fn new(pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), code, detail: detail.into() }
    }
}

struct Found(Vec<Missing>);

impl Found {
    fn unless(&mut self, holds: bool, pointer: &str, code: &'static str, detail: &str) {
        if !holds {
            self.0.push(Missing::new(pointer, code, detail));
        }
    }

    fn contact(&mut self, contact: Option<&Contact>, pointer: &str, code: &'static str, detail: &str) {
        self.unless(contact.is_some_and(|c| c.email.is_some() || c.page.is_some()), pointer, code, detail);
    }
}

fn descriptive(dataset: &Dataset, found: &mut Found) {
    found.unless(
        dataset.description.is_some(),
        "/description",
        "description",
        "DCAT-AP asks for a description; say in plain words what the data is",
    );
    found.unless(
        dataset.publisher.is_some(),
        "/publisher",
        "publisher",
        "somebody must answer for an offer; name the organisation that publishes the data",
    );
    found.contact(
        dataset.contact.as_ref(),
        "/contact",
        "contact",
        "a holder must be able to ask; give a desk with an e-mail address or a page, a functional mailbox rather than a person's",
    );
    found.unless(
        dataset.access_rights != AccessRights::NotStated,
        "/access_rights",
        "access_rights",
        "say who may see the data: public, restricted or non_public",
    );
}

fn terms(dataset: &Dataset, found: &mut Found) {
    found.unless(
        dataset.licence.as_ref().is_some_and(Licence::is_identified),
        "/licence",
        "licence",
        "a holder must know the terms; name an SPDX id (licence.spdx) or the IRI of the licence (licence.iri)",
    );
    found.unless(
        dataset.policy.as_ref().is_some_and(|policy| !policy.permissions.is_empty()),
        "/policy/permissions",
        "policy",
        "what no permission allows is denied; state a policy with at least one permission",
    );
    let is_mineable = dataset
        .training
        .modalities
        .iter()
        .any(|m| matches!(m, Modality::Text | Modality::Image | Modality::Audio | Modality::Video));
    found.unless(
        !is_mineable || dataset.tdm_reservation != TdmReservation::NotStated,
        "/tdm_reservation",
        "tdm_reservation",
        "Directive (EU) 2019/790, Article 4(3): for text, image, audio and video say whether text and data mining is reserved or not_reserved",
    );
}

fn personal(dataset: &Dataset, found: &mut Found) {
    let gdpr = &dataset.gdpr;
    found.unless(
        gdpr.personal_data != PersonalData::NotStated,
        "/gdpr/personal_data",
        "personal_data",
        "not stated is never read as no; say no, anonymised, pseudonymised or yes (GDPR, Article 4(1) and recital 26)",
    );
    if !gdpr.personal_data.is_personal() {
        return;
    }
    found.unless(
        !dataset.applicable_legislation.is_empty(),
        "/applicable_legislation",
        "applicable_legislation",
        "the law that governs personal data must be named by its ELI IRI, such as http://data.europa.eu/eli/reg/2016/679/oj for the GDPR",
    );
    lawfulness(gdpr, found);
    accountability(gdpr, found);
    purposes(dataset, found);
}

fn lawfulness(gdpr: &Gdpr, found: &mut Found) {
    found.unless(
        !gdpr.categories.is_empty() || !gdpr.special_categories.is_empty(),
        "/gdpr/categories",
        "categories",
        "GDPR, Article 30(1)(c): name the categories of personal data by their DPV-PD IRIs, such as https://w3id.org/dpv/pd#VoiceCommunicationRecording",
    );
    found.unless(
        gdpr.legal_basis.iter().any(gdpr::is_legal_basis),
        "/gdpr/legal_basis",
        "legal_basis",
        "GDPR, Article 6(1): name the legal basis, such as https://w3id.org/dpv/legal/eu/gdpr#A6-1-e",
    );
    let is_special = !gdpr.special_categories.is_empty() || gdpr.categories.iter().any(gdpr::is_special_category);
    found.unless(
        !is_special || gdpr.special_condition.iter().any(gdpr::is_special_condition),
        "/gdpr/special_condition",
        "special_condition",
        "GDPR, Article 9(2): special categories may be processed only under one of its conditions; name it, such as https://w3id.org/dpv/legal/eu/gdpr#A9-2-j",
    );
}

fn accountability(gdpr: &Gdpr, found: &mut Found) {
    found.unless(
        !gdpr.data_subjects.is_empty(),
        "/gdpr/data_subjects",
        "data_subjects",
        "GDPR, Article 30(1)(c): name the kinds of data subjects, such as https://w3id.org/dpv#Citizen",
    );
    found.unless(
        !gdpr.controllers.is_empty(),
        "/gdpr/controllers",
        "controllers",
        "GDPR, Articles 24 and 26: name the controller, or all joint controllers",
    );
    found.contact(
        gdpr.dpo.as_ref(),
        "/gdpr/dpo",
        "dpo",
        "GDPR, Article 37(7): give the contact of the data protection officer, with an e-mail address or a page",
    );
    found.contact(
        gdpr.rights_contact.as_ref(),
        "/gdpr/rights_contact",
        "rights_contact",
        "GDPR, Article 12(2): say where data subjects exercise their rights, with an e-mail address or a page",
    );
    found.unless(
        gdpr.retention.is_some(),
        "/gdpr/retention",
        "retention",
        "GDPR, Article 5(1)(e): say how long the data may be kept, such as P10Y or a day",
    );
    found.unless(
        gdpr.dpia.as_ref().is_some_and(|dpia| dpia.status != DpiaStatus::Required),
        "/gdpr/dpia",
        "dpia",
        "GDPR, Article 35: say that an impact assessment was completed, or that none is required; one that is required must be done first",
    );
    found.unless(
        !gdpr.measures.is_empty(),
        "/gdpr/measures",
        "measures",
        "GDPR, Articles 32 and 89(1): name the technical and organisational measures, such as https://w3id.org/dpv#Pseudonymisation",
    );
    found.unless(
        !gdpr.processing_locations.is_empty(),
        "/gdpr/processing_locations",
        "processing_locations",
        "GDPR, Chapter V depends on it: name the countries where the data is processed",
    );
    for (at, country) in gdpr.processing_locations.iter().enumerate() {
        let is_covered = gdpr::is_in_eea(country) || gdpr.transfers.iter().any(|t| t.country == *country);
        found.unless(
            is_covered,
            &format!("/gdpr/processing_locations/{at}"),
            "transfer",
            &format!(
                "GDPR, Article 44: {} lies outside the European Economic Area; state the transfer and its tool in gdpr.transfers",
                country.as_str()
            ),
        );
    }
}

/// Purpose limitation: what the policy permits must lie within what the data may be processed for.
fn purposes(dataset: &Dataset, found: &mut Found) {
    let allowed = &dataset.gdpr.purposes;
    found.unless(
        !allowed.is_empty(),
        "/gdpr/purposes",
        "purposes",
        "GDPR, Article 5(1)(b): name the purposes the data may be processed for, such as https://w3id.org/dpv#AcademicResearch",
    );
    if allowed.is_empty() {
        return;
    }
    let permissions = dataset.policy.as_ref().map_or(&[][..], |policy| &policy.permissions);
    for (rule_at, rule) in permissions.iter().enumerate() {
        let mut is_limited = false;
        for (at, constraint) in rule.constraints.iter().enumerate() {
            if !limits_purpose(constraint) {
                continue;
            }
            is_limited = true;
            for (right_at, purpose) in constraint.right.iter().enumerate() {
                found.unless(
                    allowed.iter().any(|known| is_same_purpose(known, purpose)),
                    &format!("/policy/permissions/{rule_at}/constraints/{at}/right/{right_at}"),
                    "purpose_limitation",
                    &format!(
                        "GDPR, Article 5(1)(b): {purpose} is not one of gdpr.purposes; add it there if the data may be processed for it, or take it out of the policy"
                    ),
                );
            }
        }
        found.unless(
            is_limited,
            &format!("/policy/permissions/{rule_at}/constraints"),
            "purpose_limitation",
            "GDPR, Article 5(1)(b): a permission on personal data needs a constraint on purpose (operator eq, isA or isAnyOf) within gdpr.purposes",
        );
    }
}

/// Whether a constraint confines the purpose to what it lists; an exclusion (`neq`, `isNoneOf`) does not.
fn limits_purpose(constraint: &Constraint) -> bool {
    let operator = constraint.operator.trim_start_matches("odrl:").trim_start_matches(ODRL);
    let left = constraint.left.trim_start_matches("odrl:").trim_start_matches(ODRL);
    left == "purpose" && !constraint.right.is_empty() && ["eq", "isA", "isAnyOf"].contains(&operator)
}

const ODRL: &str = "http://www.w3.org/ns/odrl/2/";

fn is_same_purpose(known: &Iri, purpose: &str) -> bool {
    known.as_str() == purpose
        || purpose.strip_prefix("dpv:").is_some_and(|term| known.as_str().strip_prefix(gdpr::DPV) == Some(term))
}

fn training(dataset: &Dataset, found: &mut Found) {
    found.unless(
        !dataset.training.modalities.is_empty(),
        "/training/modalities",
        "modalities",
        "AI Act, Article 53(1)(d): the public summary reports by modality; name the kinds of content",
    );
    found.unless(
        !dataset.training.source_categories.is_empty(),
        "/training/source_categories",
        "source_categories",
        "AI Act, Article 53(1)(d): the public summary reports by source; name the source categories",
    );
}

fn bytes(dataset: &Dataset, found: &mut Found) {
    let manifests: Vec<(usize, &Manifest)> =
        dataset.distributions.iter().enumerate().filter_map(|(at, d)| d.manifest.as_ref().map(|m| (at, m))).collect();
    found.unless(
        !manifests.is_empty(),
        "/distributions",
        "manifest",
        "an agreement is about bytes; give one distribution a manifest with its shards",
    );
    found.unless(
        manifests.len() <= 1,
        "/distributions",
        "one_manifest",
        "an agreement releases one manifest; put all shards in the manifest of one distribution, or register the others as datasets of their own",
    );
    for (at, manifest) in manifests {
        found.unless(
            !manifest.shards.is_empty(),
            &format!("/distributions/{at}/manifest/shards"),
            "shards",
            "a manifest without shards releases nothing; list at least one",
        );
        for (name, shard) in &manifest.shards {
            let chunks = shard.bytes.div_ceil(CHUNK_SIZE).max(1);
            let is_whole = shard.chunks.len() as u64 == chunks || (shard.chunks.is_empty() && chunks == 1);
            found.unless(
                is_whole,
                &format!("/distributions/{at}/manifest/shards/{name}/chunks"),
                "chunks",
                &format!(
                    "a fetch verifies by chunks of {CHUNK_SIZE} bytes: {} bytes have {chunks}, {} are listed",
                    shard.bytes,
                    shard.chunks.len()
                ),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::dataset::Withdrawn;
    use crate::domain::gdpr::Dpia;
    use crate::domain::ids::{Revision, Seq};

    fn example() -> Registered {
        Registered {
            dataset: serde_json::from_str(include_str!("../../config/examples/dataset.json")).unwrap(),
            owner: "spiffe://fi.pleiad.example/participant/archive".parse().unwrap(),
            revision: Revision::FIRST,
            registered: "2026-03-01T09:30:00Z".parse().unwrap(),
            revised: "2026-03-01T09:30:00Z".parse().unwrap(),
            seq: Seq(1),
            state: Default::default(),
            reason: None,
            withdrawn: None,
        }
    }

    fn codes(change: impl FnOnce(&mut Dataset)) -> Vec<String> {
        let mut record = example();
        change(&mut record.dataset);
        let missing = Offerable::of(&record).map(|_| ()).expect_err("something is missing");
        missing.into_iter().map(|m| format!("{} {}", m.pointer, m.code)).collect()
    }

    #[test]
    fn a_dataset_with_everything_stated_may_be_offered() {
        let record = example();
        let offerable = Offerable::of(&record).unwrap();
        assert_eq!(offerable.manifest().shards.len(), 2);
        assert_eq!(offerable.policy().permissions.len(), 1);
    }

    #[test]
    fn a_dataset_with_only_a_title_is_told_everything_at_once() {
        let codes = codes(|d| {
            *d = serde_json::from_value(serde_json::json!({"id": d.id, "title": d.title, "country": "FI"})).unwrap();
        });
        for code in [
            "description",
            "publisher",
            "contact",
            "access_rights",
            "licence",
            "policy",
            "personal_data",
            "modalities",
            "source_categories",
            "manifest",
        ] {
            assert!(codes.iter().any(|found| found.ends_with(&format!(" {code}"))), "{code} in {codes:?}");
        }
    }

    #[test]
    fn every_field_that_law_or_policy_needs_is_missed_alone() {
        assert_eq!(codes(|d| d.description = None), ["/description description"]);
        assert_eq!(codes(|d| d.publisher = None), ["/publisher publisher"]);
        assert_eq!(codes(|d| d.contact = None), ["/contact contact"]);
        assert_eq!(codes(|d| d.access_rights = AccessRights::NotStated), ["/access_rights access_rights"]);
        assert_eq!(codes(|d| d.licence.as_mut().unwrap().iri = None), ["/licence licence"]);
        assert_eq!(codes(|d| d.policy = None), ["/policy/permissions policy"]);
        assert_eq!(codes(|d| d.tdm_reservation = TdmReservation::NotStated), ["/tdm_reservation tdm_reservation"]);
        assert_eq!(codes(|d| d.training.modalities.clear()), ["/training/modalities modalities"]);
        assert_eq!(codes(|d| d.training.source_categories.clear()), ["/training/source_categories source_categories"]);
        assert_eq!(codes(|d| d.distributions.clear()), ["/distributions manifest"]);
        assert_eq!(codes(|d| d.gdpr.personal_data = PersonalData::NotStated), ["/gdpr/personal_data personal_data"]);
        assert_eq!(codes(|d| d.applicable_legislation.clear()), ["/applicable_legislation applicable_legislation"]);
        assert_eq!(
            codes(|d| {
                d.gdpr.categories.clear();
                d.gdpr.special_categories.clear();
            }),
            ["/gdpr/categories categories"]
        );
        assert_eq!(codes(|d| d.gdpr.legal_basis.clear()), ["/gdpr/legal_basis legal_basis"]);
        assert_eq!(codes(|d| d.gdpr.special_condition.clear()), ["/gdpr/special_condition special_condition"]);
        assert_eq!(codes(|d| d.gdpr.data_subjects.clear()), ["/gdpr/data_subjects data_subjects"]);
        assert_eq!(codes(|d| d.gdpr.controllers.clear()), ["/gdpr/controllers controllers"]);
        assert_eq!(codes(|d| d.gdpr.dpo = None), ["/gdpr/dpo dpo"]);
        assert_eq!(
            codes(|d| d.gdpr.rights_contact.as_mut().unwrap().page = None),
            ["/gdpr/rights_contact rights_contact"]
        );
        assert_eq!(codes(|d| d.gdpr.retention = None), ["/gdpr/retention retention"]);
        assert_eq!(codes(|d| d.gdpr.dpia = None), ["/gdpr/dpia dpia"]);
        assert_eq!(codes(|d| d.gdpr.measures.clear()), ["/gdpr/measures measures"]);
        assert_eq!(codes(|d| d.gdpr.processing_locations.clear()), ["/gdpr/processing_locations processing_locations"]);
        assert_eq!(codes(|d| d.gdpr.purposes.clear()), ["/gdpr/purposes purposes"]);
    }

    #[test]
    fn what_is_stated_must_also_hold() {
        assert_eq!(
            codes(|d| d.gdpr.dpia = Some(Dpia { status: DpiaStatus::Required, reference: None })),
            ["/gdpr/dpia dpia"]
        );
        assert_eq!(codes(|d| d.gdpr.transfers.clear()), ["/gdpr/processing_locations/1 transfer"]);
        assert_eq!(codes(|d| d.gdpr.legal_basis = d.gdpr.special_condition.clone()), ["/gdpr/legal_basis legal_basis"]);
        // A special category does not escape by standing among the others.
        assert_eq!(
            codes(|d| {
                d.gdpr.categories.append(&mut d.gdpr.special_categories);
                d.gdpr.special_condition.clear();
            }),
            ["/gdpr/special_condition special_condition"]
        );
        assert_eq!(
            codes(|d| shard(d).chunks.truncate(1)),
            ["/distributions/0/manifest/shards/train-00000.parquet/chunks chunks"]
        );
        assert_eq!(
            codes(|d| d.distributions[0].manifest.as_mut().unwrap().shards.clear()),
            ["/distributions/0/manifest/shards shards"]
        );
        assert_eq!(
            codes(|d| d.distributions[1].manifest = d.distributions[0].manifest.clone()),
            ["/distributions one_manifest"]
        );
    }

    fn shard(dataset: &mut Dataset) -> &mut crate::domain::manifest::Shard {
        let manifest = dataset.distributions[0].manifest.as_mut().unwrap();
        manifest.shards.get_mut(&"train-00000.parquet".parse().unwrap()).unwrap()
    }

    #[test]
    fn a_policy_permits_no_purpose_that_the_data_was_not_meant_for() {
        let permission = |d: &mut Dataset| d.policy.as_mut().unwrap().permissions[0].clone();
        assert_eq!(
            codes(|d| d.policy.as_mut().unwrap().permissions[0].constraints[0]
                .right
                .push("https://w3id.org/dpv#Marketing".into())),
            ["/policy/permissions/0/constraints/0/right/1 purpose_limitation"]
        );
        assert_eq!(
            codes(|d| {
                let mut open = permission(d);
                open.constraints.clear();
                d.policy.as_mut().unwrap().permissions.push(open);
            }),
            ["/policy/permissions/1/constraints purpose_limitation"]
        );
        // To exclude one purpose is not to name those that are meant.
        assert_eq!(
            codes(|d| d.policy.as_mut().unwrap().permissions[0].constraints[0].operator = "isNoneOf".into()),
            ["/policy/permissions/0/constraints purpose_limitation"]
        );
        let mut short = example();
        short.dataset.policy.as_mut().unwrap().permissions[0].constraints[0].right =
            vec!["dpv:AcademicResearch".into()];
        assert!(Offerable::of(&short).is_ok());
    }

    #[test]
    fn without_personal_data_its_fields_are_not_asked_for() {
        let mut record = example();
        record.dataset.gdpr = Gdpr { personal_data: PersonalData::No, ..Gdpr::default() };
        assert!(Offerable::of(&record).is_ok());
    }

    #[test]
    fn what_was_withdrawn_is_not_offered() {
        let mut record = example();
        record.withdrawn = Some(Withdrawn { reason: "Consent was withdrawn.".into(), successor: None });
        assert_eq!(Offerable::of(&record).unwrap_err()[0].code, "withdrawn");
    }
}
