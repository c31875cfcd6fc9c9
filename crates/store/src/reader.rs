//! The read-only view of a store.

use std::path::{Path, PathBuf};

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use sureness_questions::Turn;
use sureness_record::QuestionRecord;
use sureness_record::Recorded;
use sureness_scorers::{ModelIdentity, OptionScores, RequestKey, ScoreError, Usage};

use crate::StoreError;
use crate::draws::{self, Drawn, StoredAnswer};
use crate::progress::Spot;
use crate::schema::{self, Readable};

/// A read-only view of a store. Works while a run is writing.
#[derive(Debug)]
pub struct Reader {
    connection: Connection,
    path: PathBuf,
    readable: Readable,
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
    /// Its position in its group. Positions have gaps where the run holds a part of the questions: those
    /// of a shard are positions in the whole.
    pub position: u32,
    /// The question.
    pub question: QuestionRecord,
    /// The model's scores, if it answered. Imported scores may be logits; their `mass` is NaN if
    /// it is unknown.
    pub scores: Option<OptionScores>,
    /// Why it failed, if it did.
    pub error: Option<ScoreError>,
    /// The answers behind the scores, where several were drawn.
    pub drawn: Option<Drawn>,
    /// How its options were shown, in a run with several orders. The scores are in the order of the
    /// question all the same.
    pub turn: Option<Turn>,
}

/// A question of a run at its place.
#[derive(Debug, Clone)]
pub struct Located {
    /// Index into the run's groups.
    pub group: usize,
    /// Position in the group.
    pub position: u32,
    /// Content key of its request; of the first one where several answers are drawn.
    pub key: RequestKey,
    /// Whether answers in words were drawn.
    pub drawn: bool,
    /// The question with its outcome.
    pub row: StoredRow,
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
        let readable = schema::check_readable(&connection, path)?;
        Ok(Self {
            connection,
            readable,
            path: path.to_owned(),
            rest: Vec::new(),
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The connection, for other queries.
    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// SQL expression for an item's cluster: older files have no such column.
    pub(crate) fn cluster(&self) -> &'static str {
        self.readable.cluster()
    }

    /// SQL expression for how an item's options were shown, likewise.
    pub(crate) fn turn(&self) -> &'static str {
        self.readable.turn()
    }

    /// Whether a run draws answers in words.
    pub(crate) fn draws(&self, run: i64) -> rusqlite::Result<bool> {
        Ok(self.readable.has_draws() && draws::draws(&self.connection, run)?)
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

    /// How many answers a run takes, and how many it has.
    pub fn counts(&self, run: i64) -> Result<(usize, usize), StoreError> {
        let table = self.answers_of(run)?;
        self.wrap(self.connection.query_row(
            &format!("SELECT count(*), count(reply) FROM {table} WHERE run = ?"),
            [run],
            |row| Ok((row.get(0)?, row.get(1)?)),
        ))
    }

    /// Tokens of the answers that a run asked for: of their prompts, of these from the server's cache,
    /// and of the answers, as far as the backend counts them.
    pub fn tokens(&self, run: i64) -> Result<[u64; 3], StoreError> {
        self.wrap((|| {
            let [prompt, cached] = self.connection.query_row(
                "SELECT total(prompt_tokens), total(cached_tokens) FROM answers WHERE run = ?",
                [run],
                |row| Ok([row.get::<_, f64>(0)?, row.get::<_, f64>(1)?]),
            )?;
            let answer = if self.readable.has_draws() {
                draws::answer_tokens(&self.connection, run)?
            } else {
                0.0
            };
            Ok([prompt as u64, cached as u64, answer as u64])
        })())
    }

    /// The token counts of the newest answer to `key`, if there is one. See
    /// [`Self::index_the_rest`].
    pub fn usage(&self, key: RequestKey) -> Result<Option<Usage>, StoreError> {
        self.wrap((|| {
            let Some(id) = self.newest(key)? else {
                return Ok(None);
            };
            let (prompt_tokens, cached_tokens) = self
                .connection
                .prepare_cached("SELECT prompt_tokens, cached_tokens FROM answers WHERE id = ?")?
                .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(Some(Usage {
                prompt_tokens,
                cached_tokens,
                answer_tokens: if self.readable.has_draws() {
                    draws::tokens_of(&self.connection, id)?
                } else {
                    None
                },
            }))
        })())
    }

    /// Whether a group of a run has open questions, which have no options.
    pub fn is_open(&self, run: i64, group: usize) -> Result<bool, StoreError> {
        let found: rusqlite::Result<Option<i64>> = self
            .connection
            .prepare_cached("SELECT options FROM items WHERE run = ? AND grp = ? LIMIT 1")
            .and_then(|mut select| {
                select
                    .query_row(params![run, group], |row| row.get(0))
                    .optional()
            });
        self.wrap(found).map(|options| options == Some(0))
    }

    /// The answers in words to the question at a position of a group ([`StoredRow::position`]), in order;
    /// none where its letters were scored.
    pub fn answers(
        &self,
        run: i64,
        group: usize,
        position: u32,
    ) -> Result<Vec<StoredAnswer>, StoreError> {
        let connection = &self.connection;
        self.wrap((|| {
            if !self.draws(run)? {
                return Ok(Vec::new());
            }
            draws::answers(connection, run, group, position.into())
        })())
    }

    /// The questions of a run with this id, by group and position.
    pub fn locate(&self, run: i64, question: &str) -> Result<Vec<Located>, StoreError> {
        let places: Vec<(usize, u32, [u8; 32])> = self.wrap((|| {
            self.connection
                .prepare("SELECT grp, pos, key FROM items WHERE run = ? AND question = ? ORDER BY grp, pos")?
                .query_map(params![run, question], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
                })?
                .collect()
        })())?;
        let drawn = self.wrap(self.draws(run))?;
        let mut located = Vec::with_capacity(places.len());
        for (group, position, key) in places {
            let mut found = None;
            self.rows_from(run, group, Some(position), |row| found = Some(row))?;
            located.extend(found.map(|row| Located {
                group,
                position,
                key: RequestKey(key),
                drawn,
                row,
            }));
        }
        Ok(located)
    }

