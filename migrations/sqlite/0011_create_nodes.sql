-- The nodes of a cluster, which SQLite has none of: the tables are here so that both schemas are the same.
CREATE TABLE nodes (
    id          TEXT PRIMARY KEY, -- the node's name
    incarnation TEXT NOT NULL, -- which of its processes, one after another
    address     TEXT, -- where its API listens
    services    TEXT NOT NULL, -- those it hosts
    version     TEXT NOT NULL, -- of its program
    started_at  TEXT NOT NULL,
    expires_at  TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What tells this cluster from any other that shares its Redis.
CREATE TABLE cluster (id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
