-- How many records there are, by kind, whose they are, when, and what they are. `kizuna projections rebuild` makes them anew.
-- scope: the user's id; or *, which has all users'.
-- bucket: E for all times; a day (D2026-03-02) or a quarter of an hour (Q2026-03-02T09:15) in UTC.
-- high, low: the sum of amounts in two halves, which do not overflow.
CREATE TABLE tallies (
    kind   TEXT NOT NULL,
    scope  TEXT NOT NULL,
    bucket TEXT NOT NULL,
    value  TEXT NOT NULL,
    count  INTEGER NOT NULL,
    high   INTEGER NOT NULL,
    low    INTEGER NOT NULL,
    PRIMARY KEY (kind, scope, bucket, value)
) STRICT, WITHOUT ROWID;

-- What triggers append in the transaction of a record, and a folder adds to `tallies` later. A count is the sum of both.
-- count: 1 for what is added, -1 for what is taken away; `amount` is that of the record in both.
CREATE TABLE tally_changes (
    number INTEGER PRIMARY KEY,
    kind   TEXT NOT NULL,
    owner  TEXT NOT NULL,
    at     TEXT NOT NULL,
    value  TEXT NOT NULL,
    count  INTEGER NOT NULL,
    amount INTEGER NOT NULL
) STRICT;

-- What each record adds.
CREATE VIEW tallied AS
SELECT 'customers' AS kind, owner_id AS owner, created_at AS at, iif(deleted_at IS NULL, status, 'DELETED') AS value, 1 AS count, 0 AS amount
FROM customers
UNION ALL
SELECT 'customers.deleted', owner_id, deleted_at, '', 1, 0 FROM customers WHERE deleted_at IS NOT NULL
UNION ALL
SELECT 'meetings', owner_id, met_at, '', 1, 0 FROM meetings WHERE deleted_at IS NULL
UNION ALL
SELECT 'tasks', assignee_id, due_at, status, 1, 0 FROM tasks WHERE deleted_at IS NULL
UNION ALL
SELECT 'tasks.done', assignee_id, completed_at, '', 1, 0 FROM tasks WHERE deleted_at IS NULL AND completed_at IS NOT NULL
UNION ALL
SELECT 'approvals', requester_id, created_at, status || '/' || currency, 1, amount FROM approvals;

-- Quarters of an hour of each user, of all users; days from quarters, and all times from days.
INSERT INTO tallies (kind, scope, bucket, value, count, high, low)
SELECT kind, owner, 'Q' || substr(at, 1, 14) || printf('%02d', substr(at, 15, 2) / 15 * 15), value,
    sum(count), sum(count * (amount >> 32)), sum(count * (amount & 4294967295))
FROM tallied GROUP BY 1, 2, 3, 4;
INSERT INTO tallies (kind, scope, bucket, value, count, high, low)
SELECT kind, '*', bucket, value, sum(count), sum(high), sum(low) FROM tallies GROUP BY kind, bucket, value;
INSERT INTO tallies (kind, scope, bucket, value, count, high, low)
SELECT kind, scope, 'D' || substr(bucket, 2, 10), value, sum(count), sum(high), sum(low) FROM tallies GROUP BY 1, 2, 3, 4;
INSERT INTO tallies (kind, scope, bucket, value, count, high, low)
SELECT kind, scope, 'E', value, sum(count), sum(high), sum(low) FROM tallies WHERE bucket < 'E' GROUP BY kind, scope, value;

-- What is changed otherwise (a name) is counted as before. A record that changes its place is taken away there, and added here.
CREATE TRIGGER customers_counted AFTER INSERT ON customers BEGIN
    INSERT INTO tally_changes (kind, owner, at, value, count, amount)
    VALUES ('customers', NEW.owner_id, NEW.created_at, iif(NEW.deleted_at IS NULL, NEW.status, 'DELETED'), 1, 0);
END;
CREATE TRIGGER customers_not_counted AFTER UPDATE ON customers
WHEN (OLD.owner_id IS NOT NEW.owner_id OR OLD.created_at IS NOT NEW.created_at OR OLD.deleted_at IS NOT NEW.deleted_at OR OLD.status IS NOT NEW.status) BEGIN
    INSERT INTO tally_changes (kind, owner, at, value, count, amount)
    VALUES ('customers', OLD.owner_id, OLD.created_at, iif(OLD.deleted_at IS NULL, OLD.status, 'DELETED'), -1, 0);
