-- Deletions that several services carry out, advanced by the events that close their steps.
CREATE TABLE sagas (
    id          UUID PRIMARY KEY,
    version     BIGINT NOT NULL,
    kind        TEXT NOT NULL,
    subject_id  UUID NOT NULL,
    status      TEXT NOT NULL,
    started_by  UUID,
    started_at  TIMESTAMPTZ NOT NULL,
    finished_at TIMESTAMPTZ,
    steps       JSON NOT NULL
);
CREATE INDEX sagas_started ON sagas (started_at, id);
CREATE INDEX sagas_starter ON sagas (started_by, started_at, id);

-- Who is gone, as each service keeps it in mind for records that come late.
CREATE TABLE customer_departures (
    id           UUID PRIMARY KEY,
    version      BIGINT NOT NULL,
    successor_id UUID,
    approver_id  UUID,
    saga_id      UUID NOT NULL
);
CREATE TABLE sales_departures (
    id           UUID PRIMARY KEY,
    version      BIGINT NOT NULL,
    successor_id UUID,
    approver_id  UUID,
    saga_id      UUID NOT NULL
);
CREATE TABLE opportunity_departures (
    id           UUID PRIMARY KEY,
    version      BIGINT NOT NULL,
    successor_id UUID,
    approver_id  UUID,
    saga_id      UUID NOT NULL
);
CREATE TABLE analytics_departures (
    id           UUID PRIMARY KEY,
    version      BIGINT NOT NULL,
    successor_id UUID,
    approver_id  UUID,
    saga_id      UUID NOT NULL
);
