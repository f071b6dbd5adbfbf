-- The cluster's id tells this log from that of a backup which it was restored from: cursors of clients belong to one log. In
-- SQLite it is new.
INSERT INTO cluster (id) SELECT gen_random_uuid() WHERE NOT EXISTS (SELECT 1 FROM cluster);
