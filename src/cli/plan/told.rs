//! A plan as a person reads it: what is new, what changes from what to what, what is withdrawn.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _};

use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use super::{Entry, Plan};
use crate::catalogue::Operation;
use crate::domain::difference::Change;
use crate::http::changes::ChangeOutcome;

/// A text up to this many characters is shown whole, before and after.
const SHORT: usize = 60;
/// The most characters of a value that is shown on a line.
const SHOWN: usize = 200;
/// So many words are shown around words that changed.
const AROUND: usize = 4;

/// Colours, where they are wanted.
#[derive(Debug, Clone, Copy)]
pub struct Paint(bool);

impl Paint {
    /// On a terminal, unless `NO_COLOR` is set to something (no-color.org).
    pub fn of_terminal() -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self(io::stdout().is_terminal() && !unwanted)
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn added(self, text: &str) -> String {
        self.with("32", text)
    }

    fn removed(self, text: &str) -> String {
        self.with("31", text)
    }

    fn changed(self, text: &str) -> String {
        self.with("33", text)
    }
}

/// The whole plan, its counts last.
pub fn plan(plan: &Plan, paint: Paint) -> String {
    let mut text = String::new();
    for entry in &plan.entries {
        entry_text(entry, paint, &mut text);
    }
    let [register, revise, withdraw, unchanged] = plan.counts();
    let _ = match register + revise + withdraw {
        0 => writeln!(text, "nothing to do: {unchanged} unchanged"),
        _ => {
            writeln!(text, "{register} to register, {revise} to revise, {withdraw} to withdraw, {unchanged} unchanged")
        }
    };
    text
}

fn entry_text(entry: &Entry, paint: Paint, text: &mut String) {
    let file = entry.file.as_deref().map(|file| format!("  ({})", shown(file))).unwrap_or_default();
    let _ = match (&entry.outcome, &entry.operation) {
        (ChangeOutcome::Registered(stands), Operation::Register { document }) => {
            let titles = document["title"].as_object();
            let title = titles.and_then(|titles| titles.get("en").or_else(|| titles.values().next()));
            let title = title.and_then(Value::as_str).map(shown).unwrap_or_default();
            writeln!(text, "{} {}  {title}{file}", paint.added("+"), stands.id.local())
        }
        (ChangeOutcome::Revised(stands), _) => {
            let _ = writeln!(text, "{} {}{file}", paint.changed("~"), stands.id.local());
            for change in &stands.difference {
                change_text(change, paint, text);
            }
            Ok(())
        }
        (ChangeOutcome::Withdrawn(stands), Operation::Withdraw { reason, .. }) => {
            writeln!(text, "{} {}  {}", paint.removed("-"), stands.id.local(), shown(reason))
        }
        _ => Ok(()),
    };
}

/// One change below its dataset.
fn change_text(change: &Change, paint: Paint, text: &mut String) {
    let place = shown(&change.pointer);
    let _ = match (&change.before, &change.after) {
        (Some(before), None) => writeln!(text, "    {}", paint.removed(&format!("- {place}: {}", value(before)))),
        (None, Some(after)) => writeln!(text, "    {}", paint.added(&format!("+ {place}: {}", value(after)))),
        (Some(Value::String(before)), Some(Value::String(after))) => {
            texts(&place, before, after, paint, text);
            Ok(())
        }
        (Some(before), Some(after)) => {
            let (before, after) = (paint.removed(&value(before)), paint.added(&value(after)));
            writeln!(text, "    {} {place}: {before} → {after}", paint.changed("~"))
        }
        (None, None) => Ok(()),
    };
}

fn texts(place: &str, before: &str, after: &str, paint: Paint, text: &mut String) {
    let mark = paint.changed("~");
    if before.contains('\n') || after.contains('\n') {
        let _ = writeln!(text, "    {mark} {place}:");
        lines(before, after, paint, text);
    } else if before.chars().count() <= SHORT && after.chars().count() <= SHORT {
        let (before, after) = (paint.removed(&quoted(before)), paint.added(&quoted(after)));
        let _ = writeln!(text, "    {mark} {place}: {before} → {after}");
    } else {
        let _ = writeln!(text, "    {mark} {place}: {}", words(before, after, paint));
    }
}

/// Lines that went and came, each with one that stayed around it.
fn lines(before: &str, after: &str, paint: Paint, text: &mut String) {
    let differing = TextDiff::from_lines(before, after);
    for (at, group) in differing.grouped_ops(1).iter().enumerate() {
        if at > 0 {
            text.push_str("        …\n");
        }
        for change in group.iter().flat_map(|operation| differing.iter_changes(operation)) {
            let line = shown(change.value().trim_end_matches('\n'));
            let _ = match change.tag() {
                ChangeTag::Delete => writeln!(text, "      {}", paint.removed(&format!("- {line}"))),
                ChangeTag::Insert => writeln!(text, "      {}", paint.added(&format!("+ {line}"))),
                ChangeTag::Equal => writeln!(text, "        {line}"),
            };
        }
    }
}

