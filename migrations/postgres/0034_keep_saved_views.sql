-- The views of lists that users have saved: all of a user's in one row, which goes with the user.
CREATE TABLE user_views (
    id      UUID PRIMARY KEY, -- the user's
    version BIGINT NOT NULL,
    views   JSON NOT NULL
);
