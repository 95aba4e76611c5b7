//! Licences by their registered names: SPDX, the EU table, and names in use at portals (`data/licence-name.tsv`).

use super::tables::{Known, TABLES};
use super::words::{Word, words};

/// The licence of which a text is the name, and nothing else.
pub(super) fn find(raw: &str) -> Option<Known> {
    if has_signs(raw) {
        return or_later(raw);
    }
    let by_name = |text: &str| TABLES.by_name.get(&plain(text)).and_then(Option::as_ref);
    if let Some(known) = by_name(raw) {
        return Some(known.clone());
    }
    if let Some(known) = or_later(raw) {
        return Some(known);
    }
    // "Creative Commons Attribution 4.0 International (CC BY 4.0)": both halves must say the same.
    let (before, rest) = raw.split_once('(')?;
    let (inside, after) = rest.split_once(')')?;
    let (outer, inner) = (by_name(&format!("{before}{after}"))?, by_name(inside)?);
    (outer.spdx.is_some() && outer.spdx == inner.spdx).then(|| outer.clone())
}

/// Whether signs stand there that say more than a name: `GPL-3.0+`, `GPL (>= 2)`, `MIT | file LICENSE`, `MIT?`.
pub(super) fn has_signs(text: &str) -> bool {
    text.contains(['+', '<', '>', '=', '!', '|', '&', '~', '≥', '≤', '≠', '≈']) || text.trim_end().ends_with('?')
}

/// A licence of GNU in a version or any later one: `GPL-3.0+`, `GPL (>= 2)`, `LGPL v2.1 or later`.
fn or_later(raw: &str) -> Option<Known> {
    let text = raw.to_lowercase().replace(">=", "≥");
    let is_digit = |c: char| c.is_ascii_digit();
    let by_sign = match text.split_once(['+', '≥']) {
        Some((before, after)) if text[before.len()..].starts_with('+') => {
            before.ends_with(is_digit) && !has_signs(after)
        }
        Some((before, after)) => !has_signs(before) && after.trim_start().starts_with(is_digit) && !has_signs(after),
        None => false,
    };
    if has_signs(&text) && !by_sign {
        return None;
    }
    let words = words(&text);
    let kept = words.iter().map(|word| word.text.as_str());
    let kept = kept.filter(|word| !matches!(*word, "the" | "gnu" | "license" | "licence" | "version" | "v"));
    let name = kept.collect::<Vec<_>>().join(" ");
    let later = [" or later", " or newer", " or any later", " or at your option any later"];
    let by_words = later.iter().find_map(|end| name.strip_suffix(end));
    let (family, number) = by_words.or(by_sign.then_some(name.as_str()))?.rsplit_once(' ')?;
    let family = match family {
        "gpl" | "gplv" | "general public" => "gpl",
        "lgpl" | "lgplv" | "lesser general public" | "library general public" => "lgpl",
        "agpl" | "agplv" | "affero general public" => "agpl",
        _ => return None,
    };
    let number = if number.contains('.') { number.to_owned() } else { format!("{number}.0") };
    TABLES.by_spdx.get(&format!("{family}-{number}-or-later")).cloned()
}

/// The words of a name that tell one licence from another, without case, punctuation and filler.
pub(super) fn plain(name: &str) -> String {
    let name = name.to_lowercase();
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| {
        !matches!(
            *word,
            "" | "the" | "licence" | "license" | "version" | "v" | "international" | "generic" | "unported"
        )
    });
    let joined: String = words
        .map(|word| match word.strip_prefix('v') {
            Some(number) if number.starts_with(|c: char| c.is_ascii_digit()) => number,
            _ => word,
        })
        .collect();
    [
        ("creativecommons", "cc"),
        ("attribution", "by"),
        ("sharealike", "sa"),
        ("noncommercial", "nc"),
        ("noderivatives", "nd"),
        ("noderivs", "nd"),
        ("publicdomaindedication", ""),
        ("universal", ""),
    ]
    .iter()
    .fold(joined, |text, (long, short)| text.replace(long, short))
}

/// The longest name that begins at a word, with the number of words it takes.
pub(super) fn at(words: &[Word]) -> Option<(Known, usize)> {
    let reach = words.iter().skip(1).position(|word| word.apart).map_or(words.len(), |at| at + 1).min(LONGEST);
    (1..=reach).rev().find_map(|length| {
        let known = TABLES.by_phrase.get(&spell(&words[..length]))?.as_ref()?;
        Some((known.clone(), length))
    })
}

/// The most words that a name has inside a sentence.
const LONGEST: usize = 16;

/// A name as it is looked for inside a sentence.
pub(super) fn phrase(name: &str) -> String {
    spell(&words(name))
}

fn spell(words: &[Word]) -> String {
    let numbered = words.iter().any(|word| word.text.starts_with(|c: char| c.is_ascii_digit()));
    let kept = words.iter().enumerate().filter_map(|(at, word)| {
        let next_is_number = words.get(at + 1).is_some_and(|next| next.text.starts_with(|c: char| c.is_ascii_digit()));
        match word.text.as_str() {
            "the" | "and" | "version" | "v" => None,
            // With a number a name is told apart without the word; "MIT" is not.
            "license" | "licence" => (!numbered).then_some("license"),
            // `GPLv3`.
            text if next_is_number && text.len() > 2 => Some(text.strip_suffix('v').unwrap_or(text)),
            text => Some(text),
        }
    });
    kept.collect::<Vec<_>>().join(" ")
}

/// Whether a name cannot be taken for other words of a sentence: it calls itself a licence, or is an id of a family that
/// no sentence speaks of otherwise.
pub(super) fn is_telling(name: &str) -> bool {
    let words = words(name);
    let says = |text: &str| words.iter().any(|word| word.text == text);
    let numbered = words.iter().any(|word| word.text.starts_with(|c: char| c.is_ascii_digit()));
    let family = words.first().is_some_and(|first| {
        matches!(
            first.text.as_str(),
            "apache"
                | "gpl"
                | "lgpl"
                | "agpl"
                | "bsd"
                | "mpl"
                | "epl"
                | "eupl"
                | "odbl"
                | "odc"
                | "pddl"
                | "cdla"
                | "ogl"
                | "dl"
                | "etalab"
                | "nlod"
        )
    });
    let called = says("license") || says("licence") || says("agreement");
    words.len() > 1 && ((numbered && (called || family)) || (called && words.len() >= 4))
        || (name.starts_with("MIT") && numbered)
}
