//! The tables and their version.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use crate::StoreError;

/// `PRAGMA application_id`: "sure" in ASCII.
const APPLICATION_ID: i64 = 0x7375_7265;
/// `PRAGMA user_version`. Raise it with every change of the tables, and migrate in [`prepare`].
const VERSION: i64 = 5;
/// The oldest version that can be read without migration.
const READABLE: i64 = 2;

const ANSWERS: &str = "
-- A model's answers in the order of arrival, so that writes are sequential.
CREATE TABLE answers (
    id            INTEGER PRIMARY KEY,
    key           BLOB NOT NULL,     -- BLAKE3 of everything that determines the answer, 32 bytes
    logprobs      BLOB NOT NULL,     -- f64 little endian, one per option
    observed      INTEGER NOT NULL,  -- bit i: option i was observed, not only bounded
    mass          REAL NOT NULL,     -- -1 where it is not known: imported answers alone
    prompt_tokens INTEGER,
    cached_tokens INTEGER,
    answered_at   INTEGER NOT NULL,  -- milliseconds since 1970, for people: clocks jump
    run           INTEGER NOT NULL   -- which run asked, minus it for its judge; 0: from elsewhere
);

-- The newest answer to each key, of the answers up to number `upto`. Keys are scattered, so that
-- each would touch a page of its own: they are added in one sorted go when a run begins.
CREATE TABLE keys (
    key    BLOB PRIMARY KEY,
    answer INTEGER NOT NULL REFERENCES answers(id)
) WITHOUT ROWID;
CREATE TABLE indexed (upto INTEGER NOT NULL);
INSERT INTO indexed VALUES (0);
";

const RUNS: &str = "
CREATE TABLE runs (
    id          INTEGER PRIMARY KEY,
    started_at  INTEGER NOT NULL,
    finished_at INTEGER,             -- NULL while it runs, and after a crash
    digest      BLOB NOT NULL,       -- BLAKE3 of record: the same command continues its run
    model       TEXT NOT NULL,       -- JSON of the model's identity
    record      TEXT NOT NULL        -- JSON of the settings; never a secret
);

-- One row per (task, strategy) of a run.
CREATE TABLE groups (
    run      INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
    idx      INTEGER NOT NULL,
    task     TEXT NOT NULL,
    strategy TEXT NOT NULL,
    PRIMARY KEY (run, idx)
) WITHOUT ROWID;

";

const ITEMS: &str = "
-- One row per question of a group.
CREATE TABLE items (
    run       INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
    grp       INTEGER NOT NULL,
    pos       INTEGER NOT NULL,
    key       BLOB NOT NULL,
    question  TEXT NOT NULL,         -- the question's id
    content   BLOB NOT NULL,         -- BLAKE3 of the question, the same for every model
    category  TEXT,
    options   INTEGER NOT NULL,
    answer    INTEGER NOT NULL,      -- index of the right option; of several, minus their mask
    dont_know INTEGER,
    none      INTEGER,
    reply     INTEGER,               -- number of the model's answer, once there is one
    error     TEXT,                  -- JSON of why it was given up in this run
    cluster   BLOB,                  -- what the questions of a cluster share; NULL: not known
    turn      INTEGER,               -- how its options were shown: see rows.rs; NULL: in order
    PRIMARY KEY (run, grp, pos)
) WITHOUT ROWID;
";

/// Answers in words, of which a run may draw several for each question.
const DRAWS: &str = "
CREATE TABLE draws (
    run   INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
    grp   INTEGER NOT NULL,
    pos   INTEGER NOT NULL,
    draw  INTEGER NOT NULL,
    key   BLOB NOT NULL,
    reply INTEGER,                   -- as in items
    error TEXT,
    PRIMARY KEY (run, grp, pos, draw)
) WITHOUT ROWID;

CREATE TABLE words (
    answer  INTEGER PRIMARY KEY REFERENCES answers(id),
    reading INTEGER NOT NULL,        -- how it was read: see rows.rs
    tokens  INTEGER,                 -- of the answer, thoughts included
    text    BLOB                     -- Zstandard of JSON: the text and the thought
);
";

