-- Turns a file back into one of the fourth version of the tables, which had one order of options.
ALTER TABLE items DROP COLUMN turn;
PRAGMA user_version = 4;
