-- For every order and filter that a list offers, an index that has the rows in that order. Most begin with the status, or with
-- whose rows they are and the status: a list of all statuses merges one range for each.
-- `customers` gets numbers for the index of texts: those that SQLite gives to rows of itself may change (VACUUM).
ALTER TABLE customers RENAME TO customers_before;
CREATE TABLE customers (
    number     INTEGER PRIMARY KEY,
    id         TEXT NOT NULL,
    version    INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    deleted_at TEXT,
    name       TEXT NOT NULL,
    kana       TEXT,
    email      TEXT,
    phone      TEXT,
    company    TEXT,
    status     TEXT NOT NULL,
    notes      TEXT,
    owner_id   TEXT NOT NULL,
    search     TEXT NOT NULL, -- the keys of name, kana, company and email, for ?q=
    name_order TEXT NOT NULL DEFAULT '' -- the sort key of the kana or the name
) STRICT;
INSERT INTO customers (
    id, version, created_at, updated_at, deleted_at, name, kana, email, phone, company, status, notes, owner_id, search, name_order
)
SELECT id, version, created_at, updated_at, deleted_at, name, kana, email, phone, company, status, notes, owner_id, search, name_order
FROM customers_before ORDER BY id;
DROP TABLE customers_before;
CREATE UNIQUE INDEX customers_id ON customers (id);
CREATE INDEX customers_unkeyed ON customers (id) WHERE unicode(search) >= 32;
-- With the owner: a SALES user's look-up by address must not walk through all of their customers.
CREATE INDEX customers_email ON customers (email, owner_id) WHERE deleted_at IS NULL;
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
