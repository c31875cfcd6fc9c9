//! Locks that outlive a panic.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A test's closure may panic inside the server; the data behind our locks is valid at every
/// step, so that the rest of the server goes on.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
