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

    /// A run's own handle: it is stopped with this one, but not the other way round.
    pub fn child(&self) -> ChildCancel {
        let child = Self::default();
        let (parent, inner) = (Arc::downgrade(&self.0), child.clone());
        let follow = move || {
            if let Some(parent) = parent.upgrade() {
                inner.raise(parent.level.load(Ordering::SeqCst));
            }
        };
        let following = self.listen(follow.clone());
        // Steps before it listened.
        follow();
        ChildCancel {
            cancel: child,
            _following: following,
        }
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

/// The handle of one run among several that are stopped together.
pub struct ChildCancel {
    /// Stops this run alone.
    pub cancel: Cancel,
    _following: Listening,
}

impl std::fmt::Debug for ChildCancel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.cancel.fmt(f)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_follows_and_does_not_lead() {
        let parent = Cancel::default();
        let (one, other) = (parent.child(), parent.child());
        one.cancel.cancel();
        assert!(!parent.is_cancelled() && !other.cancel.is_cancelled());
        parent.now();
        assert!(one.cancel.is_now() && other.cancel.is_now());
        assert!(parent.child().cancel.is_now());
    }
}
