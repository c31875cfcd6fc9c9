//! Merging the shards of a run from several stores.

use std::collections::VecDeque;
use std::path::PathBuf;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};
use sureness_record::{RunRecord, RunSettings};

use crate::merge_draws::merge_draws;
use crate::writer::{insert_groups, insert_run};
use crate::{Reader, Store, StoreError};

/// Maximum number of open stores, each with up to three file descriptors.
const MAX_OPEN: usize = 64;
/// Rows per read.
const PAGE: usize = 256;
/// Rows per transaction. A killed merge loses at most these, and the next one merges them again.
const TRANSACTION: u64 = 16_384;

/// A run of another store.
#[derive(Debug, Clone)]
pub struct MergeInput {
    /// The store's file.
    pub path: PathBuf,
    /// The run's number there.
    pub run: i64,
}

/// The result of a merge.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Merged {
    /// Questions that are new, or newly answered.
    pub changed: u64,
    /// Questions that two stores answer with different scores. The first answer is kept.
    pub differing: u64,
}

/// A row of the table `items` with its answer.
struct Item {
    position: i64,
    /// The raw columns `key` to `none`.
    columns: [Value; 8],
    error: Option<String>,
    cluster: Value,
    turn: Value,
    /// The raw columns `logprobs` to `answered_at` of its answer.
    answer: Option<[Value; 6]>,
}

/// Indices of the question's id and content in [`Item::columns`].
const ID: usize = 1;
const CONTENT: usize = 2;

/// One store's rows of one group, read page by page.
struct Feed<'a> {
    input: &'a MergeInput,
    reader: &'a Reader,
    group: usize,
    rows: VecDeque<Item>,
    /// The last position that was read.
    read: i64,
    ended: bool,
}

impl Feed<'_> {
    /// The next row's position.
    fn next(&mut self) -> Result<Option<i64>, StoreError> {
        if self.rows.is_empty() && !self.ended {
            let page = self.page().map_err(|source| StoreError::Sqlite {
                path: self.input.path.clone(),
                source,
            })?;
            self.ended = page.len() < PAGE;
            self.read = page.back().map_or(self.read, |item| item.position);
            self.rows = page;
        }
        Ok(self.rows.front().map(|item| item.position))
    }

    fn page(&self) -> rusqlite::Result<VecDeque<Item>> {
        let mut select = self.reader.connection().prepare_cached(&format!(
            "SELECT pos, items.key, question, content, category, options, items.answer, \
             dont_know, none, error, id IS NOT NULL, logprobs, observed, mass, prompt_tokens, \
             cached_tokens, answered_at, {}, {} FROM items LEFT JOIN answers ON id = reply \
             WHERE items.run = ? AND grp = ? AND pos > ? ORDER BY pos LIMIT ?",
            self.reader.cluster(),
            self.reader.turn()
        ))?;
        let rows = select.query_map(
            params![self.input.run, self.group, self.read, PAGE],
            |row| {
                let value = |index| row.get::<_, Value>(index);
                let mut columns = [const { Value::Null }; 8];
                for (index, column) in columns.iter_mut().enumerate() {
                    *column = value(index + 1)?;
                }
                let mut answer = [const { Value::Null }; 6];
                for (index, column) in answer.iter_mut().enumerate() {
                    *column = value(index + 11)?;
                }
                Ok(Item {
                    position: row.get(0)?,
                    columns,
                    error: row.get(9)?,
                    cluster: value(17)?,
                    turn: value(18)?,
                    answer: row.get::<_, bool>(10)?.then_some(answer),
                })
            },
        )?;
        rows.collect()
    }
}

impl Store {
    /// The run to merge into: the newest with this model and these settings, or a new one.
    pub fn merged_run<'a>(
        &mut self,
        record: &RunRecord,
        groups: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<i64, StoreError> {
        let made = (|| {
            let digest = record.digest();
            let transaction = self.connection().transaction()?;
            let known: Option<i64> = transaction
                .query_row(
                    "SELECT id FROM runs WHERE digest = ? ORDER BY id DESC LIMIT 1",
                    params![digest],
                    |row| row.get(0),
                )
                .optional()?;
            if let Some(run) = known {
                return Ok(run);
            }
            let run = insert_run(&transaction, record, &digest)?;
            insert_groups(&transaction, run, groups)?;
            transaction.commit()?;
            Ok(run)
        })();
        self.wrap(made)
    }

