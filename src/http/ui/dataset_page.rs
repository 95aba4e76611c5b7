//! A dataset's own page: what it is, what one may do with it, what is in it, and how to ask for it.

use maud::{Markup, PreEscaped, html};

use super::{dataset_terms, parts, quality_part};
use crate::domain::dataset::{Agent, Dataset, Registered, Visibility};
use crate::domain::effective::Effective;
use crate::domain::gdpr::DpiaStatus;
use crate::domain::ids::LanguageTag;
use crate::domain::place::Place;
use crate::domain::training::{SourceCategory, Split};
use crate::formats::export::Form;

/// What the page needs beside the record.
pub struct View<'a> {
    /// The record.
    pub record: &'a Registered,
    /// The record as schema.org JSON-LD, for search engines.
    pub schema_org: Option<String>,
    /// What its licences permit together.
    pub effective: Effective,
    /// What is missing before it can be offered, one sentence each; empty when it can be requested.
    pub missing: Vec<String>,
    /// Whether the reader belongs to the participant that owns it.
    pub is_owner: bool,
    /// The reader's languages, best first.
    pub readers: &'a [LanguageTag],
    /// How good the record is; nothing for a past revision.
    pub quality: Option<quality_part::View<'a>>,
    /// The form with which a signed-in operator asks for it.
    pub request_form: Option<Markup>,
    /// What is said above the record, where it is not the record as it stands.
    pub banner: Option<Markup>,
}

/// The body of the page.
pub fn body(view: &View) -> Markup {
    let dataset = &view.record.dataset;
    let readers = view.readers;
    let (access_tone, access) = parts::access(dataset.access_rights);
    let (personal_tone, personal) = parts::personal_data(dataset.gdpr.personal_data);
    html! {
        article {
            @if let Some(banner) = &view.banner { (banner) }
            h1 { (parts::text(&dataset.title, readers)) }
            @if let Some(publisher) = &dataset.publisher { p .by { (parts::text(&publisher.name, readers)) } }
            ul .badges {
                @if !view.record.state.is_known() { (parts::badge("warn", super::history_page::state(view.record.state))) }
                (parts::badge("", parts::country(&dataset.country, readers)))
                (parts::badge(access_tone, access))
                (parts::badge(personal_tone, personal))
                @if let Some(licence) = &dataset.licence {
                    @match &licence.spdx { Some(spdx) => { (parts::badge("", spdx)) } None => { (parts::badge("", parts::licence_class(licence.class()))) } }
                }
                @if dataset.fictitious { (parts::badge("warn", "Fictitious: made for demonstration")) }
            }
            @if let Some(withdrawn) = &view.record.withdrawn {
                div .note.bad role="alert" {
                    p { b { "Withdrawn. " } "Do not use it any more: " (parts::plain(&withdrawn.reason)) }
                    @if let Some(successor) = &withdrawn.successor { p { "Use in its place: " (parts::link(successor)) } }
                }
            }
            @if let Some(description) = &dataset.description {
                p .prose { (parts::text(description, readers)) }
            }
            (parts::other_languages(&dataset.title, dataset.description.as_ref(), readers))
            (how_to_get_it(view))
            h2 { "What you may do with it" }
            (dataset_terms::terms(view))
            h2 { "Personal data" }
            (personal_data(dataset, readers))
            h2 { "For training" }
            (training(dataset, readers))
            h2 { "What is in it" }
            (content(dataset, view.is_owner, readers))
            h2 { "Where it comes from, where it went" }
            (family(dataset))
            @if let Some(quality) = &view.quality {
                h2 { "How well it is described" }
                (quality_part::body(quality))
            }
            h2 { "This record" }
            (identity(view.record, readers))
            (forms(view))
            @if let Some(json) = &view.schema_org { (for_search_engines(json)) }
        }
    }
}

fn how_to_get_it(view: &View) -> Markup {
    let dataset = &view.record.dataset;
    html! {
        @if view.record.withdrawn.is_none() {
            @if view.missing.is_empty() {
                div .note {
                    p { b { "Can be requested. " } "An agreement releases its shards to your organisation." }
                    @match &view.request_form {
                        Some(form) => { (form) }
                        None => {
                            p { "Sign in as an operator to ask for it here, or use the command line:" }
                            pre { "pleiad request create " (dataset.id) " --purpose …" }
                        }
                    }
                }
            } @else if dataset.landing_pages.is_empty() {
                p .hint { "This record describes the data; the bytes are not served here." }
            } @else {
                p { "Get it from its publisher: " @for page in &dataset.landing_pages { (parts::link(page)) " " } }
            }
        }
    }
}

