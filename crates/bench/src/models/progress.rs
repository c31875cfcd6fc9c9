//! Progress and interruption of a fetch.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Failure, Kind};
use crate::user_folders;

/// A progress update of a fetch.
#[derive(Debug)]
pub enum Update {
    /// A new step, as a sentence.
    Step(String),
    /// Progress of the download.
    Bytes {
        /// Bytes on disk.
        done: u64,
        /// Expected bytes.
        total: u64,
    },
}

/// The hint for a full disk.
pub(super) const OUT_OF_SPACE_HINT: &str =
    "free some disk space, or set SURENESS_HOME to a folder on another disk";

/// The error for a folder that cannot be written to.
pub(super) fn cannot_write(path: &Path, error: &std::io::Error) -> Failure {
    let hint = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => OUT_OF_SPACE_HINT,
        _ => "check its permissions, or set SURENESS_HOME to another folder",
    };
    Failure::new(format_args!(
        "cannot write to {}: {error}",
        user_folders::display(path)
    ))
    .hint(hint)
}

/// Turns Ctrl-C into a flag while alive, so that the temporary folder is removed.
pub(super) struct Interrupt {
    pressed: Arc<AtomicBool>,
    _runtime: tokio::runtime::Runtime,
}

impl Interrupt {
    pub(super) fn listen() -> Result<Self, Failure> {
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

    /// Fails once Ctrl-C was pressed.
    pub(super) fn check(&self) -> Result<(), Failure> {
        if self.pressed.load(Ordering::Relaxed) {
            return Err(Failure::new("interrupted; nothing was saved").kind(Kind::Interrupted));
        }
        Ok(())
    }
}
