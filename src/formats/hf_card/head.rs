//! The head of a card: what it tells programs.

use serde_json::{Map, Value};

use super::{HUB, all_texts, features};
use crate::domain::bounds;
use crate::domain::dataset::{Annotation, Dataset, Distribution, Modality};
use crate::domain::ids::{Iri, LanguageTag};
use crate::domain::licence::Licence;
use crate::domain::text::Text;
use crate::formats::dcat::rights::{plain, same};
use crate::formats::draft::{Notes, READ, parse_iri, shown, undetermined};
use crate::formats::said::{is_blank, objects, text};
use crate::vocabulary::{self, licence::resolve};

/// The title, of which some cards have one for each configuration; the first then stands for all.
pub(super) fn pretty_name(head: &Map<String, Value>) -> Option<String> {
    all_texts(head, &["pretty_name"]).into_iter().find(|name| !name.starts_with('['))
}

pub(super) fn fill(head: &Map<String, Value>, name: &str, notes: &mut Notes, dataset: &mut Dataset) {
    languages(head, notes, dataset);
    tasks(head, notes, dataset);
    people(head, notes, dataset);
    dataset.licence = licence(head, notes).or(dataset.licence.take());
    rights(head, notes, dataset);
    let tags = all_texts(head, &["tags"]);
    dataset.keywords = notes.keywords(tags.into_iter().map(|tag| (undetermined(), tag)));
    dataset.derived_from = sources(head, notes);
    if let Some(id) = all_texts(head, &["paperswithcode_id"]).into_iter().next()
        && let Some(page) = parse_iri(&format!("https://paperswithcode.com/dataset/{id}"))
        && !dataset.documentation.contains(&page)
    {
        dataset.documentation.push(page);
    }
    if !all_texts(head, &["size_categories"]).iter().all(|size| size == "unknown") {
        notes.note("size: a range such as 10K<n<100K is not a number of records");
    }
    let infos = head.get("dataset_info").filter(|value| !is_blank(value)).map(objects).unwrap_or_default();
    features::fill(&infos, notes, dataset);
    dataset.distributions.extend(files(head, name, notes));
    dataset.distributions.truncate(bounds::LIST);
}

fn languages(head: &Map<String, Value>, notes: &mut Notes, dataset: &mut Dataset) {
    let mut found: Vec<LanguageTag> = Vec::new();
    for code in all_texts(head, &["language", "languages", "language_bcp47"]) {
        let is_code = (2..=3).contains(&code.len()) || code.contains('-');
        let tag = vocabulary::language(&code).or_else(|| if is_code { code.parse().ok() } else { None });
        match (tag, code.as_str()) {
            (_, "code") => push(&mut dataset.training.modalities, Modality::Code),
            (_, "unknown" | "multilingual" | "none") => {}
            (Some(tag), _) => push(&mut found, tag),
            (None, _) => notes.note(format!("language: {:?} is not a tag", shown(&code))),
        }
    }
    notes.cut("languages", &mut found);
    dataset.languages = found;
}

fn push<T: PartialEq>(list: &mut Vec<T>, member: T) {
    if !list.contains(&member) {
        list.push(member);
    }
}

/// The hub's task categories whose input is, by their definition, of one kind.
const MODALITIES: [(&str, Modality); 38] = [
    ("audio-classification", Modality::Audio),
    ("audio-to-audio", Modality::Audio),
    ("automatic-speech-recognition", Modality::Audio),
    ("conversational", Modality::Text),
    ("depth-estimation", Modality::Image),
    ("fill-mask", Modality::Text),
    ("graph-ml", Modality::Graph),
    ("image-classification", Modality::Image),
    ("image-feature-extraction", Modality::Image),
    ("image-segmentation", Modality::Image),
    ("image-to-image", Modality::Image),
    ("image-to-text", Modality::Image),
    ("image-to-video", Modality::Image),
    ("mask-generation", Modality::Image),
    ("multiple-choice", Modality::Text),
    ("object-detection", Modality::Image),
    ("question-answering", Modality::Text),
    ("sentence-similarity", Modality::Text),
    ("summarization", Modality::Text),
    ("table-question-answering", Modality::Tabular),
    ("table-to-text", Modality::Tabular),
    ("tabular-classification", Modality::Tabular),
    ("tabular-regression", Modality::Tabular),
    ("tabular-to-text", Modality::Tabular),
    ("text-classification", Modality::Text),
    ("text-generation", Modality::Text),
    ("text-ranking", Modality::Text),
    ("text-retrieval", Modality::Text),
    ("text-to-image", Modality::Text),
    ("text-to-speech", Modality::Text),
    ("text2text-generation", Modality::Text),
    ("time-series-forecasting", Modality::Timeseries),
    ("token-classification", Modality::Text),
    ("translation", Modality::Text),
    ("video-classification", Modality::Video),
    ("video-text-to-text", Modality::Video),
    ("zero-shot-classification", Modality::Text),
    ("zero-shot-image-classification", Modality::Image),
];

