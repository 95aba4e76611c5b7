//! The index's schema, and how a record becomes a document of it.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use tantivy::TantivyDocument;
use tantivy::schema::{FAST, Field, IndexRecordOption, STORED, STRING, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::{PreTokenizedString, Token};

use crate::domain::dataset::{Agent, Dataset, Registered, Visibility};
use crate::domain::ids::{Digest, LanguageTag, Seq};
use crate::domain::query::{FacetField, TextField};
use crate::domain::text::Text;

use super::analysis::{Reduction, analyser_id, folded, words};
use super::labels::concepts;

/// Raised when a document is made differently from the same record without the schema showing it.
const VERSION: u32 = 3;
/// The most words that are indexed of one text.
const MAX_WORDS: usize = 20_000;
/// The most characters of one text that are kept for highlights.
const MAX_SHOWN: usize = 2_000;
/// The most characters of a folded title that are compared and sorted by.
const MAX_TITLE: usize = 200;
/// The most characters of a facet value that is a name.
const MAX_NAME: usize = 500;

/// An end of a period that was left out.
pub(super) const OPEN_START: i64 = i64::MIN;
/// An end of a period that was left out.
pub(super) const OPEN_END: i64 = i64::MAX;

/// The fields of the schema.
#[derive(Clone)]
pub(super) struct Fields {
    schema: Schema,
    /// The id: what a document is deleted by.
    pub(super) id: Field,
    /// The log position of the revision.
    pub(super) seq: Field,
    /// The id's tie break.
    pub(super) tie: Field,
    /// Id, persistent identifiers and source IRI.
    pub(super) identifier: Field,
    /// Participants who may find a private record.
    pub(super) reader: Field,
    /// Folded titles, whole.
    pub(super) whole_title: Field,
    /// The folded title to sort by.
    pub(super) title_key: Field,
    /// Modified (else issued), days.
    pub(super) modified: Field,
    /// Bytes.
    pub(super) bytes: Field,
    /// First days of the periods covered, one for each of `covers_to`.
    pub(super) covers_from: Field,
    /// Last days.
    pub(super) covers_to: Field,
    /// West, south, east, north of the boxes covered.
    pub(super) corners: [Field; 4],
    /// What highlights are cut from: JSON of [`Shown`].
    pub(super) shown: Field,
    texts: [Field; TextField::ALL.len()],
    facets: [Field; FacetField::ALL.len()],
}

/// The names of the four corners as fields.
pub(super) const CORNERS: [&str; 4] = ["west", "south", "east", "north"];

/// A text of a record as it is kept for highlights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Shown {
    /// The field.
    #[serde(rename = "f")]
    pub(super) field: TextField,
    /// Its language.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub(super) language: Option<LanguageTag>,
    /// The text, or its beginning.
    #[serde(rename = "t")]
    pub(super) text: String,
}

impl Fields {
    /// The schema, built anew; the same each time.
    pub(super) fn new() -> Self {
        let mut builder = Schema::builder();
        let indexing = TextFieldIndexing::default().set_index_option(IndexRecordOption::WithFreqsAndPositions);
        let text = TextOptions::default().set_indexing_options(indexing);
        Self {
            id: builder.add_text_field("id", STRING | STORED),
            seq: builder.add_u64_field("seq", FAST),
            tie: builder.add_u64_field("tie", FAST),
            identifier: builder.add_text_field("identifier", STRING),
            reader: builder.add_text_field("reader", STRING),
            whole_title: builder.add_text_field("whole_title", STRING),
            title_key: builder.add_text_field("title_key", FAST),
            modified: builder.add_i64_field("modified", FAST),
            bytes: builder.add_i64_field("bytes", FAST),
            covers_from: builder.add_i64_field("covers_from", FAST),
            covers_to: builder.add_i64_field("covers_to", FAST),
            corners: CORNERS.map(|name| builder.add_f64_field(name, FAST)),
            shown: builder.add_text_field("shown", STORED),
            texts: TextField::ALL
                .map(|field| builder.add_text_field(&format!("text_{}", field.as_str()), text.clone())),
            facets: FacetField::ALL.map(|field| builder.add_text_field(field.as_str(), STRING | FAST)),
            schema: builder.build(),
        }
    }

    /// The schema.
    pub(super) fn schema(&self) -> Schema {
        self.schema.clone()
    }

    /// What must be equal for an index on disk to be of use.
    pub(super) fn schema_hash(&self) -> String {
        let schema = serde_json::to_string(&self.schema).unwrap_or_default();
        Digest::of(format!("{VERSION} {} {schema}", analyser_id()).as_bytes()).to_string()
    }

