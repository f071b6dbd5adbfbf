CREATE TABLE users (
    id                  TEXT PRIMARY KEY,
    version             INTEGER NOT NULL,
    created_at          TEXT NOT NULL,
    updated_at          TEXT NOT NULL,
    deleted_at          TEXT,
    email               TEXT NOT NULL,
    name                TEXT NOT NULL,
    role                TEXT NOT NULL,
    manager_id          TEXT,
    locale              TEXT NOT NULL,
    time_zone           TEXT NOT NULL,
    password_hash       TEXT NOT NULL,
    sessions_valid_from TEXT NOT NULL,
    kept_session_id     TEXT,
    search              TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX users_email ON users (email) WHERE deleted_at IS NULL;
CREATE INDEX users_created ON users (created_at, id);

CREATE TABLE sessions (
    id         TEXT PRIMARY KEY,
    version    INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    user_id    TEXT NOT NULL,
    generation INTEGER NOT NULL,
    expires_at TEXT NOT NULL,
    valid_from TEXT NOT NULL, -- the user's sessions_valid_from that its password was proven under
    revoked_at TEXT
) STRICT;
CREATE INDEX sessions_expiry ON sessions (expires_at);
