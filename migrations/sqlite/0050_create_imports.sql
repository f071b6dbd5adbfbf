-- Imports of files. The bytes of a file are in attachment_parts, under the import's id.
CREATE TABLE imports (
    id         TEXT PRIMARY KEY,
    version    INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    created_by TEXT NOT NULL,
    kind       TEXT NOT NULL,
    file_name  TEXT NOT NULL,
    format     TEXT NOT NULL,
    encoding   TEXT,
    headers    TEXT NOT NULL,
    mapping    TEXT NOT NULL,
    match_on   TEXT NOT NULL,
    date_order TEXT NOT NULL,
    decimal    TEXT NOT NULL,
    time_zone  TEXT NOT NULL,
    status     TEXT NOT NULL,
    counts     TEXT NOT NULL,
    faults     TEXT NOT NULL,
    saga       TEXT, -- once it has begun
    staged     TEXT NOT NULL
) STRICT;
CREATE INDEX imports_created ON imports (created_at, id);
CREATE INDEX imports_creator ON imports (created_by, created_at, id);
CREATE INDEX imports_updated ON imports (updated_at, id);

-- The first rows of each outcome of a preview.
CREATE TABLE import_rows (
    id        TEXT PRIMARY KEY, -- import/outcome
    version   INTEGER NOT NULL,
    import_id TEXT NOT NULL,
    rows      TEXT NOT NULL
) STRICT;
CREATE INDEX import_rows_import ON import_rows (import_id);
