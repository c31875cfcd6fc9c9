//! Asks what is not known yet.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sureness_scorers::{OptionScorer, RequestKey, ScoreError, ScoreRequest};
use tokio::sync::{Notify, mpsc};

use crate::plan::Requests;
use crate::queue::{Batch, Queue};
use crate::{
    Answer, AnswerSink, Event, GroupSummary, ItemId, Plan, RetryPolicy, SinkError, Stop, Summary,
};

/// How a plan is carried out.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Batches in flight at once.
    pub max_workers: usize,
    /// Questions per batch.
    pub batch_size: usize,
    /// When and how often to ask again.
    pub retry: RetryPolicy,
    /// Drive each worker from an operating-system thread of its own instead of a task.
    pub use_threads: bool,
}

/// Asks a run to stop: nothing new is sent, what is in flight is awaited and kept.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<(AtomicBool, Notify)>);

impl Cancel {
    /// Asks for the stop. Further calls change nothing.
    pub fn cancel(&self) {
        self.0.0.store(true, Ordering::SeqCst);
        self.0.1.notify_waiters();
    }

    /// Whether the stop was asked for.
    pub fn is_cancelled(&self) -> bool {
        self.0.0.load(Ordering::SeqCst)
    }

    /// Waits until the stop is asked for.
    async fn cancelled(&self) {
        loop {
            let notified = self.0.1.notified();
            tokio::pin!(notified);
            notified.as_mut().enable();
            if self.is_cancelled() {
                return;
            }
            notified.await;
        }
    }
}

/// Answers that may wait for the sink; beyond that, workers wait.
const CHANNEL: usize = 1024;
/// Keys per look-up, so that planning a large run needs little memory.
const LOOKUP: usize = 4096;

/// Asks every question of `plan` whose answer `sink` does not know. `observer` is called from
/// many threads and must be quick.
pub async fn run(
    plan: Arc<Plan>,
    scorer: Arc<dyn OptionScorer>,
    settings: Settings,
    mut sink: Box<dyn AnswerSink>,
    cancel: Cancel,
    observer: Arc<dyn Fn(&Event) + Send + Sync>,
) -> Result<Summary, SinkError> {
    let identity = scorer.identity().clone();
    let (pending, cached, sink_back) = {
        let plan = Arc::clone(&plan);
        tokio::task::spawn_blocking(move || {
            let found = look_up(&plan, &Requests::new(&plan, &identity), sink.as_mut());
            found.map(|(pending, cached)| (pending, cached, sink))
        })
        .await
        .map_err(|e| SinkError {
            message: format!("the look-up ended abnormally: {e}"),
        })??
    };
    let groups: Vec<GroupTally> = plan
        .groups
        .iter()
        .zip(&cached)
        .map(|(group, &cached)| GroupTally::new(group.questions.len(), cached))
        .collect();
    for (group, &count) in cached.iter().enumerate() {
        if count > 0 {
            observer(&Event::Cached { group, count });
        }
    }

    let started = Instant::now();
    let (answers, inbox) = mpsc::channel(CHANNEL);
    let shared = Arc::new(Shared {
        plan,
        scorer,
        settings,
        queue: Queue::new(pending),
        cancel: cancel.clone(),
        observer,
        groups,
        tokens: (AtomicU64::new(0), AtomicU64::new(0)),
        stop: Mutex::new(None),
        answers,
    });
    let writer = {
        let shared = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || write_answers(sink_back, inbox, &shared))
            .map_err(|e| SinkError {
                message: format!("cannot start the writer thread: {e}"),
            })?
    };
    let watcher = {
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            shared.cancel.cancelled().await;
            shared.queue.clear();
        })
    };
    run_workers(&shared).await;
    watcher.abort();
    let _ = watcher.await;

    // The writer ends when the last sender is gone; `shared` holds one of them, so ask by message.
    let _ = shared.answers.send(None).await;
    let _ = tokio::task::spawn_blocking(move || writer.join()).await;

    let mut stop = lock(&shared.stop).take();
    if stop.is_none() && cancel.is_cancelled() {
        stop = Some(Stop::Interrupted);
    }
    Ok(Summary {
        groups: shared.groups.iter().map(GroupTally::summary).collect(),
        elapsed: started.elapsed(),
        prompt_tokens: shared.tokens.0.load(Ordering::Relaxed),
        cached_tokens: shared.tokens.1.load(Ordering::Relaxed),
        stop,
    })
}

