//! The log itself: how an event becomes a row, a commitment and a leaf, and back.
//!
//! A row of `log` is a header that stays for ever; the content lies beside it in `payload` with its salt, and the header
//! holds only the commitment `c = HMAC-SHA-256(salt, content)`. Should a content ever have to be erased, its row in
//! `payload` goes and the header, its leaf and every proof stay what they were.
//!
//! What the leaf of an entry is made of, an outsider can build from a row without Pleiad: see [`Header::canonical`].

use aws_lc_rs::hmac;
use jiff::Timestamp;

use crate::domain::dataset::Registered;
use crate::domain::event::{Actor, Entry, Event, What};
use crate::domain::ids::{Digest, InvalidName, Seq};
use crate::domain::merkle::{self, Frontier, Hash};
use crate::domain::proof::Header;

use super::engine::{Expectation, Row, Tables, Value, damaged, text};
use super::error::{AppendError, StoreError};
use super::projections;
use super::source_texts::Packed;

/// The largest content of one entry, as JSON.
pub const MAX_EVENT_BYTES: usize = 16 * 1024 * 1024;

/// What goes into the log together.
pub(super) struct Batch {
    events: Vec<Encoded>,
    expectations: Vec<Expectation>,
    once: Option<Once>,
    /// What the sources of these datasets said; kept beside the log, in the same transaction.
    pub(super) texts: Vec<Packed>,
}

/// An event made ready by its caller, so that the one writer has little to do.
struct Encoded {
    event: Event,
    json: String,
    salt: [u8; 32],
    commitment: Hash,
}

/// The key under which an actor may send the same batch again.
struct Once {
    actor: String,
    key: String,
    digest: Digest,
}

impl Batch {
    /// Encodes events. `key` makes the batch idempotent for the actor of its first event.
    pub(super) fn new(
        mut events: Vec<Event>,
        expectations: Vec<Expectation>,
        key: Option<&str>,
    ) -> Result<Self, AppendError> {
        for event in &mut events {
            if let What::DatasetRegistered { record } | What::DatasetRevised { record } = &mut event.what {
                record.seq = Seq::default(); // known once it is appended, filled in by every read
            }
        }
        let events: Vec<Encoded> = events.into_iter().map(Encoded::new).collect::<Result<_, _>>()?;
        let once = key.zip(events.first()).map(|(key, first)| Once {
            actor: first.event.actor.to_string(),
            key: key.to_owned(),
            digest: {
                let contents: Vec<&str> = events.iter().map(|event| event.json.as_str()).collect();
                Digest::of(contents.join("\n").as_bytes())
            },
        });
        Ok(Self { events, expectations, once, texts: Vec::new() })
    }

    /// How many bytes it writes, about.
    pub(super) fn bytes(&self) -> usize {
        let events: usize = self.events.iter().map(|event| event.json.len() + 512).sum();
        events + self.texts.iter().map(Packed::bytes).sum::<usize>()
    }
}

impl Encoded {
    fn new(event: Event) -> Result<Self, AppendError> {
        let json = serde_json::to_string(&event.what).map_err(|error| StoreError::Engine(error.to_string()))?;
        if json.len() > MAX_EVENT_BYTES {
            return Err(AppendError::TooLarge { bytes: json.len(), limit: MAX_EVENT_BYTES });
        }
        let mut salt = [0; 32];
        aws_lc_rs::rand::fill(&mut salt)
            .map_err(|_| StoreError::Engine("the system gives no random numbers".to_owned()))?;
        let commitment = commit(&salt, &json);
        Ok(Self { event, json, salt, commitment })
    }
}

/// The commitment to a content under its salt.
pub(super) fn commit(salt: &[u8], json: &str) -> Hash {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, salt), json.as_bytes());
    let mut hash = [0; 32];
    hash.copy_from_slice(tag.as_ref());
    hash
}

/// Appends a batch within an open transaction: expectations, rows, hashes, tables. On an error the caller rolls back and
/// puts the frontier back.
pub(super) fn append(tables: &dyn Tables, tree: &mut Frontier, batch: &Batch) -> Result<Vec<Seq>, AppendError> {
    if let Some(once) = &batch.once
        && let Some(before) = once.before(tables)?
    {
        return Ok(before);
    }
    for expectation in &batch.expectations {
        projections::check(tables, expectation)?;
    }
    let mut seqs = Vec::with_capacity(batch.events.len());
    for encoded in &batch.events {
        let seq = Seq(tree.size() + 1);
        let header = header_of(seq, encoded);
        insert(tables, &header)?;
        tables.execute(
            "INSERT INTO payload (seq, json, salt) VALUES (?1, ?2, ?3)",
            &[seq.into(), encoded.json.as_str().into(), encoded.salt.as_slice().into()],
        )?;
        for (place, hash) in tree.append(header.leaf()) {
            tables
                .execute("INSERT INTO hash (place, hash) VALUES (?1, ?2)", &[place.into(), hash.as_slice().into()])?;
        }
        projections::apply(tables, seq, &encoded.event)?;
        seqs.push(seq);
    }
    for text in &batch.texts {
        text.put(tables)?;
    }
    if let (Some(once), Some(first)) = (&batch.once, seqs.first()) {
        once.remember(tables, *first, seqs.len())?;
    }
    Ok(seqs)
}

