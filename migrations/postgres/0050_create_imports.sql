-- Imports of files. The bytes of a file are in attachment_parts, under the import's id.
CREATE TABLE imports (
    id         UUID PRIMARY KEY,
    version    BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    created_by UUID NOT NULL,
    kind       TEXT NOT NULL,
    file_name  TEXT NOT NULL,
    format     TEXT NOT NULL,
    encoding   TEXT,
    headers    JSON NOT NULL,
    mapping    JSON NOT NULL,
    match_on   TEXT NOT NULL,
    date_order TEXT NOT NULL,
    decimal    TEXT NOT NULL,
    time_zone  TEXT NOT NULL,
    status     TEXT NOT NULL,
    counts     JSON NOT NULL,
    faults     JSON NOT NULL,
    saga       UUID, -- once it has begun
    staged     JSON NOT NULL
);
CREATE INDEX imports_created ON imports (created_at, id);
CREATE INDEX imports_creator ON imports (created_by, created_at, id);
CREATE INDEX imports_updated ON imports (updated_at, id);

-- The first rows of each outcome of a preview.
CREATE TABLE import_rows (
    id        TEXT COLLATE "C" PRIMARY KEY, -- import/outcome
    version   BIGINT NOT NULL,
    import_id UUID NOT NULL,
    rows      JSON NOT NULL
);
CREATE INDEX import_rows_import ON import_rows (import_id);
