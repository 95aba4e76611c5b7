//! The history of a record, and in what two revisions of it differ, for a person to read.

use maud::{Markup, html};
use serde_json::Value;

use super::parts;
use crate::catalogue::{Difference, HistoryLine, Kind};
use crate::domain::dataset::Registered;
use crate::domain::difference::Change;
use crate::domain::ids::LanguageTag;
use crate::domain::lifecycle::State;

/// The state of a record in words.
pub fn state(state: State) -> &'static str {
    match state {
        State::Draft => "Draft",
        State::Review => "In review",
        State::Published => "Published",
        State::Withdrawn => "Withdrawn",
    }
}

/// The body of the history.
pub fn body(record: &Registered, lines: &[HistoryLine], readers: &[LanguageTag]) -> Markup {
    let local = record.dataset.id.local();
    html! {
        h1 { "History of " (parts::text(&record.dataset.title, readers)) }
        p { a href={ "/datasets/" (local) } { "The record as it stands" } }
        div .scroll tabindex="0" role="region" aria-label="History" {
            table {
                thead { tr {
                    th scope="col" { "Revision" } th scope="col" { "When" } th scope="col" { "What" }
                    th scope="col" { "Who" } th scope="col" { "Why" }
                } }
                tbody {
                    @for line in lines.iter().rev() {
                        tr {
                            td { a href={ "/datasets/" (local) "/revisions/" (line.revision) } { (line.revision) } }
                            td { time datetime=(line.at) { (line.at.strftime("%Y-%m-%d %H:%M UTC").to_string()) } }
                            td {
                                (what(line))
                                @if line.kind == Kind::Revised {
                                    " · " a href={ "/datasets/" (local) "/revisions/" (line.revision) "/difference" } { "what changed" }
                                }
                            }
                            td { (who(line)) }
                            td { @match &line.reason { Some(reason) => { (parts::plain(reason)) } None => { (parts::not_stated()) } } }
                        }
                    }
                }
            }
        }
    }
}

fn what(line: &HistoryLine) -> String {
    match line.kind {
        Kind::Registered if line.state.is_published() => "Registered".to_owned(),
        Kind::Registered => "Begun as a draft".to_owned(),
        Kind::Revised => "Revised".to_owned(),
        Kind::StateChanged => match line.state {
            State::Draft => "Sent back to draft".to_owned(),
            State::Review => "Sent to review".to_owned(),
            other => state(other).to_owned(),
        },
        Kind::Withdrawn => "Withdrawn".to_owned(),
    }
}

fn who(line: &HistoryLine) -> Markup {
    html! {
        (parts::choice(line.by.role))
        @if let Some(participant) = &line.by.participant { " of " (participant.id()) }
        @if let Some(token) = &line.by.token {
            p .hint { "Token " code { (token) } @if let Some(note) = &line.by.note { ": " (parts::plain(note)) } }
        }
    }
}

/// What a page of a revision says of its place among the others.
pub fn banner(record: &Registered, current: &Registered) -> Markup {
    let local = record.dataset.id.local();
    let is_latest = record.revision == current.revision;
    html! {
        div .note.warn[!is_latest] {
            p {
                b { "Revision " (record.revision) @if !is_latest { ", not the latest" } ". " }
                @if is_latest { "It is the latest one. " } @else { "Revision " (current.revision) " stands now. " }
                a href={ "/datasets/" (local) } { "The record as it stands" } " · "
                a href={ "/datasets/" (local) "/revisions" } { "History" }
                @if record.revision.0 > 1 {
                    " · " a href={ "/datasets/" (local) "/revisions/" (record.revision) "/difference" } { "What changed in it" }
                }
            }
        }
    }
}

/// The body of a difference.
pub fn difference(record: &Registered, found: &Difference, readers: &[LanguageTag]) -> Markup {
    let local = record.dataset.id.local();
    html! {
        h1 { "What changed in " (parts::text(&record.dataset.title, readers)) }
        p {
            @match found.from { Some(from) => { "From revision " (from) } None => { "From nothing" } }
            " to revision " (found.to) ". "
            a href={ "/datasets/" (local) "/revisions" } { "History" }
        }
        @if let Some(stood) = found.state { p { (state(stood.before)) " became " (state(stood.after)) "." } }
        @if found.items.is_empty() {
            p { "The description is the same." }
        } @else {
            div .scroll tabindex="0" role="region" aria-label="Difference" {
                table {
                    thead { tr { th scope="col" { "Where" } th scope="col" { "Before" } th scope="col" { "After" } } }
                    tbody { @for change in &found.items { (row(change)) } }
                }
            }
        }
    }
}

fn row(change: &Change) -> Markup {
    let (before, after) = match (&change.before, &change.after) {
        (Some(Value::String(before)), Some(Value::String(after))) => words(before, after),
        (before, after) => (before.as_ref().map(value), after.as_ref().map(value)),
    };
    html! {
        tr {
            th scope="row" { code { (change.pointer.trim_start_matches('/').replace('/', " / ")) } }
            td .prose { @match before { Some(before) => { (before) } None => { span .unstated { "–" } } } }
            td .prose { @match after { Some(after) => { (after) } None => { span .unstated { "removed" } } } }
        }
    }
}

/// Two texts with the words between their common beginning and end marked.
fn words(before: &str, after: &str) -> (Option<Markup>, Option<Markup>) {
    let (old, new): (Vec<&str>, Vec<&str>) =
        (before.split_inclusive(' ').collect(), after.split_inclusive(' ').collect());
    let same = |pairs: &mut dyn Iterator<Item = (&&str, &&str)>| pairs.take_while(|(a, b)| a == b).count();
    let head = same(&mut old.iter().zip(&new));
    let tail = same(&mut old.iter().rev().zip(new.iter().rev())).min(old.len().min(new.len()) - head);
    let shown = |words: &[&str]| {
        let (begin, rest) = words.split_at(head);
        let (changed, end) = rest.split_at(rest.len() - tail);
        html! { (begin.concat()) @if !changed.is_empty() { mark { (changed.concat()) } } (end.concat()) }
    };
    (Some(shown(&old)), Some(shown(&new)))
}

fn value(value: &Value) -> Markup {
    match value {
        Value::String(text) => parts::plain(text),
        Value::Object(_) | Value::Array(_) => html! { pre { (format!("{value:#}")) } },
        other => html! { (other.to_string()) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(before: &str, after: &str) -> (String, String) {
        let (before, after) = words(before, after);
        (before.unwrap().into_string(), after.unwrap().into_string())
    }

    #[test]
    fn the_words_that_changed_are_marked_and_the_others_are_not() {
        assert_eq!(
            marked("Calls of birds at night", "Calls of all birds at night"),
            ("Calls of birds at night".to_owned(), "Calls of <mark>all </mark>birds at night".to_owned())
        );
        assert_eq!(marked("a a", "a a a").1.matches("<mark>").count(), 1);
        assert_eq!(marked("<b>", "x"), ("<mark>&lt;b&gt;</mark>".to_owned(), "<mark>x</mark>".to_owned()));
    }
}
