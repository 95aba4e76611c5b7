//! Records to the node, in batches: the node takes one while the next is made.

use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::sync::mpsc;

use super::super::connect;
use super::super::{Exit, Failure, Output};
use super::reading::{self, Parts, Taker};
use super::summary::Summary;
use crate::formats::{Draft, Refused};
use crate::http::imports::{DraftOutcome, ImportAnswer, Line, NDJSON};
use crate::outbound::api::{Api, ApiError};

/// The most drafts of one request.
const BATCH: usize = 200;
/// The most bytes of one request, unless one draft alone has more.
const BATCH_BYTES: usize = 1 << 20;
/// How often a node that is busy is asked again.
const TRIES: u32 = 6;

/// Where drafts are sent to, and in which state what is new there begins.
pub(super) struct Target {
    pub(super) api: Api,
    pub(super) state: String,
}

/// Sends the records in batches while the next are read. Without a node they are read and counted.
pub(super) async fn send(
    parts: Parts,
    node: Option<Target>,
    summary: &mut Summary,
    output: Output,
) -> Result<(), Failure> {
    let bar = bar(output);
    match parts.count() {
        Some(count) => {
            bar.set_length(count);
            bar.set_style(style("{pos} of {len} records {wide_bar} {per_sec} {eta}"));
        }
        None => bar.set_style(style("{pos} records {per_sec}")),
    }
    let (to, mut batches) = mpsc::channel(2);
    let reader = thread::spawn(move || {
        let mut gathering = Gathering { to, batch: Batch::default(), bytes: 0 };
        reading::read(parts, &mut gathering);
        gathering.hand_over();
    });
    while let Some(batch) = batches.recv().await {
        let batch: Batch = batch?;
        for remark in &batch.remarks {
            bar.suspend(|| output.remark(remark));
        }
        summary.take(&batch.drafts, &batch.refused);
        if let Some(node) = node.as_ref().filter(|_| !batch.drafts.is_empty()) {
            deliver(node, &batch.drafts, summary).await?;
        }
        bar.set_position(summary.read);
    }
    bar.finish_and_clear();
    reader.join().map_err(|_| Failure::new(Exit::Error, "reading stopped for a reason that is ours, not the input's"))
}

#[derive(Default)]
struct Batch {
    drafts: Vec<Draft>,
    refused: Vec<Refused>,
    remarks: Vec<String>,
}

/// Gathers batches until the records end or nobody takes them any more.
struct Gathering {
    to: mpsc::Sender<Result<Batch, Failure>>,
    batch: Batch,
    bytes: usize,
}

impl Gathering {
    /// Whether somebody took it.
    fn hand_over(&mut self) -> bool {
        self.bytes = 0;
        self.to.blocking_send(Ok(std::mem::take(&mut self.batch))).is_ok()
    }
}

impl Taker for Gathering {
    fn record(&mut self, record: Result<Draft, Refused>) -> bool {
        match record {
            Ok(draft) => {
                let size = draft.dataset.to_string().len() + draft.text.len();
                let is_full = !self.batch.drafts.is_empty() && self.bytes + size > BATCH_BYTES;
                if (self.batch.drafts.len() == BATCH || is_full) && !self.hand_over() {
                    return false;
                }
                self.bytes += size;
                self.batch.drafts.push(draft);
            }
            Err(refused) => {
                self.batch.refused.push(refused);
                if self.batch.refused.len() > BATCH * 50 {
                    return self.hand_over();
                }
            }
        }
        true
    }

    fn failure(&mut self, failure: Failure) {
        self.hand_over();
        let _ = self.to.blocking_send(Err(failure)); // the other side has gone: it has its own error to tell
    }

    fn remark(&mut self, remark: String) {
        self.batch.remarks.push(remark);
    }
}

/// Sends one batch and counts what became of it. A node that is busy is asked again, a little later each time.
async fn deliver(node: &Target, drafts: &[Draft], summary: &mut Summary) -> Result<(), Failure> {
    let mut body = Vec::new();
    for draft in drafts {
        let line = Line { draft: &draft.dataset, text: &draft.text };
        if let Some(note) = line.left_out() {
            summary.note(&note);
        }
        serde_json::to_writer(&mut body, &line)?;
        body.push(b'\n');
    }
    let mut tries = 0;
    let reply = loop {
        let state = [("state", node.state.as_str())];
        match node.api.post_bytes("/api/v1/imports", &state, NDJSON, body.clone()).await {
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

pub(super) fn bar(output: Output) -> ProgressBar {
    let bar = ProgressBar::new(0);
    // indicatif itself draws nothing where standard error is no terminal.
    bar.set_draw_target(if output.quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() });
    bar
}

pub(super) fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
