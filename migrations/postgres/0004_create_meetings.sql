CREATE TABLE meetings (
    id               UUID PRIMARY KEY,
    version          BIGINT NOT NULL,
    created_at       TIMESTAMPTZ NOT NULL,
    updated_at       TIMESTAMPTZ NOT NULL,
    deleted_at       TIMESTAMPTZ,
    customer_id      UUID NOT NULL,
    title            TEXT NOT NULL,
    met_at           TIMESTAMPTZ NOT NULL,
    duration_minutes BIGINT,
    location         TEXT,
    notes            TEXT,
    outcome          TEXT,
    owner_id         UUID NOT NULL
);
CREATE INDEX meetings_met ON meetings (met_at, id) WHERE deleted_at IS NULL;
CREATE INDEX meetings_owner ON meetings (owner_id, met_at, id) WHERE deleted_at IS NULL;
CREATE INDEX meetings_customer ON meetings (customer_id, met_at, id) WHERE deleted_at IS NULL;

-- What sales knows of customers, copied from their events: the fallback when the customer service is away.
CREATE TABLE sales_customers (
    id         UUID PRIMARY KEY,
    version    BIGINT NOT NULL,
    name       TEXT NOT NULL,
    owner_id   UUID NOT NULL,
    deleted_at TIMESTAMPTZ
);
