CREATE TABLE deals (
    id            TEXT PRIMARY KEY,
    version       INTEGER NOT NULL,
    created_at    TEXT NOT NULL,
    updated_at    TEXT NOT NULL,
    deleted_at    TEXT,
    customer_id   TEXT NOT NULL,
    title         TEXT NOT NULL,
    amount        INTEGER NOT NULL, -- in the currency's minor unit
    currency      TEXT NOT NULL,
    stage         TEXT NOT NULL,
    probability   INTEGER NOT NULL, -- in percent
    expected_on   TEXT, -- a day: 2026-11-05
    expected_day  INTEGER NOT NULL, -- its number, or a greater one than every day's: for the order
    lost_reason   TEXT,
    closed_at     TEXT,
    owner_id      TEXT NOT NULL,
    search        TEXT,
    keyed_version INTEGER
) STRICT;
-- For every order and filter that a list offers: a list of several stages merges one range for each.
CREATE INDEX deals_by_creation ON deals (stage, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX deals_by_amount ON deals (stage, amount, id) WHERE deleted_at IS NULL;
CREATE INDEX deals_by_expectation ON deals (stage, expected_day, id) WHERE deleted_at IS NULL;
CREATE INDEX deals_of_owner_by_creation ON deals (owner_id, stage, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX deals_of_owner_by_amount ON deals (owner_id, stage, amount, id) WHERE deleted_at IS NULL;
CREATE INDEX deals_of_owner_by_expectation ON deals (owner_id, stage, expected_day, id) WHERE deleted_at IS NULL;
CREATE INDEX deals_customer ON deals (customer_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX deals_unkeyed ON deals (id) WHERE keyed_version IS DISTINCT FROM version;

-- The deal that an approval is about.
ALTER TABLE approvals ADD COLUMN deal_id TEXT;
CREATE INDEX approvals_of_deal ON approvals (deal_id, created_at, id) WHERE deal_id IS NOT NULL;

CREATE TABLE deals_comments (
    id          TEXT PRIMARY KEY,
    version     INTEGER NOT NULL,
    created_at  TEXT NOT NULL,
    updated_at  TEXT NOT NULL,
    record_type TEXT NOT NULL,
    record_id   TEXT NOT NULL,
    author_id   TEXT NOT NULL,
    text        TEXT NOT NULL,
    mentions    TEXT NOT NULL,
    notified    TEXT NOT NULL
) STRICT;
CREATE INDEX deals_comments_record ON deals_comments (record_id, created_at, id);
CREATE TABLE deals_attachments (
    id          TEXT PRIMARY KEY,
    version     INTEGER NOT NULL,
    created_at  TEXT NOT NULL,
    updated_at  TEXT NOT NULL,
    record_type TEXT NOT NULL,
    record_id   TEXT NOT NULL,
    author_id   TEXT NOT NULL,
    name        TEXT NOT NULL,
    media_type  TEXT NOT NULL,
    size        INTEGER NOT NULL,
    sha256      TEXT NOT NULL,
    place       INTEGER NOT NULL CHECK (place BETWEEN 1 AND 50)
) STRICT;
CREATE INDEX deals_attachments_record ON deals_attachments (record_id, created_at, id);
-- So many have room beside a record.
CREATE UNIQUE INDEX deals_attachments_place ON deals_attachments (record_id, place);
