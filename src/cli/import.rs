//! `pleiad dataset import`: reads the records of another catalogue and sends them to the node.
//!
//! Reading and sending overlap: a thread reads and gathers batches, the node takes one while the next is made. What is
//! refused, by the reader or by the node, is counted by reason and does not stop the rest; that is how real catalogues
//! are, so it ends with exit code 0 unless `--strict` is given. A command that was broken off is run again.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::connect::{self, NodeArgs};
use super::{Exit, Failure, Output};
use crate::domain::ids::Country;
use crate::formats::dcat::{self, Input, Options, Progress, ReadError, Records};
use crate::formats::{Draft, Refused};
use crate::http::imports::{DraftOutcome, ImportAnswer, Line, NDJSON};
use crate::outbound::api::{Api, ApiError};

/// The most drafts of one request.
const BATCH: usize = 200;
/// The most bytes of one request, unless one draft alone has more.
const BATCH_BYTES: usize = 1 << 20;
/// How often a node that is busy is asked again.
const TRIES: u32 = 6;

/// `pleiad dataset import …`
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// A file, a folder of files, or - for standard input; .gz and .zst are unpacked.
    input: String,
    /// The format of the records.
    #[arg(long, value_enum, default_value_t = Format::Dcat)]
    format: Format,
    /// What the source is called; records are known again by it. Else the host of the catalogue's address, or the name
    /// of the file.
    #[arg(long)]
    source: Option<String>,
    /// The country of the records (ISO 3166-1 alpha-2). Else the node's, where it speaks for one only.
    #[arg(long)]
    country: Option<Country>,
    /// Read and report; send nothing.
    #[arg(long)]
    dry_run: bool,
    /// End with exit code 1 where anything was refused or could not be read.
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    node: NodeArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// DCAT-AP in Turtle, TriG, N-Triples, N-Quads, RDF/XML or JSON-LD.
    Dcat,
}

/// Runs the command.
pub fn run(args: ImportArgs, output: Output) -> Result<(), Failure> {
    let Format::Dcat = args.format;
    let node = if args.dry_run { None } else { Some(args.node.connect()?) };
    let began = Instant::now();
    let input = match args.input.as_str() {
        "-" => Input::Standard,
        path => Input::Path(PathBuf::from(path)),
    };
    let options = Options { source: args.source, country: args.country, ..Options::default() };
    let records = open(&input, &options, output)?;
    output.remark(format_args!("reading {} records of {}", records.len(), records.source()));
    let mut summary = Summary { source: records.source().to_owned(), ..Summary::default() };
    let (unreadable, count) = records.unreadable();
    summary.unreadable = count;
    for place in unreadable {
        summary.count_place(place);
    }
    if records.is_empty() {
        summary.print(output, began.elapsed())?;
        return Err(Failure::new(Exit::Error, "no dataset was found: nothing in the input is a dcat:Dataset"));
    }
    connect::wait(send(records, node, &mut summary, bar(output)))?;
    summary.print(output, began.elapsed())?;
    if args.strict && summary.refused + summary.unreadable > 0 {
        return Err(Failure::new(Exit::Error, "not everything was taken, and --strict was given"));
    }
    Ok(())
}

/// Reads the files, with a bar that follows the bytes.
fn open(input: &Input, options: &Options, output: Output) -> Result<Records, Failure> {
    let progress = Progress::default();
    let bar = bar(output);
    let done = AtomicBool::new(false);
    let records = thread::scope(|scope| {
        scope.spawn(|| {
            bar.set_style(style("{bytes} of {total_bytes} read {wide_bar} {eta}"));
            while !done.load(Ordering::Relaxed) {
                bar.set_length(progress.total.load(Ordering::Relaxed));
                bar.set_position(progress.read.load(Ordering::Relaxed));
                thread::sleep(Duration::from_millis(100));
            }
            bar.finish_and_clear();
        });
        let records = dcat::open(input, options, &progress);
        done.store(true, Ordering::Relaxed);
        records
    });
    records.map_err(|error| {
        let exit = match error {
            ReadError::UnknownSyntax(_) | ReadError::NoSource => Exit::Usage,
            ReadError::Io { .. } | ReadError::NoFiles(_) | ReadError::Spill(_) => Exit::Error,
        };
        Failure::new(exit, error)
    })
}

