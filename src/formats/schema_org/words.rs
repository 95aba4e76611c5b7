//! Texts in JSON-LD: a plain string in the document's own language, a tagged value in any other.

use serde_json::{Value, json};

use crate::domain::ids::LanguageTag;
use crate::domain::text::{Keywords, Text};

/// How a document writes texts: its context states one language, and only texts in others carry a tag.
pub(crate) struct Words {
    own: LanguageTag,
}

impl Words {
    /// For a document in the language in which its title is best known.
    pub(crate) fn of(title: &Text) -> Self {
        Self { own: title.best(&[]).0.clone() }
    }

    /// The language that the context states.
    pub(crate) fn language(&self) -> &LanguageTag {
        &self.own
    }

    /// A text in all its languages, the document's own first.
    pub(crate) fn text(&self, text: &Text) -> Value {
        let mut values: Vec<Value> = text.get(&self.own).map(|own| json!(own)).into_iter().collect();
        values.extend(self.others(text));
        // A tagged value alone stays in a list: where the context has a map of languages, it would be taken for one.
        if values.len() == 1 && values[0].is_string() { values.swap_remove(0) } else { json!(values) }
    }

    /// A text in the document's own language, where it is in that.
    pub(crate) fn own<'t>(&self, text: &'t Text) -> Option<&'t str> {
        text.get(&self.own)
    }

    /// A text in the document's own language, else in the best there is.
    pub(crate) fn one(&self, text: &Text) -> Value {
        let (language, best) = text.best(std::slice::from_ref(&self.own));
        self.tagged(language, best)
    }

    /// A text in the languages that are not the document's own.
    pub(crate) fn others(&self, text: &Text) -> Vec<Value> {
        let others = text.iter().filter(|(language, _)| **language != self.own);
        others.map(|(language, text)| self.tagged(language, text)).collect()
    }

    /// The languages of a text but the one that [`Words::one`] writes.
    pub(crate) fn rest(&self, text: &Text) -> Vec<Value> {
        let (first, _) = text.best(std::slice::from_ref(&self.own));
        text.iter()
            .filter(|(language, _)| *language != first)
            .map(|(language, text)| self.tagged(language, text))
            .collect()
    }

    /// Keywords in all their languages.
    pub(crate) fn keywords(&self, keywords: &Keywords) -> Vec<Value> {
        let words = keywords.iter().flat_map(|(language, words)| words.iter().map(move |word| (language, word)));
        words.map(|(language, word)| self.tagged(language, word)).collect()
    }

    fn tagged(&self, language: &LanguageTag, text: &str) -> Value {
        if *language == self.own { json!(text) } else { json!({"@language": language, "@value": text}) }
    }
}
