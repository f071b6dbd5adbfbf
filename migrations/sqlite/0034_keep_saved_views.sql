-- The views of lists that users have saved: all of a user's in one row, which goes with the user.
CREATE TABLE user_views (
    id      TEXT PRIMARY KEY, -- the user's
    version INTEGER NOT NULL,
    views   TEXT NOT NULL
) STRICT, WITHOUT ROWID;
