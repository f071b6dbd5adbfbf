-- Fills a new PostgreSQL database; :n customers, :'consumers': the answer of /api/admin/consumers, :'hash': the hash of the
-- password of every user. Triggers are put aside, and what the folder keeps is made at once at the end: by the
-- statements in the file :'kept'.
\set ON_ERROR_STOP on
SET synchronous_commit = off;
SET maintenance_work_mem = '256MB';
SET work_mem = '128MB';
BEGIN;
ALTER TABLE customers DISABLE TRIGGER USER;
ALTER TABLE meetings DISABLE TRIGGER USER;
ALTER TABLE tasks DISABLE TRIGGER USER;
ALTER TABLE approvals DISABLE TRIGGER USER;
ALTER TABLE sales_customers DISABLE TRIGGER USER;
ALTER TABLE opportunity_customers DISABLE TRIGGER USER;

CREATE FUNCTION pg_temp.made(ms BIGINT, kind TEXT, n BIGINT) RETURNS UUID LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex(ms), 12, '0') || '7000' || kind || lpad(to_hex(n), 12, '0'))::uuid
$$;
-- Keys are about those that the program makes. 36 months, in which customers come evenly. A number is one record of each kind.
CREATE TEMP TABLE n AS
SELECT n, ms, timestamptz 'epoch' + ms * interval '1 millisecond' AS at, pg_temp.made(1670742278144, '8007', n * 7 % 100) AS owner,
    pg_temp.made(ms, '8001', n) AS customer
FROM (SELECT n, 1672531200000 + n * 94608000000 / :n AS ms FROM generate_series(0::bigint, :n - 1) AS n) AS t;
ANALYZE n;

INSERT INTO users (id, version, created_at, updated_at, email, name, role, manager_id, locale, time_zone, password_hash, sessions_valid_from, search)
SELECT owner, 1, '2023-01-01Z', '2023-01-01Z', 'sales' || (n * 7 % 100) || '@bench.example', '営業 ' || (n * 7 % 100), 'SALES',
    NULL, 'ja', 'Asia/Tokyo', :'hash', '2023-01-01Z', E'\x01営業 ' || (n * 7 % 100) || E'\n' || 'sales' || (n * 7 % 100) || '@bench.example'
FROM n WHERE n < 100;
INSERT INTO analytics_users (id, version, name, role) SELECT owner, 1, 'x', 'SALES' FROM n WHERE n < 100;

INSERT INTO customers (id, version, created_at, updated_at, name, email, company, status, owner_id, search, name_order)
SELECT customer, 1, at, at + (n * 7919 % 8640000) * interval '1 second', name, email, company,
    CASE WHEN n % 10 < 5 THEN 'LEAD' WHEN n % 10 < 9 THEN 'ACTIVE' ELSE 'DORMANT' END, owner,
    E'\x01' || name || E'\t' || replace(name, ' ', '') || E'\n' || coalesce(company || E'\n', '') || email,
    left(encode(convert_to(name, 'UTF8'), 'hex'), 256)
FROM (
    SELECT n.*, f || ' ' || (ARRAY['太郎','花子','一郎','美咲','健','陽菜','翔','結衣'])[n * 31 / 8 % 40 % 8 + 1] || ' ' || n AS name,
        CASE WHEN n % (:n / 5) = 17 THEN '稀少品工房'
            WHEN n % 2 = 0 THEN '株式会社' || (ARRAY['青空','白樺','若葉','大和','瑞穂'])[n * 31 / 8 % 40 % 5 + 1] || '商事' END AS company,
        'user' || n || '@example' || (n % 97) || '.jp' AS email
    FROM n, LATERAL (SELECT (ARRAY['佐藤','鈴木','高橋','田中','伊藤','渡辺','山本','中村','小林','加藤','吉田','山田','佐々木','山口','松本','井上','木村','林','斎藤','清水','山崎','森','池田','橋本','阿部','石川','山下','中島','石井','小川','前田','岡田','長谷川','藤田','後藤','近藤','村上','遠藤','青木','坂本'])[n * 31 / 8 % 40 + 1] AS f) AS w
) AS named ORDER BY n;
INSERT INTO sales_customers (id, version, name, owner_id, search, keyed_version)
SELECT id, 1, name, owner_id, split_part(search, E'\n', 1), 1 FROM customers;
INSERT INTO opportunity_customers (id, version, name, owner_id, search, keyed_version)
SELECT id, 1, name, owner_id, search, 1 FROM sales_customers;
INSERT INTO meetings (id, version, created_at, updated_at, customer_id, title, met_at, owner_id, search, keyed_version)
SELECT pg_temp.made(ms, '8002', n), 1, at, at, customer, title, at, owner, E'\x01' || title, 1
FROM (SELECT n.*, CASE WHEN n % (:n / 5) = 17 THEN '稀少な' ELSE '' END || '打合せ' AS title FROM n) AS titled;
INSERT INTO tasks (id, version, created_at, updated_at, title, due_at, status, completed_at, customer_id, assignee_id, alerted_for, search, keyed_version)
SELECT pg_temp.made(ms, '8003', n), 1, at, at, '電話', at, CASE n % 5 WHEN 0 THEN 'OPEN' ELSE 'DONE' END, CASE n % 5 WHEN 0 THEN NULL ELSE at END, customer, owner, at, E'\x01電話', 1 FROM n;
INSERT INTO approvals (id, version, created_at, updated_at, customer_id, title, amount, currency, status, requester_id, search, keyed_version)
SELECT pg_temp.made(ms, '8004', n), 1, at, at, customer, '値引き', 100000 + n, 'JPY',
    CASE WHEN n % 40 = 0 THEN 'PENDING' WHEN n % 8 = 4 THEN 'REJECTED' ELSE 'APPROVED' END, owner, E'\x01値引き', 1 FROM n WHERE n % 4 = 0;
