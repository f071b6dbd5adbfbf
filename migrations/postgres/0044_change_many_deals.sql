-- The batches of changes of many deals, as those of customers and sales.
CREATE TABLE opportunity_batches (
    id      TEXT COLLATE "C" PRIMARY KEY, -- saga/number
    version BIGINT NOT NULL,
    change  JSON NOT NULL,
    caller  JSON NOT NULL,
    ids     JSON NOT NULL
);
CREATE TABLE opportunity_batch_items (
    id        TEXT COLLATE "C" PRIMARY KEY, -- saga/number/record
    version   BIGINT NOT NULL, -- the record's before
    record_id UUID NOT NULL,
    before    JSON NOT NULL
);
