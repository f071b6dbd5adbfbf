-- How a customer's name is read.
ALTER TABLE customers ADD COLUMN kana TEXT;
-- The sort key of the kana or the name, which the program makes: by it customers are sorted.
ALTER TABLE customers ADD COLUMN name_order TEXT NOT NULL DEFAULT '';

-- From here on `search` has the keys of texts, behind a character that says which version of them. The program makes them
-- for the texts in lower case that it finds; these may not begin like keys.
UPDATE customers SET search = ' ' || search WHERE unicode(search) < 32;
UPDATE users SET search = ' ' || search WHERE unicode(search) < 32;
CREATE INDEX customers_unkeyed ON customers (id) WHERE unicode(search) >= 32;
CREATE INDEX users_unkeyed ON users (id) WHERE unicode(search) >= 32;
