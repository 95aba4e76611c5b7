//! A text as words with their places, so that a licence's name is found inside a sentence.

/// A word in lower case: letters alone, or a number with its parts (`4.0`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    /// Where it stands, in bytes.
    pub(super) start: usize,
    /// Where it ends, in bytes.
    pub(super) end: usize,
    /// Whether something stands before it that ends a name: a comma, a bracket, the end of a sentence.
    pub(super) apart: bool,
    /// Whether it was written in capitals, or joined to the word before by a hyphen: only then is `AT` a country.
    pub(super) is_code: bool,
}

/// What ends a name.
const BETWEEN: &str = ",;|()[]{}:.!?/<>\u{1}";

/// The words of a text.
pub(super) fn words(text: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut rest = text.char_indices().peekable();
    while let Some((start, first)) = rest.next() {
        if !first.is_alphanumeric() {
            continue;
        }
        let number = first.is_numeric();
        let mut end = start + first.len_utf8();
        while let Some(&(at, c)) = rest.peek() {
            let goes_on = if number { c.is_numeric() } else { c.is_alphabetic() };
            // `4.0` and `4_0` are one number; a stop at the end of a sentence is none.
            let joins = number && matches!(c, '.' | '_') && text[at + 1..].starts_with(|next: char| next.is_numeric());
            if !(goes_on || joins) {
                break;
            }
            end = at + c.len_utf8();
            rest.next();
        }
        let gap = &text[words.last().map_or(0, |last| last.end)..start];
        let written = &text[start..end];
        words.push(Word {
            text: written.to_lowercase().replace('_', "."),
            start,
            end,
            apart: gap.contains(|c| BETWEEN.contains(c)) || gap.matches('\n').count() > 1,
            is_code: gap == "-" || written.chars().all(char::is_uppercase),
        });
    }
    // "Apache License, Version 2.0" is one name.
    for at in 1..words.len() {
        let gap = &text[words[at - 1].end..words[at].start];
        if gap.trim() == "," && matches!(words[at].text.as_str(), "version" | "v") {
            words[at].apart = false;
        }
    }
    // So is "Datenlizenz Deutschland: Namensnennung 2.0".
    for at in 2..words.len() {
        let gap = &text[words[at - 1].end..words[at].start];
        if words[at - 2].text == "datenlizenz" && words[at - 1].text == "deutschland" && !gap.contains(['.', '\n']) {
            words[at].apart = false;
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_and_numbers_are_words_and_a_stop_is_none() {
        let texts = |text: &str| words(text).into_iter().map(|word| word.text).collect::<Vec<_>>();
        assert_eq!(texts("CC-BY4.0."), ["cc", "by", "4.0"]);
        assert_eq!(texts("CC0-1.0"), ["cc", "0", "1.0"]);
        assert_eq!(texts("GPLv3"), ["gplv", "3"]);
        assert_eq!(texts("Namensnennung \u{96} Zero – 2_0"), ["namensnennung", "zero", "2.0"]);
        assert!(words("a, b")[1].apart && !words("License, Version 2")[1].apart);
    }
}
