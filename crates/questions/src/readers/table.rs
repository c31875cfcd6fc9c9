//! Tables: CSV rows with the line they begin on.

use csv::{Reader, ReaderBuilder, StringRecord};

use crate::DataError;
use crate::error::Problem;
use crate::source::{At, Source, count_newlines};

/// Walks the rows of a CSV file.
pub(crate) struct Table<'a> {
    source: &'a Source,
    reader: Reader<&'a [u8]>,
    /// Bytes and lines before the current row. The line is counted here because the CSV
    /// reader's own count is taken before it skips the line break that ends the row above.
    offset: usize,
    line: usize,
}

impl<'a> Table<'a> {
    /// A table whose first row is data.
    pub(crate) fn without_header(source: &'a Source) -> Self {
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(source.text().as_bytes());
        Self {
            source,
            reader,
            offset: 0,
            line: 1,
        }
    }

    /// A table whose first row names the columns; returns the names, trimmed.
    pub(crate) fn with_header(source: &'a Source) -> Result<(Self, Vec<String>), DataError> {
        let mut table = Self::without_header(source);
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
        let more = self
            .reader
            .read_record(&mut cells)
            .map_err(|_| self.source.at(self.line).row(Problem::NotUtf8))?;
        if !more {
            return Ok(None);
        }
        let begin = cells
            .position()
            .map_or(0, |position| position.byte() as usize);
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
    fn advance(&mut self, begin: usize) {
        let bytes = self.source.text().as_bytes();
        let rest = bytes.get(begin..).unwrap_or_default();
        let breaks = rest
            .iter()
            .take_while(|byte| b"\r\n".contains(byte))
            .count();
        let target = (begin + breaks).min(bytes.len());
        if let Some(passed) = bytes.get(self.offset..target) {
            self.line += count_newlines(passed);
            self.offset = target;
        }
    }
}

/// The cells of a file's first row, for telling layouts apart.
pub(crate) fn header(source: &Source) -> Vec<String> {
    match Table::without_header(source).next_row() {
        Ok(Some((_, cells))) => cells.iter().map(|name| name.trim().to_owned()).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn lines_are_those_of_the_file() {
        let text = "a,b\r\n\r\n\"1\r\n1\",2\r\n3,4\n\n\n5,6";
        let source = Source::from_bytes(Path::new("x.csv"), text.into()).unwrap();
        let mut table = Table::without_header(&source);
        let mut lines = Vec::new();
        while let Some((at, cells)) = table.next_row().unwrap() {
            lines.push((at.line, cells[1].to_owned()));
        }
        let expected = [(1, "b"), (3, "2"), (5, "4"), (8, "6")];
        assert_eq!(lines, expected.map(|(line, cell)| (line, cell.to_owned())));
    }
}
