-- Deletions that several services carry out, advanced by the events that close their steps.
CREATE TABLE sagas (
    id          TEXT PRIMARY KEY,
    version     INTEGER NOT NULL,
    kind        TEXT NOT NULL,
    subject_id  TEXT NOT NULL,
    status      TEXT NOT NULL,
    started_by  TEXT,
    started_at  TEXT NOT NULL,
    finished_at TEXT,
    steps       TEXT NOT NULL
) STRICT;
CREATE INDEX sagas_started ON sagas (started_at, id);
CREATE INDEX sagas_starter ON sagas (started_by, started_at, id);

-- Who is gone, as each service keeps it in mind for records that come late.
CREATE TABLE customer_departures (
    id           TEXT PRIMARY KEY,
    version      INTEGER NOT NULL,
    successor_id TEXT,
    approver_id  TEXT,
    saga_id      TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE sales_departures (
    id           TEXT PRIMARY KEY,
    version      INTEGER NOT NULL,
    successor_id TEXT,
    approver_id  TEXT,
    saga_id      TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE opportunity_departures (
    id           TEXT PRIMARY KEY,
    version      INTEGER NOT NULL,
    successor_id TEXT,
    approver_id  TEXT,
    saga_id      TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE analytics_departures (
    id           TEXT PRIMARY KEY,
    version      INTEGER NOT NULL,
    successor_id TEXT,
    approver_id  TEXT,
    saga_id      TEXT NOT NULL
) STRICT, WITHOUT ROWID;
