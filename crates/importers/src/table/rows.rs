//! Reads tables of any format as records, one after the other.

use std::path::Path;

use csv::{ReaderBuilder, StringRecord, Trim};
use serde_json::Value;
use sureness_scorers::replay::{
    self, Beside, Cell, Place as ReplayPlace, Problem as Replay, ReplayError,
};

use super::object::Object;

use super::record::{Header, Record, Scores};
use crate::{Format, ImportError, Place, Problem, json};

const BOM: &[u8] = b"\xef\xbb\xbf";

/// Takes a row and its scores, which may be faulty.
type Visit<'a> = dyn FnMut(Record, Result<Scores, Replay>) -> Result<(), ImportError> + 'a;

/// Passes each row to `visit`.
pub(super) fn visit(
    path: &Path,
    bytes: Vec<u8>,
    format: Format,
    visit: &mut Visit<'_>,
) -> Result<(), ImportError> {
    if bytes.is_empty() {
        return Err(Problem::of_replay(Replay::Empty, path, &Place::File));
    }
    let extension = path
        .extension()
        .map(|it| it.to_string_lossy().to_lowercase());
    match extension.as_deref() {
        _ if format == Format::Paper => pickle(path, bytes, visit),
        Some("csv" | "tsv") => table(path, &bytes, visit),
        Some("jsonl" | "ndjson") => lines(path, &bytes, visit),
        Some("pkl" | "pickle") => pickle(path, bytes, visit),
        Some("json") => list(path, &bytes, visit),
        _ if bytes.starts_with(b"PAR1") => parquet(path, bytes, visit),
        _ => pickle(path, bytes, visit),
    }
}

/// Formats with nothing but ids and scores.
fn pickle(path: &Path, bytes: Vec<u8>, visit: &mut Visit<'_>) -> Result<(), ImportError> {
    let logits = replay::read_bytes(path, bytes).map_err(|error| Problem::from(error).of(path))?;
    for (index, id) in logits.ids.iter().enumerate() {
        let wide = logits.values64.as_ref();
        let wide = wide.and_then(|values| values.chunks_exact(logits.width).nth(index));
        let narrow = || logits.row(index).iter().copied().map(f64::from).collect();
        let record = Record {
            place: Place::Row(index + 1),
            id: id.to_string(),
            has_answers: false,
            category: None,
            names: [None, None, None],
            beside: Beside::default(),
            key: None,
            cluster: None,
        };
        let scores = Scores {
            kind: logits.kind,
            values: wide.map_or_else(narrow, <[f64]>::to_vec),
        };
        visit(record, Ok(scores))?;
    }
    Ok(())
}

fn table(path: &Path, bytes: &[u8], visit: &mut Visit<'_>) -> Result<(), ImportError> {
    let bytes = bytes.strip_prefix(BOM).unwrap_or(bytes);
    // Rows that are left out need not be whole, so the header decides on their number of fields.
    let mut reader = ReaderBuilder::new()
        .trim(Trim::All)
        .flexible(true)
        .delimiter(replay::separator(bytes))
        .from_reader(bytes);
    let failed = |error: csv::Error| unreadable(path, &error);
    let names = reader.headers().map_err(failed)?;
    let names = names.iter().map(str::to_owned).collect();
    let at = |line: u64| Place::Line(line as usize);
    let header = Header::new(names).map_err(|it| Problem::of_replay(it, path, &at(1)))?;
    let mut record = StringRecord::new();
    while reader.read_record(&mut record).map_err(failed)? {
        let line = record.position().map_or(0, csv::Position::line);
        let cells = record.iter().map(|cell| {
            if cell.is_empty() {
                Cell::Empty
            } else {
                Cell::Text(cell.to_owned())
            }
        });
        let cells: Vec<Cell> = cells.collect();
        let (record, scores) = header.record(path, &at(line), &cells)?;
        visit(record, scores)?;
    }
    Ok(())
}

/// The error for a record that the CSV reader refuses.
fn unreadable(path: &Path, error: &csv::Error) -> ImportError {
    let line = error.position().map(csv::Position::line);
    let place = line.map_or(Place::File, |line| Place::Line(line as usize));
    let problem = match error.kind() {
        csv::ErrorKind::Utf8 { .. } => Replay::Syntax {
            message: "the file is not UTF-8".to_owned(),
        },
        _ => Replay::Syntax {
            message: crate::error::printable(&error.to_string()),
        },
    };
    Problem::of_replay(problem, path, &place)
}

