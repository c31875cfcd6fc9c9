//! Saved logits as JSON lines: `{"id": 7, "logits": [1.5, -0.25]}`.

use serde::Deserialize;
use serde_json::Value;

use super::collect::Collector;
use super::columns::{ID, LISTS};
use super::error::{Fault, Place, Problem};
use super::{Kind, RecordedLogits};

#[derive(Deserialize)]
struct Row {
    id: i64,
    logits: Option<Vec<f64>>,
    logits_options: Option<Vec<f64>>,
    logprobs: Option<Vec<f64>>,
}

impl Row {
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
pub(super) fn read(bytes: &[u8]) -> Result<RecordedLogits, Fault> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut rows = Collector::default();
    for (line, number) in bytes.split(|&byte| byte == b'\n').zip(1..) {
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        serde_json::from_slice::<Row>(line)
            .map_err(|error| explain(line, &error))
            .and_then(|row| {
                let id = row.id;
                let (kind, scores) = row.scores()?;
                rows.push(id, kind, &scores)
            })
            .map_err(|problem| problem.at(Place::Line(number)))?;
    }
    rows.finish().map_err(|problem| problem.at(Place::File))
}

/// Names the invalid field: parses a failed line a second time, with more care.
fn explain(line: &[u8], error: &serde_json::Error) -> Problem {
    let row = match serde_json::from_slice(line) {
        Ok(Value::Object(row)) => row,
        Ok(other) => {
            return Problem::Shape {
                expected: "an object with `id` and `logits`",
                found: describe(&other).to_owned(),
            };
        }
        Err(error) => return syntax(line, &error),
    };
    match row.get(ID) {
        None => return Problem::field(ID, "is missing"),
        Some(id) if id.as_i64().is_none() => {
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
    syntax(line, error)
}

fn syntax(line: &[u8], error: &serde_json::Error) -> Problem {
    // Python writes these, which JSON does not have.
    let found = ["NaN", "Infinity"].into_iter().find(|word| {
        let rest = error.column().saturating_sub(2);
        line.get(rest..).is_some_and(|rest| {
            rest.windows(word.len())
                .take(3)
                .any(|it| it == word.as_bytes())
        })
    });
    Problem::Syntax {
        message: match found {
            Some(word) => format!("column {}: {word} is not a finite number", error.column()),
            None => format!("not valid JSON: {error}").replace(" at line 1 column", " at column"),
        },
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