    /// The field of a text.
    pub(super) fn text(&self, field: TextField) -> Field {
        self.texts[field as usize]
    }

    /// The field of a facet.
    pub(super) fn facet(&self, field: FacetField) -> Field {
        self.facets[field as usize]
    }

    /// The document of a record. Where a stemmer fails on its text, the surface forms are indexed, and the second value
    /// is false.
    pub(super) fn document(&self, record: &Registered, seq: Seq) -> (TantivyDocument, bool) {
        self.document_with(record, seq, Reduction::of)
    }

    fn document_with(
        &self,
        record: &Registered,
        seq: Seq,
        reduce: impl Fn(Option<&LanguageTag>) -> Reduction,
    ) -> (TantivyDocument, bool) {
        let stemmed = std::panic::catch_unwind(AssertUnwindSafe(|| self.build(record, seq, reduce)));
        match stemmed {
            Ok(document) => (document, true),
            Err(_) => (self.build(record, seq, |_| Reduction::Surface), false),
        }
    }

    fn build(
        &self,
        record: &Registered,
        seq: Seq,
        reduce: impl Fn(Option<&LanguageTag>) -> Reduction,
    ) -> TantivyDocument {
        let dataset = &record.dataset;
        let mut document = TantivyDocument::new();
        document.add_text(self.id, dataset.id.as_str());
        document.add_u64(self.seq, seq.0);
        document.add_u64(self.tie, dataset.id.tie_break());
        for identifier in identifiers(dataset) {
            document.add_text(self.identifier, identifier);
        }
        if dataset.visibility == Visibility::Private {
            let readers: BTreeSet<String> =
                dataset.listed.iter().chain([&record.owner]).map(ToString::to_string).collect();
            for reader in readers {
                document.add_text(self.reader, reader);
            }
        }
        self.add_texts(&mut document, dataset, reduce);
        self.add_titles(&mut document, dataset);
        self.add_numbers(&mut document, dataset);
        for field in FacetField::ALL {
            for value in facet_values(field, dataset) {
                document.add_text(self.facet(field), value);
            }
        }
        document
    }

    fn add_texts(
        &self,
        document: &mut TantivyDocument,
        dataset: &Dataset,
        reduce: impl Fn(Option<&LanguageTag>) -> Reduction,
    ) {
        let mut shown = Vec::new();
        for (field, language, text) in texts(dataset) {
            let tokens = tokens(text, reduce(language));
            if tokens.is_empty() {
                continue;
            }
            let value = PreTokenizedString { text: String::new(), tokens };
            if field != TextField::All {
                document.add_pre_tokenized_text(self.text(field), value.clone());
                shown.push(Shown { field, language: language.cloned(), text: text.chars().take(MAX_SHOWN).collect() });
            }
            document.add_pre_tokenized_text(self.text(TextField::All), value);
        }
        let concepts = concepts(dataset).into_iter().zip(0..);
        let tokens = concepts.map(|(iri, position)| Token { position, text: iri.to_owned(), ..Token::default() });
        let labels = PreTokenizedString { text: String::new(), tokens: tokens.collect() };
        document.add_pre_tokenized_text(self.text(TextField::Label), labels);
        // Plain strings always serialise.
        document.add_text(self.shown, serde_json::to_string(&shown).unwrap_or_default());
    }

    fn add_titles(&self, document: &mut TantivyDocument, dataset: &Dataset) {
        let shortened = |title: &str| -> String { folded(title).chars().take(MAX_TITLE).collect() };
        let titles: BTreeSet<String> =
            originals(&dataset.title).map(|(_, title)| shortened(title)).filter(|title| !title.is_empty()).collect();
        for title in &titles {
            document.add_text(self.whole_title, title);
        }
        let key = shortened(dataset.title.best(&[]).1);
        if !key.is_empty() {
            document.add_text(self.title_key, key);
        }
    }

    fn add_numbers(&self, document: &mut TantivyDocument, dataset: &Dataset) {
        if let Some(date) = dataset.modified.or(dataset.issued) {
            document.add_i64(self.modified, days(date));
        }
        if let Some(bytes) = dataset.total_bytes() {
            document.add_i64(self.bytes, i64::try_from(bytes).unwrap_or(i64::MAX));
        }
        for period in dataset.temporal.iter().filter(|period| period.start.is_some() || period.end.is_some()) {
            document.add_i64(self.covers_from, period.start.map_or(OPEN_START, days));
            document.add_i64(self.covers_to, period.end.map_or(OPEN_END, days));
        }
        for bbox in dataset.spatial.iter().filter_map(|place| place.bbox) {
            for (field, corner) in self.corners.iter().zip(bbox.corners()) {
                document.add_f64(*field, corner);
            }
        }
    }
}

