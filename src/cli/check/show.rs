//! A report for people on a terminal, and as annotations of GitHub Actions.

use std::io::IsTerminal as _;

use crate::quality::messages::word;
use crate::quality::score::Mark;
use crate::quality::{Language, SaidFinding, SaidMetric, SaidReport, Severity};

/// How wide a line of a report is, at most.
const WIDTH: usize = 100;
/// How many of the metrics that win points are listed.
const MOST: usize = 5;

/// The report as text. With `quiet` only what is wrong.
pub(super) fn text(place: &str, title: Option<&str>, report: &SaidReport, language: Language, quiet: bool) -> String {
    let colours = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let mut lines = vec![bold(&line(place, title), colours)];
    if let (Some(quality), Some(readiness), false) = (&report.quality, &report.readiness, quiet) {
        let say = |key: &str| word(language, key).to_owned();
        let rating = say(&format!("rating.{}", quality.rating.as_str()));
        let offer = say(if report.offerable { "word.offerable" } else { "word.not_offerable" });
        lines.push(format!("  {}: {}/{} ({rating})", say("word.quality"), quality.points, quality.of));
        lines.push(format!("  {}: {}/{}", say("word.readiness"), readiness.points, readiness.of));
        lines.push(format!("  {offer}"));
    }
    if report.findings.is_empty() {
        lines.push(format!("  {}", word(language, "word.nothing_found")));
    }
    for finding in &report.findings {
        lines.extend(of_finding(finding, language, colours));
    }
    if !quiet {
        lines.extend(gains(report, language));
    }
    lines.join("\n") + "\n\n"
}

fn line(place: &str, title: Option<&str>) -> String {
    let line = title.map_or_else(|| place.to_owned(), |title| format!("{place}  {title}"));
    clean(&line)
}

fn of_finding(finding: &SaidFinding, language: Language, colours: bool) -> Vec<String> {
    let severity = word(language, severity_key(finding.severity));
    let place = if finding.pointer.is_empty() { word(language, "word.whole_record") } else { &finding.pointer };
    let colour = match finding.severity {
        Severity::Violation => "31",
        Severity::Warning => "33",
        Severity::Advice => "36",
    };
    let head = if colours { format!("\u{1b}[{colour}m{severity}\u{1b}[0m") } else { severity.to_owned() };
    let mut lines = vec![format!("  {head}  {}  [{}]", clean(place), finding.code)];
    lines.extend(wrapped(&finding.detail, "    ", "    "));
    if !finding.fix.is_empty() {
        lines.extend(wrapped(&finding.fix, "    → ", "      "));
    }
    lines
}

fn severity_key(severity: Severity) -> &'static str {
    match severity {
        Severity::Violation => "severity.violation",
        Severity::Warning => "severity.warning",
        Severity::Advice => "severity.advice",
    }
}

/// What wins most points, of either score.
fn gains(report: &SaidReport, language: Language) -> Vec<String> {
    let of_quality =
        report.quality.iter().flat_map(|quality| &quality.dimensions).flat_map(|dimension| &dimension.metrics);
    let of_readiness = report.readiness.iter().flat_map(|readiness| &readiness.metrics);
    let mut lines = Vec::new();
    for (name, metrics) in [
        ("word.quality", of_quality.collect::<Vec<&SaidMetric>>()),
        ("word.readiness", of_readiness.collect::<Vec<&SaidMetric>>()),
    ] {
        let mut missed: Vec<&SaidMetric> = metrics.into_iter().filter(|metric| metric.mark == Mark::Missed).collect();
        missed.sort_by_key(|metric| std::cmp::Reverse(metric.points));
        if !missed.is_empty() {
            lines.push(format!("  {}: {}", word(language, name), word(language, "word.wins")));
        }
        for metric in missed.into_iter().take(MOST) {
            let fix = metric.fix.as_deref().unwrap_or_default();
            lines.extend(wrapped(
                &format!("{}: {fix}", metric.name),
                &format!("    +{:<3}", metric.points),
                "        ",
            ));
        }
    }
    lines
}

/// A sentence on lines of a bounded width.
fn wrapped(sentence: &str, first: &str, next: &str) -> Vec<String> {
    let mut lines = vec![first.to_owned()];
    for part in clean(sentence).split_whitespace() {
        let last = lines.last_mut().expect("there is a first line");
        let is_begun = last.trim_end() != last.as_str() || last.chars().count() <= next.len();
        if !is_begun && last.chars().count() + 1 + part.chars().count() > WIDTH {
            lines.push(format!("{next}{part}"));
        } else {
            if !is_begun {
                last.push(' ');
            }
            last.push_str(part);
        }
    }
    lines
}

/// One annotation a finding, as the log of a GitHub job takes it.
pub(super) fn annotations(place: &str, report: &SaidReport) -> String {
    let file = place.split('#').next().unwrap_or(place);
    let lines = report.findings.iter().map(|finding| {
        let kind = match finding.severity {
            Severity::Violation => "error",
            Severity::Warning => "warning",
            Severity::Advice => "notice",
        };
        let title = format!("{} {}", finding.code, finding.pointer);
        let message = format!("{} {}", finding.detail, finding.fix);
        format!("::{kind} file={},title={}::{}\n", property(file), property(&title), data(message.trim()))
    });
    lines.collect()
}

/// The escapes of workflow commands.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Nothing of a record turns a terminal around or colours it.
fn clean(text: &str) -> String {
    let is_turning = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if c.is_control() || is_turning(c) { ' ' } else { c }).collect()
}

fn bold(text: &str, colours: bool) -> String {
    if colours { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_wrapped_and_nothing_is_lost() {
        let sentence = "word ".repeat(60);
        let lines = wrapped(&sentence, "    → ", "      ");
        assert!(lines.len() > 2 && lines.iter().all(|line| line.chars().count() <= WIDTH), "{lines:#?}");
        let words: usize = lines.iter().map(|line| line.matches("word").count()).sum();
        assert_eq!(words, 60);
    }

    #[test]
    fn an_annotation_cannot_be_broken_out_of() {
        assert_eq!(data("a\n::error::b%"), "a%0A::error::b%25");
        assert_eq!(property("a:b,c"), "a%3Ab%2Cc");
    }
}
