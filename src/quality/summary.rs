//! Many reports in one: how the scores are distributed, and what is found most.

use std::collections::BTreeMap;

use serde::Serialize;

use super::finding::Severity;
use super::messages::Language;
use super::report::Report;
use super::score::portal::Rating;

/// The most kinds of findings that are listed.
const MOST: usize = 20;

/// What many reports say together.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    records: usize,
    offerable: usize,
    portal: Vec<u32>,
    ready: Vec<u32>,
    ratings: BTreeMap<Rating, usize>,
    found: BTreeMap<String, Kind>,
}

/// One kind of findings: its severity at its gravest, in how many records, how often, and one to quote.
#[derive(Debug, Clone)]
struct Kind {
    severity: Severity,
    records: usize,
    times: usize,
    example: super::Finding,
}

/// A kind of findings in a language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Frequent {
    /// The kind.
    pub code: String,
    /// Its gravest severity.
    pub severity: Severity,
    /// In how many records.
    pub records: usize,
    /// How often.
    pub times: usize,
    /// What to do.
    pub fix: String,
}

/// A summary in a language, as the API gives it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SaidSummary {
    /// How many records were judged.
    pub records: usize,
    /// How many of them may be offered.
    pub offerable: usize,
    /// How many have each rating of the portal.
    pub ratings: BTreeMap<&'static str, usize>,
    /// The score in the portal's manner, in hundredths of what could be won.
    pub quality: Option<Spread>,
    /// Readiness for training.
    pub readiness: Option<Spread>,
    /// What is found in most records, most first.
    pub findings: Vec<Frequent>,
}

/// How a number is distributed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[allow(missing_docs)] // the names are the documentation
pub struct Spread {
    pub min: u32,
    pub p25: u32,
    pub median: u32,
    pub p75: u32,
    pub max: u32,
}

impl Summary {
    /// Adds the report of one record.
    pub fn add(&mut self, report: &Report) {
        self.records += 1;
        self.offerable += usize::from(report.offerable);
        if let Some(score) = &report.quality {
            self.portal.push(score.points * 100 / score.of.max(1));
            *self.ratings.entry(score.rating).or_default() += 1;
        }
        self.ready.extend(report.readiness.as_ref().map(|readiness| readiness.points));
        let mut codes = std::collections::BTreeSet::new();
        for finding in &report.findings {
            let kind = self.found.entry(finding.code.to_string()).or_insert_with(|| Kind {
                severity: finding.severity,
                records: 0,
                times: 0,
                example: finding.clone(),
            });
            kind.severity = kind.severity.min(finding.severity);
            kind.times += 1;
            kind.records += usize::from(codes.insert(&finding.code));
        }
    }

    /// The summary in a language.
    pub fn said(&self, language: Language) -> SaidSummary {
        let mut findings: Vec<Frequent> = self
            .found
            .iter()
            .map(|(code, kind)| Frequent {
                code: code.clone(),
                severity: kind.severity,
                records: kind.records,
                times: kind.times,
                // Without values: what is quoted would be one record's, and a name in it somebody's.
                fix: super::Finding { values: Vec::new(), ..kind.example.clone() }.said(language).fix,
            })
            .collect();
        findings.sort_by(|a, b| b.records.cmp(&a.records).then_with(|| a.code.cmp(&b.code)));
        findings.truncate(MOST);
        SaidSummary {
            records: self.records,
            offerable: self.offerable,
            ratings: Rating::ALL
                .into_iter()
                .map(|rating| (rating.as_str(), self.ratings.get(&rating).copied().unwrap_or(0)))
                .collect(),
            quality: spread(&self.portal),
            readiness: spread(&self.ready),
            findings,
        }
    }
}

fn spread(values: &[u32]) -> Option<Spread> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let last = sorted.len().checked_sub(1)?;
    let at = |hundredths: usize| sorted[last * hundredths / 100];
    Some(Spread { min: sorted[0], p25: at(25), median: at(50), p75: at(75), max: sorted[last] })
}
