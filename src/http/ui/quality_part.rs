//! How well a dataset is described, on its page: both scores for everybody, with what wins points; for its steward also
//! everything that was found, with what to do. The sentences come in the reader's language as far as the report has it.

use maud::{Markup, html};

use super::parts;
use crate::quality::messages::word;
use crate::quality::score::Mark;
use crate::quality::{Language, SaidFinding, SaidMetric, SaidReport, Severity};

/// What the part needs.
pub struct View<'a> {
    /// The report, in the reader's language.
    pub report: &'a SaidReport,
    /// That language.
    pub language: Language,
    /// Whether the reader acts for the owner: only then are the findings shown.
    pub is_steward: bool,
}

/// The part.
pub fn body(view: &View) -> Markup {
    let View { report, language, is_steward } = view;
    html! {
        div lang=(language.tag()) {
            @if let Some(quality) = &report.quality {
                h3 { (word(*language, "word.quality")) ": " (quality.points) "/" (quality.of) " – " (word(*language, rating(quality.rating.as_str()))) }
                ul .badges {
                    @for dimension in &quality.dimensions {
                        (parts::badge(tone(dimension.points, dimension.of), format!("{} {}/{}", dimension.name, dimension.points, dimension.of)))
                    }
                }
                (metrics(&quality.dimensions.iter().flat_map(|dimension| &dimension.metrics).collect::<Vec<_>>(), *language))
            }
            @if let Some(readiness) = &report.readiness {
                h3 { (word(*language, "word.readiness")) ": " (readiness.points) "/" (readiness.of) }
                (metrics(&readiness.metrics.iter().collect::<Vec<_>>(), *language))
            }
            @if *is_steward { (findings(&report.findings, *language)) }
        }
    }
}

fn rating(code: &str) -> &'static str {
    match code {
        "excellent" => "rating.excellent",
        "good" => "rating.good",
        "sufficient" => "rating.sufficient",
        _ => "rating.bad",
    }
}

/// Good from nine tenths on, bad below a half.
fn tone(points: u32, of: u32) -> &'static str {
    match u64::from(points) * 100 / u64::from(of.max(1)) {
        90.. => "good",
        50..=89 => "",
        _ => "warn",
    }
}

/// What was missed, most points first, and what nobody looked at.
fn metrics(all: &[&SaidMetric], language: Language) -> Markup {
    let mut open: Vec<&&SaidMetric> = all.iter().filter(|metric| metric.mark != Mark::Met).collect();
    open.sort_by_key(|metric| (metric.mark == Mark::NotChecked, std::cmp::Reverse(metric.points)));
    html! {
        @if !open.is_empty() {
            details {
                summary { (word(language, "word.to_do")) ": " (open.len()) }
                ul .plain {
                    @for metric in open {
                        li {
                            @if metric.mark == Mark::NotChecked { span .unstated { (word(language, "word.not_checked")) } " " }
                            @else { b { "+" (metric.points) } " " }
                            (metric.name)
                            @if let (Some(fix), Mark::Missed) = (&metric.fix, metric.mark) { ": " (parts::plain(fix)) }
                        }
                    }
                }
            }
        }
    }
}

fn findings(all: &[SaidFinding], language: Language) -> Markup {
    html! {
        @if all.is_empty() { p { (word(language, "word.nothing_found")) } }
        @else {
            details open[all.iter().any(|finding| finding.severity == Severity::Violation)] {
                summary { (word(language, "word.to_do")) ": " (all.len()) }
                ul .findings {
                    @for finding in all {
                        li {
                            ul .badges { (badge(finding.severity, language)) }
                            p {
                                @if finding.pointer.is_empty() { (word(language, "word.whole_record")) } @else { code { (finding.pointer) } }
                                " " (parts::plain(&finding.detail))
                            }
                            @if !finding.fix.is_empty() { p .hint { "→ " (parts::plain(&finding.fix)) } }
                        }
                    }
                }
            }
        }
    }
}

fn badge(severity: Severity, language: Language) -> Markup {
    match severity {
        Severity::Violation => parts::badge("bad", word(language, "severity.violation")),
        Severity::Warning => parts::badge("warn", word(language, "severity.warning")),
        Severity::Advice => parts::badge("", word(language, "severity.advice")),
    }
}
