//! Merging the answers in words of a run's shards.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};

use crate::Reader;
use crate::merge::Merged;

/// Rows per read.
const PAGE: usize = 256;

/// A row of the table `draws` with its answer.
struct Draw {
    position: i64,
    number: i64,
    key: Value,
    error: Option<String>,
    answer: Option<Answer>,
}

/// An answer with its words.
pub(crate) struct Answer {
    /// The raw columns `logprobs` to `answered_at`.
    columns: [Value; 6],
    /// The raw columns `reading`, `tokens` and `text`; `NULL` where it has none.
    words: [Value; 3],
}

/// The columns of an [`Answer`] in a query, in its order.
pub(crate) const ANSWER: &str = "logprobs, observed, mass, prompt_tokens, cached_tokens, \
                                 answered_at, reading, tokens, text";

impl Answer {
    /// Of a row that has the columns [`ANSWER`] from this one on.
    pub(crate) fn of(row: &Row<'_>, first: usize) -> rusqlite::Result<Self> {
        let mut columns = [const { Value::Null }; 6];
        for (index, column) in columns.iter_mut().enumerate() {
            *column = row.get(first + index)?;
        }
        let word = |index| row.get(first + 6 + index);
        Ok(Self {
            columns,
            words: [word(0)?, word(1)?, word(2)?],
        })
    }

    /// Records it as asked for by a run, and returns its number.
    pub(crate) fn keep(
        &self,
        connection: &Connection,
        run: i64,
        key: &Value,
    ) -> rusqlite::Result<i64> {
        let run = Value::Integer(run);
        let columns = [key].into_iter().chain(&self.columns).chain([&run]);
        connection
            .prepare_cached(
                "INSERT INTO answers (key, logprobs, observed, mass, prompt_tokens, cached_tokens, \
                 answered_at, run) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params_from_iter(columns))?;
        let id = connection.last_insert_rowid();
        if self.words[0] != Value::Null {
            let number = Value::Integer(id);
            connection
                .prepare_cached(
                    "INSERT INTO words (answer, reading, tokens, text) VALUES (?, ?, ?, ?)",
                )?
                .execute(params_from_iter([&number].into_iter().chain(&self.words)))?;
        }
        Ok(id)
    }
}

/// Merges the answers to the questions of one group from another store. Existing answers stay; an answer
/// that is missing takes that of the other store, else its failure. Streams rows.
pub(crate) fn merge_draws(
    connection: &Connection,
    run: i64,
    group: usize,
    reader: &Reader,
    of: i64,
    merged: &mut Merged,
) -> rusqlite::Result<()> {
    let mut last = (-1, -1);
    let mut counted = Counted::default();
    loop {
        let page = page(reader.connection(), of, group, last)?;
        for draw in &page {
            let merging = merge_draw(connection, run, group, draw)?;
            counted.add(draw.position, merging, merged);
            last = (draw.position, draw.number);
        }
        if page.len() < PAGE {
            return Ok(());
        }
    }
}

/// The question whose answers are being counted, and whether it counts as changed and as differing.
#[derive(Default)]
struct Counted {
    position: Option<i64>,
    changed: bool,
    differs: bool,
}

impl Counted {
    /// Counts a question once, however many of its answers changed.
    fn add(&mut self, position: i64, merging: Merging, merged: &mut Merged) {
        if self.position != Some(position) {
            *self = Self {
                position: Some(position),
                ..Self::default()
            };
        }
        match merging {
            Merging::Filled if !self.changed => {
                merged.changed += 1;
                self.changed = true;
            }
            Merging::Differs if !self.differs => {
                merged.differing += 1;
                self.differs = true;
            }
            // A new answer belongs to a question that is new, and counted.
            Merging::New | Merging::Nothing | Merging::Filled | Merging::Differs => {}
        }
    }
}

fn page(
    connection: &Connection,
    run: i64,
    group: usize,
    (position, number): (i64, i64),
) -> rusqlite::Result<Vec<Draw>> {
    let mut select = connection.prepare_cached(&format!(
        "SELECT pos, draw, draws.key, error, id IS NOT NULL, {ANSWER} FROM draws \
         LEFT JOIN answers ON id = reply LEFT JOIN words ON words.answer = reply \
         WHERE draws.run = ? AND grp = ? AND (pos, draw) > (?, ?) ORDER BY pos, draw LIMIT ?",
    ))?;
    let rows = select.query_map(params![run, group, position, number, PAGE], |row| {
        let is_answered: bool = row.get(4)?;
        Ok(Draw {
            position: row.get(0)?,
            number: row.get(1)?,
            key: row.get(2)?,
            error: row.get(3)?,
            answer: is_answered.then(|| Answer::of(row, 5)).transpose()?,
        })
    })?;
    rows.collect()
}

/// The effect of merging an answer.
#[derive(Clone, Copy)]
enum Merging {
    /// It existed.
    Nothing,
    /// Its row is new.
    New,
    /// It was missing before.
    Filled,
    /// It existed, and chooses another option.
    Differs,
}

/// The row that is held already: its answer, the answer's log-probabilities, its failure.
type Held = (Option<i64>, Value, Option<String>);

fn merge_draw(
    connection: &Connection,
    run: i64,
    group: usize,
    draw: &Draw,
) -> rusqlite::Result<Merging> {
    let held: Option<Held> = connection
        .prepare_cached(
            "SELECT reply, logprobs, error FROM draws LEFT JOIN answers ON id = reply \
             WHERE draws.run = ? AND grp = ? AND pos = ? AND draw = ?",
        )?
        .query_row(params![run, group, draw.position, draw.number], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    let Some((reply, logprobs, error)) = held else {
        let reply = keep(connection, run, draw)?;
        connection
            .prepare_cached(
                "INSERT INTO draws (run, grp, pos, draw, key, reply, error) \
                 VALUES (?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                run,
                group,
                draw.position,
                draw.number,
                draw.key,
                reply,
                draw.error
            ])?;
        return Ok(Merging::New);
    };
    match &draw.answer {
        Some(answer) if reply.is_some() => {
            return Ok(if answer.columns.first() == Some(&logprobs) {
                Merging::Nothing
            } else {
                Merging::Differs
            });
        }
        Some(_) => {}
        None if reply.is_none() && error.is_none() && draw.error.is_some() => {}
        None => return Ok(Merging::Nothing),
    }
    let reply = keep(connection, run, draw)?;
    connection
        .prepare_cached(
            "UPDATE draws SET key = ?, reply = ?, error = ? \
             WHERE run = ? AND grp = ? AND pos = ? AND draw = ?",
        )?
        .execute(params![
            draw.key,
            reply,
            draw.error,
            run,
            group,
            draw.position,
            draw.number
        ])?;
    Ok(Merging::Filled)
}

/// Records the answer, if there is one, and returns its number.
fn keep(connection: &Connection, run: i64, draw: &Draw) -> rusqlite::Result<Option<i64>> {
    let answer = draw.answer.as_ref();
    answer
        .map(|answer| answer.keep(connection, run, &draw.key))
        .transpose()
}
