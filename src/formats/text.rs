//! Foreign text made plain: no markup, no invisible characters, one normal form, within the bounds of the domain.

use std::sync::LazyLock;

use html2text::render::TrivialDecorator;
use unicode_normalization::UnicodeNormalization;

/// The most characters of a text that is searched for markup; what lies beyond is cut before.
const MARKUP_LIMIT: usize = 400_000;

/// A text of several lines: markup made plain, line ends made `\n`, at most one empty line in a row.
pub(crate) fn passage(raw: &str) -> String {
    let raw: String = raw.chars().take(MARKUP_LIMIT).collect();
    let plain = without_markdown(&without_html(&visible(&raw)));
    let mut text = String::with_capacity(plain.len());
    let mut empty_lines = 0;
    for line in plain.lines() {
        let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        if line.is_empty() {
            empty_lines += 1;
        } else {
            if !text.is_empty() {
                text.push_str(if empty_lines > 0 { "\n\n" } else { "\n" });
            }
            empty_lines = 0;
            text.push_str(&line);
        }
    }
    text
}

/// A text of one line: a title, a name, a keyword.
pub(crate) fn line(raw: &str) -> String {
    passage(raw).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text cut to so many characters, the last of them an ellipsis, and whether it was cut.
pub(crate) fn shortened(text: String, most: usize) -> (String, bool) {
    if text.chars().nth(most).is_none() {
        return (text, false);
    }
    let mut short: String = text.chars().take(most - 1).collect();
    short.truncate(short.trim_end().len());
    short.push('…');
    (short, true)
}

/// The text in NFC without characters that nobody sees: controls, marks that turn the reading direction, zero-width
/// spaces. Joiners stay, because words in several languages need them.
fn visible(raw: &str) -> String {
    raw.nfc()
        .filter_map(|c| match c {
            '\n' | '\t' => Some(c),
            '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some('\n'),
            '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{2060}' | '\u{feff}' | '\u{ad}' => None,
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}' | '\u{e0000}'..='\u{e007f}' => None,
            c if c.is_control() => Some(' '),
            c => Some(c),
        })
        .collect()
}

const ELEMENTS: &[&str] = &[
    "a",
    "abbr",
    "b",
    "blockquote",
    "br",
    "center",
    "code",
    "dd",
    "div",
    "dl",
    "dt",
    "em",
    "font",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "li",
    "ol",
    "p",
    "pre",
    "s",
    "script",
    "section",
    "small",
    "span",
    "strong",
    "style",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "tt",
    "u",
    "ul",
];

fn without_html(text: &str) -> String {
    let (tags, deepest) = tags(text);
    if tags == 0 && !has_entity(text) {
        return text.to_owned();
    }
    // A text that is nested or tagged without reason is not worth a layout: its tags are taken out as they stand.
    if tags <= 20_000 && deepest <= 50 {
        let config = html2text::config::with_decorator(TrivialDecorator::new())
            .no_link_wrapping()
            .no_table_borders()
            .allow_width_overflow();
        // Line ends mean nothing in HTML, but a text with a few entities is still a text with lines.
        let source = if tags == 0 { text.replace('\n', "<br>") } else { text.to_owned() };
        if let Ok(plain) = config.string_from_read(source.as_bytes(), 100_000) {
            let plain = visible(&plain);
            // Markup that was escaped once too often comes out as tags; those are taken out as they stand.
            return if self::tags(&plain).0 > 0 { without_tags(&plain) } else { plain };
        }
    }
    without_tags(text)
}

fn without_tags(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        plain.push_str(&rest[..open]);
        match element(&rest[open..]) {
            Some((_, _, length)) => {
                plain.push(' ');
                rest = &rest[open + length..];
            }
            None => {
                plain.push('<');
                rest = &rest[open + 1..];
            }
        }
    }
    plain.push_str(rest);
    plain
}

/// How many HTML tags a text has, and how deep they nest at most.
fn tags(text: &str) -> (usize, usize) {
    let (mut count, mut depth, mut deepest) = (0, 0usize, 0);
    for (at, _) in text.match_indices('<') {
        if let Some((name, is_end, _)) = element(&text[at..]) {
            count += 1;
            if is_end {
                depth = depth.saturating_sub(1);
            } else if !matches!(name, "br" | "hr" | "img" | "p" | "li" | "td" | "tr" | "th" | "dd" | "dt") {
                depth += 1;
                deepest = deepest.max(depth);
            }
        }
    }
    (count, deepest)
}

/// The HTML element that a text begins with: its name, whether it is an end tag, and its length in bytes.
fn element(text: &str) -> Option<(&'static str, bool, usize)> {
    let rest = text.strip_prefix('<')?;
    let (rest, is_end) = rest.strip_prefix('/').map_or((rest, false), |rest| (rest, true));
    let length = rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let name = ELEMENTS.iter().find(|name| name.eq_ignore_ascii_case(&rest[..length]))?;
    if !rest[length..].starts_with(|c: char| c == '>' || c == '/' || c.is_whitespace()) {
        return None;
    }
    let end = rest.find('>')?;
    Some((name, is_end, text.len() - rest.len() + end + 1))
}

