-- Fills a new SQLite file; {n} customers, {consumers}: a file with the answer of /api/admin/consumers, {hash}: the hash of the
-- password of every user. Triggers are put aside, and what the folder keeps is made at once at the end: by the
-- statements in the file {kept}.
PRAGMA synchronous = off;
PRAGMA cache_size = -200000;
PRAGMA temp_store = memory;
BEGIN;
CREATE TEMP TABLE aside AS SELECT name, sql FROM sqlite_master WHERE type = 'trigger';
.once {drops}
SELECT 'DROP TRIGGER ' || name || ';' FROM aside;
.read {drops}

-- Keys are about those that the program makes. 36 months, in which customers come evenly. A number is one record of each kind.
CREATE TEMP TABLE n (n INTEGER PRIMARY KEY, ms INTEGER NOT NULL, at TEXT NOT NULL, hex TEXT NOT NULL, owner TEXT NOT NULL);
INSERT INTO n
WITH RECURSIVE one (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM one WHERE n < {n} - 1),
timed AS (SELECT n, 1672531200000 + n * 94608000000 / {n} AS ms FROM one)
SELECT n, ms, strftime('%Y-%m-%dT%H:%M:%S', ms / 1000, 'unixepoch') || '.000000Z',
    substr(printf('%012x', ms), 1, 8) || '-' || substr(printf('%012x', ms), 9, 4),
    printf('01850000-0000-7000-8007-%012x', n * 7 % 100)
FROM timed;

INSERT INTO users (id, version, created_at, updated_at, email, name, role, manager_id, locale, time_zone, password_hash, sessions_valid_from, search)
SELECT owner, 1, '2023-01-01T00:00:00.000000Z', '2023-01-01T00:00:00.000000Z', 'sales' || (n * 7 % 100) || '@bench.example', '営業 ' || (n * 7 % 100), 'SALES',
    NULL, 'ja', 'Asia/Tokyo', '{hash}', '2023-01-01T00:00:00.000000Z', char(1) || '営業 ' || (n * 7 % 100) || char(10) || 'sales' || (n * 7 % 100) || '@bench.example'
FROM n WHERE n < 100;
INSERT INTO analytics_users (id, version, name, role) SELECT owner, 1, 'x', 'SALES' FROM n WHERE n < 100;

CREATE TEMP TABLE words (n INTEGER PRIMARY KEY, family TEXT, given TEXT, company TEXT);
INSERT INTO words SELECT key, value, json_extract('["太郎","花子","一郎","美咲","健","陽菜","翔","結衣"]', '$[' || (key % 8) || ']'),
    json_extract('["青空","白樺","若葉","大和","瑞穂"]', '$[' || (key % 5) || ']')
FROM json_each('["佐藤","鈴木","高橋","田中","伊藤","渡辺","山本","中村","小林","加藤","吉田","山田","佐々木","山口","松本","井上","木村","林","斎藤","清水","山崎","森","池田","橋本","阿部","石川","山下","中島","石井","小川","前田","岡田","長谷川","藤田","後藤","近藤","村上","遠藤","青木","坂本"]');

CREATE TEMP TABLE named AS
SELECT n.*, w.family || ' ' || w.given || ' ' || n.n AS name,
    CASE WHEN n.n % ({n} / 5) = 17 THEN '稀少品工房' WHEN n.n % 2 = 0 THEN '株式会社' || w.company || '商事' END AS company,
    'user' || n.n || '@example' || (n.n % 97) || '.jp' AS email
FROM n JOIN words AS w ON w.n = n.n * 31 / 8 % 40;
INSERT INTO customers (id, version, created_at, updated_at, name, email, company, status, owner_id, search, name_order)
SELECT hex || '-7000-8001-' || printf('%012x', n), 1, at, strftime('%Y-%m-%dT%H:%M:%S', ms / 1000 + n * 7919 % 8640000, 'unixepoch') || '.000000Z',
    name, email, company, iif(n % 10 < 5, 'LEAD', iif(n % 10 < 9, 'ACTIVE', 'DORMANT')), owner,
    char(1) || name || char(9) || replace(name, ' ', '') || char(10) || coalesce(company || char(10), '') || email, substr(hex(name), 1, 256)
