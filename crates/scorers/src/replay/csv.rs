//! Saved logits as CSV: a header with `id` and one column per option.

use ::csv::{ErrorKind, ReaderBuilder, StringRecord, Trim};

use super::RecordedLogits;
use super::collect::Collector;
use super::columns::{self, ID};
use super::error::{Fault, Place, Problem, printable};

/// Reads the rows of a CSV file.
pub(super) fn read(bytes: &[u8]) -> Result<RecordedLogits, Fault> {
    // Spreadsheets put a byte-order mark in front.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(bytes);
    let header = reader.headers().map_err(|error| fault(&error))?.clone();
    let names: Vec<&str> = header.iter().collect();
    let layout = columns::layout(&names).map_err(|problem| problem.at(Place::Line(1)))?;

    let mut rows = Collector::default();
    let mut values = Vec::with_capacity(layout.options.len());
    let mut record = StringRecord::new();
    while reader
        .read_record(&mut record)
        .map_err(|error| fault(&error))?
    {
        let line = record.position().map_or(0, ::csv::Position::line);
        let add = |values: &mut Vec<f64>, rows: &mut Collector| {
            let id = number(&record, layout.id, ID, "a whole number")?;
            values.clear();
            for &column in &layout.options {
                values.push(number(&record, column, names[column], "a number")?);
            }
            rows.push(id, layout.kind, values)
        };
        add(&mut values, &mut rows).map_err(|problem| problem.at(Place::Line(line)))?;
    }
    rows.finish().map_err(|problem| problem.at(Place::File))
}

fn number<T: std::str::FromStr>(
    record: &StringRecord,
    column: usize,
    name: &str,
    expected: &str,
) -> Result<T, Problem> {
    // The reader has made sure that every record is as long as the header.
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
        ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => Problem::Shape {
            expected: "as many fields as the header has",
            found: format!("{len} instead of {expected_len}"),
        },
        ErrorKind::Utf8 { .. } => Problem::Syntax {
            message: "the file is not UTF-8".to_owned(),
        },
        _ => Problem::Syntax {
            message: printable(&error.to_string()),
        },
    };
    problem.at(place)
}
