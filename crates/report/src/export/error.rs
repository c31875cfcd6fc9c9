//! Why a document could not be written.

use std::borrow::Cow;
use std::io;
use std::path::PathBuf;

use sureness_hint::Hint;

/// Why a document could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A file could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// A chart holds a number that JSON cannot express.
    #[error("cannot write report.json: a figure in a chart is not finite ({0})")]
    Json(serde_json::Error),
}

impl Hint for ExportError {
    fn hint(&self) -> Cow<'_, str> {
        Cow::Borrowed(match self {
            Self::Write { source, .. } => match source.kind() {
                io::ErrorKind::PermissionDenied => "choose a folder in which you may write",
                io::ErrorKind::StorageFull => "free some disk space, then export again",
                _ => "check the path of the folder; the files written before this one are complete",
            },
            Self::Json(_) => {
                "please report this with the command you gave; the other formats can be written"
            }
        })
    }
}
