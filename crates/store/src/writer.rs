//! The one writer.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use sureness_engine::{Answer, AnswerSink, Planned, SinkError};
use sureness_record::{RunRecord, RunSettings};

use crate::codec::{encode_logprobs, encode_observed};
use crate::reuse::copy_from;
use crate::{AnsweredAt, Reader, StoreError, schema};

/// The open file. Only one process should hold one; readers use [`crate::Reader`].
#[derive(Debug)]
pub struct Store {
    pub(crate) connection: Connection,
    path: PathBuf,
    /// The run that failures are noted in.
    run: i64,
    /// What counts as known.
    pub(crate) known: Known,
    /// Files of other runs in which answers are looked for too.
    pub(crate) others: Vec<Reader>,
    /// When the known answers were given.
    answered_at: Arc<AnsweredAt>,
    /// By group, where each of its questions stands in the whole data set, if only a part of it
    /// is asked.
    places: Vec<Arc<[u32]>>,
}

/// Which answers count as known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// All in the file.
    All,
    /// Those of the current run, however often it was interrupted.
    ThisRun,
    /// The same, and later runs do not know the others either.
    ThisRunForGood,
}

impl Store {
    /// Opens or creates the file, and makes sure that it can be written to.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let sqlite = |source| StoreError::Sqlite {
            path: path.to_owned(),
            source,
        };
        let mut connection = Connection::open(path).map_err(sqlite)?;
        // Several models of one run may be written at the same time, each in turn. What will write
        // says so from the start: what has only read cannot wait for its turn any more.
        connection.set_transaction_behavior(TransactionBehavior::Immediate);
        connection
            .busy_timeout(Duration::from_secs(30))
            .map_err(sqlite)?;
        // WAL lets readers look while we write. NORMAL syncs at checkpoints: a commit survives
        // the death of the process at once, and that of the machine after a moment.
        connection
            .pragma_update(None, "journal_mode", "WAL")
            .map_err(sqlite)?;
        connection
            .pragma_update(None, "synchronous", "NORMAL")
            .map_err(sqlite)?;
        connection
            .pragma_update(None, "foreign_keys", true)
            .map_err(sqlite)?;
        // Fewer and larger checkpoints, and room for the keys' upper pages.
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
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The connection, for what else is written in one go.
    pub(crate) fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Writes down a run with its (task, strategy) groups; from now on its questions and failures
    /// are noted there. If the newest run with the same model and settings has not finished, it
    /// is continued.
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
            run
        } else {
            insert_run(&transaction, record, &digest)?
        };
        insert_groups(&transaction, run, groups)?;
        transaction.commit()?;
        self.run = run;
        Ok(run)
    }

    /// The newest run with these settings, of whatever model, that has finished, or that has not.
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

    /// From now on only what the current run has answered, however often it was interrupted, is known; everything else
    /// is asked anew, and the new answers replace the old ones.
    pub fn ignore_earlier_runs(&mut self) {
        self.known = Known::ThisRun;
    }

    /// The same for good: what earlier runs have answered of the questions that are planned from
    /// now on is not known to later runs either, even if this one is interrupted. Their own
    /// figures stay.
    pub fn forget_earlier_runs(&mut self) {
        self.known = Known::ThisRunForGood;
        self.others.clear();
    }

    /// When the answers were given that planned questions were found to have.
    pub fn answered_at(&self) -> Arc<AnsweredAt> {
        Arc::clone(&self.answered_at)
    }

    /// From now on answers are looked for in another file, too, and copied from there when they
    /// are found. Answers that are here already stay.
    pub fn also_look_in(&mut self, other: &Path) -> Result<(), StoreError> {
        let mut other = Reader::open(other)?;
        other.index_the_rest()?;
        self.others.push(other);
        Ok(())
    }

    /// From now on question `i` of group `g` is noted as number `places[g][i]`. A part of a run
    /// is written down so that its questions stand where they stand in the whole.
    pub fn place_questions(&mut self, places: Vec<Arc<[u32]>>) {
        self.places = places;
    }

    /// The number under which a question of a group is noted.
    fn place(&self, group: u32, question: u32) -> u32 {
        let places = self.places.get(group as usize);
        places
            .and_then(|places| places.get(question as usize))
            .copied()
            .unwrap_or(question)
    }

    /// Writes down planned questions and tells which of them are answered.
    fn note(
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
                 answer, dont_know, none, reply, cluster) \
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
                insert.execute(params![
                    self.run,
                    group,
                    position,
                    planned.key.0,
                    question.id,
                    planned.content,
                    question.category,
                    question.options.len(),
                    question.answer,
                    question.dont_know(),
                    question.none_of_the_above(),
                    reply,
                    planned.cluster,
                ])?;
                known.push(reply.is_some());
            }
            known
        };
        transaction.commit()?;
        Ok(known)
    }

    /// Gives the copies of a question within a run what the first of them got. A run asks each
    /// key once.
    pub fn settle_copies(&mut self, run: i64) -> Result<(), StoreError> {
        self.settle(run).map_err(|source| StoreError::Sqlite {
            path: self.path.clone(),
            source,
        })
    }

    fn settle(&mut self, run: i64) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        let open: bool = transaction.query_row(
            "SELECT EXISTS (SELECT 1 FROM items WHERE run = ? AND reply IS NULL AND error IS NULL)",
            [run],
            |row| row.get(0),
        )?;
        if open {
            transaction.execute_batch(
                "CREATE TEMP TABLE first (key BLOB PRIMARY KEY, reply, error) WITHOUT ROWID",
            )?;
            transaction.execute(
                "INSERT OR IGNORE INTO first SELECT key, NULL, NULL FROM items \
                 WHERE run = ? AND reply IS NULL AND error IS NULL",
                [run],
            )?;
            transaction.execute(
                "UPDATE first SET reply = items.reply, error = items.error FROM items \
                 WHERE run = ? AND items.key = first.key \
                 AND (items.reply IS NOT NULL OR items.error IS NOT NULL)",
                [run],
            )?;
            transaction.execute(
                "UPDATE items SET reply = first.reply, error = first.error FROM first \
                 WHERE run = ? AND items.key = first.key \
                 AND items.reply IS NULL AND items.error IS NULL",
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
        let transaction = self.connection.transaction()?;
        {
            let mut insert = transaction.prepare_cached(
                "INSERT INTO answers (key, logprobs, observed, mass, prompt_tokens, \
                 cached_tokens, answered_at, run) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            )?;
            let mut note = transaction.prepare_cached(
                "UPDATE items SET reply = ?, error = ? WHERE run = ? AND grp = ? AND pos = ?",
            )?;
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
                        (Some(transaction.last_insert_rowid()), None)
                    }
                    Err(error) => (None, serde_json::to_string(error).ok()),
                };
                note.execute(params![reply, error, self.run, answer.item.group, place])?;
            }
        }
        transaction.commit()
    }
}

/// The run with this digest that has not finished: the newest, if there are several.
pub(crate) fn unfinished(connection: &Connection, digest: &[u8]) -> rusqlite::Result<Option<i64>> {
    connection
        .query_row(
            "SELECT id FROM runs WHERE digest = ? AND finished_at IS NULL ORDER BY id DESC LIMIT 1",
            params![digest],
            |row| row.get(0),
        )
        .optional()
}

/// Brings the keys up to date with the answers that came since the last run began.
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
        self.note(group, first, questions)
            .map_err(|e| self.sink_error(&e))
    }

    fn write(&mut self, answers: &[Answer]) -> Result<(), SinkError> {
        self.write_all(answers).map_err(|e| self.sink_error(&e))
    }
}

/// Writes down a run that begins now; gives its number. `digest` is the record's.
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

/// Writes down the groups of a run, in order: task and strategy of each.
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
