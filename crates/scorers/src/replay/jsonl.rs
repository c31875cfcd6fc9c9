//! Saved logits as JSON lines: `{"id": 7, "logits": [1.5, -0.25]}`.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use serde_json::Value;
use sureness_questions::bare;

use super::collect::Collector;
use super::columns::{ID, LISTS};
use super::error::{Fault, Place, Problem};
use super::row::{Beside, Mass, whole};
use super::{Kind, RecordedLogits};

#[derive(Deserialize)]
struct Row {
    #[serde(deserialize_with = "id")]
    id: i64,
    logits: Option<Vec<f64>>,
    logits_options: Option<Vec<f64>>,
    logprobs: Option<Vec<f64>>,
    answer: Option<Value>,
    #[serde(default)]
    mass: Mass,
    bounded: Option<Value>,
}

/// An id, also where a table library made it a fraction.
fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    whole_id(&Value::deserialize(deserializer)?)
        .ok_or_else(|| D::Error::custom("the id is not a whole number"))
}

fn whole_id(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| whole(value.as_f64()?))
}

/// A right option, as written.
fn written(answer: &Value) -> Option<String> {
    match answer {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

impl Row {
    fn add_to(self, rows: &mut Collector<'_>) -> Result<(), Problem> {
        let id = self.id;
        if rows.drops(id)? {
            return Ok(());
        }
        let beside = Beside {
            answer: match &self.answer {
                // Several right options.
                Some(Value::Array(each)) => {
                    let each: Option<Vec<_>> = each.iter().map(written).collect();
                    each.map(|each| each.join(","))
                }
                Some(answer) => written(answer),
                None => None,
            },
            mass: self.mass,
            bounded: self.bounded == Some(Value::Bool(true)),
        };
        let (kind, scores) = self.scores()?;
        rows.push(id, kind, &scores, beside)
    }

    fn scores(self) -> Result<(Kind, Vec<f64>), Problem> {
        let lists = [self.logits_options, self.logits, self.logprobs];
        let mut present = LISTS
            .into_iter()
            .zip(lists)
            .filter_map(|((name, kind), list)| Some((name, kind, list?)));
        match (present.next(), present.next()) {
            (Some((_, kind, list)), None) => Ok((kind, list)),
            (Some((first, ..)), Some((second, ..))) => Err(Problem::AmbiguousColumns {
                first: first.to_owned(),
                second: second.to_owned(),
            }),
            (None, _) => Err(Problem::field("logits", "is missing")),
        }
    }
}

/// Reads the rows of a JSON-lines file. Blank lines are skipped.
pub(super) fn read(bytes: &[u8], drop: &BTreeSet<i64>) -> Result<RecordedLogits, Fault> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut rows = Collector::new(drop);
    for (line, number) in bytes.split(|&byte| byte == b'\n').zip(1..) {
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        add(line, &mut rows).map_err(|problem| problem.at(Place::Line(number)))?;
    }
    rows.finish().map_err(|problem| problem.at(Place::File))
}

fn add(line: &[u8], rows: &mut Collector<'_>) -> Result<(), Problem> {
    match serde_json::from_slice::<Row>(line) {
        Ok(row) => row.add_to(rows),
        Err(error) => add_faulty(line, &error, rows),
    }
}

/// Looks more closely at a line that is not a row: it may be one to leave out, or have a word such as
/// `NaN` where nobody reads it.
fn add_faulty(
    line: &[u8],
    error: &serde_json::Error,
    rows: &mut Collector<'_>,
) -> Result<(), Problem> {
    let text = String::from_utf8_lossy(line);
    let without_words = bare::replaced(&text);
    let text = without_words.as_deref().unwrap_or(&text);
    if let Ok(row) = serde_json::from_str::<Row>(text) {
        return row.add_to(rows);
    }
    let row: Value = serde_json::from_str(text).unwrap_or_default();
    if let Some(id) = row.get(ID).and_then(whole_id)
        && rows.drops(id)?
    {
        return Ok(());
    }
    Err(not_finite(&row).unwrap_or_else(|| explain(line, error)))
}

/// The first of the scores that is a word such as `NaN`.
fn not_finite(row: &Value) -> Option<Problem> {
    let lists = LISTS
        .into_iter()
        .filter_map(|(name, _)| row.get(name)?.as_array());
    let mut scores = lists.flat_map(|list| list.iter().zip(1..));
    scores.find_map(|(value, position)| {
        let value = bare::word_in(value)?.parse().ok()?;
        Some(Problem::NotFinite { position, value })
    })
}

/// Names the invalid field: parses a failed line a second time, with more care.
fn explain(line: &[u8], error: &serde_json::Error) -> Problem {
    if let Some(key) = repeated_key(error) {
        return Problem::RepeatedKey { key };
    }
    let row = match serde_json::from_slice(line) {
        Ok(Value::Object(row)) => row,
        Ok(other) => {
            return Problem::Shape {
                expected: "an object with `id` and `logits`",
                found: describe(&other).to_owned(),
            };
        }
        Err(error) => return syntax(&error),
    };
    match row.get(ID) {
        None => return Problem::field(ID, "is missing"),
        Some(id) if whole_id(id).is_none() => {
            return Problem::field(ID, format!("is {}, not a whole number", describe(id)));
        }
        Some(_) => {}
    }
    for (name, _) in LISTS {
        match row.get(name) {
            None | Some(Value::Null) => {}
            Some(Value::Array(values)) => {
                if let Some(position) = values.iter().position(|value| !value.is_number()) {
                    let found = describe(&values[position]);
                    return Problem::field(
                        name,
                        format!("has {found} as value {}, not a number", position + 1),
                    );
                }
            }
            Some(other) => {
                return Problem::field(
                    name,
                    format!("is {}, not a list of numbers", describe(other)),
                );
            }
        }
    }
    syntax(error)
}

/// The key that the parser met a second time.
fn repeated_key(error: &serde_json::Error) -> Option<String> {
    let text = error.to_string();
    let (key, _) = text.strip_prefix("duplicate field `")?.split_once('`')?;
    Some(key.to_owned())
}

fn syntax(error: &serde_json::Error) -> Problem {
    Problem::Syntax {
        message: format!("not valid JSON: {error}").replace(" at line 1 column", " at column"),
    }
}

fn describe(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a fraction",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
