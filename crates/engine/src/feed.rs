//! A run whose questions arrive while it goes.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sureness_scorers::{OptionScorer, ScoreRequest};

use crate::dispatch::Dispatch;
use crate::drive::Shared;
use crate::lookup::Pending;
use crate::plan::Source;
use crate::run::{Running, on_own_thread};
use crate::{Answer, AnswerSink, Cancel, ItemId, Observer, Planned, Settings, SinkError, Summary};

/// Hands questions to a run without a plan, such as that of a worker which gets them in units.
/// Limits, retries, outages and events are those of a planned run.
#[derive(Clone)]
pub struct Feed {
    shared: Arc<Shared>,
    open: Arc<OpenRequests>,
}

/// The requests without an answer, by item: they can be asked more than once.
#[derive(Default)]
struct OpenRequests {
    requests: Mutex<HashMap<ItemId, ScoreRequest>>,
    /// Number of the next question. It wraps around: the first ones are answered by then.
    next: AtomicU32,
}

impl OpenRequests {
    fn lock(&self) -> MutexGuard<'_, HashMap<ItemId, ScoreRequest>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Source for Arc<OpenRequests> {
    fn read(&self, group: u32, question: u32) -> io::Result<ScoreRequest> {
        let item = ItemId { group, question };
        let request = self.lock().get(&item).cloned();
        request.ok_or_else(|| io::Error::other("the question has been answered already"))
    }
}

/// Begins a run without a plan. Questions [pushed](Feed::push) to the feed are asked while the
/// future is polled. It ends when the feed is [closed](Feed::close) and everything is answered, or
/// as other runs do. `sink` is not asked to plan anything.
pub async fn feed(
    endpoints: Vec<Arc<dyn OptionScorer>>,
    settings: Settings,
    sink: Box<dyn AnswerSink>,
    cancel: Cancel,
    observer: Observer,
) -> Result<(Feed, impl Future<Output = Result<Summary, SinkError>>), SinkError> {
    let open = Arc::new(OpenRequests::default());
    let hints: Vec<_> = endpoints.iter().map(|endpoint| endpoint.hints()).collect();
    let dispatch = Dispatch::open_ended(settings, &hints);
    let source = Box::new(Arc::clone(&open));
    let shared = Arc::new(Shared::new(source, endpoints, dispatch, cancel, observer));
    let feed = Feed {
        shared: Arc::clone(&shared),
        open: Arc::clone(&open),
    };
    let sink = Box::new(Forgetting { open, sink });
    let running = Running::start(shared, sink)?;
    let to_the_end = async move {
        if settings.use_threads {
            return on_own_thread(move || running.finish_blocking()).await?;
        }
        running.finish().await
    };
    Ok((feed, to_the_end))
}

impl Feed {
    /// Adds questions of a group, which share a prefix. Returns the items by which the sink gets
    /// their answers; none if the run has been stopped.
    pub fn push(&self, group: u32, requests: Vec<ScoreRequest>) -> Vec<ItemId> {
        let mut items = Vec::with_capacity(requests.len());
        let mut pending = Vec::with_capacity(requests.len());
        {
            let mut open = self.open.lock();
            for request in requests {
                let question = self.open.next.fetch_add(1, Ordering::Relaxed);
                let item = ItemId { group, question };
                let text = &request.prompt;
                pending.push(Pending {
                    question,
                    bytes: (text.prefix.len() + text.suffix.len()) as u32,
                });
                open.insert(item, request);
                items.push(item);
            }
        }
        let now = self.shared.now();
        let taken = self.shared.lock().dispatch.add(group, pending, now);
        if !taken {
            let mut open = self.open.lock();
            for item in items.drain(..) {
                open.remove(&item);
            }
        }
        self.shared.ring();
        items
    }

    /// How many more questions keep all endpoints busy: as many as are in flight should wait.
    pub fn wanted(&self) -> usize {
        let core = self.shared.lock();
        if core.dispatch.stopped().is_some() {
            return 0;
        }
        let capacity = core.dispatch.capacity().max(1);
        capacity.saturating_sub(core.dispatch.backlog())
    }

    /// How many questions may be in flight at once now.
    pub fn capacity(&self) -> usize {
        self.shared.lock().dispatch.capacity()
    }

    /// Ends the run after the questions pushed so far.
    pub fn close(&self) {
        self.shared.lock().dispatch.close();
        self.shared.ring();
    }
}

impl std::fmt::Debug for Feed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Feed").finish_non_exhaustive()
    }
}

/// Forgets requests once their answers are saved.
struct Forgetting {
    open: Arc<OpenRequests>,
    sink: Box<dyn AnswerSink>,
}

impl AnswerSink for Forgetting {
    fn plan(&mut self, _: u32, _: u32, questions: &[Planned]) -> Result<Vec<bool>, SinkError> {
        Ok(vec![false; questions.len()])
    }

    fn write(&mut self, answers: &[Answer]) -> Result<(), SinkError> {
        self.sink.write(answers)?;
        let mut open = self.open.lock();
        for answer in answers {
            open.remove(&answer.item);
        }
        Ok(())
    }
}
