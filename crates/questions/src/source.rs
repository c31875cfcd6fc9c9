//! A data file's text, and places in it.

use std::path::{Path, PathBuf};

use crate::error::{DataError, Problem};

/// A file held in memory as UTF-8 text, without a byte-order mark.
#[derive(Debug)]
pub(crate) struct Source {
    path: PathBuf,
    text: String,
}

impl Source {
    /// Reads the file.
    pub(crate) fn open(path: &Path) -> Result<Self, DataError> {
        let bytes =
            std::fs::read(path).map_err(|error| DataError::of_file(path, Problem::Io(error)))?;
        Self::from_bytes(path, bytes)
    }

    /// Takes bytes that are already in memory.
    pub(crate) fn from_bytes(path: &Path, bytes: Vec<u8>) -> Result<Self, DataError> {
        let mut text = String::from_utf8(bytes).map_err(|error| {
            let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            DataError {
                line: Some(1 + count_newlines(valid)),
                ..DataError::of_file(path, Problem::NotUtf8)
            }
        })?;
        if text.starts_with('\u{feff}') {
            text.drain(..'\u{feff}'.len_utf8());
        }
        if text.trim().is_empty() {
            return Err(DataError::of_file(path, Problem::Empty));
        }
        Ok(Self {
            path: path.to_owned(),
            text,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// A place in this file.
    pub(crate) fn at(&self, line: usize) -> At<'_> {
        At {
            path: &self.path,
            line,
        }
    }

    /// The lines that are not blank, with their places.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (At<'_>, &str)> {
        self.text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty())
            .map(|(index, line)| (self.at(index + 1), line))
    }

    /// An error of the whole file.
    pub(crate) fn error(&self, problem: Problem) -> DataError {
        DataError::of_file(&self.path, problem)
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
    use super::*;

    #[test]
    fn a_byte_order_mark_is_dropped_and_a_bad_byte_is_placed() {
        let path = Path::new("x");
        let source = Source::from_bytes(path, b"\xef\xbb\xbfone\r\n\r\ntwo".to_vec()).unwrap();
        assert_eq!(source.text(), "one\r\n\r\ntwo");
        let lines: Vec<_> = source.lines().map(|(at, line)| (at.line, line)).collect();
        assert_eq!(lines, [(1, "one"), (3, "two")]);
        let error = Source::from_bytes(path, b"one\ntwo\xff".to_vec()).unwrap_err();
        assert_eq!(error.line, Some(2));
        assert!(error.hint().unwrap().contains("UTF-8"));
    }
}
