//! Carries out what the dispatcher decides.
//!
//! A worker lives as long as there is work: it asks, hands the reply in, and takes the next job
//! under the same lock. In a steady state no other worker wakes up. The pacemaker sleeps until
//! something is due that does not follow a reply: a retry, a probe, the end of a rate limit. The writer
//! brings answers to the sink.

mod bell;
mod threads;

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use sureness_scorers::{OptionScorer, Reply, ScoreError, ScoreRequest};
use tokio::sync::Notify;
use tokio::time::Instant;

use self::bell::Bell;
use crate::dispatch::{Dispatch, Events, Next, Ticket};
use crate::histogram::Histogram;
use crate::plan::Source;
use crate::{AnswerSink, Cancel, Event, Observer, Stop};

pub(crate) use threads::drive as drive_threads;

/// So many answers are written without waiting for more.
const FULL_BATCH: usize = 256;
/// How long the first answer waits for others. At high rates dozens share one transaction and one
/// wake-up.
const LINGER: Duration = Duration::from_millis(2);

/// State shared by workers, pacemaker and writer.
pub(crate) struct Shared {
    requests: Box<dyn Source>,
    endpoints: Vec<Arc<dyn OptionScorer>>,
    core: Mutex<Core>,
    pub(crate) cancel: Cancel,
    observer: Observer,
    /// Tokio's clock, which tests can stop. It works without a runtime.
    started: Instant,
    /// Wakes the pacemaker.
    bell: Bell,
    /// Wakes the writer; belongs to the lock on `core`.
    unsaved: Condvar,
    /// Workers at work.
    busy: AtomicUsize,
    /// Requests in flight are to be dropped.
    halted: AtomicBool,
    halt: Notify,
}

/// Everything behind the one lock.
pub(crate) struct Core {
    pub(crate) dispatch: Dispatch,
    /// When the pacemaker wakes by itself.
    alarm: Option<Duration>,
    /// No more answers will come: the writer ends once it has written the last ones.
    closed: bool,
}

/// The pacemaker's next step.
enum Step {
    /// Sleep until the bell rings or this time has come.
    Sleep(Option<Duration>),
    /// The run is over.
    Over,
}

/// Counts a worker as busy while it lives.
struct Busy(Arc<Shared>);

impl Shared {
    pub(crate) fn new(
        requests: Box<dyn Source>,
        endpoints: Vec<Arc<dyn OptionScorer>>,
        dispatch: Dispatch,
        cancel: Cancel,
        observer: Observer,
    ) -> Self {
        Self {
            requests,
            endpoints,
            core: Mutex::new(Core {
                dispatch,
                alarm: None,
                closed: false,
            }),
            cancel,
            observer,
            started: Instant::now(),
            bell: Bell::default(),
            unsaved: Condvar::new(),
            busy: AtomicUsize::new(0),
            halted: AtomicBool::new(false),
            halt: Notify::new(),
        }
    }