    /// Replaces the recorded settings of a run, but not the digest by which a run continues it.
    pub fn amend_record(&mut self, run: i64, settings: &RunSettings) -> Result<(), StoreError> {
        let text = settings.to_string();
        let amended = self.connection().execute(
            "UPDATE runs SET record = ? WHERE id = ? AND record <> ?",
            params![text, run, text],
        );
        self.wrap(amended.map(|_| ()))
    }

    /// Merges the questions of other stores' runs into `run`, each at its position in the whole.
    ///
    /// Existing answers stay. A question without an answer takes the first one among `inputs`, else
    /// the first failure. Different questions at the same position are an error. Streams rows:
    /// memory does not grow with their number.
    pub fn merge_runs(
        &mut self,
        run: i64,
        groups: usize,
        inputs: &[MergeInput],
    ) -> Result<Merged, StoreError> {
        let mut merged = Merged::default();
        for inputs in inputs.chunks(MAX_OPEN) {
            let mut readers = Vec::with_capacity(inputs.len());
            for input in inputs {
                let reader = Reader::open(&input.path)?;
                // Each row is read once: a cache is useless.
                let small = reader.connection().pragma_update(None, "cache_size", -256);
                small.map_err(|source| StoreError::Sqlite {
                    path: input.path.clone(),
                    source,
                })?;
                readers.push(reader);
            }
            for group in 0..groups {
                let feeds = inputs.iter().zip(&readers).map(|(input, reader)| Feed {
                    input,
                    reader,
                    group,
                    rows: VecDeque::new(),
                    read: -1,
                    ended: false,
                });
                self.merge_group(run, group, feeds.collect(), &mut merged)?;
                self.merge_group_draws(run, group, inputs, &readers, &mut merged)?;
            }
        }
        Ok(merged)
    }

    /// Merges the answers in words of one group, store by store.
    fn merge_group_draws(
        &mut self,
        run: i64,
        group: usize,
        inputs: &[MergeInput],
        readers: &[Reader],
        merged: &mut Merged,
    ) -> Result<(), StoreError> {
        for (input, reader) in inputs.iter().zip(readers) {
            let done = (|| {
                if !reader.draws(input.run)? {
                    return Ok(());
                }
                let transaction = self.connection().transaction()?;
                merge_draws(&transaction, run, group, reader, input.run, merged)?;
                transaction.commit()
            })();
            self.wrap(done)?;
        }
        Ok(())
    }

    /// Merges the rows of one group from all stores in the order of their positions, so that the
    /// file grows at its end.
    fn merge_group(
        &mut self,
        run: i64,
        group: usize,
        mut feeds: Vec<Feed<'_>>,
        merged: &mut Merged,
    ) -> Result<(), StoreError> {
        let path = self.path().to_owned();
        let sqlite = |source| StoreError::Sqlite {
            path: path.clone(),
            source,
        };
        let connection = &*self.connection();
        let mut transaction = connection.unchecked_transaction().map_err(sqlite)?;
        let mut rows = 0;
        loop {
            let mut first: Option<(i64, usize)> = None;
            for (index, feed) in feeds.iter_mut().enumerate() {
                if let Some(position) = feed.next()? {
                    first = Some(first.map_or((position, index), |f| f.min((position, index))));
                }
            }
            let Some((_, index)) = first else {
                break;
            };
            let feed = &mut feeds[index];
            let Some(item) = feed.rows.pop_front() else {
                break;
            };
            match merge_row(connection, run, group, &item).map_err(sqlite)? {
                Merging::Nothing => {}
                Merging::Changed => merged.changed += 1,
                Merging::Differs => merged.differing += 1,
                Merging::Other => {
                    return Err(StoreError::OtherQuestion {
                        path: feed.input.path.clone(),
                        into: path.clone(),
                        question: text(&item.columns[ID]),
                        place: item.position,
                    });
                }
            }
            rows += 1;
            if rows % TRANSACTION == 0 {
                transaction.commit().map_err(sqlite)?;
                transaction = connection.unchecked_transaction().map_err(sqlite)?;
            }
        }
        transaction.commit().map_err(sqlite)
    }

