-- An index of a long log takes longer than a statement may.
SET LOCAL statement_timeout = 0;

-- Comments, a table for each kind of record: services share no table. Each name comes after that of its records, in which
-- order commits lock rows.
CREATE TABLE customers_comments (
    id          UUID PRIMARY KEY,
    version     BIGINT NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL,
    updated_at  TIMESTAMPTZ NOT NULL,
    record_type TEXT NOT NULL,
    record_id   UUID NOT NULL,
    author_id   UUID NOT NULL,
    text        TEXT NOT NULL,
    mentions    JSON NOT NULL,
    notified    JSON NOT NULL
);
CREATE INDEX customers_comments_record ON customers_comments (record_id, created_at, id);
CREATE TABLE meetings_comments (
    id          UUID PRIMARY KEY,
    version     BIGINT NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL,
    updated_at  TIMESTAMPTZ NOT NULL,
    record_type TEXT NOT NULL,
    record_id   UUID NOT NULL,
    author_id   UUID NOT NULL,
    text        TEXT NOT NULL,
    mentions    JSON NOT NULL,
    notified    JSON NOT NULL
);
CREATE INDEX meetings_comments_record ON meetings_comments (record_id, created_at, id);
CREATE TABLE tasks_comments (
    id          UUID PRIMARY KEY,
    version     BIGINT NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL,
    updated_at  TIMESTAMPTZ NOT NULL,
    record_type TEXT NOT NULL,
    record_id   UUID NOT NULL,
    author_id   UUID NOT NULL,
    text        TEXT NOT NULL,
    mentions    JSON NOT NULL,
    notified    JSON NOT NULL
);
CREATE INDEX tasks_comments_record ON tasks_comments (record_id, created_at, id);
CREATE TABLE approvals_comments (
    id          UUID PRIMARY KEY,
    version     BIGINT NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL,
    updated_at  TIMESTAMPTZ NOT NULL,
    record_type TEXT NOT NULL,
    record_id   UUID NOT NULL,
    author_id   UUID NOT NULL,
    text        TEXT NOT NULL,
    mentions    JSON NOT NULL,
    notified    JSON NOT NULL
);
CREATE INDEX approvals_comments_record ON approvals_comments (record_id, created_at, id);

-- What was said about a record and put beside it, in the order of its partition: for its history.
CREATE INDEX events_about ON events (partition_key, slice_seq)
    WHERE type IN ('comment.created', 'comment.updated', 'comment.deleted', 'attachment.added', 'attachment.removed');