/// Sends the records in batches while the next are read. Without a node they are read and counted.
async fn send(records: Records, node: Option<Api>, summary: &mut Summary, bar: ProgressBar) -> Result<(), Failure> {
    bar.set_length(records.len() as u64);
    bar.set_style(style("{pos} of {len} records {wide_bar} {per_sec} {eta}"));
    let (to, mut batches) = mpsc::channel(2);
    let reader = thread::spawn(move || read(records, &to));
    while let Some(batch) = batches.recv().await {
        let batch: Batch = batch?;
        for refused in &batch.refused {
            summary.refuse(&refused.reason, &refused.place);
        }
        for note in batch.drafts.iter().flat_map(|draft| &draft.notes) {
            *summary.notes.entry(kind_of(note)).or_default() += 1;
        }
        summary.read += batch.drafts.len() as u64 + batch.refused.len() as u64;
        if let Some(node) = node.as_ref().filter(|_| !batch.drafts.is_empty()) {
            deliver(node, &batch.drafts, summary).await?;
        }
        bar.set_position(summary.read);
    }
    bar.finish_and_clear();
    reader.join().map_err(|_| Failure::new(Exit::Error, "reading stopped for a reason that is ours, not the input's"))
}

struct Batch {
    drafts: Vec<Draft>,
    refused: Vec<Refused>,
}

/// Gathers batches until the records end or nobody takes them any more.
fn read(records: Records, to: &mpsc::Sender<Result<Batch, ReadError>>) {
    let mut batch = Batch { drafts: Vec::new(), refused: Vec::new() };
    let mut bytes = 0;
    for record in records {
        match record {
            Ok(Ok(draft)) => {
                let size = draft.dataset.to_string().len() + draft.text.len();
                if batch.drafts.len() == BATCH || (!batch.drafts.is_empty() && bytes + size > BATCH_BYTES) {
                    let full = std::mem::replace(&mut batch, Batch { drafts: Vec::new(), refused: Vec::new() });
                    bytes = 0;
                    if to.blocking_send(Ok(full)).is_err() {
                        return;
                    }
                }
                bytes += size;
                batch.drafts.push(draft);
            }
            Ok(Err(refused)) => batch.refused.push(refused),
            Err(error) => {
                let _ = to.blocking_send(Err(error)); // the other side has gone: it has its own error to tell
                return;
            }
        }
    }
    let _ = to.blocking_send(Ok(batch));
}

/// Sends one batch and counts what became of it. A node that is busy is asked again, a little later each time.
async fn deliver(node: &Api, drafts: &[Draft], summary: &mut Summary) -> Result<(), Failure> {
    let mut body = Vec::new();
    for draft in drafts {
        let line = Line { draft: &draft.dataset, text: &draft.text };
        if let Some(note) = line.left_out() {
            *summary.notes.entry(kind_of(&note)).or_default() += 1;
        }
        serde_json::to_writer(&mut body, &line)?;
        body.push(b'\n');
    }
    let mut tries = 0;
    let reply = loop {
        match node.post_bytes("/api/v1/imports", NDJSON, body.clone()).await {
            Ok(reply) => break reply,
            Err(error) if matches!(error.status(), Some(409 | 429 | 503)) && tries < TRIES => {
                tries += 1;
                tokio::time::sleep(Duration::from_millis(250 << tries)).await;
            }
            Err(error @ ApiError::Unreachable { .. }) => {
                let sentence = format!("{error}; what was taken stays, and the same command goes on from there");
                return Err(Failure::new(Exit::Interrupted, sentence));
            }
            Err(error) => return Err(connect::failed(error)),
        }
    };
    let answer: ImportAnswer = serde_json::from_value(reply.body)?;
    if answer.outcomes.len() != drafts.len() {
        return Err(Failure::new(Exit::Error, "the node did not answer for every record: run the same command again"));
    }
    for (draft, outcome) in drafts.iter().zip(answer.outcomes) {
        match outcome {
            DraftOutcome::Registered { .. } => summary.registered += 1,
            DraftOutcome::Revised { .. } => summary.revised += 1,
            DraftOutcome::Unchanged { .. } => summary.unchanged += 1,
            DraftOutcome::Refused { detail, errors } => {
                let reason = match errors.first() {
                    Some(error) => format!("{detail}: {} {}", error.pointer, error.detail),
                    None => detail,
                };
                summary.refuse(&reason, draft.source.iri.as_str());
            }
        }
    }
    Ok(())
}

