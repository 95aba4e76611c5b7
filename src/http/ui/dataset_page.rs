//! A dataset's own page: what it is, what one may do with it, what is in it, and how to ask for it.

use maud::{Markup, html};

use super::parts;
use crate::domain::dataset::{Dataset, Registered, TdmReservation};
use crate::domain::gdpr::DpiaStatus;
use crate::domain::ids::LanguageTag;
use crate::domain::licence::{Answer, Licence};
use crate::domain::policy::{Constraint, Policy};

/// What the page needs beside the record.
pub struct View<'a> {
    /// The record.
    pub record: &'a Registered,
    /// What is missing before it can be offered, one sentence each; empty when it can be requested.
    pub missing: Vec<String>,
    /// The reader's languages, best first.
    pub readers: &'a [LanguageTag],
    /// The form with which a signed-in operator asks for it.
    pub request_form: Option<Markup>,
}

/// The body of the page.
pub fn body(view: &View) -> Markup {
    let dataset = &view.record.dataset;
    let readers = view.readers;
    let (access_tone, access) = parts::access(dataset.access_rights);
    let (personal_tone, personal) = parts::personal_data(dataset.gdpr.personal_data);
    html! {
        article {
            h1 { (parts::text(&dataset.title, readers)) }
            @if let Some(publisher) = &dataset.publisher { p .by { (parts::text(&publisher.name, readers)) } }
            ul .badges {
                (parts::badge("", dataset.country.as_str()))
                (parts::badge(access_tone, access))
                (parts::badge(personal_tone, personal))
                @if let Some(licence) = &dataset.licence { (parts::badge("", licence.label())) }
                @if dataset.fictitious { (parts::badge("warn", "Fictitious: made for demonstration")) }
            }
            @if let Some(withdrawn) = &view.record.withdrawn {
                div .note.bad role="alert" {
                    p { b { "Withdrawn. " } "Do not use it any more: " (withdrawn.reason) }
                    @if let Some(successor) = &withdrawn.successor { p { "Use in its place: " (parts::link(successor)) } }
                }
            }
            @if let Some(description) = &dataset.description {
                p { (parts::text(description, readers)) }
                (parts::other_languages(description, readers))
            }
            (how_to_get_it(view))
            h2 { "What you may do with it" }
            (terms(dataset, readers))
            h2 { "Personal data" }
            (personal_data(dataset, readers))
            h2 { "For training" }
            (training(dataset, readers))
            h2 { "What is in it" }
            (content(dataset, readers))
            h2 { "This record" }
            (identity(view.record, readers))
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

fn terms(dataset: &Dataset, readers: &[LanguageTag]) -> Markup {
    html! {
        dl .facts {
            (parts::fact("Licence", dataset.licence.as_ref().map(licence)))
            @if let Some(licence) = &dataset.licence { (permissions(licence)) }
            (parts::fact("Text and data mining", match dataset.tdm_reservation {
                TdmReservation::Reserved => Some(html! { "reserved: ask first" }),
                TdmReservation::NotReserved => Some(html! { "not reserved" }),
                TdmReservation::NotStated => None,
            }))
            (parts::fact("Policy", dataset.policy.as_ref().map(|found| policy(found, readers))))
            @if let Some(contact) = &dataset.contact {
                dt { "Contact" }
                dd {
                    (contact.name)
                    @if let Some(email) = &contact.email { " · " a href={ "mailto:" (email) } { (email) } }
                    @if let Some(page) = &contact.page { " · " (parts::link(page)) }
                }
            }
        }
    }
}

fn licence(licence: &Licence) -> Markup {
    html! {
        (licence.label())
        @if let (Some(_), Some(iri)) = (&licence.spdx, &licence.iri) { " (" (parts::link(iri)) ")" }
        @if let Some(raw) = &licence.raw { p .hint { "As the source says: " (raw) } }
    }
}

fn permissions(licence: &Licence) -> Markup {
    let permissions = licence.permissions;
    let answer = |answer: Answer| match answer {
        Answer::Yes => Some(html! { "yes" }),
        Answer::No => Some(html! { "no" }),
        Answer::NotStated => None,
    };
    html! {
        (parts::fact("Commercial use", answer(permissions.commercial)))
        (parts::fact("Derived works", answer(permissions.derivatives)))
        (parts::fact("Same licence for derived works", answer(permissions.share_alike)))
        (parts::fact("Must name the source", answer(permissions.attribution)))
        (parts::fact("Training of models", answer(permissions.ai_training)))
    }
}

fn policy(policy: &Policy, readers: &[LanguageTag]) -> Markup {
    html! {
        @for rule in &policy.permissions {
            p { "Permitted: " b { (rule.action) } (constraints(&rule.constraints, readers))
                @for duty in &rule.duties { "; duty: " (parts::words(&duty.action)) } }
        }
        @for rule in &policy.prohibitions {
            p { "Prohibited: " b { (rule.action) } (constraints(&rule.constraints, readers)) }
        }
        @if policy.approval { p { "A steward decides each request." } }
        @if let Some(duration) = &policy.duration { p { "An agreement holds for " (duration) "." } }
    }
}

fn constraints(constraints: &[Constraint], readers: &[LanguageTag]) -> Markup {
    html! {
        @for (place, constraint) in constraints.iter().enumerate() {
            @if place == 0 { " where " } @else { " and " }
            (constraint.left) " " (constraint.operator) " "
            @for (place, value) in constraint.right.iter().enumerate() {
                @if place > 0 { ", " }
                @match value.parse() { Ok(iri) => { (parts::concept(&iri, readers)) } Err(_) => { (value) } }
            }
        }
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
                (parts::facts("Data subjects", &concepts(&gdpr.data_subjects)))
                @if let Some(count) = gdpr.data_subject_count { (parts::fact("People", Some(html! { (parts::number(count)) }))) }
                (parts::facts("Controller", &gdpr.controllers.iter().map(|c| parts::text(&c.name, readers)).collect::<Vec<_>>()))
                (parts::fact("Data protection officer", gdpr.dpo.as_ref().map(|c| html! { (c.name) @if let Some(e) = &c.email { " · " (e) } })))
                (parts::fact("Rights of data subjects", gdpr.rights_contact.as_ref().map(|c| html! { (c.name) @if let Some(e) = &c.email { " · " (e) } })))
                (parts::fact("Kept for", gdpr.retention.as_ref().map(|r| html! { (r) })))
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
                (parts::facts("Processed in", &gdpr.processing_locations.iter().map(|c| html! { (c) }).collect::<Vec<_>>()))
                (parts::facts("Transfers to third countries", &gdpr.transfers.iter().map(|t| html! { (t.country) " (" (parts::concept(&t.tool, readers)) ")" }).collect::<Vec<_>>()))
            }
        }
    }
}

fn training(dataset: &Dataset, readers: &[LanguageTag]) -> Markup {
    let training = &dataset.training;
    let text = |text: &Option<crate::domain::text::Text>| text.as_ref().map(|text| parts::text(text, readers));
    html! {
        dl .facts {
            (parts::facts("Kinds of content", &training.modalities.iter().map(|m| html! { (m.as_str()) }).collect::<Vec<_>>()))
            (parts::facts("Tasks", &training.tasks.iter().map(|t| html! { (parts::words(t)) }).collect::<Vec<_>>()))
            (parts::fact("Records", training.record_count.map(|n| html! { (parts::number(n)) })))
            (parts::facts("Splits", &training.splits.iter().map(|s| html! { (s.name) @if let Some(n) = s.records { " (" (parts::number(n)) ")" } }).collect::<Vec<_>>()))
            (parts::fact("Collected how", text(&training.collection_method)))
            (parts::fact("Prepared how", text(&training.preparation)))
            (parts::fact("Known biases", text(&training.known_biases)))
            (parts::fact("Known gaps", text(&training.gaps)))
            (parts::fact("Meant for", text(&training.intended_use)))
            (parts::fact("Not meant for", text(&training.out_of_scope)))
        }
    }
}

fn content(dataset: &Dataset, readers: &[LanguageTag]) -> Markup {
    html! {
        @if dataset.distributions.is_empty() { p { (parts::not_stated()) } }
        @for distribution in &dataset.distributions {
            p {
                b { @match &distribution.title { Some(title) => { (parts::text(title, readers)) } None => { "Distribution" } } }
                @if let Some(format) = &distribution.format { " · " (format) }
                @if let Some(bytes) = distribution.bytes { " · " (parts::bytes(bytes)) }
                @if let Some(url) = &distribution.download_url { " · " (parts::link(url)) }
                @else if let Some(url) = &distribution.access_url { " · " (parts::link(url)) }
            }
            @if let Some(manifest) = &distribution.manifest {
                p .hint {
                    "Manifest " (manifest.version) ": " (manifest.shards.len()) " shards, " (parts::bytes(manifest.total_bytes()))
                    ", digest " code { (manifest.digest()) }
                }
            }
        }
        @for set in &dataset.record_sets {
            h3 { "Table " (set.name) }
            div .scroll {
                table {
                    thead { tr { th scope="col" { "Column" } th scope="col" { "Type" } th scope="col" { "What it holds" } } }
                    tbody {
                        @for column in &set.columns {
                            tr {
                                td { code { (column.name) } }
                                td { @match &column.data_type { Some(t) => { (t) } None => { (parts::not_stated()) } } }
                                td { @if let Some(text) = &column.description { (parts::text(text, readers)) } }
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
            (parts::facts("Themes", &dataset.themes.iter().map(|t| parts::concept(t, readers)).collect::<Vec<_>>()))
            (parts::facts("Languages", &dataset.languages.iter().map(|l| html! { (l) }).collect::<Vec<_>>()))
            (parts::facts("Period", &dataset.temporal.iter().map(|p| html! {
                @if let Some(start) = p.start { (start) } @else { "…" } " – " @if let Some(end) = p.end { (end) } @else { "…" }
            }).collect::<Vec<_>>()))
            (parts::fact("Issued", dataset.issued.map(|d| html! { (d) })))
            (parts::fact("Modified", dataset.modified.map(|d| html! { (d) })))
            (parts::facts("Pages", &iris(&dataset.landing_pages)))
            (parts::facts("Made from", &iris(&dataset.derived_from)))
            dt { "Owner" } dd { code { (record.owner) } }
            dt { "Revision" } dd { (record.revision) ", log position " (record.seq) ", " (record.revised.strftime("%Y-%m-%d %H:%M UTC").to_string()) }
            @if let Some(source) = &dataset.source { dt { "Read from" } dd { (source.name) " · " (parts::link(&source.iri)) } }
        }
    }
}
