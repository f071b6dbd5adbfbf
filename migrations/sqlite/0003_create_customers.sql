CREATE TABLE customers (
    id         TEXT PRIMARY KEY,
    version    INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    deleted_at TEXT,
    name       TEXT NOT NULL,
    email      TEXT,
    phone      TEXT,
    company    TEXT,
    status     TEXT NOT NULL,
    notes      TEXT,
    owner_id   TEXT NOT NULL,
    search     TEXT NOT NULL -- name, company and email in lower case, for ?q=
) STRICT;
CREATE INDEX customers_created ON customers (created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX customers_owner ON customers (owner_id, created_at, id) WHERE deleted_at IS NULL;
-- With the owner: a SALES user's look-up by address must not walk through all of their customers.
CREATE INDEX customers_email ON customers (email, owner_id) WHERE deleted_at IS NULL;
