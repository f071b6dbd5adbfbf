-- On a large database this takes longer than a statement may.
SET LOCAL statement_timeout = 0;

-- For every order and filter that a list offers, an index that has the rows in that order. Most begin with the status, or with
-- whose rows they are and the status: a list of all statuses merges one range for each.
DROP INDEX customers_created;
DROP INDEX customers_owner;
CREATE INDEX customers_by_creation ON customers (status, created_at, id) WHERE deleted_at IS NULL;
-- With the owner at the end: one owner's customers by name or change are picked out of these, or sorted if they are few.
CREATE INDEX customers_by_name ON customers (status, name_order, id, owner_id) WHERE deleted_at IS NULL;
CREATE INDEX customers_by_change ON customers (status, updated_at, id, owner_id) WHERE deleted_at IS NULL;
CREATE INDEX customers_of_owner_by_creation ON customers (owner_id, status, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX customers_deleted_by_creation ON customers (created_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX customers_deleted_by_deletion ON customers (deleted_at) WHERE deleted_at IS NOT NULL;

DROP INDEX tasks_due;
DROP INDEX tasks_assignee;
CREATE INDEX tasks_of_assignee ON tasks (assignee_id, status, due_at, id) WHERE deleted_at IS NULL;

DROP INDEX approvals_created;
DROP INDEX approvals_requester;
DROP INDEX approvals_approver;
CREATE INDEX approvals_of_requester ON approvals (requester_id, status, created_at, id);
CREATE INDEX approvals_of_approver ON approvals (approver_id, status, created_at, id);
CREATE INDEX approvals_of_both ON approvals (requester_id, approver_id, status, created_at, id);
