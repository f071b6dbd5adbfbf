-- How far in the log a user has seen what others changed in their records.
CREATE TABLE news_positions (
    id      TEXT PRIMARY KEY, -- the user's
    version INTEGER NOT NULL -- the position: an event's number in the whole log
) STRICT, WITHOUT ROWID;
-- What concerns a user, the newest first.
CREATE INDEX customer_activity_owner ON customer_activity (owner_id, id);
CREATE INDEX customer_activity_previous ON customer_activity (previous_owner_id, id)
    WHERE previous_owner_id IS NOT NULL;
