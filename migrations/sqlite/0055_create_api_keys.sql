-- API keys: what is kept of them opens no door.
CREATE TABLE api_keys (
    id          TEXT PRIMARY KEY,
    version     INTEGER NOT NULL,
    created_at  TEXT NOT NULL,
    updated_at  TEXT NOT NULL,
    name        TEXT NOT NULL,
    prefix      TEXT NOT NULL,
    scopes      TEXT NOT NULL,
    role        TEXT NOT NULL,
    user_id     TEXT NOT NULL,
    expires_at  TEXT,
    revoked_at  TEXT,
    secret_hash TEXT NOT NULL
) STRICT;
CREATE INDEX api_keys_created ON api_keys (created_at, id) WHERE revoked_at IS NULL;
CREATE INDEX api_keys_revoked ON api_keys (revoked_at) WHERE revoked_at IS NOT NULL;

-- When a key was last used: beside its row, which only its actor writes.
CREATE TABLE api_key_uses (
    id      TEXT PRIMARY KEY,
    used_at TEXT NOT NULL
) STRICT;

-- The key that acted for the user of an event.
ALTER TABLE events ADD COLUMN api_key_id TEXT;