fn agent(agent: &Agent, readers: &[LanguageTag]) -> Markup {
    html! {
        (parts::text(&agent.name, readers))
        @if let Some(iri) = &agent.iri { " (" (parts::link(iri)) ")" }
    }
}

fn personal_data(dataset: &Dataset, readers: &[LanguageTag]) -> Markup {
    let gdpr = &dataset.gdpr;
    let concepts = |iris: &[crate::domain::ids::Iri]| -> Vec<Markup> {
        iris.iter().map(|iri| parts::concept(iri, readers)).collect()
    };
    html! {
        dl .facts {
            dt { "Personal data" } dd { (parts::personal_data(gdpr.personal_data).1) }
            @if gdpr.personal_data.is_personal() {
                (parts::facts("Categories", &concepts(&gdpr.categories)))
                @if !gdpr.special_categories.is_empty() {
                    (parts::facts("Special categories", &concepts(&gdpr.special_categories)))
                    (parts::facts("Condition (Article 9)", &concepts(&gdpr.special_condition)))
                }
                (parts::facts("Legal basis (Article 6)", &concepts(&gdpr.legal_basis)))
                (parts::facts("Purposes", &concepts(&gdpr.purposes)))
                (parts::fact("Collected for", gdpr.collection_purpose.as_ref().map(|text| parts::text(text, readers))))
                (parts::facts("Data subjects", &concepts(&gdpr.data_subjects)))
                (parts::fact("People", gdpr.data_subject_count.map(|count| html! { (parts::number(count)) })))
                (parts::facts("Controller", &gdpr.controllers.iter().map(|controller| agent(controller, readers)).collect::<Vec<_>>()))
                (parts::fact("Data protection officer", gdpr.dpo.as_ref().map(dataset_terms::reach)))
                (parts::fact("Rights of data subjects", gdpr.rights_contact.as_ref().map(dataset_terms::reach)))
                (parts::fact("Kept for", gdpr.retention.as_ref().map(|kept| html! { (parts::duration(kept)) })))
                (parts::fact("Impact assessment", gdpr.dpia.as_ref().map(|dpia| html! {
                    (match dpia.status {
                        DpiaStatus::NotRequired => "not required",
                        DpiaStatus::Required => "required, not done",
                        DpiaStatus::Completed => "completed",
                        DpiaStatus::Consulted => "completed, authority consulted",
                    })
                    @if let Some(reference) = &dpia.reference { " · " (parts::link(reference)) }
                })))
                (parts::facts("Measures", &concepts(&gdpr.measures)))
                (parts::facts("Processed in", &parts::countries(&gdpr.processing_locations, readers)))
                (parts::facts("Transfers to third countries", &gdpr.transfers.iter().map(|t| html! { (parts::country(&t.country, readers)) ": " (parts::concept(&t.tool, readers)) }).collect::<Vec<_>>()))
            }
        }
    }
}

fn training(dataset: &Dataset, readers: &[LanguageTag]) -> Markup {
    let training = &dataset.training;
    let text = |text: &Option<crate::domain::text::Text>| text.as_ref().map(|text| parts::text(text, readers));
    html! {
        dl .facts {
            (parts::facts("Kinds of content", &training.modalities.iter().map(|m| html! { (parts::choice(m.as_str())) }).collect::<Vec<_>>()))
            (parts::facts("Tasks", &training.tasks.iter().map(|task| parts::plain(&parts::words(task))).collect::<Vec<_>>()))
            (parts::fact("Records", training.record_count.map(|n| html! { (parts::number(n)) })))
            (parts::fact("Tokens", training.tokens.as_ref().map(|tokens| html! { (parts::number(tokens.count)) " by " (parts::plain(&tokens.tokeniser)) })))
            (parts::facts("Splits", &training.splits.iter().map(split).collect::<Vec<_>>()))
            (parts::facts("Comes from", &training.source_categories.iter().map(|category| html! { (came_from(*category)) }).collect::<Vec<_>>()))
            (parts::fact("Collected when", training.collected.as_ref().map(parts::period)))
            (parts::fact("Collected how", text(&training.collection_method)))
            (parts::fact("Prepared how", text(&training.preparation)))
            (parts::fact("Annotated how", text(&training.annotation)))
            (parts::fact("Known biases", text(&training.known_biases)))
            (parts::fact("Known gaps", text(&training.gaps)))
            (parts::fact("Meant for", text(&training.intended_use)))
            (parts::fact("Not meant for", text(&training.out_of_scope)))
        }
    }
}

