//! Which of the forms that there are a caller wants most: `Accept` as RFC 9110, section 12.5.1 has it.
//!
//! Each form takes the weight of the most specific range that covers it. The heaviest wins; among equals the one that was
//! asked for more specifically, then the one asked for first, then the one that we would rather give. A range that cannot
//! be read asks for nothing, and no `Accept` at all asks for anything.

use super::{CROISSANT, Form, SCHEMA_ORG};

/// Something that can be given: a media type, with its profile where JSON-LD has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// The media type without parameters, in lower case.
    pub media_type: &'static str,
    /// The profiles under which it may be asked for, without a slash at the end.
    pub profiles: &'static [&'static str],
}

impl From<Form> for Offer {
    fn from(form: Form) -> Self {
        let whole = form.media_type();
        let media_type = whole.split(';').next().unwrap_or(whole);
        let profiles: &[&str] = match form {
            Form::Croissant => &[CROISSANT, "http://mlcommons.org/croissant"],
            Form::SchemaOrg => &[SCHEMA_ORG, "https://schema.org", "http://schema.org"],
            Form::JsonLd => &["http://www.w3.org/ns/json-ld#flattened", "http://www.w3.org/ns/json-ld#expanded"],
            _ => &[],
        };
        Self { media_type, profiles }
    }
}

/// The form that an `Accept` header wants most of those offered (the preferred first); nothing where it wants none.
pub fn negotiate(accept: &str, offered: &[Form]) -> Option<Form> {
    let offers: Vec<Offer> = offered.iter().copied().map(Offer::from).collect();
    best(accept, &offers).map(|at| offered[at])
}

/// The place of the offer that an `Accept` header wants most; nothing where it wants none of them.
pub fn best(accept: &str, offers: &[Offer]) -> Option<usize> {
    if accept.trim().is_empty() {
        return (!offers.is_empty()).then_some(0);
    }
    let ranges: Vec<Range> = split(accept, ',').into_iter().filter_map(Range::read).collect();
    let wanted = offers.iter().enumerate().filter_map(|(at, offer)| {
        let covering =
            ranges.iter().enumerate().filter_map(|(place, range)| Some((range.covers(offer)?, place, range)));
        // Of ranges that are equally specific the first counts.
        let (specific, place, range) = covering.max_by_key(|(specific, place, _)| (*specific, usize::MAX - place))?;
        (range.weight > 0).then_some((range.weight, specific, usize::MAX - place, usize::MAX - at))
    });
    wanted.max().map(|(.., at)| usize::MAX - at)
}

/// A media range of an `Accept` header.
struct Range {
    kind: String,
    subtype: String,
    profiles: Option<Vec<String>>,
    /// Thousandths.
    weight: u16,
}

impl Range {
    fn read(text: &str) -> Option<Self> {
        let mut parts = split(text, ';').into_iter();
        let (kind, subtype) = parts.next()?.split_once('/')?;
        let (kind, subtype) = (kind.trim().to_ascii_lowercase(), subtype.trim().to_ascii_lowercase());
        if kind.is_empty() || subtype.is_empty() || (kind == "*" && subtype != "*") {
            return None;
        }
        let mut range = Self { kind, subtype, profiles: None, weight: 1000 };
        for parameter in parts {
            let Some((name, value)) = parameter.split_once('=') else { continue };
            let value = value.trim().trim_matches('"');
            match name.trim().to_ascii_lowercase().as_str() {
                "q" => range.weight = weight(value)?,
                "profile" => range.profiles = Some(value.split_whitespace().map(str::to_owned).collect()),
                _ => {}
            }
        }
        Some(range)
    }

    /// How specifically this range asks for an offer; nothing where it does not.
    fn covers(&self, offer: &Offer) -> Option<u8> {
        let (kind, subtype) = offer.media_type.split_once('/')?;
        let specific = match (self.kind.as_str(), self.subtype.as_str()) {
            ("*", "*") => 0,
            (k, "*") if k == kind => 1,
            (k, s) if k == kind && s == subtype => 2,
            _ => return None,
        };
        let Some(asked) = &self.profiles else { return Some(specific) };
        let same = |asked: &String| {
            offer.profiles.iter().any(|ours| ours.trim_end_matches('/') == asked.trim_end_matches('/'))
        };
        asked.iter().any(same).then_some(specific + 1)
    }
}

/// `0.8` as 800; nothing where it is no weight.
fn weight(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let thousandths: u16 = format!("{fraction:0<3}").parse().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
}

/// The parts between separators that stand outside quotation marks.
fn split(text: &str, separator: char) -> Vec<&str> {
    let (mut parts, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if c == separator && !quoted => {
                parts.push(&text[start..at]);
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(accept: &str) -> Option<Form> {
        negotiate(accept, &Form::ALL)
    }

    #[test]
    fn what_is_asked_for_is_given() {
        let matrix = [
            ("", Some(Form::Json)),
            ("*/*", Some(Form::Json)),
            ("application/*", Some(Form::Json)),
            ("text/*", Some(Form::Turtle)),
            ("text/turtle", Some(Form::Turtle)),
            ("TEXT/Turtle;charset=UTF-8", Some(Form::Turtle)),
            ("application/n-triples", Some(Form::NTriples)),
            ("application/rdf+xml;q=0.5, */*;q=0.1", Some(Form::RdfXml)),
            ("application/ld+json", Some(Form::JsonLd)),
            ("application/ld+json;profile=\"http://mlcommons.org/croissant/1.1\"", Some(Form::Croissant)),
            ("application/ld+json; profile=\"https://schema.org/ http://example.org/x\"", Some(Form::SchemaOrg)),
            ("application/ld+json;profile=http://schema.org", Some(Form::SchemaOrg)),
            ("application/ld+json;profile=\"http://mlcommons.org/croissant/0.8\"", None),
            ("application/x-bibtex", Some(Form::BibTex)),
            ("application/vnd.datacite.datacite+json", Some(Form::DataCite)),
            ("text/html", None),
            ("image/png, text/html", None),
            ("nonsense", None),
        ];
        for (accept, expected) in matrix {
            assert_eq!(of(accept), expected, "{accept:?}");
        }
    }

    #[test]
    fn weight_goes_before_precision_and_precision_before_order() {
        assert_eq!(of("text/turtle;q=0.4, application/ld+json;q=0.9"), Some(Form::JsonLd));
        assert_eq!(of("*/*, text/turtle"), Some(Form::Turtle));
        assert_eq!(of("application/ld+json, text/turtle"), Some(Form::JsonLd));
        assert_eq!(of("text/turtle, application/ld+json"), Some(Form::Turtle));
        assert_eq!(of("application/json;q=0, */*;q=0.1"), Some(Form::Turtle));
        assert_eq!(of("text/turtle;q=0"), None);
        assert_eq!(of("text/turtle;q=2, application/n-triples;q=0.1"), Some(Form::NTriples));
    }

    proptest! {
        #[test]
        fn nothing_in_a_header_is_too_strange(accept in ".{0,200}") {
            let _ = of(&accept);
        }

        #[test]
        fn only_what_is_offered_is_given(accept in "[a-z/*;=.,q0-9 ]{0,80}") {
            if let Some(form) = negotiate(&accept, &Form::RDF) {
                prop_assert!(Form::RDF.contains(&form));
            }
        }
    }
}
