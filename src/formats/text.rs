//! Foreign text made plain: no markup, no invisible characters, one normal form, within the bounds of the domain.

use std::sync::LazyLock;

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

/// Whether a name is that of a media type of a known kind.
pub(crate) fn is_media_type(name: &str) -> bool {
    let is_token = |part: &str| {
        (1..=127).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b))
    };
    name.split_once('/').is_some_and(|(kind, subtype)| {
        let known =
            ["application", "audio", "chemical", "font", "image", "message", "model", "multipart", "text", "video"];
        known.contains(&kind) && is_token(subtype)
    })
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

/// Takes HTML away: tags become line ends where they end a block, list items begin with a dash, a link keeps its address,
/// entities become their characters. One pass and no layout, so that no nesting and no table costs more than its length.
/// Markup that was escaped once too often comes out as tags and is taken out a second time.
fn without_html(text: &str) -> String {
    let is_marked = |text: &str| text.match_indices('<').any(|(at, _)| element(&text[at..]).is_some());
    let mut plain = text.to_owned();
    for _ in 0..2 {
        if is_marked(&plain) {
            plain = without_tags(&plain);
        }
        let decoded = without_entities(&plain);
        if decoded == plain {
            break;
        }
        plain = visible(&decoded);
    }
    plain
}

fn without_tags(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut link = None;
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        plain.push_str(&rest[..open]);
        rest = &rest[open..];
        let Some((name, is_end, length)) = element(rest) else {
            plain.push('<');
            rest = &rest[1..];
            continue;
        };
        let tag = &rest[..length];
        rest = &rest[length..];
        match name {
            "script" | "style" if !is_end => rest = after_end_of(name, rest),
            "a" if !is_end => link = address(tag),
            "a" => {
                if let Some(address) = link.take().filter(|address| !plain.ends_with(address.as_str())) {
                    plain.push_str(&format!(" ({address})"));
                }
            }
            "li" if !is_end => plain.push_str("\n- "),
            "br" | "hr" => plain.push('\n'),
            "dd" | "dt" | "tr" if !is_end => plain.push('\n'),
            "td" | "th" if !is_end => plain.push(' '),
            "blockquote" | "center" | "div" | "dl" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "ol" | "p" | "pre"
            | "section" | "table" | "ul" => plain.push_str("\n\n"),
            _ => {}
        }
    }
    plain.push_str(rest);
    plain
}

/// What follows the end tag of an element whose content is not text.
fn after_end_of<'t>(name: &str, text: &'t str) -> &'t str {
    let end = text.match_indices("</").find(|(at, _)| element(&text[*at..]).is_some_and(|(found, ..)| found == name));
    end.map_or("", |(at, _)| &text[at..])
}

/// The address of a link on the web.
fn address(tag: &str) -> Option<String> {
    let at = tag.to_ascii_lowercase().find("href=")?;
    let value = tag[at + 5..].trim_start_matches(['"', '\'']);
    let value = value.split(['"', '\'', '>', ' ']).next()?;
    value.starts_with("http").then(|| without_entities(value))
}

fn without_entities(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        plain.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let end = rest.bytes().take(10).position(|b| b == b';');
        match end.and_then(|end| Some((entity(&rest[..end])?, end))) {
            Some((c, end)) => {
                plain.push(c);
                rest = &rest[end + 1..];
            }
            None => plain.push('&'),
        }
    }
    plain.push_str(rest);
    plain
}

fn entity(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16),
            None => number.parse(),
        };
        return char::from_u32(code.ok()?);
    }
    if let Some((_, c)) = ENTITIES.iter().find(|(known, _)| *known == name) {
        return Some(*c);
    }
    let at = LATIN_1.split(' ').position(|known| known == name)?;
    char::from_u32(160 + u32::try_from(at).ok()?)
}

const ENTITIES: &[(&str, char)] = &[
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("ndash", '–'),
    ("mdash", '—'),
    ("lsquo", '‘'),
    ("rsquo", '’'),
    ("sbquo", '‚'),
    ("ldquo", '“'),
    ("rdquo", '”'),
    ("bdquo", '„'),
    ("bull", '•'),
    ("hellip", '…'),
    ("euro", '€'),
    ("trade", '™'),
    ("OElig", 'Œ'),
    ("oelig", 'œ'),
    ("Scaron", 'Š'),
    ("scaron", 'š'),
];

/// The entities of the characters 160 to 255, in their order.
const LATIN_1: &str = "nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml";

