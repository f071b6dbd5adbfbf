-- Events on their way to webhooks. What is sent is made of the event, which the log keeps.
CREATE TABLE webhook_deliveries (
    id            TEXT PRIMARY KEY, -- made of the webhook and the event
    version       INTEGER NOT NULL,
    webhook_id    TEXT NOT NULL,
    event_id      TEXT NOT NULL,
    event_type    TEXT NOT NULL,
    partition_key TEXT NOT NULL,
    slice         INTEGER NOT NULL,
    slice_seq     INTEGER NOT NULL,
    created_at    TEXT NOT NULL,
    state         TEXT NOT NULL,
    tries         INTEGER NOT NULL,
    next_try_at   TEXT,
    ended_at      TEXT,
    tried_at      TEXT,
    took_ms       INTEGER,
    signature     TEXT,
    status        INTEGER,
    answer        TEXT,
    failure       TEXT
) STRICT;
CREATE INDEX webhook_deliveries_created ON webhook_deliveries (webhook_id, created_at, id);
CREATE INDEX webhook_deliveries_state ON webhook_deliveries (webhook_id, state, created_at, id);
CREATE INDEX webhook_deliveries_pending ON webhook_deliveries (webhook_id, slice, slice_seq) WHERE state = 'pending';
CREATE INDEX webhook_deliveries_ended ON webhook_deliveries (ended_at) WHERE ended_at IS NOT NULL;
