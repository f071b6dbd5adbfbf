-- The ids that records have in the programs that they were imported from. Each service has its own.
CREATE TABLE customer_external_ids (
    id      TEXT COLLATE "C" PRIMARY KEY, -- kind/external id
    version BIGINT NOT NULL,
    records JSON NOT NULL -- all that have it: people who do not see each other's records may use the same ids
);
CREATE TABLE sales_external_ids (
    id      TEXT COLLATE "C" PRIMARY KEY, -- kind/external id
    version BIGINT NOT NULL,
    records JSON NOT NULL -- all that have it: people who do not see each other's records may use the same ids
);
CREATE TABLE opportunity_external_ids (
    id      TEXT COLLATE "C" PRIMARY KEY, -- kind/external id
    version BIGINT NOT NULL,
    records JSON NOT NULL -- all that have it: people who do not see each other's records may use the same ids
);
