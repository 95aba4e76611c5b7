//! Licence strings of real catalogues, each judged by a person: `tests/licences/reviewed.tsv`, explained beside it.

use super::super::table::rows;
use super::resolve;

const REVIEWED: &str = include_str!("../../../tests/licences/reviewed.tsv");

#[test]
fn what_a_person_can_resolve_is_resolved_and_nothing_wrongly() {
    let (mut distinct, mut resolvable, mut resolved) = (std::collections::HashSet::new(), 0, 0);
    let (mut wrong, mut missed) = (Vec::new(), Vec::new());
    for row in rows(REVIEWED).1 {
        let [expected, _, text] = row[..] else { panic!("{row:?} has not three cells") };
        let text: String = serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        distinct.insert(text.clone());
        let licence = resolve(&text).unwrap();
        let found = licence.matched.as_ref().filter(|matched| matched.rule != "without_version").map(|_| {
            licence.spdx.clone().or(licence.iri.as_ref().map(|iri| iri.as_str().to_owned())).unwrap_or_default()
        });
        resolvable += usize::from(expected != "unresolvable");
        match (expected, found) {
            ("unresolvable", None) => {}
            (expected, Some(found)) if found.trim_end_matches('/') == expected.trim_end_matches('/') => resolved += 1,
            (expected, None) => missed.push(format!("{expected}: {text}")),
            (expected, Some(found)) => wrong.push(format!("{found} in place of {expected}: {text}")),
        }
        assert_eq!(licence.raw.as_deref(), Some(text.trim()), "the source's words stay");
    }
    println!(
        "{} distinct strings, {resolvable} resolvable, {resolved} resolved, {} wrong",
        distinct.len(),
        wrong.len()
    );
    println!("missed: {missed:#?}");
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(distinct.len() >= 400, "{}", distinct.len());
    assert!(resolved * 100 >= resolvable * 95, "{resolved} of {resolvable}: {missed:#?}");
}
