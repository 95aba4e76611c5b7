//! The datasets and their revisions, as the log tells them.
//!
//! A revision is a line that names where in the log its description stands; nothing that was said is copied, but the few
//! values that lists are filtered by.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::domain::dataset::{Registered, Visibility, Withdrawn};
use crate::domain::event::{Actor, Event, What};
use crate::domain::ids::{Country, DatasetId, Identity, Iri, Revision, Seq};
use crate::domain::lifecycle::State;

use super::Store;
use super::engine::{Expectation, Row, Tables, Value, damaged, text};
use super::error::{AppendError, StoreError};
use super::log;
use super::projections::Projection;

pub(super) const PROJECTION: Projection = Projection {
    schema: "
CREATE TABLE dataset (
  id TEXT PRIMARY KEY,
  revision INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  described INTEGER NOT NULL,
  withdrawn INTEGER NOT NULL,
  owner TEXT NOT NULL,
  country TEXT NOT NULL,
  private INTEGER NOT NULL,
  state TEXT NOT NULL,
  source_name TEXT,
  source_iri TEXT
) STRICT;
CREATE UNIQUE INDEX dataset_by_source ON dataset (source_name, source_iri) WHERE source_name IS NOT NULL;
CREATE INDEX dataset_by_owner ON dataset (owner, id);
CREATE TABLE dataset_revision (
  id TEXT NOT NULL,
  revision INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  described INTEGER NOT NULL,
  state TEXT NOT NULL,
  private INTEGER NOT NULL,
  reason TEXT,
  PRIMARY KEY (id, revision)
) STRICT;
CREATE TABLE dataset_listed (
  id TEXT NOT NULL,
  participant TEXT NOT NULL,
  PRIMARY KEY (id, participant)
) STRICT;
CREATE TABLE dataset_identifier (
  iri TEXT NOT NULL,
  id TEXT NOT NULL,
  PRIMARY KEY (iri, id)
) STRICT;
CREATE INDEX dataset_identifier_by_id ON dataset_identifier (id);
",
    tables: &[
        ("dataset_identifier", "iri, id"),
        ("dataset_listed", "id, participant"),
        ("dataset_revision", "id, revision"),
        ("dataset", "id"),
    ],
    apply,
};

fn apply(tables: &dyn Tables, seq: Seq, event: &Event) -> Result<(), AppendError> {
    match &event.what {
        What::DatasetRegistered { record } => {
            let id = &record.dataset.id;
            if current_line(tables, id)?.is_some() {
                return Err(AppendError::Conflict(Expectation::DatasetAbsent(id.clone())));
            }
            put_revision(tables, seq, record)?;
            put_current(tables, seq, record)
        }
        What::DatasetRevised { record } => {
            let id = &record.dataset.id;
            expect_next(tables, id, record.revision)?;
            put_revision(tables, seq, record)?;
            put_current(tables, seq, record)
        }
        What::DatasetWithdrawn { id, revision, withdrawn } => {
            let before = expect_next(tables, id, *revision)?;
            tables.execute(
                "INSERT INTO dataset_revision (id, revision, seq, described, state, private, reason)
                 SELECT id, ?2, ?3, ?4, state, private, ?5 FROM dataset WHERE id = ?1",
                &[text(id), (*revision).into(), seq.into(), before.described.into(), withdrawn.reason.as_str().into()],
            )?;
            tables.execute(
                "UPDATE dataset SET revision = ?2, seq = ?3, withdrawn = 1 WHERE id = ?1",
                &[text(id), (*revision).into(), seq.into()],
            )?;
            Ok(())
        }
        _ => Ok(()),
    }
}

/// The line before a change, which must be in force and one revision behind.
fn expect_next(tables: &dyn Tables, id: &DatasetId, revision: Revision) -> Result<Line, AppendError> {
    let line = current_line(tables, id)?
        .filter(|line| !line.withdrawn)
        .ok_or_else(|| AppendError::Conflict(Expectation::DatasetInForce(id.clone())))?;
    if line.revision.next() != revision {
        let expected = Revision(revision.0.saturating_sub(1));
        return Err(AppendError::Conflict(Expectation::DatasetAt(id.clone(), expected)));
    }
    Ok(line)
}

fn put_revision(tables: &dyn Tables, seq: Seq, record: &Registered) -> Result<(), StoreError> {
    tables.execute(
        "INSERT INTO dataset_revision (id, revision, seq, described, state, private, reason)
         VALUES (?1, ?2, ?3, ?3, ?4, ?5, ?6)",
        &[
            text(&record.dataset.id),
            record.revision.into(),
            seq.into(),
            record.state.as_str().into(),
            private(&record.dataset.visibility),
            record.reason.as_deref().into(),
        ],
    )?;
    Ok(())
}