fn split(split: &Split) -> Markup {
    html! {
        (parts::plain(&split.name))
        @match (split.records, split.bytes) {
            (Some(records), Some(bytes)) => { " (" (parts::number(records)) " records, " (parts::bytes(bytes)) ")" }
            (Some(records), None) => { " (" (parts::number(records)) " records)" }
            (None, Some(bytes)) => { " (" (parts::bytes(bytes)) ")" }
            (None, None) => {}
        }
    }
}

fn came_from(category: SourceCategory) -> &'static str {
    match category {
        SourceCategory::PublicDataset => "public datasets",
        SourceCategory::LicensedPrivate => "private data under licence",
        SourceCategory::OtherPrivate => "other private data",
        SourceCategory::WebCrawled => "the web",
        SourceCategory::UserData => "users",
        SourceCategory::Synthetic => "synthesis",
        SourceCategory::Other => "other sources",
    }
}

fn content(dataset: &Dataset, is_owner: bool, readers: &[LanguageTag]) -> Markup {
    html! {
        @if dataset.distributions.is_empty() { p { (parts::not_stated()) } }
        @for distribution in &dataset.distributions {
            p {
                b { @match &distribution.title { Some(title) => { (parts::text(title, readers)) } None => { "Distribution" } } }
                @if let Some(format) = &distribution.format { " · " (parts::plain(format)) }
                @if let Some(media_type) = &distribution.media_type { " · " (parts::plain(media_type)) }
                @if let Some(bytes) = distribution.bytes { " · " (parts::bytes(bytes)) }
            }
            @if let Some(text) = &distribution.description { p .prose { (parts::text(text, readers)) } }
            ul .plain {
                @if let Some(url) = distribution.download_url.as_ref().filter(|_| is_owner || dataset.is_open(distribution)) { li { "Download: " (parts::link(url)) } }
                @if let Some(url) = &distribution.access_url { li { "Page: " (parts::link(url)) } }
                @if let Some(own) = &distribution.licence { li { "Its own licence: " (dataset_terms::licence(own)) } }
                @if let Some(digest) = &distribution.sha256 { li { "SHA-256: " code { (digest) } } }
            }
            @if let Some(manifest) = &distribution.manifest {
                p .hint {
                    "Manifest " (manifest.version) ": " (manifest.shards.len()) " shards, " (parts::bytes(manifest.total_bytes()))
                    ", digest " code { (manifest.digest()) }
                }
            }
        }
        @for set in &dataset.record_sets {
            h3 { "Table " (parts::plain(&set.name)) }
            @if let Some(text) = &set.description { p .prose { (parts::text(text, readers)) } }
            div .scroll tabindex="0" role="region" aria-label={ "Table " (set.name) } {
                table {
                    thead { tr { th scope="col" { "Column" } th scope="col" { "Type" } th scope="col" { "What it holds" } } }
                    tbody {
                        @for column in &set.columns {
                            tr {
                                td { code { (parts::plain(&column.name)) } }
                                td { @match &column.data_type { Some(t) => { (parts::plain(t)) } None => { (parts::not_stated()) } } }
                                td { @match &column.description { Some(text) => { (parts::text(text, readers)) } None => { (parts::not_stated()) } } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn identity(record: &Registered, readers: &[LanguageTag]) -> Markup {
    let dataset = &record.dataset;
    let iris = |iris: &[crate::domain::ids::Iri]| -> Vec<Markup> { iris.iter().map(parts::link).collect() };
    html! {
        dl .facts {
            dt { "Id" } dd { code { (dataset.id) } }
            (parts::facts("Persistent identifiers", &iris(&dataset.identifiers)))
            (parts::facts("Keywords", &keywords(dataset)))
            (parts::facts("Themes", &dataset.themes.iter().map(|t| parts::concept(t, readers)).collect::<Vec<_>>()))
            (parts::facts("Languages", &dataset.languages.iter().map(|tag| parts::language(tag, readers)).collect::<Vec<_>>()))
            (parts::facts("Places", &dataset.spatial.iter().map(|found| place(found, readers)).collect::<Vec<_>>()))
            (parts::facts("Period", &dataset.temporal.iter().map(parts::period).collect::<Vec<_>>()))
            (parts::fact("Changes", dataset.frequency.as_ref().map(|iri| parts::concept(iri, readers))))
            (parts::fact("Publisher", dataset.publisher.as_ref().map(|found| agent(found, readers))))
            (parts::facts("Creators", &dataset.creators.iter().map(|found| agent(found, readers)).collect::<Vec<_>>()))
            (parts::fact("Version", dataset.version.as_ref().map(|version| parts::plain(version))))
            @if let Some(notes) = &dataset.version_notes { (parts::fact("What is new", Some(parts::text(notes, readers)))) }
            (parts::fact("Issued", dataset.issued.map(|d| html! { (d) })))
            (parts::fact("Modified", dataset.modified.map(|d| html! { (d) })))
            (parts::facts("Pages", &iris(&dataset.landing_pages)))
            (parts::facts("Documentation", &iris(&dataset.documentation)))
            dt { "Owner" } dd { code { (record.owner) } }
            dt { "Revision" } dd { (record.revision) ", log position " (record.seq) ", " (record.revised.strftime("%Y-%m-%d %H:%M UTC").to_string()) " · " a href={ "/datasets/" (dataset.id.local()) "/revisions" } { "History" } }
            @if let Some(source) = &dataset.source { dt { "Read from" } dd { (parts::plain(&source.name)) " · " (parts::link(&source.iri)) } }
            dt { "Who may find it" }
            dd { @match dataset.visibility { Visibility::Federation => { "every member" } Visibility::Private => { "listed participants alone" } } }
        }
    }
}

/// Whom it names, as it says it; who names it is asked of every node, on a page of its own.
fn family(dataset: &Dataset) -> Markup {
    let iris = |iris: &[crate::domain::ids::Iri]| -> Vec<Markup> { iris.iter().map(parts::link).collect() };
    let lineage = format!("/datasets/{}/lineage", dataset.id.local());
    html! {
        dl .facts {
            (parts::facts("Made from", &iris(&dataset.derived_from)))
            @if let Some(other) = &dataset.version_of { dt { "A version of" } dd { (parts::link(other)) } }
            @if !dataset.series.is_empty() { (parts::facts("In the series", &iris(&dataset.series))) }
            dt { "Used in" } dd { a href={ (lineage) "#used-in" } { "Ask every node of the federation" } }
        }
    }
}

/// The same record in every form that there is.
fn forms(view: &View) -> Markup {
    let mut base = format!("/api/v1/datasets/{}", view.record.dataset.id.local());
    if view.banner.is_some() {
        base.push_str(&format!("/revisions/{}", view.record.revision));
    }
    html! {
        h3 { "Take this record with you" }
        ul .plain {
            @for form in Form::ALL {
                @let address = format!("{base}.{}", form.suffix());
                li { a href=(address) type=(form.media_type()) rel="alternate" { (form.label()) } " " code { "." (form.suffix()) } }
            }
        }
    }
}

/// A block of data, which no browser runs. What could end it, and what turns the direction of text, is written as JSON may
/// write it.
fn for_search_engines(json: &str) -> Markup {
    let mut safe = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                safe.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            other => safe.push(other),
        }
    }
    html! { script type="application/ld+json" { (PreEscaped(safe)) } }
}

fn keywords(dataset: &Dataset) -> Vec<Markup> {
    let each = dataset.keywords.iter().flat_map(|(language, words)| words.iter().map(move |word| (language, word)));
    each.map(|(language, word)| html! { bdi lang=[(language.as_str() != "und").then_some(language)] { (word) } })
        .collect()
}

fn place(place: &Place, readers: &[LanguageTag]) -> Markup {
    html! {
        @match (&place.name, &place.iri, &place.country) {
            (Some(name), _, _) => { (parts::text(name, readers)) }
            (None, Some(iri), _) => { (parts::concept(iri, readers)) }
            (None, None, Some(country)) => { (parts::country(country, readers)) }
            (None, None, None) => {}
        }
        @if let Some(bbox) = &place.bbox {
            @let [west, south, east, north] = bbox.corners();
            " (" (west) "° to " (east) "° east, " (south) "° to " (north) "° north)"
        }
    }
}
