-- Addresses to which events are sent.
CREATE TABLE webhooks (
    id              UUID PRIMARY KEY,
    version         BIGINT NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL,
    created_by      UUID NOT NULL,
    url             TEXT NOT NULL,
    event_types     JSON NOT NULL,
    disabled_at     TIMESTAMPTZ,
    disabled_reason TEXT,
    secret_made_at  TIMESTAMPTZ NOT NULL,
    place           BIGINT NOT NULL -- bounds their number
);
CREATE UNIQUE INDEX webhooks_place ON webhooks (place);
CREATE INDEX webhooks_created ON webhooks (created_at, id);

-- What signs what is sent, encrypted.
CREATE TABLE webhook_secrets (
    id       UUID PRIMARY KEY, -- the webhook's
    version  BIGINT NOT NULL,
    current  TEXT NOT NULL,
    previous JSON NOT NULL
);

-- Up to where in each partition of the log events have become deliveries.
CREATE TABLE webhook_positions (
    id          TEXT COLLATE "C" PRIMARY KEY, -- webhook/partition
    webhook_id  UUID NOT NULL,
    slice       BIGINT NOT NULL,
    position    BIGINT NOT NULL,
    queued      BIGINT NOT NULL, -- the farthest position so far: below it events are replayed
    replay_from TIMESTAMPTZ,
    revision    BIGINT NOT NULL
);
CREATE INDEX webhook_positions_webhook ON webhook_positions (webhook_id, slice);

-- Webhooks that are deleted and whose deliveries are not yet.
CREATE TABLE deleted_webhooks (
    id      UUID PRIMARY KEY,
    version BIGINT NOT NULL
);
