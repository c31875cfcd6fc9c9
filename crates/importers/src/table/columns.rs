//! Columns beside the scores, and the parts of a table by model, task and strategy.

use std::path::Path;

use csv::{ReaderBuilder, StringRecord, Trim, WriterBuilder};
use serde_json::{Map, Value};
use sureness_questions::letter_index;

use crate::{ImportError, Place, Problem, json};

/// The columns that name a part of a table.
const NAMES: [&str; 3] = ["model", "task", "strategy"];
const ANSWER: &str = "answer";
const CATEGORY: &str = "category";

/// The rows of one (model, task, strategy), as a table of their own.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub(super) model: Option<String>,
    pub(super) task: Option<String>,
    pub(super) strategy: Option<String>,
    /// The rows in the format of the whole.
    pub(super) bytes: Vec<u8>,
    /// The other columns of each row; empty if the table has no answers.
    pub(super) rows: Vec<Extra>,
    /// Line of the part and line of the whole for each row; empty where they are the same.
    lines: Vec<(u64, u64)>,
}

/// Columns of a row beside its scores.
#[derive(Debug)]
pub(super) struct Extra {
    /// Its line in the file.
    pub(super) line: usize,
    pub(super) answer: Option<String>,
    pub(super) category: Option<String>,
}

impl Part {
    /// The line of the file that is line `line` of this part.
    pub(super) fn line(&self, line: u64) -> u64 {
        let behind = self.lines.partition_point(|(part, _)| *part <= line);
        let found = behind
            .checked_sub(1)
            .and_then(|index| self.lines.get(index));
        // Lines before the first row, such as a header, keep their number.
        found.map_or(line, |(part, whole)| whole + (line - part))
    }

    fn is(&self, names: &[Option<String>; 3]) -> bool {
        [&self.model, &self.task, &self.strategy]
            .into_iter()
            .eq(names.iter())
    }
}

/// The index of an option by its letter, or by its number from 0.
pub(super) fn option(written: &str) -> Option<usize> {
    let number = || {
        let is_number = written.starts_with(|first: char| first.is_ascii_digit());
        is_number.then(|| written.parse().ok()).flatten()
    };
    letter_index(written).or_else(number)
}

/// Splits a table. A table with scores alone is one part.
pub(super) fn split(path: &Path, bytes: Vec<u8>) -> Result<Vec<Part>, ImportError> {
    let extension = path
        .extension()
        .map(|extension| extension.to_string_lossy().to_lowercase());
    let parts = match extension.as_deref() {
        Some("csv") => of_csv(&bytes),
        Some("jsonl" | "ndjson") => of_lines(path, &bytes)?,
        _ => None,
    };
    Ok(parts.unwrap_or_else(|| {
        vec![Part {
            bytes,
            ..Part::default()
        }]
    }))
}

fn of_csv(bytes: &[u8]) -> Option<Vec<Part>> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(text);
    // The reader of scores reports errors in the table.
    let header = reader.headers().cloned().ok()?;
    let column = |name: &str| header.iter().position(|column| column == name);
    let names = NAMES.map(column);
    let (answer, category) = (column(ANSWER), column(CATEGORY));
    if names.iter().chain([&answer]).all(Option::is_none) {
        return None;
    }
    let mut parts: Vec<Part> = Vec::new();
    let mut record = StringRecord::new();
    while let Ok(true) = reader.read_record(&mut record) {
        let line = record.position().map_or(0, csv::Position::line);
        let cell = |index: Option<usize>| {
            let text = index.and_then(|index| record.get(index));
            text.filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let extra = Extra {
            line: line as usize,
            answer: cell(answer),
            category: cell(category),
        };
        let part = part_of(&mut parts, names.map(cell));
        if part.bytes.is_empty() {
            part.bytes = line_of(&header);
        }
        add(part, extra, line, &line_of(&record), answer.is_some());
    }
    // The reader of scores reports records that cannot be read.
    (reader.is_done() && !parts.is_empty()).then_some(parts)
}

fn line_of(record: &StringRecord) -> Vec<u8> {
    let mut writer = WriterBuilder::new().from_writer(Vec::new());
    // Writing to a vector cannot fail.
    let _ = writer.write_record(record);
    writer.into_inner().unwrap_or_default()
}

fn of_lines(path: &Path, bytes: &[u8]) -> Result<Option<Vec<Part>>, ImportError> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut parts: Vec<Part> = Vec::new();
    let mut answers = None;
    for (line, number) in text.split(|byte| *byte == b'\n').zip(1_usize..) {
        if line.trim_ascii().is_empty() {
            continue;
        }
        // The reader of scores reports lines that are not objects.
        let row: Map<String, Value> = match json::parse(line) {
            Ok(row) => row,
            Err(_) => return Ok(None),
        };
        let at = |field: &str, value: &Value| {
            let (expected, found) = ("a text", json::describe(value));
            let problem = Problem::Type { expected, found };
            problem.field(field).at(path, Place::Line(number))
        };
        let text = |field: &str| match row.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.trim().to_owned())),
            Some(value @ Value::Number(_)) if field == ANSWER => Ok(Some(value.to_string())),
            Some(value) => Err(at(field, value)),
        };
        // The first row decides whether the file has answers; a later one without is an error.
        let has_answers = *answers.get_or_insert(row.contains_key(ANSWER));
        let extra = Extra {
            line: number,
            answer: text(ANSWER)?,
            category: text(CATEGORY)?,
        };
        let names = [text(NAMES[0])?, text(NAMES[1])?, text(NAMES[2])?];
        let part = part_of(&mut parts, names);
        let mut row = line.to_vec();
        row.push(b'\n');
        add(part, extra, number as u64, &row, has_answers);
    }
    let has_columns =
        answers == Some(true) || parts.iter().any(|part| !part.is(&[None, None, None]));
    Ok((has_columns && !parts.is_empty()).then_some(parts))
}

/// The part with these names, added if new.
fn part_of(parts: &mut Vec<Part>, names: [Option<String>; 3]) -> &mut Part {
    let index = parts.iter().position(|part| part.is(&names));
    let index = index.unwrap_or_else(|| {
        let [model, task, strategy] = names;
        parts.push(Part {
            model,
            task,
            strategy,
            ..Part::default()
        });
        parts.len() - 1
    });
    &mut parts[index]
}

fn add(part: &mut Part, extra: Extra, line: u64, row: &[u8], has_answers: bool) {
    // Lines before this row, counted as they are added.
    let before = match part.lines.last() {
        Some((last, _)) => last + 1,
        None => 1 + count(&part.bytes),
    };
    part.lines.push((before, line));
    part.bytes.extend_from_slice(row);
    // A cell with line breaks takes several lines.
    let more = count(row).saturating_sub(1);
    if more > 0 {
        part.lines.push((before + more, line + more));
    }
    if has_answers {
        part.rows.push(extra);
    }
}

// A row at a time: not worth a dependency.
#[allow(clippy::naive_bytecount)]
fn count(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}