    /// Time since the run's start.
    pub(crate) fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// The state is valid at every step, so it stays usable after a panic elsewhere.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn ring(&self) {
        self.bell.ring();
    }

    /// Ends the run: nothing more is sent, and requests in flight are dropped.
    pub(crate) fn halt(&self, reason: Stop) {
        self.lock().dispatch.stop(reason);
        self.halted.store(true, Ordering::SeqCst);
        self.halt.notify_waiters();
        self.ring();
    }

    fn is_halted(&self) -> bool {
        self.halted.load(Ordering::SeqCst)
    }

    /// No more answers will come.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.unsaved.notify_all();
    }

    /// Notifies the observer; panics are caught.
    pub(crate) fn notify(&self, event: &Event) {
        let _ = catch_unwind(AssertUnwindSafe(|| (self.observer)(event)));
    }

    /// Starts every request that may be sent now.
    fn send_ready(&self, mut start: impl FnMut(Box<Ticket>)) -> Step {
        if self.cancel.is_now() && !self.is_halted() {
            self.halt(Stop::Interrupted);
        }
        loop {
            let mut core = self.lock();
            match self.next(&mut core, self.now()) {
                Next::Send(ticket) => {
                    drop(core);
                    start(ticket);
                }
                Next::Wait(at) => {
                    core.alarm = at;
                    return Step::Sleep(at);
                }
                // The last workers may still be notifying the observer.
                Next::Over if self.busy.load(Ordering::SeqCst) > 0 => return Step::Sleep(None),
                Next::Over => return Step::Over,
            }
        }
    }

    fn next(&self, core: &mut Core, now: Duration) -> Next {
        if self.cancel.is_cancelled() {
            core.dispatch.stop(Stop::Interrupted);
        }
        core.dispatch.next(now)
    }

    /// Builds a ticket's prompts, just before they are sent.
    fn begin(&self, ticket: &mut Ticket) -> io::Result<Vec<ScoreRequest>> {
        let job = &mut ticket.job;
        self.notify(&Event::Sent {
            group: job.group as usize,
            count: job.items.len(),
            endpoint: ticket.endpoint,
            load: ticket.load,
        });
        let mut requests = Vec::with_capacity(job.items.len());
        for open in &mut job.items {
            let request = self.requests.read(job.group, open.question)?;
            open.key = request.key;
            requests.push(request);
        }
        Ok(requests)
    }

    /// Hands a reply in. Returns the first job that may follow, and starts the others.
    fn finish(
        &self,
        ticket: Ticket,
        reply: Reply,
        mut start: impl FnMut(Box<Ticket>),
    ) -> Option<Box<Ticket>> {
        let mut events = Events::new();
        let (mut mine, mut others) = (None, Vec::new());
        let (ring, wake_writer) = {
            let mut core = self.lock();
            let now = self.now();
            let before = core.dispatch.outbox.len();
            core.dispatch.finished(ticket, reply, now, &mut events);
            let wake_writer = is_worth_waking(before, core.dispatch.outbox.len());
            let ring = loop {
                match self.next(&mut core, now) {
                    Next::Send(ticket) if mine.is_none() => mine = Some(ticket),
                    Next::Send(ticket) => others.push(ticket),
                    Next::Wait(at) => break at.is_some_and(|at| core.alarm.is_none_or(|a| at < a)),
                    Next::Over => break true,
                }
            };
            (ring, wake_writer)
        };
        if wake_writer {
            self.unsaved.notify_one();
        }
        if ring {
            self.ring();
        }
        for ticket in others {
            start(ticket);
        }
        for event in &events {
            self.notify(event);
        }
        mine
    }

    /// A request was dropped without a reply.
    fn abandon(&self, ticket: &Ticket) {
        self.lock().dispatch.dropped(ticket);
    }
}

impl Busy {
    fn new(shared: &Arc<Shared>) -> Self {
        shared.busy.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(shared))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::SeqCst);
        self.0.ring();
    }
}

/// The reply for questions that can no longer be read from disk.
fn unreadable(count: usize, error: &io::Error) -> Reply {
    failed(count, format!("the questions cannot be read back: {error}"))
}

/// The reply of a backend that panicked.
fn panicked(count: usize) -> Reply {
    failed(count, "the backend panicked; see standard error".into())
}

fn failed(count: usize, message: String) -> Reply {
    Reply::of(vec![Err(ScoreError::Backend { message }); count])
}

/// Replaces results unless there is one per request, with one log-probability per option.
fn checked(requests: &[ScoreRequest], mut reply: Reply) -> Reply {
    if reply.scores.len() != requests.len() {
        // It is unknown which answer belongs to which question: none is used.
        let error = ScoreError::Malformed {
            message: format!(
                "{} questions were asked, {} answers arrived",
                requests.len(),
                reply.scores.len()
            ),
        };
        reply.scores = vec![Err(error); requests.len()];
        return reply;
    }
    for (request, result) in requests.iter().zip(&mut reply.scores) {
        let options = request.labels.len();
        if let Ok(scores) = result
            && (scores.logprobs.len() != options || scores.observed.len() != options)
        {
            *result = Err(ScoreError::Malformed {
                message: format!(
                    "{options} options were asked for, {} log-probabilities arrived",
                    scores.logprobs.len()
                ),
            });
        }
    }
    reply
}

