//! Running a plan.

use std::sync::Arc;

use sureness_scorers::{OptionScorer, ScoreError};

use crate::cancel::Listening;
use crate::dispatch::Dispatch;
use crate::drive::{Shared, drive_tasks, drive_threads, write_answers};
use crate::histogram::Histogram;
use crate::lookup::{Found, look_up};
use crate::plan::Requests;
use crate::{
    AnswerSink, Cancel, Event, GroupSummary, Phases, Plan, Settings, SinkError, Stop, Summary,
};

/// Gets every event, on many threads: it must be quick.
pub type Observer = Arc<dyn Fn(&Event) + Send + Sync>;

/// Asks every question of `plan` that `sink` has no answer for, on the current async runtime, or
/// with threads if `settings` say so.
///
/// All `endpoints` answer for the same model: each question goes to one of them, and its key uses
/// the first one's identity.
pub async fn run(
    plan: Arc<Plan>,
    endpoints: Vec<Arc<dyn OptionScorer>>,
    settings: Settings,
    sink: Box<dyn AnswerSink>,
    cancel: Cancel,
    observer: Observer,
) -> Result<Summary, SinkError> {
    if settings.use_threads {
        return on_own_thread(move || {
            run_blocking(plan, endpoints, settings, sink, cancel, observer)
        })
        .await?;
    }
    let running =
        on_own_thread(move || begin(plan, endpoints, settings, sink, cancel, observer)).await??;
    running.finish().await
}

/// As [`run`], on the calling thread and threads of its own, without an async runtime. Must not be
/// called from async code.
pub fn run_blocking(
    plan: Arc<Plan>,
    endpoints: Vec<Arc<dyn OptionScorer>>,
    settings: Settings,
    sink: Box<dyn AnswerSink>,
    cancel: Cancel,
    observer: Observer,
) -> Result<Summary, SinkError> {
    begin(plan, endpoints, settings, sink, cancel, observer)?.finish_blocking()
}

/// Looks up the cached answers, notifies the observer of them and starts the writer.
fn begin(
    plan: Arc<Plan>,
    endpoints: Vec<Arc<dyn OptionScorer>>,
    settings: Settings,
    mut sink: Box<dyn AnswerSink>,
    cancel: Cancel,
    observer: Observer,
) -> Result<Running, SinkError> {
    let identity = endpoints.first().map(|first| first.identity().digest());
    let requests = Requests::new(plan, identity.unwrap_or_default());
    let Found { open, cached } = match identity {
        Some(_) => look_up(&requests, sink.as_mut(), &cancel)?,
        // No endpoint: refused below.
        None => Found::default(),
    };
    let draws = requests.plan().draws_each();
    let groups = requests
        .plan()
        .groups
        .iter()
        .enumerate()
        .map(|(index, _)| GroupSummary {
            planned: requests.plan().answers_of(index),
            cached: cached.get(index).copied().unwrap_or(0),
            ..GroupSummary::default()
        })
        .collect();
    let hints: Vec<_> = endpoints.iter().map(|endpoint| endpoint.hints()).collect();
    let mut dispatch = Dispatch::new(settings, &hints, open, groups);
    dispatch.keep_draws_together(draws);
    if endpoints.is_empty() {
        dispatch.stop(Stop::Fatal(ScoreError::Backend {
            message: "no endpoint was given".into(),
        }));
    }
    let requests = Box::new(requests);
    let shared = Arc::new(Shared::new(requests, endpoints, dispatch, cancel, observer));
    for (group, &count) in cached.iter().enumerate().filter(|(_, count)| **count > 0) {
        shared.notify(&Event::Cached { group, count });
    }
    Running::start(shared, sink)
}

/// A run with its writer.
pub(crate) struct Running {
    shared: Arc<Shared>,
    writer: std::thread::JoinHandle<Histogram>,
    _listening: Listening,
    _ending: Ending,
}

impl Running {
    /// Starts the writer, and listens for cancellation.
    pub(crate) fn start(shared: Arc<Shared>, sink: Box<dyn AnswerSink>) -> Result<Self, SinkError> {
        let writer = {
            let shared = Arc::clone(&shared);
            std::thread::Builder::new()
                .name("store-writer".into())
                .spawn(move || write_answers(&shared, sink))
                .map_err(|e| SinkError {
                    message: format!("cannot start the writer thread: {e}"),
                })?
        };
        let cancel = shared.cancel.clone();
        let listening = {
            let shared = Arc::downgrade(&shared);
            cancel.listen(move || {
                if let Some(shared) = shared.upgrade() {
                    shared.ring();
                }
            })
        };
        Ok(Self {
            _ending: Ending(Arc::clone(&shared)),
            shared,
            writer,
            _listening: listening,
        })
    }

    /// Drives the run on the current runtime.
    pub(crate) async fn finish(self) -> Result<Summary, SinkError> {
        drive_tasks(&self.shared).await;
        // Writing the last answers may block for a while.
        on_own_thread(move || self.conclude()).await?
    }

    /// Drives the run with threads.
    pub(crate) fn finish_blocking(self) -> Result<Summary, SinkError> {
        drive_threads(&self.shared);
        self.conclude()
    }

    /// Waits until all answers are saved.
    fn conclude(self) -> Result<Summary, SinkError> {
        let elapsed = self.shared.now();
        self.shared.close();
        let storing = self.writer.join().map_err(|_| SinkError {
            message: "the store's writer thread panicked".into(),
        })?;
        let core = self.shared.lock();
        let dispatch = &core.dispatch;
        let totals = &dispatch.totals;
        Ok(Summary {
            groups: dispatch.group_summaries(),
            elapsed,
            phases: Phases {
                waiting: totals.waiting.quantiles(),
                connecting: totals.connecting.quantiles(),
                server: totals.server.quantiles(),
                parsing: totals.parsing.quantiles(),
                storing: storing.quantiles(),
            },
            prompt_tokens: totals.prompt_tokens,
            cached_tokens: totals.cached_tokens,
            answer_tokens: totals.answer_tokens,
            stop: dispatch.stopped().cloned(),
            endpoints: dispatch.endpoint_summaries(),
        })
    }
}

/// Lets workers and writer end when the future of a run is dropped in the middle.
struct Ending(Arc<Shared>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.halt(Stop::Interrupted);
        self.0.close();
    }
}

/// Runs blocking work on a thread for it.
pub(crate) async fn on_own_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, SinkError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|e| SinkError {
            message: format!("a blocking part of the run failed: {e}"),
        })
}