impl Once {
    fn before(&self, tables: &dyn Tables) -> Result<Option<Vec<Seq>>, AppendError> {
        let row = tables.one(
            "SELECT first, entries, digest FROM idempotency WHERE actor = ?1 AND key = ?2",
            &[self.actor.as_str().into(), self.key.as_str().into()],
        )?;
        let Some(row) = row else { return Ok(None) };
        if row.hash(2)? != self.digest.0 {
            return Err(AppendError::KeyReused(self.key.clone()));
        }
        let (first, entries) = (row.number(0)?, row.number(1)?);
        Ok(Some((first..first + entries).map(Seq).collect()))
    }

    fn remember(&self, tables: &dyn Tables, first: Seq, entries: usize) -> Result<(), StoreError> {
        tables.execute(
            "INSERT INTO idempotency (actor, key, first, entries, digest) VALUES (?1, ?2, ?3, ?4, ?5)",
            &[
                self.actor.as_str().into(),
                self.key.as_str().into(),
                first.into(),
                (entries as u64).into(),
                self.digest.0.as_slice().into(),
            ],
        )?;
        Ok(())
    }
}

fn header_of(seq: Seq, encoded: &Encoded) -> Header {
    let event = &encoded.event;
    Header {
        seq,
        ts: event.at.to_string(),
        actor: event.actor.to_string(),
        kind: event.what.kind().to_owned(),
        subject: event.what.subject(),
        c: Digest(encoded.commitment),
    }
}

fn insert(tables: &dyn Tables, header: &Header) -> Result<(), StoreError> {
    tables.execute(
        "INSERT INTO log (seq, ts, actor, kind, subject, c) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        &[
            header.seq.into(),
            header.ts.as_str().into(),
            header.actor.as_str().into(),
            header.kind.as_str().into(),
            header.subject.as_str().into(),
            header.c.0.as_slice().into(),
        ],
    )?;
    Ok(())
}

/// The header in the first six columns of a row.
pub(super) fn read_header(row: &Row) -> Result<Header, StoreError> {
    Ok(Header {
        seq: row.seq(0)?,
        ts: row.text(1)?.to_owned(),
        actor: row.text(2)?.to_owned(),
        kind: row.text(3)?.to_owned(),
        subject: row.text(4)?.to_owned(),
        c: Digest(row.hash(5)?),
    })
}

/// The event of which this is the header and that is the content.
pub(super) fn event(header: &Header, what: What) -> Result<Event, StoreError> {
    let wrong = |part: &str, error: String| damaged(header.seq, format!("its {part} cannot be read: {error}"));
    let at: Timestamp = header.ts.parse().map_err(|error: jiff::Error| wrong("time", error.to_string()))?;
    let actor: Actor = header.actor.parse().map_err(|error: InvalidName| wrong("actor", error.to_string()))?;
    Ok(Event { at, actor, what })
}

/// Which entries a reader of the log wants. Every part that is given must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EntryFilter {
    /// About this: a dataset, a request, an agreement …
    pub subject: Option<String>,
    /// Of this kind.
    pub kind: Option<String>,
    /// By this actor.
    pub actor: Option<String>,
}

/// The columns that [`read_header`] and [`entry`] read.
pub(super) const ENTRY_COLUMNS: &str = "l.seq, l.ts, l.actor, l.kind, l.subject, l.c, p.json, p.salt";

/// Entries after a position in the order of the log.
pub(super) fn read_from(tables: &dyn Tables, after: Seq, limit: usize) -> Result<Vec<Entry>, StoreError> {
    tables
        .query(
            &format!(
                "SELECT {ENTRY_COLUMNS} FROM log l LEFT JOIN payload p ON p.seq = l.seq
                 WHERE l.seq > ?1 ORDER BY l.seq LIMIT ?2"
            ),
            &[after.into(), (limit as u64).into()],
        )?
        .iter()
        .map(entry)
        .collect()
}

/// An entry as it is kept: all that its proof is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// What stays for ever.
    pub header: Header,
    /// The content, byte for byte as it was committed to.
    pub content: String,
    /// The salt of the commitment.
    pub salt: Digest,
}

