-- What each deal adds: its number and amount by stage, currency and probability (QUALIFY/JPY/10).
DROP VIEW tallied;
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
SELECT 'approvals', requester_id, created_at, status || '/' || currency, 1, amount FROM approvals
UNION ALL
SELECT 'deals', owner_id, created_at, stage || '/' || currency || '/' || probability, 1, amount FROM deals WHERE deleted_at IS NULL;

CREATE TRIGGER deals_counted AFTER INSERT ON deals WHEN NEW.deleted_at IS NULL BEGIN
    INSERT INTO tally_changes (kind, owner, at, value, count, amount)
    VALUES ('deals', NEW.owner_id, NEW.created_at, NEW.stage || '/' || NEW.currency || '/' || NEW.probability, 1, NEW.amount);
END;
CREATE TRIGGER deals_not_counted AFTER UPDATE ON deals
WHEN (OLD.owner_id IS NOT NEW.owner_id OR OLD.created_at IS NOT NEW.created_at OR OLD.stage IS NOT NEW.stage OR OLD.currency IS NOT NEW.currency OR OLD.probability IS NOT NEW.probability OR OLD.amount IS NOT NEW.amount OR OLD.deleted_at IS NOT NEW.deleted_at) AND OLD.deleted_at IS NULL BEGIN
    INSERT INTO tally_changes (kind, owner, at, value, count, amount)
    VALUES ('deals', OLD.owner_id, OLD.created_at, OLD.stage || '/' || OLD.currency || '/' || OLD.probability, -1, OLD.amount);
END;
CREATE TRIGGER deals_counted_anew AFTER UPDATE ON deals
WHEN (OLD.owner_id IS NOT NEW.owner_id OR OLD.created_at IS NOT NEW.created_at OR OLD.stage IS NOT NEW.stage OR OLD.currency IS NOT NEW.currency OR OLD.probability IS NOT NEW.probability OR OLD.amount IS NOT NEW.amount OR OLD.deleted_at IS NOT NEW.deleted_at) AND NEW.deleted_at IS NULL BEGIN
    INSERT INTO tally_changes (kind, owner, at, value, count, amount)
    VALUES ('deals', NEW.owner_id, NEW.created_at, NEW.stage || '/' || NEW.currency || '/' || NEW.probability, 1, NEW.amount);
END;
CREATE TRIGGER deals_removed AFTER DELETE ON deals WHEN OLD.deleted_at IS NULL BEGIN
    INSERT INTO tally_changes (kind, owner, at, value, count, amount)
    VALUES ('deals', OLD.owner_id, OLD.created_at, OLD.stage || '/' || OLD.currency || '/' || OLD.probability, -1, OLD.amount);
END;
