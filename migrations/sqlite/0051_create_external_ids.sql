-- The ids that records have in the programs that they were imported from. Each service has its own.
CREATE TABLE customer_external_ids (
    id      TEXT PRIMARY KEY, -- kind/external id
    version INTEGER NOT NULL,
    records TEXT NOT NULL -- all that have it: people who do not see each other's records may use the same ids
) STRICT, WITHOUT ROWID;
CREATE TABLE sales_external_ids (
    id      TEXT PRIMARY KEY, -- kind/external id
    version INTEGER NOT NULL,
    records TEXT NOT NULL -- all that have it: people who do not see each other's records may use the same ids
) STRICT, WITHOUT ROWID;
CREATE TABLE opportunity_external_ids (
    id      TEXT PRIMARY KEY, -- kind/external id
    version INTEGER NOT NULL,
    records TEXT NOT NULL -- all that have it: people who do not see each other's records may use the same ids
) STRICT, WITHOUT ROWID;
