-- Indexes of a long log take longer than a statement may.
SET LOCAL statement_timeout = 0;

-- The order of the whole log: events are numbered through all slices, in the order of commits, without a gap. Events from
-- before this migration have no number.
ALTER TABLE events ADD COLUMN log_seq BIGINT;
CREATE UNIQUE INDEX events_log_seq ON events (log_seq) WHERE log_seq IS NOT NULL;
-- What one user's notifications are, in that order.
CREATE INDEX events_notified ON events (partition_key, log_seq)
    WHERE type = 'notification.created' AND log_seq IS NOT NULL;

-- One row: the number of the last event. A commit locks it after all other rows, and until its end.
CREATE TABLE log_head (
    id       BIGINT PRIMARY KEY,
    last_seq BIGINT NOT NULL
) WITH (fillfactor = 50); -- every commit updates this row: leave room for HOT updates

INSERT INTO log_head (id, last_seq) SELECT 0, coalesce(sum(last_seq), 0) FROM slices;

-- While nodes are upgraded, those of the version before insert events without a number.
CREATE FUNCTION number_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE log_head SET last_seq = last_seq + 1 WHERE id = 0 RETURNING last_seq INTO NEW.log_seq;
    RETURN NEW;
END $$;
CREATE TRIGGER number_event BEFORE INSERT ON events
    FOR EACH ROW WHEN (NEW.log_seq IS NULL) EXECUTE FUNCTION number_event();

-- What `/readyz` writes, to find out whether writes succeed: a row for each process, of a few.
CREATE TABLE write_checks (
    id      BIGINT PRIMARY KEY,
    checks  BIGINT NOT NULL,
    payload TEXT NOT NULL
) WITH (fillfactor = 50);
