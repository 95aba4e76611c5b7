//! The parameters of a search become a [`Request`]: every one is read, or the question is refused.
//!
//! A parameter that is not known here is refused and not passed over: a typing error must not widen a result. The API
//! and the pages read the same parameters, listed in [`PARAMETERS`].

use std::time::Duration;

use actix_web::http::header::{self, HeaderMap};
use url::form_urlencoded;

use super::problem::{Code, FieldError, Problem};
use crate::domain::dataset::BoundingBox;
use crate::domain::ids::{LanguageTag, Seq};
use crate::domain::language;
use crate::domain::query::{FacetField, Query, Sort};
use crate::search::{MOST_SHOWN, Request};

/// The parameters of a search beside the facet fields, with what they mean.
pub const PARAMETERS: [(&str, &str); 16] = [
    ("q", "The words, in the query language; left out, everything matches."),
    ("lang", "A language you read, best first; may be repeated, at most three. Left out, Accept-Language is taken."),
    ("id", "Exactly this dataset: its id, a persistent identifier or its source's IRI; may be repeated."),
    ("modified_from", "Modified, else issued, on or after this day (YYYY-MM-DD)."),
    ("modified_to", "Modified, else issued, on or before this day."),
    ("covers_from", "Covers some day on or after this one."),
    ("covers_to", "Covers some day on or before this one."),
    ("bytes_min", "At least this many bytes."),
    ("bytes_max", "At most this many bytes."),
    ("bbox", "Touches this box: west,south,east,north in degrees."),
    ("sort", "relevance, modified, title or size; left out, relevance."),
    ("limit", "How many hits, 1 to 100; left out, 10."),
    ("facets", "A field whose values are counted; may be repeated; all counts every field."),
    ("min_seq", "Wait, within the deadline, until this node's own index has applied this log position."),
    ("timeout_ms", "Answer within so many milliseconds, at most the node's own limit."),
    ("local", "true asks this node alone."),
];

const DEFAULT_LIMIT: usize = 10;
const MOST_VALUES: usize = 100;
const MOST_LANGUAGES: usize = 3;

/// Reads the parameters of a search. What else a request needs, such as the participant, is for the caller to add.
pub fn read(query: &str, headers: &HeaderMap) -> Result<Request, Problem> {
    let mut reading = Reading {
        request: Request { query: Query { limit: DEFAULT_LIMIT, ..Query::default() }, ..Request::default() },
        seen: Vec::new(),
        errors: Vec::new(),
    };
    let mut bad_query = None;
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if name == "q" && !value.trim().is_empty() {
            match language::parse(&value) {
                Ok(expression) => reading.request.query.text = Some(expression),
                Err(error) => bad_query = Some(error),
            }
        }
        if let Err(detail) = reading.parameter(&name, &value) {
            reading.errors.push(FieldError { pointer: name.into_owned(), detail });
        }
    }
    if let Some(error) = bad_query {
        let detail = "the words cannot be read; see errors for the column, and /help/query for what can be written";
        let errors = vec![FieldError { pointer: "q".to_owned(), detail: error.to_string() }];
        return Err(Problem::new(Code::BadQuery, detail).with_errors(errors));
    }
    if !reading.errors.is_empty() {
        let detail = "a parameter is refused; errors says which and what is allowed";
        return Err(Problem::new(Code::BadParameter, detail).with_errors(reading.errors));
    }
    let mut request = reading.request;
    if request.query.languages.is_empty() {
        request.query.languages = accepted_languages(headers);
    }
    Ok(request)
}

struct Reading {
    request: Request,
    seen: Vec<&'static str>,
    errors: Vec<FieldError>,
}

