//! Datasets of the Hugging Face hub: the dataset card (README.md with a head in YAML) and `dataset_infos.json`.
//!
//! A card has two halves. The head is for programs: licence, languages, tasks, features, splits. The body is Markdown in
//! the hub's template, whose sections ask what the AI Act asks; a section that still says "[More Information Needed]" says
//! nothing. `dataset_infos.json`, written by older versions of the library, has features, splits and the digests of what
//! is downloaded; where both lie beside one another they make one record, in which the card's words come first.

mod body;
mod features;
mod head;
mod infos;

use serde_json::{Map, Value};

use super::draft::{self, Common, Notes, Read, parse_iri, undetermined};
use super::{Draft, Refused, text, yaml};
use crate::domain::dataset::Dataset;
use crate::domain::ids::Iri;

use body::Sections;

/// Counted up when the same card is read differently.
const MAPPING: &str = "hf 1";
const HUB: &str = "https://huggingface.co/datasets/";

/// Reads a card. `name` is the dataset's name on the hub, such as `squad` or `org/name`; `infos` is the text of the
/// `dataset_infos.json` beside it, where there is one.
pub fn read(card: &str, infos: Option<&str>, name: &str, common: &Common) -> Result<Draft, Refused> {
    let iri = iri_of(name)?;
    let refuse = |reason: String| Err(Refused { place: iri.to_string(), reason });
    let card = card.trim_start_matches('\u{feff}');
    let Some((head, body)) = divided(card) else {
        return refuse(
            "it has no head in YAML between two lines of ---, which says licence and languages; add one at the top"
                .into(),
        );
    };
    let head = match yaml::value(head) {
        Ok(Value::Object(head)) => head,
        Ok(Value::Null) => {
            return refuse("its head in YAML is empty; say at least the licence and the languages".into());
        }
        Ok(_) => {
            return refuse("its head in YAML is no list of fields such as `license: mit`; write one a line".into());
        }
        Err(fault) => {
            // The head begins below the first line of ---.
            let line = fault.line + 1;
            return refuse(format!(
                "its head is no YAML at line {line}: {}; mend that line, or put its value in quotes",
                fault.reason
            ));
        }
    };
    let sections = Sections::of(body);
    let mut notes = Notes::default();
    let said = [head::pretty_name(&head), sections.title(), name.rsplit('/').next().map(str::to_owned)];
    let title = said.into_iter().flatten().find_map(|said| notes.title("title", [(undetermined(), said)]));
    let Some(title) = title else { return refuse("it has no title".into()) };
    let mut dataset = draft::empty(title, common);
    if let Some(infos) = infos {
        match infos::object(infos) {
            Ok(configs) => infos::fill(&configs, &mut notes, &mut dataset),
            Err(reason) => notes.note(format!("dataset_infos.json: {reason}")),
        }
    }
    body::fill(&sections, &mut notes, &mut dataset);
    head::fill(&head, name, &mut notes, &mut dataset);
    finished(dataset, iri, notes, with_infos(card, infos), "hf-card", common)
}

/// Reads a `dataset_infos.json` alone.
pub fn read_infos(text: &str, name: &str, common: &Common) -> Result<Draft, Refused> {
    let iri = iri_of(name)?;
    let refuse = |reason: String| Err(Refused { place: iri.to_string(), reason });
    let configs = match infos::object(text) {
        Ok(configs) => configs,
        Err(reason) => return refuse(reason),
    };
    let mut notes = Notes::default();
    let short = name.rsplit('/').next().unwrap_or(name).to_owned();
    let Some(title) = notes.title("title", [(undetermined(), short)]) else { return refuse("it has no title".into()) };
    let mut dataset = draft::empty(title, common);
    infos::fill(&configs, &mut notes, &mut dataset);
    finished(dataset, iri, notes, text.to_owned(), "hf-infos", common)
}

/// Whether a document is a `dataset_infos.json`: an object of configurations, each with its features or splits.
pub fn is_infos(value: &Value) -> bool {
    let is_config = |config: &Value| {
        config.get("features").is_some() || (config.get("splits").is_some() && config.get("builder_name").is_some())
    };
    value.as_object().is_some_and(|configs| !configs.is_empty() && configs.values().all(is_config))
}

