//! The house plan, held by a test that reads the source: who may name whom.
//!
//! A line of code should know its room. Where this test fails, either the line is in the wrong room or the plan is
//! wrong; then the table below changes together with the map in `lib.rs`, on purpose.

use std::fs;
use std::path::{Path, PathBuf};

/// A source file without its comments and without its own tests.
struct Source {
    /// Path below `src`, with `/`.
    path: String,
    lines: Vec<(usize, String)>,
}

impl Source {
    /// The room: the first part of the path, without `.rs`.
    fn room(&self) -> &str {
        self.path.split('/').next().unwrap_or(&self.path).trim_end_matches(".rs")
    }
}

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the source is there") {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            files_below(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    files_below(&root, &mut paths);
    paths.sort();
    paths
        .iter()
        .map(|path| {
            let text = fs::read_to_string(path).expect("a source file is text");
            let lines = text
                .lines()
                .enumerate()
                .take_while(|(_, line)| !line.trim_start().starts_with("#[cfg(test)]"))
                .map(|(number, line)| (number + 1, line.split("//").next().unwrap_or("").to_owned()))
                .filter(|(_, line)| !line.trim().is_empty())
                .collect();
            let path = path.strip_prefix(&root).expect("below src").to_string_lossy().replace('\\', "/");
            Source { path, lines }
        })
        .collect()
}

/// Whether a line names a crate or module as a path: `name::` or `use name;`, not as part of a longer word.
fn names(line: &str, module: &str) -> bool {
    let mut rest = line;
    while let Some(at) = rest.find(module) {
        let before = rest[..at].chars().next_back();
        let after = &rest[at + module.len()..];
        let starts = before.is_none_or(|c| !(c.is_alphanumeric() || c == '_'));
        if starts && (after.starts_with("::") || (after.starts_with(';') && line.contains("use "))) {
            return true;
        }
        rest = &rest[at + module.len()..];
    }
    false
}

fn breaches(rule: impl Fn(&Source) -> Vec<&'static str>) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources() {
        for never in rule(&source) {
            for (number, line) in &source.lines {
                if names(line, never) {
                    found.push(format!("src/{}:{number} names {never}: {}", source.path, line.trim()));
                }
            }
        }
    }
    found
}

const FLOWS: [&str; 10] =
    ["catalogue", "harvest", "quality", "search", "access", "protocol", "delivery", "audit", "announce", "notices"];

fn is_flow(room: &str) -> bool {
    FLOWS.contains(&room) || room == "accounts"
}

