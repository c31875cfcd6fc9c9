//! Answers of a judge, which belong to no question of a run.
//!
//! They stand among the other answers, found by their keys, so that a rerun and later runs take them from
//! here. Their `run` is minus the number of the run whose judge asked: the tokens of the model and of its
//! judge are counted apart, as [`Reader::tokens`] of either number.

use rusqlite::{OptionalExtension, params};
use sureness_engine::{Answer, AnswerSink, Planned, SinkError};
use sureness_scorers::{OptionScores, Reading, RequestKey, Usage};

use crate::reuse::copy_from;
use crate::rows::{self, encode_logprobs, encode_observed};
use crate::writer::{Known, index_keys, now};
use crate::{Reader, Store, StoreError, draws};

/// Saves the answers of a run's judge.
#[derive(Debug)]
pub struct JudgeSink {
    store: Store,
    run: i64,
}

impl JudgeSink {
    /// Of the run with this number. Which answers count as cached is as for the run's own.
    pub fn new(store: Store, run: i64) -> Self {
        Self { store, run: -run }
    }

    fn cached(&mut self, planned: &[Planned]) -> rusqlite::Result<Vec<bool>> {
        let (known, run) = (self.store.known, self.run);
        let transaction = self.store.connection.transaction()?;
        index_keys(&transaction)?;
        let mut found = Vec::with_capacity(planned.len());
        for Planned { key, .. } in planned {
            let own: Option<i64> = transaction
                .prepare_cached(
                    "SELECT id FROM keys JOIN answers ON id = answer \
                     WHERE keys.key = ? AND (? OR run = ?)",
                )?
                .query_row(params![key.0, known == Known::All, run], |row| row.get(0))
                .optional()?;
            let elsewhere = match own {
                Some(_) => None,
                None => copy_from(&self.store.others, &transaction, *key)?,
            };
            found.push(own.is_some() || elsewhere.is_some());
        }
        transaction.commit()?;
        Ok(found)
    }

    fn save(&mut self, answers: &[Answer]) -> rusqlite::Result<()> {
        let transaction = self.store.connection.transaction()?;
        let given = answers
            .iter()
            .filter_map(|answer| Some((answer.key, answer.outcome.as_ref().ok()?)));
        for (key, scores) in given {
            transaction
                .prepare_cached(
                    "INSERT INTO answers (key, logprobs, observed, mass, prompt_tokens, \
                     cached_tokens, answered_at, run) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                )?
                .execute(params![
                    key.0,
                    encode_logprobs(&scores.logprobs),
                    encode_observed(&scores.observed),
                    scores.mass,
                    scores.usage.prompt_tokens,
                    scores.usage.cached_tokens,
                    now(),
                    self.run,
                ])?;
            let answer = transaction.last_insert_rowid();
            if let Some(words) = &scores.words {
                let text = rows::encode_words(words);
                draws::write_words(
                    &transaction,
                    answer,
                    words.reading,
                    text.as_deref(),
                    scores.usage,
                )?;
            }
        }
        transaction.commit()
    }

    fn error(&self, error: &rusqlite::Error) -> SinkError {
        SinkError {
            message: format!("{}: {error}", self.store.path().display()),
        }
    }
}

impl AnswerSink for JudgeSink {
    fn plan(&mut self, _: u32, _: u32, planned: &[Planned]) -> Result<Vec<bool>, SinkError> {
        self.cached(planned).map_err(|error| self.error(&error))
    }

    fn write(&mut self, answers: &[Answer]) -> Result<(), SinkError> {
        self.save(answers).map_err(|error| self.error(&error))
    }
}

impl Reader {
    /// How the newest answer in words to `key` was read, with its scores; `None` without one. See
    /// [`Self::index_the_rest`].
    pub fn reading(&self, key: RequestKey) -> Result<Option<(Reading, OptionScores)>, StoreError> {
        self.wrap((|| {
            let Some(id) = self.newest(key)? else {
                return Ok(None);
            };
            let found = self
                .connection()
                .prepare_cached(
                    "SELECT reading, logprobs, observed, mass FROM answers \
                     JOIN words ON words.answer = id WHERE id = ?",
                )?
                .query_row([id], |row| {
                    let logprobs: Vec<u8> = row.get(1)?;
                    let usage = Usage::default();
                    let scores = rows::decode(&logprobs, row.get(2)?, row.get(3)?, usage);
                    Ok(rows::decode_reading(row.get(0)?).zip(scores))
                })
                .optional()?;
            Ok(found.flatten())
        })())
    }
}
