//! The search page: one form, the strip of sources, the facets, the hits. The form is a plain GET, so that every search
//! is a link that can be kept and shared, and nothing needs a script.

use maud::{Markup, html};

use super::parts;
use crate::domain::answer::{Card, FacetCounts, Highlight};
use crate::domain::ids::{Identity, LanguageTag};
use crate::domain::licence::LicenceClass;
use crate::domain::query::{FacetField, Filters, Sort, TextField};
use crate::search::merge::{Page, Ranked, Ranking, Relation};
use crate::search::source::{Source, State};

/// What the page shows.
pub struct View<'a> {
    /// The words as typed.
    pub words: &'a str,
    /// The constraints as ticked.
    pub filters: &'a Filters,
    /// The order as chosen, as the parameter spells it.
    pub sort: &'a str,
    /// How many hits were asked for.
    pub limit: usize,
    /// Parameters for which the form has no field; they are carried along, so that ticking a box widens nothing.
    pub carried: Vec<(String, String)>,
    /// The answer; `None` before the first search and when the question was wrong.
    pub answer: Option<Answer<'a>>,
    /// What is wrong with the question, for the person who typed it.
    pub problem: Option<String>,
    /// The reader's languages, best first.
    pub readers: &'a [LanguageTag],
    /// This node, whose datasets have their pages here.
    pub own: &'a Identity,
}

/// An answer with its sources.
pub struct Answer<'a> {
    /// The merged page.
    pub page: &'a Page,
    /// Every source.
    pub sources: &'a [Source],
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

/// Facets that the page offers; the others are for the API.
pub const FACETS: [FacetField; 8] = [
    FacetField::Country,
    FacetField::Access,
    FacetField::PersonalData,
    FacetField::LicenceClass,
    FacetField::Modality,
    FacetField::Language,
    FacetField::Theme,
    FacetField::Format,
];

/// The most hits a page shows; the API says the same.
pub const MOST: usize = 100;

/// The body of the page.
pub fn body(view: &View) -> Markup {
    html! {
        form method="get" action="/" role="search" {
            h1 { "Search training datasets of every member state" }
            div .ask {
                input type="search" name="q" value=(view.words) aria-label="Words to search for" placeholder="parliament speech, chest CT, treebank …";
                button type="submit" { "Search" }
            }
            p .hint {
                "Words are ranked together; " code { "\"a phrase\"" } ", " code { "parl*" } ", " code { "title:speech" } ", " code { "AND OR NOT" } " are understood. "
                a href="/help/query" { "How to ask" }
            }
            @for (name, value) in &view.carried { input type="hidden" name=(name) value=(value); }
            @if let Some(problem) = &view.problem { div .note.bad role="alert" { p { (problem) } } }
            @if view.answer.is_none() && view.problem.is_none() {
                p { "Every node is asked at once, and the answer says which of them did not take part. " a href="/?q=" { "Everything that there is" } }
            }
            @if let Some(answer) = &view.answer {
                div .columns {
                    (facets(view, answer))
                    section aria-label="Results" {
                        (summary(answer))
                        (sources(answer.sources))
                        (also_asked(view))
                        (hits(view, answer))
                    }
                }
            }
        }
    }
}

fn summary(answer: &Answer) -> Markup {
    let total = answer.page.total;
    let asked: Vec<_> = answer.sources.iter().filter(|source| source.state != State::Skipped).collect();
    let answered = asked.iter().filter(|source| source.state == State::Answered).count();
    html! {
        p .summary aria-live="polite" {
            @if total.relation == Relation::Gte { "At least " }
            (parts::number(total.value)) @if total.value == 1 { " dataset" } @else { " datasets" }
            " · " (answered) " of " (asked.len()) @if asked.len() == 1 { " node" } @else { " nodes" } " answered · " (answer.took_ms) " ms"
            @if answer.page.ranking == Ranking::Exact { " · one exact order" } @else { " · approximate order" }
        }
        @if answered < asked.len() {
            div .note.warn role="status" {
                p { "Records of nodes that did not answer are missing here:" }
                ul {
                    @for source in asked.iter().filter(|source| source.state != State::Answered) {
                        li {
                            b { (source.node.id()) } " " (missing(source.state))
                            @if let Some(problem) = &source.problem { " – " (parts::plain(problem)) }
                        }
                    }
                }
            }
        }
    }
}

