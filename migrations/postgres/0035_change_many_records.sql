-- What a change of many records has done so far; NULL for deletions.
ALTER TABLE sagas ADD COLUMN bulk JSON;

-- The batches of a change of many records, each of which is a step of its saga. Customers and sales have their own.
CREATE TABLE customer_batches (
    id      TEXT COLLATE "C" PRIMARY KEY, -- saga/number
    version BIGINT NOT NULL,
    change  JSON NOT NULL,
    caller  JSON NOT NULL,
    ids     JSON NOT NULL
);
CREATE TABLE sales_batches (
    id      TEXT COLLATE "C" PRIMARY KEY,
    version BIGINT NOT NULL,
    change  JSON NOT NULL,
    caller  JSON NOT NULL,
    ids     JSON NOT NULL
);

-- The records that were changed so, each committed with its change: no record is changed twice by one saga. It has what
-- the record had before.
CREATE TABLE customer_batch_items (
    id        TEXT COLLATE "C" PRIMARY KEY, -- saga/number/record
    version   BIGINT NOT NULL, -- the record's before
    record_id UUID NOT NULL,
    before    JSON NOT NULL
);
CREATE TABLE sales_batch_items (
    id        TEXT COLLATE "C" PRIMARY KEY,
    version   BIGINT NOT NULL,
    record_id UUID NOT NULL,
    before    JSON NOT NULL
);