fn crate_paths(rooms: &[&'static str]) -> Vec<&'static str> {
    rooms
        .iter()
        .map(|room| -> &'static str {
            match *room {
                "store" => "crate::store",
                "shards" => "crate::shards",
                "index" => "crate::index",
                "peers" => "crate::peers",
                "outbound" => "crate::outbound",
                "http" => "crate::http",
                "cli" => "crate::cli",
                "node" => "crate::node",
                "config" => "crate::config",
                "catalogue" => "crate::catalogue",
                "harvest" => "crate::harvest",
                "search" => "crate::search",
                "access" => "crate::access",
                "delivery" => "crate::delivery",
                "quality" => "crate::quality",
                "audit" => "crate::audit",
                "accounts" => "crate::accounts",
                "formats" => "crate::formats",
                "schema" => "crate::schema",
                "vocabulary" => "crate::vocabulary",
                other => unreachable!("{other} is not in this list"),
            }
        })
        .collect()
}

const ALL_FLOWS: [&str; 8] = ["catalogue", "harvest", "quality", "search", "access", "delivery", "audit", "accounts"];

#[test]
fn the_domain_knows_nobody() {
    let mut never = crate_paths(&[
        "store",
        "shards",
        "index",
        "peers",
        "outbound",
        "http",
        "cli",
        "node",
        "config",
        "formats",
        "schema",
        "vocabulary",
    ]);
    never.extend(crate_paths(&ALL_FLOWS));
    never.extend(["tokio", "actix_web", "tantivy", "rustls", "rusqlite", "reqwest", "std::fs", "crate::clock"]);
    let found = breaches(|source| if source.room() == "domain" { never.clone() } else { vec![] });
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn formats_are_pure_and_the_machines_know_no_flow() {
    let found = breaches(|source| match source.room() {
        "formats" | "schema" | "vocabulary" => {
            let mut never =
                crate_paths(&["store", "shards", "index", "peers", "outbound", "http", "cli", "node", "config"]);
            never.extend(crate_paths(&ALL_FLOWS));
            never
        }
        "store" | "shards" => {
            let mut never = crate_paths(&["index", "peers", "outbound", "http", "cli", "node", "config"]);
            never.extend(crate_paths(&ALL_FLOWS));
            never
        }
        "index" | "peers" | "outbound" => {
            let mut never = crate_paths(&["store", "http", "cli", "node", "config"]);
            never.extend(crate_paths(&ALL_FLOWS));
            never
        }
        _ => vec![],
    });
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn flows_name_no_door_and_not_each_other() {
    let found = breaches(|source| {
        let room = source.room();
        if !is_flow(room) {
            return vec![];
        }
        let mut never = crate_paths(&["http", "cli", "node", "config"]);
        never.extend(ALL_FLOWS.iter().filter(|flow| **flow != room).flat_map(|flow| {
            // Delivery takes `access::Grant`: that is the one door between two flows.
            if room == "delivery" && *flow == "access" { vec![] } else { crate_paths(&[flow]) }
        }));
        never.extend(["actix_web", "rusqlite", "tantivy", "rustls", "reqwest"]);
        never
    });
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn quality_is_pure() {
    let mut never = crate_paths(&["store", "shards", "index", "peers", "outbound", "http", "cli", "node", "config"]);
    never.extend(["crate::clock", "std::fs", "tokio"]);
    let found = breaches(|source| if source.room() == "quality" { never.clone() } else { vec![] });
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn doors_are_thin_and_see_no_machine() {
    let found = breaches(|source| match (source.room(), source.path.as_str()) {
        // The one error table names the errors of every room.
        ("http", "http/problem.rs") => vec!["tantivy", "rusqlite", "reqwest"],
        ("http", _) => {
            vec!["crate::store", "crate::index", "tantivy", "rusqlite", "reqwest", "crate::node", "crate::cli"]
        }
        _ => vec![],
    });
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn each_foreign_machine_lives_in_one_drawer() {
    let found = breaches(|source| {
        let mut never = Vec::new();
        let path = source.path.as_str();
        let room = source.room();
        if room != "index" {
            never.push("tantivy");
        }
        if room != "store" {
            never.push("rusqlite");
        }
        if room != "outbound" {
            never.push("reqwest");
        }
        if !(path.starts_with("peers/tls") || room == "outbound" || path.starts_with("http/listen")) {
            never.push("rustls");
        }
        if room != "http" && room != "node" {
            never.push("actix_web");
        }
        never
    });
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn only_the_command_line_and_tests_name_the_node() {
    let found = breaches(|source| match source.room() {
        "cli" | "node" | "main" => vec![],
        _ => vec!["crate::node"],
    });
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn nothing_is_left_open() {
    let open = ["todo!", "unimplemented!", "dbg!", "FIXME", "TODO", "XXX"];
    let mut found = Vec::new();
    for source in sources() {
        for (number, line) in &source.lines {
            if open.iter().any(|word| line.contains(word)) {
                found.push(format!("src/{}:{number}: {}", source.path, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn every_module_opens_with_a_paragraph_for_a_newcomer() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    files_below(&root, &mut paths);
    let silent: Vec<_> = paths
        .into_iter()
        .filter(|path| !fs::read_to_string(path).expect("a source file is text").starts_with("//!"))
        .collect();
    assert!(silent.is_empty(), "{silent:#?}");
}
