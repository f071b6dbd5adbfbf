-- Subscriptions: positions in the log for readers outside.
CREATE TABLE subscriptions (
    id         TEXT PRIMARY KEY, -- its name
    version    INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    key        TEXT NOT NULL, -- names its partitions
    types      TEXT NOT NULL,
    begins     TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- How far each is in each slice, and who reads what comes next.
CREATE TABLE subscription_partitions (
    id           TEXT PRIMARY KEY, -- key/slice
    subscription TEXT NOT NULL,
    slice        INTEGER NOT NULL,
    version      INTEGER NOT NULL,
    position     INTEGER NOT NULL,
    lease        TEXT,
    lease_size   INTEGER NOT NULL,
    leased_to    INTEGER NOT NULL,
    leased_until TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX subscription_partitions_of ON subscription_partitions (subscription, slice);

-- Leases that were acknowledged, for those who acknowledge twice. Kept for an hour.
CREATE TABLE subscription_acks (
    id           TEXT PRIMARY KEY, -- the lease
    version      INTEGER NOT NULL,
    subscription TEXT NOT NULL,
    acked_at     TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX subscription_acks_old ON subscription_acks (acked_at);

-- Events from before the whole log was numbered get the numbers that were left free for them, in an order that keeps
-- the order of each slice, so that whoever reads the log from its start gets them too.
UPDATE events SET log_seq = n.number FROM (
    SELECT u.id, f.first - f.unnumbered + row_number() OVER (ORDER BY u.latest, u.slice, u.slice_seq) - 1 AS number
    FROM (
        SELECT id, slice, slice_seq, max(time) OVER (PARTITION BY slice ORDER BY slice_seq) AS latest
        FROM events WHERE log_seq IS NULL
    ) AS u, (
        SELECT coalesce((SELECT min(log_seq) FROM events), (SELECT last_seq + 1 FROM log_head)) AS first,
               (SELECT count(*) FROM events WHERE log_seq IS NULL) AS unnumbered
    ) AS f
) AS n WHERE events.id = n.id AND events.log_seq IS NULL;
