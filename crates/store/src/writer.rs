//! The one writer.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OptionalExtension, params};
use sureness_engine::{Answer, AnswerSink, SinkError};
use sureness_scorers::{ModelIdentity, RequestKey};

use crate::codec::{encode_logprobs, encode_observed};
use crate::{Reader, StoreError, StoredQuestion, schema};

/// The open file. Only one process should hold one; readers use [`crate::Reader`].
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    path: PathBuf,
    /// The run that failures are noted in.
    run: i64,
    /// When that run began.
    began: i64,
    /// What counts as known.
    known: Known,
}

/// Which answers count as known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// All in the file.
    All,
    /// Those of the current run, however often it was interrupted.
    ThisRun,
}

/// What is written down about a run before its first question.
#[derive(Debug, Clone)]
pub struct RunRecord {
    /// Which model.
    pub model: ModelIdentity,
    /// All settings that the figures depend on, as JSON. No secrets.
    pub settings: serde_json::Value,
}

/// The questions of one (task, strategy).
pub struct GroupRows<'a> {
    /// Task id.
    pub task: &'a str,
    /// Strategy name.
    pub strategy: &'a str,
    /// In the order of the plan.
    pub items: Box<dyn Iterator<Item = (RequestKey, StoredQuestion)> + 'a>,
}

