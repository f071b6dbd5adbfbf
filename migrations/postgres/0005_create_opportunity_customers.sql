-- What opportunity knows of customers, copied from their events: the fallback when the customer service is away.
CREATE TABLE opportunity_customers (
    id         UUID PRIMARY KEY,
    version    BIGINT NOT NULL,
    name       TEXT NOT NULL,
    owner_id   UUID NOT NULL,
    deleted_at TIMESTAMPTZ
);
