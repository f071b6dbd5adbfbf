-- On a large database this takes longer than a statement may.
SET LOCAL statement_timeout = 0;

-- The three-letter parts of a text, for `?q=`. Two line feeds end each text, so that a part begins at every letter: one and two
-- letters are found as beginnings of parts. This needs no extension, and counts every character, which pg_trgm does not.
-- In PL/pgSQL, which keeps the plan for the whole session: a function in SQL is planned again for each statement.
CREATE FUNCTION search_grams(searched TEXT) RETURNS tsvector LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    s TEXT[] := string_to_array(searched || E'\n\n', NULL);
BEGIN
    RETURN array_to_tsvector(ARRAY(SELECT a || b || c FROM unnest(s, s[2:], s[3:]) AS gram (a, b, c) WHERE c IS NOT NULL));
END
$$;

-- The parts of live customers. No statement of a user writes here: a folder does, in batches, for the customers that are
-- named in `tally_changes`. Until then a search compares these one by one.
CREATE TABLE customer_texts (
    id    UUID PRIMARY KEY,
    grams TSVECTOR NOT NULL
);
INSERT INTO customer_texts (id, grams) SELECT id, search_grams(search) FROM customers WHERE deleted_at IS NULL;
-- What is new waits in a list that each search reads, too: a short one.
CREATE INDEX customer_texts_grams ON customer_texts USING gin (grams) WITH (fastupdate = on, gin_pending_list_limit = 256);
