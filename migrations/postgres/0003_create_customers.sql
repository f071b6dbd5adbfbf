CREATE TABLE customers (
    id         UUID PRIMARY KEY,
    version    BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    deleted_at TIMESTAMPTZ,
    name       TEXT COLLATE "C" NOT NULL,
    email      TEXT COLLATE "C",
    phone      TEXT,
    company    TEXT,
    status     TEXT NOT NULL,
    notes      TEXT,
    owner_id   UUID NOT NULL,
    search     TEXT NOT NULL -- name, company and email in lower case, for ?q=
);
CREATE INDEX customers_created ON customers (created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX customers_owner ON customers (owner_id, created_at, id) WHERE deleted_at IS NULL;
-- With the owner: a SALES user's look-up by address must not walk through all of their customers.
CREATE INDEX customers_email ON customers (email, owner_id) WHERE deleted_at IS NULL;
