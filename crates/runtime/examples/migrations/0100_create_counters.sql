-- The example's own tables: the aggregate's state, and what its consumer keeps.
CREATE TABLE counters (
    id      TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    value   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE totals (
    id      TEXT PRIMARY KEY,
    version INTEGER NOT NULL, -- how many events were added
    value   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