    /// The question at this place of a run, if there is one.
    pub fn at(&self, run: i64, spot: Spot) -> Result<Option<StoredRow>, StoreError> {
        let mut found = None;
        self.rows_from(run, spot.group, Some(spot.position), |row| {
            found = Some(row);
        })?;
        Ok(found)
    }

    /// Makes [`Reader::usage`] find answers that the file does not index yet: those of a run that
    /// is in progress or was killed.
    pub fn index_the_rest(&mut self) -> Result<(), StoreError> {
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

    /// The number of the newest answer to `key`.
    pub(crate) fn newest(&self, key: RequestKey) -> rusqlite::Result<Option<i64>> {
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
        let mut select = self
            .connection
            .prepare_cached("SELECT id FROM answers WHERE id = ? AND key = ?")?;
        for id in newer.into_iter().rev().chain(indexed) {
            let found = select.query_row(params![id, key.0], |row| row.get(0));
            if let Some(id) = found.optional()? {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// The raw columns of the newest answer to `key`.
    pub(crate) fn answer(&self, key: RequestKey) -> rusqlite::Result<Option<[Value; 7]>> {
        let Some(id) = self.newest(key)? else {
            return Ok(None);
        };
        let columns = |row: &rusqlite::Row<'_>| {
            let mut columns = [const { Value::Null }; 7];
            for (index, column) in columns.iter_mut().enumerate() {
                *column = row.get(index)?;
            }
            Ok(columns)
        };
        self.connection
            .prepare_cached(
                "SELECT key, logprobs, observed, mass, prompt_tokens, cached_tokens, answered_at \
                 FROM answers WHERE id = ?",
            )?
            .query_row([id], columns)
            .optional()
    }

    /// Copies the text of the newest answer to `key`, if it has one, to answer number `to` of
    /// another store.
    pub(crate) fn copy_words(
        &self,
        key: RequestKey,
        store: &rusqlite::Transaction<'_>,
        to: i64,
    ) -> rusqlite::Result<()> {
        let newest = self.newest(key)?.filter(|_| self.readable.has_draws());
        let Some(id) = newest else {
            return Ok(());
        };
        draws::copy_words(&self.connection, id, store, to)
    }

    pub(crate) fn wrap<T>(&self, result: rusqlite::Result<T>) -> Result<T, StoreError> {
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
