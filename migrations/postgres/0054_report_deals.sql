-- On a large database this takes longer than a statement may.
SET LOCAL statement_timeout = 0;

-- How far each deal has come, and how long it was in each stage, in seconds: a consumer folds it from the events of deals.
-- furthest: the greatest rank of its stages (QUALIFY 0, PROPOSE 1, NEGOTIATE 2, WON 3).
-- since: when it came to its stage, in seconds since 1970. A stage in which it never was has no seconds.
CREATE TABLE deal_progress (
    id        UUID PRIMARY KEY,
    version   BIGINT NOT NULL,
    furthest  BIGINT NOT NULL,
    stage     TEXT NOT NULL,
    since     BIGINT NOT NULL,
    qualify   BIGINT,
    propose   BIGINT,
    negotiate BIGINT
) WITH (fillfactor = 90);

-- What was won and lost in a period.
CREATE INDEX deals_by_closing ON deals (stage, closed_at, id) WHERE deleted_at IS NULL AND closed_at IS NOT NULL;
CREATE INDEX deals_of_owner_by_closing ON deals (owner_id, stage, closed_at, id) WHERE deleted_at IS NULL AND closed_at IS NOT NULL;

-- Notifications are made of deals, too, from now on: what was before counts as applied, and tells nobody.
UPDATE consumer_cursors SET applied = applied + (
    SELECT count(*) FROM events AS e WHERE e.slice = consumer_cursors.slice AND e.slice_seq <= consumer_cursors.position
        AND e.type IN ('deal.created', 'deal.updated')
) WHERE consumer = 'analytics.notifications';
