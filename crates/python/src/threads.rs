//! Computing on all processors, also in a process that Python has forked.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use pyo3::marker::Ungil;
use pyo3::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

/// The process that loaded this library.
static LOADED_BY: OnceLock<u32> = OnceLock::new();
/// The threads of a forked process, with its number.
static FORKED: Mutex<Option<(u32, Arc<ThreadPool>)>> = Mutex::new(None);

/// Notes the process. To be called as the library is loaded.
pub(crate) fn loaded() {
    LOADED_BY.get_or_init(std::process::id);
}

/// Computes without holding Python's lock.
pub(crate) fn detached<T: Ungil + Send>(
    py: Python<'_>,
    work: impl FnOnce() -> T + Ungil + Send,
) -> T {
    py.detach(|| compute(work))
}

/// Computes on the threads of this process. A fork, which `multiprocessing` starts by default on Linux up
/// to Python 3.13, copies no threads: rayon's own would never answer there.
pub(crate) fn compute<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let own = std::process::id();
    if LOADED_BY.get() == Some(&own) {
        return work();
    }
    match of_fork(own) {
        Some(threads) => threads.install(work),
        // Nothing can be had in place of threads that cannot be started.
        None => work(),
    }
}

fn of_fork(own: u32) -> Option<Arc<ThreadPool>> {
    let mut forked = FORKED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((process, threads)) = &*forked
        && *process == own
    {
        return Some(Arc::clone(threads));
    }
    let threads = Arc::new(ThreadPoolBuilder::new().build().ok()?);
    // Those of a parent that was itself forked are not here to be ended.
    std::mem::forget(forked.replace((own, Arc::clone(&threads))));
    Some(threads)
}
