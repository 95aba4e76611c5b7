//! Identifiers within a document: each once, and without what an IRI reference reads in its own way.

use std::collections::HashSet;

/// The identifiers that a document has given away.
#[derive(Default)]
pub(super) struct Ids(HashSet<String>);

impl Ids {
    /// An identifier like the one wished for that nothing else has. A part between two strokes keeps its letters and
    /// digits; a colon would make a scheme of it, blanks are refused by the validator, and dots at its beginning would
    /// take a step up.
    pub(super) fn unique(&mut self, wish: &str) -> String {
        let parts = wish.split('/').map(part).collect::<Vec<_>>();
        let wish = parts.join("/");
        let mut id = wish.clone();
        let mut number = 1;
        while !self.0.insert(id.clone()) {
            number += 1;
            id = format!("{wish}-{number}");
        }
        id
    }
}

fn part(text: &str) -> String {
    let kept: String = text.chars().map(|c| if c.is_alphanumeric() || "._-".contains(c) { c } else { '-' }).collect();
    let kept = kept.trim_start_matches('.');
    if kept.is_empty() { "x".to_owned() } else { kept.to_owned() }
}

/// A name as one part of an identifier, without strokes.
pub(super) fn one_part(name: &str) -> String {
    name.replace('/', "-")
}
