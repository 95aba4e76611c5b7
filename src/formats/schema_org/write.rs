//! A record as schema.org `Dataset`, within what Google's Dataset Search documents: a name, a description of 50 to 5,000
//! characters, downloads with an address.

use serde_json::{Map, Value, json};

use super::describe::SHORTEST;
use super::words::Words;
use super::{base, files};
use crate::domain::dataset::{Dataset, Distribution, Registered};
use crate::domain::ids::LanguageTag;
use crate::formats::export::Place;
use crate::formats::text::shortened;

/// The longest description that Google's Dataset Search takes, in characters.
const LONGEST: usize = 5_000;

/// Writes a record.
pub fn write(record: &Registered, place: &Place) -> Value {
    let dataset = &record.dataset;
    let words = Words::of(&dataset.title);
    let mut document = Map::new();
    document.insert("@context".into(), json!(["https://schema.org/", {"@language": words.language()}]));
    document.insert("@type".into(), json!("Dataset"));
    document.insert("@id".into(), json!(dataset.id));
    document.insert("name".into(), words.one(&dataset.title));
    let names = words.rest(&dataset.title);
    if !names.is_empty() {
        document.insert("alternateName".into(), json!(names));
    }
    describe(dataset, place, &words, &mut document);
    document.extend(base::write(record, place, &words));
    // Search engines want to know who made it; whoever publishes it answers for it where nobody else is named.
    if dataset.creators.is_empty()
        && let Some(publisher) = &dataset.publisher
    {
        document.insert("creator".into(), super::parties::written(publisher, &words));
    }
    if let Some(citation) = &dataset.citation {
        document.insert("creditText".into(), json!(citation));
    }
    let downloads: Vec<Value> =
        dataset.distributions.iter().map(|file| download(file, dataset, place, &words)).collect();
    if !downloads.is_empty() {
        document.insert("distribution".into(), json!(downloads));
    }
    let columns = dataset.record_sets.iter().flat_map(|set| &set.columns).map(|column| {
        let mut variable = json!({"@type": "PropertyValue", "name": column.name});
        if let Some(description) = &column.description {
            variable["description"] = words.text(description);
        }
        if !column.semantic_types.is_empty() {
            variable["propertyID"] = json!(column.semantic_types);
        }
        variable
    });
    let columns: Vec<Value> = columns.collect();
    if !columns.is_empty() {
        document.insert("variableMeasured".into(), json!(columns));
    }
    Value::Object(document)
}

/// The description, between the bounds of search engines. What was cut or filled up stands whole beside it.
fn describe(dataset: &Dataset, place: &Place, words: &Words, document: &mut Map<String, Value>) {
    let Some(description) = &dataset.description else {
        document.insert("description".into(), json!(facts(dataset, place, words)));
        return;
    };
    let (mut within, mut whole) = (Vec::new(), Vec::new());
    let own = words.language();
    let mut said: Vec<(&LanguageTag, &str)> = description.iter().collect();
    said.sort_by_key(|(language, _)| *language != own);
    for (language, text) in said {
        let length = text.chars().count();
        let written = if length < SHORTEST {
            format!("{text}\n\n{}", facts(dataset, place, words))
        } else {
            shortened(text.to_owned(), LONGEST).0
        };
        if written != text {
            whole.push(tagged(language, own, text));
        }
        within.push(tagged(language, own, &written));
    }
    let one = |mut list: Vec<Value>| if list.len() == 1 { list.swap_remove(0) } else { json!(list) };
    document.insert("description".into(), one(within));
    if !whole.is_empty() {
        document.insert("abstract".into(), one(whole));
    }
}

fn tagged(language: &LanguageTag, own: &LanguageTag, text: &str) -> Value {
    if language == own { json!(text) } else { json!({"@language": language, "@value": text}) }
}

/// What is known of a dataset, in one paragraph and as it stands in the record, where nobody described it.
fn facts(dataset: &Dataset, place: &Place, words: &Words) -> String {
    let own = std::slice::from_ref(words.language());
    let mut facts = vec![format!("Dataset: {}.", dataset.title.best(own).1)];
    if let Some(publisher) = &dataset.publisher {
        facts.push(format!("Publisher: {}.", publisher.name.best(own).1));
    }
    facts.push(format!("Country: {}.", dataset.country));
    facts.push(format!("Catalogue: {}, {}.", place.title.best(own).1, place.base));
    shortened(facts.join(" ").replace('\n', " "), LONGEST - SHORTEST - 2).0
}

/// A download. Search engines want an address; the page of the dataset tells how to get what has none of its own.
fn download(distribution: &Distribution, dataset: &Dataset, place: &Place, words: &Words) -> Value {
    let mut download = Map::from_iter([("@type".to_owned(), json!("DataDownload"))]);
    download.extend(files::written(distribution, dataset, place, words));
    let formats = files::written_formats(distribution);
    if !formats.is_empty() {
        download.insert("encodingFormat".into(), json!(formats));
    }
    if !["url", "contentUrl"].iter().any(|address| download.contains_key(*address)) {
        download.insert("url".into(), json!(place.page(&dataset.id)));
    }
    Value::Object(download)
}
