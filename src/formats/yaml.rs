//! YAML as JSON values, bounded: what a stranger wrote may not grow in memory or recurse without end.
//!
//! The parser counts events, depth, aliases and what aliases repeat, and stops at the bounds below, so that a file of a few
//! lines that means a billion values ("billion laughs") is an error and not the end of the process. A fault names its line
//! and column, because a person has to mend it there.

use serde_json::Value;
use serde_saphyr::options::DuplicateKeyPolicy;
use serde_saphyr::{Error, Options};

/// The most bytes of a YAML text: 16 MiB.
pub const MOST_BYTES: usize = 16 << 20;
/// The most levels of lists and objects.
const MOST_DEPTH: usize = 64;
/// The most values, repeated ones counted each time.
const MOST_NODES: usize = 2_000_000;
/// The most values that aliases may repeat.
const MOST_REPEATED: usize = 100_000;

/// A place in a YAML text that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {reason}")]
pub struct Fault {
    /// The line, from 1; 0 where the fault is of the whole text.
    pub line: u64,
    /// The column, from 1.
    pub column: u64,
    /// What is wrong there.
    pub reason: String,
}

/// Reads one document.
pub fn value(text: &str) -> Result<Value, Fault> {
    bounded(text)?;
    serde_saphyr::from_str_with_options(text, options()).map_err(|error| fault(&error))
}

/// Reads every document of a text; they are divided by lines of `---`.
pub fn values(text: &str) -> Result<Vec<Value>, Fault> {
    bounded(text)?;
    serde_saphyr::from_multiple_with_options(text, options()).map_err(|error| fault(&error))
}

fn bounded(text: &str) -> Result<(), Fault> {
    if text.len() <= MOST_BYTES {
        return Ok(());
    }
    let reason = format!("it has {} bytes, and YAML may have {MOST_BYTES}; divide it into several files", text.len());
    Err(Fault { line: 0, column: 0, reason })
}

fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: MOST_DEPTH,
            max_nodes: MOST_NODES,
            max_events: 2 * MOST_NODES,
            max_documents: 100_000,
            max_total_scalar_bytes: MOST_BYTES,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: MOST_REPEATED,
            max_replay_stack_depth: 16,
        },
        duplicate_keys: DuplicateKeyPolicy::Error,
    }
}

fn fault(error: &Error) -> Fault {
    let (line, column) = error.location().map_or((0, 0), |place| (place.line(), place.column()));
    let text = error.without_snippet().to_string();
    let said = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("it is not YAML").trim();
    let reason = said.split(" at line ").next().unwrap_or(said).trim_start_matches("error: ");
    Fault { line, column, reason: super::text::shortened(reason.to_owned(), 300).0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn yaml_becomes_the_json_that_it_means() {
        let text =
            "a: 1\nb: [x, true, null, 2.5]\nc:\n  0: 'O'\n  de: |\n    Zwei\n    Zeilen\nd: 2020-01-01\ne: 'no'\n";
        let expected = json!({
            "a": 1, "b": ["x", true, null, 2.5], "c": {"0": "O", "de": "Zwei\nZeilen\n"}, "d": "2020-01-01", "e": "no",
        });
        assert_eq!(value(text).unwrap(), expected);
        assert_eq!(values("a: 1\n---\nb: 2\n").unwrap(), [json!({"a": 1}), json!({"b": 2})]);
    }

    #[test]
    fn a_fault_names_its_line() {
        for (text, line) in [("a: 1\nb: [1, 2\n", 3), ("a: 1\na: 2\n", 2), ("a: 1\n\tb: 2\n", 2), ("a: *nobody\n", 1)] {
            let fault = value(text).unwrap_err();
            assert!(fault.line >= 1 && fault.line <= line + 1, "{text:?}: {fault}");
            assert!(!fault.reason.is_empty() && !fault.reason.contains('\n'), "{fault}");
        }
    }

    #[test]
    fn what_would_grow_without_bound_is_stopped() {
        let mut laughs = "a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha]\n".to_owned();
        for level in 1..12 {
            let before = format!("*a{}", level - 1);
            laughs.push_str(&format!("a{level}: &a{level} [{}]\n", [before.as_str(); 9].join(", ")));
        }
        assert!(value(&laughs).is_err());
        let wide =
            format!("a: &a {}\n{}", "x".repeat(1 << 20), (0..2_000).map(|n| format!("b{n}: *a\n")).collect::<String>());
        assert!(value(&wide).is_err(), "a long text repeated is 2 GiB");
        for deep in ["[".repeat(100_000), "- ".repeat(100_000), "{a: ".repeat(100_000), "? ".repeat(50_000)] {
            assert!(value(&deep).is_err());
        }
        assert!(value(&"x".repeat(MOST_BYTES + 1)).is_err());
        assert!(value("&a [*a]").is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,60}|[-:?&*!|>'\"{}\\[\\],#% \n\tab0\u{0}\u{2028}\u{feff}]{0,80}") {
            let _ = value(&text);
            let _ = values(&text);
        }
    }
}
