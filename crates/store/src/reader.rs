//! The read-only view of a store.

use std::path::{Path, PathBuf};

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use sureness_record::QuestionRecord;
use sureness_record::Recorded;
use sureness_scorers::{ModelIdentity, OptionScores, RequestKey, ScoreError, Usage};

use crate::{StoreError, codec, schema};

/// A read-only view of a store. Works while a run is writing.
#[derive(Debug)]
pub struct Reader {
    connection: Connection,
    path: PathBuf,
    /// SQL expression for an item's cluster.
    cluster: &'static str,
    /// Prefixes of keys that the file does not index yet, with their answers' numbers, sorted.
    rest: Vec<(u64, i64)>,
}

/// A recorded run.
#[derive(Debug, Clone)]
pub struct RunInfo {
    /// Number within the file.
    pub id: i64,
    /// Start, in milliseconds since 1970.
    pub started_at: i64,
    /// End, if it finished.
    pub finished_at: Option<i64>,
    /// The model.
    pub model: ModelIdentity,
    /// The settings, or a note of what was imported.
    pub settings: Recorded,
    /// (task, strategy) of each group, in order.
    pub groups: Vec<(String, String)>,
}

/// One question of a run with its outcome.
#[derive(Debug, Clone)]
pub struct StoredRow {
    /// The question.
    pub question: QuestionRecord,
    /// The model's scores, if it answered. Imported scores may be logits; their `mass` is NaN if
    /// it is unknown.
    pub scores: Option<OptionScores>,
    /// Why it failed, if it did.
    pub error: Option<ScoreError>,
}

