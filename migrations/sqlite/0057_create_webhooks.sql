-- Addresses to which events are sent.
CREATE TABLE webhooks (
    id              TEXT PRIMARY KEY,
    version         INTEGER NOT NULL,
    created_at      TEXT NOT NULL,
    updated_at      TEXT NOT NULL,
    created_by      TEXT NOT NULL,
    url             TEXT NOT NULL,
    event_types     TEXT NOT NULL,
    disabled_at     TEXT,
    disabled_reason TEXT,
    secret_made_at  TEXT NOT NULL,
    place           INTEGER NOT NULL -- bounds their number
) STRICT;
CREATE UNIQUE INDEX webhooks_place ON webhooks (place);
CREATE INDEX webhooks_created ON webhooks (created_at, id);

-- What signs what is sent, encrypted.
CREATE TABLE webhook_secrets (
    id       TEXT PRIMARY KEY, -- the webhook's
    version  INTEGER NOT NULL,
    current  TEXT NOT NULL,
    previous TEXT NOT NULL
) STRICT;

-- Up to where in each partition of the log events have become deliveries.
CREATE TABLE webhook_positions (
    id          TEXT PRIMARY KEY, -- webhook/partition
    webhook_id  TEXT NOT NULL,
    slice       INTEGER NOT NULL,
    position    INTEGER NOT NULL,
    queued      INTEGER NOT NULL, -- the farthest position so far: below it events are replayed
    replay_from TEXT,
    revision    INTEGER NOT NULL
) STRICT;
CREATE INDEX webhook_positions_webhook ON webhook_positions (webhook_id, slice);

-- Webhooks that are deleted and whose deliveries are not yet.
CREATE TABLE deleted_webhooks (
    id      TEXT PRIMARY KEY,
    version INTEGER NOT NULL
) STRICT;
