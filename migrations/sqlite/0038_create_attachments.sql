-- Attachments, a table for each kind of record, as comments have. Their bytes are in attachment_parts.
CREATE TABLE customers_attachments (
    id          TEXT PRIMARY KEY,
    version     INTEGER NOT NULL,
    created_at  TEXT NOT NULL,
    updated_at  TEXT NOT NULL,
    record_type TEXT NOT NULL,
    record_id   TEXT NOT NULL,
    author_id   TEXT NOT NULL,
    name        TEXT NOT NULL,
    media_type  TEXT NOT NULL,
    size        INTEGER NOT NULL,
    sha256      TEXT NOT NULL,
    place       INTEGER NOT NULL CHECK (place BETWEEN 1 AND 50)
) STRICT;
CREATE INDEX customers_attachments_record ON customers_attachments (record_id, created_at, id);
-- So many have room beside a record.
CREATE UNIQUE INDEX customers_attachments_place ON customers_attachments (record_id, place);
CREATE TABLE meetings_attachments (
    id          TEXT PRIMARY KEY,
    version     INTEGER NOT NULL,
    created_at  TEXT NOT NULL,
    updated_at  TEXT NOT NULL,
    record_type TEXT NOT NULL,
    record_id   TEXT NOT NULL,
    author_id   TEXT NOT NULL,
    name        TEXT NOT NULL,
    media_type  TEXT NOT NULL,
    size        INTEGER NOT NULL,
    sha256      TEXT NOT NULL,
    place       INTEGER NOT NULL CHECK (place BETWEEN 1 AND 50)
) STRICT;
CREATE INDEX meetings_attachments_record ON meetings_attachments (record_id, created_at, id);
-- So many have room beside a record.
CREATE UNIQUE INDEX meetings_attachments_place ON meetings_attachments (record_id, place);
CREATE TABLE tasks_attachments (
    id          TEXT PRIMARY KEY,
    version     INTEGER NOT NULL,
    created_at  TEXT NOT NULL,
    updated_at  TEXT NOT NULL,
    record_type TEXT NOT NULL,
    record_id   TEXT NOT NULL,
    author_id   TEXT NOT NULL,
    name        TEXT NOT NULL,
    media_type  TEXT NOT NULL,
    size        INTEGER NOT NULL,
    sha256      TEXT NOT NULL,
    place       INTEGER NOT NULL CHECK (place BETWEEN 1 AND 50)
) STRICT;
CREATE INDEX tasks_attachments_record ON tasks_attachments (record_id, created_at, id);
-- So many have room beside a record.
CREATE UNIQUE INDEX tasks_attachments_place ON tasks_attachments (record_id, place);
CREATE TABLE approvals_attachments (
    id          TEXT PRIMARY KEY,
    version     INTEGER NOT NULL,
    created_at  TEXT NOT NULL,
    updated_at  TEXT NOT NULL,
    record_type TEXT NOT NULL,
    record_id   TEXT NOT NULL,
    author_id   TEXT NOT NULL,
    name        TEXT NOT NULL,
    media_type  TEXT NOT NULL,
    size        INTEGER NOT NULL,
    sha256      TEXT NOT NULL,
    place       INTEGER NOT NULL CHECK (place BETWEEN 1 AND 50)
) STRICT;
CREATE INDEX approvals_attachments_record ON approvals_attachments (record_id, created_at, id);
-- So many have room beside a record.
CREATE UNIQUE INDEX approvals_attachments_place ON approvals_attachments (record_id, place);

-- Files that are being received, or were and belong to no record yet: the commit that attaches one deletes its row.
CREATE TABLE uploads (
    id         TEXT PRIMARY KEY, -- the attachment's, later
    version    INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    record_id  TEXT NOT NULL,
    user_id    TEXT NOT NULL,
    name       TEXT NOT NULL,
    media_type TEXT, -- NULL until the file is whole
    size       INTEGER,
    sha256     TEXT
) STRICT;
CREATE INDEX uploads_created ON uploads (created_at);

-- The bytes of uploads and attachments, written outside the journal, which would wait for them.
CREATE TABLE attachment_parts (
    upload_id TEXT NOT NULL,
    part      INTEGER NOT NULL,
    record_id TEXT NOT NULL,
    bytes     BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX attachment_parts_upload ON attachment_parts (upload_id, part);
CREATE INDEX attachment_parts_record ON attachment_parts (record_id);