/// From version 1 to 2; [`ANSWERS`] and [`ITEMS`] run between the two parts. Version 1 found an
/// item's answer by its key, and by time where a run had asked again.
const FROM_1: [&str; 2] = [
    "
ALTER TABLE answers RENAME TO old_answers;
ALTER TABLE items RENAME TO old_items;
",
    "
INSERT INTO answers SELECT NULL, key, logprobs, observed, mass, prompt_tokens, cached_tokens,
    answered_at, 0 FROM old_answers;
INSERT INTO keys SELECT key, id FROM answers;
UPDATE indexed SET upto = (SELECT coalesce(max(id), 0) FROM answers);
INSERT INTO items SELECT run, grp, pos, old_items.key, question, content, category, options,
    old_items.answer, dont_know, none, (
        SELECT answers.id FROM keys JOIN answers ON answers.id = keys.answer, runs
        WHERE keys.key = old_items.key AND runs.id = run
        AND (error IS NULL OR answers.answered_at >= started_at)
    ), error, NULL, NULL FROM old_items;
DROP TABLE old_answers;
DROP TABLE old_items;
",
];

/// From version 2 to 3: the clusters of older questions are unknown.
const FROM_2: &str = "ALTER TABLE items ADD COLUMN cluster BLOB";

/// From version 4 to 5: earlier runs showed options in order.
const FROM_4: &str = "ALTER TABLE items ADD COLUMN turn INTEGER";

/// Creates the tables in an empty file; checks and migrates an existing one.
pub(crate) fn prepare(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let sqlite = |source| StoreError::Sqlite {
        path: path.to_owned(),
        source,
    };
    if is_empty(connection).map_err(sqlite)? {
        // Another process may be creating them at this moment.
        let immediate = TransactionBehavior::Immediate;
        let transaction = connection
            .transaction_with_behavior(immediate)
            .map_err(sqlite)?;
        if !is_empty(&transaction).map_err(sqlite)? {
            drop(transaction);
            return prepare(connection, path);
        }
        for tables in [ANSWERS, RUNS, ITEMS, DRAWS] {
            transaction.execute_batch(tables).map_err(sqlite)?;
        }
        transaction
            .pragma_update(None, "application_id", APPLICATION_ID)
            .map_err(sqlite)?;
        transaction
            .pragma_update(None, "user_version", VERSION)
            .map_err(sqlite)?;
        transaction.commit().map_err(sqlite)?;
        return Ok(());
    }
    let found = check(connection, path)?;
    let transaction = connection.transaction().map_err(sqlite)?;
    let [before, after] = FROM_1;
    let steps: &[&str] = match found {
        1 => &[before, ANSWERS, ITEMS, after, DRAWS],
        2 => &[FROM_2, DRAWS, FROM_4],
        3 => &[DRAWS, FROM_4],
        4 => &[FROM_4],
        _ => &[],
    };
    for step in steps {
        transaction.execute_batch(step).map_err(sqlite)?;
    }
    transaction
        .pragma_update(None, "user_version", VERSION)
        .map_err(sqlite)?;
    transaction.commit().map_err(sqlite)
}

/// Refuses files that need a migration.
pub(crate) fn check_readable(connection: &Connection, path: &Path) -> Result<Readable, StoreError> {
    match check(connection, path)? {
        version @ READABLE.. => Ok(Readable(version)),
        _ => Err(StoreError::TooOld(path.to_owned())),
    }
}

/// The version of a file that can be read as it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Readable(i64);

impl Readable {
    /// The SQL expression for an item's cluster: the column, or NULL where the file has none.
    pub(crate) fn cluster(self) -> &'static str {
        if self.0 >= 3 { "cluster" } else { "NULL" }
    }

    /// The SQL expression for how an item's options were shown, likewise.
    pub(crate) fn turn(self) -> &'static str {
        if self.0 >= 5 { "turn" } else { "NULL" }
    }

    /// Whether the file may hold answers in words.
    pub(crate) fn has_draws(self) -> bool {
        self.0 >= 4
    }
}

/// Refuses other files and newer versions. Returns the version.
fn check(connection: &Connection, path: &Path) -> Result<i64, StoreError> {
    let sqlite = |source| StoreError::Sqlite {
        path: path.to_owned(),
        source,
    };
    let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    if pragma("application_id").map_err(sqlite)? != APPLICATION_ID {
        return Err(StoreError::NotAStore(path.to_owned()));
    }
    let found = pragma("user_version").map_err(sqlite)?;
    if found > VERSION {
        return Err(StoreError::TooNew {
            path: path.to_owned(),
            found,
            known: VERSION,
        });
    }
    Ok(found)
}

fn is_empty(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT count(*) = 0 FROM sqlite_master", [], |row| {
        row.get(0)
    })
}
