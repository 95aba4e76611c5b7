//! What somebody who trains with a dataset must know, in the terms of the AI Act.

use serde::{Deserialize, Serialize};

use super::bounds;
use super::licence::Answer;
use super::place::Period;
use super::text::Text;

/// The kind of content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // the names are the documentation
pub enum Modality {
    Text,
    Image,
    Audio,
    Video,
    Tabular,
    Timeseries,
    Graph,
    Code,
    Geo,
    Other,
}

impl Modality {
    /// The value as the API and the facets spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Image => "image",
            Self::Audio => "audio",
            Self::Video => "video",
            Self::Tabular => "tabular",
            Self::Timeseries => "timeseries",
            Self::Graph => "graph",
            Self::Code => "code",
            Self::Geo => "geo",
            Self::Other => "other",
        }
    }
}

/// The source categories of the public summary (AI Act, Article 53(1)(d)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // the names are those of the template
pub enum SourceCategory {
    PublicDataset,
    LicensedPrivate,
    OtherPrivate,
    WebCrawled,
    UserData,
    Synthetic,
    Other,
}

/// What somebody who trains with it must know (AI Act, Articles 10 and 53).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Training {
    /// Kinds of content.
    #[serde(deserialize_with = "bounds::list::<_, _, { bounds::LIST }>", skip_serializing_if = "Vec::is_empty")]
    pub modalities: Vec<Modality>,
    /// Tasks it suits, such as `automatic-speech-recognition`.
    #[serde(deserialize_with = "bounds::lines", skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<String>,
    /// Number of records.
    #[serde(deserialize_with = "bounds::some_count", skip_serializing_if = "Option::is_none")]
    pub record_count: Option<u64>,
    /// Number of tokens and by which tokeniser.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<TokenCount>,
    /// When it was collected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collected: Option<Period>,
    /// How it was collected and where it comes from (Article 10(2)(b)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collection_method: Option<Text>,
    /// Ways of collection, such as `Web scraping` or `Surveys`.
    #[serde(deserialize_with = "bounds::lines", skip_serializing_if = "Vec::is_empty")]
    pub collection_types: Vec<String>,
    /// The data it was collected from, before anything was done to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw_data: Option<Text>,
    /// How it was prepared (Article 10(2)(c)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preparation: Option<Text>,
    /// How it was annotated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotation: Option<Text>,
    /// Who annotated it and with what.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotators: Option<Annotation>,
    /// What it is assumed to measure or represent (Article 10(2)(d)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assumptions: Option<Text>,
    /// Known biases (Article 10(2)(f)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known_biases: Option<Text>,
    /// What was done to find and lessen biases (Article 10(2)(g)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bias_measures: Option<Text>,
    /// Effects that its use may have on people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub social_impact: Option<Text>,
    /// What in it is sensitive or names people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sensitive_information: Option<Text>,
    /// The geographical, behavioural or functional setting it stands for (Article 10(4)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub setting: Option<Text>,
    /// Known gaps (Article 10(2)(h)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gaps: Option<Text>,
    /// What it is meant for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intended_use: Option<Text>,
    /// What it is not meant for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out_of_scope: Option<Text>,
    /// Who keeps it up, and how long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maintenance: Option<Text>,
    /// Splits.
    #[serde(deserialize_with = "bounds::list::<_, _, { bounds::LIST }>", skip_serializing_if = "Vec::is_empty")]
    pub splits: Vec<Split>,
    /// Source categories.
    #[serde(deserialize_with = "bounds::list::<_, _, { bounds::LIST }>", skip_serializing_if = "Vec::is_empty")]
    pub source_categories: Vec<SourceCategory>,
    /// How it was gathered from the web, where it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crawl: Option<Crawl>,
    /// What generated the synthetic part, such as a model and its version.
    #[serde(deserialize_with = "bounds::some_line", skip_serializing_if = "Option::is_none")]
    pub generator: Option<String>,
}

/// Who annotated a dataset, and with what.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Annotation {
    /// The platform on which it was done.
    #[serde(deserialize_with = "bounds::some_line", skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// How many annotations an item has.
    #[serde(deserialize_with = "bounds::some_count", skip_serializing_if = "Option::is_none")]
    pub per_item: Option<u64>,
    /// Who the annotators are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub people: Option<Text>,
    /// Programs and models that annotated.
    #[serde(deserialize_with = "bounds::lines", skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<String>,
    /// How the annotations were checked: agreement, adjudication.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub analysis: Option<Text>,
}

/// How a dataset was gathered from the web (template of the public summary, parts 2 and 3).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Crawl {
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<Period>,
    /// The domains that most of it comes from.
    #[serde(deserialize_with = "bounds::lines", skip_serializing_if = "Vec::is_empty")]
    pub domains: Vec<String>,
    /// Whether robots.txt was honoured.
    #[serde(skip_serializing_if = "Answer::is_not_stated")]
    pub robots_honoured: Answer,
    /// Whether reservations of text and data mining were honoured.
    #[serde(skip_serializing_if = "Answer::is_not_stated")]
    pub reservations_honoured: Answer,
}

/// Tokens by a named tokeniser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenCount {
    /// How many.
    #[serde(deserialize_with = "bounds::count")]
    pub count: u64,
    /// Counted by what.
    #[serde(deserialize_with = "bounds::line")]
    pub tokeniser: String,
}

/// A part of the data with a role in training.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Split {
    /// `train`, `validation`, `test` or the source's own name.
    #[serde(deserialize_with = "bounds::line")]
    pub name: String,
    /// Records in it.
    #[serde(deserialize_with = "bounds::some_count", default, skip_serializing_if = "Option::is_none")]
    pub records: Option<u64>,
    /// Bytes in it.
    #[serde(deserialize_with = "bounds::some_count", default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}
