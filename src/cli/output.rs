//! How commands speak: data on standard output, everything else on standard error.
//!
//! With `--json` data are JSON, one value a line. Otherwise they are a table on a terminal and tab-separated lines in a
//! pipe, so that the same command serves a reader and a script.

use std::io::{self, IsTerminal as _, Write as _};

use super::exit::Failure;

/// How to speak, as the command line asked for it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Output {
    /// JSON instead of text.
    pub json: bool,
    /// No remarks, only data and errors.
    pub quiet: bool,
}

impl Output {
    /// A remark for a person, on standard error.
    pub fn remark(self, text: impl std::fmt::Display) {
        if !self.quiet {
            eprintln!("{text}");
        }
    }

    /// Text as it is, such as a certificate in PEM.
    pub fn text(self, text: &str) -> Result<(), Failure> {
        write(text)
    }

    /// Somebody else's text: as it is in a pipe, and on a terminal without the characters that could steer it.
    pub fn foreign(self, text: &str) -> Result<(), Failure> {
        if !io::stdout().is_terminal() {
            return write(text);
        }
        write(&text.chars().filter(|c| matches!(c, '\n' | '\t') || !c.is_control()).collect::<String>())
    }

    /// One thing: a JSON object, or its fields one below the other.
    pub fn thing(self, thing: &serde_json::Value) -> Result<(), Failure> {
        if self.json {
            return write(&format!("{thing}\n"));
        }
        let mut text = String::new();
        let fields = thing.as_object().into_iter().flatten();
        let width = thing.as_object().into_iter().flatten().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, value) in fields {
            text.push_str(&format!("{:width$}  {}\n", name.replace('_', " "), plain(value)));
        }
        write(&text)
    }

    /// Many things of one kind: a JSON object a line, a table, or tab-separated lines with the names first.
    pub fn list(self, columns: &[&str], things: &[serde_json::Value]) -> Result<(), Failure> {
        if self.json {
            return write(&things.iter().map(|thing| format!("{thing}\n")).collect::<String>());
        }
        let cells = |thing: &serde_json::Value| -> Vec<String> {
            columns.iter().map(|column| plain(&thing[*column])).collect()
        };
        if io::stdout().is_terminal() {
            let mut table = comfy_table::Table::new();
            table.load_preset(comfy_table::presets::NOTHING);
            table.set_header(columns.iter().map(|column| column.replace('_', " ")));
            table.add_rows(things.iter().map(cells));
            return write(&format!("{table}\n"));
        }
        let mut text = columns.join("\t") + "\n";
        for thing in things {
            text.push_str(&cells(thing).join("\t"));
            text.push('\n');
        }
        write(&text)
    }
}

/// A value as a person reads it, on one line and without control characters.
fn plain(value: &serde_json::Value) -> String {
    let text = match value {
        serde_json::Value::Null => "-".to_owned(),
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    };
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn write(text: &str) -> Result<(), Failure> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        // Who reads us has seen enough, as `| head` has.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}
