-- A saga can be undone by another one. Of sagas from before, it is not known what they did.
ALTER TABLE sagas ADD COLUMN undoes UUID;
ALTER TABLE sagas ADD COLUMN undone_by UUID;
ALTER TABLE sagas ADD COLUMN undo_until TIMESTAMPTZ;

-- The version of a record after a saga had changed it: the undo compares it. NULL: the one after `version`.
ALTER TABLE customer_batch_items ADD COLUMN after_version BIGINT;
ALTER TABLE sales_batch_items ADD COLUMN after_version BIGINT;
ALTER TABLE opportunity_batch_items ADD COLUMN after_version BIGINT;
CREATE TABLE analytics_batch_items (
    id            TEXT COLLATE "C" PRIMARY KEY, -- saga/kind/record
    version       BIGINT NOT NULL,
    after_version BIGINT,
    record_id     UUID NOT NULL,
    before        JSON NOT NULL
);

-- The customer into which a deleted one was merged.
ALTER TABLE customers ADD COLUMN merged_into UUID;
CREATE INDEX customers_merged ON customers (merged_into) WHERE merged_into IS NOT NULL;

-- Deleted records, whose comments and files are kept as long as the deletion can be undone.
CREATE TABLE discarded_records (
    id         UUID PRIMARY KEY,
    version    BIGINT NOT NULL,
    records    TEXT NOT NULL, -- their table
    deleted_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX discarded_records_deleted ON discarded_records (deleted_at);
