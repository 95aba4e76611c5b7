//! Text in the languages somebody wrote it in. A value without a tag does not exist: `und` says *undetermined*.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::bounds;
use super::ids::LanguageTag;

/// One text in one or more languages; never empty, and no language holds an empty text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<LanguageTag, String>", into = "BTreeMap<LanguageTag, String>")]
pub struct Text(BTreeMap<LanguageTag, String>);

/// Why a text was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidText {
    /// In no language at all, or in too many.
    #[error("a text is in 1 to {max} languages, not in {0}", max = bounds::LANGUAGES)]
    Languages(usize),
    /// Blank, too long, or with control characters.
    #[error(
        "the text in {0} is not valid: 1 to {max} characters, not blank, no control characters but tabs and line breaks",
        max = bounds::TEXT
    )]
    Value(LanguageTag),
}

impl Text {
    /// A text in one language.
    pub fn new(language: LanguageTag, text: impl Into<String>) -> Result<Self, InvalidText> {
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
    type Error = InvalidText;
    fn try_from(texts: BTreeMap<LanguageTag, String>) -> Result<Self, InvalidText> {
        if !(1..=bounds::LANGUAGES).contains(&texts.len()) {
            return Err(InvalidText::Languages(texts.len()));
        }
        match texts.iter().find(|(_, text)| !bounds::is_prose(text, bounds::TEXT)) {
            Some((language, _)) => Err(InvalidText::Value(language.clone())),
            None => Ok(Self(texts)),
        }
    }
}

impl From<Text> for BTreeMap<LanguageTag, String> {
    fn from(text: Text) -> Self {
        text.0
    }
}

/// Keywords by language.
pub type Keywords = BTreeMap<LanguageTag, Vec<String>>;
