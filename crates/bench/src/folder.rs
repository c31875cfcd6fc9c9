//! The output folder, checked before the first question.

use std::path::{Path, PathBuf};

use crate::error::Failure;

/// The store's name in an output folder.
pub const STORE: &str = "sureness.sqlite";

/// Upper estimate of an answer's size in the store; about 300 bytes are typical.
const BYTES_PER_QUESTION: u64 = 1_000;
/// Fixed size of a run.
const MIN_BYTES: u64 = 4 << 20;

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

/// Creates the folder and checks that it is writable and has room for the answers to `questions`.
pub fn prepare(folder: &Path, questions: usize) -> Result<Folder, Failure> {
    let refuse = |verb: &str, e: &dyn std::fmt::Display| {
        Failure::new(format!(
            "cannot {verb} the output folder {}: {e}",
            folder.display()
        ))
        .hint("choose a writable folder with --output-dir")
    };
    std::fs::create_dir_all(folder).map_err(|e| refuse("create", &e))?;
    // Creating an empty file can succeed on a full disk, so write some bytes.
    let trial = folder.join(".sureness-write-test");
    let written = std::fs::write(&trial, [0; 4096]);
    let _ = std::fs::remove_file(&trial);
    written.map_err(|e| refuse("write to", &e))?;
    let needed = MIN_BYTES + questions as u64 * BYTES_PER_QUESTION;
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

/// The store at a path, which is a store itself or an output folder.
pub fn store_in(path: &Path) -> PathBuf {
    if path.is_dir() {
        path.join(STORE)
    } else {
        path.to_owned()
    }
}
