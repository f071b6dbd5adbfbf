-- The colours of the console, and the kinds of notifications that the user does not want (a JSON array of names).
ALTER TABLE users ADD COLUMN theme TEXT NOT NULL DEFAULT 'SYSTEM';
ALTER TABLE users ADD COLUMN muted_notifications TEXT NOT NULL DEFAULT '[]';
ALTER TABLE analytics_users ADD COLUMN muted_notifications TEXT NOT NULL DEFAULT '[]';
