-- What a change of many records has done so far; NULL for deletions.
ALTER TABLE sagas ADD COLUMN bulk TEXT;

-- The batches of a change of many records, each of which is a step of its saga. Customers and sales have their own.
CREATE TABLE customer_batches (
    id      TEXT PRIMARY KEY, -- saga/number
    version INTEGER NOT NULL,
    change  TEXT NOT NULL,
    caller  TEXT NOT NULL,
    ids     TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE sales_batches (
    id      TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    change  TEXT NOT NULL,
    caller  TEXT NOT NULL,
    ids     TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The records that were changed so, each committed with its change: no record is changed twice by one saga. It has what
-- the record had before.
CREATE TABLE customer_batch_items (
    id        TEXT PRIMARY KEY, -- saga/number/record
    version   INTEGER NOT NULL, -- the record's before
    record_id TEXT NOT NULL,
    before    TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE sales_batch_items (
    id        TEXT PRIMARY KEY,
    version   INTEGER NOT NULL,
    record_id TEXT NOT NULL,
    before    TEXT NOT NULL
) STRICT, WITHOUT ROWID;
