-- A saga can be undone by another one. Of sagas from before, it is not known what they did.
ALTER TABLE sagas ADD COLUMN undoes TEXT;
ALTER TABLE sagas ADD COLUMN undone_by TEXT;
ALTER TABLE sagas ADD COLUMN undo_until TEXT;

-- The version of a record after a saga had changed it: the undo compares it. NULL: the one after `version`.
ALTER TABLE customer_batch_items ADD COLUMN after_version INTEGER;
ALTER TABLE sales_batch_items ADD COLUMN after_version INTEGER;
ALTER TABLE opportunity_batch_items ADD COLUMN after_version INTEGER;
CREATE TABLE analytics_batch_items (
    id            TEXT PRIMARY KEY, -- saga/kind/record
    version       INTEGER NOT NULL,
    after_version INTEGER,
    record_id     TEXT NOT NULL,
    before        TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The customer into which a deleted one was merged.
ALTER TABLE customers ADD COLUMN merged_into TEXT;
CREATE INDEX customers_merged ON customers (merged_into) WHERE merged_into IS NOT NULL;

-- Deleted records, whose comments and files are kept as long as the deletion can be undone.
CREATE TABLE discarded_records (
    id         TEXT PRIMARY KEY,
    version    INTEGER NOT NULL,
    records    TEXT NOT NULL, -- their table
    deleted_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX discarded_records_deleted ON discarded_records (deleted_at);
