-- Turns a file back into one of the second version of the tables, which version 0.1.0 wrote.
DROP TABLE draws;
DROP TABLE words;
ALTER TABLE items DROP COLUMN cluster;
ALTER TABLE items DROP COLUMN turn;
PRAGMA user_version = 2;
