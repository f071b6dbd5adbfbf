CREATE TABLE tasks (
    id           UUID PRIMARY KEY,
    version      BIGINT NOT NULL,
    created_at   TIMESTAMPTZ NOT NULL,
    updated_at   TIMESTAMPTZ NOT NULL,
    deleted_at   TIMESTAMPTZ,
    title        TEXT NOT NULL,
    due_at       TIMESTAMPTZ NOT NULL,
    status       TEXT NOT NULL, -- OPEN, DONE
    completed_at TIMESTAMPTZ,
    customer_id  UUID,
    assignee_id  UUID NOT NULL,
    notes        TEXT,
    alerted_for  TIMESTAMPTZ -- the due time that an alert went out for
);
CREATE INDEX tasks_due ON tasks (due_at, id) WHERE deleted_at IS NULL;
CREATE INDEX tasks_status ON tasks (status, due_at, id) WHERE deleted_at IS NULL;
CREATE INDEX tasks_assignee ON tasks (assignee_id, due_at, id) WHERE deleted_at IS NULL;
CREATE INDEX tasks_customer ON tasks (customer_id, due_at, id) WHERE deleted_at IS NULL;
CREATE INDEX tasks_completed ON tasks (completed_at) WHERE deleted_at IS NULL AND completed_at IS NOT NULL;
-- What a scan for due alerts reads: without those that have had theirs, however many are overdue.
CREATE INDEX tasks_unalerted ON tasks (due_at, id)
    WHERE deleted_at IS NULL AND status = 'OPEN' AND alerted_for IS DISTINCT FROM due_at;
