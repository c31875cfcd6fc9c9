//! Cached answers from earlier runs.

use std::sync::atomic::{AtomicI64, Ordering};

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use sureness_record::RunRecord;
use sureness_scorers::{OptionScores, RequestKey, Usage};

use crate::writer::{Known, index_keys, unfinished};
use crate::{Reader, Store, StoreError, rows};

/// When a run's cached answers were given, in milliseconds since 1970.
#[derive(Debug)]
pub struct AnsweredAt {
    oldest: AtomicI64,
    newest: AtomicI64,
}

impl Default for AnsweredAt {
    fn default() -> Self {
        Self {
            oldest: AtomicI64::new(i64::MAX),
            newest: AtomicI64::new(i64::MIN),
        }
    }
}

impl AnsweredAt {
    pub(crate) fn add(&self, at: i64) {
        self.oldest.fetch_min(at, Ordering::Relaxed);
        self.newest.fetch_max(at, Ordering::Relaxed);
    }

    /// The oldest and the newest; `None` without cached answers.
    pub fn range(&self) -> Option<(i64, i64)> {
        let oldest = self.oldest.load(Ordering::Relaxed);
        let newest = self.newest.load(Ordering::Relaxed);
        (oldest <= newest).then_some((oldest, newest))
    }
}

/// A cached answer from an earlier run.
#[derive(Debug, Clone, PartialEq)]
pub struct EarlierAnswer {
    /// The model's answer.
    pub scores: OptionScores,
    /// Its time, in milliseconds since 1970.
    pub answered_at: i64,
}

impl Store {
    /// The cached answers that the run with this record would take from earlier runs or other
    /// stores, one entry per key. Excludes answers of the run itself from before an interruption.
    pub fn earlier_answers(
        &mut self,
        record: &RunRecord,
        keys: &[RequestKey],
    ) -> Result<Vec<Option<EarlierAnswer>>, StoreError> {
        let path = self.path().to_owned();
        self.look_up(record, keys)
            .map_err(|source| StoreError::Sqlite { path, source })
    }

    fn look_up(
        &mut self,
        record: &RunRecord,
        keys: &[RequestKey],
    ) -> rusqlite::Result<Vec<Option<EarlierAnswer>>> {
        if self.known != Known::All {
            return Ok(vec![None; keys.len()]);
        }
        // The next run would index them anyway.
        let transaction = self.connection.transaction()?;
        index_keys(&transaction)?;
        transaction.commit()?;
        let current = unfinished(&self.connection, &record.digest())?;
        let mut found = Vec::with_capacity(keys.len());
        for &key in keys {
            found.push(match newest(&self.connection, key)? {
                Some((run, _)) if Some(run) == current => None,
                Some((_, answer)) => answer,
                None => self.elsewhere(key)?,
            });
        }
        Ok(found)
    }

    fn elsewhere(&self, key: RequestKey) -> rusqlite::Result<Option<EarlierAnswer>> {
        for other in &self.others {
            if let Some(columns) = other.answer(key)? {
                return Ok(decode(&columns));
            }
        }
        Ok(None)
    }
}

/// The newest answer to `key` in this file, with the run that asked for it; without the answer if
/// it is damaged.
fn newest(
    connection: &Connection,
    key: RequestKey,
) -> rusqlite::Result<Option<(i64, Option<EarlierAnswer>)>> {
    connection
        .prepare_cached(
            "SELECT run, answers.key, logprobs, observed, mass, prompt_tokens, cached_tokens, \
             answered_at FROM keys JOIN answers ON id = answer WHERE keys.key = ?",
        )?
        .query_row(params![key.0], |row| {
            let mut columns = [const { Value::Null }; 7];
            for (index, column) in columns.iter_mut().enumerate() {
                *column = row.get(index + 1)?;
            }
            Ok((row.get(0)?, decode(&columns)))
        })
        .optional()
}

/// An answer from its columns, `key` to `answered_at`, without token counts.
fn decode(columns: &[Value; 7]) -> Option<EarlierAnswer> {
    let [
        _,
        Value::Blob(logprobs),
        Value::Integer(observed),
        Value::Real(mass),
        ..,
        Value::Integer(at),
    ] = columns
    else {
        return None;
    };
    Some(EarlierAnswer {
        scores: rows::decode(logprobs, *observed, *mass, Usage::default())?,
        answered_at: *at,
    })
}

/// Copies an answer from the first of `others` that has it, as one of an earlier run. Returns its
/// number and its time.
pub(crate) fn copy_from(
    others: &[Reader],
    transaction: &Transaction<'_>,
    key: RequestKey,
) -> rusqlite::Result<Option<(i64, i64)>> {
    for other in others {
        let Some(row) = other.answer(key)? else {
            continue;
        };
        let copy: (i64, i64) = transaction
            .prepare_cached(
                "INSERT INTO answers (key, logprobs, observed, mass, prompt_tokens, \
                 cached_tokens, answered_at, run) VALUES (?, ?, ?, ?, ?, ?, ?, 0) \
                 RETURNING id, answered_at",
            )?
            .query_row(rusqlite::params_from_iter(row), |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        transaction
            .prepare_cached("INSERT OR REPLACE INTO keys (key, answer) VALUES (?, ?)")?
            .execute(params![key.0, copy.0])?;
        other.copy_words(key, transaction, copy.0)?;
        return Ok(Some(copy));
    }
    Ok(None)
}
