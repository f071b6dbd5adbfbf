CREATE TABLE approvals (
    id           UUID PRIMARY KEY,
    version      BIGINT NOT NULL,
    created_at   TIMESTAMPTZ NOT NULL,
    updated_at   TIMESTAMPTZ NOT NULL,
    customer_id  UUID NOT NULL,
    title        TEXT NOT NULL,
    amount       BIGINT NOT NULL, -- in the currency's minor unit
    currency     TEXT NOT NULL,
    reason       TEXT,
    status       TEXT NOT NULL,
    requester_id UUID NOT NULL,
    approver_id  UUID, -- none: every MANAGER
    decided_by   UUID,
    decided_at   TIMESTAMPTZ,
    comment      TEXT
);
CREATE INDEX approvals_created ON approvals (created_at, id);
CREATE INDEX approvals_status ON approvals (status, created_at, id);
CREATE INDEX approvals_customer ON approvals (customer_id, created_at, id);
CREATE INDEX approvals_requester ON approvals (requester_id, created_at, id);
CREATE INDEX approvals_approver ON approvals (approver_id, created_at, id);
-- What a deletion must find, among ever more that are decided.
CREATE INDEX approvals_pending_customer ON approvals (customer_id) WHERE status = 'PENDING';
CREATE INDEX approvals_pending_requester ON approvals (requester_id) WHERE status = 'PENDING';
CREATE INDEX approvals_pending_approver ON approvals (approver_id) WHERE status = 'PENDING';
