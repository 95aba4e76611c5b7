//! The tables of each noun, derived from the log in the transaction of the append, and derivable again at any time.
//!
//! A projection looks at the event and at its own tables, never at the clock or at anything outside: replaying the log
//! gives the same rows. Change a table or what goes into it and raise [`VERSION`]: the next start derives all again.

use crate::domain::event::Event;
use crate::domain::ids::Seq;

use super::engine::{Expectation, Tables};
use super::error::{AppendError, StoreError};
use super::{agreements, datasets, grants, harvests, leases, log, receipts, releases, requests, tokens, trust};

/// The version of the derived tables; a database with another one is derived again when it is opened.
pub(super) const VERSION: u64 = 2;

/// The tables of one noun.
pub(super) struct Projection {
    /// Makes the tables.
    pub(super) schema: &'static str,
    /// Their names, in the order in which they can be emptied, each with the columns that put its rows in order.
    pub(super) tables: &'static [(&'static str, &'static str)],
    /// Takes in one event.
    pub(super) apply: fn(&dyn Tables, Seq, &Event) -> Result<(), AppendError>,
}

/// All of them.
pub(super) const ALL: [Projection; 9] = [
    datasets::PROJECTION,
    requests::PROJECTION,
    agreements::PROJECTION,
    grants::PROJECTION,
    releases::PROJECTION,
    receipts::PROJECTION,
    tokens::PROJECTION,
    trust::PROJECTION,
    harvests::PROJECTION,
];

/// Takes one event into every table.
pub(super) fn apply(tables: &dyn Tables, seq: Seq, event: &Event) -> Result<(), AppendError> {
    ALL.iter().try_for_each(|projection| (projection.apply)(tables, seq, event))
}

/// Whether an expectation holds.
pub(super) fn check(tables: &dyn Tables, expectation: &Expectation) -> Result<(), AppendError> {
    use Expectation as E;
    let holds = match expectation {
        E::DatasetAbsent(id) => datasets::current_line(tables, id)?.is_none(),
        E::DatasetAt(id, revision) => {
            datasets::current_line(tables, id)?.is_some_and(|line| line.revision == *revision)
        }
        E::DatasetInForce(id) => datasets::current_line(tables, id)?.is_some_and(|line| !line.withdrawn),
        E::SourceAbsent(name, iri) => datasets::id_by_source(tables, name, iri)?.is_none(),
        E::RequestAbsent(id) => requests::state(tables, id)?.is_none(),
        E::RequestState(id, name) => requests::state(tables, id)?.is_some_and(|(state, _)| state == *name),
        E::RequestOpen(id) => requests::state(tables, id)?.is_some_and(|(_, is_final)| !is_final),
        E::AgreementAbsent(id) => !agreements::exists(tables, id)?,
        E::AgreementInForce(id) => agreements::is_in_force(tables, id)?,
        E::GrantAbsent(id) => !grants::exists(tables, id)?,
        E::GrantPresent(id) => grants::exists(tables, id)?,
        E::ReleaseAbsent(id) => releases::is_open(tables, id)?.is_none(),
        E::ReleaseOpen(id) => releases::is_open(tables, id)? == Some(true),
        E::ReceiptAbsent(id) => !receipts::exists(tables, id)?,
        E::TokenAbsent(id) => !tokens::exists(tables, id)?,
        E::TokenInForce(id) => tokens::is_in_force(tables, id)?,
        E::PeerFileNewer(domain, number) => trust::last_number(tables, domain)?.is_none_or(|last| last < *number),
        E::HarvestIdle(source) => harvests::is_idle(tables, source)?,
        E::HarvestOpen(run) => harvests::is_open(tables, run)?,
        E::LeaseHeld(name, token) => leases::token(tables, name)? == Some(*token),
    };
    if holds { Ok(()) } else { Err(AppendError::Conflict(expectation.clone())) }
}

/// Makes the tables empty, whatever version of them is there, and fills them from the log.
pub(super) fn rebuild(tables: &dyn Tables) -> Result<(), StoreError> {
    for projection in &ALL {
        for (table, _) in projection.tables {
            tables.execute(&format!("DROP TABLE IF EXISTS {table}"), &[])?;
        }
    }
    create(tables)?;
    replay(tables, tables)?;
    tables.execute(
        "INSERT INTO meta (name, value) VALUES ('projections', ?1)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        &[VERSION.to_string().as_str().into()],
    )?;
    Ok(())
}

/// Makes the tables.
pub(super) fn create(tables: &dyn Tables) -> Result<(), StoreError> {
    for statement in ALL.iter().flat_map(|projection| projection.schema.split(";\n")) {
        if !statement.trim().is_empty() {
            tables.execute(statement.trim().trim_end_matches(';'), &[])?;
        }
    }
    Ok(())
}

/// Takes the whole log of `from` into the tables of `into`.
pub(super) fn replay(from: &dyn Tables, into: &dyn Tables) -> Result<(), StoreError> {
    const PAGE: usize = 500;
    let mut after = Seq(0);
    loop {
        let entries = log::read_from(from, after, PAGE)?;
        let Some(last) = entries.last() else { return Ok(()) };
        after = last.seq;
        for entry in &entries {
            apply(into, entry.seq, &entry.event).map_err(|error| match error {
                AppendError::Store(error) => error,
                other => super::engine::damaged(entry.seq, format!("it contradicts the entries before it: {other}")),
            })?;
        }
    }
}
