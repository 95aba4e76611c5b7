//! What became of an import: how many of which, the reasons by kind, and what was left out or skipped.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

use super::super::{Failure, Output};
use crate::formats::{Draft, Refused};

/// What became of an import.
#[derive(Debug, Default)]
pub(super) struct Summary {
    /// What the sources are called.
    sources: BTreeSet<String>,
    pub(super) read: u64,
    pub(super) registered: u64,
    pub(super) revised: u64,
    pub(super) unchanged: u64,
    pub(super) refused: u64,
    pub(super) unreadable: u64,
    /// By kind of reason: how many, and the first of them with its place.
    reasons: BTreeMap<String, (u64, String)>,
    /// By kind of note: how many.
    notes: BTreeMap<String, u64>,
    /// Files that were not read, by reason: how many, and the first.
    skipped: BTreeMap<String, (u64, String)>,
}

impl Summary {
    /// Counts what a batch has.
    pub(super) fn take(&mut self, drafts: &[Draft], refused: &[Refused]) {
        for refused in refused {
            self.refuse(&refused.reason, &refused.place);
        }
        for draft in drafts {
            self.name(&draft.source.name);
            draft.notes.iter().for_each(|note| self.note(note));
        }
        self.read += drafts.len() as u64 + refused.len() as u64;
    }

    /// Remembers what a source is called.
    pub(super) fn name(&mut self, source: &str) {
        if !self.sources.contains(source) {
            self.sources.insert(source.to_owned());
        }
    }

    pub(super) fn note(&mut self, note: &str) {
        *self.notes.entry(kind_of(note)).or_default() += 1;
    }

    /// Counts a file that is not read.
    pub(super) fn skip(&mut self, why: &str, file: &str) {
        self.skipped.entry(why.to_owned()).or_insert_with(|| (0, file.to_owned())).0 += 1;
    }

    pub(super) fn refuse(&mut self, reason: &str, place: &str) {
        self.refused += 1;
        self.reasons.entry(kind_of(reason)).or_insert_with(|| (0, format!("{place}: {reason}"))).0 += 1;
    }

    pub(super) fn count_place(&mut self, place: &Refused) {
        self.reasons.entry(kind_of(&place.reason)).or_insert_with(|| (0, place.to_string())).0 += 1;
    }

    pub(super) fn print(&self, output: Output, elapsed: Duration) -> Result<(), Failure> {
        let seconds = elapsed.as_secs_f64();
        let tenths = |number: f64| (number * 10.0).round() / 10.0;
        let mut counts = json!({
            "source": self.sources.iter().map(String::as_str).collect::<Vec<_>>().join(", "),
            "read": self.read,
            "registered": self.registered,
            "revised": self.revised,
            "unchanged": self.unchanged,
            "refused": self.refused,
            "unreadable_places": self.unreadable,
            "skipped_files": self.skipped.values().map(|(count, _)| count).sum::<u64>(),
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
        let skipped: Vec<Value> = self
            .skipped
            .iter()
            .map(|(why, (count, first))| json!({"skipped": why, "count": count, "first": first}))
            .collect();
        if output.json {
            counts["skipped"] = skipped.into();
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
        if !skipped.is_empty() {
            output.text("\n")?;
            output.list(&["count", "skipped", "first"], &skipped)?;
        }
        Ok(())
    }
}

/// A sentence without what is particular to one record: quoted words (a quote within them is escaped) and numbers.
pub(super) fn kind_of(sentence: &str) -> String {
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
