-- By what two customers may be one: the program makes these keys of name, kana, telephone number and address (domain::customer::matching).
ALTER TABLE customers ADD COLUMN match_name TEXT;
ALTER TABLE customers ADD COLUMN match_kana TEXT;
ALTER TABLE customers ADD COLUMN match_phone TEXT;
ALTER TABLE customers ADD COLUMN match_domain TEXT;
CREATE INDEX customers_match_name ON customers (match_name, id) WHERE deleted_at IS NULL AND match_name IS NOT NULL;
CREATE INDEX customers_match_kana ON customers (match_kana, id) WHERE deleted_at IS NULL AND match_kana IS NOT NULL;
CREATE INDEX customers_match_phone ON customers (match_phone, id) WHERE deleted_at IS NULL AND match_phone IS NOT NULL;
CREATE INDEX customers_match_domain ON customers (match_domain, id) WHERE deleted_at IS NULL AND match_domain IS NOT NULL;

-- A row whose keys belong to another version of it is keyed anew: all rows of before, and those that a node of the version before writes.
ALTER TABLE customers ADD COLUMN keyed_version INTEGER;
DROP INDEX customers_unkeyed;
CREATE INDEX customers_unkeyed ON customers (id) WHERE keyed_version IS DISTINCT FROM version;
