//! The bounds that the fields of a dataset keep whenever one is read: how long, how many, which characters.
//!
//! `schemas/dataset.schema.json` states the same bounds for clients; the suite reads one corpus both ways and they
//! agree. A bound may be widened later and never narrowed, because old records are read through it too.

use jiff::civil::Date;
use serde::de::{Deserialize, Deserializer, Error};

use super::text::Keywords;

/// The most characters of a line: a name, a version, a term.
pub const LINE: usize = 1_000;
/// The most characters of a title or of the name of an organisation or place.
pub const TITLE: usize = 1_000;
/// The most characters of a description.
pub const TEXT: usize = 100_000;
/// The most characters of a passage in one language, such as a licence in its source's own words or a reason.
pub const PROSE: usize = 10_000;
/// The most languages of one text.
pub const LANGUAGES: usize = 100;
/// The most keywords of one language, and the most characters of a keyword.
pub const KEYWORDS: usize = 200;
/// The most members of a list.
pub const LIST: usize = 1_000;
/// The most shards of a manifest.
pub const SHARDS: usize = 100_000;
/// The most chunks of a shard: 8 TB.
pub const CHUNKS: usize = 1_000_000;
/// The largest count: the largest whole number that every JSON reader keeps exact (RFC 7493).
pub const COUNT: u64 = (1 << 53) - 1;

/// Whether a text is a line: not blank, no control characters, at most this many characters.
pub fn is_line(text: &str, most: usize) -> bool {
    !text.trim().is_empty() && !text.chars().any(char::is_control) && text.chars().count() <= most
}

/// Whether a text is a passage: not blank, no control characters but tabs and line breaks, at most this many characters.
pub fn is_prose(text: &str, most: usize) -> bool {
    !text.trim().is_empty() && !text.chars().any(is_forbidden) && text.chars().count() <= most
}

/// A text with every control character but tabs and line breaks replaced by a space, for readers of foreign records.
pub fn without_controls(text: &str) -> String {
    text.chars().map(|c| if is_forbidden(c) { ' ' } else { c }).collect()
}

fn is_forbidden(c: char) -> bool {
    c.is_control() && !matches!(c, '\t' | '\n' | '\r')
}

/// Whether a text is an ISO 8601 duration in years, months, weeks and days, longer than nothing, such as `P1Y6M`.
pub fn is_duration(text: &str) -> bool {
    let Some(mut rest) = text.strip_prefix('P') else { return false };
    let mut units = "YMWD".chars();
    let mut is_longer_than_nothing = false;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = rest.split_at(digits);
        let Some(unit) = tail.chars().next() else { return false };
        if !(1..=4).contains(&digits) || !units.any(|known| known == unit) {
            return false;
        }
        is_longer_than_nothing |= number.bytes().any(|digit| digit != b'0');
        rest = &tail[1..];
    }
    is_longer_than_nothing
}

/// Reads a day that exists, as `YYYY-MM-DD` and in no other spelling.
pub fn parse_day(text: &str) -> Option<Date> {
    let shape = text.len() == 10
        && text.bytes().enumerate().all(|(at, b)| if at == 4 || at == 7 { b == b'-' } else { b.is_ascii_digit() });
    if shape { text.parse().ok() } else { None }
}

// What follows is for `#[serde(deserialize_with = "…")]` on the fields of the dataset.

fn checked_line<E: Error>(text: String, most: usize) -> Result<String, E> {
    if is_line(&text, most) {
        Ok(text)
    } else {
        Err(E::custom(format_args!("a line has 1 to {most} characters, is not blank and has no control characters")))
    }
}

pub(super) fn line<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    checked_line(String::deserialize(from)?, LINE)
}

pub(super) fn some_line<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    match Option::<String>::deserialize(from)? {
        Some(text) => checked_line(text, LINE).map(Some),
        None => Ok(None),
    }
}

pub(super) fn lines<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    list::<_, String, LIST>(from)?.into_iter().map(|text| checked_line(text, LINE)).collect()
}

pub(super) fn prose<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    if is_prose(&text, PROSE) {
        Ok(text)
    } else {
        Err(D::Error::custom(format_args!(
            "a passage has 1 to {PROSE} characters, is not blank and has no control characters but tabs and line breaks"
        )))
    }
}

pub(super) fn some_prose<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    #[derive(serde::Deserialize)]
    #[serde(transparent)]
    struct Prose(#[serde(deserialize_with = "prose")] String);
    Ok(Option::<Prose>::deserialize(from)?.map(|Prose(text)| text))
}

