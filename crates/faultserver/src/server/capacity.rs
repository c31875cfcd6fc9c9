//! Limits on concurrent requests and requests per minute.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::answer::Work;
use crate::script::{Capacity, RetryAfter};
use crate::sync::lock;

const MINUTE: Duration = Duration::from_secs(60);

/// Admits requests.
#[derive(Debug)]
pub(crate) struct Gate {
    capacity: Capacity,
    slots: Option<Arc<Semaphore>>,
    waiting: AtomicUsize,
    /// Times of the requests accepted within the last minute.
    accepted: Mutex<VecDeque<Instant>>,
}

/// A slot for one concurrent request.
pub(crate) type Slot = Option<OwnedSemaphorePermit>;

/// The state of the limit per minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowance {
    pub(crate) limit: usize,
    pub(crate) remaining: usize,
    /// Time until one more request is accepted or, if one would be now, until the full limit is
    /// available.
    pub(crate) reset: Duration,
}

impl Gate {
    pub(crate) fn new(capacity: &Capacity) -> Self {
        Self {
            slots: capacity.workers.map(|n| Arc::new(Semaphore::new(n.max(1)))),
            capacity: capacity.clone(),
            waiting: AtomicUsize::new(0),
            accepted: Mutex::default(),
        }
    }

    /// Counts a request against the limit per minute; `Err` if it is exceeded, `None` without a
    /// limit.
    pub(crate) fn count(&self) -> Result<Option<Allowance>, Allowance> {
        let Some(limit) = self.capacity.requests_per_minute else {
            return Ok(None);
        };
        let minute = self
            .capacity
            .minute_ms
            .map_or(MINUTE, Duration::from_millis);
        let now = Instant::now();
        let mut accepted = lock(&self.accepted);
        while accepted
            .front()
            .is_some_and(|&then| now.duration_since(then) >= minute)
        {
            accepted.pop_front();
        }
        let refused = accepted.len() >= limit;
        if !refused {
            accepted.push_back(now);
        }
        let next = if refused {
            accepted.front()
        } else {
            accepted.back()
        };
        let passed = next.map_or(minute, |&then| now.duration_since(then));
        let allowance = Allowance {
            limit,
            remaining: limit - accepted.len().min(limit),
            reset: minute.saturating_sub(passed),
        };
        if refused {
            Err(allowance)
        } else {
            Ok(Some(allowance))
        }
    }

    /// Waits for a slot. `Err` with the `Retry-After` if the queue is full.
    pub(crate) async fn enter(&self) -> Result<Slot, RetryAfter> {
        let Some(slots) = &self.slots else {
            return Ok(None);
        };
        if let Ok(slot) = Arc::clone(slots).try_acquire_owned() {
            return Ok(Some(slot));
        }
        let queued = Queued::join(&self.waiting);
        if self.capacity.queue.is_some_and(|most| queued.ahead >= most) {
            return Err(self.capacity.retry_after);
        }
        // The semaphore is never closed.
        Ok(Arc::clone(slots).acquire_owned().await.ok())
    }

    /// Time that the model takes.
    pub(crate) fn time_for(&self, work: &[Work]) -> Duration {
        let words: usize = work.iter().map(|work| work.words - work.cached).sum();
        Duration::from_millis(self.capacity.base_ms)
            + Duration::from_micros(self.capacity.per_word_us.saturating_mul(words as u64))
    }
}

/// A place in the queue, freed when dropped: a client may disconnect while it waits.
struct Queued<'a> {
    waiting: &'a AtomicUsize,
    ahead: usize,
}

impl<'a> Queued<'a> {
    fn join(waiting: &'a AtomicUsize) -> Self {
        let ahead = waiting.fetch_add(1, Ordering::SeqCst);
        Self { waiting, ahead }
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_s_allowance_comes_back_when_the_minute_is_over() {
        let gate = Gate::new(&Capacity {
            requests_per_minute: Some(2),
            minute_ms: Some(200),
            ..Capacity::default()
        });
        assert_eq!(gate.count().unwrap().unwrap().remaining, 1);
        assert_eq!(gate.count().unwrap().unwrap().remaining, 0);
        let refused = gate.count().unwrap_err();
        assert_eq!((refused.limit, refused.remaining), (2, 0));
        assert!(refused.reset <= Duration::from_millis(200));
        std::thread::sleep(refused.reset);
        assert!(gate.count().is_ok());
    }

    #[test]
    fn cached_words_take_no_time() {
        let gate = Gate::new(&Capacity {
            base_ms: 3,
            per_word_us: 10,
            ..Capacity::default()
        });
        let work = |words, cached| Work {
            prompt: "".into(),
            words,
            cached,
        };
        let time = gate.time_for(&[work(100, 90), work(50, 0)]);
        assert_eq!(time, Duration::from_micros(3_600));
    }

    #[tokio::test]
    async fn leaving_the_queue_frees_a_place() {
        let gate = Gate::new(&Capacity {
            workers: Some(1),
            queue: Some(1),
            ..Capacity::default()
        });
        let working = gate.enter().await.unwrap();
        let impatient = tokio::time::timeout(Duration::from_millis(10), gate.enter()).await;
        assert!(impatient.is_err(), "it queued");
        let mut queued = Box::pin(gate.enter());
        assert!(futures_poll(&mut queued).await.is_none());
        assert_eq!(gate.enter().await.unwrap_err(), RetryAfter::None);
        drop(working);
        assert!(queued.await.unwrap().is_some());
    }

    /// Polls a future once.
    async fn futures_poll<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        std::future::poll_fn(|context| {
            std::task::Poll::Ready(match std::pin::Pin::new(&mut *future).poll(context) {
                std::task::Poll::Ready(output) => Some(output),
                std::task::Poll::Pending => None,
            })
        })
        .await
    }
}
