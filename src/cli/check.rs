//! `pleiad dataset check`: judges records without a node, as continuous integration of a steward's own repository does.
//!
//! A file is read as what it is: our JSON or YAML (one record, a list of them, or a record as a node serves it), or any other
//! format that an import reads without a mapping; a folder with everything in it. Each record gives one report; the worst of them decides how the
//! command ends, where `--fail-on` draws the line.

mod read;
mod show;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use jiff::tz::TimeZone;
use serde_json::json;

use super::{Exit, Failure, Output};
use crate::catalogue;
use crate::clock::{Clock as _, SystemClock};
use crate::domain::dataset::Dataset;
use crate::domain::ids::{Country, LanguageTag};
use crate::quality::{self, Beside, Language, Report, SaidReport, Severity};
use crate::schema::Violations;

/// `pleiad dataset check …`
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Files and folders; - reads standard input.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The language of the report: de, en, fi or fr. Else that of LC_ALL, LC_MESSAGES or LANG, where it is one of them.
    #[arg(long)]
    lang: Option<LanguageTag>,
    /// From which severity on the command ends with 1.
    #[arg(long, value_enum, default_value_t = FailOn::Violation)]
    fail_on: FailOn,
    /// End with 1 where a record has fewer hundredths of the points for quality that it could have.
    #[arg(long, value_name = "HUNDREDTHS", value_parser = clap::value_parser!(u32).range(..=100))]
    min_score: Option<u32>,
    /// End with 1 where a record is less ready for training, of 100.
    #[arg(long, value_name = "POINTS", value_parser = clap::value_parser!(u32).range(..=100))]
    min_readiness: Option<u32>,
    /// How to print what was found.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// The country of records that do not say theirs (ISO 3166-1 alpha-2).
    #[arg(long)]
    country: Option<Country>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// A broken rule.
    Violation,
    /// A broken rule or a warning.
    Warning,
    /// Nothing that was found.
    Never,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// Annotations of GitHub Actions.
    Github,
}

/// A record as it was read: where from, what it is called, and the dataset or why it is none.
struct Found {
    place: String,
    record: Result<Dataset, Violations>,
}

/// Runs the command.
pub fn run(args: &CheckArgs, output: Output) -> Result<(), Failure> {
    let language = Language::of(&args.lang.clone().map_or_else(of_environment, |tag| vec![tag]));
    let today = SystemClock.now().to_zoned(TimeZone::UTC).date();
    let mut tally = Tally::default();
    for file in &args.files {
        read::each(file, args.country.as_ref(), output, |found| {
            let (title, report) = match found.record {
                Ok(mut dataset) => {
                    catalogue::complete(&mut dataset);
                    let doubts = catalogue::doubts(&dataset, today);
                    let title = dataset.title.best(&[]).1.to_owned();
                    (Some(title), quality::judge(&dataset, today, Beside { doubts, ..Beside::default() }))
                }
                Err(violations) => (None, quality::refused(&violations)),
            };
            tally.add(args, &report);
            let said = report.said(language);
            print(&found.place, title.as_deref(), &said, args.format, language, output)
        })?;
    }
    tally.outcome(output)
}

fn print(
    place: &str,
    title: Option<&str>,
    report: &SaidReport,
    format: Format,
    language: Language,
    output: Output,
) -> Result<(), Failure> {
    if output.json {
        let mut value = serde_json::to_value(report)?;
        if let Some(fields) = value.as_object_mut() {
            fields.insert("place".to_owned(), json!(place));
            fields.insert("title".to_owned(), json!(title));
        }
        return output.thing(&value);
    }
    match format {
        Format::Github => output.text(&show::annotations(place, report)),
        Format::Text => output.text(&show::text(place, title, report, language, output.quiet)),
    }
}

/// The languages that the environment asks for, as POSIX spells them: `de_AT.UTF-8`.
fn of_environment() -> Vec<LanguageTag> {
    let set =
        ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
    let tag = set.and_then(|value| value.split(['.', '@', '_']).next()?.parse().ok());
    tag.into_iter().collect()
}

/// How many records there were, and which of them lie below a line.
#[derive(Debug, Default)]
struct Tally {
    records: usize,
    failed: usize,
    low: usize,
}

impl Tally {
    fn add(&mut self, args: &CheckArgs, report: &Report) {
        self.records += 1;
        self.failed += usize::from(match (args.fail_on, report.worst()) {
            (FailOn::Never, _) | (_, None) => false,
            (FailOn::Violation, Some(worst)) => worst == Severity::Violation,
            (FailOn::Warning, Some(worst)) => worst <= Severity::Warning,
        });
        let score = report.quality.as_ref().map_or(0, |score| score.points * 100 / score.of.max(1));
        let readiness = report.readiness.as_ref().map_or(0, |readiness| readiness.points);
        let is_low = args.min_score.is_some_and(|least| score < least)
            || args.min_readiness.is_some_and(|least| readiness < least);
        self.low += usize::from(is_low);
    }

    fn outcome(&self, output: Output) -> Result<(), Failure> {
        if self.records == 0 {
            return Err(Failure::new(
                Exit::Error,
                "no record was found: name a file of JSON or RDF, or a folder with some",
            ));
        }
        if self.failed == 0 && self.low == 0 {
            output.remark(format_args!("{} checked", records(self.records)));
            return Ok(());
        }
        let said =
            [(self.failed, "with findings that --fail-on names"), (self.low, "below the score that is asked for")];
        let said: Vec<String> =
            said.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
        Err(Failure::new(Exit::Error, format!("of {}: {}", records(self.records), said.join(", "))))
    }
}

fn records(count: usize) -> String {
    format!("{count} record{}", if count == 1 { "" } else { "s" })
}