INSERT INTO notifications (id, version, created_at, updated_at, user_id, kind, subject_type, subject_id, customer_id, data, read_at)
SELECT pg_temp.made(ms, '8006', n), 1, at, at, owner, 'customer.created', 'customer', customer, customer,
    '{"customer_name":"x"}', CASE n % 20 WHEN 0 THEN NULL ELSE at END FROM n WHERE n % 4 = 0;

-- Three events for each number, over all slices.
CREATE TEMP TABLE heads AS SELECT slice, last_seq, (SELECT last_seq FROM log_head) AS log_seq FROM slices;
INSERT INTO events (slice, slice_seq, log_seq, id, type, source, subject, sequence, partition_key, time, data, correlation_id, actor_id)
SELECT h.slice, h.last_seq + e / 16 + 1, h.log_seq + e + 1, pg_temp.made(ms, '8005', e), type, source, subject, 1, subject, at, '{"customer":{"name":"x"}}', subject::text, owner
FROM (
    SELECT n * 3 AS e, ms, at, owner, 'customer.created' AS type, '/services/customer' AS source, customer AS subject FROM n
    UNION ALL SELECT n * 3 + 1, ms, at, owner, 'meeting.created', '/services/sales', pg_temp.made(ms, '8002', n) FROM n
    UNION ALL SELECT n * 3 + 2, ms, at, owner, 'task.created', '/services/sales', pg_temp.made(ms, '8003', n) FROM n
) AS t JOIN heads AS h ON h.slice = e % 16 ORDER BY e;
INSERT INTO customer_activity (id, customer_id, owner_id) SELECT id, subject, actor_id FROM events WHERE type = 'customer.created' AND log_seq > (SELECT min(log_seq) FROM heads);
UPDATE slices SET last_seq = (SELECT coalesce(max(slice_seq), 0) FROM events AS e WHERE e.slice = slices.slice);
UPDATE log_head SET last_seq = (SELECT max(log_seq) FROM events);
CREATE TEMP TABLE by_type AS SELECT slice, type, count(*) AS events FROM events GROUP BY slice, type;
UPDATE consumer_cursors AS k SET position = (SELECT last_seq FROM slices AS s WHERE s.slice = k.slice),
    applied = (SELECT coalesce(sum(t.events), 0) FROM by_type AS t, json_array_elements(:'consumers'::json) AS c, json_array_elements_text(c -> 'types') AS wanted
        WHERE c ->> 'name' = k.consumer AND t.type = wanted AND t.slice = k.slice);

-- The figures of each quarter of an hour and user.
INSERT INTO daily_metrics (id, quarter, user_id, metric, value)
SELECT quarter || '/' || owner || '/customers_created', quarter, owner, 'customers_created', count(*)
FROM (SELECT ms / 900000 AS quarter, owner FROM n) AS t GROUP BY quarter, owner;

-- What the folder keeps, as the migrations make it.
\i :kept
ALTER TABLE customers ENABLE TRIGGER USER;
ALTER TABLE meetings ENABLE TRIGGER USER;
ALTER TABLE tasks ENABLE TRIGGER USER;
ALTER TABLE approvals ENABLE TRIGGER USER;
ALTER TABLE sales_customers ENABLE TRIGGER USER;
ALTER TABLE opportunity_customers ENABLE TRIGGER USER;
COMMIT;
VACUUM ANALYZE;