/// The constraints that came by the address and have no field on the page.
fn also_asked(view: &View) -> Markup {
    html! {
        @if !view.carried.is_empty() {
            p .hint {
                "Also asked for: "
                @for (place, (name, value)) in view.carried.iter().enumerate() {
                    @if place > 0 { ", " }
                    (parts::words(name)) " " code { (value) }
                }
                ". " a href={ "/?q=" (url::form_urlencoded::byte_serialize(view.words.as_bytes()).collect::<String>()) } { "Search without" }
            }
        }
    }
}

/// The strip of sources: every node, with what became of the question.
pub fn sources(sources: &[Source]) -> Markup {
    html! {
        ul .sources aria-label="Sources" {
            @for source in sources {
                li class=(match source.state { State::Answered => "", State::Skipped => "left", _ => "missing" }) {
                    b { (source.node.id()) }
                    @match source.state {
                        State::Answered => {
                            @if let Some(total) = source.total { (parts::number(total)) @if total == 1 { " match" } @else { " matches" } } @else { "answered" }
                            @if let Some(ms) = source.ms { ", " (ms) " ms" }
                            @if source.stale_trust { ", trust running out" }
                        }
                        State::Skipped => { "not asked: none of its records can match" }
                        _ => {
                            (missing(source.state))
                            @if let Some(at) = source.next_try { ", next try " (at.strftime("%H:%M:%S UTC").to_string()) }
                        }
                    }
                }
            }
        }
    }
}

fn facets(view: &View, answer: &Answer) -> Markup {
    let ticked = |field: &FacetField| view.filters.facets.get(field).map(Vec::as_slice).unwrap_or_default();
    let chosen: usize = FACETS.iter().map(|field| ticked(field).len()).sum();
    html! {
        // Closed, so that it takes one line on a phone; where there is room the style sheet shows what is in it.
        details .narrow {
            summary { "Narrow and order" @if chosen > 0 { " (" (chosen) " chosen)" } }
            div .order {
                label for="sort" { "Order" }
                select #sort name="sort" {
                    @for (value, label) in [("relevance", "Best match"), ("modified", "Last modified"), ("title", "Title"), ("size", "Size")] {
                        option value=(value) selected[view.sort == value] { (label) }
                    }
                }
                button .quiet type="submit" { "Apply" }
            }
            div .facets {
                @for field in FACETS {
                    @let counts = answer.page.facets.get(&field);
                    @if counts.is_some_and(|counts| !counts.values.is_empty()) || !ticked(&field).is_empty() {
                        (facet(field, counts, ticked(&field), view.readers))
                    }
                }
                @if chosen > 0 {
                    p { a href={ "/?q=" (url::form_urlencoded::byte_serialize(view.words.as_bytes()).collect::<String>()) } { "Clear the choices" } }
                }
            }
        }
    }
}

fn facet(field: FacetField, counts: Option<&FacetCounts>, ticked: &[String], readers: &[LanguageTag]) -> Markup {
    const SHOWN: usize = 12;
    let none = FacetCounts::default();
    let counts = counts.unwrap_or(&none);
    let counted = |value: &String| counts.values.iter().any(|(counted, _)| counted == value);
    html! {
        details open[!ticked.is_empty() || matches!(field, FacetField::Country | FacetField::Access | FacetField::PersonalData)] {
            summary { (facet_name(field)) }
            ul {
                @for value in ticked.iter().filter(|value| !counted(value)) { (choice(field, value, None, true, readers)) }
                @for (place, (value, count)) in counts.values.iter().enumerate() {
                    @if place < SHOWN || ticked.contains(value) { (choice(field, value, Some(*count), ticked.contains(value), readers)) }
                }
            }
            @if counts.values.len() > SHOWN || counts.other > 0 { p .hint { "More values by the API." } }
        }
    }
}

fn choice(field: FacetField, value: &str, count: Option<u64>, ticked: bool, readers: &[LanguageTag]) -> Markup {
    html! {
        li { label {
            input type="checkbox" name=(field.as_str()) value=(value) checked[ticked];
            span { (facet_value(field, value, readers)) }
            span .count { @match count { Some(count) => { (parts::number(count)) } None => { "0" } } }
        } }
    }
}

