//! Watching a run and stopping it.

use std::future::Future;
use std::sync::Arc;

use sureness_engine::{Cancel, Event, Observer, Plan};
use sureness_report::Results;
use tokio::sync::watch;

/// Receives warnings on any thread.
pub type Warner = Arc<dyn Fn(&str) + Send + Sync>;

/// Watches a run, as progress bars, logs and metrics do. `()` ignores everything.
///
/// All methods are called on the run's async runtime, some from many threads.
#[expect(unused_variables, reason = "the defaults ignore everything")]
pub trait Watch: Send + Sync {
    /// Called after questions and output folder were checked and before models are opened.
    /// `questions` describes the questions, one line per task.
    fn begin(&self, questions: &str) {}

    /// Receives an informational line.
    fn note(&self, line: &str) {}

    /// A handle to [`note`](Self::note) for background tasks.
    fn note_sender(&self) -> Arc<dyn Fn(&str) + Send + Sync> {
        Arc::new(|_: &str| {})
    }

    /// Receives a warning.
    fn warn(&self, line: &str) {}

    /// A handle to [`warn`](Self::warn) for background tasks.
    fn warn_sender(&self) -> Warner {
        Arc::new(|_: &str| {})
    }

    /// Returns the observer of a recheck, whose requests are not part of the plan.
    fn recheck(&self, plan: &Plan) -> Observer {
        Arc::new(|_: &Event| {})
    }

    /// Returns the watch of one model, before its first question.
    fn model(&self, model: ModelStart<'_>) -> Arc<dyn ModelWatch> {
        Arc::new(())
    }

    /// Receives access to the coordinator's status, once there is a coordinator.
    #[cfg(feature = "nats")]
    fn coordinator(&self, status: CoordinatorStatus) {}

    /// Receives results that could not be written: the last chance to show them.
    fn unsaved(&self, results: &Results) {}

    /// Returns the interrupts that stop the run early. `coordinates` is whether remote workers ask
    /// the questions.
    fn interrupts(&self, coordinates: bool) -> Interrupts {
        Interrupts::default()
    }
}

impl Watch for () {}

/// Watches the questions of one model.
pub trait ModelWatch: Send + Sync {
    /// Receives an event. Must be fast: there may be thousands a second.
    fn event(&self, event: &Event);

    /// Receives how far a run has come that stops early, after each look.
    fn standing(&self, _: Standing) {}

    /// Called after the last event.
    fn finish(&self) {}
}

impl ModelWatch for () {
    fn event(&self, _: &Event) {}
}

/// A model that is about to be asked.
pub struct ModelStart<'a> {
    /// The model's name.
    pub name: &'a str,
    /// Its questions.
    pub plan: &'a Plan,
    /// Number of its endpoints.
    pub endpoints: usize,
    /// Describes the workers on other machines, if any.
    pub workers: Option<DescribeWorkers>,
    /// Whether asking may end before all its questions are asked.
    pub may_stop_early: bool,
}

/// How much of what a run is to show is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Comparisons that are settled, or intervals that are narrow enough.
    pub settled: usize,
    /// Comparisons or intervals in all.
    pub of: usize,
}

/// Describes the workers of a run in a few words.
pub type DescribeWorkers = Box<dyn Fn() -> String + Send>;

/// Returns the coordinator's status; `None` after the coordinator has ended.
#[cfg(feature = "nats")]
pub type CoordinatorStatus = Box<dyn Fn() -> Option<sureness_fleet::Status> + Send + Sync>;

/// Tells a run that a stop was requested. The default never does.
#[derive(Debug, Clone)]
pub struct Interrupts {
    cancel: Cancel,
    stop: watch::Receiver<bool>,
}

/// Stops the run that holds the matching [`Interrupts`].
#[derive(Debug)]
pub struct Stopper {
    cancel: Cancel,
    stop: watch::Sender<bool>,
}

impl Default for Interrupts {
    fn default() -> Self {
        Self::new().1
    }
}

impl Interrupts {
    /// A stopper and the interrupts that it controls.
    pub fn new() -> (Stopper, Self) {
        let cancel = Cancel::default();
        let (sender, stop) = watch::channel(false);
        let stopper = Stopper {
            cancel: cancel.clone(),
            stop: sender,
        };
        (stopper, Self { cancel, stop })
    }

    /// The engine's handle.
    pub fn cancel(&self) -> Cancel {
        self.cancel.clone()
    }

    /// Whether a stop was requested.
    pub fn stop_requested(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// The outcome of `work`, or `None` if a stop is requested first. Drops the unfinished work, so
    /// it must be safe to cancel.
    pub async fn race<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            outcome = work => Some(outcome),
            () = self.stopped() => None,
        }
    }

    /// Returns once a stop is requested.
    pub async fn stopped(&self) {
        if self.stop.clone().wait_for(|stop| *stop).await.is_err() {
            // Without a stopper, no stop can be requested.
            std::future::pending::<()>().await;
        }
    }
}

impl Stopper {
    /// Stops once the requests in flight have come back.
    pub fn stop(&self) {
        self.cancel.cancel();
        self.stop.send_replace(true);
    }

    /// Stops at once; requests in flight are dropped.
    pub fn stop_now(&self) {
        self.cancel.now();
        self.stop.send_replace(true);
    }
}
