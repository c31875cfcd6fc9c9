//! Where results go, checked before the first question.

use std::path::{Path, PathBuf};

use crate::error::CliError;

/// The store's name in an output folder.
pub(crate) const STORE: &str = "sureness.sqlite";

/// Bytes that an answered question takes in the store, generously: about 300 are typical.
const BYTES_PER_QUESTION: u64 = 1_000;
/// What a run needs in any case.
const BYTES_AT_LEAST: u64 = 4 << 20;

/// The output folder's files.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    /// Answers and runs.
    pub(crate) store: PathBuf,
    /// All figures.
    pub(crate) json: PathBuf,
    /// One row per (model, task, strategy).
    pub(crate) csv: PathBuf,
}

/// Makes the folder and makes sure that `questions` answers can be kept there.
pub(crate) fn prepare(folder: &Path, questions: usize) -> Result<Folder, CliError> {
    let refuse = |what: &str, e: &dyn std::fmt::Display| {
        CliError::input(format!(
            "the output folder {} {what}: {e}",
            folder.display()
        ))
        .hint("choose a folder that can be written to with --output-dir")
    };
    std::fs::create_dir_all(folder).map_err(|e| refuse("cannot be made", &e))?;
    // Written with real bytes: on a full disk creating an empty file can still succeed.
    let trial = folder.join(".sureness-write-test");
    let written = std::fs::write(&trial, [0; 4096]);
    let _ = std::fs::remove_file(&trial);
    written.map_err(|e| refuse("cannot be written to", &e))?;
    let needed = BYTES_AT_LEAST + questions as u64 * BYTES_PER_QUESTION;
    if let Ok(free) = fs4::available_space(folder)
        && free < needed
    {
        return Err(CliError::input(format!(
            "the disk under {} is nearly full: {} MB free, this run may need {} MB",
            folder.display(),
            free / 1_000_000,
            needed / 1_000_000
        ))
        .hint("free some space, or choose a folder on another disk with --output-dir"));
    }
    Ok(Folder {
        store: folder.join(STORE),
        json: folder.join("results.json"),
        csv: folder.join("results.csv"),
    })
}
