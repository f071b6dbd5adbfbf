CREATE TABLE users (
    id                  UUID PRIMARY KEY,
    version             BIGINT NOT NULL,
    created_at          TIMESTAMPTZ NOT NULL,
    updated_at          TIMESTAMPTZ NOT NULL,
    deleted_at          TIMESTAMPTZ,
    email               TEXT COLLATE "C" NOT NULL,
    name                TEXT NOT NULL,
    role                TEXT NOT NULL,
    manager_id          UUID,
    locale              TEXT NOT NULL,
    time_zone           TEXT NOT NULL,
    password_hash       TEXT NOT NULL,
    sessions_valid_from TIMESTAMPTZ NOT NULL,
    kept_session_id     UUID,
    search              TEXT NOT NULL
);
CREATE UNIQUE INDEX users_email ON users (email) WHERE deleted_at IS NULL;
CREATE INDEX users_created ON users (created_at, id);

CREATE TABLE sessions (
    id         UUID PRIMARY KEY,
    version    BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    user_id    UUID NOT NULL,
    generation BIGINT NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    valid_from TIMESTAMPTZ NOT NULL, -- the user's sessions_valid_from that its password was proven under
    revoked_at TIMESTAMPTZ
);
CREATE INDEX sessions_expiry ON sessions (expires_at);
