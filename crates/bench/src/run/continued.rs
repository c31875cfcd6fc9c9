//! The progress of a model that is asked part by part.

use std::sync::{Arc, Mutex, PoisonError};

use sureness_engine::Event;

use crate::watch::{ModelWatch, Standing};

/// Shows several parts of the asking as one: each part finds the answers of those before in the store, and
/// only what it finds beyond them is passed on as cached.
pub(super) struct Continued {
    inner: Arc<dyn ModelWatch>,
    /// By group, questions that are done.
    done: Mutex<Vec<usize>>,
}

impl Continued {
    pub(super) fn new(inner: Arc<dyn ModelWatch>, groups: usize) -> Self {
        Self {
            inner,
            done: Mutex::new(vec![0; groups]),
        }
    }

    /// Passes on how far the run has come.
    pub(super) fn stand(&self, standing: Standing) {
        self.inner.standing(standing);
    }

    /// Called after the last part.
    pub(super) fn end(&self) {
        self.inner.finish();
    }

    /// Adds `count` questions of a group, beyond those that are done if `all` are counted.
    fn add(&self, group: usize, count: usize, all: bool) -> usize {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(done) = done.get_mut(group) else {
            return count;
        };
        let new = if all {
            count.saturating_sub(*done)
        } else {
            count
        };
        *done += new;
        new
    }
}

impl ModelWatch for Continued {
    fn event(&self, event: &Event) {
        match *event {
            Event::Cached { group, count } => {
                let count = self.add(group, count, true);
                if count > 0 {
                    self.inner.event(&Event::Cached { group, count });
                }
                return;
            }
            Event::Answered { group, .. } | Event::Failed { group, .. } => {
                self.add(group, 1, false);
            }
            _ => {}
        }
        self.inner.event(event);
    }

    /// A part ended, and others may follow.
    fn finish(&self) {}
}