/// The HTML element that a text begins with: its name, whether it is an end tag, and its length in bytes.
fn element(text: &str) -> Option<(&'static str, bool, usize)> {
    let rest = text.strip_prefix('<')?;
    let (rest, is_end) = rest.strip_prefix('/').map_or((rest, false), |rest| (rest, true));
    let length = rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let name = ELEMENTS.iter().find(|name| name.eq_ignore_ascii_case(&rest[..length]))?;
    if !rest[length..].starts_with(|c: char| c == '>' || c == '/' || c.is_whitespace()) {
        return None;
    }
    // A tag without an end is no tag, and is not looked for through the whole text again and again.
    let end = rest.bytes().take(4_000).position(|b| b == b'>')?;
    Some((name, is_end, text.len() - rest.len() + end + 1))
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

/// `[words](address)` becomes `words (address)`; an image becomes its words. Every character is looked at a few times at
/// most, however many brackets there are that are no links.
fn without_links(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut from = 0;
    // Where the address that was looked at last ends; those that begin before it end there too.
    let mut end = 0;
    while let Some(middle) = line[from..].find("](").map(|at| from + at) {
        let (rest, address) = (&line[from..middle], middle + 2);
        if end < address {
            let ends = |c: char| c == ')' || c.is_whitespace();
            end = line[address..].find(ends).map_or(line.len(), |at| address + at);
        }
        let link = rest.rfind('[').filter(|_| line[end..].starts_with(')'));
        let Some(open) = link else {
            plain.push_str(&line[from..address]);
            from = address;
            continue;
        };
        let (before, words, address) = (&rest[..open], &rest[open + 1..], &line[address..end]);
        plain.push_str(before.strip_suffix('!').unwrap_or(before));
        plain.push_str(words);
        if !before.ends_with('!') && address.starts_with("http") && address != words {
            plain.push_str(&format!(" ({address})"));
        }
        from = end + 1;
    }
    plain.push_str(&line[from..]);
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
            ("Voir <a href=\"https://example.org/x\">la page</a>", "Voir la page (https://example.org/x)"),
            ("<ul><li>un</li><li>d&eacute;ux &#8211; &yuml;</li></ul>", "- un\n- déux – ÿ"),
            ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
            ("a &lt; b\nsecond line", "a < b\nsecond line"),
            ("See [the page](https://example.org/x) **now**.", "See the page (https://example.org/x) now."),
            ("# Heading\n\n\n\ntext", "Heading\n\ntext"),
            ("5 < 6 and x <y> z", "5 < 6 and x <y> z"),
            ("a_b__c and 2**3", "a_b__c and 2**3"),
            ("<script>alert(1)</script>after", "after"),
            (
                "see &lt;a href=\"https://example.org\"&gt;the page&lt;/a&gt; now",
                "see the page (https://example.org) now",
            ),
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
    fn nesting_without_end_costs_no_more_than_its_length() {
        let bomb = format!("{}words{}", "<div>".repeat(20_000), "</div>".repeat(20_000));
        assert_eq!(line(&bomb), "words");
    }

    #[test]
    fn a_table_of_any_width_costs_no_more_than_its_length() {
        let began = std::time::Instant::now();
        for table in [
            "<table><tr><td colspan=99999999>a</td><td rowspan=99999999>b</td></tr></table>".to_owned(),
            format!("<table><tr>{}</tr></table>", "<td>x</td>".repeat(4_000)),
            format!("<table>{}</table>", "<tr><td>x</td><td>y</td></tr>".repeat(3_000)),
            "<ul><li>x".repeat(40_000),
            "<script><a href=".repeat(20_000) + "x",
        ] {
            let plain = passage(&table);
            assert!(plain.len() < 1 << 20, "{} bytes", plain.len());
        }
        assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
    }

    #[test]
    fn brackets_without_end_cost_no_more_than_their_length() {
        for hostile in ["[".repeat(MARKUP_LIMIT), "[](".repeat(130_000) + " )", "](".repeat(200_000) + ")"] {
            assert_eq!(without_links(&hostile), hostile);
        }
        assert_eq!(without_links("[[a](b c) d](e) ![x](y)[z](http://z)"), "[[a](b c) d](e) xz (http://z)");
        assert_eq!(without_links("[a](b"), "[a](b");
    }

    #[test]
    fn a_media_type_has_a_known_kind() {
        for good in ["text/csv", "application/vnd.geo+json", "image/jp2"] {
            assert!(is_media_type(good), "{good}");
        }
        for bad in ["unknown", "csv", "text/", "text/a b", "https://example.org/x", "geo/json"] {
            assert!(!is_media_type(bad), "{bad}");
        }
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
