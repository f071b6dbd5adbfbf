-- Which events concern a customer: the newest-first timeline of GET /api/customers/{id}/activity.
CREATE TABLE customer_activity (
    id          UUID PRIMARY KEY, -- the event's id
    customer_id UUID NOT NULL
);
CREATE INDEX customer_activity_customer ON customer_activity (customer_id, id);

-- Counts a UTC day and person, folded from events.
CREATE TABLE daily_metrics (
    id      TEXT COLLATE "C" PRIMARY KEY, -- day/user/metric
    day     TEXT COLLATE "C" NOT NULL,
    user_id UUID NOT NULL,
    metric  TEXT NOT NULL,
    value   BIGINT NOT NULL
) WITH (fillfactor = 50);
CREATE INDEX daily_metrics_day ON daily_metrics (day, user_id);

-- What analytics knows of users, copied from their events: whom to notify, and what they are called.
CREATE TABLE analytics_users (
    id         UUID PRIMARY KEY,
    version    BIGINT NOT NULL,
    name       TEXT NOT NULL,
    role       TEXT NOT NULL,
    manager_id UUID,
    deleted_at TIMESTAMPTZ
);

-- Kept as message parameters, rendered in the reader's language.
CREATE TABLE notifications (
    id           UUID PRIMARY KEY,
    version      BIGINT NOT NULL,
    created_at   TIMESTAMPTZ NOT NULL,
    updated_at   TIMESTAMPTZ NOT NULL,
    user_id      UUID NOT NULL,
    kind         TEXT NOT NULL,
    subject_type TEXT NOT NULL,
    subject_id   UUID NOT NULL,
    customer_id  UUID, -- whose deletion archives it
    data         JSON NOT NULL,
    read_at      TIMESTAMPTZ,
    archived_at  TIMESTAMPTZ
);
CREATE INDEX notifications_user ON notifications (user_id, created_at, id);
CREATE INDEX notifications_unread ON notifications (user_id, created_at, id) WHERE read_at IS NULL AND archived_at IS NULL;
CREATE INDEX notifications_customer ON notifications (customer_id) WHERE archived_at IS NULL;
