-- The last occurrence of each schedule that some node took on: claimed by compare-and-set of `version`, so that
-- each runs once however many nodes there are.
CREATE TABLE schedules (
    id              TEXT COLLATE "C" PRIMARY KEY, -- the schedule's name
    version         BIGINT NOT NULL,
    last_occurrence TIMESTAMPTZ NOT NULL
) WITH (fillfactor = 50);
