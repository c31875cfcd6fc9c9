//! Locks that survive a panic.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A test's closure may panic inside the server. The data behind the locks is valid at every step,
/// so the server continues.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
