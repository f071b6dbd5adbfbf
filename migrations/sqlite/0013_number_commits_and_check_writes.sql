-- The order of the whole log: events are numbered through all slices, in the order of commits, without a gap. Events from
-- before this migration have no number.
ALTER TABLE events ADD COLUMN log_seq INTEGER;
CREATE UNIQUE INDEX events_log_seq ON events (log_seq) WHERE log_seq IS NOT NULL;
-- What one user's notifications are, in that order.
CREATE INDEX events_notified ON events (partition_key, log_seq)
    WHERE type = 'notification.created' AND log_seq IS NOT NULL;

-- One row: the number of the last event.
CREATE TABLE log_head (
    id       INTEGER PRIMARY KEY,
    last_seq INTEGER NOT NULL
) STRICT;

INSERT INTO log_head (id, last_seq) SELECT 0, coalesce(sum(last_seq), 0) FROM slices;

-- What `/readyz` writes, to find out whether writes succeed: a row for each process, of a few.
CREATE TABLE write_checks (
    id      INTEGER PRIMARY KEY,
    checks  INTEGER NOT NULL,
    payload TEXT NOT NULL
) STRICT;