pub(super) fn title<'de, D: Deserializer<'de>>(from: D) -> Result<super::text::Text, D::Error> {
    let text = super::text::Text::deserialize(from)?;
    if text.iter().all(|(_, title)| title.chars().count() <= TITLE) {
        Ok(text)
    } else {
        Err(D::Error::custom(format_args!("a title or name has at most {TITLE} characters")))
    }
}

pub(super) fn some_title<'de, D: Deserializer<'de>>(from: D) -> Result<Option<super::text::Text>, D::Error> {
    #[derive(serde::Deserialize)]
    #[serde(transparent)]
    struct Title(#[serde(deserialize_with = "title")] super::text::Text);
    Ok(Option::<Title>::deserialize(from)?.map(|Title(text)| text))
}

pub(super) fn keywords<'de, D: Deserializer<'de>>(from: D) -> Result<Keywords, D::Error> {
    let keywords = Keywords::deserialize(from)?;
    let is_bounded = keywords.len() <= LANGUAGES
        && keywords.values().all(|words| words.len() <= KEYWORDS && words.iter().all(|word| is_line(word, KEYWORDS)));
    if is_bounded {
        Ok(keywords)
    } else {
        Err(D::Error::custom(format_args!(
            "keywords: at most {LANGUAGES} languages, {KEYWORDS} keywords a language, 1 to {KEYWORDS} characters a keyword, no control characters"
        )))
    }
}

pub(super) fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>, const MOST: usize>(
    from: D,
) -> Result<Vec<T>, D::Error> {
    let members = Vec::<T>::deserialize(from)?;
    if members.len() <= MOST {
        Ok(members)
    } else {
        Err(D::Error::custom(format_args!("a list has at most {MOST} members here")))
    }
}

pub(super) fn day<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Date>, D::Error> {
    let Some(text) = Option::<String>::deserialize(from)? else { return Ok(None) };
    match parse_day(&text) {
        Some(day) => Ok(Some(day)),
        None => Err(D::Error::custom("a date is a day that exists, as YYYY-MM-DD")),
    }
}

pub(super) fn duration<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    if text.as_deref().is_none_or(is_duration) {
        Ok(text)
    } else {
        Err(D::Error::custom("a duration is ISO 8601 in years, months, weeks and days, such as P10Y"))
    }
}

pub(super) fn retention<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    if text.as_deref().is_none_or(|text| is_duration(text) || parse_day(text).is_some()) {
        Ok(text)
    } else {
        Err(D::Error::custom("a retention is an ISO 8601 duration such as P10Y, or a day as YYYY-MM-DD"))
    }
}

fn checked_count<E: Error>(count: u64) -> Result<u64, E> {
    if count <= COUNT { Ok(count) } else { Err(E::custom(format_args!("a count is at most {COUNT}"))) }
}

pub(super) fn count<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    checked_count(u64::deserialize(from)?)
}

pub(super) fn some_count<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    Option::<u64>::deserialize(from)?.map(checked_count).transpose()
}

pub(super) fn ordinal<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    match u32::deserialize(from)? {
        0 => Err(D::Error::custom("a version is numbered from 1")),
        number => Ok(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_its_units_once_and_in_order() {
        for text in ["P1Y", "P10Y", "P1Y6M", "P2W", "P90D", "P1Y2M3W4D"] {
            assert!(is_duration(text) && text.parse::<jiff::Span>().is_ok(), "{text}");
        }
        for text in ["", "P", "1Y", "P1", "PY", "P1D1Y", "P1Y1Y", "P0D", "P00000Y", "PT1H", "P-1Y", "P1.5Y", "P1Yé"] {
            assert!(!is_duration(text), "{text}");
        }
    }

    #[test]
    fn a_day_is_spelled_in_one_way_and_exists() {
        assert!(parse_day("2024-02-29").is_some());
        for text in ["2023-02-29", "20240229", "2024-2-29", "2024-02-29T00:00:00", "+024-02-29", "2024-00-01"] {
            assert!(parse_day(text).is_none(), "{text}");
        }
    }

    #[test]
    fn foreign_text_loses_its_control_characters_and_nothing_else() {
        assert_eq!(without_controls("CC BY\u{96}4.0\u{1b}[31m\nä"), "CC BY 4.0 [31m\nä");
    }
}
