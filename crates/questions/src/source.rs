//! A data file's text or rows, and places in it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use sureness_parquet::{Bytes, ChunkReader, MAGIC, Rows as ParquetRows, Share};

use crate::error::{DataError, Problem};
use crate::{Unread, foreign, packed};

/// Byte-order mark of files from Windows, not part of the text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// The longest line and the longest file of one array that a compressed file may unpack to: a few
/// bytes of it may stand for gigabytes.
pub(crate) const MAX_LINE: u64 = 64 << 20;
const MAX_UNPACKED: u64 = 2 << 30;

/// A file of UTF-8 text, read line by line where the layout allows, so that its size does not
/// matter; or a Parquet file, read row by row.
#[derive(Debug)]
pub(crate) struct Source {
    path: PathBuf,
    /// Its place among the files of its data set, from 0.
    number: u32,
    /// The bytes, if in memory.
    bytes: Option<Bytes>,
    kind: Kind,
}

/// What the first bytes of a file show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Packed(packed::Codec),
    Parquet,
}

impl Source {
    /// Checks that the file is readable. Pipes and the like can be read only once and are kept in
    /// memory.
    pub(crate) fn open(path: &Path) -> Result<Self, DataError> {
        let failed = |error| DataError::of_file(path, Problem::Io(error));
        let mut file = File::open(path).map_err(failed)?;
        let mut begin = Vec::new();
        let is_file = file.metadata().map_err(failed)?.is_file();
        let read = if is_file {
            file.take(MAGIC.len() as u64).read_to_end(&mut begin)
        } else {
            file.read_to_end(&mut begin)
        };
        read.map_err(failed)?;
        Ok(Self {
            path: path.to_owned(),
            number: 0,
            kind: Kind::of(&begin),
            bytes: (!is_file).then(|| begin.into()),
        })
    }

    /// A source in memory.
    pub(crate) fn from_bytes(path: &Path, bytes: Vec<u8>) -> Self {
        Self {
            path: path.to_owned(),
            number: 0,
            kind: Kind::of(&bytes),
            bytes: Some(bytes.into()),
        }
    }

    /// The same file as number `number` of its data set.
    pub(crate) fn numbered(self, number: u32) -> Self {
        Self { number, ..self }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn is_parquet(&self) -> bool {
        self.kind == Kind::Parquet
    }

    /// The rows of a Parquet file, with the columns of `chosen` alone.
    pub(crate) fn parquet_rows(
        &self,
        chosen: &Chosen<'_>,
        unread: &mut Unread,
    ) -> Result<ParquetRows, DataError> {
        let rows = if let Some(bytes) = &self.bytes {
            rows_of(bytes.clone(), chosen, unread)
        } else {
            let file = File::open(&self.path);
            let file = file.map_err(|error| self.error(Problem::Io(error)))?;
            rows_of(file, chosen, unread)
        };
        rows.map_err(|error| self.error(Problem::Parquet(error)))
    }

    /// The text from its beginning, unpacked and without a byte-order mark.
    pub(crate) fn reader(&self) -> Result<Box<dyn BufRead + '_>, DataError> {
        let failed = |error| self.failed(error);
        if self.is_parquet() {
            return Err(self.error(Problem::Foreign(&foreign::PARQUET)));
        }
        let raw: Box<dyn BufRead + '_> = if let Some(bytes) = &self.bytes {
            Box::new(&bytes[..])
        } else {
            let file = File::open(&self.path).map_err(failed)?;
            Box::new(BufReader::with_capacity(1 << 16, file))
        };
        let mut reader = match self.kind {
            Kind::Packed(codec) => codec.unpack(raw).map_err(failed)?,
            Kind::Text | Kind::Parquet => raw,
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

    /// The first bytes of the text, at most `length`.
    pub(crate) fn begin(&self, length: usize) -> Result<Vec<u8>, DataError> {
        let mut begin = Vec::new();
        let mut reader = self.reader()?.take(length as u64);
        let read = reader.read_to_end(&mut begin);
        read.map_err(|error| self.failed(error))?;
        Ok(begin)
    }

    /// The first character of the text that is not white space. Reads no further, since an array may
    /// be one long line.
    pub(crate) fn first_character(&self) -> Result<Option<char>, DataError> {
        let mut reader = self.reader()?;
        loop {
            let text = reader.fill_buf().map_err(|error| self.failed(error))?;
            let length = text.len();
            match text.iter().find(|byte| !byte.is_ascii_whitespace()) {
                Some(&first) => return Ok(Some(char::from(first))),
                None if length == 0 => return Ok(None),
                None => reader.consume(length),
            }
        }
    }

    /// Whether the text is one JSON array, by its first character.
    pub(crate) fn is_array(&self) -> Result<bool, DataError> {
        Ok(!self.is_parquet() && self.first_character()? == Some('['))
    }

    /// The whole text.
    pub(crate) fn text(&self) -> Result<String, DataError> {
        let mut bytes = Vec::new();
        let limit = self.limit(MAX_UNPACKED);
        let mut reader = self.reader()?.take(limit);
        reader
            .read_to_end(&mut bytes)
            .map_err(|error| self.failed(error))?;
        if bytes.len() as u64 == limit {
            return Err(self.error(Problem::TooLong));
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            self.at(1 + count_newlines(valid)).row(Problem::NotUtf8)
        })?;
        if text.trim().is_empty() {
            return Err(self.error(Problem::Empty));
        }
        Ok(text)
    }

