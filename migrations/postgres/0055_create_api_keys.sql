-- API keys: what is kept of them opens no door.
CREATE TABLE api_keys (
    id          UUID PRIMARY KEY,
    version     BIGINT NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL,
    updated_at  TIMESTAMPTZ NOT NULL,
    name        TEXT NOT NULL,
    prefix      TEXT NOT NULL,
    scopes      JSONB NOT NULL,
    role        TEXT NOT NULL,
    user_id     UUID NOT NULL,
    expires_at  TIMESTAMPTZ,
    revoked_at  TIMESTAMPTZ,
    secret_hash TEXT NOT NULL
);
CREATE INDEX api_keys_created ON api_keys (created_at, id) WHERE revoked_at IS NULL;
CREATE INDEX api_keys_revoked ON api_keys (revoked_at) WHERE revoked_at IS NOT NULL;

-- When a key was last used: beside its row, which only its actor writes.
CREATE TABLE api_key_uses (
    id      UUID PRIMARY KEY,
    used_at TIMESTAMPTZ NOT NULL
);

-- The key that acted for the user of an event.
ALTER TABLE events ADD COLUMN api_key_id UUID;
