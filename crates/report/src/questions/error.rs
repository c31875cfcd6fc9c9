//! Why the answers could not be written.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

use parquet::errors::ParquetError;
use sureness_hint::Hint;

/// Why the answers could not be written.
#[derive(Debug, thiserror::Error)]
pub enum QuestionsError {
    /// The number of option columns that was asked for.
    #[error("a file of answers has columns for 2 to 26 options, not {0}")]
    Options(usize),
    /// A question with more options than the file has columns.
    #[error("question {id:?} has {found} options, but the file has columns for {most}")]
    TooManyOptions {
        /// The question's id.
        id: String,
        /// Its options.
        found: usize,
        /// The file's columns.
        most: usize,
    },
    /// A list that does not have one entry per row.
    #[error("the list {list:?} has {found} entries for {rows} rows")]
    Length {
        /// Which list.
        list: &'static str,
        /// Its entries.
        found: usize,
        /// The rows.
        rows: usize,
    },
    /// The file could not be written.
    #[error("cannot write the answers: {0}")]
    Io(#[from] io::Error),
    /// The Parquet library refused.
    #[error("cannot write the answers as Parquet: {0}")]
    Parquet(#[from] ParquetError),
    /// One of the above, with the file.
    #[error("cannot write {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: Box<QuestionsError>,
    },
}

impl QuestionsError {
    /// The same, naming the file.
    pub(super) fn of(self, path: &Path) -> Self {
        Self::File {
            path: path.to_owned(),
            source: Box::new(self),
        }
    }
}

impl Hint for QuestionsError {
    fn hint(&self) -> Cow<'_, str> {
        Cow::Borrowed(match self {
            Self::Io(error) if error.kind() == io::ErrorKind::StorageFull => {
                "free some disk space, then export again"
            }
            Self::Io(_) | Self::Parquet(_) => "choose a folder in which you may write",
            Self::File { source, .. } => return source.hint(),
            Self::Options(_) | Self::TooManyOptions { .. } | Self::Length { .. } => {
                "please report this with the command you gave"
            }
        })
    }
}
