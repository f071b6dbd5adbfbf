CREATE TABLE meetings (
    id               TEXT PRIMARY KEY,
    version          INTEGER NOT NULL,
    created_at       TEXT NOT NULL,
    updated_at       TEXT NOT NULL,
    deleted_at       TEXT,
    customer_id      TEXT NOT NULL,
    title            TEXT NOT NULL,
    met_at           TEXT NOT NULL,
    duration_minutes INTEGER,
    location         TEXT,
    notes            TEXT,
    outcome          TEXT,
    owner_id         TEXT NOT NULL
) STRICT;
CREATE INDEX meetings_met ON meetings (met_at, id) WHERE deleted_at IS NULL;
CREATE INDEX meetings_owner ON meetings (owner_id, met_at, id) WHERE deleted_at IS NULL;
CREATE INDEX meetings_customer ON meetings (customer_id, met_at, id) WHERE deleted_at IS NULL;

-- What sales knows of customers, copied from their events: the fallback when the customer service is away.
CREATE TABLE sales_customers (
    id         TEXT PRIMARY KEY,
    version    INTEGER NOT NULL,
    name       TEXT NOT NULL,
    owner_id   TEXT NOT NULL,
    deleted_at TEXT
) STRICT, WITHOUT ROWID;