/// Days since 1970-01-01.
pub(super) fn days(date: Date) -> i64 {
    i64::from(date.since(Date::constant(1970, 1, 1)).map(|span| span.get_days()).unwrap_or_default())
}

fn tokens(text: &str, reduction: Reduction) -> Vec<Token> {
    words(text, reduction)
        .take(MAX_WORDS)
        .flat_map(|word| {
            let (from, to, position) = (word.from, word.to, word.position);
            word.forms.into_iter().map(move |text| Token {
                offset_from: from,
                offset_to: to,
                position,
                text,
                position_length: 1,
            })
        })
        .collect()
}

/// What a record can be asked for by exactly.
fn identifiers(dataset: &Dataset) -> BTreeSet<&str> {
    let persistent = dataset.identifiers.iter().map(|iri| iri.as_str());
    let source = dataset.source.iter().map(|source| source.iri.as_str());
    persistent.chain(source).chain([dataset.id.as_str()]).collect()
}

/// A text in the languages somebody wrote it in: machine translations are shown but not found.
fn originals(text: &Text) -> impl Iterator<Item = (&LanguageTag, &str)> {
    text.iter().filter(|(language, _)| !language.is_machine_translated())
}

type FieldText<'a> = (TextField, Option<&'a LanguageTag>, &'a str);

fn written(field: TextField, text: Option<&Text>) -> impl Iterator<Item = FieldText<'_>> {
    text.into_iter().flat_map(originals).map(move |(language, text)| (field, Some(language), text))
}

/// Every text of a record with its field; [`TextField::All`] where it is found by bare words only.
fn texts(dataset: &Dataset) -> Vec<FieldText<'_>> {
    let mut texts: Vec<FieldText<'_>> = Vec::new();
    texts.extend(written(TextField::Title, Some(&dataset.title)));
    texts.extend(written(TextField::Description, dataset.description.as_ref()));
    for (language, keywords) in dataset.keywords.iter().filter(|(language, _)| !language.is_machine_translated()) {
        texts.extend(keywords.iter().map(|keyword| (TextField::Keyword, Some(language), keyword.as_str())));
    }
    for Agent { name, .. } in dataset.publisher.iter().chain(&dataset.creators) {
        texts.extend(written(TextField::Publisher, Some(name)));
    }
    for place in &dataset.spatial {
        texts.extend(written(TextField::All, place.name.as_ref()));
    }
    let training = &dataset.training;
    for text in [
        &dataset.gdpr.collection_purpose,
        &training.collection_method,
        &training.preparation,
        &training.annotation,
        &training.known_biases,
        &training.gaps,
        &training.intended_use,
        &training.out_of_scope,
    ] {
        texts.extend(written(TextField::All, text.as_ref()));
    }
    for distribution in &dataset.distributions {
        texts.extend(written(TextField::All, distribution.title.as_ref()));
        texts.extend(written(TextField::All, distribution.description.as_ref()));
    }
    for set in &dataset.record_sets {
        texts.push((TextField::All, None, &set.name));
        texts.extend(written(TextField::All, set.description.as_ref()));
        for column in &set.columns {
            texts.push((TextField::All, None, &column.name));
            texts.extend(written(TextField::All, column.description.as_ref()));
        }
    }
    texts.extend(column_types(dataset).into_iter().map(|name| (TextField::All, None, name)));
    texts.extend(training.tasks.iter().map(|task| (TextField::All, None, task.as_str())));
    texts.extend(identifiers(dataset).into_iter().map(|identifier| (TextField::All, None, identifier)));
    texts
}

/// What the columns hold, by the own names of their types and concepts: `GeoCoordinates` of its IRI. Each once, because a
/// table with a thousand columns of text is not more about text than one with ten.
fn column_types(dataset: &Dataset) -> BTreeSet<&str> {
    let columns = dataset.record_sets.iter().flat_map(|set| &set.columns);
    let types = columns.flat_map(|column| {
        let concepts = column.semantic_types.iter().map(|iri| iri.as_str());
        column.data_type.as_deref().into_iter().chain(concepts)
    });
    types.map(|name| name.trim_end_matches('/').rsplit(['#', '/', ':']).next().unwrap_or(name)).collect()
}