    /// A line of this file, or a row if it is Parquet, counted from 1.
    pub(crate) fn at(&self, line: usize) -> At<'_> {
        At {
            path: &self.path,
            file: self.number,
            line,
            is_row: self.is_parquet(),
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

    /// The error about a failure while reading, which may be the fault of the packed text.
    pub(crate) fn failed(&self, error: io::Error) -> DataError {
        self.error(self.failure(error))
    }

    fn failure(&self, error: io::Error) -> Problem {
        use io::ErrorKind::{InvalidData, InvalidInput, Other, UnexpectedEof};
        match self.kind {
            Kind::Packed(codec)
                if matches!(
                    error.kind(),
                    InvalidData | InvalidInput | Other | UnexpectedEof
                ) =>
            {
                let codec = codec.name();
                Problem::Packed { codec, error }
            }
            _ => Problem::Io(error),
        }
    }

    /// `most` bytes for text that was packed; no limit for others.
    pub(crate) fn limit(&self, most: u64) -> u64 {
        match self.kind {
            Kind::Packed(_) => most,
            Kind::Text | Kind::Parquet => u64::MAX,
        }
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
            let limit = self.source.limit(MAX_LINE);
            let mut reader = (&mut self.reader).take(limit);
            let read = reader.read_until(b'\n', &mut self.bytes);
            self.line += 1;
            let at = self.source.at(self.line);
            match read.map_err(|error| at.row(self.source.failure(error)))? as u64 {
                0 => return Ok(None),
                read if read == limit => return Err(at.row(Problem::TooLong)),
                _ => {}
            }
            if !self.bytes.trim_ascii().is_empty() {
                break;
            }
        }
        let at = self.source.at(self.line);
        let text = str::from_utf8(&self.bytes).map_err(|_| at.row(Problem::NotUtf8))?;
        Ok(Some((at, text.trim_end_matches(['\r', '\n']))))
    }
}

/// A line of a file, or a row of a Parquet file; makes errors that name it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At<'a> {
    pub(crate) path: &'a Path,
    /// The file's place in its data set.
    pub(crate) file: u32,
    pub(crate) line: usize,
    is_row: bool,
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
        let (line, row) = if self.is_row {
            (None, Some(self.line))
        } else {
            (Some(self.line), None)
        };
        DataError {
            line,
            row,
            ..DataError::of_file(self.path, problem)
        }
    }

    /// The place in words: `line 3`.
    pub(crate) fn place(&self) -> String {
        let unit = if self.is_row { "row" } else { "line" };
        format!("{unit} {}", self.line)
    }
}

impl Kind {
    fn of(begin: &[u8]) -> Self {
        if begin.starts_with(MAGIC) {
            return Self::Parquet;
        }
        packed::Codec::of(begin).map_or(Self::Text, Self::Packed)
    }
}

/// The columns of a Parquet file to decode.
#[derive(Clone, Copy)]
pub(crate) enum Chosen<'a> {
    All,
    /// Those that `reads` chooses, if the file has all of `needs`. Else all, so that an error can name
    /// them.
    Read {
        needs: &'a [&'a str],
        reads: &'a dyn Fn(&str) -> bool,
    },
}

/// The rows with the chosen columns; names of the others are added to `unread`.
fn rows_of<R: ChunkReader + Share + 'static>(
    source: R,
    chosen: &Chosen<'_>,
    unread: &mut Unread,
) -> Result<ParquetRows, sureness_parquet::Error> {
    let table = sureness_parquet::open(source)?;
    let names = table.columns();
    let root = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
    let has = |name: &&str| names.contains(name) || names.contains(&root(name).as_str());
    let Chosen::Read { needs, reads } = chosen else {
        return sureness_parquet::rows(table, |_| true);
    };
    if !needs.iter().all(has) {
        return sureness_parquet::rows(table, |_| true);
    }
    let others = names.iter().filter(|name| !reads(name));
    others.for_each(|name| unread.add(name));
    sureness_parquet::rows(table, reads)
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