fn lines(path: &Path, bytes: &[u8], visit: &mut Visit<'_>) -> Result<(), ImportError> {
    let bytes = bytes.strip_prefix(BOM).unwrap_or(bytes);
    let mut header = None;
    for (line, number) in bytes.split(|byte| *byte == b'\n').zip(1..) {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let place = Place::Line(number);
        let row = json::parse(line).map_err(|it| it.at(path, place.clone()))?;
        let (record, scores) = object(path, &place, row, &mut header)?;
        visit(record, scores)?;
    }
    Ok(())
}

/// One list of objects.
fn list(path: &Path, bytes: &[u8], visit: &mut Visit<'_>) -> Result<(), ImportError> {
    let bytes = bytes.strip_prefix(BOM).unwrap_or(bytes);
    let rows: Vec<Object> = json::parse(bytes).map_err(|it| it.of(path))?;
    let mut header = None;
    for (row, number) in rows.into_iter().zip(1..) {
        let (record, scores) = object(path, &Place::Row(number), row, &mut header)?;
        visit(record, scores)?;
    }
    Ok(())
}

/// The record of an object. `header` is that of the object before, whose fields are often the same.
fn object(
    path: &Path,
    place: &Place,
    row: Object,
    header: &mut Option<Header>,
) -> Result<(Record, Result<Scores, Replay>), ImportError> {
    if let Some(key) = row.repeated.filter(|key| Header::needs(key)) {
        let problem = Replay::RepeatedKey { key };
        return Err(Problem::of_replay(problem, path, place));
    }
    let (names, cells): (Vec<String>, Vec<Cell>) = row
        .fields
        .into_iter()
        .filter(|(name, _)| Header::needs(name))
        .map(|(name, value)| (name, cell(value)))
        .unzip();
    let header = match header {
        Some(header) if header.is(&names) => header,
        other => other.insert(Header::new(names).map_err(|it| of_line(it, path, place))?),
    };
    header.record(path, place, &cells)
}

/// Fields are missing from a line, columns from a header.
fn of_line(problem: Replay, path: &Path, place: &Place) -> ImportError {
    let problem = match problem {
        Replay::MissingColumn { column, .. } if column == "A" => Replay::Field {
            field: "logits".to_owned(),
            message: "is missing".to_owned(),
        },
        Replay::MissingColumn { column, .. } => Replay::Field {
            field: column,
            message: "is missing".to_owned(),
        },
        other => other,
    };
    Problem::of_replay(problem, path, place)
}

fn cell(value: Value) -> Cell {
    match value {
        Value::Null => Cell::Empty,
        Value::Bool(value) => Cell::Bool(value),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => Cell::Whole(whole),
            None => Cell::Number(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => Cell::Text(text),
        Value::Array(list) => Cell::List(list.into_iter().map(element).collect()),
        Value::Object(_) => Cell::Other,
    }
}

/// An element of a list. Every place of a list belongs to an option, so that nothing there is no number.
fn element(value: Value) -> Cell {
    match cell(value) {
        Cell::Empty => Cell::Number(f64::NAN),
        other => other,
    }
}

fn parquet(path: &Path, bytes: Vec<u8>, visit: &mut Visit<'_>) -> Result<(), ImportError> {
    let mut header: Option<Header> = None;
    let mut each = |row: usize, cells: Vec<(String, Cell)>| {
        let place = Place::Row(row);
        let (names, cells): (Vec<String>, Vec<Cell>) = cells.into_iter().unzip();
        let header = match &mut header {
            Some(header) => header,
            none => {
                let new = Header::new(names);
                none.insert(new.map_err(|it| Problem::of_replay(it, path, &Place::File))?)
            }
        };
        let (record, scores) = header.record(path, &place, &cells)?;
        visit(record, scores)
    };
    let read = replay::visit_cells(path, bytes, &Header::needs, &mut each);
    read.map_err(|error| {
        foreign(&error)
            .unwrap_or_else(|| Problem::from(error))
            .of(path)
    })?
}

/// The problem of a table that another tool is known to write.
fn foreign(error: &ReplayError) -> Option<Problem> {
    let Replay::MissingColumn { present, .. } = &error.problem else {
        return None;
    };
    let mut columns = present.split(", ");
    let is_lighteval = columns.any(|it| it == "full_prompt");
    is_lighteval.then_some(Problem::Foreign(
        "has details of lighteval before version 0.11, which are not read",
    ))
}

impl Problem {
    /// A problem of a table at a place.
    pub(super) fn of_replay(problem: Replay, path: &Path, place: &Place) -> ImportError {
        let of = match place {
            Place::Line(line) => ReplayPlace::Line(*line as u64),
            Place::Row(row) => ReplayPlace::Row(*row),
            Place::File | Place::Sample(_) => ReplayPlace::File,
        };
        let error = ReplayError {
            file: path.to_owned(),
            place: of,
            problem,
        };
        Problem::Replay(error).at(path, place.clone())
    }
}
