//! Following a run while it goes, and stopping it.

use std::future::Future;
use std::sync::Arc;

use sureness_engine::{Cancel, Event, Observer, Plan};
use sureness_report::Results;
use tokio::sync::watch;

/// Follows a run: progress bars, logs, metrics, or nothing at all (`()`).
///
/// All methods are called within the run's async runtime, some from many threads.
pub trait Watch: Send + Sync {
    /// Questions and output folder are checked; models are reached next. `questions` describes the
    /// questions, one line per task.
    fn begin(&self, questions: &str) {
        let _ = questions;
    }

    /// Something that a person may want to know.
    fn note(&self, line: &str) {
        let _ = line;
    }

    /// The same as [`note`](Self::note) for notes that arise in tasks of their own.
    fn notes(&self) -> Arc<dyn Fn(&str) + Send + Sync> {
        Arc::new(|_: &str| {})
    }

    /// Something that a person should know.
    fn warn(&self, line: &str) {
        let _ = line;
    }

    /// Observes the requests of a recheck, which are no part of the plan.
    fn recheck(&self) -> Observer {
        Arc::new(|_: &Event| {})
    }

    /// Observes one model's questions.
    fn model(&self, model: ModelStart<'_>) -> Arc<dyn ModelWatch> {
        let _ = model;
        Arc::new(())
    }

    /// The run has a coordinator, which can be asked for its status.
    #[cfg(feature = "nats")]
    fn coordinator(&self, status: CoordinatorStatus) {
        let _ = status;
    }

    /// The results cannot be written; this is the last chance to see them.
    fn unsaved(&self, results: &Results) {
        let _ = results;
    }

    /// What stops the run early. `coordinates` tells whether workers elsewhere do the asking.
    fn interrupts(&self, coordinates: bool) -> Interrupts {
        let _ = coordinates;
        Interrupts::default()
    }
}

impl Watch for () {}

/// Follows one model's questions.
pub trait ModelWatch: Send + Sync {
    /// Takes an event. Quick, since a run has thousands a second.
    fn event(&self, event: &Event);

    /// No further event comes.
    fn finish(&self) {}
}

impl ModelWatch for () {
    fn event(&self, _: &Event) {}
}

/// A model whose questions are asked next.
pub struct ModelStart<'a> {
    /// The model's name.
    pub name: &'a str,
    /// What it is asked.
    pub plan: &'a Plan,
    /// Number of servers that answer for it.
    pub endpoints: usize,
    /// How the machines that share the work are doing, where there are some.
    pub machines: Option<Machines>,
}

/// Describes the machines of a run in a few words.
pub type Machines = Box<dyn Fn() -> String + Send>;

/// The coordinator's status, as long as there is a coordinator.
#[cfg(feature = "nats")]
pub type CoordinatorStatus = Box<dyn Fn() -> Option<sureness_fleet::Status> + Send + Sync>;

/// Whether a run has been asked to stop. The default never is.
#[derive(Debug, Clone)]
pub struct Interrupts {
    cancel: Cancel,
    asked: watch::Receiver<bool>,
}

/// Stops the run that holds the matching [`Interrupts`].
#[derive(Debug)]
pub struct Stopper {
    cancel: Cancel,
    ask: watch::Sender<bool>,
}

impl Default for Interrupts {
    fn default() -> Self {
        Self::new().1
    }
}

impl Interrupts {
    /// A pair: what stops a run, and what the run looks at.
    pub fn new() -> (Stopper, Self) {
        let cancel = Cancel::default();
        let (ask, asked) = watch::channel(false);
        let stopper = Stopper {
            cancel: cancel.clone(),
            ask,
        };
        (stopper, Self { cancel, asked })
    }

    /// What stops the engine.
    pub fn cancel(&self) -> Cancel {
        self.cancel.clone()
    }

    /// Whether a stop was requested.
    pub fn came(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// The outcome of `work`, or `None` if a stop is requested first. For work that leaves nothing
    /// behind when it is dropped.
    pub async fn unless<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            outcome = work => Some(outcome),
            () = self.come() => None,
        }
    }

    /// Returns once a stop is requested.
    pub async fn come(&self) {
        if self.asked.clone().wait_for(|asked| *asked).await.is_err() {
            // The stopper is gone.
            std::future::pending::<()>().await;
        }
    }
}

impl Stopper {
    /// Stops once the requests in flight have come back.
    pub fn stop(&self) {
        self.cancel.cancel();
        self.ask.send_replace(true);
    }

    /// Stops at once; requests in flight are dropped.
    pub fn stop_now(&self) {
        self.cancel.now();
        self.ask.send_replace(true);
    }
}
