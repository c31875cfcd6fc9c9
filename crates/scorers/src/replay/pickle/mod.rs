//! Reads a Python pickle of logits without running anything in it.
//!
//! A pickle is a program for a small stack machine. [`machine`] is such a machine with the
//! dangerous half left out: it builds numbers, texts, lists, dictionaries and numpy arrays, and
//! knows the handful of functions that numpy arrays are made with as data. Any other function
//! or class is rejected as soon as it is named.
//!
//! Values are small and copied; containers live in a [`heap::Heap`] and are referred to by
//! index, so that nothing recurses, neither while reading nor while dropping.

mod cursor;
mod heap;
mod literal;
mod machine;
mod numpy;
mod opcode;
mod text;

use std::collections::BTreeSet;

use heap::{Heap, Value};
use machine::Machine;

use super::collect::Collector;
use super::error::{Fault, Place, Problem};
use super::row::Beside;
use super::{Kind, MAX_OPTIONS, RecordedLogits};

/// Longest relevant field name.
const NAME_LIMIT: usize = 64;

/// Reads the rows of a pickle.
pub(super) fn read(bytes: &[u8], drop: &BTreeSet<i64>) -> Result<RecordedLogits, Fault> {
    let (heap, top) = Machine::new(bytes).run()?;
    let Value::List(list) = top else {
        let problem = Problem::Shape {
            expected: "a list with one dictionary per question",
            found: top.describe().to_owned(),
        };
        return Err(problem.at(Place::File));
    };
    let mut rows = Collector::new(drop);
    let mut values = Vec::with_capacity(MAX_OPTIONS);
    for (index, &row) in heap.list(list).iter().enumerate() {
        read_row(&heap, row, &mut values, &mut rows)
            .map_err(|problem| problem.at(Place::Row(index + 1)))?;
    }
    rows.finish().map_err(|problem| problem.at(Place::File))
}

fn read_row(
    heap: &Heap<'_>,
    row: Value<'_>,
    values: &mut Vec<f64>,
    rows: &mut Collector<'_>,
) -> Result<(), Problem> {
    let Value::Dict(dict) = row else {
        return Err(Problem::Shape {
            expected: "a dictionary with `id` and `logits_options`",
            found: row.describe().to_owned(),
        });
    };
    let mut id = None;
    let mut scores = Ok(None);
    // As in Python, the last of equal keys wins.
    for &(key, value) in heap.dict(dict) {
        let Value::Text(key) = key else { continue };
        let Some(name) = key.decode(NAME_LIMIT) else {
            continue;
        };
        match &*name {
            b"id" => id = Some(value),
            b"logits_options" => choose(&mut scores, ("logits_options", Kind::Logits, value)),
            b"logits" => choose(&mut scores, ("logits", Kind::Logits, value)),
            b"logprobs" => choose(&mut scores, ("logprobs", Kind::LogProbs, value)),
            _ => {}
        }
    }
    let id = match id {
        Some(Value::Int(id)) => id,
        Some(other) => {
            return Err(Problem::field(
                "id",
                format!("is {}, not a whole number", other.describe()),
            ));
        }
        None => return Err(Problem::field("id", "is missing")),
    };
    if rows.drops(id)? {
        return Ok(());
    }
    let Some((field, kind, scores)) = scores? else {
        return Err(Problem::field("logits_options", "is missing"));
    };
    values.clear();
    numbers(heap, field, scores, values)?;
    rows.push(id, kind, values, Beside::default())
}

type Scores<'a> = (&'static str, Kind, Value<'a>);

/// Takes a field with scores; two different ones are a fault of the row.
fn choose<'a>(chosen: &mut Result<Option<Scores<'a>>, Problem>, new: Scores<'a>) {
    let Ok(scores) = chosen else { return };
    if let Some((other, ..)) = scores.replace(new)
        && other != new.0
    {
        *chosen = Err(Problem::AmbiguousColumns {
            first: other.to_owned(),
            second: new.0.to_owned(),
        });
    }
}

/// The numbers of a row's array, list or tuple. The count is checked before anything is copied,
/// since many rows can refer to one huge list.
fn numbers(
    heap: &Heap<'_>,
    field: &'static str,
    scores: Value<'_>,
    into: &mut Vec<f64>,
) -> Result<(), Problem> {
    let items = match scores {
        Value::Array(index) => return heap.array(index).read_into(field, into),
        Value::List(index) => heap.list(index),
        Value::Tuple(tuple) => heap.tuple(tuple),
        other => {
            return Err(Problem::field(
                field,
                format!("is {}, not an array of numbers", other.describe()),
            ));
        }
    };
    if items.len() > MAX_OPTIONS {
        return Err(Problem::OptionCount { found: items.len() });
    }
    for (index, item) in items.iter().enumerate() {
        into.push(match *item {
            Value::Int(value) => value as f64,
            Value::Float(value) => value,
            other => {
                return Err(Problem::field(
                    field,
                    format!("has {} as value {}", other.describe(), index + 1),
                ));
            }
        });
    }
    Ok(())
}
