//! `dataset_infos.json`: one object for each configuration, with features, splits and what is downloaded.

use serde_json::{Map, Value};

use super::features;
use crate::domain::bounds;
use crate::domain::dataset::{Dataset, Distribution};
use crate::formats::dcat::rights::{plain, same};
use crate::formats::draft::{Notes, undetermined};
use crate::formats::said::{count, text};
use crate::formats::text::{self as plain_text, shortened};
use crate::vocabulary::licence::resolve;

/// The configurations in their order, each with its name in `config_name`.
pub(super) fn object(text: &str) -> Result<Vec<Map<String, Value>>, String> {
    let value: Value = serde_json::from_str(text.trim_start_matches('\u{feff}'))
        .map_err(|error| format!("it is not JSON: {error}; write it anew with `datasets-cli test --save_info`"))?;
    let Value::Object(configs) = value else {
        return Err("it is no object of configurations by name".into());
    };
    if configs.is_empty() {
        return Err("it has no configuration".into());
    }
    let named = configs.into_iter().filter_map(|(name, config)| match config {
        Value::Object(mut config) => {
            config.insert("config_name".into(), Value::String(name));
            Some(config)
        }
        _ => None,
    });
    Ok(named.collect())
}

/// Fills in what the configurations say. Texts that differ between them follow one another.
pub(super) fn fill(configs: &[Map<String, Value>], notes: &mut Notes, dataset: &mut Dataset) {
    let each = |name: &str| -> Vec<String> {
        let mut texts: Vec<String> = configs.iter().filter_map(|config| config.get(name).and_then(text)).collect();
        texts.dedup();
        texts
    };
    dataset.description =
        notes.prose("description", each("description").into_iter().map(|text| (undetermined(), text)));
    let citation = bounds::without_controls(each("citation").join("\n\n").trim());
    dataset.citation = Some(shortened(citation, bounds::PROSE).0).filter(|citation| !citation.trim().is_empty());
    let pages = each("homepage");
    dataset.landing_pages = notes.iris("landing page", pages.iter().map(String::as_str));
    let mut licences = Vec::new();
    for licence in each("license").iter().filter_map(|word| resolve(&plain_text::line(word))).map(plain) {
        if !licences.iter().any(|other| same(other, &licence)) {
            licences.push(licence);
        }
    }
    if licences.len() > 1 {
        notes.note("licence: several are stated that differ, so none is taken");
    } else {
        dataset.licence = licences.pop();
    }
    dataset.version =
        configs.iter().find_map(|config| version(config.get("version")?)).and_then(|word| notes.line("version", &word));
    dataset.distributions = downloads(configs, notes);
    features::fill(configs, notes, dataset);
}

fn version(value: &Value) -> Option<String> {
    value.get("version_str").and_then(text).or_else(|| text(value))
}

/// What is downloaded: the library keeps the SHA-256 of each file by its address.
fn downloads(configs: &[Map<String, Value>], notes: &mut Notes) -> Vec<Distribution> {
    let mut found: Vec<Distribution> = Vec::new();
    for (address, file) in configs.iter().filter_map(|config| config.get("download_checksums")?.as_object()).flatten() {
        // A path on the machine of whoever made the file is no address.
        if !address.starts_with("http") {
            notes.note("distribution: what is downloaded has no address on the web");
            continue;
        }
        let Some(iri) = notes.iris("download URL", [address.as_str()]).pop() else { continue };
        let digest = file.get("checksum").and_then(Value::as_str).map(|digits| digits.to_ascii_lowercase().parse());
        if let Some(Err(_)) = digest {
            notes.note("checksum: one is not a SHA-256 digest");
        }
        let distribution = Distribution {
            download_url: Some(iri),
            bytes: file.get("num_bytes").and_then(count),
            sha256: digest.and_then(Result::ok),
            ..Distribution::default()
        };
        if !found.contains(&distribution) && found.len() <= bounds::LIST {
            found.push(distribution);
        }
    }
    notes.cut("distributions", &mut found);
    found
}