impl Reading {
    fn parameter(&mut self, name: &str, value: &str) -> Result<(), String> {
        if let Some(field) = FacetField::from_name(name) {
            let canonical = field.canonical(value)?;
            let values = self.request.query.filters.facets.entry(field).or_default();
            return push(values, canonical);
        }
        let known = PARAMETERS.iter().map(|(name, _)| *name).find(|known| *known == name);
        let Some(known) = known else { return Err(unknown(name)) };
        if !matches!(known, "lang" | "id" | "facets") {
            if self.seen.contains(&known) {
                return Err("it is given twice: give it once".to_owned());
            }
            self.seen.push(known);
        }
        let Request { query, timeout, local, .. } = &mut self.request;
        let filters = &mut query.filters;
        match known {
            "q" => {}
            "lang" => {
                let tag: LanguageTag = parsed(value)?;
                if query.languages.len() == MOST_LANGUAGES {
                    return Err(format!("at most {MOST_LANGUAGES} languages: give those you read best"));
                }
                query.languages.push(tag);
            }
            "id" => {
                if value.is_empty() || value.len() > 2_048 {
                    return Err("an id has 1 to 2048 bytes".to_owned());
                }
                push(&mut filters.ids, value.to_owned())?;
            }
            "modified_from" => filters.modified_from = Some(day(value)?),
            "modified_to" => filters.modified_to = Some(day(value)?),
            "covers_from" => filters.covers_from = Some(day(value)?),
            "covers_to" => filters.covers_to = Some(day(value)?),
            "bytes_min" => filters.bytes_min = Some(number(value)?),
            "bytes_max" => filters.bytes_max = Some(number(value)?),
            "bbox" => filters.bbox = Some(bbox(value)?),
            "sort" => query.sort = sort(value)?,
            "limit" => query.limit = limit(value)?,
            "facets" if value == "all" => query.facets = FacetField::ALL.to_vec(),
            "facets" => {
                let field = FacetField::from_name(value).ok_or_else(|| {
                    let names: Vec<&str> = FacetField::ALL.iter().map(|field| field.as_str()).collect();
                    format!("{value:?} is not counted here: all, or {}", names.join(", "))
                })?;
                if !query.facets.contains(&field) {
                    query.facets.push(field);
                }
            }
            "min_seq" => query.min_seq = Some(Seq(number(value)?)),
            "timeout_ms" => {
                let milliseconds = number(value)?;
                if milliseconds == 0 {
                    return Err("0 is no time: at least 1".to_owned());
                }
                *timeout = Some(Duration::from_millis(milliseconds));
            }
            "local" => *local = flag(value)?,
            _ => return Err(unknown(name)),
        }
        Ok(())
    }
}

fn push(values: &mut Vec<String>, value: String) -> Result<(), String> {
    if values.len() == MOST_VALUES {
        return Err(format!("at most {MOST_VALUES} values of one parameter"));
    }
    if !values.contains(&value) {
        values.push(value);
    }
    Ok(())
}

