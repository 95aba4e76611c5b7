//! People inside free text: e-mail addresses, telephone and bank numbers, national numbers, names.
//!
//! The metadata of a dataset is copied to every member of the federation, so a person who is named in a description is
//! named everywhere. This points out where, for a steward to judge; nothing is changed and nobody is refused. It is made
//! of plain rules, without learned parts, and prefers to overlook somebody to crying wolf: a number counts only where its
//! check digits agree, a name only where its neighbours say that it is one. How often it is right was measured;
//! `docs/quality.md` has the figures.
//!
//! [`texts`] walks the record, [`mail`] and [`numbers`] and [`names`] each scan one text.

mod mail;
mod names;
mod numbers;
mod texts;

use serde_json::Value;

use super::finding::{Finding, Rule, Severity, Span};

/// The most findings about people in one record; a list of a thousand authors is one message, not a thousand.
const MOST: usize = 50;

/// Something in a text that is about a person: what, and where in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    what: What,
    start: usize,
    end: usize,
}

/// What kind of thing it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    PersonalMail,
    DeskMail,
    Phone,
    BankAccount,
    NationalNumber,
    Orcid,
    Name,
    Authors,
}

impl What {
    fn finding(self) -> (&'static str, Severity) {
        match self {
            Self::PersonalMail => ("person_mail_in_text", Severity::Warning),
            Self::DeskMail => ("desk_mail_in_text", Severity::Advice),
            Self::Phone => ("phone_in_text", Severity::Warning),
            Self::BankAccount => ("bank_account_in_text", Severity::Warning),
            Self::NationalNumber => ("national_number_in_text", Severity::Violation),
            Self::Orcid => ("orcid_in_text", Severity::Advice),
            Self::Name => ("name_in_text", Severity::Warning),
            Self::Authors => ("authors_in_text", Severity::Advice),
        }
    }
}

/// Everybody in the texts of a record, in the order of the record.
pub(super) fn find(record: &Value) -> Vec<Finding> {
    let mut found = Vec::new();
    for (pointer, text) in texts::of(record) {
        for seen in scan(text) {
            let (code, severity) = seen.what.finding();
            let start = text[..seen.start].chars().count();
            let span = Span { start, end: start + text[seen.start..seen.end].chars().count() };
            let value = super::gathered::shown(&text[seen.start..seen.end]);
            found.push(
                Finding::new(severity, Rule::Law, code, pointer.clone())
                    .at(span)
                    .with("found", value)
                    .with("start", span.start + 1),
            );
            if found.len() == MOST {
                return found;
            }
        }
    }
    found
}

/// Everybody in one text, in its order; where two overlap, the surer one.
fn scan(text: &str) -> Vec<Seen> {
    let mut all = Vec::new();
    mail::find(text, &mut all);
    let mails = all.len();
    numbers::find(text, &mut all);
    names::find(text, mails, &mut all);
    all.sort_by_key(|seen| (seen.what, seen.start));
    let mut kept: Vec<Seen> = Vec::new();
    for seen in all {
        if !kept.iter().any(|other| other.start < seen.end && seen.start < other.end) {
            kept.push(seen);
        }
    }
    kept.sort_by_key(|seen| seen.start);
    kept
}

#[cfg(test)]
mod tests;
