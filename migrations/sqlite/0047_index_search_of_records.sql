-- The three-letter parts of what `?q=` and `/search` look for in meetings, tasks, approvals and deals: of their own texts and, behind them, of
-- the name of their customer, as their service's replica has it. Two line feeds end each text, as in `customer_grams`.
-- SQLite may give a row another number of its own accord (VACUUM), so the index knows each record by the number of its row in `…_texts`,
-- which has the text as it is in the index: to take it out again, the index must be told it.
-- Triggers note which records have changed; a folder brings the index up to date, in batches. Until then a search compares the
-- records of `…_gram_changes` one by one.

CREATE TABLE meeting_texts (
    number INTEGER PRIMARY KEY,
    id     TEXT NOT NULL UNIQUE,
    search TEXT NOT NULL
) STRICT;
CREATE VIRTUAL TABLE meeting_grams
    USING fts5 (search, content = '', detail = none, columnsize = 0, tokenize = 'trigram case_sensitive 1');
CREATE VIRTUAL TABLE meeting_gram_rows USING fts5vocab (meeting_grams, instance);
CREATE TABLE meeting_gram_changes (
    number INTEGER PRIMARY KEY,
    id     TEXT NOT NULL
) STRICT;
INSERT INTO meeting_texts (id, search)
SELECT meetings.id, coalesce(meetings.search, '') || coalesce(of.search, '') || char(10, 10)
FROM meetings LEFT JOIN sales_customers AS of ON of.id = meetings.customer_id WHERE meetings.deleted_at IS NULL ORDER BY meetings.id;
INSERT INTO meeting_grams (rowid, search) SELECT number, search FROM meeting_texts;
CREATE TRIGGER meetings_searched AFTER INSERT ON meetings BEGIN
    INSERT INTO meeting_gram_changes (id) VALUES (NEW.id);
END;
CREATE TRIGGER meetings_searched_anew AFTER UPDATE OF search, customer_id, deleted_at ON meetings
WHEN OLD.search IS NOT NEW.search OR OLD.customer_id IS NOT NEW.customer_id OR (OLD.deleted_at IS NULL) <> (NEW.deleted_at IS NULL) BEGIN
    INSERT INTO meeting_gram_changes (id) VALUES (NEW.id);
END;
CREATE TRIGGER meetings_not_searched AFTER DELETE ON meetings BEGIN
    INSERT INTO meeting_gram_changes (id) VALUES (OLD.id);
END;

CREATE TABLE task_texts (
    number INTEGER PRIMARY KEY,
    id     TEXT NOT NULL UNIQUE,
    search TEXT NOT NULL
) STRICT;
CREATE VIRTUAL TABLE task_grams
    USING fts5 (search, content = '', detail = none, columnsize = 0, tokenize = 'trigram case_sensitive 1');
CREATE VIRTUAL TABLE task_gram_rows USING fts5vocab (task_grams, instance);
CREATE TABLE task_gram_changes (
    number INTEGER PRIMARY KEY,
    id     TEXT NOT NULL
) STRICT;
INSERT INTO task_texts (id, search)
SELECT tasks.id, coalesce(tasks.search, '') || coalesce(of.search, '') || char(10, 10)
FROM tasks LEFT JOIN sales_customers AS of ON of.id = tasks.customer_id WHERE tasks.deleted_at IS NULL ORDER BY tasks.id;
INSERT INTO task_grams (rowid, search) SELECT number, search FROM task_texts;
CREATE TRIGGER tasks_searched AFTER INSERT ON tasks BEGIN
    INSERT INTO task_gram_changes (id) VALUES (NEW.id);
END;
CREATE TRIGGER tasks_searched_anew AFTER UPDATE OF search, customer_id, deleted_at ON tasks
WHEN OLD.search IS NOT NEW.search OR OLD.customer_id IS NOT NEW.customer_id OR (OLD.deleted_at IS NULL) <> (NEW.deleted_at IS NULL) BEGIN
    INSERT INTO task_gram_changes (id) VALUES (NEW.id);
END;
CREATE TRIGGER tasks_not_searched AFTER DELETE ON tasks BEGIN
    INSERT INTO task_gram_changes (id) VALUES (OLD.id);
END;

CREATE TABLE approval_texts (
    number INTEGER PRIMARY KEY,
    id     TEXT NOT NULL UNIQUE,
    search TEXT NOT NULL
) STRICT;
CREATE VIRTUAL TABLE approval_grams
    USING fts5 (search, content = '', detail = none, columnsize = 0, tokenize = 'trigram case_sensitive 1');
