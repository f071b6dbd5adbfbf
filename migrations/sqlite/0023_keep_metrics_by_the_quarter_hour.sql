-- Figures are kept by the quarter of an hour (quarters since 1970), so that the days of every time zone can be made of
-- them. The log has all that was counted: the consumer counts it again.
DROP TABLE daily_metrics;
CREATE TABLE daily_metrics (
    id      TEXT PRIMARY KEY, -- quarter/user/metric
    quarter INTEGER NOT NULL,
    user_id TEXT NOT NULL,
    metric  TEXT NOT NULL,
    value   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX daily_metrics_quarter ON daily_metrics (quarter, user_id, metric, value);
UPDATE consumer_cursors SET position = 0, applied = 0 WHERE consumer = 'analytics.metrics';
DELETE FROM parked_events WHERE consumer = 'analytics.metrics';
