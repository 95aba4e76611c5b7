//! Where a record matched: a piece of each field around the words that were looked for.

use crate::domain::answer::Highlight;
use crate::domain::query::{Analysed, Match, TextField};

use super::analysis::{Reduction, words};
use super::fields::Shown;

/// The most highlights of one record.
const MAX_HIGHLIGHTS: usize = 4;
/// The most bytes of text before the first match, and in all.
const LEAD: usize = 60;
const LENGTH: usize = 240;

/// The words that a question looks for, for telling where they stand in a text.
pub(super) struct Wanted {
    exact: Vec<(TextField, String)>,
    beginnings: Vec<(TextField, String)>,
}

impl Wanted {
    /// What is looked for, leaving out what must not be there.
    pub(super) fn of(question: &Analysed) -> Self {
        let mut wanted = Self { exact: Vec::new(), beginnings: Vec::new() };
        if let Some(matching) = &question.matching {
            wanted.collect(matching);
        }
        wanted
    }

    fn collect(&mut self, matching: &Match) {
        match matching {
            Match::Term(term) => self.exact.push((term.field, term.text.clone())),
            Match::Prefix(term) => self.beginnings.push((term.field, term.text.clone())),
            Match::Phrase(field, places) => {
                self.exact.extend(places.iter().flatten().map(|text| (*field, text.clone())));
            }
            Match::All(parts) | Match::Any(parts) => parts.iter().for_each(|part| self.collect(part)),
            Match::Facet(..) | Match::Not(_) => {}
        }
    }

    fn has(&self, field: TextField, form: &str) -> bool {
        let here = |in_field: TextField| in_field == TextField::All || in_field == field;
        self.exact.iter().any(|(in_field, text)| here(*in_field) && text == form)
            || self.beginnings.iter().any(|(in_field, text)| here(*in_field) && form.starts_with(text.as_str()))
    }

    /// The pieces of these texts that matched, at most one a text, those with most matches first.
    pub(super) fn highlights(&self, texts: &[Shown]) -> Vec<Highlight> {
        if self.exact.is_empty() && self.beginnings.is_empty() {
            return Vec::new();
        }
        let mut found: Vec<(usize, Highlight)> = texts.iter().filter_map(|shown| self.highlight(shown)).collect();
        // A stable sort: among equals the order of the fields stays.
        found.sort_by_key(|(matches, _)| std::cmp::Reverse(*matches));
        found.into_iter().take(MAX_HIGHLIGHTS).map(|(_, highlight)| highlight).collect()
    }

    fn highlight(&self, shown: &Shown) -> Option<(usize, Highlight)> {
        let text = shown.text.as_str();
        let matches: Vec<(usize, usize)> = words(text, Reduction::of(shown.language.as_ref()))
            .filter(|word| word.forms.iter().any(|form| self.has(shown.field, form)))
            .map(|word| (word.from, word.to))
            .collect();
        // The window that holds most matches, the first of them where several do.
        let held = |from: usize| matches.iter().filter(|(f, t)| *f >= from && *t <= from + LENGTH - LEAD).count();
        let (first, count) = matches
            .iter()
            .map(|(from, _)| (*from, held(*from).max(1)))
            .reduce(|best, next| if next.1 > best.1 { next } else { best })?;
        let start = word_start(text, first.saturating_sub(LEAD)).min(first);
        let end = word_end(text, start + LENGTH);

        let mut pieces = vec![if start > 0 { "…".to_owned() } else { String::new() }];
        let mut at = start;
        for (from, to) in joined(text, matches.into_iter().filter(|(from, _)| *from >= first)) {
            if to > end && at > start {
                break;
            }
            outside(&mut pieces).push_str(&text[at..from]);
            pieces.push(text[from..to].to_owned());
            at = to;
        }
        let end = end.max(at);
        let outside = outside(&mut pieces);
        outside.push_str(&text[at..end]);
        if end < text.len() {
            outside.push('…');
        }
        Some((count, Highlight { field: shown.field, language: shown.language.clone(), pieces }))
    }
}

/// The last piece, where it is one outside a match, else a new one.
fn outside(pieces: &mut Vec<String>) -> &mut String {
    if pieces.len().is_multiple_of(2) {
        pieces.push(String::new());
    }
    let last = pieces.len() - 1;
    &mut pieces[last]
}

/// Matches with only blanks between them as one.
fn joined(text: &str, matches: impl Iterator<Item = (usize, usize)>) -> Vec<(usize, usize)> {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for (from, to) in matches {
        match ranges.last_mut() {
            Some((_, end)) if text[*end..from].chars().all(char::is_whitespace) => *end = to,
            _ => ranges.push((from, to)),
        }
    }
    ranges
}

/// The beginning of the first whole word from `at` on; a text is cut between words where it has any.
fn word_start(text: &str, at: usize) -> usize {
    if at == 0 {
        return 0;
    }
    let at = text.ceil_char_boundary(at);
    text[at..].find(char::is_whitespace).map_or(at, |gap| {
        let gap = at + gap;
        gap + text[gap..].chars().next().map_or(0, char::len_utf8)
    })
}

/// The end of the last whole word before `at`.
fn word_end(text: &str, at: usize) -> usize {
    if at >= text.len() {
        return text.len();
    }
    let at = text.floor_char_boundary(at);
    text[..at].rfind(char::is_whitespace).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wanted(words: &[&str], beginnings: &[&str]) -> Wanted {
        let all = |texts: &[&str]| texts.iter().map(|text| (TextField::All, (*text).to_owned())).collect();
        Wanted { exact: all(words), beginnings: all(beginnings) }
    }

    fn shown(text: &str) -> Shown {
        Shown { field: TextField::Description, language: "en".parse().ok(), text: text.to_owned() }
    }

    #[test]
    fn every_second_piece_is_what_matched() {
        let found =
            wanted(&["parliament", "speech"], &[]).highlights(&[shown("The parliaments of Europe: all speeches")]);
        assert_eq!(found[0].pieces, ["The ", "parliaments", " of Europe: all ", "speeches", ""]);
        let found = wanted(&["open", "data"], &[]).highlights(&[shown("open data")]);
        assert_eq!(found[0].pieces, ["", "open data", ""]);
    }

    #[test]
    fn a_text_without_a_match_gives_no_highlight() {
        assert!(wanted(&["music"], &[]).highlights(&[shown("speech")]).is_empty());
        assert!(wanted(&[], &[]).highlights(&[shown("speech")]).is_empty());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn pieces_put_together_are_a_part_of_the_text(text in "[a-cåж ,.]{0,600}", beginning in "[a-cж]{1,2}") {
            for highlight in wanted(&["a"], &[&beginning]).highlights(&[shown(&text)]) {
                prop_assert!(highlight.pieces.len() % 2 == 1 && highlight.pieces.len() > 1);
                let whole = highlight.pieces.concat();
                prop_assert!(text.contains(whole.trim_matches('…')), "{whole}");
            }
        }
    }
}
