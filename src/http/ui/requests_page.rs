//! Requests: what an operator's organisation asked for, and what a steward has to decide.

use maud::{Markup, html};

use super::parts;
use crate::domain::ids::LanguageTag;
use crate::domain::negotiation::{Reason, Request, RequestState};

/// What the page shows.
pub struct View<'a> {
    /// Requests, latest first.
    pub requests: &'a [Request],
    /// Whether the visitor may decide them.
    pub decides: bool,
    /// The token that the forms carry.
    pub csrf: &'a str,
    /// The reader's languages, best first.
    pub readers: &'a [LanguageTag],
}

/// The body of the page.
pub fn body(view: &View) -> Markup {
    html! {
        h1 { @if view.decides { "Requests to decide" } @else { "Your organisation's requests" } }
        @if view.requests.is_empty() { p { "There are none." } }
        @for request in view.requests { (one(request, view)) }
    }
}

fn one(request: &Request, view: &View) -> Markup {
    html! {
        section .request aria-label={ "Request " (request.id) } {
            h2 { a href=(parts::page_of(request.dataset.as_str())) { (request.dataset) } }
            ul .badges { (state_badge(&request.state)) }
            dl .facts {
                dt { "Asked by" } dd { code { (request.holder) } " through " code { (request.home.id()) } }
                (parts::facts("Purposes", &request.intended.purposes.iter().map(|p| parts::concept(p, view.readers)).collect::<Vec<_>>()))
                (parts::fact("In its own words", request.intended.statement.as_ref().map(|statement| parts::plain(statement))))
                (parts::facts("Known of it", &request.facts.iter().map(|fact| html! {
                    (parts::words(&fact.name)) ": " (parts::plain(&fact.value)) @if fact.attested { " (attested by its node)" } @else { " (only declared)" }
                }).collect::<Vec<_>>()))
                dt { "Made" } dd { (request.made.strftime("%Y-%m-%d %H:%M UTC").to_string()) }
                dt { "Request" } dd { code { (request.id) } }
            }
            @match &request.state {
                RequestState::Pending { reasons: why } => {
                    (reasons(why))
                    @if view.decides { (decide(request, view)) }
                }
                RequestState::Refused { reasons: why, .. } => { (reasons(why)) }
                RequestState::Agreed { agreement, .. } => { p { "Agreement " code { (agreement) } } }
                RequestState::Undelivered { reason } => { div .note.warn { p { "The owner's node has not received it yet; it is tried again. " (parts::plain(reason)) } } }
                RequestState::Cancelled { .. } => {}
            }
        }
    }
}

fn state_badge(state: &RequestState) -> Markup {
    let tone = match state {
        RequestState::Agreed { .. } => "good",
        RequestState::Refused { .. } => "bad",
        RequestState::Pending { .. } | RequestState::Undelivered { .. } => "warn",
        RequestState::Cancelled { .. } => "",
    };
    parts::badge(tone, parts::choice(state.name()))
}

fn reasons(reasons: &[Reason]) -> Markup {
    html! {
        @if !reasons.is_empty() {
            ul {
                @for reason in reasons {
                    li { (parts::plain(&reason.detail)) @if !reason.pointer.is_empty() { " " span .hint { "(policy " code { (reason.pointer) } ")" } } }
                }
            }
        }
    }
}

fn decide(request: &Request, view: &View) -> Markup {
    html! {
        div .actions {
            form method="post" action={ "/requests/" (request.id) "/approve" } {
                input type="hidden" name="csrf" value=(view.csrf);
                button type="submit" { "Approve" }
            }
            form .actions method="post" action={ "/requests/" (request.id) "/refuse" } {
                input type="hidden" name="csrf" value=(view.csrf);
                label { "Reason for refusing" input type="text" name="reason" required maxlength="500"; }
                button .danger type="submit" { "Refuse" }
            }
        }
    }
}

/// The form with which an operator asks for a dataset.
pub fn form(dataset: &str, csrf: &str) -> Markup {
    const PURPOSES: [(&str, &str); 6] = [
        ("ScientificResearch", "Scientific research"),
        ("AcademicResearch", "Academic research"),
        ("NonCommercialResearch", "Non-commercial research"),
        ("ResearchAndDevelopment", "Research and development"),
        ("ImprovePublicServices", "Improving public services"),
        ("CommercialResearch", "Commercial research"),
    ];
    html! {
        form .form method="post" action="/requests" {
            input type="hidden" name="csrf" value=(csrf);
            input type="hidden" name="dataset" value=(dataset);
            label {
                "For what"
                select name="purpose" {
                    @for (term, label) in PURPOSES { option value={ "https://w3id.org/dpv#" (term) } { (label) } }
                }
            }
            label { "In your own words, for the steward" textarea name="statement" rows="3" maxlength="2000" {} }
            div { button type="submit" { "Ask for it" } }
        }
    }
}
