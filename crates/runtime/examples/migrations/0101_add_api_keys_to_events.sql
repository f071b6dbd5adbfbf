-- The column of events that the server's migration 0055 adds.
ALTER TABLE events ADD COLUMN api_key_id TEXT;
