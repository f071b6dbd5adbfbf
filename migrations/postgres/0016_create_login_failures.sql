-- How often strangers failed to sign in to each account, from whatever addresses: the delay before their next attempt grows.
-- Unlogged, as login_buckets is.
CREATE UNLOGGED TABLE login_failures (
    id             TEXT COLLATE "C" PRIMARY KEY, -- a hash of the account
    failures       BIGINT NOT NULL,
    last_failed_at BIGINT NOT NULL               -- microseconds since 1970
) WITH (fillfactor = 70);
CREATE INDEX login_failures_time ON login_failures (last_failed_at);

-- From which addresses each user has signed in: that delay does not concern them there.
CREATE TABLE login_addresses (
    id      TEXT COLLATE "C" PRIMARY KEY, -- a hash of user and address
    seen_at BIGINT NOT NULL               -- microseconds since 1970
);
CREATE INDEX login_addresses_time ON login_addresses (seen_at);