    fn wrap<T>(&self, result: rusqlite::Result<T>) -> Result<T, StoreError> {
        result.map_err(|source| StoreError::Sqlite {
            path: self.path().to_owned(),
            source,
        })
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        _ => String::new(),
    }
}

/// The effect of merging a row.
enum Merging {
    /// The row existed.
    Nothing,
    /// The row or its answer is new.
    Changed,
    /// The row existed with different scores.
    Differs,
    /// Another question has its position.
    Other,
}

/// The row at some position: content, answer and its log-probabilities, failure, cluster.
type Held = (Value, Option<i64>, Value, Option<String>, Value);

fn merge_row(
    connection: &Connection,
    run: i64,
    group: usize,
    item: &Item,
) -> rusqlite::Result<Merging> {
    let held: Option<Held> = connection
        .prepare_cached(
            "SELECT content, reply, logprobs, error, cluster FROM items \
             LEFT JOIN answers ON id = reply WHERE items.run = ? AND grp = ? AND pos = ?",
        )?
        .query_row(params![run, group, item.position], |row| {
            Ok((
                row.get(0)?,
                row.get(1)?,
                row.get(2)?,
                row.get(3)?,
                row.get(4)?,
            ))
        })
        .optional()?;
    let Some((content, reply, logprobs, error, cluster)) = held else {
        let reply = answer(connection, run, item)?;
        let mut insert = connection.prepare_cached(
            "INSERT INTO items (run, grp, pos, key, question, content, category, options, \
                 answer, dont_know, none, reply, error, cluster, turn) \
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?;
        insert.raw_bind_parameter(1, run)?;
        insert.raw_bind_parameter(2, group)?;
        insert.raw_bind_parameter(3, item.position)?;
        for (index, column) in (4..).zip(&item.columns) {
            insert.raw_bind_parameter(index, column)?;
        }
        insert.raw_bind_parameter(12, reply)?;
        insert.raw_bind_parameter(13, &item.error)?;
        insert.raw_bind_parameter(14, &item.cluster)?;
        insert.raw_bind_parameter(15, &item.turn)?;
        insert.raw_execute()?;
        return Ok(Merging::Changed);
    };
    if content != item.columns[CONTENT] {
        return Ok(Merging::Other);
    }
    // Shards of an older version have no clusters.
    if cluster == Value::Null && item.cluster != Value::Null {
        connection
            .prepare_cached("UPDATE items SET cluster = ? WHERE run = ? AND grp = ? AND pos = ?")?
            .execute(params![item.cluster, run, group, item.position])?;
    }
    let better = match (&item.answer, &item.error) {
        (Some(other), _) if reply.is_some() => {
            let differs = other.first() != Some(&logprobs);
            return Ok(if differs {
                Merging::Differs
            } else {
                Merging::Nothing
            });
        }
        (Some(_), _) => true,
        (None, Some(_)) => reply.is_none() && error.is_none(),
        (None, None) => false,
    };
    if !better {
        return Ok(Merging::Nothing);
    }
    let reply = answer(connection, run, item)?;
    connection
        .prepare_cached(
            "UPDATE items SET key = ?, reply = ?, error = ? WHERE run = ? AND grp = ? AND pos = ?",
        )?
        .execute(params![
            item.columns[0],
            reply,
            item.error,
            run,
            group,
            item.position
        ])?;
    Ok(Merging::Changed)
}

/// Records the answer of a row, and returns its number.
fn answer(connection: &Connection, run: i64, item: &Item) -> rusqlite::Result<Option<i64>> {
    let Some(answer) = &item.answer else {
        return Ok(None);
    };
    let run = Value::Integer(run);
    let columns = item.columns[..1].iter().chain(answer).chain([&run]);
    connection
        .prepare_cached(
            "INSERT INTO answers (key, logprobs, observed, mass, prompt_tokens, cached_tokens, \
             answered_at, run) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params_from_iter(columns))?;
    Ok(Some(connection.last_insert_rowid()))
}
