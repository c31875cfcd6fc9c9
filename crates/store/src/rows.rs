//! The questions of a run's groups with their outcomes, in the order of the plan, and how answers are
//! encoded in the file.

use std::io::Read as _;

use rusqlite::{CachedStatement, Row, Rows, params};
use sureness_questions::Turn;
use sureness_record::{QuestionRecord, RightOptions};
use sureness_scorers::{OptionScores, Reading, Usage, Words};

use crate::draws;
use crate::reader::StoredRow;
use crate::{Reader, StoreError};

/// What is wrong with a damaged entry.
type Damaged = String;

/// A row, or what is wrong with it.
type Read = Result<StoredRow, Damaged>;

/// A group that is read beside others.
struct Cursor<'a> {
    group: usize,
    rows: Rows<'a>,
    /// The row that comes next.
    next: Option<StoredRow>,
}

impl Reader {
    /// Calls `visit` with each question of a group, in order. Memory holds one row at a time.
    pub fn rows(
        &self,
        run: i64,
        group: usize,
        visit: impl FnMut(StoredRow),
    ) -> Result<(), StoreError> {
        self.rows_from(run, group, None, visit)
    }

    /// Calls `visit` with each question that one of `groups` has: its rows in these groups, in their
    /// order. Memory holds one row of each.
    pub fn rows_together(
        &self,
        run: i64,
        groups: &[usize],
        mut visit: impl FnMut(Vec<StoredRow>),
    ) -> Result<(), StoreError> {
        let done = self.visit_together(run, groups, &mut visit);
        self.checked(done)
    }

    /// The same as [`Self::rows`], for all questions of a group or for that at one position.
    pub(crate) fn rows_from(
        &self,
        run: i64,
        group: usize,
        position: Option<u32>,
        mut visit: impl FnMut(StoredRow),
    ) -> Result<(), StoreError> {
        let done = self.visit(run, group, position, &mut visit);
        self.checked(done)
    }

    fn checked(&self, done: rusqlite::Result<Result<(), Damaged>>) -> Result<(), StoreError> {
        self.wrap(done)?.map_err(|what| StoreError::Damaged {
            path: self.path().to_owned(),
            what,
        })
    }

    fn visit(
        &self,
        run: i64,
        group: usize,
        position: Option<u32>,
        visit: &mut impl FnMut(StoredRow),
    ) -> rusqlite::Result<Result<(), Damaged>> {
        let draws = self.draws(run)?;
        let mut select = self.select_rows()?;
        let (first, last) = (position.unwrap_or(0), position.unwrap_or(u32::MAX));
        let mut rows = select.query(params![run, group, first, last])?;
        while let Some(row) = rows.next()? {
            match self.read_row(row, draws.then_some((run, group)))? {
                Ok(row) => visit(row),
                Err(damaged) => return Ok(Err(damaged)),
            }
        }
        Ok(Ok(()))
    }

    fn visit_together(
        &self,
        run: i64,
        groups: &[usize],
        visit: &mut impl FnMut(Vec<StoredRow>),
    ) -> rusqlite::Result<Result<(), Damaged>> {
        let draws = self.draws(run)?;
        let selects = groups.iter().map(|_| self.select_rows());
        let mut selects = selects.collect::<rusqlite::Result<Vec<_>>>()?;
        let mut cursors = Vec::with_capacity(groups.len());
        for (select, &group) in selects.iter_mut().zip(groups) {
            let rows = select.query(params![run, group, 0, u32::MAX])?;
            let next = None;
            cursors.push(Cursor { group, rows, next });
        }
        loop {
            for cursor in cursors.iter_mut().filter(|it| it.next.is_none()) {
                let Some(row) = cursor.rows.next()? else {
                    continue;
                };
                match self.read_row(row, draws.then_some((run, cursor.group)))? {
                    Ok(read) => cursor.next = Some(read),
                    Err(damaged) => return Ok(Err(damaged)),
                }
            }
            let places = cursors
                .iter()
                .filter_map(|it| Some(it.next.as_ref()?.position));
            let Some(first) = places.min() else {
                return Ok(Ok(()));
            };
            let at = |cursor: &mut Cursor<'_>| cursor.next.take_if(|row| row.position == first);
            let rows = cursors.iter_mut().filter_map(at);
            visit(rows.collect());
        }
    }