/// Entries as they are kept that pass a filter, newest first, before a position.
pub(super) fn list(
    tables: &dyn Tables,
    filter: &EntryFilter,
    before: Option<Seq>,
    limit: usize,
) -> Result<Vec<Kept>, StoreError> {
    let mut sql = format!("SELECT {ENTRY_COLUMNS} FROM log l LEFT JOIN payload p ON p.seq = l.seq WHERE l.seq < ?1");
    let mut values = vec![before.map_or(Value::Integer(i64::MAX), Value::from), (limit as u64).into()];
    for (column, wanted) in [("subject", &filter.subject), ("kind", &filter.kind), ("actor", &filter.actor)] {
        if let Some(wanted) = wanted {
            values.push(text(wanted));
            sql.push_str(&format!(" AND l.{column} = ?{}", values.len()));
        }
    }
    sql.push_str(" ORDER BY l.seq DESC LIMIT ?2");
    let kept = |row: &Row| {
        let header = read_header(row)?;
        let content = row.optional_text(6)?.ok_or_else(|| damaged(header.seq, "its content is missing"))?.to_owned();
        Ok(Kept { header, content, salt: Digest(row.hash(7)?) })
    };
    tables.query(&sql, &values)?.iter().map(kept).collect()
}

/// The header of one entry.
pub(super) fn header(tables: &dyn Tables, seq: Seq) -> Result<Option<Header>, StoreError> {
    let row = tables.one("SELECT seq, ts, actor, kind, subject, c FROM log WHERE seq = ?1", &[seq.into()])?;
    row.as_ref().map(read_header).transpose()
}

/// One entry.
pub(super) fn get(tables: &dyn Tables, seq: Seq) -> Result<Option<Entry>, StoreError> {
    let row = tables.one(
        &format!("SELECT {ENTRY_COLUMNS} FROM log l LEFT JOIN payload p ON p.seq = l.seq WHERE l.seq = ?1"),
        &[seq.into()],
    )?;
    row.as_ref().map(entry).transpose()
}

/// The entry that this position must hold, because a table says so.
pub(super) fn expect(tables: &dyn Tables, seq: Seq) -> Result<Entry, StoreError> {
    get(tables, seq)?.ok_or_else(|| damaged(seq, "it is named by a table and missing from the log"))
}

/// The entry in a row of [`ENTRY_COLUMNS`].
fn entry(row: &Row) -> Result<Entry, StoreError> {
    let header = read_header(row)?;
    let json = row.optional_text(6)?.ok_or_else(|| damaged(header.seq, "its content is missing"))?;
    let what = content(header.seq, json)?;
    Ok(Entry { seq: header.seq, commitment: header.c, event: event(&header, what)? })
}

/// The content of an entry, with the position filled into a record.
pub(super) fn content(seq: Seq, json: &str) -> Result<What, StoreError> {
    let mut what: What =
        serde_json::from_str(json).map_err(|error| damaged(seq, format!("its content cannot be read: {error}")))?;
    if let What::DatasetRegistered { record } | What::DatasetRevised { record } = &mut what {
        record.seq = seq;
    }
    Ok(what)
}

/// The record that an entry made.
pub(super) fn record(seq: Seq, json: &str) -> Result<Registered, StoreError> {
    match content(seq, json)? {
        What::DatasetRegistered { record } | What::DatasetRevised { record } => Ok(*record),
        other => Err(damaged(seq, format!("it is {} where a dataset's revision should be", other.kind()))),
    }
}

/// The tree as it is stored, for proofs.
pub(super) fn stored(tables: &dyn Tables) -> impl FnMut(u64) -> Result<Hash, StoreError> + '_ {
    |place| {
        tables
            .one("SELECT hash FROM hash WHERE place = ?1", &[place.into()])?
            .ok_or_else(|| damaged(Seq(0), format!("hash {place} of the tree is missing")))?
            .hash(0)
    }
}

/// The right edge of the tree as it is stored.
pub(super) fn tree(tables: &dyn Tables) -> Result<Frontier, StoreError> {
    let size = head(tables)?.0;
    let hashes = match tables.one("SELECT max(place) FROM hash", &[])? {
        Some(row) => row.optional_number(0)?.map_or(0, |last| last + 1),
        None => 0,
    };
    let expected = merkle::stored_count(size);
    if hashes != expected {
        let detail = format!("the tree has {hashes} hashes where a log of {size} entries calls for {expected}");
        return Err(damaged(Seq(size), detail));
    }
    Frontier::load(size, stored(tables))
}

/// The last position.
pub(super) fn head(tables: &dyn Tables) -> Result<Seq, StoreError> {
    match tables.one("SELECT max(seq) FROM log", &[])? {
        Some(row) => Ok(Seq(row.optional_number(0)?.unwrap_or(0))),
        None => Ok(Seq(0)),
    }
}
