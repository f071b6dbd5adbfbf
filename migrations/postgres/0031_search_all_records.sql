-- On a large database this takes longer than a statement may.
SET LOCAL statement_timeout = 0;

-- The keys of a record's texts, which the program makes, and the version of the record whose texts they have. A program of
-- before changes the version alone: so such rows are found, and get their keys.
ALTER TABLE meetings ADD COLUMN search TEXT;
ALTER TABLE meetings ADD COLUMN keyed_version BIGINT;
ALTER TABLE tasks ADD COLUMN search TEXT;
ALTER TABLE tasks ADD COLUMN keyed_version BIGINT;
ALTER TABLE approvals ADD COLUMN search TEXT;
ALTER TABLE approvals ADD COLUMN keyed_version BIGINT;
-- A record is also found by the name of its customer.
ALTER TABLE sales_customers ADD COLUMN search TEXT;
ALTER TABLE sales_customers ADD COLUMN keyed_version BIGINT;
ALTER TABLE opportunity_customers ADD COLUMN search TEXT;
ALTER TABLE opportunity_customers ADD COLUMN keyed_version BIGINT;
CREATE INDEX meetings_unkeyed ON meetings (id) WHERE keyed_version IS DISTINCT FROM version;
CREATE INDEX tasks_unkeyed ON tasks (id) WHERE keyed_version IS DISTINCT FROM version;
CREATE INDEX approvals_unkeyed ON approvals (id) WHERE keyed_version IS DISTINCT FROM version;
CREATE INDEX sales_customers_unkeyed ON sales_customers (id) WHERE keyed_version IS DISTINCT FROM version;
CREATE INDEX opportunity_customers_unkeyed ON opportunity_customers (id) WHERE keyed_version IS DISTINCT FROM version;

-- The customers whose name begins with what was typed.
CREATE INDEX customers_beginning ON customers ((substr(search, 1, 60)) COLLATE "C") WHERE deleted_at IS NULL;
