//! Which field of a record is which term: the table that reading and writing go by.
//!
//! The terms are those of Croissant's vocabulary for responsible AI (`rai`), of the Data Privacy Vocabulary (`dpv`), of
//! DCAT-AP and MLDCAT-AP, and of this project where none of these has a word.

use serde_json::{Map, Value, json};

use crate::domain::bounds;
use crate::domain::dataset::{Dataset, SourceCategory};
use crate::domain::ids::Iri;
use crate::domain::text::Text;
use crate::formats::draft::Notes;
use crate::formats::linked::{Item, Node};
use crate::formats::schema_org::words::Words;

/// What a field holds.
#[derive(Clone, Copy, PartialEq)]
enum Holds {
    /// A text in its languages.
    Text,
    /// A text for which the validator takes one value: one language is written, the others by [`OTHERS`].
    OneText,
    Line,
    Lines,
    Iri,
    Iris,
    Count,
    /// A count that the standard writes as a text.
    CountText,
    /// Words of a closed list.
    Words,
}

/// A field, its term, and further terms that are read into it.
struct Row(&'static str, &'static str, Holds, &'static [&'static str]);

const TABLE: &[Row] = &[
    Row("/training/collection_method", "rai:dataCollection", Holds::OneText, &["geocr:samplingStrategy"]),
    Row("/training/collection_types", "rai:dataCollectionType", Holds::Lines, &[]),
    Row("/training/raw_data", "rai:dataCollectionRawData", Holds::OneText, &[]),
    Row("/training/gaps", "rai:dataCollectionMissingData", Holds::OneText, &[]),
    Row(
        "/training/preparation",
        "rai:dataPreprocessingProtocol",
        Holds::Text,
        &["rai:dataImputationProtocol", "rai:dataManipulationProtocol"],
    ),
    Row("/training/annotation", "rai:dataAnnotationProtocol", Holds::Text, &[]),
    Row("/training/annotators/platform", "rai:dataAnnotationPlatform", Holds::Line, &[]),
    Row("/training/annotators/per_item", "rai:annotationsPerItem", Holds::CountText, &[]),
    Row("/training/annotators/people", "rai:annotatorDemographics", Holds::Text, &[]),
    Row("/training/annotators/tools", "rai:machineAnnotationTools", Holds::Lines, &[]),
    Row("/training/annotators/analysis", "rai:dataAnnotationAnalysis", Holds::Text, &[]),
    Row("/training/known_biases", "rai:dataBiases", Holds::Text, &["cr:dataBiases", "geocr:spatialBias"]),
    Row("/training/social_impact", "rai:dataSocialImpact", Holds::OneText, &[]),
    Row(
        "/training/sensitive_information",
        "rai:personalSensitiveInformation",
        Holds::Text,
        &["cr:personalSensitiveInformation"],
    ),
    Row("/training/intended_use", "rai:dataUseCases", Holds::Text, &["rai:useCases"]),
    Row("/training/out_of_scope", "rai:dataLimitations", Holds::Text, &[]),
    Row("/training/maintenance", "rai:dataReleaseMaintenancePlan", Holds::OneText, &["rai:dataReleaseMaintenance"]),
    Row("/training/bias_measures", "it6:biasMethod", Holds::Text, &[]),
    Row("/training/record_count", "it6:numberOfDatapoints", Holds::Count, &[]),
    Row("/training/assumptions", "pleiad:assumptions", Holds::Text, &[]),
    Row("/training/setting", "pleiad:setting", Holds::Text, &[]),
    Row("/training/modalities", "pleiad:modality", Holds::Words, &[]),
    Row("/training/tasks", "pleiad:task", Holds::Lines, &[]),
    Row("/training/source_categories", "pleiad:sourceCategory", Holds::Words, &[]),
    Row("/training/generator", "pleiad:generator", Holds::Line, &[]),
    Row("/gdpr/purposes", "dpv:hasPurpose", Holds::Iris, &[]),
    Row("/gdpr/data_subjects", "dpv:hasDataSubject", Holds::Iris, &[]),
    Row("/gdpr/data_subject_count", "healthdcatap:numberOfUniqueIndividuals", Holds::Count, &[]),
    Row("/gdpr/measures", "dpv:hasTechnicalOrganisationalMeasure", Holds::Iris, &[]),
    Row("/gdpr/collection_purpose", "pleiad:collectionPurpose", Holds::Text, &[]),
    Row("/applicable_legislation", "dcatap:applicableLegislation", Holds::Iris, &[]),
    Row("/frequency", "dct:accrualPeriodicity", Holds::Iri, &[]),
    Row("/version_of", "dct:isVersionOf", Holds::Iri, &[]),
    Row("/version_notes", "adms:versionNotes", Holds::Text, &[]),
    Row("/provenance", "dct:provenance", Holds::Text, &[]),
    Row("/tdm_policy", "tdm:policy", Holds::Iri, &[]),
    Row("/conforms_to", "dct:conformsTo", Holds::Iris, &[]),
    Row("/derived_from", "prov:wasDerivedFrom", Holds::Iris, &[]),
];

/// The fields that are written elsewhere, where a document has one list for two things.
const WRITTEN_ELSEWHERE: [&str; 1] = ["/conforms_to"];

/// What is put behind a term for the languages of a text of which the standard takes one value.
const OTHERS: &str = "pleiad:alsoIn/";

/// Reads every field of the table.
pub(super) fn read(root: &Node, dataset: &mut Dataset, notes: &mut Notes) {
    let mut said = json!({"training": {}, "gdpr": {}});
    for Row(field, term, holds, also) in TABLE {
        let others = format!("{OTHERS}{}", term.replace(':', "-"));
        let terms = std::iter::once(*term).chain(also.iter().copied()).chain([others.as_str()]);
        let items: Vec<Item> = terms.flat_map(|term| root.all(term)).cloned().collect();
        if let Some(value) = value(field, *holds, &items, notes) {
            put(&mut said, field, value);
        }
    }
    take(dataset, &said, notes);
}