/// The open questions of each group, and how many of each are known or doubled.
fn look_up(
    plan: &Plan,
    requests: &Requests<'_>,
    sink: &mut dyn AnswerSink,
) -> Result<(Vec<Vec<u32>>, Vec<usize>), SinkError> {
    let mut planned_keys: HashSet<RequestKey> = HashSet::new();
    let mut pending = Vec::with_capacity(plan.groups.len());
    let mut cached = Vec::with_capacity(plan.groups.len());
    for (index, group) in plan.groups.iter().enumerate() {
        let mut open = Vec::new();
        let all: Vec<usize> = (0..group.questions.len()).collect();
        for chunk in all.chunks(LOOKUP) {
            let keys: Vec<RequestKey> =
                chunk.iter().map(|&q| requests.make(index, q).key).collect();
            let known = sink.known(&keys)?;
            for ((&question, key), known) in chunk.iter().zip(keys).zip(known) {
                if !known && planned_keys.insert(key) {
                    open.push(question as u32);
                }
            }
        }
        cached.push(group.questions.len() - open.len());
        pending.push(open);
    }
    Ok((pending, cached))
}

/// What the workers share.
struct Shared {
    plan: Arc<Plan>,
    scorer: Arc<dyn OptionScorer>,
    settings: Settings,
    queue: Queue,
    cancel: Cancel,
    observer: Arc<dyn Fn(&Event) + Send + Sync>,
    groups: Vec<GroupTally>,
    /// Prompt tokens and, of these, cached ones.
    tokens: (AtomicU64, AtomicU64),
    stop: Mutex<Option<Stop>>,
    /// `None` ends the writer.
    answers: mpsc::Sender<Option<Answer>>,
}

impl Shared {
    /// Ends the run for this reason; the first reason stands.
    fn stop(&self, reason: Stop) {
        lock(&self.stop).get_or_insert(reason);
        self.cancel.cancel();
        self.queue.clear();
    }
}

struct GroupTally {
    planned: usize,
    cached: usize,
    answered: AtomicU64,
    failed: AtomicU64,
    retried: AtomicU64,
    /// First request and last answer.
    span: Mutex<Option<(Instant, Instant)>>,
}

impl GroupTally {
    fn new(planned: usize, cached: usize) -> Self {
        Self {
            planned,
            cached,
            answered: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            retried: AtomicU64::new(0),
            span: Mutex::new(None),
        }
    }

    fn touch(&self) {
        let now = Instant::now();
        let mut span = lock(&self.span);
        *span = Some((span.map_or(now, |(first, _)| first), now));
    }

    fn summary(&self) -> GroupSummary {
        let load = |n: &AtomicU64| n.load(Ordering::Relaxed) as usize;
        GroupSummary {
            planned: self.planned,
            cached: self.cached,
            answered: load(&self.answered),
            failed: load(&self.failed),
            retried: load(&self.retried),
            elapsed: lock(&self.span).map_or(Duration::ZERO, |(first, last)| last - first),
        }
    }
}

async fn run_workers(shared: &Arc<Shared>) {
    let workers = shared.settings.max_workers.max(1);
    if shared.settings.use_threads {
        let handle = tokio::runtime::Handle::current();
        let threads: Vec<_> = (0..workers)
            .filter_map(|n| {
                let (shared, handle) = (Arc::clone(shared), handle.clone());
                std::thread::Builder::new()
                    .name(format!("worker-{n}"))
                    .spawn(move || handle.block_on(work(&shared)))
                    .ok()
            })
            .collect();
        let _ = tokio::task::spawn_blocking(move || {
            for thread in threads {
                let _ = thread.join();
            }
        })
        .await;
    } else {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..workers {
            let shared = Arc::clone(shared);
            tasks.spawn(async move { work(&shared).await });
        }
        while tasks.join_next().await.is_some() {}
    }
}

async fn work(shared: &Shared) {
    let requests = Requests::new(&shared.plan, shared.scorer.identity());
    while let Some(batch) = shared.queue.take(shared.settings.batch_size).await {
        ask(shared, &requests, &batch).await;
        shared.queue.done(&batch);
    }
}

