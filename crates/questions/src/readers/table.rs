//! Tables: CSV rows with the line they begin on.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

use csv::{Reader, ReaderBuilder, StringRecord};

use crate::error::Problem;
use crate::source::{At, MAX_LINE, Source};
use crate::{DataError, letter_index};

/// The most line breaks within a row, each of which takes memory until the row has ended.
const MAX_BREAKS: usize = 4 << 20;

/// Iterates over the rows of a CSV file.
pub(crate) struct Table<'a> {
    source: &'a Source,
    reader: Reader<Breaks<'a>>,
    /// Line breaks ahead, shared with the CSV reader's input.
    ahead: Ahead,
    /// Where the current row must have ended, shared likewise.
    limit: Rc<Cell<u64>>,
    /// The line of the current row. It is counted here because the CSV reader's own count is
    /// taken before it skips the line break that ends the row above.
    line: usize,
}

/// Line breaks that were read but lie after the current row.
type Ahead = Rc<RefCell<VecDeque<Break>>>;

/// One carriage return or line feed.
#[derive(Debug, Clone, Copy)]
struct Break {
    offset: u64,
    ends_line: bool,
}

/// Passes text to the CSV reader and records where lines end.
struct Breaks<'a> {
    text: Box<dyn BufRead + 'a>,
    offset: u64,
    ahead: Ahead,
    limit: Rc<Cell<u64>>,
}

impl Read for Breaks<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.text.read(buffer)?;
        if self.offset > self.limit.get() || self.ahead.borrow().len() > MAX_BREAKS {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let mut ahead = self.ahead.borrow_mut();
        for (offset, &byte) in (self.offset..).zip(&buffer[..read]) {
            if byte == b'\n' || byte == b'\r' {
                ahead.push_back(Break {
                    offset,
                    ends_line: byte == b'\n',
                });
            }
        }
        self.offset += read as u64;
        Ok(read)
    }
}

impl<'a> Table<'a> {
    /// A table whose first row is data.
    pub(crate) fn without_header(source: &'a Source) -> Result<Self, DataError> {
        let ahead = Ahead::default();
        let limit = Rc::new(Cell::new(source.limit(MAX_LINE)));
        let text = Breaks {
            text: source.reader()?,
            offset: 0,
            ahead: Rc::clone(&ahead),
            limit: Rc::clone(&limit),
        };
        let reader = ReaderBuilder::new()
            .delimiter(separator(source)?)
            .has_headers(false)
            .flexible(true)
            .from_reader(text);
        Ok(Self {
            source,
            reader,
            ahead,
            limit,
            line: 1,
        })
    }

    /// A table whose first row names the columns; returns the names, trimmed.
    pub(crate) fn with_header(source: &'a Source) -> Result<(Self, Vec<String>), DataError> {
        let mut table = Self::without_header(source)?;
        let Some(row) = table.next_row()? else {
            return Err(source.error(Problem::Empty));
        };
        let (at, cells) = row;
        let names: Vec<String> = cells.iter().map(|name| name.trim().to_owned()).collect();
        for (index, name) in names.iter().enumerate() {
            if !name.is_empty() && names[..index].contains(name) {
                return Err(at.field(name, Problem::RepeatedColumn));
            }
        }
        Ok((table, names))
    }

    /// The next row, whatever its width.
    pub(crate) fn next_row(&mut self) -> Result<Option<(At<'a>, StringRecord)>, DataError> {
        let mut cells = StringRecord::new();
        let begin = self.reader.position().byte();
        self.limit
            .set(begin.saturating_add(self.source.limit(MAX_LINE)));
        let more = match self.reader.read_record(&mut cells) {
            Ok(more) => more,
            Err(error) => {
                let faulty = error.position().map_or(0, csv::Position::byte);
                if let csv::ErrorKind::Io(error) = error.into_kind() {
                    if error.kind() == io::ErrorKind::FileTooLarge {
                        self.advance(begin);
                        return Err(self.source.at(self.line).row(Problem::TooLong));
                    }
                    return Err(self.source.failed(error));
                }
                self.advance(faulty);
                return Err(self.source.at(self.line).row(Problem::NotUtf8));
            }
        };
        if !more {
            return Ok(None);
        }
        let begin = cells.position().map_or(0, csv::Position::byte);
        self.advance(begin);
        Ok(Some((self.source.at(self.line), cells)))
    }

    /// The next row, which must have `width` cells.
    pub(crate) fn next_row_of(
        &mut self,
        width: usize,
    ) -> Result<Option<(At<'a>, StringRecord)>, DataError> {
        match self.next_row()? {
            Some((at, cells)) if cells.len() != width => Err(at.row(Problem::Columns {
                expected: width,
                found: cells.len(),
            })),
            row => Ok(row),
        }
    }

    /// Moves to the row that begins at byte `begin` or after the line breaks there.
    fn advance(&mut self, begin: u64) {
        let mut ahead = self.ahead.borrow_mut();
        let mut begin = begin;
        while let Some(&next) = ahead.front()
            && next.offset <= begin
        {
            if next.offset == begin {
                begin += 1;
            }
            self.line += usize::from(next.ends_line);
            ahead.pop_front();
        }
    }
}

/// What separates the cells: a comma, or the tab or semicolon with which the first row makes sense.
fn separator(source: &Source) -> Result<u8, DataError> {
    let makes_sense = |row: &StringRecord| {
        let named = row
            .iter()
            .any(|cell| cell.trim().eq_ignore_ascii_case("question"));
        named || is_row_of_mmlu(row.len(), row.iter().next_back())
    };
    for separator in [b',', b'\t', b';'] {
        let mut row = StringRecord::new();
        let mut reader = ReaderBuilder::new()
            .delimiter(separator)
            .has_headers(false)
            .from_reader(source.reader()?.take(source.limit(MAX_LINE)));
        // The reader of the rows tells what is wrong with them.
        if matches!(reader.read_record(&mut row), Ok(true)) && makes_sense(&row) {
            return Ok(separator);
        }
    }
    Ok(b',')
}

/// Whether a row may be one of MMLU's: a question, four options and a letter.
pub(crate) fn is_row_of_mmlu(width: usize, last: Option<&str>) -> bool {
    width == 6 && last.is_some_and(|cell| letter_index(cell.trim()).is_some())
}

/// The cells of a file's first row, for layout detection.
pub(crate) fn header(source: &Source) -> Result<Vec<String>, DataError> {
    let row = Table::without_header(source)?.next_row()?;
    let (_, cells) = row.ok_or_else(|| source.error(Problem::Empty))?;
    Ok(cells.iter().map(|name| name.trim().to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn lines_are_those_of_the_file() {
        let text = "a,b\r\n\r\n\"1\r\n1\",2\r\n3,4\n\n\n5,6";
        let source = Source::from_bytes(Path::new("x.csv"), text.into());
        let mut table = Table::without_header(&source).unwrap();
        let mut lines = Vec::new();
        while let Some((at, cells)) = table.next_row().unwrap() {
            lines.push((at.line, cells[1].to_owned()));
        }
        let expected = [(1, "b"), (3, "2"), (5, "4"), (8, "6")];
        assert_eq!(lines, expected.map(|(line, cell)| (line, cell.to_owned())));
    }
}
