//! Merging what judges said of the answers of a run's shards.

use rusqlite::types::Value;
use rusqlite::{Transaction, params};

use crate::merge::MergeInput;
use crate::merge_draws::{ANSWER, Answer};
use crate::writer::index_keys;
use crate::{Reader, Store, StoreError};

impl Store {
    /// Takes over the answers of the judges of these runs, each with its inputs: first those that the
    /// runs themselves asked for, then those that they found in the cache. Answers that are there
    /// already stay.
    pub fn merge_judged(&mut self, runs: &[(i64, Vec<MergeInput>)]) -> Result<(), StoreError> {
        for own in [true, false] {
            for (run, inputs) in runs {
                for input in inputs {
                    let reader = Reader::open(&input.path)?;
                    let path = self.path().to_owned();
                    let merged = (|| {
                        let transaction = self.connection().transaction()?;
                        index_keys(&transaction)?;
                        if own {
                            take(&transaction, *run, &reader, "run = ?", -input.run)?;
                        } else {
                            take(&transaction, 0, &reader, "run <= ?", 0)?;
                        }
                        transaction.commit()
                    })();
                    merged.map_err(|source| StoreError::Sqlite { path, source })?;
                }
            }
        }
        Ok(())
    }
}

/// Copies the newest answer in words to each key, of those `which`, unless the key has one. The answers
/// become those of the judge of `run`; 0: from elsewhere.
fn take(
    transaction: &Transaction<'_>,
    run: i64,
    reader: &Reader,
    which: &str,
    bound: i64,
) -> rusqlite::Result<()> {
    let mut select = reader.connection().prepare(&format!(
        "SELECT key, {ANSWER} FROM answers JOIN words ON words.answer = id WHERE id IN \
         (SELECT max(id) FROM answers JOIN words ON words.answer = id WHERE {which} GROUP BY key) \
         ORDER BY id"
    ))?;
    let mut rows = select.query([bound])?;
    while let Some(row) = rows.next()? {
        let key: Value = row.get(0)?;
        let known: bool = transaction
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM keys WHERE key = ?)")?
            .query_row(params![key], |row| row.get(0))?;
        if !known {
            Answer::of(row, 1)?.keep(transaction, -run, &key)?;
        }
    }
    Ok(())
}