END;
CREATE TRIGGER customers_counted_anew AFTER UPDATE ON customers
WHEN (OLD.owner_id IS NOT NEW.owner_id OR OLD.created_at IS NOT NEW.created_at OR OLD.deleted_at IS NOT NEW.deleted_at OR OLD.status IS NOT NEW.status) BEGIN
    INSERT INTO tally_changes (kind, owner, at, value, count, amount)
    VALUES ('customers', NEW.owner_id, NEW.created_at, iif(NEW.deleted_at IS NULL, NEW.status, 'DELETED'), 1, 0);
END;
CREATE TRIGGER customers_removed AFTER DELETE ON customers BEGIN
    INSERT INTO tally_changes (kind, owner, at, value, count, amount)
    VALUES ('customers', OLD.owner_id, OLD.created_at, iif(OLD.deleted_at IS NULL, OLD.status, 'DELETED'), -1, 0);
END;

CREATE TRIGGER customers_deleted_counted AFTER INSERT ON customers WHEN NEW.deleted_at IS NOT NULL BEGIN
    INSERT INTO tally_changes (kind, owner, at, value, count, amount)
    VALUES ('customers.deleted', NEW.owner_id, NEW.deleted_at, '', 1, 0);
END;
CREATE TRIGGER customers_deleted_not_counted AFTER UPDATE ON customers
WHEN (OLD.owner_id IS NOT NEW.owner_id OR OLD.deleted_at IS NOT NEW.deleted_at) AND OLD.deleted_at IS NOT NULL BEGIN
    INSERT INTO tally_changes (kind, owner, at, value, count, amount)
    VALUES ('customers.deleted', OLD.owner_id, OLD.deleted_at, '', -1, 0);
END;
CREATE TRIGGER customers_deleted_counted_anew AFTER UPDATE ON customers
WHEN (OLD.owner_id IS NOT NEW.owner_id OR OLD.deleted_at IS NOT NEW.deleted_at) AND NEW.deleted_at IS NOT NULL BEGIN
    INSERT INTO tally_changes (kind, owner, at, value, count, amount)
    VALUES ('customers.deleted', NEW.owner_id, NEW.deleted_at, '', 1, 0);
END;
CREATE TRIGGER customers_deleted_removed AFTER DELETE ON customers WHEN OLD.deleted_at IS NOT NULL BEGIN
    INSERT INTO tally_changes (kind, owner, at, value, count, amount)
    VALUES ('customers.deleted', OLD.owner_id, OLD.deleted_at, '', -1, 0);
END;

CREATE TRIGGER meetings_counted AFTER INSERT ON meetings WHEN NEW.deleted_at IS NULL BEGIN
    INSERT INTO tally_changes (kind, owner, at, value, count, amount)
    VALUES ('meetings', NEW.owner_id, NEW.met_at, '', 1, 0);
END;
CREATE TRIGGER meetings_not_counted AFTER UPDATE ON meetings
WHEN (OLD.owner_id IS NOT NEW.owner_id OR OLD.met_at IS NOT NEW.met_at OR OLD.deleted_at IS NOT NEW.deleted_at) AND OLD.deleted_at IS NULL BEGIN
    INSERT INTO tally_changes (kind, owner, at, value, count, amount)
    VALUES ('meetings', OLD.owner_id, OLD.met_at, '', -1, 0);
END;
CREATE TRIGGER meetings_counted_anew AFTER UPDATE ON meetings
WHEN (OLD.owner_id IS NOT NEW.owner_id OR OLD.met_at IS NOT NEW.met_at OR OLD.deleted_at IS NOT NEW.deleted_at) AND NEW.deleted_at IS NULL BEGIN
    INSERT INTO tally_changes (kind, owner, at, value, count, amount)
    VALUES ('meetings', NEW.owner_id, NEW.met_at, '', 1, 0);
END;
CREATE TRIGGER meetings_removed AFTER DELETE ON meetings WHEN OLD.deleted_at IS NULL BEGIN
    INSERT INTO tally_changes (kind, owner, at, value, count, amount)
    VALUES ('meetings', OLD.owner_id, OLD.met_at, '', -1, 0);
END;

CREATE TRIGGER tasks_counted AFTER INSERT ON tasks WHEN NEW.deleted_at IS NULL BEGIN
    INSERT INTO tally_changes (kind, owner, at, value, count, amount)
    VALUES ('tasks', NEW.assignee_id, NEW.due_at, NEW.status, 1, 0);
END;
CREATE TRIGGER tasks_not_counted AFTER UPDATE ON tasks
WHEN (OLD.assignee_id IS NOT NEW.assignee_id OR OLD.due_at IS NOT NEW.due_at OR OLD.status IS NOT NEW.status OR OLD.deleted_at IS NOT NEW.deleted_at) AND OLD.deleted_at IS NULL BEGIN
    INSERT INTO tally_changes (kind, owner, at, value, count, amount)
    VALUES ('tasks', OLD.assignee_id, OLD.due_at, OLD.status, -1, 0);
