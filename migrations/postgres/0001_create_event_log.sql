-- The event log, append-only and kept: audit trail, source of replays, truth behind every transport.
-- `slice` is fixed by a hash of the partition key, which is the subject for most; `slice_seq` is gap-free within a slice and taken inside the
-- committing transaction, so that order of numbers = order of commits.
CREATE TABLE slices (
    slice    BIGINT PRIMARY KEY,
    last_seq BIGINT NOT NULL
) WITH (fillfactor = 50); -- every commit updates these rows: leave room for HOT updates

INSERT INTO slices (slice, last_seq) SELECT n, 0 FROM generate_series(0, 15) AS n;

CREATE TABLE events (
    slice          BIGINT NOT NULL,
    slice_seq      BIGINT NOT NULL,
    id             UUID NOT NULL,
    type           TEXT COLLATE "C" NOT NULL,
    source         TEXT NOT NULL,
    subject        UUID NOT NULL,
    sequence       BIGINT NOT NULL,
    partition_key  UUID NOT NULL,
    time           TIMESTAMPTZ NOT NULL,
    data           JSON NOT NULL,
    traceparent    TEXT,
    correlation_id TEXT NOT NULL,
    causation_id   UUID,
    actor_id       UUID
);
CREATE UNIQUE INDEX events_position ON events (slice, slice_seq);
CREATE UNIQUE INDEX events_id ON events (id);
CREATE UNIQUE INDEX events_sequence ON events (subject, sequence);
CREATE INDEX events_type ON events (type, id);
CREATE INDEX events_actor ON events (actor_id, id);
-- What a saga's step did to single records; notifications, which have a cause too, are many and never asked for.
CREATE INDEX events_caused ON events (causation_id, type) WHERE causation_id IS NOT NULL AND type <> 'notification.created';

-- How far a consumer has applied a slice: moved by compare-and-set in the transaction of its effect.
CREATE TABLE consumer_cursors (
    id       TEXT COLLATE "C" PRIMARY KEY, -- consumer/slice
    consumer TEXT NOT NULL,
    slice    BIGINT NOT NULL,
    position BIGINT NOT NULL,
    applied  BIGINT NOT NULL
) WITH (fillfactor = 50);

-- Events a consumer could not apply yet: retried in order per subject; dead after the last retry.
CREATE TABLE parked_events (
    id              UUID PRIMARY KEY,
    consumer        TEXT NOT NULL,
    event_id        UUID NOT NULL,
    subject         UUID NOT NULL,
    slice           BIGINT NOT NULL,
    slice_seq       BIGINT NOT NULL,
    version         BIGINT NOT NULL,
    status          TEXT NOT NULL, -- retrying, waiting (behind an earlier one of its subject), dead
    attempts        BIGINT NOT NULL,
    next_attempt_at TIMESTAMPTZ NOT NULL,
    error           TEXT NOT NULL,
    parked_at       TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX parked_events_event ON parked_events (consumer, event_id);
CREATE INDEX parked_events_consumer ON parked_events (consumer, slice, slice_seq);

-- First answers to requests with an Idempotency-Key, written in the transaction of their effect.
CREATE TABLE idempotency_keys (
    id          TEXT COLLATE "C" PRIMARY KEY, -- user/key
    fingerprint TEXT NOT NULL,
    status      BIGINT NOT NULL,
    location    TEXT,
    version     BIGINT,
    body        JSON NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL
);
CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at);
