-- Attachments, a table for each kind of record, as comments have. Their bytes are in attachment_parts.
CREATE TABLE customers_attachments (
    id          UUID PRIMARY KEY,
    version     BIGINT NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL,
    updated_at  TIMESTAMPTZ NOT NULL,
    record_type TEXT NOT NULL,
    record_id   UUID NOT NULL,
    author_id   UUID NOT NULL,
    name        TEXT NOT NULL,
    media_type  TEXT NOT NULL,
    size        BIGINT NOT NULL,
    sha256      TEXT NOT NULL,
    place       BIGINT NOT NULL CHECK (place BETWEEN 1 AND 50)
);
CREATE INDEX customers_attachments_record ON customers_attachments (record_id, created_at, id);
-- So many have room beside a record.
CREATE UNIQUE INDEX customers_attachments_place ON customers_attachments (record_id, place);
CREATE TABLE meetings_attachments (
    id          UUID PRIMARY KEY,
    version     BIGINT NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL,
    updated_at  TIMESTAMPTZ NOT NULL,
    record_type TEXT NOT NULL,
    record_id   UUID NOT NULL,
    author_id   UUID NOT NULL,
    name        TEXT NOT NULL,
    media_type  TEXT NOT NULL,
    size        BIGINT NOT NULL,
    sha256      TEXT NOT NULL,
    place       BIGINT NOT NULL CHECK (place BETWEEN 1 AND 50)
);
CREATE INDEX meetings_attachments_record ON meetings_attachments (record_id, created_at, id);
-- So many have room beside a record.
CREATE UNIQUE INDEX meetings_attachments_place ON meetings_attachments (record_id, place);
CREATE TABLE tasks_attachments (
    id          UUID PRIMARY KEY,
    version     BIGINT NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL,
    updated_at  TIMESTAMPTZ NOT NULL,
    record_type TEXT NOT NULL,
    record_id   UUID NOT NULL,
    author_id   UUID NOT NULL,
    name        TEXT NOT NULL,
    media_type  TEXT NOT NULL,
    size        BIGINT NOT NULL,
    sha256      TEXT NOT NULL,
    place       BIGINT NOT NULL CHECK (place BETWEEN 1 AND 50)
);
CREATE INDEX tasks_attachments_record ON tasks_attachments (record_id, created_at, id);
-- So many have room beside a record.
CREATE UNIQUE INDEX tasks_attachments_place ON tasks_attachments (record_id, place);
CREATE TABLE approvals_attachments (
    id          UUID PRIMARY KEY,
    version     BIGINT NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL,
    updated_at  TIMESTAMPTZ NOT NULL,
    record_type TEXT NOT NULL,
    record_id   UUID NOT NULL,
    author_id   UUID NOT NULL,
    name        TEXT NOT NULL,
    media_type  TEXT NOT NULL,
    size        BIGINT NOT NULL,
    sha256      TEXT NOT NULL,
    place       BIGINT NOT NULL CHECK (place BETWEEN 1 AND 50)
);
CREATE INDEX approvals_attachments_record ON approvals_attachments (record_id, created_at, id);
-- So many have room beside a record.
CREATE UNIQUE INDEX approvals_attachments_place ON approvals_attachments (record_id, place);

-- Files that are being received, or were and belong to no record yet: the commit that attaches one deletes its row.
CREATE TABLE uploads (
    id         UUID PRIMARY KEY, -- the attachment's, later
    version    BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    record_id  UUID NOT NULL,
    user_id    UUID NOT NULL,
    name       TEXT NOT NULL,
    media_type TEXT, -- NULL until the file is whole
    size       BIGINT,
    sha256     TEXT
);
CREATE INDEX uploads_created ON uploads (created_at);

-- The bytes of uploads and attachments, written outside the journal, which would wait for them.
CREATE TABLE attachment_parts (
    upload_id UUID NOT NULL,
    part      BIGINT NOT NULL,
    record_id UUID NOT NULL,
    bytes     BYTEA NOT NULL
);
CREATE UNIQUE INDEX attachment_parts_upload ON attachment_parts (upload_id, part);
CREATE INDEX attachment_parts_record ON attachment_parts (record_id);
-- Files are compressed already, most of them.
ALTER TABLE attachment_parts ALTER COLUMN bytes SET STORAGE EXTERNAL;
