-- Events on their way to webhooks. What is sent is made of the event, which the log keeps.
CREATE TABLE webhook_deliveries (
    id            UUID PRIMARY KEY, -- made of the webhook and the event
    version       BIGINT NOT NULL,
    webhook_id    UUID NOT NULL,
    event_id      UUID NOT NULL,
    event_type    TEXT NOT NULL,
    partition_key UUID NOT NULL,
    slice         BIGINT NOT NULL,
    slice_seq     BIGINT NOT NULL,
    created_at    TIMESTAMPTZ NOT NULL,
    state         TEXT NOT NULL,
    tries         BIGINT NOT NULL,
    next_try_at   TIMESTAMPTZ,
    ended_at      TIMESTAMPTZ,
    tried_at      TIMESTAMPTZ,
    took_ms       BIGINT,
    signature     TEXT,
    status        BIGINT,
    answer        TEXT,
    failure       TEXT
);
CREATE INDEX webhook_deliveries_created ON webhook_deliveries (webhook_id, created_at, id);
CREATE INDEX webhook_deliveries_state ON webhook_deliveries (webhook_id, state, created_at, id);
CREATE INDEX webhook_deliveries_pending ON webhook_deliveries (webhook_id, slice, slice_seq) WHERE state = 'pending';
CREATE INDEX webhook_deliveries_ended ON webhook_deliveries (ended_at) WHERE ended_at IS NOT NULL;