FROM named ORDER BY n;
INSERT INTO sales_customers (id, version, name, owner_id, search, keyed_version)
SELECT id, 1, name, owner_id, substr(search, 1, instr(search, char(10)) - 1), 1 FROM customers;
INSERT INTO opportunity_customers (id, version, name, owner_id, search, keyed_version)
SELECT id, 1, name, owner_id, search, 1 FROM sales_customers;
CREATE TEMP VIEW titled AS SELECT n.*, iif(n % ({n} / 5) = 17, '稀少な', '') || '打合せ' AS title FROM n;
INSERT INTO meetings (id, version, created_at, updated_at, customer_id, title, met_at, owner_id, search, keyed_version)
SELECT hex || '-7000-8002-' || printf('%012x', n), 1, at, at, hex || '-7000-8001-' || printf('%012x', n), title, at, owner, char(1) || title, 1 FROM titled;
INSERT INTO tasks (id, version, created_at, updated_at, title, due_at, status, completed_at, customer_id, assignee_id, alerted_for, search, keyed_version)
SELECT hex || '-7000-8003-' || printf('%012x', n), 1, at, at, '電話', at, iif(n % 5 = 0, 'OPEN', 'DONE'), iif(n % 5 = 0, NULL, at), hex || '-7000-8001-' || printf('%012x', n), owner, at, char(1) || '電話', 1 FROM n;
INSERT INTO approvals (id, version, created_at, updated_at, customer_id, title, amount, currency, status, requester_id, search, keyed_version)
SELECT hex || '-7000-8004-' || printf('%012x', n), 1, at, at, hex || '-7000-8001-' || printf('%012x', n), '値引き', 100000 + n, 'JPY',
    iif(n % 40 = 0, 'PENDING', iif(n % 8 = 4, 'REJECTED', 'APPROVED')), owner, char(1) || '値引き', 1 FROM n WHERE n % 4 = 0;
INSERT INTO notifications (id, version, created_at, updated_at, user_id, kind, subject_type, subject_id, customer_id, data, read_at)
SELECT hex || '-7000-8006-' || printf('%012x', n), 1, at, at, owner, 'customer.created', 'customer', hex || '-7000-8001-' || printf('%012x', n), hex || '-7000-8001-' || printf('%012x', n),
    '{"customer_name":"x"}', iif(n % 20 = 0, NULL, at) FROM n WHERE n % 4 = 0;

-- Three events for each number, over all slices.
CREATE TEMP TABLE heads AS SELECT slice, last_seq, (SELECT last_seq FROM log_head) AS log_seq FROM slices;
INSERT INTO events (slice, slice_seq, log_seq, id, type, source, subject, sequence, partition_key, time, data, correlation_id, actor_id)
SELECT h.slice, h.last_seq + e.e / 16 + 1, h.log_seq + e.e + 1, e.hex || '-7000-8005-' || printf('%012x', e.e), e.type, e.source, e.subject, 1, e.subject, e.at, '{"customer":{"name":"x"}}', e.subject, e.owner
FROM (
    SELECT n * 3 AS e, hex, at, owner, 'customer.created' AS type, '/services/customer' AS source, hex || '-7000-8001-' || printf('%012x', n) AS subject FROM n
    UNION ALL SELECT n * 3 + 1, hex, at, owner, 'meeting.created', '/services/sales', hex || '-7000-8002-' || printf('%012x', n) FROM n
    UNION ALL SELECT n * 3 + 2, hex, at, owner, 'task.created', '/services/sales', hex || '-7000-8003-' || printf('%012x', n) FROM n
) AS e JOIN heads AS h ON h.slice = e.e % 16;
INSERT INTO customer_activity (id, customer_id, owner_id) SELECT id, subject, actor_id FROM events WHERE type = 'customer.created' AND log_seq > (SELECT min(log_seq) FROM heads);
UPDATE slices SET last_seq = (SELECT coalesce(max(slice_seq), 0) FROM events AS e WHERE e.slice = slices.slice);
UPDATE log_head SET last_seq = (SELECT max(log_seq) FROM events);
CREATE TEMP TABLE by_type AS SELECT slice, type, count(*) AS events FROM events GROUP BY slice, type;
UPDATE consumer_cursors SET position = (SELECT last_seq FROM slices AS s WHERE s.slice = consumer_cursors.slice),
    applied = (SELECT coalesce(sum(t.events), 0) FROM by_type AS t, json_each(readfile('{consumers}')) AS c, json_each(c.value, '$.types') AS wanted
        WHERE c.value ->> '$.name' = consumer_cursors.consumer AND t.type = wanted.value AND t.slice = consumer_cursors.slice);

-- The figures of each quarter of an hour and user.
INSERT INTO daily_metrics (id, quarter, user_id, metric, value)
SELECT (ms / 900000) || '/' || owner || '/customers_created', ms / 900000, owner, 'customers_created', count(*) FROM n GROUP BY ms / 900000, owner;

-- What the folder keeps, as the migrations make it.
.read {kept}
.once {drops}
SELECT sql || ';' FROM aside;
.read {drops}
COMMIT;
PRAGMA wal_checkpoint(truncate);