impl Reader {
    /// Opens the file read-only.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection =
            Connection::open_with_flags(path, flags).map_err(|source| StoreError::Sqlite {
                path: path.to_owned(),
                source,
            })?;
        let cluster = schema::check_readable(&connection, path)?;
        Ok(Self {
            connection,
            cluster,
            path: path.to_owned(),
            rest: Vec::new(),
        })
    }

    /// The connection, for other queries.
    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// SQL expression for an item's cluster: older files have no such column.
    pub(crate) fn cluster(&self) -> &'static str {
        self.cluster
    }

    /// All runs, oldest first.
    pub fn runs(&self) -> Result<Vec<RunInfo>, StoreError> {
        let ids: Vec<i64> = self.wrap((|| {
            self.connection
                .prepare("SELECT id FROM runs ORDER BY id")?
                .query_map([], |row| row.get(0))?
                .collect()
        })())?;
        ids.into_iter().map(|id| self.run(id)).collect()
    }

    /// One run.
    pub fn run(&self, id: i64) -> Result<RunInfo, StoreError> {
        let (started_at, finished_at, model, record): (i64, Option<i64>, String, String) = self
            .wrap(self.connection.query_row(
                "SELECT started_at, finished_at, model, record FROM runs WHERE id = ?",
                [id],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
            ))?;
        let groups = self.wrap((|| {
            self.connection
                .prepare("SELECT task, strategy FROM groups WHERE run = ? ORDER BY idx")?
                .query_map([id], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        })())?;
        let json = |what: &str, e: &serde_json::Error| StoreError::UnknownRecord {
            path: self.path.clone(),
            what: format!("{what} of run {id} ({e})"),
        };
        Ok(RunInfo {
            id,
            started_at,
            finished_at,
            model: serde_json::from_str(&model).map_err(|e| json("model", &e))?,
            settings: serde_json::from_str(&record).map_err(|e| json("settings", &e))?,
            groups,
        })
    }

    /// How many prompts a run has, and how many of them have an answer.
    pub fn counts(&self, run: i64) -> Result<(usize, usize), StoreError> {
        self.wrap(self.connection.query_row(
            "SELECT count(*), count(reply) FROM items WHERE run = ?",
            [run],
            |row| Ok((row.get(0)?, row.get(1)?)),
        ))
    }

    /// Calls `visit` with each question of a group, in order. Memory holds one row at a time.
    pub fn rows(
        &self,
        run: i64,
        group: usize,
        mut visit: impl FnMut(StoredRow),
    ) -> Result<(), StoreError> {
        let damaged = self.wrap(self.visit(run, group, &mut visit))?;
        match damaged {
            None => Ok(()),
            Some(what) => Err(StoreError::Damaged {
                path: self.path.clone(),
                what,
            }),
        }
    }

    /// Returns the first damaged entry, if any.
    fn visit(
        &self,
        run: i64,
        group: usize,
        visit: &mut impl FnMut(StoredRow),
    ) -> rusqlite::Result<Option<String>> {
        let mut select = self.connection.prepare_cached(&format!(
            "SELECT question, content, category, options, answer, dont_know, none, error, \
             logprobs, observed, mass, prompt_tokens, cached_tokens, {} \
             FROM items LEFT JOIN answers ON id = reply WHERE items.run = ? AND grp = ? ORDER BY pos",
            self.cluster
        ))?;
        let mut rows = select.query(params![run, group])?;
        while let Some(row) = rows.next()? {
            let id: String = row.get(0)?;
            let options: usize = row.get(3)?;
            let error: Option<String> = row.get(7)?;
            let scores = match row.get_ref(8)?.as_blob_or_null()? {
                None => None,
                Some(bytes) => {
                    let usage = Usage {
                        prompt_tokens: row.get(11)?,
                        cached_tokens: row.get(12)?,
                    };
                    let mass: f64 = row.get(10)?;
                    let mass = if mass < 0.0 { f64::NAN } else { mass };
                    match codec::decode(bytes, row.get(9)?, mass, usage) {
                        Some(scores) if scores.logprobs.len() == options => Some(scores),
                        _ => return Ok(Some(format!("answer to question {id}"))),
                    }
                }
            };
            let Some(right) = codec::decode_right(row.get(4)?) else {
                return Ok(Some(format!("right options of question {id}")));
            };
            visit(StoredRow {
                question: QuestionRecord {
                    id,
                    content: row.get(1)?,
                    cluster: row.get(13)?,
                    category: row.get(2)?,
                    options,
                    right,
                    dont_know: row.get(5)?,
                    none_of_the_above: row.get(6)?,
                },
                error: error.and_then(|text| serde_json::from_str(&text).ok()),
                scores,
            });
        }
        Ok(None)
    }

    /// Makes [`Reader::answer`] find answers that the file does not index yet: those of a run that
    /// is in progress or was killed.
    pub(crate) fn index_the_rest(&mut self) -> Result<(), StoreError> {
        let rest = self.wrap((|| {
            self.connection
                .prepare("SELECT key, id FROM answers WHERE id > (SELECT upto FROM indexed)")?
                .query_map([], |row| Ok((head(&row.get(0)?), row.get(1)?)))?
                .collect::<rusqlite::Result<Vec<_>>>()
        })());
        self.rest = rest?;
        self.rest.sort_unstable();
        Ok(())
    }

    /// The raw columns of the newest answer to `key`.
    pub(crate) fn answer(&self, key: RequestKey) -> rusqlite::Result<Option<[Value; 7]>> {
        let head = head(&key.0);
        let begin = self.rest.partition_point(|(other, _)| *other < head);
        let newer = self.rest[begin..]
            .iter()
            .take_while(|(other, _)| *other == head);
        let newer: Vec<i64> = newer.map(|(_, id)| *id).collect();
        let indexed: Option<i64> = self
            .connection
            .prepare_cached("SELECT answer FROM keys WHERE key = ?")?
            .query_row([key.0], |row| row.get(0))
            .optional()?;
        let mut select = self.connection.prepare_cached(
            "SELECT key, logprobs, observed, mass, prompt_tokens, cached_tokens, answered_at \
             FROM answers WHERE id = ? AND key = ?",
        )?;
        for id in newer.into_iter().rev().chain(indexed) {
            let columns = |row: &rusqlite::Row<'_>| {
                let mut columns = [const { Value::Null }; 7];
                for (index, column) in columns.iter_mut().enumerate() {
                    *column = row.get(index)?;
                }
                Ok(columns)
            };
            let found = select.query_row(params![id, key.0], columns).optional()?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    fn wrap<T>(&self, result: rusqlite::Result<T>) -> Result<T, StoreError> {
        result.map_err(|source| StoreError::Sqlite {
            path: self.path.clone(),
            source,
        })
    }
}

/// The first eight bytes of a key.
fn head(key: &[u8; 32]) -> u64 {
    key.first_chunk().copied().map_or(0, u64::from_be_bytes)
}