/// Asks a batch until each of its questions is answered or given up.
async fn ask(shared: &Shared, requests: &Requests<'_>, batch: &Batch) {
    let Some(first) = batch.items.first() else {
        return;
    };
    let group = first.group as usize;
    let tally = &shared.groups[group];
    let mut open: Vec<(ItemId, ScoreRequest)> = batch
        .items
        .iter()
        .map(|&item| (item, requests.make(group, item.question as usize)))
        .collect();
    let mut attempt = 0;
    while !open.is_empty() {
        tally.touch();
        (shared.observer)(&Event::Sent {
            group,
            count: open.len(),
        });
        let started = Instant::now();
        let (items, asked): (Vec<ItemId>, Vec<ScoreRequest>) = open.into_iter().unzip();
        let mut results = shared.scorer.score(&asked).await.scores;
        results.resize_with(asked.len(), || {
            Err(ScoreError::Backend {
                message: "the backend left this question out".into(),
            })
        });
        tally.touch();
        (shared.observer)(&Event::Returned {
            group,
            count: asked.len(),
            attempt: attempt + 1,
            took: started.elapsed(),
        });

        let may_retry =
            attempt < shared.settings.retry.max_retries && !shared.cancel.is_cancelled();
        open = Vec::new();
        let mut wait: Option<(Duration, ScoreError)> = None;
        for ((item, request), result) in items.into_iter().zip(asked).zip(results) {
            match result {
                Err(error) if error.is_retryable() && may_retry => {
                    let this = shared.settings.retry.wait(attempt, error.retry_after());
                    if wait.as_ref().is_none_or(|(longest, _)| this > *longest) {
                        wait = Some((this, error));
                    }
                    open.push((item, request));
                }
                outcome => settle(shared, item, request.key, outcome).await,
            }
        }
        if let Some((wait, error)) = wait {
            tally
                .retried
                .fetch_add(open.len() as u64, Ordering::Relaxed);
            (shared.observer)(&Event::Retrying {
                group,
                count: open.len(),
                wait,
                error,
            });
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                // Whoever waits for a retry when the stop comes is simply not asked again.
                () = shared.cancel.cancelled() => return,
            }
        }
        attempt += 1;
    }
}

/// A question's final outcome of this run.
async fn settle(
    shared: &Shared,
    item: ItemId,
    key: RequestKey,
    outcome: Result<sureness_scorers::OptionScores, ScoreError>,
) {
    let group = item.group as usize;
    let tally = &shared.groups[group];
    match &outcome {
        Ok(scores) => {
            let add = |total: &AtomicU64, n: Option<u32>| {
                total.fetch_add(u64::from(n.unwrap_or(0)), Ordering::Relaxed);
            };
            add(&shared.tokens.0, scores.usage.prompt_tokens);
            add(&shared.tokens.1, scores.usage.cached_tokens);
            tally.answered.fetch_add(1, Ordering::Relaxed);
            (shared.observer)(&Event::Answered { group });
        }
        Err(error) => {
            // A server that is gone after all retries will not answer the others either: stop,
            // rather than work through the plan failing.
            if error.is_fatal() || matches!(error, ScoreError::Unreachable { .. }) {
                shared.stop(Stop::Fatal(error.clone()));
            }
            tally.failed.fetch_add(1, Ordering::Relaxed);
            (shared.observer)(&Event::Failed {
                group,
                error: error.clone(),
            });
        }
    }
    if shared
        .answers
        .send(Some(Answer { item, key, outcome }))
        .await
        .is_err()
    {
        shared.stop(Stop::Sink("the writer has ended".into()));
    }
}

/// Writes whatever has arrived in one go, so that the pace sets the size of a transaction: single
/// answers are safe at once, and at high rates many share one commit.
fn write_answers(
    mut sink: Box<dyn AnswerSink>,
    mut inbox: mpsc::Receiver<Option<Answer>>,
    shared: &Shared,
) {
    let mut messages = Vec::with_capacity(CHANNEL);
    loop {
        messages.clear();
        if inbox.blocking_recv_many(&mut messages, CHANNEL) == 0 {
            return;
        }
        let ends = messages.iter().any(Option::is_none);
        let answers: Vec<Answer> = messages.drain(..).flatten().collect();
        if !answers.is_empty()
            && let Err(error) = sink.write(&answers)
        {
            shared.stop(Stop::Sink(error.to_string()));
            // Closing makes every later send fail instead of wait.
            inbox.close();
            return;
        }
        if ends {
            return;
        }
    }
}

/// See [`crate::queue`]: the data behind our locks is valid at every step.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
