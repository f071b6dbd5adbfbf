-- The last occurrence of each schedule that some node took on: claimed by compare-and-set of `version`, so that
-- each runs once however many nodes there are.
CREATE TABLE schedules (
    id              TEXT PRIMARY KEY, -- the schedule's name
    version         INTEGER NOT NULL,
    last_occurrence TEXT NOT NULL
) STRICT, WITHOUT ROWID;