fn facet_name(field: FacetField) -> &'static str {
    match field {
        FacetField::Country => "Country",
        FacetField::Theme => "Theme",
        FacetField::Modality => "Kind of content",
        FacetField::Language => "Language",
        FacetField::LicenceClass => "Licence",
        FacetField::Licence => "Licence by name",
        FacetField::Access => "Access",
        FacetField::PersonalData => "Personal data",
        FacetField::LegalBasis => "Legal basis",
        FacetField::Purpose => "Purpose",
        FacetField::Format => "Format",
        FacetField::Publisher => "Publisher",
        FacetField::DerivedFrom => "Made from",
        FacetField::VersionOf => "Version of",
        FacetField::Series => "Series",
    }
}

fn facet_value(field: FacetField, value: &str, readers: &[LanguageTag]) -> Markup {
    match field {
        FacetField::Theme | FacetField::LegalBasis | FacetField::Purpose => parts::concept_named(value, readers),
        FacetField::Country => {
            value.parse().map_or_else(|_| parts::plain(value), |code| parts::country(&code, readers))
        }
        FacetField::Language => {
            value.parse().map_or_else(|_| parts::plain(value), |tag| parts::language(&tag, readers))
        }
        FacetField::LicenceClass => html! { (licence_class_named(value)) },
        FacetField::Format
        | FacetField::Licence
        | FacetField::Publisher
        | FacetField::DerivedFrom
        | FacetField::VersionOf
        | FacetField::Series => parts::plain(value),
        FacetField::Modality | FacetField::Access | FacetField::PersonalData => html! { (parts::choice(value)) },
    }
}

fn licence_class_named(value: &str) -> String {
    use LicenceClass::{Attribution, NoDerivatives, NonCommercial, Other, PublicDomain, ShareAlike};
    [PublicDomain, Attribution, ShareAlike, NonCommercial, NoDerivatives, Other]
        .into_iter()
        .find(|class| class.as_str() == value)
        .map_or_else(|| parts::choice(value), |class| parts::licence_class(class).to_owned())
}

fn hits(view: &View, answer: &Answer) -> Markup {
    let hits = &answer.page.hits;
    html! {
        @if hits.is_empty() {
            p { "Nothing matches. Fewer words or fewer constraints find more; so does a word's beginning with " code { "*" } "." }
        }
        ol .hits {
            @for ranked in hits { li { (hit(ranked, view)) } }
        }
        @if (hits.len() as u64) < answer.page.total.value && view.limit < MOST && hits.len() >= view.limit {
            button .quiet type="submit" name="limit" value=(MOST) { "Show up to " (MOST) }
        }
    }
}

fn hit(ranked: &Ranked, view: &View) -> Markup {
    let card = &ranked.hit.card;
    html! {
        h2 { a href=(page_of(card, view.own)) { (parts::text(&card.title, view.readers)) } }
        p .by {
            @if let Some(publisher) = &card.publisher { (parts::text(publisher, view.readers)) " · " }
            "node " (ranked.node.id())
            @if let Some(date) = card.modified { " · " (date) }
            @if let Some(bytes) = card.bytes { " · " (parts::bytes(bytes)) }
        }
        @let found = |field| ranked.hit.highlights.iter().find(|highlight| highlight.field == field);
        @match (found(TextField::Description), &card.summary) {
            (Some(highlight), _) => { p { (highlighted(highlight)) } }
            (None, Some(summary)) => { p .short { (parts::text(summary, view.readers)) } }
            (None, None) => {}
        }
        @if let Some(highlight) = found(TextField::Keyword) { p .hint { "Keyword: " (highlighted(highlight)) } }
        (badges(card, view.readers))
        @if !ranked.also_at.is_empty() {
            p .hint { "Also at " @for (place, other) in ranked.also_at.iter().enumerate() { @if place > 0 { ", " } (other.node.id()) } " under the same persistent identifier." }
        }
    }
}

/// Where the page of a record is: here, by its id, whichever node it belongs to.
pub fn page_of(card: &Card, own: &Identity) -> String {
    if card.id.is_under(own.domain()) {
        format!("/datasets/{}", card.id.local())
    } else {
        parts::page_of(card.id.as_str())
    }
}

/// The badges of a card.
pub fn badges(card: &Card, readers: &[LanguageTag]) -> Markup {
    let (access_tone, access) = parts::access(card.access_rights);
    let (personal_tone, personal) = parts::personal_data(card.personal_data);
    html! {
        ul .badges {
            (parts::badge("", parts::country(&card.country, readers)))
            (parts::badge(access_tone, access))
            (parts::badge(personal_tone, personal))
            @if let Some(licence) = &card.licence {
                @if !licence.contains("://") { (parts::badge("", licence)) }
                @else if let Some(class) = card.licence_class { (parts::badge("", parts::licence_class(class))) }
            }
            @for modality in &card.modalities { (parts::badge("", parts::choice(modality.as_str()))) }
            @if card.requestable { (parts::badge("good", "Can be requested")) }
            @if card.fictitious { (parts::badge("warn", "Fictitious")) }
        }
    }
}

