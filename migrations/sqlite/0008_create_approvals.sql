CREATE TABLE approvals (
    id           TEXT PRIMARY KEY,
    version      INTEGER NOT NULL,
    created_at   TEXT NOT NULL,
    updated_at   TEXT NOT NULL,
    customer_id  TEXT NOT NULL,
    title        TEXT NOT NULL,
    amount       INTEGER NOT NULL, -- in the currency's minor unit
    currency     TEXT NOT NULL,
    reason       TEXT,
    status       TEXT NOT NULL,
    requester_id TEXT NOT NULL,
    approver_id  TEXT, -- none: every MANAGER
    decided_by   TEXT,
    decided_at   TEXT,
    comment      TEXT
) STRICT;
CREATE INDEX approvals_created ON approvals (created_at, id);
CREATE INDEX approvals_status ON approvals (status, created_at, id);
CREATE INDEX approvals_customer ON approvals (customer_id, created_at, id);
CREATE INDEX approvals_requester ON approvals (requester_id, created_at, id);
CREATE INDEX approvals_approver ON approvals (approver_id, created_at, id);
-- What a deletion must find, among ever more that are decided.
CREATE INDEX approvals_pending_customer ON approvals (customer_id) WHERE status = 'PENDING';
CREATE INDEX approvals_pending_requester ON approvals (requester_id) WHERE status = 'PENDING';
CREATE INDEX approvals_pending_approver ON approvals (approver_id) WHERE status = 'PENDING';