fn tasks(head: &Map<String, Value>, notes: &mut Notes, dataset: &mut Dataset) {
    let categories = all_texts(head, &["task_categories"]);
    for category in &categories {
        if let Some((_, modality)) = MODALITIES.iter().find(|(name, _)| name == category) {
            push(&mut dataset.training.modalities, *modality);
        }
    }
    let mut tasks: Vec<String> = Vec::new();
    for task in categories.into_iter().chain(all_texts(head, &["task_ids"])) {
        if task != "other"
            && let Some(task) = notes.line("task", &task)
        {
            push(&mut tasks, task);
        }
    }
    notes.cut("tasks", &mut tasks);
    dataset.training.tasks = tasks;
}

/// By whom it was written and annotated, in the hub's own words such as `crowdsourced`.
fn people(head: &Map<String, Value>, notes: &mut Notes, dataset: &mut Dataset) {
    let kept = |names: &[&str]| -> Vec<String> {
        let mut words = all_texts(head, names);
        words.retain(|word| !["unknown", "other", "no-annotation"].contains(&word.as_str()));
        words
    };
    let mut ways: Vec<String> =
        kept(&["language_creators"]).iter().filter_map(|word| notes.line("collection", word)).collect();
    notes.cut("collection", &mut ways);
    dataset.training.collection_types = ways;
    let annotators = kept(&["annotations_creators"]);
    let has_people = dataset.training.annotators.as_ref().is_some_and(|own| own.people.is_some());
    if !annotators.is_empty() && !has_people {
        let people = notes.prose("annotators", [(undetermined(), annotators.join(", "))]);
        dataset.training.annotators = people.map(|people| Annotation { people: Some(people), ..Annotation::default() });
    }
}

/// The licence. `unknown` says nothing; `other` stands for the name or address beside it; several are none, because the
/// card does not say which holds for what.
fn licence(head: &Map<String, Value>, notes: &mut Notes) -> Option<Licence> {
    let mut found: Vec<Licence> = Vec::new();
    for word in all_texts(head, &["license", "licence", "licenses"]) {
        let said = match word.as_str() {
            "unknown" => continue,
            "other" => {
                all_texts(head, &["license_link"]).into_iter().chain(all_texts(head, &["license_name"])).collect()
            }
            _ => vec![word.clone()],
        };
        let resolved: Vec<Licence> = said.iter().filter_map(|word| resolve(word)).collect();
        let known = resolved.iter().find(|licence| licence.spdx.is_some() || licence.permissions != Default::default());
        if let Some(licence) = known.or(resolved.first()).cloned().or_else(|| resolve(&word)).map(plain)
            && !found.iter().any(|other| same(other, &licence))
        {
            found.push(licence);
        }
    }
    if found.len() > 1 {
        notes.note("licence: several are stated that differ, so none is taken");
        return None;
    }
    found.pop()
}

/// What the head says about rights beside the licence, above what the body says.
fn rights(head: &Map<String, Value>, notes: &mut Notes, dataset: &mut Dataset) {
    let mut said = all_texts(head, &["license_details", "extra_gated_prompt"]);
    if said.is_empty() {
        return;
    }
    said.extend(dataset.rights.take().map(|rights: Text| rights.best(&[]).1.to_owned()));
    dataset.rights = notes.prose("rights", said.into_iter().map(|text| (undetermined(), text)));
}

/// The datasets on the hub that it extends; `extended|other-…` names what is not there.
fn sources(head: &Map<String, Value>, notes: &mut Notes) -> Vec<Iri> {
    let mut found = Vec::new();
    for word in all_texts(head, &["source_datasets"]) {
        let name = match word.split_once('|') {
            Some(("extended", name)) => name,
            Some(_) => continue,
            None if word.contains('/') => word.as_str(),
            None => continue,
        };
        match super::iri_of(name) {
            Ok(iri) if name != "other" && !name.starts_with("other-") => push(&mut found, iri),
            _ => notes.note(format!("source: {:?} is no dataset on the hub", shown(name))),
        }
    }
    notes.cut("sources", &mut found);
    found
}

/// The files that a configuration names one by one; a pattern of names is no address.
fn files(head: &Map<String, Value>, name: &str, notes: &mut Notes) -> Vec<Distribution> {
    let mut paths: Vec<String> = Vec::new();
    for config in head.get("configs").map(objects).unwrap_or_default() {
        let mut open: Vec<&Value> = config.get("data_files").into_iter().collect();
        while let Some(value) = open.pop() {
            match value {
                Value::Array(members) => open.extend(members.iter().rev()),
                Value::Object(file) => open.extend(file.get("path")),
                _ => paths.extend(text(value)),
            }
        }
    }
    if paths.len() > READ {
        notes.note(format!("distributions: more than {READ} are named, and the others are not read"));
        paths.truncate(READ);
    }
    let mut found: Vec<Distribution> = Vec::new();
    for path in paths {
        if path.contains(['*', '?', '[', '{']) || path.contains("..") {
            notes.note("distribution: a pattern of file names is not an address");
            continue;
        }
        let address = match path.contains("://") {
            true => path.clone(),
            false => format!("{HUB}{name}/resolve/main/{}", path.trim_start_matches('/')),
        };
        let Some(address) = notes.iris("download URL", [address.as_str()]).pop() else { continue };
        let format = path
            .rsplit_once('.')
            .map(|(_, end)| end.to_ascii_uppercase())
            .filter(|end| vocabulary::file_type_iri(end).is_some());
        let distribution = Distribution { download_url: Some(address), format, ..Distribution::default() };
        push(&mut found, distribution);
    }
    found
}
