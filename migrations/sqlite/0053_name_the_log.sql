-- What tells this log from that of a backup which it was restored from: cursors of clients belong to one log. In PostgreSQL the
-- cluster has had such an id from the beginning.
INSERT INTO cluster (id)
SELECT lower(substr(h, 1, 8) || '-' || substr(h, 9, 4) || '-4' || substr(h, 14, 3) || '-8' || substr(h, 18, 3) || '-' || substr(h, 21, 12))
FROM (SELECT hex(randomblob(16)) AS h) WHERE NOT EXISTS (SELECT 1 FROM cluster);
