//! A data file's text, and places in it.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use crate::error::{DataError, Problem};
use crate::foreign;

/// Byte-order mark of files from Windows, not part of the text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A file of UTF-8 text, read line by line where the layout allows, so that its size does not
/// matter.
#[derive(Debug)]
pub(crate) struct Source {
    path: PathBuf,
    /// The bytes, if in memory.
    bytes: Option<Vec<u8>>,
}

impl Source {
    /// Checks that the file is readable. Pipes and the like can be read only once and are kept in
    /// memory.
    pub(crate) fn open(path: &Path) -> Result<Self, DataError> {
        let failed = |error| DataError::of_file(path, Problem::Io(error));
        let mut file = File::open(path).map_err(failed)?;
        let bytes = if file.metadata().map_err(failed)?.is_file() {
            None
        } else {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).map_err(failed)?;
            Some(bytes)
        };
        Ok(Self {
            path: path.to_owned(),
            bytes,
        })
    }

    /// A source in memory.
    pub(crate) fn from_bytes(path: &Path, bytes: Vec<u8>) -> Self {
        Self {
            path: path.to_owned(),
            bytes: Some(bytes),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The text from its beginning, without a byte-order mark.
    pub(crate) fn reader(&self) -> Result<Box<dyn BufRead + '_>, DataError> {
        let failed = |error| self.error(Problem::Io(error));
        let mut reader: Box<dyn BufRead + '_> = if let Some(bytes) = &self.bytes {
            Box::new(bytes.as_slice())
        } else {
            let file = File::open(&self.path).map_err(failed)?;
            Box::new(BufReader::with_capacity(1 << 16, file))
        };
        let begin = reader.fill_buf().map_err(failed)?;
        if let Some(foreign) = foreign::of_bytes(begin) {
            return Err(self.error(Problem::Foreign(foreign)));
        }
        if begin.starts_with(BYTE_ORDER_MARK) {
            reader.consume(BYTE_ORDER_MARK.len());
        }
        Ok(reader)
    }

    /// Whether the text is one JSON array, by its first character. Reads no further, since an array
    /// may be one long line.
    pub(crate) fn is_array(&self) -> Result<bool, DataError> {
        let mut reader = self.reader()?;
        loop {
            let text = reader.fill_buf();
            let text = text.map_err(|error| self.error(Problem::Io(error)))?;
            let length = text.len();
            match text.iter().find(|byte| !byte.is_ascii_whitespace()) {
                Some(first) => return Ok(*first == b'['),
                None if length == 0 => return Ok(false),
                None => reader.consume(length),
            }
        }
    }

    /// The whole text.
    pub(crate) fn text(&self) -> Result<String, DataError> {
        let mut bytes = Vec::new();
        self.reader()?
            .read_to_end(&mut bytes)
            .map_err(|error| self.error(Problem::Io(error)))?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            self.at(1 + count_newlines(valid)).row(Problem::NotUtf8)
        })?;
        if text.trim().is_empty() {
            return Err(self.error(Problem::Empty));
        }
        Ok(text)
    }

    /// A place in this file.
    pub(crate) fn at(&self, line: usize) -> At<'_> {
        At {
            path: &self.path,
            line,
        }
    }

    /// The non-blank lines with their places.
    pub(crate) fn lines(&self) -> Result<Lines<'_>, DataError> {
        Ok(Lines {
            source: self,
            reader: self.reader()?,
            line: 0,
            bytes: Vec::new(),
        })
    }

    /// An error in the file as a whole.
    pub(crate) fn error(&self, problem: Problem) -> DataError {
        DataError::of_file(&self.path, problem)
    }
}

/// Iterates over the non-blank lines of a file.
pub(crate) struct Lines<'a> {
    source: &'a Source,
    reader: Box<dyn BufRead + 'a>,
    line: usize,
    bytes: Vec<u8>,
}

impl<'a> Lines<'a> {
    /// The next line, without its line break.
    pub(crate) fn next(&mut self) -> Result<Option<(At<'a>, &str)>, DataError> {
        loop {
            self.bytes.clear();
            let read = self.reader.read_until(b'\n', &mut self.bytes);
            if read.map_err(|error| self.source.error(Problem::Io(error)))? == 0 {
                return Ok(None);
            }
            self.line += 1;
            if !self.bytes.trim_ascii().is_empty() {
                break;
            }
        }
        let at = self.source.at(self.line);
        let text = str::from_utf8(&self.bytes).map_err(|_| at.row(Problem::NotUtf8))?;
        Ok(Some((at, text.trim_end_matches(['\r', '\n']))))
    }
}

/// A line of a file; makes errors that name it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At<'a> {
    pub(crate) path: &'a Path,
    pub(crate) line: usize,
}

impl At<'_> {
    /// An error in one field of this row.
    pub(crate) fn field(&self, field: &str, problem: Problem) -> DataError {
        DataError {
            field: Some(field.to_owned()),
            ..self.row(problem)
        }
    }

    /// An error of the row as a whole.
    pub(crate) fn row(&self, problem: Problem) -> DataError {
        DataError {
            line: Some(self.line),
            ..DataError::of_file(self.path, problem)
        }
    }
}

// One pass per file at most: not worth a dependency.
#[allow(clippy::naive_bytecount)]
pub(crate) fn count_newlines(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&byte| byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use sureness_hint::Hint;

    use super::*;

    #[test]
    fn a_byte_order_mark_is_dropped_and_a_bad_byte_is_placed() {
        let path = Path::new("x");
        let source = Source::from_bytes(path, b"\xef\xbb\xbfone\r\n\r\ntwo".to_vec());
        assert_eq!(source.text().unwrap(), "one\r\n\r\ntwo");
        let mut lines = source.lines().unwrap();
        let mut next = || {
            lines
                .next()
                .unwrap()
                .map(|(at, line)| (at.line, line.to_owned()))
        };
        assert_eq!(next(), Some((1, "one".to_owned())));
        assert_eq!(next(), Some((3, "two".to_owned())));
        assert_eq!(next(), None);
        let bad = Source::from_bytes(path, b"one\ntwo\xff".to_vec());
        let error = bad.text().unwrap_err();
        assert_eq!(error.line, Some(2));
        assert!(error.hint().contains("UTF-8"));
        let mut lines = bad.lines().unwrap();
        assert!(lines.next().is_ok());
        assert_eq!(lines.next().unwrap_err().line, Some(2));
    }
}
