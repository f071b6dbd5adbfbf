-- On a large database this takes longer than a statement may.
SET LOCAL statement_timeout = 0;

-- The three-letter parts of what `?q=` and `/search` look for in meetings, tasks, approvals and deals: of their own texts and, behind them, of
-- the name of their customer, as their service's replica has it. As `customer_texts`, they are kept by a folder, for the records
-- that are named in `tally_changes`.
CREATE TABLE meeting_texts (
    id    UUID PRIMARY KEY,
    grams TSVECTOR NOT NULL
);
INSERT INTO meeting_texts (id, grams)
SELECT meetings.id, search_grams(coalesce(meetings.search, '') || coalesce(of.search, ''))
FROM meetings LEFT JOIN sales_customers AS of ON of.id = meetings.customer_id WHERE meetings.deleted_at IS NULL;
CREATE INDEX meeting_texts_grams ON meeting_texts USING gin (grams) WITH (fastupdate = on, gin_pending_list_limit = 256);
CREATE TABLE task_texts (
    id    UUID PRIMARY KEY,
    grams TSVECTOR NOT NULL
);
INSERT INTO task_texts (id, grams)
SELECT tasks.id, search_grams(coalesce(tasks.search, '') || coalesce(of.search, ''))
FROM tasks LEFT JOIN sales_customers AS of ON of.id = tasks.customer_id WHERE tasks.deleted_at IS NULL;
CREATE INDEX task_texts_grams ON task_texts USING gin (grams) WITH (fastupdate = on, gin_pending_list_limit = 256);
CREATE TABLE approval_texts (
    id    UUID PRIMARY KEY,
    grams TSVECTOR NOT NULL
);
INSERT INTO approval_texts (id, grams)
SELECT approvals.id, search_grams(coalesce(approvals.search, '') || coalesce(of.search, ''))
FROM approvals LEFT JOIN opportunity_customers AS of ON of.id = approvals.customer_id;
CREATE INDEX approval_texts_grams ON approval_texts USING gin (grams) WITH (fastupdate = on, gin_pending_list_limit = 256);
CREATE TABLE deal_texts (
    id    UUID PRIMARY KEY,
    grams TSVECTOR NOT NULL
);
INSERT INTO deal_texts (id, grams)
SELECT deals.id, search_grams(coalesce(deals.search, '') || coalesce(of.search, ''))
FROM deals LEFT JOIN opportunity_customers AS of ON of.id = deals.customer_id WHERE deals.deleted_at IS NULL;
CREATE INDEX deal_texts_grams ON deal_texts USING gin (grams) WITH (fastupdate = on, gin_pending_list_limit = 256);

-- Names a record whose text has changed, and counts nothing.
CREATE FUNCTION search_meetings_anew() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tally_changes (kind, record, owner, at, value, count, amount)
    SELECT 'meetings', n.id, n.owner_id, n.met_at, '', 0, 0
    FROM new_rows AS n JOIN old_rows AS o ON o.id = n.id
    WHERE o.search IS DISTINCT FROM n.search OR o.customer_id IS DISTINCT FROM n.customer_id;
    RETURN NULL;
END
$$;
CREATE TRIGGER meetings_searched_anew AFTER UPDATE ON meetings REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION search_meetings_anew();
CREATE FUNCTION search_tasks_anew() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tally_changes (kind, record, owner, at, value, count, amount)
    SELECT 'tasks', n.id, n.assignee_id, n.due_at, n.status, 0, 0
    FROM new_rows AS n JOIN old_rows AS o ON o.id = n.id
    WHERE o.search IS DISTINCT FROM n.search OR o.customer_id IS DISTINCT FROM n.customer_id;
    RETURN NULL;
END
$$;
CREATE TRIGGER tasks_searched_anew AFTER UPDATE ON tasks REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION search_tasks_anew();
CREATE FUNCTION search_approvals_anew() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tally_changes (kind, record, owner, at, value, count, amount)
    SELECT 'approvals', n.id, n.requester_id, n.created_at, n.status || '/' || n.currency, 0, 0
    FROM new_rows AS n JOIN old_rows AS o ON o.id = n.id
    WHERE o.search IS DISTINCT FROM n.search OR o.customer_id IS DISTINCT FROM n.customer_id;
    RETURN NULL;
END
$$;
CREATE TRIGGER approvals_searched_anew AFTER UPDATE ON approvals REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION search_approvals_anew();
CREATE FUNCTION search_deals_anew() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tally_changes (kind, record, owner, at, value, count, amount)
    SELECT 'deals', n.id, n.owner_id, n.created_at, n.stage || '/' || n.currency || '/' || n.probability, 0, 0
    FROM new_rows AS n JOIN old_rows AS o ON o.id = n.id
    WHERE o.search IS DISTINCT FROM n.search OR o.customer_id IS DISTINCT FROM n.customer_id;
    RETURN NULL;
END
$$;
CREATE TRIGGER deals_searched_anew AFTER UPDATE ON deals REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION search_deals_anew();

-- A customer's name is that of its records. The folder finds them when it comes to the customer, so that it misses none that a
-- transaction beside this one adds.
CREATE FUNCTION search_records_of_customer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tally_changes (kind, record, owner, at, value, count, amount)
    VALUES (TG_TABLE_NAME, NEW.id, NEW.owner_id, now(), '', 0, 0);
    RETURN NULL;
END
$$;
CREATE TRIGGER sales_customers_searched AFTER INSERT ON sales_customers
    FOR EACH ROW WHEN (NEW.search IS NOT NULL) EXECUTE FUNCTION search_records_of_customer();
CREATE TRIGGER sales_customers_searched_anew AFTER UPDATE OF search ON sales_customers
    FOR EACH ROW WHEN (OLD.search IS DISTINCT FROM NEW.search) EXECUTE FUNCTION search_records_of_customer();
CREATE TRIGGER opportunity_customers_searched AFTER INSERT ON opportunity_customers
    FOR EACH ROW WHEN (NEW.search IS NOT NULL) EXECUTE FUNCTION search_records_of_customer();
CREATE TRIGGER opportunity_customers_searched_anew AFTER UPDATE OF search ON opportunity_customers
    FOR EACH ROW WHEN (OLD.search IS DISTINCT FROM NEW.search) EXECUTE FUNCTION search_records_of_customer();