/// Whether a text begins as a card does.
pub fn is_card(text: &str) -> bool {
    text.trim_start_matches('\u{feff}').lines().next().is_some_and(|line| line.trim_end() == "---")
}

/// The name on the hub of what lies at a path: below `datasets`, in a folder of the hub's cache (`datasets--org--name`), the
/// folder of a README.md or dataset_infos.json, else the name of the file.
pub fn name_of(path: &str) -> Option<String> {
    let parts: Vec<&str> = path.split(['/', '\\']).filter(|part| !part.is_empty() && *part != ".").collect();
    let (file, folders) = parts.split_last()?;
    if let Some(cached) = folders.iter().rev().find_map(|folder| folder.strip_prefix("datasets--")) {
        return Some(cached.replace("--", "/"));
    }
    let stem = file.split('.').next().unwrap_or(file);
    let is_of_folder = ["readme", "dataset_infos"].contains(&stem.to_ascii_lowercase().as_str());
    if !is_of_folder {
        return (!stem.is_empty()).then(|| stem.to_owned());
    }
    match folders.iter().rposition(|folder| *folder == "datasets") {
        Some(at) if (1..=2).contains(&(folders.len() - at - 1)) => Some(folders[at + 1..].join("/")),
        _ => folders.last().map(|folder| (*folder).to_owned()),
    }
}

fn iri_of(name: &str) -> Result<Iri, Refused> {
    let is_part = |part: &str| {
        (1..=96).contains(&part.len())
            && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
            && part != ".."
    };
    let parts: Vec<&str> = name.split('/').collect();
    let iri = parse_iri(&format!("{HUB}{name}")).filter(|_| parts.len() <= 2 && parts.iter().all(|part| is_part(part)));
    iri.ok_or_else(|| Refused {
        place: name.to_owned(),
        reason: format!("{name:?} is no name on the hub, so that the card has no address; lay it at NAME/README.md or ORG/NAME/README.md below datasets"),
    })
}

/// The head and the body of a card.
fn divided(card: &str) -> Option<(&str, &str)> {
    let mut at = 0;
    let mut start = None;
    for line in card.split_inclusive('\n') {
        match (line.trim_end() == "---", start) {
            (true, None) => start = Some(at + line.len()),
            (true, Some(start)) => return Some((&card[start..at], &card[at + line.len()..])),
            (false, None) => return None,
            (false, Some(_)) => {}
        }
        at += line.len();
    }
    None
}

/// The card's text with that of the infos below it: both were read.
fn with_infos(card: &str, infos: Option<&str>) -> String {
    match infos {
        Some(infos) => format!("{card}\n<!-- dataset_infos.json -->\n{infos}"),
        None => card.to_owned(),
    }
}

fn finished(
    mut dataset: Dataset,
    iri: Iri,
    notes: Notes,
    text: String,
    format: &str,
    common: &Common,
) -> Result<Draft, Refused> {
    if dataset.landing_pages.is_empty() {
        dataset.landing_pages.push(iri.clone());
    }
    draft::finish(Read { dataset, iri, notes, text }, format, MAPPING, common)
}

/// The texts of a field of the head: one, a list, or, as cards with several configurations write it, lists by name.
fn all_texts(head: &Map<String, Value>, names: &[&str]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut open: Vec<&Value> = names.iter().filter_map(|name| head.get(*name)).collect();
    open.reverse();
    while let Some(value) = open.pop() {
        match value {
            Value::Array(members) => open.extend(members.iter().rev()),
            Value::Object(fields) => open.extend(fields.values().rev()),
            // YAML reads the language code of Norwegian, `no`, as an answer.
            Value::Bool(false) => found.push("no".into()),
            Value::String(text) if !text::line(text).is_empty() => found.push(text.trim().to_owned()),
            Value::Number(number) => found.push(number.to_string()),
            _ => {}
        }
    }
    let mut seen = std::collections::HashSet::new();
    found.retain(|text| seen.insert(text.clone()));
    found
}

#[cfg(test)]
mod tests;
