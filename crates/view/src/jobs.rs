//! Work on stores, which blocks: a little at a time, with a bounded queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sureness_bench::Failure;
use tokio::sync::Semaphore;

/// Jobs at once. One is enough for people, and leaves a run the other processors.
const AT_ONCE: usize = 1;
/// Jobs that wait.
const MOST_WAITING: usize = 32;
/// How long a job may wait.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs blocking jobs, few at a time.
#[derive(Debug)]
pub(crate) struct Jobs {
    permits: Arc<Semaphore>,
    waiting: AtomicUsize,
}

/// Why a job has no result.
#[derive(Debug)]
pub(crate) enum JobError {
    /// Too many jobs wait already.
    Busy,
    /// The job failed.
    Failed(Failure),
}

impl From<Failure> for JobError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl Default for Jobs {
    fn default() -> Self {
        Self {
            permits: Arc::new(Semaphore::new(AT_ONCE)),
            waiting: AtomicUsize::new(0),
        }
    }
}

impl Jobs {
    /// The result of `job`, in its turn.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, JobError> {
        let waiting = Waiting::begin(&self.waiting).ok_or(JobError::Busy)?;
        let permit = Arc::clone(&self.permits).acquire_owned();
        let permit = tokio::time::timeout(PATIENCE, permit).await;
        let Ok(Ok(permit)) = permit else {
            return Err(JobError::Busy);
        };
        drop(waiting);
        // The job holds its permit itself: it goes on where nobody waits for it any more.
        let done = tokio::task::spawn_blocking(move || {
            let result = job();
            drop(permit);
            result
        });
        match done.await {
            Ok(result) => Ok(result?),
            Err(_) => {
                Err(Failure::new("the page could not be made: a fault of this program").into())
            }
        }
    }
}

/// Counts a job while it waits.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    /// `None` if too many wait already.
    fn begin(count: &'a AtomicUsize) -> Option<Self> {
        let before = count.fetch_add(1, Ordering::Relaxed);
        let waiting = Self(count);
        (before < MOST_WAITING).then_some(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
