//! The writer.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use sureness_engine::{Answer, AnswerSink, Planned, SinkError};
use sureness_questions::Turn;
use sureness_record::{RunRecord, RunSettings};

use crate::reuse::copy_from;
use crate::rows::{self, encode_logprobs, encode_observed, encode_right};
use crate::{AnsweredAt, Reader, StoreError, draws, schema};

/// A store open for writing. Only one process should open it so; others use [`crate::Reader`].
#[derive(Debug)]
pub struct Store {
    pub(crate) connection: Connection,
    path: PathBuf,
    /// The run that records questions and failures.
    run: i64,
    /// Which answers count as cached.
    pub(crate) known: Known,
    /// Other stores to take cached answers from.
    pub(crate) others: Vec<Reader>,
    /// When the cached answers were given.
    answered_at: Arc<AnsweredAt>,
    /// By group, the position of each of its questions in the whole run, if this is a shard.
    places: Vec<Arc<[u32]>>,
    /// How many answers in words are drawn for each question; `None` where letters are scored.
    draws: Option<NonZeroU32>,
    /// Whether texts of answers in words are kept.
    keeps_text: bool,
}

/// Which answers count as cached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// All in the file.
    All,
    /// Those of the current run, also from before interruptions.
    ThisRun,
    /// The same, and later runs do not reuse earlier answers either.
    ThisRunForGood,
}

