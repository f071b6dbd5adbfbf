-- Which events concern a customer: the newest-first timeline of GET /api/customers/{id}/activity.
CREATE TABLE customer_activity (
    id          TEXT PRIMARY KEY, -- the event's id
    customer_id TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX customer_activity_customer ON customer_activity (customer_id, id);

-- Counts a UTC day and person, folded from events.
CREATE TABLE daily_metrics (
    id      TEXT PRIMARY KEY, -- day/user/metric
    day     TEXT NOT NULL,
    user_id TEXT NOT NULL,
    metric  TEXT NOT NULL,
    value   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX daily_metrics_day ON daily_metrics (day, user_id);

-- What analytics knows of users, copied from their events: whom to notify, and what they are called.
CREATE TABLE analytics_users (
    id         TEXT PRIMARY KEY,
    version    INTEGER NOT NULL,
    name       TEXT NOT NULL,
    role       TEXT NOT NULL,
    manager_id TEXT,
    deleted_at TEXT
) STRICT, WITHOUT ROWID;

-- Kept as message parameters, rendered in the reader's language.
CREATE TABLE notifications (
    id           TEXT PRIMARY KEY,
    version      INTEGER NOT NULL,
    created_at   TEXT NOT NULL,
    updated_at   TEXT NOT NULL,
    user_id      TEXT NOT NULL,
    kind         TEXT NOT NULL,
    subject_type TEXT NOT NULL,
    subject_id   TEXT NOT NULL,
    customer_id  TEXT, -- whose deletion archives it
    data         TEXT NOT NULL,
    read_at      TEXT,
    archived_at  TEXT
) STRICT;
CREATE INDEX notifications_user ON notifications (user_id, created_at, id);
CREATE INDEX notifications_unread ON notifications (user_id, created_at, id) WHERE read_at IS NULL AND archived_at IS NULL;
CREATE INDEX notifications_customer ON notifications (customer_id) WHERE archived_at IS NULL;
