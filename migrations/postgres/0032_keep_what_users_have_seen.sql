-- On a large database this takes longer than a statement may.
SET LOCAL statement_timeout = 0;

-- How far in the log a user has seen what others changed in their records.
CREATE TABLE news_positions (
    id      UUID PRIMARY KEY, -- the user's
    version BIGINT NOT NULL -- the position: an event's number in the whole log
);
-- What concerns a user, the newest first.
CREATE INDEX customer_activity_owner ON customer_activity (owner_id, id);
CREATE INDEX customer_activity_previous ON customer_activity (previous_owner_id, id)
    WHERE previous_owner_id IS NOT NULL;
