-- The event log, append-only and kept: audit trail, source of replays, truth behind every transport.
-- `slice` is fixed by a hash of the partition key, which is the subject for most; `slice_seq` is gap-free within a slice and taken inside the
-- committing transaction, so that order of numbers = order of commits.
CREATE TABLE slices (
    slice    INTEGER PRIMARY KEY,
    last_seq INTEGER NOT NULL
) STRICT;

INSERT INTO slices (slice, last_seq)
WITH RECURSIVE n(slice) AS (SELECT 0 UNION ALL SELECT slice + 1 FROM n WHERE slice < 15)
SELECT slice, 0 FROM n;

CREATE TABLE events (
    slice          INTEGER NOT NULL,
    slice_seq      INTEGER NOT NULL,
    id             TEXT NOT NULL,
    type           TEXT NOT NULL,
    source         TEXT NOT NULL,
    subject        TEXT NOT NULL,
    sequence       INTEGER NOT NULL,
    partition_key  TEXT NOT NULL,
    time           TEXT NOT NULL,
    data           TEXT NOT NULL,
    traceparent    TEXT,
    correlation_id TEXT NOT NULL,
    causation_id   TEXT,
    actor_id       TEXT
) STRICT;
CREATE UNIQUE INDEX events_position ON events (slice, slice_seq);
CREATE UNIQUE INDEX events_id ON events (id);
CREATE UNIQUE INDEX events_sequence ON events (subject, sequence);
CREATE INDEX events_type ON events (type, id);
CREATE INDEX events_actor ON events (actor_id, id);
-- What a saga's step did to single records; notifications, which have a cause too, are many and never asked for.
CREATE INDEX events_caused ON events (causation_id, type) WHERE causation_id IS NOT NULL AND type <> 'notification.created';

-- How far a consumer has applied a slice: moved by compare-and-set in the transaction of its effect.
CREATE TABLE consumer_cursors (
    id       TEXT PRIMARY KEY, -- consumer/slice
    consumer TEXT NOT NULL,
    slice    INTEGER NOT NULL,
    position INTEGER NOT NULL,
    applied  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Events a consumer could not apply yet: retried in order per subject; dead after the last retry.
CREATE TABLE parked_events (
    id              TEXT PRIMARY KEY,
    consumer        TEXT NOT NULL,
    event_id        TEXT NOT NULL,
    subject         TEXT NOT NULL,
    slice           INTEGER NOT NULL,
    slice_seq       INTEGER NOT NULL,
    version         INTEGER NOT NULL,
    status          TEXT NOT NULL, -- retrying, waiting (behind an earlier one of its subject), dead
    attempts        INTEGER NOT NULL,
    next_attempt_at TEXT NOT NULL,
    error           TEXT NOT NULL,
    parked_at       TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX parked_events_event ON parked_events (consumer, event_id);
CREATE INDEX parked_events_consumer ON parked_events (consumer, slice, slice_seq);

-- First answers to requests with an Idempotency-Key, written in the transaction of their effect.
CREATE TABLE idempotency_keys (
    id          TEXT PRIMARY KEY, -- user/key
    fingerprint TEXT NOT NULL,
    status      INTEGER NOT NULL,
    location    TEXT,
    version     INTEGER,
    body        TEXT NOT NULL,
    created_at  TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at);
