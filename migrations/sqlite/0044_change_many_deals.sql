-- The batches of changes of many deals, as those of customers and sales.
CREATE TABLE opportunity_batches (
    id      TEXT PRIMARY KEY, -- saga/number
    version INTEGER NOT NULL,
    change  TEXT NOT NULL,
    caller  TEXT NOT NULL,
    ids     TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE opportunity_batch_items (
    id        TEXT PRIMARY KEY, -- saga/number/record
    version   INTEGER NOT NULL, -- the record's before
    record_id TEXT NOT NULL,
    before    TEXT NOT NULL
) STRICT, WITHOUT ROWID;
