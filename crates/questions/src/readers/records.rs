//! The rows of a file as objects: of JSON, one per line or all in one array, of Parquet, or of a
//! table with a header.

use std::collections::VecDeque;
use std::ops::Range;
use std::vec;

use serde_json::{Map, Value};
use sureness_parquet::Rows as ParquetRows;

use super::{Record, Table, array, inspect, open, parquet};
use crate::error::Problem;
use crate::source::{Chosen, Lines, Source, count_newlines};
use crate::{DataError, Unread};

/// Iterates over the rows. Of a sample of lm-evaluation-harness or Inspect, the row is the question in
/// it.
pub(crate) struct Records<'a> {
    rows: Rows<'a>,
    /// The filter of the first sample; the samples of others have the same questions again.
    filter: Option<Value>,
    /// The questions of an article that come next.
    waiting: VecDeque<Record<'a>>,
}

/// The rows as they are written.
enum Rows<'a> {
    /// One object per line.
    Lines(Lines<'a>),
    /// One array, which is in memory as a whole.
    Array {
        source: &'a Source,
        text: String,
        /// Line and place in the text of each row.
        items: vec::IntoIter<(usize, Range<usize>)>,
        /// Whether the rows are samples of Inspect.
        is_log: bool,
    },
    /// The questions of one object that holds them all.
    Nested {
        source: &'a Source,
        rows: vec::IntoIter<Map<String, Value>>,
    },
    /// The rows of a Parquet file.
    Parquet {
        source: &'a Source,
        rows: ParquetRows,
        /// The row read last, counted from 1.
        number: usize,
    },
    /// The rows of a table; an empty cell is null.
    Table {
        table: Table<'a>,
        names: Vec<String>,
    },
}

impl<'a> Records<'a> {
    /// The rows of a file of JSON or Parquet, from the first.
    pub(crate) fn new(source: &'a Source) -> Result<Self, DataError> {
        if source.is_parquet() {
            return Self::parquet(source, Chosen::All, &mut Unread::default());
        }
        Ok(Self::of(match source.first_character()? {
            Some('[') => Rows::array(source)?,
            _ => match Rows::log(source)? {
                Some(log) => log,
                None => match open::nested(source)? {
                    Some(rows) => Rows::Nested {
                        source,
                        rows: rows.into_iter(),
                    },
                    None => Rows::Lines(source.lines()?),
                },
            },
        }))
    }

    /// The rows of any file. Of a Parquet file, only the chosen columns are decoded; the others are
    /// added to `unread`.
    pub(crate) fn with(
        source: &'a Source,
        chosen: Chosen<'_>,
        unread: &mut Unread,
    ) -> Result<Self, DataError> {
        if source.is_parquet() {
            return Self::parquet(source, chosen, unread);
        }
        match source.first_character()? {
            Some('[' | '{') | None => Self::new(source),
            Some(_) => {
                let (table, names) = Table::with_header(source)?;
                Ok(Self::of(Rows::Table { table, names }))
            }
        }
    }

    fn parquet(
        source: &'a Source,
        chosen: Chosen<'_>,
        unread: &mut Unread,
    ) -> Result<Self, DataError> {
        Ok(Self::of(Rows::Parquet {
            source,
            rows: source.parquet_rows(&chosen, unread)?,
            number: 0,
        }))
    }

    fn of(rows: Rows<'a>) -> Self {
        Self {
            rows,
            filter: None,
            waiting: VecDeque::new(),
        }
    }
}

impl<'a> Rows<'a> {
    fn array(source: &'a Source) -> Result<Self, DataError> {
        let text = source.text()?;
        let items = array::items(source, &text)?;
        let places = items
            .into_iter()
            .map(|(at, item)| (at.line, place(&text, item)));
        let items = places.collect::<Vec<_>>().into_iter();
        Ok(Self::Array {
            source,
            text,
            items,
            is_log: false,
        })
    }

    /// The samples of a log of Inspect; `None` if the file is something else.
    fn log(source: &'a Source) -> Result<Option<Self>, DataError> {
        if !inspect::is_log(source)? {
            return Ok(None);
        }
        let text = source.text()?;
        let Some(samples) = inspect::samples(&text) else {
            return Ok(None);
        };
        let (mut offset, mut line) = (0, 1);
        let mut items = Vec::with_capacity(samples.len());
        for sample in samples {
            let place = place(&text, sample.get());
            line += count_newlines(&text.as_bytes()[offset..place.start]);
            offset = place.start;
            items.push((line, place));
        }
        Ok(Some(Self::Array {
            source,
            text,
            items: items.into_iter(),
            is_log: true,
        }))
    }
}

/// The place of a part of a text in it.
fn place(text: &str, part: &str) -> Range<usize> {
    let offset = part.as_ptr().addr() - text.as_ptr().addr();
    offset..offset + part.len()
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(question) = self.waiting.pop_front() {
                return Some(Ok(question));
            }
            let record = match self.rows.next()? {
                Ok(record) => record,
                error => return Some(error),
            };
            match record.of_article() {
                Ok(None) => {}
                Ok(Some(questions)) => {
                    self.waiting.extend(questions);
                    continue;
                }
                Err(error) => return Some(Err(error)),
            }
            let Some((question, filter)) = record.logged() else {
                return Some(Ok(record));
            };
            if self.filter.get_or_insert_with(|| filter.clone()) == filter {
                return Some(Ok(question));
            }
        }
    }
}

impl<'a> Iterator for Rows<'a> {
    type Item = Result<Record<'a>, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Lines(lines) => match lines.next() {
                Ok(line) => line.map(|(at, text)| Record::parse(at, text)),
                Err(error) => Some(Err(error)),
            },
            Self::Array {
                source,
                text,
                items,
                is_log,
            } => loop {
                let (line, place) = items.next()?;
                let row = Record::parse(source.at(line), &text[place]);
                if !*is_log {
                    return Some(row);
                }
                match row.and_then(|sample| inspect::question(&sample)) {
                    Ok(None) => {}
                    Ok(Some(question)) => return Some(Ok(question)),
                    Err(error) => return Some(Err(error)),
                }
            },
            Self::Nested { source, rows } => {
                let row = rows.next()?;
                Some(Ok(Record::new(source.at(1), row)))
            }
            Self::Parquet {
                source,
                rows,
                number,
            } => {
                let row = rows.next()?;
                *number += 1;
                let at = source.at(*number);
                Some(match row {
                    Ok(row) => Ok(Record::new(at, parquet::fields(row))),
                    Err(error) => Err(at.row(Problem::Parquet(error))),
                })
            }
            Self::Table { table, names } => match table.next_row_of(names.len()) {
                Ok(row) => row.map(|(at, cells)| {
                    let cells = names.iter().zip(&cells);
                    let fields: Map<_, _> = cells
                        .map(|(name, cell)| (name.clone(), text_or_null(cell)))
                        .collect();
                    Ok(Record::new(at, fields))
                }),
                Err(error) => Some(Err(error)),
            },
        }
    }
}

fn text_or_null(cell: &str) -> Value {
    match cell.trim() {
        "" => Value::Null,
        _ => Value::String(cell.to_owned()),
    }
}
