//! Runs that draw several answers in words to each question.
//!
//! A question keeps its row in `items`, with the key of its first answer. Each answer that is drawn
//! has a row in `draws`, and its text one in `words`.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use sureness_engine::Planned;
use sureness_record::log_shares;
use sureness_scorers::{OptionScores, Reading, ScoreError, Usage, Words};

use crate::reader::StoredRow;
use crate::rows;

/// The answers that were drawn for one question.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Drawn {
    /// How often each option was chosen, in option order.
    pub chosen: Vec<u32>,
    /// Answers that refuse.
    pub refused: u32,
    /// Answers that were cut before they had chosen.
    pub cut: u32,
    /// Answers that choose none of the options, or several.
    pub unreadable: u32,
    /// Thoughts after which the letters were scored.
    pub thoughts: u32,
    /// Answers to an open question.
    pub said: u32,
    /// Answers that are missing: not asked yet, or failed.
    pub missing: u32,
    /// Tokens of all answers, as far as the backend counts them.
    pub answer_tokens: u64,
    /// After thoughts: the sum of each option's probability, whether all were observed, and the sum of
    /// the options' total.
    sums: Vec<(f64, bool)>,
    mass: f64,
}

impl Drawn {
    /// All answers that were given.
    pub fn given(&self) -> u32 {
        let others = self.refused + self.cut + self.unreadable + self.thoughts + self.said;
        self.chosen.iter().sum::<u32>() + others
    }

    fn add(&mut self, reading: Reading, scores: &OptionScores) {
        match reading {
            Reading::Option => {
                let chosen = scores.logprobs.iter().position(|logprob| *logprob == 0.0);
                if let Some(count) = chosen.and_then(|option| self.chosen.get_mut(option)) {
                    *count += 1;
                }
            }
            Reading::Refused => self.refused += 1,
            Reading::Cut => self.cut += 1,
            Reading::Unreadable => self.unreadable += 1,
            Reading::Said => self.said += 1,
            Reading::Thought => {
                self.thoughts += 1;
                self.mass += scores.mass;
                self.sums.resize(scores.logprobs.len(), (0.0, true));
                let both = scores.logprobs.iter().zip(&scores.observed);
                for ((sum, all), (logprob, observed)) in self.sums.iter_mut().zip(both) {
                    *sum += logprob.exp();
                    *all &= observed;
                }
            }
        }
        self.answer_tokens += u64::from(scores.usage.answer_tokens.unwrap_or(0));
    }

    /// The question's scores. After thoughts, the mean of the options' probabilities. Else the share of
    /// each option among the answers that choose one ([`log_shares`]), and as `mass` the share of these
    /// answers. `None` where none chooses an option.
    fn scores(&self, usage: Usage) -> Option<OptionScores> {
        if self.chosen.is_empty() {
            // An open question. One that is only refused counts as answered, wrongly.
            return (self.given() > 0).then(|| OptionScores {
                logprobs: Vec::new(),
                observed: Vec::new(),
                mass: f64::from(self.said) / f64::from(self.given()),
                usage,
                words: None,
            });
        }
        if self.thoughts > 0 {
            let thoughts = f64::from(self.thoughts);
            return Some(OptionScores {
                logprobs: self
                    .sums
                    .iter()
                    .map(|(sum, _)| (sum / thoughts).ln())
                    .collect(),
                observed: self.sums.iter().map(|(_, observed)| *observed).collect(),
                mass: self.mass / thoughts,
                usage,
                words: None,
            });
        }
        let chosen: u32 = self.chosen.iter().sum();
        (chosen > 0).then(|| OptionScores {
            logprobs: log_shares(&self.chosen),
            observed: vec![true; self.chosen.len()],
            mass: f64::from(chosen) / f64::from(self.given()),
            usage,
            words: None,
        })
    }
}

/// One answer in words as it was stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredAnswer {
    /// Its number, from 0.
    pub draw: u32,
    /// The answer; `None` where it is missing.
    pub answer: Option<(Words, OptionScores)>,
    /// Whether its text was kept; its [`Words`] have none otherwise.
    pub has_text: bool,
    /// Why it failed, if it did.
    pub error: Option<ScoreError>,
}

/// Tokens of the answers in words that a run asked for.
pub(crate) fn answer_tokens(connection: &Connection, run: i64) -> rusqlite::Result<f64> {
    connection.query_row(
        "SELECT total(tokens) FROM words JOIN answers ON id = answer WHERE run = ?",
        [run],
        |row| row.get(0),
    )
}

/// Tokens of one answer in words, where it is one and they are known.
pub(crate) fn tokens_of(connection: &Connection, answer: i64) -> rusqlite::Result<Option<u32>> {
    let tokens = connection
        .prepare_cached("SELECT tokens FROM words WHERE answer = ?")?
        .query_row([answer], |row| row.get(0))
        .optional()?;
    Ok(tokens.flatten())
}

/// Copies the text of answer `from`, if it has one, to answer `to` of another store.
pub(crate) fn copy_words(
    connection: &Connection,
    from: i64,
    store: &Transaction<'_>,
    to: i64,
) -> rusqlite::Result<()> {
    let columns = |row: &rusqlite::Row<'_>| Ok([row.get(0)?, row.get(1)?, row.get(2)?]);
    let words: Option<[Value; 3]> = connection
        .prepare_cached("SELECT reading, tokens, text FROM words WHERE answer = ?")?
        .query_row([from], columns)
        .optional()?;
    let Some([reading, tokens, text]) = words else {
        return Ok(());
    };
    store
        .prepare_cached("INSERT INTO words (answer, reading, tokens, text) VALUES (?, ?, ?, ?)")?
        .execute(params![to, reading, tokens, text])?;
    Ok(())
}

