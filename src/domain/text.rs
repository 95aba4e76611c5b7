//! Text in the languages somebody wrote it in. A value without a tag does not exist: `und` says *undetermined*.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ids::LanguageTag;

/// One text in one or more languages; never empty, and no language holds an empty text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<LanguageTag, String>", into = "BTreeMap<LanguageTag, String>")]
pub struct Text(BTreeMap<LanguageTag, String>);

/// A text in no language at all, or with an empty value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a text needs at least one language, and each language a text that is not blank")]
pub struct EmptyText;

impl Text {
    /// A text in one language.
    pub fn new(language: LanguageTag, text: impl Into<String>) -> Result<Self, EmptyText> {
        BTreeMap::from([(language, text.into())]).try_into()
    }

    /// Every language with its text, in the order of the tags.
    pub fn iter(&self) -> impl Iterator<Item = (&LanguageTag, &str)> {
        self.0.iter().map(|(language, text)| (language, text.as_str()))
    }

    /// The text in exactly this language.
    pub fn get(&self, language: &LanguageTag) -> Option<&str> {
        self.0.get(language).map(String::as_str)
    }

    /// The text to show to a reader of these languages, best first: an original text in a wanted language, else a
    /// machine translation into one, else English, else the first original, else whatever there is.
    pub fn best(&self, wanted: &[LanguageTag]) -> (&LanguageTag, &str) {
        let find = |rule: &dyn Fn(&LanguageTag) -> bool| self.iter().find(|(tag, _)| rule(tag));
        wanted
            .iter()
            .find_map(|want| {
                find(&|tag| tag.primary() == want.primary() && !tag.is_machine_translated())
                    .or_else(|| find(&|tag| tag.primary() == want.primary()))
            })
            .or_else(|| find(&|tag| tag.primary() == "en" && !tag.is_machine_translated()))
            .or_else(|| find(&|tag| !tag.is_machine_translated()))
            .or_else(|| self.iter().next())
            .expect("a Text is never empty")
    }
}

impl TryFrom<BTreeMap<LanguageTag, String>> for Text {
    type Error = EmptyText;
    fn try_from(texts: BTreeMap<LanguageTag, String>) -> Result<Self, EmptyText> {
        if texts.is_empty() || texts.values().any(|text| text.trim().is_empty()) {
            return Err(EmptyText);
        }
        Ok(Self(texts))
    }
}

impl From<Text> for BTreeMap<LanguageTag, String> {
    fn from(text: Text) -> Self {
        text.0
    }
}

/// Keywords by language.
pub type Keywords = BTreeMap<LanguageTag, Vec<String>>;
