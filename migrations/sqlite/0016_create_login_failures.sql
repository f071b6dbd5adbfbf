-- How often strangers failed to sign in to each account, from whatever addresses: the delay before their next attempt grows.
CREATE TABLE login_failures (
    id             TEXT PRIMARY KEY, -- a hash of the account
    failures       INTEGER NOT NULL,
    last_failed_at INTEGER NOT NULL  -- microseconds since 1970
) STRICT, WITHOUT ROWID;
CREATE INDEX login_failures_time ON login_failures (last_failed_at);

-- From which addresses each user has signed in: that delay does not concern them there.
CREATE TABLE login_addresses (
    id      TEXT PRIMARY KEY, -- a hash of user and address
    seen_at INTEGER NOT NULL  -- microseconds since 1970
) STRICT, WITHOUT ROWID;
CREATE INDEX login_addresses_time ON login_addresses (seen_at);
