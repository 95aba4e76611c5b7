//! What a dataset was made from and what was made from it, as a page: the federation is asked when it is opened, and
//! what each node answered is said on it.

use maud::{Markup, html};

use super::{parts, search_page};
use crate::domain::dataset::Registered;
use crate::domain::ids::{Identity, Iri, LanguageTag};
use crate::search::lineage::{Edge, Lineage, MOST_STEPS, Met, Relation};

/// The body of the page.
pub fn body(record: &Registered, found: &Lineage, own: &Identity, readers: &[LanguageTag]) -> Markup {
    let local = record.dataset.id.local();
    html! {
        h1 { "Where it comes from, where it went: " (parts::text(&record.dataset.title, readers)) }
        p { a href={ "/datasets/" (local) } { "The record" } }
        @if !found.complete {
            div .note.warn role="status" {
                p {
                    @if found.cut { "There is more than is shown here. " }
                    @if found.sources.iter().any(|source| !source.state.is_complete()) {
                        "Not every node answered: datasets of those that did not may be missing here. "
                    }
                    @if let Some(problem) = found.problem { "Not all was asked of every node: " (problem) "." }
                }
            }
        }
        (search_page::sources(&found.sources))
        h2 #made-from { "Made from" }
        @if found.upward.is_empty() { p { (parts::not_stated()) } }
        (edges(&found.upward, own, readers, true))
        h2 #used-in { "Used in" }
        @if found.downward.is_empty() { p { "No dataset that the federation knows names this one." } }
        (edges(&found.downward, own, readers, false))
        @if found.depth < MOST_STEPS && !(found.upward.is_empty() && found.downward.is_empty()) {
            p { a href={ "/datasets/" (local) "/lineage?depth=" (found.depth + 1) } { "One step further" } }
        }
    }
}

fn edges(edges: &[Edge], own: &Identity, readers: &[LanguageTag], upward: bool) -> Markup {
    html! {
        @if !edges.is_empty() {
            ul .hits {
                @for edge in edges {
                    li {
                        @match &edge.met { Some(met) => { (card(met, own, readers)) } None => { (outside(edge)) } }
                        p .hint {
                            (relation(edge.relation, upward))
                            @if edge.steps > 1 { ", " (edge.steps) " steps away" @if upward { ", named by " code { (edge.from) } } @else if let Some(iri) = &edge.iri { ", by way of " code { (iri) } } }
                            @if edge.again { " · already shown, not followed again" }
                        }
                    }
                }
            }
        }
    }
}

fn card(met: &Met, own: &Identity, readers: &[LanguageTag]) -> Markup {
    html! {
        h2 { a href=(search_page::page_of(&met.card, own)) { (parts::text(&met.card.title, readers)) } }
        p .by { "at " (met.node.id()) @if met.private { " · private" } }
        (search_page::badges(&met.card, readers))
    }
}

/// What no node of the federation that answered knows.
fn outside(edge: &Edge) -> Markup {
    html! {
        @if let Some(iri) = &edge.iri {
            h2 { @match iri.parse::<Iri>() { Ok(iri) => { (parts::link(&iri)) } Err(_) => { (parts::plain(iri)) } } }
            p .by { "no node that answered describes it" }
        }
    }
}

fn relation(relation: Option<Relation>, upward: bool) -> &'static str {
    match (relation, upward) {
        (Some(Relation::DerivedFrom), true) => "this one was made from it",
        (Some(Relation::DerivedFrom), false) => "was made from this one",
        (Some(Relation::VersionOf), true) => "this one is a version of it",
        (Some(Relation::VersionOf), false) => "is a version of this one",
        (Some(Relation::Series), true) => "this one belongs to it, a series",
        (Some(Relation::Series), false) => "belongs to this one as a series",
        (None, _) => "names it",
    }
}