fn private(class: &Visibility) -> Value {
    Value::Integer((*class == Visibility::Private).into())
}

fn put_current(tables: &dyn Tables, seq: Seq, record: &Registered) -> Result<(), AppendError> {
    let dataset = &record.dataset;
    let id = text(&dataset.id);
    if let Some(source) = &dataset.source
        && id_by_source(tables, &source.name, &source.iri)?.is_some_and(|other| other != dataset.id)
    {
        let expectation = Expectation::SourceAbsent(source.name.clone(), source.iri.clone());
        return Err(AppendError::Conflict(expectation));
    }
    tables.execute(
        "INSERT INTO dataset
           (id, revision, seq, described, withdrawn, owner, country, private, source_name, source_iri, state)
         VALUES (?1, ?2, ?3, ?3, 0, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, seq = excluded.seq,
           described = excluded.described, owner = excluded.owner, country = excluded.country,
           private = excluded.private, source_name = excluded.source_name, source_iri = excluded.source_iri,
           state = excluded.state",
        &[
            id.clone(),
            record.revision.into(),
            seq.into(),
            text(&record.owner),
            text(&dataset.country),
            private(&dataset.visibility),
            dataset.source.as_ref().map(|source| source.name.as_str()).into(),
            dataset.source.as_ref().map(|source| source.iri.as_str()).into(),
            record.state.as_str().into(),
        ],
    )?;
    let mut side = vec![
        ("dataset_listed", "participant", dataset.listed.iter().map(ToString::to_string).collect::<Vec<_>>()),
        ("dataset_identifier", "iri", dataset.identifiers.iter().map(ToString::to_string).collect()),
    ];
    for (table, column, values) in &mut side {
        values.sort_unstable();
        values.dedup();
        tables.execute(&format!("DELETE FROM {table} WHERE id = ?1"), std::slice::from_ref(&id))?;
        for value in values {
            tables.execute(
                &format!("INSERT INTO {table} (id, {column}) VALUES (?1, ?2)"),
                &[id.clone(), value.as_str().into()],
            )?;
        }
    }
    Ok(())
}

/// Where a dataset stands.
pub(super) struct Line {
    pub(super) revision: Revision,
    pub(super) described: Seq,
    pub(super) withdrawn: bool,
}

pub(super) fn current_line(tables: &dyn Tables, id: &DatasetId) -> Result<Option<Line>, StoreError> {
    let row = tables.one("SELECT revision, described, withdrawn FROM dataset WHERE id = ?1", &[text(id)])?;
    row.map(|row| Ok(Line { revision: revision(&row, 0)?, described: row.seq(1)?, withdrawn: row.number(2)? != 0 }))
        .transpose()
}

pub(super) fn id_by_source(tables: &dyn Tables, name: &str, iri: &Iri) -> Result<Option<DatasetId>, StoreError> {
    let row =
        tables.one("SELECT id FROM dataset WHERE source_name = ?1 AND source_iri = ?2", &[name.into(), text(iri)])?;
    row.map(|row| row.parse(0)).transpose()
}

fn revision(row: &Row, column: usize) -> Result<Revision, StoreError> {
    let number = row.number(column)?;
    u32::try_from(number).map(Revision).map_err(|_| damaged(Seq(0), format!("{number} is no revision")))
}

fn state(row: &Row, column: usize) -> Result<State, StoreError> {
    let name = row.text(column)?;
    let known = State::ALL.into_iter().find(|state| state.as_str() == name);
    known.ok_or_else(|| damaged(Seq(0), format!("{name} is no state of a record")))
}

/// Which datasets a list shows. Every part that is given must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DatasetFilter {
    /// Of this participant.
    pub owner: Option<Identity>,
    /// Of this country.
    pub country: Option<Country>,
    /// Of this visibility class.
    pub visibility: Option<Visibility>,
    /// Which this participant may discover: all that are published for the federation, the private ones that list it,
    /// and its own, drafts among them. Where nobody is named, published ones of both classes.
    pub discoverable_by: Option<Identity>,
    /// In this state of their life, as far as they may be discovered; whatever else is asked for, `withdrawn` alone shows
    /// withdrawn ones then.
    pub state: Option<State>,
    /// Imported from this source.
    pub source: Option<String>,
    /// With this persistent identifier.
    pub identifier: Option<Iri>,
    /// Withdrawn ones too; they are left out otherwise.
    pub withdrawn: bool,
}

