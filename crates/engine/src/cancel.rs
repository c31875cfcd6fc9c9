//! Stopping a run from outside.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// Asks a run to stop. Clones ask the same run.
#[derive(Clone, Default)]
pub struct Cancel(Arc<Inner>);

#[derive(Default)]
struct Inner {
    level: AtomicU8,
    /// Called on every step while their guards exist.
    listeners: Mutex<Vec<Weak<Listener>>>,
}

type Listener = dyn Fn() + Send + Sync;
/// Keeps a listener listening until it is dropped.
pub(crate) type Listening = Arc<Listener>;

const FINISH: u8 = 1;
const NOW: u8 = 2;

impl Cancel {
    /// Ends the run after the requests in flight, whose answers are saved. Further calls change
    /// nothing.
    pub fn cancel(&self) {
        self.raise(FINISH);
    }

    /// Drops the requests in flight, too. Answers that have arrived are saved.
    pub fn now(&self) {
        self.raise(NOW);
    }

    /// Whether [`cancel`](Self::cancel) or [`now`](Self::now) was called.
    pub fn is_cancelled(&self) -> bool {
        self.0.level.load(Ordering::SeqCst) >= FINISH
    }

    /// Whether [`now`](Self::now) was called.
    pub fn is_now(&self) -> bool {
        self.0.level.load(Ordering::SeqCst) >= NOW
    }

    fn raise(&self, level: u8) {
        if self.0.level.fetch_max(level, Ordering::SeqCst) < level {
            let listeners: Vec<_> = self.listeners().iter().filter_map(Weak::upgrade).collect();
            for listener in listeners {
                listener();
            }
        }
    }

    /// Calls `listener` on every further step until the guard is dropped.
    pub(crate) fn listen(&self, listener: impl Fn() + Send + Sync + 'static) -> Listening {
        let listener: Listening = Arc::new(listener);
        let mut listeners = self.listeners();
        listeners.retain(|other| other.strong_count() > 0);
        listeners.push(Arc::downgrade(&listener));
        listener
    }

    fn listeners(&self) -> MutexGuard<'_, Vec<Weak<Listener>>> {
        let listeners = self.0.listeners.lock();
        listeners.unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Cancel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cancel")
            .field("cancelled", &self.is_cancelled())
            .field("now", &self.is_now())
            .finish_non_exhaustive()
    }
}