impl Store {
    /// Opens or creates the file for writing.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let sqlite = |source| StoreError::Sqlite {
            path: path.to_owned(),
            source,
        };
        let mut connection = Connection::open(path).map_err(sqlite)?;
        // Several models of one run may write at the same time, in turn. A transaction must take
        // the write lock at its start: one that upgrades from a read lock fails instead of waiting.
        connection.set_transaction_behavior(TransactionBehavior::Immediate);
        connection
            .busy_timeout(Duration::from_secs(30))
            .map_err(sqlite)?;
        // WAL allows reads during writes. NORMAL syncs at checkpoints: a commit survives the death
        // of the process at once, and a power cut after the next checkpoint.
        connection
            .pragma_update(None, "journal_mode", "WAL")
            .map_err(sqlite)?;
        connection
            .pragma_update(None, "synchronous", "NORMAL")
            .map_err(sqlite)?;
        connection
            .pragma_update(None, "foreign_keys", true)
            .map_err(sqlite)?;
        // Fewer, larger checkpoints, and a cache for the upper pages of the keys.
        connection
            .pragma_update(None, "wal_autocheckpoint", 4_000)
            .map_err(sqlite)?;
        connection
            .pragma_update(None, "cache_size", -8_000)
            .map_err(sqlite)?;
        schema::prepare(&mut connection, path)?;
        Ok(Self {
            connection,
            path: path.to_owned(),
            run: 0,
            known: Known::All,
            others: Vec::new(),
            answered_at: Arc::default(),
            places: Vec::new(),
            draws: None,
            keeps_text: true,
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The connection, for other transactions.
    pub(crate) fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Records a run with its (task, strategy) groups, to which questions and failures belong from
    /// now on. Continues the newest run with the same model and settings if it has not finished.
    pub fn begin_run<'a>(
        &mut self,
        record: &RunRecord,
        groups: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<i64, StoreError> {
        let path = self.path.clone();
        self.begin(record, groups)
            .map_err(|source| StoreError::Sqlite { path, source })
    }

    fn begin<'a>(
        &mut self,
        record: &RunRecord,
        groups: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> rusqlite::Result<i64> {
        let digest = record.digest();

        let transaction = self.connection.transaction()?;
        index_keys(&transaction)?;
        let run = if let Some(run) = unfinished(&transaction, &digest)? {
            transaction.execute("DELETE FROM groups WHERE run = ?", [run])?;
            transaction.execute("DELETE FROM items WHERE run = ?", [run])?;
            transaction.execute("DELETE FROM draws WHERE run = ?", [run])?;
            run
        } else {
            insert_run(&transaction, record, &digest)?
        };
        insert_groups(&transaction, run, groups)?;
        transaction.commit()?;
        self.run = run;
        Ok(run)
    }

    /// The newest finished or unfinished run with these settings, of any model.
    pub fn newest_run(
        &self,
        settings: &RunSettings,
        finished: bool,
    ) -> Result<Option<i64>, StoreError> {
        self.connection
            .query_row(
                "SELECT max(id) FROM runs WHERE record = ? AND (finished_at IS NOT NULL) = ?",
                params![settings.to_string(), finished],
                |row| row.get(0),
            )
            .map_err(|source| StoreError::Sqlite {
                path: self.path.clone(),
                source,
            })
    }

    /// Marks the run as complete, so that the same command starts a new one.
    pub fn finish_run(&mut self, run: i64) -> Result<(), StoreError> {
        self.connection
            .execute(
                "UPDATE runs SET finished_at = ? WHERE id = ?",
                params![now(), run],
            )
            .map(|_| ())
            .map_err(|source| StoreError::Sqlite {
                path: self.path.clone(),
                source,
            })
    }

    /// Limits cached answers to those of the current run, also from before interruptions. All other
    /// questions are asked again, and the new answers replace the old ones.
    pub fn ignore_earlier_runs(&mut self) {
        self.known = Known::ThisRun;
    }

    /// [`Self::ignore_earlier_runs`] for later runs as well: they do not reuse earlier answers to
    /// the questions planned from now on, even if this run is interrupted. The earlier runs keep
    /// their figures.
    pub fn forget_earlier_runs(&mut self) {
        self.known = Known::ThisRunForGood;
        self.others.clear();
    }

    /// When the cached answers of planned questions were given.
    pub fn answered_at(&self) -> Arc<AnsweredAt> {
        Arc::clone(&self.answered_at)
    }

    /// Also takes cached answers from another store, which are then copied here. Answers in this
    /// file take precedence.
    pub fn also_look_in(&mut self, other: &Path) -> Result<(), StoreError> {
        let mut other = Reader::open(other)?;
        other.index_the_rest()?;
        self.others.push(other);
        Ok(())
    }

    /// Records question `i` of group `g` at position `places[g][i]`, so that a shard's questions
    /// have their positions in the whole run.
    pub fn place_questions(&mut self, places: Vec<Arc<[u32]>>) {
        self.places = places;
    }

    /// Records so many answers in words to each question.
    pub fn draw(&mut self, draws: Option<NonZeroU32>) {
        self.draws = draws;
    }

    /// Whether to keep the texts of answers in words, and thoughts: a new store does. Without them an
    /// answer keeps how it was read, its scores and its tokens.
    pub fn keep_text(&mut self, keep: bool) {
        self.keeps_text = keep;
    }

    /// The position at which an item's question is recorded.
    fn place(&self, group: u32, item: u32) -> u32 {
        let question = item / self.draws_each();
        let places = self.places.get(group as usize);
        places
            .and_then(|places| places.get(question as usize))
            .copied()
            .unwrap_or(question)
    }

    fn draws_each(&self) -> u32 {
        self.draws.map_or(1, NonZeroU32::get)
    }

    /// Records planned questions and returns which of them have cached answers.
    fn record_questions(
        &mut self,
        group: u32,
        first: u32,
        questions: &[Planned],
    ) -> rusqlite::Result<Vec<bool>> {
        let places: Vec<u32> = (first..)
            .take(questions.len())
            .map(|index| self.place(group, index))
            .collect();
        let transaction = self.connection.transaction()?;
        let known = {
            let mut insert = transaction.prepare_cached(
                "INSERT INTO items (run, grp, pos, key, question, content, category, options, \
                 answer, dont_know, none, reply, cluster, turn) \
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )?;
            let mut select = transaction.prepare_cached(
                "SELECT id, answered_at FROM keys JOIN answers ON id = answer \
                 WHERE keys.key = ? AND run >= ?",
            )?;
            let mut forget = transaction.prepare_cached("DELETE FROM keys WHERE key = ?")?;
            let since = match self.known {
                Known::All => i64::MIN,
                Known::ThisRun | Known::ThisRunForGood => self.run,
            };
            let mut known = Vec::with_capacity(questions.len());
            for (position, planned) in places.into_iter().zip(questions) {
                let question = &planned.question;
                let found: Option<(i64, i64)> = select
                    .query_row(params![planned.key.0, since], |row| {
                        Ok((row.get(0)?, row.get(1)?))
                    })
                    .optional()?;
                let found = match found {
                    None => copy_from(&self.others, &transaction, planned.key)?,
                    found => found,
                };
                let reply = found.map(|(reply, at)| {
                    self.answered_at.add(at);
                    reply
                });
                if reply.is_none() && self.known == Known::ThisRunForGood {
                    forget.execute([planned.key.0])?;
                }
                known.push(reply.is_some());
                if self.draws.is_some() {
                    draws::plan(&transaction, self.run, group, position, planned, reply)?;
                    if planned.draw > 0 {
                        continue;
                    }
                }
                let reply = reply.filter(|_| self.draws.is_none());
                insert.execute(params![
                    self.run,
                    group,
                    position,
                    planned.key.0,
                    question.id,
                    planned.content,
                    question.category,
                    question.options.len(),
                    encode_right(question.right),
                    question.admits_ignorance(),
                    question.none_of_the_above(),
                    reply,
                    planned.cluster,
                    planned.turn.map(Turn::code),
                ])?;
            }
            known
        };
        transaction.commit()?;
        Ok(known)
    }

    /// Copies the outcome of each key to the run's other questions with that key, which is asked
    /// only once.
    pub fn settle_copies(&mut self, run: i64) -> Result<(), StoreError> {
        let copied = self.copy_outcomes(run);
        copied.map_err(|source| StoreError::Sqlite {
            path: self.path.clone(),
            source,
        })
    }

    fn copy_outcomes(&mut self, run: i64) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        let table = if draws::draws(&transaction, run)? {
            "draws"
        } else {
            "items"
        };
        let open: bool = transaction.query_row(
            &format!(
                "SELECT EXISTS \
                 (SELECT 1 FROM {table} WHERE run = ? AND reply IS NULL AND error IS NULL)"
            ),
            [run],
            |row| row.get(0),
        )?;
        if open {
            transaction.execute_batch(
                "CREATE TEMP TABLE first (key BLOB PRIMARY KEY, reply, error) WITHOUT ROWID",
            )?;
            transaction.execute(
                &format!(
                    "INSERT OR IGNORE INTO first SELECT key, NULL, NULL FROM {table} \
                     WHERE run = ? AND reply IS NULL AND error IS NULL"
                ),
                [run],
            )?;
            transaction.execute(
                &format!(
                    "UPDATE first SET reply = {table}.reply, error = {table}.error FROM {table} \
                     WHERE run = ? AND {table}.key = first.key \
                     AND ({table}.reply IS NOT NULL OR {table}.error IS NOT NULL)"
                ),
                [run],
            )?;
            transaction.execute(
                &format!(
                    "UPDATE {table} SET reply = first.reply, error = first.error FROM first \
                     WHERE run = ? AND {table}.key = first.key \
                     AND {table}.reply IS NULL AND {table}.error IS NULL"
                ),
                [run],
            )?;
            transaction.execute_batch("DROP TABLE first")?;
        }
        transaction.commit()
    }

    fn write_all(&mut self, answers: &[Answer]) -> rusqlite::Result<()> {
        let now = now();
        let places: Vec<u32> = answers
            .iter()
            .map(|answer| self.place(answer.item.group, answer.item.question))
            .collect();
        let draws = self.draws_each();
        let transaction = self.connection.transaction()?;
        {
            let mut insert = transaction.prepare_cached(
                "INSERT INTO answers (key, logprobs, observed, mass, prompt_tokens, \
                 cached_tokens, answered_at, run) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            )?;
            let mut update = transaction.prepare_cached(match self.draws {
                None => {
                    "UPDATE items SET reply = ?, error = ? WHERE run = ? AND grp = ? AND pos = ?"
                }
                Some(_) => {
                    "UPDATE draws SET reply = ?, error = ? \
                     WHERE run = ? AND grp = ? AND pos = ? AND draw = ?"
                }
            })?;
            for (answer, place) in answers.iter().zip(places) {
                let (reply, error) = match &answer.outcome {
                    Ok(scores) => {
                        insert.execute(params![
                            answer.key.0,
                            encode_logprobs(&scores.logprobs),
                            encode_observed(&scores.observed),
                            scores.mass,
                            scores.usage.prompt_tokens,
                            scores.usage.cached_tokens,
                            now,
                            self.run,
                        ])?;
                        let reply = transaction.last_insert_rowid();
                        if let Some(words) = &scores.words {
                            let text = rows::encode_words(words).filter(|_| self.keeps_text);
                            draws::write_words(
                                &transaction,
                                reply,
                                words.reading,
                                text.as_deref(),
                                scores.usage,
                            )?;
                        }
                        (Some(reply), None)
                    }
                    Err(error) => (None, serde_json::to_string(error).ok()),
                };
                let group = answer.item.group;
                if self.draws.is_some() {
                    let draw = answer.item.question % draws;
                    update.execute(params![reply, error, self.run, group, place, draw])?;
                } else {
                    update.execute(params![reply, error, self.run, group, place])?;
                }
            }
        }
        transaction.commit()
    }
}

/// The newest unfinished run with this digest.
pub(crate) fn unfinished(connection: &Connection, digest: &[u8]) -> rusqlite::Result<Option<i64>> {
    connection
        .query_row(
            "SELECT id FROM runs WHERE digest = ? AND finished_at IS NULL ORDER BY id DESC LIMIT 1",
            params![digest],
            |row| row.get(0),
        )
        .optional()
}

/// Indexes the answers since the start of the last run by key.
pub(crate) fn index_keys(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch(
        "INSERT OR REPLACE INTO keys SELECT key, id FROM answers \
         WHERE id > (SELECT upto FROM indexed) ORDER BY key, id; \
         UPDATE indexed SET upto = (SELECT coalesce(max(id), 0) FROM answers)",
    )
}

impl Store {
    fn sink_error(&self, error: &rusqlite::Error) -> SinkError {
        SinkError {
            message: format!("{}: {error}", self.path.display()),
        }
    }
}

impl AnswerSink for Store {
    fn plan(
        &mut self,
        group: u32,
        first: u32,
        questions: &[Planned],
    ) -> Result<Vec<bool>, SinkError> {
        self.record_questions(group, first, questions)
            .map_err(|e| self.sink_error(&e))
    }

    fn write(&mut self, answers: &[Answer]) -> Result<(), SinkError> {
        self.write_all(answers).map_err(|e| self.sink_error(&e))
    }
}

/// Records a run that begins now, and returns its number. `digest` is the record's.
pub(crate) fn insert_run(
    transaction: &Transaction<'_>,
    record: &RunRecord,
    digest: &[u8],
) -> rusqlite::Result<i64> {
    transaction.execute(
        "INSERT INTO runs (started_at, digest, model, record) VALUES (?, ?, ?, ?)",
        params![
            now(),
            digest,
            serde_json::to_string(&record.model).unwrap_or_default(),
            record.settings.to_string()
        ],
    )?;
    Ok(transaction.last_insert_rowid())
}

/// Records the (task, strategy) groups of a run, in order.
pub(crate) fn insert_groups<'a>(
    transaction: &Transaction<'_>,
    run: i64,
    groups: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> rusqlite::Result<()> {
    for (index, (task, strategy)) in groups.into_iter().enumerate() {
        transaction.execute(
            "INSERT INTO groups (run, idx, task, strategy) VALUES (?, ?, ?, ?)",
            params![run, index, task, strategy],
        )?;
    }
    Ok(())
}

pub(crate) fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| d.as_millis() as i64)
}
