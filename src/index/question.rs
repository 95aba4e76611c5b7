//! A person's question in the index's terms: [`analyse`], and the bounds on what another node may send as one.

use std::panic::AssertUnwindSafe;

use crate::domain::ids::LanguageTag;
use crate::domain::query::{Analysed, ComponentKind, Expression, Filters, Match, Query, ScoredTerm, Term, TextField};

use super::IndexError;
use super::analysis::{Reduction, analyser_id, folded, words};
use super::labels::named;

/// How many of a reader's languages a question is read in.
pub const MAX_LANGUAGES: usize = 3;
/// The most hits one search gives.
pub const MAX_HITS: usize = 1_000;
const MAX_SCORED: usize = 1_024;
const MAX_NODES: usize = 4_096;
const MAX_NESTING: usize = 48;

/// What a key of a word weighs, and what its other forms add.
const KEY: f32 = 1.0;
const OTHER_FORM: f32 = 0.3;
/// What a word in the title adds to the word anywhere.
const IN_TITLE: f32 = 2.0;
/// What a word adds that is the label of one of the record's concepts, or stands in it.
const WHOLE_LABEL: f32 = 0.5;
const IN_LABEL: f32 = 0.25;

/// A question in the index's terms: each word in the forms that the reader's languages (at most three) give it.
pub fn analyse(query: &Query) -> Analysed {
    let languages = &query.languages[..query.languages.len().min(MAX_LANGUAGES)];
    // A stemmer that fails on hostile text must not take the caller with it: the surface forms still find.
    let attempt = std::panic::catch_unwind(AssertUnwindSafe(|| matching(query, &reductions(languages))));
    let (matching, scored) = attempt.unwrap_or_else(|_| matching(query, &[Reduction::Surface]));
    Analysed {
        matching,
        scored,
        filters: canonical(&query.filters),
        sort: query.sort,
        facets: query.facets.clone(),
        analyser: analyser_id(),
    }
}

/// Refuses a question that no analysis of ours makes: too many terms, too deep, too many hits.
pub(super) fn check(question: &Analysed, k: usize) -> Result<(), IndexError> {
    let refuse = |detail: String| Err(IndexError::Refused(detail));
    if k > MAX_HITS {
        return refuse(format!("{k} hits were asked for; at most {MAX_HITS} are given"));
    }
    if question.scored.len() > MAX_SCORED {
        return refuse(format!("{} scored terms; at most {MAX_SCORED} are allowed", question.scored.len()));
    }
    let constraints = question.filters.ids.len() + question.filters.facets.values().map(Vec::len).sum::<usize>();
    let mut left = MAX_NODES;
    let fits = question.matching.as_ref().is_none_or(|matching| count(matching, MAX_NESTING, &mut left));
    if !fits || constraints > MAX_NODES {
        return refuse(format!("the question has more than {MAX_NODES} parts or is nested deeper than {MAX_NESTING}"));
    }
    Ok(())
}

fn count(matching: &Match, depth: usize, left: &mut usize) -> bool {
    let cost = match matching {
        Match::Phrase(_, places) => places.iter().map(Vec::len).sum::<usize>().max(1),
        _ => 1,
    };
    let Some(rest) = left.checked_sub(cost) else { return false };
    *left = rest;
    match matching {
        _ if depth == 0 => false,
        Match::All(parts) | Match::Any(parts) => parts.iter().all(|part| count(part, depth - 1, left)),
        Match::Not(inner) => count(inner, depth - 1, left),
        Match::Term(_) | Match::Prefix(_) | Match::Phrase(..) | Match::Facet(..) => true,
    }
}

fn reductions(languages: &[LanguageTag]) -> Vec<Reduction> {
    if languages.is_empty() {
        return vec![Reduction::Surface];
    }
    languages.iter().map(|language| Reduction::of(Some(language))).collect()
}

fn matching(query: &Query, reductions: &[Reduction]) -> (Option<Match>, Vec<ScoredTerm>) {
    let Some(expression) = &query.text else { return (None, Vec::new()) };
    let mut reading = Reading { reductions, scored: Vec::new() };
    // Words of punctuation alone leave nothing to look for: that finds nothing, never everything.
    let matching = reading.expression(expression, true).unwrap_or(Match::Any(Vec::new()));
    if let Some(title) = as_title(expression) {
        let term = Term { field: TextField::Title, text: title };
        reading.add(ComponentKind::TitleTier, term, 1.0);
    }
    (Some(matching), reading.scored)
}

struct Reading<'a> {
    reductions: &'a [Reduction],
    scored: Vec<ScoredTerm>,
}