fn unknown(name: &str) -> String {
    let names = || PARAMETERS.iter().map(|(name, _)| *name).chain(FacetField::ALL.iter().map(|field| field.as_str()));
    let near = names().max_by(|a, b| strsim::jaro_winkler(a, name).total_cmp(&strsim::jaro_winkler(b, name)));
    match near.filter(|near| strsim::jaro_winkler(near, name) > 0.8) {
        Some(near) => format!("it is not known here: did you mean {near}?"),
        None => format!("it is not known here: allowed are {}", names().collect::<Vec<_>>().join(", ")),
    }
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(value: &str) -> Result<T, String> {
    value.parse().map_err(|error: T::Err| error.to_string())
}

fn day(value: &str) -> Result<jiff::civil::Date, String> {
    value.parse().map_err(|_| format!("{value:?} is not a day: write YYYY-MM-DD"))
}

fn number(value: &str) -> Result<u64, String> {
    value.parse().map_err(|_| format!("{value:?} is not a whole number from 0 to {}", u64::MAX))
}

fn flag(value: &str) -> Result<bool, String> {
    value.parse().map_err(|_| format!("{value:?} is neither true nor false"))
}

fn limit(value: &str) -> Result<usize, String> {
    match value.parse() {
        Ok(limit) if (1..=MOST_SHOWN).contains(&limit) => Ok(limit),
        _ => Err(format!(
            "a page has 1 to {MOST_SHOWN} hits; pages across nodes are not offered yet, so narrow the question"
        )),
    }
}

fn sort(value: &str) -> Result<Sort, String> {
    match value {
        "relevance" => Ok(Sort::Relevance),
        "modified" => Ok(Sort::Modified),
        "title" => Ok(Sort::Title),
        "size" => Ok(Sort::Size),
        _ => Err(format!("{value:?} is not an order: relevance, modified, title or size")),
    }
}

fn bbox(value: &str) -> Result<BoundingBox, String> {
    let numbers: Vec<f64> = value
        .split(',')
        .map(|part| part.trim().parse())
        .collect::<Result<_, _>>()
        .map_err(|_| "write four numbers: west,south,east,north in degrees".to_owned())?;
    let corners: [f64; 4] = numbers.try_into().map_err(|_| "write four numbers: west,south,east,north".to_owned())?;
    corners.try_into().map_err(|error: crate::domain::dataset::InvalidBox| error.to_string())
}

/// The languages of `Accept-Language`, best first, at most three.
pub(super) fn accepted_languages(headers: &HeaderMap) -> Vec<LanguageTag> {
    let Some(text) = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()) else {
        return Vec::new();
    };
    let mut wanted: Vec<(f32, LanguageTag)> = text
        .split(',')
        .take(20)
        .filter_map(|part| {
            let (tag, weight) = part.split_once(";q=").unwrap_or((part, "1"));
            Some((weight.trim().parse().ok()?, tag.trim().parse().ok()?))
        })
        .filter(|(weight, _): &(f32, LanguageTag)| *weight > 0.0)
        .collect();
    wanted.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let mut languages: Vec<LanguageTag> = Vec::new();
    for (_, tag) in wanted {
        if languages.len() < MOST_LANGUAGES && languages.iter().all(|known| known.primary() != tag.primary()) {
            languages.push(tag);
        }
    }
    languages
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    fn read_plain(query: &str) -> Result<Request, Problem> {
        read(query, &HeaderMap::new())
    }

    #[test]
    fn every_parameter_is_read() {
        let request = read_plain(
            "q=parliament+speech&lang=fi&lang=sv&country=fi&country=EE&licence_class=attribution&id=https://doi.org/10.1/x\
             &modified_from=2024-01-01&covers_to=1999-12-31&bytes_min=5&bbox=19,59,32,70.5&sort=modified&limit=100\
             &facets=country&facets=theme&min_seq=12&timeout_ms=900&local=true",
        )
        .unwrap();
        let query = &request.query;
        assert_eq!(query.filters.facets[&FacetField::Country], ["FI", "EE"]);
        assert_eq!(query.facets, [FacetField::Country, FacetField::Theme]);
        assert_eq!((query.limit, query.sort, query.min_seq), (100, Sort::Modified, Some(Seq(12))));
        assert_eq!(query.filters.bbox.unwrap().corners(), [19.0, 59.0, 32.0, 70.5]);
        assert_eq!((request.timeout, request.local), (Some(Duration::from_millis(900)), true));
        assert!(query.text.is_some());
        assert_eq!(read_plain("q=").unwrap().query.text, None);
    }

    #[test]
    fn what_is_not_known_or_not_meant_is_refused_by_name_and_says_what_is_allowed() {
        for (query, pointer, said) in [
            ("contry=FI", "contry", "did you mean country"),
            ("country=Finland", "country", "FI"),
            ("limit=101", "limit", "100"),
            ("limit=0", "limit", "100"),
            ("sort=best", "sort", "relevance"),
            ("bbox=1,2,3", "bbox", "west"),
            ("modified_from=yesterday", "modified_from", "YYYY-MM-DD"),
            ("facets=colour", "facets", "country"),
            ("local=yes", "local", "true"),
            ("limit=5&limit=6", "limit", "twice"),
            ("lang=fi&lang=sv&lang=de&lang=en", "lang", "at most 3"),
            ("page=2", "page", "not known"),
        ] {
            let problem = read_plain(query).unwrap_err();
            assert_eq!((problem.code, problem.errors[0].pointer.as_str()), (Code::BadParameter, pointer), "{query}");
            assert!(problem.errors[0].detail.contains(said), "{query}: {}", problem.errors[0].detail);
        }
    }

    #[test]
    fn a_query_that_cannot_be_read_names_its_column() {
        let problem = read_plain("q=(parliament").unwrap_err();
        assert_eq!((problem.code, problem.errors[0].pointer.as_str()), (Code::BadQuery, "q"));
        assert!(problem.errors[0].detail.starts_with("column "), "{}", problem.errors[0].detail);
    }

    #[test]
    fn without_lang_the_browsers_languages_are_taken_best_first() {
        let mut headers = HeaderMap::new();
        let accepted = HeaderValue::from_static("en;q=0.5, fi-FI, fi;q=0.9, sv;q=0.8, *;q=0.1, de;q=0");
        headers.insert(header::ACCEPT_LANGUAGE, accepted);
        let languages = read("", &headers).unwrap().query.languages;
        assert_eq!(languages.iter().map(LanguageTag::as_str).collect::<Vec<_>>(), ["fi-FI", "sv", "en"]);
    }
}
