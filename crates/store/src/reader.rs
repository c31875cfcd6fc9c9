//! Looking without touching.

use std::path::{Path, PathBuf};

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use sureness_scorers::{ModelIdentity, OptionScores, RequestKey, ScoreError, Usage};

use crate::{StoreError, StoredQuestion, codec, schema};

/// A read-only view of a store. Works while a run is writing.
#[derive(Debug)]
pub struct Reader {
    connection: Connection,
    path: PathBuf,
}

/// A run as it was written down.
#[derive(Debug, Clone)]
pub struct RunInfo {
    /// Number within the file.
    pub id: i64,
    /// Start, in milliseconds since 1970.
    pub started_at: i64,
    /// End, if it ran to its end.
    pub finished_at: Option<i64>,
    /// Which model.
    pub model: ModelIdentity,
    /// The settings.
    pub settings: serde_json::Value,
    /// (task, strategy) of each group, in order.
    pub groups: Vec<(String, String)>,
}

/// One question of a run with what is known of it.
#[derive(Debug, Clone)]
pub struct StoredRow {
    /// The question.
    pub question: StoredQuestion,
    /// The model's scores, if it answered.
    pub scores: Option<OptionScores>,
    /// Why it was given up, if it was.
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
        schema::check_current(&connection, path)?;
        Ok(Self {
            connection,
            path: path.to_owned(),
        })
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
        let json = |what: &str, e: &serde_json::Error| StoreError::Damaged {
            path: self.path.clone(),
            what: format!("{what} of run {id}: {e}"),
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

    /// Calls `visit` with each question of a group, in order. Only one row is held at a time.
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

    /// The first damaged entry, if there is one.
    fn visit(
        &self,
        run: i64,
        group: usize,
        visit: &mut impl FnMut(StoredRow),
    ) -> rusqlite::Result<Option<String>> {
        let mut select = self.connection.prepare_cached(
            "SELECT question, content, category, options, answer, dont_know, none, error, \
             logprobs, observed, mass, prompt_tokens, cached_tokens, answers.run < items.run \
             FROM items LEFT JOIN answers USING (key) WHERE items.run = ? AND grp = ? ORDER BY pos",
        )?;
        let mut rows = select.query(params![run, group])?;
        while let Some(row) = rows.next()? {
            let id: String = row.get(0)?;
            let options: usize = row.get(3)?;
            let error: Option<String> = row.get(7)?;
            // Asked anew and not answered: the answer of an earlier run does not stand in for it.
            let superseded = error.is_some() && row.get::<_, Option<bool>>(13)? == Some(true);
            let scores = match row.get_ref(8)?.as_blob_or_null()? {
                None => None,
                Some(_) if superseded => None,
                Some(bytes) => {
                    let usage = Usage {
                        prompt_tokens: row.get(11)?,
                        cached_tokens: row.get(12)?,
                    };
                    match codec::decode(bytes, row.get(9)?, row.get(10)?, usage) {
                        Some(scores) if scores.logprobs.len() == options => Some(scores),
                        _ => return Ok(Some(format!("answer to question {id}"))),
                    }
                }
            };
            visit(StoredRow {
                question: StoredQuestion {
                    id,
                    content: row.get(1)?,
                    category: row.get(2)?,
                    options,
                    answer: row.get(4)?,
                    dont_know: row.get(5)?,
                    none_of_the_above: row.get(6)?,
                },
                // An error of an earlier attempt no longer counts once there is an answer.
                error: match (&scores, error) {
                    (None, Some(text)) => serde_json::from_str(&text).ok(),
                    _ => None,
                },
                scores,
            });
        }
        Ok(None)
    }

    /// The columns of an answer as they are.
    pub(crate) fn answer(&self, key: RequestKey) -> rusqlite::Result<Option<[Value; 7]>> {
        self.connection
            .prepare_cached(
                "SELECT key, logprobs, observed, mass, prompt_tokens, cached_tokens, answered_at \
                 FROM answers WHERE key = ?",
            )?
            .query_row([key.0], |row| {
                Ok([
                    row.get(0)?,
                    row.get(1)?,
                    row.get(2)?,
                    row.get(3)?,
                    row.get(4)?,
                    row.get(5)?,
                    row.get(6)?,
                ])
            })
            .optional()
    }

    fn wrap<T>(&self, result: rusqlite::Result<T>) -> Result<T, StoreError> {
        result.map_err(|source| StoreError::Sqlite {
            path: self.path.clone(),
            source,
        })
    }
}