END;
CREATE TRIGGER tasks_counted_anew AFTER UPDATE ON tasks
WHEN (OLD.assignee_id IS NOT NEW.assignee_id OR OLD.due_at IS NOT NEW.due_at OR OLD.status IS NOT NEW.status OR OLD.deleted_at IS NOT NEW.deleted_at) AND NEW.deleted_at IS NULL BEGIN
    INSERT INTO tally_changes (kind, owner, at, value, count, amount)
    VALUES ('tasks', NEW.assignee_id, NEW.due_at, NEW.status, 1, 0);
END;
CREATE TRIGGER tasks_removed AFTER DELETE ON tasks WHEN OLD.deleted_at IS NULL BEGIN
    INSERT INTO tally_changes (kind, owner, at, value, count, amount)
    VALUES ('tasks', OLD.assignee_id, OLD.due_at, OLD.status, -1, 0);
END;

CREATE TRIGGER tasks_done_counted AFTER INSERT ON tasks WHEN NEW.deleted_at IS NULL AND NEW.completed_at IS NOT NULL BEGIN
    INSERT INTO tally_changes (kind, owner, at, value, count, amount)
    VALUES ('tasks.done', NEW.assignee_id, NEW.completed_at, '', 1, 0);
END;
CREATE TRIGGER tasks_done_not_counted AFTER UPDATE ON tasks
WHEN (OLD.assignee_id IS NOT NEW.assignee_id OR OLD.completed_at IS NOT NEW.completed_at OR OLD.deleted_at IS NOT NEW.deleted_at) AND OLD.deleted_at IS NULL AND OLD.completed_at IS NOT NULL BEGIN
    INSERT INTO tally_changes (kind, owner, at, value, count, amount)
    VALUES ('tasks.done', OLD.assignee_id, OLD.completed_at, '', -1, 0);
END;
CREATE TRIGGER tasks_done_counted_anew AFTER UPDATE ON tasks
WHEN (OLD.assignee_id IS NOT NEW.assignee_id OR OLD.completed_at IS NOT NEW.completed_at OR OLD.deleted_at IS NOT NEW.deleted_at) AND NEW.deleted_at IS NULL AND NEW.completed_at IS NOT NULL BEGIN
    INSERT INTO tally_changes (kind, owner, at, value, count, amount)
    VALUES ('tasks.done', NEW.assignee_id, NEW.completed_at, '', 1, 0);
END;
CREATE TRIGGER tasks_done_removed AFTER DELETE ON tasks WHEN OLD.deleted_at IS NULL AND OLD.completed_at IS NOT NULL BEGIN
    INSERT INTO tally_changes (kind, owner, at, value, count, amount)
    VALUES ('tasks.done', OLD.assignee_id, OLD.completed_at, '', -1, 0);
END;

CREATE TRIGGER approvals_counted AFTER INSERT ON approvals BEGIN
    INSERT INTO tally_changes (kind, owner, at, value, count, amount)
    VALUES ('approvals', NEW.requester_id, NEW.created_at, NEW.status || '/' || NEW.currency, 1, NEW.amount);
END;
CREATE TRIGGER approvals_not_counted AFTER UPDATE ON approvals
WHEN (OLD.requester_id IS NOT NEW.requester_id OR OLD.created_at IS NOT NEW.created_at OR OLD.status IS NOT NEW.status OR OLD.currency IS NOT NEW.currency OR OLD.amount IS NOT NEW.amount) BEGIN
    INSERT INTO tally_changes (kind, owner, at, value, count, amount)
    VALUES ('approvals', OLD.requester_id, OLD.created_at, OLD.status || '/' || OLD.currency, -1, OLD.amount);
END;
CREATE TRIGGER approvals_counted_anew AFTER UPDATE ON approvals
WHEN (OLD.requester_id IS NOT NEW.requester_id OR OLD.created_at IS NOT NEW.created_at OR OLD.status IS NOT NEW.status OR OLD.currency IS NOT NEW.currency OR OLD.amount IS NOT NEW.amount) BEGIN
    INSERT INTO tally_changes (kind, owner, at, value, count, amount)
    VALUES ('approvals', NEW.requester_id, NEW.created_at, NEW.status || '/' || NEW.currency, 1, NEW.amount);
END;
CREATE TRIGGER approvals_removed AFTER DELETE ON approvals BEGIN
    INSERT INTO tally_changes (kind, owner, at, value, count, amount)
    VALUES ('approvals', OLD.requester_id, OLD.created_at, OLD.status || '/' || OLD.currency, -1, OLD.amount);
END;
