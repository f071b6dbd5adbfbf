-- Sign-ins, refusals, and the ends of sessions. Refusals of one kind, account and address within an hour are one row.
CREATE TABLE security_log (
    id         UUID PRIMARY KEY,
    kind       TEXT COLLATE "C" NOT NULL,
    at         TIMESTAMPTZ NOT NULL,
    last_at    TIMESTAMPTZ NOT NULL,
    count      BIGINT NOT NULL,
    user_id    UUID,
    session_id UUID,
    actor_id   UUID,
    address    TEXT COLLATE "C",
    agent      TEXT,
    aggregate  TEXT COLLATE "C" -- of a refusal: a hash of kind, account, address and hour
);
CREATE UNIQUE INDEX security_log_aggregate ON security_log (aggregate);
CREATE INDEX security_log_at ON security_log (at, id);
CREATE INDEX security_log_user ON security_log (user_id, at, id);
CREATE INDEX security_log_refusals ON security_log (last_at, id) WHERE aggregate IS NOT NULL;
CREATE INDEX security_log_others ON security_log (last_at, id) WHERE aggregate IS NULL;
CREATE INDEX security_log_last ON security_log (last_at);
