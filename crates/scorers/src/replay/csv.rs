//! Saved logits as CSV: a header with `id` and one column per option.

use std::collections::BTreeSet;

use ::csv::{ErrorKind, Reader, ReaderBuilder, StringRecord, Trim};

use super::RecordedLogits;
use super::collect::Collector;
use super::columns::{self, ID};
use super::error::{Fault, Place, Problem, printable};
use super::row::{ANSWER, BOUNDED, Beside, MASS, Mass, whole};

/// Reads the rows of a CSV file.
pub(super) fn read(bytes: &[u8], drop: &BTreeSet<i64>) -> Result<RecordedLogits, Fault> {
    // Spreadsheets put a byte-order mark in front.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = reader(bytes, separator(bytes));
    let header = reader.headers().map_err(|error| fault(&error))?.clone();
    let names: Vec<&str> = header.iter().collect();
    let layout = columns::layout(&names).map_err(|problem| problem.at(Place::Line(1)))?;

    let beside = BesideColumns::among(&names);
    let mut rows = Collector::new(drop);
    let mut values = Vec::with_capacity(layout.options.len());
    let mut record = StringRecord::new();
    while reader
        .read_record(&mut record)
        .map_err(|error| fault(&error))?
    {
        let line = record.position().map_or(0, ::csv::Position::line);
        let add = |values: &mut Vec<f64>, rows: &mut Collector| {
            let id = id(&record, layout.id)?;
            if rows.drops(id)? {
                return Ok(());
            }
            if record.len() != names.len() {
                return Err(Problem::Cells {
                    found: record.len(),
                    header: names.len(),
                });
            }
            values.clear();
            for &column in &layout.options {
                values.push(number(&record, column, names[column], "a number")?);
            }
            rows.push(id, layout.kind, values, beside.of(&record))
        };
        add(&mut values, &mut rows).map_err(|problem| problem.at(Place::Line(line)))?;
    }
    rows.finish().map_err(|problem| problem.at(Place::File))
}

/// Rows may be of any width, since those that are left out need not be whole.
fn reader(bytes: &[u8], separator: u8) -> Reader<&[u8]> {
    ReaderBuilder::new()
        .trim(Trim::All)
        .flexible(true)
        .delimiter(separator)
        .from_reader(bytes)
}

/// The columns of a row's [`Beside`].
struct BesideColumns([Option<usize>; 3]);

impl BesideColumns {
    fn among(names: &[&str]) -> Self {
        let of = |column: &str| names.iter().position(|name| *name == column);
        Self([ANSWER, MASS, BOUNDED].map(of))
    }

    fn of(&self, record: &StringRecord) -> Beside {
        let [answer, mass, bounded] = self
            .0
            .map(|column| Some(record.get(column?).unwrap_or_default()));
        Beside {
            answer: answer.filter(|text| !text.is_empty()).map(str::to_owned),
            mass: match mass {
                None => Mass::Sum,
                Some(mass) => mass.parse().map_or(Mass::Unknown, Mass::Known),
            },
            bounded: bounded.is_some_and(|text| text.eq_ignore_ascii_case("true")),
        }
    }
}

/// The separator of a table: the first with which its header has an id; a comma without one.
pub fn separator(bytes: &[u8]) -> u8 {
    let has_id = |&separator: &u8| {
        let mut reader = reader(bytes, separator);
        let header = reader.headers();
        header.is_ok_and(|header| header.iter().any(|name| name == ID))
    };
    let separators = [b',', b'\t', b';'];
    separators.into_iter().find(has_id).unwrap_or(b',')
}

fn id(record: &StringRecord, column: usize) -> Result<i64, Problem> {
    let fraction = record.get(column).and_then(|text| text.parse().ok());
    match fraction.and_then(whole) {
        Some(id) => Ok(id),
        None => number(record, column, ID, "a whole number"),
    }
}

fn number<T: std::str::FromStr>(
    record: &StringRecord,
    column: usize,
    name: &str,
    expected: &str,
) -> Result<T, Problem> {
    let text = record.get(column).unwrap_or_default();
    text.parse().map_err(|_| {
        let message = if text.is_empty() {
            format!("is empty, not {expected}")
        } else {
            format!("is `{}`, not {expected}", printable(text))
        };
        Problem::field(name, message)
    })
}

fn fault(error: &::csv::Error) -> Fault {
    let place = error
        .position()
        .map_or(Place::File, |position| Place::Line(position.line()));
    let problem = match error.kind() {
        ErrorKind::Utf8 { .. } => Problem::Syntax {
            message: "the file is not UTF-8".to_owned(),
        },
        _ => Problem::Syntax {
            message: printable(&error.to_string()),
        },
    };
    problem.at(place)
}
