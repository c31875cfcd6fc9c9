//! What can go wrong with the file.

use std::path::PathBuf;

/// The store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// `SQLite` failed.
    #[error("{path}: {source}")]
    Sqlite {
        /// The store's file.
        path: PathBuf,
        /// What `SQLite` says.
        source: rusqlite::Error,
    },
    /// The file is an `SQLite` database, but not one of ours.
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
    /// The file was written by an older version, and can only be read after it is brought up to
    /// date.
    #[error("{0} was written by an older version")]
    TooOld(PathBuf),
    /// Two files hold different questions at the same place of what should be the same run.
    #[error("{path}: question {question}, number {place} of its group, is not the one in {into}")]
    OtherQuestion {
        /// The file that was read.
        path: PathBuf,
        /// The file that was written to.
        into: PathBuf,
        /// The question's id.
        question: String,
        /// Its place.
        place: i64,
    },
    /// The record of a run holds what this version does not know.
    #[error("{path}: the {what} cannot be read")]
    UnknownRecord {
        /// The store's file.
        path: PathBuf,
        /// Which part of which record, and why.
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

impl StoreError {
    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Sqlite { source, .. } => match source.sqlite_error_code() {
                Some(rusqlite::ErrorCode::DiskFull) => {
                    "free some disk space and start the same command again"
                }
                Some(
                    rusqlite::ErrorCode::ReadOnly
                    | rusqlite::ErrorCode::CannotOpen
                    | rusqlite::ErrorCode::PermissionDenied,
                ) => "choose a folder that can be written to with --output-dir",
                Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => {
                    "another run is writing to this file; wait for it, or choose another --output-dir"
                }
                Some(rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt) => {
                    "move the file away, or choose another --output-dir"
                }
                _ => "check the file and the disk it lies on",
            },
            Self::NotAStore(_) => "choose another --output-dir",
            Self::TooNew { .. } => "update sureness, or choose another --output-dir",
            Self::TooOld(_) => "start any run into its folder once: it brings the file up to date",
            Self::OtherQuestion { .. } => "merge only shards of the same run, into a new folder",
            Self::UnknownRecord { .. } => {
                "use the version of sureness that wrote the run, or a newer one"
            }
            Self::Damaged { .. } => "move the file away and run again",
        }
    }
}