fn highlighted(highlight: &Highlight) -> Markup {
    html! {
        bdi lang=[highlight.language.as_ref().map(LanguageTag::as_str)] {
            @for (place, piece) in highlight.pieces.iter().enumerate() {
                @if place % 2 == 1 { mark { (piece) } } @else { (piece) }
            }
        }
    }
}

/// A dataset of another node, as far as its card goes; its own node has the whole record.
pub fn card_body(ranked: &Ranked, readers: &[LanguageTag], request_form: Option<Markup>) -> Markup {
    let card = &ranked.hit.card;
    html! {
        article {
            h1 { (parts::text(&card.title, readers)) }
            @if let Some(publisher) = &card.publisher { p .by { (parts::text(publisher, readers)) } }
            (badges(card, readers))
            @if let Some(summary) = &card.summary {
                p { (parts::text(summary, readers)) }
            }
            (parts::other_languages(&card.title, card.summary.as_ref(), readers))
            div .note {
                p { "This is what node " b { (ranked.node.id()) } " says of it now. The whole record is kept there." }
                @if card.requestable {
                    @match request_form {
                        Some(form) => { (form) }
                        None => {
                            p { "Sign in as an operator to ask for it here, or use the command line:" }
                            pre { "pleiad request create " (card.id) " --purpose …" }
                        }
                    }
                }
            }
            dl .facts {
                dt { "Id" } dd { code { (card.id) } }
                dt { "Revision" } dd { (card.revision) }
                (parts::facts("Persistent identifiers", &card.identifiers.iter().map(parts::link).collect::<Vec<_>>()))
                (parts::facts("Languages", &card.languages.iter().map(|tag| parts::language(tag, readers)).collect::<Vec<_>>()))
                (parts::facts("Formats", &card.formats.iter().map(|f| parts::plain(f)).collect::<Vec<_>>()))
                (parts::fact("Modified", card.modified.map(|date| html! { (date) })))
                (parts::fact("Size", card.bytes.map(|count| html! { (parts::bytes(count)) })))
            }
        }
    }
}

/// Why a dataset of another node is not shown: its node may just not have answered.
pub fn why_not_found(sources: &[Source]) -> String {
    match sources.iter().find(|source| !source.state.is_complete()) {
        Some(source) => format!(
            "node {} did not answer ({}), and the dataset may be its own: try again later",
            source.node.id(),
            missing(source.state)
        ),
        None => "no node knows a dataset of that id that everybody may discover".to_owned(),
    }
}

/// What became of the question to a node that did not answer it, in words.
fn missing(state: State) -> &'static str {
    match state {
        State::Answered => "answered",
        State::TimedOut => "did not answer in time",
        State::Unreachable => "unreachable",
        State::Refused => "refused",
        State::Incompatible => "other version",
        State::UnsupportedConstraint => "cannot check a constraint",
        State::Busy => "busy",
        State::Broken => "sent no answer that can be read",
        State::CircuitOpen => "left alone for now",
        State::Skipped => "not asked",
    }
}

/// A refusal as one paragraph.
pub fn sentence<'a>(detail: &str, more: impl Iterator<Item = &'a str>) -> String {
    let more: Vec<&str> = more.collect();
    if more.is_empty() { detail.to_owned() } else { more.join("; ") }
}

/// The parameters for which the form has no field. `min_seq` and `timeout_ms` are of one question and not of the next.
pub fn carried(query: &str) -> Vec<(String, String)> {
    let has_field = |name: &str| {
        matches!(name, "q" | "sort" | "limit" | "facets" | "min_seq" | "timeout_ms")
            || FACETS.iter().any(|field| field.as_str() == name)
    };
    url::form_urlencoded::parse(query.as_bytes())
        .filter(|(name, _)| !has_field(name))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}

/// An order as its parameter spells it.
pub fn sort_name(sort: Sort) -> &'static str {
    match sort {
        Sort::Relevance => "relevance",
        Sort::Modified => "modified",
        Sort::Title => "title",
        Sort::Size => "size",
    }
}
