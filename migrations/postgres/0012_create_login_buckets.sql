-- How full the bucket of each account and address is that sign-ins failed of: GCRA keeps one number for it. Unlogged: what
-- a crash of the database empties lets a few more guesses through, and no sign-in waits for the disk.
CREATE UNLOGGED TABLE login_buckets (
    id      TEXT COLLATE "C" PRIMARY KEY, -- account/… or address/…, a hash of it
    full_at BIGINT NOT NULL               -- microseconds since 1970
) WITH (fillfactor = 70);

CREATE INDEX login_buckets_by_end ON login_buckets (full_at);
