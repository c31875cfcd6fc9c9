//! A limit for transfers in which nothing arrives. `hf-hub` sets none, and takes none.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

/// Why work has no result.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It showed no life for as long as the limit. Its thread goes on until the process ends.
    Stalled,
    /// It panicked.
    Died,
}

/// Shows that work goes on.
#[derive(Debug, Clone)]
pub(crate) struct Pulse<T>(Sender<Option<T>>);

impl<T> Pulse<T> {
    pub(crate) fn beat(&self) {
        // Nobody listens any more to work that was given up.
        let _ = self.0.send(None);
    }
}

/// Does some work on another thread, and waits for it as long as it shows life.
pub(crate) fn patiently<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce(Pulse<T>) -> T + Send + 'static,
) -> Result<T, Ended> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let done = work(Pulse(sender.clone()));
        let _ = sender.send(Some(done));
    });
    loop {
        match receiver.recv_timeout(limit) {
            Ok(Some(done)) => return Ok(done),
            Ok(None) => {}
            Err(RecvTimeoutError::Timeout) => return Err(Ended::Stalled),
            Err(RecvTimeoutError::Disconnected) => return Err(Ended::Died),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_for_the_time_without_life() {
        let limit = Duration::from_millis(400);
        let busy = patiently(limit, |pulse| {
            for _ in 0..20 {
                thread::sleep(Duration::from_millis(40));
                pulse.beat();
            }
            7
        });
        assert_eq!(busy, Ok(7));
        let (open, waiting) = channel::<()>();
        let still = patiently(Duration::from_millis(50), move |_| waiting.recv().is_ok());
        assert_eq!(still, Err(Ended::Stalled));
        drop(open);
    }
}