/// The values of a record in a facet, each once.
fn facet_values(field: FacetField, dataset: &Dataset) -> BTreeSet<String> {
    let one = |value: &str| BTreeSet::from([value.to_owned()]);
    match field {
        FacetField::Country => one(dataset.country.as_str()),
        FacetField::Theme => dataset.themes.iter().map(ToString::to_string).collect(),
        FacetField::Modality => dataset.training.modalities.iter().map(|kind| kind.as_str().to_owned()).collect(),
        FacetField::Language => dataset.languages.iter().map(|tag| tag.primary().to_ascii_lowercase()).collect(),
        FacetField::LicenceClass => {
            one(dataset.licence.as_ref().map_or("not_stated", |licence| licence.class().as_str()))
        }
        FacetField::Licence => dataset.licence.iter().map(|licence| licence.label().to_owned()).collect(),
        FacetField::Access => one(dataset.access_rights.as_str()),
        FacetField::PersonalData => one(dataset.gdpr.personal_data.as_str()),
        FacetField::LegalBasis => dataset.gdpr.legal_basis.iter().map(ToString::to_string).collect(),
        FacetField::Purpose => dataset.gdpr.purposes.iter().map(ToString::to_string).collect(),
        FacetField::Format => dataset.formats().into_iter().map(|format| shortened(&format.to_uppercase())).collect(),
        FacetField::DerivedFrom => dataset.derived_from.iter().map(ToString::to_string).collect(),
        FacetField::VersionOf => dataset.version_of.iter().map(ToString::to_string).collect(),
        FacetField::Series => dataset.series.iter().map(ToString::to_string).collect(),
        FacetField::Publisher => dataset.publisher.iter().map(|agent| shortened(agent.name.best(&[]).1)).collect(),
    }
}

fn shortened(name: &str) -> String {
    name.chars().take(MAX_NAME).collect()
}

#[cfg(test)]
mod tests {
    use tantivy::schema::Value as _;

    use super::*;
    use crate::domain::ids::Revision;

    fn record(fields: serde_json::Value) -> Registered {
        Registered {
            dataset: serde_json::from_value(fields).unwrap(),
            owner: "spiffe://fi.pleiad.example/participant/csc".parse().unwrap(),
            revision: Revision::FIRST,
            registered: jiff::Timestamp::UNIX_EPOCH,
            revised: jiff::Timestamp::UNIX_EPOCH,
            seq: Seq(0),
            state: Default::default(),
            reason: None,
            withdrawn: None,
        }
    }

    #[test]
    fn a_text_that_a_stemmer_cannot_bear_is_indexed_as_it_stands() {
        let record = record(serde_json::json!({
            "id": "https://fi.pleiad.example/dataset/x", "title": { "en": "Speeches" }, "country": "FI",
        }));
        let fields = Fields::new();
        let hostile = |language: Option<&LanguageTag>| match language {
            Some(_) => panic!("as a stemmer would on hostile text"),
            None => Reduction::Surface,
        };
        let (document, stemmed) = fields.document_with(&record, Seq(7), hostile);
        assert!(!stemmed);
        let title = document.get_first(fields.text(TextField::Title)).unwrap();
        let tokenised = title.as_pre_tokenized_text().unwrap();
        let tokens: Vec<&str> = tokenised.tokens.iter().map(|token| token.text.as_str()).collect();
        assert_eq!(tokens, ["speeches"]);
        assert!(fields.document(&record, Seq(7)).1);
    }

    #[test]
    fn the_closed_lists_of_facet_values_are_those_of_the_types() {
        use crate::domain::dataset::{AccessRights, Modality};
        use crate::domain::gdpr::PersonalData;
        use crate::domain::licence::LicenceClass;
        fn known<T: serde::de::DeserializeOwned>(field: FacetField, spelled: impl Fn(T) -> &'static str) {
            for value in field.allowed().unwrap().iter().filter(|value| **value != "not_stated") {
                let typed: T = serde_json::from_value((*value).into()).unwrap();
                assert_eq!(spelled(typed), *value);
            }
        }
        known(FacetField::Access, AccessRights::as_str);
        known(FacetField::PersonalData, PersonalData::as_str);
        known(FacetField::Modality, Modality::as_str);
        known(FacetField::LicenceClass, LicenceClass::as_str);
    }

    #[test]
    fn days_count_from_the_epoch_in_both_directions() {
        assert_eq!(days(Date::constant(1970, 1, 2)), 1);
        assert_eq!(days(Date::constant(1969, 12, 31)), -1);
        assert_eq!(days(Date::constant(2024, 2, 29)), 19_782);
    }
}
