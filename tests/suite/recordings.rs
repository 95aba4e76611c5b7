//! What earlier versions said to their peers is still understood. Each folder below `recordings/` is one version; files
//! are added when a version is released and never changed.

use std::fs;
use std::path::{Path, PathBuf};

use pleiad::peers::wire::{SearchAnswer, SearchAsk, Status};

fn recordings(name: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/recordings");
    let versions = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
    let found: Vec<PathBuf> = versions.map(|version| version.join(name)).filter(|path| path.exists()).collect();
    assert!(!found.is_empty(), "no recording of {name}");
    found
}

#[test]
fn a_recorded_question_is_understood_whole() {
    for path in recordings("search-ask.json") {
        let ask = SearchAsk::read(&fs::read(&path).unwrap()).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        assert_eq!((ask.hits, ask.question.scored.len(), ask.question.facets.len()), (20, 5, 2), "{path:?}");
        assert!(ask.question.matching.is_some() && ask.statistics.is_some(), "{path:?}");
    }
}

#[test]
fn a_recorded_answer_loses_nothing() {
    for path in recordings("search-answer.json") {
        let read = SearchAnswer::read(&fs::read(&path).unwrap()).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        assert_eq!((read.set_aside, read.replaced, read.answer.answer.hits.len()), (0, 0, 2), "{path:?}");
        assert_eq!(read.answer.answer.statistics.frequencies.len(), 5, "{path:?}");
        assert!(read.answer.answer.hits.iter().all(|hit| !hit.components.is_empty()), "{path:?}");
    }
}

#[test]
fn a_recorded_status_is_read() {
    for path in recordings("status.json") {
        let status = Status::read(&fs::read(&path).unwrap()).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        assert!(!status.peer_files.is_empty() && !status.countries.is_empty(), "{path:?}");
    }
}