/// A line in the history of a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevisionLine {
    /// The number of the revision.
    pub revision: Revision,
    /// Its position in the log.
    pub seq: Seq,
    /// When it was made.
    pub at: Timestamp,
    /// By whom.
    pub actor: Actor,
    /// Whether it withdrew the dataset.
    pub withdrew: bool,
    /// How far the record had come; where it was withdrawn, from which state.
    pub state: State,
    /// Whether it was private.
    pub private: bool,
    /// Why, where that was said.
    pub reason: Option<String>,
}

/// What a record is put together from: the number and position of the revision, the entry that describes it, and its own
/// entry, which is another one for a withdrawal.
const RECORD_COLUMNS: &str = "d.id, d.revision, d.seq, d.described, p.json, w.json, l.ts";
const RECORD_JOINS: &str = "LEFT JOIN payload p ON p.seq = d.described
     LEFT JOIN payload w ON w.seq = d.seq AND d.seq <> d.described
     LEFT JOIN log l ON l.seq = d.seq";

fn record(row: &Row) -> Result<Registered, StoreError> {
    let (seq, described) = (row.seq(2)?, row.seq(3)?);
    let json = row.optional_text(4)?.ok_or_else(|| damaged(described, "its content is missing"))?;
    let mut record = log::record(described, json)?;
    if record.dataset.id.as_str() != row.text(0)? {
        return Err(damaged(described, format!("it describes another dataset than {}", row.text(0)?)));
    }
    record.revision = revision(row, 1)?;
    record.seq = seq;
    if seq != described {
        let json = row.optional_text(5)?.ok_or_else(|| damaged(seq, "its content is missing"))?;
        record.withdrawn = Some(withdrawal(seq, json)?);
        record.reason = None; // that of the revision before; the withdrawal has its own
        record.revised = row.parse(6)?;
    }
    Ok(record)
}

fn withdrawal(seq: Seq, json: &str) -> Result<Withdrawn, StoreError> {
    match log::content(seq, json)? {
        What::DatasetWithdrawn { withdrawn, .. } => Ok(withdrawn),
        other => Err(damaged(seq, format!("it is {} where a withdrawal should be", other.kind()))),
    }
}

fn current(tables: &dyn Tables, id: &DatasetId) -> Result<Option<Registered>, StoreError> {
    let sql = format!("SELECT {RECORD_COLUMNS} FROM dataset d {RECORD_JOINS} WHERE d.id = ?1");
    tables.one(&sql, &[text(id)])?.as_ref().map(record).transpose()
}

