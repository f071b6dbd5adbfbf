-- What each deal adds: its number and amount by stage, currency and probability (QUALIFY/JPY/10).
DROP VIEW tallied;
CREATE VIEW tallied AS
SELECT t.kind, t.owner, t.at, t.value, 1::bigint AS count, t.amount
FROM customers AS r CROSS JOIN LATERAL customers_tallied(r.created_at, r.deleted_at, r.owner_id, r.status) AS t
UNION ALL
SELECT 'meetings', owner_id, met_at, '', 1, 0 FROM meetings WHERE deleted_at IS NULL
UNION ALL
SELECT t.kind, t.owner, t.at, t.value, 1, t.amount
FROM tasks AS r CROSS JOIN LATERAL tasks_tallied(r.assignee_id, r.completed_at, r.deleted_at, r.due_at, r.status) AS t
UNION ALL
SELECT 'approvals', requester_id, created_at, status || '/' || currency, 1, amount FROM approvals
UNION ALL
SELECT 'deals', owner_id, created_at, stage || '/' || currency || '/' || probability, 1, amount FROM deals WHERE deleted_at IS NULL;

CREATE FUNCTION tally_deals() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO tally_changes (kind, record, owner, at, value, count, amount)
        SELECT 'deals', r.id, r.owner_id, r.created_at, r.stage || '/' || r.currency || '/' || r.probability, 1, r.amount FROM new_rows AS r WHERE r.deleted_at IS NULL;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO tally_changes (kind, record, owner, at, value, count, amount)
        SELECT 'deals', r.id, r.owner_id, r.created_at, r.stage || '/' || r.currency || '/' || r.probability, -1, r.amount FROM old_rows AS r WHERE r.deleted_at IS NULL;
    ELSIF EXISTS (SELECT 1 FROM new_rows) THEN
        INSERT INTO tally_changes (kind, record, owner, at, value, count, amount)
        SELECT kind, record, owner, at, value, sum(count), amount FROM (
            SELECT 'deals', r.id, r.owner_id, r.created_at, r.stage || '/' || r.currency || '/' || r.probability, 1, r.amount FROM new_rows AS r WHERE r.deleted_at IS NULL
            UNION ALL
            SELECT 'deals', r.id, r.owner_id, r.created_at, r.stage || '/' || r.currency || '/' || r.probability, -1, r.amount FROM old_rows AS r WHERE r.deleted_at IS NULL
        ) AS c (kind, record, owner, at, value, count, amount) GROUP BY kind, record, owner, at, value, amount HAVING sum(count) <> 0;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER deals_added AFTER INSERT ON deals REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION tally_deals();
CREATE TRIGGER deals_changed AFTER UPDATE ON deals REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION tally_deals();
CREATE TRIGGER deals_removed AFTER DELETE ON deals REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION tally_deals();
