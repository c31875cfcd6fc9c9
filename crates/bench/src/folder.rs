//! Where results go, checked before the first question.

use std::path::{Path, PathBuf};

use crate::error::Failure;

/// The store's name in an output folder.
pub const STORE: &str = "sureness.sqlite";

/// Bytes that an answered question takes in the store, generously: about 300 are typical.
const BYTES_PER_QUESTION: u64 = 1_000;
/// What a run needs in any case.
const BYTES_AT_LEAST: u64 = 4 << 20;

/// The output folder's files.
#[derive(Debug, Clone)]
pub struct Folder {
    /// Answers and runs.
    pub store: PathBuf,
    /// All figures.
    pub json: PathBuf,
    /// One row per (model, task, strategy).
    pub csv: PathBuf,
}

/// Makes the folder and makes sure that `questions` answers can be kept there.
pub fn prepare(folder: &Path, questions: usize) -> Result<Folder, Failure> {
    let refuse = |what: &str, e: &dyn std::fmt::Display| {
        Failure::new(format!(
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
        return Err(Failure::new(format!(
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

/// The store that a path means: itself, or the one in an output folder.
pub fn store_in(path: &Path) -> PathBuf {
    if path.is_dir() {
        path.join(STORE)
    } else {
        path.to_owned()
    }
}