fn value(field: &str, holds: Holds, items: &[Item], notes: &mut Notes) -> Option<Value> {
    let what = field.rsplit('/').next().unwrap_or(field).replace('_', " ");
    let references = || items.iter().filter_map(Item::reference).collect::<Vec<_>>();
    let count = || {
        let text = items.iter().find_map(Item::text)?;
        text.trim().parse::<u64>().ok().filter(|count| *count <= bounds::COUNT)
    };
    match holds {
        Holds::Text | Holds::OneText => {
            let said = crate::formats::linked::said(items, &what, notes);
            notes.prose(&what, said).map(|text| json!(text))
        }
        Holds::Line => {
            items.iter().find_map(Item::text).and_then(|text| notes.line(&what, &text)).map(|line| json!(line))
        }
        Holds::Lines | Holds::Words => {
            let mut lines: Vec<String> =
                items.iter().filter_map(Item::text).filter_map(|text| notes.line(&what, &text)).collect();
            notes.cut(&what, &mut lines);
            (!lines.is_empty()).then(|| json!(lines))
        }
        Holds::Iri | Holds::Iris => {
            let found = references();
            let mut iris = notes.iris(&what, found.iter().map(String::as_str));
            if iris.is_empty() {
                return None;
            }
            Some(if holds == Holds::Iri { json!(iris.swap_remove(0)) } else { json!(iris) })
        }
        Holds::Count | Holds::CountText => {
            let count = count();
            if count.is_none() && !items.is_empty() {
                notes.note(format!("{what}: no number is stated"));
            }
            count.map(|count| json!(count))
        }
    }
}

/// Puts a value into its block; `/training/annotators/tools` makes its blocks on the way.
fn put(said: &mut Value, field: &str, value: Value) {
    let mut place = said;
    for part in field.trim_start_matches('/').split('/') {
        if !place.is_object() {
            *place = json!({});
        }
        place = &mut place[part];
    }
    *place = value;
}

/// Takes over what the domain takes; a word that it does not know is left out alone.
fn take(dataset: &mut Dataset, said: &Value, notes: &mut Notes) {
    let mut training = said["training"].clone();
    known_words::<crate::domain::dataset::Modality>(&mut training, "modalities", notes);
    known_words::<SourceCategory>(&mut training, "source_categories", notes);
    match serde_json::from_value(training) {
        Ok(training) => dataset.training = training,
        Err(error) => notes.note(format!("training: {error}")),
    }
    match serde_json::from_value(said["gdpr"].clone()) {
        Ok(gdpr) => dataset.gdpr = gdpr,
        Err(error) => notes.note(format!("personal data: {error}")),
    }
    let iris = |field: &str| serde_json::from_value::<Vec<Iri>>(said[field].clone()).unwrap_or_default();
    let iri = |field: &str| serde_json::from_value::<Option<Iri>>(said[field].clone()).unwrap_or_default();
    let text = |field: &str| serde_json::from_value::<Option<Text>>(said[field].clone()).unwrap_or_default();
    dataset.applicable_legislation = iris("applicable_legislation");
    dataset.conforms_to = iris("conforms_to");
    for source in iris("derived_from") {
        if !dataset.derived_from.contains(&source) {
            dataset.derived_from.push(source);
        }
    }
    dataset.frequency = iri("frequency").and_then(|iri| notes.frequency([iri.as_str()]));
    dataset.version_of = iri("version_of");
    dataset.tdm_policy = iri("tdm_policy");
    dataset.version_notes = text("version_notes");
    dataset.provenance = text("provenance");
}

fn known_words<T: serde::de::DeserializeOwned>(block: &mut Value, field: &str, notes: &mut Notes) {
    if let Some(words) = block.get_mut(field).and_then(Value::as_array_mut) {
        words.retain(|word| {
            let is_known = serde_json::from_value::<T>(word.clone()).is_ok();
            if !is_known {
                notes.note(format!("{}: {word} is not known", field.replace('_', " ")));
            }
            is_known
        });
    }
}

/// Writes every field of the table.
pub(super) fn write(dataset: &Dataset, words: &Words, document: &mut Map<String, Value>) {
    let said = serde_json::to_value(dataset).unwrap_or_default();
    for Row(field, term, holds, _) in TABLE.iter().filter(|row| !WRITTEN_ELSEWHERE.contains(&row.0)) {
        let Some(value) = said.pointer(field) else { continue };
        let text = || serde_json::from_value::<Text>(value.clone()).ok();
        match holds {
            Holds::Text => document.extend(text().map(|text| ((*term).to_owned(), words.text(&text)))),
            Holds::OneText => {
                if let Some(text) = text() {
                    document.insert((*term).to_owned(), words.one(&text));
                    let others = words.rest(&text);
                    if !others.is_empty() {
                        document.insert(format!("{OTHERS}{}", term.replace(':', "-")), json!(others));
                    }
                }
            }
            Holds::Iri => document.extend([((*term).to_owned(), json!({"@id": value}))]),
            Holds::Iris => {
                let iris = value.as_array().into_iter().flatten().map(|iri| json!({"@id": iri}));
                document.insert((*term).to_owned(), json!(iris.collect::<Vec<_>>()));
            }
            Holds::CountText => {
                document.extend(value.as_u64().map(|count| ((*term).to_owned(), json!(count.to_string()))))
            }
            Holds::Line | Holds::Lines | Holds::Words | Holds::Count => {
                document.insert((*term).to_owned(), value.clone());
            }
        }
    }
}