impl Reading<'_> {
    /// What an expression matches; `None` where it has no word in it. What is only excluded is not scored.
    fn expression(&mut self, expression: &Expression, ranked: bool) -> Option<Match> {
        match expression {
            Expression::Word { field, word } => self.sequence(*field, word, ranked),
            Expression::Phrase { field, words } => self.sequence(*field, &words.join(" "), ranked),
            Expression::Prefix { field, prefix } => self.prefix(*field, prefix, ranked),
            Expression::Filter { field, value } => Some(Match::Facet(*field, value.clone())),
            Expression::And(all) => {
                let parts: Vec<Match> = all.iter().filter_map(|part| self.expression(part, ranked)).collect();
                let only_negations = parts.iter().all(|part| matches!(part, Match::Not(_)));
                (!only_negations).then(|| single(parts, Match::All))
            }
            Expression::Or(any) => {
                let parts: Vec<Match> = any.iter().filter_map(|part| self.expression(part, ranked)).collect();
                (!parts.is_empty()).then(|| single(parts, Match::Any))
            }
            Expression::Not(inner) => Some(Match::Not(Box::new(self.expression(inner, false)?))),
        }
    }

    /// One word is a term in its forms; several are a phrase, even if nobody quoted them (`covid-19`).
    fn sequence(&mut self, field: Option<TextField>, text: &str, ranked: bool) -> Option<Match> {
        let readings: Vec<Vec<Vec<String>>> =
            self.reductions.iter().map(|reduction| words(text, *reduction).map(|word| word.forms).collect()).collect();
        let places = readings.first()?.len();
        let within = field.unwrap_or(TextField::All);
        match places {
            0 => None,
            1 => {
                let weighed = weighed(readings.iter().map(|reading| &reading[0]));
                if ranked {
                    for (form, weight) in &weighed {
                        self.score(ComponentKind::Term, field, form, *weight);
                    }
                }
                let forms: Vec<String> = weighed.into_iter().map(|(form, _)| form).collect();
                // A word anywhere also stands for the concepts that it names. An excluded word excludes itself alone:
                // `-culture` must not take away all that is filed under education, culture and sport.
                let concepts = if field.is_none() && ranked { named(&forms) } else { Vec::new() };
                let label = |iri: &str| Term { field: TextField::Label, text: iri.to_owned() };
                for (iri, whole) in &concepts {
                    self.add(ComponentKind::Label, label(iri), if *whole { WHOLE_LABEL } else { IN_LABEL });
                }
                let terms = forms.into_iter().map(|text| Term { field: within, text });
                let labels = concepts.iter().map(|(iri, _)| label(iri));
                Some(single(terms.chain(labels).map(Match::Term).collect(), Match::Any))
            }
            _ => {
                let alternatives: Vec<Vec<String>> = (0..places)
                    .map(|place| {
                        let forms = weighed(readings.iter().map(|reading| &reading[place]));
                        forms.into_iter().map(|(form, _)| form).collect()
                    })
                    .collect();
                if ranked {
                    for reading in &readings {
                        let keys: Vec<&str> = reading.iter().map(|forms| forms[0].as_str()).collect();
                        self.score(ComponentKind::Phrase, field, &keys.join(" "), KEY);
                    }
                }
                Some(Match::Phrase(within, alternatives))
            }
        }
    }

    /// The last word is a beginning; words before it, where a sign parts them, must stand in the record.
    fn prefix(&mut self, field: Option<TextField>, prefix: &str, ranked: bool) -> Option<Match> {
        let within = field.unwrap_or(TextField::All);
        let folded = folded(prefix);
        let (before, last) = match folded.rsplit_once(' ') {
            Some((before, last)) => (Some(before.to_owned()), last),
            None => (None, folded.as_str()),
        };
        if last.is_empty() {
            return None;
        }
        let last = Match::Prefix(Term { field: within, text: last.to_owned() });
        let before = before.and_then(|before| self.sequence(field, &before, ranked));
        Some(single(before.into_iter().chain([last]).collect(), Match::All))
    }

    fn score(&mut self, kind: ComponentKind, field: Option<TextField>, text: &str, weight: f32) {
        let term = |field| Term { field, text: text.to_owned() };
        match field {
            None => {
                self.add(kind, term(TextField::All), weight);
                self.add(kind, term(TextField::Title), weight * IN_TITLE);
            }
            Some(field) => self.add(kind, term(field), weight),
        }
    }

    /// Adds a scored term once; a word that is written twice weighs no more.
    fn add(&mut self, kind: ComponentKind, term: Term, weight: f32) {
        if self.scored.len() < MAX_SCORED && !self.scored.iter().any(|known| known.kind == kind && known.term == term) {
            self.scored.push(ScoredTerm { kind, term, weight });
        }
    }
}

