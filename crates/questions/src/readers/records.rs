//! The rows of a file as objects: of JSON, one per line or all in one array, of Parquet, or of a
//! table with a header.

use std::ops::Range;
use std::vec;

use serde_json::{Map, Value};
use sureness_parquet::Rows as ParquetRows;

use super::{Record, Table, array, parquet};
use crate::error::Problem;
use crate::source::{Chosen, Lines, Source};
use crate::{DataError, Unread};

/// Iterates over the rows.
pub(crate) enum Records<'a> {
    /// One object per line.
    Lines(Lines<'a>),
    /// One array, which is in memory as a whole.
    Array {
        source: &'a Source,
        text: String,
        /// Line and place in the text of each row.
        items: vec::IntoIter<(usize, Range<usize>)>,
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
        match source.first_character()? {
            Some('[') => Self::array(source),
            _ => Ok(Self::Lines(source.lines()?)),
        }
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
                Ok(Self::Table { table, names })
            }
        }
    }

    fn parquet(
        source: &'a Source,
        chosen: Chosen<'_>,
        unread: &mut Unread,
    ) -> Result<Self, DataError> {
        Ok(Self::Parquet {
            source,
            rows: source.parquet_rows(&chosen, unread)?,
            number: 0,
        })
    }

    fn array(source: &'a Source) -> Result<Self, DataError> {
        let text = source.text()?;
        let begin = text.as_ptr().addr();
        let items: Vec<_> = array::items(source, &text)?
            .into_iter()
            .map(|(at, item)| {
                let offset = item.as_ptr().addr() - begin;
                (at.line, offset..offset + item.len())
            })
            .collect();
        Ok(Self::Array {
            source,
            text,
            items: items.into_iter(),
        })
    }
}

impl<'a> Iterator for Records<'a> {
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
            } => {
                let (line, place) = items.next()?;
                Some(Record::parse(source.at(line), &text[place]))
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