CREATE VIRTUAL TABLE approval_gram_rows USING fts5vocab (approval_grams, instance);
CREATE TABLE approval_gram_changes (
    number INTEGER PRIMARY KEY,
    id     TEXT NOT NULL
) STRICT;
INSERT INTO approval_texts (id, search)
SELECT approvals.id, coalesce(approvals.search, '') || coalesce(of.search, '') || char(10, 10)
FROM approvals LEFT JOIN opportunity_customers AS of ON of.id = approvals.customer_id ORDER BY approvals.id;
INSERT INTO approval_grams (rowid, search) SELECT number, search FROM approval_texts;
CREATE TRIGGER approvals_searched AFTER INSERT ON approvals BEGIN
    INSERT INTO approval_gram_changes (id) VALUES (NEW.id);
END;
CREATE TRIGGER approvals_searched_anew AFTER UPDATE OF search, customer_id ON approvals
WHEN OLD.search IS NOT NEW.search OR OLD.customer_id IS NOT NEW.customer_id BEGIN
    INSERT INTO approval_gram_changes (id) VALUES (NEW.id);
END;
CREATE TRIGGER approvals_not_searched AFTER DELETE ON approvals BEGIN
    INSERT INTO approval_gram_changes (id) VALUES (OLD.id);
END;

CREATE TABLE deal_texts (
    number INTEGER PRIMARY KEY,
    id     TEXT NOT NULL UNIQUE,
    search TEXT NOT NULL
) STRICT;
CREATE VIRTUAL TABLE deal_grams
    USING fts5 (search, content = '', detail = none, columnsize = 0, tokenize = 'trigram case_sensitive 1');
CREATE VIRTUAL TABLE deal_gram_rows USING fts5vocab (deal_grams, instance);
CREATE TABLE deal_gram_changes (
    number INTEGER PRIMARY KEY,
    id     TEXT NOT NULL
) STRICT;
INSERT INTO deal_texts (id, search)
SELECT deals.id, coalesce(deals.search, '') || coalesce(of.search, '') || char(10, 10)
FROM deals LEFT JOIN opportunity_customers AS of ON of.id = deals.customer_id WHERE deals.deleted_at IS NULL ORDER BY deals.id;
INSERT INTO deal_grams (rowid, search) SELECT number, search FROM deal_texts;
CREATE TRIGGER deals_searched AFTER INSERT ON deals BEGIN
    INSERT INTO deal_gram_changes (id) VALUES (NEW.id);
END;
CREATE TRIGGER deals_searched_anew AFTER UPDATE OF search, customer_id, deleted_at ON deals
WHEN OLD.search IS NOT NEW.search OR OLD.customer_id IS NOT NEW.customer_id OR (OLD.deleted_at IS NULL) <> (NEW.deleted_at IS NULL) BEGIN
    INSERT INTO deal_gram_changes (id) VALUES (NEW.id);
END;
CREATE TRIGGER deals_not_searched AFTER DELETE ON deals BEGIN
    INSERT INTO deal_gram_changes (id) VALUES (OLD.id);
END;

-- A customer's name is that of its records. The replica may hear of a customer after its first record.
CREATE TRIGGER sales_customers_searched AFTER INSERT ON sales_customers WHEN NEW.search IS NOT NULL BEGIN
    INSERT INTO meeting_gram_changes (id) SELECT id FROM meetings WHERE customer_id = NEW.id AND deleted_at IS NULL;
    INSERT INTO task_gram_changes (id) SELECT id FROM tasks WHERE customer_id = NEW.id AND deleted_at IS NULL;
END;
CREATE TRIGGER sales_customers_searched_anew AFTER UPDATE OF search ON sales_customers WHEN OLD.search IS NOT NEW.search BEGIN
    INSERT INTO meeting_gram_changes (id) SELECT id FROM meetings WHERE customer_id = NEW.id AND deleted_at IS NULL;
    INSERT INTO task_gram_changes (id) SELECT id FROM tasks WHERE customer_id = NEW.id AND deleted_at IS NULL;
END;
CREATE TRIGGER opportunity_customers_searched AFTER INSERT ON opportunity_customers WHEN NEW.search IS NOT NULL BEGIN
    INSERT INTO approval_gram_changes (id) SELECT id FROM approvals WHERE customer_id = NEW.id;
    INSERT INTO deal_gram_changes (id) SELECT id FROM deals WHERE customer_id = NEW.id AND deleted_at IS NULL;
END;
CREATE TRIGGER opportunity_customers_searched_anew AFTER UPDATE OF search ON opportunity_customers WHEN OLD.search IS NOT NEW.search BEGIN
    INSERT INTO approval_gram_changes (id) SELECT id FROM approvals WHERE customer_id = NEW.id;
    INSERT INTO deal_gram_changes (id) SELECT id FROM deals WHERE customer_id = NEW.id AND deleted_at IS NULL;
END;