/// What became of an import.
#[derive(Debug, Default)]
struct Summary {
    source: String,
    read: u64,
    registered: u64,
    revised: u64,
    unchanged: u64,
    refused: u64,
    unreadable: u64,
    /// By kind of reason: how many, and the first of them with its place.
    reasons: BTreeMap<String, (u64, String)>,
    /// By kind of note: how many.
    notes: BTreeMap<String, u64>,
}

impl Summary {
    fn refuse(&mut self, reason: &str, place: &str) {
        self.refused += 1;
        self.reasons.entry(kind_of(reason)).or_insert_with(|| (0, format!("{place}: {reason}"))).0 += 1;
    }

    fn count_place(&mut self, place: &Refused) {
        self.reasons.entry(kind_of(&place.reason)).or_insert_with(|| (0, place.to_string())).0 += 1;
    }

    fn print(&self, output: Output, elapsed: Duration) -> Result<(), Failure> {
        let seconds = elapsed.as_secs_f64();
        let tenths = |number: f64| (number * 10.0).round() / 10.0;
        let mut counts = json!({
            "source": self.source,
            "read": self.read,
            "registered": self.registered,
            "revised": self.revised,
            "unchanged": self.unchanged,
            "refused": self.refused,
            "unreadable_places": self.unreadable,
            "seconds": tenths(seconds),
            "records_per_second": tenths(self.read as f64 / seconds.max(0.001)),
        });
        let reasons: Vec<Value> = self
            .reasons
            .iter()
            .map(|(kind, (count, first))| json!({"reason": kind, "count": count, "first": first}))
            .collect();
        let notes: Vec<Value> =
            self.notes.iter().map(|(kind, count)| json!({"left_out": kind, "count": count})).collect();
        if output.json {
            counts["reasons"] = reasons.into();
            counts["notes"] = notes.into();
            return output.thing(&counts);
        }
        output.thing(&counts)?;
        if !reasons.is_empty() {
            output.text("\n")?;
            output.list(&["count", "reason", "first"], &reasons)?;
        }
        if !notes.is_empty() {
            output.text("\n")?;
            output.list(&["count", "left_out"], &notes)?;
        }
        Ok(())
    }
}

/// A sentence without what is particular to one record: quoted words (a quote within them is escaped) and numbers.
fn kind_of(sentence: &str) -> String {
    let mut kind = String::with_capacity(sentence.len());
    let mut in_number = false;
    let mut rest = sentence.lines().next().unwrap_or_default().chars();
    while let Some(c) = rest.next() {
        if c == '"' {
            while let Some(quoted) = rest.next().filter(|quoted| *quoted != '"') {
                if quoted == '\\' {
                    rest.next();
                }
            }
            kind.push('…');
            in_number = false;
            continue;
        }
        let is_number = c.is_ascii_digit() || (in_number && matches!(c, '-' | '.' | ','));
        if is_number && !in_number {
            kind.push('…');
        }
        if !is_number {
            kind.push(c);
        }
        in_number = is_number;
    }
    kind
}

fn bar(output: Output) -> ProgressBar {
    let bar = ProgressBar::new(0);
    // indicatif itself draws nothing where standard error is no terminal.
    bar.set_draw_target(if output.quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() });
    bar
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_of_one_kind_are_counted_together() {
        let mut summary = Summary::default();
        for (reason, place) in [
            ("its description breaks off at a.ttl line 7", "https://example.org/1"),
            ("its description breaks off at a.ttl line 12", "https://example.org/2"),
            ("it has no title", "https://example.org/3"),
        ] {
            summary.refuse(reason, place);
        }
        assert_eq!((summary.refused, summary.reasons.len()), (3, 2));
        assert_eq!(kind_of("theme: \"a \\\"b\" is not an entry"), kind_of("theme: \"c\" is not an entry"));
        assert_eq!(kind_of("ends on 1900-01-01, before"), "ends on … before");
    }
}
