//! Errors of a store.

use std::borrow::Cow;
use std::path::PathBuf;

use sureness_hint::Hint;

/// The store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// `SQLite` failed.
    #[error("{path}: {source}")]
    Sqlite {
        /// The store's file.
        path: PathBuf,
        /// The error of `SQLite`.
        source: rusqlite::Error,
    },
    /// The file is an `SQLite` database, but not a store.
    #[error("{0} is not a sureness store")]
    NotAStore(PathBuf),
    /// The file was written by a newer version.
    #[error("{path} has schema version {found}; this version knows {known}")]
    TooNew {
        /// The store's file.
        path: PathBuf,
        /// Version in the file.
        found: i64,
        /// Newest version known here.
        known: i64,
    },
    /// The file was written by an older version and must be migrated before it can be read.
    #[error("{0} was written by an older version")]
    TooOld(PathBuf),
    /// Two shards of a run have different questions at the same position.
    #[error("{path}: question {question}, number {place} of its group, is not the one in {into}")]
    OtherQuestion {
        /// The file that was read.
        path: PathBuf,
        /// The file that was written to.
        into: PathBuf,
        /// The question's id.
        question: String,
        /// Its position.
        place: i64,
    },
    /// This version cannot read the record of a run.
    #[error("{path}: the {what} cannot be read")]
    UnknownRecord {
        /// The store's file.
        path: PathBuf,
        /// The part of the record, and why.
        what: String,
    },
    /// A stored value does not decode.
    #[error("{path}: damaged entry: {what}")]
    Damaged {
        /// The store's file.
        path: PathBuf,
        /// Which value.
        what: String,
    },
}

impl Hint for StoreError {
    fn hint(&self) -> Cow<'_, str> {
        Cow::Borrowed(match self {
            Self::Sqlite { source, .. } => match source.sqlite_error_code() {
                Some(rusqlite::ErrorCode::DiskFull) => {
                    "free some disk space and run the same command again"
                }
                Some(
                    rusqlite::ErrorCode::ReadOnly
                    | rusqlite::ErrorCode::CannotOpen
                    | rusqlite::ErrorCode::PermissionDenied,
                ) => "choose a writable folder with --output-dir",
                Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => {
                    "another run is writing to this file; wait for it, or choose another --output-dir"
                }
                Some(rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt) => {
                    "name the output folder of a run; to write there, move the file away or choose another --output-dir"
                }
                _ => "check the file and its disk",
            },
            Self::NotAStore(_) => {
                "name the output folder of a run; to write there, choose another --output-dir"
            }
            Self::TooNew { .. } => "update sureness, or choose another --output-dir",
            Self::TooOld(_) => "start a run with this --output-dir once, which updates the file",
            Self::OtherQuestion { .. } => "merge only shards of the same run, into a new folder",
            Self::UnknownRecord { .. } => {
                "use the version of sureness that wrote the run, or a newer one"
            }
            Self::Damaged { .. } => "move the file away and run again",
        })
    }
}
