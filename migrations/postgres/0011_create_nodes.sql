-- The nodes of a cluster: each holds a lease by this database's clock, and renews it while it lives.
CREATE TABLE nodes (
    id          TEXT COLLATE "C" PRIMARY KEY, -- the node's name
    incarnation UUID NOT NULL, -- which of its processes, one after another
    address     TEXT, -- where its API listens
    services    JSON NOT NULL, -- those it hosts
    version     TEXT NOT NULL, -- of its program
    started_at  TIMESTAMPTZ NOT NULL,
    expires_at  TIMESTAMPTZ NOT NULL
) WITH (fillfactor = 50);

-- What tells this cluster from any other that shares its Redis.
CREATE TABLE cluster (id UUID PRIMARY KEY);
INSERT INTO cluster (id) VALUES (gen_random_uuid());
