-- pgbench: a customer and its event in one transaction. Ids rise with time, as UUIDv7 do.
\set n :n + 1
BEGIN;
INSERT INTO customers (id, body) VALUES (lpad(:n::text, 32, '0') || lpad(:client_id::text, 4, '0'), :customer);
INSERT INTO events (customer_id, body) VALUES (lpad(:n::text, 32, '0') || lpad(:client_id::text, 4, '0'), :event);
COMMIT;