impl Store {
    /// Opens or creates the file, and makes sure that it can be written to.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let sqlite = |source| StoreError::Sqlite {
            path: path.to_owned(),
            source,
        };
        let mut connection = Connection::open(path).map_err(sqlite)?;
        connection
            .busy_timeout(Duration::from_secs(5))
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
        schema::prepare(&mut connection, path)?;
        Ok(Self {
            connection,
            path: path.to_owned(),
            run: 0,
            began: i64::MIN,
            known: Known::All,
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes down a run and its questions; from now on failures are noted there. If the newest
    /// run with the same model and settings has not finished, it is continued.
    pub fn begin_run<'a>(
        &mut self,
        record: &RunRecord,
        groups: impl IntoIterator<Item = GroupRows<'a>>,
    ) -> Result<i64, StoreError> {
        let path = self.path.clone();
        self.begin(record, groups)
            .map_err(|source| StoreError::Sqlite { path, source })
    }

    fn begin<'a>(
        &mut self,
        record: &RunRecord,
        groups: impl IntoIterator<Item = GroupRows<'a>>,
    ) -> rusqlite::Result<i64> {
        let (model, settings) = (
            serde_json::to_string(&record.model).unwrap_or_default(),
            record.settings.to_string(),
        );
        let mut digest = blake3::Hasher::new();
        digest.update(&record.model.digest());
        digest.update(settings.as_bytes());
        let digest = *digest.finalize().as_bytes();

        let transaction = self.connection.transaction()?;
        let unfinished: Option<(i64, i64)> = transaction
            .query_row(
                "SELECT id, started_at FROM runs WHERE digest = ? AND finished_at IS NULL \
                 ORDER BY id DESC LIMIT 1",
                params![digest],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()?;
        let (run, began) = if let Some((run, began)) = unfinished {
            transaction.execute("DELETE FROM groups WHERE run = ?", [run])?;
            transaction.execute("DELETE FROM items WHERE run = ?", [run])?;
            (run, began)
        } else {
            let began = now().max(after_all_answers(&transaction)?);
            transaction.execute(
                "INSERT INTO runs (started_at, digest, model, record) VALUES (?, ?, ?, ?)",
                params![began, digest, model, settings],
            )?;
            (transaction.last_insert_rowid(), began)
        };
        {
            let mut insert_group = transaction
                .prepare("INSERT INTO groups (run, idx, task, strategy) VALUES (?, ?, ?, ?)")?;
            let mut insert_item = transaction.prepare(
                "INSERT INTO items (run, grp, pos, key, question, content, category, options, \
                 answer, dont_know, none) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )?;
            for (index, group) in groups.into_iter().enumerate() {
                insert_group.execute(params![run, index, group.task, group.strategy])?;
                for (position, (key, question)) in group.items.enumerate() {
                    insert_item.execute(params![
                        run,
                        index,
                        position,
                        key.0,
                        question.id,
                        question.content,
                        question.category,
                        question.options,
                        question.answer,
                        question.dont_know,
                        question.none_of_the_above,
                    ])?;
                }
            }
        }
        transaction.commit()?;
        (self.run, self.began) = (run, began);
        Ok(run)
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

    /// From now on only what was answered since the current run began is known; everything else
    /// is asked anew, and the new answers replace the old ones.
    pub fn ignore_earlier_runs(&mut self) {
        self.known = Known::ThisRun;
    }

    /// Takes over the answers to the current run's questions from another file. Answers that are
    /// here already stay. Tells how many came.
    pub fn take_from(&mut self, other: &Path) -> Result<usize, StoreError> {
        // Opened as a reader first: it checks that this is a store of a version that we know.
        Reader::open(other)?;
        let taken = (|| {
            let name = other.to_string_lossy();
            self.connection
                .execute("ATTACH ? AS other", [name.as_ref()])?;
            let taken = self.connection.execute(
                "INSERT OR IGNORE INTO answers SELECT theirs.* FROM other.answers AS theirs \
                 WHERE key IN (SELECT key FROM items WHERE run = ?)",
                [self.run],
            );
            self.connection.execute("DETACH other", [])?;
            taken
        })();
        taken.map_err(|source| StoreError::Sqlite {
            path: other.to_owned(),
            source,
        })
    }

    fn known_keys(&self, keys: &[RequestKey]) -> rusqlite::Result<Vec<bool>> {
        let since = match self.known {
            Known::All => i64::MIN,
            Known::ThisRun => self.began,
        };
        let mut select = self.connection.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM answers WHERE key = ? AND answered_at >= ?)",
        )?;
        keys.iter()
            .map(|key| select.query_row(params![key.0, since], |row| row.get(0)))
            .collect()
    }

    fn write_all(&mut self, answers: &[Answer]) -> rusqlite::Result<()> {
        // A clock that is set back does not make an answer older than the run that asked.
        let now = now().max(self.began);
        let transaction = self.connection.transaction()?;
        {
            let mut insert = transaction.prepare_cached(
                "INSERT OR REPLACE INTO answers (key, logprobs, observed, mass, prompt_tokens, \
                 cached_tokens, answered_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
            )?;
            let mut note = transaction.prepare_cached(
                "UPDATE items SET error = ? WHERE run = ? AND grp = ? AND pos = ?",
            )?;
            for answer in answers {
                match &answer.outcome {
                    Ok(scores) => insert.execute(params![
                        answer.key.0,
                        encode_logprobs(&scores.logprobs),
                        encode_observed(&scores.observed),
                        scores.mass,
                        scores.usage.prompt_tokens,
                        scores.usage.cached_tokens,
                        now,
                    ])?,
                    Err(error) => note.execute(params![
                        serde_json::to_string(error).unwrap_or_default(),
                        self.run,
                        answer.item.group,
                        answer.item.question,
                    ])?,
                };
            }
        }
        transaction.commit()
    }
}

impl Store {
    fn sink_error(&self, error: &rusqlite::Error) -> SinkError {
        SinkError {
            message: format!("{}: {error}", self.path.display()),
        }
    }
}

impl AnswerSink for Store {
    fn known(&mut self, keys: &[RequestKey]) -> Result<Vec<bool>, SinkError> {
        self.known_keys(keys).map_err(|e| self.sink_error(&e))
    }

    fn write(&mut self, answers: &[Answer]) -> Result<(), SinkError> {
        self.write_all(answers).map_err(|e| self.sink_error(&e))
    }
}

/// A moment after the newest answer in the file, whatever the clock says by now: what was answered
/// before a run must be told from what is answered in it.
fn after_all_answers(connection: &Connection) -> rusqlite::Result<i64> {
    let newest: Option<i64> =
        connection.query_row("SELECT max(answered_at) FROM answers", [], |row| row.get(0))?;
    Ok(newest.map_or(i64::MIN, |newest| newest.saturating_add(1)))
}

fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| d.as_millis() as i64)
}
