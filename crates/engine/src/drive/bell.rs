//! Wakes the pacemaker, which is a task or a thread.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

/// A bell that remembers that it was rung.
#[derive(Debug, Default)]
pub(super) struct Bell {
    task: Notify,
    rung: Mutex<bool>,
    thread: Condvar,
}

impl Bell {
    pub(super) fn ring(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.thread.notify_one();
        self.task.notify_one();
    }

    /// Waits until it is rung, at most for this time.
    pub(super) async fn rung(&self, at_most: Option<Duration>) {
        match at_most {
            None => self.task.notified().await,
            Some(time) => {
                let _ = tokio::time::timeout(time, self.task.notified()).await;
            }
        }
    }

    /// As [`Self::rung`], blocking the thread.
    pub(super) fn wait(&self, at_most: Option<Duration>) {
        let rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rung = match at_most {
            None => self
                .thread
                .wait_while(rung, |rung| !*rung)
                .unwrap_or_else(PoisonError::into_inner),
            Some(time) => {
                let waited = self.thread.wait_timeout_while(rung, time, |rung| !*rung);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
        };
        *rung = false;
    }
}
