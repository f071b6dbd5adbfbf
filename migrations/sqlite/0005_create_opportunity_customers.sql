-- What opportunity knows of customers, copied from their events: the fallback when the customer service is away.
CREATE TABLE opportunity_customers (
    id         TEXT PRIMARY KEY,
    version    INTEGER NOT NULL,
    name       TEXT NOT NULL,
    owner_id   TEXT NOT NULL,
    deleted_at TEXT
) STRICT, WITHOUT ROWID;
