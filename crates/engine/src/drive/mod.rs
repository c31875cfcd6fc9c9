//! Carries out what the dispatcher decides.
//!
//! A worker lives as long as there is work: it asks, hands the reply in, and takes the next job
//! under the same lock. In a steady state no other worker wakes up. The pacemaker sleeps until
//! something is due that does not follow a reply: a retry, a probe, the end of a rate limit.

mod bell;
mod check;
mod tasks;
mod threads;
mod writer;

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sureness_scorers::{OptionScorer, Reply, ScoreError, ScoreRequest};
use tokio::sync::Notify;
use tokio::time::Instant;

use self::bell::Bell;
use crate::dispatch::{Dispatch, Events, Next, Ticket};
use crate::plan::Source;
use crate::{Cancel, Event, Observer, Stop};

pub(crate) use tasks::drive as drive_tasks;
pub(crate) use threads::drive as drive_threads;
pub(crate) use writer::write_answers;

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
            let wake_writer = writer::is_worth_waking(before, core.dispatch.outbox.len());
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