/// A long text with the words that went as `[-…-]` and those that came as `{+…+}`; what stayed far from them is left out.
fn words(before: &str, after: &str, paint: Paint) -> String {
    let differing = TextDiff::from_words(before, after);
    // Words and the spaces between them are pieces alike.
    let groups = differing.grouped_ops(2 * AROUND);
    let mut text = String::new();
    let last = groups.len().saturating_sub(1);
    for (at, group) in groups.iter().enumerate() {
        let starts = group.first().is_some_and(|operation| operation.old_range().start == 0);
        if at > 0 || !starts {
            text.push_str("… ");
        }
        for operation in group {
            let (mut old, mut new) = (String::new(), String::new());
            for change in differing.iter_changes(operation) {
                match change.tag() {
                    ChangeTag::Equal => text.push_str(&clean(change.value())),
                    ChangeTag::Delete => old.push_str(change.value()),
                    ChangeTag::Insert => new.push_str(change.value()),
                }
            }
            if !old.is_empty() {
                text.push_str(&paint.removed(&format!("[-{}-]", shown(&old))));
            }
            if !new.is_empty() {
                text.push_str(&paint.added(&format!("{{+{}+}}", shown(&new))));
            }
        }
        let ends = group.last().is_some_and(|operation| operation.old_range().end == differing.old_len());
        if at == last && !ends {
            text.push_str(" …");
        }
    }
    text
}

fn value(value: &Value) -> String {
    shown(&value.to_string())
}

fn quoted(text: &str) -> String {
    shown(&Value::from(text).to_string())
}

/// A text on one line, of bounded length, without what could steer a terminal.
fn shown(text: &str) -> String {
    let mut line: String = clean(text).chars().take(SHOWN).collect();
    if text.chars().nth(SHOWN).is_some() {
        line.push('…');
    }
    line
}

/// A text on one line without what could steer a terminal.
pub(super) fn clean(text: &str) -> String {
    let steers = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if steers(c) { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::difference::difference;

    fn told(before: Value, after: Value) -> String {
        let mut text = String::new();
        for change in difference(&before, &after) {
            change_text(&change, Paint(false), &mut text);
        }
        text
    }

    #[test]
    fn plain_values_are_told_old_to_new_and_members_as_come_and_gone() {
        let before = json!({ "title": { "en": "Birds" }, "fictitious": true, "keywords": { "en": ["a", "b"] }, "issued": "2024-01-01" });
        let after =
            json!({ "title": { "en": "Bees" }, "fictitious": false, "keywords": { "en": ["b", "c"] }, "version": "2" });
        let expected = [
            "    ~ /title/en: \"Birds\" → \"Bees\"",
            "    ~ /fictitious: true → false",
            "    - /keywords/en/0: \"a\"",
            "    + /keywords/en/1: \"c\"",
            "    - /issued: \"2024-01-01\"",
            "    + /version: \"2\"",
            "",
        ];
        assert_eq!(told(before, after), expected.join("\n"));
    }

    #[test]
    fn a_long_text_is_told_by_its_words_and_one_of_many_lines_by_its_lines() {
        let old = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen";
        let new = old.replace("ten", "TEN");
        let said = told(json!({ "a": old }), json!({ "a": new }));
        assert_eq!(said, "    ~ /a: … six seven eight nine [-ten-]{+TEN+} eleven twelve thirteen fourteen …\n");
        let (old, new) = ("a\nb\nc\nd\n", "a\nb\nX\nd\n");
        let said = told(json!({ "a": old }), json!({ "a": new }));
        assert_eq!(said, "    ~ /a:\n        b\n      - c\n      + X\n        d\n");
    }

    #[test]
    fn colours_are_there_only_where_they_are_wanted_and_nothing_told_steers_a_terminal() {
        let mut text = String::new();
        let change =
            Change { pointer: "/a\u{1b}[2J".into(), before: Some(json!("x\u{1b}]0;\u{202e}")), after: Some(json!(1)) };
        change_text(&change, Paint(false), &mut text);
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()) && !text.contains('\u{202e}'), "{text:?}");
        let mut painted = String::new();
        change_text(&change, Paint(true), &mut painted);
        assert!(painted.contains("\x1b[31m") && painted.contains("\x1b[32m"), "{painted:?}");
    }
}