    fn select_rows(&self) -> rusqlite::Result<CachedStatement<'_>> {
        self.connection().prepare_cached(&format!(
            "SELECT question, content, category, options, answer, dont_know, none, error, \
             logprobs, observed, mass, prompt_tokens, cached_tokens, {}, pos, {} \
             FROM items LEFT JOIN answers ON id = reply WHERE items.run = ? AND grp = ? AND pos BETWEEN ? AND ? ORDER BY pos",
            self.cluster(),
            self.turn()
        ))
    }

    /// Reads a row of [`Self::select_rows`]; that of a run and group whose answers were `drawn` with
    /// these.
    fn read_row(&self, row: &Row<'_>, drawn: Option<(i64, usize)>) -> rusqlite::Result<Read> {
        let id: String = row.get(0)?;
        let options: usize = row.get(3)?;
        let error: Option<String> = row.get(7)?;
        let Some(right) = decode_right(row.get(4)?) else {
            return Ok(Err(format!("right options of question {id}")));
        };
        let code: Option<i64> = row.get(15)?;
        let turn = code.map(decode_turn);
        if turn == Some(None) {
            return Ok(Err(format!("order of the options of question {id}")));
        }
        let turn = turn.flatten();
        let mut scores = match scores_of(row)? {
            Ok(scores)
                if scores
                    .as_ref()
                    .is_none_or(|it| it.logprobs.len() == options) =>
            {
                scores
            }
            _ => return Ok(Err(format!("answer to question {id}"))),
        };
        if let (Some(scores), Some(turn)) = (&mut scores, turn) {
            turn.restore(&mut scores.logprobs);
            turn.restore(&mut scores.observed);
        }
        let mut stored = StoredRow {
            position: row.get(14)?,
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
            drawn: None,
            turn,
        };
        if let Some((run, group)) = drawn {
            let damaged = draws::add_to(self.connection(), run, group, &mut stored)?;
            if let Some(damaged) = damaged {
                return Ok(Err(damaged));
            }
        }
        Ok(Ok(stored))
    }
}

/// The scores of a row in the order in which its options were shown, if it has an answer.
fn scores_of(row: &Row<'_>) -> rusqlite::Result<Result<Option<OptionScores>, ()>> {
    let Some(bytes) = row.get_ref(8)?.as_blob_or_null()? else {
        return Ok(Ok(None));
    };
    let usage = Usage {
        prompt_tokens: row.get(11)?,
        cached_tokens: row.get(12)?,
        answer_tokens: None,
    };
    let mass: f64 = row.get(10)?;
    let mass = if mass < 0.0 { f64::NAN } else { mass };
    let decoded = decode(bytes, row.get(9)?, mass, usage);
    Ok(decoded.map(Some).ok_or(()))
}

/// Log-probabilities as little-endian f64.
pub(crate) fn encode_logprobs(logprobs: &[f64]) -> Vec<u8> {
    logprobs.iter().flat_map(|x| x.to_le_bytes()).collect()
}

/// Observed flags as bits.
pub(crate) fn encode_observed(observed: &[bool]) -> i64 {
    observed
        .iter()
        .enumerate()
        .fold(0, |bits, (i, &seen)| bits | (i64::from(seen) << i))
}

/// How options were shown, from the number in the file. `None` for a damaged one.
pub(crate) fn decode_turn(code: i64) -> Option<Turn> {
    u16::try_from(code).ok().and_then(Turn::from_code)
}

/// The readings, by their number in the file.
const READINGS: [Reading; 6] = [
    Reading::Option,
    Reading::Refused,
    Reading::Cut,
    Reading::Unreadable,
    Reading::Thought,
    Reading::Said,
];
/// Level of compression: texts are written once, and many.
const LEVEL: i32 = 3;
/// Longest text of an answer that is read back, in bytes.
const LONGEST: u64 = 64 << 20;

