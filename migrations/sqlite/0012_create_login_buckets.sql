-- How full the bucket of each account and address is that sign-ins failed of: GCRA keeps one number for it.
CREATE TABLE login_buckets (
    id      TEXT PRIMARY KEY, -- account/… or address/…, a hash of it
    full_at INTEGER NOT NULL  -- microseconds since 1970
) STRICT, WITHOUT ROWID;

CREATE INDEX login_buckets_by_end ON login_buckets (full_at);