/// Runs to the end on the current async runtime, with one task per request in flight.
pub(crate) async fn drive_tasks(shared: &Arc<Shared>) {
    loop {
        match shared.send_ready(|ticket| start(shared, ticket)) {
            Step::Over => return,
            Step::Sleep(until) => {
                let wait = until.map(|at| at.saturating_sub(shared.now()));
                shared.bell.rung(wait).await;
            }
        }
    }
}

fn start(shared: &Arc<Shared>, ticket: Box<Ticket>) {
    let busy = Busy::new(shared);
    tokio::spawn(work(busy, ticket));
}

async fn work(busy: Busy, mut ticket: Box<Ticket>) {
    let shared = &busy.0;
    let halt = shared.halt.notified();
    tokio::pin!(halt);
    // Registered before the first check, so that a halt between check and wait counts.
    halt.as_mut().enable();
    loop {
        if shared.is_halted() {
            shared.abandon(&ticket);
            return;
        }
        let scorer = &shared.endpoints[ticket.endpoint];
        let asking = async {
            match shared.begin(&mut ticket) {
                Err(error) => unreadable(ticket.job.items.len(), &error),
                Ok(requests) => {
                    let asking = AssertUnwindSafe(scorer.score(&requests)).catch_unwind();
                    let reply = asking.await.unwrap_or_else(|_| panicked(requests.len()));
                    checked(&requests, reply)
                }
            }
        };
        let reply = tokio::select! {
            biased;
            reply = asking => Some(reply),
            () = halt.as_mut() => None,
        };
        let Some(reply) = reply else {
            shared.abandon(&ticket);
            return;
        };
        match shared.finish(*ticket, reply, |ticket| start(shared, ticket)) {
            Some(next) => ticket = next,
            None => return,
        }
        // A backend that never waits must not starve other tasks.
        tokio::task::coop::consume_budget().await;
    }
}

/// Whether to wake the writer, now that there are `after` answers instead of `before`. In between
/// it wakes by itself.
fn is_worth_waking(before: usize, after: usize) -> bool {
    after > before && (before == 0 || (before < FULL_BATCH && after >= FULL_BATCH))
}

/// Writes until the run is closed; returns how long answers waited to be saved. All answers that have
/// arrived are written at once, so that their rate sets the size of a transaction.
pub(crate) fn write_answers(shared: &Shared, mut sink: Box<dyn AnswerSink>) -> Histogram {
    let mut storing = Histogram::default();
    let (mut answers, mut times) = (Vec::new(), Vec::new());
    while wait_for_answers(shared) {
        answers.clear();
        times.clear();
        let mut core = shared.lock();
        core.dispatch.outbox.take(&mut answers, &mut times);
        drop(core);
        if let Err(error) = sink.write(&answers) {
            // Answers in flight could not be saved either.
            shared.halt(Stop::Sink(error.to_string()));
            return storing;
        }
        let now = shared.now();
        for &came in &times {
            storing.record(now.saturating_sub(came), 1);
        }
        if shared.lock().dispatch.outbox.saved(answers.len()) {
            shared.ring();
        }
    }
    storing
}

/// Whether there are answers; `false` ends the writer.
fn wait_for_answers(shared: &Shared) -> bool {
    let core = shared.lock();
    let core = shared
        .unsaved
        .wait_while(core, |core| core.dispatch.outbox.len() == 0 && !core.closed)
        .unwrap_or_else(PoisonError::into_inner);
    let (core, _) = shared
        .unsaved
        .wait_timeout_while(core, LINGER, |core| {
            core.dispatch.outbox.len() < FULL_BATCH && !core.closed
        })
        .unwrap_or_else(PoisonError::into_inner);
    core.dispatch.outbox.len() > 0
}