pub(crate) fn encode_reading(reading: Reading) -> i64 {
    let numbered = (0..).zip(READINGS);
    let mut same = numbered.filter(|(_, known)| *known == reading);
    same.next().map_or(-1, |(number, _)| number)
}

pub(crate) fn decode_reading(number: i64) -> Option<Reading> {
    usize::try_from(number)
        .ok()
        .and_then(|number| READINGS.get(number))
        .copied()
}

/// Text and thought, compressed; `None` where that fails.
pub(crate) fn encode_words(words: &Words) -> Option<Vec<u8>> {
    let (text, thought) = (&words.text, &words.thought);
    let json = match words.logprob {
        None => serde_json::to_vec(&(text, thought)),
        Some(logprob) => serde_json::to_vec(&(text, thought, logprob)),
    };
    let json = json.ok()?;
    zstd::bulk::compress(&json, LEVEL).ok()
}

/// An answer in words as it is kept, by the length of its list.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Kept {
    Text(String, Option<String>),
    WithLogprob(String, Option<String>, f64),
}

/// Text and thought; empty where they were not kept.
pub(crate) fn decode_words(bytes: Option<&[u8]>, reading: Reading) -> Words {
    let kept = bytes.and_then(|bytes| {
        let json = zstd::stream::read::Decoder::new(bytes).ok()?;
        serde_json::from_reader(json.take(LONGEST)).ok()
    });
    let (text, thought, logprob) = match kept {
        Some(Kept::Text(text, thought)) => (text, thought, None),
        Some(Kept::WithLogprob(text, thought, logprob)) => (text, thought, Some(logprob)),
        None => Default::default(),
    };
    Words {
        text,
        thought,
        logprob,
        reading,
    }
}

/// The right option's index; of several, their mask negated, so that a version that knows of one alone
/// refuses the row.
pub(crate) fn encode_right(right: RightOptions) -> i64 {
    match right.only() {
        // One of 26.
        Some(only) => i64::from(only as u8),
        None => -i64::from(right.mask()),
    }
}

/// The inverse of [`encode_right`].
pub(crate) fn decode_right(column: i64) -> Option<RightOptions> {
    match usize::try_from(column) {
        Ok(only) => Some(only.into()),
        Err(_) => RightOptions::from_mask(u32::try_from(column.checked_neg()?).ok()?),
    }
}

/// Decodes scores; `None` if the bytes are not log-probabilities.
pub(crate) fn decode(
    logprobs: &[u8],
    observed: i64,
    mass: f64,
    usage: Usage,
) -> Option<OptionScores> {
    let (values, rest) = logprobs.as_chunks::<8>();
    if !rest.is_empty() {
        return None;
    }
    let logprobs: Vec<f64> = values
        .iter()
        .map(|bytes| f64::from_le_bytes(*bytes))
        .collect();
    let observed = (0..logprobs.len())
        .map(|i| observed >> i & 1 == 1)
        .collect();
    Some(OptionScores {
        logprobs,
        observed,
        mass,
        usage,
        words: None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn words_come_back(
            text in ".{0,20}",
            thought in prop::option::of(".{0,20}"),
            logprob in prop::option::of(-40.0..0.0),
        ) {
            let words = Words { text, thought, logprob, reading: Reading::Said };
            let bytes = encode_words(&words).unwrap();
            prop_assert_eq!(decode_words(Some(&bytes), Reading::Said), words);
        }

        #[test]
        fn right_options_come_back(mask in 1_u32..1 << 26) {
            let right = RightOptions::from_mask(mask).unwrap();
            let column = encode_right(right);
            prop_assert_eq!(decode_right(column), Some(right));
            // As earlier versions wrote one, and as none of them reads several.
            prop_assert_eq!(usize::try_from(column).ok(), right.only());
        }
    }
}
