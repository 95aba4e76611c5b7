//! The federation: every node that is trusted here, what it speaks for, and how it is doing.

use jiff::Timestamp;
use maud::{Markup, html};

use super::parts;
use crate::domain::ids::LanguageTag;
use crate::peers::health::PeerState;
use crate::search::members::MemberView;

/// The body of the page.
pub fn body(members: &[MemberView], readers: &[LanguageTag]) -> Markup {
    html! {
        h1 { "The federation" }
        p {
            "Each member state runs its own node with its own certificate authority; there is no common root. "
            "A question goes to all of them at once, and every answer says which of them did not take part."
        }
        div .scroll tabindex="0" role="region" aria-label="Nodes" {
            table {
                thead {
                    tr {
                        th scope="col" { "Node" }
                        th scope="col" { "State" }
                        th scope="col" { "Trust" }
                        th scope="col" { "Speaks for" }
                        th scope="col" { "Answers in" }
                        th scope="col" { "Last answer" }
                        th scope="col" { "Peer file" }
                    }
                }
                tbody { @for member in members { (row(member, readers)) } }
            }
        }
        p .hint { "The same as JSON: " a href="/api/v1/federation" { "/api/v1/federation" } }
    }
}

fn row(member: &MemberView, readers: &[LanguageTag]) -> Markup {
    let file = member.peer_file.as_ref();
    let health = member.health.as_ref();
    html! {
        tr {
            th scope="row" {
                @if let Some(file) = file { (parts::plain(&file.name)) br; }
                code { (member.domain) }
                @if member.own { " " span .badge { "this node" } }
            }
            td {
                @match health {
                    Some(health) => {
                        span class={ "badge " (tone(health.state)) } { (state(health.state)) }
                        @if let Some(at) = health.view.next_try { p .hint { "next try " (time(at)) } }
                        @if let Some(problem) = &health.view.problem { p .hint { (parts::plain(problem)) } }
                    }
                    None if member.own => { span .badge.good { "running" } }
                    None => { (parts::not_stated()) }
                }
            }
            td {
                @match member.trust {
                    "valid" => { span .badge.good { "trusted" } }
                    "stale_trust" => { span .badge.warn { "running out: search only" } }
                    _ => { span .badge.bad { "not trusted" } }
                }
                @for problem in &member.problems { p .hint { (problem) } }
            }
            td {
                @if let Some(file) = file {
                    @for (place, country) in parts::countries(&file.countries, readers).iter().enumerate() { @if place > 0 { ", " } (country) }
                }
            }
            td .number {
                @match health.and_then(|health| health.view.latency_ms) { Some(ms) => { (ms) " ms" } None => { "–" } }
            }
            td { @match health.and_then(|health| health.view.last_answer) { Some(at) => { (time(at)) } None => { "–" } } }
            td { @if let Some(file) = file { "until " (time(file.expires)) } }
        }
    }
}

fn time(at: Timestamp) -> Markup {
    html! { time datetime=(at) { (at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()) } }
}

fn state(state: PeerState) -> &'static str {
    match state {
        PeerState::Unknown => "not called yet",
        PeerState::Valid => "answers",
        PeerState::Slow => "slow",
        PeerState::Unreachable => "does not answer",
        PeerState::Refused => "refused",
        PeerState::Incompatible => "other version",
    }
}

fn tone(state: PeerState) -> &'static str {
    match state {
        PeerState::Valid => "good",
        PeerState::Unknown => "",
        PeerState::Slow => "warn",
        PeerState::Unreachable | PeerState::Refused | PeerState::Incompatible => "bad",
    }
}
