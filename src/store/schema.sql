-- The log and what belongs to it. Never changed but by a further numbered step; see `sqlite::MIGRATIONS`.
-- The tables of each noun are not here: they are derived, and stand in the file of their noun.

CREATE TABLE meta (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;

-- What stays of an entry for ever.
CREATE TABLE log (
  seq INTEGER PRIMARY KEY CHECK (seq > 0),
  ts TEXT NOT NULL,
  actor TEXT NOT NULL,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  c BLOB NOT NULL CHECK (length(c) = 32)
) STRICT;
CREATE INDEX log_by_subject ON log (subject, seq);
CREATE INDEX log_by_kind ON log (kind, seq);
CREATE TRIGGER log_is_never_changed BEFORE UPDATE ON log
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER log_is_never_shortened BEFORE DELETE ON log
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;

-- Its content and the salt of its commitment: the only part that an erasure may take away.
CREATE TABLE payload (
  seq INTEGER PRIMARY KEY REFERENCES log (seq),
  json TEXT NOT NULL,
  salt BLOB NOT NULL CHECK (length(salt) = 32)
) STRICT;
CREATE TRIGGER payload_is_never_changed BEFORE UPDATE ON payload
BEGIN SELECT RAISE(ABORT, 'a content is kept or erased, never changed'); END;

-- The full subtrees of the Merkle tree, in the order of their completion.
CREATE TABLE hash (
  place INTEGER PRIMARY KEY,
  hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE TRIGGER hash_is_never_changed BEFORE UPDATE ON hash
BEGIN SELECT RAISE(ABORT, 'the tree is append-only'); END;
CREATE TRIGGER hash_is_never_removed BEFORE DELETE ON hash
BEGIN SELECT RAISE(ABORT, 'the tree is append-only'); END;

-- Signed heads. One for each size, so that two signers can never sign different heads of one size.
CREATE TABLE checkpoint (
  size INTEGER PRIMARY KEY,
  root BLOB NOT NULL CHECK (length(root) = 32),
  note TEXT NOT NULL
) STRICT;
CREATE TRIGGER checkpoint_is_never_changed BEFORE UPDATE ON checkpoint
BEGIN SELECT RAISE(ABORT, 'a signed head is never changed'); END;

CREATE TABLE idempotency (
  actor TEXT NOT NULL,
  key TEXT NOT NULL,
  first INTEGER NOT NULL,
  entries INTEGER NOT NULL,
  digest BLOB NOT NULL,
  PRIMARY KEY (actor, key)
) STRICT;

CREATE TABLE lease (
  name TEXT PRIMARY KEY,
  holder TEXT NOT NULL,
  token INTEGER NOT NULL,
  until TEXT NOT NULL
) STRICT;
