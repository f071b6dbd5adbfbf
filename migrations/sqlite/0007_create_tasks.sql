CREATE TABLE tasks (
    id           TEXT PRIMARY KEY,
    version      INTEGER NOT NULL,
    created_at   TEXT NOT NULL,
    updated_at   TEXT NOT NULL,
    deleted_at   TEXT,
    title        TEXT NOT NULL,
    due_at       TEXT NOT NULL,
    status       TEXT NOT NULL, -- OPEN, DONE
    completed_at TEXT,
    customer_id  TEXT,
    assignee_id  TEXT NOT NULL,
    notes        TEXT,
    alerted_for  TEXT -- the due time that an alert went out for
) STRICT;
CREATE INDEX tasks_due ON tasks (due_at, id) WHERE deleted_at IS NULL;
CREATE INDEX tasks_status ON tasks (status, due_at, id) WHERE deleted_at IS NULL;
CREATE INDEX tasks_assignee ON tasks (assignee_id, due_at, id) WHERE deleted_at IS NULL;
CREATE INDEX tasks_customer ON tasks (customer_id, due_at, id) WHERE deleted_at IS NULL;
CREATE INDEX tasks_completed ON tasks (completed_at) WHERE deleted_at IS NULL AND completed_at IS NOT NULL;
-- What a scan for due alerts reads: without those that have had theirs, however many are overdue.
-- `status` leads, or SQLite would prefer tasks_status.
CREATE INDEX tasks_unalerted ON tasks (status, due_at, id)
    WHERE deleted_at IS NULL AND status = 'OPEN' AND alerted_for IS DISTINCT FROM due_at;