/// Whether a run draws answers.
pub(crate) fn draws(connection: &Connection, run: i64) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM draws WHERE run = ?)")?
        .query_row([run], |row| row.get(0))
}

/// Records a planned answer with its cached `reply`, if there is one.
pub(crate) fn plan(
    transaction: &Transaction<'_>,
    run: i64,
    group: u32,
    position: u32,
    planned: &Planned,
    reply: Option<i64>,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO draws (run, grp, pos, draw, key, reply) VALUES (?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            run,
            group,
            position,
            planned.draw,
            planned.key.0,
            reply
        ])?;
    Ok(())
}

/// Records how answer number `answer` was read, and its compressed text if that is kept.
pub(crate) fn write_words(
    transaction: &Transaction<'_>,
    answer: i64,
    reading: Reading,
    text: Option<&[u8]>,
    usage: Usage,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("INSERT INTO words (answer, reading, tokens, text) VALUES (?, ?, ?, ?)")?
        .execute(params![
            answer,
            rows::encode_reading(reading),
            usage.answer_tokens,
            text,
        ])?;
    Ok(())
}

/// Adds the answers of a question to its row. Returns a damaged entry, if there is one.
pub(crate) fn add_to(
    connection: &Connection,
    run: i64,
    group: usize,
    row: &mut StoredRow,
) -> rusqlite::Result<Option<String>> {
    let mut drawn = Drawn {
        chosen: vec![0; row.question.options],
        ..Drawn::default()
    };
    let mut select = connection.prepare_cached(
        "SELECT logprobs, observed, mass, prompt_tokens, cached_tokens, tokens, reading, error \
         FROM draws LEFT JOIN answers ON id = reply LEFT JOIN words ON words.answer = reply \
         WHERE draws.run = ? AND grp = ? AND pos = ? ORDER BY draw",
    )?;
    let mut rows = select.query(params![run, group, row.position])?;
    let mut usage = None;
    let mut error: Option<String> = None;
    while let Some(found) = rows.next()? {
        let Some(bytes) = found.get_ref(0)?.as_blob_or_null()? else {
            drawn.missing += 1;
            error = error.or(found.get(7)?);
            continue;
        };
        let counts = Usage {
            prompt_tokens: found.get(3)?,
            cached_tokens: found.get(4)?,
            answer_tokens: found.get(5)?,
        };
        let reading: Option<i64> = found.get(6)?;
        let scores = rows::decode(bytes, found.get(1)?, found.get(2)?, counts);
        let both = scores.zip(reading.and_then(rows::decode_reading));
        match both {
            Some((scores, reading)) if scores.logprobs.len() == row.question.options => {
                drawn.add(reading, &scores);
                usage.get_or_insert(counts);
            }
            _ => return Ok(Some(format!("an answer to question {}", row.question.id))),
        }
    }
    let mut usage = usage.unwrap_or_default();
    usage.answer_tokens = u32::try_from(drawn.answer_tokens).ok();
    row.error = error.and_then(|text| serde_json::from_str(&text).ok());
    if drawn.missing == 0 {
        row.scores = drawn.scores(usage);
        if row.scores.is_none() {
            row.error = Some(ScoreError::NoneChosen {
                answers: drawn.given(),
                refused: drawn.refused,
                cut: drawn.cut,
            });
        }
    }
    row.drawn = Some(drawn);
    Ok(None)
}

/// The answers to one question of a run, in order.
pub(crate) fn answers(
    connection: &Connection,
    run: i64,
    group: usize,
    position: i64,
) -> rusqlite::Result<Vec<StoredAnswer>> {
    let mut select = connection.prepare_cached(
        "SELECT draw, logprobs, observed, mass, prompt_tokens, cached_tokens, tokens, reading, \
         text, error FROM draws LEFT JOIN answers ON id = reply \
         LEFT JOIN words ON words.answer = reply \
         WHERE draws.run = ? AND grp = ? AND pos = ? ORDER BY draw",
    )?;
    let rows = select.query_map(params![run, group, position], |row| {
        let usage = Usage {
            prompt_tokens: row.get(4)?,
            cached_tokens: row.get(5)?,
            answer_tokens: row.get(6)?,
        };
        let scores = match row.get_ref(1)?.as_blob_or_null()? {
            None => None,
            Some(bytes) => rows::decode(bytes, row.get(2)?, row.get(3)?, usage),
        };
        let reading: Option<i64> = row.get(7)?;
        let text: Option<Vec<u8>> = row.get(8)?;
        let reading = reading.and_then(rows::decode_reading);
        let words = reading.map(|reading| rows::decode_words(text.as_deref(), reading));
        let error: Option<String> = row.get(9)?;
        Ok(StoredAnswer {
            draw: row.get(0)?,
            answer: words.zip(scores),
            has_text: text.is_some(),
            error: error.and_then(|text| serde_json::from_str(&text).ok()),
        })
    })?;
    rows.collect()
}
