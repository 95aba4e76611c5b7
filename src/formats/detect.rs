//! Which format a file has: by its name where that says it, else by how it begins or what it holds.

use serde_json::Value;

use super::{ckan, croissant, hf_card, ours, schema_org};

/// The formats that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// DCAT-AP in any RDF syntax.
    Dcat,
    /// Croissant.
    Croissant,
    /// A page's or file's schema.org Dataset in JSON-LD.
    SchemaOrg,
    /// A dataset card of the Hugging Face hub.
    HfCard,
    /// `dataset_infos.json` of the Hugging Face library.
    HfInfos,
    /// An answer of a CKAN, or a package.
    Ckan,
    /// A table with commas.
    Csv,
    /// A table with tabs.
    Tsv,
    /// One JSON object a line.
    JsonLines,
    /// Our own document or somebody's records, in YAML or JSON.
    Yaml,
}

/// What a name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByName {
    /// The format.
    Format(Format),
    /// JSON of some kind: its content decides.
    Json,
    /// Nothing that is read.
    Unknown,
}

/// The format that a file's name says, below `.gz` or `.zst`.
pub fn by_name(name: &str) -> ByName {
    let lower = name.to_ascii_lowercase();
    let lower = lower.strip_suffix(".gz").or_else(|| lower.strip_suffix(".zst")).unwrap_or(&lower);
    if lower == "dataset_infos.json" {
        return ByName::Format(Format::HfInfos);
    }
    let Some((_, extension)) = lower.rsplit_once('.') else { return ByName::Unknown };
    ByName::Format(match extension {
        "ttl" | "nt" | "nq" | "trig" | "rdf" | "xml" | "owl" => Format::Dcat,
        "md" | "markdown" => Format::HfCard,
        "csv" => Format::Csv,
        "tsv" | "tab" => Format::Tsv,
        "jsonl" | "ndjson" => Format::JsonLines,
        "yaml" | "yml" => Format::Yaml,
        "json" | "jsonld" => return ByName::Json,
        _ => return ByName::Unknown,
    })
}

/// The format of a JSON document.
pub fn of_json(value: &Value) -> Option<Format> {
    if croissant::is_one(value) {
        Some(Format::Croissant)
    } else if ckan::is_one(value) {
        Some(Format::Ckan)
    } else if hf_card::is_infos(value) {
        Some(Format::HfInfos)
    } else if schema_org::is_one(value) {
        Some(Format::SchemaOrg)
    } else if is_json_ld(value) {
        Some(Format::Dcat)
    } else if ours::is_one(value) {
        Some(Format::Yaml)
    } else {
        None
    }
}

fn is_json_ld(value: &Value) -> bool {
    match value {
        Value::Array(members) => members.iter().take(10).any(is_json_ld),
        Value::Object(fields) => fields.keys().any(|key| key.starts_with('@')),
        _ => false,
    }
}

/// The format of what comes without a name, by its first bytes.
pub fn by_start(start: &[u8]) -> ByName {
    let text = String::from_utf8_lossy(start);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if hf_card::is_card(text) && text.lines().skip(1).any(|line| line.trim_end() == "---") {
        return ByName::Format(Format::HfCard);
    }
    if text.starts_with(['{', '[']) {
        // Two lines that are an object each are lines; anything else is one document.
        let mut lines = text.lines().filter(|line| !line.trim().is_empty());
        let is_object = |line: Option<&str>| {
            line.is_some_and(|line| serde_json::from_str::<serde_json::Map<String, Value>>(line).is_ok())
        };
        return match (is_object(lines.next()), lines.next().is_some_and(|line| line.starts_with('{'))) {
            (true, true) => ByName::Format(Format::JsonLines),
            _ => ByName::Json,
        };
    }
    let is_rdf =
        ["<", "@prefix", "@base", "PREFIX", "prefix", "BASE", "#", "_:"].iter().any(|word| text.starts_with(word));
    match is_rdf {
        true => ByName::Format(Format::Dcat),
        false
            if text.starts_with("---")
                || text.lines().next().is_some_and(|line| line.contains(": ") || line.ends_with(':')) =>
        {
            ByName::Format(Format::Yaml)
        }
        false => ByName::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn names_say_what_they_can() {
        assert_eq!(by_name("Dump.NT.zst"), ByName::Format(Format::Dcat));
        assert_eq!(by_name("dataset_infos.json"), ByName::Format(Format::HfInfos));
        assert_eq!(by_name("a.json"), ByName::Json);
        assert_eq!(by_name("a.parquet"), ByName::Unknown);
        assert_eq!(by_name("LICENSE"), ByName::Unknown);
    }

    #[test]
    fn json_is_told_by_what_it_holds() {
        let croissant = json!({"@context": {"@vocab": "https://schema.org/", "cr": "http://mlcommons.org/croissant/"}, "@type": "sc:Dataset",
            "dct:conformsTo": "http://mlcommons.org/croissant/1.0", "name": "x"});
        let schema = json!({"@context": "https://schema.org/", "@type": "Dataset", "name": "x"});
        let dcat = json!({"@context": {"dcat": "http://www.w3.org/ns/dcat#"}, "@type": "dcat:Dataset", "@id": "https://example.org/1"});
        assert_eq!(of_json(&croissant), Some(Format::Croissant), "{croissant}");
        assert_eq!(of_json(&schema), Some(Format::SchemaOrg));
        assert_eq!(of_json(&dcat), Some(Format::Dcat));
        assert_eq!(of_json(&json!({"success": true, "result": {}})), Some(Format::Ckan));
        assert_eq!(of_json(&json!({"default": {"features": {}}})), Some(Format::HfInfos));
        assert_eq!(of_json(&json!([{"title": {"en": "x"}}])), Some(Format::Yaml));
        assert_eq!(of_json(&json!({"a": 1})), None);
    }

    #[test]
    fn a_stream_is_told_by_how_it_begins() {
        for (start, expected) in [
            ("---\nlicense: mit\n---\n# X", ByName::Format(Format::HfCard)),
            ("{\"a\": 1}\n{\"a\": 2}\n", ByName::Format(Format::JsonLines)),
            ("{\"a\":\n 1}", ByName::Json),
            ("@prefix a: <b> .", ByName::Format(Format::Dcat)),
            ("title:\n  en: x\n", ByName::Format(Format::Yaml)),
            ("a,b\n", ByName::Unknown),
        ] {
            assert_eq!(by_start(start.as_bytes()), expected, "{start:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = by_start(&bytes);
            let _ = by_name(&String::from_utf8_lossy(&bytes));
        }
    }
}