fn list(
    tables: &dyn Tables,
    filter: &DatasetFilter,
    after: Option<&DatasetId>,
    limit: usize,
) -> Result<Vec<Registered>, StoreError> {
    let mut sql = format!("SELECT {RECORD_COLUMNS} FROM dataset d {RECORD_JOINS} WHERE d.id > ?1");
    let mut values = vec![text(&after.map_or("", DatasetId::as_str)), (limit as u64).into()];
    let mut wanted = |condition: &str, value: Option<Value>| {
        if let Some(value) = value {
            values.push(value);
            sql.push_str(&format!(" AND {}", condition.replace('#', &format!("?{}", values.len()))));
        }
    };
    wanted("d.owner = #", filter.owner.as_ref().map(text));
    wanted("d.country = #", filter.country.as_ref().map(text));
    wanted("d.private = #", filter.visibility.as_ref().map(private));
    wanted("d.source_name = #", filter.source.as_ref().map(text));
    wanted(
        "EXISTS (SELECT 1 FROM dataset_identifier i WHERE i.iri = # AND i.id = d.id)",
        filter.identifier.as_ref().map(text),
    );
    match &filter.discoverable_by {
        Some(asker) => wanted(
            "(d.owner = # OR (d.state = 'published' AND (d.private = 0 OR EXISTS
               (SELECT 1 FROM dataset_listed s WHERE s.id = d.id AND s.participant = #))))",
            Some(text(asker)),
        ),
        None => wanted("d.state = #", Some(State::Published.as_str().into())),
    }
    // Withdrawing keeps the state that a record had come to; in the words of a list it is a state like the others.
    let (state, withdrawn) = match filter.state {
        Some(State::Withdrawn) => (None, Some(1)),
        Some(state) => (Some(state), Some(0)),
        None => (None, (!filter.withdrawn).then_some(0)),
    };
    wanted("d.state = #", state.map(|state| state.as_str().into()));
    wanted("d.withdrawn = #", withdrawn.map(Value::Integer));
    sql.push_str(" ORDER BY d.id LIMIT ?2");
    tables.query(&sql, &values)?.iter().map(record).collect()
}

impl Store {
    /// A dataset as it stands, withdrawn or not.
    pub async fn dataset(&self, id: &DatasetId) -> Result<Option<Registered>, StoreError> {
        let id = id.clone();
        self.read(move |tables| current(tables, &id)).await
    }

    /// A revision of a dataset.
    pub async fn dataset_revision(&self, id: &DatasetId, revision: Revision) -> Result<Option<Registered>, StoreError> {
        let id = id.clone();
        self.read(move |tables| {
            let sql = format!(
                "SELECT {RECORD_COLUMNS} FROM dataset_revision d {RECORD_JOINS} WHERE d.id = ?1 AND d.revision = ?2"
            );
            tables.one(&sql, &[text(&id), revision.into()])?.as_ref().map(record).transpose()
        })
        .await
    }

    /// The history of a dataset, oldest first; empty where there is no such dataset.
    pub async fn revisions(&self, id: &DatasetId) -> Result<Vec<RevisionLine>, StoreError> {
        let id = id.clone();
        self.read(move |tables| {
            let rows = tables.query(
                "SELECT d.revision, d.seq, l.ts, l.actor, d.seq <> d.described, d.state, d.private, d.reason
                 FROM dataset_revision d JOIN log l ON l.seq = d.seq WHERE d.id = ?1 ORDER BY d.revision",
                &[text(&id)],
            )?;
            rows.iter()
                .map(|row| {
                    Ok(RevisionLine {
                        revision: revision(row, 0)?,
                        seq: row.seq(1)?,
                        at: row.parse(2)?,
                        actor: row.parse(3)?,
                        withdrew: row.number(4)? != 0,
                        state: state(row, 5)?,
                        private: row.number(6)? != 0,
                        reason: row.optional_text(7)?.map(str::to_owned),
                    })
                })
                .collect()
        })
        .await
    }

    /// The dataset that was imported from this record of this source, withdrawn or not.
    pub async fn dataset_by_source(&self, name: &str, iri: &Iri) -> Result<Option<Registered>, StoreError> {
        let (name, iri) = (name.to_owned(), iri.clone());
        self.read(move |tables| match id_by_source(tables, &name, &iri)? {
            Some(id) => current(tables, &id),
            None => Ok(None),
        })
        .await
    }

    /// Datasets in the order of their ids, after one, at most `limit`.
    pub async fn datasets(
        &self,
        filter: &DatasetFilter,
        after: Option<&DatasetId>,
        limit: usize,
    ) -> Result<Vec<Registered>, StoreError> {
        let (filter, after) = (filter.clone(), after.cloned());
        self.read(move |tables| list(tables, &filter, after.as_ref(), limit)).await
    }

    /// These datasets as they stand, of one moment; those that are not registered are not in the answer.
    pub async fn current(&self, ids: &[DatasetId]) -> Result<HashMap<DatasetId, Registered>, StoreError> {
        let ids = ids.to_vec();
        self.read(move |tables| {
            let mut found = HashMap::with_capacity(ids.len());
            for id in ids {
                if let Some(record) = current(tables, &id)? {
                    found.insert(id, record);
                }
            }
            Ok(found)
        })
        .await
    }

    /// The datasets in force of a visibility class as one number: how many, and the wrapping sum of `of` over the id and
    /// position of each; with the log position of that moment. For whoever keeps the same sum over a projection.
    pub async fn sum_in_force(
        &self,
        class: Visibility,
        of: fn(&str, Seq) -> u128,
    ) -> Result<(Seq, (u64, u128)), StoreError> {
        const PAGE: u64 = 5_000;
        let private = private(&class);
        self.read(move |tables| {
            let head = log::head(tables)?;
            let (mut count, mut sum, mut after) = (0u64, 0u128, String::new());
            loop {
                let rows = tables.query(
                    "SELECT id, seq FROM dataset WHERE id > ?1 AND private = ?2 AND withdrawn = 0
                       AND state = 'published' ORDER BY id LIMIT ?3",
                    &[after.as_str().into(), private.clone(), PAGE.into()],
                )?;
                let Some(last) = rows.last() else { return Ok((head, (count, sum))) };
                after = last.text(0)?.to_owned();
                for row in &rows {
                    count += 1;
                    sum = sum.wrapping_add(of(row.text(0)?, row.seq(1)?));
                }
            }
        })
        .await
    }

    /// How many datasets are in force, and how many were withdrawn; what was never published is not counted.
    pub async fn dataset_counts(&self) -> Result<(u64, u64), StoreError> {
        self.read(|tables| {
            let row = tables
                .one("SELECT count(*), coalesce(sum(withdrawn), 0) FROM dataset WHERE state = 'published'", &[])?;
            let row = row.ok_or_else(|| damaged(Seq(0), "a count has no row"))?;
            let (all, withdrawn) = (row.number(0)?, row.number(1)?);
            Ok((all - withdrawn, withdrawn))
        })
        .await
    }
}
