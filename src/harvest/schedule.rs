//! When a source is due, and from where its next run goes on. Pure.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::domain::harvest::{HarvestCursor, HarvestRun, HarvestState};
use crate::domain::ids::Digest;

use super::is;

/// How often everything is read again, however well reading what changed goes: a source that forgets to tell a change or
/// a deletion is found out then.
const WHOLE_EVERY: SignedDuration = SignedDuration::from_hours(7 * 24);

/// When a source is due again that was last begun at a moment. A part of up to a tenth of the interval is added, another for
/// each source and run, so that many sources with one interval do not all run at once.
pub(super) fn next(name: &str, every: Duration, begun: Timestamp) -> Timestamp {
    let digest = Digest::of(format!("{name}\n{begun}").as_bytes());
    let part = f64::from(digest.0[0]) / 256.0;
    let wait = every + every.mul_f64(part / 10.0);
    begun.checked_add(SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX)).unwrap_or(Timestamp::MAX)
}

/// From where the next run goes on, given the runs before it, newest first; nothing where everything is to be read, as
/// after a run that left something out.
pub(super) fn goes_on(runs: &[HarvestRun], now: Timestamp) -> Option<HarvestCursor> {
    let last = runs.iter().find(|run| is(run, &[HarvestState::Done, HarvestState::Partial]))?;
    if !is(last, &[HarvestState::Done]) {
        return None;
    }
    let is_whole = |run: &&HarvestRun| run.end.as_ref().is_some_and(|end| end.whole);
    let whole = runs.iter().filter(|run| is(run, &[HarvestState::Done])).find(is_whole)?;
    if now.duration_since(whole.begun) >= WHOLE_EVERY {
        return None;
    }
    last.end.as_ref()?.cursor.clone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::harvest::{HarvestCounts, HarvestEnd};

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn run(begun: &str, state: HarvestState, whole: bool, since: Option<&str>) -> HarvestRun {
        let cursor = since.map(|since| HarvestCursor { since: Some(since.to_owned()), ..HarvestCursor::default() });
        let counts = HarvestCounts::default();
        let end = HarvestEnd { state, whole, counts, reason: None, refusals: Vec::new(), cursor };
        HarvestRun {
            id: "0123456789abcdef".parse().unwrap(),
            source: "x".to_owned(),
            owner: "spiffe://fi.pleiad.example/participant/csc".parse().unwrap(),
            begun: at(begun),
            by: "node".to_owned(),
            ended: Some(at(begun)),
            end: Some(end),
        }
    }

    #[test]
    fn a_source_is_due_after_its_interval_and_at_most_a_tenth_later() {
        let begun = at("2026-05-01T00:00:00Z");
        let mut seen = std::collections::BTreeSet::new();
        for name in 0..50 {
            let next = next(&name.to_string(), DAY, begun);
            let wait = next.duration_since(begun);
            assert!(wait >= SignedDuration::from_hours(24) && wait <= SignedDuration::from_mins(24 * 66), "{wait}");
            seen.insert(next);
        }
        assert!(seen.len() > 30, "they are spread: {}", seen.len());
        assert_eq!(next("x", Duration::MAX / 4, begun), Timestamp::MAX);
    }

    #[test]
    fn a_run_goes_on_from_the_last_that_read_to_the_end_and_everything_is_read_once_a_week() {
        use HarvestState::{Done, Failed, Partial};
        let whole = run("2026-05-01T00:00:00Z", Done, true, Some("a"));
        let changes = run("2026-05-02T00:00:00Z", Done, false, Some("b"));
        let failed = run("2026-05-03T00:00:00Z", Failed, false, None);
        let since = |runs: &[HarvestRun], now: &str| goes_on(runs, at(now)).and_then(|cursor| cursor.since);
        let runs = [failed.clone(), changes.clone(), whole.clone()];
        assert_eq!(since(&runs, "2026-05-04T00:00:00Z").as_deref(), Some("b"));
        assert_eq!(since(&runs, "2026-05-08T00:00:00Z"), None);
        let partial = run("2026-05-02T12:00:00Z", Partial, true, None);
        assert_eq!(since(&[failed.clone(), partial, changes, whole], "2026-05-04T00:00:00Z"), None, "look again");
        assert_eq!(since(&[failed], "2026-05-04T00:00:00Z"), None);
        assert_eq!(since(&[], "2026-05-04T00:00:00Z"), None);
    }
}