fn has_entity(text: &str) -> bool {
    text.match_indices('&').any(|(at, _)| {
        let rest = &text[at + 1..];
        rest.starts_with('#')
            || [
                "amp;", "lt;", "gt;", "quot;", "nbsp;", "apos;", "eacute;", "egrave;", "agrave;", "uuml;", "ouml;",
                "auml;", "szlig;",
            ]
            .iter()
            .any(|name| rest.starts_with(name))
    })
}

/// Takes Markdown away where it is unmistakable: links and images, bold, headings, fences.
fn without_markdown(text: &str) -> String {
    static MARKS: LazyLock<[&str; 3]> = LazyLock::new(|| ["](", "**", "__"]);
    let is_marked = MARKS.iter().any(|mark| text.contains(mark)) || text.lines().any(|line| heading(line).is_some());
    if !is_marked {
        return text.to_owned();
    }
    let lines: Vec<String> = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("```"))
        .map(|line| without_pairs(&without_links(heading(line).unwrap_or(line))))
        .collect();
    lines.join("\n")
}

fn heading(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix('#')?.trim_start_matches('#');
    rest.starts_with(' ').then(|| rest.trim())
}

/// `[words](address)` becomes `words (address)`; an image becomes its words.
fn without_links(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('[') {
        let link = after.split_once("](").and_then(|(words, tail)| {
            let (address, tail) = tail.split_once(')')?;
            (!words.contains('[') && !address.contains(char::is_whitespace)).then_some((words, address, tail))
        });
        let Some((words, address, tail)) = link else {
            plain.push_str(before);
            plain.push('[');
            rest = after;
            continue;
        };
        if let Some(before) = before.strip_suffix('!') {
            plain.push_str(before);
            plain.push_str(words);
        } else {
            plain.push_str(before);
            plain.push_str(words);
            if address.starts_with("http") && address != words {
                plain.push_str(&format!(" ({address})"));
            }
        }
        rest = tail;
    }
    plain.push_str(rest);
    plain
}

fn without_pairs(line: &str) -> String {
    ["**", "__"].iter().fold(line.to_owned(), |line, mark| {
        let parts: Vec<&str> = line.split(mark).collect();
        let are_pairs = parts.len() >= 3 && parts.len() % 2 == 1;
        let is_emphasis = parts.iter().skip(1).step_by(2).all(|inner| !inner.is_empty() && inner.trim() == *inner);
        if are_pairs && is_emphasis { parts.concat() } else { line.clone() }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn markup_becomes_plain_text_and_words_stay() {
        for (raw, plain) in [
            ("<p>Deux&nbsp;mots.</p><p>Et <b>trois</b> &amp; quatre</p>", "Deux mots.\n\nEt trois & quatre"),
            ("Voir <a href=\"https://example.org/x\">la page</a>", "Voir la page"),
            ("a &lt; b\nsecond line", "a < b\nsecond line"),
            ("See [the page](https://example.org/x) **now**.", "See the page (https://example.org/x) now."),
            ("# Heading\n\n\n\ntext", "Heading\n\ntext"),
            ("5 < 6 and x <y> z", "5 < 6 and x <y> z"),
            ("a_b__c and 2**3", "a_b__c and 2**3"),
            ("<script>alert(1)</script>after", "after"),
            ("see &lt;a href=\"https://example.org\"&gt;the page&lt;/a&gt; now", "see the page now"),
        ] {
            assert_eq!(passage(raw), plain, "{raw}");
        }
    }

    #[test]
    fn what_nobody_sees_is_taken_out_and_line_separators_become_lines() {
        assert_eq!(passage("a\u{202e}b\u{200b}c\u{2028}d\u{96}e\u{0}"), "abc\nd e");
        assert_eq!(line("e\u{301}\r\nx"), "é x");
    }

    #[test]
    fn nesting_without_end_is_taken_out_without_a_layout() {
        let bomb = format!("{}words{}", "<div>".repeat(20_000), "</div>".repeat(20_000));
        assert_eq!(line(&bomb), "words");
    }

    #[test]
    fn a_long_text_is_cut_at_the_bound_with_an_ellipsis() {
        assert_eq!(shortened("abc".into(), 3), ("abc".into(), false));
        assert_eq!(shortened("äbcd".into(), 3), ("äb…".into(), true));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_text_becomes_one_that_the_domain_takes(raw in "\\PC{0,40}|[<>&a-z/\\[\\]()*#!_ \n\u{202e}\u{1b}]{0,60}") {
            let plain = passage(&raw);
            prop_assert!(!plain.chars().any(|c| c.is_control() && c != '\n'));
            prop_assert_eq!(plain.trim(), plain.as_str());
            prop_assert!(!line(&raw).contains('\n'));
        }
    }
}