/// The forms of one word in several languages, each once: keys first and whole, other forms for less.
fn weighed<'a>(readings: impl Iterator<Item = &'a Vec<String>> + Clone) -> Vec<(String, f32)> {
    let keys = readings.clone().map(|forms| (&forms[0], KEY));
    let others = readings.flat_map(|forms| forms[1..].iter()).map(|form| (form, OTHER_FORM));
    let mut weighed: Vec<(String, f32)> = Vec::new();
    for (form, weight) in keys.chain(others) {
        if !weighed.iter().any(|(known, _)| known == form) {
            weighed.push((form.clone(), weight));
        }
    }
    weighed
}

/// The query as a title would be written: all its words in order, where it is nothing but words and constraints.
fn as_title(expression: &Expression) -> Option<String> {
    fn collect(expression: &Expression, words: &mut Vec<String>) -> bool {
        match expression {
            Expression::Word { field: None | Some(TextField::Title), word } => words.push(word.clone()),
            Expression::Phrase { field: None | Some(TextField::Title), words: phrase } => words.push(phrase.join(" ")),
            Expression::Filter { .. } => {}
            Expression::And(parts) | Expression::Or(parts) => return parts.iter().all(|part| collect(part, words)),
            Expression::Word { .. } | Expression::Phrase { .. } | Expression::Prefix { .. } | Expression::Not(_) => {
                return false;
            }
        }
        true
    }
    let mut words = Vec::new();
    let title = collect(expression, &mut words).then(|| folded(&words.join(" ")))?;
    (!title.is_empty()).then_some(title)
}

fn single(mut parts: Vec<Match>, many: fn(Vec<Match>) -> Match) -> Match {
    match parts.len() {
        1 => parts.swap_remove(0),
        _ => many(parts),
    }
}

/// Constraints with their values as the index spells them; a value that cannot be one stays, and finds nothing.
fn canonical(filters: &Filters) -> Filters {
    let mut filters = filters.clone();
    for (field, values) in &mut filters.facets {
        for value in values.iter_mut() {
            if let Ok(canonical) = field.canonical(value) {
                *value = canonical;
            }
        }
    }
    filters
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::language::parse;

    fn analysed(text: &str, languages: &[&str]) -> Analysed {
        analyse(&Query {
            text: Some(parse(text).unwrap()),
            languages: languages.iter().map(|tag| tag.parse().unwrap()).collect(),
            ..Query::default()
        })
    }

    #[test]
    fn a_word_is_looked_for_in_each_of_the_readers_languages() {
        let question = analysed("inspelningar", &["sv", "en"]);
        let texts: Vec<&str> = question
            .scored
            .iter()
            .filter(|term| term.kind == ComponentKind::Term && term.term.field == TextField::All)
            .map(|term| term.term.text.as_str())
            .collect();
        assert_eq!(texts, ["inspelning", "inspelningar"]);
    }

    #[test]
    fn punctuation_alone_finds_nothing_rather_than_everything() {
        let x = Match::Term(Term { field: TextField::All, text: "x".into() });
        assert_eq!(analysed("&&& x!", &[]).matching, Some(x));
        assert_eq!(analysed("&&&", &[]).matching, Some(Match::Any(Vec::new())));
        assert_eq!(analysed("&&& -x", &[]).matching, Some(Match::Any(Vec::new())));
    }

    #[test]
    fn what_is_excluded_is_not_scored() {
        assert!(analysed("speech -music", &[]).scored.iter().all(|term| term.term.text != "music"));
    }

    #[test]
    fn a_word_stands_for_the_concepts_it_names_and_an_excluded_one_for_itself_alone() {
        let labels = |text: &str| {
            let scored = analysed(text, &["en"]).scored;
            scored.into_iter().filter(|term| term.kind == ComponentKind::Label).map(|term| term.term.text).collect()
        };
        let named: Vec<String> = labels("health");
        assert!(named.iter().any(|iri| iri.ends_with("/data-theme/HEAL")), "{named:?}");
        let excluded = format!("{:?}", analysed("speech -health", &["en"]).matching);
        assert!(!excluded.contains("HEAL"), "{excluded}");
        assert_eq!(labels("title:health"), Vec::<String>::new());
    }

    #[test]
    fn a_question_that_no_analysis_makes_is_refused() {
        let mut question = analysed("speech", &[]);
        assert!(check(&question, 10).is_ok());
        assert!(check(&question, MAX_HITS + 1).is_err());
        for _ in 0..MAX_NESTING + 1 {
            question.matching = question.matching.map(|inner| Match::Not(Box::new(inner)));
        }
        assert!(check(&question, 10).is_err());
    }
}
