-- The three-letter parts of what `?q=` searches, of live customers only. Two line feeds end each text, so that a part begins
-- at every letter: one and two letters are found as beginnings of parts.
-- No statement of a user writes to this index. A folder adds new customers, and carries out the changes of others, in batches.
-- Until then a search compares them one by one: those behind `customer_grams_end`, and those in `customer_gram_changes`.
CREATE VIRTUAL TABLE customer_grams
    USING fts5 (search, content = '', detail = none, columnsize = 0, tokenize = 'trigram case_sensitive 1');
CREATE VIRTUAL TABLE customer_gram_rows USING fts5vocab (customer_grams, instance);
CREATE TABLE customer_grams_end (number INTEGER PRIMARY KEY) STRICT;
-- was: the text that the index has, which is needed to take it out; NULL if it has none.
CREATE TABLE customer_gram_changes (
    number INTEGER PRIMARY KEY,
    was    TEXT
) STRICT;

INSERT INTO customer_grams (rowid, search) SELECT number, search || char(10, 10) FROM customers WHERE deleted_at IS NULL;
INSERT INTO customer_grams_end (number) SELECT coalesce(max(number), 0) FROM customers;

-- Of several changes the first has the text of the index. (OR IGNORE would not do: the conflict clause of the outer statement
-- takes its place.)
CREATE TRIGGER customers_searched_anew AFTER UPDATE ON customers
WHEN (OLD.search <> NEW.search OR (OLD.deleted_at IS NULL) <> (NEW.deleted_at IS NULL))
    AND NEW.number <= (SELECT number FROM customer_grams_end) BEGIN
    INSERT INTO customer_gram_changes (number, was) SELECT OLD.number, iif(OLD.deleted_at IS NULL, OLD.search, NULL)
    WHERE NOT EXISTS (SELECT 1 FROM customer_gram_changes WHERE number = OLD.number);
END;

-- SQLite may give the number of a customer that was removed to a new one: it is found by its change, too.
CREATE TRIGGER customers_not_searched AFTER DELETE ON customers
WHEN OLD.number <= (SELECT number FROM customer_grams_end) BEGIN
    INSERT INTO customer_gram_changes (number, was) SELECT OLD.number, iif(OLD.deleted_at IS NULL, OLD.search, NULL)
    WHERE NOT EXISTS (SELECT 1 FROM customer_gram_changes WHERE number = OLD.number);
END;
