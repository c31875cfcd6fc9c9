-- Turns a file back into one of the first version of the tables.
DROP TABLE draws;
DROP TABLE words;
CREATE TABLE old_answers (
    key           BLOB PRIMARY KEY,
    logprobs      BLOB NOT NULL,
    observed      INTEGER NOT NULL,
    mass          REAL NOT NULL,
    prompt_tokens INTEGER,
    cached_tokens INTEGER,
    answered_at   INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO old_answers
    SELECT key, logprobs, observed, mass, prompt_tokens, cached_tokens, answered_at FROM answers;
DROP TABLE keys;
DROP TABLE indexed;
DROP TABLE answers;
ALTER TABLE old_answers RENAME TO answers;
ALTER TABLE items DROP COLUMN reply;
ALTER TABLE items DROP COLUMN cluster;
ALTER TABLE items DROP COLUMN turn;
PRAGMA user_version = 1;
