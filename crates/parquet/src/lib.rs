#![doc = include_str!("../README.md")]

mod check;
mod quiet;
mod thrift;

use std::sync::Arc;

use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::reader::RowIter;
use parquet::schema::types::Type;

pub use bytes::Bytes;
pub use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
pub use parquet::file::reader::ChunkReader;
pub use parquet::record::{Field, Row};

/// The first and the last bytes of a Parquet file.
pub const MAGIC: &[u8; 4] = b"PAR1";

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file ends before the footer that lists its columns.
    #[error("the Parquet file is cut off: its end is missing")]
    CutOff,
    /// A part of the file claims what cannot be.
    #[error("the Parquet file is damaged{}", part(.0))]
    Damaged(&'static str),
    /// A column is compressed in a way that this build does not unpack.
    #[error("a column is compressed with {0}, which is not supported")]
    Codec(&'static str),
    /// A row of so many values that it may be an attack on the memory.
    #[error("column {column:?} has more than {most} values per row")]
    TooManyValues {
        /// The column's name.
        column: String,
        /// The limit.
        most: i64,
    },
    /// The `parquet` crate says so, of input that may hold any characters.
    #[error("{0}")]
    Library(String),
}

fn part(part: &str) -> String {
    if part.is_empty() {
        return String::new();
    }
    format!(" ({part})")
}

impl From<ParquetError> for Error {
    fn from(error: ParquetError) -> Self {
        Self::Library(error.to_string())
    }
}

/// An open file whose footer is sound.
pub struct Table<R: ChunkReader> {
    source: R,
    reader: SerializedFileReader<R>,
}

/// Opens a file. `source` is cloned through [`Share`], since pages are checked before they are read.
pub fn open<R: ChunkReader + Share + 'static>(source: R) -> Result<Table<R>, Error> {
    unless_damaged(|| {
        check::footer(&source)?;
        let reader = SerializedFileReader::new(source.share().map_err(ParquetError::from)?)?;
        Ok(Table { source, reader })
    })
}

impl<R: ChunkReader + 'static> Table<R> {
    /// The names of the columns, in order.
    pub fn columns(&self) -> Vec<&str> {
        let schema = self.reader.metadata().file_metadata().schema();
        schema
            .get_fields()
            .iter()
            .map(|field| field.name())
            .collect()
    }

    /// What the footer says of the file.
    pub fn metadata(&self) -> &ParquetMetaData {
        self.reader.metadata()
    }
}

/// A second handle to the same bytes.
pub trait Share: Sized {
    /// The handle.
    fn share(&self) -> std::io::Result<Self>;
}

impl Share for Bytes {
    fn share(&self) -> std::io::Result<Self> {
        Ok(self.clone())
    }
}

impl Share for std::fs::File {
    fn share(&self) -> std::io::Result<Self> {
        self.try_clone()
    }
}

/// The rows with the wanted columns alone, so that others are never decoded. At least one must be
/// wanted.
pub fn rows<R: ChunkReader + 'static>(
    table: Table<R>,
    wanted: impl Fn(&str) -> bool,
) -> Result<Rows, Error> {
    unless_damaged(|| {
        check::pages(&table.reader, &wanted, &table.source)?;
        let schema = table.reader.metadata().file_metadata().schema();
        let fields = schema.get_fields().iter();
        let fields = fields.filter(|field| wanted(field.name()));
        let projection = Type::group_type_builder(schema.name())
            .with_fields(fields.map(Arc::clone).collect())
            .build()?;
        let rows = RowIter::from_file_into(Box::new(table.reader)).project(Some(projection))?;
        Ok(Rows(Some(rows)))
    })
}

/// Iterates over the rows of a file. It ends after an error.
pub struct Rows(Option<RowIter<'static>>);

impl Iterator for Rows {
    type Item = Result<Row, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let rows = self.0.as_mut()?;
        let next = unless_damaged(|| Ok(rows.next().transpose()?)).transpose();
        if !matches!(next, Some(Ok(_))) {
            self.0 = None;
        }
        next
    }
}

/// A value as a person would write it, such as a date; `None` where the library cannot.
pub fn text(field: &Field) -> Option<String> {
    quiet::catch(|| field.to_string()).ok()
}

/// The library checks most input, but a damaged file can still make it panic.
fn unless_damaged<T>(read: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    quiet::catch(read).unwrap_or(Err(Error::Damaged("")))
}
