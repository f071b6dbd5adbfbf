-- Comments, a table for each kind of record: services share no table. Each name comes after that of its records, in which
-- order commits lock rows.
CREATE TABLE customers_comments (
    id          TEXT PRIMARY KEY,
    version     INTEGER NOT NULL,
    created_at  TEXT NOT NULL,
    updated_at  TEXT NOT NULL,
    record_type TEXT NOT NULL,
    record_id   TEXT NOT NULL,
    author_id   TEXT NOT NULL,
    text        TEXT NOT NULL,
    mentions    TEXT NOT NULL,
    notified    TEXT NOT NULL
) STRICT;
CREATE INDEX customers_comments_record ON customers_comments (record_id, created_at, id);
CREATE TABLE meetings_comments (
    id          TEXT PRIMARY KEY,
    version     INTEGER NOT NULL,
    created_at  TEXT NOT NULL,
    updated_at  TEXT NOT NULL,
    record_type TEXT NOT NULL,
    record_id   TEXT NOT NULL,
    author_id   TEXT NOT NULL,
    text        TEXT NOT NULL,
    mentions    TEXT NOT NULL,
    notified    TEXT NOT NULL
) STRICT;
CREATE INDEX meetings_comments_record ON meetings_comments (record_id, created_at, id);
CREATE TABLE tasks_comments (
    id          TEXT PRIMARY KEY,
    version     INTEGER NOT NULL,
    created_at  TEXT NOT NULL,
    updated_at  TEXT NOT NULL,
    record_type TEXT NOT NULL,
    record_id   TEXT NOT NULL,
    author_id   TEXT NOT NULL,
    text        TEXT NOT NULL,
    mentions    TEXT NOT NULL,
    notified    TEXT NOT NULL
) STRICT;
CREATE INDEX tasks_comments_record ON tasks_comments (record_id, created_at, id);
CREATE TABLE approvals_comments (
    id          TEXT PRIMARY KEY,
    version     INTEGER NOT NULL,
    created_at  TEXT NOT NULL,
    updated_at  TEXT NOT NULL,
    record_type TEXT NOT NULL,
    record_id   TEXT NOT NULL,
    author_id   TEXT NOT NULL,
    text        TEXT NOT NULL,
    mentions    TEXT NOT NULL,
    notified    TEXT NOT NULL
) STRICT;
CREATE INDEX approvals_comments_record ON approvals_comments (record_id, created_at, id);

-- What was said about a record and put beside it, in the order of its partition: for its history.
CREATE INDEX events_about ON events (partition_key, slice_seq)
    WHERE type IN ('comment.created', 'comment.updated', 'comment.deleted', 'attachment.added', 'attachment.removed');
