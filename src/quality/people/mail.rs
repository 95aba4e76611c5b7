//! E-mail addresses in a text, plain or with the `@` spelled out to mislead a harvester, and whose mailbox each is.

use super::{Seen, What};
use crate::domain::mailbox;

/// Ends of what looks like a host and is the name of a file or of a package: `logo@2x.png`.
const FILES: &[&str] = &[
    "css", "csv", "gif", "htm", "html", "jpeg", "jpg", "js", "json", "md", "pdf", "png", "svg", "ts", "txt", "webp",
    "xml", "zip",
];
/// How an `@` is spelled by somebody who hides it.
const SPELLED: &[&str] =
    &["(at)", "[at]", "{at}", "<at>", "(@)", "[@]", " (at) ", " [at] ", " {at} ", " <at> ", " (@) "];

pub(super) fn find(text: &str, found: &mut Vec<Seen>) {
    for (at, _) in text.match_indices('@') {
        consider(text, at, at + 1, found);
    }
    for spelled in SPELLED.iter().rev() {
        let mut from = 0;
        while let Some(at) = find_ascii(&text[from..], spelled).map(|at| from + at) {
            consider(text, at, at + spelled.len(), found);
            from = at + spelled.len();
        }
    }
}

/// Where a word without letters beyond ASCII first stands, in any case.
fn find_ascii(text: &str, word: &str) -> Option<usize> {
    text.as_bytes().windows(word.len()).position(|window| window.eq_ignore_ascii_case(word.as_bytes()))
}

/// Adds the address around an `@` that stands between two places, if there is one.
fn consider(text: &str, at: usize, after: usize, found: &mut Vec<Seen>) {
    let (Some(start), Some(end)) = (local(text, at), host(text, after)) else { return };
    let is_known = found.iter().any(|other| other.start < end && start < other.end);
    let begins = text[..start].chars().next_back();
    // `https://user@host` and `git@host:path` are addresses of machines, `@scope/name` and `user@host@` none at all.
    let is_machine = text[..start].ends_with("://") || text[end..].starts_with([':', '@']) && &text[start..at] == "git";
    if is_known || is_machine || begins.is_some_and(|c| c == '@' || c == '/' && !text[..start].ends_with("mailto:/")) {
        return;
    }
    let what =
        if mailbox::is_a_desk(&text[start..at], &text[after..end]) { What::DeskMail } else { What::PersonalMail };
    found.push(Seen { what, start, end });
}

/// Where the local part before an `@` begins.
fn local(text: &str, at: usize) -> Option<usize> {
    let before = &text[..at];
    let part = |c: char| c.is_alphanumeric() || "._%+-'".contains(c);
    let start = before.char_indices().rev().take_while(|(_, c)| part(*c)).last()?.0;
    let word = before[start..].trim_start_matches(['.', '-', '\'', '+', '%', '_']);
    let is_one = !word.is_empty() && word.len() <= 64 && !word.ends_with('.') && !word.contains("..");
    is_one.then(|| at - word.len())
}

/// Where the host after an `@` ends.
fn host(text: &str, after: usize) -> Option<usize> {
    let rest = &text[after..];
    let length = rest.find(|c: char| !(c.is_alphanumeric() || c == '.' || c == '-')).unwrap_or(rest.len());
    let mut host = rest[..length].trim_end_matches(['.', '-']);
    // A sentence may go on right behind its point: `a@b.fi.The`.
    if let Some((front, last)) = host.rsplit_once('.')
        && front.contains('.')
        && last.starts_with(char::is_uppercase)
        && !front.chars().any(char::is_uppercase)
    {
        host = front;
    }
    let (name, top) = host.rsplit_once('.')?;
    let labels = |label: &str| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-');
    let is_host = (2..=24).contains(&top.chars().count())
        && top.chars().all(char::is_alphabetic)
        && name.split('.').all(labels)
        && host.len() <= 253
        && !FILES.contains(&top.to_ascii_lowercase().as_str());
    is_host.then_some(after + host.len())
}
